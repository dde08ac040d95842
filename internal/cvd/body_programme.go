package cvd

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// Limits of bodies. They keep every body under entrylog.MaxBody.
const (
	maxAudience  = 50_000 // holders of one wave, members of one invitation
	maxCopies    = 10_000 // copies of one CopiesStored entry
	maxList      = 4_096  // jurisdictions, products, members of a group
	maxKeys      = 16     // recipients of one holder
	maxRecipient = 8_192  // bytes of a recipient's line; post-quantum ones have about 2,000
	maxOrigin    = 255
	maxZone      = 64
)

// ProgrammeFounded is the first entry of a programme, and its only one of this
// kind. It makes the first coordinator's account and the sealer's.
type ProgrammeFounded struct {
	Origin      string  // the log's name, as in its checkpoints: a URL without scheme
	Name        BlobRef // what people call the programme
	Interval    uint32  // seconds between anchors, at least 1
	Coordinator AccountID
	Roles       Roles   // the first account's; Coordinator is among them
	Person      BlobRef // who that is
	Sealer      AccountID
}

func (b *ProgrammeFounded) subject() entrylog.Ref { return ref(b.Coordinator) }

// Wire is the frozen layout of kind 1.
func (b *ProgrammeFounded) Wire(c *wire.Coder) {
	wire.Text(c, &b.Origin, maxOrigin)
	b.Name.Wire(c)
	c.U32(&b.Interval)
	b.Coordinator.Wire(c)
	b.Roles.wire(c)
	b.Person.Wire(c)
	b.Sealer.Wire(c)
}

// AccountAdded makes a login.
type AccountAdded struct {
	Account AccountID
	Member  MemberID // zero for staff, auditors and finders
	Roles   Roles
	Person  BlobRef // who it is: name, address
}

func (b *AccountAdded) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 2.
func (b *AccountAdded) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	b.Member.Wire(c)
	b.Roles.wire(c)
	b.Person.Wire(c)
}

// AccountClosed ends a login for good.
type AccountClosed struct{ Account AccountID }

func (b *AccountClosed) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 3.
func (b *AccountClosed) Wire(c *wire.Coder) { b.Account.Wire(c) }

// PersonChanged says anew who an account is. Its handle stays.
type PersonChanged struct {
	Account AccountID
	Person  BlobRef // name, address; under the person's key
}

func (b *PersonChanged) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 76.
func (b *PersonChanged) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	b.Person.Wire(c)
}

// Jurisdiction is an ISO 3166-1 alpha-2 code, or "EU".
type Jurisdiction [2]byte

// String is the two letters.
func (j Jurisdiction) String() string { return string(j[:]) }

// Protects says how much of a product a member stands in front of.
type Protects struct {
	Product ProductID
	Count   uint64 // installations, tenants or sensors, as the programme counts; 0 = not told
}

// Wire is a product and a count.
func (p *Protects) Wire(c *wire.Coder) {
	p.Product.Wire(c)
	c.U64(&p.Count)
}

// MemberAdmitted makes a member, in good standing.
type MemberAdmitted struct {
	Member        MemberID
	Name          BlobRef
	Tier          uint8          // 1 is told first; 0 is refused
	Jurisdictions []Jurisdiction // ascending
	Protects      []Protects     // ascending by product
}

func (b *MemberAdmitted) subject() entrylog.Ref { return ref(b.Member) }

// Wire is the frozen layout of kind 4.
func (b *MemberAdmitted) Wire(c *wire.Coder) {
	b.Member.Wire(c)
	b.Name.Wire(c)
	c.U8(&b.Tier)
	wire.List(c, &b.Jurisdictions, maxList, func(c *wire.Coder, j *Jurisdiction) { c.Fixed(j[:]) })
	wire.Layouts(c, &b.Protects, maxList)
	for i := 1; i < len(b.Jurisdictions) && c.Err() == nil; i++ {
		if b.Jurisdictions[i-1].String() >= b.Jurisdictions[i].String() {
			c.Fail("jurisdictions are strictly ascending")
		}
	}
	for i := 1; i < len(b.Protects) && c.Err() == nil; i++ {
		if b.Protects[i-1].Product.Compare(b.Protects[i].Product) >= 0 {
			c.Fail("protected products are strictly ascending")
		}
	}
}

// StandingChanged moves a member's standing.
type StandingChanged struct {
	Member   MemberID
	Standing Standing
	Reason   BlobRef
}

func (b *StandingChanged) subject() entrylog.Ref { return ref(b.Member) }

// Wire is the frozen layout of kind 5.
func (b *StandingChanged) Wire(c *wire.Coder) {
	b.Member.Wire(c)
	wire.Enum(c, &b.Standing, Left)
	b.Reason.Wire(c)
}

// TermsPublished gives the programme terms; they name the individual marking.
type TermsPublished struct {
	Terms  TermsID
	Text   BlobRef
	Digest [32]byte  // SHA-256 of the plain text: what is accepted
	Binds  time.Time // from then on, content needs these terms accepted
}

func (b *TermsPublished) subject() entrylog.Ref { return ref(b.Terms) }

// Wire is the frozen layout of kind 6.
func (b *TermsPublished) Wire(c *wire.Coder) {
	b.Terms.Wire(c)
	b.Text.Wire(c)
	c.Fixed(b.Digest[:])
	c.Time(&b.Binds)
}

// TermsAccepted binds a member to terms; the entry's actor accepted them.
type TermsAccepted struct {
	Member MemberID
	Terms  TermsID
	Digest [32]byte // as published
}

func (b *TermsAccepted) subject() entrylog.Ref { return ref(b.Member) }

// Wire is the frozen layout of kind 7.
func (b *TermsAccepted) Wire(c *wire.Coder) {
	b.Member.Wire(c)
	b.Terms.Wire(c)
	c.Fixed(b.Digest[:])
}

// KeysEnrolled replaces all keys of a holder. Keys are public and stand in the
// log itself: which key a copy was sealed to must never depend on a blob.
type KeysEnrolled struct {
	Holder     HolderID
	Recipients []string // age recipients and SSH public keys, one line each, without comments
	Signing    [32]byte // Ed25519 public key that signs receipts
}

func (b *KeysEnrolled) subject() entrylog.Ref { return ref(b.Holder) }

// Wire is the frozen layout of kind 8.
func (b *KeysEnrolled) Wire(c *wire.Coder) {
	b.Holder.Wire(c)
	wire.List(c, &b.Recipients, maxKeys, func(c *wire.Coder, s *string) { wire.Text(c, s, maxRecipient) })
	c.Fixed(b.Signing[:])
}

// KeysRevoked takes a holder's keys out of use.
type KeysRevoked struct {
	Holder  HolderID
	Signing [32]byte // of the revoked keys
	Reason  BlobRef
}

func (b *KeysRevoked) subject() entrylog.Ref { return ref(b.Holder) }

// Wire is the frozen layout of kind 9.
func (b *KeysRevoked) Wire(c *wire.Coder) {
	b.Holder.Wire(c)
	c.Fixed(b.Signing[:])
	b.Reason.Wire(c)
}

// ProductAdded names a product. Products are the programme's; a case lists
// those it affects.
type ProductAdded struct {
	Product ProductID
	Case    CaseID // zero, or a case that it is affected in
	Vendor  MemberID
	Name    BlobRef
}

func (b *ProductAdded) subject() entrylog.Ref { return ref(b.Product) }

// Wire is the frozen layout of kind 43.
func (b *ProductAdded) Wire(c *wire.Coder) {
	b.Product.Wire(c)
	b.Case.Wire(c)
	b.Vendor.Wire(c)
	b.Name.Wire(c)
}

// GroupDeclared says which members are under common ownership: one coalition.
// A later entry for the same group replaces its members.
type GroupDeclared struct {
	Group   GroupID
	Members []MemberID // ascending
}

func (b *GroupDeclared) subject() entrylog.Ref { return ref(b.Group) }

// Wire is the frozen layout of kind 44.
func (b *GroupDeclared) Wire(c *wire.Coder) {
	b.Group.Wire(c)
	idSet(c, &b.Members, maxList)
}

// DutyAssigned puts an account on the roster, from Starts until before Ends. A
// later entry for the same duty replaces it; equal times take it off.
type DutyAssigned struct {
	Duty         DutyID
	Account      AccountID
	Rank         uint8 // 1 is called first
	Starts, Ends time.Time
}

func (b *DutyAssigned) subject() entrylog.Ref { return ref(b.Duty) }

// Wire is the frozen layout of kind 32.
func (b *DutyAssigned) Wire(c *wire.Coder) {
	b.Duty.Wire(c)
	b.Account.Wire(c)
	c.U8(&b.Rank)
	c.Time(&b.Starts)
	c.Time(&b.Ends)
}

// DelegationGranted lends a role to another account, from Starts until before
// Ends. What the delegate does counts as done by both: a second person must be
// neither.
type DelegationGranted struct {
	Delegation   DelegationID
	By, To       AccountID
	Role         Role
	Case         CaseID // zero: every case
	Starts, Ends time.Time
}

func (b *DelegationGranted) subject() entrylog.Ref { return ref(b.Delegation) }

// Wire is the frozen layout of kind 33.
func (b *DelegationGranted) Wire(c *wire.Coder) {
	b.Delegation.Wire(c)
	b.By.Wire(c)
	b.To.Wire(c)
	wire.Enum(c, &b.Role, roleEnd-1)
	b.Case.Wire(c)
	c.Time(&b.Starts)
	c.Time(&b.Ends)
}

// DelegationRevoked ends a delegation at once.
type DelegationRevoked struct{ Delegation DelegationID }

func (b *DelegationRevoked) subject() entrylog.Ref { return ref(b.Delegation) }

// Wire is the frozen layout of kind 45.
func (b *DelegationRevoked) Wire(c *wire.Coder) { b.Delegation.Wire(c) }

// LegalHoldSet forbids, or allows again, the destruction of a key.
type LegalHoldSet struct {
	Scope  KeyScope
	ID     entrylog.Ref // a case; or an account or a member
	On     bool
	Review time.Time // when somebody looks at it again; zero when it is lifted
	Reason BlobRef
}

func (b *LegalHoldSet) subject() entrylog.Ref { return b.ID }

// Wire is the frozen layout of kind 39.
func (b *LegalHoldSet) Wire(c *wire.Coder) {
	wire.Enum(c, &b.Scope, PersonKey)
	c.Fixed(b.ID[:])
	c.Bool(&b.On)
	c.Time(&b.Review)
	b.Reason.Wire(c)
}

// KeyDestroyed records that a case's or a person's key is gone, and with it
// what every blob under it said.
type KeyDestroyed struct {
	Scope KeyScope
	ID    entrylog.Ref // a case; or an account or a member
}

func (b *KeyDestroyed) subject() entrylog.Ref { return b.ID }

// Wire is the frozen layout of kind 41.
func (b *KeyDestroyed) Wire(c *wire.Coder) {
	wire.Enum(c, &b.Scope, PersonKey)
	c.Fixed(b.ID[:])
}

// RecoveryDeclared says that the log was continued although the anchor kept
// outside it could not be matched, and which anchor that was.
type RecoveryDeclared struct {
	AnchorSize uint64
	AnchorRoot entrylog.Hash
	Reason     BlobRef
}

func (b *RecoveryDeclared) subject() entrylog.Ref { return entrylog.Ref{} }

// Wire is the frozen layout of kind 40.
func (b *RecoveryDeclared) Wire(c *wire.Coder) {
	c.U64(&b.AnchorSize)
	c.Fixed(b.AnchorRoot[:])
	b.Reason.Wire(c)
}

// CommitmentNoted is 32 bytes that commit to something said elsewhere, such as
// another log's state. Everybody's look alike.
type CommitmentNoted struct{ Commitment [32]byte }

func (b *CommitmentNoted) subject() entrylog.Ref { return entrylog.Ref{} }

// Wire is the frozen layout of kind 37.
func (b *CommitmentNoted) Wire(c *wire.Coder) { c.Fixed(b.Commitment[:]) }

func (s *Roles) wire(c *wire.Coder) {
	c.U16((*uint16)(s))
	if c.Err() == nil && *s&^allRoles != 0 {
		c.Fail("roles %#x has bits that are no role", uint16(*s))
	}
}
