package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// link is the invitation's secret on a page.
func link(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, origin+"/join#")
	if !found {
		t.Fatalf("no link: %s", page)
	}
	return rest[:43]
}

// TestInviteOnPages: a coordinator invites, somebody joins; recovery takes two.
func TestInviteOnPages(t *testing.T) {
	w := newWorld(t)
	var err error
	w.who["cara"], err = w.desk.AddAccount(ctx, w.by("ana"), cvd.MemberID{}, cvd.RoleSet(cvd.Coordinator), coordinator.Person{Handle: "cara", Name: "Cara"})
	ok(t, err)
	ana, cara := w.as("ana"), w.as("cara")
	path := "/accounts/" + w.who["otto"].String()
	first := link(t, ana.wants(ana.post(path+"/invite", ""), 200))
	b, a := w.as(""), newAuthenticator(t)
	b.wants(b.script("/passkey/join/finish", a.create(b.begin("join", `{"invitation":"`+first+`"}`))), 200)
	b.wants(b.get("/home"), 200)

	s := ana.wants(ana.post(path+"/invite", ""), 200)
	if !strings.Contains(s, "another coordinator has to confirm") {
		t.Error("a recovery looks like any invitation")
	}
	again := link(t, s)
	lost := w.as("")
	lost.wants(lost.script("/passkey/join/begin", `{"invitation":"`+again+`"}`), 403)
	if s := ana.wants(ana.get("/accounts?words=OTTO"), 200); !strings.Contains(s, "waits for a second coordinator") || strings.Contains(s, "Confirm the recovery") || strings.Contains(s, "Cara") {
		t.Error("the inviter is offered to confirm, or the search finds others")
	}
	ana.wants(ana.post(path+"/confirm", ""), 409)
	if s := cara.wants(cara.get("/accounts?words=otto"), 200); !strings.Contains(s, "Confirm the recovery") {
		t.Error("the second coordinator is not offered to confirm")
	}
	cara.wants(cara.post(path+"/confirm", ""), 303)
	lost.wants(lost.script("/passkey/join/finish", newAuthenticator(t).create(lost.begin("join", `{"invitation":"`+again+`"}`))), 200)
	if s := lost.wants(lost.get("/account"), 200); !strings.Contains(s, "Recovered.") {
		t.Error("its owner isn't told")
	}
	for who, told := range map[string]bool{"cara": true, "ben": true, "otto": true, "c0": false, "fay": false} {
		x := w.as(who)
		if s := x.wants(x.get("/home"), 200); saysRecovered(s) != told {
			t.Errorf("%s is told: %v", who, !told)
		}
	}
	w.recoveredOtto(t, cara)
	if strings.Contains(w.log.String(), first) || strings.Contains(w.log.String(), again) {
		t.Error("the process log holds a link")
	}
}

var otto = regexp.MustCompile(`Access to the account (<a href="[^"]*">)?otto(</a>)? was recovered`)

func saysRecovered(page string) bool { return otto.MatchString(page) }

// recoveredOtto: the wait is on the account's page, and who made no invitation lifts
// it there, with a reason and a proof, for the recovery that was looked at.
func (w *world) recoveredOtto(t *testing.T, cara *browser) {
	t.Helper()
	ana, path := w.as("ana"), "/accounts/"+w.who["otto"].String()
	if s := ana.wants(ana.get(path), 200); !strings.Contains(s, "can fetch no copy until") || !strings.Contains(s, "by ana") || !strings.Contains(s, "by cara") || strings.Contains(s, path+"/lift") {
		t.Errorf("the inviter's page: %s", s)
	}
	s := cara.wants(cara.get(path), 200)
	_, rest, found := strings.Cut(s, `name="passkey" value="`)
	if !found || !strings.Contains(s, path+"/lift") {
		t.Fatalf("the second coordinator is not offered to lift the wait: %s", s)
	}
	form := "passkey=" + rest[:64] + "&reason=called+back"
	var others []*browser
	for _, who := range []string{"ana", "ben", "cem", "otto", "c0", "fay"} {
		others = append(others, w.as(who))
	}
	before := w.desk.Log().Size()
	for _, b := range others {
		b.wants(b.post(path+"/lift", form), 403)
	}
	cara.wants(cara.post(path+"/lift", "passkey="+rest[:64]), 400)
	cara.wants(cara.post(path+"/lift", "passkey=none&reason=x"), 400)
	cara.wants(cara.post(path+"/lift", "passkey="+strings.Repeat("1", 64)+"&reason=x"), 409)
	if w.desk.Log().Size() != before {
		t.Error("a refused lift made an entry")
	}
	cara.went(cara.post(path+"/lift", form))
	if s := ana.wants(ana.get(path), 200); strings.Contains(s, "can fetch no copy") || !strings.Contains(s, "called back") {
		t.Errorf("after the lift: %s", s)
	}
	o := w.as("otto")
	if s := o.wants(o.get(path), 200); !strings.Contains(s, "by cara") || strings.Contains(s, "called back") {
		t.Errorf("its owner's page: %s", s)
	}
	if s := o.wants(o.get("/home"), 200); !strings.Contains(s, "the wait after it was lifted") {
		t.Error("its owner isn't told that the wait was lifted")
	}
	if s := cara.wants(cara.get("/api/v1"+path), 200); !strings.Contains(s, `"wait_lifted_by":"cara"`) {
		t.Errorf("as a program: %s", s)
	}
	late := w.as("fay")
	late.wants(late.get(path), 404)
}

// TestMailOnPages: everybody says where their own notices go, coordinators
// everybody's, a member's admins their colleagues'; nobody else does, nor sees it.
func TestMailOnPages(t *testing.T) {
	w := newWorld(t)
	mail := func(who string) (m string) {
		ok(t, w.desk.View(func(p *cvd.Programme) error {
			m = w.desk.Names(ctx, p).Person(w.who[who]).Mail
			return nil
		}))
		return m
	}
	n := 0
	for _, c := range []struct {
		by, of string
		status int
	}{
		{"otto", "otto", 303}, {"fay", "fay", 303}, {"c0", "c0", 303}, {"ben", "ben", 303}, {"ana", "c1", 303}, {"ana", "ben", 303},
		{"ben", "ana", 403}, {"cem", "c0", 403}, {"c0", "c1", 403}, {"c1", "ana", 403}, {"fay", "otto", 403},
	} {
		b, path := w.as(c.by), "/accounts/"+w.who[c.of].String()
		n++
		to, before := fmt.Sprintf("n%d@desk.example", n), mail(c.of)
		b.wants(b.post(path+"/mail", url.Values{"mail": {to}}.Encode()), c.status)
		if want := map[bool]string{true: to, false: before}[c.status == 303]; mail(c.of) != want {
			t.Errorf("%s of %s: %q, want %q", c.by, c.of, mail(c.of), want)
		}
		// The form stands where it works, and nowhere else.
		s := text(t, b.get(path))
		if strings.Contains(s, path+"/mail") != (c.status == 303) || (c.status == 303) != strings.Contains(s, to) {
			t.Errorf("%s, the page of %s: %s", c.by, c.of, s)
		}
	}
	ana := w.as("ana")
	path := "/accounts/" + w.who["c1"].String()
	ana.wants(ana.post(path+"/mail", "mail=nowhere"), 409)
	ana.went(ana.post(path+"/mail", "mail="))
	if mail("c1") != "" {
		t.Error("an address can't be taken away")
	}
	// An admin says it of a colleague, and isn't shown what it was.
	id, err := w.desk.AddAccount(ctx, w.by("c0"), w.member0, cvd.RoleSet(cvd.MemberContact), coordinator.Person{Handle: "two", Name: "Two", Mail: "was@member.example"})
	ok(t, err)
	c0, path := w.as("c0"), "/accounts/"+id.String()
	if s := c0.wants(c0.get(path), 200); strings.Contains(s, "was@") || !strings.Contains(s, path+"/mail") {
		t.Errorf("a colleague's page: %s", s)
	}
	c0.went(c0.post(path+"/mail", "mail=is%40member.example"))
	if r := c0.do("POST", "/api/v1"+path+"/mail", `{"mail":"api@member.example"}`, http.Header{"Content-Type": {"application/json"}}); r.StatusCode/100 != 2 {
		t.Errorf("as a program: %d", r.StatusCode)
	}
	w.who["two"] = id
	if mail("two") != "api@member.example" {
		t.Error(mail("two"))
	}
	for _, who := range []string{"c1", "fay", "otto"} {
		b := w.as(who)
		b.wants(b.get(path), 404)
	}
}

// TestAccountsSeen: staff see all, members their own, others none.
func TestAccountsSeen(t *testing.T) {
	w := newWorld(t)
	for who, want := range map[string]struct{ sees, not string }{
		"ana": {"c1", "sealer"}, "ben": {"c1", "sealer"}, "c0": {"Member 0", "Member 1"},
	} {
		b := w.as(who)
		if s := b.wants(b.get("/accounts"), 200); !strings.Contains(s, want.sees) || strings.Contains(s, want.not) {
			t.Errorf("%s: %s", who, s)
		}
	}
	for _, who := range []string{"otto", "fay"} {
		b := w.as(who)
		b.wants(b.get("/accounts"), 404)
	}
	if s := w.as("ben"); strings.Contains(text(t, s.get("/accounts")), "/invite") {
		t.Error("an approver is offered to invite")
	}
	c0 := w.as("c0")
	for _, id := range []cvd.AccountID{w.who["c1"], w.who["ana"], {0: 1}} {
		c0.wants(c0.post("/accounts/"+id.String()+"/invite", ""), 403)
	}
}

// TestScopeWords: the form for a token says what each scope lets a machine do.
func TestScopeWords(t *testing.T) {
	w := newWorld(t)
	b := w.as("c0")
	s := b.wants(b.get("/account"), 200)
	for _, scope := range strings.Split((cvd.EveryScope &^ cvd.ScopeFeed).String(), ", ") {
		if scopeWords[scope] == "" || !strings.Contains(s, `value="`+scope+`"> `+scope+` <span class="more">`+scopeWords[scope]) {
			t.Errorf("%s has no words on the page", scope)
		}
	}
}

// TestRevokeAccess: who looks after an account sees what somebody or some machine
// comes as it with, and revokes it; nobody else sees it, nor does.
func TestRevokeAccess(t *testing.T) {
	w := newWorld(t)
	w.credential("c1")
	w.machine("c1", cvd.ScopeRead)
	path := "/accounts/" + w.who["c1"].String()
	of := func(who string) (form string) {
		b := w.as(who)
		if _, rest, found := strings.Cut(text(t, b.get(path)), `name="access" value="`); found {
			return rest[:64]
		}
		return ""
	}
	for who, sees := range map[string]bool{"ana": true, "c1": true, "ben": false, "cem": false, "c0": false, "fay": false} {
		if got := of(who); (got != "") != sees {
			t.Errorf("%s sees what c1 comes with: %q, want %v", who, got, sees)
		}
	}
	form, before := "access="+of("ana"), w.desk.Log().Size()
	for _, who := range []string{"ben", "cem", "c0", "fay"} {
		b := w.as(who)
		b.wants(b.post(path+"/revoke", form), 403)
	}
	ana := w.as("ana")
	ana.wants(ana.post(path+"/revoke", "access="+strings.Repeat("1", 64)), 409)
	if w.desk.Log().Size() != before {
		t.Error("a refused revocation made an entry")
	}
	for range 2 {
		ana.went(ana.post(path+"/revoke", "access="+of("ana")))
	}
	ok(t, w.desk.View(func(p *cvd.Programme) error {
		a := p.Accounts[w.who["c1"]]
		for _, x := range a.Credentials {
			if x.Revoked == nil {
				t.Error("a passkey is in use")
			}
		}
		for _, x := range a.Tokens {
			if x.Revoked == nil {
				t.Error("a token is in use")
			}
		}
		if len(a.Credentials) == 0 || len(a.Tokens) == 0 {
			t.Error("there was nothing to revoke")
		}
		return nil
	}))
}

// TestRecoverOffered: a link for an account that had a passkey is offered to those who
// can make one, and a first link to a member's admins too.
func TestRecoverOffered(t *testing.T) {
	w := newWorld(t)
	c1, ana := w.as("c1"), w.as("ana")
	if s := c1.wants(c1.get("/accounts"), 200); strings.Contains(s, "Recover access") {
		t.Error("a member's admin is offered what is refused:", s)
	}
	if s := ana.wants(ana.get("/accounts?words=c1"), 200); !strings.Contains(s, "Recover access") {
		t.Error("a coordinator is not offered to recover:", s)
	}
	c1.went(c1.post("/colleagues", "handle=cleo&name=Cleo"))
	if s := c1.wants(c1.get("/accounts"), 200); !strings.Contains(s, "Invite</button>") {
		t.Error("a member's admin is not offered to invite a colleague:", s)
	}
}

// TestNameOnPages: what people are called is said where their notices are, and by
// the same.
func TestNameOnPages(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		by     string
		status int
	}{{"c1", 303}, {"ana", 303}, {"ben", 403}, {"c0", 403}, {"fay", 403}} {
		b, path := w.as(c.by), "/accounts/"+w.who["c1"].String()
		b.wants(b.post(path+"/name", "name="), 400)
		b.wants(b.post(path+"/name", "name=Called+by+"+c.by), c.status)
		me := w.as("c1")
		if s := me.wants(me.get("/account"), 200); strings.Contains(s, "Called by "+c.by) != (c.status == 303) {
			t.Errorf("%s: %s", c.by, s)
		}
	}
}
