package plan

import (
	"encoding/xml"
	"flag"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"forewarn/internal/carrier"
	"forewarn/internal/collude"
	"forewarn/internal/folder"
	"forewarn/internal/fpcode"
)

func example(t testing.TB, q Question) (*Plan, []carrier.Layout) {
	t.Helper()
	src, err := folder.LoadSource("../../examples/advisory")
	if err != nil {
		t.Fatal(err)
	}
	_, report, layouts, err := carrier.Lay(src, fpcode.Key{1}, q.Profile)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(q, report, layouts)
	if err != nil {
		t.Fatal(err)
	}
	return p, layouts
}

var usual = Question{Profile: fpcode.Default, Copies: 100, Alpha: 1e-6, Colluders: 6}

// Every table that is embedded is what it says that it is, and re-encodes.
func TestTables(t *testing.T) {
	names, err := tableFiles.ReadDir("tables")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := tableFiles.ReadFile("tables/" + n.Name())
		if err != nil {
			t.Fatal(err)
		}
		x, err := ParseTable(string(b))
		if err != nil {
			t.Errorf("%s: %v", n.Name(), err)
			continue
		}
		if x.String() != string(b) {
			t.Errorf("%s is written otherwise", n.Name())
		}
		if x.Profile.String()+".table" != n.Name() || x.Decoder != x.Profile.Decoder() {
			t.Errorf("%s is of profile %v and decoder %s", n.Name(), x.Profile, x.Decoder)
		}
		for _, r := range x.Rows {
			if slices.Max(r.Bits) > 64+2*float64(r.Marks) {
				t.Errorf("%s: %d colluders, %d marks: more evidence than the marks can hold", n.Name(), r.Colluders, r.Marks)
			}
		}
	}
}

// More marks never catch less, less evidence asked for never either, and Marks is
// where CatchOne reaches the goal.
func TestCatchOne(t *testing.T) {
	for _, table := range tables() {
		rapid.Check(t, func(t *rapid.T) {
			c := rapid.IntRange(1, fpcode.MaxColluders).Draw(t, "colluders")
			marks := rapid.Float64Range(0, 2000).Draw(t, "marks")
			bits := rapid.Float64Range(7, 60).Draw(t, "bits")
			one, err := table.CatchOne(c, marks, bits)
			if err != nil {
				if table.Profile == fpcode.Single && c > 2 {
					return
				}
				t.Fatal(err)
			}
			less, _ := table.CatchOne(c, marks, bits+rapid.Float64Range(0, 5).Draw(t, "more"))
			if !(one >= 0 && one <= 1) || less > one+1e-9 {
				t.Fatalf("%g, and %g where more is asked for", one, less)
			}
			m, err := table.Marks(c, bits, Goal)
			if err != nil {
				return
			}
			at, _ := table.CatchOne(c, float64(m), bits)
			below, _ := table.CatchOne(c, float64(m-1), bits)
			if at < Goal || below >= Goal {
				t.Fatalf("%d marks catch with %g, one fewer with %g", m, at, below)
			}
		})
	}
}

// The tables' need at 100 copies and a family-wise 1e-6 in the default profile,
// beside the design's goals for the worst attack that is known.
func TestNeeded(t *testing.T) {
	for c, most := range []int{1: 45, 2: 135, 3: 290, 4: 430, 5: 700} {
		if c == 0 {
			continue
		}
		m, err := Needed(fpcode.Default, c, usual.Copies, usual.Alpha, Goal)
		if err != nil || m > most || m < most/2 {
			t.Errorf("%d colluders: %d marks, %v; want up to %d", c, m, err, most)
		}
	}
	if _, err := Needed(fpcode.Single, 3, 100, 1e-6, Goal); err == nil {
		t.Error("profile single is blind to three, and has a number of marks for it")
	}
	if _, err := Needed(99, 1, 100, 1e-6, Goal); err == nil {
		t.Error("an unknown profile has a number of marks")
	}
}

var validate = flag.Int("plan.trials", 24, "trials of each row of TestInterpolation")

// What is interpolated is what simulating it anew gives, between the rows of the
// table and with other numbers of copies and other alphas than it was made with.
// The table's own trials are few, so there is room for ten points beyond the fresh
// interval.
func TestInterpolation(t *testing.T) {
	for _, x := range []struct {
		p              fpcode.Profile
		c, marks, copy int
		alpha          float64
	}{
		{fpcode.Default, 1, 28, 1000, 1e-3},
		{fpcode.Default, 1, 40, 50, 1e-8},
		{fpcode.Default, 2, 75, 1000, 1e-3},
		{fpcode.Default, 2, 110, 30, 1e-9},
		{fpcode.Default, 2, 100, 10000, 1e-3},
		{fpcode.Default, 3, 165, 200, 1e-4},
		{fpcode.Single, 1, 27, 100, 1e-6},
		{fpcode.Single, 2, 110, 40, 1e-5},
		{fpcode.ThreePoint, 2, 110, 100, 1e-5},
	} {
		table, err := TableOf(x.p)
		if err != nil {
			t.Error(err)
			continue
		}
		bits := table.Bits(x.c, x.copy, x.alpha)
		want, err := table.CatchOne(x.c, float64(x.marks), bits)
		if err != nil {
			t.Error(err)
			continue
		}
		i := slices.IndexFunc(table.Rows, func(r Row) bool { return r.Colluders == x.c })
		least := collude.Outcome{}
		for k, name := range strings.Split(table.Rows[i].Attacks, "+") {
			a, err := collude.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			s := collude.Setting{N: x.copy, C: x.c, M: x.marks, Profile: x.p, Attack: a, Alpha: x.alpha, Decoder: table.Decoder}
			o, err := s.Run(77, *validate, nil)
			if err != nil {
				t.Fatal(err)
			}
			if k == 0 || o.One.K < least.One.K {
				least = o
			}
		}
		t.Logf("%v, %d of %d, %d marks, %g: %.3f interpolated, %.3f simulated (%.3f–%.3f)", x.p, x.c, x.copy, x.marks, x.alpha, want, least.One.Of(), least.One.Lo, least.One.Hi)
		if want < least.One.Lo-.1 || want > least.One.Hi+.1 {
			t.Errorf("%v, %d of %d copies, %d marks, alpha %g: %.3f interpolated; simulated %.3f (%.3f–%.3f)", x.p, x.c, x.copy, x.marks, x.alpha, want, least.One.Of(), least.One.Lo, least.One.Hi)
		}
	}
}

func TestPlan(t *testing.T) {
	p, layouts := example(t, usual)
	if p.Main != "advisory.md" || len(p.Parts) != len(Shares) || len(p.Curve) != points {
		t.Fatalf("%s, %d parts, %d points", p.Main, len(p.Parts), len(p.Curve))
	}
	i := slices.IndexFunc(layouts, func(l carrier.Layout) bool { return l.Path == p.Main })
	sites := map[int]bool{}
	for _, x := range layouts[i].Places {
		sites[x.Site] = true
	}
	if p.Parts[0].All.Sites != len(sites) {
		t.Errorf("the whole text has %d sites, and %d in the plan", len(sites), p.Parts[0].All.Sites)
	}
	before := p.Everything.All
	for _, x := range p.Parts {
		if x.All.Marks > before.Marks || x.All.Traced > before.Traced || x.Robust.Marks > x.All.Marks || x.From > x.To {
			t.Errorf("%v: %+v after %+v", x.Share, x, before)
		}
		before = x.All
	}
	lost, _ := example(t, Question{Profile: fpcode.Default, Copies: 100, Alpha: 1e-6, Colluders: 6, Erasure: .5})
	if got, want := lost.Parts[2].All.Catch[0], p.Parts[2].All; got > want.Catch[0] || lost.Parts[2].All.Marks != want.Marks {
		t.Errorf("half of the marks lost: %g from a third, and %g with all", got, want.Catch[0])
	}
}

func TestQuestionRefuses(t *testing.T) {
	for _, f := range []func(*Question){
		func(q *Question) { q.Copies = 0 }, func(q *Question) { q.Alpha = 0 }, func(q *Question) { q.Alpha = math.NaN() },
		func(q *Question) { q.Erasure = 1 }, func(q *Question) { q.Colluders = 7 }, func(q *Question) { q.Profile = 99 },
	} {
		q := usual
		f(&q)
		if q.Check() == nil {
			t.Errorf("%+v passes", q)
		}
	}
	for _, s := range []string{"", "third", "third:", "third:0", "third:7", "tenth:1", "1/0:1", "1/03:1", "third:x"} {
		if w, err := ParseWant(s); err == nil {
			t.Errorf("%q is read as %v", s, w)
		}
	}
	if w, err := ParseWant("all:1"); err != nil || w != (Want{1, 1}) {
		t.Errorf("all:1 is read as %v, %v", w, err)
	}
	for _, w := range []Want{{1, 1}, {3, 2}, {24, 6}} {
		if got, err := ParseWant(w.String()); err != nil || got != w {
			t.Errorf("%v is read as %v, %v", w, got, err)
		}
	}
}

// A goal that was met by adding what is missing is reached: every window then
// holds enough. And one mark fewer would not do, where anything is missing.
func TestMissing(t *testing.T) {
	p, _ := example(t, usual)
	for _, w := range []Want{{1, 1}, {2, 1}, {12, 1}, {20, 1}, {3, 2}, {2, 3}, {6, 2}} {
		m, err := p.Missing(w)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, a := range m.Add {
			sum += a.Marks
		}
		spread := 0
		for _, a := range m.Grouped() {
			spread += a.Marks
		}
		if sum != m.InTotal || spread != sum || (sum > 0) != (m.Least < m.Needed) {
			t.Errorf("%v: %d missing, %d listed, %d grouped; least %d of %d", w, m.InTotal, sum, spread, m.Least, m.Needed)
		}
		if len(m.Grouped()) > 3*int(w.Share) {
			t.Errorf("%v: %d places to add at are told", w, len(m.Grouped()))
		}
	}
	if m, err := p.Missing(Want{3, 6}); err == nil && m.Needed == 0 {
		t.Errorf("%+v", m)
	}
}

func TestMissingIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := &Table{Shares: []float64{.05, .5}, Rows: []Row{{Colluders: 1, Marks: 40, Bits: []float64{40, 41}}}}
		l := &carrier.Layout{Path: "x", Length: rapid.IntRange(200, 600).Draw(t, "length")}
		layoutOf := func(at []int) *carrier.Layout {
			out := carrier.Flat("x", l.Length)
			for i, x := range at {
				out.Places = append(out.Places, carrier.Place{At: x, End: x + 1, Site: i, Class: fpcode.ClassProse, Bits: 1000})
			}
			out.Count(len(at))
			return out
		}
		var at []int
		for range rapid.IntRange(0, 60).Draw(t, "places") {
			at = append(at, rapid.IntRange(0, l.Length-1).Draw(t, "at"))
		}
		slices.Sort(at)
		p := &Plan{Question: Question{Copies: 1, Alpha: math.Exp2(-10), Colluders: 1}, Table: table, PerMark: 1, layout: layoutOf(at)}
		w := Want{Share(rapid.IntRange(1, 8).Draw(t, "share")), 1}
		m, err := p.Missing(w)
		if err != nil {
			t.Fatal(err)
		}
		all, spread := slices.Clone(at), slices.Clone(at)
		for _, a := range m.Add {
			for range a.Marks {
				all = append(all, int(a.At)) // a flat layout's lines are its offsets
				spread = append(spread, rapid.IntRange(int(a.From), int(a.At)).Draw(t, "spread"))
			}
		}
		for _, all := range [][]int{all, spread} {
			slices.Sort(all)
			if got := layoutOf(all).Least(l.Length/int(w.Share), nil); int(got.Sites) < m.Needed {
				t.Fatalf("after adding %d, a part holds %d of %d: %+v", m.InTotal, got.Sites, m.Needed, m.Add)
			}
		}
	})
}

// The pictures: well-formed, within their width, and with every number in words.
func TestPictures(t *testing.T) {
	p, _ := example(t, usual)
	svg := p.SVG(720)
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"one copy", "6 merged", "<desc", "The third of advisory.md", "prefers-color-scheme:dark", "@media print"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	for _, not := range []string{"<script", "href", "url("} {
		if strings.Contains(svg, not) {
			t.Errorf("the picture has %q", not)
		}
	}
	// What doesn't fit into the width stands in another line, and no label on the next.
	for width, want := range map[int]struct{ title, twelfth int }{MinSVG: {2, 0}, 720: {1, 1}} {
		svg := p.SVG(width)
		if n, at := strings.Count(svg, `class="p-title"`), strings.Count(svg, ">1/12<"); n != want.title || at != want.twelfth {
			t.Errorf("%d px: the title has %d lines, want %d; 1/12 is there %d times, want %d", width, n, want.title, at, want.twelfth)
		}
	}
	for _, width := range []int{0, 40, 80, 200} {
		for line := range strings.Lines(p.Text(width)) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > max(width, MinWidth) {
				t.Errorf("width %d: a line of %d: %q", width, n, line)
			}
		}
	}
	if text := p.Text(80); !strings.Contains(text, "1") || !strings.Contains(text, "100 %┤") {
		t.Errorf("the terminal's picture:\n%s", text)
	}
}

// What can trace nothing isn't drawn as an empty picture; each curve that climbs has
// its number, and each its name, once.
func TestPicturesTellCurvesApart(t *testing.T) {
	p, _ := example(t, usual)
	svg, text := p.SVG(720), p.Text(80)
	for c := range p.Colluders {
		climbs := slices.ContainsFunc(p.Curve, func(x Point) bool { return x.Catch[c] >= .5 })
		n := strings.Count(svg, ">"+string(rune('1'+c))+"</text>")
		if climbs != (n == 1) || strings.Count(svg, ">"+label(c)+"</text>") != 1 {
			t.Errorf("the curve of %d, which climbs: %v, has %d numbers", c+1, climbs, n)
		}
		if climbs && !strings.Contains(text, string(rune('1'+c))) {
			t.Errorf("the curve of %d is nowhere in\n%s", c+1, text)
		}
	}
	for i := range p.Curve {
		p.Curve[i].Catch = make([]float64, p.Colluders)
	}
	if got := p.Text(80); got != "" || !p.Weak() {
		t.Errorf("nothing is drawn as\n%s", got)
	}
}

// An editor asks while somebody types.
func BenchmarkPlan(b *testing.B) {
	src, err := folder.LoadSource("../../examples/advisory")
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for b.Loop() {
		_, report, layouts, err := carrier.Lay(src, fpcode.Key{1}, fpcode.Default)
		if err != nil {
			b.Fatal(err)
		}
		p, err := New(usual, report, layouts)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Missing(Want{12, 1}); err != nil {
			b.Fatal(err)
		}
		p.SVG(720)
	}
	b.ReportMetric(float64(time.Since(start).Milliseconds())/float64(b.N), "ms/plan")
}

func FuzzParseTable(f *testing.F) {
	f.Add((&Table{Profile: fpcode.Default, Decoder: "joint/1", Copies: 100, Trials: 20, Seed: 1, Shares: []float64{.1, .5}, Rows: []Row{{1, 8, []float64{1, 2}, "delete"}}}).String())
	f.Add("forewarn marks v1\n")
	f.Fuzz(func(t *testing.T, s string) {
		x, err := ParseTable(s)
		if err != nil {
			return
		}
		if _, err := ParseTable(x.String()); err != nil {
			t.Fatalf("what it writes it refuses: %v", err)
		}
	})
}
