package fpcode

import (
	"encoding/binary"
	"slices"
)

// sightsOf lays the readings out for weighing, sorted by site, and counts the
// columns of a codeword. Readings that fail Check, sites without a law for that
// q, and sites read twice with different results are left out. So are erased and
// other sites of more than two symbols: with two, that nothing or something else
// stands there says whether the copies differed.
func sightsOf(readings []Reading, laws func(SiteID, uint8) Law) (out []sight, columns int) {
	rs := slices.Clone(readings)
	slices.SortStableFunc(rs, func(a, b Reading) int { return slices.Compare(a.Site[:], b.Site[:]) })
	kinds := map[string]int{}
	for len(rs) > 0 {
		n := 1
		for n < len(rs) && rs[n].Site == rs[0].Site {
			n++
		}
		if s, ok := sightOf(rs[:n], laws); ok {
			s.col = columns
			columns += s.cols
			key := s.key()
			if _, known := kinds[key]; !known {
				kinds[key] = len(kinds)
			}
			s.kind = kinds[key]
			out = append(out, s)
		}
		rs = rs[n:]
	}
	return out, columns
}

func sightOf(same []Reading, laws func(SiteID, uint8) Law) (s sight, ok bool) {
	r := same[0]
	if !agree(same) || r.Check() != nil {
		return s, false
	}
	s = sight{site: r.Site, class: r.Class, state: r.State, law: laws(r.Site, r.Q), cols: 1, bit: 1}
	switch {
	case s.law.Q() != int(r.Q) || r.State != Value && r.Q > 2:
		return s, false
	case r.State != Value:
		return s, true
	}
	s.like = likelihood(r)
	certain := -1 // the only symbol with any likelihood
	for v, l := range s.like {
		if l == 65535 && certain == -1 {
			certain = v
		} else if l > 0 {
			certain = -2
		}
	}
	switch {
	case certain >= 0:
		s.bit = uint8(certain)
	case r.Q > 2:
		s.cols = int(r.Q)
	}
	return s, true
}

// agree reports whether all readings of one site are the same.
func agree(same []Reading) bool {
	r := same[0]
	for _, o := range same[1:] {
		if o.Class != r.Class || o.Q != r.Q || o.State != r.State || o.Symbol != r.Symbol || !slices.Equal(o.Likelihood, r.Likelihood) {
			return false
		}
	}
	return true
}

func (s *sight) key() string {
	b := []byte{byte(s.class), byte(s.state), s.bit}
	for _, c := range s.law.cum {
		b = binary.BigEndian.AppendUint64(b, c)
	}
	for _, l := range s.like {
		b = binary.BigEndian.AppendUint16(b, l)
	}
	return string(b)
}

// A cell is all sights of one kind at which equally many partners show the same:
// they are weighed alike. with[v] is how many partners show symbol v; of a
// single column only with[bit] is known, which is all that is needed.
type cell struct {
	*sight
	with  [MaxQ]uint8
	times int
}

// table sorts sights into cells. In cellOf stands each sight's cell.
type cellTable struct {
	cells  []cell
	cellOf []int
}

func tabulate(sights []sight, words *codewords, partners []int) (t cellTable) {
	t.cellOf = make([]int, len(sights))
	stride := len(partners) + 1
	index := make([]int, (1+kindsOf(sights))*stride) // of single columns: cell + 1
	for i := range sights {
		s := &sights[i]
		c := cell{sight: s, times: 1}
		if s.cols > 1 {
			for _, p := range partners {
				for v := range s.cols {
					if words.has(p, s.col+v) {
						c.with[v]++
					}
				}
			}
			t.cellOf[i] = len(t.cells)
			t.cells = append(t.cells, c)
			continue
		}
		k := 0
		for _, p := range partners {
			k += int(words.bits[p*words.words+s.col>>6] >> (s.col & 63) & 1)
		}
		at := &index[s.kind*stride+k]
		if *at == 0 {
			c.with[s.bit] = uint8(k)
			if s.law.Q() == 2 {
				c.with[1-s.bit] = uint8(len(partners) - k)
			}
			t.cells = append(t.cells, c)
			*at = len(t.cells)
		} else {
			t.cells[*at-1].times++
		}
		t.cellOf[i] = *at - 1
	}
	return t
}

func kindsOf(sights []sight) (n int) {
	for i := range sights {
		n = max(n, sights[i].kind+1)
	}
	return n
}
