package cvd

import (
	"crypto/sha256"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// WaveDrafted says what a wave would be: who gets which level of which revision,
// and when. A later entry for the same wave replaces it and voids its approval.
type WaveDrafted struct {
	Wave     WaveID
	Case     CaseID
	Package  PackageID
	Revision RevisionID
	Purpose  Purpose
	Level    form.Level
	Widens   WaveID     // zero, or the wave whose audience this one adds to
	OpensAt  time.Time  // not served before
	LapsesAt time.Time  // not served from then on; zero: no end
	Audience []HolderID // ascending, never empty
}

func (b *WaveDrafted) subject() entrylog.Ref { return ref(b.Wave) }

// Wire is the frozen layout of kind 20.
func (b *WaveDrafted) Wire(c *wire.Coder) {
	b.Wave.Wire(c)
	b.Case.Wire(c)
	b.Package.Wire(c)
	b.Revision.Wire(c)
	wire.Enum(c, &b.Purpose, BreakPack)
	wire.Enum(c, &b.Level, form.PoC)
	b.Widens.Wire(c)
	c.Time(&b.OpensAt)
	c.Time(&b.LapsesAt)
	idSet(c, &b.Audience, maxAudience)
}

// Digest is what an approval binds: SHA-256 of "forewarn wave v1\n" and the
// canonical bytes of the draft. Any change of any field makes another.
func (b *WaveDrafted) Digest() [32]byte {
	return sha256.Sum256(append([]byte("forewarn wave v1\n"), wire.Marshal(b)...))
}

// WaveApproved is the second person's yes to exactly one draft of a wave.
type WaveApproved struct {
	Wave   WaveID
	Digest [32]byte  // WaveDrafted.Digest of what was seen
	For    AccountID // who lent the role; zero when it is the actor's own
}

func (b *WaveApproved) subject() entrylog.Ref { return ref(b.Wave) }

// Wire is the frozen layout of kind 21.
func (b *WaveApproved) Wire(c *wire.Coder) {
	b.Wave.Wire(c)
	c.Fixed(b.Digest[:])
	b.For.Wire(c)
}

// StoredCopy is one sealed copy, ready to be served.
type StoredCopy struct {
	Holder HolderID
	Keys   entrylog.Seq  // of the KeysEnrolled entry whose keys it is sealed to
	Leaf   entrylog.Hash // form.CopyLeaf: what a receipt will name
	Blob   BlobRef       // the copy, sealed to its holder
	Size   uint64        // bytes of the blob
}

// Wire is 96 bytes.
func (s *StoredCopy) Wire(c *wire.Coder) {
	s.Holder.Wire(c)
	c.U64((*uint64)(&s.Keys))
	c.Fixed(s.Leaf[:])
	s.Blob.Wire(c)
	c.U64(&s.Size)
}

// CopiesStored says that copies of a sealed wave are durable and may leave. A
// large wave takes several entries. A copy may be stored again after its holder
// enrolled other keys.
type CopiesStored struct {
	Wave   WaveID
	Bulk   BlobRef      // what all copies share, sealed once; zero: none
	Copies []StoredCopy // ascending by holder
}

func (b *CopiesStored) subject() entrylog.Ref { return ref(b.Wave) }

// Wire is the frozen layout of kind 23.
func (b *CopiesStored) Wire(c *wire.Coder) {
	b.Wave.Wire(c)
	b.Bulk.Wire(c)
	wire.Layouts(c, &b.Copies, maxCopies)
	for i := 1; i < len(b.Copies) && c.Err() == nil; i++ {
		if b.Copies[i-1].Holder.Compare(b.Copies[i].Holder) >= 0 {
			c.Fail("copies are strictly ascending by holder")
		}
	}
}

// WaveCancelled calls a wave off before anybody had it.
type WaveCancelled struct {
	Wave   WaveID
	Reason BlobRef
}

func (b *WaveCancelled) subject() entrylog.Ref { return ref(b.Wave) }

// Wire is the frozen layout of kind 24.
func (b *WaveCancelled) Wire(c *wire.Coder) {
	b.Wave.Wire(c)
	b.Reason.Wire(c)
}

// Held stops the serving of a case, or of one wave of it, until the hold is
// lifted.
type Held struct {
	Case   CaseID
	Wave   WaveID // zero: every wave of the case
	Reason BlobRef
}

func (b *Held) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 25.
func (b *Held) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Wave.Wire(c)
	b.Reason.Wire(c)
}

// HoldLifted undoes the Held entry of the same case and wave.
type HoldLifted struct {
	Case CaseID
	Wave WaveID
}

func (b *HoldLifted) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 26.
func (b *HoldLifted) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Wave.Wire(c)
}

// CopyFetched says that the entry's actor was given a holder's copy.
type CopyFetched struct {
	Wave   WaveID
	Holder HolderID
}

func (b *CopyFetched) subject() entrylog.Ref { return ref(b.Wave) }

// Wire is the frozen layout of kind 27.
func (b *CopyFetched) Wire(c *wire.Coder) {
	b.Wave.Wire(c)
	b.Holder.Wire(c)
}

// ReceiptLodged holds a receipt whole: with this entry anybody can make the file
// again and check it.
type ReceiptLodged struct {
	Wave       WaveID
	Holder     HolderID
	Origin     string // of the anchor log, with the number of a recovery if there was one
	Tick       entrylog.Tick
	AnchorSize uint64
	AnchorRoot entrylog.Hash
	Leaf       entrylog.Hash
	Key        [32]byte // the holder's enrolled signing key
	Signature  [64]byte
}

func (b *ReceiptLodged) subject() entrylog.Ref { return ref(b.Wave) }

// Wire is the frozen layout of kind 28.
func (b *ReceiptLodged) Wire(c *wire.Coder) {
	b.Wave.Wire(c)
	b.Holder.Wire(c)
	wire.Text(c, &b.Origin, maxOrigin)
	c.U64((*uint64)(&b.Tick))
	c.U64(&b.AnchorSize)
	c.Fixed(b.AnchorRoot[:])
	c.Fixed(b.Leaf[:])
	c.Fixed(b.Key[:])
	c.Fixed(b.Signature[:])
}
