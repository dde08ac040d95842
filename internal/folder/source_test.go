//go:build unix

package folder

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"forewarn/internal/carrier"
)

// source makes a folder: names ending in / are folders, others files.
func source(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range names {
		p := filepath.Join(dir, n)
		if strings.HasSuffix(n, "/") {
			ok(t, os.MkdirAll(p, 0o755))
			continue
		}
		ok(t, os.MkdirAll(filepath.Dir(p), 0o755))
		ok(t, os.WriteFile(p, []byte("content of "+n), 0o644))
	}
	return dir
}

func TestLoadSource(t *testing.T) {
	dir := source(t, "rules/gate.rules", "forewarn.yaml", "a b.md", "empty/", "rules.md")
	src, err := LoadSource(dir)
	ok(t, err)
	want := []string{"a b.md", "forewarn.yaml", "rules.md", "rules/gate.rules"}
	if len(src.Files) != len(want) {
		t.Fatalf("%d files, want %d", len(src.Files), len(want))
	}
	for i, f := range src.Files {
		if f.Path != want[i] || string(f.Data) != "content of "+want[i] {
			t.Errorf("%q: %q, want %q", f.Path, f.Data, want[i])
		}
	}
	// The folder itself may be named through a link: a person chose it.
	link := filepath.Join(t.TempDir(), "link")
	ok(t, os.Symlink(dir, link))
	if _, err := LoadSource(link); err != nil {
		t.Error(err)
	}
}

func TestLoadSourceRefuses(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	ok(t, os.WriteFile(secret, []byte("secret"), 0o600))
	cases := []struct {
		name string
		make func(dir string) error
		want string
	}{
		{"nothing", func(dir string) error { return os.Remove(filepath.Join(dir, "ok.md")) }, "no file in it"},
		{"link out", func(dir string) error { return os.Symlink(secret, filepath.Join(dir, "l")) }, `"l": a symbolic link`},
		{"link in", func(dir string) error { return os.Symlink("ok.md", filepath.Join(dir, "l")) }, `"l": a symbolic link`},
		{"folder link", func(dir string) error { return os.Symlink(filepath.Dir(secret), filepath.Join(dir, "d")) }, `"d": a symbolic link`},
		{"dangling link", func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "l")) }, `"l": a symbolic link`},
		{"pipe", func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "p"), 0o600) }, `"p": a named pipe`},
		{"socket", func(dir string) error {
			l, err := net.Listen("unix", filepath.Join(dir, "s"))
			if err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				l.Close()
			}
			return err
		}, `"s": a socket`},
		{"hidden", func(dir string) error { return os.WriteFile(filepath.Join(dir, ".env"), nil, 0o600) }, `".env": a hidden file`},
		{"hidden folder", func(dir string) error { return os.Mkdir(filepath.Join(dir, ".git"), 0o700) }, `".git": a hidden file`},
		{"terminal escape", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\x1b]0;x\x07.md"), nil, 0o600) }, `\x1b]0;x\a.md`},
		{"line break", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\nok"), nil, 0o600) }, `"a\nok"`},
		{"not UTF-8", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\xff"), nil, 0o600) }, `"a\xff"`},
		{"reversed text", func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\u202etxt.exe"), nil, 0o600) }, `\u202e`},
		{"backslash", func(dir string) error { return os.WriteFile(filepath.Join(dir, `a\..\b`), nil, 0o600) }, "not allowed"},
		{"device name", func(dir string) error { return os.WriteFile(filepath.Join(dir, "con.md"), nil, 0o600) }, "device"},
		{"escape in a folder", func(dir string) error { return os.Mkdir(filepath.Join(dir, "d\x1b"), 0o700) }, `"d\x1b"`},
		{"deep", func(dir string) error { return os.MkdirAll(dir+strings.Repeat("/d", maxDepth+1), 0o700) }, "deep"},
		{"long", func(dir string) error { return os.WriteFile(filepath.Join(dir, strings.Repeat("x", 201)), nil, 0o600) }, "1 to 200"},
		{"too big", func(dir string) error { return sparse(filepath.Join(dir, "big"), carrier.MaxFile+1) }, fmt.Sprintf(`"big": %d bytes`, carrier.MaxFile+1)},
		{"a gigabyte", func(dir string) error { return sparse(filepath.Join(dir, "big"), 1<<40) }, `"big": 1099511627776 bytes`},
		{"too much", func(dir string) error {
			for i := range carrier.MaxTotal/carrier.MaxFile + 1 {
				if err := sparse(filepath.Join(dir, fmt.Sprint("f", i)), carrier.MaxFile); err != nil {
					return err
				}
			}
			return nil
		}, "bytes together"},
		{"too many", func(dir string) error {
			for i := range carrier.MaxFiles + 2 {
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), nil, 0o600); err != nil {
					return err
				}
			}
			return nil
		}, "files; pack"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := source(t, "ok.md")
			if err := c.make(dir); err != nil {
				t.Skipf("this file system does not do it: %v", err)
			}
			src, err := LoadSource(dir)
			is(t, err, ErrRefused)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(src.Files) != 0 {
				t.Fatalf("%d files and %v, want %q", len(src.Files), err, c.want)
			}
			if strings.ContainsAny(err.Error(), "\x1b\x07\x00\u202e") || !utf8.ValidString(err.Error()) {
				t.Errorf("%q carries what a terminal would act upon", err)
			}
		})
	}
	t.Run("all at once", func(t *testing.T) {
		dir := source(t, "ok.md", ".a", ".b")
		_, err := LoadSource(dir)
		if err == nil || !strings.Contains(err.Error(), ".a") || !strings.Contains(err.Error(), ".b") {
			t.Errorf("%v does not tell both", err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		_, err := LoadSource(filepath.Join(t.TempDir(), "none"))
		is(t, err, fs.ErrNotExist)
	})
}

func sparse(name string, size int64) error {
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		return err
	}
	return os.Truncate(name, size)
}

// Whoever can write to the source folder exchanges a folder and a file for
// links to a secret, over and over, while it is loaded. Whatever is loaded must
// never be the secret.
func TestLoadSourceCannotBeRacedOut(t *testing.T) {
	outside := source(t, "x.md", "y.md")
	for _, n := range []string{"x.md", "y.md"} {
		ok(t, os.WriteFile(filepath.Join(outside, n), []byte("SECRET"), 0o600))
	}
	dir := source(t, "d/x.md", "y.md")
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		d, y := filepath.Join(dir, "d"), filepath.Join(dir, "y.md")
		for {
			select {
			case <-done:
				return
			default:
			}
			os.Rename(d, d+"2")
			os.Symlink(outside, d)
			os.Remove(d)
			os.Rename(d+"2", d)
			os.Symlink(filepath.Join(outside, "y.md"), y+"2")
			os.Rename(y+"2", y)
			os.WriteFile(y+"3", []byte("mine"), 0o600)
			os.Rename(y+"3", y)
		}
	}()
	loaded := 0
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		src, err := LoadSource(dir)
		if err != nil {
			continue
		}
		loaded++
		for _, f := range src.Files {
			if bytes.Contains(f.Data, []byte("SECRET")) {
				t.Fatalf("%s was read from outside", f.Path)
			}
		}
	}
	close(done)
	<-stopped
	t.Logf("loaded %d times", loaded)
}

// A pipe planted between looking and opening must not hang the reader.
func TestReadingAPipeDoesNotWait(t *testing.T) {
	name := filepath.Join(t.TempDir(), "p")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	_, err := ReadFile(name, 10)
	is(t, err, ErrRefused)
}
