package bench

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"forewarn/internal/sighting"
	"forewarn/internal/sim/telemetry"
	"forewarn/internal/token"
)

var (
	recall     = flag.String("recall", "3MB", "how much telemetry of each format TestRecall scans")
	recallSeed = flag.Uint64("recallseed", 1, "of what it writes and plants")
)

// thing is what is planted, and how it is known when it is seen.
type thing struct {
	kind, text string
	is         func(sighting.What) bool
}

// encodings are how it may be written, for all formats or some.
var encodings = []struct {
	name   string
	only   string // formats; empty: all
	encode func(rng *rand.Rand, s string) string
}{
	{"as it is", "", func(_ *rand.Rand, s string) string { return s }},
	{"percent", "", func(rng *rand.Rand, s string) string { return some(rng, s, "%%%02X") }},
	{"percent, all", "", func(_ *rand.Rand, s string) string { return all(s, "%%%02x") }},
	{"percent twice", "", func(rng *rand.Rand, s string) string { return some(rng, s, "%%25%02X") }},
	{"query", "", func(_ *rand.Rand, s string) string { return url.QueryEscape(s) }},
	{"base64", "", func(rng *rand.Rand, s string) string {
		return base64.StdEncoding.EncodeToString([]byte("pad text"[:rng.IntN(9)] + " " + s + " and more of it"))
	}},
	{"base64url", "", func(_ *rand.Rand, s string) string { return base64.RawURLEncoding.EncodeToString([]byte("q=" + s)) }},
	{"base64 of percent", "", func(rng *rand.Rand, s string) string {
		return base64.StdEncoding.EncodeToString([]byte("data " + some(rng, s, "%%%02X") + " end"))
	}},
	{"JSON", "eve zeek-json", func(rng *rand.Rand, s string) string { return some(rng, s, `\u%04x`) }},
	{"JSON of percent", "eve zeek-json", func(_ *rand.Rand, s string) string { return all(all(s, "%%%02X"), `\u%04x`) }},
	{`\x`, "combined zeek", func(rng *rand.Rand, s string) string { return some(rng, s, `\x%02x`) }},
	{"references", "html text", func(rng *rand.Rand, s string) string { return some(rng, s, "&#x%x;") }},
	{"references, decimal", "html", func(_ *rand.Rand, s string) string { return all(s, "&#%d;") }},
	{"upper case", "", nil}, // of texts only
	{"over lines", "text html", nil},
}

func some(rng *rand.Rand, s, as string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || rng.IntN(4) == 0 {
			fmt.Fprintf(&b, as, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func all(s, as string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, as, s[i])
	}
	return b.String()
}

// Whatever is planted in telemetry of any format, in any encoding that the format
// can carry, is seen, and nothing else is. Each planted line holds a constant of its
// own beside it, by which what is seen there is told. The long run is
//
//	go test ./internal/bench -run TestRecall -v -recall 1.2GB -timeout 0
func TestRecall(t *testing.T) {
	size, err := parseBytes(*recall)
	if err != nil {
		t.Fatal(err)
	}
	p, err := example()
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	planted := map[string]int{}
	for _, format := range sortedKeys(telemetry.Corpora) {
		t.Run(format, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(*recallSeed, uint64(len(format))))
			rec := token.NewRecogniser([16]byte{7})
			every := max(1<<14, size/4000)
			n := int(size/every) + 2
			mark := func(i int) string { return fmt.Sprintf("mk%014x", uint64(i+1)*0x9E3779B97F4B) }
			things := make([]thing, n)
			s := &sighting.Scanner{Rec: rec, Texts: p.texts, Rules: p.rules}
			index := map[string]int{}
			for i := range things {
				index[mark(i)] = i
				s.Indicators = append(s.Indicators, sighting.Indicator{Kind: sighting.Constant, Value: mark(i)})
				var ind sighting.Indicator
				things[i], ind = draw(rng, rec, p, i)
				if ind.Value != "" {
					s.Indicators = append(s.Indicators, ind)
				}
			}
			written := make([]string, n)
			c := telemetry.Corpora[format](*recallSeed)
			c.After = func(i int, record []byte) []byte {
				e := encodings[rng.IntN(len(encodings))]
				for e.only != "" && !strings.Contains(" "+e.only+" ", " "+format+" ") || e.encode == nil && things[i].kind != "text" {
					e = encodings[rng.IntN(len(encodings))]
				}
				out := things[i].text
				switch {
				case e.encode != nil:
					out = e.encode(rng, out)
				case e.name == "over lines":
					out = strings.ReplaceAll(out, " ", []string{"\n", "\n> ", " \n   "}[rng.IntN(3)])
				default:
					out = strings.ToUpper(strings.ReplaceAll(out, " ", "+"))
				}
				if strings.ContainsAny(out, " ") && (format == "iis" || format == "combined" || strings.HasPrefix(format, "syslog") || strings.HasPrefix(format, "zeek") || format == "eve") {
					out = strings.ReplaceAll(out, " ", "+")
				}
				written[i] = things[i].kind + ", " + e.name
				return bytes.Replace(record, []byte("@@"), []byte(out), 1)
			}
			in, out := io.Pipe()
			go func() {
				_, err := c.Write(out, size, every, func(i int) string { return "/p?m=" + mark(i) + "&v=@@" })
				out.CloseWithError(err)
			}()
			seen := make([][]sighting.Sighting, n)
			lineOf := map[int64]int{}
			var others []sighting.Sighting
			sum, err := s.Scan(format, in, func(x sighting.Sighting) error {
				if i, ok := index[x.What.Indicator.Value]; ok {
					lineOf[x.Line] = i
					return nil
				}
				others = append(others, x)
				return nil
			})
			if err != nil || sum.Truncated {
				t.Fatal(err, sum.Problems)
			}
			total += sum.Bytes
			for _, x := range others {
				i, ok := lineOf[x.Line]
				if !ok || !things[i].is(x.What) {
					t.Errorf("line %d: %s was seen, and not planted there: %.200q", x.Line, x.What.Kind(), x.Excerpt)
					continue
				}
				seen[i] = append(seen[i], x)
			}
			missed := map[string]int{}
			for line, i := range lineOf {
				if planted[written[i]]++; len(seen[i]) == 0 {
					if missed[written[i]]++; missed[written[i]] <= 2 {
						t.Errorf("line %d: %s was not seen: %.300q", line, written[i], things[i].text)
					}
				}
			}
			if len(lineOf) < int(size/every)-2 {
				t.Errorf("%d lines with a mark were seen, want about %d", len(lineOf), size/every)
			}
			for what, n := range missed {
				t.Errorf("%s: missed %d times", what, n)
			}
			t.Logf("%s: %d planted in %d bytes, %d records as %s", format, len(lineOf), sum.Bytes, sum.Records, sum.Format)
		})
	}
	for _, what := range sortedKeys(planted) {
		t.Logf("%-40s %d", what, planted[what])
	}
	t.Logf("%.2f GB in all", float64(total)/1e9)
}

// draw makes the i-th thing, and the indicator that it is found by, if so.
func draw(rng *rand.Rand, rec *token.Recogniser, p pack, i int) (thing, sighting.Indicator) {
	ind := func(k sighting.Kind, v string) (thing, sighting.Indicator) {
		return thing{k.String(), v, func(w sighting.What) bool { return w.Indicator.Kind == k && strings.EqualFold(w.Indicator.Value, v) }}, sighting.Indicator{Kind: k, Value: v}
	}
	switch i % 8 {
	case 0:
		return ind(sighting.Host, fmt.Sprintf("c%d.canary%x.example", i, rng.Uint32()))
	case 1:
		return ind(sighting.Path, fmt.Sprintf("/stage%d/%08x/begin.aspx", i, rng.Uint32()))
	case 2:
		return ind(sighting.Hash, fmt.Sprintf("%016x%016x%08x", rng.Uint64(), rng.Uint64(), rng.Uint32()))
	case 3:
		return ind(sighting.Constant, fmt.Sprintf("fw_%x_%d", rng.Uint64(), i))
	case 4:
		return ind(sighting.Address, fmt.Sprintf("2001:db8:%x::%x", 1+i%0xffff, 1+rng.IntN(0xfffe)))
	case 5, 6:
		a, l := token.Alphabet(1+rng.IntN(3)), rng.Uint64()
		return thing{"token", a.Encode(rec, l), func(w sighting.What) bool { return w.Token == sighting.Token{L: l, Alphabet: a} }}, sighting.Indicator{}
	}
	return thing{"text", p.quote(rng, rec), func(w sighting.What) bool { return w.Quote.Words >= sighting.MinWords }}, sighting.Indicator{}
}

func parseBytes(s string) (int64, error) {
	for _, u := range []struct {
		suffix string
		of     float64
	}{{"GB", 1e9}, {"MB", 1e6}} {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			x, err := strconv.ParseFloat(digits, 64)
			return int64(x * u.of), err
		}
	}
	return 0, fmt.Errorf("%q is no size such as 3MB", s)
}

// Real telemetry holds nothing of a package that nobody has but us: no token, no
// excerpt, no canary, nothing that its rules hold for. Captures are no logs, and are
// searched as bytes.
func TestNothingInRealTelemetry(t *testing.T) {
	dir := os.Getenv("FOREWARN_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("skipped: FOREWARN_DATA names the folder of real telemetry: %v", err)
	}
	p, err := example()
	if err != nil {
		t.Fatal(err)
	}
	s := &sighting.Scanner{Rec: token.NewRecogniser([16]byte{8}), Texts: p.texts, Rules: p.rules, Indicators: Scan{Literals: 1000}.indicators()}
	var bytes, records int64
	for _, folder := range []string{"eve", "pcap"} {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			sum, err := s.Scan(name, f, func(x sighting.Sighting) error {
				t.Errorf("%s:%d: %s: %.200q", name, x.Line, x.What.Kind(), x.Excerpt)
				return nil
			})
			bytes, records = bytes+sum.Bytes, records+sum.Records
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d bytes in %d records", bytes, records)
}
