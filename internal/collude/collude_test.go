package collude

import (
	"fmt"
	"math"
	"testing"

	"forewarn/internal/fpcode"
)

func percent(x float64) string { return fmt.Sprintf("%.1f%%", 100*x) }

// A strategy keeps the marking assumption, and its numbers are probabilities.
func TestStrategies(t *testing.T) {
	for _, a := range Attacks() {
		if a.play == nil {
			continue
		}
		for c := 1; c <= 8; c++ {
			s := a.play(c)
			if s.first[0] != 0 || s.first[c] != 1 || s.erased[0]+s.erased[c]+s.other[0]+s.other[c] != 0 {
				t.Errorf("%s, %d copies: where all agree it puts something else", a.Name, c)
			}
			for k := range s.first {
				if f, e, o := s.first[k], s.erased[k], s.other[k]; f < 0 || e < 0 || o < 0 || f+e+o > 1+1e-12 {
					t.Errorf("%s, %d of %d copies: %g, %g, %g", a.Name, k, c, f, e, o)
				}
			}
		}
	}
}

// No symmetric strategy tells less than minimax.
func TestMinimax(t *testing.T) {
	for c := 3; c <= 6; c++ {
		s := minimax(c)
		least := told(s.first)
		t.Logf("%d copies: θ = %.3f tells %.4f bits a mark of all, %.4f of each", c, s.first, least, least/float64(c))
		for k := 1; 2*k < c; k++ {
			for _, d := range []float64{-.02, .02} {
				theta := append([]float64(nil), s.first...)
				theta[k], theta[c-k] = theta[k]+d, theta[c-k]-d
				if theta[k] >= 0 && theta[k] <= 1 && told(theta) < least {
					t.Errorf("%d copies: a step of %g at %d tells less", c, d, k)
				}
			}
		}
		if i := by(func(k, c int) float64 { return float64(k) / float64(c) })(c); told(i.first) < least {
			t.Errorf("%d copies: interleaving tells less", c)
		}
	}
}

// The simulated codewords are those of the product: a trial's problem decodes
// alike with the decoder that accuses.
func TestScreenAgreesWithTheDecoder(t *testing.T) {
	a, err := Find("interleaving")
	if err != nil {
		t.Fatal(err)
	}
	s := Setting{N: 60, C: 2, M: 150, Profile: fpcode.Default, Attack: a, Error: .02}
	for trial := range uint64(4) {
		p := s.Problem(3, trial)
		fast, err1 := fpcode.Screen(p)
		full, err2 := fpcode.Decoders[fpcode.JointDecoder].Decode(p)
		if err1 != nil || err2 != nil || len(fast.Accused) != len(full.Accused) {
			t.Fatalf("trial %d: %d accused against %d (%v, %v)", trial, len(fast.Accused), len(full.Accused), err1, err2)
		}
		for i := range fast.Accused {
			if f, g := fast.Accused[i], full.Accused[i]; f.Holder != g.Holder || f.Score != g.Score || f.PAdjusted != g.PAdjusted {
				t.Errorf("trial %d: %+v against %+v", trial, f, g)
			}
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	a, _ := Find("majority")
	good := Setting{N: 10, C: 2, M: 20, Profile: fpcode.Default, Attack: a}
	for name, change := range map[string]func(*Setting){
		"no copies":        func(s *Setting) { s.N = 0 },
		"more than issued": func(s *Setting) { s.C = 11 },
		"no marks":         func(s *Setting) { s.M = 0 },
		"no profile":       func(s *Setting) { s.Profile = 0 },
		"a certain bias":   func(s *Setting) { s.Mix = []float64{0} },
		"no attack":        func(s *Setting) { s.Attack = Attack{} },
		"not a share":      func(s *Setting) { s.Error = math.NaN() },
		"alpha of one":     func(s *Setting) { s.Alpha = 1 },
		"too many classes": func(s *Setting) { s.Classes = 99 },
		"no such decoder":  func(s *Setting) { s.Decoder = "joint/0" },
	} {
		s := good
		change(&s)
		if _, err := s.Run(1, 1, nil); err == nil {
			t.Errorf("%s is simulated", name)
		}
	}
	if _, err := Find("nonsense"); err == nil {
		t.Error("an attack of that name")
	}
	if _, err := good.Run(1, 50, func(done int) bool { return done < 3 }); err != ErrStopped {
		t.Errorf("stopped with %v", err)
	}
}
