package herd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"forewarn/internal/cvd"
)

// mailServer is where the desk hands its notices: in this process, so that it
// outlives a desk that is killed. It keeps what it took.
type mailServer struct {
	address string
	deaf    string // of a server before it that takes connections and says nothing; empty: none
	ends    []func()

	mu      sync.Mutex
	letters map[string]*letter // by Message-ID
	waits   map[string]chan struct{}
	taken   chan struct{} // closed, and made anew, when one is taken
}

// mailTakes is how long it takes over each message.
const mailTakes = 50 * time.Millisecond

// letter is one notice, however often it came.
type letter struct {
	to    string
	at    time.Time // first
	times int
}

// newMailServer listens. A first one that is dead takes connections and never answers.
func newMailServer(dead bool) (*mailServer, error) {
	m := &mailServer{letters: map[string]*letter{}, waits: map[string]chan struct{}{}, taken: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.address = l.Addr().String()
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailing{mailServer: m}, nil }))
	s.Domain, s.ErrorLog = "mx.example", silent{} // a desk that is killed breaks its connections
	go func() { _ = s.Serve(l) }()
	m.ends = append(m.ends, func() { _ = s.Close() })
	if dead {
		d, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			m.close()
			return nil, err
		}
		m.deaf = d.Addr().String()
		m.ends = append(m.ends, func() { _ = d.Close() })
	}
	return m, nil
}

func (m *mailServer) close() {
	for _, end := range m.ends {
		end()
	}
}

// relays are the flags of serve that name it.
func (m *mailServer) relays() (out []string) {
	for _, a := range []string{m.deaf, m.address} {
		if a != "" {
			out = append(out, "--smtp", "smtp://"+a)
		}
	}
	return out
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// mailing is one connection.
type mailing struct {
	*mailServer
	to string
}

func (*mailing) Reset()                                      {}
func (*mailing) Logout() error                               { return nil }
func (*mailing) Mail(string, *smtp.MailOptions) error        { return nil }
func (x *mailing) Rcpt(to string, _ *smtp.RcptOptions) error { x.to = to; return nil }
func (x *mailing) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err // broken off: not taken
	}
	time.Sleep(mailTakes)
	got, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return err
	}
	x.take(got.Header.Get("Message-Id"), x.to, time.Now())
	return nil
}

func (m *mailServer) take(id, to string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.letters[id]; x != nil {
		x.times++
	} else {
		m.letters[id] = &letter{to, now, 1}
	}
	if _, here := m.waits[to]; !here {
		m.waits[to] = make(chan struct{})
	}
	select {
	case <-m.waits[to]:
	default:
		close(m.waits[to])
	}
	close(m.taken)
	m.taken = make(chan struct{})
}

// arrived is closed when something for an address was taken.
func (m *mailServer) arrived(to string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, here := m.waits[to]; !here {
		m.waits[to] = make(chan struct{})
	}
	return m.waits[to]
}

// next waits until something is taken, or for so long.
func (m *mailServer) next(ctx context.Context, most time.Duration) {
	m.mu.Lock()
	taken := m.taken
	m.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-taken:
	case <-time.After(most):
	}
}

// Post is what became of the notices. Handed99 is from the opening on, in seconds.
type Post struct {
	Due      int     `json:"due"`     // notices that the log has
	Arrived  int     `json:"arrived"` // of these, at least once
	Doubled  int     `json:"doubled"` // that came again under their Message-ID, as often as they did
	Lost     int     `json:"lost"`    // due, and never came
	Strays   int     `json:"strays"`  // came, and the log has no such notice, or has it for somebody else
	Untold   int     `json:"untold"`  // members to whom the log has no notice
	Handed99 float64 `json:"handed_off_99_s"`
	Roused   int     `json:"roused"` // mails that called who is on duty, because the desk itself needed somebody
}

// sort compares what came with what the log has. address gives an account's.
func (m *mailServer) sort(p *cvd.Programme, t *town, address map[cvd.AccountID]string) (r Post, first []time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	told := map[cvd.AccountID]bool{}
	known := map[cvd.DeliveryID]bool{}
	for id, x := range m.letters {
		local, _, _ := strings.Cut(strings.Trim(id, "<>"), "@")
		var n cvd.DeliveryID
		err := n.UnmarshalText([]byte(local))
		d := p.Deliveries[n]
		switch {
		case err == nil && d != nil && address[d.Account] == x.to:
			known[n] = true
			r.Doubled += x.times - 1
			first = append(first, x.at.Sub(t.opens))
		case err == nil && d == nil && x.to == staffMail:
			r.Roused += x.times
		default:
			r.Strays++
		}
	}
	for id, d := range p.Deliveries {
		r.Due++
		told[d.Account] = true
		if known[id] {
			r.Arrived++
		} else {
			r.Lost++
		}
	}
	for _, x := range t.members {
		if !told[x.account] {
			r.Untold++
		}
	}
	return r, first
}

// settled waits until the log has a notice to everybody and none that still waits.
func (t *town) settled(ctx context.Context) error {
	for {
		left, all := 0, 0
		d, err := t.home.Look(ctx)
		if err == nil {
			err = errors.Join(d.View(func(p *cvd.Programme) error {
				for id := range p.Deliveries {
					if all++; p.DeliveryState(id) == cvd.DeliveryQueued {
						left++
					}
				}
				return nil
			}), d.Close())
		}
		if err != nil || left == 0 && all >= len(t.members) {
			return err
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}
