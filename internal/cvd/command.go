package cvd

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

// Actor is who wants something done, and how that is known.
type Actor struct {
	Account AccountID
	Auth    entrylog.Auth
}

// Event is what a decision wants in the log. The entry's actor, authentication
// and time are those that Decide was given.
type Event struct {
	Kind    entrylog.Kind
	Subject entrylog.Ref
	Body    wire.Layout
}

// Command is a verb with its arguments: one of the structs below. Ids of things
// that a command makes are chosen by its caller, at random; blobs that it names
// are durable before it is decided.
type Command interface {
	// asks names what the policy must allow.
	asks(p *Programme) (Action, Object)
	// decide checks the verb's own rule, once the policy allowed it.
	decide(p *Programme, who Actor, now time.Time) ([]fact, error)
}

// The verbs of the programme. Those that only fill one body are that body.
type (
	FoundProgramme   ProgrammeFounded
	AddAccount       AccountAdded // with Member set: to that member
	CloseAccount     AccountClosed
	ChangePerson     PersonChanged
	AdmitMember      MemberAdmitted
	ChangeStanding   StandingChanged
	PublishTerms     TermsPublished
	AcceptTerms      TermsAccepted
	EnrolKeys        KeysEnrolled // replaces the holder's keys
	AddProduct       ProductAdded
	DeclareGroup     GroupDeclared
	AssignDuty       DutyAssigned
	Delegate         DelegationGranted // By is the actor
	RevokeDelegation DelegationRevoked
	SetLegalHold     LegalHoldSet
	DestroyKey       KeyDestroyed // recorded first, then done
	DeclareRecovery  RecoveryDeclared
	NoteCommitment   CommitmentNoted
	QueueDeliveries  DeliveriesQueued // of what is due
	RecordDeliveries DeliveriesTried
	SeeNotices       DeliveriesSeen
	DeclareSource    SourceDeclared // or declares it anew
	RetireSource     SourceRetired
)

// RevokeKeys takes a holder's keys out of use.
type RevokeKeys struct {
	Holder HolderID
	Reason BlobRef
}

// The verbs of a case.
type (
	OpenCase          CaseOpened // Reported zero: now
	LinkCase          CaseLinked
	MoveReleaseTime   ReleaseTimeMoved
	Invite            ParticipantInvited
	SaveDraft         DraftSaved // the first one makes the package
	IssueRecall       RecallIssued
	AcknowledgeRecall RecallAcknowledged
	GiveAnswer        AnswerGiven
	EndEmbargo        EmbargoEnded
	Release           Released
	RecordSighting    SightingRecorded
	DeclareBreach     BreachDeclared
	RecordSightings   SightingsRecorded // effects are decided here
	AcknowledgeAlarm  AlarmAcknowledged
	QueueNotice       NoticeQueued // one that is due
	RecordNotice      NoticeTried
)

// ProposeEmbargo proposes an embargo for a case, or a change of the one that
// binds. The proposal's number is one more than the last.
type ProposeEmbargo struct {
	Case    CaseID
	Release ReleaseTime
	Terms   BlobRef
	Expires time.Time // zero: never
	Anew    bool
}

// AgreeEmbargo makes a case's last proposal binding. Number says which one was
// seen.
type AgreeEmbargo struct {
	Case   CaseID
	Number uint32
}

// GiveConsent is a member's yes (Signatory) or no (Declined) to the embargo with
// that number.
type GiveConsent struct {
	Case    CaseID
	Member  MemberID
	Consent Consent
	Embargo uint32
}

// OpenDraft gives the actor a package's last draft to read.
type OpenDraft struct{ Package PackageID }

// MakeRevision fixes a package's content. Its number is one more than that of
// the package's last revision.
type MakeRevision struct {
	Revision        RevisionID
	Package         PackageID
	Title, Source   BlobRef
	Form, SlotTable [32]byte
	Label           tlp.Label
	Level, Break    form.Level
	AlphaPico       uint64
	Rulings         Rulings
}

// DraftWave drafts a wave, or drafts it anew while it isn't sealed; that voids
// its approval. Audience is a set in any order.
type DraftWave struct {
	Wave     WaveID
	Revision RevisionID
	Purpose  Purpose
	Level    form.Level
	Widens   WaveID
	OpensAt  time.Time
	LapsesAt time.Time
	Audience []HolderID
}

// ApproveWave is the second person's yes to the draft with this digest.
type ApproveWave struct {
	Wave   WaveID
	Digest [32]byte // Wave.Digest of what was seen
}

// RecordSealed puts the sealer's statement into the log, before anything leaves.
type RecordSealed struct{ Statement evidence.WaveStatement }

// The verbs of a wave and its copies.
type (
	StoreCopies CopiesStored
	CancelWave  WaveCancelled
)

// Hold stops the serving of a case, or of one wave of it.
type Hold struct {
	Case   CaseID
	Wave   WaveID // zero: the whole case
	Reason BlobRef
}

// LiftHold undoes Hold.
type LiftHold struct {
	Case CaseID
	Wave WaveID
}

// Fetch asks for a holder's copy. When the same account was given it within
// the hour it is given again without another entry.
type Fetch struct {
	Wave   WaveID
	Holder HolderID
}

// LodgeReceipt files a holder's receipt. The caller has checked its signature.
type LodgeReceipt struct {
	Wave    WaveID
	Holder  HolderID
	Receipt evidence.Receipt
}
