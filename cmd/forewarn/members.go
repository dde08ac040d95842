package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type memberCmd struct {
	Add      memberAdd      `cmd:"" help:"Admit a member, with its first contact."`
	Import   memberImport   `cmd:"" help:"Admit members from a CSV file."`
	List     memberList     `cmd:"" help:"List the members."`
	Terms    memberTerms    `cmd:"" help:"Print the programme's terms, and whether your member accepted them."`
	Accept   memberAccept   `cmd:"" help:"Accept the programme's terms for your member, and enrol its keys."`
	Keys     memberKeys     `cmd:"" help:"Enrol your member's keys, replacing earlier ones."`
	Revoke   memberRevoke   `cmd:"" help:"Take a member's keys out of use."`
	Standing memberStanding `cmd:"" help:"Change a member's standing."`
	Group    memberGroup    `cmd:"" help:"Declare members under common ownership."`
}

type memberAdd struct {
	Name         string   `arg:"" help:"The organisation's name."`
	Tier         uint8    `help:"1 is told first." required:"" placeholder:"N"`
	Jurisdiction []string `help:"Where it sits: ISO 3166 codes, or EU." placeholder:"CC"`
	Contact      string   `help:"Handle of the first contact: an account that reads, answers and speaks for it." placeholder:"HANDLE"`
	ContactName  string   `help:"The contact's name." placeholder:"NAME"`
	ContactMail  string   `help:"Where its notices go." placeholder:"ADDRESS"`
}

func (*memberAdd) Help() string {
	return `The contact then accepts the terms and enrols the member's keys: nobody else can.

Example:
  forewarn member add "Northlight Security" --tier 1 --jurisdiction DE --contact mia --as ana`
}

func (c *memberAdd) Run(a *app) error {
	if c.Tier == 0 {
		return usage("tiers are numbers from 1 to 255")
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		m, acc, err := d.Admit(a, by, coordinator.Admission{Name: c.Name, Tier: c.Tier, Jurisdictions: c.Jurisdiction, Contact: c.Contact, ContactName: c.ContactName, ContactMail: c.ContactMail})
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(coordinator.Admitted{Member: m, Account: acc})
		}
		a.say("Admitted %s (%s), tier %d.", c.Name, m.Short(), c.Tier)
		if c.Contact != "" {
			a.say("  contact %s (%s): accepts the terms and enrols keys with 'forewarn member accept --keys FILE --as %s'", c.Contact, acc.Short(), c.Contact)
		}
		return nil
	})
}

type memberList struct{}

func (*memberList) Help() string {
	return "Staff see all members, members themselves.\n\nExample:\n  forewarn member list --json --as ana"
}

func (c *memberList) Run(a *app) error {
	type row struct {
		Member        cvd.MemberID `json:"member"`
		Name          string       `json:"name"`
		Tier          uint8        `json:"tier"`
		Jurisdictions []string     `json:"jurisdictions"`
		Standing      string       `json:"standing"`
		Terms         bool         `json:"terms_accepted"`
		Keys          bool         `json:"keys"`
		Contacts      []string     `json:"contacts"`
	}
	var values []row
	var rows [][]string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		own, err := ownMember(p, by, now)
		if err != nil {
			return err
		}
		for _, id := range p.MemberOrder {
			if !own.IsZero() && id != own {
				continue
			}
			m := p.Members[id]
			_, keys := p.KeysOf(cvd.HolderID(id))
			r := row{Member: id, Name: n.Member(id), Tier: m.Tier, Standing: m.Standing.String(), Terms: p.TermsAccepted(id, now), Keys: keys, Jurisdictions: []string{}, Contacts: []string{}}
			for _, j := range m.Jurisdictions {
				r.Jurisdictions = append(r.Jurisdictions, j.String())
			}
			for _, acc := range m.Accounts {
				r.Contacts = append(r.Contacts, n.Account(acc))
			}
			values = append(values, r)
			var missing []string
			if !r.Terms {
				missing = append(missing, "terms not accepted")
			}
			if !r.Keys {
				missing = append(missing, "no keys")
			}
			rows = append(rows, []string{r.Name, id.Short(), fmt.Sprint(r.Tier), strings.Join(r.Jurisdictions, " "), r.Standing, strings.Join(r.Contacts, " "), strings.Join(missing, ", ")})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return list(a, "No members yet. Admit the first with 'forewarn member add NAME --tier 1 --contact HANDLE'.",
		[]string{"NAME", "ID", "TIER", "WHERE", "STANDING", "CONTACTS", "WANTING"}, rows, values)
}

type memberTerms struct{}

func (*memberTerms) Help() string {
	return "Nothing is accepted by it: that is 'forewarn member accept'.\n\nExample:\n  forewarn member terms --as mia"
}

func (*memberTerms) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		t, err := d.TermsFor(a, by)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(t)
		}
		a.say("%s", t.Text)
		a.say("Terms %d, SHA-256 %x, published %s, binding from %s.", t.Number, t.Digest[:8], when(t.At), when(t.Binds))
		switch {
		case !t.Accepted.IsZero():
			a.say("Accepted by %s, %s.", line(t.By), when(t.Accepted))
		case t.Mine:
			a.say("Your member has not accepted them: forewarn member accept --keys FILE")
		}
		return nil
	})
}

type memberAccept struct {
	Keys string `help:"Enrol the keys of this .pub file in the same stroke." placeholder:"FILE"`
}

func (*memberAccept) Help() string {
	return `Accepts the newest terms for the member whose account you act as, and prints them; 'forewarn member terms' prints them before. They say that each copy is individually marked.

Example:
  forewarn member accept --keys mia.key.pub --as mia`
}

func (c *memberAccept) Run(a *app) error {
	var enrol *cvd.EnrolKeys
	if c.Keys != "" {
		pub, err := a.public(c.Keys)
		if err != nil {
			return err
		}
		enrol = &cvd.EnrolKeys{Recipients: pub.Recipients, Signing: pub.Signing}
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		var also []cvd.Command
		if enrol != nil {
			h, err := a.ownMember(d, by)
			if err != nil {
				return err
			}
			enrol.Holder = h
			also = append(also, *enrol)
		}
		text, err := d.AcceptTerms(a, by, also...)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		a.say("%s", text)
		if enrol != nil {
			a.say("In use: %s and a signing key.", count(len(enrol.Recipients), "recipient key", "recipient keys"))
		}
		return a.done(fields{"accepted": true, "terms_sha256": hex.EncodeToString(sum[:]), "terms": string(text), "keys": enrol != nil},
			"Accepted: the terms above, SHA-256 %x.", sum[:8])
	})
}

type memberKeys struct {
	File string `arg:"" help:"The .pub file that keygen made: age recipients, or SSH public keys, and a signing key."`
}

func (*memberKeys) Help() string {
	return "Example:\n  forewarn member keys mia-2.key.pub --as mia"
}

func (c *memberKeys) Run(a *app) error {
	pub, err := a.public(c.File)
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		h, err := a.ownMember(d, by)
		if err != nil {
			return err
		}
		return a.enrol(d, by, h, "your member", pub)
	})
}

// ownMember is the member whose account --as is.
func (a *app) ownMember(d *coordinator.Desk, by cvd.Actor) (cvd.HolderID, error) {
	id, err := d.Member(a, by, "")
	if err != nil {
		return cvd.HolderID{}, fmt.Errorf("%w: a member's keys are enrolled by an account of that member, and %s is none: say with --as whose they are", cvd.ErrRefused, a.As)
	}
	return cvd.HolderID(id), nil
}

type memberRevoke struct {
	Member string `arg:"" optional:"" help:"Name or id; your own if not given."`
	Reason string `help:"Why; encrypted."`
}

func (*memberRevoke) Help() string {
	return "Example:\n  forewarn member revoke Northlight --reason \"laptop lost\" --as ana"
}

func (c *memberRevoke) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Member(a, by, c.Member)
		if err != nil {
			return err
		}
		why, err := d.Reason(a, coordinator.ProgrammeKey, c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.RevokeKeys{Holder: cvd.HolderID(id), Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"member": id, "keys": false}, "The member's keys are out of use. Copies fetched before still open with them; waves sealed from now on want new keys.")
	})
}

type memberStanding struct {
	Member   string `arg:"" help:"Name or id."`
	Standing string `arg:"" help:"good, suspended, excluded or left." enum:"good,suspended,excluded,left"`
	Reason   string `help:"Why; encrypted."`
}

func (*memberStanding) Help() string {
	return "Example:\n  forewarn member standing Northlight suspended --reason \"under review\" --as ana"
}

func (c *memberStanding) Run(a *app) error {
	s, err := cvd.ParseStanding(c.Standing)
	if err != nil {
		return usage("%v", err)
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Member(a, by, c.Member)
		if err != nil {
			return err
		}
		why, err := d.Reason(a, coordinator.ProgrammeKey, c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.ChangeStanding{Member: id, Standing: s, Reason: why}); err != nil {
			return err
		}
		return a.done(fields{"member": id, "standing": s.String()}, "%s: %s.", c.Member, s)
	})
}

type memberGroup struct {
	Members []string `arg:"" help:"Names or ids of members under one owner: they count as one."`
}

func (*memberGroup) Help() string {
	return "Example:\n  forewarn member group Northlight Bluegate --as ana"
}

func (c *memberGroup) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		ids, err := a.members(d, by, c.Members, nil, false)
		if err != nil {
			return err
		}
		if len(ids) < 2 {
			return usage("a group has at least two members")
		}
		g, err := coordinator.NewID[cvd.GroupID](d)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.DeclareGroup{Group: g, Members: ids}); err != nil {
			return err
		}
		return a.done(fields{"group": g, "members": ids}, "Declared a group of %d members: findings name them together.", len(ids))
	})
}
