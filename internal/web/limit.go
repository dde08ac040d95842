package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// How much the desk takes on. Numbers for a small machine; doc/api.md says them.
const (
	// Requests that are worked on at once. Public pages have slots of their own, and
	// so have reserved ones, those for strangers others than those for who is signed
	// in: no herd of polls keeps strangers from what is public, and neither keeps out
	// who signs in and ends an embargo. More at once would be no quicker, and what is
	// short would wait behind what is long.
	commonSlots = 16
	publicSlots = 16
	staffSlots  = 16
	doorSlots   = 16

	patience = 5 * time.Second // for a slot

	// Bytes of bodies that are held at once, beyond what every page takes of one: those
	// of who is signed in, and strangers'. Above them nothing long is taken; what is short
	// always is.
	accountBodies  = 192 << 20
	strangerBodies = 64 << 20

	// An account's requests to the API: a poll every few seconds and a burst for
	// what came are far below.
	accountBurst = 240
	accountRate  = 10 // a second

	// What strangers of one network may send in.
	strangerBurst = 20
	strangerRate  = 1.0 / 15

	mostBuckets = 100_000
)

var errBusy = errors.New("too many requests are under way")

// slots bounds what is worked on at once.
type slots struct {
	common, public, staff, door chan struct{}
	wait                        time.Duration
	bodies, strangers           room // for what is sent in
}

func newSlots() slots {
	return slots{make(chan struct{}, commonSlots), make(chan struct{}, publicSlots), make(chan struct{}, staffSlots), make(chan struct{}, doorSlots), patience, newRoom(accountBodies), newRoom(strangerBodies)}
}

// room is how many bytes more may be held.
type room struct{ left *atomic.Int64 }

func newRoom(bytes int64) room {
	r := room{new(atomic.Int64)}
	r.left.Store(bytes)
	return r
}

// read reads to the end. What goes beyond a usual body takes room as it comes, so that
// who sends slowly holds little more than was sent. done gives it back.
func (r room) read(body io.Reader) (b []byte, done func(), err error) {
	var out bytes.Buffer
	var held int64
	done = func() { r.left.Add(held) }
	for part := int64(defaultLimit + 1); ; part = defaultLimit {
		switch _, err := io.CopyN(&out, body, part); {
		case err == io.EOF:
			return out.Bytes(), done, nil
		case err != nil:
			return nil, done, err
		}
		held += defaultLimit
		if r.left.Add(-defaultLimit) < 0 {
			return nil, done, errBusy
		}
	}
}

// take waits for a slot for a page, and says how to give it back.
func (s *slots) take(ctx context.Context, p *Page) (release func(), err error) {
	of := s.common
	switch {
	case p.Who == Alike && !p.Shared && !p.Works:
		return func() {}, nil // a file, the same for all: quicker sent than queued
	case p.Reserved && p.Who == Anyone:
		of = s.door
	case p.Reserved:
		of = s.staff
	case p.Who != SignedIn:
		of = s.public
	}
	select {
	case of <- struct{}{}:
	default:
		t := time.NewTimer(s.wait)
		defer t.Stop()
		select {
		case of <- struct{}{}:
		case <-t.C:
			return nil, errBusy
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return sync.OnceFunc(func() { <-of }), nil
}

// release gives back the visit's slot, before it is over if nothing of the desk is
// needed any more.
func (v *Visit) release() {
	if v.done != nil {
		v.done()
	}
}

// retake waits for a slot again after release, for as long as somebody waits for the
// answer: it was begun, and there is no other way to say that the desk is busy.
func (v *Visit) retake() error {
	for {
		done, err := v.site.slots.take(v.Context(), v.Page)
		if errors.Is(err, errBusy) {
			continue
		}
		if err == nil {
			v.done = done
		}
		return err
	}
}

// buckets limits rates: each key has a bucket of tokens that fills again.
type buckets struct {
	mu   sync.Mutex
	have map[[32]byte]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take takes a token of a key's bucket. left is what is left, and full how long
// until it is full again; without a token, wait is how long until there is one.
func (b *buckets) take(key [32]byte, now time.Time, burst, rate float64) (left int, full, wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.have) >= mostBuckets {
		b.sweep(now)
	}
	x, known := b.have[key]
	if !known {
		x = bucket{burst, now}
	}
	if d := now.Sub(x.at); d > 0 {
		x.tokens, x.at = min(burst, x.tokens+d.Seconds()*rate), now
	}
	if ok = x.tokens >= 1; ok {
		x.tokens--
	} else {
		wait = time.Duration((1 - x.tokens) / rate * float64(time.Second))
	}
	b.have[key] = x
	return int(x.tokens), time.Duration((burst - x.tokens) / rate * float64(time.Second)), wait, ok
}

// sweep forgets buckets that nobody took of for an hour, which is longer than any
// takes to fill; and all, if that is no help: for once everybody begins anew.
func (b *buckets) sweep(now time.Time) {
	for k, x := range b.have {
		if now.Sub(x.at) > time.Hour {
			delete(b.have, k)
		}
	}
	if len(b.have) >= mostBuckets {
		clear(b.have)
	}
}

// limited takes from the bucket that a visit is counted on: its account's on the
// API; its person's for what pages send in, most of which stays on the log; and of
// strangers who send something in, their network's.
func (v *Visit) limited() error {
	name, key, burst, rate := "account", "account/"+string(v.By.Account[:]), float64(accountBurst), float64(accountRate)
	switch {
	case v.Page.Who == Alike, v.SignedIn() && !v.API() && (v.reads() || v.Page.Reserved):
		return nil // people look as often as they like, and decide about alarms whatever their machines do
	case v.SignedIn() && !v.API():
		key = "person/" + key // whom none of the account's machines keeps from revoking their tokens
	case v.SignedIn():
	case v.reads() || v.Page.Op.Name == "":
		return nil // looking is the same for all, and sign-in counts its tries itself
	default:
		name, key, burst, rate = "network", "network/"+v.site.from(v.Request), strangerBurst, strangerRate
	}
	left, full, wait, ok := v.site.rates.take(sha256.Sum256([]byte(key)), v.Now(), burst, rate)
	if h := v.w.Header(); v.API() || !v.SignedIn() {
		h.Set("RateLimit-Policy", fmt.Sprintf(`"%s";q=%.0f;w=%.0f`, name, burst, burst/rate))
		h.Set("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%.0f`, name, left, math.Ceil(full.Seconds())))
	}
	if !ok {
		v.comeBack(wait)
		return errTooMany
	}
	return nil
}

// busy is how long to stay away who found no slot: not all the same time, or they
// all come back at once.
func (v *Visit) busy() {
	v.comeBack(time.Duration(1+sha256.Sum256([]byte(v.ID))[0]%5) * time.Second)
}
