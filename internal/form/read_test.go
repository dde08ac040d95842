package form

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"forewarn/internal/fpcode"
)

// story is a short text with one of each difficulty.
const story = `The portal unpacks a layout package {{before|ahead of}} the session check, so that anybody may place a file.
{{Until the update arrives|Meanwhile}}, administrators should close the import page and look for {{strange|odd|unusual}} templates.
The fault was {{very |}}easy to find, and the {{quick|quickly}} made repair did not hold for long.

Watch for these signs in the log:

<!-- order -->
- a request without a session
- a reply within a moment
- a theme that nobody made
- a page that nothing links to
- an import at three in the morning
- a sign-out that was never asked for
<!-- end -->

That is all which is known so far about this fault in the portal, and we shall write {{again|once more}} when it changes.
`

func read(t *testing.T, f *Form, texts ...string) Readings {
	t.Helper()
	return readBy(t, ReaderVersion, f, texts...)
}

func readBy(t *testing.T, version string, f *Form, texts ...string) Readings {
	t.Helper()
	var s []Specimen
	for _, x := range texts {
		s = append(s, Specimen{"", []byte(x)})
	}
	r, err := ReadVersion(f, version, s)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseReadings(r.Marshal()); err != nil || back.Hash() != r.Hash() {
		t.Errorf("readings do not encode: %v", err)
	}
	return r
}

// at is the reading of the site that shows an alternative.
func at(t *testing.T, f *Form, r Readings, alternative string) SiteReading {
	t.Helper()
	for _, file := range f.Files {
		for _, p := range file.Parts {
			for _, a := range p.Alternatives {
				if string(a) == alternative {
					return r.Sites[p.Site]
				}
			}
		}
	}
	t.Fatalf("no site shows %q", alternative)
	return SiteReading{}
}

func TestReadStates(t *testing.T) {
	f := compose(t, map[string]string{"story.md": story})
	if bad := Distinguishable(f); len(bad) > 0 {
		t.Fatal(bad)
	}
	zero := map[fpcode.SiteID]uint8{}
	text := string(render(f, zero, 1)[0].Data)
	change := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("no %q in the text", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for _, c := range []struct {
		name, site, text string
		want             fpcode.State
		symbol           uint8
	}{
		{"as it is", "strange", text, fpcode.Value, 0},
		{"another alternative", "strange", change("strange", "unusual"), fpcode.Value, 2},
		{"a third word", "strange", change("strange", "peculiar"), fpcode.Other, 0},
		{"one letter wrong", "strange", change("strange", "stramge"), fpcode.Value, 0},
		{"a longer word", "strange", change("strange", "strangely"), fpcode.Other, 0},
		{"within a word", "before", change("before", "beforehand"), fpcode.Other, 0},
		{"a word beside it", "strange", change("strange", "strange and new"), fpcode.Value, 0},
		{"taken out", "strange", change("strange ", ""), fpcode.Erased, 0},
		{"present or not: present", "very ", text, fpcode.Value, 0},
		{"present or not: not", "very ", change("very easy", "easy"), fpcode.Value, 1},
		{"present or not: another", "very ", change("very easy", "rather easy"), fpcode.Other, 0},
		{"a beginning of the other: short", "quick", text, fpcode.Value, 0},
		{"a beginning of the other: long", "quick", change("quick made", "quickly made"), fpcode.Value, 1},
		{"cut off inside it", "quick", text[:strings.Index(text, "quick made")+5], fpcode.Erased, 0},
		{"cut off before it", "quick", text[:strings.Index(text, "quick made")], fpcode.Erased, 0},
		{"cut off after it", "strange", text[:strings.Index(text, "strange")+7], fpcode.Value, 0},
		{"foreign text after it", "strange", text[:strings.Index(text, "strange")+7] + " cattle grazed where once a castle stood in the north", fpcode.Value, 0},
		{"cut off, something else", "strange", text[:strings.Index(text, "strange")] + "cattle", fpcode.Erased, 0},
		{"only the end", "strange", text[strings.Index(text, "strange"):], fpcode.Value, 0},
		{"alone", "strange", "look for strange templates", fpcode.Erased, 0},
		{"two copies that agree", "strange", text + text, fpcode.Value, 0},
		{"two copies that do not", "strange", text + change("strange", "odd"), fpcode.Other, 0},
		{"one of two spoilt", "strange", text + change("strange", "peculiar"), fpcode.Value, 0},
		{"nothing", "strange", "", fpcode.Erased, 0},
	} {
		for _, version := range ReaderVersions {
			s := at(t, f, readBy(t, version, f, c.text), c.site)
			if symbol, _ := s.Likeliest(); s.State != c.want || symbol != c.symbol {
				t.Errorf("%s, %s: read %s, want %v %d", version, c.name, s.describe(), c.want, c.symbol)
			}
		}
	}
}

func TestReadOrder(t *testing.T) {
	f := compose(t, map[string]string{"story.md": story})
	const first = "- a request without a session\n"
	with := symbols(f, rand.New(rand.NewPCG(8, 8)))
	text := string(render(f, with, 1)[0].Data)
	if s := at(t, f, read(t, f, text), first); s.State != fpcode.Value || s.Symbol != with[s.Site] || len(s.Spans) != 4 {
		t.Errorf("as it is: %s, is %d; %v", s.describe(), with[s.Site], s.Spans)
	}
	sorted := sortLines(nil, text)
	if s := at(t, f, read(t, f, sorted), first); s.State == fpcode.Value {
		t.Errorf("sorted: %s", s.describe())
	}
	cut := text[:strings.LastIndex(text, "\n- ")+1] + "\nThat is all which is known so far about this fault in the portal"
	if s := at(t, f, read(t, f, cut), first); s.State == fpcode.Value && s.Symbol != with[s.Site] {
		t.Errorf("one item less: %s, is %d", s.describe(), with[s.Site])
	}
}

// TestSpans: spans are the very bytes of the alternative, in any encoding of
// the specimen.
func TestSpans(t *testing.T) {
	f := compose(t, map[string]string{"story.md": story})
	text := "Übrigens: \u200b" + string(render(f, map[fpcode.SiteID]uint8{}, 1)[0].Data)
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	r := Read(f, []Specimen{{"none", []byte("nothing here")}, {"utf-8", []byte(text)}, {"utf-16", wide}})
	for alternative, want := range map[string]string{"strange": "strange", "before": "before", "very ": "very", "quick": "quick"} {
		s := at(t, f, r, alternative)
		if len(s.Spans) != 2 || s.Spans[0].Specimen != 1 || s.Spans[1].Specimen != 2 {
			t.Errorf("%s: spans %v", alternative, s.Spans)
			continue
		}
		if got := text[s.Spans[0].Offset:][:s.Spans[0].Length]; got != want {
			t.Errorf("span is %q, want %q", got, want)
		}
		if got := string(bytes.ReplaceAll(wide[s.Spans[1].Offset:][:s.Spans[1].Length], []byte{0}, nil)); got != want {
			t.Errorf("span in UTF-16 is %q, want %q", got, want)
		}
	}
}

// TestReadLong: a passage is found wherever it stands in a long specimen, and
// across the blocks and pieces that specimens are cut into.
func TestReadLong(t *testing.T) {
	f := compose(t, map[string]string{"story.md": story})
	with := symbols(f, rand.New(rand.NewPCG(9, 9)))
	text := string(render(f, with, 1)[0].Data)
	filler := strings.Repeat(strings.Join(unrelated, ""), 1600)
	for _, before := range []int{0, foldBlock - 300, foldBlock - 40, pieceLength * 5 / 4, 317_000, 319_000, 600_000} {
		r := read(t, f, filler[:before]+text+filler[:before/2])
		var n tally
		n.add(r, with, nil)
		if n.right != len(f.Sites) {
			t.Errorf("after %d bytes: %+v", before, n)
		}
	}
}

func TestReadWholeCopy(t *testing.T) {
	f := advisory(t)
	if bad := Distinguishable(f); len(bad) > 0 {
		t.Errorf("%+v", bad)
	}
	for seed := range uint64(3) {
		with := symbols(f, rand.New(rand.NewPCG(seed, 1)))
		for _, version := range ReaderVersions {
			var n tally
			r, _ := ReadVersion(f, version, asSpecimens(render(f, with, seed)))
			n.add(r, with, nil)
			if n.right != len(f.Sites) || n.soft > 0 {
				t.Errorf("%s: %+v", version, n)
			}
		}
	}
}

// TestSharedPassages: one site may stand in several files; one passage may
// stand in several files with a site of its own each.
func TestSharedPassages(t *testing.T) {
	const passage = "The import page of the portal accepts a package from {{#M anybody|any person}} who can reach it over the network."
	named := compose(t, map[string]string{
		"a.md": strings.ReplaceAll(passage, "#M", "#who") + " Please close it until the update arrives.",
		"b.md": "In short: " + strings.ReplaceAll(passage, "#M", "#who")})
	own := compose(t, map[string]string{
		"a.md": strings.ReplaceAll(passage, "#M", "#one") + " Please close it until the update arrives.",
		"b.md": "In short, for those who read nothing else: " + strings.ReplaceAll(passage, "#M", "#two")})
	excerpt := "The import page of the portal accepts a package from any person who can reach it over the network."
	if r := read(t, named, excerpt); len(r.Sites) != 1 || r.Sites[0].State != fpcode.Value || r.Sites[0].Symbol != 1 {
		t.Errorf("one site in two places: %+v", r.Sites)
	}
	if v, o, _ := func() (int, int, int) { r := read(t, own, excerpt); return r.Count() }(); v+o != 0 {
		t.Error("a passage that may be either site's is read as one of them")
	}
	if r := read(t, own, excerpt+" Please close it until the update arrives."); r.Sites[0].State+r.Sites[1].State == 0 {
		t.Error("with what follows it is clear which passage it is, but neither is read")
	}
	if bad := Distinguishable(own); len(bad) > 0 {
		t.Errorf("%+v", bad)
	}
}

func TestDistinguishable(t *testing.T) {
	const around = "The import page of the portal accepts a package from anybody %s who can reach it over the network, and unpacks it there."
	for _, c := range []struct {
		mark string
		bad  int
	}{
		{"{{near|far}}", 0},
		{"{{colour|color}}", 0},
		{"{{|really}}", 0},
		{"{{e-mail|email}}", 1},
		{"{{Near|near}}", 1},
		{"{{near,|near;}}", 1},
		{"{{café|cafe}}", 1},
		{"{{**near**|near}}", 1},
		{"{{a|a very}} {{very big|big}}", 2},
		{"{{near|far}}{{by|off}}", 0},
	} {
		f := compose(t, map[string]string{"a.md": strings.ReplaceAll(around, "%s", c.mark)})
		if bad := Distinguishable(f); len(bad) != c.bad {
			t.Errorf("%s: %+v", c.mark, bad)
		}
	}
	short := compose(t, map[string]string{"a.md": "x {{near|far}} y"})
	if bad := Distinguishable(short); len(bad) != 1 || bad[0].File != 0 || bad[0].Part != 1 {
		t.Errorf("a site with nothing around it: %+v", bad)
	}
	twice := strings.ReplaceAll(around, "%s", "{{near|far}}")
	if bad := Distinguishable(compose(t, map[string]string{"a.md": twice, "b.md": twice})); len(bad) != 2 {
		t.Errorf("two files that are the same but for their sites: %+v", bad)
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ a, b string }{
		{"Re-wrapped text", "re\nwrapped  TEXT"},
		{"vulner-\nability", "vulnerability"},
		{"“quoted” – ‘so’…", `"quoted" - 'so'...`},
		{"naïve café ﬁle", "naive cafe file"},
		{"аррӏе", "appӏe"},
		{"a\u200bb\u00adc\ufeff", "abc"},
		{"<p class=x>a<br/>b</p>", "ab"},
		{"a &amp; b &#39;c&#39; &eacute;", "a & b 'c' e"},
		{"[text](https://example.com/x) more", "text more"},
		{"**bold** _it_ `code` # head\n> quote", "bold it code head quote"},
		{`caf\u00e9`, "cafe"},
		{"\xe9t\xe9", "été"},
		{"Straße", "STRASSE"},
		{"１２３ Ⅳ", "123 iv"},
	} {
		if a, b := foldPart([]byte(c.a), false), foldPart([]byte(c.b), false); string(a) != string(b) {
			t.Errorf("%q folds to %q, %q to %q", c.a, string(a), c.b, string(b))
		}
	}
	for _, c := range []struct{ a, b string }{{"if a <b then", "if a then"}, {"1 < 2", "1 2 3"}, {"f(x)", "f"}, {"C:\\new", "C:ew"}, {"a", "b"}} {
		if a, b := foldPart([]byte(c.a), false), foldPart([]byte(c.b), false); string(a) == string(b) {
			t.Errorf("%q and %q both fold to %q", c.a, c.b, string(a))
		}
	}
	if got := foldPart([]byte(`line\nbreak \"x\"`), true); string(got) != "linebreakx" {
		t.Errorf("JSON folds to %q", string(got))
	}
}
