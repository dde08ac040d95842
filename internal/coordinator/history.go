package coordinator

import (
	"context"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// history is the entries that are about a case, by case: what was decided, by
// whom and when, not what it says. Fetches and receipts, which come by the
// million, aren't in it; they stand with their copies. The log guards it, like
// the state.
type history struct{ of map[cvd.CaseID][]happened }

type happened struct {
	seq  entrylog.Seq
	at   time.Time
	by   cvd.AccountID
	kind entrylog.Kind
	wave cvd.WaveID // that it is about; zero: none
}

// note keeps an entry that was folded in with its case.
func (d *Desk) note(seq entrylog.Seq, e entrylog.Entry) {
	if e.Kind == cvd.KindCopyFetched || e.Kind == cvd.KindReceiptLodged {
		return
	}
	x := happened{seq: seq, at: e.Time, by: cvd.AccountID(e.Actor), kind: e.Kind}
	var id cvd.CaseID
	p := d.state
	if p.Cases[cvd.CaseID(e.Subject)] != nil {
		id = cvd.CaseID(e.Subject)
	} else if w := p.Waves[cvd.WaveID(e.Subject)]; w != nil {
		id, x.wave = w.Case, w.ID
	} else if r := p.Revisions[cvd.RevisionID(e.Subject)]; r != nil {
		id = r.Case
	} else if k := p.Packages[cvd.PackageID(e.Subject)]; k != nil {
		id = k.Case
	} else if c := p.Notices[cvd.NoticeID(e.Subject)]; c != nil {
		id = c.Case
	}
	if id.IsZero() {
		return
	}
	if d.history.of == nil {
		d.history.of = map[cvd.CaseID][]happened{}
	}
	d.history.of[id] = append(d.history.of[id], x)
}

// HistoryLine is one entry about a case.
type HistoryLine struct {
	Entry uint64    `json:"entry"`
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	By    string    `json:"by"`
	About string    `json:"about,omitempty"` // the wave
}

// History lists the entries about a case, the newest first: all but fetches and
// receipts, which stand with the waves, and the names of things that belong to no
// case.
func (d *Desk) History(ctx context.Context, by cvd.Actor, id cvd.CaseID) (out []HistoryLine, err error) {
	out = []HistoryLine{}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		names, labels := map[cvd.AccountID]string{}, map[cvd.WaveID]string{}
		for i, w := range p.Cases[id].Waves {
			labels[w] = WaveLabel(i, p.Waves[w])
		}
		for _, x := range slices.Backward(d.history.of[id]) {
			who, ok := names[x.by]
			if !ok {
				who = n.Account(x.by)
				names[x.by] = who
			}
			out = append(out, HistoryLine{uint64(x.seq), x.at, cvd.KindName(x.kind), who, labels[x.wave]})
		}
		return nil
	})
	return out, err
}
