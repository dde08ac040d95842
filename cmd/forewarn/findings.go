package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
)

type findingsCmd struct {
	List     findingsList     `cmd:"" help:"List findings and how far they are."`
	Show     findingsShow     `cmd:"" help:"Show findings and what was done with them; write their record."`
	Put      findingsPut      `cmd:"" help:"Put findings to those whose copies they name."`
	Reply    findingsReply    `cmd:"" help:"Attach a reply as it came, or say that none will come."`
	Review   findingsReview   `cmd:"" help:"Say, as another person, that findings hold, or object."`
	Finalise findingsFinalise `cmd:"" help:"Make reviewed findings final."`
	Withdraw findingsWithdraw `cmd:"" help:"Withdraw findings. Nothing of them goes away."`
	History  findingsHistory  `cmd:"" help:"Show a member's evidence over all cases, as far as it may be told."`
}

// withInquiry opens desk and inquiry as the acting account.
func (a *app) withInquiry(f func(*coordinator.Desk, *home.Office, cvd.Actor) error) error {
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		o, err := h.Inquiry(a)
		if err != nil {
			return err
		}
		defer o.Close()
		o.Step = func(s string) { a.note("%s", s) }
		return f(d, o, by)
	})
}

// withFindings is withInquiry for findings that somebody named.
func (a *app) withFindings(name string, f func(*coordinator.Desk, *home.Office, cvd.Actor, inquiry.Kept) error) error {
	return a.withInquiry(func(d *coordinator.Desk, o *home.Office, by cvd.Actor) error {
		k, err := o.Find(d, by, name)
		if err != nil {
			return err
		}
		return f(d, o, by, k)
	})
}

// names gives what holders and accounts are called.
func (a *app) names(d *coordinator.Desk) (func(entrylog.Ref) string, error) {
	var of func(entrylog.Ref) string
	err := d.View(func(p *cvd.Programme) error {
		names := map[entrylog.Ref]string{}
		n := d.Names(a, p)
		for _, m := range p.MemberOrder {
			names[entrylog.Ref(m)] = n.Member(m)
		}
		for id := range p.Accounts {
			names[entrylog.Ref(id)] = n.Account(id)
		}
		for id := range p.Cases {
			names[entrylog.Ref(id)] = n.Ref(entrylog.Ref(id))
		}
		of = func(r entrylog.Ref) string {
			if s := names[r]; s != "" {
				return s
			}
			return r.String()[:8]
		}
		return nil
	})
	return of, err
}

func conclusion(k inquiry.Kept) string {
	if k.Traced {
		return evidence.Traced
	}
	return evidence.CannotSay
}

type findingsList struct{}

func (*findingsList) Help() string { return "Example:\n  forewarn findings list --as ina" }

type findingsRow struct {
	Findings   string    `json:"findings"`
	Case       string    `json:"case"`
	Drafted    time.Time `json:"drafted"`
	By         string    `json:"by"`
	Conclusion string    `json:"conclusion"`
	Named      []string  `json:"named"`
	Stage      string    `json:"stage"`
}

func (c *findingsList) Run(a *app) error {
	return a.withInquiry(func(d *coordinator.Desk, o *home.Office, by cvd.Actor) error {
		all, err := o.Findings(d, by)
		if err != nil {
			return err
		}
		name, err := a.names(d)
		if err != nil {
			return err
		}
		var rows [][]string
		var values []findingsRow
		for _, k := range all {
			r := findingsRow{k.Name(), name(k.Case), k.Life.Done[0].At, name(k.Drafter()), conclusion(k), []string{}, k.Life.Stage.String()}
			for _, h := range k.Named {
				r.Named = append(r.Named, name(h))
			}
			values = append(values, r)
			rows = append(rows, []string{r.Findings, r.Case, when(r.Drafted), r.By, r.Conclusion, strings.Join(r.Named, ", "), r.Stage})
		}
		return list(a, "No findings yet. 'forewarn investigate' makes some.", []string{"FINDINGS", "CASE", "DRAFTED", "BY", "CONCLUSION", "COPIES NAMED", "STAGE"}, rows, values)
	})
}

type findingsShow struct {
	Findings string `arg:"" help:"The beginning of their name, as list shows it."`
	Out      string `help:"A new folder for the record: page, findings, dossier with every act, and the texts that were attached." short:"o" placeholder:"DIR"`
}

func (*findingsShow) Help() string {
	return `With -o the dossier is signed anew with everything that was done so far, and verified.

Example:
  forewarn findings show 3fa9c2d1 -o record --as ina`
}

type actRow struct {
	Act    string    `json:"act"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	SHA256 string    `json:"sha256,omitempty"`
	Entry  uint64    `json:"entry"`
}

func acts(k inquiry.Kept, name func(entrylog.Ref) string) (out []actRow) {
	for _, d := range k.Life.Done {
		r := actRow{Act: d.Act.String(), At: d.At, By: name(d.By), Until: d.Until, Entry: uint64(d.Entry)}
		if !entrylog.Ref(d.Holder).IsZero() {
			r.Holder = name(d.Holder)
		}
		if d.Text != [32]byte{} {
			r.SHA256 = hex.EncodeToString(d.Text[:])
		}
		out = append(out, r)
	}
	return out
}

func (c *findingsShow) Run(a *app) error {
	if c.Out != "" {
		if _, err := os.Lstat(c.Out); err == nil {
			return exists(c.Out)
		}
	}
	return a.withFindings(c.Findings, func(d *coordinator.Desk, o *home.Office, by cvd.Actor, k inquiry.Kept) error {
		name, err := a.names(d)
		if err != nil {
			return err
		}
		if c.Out != "" {
			if err := c.record(a, d, o, by, k); err != nil {
				return err
			}
		}
		rows := acts(k, name)
		if a.JSON {
			waiting := []string{}
			for _, h := range k.Life.Waiting(d.Clock()) {
				waiting = append(waiting, name(h))
			}
			return a.printJSON(fields{"findings": hex.EncodeToString(k.Findings[:]), "case": name(k.Case), "conclusion": conclusion(k), "stage": k.Life.Stage.String(), "acts": rows, "waiting": waiting, "out": c.Out})
		}
		a.say("Findings %s in case %s: %s.", k.Name(), name(k.Case), conclusion(k))
		for _, h := range k.Named {
			a.say("  name the copy issued to %s", name(h))
		}
		a.say("  stage: %s", k.Life.Stage)
		for _, h := range k.Life.Waiting(d.Clock()) {
			a.say("  waiting for the reply of %s", name(h))
		}
		var lines [][]string
		for _, r := range rows {
			what := r.Act
			if r.Holder != "" {
				what += ", " + r.Holder
			}
			if !r.Until.IsZero() {
				what += ", until " + when(r.Until)
			}
			sum := "–"
			if r.SHA256 != "" {
				sum = r.SHA256[:16] + "…"
			}
			lines = append(lines, []string{when(r.At), what, r.By, sum, fmt.Sprint(r.Entry)})
		}
		a.table([]string{"WHEN", "ACT", "BY", "SHA-256 OF THE TEXT", "ENTRY"}, lines)
		for _, s := range next(k, d.Clock(), name) {
			a.say("%s", s)
		}
		if c.Out != "" {
			a.say("record   %s", c.Out)
			h, err := home.Open(a.folder())
			if err != nil {
				return err
			}
			a.say("verify   forewarn verify dossier %s --log-key %s", shown(filepath.Join(c.Out, "findings.dossier")), h.LogKey())
		}
		return nil
	})
}

// record writes everything about findings into a new folder. Texts are named by
// the entry that they belong to, and are as they came.
func (c *findingsShow) record(a *app, d *coordinator.Desk, o *home.Office, by cvd.Actor, k inquiry.Kept) error {
	r, err := o.Record(a, d, by, k.Findings)
	if err != nil {
		return err
	}
	text, err := r.Findings.Marshal()
	if err != nil {
		return err
	}
	files := []form.Output{{Path: "findings.dossier", Data: r.Dossier}, {Path: "findings.html", Data: r.Page}, {Path: "findings.json", Data: text}}
	for i, t := range r.Texts {
		if len(t) > 0 {
			x := r.Kept.Life.Done[i]
			files = append(files, form.Output{Path: fmt.Sprintf("texts/%d-%s", x.Entry, strings.ReplaceAll(x.Act.String(), " ", "-")), Data: t})
		}
	}
	return folder.WriteNew(c.Out, files)
}

// take does an act and says what came of it.
func (a *app) take(name string, step func(*coordinator.Desk, inquiry.Kept) (inquiry.Step, error), said string) error {
	return a.withFindings(name, func(d *coordinator.Desk, o *home.Office, by cvd.Actor, k inquiry.Kept) error {
		s, err := step(d, k)
		if err != nil {
			return err
		}
		if k, err = o.Take(a, d, by, k.Findings, s); err != nil {
			return err
		}
		last := k.Life.Done[len(k.Life.Done)-1]
		v := fields{"findings": hex.EncodeToString(k.Findings[:]), "stage": k.Life.Stage.String(), "entry": uint64(last.Entry)}
		if last.Text != [32]byte{} {
			v["sha256"] = hex.EncodeToString(last.Text[:])
		}
		if err := a.done(v, said, k.Name(), k.Life.Stage); err != nil {
			return err
		}
		of, err := a.names(d)
		if err != nil {
			return err
		}
		for _, s := range next(k, d.Clock(), of) {
			a.say("%s", s)
		}
		return nil
	})
}

// next is what findings wait for, in the order in which it can be done.
func next(k inquiry.Kept, now time.Time, name func(entrylog.Ref) string) (out []string) {
	run := func(what, command string) {
		out = append(out, fmt.Sprintf("next     %s: forewarn findings %s", what, command))
	}
	waiting := k.Life.Waiting(now)
	switch k.Life.Stage {
	case evidence.Put, evidence.Replied, evidence.Reviewed:
		for _, h := range waiting {
			run("the reply of "+name(h), fmt.Sprintf("reply %s FILE --member %s", k.Name(), shown(name(h))))
		}
	}
	switch k.Life.Stage {
	case evidence.Draft:
		if len(k.Named) > 0 {
			run("put them to those whose copies they name", "put "+k.Name())
			break
		}
		fallthrough
	case evidence.Put, evidence.Replied:
		run("another investigator reviews", "review "+k.Name()+" FILE")
	case evidence.Reviewed:
		if len(waiting) == 0 {
			run("make them final", "finalise "+k.Name())
		}
	case evidence.Final:
		run("the record with every act", "show "+k.Name()+" -o DIR")
	}
	return out
}

// noText is for acts that need none.
func noText(act evidence.Act) func(*coordinator.Desk, inquiry.Kept) (inquiry.Step, error) {
	return func(*coordinator.Desk, inquiry.Kept) (inquiry.Step, error) { return inquiry.Step{Act: act}, nil }
}

type findingsPut struct {
	Findings string `arg:"" help:"The beginning of their name."`
	Until    string `help:"When the time to reply ends; at least a day from now." default:"+14d" placeholder:"TIME"`
	Letter   string `help:"The letter that goes with them: kept as it is." placeholder:"FILE"`
}

func (*findingsPut) Help() string {
	return `Verifies the dossier first. Records that the findings were put to everybody whose copy they name; sending them is yours: the page is for that, the dossier opens keys.

Example:
  forewarn findings put 3fa9c2d1 --until +14d --letter letter.txt --as ina`
}

func (c *findingsPut) Run(a *app) error {
	return a.take(c.Findings, func(d *coordinator.Desk, _ inquiry.Kept) (s inquiry.Step, err error) {
		s.Act = evidence.ActPut
		if s.Until, err = parseTime(c.Until, d.Clock()); err != nil {
			return s, err
		}
		if c.Letter != "" {
			s.Text, err = a.read(c.Letter, inquiry.MaxText)
		}
		return s, err
	}, "Recorded. Findings %s: %s.")
}

type findingsReply struct {
	Findings string `arg:"" help:"The beginning of their name."`
	File     string `arg:"" optional:"" help:"The reply, as it came."`
	Member   string `help:"Whose; may be left out when the findings name one copy." placeholder:"NAME"`
	None     bool   `help:"No reply will come."`
	Why      string `help:"With --none: how that is known." placeholder:"TEXT"`
}

func (*findingsReply) Help() string {
	return `The reply is kept byte for byte and never edited; its SHA-256 goes on the log, into the page and into the dossier.

Example:
  forewarn findings reply 3fa9c2d1 reply.pdf --member Northlight --as ina`
}

func (c *findingsReply) Run(a *app) error {
	if c.None != (c.File == "") || c.None != (c.Why != "") {
		return usage("name the reply's file, or say --none --why TEXT")
	}
	return a.take(c.Findings, func(d *coordinator.Desk, k inquiry.Kept) (s inquiry.Step, err error) {
		if s.Holder, err = c.whose(a, d, k); err != nil {
			return s, err
		}
		if c.None {
			s.Act, s.Text = evidence.ActSilent, []byte(c.Why)
			return s, nil
		}
		s.Act = evidence.ActReply
		if s.Text, err = a.read(c.File, inquiry.MaxText); err == nil && len(s.Text) == 0 {
			err = fmt.Errorf("%w: %q is empty", errInput, c.File)
		}
		return s, err
	}, "Recorded. Findings %s: %s.")
}

// whose is the holder whose copy is meant, among those that are named.
func (c *findingsReply) whose(a *app, d *coordinator.Desk, k inquiry.Kept) (cvd.HolderID, error) {
	if c.Member == "" && len(k.Named) == 1 {
		return cvd.HolderID(k.Named[0]), nil
	}
	name, err := a.names(d)
	if err != nil {
		return cvd.HolderID{}, err
	}
	var hits []entrylog.Ref
	for _, h := range k.Named {
		if c.Member != "" && (strings.HasPrefix(strings.ToLower(name(h)), strings.ToLower(c.Member)) || strings.HasPrefix(h.String(), c.Member)) {
			hits = append(hits, h)
		}
	}
	if len(hits) != 1 {
		return cvd.HolderID{}, fmt.Errorf("%w: %q is not one of those whose copies these findings name; 'forewarn findings show %s' lists them", coordinator.ErrUnknown, c.Member, k.Name())
	}
	return cvd.HolderID(hits[0]), nil
}

type findingsReview struct {
	Findings string `arg:"" help:"The beginning of their name."`
	File     string `arg:"" help:"What you looked at, and what you think."`
	Object   bool   `help:"They do not hold: back to draft."`
}

func (*findingsReview) Help() string {
	return `Whoever drafted findings does not review them. Verify the dossier yourself first, with keys that you have from elsewhere.

Example:
  forewarn findings review 3fa9c2d1 review.txt --as ivo`
}

func (c *findingsReview) Run(a *app) error {
	return a.take(c.Findings, func(*coordinator.Desk, inquiry.Kept) (s inquiry.Step, err error) {
		s.Act = evidence.ActReview
		if c.Object {
			s.Act = evidence.ActObject
		}
		if s.Text, err = a.read(c.File, inquiry.MaxText); err == nil && len(s.Text) == 0 {
			err = fmt.Errorf("%w: %q is empty", errInput, c.File)
		}
		return s, err
	}, "Recorded. Findings %s: %s.")
}

type findingsFinalise struct {
	Findings string `arg:"" help:"The beginning of their name."`
}

func (*findingsFinalise) Help() string {
	return `Takes a review by another person, and of everybody whose copy is named a reply, a word that none will come, or the end of the time that they were given.

Example:
  forewarn findings finalise 3fa9c2d1 --as ina`
}

func (c *findingsFinalise) Run(a *app) error {
	return a.take(c.Findings, noText(evidence.ActFinal), "Recorded. Findings %s: %s.")
}

type findingsWithdraw struct {
	Findings string `arg:"" help:"The beginning of their name."`
	Why      string `help:"Why." required:"" placeholder:"TEXT"`
}

func (*findingsWithdraw) Help() string {
	return `They stay on the log with everything that was attached. The keys that their dossier opened stay open.

Example:
  forewarn findings withdraw 3fa9c2d1 --why 'the specimen was our own test copy' --as ina`
}

func (c *findingsWithdraw) Run(a *app) error {
	return a.take(c.Findings, func(*coordinator.Desk, inquiry.Kept) (inquiry.Step, error) {
		return inquiry.Step{Act: evidence.ActWithdraw, Text: []byte(c.Why)}, nil
	}, "Recorded. Findings %s: %s.")
}
