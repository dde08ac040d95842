package home_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/ledger"
)

// busy is a town where things have happened, closed, and what the audit of it
// said.
func busy(t *testing.T) *town {
	tn := found(t, 3)
	id := tn.wave(form.PoC, tn.members...)
	tn.clock.pass(11 * time.Minute)
	for _, m := range tn.members {
		del, _, err := tn.fetch(m, id)
		ok(t, err)
		tn.sign(m, del)
	}
	tn.clock.pass(3 * time.Minute)
	ok(t, tn.desk.Log().Tick(ctx))
	tn.audit()
	ok(t, tn.desk.Close())
	return tn
}

// verdict is the whole output of verifying a folder.
type verdict struct {
	Err    string
	Log    ledger.Report
	Folded coordinator.Folded
}

func (v verdict) failed() bool { return v.Err != "" || !v.Log.OK() || len(v.Folded.Problems) > 0 }

func (v verdict) String() string {
	var out []string
	for _, p := range append(slices.Clone(v.Log.Problems), v.Folded.Problems...) {
		out = append(out, p.String())
	}
	return strings.Join(append(out, v.Err), "\n")
}

func (tn *town) verdict() verdict {
	tn.t.Helper()
	against, err := folder.ReadFile(tn.home.OutsideFile(), 1<<16)
	ok(tn.t, err)
	r, f, err := tn.home.Verify(ctx, false, against, nil)
	v := verdict{Log: r, Folded: f}
	if err != nil {
		v.Err = err.Error()
	}
	return v
}

// flipped changes one bit of a file while f runs.
func flipped(t *testing.T, file string, off int, bit uint, f func()) {
	t.Helper()
	b, err := os.ReadFile(file)
	ok(t, err)
	info, err := os.Stat(file)
	ok(t, err)
	c := bytes.Clone(b)
	c[off] ^= 1 << bit
	ok(t, os.WriteFile(file, c, info.Mode().Perm()))
	f()
	ok(t, os.WriteFile(file, b, info.Mode().Perm()))
}

// Every file that says something is checked, and the report names the place.
func TestFlippedFiles(t *testing.T) {
	tn := busy(t)
	clean := tn.verdict()
	rng := rand.New(dice(t.Name()))
	for _, dir := range []string{"anchors", "blobs"} {
		n := 0
		root := filepath.Join(tn.dir, "desk", dir)
		ok(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			n++
			b, err := os.ReadFile(file)
			ok(t, err)
			rel, _ := filepath.Rel(root, file)
			where := filepath.ToSlash(rel)
			if dir == "blobs" {
				where = filepath.Base(file)
			}
			for _, off := range []int{0, rng.IntN(len(b)), rng.IntN(len(b)), len(b) - 1} {
				bit := uint(rng.IntN(8))
				flipped(t, file, off, bit, func() {
					v := tn.verdict()
					if !v.failed() || !strings.Contains(v.String(), where) {
						t.Errorf("%s/%s: bit %d of byte %d flipped, and the report says: %s", dir, where, bit, off, v)
					}
				})
			}
			ok(t, os.Rename(file, file+"~"))
			if v := tn.verdict(); !v.failed() || !strings.Contains(v.String(), where) {
				t.Errorf("%s/%s removed, and the report says: %s", dir, where, v)
			}
			return os.Rename(file+"~", file)
		}))
		if n < 3 {
			t.Errorf("only %d files in %s", n, dir)
		}
	}
	if v := tn.verdict(); !reflect.DeepEqual(v, clean) {
		t.Fatalf("put back, it is another: %s", v)
	}
}

// Every entry and every salt in the log, its order, and the head, changed behind the
// store's back.
func TestFlippedRows(t *testing.T) {
	tn := busy(t)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(tn.dir, "desk", "log.db"))
	ok(t, err)
	defer func() { db.Close() }()
	rng := rand.New(dice(t.Name()))
	n := int(tn.verdict().Log.Entries)
	if n < 40 {
		t.Fatalf("only %d entries", n)
	}
	rows, err := db.Query("SELECT first, records FROM entries ORDER BY first")
	ok(t, err)
	kept := map[int][]byte{}
	for rows.Next() {
		var first int
		var b []byte
		ok(t, rows.Scan(&first, &b))
		kept[first] = b
	}
	ok(t, rows.Err())
	seen := 0
	for first, b := range kept {
		change := func(to []byte) {
			_, err := db.Exec("UPDATE entries SET records = ? WHERE first = ?", to, first)
			ok(t, err)
		}
		// A row is records: length, salt, entry.
		for at, seq := 0, first; at < len(b); seq++ {
			size := int(binary.BigEndian.Uint32(b[at:]))
			for part, off := range map[string]int{"length": at + rng.IntN(4), "salt": at + 4 + rng.IntN(32), "entry": at + 36 + rng.IntN(size)} {
				c := bytes.Clone(b)
				c[off] ^= 1 << rng.IntN(8)
				change(c)
				// Where a length is wrong, the row can't be read from its start.
				where := fmt.Sprintf("entry %d:", seq)
				if part == "length" {
					where = "entry "
				}
				if v := tn.verdict(); !v.failed() || !strings.Contains(v.String(), where) {
					t.Errorf("a bit of the %s of entry %d flipped, and the report says: %s", part, seq, v)
				}
			}
			at += 36 + size
			seen++
		}
		change(b)
	}
	if seen != n {
		t.Fatalf("%d of %d entries were flipped", seen, n)
	}
	if v := tn.verdict(); v.failed() {
		t.Fatalf("put back, it fails: %s", v)
	}
	for what, change := range map[string]string{
		"the last row is removed":  "DELETE FROM entries WHERE first = (SELECT max(first) FROM entries)",
		"a row is removed":         "DELETE FROM entries WHERE first = (SELECT min(first) FROM entries WHERE first > 6)",
		"a row is there twice":     "UPDATE entries SET records = (SELECT records FROM entries WHERE first < 6 ORDER BY first DESC LIMIT 1) WHERE first = (SELECT min(first) FROM entries WHERE first > 6)",
		"the head is removed":      "UPDATE head SET note = NULL",
		"the head has a byte more": "UPDATE head SET note = CAST(CAST(note AS TEXT) || char(10) AS BLOB)",
	} {
		file := filepath.Join(tn.dir, "desk", "log.db")
		_, err := db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		ok(t, err)
		kept, err := os.ReadFile(file)
		ok(t, err)
		_, err = db.Exec(change)
		ok(t, err)
		if v := tn.verdict(); !v.failed() {
			t.Errorf("%s, and the report says: %s", what, v)
		}
		ok(t, db.Close())
		os.Remove(file + "-wal")
		os.Remove(file + "-shm")
		ok(t, os.WriteFile(file, kept, 0o600))
		db, err = sql.Open("sqlite", "file:"+file)
		ok(t, err)
	}
	if v := tn.verdict(); v.failed() {
		t.Fatalf("put back, it fails: %s", v)
	}
}

// Any byte of the database file: verification fails, or nothing that it says is
// different, because SQLite doesn't use that byte.
func TestFlippedDatabase(t *testing.T) {
	t.Parallel()
	tn := busy(t)
	clean := tn.verdict()
	file := filepath.Join(tn.dir, "desk", "log.db")
	b, err := os.ReadFile(file)
	ok(t, err)
	rng := rand.New(dice(t.Name()))
	unused, failed := 0, 0
	for range 400 {
		off, bit := rng.IntN(len(b)), uint(rng.IntN(8))
		flipped(t, file, off, bit, func() {
			switch v := tn.verdict(); {
			case v.failed():
				failed++
			case reflect.DeepEqual(v, clean):
				unused++
			default:
				t.Errorf("bit %d of byte %d: it verifies, and says something else: %+v", bit, off, v)
			}
			for _, rest := range []string{"-wal", "-shm", "-journal"} {
				os.Remove(file + rest)
			}
		})
	}
	t.Logf("%d flips in %d bytes: %d failed, %d hit bytes that say nothing", failed+unused, len(b), failed, unused)
	if failed == 0 || unused == 0 {
		t.Error("both sorts were expected")
	}
}

// An older folder, whole and valid, is known as older by the anchor kept apart.
func TestOlderFolder(t *testing.T) {
	tn := busy(t)
	older := filepath.Join(t.TempDir(), "older")
	ok(t, os.CopyFS(older, os.DirFS(tn.dir)))
	ok(t, filepath.WalkDir(older, func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			err = os.Chmod(p, map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()])
		}
		return err
	}))

	var err error
	tn.desk, err = tn.home.Desk(ctx)
	ok(t, err)
	_, err = tn.desk.Do(ctx, tn.who["ana"], cvd.NoteCommitment{Commitment: [32]byte{1}})
	ok(t, err)
	tn.clock.pass(3 * time.Minute)
	ok(t, tn.desk.Log().Tick(ctx))
	ok(t, tn.desk.Close())
	if v := tn.verdict(); v.failed() {
		t.Fatal(v)
	}

	ok(t, os.Rename(tn.dir, tn.dir+".newer"))
	ok(t, os.Rename(older, tn.dir))
	if v := tn.verdict(); !v.failed() || !strings.Contains(v.String(), "given checkpoint") {
		t.Errorf("an older folder against the later anchor: %s", v)
	}
	r, _, err := tn.home.Verify(ctx, false, nil, nil)
	ok(t, err)
	if !r.OK() {
		t.Errorf("by itself the older folder is whole, and the report says %v", r.Problems)
	}
	before := listing(t, tn.dir)
	if d, err := tn.home.Desk(ctx); err == nil {
		d.Close()
		t.Error("an older folder was opened for writing")
	} else if !strings.Contains(err.Error(), ledger.ErrFork.Error()) {
		t.Errorf("opening an older folder: %v", err)
	}
	if listing(t, tn.dir) != before {
		t.Error("the refusal changed the folder")
	}
}

// A dossier made by a real investigation: any flipped bit fails, saying at which
// step.
func TestFlippedDossier(t *testing.T) {
	tn, out := investigated(t)
	trust := evidence.Trust{LogKey: tn.home.LogKey()}
	if _, err := evidence.VerifyDossier(out.Dossier, trust); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(dice(t.Name()))
	for range 300 {
		off, bit := rng.IntN(len(out.Dossier)), rng.IntN(8)
		b := bytes.Clone(out.Dossier)
		b[off] ^= 1 << bit
		r, err := evidence.VerifyDossier(b, trust)
		if err == nil {
			t.Fatalf("bit %d of byte %d: it verifies", bit, off)
		}
		if r.Conclusion != "" || !slices.ContainsFunc(r.Steps, func(s evidence.Step) bool { return !s.OK && s.Detail != "" }) {
			t.Fatalf("bit %d of byte %d: the report doesn't say where", bit, off)
		}
	}
	for n := range 200 {
		if _, err := evidence.VerifyDossier(out.Dossier[:len(out.Dossier)*n/200], trust); err == nil {
			t.Fatalf("%d of 200 parts verify", n)
		}
	}
	if _, err := evidence.VerifyDossier(append(bytes.Clone(out.Dossier), 0), trust); err == nil {
		t.Error("with a byte more it verifies")
	}
}
