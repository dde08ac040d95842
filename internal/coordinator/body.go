package coordinator

import (
	"context"
	"errors"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// Row is an entry of the log, opened for an auditor: ids, times, hashes and numbers,
// for bodies hold nothing else.
type Row struct {
	Seq     entrylog.Seq `json:"seq"`
	Time    time.Time    `json:"time"`
	Kind    string       `json:"kind"`
	Actor   string       `json:"actor"`
	Auth    string       `json:"auth"`
	Subject string       `json:"subject"`
	Body    any          `json:"body"`
}

var errEnough = errors.New("enough was read")

// EachRow opens entries from one on to who may look into the log, until yield
// says that it is enough.
func (d *Desk) EachRow(ctx context.Context, by cvd.Actor, from entrylog.Seq, yield func(Row) bool) error {
	var names map[entrylog.Ref]string
	if err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewLog, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		names = map[entrylog.Ref]string{entrylog.Ref(p.Sealer): "sealer"}
		for _, id := range p.AccountOrder {
			if id != p.Sealer {
				names[entrylog.Ref(id)] = n.Account(id)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	err := d.EachEntry(ctx, from, func(seq entrylog.Seq, e entrylog.Entry) error {
		r := Row{Seq: seq, Time: e.Time, Kind: cvd.KindName(e.Kind), Actor: names[e.Actor], Auth: e.Auth.String(), Subject: e.Subject.String()}
		if r.Actor == "" {
			r.Actor = e.Actor.String()
		}
		if body, err := cvd.DecodeBody(e.Kind, e.Body); err == nil {
			r.Body = Plain(body)
		}
		if !yield(r) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// KindNames are the kinds of entries, in order.
func KindNames() (out []string) {
	for k := range entrylog.Kind(1 << 10) {
		if cvd.Known(k) {
			out = append(out, cvd.KindName(k))
		}
	}
	return out
}
