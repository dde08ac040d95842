package form

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile are megabytes made to be slow.
func hostile(f *Form) map[string]string {
	const size = 1 << 20
	dice := rand.New(rand.NewPCG(3, 3))
	fill := func(f func() string) string {
		var b strings.Builder
		for b.Len() < size {
			b.WriteString(f())
		}
		return b.String()[:size]
	}
	again := func(s string) string { return fill(func() string { return s }) }
	outs := render(f, symbols(f, dice), 1)
	text := prose(outs)
	words := strings.Fields(text)
	var all strings.Builder
	for _, o := range outs {
		all.Write(o.Data)
	}
	everything := all.String()
	return map[string]string{
		"one letter":  again("a"),
		"the package": again(everything),
		"its rules":   again(string(outs[len(outs)-3].Data)),
		"one passage": again(text[1000:1120] + "\n"),
		"list items": fill(func() string {
			return []string{`("title", "empty"),`, `("owner", "nobody"),`, `("theme", "plain"),`, `("notes", "none"),`, "site default"}[dice.IntN(5)]
		}),
		"one list item":        again("- a reply of 202 within 50 milliseconds\n"),
		"seeds":                fill(func() string { i := dice.IntN(len(text) - 16); return text[i:i+16] + "q" }),
		"seeds without space":  fill(func() string { i := dice.IntN(len(text) - 15); return text[i : i+15] }),
		"lines":                fill(func() string { i := dice.IntN(len(everything) - 60); return everything[i : i+60] }),
		"shuffled words":       fill(func() string { return words[dice.IntN(len(words))] + " " }),
		"copies of all kinds":  fill(func() string { return prose(render(f, symbols(f, dice), 1)) }),
		"tags":                 again("<a "),
		"links":                again("]("),
		"entities":             again("&am"),
		"escapes":              again(`\u00`),
		"combining marks":      again("a\u0301\u0302"),
		"ligatures":            again("ﷺ"),
		"not UTF-8":            again("\xff\xfe\x80"),
		"random bytes":         fill(func() string { return string([]byte{byte(dice.Uint32())}) }),
		"text with 10 % noise": fill(func() string { return charErrors(.1)(dice, everything) }),
	}
}

// TestHostile: a megabyte takes less than two seconds of processor time,
// whatever it holds; the limit allows for slower machines, -v shows the times.
func TestHostile(t *testing.T) {
	f := advisory(t)
	reader, err := NewReaderVersion(f, Align2) // it sees all that align/1 does
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range hostile(f) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpuTime()
			r := reader.Read([]Specimen{{"hostile", []byte(s)}})
			took := cpuTime() - start
			runtime.ReadMemStats(&after)
			v, o, e := r.Count()
			t.Logf("%-22s %8v, %4d MB allocated; %d read, %d other, %d erased", name, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, v, o, e)
			if took > 4*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestEffort: the same in steps, which depend on no machine: each is bounded for
// each character, and twice the text is no more than about twice the steps.
func TestEffort(t *testing.T) {
	f := advisory(t)
	count := func(s string) effort {
		r := NewReader(f)
		r.effort = new(effort)
		r.Read([]Specimen{{"", []byte(s)}})
		return *r.effort
	}
	for name, s := range hostile(f) {
		s = s[:len(s)/2]
		half, whole := count(s[:len(s)/2]), count(s)
		n := int64(len(s))
		if whole.runs > seedPlaces*n || whole.chains > whole.runs || whole.cells > 2*(workPerCharacter*n+workPerPiece*(1+n/pieceLength)) {
			t.Errorf("%s: %d bytes took %+v", name, n, whole)
		}
		for _, c := range [][2]int64{{half.runs, whole.runs}, {half.chains, whole.chains}, {half.cells, whole.cells}} {
			if c[1] > 3*c[0]+workPerPiece/8 {
				t.Errorf("%s: half of it took %+v, all of it %+v", name, half, whole)
			}
		}
	}
}

func BenchmarkReadMegabyte(b *testing.B) {
	f := advisory(b)
	reader, err := NewReaderVersion(f, Align2)
	if err != nil {
		b.Fatal(err)
	}
	all := hostile(f)
	for _, name := range []string{"the package", "text with 10 % noise", "seeds", "random bytes"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(all[name])))
			for b.Loop() {
				reader.Read([]Specimen{{"", []byte(all[name])}})
			}
		})
	}
}

// TestHostileForm: a Form whose own text repeats.
func TestHostileForm(t *testing.T) {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "The quick brown fox %s over the lazy dog. ", []string{"{{jumps|leaps}}", "{{jumped|leapt}}"}[i%2])
	}
	f := compose(t, map[string]string{"fox.md": b.String(), "a.md": strings.Repeat("a", 1<<20), "b.md": strings.Repeat("{{aa|a}}", 3000)})
	dice := rand.New(rand.NewPCG(4, 4))
	start := cpuTime()
	r := Read(f, asSpecimens(render(f, symbols(f, dice), 1)))
	v, o, e := r.Count()
	took := cpuTime() - start
	t.Logf("%v: %d read, %d other, %d erased", took.Round(time.Millisecond), v, o, e)
	if took > 6*time.Second {
		t.Errorf("took %v", took)
	}
}
