package keep

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/sqlite"
)

// Restored is what Restore made.
type Restored struct {
	Home     *home.Home
	Checks   []Check
	Last     time.Time // of the newest entry
	Shredded []string  // keys that were put aside and are destroyed by the log: they were not written
}

// Choices are what whoever restores says themself.
type Choices struct {
	Outside  string // the folder where the last anchor is kept from now on; empty: where it was
	Unsigned bool   // they looked at the forewarn.json of a backup that nobody signed, and believe it
}

func sealerAt(h *home.Home) string {
	if s := h.SealerSocket(); s != "" {
		return fmt.Sprintf("meets the sealer at %q", s)
	}
	return "has the sealer as a process of its own"
}

// Restore makes a programme's folder of a backup and of keys that were kept apart.
// It is built beside its place, examined there as a whole, and gets its name last: a
// folder that is there is well. Restore writes nothing where the last anchor is kept. So
// an older folder meets the checkpoint that knows better, and does not open.
//
// Errors: ErrTaken when there is something at dir, ErrUnsigned, ErrBroken with the checks
// when the examination found something broken; nothing is left then.
func Restore(ctx context.Context, backup string, k *Kept, dir string, say Choices, x Exam) (out Restored, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return out, err
	}
	if _, err := os.Lstat(dir); err == nil {
		return out, fmt.Errorf("%q %w: name a new folder with --dir", dir, ErrTaken)
	}
	m, err := LoadManifest(backup)
	if err != nil {
		return out, err
	}
	h, err := m.Home()
	if err != nil {
		return out, err
	}
	if m.Signed == "" && !say.Unsigned {
		return out, fmt.Errorf("%w: an earlier version made it, or somebody took the signature away. It keeps the last anchor in %q and %s", ErrUnsigned, h.Outside(), sealerAt(h))
	}
	outside := say.Outside
	if outside != "" {
		if outside, err = filepath.Abs(outside); err != nil {
			return out, err
		}
	}
	if _, ok := k.Of[OfDesk]; !ok {
		return out, fmt.Errorf("%w: the desk's are not among them, and without them nothing can be verified or opened", ErrKeys)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return out, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".restoring-")
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	w := writer{ctx: ctx, dir: temp, progress: x.Progress}
	if err := w.backup(backup, m); err != nil {
		return out, err
	}
	config, err := h.Config(outside)
	if err != nil {
		return out, err
	}
	if err := w.write(home.ConfigName, config, 0o644); err != nil {
		return out, err
	}
	// What the log says is destroyed does not reach the disk again.
	state, gone, err := destroyedBy(ctx, filepath.Join(temp, "desk", "log.db"))
	if err != nil {
		return out, err
	}
	if out.Last = state.Last; uint64(state.Next) != m.Entries {
		return out, fmt.Errorf("%w: its manifest says %d entries, and its log has %d", ErrNoBackup, m.Entries, state.Next)
	}
	for _, name := range slices.Sorted(maps.Keys(k.files)) {
		if key, ok := strings.CutPrefix(name, "desk/keys/"); ok && slices.Contains(gone, key) {
			out.Shredded = append(out.Shredded, key)
			continue
		}
		if err := w.write(name, k.files[name], 0o600); err != nil {
			return out, err
		}
	}
	if err := w.sync(); err != nil {
		return out, err
	}
	if out.Home, err = home.OpenOn(temp, h.Machine); err != nil {
		return out, err
	}
	p, err := OpenFolder(ctx, out.Home)
	if err != nil {
		return out, err
	}
	out.Checks, err = Examine(ctx, p, x)
	if err = errors.Join(err, p.Close()); err != nil {
		return out, err
	}
	for _, c := range out.Checks {
		// That it is older than what was signed is what a backup is: the desk refuses
		// it until that is declared. It is no reason not to have it.
		if c.Grade == Broken && c.Name != "outside checkpoint" {
			return out, fmt.Errorf("%w: %s: %s. Nothing was left at %q", ErrBroken, c.Name, c.Says, dir)
		}
	}
	if err := os.Rename(temp, dir); err != nil {
		return out, err
	}
	if err := syncFolder(filepath.Dir(dir)); err != nil {
		return out, err
	}
	out.Home, err = home.OpenOn(dir, h.Machine)
	return out, err
}

// destroyedBy is what a log comes to, and the keys that it says are destroyed.
func destroyedBy(ctx context.Context, log string) (p *cvd.Programme, names []string, err error) {
	s, err := sqlite.OpenReadOnly(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	p = cvd.New()
	err = s.Read(ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
		e, err := entrylog.ParseEntry(r.Entry)
		if err == nil {
			err = p.Apply(seq, e)
		}
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ledger.ErrDamaged, seq, err)
		}
		names = append(names, coordinator.Destroyed(p, e)...)
		return nil
	})
	return p, names, err
}

// writer writes a new folder that nobody sees yet; it is durable after sync.
type writer struct {
	ctx      context.Context
	dir      string
	progress Progress
	made     map[string]bool // folders
}

func (w *writer) create(name string, mode fs.FileMode) (*os.File, error) {
	to := filepath.Join(w.dir, filepath.FromSlash(name))
	if w.made == nil {
		w.made = map[string]bool{}
	}
	if dir := filepath.Dir(to); !w.made[dir] {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		w.made[dir] = true
	}
	return os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}

func (w *writer) write(name string, data []byte, mode fs.FileMode) error {
	f, err := w.create(name, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// backup copies a backup's files, each compared with the manifest as it is read.
func (w *writer) backup(from string, m *Manifest) error {
	root, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, f := range m.Files {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		name, mode := f.Path, fs.FileMode(0o600)
		if name == m.Log {
			name = "desk/log.db"
		}
		if strings.HasPrefix(name, "desk/anchors/") {
			mode = 0o644
		}
		to, err := w.create(name, mode)
		if err != nil {
			return err
		}
		b := bufio.NewWriterSize(to, 1<<16)
		err = f.check(root, b)
		if err = errors.Join(err, b.Flush(), to.Sync(), to.Close()); err != nil {
			return err
		}
		w.progress("files", i+1, len(m.Files))
	}
	for path, text := range m.Checkpoints {
		if !ofBackup("desk/anchors/"+path, m.Log) {
			return fmt.Errorf("%w: its manifest names the checkpoint %q", ErrNoBackup, path)
		}
		if err := w.write("desk/anchors/"+path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// sync makes the folders durable, the deepest first.
func (w *writer) sync() error {
	all := map[string]bool{}
	for dir := range w.made {
		for ; len(dir) >= len(w.dir); dir = filepath.Dir(dir) {
			all[dir] = true
		}
	}
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(all))) {
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	return nil
}
