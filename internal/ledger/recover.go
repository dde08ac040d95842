package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// KindRecovery is the ledger's own kind of entry: a declared recovery. The
// caller's fold sees it only if its Known knows it.
const KindRecovery entrylog.Kind = 0xFFFF

// Recovery is the body of a recovery entry: from here on checkpoints are signed
// under a new origin, and what these signed is given up.
type Recovery struct {
	Number uint32   // of the new origin; greater than any used before, and so perhaps by far
	Lost   [][]byte // checkpoints that the log does not contain, as they were found
}

// Wire is the number and the checkpoints.
func (r *Recovery) Wire(c *wire.Coder) {
	c.U32(&r.Number)
	if c.Err() == nil && r.Number == 0 {
		c.Fail("recoveries are counted from 1")
	}
	wire.List(c, &r.Lost, 8, func(c *wire.Coder, b *[]byte) { c.Bytes(b, entrylog.MaxCheckpoint) })
}

// ErrNothingLost: the log contains everything that was signed; there is nothing
// to recover from.
var ErrNothingLost = errors.New("the log contains everything that was signed")

// Recover declares a recovery: for a log that Open refuses with ErrFork or
// because a checkpoint is damaged, when no newer folder can be brought
// back. It appends one entry, in the name of who, of who's Actor, Auth and
// Subject, naming the checkpoints that are given up; the next Open goes on
// under a new origin, in a new folder, and touches nothing published before.
// Whoever holds an older checkpoint can tell: that is the point.
//
// It returns ErrNothingLost for a log that would open. After any other error it
// can be tried again.
func Recover(ctx context.Context, store Store, pub Publisher, outside Outside, opt Options, who Draft) (Recovery, error) {
	opt, err := opt.check(true)
	if err != nil {
		return Recovery{}, err
	}
	epoch, err := store.Acquire(ctx)
	if err != nil {
		return Recovery{}, err
	}
	f, err := newFold(opt)
	if err != nil {
		return Recovery{}, err
	}
	if err := f.replay(ctx, store, nil); err != nil {
		return Recovery{}, err
	}
	found, err := findSigned(ctx, f, store, pub, outside)
	if err != nil {
		return Recovery{}, err
	}
	now := opt.now()
	r := Recovery{Number: f.recovery + 1}
	lost := false
	for _, s := range found {
		if f.matches(s) == nil {
			continue
		}
		lost = true
		if s.signed == nil || contains(r.Lost, s.signed) {
			continue
		}
		kept := s.signed[:min(len(s.signed), entrylog.MaxCheckpoint)]
		r.Lost = append(r.Lost, kept)
		if n, ok := s.cp.Recovery(opt.Origin); s.err == nil && ok {
			r.Number = max(r.Number, n+1)
		}
	}
	if out := found[inOutside]; out.signed == nil || out.err != nil {
		// Nobody here knows which numbers were used since this folder was copied: it may
		// have been recovered before, and lost again. Nobody used one that is the time.
		r.Number = max(r.Number, uint32(min(max(now.Unix(), 0), math.MaxUint32)))
	}
	if !lost {
		return Recovery{}, ErrNothingLost
	}
	if err := f.checkClock(now); err != nil {
		return Recovery{}, err
	}
	// Later than every anchor that a checkpoint still holds to.
	at := later(now, f.trees.Last())
	if anchored := f.anchored(); !at.After(anchored) {
		at = anchored.Add(time.Microsecond)
	}
	e := entrylog.Entry{Time: at, Actor: who.Actor, Auth: who.Auth,
		Kind: KindRecovery, Subject: who.Subject, Body: wire.Marshal(&r)}
	rec, err := f.seal(f.trees.Entries(), e, opt.Rand)
	if err != nil {
		return Recovery{}, err
	}
	if err := store.Append(ctx, f.trees.Entries(), epoch, []entrylog.Record{rec}); err != nil {
		return Recovery{}, err
	}
	// A log with entries always has a head and an outside checkpoint, so that
	// a lost one is noticed. They begin anew, with no anchor.
	begin, err := f.begin(r.Number)
	if err != nil {
		return Recovery{}, err
	}
	if err := store.SetHead(ctx, epoch, begin); err != nil {
		return Recovery{}, err
	}
	return r, outside.Save(ctx, begin)
}

// begin is the first checkpoint under the origin after a recovery.
func (f *fold) begin(recovery uint32) ([]byte, error) {
	cp, err := f.trees.Checkpoint(entrylog.RecoveryOrigin(f.opt.Origin, recovery), 0)
	if err != nil {
		return nil, err
	}
	return cp.Sign(f.opt.Signer)
}

// seal makes the record of the entry that will be number seq.
func (f *fold) seal(seq entrylog.Seq, e entrylog.Entry, rand io.Reader) (entrylog.Record, error) {
	b, err := wire.Append(nil, &e)
	if err != nil {
		return entrylog.Record{}, fmt.Errorf("entry of kind %d: %w", e.Kind, err)
	}
	var fresh [16]byte
	if _, err := io.ReadFull(rand, fresh[:]); err != nil {
		return entrylog.Record{}, fmt.Errorf("randomness for a salt: %w", err)
	}
	return entrylog.Record{Salt: entrylog.NewSalt(f.saltKey, fresh, seq, b), Entry: b}, nil
}

func contains(list [][]byte, b []byte) bool {
	for _, x := range list {
		if bytes.Equal(x, b) {
			return true
		}
	}
	return false
}
