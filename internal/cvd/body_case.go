package cvd

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

// CaseOpened makes a case.
type CaseOpened struct {
	Case     CaseID
	Title    BlobRef
	Report   BlobRef   // what the reporter sent; zero when there was none
	Reported time.Time // when it was received: before or at the entry's time
	Finder   AccountID // zero: no account
	Products []ProductID
}

func (b *CaseOpened) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 10.
func (b *CaseOpened) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Title.Wire(c)
	b.Report.Wire(c)
	c.Time(&b.Reported)
	b.Finder.Wire(c)
	idSet(c, &b.Products, maxList)
}

// CaseLinked says how a case stands to another.
type CaseLinked struct {
	Case, To CaseID
	Relation Relation
}

func (b *CaseLinked) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 11.
func (b *CaseLinked) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.To.Wire(c)
	wire.Enum(c, &b.Relation, Incomplete)
}

// ReleaseTime is the coordinated release date: an instant, and the zone in
// which it was agreed (an IANA name, for showing it; no decision reads it).
type ReleaseTime struct {
	At   time.Time
	Zone string
}

// Wire is the instant and the zone's name.
func (r *ReleaseTime) Wire(c *wire.Coder) {
	c.Time(&r.At)
	wire.Text(c, &r.Zone, maxZone)
}

// EmbargoProposed proposes an embargo, or a change of the one that binds.
type EmbargoProposed struct {
	Case    CaseID
	Number  uint32 // of the proposal in its case, from 1
	Release ReleaseTime
	Terms   BlobRef   // case-specific terms, if any
	Expires time.Time // not agreed by then, it is as if it had not been made; zero: never
	Anew    bool      // when agreed, signatories of the old embargo are asked again
}

func (b *EmbargoProposed) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 12.
func (b *EmbargoProposed) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	c.U32(&b.Number)
	b.Release.Wire(c)
	b.Terms.Wire(c)
	c.Time(&b.Expires)
	c.Bool(&b.Anew)
}

// EmbargoAgreed makes a proposal binding.
type EmbargoAgreed struct {
	Case   CaseID
	Number uint32 // of the proposal
}

func (b *EmbargoAgreed) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 13.
func (b *EmbargoAgreed) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	c.U32(&b.Number)
}

// ReleaseTimeMoved moves the release time of the embargo that binds. Every wave
// that has not opened asks for a second person again.
type ReleaseTimeMoved struct {
	Case    CaseID
	Release ReleaseTime
	Reason  BlobRef
}

func (b *ReleaseTimeMoved) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 14.
func (b *ReleaseTimeMoved) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Release.Wire(c)
	b.Reason.Wire(c)
}

// ParticipantInvited asks members to join a case's embargo.
type ParticipantInvited struct {
	Case    CaseID
	Role    ParticipantRole
	Until   time.Time  // not accepted by then, the invitation lapses; zero: never
	Members []MemberID // ascending
}

func (b *ParticipantInvited) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 15.
func (b *ParticipantInvited) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	wire.Enum(c, &b.Role, AsObserver)
	c.Time(&b.Until)
	idSet(c, &b.Members, maxAudience)
}

// ConsentGiven is a member's yes (Signatory) or no (Declined) to a case's
// embargo.
type ConsentGiven struct {
	Case    CaseID
	Member  MemberID
	Consent Consent
	Embargo uint32 // the number of the embargo that was seen
}

func (b *ConsentGiven) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 16.
func (b *ConsentGiven) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Member.Wire(c)
	wire.Enum(c, &b.Consent, Lapsed)
	c.U32(&b.Embargo)
}

// DraftSaved keeps a state of a package's source folder.
type DraftSaved struct {
	Package PackageID
	Case    CaseID
	Source  BlobRef
}

func (b *DraftSaved) subject() entrylog.Ref { return ref(b.Package) }

// Wire is the frozen layout of kind 17.
func (b *DraftSaved) Wire(c *wire.Coder) {
	b.Package.Wire(c)
	b.Case.Wire(c)
	b.Source.Wire(c)
}

// DraftOpened records that the entry's actor was given a draft to read:
// nobody reads off the log.
type DraftOpened struct {
	Package PackageID
	Source  BlobRef
}

func (b *DraftOpened) subject() entrylog.Ref { return ref(b.Package) }

// Wire is the frozen layout of kind 18.
func (b *DraftOpened) Wire(c *wire.Coder) {
	b.Package.Wire(c)
	b.Source.Wire(c)
}

// Ruling says whether readers may do something before release.
type Ruling struct {
	Verdict Verdict
	From    time.Time // set for the Verdict From only
}

// Wire is the verdict and the time.
func (r *Ruling) Wire(c *wire.Coder) {
	wire.Enum(c, &r.Verdict, From)
	c.Time(&r.From)
}

// Rulings has one Ruling for each Use, in the order of the uses.
type Rulings [useEnd]Ruling

// May reports whether a use is allowed at a time.
func (r *Rulings) May(u Use, now time.Time) bool {
	if u >= useEnd {
		return false
	}
	v := r[u]
	return v.Verdict == Yes || v.Verdict == From && !v.From.IsZero() && !now.Before(v.From)
}

// RevisionMade fixes a package's content as a Form, for ever.
type RevisionMade struct {
	Revision  RevisionID
	Package   PackageID
	Case      CaseID
	Number    uint32   // in its package, from 1
	Title     BlobRef  // title and summary, for pages
	Source    BlobRef  // the source folder, packed
	Form      [32]byte // form.Form.Hash, as the sealer compiled it
	SlotTable [32]byte // form.Form.SlotTableHash
	Label     tlp.Label
	Level     form.Level // the highest that it has files for
	Break     form.Level // what may go out when the embargo is ended; at most Detection, 0 = nothing
	AlphaPico uint64     // the package's false-accusation allowance in 1e-12, the same in all its revisions
	Rulings   Rulings
}

func (b *RevisionMade) subject() entrylog.Ref { return ref(b.Revision) }

// Wire is the frozen layout of kind 19.
func (b *RevisionMade) Wire(c *wire.Coder) {
	b.Revision.Wire(c)
	b.Package.Wire(c)
	b.Case.Wire(c)
	c.U32(&b.Number)
	b.Title.Wire(c)
	b.Source.Wire(c)
	c.Fixed(b.Form[:])
	c.Fixed(b.SlotTable[:])
	wire.Enum(c, &b.Label, tlp.Red)
	wire.Enum(c, &b.Level, form.PoC)
	wire.Enum(c, &b.Break, form.PoC)
	c.U64(&b.AlphaPico)
	for i := range b.Rulings {
		b.Rulings[i].Wire(c)
	}
}

// RecallIssued asks holders to stop using a revision. Its waves are served no
// more.
type RecallIssued struct {
	Revision RevisionID
	Reason   BlobRef
}

func (b *RecallIssued) subject() entrylog.Ref { return ref(b.Revision) }

// Wire is the frozen layout of kind 30.
func (b *RecallIssued) Wire(c *wire.Coder) {
	b.Revision.Wire(c)
	b.Reason.Wire(c)
}

// RecallAcknowledged says that a holder stopped using it.
type RecallAcknowledged struct {
	Revision RevisionID
	Holder   HolderID
}

func (b *RecallAcknowledged) subject() entrylog.Ref { return ref(b.Revision) }

// Wire is the frozen layout of kind 31.
func (b *RecallAcknowledged) Wire(c *wire.Coder) {
	b.Revision.Wire(c)
	b.Holder.Wire(c)
}

// AnswerGiven is what a member says about a product in a case.
type AnswerGiven struct {
	Case    CaseID
	Member  MemberID
	Product ProductID
	Answer  AnswerState
	Text    BlobRef // versions, reference, words
}

func (b *AnswerGiven) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 29.
func (b *AnswerGiven) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Member.Wire(c)
	b.Product.Wire(c)
	wire.Enum(c, &b.Answer, Shipped)
	b.Text.Wire(c)
}

// EmbargoEnded ends an embargo before its time, and says what may go out: a
// revision up to a level that was approved with it, or nothing.
type EmbargoEnded struct {
	Case     CaseID
	Revision RevisionID // zero: no break pack
	Level    form.Level // zero exactly when Revision is
	Reason   BlobRef
}

func (b *EmbargoEnded) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 34.
func (b *EmbargoEnded) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Revision.Wire(c)
	wire.Enum(c, &b.Level, form.PoC)
	b.Reason.Wire(c)
}

// Released says that the matter is public.
type Released struct {
	Case     CaseID
	Advisory BlobRef // what was published; zero when it is elsewhere
}

func (b *Released) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 36.
func (b *Released) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Advisory.Wire(c)
}

// SightingRecorded says that something of a case was seen in telemetry. Its time
// is an interval; a zero end is unknown.
type SightingRecorded struct {
	Sighting SightingID
	Case     CaseID
	Detail   BlobRef
	From, To time.Time
	Grade    Grade
}

func (b *SightingRecorded) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 38.
func (b *SightingRecorded) Wire(c *wire.Coder) {
	b.Sighting.Wire(c)
	b.Case.Wire(c)
	b.Detail.Wire(c)
	c.Time(&b.From)
	c.Time(&b.To)
	wire.Enum(c, &b.Grade, GradeF)
}

// BreachDeclared says that an embargo was violated. Nothing follows from it by
// itself.
type BreachDeclared struct {
	Case   CaseID
	Member MemberID  // zero: not known by whom, or not said
	At     time.Time // when, as far as known; zero: unknown
	Detail BlobRef
}

func (b *BreachDeclared) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 42.
func (b *BreachDeclared) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Member.Wire(c)
	c.Time(&b.At)
	b.Detail.Wire(c)
}
