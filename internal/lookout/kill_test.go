package lookout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/lookout"
	"forewarn/internal/sighting"
)

const (
	childDir   = "FOREWARN_TEST_LOOKOUT_CHILD" // the post to keep watch at
	killRounds = "FOREWARN_KILL_ROUNDS"        // 200 for the long run
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestMain is also the child that keeps watch and is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := keepWatch(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// orders are what the child needs to know.
type orders struct {
	By     cvd.AccountID
	Source cvd.SourceID
	Case   cvd.CaseID
	Log    string
}

func keepWatch(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, "orders.json"))
	if err != nil {
		return err
	}
	var o orders
	if err := json.Unmarshal(b, &o); err != nil {
		return err
	}
	h, err := home.OpenOn(filepath.Join(dir, "p"), home.Machine{SealerInside: true})
	if err != nil {
		return err
	}
	l, err := h.Look(ctx)
	if err != nil {
		return err
	}
	w := o.watch(l)
	w.Said = func(string, coordinator.Recorded) {}
	w.Notify = bell{}
	fmt.Println("ready")
	return w.Run(ctx)
}

// bell prints each notice that it hands on.
type bell struct{}

func (bell) Notify(_ context.Context, to coordinator.Person, n coordinator.Notice) error {
	_, err := fmt.Println("notice", n.ID)
	return err
}

func (o orders) watch(look *home.Looker) *lookout.Watch {
	return &lookout.Watch{
		Source: o.Source, By: cvd.Actor{Account: o.By}, Cases: []cvd.CaseID{o.Case}, Paths: []string{o.Log}, Look: look, Clock: time.Now,
		Repeats: 30 * time.Millisecond,
		Scanner: &sighting.Scanner{Indicators: []sighting.Indicator{{Kind: sighting.Constant, Value: "planted-here"}}},
		Note:    func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
		Append: func(ctx context.Context, f func(*coordinator.Desk) error) error {
			for {
				err := look.Append(ctx, f)
				if !errors.Is(err, ledger.ErrLocked) {
					return err
				}
				time.Sleep(5 * time.Millisecond)
			}
		},
	}
}

// post is a programme with a case to watch over, and a log.
type post struct {
	t   testing.TB
	dir string
	h   *home.Home
	orders
	planted int
}

func newPost(t testing.TB, dir string) *post {
	p := &post{t: t, dir: dir}
	var err error
	p.h, err = home.Create(ctx, filepath.Join(dir, "p"), home.Founding{Origin: "post.example/forewarn", Tick: time.Second, Machine: home.Machine{SealerInside: true}})
	ok(t, err)
	d, err := p.h.Desk(ctx)
	ok(t, err)
	p.By, err = d.Found(ctx, p.h.Origin(), "Post", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Second, []byte(coordinator.DefaultTerms))
	ok(t, err)
	ana := cvd.Actor{Account: p.By}
	p.Case, err = d.OpenCase(ctx, ana, coordinator.Opening{Title: "A case"})
	ok(t, err)
	_, err = d.SetEmbargo(ctx, ana, p.Case, cvd.ReleaseTime{At: time.Now().Add(240 * time.Hour), Zone: "UTC"})
	ok(t, err)
	p.Source, err = d.DeclareSource(ctx, ana, coordinator.SourceSpec{Name: "edge", Origin: cvd.OwnSensor, Quota: 1e6})
	ok(t, err)
	ok(t, d.Close())
	p.Log = filepath.Join(dir, "edge.log")
	b, err := json.Marshal(p.orders)
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, "orders.json"), b, 0o600))
	return p
}

// write appends lines, some of them with what is looked for.
func (p *post) write(rng *rand.Rand) {
	f, err := os.OpenFile(p.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ok(p.t, err)
	defer f.Close()
	var b strings.Builder
	for range 1 + rng.IntN(20) {
		word := "nothing"
		if rng.IntN(3) == 0 {
			word = "planted-here"
			p.planted++
		}
		fmt.Fprintf(&b, "%s GET /%d?%s\n", time.Now().UTC().Format(time.RFC3339Nano), rng.IntN(1e9), word)
	}
	_, err = io.WriteString(f, b.String())
	ok(p.t, err)
}

func (p *post) rotate(rng *rand.Rand) {
	for n := 30; n >= 1; n-- {
		os.Rename(fmt.Sprintf("%s.%d", p.Log, n), fmt.Sprintf("%s.%d", p.Log, n+1))
	}
	time.Sleep(20 * time.Millisecond) // file times tell the files' order
	if rng.IntN(2) == 0 {
		ok(p.t, os.Rename(p.Log, p.Log+".1"))
	} else {
		b, err := os.ReadFile(p.Log)
		ok(p.t, err)
		ok(p.t, os.WriteFile(p.Log+".1", b, 0o600))
		time.Sleep(20 * time.Millisecond)
		ok(p.t, os.Truncate(p.Log, 0))
	}
	time.Sleep(20 * time.Millisecond)
}

// recorded counts what stands in the log.
func (p *post) recorded() (times, rows int, notices map[string]bool) {
	l, err := p.h.Look(ctx)
	ok(p.t, err)
	defer l.Close()
	notices = map[string]bool{}
	ok(p.t, l.View(func(s *cvd.Programme) error {
		for _, x := range s.Cases[p.Case].Seen {
			times += int(x.Count)
			rows++
		}
		for id := range s.Notices {
			notices[id.String()] = true
		}
		return nil
	}))
	return times, rows, notices
}

func (p *post) child(out io.Writer) *exec.Cmd {
	self, err := os.Executable()
	ok(p.t, err)
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+p.dir)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	ok(p.t, cmd.Start())
	return cmd
}

// A watch that is killed at any moment, over a log that is written and rotated
// meanwhile, has each sighting in the log exactly once, and calls with no notice
// that the log doesn't have.
func TestKilled(t *testing.T) {
	for n, name := range []string{1: "alone", 2: "two of one path"} {
		if n > 0 {
			t.Run(name, func(t *testing.T) { t.Parallel(); killed(t, n) })
		}
	}
}

// killed has so many watches of one path killed, each at its time.
func killed(t *testing.T, watches int) {
	rounds := 6
	if s := os.Getenv(killRounds); s != "" {
		var err error
		rounds, err = strconv.Atoi(s)
		ok(t, err)
	}
	rng := rand.New(rand.NewPCG(3, 7))
	p := newPost(t, t.TempDir())
	var said []*strings.Builder // of each child
	begin := func() *exec.Cmd {
		said = append(said, new(strings.Builder))
		return p.child(said[len(said)-1])
	}
	stop := func(c *exec.Cmd) {
		ok(t, c.Process.Kill())
		c.Wait()
	}
	p.write(rng)
	var running []*exec.Cmd
	for round := range rounds {
		running = append(running, begin())
		end := time.Now().Add(time.Duration(30+rng.IntN(500)) * time.Millisecond)
		for time.Now().Before(end) {
			p.write(rng)
			if rng.IntN(6) == 0 {
				p.rotate(rng)
			}
			time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
		}
		if len(running) == watches {
			stop(running[0])
			running = running[1:]
		}
		if times, _, _ := p.recorded(); times > p.planted {
			t.Fatalf("round %d: %d sightings stand in the log of %d planted", round+1, times, p.planted)
		}
	}
	running = append(running, begin())
	last := time.Now().Add(20 * time.Second)
	times := 0
	for ; times != p.planted && time.Now().Before(last); time.Sleep(50 * time.Millisecond) {
		times, _, _ = p.recorded()
	}
	time.Sleep(300 * time.Millisecond)
	for _, c := range running {
		stop(c)
	}
	times, rows, notices := p.recorded()
	if times != p.planted {
		t.Errorf("%d sightings stand in the log, in %d rows, and %d were planted", times, rows, p.planted)
	}
	called := 0
	for _, s := range said {
		for line := range strings.Lines(s.String()) {
			if id, is := strings.CutPrefix(strings.TrimSpace(line), "notice "); is {
				called++
				if !notices[id] {
					t.Errorf("a notice %s was handed on that the log doesn't have", id)
				}
			}
		}
	}
	if called == 0 {
		t.Error("nobody was called")
	}
	r, folded, err := p.h.Verify(ctx, false, nil, func(string, int) {})
	ok(t, err)
	if len(r.Problems)+len(folded.Problems) > 0 {
		t.Errorf("the log: %v %v", r.Problems, folded.Problems)
	}
	t.Logf("%d kills: %d sightings planted, each in the log once, in %d rows; %d notices, %d handed on", rounds, p.planted, rows, len(notices), called)
}
