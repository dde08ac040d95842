package galley

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"forewarn/internal/form"
)

const (
	// A specimen longer than this is shown around its marks only.
	showAll = 48 << 10
	// How much is shown on either side of a mark then, in bytes.
	showNear = 400
)

type specimenData struct {
	Number int
	Name   string
	Size   int
	Marks  int
	Pieces []piece
}

// piece is a stretch of a specimen: plain text, a mark, or a cut.
type piece struct {
	Text  string
	Mark  *mark
	Site  int
	Edit  bool
	First bool // the site's first place: what the table links to
	Cut   string
}

type span struct {
	from, to uint64
	site     int // index
}

// specimen cuts one specimen into pieces. Marks that overlap are shown where
// they don't: the one that begins first, then what is left of the next.
func (s *Sheet) specimen(n uint32, r *form.Readings, numbers []int) specimenData {
	x := s.Specimens[n]
	d := specimenData{Number: int(n) + 1, Name: visible(x.Name), Size: len(x.Data)}
	edited := map[int]bool{}
	var spans []span
	for i := range r.Sites {
		for _, p := range r.Sites[i].Spans {
			if p.Specimen == n {
				spans = append(spans, span{p.Offset, p.Offset + p.Length, i})
			}
		}
		if s.Edits != nil {
			edited[i] = slices.ContainsFunc(s.Edits.List, func(e form.Edit) bool { return e.Site == r.Sites[i].Site })
		}
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to), cmp.Compare(a.site, b.site))
	})
	d.Marks = len(spans)
	at := uint64(0)
	shown := map[int]bool{}
	for i, p := range spans {
		p.from = max(p.from, at)
		p.to = max(p.to, p.from)
		d.plain(x.Data, at, p.from, i > 0, true)
		m := markOf(&r.Sites[p.site])
		first := !shown[p.site] && r.Sites[p.site].Spans[0].Specimen == n
		shown[p.site] = true
		d.Pieces = append(d.Pieces, piece{Text: decode(x.Data, p.from, p.to), Mark: &m, Site: numbers[p.site], Edit: edited[p.site], First: first})
		at = p.to
	}
	d.plain(x.Data, at, uint64(len(x.Data)), len(spans) > 0, false)
	return d
}

// plain adds text without marks; before and after say whether a mark stands
// there. Of a long specimen only what is near a mark is shown.
func (d *specimenData) plain(data []byte, from, to uint64, before, after bool) {
	near := func(yes bool) uint64 {
		if yes {
			return showNear
		}
		return 0
	}
	head, tail := near(before), near(after)
	if !before && !after { // no mark at all: a look at the beginning
		head = 4 * showNear
	}
	if len(data) <= showAll || to-from <= head+tail+showNear {
		if from < to {
			d.Pieces = append(d.Pieces, piece{Text: decode(data, from, to)})
		}
		return
	}
	if head > 0 {
		d.Pieces = append(d.Pieces, piece{Text: decode(data, from, from+head)})
	}
	d.Pieces = append(d.Pieces, piece{Cut: fmt.Sprintf("%d bytes without a mark", to-from-head-tail)})
	if tail > 0 {
		d.Pieces = append(d.Pieces, piece{Text: decode(data, to-tail, to)})
	}
}

// decode is bytes [from, to) of a specimen as text, as the reader takes them:
// UTF-16 by its byte-order mark, else UTF-8, strangers being Latin-1.
func decode(data []byte, from, to uint64) string {
	b := data[from:to]
	big, little := bytes.HasPrefix(data, []byte{0xfe, 0xff}), bytes.HasPrefix(data, []byte{0xff, 0xfe})
	var out strings.Builder
	if big || little {
		var units []uint16
		for i := int(from % 2); i+1 < len(b); i += 2 {
			if big {
				units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
			} else {
				units = append(units, uint16(b[i+1])<<8|uint16(b[i]))
			}
		}
		return visible(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"))
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			r = rune(b[0])
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return visible(out.String())
}
