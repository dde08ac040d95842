package main

import (
	"fmt"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/form"
)

type packageCmd struct {
	Add    packageAdd    `cmd:"" help:"Add a source folder to a case, as a new revision."`
	Check  packageCheck  `cmd:"" help:"Check a source folder and say what would be traceable; nothing is kept."`
	Recall packageRecall `cmd:"" help:"Ask holders to stop using a revision."`
}

type packageAdd struct {
	Case   string `arg:"" help:"Title or id."`
	Source string `arg:"" help:"The source folder: Markdown, rules, indicators, PoC, and forewarn.yaml." type:"existingdir"`
	New    bool   `help:"Make a further package of the case instead of the next revision of its last one."`
}

func (*packageAdd) Help() string {
	return `Compiles the folder to a Form and fixes it as a revision. doc/spec/source.md describes how choices, free lists and constants are marked.

Example:
  forewarn package add Layout examples/advisory --as ana`
}

func (c *packageAdd) Run(a *app) error {
	src, err := folder.LoadSource(c.Source)
	if err != nil {
		return err
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		var pkg cvd.PackageID
		if !c.New {
			if err := d.View(func(p *cvd.Programme) error {
				if all := p.Cases[id].Packages; len(all) > 0 {
					pkg = all[len(all)-1]
				}
				return nil
			}); err != nil {
				return err
			}
		}
		added, err := d.AddRevision(a, by, id, pkg, src)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(map[string]any{"package": added.Package, "revision": added.Revision, "number": added.Number, "report": added.Report})
		}
		a.say("Added %q as revision %d of package %s (%s).", added.Manifest.Title, added.Number, added.Package.Short(), added.Revision.Short())
		a.report(added.Report)
		return nil
	})
}

// report shows what can be traced.
func (a *app) report(r carrier.Report) {
	var rows [][]string
	for _, f := range r.Files {
		third := "–"
		if f.Prose {
			third = fmt.Sprintf("%.0f", f.Third.Bits.Bits())
		}
		traced := fmt.Sprintf("%.0f", f.Bits.Bits())
		if f.Untraceable() {
			traced = "none"
		}
		rows = append(rows, []string{f.Path, f.Level.String(), fmt.Sprint(f.Sites), fmt.Sprint(f.Tokens), traced, third})
	}
	a.table([]string{"FILE", "LEVEL", "SITES", "TOKENS", "BITS", "BITS IN ANY THIRD"}, rows)
	a.say("%d sites, %.0f bits and %d tokens in all. One copy of a hundred is traced at 1e-6 by about 27 bits that survive.", r.Sites, r.Bits.Bits(), r.Tokens)
	for _, w := range r.Warnings {
		a.say("warning: %s", w)
	}
}

type packageCheck struct {
	Source string `arg:"" help:"The source folder." type:"existingdir"`
}

func (*packageCheck) Help() string { return "Example:\n  forewarn package check examples/advisory" }

func (c *packageCheck) Run(a *app) error {
	src, err := folder.LoadSource(c.Source)
	if err != nil {
		return err
	}
	// Any key will do: which alternative stands for which symbol changes
	// nothing of what is reported.
	_, m, r, err := carrier.Compile(src, [32]byte{1})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(map[string]any{"title": m.Title, "report": r})
	}
	a.say("%s", m.Title)
	a.report(r)
	return nil
}

type packageRecall struct {
	Case   string `arg:"" help:"Title or id."`
	Number uint32 `arg:"" help:"Which revision of the case's last package."`
	Reason string `help:"Why; encrypted." required:""`
}

func (*packageRecall) Help() string {
	return "Example:\n  forewarn package recall Layout 1 --reason \"rule 3 blocks backups\" --as ana"
}

func (c *packageRecall) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		rev, err := d.Revision(id, c.Number)
		if err != nil {
			return err
		}
		why, err := d.Reason(a, coordinator.CaseKey(id), c.Reason)
		if err != nil {
			return err
		}
		if _, err := d.Do(a, by, cvd.IssueRecall{Revision: rev, Reason: why}); err != nil {
			return err
		}
		a.say("Recalled revision %d. Its waves are served no more.", c.Number)
		return nil
	})
}

type waveCmd struct {
	Draft   waveDraft   `cmd:"" help:"Draft a wave: which level, to whom, when."`
	Approve waveApprove `cmd:"" help:"Approve a wave as the second person; its copies are sealed at once."`
	Preview wavePreview `cmd:"" help:"Seal a copy to yourself, in your own marks."`
	List    waveList    `cmd:"" help:"List the waves."`
	Cancel  waveCancel  `cmd:"" help:"Cancel a wave before anybody has it."`
	Resume  waveResume  `cmd:"" help:"Seal what was approved and isn't sealed: after a crash."`
}

type waveDraft struct {
	Case   string   `arg:"" help:"Title or id."`
	Level  string   `help:"heads-up, description, detection, indicators or poc: each includes those before it." required:""`
	Opens  string   `help:"When it opens." required:"" placeholder:"TIME"`
	Lapses string   `help:"When it is served no more." placeholder:"TIME"`
	Member []string `help:"A member; may be repeated." placeholder:"MEMBER"`
	Tier   []uint8  `help:"All members of a tier." placeholder:"N"`
	All    bool     `help:"All members in good standing."`
	Staff  []string `help:"A staff account that gets a copy too; may be repeated." placeholder:"ACCOUNT"`
	Amend  string   `help:"Change this wave instead of drafting a new one; that voids its approval." placeholder:"WAVE"`
	Widens string   `help:"The wave whose audience this one adds to." placeholder:"WAVE"`
}

func (*waveDraft) Help() string {
	return `A second person approves it: 'forewarn wave approve'. Nobody gets a copy by being left out of an audience; the empty audience is nobody.

Example:
  forewarn wave draft Layout --level poc --tier 1 --opens +5m --as ana`
}

func (c *waveDraft) Run(a *app) error {
	level, err := form.ParseLevel(c.Level)
	if err != nil {
		return usage("%v", err)
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		q := cvd.DraftWave{Purpose: cvd.Staged, Level: level}
		if q.OpensAt, err = parseTime(c.Opens, d.Clock()); err != nil {
			return err
		}
		if c.Lapses != "" {
			if q.LapsesAt, err = parseTime(c.Lapses, d.Clock()); err != nil {
				return err
			}
		}
		members, err := a.members(d, by, c.Member, c.Tier, c.All)
		if err != nil {
			return err
		}
		for _, m := range members {
			q.Audience = append(q.Audience, cvd.HolderID(m))
		}
		for _, s := range c.Staff {
			acc, err := d.Account(a, by, s)
			if err != nil {
				return err
			}
			q.Audience = append(q.Audience, cvd.HolderID(acc))
		}
		for _, x := range []struct {
			said string
			into *cvd.WaveID
		}{{c.Amend, &q.Wave}, {c.Widens, &q.Widens}} {
			if x.said != "" {
				if *x.into, err = d.Wave(a, by, x.said); err != nil {
					return err
				}
			}
		}
		if q.Revision, err = d.Revision(id, 0); err != nil {
			return err
		}
		wave, left, err := d.DraftFor(a, by, q)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(map[string]any{"wave": wave, "holders": len(q.Audience) - len(left), "left_out": left})
		}
		a.say("Drafted wave %s: %s to %d holders, opening %s.", wave.Short(), level, len(q.Audience)-len(left), when(q.OpensAt))
		for _, l := range left {
			a.say("  left out: %s, %s", l.Name, l.Why)
		}
		a.say("It waits for a second person: forewarn wave approve %s --as ACCOUNT", wave.Short())
		return nil
	})
}

type waveApprove struct {
	Wave string `arg:"" help:"Id."`
}

func (*waveApprove) Help() string { return "Example:\n  forewarn wave approve 5k2q --as ben" }

func (c *waveApprove) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Wave(a, by, c.Wave)
		if err != nil {
			return err
		}
		if err := d.Approve(a, by, id, a.bar("Sealing")); err != nil {
			return err
		}
		return d.View(func(p *cvd.Programme) error {
			w := p.Waves[id]
			if a.JSON {
				return a.printJSON(map[string]any{"wave": id, "copies": len(w.Audience), "opens_at": w.OpensAt})
			}
			a.say("Approved and sealed %d copies of wave %s. It opens %s.", len(w.Audience), id.Short(), when(w.OpensAt))
			return nil
		})
	})
}

type wavePreview struct {
	Case  string `arg:"" help:"Title or id."`
	Level string `help:"What an audience of this level will see." default:"poc"`
}

func (*wavePreview) Help() string {
	return `Your copy has your own marks, is committed to like any other, and needs your keys ('forewarn account keys').

Example:
  forewarn wave preview Layout --level detection --as ana`
}

func (c *wavePreview) Run(a *app) error {
	level, err := form.ParseLevel(c.Level)
	if err != nil {
		return usage("%v", err)
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		rev, err := d.Revision(id, 0)
		if err != nil {
			return err
		}
		wave, err := d.DraftWave(a, by, cvd.DraftWave{Revision: rev, Purpose: cvd.Preview, Level: level, OpensAt: d.Clock(), Audience: []cvd.HolderID{cvd.HolderID(by.Account)}})
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(map[string]any{"wave": wave})
		}
		a.say("Sealed a copy to you as wave %s: forewarn pull %s --as %s --wait", wave.Short(), wave.Short(), a.As)
		return nil
	})
}

type waveList struct {
	Case string `help:"Only of this case." placeholder:"CASE"`
}

func (*waveList) Help() string { return "Example:\n  forewarn wave list --as ana" }

func (c *waveList) Run(a *app) error {
	type row struct {
		Wave    string    `json:"wave"`
		Case    string    `json:"case"`
		Level   string    `json:"level"`
		State   string    `json:"state"`
		OpensAt time.Time `json:"opens_at"`
		Holders int       `json:"holders,omitempty"`
	}
	var values []row
	var rows [][]string
	err := a.viewDesk(func(d *coordinator.Desk, by cvd.Actor, p *cvd.Programme, n coordinator.Names, now time.Time) error {
		var only cvd.CaseID
		if c.Case != "" {
			var err error
			if only, err = d.Case(a, by, c.Case); err != nil {
				return err
			}
		}
		for _, id := range p.WaveOrder {
			w := p.Waves[id]
			if !only.IsZero() && w.Case != only || p.May(by, cvd.ActViewWave, cvd.AWave(id), now) != nil {
				continue
			}
			r := row{Wave: id.String(), Case: w.Case.String(), Level: w.Level.String(), State: p.WaveState(id, now).String(), OpensAt: w.OpensAt}
			holders := "–"
			if p.May(by, cvd.ActViewExposure, cvd.ACase(w.Case), now) == nil {
				r.Holders = len(w.Audience)
				holders = fmt.Sprint(r.Holders)
			}
			values = append(values, r)
			rows = append(rows, []string{id.Short(), w.Case.Short(), r.Level, r.State, when(w.OpensAt), in(w.OpensAt, now), holders})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.list("No wave yet. Draft one with 'forewarn wave draft CASE'.", []string{"ID", "CASE", "LEVEL", "STATE", "OPENS", "", "HOLDERS"}, rows, values)
}

type waveCancel struct {
	Wave   string `arg:"" help:"Id."`
	Reason string `help:"Why; encrypted."`
}

func (*waveCancel) Help() string {
	return "Example:\n  forewarn wave cancel 5k2q --reason \"wrong level\" --as ana"
}

func (c *waveCancel) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Wave(a, by, c.Wave)
		if err != nil {
			return err
		}
		var why cvd.BlobRef
		if c.Reason != "" {
			var cs cvd.CaseID
			if err := d.View(func(p *cvd.Programme) error { cs = p.Waves[id].Case; return nil }); err != nil {
				return err
			}
			if why, err = d.Reason(a, coordinator.CaseKey(cs), c.Reason); err != nil {
				return err
			}
		}
		if _, err := d.Do(a, by, cvd.CancelWave{Wave: id, Reason: why}); err != nil {
			return err
		}
		a.say("Cancelled wave %s. Nobody has it.", id.Short())
		return nil
	})
}

type waveResume struct{}

func (*waveResume) Help() string { return "Example:\n  forewarn wave resume --as ana" }

func (c *waveResume) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, _ cvd.Actor) error {
		n, err := d.Resume(a, a.bar("Sealing"))
		if err != nil {
			return err
		}
		a.say("%d waves were waiting and are sealed now.", n)
		return nil
	})
}
