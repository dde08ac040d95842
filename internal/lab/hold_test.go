package lab

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"forewarn/internal/carrier"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/rate"
	"forewarn/internal/wear"
)

var (
	trials     = flag.Int("lab.trials", 4, "trials of each row of TestTraced")
	strangers  = flag.Int("lab.strangers", 5, "trials of each row of TestNeverAccused")
	seed       = flag.Uint64("lab.seed", 1, "of what TestTraced and TestNeverAccused draw")
	only       = flag.String("lab.only", "", "one row of them")
	testAlpha  = 1e-6
	testCopies = 100
)

// world is the example issued to a hundred in the default profile.
func world(t testing.TB) (issued, *Tracer) {
	b := issue(t, source(t, advisory), fpcode.Default, fpcode.JointDecoder, Seeded(*seed), testCopies)
	tracer, err := NewTracer(b.Codebook)
	if err != nil {
		t.Fatal(err)
	}
	return b, tracer
}

// worn applies transformations one after the other to copies.
func worn(dice *rand.Rand, copies [][]form.Output, names ...string) []form.Specimen {
	var out []form.Specimen
	for _, name := range names {
		w, ok := wear.Find(name)
		if !ok {
			panic("there is no row " + name)
		}
		out = w.Apply(dice, copies...).Specimens
		next := []form.Output{}
		for _, s := range out {
			next = append(next, form.Output{Path: s.Name, Data: s.Data})
		}
		copies = [][]form.Output{next}
	}
	return out
}

// each runs trials on all processors. What they find doesn't depend on how many
// there are.
func each(n int, try func(trial int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				try(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// The text-level promises: the example, issued to a hundred, is traced by its marks
// alone. Tokens stand in the specimens and are never counted.
//
// With -lab.trials=400 -v it prints the table of doc/lab.md. A row fails when the
// rate that is asked for lies above the interval of what came out.
func TestTraced(t *testing.T) {
	b, tracer := world(t)
	for _, row := range []struct {
		name   string
		wear   []string
		copies int
		goal   float64
	}{
		{"any third of the prose", []string{"excerpt-3"}, 1, .99},
		{"five mistypings in a hundred", []string{"retype-5"}, 1, .99},
		{"scanned, five in a hundred wrong", []string{"ocr-5"}, 1, .99},
		{"wrapped anew, quoted, then scanned, three in a hundred wrong", []string{"reflow", "ocr-3"}, 1, .99},
		{"a third of the prose, scanned, one in a hundred wrong", []string{"excerpt-3", "ocr-1"}, 1, .99},
		{"two merged, sentence by sentence", []string{"merge-2"}, 2, .95},
		{"three merged, sentence by sentence", []string{"merge-3"}, 3, 0},
		{"only what two have in common", []string{"common-2"}, 2, .95},
		{"only what three have in common", []string{"common-3"}, 3, .95},
		{"merged with the public copy", []string{"merge-2"}, 1, .95},
		{"any sixth of the prose", []string{"excerpt-6"}, 1, 0},
		{"any twelfth of the prose", []string{"excerpt-12"}, 1, 0},
	} {
		if *only != "" && *only != row.name {
			continue
		}
		var mu sync.Mutex
		one, all, wrong := 0, 0, 0
		each(*trials, func(trial int) {
			dice := rand.New(rand.NewPCG(*seed, uint64(trial)))
			guilty := map[[16]byte]bool{}
			var copies [][]form.Output
			perm := dice.Perm(testCopies)
			tracer := tracer
			if row.name == "merged with the public copy" {
				public := b.Copies[perm[row.copies]].Name
				copies = append(copies, b.files[public])
				var err error
				if tracer, err = NewTracer(b.Codebook); err != nil || tracer.Publish(public) != nil {
					t.Error(err)
					return
				}
			}
			for _, i := range perm[:row.copies] {
				guilty[b.Copies[i].Holder] = true
				copies = append(copies, b.files[b.Copies[i].Name])
			}
			got, err := tracer.Trace(worn(dice, copies, row.wear...), testAlpha, 1)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			right := 0
			for _, a := range got.Accused {
				if guilty[a.Holder] {
					right++
				} else {
					wrong++
				}
			}
			if right > 0 {
				one++
			}
			if right == row.copies {
				all++
			}
		})
		r, every := rate.New(one, *trials), rate.New(all, *trials)
		t.Logf("%-62s one of %d named in %d/%d, %.2f %% (%.2f–%.2f); all in %d, %.2f–%.2f %%; others accused: %d", row.name, row.copies, r.K, r.N, 100*r.Of(), 100*r.Lo, 100*r.Hi, all, 100*every.Lo, 100*every.Hi, wrong)
		if r.Hi < row.goal {
			t.Errorf("%s: traced in %d of %d, want %.0f %%", row.name, r.K, r.N, 100*row.goal)
		}
		if wrong > 0 {
			t.Errorf("%s: %d accusations of copies that had no part", row.name, wrong)
		}
	}
}

// Where two copies were issued, a leak of one is never explained by a chance merge of
// both: with these seeds it once was.
func TestTracedAmongTwo(t *testing.T) {
	for _, row := range []struct {
		seed uint64
		copy int
	}{{163, 0}, {228, 1}, {242, 0}} {
		b := issue(t, source(t, advisory), fpcode.Default, fpcode.JointDecoder, Seeded(row.seed), 2)
		tracer, err := NewTracer(b.Codebook)
		if err != nil {
			t.Fatal(err)
		}
		c := b.Copies[row.copy]
		var prose []form.Specimen
		for _, o := range b.files[c.Name] {
			if o.Path == "advisory.md" {
				prose = append(prose, form.Specimen{Name: o.Path, Data: o.Data})
			}
		}
		got, err := tracer.Trace(prose, testAlpha, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Accused) != 1 || got.Accused[0].Holder != c.Holder {
			t.Errorf("seed %d: %s leaked; %d accused", row.seed, c.Name, len(got.Accused))
		}
	}
}

// What is not from the issued copies accuses none of them, and even the best of
// them agrees no better than chance: in at most so many cases as its p_adjusted
// says.
func TestNeverAccused(t *testing.T) {
	b, tracer := world(t)
	bulk := b.Form.RenderBulk(form.PoC)
	other := issue(t, source(t, advisory), fpcode.Default, fpcode.JointDecoder, Seeded(*seed+1<<32), 1)
	prose := proseOf(t)
	small := issue(t, anotherPackage(), fpcode.Default, fpcode.JointDecoder, Seeded(*seed+1<<33), 1)
	for _, row := range []struct {
		name string
		find func(dice *rand.Rand, trial int) []form.Specimen
	}{
		// A copy that was never issued: what the public advisory is to the copies.
		{"the package, set with a stranger's key", func(dice *rand.Rand, _ int) []form.Specimen {
			h := stranger(dice)
			return specimens(append(b.Render(h), bulk...))
		}},
		{"half of that, scanned", func(dice *rand.Rand, _ int) []form.Specimen {
			h := stranger(dice)
			return worn(dice, [][]form.Output{b.Render(h)}, "excerpt-2", "ocr-3")
		}},
		// The same source sealed as another programme would: other keys, other laws.
		{"the same source, another programme's", func(dice *rand.Rand, trial int) []form.Specimen {
			h := stranger(dice)
			return specimens(other.Render(h))
		}},
		{"another package", func(dice *rand.Rand, trial int) []form.Specimen {
			h := stranger(dice)
			return specimens(small.Render(h))
		}},
		{"prose of something else", func(dice *rand.Rand, _ int) []form.Specimen {
			from := dice.IntN(len(prose) - 8000)
			return []form.Specimen{{Name: "prose", Data: prose[from : from+8000]}}
		}},
	} {
		if *only != "" && *only != row.name {
			continue
		}
		var mu sync.Mutex
		wrong, low := 0, 0
		each(*strangers, func(trial int) {
			got, err := tracer.Trace(row.find(rand.New(rand.NewPCG(*seed, uint64(trial))), trial), testAlpha, 1)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			wrong += min(1, len(got.Accused))
			if got.Best.PUpper > 0 && got.Best.PAdjusted <= .05 {
				low++
			}
			if len(got.Tokens) > 0 {
				t.Errorf("%s: a token of a copy: %+v", row.name, got.Tokens[0])
			}
		})
		w, l := rate.New(wrong, *strangers), rate.New(low, *strangers)
		t.Logf("%-40s accused in %d/%d (at most %.3g %%); p_adjusted ≤ 0.05 in %.2f %% (%.2f–%.2f)", row.name, w.K, w.N, 100*w.Hi, 100*l.Of(), 100*l.Lo, 100*l.Hi)
		if wrong > 0 {
			t.Errorf("%s: %d of %d times somebody is accused", row.name, wrong, *strangers)
		}
		if l.Lo > .05 {
			t.Errorf("%s: p_adjusted is at most 0.05 in %d of %d cases", row.name, l.K, l.N)
		}
	}
}

// stranger is a holder that no copy was issued to.
func stranger(dice *rand.Rand) (h [16]byte) {
	for i := range h {
		h[i] = byte(dice.Uint32())
	}
	return h
}

// proseOf is running text that is not the package's: this project's pages.
func proseOf(t *testing.T) (out []byte) {
	names, err := filepath.Glob("../../doc/*.md")
	if err != nil || len(names) < 3 {
		t.Fatalf("%d pages, %v", len(names), err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

// anotherPackage is one of the same make about something else.
func anotherPackage() carrier.Source {
	return carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte(`# Quayside Gateway: a session outlives its sign-out

{{Anyone|Whoever}} holds a session {{cookie|identifier}} of Quayside Gateway can {{go on using|continue to use}} it after the user has
signed out. {{The vendor knows of no attack|No attack is known to the vendor}}. {{A fix is being tested|Tests of a fix are under way}}.

{{Until then|Meanwhile}}, {{shorten|reduce}} the lifetime of sessions to ten minutes, and {{look|search}} the access log for requests
that {{carry|bear}} an identifier which was {{revoked|withdrawn}} before.

<!-- order -->
- Gateway 3.1
- Gateway 3.2
- Gateway 3.3
- Gateway 4.0
<!-- end -->

{{Report|Tell us}} what you find; {{questions are welcome|ask us anything}}.
`)},
		{Path: carrier.ManifestPath, Data: []byte("title: Quayside Gateway sessions\ntlp: TLP:AMBER\n")},
	}}
}
