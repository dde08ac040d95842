package evidence

import (
	"bytes"
	"fmt"
	"slices"

	"forewarn/internal/entrylog"
)

// logState is what all proofs of one log in a dossier share: the checkpoint, byte
// for byte, and the distance of tick and index, since a log has one anchor for
// each tick. Without the first, proofs could be of two histories; without the
// second, an anchor with an old tick could be appended late.
type logState struct {
	checkpoint []byte
	first      entrylog.Tick // of index 0
}

// add compares a proof that was verified with those before it.
func (s *logState) add(p *entrylog.AnchorProof) error {
	if uint64(p.Anchor.Tick) < p.Index {
		return failf("anchor %d has tick %d; there is one anchor for each tick", p.Index, p.Anchor.Tick)
	}
	first := p.Anchor.Tick - entrylog.Tick(p.Index)
	switch {
	case s.checkpoint == nil:
		s.checkpoint, s.first = p.Checkpoint, first
	case !bytes.Equal(s.checkpoint, p.Checkpoint):
		return failf("its checkpoint is another than that of the proofs before it; all proofs of one log are under one")
	case s.first != first:
		return failf("anchor %d has tick %d; by the other anchors it is tick %d", p.Index, p.Anchor.Tick, s.first+entrylog.Tick(p.Index))
	}
	return nil
}

// compareCheckpoint holds the dossier's checkpoint of the programme's log against
// one that its reader has from elsewhere.
func (v *verification) compareCheckpoint() error {
	here, err := entrylog.OpenCheckpoint(v.onLog.checkpoint, v.log)
	if err != nil {
		return err
	}
	if v.trust.Checkpoint == nil {
		v.known = fmt.Sprintf("That others were shown the same log: no checkpoint from elsewhere was given. The dossier's is of size %d with root %s.", here.Size, here.Root)
		return nil
	}
	known, err := entrylog.OpenCheckpoint(v.trust.Checkpoint, v.log)
	if err != nil {
		return fmt.Errorf("%w: the checkpoint that you gave: %w", ErrUntrusted, err)
	}
	switch {
	case known.Origin != here.Origin:
		return failf("the dossier's checkpoint is of %q and the one that you gave of %q: there was a recovery between them, and they cannot be compared", here.Origin, known.Origin)
	case known.Size == here.Size && known.Root != here.Root:
		return failf("the log was forked: the checkpoint that you gave has size %d, as the dossier's, and another root. Keep both; together they prove it", known.Size)
	case known.Size != here.Size:
		v.known = fmt.Sprintf("That the checkpoint you gave, of size %d, is of the same history as the dossier's, of size %d: for that, check their consistency with the log's published tiles.", known.Size, here.Size)
	default:
		v.known = "That others than the source of the checkpoint you gave were shown the same log. The dossier's has the same size and root."
	}
	return nil
}

// run checks the sealer's word on how often keys were opened, and over what.
func (v *verification) run() (string, error) {
	r := &v.d.Run
	if err := r.Verify(v.wave[0].Sealer); err != nil {
		return "", err
	}
	var ids []entrylog.Ref
	for _, w := range v.wave {
		ids = append(ids, w.Wave)
	}
	slices.SortFunc(ids, func(a, b entrylog.Ref) int { return bytes.Compare(a[:], b[:]) })
	switch {
	case r.Package != v.wave[0].Package || r.Readings != v.frozen.Readings:
		return "", failf("the sealer opened the keys for something else than these readings")
	case int64(r.Number) != int64(v.f.Run):
		return "", failf("the findings count run %d; the sealer counted %d", v.f.Run, r.Number)
	case r.Copies != v.d.Issued.Copies:
		return "", failf("%d copies are opened as issued; the sealer counted %d", v.d.Issued.Copies, r.Copies)
	case !slices.Equal(ids, r.Waves):
		return "", failf("the dossier has %d waves and the sealer counted %d, or they are others: none may be left out", len(ids), len(r.Waves))
	}
	these := "this wave"
	if n := len(ids); n > 1 {
		these = fmt.Sprintf("these %d waves", n)
	}
	return fmt.Sprintf("the sealer that all waves name signed run %d over %s in exactly %s", r.Number, Count(int(r.Copies), "copy", "copies"), these), nil
}

// noted checks that the freeze was committed to in the programme's log, which the
// inquiry does not keep, before the keys were opened.
func (v *verification) noted() (string, error) {
	p := &v.d.Inquiry.Noted
	e, err := p.Verify(v.log, v.d.Programme.Interval)
	if err == nil {
		err = v.onLog.add(&p.AnchorProof)
	}
	if err != nil {
		return "", err
	}
	commit := v.d.Inquiry.Freeze.Record.Commit()
	switch {
	case e.Kind != kindCommitmentNoted:
		return "", failf("the entry is of kind %d, not %d", e.Kind, kindCommitmentNoted)
	case !bytes.Equal(e.Body, commit[:]):
		return "", failf("the commitment in the programme's log is not to this freeze")
	case e.Time.After(v.opened.Time) || p.Anchor.Tick > entrylog.TickOf(v.opened.Time, v.d.Programme.Interval):
		return "", failf("it is in the programme's log from %s on, after the keys were opened on %s", stamp(e.Time), stamp(v.opened.Time))
	}
	return "a commitment to it is in the programme's log since " + stamp(e.Time), nil
}
