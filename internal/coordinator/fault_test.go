package coordinator_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/seal"
	"forewarn/internal/wire"
)

var errFault = errors.New("an effect went wrong")

// deed is something that people do at the desk, in one or more effects. prepare
// comes before; do may be called again after it failed; done looks whether it
// has happened.
type deed struct {
	name    string
	prepare func(*works)
	do      func(*works) error
	done    func(*works, *cvd.Programme) bool
}

// delivered is checked whenever a copy is handed out: it was committed to and
// recorded before.
func (w *works) fetch(i int, id cvd.WaveID) error {
	del, err := w.desk.Fetch(ctx, w.actors[i], id, w.holders[i])
	if err != nil {
		if len(del.Sealed) > 0 || len(del.Bulk) > 0 {
			w.t.Errorf("fetching failed (%v) and handed something out", err)
		}
		return err
	}
	p := w.audited("after a fetch")
	wave := p.Waves[id]
	if wave == nil || wave.Statement == nil {
		w.t.Fatal("a copy was handed out of a wave that is not committed")
	}
	c := wave.CopyOf(w.holders[i])
	if c == nil || len(c.Fetches) == 0 {
		w.t.Fatal("a copy was handed out and the log doesn't say so")
	}
	v, err := note.NewVerifier(w.vkey)
	ok(w.t, err)
	s, err := del.Proof.Verify(v, interval)
	ok(w.t, err)
	if !bytes.Equal(wire.Marshal(&s), wire.Marshal(wave.Statement)) {
		w.t.Error("the proof opens another statement than the log's")
	}
	files, err := seal.OpenCopy(bytes.NewReader(del.Sealed), w.with[i], seal.DefaultLimits)
	ok(w.t, err)
	files, key := seal.TakeBulkKey(files)
	if form.CopyHash(files) != del.Proof.Copy {
		w.t.Error("the copy is not what was committed to")
	}
	if wave.Level >= form.Indicators {
		bulk, err := seal.OpenBulk(del.Bulk, key, seal.DefaultLimits)
		ok(w.t, err)
		if len(bulk) != 1 {
			w.t.Errorf("%d bulk files", len(bulk))
		}
	}
	return nil
}

func (w *works) lastWave() (id cvd.WaveID, state cvd.WaveState, err error) {
	err = w.desk.View(func(p *cvd.Programme) error {
		id = p.WaveOrder[len(p.WaveOrder)-1]
		state = p.WaveState(id, w.now)
		return nil
	})
	return id, state, err
}

// approve gives the yes once and has it sealed; again, it only resumes.
func (w *works) approve() error {
	id, state, err := w.lastWave()
	if err != nil {
		return err
	}
	if state == cvd.StateDraft {
		return w.desk.Approve(ctx, w.ben, id, nil)
	}
	_, err = w.desk.Resume(ctx, nil)
	return err
}

func (w *works) sealedWave() {
	w.t.Helper()
	_, err := w.draft()
	ok(w.t, err)
	ok(w.t, w.approve())
	w.pass(2 * time.Hour)
}

var deeds = []deed{
	{"restart", func(w *works) { w.end() },
		func(w *works) error { return w.start() },
		func(*works, *cvd.Programme) bool { return true }},
	{"admit", func(*works) {},
		func(w *works) error {
			if _, err := w.desk.Member(ctx, w.ana, "Another"); err == nil {
				return nil // a name is taken once
			}
			_, _, err := w.desk.Admit(ctx, w.ana, coordinator.Admission{Name: "Another", Tier: 2})
			return err
		},
		func(w *works, p *cvd.Programme) bool { return len(p.Members) >= 4 }},
	{"add a revision", func(*works) {},
		func(w *works) error { return w.addPackage() },
		func(w *works, p *cvd.Programme) bool { return len(p.Revisions) >= 2 }},
	{"approve and seal", func(w *works) { _, err := w.draft(); ok(w.t, err) },
		func(w *works) error { return w.approve() },
		func(w *works, p *cvd.Programme) bool {
			x := p.Waves[p.WaveOrder[len(p.WaveOrder)-1]]
			return x.Statement != nil && x.Stored()
		}},
	{"fetch", func(w *works) { w.sealedWave() },
		func(w *works) error {
			id, _, err := w.lastWave()
			if err != nil {
				return err
			}
			return w.fetch(1, id)
		},
		func(w *works, p *cvd.Programme) bool {
			c := p.Waves[p.WaveOrder[len(p.WaveOrder)-1]].CopyOf(w.holders[1])
			return c != nil && len(c.Fetches) == 1
		}},
	{"seal anew for new keys", func(w *works) { w.sealedWave(); ok(w.t, w.enrol(1)) },
		func(w *works) error { _, err := w.desk.Resume(ctx, nil); return err },
		func(w *works, p *cvd.Programme) bool { return len(p.Stale()) == 0 }},
	{"end the embargo", func(w *works) { w.sealedWave() },
		func(w *works) error {
			ended := false
			if err := w.desk.View(func(p *cvd.Programme) error { ended = p.Cases[w.cs].Ended != nil; return nil }); err != nil {
				return err
			}
			if !ended {
				_, err := w.desk.EndEmbargo(ctx, w.ana, w.cs, "exploited")
				return err
			}
			_, err := w.desk.Resume(ctx, nil)
			return err
		},
		func(w *works, p *cvd.Programme) bool {
			pack := p.Waves[p.WaveOrder[len(p.WaveOrder)-1]]
			return p.Cases[w.cs].Ended != nil && pack.Purpose == cvd.BreakPack && pack.Stored()
		}},
	{"destroy a key", func(w *works) {
		_, err := w.desk.Do(ctx, w.ana, cvd.CloseAccount{Account: w.actors[2].Account})
		ok(w.t, err)
	},
		func(w *works) error {
			return w.desk.DestroyKey(ctx, w.ana, cvd.DestroyKey{Scope: cvd.PersonKey, ID: [16]byte(w.actors[2].Account)})
		},
		func(w *works, p *cvd.Programme) bool {
			_, err := w.keys.Read(coordinator.PersonKey(w.actors[2].Account))
			return p.Accounts[w.actors[2].Account].Shredded != nil && err != nil
		}},
	{"anchor", func(w *works) { w.pass(5 * time.Minute) },
		func(w *works) error { return w.desk.Log().Tick(ctx) },
		func(*works, *cvd.Programme) bool { return true }},
}

// Every effect of every deed goes wrong once, in two ways: it fails, or it fails
// and happened all the same. After each, an auditor sees a whole world; what was
// acknowledged is there; nothing left that was not committed; and the deed can
// be done again, by the same process or by the one after it.
func TestEveryEffectFails(t *testing.T) { everyEffectFails(t, false) }

// The same done by a command, while another process has the log: asking that one
// is an effect too.
func TestEveryEffectFailsBesideTheWriter(t *testing.T) { everyEffectFails(t, true) }

func everyEffectFails(t *testing.T, beside bool) {
	first := newWorks(t)
	ok(t, first.desk.Close())
	first.beside = beside
	for _, d := range slices.Concat(deeds, alarmDeeds, noticeDeeds) {
		t.Run(d.name, func(t *testing.T) {
			// What effects it has, when all goes well.
			var effects []string
			w := first.clone(t)
			w.open()
			d.prepare(w)
			w.hook = func(op string) fault { effects = append(effects, op); return fault{} }
			ok(t, d.do(w))
			w.hook = nil
			if p := w.audited("when all is well"); !d.done(w, p) {
				t.Fatal("it is not done when all is well")
			}
			if len(effects) == 0 {
				t.Fatal("it has no effect")
			}
			if asked := slices.ContainsFunc(effects, func(op string) bool { return strings.HasPrefix(op, "relay/") }); asked != beside && d.name != "restart" {
				t.Fatalf("the writer in another process was asked: %t", asked)
			}
			t.Logf("%d effects: %s", len(effects), strings.Join(effects, " "))
			for n, op := range effects {
				if part, _, _ := strings.Cut(op, "/"); beside && part != "relay" && part != "store" && part != "keys" {
					continue // the same as without another process
				}
				for _, kept := range []bool{false, true} {
					for _, again := range []string{"by the same process", "after a crash"} {
						row := fmt.Sprintf("effect %d, %s, failed", n+1, op)
						if kept {
							row += " but persisted"
						}
						row += ", again " + again
						w := first.clone(t)
						w.open()
						d.prepare(w)
						w.wrong(row, d, n, kept, again == "after a crash")
						if t.Failed() {
							t.Fatal(row)
						}
					}
				}
			}
		})
	}
}

// wrong is one row of the table.
func (w *works) wrong(row string, d deed, n int, kept, crash bool) {
	w.t.Helper()
	i := 0
	w.hook = func(string) fault {
		if i++; i == n+1 {
			return fault{errFault, kept}
		}
		return fault{}
	}
	err := d.do(w)
	w.hook = nil
	p := w.audited(row + ": after the fault")
	if err == nil && !d.done(w, p) {
		w.t.Errorf("%s: it was acknowledged and isn't done", row)
	}
	if err == nil || crash {
		w.crash()
		if p := w.audited(row + ": after a crash"); err == nil && !d.done(w, p) {
			w.t.Errorf("%s: it was acknowledged and is lost after a crash", row)
		}
	}
	if err != nil {
		if e := d.do(w); e != nil {
			// A writer that can't know its log says so, and the next one goes on.
			if crash {
				w.t.Errorf("%s: again: %v", row, e)
			}
			w.crash()
			if e := d.do(w); e != nil {
				w.t.Errorf("%s: again by another process, after %v: %v", row, err, e)
			}
		}
	}
	if w.serving.Log().View(func() {}) != nil { // somebody starts it again
		w.crash()
	}
	if p = w.audited(row + ": in the end"); !d.done(w, p) {
		w.t.Errorf("%s: it is not done in the end", row)
	}
	// Members are served what is theirs.
	w.pass(3 * time.Hour)
	for _, id := range p.WaveOrder {
		for i := range w.holders {
			if p.Readable(w.holders[i], id, w.now) == nil && p.Accounts[w.actors[i].Account].Closed == nil {
				if err := w.fetch(i, id); err != nil {
					w.t.Errorf("%s: a member is not served in the end: %v", row, err)
				}
			}
		}
	}
}
