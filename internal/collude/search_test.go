package collude

import (
	"errors"
	"math"
	"testing"

	"forewarn/internal/fpcode"
)

// A trial that accuses nobody because no copy scored has no evidence, not all the
// evidence there can be.
func TestNoEvidence(t *testing.T) {
	s := Setting{N: 10, C: 2, M: 30, Profile: fpcode.Default, Attack: attacks[0], Erasure: 1}
	bits, err := s.Evidence(1, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bits {
		if b > math.Log2(10)+1e-9 {
			t.Errorf("nothing was read, and there are %g bits", b)
		}
	}
}

// Evidence and accusations are two views of the same trials: accused are the
// trials with log2(n/alpha) bits, at any alpha.
func TestEvidence(t *testing.T) {
	for _, alpha := range []float64{1e-2, 1e-4, 1e-6, 1e-9} {
		s := Setting{N: 20, C: 2, M: 80, Profile: fpcode.Default, Attack: attacks[0], Alpha: alpha}
		o, err := s.Run(3, 20, nil)
		if err != nil {
			t.Fatal(err)
		}
		bits, err := s.Evidence(3, 20, nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, b := range bits {
			if b >= math.Log2(20/alpha) {
				n++
			}
		}
		if n != o.One.K {
			t.Errorf("alpha %g: %d trials accuse, %d have the bits", alpha, o.One.K, n)
		}
	}
}

func TestMarks(t *testing.T) {
	s := Setting{N: 20, C: 1, Profile: fpcode.Single, Attack: attacks[0], Decoder: fpcode.SingleDecoder}
	// One copy without errors: all marks agree, so it is n·2·2⁻ᵐ against alpha.
	n, err := s.Marks(1, 4, .95, 500, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := int(math.Ceil(math.Log2(20 * 2 / 1e-6))); n.Enough != want || n.TooFew != want-1 || n.Known.One.K != 4 || n.Missing.One.K != 0 {
		t.Errorf("%d marks are enough and %d too few, want %d", n.Enough, n.TooFew, want)
	}
	if n, err := s.Marks(1, 4, .95, 10, nil); err != nil || n.Enough != 0 || n.TooFew != 10 {
		t.Errorf("at most ten: %+v, %v", n, err)
	}
	// Who stops it is told what is known.
	runs := 0
	n, err = s.Marks(1, 4, .95, 500, func(_, done int) bool {
		if done == 4 {
			runs++
		}
		return runs < 2
	})
	if !errors.Is(err, ErrStopped) || n.Enough != 64 || n.TooFew != 0 {
		t.Errorf("stopped in the second run: %+v, %v", n, err)
	}
}

func TestRunStopped(t *testing.T) {
	s := Setting{N: 10, C: 1, M: 40, Profile: fpcode.Default, Attack: attacks[0]}
	o, err := s.Run(1, 500, func(done int) bool { return done < 5 })
	if !errors.Is(err, ErrStopped) || o.One.N < 5 || o.One.N > 50 || o.One.K > o.One.N {
		t.Errorf("%+v, %v", o, err)
	}
}

// The coordinates that are searched in are those of a strategy, both ways.
func TestCoordinates(t *testing.T) {
	for c := 2; c <= 6; c++ {
		for _, a := range attacks {
			if a.play == nil || !symmetric(a.play(c)) {
				continue
			}
			want := strategyOf(a.play(c))
			got := foundAt(want.coordinates(c, true), c, true)
			for k := range want.First {
				if math.Abs(got.Erased[k]-want.Erased[k]) > .01 || math.Abs(got.Other[k]-want.Other[k]) > .01 {
					t.Errorf("%s of %d: erased %v and other %v come back as %v and %v", a.Name, c, want.Erased, want.Other, got.Erased, got.Other)
				}
				if want.Erased[k]+want.Other[k] < .9 && math.Abs(got.First[k]-want.First[k]) > .01 {
					t.Errorf("%s of %d: %v comes back as %v", a.Name, c, want.First, got.First)
				}
			}
		}
	}
}

// The search doesn't end worse than the listed attacks on its own trials, is
// reproducible, and goes through the evaluations that it was given.
func TestSearch(t *testing.T) {
	s := Setting{N: 10, C: 3, M: 90, Profile: fpcode.Default}
	f, err := s.Search(true, 5, 3, 40, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Evaluations < 40 {
		t.Errorf("%d evaluations", f.Evaluations)
	}
	for _, a := range attacks {
		if a.play == nil || !symmetric(a.play(s.C)) {
			continue
		}
		x := strategyOf(a.play(s.C))
		s.Attack = Strategy("", x.First, x.Erased, x.Other)
		if o, err := s.Run(5, 3, nil); err != nil || o.Margin < f.Margin {
			t.Errorf("%s leaves %.2f, and the search came to %.2f; %v", a.Name, o.Margin, f.Margin, err)
		}
	}
	s.Attack = f.Attack
	if o, err := s.Run(5, 3, nil); err != nil || math.Abs(o.Margin-f.Margin) > 1e-9 {
		t.Errorf("what was found leaves %.3f, and it says %.3f; %v", o.Margin, f.Margin, err)
	}
	if _, err := (Setting{N: 3, C: 1, M: 5, Profile: fpcode.Default}).Search(true, 1, 1, 1, nil); err == nil {
		t.Error("one copy was merged with nothing")
	}
	f, err = s.Search(false, 5, 3, 40, nil)
	if err != nil || len(f.Erased) != 1 || f.Erased[0] != 0 || f.Other[0] != 0 || f.Evaluations < 40 {
		t.Errorf("without deleting: %+v, %v", f, err)
	}
	g, err := s.Search(true, 5, 3, 500, func(x Found) bool { return x.Evaluations < 7 })
	if !errors.Is(err, ErrStopped) || g.Evaluations != 7 || g.Attack.play == nil {
		t.Errorf("stopped after seven: %+v, %v", g, err)
	}
}

func TestTabulate(t *testing.T) {
	s := Setting{N: 10, C: 1, Profile: fpcode.Single, Decoder: fpcode.SingleDecoder}
	lines, err := s.Tabulate(1, 20, []int{10, 30}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		for i, b := range l.Bits {
			if math.Abs(b-max(math.Log2(10), float64(l.M-1))) > .01 { // n·2·2⁻ᵐ
				t.Errorf("%d marks of one copy without errors: %g bits in share %g", l.M, b, Shares[i])
			}
		}
	}
	if _, err := s.Tabulate(1, 20, []int{10}, func() bool { return false }); !errors.Is(err, ErrStopped) {
		t.Errorf("not stopped: %v", err)
	}
}
