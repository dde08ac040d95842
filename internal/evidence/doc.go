// Package evidence is what leaves the house: the statements, proofs, receipts
// and dossiers that somebody outside must be able to check without us.
//
// In the order in which a case makes them:
//
//   - A WaveStatement is the body of the one entry that members may open. It
//     binds, before anything is sent, what every reader of a wave will get: the
//     Form, the bias, the decoder, the threshold and a root over all copies.
//   - A CopyProof travels with a copy and shows its holder that this copy, and
//     no other, was bound for them in an anchored entry.
//   - A Receipt is the holder's signature over the copy and the anchor log as
//     they saw it. Every receipt is a witness of the log.
//   - A Run is the sealer's signature over one opening of a package's keys: which
//     set of readings it is, and over which waves and how many copies.
//   - Findings are what an inquiry has to say, as deterministic JSON: numbers as
//     strings, rounded against the accusation.
//   - A Dossier holds findings with everything they rest on. VerifyDossier
//     repeats the work: it reads the specimens again, prints the accused copies
//     again, and computes every probability again.
//
// The rule by which findings come to a conclusion is here too (Conclude), so
// that those who write findings and those who check them run the same lines.
//
// A dossier proves what its assumptions allow and no more. It says from which
// copy material is derived. It does not say who passed it on, and there is no
// probability of guilt anywhere in it. It opens the keys of the copies that it
// names, so do not publish one: whoever has it can write those copies anew.
//
// Nothing here keeps a secret or judges who may see what.
package evidence

import (
	"errors"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

var (
	// ErrNotVerified is the class of everything that parses and does not hold:
	// treat the material as false, and keep it as it is for whoever looks into it.
	ErrNotVerified = errors.New("not verified")
	// ErrUntrusted: it holds under the keys that it names itself, and those aren't
	// the keys that you trust.
	ErrUntrusted = errors.New("signed under another key than the trusted one")
)

// ID is an entrylog.Ref that writes itself as text; ID(ref) and
// entrylog.Ref(id) convert.
type ID = wire.ID[entrylog.Ref]
