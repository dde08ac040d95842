package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// joined is somebody who used an invitation, with their passkey.
func (w *world) joined(handle string) (*browser, *authenticator) {
	w.t.Helper()
	b, a := w.as(""), newAuthenticator(w.t)
	o := b.begin("join", `{"invitation":"`+w.invite("ana", handle)+`"}`)
	if o.User.Name != handle || o.RP.ID != "desk.example" || o.AuthenticatorSelection.ResidentKey != "required" || o.AuthenticatorSelection.UserVerification != "required" {
		w.t.Errorf("options: %+v", o)
	}
	b.wants(b.script("/passkey/join/finish", a.create(o)), 200)
	return b, a
}

func TestJoinAndSignIn(t *testing.T) {
	w := newWorld(t)
	b, a := w.joined("c0")
	if s := b.wants(b.get("/home"), 200); !strings.Contains(s, "Member 0") {
		t.Error("the invitation does not sign in")
	}
	b.wants(b.post("/sign-out", ""), 303)
	if r := b.get("/home"); r.StatusCode != 303 {
		t.Errorf("after signing out: %d", r.StatusCode)
	}
	o := b.begin("sign-in", `{"next":"/account"}`)
	if len(o.AllowCredentials) != 0 || o.UserVerification != "required" {
		t.Errorf("options tell of accounts, or don't verify: %+v", o)
	}
	if s := b.wants(b.script("/passkey/sign-in/finish", a.get(o)), 200); !strings.Contains(s, `"next":"/account"`) {
		t.Error(s)
	}
	b.wants(b.get("/account"), 200)
}

// TestFixation: a secret that a browser had before it signed in, or proved who
// it is, is worth nothing after.
func TestFixation(t *testing.T) {
	w := newWorld(t)
	b, a := w.joined("c0")
	old := *b
	o := b.begin("sign-in", "")
	b.wants(b.script("/passkey/sign-in/finish", a.get(o)), 200)
	if b.cookie == old.cookie || len(b.cookie) != 43 {
		t.Fatal("the cookie stays the same")
	}
	if r := old.get("/home"); r.StatusCode != 303 {
		t.Errorf("the old secret: %d", r.StatusCode)
	}
	old = *b
	o = b.begin("prove", `{"next":"/account"}`)
	if len(o.AllowCredentials) != 1 {
		t.Errorf("%+v", o)
	}
	b.wants(b.script("/passkey/prove/finish", a.get(o)), 200)
	if r := old.get("/home"); r.StatusCode != 303 || b.cookie == old.cookie {
		t.Errorf("the secret from before the proof: %d", r.StatusCode)
	}
	// One that an attacker made up is taken by nobody.
	planted := &browser{w: w, cookie: strings.Repeat("A", 43)}
	o = planted.begin("sign-in", "")
	planted.wants(planted.script("/passkey/sign-in/finish", a.get(o)), 200)
	if planted.cookie == strings.Repeat("A", 43) {
		t.Error("a planted secret became a session's")
	}
}

// TestCeremoniesRefused: each row is one thing wrong, and all are told the same.
func TestCeremoniesRefused(t *testing.T) {
	w := newWorld(t)
	_, a := w.joined("c0")
	_, other := w.joined("c1")
	said := map[string]bool{}
	for name, try := range map[string]func(b *browser) *http.Response{
		"no ceremony": func(b *browser) *http.Response {
			o := b.begin("sign-in", "")
			b.ceremony = ""
			return b.script("/passkey/sign-in/finish", a.get(o))
		},
		"another's ceremony": func(b *browser) *http.Response {
			o := w.as("").begin("sign-in", "")
			b.begin("sign-in", "")
			return b.script("/passkey/sign-in/finish", a.get(o))
		},
		"answered twice": func(b *browser) *http.Response {
			o := b.begin("sign-in", "")
			kept := b.ceremony
			b.wants(b.script("/passkey/sign-in/finish", a.get(o)), 200)
			b.ceremony = kept
			return b.script("/passkey/sign-in/finish", a.get(o))
		},
		"too late": func(b *browser) *http.Response {
			o := b.begin("sign-in", "")
			w.now = w.now.Add(ceremonyTime)
			return b.script("/passkey/sign-in/finish", a.get(o))
		},
		"another origin": func(b *browser) *http.Response {
			x := *a
			x.origin = "https://evil.example"
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"another site's key": func(b *browser) *http.Response {
			x := *a
			x.rp = "evil.example"
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"person not verified": func(b *browser) *http.Response {
			x := *a
			x.flags = 0x01
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"another's key": func(b *browser) *http.Response {
			x := *a
			x.key = other.key
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"another's handle": func(b *browser) *http.Response {
			x := *a
			x.handle = other.handle
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"a handle of nobody": func(b *browser) *http.Response {
			x := *a
			x.handle = make([]byte, 16)
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"a passkey of nobody": func(b *browser) *http.Response {
			x := newAuthenticator(t)
			x.handle = a.handle
			return b.script("/passkey/sign-in/finish", x.get(b.begin("sign-in", "")))
		},
		"no JSON": func(b *browser) *http.Response {
			b.begin("sign-in", "")
			return b.script("/passkey/sign-in/finish", "{")
		},
		"no body": func(b *browser) *http.Response {
			b.begin("sign-in", "")
			return b.script("/passkey/sign-in/finish", "")
		},
		"mixed up": func(b *browser) *http.Response {
			o := b.begin("join", `{"invitation":"`+w.invite("ana", "otto")+`"}`)
			return b.script("/passkey/sign-in/finish", a.get(o))
		},
		"proof of somebody else": func(b *browser) *http.Response {
			b.wants(b.script("/passkey/sign-in/finish", a.get(b.begin("sign-in", ""))), 200)
			return b.script("/passkey/prove/finish", other.get(b.begin("prove", "")))
		},
	} {
		b := w.as("")
		r := try(b)
		s := b.wants(r, 403)
		said[strings.Split(s, `"instance"`)[0]] = true
		if name != "answered twice" && name != "proof of somebody else" && b.cookie != "" {
			t.Errorf("%s: a session was begun", name)
		}
	}
	if len(said) != 1 {
		t.Errorf("%d different answers: %v", len(said), said)
	}
}

func TestInvitationOverHTTP(t *testing.T) {
	w := newWorld(t)
	b := w.as("")
	secret := w.invite("ana", "otto")
	a := newAuthenticator(t)
	o := b.begin("join", `{"invitation":"`+secret+`"}`)
	late := *b
	o2 := late.begin("join", `{"invitation":"`+secret+`"}`)
	b.wants(b.script("/passkey/join/finish", a.create(o)), 200)
	// Begun twice, it is used once.
	late.wants(late.script("/passkey/join/finish", newAuthenticator(t).create(o2)), 403)
	same := map[string]bool{}
	for name, invitation := range map[string]string{"used": secret, "none": "", "wrong": strings.Repeat("x", 43), "voided": func() string {
		old := w.invite("ana", "ines")
		w.invite("ana", "ines")
		return old
	}()} {
		x := w.as("")
		r := x.script("/passkey/join/begin", `{"invitation":"`+invitation+`"}`)
		same[strings.Split(x.wants(r, 403), `"instance"`)[0]] = true
		if x.ceremony != "" {
			t.Errorf("%s: a ceremony was begun", name)
		}
	}
	lapsed := w.invite("ana", "ben")
	w.now = w.now.Add(73 * time.Hour)
	x := w.as("")
	same[strings.Split(x.wants(x.script("/passkey/join/begin", `{"invitation":"`+lapsed+`"}`), 403), `"instance"`)[0]] = true
	if len(same) != 1 {
		t.Errorf("invitations are refused in %d ways", len(same))
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the process log holds an invitation")
	}
}

// TestSessionEnds: by idling, by age, by its owner, by its passkey's end, by its
// account's, by its member's standing.
func TestSessionEnds(t *testing.T) {
	for name, end := range map[string]func(*world, *browser){
		"idle": func(w *world, _ *browser) { w.now = w.now.Add(time.Hour) },
		"old": func(w *world, b *browser) {
			for range 24 {
				w.now = w.now.Add(30 * time.Minute)
				b.get("/home")
			}
		},
		"revoked passkey": func(w *world, _ *browser) {
			_, err := w.desk.Do(ctx, w.by("c0"), cvd.RevokeCredential{Account: w.who["c0"], Credential: w.credential("c0")})
			ok(w.t, err)
		},
		"closed account": func(w *world, _ *browser) {
			_, err := w.desk.Do(ctx, w.by("ana"), cvd.CloseAccount{Account: w.who["c0"]})
			ok(w.t, err)
		},
		"suspended member": func(w *world, _ *browser) {
			holder, _, err := w.desk.Inbox(w.by("c0"))
			ok(w.t, err)
			_, err = w.desk.Do(ctx, w.by("ana"), cvd.ChangeStanding{Member: cvd.MemberID(holder), Standing: cvd.Suspended})
			ok(w.t, err)
		},
		"ended by its owner": func(w *world, b *browser) {
			other := w.as("c0")
			other.wants(other.post("/account/sessions/end", "session="+hexOf(b.cookie)), 303)
			other.wants(other.get("/home"), 200)
		},
	} {
		w := newWorld(t)
		b := w.as("c0")
		b.wants(b.get("/home"), 200)
		w.now = w.now.Add(59 * time.Minute)
		b.wants(b.get("/home"), 200)
		end(w, b)
		if r := b.get("/home"); r.StatusCode != 303 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	// Another account's session is left alone.
	w := newWorld(t)
	b, other := w.as("c0"), w.as("c1")
	other.wants(other.post("/account/sessions/end", "session="+hexOf(b.cookie)), 303)
	b.wants(b.get("/home"), 200)
}

func hexOf(cookie string) string { return fmt.Sprintf("%x", signin.KeyOf(cookie)) }

// TestFreshProof: what asks for a proof of the last minutes gets none from a
// session that is older.
func TestFreshProof(t *testing.T) {
	w := newWorld(t)
	b, a := w.joined("c0")
	second := newAuthenticator(t)
	b.wants(b.script("/passkey/add/finish", second.create(b.begin("add", ""))), 200)
	w.now = w.now.Add(5 * time.Minute)
	if s := b.wants(b.script("/passkey/add/begin", ""), 403); !strings.Contains(s, "/prove?next=%2Faccount") {
		t.Error(s)
	}
	if s := b.wants(b.post("/account/tokens", "scope=read&days=10"), 403); !strings.Contains(s, `href="/prove?next=%2Faccount"`) {
		t.Error(s)
	}
	b.wants(b.script("/passkey/prove/finish", second.get(b.begin("prove", ""))), 200)
	s := b.wants(b.post("/account/tokens", "scope=read&days=10"), 200)
	i := strings.Index(s, "fwt_")
	if i < 0 {
		t.Fatal("no token is shown")
	}
	token := s[i : i+47]
	if strings.Contains(b.wants(b.get("/account"), 200), token) {
		t.Error("the token is shown twice")
	}
	_ = a
	machine := func(path string) *http.Response {
		return w.as("").do("GET", path, "", http.Header{"Authorization": {"Bearer " + token}})
	}
	if r := machine("/api/v1/inbox"); r.StatusCode != 200 || !strings.Contains(text(t, r), w.wave.String()) {
		t.Errorf("the token: %d", r.StatusCode)
	}
	if r := machine("/home"); r.StatusCode != 403 {
		t.Errorf("a token on a page that isn't for machines: %d", r.StatusCode)
	}
	if r := w.as("").do("GET", "/api/v1/inbox", "", http.Header{"Authorization": {"Bearer fwt_" + strings.Repeat("x", 43)}}); r.StatusCode != 401 {
		t.Errorf("a token of nobody: %d", r.StatusCode)
	}
	w.now = w.now.Add(10 * 24 * time.Hour)
	if r := machine("/api/v1/inbox"); r.StatusCode != 401 {
		t.Errorf("a lapsed token: %d", r.StatusCode)
	}
}

// TestTries: from one network so many, and others aren't kept from it.
func TestTries(t *testing.T) {
	w := newWorld(t)
	try := func(from string) int {
		b := &browser{w: w, from: from}
		return b.script("/passkey/join/begin", `{"invitation":"x"}`).StatusCode
	}
	for range joinTries {
		if s := try("192.0.2.1:1234"); s != 403 {
			t.Fatal(s)
		}
	}
	if s := try("192.0.2.1:9999"); s != 429 {
		t.Errorf("one too many: %d", s)
	}
	if s := try("192.0.2.2:1"); s != 403 {
		t.Errorf("another address: %d", s)
	}
	w.now = w.now.Add(5 * time.Minute)
	if s := try("192.0.2.1:1"); s != 403 {
		t.Errorf("later: %d", s)
	}
	for range joinTries {
		try("[2001:db8::1]:1")
	}
	if s := try("[2001:db8::ffff:2]:1"); s != 429 {
		t.Errorf("the same IPv6 network: %d", s)
	}
}

// TestFrom: whom tries are counted for.
func TestFrom(t *testing.T) {
	for _, row := range []struct {
		proxied     bool
		addr, heads string // X-Forwarded-For; several lines are parted by '|'
		want        string
	}{
		{false, "192.0.2.1:5", "", "192.0.2.1/32"},
		{false, "192.0.2.1:5", "198.51.100.7", "192.0.2.1/32"}, // anybody can write that
		{true, "192.0.2.1:5", "", "192.0.2.1/32"},
		{true, "192.0.2.1:5", "203.0.113.9, 198.51.100.7", "198.51.100.7/32"}, // only the proxy's own word
		{true, "192.0.2.1:5", "203.0.113.9|198.51.100.7", "198.51.100.7/32"},
		{true, "192.0.2.1:5", "[2001:db8:0:1::5]:99", "2001:db8:0:1::/64"},
		{true, "192.0.2.1:5", "nonsense", "unknown"},
		{false, "[::ffff:192.0.2.1]:5", "", "192.0.2.1/32"},
		{false, "@", "", "unknown"},
	} {
		r := &http.Request{RemoteAddr: row.addr, Header: http.Header{}}
		for _, h := range strings.Split(row.heads, "|") {
			if h != "" {
				r.Header.Add("X-Forwarded-For", h)
			}
		}
		if got := (&Site{Config: Config{Proxied: row.proxied}}).from(r); got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}
