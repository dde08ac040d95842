// Package smtp hands notices to mail servers.
//
//	Mail{id, address} ─► queue: receivers take turns ─► compose: equal bytes for all ─► relays in order, several connections
//	                  ─► taken · bounced · refused for now · no relay takes anything
//
// What is written is the same for everybody and everything: one sentence and one
// link, padded so that every message has as many bytes as every other, whatever the
// address. Names are never written, and an address is refused unless every byte of it
// is harmless: so nobody can put a line of their own into a message.
//
// A relay that can't be reached, or that refuses the programme itself, is passed over
// for a while and the next is asked; so is one whose connections are all waiting for
// answers. A server that says that a recipient doesn't exist is believed. Where no relay
// got as far as the recipient, nothing was tried: coordinator.ErrNoServer. Errors name
// relays and codes, never addresses or what servers said.
//
// Do not use it for anything that has something to say: mail passes through strangers'
// machines. It keeps nothing; package coordinator has the log say what was handed on.
package smtp

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mail "github.com/wneessen/go-mail"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// Size is how many bytes every message has on the wire, its header included.
const Size = 2048

// Config is how notices leave. Relays, From and Link are needed.
type Config struct {
	Relays []Relay // in the order in which they are asked
	From   string  // the sender, and where bounces go
	Link   string  // where people look: the desk's home page

	Connections int           // at a time, to each relay; 0: twelve
	Timeout     time.Duration // for a server to answer; 0: fifteen seconds

	// Note is told when a relay begins to fail, and when it is well again; nil: nobody.
	Note func(format string, args ...any)
}

// Post hands notices to mail servers: a coordinator.Mailer, and a
// coordinator.Notifier for calls. It is safe for concurrent use.
type Post struct {
	Config
	relays []*relay
	queue  *queue
	domain string // of From
}

// ErrConfig: the settings don't go together. Nothing was sent.
var ErrConfig = errors.New("these mail settings don't go together")

// New checks the settings. It connects to nothing.
func New(c Config) (*Post, error) {
	c.Connections, c.Timeout = cmp.Or(c.Connections, 12), cmp.Or(c.Timeout, 15*time.Second)
	if c.Note == nil {
		c.Note = func(string, ...any) {}
	}
	switch {
	case len(c.Relays) == 0:
		return nil, fmt.Errorf("%w: name a mail server", ErrConfig)
	case !harmless.MatchString(c.From):
		return nil, fmt.Errorf("%w: %q is no address to send from", ErrConfig, c.From)
	case !plainURL(c.Link):
		return nil, fmt.Errorf("%w: %q is no link to the desk", ErrConfig, c.Link)
	}
	p := &Post{Config: c, queue: newQueue(c.Connections * len(c.Relays)), domain: c.From[strings.LastIndexByte(c.From, '@')+1:]}
	for _, r := range c.Relays {
		p.relays = append(p.relays, &relay{Relay: r, room: make(chan struct{}, c.Connections)})
	}
	// The longest address must fit too.
	long := strings.Repeat("x", 64) + "@" + strings.Repeat(strings.Repeat("y", 40)+".", 4) + strings.Repeat("z", 25)
	if _, err := p.compose(coordinator.Mail{To: long}, time.Unix(0, 0)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return p, nil
}

// checkAddress refuses an address that nothing can be sent to.
func checkAddress(to string) error {
	if to == "" {
		return fmt.Errorf("%w: the account has no address; 'forewarn account mail' gives it one", coordinator.ErrBounced)
	}
	if len(to) > maxAddress || !harmless.MatchString(to) {
		return fmt.Errorf("%w: the address isn't one that mail can be sent to", coordinator.ErrBounced)
	}
	return nil
}

// compose makes the message of a notice: all of Size bytes, all alike but for the
// id, the minute and the address.
func (p *Post) compose(m coordinator.Mail, slot time.Time) (*mail.Msg, error) {
	if err := checkAddress(m.To); err != nil {
		return nil, err
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithCharset(mail.CharsetASCII), mail.WithEncoding(mail.EncodingUSASCII))
	if err := errors.Join(msg.From(p.From), msg.To(m.To)); err != nil {
		return nil, fmt.Errorf("%w: %w", coordinator.ErrBounced, err)
	}
	msg.Subject(coordinator.MailText)
	msg.SetMessageIDWithValue(p.messageID(m.ID))
	msg.SetDateWithValue(slot.UTC().Truncate(coordinator.Slot))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answers from machines
	msg.SetBodyString(mail.TypeTextPlain, coordinator.MailText+":\r\n\r\n"+p.Link+"\r\n")
	var b bytes.Buffer
	msg.SetGenHeaderPreformatted("X-Padding", "")
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, err
	}
	left := Size - b.Len()
	if left < 0 {
		return nil, fmt.Errorf("the sender and the link are too long for a message of %d bytes", Size)
	}
	msg.SetGenHeaderPreformatted("X-Padding", padding(left))
	return msg, nil
}

// padding is so many bytes of header, in lines of at most 78.
func padding(n int) string {
	var b strings.Builder
	for n > 0 {
		k := min(n, 60)
		if left := n - k; left > 0 && left < 4 {
			k -= 4 // a line of its own takes four bytes at least
		}
		b.WriteString(strings.Repeat("x", k))
		if n -= k; n > 0 {
			b.WriteString("\r\n ")
			n -= 3
		}
	}
	return b.String()
}

// messageID is what a notice is known by, whenever it is handed over.
func (p *Post) messageID(id cvd.DeliveryID) string { return id.String() + "@" + p.domain }

// Mail implements coordinator.Mailer.
func (p *Post) Mail(ctx context.Context, slot time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
	var left sync.WaitGroup
	all := make([]*job, len(out))
	for i, m := range out {
		left.Add(1)
		all[i] = &job{Mail: m, ctx: ctx, slot: slot, done: func(err error) {
			defer left.Done()
			if !errors.Is(err, errStopped) {
				done(m, err)
			}
		}}
	}
	for range p.queue.add(all) {
		go p.hand()
	}
	left.Wait()
}

// hand does what waits, and hangs up when nothing does.
func (p *Post) hand() {
	for j := p.queue.next(); j != nil; j = p.queue.next() {
		slow, err := p.send(j.ctx, j.Mail, j.slot, false)
		p.queue.ended(j, slow || j.slow && errors.Is(err, coordinator.ErrNoServer)) // of whom nothing was learned
		j.done(err)
	}
	for _, r := range p.relays {
		r.rest()
	}
}

// patience is how long a notice waits for a relay that other notices keep busy, or that
// failed a moment ago; and how long an answer takes that is slow.
func (p *Post) patience() time.Duration { return p.Timeout / 3 }

// Notify implements coordinator.Notifier: a call of who is on duty waits for no slot,
// for no other notice, and asks also relays that failed lately.
func (p *Post) Notify(ctx context.Context, to coordinator.Person, n coordinator.Notice) error {
	at, err := time.Parse(time.RFC3339, n.Time)
	if err != nil {
		return err
	}
	_, err = p.send(ctx, coordinator.Mail{ID: cvd.DeliveryID(n.ID), To: to.Mail}, at, true)
	return err
}

// errStopped: the context ended before a server was given anything.
var errStopped = errors.New("stopped")

// lookAgain is how long a notice waits before it looks whether a relay is well again that
// failed a moment ago.
const lookAgain = 100 * time.Millisecond

// send asks relay after relay to take a notice, and says whether its receiver had them
// take long over it, or hang up.
func (p *Post) send(ctx context.Context, m coordinator.Mail, slot time.Time, urgent bool) (slow bool, err error) {
	msg, err := p.compose(m, slot)
	if err != nil {
		return false, err
	}
	var took time.Duration
	away := errors.New("all that there are failed lately") // of relays that weren't told the recipient
	for {
		again := false // soon: a relay is busy, or began to fail only now
		var no error   // of a relay that was
		for _, r := range p.relays {
			if ctx.Err() != nil {
				return slow, errStopped
			}
			if !urgent {
				if ready, soon := r.ready(time.Now(), p.patience()); !ready {
					again = again || soon
					continue
				}
				if !r.enter(ctx, p.patience()) {
					again = true
					continue
				}
			}
			begun := time.Now()
			v, err := p.ask(ctx, r, msg, urgent)
			took += time.Since(begun)
			slow = slow || took > p.patience() || v == lost || v == busy
			if !urgent {
				r.leave()
			}
			switch v {
			case taken, unknown:
				return slow, err
			case refused, lost:
				no = err
			case busy: // not again in this round: what it says of this receiver keeps no other waiting
				away = err
			default:
				away, again = err, true
			}
		}
		switch {
		case no != nil:
			return slow, no
		case ctx.Err() != nil:
			return slow, errStopped
		case urgent, !again:
			return slow, fmt.Errorf("%w: %w", coordinator.ErrNoServer, away)
		}
		select {
		case <-ctx.Done():
		case <-time.After(lookAgain):
		}
	}
}

// ask asks one relay, and once more when it had a connection that was gone.
func (p *Post) ask(ctx context.Context, r *relay, msg *mail.Msg, urgent bool) (verdict, error) {
	var c *conn
	if !urgent {
		c = r.idle.pop()
	}
	for {
		had := c != nil
		if !had {
			var err error
			if c, err = p.dial(ctx, r); err != nil {
				if ctx.Err() == nil {
					r.failed(time.Now(), p.Note, err)
				}
				return away, fmt.Errorf("mail server %s: %w", r.Name(), err)
			}
		}
		v, why := judge(c.Send(msg), msg)
		late, broken := c.late(), v == lost || v == away || v == busy
		switch {
		case !broken && !late && !urgent:
			r.idle.push(c)
		default:
			c.hangUp()
		}
		switch {
		case broken && had && !late:
			c = nil
			continue
		case v == away, broken && r.silent(v):
			r.failed(time.Now(), p.Note, errors.New(why))
		default:
			r.well(p.Note, !broken)
		}
		switch v {
		case taken:
			return v, nil
		case unknown:
			return v, fmt.Errorf("%w: %s", coordinator.ErrBounced, why)
		}
		return v, fmt.Errorf("mail server %s: %s", r.Name(), why)
	}
}

// conn is a connection to a relay.
type conn struct {
	*mail.Client
	raw *terse
}

// late reports whether an answer didn't come in time.
func (c *conn) late() bool { return c.raw.late.Load() }

// hangUp says goodbye; whether that is heard changes nothing.
func (c *conn) hangUp() {
	_ = c.Close()
	_ = c.raw.Close() // which the client leaves open where its goodbye fails
}

func (p *Post) dial(ctx context.Context, r *relay) (*conn, error) {
	opts := []mail.Option{mail.WithPort(r.Port), mail.WithTimeout(p.Timeout), mail.WithHELO(p.domain), mail.WithoutNoop(), mail.WithoutRset()}
	conf := &tls.Config{ServerName: r.Host, MinVersion: tls.VersionTLS12, RootCAs: r.Roots}
	switch {
	case r.TLS: // by the dialling below; what it offers in there is of no use
		opts = append(opts, mail.WithTLSPolicy(mail.TLSOpportunistic), mail.WithTLSConfig(conf))
	case r.loopback():
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS)) // what is said doesn't leave this machine
	default:
		opts = append(opts, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTLSConfig(conf))
	}
	switch {
	case r.User == "":
	case r.loopback() && !r.TLS:
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthPlainNoEnc), mail.WithUsername(r.User), mail.WithPassword(r.Password))
	default:
		opts = append(opts, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(r.User), mail.WithPassword(r.Password))
	}
	// The client reads replies of any length, and doesn't close a connection of which it
	// didn't like the beginning.
	var with *terse
	opts = append(opts, mail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{Timeout: p.Timeout}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		with = &terse{Conn: raw}
		if !r.TLS {
			return with, nil
		}
		private := tls.Client(with, conf)
		if err := private.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		return private, nil
	}))
	c, err := mail.NewClient(r.Host, opts...)
	if err != nil {
		return nil, err
	}
	if err := c.DialWithContext(ctx); err != nil {
		if with != nil {
			with.Close()
		}
		return nil, plainly(err)
	}
	return &conn{c, with}, nil
}

// terse is a connection to a server that says little at a time: whoever sits on the way
// to it, or it, could fill this machine's memory with one reply.
type terse struct {
	net.Conn
	read int         // since something was said to it
	late atomic.Bool // it didn't answer in time
}

// maxReply is in bytes: well above a handshake's certificates, and any honest reply.
const maxReply = 256 << 10

var errEndless = errors.New("it answers without end")

func (t *terse) Read(b []byte) (int, error) {
	if t.read > maxReply {
		return 0, errEndless
	}
	n, err := t.Conn.Read(b)
	t.read += n
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.late.Store(true)
	}
	return n, err
}

func (t *terse) Write(b []byte) (int, error) {
	t.read = 0
	return t.Conn.Write(b)
}
