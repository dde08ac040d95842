package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/timeline"
)

type caseShow struct {
	Case    string `arg:"" help:"Title or id."`
	Members bool   `help:"List the members too, with what each wants before it can be shown content."`
}

func (*caseShow) Help() string {
	return `Staff see everything but content; members and finders see their own part.

Example:
  forewarn case show Layout --as ana`
}

func (c *caseShow) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		board, err := d.Board(a, by, id)
		if errors.Is(err, cvd.ErrDenied) {
			return a.showPart(d, by, id)
		}
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(board)
		}
		now := d.Clock()
		a.say("%s  (%s)", line(board.Title), id.Short())
		a.say("%s", standLine(board.Embargo, board.Release, board.Released, now))
		if board.Alarm != "" {
			a.say("Alarm: %s. What is known: forewarn alarm show %s", board.Alarm, id.Short())
		}
		if h := board.HeadsUp; h != nil {
			a.say("Public heads-up: %s for %s, %q", h.State, when(h.Planned), line(h.Headline))
		}
		a.say("Members: %s", consents(board.Members))
		a.say("")
		fmt.Fprintln(a.out, clean(strings.TrimRight(timeline.Text(board.Timeline, a.width()), "\n")))
		var rows [][]string
		for _, w := range board.Waves {
			rows = append(rows, []string{w.Label, w.Wave.Short(), w.Level, w.State, when(w.OpensAt), in(w.OpensAt, now), fmt.Sprint(w.Holders), fmt.Sprint(w.Fetched), fmt.Sprint(w.Received)})
		}
		if len(rows) > 0 {
			a.say("")
			a.table([]string{"WAVE", "ID", "LEVEL", "STATE", "OPENS", "", "HOLDERS", "FETCHED", "RECEIVED"}, rows)
		}
		rows = nil
		for _, m := range board.Members {
			rows = append(rows, []string{m.Name, m.Consent, fmt.Sprint(m.Fetched), fmt.Sprint(m.Received), m.Wanting})
		}
		if len(rows) > 0 && c.Members {
			a.say("")
			a.table([]string{"MEMBER", "CONSENT", "FETCHED", "RECEIVED", "WANTING"}, rows)
		}
		rows = nil
		for _, x := range board.Answers {
			rows = append(rows, []string{x.Product, x.Answer, fmt.Sprint(x.Members)})
		}
		if len(rows) > 0 {
			a.say("")
			a.table([]string{"PRODUCT", "ANSWER", "MEMBERS"}, rows)
		}
		return nil
	})
}

// consents counts members by where they stand.
func consents(all []coordinator.BoardMember) string {
	var order []string
	n := map[string]int{}
	for _, m := range all {
		if n[m.Consent]++; n[m.Consent] == 1 {
			order = append(order, m.Consent)
		}
	}
	if len(order) == 0 {
		return "none invited yet"
	}
	sort.Strings(order)
	for i, s := range order {
		order[i] = fmt.Sprintf("%d %s", n[s], s)
	}
	return strings.Join(order, ", ")
}

// standLine says how an embargo stands, and when its case becomes or became public.
func standLine(state string, release, released, now time.Time) string {
	word, at := "Release:", release
	switch {
	case !released.IsZero():
		word, at = "Public since", released
	case release.IsZero():
		return "Embargo: " + state
	case state == cvd.EmbargoLifted.String():
		word = "Not public yet; the release was planned for"
	}
	return fmt.Sprintf("Embargo: %s. %s %s, %s", state, word, when(at), in(at, now))
}

// showPart is the page of those who take part.
func (a *app) showPart(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
	p, err := d.Part(a, by, id)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(p)
	}
	now := d.Clock()
	a.say("%s  (%s)", line(p.Title), id.Short())
	a.say("%s", standLine(p.Embargo, p.Release, p.Released, now))
	if p.Consent != "" {
		a.say("Your member: %s", p.Consent)
	}
	var rows [][]string
	for _, x := range p.Products {
		rows = append(rows, []string{x.Name, x.Answer})
	}
	if len(rows) > 0 {
		a.say("")
		a.table([]string{"PRODUCT", "YOUR ANSWER"}, rows)
	}
	rows = nil
	for _, w := range p.Waves {
		how := w.Why
		switch {
		case w.Received:
			how = "received"
		case w.Fetched:
			how = "fetched; no receipt lodged yet"
		case w.Why == "":
			how = "forewarn pull " + w.Wave.Short()
		}
		rows = append(rows, []string{w.Wave.Short(), w.Level, w.State, when(w.OpensAt), in(w.OpensAt, now), how})
	}
	if len(rows) > 0 {
		a.say("")
		a.table([]string{"WAVE", "LEVEL", "STATE", "OPENS", "", "YOUR COPY"}, rows)
		a.say("")
		use := "any: it is public"
		if p.Released.IsZero() {
			use = permitted(p.Waves[len(p.Waves)-1].Uses)
		}
		a.say("Permitted use: %s", use)
	}
	return nil
}

func permitted(uses map[string]string) string {
	var out []string
	for use, said := range uses {
		if at, err := time.Parse(time.RFC3339, said); err == nil {
			said = "from " + when(at)
		}
		out = append(out, strings.ReplaceAll(use, "-", " ")+": "+said)
	}
	sort.Strings(out)
	return strings.Join(out, "; ")
}
