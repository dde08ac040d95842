// Package entrylog is the format and the mathematics of the log: entries,
// commitments, Merkle trees, anchors and proofs.
//
// An entry is encoded, committed to under a salt, and the commitment is a leaf
// of the inner tree (RFC 6962). Nothing of the inner tree is ever shown to
// outsiders: its size alone would say that something is going on. What they see
// is the anchor log, with one leaf of 72 bytes for every tick of the clock,
// whatever happened. An anchor binds, under a salt, the inner tree's size and
// root at that tick, and the root of the tick's board: a blind tree of fixed
// depth that holds the commitments of those entries which are proved to
// members. So a member's proof has the same length on an idle day and on the
// day of a wave, and every number in it is a function of time.
//
//	records ──Commit──► inner Tree ──size, root──► Anchor.Inner ┐
//	   └──── the public ones of a tick ──Blind──►  Anchor.Board ┴─► AnchorLog ──► checkpoint, tiles
//
// Anchors are a pure function of the records, the ticks and the blinding key.
// They are never stored as something to trust: whoever has the records makes
// the same bytes again.
//
// The anchor log's formats are those of C2SP (tlog-tiles, tlog-checkpoint,
// signed-note), so any client of transparency logs can read and check it.
//
// Everything here is pure: no files, no clock, no randomness of its own. Do not
// use it to decide what an entry means, and do not show inner indexes, sizes or
// roots to anybody who may not know how busy the programme is.
package entrylog
