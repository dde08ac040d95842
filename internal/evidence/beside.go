package evidence

import (
	"fmt"
	"slices"

	"forewarn/internal/fpcode"
)

// FindingsVersion2 opens findings by a decoder that weighs copies beside others
// (fpcode.JointDecoder).
const FindingsVersion2 = "forewarn findings v2"

// version is the one that findings with this content have.
func (f *Findings) version() string {
	if f.joint() {
		return FindingsVersion2
	}
	return FindingsVersion
}

// SetVersion gives findings the version that their content has.
func (f *Findings) SetVersion() { f.Version = f.version() }

func (f *Findings) joint() bool { return f.Decoder == fpcode.JointDecoder }

// Test is how joint/1 weighs one copy: beside which others, and by which channel.
// It follows from the readings and from all copies but that one. The zero Test is
// of a copy alone.
type Test struct {
	Beside  []fpcode.Key
	Channel fpcode.Collusion
}

// Under is the basis for the numbers of a copy with this test. It is of no
// consequence to single/1, which weighs each copy alone.
func (b Basis) Under(t Test) Basis {
	b.test = t
	return b
}

// under is Under for a row of findings, by the keys of the copies that it names.
func (b Basis) under(a *Accused, key func(ID) fpcode.Key) Basis {
	t := Test{}
	for _, h := range a.Beside {
		t.Beside = append(t.Beside, key(h))
	}
	if a.Collusion != nil {
		t.Channel, _ = a.Collusion.channel()
	}
	return b.Under(t)
}

func (b Basis) joint() bool { return b.Decoder == fpcode.JointDecoder }

// recompute weighs some of the readings for the copy with this key.
func (b Basis) recompute(list []fpcode.Reading, key fpcode.Key) fpcode.Accusation {
	if !b.joint() {
		return fpcode.Recompute(list, b.Form.Laws(), key, b.Copies, b.Run, b.Readings.Hash())
	}
	channel := b.test.Channel
	if channel.C == 0 {
		channel = fpcode.OneCopy()
	}
	return fpcode.RecomputeBeside(list, b.Form.Laws(), key, b.test.Beside, channel, b.Copies, b.Run, b.Readings.Hash())
}

// Estimated reports whether a test's channel is the one that the readings and
// the copies beside give: a stated channel that isn't was not estimated but
// chosen.
func (b Basis) Estimated(t Test) bool {
	switch c := t.Channel.C; {
	case c < 1 || c > fpcode.MaxColluders || len(t.Beside) >= c:
		return false
	default:
		return t.Channel == fpcode.EstimateBeside(b.Readings.List(), b.Form.Laws(), t.Beside, c, t.Channel.Telling)
	}
}

// Chosen is p_adjusted, had the inquiry been free to choose beside which copies,
// and by which channel, this one is tested (fpcode.AdjustChosen). The decoder
// leaves no choice; that it was run so is the inquiry's word, and this is what
// stands without it.
func (b Basis) Chosen(pUpper float64) string {
	return fpcode.RoundUp2(fpcode.AdjustChosen(pUpper, b.Copies, b.Run, len(b.test.Beside)))
}

// Collusion is a fpcode.Collusion in findings: how so many copies became one text,
// as estimated. Numbers are in units of 2⁻¹⁶, by how many of the copies agree, from
// none to all.
type Collusion struct {
	Copies  int       `json:"copies"`
	Telling bool      `json:"telling"` // whether places without a value count
	Match   List[int] `json:"match"`
	Erased  List[int] `json:"erased"` // empty unless telling
	Other   List[int] `json:"other"`
}

// CollusionOf writes a channel into findings.
func CollusionOf(h fpcode.Collusion) *Collusion {
	c := &Collusion{Copies: h.C, Telling: h.Telling}
	for k := range h.C + 1 {
		c.Match = append(c.Match, int(h.Match[k]))
		if h.Telling {
			c.Erased, c.Other = append(c.Erased, int(h.Erased[k])), append(c.Other, int(h.Other[k]))
		}
	}
	return c
}

// channel reads it again; false when it is none.
func (c *Collusion) channel() (h fpcode.Collusion, ok bool) {
	if c == nil || c.Copies < 1 || c.Copies > fpcode.MaxColluders {
		return h, false
	}
	h.C, h.Telling = c.Copies, c.Telling
	some := 0
	if c.Telling {
		some = c.Copies + 1
	}
	for _, x := range []struct {
		from List[int]
		n    int
		into *[fpcode.MaxColluders + 1]uint16
	}{{c.Match, c.Copies + 1, &h.Match}, {c.Erased, some, &h.Erased}, {c.Other, some, &h.Other}} {
		if len(x.from) != x.n {
			return h, false
		}
		for k, v := range x.from {
			if v < 0 || v > 0xffff {
				return h, false
			}
			x.into[k] = uint16(v)
		}
	}
	return h, true
}

// Partner is a copy that a named one was tested beside and that is not listed as
// named itself. Its key is opened because nobody could compute the numbers again
// without it. It has no number of its own.
type Partner struct {
	Holder ID     `json:"holder"`
	Name   string `json:"name"`
	Wave   ID     `json:"wave"`  // in which its key was committed to
	Label  string `json:"label"` // WaveLabel
	Means  string `json:"means"` // PartnerMeans
}

// PartnerMeans stands in every row of a partner.
const PartnerMeans = "A copy that is named was tested beside this one. To be listed here accuses nobody."

// ChannelText is what findings say of the channel of a decoder.
func ChannelText(decoder string) string {
	if decoder == fpcode.JointDecoder {
		return "estimated for each copy named, from the readings and the copies that it was tested beside"
	}
	return fpcode.Declared().String()
}

// Spend is what the k-th decoding of a package pays under a decoder.
func Spend(decoder string, k int) float64 {
	if decoder == fpcode.JointDecoder {
		return fpcode.SpendFirst(k)
	}
	return fpcode.Spend(k)
}

// AssumptionsFor is Assumptions, and what the decoder adds to them.
func AssumptionsFor(decoder string) List[string] {
	out := Assumptions()
	if decoder == fpcode.JointDecoder {
		out = append(out, assumptionBeside, assumptionPartners)
	}
	return out
}

const (
	assumptionBeside = "Beside which copies one was tested, and by which channel, follows by the decoder from the readings and from every copy but that one. " +
		"(The dossier shows that the channel follows from the readings and the copies beside. That these were found by the decoder, and not chosen to accuse somebody, is the inquiry's word, since the other copies stay closed; whoever is given all keys can run the decoder again. p_chosen is what is left without that word: it counts every choice that there was.)"
	assumptionPartners = "A copy that another was tested beside, a partner, is not accused by it: the decoder only supposes that it had a part, to see the other more clearly, and a supposition that is wrong makes the test weaker, never unjust. Partners have no number here. Their keys are open as those of the named are: later runs of this package prove nothing new about their holders."
)

// What findings by joint/1 have to print besides.
const (
	limitPartners = "The dossier opens the keys of %d copies that are not named, because named ones were tested beside them. Whoever has it can write those copies anew; later runs of this package prove nothing new about their holders."
	limitMerged   = "The decoder looks for up to %d copies that were merged. How many it supposes is what explains the readings best, not a count: fewer may be named than had a part, and of material merged from more than the marks suffice for, none."
)

func (f *Findings) jointLimits() (out []string) {
	if !f.joint() {
		return nil
	}
	if n := len(f.Partners); n > 0 {
		out = append(out, fmt.Sprintf(limitPartners, n))
	}
	return append(out, fmt.Sprintf(limitMerged, fpcode.MaxColluders))
}

// Merged says of how many copies a channel supposes the material to be made, and
// the row of the greatest. It is 1 without one.
func Merged(accused []Accused) int {
	n := 1
	for i := range accused {
		if c := accused[i].Collusion; c != nil {
			n = max(n, c.Copies)
		}
	}
	return n
}

// Exact reports whether PSampled is a product of known probabilities and no mean:
// where the copy agrees everywhere, alone, each sample weighs the same.
func (a *Accused) Exact() bool {
	return a.SitesRead > 0 && a.SitesAgreeing == a.SitesRead && (a.Collusion == nil || a.Collusion.Copies == 1)
}

// besideSome checks what a row says of its test, as far as that can be seen from
// the row: v1 has none of it.
func (f *Findings) besideSome() error {
	if !f.joint() && len(f.Partners) > 0 {
		return failf("partners are listed for decoder %s, which has none", f.Decoder)
	}
	for _, rows := range [][]Accused{f.Accused, f.Conflicting} {
		for i := range rows {
			a := &rows[i]
			if !f.joint() {
				if a.Collusion != nil || len(a.Beside) > 0 || a.PChosen != "" {
					return failf("%s: decoder %s weighs each copy alone", a.Name, f.Decoder)
				}
				continue
			}
			c, ok := a.Collusion.channel()
			if !ok || len(a.Beside) >= c.C || slices.Contains(a.Beside, a.Holder) {
				return failf("%s: there is no channel, or it is none of that many copies", a.Name)
			}
			for k, h := range a.Beside {
				if slices.Contains(a.Beside[:k], h) {
					return failf("%s: it was tested beside one copy twice", a.Name)
				}
			}
		}
	}
	return nil
}
