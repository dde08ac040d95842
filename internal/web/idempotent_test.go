package web

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

const someKey = `"3f1c9a52-77e1-4c6a-9b0e-5d6f0a1b2c3d"`

// TestIdempotencyKey: the same request again is the first answer again, and
// nothing is done twice; another request with the key is refused.
func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	post := func(key, body string) *http.Response {
		return b.do("POST", apiBase+"/account/tokens", body, http.Header{idempotencyHead: {key}, "Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}})
	}
	before := w.desk.Log().Size()
	const body = `{"scope":["read"],"days":3}`
	r := post(someKey, body)
	first := b.wants(r, 200)
	if !strings.Contains(first, "fwt_") || r.Header.Get(replayedHead) != "" {
		t.Fatal(first)
	}
	again := post(someKey, body)
	if s := b.wants(again, 200); s != first || again.Header.Get(replayedHead) != "true" || again.Header.Get("Location") != r.Header.Get("Location") || again.Header.Get("Content-Type") != "application/json" {
		t.Errorf("again: %s %v", s, again.Header)
	}
	if n := w.desk.Log().Size() - before; n != 1 {
		t.Errorf("it was done %d times", n)
	}
	if s := b.wants(post(someKey, `{"scope":["read"],"days":4}`), 422); !strings.Contains(s, "key-reused") {
		t.Error(s)
	}
	for _, bad := range []string{"short", `"short"`, someKey[1:], `"` + strings.Repeat("a", 129) + `"`, "\"with a \x01 in it, and more\"", `"a quote " within, and more"`} {
		if s := b.wants(post(bad, body), 400); !strings.Contains(s, idempotencyHead) {
			t.Error(s)
		}
	}
	// Another account's key of the same text is another key.
	ben := w.as("ben")
	if s := ben.wants(ben.do("POST", apiBase+"/account/tokens", body, http.Header{idempotencyHead: {someKey}, "Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}}), 200); s == first {
		t.Error("ben has ana's token")
	}
	// What is kept opens nothing.
	items, err := w.kept.Owned(ctx, idempotentKind, w.who["ana"], w.now)
	ok(t, err)
	for _, it := range items {
		if strings.Contains(string(it.Value), "fwt_") || strings.Contains(string(it.Value), someKey[1:9]) {
			t.Errorf("the store has %s", it.Value)
		}
	}
	if len(items) != 1 {
		t.Errorf("%d answers are kept", len(items))
	}
	w.now = w.now.Add(answerTime)
	b = w.as("ana")
	if s := b.wants(post(someKey, body), 200); s == first {
		t.Error("a day later it is the same answer still")
	}
}

// TestIdempotencyOfRefusals: what was refused changed nothing, and is tried anew.
func TestIdempotencyOfRefusals(t *testing.T) {
	w := newWorld(t)
	m := w.machine("c0", cvd.EveryScope)
	path := "/waves/" + w.wave.String() + "/copy"
	m.wants(m.ask("POST", path, "", idempotencyHead, someKey), 409)
	w.opened()
	m.wants(m.ask("POST", path, "", idempotencyHead, someKey), 200)
	if r := m.ask("POST", path, "", idempotencyHead, someKey); r.Header.Get(replayedHead) != "true" {
		t.Error("it was done again")
	}
}

// TestIdempotencyUnderWay: while the first is under way, others are told to come
// back; when its process died, the claim lapses and the act is tried again.
func TestIdempotencyUnderWay(t *testing.T) {
	w := newWorld(t)
	gate, entered := make(chan struct{}), make(chan struct{}, 2)
	p := Page{Pattern: "POST /slow", Who: Anyone, Op: Op{Name: "slow"}, Serve: func(v *Visit) error {
		entered <- struct{}{}
		<-gate
		return v.Done("/", nil)
	}}
	w.add(p.forPrograms())
	send := func() *http.Response {
		return w.as("").do("POST", apiBase+"/slow", "", http.Header{idempotencyHead: {someKey}})
	}
	var first sync.WaitGroup
	first.Go(func() {
		if r := send(); r.StatusCode != 204 {
			t.Errorf("the first: %d", r.StatusCode)
		}
	})
	<-entered
	if r := send(); r.StatusCode != 409 || r.Header.Get("Retry-After") != "1" || !strings.Contains(text(t, r), "under-way") {
		t.Errorf("meanwhile: %d", r.StatusCode)
	}
	close(gate)
	first.Wait()
	if r := send(); r.StatusCode != 204 || r.Header.Get(replayedHead) != "true" || r.Header.Get("Location") != apiBase+"/" {
		t.Errorf("after: %d %v", r.StatusCode, r.Header)
	}

	// A process that died left its claim.
	v := &Visit{Request: &http.Request{Method: "POST", Header: http.Header{idempotencyHead: {`"another key, of one that died"`}}}, site: w.site, Page: &Page{api: true}}
	v.Request.URL = w.site.origin.JoinPath(apiBase, "slow")
	v.Request.RemoteAddr = "192.0.2.1:1234" // httptest's
	k, err := v.keyed()
	ok(t, err)
	ok(t, w.kept.Add(ctx, signin.Item{Kind: idempotentKind, Key: k.key, Value: []byte(`{"print":""}`), Expires: w.now.Add(claimTime)}, w.now))
	died := func() *http.Response {
		return w.as("").do("POST", apiBase+"/slow", "", http.Header{idempotencyHead: {`"another key, of one that died"`}})
	}
	if r := died(); r.StatusCode != 422 && r.StatusCode != 409 {
		t.Errorf("before the claim lapsed: %d", r.StatusCode)
	}
	w.now = w.now.Add(claimTime)
	if r := died(); r.StatusCode != 204 || r.Header.Get(replayedHead) != "" {
		t.Errorf("after it: %d", r.StatusCode)
	}
}

// TestIdempotencyPanics: a handler that panics leaves no claim behind.
func TestIdempotencyPanics(t *testing.T) {
	w := newWorld(t)
	fail := true
	p := Page{Pattern: "POST /panics", Who: Anyone, Op: Op{Name: "panics"}, Serve: func(v *Visit) error {
		if fail {
			panic("once")
		}
		return v.Done("/", nil)
	}}
	w.add(p.forPrograms())
	send := func() int {
		return w.as("").do("POST", apiBase+"/panics", "", http.Header{idempotencyHead: {someKey}}).StatusCode
	}
	if got := send(); got != 500 {
		t.Error(got)
	}
	fail = false
	if got := send(); got != 204 {
		t.Error(got)
	}
}

// TestIdempotencyIsBounded: an account can't fill the store.
func TestIdempotencyIsBounded(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("x", longestAnswer)
	p := Page{Pattern: "POST /big", Who: SignedIn, Op: Op{Name: "big"}, Serve: func(v *Visit) error { return v.Done("/", big) }}
	w.add(p.forPrograms())
	b := w.as("c0")
	send := func(key string) *http.Response {
		return b.do("POST", apiBase+"/big", "", http.Header{idempotencyHead: {key}, "Sec-Fetch-Site": {"same-origin"}})
	}
	b.wants(send(someKey), 200)
	if s := b.wants(send(someKey), 409); !strings.Contains(s, "key-done") {
		t.Error(s)
	}
	for i := range answersOfADay {
		w.now = w.now.Add(time.Second)
		if i%1800 == 1700 {
			b = w.as("c0")
		}
		send(`"key number ` + itoa(uint64(i)) + ` of many"`)
	}
	if r := send(`"and one more than many"`); r.StatusCode != 429 {
		t.Errorf("one too many: %d", r.StatusCode)
	}
}
