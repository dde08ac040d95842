package token

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"forewarn/internal/ascii"
)

var testKey = [16]byte{0: 7, 15: 9}

type hit struct {
	off int64
	a   Alphabet
	l   uint64
}

func scanAll(r *Recogniser, b []byte) (hits []hit) {
	Scan(r, b, func(off int, a Alphabet, l uint64) { hits = append(hits, hit{int64(off), a, l}) })
	return hits
}

// plainScan tries every alphabet at every offset: what Scan must equal.
func plainScan(r *Recogniser, b []byte) (hits []hit) {
	word := func(i int) bool {
		return i >= 0 && i < len(b) && strings.IndexByte(numerals62, b[i]) >= 0
	}
	for i := range b {
		for a := Hex; a < end; a++ {
			if n := a.Len(); i+n <= len(b) && !word(i-1) && !word(i+n) {
				if l, ok := a.Recognise(r, string(b[i:i+n])); ok {
					hits = append(hits, hit{int64(i), a, l})
				}
			}
		}
	}
	return hits
}

// genText is tokens, near misses and other matter in any order.
func genText(t *rapid.T, r *Recogniser) []byte {
	var b bytes.Buffer
	for range rapid.IntRange(0, 12).Draw(t, "pieces") {
		switch rapid.IntRange(0, 6).Draw(t, "piece") {
		case 0, 1:
			a := Alphabet(rapid.IntRange(int(Hex), int(Base62)).Draw(t, "alphabet"))
			text := a.Encode(r, rapid.Uint64().Draw(t, "L"))
			if a != Base62 && rapid.Bool().Draw(t, "upper") {
				text = strings.ToUpper(text)
			}
			b.WriteString(text)
		case 2:
			b.WriteString(rapid.SampledFrom([]string{"-", "--", "_", " ", "\"", "a", "0", "\n", "%2", "%", "é", "\x00"}).Draw(t, "edge"))
		case 3:
			b.WriteString(rapid.StringMatching(`[0-9a-zA-Z-]{0,80}`).Draw(t, "run"))
		case 4:
			b.WriteString(rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`).Draw(t, "uuid"))
		case 5:
			b.Write(rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes"))
		case 6:
			b.WriteString(" ")
		}
	}
	return b.Bytes()
}

func TestScanFindsWhatAPlainSearchFinds(t *testing.T) {
	r := NewRecogniser(testKey)
	rapid.Check(t, func(t *rapid.T) {
		b := genText(t, r)
		if got, want := scanAll(r, b), plainScan(r, b); !slices.Equal(got, want) {
			t.Fatalf("in %q: %v, want %v", b, got, want)
		}
	})
}

func TestStreamIsScanHoweverItIsCut(t *testing.T) {
	r := NewRecogniser(testKey)
	rapid.Check(t, func(t *rapid.T) {
		// Long enough to fill the buffer, with something of interest about
		// its end.
		b := append(bytes.Repeat([]byte("."), streamBuffer-rapid.IntRange(0, 80).Draw(t, "before edge")), genText(t, r)...)
		b = append(append(b, bytes.Repeat([]byte("x"), rapid.IntRange(0, streamBuffer).Draw(t, "between"))...), genText(t, r)...)
		want := scanAll(r, b)
		var got []hit
		s := NewStream(r, func(off int64, a Alphabet, l uint64) { got = append(got, hit{off, a, l}) })
		for round := range 2 { // a Stream can be used again
			got = nil
			for rest := b; len(rest) > 0; {
				n := min(len(rest), rapid.IntRange(1, streamBuffer*2).Draw(t, "piece"))
				if w, err := s.Write(rest[:n]); w != n || err != nil {
					t.Fatal(w, err)
				}
				rest = rest[n:]
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("round %d: %v, want %v", round, got, want)
			}
		}
	})
}

func TestStreamAtEveryCut(t *testing.T) {
	r := NewRecogniser(testKey)
	for a := Hex; a < end; a++ {
		text := a.Encode(r, 42)
		for at := streamBuffer - 80; at < streamBuffer+5; at++ {
			for _, around := range []string{"/", "./", "-/", "Z/", "/.", "/-", "/Z"} {
				before, after, _ := strings.Cut(around, "/")
				b := []byte(strings.Repeat(" ", at-len(before)) + before + text + after)
				var got []hit
				s := NewStream(r, func(off int64, a Alphabet, l uint64) { got = append(got, hit{off, a, l}) })
				s.Write(b)
				s.Close()
				want := []hit{{int64(at), a, 42}}
				if strings.Contains(around, "Z") {
					want = nil
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%v at %d in %q: %v", a, at, around, got)
				}
			}
		}
	}
}

func FuzzScan(f *testing.F) {
	r := NewRecogniser(testKey)
	for a := Hex; a < end; a++ {
		text := a.Encode(r, 1)
		f.Add([]byte(text))
		f.Add([]byte("x" + text))
		f.Add([]byte(text + "-" + text + "/" + strings.ToUpper(text)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := scanAll(r, b), plainScan(r, b); !slices.Equal(got, want) {
			t.Errorf("in %q: %v, want %v", b, got, want)
		}
	})
}

// logText is lines like those of the formats that are scanned, with a token in
// one of a thousand.
func logText(r *Recogniser, size int) []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	var b bytes.Buffer
	for n := 0; b.Len() < size; n++ {
		what := "/index.html"
		if n%1000 == 7 {
			what = "/" + Hex.Encode(r, uint64(n))
		}
		fmt.Fprintf(&b, `{"timestamp":"2025-07-18T%02d:%02d:%02d.%06d+0000","flow_id":%d,"event_type":"http","src_ip":"192.0.2.%d","src_port":%d,"dest_ip":"198.51.100.%d","dest_port":443,"proto":"TCP","http":{"hostname":"portal%d.example.com","url":"%s?id=%d","http_user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":%d},"ja3":{"hash":"%016x%016x"}}`+"\n",
			rng.IntN(24), rng.IntN(60), rng.IntN(60), rng.IntN(1e6), rng.Uint64()>>1, rng.IntN(256), rng.IntN(65536), rng.IntN(256), rng.IntN(100), what, rng.IntN(1e6), rng.IntN(1e5), rng.Uint64(), rng.Uint64())
	}
	return b.Bytes()
}

func BenchmarkScan(b *testing.B) {
	r := NewRecogniser(testKey)
	random := make([]byte, 1<<24)
	rng := rand.New(rand.NewPCG(2, 2))
	for i := 0; i < len(random); i += 8 {
		binary.LittleEndian.PutUint64(random[i:], rng.Uint64())
	}
	texts := map[string][]byte{
		"eve-like":    logText(r, 1<<24),
		"random":      random,
		"all one run": bytes.Repeat([]byte("a"), 1<<24),
		"hostile":     bytes.Repeat([]byte(Base62.Encode(r, 5)+" "), 1<<20),
	}
	if files, _ := filepath.Glob(os.Getenv("FOREWARN_SCAN")); len(files) > 0 {
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			texts[filepath.Base(f)] = data
		}
	}
	for name, text := range texts {
		b.Run("Scan/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Scan(r, text, func(int, Alphabet, uint64) {})
			}
		})
	}
	b.Run("Stream/eve-like", func(b *testing.B) {
		text := texts["eve-like"]
		b.SetBytes(int64(len(text)))
		s := NewStream(r, func(int64, Alphabet, uint64) {})
		for b.Loop() {
			s.Write(text)
			s.Close()
		}
	})
}

func TestFurtherBytesOfRunsPartWords(t *testing.T) {
	r := NewRecogniser(testKey)
	wide := SetWith(`\%&#;`)
	rapid.Check(t, func(t *rapid.T) {
		b := genText(t, r)
		var got, runs []hit
		NewScanner(r, wide, func(from, to int) { runs = append(runs, hit{int64(from), 0, uint64(to)}) }).
			Scan(b, func(off int, a Alphabet, l uint64) { got = append(got, hit{int64(off), a, l}) })
		if want := plainScan(r, b); !slices.Equal(got, want) {
			t.Fatalf("in %q: %v, want %v", b, got, want)
		}
		var want []hit
		for i := 0; i < len(b); i++ {
			from := i
			for i < len(b) && strings.IndexByte(numerals62+`-\%&#;`, b[i]) >= 0 {
				i++
			}
			if i-from >= shortest {
				want = append(want, hit{int64(from), 0, uint64(i)})
			}
		}
		if !slices.Equal(runs, want) {
			t.Fatalf("in %q: runs %v, want %v", b, runs, want)
		}
		for name, way := range map[string]func(*ascii.Set, []byte, func(from, to int)){"masks": byMasks, "leaps": byLeaps} {
			runs = nil
			way(wide, b, func(from, to int) { runs = append(runs, hit{int64(from), 0, uint64(to)}) })
			if !slices.Equal(runs, want) {
				t.Fatalf("in %q: runs by %s %v, want %v", b, name, runs, want)
			}
		}
	})
}

// Runs of every length about a token's, a mask's and a row of masks', wherever in a row
// of masks they begin, and up to the text's end.
func TestRunsAcrossMasks(t *testing.T) {
	const row = 64 * 64
	lengths := []int{1, shortest - 1, shortest, shortest + 1, 2*shortest - 1, 63, 64, 65, 64 + shortest, row - 1, row, row + 1}
	for _, n := range lengths {
		for at := range 2 * row {
			if at > 130 && (at+130)%row > 200 {
				continue
			}
			b := bytes.Repeat([]byte("."), at+n+1+shortest)
			copy(b[at:], bytes.Repeat([]byte("a"), n))
			copy(b[at+n+1:], bytes.Repeat([]byte("-"), shortest))
			want := []int{at, at + n, at + n + 1, len(b)}
			if n < shortest {
				want = want[2:]
			}
			for name, way := range map[string]func(*ascii.Set, []byte, func(from, to int)){"masks": byMasks, "leaps": byLeaps} {
				var got []int
				way(Plain, b, func(from, to int) { got = append(got, from, to) })
				if !slices.Equal(got, want) {
					t.Fatalf("%d bytes at %d: by %s %v, want %v", n, at, name, got, want)
				}
			}
		}
	}
}
