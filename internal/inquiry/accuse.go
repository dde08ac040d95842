package inquiry

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/leak"
)

// inTime are the members whose copy of the Form that was read was anchored before
// the material is known to have existed: those that the case can say anything
// about.
func (i *inquest) inTime(facts leak.Facts, form [32]byte, frozen time.Time) map[entrylog.Ref]bool {
	var found []evidence.SpecimenFacts
	for _, s := range i.found {
		found = append(found, evidence.SpecimenFacts{Found: s.Found})
	}
	limit, _ := evidence.KnownBefore(frozen, found)
	staff := map[entrylog.Ref]bool{}
	for _, h := range facts.Holders {
		staff[h.ID] = h.Staff
	}
	out := map[entrylog.Ref]bool{}
	for _, w := range facts.Waves {
		if w.Form != form || !anchoredBefore(w.Sealed, facts.Interval, limit) {
			continue
		}
		for _, h := range w.Holders {
			if !staff[h] {
				out[h] = true
			}
		}
	}
	return out
}

// anchoredBefore reports whether an entry of that time was anchored before a limit.
func anchoredBefore(at time.Time, interval time.Duration, limit time.Time) bool {
	return entrylog.TickOf(at, interval).Instant(interval).Before(limit)
}

// accumulated is the part of findings about members whom all cases together accuse,
// of those that this case touches; nil when there is none.
func (i *inquest) accumulated(facts leak.Facts) (*evidence.Accumulated, error) {
	place := map[entrylog.Ref]int{}
	if err := i.desk.View(func(p *cvd.Programme) error {
		for n, m := range p.MemberOrder {
			place[entrylog.Ref(m)] = n + 1
		}
		return nil
	}); err != nil {
		return nil, err
	}
	a := &evidence.Accumulated{Version: fpcode.EProcess, Alpha: evidence.AlphaText(AlphaAllPico), AlphaPico: AlphaAllPico, Cases: len(i.counted), Meaning: evidence.AccumulatedMeaning}
	for _, h := range facts.Holders {
		if place[h.ID] == 0 {
			continue
		}
		if row, ok := evidence.Accumulate(place[h.ID], i.counted.scores(h.ID)).Row(evidence.ID(h.ID), h.Name, AlphaAllPico); ok && len(a.Members) < evidence.MaxNamed {
			a.Members = append(a.Members, row)
		}
	}
	if len(a.Members) == 0 {
		return nil, nil
	}
	return a, nil
}

// scores are what the cases give a member, those that touched it.
func (l *ledgerOfCases) scores(m entrylog.Ref) (out []evidence.CaseScore) {
	for _, c := range *l {
		s, had := c.scores[m]
		if !had && c.scores != nil {
			continue
		}
		out = append(out, evidence.CaseScore{Case: evidence.ID(c.Case), Package: evidence.ID(c.Package), OpenedAt: c.at, NewSites: len(c.sites), Score: s, Lost: c.scores == nil})
	}
	return out
}

// history opens the cases that accuse the members of f.Accumulated: their readings,
// slot tables, and these members' copies. The sealer counts each opening, as it
// always does; so does this log.
func (i *inquest) history(ctx context.Context, d *evidence.Dossier, f *evidence.Findings) error {
	if f.Accumulated == nil {
		return nil
	}
	for _, c := range i.counted {
		var members []entrylog.Ref
		for _, m := range f.Accumulated.Members {
			if _, had := c.scores[entrylog.Ref(m.Holder)]; had {
				members = append(members, entrylog.Ref(m.Holder))
			}
		}
		if len(members) == 0 {
			continue
		}
		i.step("opening case %s, which is part of what accuses", cvd.CaseID(c.Case).Short())
		h, err := i.historyCase(ctx, c, members)
		if err != nil {
			return fmt.Errorf("the case whose codebook was opened in entry %d of the inquiry's log: %w", c.entry, err)
		}
		d.History = append(d.History, h)
	}
	return nil
}

func (i *inquest) historyCase(ctx context.Context, c *counting, members []entrylog.Ref) (h evidence.HistoryCase, err error) {
	pkg := cvd.PackageID(c.Package)
	frozen, ok := i.freezes[c.Readings]
	if !ok {
		return h, fmt.Errorf("its readings were never frozen")
	}
	if h.Readings, err = i.Blobs.Get(ctx, c.Readings); err != nil {
		return h, err
	}
	book, err := i.Sealer.Codebook(ctx, pkg, c.Readings)
	if err != nil {
		return h, err
	}
	if _, err := i.count(ctx, cvd.CaseID(c.Case), pkg, book); err != nil {
		return h, err
	}
	h.Sites = c.sites
	if h.SlotTable, err = i.slotTable(ctx, c, frozen.form); err != nil {
		return h, err
	}
	if h.Freeze, err = i.log.Prove(ctx, frozen.seq); err != nil {
		return h, err
	}
	if h.Opened, err = i.log.Prove(ctx, c.entry); err != nil {
		return h, err
	}
	waves, err := i.wavesBefore(frozen, pkg, members)
	if err != nil {
		return h, err
	}
	var seqs []entrylog.Seq
	for n, m := range members {
		opening, err := i.Sealer.Opening(ctx, pkg, waves[n].id, cvd.HolderID(m))
		if err != nil {
			return h, err
		}
		at := slices.Index(seqs, waves[n].seq)
		if at < 0 {
			proof, err := i.desk.Log().Prove(ctx, waves[n].seq)
			if err != nil {
				return h, err
			}
			at, seqs, h.Waves = len(seqs), append(seqs, waves[n].seq), append(h.Waves, proof)
		}
		h.Copies = append(h.Copies, evidence.OpenedCopy{Holder: m, Wave: uint32(at), Key: copyKeys(book)(m), LeafSalt: opening.LeafSalt, Copy: opening.Copy, Path: opening.Path})
	}
	return h, nil
}

// slotTable is that of a Form of another case.
func (i *inquest) slotTable(ctx context.Context, c *counting, hash [32]byte) ([]byte, error) {
	forms, err := i.Sealer.Forms(ctx, cvd.CaseID(c.Case))
	if err != nil {
		return nil, err
	}
	for _, cf := range forms {
		if sha256.Sum256(cf.Form) != hash {
			continue
		}
		f, err := form.Parse(cf.Form)
		if err != nil {
			return nil, err
		}
		return f.SlotTable(), nil
	}
	return nil, fmt.Errorf("the sealer does not have the Form that was read any more")
}

// wavesBefore gives for each holder the first wave with a copy of the Form that was
// read, anchored before the specimens of a freeze are known to have existed.
func (i *inquest) wavesBefore(z freezing, pkg cvd.PackageID, holders []entrylog.Ref) (out []wave, err error) {
	var found []evidence.SpecimenFacts
	for _, s := range z.specimens {
		found = append(found, evidence.SpecimenFacts{Found: evidence.Window{From: s.From, To: s.To}})
	}
	limit, _ := evidence.KnownBefore(z.at, found)
	err = i.desk.View(func(p *cvd.Programme) error {
		ids := slices.DeleteFunc(slices.Clone(p.Packages[pkg].Waves), func(id cvd.WaveID) bool {
			w := p.Waves[id]
			return w.Statement == nil || w.Statement.Form != z.form || !anchoredBefore(w.Sealed.At, p.Interval, limit)
		})
		slices.SortFunc(ids, func(a, b cvd.WaveID) int { return int(p.Waves[a].Sealed.Seq) - int(p.Waves[b].Sealed.Seq) })
		for _, h := range holders {
			n := slices.IndexFunc(ids, func(id cvd.WaveID) bool { return slices.Contains(p.Waves[id].Audience, cvd.HolderID(h)) })
			if n < 0 {
				return fmt.Errorf("holder %s had no copy in time", h)
			}
			out = append(out, wave{id: ids[n], seq: p.Waves[ids[n]].Sealed.Seq, statement: *p.Waves[ids[n]].Statement})
		}
		return nil
	})
	return out, err
}
