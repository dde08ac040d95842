package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"forewarn"
	"forewarn/client"
	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/seal"
	"forewarn/internal/serve"
	"forewarn/internal/signin"
)

// desk is a programme that is served, with a wave that opened to a member.
type desk struct {
	url, token, other string // of the member, and of one that isn't in the case
	wave              string
	log               forewarn.Log
	identity          []byte
	stop              func() error
}

var dir string

func TestMain(m *testing.M) {
	// The desk starts its own program as the sealer's process: here that is this one.
	if len(os.Args) == 4 && os.Args[1] == "sealer" && os.Args[2] == "serve" {
		if err := home.ServeSealer(context.Background(), os.Args[3], home.Machine{}, os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	var err error
	if dir, err = os.MkdirTemp("", "forewarn-client-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if started {
		if err := served().stop(); err != nil {
			panic(err)
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

var started bool

// served starts the desk, once for all tests.
var served = sync.OnceValue(func() desk {
	started = true
	d, err := start(context.Background(), filepath.Join(dir, "prog"))
	if err != nil {
		panic(err)
	}
	return d
})

func start(ctx context.Context, at string) (out desk, err error) {
	const origin = "works.example/forewarn"
	h, err := home.Create(ctx, at, home.Founding{Origin: origin, Tick: time.Second, Machine: home.Machine{SealerInside: true}})
	if err != nil {
		return out, err
	}
	d, err := h.Desk(ctx)
	if err != nil {
		return out, err
	}
	must := func(e error) { err = errors.Join(err, e) }
	by := func(id cvd.AccountID) cvd.Actor { return cvd.Actor{Account: id} }
	ana, e := d.Found(ctx, origin, "Works", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Second, []byte(coordinator.DefaultTerms))
	must(e)
	ben, e := d.AddAccount(ctx, by(ana), cvd.MemberID{}, cvd.RoleSet(cvd.Approver), coordinator.Person{Handle: "ben", Name: "Ben"})
	must(e)
	var members []cvd.MemberID
	var people []cvd.AccountID
	for _, name := range []string{"mia", "noor"} {
		m, who, e := d.Admit(ctx, by(ana), coordinator.Admission{Name: "Member " + name, Tier: 1, Contact: name})
		must(e)
		_, e = d.AcceptTerms(ctx, by(who))
		must(e)
		members, people = append(members, m), append(people, who)
	}
	cs, e := d.OpenCase(ctx, by(ana), coordinator.Opening{Title: "Layout import", Named: []string{"Portal"}, Invite: members[:1], Release: cvd.ReleaseTime{At: time.Now().Add(240 * time.Hour), Zone: "UTC"}})
	must(e)
	must(d.Consent(ctx, by(people[0]), cs, true))
	k, e := seal.Keygen(seal.X25519, time.Now())
	must(e)
	pub, e := k.Public()
	must(e)
	holder := cvd.HolderID(members[0])
	_, e = d.Do(ctx, by(people[0]), cvd.EnrolKeys{Holder: holder, Recipients: pub.Recipients, Signing: pub.Signing})
	must(e)
	must(home.AcceptKeys(filepath.Join(at, "sealer"), holder, pub.Recipients))
	bulk := bytes.Repeat([]byte("The same for all, and long. "), 20_000)
	rev, e := d.AddRevision(ctx, by(ana), cs, cvd.PackageID{}, 0, carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte("# A flaw\n\nIt {{answers|replies}} to callers who are {{not signed in|without a session}}. The constant is {{token:hex}}.\n")},
		{Path: "appendix.txt", Data: bulk},
		{Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\nfiles:\n  appendix.txt: description\nbulk:\n  - appendix.txt\n")},
	}})
	must(e)
	wave, e := d.DraftWave(ctx, by(ana), cvd.DraftWave{Revision: rev.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: time.Now().Add(2 * time.Second), Audience: []cvd.HolderID{holder}})
	must(e)
	must(d.Approve(ctx, by(ben), wave, nil))
	var tokens []string
	for _, who := range people {
		secret := fmt.Sprintf("fwt_%043d", len(tokens))
		_, e := d.Do(ctx, cvd.Actor{Account: who, Auth: entrylog.AuthFresh}, cvd.IssueToken{Account: who, Token: signin.KeyOf(secret), Scope: cvd.EveryScope, Until: time.Now().Add(time.Hour)})
		must(e)
		tokens = append(tokens, secret)
	}
	must(d.Close())
	if err != nil {
		return out, err
	}
	run, cancel := context.WithCancel(ctx)
	ended, url := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- serve.Run(run, serve.Config{Dir: at, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Started: func(_ net.Addr, origin string) { url <- origin }})
	}()
	select {
	case err := <-ended:
		cancel()
		return out, err
	case at := <-url:
		return desk{at, tokens[0], tokens[1], wave.String(), forewarn.Log{Key: h.LogKey(), Interval: time.Second}, k.Identity, func() error { cancel(); return <-ended }}, nil
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// opened waits for the wave as a program would: by polling.
func opened(ctx context.Context, c *client.Client, wave string) error {
	open := errors.New("it is open")
	err := c.Poll(ctx, time.Second, func(waves []client.Wave) error {
		for _, w := range waves {
			if w.ID == wave && w.WhyNot == "" {
				return open
			}
		}
		return nil
	})
	if err == open {
		return nil
	}
	return err
}

// Example is what a member's program does from a token to a receipt.
func Example() {
	d := served()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(d.url, d.token, client.Options{Log: d.log})
	check(err)
	check(opened(ctx, c, d.wave))

	var sealed, bulk bytes.Buffer
	delivery, err := c.Copy(ctx, d.wave, &sealed, &bulk)
	check(err)
	fmt.Println("a copy at level", delivery.Bound.Level, "and bulk:", delivery.Bulk > 0)

	identity, key := keys(d.identity)
	opened, err := forewarn.OpenCopy(&sealed, identity)
	check(err)
	_, err = forewarn.VerifyCopy(d.log, opened, delivery.Proof)
	check(err)
	receipt, err := forewarn.SignReceipt(d.log, opened, delivery.Proof, key)
	check(err)
	wave, err := c.Lodge(ctx, receipt)
	check(err)
	fmt.Println("lodged for the wave:", wave == d.wave)
	// Output:
	// a copy at level description and bulk: true
	// lodged for the wave: true
}

// flaky breaks what passes through it.
type flaky struct {
	turn func(n int, r *http.Request) (*http.Response, error) // nil, nil: let it pass
	cut  int64                                                // an answer's body ends after so many bytes, the first times
	cuts int

	mu   sync.Mutex
	n    int
	keys []string
}

func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.n++
	n := f.n
	f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
	f.mu.Unlock()
	if f.turn != nil {
		if out, err := f.turn(n, r); out != nil || err != nil {
			return out, err
		}
	}
	out, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "/bulk") && f.cuts > 0 {
		f.cuts--
		out.Body = io.NopCloser(io.LimitReader(out.Body, f.cut))
	}
	return out, err
}

func answer(status int, heads ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(heads); i += 2 {
		h.Set(heads[i], heads[i+1])
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: h, Body: io.NopCloser(strings.NewReader(""))}
}

// TestCopyIsTakenUp: a file whose connection breaks is taken up where it broke.
func TestCopyIsTakenUp(t *testing.T) {
	d := served()
	f := &flaky{cut: 100_000, cuts: 4}
	var waits []time.Duration
	seen := map[string]int64{}
	proofs := 0
	c, err := client.New(d.url, d.token, client.Options{Log: d.log, HTTP: &http.Client{Transport: f},
		Proof:    func(p []byte) error { proofs++; return nil },
		Progress: func(name string, done, all int64) { seen[name] = done },
	})
	ok(t, err)
	ok(t, opened(t.Context(), c, d.wave))
	c.Sleep = func(_ context.Context, w time.Duration) error { waits = append(waits, w); return nil }
	var sealed, bulk bytes.Buffer
	got, err := c.Copy(t.Context(), d.wave, &sealed, &bulk)
	ok(t, err)
	if int64(bulk.Len()) != got.Bulk || got.Bulk < 500_000 || len(waits) != 4 || seen["bulk"] != got.Bulk || seen["sealed"] != got.Sealed || proofs != 1 {
		t.Errorf("%d bytes of %d, %d waits, %v", bulk.Len(), got.Bulk, len(waits), seen)
	}
	id, _ := keys(d.identity)
	cp, err := forewarn.OpenCopy(&sealed, id)
	ok(t, err)
	if _, err := seal.OpenBulk(bulk.Bytes(), cp.BulkKey, seal.DefaultLimits); err != nil {
		t.Error(err)
	}

	// A writer's error ends it, and is told as it is.
	full := errors.New("no space")
	if _, err := c.Copy(t.Context(), d.wave, failing{full}, io.Discard); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
	// A proof that its caller refuses lets nothing come.
	c.Proof = func([]byte) error { return full }
	var none bytes.Buffer
	if _, err := c.Copy(t.Context(), d.wave, &none, &none); !errors.Is(err, full) || none.Len() > 0 {
		t.Errorf("a refused proof: %v", err)
	}
	// Another log's key: nothing is written.
	c.Proof, c.Log.Key = nil, "other.example/log+"+strings.SplitN(d.log.Key, "+", 2)[1]
	if _, err := c.Copy(t.Context(), d.wave, &none, &none); err == nil || none.Len() > 0 {
		t.Errorf("another log's key: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestTries: what passes is tried again, with the desk's wait or a growing one, an
// act under one key; what doesn't is told at once.
func TestTries(t *testing.T) {
	d := served()
	for name, row := range map[string]struct {
		turn  func(n int, r *http.Request) (*http.Response, error)
		sent  int
		least time.Duration // of the first wait
		fails bool
	}{
		"busy":             {func(n int, _ *http.Request) (*http.Response, error) { return until(n, 3, 503, "Retry-After", "2"), nil }, 3, 2 * time.Second, false},
		"too many":         {func(n int, _ *http.Request) (*http.Response, error) { return until(n, 2, 429, "Retry-After", "7"), nil }, 2, 7 * time.Second, false},
		"no connection":    {func(n int, _ *http.Request) (*http.Response, error) { return nil, broken(n, 4) }, 4, 0, false},
		"a cut answer":     {func(n int, _ *http.Request) (*http.Response, error) { return cut(n, 3), nil }, 3, 0, false},
		"never":            {func(int, *http.Request) (*http.Response, error) { return nil, broken(0, 1) }, 6, 0, true},
		"too long a wait":  {func(int, *http.Request) (*http.Response, error) { return answer(503, "Retry-After", "3600"), nil }, 1, 0, true},
		"a proxy's answer": {func(int, *http.Request) (*http.Response, error) { return answer(403), nil }, 1, 0, true},
		"a redirect": {func(int, *http.Request) (*http.Response, error) {
			return answer(302, "Location", "https://evil.example/"), nil
		}, 1, 0, true},
	} {
		f := &flaky{turn: row.turn}
		var waits []time.Duration
		c, err := client.New(d.url, d.token, client.Options{HTTP: &http.Client{Transport: f}, Sleep: func(_ context.Context, w time.Duration) error { waits = append(waits, w); return nil }})
		ok(t, err)
		_, err = c.Lodge(t.Context(), []byte("no receipt"))
		var p *client.Problem
		switch {
		case row.fails && err == nil, !row.fails && (!errors.As(err, &p) || p.Field != "receipt" || p.Status != 400):
			t.Errorf("%s: %v", name, err)
		case f.n != row.sent || len(waits) != row.sent-1 || len(waits) > 0 && waits[0] < row.least:
			t.Errorf("%s: sent %d times, waits %v", name, f.n, waits)
		}
		for _, k := range f.keys {
			if k == "" || k != f.keys[0] {
				t.Errorf("%s: keys %q", name, f.keys)
			}
		}
	}
}

func until(n, good, status int, heads ...string) *http.Response {
	if n >= good {
		return nil
	}
	return answer(status, heads...)
}

// cut is an answer that something was done, of which the connection took the rest.
func cut(n, good int) *http.Response {
	r := until(n, good, 200)
	if r != nil {
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"rec`), iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return r
}

func broken(n, good int) error {
	if n >= good {
		return nil
	}
	return errors.New("connection reset")
}

// TestProblems: programs tell what went wrong by class.
func TestProblems(t *testing.T) {
	d := served()
	mia, err := client.New(d.url, d.token, client.Options{})
	ok(t, err)
	noor, err := client.New(d.url, d.other, client.Options{})
	ok(t, err)
	nobody, err := client.New(d.url, "fwt_nobody", client.Options{})
	ok(t, err)
	ok(t, opened(t.Context(), mia, d.wave))
	var none bytes.Buffer
	_, err = nobody.Inbox(t.Context())
	if !errors.Is(err, client.BadToken) || errors.Is(err, client.BadScope) {
		t.Errorf("nobody: %v", err)
	}
	if _, err = noor.Copy(t.Context(), d.wave, &none, &none); err == nil || none.Len() > 0 {
		t.Errorf("another member: %v", err)
	}
	if w, err := noor.Inbox(t.Context()); err != nil || len(w) != 0 {
		t.Errorf("another member's inbox: %v, %v", w, err)
	}
	for _, row := range []struct{ server, token string }{{"http://desk.example", "x"}, {"https://desk.example/x", "x"}, {"desk.example", "x"}, {"https://a:b@desk.example", "x"}, {"https://desk.example", ""}, {"https://desk.example", "a b"}, {"https://desk.example", "a\nb"}} {
		if _, err := client.New(row.server, row.token, client.Options{}); !errors.Is(err, client.ErrServer) {
			t.Errorf("%q: %v", row, err)
		}
	}
}

// TestPoll: nothing is told twice, and what passes ends nothing.
func TestPoll(t *testing.T) {
	d := served()
	told, looks := 0, 0
	f := &flaky{turn: func(n int, r *http.Request) (*http.Response, error) {
		if n%3 == 2 {
			return nil, errors.New("connection reset")
		}
		return nil, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	c, err := client.New(d.url, d.token, client.Options{Tries: 1, HTTP: &http.Client{Transport: f}, Sleep: func(_ context.Context, w time.Duration) error {
		if w > 13*time.Second {
			t.Errorf("a wait of %v", w)
		}
		if looks++; looks == 12 {
			cancel()
		}
		return ctx.Err()
	}})
	ok(t, err)
	plain, err := client.New(d.url, d.token, client.Options{})
	ok(t, err)
	ok(t, opened(t.Context(), plain, d.wave))
	if err := c.Poll(ctx, 10*time.Second, func(w []client.Wave) error { told++; return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if told == 0 || told > 2 || f.n < 12 { // a fetch of another test may come between
		t.Errorf("told %d times in %d looks", told, f.n)
	}
}

// TestAnswer: a member's program finds the case and the product by name, and answers;
// who isn't in the case finds neither.
func TestAnswer(t *testing.T) {
	d := served()
	c, err := client.New(d.url, d.token, client.Options{})
	ok(t, err)
	cases, err := c.Cases(t.Context())
	ok(t, err)
	if len(cases) != 1 || cases[0].Title != "Layout import" || cases[0].Consent != "signatory" {
		t.Fatalf("%+v", cases)
	}
	id := cases[0].ID
	products, err := c.Products(t.Context(), id)
	ok(t, err)
	if len(products) != 1 || products[0].Name != "Portal" {
		t.Fatalf("%+v", products)
	}
	x := products[0].ID
	ok(t, c.Answer(t.Context(), id, x, "investigating", "4.2 and later"))
	if products, err = c.Products(t.Context(), id); err != nil || products[0].Answer != "investigating" {
		t.Errorf("%+v, %v", products, err)
	}
	var p *client.Problem
	if err := c.Answer(t.Context(), id, x, "perhaps", ""); !errors.As(err, &p) || p.Field != "answer" {
		t.Errorf("an answer that is none: %v", err)
	}
	other, err := client.New(d.url, d.other, client.Options{})
	ok(t, err)
	if cases, err := other.Cases(t.Context()); err != nil || len(cases) != 0 {
		t.Errorf("another member: %+v, %v", cases, err)
	}
	if err := other.Answer(t.Context(), id, x, "ready", ""); !errors.As(err, &p) || p.Status != http.StatusForbidden && p.Status != http.StatusNotFound {
		t.Errorf("another member: %v", err)
	}
}
