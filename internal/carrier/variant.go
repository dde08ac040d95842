package carrier

import "forewarn/internal/fpcode"

// Variants is how many renderings of a file show, between them, every
// alternative of its marks and every item of a list in every place of its group.
const Variants = variants

// Rendering is what some copies of a file hold.
type Rendering struct {
	Path   string
	Format string           // as in FileReport
	Texts  [Variants]string // all the same if the file has no marks
	Marked bool
	Bulk   bool // Texts are empty: the same bytes for everybody
}

// Renderings compiles a source and renders each of its files in all variants, for
// judges of whether they are the same to their readers' tools. Lists are cut as in
// profile single: other profiles move items less far. Errors are those of Compile.
func Renderings(src Source, bias fpcode.Key) ([]Rendering, error) {
	c := newCompiler(bias, fpcode.Single)
	docs, m := c.read(src)
	if len(c.refusals) == 0 && m != nil {
		var out []Rendering
		for _, d := range docs {
			r := Rendering{Path: d.path, Format: d.format.name, Marked: d.marked(), Bulk: d.bulk}
			if !d.bulk {
				for v := range r.Texts {
					r.Texts[v] = d.renderWith(all(v))
				}
			}
			out = append(out, r)
		}
		return out, nil
	}
	c.refusals.sort()
	return nil, c.refusals
}
