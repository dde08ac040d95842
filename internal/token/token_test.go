package token

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorDir = "../../doc/spec/vectors/token"

// vector is one file of doc/spec/vectors/token. Texts that a key does not
// recognise have a Why.
type vector struct {
	Why      string          `json:"why,omitempty"`
	Key      string          `json:"key"`
	Identity *identityVector `json:"identity,omitempty"`
	L        uint64          `json:"l,string,omitempty"`
	Texts    []textVector    `json:"texts,omitempty"`
	Scan     string          `json:"scan,omitempty"`
	Hits     []hitVector     `json:"hits,omitempty"`
}

type identityVector struct {
	Key     string `json:"key"`
	Epoch   uint32 `json:"epoch"`
	Package string `json:"package"`
	Holder  string `json:"holder"`
	Slot    string `json:"slot"`
}

type textVector struct {
	Alphabet string `json:"alphabet"`
	Text     string `json:"text"`
}

type hitVector struct {
	Offset   int    `json:"offset"`
	Alphabet string `json:"alphabet"`
	L        uint64 `json:"l,string"`
}

func unhex(t testing.TB, s string, n int) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != n {
		t.Fatalf("%q is not %d bytes of hexadecimal", s, n)
	}
	return b
}

func TestIDTellsKeysApart(t *testing.T) {
	a, b := NewRecogniser([16]byte{1}), NewRecogniser([16]byte{2})
	if a.ID() != NewRecogniser([16]byte{1}).ID() || a.ID() == b.ID() {
		t.Error("one key has two names, or two keys have one")
	}
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(filepath.Join(vectorDir, "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			r := NewRecogniser([16]byte(unhex(t, v.Key, 16)))
			if id := v.Identity; id != nil {
				l := Identity([32]byte(unhex(t, id.Key, 32)), id.Epoch,
					[16]byte(unhex(t, id.Package, 16)), [16]byte(unhex(t, id.Holder, 16)), id.Slot)
				if l != v.L {
					t.Errorf("identity %d, want %d", l, v.L)
				}
			}
			for _, x := range v.Texts {
				a, err := ParseAlphabet(x.Alphabet)
				if err != nil {
					t.Fatal(err)
				}
				l, ok := a.Recognise(r, x.Text)
				if v.Why != "" {
					if ok {
						t.Errorf("%q is recognised", x.Text)
					}
					continue
				}
				if !ok || l != v.L {
					t.Errorf("%q: %d %v, want %d", x.Text, l, ok, v.L)
				}
				if got := a.Encode(r, v.L); got != x.Text {
					t.Errorf("%v: %q, want %q", a, got, x.Text)
				}
			}
			if v.Scan != "" {
				var hits []hitVector
				Scan(r, []byte(v.Scan), func(off int, a Alphabet, l uint64) {
					hits = append(hits, hitVector{off, a.String(), l})
				})
				got, _ := json.Marshal(hits)
				want, _ := json.Marshal(v.Hits)
				if string(got) != string(want) {
					t.Errorf("hits %s, want %s", got, want)
				}
			}
		})
	}
}

// writeVectors makes the files from the code; they were compared by hand with
// the specification, and with the reference of FF1, when they were first made.
func writeVectors(t *testing.T) {
	key := "000102030405060708090a0b0c0d0e0f"
	r := NewRecogniser([16]byte(unhex(t, key, 16)))
	all := func(l uint64) (out []textVector) {
		for a := Hex; a < end; a++ {
			out = append(out, textVector{a.String(), a.Encode(r, l)})
		}
		return out
	}
	put := func(name string, v vector) {
		v.Key = key
		b, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(vectorDir, name+".json"), append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fail := func(name, why string, a Alphabet, text string) {
		put("fail-"+name, vector{Why: why, Texts: []textVector{{a.String(), text}}})
	}
	id := identityVector{strings.Repeat("11", 32), 3, strings.Repeat("22", 16), strings.Repeat("33", 16), "poc/boundary"}
	l := Identity([32]byte(unhex(t, id.Key, 32)), 3, [16]byte(unhex(t, id.Package, 16)), [16]byte(unhex(t, id.Holder, 16)), id.Slot)
	put("identity", vector{Identity: &id, L: l, Texts: all(l)})
	put("zero", vector{L: 0, Texts: all(0)})
	put("greatest", vector{L: math.MaxUint64, Texts: all(math.MaxUint64)})

	h, u, b := Hex.Encode(r, l), UUID.Encode(r, l), Base62.Encode(r, l)
	flip := func(s string, i int) string {
		c := byte('0')
		if s[i] == c {
			c = '1'
		}
		return s[:i] + string(c) + s[i+1:]
	}
	fail("hex-digit-changed", "one digit differs", Hex, flip(h, 31))
	fail("hex-not-a-digit", "g is not hexadecimal", Hex, h[:31]+"g")
	fail("hex-short", "31 digits", Hex, h[:31])
	fail("uuid-digit-changed", "one digit differs", UUID, flip(u, 35))
	fail("uuid-version", "version 1 instead of 4", UUID, u[:14]+"1"+u[15:])
	fail("uuid-variant", "variant 11 instead of 10", UUID, u[:19]+"c"+u[20:])
	fail("uuid-hyphen", "a hyphen is missing", UUID, u[:8]+"0"+u[9:])
	fail("base62-digit-changed", "one character differs", Base62, flip(b, 21))
	fail("base62-case", "base 62 minds case", Base62, strings.ToLower(b))
	put("fail-other-key", vector{Why: "made under another recognition key", Texts: []textVector{
		{"hex", Hex.Encode(NewRecogniser([16]byte{1}), l)}, {"uuid", UUID.Encode(NewRecogniser([16]byte{1}), l)}, {"base62", Base62.Encode(NewRecogniser([16]byte{1}), l)}}})

	text := "GET /" + b + "?x=" + strings.ToUpper(h) + "&y=a" + h + " id-" + strings.ToUpper(u) + "-2 " + h + "0 {" + u + "}"
	var hits []hitVector
	for _, x := range plainScan(r, []byte(text)) {
		hits = append(hits, hitVector{int(x.off), x.a.String(), x.l})
	}
	put("scan", vector{Scan: text, Hits: hits})
}

func TestTokensComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewRecogniser([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key")))
		l := rapid.Uint64().Draw(t, "L")
		if got, ok := r.Recognise(Mint(r, l)); !ok || got != l {
			t.Fatalf("mint: %d %v", got, ok)
		}
		for a := Hex; a < end; a++ {
			text := a.Encode(r, l)
			if got, ok := a.Recognise(r, text); len(text) != a.Len() || !ok || got != l {
				t.Fatalf("%v %q: %d %v", a, text, got, ok)
			}
			for b := Hex; b < end; b++ {
				if _, ok := b.Recognise(r, text); ok != (a == b) {
					t.Fatalf("%v read as %v: %v", a, b, ok)
				}
			}
		}
	})
}

func TestUnknownAlphabets(t *testing.T) {
	r := NewRecogniser(testKey)
	for _, a := range []Alphabet{0, end, 255} {
		if _, ok := a.Recognise(r, ""); ok || a.Encode(r, 1) != "" || a.Len() != 0 {
			t.Errorf("%v writes or reads", a)
		}
	}
	for a := Hex; a < end; a++ {
		if got, err := ParseAlphabet(a.String()); got != a || err != nil {
			t.Errorf("%v: %v %v", a, got, err)
		}
	}
	for _, s := range []string{"", "unset", "HEX", "base64"} {
		if _, err := ParseAlphabet(s); err == nil {
			t.Errorf("%q is an alphabet", s)
		}
	}
}

// Every part of what is hashed changes the identity, and no two parts run into
// one another.
func TestIdentityBindsItsParts(t *testing.T) {
	seen := map[uint64]string{}
	add := func(name string, l uint64) {
		if o, ok := seen[l]; ok {
			t.Errorf("%s and %s share an identity", name, o)
		}
		seen[l] = name
	}
	var k, k2 [32]byte
	var p, p2 [16]byte
	k2[31], p2[15] = 1, 1
	add("base", Identity(k, 1, p, p, "s"))
	add("key", Identity(k2, 1, p, p, "s"))
	add("epoch", Identity(k, 2, p, p, "s"))
	add("package", Identity(k, 1, p2, p, "s"))
	add("holder", Identity(k, 1, p, p2, "s"))
	add("slot", Identity(k, 1, p, p, "s2"))
	add("no slot", Identity(k, 1, p, p, ""))
}

// To a reader without the key, every character of a token is uniform over its
// alphabet, even for consecutive identities: chi-squared per position.
func TestCharactersAreUniform(t *testing.T) {
	r := NewRecogniser(testKey)
	const n = 20_000
	for a := Hex; a < end; a++ {
		counts := make([]map[byte]int, a.Len())
		for i := range counts {
			counts[i] = map[byte]int{}
		}
		for l := range uint64(n) {
			for i, c := range []byte(a.Encode(r, l)) {
				counts[i][c]++
			}
		}
		for i, m := range counts {
			k := 16
			switch {
			case a == Base62:
				k = 62
			case a == UUID && (i == 8 || i == 13 || i == 14 || i == 18 || i == 23):
				continue // fixed
			case a == UUID && i == 19:
				k = 4 // the variant
			}
			var chi float64
			for _, c := range m {
				d := float64(c) - float64(n)/float64(k)
				chi += d * d * float64(k) / n
			}
			chi += float64(k-len(m)) * n / float64(k)
			// Six standard deviations above the mean of chi-squared.
			if limit := float64(k-1) + 6*math.Sqrt(2*float64(k-1)) + 6; len(m) > k || chi > limit {
				t.Errorf("%v position %d: %d characters, chi-squared %.1f > %.1f", a, i, len(m), chi, limit)
			}
		}
	}
}

// How often other text passes for a token cannot be counted at 2⁻⁵⁸. What can
// be is how often its redundancy begins as a token's does, for as many bits as
// there are trials for; the rest of the bits are no different to a cipher.
func TestFalseMatchesAreAsRareAsStated(t *testing.T) {
	r := NewRecogniser(testKey)
	rng := rand.New(rand.NewPCG(3, 3))
	w := new(work)
	const n, bits = 1 << 20, 10
	counts := map[Alphabet]int{}
	low := func(a half, m half) bool { // a below m/2¹⁰
		x := half{a.hi<<bits | a.lo>>(64-bits), a.lo << bits}
		_, borrow := x.sub(m)
		return borrow == 1
	}
	for range n {
		for i := range w {
			w[i] = byte(rng.Uint32())
		}
		r.block.Decrypt(w[:], w[:])
		if w[0] == 0 && w[1] < 64 {
			counts[Hex]++
		}
		a, _ := r.uuid.decrypt(half{0, rng.Uint64() >> 3}, half{0, rng.Uint64() >> 3}, w)
		if low(a, r.uuid.modulus) {
			counts[UUID]++
		}
		a, _ = r.base62.decrypt(half{0, rng.Uint64()}, half{1, rng.Uint64()}, w)
		if low(a, r.base62.modulus) {
			counts[Base62]++
		}
	}
	mean := float64(n) / (1 << bits)
	for a := Hex; a < end; a++ {
		if d := (float64(counts[a]) - mean) / math.Sqrt(mean); math.Abs(d) > 5 {
			t.Errorf("%v: %d of %d, expected %.0f: off by %.1f standard deviations", a, counts[a], n, mean, d)
		}
	}
}

// A plaintext one above the greatest is no token.
func TestRedundancyIsChecked(t *testing.T) {
	r := NewRecogniser(testKey)
	w := new(work)
	a, b := r.uuid.encrypt(half{0, 8}, half{}, w)
	if l, ok := decodeUUID(r, uuidText(a, b), w); ok {
		t.Errorf("uuid: %d", l)
	}
	for _, ab := range [][2]half{{{0, 0}, {1, 0}}, {{0, 1}, {0, 0}}, {{1, 0}, {0, 0}}} {
		a, b = r.base62.encrypt(ab[0], ab[1], w)
		if l, ok := decode62(r, text62(a, b), w); ok {
			t.Errorf("base62: %d from %v", l, ab)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	r := NewRecogniser(testKey)
	for a := Hex; a < end; a++ {
		f.Add(a.Encode(r, 7))
	}
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		for a := Hex; a < end; a++ {
			if l, ok := a.Recognise(r, s); ok && !strings.EqualFold(a.Encode(r, l), s) {
				t.Errorf("%q is recognised as %v %d, which is written %q", s, a, l, a.Encode(r, l))
			}
		}
	})
}
