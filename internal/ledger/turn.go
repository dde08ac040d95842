package ledger

import (
	"context"
	"fmt"
)

// Turn makes a reader the log's one writer while f runs, and a reader again after.
// What the reader has read already isn't read again: a process that looks all the
// time and writes now and then needn't open the log anew, which takes longer the
// longer the log is. store is another handle on the same log; like pub and outside
// it is the caller's to close afterwards, and a store that locks holds the lock until
// then.
//
// Turn checks what Open checks, and its errors are Open's and f's. After ErrDead the
// log takes no more and tells nothing more: open another. No call but View may run
// beside Turn.
func (l *Log) Turn(ctx context.Context, store Store, pub Publisher, outside Outside, f func() error) error {
	if l.epoch != 0 {
		return fmt.Errorf("ledger: it is the log's writer already")
	}
	if err := l.stopped(); err != nil {
		return err
	}
	opt, err := l.opt.check(true)
	if err != nil {
		return err
	}
	epoch, err := store.Acquire(ctx)
	if err != nil {
		return err
	}
	// Nobody else writes from here on.
	if err := l.Refresh(ctx); err != nil {
		return err
	}
	found, err := findSigned(ctx, l.fold, store, pub, outside)
	if err != nil {
		return err
	}
	for _, s := range found {
		if err := l.fold.matches(s); err != nil {
			return err
		}
	}
	reader := l.hands
	l.hands = hands{store, pub, outside, opt, epoch}
	l.kept = kept{head: -1, outside: -1, published: -1}
	l.resume(found)
	defer func() {
		l.lead <- struct{}{} // an append that is under way comes first
		l.hands = reader
		<-l.lead
	}()
	if err := l.Tick(ctx); err != nil {
		return err
	}
	return f()
}
