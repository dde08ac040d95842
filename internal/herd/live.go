package herd

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/seal"
)

// visitor is one machine that comes to the desk, over a connection of its own.
type visitor struct {
	*crowd
	client *http.Client
	token  string
}

func (c *crowd) visitor(token string) *visitor {
	dial := net.Dialer{Timeout: 30 * time.Second}
	return &visitor{c, &http.Client{Timeout: 90 * time.Second, Transport: &http.Transport{
		TLSClientConfig: c.server.trust, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 60 * time.Second, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dial.DialContext(ctx, "tcp", c.server.address)
		},
	}}, token}
}

// answer is what came back.
type answer struct {
	status int
	head   http.Header
	body   []byte
}

// once asks once.
func (v *visitor) once(ctx context.Context, method, path, tag string) (a answer, err error) {
	v.requests.Add(1)
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader(nil)
	}
	r, err := http.NewRequestWithContext(ctx, method, v.server.origin+path, body)
	if err != nil {
		return a, err
	}
	if v.token != "" {
		r.Header.Set("Authorization", "Bearer "+v.token)
	}
	r.Header.Set("Accept", "application/json")
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	got, err := v.client.Do(r)
	if err != nil {
		v.broken.Add(1)
		return a, err
	}
	defer got.Body.Close()
	a = answer{status: got.StatusCode, head: got.Header}
	if a.body, err = io.ReadAll(got.Body); err != nil {
		v.broken.Add(1)
	}
	return a, err
}

// until asks until there is an answer that isn't 'come back': a connection that
// breaks is tried again, later each time, and a desk that is full says when.
func (v *visitor) until(ctx context.Context, rng *rand.Rand, method, path string) (a answer, err error) {
	wait := 100 * time.Millisecond
	for {
		a, err = v.once(ctx, method, path, "")
		if err == nil && a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable {
			return a, nil
		}
		pause := wait
		if err == nil {
			v.turned.Add(1)
			if n, e := strconv.Atoi(a.head.Get("Retry-After")); e == nil {
				pause = max(pause, time.Duration(n)*time.Second)
			}
		}
		if e := sleep(ctx, pause+time.Duration(rng.Int64N(int64(pause)+1))); e != nil {
			return a, cmp.Or(err, e)
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// live is one member's machine: it asks what waits, every so often and at a time of
// its own. When the wave is open it fetches, verifies and opens: at once, or where
// members are told by mail once its person was told.
func (c *crowd) live(ctx context.Context, i int, every time.Duration, rng *rand.Rand) {
	m := &c.members[i]
	v := c.visitor(m.token)
	defer v.client.CloseIdleConnections()
	tag := ""
	for pause := time.Duration(rng.Int64N(int64(every))); ; pause = every {
		if sleep(ctx, pause) != nil {
			return
		}
		a, err := v.once(ctx, http.MethodGet, "/api/v1/inbox", tag)
		if err != nil {
			continue // gone for a moment
		}
		if time.Now().Before(c.opens) {
			c.sawInbox(a, tag)
		}
		if a.status != http.StatusOK {
			continue // unchanged, or full
		}
		tag = a.head.Get("ETag")
		var in struct {
			Waves []struct{ Wave, State string }
		}
		if json.Unmarshal(a.body, &in) != nil || len(in.Waves) != 1 || in.Waves[0].State != "open" {
			continue
		}
		if c.post != nil && c.told {
			select {
			case <-ctx.Done():
				return
			case <-c.post.arrived(m.mail):
			}
		}
		c.once.Do(func() { c.first = time.Since(c.opens) })
		if err := c.fetch(ctx, v, i, rng); err == nil {
			c.mu.Lock()
			c.took = append(c.took, time.Since(c.opens))
			c.mu.Unlock()
			return
		}
		tag = "" // and ask anew
	}
}

func (c *crowd) path(what string) string { return "/api/v1/waves/" + c.wave.String() + "/copy" + what }

// questions are what who can't wait asks for.
var questions = []struct{ method, file string }{
	{http.MethodGet, "/sealed"}, {http.MethodGet, "/proof"}, {http.MethodGet, "/bulk"}, {http.MethodHead, "/sealed"}, {http.MethodPost, ""},
}

// greedy is a member who asks for the copy before its time, one question after
// another, until it is open.
func (c *crowd) greedy(ctx context.Context, i int, every time.Duration, rng *rand.Rand) {
	v := c.visitor(c.members[i].token)
	defer v.client.CloseIdleConnections()
	for n := i; sleep(ctx, every/2+time.Duration(rng.Int64N(int64(every)))) == nil; n++ {
		q := questions[n%len(questions)]
		if c.told && q.method == http.MethodPost && time.Until(c.opens) < 5*time.Second {
			continue // one that is late is a fetch, and who fetched needs no notice
		}
		a, err := v.once(ctx, q.method, c.path(q.file), "")
		switch {
		case !time.Now().Before(c.opens):
			return
		case err == nil:
			c.saw(q.method+" "+q.file, a)
		}
	}
}

// saw notes an answer that came before the opening. All to one question have to be
// the same, but for the id of the request and when to come again; none may say yes,
// have an ETag, or take a part. A desk that is full or being opened says the same of
// everything.
func (c *crowd) saw(question string, a answer) {
	c.asked.Add(1)
	if a.status < 400 || a.head.Get("ETag") != "" || a.head.Get("Accept-Ranges") != "" || a.head.Get("Last-Modified") != "" {
		c.early.Add(1)
	}
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		return
	}
	c.noted(question, fmt.Sprint(a.status, " ", len(a.body), " ", a.head.Get("Content-Length"), " ", a.head.Get("ETag")))
}

// sawInbox notes what waited for a member before the opening: sealed, of the same
// length for all whose names are as long, and unchanged from its first answer on.
func (c *crowd) sawInbox(a answer, tag string) {
	if a.status != http.StatusOK {
		return
	}
	c.asked.Add(1)
	var in struct {
		Waves []struct{ Wave, State string }
	}
	if json.Unmarshal(a.body, &in) != nil || len(in.Waves) != 1 || in.Waves[0].State != "sealed" {
		c.early.Add(1)
	}
	if tag != "" && tag != a.head.Get("ETag") {
		c.changed.Add(1)
	}
	c.noted("inbox", fmt.Sprint(a.status, " ", len(a.body)))
}

func (c *crowd) noted(question, answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.before[question] == nil {
		c.before[question] = map[string]int{}
	}
	c.before[question][answer]++
}

// fetch gets a member's copy, and does what its machine should: checks that it was
// committed to, opens it, and compares what is in it with what was committed to.
func (c *crowd) fetch(ctx context.Context, v *visitor, i int, rng *rand.Rand) error {
	a, err := v.until(ctx, rng, http.MethodPost, c.path(""))
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("fetching: %d", a.status)
	}
	c.acked[i].Store(true)
	var files [2][]byte
	for j, name := range []string{"/sealed", "/proof"} {
		if a, err = v.until(ctx, rng, http.MethodGet, c.path(name)); err != nil {
			return err
		}
		if a.status != http.StatusOK {
			return fmt.Errorf("%s: %d", name, a.status)
		}
		files[j] = a.body
		c.bytes.Add(int64(len(a.body)))
	}
	proof, err := evidence.ParseCopyProof(files[1])
	if err != nil {
		return err
	}
	if _, err := proof.Verify(c.verify, tick); err != nil {
		return err
	}
	out, err := seal.OpenCopy(bytes.NewReader(files[0]), c.members[i].keys, seal.DefaultLimits)
	if err != nil {
		return err
	}
	if out, _ = seal.TakeBulkKey(out); form.CopyHash(out) != proof.Copy {
		return fmt.Errorf("member %d: what was sent is not what was committed to", i)
	}
	return nil
}

// others looks at public pages all the while, as somebody who has nothing to do
// with the wave, and says how long each took from the opening on, and how many got no page.
func (c *crowd) others(ctx context.Context) (took []time.Duration, failed int) {
	v := c.visitor("")
	defer v.client.CloseIdleConnections()
	for i := 0; sleep(ctx, 50*time.Millisecond) == nil; i++ {
		begun := time.Now()
		path := []string{"/", "/log/checkpoint", "/sign-in"}[i%3]
		a, err := v.once(ctx, http.MethodGet, path, "")
		switch {
		case begun.Before(c.opens) || ctx.Err() != nil:
		case err == nil && a.status == http.StatusOK:
			took = append(took, time.Since(begun))
		default:
			failed++
		}
	}
	return took, failed
}
