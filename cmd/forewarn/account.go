package main

import (
	"fmt"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/seal"
)

type accountCmd struct {
	Add   accountAdd   `cmd:"" help:"Add an account of staff, or of a member."`
	List  accountList  `cmd:"" help:"List the accounts."`
	Show  accountShow  `cmd:"" help:"Show an account: its invitation, passkeys, tokens and recoveries."`
	Close accountClose `cmd:"" help:"Close an account for good."`
	Name  accountName  `cmd:"" help:"Say what an account's person is called."`
	Mail  accountMail  `cmd:"" help:"Say where an account's notices go."`
	Keys  accountKeys  `cmd:"" help:"Enrol your own keys as staff, so that you can hold a copy."`

	Invite  accountInvite  `cmd:"" help:"Make a link with which its person makes a passkey, once."`
	Confirm accountConfirm `cmd:"" help:"As a second coordinator, confirm that access to an account is recovered."`
	Revoke  accountRevoke  `cmd:"" help:"Take a passkey or a token of an account out of use."`
	Lift    accountLift    `cmd:"" help:"As another coordinator, say that a recovery was its person, and lift the day's wait."`
}

type accountAdd struct {
	Handle string   `arg:"" help:"Short name for typing."`
	Name   string   `help:"Who it is; else the handle." placeholder:"NAME"`
	Mail   string   `help:"Where notices go." placeholder:"ADDRESS"`
	Role   []string `help:"Roles: coordinator, case-worker, approver, investigator, auditor, member-admin, member-contact, finder." required:"" placeholder:"ROLE"`
	Member string   `help:"The member whose account it is." placeholder:"MEMBER"`
}

func (*accountAdd) Help() string {
	return `Example:
  forewarn account add ben --name "Ben Oduya" --role approver,investigator --as ana`
}

func (c *accountAdd) Run(a *app) error {
	var roles cvd.Roles
	for _, s := range c.Role {
		r, err := cvd.ParseRole(s)
		if err != nil {
			return usage("%v", err)
		}
		roles |= cvd.RoleSet(r)
	}
	if c.Name == "" {
		c.Name = c.Handle
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		var m cvd.MemberID
		if c.Member != "" {
			var err error
			if m, err = d.Member(a, by, c.Member); err != nil {
				return err
			}
		}
		id, err := d.AddAccount(a, by, m, roles, coordinator.Person{Handle: c.Handle, Name: c.Name, Mail: c.Mail})
		if err != nil {
			return err
		}
		return a.done(fields{"account": id, "handle": c.Handle, "roles": roleNames(roles)}, "Added %s (%s), %s.", c.Handle, id.Short(), roles)
	})
}

// accountFields is an account for programs.
type accountFields struct {
	Account cvd.AccountID `json:"account"`
	Handle  string        `json:"handle"`
	Name    string        `json:"name"`
	Mail    string        `json:"mail,omitempty"`
	Roles   []string      `json:"roles"`
	Member  string        `json:"member,omitempty"`
	Closed  bool          `json:"closed"`
	Invited time.Time     `json:"invited_until,omitzero"`
	Waits   bool          `json:"waits_for_second"`
}

type accountList struct{}

func (*accountList) Help() string {
	return "Staff see all accounts, members their own. Without an address an account is told nothing by mail.\n\nExample:\n  forewarn account list --as ana"
}

func (c *accountList) Run(a *app) error {
	type row struct {
		accountFields
		Keys bool `json:"keys"`
	}
	var values []row
	var rows [][]string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		own, err := ownMember(p, by, now)
		if err != nil {
			return err
		}
		for _, id := range p.AccountOrder {
			acc, who := p.Accounts[id], n.Person(id)
			if !own.IsZero() && acc.Member != own {
				continue
			}
			_, keys := p.KeysOf(acc.HolderOf())
			r := row{accountFields{Account: id, Handle: who.Handle, Name: who.Name, Roles: roleNames(acc.Roles), Closed: acc.Closed != nil}, keys}
			if own.IsZero() || id == by.Account {
				r.Mail = who.Mail
			}
			if !acc.Member.IsZero() {
				r.Member = n.Member(acc.Member)
			}
			state := ""
			if inv := acc.Invitation(now); inv != nil {
				r.Invited, r.Waits = inv.Until, inv.Recovery && inv.Confirmed == nil
				state = invited(inv.Until, r.Waits)
			}
			if r.Closed {
				state = "closed"
			}
			values = append(values, r)
			rows = append(rows, []string{r.Handle, id.Short(), r.Name, r.Mail, strings.Join(r.Roles, ", "), r.Member, state})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return list(a, "No account yet.", []string{"HANDLE", "ID", "NAME", "MAIL", "ROLES", "MEMBER", ""}, rows, values)
}

// invited says until when an invitation can be used.
func invited(until time.Time, waits bool) string {
	if waits {
		return "invited until " + when(until) + ", waits for a second coordinator"
	}
	return "invited until " + when(until)
}

// ownMember is the member that a list is limited to: that of members' accounts,
// which see themselves; zero for staff, who see all.
func ownMember(p *cvd.Programme, by cvd.Actor, now time.Time) (cvd.MemberID, error) {
	me := p.Accounts[by.Account]
	if me != nil && !me.Member.IsZero() {
		return me.Member, p.May(by, cvd.ActViewMember, cvd.AMember(me.Member), now)
	}
	return cvd.MemberID{}, p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now)
}

func roleNames(s cvd.Roles) []string {
	out := []string{}
	for _, r := range s.List() {
		out = append(out, r.String())
	}
	return out
}

type accountClose struct {
	Account string `arg:"" help:"Handle or id."`
}

func (*accountClose) Help() string { return "Example:\n  forewarn account close ben --as ana" }

func (c *accountClose) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.CloseAccount{Account: id}); err != nil {
			return err
		}
		return a.done(fields{"account": id, "closed": true}, "Closed %s. Its entries stay.", c.Account)
	})
}

type accountMail struct {
	Account string `arg:"" help:"Handle or id."`
	Address string `arg:"" optional:"" help:"Where its notices go; without one, nowhere."`
}

func (*accountMail) Help() string {
	return "Everybody says it of themselves, coordinators of everybody, and a member's admins of their own.\n\nExample:\n  forewarn account mail ana ana@desk.example --as ana"
}

func (c *accountMail) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		if err := d.SetMail(a, by, id, c.Address); err != nil {
			return err
		}
		if c.Address == "" {
			return a.done(fields{"account": id, "mail": ""}, "%s has no address now, and is told nothing by mail.", c.Account)
		}
		return a.done(fields{"account": id, "mail": c.Address}, "Notices to %s go to %s.", c.Account, c.Address)
	})
}

type accountName struct {
	Account string `arg:"" help:"Handle or id; the handle stays."`
	Name    string `arg:"" help:"What its person is called."`
}

func (*accountName) Help() string {
	return "Everybody says it of themselves, coordinators of everybody, and a member's admins of their own.\n\nExample:\n  forewarn account name ben \"Ben Oduya\" --as ana"
}

func (c *accountName) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		if err := d.SetName(a, by, id, c.Name); err != nil {
			return err
		}
		return a.done(fields{"account": id, "name": c.Name}, "%s is called %s.", c.Account, c.Name)
	})
}

type accountKeys struct {
	File string `arg:"" help:"The .pub file that keygen made."`
}

func (*accountKeys) Help() string {
	return "Example:\n  forewarn account keys ana.key.pub --as ana"
}

func (c *accountKeys) Run(a *app) error {
	pub, err := a.public(c.File)
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		return a.enrol(d, by, cvd.HolderID(by.Account), a.As, pub)
	})
}

// public reads the public half of keys.
func (a *app) public(file string) (seal.Public, error) {
	b, err := a.read(file, 1<<20)
	if err != nil {
		return seal.Public{}, err
	}
	pub, err := seal.ParsePublic(b)
	if err != nil {
		return pub, fmt.Errorf("%w: %q: %w", errInput, file, err)
	}
	return pub, nil
}

// enrol makes keys a holder's, and says which waves are sealed to earlier ones.
func (a *app) enrol(d *coordinator.Desk, by cvd.Actor, h cvd.HolderID, name string, pub seal.Public) error {
	entries, err := d.Do(a, by, cvd.EnrolKeys{Holder: h, Recipients: pub.Recipients, Signing: pub.Signing})
	if err != nil {
		return err
	}
	stale, err := stale(d, h)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		a.say("%s sealed to earlier keys. A person at the sealer accepts the new ones, then 'forewarn wave resume' seals again:", count(len(stale), "wave is", "waves are"))
		a.say("  forewarn sealer accept FOLDER %s FILE.pub", h)
	}
	said := fields{"holder": h, "recipients": pub.Recipients, "stale_waves": stale}
	if len(entries) == 0 {
		return a.done(said, "These keys of %s are in use already: nothing was changed.", name)
	}
	return a.done(said,
		"Enrolled %s and a signing key for %s. Copies sealed from now on open with them.", count(len(pub.Recipients), "recipient key", "recipient keys"), name)
}

// stale lists a holder's waves that are sealed to other keys than those in use.
func stale(d *coordinator.Desk, h cvd.HolderID) ([]cvd.WaveID, error) {
	out := []cvd.WaveID{}
	err := d.View(func(p *cvd.Programme) error {
		keys, _ := p.KeysOf(h)
		for _, id := range p.Stale() {
			if c := p.Waves[id].CopyOf(h); c != nil && c.Keys != keys.Seq {
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}
