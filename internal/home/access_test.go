package home_test

import (
	"errors"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/ledger"
)

// Who gets which copy, asked through the desk from end to end. A refusal hands
// out nothing and writes nothing.
func TestWhoGetsACopy(t *testing.T) {
	tn := found(t, 3)
	ana, ben := tn.who["ana"], tn.who["ben"]
	a, b, c := tn.members[0], tn.members[1], tn.members[2]
	open := func(to ...*reader) cvd.WaveID {
		t.Helper()
		id := tn.wave(form.PoC, to...)
		tn.clock.pass(11 * time.Minute)
		return id
	}
	id := tn.wave(form.PoC, a, b, tn.staff["cleo"])

	refused := func(what string, by cvd.Actor, w cvd.WaveID, holder cvd.HolderID) {
		t.Helper()
		before, files := tn.state(), listing(t, tn.dir+"/desk/blobs")
		del, err := tn.desk.Fetch(ctx, by, w, holder)
		if !errors.Is(err, cvd.ErrDenied) && !errors.Is(err, cvd.ErrRefused) {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
		if len(del.Sealed) > 0 || len(del.Bulk) > 0 || del.Proof.Copy != [32]byte{} {
			t.Errorf("%s: something was handed out", what)
		}
		if tn.state() != before || listing(t, tn.dir+"/desk/blobs") != files {
			t.Errorf("%s: something was written", what)
		}
	}
	given := func(what string, r *reader, w cvd.WaveID) {
		t.Helper()
		if _, _, err := tn.fetch(r, w); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	refused("a member before the opening", a.actor, id, a.id)
	refused("staff before the opening", tn.who["cleo"], id, tn.staff["cleo"].id)
	tn.clock.pass(11 * time.Minute)
	given("a member", a, id)
	given("a member again", a, id)
	given("staff with keys", tn.staff["cleo"], id)

	refused("a member for another", a.actor, id, b.id)
	refused("a member for staff", a.actor, id, tn.staff["cleo"].id)
	refused("a coordinator for a member", ana, id, a.id)
	refused("an investigator for a member", tn.who["ina"], id, a.id)
	refused("staff for other staff", tn.who["dev"], id, tn.staff["cleo"].id)
	refused("staff without a copy", tn.who["dev"], id, cvd.HolderID(tn.who["dev"].Account))
	refused("staff with keys and without a copy", ana, id, tn.staff["ana"].id)
	refused("a member outside the audience", c.actor, id, c.id)
	refused("nobody", cvd.Actor{}, id, a.id)
	refused("a stranger", as(cvd.AccountID{1, 2, 3}), id, a.id)
	refused("nobody's copy", a.actor, id, cvd.HolderID{})
	refused("no wave", a.actor, cvd.WaveID{}, a.id)
	if err := tn.desk.View(func(p *cvd.Programme) error {
		_, err := tn.desk.Fetch(ctx, cvd.Actor{Account: p.Sealer}, id, a.id)
		return err
	}); err == nil {
		t.Error("the sealer's account got a copy")
	}

	// Held, and lifted.
	for _, hold := range []cvd.Hold{{Case: tn.cs, Wave: id}, {Case: tn.cs}} {
		_, err := tn.desk.Do(ctx, tn.who["cleo"], hold)
		ok(t, err)
		refused("a member while held", b.actor, id, b.id)
		refused("a member who had it, while held", a.actor, id, a.id)
		_, err = tn.desk.Do(ctx, ana, cvd.LiftHold{Case: hold.Case, Wave: hold.Wave})
		ok(t, err)
	}
	given("a member after the hold", b, id)

	// Who can't be in an audience at all.
	n := 10
	outside := func(what string, r *reader) {
		t.Helper()
		q := cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: tn.clock.Now().Add(time.Hour), Audience: []cvd.HolderID{r.id}}
		if _, err := tn.desk.DraftWave(ctx, ana, q); !errors.Is(err, cvd.ErrRefused) && !errors.Is(err, cvd.ErrDenied) {
			t.Errorf("a wave to %s: %v", what, err)
		}
		refused(what, r.actor, id, r.id)
	}
	newcomer := func() *reader { n++; return tn.newcomer(n) }
	outside("a member who did nothing yet", newcomer())
	r := newcomer()
	tn.enrol(r)
	outside("a member with keys who did not accept the terms", r)
	_, err := tn.desk.AcceptTerms(ctx, r.actor)
	ok(t, err)
	outside("a member who was not invited", r)
	tn.invite(r)
	outside("a member who did not answer", r)
	ok(t, tn.desk.Consent(ctx, r.actor, tn.cs, false))
	outside("a member who declined", r)
	r = newcomer()
	_, err = tn.desk.AcceptTerms(ctx, r.actor)
	ok(t, err)
	tn.invite(r)
	ok(t, tn.desk.Consent(ctx, r.actor, tn.cs, true))
	outside("a member without keys", r)
	outside("staff without keys", &reader{id: cvd.HolderID(tn.who["dev"].Account), actor: tn.who["dev"]})
	if _, err := tn.desk.DraftWave(ctx, ana, cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: tn.clock.Now().Add(time.Hour)}); !errors.Is(err, cvd.ErrRefused) {
		t.Errorf("a wave to nobody: %v", err)
	}

	// The same person can't approve, nor can one without the role.
	draft := tn.draft(form.PoC, c)
	for _, by := range []cvd.Actor{ana, tn.who["cleo"], tn.who["ada"], c.actor} {
		if err := tn.desk.Approve(ctx, by, draft, nil); !errors.Is(err, cvd.ErrDenied) {
			t.Errorf("approved by %s: %v", by.Account.Short(), err)
		}
	}
	refused("a member of a wave that nobody approved", c.actor, draft, c.id)
	ok(t, tn.desk.Approve(ctx, ben, draft, nil))
	_, err = tn.desk.Do(ctx, ana, cvd.CancelWave{Wave: draft})
	ok(t, err)
	tn.clock.pass(time.Hour)
	refused("a member of a cancelled wave", c.actor, draft, c.id)

	// What was a reader's right ends with the standing, the account, the lapse.
	last := open(c)
	given("a member", c, last)
	_, err = tn.desk.Do(ctx, ana, cvd.ChangeStanding{Member: cvd.MemberID(c.id), Standing: cvd.Suspended})
	ok(t, err)
	refused("a suspended member", c.actor, last, c.id)
	_, err = tn.desk.Do(ctx, ana, cvd.ChangeStanding{Member: cvd.MemberID(c.id), Standing: cvd.Good})
	ok(t, err)
	given("a member in good standing again", c, last)
	_, err = tn.desk.Do(ctx, ana, cvd.CloseAccount{Account: c.actor.Account})
	ok(t, err)
	refused("a closed account", c.actor, last, c.id)

	lapsing := cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Staged, Level: form.Description, OpensAt: tn.clock.Now().Add(time.Minute), LapsesAt: tn.clock.Now().Add(time.Hour), Audience: []cvd.HolderID{a.id}}
	w, err := tn.desk.DraftWave(ctx, ana, lapsing)
	ok(t, err)
	ok(t, tn.desk.Approve(ctx, ben, w, nil))
	tn.clock.pass(2 * time.Minute)
	given("a member before the lapse", a, w)
	tn.clock.pass(time.Hour)
	refused("a member after the lapse", a.actor, w, a.id)

	// New terms bind before content is shown again.
	ok(t, tn.desk.PublishTerms(ctx, ana, []byte("stricter terms\n")))
	tn.clock.pass(time.Minute)
	refused("a member who did not accept the new terms", a.actor, id, a.id)
	_, err = tn.desk.AcceptTerms(ctx, a.actor)
	ok(t, err)
	given("a member who accepted the new terms", a, id)

	// Before the anchor there is no proof, and without a proof no copy.
	quick := cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Preview, Level: form.Description, OpensAt: tn.clock.Now().Add(time.Second), Audience: []cvd.HolderID{tn.staff["cleo"].id}}
	tn.clock.pass(time.Millisecond)
	w, err = tn.desk.DraftWave(ctx, tn.who["cleo"], quick)
	ok(t, err)
	tn.clock.pass(2 * time.Second)
	if del, err := tn.desk.Fetch(ctx, tn.who["cleo"], w, tn.staff["cleo"].id); !errors.Is(err, ledger.ErrNotAnchored) || len(del.Sealed) > 0 {
		t.Errorf("a copy before its anchor: %d bytes, %v", len(del.Sealed), err)
	}
	tn.audit()
}
