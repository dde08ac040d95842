package home_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forewarn/internal/form"
	"forewarn/internal/home"
)

// A sealer that is met at a socket does what a child does; when it is away nothing is
// sealed, and when it is back what was left is.
func TestSealerAtASocket(t *testing.T) {
	t.Parallel()
	tn := found(t, 1)
	ok(t, tn.desk.Close())
	// Socket paths are short.
	dir, err := os.MkdirTemp("", "fw")
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	name := filepath.Join(tn.dir, home.ConfigName)
	b, err := os.ReadFile(name)
	ok(t, err)
	ok(t, os.WriteFile(name, []byte(strings.Replace(string(b), `"outside"`, `"sealer": "`+socket+`", "outside"`, 1)), 0o644))
	away := filepath.Join(dir, "vault")
	ok(t, os.Rename(filepath.Join(tn.dir, "sealer"), away))
	m := home.Machine{Clock: tn.clock.Now, Rand: dice("socket")}
	tn.home, err = home.OpenOn(tn.dir, m)
	ok(t, err)
	tn.desk, err = tn.home.Desk(ctx)
	ok(t, err)

	id := tn.draft(form.Description, tn.members...)
	if err := tn.desk.Approve(ctx, tn.who["ben"], id, nil); err == nil || !strings.Contains(err.Error(), "socket") {
		t.Fatalf("sealing with nobody at the socket: %v", err)
	}
	l, err := net.Listen("unix", socket)
	ok(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = home.ServeSealer(ctx, away, m, c, c)
			}()
		}
	}()
	n, err := tn.desk.Resume(ctx, nil)
	if err != nil || n != 1 {
		t.Fatalf("with somebody there: %d, %v", n, err)
	}
	ok(t, tn.desk.Close())
	if _, err := os.Stat(filepath.Join(tn.dir, "sealer")); err == nil {
		t.Error("the desk made itself a folder for the sealer")
	}
	tn.desk, err = tn.home.Desk(ctx)
	ok(t, err)
}
