package sighting

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Expand bounds what compressed input may grow to. Scanning takes no more
// memory for it, but a small file must not buy hours of work. Zero fields take
// the defaults.
type Expand struct {
	Ratio int64 // of decompressed to compressed bytes, judged above 16 MiB; default 300
	Bytes int64 // of decompressed bytes; default 1 TiB
}

const (
	defaultRatio = 300     // logs reach some tens; gzip's own limit is 1,032, zstd has none
	defaultBytes = 1 << 40 // above any day's log of one sensor
	judgedAbove  = 16 << 20
)

// maxPacked is how many compressions are undone, one in the other.
const maxPacked = 3

// packing is a way in which a source is compressed. open starts on what r is
// about to give, and gives what can be read of it up to the end of a member, or
// of all members. was is what it gave for the member before.
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
	{"zstd", append([]string{"\x28\xb5\x2f\xfd"}, skipped()...), func(r *bufio.Reader, depth int, _ io.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windows[depth]))
	}},
}

// windows are the largest that a zstd stream may ask for, by how deep it lies:
// the memory of all together is bounded. Its own levels up to 19 take 8 MiB.
var windows = [maxPacked]uint64{64 << 20, 8 << 20, 8 << 20}

func skipped() (out []string) {
	for c := byte(0x50); c <= 0x5f; c++ {
		out = append(out, string([]byte{c, 0x2a, 0x4d, 0x18}))
	}
	return out
}

func packingOf(head []byte) *packing {
	for i := range packings {
		for _, m := range packings[i].magic {
			if bytes.HasPrefix(head, []byte(m)) {
				return &packings[i]
			}
		}
	}
	return nil
}

// source is a stream with its compression undone, and UTF-16 turned into UTF-8.
// Read's errors are io.EOF at the end, *early when the stream ends before its
// end, and else the reader's own.
type source struct {
	in     *counted
	limit  Expand
	undone []string // outermost first
	text   io.Reader
	ahead  *ahead // nil for plain input
	out    int64
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

func newSource(r io.Reader, limit Expand) *source {
	if limit.Ratio == 0 {
		limit.Ratio = defaultRatio
	}
	if limit.Bytes == 0 {
		limit.Bytes = defaultBytes
	}
	s := &source{in: &counted{r: r}, limit: limit}
	top := bufio.NewReaderSize(s.in, sourceBuffer)
	head, _ := top.Peek(4) // what it failed of comes again
	for depth := 0; depth < maxPacked; depth++ {
		p := packingOf(head)
		if p == nil {
			break
		}
		s.undone = append(s.undone, p.name)
		top = bufio.NewReaderSize(&unpacked{packing: p, source: s, from: top, depth: depth}, sourceBuffer)
		head, _ = top.Peek(4)
	}
	s.text = top
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		s.undone = append(s.undone, "UTF-16")
		s.text = transform.NewReader(top, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
	}
	if s.undone != nil {
		s.ahead = readAhead(s.text)
		s.text = s.ahead
	}
	return s
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
	from   *bufio.Reader
	depth  int
	z      io.Reader
	within bool // a member
	member int
	out    int64
	err    error
}

func (u *unpacked) Read(p []byte) (n int, err error) {
	for n == 0 && u.err == nil {
		n, u.err = u.read(p)
	}
	if n > 0 {
		return n, nil
	}
	return 0, u.err
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
	case u.out > judgedAbove && u.out/limit.Ratio > in:
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
		case packingOf(head) == u.packing:
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
