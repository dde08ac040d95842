// Package home lays a programme out in a folder and says which adapter serves
// which interface. It is the wiring that the command and the simulator share:
// there is no decision in it.
//
//	DIR/forewarn.json   what the programme is called, its public keys, where things are
//	DIR/desk/           log.db anchors/ blobs/ keys/
//	DIR/sealer/         keys/ forms/ waves/ runs/      (may be moved to its own host)
//	DIR/inquiry/        log.db anchors/ keys/ cases/   (may be moved to its own host)
//	DIR.outside/        the last anchors, kept apart so that an older DIR is known as older
package home

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
	"forewarn/internal/sqlite"
)

// The classes of errors that home has of its own.
var (
	// ErrNoProgramme: the folder holds no programme.
	ErrNoProgramme = errors.New("no programme here")
	// ErrBroken: the folder holds a programme of which a part is missing or is not
	// what it should be. Nothing was changed.
	ErrBroken = errors.New("the programme's folder is not whole")
	// ErrVersion: a version of this program that this one doesn't know made it.
	ErrVersion = errors.New("the programme's version is unknown to this program")
	// ErrTaken: something else is where a programme should be made.
	ErrTaken = errors.New("is taken")
)

const configName = "forewarn.json"

// config is DIR/forewarn.json. It holds nothing secret.
type config struct {
	Version  int    `json:"version"`
	Origin   string `json:"origin"`
	Interval int    `json:"interval_seconds"`
	LogKey   string `json:"log_key"` // vkey: publish it
	Outside  string `json:"outside"` // folder

	// Sealer is a Unix socket where the sealer's process is met, as another user of
	// this machine; empty: a child process of whoever needs it. doc/deploy.md.
	Sealer string `json:"sealer,omitempty"`
}

// Home is a programme's folder.
type Home struct {
	Dir     string
	Machine Machine
	config  config
	made    bool // by Create
}

// Machine is what the programme runs on. The zero Machine is this one: its
// clock, its dice, the sealer as a child process, and one more for whatever is read
// that nobody vouches for.
type Machine struct {
	Clock        func() time.Time
	Rand         io.Reader
	SealerInside bool // call the sealer in place instead of as a process, and read in place
}

func (m Machine) filled() Machine {
	if m.Clock == nil {
		m.Clock = time.Now
	}
	if m.Rand == nil {
		m.Rand = rand.Reader
	}
	return m
}

// Founding is what is fixed for ever when a programme is founded.
type Founding struct {
	Origin  string
	Tick    time.Duration // whole seconds
	Outside string        // folder; empty: beside the programme's
	Machine Machine
}

// Create lays out the folder of a new programme and draws its keys. A folder
// that exists must be empty. Nothing is left behind when it fails.
func Create(ctx context.Context, dir string, f Founding) (_ *Home, err error) {
	if f.Tick < time.Second || f.Tick%time.Second != 0 || f.Tick > 24*time.Hour {
		return nil, fmt.Errorf("a tick of %s; it is a whole number of seconds, up to a day", f.Tick)
	}
	switch names, err := os.ReadDir(dir); {
	case err == nil && len(names) > 0:
		return nil, fmt.Errorf("%s %w: it isn't empty; nothing was changed. Name a new folder with --dir", dir, ErrTaken)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s %w: it is no folder that can be used; nothing was changed. Name a new one with --dir", dir, ErrTaken)
	}
	// What is written down must mean the same from any folder.
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if f.Outside != "" {
		if f.Outside, err = filepath.Abs(f.Outside); err != nil {
			return nil, err
		}
	}
	_, before := os.Stat(dir)
	h := &Home{Dir: dir, Machine: f.Machine.filled(), made: before != nil}
	h.config = config{Version: 1, Origin: f.Origin, Interval: int(f.Tick / time.Second), Outside: f.Outside}
	if f.Outside == "" {
		h.config.Outside = filepath.Clean(dir) + ".outside"
	}
	if _, err := os.Stat(filepath.Join(h.config.Outside, deskOutside)); err == nil {
		return nil, fmt.Errorf("%s %w: it holds the last anchor of another programme; nothing was changed. Name another folder with --outside", h.config.Outside, ErrTaken)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.discard())
		}
	}()
	keys, err := folder.OpenPrivate(filepath.Join(dir, "desk", "keys"))
	if err != nil {
		return nil, err
	}
	defer keys.Close()
	skey, vkey, err := note.GenerateKey(h.Machine.Rand, f.Origin)
	if err != nil {
		return nil, err
	}
	h.config.LogKey = vkey
	blinding := make([]byte, 32)
	if _, err := io.ReadFull(h.Machine.Rand, blinding); err != nil {
		return nil, err
	}
	if err := errors.Join(keys.Create("blinding", blinding), keys.Create("log.pub", []byte(vkey)), keys.Create("log", []byte(skey))); err != nil {
		return nil, err
	}
	vault, err := folder.OpenPrivate(filepath.Join(dir, "sealer"))
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	s := sealer.Sealer{Vault: vault, Envelope: seal.Envelope{}, Clock: h.Machine.Clock, Rand: h.Machine.Rand}
	rec, err := s.Recognition(ctx)
	if err != nil {
		return nil, err
	}
	if err := keys.Create("recognition", rec[:]); err != nil {
		return nil, err
	}
	if err := createLog(ctx, filepath.Join(dir, "desk")); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(h.config, "", "  ")
	if err != nil {
		return nil, err
	}
	return h, os.WriteFile(filepath.Join(dir, configName), append(b, '\n'), 0o644)
}

// Discard takes back Create, when what should follow it failed. It is for a
// programme that nobody has used yet.
func (h *Home) Discard() error {
	os.Remove(h.OutsideFile())
	os.Remove(h.config.Outside) // if it is empty
	return h.discard()
}

func (h *Home) discard() (err error) {
	for _, name := range []string{"desk", "sealer", configName} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(h.Dir, name)))
	}
	if h.made {
		os.Remove(h.Dir)
	}
	return err
}

// Open finds the programme of a folder.
func Open(dir string) (*Home, error) { return OpenOn(dir, Machine{}) }

// OpenOn is Open on another machine than this.
func OpenOn(dir string, m Machine) (*Home, error) {
	h := &Home{Dir: dir, Machine: m.filled()}
	b, err := os.ReadFile(filepath.Join(dir, configName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no %s", ErrNoProgramme, dir, configName)
	}
	if i, e := os.Stat(dir); e == nil && !i.IsDir() {
		return nil, fmt.Errorf("%w: %s is a file", ErrNoProgramme, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBroken, filepath.Join(dir, configName), err)
	}
	h.config, err = parse(filepath.Join(dir, configName), b)
	return h, err
}

// parse reads a programme's constants.
func parse(name string, b []byte) (c config, err error) {
	switch err := json.Unmarshal(b, &c); {
	case err != nil:
		return c, fmt.Errorf("%w: %s: %w", ErrBroken, name, err)
	case c.Version != 1:
		return c, fmt.Errorf("%w: %s says %d", ErrVersion, name, c.Version)
	case c.Interval < 1 || c.Outside == "":
		return c, fmt.Errorf("%w: %s names no interval, or no folder outside", ErrBroken, name)
	}
	return c, nil
}

// LogKey is the vkey that verifies the programme's log.
func (h *Home) LogKey() string { return h.config.LogKey }

// Origin is the log's name.
func (h *Home) Origin() string { return h.config.Origin }

// Interval is the time between anchors.
func (h *Home) Interval() time.Duration { return time.Duration(h.config.Interval) * time.Second }

const (
	deskOutside    = "desk.checkpoint"
	inquiryOutside = "inquiry.checkpoint"
)

// OutsideFile is where the desk's last anchor is kept apart.
func (h *Home) OutsideFile() string { return filepath.Join(h.config.Outside, deskOutside) }

// closers are closed in the reverse of the order in which they were opened.
type closers []io.Closer

func (c *closers) add(x io.Closer) { *c = append(*c, x) }

func (c closers) Close() (err error) {
	for i := len(c) - 1; i >= 0; i-- {
		err = errors.Join(err, c[i].Close())
	}
	return err
}

// logFolder is one log's adapters.
type logFolder struct {
	store     *sqlite.Store
	publisher folder.Publisher
	outside   folder.Outside
	keys      folder.Private
	opt       ledger.Options
}

// logIn opens the adapters of the log in a domain's folder.
func (h *Home) logIn(ctx context.Context, domain, outside string, interval time.Duration, open *closers) (f logFolder, err error) {
	dir := filepath.Join(h.Dir, domain)
	defer func() { err = broken(err) }()
	if f.keys, err = folder.OpenPrivate(filepath.Join(dir, "keys")); err != nil {
		return f, err
	}
	open.add(f.keys)
	if f.opt, err = LogOptions(f.keys, interval); err != nil {
		return f, err
	}
	if f.publisher, err = folder.OpenPublisher(filepath.Join(dir, "anchors")); err != nil {
		return f, err
	}
	open.add(f.publisher)
	if f.outside, err = folder.OpenOutside(filepath.Join(h.config.Outside, outside)); err != nil {
		return f, err
	}
	open.add(f.outside)
	if f.store, err = sqlite.Open(ctx, filepath.Join(dir, "log.db")); err != nil {
		return f, err
	}
	open.add(f.store)
	return f, nil
}

// broken tells what is missing or foreign in a programme's folder from what else
// goes wrong.
func broken(err error) error {
	for _, class := range []error{fs.ErrNotExist, errKey, sqlite.ErrForeign} {
		if errors.Is(err, class) {
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	if errors.Is(err, sqlite.ErrNewer) {
		return fmt.Errorf("%w: %w", ErrVersion, err)
	}
	return err
}

// createLog makes a domain's empty log.
func createLog(ctx context.Context, dir string) error {
	s, err := sqlite.Create(ctx, filepath.Join(dir, "log.db"))
	if err != nil {
		return err
	}
	return s.Close()
}

// errKey: a key's file does not hold such a key.
var errKey = errors.New("that is no such key")

// LogOptions makes a log's constants of its keys, wherever these lie.
func LogOptions(keys coordinator.KeyReader, interval time.Duration) (o ledger.Options, err error) {
	skey, err := keys.Read("log")
	if err != nil {
		return o, fmt.Errorf("the log's signing key: %w", err)
	}
	if o.Signer, err = note.NewSigner(string(skey)); err != nil {
		return o, fmt.Errorf("the log's signing key: %w: %w", errKey, err)
	}
	vkey, err := keys.Read("log.pub")
	if err != nil {
		return o, fmt.Errorf("the log's public key: %w", err)
	}
	if o.Verifier, err = note.NewVerifier(string(vkey)); err != nil {
		return o, fmt.Errorf("the log's public key: %w: %w", errKey, err)
	}
	blinding, err := keys.Read("blinding")
	if err != nil {
		return o, fmt.Errorf("the log's blinding key: %w", err)
	}
	if len(blinding) != 32 {
		return o, fmt.Errorf("the log's blinding key: %w: %d bytes", errKey, len(blinding))
	}
	o.Origin, o.Interval, o.Blinding = o.Signer.Name(), interval, entrylog.Blinding(blinding)
	return o, nil
}

// Desk is the open desk of a programme.
type Desk struct {
	*coordinator.Desk
	open  closers
	store *sqlite.Store
}

// Say tells those who find the log held what its holder does.
func (d *Desk) Say(ctx context.Context, text string) error { return d.store.Say(ctx, text) }

// Close ends the desk's writing.
func (d *Desk) Close() error { return errors.Join(d.Desk.Close(), d.open.Close()) }

// Desk opens the desk: one process at a time.
func (h *Home) Desk(ctx context.Context) (_ *Desk, err error) {
	d := &Desk{}
	defer func() {
		if err != nil {
			d.open.Close()
		}
	}()
	f, err := h.logIn(ctx, "desk", deskOutside, h.Interval(), &d.open)
	if err != nil {
		return nil, err
	}
	d.store = f.store
	blobs, err := folder.OpenBlobs(filepath.Join(h.Dir, "desk", "blobs"))
	if err != nil {
		return nil, err
	}
	d.open.add(blobs)
	s, err := h.Sealer(&d.open)
	if err != nil {
		return nil, err
	}
	d.Desk, err = coordinator.Open(ctx, coordinator.Config{
		Store: f.store, Publisher: f.publisher, Outside: f.outside, Log: f.opt, Key: h.config.LogKey,
		Sealer: s, Blobs: blobs, Keys: f.keys, Crypt: seal.Crypt{},
		Clock: h.Machine.Clock, Rand: h.Machine.Rand, Apart: h.Machine.Apart(),
	})
	return d, err
}

// Recognition is the desk's copy of the key that tokens are recognised with.
func (h *Home) Recognition() (k [16]byte, err error) {
	keys, err := folder.OpenPrivate(filepath.Join(h.Dir, "desk", "keys"))
	if err != nil {
		return k, err
	}
	defer keys.Close()
	b, err := keys.Read("recognition")
	if err != nil || len(b) != 16 {
		return k, fmt.Errorf("%w: the token recognition key: %w", ErrBroken, cmp.Or(err, errKey))
	}
	return [16]byte(b), nil
}
