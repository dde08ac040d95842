package keep_test

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/keep"
)

// An export is read by what its README says, with nothing of ours: every file is JSON
// lines, each named text is there, and the entries' bytes and salts make the root that
// the last anchor binds.
func TestExport(t *testing.T) {
	t.Parallel()
	w := found(t)
	wave := func() (out cvd.WaveID) {
		ok(t, w.desk.View(func(p *cvd.Programme) error { out = p.WaveOrder[0]; return nil }))
		return out
	}()
	w.now = w.now.Add(5 * time.Minute)
	ok(t, w.desk.Log().Tick(ctx))
	_, err := w.desk.Fetch(ctx, w.actors[0], wave, w.members[0])
	ok(t, err)
	w.tick()
	dir := filepath.Join(t.TempDir(), "x")
	anchors := filepath.Join(w.dir, "desk", "anchors")
	out, err := keep.Export(ctx, w.desk.Desk, w.ana, w.home.LogKey(), anchors, dir, false, keep.Quiet)
	ok(t, err)
	if out.Entries == 0 || out.Texts < 8 || out.Gone != 0 || out.Withheld != 1 { // the package's source
		t.Errorf("%+v", out)
	}
	var leaves []tlog.Hash
	var last time.Time
	each(t, filepath.Join(dir, "entries.jsonl"), func(v map[string]any) {
		if int(v["seq"].(float64)) != len(leaves) {
			t.Errorf("entry %v is line %d", v["seq"], len(leaves))
		}
		entry, _ := base64.StdEncoding.DecodeString(v["entry"].(string))
		salt, _ := base64.StdEncoding.DecodeString(v["salt"].(string))
		m := hmac.New(sha256.New, salt)
		m.Write([]byte("forewarn/entry/v1\n"))
		m.Write(entry)
		leaves = append(leaves, sha256.Sum256(append([]byte{0}, m.Sum(nil)...)))
		last, _ = time.Parse(time.RFC3339, v["time"].(string))
		texts, _ := v["texts"].(map[string]any)
		for ref, name := range texts {
			if name == nil {
				continue
			}
			if b, err := os.ReadFile(filepath.Join(dir, name.(string))); err != nil || len(b) == 0 || !strings.HasPrefix(filepath.Base(name.(string)), ref) {
				t.Errorf("text %v: %v", name, err)
			}
		}
	})
	if len(leaves) != out.Entries {
		t.Errorf("%d lines for %d entries", len(leaves), out.Entries)
	}
	// The last anchor.
	bundles, err := filepath.Glob(filepath.Join(dir, "anchors", "tile", "entries", "*.p", "*"))
	ok(t, err)
	b, err := os.ReadFile(bundles[len(bundles)-1])
	ok(t, err)
	anchor := b[len(b)-72:]
	tick := binary.BigEndian.Uint64(anchor)
	if time.Unix(int64(tick)*60, 0).Before(last) {
		t.Fatal("the last anchor does not cover the last entry")
	}
	blinding, err := os.ReadFile(filepath.Join(w.dir, "desk", "keys", "blinding"))
	ok(t, err)
	m := hmac.New(sha256.New, blinding)
	m.Write(append([]byte("forewarn/anchor-salt/v1\n"), anchor[:8]...))
	inner := hmac.New(sha256.New, m.Sum(nil))
	root := merkle(leaves)
	inner.Write(binary.BigEndian.AppendUint64([]byte("forewarn/inner/v1\n"), uint64(len(leaves))))
	inner.Write(root[:])
	if !bytes.Equal(inner.Sum(nil), anchor[8:40]) {
		t.Error("the exported entries do not make what the last anchor binds")
	}
	names := map[string]string{}
	for _, file := range []string{"members", "accounts", "cases", "waves"} {
		each(t, filepath.Join(dir, file+".jsonl"), func(v map[string]any) {
			called, _ := v["called"].(string)
			names[file] += called + ";"
			if v["id"] == "" || v["id"] == nil {
				t.Errorf("%s: a line without an id", file)
			}
			if file == "waves" {
				if s, _ := v["statement"].(map[string]any); s == nil || len(v["copies"].([]any)) != 2 {
					t.Error("a sealed wave without its statement or copies")
				}
			}
		})
	}
	if names["members"] != "Member 0;Member 1;" || names["cases"] != "Portal: a case;" || !strings.HasPrefix(names["accounts"], "ana;") {
		t.Errorf("names: %q", names)
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	ok(t, err)
	ok(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, p)
		if top, _, _ := strings.Cut(filepath.ToSlash(rel), "/"); err == nil && rel != "." && top != "README.md" && !bytes.Contains(readme, []byte("`"+top)) {
			t.Errorf("the README doesn't speak of %s", top)
		}
		if err == nil && !d.IsDir() {
			if i, _ := d.Info(); i.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", rel, i.Mode().Perm())
			}
		}
		return err
	}))
	// No source, and nothing to who may not look.
	if hits := grep(t, dir, []byte("{{answers|replies}}")); len(hits) > 0 {
		t.Errorf("an unmarked source is in %v", hits)
	}
	if _, err := keep.Export(ctx, w.desk.Desk, w.actors[0], w.home.LogKey(), anchors, dir+"2", false, keep.Quiet); !errors.Is(err, cvd.ErrDenied) {
		t.Errorf("for a member: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
	if _, err := keep.Export(ctx, w.desk.Desk, w.ana, w.home.LogKey(), anchors, dir, false, keep.Quiet); !errors.Is(err, keep.ErrTaken) {
		t.Errorf("over an export: %v", err)
	}
	// An auditor reads the log, not what the reporter sent.
	ada, err := w.desk.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), coordinator.Person{Handle: "ada", Name: "Ada"})
	ok(t, err)
	audit := filepath.Join(t.TempDir(), "audit")
	less, err := keep.Export(ctx, w.desk.Desk, cvd.Actor{Account: ada}, w.home.LogKey(), anchors, audit, false, keep.Quiet)
	ok(t, err)
	if hits := grep(t, audit, []byte("what the reporter sent")); len(hits) > 0 || less.Withheld <= out.Withheld {
		t.Errorf("an auditor is given %v (%+v)", hits, less)
	}
	// Sources are for who may open them, and that they did is on the log, and in the
	// export.
	opened := func(dir string) (by []string) {
		each(t, filepath.Join(dir, "entries.jsonl"), func(v map[string]any) {
			if v["kind"] == "DraftOpened" {
				by = append(by, v["actor"].(string))
			}
		})
		return by
	}
	size := w.desk.Log().Size()
	dir = filepath.Join(t.TempDir(), "sources")
	if less, err := keep.Export(ctx, w.desk.Desk, cvd.Actor{Account: ada}, w.home.LogKey(), anchors, dir, true, keep.Quiet); err != nil || less.Packages != 0 || w.desk.Log().Size() != size || len(opened(dir)) != 0 {
		t.Errorf("an auditor opens %d packages: %v", less.Packages, err)
	}
	dir = filepath.Join(t.TempDir(), "sources")
	out, err = keep.Export(ctx, w.desk.Desk, w.ana, w.home.LogKey(), anchors, dir, true, keep.Quiet)
	ok(t, err)
	if by := opened(dir); out.Packages != 1 || len(by) != 1 || by[0] != w.ana.Account.String() || w.desk.Log().Size() != size+1 {
		t.Errorf("%d packages, opened by %q", out.Packages, by)
	}
	hits := grep(t, dir, []byte("{{answers|replies}}"))
	if len(hits) != 1 || !strings.Contains(hits[0], "packages") || !strings.HasSuffix(hits[0], "advisory.md") {
		t.Errorf("the source is in %v", hits)
	}
}

// merkle is RFC 6962, section 2.1.
func merkle(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	l, r := merkle(leaves[:k]), merkle(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...))
}

func each(t *testing.T, name string, f func(map[string]any)) {
	t.Helper()
	b, err := os.Open(name)
	ok(t, err)
	defer b.Close()
	s := bufio.NewScanner(b)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var v map[string]any
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f(v)
	}
	ok(t, s.Err())
}
