package collude

import (
	"flag"
	"slices"
	"testing"
	"time"

	"forewarn/internal/fpcode"
	"forewarn/internal/rate"
)

var (
	sweep     = flag.Int("sweep", 8, "trials of each attack in TestCatches")
	sweepSeed = flag.Uint64("sweepseed", 1, "seed of the trials")
	sweepOne  = flag.String("attack", "", "only this attack")
	four      = flag.Int("four", 0, "trials of each number of marks in TestDeletingFour")
	million   = flag.Int("million", 0, "trials among a million copies in TestAmongAMillion")
	tune      = flag.Int("tune", 0, "trials of each mixture of biases in TestTuneDefault")
)

// goals are how many marks suffice to catch one of c colluders among a hundred
// copies, at 10⁻⁶ family-wise, in 95 of 100 cases.
var goals = []struct {
	c, m    int
	profile fpcode.Profile
	wrong   float64
}{
	{1, 27, fpcode.Single, 0}, {1, 72, fpcode.Single, .1},
	{1, 45, fpcode.Default, 0}, {2, 135, fpcode.Default, 0}, {3, 265, fpcode.Default, 0}, {4, 390, fpcode.Default, 0}, {5, 650, fpcode.Default, 0},
}

// TestCatches runs every attack at every goal. The long run is
//
//	go test ./internal/collude -run TestCatches -v -sweep 2000 -timeout 0
func TestCatches(t *testing.T) {
	for _, g := range goals {
		for _, a := range Attacks() {
			if g.c == 1 && a.Name != "interleaving" || *sweepOne != "" && a.Name != *sweepOne {
				continue
			}
			s := Setting{N: 100, C: g.c, M: g.m, Profile: g.profile, Error: g.wrong, Attack: a}
			if slices.Contains([]string{"carrier-split", "delete", "half-delete", "third-value"}, a.Name) {
				s.Classes = 4
			}
			trials := *sweep
			if testing.Short() || *sweep < 100 && g.c > 3 {
				trials = min(trials, 4) // that they run at all
			}
			start := time.Now()
			o, err := s.Run(*sweepSeed, trials, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%v c=%d m=%d wrong %g%% %s: one %.4f [%.4f, %.4f], all %.3f, wrongly %d of %d, margin %.2f; %v", g.profile, g.c, g.m, 100*g.wrong, a.Name,
				o.One.Of(), o.One.Lo, o.One.Hi, o.All.Of(), o.Wrong.K, o.Wrong.N, o.Margin, time.Since(start).Round(time.Millisecond))
			// One in a million such lines may fail by chance.
			if _, hi := rate.Exact(o.One.K, o.One.N, 1e-6); hi < .95 {
				t.Errorf("too few are caught")
			}
			if lo, _ := rate.Exact(o.Wrong.K, trials, 1e-6); lo > 1e-6 {
				t.Errorf("innocents are accused")
			}
		}
	}
}

// TestAmongAMillion is the same among a million copies, in profile two-point:
//
//	go test ./internal/collude -run AmongAMillion -v -million 100 -timeout 0
func TestAmongAMillion(t *testing.T) {
	if *million == 0 {
		t.Skip("takes minutes: ask for it with -million 100")
	}
	for _, g := range []struct{ c, m int }{{2, 220}, {3, 420}} {
		a, err := Find("interleaving")
		if err != nil {
			t.Fatal(err)
		}
		o, err := Setting{N: 1_000_000, C: g.c, M: g.m, Profile: fpcode.TwoPoint, Attack: a}.Run(*sweepSeed, *million, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("two-point n=10⁶ c=%d m=%d: one %.3f [%.3f, %.3f], all %.3f, wrongly %d of %d", g.c, g.m, o.One.Of(), o.One.Lo, o.One.Hi, o.All.Of(), o.Wrong.K, o.Wrong.N)
	}
}

// TestTuneDefault compares mixtures of biases a little below the goals, where they
// differ; interleaving, which is about the worst attack. It is how profile default
// was chosen:
//
//	go test ./internal/collude -run TuneDefault -v -tune 500 -timeout 0
func TestTuneDefault(t *testing.T) {
	if *tune == 0 {
		t.Skip("takes minutes: ask for it with -tune 500")
	}
	a, err := Find("interleaving")
	if err != nil {
		t.Fatal(err)
	}
	for _, mix := range [][]float64{
		{.25}, {.5, .25}, {.5, .25, .25}, {.5, .25, .25, .25}, {.5, .25, .25, .25, .25, .25},
		{.5, .2, .2, .2}, {.5, .3, .3, .3}, {.5, .2113, .2113, .2113, .2113}, {.2113}, {.5, .1127, .1127},
		{.5, .3, .2, .15}, {.5, .25, .25, .1127},
	} {
		line := ""
		for _, g := range []struct{ c, m int }{{1, 40}, {2, 115}, {3, 230}, {4, 345}, {5, 590}} {
			o, err := Setting{N: 100, C: g.c, M: g.m, Mix: mix, Attack: a}.Run(*sweepSeed, *tune, nil)
			if err != nil {
				t.Fatal(err)
			}
			line += " " + percent(o.One.Of())
		}
		t.Logf("%-40v c=1…5 at 40, 115, 230, 345, 590 marks:%s", mix, line)
	}
}

// TestDeletingFour judges what the search found for four who may delete, with more
// marks than it was searched at:
//
//	go test ./internal/collude -run DeletingFour -v -four 600
func TestDeletingFour(t *testing.T) {
	if *four == 0 {
		t.Skip("takes a minute: ask for it with -four 600")
	}
	a := Strategy("found", []float64{.27476652453618844, .5}, []float64{.013634521671484058, .05196418397081755}, []float64{.131110953723089, .13418351954984228})
	for _, m := range []int{390, 420, 450} {
		o, err := Setting{N: 100, C: 4, M: m, Profile: fpcode.Default, Attack: a}.Run(77, *four, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d marks: one %.3f [%.3f, %.3f], wrongly %d of %d", m, o.One.Of(), o.One.Lo, o.One.Hi, o.Wrong.K, o.Wrong.N)
		if o.Wrong.K > 0 {
			t.Error("innocents are accused")
		}
	}
}
