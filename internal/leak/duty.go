package leak

import (
	_ "embed"
	"encoding/json"
	"slices"
	"time"

	"forewarn/internal/evidence"
)

// Rules on passing on what one reads are data, each with its citation. Nothing in
// this package knows a country.
//
//go:embed duties.json
var dutiesJSON []byte

// onward is one such rule.
type onward struct {
	Jurisdiction string    `json:"jurisdiction"`
	Authority    string    `json:"authority"`
	Hours        int       `json:"hours"`
	Trigger      string    `json:"trigger"`
	Status       string    `json:"status"`
	From         time.Time `json:"from"` // in force
	Citation     string    `json:"citation"`
	Note         string    `json:"note"`
}

var onwards = func() (out []onward) {
	if err := json.Unmarshal(dutiesJSON, &out); err != nil {
		panic(err) // it is embedded above, and tested
	}
	return out
}()

// duties are the rules of jurisdictions whose members could read, from when the
// first of them could. Readers are all in the audience of a wave that had opened:
// what they fetched is on the log, what they were told is not.
func (j *judge) duties() (out evidence.List[evidence.Duty]) {
	for _, rule := range onwards {
		var since time.Time
		members := map[string]bool{}
		for _, w := range j.in.Facts.Waves {
			for _, h := range w.Holders {
				who := j.holder[h]
				if who.Staff || !slices.Contains(who.Jurisdictions, rule.Jurisdiction) {
					continue
				}
				members[who.ID.String()] = true
				if since.IsZero() || w.OpensAt.Before(since) {
					since = w.OpensAt
				}
			}
		}
		if since.IsZero() || since.Before(rule.From) {
			continue
		}
		d := evidence.Duty{
			Jurisdiction: rule.Jurisdiction, Authority: rule.Authority, Citation: rule.Citation,
			Clock: clock(rule), Members: len(members), From: micro(since.Add(time.Duration(rule.Hours) * time.Hour)),
		}
		d.BeforeFirst = !j.first.To.IsZero() && !d.From.After(j.first.To)
		out = append(out, d)
	}
	return out
}
