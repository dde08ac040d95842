package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/seal"
)

type openCmd struct {
	File  string        `arg:"" help:"The sealed copy (WAVE.age); its proof is WAVE.proof beside it."`
	Key   string        `help:"Your keys: the file that keygen made, or an SSH key." required:"" placeholder:"FILE"`
	Out   string        `help:"A new folder for the content; else WAVE beside the sealed copy." short:"o" placeholder:"DIR"`
	Proof string        `help:"The proof, if it is elsewhere." placeholder:"FILE"`
	Log   vkey          `help:"The programme's log key (vkey). Taken from the programme's folder if that is here." name:"log-key" placeholder:"VKEY"`
	Tick  time.Duration `help:"Time between the log's anchors. Taken from the programme's folder if that is here." default:"60s"`
	Lodge bool          `help:"Lodge the receipt at once: in the programme's folder, as --as, or with the desk at --server."`
	remote
	following
}

func (*openCmd) Help() string {
	return `Decrypts the copy, checks that it was committed to in the log before it was sent, writes its files to a new folder, and signs a receipt beside the sealed file. Nothing is written if the proof doesn't hold, or if the log
doesn't continue what you saw of it before.

Example:
  forewarn open inbox/5k2q7r3m.age --key mia.key -o larkspur --lodge --as mia`
}

const (
	maxKey    = 1 << 20
	maxProof  = 64 << 20
	maxSealed = 1 << 30 // also of what all copies share
)

func (c *openCmd) Run(a *app) error {
	stem := strings.TrimSuffix(c.File, filepath.Ext(c.File))
	if c.Proof == "" {
		c.Proof = stem + ".proof"
	}
	if c.Out == "" {
		c.Out = stem
	}
	if c.Lodge && a.As == "" && c.Server == "" {
		return usage("--lodge needs --as ACCOUNT: whose receipt it is; or --server URL")
	}
	if _, err := os.Lstat(c.Out); err == nil {
		return fmt.Errorf("%w; -o names another", exists(c.Out))
	}
	if _, err := os.Lstat(c.File); errors.Is(err, fs.ErrNotExist) { // nor will its proof be there, which nobody named
		return fmt.Errorf("%w: %q: %w", errInput, c.File, fs.ErrNotExist)
	}
	ids, err := a.identities(c.Key)
	if err != nil {
		return err
	}
	proof, err := a.proof(c.Proof)
	if err != nil {
		return err
	}
	v, interval, err := a.logKey(c.Log, c.Tick)
	if err != nil {
		return err
	}
	files, err := c.decrypt(a, stem, ids, proof)
	if err != nil {
		return err
	}
	wave, err := holds(proof, v, interval)
	if err != nil {
		return fmt.Errorf("%w: %q: %w; nothing was written", errUnverified, c.Proof, err)
	}
	if c.Server != "" && c.Anchors == "" {
		c.Anchors = anchorsOf(c.Server)
	}
	if err := c.follow(a, v, proof.Entry.Checkpoint); err != nil {
		return fmt.Errorf("%q: %w; nothing was written", c.Proof, err)
	}
	var receipt *evidence.Receipt
	if key, ok := ids.SigningKey(); ok {
		if receipt, err = evidence.SignReceipt(key.Private(), proof, v, interval); err != nil {
			return err
		}
	}
	if err := folder.WriteNew(c.Out, files); err != nil {
		return err
	}
	at := proof.Entry.Anchor.Tick.Instant(interval)
	a.say("Opened %s into %s: %s, committed to before %s.", count(len(files), "file", "files"), c.Out, wave.Level, when(at))
	result := fields{"files": len(files), "out": c.Out, "level": wave.Level, "wave": cvd.WaveID(wave.Wave), "anchored": at, "lodged": false}
	if err := c.receipt(a, stem, receipt, result); err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(result)
	}
	return nil
}

// receipt keeps the receipt beside the copy, and lodges it where asked to.
func (c *openCmd) receipt(a *app, stem string, r *evidence.Receipt, result fields) error {
	if r == nil {
		a.say("No receipt was signed: %s has no signing key ('forewarn keygen' makes one).", c.Key)
		return nil
	}
	name := stem + ".receipt"
	if err := replace(name, r.Marshal()); err != nil {
		return fmt.Errorf("%w: the content is in %s, and the receipt could not be written: %w", errKept, c.Out, err)
	}
	result["receipt"] = name
	if !c.Lodge {
		a.say("Signed a receipt. Lodge it: forewarn receipt %s --as YOU", shown(name))
		return nil
	}
	lodge := func() (cvd.WaveID, error) { return a.lodge(r) }
	if c.Server != "" {
		lodge = func() (cvd.WaveID, error) { return c.remote.lodge(a, r.Marshal()) }
	}
	if _, err := lodge(); err != nil {
		return fmt.Errorf("%w: the content is in %s and the receipt in %s, which was not lodged: %w; 'forewarn receipt' lodges it", errKept, c.Out, name, err)
	}
	result["lodged"] = true
	a.say("Signed and lodged a receipt.")
	return nil
}

func (a *app) identities(name string) (seal.Identities, error) {
	text, err := a.read(name, maxKey)
	if err != nil {
		return seal.Identities{}, err
	}
	ids, err := seal.ParseIdentities(text)
	if err != nil {
		err = fmt.Errorf("%w: %q: %w", errInput, name, err)
	}
	return ids, err
}

func (a *app) proof(name string) (*evidence.CopyProof, error) {
	b, err := a.read(name, maxProof)
	if err != nil {
		return nil, err
	}
	p, err := evidence.ParseCopyProof(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", errInput, name, err)
	}
	return p, nil
}

// decrypt gives the copy's files, when they are what the proof speaks of.
func (c *openCmd) decrypt(a *app, stem string, ids seal.Identities, proof *evidence.CopyProof) ([]form.Output, error) {
	sealed, err := a.read(c.File, maxSealed)
	if err != nil {
		return nil, err
	}
	files, err := seal.OpenCopy(bytes.NewReader(sealed), ids, seal.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w; nothing was written", errInput, c.File, err)
	}
	files, bulkKey := seal.TakeBulkKey(files)
	if form.CopyHash(files) != proof.Copy {
		return nil, fmt.Errorf("%w: %q and %q don't belong together: these files are not the copy that was committed to; nothing was written. Keep both and tell the programme", errUnverified, c.File, c.Proof)
	}
	if bulkKey == "" {
		return files, nil
	}
	b, err := a.read(stem+".bulk.age", maxSealed)
	if err != nil {
		return nil, fmt.Errorf("the part that all copies share: %w", err)
	}
	more, err := seal.OpenBulk(b, bulkKey, seal.DefaultLimits)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w; nothing was written", errInput, stem+".bulk.age", err)
	}
	return append(files, more...), nil
}

// errTick: a log's proof holds with another time between its anchors.
var errTick = errors.New("another --tick")

// holds verifies a copy's proof. Whoever has the log's key and not the time between
// its anchors is told what that must be.
func holds(p *evidence.CopyProof, v note.Verifier, interval time.Duration) (evidence.WaveStatement, error) {
	w, err := p.Verify(v, interval)
	if err == nil {
		return w, nil
	}
	if fits := tickOf(p); fits > 0 {
		if _, again := p.Verify(v, fits); again == nil {
			return w, fmt.Errorf("%w: the log's anchors are %s apart, not %s: give --tick %s", errTick, fits, interval, fits)
		}
	}
	return w, err
}

// tickOf is the time between a log's anchors as a proof from it has it, checked
// against nothing; zero when it doesn't tell.
func tickOf(p *evidence.CopyProof) time.Duration {
	tick := int64(p.Entry.Anchor.Tick)
	e, err := entrylog.ParseEntry(p.Entry.Record.Entry)
	if err != nil || tick <= 0 {
		return 0
	}
	return time.Duration(e.Time.Unix()/tick+1) * time.Second
}

// usualTick is the time between anchors of a log that says nothing else.
const usualTick = time.Minute

// vkey is a log's key as a flag. Given and empty it is refused: that is a shell's
// variable that isn't set, and to go on would check nothing.
type vkey string

// UnmarshalText takes what the command line says.
func (v *vkey) UnmarshalText(b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return errors.New("it is empty: is the variable set?")
	}
	*v = vkey(b)
	return nil
}

// logKey is the key given, or the programme's own, with the time between its
// anchors.
func (a *app) logKey(key vkey, interval time.Duration) (note.Verifier, time.Duration, error) {
	said := string(key)
	h, err := home.Open(a.folder())
	switch {
	case said == "" && err != nil:
		return nil, 0, usage("give the programme's log key with --log-key, as it publishes it, or its folder with --dir")
	case said == "":
		said, interval = h.LogKey(), h.Interval()
	case err == nil && said == h.LogKey():
		interval = h.Interval()
	}
	v, err := note.NewVerifier(said)
	if err != nil {
		return nil, 0, usage("%q is not a log key: it looks like forewarn.invalid/name+0123abcd+A…", said)
	}
	if interval < time.Second {
		return nil, 0, usage("a tick is at least a second")
	}
	return v, interval, nil
}

type receiptCmd struct {
	File string `arg:"" help:"The receipt that 'open' signed."`
	remote
}

func (*receiptCmd) Help() string {
	return "Example:\n  forewarn receipt inbox/5k2q7r3m.receipt --as mia\n  forewarn receipt inbox/5k2q7r3m.receipt --server https://desk.example --token-file mia.token"
}

func (c *receiptCmd) Run(a *app) error {
	b, err := a.read(c.File, 1<<20)
	if err != nil {
		return err
	}
	r, err := evidence.ParseReceipt(b)
	if err != nil {
		return fmt.Errorf("%w: %q: %w", errInput, c.File, err)
	}
	var wave cvd.WaveID
	if c.Server != "" {
		wave, err = c.lodge(a, r.Marshal())
	} else {
		wave, err = a.lodge(r)
	}
	if err != nil {
		return err
	}
	return a.done(fields{"wave": wave, "lodged": true}, "Lodged the receipt for wave %s.", wave.Short())
}

func (a *app) lodge(r *evidence.Receipt) (wave cvd.WaveID, err error) {
	err = a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		holder, _, err := d.Inbox(by)
		if err != nil {
			return err
		}
		wave, err = d.LodgeReceipt(a, by, holder, r)
		if errors.Is(err, evidence.ErrNotVerified) {
			return fmt.Errorf("%w: %w; nothing was recorded", errUnverified, err)
		}
		return err
	})
	return wave, err
}
