package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/home"
)

type verifyCmd struct {
	Log     verifyLog     `cmd:"" help:"Check a programme's log and blobs from the files alone."`
	Dossier verifyDossier `cmd:"" help:"Check a dossier offline, readings and probabilities included."`
	Copy    verifyCopy    `cmd:"" help:"Check the proof that came with a copy."`
}

type verifyLog struct {
	Against string `help:"A later checkpoint, kept elsewhere: the log must contain it. The programme's own, kept outside its folder, if not given." placeholder:"FILE"`
	Inquiry bool   `help:"Check the inquiry's log instead."`
}

func (*verifyLog) Help() string {
	return `Reads every entry, makes every anchor again and compares the published files byte for byte; folds the entries; checks every blob they name. Changes nothing.

Example:
  forewarn verify log --dir programme --against kept/desk.checkpoint`
}

func (c *verifyLog) Run(a *app) error {
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	var against []byte
	switch {
	case c.Against != "":
		if against, err = a.read(c.Against, 1<<20); err != nil {
			return err
		}
	case !c.Inquiry:
		// The one that the programme keeps outside its folder, if it is here.
		if against, err = os.ReadFile(h.OutsideFile()); err != nil {
			against = nil
			a.note("Not checked: that this is the newest folder. %s can't be read; give a checkpoint kept elsewhere with --against.", h.OutsideFile())
		}
	}
	show := func(string, int) {}
	if a.tty {
		show = func(what string, n int) { fmt.Fprintf(a.err, "\r%s %d\x1b[K", what, n) }
	}
	r, folded, err := h.Verify(a, c.Inquiry, against, show)
	if a.tty {
		fmt.Fprint(a.err, "\r\x1b[K")
	}
	if err != nil {
		return err
	}
	problems := append(r.Problems, folded.Problems...)
	if a.JSON {
		type problem struct {
			Where string `json:"where"`
			What  string `json:"what"`
		}
		list := []problem{}
		for _, p := range problems {
			list = append(list, problem{p.Where, p.What})
		}
		if err := a.printJSON(fields{"origin": r.Origin, "entries": r.Entries, "anchors": r.Anchors, "through": r.Through,
			"files": r.Files, "blobs": folded.Blobs, "state": hex.EncodeToString(folded.State[:]), "recoveries": r.Recovery, "problems": list, "verified": len(list) == 0 && r.OK()}); err != nil {
			return err
		}
	} else {
		a.say("%s", r.Origin)
		a.say("  %s, %s through %s, %s", count(int(r.Entries), "entry", "entries"), count(int(r.Anchors), "anchor", "anchors"), when(r.Through), count(int(r.Files), "published file", "published files"))
		if !c.Inquiry {
			a.say("  %s, state %x", count(folded.Blobs, "blob", "blobs"), folded.State)
		}
		for _, p := range problems {
			a.say("  %s: %s", p.Where, p.What)
		}
		if r.More > 0 {
			a.say("  and %d more", r.More)
		}
	}
	if len(problems) > 0 || !r.OK() {
		return fmt.Errorf("%w: %s; nothing was changed. Restore what is named from a copy, and keep this folder as it is", errUnverified, count(len(problems)+r.More, "problem", "problems"))
	}
	a.say("Verified.")
	return nil
}

type verifyDossier struct {
	File       string `arg:"" help:"The dossier."`
	LogKey     vkey   `help:"The programme's log key, as you know it from elsewhere." placeholder:"VKEY"`
	InquiryKey vkey   `help:"The inquiry's key, as you know it from elsewhere." placeholder:"VKEY"`
	remembering
}

func (*verifyDossier) Help() string {
	return `Reads the specimens again, prints the named copies again and computes every probability again. Needs no network and no programme. Without keys from elsewhere it says whose word it rests on.
A log whose key you give is remembered, as by pull and open; a dossier whose log forked from what you saw is refused. To compare takes what is published: --anchors says where.

Example:
  forewarn verify dossier case-5k2q.dossier --log-key forewarn.invalid/harbourline+0123abcd+AbCd`
}

func (c *verifyDossier) Run(a *app) error {
	b, err := a.read(c.File, evidence.MaxDossier)
	if err != nil {
		return err
	}
	r, verr := forewarn.VerifyDossier(b, forewarn.Trust{LogKey: string(c.LogKey), InquiryKey: string(c.InquiryKey)})
	if verr == nil {
		var s forewarn.Step
		switch s, verr = c.seen(a, b); {
		case errors.Is(verr, entrylog.ErrUncompared): // it is verified offline all the same
			r.NotChecked, verr = append(r.NotChecked, "That the log continues what you saw of it: "+s.Detail+". --anchors says where it is published."), nil
		case verr != nil && a.Err() == nil && !errors.Is(verr, errUnverified) && !errors.Is(verr, entrylog.ErrCheckpoint): // nor is it the dossier's fault that nothing can be remembered here
			r.NotChecked, verr = append(r.NotChecked, "That the log continues what you saw of it: "+verr.Error()+"."), nil
		case s.Name != "":
			r.Steps = append(r.Steps, s)
		}
	}
	if a.JSON {
		type step struct {
			Name   string `json:"name"`
			OK     bool   `json:"ok"`
			Detail string `json:"detail"`
		}
		steps := []step{}
		for _, s := range r.Steps {
			steps = append(steps, step{s.Name, s.OK, s.Detail})
		}
		if err := a.printJSON(fields{"verified": verr == nil, "steps": steps, "conclusion": r.Conclusion, "statement": r.Statement,
			"keys": r.KeyNote, "not_checked": r.NotChecked, "findings": json.RawMessage(orNull(r.Findings))}); err != nil {
			return err
		}
	} else {
		a.steps(r)
	}
	if verr != nil {
		return fmt.Errorf("%w: %w. Don't rely on this dossier; keep it as it is", errUnverified, verr)
	}
	a.say("Verified.")
	return nil
}

// seen holds the dossier's checkpoint of the programme's log against what was seen of
// that log before, and remembers it: of a log whose key was given, or that is
// remembered already. A dossier's own word on its key is none to remember a log by.
func (c *verifyDossier) seen(a *app, dossier []byte) (s forewarn.Step, err error) {
	d, err := evidence.ParseDossier(dossier)
	if err != nil {
		return s, err
	}
	v, err := note.NewVerifier(d.Programme.Key)
	if err != nil {
		return s, err
	}
	signed := d.Waves[0].Checkpoint // all proofs have the same; without a wave it hadn't verified
	before, err := c.remembers(v, signed)
	if err != nil || !before && c.LogKey == "" {
		return s, err
	}
	s = forewarn.Step{Name: "seen before", Detail: "nothing of this log was; it is remembered from now on"}
	if before {
		s.Detail = "the log continues what you saw of it"
	}
	if err := (&following{remembering: c.remembering}).follow(a, v, signed); err != nil {
		s.Detail = err.Error()
		return s, err
	}
	s.OK = true
	return s, nil
}

func orNull(b []byte) []byte {
	if len(b) == 0 {
		return []byte("null")
	}
	return b
}

// steps prints a dossier's verification.
func (a *app) steps(r forewarn.Report) {
	for i, s := range r.Steps {
		if s.OK {
			a.item(fmt.Sprintf("  ok      %-15s ", s.Name), s.Detail)
			continue
		}
		// The steps rest on one another: the first that fails is the last done.
		a.item(fmt.Sprintf("  FAILED  %-15s ", s.Name), s.Detail)
		if rest := len(r.Steps) - i - 1; rest > 0 {
			a.say("  –       %s not reached", count(rest, "further step was", "further steps were"))
		}
		break
	}
	if r.Statement != "" {
		a.item("", r.Statement)
	}
	for _, s := range strings.Split(r.KeyNote, "\n") {
		a.item("", s)
	}
	for _, n := range r.NotChecked {
		a.item("  not checked: ", n)
	}
}

type verifyCopy struct {
	Proof string        `arg:"" help:"The .proof file."`
	Log   vkey          `help:"The programme's log key (vkey)." name:"log-key" placeholder:"VKEY"`
	Tick  time.Duration `help:"Time between the log's anchors. Taken from the programme's folder if that is here." default:"60s"`
	following
}

func (*verifyCopy) Help() string {
	return "Example:\n  forewarn verify copy inbox/5k2q7r3m.proof --log-key VKEY"
}

func (c *verifyCopy) Run(a *app) error {
	p, err := a.proof(c.Proof)
	if err != nil {
		return err
	}
	v, interval, err := a.logKey(c.Log, c.Tick)
	if err != nil {
		return err
	}
	w, err := holds(p, v, interval)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnverified, err)
	}
	if err := c.follow(a, v, p.Entry.Checkpoint); err != nil {
		return err
	}
	at := p.Entry.Anchor.Tick.Instant(interval)
	if a.JSON {
		return a.printJSON(fields{"verified": true, "wave": w.Wave.String(), "holder": p.Holder.String(), "level": w.Level.String(), "opens_at": w.OpensAt, "copy": hex.EncodeToString(p.Copy[:]), "anchored": at})
	}
	a.say("Wave %s, %s, holder %s: committed to before %s.", w.Wave, w.Level, p.Holder, when(at))
	a.say("Verified.")
	return nil
}
