package evidence

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func (o *OpenedCopy) leaf() entrylog.Hash {
	return form.CopyLeaf(o.LeafSalt, o.Holder, fpcode.Commit(o.Key), o.Copy)
}

// AlphaText is how a committed alpha is printed: fpcode.RoundUp2's form, rounded
// down, so that printing never raises it.
func AlphaText(pico uint64) string {
	digits := fmt.Sprintf("%013d", pico) // 10⁻¹²
	lead := strings.IndexFunc(digits, func(r rune) bool { return r != '0' })
	if lead < 0 || pico > 1e12 {
		return "0.0e+00"
	}
	padded := digits + "0"
	return fmt.Sprintf("%c.%ce-%02d", padded[lead], padded[lead+1], lead)
}

func sameCounts(a, b ReadingCounts) bool {
	return a.Sites == b.Sites && a.Read == b.Read && a.Other == b.Other && a.Erased == b.Erased &&
		slices.Equal(a.ByClass, b.ByClass)
}

// copies checks that every opened copy was committed to, and that the findings
// list exactly those.
func (v *verification) copies() (string, error) {
	v.keys = map[ID][]*OpenedCopy{}
	v.rec = token.NewRecogniser(v.d.Rec)
	limit, _ := KnownBefore(v.f.FrozenAt, v.f.Specimens)
	for i := range v.d.Copies {
		o := &v.d.Copies[i]
		if int64(o.Wave) >= int64(len(v.wave)) {
			return "", failf("copy %d: it names wave %d of %d", i+1, o.Wave+1, len(v.wave))
		}
		w, holder := v.wave[o.Wave], ID(o.Holder)
		if err := bound(w, o.Path, o.leaf()); err != nil {
			return "", fmt.Errorf("copy %d: %w", i+1, err)
		}
		// An entry's time is its writer's; the tick of its anchor is not before it.
		if at := v.d.Waves[o.Wave].Anchor.Tick.Instant(v.d.Programme.Interval); !at.Before(limit) {
			return "", failf("copy %d: wave %d was anchored on %s, not before %s, from when on the material may have existed", i+1, o.Wave+1, stamp(at), stamp(limit))
		}
		if w.Epoch != v.wave[v.d.Copies[0].Wave].Epoch {
			return "", failf("copy %d: its tokens are of epoch %d and those of the first of epoch %d; only one key is opened", i+1, w.Epoch, v.wave[v.d.Copies[0].Wave].Epoch)
		}
		if w.Form != v.readings.Form && !v.partner(holder) {
			return "", failf("copy %d: it is of another Form than the one that was read", i+1)
		}
		for _, other := range v.keys[holder] {
			if other.Key != o.Key || other.Wave >= o.Wave {
				return "", failf("copy %d: the copies of one holder have one key and are listed by wave, once each", i+1)
			}
		}
		v.keys[holder] = append(v.keys[holder], o)
	}
	seen := map[ID]bool{}
	for _, a := range v.named() {
		opened := v.keys[a.Holder]
		if len(opened) == 0 || seen[a.Holder] {
			return "", failf("the copy of %s is named without being opened, or twice", a.Name)
		}
		seen[a.Holder] = true
		if len(a.Copies) != len(opened) {
			return "", failf("the findings list %d copies of %s; %d are opened", len(a.Copies), a.Name, len(opened))
		}
		for i, c := range a.Copies {
			w := v.wave[opened[i].Wave]
			if c.Wave != ID(w.Wave) || c.Label != WaveLabel(int(opened[i].Wave)) || c.Level != w.Level.String() || !c.OpensAt.Equal(w.OpensAt) || c.Copy != fmt.Sprintf("%x", opened[i].Copy) {
				return "", failf("the findings' copy of %s in %s is not the one opened", a.Name, c.Label)
			}
			if want := v.basis.Shows(opened[i].Key, w.Level, a.Tokens); c.Shows != want {
				return "", failf("the findings say that the copy of %s in %s has %d of what was found; it has %d", a.Name, c.Label, c.Shows, want)
			}
		}
		if a.Acknowledged != a.Grade() {
			return "", failf("the findings grade the copy of %s %q; by the copies listed it is %q", a.Name, a.Acknowledged, a.Grade())
		}
		if a.DerivedFrom != a.Derived() {
			return "", failf("the findings do not name the copy of %s by what they say of it", a.Name)
		}
	}
	if err := v.partners(seen); err != nil {
		return "", err
	}
	if len(seen) != len(v.keys) {
		return "", failf("copies are opened that the findings do not name")
	}
	beside := ""
	if n := len(v.f.Partners); n > 0 {
		beside = fmt.Sprintf("; %d of them only because named ones were tested beside them", n)
	}
	return fmt.Sprintf("%d opened, each under the root of a wave statement that was anchored before %s%s", len(v.d.Copies), stamp(limit), beside), nil
}

// print prints every opened copy anew, from the Form and its key alone, and
// compares with what was committed to.
func (v *verification) print() (string, error) {
	printed := 0
	for i := range v.d.Copies {
		o := &v.d.Copies[i]
		f := v.form[v.wave[o.Wave].Form]
		if f == nil {
			continue // a partner's, of another revision: its key is bound, and only that is used
		}
		printed++
		symbols, err := symbols(f, v.basis, o.Key)
		if err != nil {
			return "", err
		}
		w := v.wave[o.Wave]
		files := f.Render(w.Level, func(s form.Site) uint8 { return symbols[s.ID] }, func(slot string, a token.Alphabet) string {
			return TokenText(v.rec, o.Key, w.Epoch, w.Package, o.Holder, slot, a)
		})
		if form.CopyHash(files) != o.Copy {
			return "", failf("copy %d: printed again, it is not the copy that was committed to", i+1)
		}
	}
	if len(v.d.Copies) == 0 {
		return "nothing to print: no copy is named", nil
	}
	return fmt.Sprintf("%d printed from Form and keys, each with the committed hash", printed), nil
}

func symbols(f *form.Form, b Basis, key fpcode.Key) (map[fpcode.SiteID]uint8, error) {
	out := make(map[fpcode.SiteID]uint8, len(f.Sites))
	for _, s := range f.Sites {
		out[s.ID] = fpcode.Symbol(key, s.ID, f.SiteLaw(s))
	}
	return out, nil
}

// Numbers is what an accusation's row states, for comparison.
func (a *Accused) numbers() Numbers {
	return Numbers{a.Score, a.PUpper, a.PEstimate, a.PSampled, a.PSampledSE, a.PAdjusted, a.PChosen, a.Consistent, a.SitesRead, a.SitesAgreeing}
}

func (v *verification) probabilities() (string, error) {
	if _, ok := fpcode.Decoders[v.f.Decoder]; !ok {
		return "", failf("decoder %q is unknown to this program: use a version of forewarn that has it", v.f.Decoder)
	}
	if best := v.basis.Attainable(); v.f.PAttainable != best {
		return "", failf("the findings say that a copy which agreed everywhere would have p_adjusted %s; computed again it is %s", v.f.PAttainable, best)
	}
	var all []string
	for _, a := range v.named() {
		b := v.basis.under(a, v.keyOf)
		if v.f.joint() && !b.Explainable() {
			return "", failf("%s: the channel is not the one that the readings and the copies beside give, or something that was read is left out", a.Name)
		}
		n := b.Of(v.keyOf(a.Holder))
		if n != a.numbers() {
			return "", failf("%s: the findings say score %d, p_upper %s, p_estimate %s, p_sampled %s ± %s, p_adjusted %s, %d of %d sites; computed again it is %d, %s, %s, %s ± %s, %s, %d of %d",
				a.Name, a.Score, a.PUpper, a.PEstimate, a.PSampled, a.PSampledSE, a.PAdjusted, a.SitesAgreeing, a.SitesRead,
				n.Score, n.PUpper, n.PEstimate, n.PSampled, n.PSampledSE, n.PAdjusted, n.SitesAgreeing, n.SitesRead)
		}
		beside := ""
		if n := len(a.Beside()); n > 0 {
			beside = fmt.Sprintf(", beside %d by the channels that follow", n)
		}
		all = append(all, fmt.Sprintf("%s: p_adjusted %s on %d of %d sites%s", a.Name, n.PAdjusted, n.SitesAgreeing, n.SitesRead, beside))
	}
	if all == nil {
		return "none to compute: no copy is named", nil
	}
	return "computed again, the same: " + strings.Join(all, "; "), nil
}

func (v *verification) tokens() (string, error) {
	var total int64
	for _, s := range v.d.Specimens {
		total += int64(len(s.Data))
	}
	slots := v.form[v.readings.Form].Slots()
	chance := TokenChance(total, v.f.Copies, len(slots), v.f.Run)
	found := map[int]map[int64]mint{}
	hits := 0
	for _, a := range v.named() {
		if len(a.Tokens) > maxHits {
			return "", failf("%s: %d tokens are claimed; at most %d are allowed", a.Name, len(a.Tokens), maxHits)
		}
		own := v.ownTokens(a, slots)
		for _, t := range a.Tokens {
			hits++
			if t.Specimen < 0 || t.Specimen >= len(v.d.Specimens) {
				return "", failf("%s: token %s is claimed in specimen %d of %d", a.Name, t.Slot, t.Specimen+1, len(v.d.Specimens))
			}
			if found[t.Specimen] == nil {
				found[t.Specimen] = v.scan(t.Specimen)
			}
			if err := v.token(a, t, found[t.Specimen], own); err != nil {
				return "", err
			}
		}
		want, aimed := "", ""
		if slices.ContainsFunc(a.Tokens, func(t TokenHit) bool { return t.Counts }) {
			want, aimed = chance, TokenAim(v.f.Copies, len(slots))
		}
		if a.PTokens != want || a.PAimed != aimed {
			return "", failf("%s: p_tokens is %q and p_aimed %q; they should be %q and %q", a.Name, a.PTokens, a.PAimed, want, aimed)
		}
	}
	if hits == 0 {
		return "none claimed", nil
	}
	return fmt.Sprintf("%d claimed, each recognised in its specimen and that of the copy's key", hits), nil
}

// mint is what a token says.
type mint struct {
	alphabet token.Alphabet
	l        uint64
}

// scan finds every token in a specimen, by offset.
func (v *verification) scan(specimen int) map[int64]mint {
	out := map[int64]mint{}
	token.Scan(v.rec, v.d.Specimens[specimen].Data, func(off int, a token.Alphabet, l uint64) { out[int64(off)] = mint{a, l} })
	return out
}

// ownTokens are the tokens of a holder's opened copies, by slot: those of the
// slots that some of these copies shows.
func (v *verification) ownTokens(a *Accused, slots []form.Slot) map[string]mint {
	out := map[string]mint{}
	for _, o := range v.keys[a.Holder] {
		w := v.wave[o.Wave]
		_, has := shown(v.form[v.readings.Form], w.Level)
		for _, s := range slots {
			if has[s.Name] {
				out[s.Name] = mint{s.Alphabet, token.Identity(o.Key, w.Epoch, w.Package, o.Holder, s.Name)}
			}
		}
	}
	return out
}

func (v *verification) token(a *Accused, t TokenHit, found map[int64]mint, own map[string]mint) error {
	here, ok := found[t.Offset]
	data := v.d.Specimens[t.Specimen].Data
	if !ok || string(data[t.Offset:t.Offset+int64(here.alphabet.Len())]) != t.Text {
		return failf("%s: token %s does not stand at byte %d of specimen %d", a.Name, t.Slot, t.Offset, t.Specimen+1)
	}
	if want, ok := own[t.Slot]; !ok || want != here {
		return failf("%s: the token %s in specimen %d is of no committed copy of theirs", a.Name, t.Slot, t.Specimen+1)
	}
	return v.counts(a, t)
}

func (v *verification) counts(a *Accused, t TokenHit) error {
	if want := TokenCounts(v.f.Specimens[t.Specimen].Found, t.FirstPublic); t.Counts != want {
		return failf("%s: token %s is said to count: %t; by the times given it is %t", a.Name, t.Slot, t.Counts, want)
	}
	return nil
}

func (v *verification) sensitivity() (string, error) {
	want := Sensitivities(v.basis, v.f.Alpha, v.named(), v.keyOf)
	same := func(a, b Alone) bool { return a == b }
	if !slices.EqualFunc(want, v.f.Sensitivity, same) {
		return "", failf("what each evidence would say alone is not as computed again")
	}
	return fmt.Sprintf("%d rows computed again, the same", len(want)), nil
}

func (v *verification) assumptions() (string, error) {
	f := v.f
	if !slices.Equal(f.Assumptions, AssumptionsFor(f.Decoder)) || f.Meaning != Meaning || f.ProcessError != ProcessError || f.Rule != RuleFor(f.Decoder) {
		return "", failf("the findings leave out or change an assumption, the meaning of the probabilities, process error or the rule")
	}
	for _, l := range RequiredLimits(f) {
		if !slices.Contains(f.Limits, l) {
			return "", failf("the findings leave out a limit: %s", l)
		}
	}
	return fmt.Sprintf("all %d are printed, with process error, the limits that follow and the meaning of the probabilities", len(f.Assumptions)), nil
}

func (v *verification) conclusion() (string, error) {
	f := v.f
	var all []Accused
	for _, a := range v.named() {
		if by := a.Named(f.Alpha); len(by) == 0 || !slices.Equal(by, a.NamedBy) {
			return "", failf("%s is listed as named by %v; by the rule it is %v", a.Name, a.NamedBy, by)
		}
		all = append(all, *a)
	}
	unlisted := f.Copies - f.OtherCopies.Count - len(all)
	if unlisted < 0 || unlisted > 0 && len(all) < MaxNamed || f.OtherCopies.Count < 0 {
		return "", failf("%d copies are named and %d are said not to be; %d were issued", len(all), f.OtherCopies.Count, f.Copies)
	}
	want, why := Conclude(f.Alpha, f.PAttainable, unlisted, all)
	if f.Conclusion != want {
		return "", failf("the findings conclude %q; by the rule it is %q", f.Conclusion, want)
	}
	if s := Sentence(want, all); f.Statement != s {
		return "", failf("the findings state %q; what follows is %q", f.Statement, s)
	}
	if (want == Traced) != (len(f.Accused) > 0) || want == Traced && len(f.Conflicting) > 0 {
		return "", failf("the copies are not listed under the conclusion that follows")
	}
	if want == CannotSay && !slices.Contains(f.Why, why) {
		return "", failf("the findings do not give the reason: %s", why)
	}
	return want, nil
}
