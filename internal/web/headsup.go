package web

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// The public is told of a case ahead in a heads-up. Its address says nothing of the
// case, and its page nothing that was not written for it, until there is an advisory
// to lead to.

type headsUpLine struct {
	HeadsUp  cvd.HeadsUpID `json:"heads_up"`
	Path     string        `json:"-"`
	Headline string        `json:"headline"`
	Severity string        `json:"severity"`
	Products []string      `json:"products"`
	Planned  Moment        `json:"planned"`
	Overdue  bool          `json:"overdue" doc:"The time passed, and nothing is published yet."`
}

// withdrawnStays is how long the feed says that a heads-up was withdrawn.
const withdrawnStays = 90 * 24 * time.Hour

// announcements are the heads-ups that the public list speaks of, and those that were
// withdrawn lately; and when any of that last changed.
func (v *Visit) announcements() (out []coordinator.HeadsUp, changed time.Time, err error) {
	out, err = v.Desk().HeadsUps(v.Context(), cvd.HeadsUpAnnounced, cvd.HeadsUpOverdue, cvd.HeadsUpWithdrew)
	out = slices.DeleteFunc(out, func(h coordinator.HeadsUp) bool {
		return h.State == cvd.HeadsUpWithdrew && v.Now().Sub(h.Withdrawn) >= withdrawnStays
	})
	for _, h := range out {
		changed = latest(changed, h.Updated())
	}
	return out, changed, err
}

// announced lists what is announced, and when the list last changed.
func (v *Visit) announced() (out []headsUpLine, changed time.Time, err error) {
	all, changed, err := v.announcements()
	out = []headsUpLine{}
	for _, h := range all {
		if h.State == cvd.HeadsUpWithdrew {
			continue
		}
		out = append(out, headsUpLine{h.HeadsUp, "/heads-ups/" + h.HeadsUp.String(), h.Headline, h.Severity, append([]string{}, h.Products...), v.Moment(h.Planned.At), h.State == cvd.HeadsUpOverdue})
	}
	return out, changed, err
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// headsUpTitles stand before a headline in the feed.
var headsUpTitles = map[cvd.HeadsUpState]string{cvd.HeadsUpAnnounced: "Announced: ", cvd.HeadsUpOverdue: "Announced: ", cvd.HeadsUpWithdrew: "Withdrawn: "}

// headsUpWords is how a heads-up stands, in a sentence.
func headsUpWords(h coordinator.HeadsUp) string {
	at := plannedFor(h.Planned)
	switch h.State {
	case cvd.HeadsUpAnnounced:
		return "Will be published on " + at + "."
	case cvd.HeadsUpOverdue:
		return "Was announced for " + at + "; not published yet."
	case cvd.HeadsUpWithdrew:
		return "Withdrawn: " + h.Why
	}
	return "Published."
}

// plannedFor is a time as people plan with it: in UTC, and in the zone that it was
// agreed in.
func plannedFor(r cvd.ReleaseTime) string {
	at := r.At.UTC().Format("Monday 2 January 2006, 15:04 UTC")
	if z, err := time.LoadLocation(r.Zone); err == nil && r.Zone != "" && r.Zone != "UTC" && r.Zone != "Local" {
		at += " (" + r.At.In(z).Format("Monday 15:04") + " in " + r.Zone + ")"
	}
	return at
}

type headsUpPage struct {
	HeadsUp   cvd.HeadsUpID    `json:"heads_up"`
	Headline  string           `json:"headline"`
	Severity  string           `json:"severity"`
	Products  []string         `json:"products"`
	Planned   Moment           `json:"planned"`
	Zone      string           `json:"zone" doc:"In which the time was agreed."`
	State     string           `json:"state" doc:"announced, overdue, withdrawn or published."`
	At        Moment           `json:"published" doc:"The heads-up itself."`
	Changes   []advisoryChange `json:"changes"`
	Withdrawn Moment           `json:"withdrawn"`
	Why       string           `json:"withdrawn_why,omitempty"`
	Released  Moment           `json:"released"`
	Advisory  cvd.CaseID       `json:"advisory,omitzero" doc:"Once one is published."`
	Text      string           `json:"text" doc:"Markdown."`

	HTML   template.HTML `json:"-"`
	Stands string        `json:"-"`
	When   string        `json:"-"`
	Name   string        `json:"-"` // of the programme
}

// headsUp shows one to anybody.
func headsUp(v *Visit) error {
	id, err := pathID[cvd.HeadsUpID](v, "headsup")
	if err != nil {
		return err
	}
	h, err := v.Desk().HeadsUp(v.Context(), id)
	if err != nil {
		return err
	}
	page := headsUpPage{HeadsUp: id, Headline: h.Headline, Severity: h.Severity, Products: append([]string{}, h.Products...), Planned: v.Moment(h.Planned.At), Zone: h.Planned.Zone, State: h.State.String(),
		At: v.Moment(h.At), Changes: []advisoryChange{}, Withdrawn: v.Moment(h.Withdrawn), Why: h.Why, Released: v.Moment(h.Released), Advisory: h.Advisory, Text: h.Text, Stands: headsUpWords(h), When: plannedFor(h.Planned)}
	for _, c := range h.Changes {
		page.Changes = append(page.Changes, advisoryChange{v.Moment(c.At), c.What})
	}
	if p, isText := renderProse([]byte(h.Text)); isText {
		page.HTML = p.HTML
	}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Name = n.Programme(); return nil }); err != nil {
		return err
	}
	v.changed = h.Updated()
	return v.Render("heads-up", page)
}

// headsUpFormPage is what a case announces, for who is about to change that.
type headsUpFormPage struct {
	Case     cvd.CaseID    `json:"case"`
	Title    string        `json:"title"`
	Release  Moment        `json:"release" doc:"As it is planned."`
	HeadsUp  cvd.HeadsUpID `json:"heads_up,omitzero" doc:"What is announced; nothing is, if it isn't there."`
	Headline string        `json:"headline"`
	Severity string        `json:"severity"`
	Products []string      `json:"products"`
	Text     string        `json:"text"`

	At, Zone string `json:"-"` // as the form's fields have them
	Lines    string `json:"-"`
}

func headsUpForm(v *Visit) error {
	id, _, err := v.onCase(nil)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActPublishHeadsUp, cvd.ACase(id)); err != nil {
		return err
	}
	page := headsUpFormPage{Case: id, Products: []string{}}
	h, at, err := v.Desk().HeadsUpOf(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page.Release = v.Moment(at.At)
	if h != nil {
		at = h.Planned
		page.Headline, page.Severity, page.Text, page.Lines = h.Headline, h.Severity, h.Text, strings.Join(h.Products, "\n")
		page.Products, page.HeadsUp = append(page.Products, h.Products...), h.HeadsUp
	}
	page.Zone = at.Zone
	if z, err := time.LoadLocation(at.Zone); err == nil {
		page.At = at.At.In(z).Format("2006-01-02T15:04")
	}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Title = n.Case(id); return nil }); err != nil {
		return err
	}
	return v.Render("case-heads-up", page)
}

type headsUpIn struct {
	Headline string    `json:"headline" need:"true" max:"200" doc:"Public: one line."`
	Severity string    `json:"severity" max:"60" doc:"Public: in the programme's own word."`
	Products []string  `json:"products" max:"11000" doc:"Public: names of products, one a line."`
	Text     string    `json:"text" max:"8000" doc:"Public: Markdown."`
	Planned  time.Time `json:"planned" doc:"Public: when it will be published; as the release is planned, if nothing is said."`
	Zone     string    `json:"zone" doc:"Public: the zone in which that was agreed."`
	Change   string    `json:"change" max:"2000" doc:"Public: what was changed, if something is announced already."`
	Name     string    `json:"name" need:"true" doc:"The case's title once more, which is not published: what was public can't be taken out of people's heads."`
}

type headsUpOut struct {
	HeadsUp cvd.HeadsUpID `json:"heads_up"`
}

func publishHeadsUp(v *Visit) error {
	var in headsUpIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActPublishHeadsUp, cvd.ACase(id)); err != nil {
		return err
	}
	if err := v.named(id, in.Name); err != nil {
		return err
	}
	var at cvd.ReleaseTime
	if !in.Planned.IsZero() {
		at = cvd.ReleaseTime{At: in.Planned, Zone: v.zoneOr(in.Zone)}
	}
	out, err := v.Desk().PublishHeadsUp(v.Context(), v.By, id, coordinator.HeadsUpText{Headline: in.Headline, Severity: in.Severity, Products: lines(in.Products), Text: in.Text}, at, in.Change)
	if err != nil {
		return err
	}
	return v.Done(back, headsUpOut{out})
}

type withdrawIn struct {
	Reason string `json:"reason" need:"true" max:"2000" doc:"Public: why."`
}

func withdrawHeadsUp(v *Visit) error {
	var in withdrawIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.Desk().WithdrawHeadsUp(v.Context(), v.By, id, in.Reason); err != nil {
		return err
	}
	return v.Done(back, nil)
}
