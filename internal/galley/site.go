package galley

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// spelled is how many alternatives are written out; of a list's orders only the
// likeliest.
const spelled = 6

// siteText is what a site shows, for each symbol: a choice's alternative, or the
// items of a list in that order.
type siteText struct {
	file  string
	shows []string
}

// texts gathers every site's alternatives where it first stands.
func (s *Sheet) texts() []siteText {
	out := make([]siteText, len(s.Form.Sites))
	for f := range s.Form.Files {
		file := &s.Form.Files[f]
		for p := range file.Parts {
			part := &file.Parts[p]
			if part.Kind != form.Choice {
				continue
			}
			t := &out[part.Site]
			list := s.Form.Sites[part.Site].Class == fpcode.ClassOrder || repeats(part.Alternatives)
			switch {
			case t.shows == nil:
				t.file, t.shows = file.Path, make([]string, len(part.Alternatives))
			case !list || t.file != file.Path:
				continue // the same choice again
			}
			for v, a := range part.Alternatives {
				if t.shows[v] != "" {
					t.shows[v] += " → "
				}
				t.shows[v] += short(string(a))
			}
		}
	}
	return out
}

// repeats tells places of a list by showing one item for several symbols.
func repeats(as [][]byte) bool {
	seen := map[string]bool{}
	for _, a := range as {
		seen[string(a)] = true
	}
	return len(seen) < len(as)
}

// short is a text on one line.
func short(s string) string {
	s = visible(strings.Join(strings.Fields(s), " "))
	if r := []rune(s); len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return s
}

// visible leaves out what acts upon a terminal or turns text around.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) || r == '\u00a0' {
			return r
		}
		if r == '\r' {
			return -1
		}
		return '\ufffd'
	}, s)
}

// row is a site's row of the table; r is its reading, with edits.
func (s *Sheet) row(r *form.SiteReading, t siteText) siteData {
	d := siteData{ID: fmt.Sprintf("%x", r.Site), Class: r.Class.String(), File: t.file, Mark: markOf(r), Found: s.found(r)}
	symbols := make([]int, r.Q)
	for v := range symbols {
		symbols[v] = v
	}
	symbol, _ := r.Likeliest()
	if int(r.Q) > spelled { // an order: the one that was read, and how many more
		d.More = int(r.Q)
		symbols = nil
		if r.State == fpcode.Value {
			symbols = []int{int(symbol)}
			d.More--
		}
	}
	for _, v := range symbols {
		a := alternative{Symbol: v, Text: t.shows[v]}
		if r.State == fpcode.Value {
			a.Is = v == int(symbol)
			if len(r.Likelihood) > 0 {
				a.Is, a.Behind = r.Likelihood[v] == 65535, behind(r, v)
			}
		}
		if a.Text == "" {
			a.Text = "(nothing)"
		}
		d.Alternatives = append(d.Alternatives, a)
	}
	if s.Edits == nil {
		return d
	}
	for _, e := range s.Edits.List {
		if e.Site == r.Site {
			i := slices.IndexFunc(s.Readings.Sites, func(x form.SiteReading) bool { return x.Site == e.Site })
			was := &s.Readings.Sites[i]
			d.Edit = &editData{By: e.By, Why: e.Why, Was: markOf(was)}
			if was.State == fpcode.Value {
				symbol, _ := was.Likeliest()
				d.Edit.WasText = t.shows[symbol]
			}
		}
	}
	return d
}

// behind is by how many nats a symbol is less likely than the likeliest.
func behind(r *form.SiteReading, v int) string {
	if r.Likelihood[v] == 65535 {
		return ""
	}
	pair := form.SiteReading{Reading: fpcode.Reading{State: fpcode.Value, Likelihood: []uint16{65535, r.Likelihood[v]}}}
	_, nats := pair.Likeliest()
	return fmt.Sprintf("%d nats less likely", nats)
}

// found is what stands at a site in the specimens, where that is one text.
func (s *Sheet) found(r *form.SiteReading) string {
	if len(r.Spans) == 0 {
		return ""
	}
	p := r.Spans[0]
	text := short(decode(s.Specimens[p.Specimen].Data, p.Offset, p.Offset+p.Length))
	switch {
	case len(r.Spans) > 1:
		return fmt.Sprintf("%s … (%d places)", text, len(r.Spans))
	case text == "":
		return "(nothing)"
	}
	return text
}
