package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

var anyPlaceholder = regexp.MustCompile(`\{[^}]*\}`)

// at is a page's path with its placeholders filled: by what there is, or by ids
// of nothing.
func (w *world) at(pattern string, there bool) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = anyPlaceholder.ReplaceAllStringFunc(path, func(name string) string {
		if !there {
			return cvd.CaseID{0: 1, 15: 1}.String()
		}
		switch name {
		case "{case}":
			return w.cs.String()
		case "{headsup}":
			return w.headsUp.String()
		case "{year}":
			return "2026"
		case "{ticket}":
			return "none"
		case "{seq}":
			return "0"
		case "{wave}":
			return w.wave.String()
		case "{account}":
			return w.who["c1"].String()
		case "{member}":
			return w.member0.String()
		case "{delegation}":
			return w.loan.String()
		case "{name}":
			if strings.Contains(path, "/feed/") {
				return "none.atom"
			}
			return "style.css"
		case "{file}":
			return "sealed"
		case "{path...}":
			return "checkpoint"
		case "{$}":
			return ""
		}
		w.t.Fatalf("nothing is known for %s: tell world.at what it stands for", name)
		return ""
	})
	return method, strings.ReplaceAll(path, "{$}", "")
}

var everybody = []string{"", "ana", "ben", "cem", "ines", "otto", "fay", "c0", "c1"}

// send sends what a page is asked with.
func (b *browser) send(method, path string) *http.Response {
	if method == "GET" {
		return b.get(path)
	}
	return b.post(path, "x=y")
}

// TestAccess: every page, for everybody: strangers come to what is for anyone,
// and to nothing else; who is signed in comes to what the policy allows; and what
// somebody may not see is answered as what isn't there, to the length.
func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.announce()
	for _, p := range w.site.pageList {
		for _, who := range everybody {
			method, path := w.at(p.Pattern, true)
			b := w.as(who)
			r := b.send(method, path)
			signedIn := who != ""
			allowed := p.Who != SignedIn || signedIn && (p.Act == cvd.NoAction || w.may(who, p.Act))
			switch {
			case !signedIn && p.Who == SignedIn && method == "GET" && !strings.HasPrefix(path, "/api/"):
				if r.StatusCode != 303 || !strings.HasPrefix(r.Header.Get("Location"), "/sign-in?next=") {
					t.Errorf("%s, nobody: %d", p.Pattern, r.StatusCode)
				}
			case !signedIn && p.Who == SignedIn:
				if r.StatusCode != 401 {
					t.Errorf("%s, nobody: %d", p.Pattern, r.StatusCode)
				}
			case !allowed:
				none := "/there/is/nothing"
				if strings.HasPrefix(path, "/api/") {
					none = "/api" + none
				}
				if got, want := shape(t, r), shape(t, b.send(method, none)); got != want {
					t.Errorf("%s, %s: denied is\n%s\nand nothing is\n%s", p.Pattern, who, got, want)
				}
			case r.StatusCode == 401 || r.StatusCode >= 500:
				t.Errorf("%s, %s: %d %s", p.Pattern, who, r.StatusCode, text(t, r))
			}
			// A refusal (409) comes after the policy has allowed: it may know of it. So
			// may who is told of a state that something can't be done in.
			if w.knows(who, p.Pattern) || !strings.Contains(p.Pattern, "{") || strings.Contains(p.Pattern, "{$}") || r.StatusCode != 403 && r.StatusCode != 404 {
				continue
			}
			if strings.Contains(p.Pattern, "{wave}") && signedIn && w.mayOn(who, cvd.ActViewWave, cvd.AWave(w.wave)) {
				continue // who knows of it is told what is missing
			}
			_, none := w.at(p.Pattern, false)
			if got, want := shape(t, b.send(method, path)), shape(t, b.send(method, none)); got != want {
				t.Errorf("%s, %s: what is there is\n%s\nand what isn't is\n%s", p.Pattern, who, got, want)
			}
		}
	}
}

// knows reports whether somebody may know of what a page is about.
func (w *world) knows(who, pattern string) (yes bool) {
	by := cvd.Actor{Account: w.who[who]}
	ok(w.t, w.desk.View(func(p *cvd.Programme) error {
		for name, may := range map[string]error{
			"{case}":       p.May(by, cvd.ActViewExposure, cvd.ACase(w.cs), w.now),
			"{wave}":       p.May(by, cvd.ActViewExposure, cvd.ACase(w.cs), w.now),
			"{member}":     p.May(by, cvd.ActViewMember, cvd.AMember(w.member0), w.now),
			"{delegation}": p.May(by, cvd.ActListMembers, cvd.TheProgramme(), w.now),
		} {
			yes = yes || strings.Contains(pattern, name) && may == nil
		}
		// A wave's audience may know of it, whatever became of it.
		if a := p.Accounts[w.who[who]]; a != nil && strings.Contains(pattern, "{wave}") {
			yes = yes || slices.Contains(p.Waves[w.wave].Audience, a.HolderOf())
		}
		return nil
	}))
	return yes
}

func (w *world) may(who string, a cvd.Action) bool { return w.mayOn(who, a, cvd.TheProgramme()) }

func (w *world) mayOn(who string, a cvd.Action, o cvd.Object) (yes bool) {
	ok(w.t, w.desk.View(func(p *cvd.Programme) error {
		yes = p.May(cvd.Actor{Account: w.who[who], Auth: entrylog.AuthFresh}, a, o, w.now) == nil
		return nil
	}))
	return yes
}

// shape is all of an answer that somebody could tell it by, but for its id.
func shape(t *testing.T, r *http.Response) string {
	id := r.Header.Get("X-Request-Id")
	h := r.Header.Clone()
	h.Del("X-Request-Id")
	h.Del("RateLimit") // counts down with every request
	var out strings.Builder
	fmt.Fprintln(&out, r.StatusCode)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintln(&out, name, h[name])
	}
	body := strings.ReplaceAll(text(t, r), id, "ID")
	fmt.Fprintln(&out, len(body), body)
	return out.String()
}

// TestLookingWritesNothing: no GET, of anybody, puts anything on the log, while nobody
// was told of anything: what Home writes then is TestHomeIsLooking's.
func TestLookingWritesNothing(t *testing.T) {
	w := newWorld(t)
	for _, who := range everybody {
		b := w.as(who)
		before := w.desk.Log().Size()
		for _, p := range w.site.pageList {
			if method, path := w.at(p.Pattern, true); method == "GET" {
				b.get(path)
				b.do("HEAD", path, "", nil)
			}
		}
		if after := w.desk.Log().Size(); after != before {
			t.Errorf("%s: looking made %d entries", who, after-before)
		}
	}
}

// TestProcessLog: it says that pages were asked for, and neither what stands on
// them, nor who came, nor with what.
func TestProcessLog(t *testing.T) {
	w := newWorld(t)
	secrets := []string{"Layout import", "Member 0", "Works", w.cs.String(), w.cs.Short(), w.wave.String(), "192.0.2.77"}
	for _, who := range everybody {
		b := w.as(who)
		b.from = "192.0.2.77:99"
		for _, p := range w.site.pageList {
			method, path := w.at(p.Pattern, true)
			b.do(method, path+"?next=/cases/"+w.cs.String(), "x="+w.cs.String(), http.Header{"Sec-Fetch-Site": {"same-origin"}, "Authorization": nil})
		}
		if who != "" {
			secrets = append(secrets, b.cookie, w.who[who].String(), w.who[who].Short())
		}
	}
	said := w.log.String()
	if strings.Count(said, "\n") < len(everybody)*len(w.site.pageList) {
		t.Error("requests are missing")
	}
	for _, s := range secrets {
		if s != "" && strings.Contains(said, s) {
			t.Errorf("it holds %q", s)
		}
	}
}

// TestForeignForms: a form from another site's page does nothing, on every page
// that takes one.
func TestForeignForms(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	before := w.desk.Log().Size()
	for name, h := range map[string]http.Header{
		"cross-site":     {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
		"same-site":      {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://other.desk.example"}},
		"an old browser": {"Origin": {"https://evil.example"}},
		"no origin":      {"Origin": {"null"}},
		"plain http":     {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"http://desk.example"}},
	} {
		n := 0
		for _, p := range w.site.pageList {
			method, path := w.at(p.Pattern, true)
			if method != "POST" {
				continue
			}
			n++
			if r := b.do("POST", path, "session="+hexOf(b.cookie), h); r.StatusCode != 403 || !strings.Contains(text(t, r), "another site") {
				t.Errorf("%s, %s: %d", p.Pattern, name, r.StatusCode)
			}
		}
		if n < 10 {
			t.Errorf("only %d forms were tried", n)
		}
	}
	b.wants(b.get("/home"), 200)
	if w.desk.Log().Size() != before {
		t.Error("a foreign form made an entry")
	}
}

// TestProofIsAskedFor: every page that asks for one refuses a session whose proof
// is old, before anything is done.
func TestProofIsAskedFor(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	w.now = w.now.Add(5 * time.Minute)
	before := w.desk.Log().Size()
	n := 0
	for _, p := range w.site.pageList {
		if !p.Fresh {
			continue
		}
		n++
		method, path := w.at(p.Pattern, true)
		r := b.send(method, path)
		if method == "GET" && !p.api {
			if r.StatusCode != 303 || !strings.HasPrefix(r.Header.Get("Location"), "/prove?next=") {
				t.Errorf("%s: %d", p.Pattern, r.StatusCode)
			}
			continue
		}
		if s := text(t, r); r.StatusCode != 403 || !strings.Contains(s, "/prove?next=") {
			t.Errorf("%s: %d", p.Pattern, r.StatusCode)
		}
	}
	if n == 0 || w.desk.Log().Size() != before {
		t.Error("nothing asks for a proof, or something was done without one")
	}
}

// TestHostile: what can't be meant is refused, and says nothing back.
func TestHostile(t *testing.T) {
	w := newWorld(t)
	b := w.as("ana")
	for _, next := range []string{"https://evil.example", "//evil.example", "/%5cevil.example", "%2f%2fevil.example", "/x%0d%0aSet-Cookie:%20a=b", "javascript:alert(1)", "/%09/evil.example"} {
		r := b.get("/sign-in?next=" + next)
		if loc := r.Header.Get("Location"); loc != "/" || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("next=%s leads to %q", next, loc)
		}
		if s := text(t, w.as("").get("/sign-in?next="+next)); strings.Contains(s, "evil") || strings.Contains(s, "alert") {
			t.Errorf("next=%s stands on the page", next)
		}
	}
	big := strings.Repeat("a", 64<<10)
	b.wants(b.post("/account/tokens", "days="+big), 413)
	b.wants(b.script("/passkey/prove/finish", `"`+big+`"`), 413)
	b.wants(b.script("/passkey/sign-in/begin", `{"next":"`+big+`"}`), 413)
	b.wants(b.script("/passkey/sign-in/begin", `[`), 400)
	b.wants(b.do("POST", "/account/tokens", "x", http.Header{"Content-Type": {"multipart/form-data; boundary=x"}, "Sec-Fetch-Site": {"same-origin"}}), 400)
	b.wants(b.post("/account/tokens", "days=%zz"), 400)
	b.wants(b.post("/account/tokens", "scope=read&days=367"), 400)
	b.wants(b.post("/account/tokens", "scope=everything&days=3"), 400)
	b.wants(b.post("/account/tokens", "days=3"), 400)
	b.wants(b.post("/account/sessions/end", "session=zz"), 400)
	b.wants(b.post("/account/passkeys/revoke", "passkey="+strings.Repeat("1", 64)), 409)
	for _, path := range []string{"/%00", "/home%0d%0aX: y", "/" + strings.Repeat("a/", 2000), "/advisories/%2e%2e%2fhome", "/static/..%2fpage.go", "/static/"} {
		r := b.get(strings.ReplaceAll(path, " ", "%20"))
		if r.StatusCode != 404 || r.Header.Get("X") != "" {
			t.Errorf("%.40s: %d", path, r.StatusCode)
		}
	}
	for _, cookie := range []string{"", "x", strings.Repeat("A", 5000), "' OR 1=1 --"} {
		x := &browser{w: w, cookie: cookie}
		if r := x.get("/home"); r.StatusCode != 303 {
			t.Errorf("a cookie of %.10q: %d", cookie, r.StatusCode)
		}
	}
	for _, zone := range []string{"../../etc/passwd", "Local", "Europe/Vienna\x00", strings.Repeat("Z", 300), "<b>"} {
		if got := zoneOf(zone); got != "" {
			t.Errorf("zone %.20q is %q", zone, got)
		}
	}
	if zoneOf("Europe/Vienna") != "Europe/Vienna" {
		t.Error("Vienna has no zone")
	}
}

// TestEveryPageIsKnown: the table's patterns are those that are served, and a
// page that looks closed is.
func TestEveryPageIsKnown(t *testing.T) {
	w := newWorld(t)
	open := []string{}
	for _, p := range w.site.pageList {
		if p.Serve == nil {
			t.Errorf("%s has no handler", p.Pattern)
		}
		if p.Who != SignedIn {
			open = append(open, p.Pattern)
		}
	}
	want := []string{"GET /{$}", "GET /api/v1/{$}", "GET /advisories", "GET /api/v1/advisories", "GET /advisories/{case}", "GET /api/v1/advisories/{case}", "GET /advisories/{case}/text", "GET /heads-ups/{headsup}", "GET /api/v1/heads-ups/{headsup}", "GET /advisories.atom",
		"GET /.well-known/csaf/provider-metadata.json", "GET /csaf/{$}", "GET /csaf/index.txt", "GET /csaf/changes.csv", "GET /csaf/{year}/{$}", "GET /csaf/{year}/{file}", "GET /feed/{name}",
		"GET /log", "GET /api/v1/log", "GET /log/consistency", "GET /api/v1/log/consistency", "GET /log/{path...}", "GET /static/{name}", "GET /api/v1/openapi.json", "GET /report", "GET /api/v1/report", "POST /report", "POST /api/v1/report", "GET /report/status", "POST /report/status", "POST /api/v1/report/status", "POST /report/credit", "POST /api/v1/report/credit", "GET /d/{ticket}", "GET /sign-in", "GET /join",
		"POST /passkey/sign-in/begin", "POST /passkey/sign-in/finish", "POST /passkey/join/begin", "POST /passkey/join/finish"}
	if !slices.Equal(open, want) {
		t.Errorf("open to anyone: %q; if that is meant, say so here", open)
	}
}

// TestAct: a page about the programme is there for those whom the policy lets,
// and for others there is no such page.
func TestAct(t *testing.T) {
	w := newWorld(t)
	w.add(Page{Pattern: "GET /all-cases", Nav: "All cases", Act: cvd.ActListCases, Serve: func(v *Visit) error { return v.Render("join", nil) }})
	for who, may := range map[string]bool{"ana": true, "ben": true, "otto": false, "fay": false, "c0": false} {
		b := w.as(who)
		r := b.get("/all-cases")
		if may {
			if s := b.wants(r, 200); !strings.Contains(s, ">All cases</a>") {
				t.Errorf("%s: it isn't in the navigation", who)
			}
			continue
		}
		if got, want := shape(t, r), shape(t, b.get("/no-such-page")); got != want || strings.Contains(got, "All cases") {
			t.Errorf("%s: %s", who, got)
		}
	}
}

// TestLimit: a page may take a longer body than others, and no longer one than
// it says.
func TestLimit(t *testing.T) {
	w := newWorld(t)
	w.add(Page{Pattern: "POST /long", Who: Anyone, Limit: 100 << 10, Serve: func(v *Visit) error { return v.JSON(200, len(v.Field("x"))) }})
	b := w.as("")
	if s := b.wants(b.post("/long", "x="+strings.Repeat("a", 99<<10)), 200); s != "101376\n" {
		t.Error(s)
	}
	b.wants(b.post("/long", "x="+strings.Repeat("a", 100<<10)), 413)
}

// TestPicture: a picture's own style is let stand, and no other.
func TestPicture(t *testing.T) {
	w := newWorld(t)
	w.add(Page{Pattern: "GET /picture", Who: Anyone, Serve: func(v *Visit) error {
		v.Picture("<svg><style>a{}</style></svg>")
		return v.Render("join", nil)
	}})
	csp := w.as("").get("/picture").Header.Get("Content-Security-Policy")
	if want := "style-src 'self' 'sha256-" + base64.StdEncoding.EncodeToString(sum("a{}")) + "';"; !strings.Contains(csp, want) {
		t.Errorf("%s lacks %s", csp, want)
	}
	if csp := w.as("").get("/join").Header.Get("Content-Security-Policy"); strings.Contains(csp, "sha256") {
		t.Errorf("another page: %s", csp)
	}
}

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// TestEveryPageIsAnOperation: what people can do on a page, programs can, but for
// signing in and what files there are.
func TestEveryPageIsAnOperation(t *testing.T) {
	w := newWorld(t)
	pagesAlone := []string{"GET /log/{path...}", "GET /advisories/{case}/text", "GET /advisories.atom", "GET /.well-known/", "GET /csaf/", "GET /feed/", "GET /entries/export", "GET /members/export", "GET /cases/{case}/answers/export", "GET /entries/{seq}/proof", "GET /report/status",
		"POST /waves/{wave}/fetch", "GET /waves/{wave}/receipt", "GET /d/", "GET /static/", "GET /sign-in", "GET /join", "GET /prove", "POST /sign-out", "POST /passkey/", "GET " + apiBase + "/openapi.json"}
	names := map[string]string{}
	for _, p := range w.site.pageList {
		alone := slices.ContainsFunc(pagesAlone, func(at string) bool { return strings.HasPrefix(p.Pattern, at) })
		switch {
		case alone != (p.Op.Name == ""):
			t.Errorf("%s: has an operation: %v", p.Pattern, !alone)
		case p.Fresh && p.Scope != 0:
			t.Errorf("%s asks for a proof, which a token never is, and has a scope", p.Pattern)
		case alone || p.api:
		case names[p.Op.Name] != "":
			t.Errorf("%s and %s are both %s", p.Pattern, names[p.Op.Name], p.Op.Name)
		case !strings.HasSuffix(p.Op.Does, "."):
			t.Errorf("%s: %q is no sentence", p.Pattern, p.Op.Does)
		}
		if !p.api {
			names[p.Op.Name] = p.Pattern
		}
	}
}
