package herd

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"forewarn/internal/machine"
)

// server is the desk as a process, at one address however often it is started.
type server struct {
	binary, dir, work string
	address, origin   string
	args              []string // of the program, before what serve takes
	more              []string // after it
	clocks            string   // the file that sets the desk's clocks; empty: they are the machine's
	time              string   // somebody else's clock
	ends              []func()
	trust             *tls.Config

	mu   sync.Mutex
	cmd  *exec.Cmd
	said *os.File
	gone time.Duration // of processors that processes before this one spent
}

// newServer makes a desk's address and its certificate; start starts it.
func newServer(binary, dir, work string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{binary: binary, dir: dir, work: work, address: l.Addr().String(), args: []string{"serve"}}
	_, port, err := net.SplitHostPort(s.address)
	if err = errors.Join(err, l.Close()); err != nil {
		return nil, err
	}
	s.origin = "https://localhost:" + port
	if err := s.certify(); err != nil {
		return nil, err
	}
	if s.said, err = os.OpenFile(s.file("process.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	return s, nil
}

// close ends what runs for it.
func (s *server) close() {
	s.kill()
	for _, end := range s.ends {
		end()
	}
}

func (s *server) file(name string) string { return filepath.Join(s.work, name) }

// certify makes a certificate that members trust and nobody else.
func (s *server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	pool.AddCert(cert)
	s.trust = &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}
	return errors.Join(
		os.WriteFile(s.file("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(s.file("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

// start starts a process, and returns when pages are served.
func (s *server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	args := append(slices.Clone(s.args), "--dir", s.dir, "--listen", s.address, "--tls-cert", s.file("cert.pem"), "--tls-key", s.file("key.pem"), "--origin", s.origin)
	cmd := exec.Command(s.binary, append(args, s.more...)...)
	cmd.Stderr = s.said
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+s.file("cert.pem")) // whom it believes about the time
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "Serving ") {
		return fmt.Errorf("the desk did not start: %q, %w; %s says more", lines.Text(), cmd.Wait(), s.said.Name())
	}
	go func() {
		for lines.Scan() { // so that it never waits to be read
		}
	}()
	s.cmd = cmd
	return ctx.Err()
}

// kill ends the process without warning.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		s.gone += machine.Spent(s.cmd.Process.Pid)
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// signal stops the process where it is, or lets it go on.
func (s *server) signal(what os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Signal(what)
}

// stop ends it in order.
func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return errors.New("the desk does not run any more")
	}
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	err = errors.Join(err, s.cmd.Wait())
	s.cmd = nil
	return err
}

// cpu is the time of processors that the desk spent so far, with its sealer.
func (s *server) cpu() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return s.gone
	}
	return s.gone + machine.Spent(s.cmd.Process.Pid)
}
