package cvd

import (
	"cmp"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// Reminder is how long before something opens, binds or lapses people are told once
// more, if they knew of it before that.
const Reminder = 24 * time.Hour

// Together is how long after a report that nobody read yet another one tells nobody
// anew: who looks finds both, and a flood of reports is no flood of mail.
const Together = time.Hour

// party is somebody whom something waits for: since which entry, and from when on
// there is reason to tell.
type party struct {
	who   HolderID // a member, or one account
	since entrylog.Seq
	from  time.Time
}

// occasions is what people are told of, and whom: one row for each Why. Nothing of
// it is stored. over is what there is to ask about; who yields whom it waits for
// at a time, of those for whom it began to after another time: in time proportional
// to them, and at once where it began before.
var occasions = [whyEnd]struct {
	name  string
	first Roles // of a member's accounts: who is told first; none: each account is for itself
	over  subjects
	who   func(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party))
}{
	WaveOpened:      {"a wave opened", contact, theWaves, toldOpened},
	WaveSoon:        {"a wave opens soon", contact, theWaves, toldOpensSoon},
	ConsentAsked:    {"consent is asked", admin, theCases, toldConsent},
	ConsentSoon:     {"an invitation lapses soon", admin, theCases, toldConsentSoon},
	TermsAsked:      {"terms are to be accepted", admin, theTerms, toldTerms},
	TermsSoon:       {"terms bind soon", admin, theTerms, toldTermsSoon},
	RecallMade:      {"a revision was recalled", contact, theRevisions, toldRecall},
	EmbargoOver:     {"an embargo was ended", contact, theCases, toldEnded},
	CaseReleased:    {"a case was released", contact, theCases, toldReleased},
	ReleaseSoon:     {"a release is near", contact, theCases, toldReleaseSoon},
	ServingHeld:     {"serving was stopped", contact, theWaves, toldHeld},
	AccessRecovered: {"access is recovered", 0, theAccounts, toldRecovery},
	ApprovalAsked:   {"approval is asked", 0, theWaves, toldApproval},
	ReportWaits:     {"a report waits", 0, theReports, toldReport},
}

func (w Why) String() string {
	if w < whyEnd && w != NoWhy {
		return occasions[w].name
	}
	return "nothing"
}

var contact = RoleSet(MemberContact)

// subjects is things of one kind that people are told about.
type subjects struct {
	each func(p *Programme, yield func(entrylog.Ref))
	has  func(p *Programme, id entrylog.Ref) bool
}

func subjectsOf[T any](all func(*Programme) ([]wire.ID[T], map[wire.ID[T]]*T)) subjects {
	return subjects{
		func(p *Programme, yield func(entrylog.Ref)) {
			order, _ := all(p)
			for _, id := range order {
				yield(ref(id))
			}
		},
		func(p *Programme, id entrylog.Ref) bool {
			_, m := all(p)
			return m[wire.ID[T](id)] != nil
		},
	}
}

var (
	theWaves     = subjectsOf(func(p *Programme) ([]WaveID, map[WaveID]*Wave) { return p.WaveOrder, p.Waves })
	theCases     = subjectsOf(func(p *Programme) ([]CaseID, map[CaseID]*Case) { return p.CaseOrder, p.Cases })
	theRevisions = subjectsOf(func(p *Programme) ([]RevisionID, map[RevisionID]*Revision) { return p.RevisionOrder, p.Revisions })
	theReports   = subjectsOf(func(p *Programme) ([]ReportID, map[ReportID]*Report) { return p.ReportOrder, p.Reports })
	theAccounts  = subjectsOf(func(p *Programme) ([]AccountID, map[AccountID]*Account) { return p.AccountOrder, p.Accounts })

	// Of terms, the last alone: who accepts them has accepted those before.
	theTerms = subjects{
		func(p *Programme, yield func(entrylog.Ref)) {
			if n := len(p.Terms); n > 0 {
				yield(ref(p.Terms[n-1].ID))
			}
		},
		func(p *Programme, id entrylog.Ref) bool {
			return slices.ContainsFunc(p.Terms, func(t *Terms) bool { return ref(t.ID) == id })
		},
	}
)

// within reports whether something begins after a time, and has.
func within(from, now, after time.Time) bool { return from.After(after) && !now.Before(from) }

// later is the later of two entries.
func later(a, b Note) Note {
	if b.Seq > a.Seq {
		return b
	}
	return a
}

// unread reports whether a case still holds something to warn of.
func (p *Programme) unread(id CaseID, now time.Time) bool {
	ph := p.PhaseOf(id, now)
	return ph != PhasePublic && ph != PhaseShredded
}

// toldOpened is whoever an open wave waits for.
func toldOpened(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	w := p.Waves[WaveID(about)]
	if w == nil || w.Statement == nil || w.Purpose == Preview {
		return
	}
	from := w.OpensAt
	if w.Sealed.At.After(from) {
		from = w.Sealed.At
	}
	if !within(from, now, after) || p.WaveState(w.ID, now) != StateOpen || !p.unread(w.Case, now) ||
		!w.LapsesAt.IsZero() && !now.Before(w.LapsesAt) {
		return
	}
	for i, h := range w.Audience {
		if (w.Copies == nil || len(w.Copies[i].Fetches) == 0) && p.knows(w, h) {
			yield(party{h, w.Sealed.Seq, from})
		}
	}
}

func toldOpensSoon(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	w := p.Waves[WaveID(about)]
	if w == nil || w.Statement == nil || w.Purpose == Preview {
		return
	}
	from := w.OpensAt.Add(-Reminder)
	if !within(from, now, after) || w.Sealed.At.After(from) || p.WaveState(w.ID, now) != StateSealed {
		return
	}
	for _, h := range w.Audience {
		if p.knows(w, h) {
			yield(party{h, w.Sealed.Seq, from})
		}
	}
}

// toldConsent is whoever was invited, or signed an embargo that was since changed,
// and can say yes or no now.
func toldConsent(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	c := p.Cases[CaseID(about)]
	if c == nil || !binds(p.EmbargoState(c.ID, now)) {
		return
	}
	for _, id := range c.ParticipantOrder {
		part := c.Participants[id]
		waits := part.Consent == Lapsed || part.Consent == Invited && p.ConsentOf(c.ID, id, now) == Invited
		if n := later(part.Invited, c.Embargo.Note); waits && within(n.At, now, after) {
			yield(party{HolderID(id), n.Seq, n.At})
		}
	}
}

func toldConsentSoon(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	c := p.Cases[CaseID(about)]
	if c == nil || !binds(p.EmbargoState(c.ID, now)) {
		return
	}
	for _, id := range c.ParticipantOrder {
		part := c.Participants[id]
		from := part.Until.Add(-Reminder)
		if !part.Until.IsZero() && within(from, now, after) && part.Invited.At.Before(from) && p.ConsentOf(c.ID, id, now) == Invited {
			yield(party{HolderID(id), part.Invited.Seq, from})
		}
	}
}

func toldTerms(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	if t := p.lastTerms(about); t != nil {
		p.unaccepted(t, t.At, now, after, yield)
	}
}

func toldTermsSoon(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	if t := p.lastTerms(about); t != nil && t.At.Before(t.Binds.Add(-Reminder)) && now.Before(t.Binds) {
		p.unaccepted(t, t.Binds.Add(-Reminder), now, after, yield)
	}
}

func (p *Programme) lastTerms(about entrylog.Ref) *Terms {
	if n := len(p.Terms); n > 0 && ref(p.Terms[n-1].ID) == about {
		return p.Terms[n-1]
	}
	return nil
}

// unaccepted is the members who were there when terms were published, and have not
// accepted them. Who came later is told when it is let in.
func (p *Programme) unaccepted(t *Terms, from, now, after time.Time, yield func(party)) {
	if !within(from, now, after) {
		return
	}
	for _, id := range p.MemberOrder {
		m := p.Members[id]
		if n := len(m.Accepted); m.Standing == Good && m.Admitted.Seq < t.Seq && (n == 0 || m.Accepted[n-1].Number < t.Number) {
			yield(party{HolderID(id), t.Seq, from})
		}
	}
}

// toldRecall is whoever was given a copy of a recalled revision, and hasn't said that
// it is used no more.
func toldRecall(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	r := p.Revisions[RevisionID(about)]
	if r == nil || r.Recall == nil || !within(r.Recall.At, now, after) {
		return
	}
	done := map[HolderID]bool{} // has acknowledged, or was yielded
	for _, ack := range r.Recall.Acknowledged {
		done[ack.Holder] = true
	}
	for _, id := range p.Packages[r.Package].Waves {
		w := p.Waves[id]
		if w.Revision != r.ID {
			continue
		}
		for i := range w.Copies {
			if h := w.Audience[i]; len(w.Copies[i].Fetches) > 0 && !done[h] {
				done[h] = true
				yield(party{h, r.Recall.Seq, r.Recall.At})
			}
		}
	}
}

func toldEnded(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	if c := p.Cases[CaseID(about)]; c != nil && c.Ended != nil && p.unread(c.ID, now) {
		p.signatories(c, c.Ended.Seq, c.Ended.At, now, after, yield)
	}
}

func toldReleased(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	if c := p.Cases[CaseID(about)]; c != nil && c.Released != nil && c.Shredded == nil {
		p.signatories(c, c.Released.Seq, c.Released.At, now, after, yield)
	}
}

func toldReleaseSoon(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	c := p.Cases[CaseID(about)]
	if c == nil || !binds(p.EmbargoState(c.ID, now)) {
		return
	}
	n := c.Embargo.Note
	if k := len(c.Moves); k > 0 {
		n = later(n, c.Moves[k-1].Note)
	}
	if from := c.Embargo.Release.At.Add(-Reminder); n.At.Before(from) {
		p.signatories(c, n.Seq, from, now, after, yield)
	}
}

func (p *Programme) signatories(c *Case, since entrylog.Seq, from, now, after time.Time, yield func(party)) {
	if !within(from, now, after) {
		return
	}
	for _, id := range c.ParticipantOrder {
		if c.Participants[id].Consent == Signatory {
			yield(party{HolderID(id), since, from})
		}
	}
}

// toldHeld is the audience of a wave that was open when its serving was stopped.
func toldHeld(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	w := p.Waves[WaveID(about)]
	if w == nil || w.Statement == nil || w.Purpose == Preview || p.WaveState(w.ID, now) != StateHeld || !p.unread(w.Case, now) {
		return
	}
	var n Note
	if w.Hold != nil {
		n = w.Hold.Note
	}
	if h := p.Cases[w.Case].Hold; h != nil {
		n = later(n, h.Note)
	}
	if !within(n.At, now, after) || n.At.Before(w.OpensAt) {
		return
	}
	for _, h := range w.Audience {
		if p.knows(w, h) {
			yield(party{h, n.Seq, n.At})
		}
	}
}

// toldRecovery is every account of the same member, or every coordinator when it is
// no member's: who sees that it wasn't its person can say so in time.
func toldRecovery(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	a := p.Accounts[AccountID(about)]
	if a == nil {
		return
	}
	var n Note
	for i := range a.Invitations {
		if a.Invitations[i].Recovery {
			n = later(n, a.Invitations[i].Note)
		}
	}
	for i := range a.Credentials {
		if a.Credentials[i].Recovery {
			n = later(n, a.Credentials[i].Note)
			if l := a.Credentials[i].Lifted; l != nil {
				n = later(n, l.Note)
			}
		}
	}
	if !within(n.At, now, after) {
		return
	}
	told := p.AccountOrder
	if m := p.Members[a.Member]; m != nil {
		told = m.Accounts
	}
	for _, id := range told {
		if x := p.Accounts[id]; p.active(x) && (id == a.ID || !a.Member.IsZero() || x.Roles.Has(Coordinator)) {
			yield(party{HolderID(id), n.Seq, n.At})
		}
	}
}

// toldApproval is every approver who had no hand in a wave that waits for one.
func toldApproval(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	w := p.Waves[WaveID(about)]
	if w == nil || w.Purpose != Staged || !p.unread(w.Case, now) {
		return
	}
	if s := p.WaveState(w.ID, now); s != StateDraft && !(w.Reask && s == StateHeld) {
		return
	}
	n, c := w.Drafted, p.Cases[w.Case]
	if k := len(c.Moves); k > 0 {
		n = later(n, c.Moves[k-1].Note) // it asked again
	}
	if !within(n.At, now, after) {
		return
	}
	for _, id := range p.AccountOrder {
		if a := p.Accounts[id]; p.active(a) && a.Roles.Has(Approver) && !w.draftedBy(id) {
			yield(party{HolderID(id), n.Seq, n.At})
		}
	}
}

// toldReport is everybody who works on reports, when one came in that nobody has read
// or settled: but for its sender, and unless an earlier one waited then.
func toldReport(p *Programme, about entrylog.Ref, now, after time.Time, yield func(party)) {
	r := p.Reports[ReportID(about)]
	if r == nil || !within(r.At, now, after) || !r.taken().IsZero() || p.reportBefore(r) {
		return
	}
	for _, id := range p.AccountOrder {
		if a := p.Accounts[id]; p.active(a) && a.Roles&desk != 0 && id != r.By {
			yield(party{HolderID(id), r.Seq, r.At})
		}
	}
}

// taken is when somebody first read a report, or settled it; zero: it waits.
func (r *Report) taken() (at time.Time) {
	if len(r.Reads) > 0 {
		return r.Reads[0].At
	}
	if r.Settled != nil {
		return r.Settled.At
	}
	return at
}

// reportBefore reports whether another report waited when one came, that came shortly
// before it.
func (p *Programme) reportBefore(r *Report) bool {
	i, _ := slices.BinarySearchFunc(p.ReportOrder, r.Seq, func(id ReportID, seq entrylog.Seq) int {
		return cmp.Compare(p.Reports[id].Seq, seq)
	})
	for _, id := range slices.Backward(p.ReportOrder[:i]) {
		x := p.Reports[id]
		if r.At.Sub(x.At) > Together {
			break
		}
		if t := x.taken(); t.IsZero() || t.After(r.At) {
			return true
		}
	}
	return false
}

// partyOf is for whom an account is told on an occasion: its member, or itself where
// every account is.
func partyOf(w Why, a *Account) HolderID {
	if occasions[w].first == 0 {
		return HolderID(a.ID)
	}
	return a.HolderOf()
}

// contacts is who of a party can be told, first to last: the first two are its
// contact and its backup contact. Of a member, those with the roles come first.
func (p *Programme) contacts(h HolderID, first Roles) (out []AccountID) {
	m := p.Members[MemberID(h)]
	if m == nil {
		if a := p.Accounts[AccountID(h)]; a != nil && p.active(a) {
			return []AccountID{a.ID}
		}
		return nil
	}
	for _, preferred := range []bool{true, false} {
		for _, id := range m.Accounts {
			if a := p.Accounts[id]; p.active(a) && (a.Roles&first != 0) == preferred {
				out = append(out, id)
			}
		}
	}
	return out
}
