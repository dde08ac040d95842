package folder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/form"
	"forewarn/internal/ledger"
	"forewarn/internal/storetest"
)

var ctx = context.Background()

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func is(t *testing.T, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%v, want %v", err, class)
	}
}

// onlyWhole fails if anything but the named files is in a folder: no leftover.
func onlyWhole(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			got = append(got, filepath.ToSlash(rel))
		}
		return nil
	})
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

func TestPublisher(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "anchors")
	p, err := OpenPublisher(dir)
	ok(t, err)
	defer p.Close()
	ok(t, p.Publish(ctx, []ledger.File{{Path: "tile/0/x001/067.p/8", Data: []byte("t")}, {Path: "checkpoint", Data: []byte("one")}}))
	ok(t, p.Publish(ctx, []ledger.File{{Path: "checkpoint", Data: []byte("two")}}))
	ok(t, p.Publish(ctx, nil))
	for path, want := range map[string]string{"tile/0/x001/067.p/8": "t", "checkpoint": "two"} {
		b, err := p.ReadFile(ctx, path)
		ok(t, err)
		if string(b) != want {
			t.Errorf("%s: %q", path, b)
		}
	}
	_, err = p.ReadFile(ctx, "tile/0/000")
	is(t, err, fs.ErrNotExist)
	var listed []string
	ok(t, p.List(ctx, func(p string) error { listed = append(listed, p); return nil }))
	if want := []string{"checkpoint", "tile/0/x001/067.p/8"}; !slices.Equal(listed, want) {
		t.Errorf("%q, want %q", listed, want)
	}
	is(t, p.List(ctx, func(string) error { return io.ErrClosedPipe }), io.ErrClosedPipe)
	if info, err := os.Stat(filepath.Join(dir, "checkpoint")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v %v: outsiders cannot read it", info.Mode(), err)
	}

	// A partial tile's folder goes and may come again.
	ok(t, p.Remove(ctx, []string{"tile/0/x001/067.p", "tile/none"}))
	onlyWhole(t, dir, "checkpoint")
	ok(t, p.Publish(ctx, []ledger.File{{Path: "tile/0/x001/067.p/9", Data: []byte("t")}}))
	onlyWhole(t, dir, "checkpoint", "tile/0/x001/067.p/9")

	stopped, stop := context.WithCancel(ctx)
	stop()
	is(t, p.Publish(stopped, []ledger.File{{Path: "a", Data: nil}, {Path: "b", Data: nil}}), context.Canceled)
	onlyWhole(t, dir, "checkpoint", "tile/0/x001/067.p/9")
}

func TestNamesAreRefused(t *testing.T) {
	dir := t.TempDir()
	p, err := OpenPublisher(filepath.Join(dir, "in"))
	ok(t, err)
	defer p.Close()
	v, err := OpenPrivate(filepath.Join(dir, "keys"))
	ok(t, err)
	defer v.Close()
	for _, name := range []string{"", "/a", "../a", "a/../b", "a//b", "a/", ".tmp-1", "a/.hidden", "a\x00b", "a\x1b[2J", `a\b`, "ä", "a b", strings.Repeat("x", 300), "c:d"} {
		is(t, p.Publish(ctx, []ledger.File{{Path: name}}), ErrName)
		_, err := p.ReadFile(ctx, name)
		is(t, err, ErrName)
		is(t, p.Remove(ctx, []string{name}), ErrName)
		is(t, v.Create(name, nil), ErrName)
		is(t, v.Write(name, nil), ErrName)
		is(t, v.Destroy(name), ErrName)
		_, err = v.Read(name)
		is(t, err, ErrName)
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\x00") {
			t.Errorf("%q carries control characters", err)
		}
		if name != "" {
			_, err = v.List(name)
			is(t, err, ErrName)
		}
	}
	is(t, p.Publish(ctx, []ledger.File{{Path: "Checkpoint"}}), ErrName)
	onlyWhole(t, dir)
}

// Readers never see a part of a file, and never a checkpoint before its tiles.
func TestPublishIsAtomicForReaders(t *testing.T) {
	p, err := OpenPublisher(t.TempDir())
	ok(t, err)
	defer p.Close()
	publish := func(i int) {
		c := bytes.Repeat([]byte{byte(i)}, 5000+i)
		ok(t, p.Publish(ctx, []ledger.File{{Path: fmt.Sprint("tile/", i), Data: c}, {Path: "checkpoint", Data: c}}))
	}
	publish(0)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				b, err := p.ReadFile(ctx, "checkpoint")
				if errors.Is(err, ErrRefused) {
					t.Error("a published file changed while it was read")
				}
				if err != nil || len(b) == 0 || len(b) != 5000+int(b[0]) {
					t.Errorf("%d bytes, %v", len(b), err)
					return
				}
				if _, err := p.ReadFile(ctx, fmt.Sprint("tile/", b[0])); err != nil {
					t.Errorf("the checkpoint is there and its tile is not: %v", err)
				}
			}
		})
	}
	for i := range 25 {
		publish(i)
	}
	close(done)
	wg.Wait()
}

func TestOutside(t *testing.T) {
	name := filepath.Join(t.TempDir(), "other-disk", "checkpoint")
	o, err := OpenOutside(name)
	ok(t, err)
	defer o.Close()
	if b, err := o.Load(ctx); b != nil || err != nil {
		t.Errorf("%q, %v: nothing was saved", b, err)
	}
	for _, c := range []string{"one", "two"} {
		ok(t, o.Save(ctx, []byte(c)))
		if b, err := o.Load(ctx); string(b) != c || err != nil {
			t.Errorf("%q, %v, want %q", b, err, c)
		}
	}
	is(t, o.Save(ctx, nil), ErrRefused)
	onlyWhole(t, filepath.Dir(name), "checkpoint")
	// An empty file is a loss, not a beginning: taking it for one would let a
	// restored log pass.
	ok(t, os.WriteFile(name, nil, 0o644))
	_, err = o.Load(ctx)
	is(t, err, ErrDamaged)
}

func TestBlobs(t *testing.T) {
	dir := t.TempDir()
	b, err := OpenBlobs(dir)
	ok(t, err)
	defer b.Close()
	other, err := OpenBlobs(dir)
	ok(t, err)
	defer other.Close()

	var hashes [][32]byte
	for i := range 100 {
		h, err := b.Put(ctx, []byte(fmt.Sprint("blob ", i)))
		ok(t, err)
		if h != sha256.Sum256([]byte(fmt.Sprint("blob ", i))) {
			t.Fatal("the hash is not of the data")
		}
		hashes = append(hashes, h)
	}
	h, err := b.Put(ctx, []byte("blob 0"))
	ok(t, err)
	if got, err := b.Get(ctx, h); err != nil || string(got) != "blob 0" {
		t.Errorf("before Sync: %q, %v", got, err)
	}
	_, err = other.Get(ctx, h)
	is(t, err, fs.ErrNotExist)
	if has, err := other.Has(ctx, h); has || err != nil {
		t.Errorf("another handle has it before Sync: %v", err)
	}
	ok(t, b.Sync(ctx))
	ok(t, b.Sync(ctx))
	for i, h := range hashes {
		if got, err := other.Get(ctx, h); err != nil || string(got) != fmt.Sprint("blob ", i) {
			t.Fatalf("%q, %v", got, err)
		}
	}
	var walked [][32]byte
	ok(t, other.Walk(ctx, func(h [32]byte) error { walked = append(walked, h); return nil }))
	slices.SortFunc(hashes, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	if !slices.Equal(walked, hashes) {
		t.Errorf("%d walked, %d put", len(walked), len(hashes))
	}
	_, err = b.Put(ctx, nil)
	ok(t, err)
	ok(t, b.Sync(ctx))

	// A flipped bit is found, and putting the blob again mends it.
	name := filepath.Join(dir, blobName(h))
	ok(t, os.WriteFile(name, []byte("blob 1"), 0o600))
	_, err = b.Get(ctx, h)
	is(t, err, ErrDamaged)
	_, err = b.Put(ctx, []byte("blob 0"))
	ok(t, err)
	ok(t, b.Sync(ctx))
	if got, err := b.Get(ctx, h); err != nil || string(got) != "blob 0" {
		t.Errorf("mended: %q, %v", got, err)
	}
	ok(t, os.WriteFile(filepath.Join(dir, "stray"), nil, 0o600))
	is(t, b.Walk(ctx, func([32]byte) error { return nil }), ErrDamaged)
}

func TestBlobsConcurrently(t *testing.T) {
	dir := t.TempDir()
	b, err := OpenBlobs(dir)
	ok(t, err)
	defer b.Close()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 30 {
				data := []byte(fmt.Sprint(i, g%2)) // half of them twice
				h, err := b.Put(ctx, data)
				if err == nil && i%10 == 9 {
					err = b.Sync(ctx)
				}
				if err != nil {
					t.Error(err)
				}
				if got, err := b.Get(ctx, h); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	ok(t, b.Sync(ctx))
	n := 0
	ok(t, b.Walk(ctx, func([32]byte) error { n++; return nil }))
	if n != 60 {
		t.Errorf("%d blobs, want 60", n)
	}
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s is left over", p)
		}
		return nil
	})
}

func TestSweepTakesOnlyOldLeftovers(t *testing.T) {
	dir := t.TempDir()
	b, err := OpenBlobs(dir)
	ok(t, err)
	defer b.Close()
	h, err := b.Put(ctx, []byte("kept"))
	ok(t, err)
	ok(t, b.Sync(ctx))
	_, err = b.Put(ctx, []byte("being written"))
	ok(t, err)
	old := filepath.Join(dir, "aa", ".tmp-0123456789abcdef")
	ok(t, os.MkdirAll(filepath.Dir(old), 0o700))
	ok(t, os.WriteFile(old, []byte("half"), 0o600))
	long := time.Now().Add(-48 * time.Hour)
	ok(t, os.Chtimes(old, long, long))
	ok(t, os.Chtimes(filepath.Join(dir, blobName(h)), long, long))
	ok(t, b.Sweep(ctx, time.Now().Add(-24*time.Hour)))
	ok(t, b.Sync(ctx))
	onlyWhole(t, dir, blobName(h), blobName(sha256.Sum256([]byte("being written"))))
}

func TestPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	p, err := OpenPrivate(dir)
	ok(t, err)
	defer p.Close()
	_, err = p.Read("case/a")
	is(t, err, fs.ErrNotExist)
	ok(t, p.Create("case/a", []byte("first")))
	is(t, p.Create("case/a", []byte("second")), fs.ErrExist)
	if b, err := p.Read("case/a"); err != nil || string(b) != "first" {
		t.Errorf("%q, %v", b, err)
	}
	ok(t, p.Write("runs/x", []byte("1")))
	ok(t, p.Write("runs/x", []byte("12")))
	ok(t, p.Write("runs/deep/y", []byte("1")))
	onlyWhole(t, dir, "case/a", "runs/x", "runs/deep/y")
	for folder, want := range map[string][]string{"": {"case/a", "runs/deep/y", "runs/x"}, "runs": {"deep/y", "x"}, "none": nil} {
		if got, err := p.List(folder); err != nil || !slices.Equal(got, want) {
			t.Errorf("List(%q) is %q, %v", folder, got, err)
		}
	}
	for _, name := range []string{"case", "case/a"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || exposed(info) {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}

	ok(t, os.Chmod(filepath.Join(dir, "case/a"), 0o640))
	_, err = p.Read("case/a")
	is(t, err, ErrExposed)
	ok(t, os.Chmod(dir, 0o777))
	_, err = OpenPrivate(dir)
	is(t, err, ErrExposed)
}

// The bytes themselves go, not only their name: who has the file open, or finds
// its blocks, finds noise.
func TestDestroyOverwrites(t *testing.T) {
	dir := t.TempDir()
	p, err := OpenPrivate(dir)
	ok(t, err)
	defer p.Close()
	secret := []byte("AGE-SECRET-KEY-1EXAMPLE")
	ok(t, p.Create("person/x", secret))
	held, err := os.Open(filepath.Join(dir, "person/x"))
	ok(t, err)
	defer held.Close()
	ok(t, p.Destroy("person/x"))
	left, err := io.ReadAll(held)
	ok(t, err)
	if len(left) != len(secret) || bytes.Contains(left, secret[:8]) {
		t.Errorf("the blocks hold %q", left)
	}
	onlyWhole(t, dir)
	ok(t, p.Destroy("person/x"))
	ok(t, p.Destroy("never/was/there"))
	ok(t, p.Create("person/x", nil))
	ok(t, p.Destroy("person/x"))

	ok(t, os.Symlink("elsewhere", filepath.Join(dir, "link")))
	is(t, p.Destroy("link"), ErrRefused)
}

func TestWriteNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in", "copy")
	files := []form.Output{{Path: "a.md", Data: []byte("x")}, {Path: "rules/b.rules", Data: []byte("y")}}
	ok(t, WriteNew(dir, files))
	onlyWhole(t, filepath.Dir(dir), "copy/a.md", "copy/rules/b.rules")
	is(t, WriteNew(dir, files), fs.ErrExist)
	is(t, WriteNew(dir+"2", []form.Output{{Path: "../x"}}), ErrName)
	is(t, WriteNew(dir+"2", []form.Output{{Path: "a"}, {Path: "A"}}), ErrName)
	if err := WriteNew(dir+"2", []form.Output{{Path: "a"}, {Path: "a/b"}}); err == nil {
		t.Error("a file that is also a folder was written")
	}
	ok(t, os.Symlink("/tmp", dir+"3"))
	is(t, WriteNew(dir+"3", files), fs.ErrExist)
	// Nothing of the failures is left, hidden or not.
	entries, err := os.ReadDir(filepath.Dir(dir))
	ok(t, err)
	if len(entries) != 2 {
		t.Errorf("%v", entries)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "specimen")
	ok(t, os.WriteFile(name, []byte("12345"), 0o600))
	if b, err := ReadFile(name, 5); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	_, err := ReadFile(name, 4)
	is(t, err, ErrRefused)
	_, err = ReadFile(dir, 4)
	is(t, err, ErrRefused)
	_, err = ReadFile(name+"\x1b", 4)
	is(t, err, fs.ErrNotExist)
	if strings.Contains(err.Error(), "\x1b") {
		t.Errorf("%q carries an escape", err)
	}
}

func TestPublisherConforms(t *testing.T) {
	storetest.RunPublisher(t, func(t *testing.T) ledger.Publisher {
		p, err := OpenPublisher(t.TempDir())
		ok(t, err)
		t.Cleanup(func() { p.Close() })
		return p
	})
}

func TestOutsideConforms(t *testing.T) {
	storetest.RunOutside(t, func(t *testing.T) (a, b ledger.Outside) {
		name := filepath.Join(t.TempDir(), "checkpoint")
		o, err := OpenOutside(name)
		ok(t, err)
		again, err := OpenOutside(name)
		ok(t, err)
		t.Cleanup(func() { o.Close(); again.Close() })
		return o, again
	})
}
