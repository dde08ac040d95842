package coordinator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
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

// ErrNoServer: no mail server got as far as the recipient, so that nothing is known of
// it: nothing could be connected to, or it takes nothing now. The notice waits, and none
// of its tries is used up.
var ErrNoServer = errors.New("no mail server takes anything now")

// Mailer hands notices to mail servers.
type Mailer interface {
	// Mail hands notices on, several at a time, and calls done once for each that was
	// tried: with nil when a server has taken it, with ErrBounced, with ErrNoServer, or
	// with why none took it for now. done may be called from several goroutines, and not
	// after Mail returned. Once the context ends nothing new is begun. Mail may be called
	// again before it returned: what comes later doesn't wait for what is slow. What is
	// handed on was perhaps handed on before a crash: it must look the same then, but for
	// the slot.
	Mail(ctx context.Context, slot time.Time, out []Mail, done func(Mail, error))
}

// Delivered is what one round did.
type Delivered struct {
	Queued  int `json:"queued"`
	Sent    int `json:"sent"`
	Failed  int `json:"failed"`
	Bounced int `json:"bounced"`
	Waiting int `json:"waiting"` // for a mail server that takes anything
}

// Deliver queues a notice to everybody who is to be told of something, hands on
// those that are queued, and records what became of them. Each is in the log before
// it leaves. A crash between its leaving and the record, which is made within a
// second, has it handed on again under the same id. When the log can't be written,
// nothing more is handed on.
func (d *Desk) Deliver(ctx context.Context, by cvd.Actor, with Mailer, slot time.Time) (s Delivered, err error) {
	var unread error
	o := d.outbox(ctx, by, with, func(r Delivered, why error) { s, unread = r, why })
	err = o.round(slot)
	err = errors.Join(err, o.end(), ctx.Err())
	return s, errors.Join(unread, err)
}

// outbox is notices on their way. Rounds may overlap: what a slow server keeps does not
// keep those of the next slot.
type outbox struct {
	desk   *Desk
	by     cvd.Actor
	with   Mailer
	said   func(Delivered, error) // what a round did, once it is recorded, and what it had to leave
	ctx    context.Context        // of handing on; it ends when the log can't be written, too
	stop   func()
	tried  chan outcome
	failed chan error     // what kept outcomes from being recorded
	rounds sync.WaitGroup // under way

	mu  sync.Mutex
	out map[cvd.DeliveryID]bool // handed on, and what became of it isn't recorded
}

// outcome is what became of one notice of a round; of none, that it has no more.
type outcome struct {
	cvd.TriedRow
	round    *Delivered
	recorded func()
}

func (d *Desk) outbox(ctx context.Context, by cvd.Actor, with Mailer, said func(Delivered, error)) *outbox {
	o := &outbox{desk: d, by: by, with: with, said: said, tried: make(chan outcome, settleMost), failed: make(chan error, 1), out: map[cvd.DeliveryID]bool{}}
	o.ctx, o.stop = context.WithCancel(ctx)
	go o.record()
	return o
}

// round begins one: it queues what is due, and hands on what waits and is not on its way
// already. It returns once that was begun.
func (o *outbox) round(slot time.Time) error {
	r := &Delivered{}
	var err error
	if r.Queued, err = o.desk.queueDeliveries(o.ctx, o.by); err != nil {
		return err
	}
	// Before what waits is looked for: what is recorded from now on could have been seen
	// waiting, and be on its way no more.
	o.mu.Lock()
	under := maps.Clone(o.out)
	o.mu.Unlock()
	out, unread, err := o.desk.outgoing(o.ctx, o.by)
	if err != nil {
		return errors.Join(unread, err)
	}
	out = slices.DeleteFunc(out, func(m Mail) bool { return under[m.ID] })
	o.mu.Lock()
	for _, m := range out {
		o.out[m.ID] = true
	}
	o.mu.Unlock()
	o.rounds.Go(func() {
		var recorded sync.WaitGroup
		became := func(m Mail, x cvd.MailOutcome) {
			recorded.Add(1)
			o.tried <- outcome{cvd.TriedRow{Delivery: m.ID, Outcome: x}, r, recorded.Done}
		}
		var able []Mail
		for _, m := range out {
			if strings.TrimSpace(m.To) == "" {
				became(m, cvd.MailBounced)
				continue
			}
			able = append(able, m)
		}
		if len(able) > 0 {
			o.with.Mail(o.ctx, slot, able, func(m Mail, err error) { became(m, outcomeOf(err)) })
		}
		o.tried <- outcome{} // no more of this round: what there is need not wait for others
		recorded.Wait()
		o.mu.Lock()
		defer o.mu.Unlock()
		o.said(*r, unread)
	})
	return nil
}

// end waits for the rounds that were begun.
func (o *outbox) end() error {
	o.rounds.Wait()
	close(o.tried)
	o.stop()
	return <-o.failed
}

// record has the log say what became of notices, until the last round ended. What left is
// recorded also when this process is being stopped.
func (o *outbox) record() {
	var failed error
	for more := true; more; {
		var all []outcome
		var rows []cvd.TriedRow
		all, more = gather(o.tried)
		for _, x := range all {
			if x.Outcome != cvd.NoMailOutcome { // else there is nothing to record
				rows = append(rows, x.TriedRow)
			}
		}
		if len(rows) > 0 && failed == nil { // what left since a failure is handed on again by whoever opens the log next
			if _, failed = o.desk.Do(context.WithoutCancel(o.ctx), o.by, cvd.RecordDeliveries{Rows: rows}); failed != nil {
				o.stop()
			}
		}
		o.mu.Lock()
		for _, x := range all {
			if failed == nil {
				delete(o.out, x.Delivery)
				x.round.count(x.Outcome)
			}
			x.recorded()
		}
		o.mu.Unlock()
	}
	o.failed <- failed
}

func (s *Delivered) count(x cvd.MailOutcome) {
	switch x {
	case cvd.MailSent:
		s.Sent++
	case cvd.MailBounced:
		s.Bounced++
	case cvd.NoMailOutcome:
		s.Waiting++
	default:
		s.Failed++
	}
}

func outcomeOf(err error) cvd.MailOutcome {
	switch {
	case err == nil:
		return cvd.MailSent
	case errors.Is(err, ErrBounced):
		return cvd.MailBounced
	case errors.Is(err, ErrNoServer):
		return cvd.NoMailOutcome
	}
	return cvd.MailFailed
}

// gather waits for an outcome, and a little for others while a round may have some.
func gather(tried <-chan outcome) (all []outcome, more bool) {
	r, more := <-tried
	if !more {
		return nil, false
	}
	for enough := time.After(settleLast); r.round != nil; {
		if all = append(all, r); len(all) == settleMost {
			break
		}
		select {
		case r, more = <-tried:
			if !more {
				return all, false
			}
		case <-enough:
			return all, true
		}
	}
	return all, true
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
// can't be read now waits on, and unread says so: it keeps nobody else's back.
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
// be mended by waiting. said is told what each round did that did something, and which
// address couldn't be read: that notice waits, and others don't.
func (d *Desk) KeepDelivering(ctx context.Context, by cvd.Actor, with Mailer, said func(Delivered, error)) error {
	return d.KeepDeliveringEvery(ctx, Slot, by, with, said)
}

// KeepDeliveringEvery has slots of another length, for trials that can't wait for
// minutes.
func (d *Desk) KeepDeliveringEvery(ctx context.Context, every time.Duration, by cvd.Actor, with Mailer, said func(Delivered, error)) error {
	o := d.outbox(ctx, by, with, func(s Delivered, unread error) {
		if s != (Delivered{Waiting: s.Waiting}) || unread != nil { // the first may be so every minute, for days
			said(s, unread)
		}
	})
	for {
		now := d.Clock()
		slot := nextOf(every, now)
		select {
		case <-o.ctx.Done():
			return errors.Join(o.end(), ctx.Err())
		case <-time.After(slot.Sub(now)):
		}
		if d.Clock().Before(slot) {
			continue // the clock was set back
		}
		if err := o.round(slot); err != nil { // whoever runs it begins it again
			return errors.Join(err, o.end(), ctx.Err())
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
	ids = cvd.SortIDs(slices.Clone(ids)) // each once
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
