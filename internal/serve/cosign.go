package serve

import (
	"bytes"
	"context"
	"path"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/witness"
)

// cosigned is the published log with the cosignatures that its newest checkpoint has
// by now. They are in no file: a witness gives them again whenever it is asked.
type cosigned struct {
	ledger.Publisher
	mu    sync.Mutex
	of    []byte            // the signed checkpoint
	lines map[string][]byte // by witness
}

// ReadFile is the published file; of the newest checkpoint, cosigned.
func (c *cosigned) ReadFile(ctx context.Context, name string) ([]byte, error) {
	b, err := c.Publisher.ReadFile(ctx, name)
	if err != nil || path.Base(name) != entrylog.CheckpointPath {
		return b, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if bytes.Equal(b, c.of) {
		for _, l := range c.lines {
			b = append(b, l...)
		}
	}
	return b, nil
}

// has reports whether a witness cosigned a checkpoint.
func (c *cosigned) has(signed []byte, by string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Equal(signed, c.of) && c.lines[by] != nil
}

func (c *cosigned) add(signed []byte, by string, line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !bytes.Equal(signed, c.of) {
		c.of, c.lines = signed, map[string][]byte{}
	}
	c.lines[by] = line
}

// witnessing asks one witness after each anchor, beside the anchors: these wait for
// nobody. One that doesn't answer is asked again, less and less often.
func (s *server) witnessing(ctx context.Context, d *home.Desk, pub *cosigned, p *witness.Peer, v note.Verifier) {
	what := "asking witness " + p.Key.Name()
	var last string
	wait := time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		signed, prefix, err := newest(ctx, d, pub.Publisher, v)
		if err == nil && (signed == nil || pub.has(signed, p.Key.Name())) {
			wait = time.Second
			continue
		}
		var line []byte
		if err == nil {
			within, done := context.WithTimeout(ctx, 10*time.Second)
			line, err = p.Ask(within, signed, v, func(name string) ([]byte, error) { return pub.Publisher.ReadFile(within, prefix+name) })
			done()
		}
		if ctx.Err() != nil {
			return
		}
		s.said(&last, err, what)
		if err != nil {
			wait = min(2*wait, time.Minute)
			continue
		}
		pub.add(signed, p.Key.Name(), line)
		wait = time.Second
	}
}

// newest is the checkpoint that is published, nil before the first anchor, and the
// folder that it is in.
func newest(ctx context.Context, d *home.Desk, pub ledger.Publisher, v note.Verifier) (signed []byte, prefix string, err error) {
	_, cp := d.Log().Checkpoint()
	if cp.Size == 0 {
		return nil, "", nil
	}
	if n, _ := cp.Recovery(v.Name()); n > 0 {
		prefix = cp.Origin[len(v.Name())+1:] + "/"
	}
	signed, err = pub.ReadFile(ctx, prefix+entrylog.CheckpointPath)
	return signed, prefix, err
}
