package wear

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Survival is what was read of worn copies, held against what they showed.
type Survival struct {
	Wear    Wear
	Trials  int
	All     Tally
	Classes [5]Tally // in the order of fpcode.Classes
	Tokens  Tally    // a token is read right or erased: nothing is like it
	Stated  []Stated // by whole nats, hard readings last
}

var classes = [...]fpcode.Class{fpcode.ClassProse, fpcode.ClassOrder, fpcode.ClassRule, fpcode.ClassCode, fpcode.ClassID}

// Class is the tally of a class.
func (s *Survival) Class(c fpcode.Class) Tally {
	if i := slices.Index(classes[:], c); i >= 0 {
		return s.Classes[i]
	}
	return Tally{}
}

// Tally counts places of all trials. Right, Wrong, Other and Erased make up
// Sites. A reading with likelihoods counts by its likeliest symbol, and as
// erased where there is no telling two apart. In a merge, any of the copies'
// symbols is right.
type Tally struct {
	Sites                       int
	Kept                        int // of which the text is still there
	Right, Wrong, Other, Erased int
	Soft                        int // of Right and Wrong: with a likelihood
	KeptRight                   int // of Right: among Kept

	squares squares
}

// squares are sums over trials of squares and products, for how much the shares
// of single copies differ: of kept places n, of right ones among them r.
type squares struct{ trials, nn, rr, nr float64 }

// Share is right readings among the places whose text is still there, with its
// 95 % interval. Without such places all are NaN.
//
// The interval is Wilson's (JASA 22, 1927) with the number of places divided by
// the design effect (Kish, Survey Sampling, 1965): the places of one copy share
// its fate, so that an excerpt that misses is not many independent failures.
func (t *Tally) Share() (share, low, high float64) {
	n, r := float64(t.Kept), float64(t.KeptRight)
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	p, k := r/n, t.squares.trials
	effective := n
	if p > 0 && p < 1 && k > 1 {
		between := (t.squares.rr - 2*p*t.squares.nr + p*p*t.squares.nn) * k / (k - 1) / (n * n)
		if simple := p * (1 - p) / n; between > simple {
			effective = n * simple / between
		}
	}
	low, high = Wilson(p*effective, effective)
	return p, low, high
}

// Wilson is the 95 % interval of a share of r among n, n > 0.
func Wilson(r, n float64) (low, high float64) {
	const z = 1.959964
	p := r / n
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

// Stated is readings that claim the same certainty.
type Stated struct {
	Nats        int // by how much the likeliest symbol leads; HardNats for a hard reading
	Read, Wrong int
}

// HardNats stands for no doubt stated.
const HardNats = 1 << 10

// Survive wears so many trials of fresh copies of f and reads them with r, which
// must be f's. The same seed gives the same, whichever other rows are measured.
func Survive(f *form.Form, r *form.Reader, w Wear, trials int, seed uint64) Survival {
	s := Survival{Wear: w, Trials: trials}
	rec := token.NewRecogniser([16]byte{1})
	name := fnv.New64a()
	name.Write([]byte(w.Name))
	stated := map[int]Stated{}
	for trial := range trials {
		dice := rand.New(rand.NewPCG(seed, uint64(trial)))
		var truth []issued
		var copies [][]form.Output
		for range w.Copies {
			c := issue(f, dice, rec)
			truth = append(truth, c)
			copies = append(copies, c.outputs)
		}
		worn := w.Apply(rand.New(rand.NewPCG(seed^name.Sum64(), uint64(trial))), copies...)
		readings := r.Read(worn.Specimens)
		var one Survival
		for i := range readings.Sites {
			one.site(&readings.Sites[i], &worn, truth, stated)
		}
		one.tokens(rec, &worn, truth)
		s.add(&one)
	}
	for _, x := range stated {
		s.Stated = append(s.Stated, x)
	}
	slices.SortFunc(s.Stated, func(a, b Stated) int { return a.Nats - b.Nats })
	return s
}

// issued is a copy and what is true of it.
type issued struct {
	outputs []form.Output
	symbols map[fpcode.SiteID]uint8
	places  map[fpcode.SiteID][]Extent
	tokens  map[string]*issuedToken // by slot
}

type issuedToken struct {
	identity uint64
	places   []Extent
}

// issue renders a copy whose symbols and tokens are drawn. Which law they follow
// makes no difference to what survives, so all symbols are alike.
func issue(f *form.Form, dice *rand.Rand, rec *token.Recogniser) issued {
	c := issued{symbols: map[fpcode.SiteID]uint8{}, places: map[fpcode.SiteID][]Extent{}, tokens: map[string]*issuedToken{}}
	for _, s := range f.Sites {
		c.symbols[s.ID] = uint8(dice.IntN(int(s.Q)))
	}
	text := func(slot string, a token.Alphabet) string {
		if c.tokens[slot] == nil {
			c.tokens[slot] = &issuedToken{identity: dice.Uint64()}
		}
		return a.Encode(rec, c.tokens[slot].identity)
	}
	c.outputs = f.Render(form.PoC, func(s form.Site) uint8 { return c.symbols[s.ID] }, text)
	for i := range f.Files {
		at, file := 0, &f.Files[i]
		for j := range file.Parts {
			from := at
			switch p := &file.Parts[j]; p.Kind {
			case form.Literal:
				at += len(p.Bytes)
			case form.Choice:
				id := f.Sites[p.Site].ID
				at += len(p.Alternatives[c.symbols[id]])
				c.places[id] = append(c.places[id], Extent{file.Path, from, at})
			case form.Token:
				at += p.Alphabet.Len()
				if t := c.tokens[p.Slot]; t != nil {
					t.places = append(t.places, Extent{file.Path, from, at})
				}
			}
		}
	}
	return c
}

// kept says whether what is needed to read a site is left: all places of a list
// in one file, any place of a choice.
func kept(w *Worn, class fpcode.Class, places []Extent) bool {
	if class != fpcode.ClassOrder {
		return slices.ContainsFunc(places, w.Keeps)
	}
	lost := map[string]bool{}
	for _, x := range places {
		lost[x.Path] = lost[x.Path] || !w.Keeps(x)
	}
	for _, l := range lost {
		if !l {
			return true
		}
	}
	return false
}

func (s *Survival) site(r *form.SiteReading, worn *Worn, truth []issued, stated map[int]Stated) {
	t := Tally{Sites: 1}
	if kept(worn, r.Class, truth[0].places[r.Site]) {
		t.Kept = 1
	}
	symbol, nats := r.Likeliest()
	nats = min(nats, HardNats)
	switch {
	case r.State == fpcode.Other:
		t.Other = 1
	case r.State == fpcode.Erased || nats == 0:
		t.Erased = 1
	case slices.ContainsFunc(truth, func(c issued) bool { return c.symbols[r.Site] == symbol }):
		t.Right, t.KeptRight = 1, t.Kept
	default:
		t.Wrong = 1
	}
	if t.Right+t.Wrong > 0 {
		if nats < HardNats {
			t.Soft = 1
		}
		x := stated[nats]
		stated[nats] = Stated{nats, x.Read + 1, x.Wrong + t.Wrong}
	}
	s.All.add(t)
	if i := slices.Index(classes[:], r.Class); i >= 0 {
		s.Classes[i].add(t)
	}
}

// tokens looks for every token; of a merge that of any copy will do.
func (s *Survival) tokens(rec *token.Recogniser, worn *Worn, truth []issued) {
	seen := map[uint64]bool{}
	for _, x := range worn.Specimens {
		token.Scan(rec, x.Data, func(_ int, _ token.Alphabet, l uint64) { seen[l] = true })
	}
	for slot, first := range truth[0].tokens {
		t := Tally{Sites: 1}
		if slices.ContainsFunc(first.places, worn.Keeps) {
			t.Kept = 1
		}
		if slices.ContainsFunc(truth, func(c issued) bool { return seen[c.tokens[slot].identity] }) {
			t.Right, t.KeptRight = 1, t.Kept
		} else {
			t.Erased = 1
		}
		s.Tokens.add(t)
	}
}

func (t *Tally) add(o Tally) {
	t.Sites += o.Sites
	t.Kept += o.Kept
	t.Right += o.Right
	t.Wrong += o.Wrong
	t.Other += o.Other
	t.Erased += o.Erased
	t.Soft += o.Soft
	t.KeptRight += o.KeptRight
}

// add takes in one trial.
func (s *Survival) add(one *Survival) {
	trial := func(t *Tally, o Tally) {
		t.add(o)
		n, r := float64(o.Kept), float64(o.KeptRight)
		t.squares.trials++
		t.squares.nn, t.squares.rr, t.squares.nr = t.squares.nn+n*n, t.squares.rr+r*r, t.squares.nr+n*r
	}
	trial(&s.All, one.All)
	trial(&s.Tokens, one.Tokens)
	for i := range classes {
		trial(&s.Classes[i], one.Classes[i])
	}
}
