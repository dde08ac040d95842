package web

import (
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// accountsShown is how many accounts a page lists: words narrow it down.
const accountsShown = 100

// invitationTime is how long a link works that was made on a page.
const invitationTime = 72 * time.Hour

// accounts lists those that somebody looks after.
func accounts(v *Visit) error {
	var in accountWords
	if err := v.Ask(&in); err != nil {
		return err
	}
	list, more, err := v.Desk().Accounts(v.Context(), v.By, in.Words, accountsShown)
	if err != nil {
		return err
	}
	page := accountsPage{Words: in.Words, Accounts: []accountLine{}, More: more}
	if err := v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		page.Staff = p.May(v.By, cvd.ActListMembers, cvd.TheProgramme(), v.Now()) == nil
		page.Colleagues = p.May(v.By, cvd.ActAddAccount, cvd.AMember(p.Accounts[v.By.Account].Member), v.Now()) == nil
		return nil
	}); err != nil {
		return err
	}
	for _, a := range list {
		page.Accounts = append(page.Accounts, v.accountLine(a))
	}
	return v.Render("accounts", page)
}

func (v *Visit) accountLine(a coordinator.AccountLine) accountLine {
	return accountLine{a.Account, a.Who.Handle, a.Who.Name, a.Who.Mail, a.Member, a.Roles.String(),
		a.Closed, a.Passkeys, v.Moment(a.Invited), a.Waits, v.Moment(a.Unsettled), a.Invite, a.Confirm, a.Lift, a.Mail}
}

type accountWords struct {
	Words string `json:"words" doc:"Of a handle, a name or a member."`
}

type accountsPage struct {
	Staff      bool          `json:"-"` // is shown where notices go
	Colleagues bool          `json:"may_add_colleagues"`
	Words      string        `json:"-"`
	Accounts   []accountLine `json:"accounts"`
	More       int           `json:"more" doc:"How many more match: say more words."`
}

type accountLine struct {
	ID       cvd.AccountID `json:"account"`
	Handle   string        `json:"handle"`
	Name     string        `json:"name"`
	Mail     string        `json:"mail,omitempty" doc:"Where its notices go; for staff."`
	Member   string        `json:"member,omitempty"`
	Roles    string        `json:"roles"`
	Closed   bool          `json:"closed"`
	Passkeys int           `json:"passkeys"`
	Invited  Moment        `json:"invited_until"`
	Waits    bool          `json:"waits_for_second" doc:"The invitation waits for a second coordinator."`
	Waiting  Moment        `json:"unsettled_until" doc:"Access was recovered: until then it can fetch no copy and enrol no keys, unless another coordinator lifts the wait."`
	Invite   bool          `json:"may_invite"`
	Confirm  bool          `json:"may_confirm"`
	Lift     bool          `json:"may_lift_wait"`
	SetMail  bool          `json:"may_set_mail"`
}

// oneAccountPage is one account: who it is, where its notices go, and how access
// to it was given anew.
type oneAccountPage struct {
	accountLine
	Mine      bool             `json:"-"`
	Seen      bool             `json:"-"` // its address is shown to the reader
	Recovered []recoveredEntry `json:"recoveries" doc:"The oldest first."`
	Keys      []passkeyLine    `json:"passkeys_in_use" doc:"Those that you may revoke."`
	Tokens    []tokenLine      `json:"tokens_in_use" doc:"Those that you may revoke."`
}

type recoveredEntry struct {
	Passkey   digest `json:"passkey" doc:"The one that was made. SHA-256 of its id."`
	Invited   Moment `json:"invited"`
	InvitedBy string `json:"invited_by"`
	Confirmed Moment `json:"confirmed"`
	ConfirmBy string `json:"confirmed_by"`
	Made      Moment `json:"made" doc:"When the new passkey was made."`
	Lifted    Moment `json:"wait_lifted"`
	LiftedBy  string `json:"wait_lifted_by,omitempty"`
	Why       string `json:"reason,omitempty" doc:"How it was known to be its person; for staff."`
}

// oneAccount shows one account to whom it is listed to, and to its person.
func oneAccount(v *Visit) error {
	id, err := pathID[cvd.AccountID](v, "account")
	if err != nil {
		return err
	}
	a, err := v.Desk().AccountOf(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := oneAccountPage{accountLine: v.accountLine(a), Mine: id == v.By.Account, Recovered: []recoveredEntry{}}
	page.Keys, page.Tokens = v.access(a.Access)
	page.Seen = page.Mine || v.can(cvd.ActListMembers, cvd.TheProgramme())
	for _, r := range a.Recovered {
		page.Recovered = append(page.Recovered, recoveredEntry{r.Passkey, v.Moment(r.Invited), r.InvitedBy, v.Moment(r.Confirmed), r.ConfirmBy,
			v.Moment(r.Made), v.Moment(r.Lifted), r.LiftedBy, r.Why})
	}
	return v.Render("one-account", page)
}

// Newest is the recovery whose wait can be lifted.
func (p oneAccountPage) Newest() (r recoveredEntry) {
	if n := len(p.Recovered); n > 0 {
		r = p.Recovered[n-1]
	}
	return r
}

type whichAccess struct {
	Access digest `json:"access" need:"true" doc:"SHA-256 of the passkey's id, or of the token."`
}

// revokeAccess takes a passkey or a token of an account out of use.
func revokeAccess(v *Visit) error {
	var in whichAccess
	id, err := pathID[cvd.AccountID](v, "account")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	if err := v.Desk().RevokeAccess(v.Context(), v.By, id, in.Access); err != nil {
		return err
	}
	return v.Done("/accounts/"+id.String(), nil)
}

type mailIn struct {
	Mail string `json:"mail" doc:"Where its notices go; nothing: nowhere."`
}

// setMail says where an account's notices go.
func setMail(v *Visit) error {
	var in mailIn
	id, err := pathID[cvd.AccountID](v, "account")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	if err := v.Desk().SetMail(v.Context(), v.By, id, in.Mail); err != nil {
		return err
	}
	return v.Done("/accounts/"+id.String(), nil)
}

type nameIn struct {
	Name string `json:"name" need:"true" max:"200" doc:"What its person is called."`
}

// setName says what an account's person is called.
func setName(v *Visit) error {
	var in nameIn
	id, err := pathID[cvd.AccountID](v, "account")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	if err := v.Desk().SetName(v.Context(), v.By, id, in.Name); err != nil {
		return err
	}
	return v.Done("/accounts/"+id.String(), nil)
}

type liftIn struct {
	Passkey digest `json:"passkey" need:"true" doc:"The one that it was recovered with, as it was read: another recovery since refuses this."`
	Reason  string `json:"reason" need:"true" max:"2000" doc:"How you know that it is its person; kept encrypted."`
}

// liftWait ends the wait after a recovery.
func liftWait(v *Visit) error {
	var in liftIn
	id, err := pathID[cvd.AccountID](v, "account")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	if err := v.Desk().LiftWait(v.Context(), v.By, id, in.Passkey, in.Reason); err != nil {
		return err
	}
	return v.Done("/accounts/"+id.String(), nil)
}

type invitedPage struct {
	Link     string `json:"link" doc:"Shown this once: the desk keeps its hash alone."`
	Until    Moment `json:"until"`
	Recovery bool   `json:"recovery" doc:"Another coordinator has to confirm it before it works."`
}

// inviteAccount makes a link, and shows it this once.
func inviteAccount(v *Visit) error {
	id, err := pathID[cvd.AccountID](v, "account")
	if err != nil {
		return err
	}
	inv, err := v.Desk().InviteAccount(v.Context(), v.By, id, invitationTime)
	if err != nil {
		return err
	}
	return v.Render("invited", invitedPage{Link(v.site.Config.Origin, inv.Secret), v.Moment(inv.Until), inv.Recovery})
}

func confirmInvitation(v *Visit) error {
	id, err := pathID[cvd.AccountID](v, "account")
	if err != nil {
		return err
	}
	if err := v.Desk().ConfirmInvitation(v.Context(), v.By, id); err != nil {
		return err
	}
	return v.Done("/accounts", nil)
}
