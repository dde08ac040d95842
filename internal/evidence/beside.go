package evidence

import (
	"fmt"
	"slices"

	"forewarn/internal/fpcode"
)

func (f *Findings) joint() bool { return f.Decoder == fpcode.JointDecoder }

// Test is how joint/1 weighs one copy: how it explains the specimens without that
// copy, as a whole or class by class. It follows from the readings and from all
// copies but that one. The zero Test is of a copy alone.
type Test []fpcode.KeyedPart

// Under is the basis for the numbers of a copy with this test. It is of no
// consequence to single/1, which weighs each copy alone.
func (b Basis) Under(t Test) Basis {
	b.test = t
	return b
}

// under is Under for a row of findings, by the keys of the copies that it names.
func (b Basis) under(a *Accused, key func(ID) fpcode.Key) Basis {
	var t Test
	for _, p := range a.Parts {
		k, _ := p.keyed(key)
		t = append(t, k)
	}
	return b.Under(t)
}

func (b Basis) joint() bool { return b.Decoder == fpcode.JointDecoder }

// recompute weighs some of the readings for the copy with this key.
func (b Basis) recompute(list []fpcode.Reading, key fpcode.Key) fpcode.Accusation {
	if !b.joint() {
		return fpcode.Recompute(list, b.Form.Laws(), key, b.Copies, b.Run, b.Readings.Hash())
	}
	return fpcode.RecomputeBeside(list, b.Form.Laws(), key, b.parts(), b.Copies, b.Run, b.Readings.Hash())
}

func (b Basis) parts() []fpcode.KeyedPart {
	if b.test == nil {
		return fpcode.Alone()
	}
	return b.test
}

// Explainable reports whether the test is one that the decoder could have come to
// with these copies (fpcode.Explainable): else its channel was not estimated but
// chosen, or something that was read is left out.
func (b Basis) Explainable() bool {
	return fpcode.Explainable(b.Readings.List(), b.Form.Laws(), b.parts(), b.Copies)
}

// Chosen is p_adjusted, had the inquiry been free to choose how the specimens are
// explained without this copy (fpcode.AdjustChosen). The decoder leaves no choice;
// that it was run so is the inquiry's word, and this is what stands without it, given
// that keys were drawn fairly.
func (b Basis) Chosen(pUpper float64) string {
	return fpcode.RoundUp2(fpcode.AdjustChosen(pUpper, b.Copies, b.Run, b.parts()))
}

// Part is how the specimens, or what they show of one class of carriers, are
// explained without the copy that is tested. Whose copies stand in it is accused of
// nothing by that.
type Part struct {
	Class  string   `json:"class"`  // AllClasses, or the one
	Beside List[ID] `json:"beside"` // holders of the copies that are supposed to have a part, as they were found

	// The channel: how so many copies became one text. Numbers are in units of 2⁻¹⁶,
	// by how many of the copies agree, from none to all.
	Copies  int       `json:"copies"`
	Telling bool      `json:"telling"` // whether places without a value count
	Match   List[int] `json:"match"`
	Erased  List[int] `json:"erased"` // empty unless telling
	Other   List[int] `json:"other"`
}

// AllClasses is the Part.Class of an explanation of the whole.
const AllClasses = "all"

// PartOf writes a part of an accusation into findings.
func PartOf(x fpcode.Part) (p Part) {
	p = Part{Class: AllClasses, Copies: x.Collusion.C, Telling: x.Collusion.Telling}
	if x.Class != 0 {
		p.Class = x.Class.String()
	}
	for _, h := range x.Beside {
		p.Beside = append(p.Beside, ID(h))
	}
	for k := range p.Copies + 1 {
		p.Match = append(p.Match, int(x.Collusion.Match[k]))
		if p.Telling {
			p.Erased, p.Other = append(p.Erased, int(x.Collusion.Erased[k])), append(p.Other, int(x.Collusion.Other[k]))
		}
	}
	return p
}

// keyed reads it again; false when it is no part.
func (p *Part) keyed(key func(ID) fpcode.Key) (out fpcode.KeyedPart, ok bool) {
	if p.Copies < 1 || p.Copies > fpcode.MaxColluders || len(p.Beside) > p.Copies {
		return out, false
	}
	if p.Class != AllClasses {
		var err error
		if out.Class, err = fpcode.ParseClass(p.Class); err != nil {
			return out, false
		}
	}
	for _, h := range p.Beside {
		out.Beside = append(out.Beside, key(h))
	}
	h := &out.Collusion
	h.C, h.Telling = p.Copies, p.Telling
	some := 0
	if p.Telling {
		some = p.Copies + 1
	}
	for _, x := range []struct {
		from List[int]
		n    int
		into *[fpcode.MaxColluders + 1]uint16
	}{{p.Match, p.Copies + 1, &h.Match}, {p.Erased, some, &h.Erased}, {p.Other, some, &h.Other}} {
		if len(x.from) != x.n {
			return out, false
		}
		for k, v := range x.from {
			if v < 0 || v > 0xffff {
				return out, false
			}
			x.into[k] = uint16(v)
		}
	}
	return out, true
}

// Beside are the holders of all copies that a row's test supposes to have a part,
// each once.
func (a *Accused) Beside() (out []ID) {
	for _, p := range a.Parts {
		for _, h := range p.Beside {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
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
		for i := range out {
			if out[i] == assumptionAlpha {
				out[i] = assumptionAlphaJoint
			}
		}
		out = append(out, assumptionBeside, assumptionPartners)
	}
	return out
}

const (
	// In place of assumptionAlpha: what joint/1 tells of one copy can depend on another
	// that no evidence names.
	assumptionAlphaJoint = "Alpha holds for this package, all copies and decodings of it together, for specimens that were fixed in advance of any result; P packages come to P times alpha. For specimens chosen after results of this package were seen it is proved only for copies that no earlier explanation considered: of others, results may tell something although no evidence names them. " +
		"Once findings named a copy, under whichever heading, or tested one beside it, its key is open, and later runs prove nothing new about its holder. (By the arithmetic, as long as nothing but such results is told.)"
	assumptionBeside = "Beside which copies one was tested, and by which channel, follows by the decoder from the readings and from every copy but that one. " +
		"(The dossier shows that the channel follows from the readings and the copies beside. That these were found by the decoder, and not chosen to accuse somebody, is the inquiry's word, since the other copies stay closed; whoever is given all keys can run the decoder again. p_chosen is what is left without that word, given that keys were drawn fairly: it counts every choice that there was, of partners among the copies that were issued, and none of their keys. A partner's key that was picked before the material existed, among many tries, so that its marks are where another copy's aren't, makes that copy look guilty in any specimen, without influence on it. Fair drawing is what excludes it.)"
	assumptionPartners = "A copy that another was tested beside, a partner, is not accused by it: the decoder only supposes that it had a part, to see the other more clearly, and a supposition that is wrong makes the test weaker, never unjust. Partners have no number here. Their keys are open as those of the named are: later runs of this package prove nothing new about their holders."
)

// What findings by joint/1 have to print besides.
const (
	limitPartners = "The dossier opens the keys of %d copies that are not named, because named ones were tested beside them. Whoever has it can write those copies anew; later runs of this package prove nothing new about their holders."
	limitChosen   = "Over copies and decodings together alpha is proved for specimens that were fixed in advance of any result of this package. For those chosen after results were seen it is proved only for copies that no earlier explanation considered. Whether the specimens of run %d were so chosen cannot be seen from them."
	limitMerged   = "The decoder looks for up to %d copies that were merged. How many it supposes is what explains the readings best, not a count: fewer may be named than had a part, and of material merged from more than the marks suffice for, none."
)

func (f *Findings) jointLimits() (out []string) {
	if !f.joint() {
		return nil
	}
	if n := len(f.Partners); n > 0 {
		out = append(out, fmt.Sprintf(limitPartners, n))
	}
	if f.Run > 1 {
		out = append(out, fmt.Sprintf(limitChosen, f.Run))
	}
	return append(out, fmt.Sprintf(limitMerged, fpcode.MaxColluders))
}

// Merged is of how many copies the rows' tests suppose the material to be made, at
// most. It is 1 where none supposes more.
func Merged(accused []Accused) int {
	n := 1
	for i := range accused {
		for _, p := range accused[i].Parts {
			n = max(n, p.Copies)
		}
	}
	return n
}

// Exact reports whether PSampled is a product of known probabilities and no mean:
// where the copy agrees everywhere, alone, each sample weighs the same.
func (a *Accused) Exact() bool {
	return a.SitesRead > 0 && a.SitesAgreeing == a.SitesRead && Merged([]Accused{*a}) == 1 && len(a.Beside()) == 0
}

// tested checks what rows say of their tests, as far as that can be seen from
// them: only joint/1 has any.
func (f *Findings) tested() error {
	if !f.joint() && len(f.Partners) > 0 {
		return failf("partners are listed for decoder %s, which has none", f.Decoder)
	}
	for _, rows := range [][]Accused{f.Accused, f.Conflicting} {
		for i := range rows {
			a := &rows[i]
			if f.joint() != (len(a.Parts) > 0) || f.joint() != (a.PChosen != "") {
				return failf("%s: how it was tested beside others is told or left out, and the decoder is %s", a.Name, f.Decoder)
			}
			for _, p := range a.Parts {
				if _, ok := p.keyed(func(ID) fpcode.Key { return fpcode.Key{} }); !ok || slices.Contains(p.Beside, a.Holder) {
					return failf("%s: its part %q is none", a.Name, p.Class)
				}
				for k, h := range p.Beside {
					if slices.Contains(p.Beside[:k], h) {
						return failf("%s: its part %q has one copy twice", a.Name, p.Class)
					}
				}
			}
		}
	}
	return nil
}
