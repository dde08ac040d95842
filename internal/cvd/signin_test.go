package cvd

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"forewarn/internal/entrylog"
)

// passkey makes an account a passkey with an invitation, and gives its hash.
func (w *world) passkey(who AccountID, inviter AccountID, n int) [32]byte {
	w.tb.Helper()
	w.do(inviter, InviteAccount{who, hash32(n), w.now.Add(72 * time.Hour)})
	id := []byte{byte(n), byte(n >> 8)}
	w.do(who, AddCredential{Account: who, Credential: id, PublicKey: []byte("key"), Invitation: hash32(n)})
	return (&Credential{ID: id}).Hash()
}

func TestInvitation(t *testing.T) {
	w := newWorld(t)
	w.found()
	w.admit(1)
	w.refused(alice, InviteAccount{bob, hash32(1), w.now}, "lapses within")
	w.refused(alice, InviteAccount{bob, hash32(1), w.now.Add(15 * 24 * time.Hour)}, "lapses within 14 days")
	w.refused(alice, InviteAccount{Account: bob, Until: w.now.Add(time.Hour)}, "no secret")
	w.denied(alice, InviteAccount{machine, hash32(1), w.now.Add(time.Hour)}, "sealer")
	w.denied(bob, InviteAccount{carol, hash32(1), w.now.Add(time.Hour)}, "role")
	w.denied(adminOf(1), InviteAccount{bob, hash32(1), w.now.Add(time.Hour)}, "nothing by that name")
	w.do(adminOf(1), InviteAccount{contactOf(1), hash32(1), w.now.Add(time.Hour)})
	w.refused(alice, InviteAccount{bob, hash32(1), w.now.Add(time.Hour)}, "known already")
	if id, ok := w.p.InvitedBy(hash32(1), w.now); !ok || id != contactOf(1) {
		t.Errorf("invited: %v %v", id, ok)
	}

	// It is its account's alone, once, until it lapses, and unless another came.
	add := AddCredential{Account: contactOf(1), Credential: []byte("c"), PublicKey: []byte("k"), Invitation: hash32(1)}
	w.denied(adminOf(1), add, "nothing by that name")
	w.refused(contactOf(1), AddCredential{Account: contactOf(1), Credential: []byte("c"), PublicKey: []byte("k")}, "with an invitation")
	w.refused(contactOf(1), AddCredential{Account: contactOf(1), Credential: make([]byte, 1024), PublicKey: []byte("k"), Invitation: hash32(1)}, "1023")
	w.do(alice, InviteAccount{contactOf(1), hash32(2), w.now.Add(time.Hour)})
	w.refused(contactOf(1), add, "void")
	add.Invitation = hash32(2)
	w.do(contactOf(1), add)
	w.refused(contactOf(1), add, "was used")
	if _, ok := w.p.InvitedBy(hash32(2), w.now); ok {
		t.Error("a used invitation invites")
	}
	w.do(alice, InviteAccount{bob, hash32(3), w.now.Add(time.Hour)})
	w.tick(time.Hour)
	w.refused(bob, AddCredential{Account: bob, Credential: []byte("b"), PublicKey: []byte("k"), Invitation: hash32(3)}, "lapsed")
	if _, ok := w.p.InvitedBy(hash32(3), w.now); ok {
		t.Error("a lapsed invitation invites")
	}
	w.do(alice, InviteAccount{bob, hash32(4), w.now.Add(time.Hour)})
	w.refused(bob, AddCredential{Account: bob, Credential: []byte("c"), PublicKey: []byte("k"), Invitation: hash32(4)}, "known already")
}

func TestCredential(t *testing.T) {
	w := newWorld(t)
	w.found()
	w.admit(1)
	x := w.passkey(contactOf(1), adminOf(1), 10)
	if !w.p.CanSignIn(contactOf(1), x) || w.p.CanSignIn(bob, x) || w.p.CanSignIn(contactOf(1), hash32(1)) {
		t.Error("a passkey is its account's, and no other")
	}
	w.do(contactOf(1), AddCredential{Account: contactOf(1), Credential: []byte("second"), PublicKey: []byte("k")})
	w.denied(bob, RevokeCredential{contactOf(1), x}, "nothing by that name")
	w.refused(contactOf(1), RevokeCredential{contactOf(1), hash32(1)}, "no such passkey")
	w.do(adminOf(1), RevokeCredential{contactOf(1), x})
	if w.p.CanSignIn(contactOf(1), x) {
		t.Error("a revoked passkey signs in")
	}
	y := (&Credential{ID: []byte("second")}).Hash()
	w.do(alice, ChangeStanding{Member: mem(1), Standing: Suspended, Reason: blob(1)})
	if w.p.CanSignIn(contactOf(1), y) {
		t.Error("a suspended member's account signs in")
	}
	w.do(alice, ChangeStanding{Member: mem(1), Standing: Good, Reason: blob(1)})
	w.do(adminOf(1), CloseAccount{contactOf(1)})
	if w.p.CanSignIn(contactOf(1), y) {
		t.Error("a closed account signs in")
	}
}

// TestRecovery: an account that had a passkey is entered anew by the word of two
// coordinators, and is shown no content for a day.
func TestRecovery(t *testing.T) {
	f := newFixture(t)
	w := f.world
	second := num[Account](60)
	w.do(alice, AddAccount{Account: second, Roles: RoleSet(Coordinator)})
	who, wave := contactOf(1), num[Wave](5)
	old := w.passkey(who, adminOf(1), 10)
	w.refused(adminOf(1), InviteAccount{who, hash32(11), w.now.Add(time.Hour)}, "coordinator")
	w.do(alice, InviteAccount{who, hash32(11), w.now.Add(time.Hour)})
	add := AddCredential{Account: who, Credential: []byte("new"), PublicKey: []byte("k"), Invitation: hash32(11)}
	w.refused(who, add, "second coordinator")
	if _, ok := w.p.InvitedBy(hash32(11), w.now); ok {
		t.Error("an unconfirmed recovery invites")
	}
	w.refused(alice, ConfirmInvitation{who, hash32(11)}, "another coordinator")
	w.denied(carol, ConfirmInvitation{who, hash32(11)}, "role")
	w.refused(second, ConfirmInvitation{who, hash32(10)}, "no such invitation")
	w.do(second, ConfirmInvitation{who, hash32(11)})
	if err := w.try(who, Fetch{wave, holder(1)}); err != nil {
		t.Fatalf("before the recovery: %v", err)
	}
	w.do(who, add)
	if !w.p.CanSignIn(who, (&Credential{ID: []byte("new")}).Hash()) || !w.p.CanSignIn(who, old) {
		t.Error("both passkeys are in use until one is revoked")
	}
	w.denied(who, Fetch{wave, holder(1)}, "recovered less than a day ago")
	if err := w.try(adminOf(1), Fetch{wave, holder(1)}); err != nil {
		t.Errorf("a colleague: %v", err)
	}
	w.tick(24 * time.Hour)
	if err := w.try(who, Fetch{wave, holder(1)}); err != nil {
		t.Errorf("a day later: %v", err)
	}
	w.refused(second, LiftWait{who, sha256.Sum256([]byte("new")), blob(1)}, "the wait is over")
	// Nobody recovers their own by being the second.
	w.passkey(second, alice, 20)
	w.do(alice, InviteAccount{second, hash32(21), w.now.Add(time.Hour)})
	w.refused(second, ConfirmInvitation{second, hash32(21)}, "another coordinator")
}

// TestLiftWait: another coordinator than who invited ends the wait after a
// recovery, with a reason and a proof, once the passkey is there; all who were told
// of the recovery are told of that.
func TestLiftWait(t *testing.T) {
	f := newFixture(t)
	w := f.world
	second := num[Account](60)
	w.do(alice, AddAccount{Account: second, Roles: RoleSet(Coordinator)})
	who, wave := contactOf(1), num[Wave](5)
	old := w.passkey(who, adminOf(1), 10)
	key := sha256.Sum256([]byte("new"))
	lift := LiftWait{who, key, blob(1)}
	w.refused(second, lift, "was not recovered")
	w.do(alice, InviteAccount{who, hash32(11), w.now.Add(time.Hour)})
	w.do(second, ConfirmInvitation{who, hash32(11)})
	w.refused(second, lift, "was not recovered")
	w.do(who, AddCredential{Account: who, Credential: []byte("new"), PublicKey: []byte("k"), Invitation: hash32(11)})
	w.tell(t, 1)
	for by, why := range map[AccountID]string{alice: "you made the invitation", bob: "role", carol: "role", adminOf(1): "role", who: "role", fay: "role"} {
		w.denied(by, lift, why)
	}
	if err := w.p.May(Actor{second, entrylog.AuthSession}, ActLiftWait, AnAccount(who), w.now); !errors.Is(err, ErrDenied) {
		t.Error("a mere session lifts the wait")
	}
	w.refused(second, LiftWait{who, key, BlobRef{}}, "say how you know")
	w.refused(second, LiftWait{who, old, blob(1)}, "look again")
	w.denied(who, Fetch{wave, holder(1)}, "recovered less than a day ago")
	w.tick(23 * time.Hour)
	w.do(second, lift)
	if err := w.try(who, Fetch{wave, holder(1)}); err != nil {
		t.Errorf("after the wait was lifted: %v", err)
	}
	if until := w.p.Accounts[who].UnsettledUntil(); !until.IsZero() {
		t.Errorf("unsettled until %v", until)
	}
	for _, told := range []string{"access is recovered 0 admin 1", "access is recovered 0 contact 1"} {
		if !slices.Contains(w.due(), told) {
			t.Errorf("lifted, and not due: %s", told)
		}
	}
	n := len(w.log)
	w.do(second, lift)
	if len(w.log) != n {
		t.Error("it was lifted twice")
	}

	// The next recovery waits again. Who invited to the last one may lift this one's.
	w.do(second, InviteAccount{who, hash32(12), w.now.Add(time.Hour)})
	w.do(alice, ConfirmInvitation{who, hash32(12)})
	w.do(who, AddCredential{Account: who, Credential: []byte("newer"), PublicKey: []byte("k"), Invitation: hash32(12)})
	w.denied(who, Fetch{wave, holder(1)}, "recovered less than a day ago")
	newer := sha256.Sum256([]byte("newer"))
	w.refused(alice, lift, "look again")
	w.denied(second, LiftWait{who, newer, blob(1)}, "you made the invitation")
	w.do(alice, LiftWait{who, newer, blob(1)})
	all := w.p.Accounts[who].Recoveries()
	if len(all) != 2 || all[0].Invitation.By != alice || all[0].Lifted.By != second || all[1].Invitation.By != second || all[1].Lifted.By != alice {
		t.Errorf("recoveries: %+v", all)
	}

	// Nobody's own, though it takes a third coordinator.
	w.passkey(second, alice, 20)
	w.do(alice, InviteAccount{second, hash32(21), w.now.Add(time.Hour)})
	third := num[Account](61)
	w.do(alice, AddAccount{Account: third, Roles: RoleSet(Coordinator)})
	w.do(third, ConfirmInvitation{second, hash32(21)})
	w.do(second, AddCredential{Account: second, Credential: []byte("mine"), PublicKey: []byte("k"), Invitation: hash32(21)})
	w.denied(second, LiftWait{second, sha256.Sum256([]byte("mine")), blob(1)}, "nobody vouches for themselves")
	w.do(third, LiftWait{second, sha256.Sum256([]byte("mine")), blob(1)}) // who confirmed may
	if bad := w.p.Audit(w.now); bad != nil {
		t.Error(bad)
	}
	if w.replay().StateHash() != w.p.StateHash() {
		t.Error("a replay comes to another state")
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	w.found()
	w.admit(1)
	who := contactOf(1)
	w.refused(who, IssueToken{who, hash32(1), 0, w.now.Add(time.Hour)}, "is for something")
	w.refused(who, IssueToken{who, hash32(1), ScopeRead, w.now.Add(367 * 24 * time.Hour)}, "lapses")
	w.denied(adminOf(1), IssueToken{who, hash32(1), ScopeRead, w.now.Add(time.Hour)}, "nothing by that name")
	w.do(who, IssueToken{who, hash32(1), ScopeRead | ScopeFetch, w.now.Add(time.Hour)})
	if id, s, ok := w.p.TokenOf(hash32(1), w.now); !ok || id != who || s != ScopeRead|ScopeFetch {
		t.Errorf("%v %v %v", id, s, ok)
	}
	stands := func(n int, now time.Time) bool {
		_, _, ok := w.p.TokenOf(hash32(n), now)
		return ok
	}
	if stands(1, w.now.Add(time.Hour)) {
		t.Error("a lapsed token stands for somebody")
	}
	w.do(who, IssueToken{who, hash32(2), ScopeRead, w.now.Add(time.Hour)})
	w.do(adminOf(1), RevokeToken{who, hash32(2)})
	if stands(2, w.now) || !stands(1, w.now) {
		t.Error("the token that was revoked stands for somebody, or the other for nobody")
	}
	w.do(adminOf(1), CloseAccount{who})
	if stands(1, w.now) {
		t.Error("a closed account's token stands for somebody")
	}
	for s, want := range map[Scope]string{ScopeRead: "read", ScopeFetch | ScopeAnswer: "fetch, answer", ScopeWork: "work", EveryScope: "read, fetch, receipt, answer, work, feed", 0: ""} {
		if s.String() != want {
			t.Errorf("%d: %q", s, s)
		}
	}
	if s, err := ParseScope("receipt"); err != nil || s != ScopeReceipt {
		t.Error(s, err)
	}
	if _, err := ParseScope("all"); err == nil {
		t.Error("'all' is no scope")
	}
}

// TestSecretsReplay: a log in which a secret comes twice, or is used twice, does
// not fold.
func TestSecretsReplay(t *testing.T) {
	w := newWorld(t)
	w.found()
	w.passkey(bob, alice, 10)
	for _, b := range []fact{
		&AccountInvited{carol, hash32(10), w.now},
		&CredentialAdded{bob, []byte("x"), []byte("k"), 0, hash32(10)},
		&CredentialAdded{bob, []byte("x"), []byte("k"), 0, hash32(11)},
		&CredentialAdded{carol, []byte{10, 0}, []byte("k"), 0, [32]byte{}},
		&InvitationConfirmed{carol, hash32(10)},
		&CredentialRevoked{carol, hash32(10)},
		&WaitLifted{carol, hash32(10), blob(1)},
		&WaitLifted{bob, (&Credential{ID: []byte{10, 0}}).Hash(), blob(1)},
		&TokenIssued{carol, hash32(10), ScopeRead, w.now},
		&TokenRevoked{carol, hash32(10)},
	} {
		before := w.p.StateHash()
		if err := b.apply(w.p, Note{Seq: w.p.Next, At: w.now, By: bob}); err == nil {
			t.Errorf("%T was folded", b)
		}
		if w.p.StateHash() != before {
			t.Errorf("%T changed the state", b)
		}
	}
	if err := w.p.May(Actor{bob, entrylog.AuthSession}, ActAddCredential, AnAccount(bob), w.now); !errors.Is(err, ErrDenied) {
		t.Error("a mere session adds a passkey")
	}
}
