package sim

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"forewarn/examples"
	"forewarn/internal/carrier"
	"forewarn/internal/token"
)

// What people outside the programme wrote.
//
//go:embed outside
var outside embed.FS

// source is the example package as a coordinator's folder.
func source() (carrier.Source, error) {
	var src carrier.Source
	files := examples.Advisory()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		src.Files = append(src.Files, carrier.SourceFile{Path: path, Data: b})
		return err
	})
	slices.SortFunc(src.Files, func(a, b carrier.SourceFile) int { return strings.Compare(a.Path, b.Path) })
	return src, err
}

const (
	prosePath = "advisory.md"
	pocPath   = "poc/probe.py"
)

// exposed is what came out: text that is found, and the constants that the
// attack shows on the wire.
type exposed struct {
	specimens []specimen
	constants constants
}

type specimen struct {
	name string
	data []byte
}

// constants are what the probe sends: in a copy, they are tokens.
type constants struct{ trace, boundary, file string }

// leak draws who leaks and what, and nobody learns it but the result.
func (w *world) material() (exposed, error) {
	switch w.Scenario {
	case Member, Excerpt, Collusion:
		n := 1
		if w.Scenario == Collusion {
			n = 2
		}
		able := w.able()
		if len(able) < n {
			return exposed{}, fmt.Errorf("%d members fetched before the attack, and the story needs %d; use more members", len(able), n)
		}
		for range n {
			i := w.rng.IntN(len(able))
			w.leaked, able = append(w.leaked, able[i]), slices.Delete(able, i, i+1)
		}
	case Insider:
		h := w.people[w.rng.IntN(len(w.people))]
		if w.leaked = append(w.leaked, h); len(h.has) == 0 {
			if err := w.fetch(h, 0, true); err != nil {
				return exposed{}, err
			}
		}
	case Finder:
		return w.original()
	case Rediscovery, PatchDiff:
		return w.others(string(w.Scenario))
	}
	copied := w.leaked[0].has[0].files
	prose := string(copied[prosePath])
	switch w.Scenario {
	case Excerpt:
		prose = third(prose, w.rng.Float64())
	case Collusion:
		prose = w.merge(prose, string(w.leaked[1].has[0].files[prosePath]))
	}
	out := exposed{specimens: []specimen{{"paste.txt", []byte(wrap(prose, 60+w.rng.IntN(60)))}}, constants: w.invented()}
	if w.Scenario == Excerpt || w.Scenario == Collusion {
		return out, nil // who compares copies sees the constants differ, and makes up others
	}
	if probe, ok := copied[pocPath]; ok {
		out.specimens = append(out.specimens, specimen{"probe.py", probe})
		out.constants = constantsOf(probe)
	}
	if w.NoTokens {
		rec, err := w.home.Recognition()
		if err != nil {
			return out, err
		}
		for i := range out.specimens {
			out.specimens[i].data = strip(token.NewRecogniser(rec), out.specimens[i].data)
		}
		out.constants = w.invented()
	}
	return out, nil
}

// able are the members who fetched in time to have leaked before the attack.
func (w *world) able() (out []*holder) {
	for _, h := range w.orgs {
		if len(h.has) > 0 && h.has[0].at.Before(exploited.Add(-2*time.Hour)) {
			out = append(out, h)
		}
	}
	return out
}

// merge takes each sentence of a text from either of two copies by lot, and lists
// whole. Where their paragraphs don't run parallel, the paragraph is one's.
func (w *world) merge(a, b string) string {
	var out strings.Builder
	paragraphs := [2][]string{strings.SplitAfter(a, "\n\n"), strings.SplitAfter(b, "\n\n")}
	for i := range min(len(paragraphs[0]), len(paragraphs[1])) {
		var parts [2][]string
		for k := range parts {
			p := paragraphs[k][i]
			if parts[k] = sentenceIn.FindAllString(p, -1); strings.HasPrefix(p, "- ") {
				parts[k] = []string{p}
			}
		}
		if len(parts[0]) != len(parts[1]) {
			out.WriteString(paragraphs[w.rng.IntN(2)][i])
			continue
		}
		for n := range parts[0] {
			out.WriteString(parts[w.rng.IntN(2)][n])
		}
	}
	return out.String()
}

// invented constants are somebody's own.
func (w *world) invented() constants {
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789abcdef"[w.rng.IntN(16)]
		}
		return string(b)
	}
	return constants{trace: hex(32), boundary: hex(8) + "-" + hex(4) + "-4" + hex(3) + "-a" + hex(3) + "-" + hex(12), file: hex(12) + ".layout"}
}

var (
	traceIn    = regexp.MustCompile(`TRACE = "([^"]+)"`)
	boundaryIn = regexp.MustCompile(`BOUNDARY = "([^"]+)"`)
	packageIn  = regexp.MustCompile(`PACKAGE = "([^"]+)"`)
)

func constantsOf(probe []byte) (c constants) {
	for _, x := range []struct {
		re   *regexp.Regexp
		into *string
	}{{traceIn, &c.trace}, {boundaryIn, &c.boundary}, {packageIn, &c.file}} {
		if m := x.re.FindSubmatch(probe); m != nil {
			*x.into = string(m[1])
		}
	}
	return c
}

// strip puts zeros over every token.
func strip(rec *token.Recogniser, text []byte) []byte {
	out := bytes.Clone(text)
	token.Scan(rec, text, func(off int, a token.Alphabet, _ uint64) {
		for i := range a.Len() {
			if out[off+i] != '-' {
				out[off+i] = '0'
			}
		}
	})
	return out
}

// third is a contiguous third of a text's words, from somewhere.
func third(text string, where float64) string {
	at := wordStarts(text)
	n := len(at) / 3
	from := int(where * float64(len(at)-n))
	end := len(text)
	if from+n < len(at) {
		end = at[from+n]
	}
	return text[at[from]:end]
}

func wordStarts(text string) (at []int) {
	in := false
	for i, r := range text {
		space := r == ' ' || r == '\n' || r == '\t'
		if !space && !in {
			at = append(at, i)
		}
		in = !space
	}
	return at
}

// wrap is what a mail program or a paste site does to paragraphs.
func wrap(text string, width int) string {
	var out strings.Builder
	for _, para := range strings.Split(text, "\n\n") {
		line := 0
		for _, word := range strings.Fields(para) {
			if line > 0 && line+1+len(word) > width {
				out.WriteByte('\n')
				line = 0
			} else if line > 0 {
				out.WriteByte(' ')
				line++
			}
			out.WriteString(word)
			line += len(word)
		}
		out.WriteString("\n\n")
	}
	return out.String()
}

// sentenceIn is a sentence with the blanks after it, or the rest of a paragraph.
var sentenceIn = regexp.MustCompile(`(?s).+?(?:[.!?:]\s+|$)`)

var (
	choiceIn = regexp.MustCompile(`\{\{(?:#[a-z0-9._-]+ )?([^{}|]*)(?:\|[^{}]*)?\}\}`)
	tokenIn  = regexp.MustCompile(`\{\{token:[^{}]*\}\}`)
)

// original is the finder's own text and probe, from before anything was marked.
func (w *world) original() (exposed, error) {
	src, err := source()
	if err != nil {
		return exposed{}, err
	}
	c := w.invented()
	var out exposed
	for _, f := range src.Files {
		if f.Path != prosePath && f.Path != pocPath {
			continue
		}
		text := tokenIn.ReplaceAllStringFunc(string(f.Data), func(s string) string {
			switch {
			case strings.Contains(s, "uuid"):
				return c.boundary
			case strings.Contains(s, "base62"):
				return strings.TrimSuffix(c.file, ".layout")
			}
			return c.trace
		})
		text = choiceIn.ReplaceAllString(text, "$1")
		var kept []string
		for _, line := range strings.Split(text, "\n") {
			if s := strings.TrimSpace(line); s != "<!-- order -->" && s != "<!-- end -->" && s != "# order" && s != "# end" {
				kept = append(kept, line)
			}
		}
		name := map[string]string{prosePath: "notes.txt", pocPath: "probe.py"}[f.Path]
		out.specimens = append(out.specimens, specimen{name, []byte(strings.Join(kept, "\n"))})
	}
	out.constants = c
	return out, nil
}

// others is what somebody wrote who never saw the package.
func (w *world) others(folder string) (exposed, error) {
	var out exposed
	err := fs.WalkDir(outside, "outside/"+folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := outside.ReadFile(path)
		out.specimens = append(out.specimens, specimen{d.Name(), b})
		return err
	})
	out.constants = w.invented()
	return out, err
}
