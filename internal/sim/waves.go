package sim

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/seal"

	"golang.org/x/mod/sumdb/note"
)

// event is something a holder does at a time.
type event struct {
	at time.Time
	do func() error
}

// issue seals and opens the waves, and lets their holders fetch, sign, answer.
func (w *world) issue() error {
	revision, err := w.desk.Revision(w.cs, 0)
	if err != nil {
		return err
	}
	var events []event
	for i, plan := range waves {
		opens := patch.Add(-plan.before)
		if err := w.playUntil(&events, opens.Add(-20*time.Hour)); err != nil {
			return err
		}
		level, err := form.ParseLevel(plan.level)
		if err != nil {
			return err
		}
		var audience []*holder
		if i == 0 {
			audience = append(audience, w.people...)
		}
		for _, h := range w.orgs {
			if tierOf(h) == plan.tier {
				audience = append(audience, h)
			}
		}
		q := cvd.DraftWave{Revision: revision, Purpose: cvd.Staged, Level: level, OpensAt: opens}
		for _, h := range audience {
			q.Audience = append(q.Audience, h.id)
		}
		id, left, err := w.desk.DraftFor(w, w.who["ana"], q)
		if err != nil {
			return err
		}
		if err := w.desk.Approve(w, w.who["ben"], id, w.Bar("sealing")); err != nil {
			return err
		}
		w.ids = append(w.ids, id)
		w.step("wave %d (%s) is approved by a second person, sealed and committed: %d copies, opening %s", i+1, plan.level, len(audience)-len(left), opens.Format("2 Jan 15:04"))
		for _, l := range left {
			audience = slices.DeleteFunc(audience, func(h *holder) bool { return h.id == l.Holder })
		}
		for _, h := range audience {
			events = append(events, w.reader(h, i, opens, plan.within)...)
		}
	}
	// Everything before the first exploitation has happened when it starts.
	return w.playUntil(&events, exploited.Add(-time.Minute))
}

// reader decides what a holder does with its copy of a wave.
func (w *world) reader(h *holder, wave int, opens time.Time, within time.Duration) []event {
	if w.rng.IntN(100) < 6 {
		return nil // never looks
	}
	at := opens.Add(time.Duration(w.rng.Int64N(int64(within))))
	sign, answer := w.rng.IntN(100) < 88, w.rng.IntN(100)
	later := at.Add(time.Duration(1+w.rng.IntN(20)) * time.Hour)
	out := []event{{at, func() error { return w.fetch(h, wave, sign) }}}
	if h.tier != "staff" && answer < 60 && later.Before(exploited) {
		state := []cvd.AnswerState{cvd.Investigating, cvd.InProgress, cvd.Ready, cvd.Ready}[answer%4]
		out = append(out, event{later, func() error {
			return w.desk.Answer(w, h.actor, w.cs, w.prods[0], state, "")
		}})
	}
	return out
}

// playUntil lets everything happen that is due by then, in order.
func (w *world) playUntil(events *[]event, until time.Time) error {
	slices.SortStableFunc(*events, func(a, b event) int { return a.at.Compare(b.at) })
	n := 0
	for _, e := range *events {
		if e.at.After(until) {
			break
		}
		n++
		w.clock.Set(e.at)
		if err := e.do(); err != nil {
			return err
		}
	}
	*events = (*events)[n:]
	w.clock.Set(until)
	return nil
}

// fetch is what a member's machine does: fetch, open, verify, keep, sign.
func (w *world) fetch(h *holder, wave int, sign bool) error {
	del, err := w.desk.Fetch(w, h.actor, w.ids[wave], h.id)
	if err != nil {
		return fmt.Errorf("%s fetches wave %d: %w", h.name, wave+1, err)
	}
	files, err := seal.OpenCopy(bytes.NewReader(del.Sealed), h.keys, seal.DefaultLimits)
	if err != nil {
		return fmt.Errorf("%s opens wave %d: %w", h.name, wave+1, err)
	}
	files, _ = seal.TakeBulkKey(files)
	v, err := note.NewVerifier(w.home.LogKey())
	if err != nil {
		return err
	}
	if _, err := del.Proof.Verify(v, w.home.Interval()); err != nil {
		return fmt.Errorf("%s checks wave %d: %w", h.name, wave+1, err)
	}
	if form.CopyHash(files) != del.Proof.Copy {
		return fmt.Errorf("%s got other files in wave %d than were committed to", h.name, wave+1)
	}
	got := taken{at: w.clock.Now(), wave: wave, files: map[string][]byte{}}
	for _, f := range files {
		got.files[f.Path] = f.Data
	}
	h.has = append(h.has, got)
	key, ok := h.keys.SigningKey()
	if !sign || !ok {
		return nil
	}
	w.clock.pass(time.Duration(1+w.rng.IntN(5)) * time.Minute)
	r, err := evidence.SignReceipt(key.Private(), &del.Proof, v, w.home.Interval())
	if err != nil {
		return err
	}
	_, err = w.desk.LodgeReceipt(w, h.actor, h.id, r)
	return err
}

func tierOf(h *holder) uint8 {
	return uint8(slices.IndexFunc(tiers, func(t tierPart) bool { return t.name == h.tier }) + 1)
}
