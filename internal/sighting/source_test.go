//go:build unix

package sighting

import (
	"bytes"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// frames are parts in zstd, a frame each.
func frames(t testing.TB, window int, parts ...string) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		w, err := zstd.NewWriter(&b, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(part))
		w.Close()
	}
	return b.Bytes()
}

func TestZstd(t *testing.T) {
	good := eveHead + "mark!" + eveTail
	many := strings.Repeat(good, 1000)
	for i := range 1000 { // so that it takes many bytes
		many += eveHead + fmt.Sprint(uint64(i+1)*0x9E3779B97F4A7C15, " mark!") + eveTail
	}
	packed := frames(t, 1<<20, many)
	flipped := bytes.Clone(packed)
	flipped[len(flipped)/2] ^= 0x55
	skip := append([]byte("\x53\x2a\x4d\x18\x03\x00\x00\x00abc"), frames(t, 1<<20, good)...)
	// A frame with a window of 128 MiB, an empty raw block and no content size.
	wideWindow := []byte("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00")
	unknown := []byte("\x28\xb5\x2f\xfd\x01\x50\x07\x01\x00\x00") // dictionary 7
	for _, c := range []struct {
		name   string
		in     []byte
		least  int
		undone string
		class  error
		says   string
	}{
		{"a frame", packed, 2000, "zstd", nil, ""},
		{"frames", frames(t, 1<<20, good, "", good), 2, "zstd", nil, ""},
		{"a frame that is skipped", skip, 1, "zstd", ErrMalformed, "1 frames of 3 bytes"},
		{"cut", packed[:len(packed)-500], 100, "zstd", ErrTruncated, "ends in the middle"},
		{"cut in its header", packed[:5], 0, "zstd", ErrTruncated, "ends in the middle"},
		{"damaged", flipped, 0, "zstd", ErrTruncated, "damaged"},
		{"something behind", append(frames(t, 1<<20, good), "plain\n"...), 1, "zstd", ErrTruncated, "no zstd"},
		{"a window too large", wideWindow, 0, "zstd", ErrBomb, "64 MiB"},
		{"a dictionary", unknown, 0, "zstd", ErrTruncated, "damaged"},
		{"zstd in gzip", zip(string(packed)), 2000, "gzip zstd", nil, ""},
		{"gzip in zstd", frames(t, 1<<20, string(zip(many))), 2000, "zstd gzip", nil, ""},
		{"UTF-16 in zstd", frames(t, 1<<20, string(wide(many))), 2000, "zstd UTF-16", nil, ""},
		{"zstd four deep", frames(t, 1<<20, string(frames(t, 1<<20, string(frames(t, 1<<20, string(frames(t, 1<<20, good))))))), 0, "zstd zstd zstd", ErrMalformed, "once more"},
	} {
		got, sum := scan(t, &Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}}, bytes.NewReader(c.in))
		if len(got) < c.least || strings.Join(sum.Undone, " ") != c.undone || (c.class == nil) != (len(sum.Problems) == 0) {
			t.Errorf("%s: %d sightings, %+v", c.name, len(got), sum)
			continue
		}
		if c.class != nil {
			if p := sum.Problems[len(sum.Problems)-1]; !errors.Is(p.Class, c.class) || !strings.Contains(p.What, c.says) || p.Kept == "" {
				t.Errorf("%s: %s", c.name, p)
			}
		}
	}
}

// zeros writes n zeros through pack into a buffer.
func zeros(n int64, pack func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := pack(&b)
	io.Copy(w, &repeat{text: make([]byte, 1<<20), n: n})
	w.Close()
	return b.Bytes()
}

// Whatever a source is packed in, it takes neither much memory nor much work.
func TestSourcesAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("bombs take a second to make")
	}
	gz := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	zs := func(window int) func(w io.Writer) io.WriteCloser {
		return func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
			if err != nil {
				t.Fatal(err)
			}
			return z
		}
	}
	in := func(inner []byte, pack func(io.Writer) io.WriteCloser) []byte {
		var b bytes.Buffer
		w := pack(&b)
		w.Write(inner)
		w.Close()
		return b.Bytes()
	}
	empty := bytes.Repeat(zip(""), 100_000)
	big := zeros(100<<20, zs(64<<20))
	for _, c := range []struct {
		name  string
		in    []byte
		limit Expand
		bomb  bool
	}{
		{"zeros in gzip", zeros(100<<20, gz), Expand{Above: 16 << 20}, true},
		{"zeros in zstd", big, Expand{Above: 16 << 20}, true},
		{"the largest window, let in", big, Expand{Ratio: 1 << 40}, false},
		{"large windows, one in the other", in(in(zeros(100<<20, zs(8<<20)), zs(8<<20)), zs(64<<20)), Expand{Ratio: 1 << 40}, false},
		{"windows that change", bytes.Repeat(append(bytes.Clone(big), zeros(100<<20, zs(32<<20))...), 2), Expand{Ratio: 1 << 40}, false},
		{"gzip in gzip in gzip", in(in(zeros(100<<20, gz), gz), gz), Expand{Above: 16 << 20}, true},
		{"empty members", empty, Expand{}, false},
		{"empty members, packed", in(bytes.Repeat(empty, 10), zs(1<<20)), Expand{Above: 16 << 20}, true},
	} {
		s := &Scanner{Rec: rec, MaxExpand: c.limit}
		var sum Summary
		high := peak(func() { _, sum = scan(t, s, bytes.NewReader(c.in)) })
		bomb := slices.ContainsFunc(sum.Problems, func(p Problem) bool { return p.Class == ErrBomb })
		if high > 256<<20 || bomb != c.bomb {
			t.Errorf("%s: %d MB in use, %+v", c.name, high>>20, sum)
		}
		t.Logf("%s: %d bytes in, %d out, %d MB in use", c.name, len(c.in), sum.Bytes, high>>20)
	}
}

// BenchmarkPacked compares a scan of compressed input with the bare
// decompressor's work.
func BenchmarkPacked(b *testing.B) {
	text := corpus(b)
	var std bytes.Buffer
	w := stdgzip.NewWriter(&std)
	w.Write(text)
	w.Close()
	for _, c := range []struct {
		name string
		in   []byte
		bare func(io.Reader) (io.Reader, error)
	}{
		{"gzip", std.Bytes(), func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"zstd", frames(b, 1<<20, string(text)), func(r io.Reader) (io.Reader, error) {
			return zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		}},
	} {
		b.Run(c.name+"/bare", func(b *testing.B) {
			room := make([]byte, quantum)
			measure(b, len(text), func() {
				r, err := c.bare(bytes.NewReader(c.in))
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, room); err != nil || n != int64(len(text)) {
					b.Fatal(n, err)
				}
			})
		})
		for name, s := range map[string]*Scanner{"tokens": {Rec: rec}, "all=60": {Rec: rec, Indicators: indicators(10)}} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				measure(b, len(text), func() {
					if sum, err := s.Scan("", bytes.NewReader(c.in), func(Sighting) error { return nil }); err != nil || sum.Bytes != int64(len(text)) {
						b.Fatal(sum, err)
					}
				})
			})
		}
	}
}
