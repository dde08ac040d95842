package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"forewarn"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"
)

type verifyCmd struct {
	Log     verifyLog     `cmd:"" help:"Check a programme's log and blobs from the files alone."`
	Dossier verifyDossier `cmd:"" help:"Check a dossier offline, readings and probabilities included."`
	Copy    verifyCopy    `cmd:"" help:"Check the proof that came with a copy."`
}

type verifyLog struct {
	Against string `help:"A later checkpoint, kept elsewhere: the log must contain it." type:"existingfile" placeholder:"FILE"`
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
	if c.Against != "" {
		if against, err = folder.ReadFile(c.Against, 1<<20); err != nil {
			return err
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
		if err := a.printJSON(map[string]any{"origin": r.Origin, "entries": r.Entries, "anchors": r.Anchors, "through": r.Through,
			"files": r.Files, "blobs": folded.Blobs, "state": hex.EncodeToString(folded.State[:]), "recoveries": r.Recovery, "problems": list, "verified": len(list) == 0 && r.OK()}); err != nil {
			return err
		}
	} else {
		a.say("%s", r.Origin)
		a.say("  %d entries, %d anchors through %s, %d published files, %d blobs", r.Entries, r.Anchors, when(r.Through), r.Files, folded.Blobs)
		if !c.Inquiry {
			a.say("  state %x", folded.State)
		}
		for _, p := range problems {
			a.say("  %s: %s", p.Where, p.What)
		}
		if r.More > 0 {
			a.say("  and %d more", r.More)
		}
	}
	if len(problems) > 0 || !r.OK() {
		return fmt.Errorf("%w: %d problems; nothing was changed. Restore what is named from a copy, and keep this folder as it is", unverified, len(problems)+r.More)
	}
	a.say("Verified.")
	return nil
}

type verifyDossier struct {
	File       string `arg:"" help:"The dossier." type:"existingfile"`
	LogKey     string `help:"The programme's log key, as you know it from elsewhere." placeholder:"VKEY"`
	InquiryKey string `help:"The inquiry's key, as you know it from elsewhere." placeholder:"VKEY"`
}

func (*verifyDossier) Help() string {
	return `Reads the specimens again, prints the named copies again and computes every probability again. Needs no network and no programme. Without keys from elsewhere it says whose word it rests on.

Example:
  forewarn verify dossier case-5k2q.dossier --log-key forewarn.invalid/harbourline+0123abcd+AbCd`
}

func (c *verifyDossier) Run(a *app) error {
	b, err := folder.ReadFile(c.File, evidence.MaxDossier)
	if err != nil {
		return err
	}
	r, verr := forewarn.VerifyDossier(b, forewarn.Trust{LogKey: c.LogKey, InquiryKey: c.InquiryKey})
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
		if err := a.printJSON(map[string]any{"verified": verr == nil, "steps": steps, "conclusion": r.Conclusion, "statement": r.Statement,
			"keys": r.KeyNote, "not_checked": r.NotChecked, "findings": json.RawMessage(orNull(r.Findings))}); err != nil {
			return err
		}
	} else {
		a.steps(r)
	}
	if verr != nil {
		return fmt.Errorf("%w: %w. Don't rely on this dossier; keep it as it is", unverified, verr)
	}
	a.say("Verified.")
	return nil
}

func orNull(b []byte) []byte {
	if len(b) == 0 {
		return []byte("null")
	}
	return b
}

// steps prints a dossier's verification.
func (a *app) steps(r forewarn.Report) {
	for _, s := range r.Steps {
		mark := "ok    "
		if !s.OK {
			mark = "FAILED"
		}
		a.say("  %s  %-14s %s", mark, s.Name, s.Detail)
	}
	if r.Statement != "" {
		a.say("%s", r.Statement)
	}
	a.say("%s", r.KeyNote)
	for _, n := range r.NotChecked {
		a.say("  not checked: %s", n)
	}
}

type verifyCopy struct {
	Proof string        `arg:"" help:"The .proof file." type:"existingfile"`
	Log   string        `help:"The programme's log key (vkey)." name:"log-key" placeholder:"VKEY"`
	Tick  time.Duration `help:"Time between the log's anchors." default:"60s"`
}

func (*verifyCopy) Help() string {
	return "Example:\n  forewarn verify copy inbox/5k2q7r3m.proof --log-key VKEY"
}

func (c *verifyCopy) Run(a *app) error {
	b, err := folder.ReadFile(c.Proof, 64<<20)
	if err != nil {
		return err
	}
	p, err := evidence.ParseCopyProof(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Proof, err)
	}
	v, interval, err := a.logKey(c.Log, c.Tick)
	if err != nil {
		return err
	}
	w, err := p.Verify(v, interval)
	if err != nil {
		return fmt.Errorf("%w: %w", unverified, err)
	}
	at := p.Entry.Anchor.Tick.Instant(interval)
	if a.JSON {
		return a.printJSON(map[string]any{"verified": true, "wave": w.Wave.String(), "holder": p.Holder.String(), "level": w.Level.String(), "opens_at": w.OpensAt, "copy": hex.EncodeToString(p.Copy[:]), "anchored": at})
	}
	a.say("Wave %s, %s, holder %s: committed to before %s.", w.Wave, w.Level, p.Holder, when(at))
	a.say("Verified.")
	return nil
}

type logCmd struct {
	Show    logShow    `cmd:"" help:"Show entries."`
	Prove   logProve   `cmd:"" help:"Write the proof that a wave's entry is in the log, or any entry for an auditor."`
	Anchor  logAnchor  `cmd:"" help:"Make the anchors that are due, once or on every tick."`
	Recover logRecover `cmd:"" help:"Continue after a loss, under a declared new epoch."`
}

type logShow struct {
	From entrylog.Seq `help:"The first entry." placeholder:"N"`
	Kind string       `help:"Only this kind." placeholder:"NAME"`
	Last int          `help:"Only the last so many." placeholder:"N"`
}

func (*logShow) Help() string {
	return "Example:\n  forewarn log show --last 20 --as ana"
}

func (c *logShow) Run(a *app) error {
	type row struct {
		Seq     entrylog.Seq `json:"seq"`
		Time    time.Time    `json:"time"`
		Kind    string       `json:"kind"`
		Actor   string       `json:"actor"`
		Auth    string       `json:"auth"`
		Subject string       `json:"subject"`
		Body    any          `json:"body"`
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		var names map[entrylog.Ref]string
		if err := d.View(func(p *cvd.Programme) error {
			if err := p.May(by, cvd.ActViewLog, cvd.TheProgramme(), d.Clock()); err != nil {
				return err
			}
			n := d.Names(a, p)
			names = map[entrylog.Ref]string{entrylog.Ref(p.Sealer): "sealer"}
			for _, id := range p.AccountOrder {
				names[entrylog.Ref(id)] = n.Account(id)
			}
			return nil
		}); err != nil {
			return err
		}
		from := c.From
		if size := d.Log().Size(); c.Last > 0 && uint64(c.Last) < uint64(size) {
			from = max(from, size-entrylog.Seq(c.Last))
		}
		values := []row{}
		var rows [][]string
		err := d.EachEntry(a, from, func(seq entrylog.Seq, e entrylog.Entry) error {
			kind := cvd.KindName(e.Kind)
			if c.Kind != "" && c.Kind != kind {
				return nil
			}
			r := row{Seq: seq, Time: e.Time, Kind: kind, Actor: names[e.Actor], Auth: e.Auth.String(), Subject: e.Subject.String()}
			if r.Actor == "" {
				r.Actor = e.Actor.String()
			}
			if body, err := cvd.DecodeBody(e.Kind, e.Body); err == nil {
				r.Body = body
			}
			values = append(values, r)
			rows = append(rows, []string{fmt.Sprint(seq), e.Time.Format("2006-01-02 15:04:05Z"), kind, r.Actor, r.Subject[:8], r.Auth})
			return nil
		})
		if err != nil {
			return err
		}
		return a.list("No such entry.", []string{"ENTRY", "TIME", "KIND", "ACTOR", "SUBJECT", "AUTH"}, rows, values)
	})
}

type logProve struct {
	Seq entrylog.Seq `arg:"" help:"The entry's number."`
	Out string       `help:"File for the proof." short:"o" required:"" type:"path" placeholder:"FILE"`
}

func (*logProve) Help() string {
	return `A wave's entry is proved without showing where in the log it stands. Any other is proved to auditors, and then its number and the log's size show.

Example:
  forewarn log prove 41 -o wave.entry --as ada`
}

func (c *logProve) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		if err := d.View(func(p *cvd.Programme) error {
			return p.May(by, cvd.ActViewLog, cvd.TheProgramme(), d.Clock())
		}); err != nil {
			return err
		}
		var proof wire.Layout
		public, err := d.Log().Prove(a, c.Seq)
		proof = &public
		what := "for anybody"
		if errors.Is(err, ledger.ErrNotPublic) {
			inner, ierr := d.Log().ProveInner(a, c.Seq, 0)
			proof, err, what = &inner, ierr, "for an auditor: it shows the entry's number and the log's size"
		}
		if err != nil {
			return err
		}
		if err := create(c.Out, wire.Marshal(proof), 0o600); err != nil {
			return err
		}
		a.say("Wrote the proof of entry %d to %s, %s.", c.Seq, c.Out, what)
		return nil
	})
}

type logAnchor struct {
	Every bool `help:"Go on, once a tick, until stopped."`
}

func (*logAnchor) Help() string {
	return `Run it on a timer, or with --every, so that what outsiders see of the folder depends on time alone.

Example:
  forewarn log anchor --every`
}

func (c *logAnchor) Run(a *app) error {
	for {
		h, err := home.Open(a.folder())
		if err != nil {
			return err
		}
		d, err := h.Desk(a)
		switch {
		case err == nil:
			_, cp := d.Log().Checkpoint()
			if err := d.Close(); err != nil {
				return err
			}
			a.say("%d anchors.", cp.Size)
		case !c.Every || !errors.Is(err, ledger.ErrLocked):
			return err
		}
		if !c.Every {
			return nil
		}
		if sleepUntil(a, time.Now().Truncate(h.Interval()).Add(h.Interval())) != nil {
			return nil // stopped by a signal: that is how it ends
		}
	}
}

type logRecover struct {
	Reason string `help:"Why; it is kept in the log, encrypted." required:""`
	Yes    bool   `help:"The newer folder is lost for good, and members will be told of the new epoch."`
}

func (*logRecover) Help() string {
	return `For a folder that is older than the last anchor kept outside, when the newer one is lost for good. Checkpoints from now on are signed under a new origin; whoever holds an older one can tell.

Example:
  forewarn log recover --reason "disk failed; restored the backup of 3 July" --yes --as ana`
}

func (c *logRecover) Run(a *app) error {
	if !c.Yes {
		return usage("a recovery gives up what was signed after this folder's last state, for everybody to see: say --yes")
	}
	h, err := home.Open(a.folder())
	if err != nil {
		return err
	}
	r, err := h.Recover(a)
	if err != nil {
		return err
	}
	a.say("Recovery %d is declared. Tell the members, and publish why.", r.Number)
	if a.As == "" {
		return nil
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		return d.DeclareRecovery(a, by, r, c.Reason)
	})
}

type keyCmd struct {
	Destroy keyDestroy `cmd:"" help:"Destroy a case's or a person's key: their texts become unreadable for good."`
	Hold    keyHold    `cmd:"" help:"Set or lift a legal hold, which forbids that."`
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
		a.say("Destroyed. The log verifies as before; the texts are gone.")
		return nil
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
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		scope, id, err := a.scope(d, by, c.Case, c.Account)
		if err != nil {
			return err
		}
		q := cvd.SetLegalHold{Scope: scope, ID: id, On: !c.Lift}
		if q.On {
			if q.Review, err = parseTime(c.Review, d.Clock()); err != nil {
				return usage("a hold names when it is reviewed: --review TIME")
			}
		}
		if q.Reason, err = d.Reason(a, coordinator.ProgrammeKey, c.Reason); err != nil {
			return err
		}
		if _, err := d.Do(a, by, q); err != nil {
			return err
		}
		a.say("Done.")
		return nil
	})
}

type versionCmd struct{}

func (*versionCmd) Help() string { return "Example:\n  forewarn version --json" }

func (c *versionCmd) Run(a *app) error {
	v := map[string]string{"version": "(devel)", "go": ""}
	if b, ok := debug.ReadBuildInfo(); ok {
		v["go"] = b.GoVersion
		if b.Main.Version != "" {
			v["version"] = b.Main.Version
		}
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				v["commit"] = s.Value
			}
		}
	}
	if a.JSON {
		return a.printJSON(v)
	}
	a.say("forewarn %s %s %s", v["version"], v["commit"], v["go"])
	return nil
}

type sealerCmd struct {
	Dir string `arg:"" help:"The sealer's folder." type:"existingdir"`
}

func (c *sealerCmd) Run(a *app) error {
	return home.ServeSealer(a, c.Dir, home.Machine{}, a.in, a.out)
}
