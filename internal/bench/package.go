package bench

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"

	"forewarn/examples"
	"forewarn/internal/carrier"
	"forewarn/internal/detect"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/sighting"
	"forewarn/internal/token"
)

// pack is the example package as a scan looks for it.
type pack struct {
	form  *form.Form
	texts []sighting.Text
	rules []sighting.Rule
}

func example() (p pack, err error) {
	var src carrier.Source
	files := examples.Advisory()
	if err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		src.Files = append(src.Files, carrier.SourceFile{Path: name, Data: b})
		return err
	}); err != nil {
		return p, err
	}
	if p.form, _, _, err = carrier.CompileFor(src, fpcode.BiasKey(fpcode.Key{1}), fpcode.Default, nil); err != nil {
		return p, err
	}
	p.texts = sighting.Texts("package", p.form)
	rendered, err := carrier.Renderings(src, fpcode.Key{1})
	if err != nil {
		return p, err
	}
	var rules detect.Set
	for i, r := range rendered {
		text := r.Texts[0]
		if r.Bulk {
			text = string(src.Files[i].Data)
		}
		if r.Format == "sigma" {
			if err := rules.Add(path.Base(r.Path), text); err != nil {
				return p, err
			}
		}
	}
	p.rules, _ = rules.Rules()
	return p, nil
}

// prose is that of a copy drawn at random.
func (p pack) prose(rng *rand.Rand, rec *token.Recogniser) string {
	for _, o := range p.form.Render(form.PoC,
		func(s form.Site) uint8 { return uint8(rng.IntN(int(s.Q))) },
		func(_ string, a token.Alphabet) string { return a.Encode(rec, rng.Uint64()) }) {
		if o.Path == "advisory.md" {
			return string(o.Data)
		}
	}
	panic("the example has no advisory.md")
}

// quote is from 14 to 43 blank-parted words of a copy, all in ASCII.
func (p pack) quote(rng *rand.Rand, rec *token.Recogniser) string {
	for {
		words := strings.Fields(p.prose(rng, rec))
		n := 14 + rng.IntN(30)
		at := rng.IntN(len(words) - n)
		if quote := strings.Join(words[at:at+n], " "); isWords(quote) {
			return quote
		}
	}
}

// isWords reports whether a quote is ASCII, begins with a word and has words enough
// of its own.
func isWords(s string) bool {
	parts := func(r rune) bool { return !('a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9') }
	words := strings.FieldsFunc(s, parts)
	return len(words) >= sighting.MinWords+2 && strings.HasPrefix(s, words[0]) && strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// check says that a package could be made, lest a figure be of nothing.
func (p pack) check() error {
	if len(p.texts) == 0 || len(p.rules) == 0 {
		return fmt.Errorf("the example has %d texts and %d rules", len(p.texts), len(p.rules))
	}
	return nil
}
