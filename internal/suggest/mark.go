package suggest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/carrier"
	"forewarn/internal/form"
)

// mark is how the proposal is written in the source.
func (f *found) mark() string {
	switch f.Kind {
	case Wording:
		return "{{" + strings.Join(f.Alternatives, "|") + "}}"
	case Order:
		opens, closes := "<!-- order -->\n", "<!-- end -->\n"
		if f.hash {
			opens, closes = "# order\n", "# end\n"
		}
		text := f.Quote
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return opens + text + closes
	}
	return "{{" + f.Kind + ":" + f.Value + "}}"
}

// span is where a proposal stands in the marked text.
type span struct{ at, end, which int }

// markText writes proposals, sorted by place, into a text.
func markText(text string, list []found) (string, []span) {
	var b strings.Builder
	var spans []span
	at := 0
	for i := range list {
		b.WriteString(text[at:list[i].at])
		from := b.Len()
		b.WriteString(list[i].mark())
		spans = append(spans, span{from, b.Len(), i})
		at = list[i].end
	}
	b.WriteString(text[at:])
	return b.String(), spans
}

func markAll(src carrier.Source, all map[string][]found) (carrier.Source, map[string][]span) {
	out := carrier.Source{Files: slices.Clone(src.Files)}
	spans := map[string][]span{}
	for i, f := range out.Files {
		if list := all[f.Path]; len(list) > 0 {
			text, s := markText(string(f.Data), list)
			out.Files[i].Data, spans[f.Path] = []byte(text), s
		}
	}
	return out, spans
}

// sift drops what a gate refuses, until the source with all that is left passes.
func sift(src carrier.Source, all map[string][]found) error {
	for {
		marked, spans := markAll(src, all)
		f, _, _, err := carrier.Compile(marked, checkKey)
		var refusals carrier.Refusals
		bad := map[string][]int{} // indexes by file
		switch {
		case errors.As(err, &refusals):
			for _, r := range refusals {
				at := offset(text(marked, r.Path), int(r.Line), int(r.Col))
				for _, s := range spans[r.Path] {
					if s.at <= at && at < s.end {
						bad[r.Path] = append(bad[r.Path], s.which)
					}
				}
			}
			if len(bad) == 0 {
				return fmt.Errorf("with the proposals: %w", err)
			}
		case err != nil:
			return err
		default:
			for _, u := range form.Distinguishable(f) {
				file := &f.Files[u.File]
				for i := range all[file.Path] {
					if all[file.Path][i].shownBy(&file.Parts[u.Part]) {
						bad[file.Path] = append(bad[file.Path], i)
					}
				}
			}
			if len(bad) == 0 {
				return nil
			}
		}
		for path, which := range bad {
			var left []found
			for i, f := range all[path] {
				if !slices.Contains(which, i) {
					left = append(left, f)
				}
			}
			all[path] = left
		}
	}
}

// shownBy reports whether a part of the Form shows what the proposal does: what
// can't be read back goes, wherever in the file it stands.
func (f *found) shownBy(p *form.Part) bool {
	for _, a := range p.Alternatives {
		if f.Kind == Order && strings.Contains(f.Quote, string(a)) || f.Kind != Order && slices.Contains(f.Alternatives, string(a)) {
			return true
		}
	}
	return false
}

func text(src carrier.Source, path string) string {
	if i, ok := slices.BinarySearchFunc(src.Files, path, func(f carrier.SourceFile, path string) int { return cmp.Compare(f.Path, path) }); ok {
		return string(src.Files[i].Data)
	}
	return ""
}

// offset is the byte offset of a line and column, both from 1, the latter in
// characters; -1 if the text has no such place.
func offset(text string, line, col int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	for i, r := range text[at:] {
		if col--; col == 0 {
			return at + i
		}
		if r == '\n' {
			return -1
		}
	}
	if col == 1 {
		return len(text)
	}
	return -1
}
