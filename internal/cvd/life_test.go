package cvd

import (
	"testing"
	"time"

	"forewarn/internal/form"
)

// TestLife lives one case through, from its opening to its release.
func TestLife(t *testing.T) {
	w := newWorld(t)
	w.found()
	for n := 1; n <= 3; n++ {
		w.admit(n)
	}
	var (
		c    = num[Case](1)
		pk   = num[Package](1)
		r    = num[Revision](1)
		wave = num[Wave](1)
	)
	w.embargo(c, 3)
	w.revise(c, pk, r)
	opens := w.now.Add(48 * time.Hour)
	w.draft(wave, r, form.Detection, opens, audience(2)...)
	w.seal(wave)
	if err := w.try(contactOf(1), Fetch{wave, holder(1)}); err == nil {
		t.Fatal("fetched before it opened")
	}
	w.now = opens
	w.do(contactOf(1), Fetch{wave, holder(1)})
	size := len(w.log)
	w.tick(59 * time.Minute)
	w.do(contactOf(1), Fetch{wave, holder(1)})
	if len(w.log) != size {
		t.Error("a repeat within the hour made another entry")
	}
	w.tick(time.Minute)
	w.do(contactOf(1), Fetch{wave, holder(1)})
	if len(w.log) != size+1 {
		t.Error("a fetch an hour later made no entry")
	}
	w.do(contactOf(1), LodgeReceipt{wave, holder(1), w.receipt(wave, holder(1))})
	if got := w.p.Exposure(pk); len(got) != 3 || got[0].ReceiptAt.IsZero() || got[2].Account != (AccountID{}) {
		t.Errorf("exposure: %+v", got)
	}
	if w.p.Issued(pk) != 2 {
		t.Errorf("%d issued", w.p.Issued(pk))
	}
	w.do(alice, EndEmbargo{Case: c, Revision: r, Level: form.Detection})
	w.do(alice, DraftWave{Wave: num[Wave](2), Revision: r, Purpose: BreakPack, Level: form.Detection, OpensAt: w.now, Audience: audience(3)})
	w.seal(num[Wave](2))
	w.do(contactOf(3), Fetch{num[Wave](2), holder(3)})
	w.do(alice, Release{Case: c})
	if w.replay().StateHash() != w.p.StateHash() {
		t.Error("replay comes to another state")
	}
}
