package memstore

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"forewarn/internal/signin"
)

// SignIn keeps sign-in's items in memory.
type SignIn struct {
	mu     sync.Mutex
	items  map[signinKey]signin.Item
	counts map[signinKey]count
}

type signinKey struct {
	kind string
	key  signin.Key
}

type count struct {
	n    int
	ends time.Time
}

var _ signin.Store = (*SignIn)(nil)

// NewSignIn is an empty store.
func NewSignIn() *SignIn {
	return &SignIn{items: map[signinKey]signin.Item{}, counts: map[signinKey]count{}}
}

// Put keeps an item.
func (s *SignIn) Put(ctx context.Context, it signin.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	it.Value = slices.Clone(it.Value)
	s.items[signinKey{it.Kind, it.Key}] = it
	return ctx.Err()
}

// Add keeps an item where none is.
func (s *SignIn) Add(ctx context.Context, it signin.Item, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := signinKey{it.Kind, it.Key}
	if have, ok := s.items[k]; ok && now.Before(have.Expires) {
		return cmp.Or(ctx.Err(), signin.ErrTaken)
	}
	it.Value = slices.Clone(it.Value)
	s.items[k] = it
	return ctx.Err()
}

// Replace keeps an item in place of one.
func (s *SignIn) Replace(ctx context.Context, it signin.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := signinKey{it.Kind, it.Key}
	if _, ok := s.items[k]; !ok {
		return cmp.Or(ctx.Err(), signin.ErrNone)
	}
	it.Value = slices.Clone(it.Value)
	s.items[k] = it
	return ctx.Err()
}

// Get returns an item.
func (s *SignIn) Get(ctx context.Context, kind string, key signin.Key, now time.Time) (signin.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[signinKey{kind, key}]
	if !ok || !now.Before(it.Expires) {
		return signin.Item{}, cmp.Or(ctx.Err(), signin.ErrNone)
	}
	it.Value = slices.Clone(it.Value)
	return it, ctx.Err()
}

// Take returns an item and removes it.
func (s *SignIn) Take(ctx context.Context, kind string, key signin.Key, now time.Time) (signin.Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[signinKey{kind, key}]
	delete(s.items, signinKey{kind, key})
	if !ok || !now.Before(it.Expires) {
		return signin.Item{}, cmp.Or(ctx.Err(), signin.ErrNone)
	}
	return it, ctx.Err()
}

// Drop removes an item.
func (s *SignIn) Drop(ctx context.Context, kind string, key signin.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.items, signinKey{kind, key})
	return ctx.Err()
}

// Owned lists an owner's items, by key.
func (s *SignIn) Owned(ctx context.Context, kind string, owner [16]byte, now time.Time) (out []signin.Item, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, it := range s.items {
		if k.kind == kind && it.Owner == owner && now.Before(it.Expires) {
			out = append(out, it)
		}
	}
	slices.SortFunc(out, func(a, b signin.Item) int { return slices.Compare(a.Key[:], b.Key[:]) })
	return out, ctx.Err()
}

// Count adds one.
func (s *SignIn) Count(ctx context.Context, kind string, key signin.Key, now time.Time, window time.Duration) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := signinKey{kind, key}
	c := s.counts[k]
	if !now.Before(c.ends) {
		c = count{ends: now.Add(window)}
	}
	c.n++
	s.counts[k] = c
	return c.n, ctx.Err()
}

// Sweep removes what has lapsed.
func (s *SignIn) Sweep(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, it := range s.items {
		if !now.Before(it.Expires) {
			delete(s.items, k)
		}
	}
	for k, c := range s.counts {
		if !now.Before(c.ends) {
			delete(s.counts, k)
		}
	}
	return ctx.Err()
}
