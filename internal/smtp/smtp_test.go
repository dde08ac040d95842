package smtp_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/smtp"
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// letter is what a sink was given.
type letter struct {
	to   string
	data []byte
}

// sink is a mail server that keeps what it takes.
type sink struct {
	net.Listener
	server *gosmtp.Server
	mu     sync.Mutex
	got    []letter
	most   int // connections at a time, at most
	now    int

	mail func() error          // says no to whoever sends; nil: to nobody
	rcpt func(to string) error // says no; nil: to nobody
	data func(to string) error // likewise, once it has the message
	slow time.Duration         // how long it takes over one
	user string                // who may send; "": everybody
}

func newSink(t testing.TB, conf *tls.Config) *sink {
	s := &sink{}
	s.server = gosmtp.NewServer(s)
	s.server.Domain, s.server.TLSConfig, s.server.AllowInsecureAuth = "mx.example", conf, true
	s.server.ErrorLog = quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	s.Listener = l
	go s.server.Serve(l)
	t.Cleanup(func() { s.server.Close() })
	return s
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (s *sink) NewSession(*gosmtp.Conn) (gosmtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now++
	s.most = max(s.most, s.now)
	return &session{sink: s}, nil
}

type session struct {
	*sink
	to    string
	known bool
}

func (x *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (x *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != x.user || password != "secret" {
			return gosmtp.ErrAuthFailed
		}
		x.known = true
		return nil
	}), nil
}
func (x *session) Reset() {}
func (x *session) Logout() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.now--
	return nil
}
func (x *session) Mail(string, *gosmtp.MailOptions) error {
	if x.user != "" && !x.known {
		return &gosmtp.SMTPError{Code: 530, EnhancedCode: gosmtp.EnhancedCode{5, 7, 0}, Message: "sign in first"}
	}
	if x.mail != nil {
		return x.mail()
	}
	return nil
}
func (x *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	x.to = to
	if x.rcpt != nil {
		return x.rcpt(to)
	}
	return nil
}
func (x *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	time.Sleep(x.slow)
	if x.data != nil {
		if err := x.data(x.to); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.got = append(x.got, letter{x.to, b})
	return nil
}

func (s *sink) letters() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *sink) relay() smtp.Relay {
	a := s.Addr().(*net.TCPAddr)
	return smtp.Relay{Host: a.IP.String(), Port: a.Port}
}

// dead is a relay that nothing listens at.
func dead(t testing.TB) smtp.Relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	return smtp.Relay{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

func post(t testing.TB, relays ...smtp.Relay) *smtp.Post {
	p, err := smtp.New(smtp.Config{Relays: relays, From: "notices@desk.example", Link: "https://desk.example/home", Timeout: 2 * time.Second})
	ok(t, err)
	return p
}

func id(n int) (d cvd.DeliveryID) {
	d[0], d[14], d[15] = byte(n*37), byte(n>>8), byte(n)
	return d
}

// hand hands notices on and gives what became of each.
func hand(t testing.TB, p *smtp.Post, out ...coordinator.Mail) map[cvd.DeliveryID]error {
	t.Helper()
	var mu sync.Mutex
	became := map[cvd.DeliveryID]error{}
	p.Mail(ctx, time.Date(2026, 11, 6, 9, 5, 0, 0, time.UTC), out, func(m coordinator.Mail, err error) {
		mu.Lock()
		defer mu.Unlock()
		if _, twice := became[m.ID]; twice {
			t.Errorf("%s: two outcomes", m.ID)
		}
		became[m.ID] = err
	})
	return became
}

// What leaves has as many bytes whoever it is for, and says nothing but the sentence
// and the link.
func TestEqualSizes(t *testing.T) {
	s := newSink(t, nil)
	p := post(t, s.relay())
	var out []coordinator.Mail
	for n := range 230 {
		local := strings.Repeat("a", 1+min(n, 63))
		domain := "example"
		for left := n - 63; left > 0; left -= 60 {
			domain = strings.Repeat("b", min(left, 59)) + "." + domain
		}
		out = append(out, coordinator.Mail{ID: id(n), To: local + "@" + domain})
	}
	for i, err := range hand(t, p, out...) {
		if err != nil {
			t.Errorf("%s: %v", i, err)
		}
	}
	got := s.letters()
	if len(got) != len(out) {
		t.Fatalf("%d letters of %d", len(got), len(out))
	}
	bodies, heads := map[string]bool{}, map[string]bool{}
	for _, l := range got {
		if len(l.data) != smtp.Size {
			t.Errorf("to %d bytes of address: %d bytes, want %d", len(l.to), len(l.data), smtp.Size)
		}
		m, err := mail.ReadMessage(bytes.NewReader(l.data))
		ok(t, err)
		body, err := io.ReadAll(m.Body)
		ok(t, err)
		bodies[string(body)] = true
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != l.to || to[0].Name != "" {
			t.Errorf("it is to %v in its header, and to %q", to, l.to)
		}
		if d := m.Header.Get("Date"); d != "Fri, 06 Nov 2026 09:05:00 +0000" {
			t.Errorf("its date is %q", d)
		}
		id := m.Header.Get("Message-Id")
		if len(id) != len("<00000000000000000000000000@desk.example>") {
			t.Errorf("its id is %q", id)
		}
		for _, k := range []string{"To", "Message-Id", "X-Padding"} {
			delete(m.Header, k)
		}
		heads[fmt.Sprint(m.Header)] = true
		for line := range strings.SplitSeq(string(l.data), "\r\n") {
			if len(line) > 320 {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	}
	if len(bodies) != 1 || len(heads) != 1 {
		t.Errorf("%d bodies and %d heads, want one of each: %v", len(bodies), len(heads), heads)
	}
	for b := range bodies {
		if b != "Something is waiting for you:\r\n\r\nhttps://desk.example/home\r\n" {
			t.Errorf("it says %q", b)
		}
	}
	if s.most > 12 {
		t.Errorf("%d connections at a time", s.most)
	}
}

// An address that could add to a message, or that none can be sent to, is a bounce,
// and nothing is sent.
func TestHeaderInjection(t *testing.T) {
	s := newSink(t, nil)
	p := post(t, s.relay())
	for n, to := range []string{
		"a@b.example\r\nBcc: c@d.example", "a@b.example\nX: y", "a@b.example, c@d.example", "Ben <a@b.example>", "<a@b.example>",
		"\"a\r\nBcc: x\"@b.example", "a b@c.example", "a@b.example>\r\nRCPT TO:<c@d.example", "a@b.example SIZE=1", "a", "@", "a@", "@b.example",
		"a@b..example", "a@-b.example", "ä@b.example", "a@b.example\x00", "a@[192.0.2.1]", "a(c)@b.example", "a@b.example;c@d.example", strings.Repeat("a", 65) + "@b.example",
		"a@" + strings.Repeat("b.", 130) + "example", "a\t@b.example", "a@b.example ", " a@b.example", "a@b.example\u2028X: y",
	} {
		if err := hand(t, p, coordinator.Mail{ID: id(n), To: to})[id(n)]; !errors.Is(err, coordinator.ErrBounced) {
			t.Errorf("%q: %v, want a bounce", to, err)
		}
	}
	if got := s.letters(); len(got) > 0 {
		t.Errorf("%d letters left, the first to %q", len(got), got[0].to)
	}
	for _, c := range []smtp.Config{
		{From: "notices@desk.example", Link: "https://desk.example/home"},
		{Relays: []smtp.Relay{s.relay()}, From: "Desk <n@desk.example>", Link: "https://desk.example/home"},
		{Relays: []smtp.Relay{s.relay()}, From: "n@desk.example\r\nX: y", Link: "https://desk.example/home"},
		{Relays: []smtp.Relay{s.relay()}, From: "n@desk.example", Link: "https://desk.example/home\r\nmore"},
		{Relays: []smtp.Relay{s.relay()}, From: "n@desk.example", Link: "javascript:x"},
	} {
		if _, err := smtp.New(c); !errors.Is(err, smtp.ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What a server says decides: it doesn't know the recipient, it can't now, or it
// won't take it from us.
func TestReplies(t *testing.T) {
	say := func(code int, status ...int) error {
		e := gosmtp.EnhancedCodeNotSet
		if len(status) == 3 {
			e = gosmtp.EnhancedCode(status)
		}
		return &gosmtp.SMTPError{Code: code, EnhancedCode: e, Message: "no"}
	}
	for _, row := range []struct {
		name       string
		rcpt, data error
		bounced    bool // else it is tried again, and the next server is asked
		unknown    bool // nothing was said of the recipient: no try is used up
	}{
		{"no such user", say(550, 5, 1, 1), nil, true, false},
		{"no such user, without a status", say(550), nil, true, false},
		{"the mailbox is full for good", nil, say(552, 5, 2, 2), true, false},
		{"greylisted", say(451, 4, 7, 1), nil, false, false},
		{"relaying denied", say(554, 5, 7, 1), nil, false, false},
		{"not from us", say(550, 5, 7, 1), nil, false, false},
		{"the message is refused", nil, say(554, 5, 7, 1), false, false},
		{"a message refused without a status", nil, say(554), false, false},
		{"the mailbox is full", say(452, 4, 2, 2), nil, false, false},
		{"it has to go", say(421, 4, 3, 2), nil, false, true},
	} {
		first, second := newSink(t, nil), newSink(t, nil)
		first.rcpt, first.data = func(string) error { return row.rcpt }, func(string) error { return row.data }
		err := hand(t, post(t, first.relay(), second.relay()), coordinator.Mail{ID: id(1), To: "ben@member.example"})[id(1)]
		if row.bounced != errors.Is(err, coordinator.ErrBounced) || !row.bounced && err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		if n := len(second.letters()); (n == 1) == row.bounced {
			t.Errorf("%s: the second server got %d", row.name, n)
		}
		err = hand(t, post(t, first.relay()), coordinator.Mail{ID: id(1), To: "ben@member.example"})[id(1)]
		if err == nil || row.bounced != errors.Is(err, coordinator.ErrBounced) || row.unknown != errors.Is(err, coordinator.ErrNoServer) || strings.Contains(err.Error(), "member.example") {
			t.Errorf("%s, with no other server: %v", row.name, err)
		}
	}
}

// A relay that is dead, or deaf, is passed over and told of once.
func TestFailover(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	ok(t, err)
	defer deaf.Close()
	s := newSink(t, nil)
	a := deaf.Addr().(*net.TCPAddr)
	var mu sync.Mutex
	var said []string
	p, err := smtp.New(smtp.Config{Relays: []smtp.Relay{dead(t), {Host: "127.0.0.1", Port: a.Port}, s.relay()}, From: "n@desk.example", Link: "https://desk.example/home",
		Timeout: time.Second, Note: func(f string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, fmt.Sprintf(f, args...))
		}})
	ok(t, err)
	var out []coordinator.Mail
	for n := range 200 {
		out = append(out, coordinator.Mail{ID: id(n), To: fmt.Sprintf("u%d@member.example", n)})
	}
	for i, err := range hand(t, p, out...) {
		if err != nil {
			t.Errorf("%s: %v", i, err)
		}
	}
	if n := len(s.letters()); n != len(out) {
		t.Errorf("%d of %d arrived", n, len(out))
	}
	if len(said) != 2 || strings.Contains(strings.Join(said, ""), "member.example") {
		t.Errorf("it was said %q, want two lines without addresses", said)
	}
}

// Where no server gets as far as the recipient nothing was tried, of any, and nothing
// hangs: it is down, it is no mail server, it wants somebody else, or it takes nothing.
func TestNoServer(t *testing.T) {
	t.Parallel()
	closed, foreign := newSink(t, nil), newSink(t, nil)
	closed.mail = func() error {
		return &gosmtp.SMTPError{Code: 452, EnhancedCode: gosmtp.EnhancedCode{4, 3, 1}, Message: "the disk is full"}
	}
	foreign.user = "somebody"
	web, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer web.Close()
	go func() {
		for {
			c, err := web.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		}
	}()
	var out []coordinator.Mail
	for n := range 200 {
		out = append(out, coordinator.Mail{ID: id(n), To: fmt.Sprintf("u@m%d.example", n)})
	}
	for name, r := range map[string]smtp.Relay{"down": dead(t), "no mail server": {Host: "127.0.0.1", Port: web.Addr().(*net.TCPAddr).Port}, "it takes nothing": closed.relay(), "it wants somebody else": foreign.relay()} {
		became := hand(t, post(t, r), out...)
		if len(became) != len(out) {
			t.Errorf("%s: %d outcomes", name, len(became))
		}
		for i, err := range became {
			if !errors.Is(err, coordinator.ErrNoServer) {
				t.Errorf("%s: %s: %v", name, i, err)
			}
		}
	}
}

// What can't be sent takes none of the connections of what can.
func TestOddAddresses(t *testing.T) {
	s := newSink(t, nil)
	p := post(t, s.relay())
	var out []coordinator.Mail
	for n := range 30 {
		to := []string{"a..b@member.example", ".a@member.example", "a.@member.example"}[n%3]
		out = append(out, coordinator.Mail{ID: id(n), To: to})
	}
	for i, err := range hand(t, p, append(out, coordinator.Mail{ID: id(30), To: "ben@member.example"})...) {
		if i == id(30) && err != nil || i != id(30) && !errors.Is(err, coordinator.ErrBounced) {
			t.Errorf("%s: %v", i, err)
		}
	}
}

// A server that hangs up on some receivers is well for all others, also when it was tried
// with those first; and none of their tries is used up.
func TestHangsUpOnSome(t *testing.T) {
	s := newSink(t, nil)
	s.rcpt = func(to string) error {
		if strings.Contains(to, "@busy") {
			return &gosmtp.SMTPError{Code: 421, EnhancedCode: gosmtp.EnhancedCode{4, 7, 0}, Message: "later"}
		}
		return nil
	}
	p := post(t, s.relay())
	p.Timeout = 6 * time.Second // as in life, what failed is tried again while others wait for it
	var busy []coordinator.Mail
	for n := range 60 {
		busy = append(busy, coordinator.Mail{ID: id(n), To: fmt.Sprintf("u%d@busy%d.example", n, n%15)})
	}
	for round := range 3 {
		out := slices.Clone(busy)
		if round > 0 {
			for n := range 15 {
				out = append(out, coordinator.Mail{ID: id(100 + n), To: fmt.Sprintf("u%d@member.example", n)})
			}
		}
		for i, err := range hand(t, p, out...) {
			switch all := slices.ContainsFunc(busy, func(m coordinator.Mail) bool { return m.ID == i }); {
			case all && !errors.Is(err, coordinator.ErrNoServer), !all && err != nil:
				t.Errorf("round %d: %s: %v", round, i, err)
			}
		}
		time.Sleep(2 * time.Second) // as the next minute: it is passed over for no longer
	}
}

// One receiver whose server is slow, and one that never answers, keep nobody else's
// notices waiting.
func TestSlowReceivers(t *testing.T) {
	t.Parallel()
	s := newSink(t, nil)
	s.rcpt = func(to string) error {
		switch {
		case strings.HasSuffix(to, "@slow.example"):
			time.Sleep(time.Second)
		case strings.HasSuffix(to, "@dead.example"):
			time.Sleep(3 * time.Second)
		}
		return nil
	}
	var out []coordinator.Mail
	for n := range 30 {
		out = append(out, coordinator.Mail{ID: id(n), To: "u@slow.example"})
	}
	out = append(out, coordinator.Mail{ID: id(30), To: "u@dead.example"})
	for n := range 200 {
		out = append(out, coordinator.Mail{ID: id(31 + n), To: fmt.Sprintf("u@m%d.example", n%20)})
	}
	for i, err := range hand(t, post(t, s.relay()), out...) {
		if dead := i == id(30); dead == (err == nil) || dead && errors.Is(err, coordinator.ErrNoServer) {
			t.Errorf("%s: %v", i, err)
		}
	}
	before, others := 0, 0 // slow ones that came before the last of the others
	for _, l := range s.letters() {
		if strings.HasSuffix(l.to, "@slow.example") {
			before++
		} else if others++; others == 200 {
			break
		}
	}
	if others != 200 || before > 9 {
		t.Errorf("%d others arrived, and %d slow ones before them: want no more than have a hand", others, before)
	}
}

// A server that is slow with everything has as many as it has connections; the rest goes
// by the next.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	first, second := newSink(t, nil), newSink(t, nil)
	first.slow = 1500 * time.Millisecond
	var out []coordinator.Mail
	for n := range 100 {
		out = append(out, coordinator.Mail{ID: id(n), To: fmt.Sprintf("u@m%d.example", n)})
	}
	for i, err := range hand(t, post(t, first.relay(), second.relay()), out...) {
		if err != nil {
			t.Errorf("%s: %v", i, err)
		}
	}
	a, b := len(first.letters()), len(second.letters())
	if a+b != len(out) || a > 48 || a == 0 || first.most > 12 || second.most > 12 {
		t.Errorf("the slow one took %d over %d connections, the other %d over %d", a, first.most, b, second.most)
	}
}

// A server that ends a connection between two messages is connected to again.
func TestConnectionsEnd(t *testing.T) {
	s := newSink(t, nil)
	n := 0
	s.rcpt = func(string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if n++; n%5 == 0 {
			return &gosmtp.SMTPError{Code: 421, EnhancedCode: gosmtp.EnhancedCode{4, 3, 2}, Message: "enough for one connection"}
		}
		return nil
	}
	var out []coordinator.Mail
	for n := range 50 {
		out = append(out, coordinator.Mail{ID: id(n), To: "u@member.example"})
	}
	p, err := smtp.New(smtp.Config{Relays: []smtp.Relay{s.relay()}, From: "n@desk.example", Link: "https://desk.example/home", Connections: 1})
	ok(t, err)
	for i, err := range hand(t, p, out...) {
		if err != nil {
			t.Errorf("%s: %v", i, err)
		}
	}
}

// certificate is one for a name, and who vouches for it.
func certificate(t testing.TB, name string) (*tls.Config, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	if ip := net.ParseIP(name); ip != nil {
		c.DNSNames, c.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	ok(t, err)
	parsed, err := x509.ParseCertificate(der)
	ok(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// Who isn't on this machine must encrypt; a password leaves it under TLS alone.
func TestTLS(t *testing.T) {
	t.Parallel()
	// The sink's address as one that isn't loopback: a machine's own other addresses.
	host := ""
	addrs, err := net.InterfaceAddrs()
	ok(t, err)
	for _, a := range addrs {
		if n, is := a.(*net.IPNet); is && !n.IP.IsLoopback() && n.IP.To4() != nil {
			host = n.IP.String()
		}
	}
	if host == "" {
		t.Skip("this machine has no address but its loopback's")
	}
	at := func(conf *tls.Config, implicit bool) (*sink, smtp.Relay) {
		s := &sink{}
		s.server = gosmtp.NewServer(s)
		s.server.TLSConfig, s.server.ErrorLog = conf, quiet{}
		l, err := net.Listen("tcp", host+":0")
		ok(t, err)
		r := smtp.Relay{Host: host, Port: l.Addr().(*net.TCPAddr).Port, TLS: implicit}
		if implicit {
			l = tls.NewListener(l, conf)
		}
		go s.server.Serve(l)
		t.Cleanup(func() { s.server.Close() })
		return s, r
	}
	good, roots := certificate(t, host)
	other, _ := certificate(t, "mx.example")
	for _, row := range []struct {
		name     string
		conf     *tls.Config
		implicit bool
		roots    *x509.CertPool
		user     string
		arrives  bool
	}{
		{"without TLS", nil, false, nil, "", false},
		{"with STARTTLS", good, false, roots, "", true},
		{"from the first byte", good, true, roots, "", true},
		{"by nobody we trust", good, false, nil, "", false},
		{"for another name", other, false, roots, "", false},
		{"a user, with STARTTLS", good, false, roots, "desk", true},
		{"a user, from the first byte", good, true, roots, "desk", true},
		{"a user, without TLS", nil, false, nil, "desk", false},
	} {
		s, r := at(row.conf, row.implicit)
		r.Roots, r.User, r.Password, s.user = row.roots, row.user, "secret", row.user
		err := hand(t, post(t, r), coordinator.Mail{ID: id(1), To: "ben@member.example"})[id(1)]
		if (err == nil) != row.arrives || len(s.letters()) == 1 != row.arrives {
			t.Errorf("%s: %v, %d arrived", row.name, err, len(s.letters()))
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is told: %v", row.name, err)
		}
	}
}

func TestParseRelay(t *testing.T) {
	for s, want := range map[string]smtp.Relay{
		"smtp://mx.example":                       {Host: "mx.example", Port: 587},
		"smtp://desk@mx.example:25":               {Host: "mx.example", Port: 25, User: "desk"},
		"smtps://desk%40desk.example@mx.example/": {Host: "mx.example", Port: 465, TLS: true, User: "desk@desk.example"},
		"smtp://[2001:db8::1]:2525":               {Host: "2001:db8::1", Port: 2525},
	} {
		if got, err := smtp.ParseRelay(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "mx.example", "http://mx.example", "smtp://", "smtp://desk:hush@mx.example", "smtp://mx.example/x", "smtp://mx.example?x=y", "smtp://mx.example:0", "smtp://mx.example:99999", "smtp://a b", "smtp://desk:hush@mx.example:port"} {
		if _, err := smtp.ParseRelay(s); !errors.Is(err, smtp.ErrConfig) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// A call is handed on at once, also to a relay that failed a moment ago.
func TestNotify(t *testing.T) {
	s := newSink(t, nil)
	broken := true
	s.rcpt = func(string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if broken {
			return &gosmtp.SMTPError{Code: 421, EnhancedCode: gosmtp.EnhancedCode{4, 3, 2}, Message: "not now"}
		}
		return nil
	}
	p := post(t, s.relay())
	n := coordinator.Notice{ID: cvd.NoticeID(id(7)), Time: "2026-11-26T21:09:13Z", Text: coordinator.NoticeText}
	who := coordinator.Person{Handle: "ana\r\nX: y", Name: "Ana\r\nBcc: x@y.example", Mail: "ana@desk.example"}
	if err := p.Notify(ctx, who, n); err == nil {
		t.Error("a call that no server took is handed on")
	}
	s.mu.Lock()
	broken = false
	s.mu.Unlock()
	ok(t, p.Notify(ctx, who, n))
	got := s.letters()
	if len(got) != 1 || len(got[0].data) != smtp.Size || !bytes.Contains(got[0].data, []byte("Message-ID: <"+n.ID.String()+"@desk.example>")) {
		t.Errorf("%d letters, %q", len(got), got)
	}
	if err := p.Notify(ctx, coordinator.Person{Handle: "ben"}, n); !errors.Is(err, coordinator.ErrBounced) {
		t.Errorf("somebody without an address: %v", err)
	}
}

// Once the context ends nothing new is begun, and nothing is told that wasn't tried.
func TestStops(t *testing.T) {
	s := newSink(t, nil)
	s.slow = 20 * time.Millisecond
	p := post(t, s.relay())
	var out []coordinator.Mail
	for n := range 2000 {
		out = append(out, coordinator.Mail{ID: id(n), To: "u@member.example"})
	}
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	sent := 0
	p.Mail(stop, time.Now(), out, func(_ coordinator.Mail, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("stopping made a failure: %v", err)
		}
		if sent++; sent == 5 {
			cancel()
		}
	})
	if n := len(s.letters()); sent < 5 || sent == len(out) || n != sent {
		t.Errorf("%d arrived and %d were told of, of %d", n, sent, len(out))
	}
}

// FuzzAddress: whatever somebody wrote down as an address, what arrives is one
// message to one recipient, of the one size, or nothing.
// Whoever answers without end, before TLS or under it, is hung up on: nothing of it is
// kept in memory.
func TestEndlessReply(t *testing.T) {
	t.Parallel()
	conf, roots := certificate(t, "127.0.0.1")
	for _, line := range []string{"220-" + strings.Repeat("x", 60) + "\r\n", strings.Repeat("x", 1<<10)} {
		for _, private := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			ok(t, err)
			r := smtp.Relay{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: private, Roots: roots}
			if private {
				l = tls.NewListener(l, conf)
			}
			sent := make(chan int, 1)
			go func() {
				for b := []byte(strings.Repeat(line, 1<<10)); ; { // it may be asked again
					c, err := l.Accept()
					if err != nil {
						return
					}
					n, k := 0, 0
					for err == nil {
						k, err = c.Write(b)
						n += k
					}
					c.Close()
					select {
					case sent <- n:
					default:
					}
				}
			}()
			if err := hand(t, post(t, r), coordinator.Mail{ID: id(1), To: "ben@member.example"})[id(1)]; err == nil || len(err.Error()) > 200 || !strings.Contains(err.Error(), "without end") && !strings.Contains(err.Error(), "no SMTP") {
				t.Errorf("TLS %v: %.200v", private, err)
			}
			if n := <-sent; n > 32<<20 { // most of it in the sockets' own buffers
				t.Errorf("TLS %v: it could send %d bytes", private, n)
			}
			l.Close()
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"ben@member.example", "a@b\r\nX: y", "", "\"q\"@b.example", "a@b.example,c@d.example"} {
		f.Add(s)
	}
	s := newSink(f, nil)
	p := post(f, s.relay())
	f.Fuzz(func(t *testing.T, to string) {
		err := hand(t, p, coordinator.Mail{ID: id(1), To: to})[id(1)]
		got := s.letters()
		s.mu.Lock()
		s.got = nil
		s.mu.Unlock()
		if err != nil && len(got) == 0 {
			return
		}
		if err != nil || len(got) != 1 || got[0].to != to || len(got[0].data) != smtp.Size {
			t.Fatalf("%q: %v, %d letters", to, err, len(got))
		}
	})
}
