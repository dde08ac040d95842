package serve

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// founded makes a programme in a folder.
func founded(t *testing.T) string { return foundedIn(t, filepath.Join(t.TempDir(), "prog")) }

func foundedIn(t *testing.T, dir string) string {
	t.Helper()
	h, err := home.Create(t.Context(), dir, home.Founding{Origin: "works.example/forewarn", Tick: time.Second, Machine: home.Machine{SealerInside: true}})
	ok(t, err)
	d, err := h.Desk(t.Context())
	ok(t, err)
	_, err = d.Found(t.Context(), "works.example/forewarn", "Works", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Second, []byte(coordinator.DefaultTerms))
	ok(t, err)
	ok(t, d.Close())
	return dir
}

// safe is a process log that may be read while it is written.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// running is a desk that is served.
type running struct {
	base  string
	log   *safe
	ended chan error
	stop  func() error
}

// run serves until the test's end, or stop.
func run(t *testing.T, c Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan string, 1)
	ended := make(chan error, 1)
	r := &running{log: new(safe), ended: ended}
	c.Log = slog.New(slog.NewJSONHandler(r.log, nil))
	c.Started = func(_ net.Addr, origin string) { started <- origin }
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	go func() { ended <- Run(ctx, c) }()
	select {
	case r.base = <-started:
	case err := <-ended:
		t.Fatalf("it did not start: %v\n%s", err, r.log)
	case <-time.After(30 * time.Second):
		t.Fatal("it did not start")
	}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { r.stop() })
	return r
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.Get(url)
	ok(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	ok(t, err)
	return r.StatusCode, string(b)
}

func TestServe(t *testing.T) {
	dir := founded(t)
	m, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	ok(t, m.Close())
	r := run(t, Config{Dir: dir, Metrics: m.Addr().String()})
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ok\n"} {
		if s, b := get(t, r.base+path); s != 200 || b != want {
			t.Errorf("%s: %d %q", path, s, b)
		}
	}
	if s, b := get(t, r.base+"/"); s != 200 || !strings.Contains(b, "<h1>Works</h1>") {
		t.Errorf("the front: %d %s", s, b)
	}
	// A second writer is told so, at once.
	if err := Run(t.Context(), Config{Dir: dir, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), "is served, or written to, already") ||
		!strings.Contains(err.Error(), "and serves the desk: sign in at http://localhost:") {
		t.Errorf("a second one: %v", err)
	}
	// Anchors come while nobody does anything.
	deadline := time.Now().Add(20 * time.Second)
	for s := 0; s != 200; time.Sleep(50 * time.Millisecond) {
		if s, _ = get(t, r.base+"/log/checkpoint"); time.Now().After(deadline) {
			t.Fatal("nothing was anchored")
		}
	}
	if _, b := get(t, "http://"+m.Addr().String()+"/metrics"); !strings.Contains(b, "forewarn_ready 1") || !strings.Contains(b, `forewarn_http_requests_total{page="GET /{$}",status="200"} 1`) {
		t.Errorf("metrics: %s", b)
	}
	big, err := http.NewRequest("GET", r.base+"/", nil)
	ok(t, err)
	big.Header.Set("X-Long", strings.Repeat("a", 64<<10))
	if got, err := http.DefaultClient.Do(big); err != nil || got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a head of 64 KiB: %v %v", got, err)
	}
	if s, _ := get(t, r.base+"/metrics"); s != 404 {
		t.Errorf("metrics for everybody: %d", s)
	}
	ok(t, r.stop())
	for line := range strings.Lines(r.log.String()) {
		var v struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &v); err != nil || v.Level != "INFO" {
			t.Errorf("the process log: %s", line)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(r.log.String()), `"msg":"stopped"}`) {
		t.Errorf("the end: %s", r.log)
	}
	// What it held is free again, and sound.
	h, err := home.OpenOn(dir, home.Machine{SealerInside: true})
	ok(t, err)
	rep, f, err := h.Verify(t.Context(), false, nil, nil)
	ok(t, err)
	if len(rep.Problems)+len(f.Problems) > 0 {
		t.Errorf("%v %v", rep.Problems, f.Problems)
	}
}

// TestStopping: a request under way is answered, none is begun, and one that hangs
// is given up when the deadline is over.
func TestStopping(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		dir := founded(t)
		r := run(t, Config{Dir: dir, Deadline: time.Second})
		conn, err := net.Dial("tcp", strings.TrimPrefix(strings.Replace(r.base, "localhost", "127.0.0.1", 1), "http://"))
		ok(t, err)
		_, err = io.WriteString(conn, "POST /passkey/sign-in/begin HTTP/1.1\r\nHost: "+strings.TrimPrefix(r.base, "http://")+"\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
		ok(t, err)
		time.Sleep(100 * time.Millisecond) // it has come to its handler
		stopped := make(chan error, 1)
		begun := time.Now()
		go func() { stopped <- r.stop() }()
		time.Sleep(100 * time.Millisecond)
		if c, err := net.Dial("tcp", conn.RemoteAddr().String()); err == nil {
			c.Close()
			t.Error("a new connection is taken while stopping")
		}
		if _, err := os.Lstat(filepath.Join(dir, "desk", "desk.sock")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("commands are taken while stopping: %v", err)
		}
		if !hangs {
			_, err = io.WriteString(conn, "}")
			ok(t, err)
			b, _ := io.ReadAll(conn)
			if !strings.HasPrefix(string(b), "HTTP/1.1 200") {
				t.Errorf("the request under way: %s", b)
			}
		}
		err = <-stopped
		if hangs != errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 10*time.Second {
			t.Errorf("hangs %v: %v after %s", hangs, err, time.Since(begun))
		}
		conn.Close()
	}
}

// TestStoppedWhileItBegins: a desk that is stopped before all of it runs ends in order.
func TestStoppedWhileItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stops := slog.New(slog.NewTextHandler(stopper(func(line string) {
		if strings.Contains(line, "msg=serving") {
			cancel()
		}
	}), nil))
	ok(t, Run(ctx, Config{Dir: founded(t), Listen: "127.0.0.1:0", Log: stops}))
	if ctx.Err() == nil {
		t.Error("it said nothing")
	}
}

type stopper func(line string)

func (f stopper) Write(b []byte) (int, error) { f(string(b)); return len(b), nil }

// TestBeside: what goes on beside the pages has the desk, is begun again when it
// ended, and ends with them.
func TestBeside(t *testing.T) {
	ended := make(chan error, 1)
	r := run(t, Config{Dir: founded(t), Beside: []Task{
		{"waiting", func(ctx context.Context, d *coordinator.Desk) error {
			if d.Log().Size() == 0 {
				t.Error("not the desk")
			}
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		}},
		{"failing", func(context.Context, *coordinator.Desk) error { return errors.New("no such file") }},
	}})
	deadline := time.Now().Add(10 * time.Second)
	for !strings.Contains(r.log.String(), `"msg":"failing","error":"no such file"`) {
		if time.Now().After(deadline) {
			t.Fatal("what fails isn't told")
		}
		time.Sleep(10 * time.Millisecond)
	}
	ok(t, r.stop())
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if strings.Contains(r.log.String(), "waiting") {
		t.Errorf("what was stopped is told as if it failed: %s", r.log)
	}
}

// bell is rung for people.
type bell chan string

func (b bell) Notify(_ context.Context, to coordinator.Person, n coordinator.Notice) error {
	b <- to.Handle + ": " + n.Text
	return nil
}

// TestReadiness: a jump of the clock holds openings, says so, and rouses who is on
// duty, once.
func TestReadiness(t *testing.T) {
	begun := time.Now()
	var ahead atomic.Int64
	rung := make(bell, 10)
	c := Config{Dir: founded(t), Rouse: rung}
	c.Clocks = func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0).Add(time.Duration(ahead.Load())), now.Sub(begun)
	}
	r := run(t, c)
	for _, row := range []struct {
		ahead time.Duration
		want  int
	}{{0, 200}, {4 * time.Second, 200}, {time.Hour, 503}, {-time.Hour, 503}, {0, 200}} {
		ahead.Store(int64(row.ahead))
		if s, b := get(t, r.base+"/readyz"); s != row.want {
			t.Errorf("%s ahead: %d %s", row.ahead, s, b)
		}
		if s, _ := get(t, r.base+"/healthz"); s != 200 {
			t.Errorf("%s ahead: not healthy", row.ahead)
		}
		if s, _ := get(t, r.base+"/"); s != 200 {
			t.Errorf("%s ahead: the front is %d", row.ahead, s)
		}
	}
	// The desk looks at its clocks each second: if it did so just then, somebody was
	// roused, and it has to see them agree again.
	for ; len(rung) != 0; time.Sleep(2100 * time.Millisecond) {
		<-rung
	}
	ahead.Store(int64(time.Hour))
	select {
	case who := <-rung:
		if who != "ana: "+coordinator.NoticeText {
			t.Error(who)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was roused")
	}
	time.Sleep(2100 * time.Millisecond)
	if len(rung) != 0 {
		t.Error("roused again at once")
	}
}

// TestDead: a desk whose log has stopped ends, so that it is started again and others
// can have the log; the log is sound.
func TestDead(t *testing.T) {
	dir := founded(t)
	now := make(chan struct{})
	r := run(t, Config{Dir: dir, Beside: []Task{{"a bug", func(ctx context.Context, d *coordinator.Desk) error {
		<-now
		defer func() { recover() }()
		_, err := d.Log().AppendIf(ctx, func(time.Time) ([]ledger.Draft, error) { panic("a bug") })
		return err
	}}}})
	close(now)
	select {
	case err := <-r.ended:
		if !errors.Is(err, ledger.ErrDead) {
			t.Errorf("it ended with %v", err)
		}
		r.ended <- err
	case <-time.After(20 * time.Second):
		t.Error("it goes on, has the lock, and can do nothing")
		r.stop()
	}
	h, err := home.OpenOn(dir, home.Machine{SealerInside: true})
	ok(t, err)
	d, err := h.Desk(t.Context())
	ok(t, err)
	ok(t, d.Close())
}

// TestUnready: before the programme is open, and once a failed append ended the
// writer.
func TestUnready(t *testing.T) {
	dir := founded(t)
	s := &server{clock: newClock(nil)}
	s.metrics = newMetrics(s)
	if why := s.unready(); why != "opening" {
		t.Errorf("before: %q", why)
	}
	h, err := home.OpenOn(dir, home.Machine{SealerInside: true})
	ok(t, err)
	var hands sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	s.Config, err = Config{Dir: dir, Origin: "http://localhost:1", Log: slog.New(slog.DiscardHandler)}.filled()
	ok(t, err)
	s.addr = &net.TCPAddr{}
	ok(t, s.open(ctx, h, &hands))
	if why := s.unready(); why != "" {
		t.Errorf("open: %q", why)
	}
	cancel()
	hands.Wait()
	// A decision that panics leaves open what was kept: the writer is dead.
	func() {
		defer func() { recover() }()
		_, _ = s.desk.Load().Log().AppendIf(t.Context(), func(time.Time) ([]ledger.Draft, error) { panic("a bug") })
	}()
	if why := s.unready(); why != "the log has stopped" {
		t.Errorf("after a failed append: %q", why)
	}
	ok(t, s.close(nil, func() {}, &hands))
	if why := s.unready(); why != "stopping" {
		t.Errorf("at the end: %q", why)
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]Config{
		"open to all without TLS": {Listen: ":8443"},
		"not an address":          {Listen: "here"},
		"half of TLS":             {TLSCert: "cert.pem", Origin: "https://desk.example"},
		"TLS twice":               {TLSCert: "cert.pem", TLSKey: "key.pem", BehindProxy: true, Origin: "https://desk.example"},
		"a proxy for what":        {BehindProxy: true},
		"metrics for all":         {Metrics: "0.0.0.0:9464"},
		"no such certificate":     {TLSCert: "cert.pem", TLSKey: "key.pem", Origin: "https://desk.example", Listen: "127.0.0.1:0"},
		"an origin with a path":   {Origin: "http://localhost/x", Listen: "127.0.0.1:0"},
		"plain http to others":    {Origin: "http://desk.example", BehindProxy: true, Listen: "127.0.0.1:0"},
	} {
		c.Dir, c.Log = founded(t), slog.New(slog.DiscardHandler)
		if err := Run(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Run(t.Context(), Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"}); !errors.Is(err, home.ErrNoProgramme) {
		t.Errorf("no programme: %v", err)
	}
}

// TestTLS serves with a certificate, and with its successor once that is there.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	c := Config{Dir: founded(t), TLSCert: filepath.Join(dir, "cert.pem"), TLSKey: filepath.Join(dir, "key.pem"), Origin: "https://desk.example"}
	pool := x509.NewCertPool()
	issue := func(n int64) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ok(t, err)
		b, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: "desk.example"}, DNSNames: []string{"desk.example"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}, &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: "desk.example"}}, &key.PublicKey, key)
		ok(t, err)
		k, err := x509.MarshalPKCS8PrivateKey(key)
		ok(t, err)
		ok(t, os.WriteFile(c.TLSKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k}), 0o600))
		ok(t, os.WriteFile(c.TLSCert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b}), 0o644))
		x, err := x509.ParseCertificate(b)
		ok(t, err)
		pool.AddCert(x)
	}
	issue(1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	addr := l.Addr().String()
	ok(t, l.Close())
	c.Listen = addr
	run(t, c)
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "desk.example"},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}}}
	r, err := client.Get("https://desk.example/")
	ok(t, err)
	if r.StatusCode != 200 || r.Header.Get("Strict-Transport-Security") == "" || r.ProtoMajor != 2 || r.TLS.PeerCertificates[0].SerialNumber.Int64() != 1 {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.Proto)
	}
	r.Body.Close()

	cert := &certificate{cert: c.TLSCert, key: c.TLSKey, log: slog.New(slog.DiscardHandler)}
	serial := func() int64 {
		pair, err := cert.get(nil)
		ok(t, err)
		x, err := x509.ParseCertificate(pair.Certificate[0])
		ok(t, err)
		cert.looked = time.Time{}
		return x.SerialNumber.Int64()
	}
	if serial() != 1 {
		t.Error("the first certificate")
	}
	issue(2)
	later := time.Now().Add(time.Minute)
	ok(t, os.Chtimes(c.TLSCert, later, later))
	if serial() != 2 {
		t.Error("the renewed certificate is not read")
	}
	ok(t, os.WriteFile(c.TLSCert, []byte("half a file"), 0o644))
	if serial() != 2 {
		t.Error("a broken renewal took the old one away")
	}
}

// TestCommandsBeside: commands of this machine write through the desk that is served,
// whatever the folder's path, and by themselves when it has stopped.
func TestCommandsBeside(t *testing.T) {
	deep := foundedIn(t, filepath.Join(t.TempDir(), strings.Repeat("deep/", 40)))
	r := run(t, Config{Dir: deep})
	h, err := home.Open(deep)
	ok(t, err)
	note := func(n byte) (entrylog.Seq, error) {
		d, err := h.Join(t.Context())
		if err != nil {
			return 0, err
		}
		defer d.Close()
		ana, err := d.Login(t.Context(), "ana")
		ok(t, err)
		sealed, err := d.Do(t.Context(), cvd.Actor{Account: ana}, cvd.NoteCommitment{Commitment: [32]byte{n}})
		if err != nil {
			return 0, err
		}
		return sealed[0].Seq, nil
	}
	one, err := note(1)
	ok(t, err)
	if s, b := get(t, r.base+"/readyz"); s != 200 {
		t.Errorf("%d %s", s, b)
	}
	long, err := h.Join(t.Context())
	ok(t, err)
	defer long.Close()
	ok(t, r.stop())
	if _, err := os.Lstat(filepath.Join(deep, "desk", "desk.sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	// One that began while it was served is told so, and that nothing was kept.
	ana, err := long.Login(t.Context(), "ana")
	ok(t, err)
	if _, err := long.Do(t.Context(), cvd.Actor{Account: ana}, cvd.NoteCommitment{Commitment: [32]byte{2}}); !errors.Is(err, ledger.ErrUnreached) {
		t.Errorf("after it stopped: %v", err)
	}
	two, err := note(3)
	ok(t, err)
	if two != one+1 {
		t.Errorf("entries %d and %d", one, two)
	}
	if strings.Contains(r.log.String(), "ERROR") {
		t.Errorf("the process log: %s", r.log)
	}
}

// TestTaken: an address that another process has is told with the flag it is from.
func TestTaken(t *testing.T) {
	dir := founded(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	taken := l.Addr().String()
	for flag, c := range map[string]Config{
		"--listen " + taken:  {Dir: dir, Listen: taken},
		"--metrics " + taken: {Dir: dir, Listen: "127.0.0.1:0", Metrics: taken},
	} {
		c.Log = slog.New(slog.DiscardHandler)
		err := Run(t.Context(), c)
		if !errors.Is(err, ErrListen) || !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
