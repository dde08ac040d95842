package sim

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/inquiry"
	"forewarn/internal/sighting"
	"forewarn/internal/sim/telemetry"
	"forewarn/internal/token"
)

// leak lets material out, plants the attack among real records, and has the desk
// look at its telemetry.
func (w *world) leak() error {
	out, err := w.material()
	if err != nil {
		return err
	}
	begins := exploited
	if w.Scenario == PatchDiff {
		begins = diffed
	}
	var attack []telemetry.Request
	at := begins
	for range 6 + w.rng.IntN(10) {
		attack = append(attack, telemetry.Request{
			At: at, Host: "portal.example.com", Method: "POST", Status: 202, Boundary: out.constants.boundary,
			URL:     "/portal/layout/import?trace=" + out.constants.trace + "&site=default&mode=replace&lang=en&dry=yes",
			Headers: []telemetry.Header{{Name: "Referer", Value: "http://portal.example.com/portal/signout"}, {Name: "User-Agent", Value: "larkspur-probe/1.2"}},
		})
		at = at.Add(time.Duration(30+w.rng.IntN(5000)) * time.Second)
	}
	log, _, err := telemetry.Plant(telemetry.Sample(), w.rng, begins.Add(-48*time.Hour), begins.Add(72*time.Hour), attack)
	if err != nil {
		return err
	}
	dir := filepath.Join(w.Dir, "found")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	w.evePath = filepath.Join(dir, "eve.json.gz")
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(log); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(w.evePath, packed.Bytes(), 0o600); err != nil {
		return err
	}
	for _, s := range out.specimens {
		name := filepath.Join(dir, s.name)
		if err := os.WriteFile(name, s.data, 0o600); err != nil {
			return err
		}
		w.specimens = append(w.specimens, inquiry.Specimen{Specimen: form.Specimen{Name: s.name, Data: s.data}})
	}
	if w.Scenario == PatchDiff {
		return nil // nothing to see before the patch
	}
	return w.look(begins.Add(2 * time.Hour))
}

// look scans the telemetry as the desk would, and records what it shows.
func (w *world) look(at time.Time) error {
	w.clock.Set(at)
	recKey, err := w.home.Recognition()
	if err != nil {
		return err
	}
	scanner := sighting.Scanner{Rec: token.NewRecogniser(recKey), Clock: sighting.Clock{Skew: 2 * time.Second, Lag: time.Second},
		Indicators: []sighting.Indicator{{Kind: sighting.Path, Value: "/portal/layout/import", Ref: "package indicator"}}}
	f, err := os.Open(w.evePath)
	if err != nil {
		return err
	}
	defer f.Close()
	summary, err := scanner.Scan(filepath.Base(w.evePath), f, func(s sighting.Sighting) error {
		w.sightings = append(w.sightings, s)
		return nil
	})
	if err != nil {
		return err
	}
	tokens := 0
	var spots []coordinator.Spot
	for _, s := range w.sightings {
		if s.What.IsToken() {
			tokens++
		}
		spots = append(spots, coordinator.SpotOf(s))
	}
	first := sighting.First(w.sightings)
	w.step("telemetry is scanned: %d records, %d sightings, %d of them tokens; the first at %s", summary.Records, len(w.sightings), tokens, first.From.Format("2 Jan 15:04:05"))
	if !first.Known() {
		return nil
	}
	sensor, err := w.desk.DeclareSource(w, w.who["ana"], coordinator.SourceSpec{Name: "desk sensor", Origin: cvd.OwnSensor, Grade: cvd.GradeB,
		Skew: scanner.Clock.Skew, Lag: scanner.Clock.Lag, Quota: 500})
	if err != nil {
		return err
	}
	done, err := w.desk.Record(w, w.who["cleo"], coordinator.Batch{Source: sensor, Cases: []cvd.CaseID{w.cs}, Spots: spots})
	if err != nil || done[0].Effect != cvd.Raises {
		return err
	}
	return w.alarm()
}

// alarm is the night of the first sighting: who is on duty is told, looks, and
// decides.
func (w *world) alarm() error {
	var called inbox
	if _, err := w.desk.Dispatch(w, w.who["cleo"], &called); err != nil {
		return err
	}
	w.clock.Set(w.clock.Now().Add(3 * time.Minute))
	if err := w.desk.AcknowledgeAlarm(w, w.who["ana"], w.cs); err != nil {
		return err
	}
	v, err := w.desk.Alarm(w, w.who["ana"], w.cs)
	if err != nil {
		return err
	}
	open := 0
	for _, x := range v.Waves {
		if x.Then == "open" {
			open++
		}
	}
	w.clock.Set(w.clock.Now().Add(20 * time.Minute))
	if _, err := w.desk.DecideAlarm(w, w.who["ana"], w.cs, coordinator.Verdict{Choice: cvd.ChooseWatch, Round: v.Round, Reason: "the patch comes out tomorrow"}); err != nil {
		return err
	}
	w.step("the alarm calls %s, who sees %d waves open by then and %s of %d members with a copy, and keeps watching: the patch comes out tomorrow",
		strings.Join(called, ", "), open, v.Had, v.Had.Members)
	return nil
}

// inbox is who was told that something waits for them.
type inbox []string

// Notify implements coordinator.Notifier.
func (b *inbox) Notify(_ context.Context, to coordinator.Person, _ coordinator.Notice) error {
	*b = append(*b, to.Handle)
	return nil
}

// release is the day of the patch.
func (w *world) release() error {
	w.clock.Set(patch)
	if err := w.desk.Release(w, w.who["ana"], w.cs, []byte("HLS-2025-014: update to 7.4.3.\n")); err != nil {
		return err
	}
	w.step("the patch is out and the case is public")
	if w.Scenario == PatchDiff {
		return w.look(diffed.Add(2 * time.Hour))
	}
	return nil
}

// second is the incomplete patch: a linked case.
func (w *world) second() error {
	w.clock.Set(again)
	id, err := w.desk.OpenCase(w, w.who["ana"], coordinator.Opening{Title: "Larkspur Portal: the preview function reaches the same helper", Reported: again.Add(-3 * time.Hour), Products: slices.Clone(w.prods)})
	if err != nil {
		return err
	}
	if err := w.do("ana", cvd.LinkCase{Case: id, To: w.cs, Relation: cvd.Incomplete}); err != nil {
		return err
	}
	if _, err := w.desk.SetEmbargo(w, w.who["ana"], id, cvd.ReleaseTime{At: again.Add(52 * time.Hour), Zone: "Europe/Stockholm"}); err != nil {
		return err
	}
	w.clock.Set(again.Add(52 * time.Hour))
	if err := w.desk.Release(w, w.who["ana"], id, []byte("HLS-2025-016: the fix of HLS-2025-014 was incomplete; update to 7.4.4.\n")); err != nil {
		return err
	}
	w.step("the patch was incomplete: a second, linked case is opened and released")
	return nil
}

// inquire gives the inquiry what an investigator has, and no more.
func (w *world) inquire() (Result, error) {
	w.clock.Set(inquired)
	r := Result{Scenario: w.Scenario, Seed: w.Seed, Members: w.Members, Truth: []string{}, Home: w.home, Case: w.cs}
	for _, h := range w.leaked {
		r.Truth = append(r.Truth, h.name)
	}
	for i := range w.specimens {
		w.specimens[i].Found = evidence.Window{To: pasted}
		if w.Scenario == PatchDiff {
			w.specimens[i].Found = evidence.Window{To: diffed.Add(26 * time.Hour)}
		}
	}
	if s, ok := w.wire(); ok {
		w.specimens = append(w.specimens, s)
	}
	office, err := w.home.Inquiry(w)
	if err != nil {
		return r, err
	}
	defer office.Close()
	office.Wait = func(until time.Time) error { w.clock.Set(until); return nil }
	w.step("the inquiry reads %d specimens", len(w.specimens))
	r.Outcome, err = office.Investigate(w, w.desk.Desk, w.who["ina"], inquiry.Question{Case: w.cs, Specimens: w.specimens})
	if err != nil {
		return r, err
	}
	f := r.Outcome.Findings
	r.Copies, r.FirstSighting = f.Copies, f.FirstSighting
	r.Findings = Verdict{Conclusion: f.Conclusion, Accused: []string{}}
	for _, a := range f.Accused {
		r.Findings.Accused = append(r.Findings.Accused, a.Name)
		if r.Findings.PAdjusted == "" {
			r.Findings.PAdjusted = a.PAdjusted
		}
	}
	board, err := w.desk.Board(w, w.who["ana"], w.cs)
	if err != nil {
		return r, err
	}
	for _, b := range board.Waves {
		r.Waves = append(r.Waves, Wave{Label: b.Label, Level: b.Level, OpensAt: b.OpensAt, Copies: b.Holders, Fetched: b.Fetched, Received: b.Received})
	}
	r.Dossier, r.Page = filepath.Join(w.Dir, "findings.dossier"), filepath.Join(w.Dir, "findings.html")
	if err := os.WriteFile(r.Dossier, r.Outcome.Dossier, 0o600); err != nil {
		return r, err
	}
	return r, os.WriteFile(r.Page, r.Outcome.Page, 0o600)
}

// wire is the records of the attack as a specimen: lines of the sensor's log,
// which existed when they say.
func (w *world) wire() (inquiry.Specimen, bool) {
	var text []byte
	seen := map[int64]bool{}
	for _, s := range w.sightings {
		if !seen[s.Line] {
			seen[s.Line] = true
			text = append(append(text, s.Excerpt...), '\n')
		}
	}
	first := sighting.First(w.sightings)
	if len(text) == 0 || !first.Known() {
		return inquiry.Specimen{}, false
	}
	return inquiry.Specimen{Specimen: form.Specimen{Name: "eve-excerpts.txt", Data: text}, Found: evidence.Window{From: first.From, To: first.To}}, true
}
