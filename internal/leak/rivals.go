package leak

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// How a rival explanation stands to what was seen, and what that rests on.
const (
	supports = "supports"
	against  = "against"
	neutral  = "neutral"
	unknown  = "unknown"

	design = "design"
	model  = "model"
)

// rivals are always listed, all of them, in this order: whoever reads findings
// has to see what else was thought of.
var rivalTable = []struct {
	name     string
	predicts []string
	settles  string
	look     func(*judge) look
}{
	{
		"Independent rediscovery",
		[]string{"No marked wording and no token of the package in the material.", "Activity that does not follow the opening of waves, and may begin before the first."},
		"The author's own notes or tools, dated; the same flaw reported by somebody else; telemetry from before the first wave.",
		(*judge).rediscovery,
	},
	{
		"Patch diffing",
		[]string{"Nothing before the patch was public.", "Material in terms of the changed code, without the package's wording or tokens."},
		"An earlier sighting whose time is certain; the exact time at which the patch could first be fetched.",
		(*judge).patchDiffing,
	},
	{
		"The finder",
		[]string{"The finder's own text and tools, with no copy's marks.", "Possible from before the report on."},
		"The finder's original report, read as a specimen beside the others; strings of the finder's own build.",
		(*judge).finder,
	},
	{
		"An insider at the vendor",
		[]string{"The marks of a staff account's copy, or unmarked text from before sealing.", "Possible from the report on."},
		"Who opened drafts, from the log; whether the material follows a draft that was never sealed.",
		(*judge).insider,
	},
	{
		"A member",
		[]string{"The marks or tokens of that member's copy.", "Nothing before a wave that the member was in had opened and the copy was fetched."},
		"A longer excerpt, or the files as they were passed on; the member's own account, which findings are put to.",
		(*judge).member,
	},
	{
		"Onward duty to a state",
		[]string{"The marks of a copy issued to a member under such a duty.", "Nothing before the duty's time limit, or at least before the member could read."},
		"The member's word on whether and when it reported. Marks end at the member: what an authority passes on carries the same ones.",
		(*judge).duty,
	},
	{
		"An onward share that was allowed",
		[]string{"The marks of the sharing member's copy.", "A use that the rulings permitted, in what that use shows: shipped signatures show rules. Or a declared affiliate or contractor."},
		"The member's list of whom it shared with. A share with a marked copy of its own would tell them apart.",
		(*judge).onwardShare,
	},
	{
		collusionName,
		[]string{"Places that agree with different copies, places left out or rewritten where copies differ.", "No single copy that agrees nearly everywhere."},
		"A longer specimen, and a decoder for coalitions: the one fixed for this package weighs each copy alone and is blind to merges of three or more.",
		(*judge).collusion,
	},
}

// look is what one explanation finds in the case.
type look struct {
	seen    []string
	reading string
	basis   string
}

func (j *judge) rivals() (out evidence.List[evidence.Rival]) {
	for _, r := range rivalTable {
		l := r.look(j)
		row := evidence.Rival{Name: r.name, Predicts: r.predicts, Seen: l.seen, Reading: l.reading, Basis: l.basis, Settles: r.settles}
		if r.name == collusionName && j.joint() {
			row.Predicts, row.Settles = mergedPredicts, mergedSettles
		}
		out = append(out, row)
	}
	return out
}

func (j *judge) traced() bool { return j.f.Conclusion == evidence.Traced }

// marked reports whether the material carries marks of issued copies, be it of
// one that can be told or of several that contradict one another.
func (j *judge) marked() bool { return j.traced() || len(j.f.Conflicting) > 0 }

// toStaff reports whether what was traced is a copy of the vendor's own staff,
// and toMember whether it is a member's.
func (j *judge) toStaff() bool {
	return slices.ContainsFunc(j.f.Accused, func(a evidence.Accused) bool { return a.Staff })
}

func (j *judge) toMember() bool {
	return slices.ContainsFunc(j.f.Accused, func(a evidence.Accused) bool { return !a.Staff })
}

// marks is what the material shows of the package, in a sentence.
func (j *judge) marks() string {
	switch r := j.f.Readings; {
	case j.traced():
		return j.marksNamed()
	case len(j.f.Conflicting) > 0:
		return "The material carries marks or tokens of issued copies, which contradict one another."
	case r.Read == 0:
		return "No marked place of the package was recognised in the specimens, and no token that counts."
	case j.unmarked():
		return fmt.Sprintf("%d marked places show wording of the package, and no copy reaches the threshold.", r.Read)
	default:
		return fmt.Sprintf("Wording of the package was recognised at %d marked places, too few to name a copy.", r.Read)
	}
}

// marksNamed is marks where copies are named: those that the same evidence names
// share a sentence.
func (j *judge) marksNamed() string {
	var all []string
	for _, kind := range []struct {
		wording, token bool
		what           string
	}{{true, true, "the marks and a token"}, {true, false, "the marks"}, {false, true, "a token"}} {
		var names []string
		for _, a := range j.f.Accused {
			wording := slices.Contains(a.NamedBy, evidence.EvidenceWording)
			if wording == kind.wording && (!wording || len(a.NamedBy) > 1) == kind.token {
				names = append(names, a.Name)
			}
		}
		switch what := kind.what; len(names) {
		case 0:
		case 1:
			all = append(all, fmt.Sprintf("The material carries %s of the copy issued to %s.", what, names[0]))
		default:
			if kind.token {
				what = strings.Replace(what, "a token", "tokens", 1)
			}
			all = append(all, fmt.Sprintf("The material carries %s of the copies issued to %s.", what, enumerate(names)))
		}
	}
	return strings.Join(all, " ")
}

// carried is marks for a reader who has just been told whose: which copies they
// are is said once, not under every explanation.
func (j *judge) carried() string {
	if !j.traced() {
		return j.marks()
	}
	what := "tokens"
	if slices.ContainsFunc(j.f.Accused, func(a evidence.Accused) bool { return slices.Contains(a.NamedBy, evidence.EvidenceWording) }) {
		what = "marks"
	}
	return fmt.Sprintf("The material carries %s of %s.", what, j.several("an issued copy", fmt.Sprintf("%d issued copies", len(j.f.Accused))))
}

// several chooses by how many copies are named.
func (j *judge) several(one, many string) string {
	if len(j.f.Accused) > 1 {
		return many
	}
	return one
}

// unmarked reports whether enough was read to name a copy that agreed with all of
// it, and no copy is named.
func (j *judge) unmarked() bool {
	return !j.traced() && len(j.f.Conflicting) == 0 && evidence.Enough(j.f.PAttainable, j.f.Alpha)
}

// dated reports whether it is known by when the material was out.
func (j *judge) dated() bool { return !j.first.To.IsZero() }

// late says that the holder of a copy cannot have passed it on in time, by the
// log: no copy of theirs was fetched or acknowledged, or none before the material
// was certainly out. It is empty otherwise. Copies of all revisions count: they
// have marks in common.
func (j *judge) late(a *evidence.Accused) string {
	var had, opened time.Time
	earliest := func(t *time.Time, by time.Time) {
		if t.IsZero() || by.Before(*t) {
			*t = by
		}
	}
	for _, all := range [][]Access{j.in.Facts.Fetches, j.in.Facts.Receipts} {
		for _, x := range all {
			if evidence.ID(x.Holder) == a.Holder {
				earliest(&had, x.At)
			}
		}
	}
	for _, w := range j.in.Facts.Waves {
		if slices.ContainsFunc(w.Holders, func(h entrylog.Ref) bool { return evidence.ID(h) == a.Holder }) {
			earliest(&opened, w.OpensAt)
		}
	}
	switch {
	case had.IsZero() && j.dated() && opened.After(j.first.To):
		return fmt.Sprintf("By the log, no copy issued to %s was ever fetched, and the first could be opened from %s, when the material was already out: it was by %s.", a.Name, stamp(opened), stamp(j.first.To))
	case had.IsZero():
		return fmt.Sprintf("By the log, no copy issued to %s was ever fetched.", a.Name)
	case j.dated() && had.After(j.first.To):
		return fmt.Sprintf("By the log, the first copy issued to %s was fetched %s, when the material was already out: it was by %s.", a.Name, stamp(had), stamp(j.first.To))
	}
	return ""
}

// exculpated is what late says of the named copies, those of members or all.
func (j *judge) exculpated(membersOnly bool) (said []string, all bool) {
	all = true
	for i := range j.f.Accused {
		a := &j.f.Accused[i]
		if membersOnly && a.Staff {
			continue
		}
		s := j.late(a)
		if s == "" {
			all = false
			continue
		}
		said = append(said, s)
	}
	return said, all && len(said) > 0
}

func (j *judge) opening() (first time.Time) {
	for _, w := range j.in.Facts.Waves {
		if first.IsZero() || w.OpensAt.Before(first) {
			first = w.OpensAt
		}
	}
	return first
}

func (j *judge) rediscovery() look {
	before := j.dated() && j.first.To.Before(j.opening())
	switch {
	case j.marked():
		return look{[]string{j.marks(), "Somebody who found the flaw alone would not have had them."}, against, design}
	case before:
		return look{[]string{j.marks(), "The first sighting lies before any wave opened, for the whole of its interval."}, supports, model}
	case j.f.Readings.Read > 0:
		return look{[]string{j.marks(), "Wording in common speaks against it, without saying where it came from."}, neutral, design}
	}
	return look{[]string{j.marks(), "That is what rediscovery would show; so would material that was rewritten."}, neutral, model}
}

func (j *judge) patchDiffing() look {
	r := j.in.Facts.Released
	if r.At.IsZero() {
		r = j.in.Facts.Release
	}
	l := look{nil, unknown, model}
	switch {
	case r.At.IsZero():
		l.seen = []string{"No release time is on the log."}
	case !j.dated():
		l.seen = []string{"No sighting has a known time."}
	case j.first.To.Before(r.At):
		l = look{[]string{"The material was known to be out before the release."}, against, model}
	case j.first.From.IsZero():
		l.seen = []string{"Only by when the material was out is known, and that is after the release."}
	case j.first.From.Before(r.At):
		l.seen = []string{"The interval of the first sighting reaches from before the release to after it."}
	default:
		l = look{[]string{"The first sighting lies after the release."}, neutral, model}
	}
	if j.marked() {
		l.seen = append(l.seen, j.carried(), "A patch does not contain them.")
		l.reading, l.basis = against, design
	}
	return l
}

func (j *judge) finder() look {
	switch {
	case j.marked():
		return look{[]string{j.carried(), "The finder's own text was written before any mark was drawn."}, against, design}
	case j.unmarked():
		return look{[]string{j.marks(), "An unmarked original would look like this; so would several copies merged."}, neutral, design}
	}
	return look{[]string{j.marks()}, unknown, model}
}

func (j *judge) insider() look {
	late, _ := j.exculpated(true)
	switch {
	case !j.toStaff() && len(late) > 0:
		return look{append([]string{j.carried()}, append(late, j.several("The vendor made every copy and had this one before.", "The vendor made every copy and had these before."))...), supports, model}
	case j.toStaff():
		return look{append([]string{j.carried(), j.toStaffText()}, j.recovered()...), supports, design}
	case j.traced():
		return look{[]string{j.carried(), j.several("It was issued to a member.", "They were issued to members.") + " Staff have copies of their own, with other marks; but the vendor made every copy, and commitments cannot show that a genuine one was not passed on."}, neutral, design}
	case j.marked():
		return look{[]string{j.marks()}, neutral, design}
	case j.unmarked():
		return look{[]string{j.marks(), "Unmarked text from before sealing would look like this; so would several copies merged."}, neutral, design}
	}
	return look{[]string{j.marks()}, unknown, model}
}

func (j *judge) member() look {
	late, all := j.exculpated(true)
	switch {
	case j.toMember() && all:
		return look{append([]string{j.marks()}, late...), neutral, model}
	case j.toMember():
		return look{append([]string{j.marks(), j.several("How it left that member, and whether the member was itself robbed of it, the marks do not say.", "How they left their holders, and whether those were themselves robbed of them, the marks do not say.")}, j.recovered()...), supports, design}
	case j.toStaff():
		return look{[]string{j.carried(), j.several("It was not issued to a member.", "None of them was issued to a member.")}, against, design}
	case j.marked(), j.unmarked():
		return look{[]string{j.marks()}, neutral, design}
	}
	if !j.dated() {
		return look{[]string{j.marks(), "No sighting has a known time to compare with fetches."}, unknown, model}
	}
	for _, x := range j.f.Exposure {
		if x.BeforeFirst > 0 {
			return look{[]string{j.marks(), "Copies had been fetched before the first sighting can have been: in time, any of their holders could be the origin. Timing separates waves, never the members of one."}, neutral, model}
		}
	}
	return look{[]string{j.marks(), "No copy had been fetched before the first sighting, by the log."}, against, model}
}

func (j *judge) duty() look {
	if len(j.f.Duties) == 0 {
		return look{[]string{"No member that could read sits in a jurisdiction with a rule known here."}, neutral, model}
	}
	l := look{nil, neutral, model}
	possible := false
	for _, d := range j.f.Duties {
		when := "after the first sighting"
		if !j.dated() {
			when = "and no sighting has a known time"
		} else if d.BeforeFirst {
			when, possible = "before the first sighting can have ended", true
		}
		l.seen = append(l.seen, fmt.Sprintf("%s: by its clock the authority may have known from %s on, %s (%s).", d.Jurisdiction, stamp(d.From), when, d.Citation))
	}
	switch {
	case j.traced() && !slices.ContainsFunc(j.f.Accused, j.underDuty):
		l.seen = append(l.seen, j.several("The copy named was not issued to a member in such a jurisdiction.", "None of the copies named was issued to a member in such a jurisdiction."))
		l.reading, l.basis = against, design
	case j.traced():
		l.seen = append(l.seen, j.underDutyText())
	case !possible && j.dated():
		l.reading = against
	}
	return l
}

func (j *judge) underDutyText() string {
	if len(j.f.Accused) == 1 {
		return "The copy named was issued to a member in such a jurisdiction: material that an authority had from it would carry the same marks."
	}
	var names []string
	for _, a := range j.f.Accused {
		if j.underDuty(a) {
			names = append(names, a.Name)
		}
	}
	return fmt.Sprintf("In such a jurisdiction, of those whose copies are named: %s. Material that an authority had from there would carry the same marks.", enumerate(names))
}

// toStaffText says which of the named copies were issued to the vendor's own.
func (j *judge) toStaffText() string {
	if len(j.f.Accused) == 1 {
		return "That copy was issued to an account of the vendor's own."
	}
	var names []string
	for _, a := range j.f.Accused {
		if a.Staff {
			names = append(names, a.Name)
		}
	}
	return fmt.Sprintf("Of these, issued to accounts of the vendor's own: %s.", enumerate(names))
}

// underDuty reports whether a copy's holder sits in a jurisdiction with a duty.
func (j *judge) underDuty(a evidence.Accused) bool {
	for _, h := range j.in.Facts.Holders {
		if evidence.ID(h.ID) != a.Holder {
			continue
		}
		for _, d := range j.f.Duties {
			if slices.Contains(h.Jurisdictions, d.Jurisdiction) {
				return true
			}
		}
	}
	return false
}

func (j *judge) onwardShare() look {
	ship, tell, share := j.allowed(cvd.ShipSignature), j.allowed(cvd.TellCustomers), j.allowed(cvd.ShareWithMember)
	var could []string
	for _, use := range []struct {
		ok   bool
		what string
	}{{ship, "ship signatures"}, {tell, "tell customers"}, {share, "share it with one another"}} {
		if use.ok {
			could = append(could, use.what)
		}
	}
	l := look{[]string{"By the advisory's rulings, members could neither ship signatures, nor tell customers, nor share it with one another before the material was out."}, unknown, model}
	if len(could) > 0 {
		l.seen[0] = "By the advisory's rulings, before the material can have come out members could " + strings.Join(could, " and ") + "."
		l.reading = neutral
	}
	rules, all := j.inRules()
	switch {
	case !j.toMember():
		l.seen = append(l.seen, "No member's copy is named that could have been passed on so.")
	case ship && rules > 0 && rules == all:
		l.seen = append(l.seen, fmt.Sprintf("All of the %d places and tokens that were found stand in detection rules: a signature that was shipped by permission would show just that.", all))
		l.reading, l.basis = supports, design
	case ship && rules > 0:
		l.seen = append(l.seen, fmt.Sprintf("Of the %d places and tokens that were found, %d stand in detection rules, which a shipped signature would show; the others it would not.", all, rules))
		l.basis = design
	case ship:
		l.seen = append(l.seen, "None of what was found stands in detection rules, which is what a shipped signature would show.")
	}
	l.seen = append(l.seen, "The log holds no declared share. An undeclared one carries the marks of the member that shared.")
	return l
}

// allowed reports whether readers of any revision could use it so before the
// material was certainly out, or, where that isn't dated, ever.
func (j *judge) allowed(use cvd.Use) bool {
	for _, r := range j.in.Facts.Rulings {
		from := r.From
		for _, w := range j.in.Facts.Waves {
			if w.Revision == r.Revision && !w.Staff && r.Allowed && r.Use == use.String() {
				if since := later(from, w.OpensAt); !j.dated() || !since.After(j.first.To) {
					return true
				}
			}
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// inRules counts the sites that were read and the slots whose tokens count, and
// how many of them stand in files of detection rules.
func (j *judge) inRules() (rules, all int) {
	site, slot := map[fpcode.SiteID]bool{}, map[string]bool{}
	f := j.in.Reading.Form
	for _, file := range f.Files {
		for _, p := range file.Parts {
			switch {
			case file.Level != form.Detection:
			case p.Kind == form.Choice:
				site[f.Sites[p.Site].ID] = true
			case p.Kind == form.Token:
				slot[p.Slot] = true
			}
		}
	}
	for _, s := range j.in.Reading.Readings.Sites {
		if s.State == fpcode.Value {
			if all++; site[s.Site] {
				rules++
			}
		}
	}
	had := map[string]bool{}
	for _, a := range j.f.Accused {
		for _, t := range a.Tokens {
			if t.Counts && !had[t.Slot] {
				had[t.Slot] = true
				if all++; slot[t.Slot] {
					rules++
				}
			}
		}
	}
	return rules, all
}

func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04 UTC") }

func clock(o onward) string {
	return strings.TrimSpace(fmt.Sprintf("%d h from when %s; %s. %s", o.Hours, o.Trigger, o.Status, o.Note))
}
