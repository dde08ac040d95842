package fpcode

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const jointVectorDir = "../../doc/spec/vectors/joint"

// jointVector is one file of doc/spec/vectors/joint: a whole decoding by joint/1.
// Sites are numbered in their ids' first four bytes and their laws are dealt in that
// order; holders are numbered in their last eight bytes.
type jointVector struct {
	What    string          `json:"what"`
	Package string          `json:"package"`
	Profile string          `json:"profile"`
	Label   string          `json:"label"` // of the deal
	Copies  int             `json:"copies"`
	Run     int             `json:"run"`
	Seed    string          `json:"seed"`
	Dealt   []uint8         `json:"dealt"` // laws
	Read    []readingVector `json:"readings"`
	Scores  []int64         `json:"scores"` // of every copy
	Accused []jointAccused  `json:"accused"`
}

type jointAccused struct {
	Holder uint64      `json:"holder"`
	Score  int64       `json:"score"`
	Parts  []jointPart `json:"parts"`
	P      pVector     `json:"p"`
}

type jointPart struct {
	Class  string   `json:"class"` // "unset": all
	Beside []uint64 `json:"beside"`
	C      int      `json:"c"`
	Match  []uint16 `json:"match"`
	Erased []uint16 `json:"erased,omitempty"`
	Other  []uint16 `json:"other,omitempty"`
}

func (v *jointVector) problem(t *testing.T) Problem {
	pkg := Key(unhex(t, v.Package, 32))
	profile, err := ParseProfile(v.Profile)
	if err != nil {
		t.Fatal(err)
	}
	v.Dealt = profile.Deal(BiasKey(pkg), v.Label, len(v.Read))
	p := Problem{Run: v.Run, Alpha: 1e-6, Seed: [32]byte(unhex(t, v.Seed, 32)), CopyKey: func(h [16]byte) Key { return CopyKey(pkg, h) }}
	p.Laws = func(s SiteID, q uint8) Law {
		l, err := profile.Law(int(q), v.Dealt[binary.BigEndian.Uint32(s[:])])
		if err != nil {
			return Law{}
		}
		return l
	}
	for _, r := range v.Read {
		p.Readings = append(p.Readings, r.reading(t))
	}
	for i := range v.Copies {
		p.Holders = append(p.Holders, holderID(i))
	}
	return p
}

// fill computes all that a vector states, and holds what a dossier would open
// against it.
func (v *jointVector) fill(t *testing.T) {
	p := v.problem(t)
	r, err := Decoders[JointDecoder].Decode(p)
	if err != nil {
		t.Fatal(err)
	}
	number := func(h [16]byte) uint64 { return binary.BigEndian.Uint64(h[8:]) }
	v.Scores, v.Accused = r.Scores, []jointAccused{}
	for _, a := range r.Accused {
		x := jointAccused{Holder: number(a.Holder), Score: a.Score,
			P: pVector{hexFloat(a.PUpper), hexFloat(a.PEstimate), hexFloat(a.PSampled), hexFloat(a.SE), hexFloat(a.PAdjusted), RoundUp2(a.PAdjusted)}}
		var keyed []KeyedPart
		for _, part := range a.Parts {
			k := KeyedPart{Class: part.Class, Collusion: part.Collusion}
			y := jointPart{Class: part.Class.String(), Beside: []uint64{}, C: part.Collusion.C, Match: part.Collusion.Match[:part.Collusion.C+1]}
			if part.Collusion.Telling {
				y.Erased, y.Other = part.Collusion.Erased[:y.C+1], part.Collusion.Other[:y.C+1]
			}
			for _, h := range part.Beside {
				y.Beside = append(y.Beside, number(h))
				k.Beside = append(k.Beside, p.CopyKey(h))
			}
			if again := EstimateBeside(p.Readings, p.Laws, k.Class, k.Beside, y.C, part.Collusion.Telling); again != part.Collusion {
				t.Errorf("the channel beside %v is estimated as %v, not %v", y.Beside, again, part.Collusion)
			}
			x.Parts, keyed = append(x.Parts, y), append(keyed, k)
		}
		again := RecomputeBeside(p.Readings, p.Laws, p.CopyKey(a.Holder), keyed, v.Copies, v.Run, p.Seed)
		if again.Holder, again.Parts = a.Holder, a.Parts; !reflect.DeepEqual(again, a) {
			t.Errorf("recomputed %+v, want %+v", again, a)
		}
		v.Accused = append(v.Accused, x)
	}
}

func TestJointVectors(t *testing.T) {
	if *update {
		writeJointVectors(t)
	}
	files, err := filepath.Glob(filepath.Join(jointVectorDir, "*.json"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var want jointVector
			if err := json.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			got := want
			got.fill(t)
			if a, b := marshalVector(t, got), marshalVector(t, want); a != b {
				t.Errorf("computed\n%s\nwant\n%s", a, b)
			}
		})
	}
}

func marshalVector(t *testing.T, v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func writeJointVectors(t *testing.T) {
	if err := os.MkdirAll(jointVectorDir, 0o755); err != nil {
		t.Fatal(err)
	}
	pkg := Key{}
	for i := range pkg {
		pkg[i] = 0x2a
	}
	for name, make := range map[string]struct {
		what    string
		profile Profile
		m       int
		from    func(site int, shown func(copy int) uint8) (State, uint8)
	}{
		"alone":        {"one copy, whole", Default, 60, func(_ int, x func(int) uint8) (State, uint8) { return Value, x(3) }},
		"merged":       {"two copies, site by site in turn of seven", Default, 150, func(i int, x func(int) uint8) (State, uint8) { return Value, x(3 + i%7%2) }},
		"deleted":      {"two copies, erased where they differ", Default, 100, func(i int, x func(int) uint8) (State, uint8) { return differ(x, Erased) }},
		"third-values": {"two copies, something else where they differ", TwoPoint, 100, func(i int, x func(int) uint8) (State, uint8) { return differ(x, Other) }},
		"split":        {"the prose of one copy with another's rules", Default, 110, func(i int, x func(int) uint8) (State, uint8) { return Value, x(3 + i*2/110) }},
		"symbols":      {"two copies merged, sites of two, three and four alternatives", Default, 120, func(i int, x func(int) uint8) (State, uint8) { return Value, x(3 + i%7%2) }},
		"stranger":     {"no copy that was issued", Default, 150, func(i int, x func(int) uint8) (State, uint8) { return Value, x(1000) }},
	} {
		v := jointVector{What: make.what, Package: hex.EncodeToString(pkg[:]), Profile: make.profile.String(), Label: "vector " + name, Copies: 40, Run: 1, Seed: strings.Repeat("07", 32)}
		v.Read = []readingVector{}
		for i := range make.m {
			var id SiteID
			binary.BigEndian.PutUint32(id[:], uint32(i))
			class := ClassProse
			if i >= make.m/2 && name == "split" {
				class = ClassRule
			}
			q := uint8(2)
			if name == "symbols" {
				q += uint8(i % 3)
			}
			v.Read = append(v.Read, asVector(Reading{Site: id, Class: class, Q: q, State: Value}))
		}
		p := v.problem(t)
		for i := range p.Readings {
			r := &p.Readings[i]
			r.State, r.Symbol = make.from(i, func(copy int) uint8 { return Symbol(CopyKey(pkg, holderID(copy)), r.Site, p.Laws(r.Site, r.Q)) })
			if r.State == Value && i%19 == 7 { // unsure
				l := slices.Repeat([]uint16{65535 >> 4}, int(r.Q))
				l[r.Symbol] = 65535
				r.Symbol, r.Likelihood = 0, l
			}
			v.Read[i] = asVector(*r)
		}
		v.fill(t)
		if err := os.WriteFile(filepath.Join(jointVectorDir, name+".json"), []byte(marshalVector(t, v)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func differ(shown func(int) uint8, as State) (State, uint8) {
	if a, b := shown(3), shown(4); a != b {
		return as, 0
	}
	return Value, shown(3)
}

var jointWays = flag.Int("jointways", 6, "joint tests on which the three ways of computing p are compared")

// Of joint tests too, the three ways agree:
//
//	go test ./internal/fpcode -run JointThreeWays -v -jointways 1000
func TestJointThreeWays(t *testing.T) {
	far, low, n := 0, 0, 0
	for i := range *jointWays {
		p, c := mixture(uint64(i)+77, 40)
		sights, columns := sightsOf(p.Readings, p.Laws)
		all := testsFor(sights, codewordsOf(sights, columns, len(p.Holders), func(i int) Key { return p.CopyKey(p.Holders[i]) }))
		for j := range min(c, 3) {
			x, _ := all.of(j)
			s := Score(x.ev, p.CopyKey(p.Holders[j]))
			upper, estimate, _ := bounds(x.ev, s, standard)
			sampled, se := PSampled(x.ev, s, [32]byte{byte(i), byte(i >> 8)}, Trials)
			if estimate < 1e-12 {
				continue
			}
			n++
			if math.Abs(estimate/sampled-1) > .05 {
				far++
			}
			if upper < sampled-6*se {
				low++
			}
		}
	}
	t.Logf("%d tests: estimate more than 5 %% from sampled in %d, upper below the sampled interval in %d", n, far, low)
	if low > 0 || far > n/100+1 {
		t.Error("the three ways disagree")
	}
}
