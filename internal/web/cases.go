package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// casesPage is the board of cases.
type casesPage struct {
	list
	Cases  []caseRow `json:"cases"`
	Shown  int       `json:"-"`
	Open   bool      `json:"-"` // the reader may open one
	Answer bool      `json:"-"` // and may see what members answered
}

type caseRow struct {
	coordinator.CaseRow
	Release Moment `json:"release"`
}

// cases lists all cases, with what waits in each.
func cases(v *Visit) error {
	var in listIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	all, err := v.Desk().CaseBoard(v.Context(), v.By, in.Words, in.Sort)
	if err != nil {
		return err
	}
	shown, l, err := part(all, in, "/cases", func(c coordinator.CaseRow) string { return c.Case.String() },
		[2]string{"title", "Case"}, [2]string{"embargo", "Embargo"}, [2]string{"release", "Release"}, [2]string{"waits", "Waits for a decision"}, [2]string{"", "#Ready"}, [2]string{"", "#No answer"}, [2]string{"", "#No copy"}, [2]string{"", "#Not reached"})
	if err != nil {
		return err
	}
	if err := v.Desk().CountCases(v.By, shown); err != nil {
		return err
	}
	page := casesPage{list: l, Cases: []caseRow{}, Shown: len(shown), Open: v.can(cvd.ActOpenCase, cvd.TheProgramme())}
	for _, c := range shown {
		page.Cases = append(page.Cases, caseRow{c, v.Moment(c.Release)})
		page.Answer = page.Answer || v.can(cvd.ActViewAnswers, cvd.ACase(c.Case))
	}
	return v.Render("cases", page)
}

// can reports whether the reader may do something, a proof of who it is
// pretended: the page that does it asks for the proof. Where it says no, the
// button isn't offered.
func (v *Visit) can(a cvd.Action, o cvd.Object) bool {
	by := cvd.Actor{Account: v.By.Account, Auth: v.By.Auth}
	if by.Auth == entrylog.AuthSession {
		by.Auth = entrylog.AuthFresh
	}
	return v.Desk().View(func(p *cvd.Programme) error { return p.May(by, a, o, v.Now()) }) == nil
}

// caseIn is a case to be opened.
type caseIn struct {
	Title    string    `json:"title" need:"true" doc:"What people call it; they type it again before what can't be undone."`
	Report   string    `json:"report" max:"200000" doc:"What the reporter sent."`
	Reported time.Time `json:"reported" doc:"When it was received; now if nothing is said."`
	Products []string  `json:"products" max:"20000" doc:"Names of what is affected, one a line."`
	Members  []string  `json:"members" max:"200000" doc:"Names or ids of members to invite, one a line."`
	Tiers    []int     `json:"tiers" doc:"Tiers of which all members in good standing are invited."`
	Release  time.Time `json:"release" doc:"When it is to be public. With it the embargo binds at once."`
	Zone     string    `json:"zone" doc:"The zone in which the release was agreed, like Europe/Vienna; UTC if nothing is said."`
}

type caseOut struct {
	Case cvd.CaseID `json:"case"`
}

func newCase(v *Visit) error {
	tiers, err := v.tiers()
	if err != nil {
		return err
	}
	return v.Render("case-new", newCasePage{v.zone(), append([]tier{}, tiers...)})
}

// newCasePage is what a case can be opened with.
type newCasePage struct {
	Zone  string `json:"zone"`
	Tiers []tier `json:"tiers"`
}

// tier is a tier of members in good standing.
type tier struct {
	Tier    uint8 `json:"tier"`
	Members int   `json:"members"`
}

func (v *Visit) tiers() (out []tier, err error) {
	err = v.Desk().View(func(p *cvd.Programme) error {
		n := map[uint8]int{}
		for _, m := range p.Members {
			if m.Standing == cvd.Good {
				n[m.Tier]++
			}
		}
		for t, members := range n {
			out = append(out, tier{t, members})
		}
		slices.SortFunc(out, func(a, b tier) int { return int(a.Tier) - int(b.Tier) })
		return nil
	})
	return out, err
}

// zone is what a form for a time begins with.
func (v *Visit) zone() string {
	if v.Session.Zone != "" {
		return v.Session.Zone
	}
	return "UTC"
}

func openCase(v *Visit) error {
	var in caseIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	o := coordinator.Opening{Title: in.Title, Report: []byte(in.Report), Reported: in.Reported, Named: lines(in.Products)}
	var err error
	if o.Invite, err = v.membersOf(in.Members, in.Tiers); err != nil {
		return err
	}
	if !in.Release.IsZero() {
		o.Release = cvd.ReleaseTime{At: in.Release, Zone: v.zoneOr(in.Zone)}
	}
	id, err := v.Desk().OpenCase(v.Context(), v.By, o)
	if err != nil {
		return err
	}
	return v.Done("/cases/"+id.String(), caseOut{id})
}

// zoneOr is the zone that a time was said in.
func (v *Visit) zoneOr(said string) string {
	if said != "" {
		return said
	}
	return v.zone()
}

// membersOf finds members by names and ids, and those of whole tiers.
func (v *Visit) membersOf(said []string, tiers []int) ([]cvd.MemberID, error) {
	out, err := v.Desk().MembersNamed(v.Context(), v.By, lines(said))
	if err != nil {
		return nil, err
	}
	if len(tiers) > 0 {
		more, err := v.Desk().MembersOfTiers(v.By, tiers)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return cvd.SortIDs(out), nil
}

// lines splits what a program sends as a list and a form as lines.
func lines(said []string) (out []string) {
	for _, s := range said {
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out
}

// historyPage is the entries about a case.
type historyPage struct {
	list
	Case    cvd.CaseID    `json:"case"`
	Title   string        `json:"title"`
	Entries []historyLine `json:"entries"`
}

type historyLine struct {
	coordinator.HistoryLine
	At Moment `json:"at"`
}

func caseHistory(v *Visit) error {
	var in listIn
	id, err := pathID[cvd.CaseID](v, "case")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	all, err := v.Desk().History(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	shown, l, err := part(all, in, "/cases/"+id.String()+"/history", func(h coordinator.HistoryLine) string { return fmt.Sprint(h.Entry) })
	if err != nil {
		return err
	}
	page := historyPage{list: l, Case: id, Entries: []historyLine{}}
	for _, h := range shown {
		page.Entries = append(page.Entries, historyLine{h, v.Moment(h.At)})
	}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Title = n.Case(id); return nil }); err != nil {
		return err
	}
	return v.Render("case-history", page)
}
