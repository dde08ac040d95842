package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// withAccount is withDesk for an account that somebody named.
func (a *app) withAccount(name string, f func(*coordinator.Desk, cvd.Actor, coordinator.AccountLine) error) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, name)
		if err != nil {
			return err
		}
		x, err := d.AccountOf(a, by, id)
		if err != nil {
			return err
		}
		return f(d, by, x)
	})
}

type accountShow struct {
	Account string `arg:"" help:"Handle or id."`
}

func (*accountShow) Help() string {
	return "Passkeys and tokens are shown while they are in use, to whoever may revoke them.\n\nExample:\n  forewarn account show ben --as ana"
}

// accountShown is an account for programs, with the ways into it.
type accountShown struct {
	accountFields
	Unsettled time.Time  `json:"unsettled_until,omitzero"`
	Access    []entrance `json:"access"`
	Recovered []recovery `json:"recoveries"`
}

// recovery is one of an account, for programs.
type recovery struct {
	Made      time.Time `json:"made"` // the new passkey
	InvitedBy string    `json:"invited_by"`
	ConfirmBy string    `json:"confirmed_by,omitempty"`
	LiftedBy  string    `json:"wait_lifted_by,omitempty"`
}

// entrance is a passkey or a token for programs.
type entrance struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Made   time.Time `json:"made"`
	Synced bool      `json:"synced,omitempty"`
	Scope  string    `json:"scope,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

func (c *accountShow) Run(a *app) error {
	return a.withAccount(c.Account, func(d *coordinator.Desk, _ cvd.Actor, x coordinator.AccountLine) error {
		v := accountShown{
			accountFields{x.Account, x.Who.Handle, x.Who.Name, x.Who.Mail, roleNames(x.Roles), x.Member, x.Closed, x.Invited, x.Waits}, x.Unsettled, []entrance{}, []recovery{},
		}
		for _, r := range x.Recovered {
			v.Recovered = append(v.Recovered, recovery{r.Made, r.InvitedBy, r.ConfirmBy, r.LiftedBy})
		}
		var rows [][]string
		for _, e := range x.Access {
			id, scope, kept := hex.EncodeToString(e.ID[:]), "", "on one device"
			if e.Synced {
				kept = "copies with its maker"
			}
			if e.Scope != 0 {
				scope, kept = e.Scope.String(), "until "+when(e.Until)
			}
			v.Access = append(v.Access, entrance{id, e.Kind(), e.Made, e.Synced, scope, e.Until})
			rows = append(rows, []string{id[:8], e.Kind(), when(e.Made), scope, kept})
		}
		if a.JSON {
			return a.printJSON(v)
		}
		a.say("%s  (%s), %s, %s", line(v.Handle), x.Account.Short(), line(v.Name), x.Roles)
		if v.Member != "" {
			a.say("  of %s", line(v.Member))
		}
		for _, said := range []struct {
			is   bool
			what string
		}{
			{v.Mail != "", "notices go to " + line(v.Mail)},
			{v.Closed, "closed"},
			{!v.Invited.IsZero(), invited(v.Invited, v.Waits)},
			{!v.Unsettled.IsZero(), "access was recovered: fetches nothing until " + when(v.Unsettled)},
			{len(rows) == 0, "no passkey and no token in use that you may revoke"},
		} {
			if said.is {
				a.say("  %s", said.what)
			}
		}
		for _, r := range v.Recovered {
			said := fmt.Sprintf("  recovered %s: invited by %s, confirmed by %s", when(r.Made), line(r.InvitedBy), line(r.ConfirmBy))
			if r.LiftedBy != "" {
				said += ", the wait lifted by " + line(r.LiftedBy)
			}
			a.say("%s", said)
		}
		if len(rows) > 0 {
			a.table([]string{"ID", "IS", "MADE", "FOR", "KEPT"}, rows)
		}
		return nil
	})
}

type accountRevoke struct {
	Account string   `arg:"" help:"Handle or id."`
	ID      []string `arg:"" help:"Of a passkey or a token, or how it begins, as 'account show' lists it."`
}

func (*accountRevoke) Help() string {
	return `At once, and for good: what a passkey signed in is signed out, and a token is nobody's. Who has no passkey left is invited anew, and a second
coordinator confirms it.

Example:
  forewarn account revoke ben 5f0c21aa --as ana`
}

func (c *accountRevoke) Run(a *app) error {
	return a.withAccount(c.Account, func(d *coordinator.Desk, by cvd.Actor, x coordinator.AccountLine) error {
		var hashes [][32]byte
		var ids, named []string
		for _, said := range c.ID {
			e, err := accessCalled(x, said)
			if err != nil {
				return err
			}
			hashes, ids = append(hashes, e.ID), append(ids, hex.EncodeToString(e.ID[:]))
			named = append(named, fmt.Sprintf("the %s %x", e.Kind(), e.ID[:4]))
		}
		if err := d.RevokeAccess(a, by, x.Account, hashes...); err != nil {
			return err
		}
		return a.done(fields{"account": x.Account, "revoked": ids}, "Revoked %s of %s. What was done before stays in the log.", strings.Join(named, ", "), x.Who.Handle)
	})
}

// accessCalled is the passkey or token in use whose id begins with something.
func accessCalled(x coordinator.AccountLine, said string) (e coordinator.AccessLine, err error) {
	n := 0
	for _, y := range x.Access {
		if len(said) >= 4 && strings.HasPrefix(hex.EncodeToString(y.ID[:]), strings.ToLower(said)) {
			e, n = y, n+1
		}
	}
	if n != 1 {
		return e, fmt.Errorf("%w: %s that you may revoke and that are in use begin with %q; see 'forewarn account show %s'", coordinator.ErrUnknown, count(n, "passkey or token", "passkeys and tokens"), said, x.Who.Handle)
	}
	return e, nil
}
