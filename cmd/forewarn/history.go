package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
)

type findingsHistory struct {
	Member string `arg:"" help:"Name or id."`
}

func (*findingsHistory) Help() string {
	return `E multiplies over all cases what a bet on 'derived from this member's copy' would have won; an innocent member's ever reaches the threshold with a probability of one in a million at most, over all members. Numbers are told of cases whose findings name the member's copy, and of no other: they would lead towards an innocent copy.

Example:
  forewarn findings history Northlight --as ina`
}

type historyRow struct {
	Case     string    `json:"case"`
	Opened   time.Time `json:"opened"`
	Named    bool      `json:"named"`
	Told     bool      `json:"told"`
	NewSites int       `json:"new_sites,omitempty"`
	Score    int64     `json:"score,omitempty"`
	E        string    `json:"e,omitempty"`
	Note     string    `json:"note,omitempty"`
}

func (c *findingsHistory) Run(a *app) error {
	return a.withInquiry(func(d *coordinator.Desk, o *home.Office, by cvd.Actor) error {
		m, err := d.Member(a, by, c.Member)
		if err != nil {
			return err
		}
		h, err := o.History(d, by, m)
		if err != nil {
			return err
		}
		name, err := a.names(d)
		if err != nil {
			return err
		}
		rows := []historyRow{}
		for _, x := range h.Cases {
			rows = append(rows, historyRow{name(entrylog.Ref(x.Case)), x.Opened, x.Named, x.Told, x.NewSites, x.Score, x.E, historyNote(x)})
		}
		if a.JSON {
			return a.printJSON(fields{"member": m, "admitted": h.Admitted, "threshold": h.Threshold, "alpha": h.Alpha, "reached": h.Reached, "e": h.E, "cases": rows})
		}
		a.say("%s, admitted as number %d: would be accused by all cases together at E of %s or more (alpha %s over all members).", name(entrylog.Ref(m)), h.Admitted, h.Threshold, h.Alpha)
		var lines [][]string
		for _, r := range rows {
			e, score, sites := "–", "–", "–"
			if r.Told {
				e, score, sites = r.E, fmt.Sprintf("%+.1f nat", float64(r.Score)/65536), strconv.Itoa(r.NewSites)
			}
			lines = append(lines, []string{when(r.Opened), r.Case, sites, score, e, gauge(r.E, h.Threshold), r.Note})
		}
		if len(lines) == 0 {
			a.say("No case was counted yet.")
			return nil
		}
		a.table([]string{"KEYS OPENED", "CASE", "NEW PLACES", "SCORE", "E SO FAR", "TO THE THRESHOLD", ""}, lines)
		switch {
		case h.Reached:
			a.say("E reached the threshold: %s is accused by all cases together. Every case above is open from here on.", name(entrylog.Ref(m)))
		case h.E != "":
			a.say("All together: E is %s, below the threshold.", h.E)
		default:
			a.say("All together: not told.")
		}
		return nil
	})
}

func historyNote(x inquiry.HistoryCase) string {
	switch {
	case x.Lost:
		return "opened and never counted: counts as the worst that it can be"
	case !x.Touched:
		return "no copy in time, or its key was open before"
	case x.Told:
		return ""
	}
	return "counted; nothing is told of a copy that is not named"
}

// gauge draws how far E has come on a scale of powers of ten, from 1 to the
// threshold.
func gauge(e, threshold string) string {
	const width = 24
	at, _ := strconv.ParseFloat(e, 64)
	full, _ := strconv.ParseFloat(threshold, 64)
	if at <= 0 || full <= 1 {
		return ""
	}
	n := max(0, min(width, int(width*math.Log10(at)/math.Log10(full))))
	return strings.Repeat("█", n) + strings.Repeat("·", width-n)
}
