package fpcode

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// merged is a specimen of c copies, each site from one drawn by lot, with random
// codewords for n copies at even sites: what a benchmark needs, without a key.
func merged(n, m, c int) (sights []sight, words *codewords) {
	law, _ := TwoPoint.Law(2, 0)
	var rs []Reading
	for i := range m {
		r := Reading{Class: ClassProse, Q: 2, State: Value}
		binary.BigEndian.PutUint32(r.Site[:], uint32(i))
		rs = append(rs, r)
	}
	sights, columns := sightsOf(rs, func(SiteID, uint8) Law { return law })
	words = &codewords{n: n, words: (columns + 63) / 64}
	words.bits = make([]uint64, n*words.words)
	rng := rand.NewPCG(1, 2)
	// p = ¾ for the symbol that was read: near enough to the law's for speed.
	for i := range words.bits {
		a, b := rng.Uint64(), rng.Uint64()
		words.bits[i] = a | b
	}
	// The specimen is all "read": so the colluders are made to agree with it at
	// sites that fall to them.
	for col := range m {
		words.bits[int(rng.Uint64()%uint64(c))*words.words+col>>6] |= 1 << (col & 63)
	}
	return sights, words
}

// Positions of a codeword scored for each second of one core.
func BenchmarkScores(b *testing.B) {
	const n, m = 1_000_000, 1024
	_, words := merged(n, m, 2)
	weight := make([]int32, m)
	for i := range weight {
		weight[i] = int32(i*37%1000) - 500
	}
	out := make([]int32, n)
	b.ResetTimer()
	for b.Loop() {
		words.scores(0, weight, out)
	}
	b.ReportMetric(float64(n)*m*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gpos/s(wall)")
}

// The same by a matrix of 32-bit floats and a plain loop over it, which is what a
// codeword matrix is multiplied by where nobody packs it: four bytes a position
// instead of a bit. A hundredth of the copies, since it takes that much room.
func BenchmarkScoresUnpacked(b *testing.B) {
	const n, m = 10_000, 1024
	matrix := make([]float32, n*m)
	weight := make([]float32, m)
	for i := range matrix {
		matrix[i] = float32(i * 37 % 2)
	}
	for i := range weight {
		weight[i] = float32(i*37%1000) - 500
	}
	out := make([]float32, n)
	b.ResetTimer()
	for b.Loop() {
		for i := range out {
			row := matrix[i*m : (i+1)*m]
			var s0, s1, s2, s3 float32
			for j := 0; j < m; j += 4 {
				s0 += row[j] * weight[j]
				s1 += row[j+1] * weight[j+1]
				s2 += row[j+2] * weight[j+2]
				s3 += row[j+3] * weight[j+3]
			}
			out[i] = s0 + s1 + s2 + s3
		}
	}
	b.ReportMetric(float64(n)*m*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gpos/s(wall)")
}

// A joint decoding but for the derivation of codewords.
func BenchmarkJoint(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("%dx500", n), func(b *testing.B) {
			sights, words := merged(n, 500, 3)
			b.ResetTimer()
			for b.Loop() {
				all := testsFor(sights, words)
				scores := all.scores(sights, words)
				for _, i := range all.order(scores)[:1] {
					t, _ := all.of(i)
					judge(t.ev, scores[i], n, 1, SpendFirst)
				}
			}
		})
	}
}

// Deriving codewords from keys, apart.
func BenchmarkDerive(b *testing.B) {
	const n, m = 20_000, 500
	sights, _ := merged(2, m, 1)
	for b.Loop() {
		codewordsOf(sights, m, n, func(i int) Key { return CopyKey(testPackage, holderID(i)) })
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n/m, "ns/symbol(wall)")
}
