package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
	"forewarn/internal/wire"
)

// backup is what a backup of the log's folder holds. The outside checkpoint is
// not in it.
type backup struct {
	store  *memstore.Store
	folder *memstore.Folder
}

func (w *world) backup() backup { return backup{w.store.Copy(nil), w.folder.Copy(nil)} }

func (w *world) restore(b backup) { w.store, w.folder = b.store.Copy(nil), b.folder.Copy(nil) }

// grown is a world with a few ticks of history.
func grown(t testing.TB) *world {
	w := newWorld(t)
	for i := range 3 {
		w.append(kindPublic, uint64(i))
		w.clock.Add(time.Minute)
		w.tick()
	}
	return w
}

func TestOlderFolderIsAFork(t *testing.T) {
	w := grown(t)
	old := w.backup()
	w.append(kindPlain, 9)
	w.clock.Add(time.Minute)
	w.tick()

	published := w.folder.Files()
	w.restore(old)
	before := w.folder.Files()
	err := w.tryOpen(nil)
	if !errors.Is(err, ledger.ErrFork) || !strings.Contains(err.Error(), "outside checkpoint") {
		t.Fatalf("opening an older folder: %v", err)
	}
	sameFiles(t, before, w.folder.Files())

	// The auditor sees it too, when given the later checkpoint.
	rep := w.verify()
	if rep.OK() || rep.Problems[0].Where != "given checkpoint" {
		t.Errorf("an older folder against a later checkpoint: %v", rep.Problems)
	}
	// Without it, the older folder is sound.
	if r, err := ledger.Verify(context.Background(), w.store.Reopen(nil), w.folder, w.opt, nil, nil); err != nil || !r.OK() {
		t.Errorf("an older folder by itself: %v %v", err, r.Problems)
	}
	// Only the database restored: the published folder knows.
	w.folder = memstore.NewFolder(nil)
	w.folder.Tamper(func(f map[string][]byte) {
		for path, b := range published {
			f[path] = b
		}
	})
	rep = w.verify()
	if rep.OK() {
		t.Error("an older store under a newer published folder verifies")
	}
}

// An older folder of a log in which nothing happened since is no fork: it makes
// the same anchors.
func TestOlderIdleFolderGoesOn(t *testing.T) {
	w := grown(t)
	old := w.backup()
	w.clock.Add(5 * time.Minute)
	w.tick()
	want := w.folder.Files()["checkpoint"]
	w.restore(old)
	if rep := w.verify(); rep.OK() {
		t.Error("an older idle folder verifies against a later checkpoint")
	}
	w.open()
	if got := w.folder.Files()["checkpoint"]; !bytes.Equal(got, want) {
		t.Errorf("the checkpoint made anew differs:\n%s\n%s", got, want)
	}
	w.mustVerify()
}

func TestMissingCheckpoints(t *testing.T) {
	for _, tc := range []struct {
		name string
		lose func(*world)
		want error
	}{
		{"outside", func(w *world) { w.outside = memstore.NewOutside(nil) }, ledger.ErrFork},
		{"outside of another log", func(w *world) {
			w.outside = memstore.NewOutside(nil)
			_ = w.outside.Save(context.Background(), []byte("nonsense\n"))
		}, ledger.ErrDamaged},
		{"published garbage", func(w *world) {
			w.folder.Tamper(func(f map[string][]byte) { f["checkpoint"] = []byte("x") })
		}, ledger.ErrDamaged},
		{"published gone", func(w *world) { w.folder = memstore.NewFolder(nil) }, nil},
		{"store emptied", func(w *world) { w.store = memstore.New(nil) }, ledger.ErrFork},
		{"everything emptied but the outside", func(w *world) {
			w.store, w.folder = memstore.New(nil), memstore.NewFolder(nil)
		}, ledger.ErrFork},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := grown(t)
			tc.lose(w)
			if err := w.tryOpen(nil); !errors.Is(err, tc.want) {
				t.Errorf("open: %v, want %v", err, tc.want)
			}
		})
	}
}

func TestTwoWriters(t *testing.T) {
	w := grown(t)
	first := w.log
	saved, _ := w.outside.Load(context.Background())
	w.open() // in another process, say
	w.append(kindPlain, 1)

	_, err := first.Append(context.Background(), []ledger.Draft{{Kind: kindPlain}})
	if !errors.Is(err, ledger.ErrFenced) || !errors.Is(err, ledger.ErrDead) {
		t.Errorf("append by the fenced writer: %v", err)
	}
	if err := first.View(func() { t.Error("a dead writer's state was shown") }); !errors.Is(err, ledger.ErrDead) {
		t.Errorf("view: %v", err)
	}
	if err := first.Tick(context.Background()); !errors.Is(err, ledger.ErrDead) {
		t.Errorf("tick: %v", err)
	}
	w.mustVerify()

	// A fenced writer that only ticks is stopped before its signature is seen.
	second := w.log
	w.open()
	w.append(kindPlain, 2)
	w.clock.Add(time.Minute)
	if err := second.Tick(context.Background()); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("tick by the fenced writer: %v", err)
	}
	if now, _ := w.outside.Load(context.Background()); !bytes.Equal(now, saved) {
		t.Error("a fenced writer's checkpoint came outside")
	}
	w.tick()
	w.mustVerify()
}

func TestUnknownKind(t *testing.T) {
	w := grown(t)
	if _, err := w.log.Append(context.Background(), []ledger.Draft{{Kind: 77}}); !errors.Is(err, ledger.ErrUnknownKind) {
		t.Errorf("appending a kind that cannot be read back: %v", err)
	}
	newer := w.opt
	w.opt.Known = func(k entrylog.Kind) bool { return k <= 3 }
	w.open()
	w.append(3, 1)
	w.opt = newer
	if err := w.tryOpen(nil); !errors.Is(err, ledger.ErrUnknownKind) || !strings.Contains(err.Error(), "entry 3") {
		t.Errorf("opening a newer log: %v", err)
	}
	if rep := w.verify(); rep.OK() || rep.Problems[0].Where != "entry 3" {
		t.Errorf("verifying a newer log: %v", rep.Problems)
	}
	w.opt.Known = nil
	if err := w.tryOpen(nil); !errors.Is(err, ledger.ErrUnknownKind) {
		t.Errorf("a program that knows no kind: %v", err)
	}
}

func TestRecovery(t *testing.T) {
	w := grown(t)
	if _, err := w.recover(nil); !errors.Is(err, ledger.ErrNothingLost) {
		t.Fatalf("recovering a sound log: %v", err)
	}
	w.open()
	proof, err := w.log.Prove(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	old := w.backup()
	w.append(kindPlain, 9)
	w.clock.Add(time.Minute)
	w.tick()
	lost, _ := w.log.Checkpoint()
	w.restore(old)
	before := w.folder.Files()

	r, err := w.recover(nil)
	if err != nil || r.Number != 1 || len(r.Lost) != 1 || !bytes.Equal(r.Lost[0], lost) {
		t.Fatalf("recovery: %v, %+v", err, r)
	}
	w.mustVerify() // also before it is opened
	recovered := w.backup()
	w.restore(old) // nothing is anchored under the new origin, and yet it is older
	if err := w.tryOpen(nil); !errors.Is(err, ledger.ErrFork) {
		t.Errorf("the older folder right after a recovery: %v", err)
	}
	w.restore(recovered)
	w.open()
	w.append(kindPublic, 1)
	w.clock.Add(time.Minute)
	w.tick()
	w.open()
	rep := w.mustVerify()
	if rep.Recovery != 1 || rep.Origin != origin+"/recovery-1" {
		t.Errorf("report: %+v", rep)
	}
	for path, b := range before {
		if !bytes.Equal(w.folder.Files()[path], b) {
			t.Errorf("%s, published before the recovery, changed", path)
		}
	}
	if _, ok := w.folder.Files()["recovery-1/checkpoint"]; !ok {
		t.Error("the recovered log is not published in its own folder")
	}
	if _, err := proof.Verify(w.opt.Verifier, interval); err != nil {
		t.Errorf("a proof from before: %v", err)
	}
	proof, err = w.log.Prove(context.Background(), 4)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(w.opt.Verifier, interval); err != nil {
		t.Errorf("a proof from after: %v", err)
	}
	v, err := ledger.Verify(context.Background(), w.store.Reopen(nil), w.folder, w.opt, lost, nil)
	if err != nil || v.OK() || v.Problems[0].Where != "given checkpoint" {
		t.Errorf("verifying against what was given up: %v %v", err, v.Problems)
	}

	// What was published before is still audited.
	w.folder.Tamper(func(f map[string][]byte) { f["tile/0/000.p/2"][5] ^= 1 })
	if rep := w.verify(); rep.OK() || rep.Problems[0].Where != "tile/0/000.p/2" {
		t.Errorf("a flip in the former folder: %v", rep.Problems)
	}
	w.folder.Tamper(func(f map[string][]byte) { f["tile/0/000.p/2"][5] ^= 1 })

	// The folder from before the recovery is older still.
	w.restore(old)
	if err := w.tryOpen(nil); !errors.Is(err, ledger.ErrFork) {
		t.Errorf("the older folder after a recovery: %v", err)
	}
	// And a second recovery, of it, does not use the first one's origin.
	if r, err := w.recover(nil); err != nil || r.Number != 2 {
		t.Errorf("second recovery: %v, %+v", err, r)
	}
	w.open()
	w.mustVerify()
}

// One folder, copied once and recovered twice, with nothing left of the first time:
// no origin is used for two histories.
func TestRecoveredTwiceFromOneCopy(t *testing.T) {
	w := grown(t)
	old := w.backup()
	seen := map[string]string{}
	for i := range 3 {
		w.restore(old)
		w.outside = memstore.NewOutside(nil)
		if _, err := w.recover(nil); err != nil {
			t.Fatal(err)
		}
		w.open()
		w.append(kindPublic, uint64(i))
		w.clock.Add(time.Minute)
		w.tick()
		rep := w.mustVerify()
		signed, cp := w.log.Checkpoint()
		if before, ok := seen[fmt.Sprint(cp.Origin, cp.Size)]; ok && before != string(signed) || rep.Origin != cp.Origin {
			t.Errorf("recovery %d: %s signs two histories:\n%s\n%s", i, cp.Origin, before, signed)
		}
		seen[fmt.Sprint(cp.Origin, cp.Size)] = string(signed)
		w.clock.Add(-time.Minute)
		w.clock.Add(time.Second)
	}
}

func (w *world) recover(hook memstore.Hook) (ledger.Recovery, error) {
	w.store = w.store.Reopen(hook)
	w.folder.SetHook(hook)
	w.outside.SetHook(hook)
	return ledger.Recover(context.Background(), w.store, w.folder, w.outside, w.opt,
		ledger.Draft{Actor: entrylog.Ref{1}, Auth: entrylog.AuthNone})
}

// TestRecoveryFaults fails each write of a recovery, both ways. The log then opens,
// or can be recovered again.
func TestRecoveryFaults(t *testing.T) {
	for name, lose := range map[string]func(*world){
		"older folder": func(w *world) {
			old := w.backup()
			w.append(kindPlain, 9)
			w.clock.Add(time.Minute)
			w.tick()
			w.restore(old)
		},
		"outside gone": func(w *world) { w.outside = memstore.NewOutside(nil) },
		"outside damaged": func(w *world) {
			if err := w.outside.Save(context.Background(), []byte("nonsense\n")); err != nil {
				w.t.Fatal(err)
			}
		},
		"head damaged": func(w *world) {
			w.store.Tamper(func(_ []entrylog.Record, head []byte) { head[len(head)-5] ^= 1 })
		},
	} {
		for _, op := range []memstore.Op{memstore.Acquire, memstore.Append, memstore.SetHead, memstore.Save} {
			for _, kept := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%v", name, op, kept), func(t *testing.T) {
					w := grown(t)
					lose(w)
					if err := w.tryOpen(nil); err == nil {
						t.Fatal("the log opens without a recovery")
					}
					_, err := w.recover(memstore.Once(op, 1, memstore.Fault{Err: errFault, Kept: kept}))
					if !errors.Is(err, errFault) {
						t.Fatalf("recover: %v", err)
					}
					w.outside.SetHook(nil)
					if err := w.tryOpen(nil); err != nil {
						if _, err := w.recover(nil); err != nil {
							t.Fatalf("recovering again: %v", err)
						}
						w.open()
					}
					w.append(kindPublic, 1)
					w.clock.Add(time.Minute)
					w.tick()
					w.open()
					w.mustVerify()
				})
			}
		}
	}
}

// TestRecoveryIsLaterThanItsAnchors: with a clock that fell behind, and a crash
// right after the entry, the head that still holds must go on holding.
func TestRecoveryIsLaterThanItsAnchors(t *testing.T) {
	w := grown(t)
	if err := w.outside.Save(context.Background(), []byte("nonsense\n")); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(-45 * time.Second)
	if _, err := w.recover(memstore.Once(memstore.SetHead, 1, memstore.Fault{Err: errFault})); !errors.Is(err, errFault) {
		t.Fatalf("recover: %v", err)
	}
	w.open()
	w.mustVerify()
}

func FuzzRecovery(f *testing.F) {
	for _, r := range []ledger.Recovery{{Number: 1}, {Number: 7, Lost: [][]byte{[]byte("a"), nil}}} {
		f.Add(wire.Marshal(&r))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r ledger.Recovery
		if err := wire.Unmarshal(b, &r); err == nil && (!bytes.Equal(wire.Marshal(&r), b) || r.Number == 0) {
			t.Errorf("%x was read as %+v", b, r)
		}
	})
}
