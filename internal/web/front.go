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
	var page struct {
		Programme  string
		Advisories []advisoryLine
		Key        string
		Origin     string
		Anchors    uint64
		Next       Moment
		Base       string
		SignedIn   bool
	}
	for _, a := range list {
		page.Advisories = append(page.Advisories, advisoryLine{"/advisories/" + a.Case.String(), a.Title, v.Moment(a.At)})
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

type advisoryLine struct {
	Path, Title string
	At          Moment
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
	return v.Render("advisory", struct {
		Title string
		At    Moment
		Text  string
	}{about.Title, v.Moment(about.At), string(text)})
}
