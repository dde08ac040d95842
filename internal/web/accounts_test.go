package web

import (
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
		if s := x.wants(x.get("/home"), 200); strings.Contains(s, "Access to the account otto was recovered") != told {
			t.Errorf("%s is told: %v", who, !told)
		}
	}
	if strings.Contains(w.log.String(), first) || strings.Contains(w.log.String(), again) {
		t.Error("the process log holds a link")
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
