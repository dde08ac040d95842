package coordinator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/signin"
)

// Invited is an invitation as it is made. The secret is nowhere else.
type Invited struct {
	Secret   string
	Until    time.Time
	Recovery bool // a second coordinator confirms it first
}

// InviteAccount lets an account's person make a passkey with a secret, once.
func (d *Desk) InviteAccount(ctx context.Context, by cvd.Actor, id cvd.AccountID, lapses time.Duration) (out Invited, err error) {
	if out.Secret, err = signin.Secret(d.Rand); err != nil {
		return out, err
	}
	if _, err = d.do(ctx, by, func(now time.Time) []cvd.Command {
		out.Until = now.Add(lapses)
		return []cvd.Command{cvd.InviteAccount{Account: id, Invitation: signin.KeyOf(out.Secret), Until: out.Until}}
	}); err != nil {
		return Invited{}, err
	}
	err = d.View(func(p *cvd.Programme) error {
		if inv := p.Accounts[id].Invitation(d.at(p)); inv != nil {
			out.Recovery = inv.Recovery
		}
		return nil
	})
	return out, err
}

// ConfirmInvitation is a second coordinator's yes to the invitation that an
// account has now.
func (d *Desk) ConfirmInvitation(ctx context.Context, by cvd.Actor, id cvd.AccountID) error {
	yes := cvd.ConfirmInvitation{Account: id}
	if err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActConfirmInvitation, cvd.AnAccount(id), d.at(p)); err != nil {
			return err
		}
		inv := p.Accounts[id].Invitation(d.at(p))
		if inv == nil {
			return fmt.Errorf("%w: the account has no invitation that can be used: invite it anew", cvd.ErrRefused)
		}
		yes.Invitation = inv.Hash
		return nil
	}); err != nil {
		return err
	}
	_, err := d.Do(ctx, by, yes)
	return err
}

// AccountLine is an account in a list for those who look after accounts.
type AccountLine struct {
	Account  cvd.AccountID
	Who      Person
	Member   string // empty: not a member's
	Roles    cvd.Roles
	Closed   bool
	Passkeys int       // in use
	Invited  time.Time // until when an invitation can be used; zero: none
	Waits    bool      // that invitation waits for a second coordinator
	Invite   bool      // the actor may invite it
	Confirm  bool      // and may confirm its invitation
}

// Accounts lists accounts whose handle, name or member has some words in it, the
// newest first: all of them for staff, their own member's for members. more is
// how many it left out beyond most.
func (d *Desk) Accounts(ctx context.Context, by cvd.Actor, words string, most int) (out []AccountLine, more int, err error) {
	words = strings.ToLower(words)
	if words != "" {
		if err := d.Warm(ctx); err != nil {
			return nil, 0, err
		}
	}
	// Whether somebody may do it at all; the proof that it takes is asked for then.
	asked := cvd.Actor{Account: by.Account, Auth: entrylog.AuthFresh}
	err = d.View(func(p *cvd.Programme) error {
		now, n, me := d.at(p), d.Names(ctx, p), p.Accounts[by.Account]
		own := cvd.MemberID{}
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			if me == nil || p.May(by, cvd.ActViewMember, cvd.AMember(me.Member), now) != nil {
				return err
			}
			own = me.Member
		}
		for _, id := range slices.Backward(p.AccountOrder) {
			a := p.Accounts[id]
			if id == p.Sealer || !own.IsZero() && a.Member != own {
				continue
			}
			if words == "" && len(out) == most {
				more++
				continue
			}
			line := AccountLine{Account: id, Who: n.Person(id), Roles: a.Roles, Closed: a.Closed != nil}
			if !own.IsZero() && id != by.Account {
				line.Who.Mail = "" // staff see where notices go
			}
			if !a.Member.IsZero() {
				line.Member = n.Member(a.Member)
			}
			if !strings.Contains(strings.ToLower(line.Who.Handle+"\n"+line.Who.Name+"\n"+line.Member), words) {
				continue
			}
			if len(out) == most {
				more++
				continue
			}
			for i := range a.Credentials {
				if a.Credentials[i].Revoked == nil {
					line.Passkeys++
				}
			}
			if inv := a.Invitation(now); inv != nil {
				line.Invited, line.Waits = inv.Until, inv.Recovery && inv.Confirmed == nil
				line.Confirm = line.Waits && inv.By != by.Account && id != by.Account && p.May(asked, cvd.ActConfirmInvitation, cvd.AnAccount(id), now) == nil
			}
			line.Invite = p.May(asked, cvd.ActInviteAccount, cvd.AnAccount(id), now) == nil
			out = append(out, line)
		}
		return nil
	})
	return out, more, err
}

// Warm reads the names of all accounts and members, so that later looking for
// one keeps nobody waiting: it is outside of View that most of the time goes.
// Names that can't be read any more are passed over.
func (d *Desk) Warm(ctx context.Context) error {
	type text struct {
		key string
		ref cvd.BlobRef
	}
	var all []text
	var names int64
	if err := d.View(func(p *cvd.Programme) error {
		if names = int64(len(p.AccountOrder) + len(p.MemberOrder)); names == d.warmed.Load() {
			return nil // nobody came since
		}
		for _, id := range p.AccountOrder {
			all = append(all, text{PersonKey(id), p.Accounts[id].Person})
		}
		for _, id := range p.MemberOrder {
			all = append(all, text{MemberKey(id), p.Members[id].Name})
		}
		return nil
	}); err != nil {
		return err
	}
	for _, x := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, known := d.texts.Load(x.ref); !known && !x.ref.IsZero() {
			_, _ = d.blob(ctx, x.key, x.ref)
		}
	}
	d.warmed.Store(names)
	return nil
}
