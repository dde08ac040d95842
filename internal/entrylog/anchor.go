package entrylog

import (
	"encoding/binary"
	"time"

	"forewarn/internal/wire"
)

// Tick counts whole intervals since 1970 UTC: tick t is the instant t·interval.
// An interval is a programme's constant, a whole number of seconds.
type Tick uint64

// TickOf is the tick that covers an entry of that time: the first whose instant
// is not before it. at must not be before 1970, nor interval under a microsecond.
func TickOf(at time.Time, interval time.Duration) Tick {
	us, step := uint64(at.UnixMicro()), uint64(interval.Microseconds())
	return Tick((us + step - 1) / step)
}

// TickDue is the last tick whose instant is not after now.
func TickDue(now time.Time, interval time.Duration) Tick {
	return Tick(uint64(now.UnixMicro()) / uint64(interval.Microseconds()))
}

// Instant is when the tick comes.
func (t Tick) Instant(interval time.Duration) time.Time {
	return time.UnixMicro(int64(t) * interval.Microseconds()).UTC()
}

// BoardDepth is the depth of every board: up to 65,536 entries that are proved
// to members in one tick.
const BoardDepth = 16

// AnchorSize is the length of every leaf of the anchor log, in bytes.
const AnchorSize = 8 + 32 + 32

// Anchor is one leaf of the anchor log: what the log was at one tick, bound and
// not shown.
type Anchor struct {
	Tick  Tick
	Inner Hash // Opening.Inner of the inner tree's size and root
	Board Hash // root of the board: the blind tree of the tick's public entries
}

// Wire is AnchorSize bytes.
func (a *Anchor) Wire(c *wire.Coder) {
	t := uint64(a.Tick)
	c.U64(&t)
	a.Tick = Tick(t)
	c.Fixed(a.Inner[:])
	c.Fixed(a.Board[:])
}

// Leaf is the anchor's encoding.
func (a Anchor) Leaf() [AnchorSize]byte {
	var b [AnchorSize]byte
	binary.BigEndian.PutUint64(b[:8], uint64(a.Tick))
	copy(b[8:40], a.Inner[:])
	copy(b[40:], a.Board[:])
	return b
}

// LeafHash is the anchor's hash in the anchor log.
func (a Anchor) LeafHash() Hash {
	b := a.Leaf()
	return LeafHash(b[:])
}

// ParseAnchor reads a leaf. Errors wrap wire.ErrFormat.
func ParseAnchor(b []byte) (a Anchor, err error) {
	err = wire.Unmarshal(b, &a)
	return a, err
}

// Blinding is the secret that keeps anchors from telling anything, one for a
// log's whole life. Whoever has it and the records makes the anchors again;
// whoever has it and the anchors can test guesses of the inner tree's size and
// root, and no more.
type Blinding [32]byte

const (
	anchorSaltLabel = "forewarn/anchor-salt/v1\n"
	boardKeyLabel   = "forewarn/board-key/v1\n"
	innerLabel      = "forewarn/inner/v1\n"
)

// Opening opens an anchor's Inner to an auditor. It shows how many entries the
// log had at that tick.
type Opening struct {
	Size uint64
	Root Hash
	Salt [32]byte
}

// Wire is size, root and salt.
func (o *Opening) Wire(c *wire.Coder) {
	c.U64(&o.Size)
	c.Fixed(o.Root[:])
	c.Fixed(o.Salt[:])
}

// Inner is HMAC-SHA256(salt, "forewarn/inner/v1\n" ‖ size ‖ root).
func (o Opening) Inner() Hash {
	n := u64(o.Size)
	return mac(&o.Salt, innerLabel, n[:], o.Root[:])
}

// Opening is the inner tree's state under the tick's own salt.
func (b Blinding) Opening(t Tick, size uint64, root Hash) Opening {
	n := u64(uint64(t))
	return Opening{Size: size, Root: root, Salt: mac((*[32]byte)(&b), anchorSaltLabel, n[:])}
}

// BoardKey is the key of the tick's board. With it and the commitments an
// auditor can make the whole board again.
func (b Blinding) BoardKey(t Tick) [32]byte {
	n := u64(uint64(t))
	return mac((*[32]byte)(&b), boardKeyLabel, n[:])
}

// Board is the tick's board over the commitments of its public entries, in the
// order of the log.
func (b Blinding) Board(t Tick, public []Hash) (*Blind, error) {
	return NewBlind(b.BoardKey(t), nil, BoardDepth, public)
}

// Anchor binds the inner tree's size and root at tick t, and the tick's board.
func (b Blinding) Anchor(t Tick, size uint64, root Hash, public []Hash) (Anchor, error) {
	a := Anchor{Tick: t, Inner: b.Opening(t, size, root).Inner()}
	if len(public) == 0 {
		// Nearly every tick. An empty blind tree is one keyed value.
		key := b.BoardKey(t)
		a.Board = emptySubtree(&key, nil, BoardDepth, 0)
		return a, nil
	}
	board, err := b.Board(t, public)
	if err != nil {
		return Anchor{}, err
	}
	a.Board = board.Root()
	return a, nil
}
