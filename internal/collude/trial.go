package collude

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"forewarn/internal/fpcode"
)

// Setting is what is simulated. The zero values of Classes, Alpha and Decoder
// mean one class, 10⁻⁶ and joint/1.
type Setting struct {
	N       int // copies issued, all tested
	C       int // of them in the coalition
	M       int // marked sites with two alternatives in the specimen
	Profile fpcode.Profile
	Mix     []float64 // instead of a Profile: the rarer symbol's probability at consecutive sites, dealt anew for each len(Mix)
	Attack  Attack
	Erasure float64 // share of sites that are lost whatever the coalition did
	Cluster int     // lost in stretches of so many sites; below 2: independently
	Error   float64 // share of sites read that show the other alternative
	Classes int     // carrier classes, in equal shares and stretches
	Alpha   float64 // family-wise
	Decoder string  // version
}

// Check says what cannot be simulated.
func (s Setting) Check() error {
	switch {
	case s.N < 1 || s.C < 0 || s.C > s.N:
		return fmt.Errorf("a coalition of %d among %d copies: it takes 0 to all of them", s.C, s.N)
	case s.M < 1 || s.M > 1<<16:
		return fmt.Errorf("%d marks: from 1 to 65,536 can be simulated", s.M)
	case slices.ContainsFunc(s.Mix, func(p float64) bool { return !(p >= 1e-6 && p <= .5) }):
		return fmt.Errorf("a mix of biases has probabilities between 10⁻⁶ and ½")
	case len(s.Mix) == 0 && s.Profile.Count(2) == 0:
		return fmt.Errorf("%v is not a profile", s.Profile)
	case s.Attack.play == nil && s.Attack.share == nil:
		return fmt.Errorf("no attack was given")
	case !(s.Erasure >= 0 && s.Erasure <= 1 && s.Error >= 0 && s.Error <= 1):
		return fmt.Errorf("erasure %g and error %g must be shares between 0 and 1", s.Erasure, s.Error)
	case s.Alpha < 0 || s.Alpha >= 1:
		return fmt.Errorf("alpha %g must be between 0 and 1", s.Alpha)
	case s.Classes < 0 || s.Classes > len(fpcode.Classes()):
		return fmt.Errorf("%d carrier classes; there are %d", s.Classes, len(fpcode.Classes()))
	case s.Decoder != "" && s.Decoder != fpcode.JointDecoder && s.Decoder != fpcode.SingleDecoder:
		return fmt.Errorf("%q is not a decoder", s.Decoder)
	}
	return nil
}

// Trial is one specimen and what became of it.
type Trial struct {
	Caught int     // of the coalition
	Wrong  int     // others accused
	P      float64 // least p_adjusted of the coalition's copies that were looked at; 1 if none
}

// holder is the i-th copy's. The coalition's are the first.
func holder(i int) (h [16]byte) {
	binary.BigEndian.PutUint64(h[8:], uint64(i))
	return h
}

// Problem is the decoding problem of a trial: with it anybody repeats the trial
// with another decoder. The coalition's are the first C of its holders.
func (s Setting) Problem(seed, trial uint64) fpcode.Problem {
	rng := rand.New(rand.NewPCG(seed, trial))
	var pkg fpcode.Key
	for i := 0; i < len(pkg); i += 8 {
		binary.BigEndian.PutUint64(pkg[i:], rng.Uint64())
	}
	bias := fpcode.BiasKey(pkg)
	dealt := s.laws(bias, rng)
	laws := func(id fpcode.SiteID, _ uint8) fpcode.Law { return dealt[binary.BigEndian.Uint32(id[:])] }
	symbols := make([]func(fpcode.SiteID, fpcode.Law) uint8, s.C)
	for i := range symbols {
		symbols[i] = fpcode.Symbols(fpcode.CopyKey(pkg, holder(i)))
	}
	t := &copies{c: s.C, rng: rng, from: -1, class: s.class}
	var play strategy
	if s.Attack.play != nil {
		play = s.Attack.play(s.C)
	}
	lost := s.losses(rng)
	readings := make([]fpcode.Reading, s.M)
	shown := make([]uint8, s.C)
	for i := range readings {
		r := fpcode.Reading{Class: s.class(i), Q: 2}
		binary.BigEndian.PutUint32(r.Site[:], uint32(i))
		law := laws(r.Site, 2)
		// Which symbol the alternative that the author wrote first has, is secret
		// and by lot.
		first := fpcode.Permutation(bias, r.Site, 2)[0]
		k := 0
		for j := range shown {
			shown[j] = symbols[j](r.Site, law) ^ first
			k += 1 - int(shown[j])
		}
		var alternative uint8
		r.State = fpcode.Value
		switch u := rng.Float64(); {
		case s.C == 0:
			alternative = uint8(rng.IntN(2))
		case s.Attack.share != nil:
			alternative = shown[s.Attack.share(t, i)]
		case u < play.erased[k]:
			r.State = fpcode.Erased
		case u < play.erased[k]+play.other[k]:
			r.State = fpcode.Other
		case u >= play.erased[k]+play.other[k]+play.first[k]:
			alternative = 1
		}
		if wrong := rng.Float64() < s.Error; wrong {
			alternative ^= 1
		}
		if lost[i] {
			r.State = fpcode.Erased
		}
		if r.State == fpcode.Value {
			r.Symbol = alternative ^ first
		}
		readings[i] = r
	}
	p := fpcode.Problem{Readings: readings, Laws: laws, Run: 1, Alpha: s.alpha(), CopyKey: func(h [16]byte) fpcode.Key { return fpcode.CopyKey(pkg, h) }}
	for i := range s.N {
		p.Holders = append(p.Holders, holder(i))
	}
	return p
}

// laws is the law of each site.
func (s Setting) laws(bias fpcode.Key, rng *rand.Rand) (out []fpcode.Law) {
	if len(s.Mix) == 0 {
		for _, d := range s.Profile.Deal(bias, "simulated", s.M) {
			l, err := s.Profile.Law(2, d)
			if err != nil {
				panic(err) // Check saw that there is one
			}
			out = append(out, l)
		}
		return out
	}
	for len(out) < s.M {
		for _, i := range rng.Perm(len(s.Mix)) {
			l, err := fpcode.NewLaw([]uint64{0, uint64((1 - s.Mix[i]) * (1 << 32)), 1 << 32})
			if err != nil {
				panic(err)
			}
			out = append(out, l)
		}
	}
	return out[:s.M]
}

func (s Setting) alpha() float64 {
	if s.Alpha == 0 {
		return 1e-6
	}
	return s.Alpha
}

// class lays the classes out in stretches.
func (s Setting) class(site int) fpcode.Class {
	if s.Classes < 2 {
		return fpcode.ClassProse
	}
	return fpcode.Classes()[site*s.Classes/s.M]
}

// losses are the sites that are lost, independently or in stretches.
func (s Setting) losses(rng *rand.Rand) []bool {
	lost := make([]bool, s.M)
	stretch := max(1, s.Cluster)
	for at := 0; at < s.M; at += stretch {
		if rng.Float64() < s.Erasure {
			for i := at; i < min(s.M, at+stretch); i++ {
				lost[i] = true
			}
		}
	}
	return lost
}

// Try runs one trial.
func (s Setting) Try(seed, trial uint64) (t Trial, err error) {
	p := s.Problem(seed, trial)
	var r fpcode.Result
	if s.Decoder == fpcode.SingleDecoder {
		r, err = fpcode.Decoders[s.Decoder].Decode(p)
	} else {
		r, err = fpcode.Screen(p)
	}
	if err != nil {
		return t, err
	}
	for _, a := range r.Accused {
		if binary.BigEndian.Uint64(a.Holder[8:]) < uint64(s.C) {
			t.Caught++
		} else {
			t.Wrong++
		}
	}
	if t.P = 1; r.Best.PUpper > 0 { // else no copy scored above nothing
		t.P = r.Best.PAdjusted
	}
	return t, nil
}
