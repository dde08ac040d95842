package main

import (
	"fmt"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type dutyCmd struct {
	Assign   dutyAssign   `cmd:"" help:"Put an account on duty."`
	Delegate dutyDelegate `cmd:"" help:"Lend a role of yours to another account."`
	Revoke   dutyRevoke   `cmd:"" help:"Take back what was lent."`
	List     dutyList     `cmd:"" help:"Who is called, in which order, and who stands in."`
}

type dutyAssign struct {
	Account string `arg:"" help:"Handle or id."`
	From    string `help:"From when; now if not given." default:"+0s" placeholder:"TIME"`
	Until   string `help:"Until when; --to is the same." required:"" placeholder:"TIME" aliases:"to"`
	Rank    uint8  `help:"1 is called first." default:"1"`
}

func (*dutyAssign) Help() string { return "Example:\n  forewarn duty assign ana --until +7d --as ana" }

func (c *dutyAssign) Run(a *app) error {
	from, to, err := fromTo(c.From, c.Until)
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		acc, err := d.Account(a, by, c.Account)
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
		return a.done(fields{"duty": id, "account": acc, "from": from, "to": to, "rank": c.Rank}, "%s is on duty from %s until %s.", c.Account, when(from), when(to))
	})
}

func fromTo(from, to string) (f, t time.Time, err error) {
	now := time.Now()
	if f, err = parseTime(from, now); err == nil {
		t, err = parseTime(to, now)
	}
	if err == nil && !t.After(f) {
		err = usage("it would end (%s) before it begins (%s)", when(t), when(f))
	}
	return f.Truncate(time.Microsecond), t.Truncate(time.Microsecond), err
}

type dutyDelegate struct {
	To    string `arg:"" help:"Handle or id of who stands in."`
	Role  string `help:"Which of your roles." required:""`
	From  string `help:"From when; now if not given." default:"+0s" placeholder:"TIME"`
	Until string `help:"Until when; --till is the same." required:"" placeholder:"TIME" aliases:"till"`
	Case  string `help:"Only for this case." placeholder:"CASE"`
}

func (*dutyDelegate) Help() string {
	return "Example:\n  forewarn duty delegate cleo --role approver --until +48h --as ben"
}

func (c *dutyDelegate) Run(a *app) error {
	role, err := cvd.ParseRole(c.Role)
	if err != nil {
		return usage("%v", err)
	}
	from, till, err := fromTo(c.From, c.Until)
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		to, err := d.Account(a, by, c.To)
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
		return a.done(fields{"delegation": id, "to": to, "role": role.String(), "from": from, "till": till},
			"%s stands in as %s until %s. What they do counts as done by both of you. Take it back: forewarn duty revoke %s", c.To, role, when(till), id.Short())
	})
}

type dutyRevoke struct {
	Delegation string `arg:"" help:"Id, or its beginning."`
}

func (*dutyRevoke) Help() string { return "Example:\n  forewarn duty revoke 5k2q7r3m --as ben" }

func (c *dutyRevoke) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Delegation(a, by, c.Delegation)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.RevokeDelegation{Delegation: id}); err != nil {
			return err
		}
		return a.done(fields{"delegation": id, "revoked": true}, "Taken back.")
	})
}

type dutyList struct{}

func (*dutyList) Help() string { return "Example:\n  forewarn duty list --as ana" }

func (c *dutyList) Run(a *app) error {
	type call struct {
		Rank    int           `json:"called"`
		Account cvd.AccountID `json:"account"`
		Handle  string        `json:"handle"`
		Name    string        `json:"name"`
	}
	type loan struct {
		Delegation cvd.DelegationID `json:"delegation"`
		From       string           `json:"from"`
		To         string           `json:"to"`
		Role       string           `json:"role"`
		Ends       time.Time        `json:"ends"`
	}
	calls, loans := []call{}, []loan{}
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for i, id := range p.OnDuty(now) {
			calls = append(calls, call{i + 1, id, n.Account(id), n.Person(id).Name})
		}
		for _, id := range p.DelegationOrder {
			if x := p.Delegations[id]; x.Revoked == nil && now.Before(x.Ends) {
				loans = append(loans, loan{id, n.Account(x.From), n.Account(x.To), x.Role.String(), x.Ends})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(fields{"on_duty": calls, "delegations": loans})
	}
	var rows [][]string
	for _, c := range calls {
		rows = append(rows, []string{fmt.Sprint(c.Rank), c.Handle, c.Name})
	}
	a.table([]string{"CALLED", "HANDLE", "NAME"}, rows)
	rows = nil
	for _, l := range loans {
		rows = append(rows, []string{l.To, l.Role, l.From, when(l.Ends), l.Delegation.Short()})
	}
	if len(rows) > 0 {
		a.say("")
		a.table([]string{"STANDS IN", "AS", "FOR", "UNTIL", "ID"}, rows)
	}
	return nil
}
