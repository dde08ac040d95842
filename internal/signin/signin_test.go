package signin_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"forewarn/internal/memstore"
	"forewarn/internal/signin"
)

var (
	ctx  = context.Background()
	dawn = time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	ana  = [16]byte{1}
)

func sessions(store signin.Store) *signin.Sessions {
	return &signin.Sessions{Store: store, Rand: rand.NewChaCha8([32]byte{1}), Idle: time.Hour, Absolute: 12 * time.Hour, Fresh: 5 * time.Minute}
}

func begin(t *testing.T, s *signin.Sessions, old signin.Key) string {
	t.Helper()
	secret, err := s.Begin(ctx, old, signin.Session{Account: ana, Agent: "a\x00b\nc" + strings.Repeat("x", 400), Zone: "Europe/Vienna"}, dawn)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestSessions(t *testing.T) {
	s := sessions(memstore.NewSignIn())
	secret := begin(t, s, signin.Key{})
	n, err := s.Find(ctx, secret, dawn)
	if err != nil || n.Account != ana || n.Key != signin.KeyOf(secret) || !n.Begun.Equal(dawn) || n.Zone != "Europe/Vienna" || !strings.HasPrefix(n.Agent, "abc") || len(n.Agent) != 256 {
		t.Errorf("%+v, %v", n, err)
	}
	if !s.IsFresh(n, dawn.Add(299*time.Second)) || s.IsFresh(n, dawn.Add(300*time.Second)) || s.IsFresh(n, dawn.Add(-time.Second)) {
		t.Error("fresh is for five minutes, and not before")
	}
	gone := func(secret string, at time.Duration) {
		t.Helper()
		if n, err := s.Find(ctx, secret, dawn.Add(at)); !errors.Is(err, signin.ErrNone) {
			t.Errorf("%+v, %v", n, err)
		}
	}
	gone(secret, time.Hour)
	gone(secret+"x", 0)
	gone("", 0)
	// Used, it goes on; until the end in any case.
	for at := time.Duration(0); at < 12*time.Hour; at += 59 * time.Minute {
		if _, err := s.Find(ctx, secret, dawn.Add(at)); err != nil {
			t.Fatalf("after %s: %v", at, err)
		}
	}
	gone(secret, 12*time.Hour)

	// Another sign-in of the same browser ends the first.
	s = sessions(memstore.NewSignIn())
	first := begin(t, s, signin.Key{})
	second := begin(t, s, signin.KeyOf(first))
	gone(first, 0)
	n, err = s.Find(ctx, second, dawn.Add(10*time.Minute))
	if err != nil || s.IsFresh(n, dawn.Add(10*time.Minute)) {
		t.Errorf("%+v, %v", n, err)
	}
	third, err := s.Prove(ctx, n, dawn.Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	gone(second, 10*time.Minute)
	if n, err = s.Find(ctx, third, dawn.Add(10*time.Minute)); err != nil || !s.IsFresh(n, dawn.Add(10*time.Minute)) || !n.Begun.Equal(dawn) {
		t.Errorf("a proof: %+v, %v", n, err)
	}
	gone(third, 12*time.Hour)
	if list, err := s.Of(ctx, ana, dawn.Add(10*time.Minute)); err != nil || len(list) != 1 || list[0].Key != signin.KeyOf(third) {
		t.Errorf("%+v, %v", list, err)
	}
	if err := errors.Join(s.End(ctx, [16]byte{2}, signin.KeyOf(third), dawn), s.End(ctx, ana, signin.Key{9}, dawn)); err != nil {
		t.Error(err)
	}
	if _, err := s.Find(ctx, third, dawn.Add(11*time.Minute)); err != nil {
		t.Error("another account ended it")
	}
	if err := s.End(ctx, ana, signin.KeyOf(third), dawn.Add(11*time.Minute)); err != nil {
		t.Error(err)
	}
	gone(third, 11*time.Minute)
}

// racing drops a session between its being looked up and being noted as seen.
type racing struct {
	signin.Store
	drop func()
}

func (r racing) Get(ctx context.Context, kind string, key signin.Key, now time.Time) (signin.Item, error) {
	it, err := r.Store.Get(ctx, kind, key, now)
	r.drop()
	return it, err
}

// TestEndedStaysEnded: that a session was seen does not bring it back.
func TestEndedStaysEnded(t *testing.T) {
	store := memstore.NewSignIn()
	secret := begin(t, sessions(store), signin.Key{})
	s := sessions(racing{store, func() { store.Drop(ctx, "session", signin.KeyOf(secret)) }})
	if _, err := s.Find(ctx, secret, dawn.Add(2*time.Minute)); !errors.Is(err, signin.ErrNone) {
		t.Errorf("an ended session: %v", err)
	}
	if _, err := sessions(store).Find(ctx, secret, dawn.Add(2*time.Minute)); !errors.Is(err, signin.ErrNone) {
		t.Errorf("and it is back: %v", err)
	}
}

// FuzzSession: what is kept is read back, or is no session; never more.
func FuzzSession(f *testing.F) {
	store := memstore.NewSignIn()
	s := sessions(store)
	secret, err := s.Begin(ctx, signin.Key{}, signin.Session{Account: ana, Agent: "Firefox", Zone: "UTC"}, dawn)
	if err != nil {
		f.Fatal(err)
	}
	it, err := store.Get(ctx, "session", signin.KeyOf(secret), dawn)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(it.Value)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, value []byte) {
		it.Value = value
		if err := store.Put(ctx, it); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Find(ctx, secret, dawn); err == nil && n.Key != it.Key || err != nil && !errors.Is(err, signin.ErrNone) {
			t.Errorf("%+v, %v", n, err)
		}
	})
}
