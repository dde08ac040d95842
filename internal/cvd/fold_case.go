package cvd

import (
	"fmt"
	"slices"
)

func (b *CaseOpened) apply(p *Programme, n Note) error {
	for _, id := range b.Products {
		if _, err := find("product", p.Products, id); err != nil {
			return err
		}
	}
	return add(p, "case", p.Cases, &p.CaseOrder, b.Case, &Case{
		ID: b.Case, Title: b.Title, Report: b.Report, Reported: b.Reported, Finder: b.Finder,
		Products: b.Products, Opened: n,
		Participants: map[MemberID]*Participant{}, answers: map[answerKey][]int{},
		Read: map[StreamID]*ReadTo{}, Tallies: map[SourceID]*Tally{}, known: map[knownKey]bool{},
		files: map[StreamID][]uint64{}, readTo: map[fileKey]*ReadTo{},
	})
}

func (b *CaseLinked) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if _, err := find("case", p.Cases, b.To); err != nil {
		return err
	}
	push(p, &c.Links, Link{n, b.To, b.Relation})
	return nil
}

func (b *EmbargoProposed) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if int(b.Number) != len(c.Proposals)+1 {
		return fmt.Errorf("proposal %d of case %s comes after %d", b.Number, b.Case, len(c.Proposals))
	}
	push(p, &c.Proposals, Proposal{Note: n, Number: b.Number, Release: b.Release, Terms: b.Terms, Expires: b.Expires, Anew: b.Anew})
	return nil
}

func (b *EmbargoAgreed) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if b.Number == 0 || int(b.Number) != len(c.Proposals) || c.Proposals[b.Number-1].Agreed != nil {
		return fmt.Errorf("proposal %d of case %s is not the one that waits", b.Number, b.Case)
	}
	pr := &c.Proposals[b.Number-1]
	old := c.Embargo
	set(p, &pr.Agreed, &n)
	set(p, &c.Embargo, &Embargo{n, b.Number, pr.Release, pr.Terms})
	if old == nil {
		return nil
	}
	if !old.Release.At.Equal(pr.Release.At) {
		p.askAgain(c, n)
	}
	if pr.Anew {
		for _, id := range c.ParticipantOrder {
			if part := c.Participants[id]; part.Consent == Signatory {
				set(p, &part.Consent, Lapsed)
			}
		}
	}
	return nil
}

func (b *ReleaseTimeMoved) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if c.Embargo == nil {
		return fmt.Errorf("case %s has no embargo to move", b.Case)
	}
	moved := *c.Embargo
	push(p, &c.Moves, Move{n, moved.Release, b.Release, b.Reason})
	moved.Release = b.Release
	set(p, &c.Embargo, &moved)
	p.askAgain(c, n)
	return nil
}

// askAgain voids the approval of every wave of a case that nobody could open
// yet. One that is sealed already stays sealed and waits for a new approval.
func (p *Programme) askAgain(c *Case, n Note) {
	for _, id := range c.Waves {
		w := p.Waves[id]
		switch {
		case w.Purpose != Staged || w.Approval == nil || w.Cancelled != nil:
		case w.Statement == nil:
			set(p, &w.Approval, nil)
		case n.At.Before(w.OpensAt) || w.Reask || w.Hold != nil && !w.fetched() || c.Hold != nil && !w.fetched():
			set(p, &w.Reask, true)
		}
	}
}

func (b *ParticipantInvited) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	for _, id := range b.Members {
		if _, err := find("member", p.Members, id); err != nil {
			return err
		}
	}
	for _, id := range b.Members {
		if c.Participants[id] == nil {
			push(p, &c.ParticipantOrder, id)
		}
		put(p, c.Participants, id, &Participant{Member: id, Role: b.Role, Invited: n, Until: b.Until, Consent: Invited})
	}
	return nil
}

func (b *ConsentGiven) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	part := c.Participants[b.Member]
	if part == nil {
		return fmt.Errorf("member %s was not invited to case %s", b.Member, b.Case)
	}
	set(p, &part.Consent, b.Consent)
	set(p, &part.Embargo, b.Embargo)
	set(p, &part.Said, &n)
	return nil
}

func (b *DraftSaved) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	pk := p.Packages[b.Package]
	if pk == nil {
		pk = &Package{ID: b.Package, Case: b.Case, issued: map[HolderID]bool{}}
		if err := add(p, "package", p.Packages, &p.PackageOrder, b.Package, pk); err != nil {
			return err
		}
		push(p, &c.Packages, b.Package)
	} else if pk.Case != b.Case {
		return fmt.Errorf("package %s is of another case", b.Package)
	}
	push(p, &pk.Drafts, DraftNote{n, b.Source})
	return nil
}

func (b *DraftOpened) apply(p *Programme, n Note) error {
	pk, err := find("package", p.Packages, b.Package)
	if err != nil {
		return err
	}
	push(p, &pk.Reads, DraftNote{n, b.Source})
	return nil
}

func (b *RevisionMade) apply(p *Programme, n Note) error {
	pk, err := find("package", p.Packages, b.Package)
	if err != nil {
		return err
	}
	if pk.Case != b.Case || int(b.Number) != len(pk.Revisions)+1 {
		return fmt.Errorf("revision %d of package %s comes after %d, in another case, or both", b.Number, b.Package, len(pk.Revisions))
	}
	if err := add(p, "revision", p.Revisions, &p.RevisionOrder, b.Revision, &Revision{
		ID: b.Revision, Package: b.Package, Case: b.Case, Number: b.Number, Title: b.Title, Source: b.Source,
		Form: b.Form, SlotTable: b.SlotTable, Label: b.Label, Level: b.Level, Break: b.Break, Rulings: b.Rulings, Made: n,
	}); err != nil {
		return err
	}
	push(p, &pk.Revisions, b.Revision)
	if b.Number == 1 {
		set(p, &pk.AlphaPico, b.AlphaPico)
	}
	return nil
}

func (b *RecallIssued) apply(p *Programme, n Note) error {
	r, err := find("revision", p.Revisions, b.Revision)
	if err != nil {
		return err
	}
	if r.Recall != nil {
		return fmt.Errorf("revision %s is recalled already", b.Revision)
	}
	set(p, &r.Recall, &Recall{Note: n, Reason: b.Reason})
	return nil
}

func (b *RecallAcknowledged) apply(p *Programme, n Note) error {
	r, err := find("revision", p.Revisions, b.Revision)
	if err != nil {
		return err
	}
	if r.Recall == nil {
		return fmt.Errorf("revision %s is not recalled", b.Revision)
	}
	push(p, &r.Recall.Acknowledged, RecallAck{n, b.Holder})
	return nil
}

func (b *AnswerGiven) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if _, err := find("member", p.Members, b.Member); err != nil {
		return err
	}
	k := answerKey{b.Member, b.Product}
	put(p, c.answers, k, append(slices.Clip(c.answers[k]), len(c.Answers)))
	push(p, &c.Answers, Answer{n, b.Member, b.Product, b.Answer, b.Text})
	return nil
}

func (b *EmbargoEnded) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if c.Embargo == nil || c.Ended != nil {
		return fmt.Errorf("case %s has no embargo to end", b.Case)
	}
	if !b.Revision.IsZero() {
		if r, err := find("revision", p.Revisions, b.Revision); err != nil || r.Case != b.Case {
			return fmt.Errorf("there is no revision %s of case %s", b.Revision, b.Case)
		}
	}
	set(p, &c.Ended, &EmbargoEnd{n, b.Revision, b.Level, b.Reason})
	return nil
}

func (b *Released) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	if c.Released != nil {
		return fmt.Errorf("case %s is released already", b.Case)
	}
	set(p, &c.Released, &n)
	set(p, &c.Advisory, b.Advisory)
	return nil
}

func (b *SightingRecorded) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	push(p, &c.Sightings, Sighting{n, b.Sighting, b.Detail, b.From, b.To, b.Grade})
	return nil
}

func (b *BreachDeclared) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	push(p, &c.Breaches, Breach{n, b.Member, b.At, b.Detail})
	return nil
}
