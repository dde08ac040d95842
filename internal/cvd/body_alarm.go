package cvd

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

const (
	maxSeen  = 1_024 // rows of one SightingsRecorded entry
	maxPairs = 1_024 // of one suppression
)

// SourceDeclared says of a sensor or a reporter what its word weighs and what its
// clock is worth. A later entry for the same source replaces it.
type SourceDeclared struct {
	Source SourceID
	Name   BlobRef
	Origin Origin
	Member MemberID // of MemberSource; else zero
	Grade  Grade
	Public bool   // everybody can see what it shows: what stands there can be copied from there
	Skew   uint64 // µs that its clock may be off, either way
	Lag    uint64 // µs after a request at which it may have been stamped
	Zone   string // local zone in which it may have written its times; empty: UTC
	Quota  uint32 // new things an hour that are described, in each case
}

func (b *SourceDeclared) subject() entrylog.Ref { return ref(b.Source) }

// Wire is the frozen layout of kind 46.
func (b *SourceDeclared) Wire(c *wire.Coder) {
	b.Source.Wire(c)
	b.Name.Wire(c)
	wire.Enum(c, &b.Origin, Hearsay)
	b.Member.Wire(c)
	wire.Enum(c, &b.Grade, GradeF)
	c.Bool(&b.Public)
	c.U64(&b.Skew)
	c.U64(&b.Lag)
	wire.Text(c, &b.Zone, maxZone)
	c.U32(&b.Quota)
}

// SourceRetired says that nothing more comes from a source.
type SourceRetired struct{ Source SourceID }

func (b *SourceRetired) subject() entrylog.Ref { return ref(b.Source) }

// Wire is the frozen layout of kind 47.
func (b *SourceRetired) Wire(c *wire.Coder) { b.Source.Wire(c) }

// Tag tells that two things seen in one case are the same, and nothing else: a
// keyed hash of what was seen, under a key that goes with the case's.
type Tag [16]byte

// SeenRow is one thing, seen one or more times.
type SeenRow struct {
	Sighting SightingID
	Clue     Clue
	Tag      Tag
	From, To time.Time // of the first time; zero: unknown
	Count    uint32    // times, at least 1
	Bytes    bool      // the bytes that were seen are held, in the entry's detail
	Effect   Effect
}

// Wire is 71 bytes.
func (r *SeenRow) Wire(c *wire.Coder) {
	r.Sighting.Wire(c)
	wire.Enum(c, &r.Clue, Rule)
	c.Fixed(r.Tag[:])
	c.Time(&r.From)
	c.Time(&r.To)
	c.U32(&r.Count)
	c.Bool(&r.Bytes)
	wire.Enum(c, &r.Effect, Raises)
}

// SightingsRecorded says what one source showed of one case, and how far the
// source was read for it. Whoever reads on begins there: so each sighting stands
// in the log once, however often the reader was stopped.
type SightingsRecorded struct {
	Case       CaseID
	Source     SourceID
	Detail     BlobRef  // what, where, and raw bytes
	Stream     StreamID // a keyed hash of source and path; zero: not read from a file
	Generation uint64   // which file of the stream: one that the log knows by its head keeps its number, another has the next
	Head       uint32   // bytes at the beginning of the file by which it is known again
	HeadHash   [32]byte // SHA-256 of them
	Begin, End uint64   // bytes of the file that were read for this
	Dropped    uint32   // sightings above the source's quota: counted, and no more; never without a row
	Seen       []SeenRow
}

func (b *SightingsRecorded) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 48.
func (b *SightingsRecorded) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Source.Wire(c)
	b.Detail.Wire(c)
	b.Stream.Wire(c)
	c.U64(&b.Generation)
	c.U32(&b.Head)
	c.Fixed(b.HeadHash[:])
	c.U64(&b.Begin)
	c.U64(&b.End)
	c.U32(&b.Dropped)
	wire.Layouts(c, &b.Seen, maxSeen)
}

// AlarmAcknowledged says that somebody is looking: nobody else is called.
type AlarmAcknowledged struct {
	Case  CaseID
	Round uint32 // of raising, from 1
}

func (b *AlarmAcknowledged) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 49.
func (b *AlarmAcknowledged) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	c.U32(&b.Round)
}

// AlarmDecided says what somebody decided. What follows from it (a hold, the
// embargo's end, a suppression) stands in the entries behind it, of the same
// append.
type AlarmDecided struct {
	Case   CaseID
	Round  uint32
	Choice Choice
	UpTo   entrylog.Seq // the last entry that whoever decided had seen
	Reason BlobRef
}

func (b *AlarmDecided) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 50.
func (b *AlarmDecided) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	c.U32(&b.Round)
	wire.Enum(c, &b.Choice, ChooseEnd)
	c.U64((*uint64)(&b.UpTo))
	b.Reason.Wire(c)
}

// Pair is a thing and who showed it.
type Pair struct {
	Source SourceID // zero: whoever shows it
	Tag    Tag
}

// Wire is 32 bytes.
func (p *Pair) Wire(c *wire.Coder) {
	p.Source.Wire(c)
	c.Fixed(p.Tag[:])
}

// SuppressionSet says that pairs raise no alarm in a case until a time, because
// somebody judged that they are not the case's. A later entry for the same
// suppression replaces it; with a time that is past it lifts it.
type SuppressionSet struct {
	Suppression SuppressionID
	Case        CaseID
	Until       time.Time
	Reason      BlobRef
	Pairs       []Pair
}

func (b *SuppressionSet) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 51.
func (b *SuppressionSet) Wire(c *wire.Coder) {
	b.Suppression.Wire(c)
	b.Case.Wire(c)
	c.Time(&b.Until)
	b.Reason.Wire(c)
	wire.Layouts(c, &b.Pairs, maxPairs)
}

// NoticeQueued says that somebody is to be told that something waits for them.
type NoticeQueued struct {
	Notice  NoticeID
	Case    CaseID
	Round   uint32 // of the alarm
	Step    uint8  // of its escalation, from 0; behind 255 from 0 again
	Account AccountID
}

func (b *NoticeQueued) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 52.
func (b *NoticeQueued) Wire(c *wire.Coder) {
	b.Notice.Wire(c)
	b.Case.Wire(c)
	c.U32(&b.Round)
	c.U8(&b.Step)
	b.Account.Wire(c)
}

// NoticeTried says what became of one attempt to hand a notice on.
type NoticeTried struct {
	Notice  NoticeID
	Outcome Outcome
}

func (b *NoticeTried) subject() entrylog.Ref { return ref(b.Notice) }

// Wire is the frozen layout of kind 53.
func (b *NoticeTried) Wire(c *wire.Coder) {
	b.Notice.Wire(c)
	wire.Enum(c, &b.Outcome, NotHanded)
}
