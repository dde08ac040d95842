package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/lookout"
	"forewarn/internal/timeline"
)

type alarmCmd struct {
	List   alarmList   `cmd:"" help:"The alarms, those that call somebody first."`
	Show   alarmShow   `cmd:"" help:"What is known of a case's alarm, and what can be decided."`
	Ack    alarmAck    `cmd:"" help:"Say that you are looking: nobody else is called."`
	Decide alarmDecide `cmd:"" help:"Decide: hold, end, watch or dismiss."`
	Report alarmReport `cmd:"" help:"Record what somebody says was seen, without the bytes."`
	Call   alarmCall   `cmd:"" help:"Call who is on duty, and the next after 5, 10 and 15 minutes, and on until somebody acknowledges."`
	Page   alarmPage   `cmd:"" help:"The alarms as a page that keeps itself up to date."`
}

type alarmList struct{}

func (*alarmList) Help() string { return "Example:\n  forewarn alarm list --as ana" }

func (c *alarmList) Run(a *app) error {
	var values []coordinator.AlarmLine
	var rows [][]string
	err := a.look(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		if err := d.View(func(p *cvd.Programme) error {
			return p.May(by, cvd.ActListCases, cvd.TheProgramme(), d.Clock())
		}); err != nil {
			return err
		}
		values, err = d.Alarms(a, by)
		for _, x := range values {
			rows = append(rows, []string{x.Title, x.Case.Short(), x.State, when(x.Raised), in(x.Raised, d.Clock()), fmt.Sprint(x.Seen)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return list(a, "No alarm. One is raised when a declared source shows something of a case before its release.",
		[]string{"CASE", "ID", "STATE", "RAISED", "", "SEEN"}, rows, values)
}

type alarmShow struct {
	Case string `arg:"" help:"Title or id."`
	All  bool   `help:"Each row of what was seen by itself, and every call."`
}

func (*alarmShow) Help() string { return "Example:\n  forewarn alarm show Layout --as ana" }

func (c *alarmShow) Run(a *app) error {
	return a.lookCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		v, err := d.Alarm(a, by, id)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(v)
		}
		a.showAlarm(v, c.All)
		return nil
	})
}

// fewGroups is how many groups of what was seen are shown unless all are asked for.
const fewGroups = 12

func (a *app) showAlarm(v coordinator.AlarmView, all bool) {
	a.say("%s  (%s)", line(v.Title), v.Case.Short())
	if v.Round == 0 {
		a.say("No alarm. %s", standLine(v.Embargo, v.Release, v.Released, v.Now))
		return
	}
	state := "raised"
	if v.State != state {
		state = v.State + ", raised"
	}
	a.say("Alarm %d: %s %s (%s)", v.Round, state, when(v.Raised), in(v.Raised, v.Now))
	a.say("%s", standLine(v.Embargo, v.Release, v.Released, v.Now))
	if w := v.NextWords(); w != "" {
		a.say("%s: %s at %s (%s)", w, line(v.NextCalled), when(v.NextCall), in(v.NextCall, v.Now))
	}
	if !v.Held.IsZero() {
		a.say("Copies are held since %s, by %s. 'forewarn case lift %s' serves them again.", when(v.Held), line(v.HeldBy), v.Case.Short())
	}
	a.say("")
	a.say("First sighting: %s", v.FirstWords(when))
	for _, w := range v.Waves {
		a.say("  %s, %s, %s: %s then", w.Label, w.Level, count(w.Holders, "holder", "holders"), w.Then)
	}
	a.say("  %s", v.HadWords())
	a.say("")
	fmt.Fprintln(a.out, clean(strings.TrimRight(timeline.Text(v.Timeline, a.width()), "\n")))
	a.say("")
	var rows [][]string
	groups, left := v.Grouped(), 0
	if all {
		groups = nil
		for _, s := range v.Seen {
			groups = append(groups, coordinator.SeenGroup{SeenView: s, Rows: 1, Times: uint64(s.Count)})
		}
	}
	for i, g := range groups {
		if i >= fewGroups && !all {
			left += g.Rows
			continue
		}
		rows = append(rows, []string{fmt.Sprint(g.Entry), g.Source, g.Weight, g.Clue, g.Value, fmt.Sprintf("%d×", g.Times), g.Time.Words(when), g.Words(when)})
	}
	a.table([]string{"ENTRY", "SOURCE", "WEIGHT", "WHAT", "", "TIMES", "FIRST", "DID"}, rows)
	if left > 0 {
		a.say("and %d more; --all lists them.", left)
	}
	if v.Older > 0 {
		a.say("%s in the log.", count(v.Older, "older row stands", "older rows stand"))
	}
	if s := v.DroppedWords(); s != "" {
		a.say("%s", s)
	}
	if len(v.Clocks) > 0 {
		a.say("")
		rows = nil
		for _, c := range v.Clocks {
			rows = append(rows, []string{c.Rule, when(c.Due), in(c.Due, v.Now), c.Words(), c.Citation})
		}
		a.table([]string{"CLOCK", "DUE", "", "", "CITATION"}, rows)
	}
	if len(v.Calls) > 0 {
		a.say("")
		rows = nil
		calls := v.LastCalls()
		if n := v.EarlierCalls(); n > 0 && all {
			calls = v.Calls
		} else if n > 0 {
			a.say("%s before these; --all lists them.", count(n, "call", "calls"))
		}
		for _, c := range calls {
			rows = append(rows, []string{fmt.Sprintf("%d.%d", c.Round, c.Step), c.Who, when(c.Queued), c.Outcome, c.Notice.Short()})
		}
		a.table([]string{"CALL", "WHO", "QUEUED", "", "NOTICE"}, rows)
	}
	for _, x := range v.Decisions {
		a.say("%s: %s by %s%s", when(x.At), x.Choice, line(x.By), reasonWords(x.Reason))
	}
	for _, x := range v.Suppressions {
		a.say("Kept quiet until %s: %s, dismissed by %s%s", when(x.Until), count(x.Things, "thing", "things"), line(x.By), reasonWords(x.Reason))
	}
	a.say("")
	a.para("What can be decided, and why: %s.", v.Why)
	for _, cmd := range v.Commands() {
		a.say("  %s", cmd)
	}
}

func reasonWords(s string) string {
	if s == "" {
		return ""
	}
	return ": " + line(s)
}

type alarmAck struct {
	Case string `arg:"" help:"Title or id."`
}

func (*alarmAck) Help() string { return "Example:\n  forewarn alarm ack Layout --as ana" }

func (c *alarmAck) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if err := d.AcknowledgeAlarm(a, by, id); err != nil {
			return err
		}
		return a.done(fields{"case": id, "acknowledged": true}, "Acknowledged: nobody else is called. What is known: forewarn alarm show %s", id.Short())
	})
}

type alarmDecide struct {
	Case     string `arg:"" help:"Title or id."`
	Decision string `arg:"" help:"hold: stop serving, and verify. end: end the embargo now. watch: change nothing; what is new calls again. dismiss: it is not the case's." enum:"hold,end,watch,dismiss"`
	Reason   string `help:"Why; encrypted. A dismissal needs one."`
	Until    string `help:"How long what is dismissed calls nobody again, at most 90 days." default:"+7d" placeholder:"TIME"`
	Yes      string `help:"To end: the case's title or id once more. It can't be undone." placeholder:"CASE"`
	Round    uint32 `help:"The alarm that you looked at; refused if it was raised again since." placeholder:"N"`
	UpTo     uint64 `help:"The last entry that you looked at; refused if more was seen or decided since." placeholder:"N"`
}

func (*alarmDecide) Help() string {
	return `Ending is offered on what an own sensor or two unrelated members saw and handed over. 'forewarn case end' ends an embargo in any case.

Example:
  forewarn alarm decide Layout hold --reason "seen at the edge, bytes are being verified" --as ana`
}

func (c *alarmDecide) Run(a *app) error {
	v := coordinator.Verdict{Reason: c.Reason, Round: c.Round, UpTo: entrylog.Seq(c.UpTo)}
	var err error
	if v.Choice, err = cvd.ParseChoice(c.Decision); err != nil {
		return usage("%v", err)
	}
	if v.Until, err = parseTime(c.Until, time.Now()); err != nil {
		return err
	}
	if v.Choice == cvd.ChooseEnd && c.Yes == "" {
		return usage("this ends the embargo of %q for everybody and can't be undone: say --yes with the case's name", c.Case)
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		if v.Choice == cvd.ChooseEnd {
			if again, err := d.Case(a, by, c.Yes); err != nil || again != id {
				return usage("--yes names another case than %q; nothing was ended", c.Case)
			}
		}
		out, err := d.DecideAlarm(a, by, id, v)
		if err != nil && out.Level > 0 {
			return fmt.Errorf("%w: the embargo of case %s has ended, but its break pack is not out: %w", coordinator.ErrUnsealed, id.Short(), err)
		}
		if err != nil {
			return err
		}
		f := fields{"case": id, "decision": c.Decision}
		switch v.Choice {
		case cvd.ChooseHold:
			return a.done(f, "Held: no copy of case %s is served until 'forewarn case lift %s'.", id.Short(), id.Short())
		case cvd.ChooseWatch:
			return a.done(f, "Nothing is changed. Something new calls again; repeats don't.")
		case cvd.ChooseDismiss:
			f["until"] = v.Until
			return a.done(f, "Dismissed. What was seen calls nobody again until %s.", when(v.Until))
		}
		f["level"], f["members"] = out.Level.String(), out.Members
		if out.Members == 0 {
			return a.done(f, "The embargo is ended. There was no break pack to send.")
		}
		return a.done(f, "The embargo is ended. The break pack, %s, is there to fetch for %s.", out.Level, count(out.Members, "member", "members"))
	})
}

type alarmReport struct {
	Case   string `arg:"" help:"Title or id."`
	What   string `arg:"" help:"What they say; encrypted."`
	Source string `help:"Whose word it is, as declared." required:"" placeholder:"SOURCE"`
	From   string `help:"Not before." placeholder:"TIME"`
	To     string `help:"Not after." placeholder:"TIME"`
}

func (*alarmReport) Help() string {
	return `It calls who is on duty, and counts against nobody. With the bytes, scan them: 'forewarn scan FILE --source SOURCE --case CASE'.

Example:
  forewarn alarm report Layout "a reporter has the advisory" --source press --as ana`
}

func (c *alarmReport) Run(a *app) error {
	var from, to time.Time
	var err error
	if (c.From == "") != (c.To == "") {
		return usage("a time is an interval: give both --from and --to")
	}
	if c.From != "" {
		if from, to, err = fromTo(c.From, c.To); err != nil {
			return err
		}
	}
	if strings.TrimSpace(c.What) == "" {
		return usage("say what was seen")
	}
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		src, err := d.Source(a, by, c.Source)
		if err != nil {
			return err
		}
		r, err := d.Report(a, by, src, id, c.What, from, to)
		if err != nil {
			return err
		}
		return a.done(fields{"case": id, "effect": r.Effect.String()}, "Recorded: %s.", coordinator.Effects[r.Effect])
	})
}

type alarmCall struct {
	Notify string `help:"Runs this command for each notice: JSON on its standard input, the person in FOREWARN_NOTICE_TO and FOREWARN_NOTICE_MAIL." placeholder:"COMMAND"`
	Once   bool   `help:"Call who is due now, and end."`
	mailFlags
	Origin string `help:"What browsers call the desk; mails have the link." env:"FOREWARN_ORIGIN" default:"http://localhost:8443" placeholder:"URL"`
}

func (*alarmCall) Help() string {
	return `A notice says that something waits, and nothing of what. The command may be given the same notice again after a crash: tell by its id.

Example:
  forewarn alarm call --notify ./page-duty.sh --as ana`
}

func (c *alarmCall) Run(a *app) error {
	post, err := c.post(a, c.Origin, a.note)
	if err != nil {
		return err
	}
	hook := waysOf(c.Notify, post, a.note)
	if hook == nil {
		return usage("say how to call: --notify COMMAND, --smtp SERVER, or both")
	}
	if !c.Once {
		return a.watch(&lookout.Watch{Notify: hook})
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		t, err := d.Dispatch(a, by, hook)
		if err != nil {
			return err
		}
		next := "Nobody is due next"
		if !t.Next.IsZero() {
			next = "The next is due at " + when(t.Next)
		}
		return a.done(fields{"queued": t.Queued, "handed_off": t.HandedOff, "next": t.Next}, "%s handed on. %s.", count(t.HandedOff, "notice", "notices"), next)
	})
}

type alarmPage struct {
	Case   string `arg:"" optional:"" help:"Only this case."`
	Listen string `help:"Serve it at this address of this machine, at a path that can't be guessed." placeholder:"127.0.0.1:PORT" xor:"where"`
	Output string `short:"o" help:"Write it once, to this file." placeholder:"FILE" xor:"where"`
}

func (*alarmPage) Help() string {
	return `The page only shows; each decision stands there as the command that makes it. It is served to this machine alone.

Example:
  forewarn alarm page --listen 127.0.0.1:8474 --as ana`
}

func (c *alarmPage) Run(a *app) error {
	if (c.Listen == "") == (c.Output == "") {
		return usage("say where: --listen 127.0.0.1:PORT, or -o FILE")
	}
	return a.looking(func(d lookout.Desk, by cvd.Actor) error {
		var only cvd.CaseID
		if c.Case != "" {
			var err error
			if only, err = d.Case(a, by, c.Case); err != nil {
				return err
			}
		}
		p := &lookout.Pages{Desk: d, By: by, Only: only}
		if c.Output == "" {
			return p.Serve(a, c.Listen, func(url string) {
				if a.JSON {
					a.printJSON(fields{"url": url})
					return
				}
				a.say("%s", url)
				a.note("It ends with this command. Whoever has the address and an account of this machine can read it.")
			})
		}
		html, err := p.Page(a, only)
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.Output, html, 0o600); err != nil {
			return fmt.Errorf("%w: %w", errOutput, err)
		}
		return a.done(fields{"page": c.Output}, "Written: %s", c.Output)
	})
}
