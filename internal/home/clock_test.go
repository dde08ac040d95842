package home_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
)

// Under a clock that runs, time passes between looking and deciding. What opens
// at once must not be refused for it.
func TestAtOnceUnderTheRealClock(t *testing.T) {
	t.Parallel()
	tn := &town{t: t, dir: filepath.Join(t.TempDir(), "p"), clock: &clock{now: time.Now()}, who: map[string]cvd.Actor{}, staff: map[string]*reader{}}
	tn.create(time.Second, home.Machine{SealerInside: true})
	t.Cleanup(func() { tn.desk.Close() })
	tn.people(2)
	tn.openCase()
	tn.addPackage()
	fetch := func(r *reader, id cvd.WaveID) {
		t.Helper()
		_, _, err := tn.fetch(r, id)
		for errors.Is(err, ledger.ErrNotAnchored) {
			time.Sleep(20 * time.Millisecond)
			_, _, err = tn.fetch(r, id)
		}
		ok(t, err)
	}
	cleo := tn.staff["cleo"]
	preview, err := tn.desk.DraftWave(ctx, cleo.actor, cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Preview, Level: form.PoC, OpensAt: time.Now(), Audience: []cvd.HolderID{cleo.id}})
	ok(t, err)
	fetch(cleo, preview)

	q := cvd.DraftWave{Revision: tn.added.Revision, Purpose: cvd.Staged, Level: form.PoC, OpensAt: time.Now().Add(time.Hour), Audience: []cvd.HolderID{tn.members[0].id}}
	staged, err := tn.desk.DraftWave(ctx, tn.who["ana"], q)
	ok(t, err)
	ok(t, tn.desk.Approve(ctx, tn.who["ben"], staged, nil))
	ended, err := tn.desk.EndEmbargo(ctx, tn.who["ana"], tn.cs, "it is being exploited")
	ok(t, err)
	if ended.Members != 2 || ended.Level != form.Detection {
		t.Fatalf("the break pack is %+v", ended)
	}
	for _, m := range tn.members {
		fetch(m, ended.Wave)
	}
	tn.audit()
}
