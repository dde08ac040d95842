// Package wear does to copies what happens to leaked ones: they are pasted,
// re-wrapped, scanned, retyped, cut, shuffled, reworded, merged and ported.
//
//	copies ─► Wear.Apply(dice) ─► specimens + what is left of which text
//
// It exists so that what a carrier survives is measured and not claimed: compile
// a source, render copies, wear them, read them, count. Everything is drawn from
// the dice that are handed in, so that a figure can be had again.
//
// The transformations imitate accidents, habits and simple malice. None of them
// knows a Form or a codeword: they see what a leaker sees, a copy or several. Do
// not take survival of them for survival of a writer who sets out to say
// everything in new words.
package wear

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"

	"forewarn/internal/form"
)

// Wear is one thing that happens to copies.
type Wear struct {
	Name   string
	What   string // one sentence
	Copies int    // how many different copies it takes, from 1
	do     func(dice *rand.Rand, copies [][]form.Output) Worn
}

// Worn is what is found of copies afterwards.
type Worn struct {
	Specimens []form.Specimen
	// Kept are the stretches of the first copy of which the text is still there,
	// in whatever shape; a mark elsewhere cannot be read by anybody.
	Kept []Extent
}

// Extent is the bytes [From, To) of one file of a copy.
type Extent struct {
	Path     string
	From, To int
}

// Keeps reports whether all of an extent is left.
func (w *Worn) Keeps(x Extent) bool {
	return slices.ContainsFunc(w.Kept, func(k Extent) bool { return k.Path == x.Path && k.From <= x.From && x.To <= k.To })
}

// Apply wears copies, of which there must be at least w.Copies; it takes the
// first ones. The same dice and copies give the same result.
func (w Wear) Apply(dice *rand.Rand, copies ...[]form.Output) Worn {
	return w.do(dice, copies[:w.Copies])
}

// Table is everything that the project measures survival of, mild things first.
var Table = []Wear{
	{"untouched", "Every file as it was issued.", 1, text(func(_ *rand.Rand, _, s string) string { return s })},
	{"paste", "All files in one message, tabs and trailing space lost.", 1, paste},
	{"reflow", "Wrapped at another width, hyphenated, each line quoted as in a reply.", 1, text(reflow)},
	{"fold", "All capitals or all lower case; quotes and dashes made typographic, or plain.", 1, text(fold)},
	{"plain", "Markdown rendered to plain text.", 1, text(plain)},
	{"html", "Markdown rendered to HTML with entities; other files in <pre>.", 1, text(toHTML)},
	{"unpunctuated", "All punctuation stripped.", 1, text(unpunctuated)},
	{"ocr-1", "Scanned: one character in a hundred confused, split, joined or lost.", 1, text(ocr(1))},
	{"ocr-3", "The same, three in a hundred.", 1, text(ocr(3))},
	{"ocr-5", "The same, five in a hundred.", 1, text(ocr(5))},
	{"retype-1", "Retyped: one in a hundred mistyped, dropped, doubled or swapped.", 1, text(retype(1))},
	{"retype-5", "The same, five in a hundred.", 1, text(retype(5))},
	{"retype-10", "The same, ten in a hundred.", 1, text(retype(10))},
	{"excerpt-2", "A contiguous half of the longest Markdown file, cut anywhere.", 1, excerpt(2)},
	{"excerpt-3", "A contiguous third of it.", 1, excerpt(3)},
	{"excerpt-6", "A contiguous sixth of it.", 1, excerpt(6)},
	{"excerpt-12", "A contiguous twelfth of it.", 1, excerpt(12)},
	{"shuffle", "Sentences of prose, lines of everything else, in random order.", 1, text(shuffle)},
	{"synonyms", "Half of all words of a small lexicon replaced by random synonyms.", 1, text(synonyms)},
	{"canonical", "All words of that lexicon replaced by the first of their synonyms.", 1, text(canonical)},
	{"merge-2", "Two copies merged, each sentence or line from one of them at random.", 2, merge},
	{"merge-3", "Three copies merged likewise.", 3, merge},
	{"common-2", "Only the words that two copies have in common.", 2, common},
	{"common-3", "Only the words that three copies have in common.", 3, common},
	{"port", "The proof of concept in another language: only its strings, in order.", 1, port},
	{"wire", "What the proof of concept would send: request line, headers, body.", 1, wire},
}

// Find gives the row of that name.
func Find(name string) (Wear, bool) {
	i := slices.IndexFunc(Table, func(w Wear) bool { return w.Name == name })
	if i < 0 {
		return Wear{}, false
	}
	return Table[i], true
}

// text wears every file by itself, and keeps all of it.
func text(f func(dice *rand.Rand, path, s string) string) func(*rand.Rand, [][]form.Output) Worn {
	return func(dice *rand.Rand, copies [][]form.Output) (w Worn) {
		for _, o := range copies[0] {
			w.Specimens = append(w.Specimens, form.Specimen{Name: o.Path, Data: []byte(f(dice, o.Path, string(o.Data)))})
		}
		w.Kept = whole(copies[0])
		return w
	}
}

func whole(copy []form.Output) (all []Extent) {
	for _, o := range copy {
		all = append(all, Extent{o.Path, 0, len(o.Data)})
	}
	return all
}

func markdown(path string) bool { return strings.HasSuffix(path, ".md") }

// prose is the longest Markdown file; the longest file if there is none.
func prose(copy []form.Output) form.Output {
	return slices.MaxFunc(copy, func(a, b form.Output) int {
		am, bm := markdown(a.Path), markdown(b.Path)
		if am != bm {
			if am {
				return 1
			}
			return -1
		}
		return cmp.Compare(len(a.Data), len(b.Data))
	})
}
