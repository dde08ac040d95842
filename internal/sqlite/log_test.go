package sqlite

import (
	"crypto/rand"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"

	"golang.org/x/mod/sumdb/note"
)

// body150 is 150 bytes, which is what entries of a programme come to.
type body150 [150]byte

func (b *body150) Wire(c *wire.Coder) { c.Fixed(b[:]) }

func logOptions(t testing.TB) ledger.Options {
	const origin = "test.example/log"
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	ok(t, err)
	signer, err := note.NewSigner(secret)
	ok(t, err)
	verifier, err := note.NewVerifier(public)
	ok(t, err)
	return ledger.Options{Origin: origin, Interval: time.Minute, Signer: signer, Verifier: verifier,
		Blinding: entrylog.Blinding{1}, Clock: time.Now, Rand: rand.Reader,
		Known: func(entrylog.Kind) bool { return true }}
}
