package cvd

import (
	"slices"
	"strings"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
)

func (c DraftWave) asks(*Programme) (Action, Object) { return ActDraftWave, ARevision(c.Revision) }

func (c DraftWave) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	r := p.Revisions[c.Revision]
	b := &WaveDrafted{
		Wave: c.Wave, Case: r.Case, Package: r.Package, Revision: c.Revision, Purpose: c.Purpose, Level: c.Level,
		Widens: c.Widens, OpensAt: whole(c.OpensAt), LapsesAt: whole(c.LapsesAt), Audience: SortIDs(slices.Clone(c.Audience)),
	}
	w := p.Waves[c.Wave]
	switch {
	case c.Wave.IsZero():
		return nil, refuse("the wave has no id")
	case w != nil && (w.Package != r.Package || w.Purpose != c.Purpose):
		return nil, refuse("wave %s is of another package, or for another purpose: draft a new one", c.Wave)
	case len(b.Audience) == 0:
		return nil, refuse("the audience is empty, which is nobody: name who is to read it")
	case len(b.Audience) > maxAudience:
		return nil, refuse("an audience of %d; at most %d go into one wave: make two", len(b.Audience), maxAudience)
	case c.OpensAt.IsZero() || b.OpensAt.Before(now):
		return nil, refuse("the wave would open at %s, which is past: it is %s", b.OpensAt.Format(time.RFC3339), now.Format(time.RFC3339))
	case !b.LapsesAt.IsZero() && !b.LapsesAt.After(b.OpensAt):
		return nil, refuse("the wave would lapse before it opens")
	case c.Level < form.HeadsUp || c.Level > r.Level:
		return nil, refuse("level %s: revision %d has content from heads-up to %s", c.Level, r.Number, r.Level)
	}
	if w != nil {
		if s := p.WaveState(c.Wave, now); !WaveStates.Can(s, StateDraft, "WaveDrafted") && !WaveStates.Can(s, StateApproved, "WaveDrafted") {
			return nil, refuse("the wave is %s and can't change any more: draft a new one", s)
		}
	}
	if err := p.checkPurpose(b, now); err != nil {
		return nil, err
	}
	if err := p.checkWidening(b, now); err != nil {
		return nil, err
	}
	if err := p.checkAudience(b.Case, b.Purpose, b.Audience, now); err != nil {
		return nil, err
	}
	return checked(b)
}

// checkPurpose holds what is different between the purposes of waves.
func (p *Programme) checkPurpose(b *WaveDrafted, now time.Time) error {
	phase := p.PhaseOf(b.Case, now)
	k := p.Cases[b.Case]
	switch b.Purpose {
	case Staged:
		if phase != PhaseEmbargoed {
			return refuse("%s: early warnings go out while an embargo binds", phaseSaid[phase].is)
		}
		if b.OpensAt.After(k.Embargo.Release.At) {
			return refuse("the wave would open at %s, after the release time %s", b.OpensAt.Format(time.RFC3339), k.Embargo.Release.At.Format(time.RFC3339))
		}
	case Preview:
		if phase == PhaseShredded || phase == PhasePublic {
			return refuse("%s: there is nothing left to preview", phaseSaid[phase].is)
		}
	case BreakPack:
		if k.Ended == nil || phase == PhaseShredded {
			return refuse("a break pack goes out after an embargo was ended, and this one was not")
		}
		if b.Revision != k.Ended.Revision || b.Level > k.Ended.Level {
			return refuse("the embargo was ended with another revision or a lower level")
		}
	default:
		return refuse("say what the wave is for: staged, preview or break pack")
	}
	return nil
}

func (p *Programme) checkWidening(b *WaveDrafted, now time.Time) error {
	if b.Widens.IsZero() {
		return nil
	}
	w := p.Waves[b.Widens]
	switch {
	case w == nil || w.Package != b.Package || b.Widens == b.Wave:
		return refuse("there is no wave %s of this package to widen", b.Widens)
	case b.Purpose != Staged || w.Purpose != Staged:
		return refuse("only staged waves are widened")
	case p.WaveState(w.ID, now) == StateCancelled:
		return refuse("wave %s is cancelled: draft a new one instead", b.Widens)
	case b.Level > w.Level:
		return refuse("a wider audience gets the level of the wave that it widens (%s), or less", w.Level)
	}
	for _, h := range b.Audience {
		if w.place(h) >= 0 {
			return refuse("%s is in the audience of wave %s already", h, b.Widens)
		}
	}
	return nil
}

func (p *Programme) checkAudience(c CaseID, purpose Purpose, audience []HolderID, now time.Time) error {
	for _, h := range audience {
		if why, hint := p.unfit(c, purpose, h, now); why != "" {
			return refuse("%s can't be in the audience: %s; %s", h, why, hint)
		}
	}
	return nil
}

func (c ApproveWave) asks(*Programme) (Action, Object) { return ActApproveWave, AWave(c.Wave) }

func (c ApproveWave) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	w := p.Waves[c.Wave]
	k := p.Cases[w.Case]
	switch {
	case c.Digest != w.Digest:
		return nil, refuse("the wave was changed since you looked at it: look again")
	case !binds(p.EmbargoState(w.Case, now)):
		return nil, refuse("no embargo binds, so there is nothing to be early for")
	case w.OpensAt.After(k.Embargo.Release.At):
		return nil, refuse("the wave would open at %s, after the release time %s: draft it again, or cancel it if it is sealed", w.OpensAt.Format(time.RFC3339), k.Embargo.Release.At.Format(time.RFC3339))
	}
	if err := p.checkAudience(w.Case, w.Purpose, w.Audience, now); err != nil {
		return nil, err
	}
	lender, _ := p.lenderFor(p.Accounts[who.Account], w, now)
	return yes(&WaveApproved{c.Wave, c.Digest, lender})
}

func (c RecordSealed) asks(*Programme) (Action, Object) {
	return ActRecordSealed, AWave(WaveID(c.Statement.Wave))
}

func (c RecordSealed) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	s := &c.Statement
	w := p.Waves[WaveID(s.Wave)]
	r, pk := p.Revisions[w.Revision], p.Packages[w.Package]
	differs := func(what string) error {
		return refuse("the statement's %s is not what was approved: nothing was sealed; look into the sealer", what)
	}
	switch {
	case s.Case != ref(w.Case) || s.Package != ref(w.Package) || s.Revision != ref(w.Revision):
		return nil, differs("case, package or revision")
	case s.Level != w.Level:
		return nil, differs("level")
	case !s.OpensAt.Equal(w.OpensAt):
		return nil, differs("opening time")
	case s.Form != r.Form || s.SlotTable != r.SlotTable:
		return nil, differs("Form")
	case s.AlphaPico != pk.AlphaPico:
		return nil, differs("allowance for false accusations")
	case s.Decoder == "" || s.Profile == 0 || s.Bias == [32]byte{} || s.Root == [32]byte{} || s.Issued == [32]byte{}:
		return nil, refuse("the statement leaves something out: nothing was sealed")
	case pk.Decoder != "" && (s.Bias != pk.Bias || s.Profile != pk.Profile || s.Decoder != pk.Decoder):
		return nil, refuse("the statement's bias, profile or decoder differs from the package's earlier waves: nothing was sealed")
	}
	return checked(&waveSealed{*s})
}

func (c StoreCopies) asks(*Programme) (Action, Object) { return ActStoreCopies, AWave(c.Wave) }

func (c StoreCopies) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	w := p.Waves[c.Wave]
	b := CopiesStored(c)
	b.Copies = slices.Clone(c.Copies)
	slices.SortFunc(b.Copies, func(x, y StoredCopy) int { return x.Holder.Compare(y.Holder) })
	if len(b.Copies) == 0 {
		return nil, refuse("no copies are named")
	}
	if !w.Bulk.IsZero() && !b.Bulk.IsZero() && w.Bulk != b.Bulk {
		return nil, refuse("the wave's bulk is stored already, and it was another")
	}
	for i := range b.Copies {
		s := &b.Copies[i]
		keys, ok := p.KeysOf(s.Holder)
		switch {
		case w.place(s.Holder) < 0:
			return nil, refuse("%s is not in the wave's audience", s.Holder)
		case s.Blob.IsZero() || s.Size == 0 || s.Leaf == [32]byte{}:
			return nil, refuse("the copy of %s is not stored", s.Holder)
		case !ok || keys.Seq != s.Keys:
			return nil, refuse("the copy of %s is sealed to keys that are not in use: seal it again", s.Holder)
		}
		if old := w.CopyOf(s.Holder); old != nil && old.Leaf != s.Leaf {
			return nil, refuse("the copy of %s is another than the one that was sealed", s.Holder)
		}
	}
	return checked(&b)
}

func (c CancelWave) asks(*Programme) (Action, Object) { return ActCancelWave, AWave(c.Wave) }

func (c CancelWave) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if p.Waves[c.Wave].fetched() {
		return nil, refuse("copies were fetched already: recall the revision instead")
	}
	b := WaveCancelled(c)
	return yes(&b)
}

func (c Hold) asks(*Programme) (Action, Object) {
	if c.Wave.IsZero() {
		return ActHold, ACase(c.Case)
	}
	return ActHold, AWave(c.Wave)
}

func (c Hold) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	id := p.caseOfHold(c.Case, c.Wave)
	hold, err := p.holdOf(id, c.Wave)
	switch {
	case err != nil:
		return nil, refuse("%v", err)
	case *hold != nil:
		return nil, nil
	}
	return yes(&Held{id, c.Wave, c.Reason})
}

func (c LiftHold) asks(*Programme) (Action, Object) {
	if c.Wave.IsZero() {
		return ActLiftHold, ACase(c.Case)
	}
	return ActLiftHold, AWave(c.Wave)
}

func (c LiftHold) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	id := p.caseOfHold(c.Case, c.Wave)
	hold, err := p.holdOf(id, c.Wave)
	switch {
	case err != nil:
		return nil, refuse("%v", err)
	case *hold == nil:
		return nil, refuse("there is no such hold; the case and each of its waves have their own")
	}
	return yes(&HoldLifted{id, c.Wave})
}

// caseOfHold fills in the case when only a wave is named.
func (p *Programme) caseOfHold(id CaseID, wave WaveID) CaseID {
	if id.IsZero() && p.Waves[wave] != nil {
		return p.Waves[wave].Case
	}
	return id
}

// coalesce is how long repeated fetches of one account count as one.
const coalesce = time.Hour

func (c Fetch) asks(*Programme) (Action, Object) { return ActFetch, ACopy(c.Wave, c.Holder) }

func (c Fetch) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	copied := p.Waves[c.Wave].CopyOf(c.Holder)
	for _, f := range slices.Backward(copied.Fetches) {
		if now.Sub(f.At) >= coalesce || f.Seq < copied.Stored.Seq {
			break
		}
		if f.Account == who.Account {
			return nil, nil
		}
	}
	return yes(&CopyFetched{c.Wave, c.Holder})
}

func (c LodgeReceipt) asks(*Programme) (Action, Object) {
	return ActLodgeReceipt, ACopy(c.Wave, c.Holder)
}

func (c LodgeReceipt) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	r := &c.Receipt
	copied := p.Waves[c.Wave].CopyOf(c.Holder)
	keys, ok := p.KeysOf(c.Holder)
	switch {
	case copied == nil || len(copied.Fetches) == 0:
		return nil, refuse("the copy was never fetched: a receipt is for a copy that was")
	case r.Origin != p.Origin && !strings.HasPrefix(r.Origin, p.Origin+"/recovery-"):
		return nil, refuse("the receipt is for the log %q and this is %q", r.Origin, p.Origin)
	case !ok || r.Key != keys.Signing:
		return nil, refuse("the receipt is signed with a key that is not in use: sign it with the enrolled one")
	case r.Leaf != copied.Leaf:
		return nil, refuse("the receipt is for another copy")
	case r.Tick > entrylog.Tick(now.Add(p.Interval).Unix()/int64(p.Interval/time.Second)):
		return nil, refuse("the receipt names an anchor that is still to come")
	}
	if l := copied.Receipt; l != nil && l.Signature == r.Signature && l.Key == r.Key && l.Tick == r.Tick {
		return nil, nil
	}
	return yes(&ReceiptLodged{
		Wave: c.Wave, Holder: c.Holder, Origin: r.Origin, Tick: r.Tick, AnchorSize: r.AnchorSize, AnchorRoot: r.AnchorRoot,
		Leaf: r.Leaf, Key: r.Key, Signature: r.Signature,
	})
}

func (c IssueRecall) asks(*Programme) (Action, Object) { return ActRecall, ARevision(c.Revision) }

func (c IssueRecall) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	b := RecallIssued(c)
	return yes(&b)
}

func (c AcknowledgeRecall) asks(*Programme) (Action, Object) {
	return ActAcknowledgeRecall, AReading(c.Revision, c.Holder)
}

func (c AcknowledgeRecall) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	for _, a := range p.Revisions[c.Revision].Recall.Acknowledged {
		if a.Holder == c.Holder {
			return nil, nil
		}
	}
	b := RecallAcknowledged(c)
	return yes(&b)
}
