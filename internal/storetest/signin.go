package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forewarn/internal/signin"
)

// SignIn is the conformance suite of sign-in's stores. fresh makes an empty one.
func SignIn(t *testing.T, fresh func(*testing.T) signin.Store) {
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	ctx := context.Background()
	item := func(kind string, n byte, owner byte, ends time.Duration) signin.Item {
		return signin.Item{Kind: kind, Key: signin.Key{n}, Owner: [16]byte{owner}, Value: []byte{n, owner}, Expires: now.Add(ends)}
	}
	none := func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, signin.ErrNone) {
			t.Errorf("%v, want ErrNone", err)
		}
	}
	put := func(t *testing.T, s signin.Store, its ...signin.Item) {
		t.Helper()
		for _, it := range its {
			if err := s.Put(ctx, it); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("get", func(t *testing.T) {
		s := fresh(t)
		put(t, s, item("a", 1, 7, time.Hour))
		got, err := s.Get(ctx, "a", signin.Key{1}, now)
		if want := item("a", 1, 7, time.Hour); err != nil || got.Kind != want.Kind || got.Key != want.Key || got.Owner != want.Owner || string(got.Value) != string(want.Value) || !got.Expires.Equal(want.Expires) {
			t.Errorf("%+v, %v", got, err)
		}
		_, err = s.Get(ctx, "b", signin.Key{1}, now)
		none(t, err)
		_, err = s.Get(ctx, "a", signin.Key{2}, now)
		none(t, err)
		_, err = s.Get(ctx, "a", signin.Key{1}, now.Add(time.Hour))
		none(t, err)
		put(t, s, item("a", 1, 8, time.Hour))
		if got, err := s.Get(ctx, "a", signin.Key{1}, now); err != nil || got.Owner[0] != 8 {
			t.Errorf("put in place: %+v, %v", got, err)
		}
	})
	t.Run("replace", func(t *testing.T) {
		s := fresh(t)
		none(t, s.Replace(ctx, item("a", 1, 7, time.Hour)))
		_, err := s.Get(ctx, "a", signin.Key{1}, now)
		none(t, err)
		put(t, s, item("a", 1, 7, time.Hour))
		if err := s.Replace(ctx, item("a", 1, 7, 2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, "a", signin.Key{1}, now); err != nil || !got.Expires.Equal(now.Add(2*time.Hour)) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("add", func(t *testing.T) {
		s := fresh(t)
		var got atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				err := s.Add(ctx, item("a", 1, byte(i), time.Hour), now)
				if err == nil {
					got.Add(1)
				} else if !errors.Is(err, signin.ErrTaken) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Errorf("%d added one item", got.Load())
		}
		if err := s.Add(ctx, item("b", 1, 9, time.Hour), now); err != nil {
			t.Errorf("another kind: %v", err)
		}
		if err := s.Add(ctx, item("a", 1, 9, 2*time.Hour), now.Add(time.Hour)); err != nil {
			t.Errorf("in place of one that lapsed: %v", err)
		}
		if got, err := s.Get(ctx, "a", signin.Key{1}, now.Add(time.Hour)); err != nil || got.Owner[0] != 9 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("take and drop", func(t *testing.T) {
		s := fresh(t)
		put(t, s, item("a", 1, 7, time.Hour), item("a", 2, 7, time.Hour), item("a", 3, 7, time.Hour))
		var got atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := s.Take(ctx, "a", signin.Key{1}, now); err == nil {
					got.Add(1)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Errorf("%d took one item", got.Load())
		}
		_, err := s.Take(ctx, "a", signin.Key{2}, now.Add(time.Hour))
		none(t, err)
		_, err = s.Get(ctx, "a", signin.Key{2}, now)
		none(t, err) // a lapsed one is taken away too
		if err := errors.Join(s.Drop(ctx, "a", signin.Key{3}), s.Drop(ctx, "a", signin.Key{3})); err != nil {
			t.Error(err)
		}
		_, err = s.Get(ctx, "a", signin.Key{3}, now)
		none(t, err)
	})
	t.Run("owned", func(t *testing.T) {
		s := fresh(t)
		put(t, s, item("a", 2, 7, time.Hour), item("a", 1, 7, time.Hour), item("a", 3, 8, time.Hour), item("b", 4, 7, time.Hour), item("a", 5, 7, time.Minute))
		got, err := s.Owned(ctx, "a", [16]byte{7}, now.Add(time.Minute))
		if err != nil || len(got) != 2 || got[0].Key != (signin.Key{1}) || got[1].Key != (signin.Key{2}) || got[0].Owner[0] != 7 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("count", func(t *testing.T) {
		s := fresh(t)
		for i, row := range []struct {
			kind string
			at   time.Duration
			want int
		}{{"a", 0, 1}, {"a", 30 * time.Second, 2}, {"b", 30 * time.Second, 1}, {"a", 59 * time.Second, 3}, {"a", time.Minute, 1}, {"a", 119 * time.Second, 2}, {"a", 2 * time.Minute, 1}} {
			if n, err := s.Count(ctx, row.kind, signin.Key{1}, now.Add(row.at), time.Minute); err != nil || n != row.want {
				t.Errorf("row %d: %d, %v; want %d", i, n, err, row.want)
			}
		}
	})
	t.Run("sweep", func(t *testing.T) {
		s := fresh(t)
		put(t, s, item("a", 1, 7, time.Minute), item("a", 2, 7, time.Hour))
		if err := s.Sweep(ctx, now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Get(ctx, "a", signin.Key{1}, now)
		none(t, err)
		if _, err := s.Get(ctx, "a", signin.Key{2}, now); err != nil {
			t.Error(err)
		}
	})
}
