package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
)

// Slot is what mailings wait for: they leave at whole minutes, whenever it was that
// something began to wait, so that the time of a mail says little.
const Slot = time.Minute

const (
	maxAtOnce  = 32          // entries that queue, in one append: others want the log too
	settleMost = 512         // outcomes in one entry
	settleLast = time.Second // how long an outcome waits for others
)

// Mail is one notice for a mail server. Everything else of it is the same for all.
type Mail struct {
	ID cvd.DeliveryID // the same when it is handed over again
	To string         // an address, as somebody wrote it down: it may be none
}

// ErrBounced: a notice can't be delivered to that address, now or later.
var ErrBounced = errors.New("it can't be delivered")

// Mailer hands notices to mail servers.
type Mailer interface {
	// Mail hands notices on, several at a time, and calls done once for each that was
	// tried: with nil when a server has taken it, with ErrBounced, or with why none
	// took it for now. done may be called from several goroutines, and not after Mail
	// returned. Once the context ends nothing new is begun. What is handed on was
	// perhaps handed on before a crash: it must look the same then, but for the slot.
	Mail(ctx context.Context, slot time.Time, out []Mail, done func(Mail, error))
}

// Delivered is what one round did.
type Delivered struct {
	Queued  int `json:"queued"`
	Sent    int `json:"sent"`
	Failed  int `json:"failed"`
	Bounced int `json:"bounced"`
}

// Deliver queues a notice to everybody who is to be told of something, hands on
// those that are queued, and records what became of them. Each is in the log before
// it leaves. A crash between its leaving and the record, which is made within a
// second, has it handed on again under the same id. When the log can't be written,
// nothing more is handed on.
func (d *Desk) Deliver(ctx context.Context, by cvd.Actor, with Mailer, slot time.Time) (s Delivered, err error) {
	if s.Queued, err = d.queueDeliveries(ctx, by); err != nil {
		return s, err
	}
	out, unread, err := d.outgoing(ctx, by)
	if err != nil || len(out) == 0 {
		return s, errors.Join(unread, err)
	}
	sending, stop := context.WithCancel(ctx)
	defer stop()
	tried := make(chan cvd.TriedRow, settleMost)
	go func() {
		defer close(tried)
		var able []Mail
		for _, m := range out {
			if strings.TrimSpace(m.To) == "" {
				tried <- cvd.TriedRow{Delivery: m.ID, Outcome: cvd.MailBounced}
				continue
			}
			able = append(able, m)
		}
		with.Mail(sending, slot, able, func(m Mail, err error) {
			tried <- cvd.TriedRow{Delivery: m.ID, Outcome: outcome(err)}
		})
	}()
	for more := true; more; {
		var rows []cvd.TriedRow
		rows, more = gather(tried)
		if err != nil || len(rows) == 0 {
			continue // what left since is handed on again by whoever opens the log next
		}
		// What left is recorded also when this process is being stopped.
		if _, err = d.Do(context.WithoutCancel(ctx), by, cvd.RecordDeliveries{Rows: rows}); err != nil {
			stop()
			continue
		}
		s.count(rows)
	}
	return s, errors.Join(err, unread, ctx.Err())
}

func (s *Delivered) count(rows []cvd.TriedRow) {
	for _, r := range rows {
		switch r.Outcome {
		case cvd.MailSent:
			s.Sent++
		case cvd.MailBounced:
			s.Bounced++
		default:
			s.Failed++
		}
	}
}

func outcome(err error) cvd.MailOutcome {
	switch {
	case err == nil:
		return cvd.MailSent
	case errors.Is(err, ErrBounced):
		return cvd.MailBounced
	}
	return cvd.MailFailed
}

// gather waits for an outcome, and a little for others.
func gather(tried <-chan cvd.TriedRow) (rows []cvd.TriedRow, more bool) {
	r, more := <-tried
	if !more {
		return nil, false
	}
	rows = append(rows, r)
	enough := time.After(settleLast)
	for len(rows) < settleMost {
		select {
		case r, more = <-tried:
			if !more {
				return rows, false
			}
			rows = append(rows, r)
		case <-enough:
			return rows, true
		}
	}
	return rows, true
}

// queueDeliveries queues what is due, in one mailing: an account that several things
// wait for gets one notice. What is due is found where the state holds still.
func (d *Desk) queueDeliveries(ctx context.Context, by cvd.Actor) (queued int, err error) {
	mailing, err := NewID[cvd.MailingID](d)
	if err != nil {
		return 0, err
	}
	for {
		entries, told := 0, 0
		if _, err = d.do(ctx, by, func(now time.Time) (all []cvd.Command) {
			entries, told = 0, 0
			for _, x := range d.state.DeliveriesDue(now) {
				for part := range slices.Chunk(x.Accounts, cvd.MaxTold) {
					if entries == maxAtOnce {
						return all
					}
					entries++
					told += len(part)
					all = append(all, cvd.QueueDeliveries{Mailing: mailing, Why: x.Why, About: x.About, Step: x.Step, Accounts: part})
				}
			}
			return all
		}); err != nil {
			return queued, err
		}
		queued += told
		if entries < maxAtOnce {
			return queued, nil
		}
	}
}

// outgoing is what waits to be handed on, each with its address. What has one that
// can't be read now waits on, and unread says so.
func (d *Desk) outgoing(ctx context.Context, by cvd.Actor) (out []Mail, unread, err error) {
	type waits struct {
		mail    Mail
		account cvd.AccountID
		person  cvd.BlobRef
	}
	var all []waits
	if err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActDeliver, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		for _, x := range p.MailOutbox(d.at(p)) {
			all = append(all, waits{Mail{ID: x.ID}, x.Account, p.Accounts[x.Account].Person})
		}
		return nil
	}); err != nil {
		return nil, nil, err
	}
	for _, x := range all {
		var who Person
		err := d.Text(ctx, PersonKey(x.account), x.person, &who)
		if err != nil && !errors.Is(err, ErrGone) { // of somebody whose key was destroyed there is no address
			unread = fmt.Errorf("the address of account %s, and perhaps of others, can't be read; its notice waits: %w", x.account.Short(), err)
			continue
		}
		x.mail.To = who.Mail
		out = append(out, x.mail)
	}
	return out, unread, ctx.Err()
}

// KeepDelivering delivers at every slot until the context ends, or something can't
// be mended by waiting. said is told what each round did that did something.
func (d *Desk) KeepDelivering(ctx context.Context, by cvd.Actor, with Mailer, said func(Delivered)) error {
	return d.KeepDeliveringEvery(ctx, Slot, by, with, said)
}

// KeepDeliveringEvery has slots of another length, for trials that can't wait for
// minutes.
func (d *Desk) KeepDeliveringEvery(ctx context.Context, every time.Duration, by cvd.Actor, with Mailer, said func(Delivered)) error {
	for {
		now := d.Clock()
		slot := nextOf(every, now)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(slot.Sub(now)):
		}
		if d.Clock().Before(slot) {
			continue // the clock was set back
		}
		s, err := d.Deliver(ctx, by, with, slot)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err // whoever runs it begins it again
		case s != Delivered{}:
			said(s)
		}
	}
}

// NextSlot is the first slot after a time.
func NextSlot(now time.Time) time.Time { return nextOf(Slot, now) }

func nextOf(every time.Duration, now time.Time) time.Time { return now.Truncate(every).Add(every) }

// SeeNotices says that whoever acts looks at what waits for them. It writes nothing
// when nothing was told them since they did something: pages may call it whenever
// somebody looks.
func (d *Desk) SeeNotices(ctx context.Context, by cvd.Actor) error {
	unseen := false
	if err := d.View(func(p *cvd.Programme) error { unseen = p.Unseen(by.Account); return nil }); err != nil || !unseen {
		return err
	}
	_, err := d.Do(ctx, by, cvd.SeeNotices{Account: by.Account})
	return err
}

// RecordBounces records that mail servers said that notices can't be delivered, and
// gives how many the log didn't know of. Ids that name no delivery are passed over:
// anybody can write a mail that says that something bounced.
func (d *Desk) RecordBounces(ctx context.Context, by cvd.Actor, ids []cvd.DeliveryID) (recorded int, err error) {
	for part := range slices.Chunk(ids, settleMost) {
		var q cvd.RecordDeliveries
		known := 0
		if err := d.View(func(p *cvd.Programme) error {
			for _, id := range part {
				x := p.Deliveries[id]
				if x == nil {
					continue
				}
				q.Rows = append(q.Rows, cvd.TriedRow{Delivery: id, Outcome: cvd.MailBounced})
				if !slices.ContainsFunc(x.Tries, func(t cvd.DeliveryTry) bool { return t.Outcome == cvd.MailBounced }) {
					known++
				}
			}
			return nil
		}); err != nil {
			return recorded, err
		}
		if len(q.Rows) == 0 {
			continue
		}
		if _, err := d.Do(ctx, by, q); err != nil {
			return recorded, err
		}
		recorded += known
	}
	return recorded, nil
}

// Bounced records a bounce that somebody read of: of the delivery with that id, or of
// the last one to whoever has that handle or address.
func (d *Desk) Bounced(ctx context.Context, by cvd.Actor, said string) (cvd.DeliveryID, error) {
	var id cvd.DeliveryID
	err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActDeliver, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		if n := len(said); n >= 6 && n <= 26 {
			for _, x := range slices.Backward(p.DeliveryOrder) {
				if strings.HasPrefix(x.String(), said) {
					id = x
					return nil
				}
			}
		}
		for _, a := range p.AccountOrder {
			all := p.DeliveriesTo(a)
			if len(all) == 0 {
				continue
			}
			if who := d.person(ctx, p, a); strings.EqualFold(who.Mail, said) || who.Handle == said {
				id = all[len(all)-1].ID
				return nil
			}
		}
		return fmt.Errorf("%w: no notice %q, nor anybody of that handle or address who was sent one", ErrUnknown, said)
	})
	if err != nil {
		return id, err
	}
	_, err = d.RecordBounces(ctx, by, []cvd.DeliveryID{id})
	return id, err
}
