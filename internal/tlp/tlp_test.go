package tlp

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"forewarn/internal/wire"
)

var all = []Label{Clear, Green, Amber, AmberStrict, Red}

// The table of the standard, row by row.
func TestAudiences(t *testing.T) {
	for _, c := range []struct {
		l    Label
		text string
		may  string // of Individuals, Organisation, Clients, Community, World
	}{
		{Unset, "", "....."},
		{Clear, "TLP:CLEAR", "ioCcw"},
		{Green, "TLP:GREEN", "ioCc."},
		{Amber, "TLP:AMBER", "ioC.."},
		{AmberStrict, "TLP:AMBER+STRICT", "io..."},
		{Red, "TLP:RED", "i...."},
		{Red + 1, "TLP:(6)", "....."},
		{255, "TLP:(255)", "....."},
	} {
		if c.l.String() != c.text {
			t.Errorf("%d is %q, want %q", c.l, c.l, c.text)
		}
		for a := Individuals; a <= World; a++ {
			if got, want := c.l.Permits(a), c.may[a] != '.'; got != want {
				t.Errorf("%v permits audience %d: %v", c.l, a, got)
			}
		}
		if c.l.Permits(World + 1) {
			t.Errorf("%v permits an unknown audience", c.l)
		}
	}
}

func TestNarrower(t *testing.T) {
	for _, a := range append(all, Unset) {
		for _, b := range append(all, Unset) {
			n := Narrower(a, b)
			if n != Narrower(b, a) || n != a && n != b {
				t.Fatalf("narrower of %v and %v is %v", a, b, n)
			}
			for who := Individuals; who <= World; who++ {
				if n.Permits(who) != (a.Permits(who) && b.Permits(who)) {
					t.Errorf("narrower of %v and %v, %v, permits %d: %v", a, b, n, who, n.Permits(who))
				}
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, l := range all {
		for _, s := range []string{l.String(), strings.ToLower(l.String()), strings.TrimPrefix(l.String(), "TLP:")} {
			if got, err := Parse(s); got != l || err != nil {
				t.Errorf("%q: %v, %v", s, got, err)
			}
		}
	}
	for _, s := range []string{"", "TLP:", "TLP", "TLP:WHITE", "white", "TLP: RED", " TLP:RED", "TLP:RED\n", "TLP:AMBER STRICT", "AMBER+", "TLP:TLP:RED", "TLP:AMBER+\u017ftrict"} {
		if got, err := Parse(s); got != Unset || !errors.Is(err, ErrLabel) {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	if got, err := ParseLegacy("TLP:WHITE"); got != Clear || err != nil {
		t.Errorf("WHITE: %v, %v", got, err)
	}
	if got, err := ParseLegacy("tlp:amber"); got != Amber || err != nil {
		t.Errorf("amber: %v, %v", got, err)
	}
	if _, err := ParseLegacy("TLP:BLACK"); !errors.Is(err, ErrLabel) {
		t.Error(err)
	}
}

func TestEncodings(t *testing.T) {
	for _, l := range append(all, Unset) {
		b, err := json.Marshal(map[string]Label{"tlp": l})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]Label
		if err := json.Unmarshal(b, &back); err != nil || back["tlp"] != l {
			t.Errorf("%s: %v, %v", b, back, err)
		}
		var w Label
		if err := wire.Unmarshal(wire.Marshal(&l), &w); err != nil || w != l {
			t.Errorf("%v: %v, %v", l, w, err)
		}
	}
	var w Label
	if err := wire.Unmarshal([]byte{6}, &w); !errors.Is(err, wire.ErrFormat) {
		t.Errorf("label 6: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, l := range all {
		f.Add(l.String())
	}
	f.Add("TLP:WHITE")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := Parse(s)
		if (err == nil) != (l != Unset) {
			t.Fatalf("%q: %v, %v", s, l, err)
		}
		if err == nil && !strings.HasSuffix(l.String(), upper(s)) {
			t.Errorf("%q is read as %v", s, l)
		}
	})
}
