package home_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

// Destroying a key takes a text away and nothing else: the state, the log and
// its proofs stay as they were, and the text stays gone after a restart, after a
// crash between the entry and the file, and after somebody writes to it again.
func TestShredding(t *testing.T) {
	tn := found(t, 2)
	id := tn.wave(form.Detection, tn.members...)
	tn.clock.pass(11 * time.Minute)
	for _, m := range tn.members {
		_, _, err := tn.fetch(m, id)
		ok(t, err)
	}
	tn.clock.pass(release.Sub(tn.clock.Now()) + time.Hour)
	ok(t, tn.desk.Release(ctx, tn.who["ana"], tn.cs, []byte("update\n")))
	leaver := tn.members[1]
	ana := tn.who["ana"]
	text := func(key string, pick func(*cvd.Programme) cvd.BlobRef) error {
		var ref cvd.BlobRef
		ok(t, tn.desk.View(func(p *cvd.Programme) error { ref = pick(p); return nil }))
		var v map[string]any
		return tn.desk.Text(ctx, key, ref, &v)
	}
	title := func(p *cvd.Programme) cvd.BlobRef { return p.Cases[tn.cs].Title }
	person := func(p *cvd.Programme) cvd.BlobRef { return p.Accounts[leaver.actor.Account].Person }
	member := func(p *cvd.Programme) cvd.BlobRef { return p.Members[cvd.MemberID(leaver.id)].Name }

	for _, x := range []struct {
		what    string
		prepare func()
		key     string
		text    func(*cvd.Programme) cvd.BlobRef
		destroy cvd.DestroyKey
		again   func() error // writes a text under the same key
	}{
		{"case", func() {}, coordinator.CaseKey(tn.cs), title,
			cvd.DestroyKey{Scope: cvd.CaseKey, ID: [16]byte(tn.cs)},
			func() error { _, err := tn.desk.Reason(ctx, coordinator.CaseKey(tn.cs), "late"); return err }},
		{"person", func() {
			_, err := tn.desk.Do(ctx, ana, cvd.CloseAccount{Account: leaver.actor.Account})
			ok(t, err)
		}, coordinator.PersonKey(leaver.actor.Account), person,
			cvd.DestroyKey{Scope: cvd.PersonKey, ID: [16]byte(leaver.actor.Account)},
			func() error {
				_, err := tn.desk.PutText(ctx, coordinator.PersonKey(leaver.actor.Account), coordinator.Person{Handle: "x"})
				return err
			}},
		{"member", func() {
			_, err := tn.desk.Do(ctx, ana, cvd.ChangeStanding{Member: cvd.MemberID(leaver.id), Standing: cvd.Left})
			ok(t, err)
		}, coordinator.MemberKey(cvd.MemberID(leaver.id)), member,
			cvd.DestroyKey{Scope: cvd.PersonKey, ID: [16]byte(leaver.id)},
			func() error {
				_, err := tn.desk.PutText(ctx, coordinator.MemberKey(cvd.MemberID(leaver.id)), coordinator.Named{Name: "x"})
				return err
			}},
	} {
		t.Run(x.what, func(t *testing.T) {
			x.prepare()
			ok(t, text(x.key, x.text))

			// A legal hold keeps it.
			_, err := tn.desk.Do(ctx, ana, cvd.SetLegalHold{Scope: x.destroy.Scope, ID: x.destroy.ID, On: true, Review: tn.clock.Now().Add(24 * time.Hour)})
			ok(t, err)
			if err := tn.desk.DestroyKey(ctx, ana, x.destroy); !errors.Is(err, cvd.ErrDenied) && !errors.Is(err, cvd.ErrRefused) {
				t.Fatalf("under a legal hold: %v", err)
			}
			ok(t, text(x.key, x.text))
			_, err = tn.desk.Do(ctx, ana, cvd.SetLegalHold{Scope: x.destroy.Scope, ID: x.destroy.ID})
			ok(t, err)
			if err := tn.desk.DestroyKey(ctx, tn.who["cleo"], x.destroy); !errors.Is(err, cvd.ErrDenied) {
				t.Fatalf("by a case worker: %v", err)
			}

			file := filepath.Join(tn.dir, "desk", "keys", x.key)
			key, err := os.ReadFile(file)
			ok(t, err)
			ok(t, tn.desk.DestroyKey(ctx, ana, x.destroy))
			before := tn.state()
			gone := func(when string) {
				t.Helper()
				if err := text(x.key, x.text); !errors.Is(err, coordinator.ErrGone) {
					t.Errorf("%s the text: %v, want ErrGone", when, err)
				}
				if _, err := os.Stat(file); err == nil {
					t.Errorf("%s the key is in the folder", when)
				}
				if tn.state() != before || tn.audit() != before {
					t.Errorf("%s the state is another", when)
				}
			}
			gone("after the key was destroyed")
			tn.reopen()
			gone("after a restart")
			if err := x.again(); !errors.Is(err, coordinator.ErrGone) {
				t.Errorf("writing under a destroyed key: %v, want ErrGone", err)
			}
			gone("after another text")

			// The crash between the entry and the file.
			ok(t, os.WriteFile(file, key, 0o600))
			tn.reopen()
			gone("after a crash and a restart")
			ok(t, tn.desk.DestroyKey(ctx, ana, x.destroy))
			gone("after it was destroyed again")

			grep(t, filepath.Join(tn.dir, "desk"), string(key))
		})
	}

	// Names of what is gone say so, and the rest can be read.
	ok(t, tn.desk.View(func(p *cvd.Programme) error {
		n := tn.desk.Names(ctx, p)
		if s := n.Case(tn.cs); !strings.Contains(s, "no longer") {
			t.Errorf("the case is called %q", s)
		}
		if s := n.Member(cvd.MemberID(leaver.id)); !strings.Contains(s, "no longer") {
			t.Errorf("the member who left is called %q", s)
		}
		if s := n.Member(cvd.MemberID(tn.members[0].id)); s != "Member 1" {
			t.Errorf("the other member is called %q", s)
		}
		return nil
	}))
}

// grep wants no file below a folder to hold a text.
func grep(t *testing.T, dir, text string) {
	t.Helper()
	ok(t, filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if strings.Contains(string(b), strings.TrimSpace(text)) {
			t.Errorf("%s holds it", p)
		}
		return err
	}))
}
