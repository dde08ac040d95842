package evidence

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

const receiptMagic = "forewarn receipt v1\n"

// Receipt is a holder's signed word: 'I have this copy, and when I took it the
// anchor log looked like this'. It holds no name, no case and no count, so it
// may be shown to anybody; the leaf is a salted hash.
type Receipt struct {
	Origin     string        // of the checkpoint that came with the copy: the log's name, with the number of a recovery
	Tick       entrylog.Tick // of the anchor that covers the wave's entry
	AnchorRoot entrylog.Hash // of the anchor log, in the checkpoint that came with the copy
	AnchorSize uint64        // of the anchor log, in the same checkpoint
	Leaf       entrylog.Hash // CopyProof.Leaf
	Key        [32]byte      // Ed25519 public key that the holder enrolled
	Signature  [64]byte      // over all of the above, magic included
}

func (r *Receipt) signed(c *wire.Coder) {
	c.Magic(receiptMagic)
	wire.Text(c, &r.Origin, 255)
	tick := uint64(r.Tick)
	c.U64(&tick)
	r.Tick = entrylog.Tick(tick)
	c.Fixed(r.AnchorRoot[:])
	c.U64(&r.AnchorSize)
	c.Fixed(r.Leaf[:])
	c.Fixed(r.Key[:])
}

// Wire is the layout of doc/spec/receipt.md.
func (r *Receipt) Wire(c *wire.Coder) {
	r.signed(c)
	c.Fixed(r.Signature[:])
}

// Marshal is the canonical encoding.
func (r *Receipt) Marshal() []byte { return wire.Marshal(r) }

// ParseReceipt reads what Marshal wrote and nothing else. The signature is not
// checked.
func ParseReceipt(b []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := wire.Unmarshal(b, r); err != nil {
		return nil, err
	}
	return r, nil
}

// layoutFunc lets a part of a value be marshalled.
type layoutFunc func(*wire.Coder)

func (f layoutFunc) Wire(c *wire.Coder) { f(c) }

func (r *Receipt) message() []byte { return wire.Marshal(layoutFunc(r.signed)) }

// SignReceipt verifies the proof and signs what it says. A proof that doesn't
// hold is not acknowledged.
func SignReceipt(priv ed25519.PrivateKey, p *CopyProof, v note.Verifier, interval time.Duration) (*Receipt, error) {
	if len(priv) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("a signing key of %d bytes; an Ed25519 key has %d", len(priv), ed25519.PrivateKeySize)
	}
	if _, err := p.Verify(v, interval); err != nil {
		return nil, fmt.Errorf("no receipt was signed: %w", err)
	}
	r, err := receiptFor(p, v)
	if err != nil {
		return nil, err
	}
	copy(r.Key[:], priv.Public().(ed25519.PublicKey))
	copy(r.Signature[:], ed25519.Sign(priv, r.message()))
	return r, nil
}

// receiptFor is the unsigned receipt for a verified proof.
func receiptFor(p *CopyProof, v note.Verifier) (*Receipt, error) {
	seen, err := p.Entry.AnchorProof.Verify(v)
	if err != nil {
		return nil, err
	}
	return &Receipt{
		Origin:     seen.Origin,
		Tick:       p.Entry.Anchor.Tick,
		AnchorRoot: seen.Root,
		AnchorSize: seen.Size,
		Leaf:       p.Leaf(),
	}, nil
}

// Verify checks the signature under the key that the receipt names. Whose key
// that is, only the log of enrolments can say.
func (r *Receipt) Verify() error {
	if !ed25519.Verify(r.Key[:], r.message(), r.Signature[:]) {
		return fmt.Errorf("%w: the receipt's signature is not by the key it names", ErrNotVerified)
	}
	return nil
}

// VerifyFor checks the proof, the signature, and that the receipt is for this copy
// and for the anchor log as the proof's checkpoint shows it. It wants the very
// proof that came with the copy: one made later has another checkpoint.
func (r *Receipt) VerifyFor(p *CopyProof, v note.Verifier, interval time.Duration) (WaveStatement, error) {
	w, err := p.Verify(v, interval)
	if err != nil {
		return w, err
	}
	if err := r.Acknowledges(p); err != nil {
		return w, err
	}
	want, err := receiptFor(p, v)
	if err != nil {
		return w, err
	}
	if r.Origin != want.Origin || r.AnchorSize != want.AnchorSize || r.AnchorRoot != want.AnchorRoot {
		return w, fmt.Errorf("%w: the receipt was signed with the checkpoint of %q at size %d; the proof has %q at size %d, or another root",
			ErrNotVerified, r.Origin, r.AnchorSize, want.Origin, want.AnchorSize)
	}
	return w, nil
}

// Acknowledges checks the signature and that the receipt is for this copy as
// proved by p. The proof must have been verified. It says nothing about the
// anchor log; VerifyFor does.
func (r *Receipt) Acknowledges(p *CopyProof) error {
	if err := r.Verify(); err != nil {
		return err
	}
	if r.Leaf != p.Leaf() || r.Tick != p.Entry.Anchor.Tick {
		return fmt.Errorf("%w: the receipt is for another copy", ErrNotVerified)
	}
	return nil
}
