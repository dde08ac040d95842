package web

import (
	"unicode/utf8"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// front is what anybody sees: what the programme is called, what it published,
// and how to check its log.
func front(v *Visit) error {
	list, err := v.Desk().Published(v.Context())
	if err != nil {
		return err
	}
	page := frontPage{Advisories: []advisoryLine{}}
	for _, a := range list {
		page.Advisories = append(page.Advisories, advisoryLine{a.Case, "/advisories/" + a.Case.String(), a.Title, v.Moment(a.At)})
	}
	_, cp := v.Desk().Log().Checkpoint()
	page.Key, page.Origin, page.Anchors, page.Base = v.Desk().Key, cp.Origin, cp.Size, v.site.Config.Origin+"/log"
	page.Next, page.SignedIn = v.Moment(v.Desk().Log().NextTick()), v.SignedIn()
	err = v.View(func(_ *cvd.Programme, n coordinator.Names) error {
		page.Programme = n.Programme()
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("front", page)
}

type frontPage struct {
	Programme  string         `json:"programme"`
	Advisories []advisoryLine `json:"advisories"`
	Key        string         `json:"log_key" doc:"Of the log, as C2SP's signed-note has it. Compare it with one that you got another way."`
	Origin     string         `json:"log_origin"`
	Anchors    uint64         `json:"anchors" doc:"How many are signed."`
	Next       Moment         `json:"next_anchor"`
	Base       string         `json:"log" doc:"Where the log's checkpoint and tiles are."`
	SignedIn   bool           `json:"-"`
}

type advisoryLine struct {
	Case  cvd.CaseID `json:"case"`
	Path  string     `json:"-"`
	Title string     `json:"title"`
	At    Moment     `json:"published"`
}

type advisoryPage struct {
	Title string `json:"title"`
	At    Moment `json:"published"`
	Text  string `json:"text" doc:"Empty: it is not text."`
}

// advisory shows a published advisory as it was published.
func advisory(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	about, text, err := v.Desk().Advisory(v.Context(), id)
	if err != nil {
		return err
	}
	if !utf8.Valid(text) {
		text = nil
	}
	return v.Render("advisory", advisoryPage{about.Title, v.Moment(about.At), string(text)})
}
