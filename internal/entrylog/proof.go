package entrylog

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/wire"
)

// AnchorProof shows that an anchor is in the anchor log. All that it holds is
// public.
type AnchorProof struct {
	Anchor     Anchor
	Index      uint64 // of the anchor in the anchor log
	Inclusion  []Hash // audit path to the checkpoint's root
	Checkpoint []byte // signed note
}

// Wire is anchor, index, path and checkpoint.
func (p *AnchorProof) Wire(c *wire.Coder) {
	p.Anchor.Wire(c)
	c.U64(&p.Index)
	wire.List(c, &p.Inclusion, 63, func(c *wire.Coder, h *Hash) { c.Fixed(h[:]) })
	c.Bytes(&p.Checkpoint, MaxCheckpoint)
}

// Verify checks signature and path. v's name is the log's. Errors wrap
// ErrProof.
func (p AnchorProof) Verify(v note.Verifier) (Checkpoint, error) {
	cp, err := OpenCheckpoint(p.Checkpoint, v)
	if err != nil {
		return cp, fmt.Errorf("%w: checkpoint: %w", ErrProof, err)
	}
	if _, ok := cp.Recovery(v.Name()); !ok {
		return cp, fmt.Errorf("%w: checkpoint: it is of %q, not of %q", ErrProof, cp.Origin, v.Name())
	}
	if p.Index >= cp.Size {
		return cp, fmt.Errorf("%w: anchor: index %d is beyond the checkpoint's size %d", ErrProof, p.Index, cp.Size)
	}
	root, ok := runPath(p.Inclusion, int64(p.Index), int64(cp.Size), p.Anchor.LeafHash())
	if !ok || root != cp.Root {
		return cp, fmt.Errorf("%w: anchor: the path does not lead to the checkpoint's root", ErrProof)
	}
	return cp, nil
}

const entryProofMagic = "forewarn entry proof v1\n"

// EntryProof opens one entry to whoever may read it, and proves that it was in
// the log by the anchor's tick. It is of the same length for every entry of the
// same body length, and tells nothing of other entries.
type EntryProof struct {
	Record Record
	Board  BlindProof
	AnchorProof
}

// Wire is the layout of doc/spec/anchor.md.
func (p *EntryProof) Wire(c *wire.Coder) {
	c.Magic(entryProofMagic)
	p.Record.Wire(c)
	p.Board.Wire(c)
	p.AnchorProof.Wire(c)
}

// Verify checks the proof against the log's key and interval and returns the
// entry. Errors wrap ErrProof and say which step failed: entry, time, board,
// anchor or checkpoint.
func (p EntryProof) Verify(v note.Verifier, interval time.Duration) (Entry, error) {
	e, err := checkRecord(p.Record, p.Anchor, interval, true)
	if err != nil {
		return Entry{}, err
	}
	if err := p.Board.Check(BoardDepth, p.Anchor.Board, p.Record.Commit()); err != nil {
		return Entry{}, fmt.Errorf("board: %w", err)
	}
	if _, err := p.AnchorProof.Verify(v); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// checkRecord parses the record and compares its time with the anchor's tick.
func checkRecord(r Record, a Anchor, interval time.Duration, exactly bool) (Entry, error) {
	e, err := ParseEntry(r.Entry)
	if err != nil {
		return e, fmt.Errorf("%w: entry: %w", ErrProof, err)
	}
	if interval < time.Second || interval%time.Second != 0 {
		return e, fmt.Errorf("%w: time: an interval is a whole number of seconds, not %v", ErrProof, interval)
	}
	if t := TickOf(e.Time, interval); t > a.Tick || exactly && t != a.Tick {
		return e, fmt.Errorf("%w: time: an entry of %v is covered by tick %d, not by tick %d",
			ErrProof, e.Time.Format(time.RFC3339Nano), t, a.Tick)
	}
	return e, nil
}

const innerProofMagic = "forewarn inner proof v1\n"

// InnerProof opens one entry to an auditor, with its place in the log. It shows
// how many entries the log had: never give it to a member.
type InnerProof struct {
	Record  Record
	Seq     Seq
	Opening Opening
	Path    []Hash // from the commitment's leaf to Opening.Root
	AnchorProof
}

// Wire is the layout of doc/spec/anchor.md.
func (p *InnerProof) Wire(c *wire.Coder) {
	c.Magic(innerProofMagic)
	p.Record.Wire(c)
	seq := uint64(p.Seq)
	c.U64(&seq)
	p.Seq = Seq(seq)
	p.Opening.Wire(c)
	wire.List(c, &p.Path, 63, func(c *wire.Coder, h *Hash) { c.Fixed(h[:]) })
	p.AnchorProof.Wire(c)
}

// Verify checks the proof and returns the entry, which was entry Seq of the log
// at or before the anchor's tick. Errors wrap ErrProof.
func (p InnerProof) Verify(v note.Verifier, interval time.Duration) (Entry, error) {
	e, err := checkRecord(p.Record, p.Anchor, interval, false)
	if err != nil {
		return Entry{}, err
	}
	if p.Opening.Inner() != p.Anchor.Inner {
		return Entry{}, fmt.Errorf("%w: opening: it does not open the anchor", ErrProof)
	}
	commit := p.Record.Commit()
	if p.Opening.Size > 1<<62 || uint64(p.Seq) >= p.Opening.Size {
		return Entry{}, fmt.Errorf("%w: entry: number %d is beyond the log's size %d", ErrProof, p.Seq, p.Opening.Size)
	}
	root, ok := runPath(p.Path, int64(p.Seq), int64(p.Opening.Size), LeafHash(commit[:]))
	if !ok || root != p.Opening.Root {
		return Entry{}, fmt.Errorf("%w: entry: the path does not lead to the inner root", ErrProof)
	}
	if _, err := p.AnchorProof.Verify(v); err != nil {
		return Entry{}, err
	}
	return e, nil
}
