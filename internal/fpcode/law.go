package fpcode

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
)

// The least and greatest number of alternatives at one site. 24 is the number
// of orders of four items.
const (
	MinQ = 2
	MaxQ = 24
)

// ErrParameter is the class of errors about values that no package, reading or
// problem may have.
var ErrParameter = errors.New("not a parameter of the code")

// Law is the probability of each symbol at one site, for everybody: symbol v
// is shown with probability exactly (cum[v+1]-cum[v])/2³². The zero Law has no
// symbols.
type Law struct {
	cum []uint64 // 0 = cum[0] < cum[1] < … < cum[q] = 2³²
}

const one32 = 1 << 32

// NewLaw builds a Law from its q+1 thresholds. It fails with ErrParameter
// unless they rise strictly from 0 to 2³² over 2 to 24 symbols.
func NewLaw(thresholds []uint64) (Law, error) {
	q := len(thresholds) - 1
	if q < MinQ || q > MaxQ {
		return Law{}, fmt.Errorf("%w: a law has %d to %d symbols, not %d", ErrParameter, MinQ, MaxQ, q)
	}
	if thresholds[0] != 0 || thresholds[q] != one32 {
		return Law{}, fmt.Errorf("%w: a law's thresholds run from 0 to 2³²", ErrParameter)
	}
	for v := range q {
		if thresholds[v] >= thresholds[v+1] {
			return Law{}, fmt.Errorf("%w: symbol %d would never be shown", ErrParameter, v)
		}
	}
	return Law{append([]uint64(nil), thresholds...)}, nil
}

// Q is the number of symbols; 0 for the zero Law.
func (l Law) Q() int { return max(0, len(l.cum)-1) }

// Weight is the probability of symbol v in units of 2⁻³². v is in [0, Q).
func (l Law) Weight(v int) uint64 { return l.cum[v+1] - l.cum[v] }

// P is the probability of symbol v, exactly.
func (l Law) P(v int) float64 { return float64(l.Weight(v)) / one32 }

// symbol is where a uniform 32-bit number falls.
func (l Law) symbol(u uint32) uint8 {
	for v := 1; v < len(l.cum); v++ {
		if uint64(u) < l.cum[v] {
			return uint8(v - 1)
		}
	}
	panic("fpcode: symbol of the zero Law")
}

// Symbol is what the copy with this key shows at a site. The first 32 bits of
// AES-256(copy, site) decide; the law's thresholds are on the same scale, so
// the law is exact. It panics on the zero Law.
func Symbol(copy Key, s SiteID, l Law) uint8 { return newCopyPRF(copy).symbol(s, l) }

// Symbols is Symbol at many sites of one copy, whose key is set up once. What it
// returns is for one goroutine.
func Symbols(copy Key) func(SiteID, Law) uint8 { return newCopyPRF(copy).symbol }

// copyPRF is AES keyed for one copy. A copy key does nothing but this, sites
// are distinct, and there are at most some thousands of them, so AES is as good
// a random function as any (the switching lemma costs 2⁻¹⁰⁵ at 4,096 sites).
type copyPRF struct {
	block   cipher.Block
	in, out [16]byte
}

func newCopyPRF(k Key) *copyPRF {
	b, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // 32 bytes are always a key
	}
	return &copyPRF{block: b}
}

func (p *copyPRF) symbol(s SiteID, l Law) uint8 {
	p.in = s
	p.block.Encrypt(p.out[:], p.in[:])
	return l.symbol(binary.BigEndian.Uint32(p.out[:]))
}

// Permutation tells which authored alternative is shown for each symbol:
// alternative Permutation[v] for symbol v. It is secret and the same for all
// copies. Without it, an attacker could aim at "the first alternative
// everywhere"; with it, every strategy is as likely to raise a symbol as to
// lower it.
//
// It is Fisher and Yates' shuffle (Knuth, TAOCP 2, algorithm 3.4.2P) on 32-bit
// numbers from HMAC-SHA256, each drawn without modulo bias. q is in [0, 256].
func Permutation(bias Key, s SiteID, q int) []uint8 {
	stream := prfStream{key: bias, label: "forewarn/permutation/v1", site: s}
	out := make([]uint8, q)
	for i := range out {
		out[i] = uint8(i)
	}
	for i := q - 1; i > 0; i-- {
		j := stream.below(uint32(i + 1))
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// prfStream is HMAC-SHA256(key, label ‖ site ‖ counter), counter = 0, 1, 2, …
// as 32 bits big-endian, read as big-endian 32-bit numbers.
type prfStream struct {
	key     Key
	label   string
	site    SiteID
	counter uint32
	block   []byte
}

func (p *prfStream) next() uint32 {
	if len(p.block) == 0 {
		k := derive(p.key, p.label, binary.BigEndian.AppendUint32(p.site[:], p.counter)...)
		p.block, p.counter = k[:], p.counter+1
	}
	v := binary.BigEndian.Uint32(p.block)
	p.block = p.block[4:]
	return v
}

// below is uniform in [0, n): numbers at or above the last whole multiple of n
// are drawn again.
func (p *prfStream) below(n uint32) uint32 {
	limit := one32 / uint64(n) * uint64(n)
	for {
		if u := p.next(); uint64(u) < limit {
			return u % n
		}
	}
}
