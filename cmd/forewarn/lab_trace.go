package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"forewarn/internal/fpcode"
	"forewarn/internal/lab"
	"forewarn/internal/plan"
)

type labTrace struct {
	Codebook string   `help:"The file that 'forewarn lab issue' wrote beside the copies." required:"" placeholder:"FILE"`
	Specimen []string `arg:"" help:"What was found: files, or folders of them."`
	Alpha    float64  `help:"How often a leak may be laid to some copy that it isn't from; 1e-6 if not given." default:"1e-6" placeholder:"A"`
	Public   []string `help:"A copy that everybody has, as the advisory once it is released: it may have been merged with others, and is never accused." placeholder:"NAME"`
	Runs     int      `help:"The how-manieth trace with this codebook it is: every one costs. The lab doesn't count; 1 if not given." name:"run" default:"1" placeholder:"K"`
}

func (*labTrace) Help() string {
	return `Reads the specimens and says from which copies they derive, or that it cannot say; both are exit code 0. Tokens are reported apart, and no probability knows of them.

Example:
  forewarn lab trace --codebook trial/codebook paste.txt`
}

func (c *labTrace) Run(a *app) error {
	if !(c.Alpha > 0 && c.Alpha < 1) {
		return usage("--alpha is between 0 and 1")
	}
	if c.Runs < 1 || c.Runs > 1<<20 {
		return usage("--run counts from 1")
	}
	b, err := a.read(c.Codebook, maxCodebook)
	if err != nil {
		return err
	}
	book, err := lab.Parse(b)
	if err != nil {
		if errors.Is(err, lab.ErrVersion) {
			return fmt.Errorf("%w: %q: %w", errInput, c.Codebook, err)
		}
		return fmt.Errorf("%q is not a whole codebook of 'forewarn lab issue', which writes one beside its copies: %w: %w", c.Codebook, errInput, err)
	}
	tracer, err := lab.NewTracer(book)
	if err != nil {
		return fmt.Errorf("%w: %w", errInput, err)
	}
	for _, name := range c.Public {
		if err := tracer.Publish(name); err != nil {
			return usage("--public: %v", err)
		}
	}
	specimens, passed, err := a.specimens(c.Specimen)
	if err != nil {
		return err
	}
	t, err := tracer.Trace(specimens, c.Alpha, c.Runs)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(c.forPrograms(book, t, passed))
	}
	c.forPeople(a, book, t, passed)
	return nil
}

const maxCodebook = 300 << 20

// number is a probability as JSON, rounded up to two digits.
func number(p float64) json.Number { return json.Number(fpcode.RoundUp2(p)) }

func (c *labTrace) forPrograms(book *lab.Codebook, t lab.Trace, passed int) fields {
	read, other, erased := t.Readings.Count()
	accusations, tokens, specimens := []fields{}, []fields{}, []fields{}
	for _, x := range t.Accused {
		accusations = append(accusations, fields{
			"member": book.Name(x.Holder), "p_upper": number(x.PUpper), "p_estimate": number(x.PEstimate), "p_sampled": number(x.PSampled), "p_sampled_se": number(x.SE),
			"p_adjusted": number(x.PAdjusted), "sites_read": read, "sites_other": other, "sites_erased": erased, "score_nats": float64(x.Score) / fpcode.ScoreUnit,
			"explained": explained(book, x),
		})
	}
	for _, h := range t.Tokens {
		tokens = append(tokens, fields{"member": h.Copy, "slot": h.Slot, "specimen": h.Specimen, "offset": h.Offset, "text": h.Text})
	}
	for _, s := range t.Readings.Specimens {
		specimens = append(specimens, fields{"name": s.Name, "size": s.Size, "sha256": fmt.Sprintf("%x", s.Hash)})
	}
	v := fields{
		"accusations": accusations, "tokens": tokens, "specimens": specimens, "passed_over": passed,
		"sites":  fields{"all": len(t.Readings.Sites), "read": read, "other": other, "erased": erased},
		"copies": len(book.Copies), "alpha": c.Alpha, "run": c.Runs, "public": append([]string{}, c.Public...), "profile": book.Form.Bias().String(), "reader": book.Reader, "decoder": book.Decoder,
		"form": fmt.Sprintf("%x", t.Readings.Form), "readings": fmt.Sprintf("%x", t.Readings.Hash()),
	}
	if len(accusations) == 0 {
		why, help := c.cannotSay(book, t)
		v["cannot_say"] = fields{"why": why, "what_would_help": help, "least_p_adjusted": number(least(t))}
	}
	return v
}

// explained says without a copy how the specimen came about, for the test of it.
func explained(book *lab.Codebook, x fpcode.Accusation) []fields {
	out := []fields{}
	for _, p := range x.Parts {
		beside := []string{}
		for _, h := range p.Beside {
			beside = append(beside, book.Name(h))
		}
		v := fields{"colluders": p.Collusion.C, "beside": beside, "channel": p.Collusion.String()}
		if p.Class != 0 {
			v["class"] = p.Class.String()
		}
		out = append(out, v)
	}
	return out
}

// least is the least adjusted probability that any copy got.
func least(t lab.Trace) float64 {
	if t.Best.PUpper == 0 {
		return 1 // no copy scored above nothing
	}
	return t.Best.PAdjusted
}

func (c *labTrace) forPeople(a *app, book *lab.Codebook, t lab.Trace, passed int) {
	a.say("%s", book.Title)
	read, other, erased := t.Readings.Count()
	a.para("Of %s %d could be read, something else stands at %d, and %d are missing or unreadable; %s.", count(len(t.Readings.Sites), "marked place", "marked places"), read, other, erased, count(len(t.Readings.Specimens), "specimen", "specimens"))
	if passed > 0 {
		a.say("%s not read: links, devices and the like.", count(passed, "entry was", "entries were"))
	}
	a.para("Tested: %s, by %s at a family-wise %s.", count(len(book.Copies), "copy", "copies"), book.Decoder, fpcode.RoundUp2(c.Alpha))
	a.say("")
	for _, x := range t.Accused {
		a.para("Derived from the copy issued to %s: an innocent one would agree as well with probability %s, any of %d with %s.%s", book.Name(x.Holder), fpcode.RoundUp2(x.PUpper), len(book.Copies), fpcode.RoundUp2(x.PAdjusted), beside(book, x))
	}
	if len(t.Accused) == 0 {
		why, help := c.cannotSay(book, t)
		a.para("Cannot say from whose copy. %s", why)
		a.para("%s", help)
	}
	seen := map[string]bool{}
	for _, h := range t.Tokens {
		if !seen[h.Copy+" "+h.Slot] {
			seen[h.Copy+" "+h.Slot] = true
			a.para("Apart from that: the token %s of the copy issued to %s stands in %s. Whoever saw it can have put it there.", h.Slot, h.Copy, t.Readings.Specimens[h.Specimen].Name)
		}
	}
}

// beside tells how the specimen was explained without the copy, if by others.
func beside(book *lab.Codebook, x fpcode.Accusation) string {
	var out []string
	for _, p := range x.Parts {
		if p.Collusion.C < 2 {
			continue
		}
		s := fmt.Sprintf("%d copies merged", p.Collusion.C)
		if p.Class != 0 {
			s += " in " + p.Class.String()
		}
		var names []string
		for _, h := range p.Beside {
			names = append(names, book.Name(h))
		}
		if len(names) > 0 {
			s += ", " + strings.Join(names, " and ") + " among them"
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return ""
	}
	return " It was tested beside what explains the material best without it, " + strings.Join(out, "; ") + "; that accuses nobody."
}

// cannotSay says why, and what would help.
func (c *labTrace) cannotSay(book *lab.Codebook, t lab.Trace) (why, help string) {
	alpha, run := c.Alpha, c.Runs
	read, other, _ := t.Readings.Count()
	if read == 0 {
		return "No marked place was read: the material is not from this package, or nothing that tells copies apart is left of it.", "More of the text, nearer to how it was written, would help."
	}
	if name := book.Name(t.Best.Holder); t.Best.PUpper > 0 && t.Best.PAdjusted <= alpha && slices.Contains(c.Public, name) {
		return fmt.Sprintf("It derives from %s, which everybody has (an innocent one of %d would agree as well with probability %s); nobody else is needed to explain it.", name, len(book.Copies), fpcode.RoundUp2(least(t))),
			"Nothing accuses whoever had it from there."
	}
	why = fmt.Sprintf("Some innocent copy of %d would agree as well as the best does with probability %s; to accuse, that has to be %s or less.", len(book.Copies), fpcode.RoundUp2(least(t)), fpcode.RoundUp2(alpha))
	if a := t.Best; a.PUpper > 0 && a.PAdjusted <= alpha && !a.Consistent {
		return why, "It is little enough, but three ways of computing it don't agree. Keep the specimens, and report this."
	}
	profile := book.Form.Bias()
	marks := plan.ReadMarks(book.Form, t.Readings.List())
	numbers := []string{1: "one copy leaked", 2: "two were merged", 3: "three were", 4: "four were", 5: "five were", 6: "six were"}
	var need []string
	enough := 0 // copies, of which one would have been accused
	for n := 1; n < len(numbers); n++ {
		m, err := plan.Needed(profile, n, len(book.Copies), alpha, plan.Goal)
		if err != nil {
			break
		}
		need = append(need, fmt.Sprintf("about %d if %s", m, numbers[n]))
		if marks < float64(m) {
			break
		}
		enough = n
	}
	if len(need) > 0 {
		help = fmt.Sprintf("What was read is worth %.0f marks; it takes %s. ", math.Floor(marks), strings.Join(need, ", "))
	}
	// What is needed is counted for a first run: later ones have to find more.
	if enough > 0 && run == 1 {
		help += fmt.Sprintf("There is enough for %s, and in %.0f %% of such leaks somebody is accused: so probably more than %s, or the text was written anew where marks stood. ",
			upToCopies(enough), 100*plan.Goal, moreThan(enough))
	}
	help += "More of the text would help"
	if other > read/4 {
		help += ", and so would a copy of it that fewer hands have been at: many places show something that no copy has"
	}
	return why, help + "."
}

func upToCopies(n int) string {
	if n == 1 {
		return "one copy"
	}
	return fmt.Sprintf("up to %d merged copies", n)
}

func moreThan(n int) string {
	if n == 1 {
		return "one copy was merged"
	}
	return fmt.Sprintf("%d were merged", n)
}
