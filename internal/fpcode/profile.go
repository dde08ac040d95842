package fpcode

import (
	"fmt"
	"slices"
	"strings"
)

// Profile is a way of choosing biases. It is named beside every figure. The
// zero Profile has no law.
//
// A profile is a short list of laws for each number of alternatives, and a
// Pattern that says how often each is used. Which law a site has is part of the
// slot table (form.Site.Law): it is drawn by the bias key, spread evenly over a
// text, and stays with the site for ever.
type Profile uint8

const (
	// Single gives every symbol the same probability. It needs the fewest
	// marks when one holder leaks, and is blind to three or more who merge.
	Single Profile = 1
	// TwoPoint has p = ½(1 ± 1/√3), the Gauss–Legendre nodes: good to four
	// colluders (Nuida et al., Des. Codes Cryptogr. 52, 2009).
	TwoPoint Profile = 2
	// ThreePoint has p = ½ and ½(1 ± √(3/5)), in the proportions 1 : 2 of
	// Nuida's weights rounded to thirds; for five colluders and more.
	ThreePoint Profile = 3
	// Arcsine is Tardos's density (J. ACM 55, 2008), cut off at p = 1/64 and cut
	// into 16 equally likely pieces, each at its middle.
	Arcsine Profile = 4
	// Default serves one to five colluders: a quarter of the sites even, the
	// others with p = ¼. It was tuned by simulation; doc/tracing.md says how.
	Default Profile = 5
)

var profileNames = map[Profile]string{Single: "single", TwoPoint: "two-point", ThreePoint: "three-point", Arcsine: "arcsine", Default: "default"}

// String is the profile's name, as ParseProfile reads it.
func (p Profile) String() string {
	if n, ok := profileNames[p]; ok {
		return n
	}
	return fmt.Sprintf("profile(%d)", uint8(p))
}

// ParseProfile reads a profile's name. Unknown names fail with ErrParameter.
func ParseProfile(s string) (Profile, error) {
	var names []string
	for _, p := range Profiles() {
		if p.String() == s {
			return p, nil
		}
		names = append(names, p.String())
	}
	return 0, fmt.Errorf("%w: %q is not a bias profile; this version knows %s", ErrParameter, s, strings.Join(names, ", "))
}

// Decoder is the version of the decoder that goes with the profile. Single is blind
// to merged copies, so it is decoded copy by copy.
func (p Profile) Decoder() string {
	if p == Single {
		return SingleDecoder
	}
	return JointDecoder
}

// Profiles lists every known profile.
func Profiles() []Profile { return []Profile{Single, TwoPoint, ThreePoint, Arcsine, Default} }

// The probabilities of the rarer symbol at binary sites, in units of 2⁻³²: the
// laws of each profile by index. Labels are permuted by a secret key, so p and
// 1-p are one law.
const (
	half      = 1 << 31
	quarter   = 1 << 30
	twoPoint  = 907_633_386 // ½(1 - 1/√3)·2³²
	outerNode = 484_049_967 // ½(1 - √(3/5))·2³²
)

var rarer = map[Profile][]uint64{
	Single:     {half},
	TwoPoint:   {twoPoint},
	ThreePoint: {half, outerNode},
	Default:    {half, quarter},
	Arcsine:    arcsineNodes,
}

// Pattern is the laws of consecutive sites: their indexes, as often as each is
// used among len(Pattern) sites. An author's sites are dealt a shuffled Pattern
// each time one is used up (Deal), so that every stretch of a text samples all
// biases alike.
func (p Profile) Pattern() []uint8 { return slices.Clone(patterns[p]) }

var patterns = map[Profile][]uint8{
	Single:     {0},
	TwoPoint:   {0},
	ThreePoint: {0, 1, 1},
	Arcsine:    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	Default:    {0, 1, 1, 1},
}

// Count is how many laws the profile has for sites of q alternatives, 2 ≤ q ≤
// 24; 0 if it has none.
func (p Profile) Count(q int) int {
	if q < MinQ || q > MaxQ || int(p) >= len(laws) {
		return 0
	}
	return len(laws[p][q])
}

// Law is the law of the symbols at a site with q alternatives, 2 ≤ q ≤ 24, by
// its index in the profile's list. Single has one law for each q, as even as 2³²
// allows: thresholds ⌊v·2³²/q⌋. It fails with ErrParameter where there is none.
func (p Profile) Law(q int, index uint8) (Law, error) {
	switch n := p.Count(q); {
	case p.Count(MinQ) == 0:
		return Law{}, fmt.Errorf("%w: %v has no law", ErrParameter, p)
	case n == 0:
		return Law{}, fmt.Errorf("%w: a site has %d to %d alternatives, not %d", ErrParameter, MinQ, MaxQ, q)
	case int(index) >= n:
		return Law{}, fmt.Errorf("%w: law %d of %d in %v with %d alternatives", ErrParameter, index, n, p, q)
	}
	return laws[p][q][index], nil
}

// Even is Single's law for q alternatives, and the zero Law where there is none.
func Even(_ SiteID, q uint8) Law {
	l, err := Single.Law(int(q), 0)
	if err != nil {
		return Law{}
	}
	return l
}

// One Law per profile, q and index: laws are never written to, so sites share
// them. Sites of three or four alternatives have one symbol that is likelier than
// the others by as much as a binary site's commoner one is than even; sites of
// more, which only Single makes, are even.
var laws = func() (out [Default + 1][MaxQ + 1][]Law) {
	for p, list := range rarer {
		for q := uint64(MinQ); q <= MaxQ; q++ {
			for _, r := range list {
				if q > 4 && len(out[p][q]) > 0 {
					break
				}
				cum := make([]uint64, q+1)
				for v := range cum {
					cum[v] = uint64(v) * one32 / q
				}
				if q <= 4 && r != half {
					// The q-1 rarer symbols share what is left.
					rest := uint64(float64(float64(2*r) * float64(q-1) / float64(q)))
					for v := uint64(1); v < q; v++ {
						cum[v] = one32 - rest + (v-1)*rest/(q-1)
					}
				}
				out[p][q] = append(out[p][q], Law{cum})
			}
		}
	}
	return out
}()

// arcsineNodes are sin²r at the middles of 16 equal parts of r between the
// cut-off and 45°: integers so that no machine computes them otherwise.
var arcsineNodes = []uint64{
	90847272, 148776971, 220305550, 304946339, 402123456, 511175724, 631361168, 761862066,
	901790511, 1050194452, 1206064173, 1368339161, 1535915323, 1707652498, 1882382213, 2058915635,
}

// Deal gives a law to each of n places that follow one another in a text: the
// Pattern, shuffled anew by the bias key for every len(Pattern) places. label
// tells several rows of places under one key apart.
func (p Profile) Deal(bias Key, label string, n int) []uint8 {
	pattern := patterns[p]
	if len(pattern) == 0 {
		return nil
	}
	stream := prfStream{key: bias, label: "forewarn/deal/v1"}
	row := derive(Key{}, "forewarn/deal-row/v1", []byte(label)...)
	copy(stream.site[:], row[:])
	out := make([]uint8, 0, n+len(pattern))
	for len(out) < n {
		block := slices.Clone(pattern)
		for i := len(block) - 1; i > 0; i-- {
			j := stream.below(uint32(i + 1))
			block[i], block[j] = block[j], block[i]
		}
		out = append(out, block...)
	}
	return out[:n]
}
