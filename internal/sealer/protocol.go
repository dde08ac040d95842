package sealer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// CompileRequest asks for a revision's Form.
type CompileRequest struct {
	Case     cvd.CaseID
	Package  cvd.PackageID
	Revision cvd.RevisionID
	Number   uint32 // of the revision in its package, from 1
	Source   []byte // carrier.Source.Pack

	// Earlier is the package's revisions before this one, by number. Sites that any
	// of them has keep their laws.
	Earlier []cvd.RevisionID
	// Profile is bound by a package's first revision. Zero: that of the package,
	// or Profile for a new one.
	Profile fpcode.Profile
}

// CompileResult is what the desk learns of a Form: hashes, what the manifest
// says, and what can be traced. Never where the marks' values are.
type CompileResult struct {
	Form, SlotTable [32]byte
	Profile         fpcode.Profile
	Manifest        carrier.Manifest
	Report          carrier.Report
}

// HolderKeys is one holder of a wave and the age recipients that may open the
// holder's copy.
type HolderKeys struct {
	Holder     cvd.HolderID
	Recipients []string
}

// SealRequest is a wave as approved.
type SealRequest struct {
	Wave      cvd.WaveID
	Revision  cvd.RevisionID
	Level     form.Level
	OpensAt   time.Time
	AlphaPico uint64 // the package's false-accusation allowance, in 1e-12
	Holders   []HolderKeys
}

// Opening is what proves one holder's copy under its wave's root.
type Opening struct {
	Holder        cvd.HolderID
	LeafSalt      [32]byte
	KeyCommitment [32]byte
	Copy          [32]byte // form.CopyHash
	Path          entrylog.BlindProof
}

// Leaf is the copy's leaf in the wave's tree.
func (o *Opening) Leaf() entrylog.Hash {
	return form.CopyLeaf(o.LeafSalt, entrylog.Ref(o.Holder), o.KeyCommitment, o.Copy)
}

func (o *Opening) Wire(c *wire.Coder) {
	o.Holder.Wire(c)
	c.Fixed(o.LeafSalt[:])
	c.Fixed(o.KeyCommitment[:])
	c.Fixed(o.Copy[:])
	o.Path.Wire(c)
}

// planned is what the vault keeps of a wave: the request, and how many holders
// the package had with it when it was first sealed, which its statement says.
type planned struct {
	SealRequest
	Count uint32
}

func (p *planned) Wire(c *wire.Coder) {
	p.SealRequest.Wire(c)
	c.U32(&p.Count)
}

// samePlan reports whether two requests make the same commitments. The keys that
// copies are sealed to may differ: a holder may have lost its own.
func (q SealRequest) samePlan(o SealRequest) bool {
	blank := func(q SealRequest) []byte {
		q.Holders = slices.Clone(q.Holders)
		for i := range q.Holders {
			q.Holders[i].Recipients = nil
		}
		return wire.Marshal(&q)
	}
	return slices.Equal(blank(q), blank(o))
}

// Parcel is one sealed copy as the desk stores it.
type Parcel struct {
	Opening Opening
	Locked  []byte // an age file whose header is locked under the wave key
}

// SealResult closes a sealing.
type SealResult struct {
	Statement evidence.WaveStatement
	Copies    uint32
	Bulk      []byte // the age file all copies share; empty when there is none
}

// CaseForm is one revision's Form, for reading specimens.
type CaseForm struct {
	Package  cvd.PackageID
	Revision cvd.RevisionID
	Number   uint32
	Form     []byte
}

// Codebook is what decoding a package's specimens needs.
type Codebook struct {
	Run         evidence.Run // signed: how often codes were opened, over what
	Bias        fpcode.Key
	Recognition [16]byte
	Counts      []WaveCount // opens the count in each wave's statement
	Lines       []CodebookLine
}

// WaveCount opens the number of copies in a wave's statement.
type WaveCount struct {
	Wave   cvd.WaveID
	Copies uint32
	Salt   [32]byte
}

// CodebookLine is one holder's key and tokens.
type CodebookLine struct {
	Holder cvd.HolderID
	Key    fpcode.Key
	Tokens []SlotToken
}

// SlotToken is a holder's token for one slot: its identity, and how it is
// written there.
type SlotToken struct {
	Slot     string
	Identity uint64
	Text     string
}

const (
	maxHolders   = 1 << 20
	maxParcel    = 128 << 20
	maxFrame     = 1 << 30
	maxRevisions = 1 << 16
)

func (q *CompileRequest) Wire(c *wire.Coder) {
	q.Case.Wire(c)
	q.Package.Wire(c)
	q.Revision.Wire(c)
	c.U32(&q.Number)
	c.Bytes(&q.Source, maxForm)
	wire.List(c, &q.Earlier, maxRevisions, func(c *wire.Coder, r *cvd.RevisionID) { r.Wire(c) })
	c.U8((*uint8)(&q.Profile))
}

func (r *CompileResult) Wire(c *wire.Coder) {
	c.Fixed(r.Form[:])
	c.Fixed(r.SlotTable[:])
	c.U8((*uint8)(&r.Profile))
	r.Manifest.Wire(c)
	r.Report.Wire(c)
}

func (h *HolderKeys) Wire(c *wire.Coder) {
	h.Holder.Wire(c)
	wire.List(c, &h.Recipients, 64, func(c *wire.Coder, s *string) { wire.Text(c, s, 8192) })
}

func (q *SealRequest) Wire(c *wire.Coder) {
	c.Magic("forewarn seal request v1\n")
	q.Wave.Wire(c)
	q.Revision.Wire(c)
	wire.Enum(c, &q.Level, form.PoC)
	c.Time(&q.OpensAt)
	c.U64(&q.AlphaPico)
	wire.Layouts(c, &q.Holders, maxHolders)
}

func (p *Parcel) Wire(c *wire.Coder) {
	c.Magic("forewarn parcel v1\n")
	p.Opening.Wire(c)
	c.Bytes(&p.Locked, maxParcel)
}

func (r *SealResult) Wire(c *wire.Coder) {
	r.Statement.Wire(c)
	c.U32(&r.Copies)
	c.Bytes(&r.Bulk, maxForm)
}

func (f *CaseForm) Wire(c *wire.Coder) {
	f.Package.Wire(c)
	f.Revision.Wire(c)
	c.U32(&f.Number)
	c.Bytes(&f.Form, maxForm)
}

func (b *Codebook) Wire(c *wire.Coder) {
	b.Run.Wire(c)
	c.Fixed(b.Bias[:])
	c.Fixed(b.Recognition[:])
	wire.List(c, &b.Counts, 1<<16, func(c *wire.Coder, w *WaveCount) {
		w.Wave.Wire(c)
		c.U32(&w.Copies)
		c.Fixed(w.Salt[:])
	})
	wire.Layouts(c, &b.Lines, maxHolders)
}

func (l *CodebookLine) Wire(c *wire.Coder) {
	l.Holder.Wire(c)
	c.Fixed(l.Key[:])
	wire.List(c, &l.Tokens, 1<<16, func(c *wire.Coder, t *SlotToken) {
		wire.Text(c, &t.Slot, 256)
		c.U64(&t.Identity)
		wire.Text(c, &t.Text, 256)
	})
}

// small requests and answers, one field list each.
type layoutFunc func(*wire.Coder)

func (f layoutFunc) Wire(c *wire.Coder) { f(c) }

// Op names a request on the pipe.
type op uint8

const (
	opCompile op = 1 + iota
	opSeal
	opWaveKey
	opForms
	opCodebook
	opOpening
	opRecognition
	opConfirm
)

// A frame is a length (u32), a tag and a body. Answers are any number of items
// and then one end; an error ends the answer instead.
const (
	tagItem uint8 = 1 + iota
	tagEnd
	tagRefused
	tagNotYet
	tagFailed
)

func writeFrame(w io.Writer, tag uint8, body []byte) error {
	if len(body) > maxFrame {
		return fmt.Errorf("a frame of %d bytes; at most %d are allowed", len(body), maxFrame)
	}
	head := binary.BigEndian.AppendUint32(make([]byte, 0, 5), uint32(len(body)))
	_, err := w.Write(append(head, tag))
	if err == nil && len(body) > 0 { // a pipe waits for a reader of nothing, too
		_, err = w.Write(body)
	}
	return err
}

func readFrame(r io.Reader) (tag uint8, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("a frame of %d bytes; at most %d are allowed", n, maxFrame)
	}
	// Memory is taken as the bytes come, not as their number is claimed.
	var b bytes.Buffer
	b.Grow(int(min(n, 1<<20)))
	if _, err = io.CopyN(&b, r, int64(n)); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return head[4], b.Bytes(), err
}

// Serve answers requests from r on w until r ends. It is the whole of the
// sealer's process: no listener, no other input.
func Serve(ctx context.Context, s *Sealer, r io.Reader, w io.Writer) error {
	in, out := bufio.NewReaderSize(r, 1<<16), bufio.NewWriterSize(w, 1<<18)
	for {
		tag, body, err := readFrame(in)
		if err == io.EOF { // between two requests
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		end, err := s.answer(ctx, op(tag), body, func(item wire.Layout) error {
			return writeFrame(out, tagItem, wire.Marshal(item))
		})
		switch {
		case err == nil:
			err = writeFrame(out, tagEnd, wire.Marshal(end))
		case errors.Is(err, ErrRefused):
			err = writeFrame(out, tagRefused, []byte(err.Error()))
		case errors.Is(err, ErrNotYet):
			err = writeFrame(out, tagNotYet, []byte(err.Error()))
		default:
			err = writeFrame(out, tagFailed, []byte(err.Error()))
		}
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			return fmt.Errorf("writing an answer: %w", err)
		}
	}
}

func (s *Sealer) answer(ctx context.Context, o op, body []byte, item func(wire.Layout) error) (wire.Layout, error) {
	var pkg cvd.PackageID
	var wave cvd.WaveID
	switch o {
	case opCompile:
		var q CompileRequest
		if err := wire.Unmarshal(body, &q); err != nil {
			return nil, err
		}
		r, err := s.Compile(ctx, q)
		return &r, err
	case opSeal:
		var q SealRequest
		if err := wire.Unmarshal(body, &q); err != nil {
			return nil, err
		}
		r, err := s.Seal(ctx, q, func(p Parcel) error { return item(&p) })
		return &r, err
	case opWaveKey:
		if err := wire.Unmarshal(body, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); wave.Wire(c) })); err != nil {
			return nil, err
		}
		k, err := s.WaveKey(ctx, pkg, wave)
		return layoutFunc(func(c *wire.Coder) { c.Fixed(k[:]) }), err
	case opForms:
		var cs cvd.CaseID
		if err := wire.Unmarshal(body, &cs); err != nil {
			return nil, err
		}
		forms, err := s.Forms(ctx, cs)
		return layoutFunc(func(c *wire.Coder) { wire.Layouts(c, &forms, 1<<16) }), err
	case opCodebook:
		var readings [32]byte
		if err := wire.Unmarshal(body, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); c.Fixed(readings[:]) })); err != nil {
			return nil, err
		}
		b, err := s.Codebook(ctx, pkg, readings)
		return &b, err
	case opOpening:
		var h cvd.HolderID
		if err := wire.Unmarshal(body, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); wave.Wire(c); h.Wire(c) })); err != nil {
			return nil, err
		}
		p, err := s.Opening(ctx, pkg, wave, h)
		return &p, err
	case opRecognition:
		k, err := s.Recognition(ctx)
		return layoutFunc(func(c *wire.Coder) { c.Fixed(k[:]) }), err
	case opConfirm:
		if err := wire.Unmarshal(body, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); wave.Wire(c) })); err != nil {
			return nil, err
		}
		return layoutFunc(func(*wire.Coder) {}), s.Confirm(ctx, pkg, wave)
	}
	return nil, fmt.Errorf("%w: request %d is unknown; desk and sealer must be the same version", ErrRefused, o)
}

// Client asks a sealer at the other end of a pipe. It is safe for concurrent
// use; requests are answered one after the other.
type Client struct {
	mu sync.Mutex
	r  *bufio.Reader
	w  io.Writer
}

// Dial makes a Client of the two ends of a pipe.
func Dial(r io.Reader, w io.Writer) *Client {
	return &Client{r: bufio.NewReaderSize(r, 1<<18), w: w}
}

func (c *Client) call(ctx context.Context, o op, q, end wire.Layout, item func([]byte) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := writeFrame(c.w, uint8(o), wire.Marshal(q)); err != nil {
		return fmt.Errorf("asking the sealer: %w", err)
	}
	var failed error // an item that could not be taken: the answer is still read to its end
	for {
		tag, body, err := readFrame(c.r)
		if err != nil {
			return fmt.Errorf("the sealer's answer: %w", err)
		}
		switch tag {
		case tagItem:
			switch {
			case failed != nil:
			case item == nil:
				failed = errors.New("the sealer's answer is of another sort than the question")
			default:
				failed = item(body)
			}
		case tagEnd:
			if failed != nil {
				return failed
			}
			return wire.Unmarshal(body, end)
		case tagRefused:
			return remote{ErrRefused, string(body)}
		case tagNotYet:
			return remote{ErrNotYet, string(body)}
		default:
			return fmt.Errorf("the sealer failed: %s", body)
		}
	}
}

// remote is an error of the other end: its text, with its class.
type remote struct {
	class error
	text  string
}

func (e remote) Error() string { return e.text }
func (e remote) Unwrap() error { return e.class }

// Compile is Sealer.Compile.
func (c *Client) Compile(ctx context.Context, q CompileRequest) (r CompileResult, err error) {
	err = c.call(ctx, opCompile, &q, &r, nil)
	return r, err
}

// Seal is Sealer.Seal.
func (c *Client) Seal(ctx context.Context, q SealRequest, each func(Parcel) error) (r SealResult, err error) {
	err = c.call(ctx, opSeal, &q, &r, func(b []byte) error {
		var p Parcel
		if err := wire.Unmarshal(b, &p); err != nil {
			return err
		}
		return each(p)
	})
	return r, err
}

// WaveKey is Sealer.WaveKey.
func (c *Client) WaveKey(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID) (k [32]byte, err error) {
	err = c.call(ctx, opWaveKey, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); w.Wire(c) }),
		layoutFunc(func(c *wire.Coder) { c.Fixed(k[:]) }), nil)
	return k, err
}

// Confirm is Sealer.Confirm.
func (c *Client) Confirm(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID) error {
	return c.call(ctx, opConfirm, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); w.Wire(c) }), layoutFunc(func(*wire.Coder) {}), nil)
}

// Forms is Sealer.Forms.
func (c *Client) Forms(ctx context.Context, cs cvd.CaseID) (forms []CaseForm, err error) {
	err = c.call(ctx, opForms, &cs, layoutFunc(func(c *wire.Coder) { wire.Layouts(c, &forms, 1<<16) }), nil)
	return forms, err
}

// Codebook is Sealer.Codebook.
func (c *Client) Codebook(ctx context.Context, pkg cvd.PackageID, readings [32]byte) (b Codebook, err error) {
	err = c.call(ctx, opCodebook, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); c.Fixed(readings[:]) }), &b, nil)
	return b, err
}

// Opening is Sealer.Opening.
func (c *Client) Opening(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID, h cvd.HolderID) (p Opening, err error) {
	err = c.call(ctx, opOpening, layoutFunc(func(c *wire.Coder) { pkg.Wire(c); w.Wire(c); h.Wire(c) }), &p, nil)
	return p, err
}

// Recognition is Sealer.Recognition.
func (c *Client) Recognition(ctx context.Context) (k [16]byte, err error) {
	err = c.call(ctx, opRecognition, layoutFunc(func(*wire.Coder) {}), layoutFunc(func(c *wire.Coder) { c.Fixed(k[:]) }), nil)
	return k, err
}
