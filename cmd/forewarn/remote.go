package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn"
	"forewarn/client"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/wire"
)

// remote is how a member's command reaches a desk from a machine that hasn't the
// programme's folder. A token is never a flag's value: command lines are read by
// everybody on a machine.
type remote struct {
	Server    string `help:"The desk's address, https://HOST, for a machine without the programme's folder." env:"FOREWARN_SERVER" placeholder:"URL"`
	TokenFile string `help:"File with your token, which the account's page made; else FOREWARN_TOKEN in the environment." placeholder:"FILE"`
}

const maxToken = 4 << 10

// client reaches the desk.
func (r *remote) client(a *app, o client.Options) (*client.Client, error) {
	token := os.Getenv("FOREWARN_TOKEN")
	if r.TokenFile != "" {
		b, err := a.read(r.TokenFile, maxToken)
		if err != nil {
			return nil, err
		}
		token = strings.TrimSpace(string(b))
		if i, err := os.Stat(r.TokenFile); err == nil && i.Mode().IsRegular() && i.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			a.note("%s can be read by other accounts of this machine: chmod 600 %s; if somebody may have read it, revoke the token on the account's page.", r.TokenFile, shown(r.TokenFile))
		}
	}
	if token == "" {
		return nil, usage("--server takes a token: --token-file FILE, or FOREWARN_TOKEN in the environment; the account's page makes one")
	}
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		if d > 2*time.Second {
			a.note("Trying again in %s.", d.Round(time.Second))
		}
		return sleepUntil(a, time.Now().Add(d))
	}
	c, err := client.New(r.Server, token, o)
	if errors.Is(err, client.ErrServer) {
		return nil, usage("%v", err)
	}
	return c, err
}

// lodge lodges a receipt with a desk elsewhere.
func (r *remote) lodge(a *app, receipt []byte) (cvd.WaveID, error) {
	c, err := r.client(a, client.Options{})
	if err != nil {
		return cvd.WaveID{}, err
	}
	wave, err := c.Lodge(a, receipt)
	if err != nil {
		return cvd.WaveID{}, err
	}
	return wire.ParseID[cvd.Wave](wave)
}

// anchorsOf is where a desk publishes its log.
func anchorsOf(server string) string { return strings.TrimSuffix(server, "/") + "/log/" }

// desk is a pull's way to a desk elsewhere.
func (c *pullCmd) desk(a *app) (*client.Client, error) {
	var o client.Options
	if c.Log != "" {
		v, err := note.NewVerifier(string(c.Log))
		if err != nil {
			return nil, usage("%q is not a log key: it looks like forewarn.invalid/name+0123abcd+A…", c.Log)
		}
		o.Log = forewarn.Log{Key: string(c.Log), Interval: c.Tick}
		if c.Anchors == "" {
			c.Anchors = anchorsOf(c.Server)
		}
		// After the proof was checked, and before a byte comes: a log that forks is
		// told of by its own words.
		o.Proof = func(proof []byte) error {
			p, err := evidence.ParseCopyProof(proof)
			if err != nil {
				return err
			}
			return c.follow(a, v, p.Entry.Checkpoint)
		}
	}
	if a.tty {
		bars := map[string]func(done, all int){}
		o.Progress = func(file string, done, all int64) {
			if bars[file] == nil {
				bars[file] = a.bar("Fetching " + file + ", KiB")
			}
			bars[file](int((done+1023)/1024), int((all+1023)/1024))
		}
	}
	return c.remote.client(a, o)
}

// roundFrom is round at a desk elsewhere.
func (c *pullCmd) roundFrom(a *app, desk *client.Client, done *[]pulled) (due time.Time, err error) {
	waves, err := c.wavesFrom(a, desk)
	if err != nil {
		return due, err
	}
	var all error
	for _, w := range waves {
		id, err := wire.ParseID[cvd.Wave](w.ID)
		if err != nil {
			return due, fmt.Errorf("%w: the desk names a wave %q", errInput, w.ID)
		}
		if has(*done, id) {
			continue
		}
		p := pulled{Wave: id}
		if p.Here = c.Wave == "" && p.isHere(filepath.Join(c.Out, id.Short())); !p.Here {
			if err := p.fetchFrom(a, desk, c); err != nil {
				at := laterFrom(w, err)
				if at.IsZero() || !c.Wait {
					p.Error = err.Error()
					*done = append(*done, p)
				}
				if due.IsZero() || !at.IsZero() && at.Before(due) {
					due = at
				}
				all = errors.Join(all, err)
				continue
			}
		}
		*done = append(*done, p)
	}
	return due, all
}

// wavesFrom is waves at a desk elsewhere.
func (c *pullCmd) wavesFrom(a *app, desk *client.Client) (out []client.Wave, err error) {
	inbox, err := desk.Inbox(a)
	if err != nil {
		return nil, err
	}
	c.not = nil
	for _, w := range inbox {
		if c.Wave != "" {
			if strings.HasPrefix(w.ID, c.Wave) {
				out = append(out, w)
			}
			continue
		}
		soon := w.State == cvd.StateSealed.String() && time.Until(w.OpensAt) < longestWait
		switch {
		case w.WhyNot == "", soon && c.Wait:
			out = append(out, w)
		case !w.Fetched:
			id, _ := wire.ParseID[cvd.Wave](w.ID)
			c.not = append(c.not, pulled{Wave: id, WhyNot: w.WhyNot, opens: w.OpensAt})
		}
	}
	if c.Wave != "" && len(out) != 1 {
		return nil, fmt.Errorf("%w: %d waves with a copy for you begin with %q", coordinator.ErrUnknown, len(out), c.Wave)
	}
	return out, nil
}

// laterFrom is later at a desk elsewhere.
func laterFrom(w client.Wave, err error) time.Time {
	var p *client.Problem
	switch {
	case !errors.Is(err, client.NotYet) && !errors.Is(err, client.NotAnchored):
		return time.Time{}
	case errors.As(err, &p) && p.RetryAfter > 0:
		return time.Now().Add(p.RetryAfter)
	}
	return w.OpensAt
}

// fetchFrom has the desk record the fetch, and writes what comes. Files get their
// names once they are whole, the proof last.
func (p *pulled) fetchFrom(a *app, desk *client.Client, c *pullCmd) (err error) {
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("%w: %w; nothing was fetched", errOutput, err)
	}
	base := filepath.Join(c.Out, p.Wave.Short())
	sealed, bulk := &arriving{name: base + ".age"}, &arriving{name: base + ".bulk.age"}
	defer sealed.drop()
	defer bulk.drop()
	d, err := desk.Copy(a, p.Wave.String(), sealed, bulk)
	if proof, perr := evidence.ParseCopyProof(d.Proof); perr == nil {
		p.tick = tickOf(proof)
		if v, _ := note.NewVerifier(string(c.Log)); v != nil && errors.Is(err, forewarn.ErrNotVerified) {
			if _, why := holds(proof, v, c.Tick); errors.Is(why, errTick) {
				err = why
			}
		}
	}
	if err != nil {
		return fmt.Errorf("wave %s: %w", p.Wave.Short(), err)
	}
	p.Proved = c.Log != ""
	err = sealed.keep()
	if err == nil && d.Bulk > 0 {
		p.Bulk, err = bulk.name, bulk.keep()
	}
	if err == nil {
		err = replace(base+".proof", d.Proof)
	}
	if err != nil {
		return fmt.Errorf("wave %s: %w: %w; the fetch is recorded, and pulling again is free", p.Wave.Short(), errKept, err)
	}
	p.names(base)
	return nil
}

// arriving is a file that gets its name once it is whole.
type arriving struct {
	name string
	f    *os.File
}

var _ io.Writer = (*arriving)(nil)

func (w *arriving) Write(b []byte) (n int, err error) {
	if w.f == nil {
		if w.f, err = os.CreateTemp(filepath.Dir(w.name), "."+filepath.Base(w.name)+".*"); err != nil {
			return 0, fmt.Errorf("%w: %w", errOutput, err)
		}
	}
	return w.f.Write(b)
}

func (w *arriving) keep() error {
	if w.f == nil {
		return fmt.Errorf("%w: %s is empty", errOutput, w.name)
	}
	if err := errors.Join(w.f.Sync(), w.f.Close()); err != nil {
		return err
	}
	return os.Rename(w.f.Name(), w.name)
}

// drop removes what never became whole.
func (w *arriving) drop() {
	if w.f != nil {
		w.f.Close()
		os.Remove(w.f.Name())
	}
}
