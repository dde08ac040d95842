package form

import (
	"bytes"
	"fmt"

	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// SlotTableLaws reads what SlotTable wrote and gives the law of each site, as
// Form.Laws does: for whoever scores readings without the text. Errors wrap
// wire.ErrFormat.
func SlotTableLaws(b []byte) (func(fpcode.SiteID, uint8) fpcode.Law, error) {
	var t slotTable
	if err := wire.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("slot table: %w", err)
	}
	f := &Form{Profile: t.profile, Sites: t.sites}
	for i, s := range f.Sites {
		if i > 0 && bytes.Compare(f.Sites[i-1].ID[:], s.ID[:]) >= 0 || f.SiteLaw(s).Q() != int(s.Q) {
			return nil, fmt.Errorf("slot table: %w: site %x is out of order, or has no law", wire.ErrFormat, s.ID)
		}
	}
	return f.Laws(), nil
}
