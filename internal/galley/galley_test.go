package galley

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"forewarn/internal/carrier"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wear"
)

// example is the example's Form and one copy of it.
func example(t *testing.T) (*form.Form, []form.Output) {
	t.Helper()
	src, err := folder.LoadSource("../../examples/advisory")
	if err != nil {
		t.Fatal(err)
	}
	f, _, _, err := carrier.Compile(src, fpcode.Key{1})
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	symbols := map[fpcode.SiteID]uint8{}
	for _, s := range f.Sites {
		symbols[s.ID] = uint8(dice.IntN(int(s.Q)))
	}
	return f, f.Render(form.PoC, func(s form.Site) uint8 { return symbols[s.ID] }, func(_ string, a token.Alphabet) string { return strings.Repeat("7", a.Len()) })
}

func sheet(t *testing.T, f *form.Form, specimens ...form.Specimen) *Sheet {
	t.Helper()
	r, err := form.ReadVersion(f, form.Align2, specimens)
	if err != nil {
		t.Fatal(err)
	}
	return &Sheet{Title: "The package", Form: f, Specimens: specimens, Readings: &r}
}

func advisory(outs []form.Output) string {
	for _, o := range outs {
		if o.Path == "advisory.md" {
			return string(o.Data)
		}
	}
	panic("no advisory")
}

func pageOf(t *testing.T, s *Sheet) string {
	t.Helper()
	b, err := s.Page()
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Page()
	if err != nil || string(again) != string(b) {
		t.Error("the same sheet gives another page")
	}
	return string(b)
}

var (
	tags  = regexp.MustCompile(`<sup>.*?</sup>|<[^>]*>`)
	shape = regexp.MustCompile(`<span class="shape [a-z]+" aria-hidden="true">.</span>`)
	pre   = regexp.MustCompile(`(?s)<pre>(.*?)</pre>`)
)

// shown is the text of the nth specimen as the page shows it.
func shown(page string, n int) string {
	s := pre.FindAllStringSubmatch(page, -1)[n][1]
	s = tags.ReplaceAllString(shape.ReplaceAllString(s, ""), "")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(s)
}

// The text is shown whole, every span of every reading is marked in it, and the
// counts are those of the readings.
func TestPage(t *testing.T) {
	f, outs := example(t)
	text := advisory(outs)
	s := sheet(t, f, form.Specimen{Name: "third.txt", Data: []byte(text[:len(text)/3])}, form.Specimen{Name: "other.txt", Data: []byte(text[len(text)/2:])})
	page := pageOf(t, s)
	if got := shown(page, 0); got != text[:len(text)/3] {
		t.Errorf("the first specimen is shown as\n%s", got)
	}
	spans, value := 0, 0
	for _, r := range s.Readings.Sites {
		spans += len(r.Spans)
		if r.State == fpcode.Value {
			value++
		}
	}
	if got := strings.Count(page, "<mark "); got != spans || spans < 100 {
		t.Errorf("%d marks, %d spans", got, spans)
	}
	if got := strings.Count(page, `<tr id="n`); got != len(f.Sites) {
		t.Errorf("%d rows for %d places", got, len(f.Sites))
	}
	for _, id := range regexp.MustCompile(`href="#([np]\d+)"`).FindAllStringSubmatch(page, -1) {
		if strings.Count(page, `id="`+id[1]+`"`) != 1 {
			t.Fatalf("nothing, or more than one thing, is %s", id[1])
		}
	}
	if !strings.Contains(page, "places that are in no specimen") || strings.Contains(page, "<script") || !strings.Contains(page, "default-src 'none'") {
		t.Error("the page's frame is not as it should be")
	}
}

func TestPageStates(t *testing.T) {
	f, outs := example(t)
	text := advisory(outs)
	w, _ := wear.Find("retype-10")
	worn := w.Apply(rand.New(rand.NewPCG(3, 3)), outs)
	s := sheet(t, f, append(worn.Specimens, form.Specimen{Name: "<b>\u202e.txt", Data: []byte("<script>alert(1)</script>\x1b[31m" + text[:900])})...)
	page := pageOf(t, s)
	for _, want := range []string{`class="doubt"`, `class="other"`, `class="read"`, "nats less likely", "something else", "read, with doubt"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page shows no %s", want)
		}
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "\x1b") || strings.Contains(page, "\u202e") || strings.Contains(page, "<b>\ufffd") {
		t.Error("what was found acts upon the page")
	}
}

func TestPageEdits(t *testing.T) {
	f, outs := example(t)
	s := sheet(t, f, form.Specimen{Name: "a", Data: []byte(advisory(outs))})
	plain := pageOf(t, s)
	var site form.SiteReading
	for _, r := range s.Readings.Sites {
		if r.State == fpcode.Value && r.Q == 3 {
			site = r
		}
	}
	s.Edits = &form.Edits{Of: s.Readings.Hash(), List: []form.Edit{{Site: site.Site, State: fpcode.Other, By: "ina", Why: "it is <struck> out"}}}
	page := pageOf(t, s)
	for _, want := range []string{"✎ by ina: it is &lt;struck&gt; out", "The reader: read “", "and 1 edit by hand", "Readings with the edits"} {
		if !strings.Contains(page, want) || strings.Contains(plain, want) {
			t.Errorf("%s: with edits %v, without %v", want, strings.Contains(page, want), strings.Contains(plain, want))
		}
	}
	if strings.Count(page, "✎<a") != len(site.Spans) {
		t.Error("the edited passage is not marked as such")
	}
	s.Edits.Of[0] ^= 1
	if _, err := s.Page(); !errors.Is(err, form.ErrEdits) {
		t.Errorf("edits of other readings: %v", err)
	}
}

func TestPageMismatch(t *testing.T) {
	f, outs := example(t)
	for name, spoil := range map[string]func(*Sheet){
		"another specimen": func(s *Sheet) { s.Specimens[0].Data = []byte("x") },
		"one less":         func(s *Sheet) { s.Specimens = nil },
		"another Form":     func(s *Sheet) { s.Readings.Form[0] ^= 1 },
	} {
		s := sheet(t, f, form.Specimen{Name: "a", Data: []byte(advisory(outs))})
		spoil(s)
		if _, err := s.Page(); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A long specimen is shown around its marks; UTF-16 is shown as text.
func TestPageLong(t *testing.T) {
	f, outs := example(t)
	text := advisory(outs)[:3000]
	long := strings.Repeat("The weather was fine that day. ", 4000)
	s := sheet(t, f, form.Specimen{Name: "long", Data: []byte(long + text + long)})
	page := pageOf(t, s)
	if len(page) > 600_000 || strings.Count(page, "bytes without a mark") != 2 || !strings.Contains(shown(page, 0), "Anyone who") && !strings.Contains(shown(page, 0), "Whoever") && !strings.Contains(shown(page, 0), "Any person who") {
		t.Errorf("%d bytes, %d cuts", len(page), strings.Count(page, "bytes without a mark"))
	}
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	if got := shown(pageOf(t, sheet(t, f, form.Specimen{Name: "wide", Data: wide})), 0); got != text {
		t.Errorf("UTF-16 is shown as\n%s", got)
	}
	none := pageOf(t, sheet(t, f, form.Specimen{Name: "none", Data: []byte("nothing of it")}))
	if !strings.Contains(none, "No passage of the package was found") || strings.Contains(none, "<mark") {
		t.Error("a specimen without a mark")
	}
}

// TestLook writes a page to look at, into the folder that LOOK_DIR names.
func TestLook(t *testing.T) {
	dir := os.Getenv("LOOK_DIR")
	if dir == "" {
		t.Skip("LOOK_DIR names no folder")
	}
	f, outs := example(t)
	w, _ := wear.Find("retype-5")
	worn := w.Apply(rand.New(rand.NewPCG(3, 3)), outs)
	text := ""
	for _, x := range worn.Specimens {
		if x.Name == "advisory.md" {
			text = string(x.Data)
		}
	}
	s := sheet(t, f, form.Specimen{Name: "paste.txt", Data: []byte(text[2000:9000])}, form.Specimen{Name: "rules.txt", Data: outs[len(outs)-1].Data})
	s.Edits = &form.Edits{Of: s.Readings.Hash()}
	for _, r := range s.Readings.Sites {
		if r.State == fpcode.Other && len(s.Edits.List) < 2 {
			s.Edits.List = append(s.Edits.List, form.Edit{Site: r.Site, State: fpcode.Value, By: "ina", Why: "two letters are swapped, it can be nothing else"})
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "galley.html"), []byte(pageOf(t, s)), 0o644); err != nil {
		t.Fatal(err)
	}
}
