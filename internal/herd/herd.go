package herd

import (
	"cmp"
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

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/machine"
)

// Herd is what is measured. The fields up to Seed are needed, but Kills.
type Herd struct {
	Binary  string        // the program that serves
	Dir     string        // an empty folder, for the programme
	Members int           // who poll
	Lead    time.Duration // from the draft of the wave to its opening: sealing and the first polls go on in it
	Every   time.Duration // how often each member asks, at times of its own
	Kills   int           // how often the desk is killed while the herd comes
	Limit   time.Duration // to give up after the opening
	Seed    uint64        // of when members ask
	Say     func(string)  // a line for each step

	// Notices: the desk tells members by mail, and each fetches only once it was told:
	// who fetched before needs no notice. The wave opens at a whole slot, at which
	// mailings leave.
	Notices  bool
	MailDead bool          // the first of two mail servers takes connections and says nothing
	Slot     time.Duration // of mailings; 0: what serve has

	// Steps: the desk's clock is set two days ahead and back before the opening, it is
	// killed and started so, and its machine sleeps over the opening.
	Steps bool
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
	Asked  int64   `json:"asked_before"`  // answers that came before the opening
	Shapes int     `json:"shapes_before"` // different answers to one question before the opening: 1
	Tags   int64   `json:"tags_changed"`  // members' inboxes whose ETag changed before the opening
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

	Logged int `json:"logged"` // members whose fetch is on the log
	Lost   int `json:"lost"`   // acknowledged to a member, and not on the log

	Post  *Post `json:"notices,omitempty"`
	Clock *Held `json:"clocks,omitempty"`
}

// Held is what a desk did whose clocks were set. Seconds; the last two are from the
// opening on.
type Held struct {
	Apart  float64 `json:"apart_s"` // that /readyz said so
	Roused int     `json:"roused"`  // mails that called who is on duty
	Until  float64 `json:"held_s"`  // when the first member was let in
	Ready  float64 `json:"ready_s"` // when the desk was ready again
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
	whole := time.Second
	if h.Notices {
		whole = cmp.Or(h.Slot, coordinator.Slot)
	}
	t, err := found(ctx, h.Dir, h.Members, h.Lead, whole, h.Say)
	if err != nil {
		return r, err
	}
	s, err := newServer(h.Binary, t.dir, h.Dir)
	if err != nil {
		return r, err
	}
	defer s.close()
	var post *mailServer
	if h.Notices || h.Steps {
		if post, err = newMailServer(h.MailDead); err != nil {
			return r, err
		}
		defer post.close()
	}
	if err := h.equip(s, post); err != nil {
		return r, err
	}
	h.Say("starting the desk")
	if err := s.start(ctx); err != nil {
		return r, err
	}
	c, err := h.drive(ctx, t, s, post, &r)
	if err != nil {
		return r, err
	}
	if err := s.stop(); err != nil {
		return r, err
	}
	return r, h.audit(ctx, t, c, &r)
}

// equip says how the desk is started: serve itself, but where its clocks or its slots
// are to be others.
func (h Herd) equip(s *server, post *mailServer) error {
	if post != nil {
		s.more = append(post.relays(), "--mail-from", "notices@herd.example", "--as", "ana")
	}
	if !h.Steps && h.Slot == 0 {
		return nil
	}
	s.args, s.clocks = []string{"bench", "desk"}, s.file("clocks.json")
	s.more = append(s.more, "--clocks", s.clocks)
	if h.Slot > 0 {
		s.more = append(s.more, "--slot", h.Slot.String())
	}
	if h.Steps {
		if err := s.tellTime(); err != nil {
			return err
		}
		s.more = append(s.more, "--time", s.time)
	}
	return Offsets{}.set(s.clocks)
}

// crowd is the members while they poll.
type crowd struct {
	*town
	server   *server
	verify   note.Verifier
	post     *mailServer // nil: nobody is told
	told     bool        // members wait until they are
	once     sync.Once
	first    time.Duration // when the first was let in, from the opening on
	asked    atomic.Int64
	changed  atomic.Int64
	requests atomic.Int64
	turned   atomic.Int64
	broken   atomic.Int64
	early    atomic.Int64
	bytes    atomic.Int64
	acked    []atomic.Bool // by member: the desk said that the fetch is recorded
	mu       sync.Mutex
	took     []time.Duration
	before   map[string]map[string]int // by question: the answers before the opening
}

// atMost is how many ask for the copy before its time, and that often they do.
const (
	atMost  = 50
	greedly = 500 * time.Millisecond
)

func (h Herd) drive(ctx context.Context, t *town, s *server, post *mailServer, r *Report) (*crowd, error) {
	verify, err := note.NewVerifier(t.home.LogKey())
	if err != nil {
		return nil, err
	}
	c := &crowd{town: t, server: s, verify: verify, post: post, told: h.Notices, acked: make([]atomic.Bool, h.Members), before: map[string]map[string]int{}}
	end := t.opens.Add(h.Limit)
	within, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	h.Say(fmt.Sprintf("%d members poll; the wave opens in %s", h.Members, time.Until(t.opens).Round(time.Second)))
	var herd, beside sync.WaitGroup
	for i := range t.members {
		rng := rand.New(rand.NewPCG(h.Seed, uint64(i)))
		herd.Go(func() { c.live(within, i, h.Every, rng) })
	}
	for i := range min(atMost, h.Members) {
		rng := rand.New(rand.NewPCG(^h.Seed, uint64(i)))
		beside.Go(func() { c.greedy(within, i, greedly, rng) })
	}
	others, stop := context.WithCancel(within)
	defer stop()
	var trouble sync.WaitGroup
	var befell error
	var apart, ready time.Duration
	if h.Steps {
		beside.Go(func() { apart, ready = c.ready(others) })
		trouble.Go(func() { befell = h.befall(within, t.opens, s) })
	}
	var waits []time.Duration
	beside.Go(func() { waits, r.OthersFailed = c.others(others) })
	if err := sleep(within, time.Until(t.opens)); err != nil {
		return nil, err
	}
	serverBefore, clientBefore := s.cpu(), machine.Self()
	if h.Kills > 0 {
		trouble.Go(func() { r.Killed = h.harass(within, s, post) })
	}
	herd.Wait()
	r.ServerCPU, r.ClientCPU = (s.cpu() - serverBefore).Seconds(), (machine.Self() - clientBefore).Seconds()
	trouble.Wait()
	if h.Notices {
		h.Say("waiting until all notices have left")
		if err := t.settled(within); err != nil && within.Err() == nil {
			return nil, err
		}
	}
	if h.Steps {
		_ = sleep(within, 3*time.Second) // for /readyz
	}
	stop()
	beside.Wait()
	if err := cmp.Or(ctx.Err(), befell); err != nil {
		return nil, err
	}
	if h.Steps {
		r.Clock = &Held{Apart: apart.Seconds(), Until: c.first.Seconds(), Ready: ready.Seconds()}
	}
	slices.Sort(c.took)
	r.Have, r.Early, r.Bytes = len(c.took), int(c.early.Load()), c.bytes.Load()
	r.Asked, r.Tags = c.asked.Load(), c.changed.Load()
	for q, answers := range c.before {
		if r.Shapes = max(r.Shapes, len(answers)); len(answers) > 1 {
			h.Say(fmt.Sprintf("before the opening %s was answered in %d ways: %v", q, len(answers), answers))
		}
	}
	r.Requests, r.Turned, r.Broken = c.requests.Load(), c.turned.Load(), c.broken.Load()
	r.Median, r.P99, r.Last = quantile(c.took, 0.5).Seconds(), quantile(c.took, 0.99).Seconds(), quantile(c.took, 1).Seconds()
	r.Others, r.Others99 = len(waits), 1000*quantile(waits, 0.99).Seconds()
	return c, nil
}

// harass kills the desk now and then while the herd comes, and starts it again. With
// notices, the first kill and every sixth of them come while mail leaves.
func (h Herd) harass(ctx context.Context, s *server, post *mailServer) (killed int) {
	rng := rand.New(rand.NewPCG(h.Seed, 1<<63))
	for i := range h.Kills {
		least, most := 200, 1500
		if h.Notices && i%6 == 0 {
			slot := cmp.Or(h.Slot, coordinator.Slot)
			post.next(ctx, slot+slot/6)
			least, most = 20, 400
		}
		if sleep(ctx, time.Duration(least+rng.IntN(most-least))*time.Millisecond) != nil {
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
func (h Herd) audit(ctx context.Context, t *town, c *crowd, r *Report) error {
	h.Say("reading the log")
	d, err := t.home.Look(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.View(func(p *cvd.Programme) error {
		w := p.Waves[t.wave]
		if c.post != nil {
			names := d.Names(ctx, p)
			address := map[cvd.AccountID]string{}
			for _, x := range p.Deliveries {
				address[x.Account] = names.Person(x.Account).Mail
			}
			post, first := c.post.sort(p, t, address)
			if r.Clock != nil {
				r.Clock.Roused = post.Roused
			}
			if c.told {
				post.Handed99 = quantile(first, 0.99).Seconds()
				r.Post = &post
			}
		}
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
