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
		"one letter":           again("a"),
		"the package":          again(everything),
		"its rules":            again(string(outs[len(outs)-3].Data)),
		"one passage":          again(text[1000:1120] + "\n"),
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
	reader := NewReader(f)
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
