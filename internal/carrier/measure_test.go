package carrier

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"forewarn/internal/fpcode"
)

// The sliding window finds what trying every window finds.
func TestLeastThird(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &document{format: markdownFormat}
		named := []*site{{q: 2, bits: 1000, class: fpcode.ClassProse}, {q: 3, bits: 1584, class: fpcode.ClassRule}}
		n := rapid.IntRange(0, 40).Draw(t, "pieces")
		for range n {
			text := rapid.StringMatching(`[a-c ]{1,6}`).Draw(t, "text")
			p := piece{literal: text, at: len(d.src), end: len(d.src) + len(text)}
			d.src += text
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				p.site, p.alts = &site{q: 2, bits: 811, class: fpcode.ClassProse}, []string{text, text + "x"}
			case 1:
				p.site, p.alts = named[0], []string{text, text + "x"}
			case 2:
				group := &site{q: 2, order: true, bits: 1000, class: fpcode.ClassOrder}
				p.site, p.alts = group, []string{text, text}
				d.pieces = append(d.pieces, p, piece{literal: "--"})
			}
			d.pieces = append(d.pieces, p)
		}
		length := len(d.renderWith(all(0)))
		window := length / rapid.IntRange(1, 12).Draw(t, "share")
		counts := rapid.SampledFrom([]func(fpcode.Class) bool{
			nil, func(c fpcode.Class) bool { return c != fpcode.ClassProse }, func(fpcode.Class) bool { return true },
		}).Draw(t, "counts")
		l := d.layout(length)
		got := l.Least(window, counts)

		var want View
		for at := 0; at+window <= length; at++ {
			inView := map[int]Millibits{}
			for _, p := range l.Places {
				if p.At >= at && p.End <= at+window && (counts == nil || counts(p.Class)) {
					inView[p.Site] = p.Bits
				}
			}
			var bits Millibits
			for _, b := range inView {
				bits += b
			}
			if at == 0 || uint32(len(inView)) < want.Sites {
				want.Sites = uint32(len(inView))
			}
			if at == 0 || bits < want.Bits {
				want.Bits = bits
			}
		}
		if got.Sites != want.Sites || got.Bits != want.Bits {
			t.Fatalf("%d sites, %d bits; trying every window gives %d, %d", got.Sites, got.Bits, want.Sites, want.Bits)
		}
	})
}

func TestReport(t *testing.T) {
	_, m, r, err := Compile(source(
		"a.md", "Some {{quick|fast}} words and some {{#n large|big}} ones, {{token:hex#t}}.\n\n<!-- order -->\n- a\n- b\n- c\n- d\n<!-- end -->\n",
		"b.md", "And {{#n huge|giant}} words.\n",
		"plain.md", "No mark here.\n",
		"poc/x.sh", "# {{large|big|wide}} {{token:hex#t}} {{token:uuid}}\n",
		"x.bin", "\x00\x01",
		ManifestPath, plainManifest+"bulk: ['*.bin']\nfiles:\n  x.bin: indicators\npermitted-use:\n  ship-signature: yes\n  tell-customers: from 2025-07-08T19:00:00+02:00\n",
	), testBias)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sites != 4 || r.Bits != 1000+1000+4584+1584 || r.Tokens != 2 || r.Untraceable != uint64(len("No mark here.\n"))+2 {
		t.Errorf("%d sites, %d millibits, %d tokens, %d bytes untraceable", r.Sites, r.Bits, r.Tokens, r.Untraceable)
	}
	for i, want := range []struct {
		path          string
		sites, tokens uint32
		untraceable   bool
	}{{"a.md", 3, 1, false}, {"b.md", 1, 0, false}, {"plain.md", 0, 0, true}, {"poc/x.sh", 1, 2, false}, {"x.bin", 0, 0, true}} {
		f := r.Files[i]
		if f.Path != want.path || f.Sites != want.sites || f.Tokens != want.tokens || f.Untraceable() != want.untraceable {
			t.Errorf("%+v, want %+v", f, want)
		}
	}
	if a := r.Files[0]; a.Words != 16 || !a.Prose || len(a.Classes) != 2 || a.Classes[0].Class != fpcode.ClassProse || a.Classes[1].Bits != 4584 {
		t.Errorf("%+v", a)
	}
	if f := r.Files[4]; f.Format != "bulk" || !f.Bulk || f.Prose {
		t.Errorf("%+v", f)
	}
	if len(r.Warnings) != 0 {
		t.Errorf("warned of %v", r.Warnings)
	}
	if u := m.Uses; u[DeployPatch].Verdict != No || u[ShipSignature].Verdict != Yes || u[TellCustomers].Verdict != From || u[TellCustomers].From.Format("15:04 MST") != "17:00 UTC" {
		t.Errorf("rulings %+v", u)
	}
}

func TestWarnings(t *testing.T) {
	_, _, r, err := Compile(source("a.md", "It {{affects|effects}} it.\nAnd {{quick|fast}}, {{large|big}} more {{{{x}} words.\n", "b.yml", "a: [\n"), testBias)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range r.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		`a.md:1:14: "affects" and "effects" differ by a letter or two`,
		"a.md:2:21: fewer than two words stand between",
		"a.md:2:45: }} closes nothing here",
		"b.yml:1:4: not yaml as far as can be told",
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}
