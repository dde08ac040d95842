// Package signin keeps who is signed in: sessions, the challenges of ceremonies
// that are under way, and counts for limits of rate.
//
// All of it may be lost at any time. A store that is deleted signs people out,
// forgets ceremonies that were begun, and gives those who tried too often a
// fresh start; nothing else. So nothing that a decision needs may be kept here:
// credentials, invitations and API tokens are entries of the log.
//
// What is in a store opens nothing: secrets are kept as their SHA-256 alone.
package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"time"

	"forewarn/internal/wire"
)

// ErrNone: there is no such item, or it lapsed.
var ErrNone = errors.New("nothing is kept under that key")

// Key names an item: the SHA-256 of a secret, or of what is counted.
type Key [32]byte

// ErrTaken: there is an item of that kind and key already.
var ErrTaken = errors.New("something is kept under that key")

// Item is one thing that is kept until it lapses.
type Item struct {
	Kind    string // "session", "ceremony", …: keys of one kind say nothing of another's
	Key     Key
	Owner   [16]byte // an account; zero: nobody's
	Value   []byte
	Expires time.Time
}

// Store keeps items. Methods may be called concurrently. Their errors, but
// ErrNone and ErrTaken, are worth another try and no reason to let anybody in.
type Store interface {
	// Put keeps an item, in place of one of the same kind and key.
	Put(context.Context, Item) error
	// Add is Put where nothing is kept that has not lapsed at that time, and else
	// ErrTaken. Of all that add an item, one does.
	Add(ctx context.Context, it Item, now time.Time) error
	// Replace is Put where an item is kept already, whether it lapsed or not, and
	// else ErrNone: what was dropped meanwhile does not come back.
	Replace(context.Context, Item) error
	// Get returns an item that has not lapsed at that time, or ErrNone.
	Get(ctx context.Context, kind string, key Key, now time.Time) (Item, error)
	// Take is Get that also removes it. Of all that take an item, one gets it.
	Take(ctx context.Context, kind string, key Key, now time.Time) (Item, error)
	// Drop removes an item; one that isn't there is no error.
	Drop(ctx context.Context, kind string, key Key) error
	// Owned lists an owner's items of a kind that have not lapsed.
	Owned(ctx context.Context, kind string, owner [16]byte, now time.Time) ([]Item, error)
	// Count adds one to a counter, which begins anew when its window is over,
	// and returns what it has come to.
	Count(ctx context.Context, kind string, key Key, now time.Time, window time.Duration) (int, error)
	// Sweep removes what has lapsed.
	Sweep(ctx context.Context, now time.Time) error
}

// Secret draws 32 bytes for somebody to hold, as text for a cookie or a link.
func Secret(rand io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// KeyOf is the key of what somebody holds.
func KeyOf(secret string) Key { return sha256.Sum256([]byte(secret)) }

// maxText bounds the texts in a session.
const maxText = 256

// Session is one signed-in browser.
type Session struct {
	Key        Key // not part of what is kept under it
	Account    [16]byte
	Credential [32]byte  // SHA-256 of the id of the passkey that it was begun with
	Begun      time.Time // it ends at a fixed time after this
	Seen       time.Time // and when it was not used for some time
	Proved     time.Time // when its person last proved who they are
	Agent      string    // what the browser calls itself, for its owner to know it by
	Zone       string    // IANA name of the zone to show times in; empty: UTC alone
}

// Wire is the layout of a session's value.
func (s *Session) Wire(c *wire.Coder) {
	c.Fixed(s.Account[:])
	c.Fixed(s.Credential[:])
	c.Time(&s.Begun)
	c.Time(&s.Seen)
	c.Time(&s.Proved)
	wire.Text(c, &s.Agent, maxText)
	wire.Text(c, &s.Zone, maxText)
}

// Sessions says how long sessions last, and keeps them.
type Sessions struct {
	Store    Store
	Rand     io.Reader
	Idle     time.Duration // not used for so long, a session ends
	Absolute time.Duration // and in any case so long after it was begun
	Fresh    time.Duration // how long a proof of who somebody is counts as fresh
}

const sessionKind = "session"

// Begin makes a session and returns the secret of its cookie. A session that is
// given is ended: a secret that somebody had before they signed in is worth
// nothing after.
func (s *Sessions) Begin(ctx context.Context, old Key, n Session, now time.Time) (secret string, err error) {
	if old != (Key{}) {
		if err := s.Store.Drop(ctx, sessionKind, old); err != nil {
			return "", err
		}
	}
	if secret, err = Secret(s.Rand); err != nil {
		return "", err
	}
	n.Key, n.Begun, n.Seen, n.Proved = KeyOf(secret), now, now, now
	n.Agent, n.Zone = clip(n.Agent), clip(n.Zone)
	return secret, s.keep(ctx, n, s.Store.Put)
}

func (s *Sessions) keep(ctx context.Context, n Session, put func(context.Context, Item) error) error {
	ends := n.Begun.Add(s.Absolute)
	if idle := n.Seen.Add(s.Idle); idle.Before(ends) {
		ends = idle
	}
	b, err := wire.Append(nil, &n)
	if err != nil {
		return err
	}
	return put(ctx, Item{Kind: sessionKind, Key: n.Key, Owner: n.Account, Value: b, Expires: ends})
}

// Find is the session of a secret, or ErrNone. That it was seen is noted, once
// a minute at most.
func (s *Sessions) Find(ctx context.Context, secret string, now time.Time) (n Session, err error) {
	it, err := s.Store.Get(ctx, sessionKind, KeyOf(secret), now)
	if err != nil {
		return n, err
	}
	if n, err = parse(it); err != nil {
		return n, err
	}
	if now.Sub(n.Seen) >= time.Minute {
		n.Seen = now
		err = s.keep(ctx, n, s.Store.Replace)
	}
	return n, err
}

func parse(it Item) (n Session, err error) {
	if wire.Unmarshal(it.Value, &n) != nil {
		return n, ErrNone // of another version: sign in again
	}
	n.Key = it.Key
	return n, nil
}

// IsFresh reports whether the session's person proved who they are just now.
func (s *Sessions) IsFresh(n Session, now time.Time) bool {
	return !now.Before(n.Proved) && now.Sub(n.Proved) < s.Fresh
}

// Prove notes that a session's person just proved who they are. The session goes
// on under a new secret, for as long as it would have.
func (s *Sessions) Prove(ctx context.Context, n Session, now time.Time) (secret string, err error) {
	if err := s.Store.Drop(ctx, sessionKind, n.Key); err != nil {
		return "", err
	}
	if secret, err = Secret(s.Rand); err != nil {
		return "", err
	}
	n.Key, n.Seen, n.Proved = KeyOf(secret), now, now
	return secret, s.keep(ctx, n, s.Store.Put)
}

// Of lists an account's sessions.
func (s *Sessions) Of(ctx context.Context, account [16]byte, now time.Time) (out []Session, err error) {
	items, err := s.Store.Owned(ctx, sessionKind, account, now)
	for _, it := range items {
		if n, err := parse(it); err == nil {
			out = append(out, n)
		}
	}
	return out, err
}

// End ends an account's session. Another account's is left alone, and is no
// error: nobody learns of it.
func (s *Sessions) End(ctx context.Context, account [16]byte, key Key, now time.Time) error {
	it, err := s.Store.Get(ctx, sessionKind, key, now)
	if errors.Is(err, ErrNone) || err == nil && it.Owner != account {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Store.Drop(ctx, sessionKind, key)
}

// clip shortens what a browser says of itself to printable ASCII of a bounded
// length.
func clip(s string) string {
	b := make([]byte, 0, min(len(s), maxText))
	for i := 0; i < len(s) && len(b) < maxText; i++ {
		if s[i] >= ' ' && s[i] < 0x7f {
			b = append(b, s[i])
		}
	}
	return string(b)
}
