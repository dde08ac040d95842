package lookout_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/lookout"
	"forewarn/internal/sighting"
)

// TestWhereItStands: a sighting is recorded with its place in the file and its
// line, and with the time that its record states by the header, also when reading
// began again in the middle.
func TestWhereItStands(t *testing.T) {
	t.Parallel()
	p := newPost(t, t.TempDir())
	var all []byte
	for n := range 3 {
		var b strings.Builder
		if n == 0 {
			b.WriteString("#Version: 1.0\n#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status\n")
		}
		for i := range 5 {
			fmt.Fprintf(&b, "2026-11-20 10:00:%02d GET / - 200\n", n*5+i)
		}
		fmt.Fprintf(&b, "2026-11-20 10:01:%02d GET / planted-here 200\n", n)
		all = append(all, b.String()...)
		p.append(b.String())
		p.until(n + 1)
	}
	l, err := p.h.Look(ctx)
	ok(t, err)
	defer l.Close()
	v, err := l.Alarm(ctx, cvd.Actor{Account: p.By}, p.Case)
	ok(t, err)
	if len(v.Seen) != 3 {
		t.Fatalf("%d rows", len(v.Seen))
	}
	for i, s := range v.Seen {
		n := 2 - i // the newest first
		if want := time.Date(2026, 11, 20, 10, 1, n, 0, time.UTC); !s.Time.From.Equal(want) {
			t.Errorf("sighting %d is of %s, want %s", n, s.Time.From, want)
		}
		at := bytes.Index(all, []byte(fmt.Sprintf("10:01:%02d", n)))
		if want := int64(1 + bytes.Count(all[:at], []byte("\n"))); s.Line != want {
			t.Errorf("sighting %d is in line %d, want %d", n, s.Line, want)
		}
		if !strings.Contains(s.Excerpt, fmt.Sprintf("10:01:%02d", n)) {
			t.Errorf("sighting %d: %s", n, s.Excerpt)
		}
	}
}

func (p *post) append(text string) {
	p.t.Helper()
	f, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ok(p.t, err)
	_, err = f.WriteString(text)
	ok(p.t, err)
	ok(p.t, f.Close())
}

// until keeps watch until so many sightings are recorded.
func (p *post) until(n int) {
	p.t.Helper()
	l, err := p.h.Look(ctx)
	ok(p.t, err)
	defer l.Close()
	ctx, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	w := p.watch(l)
	w.Said = func(string, coordinator.Recorded) {
		if times, _, _ := p.recorded(); times >= n {
			stop()
		}
	}
	if err := w.Run(ctx); ctx.Err() != context.Canceled {
		p.t.Fatalf("%d sightings were not recorded in time: %v", n, err)
	}
}

// fill makes the programme's log longer.
func (p *post) fill(n int) {
	p.t.Helper()
	d, err := p.h.Desk(ctx)
	ok(p.t, err)
	defer d.Close()
	for at := 0; at < n; at += 1000 {
		var all []cvd.Command
		for i := range min(1000, n-at) {
			c := cvd.NoteCommitment{Commitment: [32]byte{1}}
			binary.BigEndian.PutUint64(c.Commitment[1:], uint64(at+i))
			all = append(all, c)
		}
		_, err := d.Do(ctx, cvd.Actor{Account: p.By}, all...)
		ok(p.t, err)
	}
}

// TestFromRequestToPage: how long it takes from a planted line to the page of who
// is on duty, and to their notice. FOREWARN_TEST_ENTRIES=100000 makes the log as
// long as that first.
func TestFromRequestToPage(t *testing.T) {
	t.Parallel()
	p := newPost(t, t.TempDir())
	if s := os.Getenv("FOREWARN_TEST_ENTRIES"); s != "" {
		n, err := strconv.Atoi(s)
		ok(t, err)
		p.fill(n)
	}
	p.append("nothing\n")
	l, err := p.h.Look(ctx)
	ok(t, err)
	defer l.Close()
	other, err := p.h.Look(ctx)
	ok(t, err)
	defer other.Close()
	run, stop := context.WithCancel(ctx)
	defer stop()
	notified := make(chan time.Time, 4)
	w := p.watch(l)
	w.Said, w.Notify = func(string, coordinator.Recorded) {}, told(notified)
	url, ended := make(chan string, 1), make(chan error, 2)
	go func() { ended <- w.Run(run) }()
	go func() {
		ended <- (&lookout.Pages{Desk: other, By: cvd.Actor{Account: p.By}}).Serve(run, "127.0.0.1:0", func(u string) { url <- u })
	}()
	page := <-url
	time.Sleep(300 * time.Millisecond)
	planted := time.Now()
	p.append("GET /?planted-here\n")
	for {
		r, err := http.Get(page)
		ok(t, err)
		b, err := io.ReadAll(r.Body)
		ok(t, err)
		r.Body.Close()
		if strings.Contains(string(b), "Alarm 1 is raised") {
			break
		}
		if time.Since(planted) > 20*time.Second {
			t.Fatalf("no alarm after 20 s: %.300s", b)
		}
		time.Sleep(10 * time.Millisecond)
	}
	shown := time.Since(planted)
	select {
	case at := <-notified:
		t.Logf("from the request to the page %s, to the notice %s; a browser asks every 2 s", shown.Round(time.Millisecond), at.Sub(planted).Round(time.Millisecond))
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told within 20 s")
	}
	stop()
	<-ended
	<-ended
}

// TestHangingCall: while a notice is being handed on, the log is read on.
func TestHangingCall(t *testing.T) {
	t.Parallel()
	p := newPost(t, t.TempDir())
	p.append("GET /?planted-here\n")
	l, err := p.h.Look(ctx)
	ok(t, err)
	defer l.Close()
	run, stop := context.WithTimeout(ctx, 15*time.Second)
	defer stop()
	w := p.watch(l)
	hangs := make(hanging, 1)
	w.Notify = hangs
	recorded := make(chan bool, 9)
	w.Said = func(string, coordinator.Recorded) { recorded <- true }
	ended := make(chan error, 1)
	go func() { ended <- w.Run(run) }()
	for _, c := range []chan bool{recorded, hangs} {
		select {
		case <-c:
		case <-run.Done():
			t.Fatal("nothing was recorded, or nobody called")
		}
	}
	p.append("GET /?planted-here\n")
	select {
	case <-recorded:
	case <-run.Done():
		t.Error("nothing is recorded while a call hangs")
	}
	stop()
	<-ended
}

// hanging is a way to call people that never ends by itself.
type hanging chan bool

func (c hanging) Notify(ctx context.Context, _ coordinator.Person, _ coordinator.Notice) error {
	c <- true
	<-ctx.Done()
	return ctx.Err()
}

type told chan time.Time

func (c told) Notify(context.Context, coordinator.Person, coordinator.Notice) error {
	c <- time.Now()
	return nil
}

// TestTwoCallers: of two processes that call, each calls by its own ways, and once.
func TestTwoCallers(t *testing.T) {
	t.Parallel()
	p := newPost(t, t.TempDir())
	p.append("nothing\n")
	mail, pager := make(chan time.Time, 9), make(chan time.Time, 9)
	run, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 2)
	for _, way := range []told{mail, pager} {
		l, err := p.h.Look(ctx)
		ok(t, err)
		defer l.Close()
		w := p.watch(l)
		w.Said, w.Notify = func(string, coordinator.Recorded) {}, way
		if way == told(pager) {
			w.Look = late{w.Look}
		}
		go func() { ended <- w.Run(run) }()
	}
	time.Sleep(300 * time.Millisecond)
	p.append("GET /?planted-here\n")
	for name, way := range map[string]chan time.Time{"mail": mail, "pager": pager} {
		select {
		case <-way:
		case <-time.After(20 * time.Second):
			t.Errorf("the %s was not told within 20 s", name)
		}
	}
	time.Sleep(1500 * time.Millisecond) // a few more looks
	if len(mail)+len(pager) > 0 {
		t.Errorf("told again: %d by mail, %d by pager", len(mail), len(pager))
	}
	stop()
	<-ended
	<-ended
}

// late never finds a call that nobody made yet.
type late struct{ lookout.Looker }

func (late) NextCall() time.Time { return time.Time{} }

// TestTwoWatches: two watches of one path count its files from where each began.
// What one records the other doesn't, and what one leaves the other records.
func TestTwoWatches(t *testing.T) {
	t.Parallel()
	p := newPost(t, t.TempDir())
	begin := func() (stop func()) {
		l, err := p.h.Look(ctx)
		ok(t, err)
		run, cancel := context.WithCancel(ctx)
		w := p.watch(l)
		w.Said = func(string, coordinator.Recorded) {}
		ended := make(chan error, 1)
		go func() { ended <- w.Run(run) }()
		time.Sleep(200 * time.Millisecond) // it has read what there is
		return func() {
			cancel()
			<-ended
			ok(t, l.Close())
		}
	}
	want := func(n int, when string) {
		t.Helper()
		var times int
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if times, _, _ = p.recorded(); times >= n {
				break
			}
		}
		time.Sleep(300 * time.Millisecond) // the other would have recorded it by now
		if times, _, _ = p.recorded(); times != n {
			t.Errorf("%s: %d sightings stand in the log, want %d", when, times, n)
		}
	}
	p.append("the first file\n")
	first := begin()
	ok(t, os.Rename(p.Log, p.Log+".1"))
	p.append("the second file\n")
	time.Sleep(500 * time.Millisecond) // it reads that one now
	ok(t, os.Remove(p.Log+".1"))
	second := begin()
	for n := range 3 {
		p.append(fmt.Sprintf("GET /%d?planted-here\n", n))
		want(n+1, "both watch")
	}
	first()
	p.append("GET /3?planted-here\n")
	want(4, "only the second watches")
	first = begin()
	ok(t, os.Rename(p.Log, p.Log+".1"))
	p.append("the third file\nGET /?planted-here\n")
	want(5, "both watch a third file")
	second()
	p.append("GET /?planted-here\n")
	want(6, "only the first watches")
	first()
}

// TestRenew: what is looked for is asked for at the start and every minute, and
// what can't be had is told while the watch goes on.
func TestRenew(t *testing.T) {
	t.Parallel()
	p := newPost(t, t.TempDir())
	p.append("nothing\n")
	l, err := p.h.Look(ctx)
	ok(t, err)
	defer l.Close()
	run, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	w := p.watch(l)
	looksFor := w.Scanner
	w.Scanner = &sighting.Scanner{}
	var ahead atomic.Int64
	w.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	asked := make(chan int, 9)
	n := 0
	w.Renew = func(context.Context) error {
		n++
		asked <- n
		if n == 1 {
			return errors.New("not now")
		}
		w.Scanner = looksFor
		return nil
	}
	noted := make(chan string, 9)
	w.Note = func(format string, args ...any) { noted <- fmt.Sprintf(format, args...) }
	w.Said = func(string, coordinator.Recorded) { stop() }
	ended := make(chan error, 1)
	go func() { ended <- w.Run(run) }()
	<-asked
	if s := <-noted; !strings.Contains(s, "not now") {
		t.Errorf("noted %q", s)
	}
	time.Sleep(300 * time.Millisecond)
	if len(asked) > 0 {
		t.Error("asked again within a minute")
	}
	ahead.Store(int64(time.Minute))
	<-asked
	p.append("GET /?planted-here\n")
	<-ended
	if times, _, _ := p.recorded(); times != 1 {
		t.Errorf("%d sightings stand in the log", times)
	}
}
