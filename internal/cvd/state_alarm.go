package cvd

import (
	"time"

	"forewarn/internal/entrylog"
)

// Source is a sensor or a reporter.
type Source struct {
	Note
	ID     SourceID
	Name   BlobRef
	Origin Origin
	Member MemberID
	Grade  Grade
	Public bool
	Skew   time.Duration
	Lag    time.Duration
	Zone   string
	Quota  uint32

	Retired *Note
	Dropped uint64 // sightings above the quota, ever
}

// Tally is what a source's quota is counted by in a case.
type Tally struct {
	Hour    time.Time // when the hour began that is counted
	InHour  uint32    // rows recorded in it that the quota bounds
	Dropped uint64    // sightings above it, ever
}

// Stream is a file that a source writes, whatever becomes of its name.
type Stream struct{}

// ReadTo is how far a file of a stream was read for a case.
type ReadTo struct {
	Note
	Source     SourceID
	Generation uint64
	Head       uint32
	HeadHash   [32]byte
	Offset     uint64
}

// fileKey is one file of a stream.
type fileKey struct {
	stream     StreamID
	generation uint64
}

// Files are the files of a stream, in the order in which something of each was
// first recorded in the case, each as far as it was read.
func (c *Case) Files(s StreamID) (out []*ReadTo) {
	for _, g := range c.files[s] {
		out = append(out, c.readTo[fileKey{s, g}])
	}
	return out
}

// Seen is one thing that a declared source showed of a case.
type Seen struct {
	Note
	SeenRow
	Source SourceID
	Origin Origin   // of the source, as it was declared then
	Member MemberID // likewise
	Public bool     // likewise
	Detail BlobRef
}

// knownKey is what a sighting is new by: another source, another thing, or bytes
// where there was only somebody's word.
type knownKey struct {
	pair  Pair
	bytes bool
}

// Alarm is a case's.
type Alarm struct {
	Round        uint32 // of raising, from 1
	Raised       Note   // in this round
	Acknowledged *Note  // in this round; nil: not yet
	Decision     *AlarmDecision
	Decisions    []AlarmDecision // of all rounds
	Notices      []NoticeID      // of all rounds
}

// AlarmDecision is what somebody decided.
type AlarmDecision struct {
	Note
	Round  uint32
	Choice Choice
	UpTo   entrylog.Seq
	Reason BlobRef
}

// Suppression is what was learnt from a dismissal.
type Suppression struct {
	Note
	ID     SuppressionID
	Until  time.Time
	Reason BlobRef
	Pairs  []Pair
}

// Notice is one call of one person. It says nothing.
type Notice struct {
	Note
	ID      NoticeID
	Case    CaseID
	Round   uint32
	Step    uint8
	Account AccountID
	Tries   []NoticeTry
}

// NoticeTry is one attempt to hand a notice on.
type NoticeTry struct {
	Note
	Outcome Outcome
}
