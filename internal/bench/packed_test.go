package bench

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"forewarn/internal/sighting"
	"forewarn/internal/sim/telemetry"
	"forewarn/internal/token"
)

// BenchmarkPackedEVE compares a scan for tokens of compressed records, each of which is
// drawn anew, with the bare decompressor, on two cores:
//
//	go test -run '^$' -bench PackedEVE -cpu 2 ./internal/bench
func BenchmarkPackedEVE(b *testing.B) {
	var text bytes.Buffer
	if _, err := telemetry.Corpora["eve"](1).Write(&text, 64<<20, 1<<20, func(int) string { return "" }); err != nil {
		b.Fatal(err)
	}
	s := &sighting.Scanner{Rec: token.NewRecogniser([16]byte{1, 2, 3})}
	var zipped, framed bytes.Buffer
	g := gzip.NewWriter(&zipped)
	z, err := zstd.NewWriter(&framed, zstd.WithWindowSize(1<<20))
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range []io.WriteCloser{g, z} {
		if _, err := w.Write(text.Bytes()); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	room := make([]byte, 256<<10)
	for _, c := range []struct {
		name string
		in   []byte
		bare func(io.Reader) (io.Reader, error)
	}{
		{"gzip", zipped.Bytes(), func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"zstd", framed.Bytes(), func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r, zstd.WithDecoderConcurrency(1)) }},
	} {
		b.Run(c.name+"/bare", func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				r, err := c.bare(bytes.NewReader(c.in))
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, room); err != nil || n != int64(text.Len()) {
					b.Fatal(n, err)
				}
			}
		})
		b.Run(c.name+"/tokens", func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				if sum, err := s.Scan("", bytes.NewReader(c.in), func(sighting.Sighting) error { return nil }); err != nil || sum.Bytes != int64(text.Len()) {
					b.Fatal(sum, err)
				}
			}
		})
	}
}
