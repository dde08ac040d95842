package suggest

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"forewarn/internal/carrier"
	"forewarn/internal/fpcode"
)

// found is a proposal with its place in bytes.
type found struct {
	Proposal
	at, end int
	hash    bool // of a list: its file's comments begin with #
}

// apart is how many words stand between two marks: fewer, and damage to one
// spoils both.
const apart = 2

// mostPerFile is how many places of one file are proposed: more than a person
// reads, and far less than a Form has room for.
const mostPerFile = 2000

// checkKey stands in for a package's bias key: it changes which alternative
// stands for which symbol, and nothing that a gate looks at.
var checkKey = fpcode.Key{1}

// Propose reads a source and proposes marks for it, in order of file and place.
// With all of them the source passes every gate, and each can be read back; so
// with any of them. A source that is refused as it is gives the compiler's error.
func Propose(src carrier.Source) ([]Proposal, error) {
	if _, _, _, err := carrier.Compile(src, checkKey); err != nil {
		return nil, err
	}
	all := map[string][]found{}
	x := indexOf(Lexicon())
	for _, f := range src.Files {
		if f.Path == carrier.ManifestPath || f.Path == carrier.ApprovalsPath {
			continue
		}
		if p := readProse(f.Path, string(f.Data)); p != nil {
			all[f.Path] = p.propose(x)
		}
	}
	if err := sift(src, all); err != nil {
		return nil, err
	}
	var out []Proposal
	for _, f := range src.Files {
		for _, p := range all[f.Path] {
			out = append(out, p.Proposal)
		}
	}
	return out, nil
}

// propose finds what could be marked in a file: lists first, because words in
// their items can't be marked too; then values; then wordings, where room is left.
func (p *prose) propose(x index) []found {
	out := p.orders()
	out = out[:min(len(out), mostPerFile)]
	for _, o := range out {
		p.take(o.at, o.end)
	}
	in := make([]bool, len(p.words)) // words of marks
	keep := func(places []found) {
		for _, f := range places {
			from, to := p.wordAt(f.at), p.wordAt(f.end)
			near := in[max(0, from-apart):min(len(in), to+apart)]
			if len(out) == mostPerFile || slices.Contains(near, true) || !p.roomAfter(to) || !p.roomBefore(from) {
				continue
			}
			for i := from; i < to; i++ {
				in[i] = true
			}
			p.take(f.at, f.end)
			out = append(out, f)
		}
	}
	keep(p.values())
	keep(p.wordings(x))
	for i := range out {
		out[i].place(p)
	}
	slices.SortFunc(out, func(a, b found) int { return cmp.Compare(a.at, b.at) })
	return out
}

// wordAt is the index of the first word that begins at an offset or behind it.
func (p *prose) wordAt(at int) int {
	i, _ := slices.BinarySearchFunc(p.words, at, func(w word, at int) int { return cmp.Compare(w.at, at) })
	return i
}

// roomAfter and roomBefore report whether the next words on a side are free of
// marks that the source has already.
func (p *prose) roomAfter(i int) bool {
	for j := i; j < min(i+apart, len(p.words)); j++ {
		if w := p.words[j]; p.marked(w.at, w.end) {
			return false
		}
	}
	return true
}

func (p *prose) roomBefore(i int) bool {
	for j := i - 1; j >= max(0, i-apart); j-- {
		if w := p.words[j]; p.marked(w.at, w.end) {
			return false
		}
	}
	return true
}

// marked reports whether a taken stretch lies inside braces.
func (p *prose) marked(from, to int) bool {
	line := strings.LastIndexByte(p.src[:from], '\n') + 1
	open := strings.LastIndex(p.src[line:from], "{{")
	return open >= 0 && !strings.Contains(p.src[line+open:to], "}}")
}

const context = 40 // characters of it on each side

// place says where the proposal is.
func (f *found) place(p *prose) {
	line := strings.LastIndexByte(p.src[:f.at], '\n') + 1
	f.File, f.Line, f.Col = p.path, 1+strings.Count(p.src[:f.at], "\n"), 1+utf8.RuneCountInString(p.src[line:f.at])
	f.Quote, f.hash = p.src[f.at:f.end], !isMarkdown(p.path)
	f.Before = lastRunes(p.src[line:f.at], context)
	rest := p.src[f.end:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	f.After = firstRunes(rest, context)
}

func lastRunes(s string, n int) string {
	r := []rune(s)
	return string(r[max(0, len(r)-n):])
}

func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}

func isMarkdown(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".md" || ext == ".markdown"
}
