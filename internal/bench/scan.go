// Package bench measures whole jobs of the program beside their peers: the same
// work on the same bytes, in turns, in one run. A machine that is shared makes
// a figure by itself worth little; a ratio of two that took turns says something.
// What counts is processor time, on one core, of what a plain build gives.
//
//	seed ─► corpus in a file ─► ours, peer, ours, peer … ─► medians, ratio
//
// It proves nothing about correctness: that is what tests are for. It only holds
// that everything that was planted was seen, lest a scan be fast by blindness.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"forewarn/internal/machine"
	"forewarn/internal/sighting"
	"forewarn/internal/sim/telemetry"
	"forewarn/internal/token"
)

// Scan is what to measure.
type Scan struct {
	Corpus   string // of telemetry.Corpora
	Size     int64  // bytes
	Kinds    string // of kinds
	Copies   int    // whose tokens there may be
	Literals int    // indicators beside them, where Kinds has them
	Peer     string // rg, hyperscan, json or none
	Rounds   int
	Seed     uint64
}

// ErrScan is a Scan that can't be measured.
var ErrScan = errors.New("the measurement makes no sense")

func (s Scan) check() error {
	switch {
	case telemetry.Corpora[s.Corpus] == nil:
		return fmt.Errorf("%w: there is no corpus %q; there are %s", ErrScan, s.Corpus, strings.Join(sortedKeys(telemetry.Corpora), ", "))
	case s.Size < 1<<20:
		return fmt.Errorf("%w: a corpus has 1 MiB at least", ErrScan)
	case kinds[s.Kinds] == nil:
		return fmt.Errorf("%w: there are no kinds %q; there are %s", ErrScan, s.Kinds, strings.Join(sortedKeys(kinds), ", "))
	case s.Peer != "none" && peers[s.Peer] == nil:
		return fmt.Errorf("%w: there is no peer %q; there are %s and none", ErrScan, s.Peer, strings.Join(sortedKeys(peers), ", "))
	case s.Copies < 1 || s.Copies > 100_000_000 || s.Literals < 0 || s.Literals > 5_000_000 || s.Rounds < 1:
		return fmt.Errorf("%w: from 1 to 10⁸ copies, at most 5·10⁶ literals, at least one round", ErrScan)
	case s.Peer == "json" && s.Corpus != "eve":
		return fmt.Errorf("%w: only eve is JSON", ErrScan)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Result is what was measured; medians over the rounds.
type Result struct {
	Corpus   string  `json:"corpus"`
	Bytes    int64   `json:"bytes"`
	Seed     uint64  `json:"seed"`
	Kinds    string  `json:"kinds"`
	Copies   int     `json:"copies"`
	Literals int     `json:"literals"`
	Texts    int     `json:"texts"`
	Rules    int     `json:"rules"`
	Rounds   int     `json:"rounds"`
	GB       float64 `json:"gb_per_s"` // 10⁹ bytes per second of one processor
	Spread   float64 `json:"spread"`   // (slowest - fastest) / median
	Planted  int     `json:"planted"`
	Seen     int64   `json:"seen"`
	Prepared float64 `json:"prepare_s"`
	Memory   int64   `json:"peak_bytes"` // of this process, with tokens of all copies

	Peer        string  `json:"peer"`
	PeerVersion string  `json:"peer_version,omitempty"`
	PeerGB      float64 `json:"peer_gb_per_s,omitempty"`
	PeerSeen    int64   `json:"peer_seen,omitempty"`
	PeerAbsent  string  `json:"peer_absent,omitempty"` // why there is none
	Ratio       float64 `json:"ratio,omitempty"`

	CPU  string `json:"cpu"`
	Go   string `json:"go"`
	OS   string `json:"os"`
	Core int    `json:"cores_used"`
}

// kinds give what ours looks for. A peer has to look for the literals alone, where
// there are some, else for what may be a token.
var kinds = map[string]func(s Scan, rec *token.Recogniser, p pack) *sighting.Scanner{
	"tokens": func(_ Scan, rec *token.Recogniser, _ pack) *sighting.Scanner { return &sighting.Scanner{Rec: rec} },
	"literals": func(s Scan, _ *token.Recogniser, _ pack) *sighting.Scanner {
		return &sighting.Scanner{Indicators: s.indicators()}
	},
	"texts": func(s Scan, _ *token.Recogniser, p pack) *sighting.Scanner {
		return &sighting.Scanner{Indicators: s.indicators(), Texts: p.texts}
	},
	"all": func(s Scan, rec *token.Recogniser, p pack) *sighting.Scanner {
		return &sighting.Scanner{Rec: rec, Indicators: s.indicators(), Texts: p.texts, Rules: p.rules}
	},
}

// tokenPatterns are the spellings of a token as a peer can tell them: without
// the key, every run of the right length is one.
var tokenPatterns = []string{
	`\b[0-9a-f]{32}\b`, `\b[0-9A-Za-z]{22}\b`,
	`\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b`,
}

func values(inds []sighting.Indicator) (out []string) {
	for _, i := range inds {
		out = append(out, i.Value)
	}
	return out
}

// indicators are hosts, paths, digests and constants, a quarter each, none of
// which a corpus holds by chance.
func (s Scan) indicators() (out []sighting.Indicator) {
	rng := rand.New(rand.NewPCG(s.Seed, 0x1d1))
	for i := range s.Literals {
		switch x := rng.Uint64(); i % 4 {
		case 0:
			out = append(out, sighting.Indicator{Kind: sighting.Host, Value: fmt.Sprintf("c%d.h%x.example", i, x>>24)})
		case 1:
			out = append(out, sighting.Indicator{Kind: sighting.Path, Value: fmt.Sprintf("/stage%x/%x/start.aspx", x>>40, x&0xfffff)})
		case 2:
			out = append(out, sighting.Indicator{Kind: sighting.Hash, Value: fmt.Sprintf("%016x%016x", x, rng.Uint64())})
		default:
			out = append(out, sighting.Indicator{Kind: sighting.Constant, Value: fmt.Sprintf("fw-%x-%d", x>>20, i)})
		}
	}
	return out
}

// Run measures. step is told what is being done, may be nil.
func (s Scan) Run(ctx context.Context, step func(string)) (r Result, err error) {
	if err := s.check(); err != nil {
		return r, err
	}
	if step == nil {
		step = func(string) {}
	}
	dir, err := os.MkdirTemp("", "forewarn-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))

	r = Result{Corpus: s.Corpus, Seed: s.Seed, Kinds: s.Kinds, Copies: s.Copies, Rounds: s.Rounds, Peer: s.Peer,
		CPU: machine.CPU(), Go: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH, Core: 1}
	rec := token.NewRecogniser([16]byte{1, 2, 3})
	rng := rand.New(rand.NewPCG(s.Seed, 0x70c))
	issued := make([]uint64, s.Copies)
	for i := range issued {
		issued[i] = rng.Uint64()
	}
	began := time.Now()
	p, err := example()
	if err != nil {
		return r, err
	}
	if err := p.check(); err != nil {
		return r, err
	}
	scanner := kinds[s.Kinds](s, rec, p)
	r.Literals, r.Texts, r.Rules = len(scanner.Indicators), len(scanner.Texts), len(scanner.Rules)
	need := needs{patterns: tokenPatterns}
	if r.Literals > 0 {
		need = needs{literal: true, patterns: values(scanner.Indicators)}
	}
	hidden := plants{}
	plant := func(i int) string {
		a := token.Alphabet(i%3 + 1)
		l := issued[rng.IntN(len(issued))]
		url := "/portal/start.aspx?t=" + a.Encode(rec, l)
		if scanner.Rec == nil {
			url = "/portal/start.aspx"
		} else {
			hidden[sighting.What{Token: sighting.Token{L: l, Alphabet: a}}]++
		}
		if n := len(scanner.Indicators); n > 0 {
			x := scanner.Indicators[rng.IntN(n)]
			hidden[sighting.What{Indicator: x}]++
			url += "&at=" + x.Value
		}
		if len(scanner.Texts) > 0 {
			hidden[sighting.What{}]++
			url += "&q=" + strings.ReplaceAll(p.quote(rng, rec), " ", "+")
		}
		return url
	}
	step("writing the corpus")
	file := filepath.Join(dir, "corpus")
	if r.Planted, r.Bytes, err = s.corpus(file, plant); err != nil {
		return r, err
	}
	slices.Sort(issued)
	if _, err := scanner.Scan("", strings.NewReader(""), nil); err != nil {
		return r, err
	}
	r.Prepared = time.Since(began).Seconds()

	var other peer
	if s.Peer != "none" {
		if other, err = peers[s.Peer](ctx, need, dir); errors.Is(err, ErrAbsent) {
			r.PeerAbsent = err.Error()
		} else if err != nil {
			return r, err
		}
	}
	var ours, theirs []float64
	for round := range s.Rounds {
		step(fmt.Sprintf("round %d of %d", round+1, s.Rounds))
		left := maps.Clone(hidden)
		took, seen, err := scan(scanner, file, issued, left)
		if err != nil {
			return r, err
		}
		if r.Seen = seen; left.count() > 0 {
			return r, fmt.Errorf("%d of %d planted were not seen: a fast scan that is blind", left.count(), hidden.count())
		}
		ours = append(ours, float64(r.Bytes)/1e9/took.Seconds())
		if other != nil {
			took, n, err := other.run(ctx, file)
			if err != nil {
				return r, err
			}
			r.PeerSeen = n
			theirs = append(theirs, float64(r.Bytes)/1e9/took.Seconds())
		}
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
	slices.Sort(ours)
	r.GB = median(ours)
	r.Spread = (ours[len(ours)-1] - ours[0]) / r.GB
	if other != nil {
		slices.Sort(theirs)
		r.PeerGB, r.PeerVersion = median(theirs), other.version()
		r.Ratio = r.GB / r.PeerGB
	}
	r.Memory = machine.Peak()
	return r, nil
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (s Scan) corpus(file string, plant func(int) string) (planted int, size int64, err error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if planted, err = telemetry.Corpora[s.Corpus](s.Seed).Write(f, s.Size, 1<<20, plant); err != nil {
		return planted, 0, err
	}
	size, err = f.Seek(0, io.SeekCurrent)
	return planted, size, err
}

// plants is how often each thing was planted, quotes as one: what is seen beside
// them makes up for none.
type plants map[sighting.What]int

func (p plants) count() (n int) {
	for _, k := range p {
		n += k
	}
	return n
}

func (p plants) seen(w sighting.What) {
	if w.Quote.Words > 0 {
		w = sighting.What{}
	}
	if p[w] > 0 {
		p[w]--
	}
}

// scan is ours: a file, and each token looked up among those of all copies.
func scan(s *sighting.Scanner, file string, issued []uint64, left plants) (took time.Duration, seen int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	debug.FreeOSMemory()
	before := machine.Self()
	_, err = s.Scan("corpus", f, func(x sighting.Sighting) error {
		if x.What.IsToken() {
			if _, ok := slices.BinarySearchFunc(issued, x.What.Token.L, func(a, b uint64) int { return cmp.Compare(a, b) }); !ok {
				return nil
			}
		}
		seen++
		left.seen(x.What)
		return nil
	})
	return machine.Self() - before, seen, err
}
