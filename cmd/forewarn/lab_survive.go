package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"forewarn/internal/carrier"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wear"
)

type labSurvive struct {
	Source  string   `help:"The source folder." required:"" placeholder:"DIR"`
	Trials  int      `help:"Copies for each row; 20 if not given." default:"20" placeholder:"N"`
	Seed    uint64   `help:"What is drawn is drawn from it: the same seed gives the same table. 1 if not given." default:"1" placeholder:"S"`
	Reader  string   `help:"Which reader; align/2 if not given." default:"align/2" placeholder:"NAME"`
	Only    []string `help:"Only these rows." placeholder:"ROW"`
	Profile string   `help:"The bias profile; 'default' if not given." default:"default" placeholder:"PROFILE"`
}

func (*labSurvive) Help() string {
	var rows strings.Builder
	for _, w := range wear.Table {
		fmt.Fprintf(&rows, "  %-13s %s\n", w.Name, w.What)
	}
	return `Compiles the folder with a key made from the seed, renders copies, does to each what happens to leaked text, reads it back and counts what was read right. Nothing is kept.

Rows:
` + rows.String() + `
Example:
  forewarn lab survive --source examples/advisory --trials 50 --seed 7`
}

const mostTrials = 100_000

func (c *labSurvive) Run(a *app) error {
	if c.Trials < 1 || c.Trials > mostTrials {
		return usage("--trials is from 1 to %d", mostTrials)
	}
	profile, err := fpcode.ParseProfile(c.Profile)
	if err != nil {
		return usage("%v", err)
	}
	rows, err := c.rows()
	if err != nil {
		return err
	}
	src, err := a.source(c.Source)
	if err != nil {
		return err
	}
	f, m, _, err := carrier.CompileFor(src, seedKey(c.Seed), profile, nil)
	if err != nil {
		return err
	}
	reader, err := form.NewReaderVersion(f, c.Reader)
	if err != nil {
		return usage("%v", err)
	}
	results := c.measure(a, f, reader, rows)
	if err := a.Err(); err != nil {
		return err
	}
	if a.JSON {
		out := []fields{}
		for _, s := range results {
			out = append(out, survivalOf(s))
		}
		return a.printJSON(fields{"title": m.Title, "profile": profile.String(), "reader": reader.Version(), "trials": c.Trials, "seed": c.Seed, "sites": len(f.Sites), "rows": out})
	}
	a.say("%s", m.Title)
	a.say("%s of %d sites for each row, seed %d, read with %s; profile %v.", count(c.Trials, "copy", "copies"), len(f.Sites), c.Seed, reader.Version(), profile)
	a.survival(results)
	return nil
}

// rows are the table's, or those that were asked for.
func (c *labSurvive) rows() ([]wear.Wear, error) {
	if len(c.Only) == 0 {
		return wear.Table, nil
	}
	var rows []wear.Wear
	for _, name := range c.Only {
		w, ok := wear.Find(name)
		if !ok {
			return nil, usage("there is no row %q", name)
		}
		rows = append(rows, w)
	}
	return rows, nil
}

// seedKey is a bias key for experiments: anybody can make it again.
func seedKey(seed uint64) fpcode.Key {
	return sha256.Sum256(binary.BigEndian.AppendUint64([]byte("forewarn lab "), seed))
}

// measure works through the rows on all processors; what it finds doesn't
// depend on how many there are.
func (c *labSurvive) measure(a *app, f *form.Form, reader *form.Reader, rows []wear.Wear) []wear.Survival {
	out := make([]wear.Survival, len(rows))
	next, done := make(chan int), make(chan struct{})
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				if a.Err() == nil {
					out[i] = wear.Survive(f, reader, rows[i], c.Trials, c.Seed)
				}
				done <- struct{}{}
			}
		})
	}
	go func() {
		for i := range rows {
			next <- i
		}
		close(next)
	}()
	bar := a.bar("wearing and reading")
	bar(0, len(rows))
	for n := range rows {
		<-done
		bar(n+1, len(rows))
	}
	workers.Wait()
	return out
}

// survival prints the matrix, what became of the rest, and how honest stated
// doubts are.
func (a *app) survival(results []wear.Survival) {
	present := []fpcode.Class{}
	for _, c := range fpcode.Classes() {
		if slices.ContainsFunc(results, func(s wear.Survival) bool { t := s.Class(c); return t.Sites > 0 }) {
			present = append(present, c)
		}
	}
	a.say("\nRead right, in per cent of the places whose text is still there (95 %% interval):\n")
	head := []string{"ROW"}
	for _, c := range present {
		head = append(head, strings.ToUpper(c.String()))
	}
	var right, rest [][]string
	for i := range results {
		s := &results[i]
		row := []string{s.Wear.Name}
		for _, c := range present {
			t := s.Class(c)
			row = append(row, share(&t))
		}
		right = append(right, append(row, share(&s.Tokens)))
		of := func(n int) string { return percent(n, s.All.Sites) }
		rest = append(rest, []string{s.Wear.Name, of(s.All.Kept), of(s.All.Right), of(s.All.Soft), of(s.All.Wrong), of(s.All.Other), of(s.All.Erased), percent(s.All.Wrong, s.All.Wrong+s.All.Right)})
	}
	a.table(append(head, "TOKENS"), right)
	a.say("\nAll places together, in per cent of all:\n")
	a.table([]string{"ROW", "STILL THERE", "RIGHT", "SOFT", "WRONG", "OTHER", "ERASED", "WRONG OF READ"}, rest)
	if rows := statedRows(results); len(rows) > 1 {
		a.say("\nReadings by how far the likeliest symbol leads, all rows but merges and 'synonyms', which forge:\n")
		a.table([]string{"NATS", "READ", "WRONG", "WRONG %", "95 % INTERVAL", "STATED AT MOST %"}, rows)
	}
}

func statedRows(results []wear.Survival) (rows [][]string) {
	for _, x := range statedOf(results) {
		low, high := wear.Wilson(float64(x.Wrong), float64(x.Read))
		name, at := "hard", "–"
		if x.Nats < wear.HardNats {
			name, at = fmt.Sprint(x.Nats), fmt.Sprintf("%.3g", 100/(1+math.Exp(float64(x.Nats))))
		}
		rows = append(rows, []string{name, fmt.Sprint(x.Read), fmt.Sprint(x.Wrong), fmt.Sprintf("%.3g", 100*float64(x.Wrong)/float64(x.Read)), perCent(low) + "–" + perCent(high), at})
	}
	return rows
}

// statedOf sums stated certainties over rows that change nothing on purpose.
func statedOf(results []wear.Survival) (out []wear.Stated) {
	sum := map[int]wear.Stated{}
	for _, s := range results {
		if s.Wear.Copies > 1 || s.Wear.Name == "synonyms" || s.Wear.Name == "canonical" {
			continue
		}
		for _, x := range s.Stated {
			sum[x.Nats] = wear.Stated{Nats: x.Nats, Read: sum[x.Nats].Read + x.Read, Wrong: sum[x.Nats].Wrong + x.Wrong}
		}
	}
	for _, x := range sum {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b wear.Stated) int { return a.Nats - b.Nats })
	return out
}

func share(t *wear.Tally) string {
	p, low, high := t.Share()
	if math.IsNaN(p) {
		return "–"
	}
	return fmt.Sprintf("%.1f %s–%s", 100*p, whole(math.Floor(100*low)), whole(math.Ceil(100*high)))
}

func whole(x float64) string { return fmt.Sprintf("%.0f", x) }

func percent(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", 100*float64(n)/float64(of))
}

// survivalOf is a row for programs.
func survivalOf(s wear.Survival) fields {
	tally := func(t wear.Tally) fields {
		v := fields{"sites": t.Sites, "kept": t.Kept, "right": t.Right, "kept_right": t.KeptRight, "soft": t.Soft, "wrong": t.Wrong, "other": t.Other, "erased": t.Erased}
		if p, low, high := t.Share(); !math.IsNaN(p) {
			v["share"], v["low"], v["high"] = p, low, high
		}
		return v
	}
	classes := fields{}
	for _, c := range fpcode.Classes() {
		if t := s.Class(c); t.Sites > 0 {
			classes[c.String()] = tally(t)
		}
	}
	stated := []fields{}
	for _, x := range s.Stated {
		v := fields{"read": x.Read, "wrong": x.Wrong, "hard": x.Nats == wear.HardNats}
		if x.Nats < wear.HardNats {
			v["nats"] = x.Nats
		}
		stated = append(stated, v)
	}
	return fields{"name": s.Wear.Name, "what": s.Wear.What, "all": tally(s.All), "classes": classes, "tokens": tally(s.Tokens), "stated": stated}
}
