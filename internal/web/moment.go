package web

import (
	"encoding/json"
	"fmt"
	"time"
	_ "time/tzdata" // zones are named by browsers, whatever the host has installed
)

// Moment is a time as pages show it, with the template "moment": in the reader's
// zone and in UTC, and how far it is from now.
type Moment struct {
	ISO   string
	Local string // empty where the zone is UTC or not known
	UTC   string
	Away  string
}

// MarshalJSON is the instant alone, as RFC 3339 has it; null when there is none.
func (m Moment) MarshalJSON() ([]byte, error) {
	if m.ISO == "" {
		return []byte("null"), nil
	}
	return json.Marshal(m.ISO)
}

// Moment makes a time one. The zero time is the zero Moment.
func (v *Visit) Moment(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	m := Moment{ISO: t.UTC().Format(time.RFC3339), UTC: t.UTC().Format("2006-01-02 15:04 UTC"), Away: away(t.Sub(v.Now()))}
	if l := v.local(); l != nil {
		m.Local = t.In(l).Format("2006-01-02 15:04 MST")
	}
	return m
}

// local is the reader's zone; nil where it is UTC or not known.
func (v *Visit) local() *time.Location {
	l, err := time.LoadLocation(v.Session.Zone)
	if err != nil || v.Session.Zone == "" || v.Session.Zone == "UTC" {
		return nil
	}
	return l
}

// away says how far off a time is: exact below two days, whole days above.
func away(d time.Duration) string {
	form := "in %s"
	if d < 0 {
		d, form = -d, "%s ago"
	}
	minutes := int(d / time.Minute)
	switch {
	case d < time.Minute:
		return fmt.Sprintf(form, "less than a minute")
	case minutes < 60:
		return fmt.Sprintf(form, fmt.Sprintf("%d min", minutes))
	case d < 48*time.Hour:
		return fmt.Sprintf(form, fmt.Sprintf("%d h %d min", minutes/60, minutes%60))
	}
	return fmt.Sprintf(form, fmt.Sprintf("%d days", minutes/60/24))
}
