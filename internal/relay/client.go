package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"
)

const (
	lookFor  = 15 * time.Second // how long the desk may take to say where it is
	waitFor  = 30 * time.Second // and to append, or to anchor
	idleTime = 10 * time.Second
)

// Client asks the desk that is served behind a folder's socket. It is safe for
// concurrent use. It implements coordinator.Serving.
type Client struct {
	folder string
	http   http.Client
}

// NewClient is a Client for the socket in a folder. It connects when it is first
// asked something.
func NewClient(folder string) *Client {
	c := &Client{folder: folder}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dial(ctx, folder)
			if err != nil {
				return nil, unreached{err}
			}
			return conn, nil
		},
		IdleConnTimeout: idleTime, DisableCompression: true,
	}
	return c
}

// Close gives back connections that nobody uses.
func (c *Client) Close() error { c.http.CloseIdleConnections(); return nil }

// unreached is a connection that did not come about: nothing was asked.
type unreached struct{ error }

// ask sends a request and gives its answer, which the caller closes.
func (c *Client) ask(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://desk"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	got, err := c.http.Do(r)
	switch {
	case errors.As(err, new(unreached)):
		return nil, fmt.Errorf("%w: %w", ledger.ErrUnreached, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ledger.ErrUncertain, err)
	case got.StatusCode == http.StatusOK:
		return got, nil
	}
	defer got.Body.Close()
	b, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrUncertain, err)
	}
	return nil, answered(got.StatusCode, b)
}

// call is a request with a small answer.
func (c *Client) call(ctx context.Context, most time.Duration, method, path string, body []byte) ([]byte, error) {
	ctx, done := context.WithTimeout(ctx, most)
	defer done()
	got, err := c.ask(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	b, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrUncertain, err)
	}
	return b, nil
}

// harmless are the errors of what keeps nothing: who did not answer was not
// reached, and what ended serves nobody.
func harmless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err() // it is the caller who doesn't want to know any more
	}
	if errors.Is(err, ledger.ErrUncertain) || errors.Is(err, ledger.ErrClosed) {
		return fmt.Errorf("%w: %s", ledger.ErrUnreached, err)
	}
	return err
}

// Where serves ledger.Writer.
func (c *Client) Where(ctx context.Context, hold bool) (ledger.Standing, error) {
	method, path := http.MethodGet, "/1/where"
	if hold {
		method, path = http.MethodPost, "/1/hold"
	}
	b, err := c.call(ctx, lookFor, method, path, nil)
	if err != nil {
		return ledger.Standing{}, harmless(ctx, err)
	}
	var s standing
	if err := wire.Unmarshal(b, &s); err != nil {
		return ledger.Standing{}, fmt.Errorf("%w: its answer: %w", ledger.ErrUnreached, err)
	}
	return ledger.Standing(s), nil
}

// Take serves ledger.Writer.
func (c *Client) Take(ctx context.Context, at entrylog.Seq, recs []entrylog.Record, under ledger.Hold) error {
	b, err := wire.Append(nil, &offer{at, under, recs})
	if err == nil && len(b) > maxOffer {
		err = fmt.Errorf("they have %d bytes; at most %d are taken at once", len(b), maxOffer)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrOffer, err)
	}
	_, err = c.call(ctx, waitFor, http.MethodPost, "/1/append", b)
	if errors.Is(err, ledger.ErrClosed) { // it stops in order: nothing was kept
		err = fmt.Errorf("%w: %s", ledger.ErrUnreached, err)
	}
	return err
}

// Tick serves ledger.Writer.
func (c *Client) Tick(ctx context.Context) error {
	_, err := c.call(ctx, waitFor, http.MethodPost, "/1/tick", nil)
	return harmless(ctx, err)
}

// Seal serves coordinator.Serving.
func (c *Client) Seal(ctx context.Context, id cvd.WaveID, progress func(done, all int)) error {
	got, err := c.ask(ctx, http.MethodPost, "/1/seal", wire.Marshal(&id))
	if err != nil {
		return err
	}
	defer got.Body.Close()
	lines := json.NewDecoder(got.Body)
	for {
		var l line
		switch err := lines.Decode(&l); {
		case err != nil:
			return fmt.Errorf("the desk stopped telling how far the sealing is: %w", err)
		case l.Error != nil:
			return l.Error.err()
		case l.Sealed:
			return nil
		case progress != nil:
			progress(l.Done, l.All)
		}
	}
}
