package folder

import (
	"encoding/binary"
	"testing"
)

// A wave's copies, 100 KiB each, kept and made durable 500 at a time; the peer
// writes and syncs the same files one after the other.
func BenchmarkBlobs(b *testing.B) {
	const batch, size = 500, 100 << 10
	data := make([]byte, size)
	n := uint64(0)
	next := func() []byte {
		n++
		binary.BigEndian.PutUint64(data, n)
		return data
	}
	for name, each := range map[string]bool{"batch": false, "one-by-one": true} {
		b.Run(name, func(b *testing.B) {
			blobs, err := OpenBlobs(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer blobs.Close()
			for b.Loop() {
				for range batch {
					_, err := blobs.Put(ctx, next())
					if err == nil && each {
						err = blobs.Sync(ctx)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				if err := blobs.Sync(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "blobs/s")
		})
	}
}
