package herd

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"forewarn/internal/cvd"
)

// mailbox is a mail server that outlives the desk's kills. It keeps the id of
// each letter that it took, for whom, how often, and when it first came.
type mailbox struct {
	address string
	server  *smtp.Server
	mu      sync.Mutex
	got     map[string]*letter
	strange int // without an id
}

// onDuty is where calls go.
const onDuty = "ana@desk.example"

type letter struct {
	to    string
	times int
	at    time.Time
}

func openMailbox() (*mailbox, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mailbox{address: l.Addr().String(), got: map[string]*letter{}}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: m}, nil }))
	m.server.Domain, m.server.ErrorLog = "mx.example", silent{}
	go func() { _ = m.server.Serve(l) }()
	return m, nil
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// session is one connection of the desk's.
type session struct {
	box *mailbox
	to  string
}

func (*session) Reset()                               {}
func (*session) Logout() error                        { return nil }
func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (x *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = to
	return nil
}

func (x *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	id := ""
	if m, err := mail.ReadMessage(bytes.NewReader(b)); err == nil {
		id, _, _ = strings.Cut(strings.Trim(m.Header.Get("Message-Id"), "<>"), "@")
	}
	x.box.mu.Lock()
	defer x.box.mu.Unlock()
	switch l := x.box.got[id]; {
	case id == "":
		x.box.strange++
	case l == nil:
		x.box.got[id] = &letter{x.to, 1, time.Now()}
	default:
		l.times++
	}
	return nil
}

// Mail is what came of the notices.
type Mail struct {
	Queued  int     `json:"queued"` // notices that the log has
	Arrived int     `json:"arrived"`
	Doubled int     `json:"doubled"` // arrived again, with the id that the first had
	Lost    int     `json:"lost"`    // the log has them as handed over, or still waiting, and they did not arrive
	Unknown int     `json:"unknown"` // arrived, and the log doesn't have them, or for another
	Calls   int     `json:"calls"`   // to who is on duty, who is no notice's to tell
	P99     float64 `json:"p99_s"`   // from the opening until 99 in a hundred had arrived
}

// settled waits until the desk has handed over what it queued, or gives up. Right
// behind the opening it waits for what is queued then.
func (t *town) settled(ctx context.Context, limit time.Duration) error {
	end := time.Now().Add(limit)
	if t.opens.Second() == 58 {
		if err := sleep(ctx, time.Until(t.opens.Add(10*time.Second))); err != nil {
			return err
		}
	}
	for {
		left, err := t.outbox(ctx)
		if err != nil || left == 0 || time.Now().After(end) {
			return err
		}
		if err := sleep(ctx, 2*time.Second); err != nil {
			return err
		}
	}
}

// outbox is how many notices wait to be handed over.
func (t *town) outbox(ctx context.Context) (left int, err error) {
	d, err := t.home.Look(ctx)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	err = d.View(func(p *cvd.Programme) error {
		for id := range p.Deliveries {
			if p.DeliveryState(id) == cvd.DeliveryQueued {
				left++
			}
		}
		return nil
	})
	return left, err
}

// count compares what arrived with what the log has. to gives an account's address.
func (m *mailbox) count(p *cvd.Programme, to func(cvd.AccountID) string, opens time.Time) (out Mail) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out.Unknown = m.strange
	var took []time.Duration
	for said, l := range m.got {
		var id cvd.DeliveryID
		d := (*cvd.Delivery)(nil)
		if id.UnmarshalText([]byte(said)) == nil {
			d = p.Deliveries[id]
		}
		switch {
		case d == nil && l.to == onDuty:
			out.Calls += l.times
			continue
		case d == nil || to(d.Account) != l.to:
			out.Unknown++
			continue
		}
		out.Arrived++
		out.Doubled += l.times - 1
		took = append(took, l.at.Sub(opens))
	}
	out.Queued = len(p.Deliveries)
	for id := range p.Deliveries {
		if m.got[id.String()] == nil {
			out.Lost++
		}
	}
	out.P99 = quantile(took, 0.99).Seconds()
	return out
}
