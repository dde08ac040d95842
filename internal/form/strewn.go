package form

import (
	"slices"

	"forewarn/internal/fpcode"
)

// A list can leave its file and keep its order: parameters become a query, form
// fields the parts of a request's body, constants of one language those of
// another. Nothing that stood around them is left, and something new stands
// between them, but the same between all. align/2 looks for that where an
// alignment says less.

const (
	strewnSeed  = 6   // an item's first characters, by which it is found; shorter ones are passed over
	strewnGap   = 256 // most characters between two items
	strewnLeast = 24  // characters of a list's items together
	strewnItems = 3   // fewer in a row make no rule of what is between them
	strewnAlike = 64  // a beginning that more items share finds none of them
	// strewnNats is how sure such a reading is. Its errors are lists that somebody
	// sorted, and nothing in the text tells of those.
	strewnNats = 4
)

// listItem is an item of a list that one site only orders.
type listItem struct {
	id   int32
	site int32
	text []rune
}

// items indexes the items of all lists by how they begin. A text that several
// lists have says nothing and is left out.
func (l *lattice) items() map[uint64][]listItem {
	owner := map[string]int32{}
	for site := range l.sites {
		for _, unit := range l.sites[site].units {
			for _, text := range l.itemsOf(unit) {
				if was, ok := owner[string(text)]; ok && was != int32(site) {
					owner[string(text)] = -1
				} else {
					owner[string(text)] = int32(site)
				}
			}
		}
	}
	out := map[uint64][]listItem{}
	for text, site := range owner {
		if r := []rune(text); site >= 0 && len(r) >= strewnSeed {
			h := hashSeed(r[:strewnSeed])
			out[h] = append(out[h], listItem{site: site, text: r})
		}
	}
	id := int32(0)
	for h, same := range out { // the longest first, then in a fixed order
		if len(same) > strewnAlike {
			delete(out, h)
			continue
		}
		slices.SortFunc(same, func(a, b listItem) int {
			if len(a.text) != len(b.text) {
				return len(b.text) - len(a.text)
			}
			return slices.Compare(a.text, b.text)
		})
		for i := range same {
			same[i].id = id // any numbers will do, as long as they differ
			id++
		}
	}
	return out
}

// itemsOf is the different texts that the places of a list show; none for a
// choice.
func (l *lattice) itemsOf(unit []int32) (out [][]rune) {
	if len(unit) < 2 {
		return nil
	}
	for _, segment := range unit {
		for j := l.segments[segment].first; j < l.segments[segment].next; j++ {
			if text := l.text(j); !slices.ContainsFunc(out, func(x []rune) bool { return slices.Equal(x, text) }) {
				out = append(out, text)
			}
		}
	}
	return out
}

// foundItem is a list's item in a specimen, characters [from, to).
type foundItem struct {
	listItem
	from, to int32
}

// strewn reads lists whose items stand in a row with the same text between each
// two. Sites in has are passed over.
func (r *Reader) strewn(text []rune, has map[int32]bool) (out []finding) {
	if len(r.items) == 0 {
		return nil
	}
	row, in := []foundItem(nil), map[int32]bool{}
	end := func(keep int) { // of the row's last items, for the next one
		if len(row) >= strewnItems {
			out = append(out, r.strewnRow(row, has)...)
		}
		row = append(row[:0], row[len(row)-keep:]...)
		clear(in)
		for _, x := range row {
			in[x.id] = true
		}
	}
	for y := 0; y+strewnSeed <= len(text); y++ {
		for _, x := range r.items[hashSeed(text[y:y+strewnSeed])] {
			if y+len(x.text) > len(text) || !slices.Equal(text[y:y+len(x.text)], x.text) {
				continue
			}
			next := foundItem{x, int32(y), int32(y + len(x.text))}
			switch n := len(row); {
			case n > 0 && (next.from-row[n-1].to > strewnGap || in[next.id]):
				end(0)
			case n > 1 && !slices.Equal(text[row[n-1].to:next.from], text[row[n-2].to:row[n-1].from]):
				end(1)
			}
			row = append(row, next)
			in[next.id] = true
			y = int(next.to) - 1
			break
		}
	}
	end(0)
	return out
}

// strewnRow reads every list of which all items are in the row, once each.
func (r *Reader) strewnRow(row []foundItem, has map[int32]bool) (out []finding) {
	by := map[int32][]foundItem{}
	for _, x := range row {
		by[x.site] = append(by[x.site], x)
	}
	for _, x := range row {
		order := by[x.site]
		delete(by, x.site)
		if order == nil || has[x.site] {
			continue
		}
		for _, unit := range r.lattice.sites[x.site].units {
			if f, ok := r.strewnUnit(x.site, unit, order); ok {
				out = append(out, f)
				break
			}
		}
	}
	return out
}

// strewnUnit reads one list from its items in the order in which they were found.
func (r *Reader) strewnUnit(site int32, unit []int32, order []foundItem) (finding, bool) {
	l := r.lattice
	length := 0
	for _, x := range order {
		length += len(x.text)
	}
	if len(order) != len(unit) || length < strewnLeast {
		return finding{}, false
	}
	f := finding{site: site, chain: -1, verdict: verdict{state: fpcode.Value}}
	symbols := 0
	for v := range l.segments[unit[0]].of {
		same := true
		for i, segment := range unit {
			s := &l.segments[segment]
			same = same && slices.Equal(l.text(s.first+int32(s.of[v])), order[i].text)
		}
		if same {
			f.symbol = uint8(v)
			symbols++
		}
	}
	if symbols != 1 {
		return finding{}, false
	}
	f.nats = make([]uint8, len(l.segments[unit[0]].of))
	for v := range f.nats {
		if v != int(f.symbol) {
			f.nats[v] = strewnNats
		}
	}
	for _, x := range order {
		f.spans = append(f.spans, [2]int32{x.from, x.to})
	}
	return f, true
}
