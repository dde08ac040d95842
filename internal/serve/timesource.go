package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// timeSource is a third party's clock: the Date that an HTTPS server sends, under
// the authority of its certificate. It has whole seconds (RFC 9110, 6.6.1), which
// is enough against a jump of five; a network that delays the answer is bounded by
// how long the answer took. Whoever can forge the certificate can hold openings,
// and can't make one early: the clock goes by whichever is behind.
type timeSource struct {
	url    string
	client *http.Client
}

// doubt is how inexact an answer may be and still count.
const doubt = 2 * time.Second

// longest is how long an answer is waited for.
const longest = 10 * time.Second

// errSlow: the answer took too long to tell the time by. It says what time it was at
// least when it came, and that is given.
var errSlow = errors.New("the answer took too long to tell the time by")

// ask gives the time, and at which elapsed time it was so; with errSlow a time that
// it was later than.
func (s *timeSource) ask(ctx context.Context, c *clock) (t time.Time, elapsed time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, s.url, nil)
	if err != nil {
		return t, 0, err
	}
	r.Header.Set("Cache-Control", "no-cache") // the answer of a cache has an old Date
	_, before := c.read()
	answer, err := s.client.Do(r)
	if err != nil {
		return t, 0, err
	}
	answer.Body.Close()
	_, after := c.read()
	t, err = http.ParseTime(answer.Header.Get("Date"))
	switch {
	case answer.TLS == nil:
		return t, 0, errors.New("the answer came without TLS")
	case err != nil:
		return t, 0, fmt.Errorf("the answer has no Date that can be read: %w", err)
	case t.Year() < 2000: // before 1970 no log takes an entry, the end of an embargo neither
		return t, 0, errors.New("the answer is from another century")
	case answer.Header.Get("Age") != "":
		return t, 0, errors.New("the answer is from a cache, as old as it says")
	case (after-before)/2+500*time.Millisecond > doubt:
		return t, after, fmt.Errorf("%w: %s", errSlow, (after - before).Round(time.Millisecond))
	}
	// Somewhere in the second that begins at the Date, somewhere between asking and
	// hearing: the middle of both.
	return t.Add(500 * time.Millisecond), before + (after-before)/2, nil
}
