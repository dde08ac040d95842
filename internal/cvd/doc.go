// Package cvd is the domain of coordinated vulnerability disclosure as a
// programme runs it, and the only policy there is.
//
// A Programme is a fold over the log. One value of it holds everything that is
// decided upon: accounts, members, cases, embargoes, revisions, waves, copies,
// fetches, receipts, answers, duty. Three functions move it:
//
//	Command ──Decide──► []Event ──(made durable by the caller)──► Entry ──Apply──► Programme
//	             │
//	            May(who, action, object, now): may this account do that, now?
//
// Decide asks May, then the verb's own rule, and changes nothing. What it
// returns becomes entries; only when they are durable does Apply fold them in.
// Apply decides nothing: what is in the log happened, also under the rules of an
// older version of this program. It refuses only what cannot have been written
// by one: an unknown kind, a body that isn't canonical, a name that names
// nothing.
//
// Three rules hold everywhere:
//
//   - Default closed. May allows what its table names (doc/access.md is printed
//     from it) and nothing else. The zero Actor, the zero Object, the unknown,
//     the closed and the suspended are denied. The empty audience is nobody.
//   - Derived, not stored. Whether a wave is open, an embargo active or an
//     invitation lapsed follows from entries and the time that is asked about;
//     no entry says so. So one can ask about any time.
//   - No blob is read. Bodies hold ids, times, hashes, roles and numbers; every
//     word that a person wrote is in a blob under a key, named by its hash
//     (BlobRef). Destroying the key leaves the fold as it was.
//
// The life of a wave, a consent, an embargo, a standing, an answer and of
// findings are tables (machine.go), from which doc/states.md is drawn.
//
// The package is pure: no clock, no randomness, no files. Ids of new things are
// chosen by the caller. Apply and DecideAll want a Programme for themselves;
// everything else only looks. Do not keep pointers into it across an Apply, do
// not change what it shows, and put no rule about who may do what anywhere else.
package cvd
