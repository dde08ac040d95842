package cvd

import (
	"bytes"
	"encoding/hex"
	"slices"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// Ids are 16 random bytes that say nothing of what they name; their types keep
// one from being passed for another. Conversions between an id and an
// entrylog.Ref are plain: CaseID(ref), entrylog.Ref(id).
type (
	AccountID    = wire.ID[Account]
	MemberID     = wire.ID[Member]
	CaseID       = wire.ID[Case]
	PackageID    = wire.ID[Package]
	RevisionID   = wire.ID[Revision]
	WaveID       = wire.ID[Wave]
	GroupID      = wire.ID[Group]
	ProductID    = wire.ID[Product]
	TermsID      = wire.ID[Terms]
	DelegationID = wire.ID[Delegation]
	DutyID       = wire.ID[Duty]
	SightingID   = wire.ID[Sighting]
	SourceID     = wire.ID[Source]
	StreamID     = wire.ID[Stream]
	NoticeID     = wire.ID[Notice]
	ReportID     = wire.ID[Report]
	MailingID    = wire.ID[Mailing]
	DeliveryID   = wire.ID[Delivery]
	HeadsUpID    = wire.ID[HeadsUp]

	SuppressionID = wire.ID[Suppression]
)

// Holder is who a copy is made for: a member, or one account of the staff. It
// is never one person of a member: colleagues who lay their copies side by side
// would be a coalition.
type Holder struct{}

// HolderID has the same 16 bytes as the MemberID or AccountID it stands for.
type HolderID = wire.ID[Holder]

// BlobRef names a blob by the SHA-256 of its ciphertext. The zero BlobRef is no
// blob.
type BlobRef [32]byte

// IsZero reports whether there is no blob.
func (b BlobRef) IsZero() bool { return b == BlobRef{} }

// String is 64 hexadecimal digits.
func (b BlobRef) String() string { return hex.EncodeToString(b[:]) }

// Wire is 32 bytes.
func (b *BlobRef) Wire(c *wire.Coder) { c.Fixed(b[:]) }

// sortedIDs reports whether a list is in strictly ascending order of bytes, so
// that a set has one encoding.
func sortedIDs[T any](ids []wire.ID[T]) bool {
	for i := 1; i < len(ids); i++ {
		if bytes.Compare(ids[i-1][:], ids[i][:]) >= 0 {
			return false
		}
	}
	return true
}

// SortIDs puts ids into ascending order and drops repetitions: the form in which
// bodies and commands want a set.
func SortIDs[T any](ids []wire.ID[T]) []wire.ID[T] {
	slices.SortFunc(ids, wire.ID[T].Compare)
	return slices.Compact(ids)
}

// idSet lays out a set of ids: a count and the ids, strictly ascending.
func idSet[T any](c *wire.Coder, ids *[]wire.ID[T], most int) {
	wire.List(c, ids, most, func(c *wire.Coder, id *wire.ID[T]) { id.Wire(c) })
	if c.Err() == nil && !sortedIDs(*ids) {
		c.Fail("a set's ids are strictly ascending")
	}
}

// ref writes nothing: it names what an entry is about.
func ref[T any](id wire.ID[T]) entrylog.Ref { return entrylog.Ref(id) }
