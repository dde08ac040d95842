package smtp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/mail"
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
	"forewarn/internal/smtp"
)

const (
	childDir    = "FOREWARN_TEST_POST_CHILD" // the programme whose notices it sends
	killRounds  = "FOREWARN_KILL_ROUNDS"
	manyMembers = "FOREWARN_TEST_MEMBERS" // 10000 for the long run
)

// TestMain is also the child that sends and is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := keepSending(dir); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// orders are what the child needs to know.
type orders struct {
	By    cvd.AccountID
	Relay smtp.Relay
}

func keepSending(dir string) error {
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
	d, err := h.Desk(ctx)
	if err != nil {
		return err
	}
	p, err := smtp.New(smtp.Config{Relays: []smtp.Relay{o.Relay}, From: "notices@desk.example", Link: "https://desk.example/home"})
	if err != nil {
		return err
	}
	for {
		if _, err := d.Deliver(ctx, cvd.Actor{Account: o.By}, p, time.Now()); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// programme is one with members who are to be told of new terms.
type programme struct {
	t   testing.TB
	dir string
	h   *home.Home
	orders
}

func newProgramme(t testing.TB, members int, relay smtp.Relay) *programme {
	p := &programme{t: t, dir: t.TempDir(), orders: orders{Relay: relay}}
	var err error
	p.h, err = home.Create(ctx, filepath.Join(p.dir, "p"), home.Founding{Origin: "post.example/forewarn", Tick: time.Second, Machine: home.Machine{SealerInside: true}})
	ok(t, err)
	d, err := p.h.Desk(ctx)
	ok(t, err)
	defer d.Close()
	p.By, err = d.Found(ctx, p.h.Origin(), "Post", coordinator.Person{Handle: "ana", Name: "Ana", Mail: "ana@desk.example"}, time.Second, []byte(coordinator.DefaultTerms))
	ok(t, err)
	var all []coordinator.Admission
	for n := range members {
		all = append(all, coordinator.Admission{Name: fmt.Sprintf("Member %d", n), Tier: 1, Contact: fmt.Sprintf("c%d", n), ContactMail: fmt.Sprintf("c%d@member.example", n)})
	}
	_, err = d.AdmitAll(ctx, p.by(), all, nil)
	ok(t, err)
	b, err := json.Marshal(p.orders)
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(p.dir, "orders.json"), b, 0o600))
	return p
}

func (p *programme) by() cvd.Actor { return cvd.Actor{Account: p.By} }

// desk does something while no child has the log.
func (p *programme) desk(do func(*home.Desk)) {
	p.t.Helper()
	d, err := p.h.Desk(ctx)
	ok(p.t, err)
	do(d)
	ok(p.t, d.Close())
}

// terms publishes new ones: every member is to be told.
func (p *programme) terms(n int) {
	p.t.Helper()
	p.desk(func(d *home.Desk) { ok(p.t, d.PublishTerms(ctx, p.by(), fmt.Appendf(nil, "Terms %d\n", n))) })
}

func (p *programme) child() *exec.Cmd {
	self, err := os.Executable()
	ok(p.t, err)
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+p.dir)
	cmd.Stderr = os.Stderr
	ok(p.t, cmd.Start())
	return cmd
}

// waiting is how many notices the log has as queued, and in all.
func (p *programme) waiting() (left, all int) {
	l, err := p.h.Look(ctx)
	ok(p.t, err)
	defer l.Close()
	ok(p.t, l.View(func(s *cvd.Programme) error {
		for id := range s.Deliveries {
			if all++; s.DeliveryState(id) == cvd.DeliveryQueued {
				left++
			}
		}
		return nil
	}))
	return left, all
}

// A sender that is killed at any moment loses no notice; one that is sent again has
// the same Message-ID, and nothing is sent that the log doesn't have.
func TestKilled(t *testing.T) {
	rounds, members := 5, 100
	if s := os.Getenv(killRounds); s != "" {
		var err error
		rounds, err = strconv.Atoi(s)
		ok(t, err)
	}
	rng := rand.New(rand.NewPCG(5, 11))
	s := newSink(t, nil)
	s.slow = 8 * time.Millisecond
	p := newProgramme(t, members, s.relay())
	for round := range rounds {
		p.terms(round)
		cmd := p.child()
		time.Sleep(time.Duration(150+rng.IntN(400)) * time.Millisecond)
		ok(t, cmd.Process.Kill())
		cmd.Wait()
	}
	p.terms(rounds)
	cmd := p.child()
	for last := time.Now().Add(30 * time.Second); time.Now().Before(last); time.Sleep(50 * time.Millisecond) {
		if left, all := p.waiting(); left == 0 && all >= members {
			break
		}
	}
	ok(t, cmd.Process.Kill())
	cmd.Wait()

	times := map[cvd.DeliveryID]int{}
	l, err := p.h.Look(ctx)
	ok(t, err)
	defer l.Close()
	ok(t, l.View(func(state *cvd.Programme) error {
		n := l.Names(ctx, state)
		for _, x := range s.letters() {
			m, err := mail.ReadMessage(bytes.NewReader(x.data))
			ok(t, err)
			local, _, _ := strings.Cut(strings.Trim(m.Header.Get("Message-Id"), "<>"), "@")
			var id cvd.DeliveryID
			ok(t, id.UnmarshalText([]byte(local)))
			d := state.Deliveries[id]
			if d == nil || n.Person(d.Account).Mail != x.to {
				t.Fatalf("a notice %s to %s was sent that the log doesn't have, or has for another", id, x.to)
			}
			if len(x.data) != smtp.Size {
				t.Errorf("a letter of %d bytes", len(x.data))
			}
			times[id]++
		}
		for id, d := range state.Deliveries {
			if times[id] == 0 {
				t.Errorf("notice %s, queued at %s, never arrived", id, d.At)
			}
			if state.DeliveryState(id) != cvd.DeliverySent {
				t.Errorf("notice %s is %s in the end", id, state.DeliveryState(id))
			}
		}
		for _, s := range state.Audit(time.Now()) {
			t.Error(s)
		}
		return nil
	}))
	again := 0
	for _, n := range times {
		again += n - 1
	}
	r, folded, err := p.h.Verify(ctx, false, nil, func(string, int) {})
	ok(t, err)
	if len(r.Problems)+len(folded.Problems) > 0 {
		t.Errorf("the log: %v %v", r.Problems, folded.Problems)
	}
	if len(times) < members {
		t.Errorf("only %d notices", len(times))
	}
	t.Logf("%d kills: %d notices, each arrived; %d arrived again under their Message-ID", rounds, len(times), again)
}

// Everybody is told within minutes, with a first mail server that takes connections
// and says nothing, and a second that takes its time over each message.
func TestManyNotices(t *testing.T) {
	members := 150
	if s := os.Getenv(manyMembers); s != "" {
		var err error
		members, err = strconv.Atoi(s)
		ok(t, err)
	}
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer deaf.Close()
	s := newSink(t, nil)
	s.slow = 50 * time.Millisecond
	p := newProgramme(t, members, s.relay())
	p.terms(1)
	p.desk(func(d *home.Desk) {
		a := deaf.Addr().(*net.TCPAddr)
		timeout := 15 * time.Second // what serve has
		if members < 1000 {
			timeout = 500 * time.Millisecond
		}
		post, err := smtp.New(smtp.Config{Relays: []smtp.Relay{{Host: "127.0.0.1", Port: a.Port}, s.relay()}, From: "notices@desk.example", Link: "https://desk.example/home", Timeout: timeout})
		ok(t, err)
		size, begun := d.Log().Size(), time.Now()
		until, cancel := context.WithTimeout(ctx, 5*time.Minute)
		defer cancel()
		got, err := d.Deliver(until, p.by(), post, begun.Truncate(coordinator.Slot))
		took := time.Since(begun)
		if err != nil || got.Sent*100 < members*99 {
			t.Errorf("%d of %d were handed off: %+v, %v", got.Sent, members, got, err)
		}
		t.Logf("%d of %d notices handed off in %s, in %d entries (first mail server deaf, second %s a message)", got.Sent, members, took.Round(time.Millisecond), d.Log().Size()-size, s.slow)
	})
	if n := len(s.letters()); n < members*99/100 {
		t.Errorf("%d arrived", n)
	}
	if left, all := p.waiting(); all != members || left > members/100 {
		t.Errorf("%d of %d wait", left, all)
	}
}
