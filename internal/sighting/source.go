package sighting

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Expand bounds what compressed input may grow to. Scanning takes no more
// memory for it, but a small file must not buy hours of work. Zero fields take
// the defaults.
type Expand struct {
	Ratio int64 // of decompressed to compressed bytes, judged above 16 MiB; default 300
	Bytes int64 // of decompressed bytes; default 1 TiB
}

const (
	defaultRatio = 300     // logs reach some tens; gzip's own limit is 1,032
	defaultBytes = 1 << 40 // above any day's log of one sensor
	judgedAbove  = 16 << 20
)

// source is a stream with gzip undone. Read's errors are io.EOF at the end,
// *early when the stream ends before its end, and else the reader's own.
type source struct {
	in     *counted
	buf    *bufio.Reader
	gz     *gzip.Reader // nil for plain input
	limit  Expand
	out    int64
	member int
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

var gzipMagic = []byte{0x1f, 0x8b}

func newSource(r io.Reader, limit Expand) (*source, error) {
	if limit.Ratio == 0 {
		limit.Ratio = defaultRatio
	}
	if limit.Bytes == 0 {
		limit.Bytes = defaultBytes
	}
	s := &source{in: &counted{r: r}, limit: limit}
	s.buf = bufio.NewReaderSize(s.in, 64<<10)
	if head, _ := s.buf.Peek(2); bytes.Equal(head, gzipMagic) {
		gz, err := gzip.NewReader(s.buf)
		if err != nil {
			return s, s.broken(err)
		}
		gz.Multistream(false)
		s.gz, s.member = gz, 1
	}
	return s, nil
}

func (s *source) Read(p []byte) (int, error) {
	if s.gz == nil {
		n, err := s.buf.Read(p)
		s.out += int64(n)
		return n, err
	}
	for {
		if left := s.limit.Bytes - s.out; int64(len(p)) > left {
			p = p[:max(left, 0)]
		}
		if len(p) == 0 {
			return 0, &early{ErrBomb, fmt.Sprintf("it expands to more than %d bytes", s.limit.Bytes)}
		}
		n, err := s.gz.Read(p)
		s.out += int64(n)
		if s.out > judgedAbove && s.out/s.limit.Ratio > s.in.n {
			return n, &early{ErrBomb, fmt.Sprintf("%d bytes of gzip expand to more than %d times as many", s.in.n, s.limit.Ratio)}
		}
		switch {
		case err == io.EOF && n > 0:
			return n, nil // the next call meets the end again
		case err == io.EOF:
			if err := s.next(); err != nil {
				return 0, err
			}
		case err != nil:
			return n, s.broken(err)
		case n > 0:
			return n, nil
		}
	}
}

// next goes on to the member behind this one. Zeros behind the last are
// padding, as tapes have it.
func (s *source) next() error {
	for {
		head, _ := s.buf.Peek(2) // what it failed of is in s.in
		switch {
		case bytes.Equal(head, gzipMagic):
			if err := s.gz.Reset(s.buf); err != nil {
				return s.broken(err)
			}
			s.gz.Multistream(false)
			s.member++
			return nil
		case s.in.err != nil:
			return s.in.err
		case len(head) == 0:
			return io.EOF
		case head[0] != 0:
			return &early{ErrTruncated, fmt.Sprintf("what follows gzip member %d is no gzip", s.member)}
		}
		if _, err := s.buf.Discard(1); err != nil {
			return err
		}
	}
}

func (s *source) broken(err error) error {
	switch {
	case s.in.err != nil:
		return s.in.err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &early{ErrTruncated, "the gzip stream ends in the middle"}
	}
	return &early{ErrTruncated, fmt.Sprintf("the gzip stream is damaged (%v)", err)}
}
