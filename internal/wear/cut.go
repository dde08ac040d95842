package wear

import (
	"math/rand/v2"
	"regexp"
	"strings"

	"forewarn/internal/form"
)

// excerpt is one contiguous part in n of the longest Markdown file.
func excerpt(n int) func(*rand.Rand, [][]form.Output) Worn {
	return func(dice *rand.Rand, copies [][]form.Output) Worn {
		o := prose(copies[0])
		size := len(o.Data) / n
		from := dice.IntN(len(o.Data) - size + 1)
		return Worn{
			[]form.Specimen{{Name: "excerpt", Data: append([]byte(nil), o.Data[from:from+size]...)}},
			[]Extent{{o.Path, from, from + size}},
		}
	}
}

// sentence is a stretch of prose that can be moved by itself: up to the end of a
// sentence, a heading or an item.
var sentence = regexp.MustCompile(`(?s).+?(?:[.!?:][*_]*(?:\s+|$)|\n\n+|\n(?:[-*] )|$)`)

// sentences cuts a text; all of them together are the text. Items keep their
// bullet at the end of what stands before, so that it is made whole again by any
// order.
func sentences(path, s string) []string {
	if !markdown(path) {
		return strings.SplitAfter(s, "\n")
	}
	return sentence.FindAllString(s, -1)
}

func shuffle(dice *rand.Rand, path, s string) string {
	all := sentences(path, s)
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var b strings.Builder
	for _, x := range all {
		b.WriteString(x)
		if !strings.HasSuffix(x, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// merge takes each sentence from one of the copies. Copies of a file that don't
// have as many sentences, because an alternative ends one, are merged by lines;
// failing that the file is taken whole from one copy.
func merge(dice *rand.Rand, copies [][]form.Output) Worn {
	w := Worn{Kept: whole(copies[0])}
	for f, o := range copies[0] {
		var b strings.Builder
		for _, unit := range aligned(copies, f) {
			b.WriteString(unit[dice.IntN(len(unit))])
		}
		w.Specimens = append(w.Specimens, form.Specimen{Name: o.Path, Data: []byte(b.String())})
	}
	return w
}

// aligned is a file of several copies cut into units, each as every copy has it.
func aligned(copies [][]form.Output, f int) [][]string {
	path := copies[0][f].Path
	for _, cut := range []func(string) []string{
		func(s string) []string { return sentences(path, s) },
		func(s string) []string { return strings.SplitAfter(s, "\n") },
		func(s string) []string { return []string{s} },
	} {
		var out [][]string
		same := true
		for i, c := range copies {
			units := cut(string(c[f].Data))
			if i == 0 {
				out = make([][]string, len(units))
			}
			if same = len(units) == len(out); !same {
				break
			}
			for u := range units {
				out[u] = append(out[u], units[u])
			}
		}
		if same {
			return out
		}
	}
	panic("unreachable: one unit is always as many as one")
}
