package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type colour uint8

// sample has one field of every sort.
type sample struct {
	A uint8
	B uint16
	C uint32
	D uint64
	E int64
	F bool
	G colour
	H time.Time
	I [4]byte
	J []byte
	K string
	L []pair
	M ID[sample]
}

type pair struct {
	X uint16
	Y string
}

func (p *pair) Wire(c *Coder) {
	c.U16(&p.X)
	Text(c, &p.Y, 8)
}

func (s *sample) Wire(c *Coder) {
	c.Magic("sample\n")
	c.U8(&s.A)
	c.U16(&s.B)
	c.U32(&s.C)
	c.U64(&s.D)
	c.I64(&s.E)
	c.Bool(&s.F)
	Enum(c, &s.G, 3)
	c.Time(&s.H)
	c.Fixed(s.I[:])
	c.Bytes(&s.J, 16)
	Text(c, &s.K, 16)
	Layouts(c, &s.L, 4)
	s.M.Wire(c)
}

func draw(t *rapid.T) sample {
	s := sample{
		A: rapid.Uint8().Draw(t, "a"), B: rapid.Uint16().Draw(t, "b"), C: rapid.Uint32().Draw(t, "c"), D: rapid.Uint64().Draw(t, "d"),
		E: rapid.Int64().Draw(t, "e"), F: rapid.Bool().Draw(t, "f"), G: colour(rapid.IntRange(0, 3).Draw(t, "g")),
		K: rapid.StringN(0, 4, 16).Draw(t, "k"),
	}
	if rapid.Bool().Draw(t, "timed") {
		s.H = time.UnixMicro(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "h")).UTC()
	}
	if b := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "j"); len(b) > 0 {
		s.J = b
	}
	for range rapid.IntRange(0, 4).Draw(t, "l") {
		s.L = append(s.L, pair{rapid.Uint16().Draw(t, "x"), rapid.StringN(0, 2, 8).Draw(t, "y")})
	}
	copy(s.M[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "m"))
	return s
}

func same(a, b sample) bool {
	if len(a.L) != len(b.L) {
		return false
	}
	for i := range a.L {
		if a.L[i] != b.L[i] {
			return false
		}
	}
	return a.A == b.A && a.B == b.B && a.C == b.C && a.D == b.D && a.E == b.E && a.F == b.F && a.G == b.G &&
		a.H.Equal(b.H) && a.I == b.I && bytes.Equal(a.J, b.J) && a.K == b.K && a.M == b.M
}

func TestBothDirectionsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t)
		b := Marshal(&in)
		var out sample
		if err := Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		if !same(in, out) {
			t.Fatalf("read %+v, wrote %+v", out, in)
		}
		if !bytes.Equal(Marshal(&out), b) {
			t.Fatal("it does not re-encode identically")
		}
		for n := range b {
			if err := Unmarshal(b[:n], new(sample)); !errors.Is(err, ErrFormat) {
				t.Fatalf("the first %d bytes of %d parse: %v", n, len(b), err)
			}
		}
		if err := Unmarshal(append(b, 0), new(sample)); !errors.Is(err, ErrFormat) {
			t.Fatalf("a byte after the end parses: %v", err)
		}
	})
}

func TestRefusals(t *testing.T) {
	good := func() []byte { return Marshal(&sample{K: "k"}) }
	const flag = 7 + 1 + 2 + 4 + 8 + 8
	for name, row := range map[string]struct {
		change func([]byte) []byte
		says   string
	}{
		"another magic":       {func(b []byte) []byte { b[0] = 'S'; return b }, `expected "sample\n"`},
		"a truth of two":      {func(b []byte) []byte { b[flag] = 2; return b }, "0 or 1"},
		"an unknown colour":   {func(b []byte) []byte { b[flag+1] = 4; return b }, "unknown"},
		"a length too long":   {func(b []byte) []byte { b[flag+2+8+4+3] = 17; return b }, "at most 16"},
		"a huge length":       {func(b []byte) []byte { b[flag+2+8+4] = 255; return b }, "at most 16"},
		"text that isn't":     {func(b []byte) []byte { b[flag+2+8+4+4+4] = 0xff; return b }, "UTF-8"},
		"a year out of range": {func(b []byte) []byte { b[flag+2] = 0x7f; return b }, "range of years"},
	} {
		err := Unmarshal(row.change(good()), new(sample))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "byte ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLimitsHoldWhenWriting(t *testing.T) {
	for name, s := range map[string]sample{
		"bytes":  {J: make([]byte, 17)},
		"text":   {K: strings.Repeat("k", 17)},
		"list":   {L: make([]pair, 5)},
		"utf-8":  {K: "\xff"},
		"colour": {G: 4},
		// What can't be read back must not be written: a log could not be opened again.
		"late":  {H: time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -14*3600))},
		"early": {H: time.Date(1, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600))},
		"far":   {H: time.Unix(1<<62, 0)},
		"close": {H: time.Time{}.Add(time.Nanosecond)},
	} {
		if _, err := Append(nil, &s); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A length alone must not buy memory.
func TestAListGrowsOnlyWithItsBytes(t *testing.T) {
	var n uint32 = 1 << 20
	head := Marshal(one(func(c *Coder) { c.U32(&n) }))
	calls := 0
	err := Unmarshal(head, one(func(c *Coder) {
		var l []pair
		List(c, &l, 1<<21, func(c *Coder, p *pair) { calls++; p.Wire(c) })
	}))
	if err == nil || calls > 1 {
		t.Errorf("%d elements were begun for no bytes: %v", calls, err)
	}
}

type one func(*Coder)

func (f one) Wire(c *Coder) { f(c) }

func TestID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b ID[sample]
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "a"))
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "b"))
		back, err := ParseID[sample](a.String())
		if err != nil || back != a {
			t.Fatalf("%v reads as %v: %v", a, back, err)
		}
		if (a.String() < b.String()) != (a.Compare(b) < 0) {
			t.Fatal("text and bytes sort differently")
		}
	})
}

func FuzzID(f *testing.F) {
	f.Add("")
	f.Add("00000000000000000000000000")
	f.Add("vvvvvvvvvvvvvvvvvvvvvvvvvv")
	f.Add("0000000000000000000000000g\n")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseID[sample](s); err == nil && id.String() != s {
			t.Errorf("%q reads as %v", s, id)
		}
	})
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(Marshal(&sample{}))
	f.Add(Marshal(&sample{K: "text", L: []pair{{1, "a"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sample
		if Unmarshal(b, &s) == nil && !bytes.Equal(Marshal(&s), b) {
			t.Errorf("%x parses and re-encodes as %x", b, Marshal(&s))
		}
	})
}
