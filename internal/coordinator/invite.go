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

// LiftWait ends the wait after an account's recovery with a passkey, by a
// coordinator who did not make the invitation. The zero hash is the last
// recovery's passkey. Why is how it is known to be the account's person.
func (d *Desk) LiftWait(ctx context.Context, by cvd.Actor, id cvd.AccountID, passkey [32]byte, why string) error {
	q := cvd.LiftWait{Account: id, Credential: passkey}
	if err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActLiftWait, cvd.AnAccount(id), d.at(p)); err != nil {
			return err
		}
		if all := p.Accounts[id].Recoveries(); len(all) > 0 && passkey == [32]byte{} {
			q.Credential = all[len(all)-1].Hash()
		}
		return nil
	}); err != nil {
		return err
	}
	var err error
	if q.Reason, err = d.Reason(ctx, PersonKey(id), why); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
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
	Invite   bool      // the actor may invite it, or recover access to it
	Confirm  bool      // and may confirm its invitation
	Mail     bool      // and may say where its notices go
	Lift     bool      // and may lift the wait after its recovery

	Unsettled time.Time       // until when it waits after a recovery; zero: it doesn't
	Recovered []RecoveredLine // the oldest first
	Access    []AccessLine    // in use, passkeys first; of those that the actor may revoke
}

// AccessLine is what somebody or some machine comes as an account with: a passkey,
// or a token.
type AccessLine struct {
	ID     [32]byte // SHA-256 of the passkey's id, or of the token
	Made   time.Time
	Scope  cvd.Scope // of a token; zero: it is a passkey
	Until  time.Time // of a token
	Synced bool      // of a passkey: its maker keeps copies of it
}

// Kind is the glossary's word for it.
func (x AccessLine) Kind() string {
	if x.Scope == 0 {
		return "passkey"
	}
	return "token"
}

// backupState is the flag of a passkey that its maker keeps copies of, in
// WebAuthn's authenticator data.
const backupState = 0x10

// access is what an account is entered with now; may asks about those of a kind.
func access(a *cvd.Account, now time.Time, may func(cvd.Action) bool) (out []AccessLine) {
	if may(cvd.ActRevokeCredential) {
		for i := range a.Credentials {
			if x := &a.Credentials[i]; x.Revoked == nil {
				out = append(out, AccessLine{ID: x.Hash(), Made: x.At, Synced: x.Flags&backupState != 0})
			}
		}
	}
	if may(cvd.ActRevokeToken) {
		for i := range a.Tokens {
			if t := &a.Tokens[i]; t.Revoked == nil && now.Before(t.Until) {
				out = append(out, AccessLine{ID: t.Hash, Made: t.At, Scope: t.Scope, Until: t.Until})
			}
		}
	}
	return out
}

// RevokeAccess takes passkeys and tokens of an account out of use, by their hashes:
// all of them or none.
func (d *Desk) RevokeAccess(ctx context.Context, by cvd.Actor, id cvd.AccountID, hashes ...[32]byte) error {
	var all []cvd.Command
	if err := d.View(func(p *cvd.Programme) error {
		for _, h := range hashes {
			if a := p.Accounts[id]; a != nil && a.CredentialOf(h) != nil {
				all = append(all, cvd.RevokeCredential{Account: id, Credential: h})
			} else {
				all = append(all, cvd.RevokeToken{Account: id, Token: h})
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := d.Do(ctx, by, all...)
	return err
}

// RecoveredLine is a recovery of an account: who did what, and when.
type RecoveredLine struct {
	Passkey   [32]byte
	Made      time.Time
	Invited   time.Time
	InvitedBy string
	Confirmed time.Time
	ConfirmBy string
	Lifted    time.Time // zero: the wait was not lifted
	LiftedBy  string
	Why       string // for staff
}

// Accounts lists accounts whose handle, name or member has some words in it, the
// newest first: all of them for staff, their own member's for members. more is
// how many it left out beyond most. Recoveries are told by AccountOf.
func (d *Desk) Accounts(ctx context.Context, by cvd.Actor, words string, most int) (out []AccountLine, more int, err error) {
	words = strings.ToLower(words)
	if words != "" {
		if err := d.Warm(ctx); err != nil {
			return nil, 0, err
		}
	}
	err = d.View(func(p *cvd.Programme) error {
		n := d.Names(ctx, p)
		own, err := d.lookedAfter(p, by)
		if err != nil {
			return err
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
			line := d.accountLine(p, n, by, a, own.IsZero())
			if !strings.Contains(strings.ToLower(line.Who.Handle+"\n"+line.Who.Name+"\n"+line.Member), words) {
				continue
			}
			if len(out) == most {
				more++
				continue
			}
			out = append(out, line)
		}
		return nil
	})
	return out, more, err
}

// AccountOf is one account of those that Accounts lists, or one's own, with its
// recoveries and what it is entered with.
func (d *Desk) AccountOf(ctx context.Context, by cvd.Actor, id cvd.AccountID) (line AccountLine, err error) {
	err = d.View(func(p *cvd.Programme) error {
		a, n := p.Accounts[id], d.Names(ctx, p)
		own, err := d.lookedAfter(p, by)
		switch {
		case a == nil || id == p.Sealer:
			return ErrUnknown
		case id == by.Account && p.May(by, cvd.ActSeeNotices, cvd.AnAccount(id), d.at(p)) == nil:
			// oneself
		case err != nil:
			return err
		case !own.IsZero() && a.Member != own:
			return ErrUnknown
		}
		staff := err == nil && own.IsZero()
		line = d.accountLine(p, n, by, a, staff)
		line.Access = access(a, d.at(p), d.allows(p, by, id))
		for _, r := range a.Recoveries() {
			x := RecoveredLine{Passkey: r.Hash(), Made: r.At, Invited: r.Invitation.At, InvitedBy: n.Account(r.Invitation.By)}
			if c := r.Invitation.Confirmed; c != nil {
				x.Confirmed, x.ConfirmBy = c.At, n.Account(c.By)
			}
			if l := r.Lifted; l != nil {
				x.Lifted, x.LiftedBy = l.At, n.Account(l.By)
				if staff {
					x.Why = d.reasonUnder(ctx, PersonKey(id), l.Reason)
				}
			}
			line.Recovered = append(line.Recovered, x)
		}
		return nil
	})
	return line, err
}

// lookedAfter is the member whose accounts somebody looks after; zero for staff,
// who list all.
func (d *Desk) lookedAfter(p *cvd.Programme, by cvd.Actor) (own cvd.MemberID, err error) {
	now, me := d.at(p), p.Accounts[by.Account]
	if err = p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err == nil {
		return own, nil
	}
	if me == nil || p.May(by, cvd.ActViewMember, cvd.AMember(me.Member), now) != nil {
		return own, err
	}
	return me.Member, nil
}

// allows says whether somebody may do something to an account at all; the proof
// that it takes is asked for then.
func (d *Desk) allows(p *cvd.Programme, by cvd.Actor, id cvd.AccountID) func(cvd.Action) bool {
	now, asked := d.at(p), cvd.Actor{Account: by.Account, Auth: entrylog.AuthFresh}
	return func(act cvd.Action) bool { return p.May(asked, act, cvd.AnAccount(id), now) == nil }
}

// accountLine is an account as somebody is shown it; staff see where notices go.
func (d *Desk) accountLine(p *cvd.Programme, n Names, by cvd.Actor, a *cvd.Account, staff bool) AccountLine {
	now, id := d.at(p), a.ID
	may := d.allows(p, by, id)
	line := AccountLine{Account: id, Who: n.Person(id), Roles: a.Roles, Closed: a.Closed != nil}
	if !staff && id != by.Account {
		line.Who.Mail = ""
	}
	if !a.Member.IsZero() {
		line.Member = n.Member(a.Member)
	}
	for i := range a.Credentials {
		if a.Credentials[i].Revoked == nil {
			line.Passkeys++
		}
	}
	if inv := a.Invitation(now); inv != nil {
		line.Invited, line.Waits = inv.Until, inv.Recovery && inv.Confirmed == nil
		line.Confirm = line.Waits && inv.By != by.Account && id != by.Account && may(cvd.ActConfirmInvitation)
	}
	// Who may invite may not always recover: the verb itself is asked.
	_, err := p.Decide(cvd.InviteAccount{Account: id, Invitation: [32]byte{1}, Until: now.Add(time.Hour)}, cvd.Actor{Account: by.Account, Auth: entrylog.AuthFresh}, now)
	line.Invite, line.Mail = err == nil, may(cvd.ActChangePerson)
	if until := a.UnsettledUntil(); now.Before(until) {
		line.Unsettled, line.Lift = until, may(cvd.ActLiftWait)
	}
	return line
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
