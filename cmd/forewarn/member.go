package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"

	"golang.org/x/mod/sumdb/note"
)

type keygenCmd struct {
	Out string `help:"File for the secret keys; the public ones go beside it, with .pub added." short:"o" required:"" placeholder:"FILE" type:"path"`
	PQ  bool   `help:"Hybrid post-quantum keys: ML-KEM-768 with X25519." name:"pq"`
}

func (*keygenCmd) Help() string {
	return `Makes an age identity for opening copies and an Ed25519 key for signing receipts. Keep the first file; send the .pub file to the programme. Existing SSH keys work too: put the public key beside a forewarn-sign- line.

Example:
  forewarn keygen -o mia.key`
}

func (c *keygenCmd) Run(a *app) error {
	kind := seal.X25519
	if c.PQ {
		kind = seal.Hybrid
	}
	now := time.Now()
	k, err := seal.Keygen(kind, now)
	if err != nil {
		return err
	}
	pub, err := k.Public()
	if err != nil {
		return err
	}
	if err := create(c.Out, k.Identity, 0o600); err != nil {
		return err
	}
	if err := create(c.Out+".pub", pub.Text(now), 0o644); err != nil {
		os.Remove(c.Out)
		return err
	}
	if a.JSON {
		return a.printJSON(map[string]any{"secret": c.Out, "public": c.Out + ".pub", "recipient": k.Recipient, "receipts": k.Verify})
	}
	a.say("Wrote %s (keep it secret) and %s.pub (send it to the programme).", c.Out, c.Out)
	return nil
}

// create writes a new file durably, and never over one that is there.
func create(name string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists; nothing was written over it", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(name)
	}
	return err
}

type pullCmd struct {
	Wave string `arg:"" optional:"" help:"Only this wave; else every open one."`
	Out  string `help:"Folder for the sealed files." short:"o" default:"." placeholder:"DIR" type:"path"`
	Wait bool   `help:"Wait for a wave that opens, or is anchored, within ten minutes."`
}

func (*pullCmd) Help() string {
	return `Each copy arrives as WAVE.age, an age file, with WAVE.proof beside it. That you fetched it is recorded before a byte is written.

Example:
  forewarn pull --as mia -o inbox --wait`
}

// pulled is one wave's result.
type pulled struct {
	Wave   string `json:"wave"`
	Sealed string `json:"sealed,omitempty"`
	Bulk   string `json:"bulk,omitempty"`
	Proof  string `json:"proof,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (c *pullCmd) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		var waves []cvd.WaveID
		if c.Wave != "" {
			id, err := d.Wave(a, by, c.Wave)
			if err != nil {
				return err
			}
			waves = append(waves, id)
		}
		holder, inbox, err := d.Inbox(by)
		if err != nil {
			return err
		}
		for _, w := range inbox {
			if c.Wave == "" && w.Why == "" {
				waves = append(waves, w.Wave)
			}
		}
		if err := os.MkdirAll(c.Out, 0o700); err != nil {
			return err
		}
		var out []pulled
		var failed error
		for _, id := range waves {
			p, err := c.pull(a, d, by, id, holder)
			if err != nil {
				p.Error = err.Error()
				failed = errors.Join(failed, err)
			}
			out = append(out, p)
		}
		if a.JSON {
			return errors.Join(a.printJSON(out), failed)
		}
		if len(waves) == 0 {
			a.say("Nothing is waiting for you.")
		}
		for _, p := range out {
			if p.Error == "" {
				a.say("Fetched %s", p.Sealed)
				a.say("  open it: forewarn open %s --key YOUR.key", p.Sealed)
			}
		}
		return failed
	})
}

const longestWait = 10 * time.Minute

func (c *pullCmd) pull(a *app, d *coordinator.Desk, by cvd.Actor, id cvd.WaveID, holder cvd.HolderID) (pulled, error) {
	p := pulled{Wave: id.String()}
	begun := time.Now()
	for {
		del, err := d.Fetch(a, by, id, holder)
		if due, later := c.later(d, id, err); c.Wait && later && due.Sub(begun) <= longestWait {
			a.note("Wave %s can be fetched %s; waiting.", id.Short(), in(due, time.Now()))
			if err := sleepUntil(a, due); err != nil {
				return p, err
			}
			if err := d.Log().Tick(a); err != nil {
				return p, err
			}
			continue
		}
		if err != nil {
			return p, err
		}
		base := filepath.Join(c.Out, id.Short())
		for _, f := range []struct {
			name string
			data []byte
			said *string
		}{{base + ".age", del.Sealed, &p.Sealed}, {base + ".bulk.age", del.Bulk, &p.Bulk}, {base + ".proof", del.Proof.Marshal(), &p.Proof}} {
			if len(f.data) == 0 {
				continue
			}
			if err := replace(f.name, f.data); err != nil {
				return p, err
			}
			*f.said = f.name
		}
		return p, nil
	}
}

// later says when a fetch that was refused for its time can be tried again.
func (c *pullCmd) later(d *coordinator.Desk, id cvd.WaveID, err error) (time.Time, bool) {
	var due *ledger.NotAnchoredError
	if errors.As(err, &due) {
		return due.DueAt, true
	}
	if err == nil {
		return time.Time{}, false
	}
	var opens time.Time
	d.View(func(p *cvd.Programme) error {
		if w, ok := p.Waves[id]; ok && d.Clock().Before(w.OpensAt) && w.Sealed != nil {
			opens = w.OpensAt
		}
		return nil
	})
	return opens, !opens.IsZero() || errors.Is(err, sealer.ErrNotYet)
}

func sleepUntil(a *app, t time.Time) error {
	select {
	case <-a.Done():
		return a.Err()
	case <-time.After(time.Until(t) + 50*time.Millisecond):
		return nil
	}
}

// replace writes a file whole, over what an earlier pull left.
func replace(name string, data []byte) error {
	tmp := name + ".part"
	os.Remove(tmp)
	if err := create(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

type openCmd struct {
	File  string        `arg:"" help:"The sealed copy (WAVE.age); its proof is WAVE.proof beside it." type:"existingfile"`
	Key   string        `help:"Your keys: the file that keygen made, or an SSH key." required:"" placeholder:"FILE" type:"existingfile"`
	Out   string        `help:"A new folder for the content." short:"o" placeholder:"DIR" type:"path"`
	Proof string        `help:"The proof, if it is elsewhere." placeholder:"FILE" type:"existingfile"`
	Log   string        `help:"The programme's log key (vkey). Taken from the programme's folder if that is here." name:"log-key" placeholder:"VKEY"`
	Tick  time.Duration `help:"Time between the log's anchors." default:"60s"`
	Lodge bool          `help:"Lodge the receipt in the programme's folder at once; needs --as."`
}

func (*openCmd) Help() string {
	return `Decrypts the copy, checks that it was committed to in the log before it was sent, writes its files to a new folder, and signs a receipt beside the sealed file. Nothing is written if the proof doesn't hold.

Example:
  forewarn open inbox/5k2q7r3m.age --key mia.key -o larkspur --lodge --as mia`
}

func (c *openCmd) Run(a *app) error {
	stem := c.File[:len(c.File)-len(filepath.Ext(c.File))]
	if c.Proof == "" {
		c.Proof = stem + ".proof"
	}
	if c.Out == "" {
		c.Out = stem
	}
	text, err := folder.ReadFile(c.Key, 1<<20)
	if err != nil {
		return err
	}
	ids, err := seal.ParseIdentities(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Key, err)
	}
	b, err := folder.ReadFile(c.Proof, 64<<20)
	if err != nil {
		return fmt.Errorf("the copy's proof: %w", err)
	}
	proof, err := evidence.ParseCopyProof(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Proof, err)
	}
	v, interval, err := a.logKey(c.Log, c.Tick)
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	files, err := seal.OpenCopy(f, ids, seal.DefaultLimits)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	files, bulkKey := seal.TakeBulkKey(files)
	wave, err := proof.Verify(v, interval)
	if err != nil {
		return fmt.Errorf("%s: %w; nothing was written", c.Proof, err)
	}
	if form.CopyHash(files) != proof.Copy {
		return fmt.Errorf("%s: %w: these files are not the copy that was committed to; nothing was written, keep both files and tell the programme", c.File, evidence.ErrNotVerified)
	}
	if bulkKey != "" {
		if files, err = a.withBulk(files, stem+".bulk.age", bulkKey); err != nil {
			return err
		}
	}
	if err := folder.WriteNew(c.Out, files); err != nil {
		return err
	}
	done := map[string]any{"files": len(files), "out": c.Out, "level": wave.Level.String(), "wave": wave.Wave.String(), "anchored": proof.Entry.Anchor.Tick.Instant(interval)}
	a.say("Opened %d files into %s: %s, committed to before %s.", len(files), c.Out, wave.Level, when(proof.Entry.Anchor.Tick.Instant(interval)))
	if key, ok := ids.SigningKey(); ok {
		r, err := evidence.SignReceipt(key.Private(), proof, v, interval)
		if err != nil {
			return err
		}
		if err := replace(stem+".receipt", r.Marshal()); err != nil {
			return err
		}
		done["receipt"] = stem + ".receipt"
		if c.Lodge {
			if err := a.lodge(r); err != nil {
				return err
			}
			done["lodged"] = true
			a.say("Signed and lodged a receipt.")
		} else {
			a.say("Signed a receipt. Lodge it: forewarn receipt %s --as YOU", stem+".receipt")
		}
	} else {
		a.say("No receipt was signed: %s has no signing key ('forewarn keygen' makes one).", c.Key)
	}
	if a.JSON {
		return a.printJSON(done)
	}
	return nil
}

// withBulk adds the files that all copies share.
func (a *app) withBulk(files []form.Output, name, key string) ([]form.Output, error) {
	b, err := folder.ReadFile(name, 1<<30)
	if err != nil {
		return nil, fmt.Errorf("the part that all copies share: %w", err)
	}
	more, err := seal.OpenBulk(b, key, seal.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return append(files, more...), nil
}

// logKey is the key given, or the programme's own.
func (a *app) logKey(said string, interval time.Duration) (note.Verifier, time.Duration, error) {
	if said == "" {
		h, err := home.Open(a.folder())
		if err != nil {
			return nil, 0, usage("give the programme's log key with --log-key, as it publishes it, or its folder with --dir")
		}
		said, interval = h.LogKey(), h.Interval()
	}
	v, err := note.NewVerifier(said)
	if err != nil {
		return nil, 0, usage("%q is not a log key: it looks like forewarn.invalid/name+0123abcd+A…", said)
	}
	return v, interval, nil
}

type receiptCmd struct {
	File string `arg:"" help:"The receipt that 'open' signed." type:"existingfile"`
}

func (*receiptCmd) Help() string {
	return "Example:\n  forewarn receipt inbox/5k2q7r3m.receipt --as mia"
}

func (c *receiptCmd) Run(a *app) error {
	b, err := folder.ReadFile(c.File, 1<<20)
	if err != nil {
		return err
	}
	r, err := evidence.ParseReceipt(b)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if err := a.lodge(r); err != nil {
		return err
	}
	a.say("Lodged the receipt.")
	return nil
}

func (a *app) lodge(r *evidence.Receipt) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		holder, _, err := d.Inbox(by)
		if err != nil {
			return err
		}
		_, err = d.LodgeReceipt(a, by, holder, r)
		return err
	})
}

type answerCmd struct {
	Case    string `arg:"" help:"Title or id."`
	Product string `arg:"" help:"Name or id."`
	State   string `arg:"" help:"not-affected, investigating, affected, in-progress, ready or shipped." enum:"not-affected,investigating,affected,in-progress,ready,shipped"`
	Note    string `help:"Versions, a reference, words; encrypted under the case's key."`
}

func (*answerCmd) Help() string {
	return "Example:\n  forewarn answer Layout \"Larkspur Portal\" ready --note \"signature 2231\" --as mia"
}

var answers = map[string]cvd.AnswerState{"not-affected": cvd.NotAffected, "investigating": cvd.Investigating, "affected": cvd.Affected, "in-progress": cvd.InProgress, "ready": cvd.Ready, "shipped": cvd.Shipped}

func (c *answerCmd) Run(a *app) error {
	return a.withCase(c.Case, func(d *coordinator.Desk, by cvd.Actor, id cvd.CaseID) error {
		product, err := d.Product(a, by, id, c.Product)
		if err != nil {
			return err
		}
		if err := d.Answer(a, by, id, product, answers[c.State], c.Note); err != nil {
			return err
		}
		a.say("Answered: %s.", answers[c.State])
		return nil
	})
}
