package sighting

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Expand bounds what compressed input may grow to. Scanning takes no more
// memory for it, but a small file must not buy hours of work. Zero fields take
// the defaults.
type Expand struct {
	Ratio int64 // of decompressed to compressed bytes; default 300
	Above int64 // decompressed bytes, from which on Ratio is judged; default 1 GiB
	Bytes int64 // of decompressed bytes; default 1 TiB
}

const (
	defaultRatio = 300     // logs reach some tens; gzip's own limit is 1,032, zstd has none
	defaultAbove = 1 << 30 // a log of alike requests packs to a ten-thousandth; this much takes a second or two
	defaultBytes = 1 << 40 // above any day's log of one sensor
)

// maxPacked is how many compressions are undone, one in the other.
const maxPacked = 3

// packing is a way in which a source is compressed or written. open starts on
// what r is about to give, and gives what can be read of it up to the end of a
// member. was is what it gave for the member before.
type packing struct {
	name  string
	magic []string
	open  func(r *bufio.Reader, depth int, was io.Reader) (io.Reader, error)
}

var packings = []packing{
	{"gzip", []string{"\x1f\x8b"}, func(r *bufio.Reader, _ int, was io.Reader) (io.Reader, error) {
		z, ok := was.(*gzip.Reader)
		if !ok {
			z = new(gzip.Reader)
		}
		err := z.Reset(r)
		z.Multistream(false) // so that what follows a member is seen
		return z, err
	}},
	// Frames of Zstandard, and those that it skips (RFC 8878 section 3.1).
	{"zstd", append([]string{"\x28\xb5\x2f\xfd"}, skipped()...), func(r *bufio.Reader, depth int, was io.Reader) (io.Reader, error) {
		f := &frame{r: r}
		if z, ok := was.(*zstd.Decoder); ok {
			return z, z.Reset(f)
		}
		return zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windows[depth]))
	}},
}

var wideText = packing{"UTF-16", []string{"\xff\xfe", "\xfe\xff"}, func(r *bufio.Reader, _ int, _ io.Reader) (io.Reader, error) {
	return transform.NewReader(&units{r: r}, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()), nil
}}

// windows are the largest that a zstd stream may ask for, by how deep it lies:
// the memory of all together is bounded. Its own levels up to 19 take 8 MiB.
var windows = [maxPacked]uint64{64 << 20, 8 << 20, 8 << 20}

func skipped() (out []string) {
	for c := byte(0x50); c <= 0x5f; c++ {
		out = append(out, string([]byte{c, 0x2a, 0x4d, 0x18}))
	}
	return out
}

func (p *packing) begins(head []byte) bool {
	return slices.ContainsFunc(p.magic, func(m string) bool { return bytes.HasPrefix(head, []byte(m)) })
}

func packingOf(head []byte) *packing {
	for i := range packings {
		if packings[i].begins(head) {
			return &packings[i]
		}
	}
	return nil
}

// source is a stream with its compression undone, and UTF-16 turned into UTF-8.
// What can't be undone to its end it gives as it stands, behind what could: a few
// bytes at the start of a line must not hide those behind them. Read's errors are
// io.EOF at the end, and else the reader's own.
type source struct {
	in     *counted
	limit  Expand
	undone []string // outermost first
	like   string   // what it begins like and isn't undone
	text   io.Reader
	top    *unpacked // nil for plain input
	ahead  *ahead    // nil for plain input
	out    int64

	// Of the goroutine that reads ahead, until it has ended.
	problems []Problem
	raw      atomic.Int64 // from where on the text is what stands there, packed or not; 0: nowhere
}

// early says why a stream can't be read on.
type early struct {
	class error
	what  string
}

func (e *early) Error() string { return e.what }

// counted counts what was read, and keeps the reader's own error apart from
// the decompressor's.
type counted struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

const sourceBuffer = 64 << 10

func newSource(r io.Reader, limit Expand, asItIs bool) *source {
	limit.Ratio, limit.Above, limit.Bytes = cmp.Or(limit.Ratio, defaultRatio), cmp.Or(limit.Above, defaultAbove), cmp.Or(limit.Bytes, defaultBytes)
	s := &source{in: &counted{r: r}, limit: limit}
	top := bufio.NewReaderSize(s.in, sourceBuffer)
	head, _ := top.Peek(4) // what it failed of comes again
	undo := func(p *packing) {
		s.undone = append(s.undone, p.name)
		below := &tail{r: top}
		s.top = &unpacked{packing: p, source: s, below: below, from: bufio.NewReaderSize(below, sourceBuffer), depth: len(s.undone) - 1}
		top = bufio.NewReaderSize(s.top, sourceBuffer)
		head, _ = top.Peek(4)
	}
	if p := packingOf(head); asItIs && p != nil {
		s.like = p.name
	}
	for depth := 0; depth < maxPacked && !asItIs; depth++ {
		p := packingOf(head)
		if p == nil || s.raw.Load() > 0 {
			break
		}
		undo(p)
	}
	if wideText.begins(head) && s.raw.Load() == 0 {
		head, _ = top.Peek(512)
		switch plausible := narrow(head, head[0] == 0xfe)*8 >= len(head)/2; {
		case asItIs && plausible:
			s.like = wideText.name
		case plausible:
			undo(&wideText)
		case !asItIs:
			s.problems = append(s.problems, Problem{Class: ErrMalformed, What: "it begins with the mark of UTF-16 and goes on otherwise", Kept: "it was searched as it stands"})
		}
	}
	s.text = top
	if s.undone != nil {
		s.ahead = readAhead(s.text)
		s.text = s.ahead
	}
	return s
}

// narrow is how many of the units of UTF-16 are of ASCII or of Latin.
func narrow(b []byte, big bool) (n int) {
	high := 1
	if big {
		high = 0
	}
	for i := 0; i+1 < len(b); i += 2 {
		n += one(b[i+high] == 0)
	}
	return n
}

// units reads UTF-16 until that is no longer plausible: each script has line ends,
// spaces or digits of ASCII, and what isn't UTF-16 has none by twos.
type units struct {
	r            *bufio.Reader
	read, narrow int
	started, big bool
}

func (w *units) Read(p []byte) (int, error) {
	if !w.started {
		head, _ := w.r.Peek(1)
		w.started, w.big = true, len(head) > 0 && head[0] == 0xfe
	}
	if w.read >= 64<<10 {
		if w.narrow < w.read/512 {
			return 0, &early{ErrTruncated, "what follows the beginning in UTF-16 is none"}
		}
		w.read, w.narrow = 0, 0
	}
	block, err := w.r.Peek(min(len(p)&^1, 4<<10))
	if len(block) == 0 {
		return 0, err
	}
	n := copy(p, block)
	w.narrow += narrow(block, w.big)
	w.read += n
	w.r.Discard(n)
	return n, nil
}

// frame reads one frame of zstd, so that what follows it is seen, and what zstd
// would skip without a word. What it doesn't understand it gives as it is: the
// decoder says what is wrong.
type frame struct {
	r     *bufio.Reader
	begun bool
	sum   int // bytes of the checksum
	left  int // of what is given at present
	last  bool
	wrong bool
}

func (f *frame) Read(p []byte) (int, error) {
	for f.left == 0 && !f.wrong {
		switch {
		case !f.begun:
			head, _ := f.r.Peek(zstd.HeaderMaxSize)
			var h zstd.Header
			if f.begun = true; h.Decode(head) != nil {
				f.wrong = true
				break
			}
			f.left = h.HeaderSize
			if h.HasCheckSum {
				f.sum = 4
			}
		case !f.last:
			b, _ := f.r.Peek(3)
			if len(b) < 3 {
				f.wrong = true
				break
			}
			// RFC 8878 section 3.1.1.2: whether it is the last, its type, its size.
			x := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
			f.last, f.left = x&1 != 0, 3+x>>3
			if x>>1&3 == 1 { // one byte, over and over
				f.left = 4
			}
		case f.sum > 0:
			f.left, f.sum = f.sum, 0
		default:
			return 0, io.EOF
		}
	}
	if !f.wrong {
		p = p[:min(len(p), f.left)]
	}
	n, err := f.r.Read(p)
	f.left -= n
	return n, err
}

// tail keeps the last that was read.
type tail struct {
	r    io.Reader
	kept []byte
}

const mostTail = 1 << 20

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if t.kept = append(t.kept, p[:n]...); len(t.kept) > 2*mostTail {
		t.kept = t.kept[:copy(t.kept, t.kept[len(t.kept)-mostTail:])]
	}
	return n, err
}

// close ends what reads ahead. It waits for a read that is under way.
func (s *source) close() {
	if s.ahead != nil {
		close(s.ahead.stop)
		<-s.ahead.done
	}
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.text.Read(p)
	s.out += int64(n)
	return n, err
}

// unpacked is one compression undone. Its errors come again.
type unpacked struct {
	*packing
	source *source
	below  *tail
	from   *bufio.Reader // of below
	depth  int
	z      io.Reader
	within bool // a member
	member int
	out    int64
	err    error
	raw    io.Reader // what stood below, once it could not be undone

	aside  []byte // frames that are skipped, as they stand
	frames int
}

func (u *unpacked) Read(p []byte) (n int, err error) {
	for n == 0 && u.err == nil {
		if u.raw != nil {
			n, u.err = u.raw.Read(p)
			u.out += int64(n)
			continue
		}
		n, u.err = u.read(p)
		var cut *early
		switch {
		case errors.As(u.err, &cut):
			u.problem(cut.class, cut.what, "everything before it was searched, and the last before it and all behind it once more, as they stand")
			u.stand(io.MultiReader(bytes.NewReader(u.below.kept), u.below.r))
		case u.err == io.EOF && len(u.aside) > 0:
			u.problem(ErrMalformed, fmt.Sprintf("%d frames of %d bytes that zstd skips", u.frames, len(u.aside)-u.frames), "they were searched as they stand, behind the rest")
			u.stand(bytes.NewReader(u.aside))
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, u.err
}

// stand goes on with what stands below, on a line of its own.
func (u *unpacked) stand(r io.Reader) {
	u.raw, u.err = r, nil
	if u.out > 0 {
		u.raw = io.MultiReader(strings.NewReader("\n"), r)
	}
}

func (u *unpacked) problem(class error, what, kept string) {
	s := u.source
	s.problems = append(s.problems, Problem{Offset: s.top.out, Class: class, What: what, Kept: kept})
	s.raw.CompareAndSwap(0, s.top.out+1)
}

func (u *unpacked) read(p []byte) (int, error) {
	limit, in := u.source.limit, u.source.in.n
	if !u.within {
		return 0, u.next()
	}
	if left := limit.Bytes - u.out; int64(len(p)) > left {
		p = p[:max(left, 0)]
	}
	if len(p) == 0 {
		return 0, &early{ErrBomb, fmt.Sprintf("it expands to more than %d bytes", limit.Bytes)}
	}
	n, err := u.z.Read(p)
	u.out += int64(n)
	switch {
	case u.out > limit.Above && u.out/limit.Ratio > in:
		return n, &early{ErrBomb, fmt.Sprintf("%d bytes of %s expand to more than %d times as many", in, u.name, limit.Ratio)}
	case err == io.EOF:
		u.within = false
		return n, nil
	case err != nil:
		return n, u.broken(err)
	}
	return n, nil
}

// next goes on to the member behind this one. Zeros behind the last are
// padding, as tapes have it.
func (u *unpacked) next() (err error) {
	for {
		head, _ := u.from.Peek(4) // what it failed of comes again
		switch {
		case u.name == "zstd" && u.begins(head) && head[1] == 0x2a:
			if err = u.skip(); err != nil {
				return err
			}
			continue
		case u.begins(head):
			u.member++
			if u.z, err = u.open(u.from, u.depth, u.z); err != nil {
				return u.broken(err)
			}
			u.within = true
			return nil
		case u.source.in.err != nil:
			return u.source.in.err
		case len(head) == 0:
			_, err = u.from.Peek(1)
			return err
		case head[0] != 0:
			return &early{ErrTruncated, fmt.Sprintf("what follows %s member %d is no %s", u.name, u.member, u.name)}
		}
		if _, err = u.from.Discard(1); err != nil {
			return err
		}
	}
}

// skip reads a frame that zstd skips.
func (u *unpacked) skip() error {
	const most = 64 << 10 // tools put some bytes there, or an index
	head, _ := u.from.Peek(8)
	if len(head) < 8 {
		return &early{ErrTruncated, "a frame that zstd skips ends in its header"}
	}
	n := int64(binary.LittleEndian.Uint32(head[4:]))
	if n > most || len(u.aside) > mostTail {
		return &early{ErrTruncated, fmt.Sprintf("a frame of %d bytes that zstd skips", n)}
	}
	u.from.Discard(8)
	u.frames++
	u.aside = append(u.aside, make([]byte, n)...)
	if _, err := io.ReadFull(u.from, u.aside[len(u.aside)-int(n):]); err != nil {
		return u.broken(io.ErrUnexpectedEOF)
	}
	u.aside = append(u.aside, '\n')
	return nil
}

// broken says what a decompressor's error is about: its input's own error, the
// input's end, or its bytes.
func (u *unpacked) broken(err error) error {
	var below *early
	switch {
	case u.source.in.err != nil:
		return u.source.in.err
	case errors.As(err, &below):
		return below
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &early{ErrTruncated, fmt.Sprintf("the %s stream ends in the middle", u.name)}
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &early{ErrBomb, fmt.Sprintf("the zstd stream asks for a window above %d MiB: decompress it first", windows[u.depth]>>20)}
	case errors.Is(err, zstd.ErrMagicMismatch):
		return &early{ErrTruncated, "what follows a zstd frame is no zstd"}
	}
	return &early{ErrTruncated, fmt.Sprintf("the %s stream is damaged (%v)", u.name, err)}
}
