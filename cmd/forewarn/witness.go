package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"forewarn/internal/folder"
	"forewarn/internal/serve"
	"forewarn/internal/witness"
)

type witnessCmd struct {
	Init  witnessInit  `cmd:"" help:"Make a witness: a folder with its key."`
	Add   witnessAdd   `cmd:"" help:"Witness a programme's log from now on."`
	List  witnessList  `cmd:"" help:"What is witnessed, and how far."`
	Serve witnessServe `cmd:"" help:"Answer those logs that ask for a cosignature."`
}

// witness opens a witness's folder, and holds it: one process at a time.
func (a *app) witness(dir string, f func(*witness.Witness) error) error {
	return a.seeWitness(dir, func(w *witness.Witness) error {
		lock, err := folder.Lock(filepath.Join(dir, ".lock"))
		if err != nil {
			return err
		}
		defer lock.Close()
		return f(w)
	})
}

// seeWitness opens a witness's folder for looking, beside whoever holds it: its
// files are replaced whole.
func (a *app) seeWitness(dir string, f func(*witness.Witness) error) error {
	if _, err := os.Stat(filepath.Join(dir, "key")); err != nil {
		return fmt.Errorf("%w: %q holds no witness: %w", errInput, dir, err)
	}
	p, err := folder.OpenPrivate(dir)
	if err != nil {
		return err
	}
	defer p.Close()
	w, err := witness.Open(p, time.Now)
	if err != nil {
		return err
	}
	return f(w)
}

type witnessInit struct {
	Folder string `arg:"" help:"A new folder for the witness." type:"path"`
	Name   string `help:"What the witness is called, as a URL without its scheme." required:"" placeholder:"NAME"`
}

func (*witnessInit) Help() string {
	return `A witness signs that a log continues what it was before, and never two views of it. Run one for programmes of others: your own log you can't witness. Leave its folder out of backups: put back to an older state
it would sign again. If it is lost, give the witness up and make a new one.

Example:
  forewarn witness init watch --name witness.example/w1`
}

func (c *witnessInit) Run(a *app) error {
	p, err := folder.OpenPrivate(c.Folder)
	if err != nil {
		return err
	}
	defer p.Close()
	var seed [32]byte
	rand.Read(seed[:])
	key, err := witness.Init(p, c.Name, seed)
	if err != nil {
		return fmt.Errorf("%w: %w", errInput, err)
	}
	return a.done(fields{"folder": c.Folder, "key": key.Public()},
		"Made the witness. Its key, for those who ask it and for those who rely on it:\n  %s", key.Public())
}

type witnessAdd struct {
	Folder string `arg:"" help:"The witness's folder." type:"existingdir"`
	Key    string `arg:"" help:"The log's key (vkey), as its programme publishes it." placeholder:"VKEY"`
	Origin string `help:"The log's origin, where it isn't the key's name: after a declared recovery it is NAME/recovery-N." placeholder:"ORIGIN"`
}

func (*witnessAdd) Help() string {
	return `Get the key by another way than the log. A log is added once; it is never begun anew. After a declared recovery it is another log: ask the programme what was lost before you add it.
While the witness is served another process can't add: stop it, add, and serve it again. Anchors wait for no witness.

Example:
  forewarn witness add watch works.example/forewarn+0123abcd+AbCd`
}

func (c *witnessAdd) Run(a *app) error {
	return a.witness(c.Folder, func(w *witness.Witness) error {
		if err := w.Add(c.Key, c.Origin); err != nil {
			return fmt.Errorf("%w: %w", errInput, err)
		}
		return a.done(fields{"added": true, "key": c.Key}, "From now on that log is witnessed. Its programme asks with: forewarn serve --witness URL=%s", w.Public())
	})
}

type witnessList struct {
	Folder string `arg:"" help:"The witness's folder." type:"existingdir"`
}

func (*witnessList) Help() string {
	return "Also while the witness is served.\n\nExample:\n  forewarn witness list watch"
}

func (c *witnessList) Run(a *app) error {
	type row struct {
		Origin string `json:"origin"`
		Key    string `json:"key"`
		Size   uint64 `json:"size"`
	}
	return a.seeWitness(c.Folder, func(w *witness.Witness) error {
		logs, err := w.Logs()
		if err != nil {
			return err
		}
		var values []row
		var rows [][]string
		for _, l := range logs {
			values = append(values, row{l.Origin, l.Key, l.Last.Size})
			rows = append(rows, []string{l.Origin, fmt.Sprint(l.Last.Size)})
		}
		return list(a, "No log is witnessed yet.", []string{"ORIGIN", "COSIGNED UP TO"}, rows, values)
	})
}

type witnessServe struct {
	Folder  string `arg:"" help:"The witness's folder." type:"existingdir"`
	Listen  string `help:"Where logs come in." default:"127.0.0.1:8553" placeholder:"ADDRESS"`
	TLSCert string `help:"The certificate, PEM. Without one, put a proxy before it, or keep it to this machine." name:"tls-cert" placeholder:"FILE" type:"path"`
	TLSKey  string `help:"Its key, PEM." name:"tls-key" placeholder:"FILE" type:"path"`
}

func (*witnessServe) Help() string {
	return `C2SP's tlog-witness: POST /add-checkpoint. What it signs is on its disk before the signature leaves. Who asks needs no account: a log's own signature is what counts.

Example:
  forewarn witness serve watch --listen 127.0.0.1:8553`
}

func (c *witnessServe) Run(a *app) error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usage("TLS takes a certificate and its key")
	}
	log := slog.New(slog.NewJSONHandler(a.err, nil))
	return a.witness(c.Folder, func(w *witness.Witness) error {
		var listen net.ListenConfig
		l, err := listen.Listen(a, "tcp", c.Listen)
		if err != nil {
			return err
		}
		l = serve.Bounded(l, false) // a proxy on another machine is a network as well: it needs few connections
		s := &http.Server{Handler: w.Handler(log), MaxHeaderBytes: 16 << 10, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 32},
			ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
		ended := make(chan error, 1)
		go func() {
			if c.TLSCert != "" {
				ended <- s.ServeTLS(l, c.TLSCert, c.TLSKey)
				return
			}
			ended <- s.Serve(l)
		}()
		a.say("Witnessing at %s as %s.", l.Addr(), w.Public())
		select {
		case err := <-ended:
			return err
		case <-a.Done():
		}
		within, done := context.WithTimeout(context.Background(), 20*time.Second)
		defer done()
		if err := s.Shutdown(within); err != nil && !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		a.say("Stopped in order.")
		return nil
	})
}
