package cvd

import (
	"slices"
	"strings"
	"time"

	"forewarn/internal/form"
	"forewarn/internal/tlp"
)

func (c OpenCase) asks(*Programme) (Action, Object) { return ActOpenCase, TheProgramme() }

func (c OpenCase) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := unused(p.Cases, c.Case, "case"); err != nil {
		return nil, err
	}
	b := CaseOpened(c)
	b.Products = SortIDs(slices.Clone(c.Products))
	for _, id := range b.Products {
		if err := exists(p.Products, id, "product"); err != nil {
			return nil, err
		}
	}
	if f := p.Accounts[c.Finder]; !c.Finder.IsZero() && (f == nil || !f.Roles.Has(Finder)) {
		return nil, refuse("account %s is no finder's", c.Finder)
	}
	if b.Reported = whole(b.Reported); c.Reported.IsZero() {
		b.Reported = now
	}
	if b.Reported.After(now) {
		return nil, refuse("the report is of %s, which is in the future", b.Reported)
	}
	return checked(&b)
}

func (c LinkCase) asks(*Programme) (Action, Object) { return ActLinkCase, ACase(c.Case) }

func (c LinkCase) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if err := exists(p.Cases, c.To, "case"); err != nil {
		return nil, err
	}
	switch {
	case c.To == c.Case:
		return nil, refuse("a case is not linked to itself")
	case c.Relation == NoRelation || c.Relation > Incomplete:
		return nil, refuse("say how the cases are related: %s", strings.Join(relationNames[1:], ", "))
	}
	for _, l := range p.Cases[c.Case].Links {
		if l.To == c.To && l.Relation == c.Relation {
			return nil, nil
		}
	}
	b := CaseLinked(c)
	return yes(&b)
}

// checkRelease says what is wrong with a release time. Whether the zone exists
// is for whoever shows it; a decision that knew zones would change with their
// rules.
func checkRelease(r *ReleaseTime, now time.Time) error {
	r.At = whole(r.At)
	switch {
	case !r.At.After(now):
		return refuse("the release time %s is not in the future", r.At.Format(time.RFC3339))
	case r.Zone == "" || len(r.Zone) > maxZone || strings.ContainsFunc(r.Zone, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("/_+-", c)
	}):
		return refuse("zone %q: name the zone in which the time was agreed, such as UTC or Europe/Vienna", r.Zone)
	}
	return nil
}

func (c ProposeEmbargo) asks(*Programme) (Action, Object) { return ActProposeEmbargo, ACase(c.Case) }

func (c ProposeEmbargo) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := EmbargoProposed{c.Case, uint32(len(p.Cases[c.Case].Proposals) + 1), c.Release, c.Terms, c.Expires, c.Anew}
	if err := checkRelease(&b.Release, now); err != nil {
		return nil, err
	}
	if b.Expires = whole(b.Expires); !b.Expires.IsZero() && !b.Expires.After(now) {
		return nil, refuse("the proposal would have expired already, on %s", b.Expires.Format(time.RFC3339))
	}
	return yes(&b)
}

func (c AgreeEmbargo) asks(*Programme) (Action, Object) { return ActAgreeEmbargo, ACase(c.Case) }

func (c AgreeEmbargo) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	pr := p.Cases[c.Case].waiting(now)
	switch {
	case pr == nil:
		return nil, refuse("no proposal waits: it was agreed or has expired, or there was none")
	case pr.Number != c.Number:
		return nil, refuse("proposal %d waits, not %d: look at it again", pr.Number, c.Number)
	}
	return yes(&EmbargoAgreed{c.Case, c.Number})
}

func (c MoveReleaseTime) asks(*Programme) (Action, Object) { return ActMoveReleaseTime, ACase(c.Case) }

func (c MoveReleaseTime) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := ReleaseTimeMoved(c)
	if err := checkRelease(&b.Release, now); err != nil {
		return nil, err
	}
	if b.Release.At.Equal(p.Cases[c.Case].Embargo.Release.At) {
		return nil, refuse("that is the release time already")
	}
	return yes(&b)
}

func (c Invite) asks(*Programme) (Action, Object) { return ActInvite, ACase(c.Case) }

func (c Invite) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := ParticipantInvited(c)
	b.Members = SortIDs(slices.Clone(c.Members))
	if len(b.Members) == 0 {
		return nil, refuse("nobody is invited: name at least one member")
	}
	if c.Role == NoParticipant || c.Role > AsObserver {
		return nil, refuse("say what they are in the case: %s", strings.Join(participantNames[1:], ", "))
	}
	if b.Until = whole(b.Until); !b.Until.IsZero() && !b.Until.After(now) {
		return nil, refuse("the invitation would have lapsed already, on %s", b.Until.Format(time.RFC3339))
	}
	for _, id := range b.Members {
		m := p.Members[id]
		switch {
		case m == nil:
			return nil, refuse("there is no member %s", id)
		case m.Standing != Good:
			return nil, refuse("member %s is not in good standing", id)
		}
		if s := p.ConsentOf(c.Case, id, now); !Consents.Can(s, Invited, "ParticipantInvited") {
			return nil, refuse("member %s is %s already", id, s)
		}
	}
	return checked(&b)
}

func (c GiveConsent) asks(*Programme) (Action, Object) { return ActConsent, APart(c.Case, c.Member) }

func (c GiveConsent) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	k := p.Cases[c.Case]
	from := p.ConsentOf(c.Case, c.Member, now)
	if from == c.Consent && from == Signatory && k.Embargo != nil && c.Embargo == k.Embargo.Number {
		return nil, nil
	}
	if !Consents.Can(from, c.Consent, "ConsentGiven") {
		return nil, refuse("a member's consent can't go from %s to %s", from, c.Consent)
	}
	if c.Consent == Signatory {
		part := k.Participants[c.Member]
		switch {
		case !binds(p.EmbargoState(c.Case, now)):
			return nil, refuse("no embargo is agreed yet, so there is nothing to sign")
		case c.Embargo != k.Embargo.Number:
			return nil, refuse("embargo %d binds, not %d: read it again", k.Embargo.Number, c.Embargo)
		case part.Consent == Invited && from == Lapsed:
			return nil, refuse("the invitation lapsed on %s: ask to be invited again", part.Until.Format(time.RFC3339))
		}
	}
	return yes(&ConsentGiven{c.Case, c.Member, c.Consent, c.Embargo})
}

func (c SaveDraft) asks(*Programme) (Action, Object) { return ActSaveDraft, ACase(c.Case) }

func (c SaveDraft) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	switch pk := p.Packages[c.Package]; {
	case c.Package.IsZero():
		return nil, refuse("the package has no id")
	case pk != nil && pk.Case != c.Case:
		return nil, refuse("package %s is of another case", c.Package)
	case c.Source.IsZero():
		return nil, refuse("the draft is not stored")
	}
	b := DraftSaved(c)
	return yes(&b)
}

func (c OpenDraft) asks(*Programme) (Action, Object) { return ActOpenDraft, APackage(c.Package) }

func (c OpenDraft) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	drafts := p.Packages[c.Package].Drafts
	return yes(&DraftOpened{c.Package, drafts[len(drafts)-1].Source})
}

func (c MakeRevision) asks(*Programme) (Action, Object) { return ActMakeRevision, APackage(c.Package) }

func (c MakeRevision) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	pk := p.Packages[c.Package]
	if err := unused(p.Revisions, c.Revision, "revision"); err != nil {
		return nil, err
	}
	rulings := c.Rulings
	for u := range rulings {
		r := &rulings[u]
		r.From = whole(r.From)
		if r.Verdict > From || (r.Verdict == From) == r.From.IsZero() {
			return nil, refuse("the ruling on %s: a time goes with 'from', and with nothing else", Use(u))
		}
	}
	switch {
	case c.Source.IsZero() || c.Form == [32]byte{} || c.SlotTable == [32]byte{}:
		return nil, refuse("a revision needs its stored source and the compiled Form")
	case c.Label == tlp.Unset || c.Label > tlp.Red:
		return nil, refuse("a revision needs a TLP label: without one it may be shown to nobody")
	case c.Level < form.HeadsUp || c.Level > form.PoC:
		return nil, refuse("a revision needs the highest level that it has content for")
	case c.Break > form.Detection || c.Break > c.Level:
		return nil, refuse("a break pack goes up to detection, never further, and not beyond the revision's own level (%s)", c.Level)
	case c.AlphaPico == 0 || c.AlphaPico > 1e12:
		return nil, refuse("the allowance for false accusations is %d·10⁻¹²; 1 to 10¹² are allowed", c.AlphaPico)
	case len(pk.Revisions) > 0 && c.AlphaPico != pk.AlphaPico:
		return nil, refuse("the package's allowance for false accusations was fixed with its first revision, at %d·10⁻¹²", pk.AlphaPico)
	}
	return yes(&RevisionMade{
		Revision: c.Revision, Package: c.Package, Case: pk.Case, Number: uint32(len(pk.Revisions) + 1),
		Title: c.Title, Source: c.Source, Form: c.Form, SlotTable: c.SlotTable, Label: c.Label,
		Level: c.Level, Break: c.Break, AlphaPico: c.AlphaPico, Rulings: rulings,
	})
}

func (c GiveAnswer) asks(*Programme) (Action, Object) { return ActAnswer, APart(c.Case, c.Member) }

func (c GiveAnswer) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	last, history := p.AnswerOf(c.Case, c.Member, c.Product)
	switch {
	case binds(p.EmbargoState(c.Case, now)) && p.ConsentOf(c.Case, c.Member, now) != Signatory:
		return nil, refuse("only signatories answer while the embargo binds: accept the invitation first")
	case !slices.Contains(p.Cases[c.Case].Products, c.Product):
		return nil, refuse("product %s is not of this case", c.Product)
	case !AnswerStates.Can(last, c.Answer, "AnswerGiven"):
		return nil, refuse("an answer can't go from %q to %q", last, c.Answer)
	case last == c.Answer && history[len(history)-1].Text == c.Text:
		return nil, nil
	}
	b := AnswerGiven(c)
	return yes(&b)
}

func (c EndEmbargo) asks(*Programme) (Action, Object) { return ActEndEmbargo, ACase(c.Case) }

func (c EndEmbargo) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := EmbargoEnded(c)
	if c.Revision.IsZero() {
		if c.Level != 0 {
			return nil, refuse("a level without a revision: name what goes out, or nothing")
		}
		return yes(&b)
	}
	r := p.Revisions[c.Revision]
	switch {
	case r == nil || r.Case != c.Case:
		return nil, refuse("there is no revision %s of this case", c.Revision)
	case r.Recall != nil:
		return nil, refuse("revision %d was recalled: choose another, or end the embargo without a break pack", r.Number)
	case r.Vouched == nil:
		return nil, refuse("no second person ever approved revision %d: choose another, or end the embargo without a break pack", r.Number)
	case c.Level == 0 || c.Level > r.Break:
		return nil, refuse("level %s is not in revision %d's break pack, which goes up to %s", c.Level, r.Number, r.Break)
	}
	return yes(&b)
}

func (c Release) asks(*Programme) (Action, Object) { return ActRelease, ACase(c.Case) }

func (c Release) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := Released(c)
	return yes(&b)
}

func (c RecordSighting) asks(*Programme) (Action, Object) { return ActRecordSighting, ACase(c.Case) }

func (c RecordSighting) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := SightingRecorded(c)
	b.From, b.To = whole(b.From), whole(b.To)
	switch {
	case c.Sighting.IsZero() || slices.ContainsFunc(p.Cases[c.Case].Sightings, func(s Sighting) bool { return s.ID == c.Sighting }):
		return nil, refuse("the sighting needs an id of its own")
	case !b.From.IsZero() && !b.To.IsZero() && b.To.Before(b.From):
		return nil, refuse("the sighting's interval ends (%s) before it begins (%s)", b.To, b.From)
	case b.From.After(now):
		return nil, refuse("the sighting is of %s, which is in the future", b.From)
	case c.Grade > GradeF:
		return nil, refuse("a source's grade is A to F, or none")
	}
	return yes(&b)
}

func (c DeclareBreach) asks(*Programme) (Action, Object) { return ActDeclareBreach, ACase(c.Case) }

func (c DeclareBreach) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := BreachDeclared(c)
	if !c.Member.IsZero() {
		if err := exists(p.Members, c.Member, "member"); err != nil {
			return nil, err
		}
	}
	if b.At = whole(b.At); b.At.After(now) {
		return nil, refuse("the breach is of %s, which is in the future", b.At)
	}
	return yes(&b)
}
