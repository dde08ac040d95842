package evidence

import (
	"bytes"
	"crypto/ed25519"
	"fmt"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

const runMagic = "forewarn run v1\n"

// Run is the sealer's word on one opening of a package's codes: which readings
// they were opened for, the how-manieth set of readings that is, and every wave
// and copy there was by then. The sealer counts by its own journal; the key that
// signs stands in every wave's statement, from before any leak. So neither the
// count of runs nor the number of copies is the inquiry's word.
type Run struct {
	Package   entrylog.Ref
	Readings  [32]byte       // form.Readings.Hash
	Number    uint32         // of this set of readings among the package's, from 1
	Copies    uint32         // distinct holders over all waves
	Waves     []entrylog.Ref // sealed and on the log by then, ascending
	Signature [64]byte
}

func (r *Run) signed(c *wire.Coder) {
	c.Magic(runMagic)
	c.Fixed(r.Package[:])
	c.Fixed(r.Readings[:])
	c.U32(&r.Number)
	c.U32(&r.Copies)
	wire.List(c, &r.Waves, maxWaves, func(c *wire.Coder, w *entrylog.Ref) { c.Fixed(w[:]) })
	if c.Err() != nil {
		return
	}
	if r.Number == 0 || r.Copies == 0 {
		c.Fail("run %d over %d copies; both are counted from 1", r.Number, r.Copies)
	}
	for i := 1; i < len(r.Waves); i++ {
		if bytes.Compare(r.Waves[i-1][:], r.Waves[i][:]) >= 0 {
			c.Fail("waves are strictly ascending")
		}
	}
}

// Wire is the layout of doc/spec/dossier.md.
func (r *Run) Wire(c *wire.Coder) {
	r.signed(c)
	c.Fixed(r.Signature[:])
}

func (r *Run) message() []byte { return wire.Marshal(layoutFunc(r.signed)) }

// Sign signs with the sealer's key.
func (r *Run) Sign(sealer ed25519.PrivateKey) {
	copy(r.Signature[:], ed25519.Sign(sealer, r.message()))
}

// Verify checks the signature under the key of a wave's statement.
func (r *Run) Verify(sealer [32]byte) error {
	if !ed25519.Verify(sealer[:], r.message(), r.Signature[:]) {
		return fmt.Errorf("%w: the run is not signed by the sealer that the waves name", ErrNotVerified)
	}
	return nil
}
