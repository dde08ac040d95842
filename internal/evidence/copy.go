package evidence

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

const copyProofMagic = "forewarn copy proof v1\n"

// CopyProof travels with a copy. It shows that the copy with this hash was bound
// to this holder in a wave statement that an anchor of the log covers. It tells
// nothing about other copies, nor how many there are.
type CopyProof struct {
	Holder        entrylog.Ref
	LeafSalt      [32]byte
	KeyCommitment [32]byte // fpcode.Commit of the copy's key; the key stays with the sealer
	Copy          [32]byte // form.CopyHash
	Path          entrylog.BlindProof
	Entry         entrylog.EntryProof // opens the wave's entry
}

// Wire is the layout of doc/spec/receipt.md.
func (p *CopyProof) Wire(c *wire.Coder) {
	c.Magic(copyProofMagic)
	c.Fixed(p.Holder[:])
	c.Fixed(p.LeafSalt[:])
	c.Fixed(p.KeyCommitment[:])
	c.Fixed(p.Copy[:])
	p.Path.Wire(c)
	p.Entry.Wire(c)
}

// Marshal is the canonical encoding.
func (p *CopyProof) Marshal() []byte { return wire.Marshal(p) }

// ParseCopyProof reads what Marshal wrote and nothing else.
func ParseCopyProof(b []byte) (*CopyProof, error) {
	p := new(CopyProof)
	if err := wire.Unmarshal(b, p); err != nil {
		return nil, err
	}
	return p, nil
}

// Leaf is the copy's leaf in the wave tree.
func (p *CopyProof) Leaf() entrylog.Hash {
	return form.CopyLeaf(p.LeafSalt, p.Holder, p.KeyCommitment, p.Copy)
}

// Verify checks that the wave's entry is in the log of v and binds this copy,
// and returns the statement. The interval is the log's, one anchor for each.
// Errors wrap ErrNotVerified or entrylog.ErrProof and say which step failed.
//
// What it doesn't check: that the files at hand have the hash p.Copy, and that
// p.Holder is who the reader thinks; both are for the caller to compare.
func (p *CopyProof) Verify(v note.Verifier, interval time.Duration) (WaveStatement, error) {
	e, err := p.Entry.Verify(v, interval)
	if err != nil {
		return WaveStatement{}, fmt.Errorf("the wave's entry: %w", err)
	}
	w, err := statementOf(e)
	if err != nil {
		return WaveStatement{}, err
	}
	return w, bound(w, p.Path, p.Leaf())
}

// bound checks that a leaf is under a wave's root.
func bound(w WaveStatement, path entrylog.BlindProof, leaf entrylog.Hash) error {
	if err := path.Check(int(w.Depth), w.Root, leaf); err != nil {
		return fmt.Errorf("%w: the copy is not one of those that wave %s was sealed with: %w", ErrNotVerified, w.Wave, err)
	}
	return nil
}
