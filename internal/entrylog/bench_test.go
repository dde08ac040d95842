package entrylog

import (
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const benchLeaves = 1 << 16

// tlogMemory keeps tlog's hashes in a slice, which is the fastest that tlog
// can be used.
type tlogMemory []Hash

func (m tlogMemory) ReadHashes(indexes []int64) ([]Hash, error) {
	out := make([]Hash, len(indexes))
	for i, x := range indexes {
		out[i] = m[x]
	}
	return out, nil
}

func tlogTree(b *testing.B, n int64) tlogMemory {
	var m tlogMemory
	for i := range n {
		data := u64(uint64(i))
		hashes, err := tlog.StoredHashes(i, data[:], m)
		if err != nil {
			b.Fatal(err)
		}
		m = append(m, hashes...)
	}
	return m
}

// BenchmarkAppend adds 32-byte leaves; tlog is the peer.
func BenchmarkAppend(b *testing.B) {
	data := [32]byte{7}
	b.Run("peer=tlog", func(b *testing.B) {
		var m tlogMemory
		for i := int64(0); b.Loop(); i++ {
			if i%benchLeaves == 0 {
				i, m = 0, nil
			}
			hashes, err := tlog.StoredHashes(i, data[:], m)
			if err != nil {
				b.Fatal(err)
			}
			m = append(m, hashes...)
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
	})
	b.Run("ours", func(b *testing.B) {
		t := &Tree{}
		for b.Loop() {
			if t.size == benchLeaves {
				t = &Tree{}
			}
			t.Append(LeafHash(data[:]))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
	})
	b.Run("ours-with-commitment", func(b *testing.B) {
		t, entry := &Tree{}, make([]byte, 120)
		for b.Loop() {
			if t.size == benchLeaves {
				t = &Tree{}
			}
			commit := Commit(data, entry)
			t.Append(LeafHash(commit[:]))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
	})
}

// BenchmarkProve makes audit paths; tlog is the peer.
func BenchmarkProve(b *testing.B) {
	const n = benchLeaves - 7
	b.Run("peer=tlog", func(b *testing.B) {
		m := tlogTree(b, n)
		for i := int64(0); b.Loop(); i = (i*5 + 1) % n {
			if _, err := tlog.ProveRecord(n, i, m); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "proofs/s")
	})
	b.Run("ours", func(b *testing.B) {
		t := treeOf(n)
		for i := int64(0); b.Loop(); i = (i*5 + 1) % n {
			if _, err := t.Inclusion(i, n); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "proofs/s")
	})
}

// BenchmarkRoot computes the root; tlog is the peer.
func BenchmarkRoot(b *testing.B) {
	const n = benchLeaves - 7
	b.Run("peer=tlog", func(b *testing.B) {
		m := tlogTree(b, n)
		for b.Loop() {
			if _, err := tlog.TreeHash(n, m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		t := treeOf(n)
		for b.Loop() {
			t.Root()
		}
	})
}

// BenchmarkIdleYear makes the anchors of a year of minutes without an entry.
func BenchmarkIdleYear(b *testing.B) {
	for b.Loop() {
		t, err := NewTrees(testBlinding, time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		if err := t.Add(testEpoch, Hash{}, false); err != nil {
			b.Fatal(err)
		}
		if err := t.Extend(t.First() + 365*24*60 - 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBlind makes a full-sized wave's worth of blind leaves.
func BenchmarkBlind(b *testing.B) {
	leaves := leafHashes(10_000)
	for b.Loop() {
		if _, err := NewBlind([32]byte{1}, nil, BoardDepth, leaves); err != nil {
			b.Fatal(err)
		}
	}
}
