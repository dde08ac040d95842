package entrylog

import (
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"forewarn/internal/wire"
)

// Seq is an entry's place in its log, from 0: the leaf index of the inner tree.
type Seq uint64

// Kind says what an entry's body is. Kinds are given out by those who write
// entries, never changed and never used again; 0 is no kind.
type Kind uint16

// Hash is a SHA-256 value: a commitment, a node or a root.
type Hash = tlog.Hash

// Ref is the 16 bytes of any wire.ID: who acted, or what was acted upon.
// Ref(id) converts.
type Ref [16]byte

// IsZero reports whether the reference names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// String is the text of the id that it came from.
func (r Ref) String() string { return wire.ID[Ref](r).String() }

// Auth says how the actor of an entry was known. It is evidence for readers of
// the log, not a permission.
type Auth uint8

const (
	AuthNone    Auth = iota // a local command, acting as whom it named: unauthenticated
	AuthSession             // a signed-in account
	AuthFresh               // a signed-in account that proved itself again for this act
	AuthKey                 // a signature by an enrolled key
	AuthSystem              // the programme itself, at a time or on a rule set earlier
)

var authNames = [...]string{"local, unauthenticated", "session", "re-authenticated", "key", "system"}

// String is a few words for people.
func (a Auth) String() string {
	if int(a) < len(authNames) {
		return authNames[a]
	}
	return "unknown"
}

// MaxBody is the most bytes of a body. Content belongs in encrypted blobs; a
// body holds only what decisions need.
const MaxBody = 1 << 20

const entryVersion = 1

// entryHead is the length of an encoded entry whose body is empty.
const entryHead = 1 + 8 + 1 + 16 + 2 + 16 + 4

// MaxEntry is the most bytes of an encoded entry.
const MaxEntry = entryHead + MaxBody

// Entry is one thing that happened. Its sequence number is its leaf index: the
// tree binds it, and it is left out of the committed bytes so that opening an
// entry to a member does not tell how busy the log is.
type Entry struct {
	Time    time.Time // UTC, whole microseconds, 1970 or later
	Auth    Auth
	Actor   Ref
	Kind    Kind
	Subject Ref
	Body    []byte // at most MaxBody; the layout is the kind's
}

// Wire is the layout of doc/spec/entry.md.
func (e *Entry) Wire(c *wire.Coder) {
	version := uint8(entryVersion)
	c.U8(&version)
	if version != entryVersion {
		c.Fail("entry version %d is unknown; this program knows version %d", version, entryVersion)
		return
	}
	c.Time(&e.Time)
	if c.Err() == nil && e.Time.UnixMicro() < 0 {
		c.Fail("an entry's time is 1970 or later")
	}
	wire.Enum(c, &e.Auth, AuthSystem)
	c.Fixed(e.Actor[:])
	kind := uint16(e.Kind)
	c.U16(&kind)
	if c.Err() == nil && kind == 0 {
		c.Fail("0 is no kind of entry")
	}
	e.Kind = Kind(kind)
	c.Fixed(e.Subject[:])
	c.Bytes(&e.Body, MaxBody)
}

// ParseEntry reads an encoded entry. Errors wrap wire.ErrFormat.
func ParseEntry(b []byte) (e Entry, err error) {
	err = wire.Unmarshal(b, &e)
	return e, err
}

// Record is what a store keeps of an entry, and what opens it: the salt of its
// commitment and its encoded bytes.
type Record struct {
	Salt  [32]byte
	Entry []byte // 1 to MaxEntry bytes
}

// Wire is the salt and the entry's bytes, which must parse.
func (r *Record) Wire(c *wire.Coder) {
	c.Fixed(r.Salt[:])
	c.Bytes(&r.Entry, MaxEntry)
	if c.Reading() && c.Err() == nil {
		if _, err := ParseEntry(r.Entry); err != nil {
			c.Fail("the entry does not parse: %v", err)
		}
	}
}

// Commit returns the record's commitment, which is its leaf in the inner tree.
func (r Record) Commit() Hash { return Commit(r.Salt, r.Entry) }

// ErrProof is the class of every failed verification.
var ErrProof = errors.New("proof does not hold")

const commitLabel = "forewarn/entry/v1\n"

// Commit is HMAC-SHA256(salt, "forewarn/entry/v1\n" ‖ entry): binding because
// SHA-256 resists collisions and the key has fixed length, hiding because the
// salt has 128 random bits.
func Commit(salt [32]byte, entry []byte) Hash { return mac(&salt, commitLabel, entry) }
