package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"forewarn/internal/signin"
	"forewarn/internal/sqlite"
	"forewarn/internal/storetest"
)

func openSignIn(t *testing.T, path string) *sqlite.SignIn {
	t.Helper()
	s, err := sqlite.OpenSignIn(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSignIn(t *testing.T) {
	storetest.SignIn(t, func(t *testing.T) signin.Store { return openSignIn(t, filepath.Join(t.TempDir(), "ephemeral.db")) })
}

// TestSignInIsMadeAnew: the file may be deleted, cut, or anything else; what is
// lost is who was signed in.
func TestSignInIsMadeAnew(t *testing.T) {
	ctx, now := context.Background(), time.Now()
	path := filepath.Join(t.TempDir(), "ephemeral.db")
	it := signin.Item{Kind: "session", Key: signin.Key{1}, Value: []byte("x"), Expires: now.Add(time.Hour)}
	for name, harm := range map[string]func() error{
		"left alone": func() error { return nil },
		"deleted":    func() error { return os.Remove(path) },
		"no SQLite":  func() error { return os.WriteFile(path, []byte("something else, long enough to be looked at"), 0o600) },
		"cut":        func() error { return os.Truncate(path, 5000) },
		"emptied":    func() error { return os.Truncate(path, 0) },
	} {
		s := openSignIn(t, path)
		if err := s.Put(ctx, it); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		s = openSignIn(t, path)
		if _, err := s.Get(ctx, "session", signin.Key{1}, now); (err == nil) != (name == "left alone") || err != nil && !errors.Is(err, signin.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Put(ctx, it); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file's mode is %v, %v", name, info.Mode(), err)
		}
	}
}

// TestSignInOutlivesAnInterruptedStart: a start that is stopped, or that another
// program holds up, takes nobody's session and no answer that was given.
func TestSignInOutlivesAnInterruptedStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ephemeral.db")
	s, now := openSignIn(t, path), time.Now()
	it := signin.Item{Kind: "answer", Key: signin.Key{1}, Value: []byte("x"), Expires: now.Add(time.Hour)}
	if err := s.Put(t.Context(), it); err != nil {
		t.Fatal(err)
	}
	s.Close()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := sqlite.OpenSignIn(stopped, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a start that is stopped: %v", err)
	}
	if _, err := openSignIn(t, path).Get(t.Context(), "answer", signin.Key{1}, now); err != nil {
		t.Errorf("it took what was kept: %v", err)
	}
}
