// Package ledger is the one writer of a log. The desk has a log and the inquiry
// has another; both are this.
//
// A command becomes entries in four steps, in this order and no other:
//
//	decide   under the writer's lock, seeing every earlier entry
//	apply    the new entries to the caller's state, so that the next decision sees them
//	append   durable, many callers in one transaction
//	return   to the callers, who only now let anything leave the house
//
// Readers of the state go through View, which never shows an entry that is not
// durable yet. If an append fails, what is durable is no longer known: the
// writer is dead, View refuses, and opening again folds the state anew from
// what was kept. Nothing that was acknowledged can be lost that way, and nothing
// else was ever acted upon.
//
// A reader in another process may decide too, by what is durable, and offers its
// records to the writer in their place: see Writer. What came between is told, and it
// decides again.
//
// At every tick of the clock an anchor is made, whatever happened since the
// last (see package entrylog). The signed checkpoint goes first into the
// store, where a fenced writer is stopped; then outside, where a restored backup
// does not reach; and only then is it published, after its tiles. A crash
// between is healed by the next Open, since anchors are a pure function of
// what the store has. If the store does not have what was signed, Open refuses
// with ErrFork: an older folder cannot sign a second history. Only Recover goes
// on, under a new origin, with an entry that says so.
//
// The ledger knows nothing of what entries mean, and holds no policy. Do not
// hang effects on replay or apply: they run before the entries are durable,
// and again at every start.
package ledger
