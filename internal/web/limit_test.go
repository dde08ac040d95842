package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/cvd"
)

// TestRates: an account has its burst, then what its rate gives; another has its
// own; and the answer says when to come back.
func TestRates(t *testing.T) {
	w := newWorld(t)
	m, other := w.machine("c0", cvd.ScopeRead), w.machine("c1", cvd.ScopeRead)
	for i := range accountBurst {
		r := m.ask("GET", "/inbox", "")
		if r.StatusCode != 200 || r.Header.Get("RateLimit-Policy") != `"account";q=240;w=24` || !strings.HasPrefix(r.Header.Get("RateLimit"), `"account";r=`+strconv.Itoa(accountBurst-1-i)+";t=") {
			t.Fatalf("%d: %d %v", i, r.StatusCode, r.Header)
		}
	}
	r := m.ask("GET", "/inbox", "")
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "1" || !strings.Contains(text(t, r), "/problems/too-many") {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	other.wants(other.ask("GET", "/inbox", ""), 200)
	b := w.as("c0")
	b.wants(b.get("/home"), 200) // a person's pages are no part of it
	w.now = w.now.Add(time.Second)
	for i := range accountRate {
		if r := m.ask("GET", "/inbox", ""); r.StatusCode != 200 {
			t.Fatalf("a second later, %d: %d", i, r.StatusCode)
		}
	}
	m.wants(m.ask("GET", "/inbox", ""), 429)
}

// TestStrangersRate: who sends in unknown is counted by network, and who looks
// isn't.
func TestStrangersRate(t *testing.T) {
	w := newWorld(t)
	w.add(Page{Pattern: "POST /intake", Who: Anyone, Op: Op{Name: "intake"}, Serve: func(v *Visit) error { return v.Done("/", nil) }})
	b, far := w.as(""), w.as("")
	b.from, far.from = "192.0.2.1:9", "198.51.100.1:9"
	for range strangerBurst {
		b.wants(b.post("/intake", ""), 303)
	}
	r := b.post("/intake", "")
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "15" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	far.wants(far.post("/intake", ""), 303)
	b.wants(b.get("/"), 200)
}

// TestBucketsAreBounded: however many come, what is kept of them is bounded.
func TestBucketsAreBounded(t *testing.T) {
	b := buckets{have: map[[32]byte]bucket{}}
	for i := range mostBuckets + 10 {
		b.take([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, dawn, 10, 1)
	}
	if len(b.have) > mostBuckets {
		t.Error(len(b.have))
	}
}

// TestReserved: while a herd holds every common slot, what can't wait is answered:
// for who is signed in, for strangers who report, and neither takes the other's.
func TestReserved(t *testing.T) {
	w := newWorld(t)
	w.opened()
	w.seen("00000000000000aa")
	w.site.slots.wait = 50 * time.Millisecond
	gate := make(chan struct{})
	entered := make(chan struct{}, commonSlots+publicSlots+doorSlots)
	block := func(v *Visit) error {
		entered <- struct{}{}
		<-gate
		return v.Done("/", nil)
	}
	w.add(Page{Pattern: "GET /slow", Serve: block})
	w.add(Page{Pattern: "GET /public", Who: Anyone, Serve: block})
	w.add(Page{Pattern: "POST /urgent", Who: Anyone, Reserved: true, Serve: block})
	ana, path := w.as("ana"), "/alarms/"+w.cs.String()
	page := ana.wants(ana.get(path+"/end"), 200)

	var herd sync.WaitGroup
	for range commonSlots {
		herd.Go(func() { w.as("ana").get("/slow") })
	}
	for range commonSlots {
		<-entered
	}
	ana.wants(w.as("").get("/"), 200) // the herd is no strangers'
	for range publicSlots {
		herd.Go(func() { w.as("").get("/public") })
	}
	for range publicSlots {
		<-entered
	}
	for _, r := range []*http.Response{ana.get("/home"), w.as("").get("/report"), w.as("").get("/api/v1/report")} {
		wait, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if r.StatusCode != 503 || err != nil || wait < 1 || wait > 5 || !strings.Contains(text(t, r), "Too many requests") {
			t.Errorf("a page among the herd: %d %v", r.StatusCode, r.Header)
		}
	}
	// Strangers fill the door, too.
	for range doorSlots {
		herd.Go(func() { w.as("").post("/urgent", "") })
	}
	for range doorSlots {
		<-entered
	}
	if r := w.as("").post("/urgent", ""); r.StatusCode != 503 {
		t.Errorf("one too many at the door: %d", r.StatusCode)
	}
	ana.wants(ana.get(path), 200)
	ana.wants(ana.get("/static/style.css"), 200)
	ana.wants(ana.post(path+"/end", looked(t, page, "name", "Layout import", "reason", "exploited")), 303)
	if v := w.alarm(); v.State != "ended" {
		t.Errorf("the alarm is %s", v.State)
	}
	close(gate)
	herd.Wait()
	ana.wants(ana.get("/home"), 200)
	if n := len(w.site.slots.common) + len(w.site.slots.staff) + len(w.site.slots.door); n != 0 {
		t.Errorf("%d slots were not given back", n)
	}
}

// reader takes what it is sent when it is let.
type reader struct {
	*httptest.ResponseRecorder
	wants chan bool // it is sent something
	lets  chan bool
}

func (r reader) Write(b []byte) (int, error) {
	r.wants <- true
	<-r.lets
	return r.ResponseRecorder.Write(b)
}

// TestSlowExport: who reads the log's export slowly holds no slot and no database
// meanwhile, however long the log is, and gets all of it.
func TestSlowExport(t *testing.T) {
	w := newWorld(t)
	var all []cvd.Command
	for i := range 2000 {
		all = append(all, cvd.NoteCommitment{Commitment: [32]byte{1, byte(i), byte(i >> 8)}})
	}
	_, err := w.desk.Do(ctx, w.by("ana"), all...)
	ok(t, err)
	for _, as := range []string{"jsonl", "csv"} {
		slow := reader{httptest.NewRecorder(), make(chan bool), make(chan bool)}
		ended := make(chan bool)
		go func() {
			defer close(ended)
			w.site.ServeHTTP(slow, w.as("otto").request("GET", "/entries/export?as="+as, ""))
		}()
		parts := 0
		for reading := true; reading; {
			select {
			case <-slow.wants:
				parts++
				if n := len(w.site.slots.common); n != 0 {
					t.Errorf("%s: part %d holds %d slots while it is sent", as, parts, n)
				}
				_, err := w.desk.Do(ctx, w.by("ana"), cvd.NoteCommitment{Commitment: [32]byte{2, byte(parts), as[0]}}) // what comes meanwhile is in it, or not
				ok(t, err)
				slow.lets <- true
			case <-ended:
				reading = false
			}
		}
		rows := strings.Split(strings.TrimSpace(slow.Body.String()), "\n")
		if as == "csv" {
			rows = rows[1:]
		} else if parts < 2 {
			t.Errorf("%s: it came in %d parts", as, parts)
		}
		for i, row := range rows {
			if as == "csv" && !strings.HasPrefix(row, itoa(uint64(i))+",") || as == "jsonl" && (!strings.Contains(row, `"seq":`+itoa(uint64(i))+`,`) || !json.Valid([]byte(row))) {
				t.Fatalf("%s: row %d is %.100s", as, i, row)
			}
		}
		if n := int(w.desk.Log().Size()); len(rows) > n || len(rows) < n-1 {
			t.Errorf("%s: %d rows of a log of %d", as, len(rows), n)
		}
	}
	if n := len(w.site.slots.common); n != 0 {
		t.Errorf("%d slots were not given back", n)
	}
}
