package main

import (
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

type keyCmd struct {
	Destroy keyDestroy `cmd:"" help:"Destroy a case's or a person's key: their texts become unreadable for good."`
	Hold    keyHold    `cmd:"" help:"Set or lift a legal hold, under which a key is not destroyed."`
}

type keyDestroy struct {
	Case    string `help:"The case whose key is destroyed." placeholder:"CASE" xor:"what" required:""`
	Account string `help:"The account whose person's key is destroyed." placeholder:"ACCOUNT" xor:"what" required:""`
	Yes     bool   `help:"It can't be undone."`
}

func (*keyDestroy) Help() string {
	return "Example:\n  forewarn key destroy --account mia --yes --as ana"
}

func (c *keyDestroy) Run(a *app) error {
	if !c.Yes {
		return usage("what is under that key becomes unreadable for good: say --yes")
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		scope, id, err := a.scope(d, by, c.Case, c.Account)
		if err != nil {
			return err
		}
		if err := d.DestroyKey(a, by, cvd.DestroyKey{Scope: scope, ID: id}); err != nil {
			return err
		}
		return a.done(fields{"destroyed": true, "id": id}, "Destroyed. The log verifies as before; the texts are gone.")
	})
}

func (a *app) scope(d *coordinator.Desk, by cvd.Actor, cs, account string) (cvd.KeyScope, entrylog.Ref, error) {
	if cs != "" {
		id, err := d.Case(a, by, cs)
		return cvd.CaseKey, entrylog.Ref(id), err
	}
	id, err := d.Account(a, by, account)
	return cvd.PersonKey, entrylog.Ref(id), err
}

type keyHold struct {
	Case    string `help:"The case." placeholder:"CASE" xor:"what" required:""`
	Account string `help:"The account." placeholder:"ACCOUNT" xor:"what" required:""`
	Review  string `help:"When somebody looks at it again." placeholder:"TIME"`
	Lift    bool   `help:"Lift the hold."`
	Reason  string `help:"Why; encrypted."`
}

func (*keyHold) Help() string {
	return "Example:\n  forewarn key hold --case Layout --review +2160h --reason \"court order\" --as ana"
}

func (c *keyHold) Run(a *app) error {
	q := cvd.SetLegalHold{On: !c.Lift}
	if q.On {
		if c.Review == "" {
			return usage("a hold names when it is looked at again: --review TIME")
		}
		var err error
		if q.Review, err = parseTime(c.Review, time.Now()); err != nil {
			return err
		}
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		if q.Scope, q.ID, err = a.scope(d, by, c.Case, c.Account); err != nil {
			return err
		}
		id := q.ID
		if q.Reason, err = d.Reason(a, coordinator.ProgrammeKey, c.Reason); err != nil {
			return err
		}
		if _, err := d.Do(a, by, q); err != nil {
			return err
		}
		if c.Lift {
			return a.done(fields{"id": id, "hold": false}, "Lifted the hold.")
		}
		return a.done(fields{"id": id, "hold": true, "review": q.Review}, "Held: the key can't be destroyed. To be looked at again %s.", when(q.Review))
	})
}
