package plan

import (
	"fmt"
	"math"

	"forewarn/internal/carrier"
	"forewarn/internal/fpcode"
)

// Question is what a plan is made for.
type Question struct {
	Profile   fpcode.Profile
	Copies    int     // that will be issued, from 1
	Alpha     float64 // family-wise, in (0, 1)
	Erasure   float64 // share of the marks that won't be read, in [0, 1): costs 1/(1-Erasure)
	Colluders int     // how many merged copies are looked at: 1 to 6
	File      string  // the text that an excerpt is taken from; empty: the prose with most marks
}

// Check says what can't be planned for.
func (q Question) Check() error {
	switch {
	case q.Copies < 1 || q.Copies > 1<<40:
		return fmt.Errorf("%d copies can't be planned for", q.Copies)
	case !(q.Alpha > 0 && q.Alpha < 1):
		return fmt.Errorf("alpha %g must be between 0 and 1", q.Alpha)
	case !(q.Erasure >= 0 && q.Erasure < 1):
		return fmt.Errorf("erasure %g must be from 0 to below 1", q.Erasure)
	case q.Colluders < 1 || q.Colluders > fpcode.MaxColluders:
		return fmt.Errorf("%d colluders; from 1 to %d can be planned for", q.Colluders, fpcode.MaxColluders)
	}
	_, err := TableOf(q.Profile)
	return err
}

// Share is one part in so many of a text, contiguous, wherever the least stands.
type Share int

// Shares are those that are told; 1 is the whole.
var Shares = []Share{1, 2, 3, 6, 12}

// String is "whole", "half", "third", "sixth", "twelfth" or "1/n".
func (s Share) String() string {
	if n, ok := map[Share]string{1: "whole", 2: "half", 3: "third", 6: "sixth", 12: "twelfth"}[s]; ok {
		return n
	}
	return fmt.Sprintf("1/%d", int(s))
}

// ParseShare reads what String writes, and "all" for the whole.
func ParseShare(s string) (Share, error) {
	if s == "all" { // as the pictures call it
		return 1, nil
	}
	for _, x := range Shares {
		if s == x.String() || s == fmt.Sprintf("1/%d", int(x)) {
			return x, nil
		}
	}
	var n int
	if _, err := fmt.Sscanf(s, "1/%d", &n); err != nil || n < 1 || n > 1000 || s != fmt.Sprintf("1/%d", n) {
		return 0, fmt.Errorf("%q is not a share of a text: whole, half, third, sixth, twelfth, or 1/N", s)
	}
	return Share(n), nil
}

// Reach is what can be traced from some marks.
type Reach struct {
	Sites   int
	Marks   float64   // average marks with two alternatives that the sites are worth
	Catch   []float64 // by colluders - 1: how probably one of them is accused
	Traced  int       // so many colluders, and all fewer, with Goal; 0: not even one copy
	AlphaOf float64   // the family-wise alpha at which one copy is traced with Goal
}

// Part is what the least part of a text holds.
type Part struct {
	Share    Share
	From, To uint32 // lines of the source: where the part with the least bits is
	All      Reach
	Robust   Reach // without wording: sites of class prose, which a rewriter with a word list reaches first
}

// Plan is what a package's marks are good for.
type Plan struct {
	Question
	Table      *Table
	Everything Part // all files together, each site once
	Main       string
	Parts      []Part  // of Main, by Shares
	Curve      []Point // of Main, by rising share
	PerMark    float64 // bits of an average mark

	layout *carrier.Layout
}

// Point is a point of the power curves.
type Point struct {
	Of    float64   // share of the text
	Catch []float64 // by colluders - 1
}

// points is how finely the curves are drawn.
const points = 24

// robust are the classes that remain when all wording is the leaker's own.
func robust(c fpcode.Class) bool { return c != fpcode.ClassProse }

// New plans. layouts and report are of carrier.Lay, in the question's profile.
func New(q Question, report carrier.Report, layouts []carrier.Layout) (*Plan, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	p := &Plan{Question: q, PerMark: MarkBits(q.Profile)}
	p.Table, _ = TableOf(q.Profile) // Check saw it
	if err := p.choose(layouts); err != nil {
		return nil, err
	}
	p.Everything = Part{Share: 1, All: p.reach(carrier.View{Sites: report.Sites, Bits: report.Bits})}
	var rest carrier.View
	for _, c := range report.Classes {
		if robust(c.Class) {
			rest.Sites += c.Sites
			rest.Bits += c.Bits
		}
	}
	p.Everything.Robust = p.reach(rest)
	if p.layout == nil {
		return p, nil
	}
	p.Main = p.layout.Path
	for _, s := range Shares {
		p.Parts = append(p.Parts, p.part(s))
	}
	for i := 1; i <= points; i++ {
		r := p.reach(p.layout.Least(p.layout.Length*i/points, nil))
		p.Curve = append(p.Curve, Point{float64(i) / points, r.Catch})
	}
	return p, nil
}

// choose finds the text that excerpts are from.
func (p *Plan) choose(layouts []carrier.Layout) error {
	var most carrier.Millibits
	for i := range layouts {
		l := &layouts[i]
		if p.File != "" {
			if l.Path == p.File {
				p.layout = l
			}
			continue
		}
		if bits := l.Least(l.Length, nil).Bits; l.Prose && bits > most {
			p.layout, most = l, bits
		}
	}
	if p.File != "" && p.layout == nil {
		return fmt.Errorf("the package has no file %q", p.File)
	}
	return nil
}

func (p *Plan) part(s Share) Part {
	l, window := p.layout, p.layout.Length/int(s)
	least := l.Least(window, nil)
	return Part{
		Share: s, From: l.Line(least.At), To: l.Line(max(least.At, least.At+window-1)),
		All: p.reach(least), Robust: p.reach(l.Least(window, robust)),
	}
}

func (p *Plan) reach(v carrier.View) Reach {
	r := Reach{Sites: int(v.Sites), Marks: v.Bits.Bits() / p.PerMark}
	read := r.Marks * (1 - p.Erasure)
	for c := 1; c <= p.Colluders; c++ {
		one, err := p.Table.CatchOne(c, read, p.Table.Bits(c, p.Copies, p.Alpha))
		if err != nil {
			one = 0
		}
		r.Catch = append(r.Catch, one)
		if one >= Goal && r.Traced == c-1 {
			r.Traced = c
		}
	}
	r.AlphaOf = 1
	if ev, err := p.Table.evidence(1, read); err == nil {
		r.AlphaOf = min(1, float64(p.Copies)*math.Exp2(-at(p.Table.Shares, ev, 1-Goal)))
	}
	return r
}

// at interpolates y at x.
func at(xs, ys []float64, x float64) float64 {
	for i, x1 := range xs {
		if x1 >= x {
			if i == 0 {
				return ys[0]
			}
			f := (x - xs[i-1]) / (x1 - xs[i-1])
			return ys[i-1] + f*(ys[i]-ys[i-1])
		}
	}
	return ys[len(ys)-1]
}
