package evidence

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// KindWaveSealed is the kind of the main log's one public entry: its body is a
// WaveStatement.
const KindWaveSealed entrylog.Kind = 22

// MaxDepth is the greatest depth of a wave tree: room for 2^32 copies.
const MaxDepth = 32

const waveVersion = 1

// WaveStatement binds a wave before it is sent: the body of an entry of
// KindWaveSealed. Its layout is frozen (doc/spec/receipt.md).
type WaveStatement struct {
	Wave, Package, Revision, Case entrylog.Ref

	Level   form.Level
	OpensAt time.Time

	Form      [32]byte       // form.Form.Hash
	SlotTable [32]byte       // form.Form.SlotTableHash
	Bias      [32]byte       // fpcode.Commit of the package's bias key
	Profile   fpcode.Profile // law of the symbols
	Decoder   string         // the decoder that may accuse, fixed before any leak
	AlphaPico uint64         // family-wise threshold in 10⁻¹², 1 to 10¹²
	Issued    [32]byte       // IssuedCommitment: how many copies of the package there are so far

	Reader string   // the reader that specimens will be read by, fixed before any leak
	Epoch  uint32   // of the recognition key that its tokens are written under
	Bulk   [32]byte // form.CopyHash of what all copies share; zero: nothing
	Sealer [32]byte // Ed25519 public key that signs Run: the only one that may open this wave's codes

	Depth uint8         // of the wave tree, the same for every wave of a programme
	Root  entrylog.Hash // of the blind tree over form.CopyLeaf of all copies
}

// Wire is the layout of doc/spec/receipt.md.
func (w *WaveStatement) Wire(c *wire.Coder) {
	version := uint8(waveVersion)
	c.U8(&version)
	if version != waveVersion {
		c.Fail("wave statement version %d is unknown; this program knows version %d", version, waveVersion)
		return
	}
	for _, r := range []*entrylog.Ref{&w.Wave, &w.Package, &w.Revision, &w.Case} {
		c.Fixed(r[:])
	}
	wire.Enum(c, &w.Level, form.PoC)
	c.Time(&w.OpensAt)
	c.Fixed(w.Form[:])
	c.Fixed(w.SlotTable[:])
	c.Fixed(w.Bias[:])
	c.U8((*uint8)(&w.Profile))
	wire.Text(c, &w.Decoder, 64)
	c.U64(&w.AlphaPico)
	c.Fixed(w.Issued[:])
	wire.Text(c, &w.Reader, 64)
	c.U32(&w.Epoch)
	c.Fixed(w.Bulk[:])
	c.Fixed(w.Sealer[:])
	c.U8(&w.Depth)
	c.Fixed(w.Root[:])
	switch {
	case c.Err() != nil:
	case w.Level == 0:
		c.Fail("a wave without a level shows nothing")
	case w.AlphaPico == 0 || w.AlphaPico > 1e12:
		c.Fail("α of %d·10⁻¹² is not between 0 and 1", w.AlphaPico)
	case w.Depth == 0 || w.Depth > MaxDepth:
		c.Fail("a wave tree of depth %d; 1 to %d are allowed", w.Depth, MaxDepth)
	}
}

// ParseWaveStatement reads the body of an entry of KindWaveSealed. Errors wrap
// wire.ErrFormat.
func ParseWaveStatement(b []byte) (w WaveStatement, err error) {
	err = wire.Unmarshal(b, &w)
	return w, err
}

// Alpha is AlphaPico as a probability.
func (w *WaveStatement) Alpha() float64 { return float64(w.AlphaPico) / 1e12 }

// statementOf reads the statement out of an opened entry.
func statementOf(e entrylog.Entry) (WaveStatement, error) {
	if e.Kind != KindWaveSealed {
		return WaveStatement{}, fmt.Errorf("%w: the opened entry is of kind %d, not a wave's (%d)", ErrNotVerified, e.Kind, KindWaveSealed)
	}
	w, err := ParseWaveStatement(e.Body)
	if err != nil {
		return WaveStatement{}, fmt.Errorf("%w: the entry's body is not a wave statement: %w", ErrNotVerified, err)
	}
	if e.Subject != w.Wave {
		return WaveStatement{}, fmt.Errorf("%w: the entry is about %s and its statement about wave %s", ErrNotVerified, e.Subject, w.Wave)
	}
	return w, nil
}

// IssuedCommitment binds the number of copies of a package that exist once this
// wave is sealed, this wave's included, without telling it to those who get the
// statement: HMAC-SHA256(salt, "forewarn/issued/v1" ‖ u32 copies). The number is
// opened in a dossier, because every accusation is corrected for it.
func IssuedCommitment(salt [32]byte, copies uint32) [32]byte {
	m := hmac.New(sha256.New, salt[:])
	m.Write([]byte("forewarn/issued/v1"))
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], copies)
	m.Write(n[:])
	return [32]byte(m.Sum(nil))
}
