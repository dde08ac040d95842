package carrier

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Compile is CompileFor in profile single.
func Compile(src Source, bias fpcode.Key) (*form.Form, *Manifest, Report, error) {
	return CompileFor(src, bias, fpcode.Single, nil)
}

// CompileFor makes a Form of a source, with the biases of a profile. before is the
// Form of the package's revision before this one, or nil: sites that it has
// keep their laws. The same arguments give the same Form, byte for byte. A source
// that isn't fit gives Refusals, which is ErrRefused, and nothing else.
func CompileFor(src Source, bias fpcode.Key, profile fpcode.Profile, before *form.Form) (*form.Form, *Manifest, Report, error) {
	c := newCompiler(bias, profile)
	c.before = before
	f, m, r := c.compile(src)
	if len(c.refusals) > 0 {
		c.refusals.sort()
		return nil, nil, Report{}, c.refusals
	}
	return f, m, r, nil
}

// compiler is the state of one compilation.
type compiler struct {
	profile  fpcode.Profile
	before   *form.Form // nil: none
	bias     fpcode.Key
	texts    map[string]string // the source by path, for positions
	docs     []*document
	sites    map[fpcode.SiteID]*site
	named    map[string]*site
	slots    map[string]token.Alphabet
	full     bool // no more marks fit into a Form
	refusals Refusals
	warnings []Warning
}

func newCompiler(bias fpcode.Key, profile fpcode.Profile) *compiler {
	return &compiler{
		profile: profile, bias: bias, texts: map[string]string{},
		sites: map[fpcode.SiteID]*site{}, named: map[string]*site{}, slots: map[string]token.Alphabet{},
	}
}

// manyRefusals is how many are kept. Each costs a walk to its line.
const manyRefusals = 200

// refuse notes what is wrong at a byte offset of a source file.
func (c *compiler) refuse(path string, off int, what, do string) {
	if len(c.refusals) >= manyRefusals {
		return
	}
	r := Refusal{Path: path, What: what, Do: do}
	if text, ok := c.texts[path]; ok {
		r.Line, r.Col = position(text, off)
	}
	c.refusals = append(c.refusals, r)
}

func (c *compiler) warn(d *document, off int, text string) {
	if len(c.warnings) < maxWarnings {
		line, col := position(d.src, off)
		c.warnings = append(c.warnings, Warning{Path: d.path, Line: uint32(line), Col: uint32(col), Text: strings.ToValidUTF8(text[:min(len(text), maxWarning)], "")})
	}
}

// compile goes on after a refusal as long as what follows makes sense, so that
// an author sees most of what is wrong at once.
func (c *compiler) compile(src Source) (*form.Form, *Manifest, Report) {
	docs, m := c.read(src)
	if m == nil || len(c.refusals) > 0 {
		return nil, nil, Report{}
	}
	c.dealLaws(docs)
	f := c.build(docs)
	if err := f.Check(); err != nil {
		c.refuse("", 0, err.Error(), "make the package smaller, or give it fewer marks")
		return nil, nil, Report{}
	}
	return f, m, c.report(docs)
}

// read cuts all files into pieces and puts them through the gates.
func (c *compiler) read(src Source) ([]*document, *Manifest) {
	if !c.checkSource(src) {
		return nil, nil
	}
	for _, f := range src.Files {
		c.texts[f.Path] = string(f.Data)
	}
	m := c.readManifest()
	if m == nil {
		return nil, nil
	}
	if text, ok := c.texts[ApprovalsPath]; ok {
		if _, err := ReadApprovals(text); err != nil {
			c.refusals = append(c.refusals, err.(Refusals)...)
		}
	}
	docs := c.documents(src, m)
	c.docs = docs
	for _, d := range docs {
		if !d.bulk && !c.checkText(d) {
			continue
		}
		if c.full {
			break
		}
		before := len(c.refusals)
		c.readMarks(d, ordersOf(m, d.path))
		if len(c.refusals) == before {
			c.checkVariants(d)
			c.checkUnread(d)
			c.lookAround(d)
		}
	}
	if len(c.refusals) == 0 {
		c.checkIncludes(docs)
	}
	return docs, m
}

func ordersOf(m *Manifest, path string) (out []ListOrder) {
	for _, o := range m.Orders {
		if o.File == path {
			out = append(out, o)
		}
	}
	return out
}

// documents gives each file its level, its format and whether it is bulk.
func (c *compiler) documents(src Source, m *Manifest) (out []*document) {
	used := map[string]bool{}
	for _, f := range src.Files {
		if f.Path == ManifestPath || f.Path == ApprovalsPath {
			continue
		}
		d := &document{path: f.Path, src: c.texts[f.Path]}
		d.format = formatOf(d.path, d.src)
		for _, g := range m.Bulk {
			if matchGlob(g, d.path) {
				d.bulk, used[g] = true, true
			}
		}
		c.setLevel(d, m, used)
		out = append(out, d)
	}
	if len(out) == 0 {
		c.refuse("", 0, "a source without files", "put what members should read next to "+ManifestPath)
	}
	for _, r := range m.Files {
		if !used[r.Glob] {
			c.refuse(ManifestPath, 0, sprintf("files: %s matches no file", quote(r.Glob)), "correct or remove it")
		}
	}
	for _, g := range m.Bulk {
		if !used[g] {
			c.refuse(ManifestPath, 0, sprintf("bulk: %s matches no file", quote(g)), "correct or remove it")
		}
	}
	for _, o := range m.Orders {
		if i := slices.IndexFunc(out, func(d *document) bool { return d.path == o.File }); i < 0 || !out[i].format.json || out[i].bulk {
			c.refuse(ManifestPath, 0, sprintf("order: %s isn't a JSON file of the package that can hold marks", quote(o.File)), "name a .json file by its path; other files have order blocks of their own")
		}
	}
	slices.SortFunc(out, func(a, b *document) int { return cmp.Compare(a.path, b.path) })
	return out
}

// setLevel decides who sees a file. The manifest decides before the file's type;
// a file that neither speaks of goes to nobody, so the source is refused.
func (c *compiler) setLevel(d *document, m *Manifest, used map[string]bool) {
	by := ""
	for _, r := range m.Files {
		if !matchGlob(r.Glob, d.path) {
			continue
		}
		used[r.Glob] = true
		if by != "" && d.level != r.Level {
			c.refuse(d.path, 0, sprintf("%s makes it %v and %s makes it %v", quote(by), d.level, quote(r.Glob), r.Level), "give each file one level in "+ManifestPath)
			return
		}
		by, d.level = r.Glob, r.Level
	}
	if by == "" {
		d.level = d.format.level
		if underPoC(d.path) {
			d.level = form.PoC
		}
	}
	switch {
	case d.level == 0:
		c.refuse(d.path, 0, "no level", sprintf("say in %s under files: who may see it, as in %q: description", ManifestPath, d.path))
	case underPoC(d.path) && d.level != form.PoC:
		c.refuse(d.path, 0, sprintf("a file under poc/ at level %v", d.level), "move it out of poc/ if it is none")
	case d.bulk && d.level == form.PoC:
		c.refuse(d.path, 0, "bulk of level poc", "bulk is the same for everybody, and proof of concept never is; take it out of bulk:")
	}
}

// build makes the Form: sites sorted by id, alternatives in the order of their
// symbols, literals joined.
func (c *compiler) build(docs []*document) *form.Form {
	f := &form.Form{}
	if c.profile != fpcode.Single {
		f.Profile = c.profile
	}
	var sites []*site
	for _, s := range c.sites {
		sites = append(sites, s)
	}
	slices.SortFunc(sites, func(a, b *site) int { return bytes.Compare(a.id[:], b.id[:]) })
	permutation := make([][]uint8, len(sites))
	for i, s := range sites {
		s.index = uint32(i)
		permutation[i] = fpcode.Permutation(c.bias, s.id, s.q)
		f.Sites = append(f.Sites, form.Site{ID: s.id, Class: s.class, Q: uint8(s.q), Law: s.law})
	}
	for _, d := range docs {
		file := form.File{Path: d.path, Level: d.level, Bulk: d.bulk}
		var literal []byte
		flush := func() {
			if len(literal) > 0 {
				file.Parts = append(file.Parts, form.Part{Kind: form.Literal, Bytes: literal})
				literal = nil
			}
		}
		for _, p := range d.pieces {
			switch {
			case p.site != nil:
				flush()
				part := form.Part{Kind: form.Choice, Site: p.site.index}
				texts := map[string][]byte{} // an item stands in several orders
				for _, shown := range permutation[p.site.index] {
					text := p.alts[shown]
					if texts[text] == nil {
						texts[text] = []byte(text)
					}
					part.Alternatives = append(part.Alternatives, texts[text])
				}
				file.Parts = append(file.Parts, part)
			case p.alpha != 0:
				flush()
				file.Parts = append(file.Parts, form.Part{Kind: form.Token, Slot: p.slot, Alphabet: p.alpha})
			default:
				literal = append(literal, p.literal...)
			}
		}
		flush()
		f.Files = append(f.Files, file)
	}
	return f
}
