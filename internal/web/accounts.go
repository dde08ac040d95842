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
		page.Accounts = append(page.Accounts, accountLine{a.Account, a.Who.Handle, a.Who.Name, a.Who.Mail, a.Member, a.Roles.String(),
			a.Closed, a.Passkeys, v.Moment(a.Invited), a.Waits, a.Invite, a.Confirm})
	}
	return v.Render("accounts", page)
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
	Invite   bool          `json:"may_invite"`
	Confirm  bool          `json:"may_confirm"`
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
