package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"forewarn"
)

// Wave is a copy that is or will be the account's to fetch.
type Wave struct {
	ID      string    `json:"wave"`
	Case    string    `json:"case"`
	Title   string    `json:"title"` // the case's, for who may read it
	State   string    `json:"state"`
	OpensAt time.Time `json:"opens_at"`
	Fetched bool      `json:"fetched"` // by any account of the member
	WhyNot  string    `json:"why_not"` // why the copy can't be fetched now; empty: it can
}

// inbox is a look at what waits. A tag of an earlier look gives nil, and the tag
// again, when nothing changed.
func (c *Client) inbox(ctx context.Context, tag string) (waves []Wave, now string, err error) {
	q := request{method: http.MethodGet, path: []string{"inbox"}}
	if tag != "" {
		q.heads = http.Header{"If-None-Match": {tag}}
	}
	r, err := c.do(ctx, q)
	if err != nil {
		return nil, tag, err
	}
	if r.StatusCode == http.StatusNotModified {
		return nil, tag, r.Body.Close()
	}
	out := struct{ Waves []Wave }{[]Wave{}}
	err = decode(r, &out)
	return out.Waves, r.Header.Get("ETag"), err
}

// Inbox is what waits for the account, the newest last. Scope: read.
func (c *Client) Inbox(ctx context.Context) ([]Wave, error) {
	waves, _, err := c.inbox(ctx, "")
	return waves, err
}

// spread is the time over which those who wait for a wave come for it, so that
// they don't all come at once.
const spread = 20 * time.Second

// Poll looks at the inbox again and again, and calls f with it at first and
// whenever it changed, until the context ends or f gives an error. The time
// between two looks is every, more or less by a quarter; a wave that opens before
// the next is looked for within some seconds of its opening. What may pass, such
// as a desk that is stopped, is waited for; of other errors it returns.
func (c *Client) Poll(ctx context.Context, every time.Duration, f func([]Wave) error) error {
	every = max(every, time.Second)
	tag := ""
	var last []Wave
	for {
		waves, now, err := c.inbox(ctx, tag)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			var p *Problem
			if _, passes := c.passes(err, 1); !passes && !(errors.As(err, &p) && p.Status >= 500) {
				return err
			}
		case waves != nil:
			tag, last = now, waves
			if err := f(waves); err != nil {
				return err
			}
		}
		if err := c.Sleep(ctx, c.next(last, every, time.Now())); err != nil {
			return err
		}
	}
}

// next is how long until the next look.
func (c *Client) next(waves []Wave, every time.Duration, now time.Time) time.Duration {
	wait := every*3/4 + c.within(every/2)
	for _, w := range waves {
		if opens := w.OpensAt.Sub(now); opens > 0 && opens < wait {
			wait = opens + c.within(min(spread, every))
		}
	}
	return wait
}

// Delivery is what came of a copy.
type Delivery struct {
	Wave         string
	Proof        []byte        // keep it beside the sealed file: opening needs it
	Bound        forewarn.Wave // what the proof binds; zero where Options.Log wasn't given
	Sealed, Bulk int64         // bytes; no bulk: the wave has none
}

// copyAnswer is a copy as the desk describes it.
type copyAnswer struct {
	Files []file `json:"files"`
	Proof []byte `json:"proof"`
}

type file struct {
	Name   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ErrAltered: what came is not what the desk said it would send. Fetch it again;
// if it stays so, something between here and the desk changes it.
var ErrAltered = errors.New("the file is not the one that was announced")

// Copy fetches the account's copy of a wave: the fetch is put on the log, the
// proof is checked, and the sealed file is written as it comes; then, for a wave
// that has files which all copies share, those. A connection that breaks is taken
// up where it broke. Scope: fetch. Errors: NotYet and NotAnchored say by RetryAfter
// when to come back; ErrAltered; those of package forewarn when the proof doesn't
// hold, and then nothing was written.
//
// That the sealed file is what the proof speaks of shows when it is opened: go on
// with forewarn.OpenCopy and forewarn.VerifyCopy.
func (c *Client) Copy(ctx context.Context, wave string, sealed, bulk io.Writer) (Delivery, error) {
	out := Delivery{Wave: wave}
	var a copyAnswer
	if err := c.post(ctx, nil, &a, "waves", wave, "copy"); err != nil {
		return out, err
	}
	files := map[string]file{}
	for _, f := range a.Files {
		files[f.Name] = f
	}
	out.Proof = a.Proof
	if c.Log.Key != "" {
		var err error
		if out.Bound, err = forewarn.VerifyProof(c.Log, out.Proof); err != nil {
			return out, err
		}
		if out.Bound.ID != wave {
			return out, fmt.Errorf("%w: the proof is of wave %s", ErrAltered, out.Bound.ID)
		}
	}
	if c.Proof != nil {
		if err := c.Proof(out.Proof); err != nil {
			return out, err
		}
	}
	if err := c.file(ctx, wave, files["sealed"], sealed); err != nil {
		return out, err
	}
	out.Sealed = files["sealed"].Bytes
	if f, ok := files["bulk"]; ok {
		if err := c.file(ctx, wave, f, bulk); err != nil {
			return out, err
		}
		out.Bulk = f.Bytes
	}
	return out, nil
}

// file writes a file of a copy as it comes, and takes it up again where it broke.
func (c *Client) file(ctx context.Context, wave string, f file, to io.Writer) error {
	if f.Name == "" {
		return fmt.Errorf("%w: a file is missing", ErrAltered)
	}
	s := &sink{to: to, sum: sha256.New()}
	if c.Progress != nil {
		s.tell = func(done int64) { c.Progress(f.Name, done, f.Bytes) }
	}
	for broke := 0; s.done < f.Bytes; {
		q := request{method: http.MethodGet, path: []string{"waves", wave, "copy", f.Name}, heads: http.Header{}}
		if s.done > 0 {
			q.heads.Set("Range", fmt.Sprintf("bytes=%d-", s.done))
			q.heads.Set("If-Range", `"`+f.SHA256+`"`)
		}
		r, err := c.do(ctx, q)
		if err != nil {
			return err
		}
		if s.done > 0 && r.StatusCode != http.StatusPartialContent {
			r.Body.Close()
			return fmt.Errorf("%w: it changed on the way", ErrAltered)
		}
		before := s.done
		_, err = io.Copy(s, io.LimitReader(r.Body, f.Bytes-s.done))
		r.Body.Close()
		switch {
		case s.err != nil:
			return s.err
		case s.done == f.Bytes:
			continue
		case s.done > before:
			broke = 0
		}
		if broke++; broke >= c.Tries {
			return &unanswered{errors.Join(err, io.ErrUnexpectedEOF)}
		}
		if err := c.Sleep(ctx, c.within(time.Second)); err != nil {
			return err
		}
	}
	if hex.EncodeToString(s.sum.Sum(nil)) != f.SHA256 {
		return fmt.Errorf("%w: its SHA-256 is another", ErrAltered)
	}
	return nil
}

// sink counts and hashes what is written, and keeps its writer's error apart from
// the reader's.
type sink struct {
	to   io.Writer
	sum  hash.Hash
	done int64
	tell func(done int64)
	err  error
}

func (s *sink) Write(b []byte) (n int, err error) {
	n, s.err = s.to.Write(b)
	s.sum.Write(b[:n])
	s.done += int64(n)
	if s.tell != nil {
		s.tell(s.done)
	}
	return n, s.err
}

// Lodge lodges a receipt that forewarn.SignReceipt made, and gives the wave that it
// is for. Again is no other receipt. Scope: receipt.
func (c *Client) Lodge(ctx context.Context, receipt []byte) (wave string, err error) {
	var out struct{ Wave string }
	err = c.post(ctx, struct {
		Receipt []byte `json:"receipt"`
	}{receipt}, &out, "receipts")
	return out.Wave, err
}

// Case is one that the account may know of.
type Case struct {
	ID      string `json:"case"`
	Title   string `json:"title"` // empty until the member consented
	Embargo string `json:"embargo"`
	Consent string `json:"consent"`
}

// Cases is the cases that the account may know of, the newest first. Scope: read.
func (c *Client) Cases(ctx context.Context) ([]Case, error) {
	r, err := c.do(ctx, request{method: http.MethodGet, path: []string{"home"}})
	if err != nil {
		return nil, err
	}
	out := struct{ Cases []Case }{[]Case{}}
	err = decode(r, &out)
	return out.Cases, err
}

// Product is an affected product of a case, and the member's last answer on it.
type Product struct {
	ID     string `json:"product"`
	Name   string `json:"name"`
	Answer string `json:"answer"`
}

// Products is the affected products of a case that the member consented to. Scope:
// read.
func (c *Client) Products(ctx context.Context, id string) ([]Product, error) {
	r, err := c.do(ctx, request{method: http.MethodGet, path: []string{"cases", id, "part"}})
	if err != nil {
		return nil, err
	}
	out := struct{ Products []Product }{[]Product{}}
	err = decode(r, &out)
	return out.Products, err
}

// Answer says how a product of the member stands in a case: not affected,
// investigating, affected, in progress, ready or shipped. The note, 2,000 characters
// at most, is kept encrypted under the case's key. Scope: answer.
func (c *Client) Answer(ctx context.Context, id, product, answer, note string) error {
	return c.post(ctx, struct {
		Product string `json:"product"`
		Answer  string `json:"answer"`
		Note    string `json:"note,omitempty"`
	}{product, answer, note}, nil, "cases", id, "answers")
}
