package form

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
)

var trials = flag.Int("form.trials", 1, "copies per row of the survival table")

// A mangler does to a text what happens to leaked texts.
type mangler struct {
	name string
	do   func(dice *rand.Rand, outs, others []Output) []Specimen
	// Bounds that the test holds it to, as shares of the sites that could be
	// read: at least right, at most wrong (1/32 is what decoding allows for).
	right, wrong float64
}

// each mangles every file by itself.
func each(f func(*rand.Rand, string) string) func(*rand.Rand, []Output, []Output) []Specimen {
	return func(dice *rand.Rand, outs, _ []Output) (s []Specimen) {
		for _, o := range outs {
			s = append(s, Specimen{o.Path, []byte(f(dice, string(o.Data)))})
		}
		return s
	}
}

func prose(outs []Output) string {
	for _, o := range outs {
		if o.Path == "advisory.md" {
			return string(o.Data)
		}
	}
	panic("no advisory.md")
}

var manglers = []mangler{
	{"untouched", each(func(_ *rand.Rand, s string) string { return s }), 1, 0},
	{"one paste of all files", func(_ *rand.Rand, outs, _ []Output) []Specimen {
		var b []byte
		for _, o := range outs {
			b = append(b, o.Data...)
		}
		return []Specimen{{"paste", b}}
	}, .99, 0},
	{"re-wrapped", each(rewrap), .99, 0},
	{"re-wrapped and hyphenated", each(hyphenate), .99, 0},
	{"case folded", each(func(_ *rand.Rand, s string) string { return strings.ToUpper(s) }), .99, 0},
	{"quotes and dashes", each(typographic), .99, 0},
	{"HTML", each(toHTML), .97, .002},
	{"accents, look-alikes, zero width", each(lookAlike), .97, .002},
	{"1 % character errors", each(charErrors(.01)), .98, .003},
	{"5 % character errors", each(charErrors(.05)), .94, .005},
	{"10 % character errors", each(charErrors(.10)), .85, .01},
	{"OCR noise 3 %", each(ocr(.03)), .95, .005},
	{"OCR noise 8 %, re-wrapped", each(func(d *rand.Rand, s string) string { return rewrap(d, ocr(.08)(d, s)) }), .85, .01},
	{"contiguous third of the prose", third(func(_ *rand.Rand, s string) string { return s }), .20, .001},
	{"third, 5 % errors", third(charErrors(.05)), .18, .005},
	{"sentences shuffled", each(shuffleSentences), .85, .005},
	{"every other sentence dropped", each(dropSentences), .35, .005},
	{"words inserted", each(insertWords), .93, .005},
	{"synonyms of other words", each(replaceWords), .80, .005},
	{"lists sorted", each(sortLines), .9, 1. / 32},
}

// TestSurvival holds the reader to what doc/spec/form.md says of it. With
// -form.trials=200 -v it prints the table.
func TestSurvival(t *testing.T) {
	f := advisory(t)
	for _, version := range ReaderVersions {
		t.Run(version, func(t *testing.T) { testSurvival(t, f, version) })
	}
}

func testSurvival(t *testing.T, f *Form, version string) {
	reader, err := NewReaderVersion(f, version)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range manglers {
		t.Run(m.name, func(t *testing.T) {
			var n tally
			for trial := range *trials {
				dice := rand.New(rand.NewPCG(uint64(trial), uint64(i)))
				with := symbols(f, dice)
				r := reader.Read(m.do(dice, render(f, with, dice.Uint64()), nil))
				n.add(r, with, nil)
			}
			all := float64(n.right + n.wrong + n.other + n.erased)
			t.Logf("%-34s right %5.1f %% (soft %4.1f %%)  wrong %6.3f %%  other %5.2f %%  erased %5.1f %%  wrong of read %6.3f %%", m.name,
				100*float64(n.right)/all, 100*float64(n.soft)/all, 100*float64(n.wrong)/all, 100*float64(n.other)/all, 100*float64(n.erased)/all,
				100*float64(n.wrong)/max(1, float64(n.right+n.wrong)))
			if float64(n.right) < m.right*all || float64(n.wrong) > m.wrong*all {
				t.Errorf("%+v: want right ≥ %.2f, wrong ≤ %.3f of %v", n, m.right, m.wrong, all)
			}
		})
	}
}

func rewrap(dice *rand.Rand, s string) string {
	width := 40 + dice.IntN(60)
	var b strings.Builder
	col := 0
	for _, w := range strings.Fields(s) {
		if col+len(w) > width {
			b.WriteString("\r\n  ")
			col = 0
		}
		b.WriteString(w)
		b.WriteByte(' ')
		col += len(w) + 1
	}
	return b.String()
}

func hyphenate(dice *rand.Rand, s string) string {
	var b strings.Builder
	for i, w := range strings.Fields(s) {
		if len(w) > 6 && i%7 == 0 {
			w = w[:4] + "-\n" + w[4:]
		}
		b.WriteString(w)
		b.WriteByte(' ')
	}
	return rewrap(dice, b.String())
}

func typographic(_ *rand.Rand, s string) string {
	return strings.NewReplacer("\"", "“", "'", "’", "-", "–", "...", "…", " ", "\u00a0").Replace(s)
}

func toHTML(dice *rand.Rand, s string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html><body class=\"post\">")
	for _, line := range strings.Split(s, "\n") {
		b.WriteString(`<p style="margin: 0">`)
		for _, w := range strings.Fields(line) {
			w = html.EscapeString(w)
			switch dice.IntN(12) {
			case 0:
				w = "<em>" + w + "</em>"
			case 1:
				w = `<span class="w">` + w[:1] + "</span>" + w[1:]
			}
			b.WriteString(w + "&nbsp;")
		}
		b.WriteString("</p>\n")
	}
	return b.String()
}

func lookAlike(dice *rand.Rand, s string) string {
	like := strings.NewReplacer("a", "а", "e", "é", "o", "ο", "i", "і", "fi", "ﬁ")
	var b strings.Builder
	for _, r := range s {
		switch c := string(r); dice.IntN(6) {
		case 0:
			b.WriteString(like.Replace(c))
		case 1:
			b.WriteString(c + "\u200b")
		default:
			b.WriteString(c)
		}
	}
	return b.String()
}

// charErrors substitutes, drops and doubles letters and digits as a person does
// who types from a picture; p is the chance for each character.
func charErrors(p float64) func(*rand.Rand, string) string {
	return func(dice *rand.Rand, s string) string {
		b := make([]byte, 0, len(s))
		for i := 0; i < len(s); i++ {
			if dice.Float64() >= p {
				b = append(b, s[i])
				continue
			}
			switch dice.IntN(3) {
			case 0:
				b = append(b, byte('a'+dice.IntN(26)))
			case 1:
				b = append(b, s[i], byte('a'+dice.IntN(26)))
			}
		}
		return string(b)
	}
}

// ocr confuses what scanners confuse, and now and then loses or joins.
func ocr(p float64) func(*rand.Rand, string) string {
	like := map[byte]string{'l': "1", '1': "l", 'i': "l", 'o': "0", '0': "O", 'm': "rn", 'n': "ri", 'e': "c", 'c': "e", 'h': "b", 'b': "6", 's': "5",
		'5': "S", 'g': "9", 'u': "ii", 'w': "vv", 'd': "cl", 't': "f", 'f': "t", 'a': "o", 'r': "t", ' ': "", 'v': "y"}
	return func(dice *rand.Rand, s string) string {
		var b strings.Builder
		for i := 0; i < len(s); i++ {
			if to, ok := like[s[i]]; ok && dice.Float64() < p {
				b.WriteString(to)
			} else {
				b.WriteByte(s[i])
			}
		}
		return b.String()
	}
}

func third(then func(*rand.Rand, string) string) func(*rand.Rand, []Output, []Output) []Specimen {
	return func(dice *rand.Rand, outs, _ []Output) []Specimen {
		s := prose(outs)
		from := dice.IntN(len(s) * 2 / 3)
		return []Specimen{{"excerpt", []byte(then(dice, s[from:from+len(s)/3]))}}
	}
}

var sentence = regexp.MustCompile(`(?s).*?(?:[.:]\s+|\n\n|\n- |$)`)

func shuffleSentences(dice *rand.Rand, s string) string {
	all := sentence.FindAllString(s, -1)
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return strings.Join(all, "\n")
}

func dropSentences(dice *rand.Rand, s string) string {
	var b strings.Builder
	for _, x := range sentence.FindAllString(s, -1) {
		if dice.IntN(2) == 0 {
			b.WriteString(x)
		}
	}
	return b.String()
}

func insertWords(dice *rand.Rand, s string) string {
	extra := strings.Fields("indeed basically also really perhaps as we know of course in fact")
	var b strings.Builder
	for _, w := range strings.SplitAfter(s, " ") {
		b.WriteString(w)
		if dice.IntN(12) == 0 {
			b.WriteString(extra[dice.IntN(len(extra))] + " ")
		}
	}
	return b.String()
}

func replaceWords(dice *rand.Rand, s string) string {
	var b strings.Builder
	for _, w := range strings.SplitAfter(s, " ") {
		if len(w) > 4 && dice.IntN(12) == 0 {
			w = "elsewise "
		}
		b.WriteString(w)
	}
	return b.String()
}

func sortLines(_ *rand.Rand, s string) string {
	lines := strings.SplitAfter(s, "\n")
	for i := 0; i < len(lines); i++ {
		j := i
		for j < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[j]), "-") {
			j++
		}
		for k := i; k < j; k++ {
			for m := k + 1; m < j; m++ {
				if lines[m] < lines[k] {
					lines[k], lines[m] = lines[m], lines[k]
				}
			}
		}
	}
	return strings.Join(lines, "")
}

// TestMerge: two copies merged sentence by sentence read as one or the other.
func TestMerge(t *testing.T) {
	f := advisory(t)
	for _, version := range ReaderVersions {
		t.Run(version, func(t *testing.T) { testMerge(t, f, version) })
	}
}

func testMerge(t *testing.T, f *Form, version string) {
	reader, err := NewReaderVersion(f, version)
	if err != nil {
		t.Fatal(err)
	}
	var sites, same, either, other, erased, wrong int
	for trial := range *trials {
		dice := rand.New(rand.NewPCG(uint64(trial), 99))
		a, b := symbols(f, dice), symbols(f, dice)
		x := sentence.FindAllString(prose(render(f, a, 1)), -1)
		y := sentence.FindAllString(prose(render(f, b, 2)), -1)
		if len(x) != len(y) {
			t.Fatal("sentences differ")
		}
		var merged strings.Builder
		for i := range x {
			if dice.IntN(2) == 0 {
				merged.WriteString(x[i])
			} else {
				merged.WriteString(y[i])
			}
		}
		r := reader.Read([]Specimen{{"merged", []byte(merged.String())}})
		for _, s := range r.Sites {
			if !inFile(f, s.Site, "advisory.md") {
				continue
			}
			sites++
			symbol, nats := s.Likeliest()
			switch {
			case s.State == fpcode.Erased, s.State == fpcode.Value && nats == 0:
				erased++
			case s.State == fpcode.Other:
				other++
			case symbol == a[s.Site] && symbol == b[s.Site]:
				same++
			case symbol == a[s.Site] || symbol == b[s.Site]:
				either++
			default:
				wrong++
			}
		}
	}
	t.Logf("%d sites: both copies' %d, one's %d, neither's %d, other %d, erased %d", sites, same, either, wrong, other, erased)
	if wrong*32 > sites || same+either < sites*8/10 {
		t.Error("a merge is not read")
	}
}

func inFile(f *Form, id fpcode.SiteID, path string) bool {
	for _, file := range f.Files {
		for _, p := range file.Parts {
			if file.Path == path && p.Kind == Choice && f.Sites[p.Site].ID == id {
				return true
			}
		}
	}
	return false
}

// TestUnrelated: text that is none of the package's reads almost nothing.
func TestUnrelated(t *testing.T) {
	f := advisory(t)
	reader := NewReader(f)
	var b bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&b, "%s ", unrelated[i%len(unrelated)])
	}
	r := reader.Read([]Specimen{{"unrelated", b.Bytes()}})
	if v, o, _ := r.Count(); v+o > 0 {
		t.Errorf("%d values and %d others in unrelated text", v, o)
	}
}

var unrelated = strings.SplitAfter(`An attacker who is able to reach the management interface could exploit this vulnerability to execute arbitrary code. `+
	`Customers are advised to upgrade to a fixed release as soon as possible. There are no workarounds that address this issue. `+
	`The vulnerability is due to insufficient validation of user-supplied input. We are not aware of any public announcements or malicious use. `+
	`It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness. `, ". ")

var corpus = flag.String("form.corpus", "", "a folder of texts that have nothing to do with the package")

// TestCorpus reads every file of a folder and counts what it should not find.
func TestCorpus(t *testing.T) {
	if *corpus == "" {
		t.Skip("give a folder of unrelated texts with -form.corpus")
	}
	reader := NewReader(advisory(t))
	var bytes, count, values, others int
	err := filepath.WalkDir(*corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := reader.Read([]Specimen{{path, b}})
		v, o, _ := r.Count()
		bytes, count, values, others = bytes+len(b), count+1, values+v, others+o
		for _, s := range r.Sites {
			for _, p := range s.Spans {
				t.Logf("%s: %v: …%s…", path, s.State, b[max(0, int(p.Offset)-50):min(len(b), int(p.Offset+p.Length)+50)])
			}
		}
		return nil
	})
	t.Logf("%d files, %d bytes: %d values, %d others", count, bytes, values, others)
	if err != nil || values > count/20+1 {
		t.Errorf("%v; %d values", err, values)
	}
}
