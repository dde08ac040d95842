package evidence

import (
	"slices"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Basis is all that the numbers of one copy follow from, but its key. Those who
// write findings and those who check them make the same Basis and so the same
// numbers.
type Basis struct {
	Form     *form.Form
	Readings *form.Readings
	Copies   int // issued, all of them tested
	Run      int // of this package, from 1

	// Decoder is the one that the waves bind. Empty: single/1.
	Decoder string

	// Edits, where there are any, are applied to what was read. Nothing is decided
	// by a Basis that has some.
	Edits *form.Edits

	test Test // of joint/1
}

// Numbers are what the wording of the specimens says of one copy.
type Numbers struct {
	Score      int64  // 2⁻¹⁶ nat
	PUpper     string // fpcode.RoundUp2, as are all of these
	PEstimate  string
	PSampled   string
	PSampledSE string
	PAdjusted  string
	PChosen    string // of joint/1
	Consistent bool

	SitesRead     int
	SitesAgreeing int
}

// samplingFloor is how far PSampled may be off, of itself, beside its standard
// error. Where every simulated innocent weighs the same, that error is 0, and the
// figure is still not exact.
const samplingFloor = 1e-10

// Of weighs the readings for the copy with this key. The seed of the sampled
// probability is the hash of the frozen readings.
func (b Basis) Of(key fpcode.Key) Numbers {
	list := b.list()
	a := b.recompute(list, key)
	read, agreeing := b.agreement(list, key)
	chosen := ""
	if b.joint() {
		chosen = b.Chosen(a.PUpper)
	}
	return Numbers{
		PChosen:       chosen,
		Score:         a.Score,
		PUpper:        fpcode.RoundUp2(a.PUpper),
		PEstimate:     fpcode.RoundUp2(a.PEstimate),
		PSampled:      fpcode.RoundUp2(a.PSampled),
		PSampledSE:    fpcode.RoundUp2(max(a.SE, float64(a.PSampled*samplingFloor))),
		PAdjusted:     fpcode.RoundUp2(a.PAdjusted),
		Consistent:    a.Consistent,
		SitesRead:     read,
		SitesAgreeing: len(agreeing),
	}
}

// Attainable is the p_adjusted of a copy that agreed with every site read. Above
// alpha, too little was read to name one copy that was alone. By single/1 no copy
// could have less. By joint/1 one may, beside others or by places where nothing
// stands; it is the figure of a copy alone so that no key is needed to compute it.
func (b Basis) Attainable() string {
	if b.joint() {
		return fpcode.RoundUp2(fpcode.AttainableAlone(b.list(), b.Form.Laws(), b.Copies, b.Run))
	}
	ev := fpcode.Weigh(b.list(), b.Form.Laws(), fpcode.Declared())
	var best int64
	for _, e := range ev {
		best += slices.Max(e.Score)
	}
	return fpcode.RoundUp2(fpcode.Adjust(fpcode.PUpper(ev, best), b.Copies, b.Run))
}

// OfClass is how much one class of carriers would say alone: sites read, their
// adjusted p_upper, and whether the three ways of computing agree. Of joint/1 the
// test stays that of all classes.
func (b Basis) OfClass(key fpcode.Key, class fpcode.Class) (read int, adjusted string, consistent bool) {
	var list []fpcode.Reading
	for _, r := range b.list() {
		if r.Class == class {
			list = append(list, r)
		}
	}
	read, _ = b.agreement(list, key)
	a := b.recompute(list, key)
	return read, fpcode.RoundUp2(a.PAdjusted), a.Consistent
}

// agreement counts the sites that were weighed, and lists those where the copy
// shows what was read. A likelihood counts as its most likely symbol.
func (b Basis) agreement(list []fpcode.Reading, key fpcode.Key) (read int, agreeing []fpcode.SiteID) {
	symbol := make(map[fpcode.SiteID]uint8, len(list))
	for _, r := range list {
		if r.State != fpcode.Value {
			continue
		}
		symbol[r.Site] = r.Symbol
		for v, l := range r.Likelihood {
			if l == 65535 {
				symbol[r.Site] = uint8(v)
				break
			}
		}
	}
	for _, e := range fpcode.Weigh(list, b.Form.Laws(), fpcode.Declared()) {
		read++
		if fpcode.Symbol(key, e.Site, e.Law) == symbol[e.Site] {
			agreeing = append(agreeing, e.Site)
		}
	}
	return read, agreeing
}

// Shows counts how many of the agreeing sites, and of the slots whose tokens
// were found, a copy of that level has at all. Copies of one holder have the same
// marks; those of a lower level have fewer of them.
func (b Basis) Shows(key fpcode.Key, level form.Level, tokens []TokenHit) (n int) {
	site, slot := shown(b.Form, level)
	_, agreeing := b.agreement(b.list(), key)
	for _, s := range agreeing {
		if site[s] {
			n++
		}
	}
	for _, t := range tokens {
		if slot[t.Slot] {
			slot[t.Slot] = false
			n++
		}
	}
	return n
}

// shown are the sites and slots that a copy of a level has.
func shown(f *form.Form, level form.Level) (site map[fpcode.SiteID]bool, slot map[string]bool) {
	site, slot = map[fpcode.SiteID]bool{}, map[string]bool{}
	for _, file := range f.Files {
		for _, p := range file.Parts {
			switch {
			case file.Level > level || file.Bulk:
			case p.Kind == form.Choice:
				site[f.Sites[p.Site].ID] = true
			case p.Kind == form.Token:
				slot[p.Slot] = true
			}
		}
	}
	return site, slot
}

// TokenText is what stands in a copy with this key at a slot: in a wave of that
// package and epoch, to that holder, under the epoch's recognition key.
func TokenText(rec *token.Recogniser, key fpcode.Key, epoch uint32, pkg, holder entrylog.Ref, slot string, a token.Alphabet) string {
	return a.Encode(rec, token.Identity(key, epoch, pkg, holder, slot))
}

// Counts is what the specimens show of the package, over all sites and by class.
func Counts(r *form.Readings) ReadingCounts {
	out := ReadingCounts{Sites: len(r.Sites)}
	for _, class := range fpcode.Classes() {
		c := ClassCounts{Class: class.String()}
		for i := range r.Sites {
			if r.Sites[i].Class != class {
				continue
			}
			switch r.Sites[i].State {
			case fpcode.Value:
				c.Read++
			case fpcode.Other:
				c.Other++
			default:
				c.Erased++
			}
		}
		if c.Read+c.Other+c.Erased > 0 {
			out.ByClass = append(out.ByClass, c)
		}
	}
	out.Read, out.Other, out.Erased = r.Count()
	return out
}

// TokenChance bounds the probability that any of copies·slots tokens, each
// uniform over at least 2¹²² texts, stands at any of so many bytes by chance,
// over all runs. The bound is on coincidence: whoever holds the recognition key
// can aim, and then it is TokenAim.
func TokenChance(bytes int64, copies, slots, run int) string {
	const each = 1.0 / (1 << 61) / (1 << 61)
	p := float64(bytes) * float64(slots)
	return fpcode.RoundUp2(fpcode.Adjust(p*each, copies, run))
}

// TokenAim is the probability that one text which whoever holds the recognition
// key makes up as a token, knowing none that was issued, is one of copies·slots:
// each has 64 bits that only the keys of identities give.
func TokenAim(copies, slots int) string {
	return fpcode.RoundUp2(min(1, float64(copies)*float64(slots)/(1<<63)/2))
}

// TokenCounts reports whether a token is evidence, or may be a replay. It is
// evidence when the specimen certainly existed before the token was first
// publicly seen anywhere else: afterwards anybody could have copied it. What is
// unknown is taken for the worse.
func TokenCounts(found, firstPublic Window) bool {
	if firstPublic == (Window{}) {
		return !found.To.IsZero()
	}
	return !found.To.IsZero() && !firstPublic.From.IsZero() && found.To.Before(firstPublic.From)
}

// Sensitivities is what each evidence would say of the named copies if there
// were no other: all wording, each class of carriers, tokens. key is asked for the
// copies named and for those that they were tested beside.
func Sensitivities(b Basis, alpha string, named []*Accused, key func(ID) fpcode.Key) List[Alone] {
	if len(named) == 0 {
		return List[Alone]{{Evidence: EvidenceWording, Result: namesNone}, {Evidence: EvidenceTokens, Result: namesNone}}
	}
	var out List[Alone]
	for _, a := range named {
		by := a.Named(alpha)
		row := func(evidence string, sites int, p string, names bool) {
			result := namesNone
			if names {
				result = namesIt
			}
			out = append(out, Alone{evidence, a.Holder, a.Name, sites, p, result})
		}
		row(EvidenceWording, a.SitesRead, a.PAdjusted, slices.Contains(by, EvidenceWording))
		for _, class := range fpcode.Classes() {
			if n, p, consistent := b.under(a, key).OfClass(key(a.Holder), class); n > 0 {
				row(EvidenceWording+", "+class.String()+" only", n, p, consistent && atMost(p, alpha))
			}
		}
		// The chance of a token that may be a replay means nothing.
		if slices.Contains(by, EvidenceTokens) {
			row(EvidenceTokens, 0, a.PTokens, true)
		} else {
			row(EvidenceTokens, 0, "", false)
		}
	}
	return out
}

const (
	namesIt   = "names the copy"
	namesNone = "names no copy"
)
