package fpcode

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"forewarn/internal/rate"
)

var testPackage = Key{1, 2, 3}

func holderID(i int) (h [16]byte) {
	binary.BigEndian.PutUint64(h[8:], uint64(i))
	return h
}

// leaked is what a reader would make of one holder's copy: each site erased,
// other, read wrongly or read rightly by the given shares.
func leaked(seed uint64, pkg Key, holder [16]byte, n int, erased, other, wrong float64) (rs []Reading) {
	rng := rand.New(rand.NewPCG(seed, 7))
	laws, copy := Even, CopyKey(pkg, holder)
	for i := range n {
		r := Reading{Class: Classes()[i%5], Q: []uint8{2, 2, 3, 4, 24}[i%5], State: Value}
		binary.BigEndian.PutUint64(r.Site[:], uint64(i)+seed<<32)
		r.Symbol = Symbol(copy, r.Site, laws(r.Site, r.Q))
		switch u := rng.Float64(); {
		case u < erased:
			r.State, r.Symbol = Erased, 0
		case u < erased+other:
			r.State, r.Symbol = Other, 0
		case u < erased+other+wrong:
			r.Symbol = (r.Symbol + 1 + uint8(rng.IntN(int(r.Q)-1))) % r.Q
		}
		rs = append(rs, r)
	}
	return rs
}

func problem(rs []Reading, holders int) Problem {
	p := Problem{
		Readings: rs, Laws: Even, Run: 1, Alpha: 1e-6,
		CopyKey: func(h [16]byte) Key { return CopyKey(testPackage, h) },
	}
	for i := range holders {
		p.Holders = append(p.Holders, holderID(i))
	}
	return p
}

func TestDecode(t *testing.T) {
	d := Decoders[SingleDecoder]
	if d == nil || d.Version() != SingleDecoder {
		t.Fatal("no single decoder")
	}
	const leaker = 42
	both := func() []Reading { // two copies' readings of different sites
		a := leaked(1, testPackage, holderID(leaker), 60, 0, 0, 0)
		return append(a, leaked(2, testPackage, holderID(7), 60, 0, 0, 0)...)
	}
	for _, c := range []struct {
		name    string
		rs      []Reading
		accused []int
	}{
		{"whole copy", leaked(1, testPackage, holderID(leaker), 60, 0, 0, 0), []int{leaker}},
		{"a tenth misread", leaked(1, testPackage, holderID(leaker), 60, 0, 0, .1), []int{leaker}},
		{"half erased, some other", leaked(1, testPackage, holderID(leaker), 80, .5, .1, .02), []int{leaker}},
		{"too little", leaked(1, testPackage, holderID(leaker), 10, 0, 0, 0), nil},
		{"all erased", leaked(1, testPackage, holderID(leaker), 60, 1, 0, 0), nil},
		{"all other", leaked(1, testPackage, holderID(leaker), 60, 0, 1, 0), nil},
		{"a holder of no copy", leaked(1, testPackage, holderID(1000), 200, 0, 0, 0), nil},
		{"another package", leaked(1, Key{9}, holderID(leaker), 200, 0, 0, 0), nil},
		{"two copies, pasted together", both(), []int{leaker, 7}},
		{"nothing", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := problem(c.rs, 97)
			r, err := d.Decode(p)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, a := range r.Accused {
				got = append(got, int(a.Holder[15]))
				again := Recompute(c.rs, p.Laws, p.CopyKey(a.Holder), len(p.Holders), p.Run, p.Seed)
				if again.Holder = a.Holder; !reflect.DeepEqual(again, a) {
					t.Errorf("recomputed %+v, want %+v", again, a)
				}
				if a.PAdjusted > p.Alpha || !a.Consistent || a.Score > r.Best.Score {
					t.Errorf("accused with %+v", a)
				}
			}
			slices.Sort(got)
			slices.Sort(c.accused)
			if !slices.Equal(got, c.accused) {
				t.Errorf("accused %v, want %v; best %+v", got, c.accused, r.Best)
			}
			if n := r.Read + r.Erased + r.Other + r.Unweighed; n != len(c.rs) || len(r.Scores) != 97 {
				t.Errorf("%d sites of %d counted, %d scores", n, len(c.rs), len(r.Scores))
			}
			if r.Best.Score != slices.Max(r.Scores) {
				t.Errorf("best %d, greatest %d", r.Best.Score, slices.Max(r.Scores))
			}
		})
	}
}

func TestDecodeCountsSites(t *testing.T) {
	rs := hardReadings(2, 2, 2, 2, 2)
	rs[0].State, rs[0].Symbol = Erased, 0
	rs[1].State, rs[1].Symbol = Other, 0
	again := rs[2]
	again.Symbol ^= 1
	rs = append(rs, again, rs[3])
	for range 2 {
		r, err := single{}.Decode(problem(rs, 3))
		if err != nil || r.Read != 2 || r.Erased != 1 || r.Other != 1 || r.Unweighed != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		slices.Reverse(rs)
	}
}

func TestAccuses(t *testing.T) {
	for _, c := range []struct {
		a    Accusation
		want bool
	}{
		{Accusation{}, false},
		{Accusation{PAdjusted: 1e-7, Consistent: true}, true},
		{Accusation{PAdjusted: 1e-6, Consistent: true}, true},
		{Accusation{PAdjusted: 1.1e-6, Consistent: true}, false},
		{Accusation{PAdjusted: 1e-7}, false},
		{Accusation{PAdjusted: math.NaN(), Consistent: true}, false},
	} {
		if got := c.a.Accuses(1e-6); got != c.want {
			t.Errorf("%+v: %v", c.a, got)
		}
	}
}

// The same evidence costs more with every run and every copy.
func TestDecodeCountsRunsAndCopies(t *testing.T) {
	rs := leaked(1, testPackage, holderID(4), 20, 0, 0, 0)
	base, err := single{}.Decode(problem(rs, 10))
	if err != nil {
		t.Fatal(err)
	}
	p := problem(rs, 20)
	p.Run = 3
	more, err := single{}.Decode(p)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := more.Best.PAdjusted / base.Best.PAdjusted; ratio < 11.99 || ratio > 12.01 {
		t.Errorf("twice the copies at run 3 cost %g times as much, want 12", ratio)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := problem(leaked(1, testPackage, holderID(4), 20, 0, 0, 0), 10)
	for name, spoil := range map[string]func(*Problem){
		"no run":              func(p *Problem) { p.Run = 0 },
		"no alpha":            func(p *Problem) { p.Alpha = 0 },
		"alpha of 1":          func(p *Problem) { p.Alpha = 1 },
		"no copies":           func(p *Problem) { p.Holders = nil },
		"no keys":             func(p *Problem) { p.CopyKey = nil },
		"no laws":             func(p *Problem) { p.Laws = nil },
		"a holder twice":      func(p *Problem) { p.Holders = append(p.Holders, p.Holders[0]) },
		"symbol out of range": func(p *Problem) { p.Readings[0].Symbol = 200 },
	} {
		p := good
		p.Readings = slices.Clone(good.Readings)
		spoil(&p)
		if r, err := (single{}).Decode(p); !errors.Is(err, ErrParameter) || len(r.Accused) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whole decodings of specimens that derive from no copy: anybody is accused in
// no more than alpha of them. The first run spends half of alpha, and
// symbols come in steps, so that the rate is well below.
func TestDecodingsOfStrangersAccuseRarely(t *testing.T) {
	const trials, alpha = 150, .2
	wrong := 0
	for i := range trials {
		p := problem(leaked(uint64(i), Key{77}, holderID(i), 16, 0, 0, 0), 30)
		p.Alpha = alpha
		r, err := single{}.Decode(p)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Accused) > 0 {
			wrong++
		}
	}
	lo, hi := rate.Exact(wrong, trials, .05)
	t.Logf("%d of %d accuse somebody at %g: [%.3f, %.3f]", wrong, trials, alpha, lo, hi)
	if lo, _ := rate.Exact(wrong, trials, 1e-6); lo > alpha/2 {
		t.Errorf("%d of %d", wrong, trials)
	}
}

// marksNeeded is the least number of binary marks at which a decoding of n
// copies accuses the right one in at least 95 % of cases, each mark being
// misread with probability wrong: exact, from binomials.
func marksNeeded(n int, alpha, wrong float64, run int) int {
	for m := 1; ; m++ {
		ev := weighSingle(hardReadings(repeat(2, m)...))
		hi, lo := max(ev[0].Score[0], ev[0].Score[1]), min(ev[0].Score[0], ev[0].Score[1])
		k := 0
		for k <= m && Adjust(PUpper(ev, int64(k)*hi+int64(m-k)*lo), n, run) > alpha {
			k++
		}
		if k <= m && rate.AtLeast(k, m, 1-wrong) >= .95 {
			return m
		}
	}
}

func TestMarksNeeded(t *testing.T) {
	for _, c := range []struct {
		wrong float64
		most  int
	}{{0, 28}, {.1, 72}} {
		m := marksNeeded(100, 1e-6, c.wrong, 1)
		t.Logf("100 copies, family-wise 1e-6, first run, %.0f %% misread: %d binary marks", 100*c.wrong, m)
		if m > c.most {
			t.Errorf("%d marks, at most %d are wanted", m, c.most)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	p := problem(leaked(1, testPackage, holderID(4), 2000, .3, 0, .2), 97)
	for b.Loop() {
		if r, err := (single{}).Decode(p); err != nil || len(r.Accused) != 1 {
			b.Fatal(r.Best, err)
		}
	}
}

func BenchmarkScore(b *testing.B) {
	ev := weighSingle(leaked(1, testPackage, holderID(4), 1000, 0, 0, 0))
	b.SetBytes(int64(len(ev))) // so that MB/s reads as million positions a second
	for b.Loop() {
		Score(ev, Key{})
	}
}
