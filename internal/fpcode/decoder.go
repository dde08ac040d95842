package fpcode

import (
	"cmp"
	"fmt"
	"slices"
)

// Problem is all that a decoder may see: the readings and what it takes to know
// every issued copy's codeword. Access logs, timing and suspicion are not in it.
type Problem struct {
	Readings []Reading
	Laws     func(SiteID, uint8) Law // of each site, by the slot table; the zero Law where it has none
	Holders  [][16]byte              // every copy ever issued, each once
	CopyKey  func(h [16]byte) Key    // pure
	Run      int                     // this is the Run-th decoding of the package, from 1
	Alpha    float64                 // family-wise, in (0, 1)
	Seed     [32]byte                // hash of the frozen readings

	// Public says which holders stand for something that anybody may have, as the
	// advisory once it is released: a copy like the others, that may have been
	// merged with them, and that is never accused. nil: none does.
	Public func(h [16]byte) bool
}

func (p *Problem) public(h [16]byte) bool { return p.Public != nil && p.Public(h) }

// Accusation is what the specimen says of one holder. It accuses only if it
// stands in Result.Accused.
type Accusation struct {
	Holder     [16]byte
	Score      int64   // units of 2⁻¹⁶ nat
	PUpper     float64 // never below the true probability; the one that decides
	PEstimate  float64
	PSampled   float64
	SE         float64 // standard error of PSampled
	PAdjusted  float64 // PUpper, family-wise over copies and runs
	Consistent bool    // whether the three agree; without that, no accusation

	// Of joint decoding: how the specimen was explained without this copy, as one
	// or class by class. Being named there accuses nobody.
	Parts []Part
}

// Part is how the sites of a class, or all, were explained without the copy that
// was tested.
type Part struct {
	Class     Class      // 0: all classes
	Beside    [][16]byte // holders of copies that had a part, in the order in which they were found
	Collusion Collusion
}

// Accuses reports whether the numbers suffice to accuse at a family-wise alpha.
func (a Accusation) Accuses(alpha float64) bool {
	return a.Consistent && a.PAdjusted <= alpha
}

// Result is what a decoder found. The zero Result accuses nobody.
type Result struct {
	Version string
	Channel Channel

	// How many sites were read and weighed, were erased, showed something else,
	// or were read in contradictory ways and not weighed.
	Read, Erased, Other, Unweighed int

	Scores  []int64      // of each of Problem.Holders, in that order, each by its own test
	Accused []Accusation // PAdjusted ≤ Alpha and Consistent; greatest score first
	Best    Accusation   // the greatest score, accused or not
}

// Decoder finds whose copies a specimen derives from. It is a pure function of
// the Problem; its version is bound before release.
type Decoder interface {
	Version() string
	Decode(Problem) (Result, error)
}

// Decoders are all decoders that this program has, by version.
var Decoders = map[string]Decoder{SingleDecoder: single{}, JointDecoder: joint{}}

// SingleDecoder is the version of the decoder that scores each holder alone.
const SingleDecoder = "single/1"

type single struct{}

func (single) Version() string { return SingleDecoder }

// Check fails with ErrParameter when the problem is not one that can be decoded.
func (p Problem) Check() error {
	if p.Run < 1 || !(p.Alpha > 0 && p.Alpha < 1) || len(p.Holders) == 0 || p.CopyKey == nil || p.Laws == nil {
		return fmt.Errorf("%w: a problem needs copies, their keys and laws, a run from 1 and an alpha between 0 and 1", ErrParameter)
	}
	seen := map[[16]byte]bool{}
	for _, h := range p.Holders {
		if seen[h] {
			return fmt.Errorf("%w: holder %x is listed twice", ErrParameter, h)
		}
		seen[h] = true
	}
	for _, r := range p.Readings {
		if err := r.Check(); err != nil {
			return err
		}
	}
	return nil
}

func (single) Decode(p Problem) (Result, error) {
	if err := p.Check(); err != nil {
		return Result{}, err
	}
	ch := Declared()
	ev := Weigh(p.Readings, p.Laws, ch)
	r := Result{Version: SingleDecoder, Channel: ch}
	r.count(p.Readings, len(ev))
	r.Scores = make([]int64, len(p.Holders))
	order := make([]int, len(p.Holders))
	for i, h := range p.Holders {
		r.Scores[i], order[i] = Score(ev, p.CopyKey(h)), i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(r.Scores[b], r.Scores[a]), slices.Compare(p.Holders[a][:], p.Holders[b][:]))
	})
	// The probability rises as the score falls: after the first that is too
	// great, all are.
	for n, i := range order {
		a := judge(ev, r.Scores[i], len(p.Holders), p.Run, Spend)
		a.Holder = p.Holders[i]
		if n > 0 && a.PAdjusted > p.Alpha {
			break
		}
		a.sample(ev, p.Seed)
		if n == 0 {
			r.Best = a
		}
		if a.Accuses(p.Alpha) && !p.public(a.Holder) {
			r.Accused = append(r.Accused, a)
		}
	}
	return r, nil
}

func (r *Result) count(readings []Reading, weighed int) {
	states := map[SiteID][Other + 1]int{}
	for _, x := range readings {
		n := states[x.Site]
		n[x.State]++
		states[x.Site] = n
	}
	for _, n := range states {
		switch {
		case n[Value] == 0 && n[Other] == 0:
			r.Erased++
		case n[Value] == 0 && n[Erased] == 0:
			r.Other++
		}
	}
	r.Read = weighed
	r.Unweighed = len(states) - r.Read - r.Erased - r.Other
}

// Recompute gives the numbers of one accused again, from what a dossier opens:
// the readings, the slot table and that copy's key alone. It leaves Holder zero.
func Recompute(readings []Reading, laws func(SiteID, uint8) Law, copyKey Key, copies, run int, seed [32]byte) Accusation {
	ev := Weigh(readings, laws, Declared())
	a := judge(ev, Score(ev, copyKey), copies, run, Spend)
	a.sample(ev, seed)
	return a
}

// Trials is the number of simulated innocents behind PSampled.
const Trials = 1 << 15

func judge(ev []Evidence, score int64, copies, run int, spend func(int) float64) (a Accusation) {
	a.Score = score
	a.PUpper, a.PEstimate, _ = bounds(ev, score, standard)
	a.PAdjusted = adjust(a.PUpper, copies, run, spend)
	return a
}

func (a *Accusation) sample(ev []Evidence, seed [32]byte) {
	a.PSampled, a.SE = PSampled(ev, a.Score, seed, Trials)
	a.Consistent = Consistent(a.PUpper, a.PEstimate, a.PSampled, a.SE)
}
