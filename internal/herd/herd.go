package herd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/cvd"
	"forewarn/internal/machine"
)

// Herd is what is measured. All fields are needed, but Kills, Steps and Say.
type Herd struct {
	Binary  string        // the program that serves
	Dir     string        // an empty folder, for the programme
	Members int           // who poll
	Lead    time.Duration // from the draft of the wave to its opening: sealing and the first polls go on in it
	Every   time.Duration // how often each member asks, at times of its own
	Kills   int           // how often the desk is killed while the herd comes
	Steps   int           // how often its clock is set by 48 hours, before and at the opening
	Limit   time.Duration // to give up after the opening
	Seed    uint64        // of when members ask
	Say     func(string)  // a line for each step
}

// Report is what came of it. Durations are from the opening on, and in seconds.
type Report struct {
	CPU     string `json:"cpu"`
	Go      string `json:"go"`
	Cores   int    `json:"cores"`
	Members int    `json:"members"`
	Seed    uint64 `json:"seed"`

	Have   int     `json:"have"` // members who have their copy, verified and opened
	Early  int     `json:"early"`
	Shapes int     `json:"shapes_before"` // different answers to who asked for the copy before its time: 1
	Median float64 `json:"median_s"`
	P99    float64 `json:"p99_s"`
	Last   float64 `json:"last_s"`
	Bytes  int64   `json:"bytes"` // of copies and proofs

	Requests int64   `json:"requests"`
	Turned   int64   `json:"turned_away"` // told to come back: 429 and 503
	Broken   int64   `json:"broken"`      // connections that failed
	Others   int     `json:"others"`      // requests of others meanwhile
	Others99 float64 `json:"others_p99_ms"`

	OthersFailed int `json:"others_failed"`

	ServerCPU float64 `json:"server_cpu_s"`
	ClientCPU float64 `json:"client_cpu_s"`
	Killed    int     `json:"killed"`

	Stepped int     `json:"clock_steps"`
	Wrong   float64 `json:"clock_wrong_s"` // so long from the opening on the desk's clock was wrong
	Mail    Mail    `json:"notices"`

	Logged int `json:"logged"` // members whose fetch is on the log
	Lost   int `json:"lost"`   // acknowledged to a member, and not on the log
}

// ErrHerd: what was asked for can't be measured.
var ErrHerd = errors.New("this herd can't be driven")

// Run founds, serves, waits and counts.
func (h Herd) Run(ctx context.Context) (r Report, err error) {
	if h.Members < 1 || h.Every <= 0 || h.Lead < 5*time.Second || h.Limit <= 0 {
		return r, fmt.Errorf("%w: it takes a member, an interval, a lead of 5 seconds and a limit", ErrHerd)
	}
	if h.Say == nil {
		h.Say = func(string) {}
	}
	r = Report{CPU: machine.CPU(), Go: runtime.Version(), Cores: runtime.NumCPU(), Members: h.Members, Seed: h.Seed}
	t, err := found(ctx, h.Dir, h.Members, h.Lead, h.Say)
	if err != nil {
		return r, err
	}
	h.Say("starting the desk")
	box, err := openMailbox()
	if err != nil {
		return r, err
	}
	defer box.server.Close()
	s, err := newServer(h.Binary, t.dir, h.Dir)
	if err != nil {
		return r, err
	}
	time, stop, err := s.tells()
	if err != nil {
		return r, err
	}
	defer stop()
	s.args = []string{"bench", "desk", "--clock", s.file("clock"), "--time", time, "--smtp", "smtp://" + box.address, "--mail-from", "notices@desk.example", "--as", "ana"}
	if err := s.start(ctx); err != nil {
		return r, err
	}
	defer s.kill()
	c, err := h.drive(ctx, t, s, &r)
	if err != nil {
		return r, err
	}
	h.Say("waiting for the last notices")
	if err := t.settled(ctx, h.Limit); err != nil {
		return r, err
	}
	if err := s.stop(); err != nil {
		return r, err
	}
	return r, h.audit(ctx, t, c, box, &r)
}

// crowd is the members while they poll.
type crowd struct {
	*town
	server   *server
	verify   note.Verifier
	requests atomic.Int64
	turned   atomic.Int64
	broken   atomic.Int64
	early    atomic.Int64
	bytes    atomic.Int64
	acked    []atomic.Bool // by member: the desk said that the fetch is recorded
	mu       sync.Mutex
	took     []time.Duration
	before   map[string]int // the answers to who asked for a copy before its time
}

func (h Herd) drive(ctx context.Context, t *town, s *server, r *Report) (*crowd, error) {
	verify, err := note.NewVerifier(t.home.LogKey())
	if err != nil {
		return nil, err
	}
	c := &crowd{town: t, server: s, verify: verify, acked: make([]atomic.Bool, h.Members), before: map[string]int{}}
	end := t.opens.Add(h.Limit)
	within, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	h.Say(fmt.Sprintf("%d members poll; the wave opens in %s", h.Members, time.Until(t.opens).Round(time.Second)))
	var herd, beside sync.WaitGroup
	for i := range t.members {
		rng := rand.New(rand.NewPCG(h.Seed, uint64(i)))
		herd.Go(func() { c.live(within, i, h.Every, rng) })
	}
	others, stop := context.WithCancel(within)
	defer stop()
	var waits []time.Duration
	beside.Go(func() { waits, r.OthersFailed = c.others(others) })
	var shaken error
	if h.Steps > 0 {
		beside.Go(func() {
			var wrong time.Duration
			r.Stepped, wrong, shaken = h.shake(others, s, t.opens)
			r.Wrong = wrong.Seconds()
		})
	}
	if err := sleep(within, time.Until(t.opens)); err != nil {
		return nil, err
	}
	serverBefore, clientBefore := s.cpu(), machine.Self()
	if h.Kills > 0 {
		beside.Go(func() { r.Killed = h.harass(others, s) })
	}
	herd.Wait()
	r.ServerCPU, r.ClientCPU = (s.cpu() - serverBefore).Seconds(), (machine.Self() - clientBefore).Seconds()
	stop()
	beside.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if shaken != nil && r.Stepped < h.Steps {
		return nil, shaken
	}
	slices.Sort(c.took)
	r.Have, r.Early, r.Shapes, r.Bytes = len(c.took), int(c.early.Load()), len(c.before), c.bytes.Load()
	r.Requests, r.Turned, r.Broken = c.requests.Load(), c.turned.Load(), c.broken.Load()
	r.Median, r.P99, r.Last = quantile(c.took, 0.5).Seconds(), quantile(c.took, 0.99).Seconds(), quantile(c.took, 1).Seconds()
	r.Others, r.Others99 = len(waits), 1000*quantile(waits, 0.99).Seconds()
	return c, nil
}

// harass kills the desk now and then while the herd comes, and starts it again.
func (h Herd) harass(ctx context.Context, s *server) (killed int) {
	rng := rand.New(rand.NewPCG(h.Seed, 1<<63))
	for range h.Kills {
		if sleep(ctx, time.Duration(200+rng.IntN(1300))*time.Millisecond) != nil {
			break
		}
		s.kill()
		killed++
		if err := s.start(ctx); err != nil {
			h.Say("starting again: " + err.Error())
			break
		}
	}
	return killed
}

// audit reads the log: who was told that its fetch is recorded has to stand there,
// and nobody before the opening.
func (h Herd) audit(ctx context.Context, t *town, c *crowd, box *mailbox, r *Report) error {
	h.Say("reading the log")
	d, err := t.home.Look(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.View(func(p *cvd.Programme) error {
		w := p.Waves[t.wave]
		for i, m := range t.members {
			got := w.CopyOf(m.holder)
			if got != nil && len(got.Fetches) > 0 {
				r.Logged++
				if got.Fetches[0].At.Before(t.opens) {
					r.Early++
				}
			} else if c.acked[i].Load() {
				r.Lost++
			}
		}
		names := d.Names(ctx, p)
		r.Mail = box.count(p, func(a cvd.AccountID) string { return names.Person(a).Mail }, t.opens)
		return nil
	})
}

// quantile is of sorted or unsorted durations; 0 of none.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
