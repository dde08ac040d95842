package ledger

import (
	"context"
	"errors"

	"forewarn/internal/entrylog"
)

// The classes of error. Each tells its reader what to do; errors.Is, never text.
var (
	// ErrConflict: the log's size is not what the append expected. Another
	// writer was here. Nothing was kept; open the log again.
	ErrConflict = errors.New("the log is not of the expected size")

	// ErrFenced: a newer writer holds the log. Nothing was kept; this writer
	// must stop.
	ErrFenced = errors.New("a newer writer holds the log")

	// ErrLocked: another process holds the log. Nothing was kept; forward the
	// command to it, or stop it first. The text says who.
	ErrLocked = errors.New("the log is held by another process")

	// ErrDamaged: what is kept cannot be read back as it was written. The text
	// says where. Nothing was changed; restore from a copy.
	ErrDamaged = errors.New("the log is damaged")

	// ErrFork: the log does not contain what was signed earlier. Nothing was
	// changed; bring back the newer folder, or declare a recovery.
	ErrFork = errors.New("the log does not continue what was signed")

	// ErrDead: an earlier append failed in a way that leaves open whether it
	// was kept, so this writer can no longer know the log. Open it again.
	ErrDead = errors.New("the writer stopped after a failed append; open the log again")

	// ErrNotAnchored: the entry's tick has not come yet. NotAnchoredError says
	// when it will.
	ErrNotAnchored = errors.New("the entry is not anchored yet")

	// ErrNotPublic: the entry is not on a board, so no proof of it can be
	// given that would not show how busy the log is.
	ErrNotPublic = errors.New("the entry is not among those that are proved to members")

	// ErrNoEntry: the log has no entry of that number.
	ErrNoEntry = errors.New("the log has no such entry")

	// ErrUnknownKind: an entry is of a kind that this program does not know.
	// Nothing was changed; use the newer program that wrote it.
	ErrUnknownKind = errors.New("an entry is of a kind unknown to this program")

	// ErrReadOnly: the log was opened for reading.
	ErrReadOnly = errors.New("the log is open for reading only")

	// ErrClock: the clock is so far from the log's last entry that it is more
	// likely wrong. Nothing was kept; set the clock.
	ErrClock = errors.New("the clock cannot be right")

	// ErrUnreached: no process that writes the log answers. Nothing was kept;
	// try again.
	ErrUnreached = errors.New("the process that writes the log can't be reached")

	// ErrUncertain: the process that writes the log was asked to append, and did
	// not answer in time. Whether it will is open; the log tells.
	ErrUncertain = errors.New("the process that writes the log did not say whether it appended")

	// ErrOffer: what was offered to the writer does not fit its log. Nothing was
	// kept; both processes must be of one version.
	ErrOffer = errors.New("the entries don't fit this log")

	// ErrClosed: the log or store was closed.
	ErrClosed = errors.New("the log is closed")
)

// Store keeps the records of one log. It is trusted to be durable and to keep
// order; it is not trusted to be unchanged between openings: the ledger checks
// what it reads.
//
// All methods may be called concurrently. After Close they return ErrClosed.
// An error that is none of the classes above (a full disk, a lost connection)
// says nothing on whether the effect was kept, unless the method promises so.
type Store interface {
	// Acquire makes the caller the log's one writer and returns its epoch,
	// which is greater than every epoch returned before, 1 at the least. The new
	// epoch is durable when Acquire returns, and from then on Append and
	// SetHead with an older one fail with ErrFenced. Where the engine has a
	// lock that outlives no process (flock), Acquire takes it and holds it
	// until Close, and returns ErrLocked, with its holder, when somebody else
	// has it; then the earlier holder is not fenced. A handle that holds the
	// log may acquire it again.
	Acquire(ctx context.Context) (epoch uint64, err error)

	// Append keeps recs as entries at, at+1, …: all or none, in order, durable
	// when it returns nil. With ErrConflict (the size is not at), ErrFenced
	// (epoch is not the newest; looked at first) and ErrClosed nothing was
	// kept. After any other error the caller must assume neither. It does not
	// keep the slices. recs may hold thousands of records, each of at most
	// entrylog.MaxEntry bytes; an empty recs only checks epoch and size.
	Append(ctx context.Context, at entrylog.Seq, epoch uint64, recs []entrylog.Record) error

	// Read calls yield for the entries from, from+1, … up to the size that the
	// log had at some moment during the call, in order and without gaps. The
	// record and its bytes are the store's: they change after yield returns.
	// yield must not call the store. An error of yield stops it and is
	// returned as it is. A gap or unreadable record is ErrDamaged, naming
	// 'entry N'. from at or beyond the size yields nothing.
	Read(ctx context.Context, from entrylog.Seq, yield func(entrylog.Seq, entrylog.Record) error) error

	// Size is the number of entries.
	Size(ctx context.Context) (entrylog.Seq, error)

	// SetHead replaces the head: the last signed checkpoint, opaque here, at
	// most 64 KiB. Atomic, and durable when it returns nil. With ErrFenced
	// and ErrClosed nothing was kept.
	SetHead(ctx context.Context, epoch uint64, head []byte) error

	// Head returns a copy of the head, nil when none was set.
	Head(ctx context.Context) ([]byte, error)

	// Follow returns the size as soon as it is greater than n, or ctx's error.
	// It may poll; it sees appends of other processes where the engine allows
	// them.
	Follow(ctx context.Context, n entrylog.Seq) (entrylog.Seq, error)

	// Close gives back locks and handles. A second call does nothing.
	Close() error
}

// File is one file to publish. Path is relative, with forward slashes, and of
// the characters a-z 0-9 . / - only: 'checkpoint', 'tile/0/x001/067.p/8'.
type File = entrylog.File

// Publisher is the folder that outsiders read. It is trusted with nothing: all
// in it can be made again from the store and is checked.
//
// Methods may be called concurrently, but the ledger calls Publish and Remove
// from one goroutine at a time.
type Publisher interface {
	// Publish writes files as one batch. Each becomes visible whole (written
	// aside, synced, renamed) and replaces a file of the same path. The last
	// file becomes visible only when all others are durable, with their
	// folders; on return it is durable too. The order of the others is free, so that
	// a batch of thousands needs few syncs. After an error any subset of the
	// others may be there; publishing the same batch again is always right.
	Publish(ctx context.Context, files []File) error

	// ReadFile returns a file. A missing one is fs.ErrNotExist.
	ReadFile(ctx context.Context, path string) ([]byte, error)

	// List calls yield with the path of every published file, in any order;
	// files half-written by a crash are not published and not listed. An error
	// of yield stops it and is returned.
	List(ctx context.Context, yield func(path string) error) error

	// Remove deletes files, or folders with all that is in them. Missing ones
	// are no error. It need not be durable: the ledger removes only what
	// nobody needs any more (partial tiles whose full tile is published).
	Remove(ctx context.Context, paths []string) error
}

// Outside keeps the last signed checkpoint where a restored backup of the log
// does not reach: another disk, another machine, or a sheet of paper with a
// person. It is what makes an older folder known as older.
type Outside interface {
	// Load returns what was saved last, nil when nothing ever was.
	Load(ctx context.Context) (checkpoint []byte, err error)

	// Save replaces it, atomically and durably.
	Save(ctx context.Context, checkpoint []byte) error
}
