package form

import "forewarn/internal/token"

// Render sets one copy at a level: the files of that level and below, in order
// of path, without bulk. symbol gives the copy's symbol at a site, less than the
// site's Q; tok gives its token for a slot. Both are asked for every part, in
// order, and must answer alike for a site or slot that stands in several.
//
// Render is concatenation and nothing else; doc/spec/form.md fixes its result
// for ever.
func (f *Form) Render(level Level, symbol func(Site) uint8, tok func(slot string, a token.Alphabet) string) []Output {
	var out []Output
	for i := range f.Files {
		if file := &f.Files[i]; file.Level <= level && !file.Bulk {
			out = append(out, f.render(file, symbol, tok))
		}
	}
	return out
}

// RenderBulk is the bulk files of that level and below: literals, the same for
// everybody.
func (f *Form) RenderBulk(level Level) []Output {
	var out []Output
	for i := range f.Files {
		if file := &f.Files[i]; file.Level <= level && file.Bulk {
			out = append(out, f.render(file, nil, nil))
		}
	}
	return out
}

// most is at least the length of any copy of the file.
func (file *File) most() (n int) {
	for i := range file.Parts {
		switch p := &file.Parts[i]; p.Kind {
		case Literal:
			n += len(p.Bytes)
		case Choice:
			longest := 0
			for _, a := range p.Alternatives {
				longest = max(longest, len(a))
			}
			n += longest
		case Token:
			n += p.Alphabet.Len()
		}
	}
	return n
}

func (f *Form) render(file *File, symbol func(Site) uint8, tok func(string, token.Alphabet) string) Output {
	data := make([]byte, 0, file.most())
	for i := range file.Parts {
		switch p := &file.Parts[i]; p.Kind {
		case Literal:
			data = append(data, p.Bytes...)
		case Choice:
			data = append(data, p.Alternatives[symbol(f.Sites[p.Site])]...)
		case Token:
			data = append(data, tok(p.Slot, p.Alphabet)...)
		}
	}
	return Output{Path: file.Path, Data: data}
}
