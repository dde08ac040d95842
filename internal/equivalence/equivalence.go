// Package equivalence finds out whether all copies of a package's rules do the
// same, by asking what members will run: Suricata, YARA, an evaluation of Sigma.
//
// The compiler has compared the structure of every variant already. Here the
// variants are run. For each file of rules they are rendered so that between them
// they show each alternative and each place of each item; each variant is judged
// on a corpus, and all must be accepted and give the same verdict on everything in
// it. The corpus is made of the rules themselves (what they match, and what they
// just don't), and of what the author adds: events, captures and files that the
// rules should and should not match.
//
//	Renderings ─► corpus made of variant 0 ─┐
//	    │          the author's corpus ─────┤
//	    └── each variant ─► Judge ◄─────────┘ ─► one verdict, or ErrDiffers
//
// A judge that isn't installed is named in the report and the file counts as not
// judged; so does a marked file of which no rule fires. Do not read 'judged' as proof for all inputs: it says that nothing in
// this corpus told the variants apart.
package equivalence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/sigma"
)

// Classes of errors. ErrDiffers and ErrNoParse refuse a package; ErrAbsent and
// ErrUnjudged are a judge's way of saying that it can't tell.
var (
	ErrDiffers  = errors.New("copies would not do the same")
	ErrNoParse  = errors.New("its readers' tool doesn't take it")
	ErrAbsent   = errors.New("not installed")
	ErrUnjudged = errors.New("not judged")
)

// File is something to be scanned.
type File struct {
	Name string
	Data []byte
}

// Corpus is what rules are judged on.
type Corpus struct {
	Events   []sigma.Event // for Sigma
	Captures []File        // in pcap, for Suricata
	Samples  []File        // for YARA
}

func (c Corpus) add(o Corpus) Corpus {
	return Corpus{slices.Concat(c.Events, o.Events), slices.Concat(c.Captures, o.Captures), slices.Concat(c.Samples, o.Samples)}
}

// Judge runs one text of rules over a corpus. Its verdict is a line for each hit,
// in any order, without anything in which copies may differ. Errors are ErrNoParse,
// ErrAbsent or ErrUnjudged; any other ends the check.
type Judge interface {
	Name() string
	Format() string // of the files that it judges, as in carrier.Rendering
	Judge(ctx context.Context, rules string, c Corpus) (verdict []string, err error)
}

// Result is what is known of one file of rules.
type Result struct {
	Path   string
	Judge  string
	On     int    // things of the corpus that it was judged on
	Hits   int    // of the verdict
	Unsaid string // why it wasn't judged; empty if it was
}

// Check judges each file of rules that has a judge. A file in which nothing
// differs between copies is judged once: what is wrong with it is told as not
// judged, because the author may know why. The first file whose variants differ,
// or aren't taken, ends the check with ErrDiffers or ErrNoParse.
func Check(ctx context.Context, files []carrier.Rendering, judges []Judge, given Corpus) ([]Result, error) {
	var out []Result
	for _, f := range files {
		i := slices.IndexFunc(judges, func(j Judge) bool { return j.Format() == f.Format })
		if i < 0 || f.Bulk {
			continue
		}
		r, err := checkFile(ctx, f, judges[i], given)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func checkFile(ctx context.Context, f carrier.Rendering, j Judge, given Corpus) (Result, error) {
	corpus := made(f).add(given)
	r := Result{Path: f.Path, Judge: j.Name()}
	var first []string
	for v, text := range f.Texts {
		if v > 0 && slices.Contains(f.Texts[:v], text) {
			continue
		}
		verdict, err := j.Judge(ctx, text, corpus)
		switch {
		case errors.Is(err, ErrAbsent), errors.Is(err, ErrUnjudged), err != nil && !f.Marked && errors.Is(err, ErrNoParse):
			r.Unsaid = err.Error()
			return r, nil
		case err != nil:
			return r, err
		}
		slices.Sort(verdict)
		if v == 0 {
			first, r.Hits = verdict, len(verdict)
			continue
		}
		if only := differ(first, verdict); only != "" {
			// A tool that isn't of one mind about one text says nothing about two.
			again, err := j.Judge(ctx, f.Texts[0], corpus)
			if slices.Sort(again); err != nil || differ(first, again) != "" {
				r.Hits, r.Unsaid = 0, fmt.Sprintf("%v: %s gives two verdicts on one text (%s)", ErrUnjudged, j.Name(), only)
				return r, nil
			}
			return r, fmt.Errorf("%w: %s finds %s with some and not with others", ErrDiffers, j.Name(), only)
		}
	}
	if f.Marked && r.Hits == 0 {
		// Verdicts without a hit are alike whatever the rules say.
		r.Unsaid = fmt.Sprintf("%v: no rule in it fires on anything in the corpus; bring something that it should match, with --corpus", ErrUnjudged)
		return r, nil
	}
	r.On = map[string]int{"sigma": len(corpus.Events), "suricata": len(corpus.Captures), "yara": len(corpus.Samples)}[f.Format]
	return r, nil
}

// differ is the first line that is in one sorted verdict alone.
func differ(a, b []string) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i == len(a):
			return b[i]
		case i == len(b):
			return a[i]
		case a[i] != b[i]:
			return min(a[i], b[i])
		}
	}
	return ""
}

// made is the corpus that follows from the rules.
func made(f carrier.Rendering) (c Corpus) {
	switch f.Format {
	case "sigma":
		rules, err := sigma.Parse(f.Texts[0])
		if err != nil {
			return c
		}
		for i := range rules {
			c.Events = append(c.Events, rules[i].Instances()...)
		}
	case "suricata":
		c.Captures = captures(f.Texts[0])
	case "yara":
		c.Samples = samples(f.Texts[0])
	}
	return c
}

// Sigma is the judge of Sigma rules: an evaluation of our own, because each member
// has another backend.
type Sigma struct{}

// limit is for one evaluation of one text.
var limit = 2 * time.Minute

// Name is Sigma's.
func (Sigma) Name() string { return "sigma" }

// Format is Sigma's.
func (Sigma) Format() string { return "sigma" }

// Judge gives a line for each rule and event that it matches. Titles may differ
// between copies, so rules are told apart by what they match. What takes longer
// than two minutes is ErrUnjudged.
func (Sigma) Judge(ctx context.Context, text string, c Corpus) ([]string, error) {
	rules, err := sigma.Parse(text)
	if errors.Is(err, sigma.ErrUnsupported) {
		return nil, fmt.Errorf("%w: %w", ErrUnjudged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoParse, err)
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	matched := make([][]int, len(rules))
	for i := range rules {
		for n, e := range c.Events {
			if limited.Err() != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return nil, fmt.Errorf("%w: evaluating took longer than %v", ErrUnjudged, limit)
			}
			if rules[i].Match(e) {
				matched[i] = append(matched[i], n)
			}
		}
	}
	slices.SortFunc(matched, slices.Compare)
	var out []string
	for i, events := range matched {
		for _, n := range events {
			out = append(out, fmt.Sprintf("event %d of the corpus by rule %d", n+1, i+1))
		}
	}
	return out, nil
}
