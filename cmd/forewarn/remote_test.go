package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/signin"
)

// tokenFor: token ACCOUNT FILE makes a token as the account's page would, which
// takes a passkey; and sets LOGKEY and TICK to the log's.
func tokenFor(ts *testscript.TestScript, neg bool, args []string) {
	h, err := home.Open(ts.Getenv("FOREWARN_DIR"))
	ts.Check(err)
	ts.Setenv("LOGKEY", h.LogKey())
	ts.Setenv("TICK", h.Interval().String())
	d, err := h.Desk(context.Background())
	ts.Check(err)
	id, err := d.Login(context.Background(), args[0])
	ts.Check(err)
	secret := "fwt_of_" + args[0] + strings.Repeat("x", 36)
	_, err = d.Do(context.Background(), cvd.Actor{Account: id, Auth: entrylog.AuthFresh}, cvd.IssueToken{Account: id, Token: signin.KeyOf(secret), Scope: cvd.EveryScope, Until: time.Now().Add(time.Hour)})
	ts.Check(err)
	ts.Check(d.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(secret+"\n"), 0o600))
}

// passkeyFor: passkey ACCOUNT makes a passkey for it with the invitation that it has,
// as its person's browser does.
func passkeyFor(ts *testscript.TestScript, neg bool, args []string) {
	h, err := home.Open(ts.Getenv("FOREWARN_DIR"))
	ts.Check(err)
	d, err := h.Desk(context.Background())
	ts.Check(err)
	id, err := d.Login(context.Background(), args[0])
	ts.Check(err)
	q := cvd.AddCredential{Account: id, PublicKey: []byte("key")}
	ts.Check(d.View(func(p *cvd.Programme) error {
		a := p.Accounts[id]
		q.Credential = fmt.Appendf(nil, "passkey %d of %s", len(a.Credentials)+1, args[0])
		if inv := a.Invitation(time.Now()); inv != nil {
			q.Invitation = inv.Hash
		}
		return nil
	}))
	_, err = d.Do(context.Background(), cvd.Actor{Account: id, Auth: entrylog.AuthFresh}, q)
	ts.Check(errors.Join(err, d.Close()))
}

// approve: approve WAVE ACCOUNT says yes to a wave while the desk is served, and
// waits for nothing.
func approve(ts *testscript.TestScript, neg bool, args []string) {
	ctx := context.Background()
	h, err := home.Open(ts.Getenv("FOREWARN_DIR"))
	ts.Check(err)
	d, err := h.Join(ctx)
	ts.Check(err)
	id, err := d.Login(ctx, args[1])
	ts.Check(err)
	by := cvd.Actor{Account: id}
	w, err := d.Wave(ctx, by, args[0])
	ts.Check(err)
	var digest [32]byte
	ts.Check(d.View(func(p *cvd.Programme) error { digest = p.Waves[w].Digest; return nil }))
	_, err = d.ApproveSeen(ctx, by, w, digest)
	ts.Check(errors.Join(err, d.Close()))
}

// free: free NAME sets a variable to a port of this machine that nobody listens on.
func free(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
	ts.Check(l.Close())
}

// ready: ready URL waits for a desk to be served there.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if r, err := http.Get(args[0] + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
	}
	ts.Fatalf("nothing is served at %s", args[0])
}
