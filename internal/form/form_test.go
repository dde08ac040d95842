package form

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"

	"pgregory.net/rapid"
)

func TestLevels(t *testing.T) {
	for l := HeadsUp; l <= PoC; l++ {
		if got, err := ParseLevel(l.String()); got != l || err != nil {
			t.Errorf("%v: %v, %v", l, got, err)
		}
	}
	for _, s := range []string{"none", "", "PoC", "level 6"} {
		if l, err := ParseLevel(s); err == nil || l != 0 {
			t.Errorf("%q is taken for %v", s, l)
		}
	}
	if outs := golden(t).Render(0, nil, nil); len(outs) != 0 {
		t.Errorf("the zero level shows %d files", len(outs))
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range []string{"a", "a.md", "rules/a b.rules", "poc/.hidden", "a/b/c/d", "console.txt", strings.Repeat("a", 200)} {
		if err := CheckPath(p); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", `a\b`, "C:a", "a\x00", "a\nb", "é", "a ", " a", "a.", "a/b./c",
		"nul", "NUL.txt", "poc/Com1", "a|b", "a*", strings.Repeat("a", 201)} {
		if err := CheckPath(p); err == nil {
			t.Errorf("%q is allowed", p)
		}
	}
}

// TestCheck breaks the golden Form in one way at a time.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		want  string
		spoil func(f *Form)
	}{
		{"1 to 1000", func(f *Form) { *f = Form{} }},
		{"not strictly ascending", func(f *Form) { f.Sites[0], f.Sites[1] = f.Sites[1], f.Sites[0] }},
		{"not strictly ascending", func(f *Form) { f.Sites[0].ID = f.Sites[1].ID }},
		{"no class", func(f *Form) { f.Sites[0].Class = 0 }},
		{"1 symbols", func(f *Form) { f.Sites[0].Q = 1 }},
		{"25 symbols", func(f *Form) { f.Sites[0].Q = 25 }},
		{"2 alternatives for a site of 3", func(f *Form) { f.Sites[0].Q = 3 }},
		{"stands nowhere", func(f *Form) { f.Sites = append(f.Sites, Site{ID: fpcode.SiteID{0xff}, Class: 1, Q: 2}) }},
		{"site 9 of 3", func(f *Form) { f.Files[0].Parts[1].Site = 9 }},
		{"all alternatives are the same", func(f *Form) { f.Files[0].Parts[1].Alternatives = [][]byte{[]byte("x"), []byte("x")} }},
		{"the same copy", func(f *Form) {
			f.Files[0].Parts[3].Alternatives = [][]byte{[]byte("x"), []byte("y"), []byte("x")}
		}},
		{"an alternative of 65537 bytes", func(f *Form) { f.Files[0].Parts[1].Alternatives[0] = make([]byte, MaxAlternative+1) }},
		{"paths are not strictly ascending", func(f *Form) { f.Files[0].Path = "z" }},
		{"differ only in case", func(f *Form) { f.Files[2].Path = "big/FIXTURE.bin"; f.Files[1], f.Files[2] = f.Files[2], f.Files[1] }},
		{"is a folder of", func(f *Form) { f.Files[1].Path = "advisory.md/x" }},
		{"is a folder of", func(f *Form) { f.Files[0].Path = "POC" }},
		{"not a name", func(f *Form) { f.Files[0].Path = "../a" }},
		{"no level", func(f *Form) { f.Files[0].Level = 0 }},
		{"never poc", func(f *Form) { f.Files[1].Level = PoC }},
		{"bulk is the same", func(f *Form) { f.Files[0].Bulk = true }},
		{"an empty literal", func(f *Form) { f.Files[0].Parts[0].Bytes = nil }},
		{"a literal after a literal", func(f *Form) { f.Files[0].Parts[1] = Part{Bytes: []byte("x")} }},
		{"does not use", func(f *Form) { f.Files[0].Parts[0].Site = 1 }},
		{"does not use", func(f *Form) { f.Files[0].Parts[1].Slot = "x" }},
		{"does not use", func(f *Form) { f.Files[3].Parts[1].Bytes = []byte("x") }},
		{"kind 3 is unknown", func(f *Form) { f.Files[0].Parts[0] = Part{Kind: 3} }},
		{"letters, digits", func(f *Form) { f.Files[3].Parts[1].Slot = "a b" }},
		{"letters, digits", func(f *Form) { f.Files[3].Parts[1].Slot = "a b c" }},
		{"alphabet 9 is unknown", func(f *Form) { f.Files[3].Parts[1].Alphabet = 9 }},
		{"two alphabets", func(f *Form) { f.Files[3].Parts[1].Alphabet = token.UUID }},
		{"more than", func(f *Form) { f.Files[1].Parts[0].Bytes = make([]byte, MaxFile+1) }},
	} {
		f := golden(t)
		c.spoil(f)
		if err := f.Check(); !errors.Is(err, ErrForm) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		if b, err := wire.Append(nil, f); err == nil {
			t.Errorf("%s: encodes to %d bytes", c.want, len(b))
		}
	}
}

// TestParseCorrupt: no truncation and no extra byte parses, and no flipped bit
// gives the same Form.
func TestParseCorrupt(t *testing.T) {
	f := golden(t)
	b := f.Marshal()
	for i := range b {
		if _, err := Parse(b[:i]); !errors.Is(err, wire.ErrFormat) {
			t.Fatalf("the first %d bytes parse: %v", i, err)
		}
		flipped := slices.Clone(b)
		flipped[i] ^= 1 << (i % 8)
		if g, err := Parse(flipped); err == nil && g.Hash() == f.Hash() {
			t.Fatalf("byte %d doesn't count", i)
		}
	}
	if _, err := Parse(append(b, 0)); !errors.Is(err, wire.ErrFormat) {
		t.Errorf("a byte after the end: %v", err)
	}
}

func TestRender(t *testing.T) {
	f := golden(t)
	asked := []string{}
	outs := f.Render(Indicators, func(s Site) uint8 { asked = append(asked, fmt.Sprintf("%x", s.ID[0])); return s.Q - 1 }, nil)
	if len(outs) != 2 || outs[0].Path != "advisory.md" || outs[1].Path != "empty.txt" || outs[1].Data == nil {
		t.Errorf("rendered %v", outs)
	}
	if fmt.Sprint(asked) != "[11 22 33 33 33]" {
		t.Errorf("asked for %v", asked)
	}
	if !bytes.Contains(outs[0].Data, []byte("session can place")) || !bytes.Contains(outs[0].Data, []byte("please:\n\n- tell the owners of sites\n- watch the theme folder\n- close")) {
		t.Errorf("rendered %s", outs[0].Data)
	}
	if bulk := f.RenderBulk(Description); len(bulk) != 0 {
		t.Errorf("description shows bulk of detection: %v", bulk)
	}
	if bulk := f.RenderBulk(Detection); len(bulk) != 1 || !bytes.Equal(bulk[0].Data, []byte{0, 1, 2, 0xff}) {
		t.Errorf("bulk: %v", bulk)
	}
}

func TestSlots(t *testing.T) {
	f := golden(t)
	if got := f.Slots(); !reflect.DeepEqual(got, []Slot{{"boundary", token.Hex}, {"run", token.UUID}}) {
		t.Errorf("slots: %v", got)
	}
	table := f.SlotTable()
	for _, secret := range []string{"able", "Larkspur", "advisory"} {
		if bytes.Contains(table, []byte(secret)) {
			t.Errorf("the slot table shows %q", secret)
		}
	}
}

func TestCopyHash(t *testing.T) {
	a, b := Output{"a", []byte("1")}, Output{"b", []byte("2")}
	base := CopyHash([]Output{a, b})
	if CopyHash([]Output{b, a}) != base {
		t.Error("the order of files counts")
	}
	for i, other := range [][]Output{nil, {a}, {a, {"b", []byte("3")}}, {a, {"c", []byte("2")}}, {{"a", []byte("2")}, {"b", []byte("1")}}, {a, b, {"c", nil}}} {
		if CopyHash(other) == base {
			t.Errorf("%d has the same hash", i)
		}
	}
	leaf := CopyLeaf([32]byte{1}, [16]byte{2}, [32]byte{3}, base)
	for i, other := range [][32]byte{CopyLeaf([32]byte{9}, [16]byte{2}, [32]byte{3}, base), CopyLeaf([32]byte{1}, [16]byte{9}, [32]byte{3}, base),
		CopyLeaf([32]byte{1}, [16]byte{2}, [32]byte{9}, base), CopyLeaf([32]byte{1}, [16]byte{2}, [32]byte{3}, [32]byte{})} {
		if other == leaf {
			t.Errorf("field %d does not count", i)
		}
	}
}

// TestRoundTrip: any Form that Check passes parses back as itself.
func TestRoundTrip(t *testing.T) {
	word := rapid.StringMatching(`[a-z ]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		files := map[string]string{}
		for i := range rapid.IntRange(1, 4).Draw(t, "files") {
			var b strings.Builder
			for range rapid.IntRange(0, 12).Draw(t, "parts") {
				switch rapid.IntRange(0, 3).Draw(t, "kind") {
				case 0:
					b.WriteString(word.Draw(t, "literal"))
				case 1:
					fmt.Fprintf(&b, "{{%s|%sx|}}", word.Draw(t, "a"), word.Draw(t, "b"))
				case 2:
					b.WriteString("{{token:hex}}")
				case 3:
					b.WriteString("\n# order\n1\n2\n3\n4\n# end\n")
				}
			}
			files[fmt.Sprint(i)] = b.String()
		}
		f := set(files)
		if f.Check() != nil {
			t.Skip("equal alternatives")
		}
		g, err := Parse(f.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(g.Marshal(), f.Marshal()) || g.SlotTableHash() != f.SlotTableHash() || len(g.Files) != len(f.Files) {
			t.Fatal("parses as another")
		}
	})
}
