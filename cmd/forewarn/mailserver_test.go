package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"
)

// mailserver starts a mail server that writes what it takes to DIR/1.eml, DIR/2.eml,
// and sets NAME to its address.
func mailserver(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mailserver NAME DIR")
	}
	k := &keeper{dir: ts.MkAbs(args[1])}
	ts.Check(os.MkdirAll(k.dir, 0o777))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return k, nil }))
	s.Domain = "mx.example"
	go s.Serve(l)
	ts.Defer(func() { s.Close() })
	ts.Setenv(args[0], "smtp://"+l.Addr().String())
}

// keeper takes whatever comes.
type keeper struct {
	dir string
	mu  sync.Mutex
	n   int
}

func (*keeper) Reset()                               {}
func (*keeper) Logout() error                        { return nil }
func (*keeper) Mail(string, *smtp.MailOptions) error { return nil }
func (*keeper) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (k *keeper) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.n++
	return os.WriteFile(filepath.Join(k.dir, fmt.Sprintf("%d.eml", k.n)), b, 0o666)
}
