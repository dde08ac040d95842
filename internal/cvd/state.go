package cvd

import (
	"crypto/sha256"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/tlp"
)

// Programme is everything that is decided upon. Its exported fields, and those
// of what hangs on it, are the state, and StateHash covers them all. They are
// for looking at; only Apply changes them. Lists called …Order are in order of
// appearance in the log. Unexported fields are indexes that can be made again.
type Programme struct {
	Origin   string // "" until founded
	Name     BlobRef
	Interval time.Duration // between anchors
	Founded  time.Time
	Sealer   AccountID

	Accounts        map[AccountID]*Account
	AccountOrder    []AccountID
	Members         map[MemberID]*Member
	MemberOrder     []MemberID
	Groups          map[GroupID]*Group
	GroupOrder      []GroupID
	Products        map[ProductID]*Product
	ProductOrder    []ProductID
	Terms           []*Terms // in the order in which they were published
	Keys            map[HolderID][]KeySet
	Cases           map[CaseID]*Case
	CaseOrder       []CaseID
	Packages        map[PackageID]*Package
	PackageOrder    []PackageID
	Revisions       map[RevisionID]*Revision
	RevisionOrder   []RevisionID
	Waves           map[WaveID]*Wave
	WaveOrder       []WaveID
	Duties          map[DutyID]*Duty
	DutyOrder       []DutyID
	Delegations     map[DelegationID]*Delegation
	DelegationOrder []DelegationID
	Commitments     []Commitment
	Sources         map[SourceID]*Source
	SourceOrder     []SourceID
	Notices         map[NoticeID]*Notice
	NoticeOrder     []NoticeID
	Deliveries      map[DeliveryID]*Delivery
	DeliveryOrder   []DeliveryID
	Recoveries      []Recovery
	Intake          *Intake // nil: no report is taken yet
	Reports         map[ReportID]*Report
	ReportOrder     []ReportID
	HeadsUps        map[HeadsUpID]*HeadsUp
	HeadsUpOrder    []HeadsUpID

	Next entrylog.Seq // of the entry that Apply wants next
	Last time.Time    // of the last entry; the next is not before it

	secrets    map[[32]byte]AccountID // whose invitation, passkey or token has that hash
	references map[[32]byte]ReportID  // by the hash of what its sender holds
	keyOwner   map[string]HolderID    // every key ever enrolled, by its line or bytes
	told       map[toldKey]*Delivery  // the last of each
	journal    *journal               // not nil while deciding tentatively
	fetched    CopyFetched            // room for the bodies that come by the million
	lodged     ReceiptLodged
}

// Note says which entry something comes from.
type Note struct {
	Seq entrylog.Seq
	At  time.Time
	By  AccountID
}

// Account is a login of one person, or of the sealer.
type Account struct {
	ID     AccountID
	Member MemberID // zero: not a member's
	Roles  Roles
	Person BlobRef
	Added  Note
	Closed *Note // nil while it is open

	Invitations []Invitation // the last one counts
	Credentials []Credential
	Tokens      []AccessToken

	LegalHold *LegalHold // nil: none
	Shredded  *Note      // the person's key was destroyed

	acted entrylog.Seq // its last entry, of those that people make
	told  []DeliveryID // in order
}

// Invitation lets a person make a passkey for an account: whoever holds the
// secret with that hash.
type Invitation struct {
	Note
	Hash      [32]byte
	Until     time.Time
	Recovery  bool  // the account had a passkey before: a second coordinator confirms it
	Confirmed *Note // by another coordinator than the one who invited
	Used      *Note
}

// Credential is a passkey.
type Credential struct {
	Note
	ID         []byte   // as the authenticator calls it
	PublicKey  []byte   // COSE
	Flags      uint8    // of the authenticator data when it was made
	Invitation [32]byte // that it was made with; zero: by an account that was signed in
	Recovery   bool     // and that invitation was a recovery
	Lifted     *Lifted  // the wait after it
	Revoked    *Note
}

// Lifted is the end of a wait before its time, by a coordinator who did not make
// the invitation.
type Lifted struct {
	Note
	Reason BlobRef
}

// Hash is what a credential is named by elsewhere: SHA-256 of its id.
func (c *Credential) Hash() [32]byte { return sha256.Sum256(c.ID) }

// AccessToken lets a machine come as an account, for what its scope allows.
type AccessToken struct {
	Note
	Hash    [32]byte
	Scope   Scope
	Until   time.Time
	Revoked *Note
}

// LegalHold suspends the destruction of a key.
type LegalHold struct {
	Note
	Review time.Time
	Reason BlobRef
}

// Member is an admitted organisation.
type Member struct {
	ID            MemberID
	Name          BlobRef
	Tier          uint8
	Jurisdictions []Jurisdiction
	Protects      []Protects
	Admitted      Note
	Standing      Standing
	Standings     []StandingNote // history, the admission not included
	Accepted      []Acceptance   // in order
	Group         GroupID        // zero: under nobody's ownership that is known
	Accounts      []AccountID    // in order of appearance, closed ones too

	LegalHold *LegalHold // nil: none
	Shredded  *Note      // the key of what is kept about it was destroyed
}

// StandingNote is one change of a member's standing.
type StandingNote struct {
	Note
	Standing Standing
	Reason   BlobRef
}

// Acceptance is a member's yes to terms.
type Acceptance struct {
	Note
	Terms  TermsID
	Number uint32 // of the terms
}

// KeySet is what a holder enrolled at one time. At most the last one of a holder
// is in use.
type KeySet struct {
	Note
	Recipients []string
	Signing    [32]byte
	Ended      *Note // replaced or revoked; nil: in use
	Revoked    bool
}

// Terms are programme terms.
type Terms struct {
	Note
	ID     TermsID
	Number uint32 // from 1
	Text   BlobRef
	Digest [32]byte
	Binds  time.Time
}

// Group is members under common ownership.
type Group struct {
	Note
	ID      GroupID
	Members []MemberID // ascending
}

// Product is something that cases affect.
type Product struct {
	Note
	ID     ProductID
	Vendor MemberID
	Name   BlobRef
}

// Case is the unit of coordination.
type Case struct {
	ID       CaseID
	Title    BlobRef
	Report   BlobRef
	Reported time.Time
	Finder   AccountID
	Products []ProductID // in order of appearance
	Opened   Note
	Links    []Link

	Proposals []Proposal
	Embargo   *Embargo // the one that binds, or bound; nil: none was agreed
	Moves     []Move
	Ended     *EmbargoEnd // nil: not ended before its time
	Released  *Note
	Advisory  BlobRef

	Corrections []Correction // of the advisory
	HeadsUps    []HeadsUpID  // one of them at most was not withdrawn

	Participants     map[MemberID]*Participant
	ParticipantOrder []MemberID
	Packages         []PackageID
	Waves            []WaveID
	Hold             *HoldNote // nil: none on the whole case
	Answers          []Answer
	Sightings        []Sighting
	Breaches         []Breach

	Seen         []Seen // by declared sources
	Read         map[StreamID]*ReadTo
	Tallies      map[SourceID]*Tally
	Alarm        *Alarm // nil: none was ever raised
	Suppressions []*Suppression

	LegalHold *LegalHold
	Shredded  *Note // the case's key was destroyed

	answers map[answerKey][]int   // into Answers
	known   map[knownKey]bool     // what would call nobody again
	files   map[StreamID][]uint64 // generations, in the order of their first entries
	readTo  map[fileKey]*ReadTo
}

type answerKey struct {
	member  MemberID
	product ProductID
}

// Link is how a case stands to another.
type Link struct {
	Note
	To       CaseID
	Relation Relation
}

// Proposal is a proposed embargo or change of one.
type Proposal struct {
	Note
	Number  uint32
	Release ReleaseTime
	Terms   BlobRef
	Expires time.Time
	Anew    bool
	Agreed  *Note
}

// Embargo is the agreement that binds.
type Embargo struct {
	Note
	Number  uint32 // of the proposal it came from
	Release ReleaseTime
	Terms   BlobRef
}

// Move is a change of the release time.
type Move struct {
	Note
	From, To ReleaseTime
	Reason   BlobRef
}

// EmbargoEnd is the authorised early end of an embargo.
type EmbargoEnd struct {
	Note
	Revision RevisionID // zero: no break pack
	Level    form.Level
	Reason   BlobRef
}

// Participant is a member in one case.
type Participant struct {
	Member  MemberID
	Role    ParticipantRole
	Invited Note
	Until   time.Time // zero: the invitation doesn't lapse
	Consent Consent   // as last said; Programme.ConsentOf adds what time does to it
	Embargo uint32    // the number that was consented to
	Said    *Note     // nil: nothing yet
}

// HoldNote is a hold in force.
type HoldNote struct {
	Note
	Reason BlobRef
}

// Answer is what a member said about a product at one time.
type Answer struct {
	Note
	Member  MemberID
	Product ProductID
	State   AnswerState
	Text    BlobRef
}

// Sighting is something of a case seen in telemetry.
type Sighting struct {
	Note
	ID       SightingID
	Detail   BlobRef
	From, To time.Time // zero: unknown
	Grade    Grade
}

// Breach is a violation of an embargo.
type Breach struct {
	Note
	Member   MemberID
	Happened time.Time
	Detail   BlobRef
}

// Package is what is shared in a case.
type Package struct {
	ID        PackageID
	Case      CaseID
	Drafts    []DraftNote
	Reads     []DraftNote // who was given which draft
	Revisions []RevisionID
	Waves     []WaveID

	// Fixed by the first sealed wave, the same in all later ones.
	Bias    [32]byte
	Profile fpcode.Profile
	Decoder string

	AlphaPico uint64 // fixed by the first revision

	Issued []HolderID // everybody a copy was sealed for, in order of sealing
	issued map[HolderID]bool
}

// DraftNote is a draft that was saved or read.
type DraftNote struct {
	Note
	Source BlobRef
}

// Revision is an immutable content of a package.
type Revision struct {
	ID        RevisionID
	Package   PackageID
	Case      CaseID
	Number    uint32
	Title     BlobRef
	Source    BlobRef
	Form      [32]byte
	SlotTable [32]byte
	Label     tlp.Label
	Level     form.Level
	Break     form.Level
	Rulings   Rulings
	Made      Note

	Vouched *Note // a second person approved a wave of it, and so its break pack
	Recall  *Recall
}

// Recall asks holders to stop using a revision.
type Recall struct {
	Note
	Reason       BlobRef
	Acknowledged []RecallAck
}

// RecallAck is a holder's word to have stopped.
type RecallAck struct {
	Note
	Holder HolderID
}

// Wave is one staged release: who gets which level of which revision, and when.
type Wave struct {
	ID       WaveID
	Case     CaseID
	Package  PackageID
	Revision RevisionID
	Purpose  Purpose
	Level    form.Level
	Widens   WaveID
	OpensAt  time.Time
	LapsesAt time.Time  // zero: never
	Audience []HolderID // ascending

	Digest   [32]byte    // of the draft, WaveDrafted.Digest: what an approval binds
	Drafted  Note        // the draft as it stands
	Drafters []AccountID // everybody who had a hand in it, in order
	Approval *Approval   // nil: none, or voided
	Reask    bool        // sealed, and the release time moved since: waits for another approval

	Statement *evidence.WaveStatement // nil until sealed
	Sealed    *Note
	Bulk      BlobRef
	Copies    []Copy // by place in Audience; nil until the first is stored

	Hold      *HoldNote
	Cancelled *Note
}

// Approval is a second person's yes.
type Approval struct {
	Note
	For    AccountID // who lent the role; zero: it was the person's own
	Digest [32]byte
}

// Copy is one holder's instance of a wave.
type Copy struct {
	Leaf    entrylog.Hash
	Blob    BlobRef // zero: not stored yet
	Size    uint64
	Keys    entrylog.Seq // of the key set that it is sealed to
	Stored  Note         // the last time
	Fetches []Fetched
	Receipt *Lodged // the last one; nil: fetched at most, not received
}

// Fetched is a copy given to somebody.
type Fetched struct {
	Account AccountID
	At      time.Time
	Seq     entrylog.Seq
}

// Lodged is a holder's receipt for a copy.
type Lodged struct {
	Note
	Origin     string
	Tick       entrylog.Tick
	AnchorSize uint64
	AnchorRoot entrylog.Hash
	Key        [32]byte
	Signature  [64]byte
}

// Duty is a turn on the roster.
type Duty struct {
	Note
	ID           DutyID
	Account      AccountID
	Rank         uint8
	Starts, Ends time.Time
}

// Delegation is a role lent to another account.
type Delegation struct {
	Note
	ID           DelegationID
	From, To     AccountID
	Role         Role
	Case         CaseID
	Starts, Ends time.Time
	Revoked      *Note
}

// Commitment is 32 bytes noted for whoever can open them.
type Commitment struct {
	Note
	Value [32]byte
}

// Recovery is a declared continuation of the log after a loss.
type Recovery struct {
	Note
	AnchorSize uint64
	AnchorRoot entrylog.Hash
	Reason     BlobRef
}
