package main

import (
	"crypto/sha256"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/seal"
)

type initCmd struct {
	Name        string        `help:"What people call the programme." required:"" placeholder:"NAME"`
	Coordinator string        `help:"The first coordinator's name; the handle is its first word, in small letters." required:"" placeholder:"NAME"`
	Origin      string        `help:"The log's name for ever, like a URL without scheme. Made from the name if not given." placeholder:"HOST/PATH"`
	Tick        time.Duration `help:"Time between anchors, in whole seconds." default:"60s"`
	Outside     string        `help:"File that keeps the last anchor outside the folder, so that an older folder is known as older. Best on another disk." placeholder:"FILE" type:"path"`
	Terms       string        `help:"File with the terms that members accept. The built-in ones name the individual marking." placeholder:"FILE" type:"existingfile"`
}

func (*initCmd) Help() string {
	return `Makes the folder with its three domains (desk, sealer, inquiry), their keys, and the first entries of the log.

Example:
  forewarn --dir programme init --name "Harbourline early warning" --coordinator "Ana Lindqvist"`
}

func (c *initCmd) Run(a *app) error {
	text := []byte(coordinator.DefaultTerms)
	if c.Terms != "" {
		b, err := os.ReadFile(c.Terms)
		if err != nil {
			return err
		}
		text = b
	}
	origin := c.Origin
	if origin == "" {
		origin = "forewarn.invalid/" + slug(c.Name)
	}
	h, err := home.Create(a, a.folder(), home.Founding{Origin: origin, Tick: c.Tick, Outside: c.Outside})
	if err != nil {
		return err
	}
	d, err := h.Desk(a)
	if err != nil {
		return err
	}
	defer d.Close()
	who, err := d.Found(a, origin, c.Name, coordinator.Person{Handle: handle(c.Coordinator), Name: c.Coordinator}, c.Tick, text)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(map[string]string{"dir": h.Dir, "origin": origin, "account": who.String(), "handle": handle(c.Coordinator), "log_key": h.LogKey()})
	}
	a.say("Founded %q in %s.", c.Name, h.Dir)
	a.say("  log       %s", origin)
	a.say("  log key   %s", h.LogKey())
	a.say("  account   %s (%s, coordinator)", handle(c.Coordinator), who.Short())
	a.say("  outside   %s keeps the last anchor", h.OutsideFile())
	a.say("Members check the log with that key: publish it. Next, a second person who approves waves:")
	a.say("  forewarn account add ben --name \"Ben Oduya\" --role approver --as %s", handle(c.Coordinator))
	return nil
}

// handle is the first word of a name, small.
func handle(name string) string {
	f := strings.Fields(name)
	if len(f) == 0 {
		return ""
	}
	return slug(f[0])
}

func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s), "-")
}

type accountCmd struct {
	Add   accountAdd   `cmd:"" help:"Add an account of staff, or of a member."`
	List  accountList  `cmd:"" help:"List the accounts."`
	Close accountClose `cmd:"" help:"Close an account for good."`
	Keys  accountKeys  `cmd:"" help:"Enrol a staff account's keys, so that it can hold a copy."`
}

type accountAdd struct {
	Handle string   `arg:"" help:"Short name for typing."`
	Name   string   `help:"Who it is." required:""`
	Mail   string   `help:"Where notices go."`
	Role   []string `help:"Roles: coordinator, case-worker, approver, investigator, auditor, member-admin, member-contact, finder." required:"" placeholder:"ROLE"`
	Member string   `help:"The member whose account it is." placeholder:"MEMBER"`
}

func (*accountAdd) Help() string {
	return `Example:
  forewarn account add ben --name "Ben Oduya" --role approver --as ana`
}

func (c *accountAdd) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		var roles cvd.Roles
		for _, s := range c.Role {
			r, err := cvd.ParseRole(s)
			if err != nil {
				return usage("%v", err)
			}
			roles |= cvd.RoleSet(r)
		}
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
		if a.JSON {
			return a.printJSON(map[string]string{"account": id.String(), "handle": c.Handle})
		}
		a.say("Added %s (%s), %s.", c.Handle, id.Short(), roles)
		return nil
	})
}

type accountList struct{}

func (*accountList) Help() string { return "Example:\n  forewarn account list --as ana" }

func (c *accountList) Run(a *app) error {
	type row struct {
		Account string   `json:"account"`
		Handle  string   `json:"handle"`
		Name    string   `json:"name"`
		Roles   []string `json:"roles"`
		Member  string   `json:"member,omitempty"`
		Closed  bool     `json:"closed"`
	}
	var values []row
	var rows [][]string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for _, id := range p.AccountOrder {
			acc, who := p.Accounts[id], n.Person(id)
			r := row{Account: id.String(), Handle: who.Handle, Name: who.Name, Closed: acc.Closed != nil}
			for _, role := range acc.Roles.List() {
				r.Roles = append(r.Roles, role.String())
			}
			if !acc.Member.IsZero() {
				r.Member = n.Member(acc.Member)
			}
			values = append(values, r)
			state := ""
			if r.Closed {
				state = "closed"
			}
			rows = append(rows, []string{r.Handle, id.Short(), r.Name, strings.Join(r.Roles, ", "), r.Member, state})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.list("No account yet.", []string{"HANDLE", "ID", "NAME", "ROLES", "MEMBER", ""}, rows, values)
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
		a.say("Closed %s. Its entries stay.", c.Account)
		return nil
	})
}

type accountKeys struct {
	Account string `arg:"" help:"Handle or id of a staff account."`
	File    string `arg:"" help:"The .pub file that keygen made." type:"existingfile"`
}

func (*accountKeys) Help() string {
	return "Example:\n  forewarn account keys ana ana.key.pub --as ana"
}

func (c *accountKeys) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		return a.enrol(d, by, cvd.HolderID(id), c.Account, c.File)
	})
}

func (a *app) enrol(d *coordinator.Desk, by cvd.Actor, h cvd.HolderID, name, file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	pub, err := seal.ParsePublic(b)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if _, err := d.Do(a, by, cvd.EnrolKeys{Holder: h, Recipients: pub.Recipients, Signing: pub.Signing}); err != nil {
		return err
	}
	a.say("Enrolled %d recipient key(s) and a signing key for %s. Copies sealed from now on open with them.", len(pub.Recipients), name)
	return nil
}

type memberCmd struct {
	Add      memberAdd      `cmd:"" help:"Admit a member, with its first contact."`
	Import   memberImport   `cmd:"" help:"Admit members from a CSV file."`
	List     memberList     `cmd:"" help:"List the members."`
	Keys     memberKeys     `cmd:"" help:"Enrol a member's keys, replacing earlier ones."`
	Revoke   memberRevoke   `cmd:"" help:"Take a member's keys out of use."`
	Accept   memberAccept   `cmd:"" help:"Accept the programme's terms, for your member."`
	Standing memberStanding `cmd:"" help:"Change a member's standing."`
	Group    memberGroup    `cmd:"" help:"Declare members under common ownership."`
}

type memberAdd struct {
	Name         string   `arg:"" help:"The organisation's name."`
	Tier         uint8    `help:"1 is told first." required:"" placeholder:"N"`
	Jurisdiction []string `help:"Where it sits: ISO 3166 codes, or EU." placeholder:"CC"`
	Contact      string   `help:"Handle of the first contact: an account that reads, answers and speaks for it." placeholder:"HANDLE"`
	ContactName  string   `help:"The contact's name." placeholder:"NAME"`
	Keys         string   `help:"The contact's .pub file." placeholder:"FILE" type:"existingfile"`
}

func (*memberAdd) Help() string {
	return `Example:
  forewarn member add "Northlight Security" --tier 1 --jurisdiction DE --contact mia --keys mia.key.pub --as ana`
}

func (c *memberAdd) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		m, acc, err := d.Admit(a, by, coordinator.Admission{Name: c.Name, Tier: c.Tier, Jurisdictions: c.Jurisdiction, Contact: c.Contact, ContactName: c.ContactName})
		if err != nil {
			return err
		}
		if c.Keys != "" {
			if err := a.enrol(d, by, cvd.HolderID(m), c.Name, c.Keys); err != nil {
				return err
			}
		}
		if a.JSON {
			return a.printJSON(map[string]string{"member": m.String(), "account": acc.String()})
		}
		a.say("Admitted %s (%s), tier %d.", c.Name, m.Short(), c.Tier)
		if c.Contact != "" {
			a.say("  contact %s (%s): accepts the terms with 'forewarn member accept --as %s'", c.Contact, acc.Short(), c.Contact)
		}
		return nil
	})
}

type memberImport struct {
	File string `arg:"" help:"CSV with the columns name, tier, jurisdictions (separated by spaces), contact, contact_name, keys (path of a .pub file); - is standard input."`
}

func (*memberImport) Help() string {
	return `The whole file is checked before anything is admitted.

Example:
  forewarn member import members.csv --as ana`
}

func (c *memberImport) Run(a *app) error {
	src := a.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		src = f
	}
	rows, err := readMembers(src)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was admitted", c.File, err)
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		show := a.bar("Admitting")
		for i, r := range rows {
			m, _, err := d.Admit(a, by, r.Admission)
			if err == nil && r.keys != nil {
				_, err = d.Do(a, by, cvd.EnrolKeys{Holder: cvd.HolderID(m), Recipients: r.keys.Recipients, Signing: r.keys.Signing})
			}
			if err != nil {
				return fmt.Errorf("line %d (%s): %w; the %d lines before it were admitted", r.line, r.Name, err, i)
			}
			show(i+1, len(rows))
		}
		if a.JSON {
			return a.printJSON(map[string]int{"admitted": len(rows)})
		}
		a.say("Admitted %d members.", len(rows))
		return nil
	})
}

type memberRow struct {
	coordinator.Admission
	line int
	keys *seal.Public
}

// readMembers checks a whole CSV file.
func readMembers(src io.Reader) ([]memberRow, error) {
	r := csv.NewReader(io.LimitReader(src, 64<<20))
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	col := map[string]int{}
	for i, h := range head {
		col[strings.TrimSpace(strings.ToLower(strings.TrimPrefix(h, "\ufeff")))] = i
	}
	for _, must := range []string{"name", "tier"} {
		if _, ok := col[must]; !ok {
			return nil, fmt.Errorf("line 1 has no column %q: the columns are name, tier, jurisdictions, contact, contact_name, keys", must)
		}
	}
	var out []memberRow
	seen := map[string]int{}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		get := func(name string) string {
			if i, ok := col[name]; ok && i < len(rec) {
				return strings.TrimSpace(rec[i])
			}
			return ""
		}
		tier, err := strconv.ParseUint(get("tier"), 10, 8)
		if err != nil || tier == 0 {
			return nil, fmt.Errorf("line %d: tier %q is not a number from 1 to 255", line, get("tier"))
		}
		row := memberRow{line: line, Admission: coordinator.Admission{Name: get("name"), Tier: uint8(tier), Jurisdictions: strings.Fields(get("jurisdictions")), Contact: get("contact"), ContactName: get("contact_name")}}
		if row.Name == "" {
			return nil, fmt.Errorf("line %d has no name", line)
		}
		if before, ok := seen[strings.ToLower(row.Name)]; ok {
			return nil, fmt.Errorf("line %d names %q again, after line %d", line, row.Name, before)
		}
		seen[strings.ToLower(row.Name)] = line
		if file := get("keys"); file != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", line, err)
			}
			pub, err := seal.ParsePublic(b)
			if err != nil {
				return nil, fmt.Errorf("line %d: %s: %w", line, file, err)
			}
			row.keys = &pub
		}
		out = append(out, row)
	}
}

type memberList struct{}

func (*memberList) Help() string { return "Example:\n  forewarn member list --json --as ana" }

func (c *memberList) Run(a *app) error {
	type row struct {
		Member        string   `json:"member"`
		Name          string   `json:"name"`
		Tier          uint8    `json:"tier"`
		Jurisdictions []string `json:"jurisdictions"`
		Standing      string   `json:"standing"`
		Terms         bool     `json:"terms_accepted"`
		Keys          bool     `json:"keys"`
		Contacts      []string `json:"contacts"`
	}
	var values []row
	var rows [][]string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for _, id := range p.MemberOrder {
			m := p.Members[id]
			_, keys := p.KeysOf(cvd.HolderID(id))
			r := row{Member: id.String(), Name: n.Member(id), Tier: m.Tier, Standing: m.Standing.String(), Terms: p.TermsAccepted(id, now), Keys: keys}
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
	return a.list("No members yet. Admit the first with 'forewarn member add NAME --tier 1 --contact HANDLE'.",
		[]string{"NAME", "ID", "TIER", "WHERE", "STANDING", "CONTACTS", "WANTING"}, rows, values)
}

type memberKeys struct {
	Member string `arg:"" help:"Name or id."`
	File   string `arg:"" help:"The .pub file that keygen made: age recipients, or SSH public keys, and a signing key." type:"existingfile"`
}

func (*memberKeys) Help() string {
	return "Example:\n  forewarn member keys Northlight mia.key.pub --as mia"
}

func (c *memberKeys) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Member(a, by, c.Member)
		if err != nil {
			return err
		}
		return a.enrol(d, by, cvd.HolderID(id), c.Member, c.File)
	})
}

type memberRevoke struct {
	Member string `arg:"" help:"Name or id."`
	Reason string `help:"Why, for the log's readers; encrypted."`
}

func (*memberRevoke) Help() string {
	return "Example:\n  forewarn member revoke Northlight --reason \"laptop lost\" --as mia"
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
		a.say("The keys of %s are out of use. Copies fetched before still open with them; waves sealed from now on want new keys.", c.Member)
		return nil
	})
}

type memberAccept struct{}

func (*memberAccept) Help() string {
	return `Accepts the newest terms for the member whose account you act as. They say that each copy is individually marked.

Example:
  forewarn member accept --as mia`
}

func (c *memberAccept) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		text, err := d.AcceptTerms(a, by)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		a.say("%s", text)
		a.say("Accepted: the terms above, SHA-256 %x.", sum[:8])
		return nil
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
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Member(a, by, c.Member)
		if err != nil {
			return err
		}
		s, err := cvd.ParseStanding(c.Standing)
		if err != nil {
			return usage("%v", err)
		}
		why, err := d.Reason(a, coordinator.ProgrammeKey, c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.ChangeStanding{Member: id, Standing: s, Reason: why}); err != nil {
			return err
		}
		a.say("%s: %s.", c.Member, s)
		return nil
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
		var ids []cvd.MemberID
		for _, s := range c.Members {
			id, err := d.Member(a, by, s)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		g, err := coordinator.NewID[cvd.GroupID](d)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.DeclareGroup{Group: g, Members: cvd.SortIDs(ids)}); err != nil {
			return err
		}
		a.say("Declared a group of %d members: findings name them together.", len(ids))
		return nil
	})
}

type dutyCmd struct {
	Assign   dutyAssign   `cmd:"" help:"Put an account on duty."`
	Delegate dutyDelegate `cmd:"" help:"Lend a role of yours to another account."`
	List     dutyList     `cmd:"" help:"Who is called, in which order."`
}

type dutyAssign struct {
	Account string `arg:"" help:"Handle or id."`
	From    string `help:"From when." default:"+0s" placeholder:"TIME"`
	To      string `help:"Until when." required:"" placeholder:"TIME"`
	Rank    uint8  `help:"1 is called first." default:"1"`
}

func (*dutyAssign) Help() string { return "Example:\n  forewarn duty assign ana --to +168h --as ana" }

func (c *dutyAssign) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		acc, err := d.Account(a, by, c.Account)
		if err != nil {
			return err
		}
		from, to, err := span(c.From, c.To)
		if err != nil {
			return err
		}
		id, err := coordinator.NewID[cvd.DutyID](d)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.AssignDuty{Duty: id, Account: acc, Rank: c.Rank, Starts: from, Ends: to}); err != nil {
			return err
		}
		a.say("%s is on duty from %s until %s.", c.Account, when(from), when(to))
		return nil
	})
}

func span(from, to string) (f, t time.Time, err error) {
	now := time.Now()
	if f, err = parseTime(from, now); err == nil {
		t, err = parseTime(to, now)
	}
	return f.UTC().Truncate(time.Microsecond), t.UTC().Truncate(time.Microsecond), err
}

type dutyDelegate struct {
	To   string `arg:"" help:"Handle or id of who stands in."`
	Role string `help:"Which of your roles." required:""`
	From string `help:"From when." default:"+0s" placeholder:"TIME"`
	Till string `help:"Until when." required:"" placeholder:"TIME"`
	Case string `help:"Only for this case." placeholder:"CASE"`
}

func (*dutyDelegate) Help() string {
	return "Example:\n  forewarn duty delegate cleo --role approver --till +48h --as ben"
}

func (c *dutyDelegate) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		to, err := d.Account(a, by, c.To)
		if err != nil {
			return err
		}
		role, err := cvd.ParseRole(c.Role)
		if err != nil {
			return usage("%v", err)
		}
		from, till, err := span(c.From, c.Till)
		if err != nil {
			return err
		}
		var cs cvd.CaseID
		if c.Case != "" {
			if cs, err = d.Case(a, by, c.Case); err != nil {
				return err
			}
		}
		id, err := coordinator.NewID[cvd.DelegationID](d)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.Delegate{Delegation: id, By: by.Account, To: to, Role: role, Case: cs, Starts: from, Ends: till}); err != nil {
			return err
		}
		a.say("%s stands in as %s until %s. What they do counts as done by both of you.", c.To, role, when(till))
		return nil
	})
}

type dutyList struct{}

func (*dutyList) Help() string { return "Example:\n  forewarn duty list --as ana" }

func (c *dutyList) Run(a *app) error {
	var rows [][]string
	var values []string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for i, id := range p.OnDuty(now) {
			rows = append(rows, []string{fmt.Sprint(i + 1), n.Account(id), n.Person(id).Name})
			values = append(values, id.String())
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.list("Nobody.", []string{"CALLED", "HANDLE", "NAME"}, rows, values)
}

// withDesk opens the programme as the acting account.
func (a *app) withDesk(f func(*coordinator.Desk, cvd.Actor) error) error {
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	d, err := h.Desk(a)
	if err != nil {
		return err
	}
	defer d.Close()
	by, err := a.actor(d)
	if err != nil {
		return err
	}
	by.Auth = entrylog.AuthNone
	return f(d.Desk, by)
}

// viewDesk is withDesk for looking.
func (a *app) viewDesk(f func(*coordinator.Desk, cvd.Actor, *cvd.Programme, coordinator.Names, time.Time) error) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		return d.View(func(p *cvd.Programme) error { return f(d, by, p, d.Names(a, p), d.Clock()) })
	})
}
