package home_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/inquiry"
	"forewarn/internal/wire"
)

// shape is what an outsider sees of a published folder: names and sizes.
func shape(t *testing.T, dir string) (out string) {
	t.Helper()
	ok(t, filepath.Walk(dir, func(p string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			out += fmt.Sprintf("%s %d\n", rel, info.Size())
		}
		return err
	}))
	return out
}

// Two programmes were founded at one time and tick on one schedule. One sleeps;
// in the other a case is opened, waves go out, copies are fetched and signed
// for, one leaks and is traced. What both publish has the same files of the same
// sizes, at every moment.
func TestOutsidersSeeNoDifference(t *testing.T) {
	idle, busy := &town{}, &town{}
	for i, tn := range []*town{idle, busy} {
		*tn = *bare(t, filepath.Join(t.TempDir(), "p"), fmt.Sprintf("%s %d", t.Name(), i))
	}
	compare := func(when string) {
		t.Helper()
		a, b := shape(t, filepath.Join(idle.dir, "desk", "anchors")), shape(t, filepath.Join(busy.dir, "desk", "anchors"))
		if a != b {
			t.Fatalf("%s the idle programme shows\n%s\nand the busy one\n%s", when, a, b)
		}
	}
	// pass lets minutes go by, with the timer of both.
	pass := func(minutes int) {
		t.Helper()
		for range minutes {
			compare("before a tick")
			for _, tn := range []*town{idle, busy} {
				tn.clock.pass(tick)
				ok(t, tn.desk.Log().Tick(ctx))
			}
			compare("after a tick")
		}
	}
	pass(3)
	busy.people(6)
	compare("after people came")
	pass(1)
	busy.openCase()
	busy.addPackage()
	pass(1)
	// Two waves of one tick, one of them to a single member.
	small, large := busy.wave(form.PoC, busy.members[0]), busy.wave(form.PoC, busy.members[1:]...)
	pass(11)
	lengths := map[string]int{}
	var leaked []byte
	for i, m := range busy.members {
		id := large
		if i == 0 {
			id = small
		}
		del, files, err := busy.fetch(m, id)
		ok(t, err)
		key, _ := m.keys.SigningKey()
		receipt, err := evidence.SignReceipt(key.Private(), &del.Proof, busy.verify, tick)
		ok(t, err)
		lengths[fmt.Sprintf("a proof of %d bytes, a receipt of %d, an age file of %d", len(wire.Marshal(&del.Proof)), len(wire.Marshal(receipt)), len(del.Sealed))]++
		_, err = busy.desk.LodgeReceipt(ctx, m.actor, m.id, receipt)
		ok(t, err)
		for _, f := range files {
			if i == 3 && f.Path == "advisory.md" {
				leaked = f.Data
			}
		}
	}
	if len(lengths) != 1 {
		t.Errorf("members of waves of different sizes hold different things: %v", lengths)
	}
	compare("after copies were fetched")
	pass(2)
	o := busy.office()
	defer o.Close()
	o.Wait = func(until time.Time) error {
		for busy.clock.Now().Before(until) {
			pass(1)
		}
		return nil
	}
	out, err := o.Investigate(ctx, busy.desk.Desk, busy.who["ina"], inquiry.Question{Case: busy.cs, Specimens: []inquiry.Specimen{specimen("paste.txt", leaked, busy.clock.Now())}})
	ok(t, err)
	if out.Findings.Conclusion != evidence.Traced {
		t.Errorf("the findings are %q", out.Findings.Conclusion)
	}
	compare("after the investigation")
	// A gap of hours, caught up with at once: full tiles.
	for _, tn := range []*town{idle, busy} {
		tn.clock.pass(9 * time.Hour)
	}
	pass(2)
	busy.reopen()
	compare("after a restart")
	busy.audit()
	idle.audit()
}
