package form

import "forewarn/internal/fpcode"

// owners settles which passage of the Form a stretch of a specimen belongs to,
// where several look alike: the same sentence used twice, rules that differ in
// one number. For each character it keeps the best chains that cover it.
type owners struct {
	chains []chain
	of     [][3]int32 // chain number + 1, best first
}

func newOwners(chains []chain, n int) *owners {
	o := &owners{chains: chains, of: make([][3]int32, n)}
	for i := range chains {
		for _, r := range chains[i].runs {
			for y := r.y; y < r.y+r.n; y++ {
				for j := range o.of[y] {
					if o.of[y][j] == int32(i+1) {
						break
					}
					if o.of[y][j] == 0 {
						o.of[y][j] = int32(i + 1)
						break
					}
				}
			}
		}
	}
	return o
}

// hopeless says whether better chains cover all of a chain but a few
// characters, so that nothing it finds would be kept.
func (o *owners) hopeless(chain int32) bool {
	alone := 0
	for _, r := range o.chains[chain].runs {
		for _, cs := range o.of[r.y : r.y+r.n] {
			if cs[0] == chain+1 || o.chains[cs[0]-1].score <= o.chains[chain].score+placeMargin {
				alone++
			}
		}
	}
	return alone < seedLength
}

// settle keeps the findings whose passage belongs where they say. A finding
// goes when another chain covers most of what is around it and is better, or
// nearly as good, unless that chain finds the same there.
func (o *owners) settle(all []finding) []finding {
	type key struct {
		site, chain int32
		state       fpcode.State
		symbol      uint8
	}
	seen := make(map[key][][2]int32, len(all))
	for _, f := range all {
		k := key{f.site, f.chain, f.state, f.symbol}
		seen[k] = append(seen[k], f.spans...)
	}
	var out []finding
	for _, f := range all {
		keep := true
		for _, s := range f.spans {
			for _, rival := range o.rivals(f.chain, s) {
				same := false
				for _, t := range seen[key{f.site, rival, f.state, f.symbol}] {
					same = same || s[0] <= t[1] && t[0] <= s[1]
				}
				keep = keep && same
			}
		}
		if keep {
			out = append(out, f)
		}
	}
	return out
}

// rivals are the chains that share at least half of what a chain covers around
// a span (of the span's surroundings, if it covers nothing there) and whose
// claim is not clearly worse.
func (o *owners) rivals(chain int32, s [2]int32) (out []int32) {
	lo, hi := max(0, s[0]-placeWindow), min(s[1]+placeWindow, int32(len(o.of)))
	mine := int32(0)
	for _, cs := range o.of[lo:hi] {
		if cs[0] == chain+1 || cs[1] == chain+1 || cs[2] == chain+1 {
			mine++
		}
	}
	var count [8]struct{ chain, n int32 }
	for _, cs := range o.of[lo:hi] {
		if mine > 0 && cs[0] != chain+1 && cs[1] != chain+1 && cs[2] != chain+1 {
			continue
		}
		for _, c := range cs {
			for i := 0; i < len(count) && c != 0 && c != chain+1; i++ {
				if count[i].chain == c || count[i].chain == 0 {
					count[i].chain = c
					count[i].n++
					break
				}
			}
		}
	}
	if mine == 0 {
		mine = hi - lo
	}
	for _, c := range count {
		if c.n > 0 && 2*c.n >= mine && o.chains[c.chain-1].score+placeMargin >= o.chains[chain].score {
			out = append(out, c.chain-1)
		}
	}
	return out
}
