package ascii

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

func letterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// check holds both ways against a plain look at each byte.
func check(t *testing.T, text []byte) {
	n := min(len(text)/Block+2, Most)
	var beyond uint64
	want := make([]uint64, n)
	for i, c := range text[:min(len(text), n*Block)] {
		if letterOrDigit(c) {
			want[i/Block] |= 1 << (i % Block)
		}
		if c > 127 {
			beyond |= 1 << (i / Block)
		}
	}
	got, slow := make([]uint64, n), make([]uint64, n)
	if b := Words.Masks(got, text); b != beyond || !slices.Equal(got, want) {
		t.Errorf("of %q: %x, %x; want %x, %x", text, got, b, want, beyond)
	}
	if b := Words.plain(slow, append(text[:len(text):len(text)], make([]byte, 2*Block)...)); b != beyond || !slices.Equal(slow, want) {
		t.Errorf("on any machine, of %q: %x, %x; want %x, %x", text, slow, b, want, beyond)
	}
}

// Each byte at each place of a block, at each alignment.
func TestEachByte(t *testing.T) {
	t.Log("a fast way:", Fast)
	text := make([]byte, 3*Block)
	for c := range 256 {
		for at := range text {
			for _, beside := range []byte{' ', 'x', 0xff} {
				for i := range text {
					text[i] = beside
				}
				text[at] = byte(c)
				check(t, text)
			}
		}
		for off := range Block {
			check(t, text[off:])
		}
	}
}

// Whatever bytes of ASCII a set has, its masks have these and no others.
func TestAnySet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	text := make([]byte, 4*Block)
	for range 2000 {
		var of []byte
		for c := range byte(128) {
			if rng.IntN(2) == 0 {
				of = append(of, c)
			}
		}
		s := NewSet(string(of))
		for i, c := range rng.Perm(256) {
			text[i] = byte(c)
		}
		fast, slow := make([]uint64, 4), make([]uint64, 4)
		s.Masks(fast, text)
		s.plain(slow, text)
		for i, c := range text {
			want := slices.Contains(of, c)
			for name, m := range map[string][]uint64{"here": fast, "anywhere": slow} {
				if got := m[i/Block]>>(i%Block)&1 == 1; got != want || s.Has(c) != want {
					t.Fatalf("%s, byte %#x of the set %q: %v", name, c, of, got)
				}
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a set has a byte above 127: no panic")
		}
	}()
	NewSet("é")
}

// All masks at once, and none beyond the last that is asked for.
func TestMany(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, Most*Block+7)
	for i := range text {
		text[i] = byte(rng.Uint32() & uint32(0x7f|rng.IntN(2)<<7))
	}
	for n := range Most + 1 {
		check(t, text[:n*Block+7])
		masks := slices.Repeat([]uint64{42}, n+1)
		Words.Masks(masks[:n], text)
		if masks[n] != 42 {
			t.Fatal(n)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("too many masks: no panic")
		}
	}()
	Words.Masks(make([]uint64, Most+1), text)
}

func TestFirstLast(t *testing.T) {
	for text, want := range map[string][2]int{"abcdefgh": {8, 8}, "ab cd\"Z9": {2, 2}, " bcdefg ": {0, 0}, "a\xe9xyz0AZ": {1, 6}} {
		x := binary.LittleEndian.Uint64([]byte(text))
		if got := [2]int{First(x), Last(x)}; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func FuzzMasks(f *testing.F) {
	f.Add([]byte("a log line, of 12 words or so; they are in the mask with their letters and digits, and nothing else is."))
	f.Fuzz(check)
}

func BenchmarkMasks(b *testing.B) {
	text := make([]byte, 1<<20)
	for i := range text {
		text[i] = byte(' ' + i%90)
	}
	masks := make([]uint64, Most)
	for name, job := range map[string]func([]uint64, []byte) uint64{"here": Words.Masks, "anywhere": Words.plain} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for at := 0; at < len(text); at += Most * Block {
					job(masks, text[at:])
				}
			}
		})
	}
}
