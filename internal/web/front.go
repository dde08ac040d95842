package web

import (
	"encoding/json"
	"html/template"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/csaf"
	"forewarn/internal/cvd"
)

// Public pages are the same for all and kept by others for a while: no word on them
// depends on who reads, and no time is relative.

type frontPage struct {
	Programme  string         `json:"programme"`
	Announced  []headsUpLine  `json:"announced" doc:"What is to be published, the soonest first."`
	Advisories []advisoryLine `json:"advisories" doc:"The newest ten."`
	More       bool           `json:"-"`
	Key        string         `json:"log_key" doc:"Of the log, as C2SP's signed-note has it. Compare it with one that you got another way."`
	Origin     string         `json:"log_origin"`
	Base       string         `json:"log" doc:"Where the log's checkpoint and tiles are."`
	Reports    bool           `json:"takes_reports"`
}

const onFront = 10

// front is what anybody sees: what the programme is called, what it published, how
// to report, and how to check its log.
func front(v *Visit) error {
	list, changed, err := v.published()
	if err != nil {
		return err
	}
	announced, said, err := v.announced()
	if err != nil {
		return err
	}
	page := frontPage{Announced: announced, Advisories: list[:min(len(list), onFront)], More: len(list) > onFront, Key: v.Desk().Key, Base: v.site.Config.Origin + "/log"}
	_, cp := v.Desk().Log().Checkpoint()
	page.Origin, v.changed = cp.Origin, latest(changed, said)
	to, err := v.Desk().Intake()
	if err != nil {
		return err
	}
	page.Reports = len(to) > 0
	err = v.View(func(_ *cvd.Programme, n coordinator.Names) error {
		page.Programme = n.Programme()
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("front", page)
}

type advisoryLine struct {
	Case    cvd.CaseID `json:"case"`
	Path    string     `json:"-"`
	Title   string     `json:"title"`
	At      Moment     `json:"published"`
	Changed Moment     `json:"corrected"`

	updated, at time.Time
	filed       csaf.Filed
}

// published lists the advisories, and when the list last changed.
func (v *Visit) published() (out []advisoryLine, changed time.Time, err error) {
	list, err := v.Desk().Published(v.Context())
	out = []advisoryLine{}
	for _, a := range list {
		if changed.Before(a.Updated()) {
			changed = a.Updated()
		}
		out = append(out, advisoryLine{a.Case, "/advisories/" + a.Case.String(), a.Title, v.Moment(a.At), v.Moment(a.Changed), a.Updated(), a.At, filed(a)})
	}
	return out, changed, err
}

type advisoriesPage struct {
	Announced  []headsUpLine  `json:"announced" doc:"What is to be published, the soonest first."`
	Advisories []advisoryLine `json:"advisories"`
	Next       string         `json:"next,omitempty"`
	First      bool           `json:"-"`
}

func advisories(v *Visit) error {
	var in window
	if err := v.Ask(&in); err != nil {
		return err
	}
	list, changed, err := v.published()
	if err != nil {
		return err
	}
	announced, said, err := v.announced()
	if err != nil {
		return err
	}
	page := advisoriesPage{First: in.After == "", Announced: announced}
	if page.Advisories, page.Next, err = cut(list, in, func(a advisoryLine) string { return a.Case.String() }); err != nil {
		return err
	}
	v.changed = latest(changed, said)
	return v.Render("advisories", page)
}

type advisoryPage struct {
	Case     cvd.CaseID       `json:"case"`
	Title    string           `json:"title"`
	At       Moment           `json:"published"`
	Changed  Moment           `json:"corrected"`
	HeadsUp  cvd.HeadsUpID    `json:"heads_up,omitzero" doc:"By which it was announced."`
	Told     Moment           `json:"announced"`
	Reported Moment           `json:"reported"`
	Products []string         `json:"products"`
	Credits  []string         `json:"credits"`
	Changes  []advisoryChange `json:"changes"`
	SeeAlso  []advisoryLink   `json:"see_also"`
	Text     string           `json:"text" doc:"Markdown. Empty: it is not text."`

	HTML     template.HTML `json:"-"`
	Contents []section     `json:"-"`
	CSAF     bool          `json:"-"` // the text is a CSAF document
	Machine  string        `json:"csaf" doc:"Path of the advisory as a CSAF 2.0 document."`
	Link     string        `json:"-"`
	Name     string        `json:"-"` // of the programme
}

type advisoryChange struct {
	At   Moment `json:"at"`
	What string `json:"what"`
}

type advisoryLink struct {
	Case  cvd.CaseID `json:"case"`
	Title string     `json:"title"`
	How   string     `json:"relation"`
}

// advisory shows a published advisory, as it was corrected last.
func advisory(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	about, text, err := v.Desk().Advisory(v.Context(), id)
	if err != nil {
		return err
	}
	page := advisoryPage{Case: id, Title: about.Title, At: v.Moment(about.At), Changed: v.Moment(about.Changed), Reported: v.Moment(about.Reported),
		Products: append([]string{}, about.Products...), Credits: append([]string{}, about.Credits...), Changes: []advisoryChange{}, SeeAlso: []advisoryLink{}, Link: v.site.Config.Origin + "/advisories/" + id.String()}
	if h := about.HeadsUp; h != nil {
		page.HeadsUp, page.Told = h.HeadsUp, v.Moment(h.At)
	}
	for _, c := range about.Changes {
		page.Changes = append(page.Changes, advisoryChange{v.Moment(c.At), c.What})
	}
	for _, l := range about.SeeAlso {
		page.SeeAlso = append(page.SeeAlso, advisoryLink{l.Case, l.Title, l.How})
	}
	page.Machine = "/csaf/" + filed(about.Published).Path()
	if page.CSAF = isCSAF(text); page.CSAF {
		page.Text = string(text)
	} else if p, isText := renderProse(text); isText {
		page.Text, page.HTML, page.Contents = string(text), p.HTML, p.Contents
	}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Name = n.Programme(); return nil }); err != nil {
		return err
	}
	v.changed = about.Updated()
	return v.Render("advisory", page)
}

// isCSAF reports whether a text is a CSAF document. It is offered as a file then:
// nothing of it is shown.
func isCSAF(text []byte) bool {
	var doc struct {
		Document struct {
			CSAF string `json:"csaf_version"`
		} `json:"document"`
	}
	return len(text) > 0 && text[0] == '{' && json.Unmarshal(text, &doc) == nil && doc.Document.CSAF != ""
}

// advisoryText is an advisory as it was written, as a file.
func advisoryText(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	about, text, err := v.Desk().Advisory(v.Context(), id)
	if err != nil {
		return err
	}
	name, kind := id.Short()+".md", "text/markdown; charset=utf-8"
	if isCSAF(text) {
		name, kind = id.Short()+".json", "application/json"
	}
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	v.w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	return v.shared(kind, about.Updated(), text)
}
