package cvd

import (
	"testing"
	"time"

	"forewarn/internal/entrylog"
)

// TestHeadsUp lives heads-ups through: one at a time, moved in time, withdrawn, met.
func TestHeadsUp(t *testing.T) {
	w := bound(t)
	c, h := num[Case](1), num[HeadsUp](1)
	at := func(d time.Duration) ReleaseTime { return ReleaseTime{w.now.Add(d), "UTC"} }
	state := func(id HeadsUpID, want HeadsUpState) {
		t.Helper()
		if got := w.p.HeadsUpState(id, w.now); got != want {
			t.Errorf("the heads-up is %s, wanted %s", got, want)
		}
	}
	w.do(bob, OpenCase{Case: num[Case](9)})
	w.denied(alice, PublishHeadsUp{HeadsUp: h, Case: num[Case](9), Planned: at(day), Text: blob(1)}, "no embargo of the case binds yet")
	w.denied(bob, PublishHeadsUp{HeadsUp: h, Case: c, Planned: at(day), Text: blob(1)}, "coordinator")
	if err := w.p.May(Actor{alice, entrylog.AuthSession}, ActPublishHeadsUp, ACase(c), w.now); err == nil {
		t.Error("a mere session publishes")
	}
	w.refused(alice, PublishHeadsUp{HeadsUp: h, Case: c, Planned: at(0), Text: blob(1)}, "future")
	w.refused(alice, PublishHeadsUp{HeadsUp: h, Case: c, Planned: ReleaseTime{At: w.now.Add(day)}, Text: blob(1)}, "zone")
	w.refused(alice, PublishHeadsUp{HeadsUp: h, Case: c, Planned: at(day)}, "text is missing")
	w.refused(alice, PublishHeadsUp{Case: c, Planned: at(day), Text: blob(1)}, "no id")
	w.refused(alice, PublishHeadsUp{h, c, at(day), blob(1), blob(2)}, "no heads-up to change")
	w.refused(alice, WithdrawHeadsUp{h, c, blob(1)}, "no heads-up of the case")
	state(h, NoHeadsUp)
	w.do(alice, PublishHeadsUp{HeadsUp: h, Case: c, Planned: at(day), Text: blob(1)})
	state(h, HeadsUpAnnounced)
	w.refused(alice, PublishHeadsUp{HeadsUp: num[HeadsUp](2), Case: c, Planned: at(day), Text: blob(1)}, "another heads-up")
	w.refused(alice, PublishHeadsUp{HeadsUp: h, Case: c, Planned: at(day), Text: blob(1)}, "what was changed")
	w.tick(day)
	state(h, HeadsUpOverdue)
	w.do(alice, PublishHeadsUp{h, c, at(day), blob(3), blob(4)})
	state(h, HeadsUpAnnounced)
	if got := w.p.HeadsUps[h]; len(got.Said) != 2 || got.Now().Text != blob(3) || w.p.HeadsUpOf(c) != got {
		t.Errorf("%+v", got)
	}
	w.refused(alice, WithdrawHeadsUp{h, c, BlobRef{}}, "say why")
	w.do(alice, WithdrawHeadsUp{h, c, blob(5)})
	state(h, HeadsUpWithdrew)
	w.refused(alice, WithdrawHeadsUp{h, c, blob(5)}, "withdrawn already")
	w.refused(alice, PublishHeadsUp{h, c, at(day), blob(3), blob(4)}, "no heads-up to change")
	w.refused(alice, PublishHeadsUp{HeadsUp: h, Case: c, Planned: at(day), Text: blob(3)}, "already")
	second := num[HeadsUp](2)
	w.do(alice, PublishHeadsUp{HeadsUp: second, Case: c, Planned: at(day), Text: blob(6)})
	w.do(alice, EndEmbargo{Case: c})
	state(second, HeadsUpAnnounced)
	w.do(alice, Release{c, blob(7)})
	state(second, HeadsUpMet)
	state(h, HeadsUpWithdrew)
	w.denied(alice, PublishHeadsUp{second, c, at(day), blob(3), blob(4)}, "public already")
	w.denied(alice, WithdrawHeadsUp{second, c, blob(4)}, "public already")
	w.do(alice, DestroyKey{CaseKey, ref(c)})
	state(second, HeadsUpGone)
	state(h, HeadsUpGone)
}
