package coordinator_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// newBeside is a programme whose desk is served, and another beside it.
func newBeside(t *testing.T) *works {
	t.Helper()
	first := newWorks(t)
	ok(t, first.desk.Close())
	w := first.clone(t)
	w.beside = true
	w.open()
	return w
}

// What a command has the serving desk append is for that one as its own: names are
// taken, keys are gone, waves are sealed. What doesn't fit is refused, and does it
// no harm.
func TestBesideTheWriter(t *testing.T) {
	w := newBeside(t)
	defer w.end()

	// Each sees at once what the other wrote.
	dora := coordinator.Person{Handle: "dora", Name: "Dora"}
	id, err := w.desk.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), dora)
	ok(t, err)
	if got, err := w.serving.Login(ctx, "dora"); err != nil || got != id {
		t.Errorf("the serving desk knows %s: %v", got, err)
	}
	for name, d := range map[string]*coordinator.Desk{"serving": w.serving, "beside": w.desk} {
		if _, err := d.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), dora); !errors.Is(err, cvd.ErrRefused) {
			t.Errorf("%s: a handle was given twice: %v", name, err)
		}
	}
	_, err = w.serving.Do(ctx, w.ana, cvd.CloseAccount{Account: id})
	ok(t, err)

	// A key is destroyed by whoever has the log, even if who asked dies at once.
	if _, err := w.desk.Do(ctx, w.ana, cvd.DestroyKey{Scope: cvd.PersonKey, ID: [16]byte(id)}); err != nil {
		t.Fatal(err)
	}
	if b, err := w.keys.Read(coordinator.PersonKey(id)); err == nil {
		t.Errorf("the key is still there, %d bytes", len(b))
	}
	for name, d := range map[string]*coordinator.Desk{"serving": w.serving, "beside": w.desk} {
		ok(t, d.View(func(p *cvd.Programme) error {
			if err := d.Text(ctx, coordinator.PersonKey(id), p.Accounts[id].Person, &dora); !errors.Is(err, coordinator.ErrGone) {
				t.Errorf("%s: a name is read after its key was destroyed: %v", name, err)
			}
			return nil
		}))
	}

	// What a decision of the same program would not have come to.
	size := w.serving.Log().Size()
	for name, do := range map[string]func() error{
		"somebody who signed in elsewhere": func() error {
			by := w.ana
			by.Auth = entrylog.AuthFresh
			_, err := w.desk.Do(ctx, by, cvd.NoteCommitment{Commitment: [32]byte{1}})
			return err
		},
		"what doesn't fold": func() error {
			b := &cvd.KeyDestroyed{Scope: cvd.PersonKey, ID: entrylog.Ref{1, 2, 3}}
			_, err := w.desk.Log().Append(ctx, []ledger.Draft{{Kind: cvd.KindKeyDestroyed, Actor: entrylog.Ref(w.ana.Account), Subject: b.ID, Body: b}})
			return err
		},
	} {
		if err := do(); !errors.Is(err, ledger.ErrOffer) {
			t.Errorf("%s: %v", name, err)
		}
		if w.serving.Log().Size() != size {
			t.Errorf("%s was kept", name)
		}
	}
	// A refusal is one, and nobody is asked.
	if _, err := w.desk.Do(ctx, w.ben, cvd.CloseAccount{Account: w.ana.Account}); !errors.Is(err, cvd.ErrDenied) {
		t.Errorf("who may not: %v", err)
	}

	// Sealing is done there, and told here.
	wave, err := w.draft()
	ok(t, err)
	last := 0
	ok(t, w.desk.Approve(ctx, w.ben, wave, func(done, all int) {
		if last++; done != last || all != 3 {
			t.Errorf("%d of %d copies", done, all)
		}
	}))
	if last != 3 {
		t.Errorf("told of %d copies", last)
	}
	w.pass(2 * interval * 60)
	ok(t, w.fetch(0, wave))
	w.audited("in the end")
	if a, b := hashOf(t, w.desk), hashOf(t, w.serving); a != b {
		t.Error("the two desks come to different states")
	}
}

func hashOf(t *testing.T, d *coordinator.Desk) (h [32]byte) {
	t.Helper()
	ok(t, d.Refresh(ctx))
	ok(t, d.View(func(p *cvd.Programme) error { h = p.StateHash(); return nil }))
	return h
}

// While keys are destroyed that others' entries say are, nothing is being appended: an
// entry that is not kept in the end must not have cost its key.
func TestNoKeyGoesBeforeItsEntryIsKept(t *testing.T) {
	w := newBeside(t)
	defer w.end()
	id, err := w.desk.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), coordinator.Person{Handle: "dora", Name: "Dora"})
	ok(t, err)
	_, err = w.desk.Do(ctx, w.ana, cvd.CloseAccount{Account: id})
	ok(t, err)
	destroying, going, appending := make(chan bool, 9), make(chan bool), make(chan bool, 9)
	w.hook = func(op string) fault {
		switch op {
		case "keys/destroy":
			destroying <- true
			<-going
		case "store/append":
			appending <- true
		}
		return fault{}
	}
	ended := make(chan error, 2)
	go func() {
		_, err := w.desk.Do(ctx, w.ana, cvd.DestroyKey{Scope: cvd.PersonKey, ID: [16]byte(id)})
		ended <- err
	}()
	<-destroying
	<-appending // its own
	go func() {
		_, err := w.serving.Do(ctx, w.ana, cvd.NoteCommitment{Commitment: [32]byte{1}})
		ended <- err
	}()
	select {
	case <-appending:
		t.Error("keys are destroyed while the log doesn't say yet what becomes of them")
	case <-time.After(200 * time.Millisecond):
	}
	close(going)
	for range 2 {
		ok(t, <-ended)
	}
}

// A name that many want at once, on pages and in commands, is one's.
func TestOneName(t *testing.T) {
	w := newBeside(t)
	defer w.end()
	for _, give := range []func(*coordinator.Desk) error{
		func(d *coordinator.Desk) error {
			_, err := d.AddAccount(ctx, w.ana, cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), coordinator.Person{Handle: "dora", Name: "Dora"})
			return err
		},
		func(d *coordinator.Desk) error {
			_, _, err := d.Admit(ctx, w.ana, coordinator.Admission{Name: "Northlight", Tier: 1, Contact: "mia"})
			return err
		},
	} {
		var wg sync.WaitGroup
		var given atomic.Int32
		for i := range 8 {
			d := w.serving
			if i%2 == 0 {
				d = w.desk
			}
			wg.Go(func() {
				if err := give(d); err == nil {
					given.Add(1)
				} else if !errors.Is(err, cvd.ErrRefused) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := given.Load(); n != 1 {
			t.Errorf("it was given to %d", n)
		}
	}
	w.audited("in the end")
}
