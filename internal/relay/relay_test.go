package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

var (
	ctx  = context.Background()
	noon = time.Date(2025, 5, 1, 12, 0, 0, 0, time.UTC)
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// desk is a serving desk that notes what it is asked, and answers as it is told.
type desk struct {
	mu     sync.Mutex
	held   bool
	at     entrylog.Seq
	recs   []entrylog.Record
	under  ledger.Hold
	wave   cvd.WaveID
	err    error
	before func() // Take goes on
	taken  int
	slow   time.Duration // between two copies
}

func (d *desk) Where(_ context.Context, hold bool) (ledger.Standing, error) {
	d.held = hold
	return ledger.Standing{Size: 41, Now: noon, Hold: 1 << 63}, d.err
}

func (d *desk) Take(_ context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	if d.before != nil {
		d.before()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.recs, d.under, d.taken = at, recs, under, d.taken+1
	return d.err
}

func (d *desk) Tick(context.Context) error { return d.err }

func (d *desk) Seal(_ context.Context, id cvd.WaveID, progress func(done, all int)) error {
	d.wave = id
	for i := range 3 {
		progress(i+1, 3)
		time.Sleep(d.slow)
	}
	return d.err
}

// served is a desk behind a socket, and the way to it.
func served(t testing.TB, folder string, d coordinator.Serving) (*Client, *http.Server) {
	t.Helper()
	l, err := Listen(folder)
	ok(t, err)
	s := &http.Server{Handler: Handler(d)}
	go s.Serve(l)
	c := NewClient(folder)
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, s
}

func records(n int) (out []entrylog.Record) {
	for i := range n {
		e := entrylog.Entry{Time: noon, Kind: 1, Body: []byte{byte(i)}}
		out = append(out, entrylog.Record{Salt: [32]byte{byte(i)}, Entry: wire.Marshal(&e)})
	}
	return out
}

// Both ends of the relay are one contract: what is asked arrives, and what is
// answered comes back.
func TestRelay(t *testing.T) {
	d := &desk{slow: 2 * tell}
	c, _ := served(t, t.TempDir(), d)
	for _, hold := range []bool{false, true} {
		if s, err := c.Where(ctx, hold); s.Size != 41 || !s.Now.Equal(noon) || s.Hold != 1<<63 || err != nil || d.held != hold {
			t.Errorf("where, held %t: %+v %v", hold, s, err)
		}
	}
	want := records(3)
	ok(t, c.Take(ctx, 17, want, 5))
	if d.at != 17 || d.under != 5 || !slices.EqualFunc(d.recs, want, func(a, b entrylog.Record) bool { return a.Salt == b.Salt && string(a.Entry) == string(b.Entry) }) {
		t.Errorf("taken at %d: %v", d.at, d.recs)
	}
	ok(t, c.Tick(ctx))
	var heard []string
	id := cvd.WaveID{1, 2, 3}
	ok(t, c.Seal(ctx, id, func(done, all int) { heard = append(heard, fmt.Sprintf("%d/%d", done, all)) }))
	if d.wave != id || strings.Join(heard, " ") != "1/3 2/3 3/3" {
		t.Errorf("sealed %s: %q", d.wave, heard)
	}
	ok(t, c.Seal(ctx, id, nil))
}

// Errors keep their classes and their words.
func TestClasses(t *testing.T) {
	d := &desk{}
	c, _ := served(t, t.TempDir(), d)
	for _, class := range classes {
		d.err = fmt.Errorf("the third thing: %w", class.err)
		_, where := c.Where(ctx, false)
		for name, err := range map[string]error{"where": where, "take": c.Take(ctx, 1, nil, 0), "tick": c.Tick(ctx), "seal": c.Seal(ctx, cvd.WaveID{}, nil)} {
			want := class.err
			if class.err == ledger.ErrClosed && name != "seal" {
				want = ledger.ErrUnreached // it stops: whoever comes next is meant
			}
			if !errors.Is(err, want) || !strings.Contains(err.Error(), d.err.Error()) {
				t.Errorf("%s: %v came back as %v", name, d.err, err)
			}
			for _, other := range classes {
				if other.err != class.err && errors.Is(err, other.err) {
					t.Errorf("%s: %v came back as %v too", name, d.err, other.err)
				}
			}
		}
	}
	d.err = fmt.Errorf("%w: %w", coordinator.ErrUnsealed, sealer.ErrRefused)
	if err := c.Seal(ctx, cvd.WaveID{}, nil); !errors.Is(err, sealer.ErrRefused) {
		t.Error(err)
	}
	d.err = errors.New("of no class")
	if err := c.Take(ctx, 1, nil, 0); err == nil || err.Error() != "of no class" || errors.Is(err, ledger.ErrUncertain) {
		t.Error(err)
	}
}

// What may have been kept is uncertain; what can't have been isn't.
func TestLost(t *testing.T) {
	folder := t.TempDir()
	c := NewClient(folder)
	if err := c.Take(ctx, 1, nil, 0); !errors.Is(err, ledger.ErrUnreached) || errors.Is(err, ledger.ErrUncertain) {
		t.Errorf("without a socket: %v", err)
	}
	d := &desk{}
	c, s := served(t, folder, d)
	d.before = func() { s.Close() } // killed while it takes
	if err := c.Take(ctx, 1, nil, 0); !errors.Is(err, ledger.ErrUncertain) {
		t.Errorf("killed while it takes: %v", err)
	}
	if err := c.Take(ctx, 1, nil, 0); !errors.Is(err, ledger.ErrUnreached) || errors.Is(err, ledger.ErrUncertain) {
		t.Errorf("after it was killed: %v", err)
	}
	taken := func() int { d.mu.Lock(); defer d.mu.Unlock(); return d.taken }
	for begun := time.Now(); taken() == 0 && time.Since(begun) < 10*time.Second; { // what was under way goes on without its client
		time.Sleep(time.Millisecond)
	}
	if n := taken(); n != 1 {
		t.Errorf("taken %d times", n)
	}
	if _, err := c.Where(ctx, false); !errors.Is(err, ledger.ErrUnreached) {
		t.Errorf("where: %v", err)
	}
	if err := c.Seal(ctx, cvd.WaveID{}, nil); !errors.Is(err, ledger.ErrUnreached) {
		t.Errorf("seal: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Where(gone, false); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody wants to know: %v", err)
	}
	big := []entrylog.Record{}
	e := entrylog.Entry{Time: noon, Kind: 1, Body: make([]byte, entrylog.MaxBody)}
	for range maxOffer/entrylog.MaxBody + 1 {
		big = append(big, entrylog.Record{Entry: wire.Marshal(&e)})
	}
	if err := c.Take(ctx, 1, big, 0); !errors.Is(err, ledger.ErrOffer) {
		t.Errorf("too much at once: %v", err)
	}
}

// The socket is its owner's alone, whatever the path's length; one that is left
// over is replaced, and an orderly end takes it away.
func TestSocket(t *testing.T) {
	for _, folder := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long/", 60))} {
		ok(t, os.MkdirAll(folder, 0o755))
		name := filepath.Join(folder, socketName)
		if len(name) > maxPath && !here("/proc/self/fd") {
			t.Log("no way around long paths here")
			continue
		}
		for round := range 3 {
			c, s := served(t, folder, &desk{})
			info, err := os.Lstat(name)
			ok(t, err)
			if info.Mode().Type() != os.ModeSocket || info.Mode().Perm() != 0o600 {
				t.Errorf("round %d: it has mode %v", round, info.Mode())
			}
			if _, err := c.Where(ctx, false); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
			if round == 0 {
				continue // as if it were killed: the next one takes the name
			}
			ok(t, s.Close())
			if names, err := os.ReadDir(folder); err != nil || len(names) > 0 {
				t.Errorf("round %d: left behind: %v %v", round, names, err)
			}
		}
		ok(t, os.WriteFile(name, []byte("somebody's"), 0o600))
		if _, err := Listen(folder); err == nil {
			t.Error("a file was taken for a socket")
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != "somebody's" {
			t.Errorf("%q %v", b, err)
		}
	}
}

// FuzzAsked: whatever is asked, the handler answers, and what it takes is what was
// meant.
func FuzzAsked(f *testing.F) {
	f.Add("/1/append", wire.Marshal(&offer{3, 4, records(2)}))
	f.Add("/1/append", []byte("forewarn offer v2\n"))
	f.Add("/1/append", wire.Marshal(&offer{1 << 63, 0, nil}))
	f.Add("/1/seal", []byte("0123456789abcdef"))
	f.Add("/1/tick", []byte{})
	f.Add("/1/hold", []byte{1})
	f.Add("/2/append", []byte{})
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		d := &quick{}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL.Path = path
		w := httptest.NewRecorder()
		Handler(d).ServeHTTP(w, r)
		if d.taken > 0 {
			if again := wire.Marshal(&offer{d.at, d.under, d.recs}); string(again) != string(body) {
				t.Errorf("%x was taken as %x", body, again)
			}
		}
		if w.Code == http.StatusConflict {
			if err := answered(w.Code, w.Body.Bytes()); err == nil || err.Error() == "" {
				t.Errorf("an error without words: %q", w.Body.Bytes())
			}
		}
	})
}

// quick is a desk that seals at once.
type quick struct{ desk }

func (*quick) Seal(context.Context, cvd.WaveID, func(int, int)) error { return nil }

// FuzzAnswered: whatever comes back, the client doesn't take it for done.
func FuzzAnswered(f *testing.F) {
	f.Add([]byte(`{"done":1,"all":3}` + "\n" + `{"sealed":true}`))
	f.Add([]byte(`{"error":{"text":"no","classes":["conflict","nonsense"]}}`))
	f.Add([]byte(`{"error":{}}`))
	f.Add(wire.Marshal(&standing{3, noon, 7}))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, b := net.Pipe()
		c := &Client{}
		c.http.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return a, nil }}
		go func() {
			defer b.Close()
			head := make([]byte, 4096)
			_, _ = b.Read(head)
			_, _ = io.WriteString(b, fmt.Sprintf("HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}()
		if err := c.Tick(ctx); err == nil {
			t.Errorf("%q was taken for done", body)
		}
	})
}
