package sighting

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"forewarn/internal/token"
)

var rec = token.NewRecogniser([16]byte{1, 2, 3})

// scan runs a Scanner over text and gives what it saw.
func scan(t testing.TB, s *Scanner, r io.Reader) ([]Sighting, Summary) {
	t.Helper()
	var out []Sighting
	sum, err := s.Scan("test", r, func(s Sighting) error { out = append(out, s); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(out)) != sum.Sightings {
		t.Fatalf("%d sightings, the summary says %d", len(out), sum.Sightings)
	}
	return out, sum
}

func zip(members ...string) []byte {
	var b bytes.Buffer
	for _, m := range members {
		w := gzip.NewWriter(&b)
		w.Write([]byte(m))
		w.Close()
	}
	return b.Bytes()
}

const (
	eveHead = `{"timestamp":"2025-07-07T12:00:00.000000+0000","event_type":"http","http":{"url":"`
	eveTail = `"}}` + "\n"
)

func TestTokensInEveryAlphabetAndEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom([]token.Alphabet{token.Hex, token.UUID, token.Base62}).Draw(t, "alphabet")
		l := rapid.Uint64().Draw(t, "L")
		plain := a.Encode(rec, l)
		if a != token.Base62 && rapid.Bool().Draw(t, "upper") {
			plain = strings.ToUpper(plain)
		}
		text := written(t, plain)
		log := eveHead + "/a?b=" + text + eveTail
		var got []Sighting
		sum, err := (&Scanner{Rec: rec}).Scan("log", strings.NewReader(log), func(s Sighting) error { got = append(got, s); return nil })
		if err != nil || sum.Format != EVE || sum.BadLines != 0 {
			t.Fatal(sum, err)
		}
		want := What{Token: Token{l, a}}
		if len(got) != 1 || got[0].What != want || !got[0].What.IsToken() || got[0].Field != "http.url" || got[0].Basis != Stated ||
			log[got[0].Offset:][:got[0].Len] != text || got[0].Through == 0 != (text == plain) {
			t.Fatalf("%q: %+v", log, got)
		}
	})
}

func TestPositions(t *testing.T) {
	ind := []Indicator{{Constant, "mark-1", "r1"}, {Host, "c2.example", "r2"}}
	text := "first\r\n\n" + strings.Repeat("x", 300) + " mark-1 " + strings.Repeat("y", 300) + "\r\n" + "mark%2D1 c2.example\nlast c2.example"
	for name, r := range map[string]io.Reader{
		"plain":       strings.NewReader(text),
		"gzip":        bytes.NewReader(zip(text)),
		"two members": bytes.NewReader(zip(text[:111], text[111:])),
		"padded":      bytes.NewReader(append(zip(text), make([]byte, 512)...)),
		"empty ones":  bytes.NewReader(zip("", text, "")),
		"dribbled":    iotest.OneByteReader(strings.NewReader(text)),
		"with an end": iotest.DataErrReader(strings.NewReader(text)),
	} {
		got, sum := scan(t, &Scanner{Indicators: ind}, r)
		if len(got) != 4 || sum.Lines != 5 || sum.Records != 4 || sum.Bytes != int64(len(text)) || sum.Format != Plain || len(sum.Problems) != 0 || sum.Truncated {
			t.Fatalf("%s: %d sightings, %+v", name, len(got), sum)
		}
		for i, want := range []struct {
			line    int64
			as      string
			ref     string
			through Encoding
		}{{3, "mark-1", "r1", 0}, {4, "mark%2D1", "r1", Percent}, {4, "c2.example", "r2", 0}, {5, "c2.example", "r2", 0}} {
			s := got[i]
			if s.Line != want.line || text[s.Offset:][:s.Len] != want.as || s.What.Indicator.Ref != want.ref || s.Through != want.through || s.Source != "test" {
				t.Errorf("%s: sighting %d: %+v", name, i, s)
			}
			if !bytes.Contains(s.Excerpt, []byte(want.as)) || len(s.Excerpt) > MaxExcerpt || bytes.ContainsAny(s.Excerpt, "\n") {
				t.Errorf("%s: excerpt %q", name, s.Excerpt)
			}
		}
		if len(got[0].Excerpt) != MaxExcerpt || bytes.Index(got[0].Excerpt, []byte("mark-1")) != (MaxExcerpt-6)/2 {
			t.Errorf("%s: the excerpt isn't around the match: %q", name, got[0].Excerpt)
		}
	}
}

// How a stream is cut by its reader, by gzip and by MaxLine changes nothing of
// what is seen and where.
func TestCutsDontMatter(t *testing.T) {
	tok := token.Base62.Encode(rec, 77)
	inds := []Indicator{{Constant, "mark-1", ""}, {Host, "c2.example", ""}, {Address, "2001:db8::1", ""}, {Path, "/drop/a.aspx", ""}}
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(
			rapid.SampledFrom([]string{tok, "mark-1", "C2.example", "2001:db8:0::1", "/drop/a.aspx", "mark%2d1", `c2\u002eexample`,
				"%" + strings.Join(strings.Split(fmt.Sprintf("%x", tok), ""), ""), " ", "\n", "\r\n", "%", `\`, `"`, "{", "\x00", "\xff",
				base64.StdEncoding.EncodeToString([]byte("it was " + tok + " and mark%2d1, c2.example.")), "mark&#45;1", `mark\x2d1`,
				"\n2025-07-07T12:00:00Z ", "\n2025-07-08T12:00:00Z ", "\n" + eveHead, eveTail, "\n#Fields: x date time\n", "\n#Date: 2025-07-08\n#Fields: time x x\n", "\na 2025-07-09 12:00:00\n", "12:00:00 "}),
			rapid.Custom(func(t *rapid.T) string {
				return strings.Repeat(rapid.SampledFrom([]string{"a", ".", "%41", `\u0041`, "\n"}).Draw(t, "filler"), rapid.IntRange(1, 3000).Draw(t, "times"))
			}),
			rapid.Custom(func(t *rapid.T) string { return " " + written(t, tok) + " " }),
		)
		text := strings.Join(rapid.SliceOfN(piece, 0, 60).Draw(t, "text"), "")
		var all [][]string
		var whens [2][][]string
		for i, s := range []*Scanner{{Rec: rec, Indicators: inds}, {Rec: rec, Indicators: inds, MaxLine: leastMaxLine}} {
			for _, r := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text)), bytes.NewReader(zip(text[:len(text)/2], text[len(text)/2:]))} {
				var got, when []string
				sum, err := s.Scan("", r, func(s Sighting) error {
					got = append(got, fmt.Sprint(s.Offset, s.Len, s.Line, s.What, s.Through))
					when = append(when, fmt.Sprint(s.Time, s.Basis, s.Field))
					return nil
				})
				lines := int64(strings.Count(text, "\n"))
				if len(text) > 0 && !strings.HasSuffix(text, "\n") {
					lines++
				}
				if err != nil || sum.Bytes != int64(len(text)) || sum.Lines != lines || sum.Truncated && sum.BadLines == 0 {
					t.Fatalf("%d lines: %+v, %v", lines, sum, err)
				}
				all = append(all, got)
				whens[i] = append(whens[i], when)
			}
			for _, when := range whens[i][1:] { // of long lines, only the head is read
				if !slices.Equal(when, whens[i][0]) {
					t.Fatalf("%q\n%q\n%q", text, whens[i][0], when)
				}
			}
		}
		for _, got := range all[1:] {
			if !slices.Equal(got, all[0]) {
				t.Fatalf("%q\n%q", all[0], got)
			}
		}
	})
}

// Wherever in a long line the pieces part, each thing is seen once and at its
// place, and what is glued to other letters is not seen.
func TestPiecesMeet(t *testing.T) {
	tok := token.UUID.Encode(rec, 77)
	all := func(s, format string) string {
		var out strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&out, format, s[i])
		}
		return out.String()
	}
	s := &Scanner{Rec: rec, MaxLine: leastMaxLine, Indicators: []Indicator{
		{Host, "c2.example", ""}, {Address, "2001:db8::1", ""}, {Path, "/drop/a.aspx", ""}}}
	for _, c := range []struct {
		filler, text string
		seen         bool
	}{
		{" ", tok, true},
		{"a", tok, false},
		{"a", tok + " ", false},
		{" ", tok + "a", false},
		{" ", all(all(tok, "%%%02x"), `\u%04x`), true}, // 18 bytes for one
		{"%41", all(tok, "%%%02x"), false},
		{".", "c2.example", true},
		{"-", "c2.example ", false},
		{" ", "c2.example-", false},
		{" ", all("c2.example", "%%25%02x"), true},
		{" ", "2001:db8:0:0::1", true},
		{"f", "2001:db8:0:0::1", false},
		{"=", "/drop/a.aspx", true},
		{" ", "aaaa:2001:db8::1", false},
		{" ", all(all("a", "%%%02x"), `\u%04x`) + "c2.example", false},
	} {
		line := bytes.Repeat([]byte(c.filler), leastMaxLine+1000)
		for at := leastMaxLine - 800; at < leastMaxLine+300; at += len(c.filler) {
			at := at / len(c.filler) * len(c.filler)
			text := append(append(bytes.Clone(line[:at]), c.text...), line[:leastMaxLine/3*3]...)
			n := 0
			_, err := s.Scan("", bytes.NewReader(text), func(got Sighting) error {
				if n++; got.Offset != int64(at) || got.Len != len(strings.TrimSpace(c.text)) {
					t.Errorf("%q at %d: seen at %d, %d bytes", c.text, at, got.Offset, got.Len)
				}
				return nil
			})
			if err != nil || n > 1 || (n == 1) != c.seen {
				t.Fatalf("%q at %d: seen %d times, %v", c.text, at, n, err)
			}
		}
	}
}

func TestNeighbours(t *testing.T) {
	at := func(s string) string { return `{"timestamp":"2025-07-07T` + s + `.000000+0000"}` + "\n" }
	const none = `{"x":"mark!"}` + "\n"
	filler := strings.Repeat("{}\n", reach)
	s := func(times ...string) string { return strings.Join(times, "|") }
	const unknown = "unknown no time"
	in := func(a, b string) string {
		return "2025-07-07T" + a + ".000000Z … 2025-07-07T" + b + ".000001Z between neighbours"
	}
	for _, c := range []struct{ name, log, want string }{
		{"between two", at("12:00:00") + none + at("12:00:05"), in("12:00:00", "12:00:05")},
		{"several", at("12:00:00") + none + "{}\n" + none + at("12:00:05"), s(in("12:00:00", "12:00:05"), in("12:00:00", "12:00:05"))},
		{"nothing after", at("12:00:00") + none, unknown},
		{"nothing before", none + at("12:00:00"), unknown},
		{"out of order", at("12:00:05") + none + at("12:00:00"), unknown},
		{"too far before", at("12:00:00") + filler + none + at("12:00:05"), unknown},
		{"too far after", at("12:00:00") + none + filler + at("12:00:05"), unknown},
		{"just near enough", at("12:00:00") + filler[3:] + none + filler[3:] + at("12:00:05"), in("12:00:00", "12:00:05")},
		{"order is kept", at("12:00:00") + none + strings.Replace(at("12:00:05"), "}", `,"y":"mark!"}`, 1),
			s(in("12:00:00", "12:00:05"), "2025-07-07T12:00:05.000000Z … 2025-07-07T12:00:05.000001Z stated")},
		{"a damaged neighbour with its time", at("12:00:00") + none + strings.TrimSuffix(at("12:00:05"), "}\n") + "\n", in("12:00:00", "12:00:05")},
		{"W3C", "#Fields: date time x\n2025-07-07 12:00:00 x\n- - mark!\n2025-07-07 12:00:05 x\n",
			"2025-07-07T12:00:00.000000Z … 2025-07-07T12:00:06.000000Z between neighbours"},
		{"W3C, other fields before", "#Fields: date time x\n2025-07-07 12:00:00 x\n#Fields: x date time\nmark! - -\n0 2025-07-07 12:00:05\n",
			"2025-07-07T12:00:00.000000Z … 2025-07-07T12:00:06.000000Z between neighbours"},
		{"before the format was known", "2025-07-07T12:00:00Z a\n#Fields: x date time\nmark! - -\n0 2025-07-07 12:00:05\n", unknown},
		{"plain", "2025-07-07T12:00:00Z a\n mark!\n2025-07-07T12:00:05Z b\n",
			"2025-07-07T12:00:00.000000Z … 2025-07-07T12:00:06.000000Z between neighbours"},
		{"plain without a zone is no time", "2025-07-07T12:00:00 mark!\n", unknown},
		{"plain, stated", "2025-07-07T12:00:00.5+01:00 mark!\n", "2025-07-07T11:00:00.500000Z … 2025-07-07T11:00:00.600000Z stated"},
	} {
		for _, small := range []bool{false, true} {
			var r io.Reader = strings.NewReader(c.log)
			if small {
				r = iotest.OneByteReader(r) // neighbours in other chunks
			}
			got, _ := scan(t, &Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}}, r)
			var times []string
			for _, s := range got {
				times = append(times, s.Time.String()+" "+s.Basis.String())
			}
			if s(times...) != c.want {
				t.Errorf("%s: got %s, want %s", c.name, s(times...), c.want)
			}
		}
	}
	// More than may wait.
	got, _ := scan(t, &Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}},
		strings.NewReader(at("12:00:00")+`{"x":"`+strings.Repeat("mark! ", maxHeld+10)+`"}`+"\n"+at("12:00:05")))
	if len(got) != maxHeld+10 || got[0].Basis != NoTime || got[maxHeld+9].Basis != Neighbours {
		t.Errorf("%d sightings", len(got))
	}
}

func TestDamagedInput(t *testing.T) {
	good := eveHead + "mark!" + eveTail
	many := strings.Repeat(good, 1000)
	noise := make([]byte, 3000) // that deflate can't shrink
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x>>24) | 0x80
	}
	packed := zip(many + string(noise))
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1 // in the length and checksum behind the data
	for _, c := range []struct {
		name      string
		in        []byte
		least     int // sightings
		class     error
		says      string
		truncated bool
	}{
		{"cut gzip", packed[:len(packed)-1000], 900, ErrTruncated, "ends in the middle", true},
		{"gzip cut in its header", packed[:5], 0, ErrTruncated, "ends in the middle", true},
		{"gzip with a bad header", []byte{0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, 0, ErrTruncated, "damaged", true},
		{"flipped gzip", flipped, 1000, ErrTruncated, "damaged", true},
		{"second member cut", append(zip(good), packed[:20]...), 1, ErrTruncated, "ends in the middle", true},
		{"second member has no header", append(zip(good), 0x1f, 0x8b), 1, ErrTruncated, "ends in the middle", true},
		{"something behind gzip", append(zip(good), "plain\n"...), 1, ErrTruncated, "member 1 is no gzip", true},
		{"gzip in gzip", zip(string(zip(string(zip(good))))), 1, nil, "", false},
		{"gzip four deep", zip(string(zip(string(zip(string(zip(good))))))), 0, ErrMalformed, "gzip once more", false},
		{"cut gzip in gzip", zip(string(packed[:len(packed)-1000])), 900, ErrTruncated, "ends in the middle", true},
		{"a record cut by the end", []byte(good + eveHead + "mark!"), 2, ErrMalformed, "ends early", true},
		{"a record cut by a newline", []byte(eveHead + "mark!\n" + good), 2, ErrMalformed, "ends early", false},
		{"a line that is none", []byte(good + "mark!\n" + good), 3, ErrMalformed, "no JSON object", false},
		{"deep nesting", []byte(good + `{"mark!":` + strings.Repeat(`{"a":`, 100_000) + "}\n" + good), 3, ErrMalformed, "deeper", false},
		{"NUL and bytes that are no UTF-8", []byte(good + "\x00\xff\xfe mark! \x00\n" + good), 3, ErrMalformed, "no JSON object", false},
		{"UTF-16", wide(good + "€ mark!"), 2, ErrMalformed, "no JSON object", true},
		{"nothing", nil, 0, nil, "", false},
		{"newlines", []byte("\n\r\n\n"), 0, nil, "", false},
	} {
		got, sum := scan(t, &Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}}, bytes.NewReader(c.in))
		if len(got) < c.least {
			t.Errorf("%s: %d sightings kept, want %d", c.name, len(got), c.least)
		}
		if sum.Truncated != c.truncated || c.class == nil != (len(sum.Problems) == 0) {
			t.Errorf("%s: %+v", c.name, sum)
			continue
		}
		if c.class != nil {
			i := max(0, slices.IndexFunc(sum.Problems, func(p Problem) bool { return p.Class == c.class }))
			p := sum.Problems[i]
			if !errors.Is(p.Class, c.class) || !strings.Contains(p.What, c.says) || p.Kept == "" || p.Offset > sum.Bytes {
				t.Errorf("%s: %s", c.name, p)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	inds := []Indicator{{Constant, "mark!", ""}}
	stop, broken := errors.New("stop"), errors.New("disk on fire")
	text := strings.Repeat(eveHead+"mark!"+eveTail, 3)
	for name, in := range map[string][]byte{"plain": []byte(text), "gzip": zip(text)} {
		n := 0
		sum, err := (&Scanner{Indicators: inds}).Scan("", bytes.NewReader(in), func(Sighting) error {
			if n++; n == 2 {
				return stop
			}
			return nil
		})
		if err != stop || n != 2 || sum.Sightings != 2 {
			t.Errorf("%s: %v after %d, %+v", name, err, n, sum)
		}
		n = 0
		half := io.MultiReader(bytes.NewReader(in[:len(in)-3]), iotest.ErrReader(broken))
		sum, err = (&Scanner{Indicators: inds}).Scan("", half, func(Sighting) error { n++; return nil })
		if !errors.Is(err, ErrInput) || !errors.Is(err, broken) || !sum.Truncated || name == "plain" && n != 3 {
			t.Errorf("%s: %v after %d, %+v", name, err, n, sum)
		}
	}
	if _, err := (&Scanner{}).Scan("", stuck{}, nil); !errors.Is(err, ErrInput) || !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	for _, s := range []*Scanner{{MaxLine: 1}, {MaxLine: -1}, {MaxLine: 1 << 40}, {Clock: Clock{Skew: -1}}, {Clock: Clock{Lag: -1}}, {MaxExpand: Expand{Ratio: -1}}} {
		if _, err := s.Scan("", strings.NewReader(text), nil); !errors.Is(err, ErrScanner) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	// Problems are listed to a limit and counted above it.
	_, sum := scan(t, &Scanner{}, strings.NewReader("{}\n"+strings.Repeat("x\n", MaxProblems+5)))
	if len(sum.Problems) != MaxProblems || sum.Unlisted != 5 || sum.BadLines != MaxProblems+5 {
		t.Errorf("%d listed, %d not, %d bad lines", len(sum.Problems), sum.Unlisted, sum.BadLines)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// repeat gives a text over and over, n bytes in all.
type repeat struct {
	text []byte
	at   int
	n    int64
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), r.n)]
	for done := 0; done < len(p); {
		n := copy(p[done:], r.text[r.at:])
		done += n
		r.at = (r.at + n) % len(r.text)
	}
	r.n -= int64(len(p))
	return len(p), nil
}

// wide is s in UTF-16, the low byte first, with a mark.
func wide(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// peak runs f and gives the most heap that was in use meanwhile, above what
// was before.
func peak(f func()) uint64 {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var high uint64
		for {
			runtime.ReadMemStats(&now)
			high = max(high, now.HeapInuse)
			select {
			case <-done:
				most <- high
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	return max(<-most, before.HeapInuse) - before.HeapInuse
}

func TestEndlessLinesTakeNoMemory(t *testing.T) {
	tok := token.Hex.Encode(rec, 9)
	blank := bytes.Repeat([]byte(" "), 64<<10)
	for _, c := range []struct {
		name   string
		filler string
		n      int64
		gzip   bool
	}{
		{"a line of 1 GB", string(blank), 1 << 30, false},
		{"NULs", string(make([]byte, 64<<10)), 16 << 20, false},
		{"escapes without end", `\u0041%41%2541\"`, 8 << 20, false},
		{"brackets without end", `{"a":[`, 8 << 20, false},
		{"base64 without end", "ISEhISEhISEhISEhISEhISEhISEh", 8 << 20, false},
		{"base64 in words", "IHRoaXMgaXMgc29tZSB0ZXh0Cg ", 8 << 20, false},
		{"references without end", "&#65;&amp;&lt ", 8 << 20, false},
	} {
		filler := &repeat{text: []byte(c.filler), n: c.n}
		text := io.MultiReader(strings.NewReader(eveHead+tok+" mark! "), filler,
			strings.NewReader(" "+tok+" mark!"+eveTail+eveHead+"mark!"+eveTail))
		if testing.Short() && c.n > 1<<26 {
			filler.n = 1 << 26
		}
		s := &Scanner{Rec: rec, Indicators: []Indicator{{Constant, "mark!", ""}}}
		var got []Sighting
		var sum Summary
		high := peak(func() { got, sum = scan(t, s, text) })
		if high > 64<<20 {
			t.Errorf("%s: %d MB in use", c.name, high>>20)
		}
		if len(got) != 5 || sum.LongLines != 1 || sum.Lines != 2 || len(sum.Problems) != 1 || sum.Problems[0].Class != ErrLong {
			t.Fatalf("%s: %d sightings, %+v", c.name, len(got), sum)
		}
		for i, s := range got {
			if want := int64(1 + i/(len(got)-1)); s.Line != want || s.Basis != Stated || !s.Time.Contains(utc("2025-07-07T12:00:00Z")) {
				t.Errorf("%s: sighting %d: %+v", c.name, i, s)
			}
		}
	}
}

// Lines that say how to read others may come at every line, and be long.
func TestDirectivesAtEveryLine(t *testing.T) {
	for name, line := range map[string]string{
		"W3C":  "#Fields: date time x" + strings.Repeat(" f", 200) + "\n2025-07-07 12:00:00 mark!" + strings.Repeat(" v", 200) + "\n",
		"Zeek": "#fields\tts\tx" + strings.Repeat("\tf", 200) + "\n1751889600.5\tmark!" + strings.Repeat("\tv", 200) + "\n",
		"long": "#fields\t" + strings.Repeat("f", 100_000) + "\nmark!\n",
	} {
		n := min(4_000, 8<<20/len(line))
		s := &Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}}
		seen, timed := 0, 0
		var err error
		high := peak(func() {
			_, err = s.Scan("", &repeat{text: []byte(line), n: int64(n * len(line))}, func(s Sighting) error {
				if seen++; s.Basis == Stated && s.Field == "x" {
					timed++
				}
				return nil
			})
		})
		if err != nil || seen != n || name != "long" && timed != n || high > 64<<20 {
			t.Errorf("%s: %d of %d seen, %d with a time, %d MB in use, %v", name, seen, n, timed, high>>20, err)
		}
	}
}

func TestBombs(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte("mark!\n"))
	io.Copy(w, &repeat{text: make([]byte, 64<<10), n: 64 << 20})
	w.Close()
	bomb := b.Bytes()
	inds := []Indicator{{Constant, "mark!", ""}}
	for _, c := range []struct {
		name  string
		limit Expand
		bomb  bool
		most  int64
	}{
		{"by default", Expand{}, false, 65 << 20},
		{"by ratio", Expand{Above: 16 << 20}, true, 20 << 20},
		{"by size", Expand{Ratio: 2000, Bytes: 1 << 20}, true, 1<<20 + int64(len(bomb)) + 1},
		{"allowed", Expand{Ratio: 2000}, false, 65 << 20},
	} {
		got, sum := scan(t, &Scanner{Indicators: inds, MaxExpand: c.limit}, bytes.NewReader(bomb))
		found := slices.ContainsFunc(sum.Problems, func(p Problem) bool { return p.Class == ErrBomb })
		if len(got) != 1 || found != c.bomb || sum.Truncated != c.bomb || sum.Bytes > c.most {
			t.Errorf("%s: %d sightings, %+v", c.name, len(got), sum)
		}
	}
}

// A line full of hits is read once, not once for each.
func TestManyHitsInALine(t *testing.T) {
	text := eveHead + strings.Repeat("mark! ", 150_000) + eveTail
	n := 0
	sum, err := (&Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}}).Scan("", strings.NewReader(text), func(s Sighting) error {
		if n++; s.Field != "http.url" {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	if err != nil || n != 150_000 {
		t.Fatal(n, sum, err)
	}
}

func FuzzScan(f *testing.F) {
	tok := token.UUID.Encode(rec, 5)
	f.Add([]byte(eveHead + tok + eveTail + "{\n"))
	f.Add([]byte("#Date: 2025-07-07\n#Fields: time x\n12:00:00 mark!\n" + tok + "\n"))
	f.Add(zip(eveHead+"mark!"+eveTail, "mark%21\n"))
	f.Add([]byte("2025-07-07T12:00:00Z mark!\n192%2e0.2.1 c2.example /drop/a\\u002easpx"))
	f.Add(frames(f, 1<<20, eveHead+"mark!"+eveTail, "mark&excl;\n"))
	f.Add(wide(zeekHead + "1751889600.5\tC1\tmark!\tx\ty\t-\n"))
	f.Add([]byte("192.0.2.1 - - [07/Jul/2025:12:00:00 +0200] \"GET /mark! HTTP/1.1\" 200 1\n"))
	f.Add([]byte("<34>Oct 11 22:14:15 h su: TmFtZXM6IG1hcmshIGFuZCBjMi5leGFtcGxlIQ==\n"))
	inds := []Indicator{{Constant, "mark!", ""}, {Host, "c2.example", ""}, {Address, "192.0.2.1", ""}, {Address, "2001:db8::1", ""}, {Path, "/drop/a.aspx", ""}}
	f.Fuzz(func(t *testing.T, b []byte) {
		asItStands := packingOf(b) == nil && !bytes.HasPrefix(b, []byte("\xff\xfe")) && !bytes.HasPrefix(b, []byte("\xfe\xff"))
		var last int64
		s := &Scanner{Rec: rec, Indicators: inds, MaxLine: leastMaxLine, MaxExpand: Expand{Bytes: 1 << 22}}
		sum, err := s.Scan("", bytes.NewReader(b), func(s Sighting) error {
			if s.Offset < last || s.Len <= 0 || s.Line < 1 || len(s.Excerpt) > MaxExcerpt || s.Time.Known() != (s.Basis != NoTime) || s.Time.To.Before(s.Time.From) {
				t.Fatalf("%+v", s)
			}
			if end := s.Offset + int64(s.Len); asItStands && (end > int64(len(b)) || int64(bytes.Count(b[:s.Offset], []byte("\n")))+1 != s.Line) {
				t.Fatalf("%+v", s)
			}
			last = s.Offset
			return nil
		})
		if err != nil || asItStands && sum.Bytes != int64(len(b)) {
			t.Fatalf("%+v, %v", sum, err)
		}
	})
}
