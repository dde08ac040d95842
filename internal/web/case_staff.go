package web

import (
	"errors"
	"fmt"
	"html/template"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/timeline"
)

// casePage is a case as its staff see it. Its members are a part of them.
type casePage struct {
	*coordinator.Board
	list
	Release  Moment                    `json:"release"`
	Members  []coordinator.BoardMember `json:"members"`
	Answers  []productAnswers          `json:"answers"`
	Timeline []timelineRow             `json:"timeline"`

	Wide, Small template.HTML          `json:"-"`
	Can         map[string]bool        `json:"-"`
	Path, Zone  string                 `json:"-"`
	NotEnd      string                 `json:"-"` // why the embargo is not the reader's to end, who may decide about alarms
	Tiers       []tier                 `json:"-"`
	Moment      func(time.Time) Moment `json:"-"`
	Stamp       func(time.Time) string `json:"-"`
}

// productAnswers is what members said about one product, by what they said, the
// silence first.
type productAnswers struct {
	Product string        `json:"product"`
	Said    []answerCount `json:"said"`
	Members int           `json:"members"`
}

type answerCount struct {
	Answer  string `json:"answer"`
	Members int    `json:"members"`
}

// timelineRow is a row of the picture's text twin.
type timelineRow struct {
	From    Moment `json:"from"`
	To      Moment `json:"to"`
	What    string `json:"what"`
	Entries string `json:"entries,omitempty"`
	Span    string `json:"-"` // of what has an end: both, to the second
}

// timelineRows bounds the text twin on the page; the history has the rest.
const timelineRows = 200

// staffCase shows a case to the staff.
func staffCase(v *Visit, id cvd.CaseID) error {
	var in listIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	b, err := v.Desk().LightBoard(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := casePage{Board: &b, Release: v.Moment(b.Release), Answers: byProduct(b.Answers), Path: "/cases/" + id.String(), Zone: v.zone(), Moment: v.Moment, Stamp: v.stamp}
	matching := b.Members
	if in.Words != "" || strings.HasSuffix(in.Sort, "name") {
		if err := v.Desk().NameMembers(v.Context(), b.Members); err != nil {
			return err
		}
	}
	if in.Words != "" {
		matching = nil
		for _, m := range b.Members {
			if strings.Contains(strings.ToLower(m.Name), strings.ToLower(in.Words)) {
				matching = append(matching, m)
			}
		}
	}
	coordinator.SortMembers(matching, in.Sort)
	page.Members, page.list, err = part(matching, in, page.Path+"#members", func(m coordinator.BoardMember) string { return m.Member.String() },
		[2]string{"name", "Member"}, [2]string{"tier", "#Tier"}, [2]string{"consent", "Consent"}, [2]string{"", "Wanting"}, [2]string{"fetched", "#Fetched"}, [2]string{"received", "#Received"}, [2]string{"old", "Holds"})
	if err != nil {
		return err
	}
	if err := v.Desk().FillMembers(v.Context(), v.By, id, page.Members); err != nil {
		return err
	}
	for _, r := range b.Timeline.Rows() {
		if len(page.Timeline) == timelineRows {
			break
		}
		row := timelineRow{From: v.Moment(r.From), To: v.Moment(r.To), What: r.What, Entries: r.Entries}
		if !r.To.IsZero() {
			row.Span = v.stamp(r.From) + " to " + v.stamp(r.To)
		}
		page.Timeline = append(page.Timeline, row)
	}
	if !v.API() {
		frame := "c" + id.Short()
		page.Wide = v.Picture(timeline.SVG(b.Timeline, timeline.Options{Width: 960, ID: frame}))
		page.Small = v.Picture(timeline.SVG(b.Timeline, timeline.Options{Width: 328, ID: frame + "n"}))
		page.Can = v.canAll(cvd.ACase(id), caseActs)
		if b.Embargo == cvd.Active.String() || b.Embargo == cvd.Revise.String() {
			page.NotEnd, err = v.notEnd(id)
		}
		if err != nil {
			return err
		}
		page.Can["view alarm"] = b.Alarm != ""
		if page.Can[cvd.ActCorrectAdvisory.String()] {
			_, _, err := v.Desk().Advisory(v.Context(), id)
			page.Can[cvd.ActCorrectAdvisory.String()] = err == nil // else there is none to correct
		}
		if page.Can["invite"] {
			if page.Tiers, err = v.tiers(); err != nil {
				return err
			}
		}
		if len(b.Revisions) > 0 {
			page.Can["draft wave"] = v.can(cvd.ActDraftWave, cvd.ARevision(b.Revisions[0].Revision))
			page.Can["recall"] = v.can(cvd.ActRecall, cvd.ARevision(b.Revisions[0].Revision))
		}
	}
	return v.Render("case-staff", page)
}

// notEnd is why somebody whose role ends embargoes can't end this one now; empty for
// who can, and for all others.
func (v *Visit) notEnd(id cvd.CaseID) (string, error) {
	if !v.can(cvd.ActDecideAlarm, cvd.ACase(id)) {
		return "", nil
	}
	_, err := v.Desk().WouldEnd(cvd.Actor{Account: v.By.Account, Auth: entrylog.AuthFresh}, id)
	var denied *cvd.Denied
	if errors.As(err, &denied) {
		return denied.Why, nil
	}
	return "", err
}

// caseActs are what the page of a case offers.
var caseActs = []cvd.Action{cvd.ActProposeEmbargo, cvd.ActAgreeEmbargo, cvd.ActMoveReleaseTime, cvd.ActInvite, cvd.ActAddProduct, cvd.ActHold, cvd.ActLiftHold,
	cvd.ActLinkCase, cvd.ActEndEmbargo, cvd.ActRelease, cvd.ActSaveDraft, cvd.ActReadReport, cvd.ActCorrectAdvisory, cvd.ActPublishHeadsUp}

// canAll says which of some acts the reader may do, by their names.
func (v *Visit) canAll(o cvd.Object, acts []cvd.Action) map[string]bool {
	out := map[string]bool{}
	for _, a := range acts {
		out[a.String()] = v.can(a, o)
	}
	return out
}

func byProduct(all []coordinator.BoardAnswer) []productAnswers {
	out := []productAnswers{}
	for _, a := range all {
		if n := len(out); n == 0 || out[n-1].Product != a.Product {
			out = append(out, productAnswers{Product: a.Product})
		}
		x := &out[len(out)-1]
		x.Said = append(x.Said, answerCount{a.Answer, a.Members})
		x.Members += a.Members
	}
	return out
}

type proposalIn struct {
	Release time.Time `json:"release" need:"true" doc:"When the case is to be public."`
	Zone    string    `json:"zone" doc:"The zone in which that was agreed, like Europe/Vienna."`
	Expires time.Time `json:"expires" doc:"Not agreed by then, the proposal is as if it had not been made; never, if nothing is said."`
	Anew    bool      `json:"asks_again" doc:"When it is agreed, signatories are asked for consent anew."`
	Agree   bool      `json:"agree" doc:"Agree it at once: it binds, or neither is done."`
}

type embargoOut struct {
	Case   cvd.CaseID `json:"case"`
	Number uint32     `json:"number"`
	Agreed bool       `json:"agreed"`
}

// onCase is what an act on a case begins with: its id, and what was asked.
func (v *Visit) onCase(in any) (id cvd.CaseID, back string, err error) {
	if id, err = pathID[cvd.CaseID](v, "case"); err != nil || in == nil {
		return id, "/cases/" + id.String(), err
	}
	return id, "/cases/" + id.String(), v.Ask(in)
}

func proposeEmbargo(v *Visit) error {
	var in proposalIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	propose := cvd.ProposeEmbargo{Case: id, Release: cvd.ReleaseTime{At: in.Release, Zone: v.zoneOr(in.Zone)}, Expires: in.Expires, Anew: in.Anew}
	n, err := v.Desk().Propose(v.Context(), v.By, propose, in.Agree)
	if err != nil {
		return err
	}
	return v.Done(back, embargoOut{id, n, in.Agree})
}

type agreeIn struct {
	Number int `json:"number" need:"true" low:"1" doc:"Of the proposal that was seen."`
}

func agreeEmbargo(v *Visit) error {
	var in agreeIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.AgreeEmbargo{Case: id, Number: uint32(in.Number)}); err != nil {
		return err
	}
	return v.Done(back, embargoOut{id, uint32(in.Number), true})
}

type moveIn struct {
	Release time.Time `json:"release" need:"true" doc:"The new release time."`
	Zone    string    `json:"zone" doc:"The zone in which it was agreed."`
	Reason  string    `json:"reason" max:"2000" doc:"Why; kept encrypted."`
}

func moveRelease(v *Visit) error {
	var in moveIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	return v.reasoned(back, cvd.ActMoveReleaseTime, cvd.ACase(id), coordinator.CaseKey(id), in.Reason, func(why cvd.BlobRef) cvd.Command {
		return cvd.MoveReleaseTime{Case: id, Release: cvd.ReleaseTime{At: in.Release, Zone: v.zoneOr(in.Zone)}, Reason: why}
	})
}

// reasoned does what has a reason, which is kept once the policy has allowed the
// act.
func (v *Visit) reasoned(back string, act cvd.Action, on cvd.Object, key, reason string, c func(why cvd.BlobRef) cvd.Command) error {
	if err := v.May(act, on); err != nil {
		return err
	}
	why, err := v.Desk().Reason(v.Context(), key, reason)
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, c(why)); err != nil {
		return err
	}
	return v.Done(back, nil)
}

type inviteIn struct {
	Members []string  `json:"members" max:"200000" doc:"Names or ids of members, one a line."`
	Tiers   []int     `json:"tiers" doc:"Tiers of which all members in good standing are invited."`
	Until   time.Time `json:"until" doc:"Not accepted by then, the invitation lapses; never, if nothing is said."`
	Zone    string    `json:"zone" doc:"The zone of a time that was said without one."`
}

type inviteOut struct {
	Invited int                   `json:"invited"`
	In      []coordinator.LeftOut `json:"in_already"`
}

func inviteMembers(v *Visit) error {
	var in inviteIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	members, err := v.membersOf(in.Members, in.Tiers)
	if err != nil {
		return err
	}
	n, already, err := v.Desk().Invite(v.Context(), v.By, id, members, in.Until)
	if err != nil {
		return err
	}
	return v.Done(back+"#members", inviteOut{n, append([]coordinator.LeftOut{}, already...)})
}

type productIn struct {
	Name string `json:"name" need:"true" doc:"Of the product; one of that name is taken, if there is one."`
}

type productOut struct {
	Product cvd.ProductID `json:"product"`
}

func addProduct(v *Visit) error {
	var in productIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActAddProduct, cvd.ACase(id)); err != nil {
		return err
	}
	x, err := v.Desk().AddProduct(v.Context(), v.By, id, in.Name)
	if err != nil {
		return err
	}
	return v.Done(back, productOut{x})
}

type reasonIn struct {
	Reason string `json:"reason" max:"2000" doc:"Why; kept encrypted."`
}

func holdCase(v *Visit) error {
	var in reasonIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	return v.reasoned(back, cvd.ActHold, cvd.ACase(id), coordinator.CaseKey(id), in.Reason, func(why cvd.BlobRef) cvd.Command {
		return cvd.Hold{Case: id, Reason: why}
	})
}

func liftCase(v *Visit) error {
	id, back, err := v.onCase(nil)
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.LiftHold{Case: id}); err != nil {
		return err
	}
	return v.Done(back, nil)
}

type linkIn struct {
	To       string `json:"to" need:"true" doc:"Title or id of the other case."`
	Relation string `json:"relation" need:"true" doc:"duplicate of, split from or incomplete fix of."`
}

func linkCase(v *Visit) error {
	var in linkIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActLinkCase, cvd.ACase(id)); err != nil {
		return err
	}
	q := cvd.LinkCase{Case: id}
	if q.Relation, err = cvd.ParseRelation(in.Relation); err != nil {
		return &FieldError{"relation", "is none of: duplicate of, split from, incomplete fix of"}
	}
	if q.To, err = v.Desk().Case(v.Context(), v.By, in.To); err != nil {
		return notOne(err, "to", "case")
	}
	if _, err := v.Desk().Do(v.Context(), v.By, q); err != nil {
		return err
	}
	return v.Done(back, nil)
}

// notOne says in a form's words that something named in it isn't there.
func notOne(err error, field, what string) error {
	if errors.Is(err, coordinator.ErrUnknown) {
		return &FieldError{field, "names no " + what + ", or more than one: say more of its name"}
	}
	return err
}

type recallIn struct {
	Number int    `json:"revision" need:"true" low:"1" doc:"Number of the revision."`
	Reason string `json:"reason" need:"true" max:"2000" doc:"Why; kept encrypted."`
}

func recallRevision(v *Visit) error {
	var in recallIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActViewExposure, cvd.ACase(id)); err != nil {
		return err
	}
	rev, err := v.Desk().Revision(id, uint32(in.Number))
	if err != nil {
		return notOne(err, "revision", "revision of the case's package")
	}
	return v.reasoned(back, cvd.ActRecall, cvd.ARevision(rev), coordinator.CaseKey(id), in.Reason, func(why cvd.BlobRef) cvd.Command {
		return cvd.IssueRecall{Revision: rev, Reason: why}
	})
}

// endingPage says what the end of an embargo does, or a release, before it is
// done.
type endingPage struct {
	Case    cvd.CaseID `json:"case"`
	Title   string     `json:"title"`
	Embargo string     `json:"embargo"`
	Release Moment     `json:"release"`
	Level   string     `json:"level,omitempty"` // of the break pack; empty: none is approved
	Members int        `json:"members"`         // whom it goes to
	Invited int        `json:"invited"`
	Refused string     `json:"-"`
	Text    string     `json:"-"`
}

func (v *Visit) ending(id cvd.CaseID) (page endingPage, err error) {
	b, err := v.Desk().Stakes(v.Context(), v.By, id)
	if err != nil {
		return page, err
	}
	return endingPage{Case: id, Title: b.Title, Embargo: b.Embargo, Release: v.Moment(b.Release), Invited: b.Invited}, nil
}

func endCasePage(v *Visit) error {
	id, _, err := v.onCase(nil)
	if err != nil {
		return err
	}
	return v.endCase(id, "")
}

func (v *Visit) endCase(id cvd.CaseID, refused string) error {
	ends, err := v.Desk().WouldEnd(v.By, id)
	var denied *cvd.Denied
	if errors.As(err, &denied) && v.can(cvd.ActViewExposure, cvd.ACase(id)) {
		return errNotYours{denied} // they know of the case: why they can't is no secret
	}
	if err != nil {
		return err
	}
	page, err := v.ending(id)
	if err != nil {
		return err
	}
	page.Refused = refused
	if ends.Level > 0 {
		page.Level, page.Members = ends.Level.String(), ends.Members
	}
	return v.Render("case-end", page)
}

type endIn struct {
	Name   string `json:"name" need:"true" doc:"The case's title once more: this can't be undone."`
	Reason string `json:"reason" max:"2000" doc:"Why; kept encrypted."`
}

type endOut struct {
	Case    cvd.CaseID `json:"case"`
	Level   string     `json:"level,omitempty"`
	Wave    cvd.WaveID `json:"wave,omitzero"`
	Members int        `json:"members"`
}

func endCase(v *Visit) error {
	var in endIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActEndEmbargo, cvd.ACase(id)); err != nil {
		return err
	}
	if err := v.named(id, in.Name); err != nil {
		return err
	}
	out, err := v.Desk().EndEmbargo(v.Context(), v.By, id, in.Reason)
	switch {
	case errors.Is(err, coordinator.ErrNoPack):
		return err
	case err != nil && out.Level > 0:
		return fmt.Errorf("%w: %w", coordinator.ErrUnsealed, err)
	case err != nil:
		return err
	}
	done := endOut{Case: id, Wave: out.Wave, Members: out.Members}
	if out.Level > 0 {
		done.Level = out.Level.String()
	}
	return v.Done(back, done)
}

// named refuses unless what was typed is the case's whole title, or its id.
func (v *Visit) named(id cvd.CaseID, said string) error {
	var title string
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { title = n.Case(id); return nil }); err != nil {
		return err
	}
	if said != id.String() && !strings.EqualFold(said, title) {
		return &FieldError{"name", "is not this case's name: nothing was done"}
	}
	return nil
}

func releasePage(v *Visit) error {
	id, _, err := v.onCase(nil)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActRelease, cvd.ACase(id)); err != nil {
		return err
	}
	page, err := v.ending(id)
	if err != nil {
		return err
	}
	return v.Render("case-release", page)
}

type publishIn struct {
	Name     string `json:"name" need:"true" doc:"The case's title once more: what is public stays public."`
	Advisory string `json:"advisory" max:"200000" doc:"The advisory's text, published as it is; none is published if nothing is said."`
}

func releaseCase(v *Visit) error {
	var in publishIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActRelease, cvd.ACase(id)); err != nil {
		return err
	}
	if err := v.named(id, in.Name); err != nil {
		return err
	}
	if err := v.Desk().Release(v.Context(), v.By, id, []byte(in.Advisory)); err != nil {
		return err
	}
	return v.Done(back, nil)
}

// reportPage is what the reporter sent.
type reportPage struct {
	Case     cvd.CaseID `json:"case"`
	Title    string     `json:"title"`
	Reported Moment     `json:"reported"`
	Text     string     `json:"text,omitempty"`
}

func caseReport(v *Visit) error {
	id, _, err := v.onCase(nil)
	if err != nil {
		return err
	}
	text, err := v.Desk().ReporterSent(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := reportPage{Case: id, Text: string(text)}
	if err := v.View(func(p *cvd.Programme, n coordinator.Names) error {
		page.Title, page.Reported = n.Case(id), v.Moment(p.Cases[id].Reported)
		return nil
	}); err != nil {
		return err
	}
	return v.Render("case-report", page)
}
