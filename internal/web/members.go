package web

import (
	"errors"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// membersPage is the list of members.
type membersPage struct {
	list
	Members []coordinator.MemberRow `json:"members"`
	Can     map[string]bool         `json:"-"`
}

func members(v *Visit) error {
	var in listIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	all, err := v.Desk().MemberBoard(v.Context(), v.By, in.Words, in.Sort)
	if err != nil {
		return err
	}
	shown, l, err := part(all, in, "/members", func(m coordinator.MemberRow) string { return m.Member.String() },
		[2]string{"name", "Member"}, [2]string{"tier", "#Tier"}, [2]string{"", "Where"}, [2]string{"standing", "Standing"}, [2]string{"terms", "Terms"}, [2]string{"keys", "Keys"}, [2]string{"", "#Accounts"})
	if err != nil {
		return err
	}
	if err := v.Desk().FillNames(v.Context(), v.By, shown); err != nil {
		return err
	}
	return v.Render("members", membersPage{l, shown, v.canAll(cvd.TheProgramme(), memberActs)})
}

var memberActs = []cvd.Action{cvd.ActAdmitMember, cvd.ActDeclareGroup, cvd.ActPublishTerms}

// admissionIn is a member to be.
type admissionIn struct {
	Name          string   `json:"name" need:"true" doc:"The organisation's name."`
	Tier          int      `json:"tier" need:"true" low:"1" high:"255" doc:"1 is told first."`
	Jurisdictions []string `json:"jurisdictions" doc:"Where it sits: two letters of ISO 3166 each, or EU."`
	Contact       string   `json:"contact" doc:"Handle of its first account, which reads, answers and speaks for it."`
	ContactName   string   `json:"contact_name" doc:"The contact's name."`
	ContactMail   string   `json:"contact_mail" doc:"Where its notices go."`
}

func admit(v *Visit) error {
	var in admissionIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	a := coordinator.Admission{Name: in.Name, Tier: uint8(in.Tier), Contact: in.Contact, ContactName: in.ContactName, ContactMail: in.ContactMail}
	for _, s := range in.Jurisdictions {
		a.Jurisdictions = append(a.Jurisdictions, strings.Fields(s)...)
	}
	m, acc, err := v.Desk().Admit(v.Context(), v.By, a)
	var one *coordinator.AdmissionError
	if errors.As(err, &one) {
		err = one.Err
	}
	if err != nil {
		return err
	}
	return v.Done("/members/"+m.String(), coordinator.Admitted{Member: m, Account: acc})
}

// memberPage is one member as the staff see it.
type memberPage struct {
	*coordinator.MemberView
	Admitted  Moment `json:"admitted"`
	MoreCases int    `json:"more_cases"` // that aren't shown

	Can    map[string]bool        `json:"-"`
	Moment func(time.Time) Moment `json:"-"`
}

func memberView(v *Visit) error {
	id, err := pathID[cvd.MemberID](v, "member")
	if err != nil {
		return err
	}
	m, err := v.Desk().MemberView(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := memberPage{MemberView: &m, Admitted: v.Moment(m.Admitted), Moment: v.Moment}
	page.MoreCases = len(m.Cases) - min(len(m.Cases), shownLines)
	m.Cases = m.Cases[:len(m.Cases)-page.MoreCases]
	page.Can = v.canAll(cvd.AMember(id), []cvd.Action{cvd.ActChangeStanding, cvd.ActAddAccount})
	page.Can["revoke keys"] = m.Keys && v.can(cvd.ActRevokeKeys, cvd.AHolder(cvd.HolderID(id)))
	page.Can["declare group"] = v.can(cvd.ActDeclareGroup, cvd.TheProgramme())
	return v.Render("member", page)
}

type standingIn struct {
	Standing string `json:"standing" need:"true" doc:"good, suspended, excluded or left."`
	Reason   string `json:"reason" max:"2000" doc:"Why; kept encrypted."`
}

func changeStanding(v *Visit) error {
	var in standingIn
	id, err := pathID[cvd.MemberID](v, "member")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	s, err := cvd.ParseStanding(in.Standing)
	if err != nil || s == cvd.NoStanding {
		return &FieldError{"standing", "is none of good, suspended, excluded and left"}
	}
	return v.reasoned("/members/"+id.String(), cvd.ActChangeStanding, cvd.AMember(id), coordinator.ProgrammeKey, in.Reason, func(why cvd.BlobRef) cvd.Command {
		return cvd.ChangeStanding{Member: id, Standing: s, Reason: why}
	})
}

// revokePage says what it does to take a member's keys out of use.
func revokePage(v *Visit) error {
	id, err := pathID[cvd.MemberID](v, "member")
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActRevokeKeys, cvd.AHolder(cvd.HolderID(id))); err != nil {
		return err
	}
	m, err := v.Desk().MemberView(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	return v.Render("member-revoke", memberPage{MemberView: &m, Admitted: v.Moment(m.Admitted), Moment: v.Moment})
}

func revokeKeys(v *Visit) error {
	var in reasonIn
	id, err := pathID[cvd.MemberID](v, "member")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	h := cvd.HolderID(id)
	return v.reasoned("/members/"+id.String()+"#keys", cvd.ActRevokeKeys, cvd.AHolder(h), coordinator.ProgrammeKey, in.Reason, func(why cvd.BlobRef) cvd.Command {
		return cvd.RevokeKeys{Holder: h, Reason: why}
	})
}

type groupIn struct {
	Members []string `json:"members" need:"true" max:"20000" doc:"Names or ids of members under one owner, one a line: findings name them together."`
}

type groupOut struct {
	Group   cvd.GroupID    `json:"group"`
	Members []cvd.MemberID `json:"members"`
}

func declareGroup(v *Visit) error {
	var in groupIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.May(cvd.ActDeclareGroup, cvd.TheProgramme()); err != nil {
		return err
	}
	ids, err := v.Desk().MembersNamed(v.Context(), v.By, lines(in.Members))
	if err != nil {
		return err
	}
	if ids = cvd.SortIDs(ids); len(ids) < 2 {
		return &FieldError{"members", "has to name at least two"}
	}
	g, err := coordinator.NewID[cvd.GroupID](v.Desk())
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.DeclareGroup{Group: g, Members: ids}); err != nil {
		return err
	}
	return v.Done("/members/"+ids[0].String(), groupOut{g, ids})
}

// importPage is what would become of a file of members.
type importPage struct {
	Token   string                   `json:"token,omitempty"` // of the file, which is held for a while: say it to do it
	Until   Moment                   `json:"until"`
	New     int                      `json:"new"`
	There   int                      `json:"there_already"`
	Refused int                      `json:"refused"`
	Lines   []coordinator.RosterLine `json:"lines"` // refused ones first
	More    int                      `json:"more"`  // lines that aren't shown
}

// shownLines is how many lines of a file a page shows.
const shownLines = 100

func importForm(v *Visit) error {
	return v.Render("members-import", importPage{Lines: []coordinator.RosterLine{}})
}

type importIn struct {
	CSV   string `json:"csv" max:"16777216" doc:"The file: a line with the columns name, tier, and as wanted jurisdictions, contact, contact_name and contact_mail; then one line a member."`
	Token string `json:"token" doc:"Of a file that was looked at: do it."`
}

type importOut struct {
	Admitted int                    `json:"admitted"`
	There    int                    `json:"there_already"`
	Members  []coordinator.Admitted `json:"members"`
}

// importMembers shows what would become of a file, and does it when it is told
// the file's token. It admits all that is new, or nobody; what is there already
// stays as it is, so that the same file again does nothing.
func importMembers(v *Visit) error {
	if err := v.May(cvd.ActAdmitMember, cvd.TheProgramme()); err != nil {
		return err
	}
	var in importIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	file := []byte(in.CSV)
	for _, f := range v.Files {
		if f.Field == "csv" {
			file = f.Data
		}
	}
	if in.Token != "" {
		var ok bool
		if file, ok = v.site.held.take(in.Token, v.By.Account, v.Now()); !ok {
			return &FieldError{"token", "is of no file that is held: choose the file again"}
		}
	}
	if len(file) == 0 {
		return &FieldError{"csv", "is missing: choose a file"}
	}
	rows, err := coordinator.ReadRoster(file)
	if err != nil {
		return &FieldError{"csv", "can't be read: " + err.Error() + "; nobody was admitted"}
	}
	checked, err := v.Desk().CheckRoster(v.Context(), v.By, rows)
	if err != nil {
		return err
	}
	if in.Token != "" {
		return v.admitAll(rows, checked)
	}
	page := importPage{Lines: []coordinator.RosterLine{}}
	var bad, rest []coordinator.RosterLine
	for _, l := range checked {
		switch {
		case l.Wrong != "":
			page.Refused++
			bad = append(bad, l)
			continue
		case l.There:
			page.There++
		default:
			page.New++
		}
		rest = append(rest, l)
	}
	all := append(bad, rest...)
	page.Lines = append(page.Lines, all[:min(len(all), shownLines)]...)
	page.More = len(all) - len(page.Lines)
	if page.Refused == 0 && page.New > 0 {
		var until time.Time
		if page.Token, until, err = v.site.held.put(v.site.Rand, file, v.By.Account, v.Now()); err != nil {
			return err
		}
		page.Until = v.Moment(until)
	}
	return v.Render("members-import", page)
}

// admitAll admits what is new in a file.
func (v *Visit) admitAll(rows []coordinator.RosterRow, checked []coordinator.RosterLine) error {
	out := importOut{Members: []coordinator.Admitted{}}
	var all []coordinator.Admission
	for i, l := range checked {
		switch {
		case l.Wrong != "":
			return &FieldError{"csv", "has a line that is refused: look at it again; nobody was admitted"}
		case l.There:
			out.There++
		default:
			all = append(all, rows[i].Admission)
		}
	}
	if len(all) > 0 {
		done, err := v.Desk().AdmitAll(v.Context(), v.By, all, nil)
		if err != nil {
			return err
		}
		out.Members, out.Admitted = done, len(done)
	}
	return v.Done("/members", out)
}

// publishedPage is the newest terms, for those who publish them.
type publishedPage struct {
	coordinator.TermsView
	Published Moment `json:"published"`
	Binding   Moment `json:"binds"`
	Can       bool   `json:"-"`
}

func publishedTerms(v *Visit) error {
	t, err := v.Desk().TermsNow(v.Context(), v.By)
	if err != nil {
		return err
	}
	return v.Render("terms-published", publishedPage{t, v.Moment(t.At), v.Moment(t.Binds), v.can(cvd.ActPublishTerms, cvd.TheProgramme())})
}

type termsIn struct {
	Text string `json:"text" need:"true" max:"100000" doc:"The terms. Members accept this text, by its SHA-256."`
}

func publishTerms(v *Visit) error {
	var in termsIn
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.May(cvd.ActPublishTerms, cvd.TheProgramme()); err != nil {
		return err
	}
	if err := v.Desk().PublishTerms(v.Context(), v.By, []byte(in.Text+"\n")); err != nil {
		return err
	}
	return v.Done("/members/terms", nil)
}
