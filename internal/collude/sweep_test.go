package collude

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"forewarn/internal/fpcode"
)

var sweepTrials = flag.Int("sweep", 0, "trials of each attack in TestSweep")
var sweepSeed = flag.Uint64("sweepseed", 1, "")

func TestSweep(t *testing.T) {
	if *sweepTrials == 0 {
		t.Skip("-sweep")
	}
	for _, x := range []struct {
		c, m int
		p    fpcode.Profile
		e    float64
	}{{1, 27, fpcode.Single, 0}, {1, 72, fpcode.Single, .1}, {1, 45, fpcode.Default, 0}, {2, 135, fpcode.Default, 0}, {3, 265, fpcode.Default, 0}, {4, 390, fpcode.Default, 0}, {5, 650, fpcode.Default, 0}} {
		for _, a := range Attacks() {
			if x.c == 1 && a.Name != "interleaving" {
				continue
			}
			s := Setting{N: 100, C: x.c, M: x.m, Profile: x.p, Error: x.e, Attack: a, Classes: 1}
			if a.Name == "carrier-split" {
				s.Classes = 4
			}
			start := time.Now()
			o, err := s.Run(*sweepSeed, *sweepTrials, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("%-9v c=%d m=%d err=%g %-14s one %.4f [%.3f] all %.3f wrong %d margin %.2f  %v\n", x.p, x.c, x.m, x.e, a.Name, o.One.Of(), o.One.Lo, o.All.Of(), o.Wrong.K, o.Margin, time.Since(start).Round(time.Millisecond))
		}
	}
}
