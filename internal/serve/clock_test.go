package serve

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
)

// TestClock: the time to decide by is the earlier one while the two clocks are
// apart, and the wall clock's while they agree.
func TestClock(t *testing.T) {
	dawn := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	wall, elapsed := dawn, 7*time.Second
	c := newClock(func() (time.Time, time.Duration) { return wall, elapsed })
	for i, row := range []struct {
		wall, elapsed time.Duration // that go by
		want          time.Duration // since dawn
		jumped        bool
	}{
		{0, 0, 0, false},
		{time.Minute, time.Minute, time.Minute, false},
		{65 * time.Second, time.Minute, 125 * time.Second, false},     // five seconds: let be
		{time.Second, 0, 2 * time.Minute, true},                       // a moment more
		{time.Hour, 10 * time.Second, 130 * time.Second, true},        // set an hour ahead: ten seconds went by
		{-time.Hour, 6 * time.Second, 126 * time.Second, true},        // set back, a little too far for what went by
		{13 * time.Second, 3 * time.Second, 139 * time.Second, false}, // right again
		{-time.Hour, 0, 139*time.Second - time.Hour, true},            // an hour behind
	} {
		wall, elapsed = wall.Add(row.wall), elapsed+row.elapsed
		if got := c.Now().Sub(dawn); got != row.want || c.Jumped() != row.jumped {
			t.Errorf("row %d: %s, jumped %v; want %s, %v (apart %s)", i, got, c.Jumped(), row.want, row.jumped, c.Apart())
		}
	}
}

// TestClockOfTheMachine: with the machine's own clocks nothing is apart.
func TestClockOfTheMachine(t *testing.T) {
	c := newClock(nil)
	if now := c.Now(); time.Since(now).Abs() > time.Minute || c.Jumped() {
		t.Errorf("%s, jumped %v", now, c.Jumped())
	}
}

// TestThirdClock: a source that is apart from the machine's clocks makes the
// earliest count, whichever it is; and what it said counts on with the time that
// goes by.
func TestThirdClock(t *testing.T) {
	dawn := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for i, row := range []struct {
		wall, source, want time.Duration // from the time that went by
		jumped             bool
	}{
		{0, 0, 0, false},
		{0, 4 * time.Second, 0, false},
		{-3 * time.Second, 3 * time.Second, -3 * time.Second, true}, // each is near the steady one, and not one another
		{0, 48 * time.Hour, 0, true},
		{0, -48 * time.Hour, -48*time.Hour - doubt, true}, // the machine began with a wrong clock
		{48 * time.Hour, 0, -doubt, true},
		{48 * time.Hour, 48 * time.Hour, -doubt, true},
		{-48 * time.Hour, 0, -48 * time.Hour, true},
	} {
		wall, elapsed := dawn, time.Duration(0)
		c := newClock(func() (time.Time, time.Duration) { return wall, elapsed })
		c.Hear(dawn.Add(row.source), 0)
		wall, elapsed = dawn.Add(time.Minute+row.wall), time.Minute
		if got := c.Now().Sub(dawn.Add(time.Minute)); got != row.want || c.Jumped() != row.jumped {
			t.Errorf("row %d: %s, jumped %v (apart %s); want %s, %v", i, got, c.Jumped(), c.Apart(), row.want, row.jumped)
		}
	}
}

// TestStartedOnAWrongClock: what the source says before the start is counted from. A
// clock that was wrong then holds everything, and nothing once it is set right.
func TestStartedOnAWrongClock(t *testing.T) {
	dawn := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for _, wrong := range []time.Duration{48 * time.Hour, -48 * time.Hour} {
		wall, elapsed := dawn.Add(wrong), 3*time.Hour
		c := newClock(func() (time.Time, time.Duration) { return wall, elapsed })
		c.believe(dawn, elapsed)
		c.Hear(dawn, elapsed)
		if got := c.Now().Sub(dawn); got != min(wrong, -doubt) || !c.Jumped() {
			t.Errorf("%s wrong: %s, jumped %v", wrong, got, c.Jumped())
		}
		wall, elapsed = dawn.Add(time.Minute), elapsed+time.Minute
		if got := c.Now().Sub(dawn); got != time.Minute || c.Jumped() {
			t.Errorf("set right from %s: %s, jumped %v", wrong, got, c.Jumped())
		}
		wall = wall.Add(48 * time.Hour) // and is doubted as before
		if got := c.Now().Sub(dawn); got != time.Minute-doubt || !c.Jumped() {
			t.Errorf("wrong again: %s, jumped %v", got, c.Jumped())
		}
	}
}

// TestNeverEarly: however long an answer took, and whenever in that time and within its
// second it was given, a desk whose own clock is wrong decides by no time that isn't yet,
// and by none that was long ago.
func TestNeverEarly(t *testing.T) {
	dawn := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		ms := func(name string, least, most int) time.Duration {
			return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Millisecond
		}
		ahead := rapid.SampledFrom([]time.Duration{48 * time.Hour, 7 * time.Second}).Draw(t, "ahead")
		by := ms("begun", 0, 2000)
		s := &server{clock: newClock(func() (time.Time, time.Duration) { return dawn.Add(by + ahead), by })}
		s.Log = slog.New(slog.DiscardHandler)
		source := &timeSource{"https://time.example", &http.Client{Transport: answers(func() string {
			by += ms("on its way there", 0, 3000)
			said := dawn.Add(by).Format(http.TimeFormat)
			by += ms("and back", 0, 3000)
			return said
		})}}
		s.hearFirst(context.Background(), source)
		for range 3 {
			by += ms("later", 0, 60_000)
			if late := dawn.Add(by).Sub(s.clock.Now()); ahead > time.Minute && (late < 0 || late > 10*time.Second) || s.clock.Jumped() && late < 0 {
				t.Fatalf("it decides by what is %s late", late)
			}
			_ = s.hear(context.Background(), source)
		}
	})
}

// answers are of a server under TLS, with the Date that it gives.
type answers func() (date string)

func (f answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{"Date": {f()}}, Body: http.NoBody, TLS: &tls.ConnectionState{}}, nil
}

// TestTimeSource: a server's Date is heard within its second; one without TLS, from
// a cache, or without a Date is not.
func TestTimeSource(t *testing.T) {
	says := map[string]string{}
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range says {
			w.Header().Set(k, v)
		}
	})
	secure, bare := httptest.NewTLSServer(h), httptest.NewServer(h)
	defer secure.Close()
	defer bare.Close()
	c := newClock(nil)
	s := &timeSource{secure.URL, secure.Client()}
	got, elapsed, err := s.ask(t.Context(), c)
	if apart := got.Sub(c.steady(elapsed)); err != nil || apart.Abs() > time.Second {
		t.Errorf("%s apart, %v", apart, err)
	}
	says["Age"] = "7"
	if _, _, err := s.ask(t.Context(), c); err == nil {
		t.Error("a cache tells the time")
	}
	delete(says, "Age")
	says["Date"] = "yesterday"
	if _, _, err := s.ask(t.Context(), c); err == nil {
		t.Error("a Date that can't be read is a time")
	}
	says["Date"] = "Fri, 01 Jan 1960 00:00:00 GMT" // which would stop the log
	if _, _, err := s.ask(t.Context(), c); err == nil {
		t.Error("1960 is a time")
	}
	delete(says, "Date")
	if _, _, err := (&timeSource{bare.URL, bare.Client()}).ask(t.Context(), c); err == nil {
		t.Error("anybody on the way tells the time")
	}
}

// TestSlowTimeBeforeTheStart: an answer that takes too long is still believed more than
// a clock that nobody vouches for, and nothing is early by it.
func TestSlowTimeBeforeTheStart(t *testing.T) {
	var took atomic.Int64
	source := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer source.Close()
	begun := time.Now()
	// The time that goes by while an answer is on its way: each look is ten seconds later.
	s := &server{clock: newClock(func() (time.Time, time.Duration) {
		by := time.Since(begun) + time.Duration(took.Load())
		took.Add(int64(10 * time.Second))
		return begun.Round(0).Add(by + 48*time.Hour), by
	})}
	s.Log = slog.New(slog.DiscardHandler)
	s.hearFirst(t.Context(), &timeSource{source.URL, source.Client()})
	_, elapsed := s.clock.read()
	if got, right := s.clock.steady(elapsed), begun.Add(elapsed); got.After(right) || right.Sub(got) > 2*time.Minute {
		t.Errorf("%s, and it is %s", got, right)
	}
	if !s.clock.Jumped() {
		t.Error("the wall clock is believed")
	}
	if now := s.clock.Now(); now.After(begun.Add(time.Hour)) {
		t.Errorf("it decides by %s", now)
	}
}

// TestSlowTimeIsMadeUp: by how much a slow answer was behind doesn't hold the desk once an
// exact one comes, and no more than that is made up.
func TestSlowTimeIsMadeUp(t *testing.T) {
	dawn := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	source := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", dawn.Format(http.TimeFormat))
	}))
	defer source.Close()
	for _, row := range []struct {
		behind time.Duration
		jumped bool
	}{{8 * time.Second, false}, {time.Hour, true}} {
		looks := 0
		s := &server{clock: newClock(func() (time.Time, time.Duration) {
			looks++
			by := time.Duration(looks) * row.behind
			return dawn.Add(by), by
		})}
		s.Log = slog.New(slog.DiscardHandler)
		s.hearFirst(t.Context(), &timeSource{source.URL, source.Client()})
		_, elapsed := s.clock.read()
		now := s.clock.steady(elapsed).Add(row.behind)
		s.clock.read = func() (time.Time, time.Duration) { return now, elapsed }
		if !s.clock.Jumped() {
			t.Errorf("%s behind, and it is ready before an exact answer", row.behind)
		}
		s.clock.Hear(now, elapsed)
		if got := s.clock.Jumped(); got != row.jumped {
			t.Errorf("%s behind: after an exact answer it jumped: %v", row.behind, got)
		}
	}
}

// TestTimeBeforeTheStart: what a machine that began with a clock two days ahead would
// open, or anchor, is not: the source is heard before the programme is opened.
func TestTimeBeforeTheStart(t *testing.T) {
	source := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer source.Close()
	dir := founded(t)
	h, err := home.OpenOn(dir, home.Machine{})
	ok(t, err)
	begun := time.Now()
	s := &server{clock: newClock(func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0).Add(48 * time.Hour), now.Sub(begun)
	})}
	h.Machine = home.Machine{Clock: s.clock.Now, Rand: h.Machine.Rand, SealerInside: true}
	s.metrics = newMetrics(s)
	s.addr = &net.TCPAddr{}
	s.Config, err = Config{Dir: dir, Time: source.URL, Origin: "http://localhost:1", Log: slog.New(slog.DiscardHandler), asking: source.Client().Transport}.filled()
	ok(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	var hands sync.WaitGroup
	ok(t, s.open(ctx, h, &hands))
	if next := s.desk.Load().Log().NextTick(); time.Until(next) > time.Hour {
		t.Errorf("the next anchor is at %s: anchors were made up to a time that isn't yet", next)
	}
	if why := s.unready(); why != "the clock jumped" {
		t.Errorf("readiness: %q", why)
	}
	ok(t, s.close(nil, cancel, &hands))
}

// off is the machine's clocks, with the wall clock so far ahead.
func off(ahead time.Duration) func() (time.Time, time.Duration) {
	begun := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0).Add(ahead), now.Sub(begun)
	}
}

// TestStartedBehindTheLog: a clock that is behind what is written can't be right, whoever
// else tells the time. The desk says so, and rouses who is on duty.
func TestStartedBehindTheLog(t *testing.T) {
	dir, rung := founded(t), make(bell, 10)
	r := run(t, Config{Dir: dir, Clocks: off(-time.Hour), Rouse: rung})
	if status, why := get(t, r.base+"/readyz"); status != 503 || why != "the clock is behind the log\n" {
		t.Errorf("%d %q", status, why)
	}
	select {
	case <-rung:
	case <-time.After(10 * time.Second):
		t.Error("nobody was roused")
	}
	ok(t, r.stop())
	r = run(t, Config{Dir: dir})
	if status, why := get(t, r.base+"/readyz"); status != 200 {
		t.Errorf("with the clock set right: %d %q", status, why)
	}
}

// TestDoubts: at the start, before anybody is served, the process log says when open
// embargoes rest on this machine's clock alone, and when that is far ahead of the log.
func TestDoubts(t *testing.T) {
	const alone, far = "this machine's clock alone tells the time", "is far after the log's last anchor"
	dir := founded(t)
	said := func(ahead time.Duration, source string) string {
		r := run(t, Config{Dir: dir, Clocks: off(ahead), Time: source})
		ok(t, r.stop())
		return r.log.String()
	}
	if s := said(0, ""); strings.Contains(s, alone) {
		t.Errorf("without an embargo: %s", s)
	}
	h, err := home.OpenOn(dir, home.Machine{SealerInside: true})
	ok(t, err)
	d, err := h.Desk(t.Context())
	ok(t, err)
	ana, err := d.Login(t.Context(), "ana")
	ok(t, err)
	by := cvd.Actor{Account: ana}
	id, err := d.OpenCase(t.Context(), by, coordinator.Opening{Title: "Layout import"})
	ok(t, err)
	_, err = d.SetEmbargo(t.Context(), by, id, cvd.ReleaseTime{At: time.Now().Add(240 * time.Hour), Zone: "UTC"})
	ok(t, err)
	ok(t, d.Close())
	if s := said(0, ""); !strings.Contains(s, alone) || strings.Contains(s, far) || strings.Contains(s, "Layout") {
		t.Errorf("with an embargo: %s", s)
	}
	if s := said(0, "https://127.0.0.1:1/"); strings.Contains(s, alone) {
		t.Errorf("with a time source: %s", s)
	}
	s := said(48*time.Hour, "")
	if at, anchored := strings.Index(s, far), strings.Index(s, `"msg":"serving"`); at < 0 || anchored < at {
		t.Errorf("two days ahead: %s", s)
	}
}
