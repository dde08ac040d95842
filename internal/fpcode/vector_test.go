package fpcode

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the vectors anew")

const vectorDir = "../../doc/spec/vectors/code"

// vector is one file of doc/spec/vectors/code. One with a Why has readings
// that are refused for that reason alone.
type vector struct {
	Why     string          `json:"why,omitempty"`
	Package string          `json:"package,omitempty"`
	Holder  string          `json:"holder,omitempty"`
	Keys    *keysVector     `json:"keys,omitempty"`
	Run     int             `json:"run,omitempty"`
	Copies  int             `json:"copies,omitempty"`
	Seed    string          `json:"seed,omitempty"`
	Read    []readingVector `json:"readings,omitempty"`
	Scores  [][]int64       `json:"scores,omitempty"` // per site in the order of ids
	Score   int64           `json:"score,omitempty"`
	P       *pVector        `json:"p,omitempty"`
}

type keysVector struct {
	Bias         string           `json:"bias"`
	Copy         string           `json:"copy"`
	Commitment   string           `json:"commitment"`
	Site         string           `json:"site"`
	Symbols      map[string]int   `json:"symbols"`      // by q
	Permutations map[string][]int `json:"permutations"` // by q
}

type readingVector struct {
	Site       string   `json:"site"`
	Class      string   `json:"class"`
	Q          uint8    `json:"q"`
	State      string   `json:"state"`
	Symbol     uint8    `json:"symbol,omitempty"`
	Likelihood []uint16 `json:"likelihood,omitempty"`
}

// pVector holds numbers in C99's hexadecimal notation: every bit counts.
type pVector struct {
	Upper    string `json:"upper"`
	Estimate string `json:"estimate"`
	Sampled  string `json:"sampled"`
	SE       string `json:"se"`
	Adjusted string `json:"adjusted"`
	Printed  string `json:"printed"`
}

func hexFloat(x float64) string { return strconv.FormatFloat(x, 'x', -1, 64) }

func unhex(t testing.TB, s string, n int) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != n {
		t.Fatalf("%q is not %d bytes of hexadecimal", s, n)
	}
	return b
}

func (v readingVector) reading(t testing.TB) Reading {
	r := Reading{Site: SiteID(unhex(t, v.Site, 16)), Q: v.Q, Symbol: v.Symbol, Likelihood: v.Likelihood}
	c, err := ParseClass(v.Class)
	if err != nil {
		t.Fatal(err)
	}
	r.Class = c
	for s, n := range stateNames {
		if n == v.State {
			r.State = State(s)
		}
	}
	return r
}

func asVector(r Reading) readingVector {
	return readingVector{hex.EncodeToString(r.Site[:]), r.Class.String(), r.Q, r.State.String(), r.Symbol, r.Likelihood}
}

// fill computes all that a vector states from what it is given.
func (v *vector) fill(t testing.TB) {
	pkg, holder := Key(unhex(t, v.Package, 32)), [16]byte(unhex(t, v.Holder, 16))
	bias, copyKey := BiasKey(pkg), CopyKey(pkg, holder)
	if k := v.Keys; k != nil {
		c := Commit(pkg)
		*k = keysVector{Bias: hex.EncodeToString(bias[:]), Copy: hex.EncodeToString(copyKey[:]), Commitment: hex.EncodeToString(c[:]), Site: k.Site,
			Symbols: map[string]int{}, Permutations: map[string][]int{}}
		site := SiteID(unhex(t, k.Site, 16))
		for q := MinQ; q <= MaxQ; q++ {
			l, _ := Single.Law(q, 0)
			k.Symbols[strconv.Itoa(q)] = int(Symbol(copyKey, site, l))
		}
		for _, q := range []int{2, 3, 4, 24} {
			for _, v := range Permutation(bias, site, q) {
				k.Permutations[strconv.Itoa(q)] = append(k.Permutations[strconv.Itoa(q)], int(v))
			}
		}
	}
	if len(v.Read) == 0 {
		return
	}
	var rs []Reading
	for _, r := range v.Read {
		rs = append(rs, r.reading(t))
	}
	v.Scores = nil
	for _, e := range Weigh(rs, Even, Declared()) {
		v.Scores = append(v.Scores, e.Score)
	}
	a := Recompute(rs, Even, copyKey, v.Copies, v.Run, [32]byte(unhex(t, v.Seed, 32)))
	v.Score = a.Score
	v.P = &pVector{hexFloat(a.PUpper), hexFloat(a.PEstimate), hexFloat(a.PSampled), hexFloat(a.SE), hexFloat(a.PAdjusted), RoundUp2(a.PAdjusted)}
}

func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(filepath.Join(vectorDir, "*.json"))
	if err != nil || len(files) < 12 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var v, again vector
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			if v.Why != "" {
				for _, r := range v.Read {
					if err := r.reading(t).Check(); !errors.Is(err, ErrParameter) {
						t.Errorf("accepted, though %s: %v", v.Why, err)
					}
				}
				return
			}
			if err := json.Unmarshal(data, &again); err != nil {
				t.Fatal(err)
			}
			again.fill(t)
			got, _ := json.Marshal(again)
			want, _ := json.Marshal(v)
			if string(got) != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func writeVectors(t *testing.T) {
	pkg, holder := strings.Repeat("2a", 32), "000102030405060708090a0b0c0d0e0f"
	put := func(name string, v vector) {
		b, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(vectorDir, name+".json"), append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	keys := vector{Package: pkg, Holder: holder, Keys: &keysVector{Site: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"}}
	keys.fill(t)
	put("keys", keys)

	decode := func(name string, run int, rs []Reading) {
		v := vector{Package: pkg, Holder: holder, Run: run, Copies: 97, Seed: strings.Repeat("07", 32)}
		for _, r := range rs {
			v.Read = append(v.Read, asVector(r))
		}
		v.fill(t)
		put(name, v)
	}
	k, h := Key(unhex(t, pkg, 32)), [16]byte(unhex(t, holder, 16))
	decode("whole", 1, leaked(1, k, h, 12, 0, 0, 0))
	decode("misread", 2, leaked(2, k, h, 30, .1, .1, .15))
	decode("stranger", 1, leaked(3, Key{8}, h, 20, 0, 0, 0))
	soft := leaked(4, k, h, 8, 0, 0, 0)
	for i := range soft {
		l := make([]uint16, soft[i].Q)
		for v := range l {
			l[v] = uint16(1000*(i+1)*(v+3)) % 20000
		}
		l[(soft[i].Symbol+uint8(i%3/2))%soft[i].Q] = 65535 // one in three misread
		soft[i].Symbol, soft[i].Likelihood = 0, l
	}
	decode("likelihoods", 1, soft)
	decode("erased", 1, leaked(5, k, h, 4, 1, 0, 0))
	twice := leaked(6, k, h, 5, 0, 0, 0)
	other := twice[0]
	other.Symbol ^= 1
	decode("read-twice", 1, append(twice, other, twice[1]))

	good := Reading{Site: SiteID(unhex(t, keys.Keys.Site, 16)), Class: ClassRule, Q: 3, State: Value, Symbol: 1}
	fail := func(name, why string, spoil func(*Reading)) {
		r := good
		spoil(&r)
		put("fail-"+name, vector{Why: why, Read: []readingVector{asVector(r)}})
	}
	fail("symbol", "symbol 3 of 3", func(r *Reading) { r.Symbol = 3 })
	fail("one-alternative", "a site has at least 2 alternatives", func(r *Reading) { r.Q, r.Symbol = 1, 0 })
	fail("25-alternatives", "a site has at most 24 alternatives", func(r *Reading) { r.Q = 25 })
	fail("erased-with-symbol", "erased, but with a symbol", func(r *Reading) { r.State = Erased })
	fail("other-with-likelihood", "other, but with likelihoods", func(r *Reading) { r.State, r.Symbol, r.Likelihood = Other, 0, []uint16{65535, 0, 0} })
	fail("likelihoods-short", "two likelihoods for three alternatives", func(r *Reading) { r.Symbol, r.Likelihood = 0, []uint16{65535, 0} })
	fail("likelihoods-scale", "the greatest likelihood is not 65535", func(r *Reading) { r.Symbol, r.Likelihood = 0, []uint16{65534, 0, 0} })
	fail("likelihoods-and-symbol", "both a symbol and likelihoods", func(r *Reading) { r.Likelihood = []uint16{65535, 0, 0} })
}
