package cvd

import (
	"errors"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
)

func TestSealing(t *testing.T) {
	w := bound(t)
	w.draft(wave1, rev1, form.Detection, w.now.Add(day), audience(2)...)
	w.denied(machine, RecordSealed{w.statement(wave1)}, "nobody approved the wave")
	w.do(carol, ApproveWave{wave1, w.p.Waves[wave1].Digest})
	w.denied(alice, RecordSealed{w.statement(wave1)}, "role sealer")
	for words, spoil := range map[string]func(*evidence.WaveStatement){
		"statement's case":      func(s *evidence.WaveStatement) { s.Case = ref(num[Case](9)) },
		"package or revision":   func(s *evidence.WaveStatement) { s.Revision = ref(num[Revision](9)) },
		"statement's level":     func(s *evidence.WaveStatement) { s.Level++ },
		"statement's opening":   func(s *evidence.WaveStatement) { s.OpensAt = s.OpensAt.Add(time.Microsecond) },
		"statement's Form":      func(s *evidence.WaveStatement) { s.Form[0]++ },
		"is not what was":       func(s *evidence.WaveStatement) { s.SlotTable[0]++ },
		"statement's allowance": func(s *evidence.WaveStatement) { s.AlphaPico++ },
		"leaves something":      func(s *evidence.WaveStatement) { s.Root = entrylog.Hash{} },
		"something out":         func(s *evidence.WaveStatement) { s.Bias = [32]byte{} },
		"leaves":                func(s *evidence.WaveStatement) { s.Decoder = "" },
		"tree of depth":         func(s *evidence.WaveStatement) { s.Depth = 0 },
	} {
		s := w.statement(wave1)
		spoil(&s)
		w.refused(machine, RecordSealed{s}, words)
	}
	s := w.statement(wave1)
	s.Wave = ref(num[Wave](9))
	w.denied(machine, RecordSealed{s}, "nothing by that name")
	if got := w.p.Unsealed(); len(got) != 1 || got[0] != wave1 {
		t.Errorf("for the sealer to do: %v", got)
	}
	if err := w.tryAs(Actor{machine, entrylog.AuthSystem}, RecordSealed{w.statement(wave1)}); err != nil {
		t.Fatal(err)
	}
	w.denied(machine, RecordSealed{w.statement(wave1)}, "has not opened yet")
	w.denied(carol, ApproveWave{wave1, w.p.Waves[wave1].Digest}, "has not opened yet")

	keys, _ := w.p.KeysOf(holder(1))
	stored := StoredCopy{Holder: holder(1), Keys: keys.Seq, Leaf: leaf(wave1, holder(1)), Blob: blob(1), Size: 1}
	for words, spoil := range map[string]func(*StoredCopy){
		"not in the wave's aud": func(c *StoredCopy) { c.Holder = holder(3) },
		"is not stored":         func(c *StoredCopy) { c.Blob = BlobRef{} },
		"not stored":            func(c *StoredCopy) { c.Size = 0 },
		"not in use":            func(c *StoredCopy) { c.Keys++ },
	} {
		c := stored
		spoil(&c)
		w.refused(machine, StoreCopies{Wave: wave1, Copies: []StoredCopy{c}}, words)
	}
	w.refused(machine, StoreCopies{Wave: wave1}, "no copies")
	w.refused(machine, StoreCopies{Wave: wave1, Copies: []StoredCopy{stored, stored}}, "ascending")
	w.do(machine, StoreCopies{Wave: wave1, Bulk: blob(2), Copies: []StoredCopy{stored}})
	w.refused(machine, StoreCopies{Wave: wave1, Bulk: blob(3), Copies: []StoredCopy{stored}}, "bulk")
	stored.Leaf[0]++
	w.refused(machine, StoreCopies{Wave: wave1, Copies: []StoredCopy{stored}}, "another than")
	if got := w.p.Unsealed(); len(got) != 1 || w.p.Waves[wave1].Stored() {
		t.Errorf("a copy is missing, and for the sealer to do: %v", got)
	}
	w.store(wave1)
	if w.p.Unsealed() != nil || !w.p.Waves[wave1].Stored() {
		t.Error("the sealer is still not done")
	}

	// Later waves of a package keep its bias and decoder.
	w.draft(num[Wave](2), rev1, form.PoC, w.now.Add(day), audience(3)...)
	w.do(carol, ApproveWave{num[Wave](2), w.p.Waves[num[Wave](2)].Digest})
	s = w.statement(num[Wave](2))
	s.Bias[0]++
	w.refused(machine, RecordSealed{s}, "earlier waves")
	w.seal2(num[Wave](2))
	if w.p.Issued(pkg1) != 3 {
		t.Errorf("%d issued; holders count once", w.p.Issued(pkg1))
	}
}

func (w *world) seal2(id WaveID) {
	w.tb.Helper()
	w.do(machine, RecordSealed{w.statement(id)})
	w.store(id)
}

func TestReading(t *testing.T) {
	read := Fetch{wave1, holder(1)}
	for name, at := range map[string]struct {
		words  string
		happen func(*world)
	}{
		"too early":      {"has not opened", func(w *world) { w.now = w.now.Add(-time.Microsecond) }},
		"held":           {"held for now", func(w *world) { w.do(bob, Hold{Wave: wave1}) }},
		"case held":      {"held for now", func(w *world) { w.do(bob, Hold{Case: case1}) }},
		"recalled":       {"recalled", func(w *world) { w.do(alice, IssueRecall{Revision: rev1}) }},
		"consent gone":   {"declined", func(w *world) { w.do(adminOf(1), GiveConsent{case1, mem(1), Declined, 1}) }},
		"no keys":        {"no key", func(w *world) { w.do(adminOf(1), RevokeKeys{Holder: holder(1)}) }},
		"suspended":      {"not in good standing", func(w *world) { w.do(alice, ChangeStanding{Member: mem(1), Standing: Suspended}) }},
		"account closed": {"is closed", func(w *world) { w.do(alice, CloseAccount{contactOf(1)}) }},
		"asked anew": {"lapsed", func(w *world) {
			w.do(alice, ProposeEmbargo{Case: case1, Release: ReleaseTime{w.now.Add(week), "UTC"}, Anew: true})
			w.do(alice, AgreeEmbargo{case1, 2})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := opened(t)
			if w.p.Readable(holder(1), wave1, w.now) != nil || w.p.May(Actor{Account: contactOf(1)}, ActFetch, ACopy(wave1, holder(1)), w.now) != nil {
				t.Fatal("not readable at all")
			}
			at.happen(w)
			// Ask the policy: Decide would refuse a clock that runs backwards.
			err := w.p.May(Actor{Account: contactOf(1)}, ActFetch, ACopy(wave1, holder(1)), w.now)
			if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), at.words) {
				t.Errorf("%v; wanted %q", err, at.words)
			}
			if name != "account closed" && w.p.Readable(holder(1), wave1, w.now) == nil {
				t.Error("denied, and called readable")
			}
		})
	}
	w := opened(t)
	w.denied(contactOf(1), Fetch{wave1, holder(2)}, "nothing by that name")
	w.denied(contactOf(3), Fetch{wave1, holder(3)}, "nothing by that name")
	w.denied(alice, Fetch{wave1, holder(1)}, "nothing by that name")
	w.denied(contactOf(1), Fetch{num[Wave](9), holder(1)}, "nothing by that name")
	w.do(contactOf(1), read)
	w.silent(contactOf(1), read)
	w.do(adminOf(1), read) // another account is another entry
	if len(w.p.Exposure(pkg1)) != 3 {
		t.Errorf("exposure: %+v", w.p.Exposure(pkg1))
	}

	// A wave whose time ends.
	w.do(bob, DraftWave{Wave: num[Wave](2), Revision: rev1, Purpose: Staged, Level: form.HeadsUp, OpensAt: w.now, LapsesAt: w.now.Add(time.Hour), Audience: audience(1)})
	w.seal(num[Wave](2))
	w.do(contactOf(1), Fetch{num[Wave](2), holder(1)})
	w.tick(time.Hour)
	w.denied(contactOf(1), Fetch{num[Wave](2), holder(1)}, "was readable until")

	// Sealed, open, and its copy not stored yet.
	w.draft(num[Wave](3), rev1, form.HeadsUp, w.now, audience(1)...)
	w.do(carol, ApproveWave{num[Wave](3), w.p.Waves[num[Wave](3)].Digest})
	w.do(machine, RecordSealed{w.statement(num[Wave](3))})
	w.denied(contactOf(1), Fetch{num[Wave](3), holder(1)}, "still being sealed")
}

func TestReceipts(t *testing.T) {
	w := opened(t)
	lodge := func(spoil func(*evidence.Receipt)) LodgeReceipt {
		r := w.receipt(wave1, holder(1))
		spoil(&r)
		return LodgeReceipt{wave1, holder(1), r}
	}
	good := lodge(func(*evidence.Receipt) {})
	w.refused(contactOf(1), good, "never fetched")
	w.do(contactOf(1), Fetch{wave1, holder(1)})
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Origin = "other.example" }), "for the log")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Key[0]++ }), "not in use")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Leaf[0]++ }), "another copy")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Tick += 2 }), "still to come")
	w.refused(contactOf(1), lodge(func(r *evidence.Receipt) { r.Tick = 1 << 63 }), "still to come")
	w.denied(contactOf(2), good, "nothing by that name")
	w.denied(alice, good, "nothing by that name")
	w.do(bob, Hold{Case: case1})
	w.do(contactOf(1), good) // evidence is welcome while serving is held
	w.silent(contactOf(1), good)
	if r := w.p.Waves[wave1].CopyOf(holder(1)).Receipt; r == nil || r.Signature != good.Receipt.Signature {
		t.Error("the receipt is not kept")
	}
}
