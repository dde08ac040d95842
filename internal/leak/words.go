package leak

import (
	"fmt"
	"slices"
	"time"

	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
	"forewarn/internal/sighting"
)

// why says what stands in the way of more, or what the log says against a traced
// finding. The rule's own reason stands before it.
func (j *judge) why() (out []string) {
	if j.traced() {
		out, _ = j.exculpated(false)
		out = append(out, j.signedLate()...)
		return append(out, j.burnt(j.f.Accused)...)
	}
	r := j.f.Readings
	switch {
	case len(j.f.Conflicting) > 0:
		var all []string
		for _, a := range j.f.Conflicting {
			for _, e := range a.NamedBy {
				all = append(all, fmt.Sprintf("Taken alone, %s would name the copy issued to %s.", e, a.Name))
			}
		}
		return all
	case r.Read == 0 && r.Other == 0:
		out = append(out, fmt.Sprintf("None of the %d marked places of the package was recognised in the specimens.", r.Sites))
	case j.unmarked():
		out = append(out, fmt.Sprintf("%d of %d marked places were read, enough to name a copy that agreed at all of them, and no copy reaches the threshold. Unmarked text, or several copies merged, would look like this.", r.Read, r.Sites))
	default:
		out = append(out, fmt.Sprintf("Only %d of %d marked places could be read (%d %s something else, %d %s missing): too few to name %s. One that agreed at all of them would have a p_adjusted of %s; the threshold is %s.",
			r.Read, r.Sites, r.Other, verb(r.Other, "shows", "show"), r.Erased, verb(r.Erased, "is", "are"), anyOf(j.f.Copies), power(j.f.PAttainable), power(j.f.Alpha)))
	}
	if j.replayed() {
		out = append(out, "Tokens were found in the specimens, but "+copied+": anybody could have copied them.")
	} else if len(j.in.Reading.Tokens) == 0 && len(j.in.Reading.Form.Slots()) > 0 {
		out = append(out, "No token of an issued copy stands in the specimens.")
	}
	return out
}

// signedLate tells apart a copy that was never signed for from one whose receipt
// doesn't count: both are called not acknowledged.
func (j *judge) signedLate() (out []string) {
	for _, a := range j.f.Accused {
		if signedLate(a) {
			out = append(out, fmt.Sprintf("The copy issued to %s was signed for, but not by when the material may already have existed. Such a receipt does not count, so the copy is called not acknowledged.", a.Name))
		}
	}
	return out
}

func signedLate(a evidence.Accused) bool {
	return len(a.Receipts) > 0 && !slices.ContainsFunc(a.Copies, func(c evidence.IssuedCopy) bool { return c.Acknowledged })
}

func anyOf(n int) string {
	if n == 1 {
		return "the one copy"
	}
	return fmt.Sprintf("any of %d copies", n)
}

// allOf is every copy that was tested.
func allOf(n int) string {
	if n == 1 {
		return "the one copy"
	}
	return fmt.Sprintf("all %d copies", n)
}

// copied is what keeps a token from counting.
const copied = "they had been publicly seen before the specimens are known to have existed, or by when those existed is not known"

// replayed reports whether a token that was found does not count.
func (j *judge) replayed() bool {
	for _, h := range j.in.Facts.Holders {
		if slices.ContainsFunc(j.tokens(h.ID), func(t evidence.TokenHit) bool { return !t.Counts }) {
			return true
		}
	}
	return false
}

func (j *judge) wouldHelp() (out []string) {
	if j.traced() {
		return []string{
			"The reply of whom these findings are put to.",
			"A receipt that the holder signed, where none is listed, and the holder's own record of who had access.",
		}
	}
	r := j.f.Readings
	if r.Read < r.Sites {
		out = append(out, "A longer part of the material, or the files themselves instead of an excerpt, a screenshot or a retelling.")
	}
	if len(j.in.Reading.Form.Slots()) > 0 && !slices.ContainsFunc(j.in.Reading.Tokens, func(h Hit) bool {
		return evidence.TokenCounts(window(j.in.Reading.Specimens[h.Specimen].Found, 0), j.firstPublic(h.Holder, h.Slot))
	}) {
		out = append(out, "Rules, indicators or requests as they were used, from before they were public: tokens in them identify one copy.")
	}
	if j.unmarked() {
		out = append(out, "The finder's original report and the vendor's drafts, read as specimens, to compare.")
	}
	if !j.dated() {
		out = append(out, "Telemetry with reliable clocks: no sighting has a known time.")
	} else {
		out = append(out, "Telemetry from before the first sighting, to tell how early the material was in use.")
	}
	return append(out, "Other specimens of the same material. Each set is one more run, and is counted.")
}

func (j *judge) designBased() (out evidence.List[evidence.Shown]) {
	r := j.f.Readings
	all := append(slices.Clone(j.f.Accused), j.f.Conflicting...)
	for _, a := range all {
		if a.SitesRead > 0 {
			out = append(out, evidence.Shown{Evidence: evidence.EvidenceWording, P: a.PAdjusted,
				Shows: fmt.Sprintf("%d of %d places read agree with the copy issued to %s.", a.SitesAgreeing, a.SitesRead, a.Name)})
		}
		if i := slices.IndexFunc(a.Tokens, func(t evidence.TokenHit) bool { return t.Counts }); i >= 0 {
			out = append(out, evidence.Shown{Evidence: evidence.EvidenceTokens, P: a.PTokens,
				Shows: fmt.Sprintf("%s of the copy issued to %s in the specimens. %s The probability is that of coincidence only: whoever holds the recognition key could aim, and would hit an issued token with %s at each try.",
					tokens(len(a.Tokens)), a.Name, a.Tokens[i].Note, power(a.PAimed))})
		}
	}
	if len(all) == 0 {
		out = append(out, evidence.Shown{Evidence: evidence.EvidenceWording,
			Shows: fmt.Sprintf("%d of %d marked places read, %d other, %d missing: they name no copy.", r.Read, r.Sites, r.Other, r.Erased)})
	}
	if j.replayed() {
		out = append(out, evidence.Shown{Evidence: evidence.EvidenceTokens, Shows: "Tokens were found that count for nothing as evidence: " + copied + "."})
	}
	return append(out, evidence.Shown{Evidence: "wave membership", Shows: "Not drawn at random, so it is no design-based evidence."})
}

func tokens(n int) string {
	if n == 1 {
		return "One token"
	}
	return fmt.Sprintf("%d tokens", n)
}

// Timing is weighed under one plain model: if the material came from a wave, it
// was first seen at any time within so many days of its opening, all alike; if
// not, at any time from the report to thirty days after the first sighting. The
// ratio is capped, because the model is a guess.
var timingDays = []int{7, 2, 21}

const ratioCap = 100

func (j *judge) modelBased() (out evidence.List[evidence.Weight]) {
	from := j.opening()
	for _, t := range []time.Time{j.in.Facts.Reported.At, j.first.From} {
		if !t.IsZero() && t.Before(from) {
			from = t
		}
	}
	span := max(j.first.To.AddDate(0, 0, 30).Sub(from), 24*time.Hour)
	for i, w := range j.in.Facts.Waves {
		if w.Staff || !j.dated() {
			continue
		}
		x := evidence.Weight{
			Evidence: "first sighting against " + evidence.WaveLabel(i),
			Seen:     fmt.Sprintf("%s opened %s.", capital(evidence.WaveLabel(i)), stamp(w.OpensAt)),
			Model:    fmt.Sprintf("If it came from this wave: first seen within %d days of opening, any time alike. If not: any time from the report to 30 days after the first sighting.", timingDays[0]),
		}
		for i, days := range timingDays {
			r := j.ratio(w, days, span)
			if i == 0 {
				x.Ratio = r
			} else {
				x.Sensitivity = append(x.Sensitivity, fmt.Sprintf("within %d days: %s", days, r))
			}
		}
		out = append(out, x)
	}
	fetched, copies := 0, 0
	for _, e := range j.f.Exposure {
		fetched, copies = fetched+e.BeforeFirst, copies+e.Holders
	}
	if j.dated() {
		out = append(out, evidence.Weight{
			Evidence: "fetches", Ratio: "none claimed", Model: "None: a copy that was fetched could be passed on, and most are not.",
			Seen: fmt.Sprintf("%d of %d copies, over all waves, had been fetched before the first sighting can have ended.", fetched, copies),
		})
	}
	return out
}

// ratio is the likelihood ratio of the first sighting's time, in tenths, by
// whole numbers. The interval gives the least and the greatest.
func (j *judge) ratio(w Wave, days int, span time.Duration) string {
	inside := func(t time.Time) bool {
		return !t.Before(w.OpensAt) && !t.After(w.OpensAt.AddDate(0, 0, days))
	}
	tenths := int64(span/time.Minute) * 10 / (int64(days) * 24 * 60)
	high := tenthsText(min(tenths, ratioCap*10))
	low := fmt.Sprintf("1 : %d", ratioCap)
	switch {
	case inside(j.first.From) && inside(j.first.To):
		return high + " : 1"
	case j.first.To.Before(w.OpensAt) || j.first.From.After(w.OpensAt.AddDate(0, 0, days)):
		return low
	}
	return low + " to " + high + " : 1"
}

func tenthsText(n int64) string { return fmt.Sprintf("%d.%d", n/10, n%10) }

func (j *judge) limits() (out []string) {
	if !j.joint() {
		out = append(out, fmt.Sprintf("The decoder %s weighs each copy alone. Material merged from two copies may name both, one or none of them; from three or more it is blind, and as a rule cannot say.", j.f.Decoder))
	}
	out = append(out,
		"Tokens tell one copy until somebody else has seen them. After that they can be copied.",
		"First sighting is when something was first noticed, not when it first happened, and not when material left its holder.",
	)
	if all := j.in.AlphaAllPico; all > 0 {
		out = append(out, fmt.Sprintf("Alpha here, %s, is for this package. Beside it, evidence is accumulated over all cases (%s) at an alpha of its own, %s, over all members and for ever: an innocent member is accused by this package or by all cases together with a probability of %s at most. Of members who reach no threshold nothing is told.",
			power(j.f.Alpha), fpcode.EProcess, power(evidence.AlphaText(all)), power(evidence.AlphaTogether(j.in.Reading.AlphaPico, all))))
	}
	if j.grade != "" {
		out = append(out, fmt.Sprintf("The source of the first sighting is graded %s, on the Admiralty scale from A, completely reliable, to F, which cannot be judged.", j.grade))
	}
	if n := j.undated(); n > 0 {
		out = append(out, fmt.Sprintf("%s no known time and may be earlier than the first.", evidence.Count(n, "sighting has", "sightings have")))
	}
	if n := j.oneSided(); n > 0 {
		out = append(out, fmt.Sprintf("Of %s it is only known by when %s there. That bounds the first sighting from above; %s been there earlier.", evidence.Count(n, "sighting or specimen", "sightings or specimens"), verb(n, "it was", "they were"), verb(n, "it may have", "they may have")))
	}
	if !j.dated() {
		out = append(out, "No sighting has a known time, so nothing is said about what came first.")
	}
	return out
}

func (j *judge) undated() (n int) {
	for _, s := range j.in.Seen {
		if s.Time.To.IsZero() {
			n++
		}
	}
	return n
}

// oneSided counts what has a latest time and no earliest. Specimens are counted
// as such.
func (j *judge) oneSided() (n int) {
	open := func(v sighting.Interval) {
		if v.From.IsZero() && !v.To.IsZero() {
			n++
		}
	}
	for _, s := range j.in.Seen {
		if s.Specimen == 0 {
			open(s.Time)
		}
	}
	for _, s := range j.in.Reading.Specimens {
		open(s.Found)
	}
	return n
}
