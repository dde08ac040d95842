// Package fpcode is the fingerprinting code: which alternative a holder's copy
// shows at each markable site, what a recovered specimen says about a holder,
// and how often chance alone would say as much.
//
// Data passes through it in one direction:
//
//	package key ─► bias key, copy keys ─► Symbol(copy, site, law)   what a copy shows
//	specimen ─► []Reading ─► Weigh ─► []Evidence ─► Score           what a copy gets
//	[]Evidence, score ─► PUpper, PEstimate, PSampled ─► Adjust      what that is worth
//
// A holder's symbols are a keyed function of the site and nothing else. No
// codeword is ever chosen, balanced, corrected or thrown away: the law in Law
// is exactly the law of an innocent holder's symbols, and every probability
// here rests on that. Given the readings, the score of somebody whose copy had
// no part in the specimen is a sum of independent terms of known law, so its
// tail can be computed for this very specimen, whatever the attack was (Furon
// and Desoubeaux, "Tardos codes for real", WIFS 2014).
//
// Everything that a decision hangs on is an integer, or is made from integers
// by additions, multiplications, divisions and square roots that IEEE 754
// rounds in one way only. No fused multiply-add, no math.Log, no math.Exp: all
// machines decide alike, bit for bit.
//
// Do not use it with readings that were made by anything that saw a codeword
// or a rendered copy; with copy keys that were chosen rather than derived; or
// to say that a holder leaked. It says at most that a specimen derives from the
// copy issued to a holder, and how rarely that would be said of an innocent.
//
// The full description, with vectors, is doc/spec/code.md.
package fpcode
