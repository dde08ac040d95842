package form

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// compose makes a Form from marked-up text, much as the carriers do but in a
// few lines: {{a|b}} is a choice, {{#name a|b}} a named one, {{token:hex}} a
// token, and lines between "order" and "end" directives a free list.
func compose(t testing.TB, files map[string]string) *Form {
	t.Helper()
	f := set(files)
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	return f
}

// set is compose without a check.
func set(files map[string]string) *Form {
	c := composer{sites: map[fpcode.SiteID]Site{}}
	var paths []string
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	type wanted struct {
		file, part int
		id         fpcode.SiteID
	}
	var todo []wanted
	var f Form
	for i, p := range paths {
		c.parts, c.ids = nil, nil
		c.text(p, files[p])
		f.Files = append(f.Files, File{Path: p, Level: levelOf(p), Parts: c.parts})
		for j := range c.parts {
			if c.parts[j].Kind == Choice {
				todo = append(todo, wanted{i, j, c.ids[j]})
			}
		}
	}
	for _, s := range c.sites {
		f.Sites = append(f.Sites, s)
	}
	slices.SortFunc(f.Sites, func(a, b Site) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, w := range todo {
		i, _ := slices.BinarySearchFunc(f.Sites, w.id, func(s Site, id fpcode.SiteID) int { return bytes.Compare(s.ID[:], id[:]) })
		f.Files[w.file].Parts[w.part].Site = uint32(i)
	}
	return &f
}

func levelOf(path string) Level {
	switch {
	case strings.HasPrefix(path, "poc/"):
		return PoC
	case strings.HasSuffix(path, ".csv"):
		return Indicators
	case strings.HasPrefix(path, "rules/"):
		return Detection
	case strings.HasPrefix(path, "heads-up"):
		return HeadsUp
	}
	return Description
}

type composer struct {
	sites map[fpcode.SiteID]Site
	parts []Part
	ids   map[int]fpcode.SiteID
	n     int
}

var (
	markSyntax  = regexp.MustCompile(`(?s)\{\{(.*?)\}\}`)
	orderSyntax = regexp.MustCompile(`(?sm)^[ \t]*(?:<!-- order -->|# order)\n(.*?)^[ \t]*(?:<!-- end -->|# end)\n`)
)

func (c *composer) literal(b string) {
	if b == "" {
		return
	}
	if n := len(c.parts); n > 0 && c.parts[n-1].Kind == Literal {
		c.parts[n-1].Bytes = append(c.parts[n-1].Bytes, b...)
		return
	}
	c.parts = append(c.parts, Part{Bytes: []byte(b)})
}

func (c *composer) choice(id fpcode.SiteID, class fpcode.Class, alternatives [][]byte) {
	if c.ids == nil {
		c.ids = map[int]fpcode.SiteID{}
	}
	c.ids[len(c.parts)] = id
	c.sites[id] = Site{ID: id, Class: class, Q: uint8(len(alternatives))}
	c.parts = append(c.parts, Part{Kind: Choice, Alternatives: alternatives})
}

func (c *composer) newID(name string) (id fpcode.SiteID) {
	sum := sha256.Sum256([]byte(name))
	copy(id[:], sum[:])
	return id
}

func (c *composer) text(path, s string) {
	for s != "" {
		m := orderSyntax.FindStringSubmatchIndex(s)
		if m == nil {
			c.inline(path, s)
			return
		}
		c.inline(path, s[:m[0]])
		c.list(path, s[m[2]:m[3]])
		s = s[m[1]:]
	}
}

func (c *composer) inline(path, s string) {
	for {
		m := markSyntax.FindStringSubmatchIndex(s)
		if m == nil {
			c.literal(s)
			return
		}
		c.literal(s[:m[0]])
		c.mark(path, s[m[2]:m[3]])
		s = s[m[1]:]
	}
}

func (c *composer) mark(path, s string) {
	c.n++
	name := fmt.Sprintf("%s %d", path, c.n)
	if kind, ok := strings.CutPrefix(s, "token:"); ok {
		kind, slot, _ := strings.Cut(kind, "#")
		if slot == "" {
			slot = fmt.Sprintf("slot-%d", c.n)
		}
		c.parts = append(c.parts, Part{Kind: Token, Slot: slot, Alphabet: map[string]token.Alphabet{"hex": token.Hex, "uuid": token.UUID, "base62": token.Base62}[kind]})
		return
	}
	if named, ok := strings.CutPrefix(s, "#"); ok {
		name, s, _ = strings.Cut(named, " ")
	}
	var as [][]byte
	for _, a := range strings.Split(s, "|") {
		as = append(as, []byte(a))
	}
	c.choice(c.newID(name), fpcode.ClassProse, as)
}

// list cuts lines into items (a blank line or an indented one belongs to the
// item before) and orders them in scattered groups of up to four.
func (c *composer) list(path, s string) {
	var items []string
	indent := len(s) - len(strings.TrimLeft(s, " \n"))
	for _, line := range strings.SplitAfter(s, "\n") {
		deeper := len(line)-len(strings.TrimLeft(line, " ")) > indent
		if len(items) > 0 && (deeper || strings.TrimSpace(line) == "") {
			items[len(items)-1] += line
		} else if line != "" {
			items = append(items, line)
		}
	}
	dice := rand.New(rand.NewPCG(uint64(len(items)), 7))
	shuffled := dice.Perm(len(items))
	type slot struct {
		id fpcode.SiteID
		as [][]byte
	}
	slots := make([]slot, len(items))
	for len(shuffled) >= 2 {
		k := min(4, len(shuffled))
		if len(shuffled) == 5 {
			k = 3
		}
		group := shuffled[:k]
		shuffled = shuffled[k:]
		c.n++
		id := c.newID(fmt.Sprintf("%s %d", path, c.n))
		for _, p := range permutations(k) {
			for i, at := range group {
				slots[at].id = id
				slots[at].as = append(slots[at].as, []byte(items[group[p[i]]]))
			}
		}
	}
	for i, s := range slots {
		if s.as == nil {
			c.literal(items[i])
		} else {
			c.choice(s.id, fpcode.ClassOrder, s.as)
		}
	}
}

func permutations(n int) (out [][]int) {
	if n == 1 {
		return [][]int{{0}}
	}
	for _, p := range permutations(n - 1) {
		for i := 0; i <= len(p); i++ {
			out = append(out, slices.Insert(slices.Clone(p), i, n-1))
		}
	}
	return out
}

// advisory is the example package of this repository, as text with marks.
func advisory(t testing.TB) *Form {
	files := map[string]string{}
	for _, p := range []string{"advisory.md", "heads-up.md", "indicators.csv", "rules/larkspur.rules", "rules/larkspur.yar", "rules/larkspur_layout_import.yml", "poc/README.md", "poc/probe.py"} {
		b, err := os.ReadFile("testdata/advisory/" + p)
		if err != nil {
			t.Fatal(err)
		}
		files[p] = string(b)
	}
	return compose(t, files)
}

// symbols draws a copy's symbol for every site.
func symbols(f *Form, dice *rand.Rand) map[fpcode.SiteID]uint8 {
	out := map[fpcode.SiteID]uint8{}
	for _, s := range f.Sites {
		out[s.ID] = uint8(dice.IntN(int(s.Q)))
	}
	return out
}

func render(f *Form, with map[fpcode.SiteID]uint8, seed uint64) []Output {
	return f.Render(PoC, func(s Site) uint8 { return with[s.ID] }, func(slot string, a token.Alphabet) string {
		sum := sha256.Sum256(fmt.Append(nil, seed, slot))
		h := fmt.Sprintf("%x", sum[:16])
		switch a {
		case token.UUID:
			return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
		case token.Base62:
			return h[:22]
		}
		return h
	})
}

func asSpecimens(outputs []Output) (out []Specimen) {
	for _, o := range outputs {
		out = append(out, Specimen{Name: o.Path, Data: o.Data})
	}
	return out
}

// tally is a reading held against the truth.
type tally struct{ right, wrong, other, erased, soft int }

func (t *tally) add(r Readings, with map[fpcode.SiteID]uint8, in func(fpcode.SiteID) bool) {
	for _, s := range r.Sites {
		if in != nil && !in(s.Site) {
			continue
		}
		switch {
		case s.State == fpcode.Erased:
			t.erased++
		case s.State == fpcode.Other:
			t.other++
		case with != nil && len(s.Likelihood) > 0 && s.Likelihood[with[s.Site]] == 65535:
			t.right++
			t.soft++
		case with != nil && len(s.Likelihood) == 0 && s.Symbol == with[s.Site]:
			t.right++
		default:
			t.wrong++
		}
	}
}
