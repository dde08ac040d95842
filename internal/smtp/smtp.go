// Package smtp hands notices to mail servers.
//
//	Mail{id, address} ─► compose: equal bytes for all ─► relays in order, several connections ─► taken · bounced · not now
//
// What is written is the same for everybody and everything: one sentence and one
// link, padded so that every message has as many bytes as every other, whatever the
// address. Names are never written, and an address is refused unless every byte of it
// is harmless: so nobody can put a line of their own into a message.
//
// A relay that can't be reached, or that refuses the programme itself, is passed over
// for a while and the next is asked; a server that says that a recipient doesn't exist
// is believed. Errors name relays and codes, never addresses or what servers said.
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
	"strings"
	"sync"
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
	p := &Post{Config: c, domain: c.From[strings.LastIndexByte(c.From, '@')+1:]}
	for _, r := range c.Relays {
		p.relays = append(p.relays, &relay{Relay: r})
	}
	// The longest address must fit too.
	long := strings.Repeat("x", 64) + "@" + strings.Repeat(strings.Repeat("y", 40)+".", 4) + strings.Repeat("z", 25)
	if _, err := p.compose(coordinator.Mail{To: long}, time.Unix(0, 0)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return p, nil
}

// compose makes the message of a notice: all of Size bytes, all alike but for the
// id, the minute and the address.
func (p *Post) compose(m coordinator.Mail, slot time.Time) (*mail.Msg, error) {
	if m.To == "" {
		return nil, fmt.Errorf("%w: the account has no address; 'forewarn account mail' gives it one", coordinator.ErrBounced)
	}
	if len(m.To) > maxAddress || !harmless.MatchString(m.To) {
		return nil, fmt.Errorf("%w: the address isn't one that mail can be sent to", coordinator.ErrBounced)
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
	work := make(chan coordinator.Mail)
	var hands sync.WaitGroup
	for range min(len(out), p.Connections) {
		hands.Go(func() {
			l := p.line()
			defer l.hangUp()
			for m := range work {
				if err := l.send(ctx, m, slot, false); !errors.Is(err, errStopped) {
					done(m, err)
				}
			}
		})
	}
	for _, m := range out {
		select {
		case <-ctx.Done():
		case work <- m:
			continue
		}
		break
	}
	close(work)
	hands.Wait()
}

// Notify implements coordinator.Notifier: a call of who is on duty waits for no slot,
// and for no relay that failed lately.
func (p *Post) Notify(ctx context.Context, to coordinator.Person, n coordinator.Notice) error {
	at, err := time.Parse(time.RFC3339, n.Time)
	if err != nil {
		return err
	}
	l := p.line()
	defer l.hangUp()
	return l.send(ctx, coordinator.Mail{ID: cvd.DeliveryID(n.ID), To: to.Mail}, at, true)
}

// errStopped: the context ended before a server was given anything.
var errStopped = errors.New("stopped")

// line is one worker's connections, one to each relay at most.
type line struct {
	post  *Post
	conns []*mail.Client
}

func (p *Post) line() *line { return &line{p, make([]*mail.Client, len(p.relays))} }

func (l *line) hangUp() {
	for i := range l.conns {
		l.drop(i)
	}
}

func (l *line) drop(i int) {
	if l.conns[i] != nil {
		_ = l.conns[i].Close() // it says goodbye; whether that is heard changes nothing
		l.conns[i] = nil
	}
}

// send asks relay after relay to take a notice. urgent asks those too that failed
// lately.
func (l *line) send(ctx context.Context, m coordinator.Mail, slot time.Time, urgent bool) error {
	msg, err := l.post.compose(m, slot)
	if err != nil {
		return err
	}
	err = errors.New("every mail server failed lately")
	for i, r := range l.post.relays {
		if !urgent && !r.ready(time.Now()) {
			continue
		}
		var v verdict
		if v, err = l.ask(ctx, i, msg); v == taken || v == unknown {
			return err
		}
		if ctx.Err() != nil && v == unreached {
			return errStopped
		}
	}
	return err
}

// ask asks one relay, and once more when it had a connection that was gone.
func (l *line) ask(ctx context.Context, i int, msg *mail.Msg) (verdict, error) {
	r := l.post.relays[i]
	for {
		had := l.conns[i] != nil
		if !had {
			c, err := l.dial(ctx, r)
			if err != nil {
				if ctx.Err() == nil {
					r.failed(time.Now(), l.post.Note, err)
				}
				return unreached, fmt.Errorf("mail server %s: %w", r.Name(), err)
			}
			l.conns[i] = c
		}
		v, why := judge(l.conns[i].Send(msg), msg)
		if v == lost {
			l.drop(i)
			if had {
				continue
			}
			r.failed(time.Now(), l.post.Note, errors.New(why))
		} else {
			r.well(l.post.Note)
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

func (l *line) dial(ctx context.Context, r *relay) (*mail.Client, error) {
	opts := []mail.Option{mail.WithPort(r.Port), mail.WithTimeout(l.post.Timeout), mail.WithHELO(l.post.domain), mail.WithoutNoop(), mail.WithoutRset()}
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
	var conn net.Conn
	opts = append(opts, mail.WithDialContextFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{Timeout: l.post.Timeout}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		conn = &terse{Conn: raw}
		if !r.TLS {
			return conn, nil
		}
		private := tls.Client(conn, conf)
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
		if conn != nil {
			conn.Close()
		}
		return nil, plainly(err)
	}
	return c, nil
}

// terse is a connection to a server that says little at a time: whoever sits on the way
// to it, or it, could fill this machine's memory with one reply.
type terse struct {
	net.Conn
	read int // since something was said to it
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
	return n, err
}

func (t *terse) Write(b []byte) (int, error) {
	t.read = 0
	return t.Conn.Write(b)
}
