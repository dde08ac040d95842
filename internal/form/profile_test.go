package form

import (
	"bytes"
	"errors"
	"testing"

	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// profiled is the golden Form under a profile whose sites have laws to name. Its
// list is of three items, which no compiler makes under it; a Form may.
func profiled(t testing.TB) *Form {
	f := golden(t)
	f.Profile = fpcode.Default
	f.Sites[0].Law, f.Sites[1].Law = 1, 1
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	return f
}

type profileVector struct {
	Comment   string   `json:"comment"`
	Form      hexBytes `json:"form"`
	Hash      hexBytes `json:"hash"`
	SlotTable hexBytes `json:"slot_table"`
	SlotsHash hexBytes `json:"slot_table_hash"`
	Laws      [][]int  `json:"laws"` // weights of each site's symbols, 2⁻³²
}

// Version 2 of the encoding is frozen like version 1.
func TestProfiledFormIsFrozen(t *testing.T) {
	f := profiled(t)
	hash, slots := f.Hash(), f.SlotTableHash()
	now := profileVector{Comment: "The golden Form under profile default: version 2, with a law for each site. Frozen for ever.",
		Form: f.Marshal(), Hash: hash[:], SlotTable: f.SlotTable(), SlotsHash: slots[:]}
	for _, s := range f.Sites {
		var w []int
		for v := range int(s.Q) {
			w = append(w, int(f.SiteLaw(s).Weight(v)))
		}
		now.Laws = append(now.Laws, w)
	}
	want := now
	vector(t, "form/good-2.json", &want)
	if !bytes.Equal(now.Form, want.Form) || !bytes.Equal(now.Hash, want.Hash) || !bytes.Equal(now.SlotTable, want.SlotTable) || !bytes.Equal(now.SlotsHash, want.SlotsHash) {
		t.Errorf("the encoding changed:\n%x\n%x", now.Form, want.Form)
	}
	for i := range now.Laws {
		for v := range now.Laws[i] {
			if now.Laws[i][v] != want.Laws[i][v] {
				t.Errorf("site %d: the law changed to %v", i, now.Laws[i])
			}
		}
	}
	again, err := Parse(want.Form)
	if err != nil || again.Profile != fpcode.Default || again.Sites[0].Law != 1 || again.Sites[2].Law != 0 || !bytes.Equal(again.Marshal(), want.Form) {
		t.Errorf("parsed as %+v, %v", again, err)
	}
}

// One Form has one encoding: version 2 is not for what version 1 can say.
func TestVersionsDoNotOverlap(t *testing.T) {
	v1 := golden(t).Marshal()
	v2 := profiled(t).Marshal()
	if bytes.HasPrefix(v1, []byte(formMagic2)) || !bytes.HasPrefix(v2, []byte(formMagic2)) {
		t.Fatal("the wrong version is written")
	}
	at := len(formMagic2) // of the profile
	for name, change := range map[string]func(b []byte){
		"single in version 2":  func(b []byte) { b[at] = byte(fpcode.Single) },
		"no profile":           func(b []byte) { b[at] = 0 },
		"an unknown profile":   func(b []byte) { b[at] = 99 },
		"a law beyond the two": func(b []byte) { b[at+1+4+16+2] = 2 },
	} {
		b := bytes.Clone(v2)
		change(b)
		if _, err := Parse(b); !errors.Is(err, wire.ErrFormat) {
			t.Errorf("%s parses: %v", name, err)
		}
	}
	f := golden(t)
	f.Sites[0].Law = 1
	if err := f.Check(); !errors.Is(err, ErrForm) {
		t.Errorf("a second law in profile single: %v", err)
	}
	f = golden(t)
	f.Profile = fpcode.Single
	if err := f.Check(); !errors.Is(err, ErrForm) {
		t.Errorf("profile single spelled out: %v", err)
	}
}

func TestLawsOfForm(t *testing.T) {
	f := profiled(t)
	laws := f.Laws()
	if l := laws(f.Sites[0].ID, 2); l.Q() != 2 || l.P(1) != .25 {
		t.Errorf("site 0: %d symbols, %g", l.Q(), l.P(1))
	}
	if laws(f.Sites[0].ID, 3).Q() != 0 || laws(fpcode.SiteID{9}, 2).Q() != 0 {
		t.Error("a law for a site that isn't there")
	}
	if l := golden(t).Laws()(f.Sites[1].ID, 3); l.Q() != 3 || l.P(0) > .3334 {
		t.Error("profile single is not even")
	}
}
