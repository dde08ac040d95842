package keep_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/keep"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
)

// A backup taken while the desk is written to, with keys kept apart, reopens every
// case; and a folder made of the two is the programme, state for state.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest := filepath.Join(t.TempDir(), "b")
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				ended <- nil
				return
			default:
				if _, err := w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "written meanwhile"}); err != nil {
					ended <- err
					return
				}
			}
		}
	}()
	first := w.backup(dest)
	second := w.backup(dest)
	close(stop)
	ok(t, <-ended)
	if first.Entries == 0 || first.Blobs == 0 || second.Entries < first.Entries {
		t.Errorf("the backups: %+v, %+v", first, second)
	}
	w.tick()
	third := w.backup(dest)
	fourth := w.backup(dest)
	if fourth.Copied > 1 || fourth.Entries != third.Entries || fourth.Blobs != third.Blobs {
		t.Errorf("with nothing new it copied %+v after %+v", fourth, third)
	}
	logs, _ := filepath.Glob(filepath.Join(dest, "desk", "log-*"))
	if len(logs) != 1 {
		t.Errorf("logs in the backup: %v", logs)
	}
	// No key is in it.
	ok(t, filepath.WalkDir(filepath.Join(w.dir, "desk", "keys"), func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "log.pub" {
			return err
		}
		key, err := os.ReadFile(p)
		if hits := grep(t, dest, bytes.TrimSpace(key)); len(hits) > 0 {
			t.Errorf("the key %s is in %v", p, hits)
		}
		return err
	}))

	desk, vault := w.sealed(keep.OfDesk), w.sealed(keep.OfSealer)
	if bytes.Contains(desk, []byte("AGE-SECRET-KEY")) {
		t.Error("the file of keys holds a key in the clear")
	}
	if got := grades(w.examineBackup(dest, w.kept(desk, vault))); !slices.Equal(got, []string{"outside checkpoint warn"}) {
		t.Errorf("a whole backup: %q", got) // on the same device
	}
	if got := grades(w.examineBackup(dest, w.kept(desk))); !slices.Contains(got, "sealer warn") {
		t.Errorf("without the sealer's keys: %q", got)
	}
	if got := grades(w.examineBackup(dest, new(keep.Kept))); !slices.Contains(got, "log broken") || !slices.Contains(got, "cases broken") {
		t.Errorf("without keys: %q", got)
	}

	to := filepath.Join(t.TempDir(), "again")
	r, err := keep.Restore(ctx, dest, w.kept(desk, vault), to, keep.Choices{}, w.exam())
	ok(t, err)
	if len(r.Shredded) > 0 {
		t.Errorf("left out: %v", r.Shredded)
	}
	before := state(t, w.home)
	if got := state(t, r.Home); got != before {
		t.Error("the restored programme has another state")
	}
	ok(t, w.desk.Close())
	h, err := home.OpenOn(to, w.home.Machine)
	ok(t, err)
	d, err := h.Desk(ctx) // the very newest: it goes on
	ok(t, err)
	_, err = d.OpenCase(ctx, w.ana, coordinator.Opening{Title: "after the restore"})
	ok(t, err)
	ok(t, d.Close())
	if _, err := keep.Restore(ctx, dest, w.kept(desk, vault), to, keep.Choices{}, w.exam()); !errors.Is(err, keep.ErrTaken) {
		t.Errorf("restoring over a folder: %v", err)
	}
}

func state(t *testing.T, h *home.Home) [32]byte {
	t.Helper()
	r, folded, err := h.Verify(ctx, false, nil, nil)
	ok(t, err)
	for _, p := range append(r.Problems, folded.Problems...) {
		t.Errorf("%s", p)
	}
	return folded.State
}

// A restored older log does not sign: the checkpoint kept outside knows more, and so
// does whoever kept what was published. Only the declared recovery goes on, and under
// another origin.
func TestOlderBackupSignsNoFork(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest := filepath.Join(t.TempDir(), "b")
	w.backup(dest)
	keys := [][]byte{w.sealed(keep.OfDesk), w.sealed(keep.OfSealer)}
	_, err := w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "after the backup"})
	ok(t, err)
	w.tick()
	published, err := os.ReadFile(filepath.Join(w.dir, "desk", "anchors", "checkpoint"))
	ok(t, err)
	ok(t, w.desk.Close())

	to := filepath.Join(t.TempDir(), "again")
	r, err := keep.Restore(ctx, dest, w.kept(keys...), to, keep.Choices{}, w.exam())
	ok(t, err)
	if got := grades(r.Checks); !slices.Contains(got, "outside checkpoint broken") {
		t.Errorf("the restored folder is older, and the checks say %q", got)
	}
	h, err := home.OpenOn(to, w.home.Machine)
	ok(t, err)
	anchors := listing(t, filepath.Join(to, "desk", "anchors"))
	if _, err := h.Desk(ctx); !errors.Is(err, ledger.ErrFork) {
		t.Fatalf("opening the older folder: %v, want ErrFork", err)
	}
	if now := listing(t, filepath.Join(to, "desk", "anchors")); now != anchors {
		t.Error("an older folder that was refused published something")
	}
	// The same for who has nothing but what was published.
	v, _, err := h.Verify(ctx, false, published, nil)
	ok(t, err)
	if v.OK() {
		t.Error("the older folder verifies against what was published later")
	}
	_, err = h.Recover(ctx)
	ok(t, err)
	d, err := h.Desk(ctx)
	ok(t, err)
	w.now = w.now.Add(2 * time.Minute)
	ok(t, d.Log().Tick(ctx))
	if _, cp := d.Log().Checkpoint(); cp.Origin != h.Origin()+"/recovery-1" {
		t.Errorf("it goes on under %q", cp.Origin)
	}
	ok(t, d.Close())
	// With the checkpoint away nothing tells an older folder, so it doesn't open either.
	other := filepath.Join(t.TempDir(), "other")
	_, err = keep.Restore(ctx, dest, w.kept(keys...), other, keep.Choices{Outside: filepath.Join(t.TempDir(), "empty")}, w.exam())
	ok(t, err)
	h, err = home.OpenOn(other, w.home.Machine)
	ok(t, err)
	if _, err := h.Desk(ctx); !errors.Is(err, ledger.ErrFork) {
		t.Errorf("opening without any checkpoint: %v, want ErrFork", err)
	}
	// And a folder that was gone back with does not overwrite the newer backup.
	if _, err := keep.Backup(ctx, r.Home, dest, keep.Quiet); err != nil {
		t.Errorf("backing up what was recovered, which is longer: %v", err)
	}
	if _, err := keep.Backup(ctx, h, dest, keep.Quiet); !errors.Is(err, keep.ErrOlder) {
		t.Errorf("backing up an older folder over a newer one: %v", err)
	}
}

// A folder that was restored from an older backup and went on does not take the place
// of a newer backup, however long its log has become: what that one has would be lost.
func TestBackupKeepsWhatWentAnotherWay(t *testing.T) {
	t.Parallel()
	w := found(t)
	older, newer := filepath.Join(t.TempDir(), "older"), filepath.Join(t.TempDir(), "newer")
	w.backup(older)
	keys := [][]byte{w.sealed(keep.OfDesk), w.sealed(keep.OfSealer)}
	_, err := w.desk.OpenCase(ctx, w.ana, coordinator.Opening{Title: "in the newer backup alone"})
	ok(t, err)
	w.tick()
	kept := w.backup(newer)
	ok(t, w.desk.Close())
	was := listing(t, newer)

	to := filepath.Join(t.TempDir(), "again")
	r, err := keep.Restore(ctx, older, w.kept(keys...), to, keep.Choices{}, w.exam())
	ok(t, err)
	_, err = r.Home.Recover(ctx)
	ok(t, err)
	d, err := r.Home.Desk(ctx)
	ok(t, err)
	for uint64(d.Log().Size()) <= kept.Entries {
		_, err = d.OpenCase(ctx, w.ana, coordinator.Opening{Title: "after the recovery"})
		ok(t, err)
	}
	ok(t, d.Close())
	if _, err := keep.Backup(ctx, r.Home, newer, keep.Quiet); !errors.Is(err, keep.ErrOlder) {
		t.Errorf("over the newer backup: %v, want ErrOlder", err)
	}
	if now := listing(t, newer); now != was {
		t.Error("the newer backup was changed")
	}
	if _, err := keep.Backup(ctx, r.Home, older, keep.Quiet); err != nil {
		t.Errorf("over the one that it was restored from: %v", err)
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	ok(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		out.WriteString(p + "\n" + string(b) + "\n")
		return err
	}))
	return out.String()
}

// What was shredded stays shredded: a file of keys from before brings nothing back.
func TestShreddedStaysShredded(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest := filepath.Join(t.TempDir(), "b")
	older := w.sealed(keep.OfDesk)
	vault := w.sealed(keep.OfSealer)
	w.now = founded.Add(13 * time.Hour)
	ok(t, w.desk.Log().Tick(ctx))
	ok(t, w.desk.Release(ctx, w.ana, w.cs, []byte("update\n")))
	name := coordinator.CaseKey(w.cs)
	key, err := os.ReadFile(filepath.Join(w.dir, "desk", "keys", name))
	ok(t, err)
	ok(t, w.desk.DestroyKey(ctx, w.ana, cvd.DestroyKey{Scope: cvd.CaseKey, ID: [16]byte(w.cs)}))
	w.tick()
	w.backup(dest)

	checks := w.examineBackup(dest, w.kept(older, vault))
	if got := grades(checks); !slices.Contains(got, "shredding warn") || slices.Contains(got, "cases broken") {
		t.Errorf("with keys from before the shredding: %q", got)
	}
	to := filepath.Join(t.TempDir(), "again")
	r, err := keep.Restore(ctx, dest, w.kept(older, vault), to, keep.Choices{}, w.exam())
	ok(t, err)
	if !slices.Equal(r.Shredded, []string{name}) {
		t.Errorf("left out %q, want %q", r.Shredded, name)
	}
	if hits := grep(t, to, bytes.TrimSpace(key)); len(hits) > 0 {
		t.Errorf("the destroyed key is in %v", hits)
	}
}

// Each row spoils one thing; the examination says that, and goes on to the others.
func TestExamineSeesWhatIsBroken(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		spoil func(t *testing.T, w *works)
		want  string
	}{
		{"a blob is gone", func(t *testing.T, w *works) { ok(t, os.Remove(oneOf(t, w, "desk/blobs/*/*"))) }, "cases broken"},
		{"a blob is another", func(t *testing.T, w *works) { flip(t, oneOf(t, w, "desk/blobs/*/*")) }, "cases broken"},
		{"a case's key is gone", func(t *testing.T, w *works) { ok(t, os.Remove(oneOf(t, w, "desk/keys/case/*"))) }, "cases broken"},
		{"a case's key is another's", func(t *testing.T, w *works) {
			k, err := seal.NewBlobKey()
			ok(t, err)
			ok(t, os.WriteFile(oneOf(t, w, "desk/keys/case/*"), k.Text(), 0o600))
		}, "cases broken"},
		{"a key is readable", func(t *testing.T, w *works) { ok(t, os.Chmod(oneOf(t, w, "desk/keys/programme"), 0o644)) }, "access broken"},
		{"a package key is gone", func(t *testing.T, w *works) { ok(t, os.Remove(oneOf(t, w, "sealer/keys/package/*"))) }, "sealer broken"},
		{"a package key is another", func(t *testing.T, w *works) { flip(t, oneOf(t, w, "sealer/keys/package/*")) }, "sealer broken"},
		{"a Form is gone", func(t *testing.T, w *works) { ok(t, os.Remove(oneOf(t, w, "sealer/forms/*"))) }, "sealer broken"},
		{"a wave's plan is gone", func(t *testing.T, w *works) { ok(t, os.Remove(oneOf(t, w, "sealer/waves/*/*"))) }, "sealer broken"},
		{"the sealer's folder is elsewhere", func(t *testing.T, w *works) { ok(t, os.RemoveAll(filepath.Join(w.dir, "sealer"))) }, "sealer warn"},
		{"a tile is another", func(t *testing.T, w *works) { flip(t, oneOf(t, w, "desk/anchors/tile/0/*.p/*")) }, "log broken"},
		{"the blinding key is gone", func(t *testing.T, w *works) { ok(t, os.Remove(oneOf(t, w, "desk/keys/blinding"))) }, "log broken"},
		{"the outside checkpoint is gone", func(t *testing.T, w *works) { ok(t, os.Remove(w.home.OutsideFile())) }, "outside checkpoint broken"},
		{"the clock is behind", func(t *testing.T, w *works) { w.now = founded.Add(-time.Hour) }, "clock broken"},
		{"the clock is two days ahead", func(t *testing.T, w *works) { w.now = w.now.Add(48 * time.Hour) }, "clock warn"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := found(t)
			ok(t, w.desk.Close())
			if got := grades(w.examine(keep.OpenFolder(ctx, w.home))); !slices.Equal(got, []string{"outside checkpoint warn"}) {
				t.Fatalf("before: %q", got)
			}
			before := listing(t, filepath.Join(w.dir, "sealer"))
			row.spoil(t, w)
			checks := w.examine(keep.OpenFolder(ctx, w.home))
			if got := grades(checks); !slices.Contains(got, row.want) {
				t.Errorf("%q, want %q among them", got, row.want)
			}
			if len(checks) < 7 {
				t.Errorf("it broke off after %d checks", len(checks))
			}
			for _, c := range checks {
				if c.Grade != keep.OK && c.Do == "" {
					t.Errorf("%s is %s, and nothing says what to do", c.Name, c.Grade)
				}
			}
			if strings.HasPrefix(row.want, "cases") && listing(t, filepath.Join(w.dir, "sealer")) != before {
				t.Error("the examination changed the sealer's folder")
			}
		})
	}
}

func oneOf(t *testing.T, w *works, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	ok(t, err)
	if len(names) == 0 {
		t.Fatalf("there is no %s", pattern)
	}
	return names[0]
}

func flip(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	ok(t, err)
	b[len(b)/2] ^= 1
	ok(t, os.WriteFile(name, b, 0o600))
}

// plant puts a file into a backup, as who can write there could.
func plant(t *testing.T, dir, name string) {
	t.Helper()
	m, err := keep.LoadManifest(dir)
	ok(t, err)
	data := []byte("planted")
	to := filepath.Join(dir, filepath.FromSlash(name))
	ok(t, os.MkdirAll(filepath.Dir(to), 0o700))
	ok(t, os.WriteFile(to, data, 0o600))
	m.Files = append(m.Files, keep.ManifestFile{Path: name, Size: int64(len(data)), SHA256: fmt.Sprintf("%x", sha256.Sum256(data))})
	b, err := json.Marshal(m)
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, keep.ManifestName), b, 0o600))
}

// A backup that is spoilt is refused as a whole, and nothing is left.
func TestSpoiltBackupsAreRefused(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest := filepath.Join(t.TempDir(), "b")
	w.backup(dest)
	keys := [][]byte{w.sealed(keep.OfDesk), w.sealed(keep.OfSealer)}
	for _, row := range []struct {
		name  string
		spoil func(dir string)
		want  error
	}{
		{"a blob is another", func(dir string) { flip(t, glob(t, dir, "desk/blobs/*/*")) }, folder.ErrDamaged},
		{"the log is cut", func(dir string) { ok(t, os.Truncate(glob(t, dir, "desk/log-*.db"), 4096)) }, folder.ErrDamaged},
		{"no manifest", func(dir string) { ok(t, os.Remove(filepath.Join(dir, keep.ManifestName))) }, keep.ErrNoBackup},
		{"a manifest that leads out", func(dir string) {
			edit(t, filepath.Join(dir, keep.ManifestName), `"desk/log-`, `"desk/../../log-`)
		}, keep.ErrNoBackup},
		{"more entries than its log has", func(dir string) {
			m, err := keep.LoadManifest(dir)
			ok(t, err)
			m.Entries++
			manifest(t, dir, m)
		}, keep.ErrNoBackup},
		{"somebody's sessions", func(dir string) { plant(t, dir, "desk/ephemeral.db") }, keep.ErrNoBackup},
		{"somebody's sessions, by another way", func(dir string) { plant(t, dir, "desk/blobs/../ephemeral.db") }, keep.ErrNoBackup},
		{"a checkpoint elsewhere", func(dir string) {
			edit(t, filepath.Join(dir, keep.ManifestName), `"checkpoint"`, `"../ephemeral.db"`)
		}, keep.ErrNoBackup},
		{"somebody's key", func(dir string) { plant(t, dir, "desk/keys/person/0123") }, keep.ErrNoBackup},
		// What is in no backup would be taken for the desk's own: its sessions, a log's
		// journal, the sealer's folder.
		{"a journal", add(t, "desk/log.db-wal"), keep.ErrNoBackup},
		{"a socket's place", add(t, "desk/blobs/../desk.sock"), keep.ErrNoBackup},
		{"the sealer's", add(t, "desk/../sealer/recipients/x"), keep.ErrNoBackup},
		{"another's log key", func(dir string) {
			unsign(t, dir)
			edit(t, filepath.Join(dir, keep.ManifestName), `works.example`, `other.example`)
		}, keep.ErrKeys},
		// Whoever keeps the backup would have the last anchor kept where it says nothing, or
		// a process of their own be the sealer.
		{"another place for the last anchor", func(dir string) { edit(t, filepath.Join(dir, keep.ManifestName), `.outside"`, `.elsewhere"`) }, keep.ErrChanged},
		{"another sealer", func(dir string) {
			edit(t, filepath.Join(dir, keep.ManifestName), `"outside"`, `"sealer": "/tmp/s.sock", "outside"`)
		}, keep.ErrChanged},
		{"the same, and no signature", func(dir string) {
			unsign(t, dir)
			edit(t, filepath.Join(dir, keep.ManifestName), `.outside"`, `.elsewhere"`)
		}, keep.ErrUnsigned},
		{"signed by another key", func(dir string) {
			m, err := keep.LoadManifest(dir)
			ok(t, err)
			skey, vkey, err := note.GenerateKey(rand.Reader, m.Origin)
			ok(t, err)
			signer, err := note.NewSigner(skey)
			ok(t, err)
			m.Config = bytes.ReplaceAll(m.Config, []byte(`.outside"`), []byte(`.elsewhere"`))
			m.Config = bytes.ReplaceAll(m.Config, []byte(m.LogKey), []byte(vkey))
			m.LogKey = vkey
			text, _, _ := strings.Cut(m.Signed, "\n\n")
			lines := strings.Split(text, "\n")
			var c bytes.Buffer
			ok(t, json.Compact(&c, m.Config))
			lines[2] = fmt.Sprintf("%x", sha256.Sum256(c.Bytes()))
			signed, err := note.Sign(&note.Note{Text: strings.Join(lines, "\n") + "\n"}, signer)
			ok(t, err)
			m.Signed = string(signed)
			manifest(t, dir, m)
		}, keep.ErrKeys},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "b")
			ok(t, os.CopyFS(dir, os.DirFS(dest)))
			row.spoil(dir)
			at := filepath.Join(t.TempDir(), "again")
			m, err := keep.LoadManifest(dir)
			k := new(keep.Kept)
			var h *home.Home
			if err == nil {
				h, err = m.Home()
			}
			if err == nil {
				for _, f := range keys {
					if _, e := k.OpenKeys(bytes.NewReader(f), w.ids, h); e != nil {
						err = e
					}
				}
			}
			if err == nil {
				_, err = keep.Restore(ctx, dir, k, at, keep.Choices{}, w.exam())
			}
			if !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			left, _ := os.ReadDir(filepath.Dir(at))
			if len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

// manifest writes a backup's manifest anew, as who can write there could.
func manifest(t *testing.T, dir string, m *keep.Manifest) {
	t.Helper()
	b, err := json.Marshal(m)
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, keep.ManifestName), b, 0o600))
}

// unsign makes a backup one of an earlier version, which signed nothing.
func unsign(t *testing.T, dir string) {
	t.Helper()
	m, err := keep.LoadManifest(dir)
	ok(t, err)
	if m.Signed == "" {
		t.Fatal("it isn't signed")
	}
	m.Signed = ""
	manifest(t, dir, m)
}

// A backup of an earlier version is restored by who says that they believe it, and the
// doctor tells.
func TestUnsignedBackup(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest, to := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "again")
	w.backup(dest)
	k := w.kept(w.sealed(keep.OfDesk), w.sealed(keep.OfSealer))
	if got := grades(w.examineBackup(dest, k)); slices.Contains(got, "configuration warn") {
		t.Errorf("signed: %q", got)
	}
	unsign(t, dest)
	if got := grades(w.examineBackup(dest, k)); !slices.Contains(got, "configuration warn") {
		t.Errorf("not signed: %q", got)
	}
	if _, err := keep.Restore(ctx, dest, k, to, keep.Choices{}, w.exam()); !errors.Is(err, keep.ErrUnsigned) || !strings.Contains(err.Error(), w.home.Outside()) {
		t.Errorf("believed unasked: %v", err)
	}
	r, err := keep.Restore(ctx, dest, k, to, keep.Choices{Unsigned: true}, w.exam())
	ok(t, err)
	if state(t, r.Home) != state(t, w.home) {
		t.Error("the restored programme has another state")
	}
	// Without its key the programme is backed up all the same.
	ok(t, os.Rename(filepath.Join(w.dir, "desk", "keys", "log"), filepath.Join(w.dir, "log")))
	out, err := keep.Backup(ctx, w.home, filepath.Join(t.TempDir(), "c"), keep.Quiet)
	if err != nil || out.Signed {
		t.Errorf("without the log's key: signed %t, %v", out.Signed, err)
	}
}

// add adds a file that no backup has, as whoever keeps a backup could.
func add(t *testing.T, name string) func(dir string) {
	return func(dir string) {
		to := filepath.Join(dir, name)
		ok(t, os.MkdirAll(filepath.Dir(to), 0o700))
		ok(t, os.WriteFile(to, []byte("planted"), 0o600))
		m, err := keep.LoadManifest(dir)
		ok(t, err)
		m.Files = append(m.Files, keep.ManifestFile{Path: name, Size: 7, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("planted")))})
		b, err := json.Marshal(m)
		ok(t, err)
		ok(t, os.WriteFile(filepath.Join(dir, keep.ManifestName), b, 0o600))
	}
}

func glob(t *testing.T, dir, pattern string) string {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	if len(names) == 0 {
		t.Fatalf("no %s", pattern)
	}
	return names[0]
}

func edit(t *testing.T, name, old, new string) {
	t.Helper()
	b, err := os.ReadFile(name)
	ok(t, err)
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s doesn't hold %q", name, old)
	}
	ok(t, os.WriteFile(name, bytes.ReplaceAll(b, []byte(old), []byte(new)), 0o600))
}

// Backups go where nothing else is, and one at a time.
func TestBackupTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	w := found(t)
	full := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(full, "letter.txt"), []byte("mine"), 0o600))
	other := found(t)
	dest := filepath.Join(t.TempDir(), "b")
	other.backup(dest)
	for _, dir := range []string{full, dest, filepath.Join(w.dir, "backup"), w.dir} {
		if _, err := keep.Backup(ctx, w.home, dir, keep.Quiet); !errors.Is(err, keep.ErrTaken) {
			t.Errorf("into %s: %v", dir, err)
		}
	}
	lock, err := folder.Lock(filepath.Join(dest, ".lock"))
	ok(t, err)
	if _, err := keep.Backup(ctx, other.home, dest, keep.Quiet); !errors.Is(err, folder.ErrHeld) {
		t.Errorf("beside another one: %v", err)
	}
	ok(t, lock.Close())
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := keep.Backup(stopped, other.home, dest, keep.Quiet); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if got := grades(other.examineBackup(dest, other.kept(other.sealed(keep.OfDesk), other.sealed(keep.OfSealer)))); !slices.Equal(got, []string{"outside checkpoint warn"}) {
		t.Errorf("after one that was stopped: %q", got)
	}
}

// Who can write where a backup lies has nothing written or removed elsewhere.
func TestBackupLeadsNowhere(t *testing.T) {
	t.Parallel()
	w := found(t)
	for _, name := range []string{"desk", "desk/anchors", "desk/blobs"} {
		dest, elsewhere := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "e")
		w.backup(dest)
		in := filepath.Join(dest, filepath.FromSlash(name))
		ok(t, os.CopyFS(elsewhere, os.DirFS(in)))
		for _, mine := range []string{"letter.txt", "log-book.db", "anchors/letter.txt"} {
			ok(t, os.MkdirAll(filepath.Dir(filepath.Join(elsewhere, mine)), 0o700))
			ok(t, os.WriteFile(filepath.Join(elsewhere, mine), []byte("mine"), 0o600))
		}
		before := listing(t, elsewhere)
		ok(t, os.RemoveAll(in))
		ok(t, os.Symlink(elsewhere, in))
		if _, err := keep.Backup(ctx, w.home, dest, keep.Quiet); !errors.Is(err, keep.ErrTaken) {
			t.Errorf("%s leads elsewhere: %v", name, err)
		}
		if listing(t, elsewhere) != before {
			t.Errorf("%s leads elsewhere, and something was changed there", name)
		}
	}
}

// A blob that the programme itself lacks is named, and the rest is kept.
func TestBackupOfWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	w := found(t)
	ok(t, os.Remove(oneOf(t, w, "desk/blobs/*/*")))
	dest := filepath.Join(t.TempDir(), "b")
	out, err := keep.Backup(ctx, w.home, dest, keep.Quiet)
	if !errors.Is(err, keep.ErrIncomplete) || len(out.Missing) != 1 {
		t.Errorf("%v, %+v", err, out)
	}
	if _, err := keep.LoadManifest(dest); err != nil {
		t.Errorf("and there is no backup: %v", err)
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	w := found(t)
	for _, row := range []struct {
		ends time.Duration
		want string
	}{{-time.Hour, "certificate broken"}, {48 * time.Hour, "certificate warn"}, {90 * 24 * time.Hour, ""}} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ok(t, err)
		c := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: w.now.Add(-24 * time.Hour), NotAfter: w.now.Add(row.ends)}
		der, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
		ok(t, err)
		name := filepath.Join(t.TempDir(), "c.pem")
		ok(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
		p, err := keep.OpenFolder(ctx, w.home)
		ok(t, err)
		x := w.exam()
		x.TLSCert = name
		checks, err := keep.Examine(ctx, p, x)
		ok(t, err)
		ok(t, p.Close())
		got := grades(checks)
		if (row.want == "") == slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "certificate") }) || row.want != "" && !slices.Contains(got, row.want) {
			t.Errorf("ending in %s: %q, want %q", row.ends, got, row.want)
		}
	}
}

// Files of keys are of one programme, and whole.
func TestKeysOfAnotherProgramme(t *testing.T) {
	t.Parallel()
	w, other := found(t), found(t)
	b := w.sealed(keep.OfDesk)
	k := new(keep.Kept)
	if _, err := k.OpenKeys(bytes.NewReader(b), w.ids, other.home); err == nil && w.home.LogKey() != other.home.LogKey() {
		t.Error("another programme's keys were taken")
	} else if !errors.Is(err, keep.ErrKeys) {
		t.Errorf("another programme's keys: %v", err)
	}
	if _, err := k.OpenKeys(bytes.NewReader(b), other.ids, w.home); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("with another's identity: %v", err)
	}
	if _, err := k.OpenKeys(bytes.NewReader(b[:len(b)-1]), w.ids, w.home); err == nil {
		t.Error("a file that was cut was taken")
	}
	if _, err := k.OpenKeys(bytes.NewReader(b), w.ids, w.home); err != nil {
		t.Error(err)
	}
	if _, err := k.OpenKeys(bytes.NewReader(b), w.ids, w.home); !errors.Is(err, keep.ErrKeys) {
		t.Errorf("twice: %v", err)
	}
}

// What lies beside a backup's log and would be read along with it is found.
func TestJournalBesideABackup(t *testing.T) {
	t.Parallel()
	w := found(t)
	dest := filepath.Join(t.TempDir(), "b")
	w.backup(dest)
	k := w.kept(w.sealed(keep.OfDesk), w.sealed(keep.OfSealer))
	for range 2 { // looking leaves none
		if got := grades(w.examineBackup(dest, k)); slices.Contains(got, "files broken") {
			t.Fatalf("before: %q", got)
		}
	}
	ok(t, os.WriteFile(glob(t, dest, "desk/log-*.db")+"-wal", []byte("planted"), 0o600))
	if got := grades(w.examineBackup(dest, k)); !slices.Contains(got, "files broken") {
		t.Errorf("with a journal beside it: %q", got)
	}
}

// A domain's file of keys brings nothing of another's, nor what is no key.
func TestKeysStayInTheirDomain(t *testing.T) {
	t.Parallel()
	w := found(t)
	for _, name := range []string{"inquiry/../desk/ephemeral.db", "inquiry/../sealer/recipients/x", "inquiry/./keys/x", "inquiry//keys/x", "desk/keys/x"} {
		var b bytes.Buffer
		age, err := w.to.Encrypt(&b)
		ok(t, err)
		out := tar.NewWriter(age)
		about, err := json.Marshal(map[string]any{"version": 1, "of": "inquiry", "origin": w.home.Origin(), "log_key": w.home.LogKey(), "files": 1})
		ok(t, err)
		for _, f := range [][2]string{{"about.json", string(about)}, {name, "planted"}} {
			ok(t, out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f[0], Size: int64(len(f[1])), Mode: 0o600}))
			_, err := out.Write([]byte(f[1]))
			ok(t, err)
		}
		ok(t, errors.Join(out.Close(), age.Close()))
		if _, err := new(keep.Kept).OpenKeys(&b, w.ids, w.home); !errors.Is(err, keep.ErrKeys) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"version":1,"log":"desk/log-1.db","files":[{"path":"desk/log-1.db","size":1,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}`))
	f.Add([]byte(`{"version":1,"log":"../x","files":[{"path":"../x","size":1,"sha256":"00"}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := keep.ParseManifest(b)
		if err != nil {
			if !errors.Is(err, keep.ErrNoBackup) {
				t.Errorf("%v is of no class", err)
			}
			return
		}
		for _, file := range m.Files {
			if !filepath.IsLocal(file.Path) {
				t.Errorf("%q leads out", file.Path)
			}
		}
	})
}
