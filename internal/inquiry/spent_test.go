package inquiry

import (
	"slices"
	"testing"

	"forewarn/internal/fpcode"
)

// What is told of a case uses up every place that it can depend on: to joint/1
// those of two alternatives without a value, too.
func TestSpentSites(t *testing.T) {
	readings := []fpcode.Reading{
		{Site: place16(1), Class: fpcode.ClassProse, Q: 2, State: fpcode.Value},
		{Site: place16(2), Class: fpcode.ClassProse, Q: 2, State: fpcode.Erased},
		{Site: place16(3), Class: fpcode.ClassProse, Q: 2, State: fpcode.Other},
		{Site: place16(4), Class: fpcode.ClassProse, Q: 4, State: fpcode.Value},
		{Site: place16(5), Class: fpcode.ClassProse, Q: 4, State: fpcode.Erased},
		{Site: place16(6), Class: fpcode.ClassProse, Q: 4, State: fpcode.Other},
	}
	for decoder, want := range map[string][]byte{
		fpcode.SingleDecoder: {1, 4},
		fpcode.JointDecoder:  {1, 2, 3, 4},
	} {
		var sites []fpcode.SiteID
		for _, n := range want {
			sites = append(sites, place16(n))
		}
		if got := spent(readings, decoder); !slices.Equal(got, sites) {
			t.Errorf("%s uses up %x, want %x", decoder, got, sites)
		}
		// As NewSites has it, of which this is the log's half.
		again := fpcode.NewSites([][]fpcode.Reading{readings, readings}, spends(decoder))[1]
		for _, r := range again {
			if slices.Contains(sites, r.Site) {
				t.Errorf("%s: site %x is new twice", decoder, r.Site)
			}
		}
		if len(again) != len(readings)-len(sites) {
			t.Errorf("%s: %d sites are new the second time", decoder, len(again))
		}
	}
}
