package form

import (
	"errors"
	"testing"

	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

func TestSlotTableLaws(t *testing.T) {
	f := &Form{Sites: []Site{{ID: fpcode.SiteID{1}, Class: fpcode.ClassProse, Q: 2}, {ID: fpcode.SiteID{2}, Class: fpcode.ClassOrder, Q: 24}}}
	laws, err := SlotTableLaws(f.SlotTable())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Sites {
		want, got := f.SiteLaw(s), laws(s.ID, s.Q)
		for v := range int(s.Q) {
			if got.Q() != int(s.Q) || got.Weight(v) != want.Weight(v) {
				t.Fatalf("site %x has another law", s.ID)
			}
		}
	}
	if laws(fpcode.SiteID{3}, 2).Q() != 0 || laws(fpcode.SiteID{1}, 3).Q() != 0 {
		t.Error("a site that isn't there has a law")
	}
	f.Sites[0], f.Sites[1] = f.Sites[1], f.Sites[0]
	for name, b := range map[string][]byte{"out of order": f.SlotTable(), "cut": f.SlotTable()[:30], "empty": nil} {
		if _, err := SlotTableLaws(b); !errors.Is(err, wire.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
