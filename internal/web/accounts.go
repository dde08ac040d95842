package web

import (
	"time"

	"forewarn/internal/cvd"
)

// accountsShown is how many accounts a page lists: words narrow it down.
const accountsShown = 100

// invitationTime is how long a link works that was made on a page.
const invitationTime = 72 * time.Hour

// accounts lists those that somebody looks after.
func accounts(v *Visit) error {
	words := v.URL.Query().Get("words")
	list, more, err := v.Desk().Accounts(v.Context(), v.By, words, accountsShown)
	if err != nil {
		return err
	}
	type line struct {
		ID, Handle, Name, Member, Roles string
		Closed, Waits, Invite, Confirm  bool
		Passkeys                        int
		Invited                         Moment
	}
	page := struct {
		Words    string
		Accounts []line
		More     int
	}{Words: words, More: more}
	for _, a := range list {
		page.Accounts = append(page.Accounts, line{a.Account.String(), a.Who.Handle, a.Who.Name, a.Member, a.Roles.String(),
			a.Closed, a.Waits, a.Invite, a.Confirm, a.Passkeys, v.Moment(a.Invited)})
	}
	return v.Render("accounts", page)
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
	return v.Render("invited", struct {
		Link     string
		Until    Moment
		Recovery bool
	}{Link(v.site.Config.Origin, inv.Secret), v.Moment(inv.Until), inv.Recovery})
}

func confirmInvitation(v *Visit) error {
	id, err := pathID[cvd.AccountID](v, "account")
	if err != nil {
		return err
	}
	if err := v.Desk().ConfirmInvitation(v.Context(), v.By, id); err != nil {
		return err
	}
	return v.Redirect("/accounts")
}
