package wear

import (
	"math/rand/v2"
	"regexp"
	"strings"

	"forewarn/internal/form"
)

// common keeps the words that all copies have in common, in their order, and
// nothing else: what anybody does first who has two copies and a program that
// shows differences. Sentences are compared with sentences where the copies have as
// many, else lines with lines.
func common(_ *rand.Rand, copies [][]form.Output) Worn {
	w := Worn{Kept: whole(copies[0])}
	for f, o := range copies[0] {
		var b strings.Builder
		for _, unit := range aligned(copies, f) {
			left := word.FindAllString(unit[0], -1)
			for _, other := range unit[1:] {
				left = inBoth(left, word.FindAllString(other, -1))
			}
			for _, x := range left {
				b.WriteString(x)
			}
		}
		w.Specimens = append(w.Specimens, form.Specimen{Name: o.Path, Data: []byte(b.String())})
	}
	return w
}

// word is a word with the space after it, which doesn't count.
var word = regexp.MustCompile(`\S+\s*|\s+`)

func same(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }

// inBoth is the longest common subsequence (Wagner and Fischer, J. ACM 21, 1974).
// Beyond tooLong products it is what both begin with, and end with.
func inBoth(a, b []string) (out []string) {
	from := 0
	for from < min(len(a), len(b)) && same(a[from], b[from]) {
		from++
	}
	to := 0
	for to < min(len(a), len(b))-from && same(a[len(a)-1-to], b[len(b)-1-to]) {
		to++
	}
	x, y := a[from:len(a)-to], b[from:len(b)-to]
	out = append(out, a[:from]...)
	if len(x)*len(y) <= tooLong {
		out = append(out, subsequence(x, y)...)
	}
	return append(out, a[len(a)-to:]...)
}

const tooLong = 1 << 24

func subsequence(x, y []string) (out []string) {
	length := make([][]int32, len(x)+1) // of what x[i:] and y[j:] have in common
	for i := range length {
		length[i] = make([]int32, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if same(x[i], y[j]) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case same(x[i], y[j]):
			out = append(out, x[i])
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return out
}
