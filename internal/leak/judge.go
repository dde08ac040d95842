package leak

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
	"forewarn/internal/sighting"
)

// ErrInputs is the class of inputs that do not fit together: findings made from
// them would not verify. Nothing was made.
var ErrInputs = errors.New("the inputs of the findings do not fit together")

// Hits of one token beyond these are not listed: one proves what a thousand do.
const maxHits = 16

// Judge makes findings. It fails with ErrInputs, or with the error of CopyHash.
func Judge(in Inputs) (*evidence.Findings, error) {
	j, err := newJudge(in)
	if err != nil {
		return nil, err
	}
	f := j.frame()
	rows, unlisted, err := j.rows(f.Alpha)
	if err != nil {
		return nil, err
	}
	var named []*evidence.Accused
	for i := range rows {
		named = append(named, &rows[i])
	}
	f.Partners = j.partners(rows)
	f.Sensitivity = evidence.Sensitivities(j.basis, f.Alpha, named, func(h evidence.ID) fpcode.Key { return in.Reading.CopyKey(entrylog.Ref(h)) })
	f.PAttainable, f.OtherCopies.Count = j.basis.Attainable(), j.basis.Copies-len(rows)-unlisted
	conclusion, reason := evidence.Conclude(f.Alpha, f.PAttainable, unlisted, rows)
	f.Conclusion, f.Statement = conclusion, evidence.Sentence(conclusion, rows)
	if conclusion == evidence.Traced {
		f.Accused = rows
	} else {
		f.Conflicting = rows
		f.Why = append(f.Why, reason)
	}
	j.f = f
	if err := j.edits(rows); err != nil {
		return nil, err
	}
	j.accumulated()
	j.recoveries()
	f.SetVersion()
	f.Why = append(append(f.Why, j.tooLate...), j.why()...)
	f.WouldHelp = j.wouldHelp()
	f.DesignBased = j.designBased()
	f.ModelBased = j.modelBased()
	f.Duties = j.duties()
	f.Rivals = j.rivals()
	f.Limits = append(append(evidence.RequiredLimits(f), j.lateGroups(rows)...), j.limits()...)
	if f.Accumulated != nil {
		f.Limits = append(f.Limits, evidence.LimitOpenBefore)
	}
	if conclusion != evidence.Traced {
		f.Limits = append(f.Limits, j.burnt(rows)...)
	}
	return f, nil
}

// judge holds what the parts of findings share.
type judge struct {
	in      Inputs
	basis   evidence.Basis
	holder  map[entrylog.Ref]*Holder
	wave    map[entrylog.Ref]*Wave
	first   sighting.Interval // when the material was first known to be out
	seq     entrylog.Seq      // of that
	grade   string            // of its source
	limit   time.Time         // from here on a copy comes too late (evidence.KnownBefore)
	tooLate []string          // who would be named but for that
	f       *evidence.Findings
}

func newJudge(in Inputs) (*judge, error) {
	r, facts := in.Reading, in.Facts
	bad := func(format string, args ...any) (*judge, error) {
		return nil, fmt.Errorf("%w: "+format, append([]any{ErrInputs}, args...)...)
	}
	j := &judge{in: in, holder: map[entrylog.Ref]*Holder{}, wave: map[entrylog.Ref]*Wave{}}
	for i := range facts.Holders {
		j.holder[facts.Holders[i].ID] = &facts.Holders[i]
	}
	read := false
	for i := range facts.Waves {
		w := &facts.Waves[i]
		if w.Sealed.IsZero() {
			return bad("%s was sealed at no known time", w.Label)
		}
		j.wave[w.ID] = w
		read = read || r.Readings != nil && w.Form == r.Readings.Form
		for _, h := range w.Holders {
			if j.holder[h] == nil {
				return bad("%s went to holder %s, who is not among those that copies were issued to", w.Label, h)
			}
		}
	}
	switch {
	case r.Form == nil || r.Readings == nil || r.CopyKey == nil || r.CopyHash == nil:
		return bad("Form, readings and the ways to keys and copies are needed")
	case !read:
		return bad("no wave was sealed with the Form that was read")
	case len(r.Specimens) == 0 || len(r.Specimens) != len(r.Readings.Specimens):
		return bad("%d specimens, and readings of %d", len(r.Specimens), len(r.Readings.Specimens))
	case len(r.Holders) != len(facts.Holders) || len(r.Result.Scores) != len(r.Holders):
		return bad("%d copies were issued, %d tested and %d scored; all that were issued must be", len(facts.Holders), len(r.Holders), len(r.Result.Scores))
	case facts.Interval < time.Second:
		return bad("the interval of the log's anchors is %v", facts.Interval)
	case r.Run < 1 || r.AlphaPico == 0:
		return bad("run %d at alpha %d·10⁻¹²; both are from 1", r.Run, r.AlphaPico)
	}
	for i, s := range r.Specimens {
		if ref := r.Readings.Specimens[i]; ref.Hash != s.SHA256 || ref.Size != uint64(s.Size) || ref.Name != s.Name {
			return bad("specimen %d is not the one that was read", i+1)
		}
	}
	for _, h := range r.Holders {
		if j.holder[h] == nil {
			return bad("holder %s was tested and has no copy", h)
		}
	}
	for _, t := range r.Tokens {
		if j.holder[t.Holder] == nil || t.Specimen < 0 || t.Specimen >= len(r.Specimens) {
			return bad("a token %s is of nobody, or in no specimen", t.Slot)
		}
	}
	for _, a := range append(slices.Clone(r.Result.Accused), r.Tested...) {
		all := [][16]byte{a.Holder}
		for _, p := range a.Parts {
			all = append(all, p.Beside...)
		}
		for _, h := range all {
			if j.holder[h] == nil {
				return bad("the decoder tells of holder %x, who has no copy", h)
			}
		}
	}
	j.basis = evidence.Basis{Form: r.Form, Readings: r.Readings, Copies: len(r.Holders), Run: r.Run, Decoder: r.Result.Version}
	j.first, j.seq, j.grade = first(in)
	return j, nil
}

// first is when the material was first known to be out: seen somewhere, or in
// a specimen. The first of several uncertain times lies between the earliest
// beginning and the earliest end. A time of which only the end is known is an end
// like any other; where it is the earliest, the beginning is unknown.
func first(in Inputs) (v sighting.Interval, seq entrylog.Seq, grade string) {
	open := false
	add := func(t sighting.Interval, e entrylog.Seq, g string) {
		if t.To.IsZero() {
			return
		}
		if !t.From.IsZero() && (v.From.IsZero() || t.From.Before(v.From)) {
			v.From = t.From
		}
		if v.To.IsZero() || t.To.Before(v.To) {
			v.To, seq, grade, open = t.To, e, g, t.From.IsZero()
		}
	}
	for _, s := range in.Seen {
		add(s.Time, s.Entry, s.Grade)
	}
	for _, s := range in.Reading.Specimens {
		add(s.Found, 0, "")
	}
	if open {
		v.From = time.Time{}
	}
	return v, seq, grade
}

// frame is what doesn't depend on who is named.
func (j *judge) frame() *evidence.Findings {
	r, facts := j.in.Reading, j.in.Facts
	f := &evidence.Findings{
		Programme: facts.Programme,
		Case:      evidence.ID(facts.Case), CaseName: facts.CaseName, Package: evidence.ID(facts.Package),
		Reader: r.Readings.Reader, Decoder: r.Result.Version, Profile: r.Profile.String(), Channel: evidence.ChannelText(r.Result.Version),
		Alpha: evidence.AlphaText(r.AlphaPico), Run: r.Run, Copies: len(r.Holders), FrozenAt: micro(r.FrozenAt),
		Rule: evidence.RuleFor(r.Result.Version), Readings: evidence.Counts(r.Readings), FirstSighting: window(j.first, j.seq),
		Assumptions: evidence.AssumptionsFor(r.Result.Version), Meaning: evidence.Meaning, ProcessError: evidence.ProcessError,
	}
	f.SetVersion()
	for _, w := range facts.Waves {
		if w.Form == r.Readings.Form {
			f.Revision = evidence.ID(w.Revision)
			break
		}
	}
	for _, s := range r.Specimens {
		f.Specimens = append(f.Specimens, evidence.SpecimenFacts{Name: s.Name, SHA256: fmt.Sprintf("%x", s.SHA256), Size: s.Size, Found: window(s.Found, 0)})
	}
	for i := range facts.Waves {
		f.Exposure = append(f.Exposure, j.exposure(i))
	}
	j.limit, _ = evidence.KnownBefore(f.FrozenAt, f.Specimens)
	return f
}

// inTime reports whether an entry of that time was anchored before the specimens
// may have existed: whether it can have to do with them.
func (j *judge) inTime(at time.Time) bool {
	d := j.in.Facts.Interval
	return entrylog.TickOf(at, d).Instant(d).Before(j.limit)
}

func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func (j *judge) exposure(i int) evidence.Exposure {
	w := &j.in.Facts.Waves[i]
	x := evidence.Exposure{Wave: evidence.ID(w.ID), Label: evidence.WaveLabel(i), Level: w.Level.String(), OpensAt: micro(w.OpensAt), Entry: uint64(w.Entry), Holders: len(w.Holders)}
	if w.Label != x.Label {
		x.KnownAs = w.Label
	}
	fetched, received, before := map[entrylog.Ref]bool{}, map[entrylog.Ref]bool{}, map[entrylog.Ref]bool{}
	for _, a := range j.in.Facts.Fetches {
		if a.Wave == w.ID {
			fetched[a.Holder] = true
			before[a.Holder] = before[a.Holder] || !j.first.To.IsZero() && !a.At.After(j.first.To)
		}
	}
	for _, a := range j.in.Facts.Receipts {
		if a.Wave == w.ID {
			received[a.Holder] = true
		}
	}
	x.Fetched, x.Received = len(fetched), len(received)
	for _, b := range before {
		if b {
			x.BeforeFirst++
		}
	}
	return x
}

// rows are the copies that some evidence names, those that wording names first.
// Of more than evidence.MaxNamed the rest is only counted, and stays closed.
func (j *judge) rows(alpha string) (out []evidence.Accused, unlisted int, err error) {
	var order []entrylog.Ref
	for _, a := range j.in.Reading.Result.Accused {
		order = append(order, a.Holder)
	}
	var byToken []entrylog.Ref
	for _, t := range j.in.Reading.Tokens {
		byToken = append(byToken, t.Holder)
	}
	slices.SortFunc(byToken, func(a, b entrylog.Ref) int { return bytes.Compare(a[:], b[:]) })
	for _, h := range byToken {
		if !slices.Contains(order, h) {
			order = append(order, h)
		}
	}
	for _, h := range order {
		a, err := j.row(h)
		if err != nil {
			return nil, 0, err
		}
		if a.NamedBy = a.Named(alpha); len(a.NamedBy) == 0 {
			continue // tokens that may be replays, and nothing else
		}
		if late := j.besideLate(&a); late != "" {
			j.tooLate = append(j.tooLate, late)
			continue
		}
		if len(out) == evidence.MaxNamed {
			unlisted++
			continue
		}
		if err := j.copies(&a, h); err != nil {
			return nil, 0, err
		}
		if len(a.Copies) == 0 {
			j.tooLate = append(j.tooLate, fmt.Sprintf("Taken alone, %s would name the copy issued to %s. It was committed to on %s, when the material may already have existed (from %s on), so it cannot be named.",
				strings.Join(a.NamedBy, " and "), a.Name, stamp(j.committed(h)), stamp(j.limit)))
			continue
		}
		a.Acknowledged = a.Grade()
		a.DerivedFrom = a.Derived()
		out = append(out, a)
	}
	return out, unlisted, nil
}

func (j *judge) row(h entrylog.Ref) (evidence.Accused, error) {
	who := j.holder[h]
	parts, test, err := j.test(h)
	if err != nil {
		return evidence.Accused{}, err
	}
	n := j.basis.Under(test).Of(j.in.Reading.CopyKey(h))
	a := evidence.Accused{
		Holder: evidence.ID(h), Name: who.Name, Staff: who.Staff,
		Score: n.Score, PUpper: n.PUpper, PEstimate: n.PEstimate, PSampled: n.PSampled, PSampledSE: n.PSampledSE,
		PAdjusted: n.PAdjusted, Consistent: n.Consistent, SitesRead: n.SitesRead, SitesAgreeing: n.SitesAgreeing,
		Tokens: j.tokens(h), Group: j.group(who), Parts: parts, PChosen: n.PChosen,
	}
	if slices.ContainsFunc(a.Tokens, func(t evidence.TokenHit) bool { return t.Counts }) {
		var size int64
		for _, s := range j.in.Reading.Specimens {
			size += s.Size
		}
		slots := len(j.in.Reading.Form.Slots())
		a.PTokens, a.PAimed = evidence.TokenChance(size, j.basis.Copies, slots, j.basis.Run), evidence.TokenAim(j.basis.Copies, slots)
	}
	return a, nil
}

func (j *judge) group(who *Holder) (g evidence.Group) {
	if who.Group.IsZero() || !j.declared(who) {
		return g
	}
	g = evidence.Group{ID: evidence.ID(who.Group), Entry: uint64(who.GroupEntry.Entry), Name: who.GroupName}
	for _, h := range j.in.Facts.Holders {
		if h.Group == who.Group {
			g.Members = append(g.Members, h.Name)
		}
	}
	slices.Sort(g.Members)
	return g
}

// declared reports whether a holder's group was in the log before the first wave
// was sealed. Later it could be made up to join what contradicts.
func (j *judge) declared(who *Holder) bool {
	at := who.GroupEntry.At
	return !at.IsZero() && at.Before(j.in.Facts.Waves[0].Sealed)
}

// lateGroups says whose common ownership doesn't count.
func (j *judge) lateGroups(rows []evidence.Accused) (out []string) {
	for _, a := range rows {
		if who := j.holder[entrylog.Ref(a.Holder)]; !who.Group.IsZero() && !j.declared(who) {
			out = append(out, fmt.Sprintf("%s is under the common ownership of %s, which was declared in the log only after the first wave was sealed. It stands for itself here.", who.Name, who.GroupName))
		}
	}
	return out
}

// tokens are the hits of one holder's tokens, in order, without repeats.
func (j *judge) tokens(h entrylog.Ref) (out evidence.List[evidence.TokenHit]) {
	var hits []Hit
	for _, t := range j.in.Reading.Tokens {
		if t.Holder == h {
			hits = append(hits, t)
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Specimen, b.Specimen), cmp.Compare(a.Offset, b.Offset))
	})
	n := map[string]int{}
	for _, t := range slices.Compact(hits) {
		if n[t.Slot]++; n[t.Slot] > maxHits {
			continue
		}
		public := j.firstPublic(h, t.Slot)
		found := window(j.in.Reading.Specimens[t.Specimen].Found, 0)
		hit := evidence.TokenHit{Slot: t.Slot, Text: t.Text, Specimen: t.Specimen, Offset: t.Offset, FirstPublic: public, Counts: evidence.TokenCounts(found, public)}
		hit.Note = tokenNote(hit, found)
		out = append(out, hit)
	}
	return out
}

func tokenNote(t evidence.TokenHit, found evidence.Window) string {
	switch {
	case found.To.IsZero():
		return "By when the specimen existed is not known: the token may have been copied from elsewhere, so it proves nothing."
	case t.FirstPublic == (evidence.Window{}):
		return "Not known to have been seen anywhere else."
	case t.Counts:
		return "The specimen existed before the token was first seen anywhere else."
	}
	return "First publicly seen before the specimen is known to have existed: anybody could have copied it, so it proves nothing."
}

// firstPublic is when a token was first seen elsewhere than in the specimens.
func (j *judge) firstPublic(h entrylog.Ref, slot string) (w evidence.Window) {
	seen, unknown := sighting.Interval{}, false
	var seq entrylog.Seq
	for _, s := range j.in.Seen {
		if s.Specimen != 0 || s.Holder != h || s.Slot != slot {
			continue
		}
		if !s.Time.Known() {
			unknown, seq = true, s.Entry
			continue
		}
		if seen.From.IsZero() || s.Time.From.Before(seen.From) {
			seen.From = s.Time.From
		}
		if seen.To.IsZero() || s.Time.To.Before(seen.To) {
			seen.To, seq = s.Time.To, s.Entry
		}
	}
	if unknown {
		// It may have been at any time: only the end is left, if there is one.
		return evidence.Window{To: cmp.Or(seen.To, micro(j.in.Reading.FrozenAt)), Entry: uint64(seq)}
	}
	return window(seen, seq)
}

// copies lists the named holder's copies of the revision that was read, but for
// those that came too late, with who fetched and acknowledged them.
func (j *judge) copies(a *evidence.Accused, h entrylog.Ref) error {
	late := false
	for i := range j.in.Facts.Waves {
		w := &j.in.Facts.Waves[i]
		if w.Form != j.in.Reading.Readings.Form || !slices.Contains(w.Holders, h) {
			continue
		}
		if !j.inTime(w.Sealed) {
			late = true
			continue
		}
		hash, err := j.in.Reading.CopyHash(w.ID, h)
		if err != nil {
			return fmt.Errorf("the copy of %s in %s: %w", a.Name, w.Label, err)
		}
		a.Copies = append(a.Copies, evidence.IssuedCopy{
			Wave: evidence.ID(w.ID), Label: evidence.WaveLabel(i), Level: w.Level.String(), OpensAt: micro(w.OpensAt), Copy: fmt.Sprintf("%x", hash),
			Acknowledged: slices.ContainsFunc(j.in.Facts.Receipts, func(x Access) bool { return x.Wave == w.ID && x.Holder == h && j.inTime(x.At) }),
			Shows:        j.basis.Shows(j.in.Reading.CopyKey(h), w.Level, a.Tokens),
		})
		a.Fetches = append(a.Fetches, accesses(j.in.Facts.Fetches, w.ID, h)...)
		a.Receipts = append(a.Receipts, accesses(j.in.Facts.Receipts, w.ID, h)...)
	}
	if len(a.Copies) == 0 && !late {
		return fmt.Errorf("%w: %s is named and has no copy of the revision that was read", ErrInputs, a.Name)
	}
	return nil
}

// committed is when a holder's first copy of the revision that was read was
// committed to.
func (j *judge) committed(h entrylog.Ref) time.Time {
	for _, w := range j.in.Facts.Waves {
		if w.Form == j.in.Reading.Readings.Form && slices.Contains(w.Holders, h) {
			return w.Sealed
		}
	}
	return time.Time{}
}

func accesses(all []Access, wave, holder entrylog.Ref) (out []evidence.Access) {
	for _, x := range all {
		if x.Wave == wave && x.Holder == holder {
			out = append(out, evidence.Access{Account: evidence.ID(x.Account), AccountName: x.AccountName, At: micro(x.At), Entry: uint64(x.Entry)})
		}
	}
	return out
}
