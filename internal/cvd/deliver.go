package cvd

import (
	"slices"
	"time"

	"forewarn/internal/entrylog"
)

// BackupAfter is how long a contact has to look before the backup contact is told,
// and the backup before the member counts as not reached: since a mail server took the
// notice, or, where none did, since it was queued.
const BackupAfter = 4 * time.Hour

// TellWithin is how long after something began to wait people are still told of it:
// what is older is found by whoever looks. So a programme that gets a mail server
// after a year doesn't send a year's notices.
const TellWithin = 7 * 24 * time.Hour

// MailRetries is how long after each failed attempt a notice is tried again, at the
// next slot then. After the last it is given up, and the backup contact is told. An
// attempt is one at which a mail server was told the recipient: while none takes
// anything from anybody there is none, and a notice waits, for as long as people are told
// of anything (TellWithin; RFC 5321, 4.5.4.1 asks for four or five days).
var MailRetries = [...]time.Duration{30 * time.Second, 4 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour}

// ToTell is accounts that are to be told of one occasion.
type ToTell struct {
	Told
	Accounts []AccountID // ascending
}

// DeliveriesDue is everybody who is to be told of something at a time and was not:
// a pure function of the state and the clock, in time proportional to the waves and
// cases there are and to the parties of what is new within TellWithin.
func (p *Programme) DeliveriesDue(now time.Time) (due []ToTell) {
	for w := NoWhy + 1; w < whyEnd; w++ {
		occasions[w].over.each(p, func(about entrylog.Ref) {
			first, backup := p.dueOf(Occasion{w, about}, now)
			for step, ids := range [][]AccountID{first, backup} {
				if len(ids) > 0 {
					due = append(due, ToTell{Told{Occasion{w, about}, uint8(step)}, ids})
				}
			}
		})
	}
	return due
}

// dueOf is who is to be told of one occasion: contacts, and backup contacts.
func (p *Programme) dueOf(o Occasion, now time.Time) (first, backup []AccountID) {
	row := &occasions[o.Why]
	row.who(p, o.About, now, now.Add(-TellWithin), func(x party) {
		ids := p.contacts(x.who, row.first)
		if len(ids) == 0 {
			return
		}
		one, two := p.toldOf(o, x)
		switch {
		case one == nil:
			first = append(first, ids[0])
		case two == nil && p.unheard(one, now):
			if i := slices.IndexFunc(ids, func(id AccountID) bool { return id != one.Account }); i >= 0 {
				backup = append(backup, ids[i])
			}
		}
	})
	return SortIDs(first), SortIDs(backup)
}

// toldOf is the deliveries to a party's contact and backup contact since something
// began to wait for it; nil: none.
func (p *Programme) toldOf(o Occasion, x party) (one, two *Delivery) {
	one, two = p.told[toldKey{Told{o, 0}, x.who}], p.told[toldKey{Told{o, 1}, x.who}]
	if one != nil && one.Seq < x.since {
		one = nil
	}
	if two != nil && (one == nil || two.Seq < one.Seq) {
		two = nil
	}
	return one, two
}

// unheard reports whether somebody who was told is to be waited for no longer.
func (p *Programme) unheard(d *Delivery, now time.Time) bool {
	switch p.DeliveryState(d.ID) {
	case DeliveryAcknowledged:
		return false
	case DeliveryBounced, DeliveryFailed:
		return true
	}
	since := d.At
	for _, t := range d.Tries {
		if t.Outcome == MailSent {
			since = t.At
		}
	}
	return !now.Before(since.Add(BackupAfter))
}

// DeliveryState is where a delivery is. An account that did anything since it was
// told has looked; so has one whose member fetched the wave that it was told of.
func (p *Programme) DeliveryState(id DeliveryID) DeliveryState {
	d := p.Deliveries[id]
	if d == nil {
		return NoDelivery
	}
	a := p.Accounts[d.Account]
	if a.acted > d.Seq || p.fetchedSince(d, a) {
		return DeliveryAcknowledged
	}
	state, failed := DeliveryQueued, 0
	for _, t := range d.Tries {
		switch t.Outcome {
		case MailBounced:
			return DeliveryBounced
		case MailSent:
			state = DeliverySent
		case MailFailed:
			failed++
		}
	}
	if state == DeliveryQueued && failed > len(MailRetries) {
		return DeliveryFailed
	}
	return state
}

func (p *Programme) fetchedSince(d *Delivery, a *Account) bool {
	for _, t := range d.For {
		if t.Why != WaveOpened {
			continue
		}
		if c := p.Waves[WaveID(t.About)].CopyOf(a.HolderOf()); c != nil && len(c.Fetches) > 0 && c.Fetches[len(c.Fetches)-1].Seq > d.Seq {
			return true
		}
	}
	return false
}

// MailOutbox is the deliveries that are queued and may be handed to a mail server at
// a time, first to last. It looks at the last week's alone.
func (p *Programme) MailOutbox(now time.Time) (out []*Delivery) {
	for _, id := range slices.Backward(p.DeliveryOrder) {
		d := p.Deliveries[id]
		if now.Sub(d.At) > TellWithin {
			break
		}
		if p.DeliveryState(id) != DeliveryQueued || !p.active(p.Accounts[d.Account]) {
			continue
		}
		if n := len(d.Tries); n == 0 || !now.Before(d.Tries[n-1].At.Add(MailRetries[n-1])) {
			out = append(out, d)
		}
	}
	slices.Reverse(out)
	return out
}

// Reaching is how far somebody was told of something.
type Reaching struct {
	Occasion
	Who    HolderID // a member, or one account
	From   time.Time
	Reach  Reach
	First  *Delivery // to the contact; nil: none yet
	Backup *Delivery
}

// reach judges one party.
func (p *Programme) reach(o Occasion, x party, now time.Time) Reaching {
	r := Reaching{Occasion: o, Who: x.who, From: x.from}
	r.First, r.Backup = p.toldOf(o, x)
	ids := p.contacts(x.who, occasions[o.Why].first)
	last := r.First
	if r.Backup != nil {
		last = r.Backup
	}
	heard := func(d *Delivery) bool { return d != nil && p.DeliveryState(d.ID) == DeliveryAcknowledged }
	switch {
	case heard(r.First) || heard(r.Backup):
		r.Reach = Reached
	case len(ids) == 0:
		r.Reach = NotReached
	case last == nil:
	case !p.unheard(last, now):
		r.Reach = Telling
	case last == r.First && slices.ContainsFunc(ids, func(id AccountID) bool { return id != last.Account }) && now.Sub(x.from) < TellWithin:
		r.Reach = Telling // the backup's turn
	default:
		r.Reach = NotReached
	}
	return r
}

// EachReaching yields everybody something waits for that began to after a time, and
// how far they were told.
func (p *Programme) EachReaching(now, after time.Time, yield func(Reaching)) {
	for w := NoWhy + 1; w < whyEnd; w++ {
		occasions[w].over.each(p, func(about entrylog.Ref) {
			o := Occasion{w, about}
			occasions[w].who(p, about, now, after, func(x party) { yield(p.reach(o, x, now)) })
		})
	}
}

// WaveReaching is how far everybody in a wave's audience was told that it opened, in
// the order of the audience. Who fetched is Reached, told or not.
func (p *Programme) WaveReaching(id WaveID, now time.Time) (out []Reaching) {
	w := p.Waves[id]
	if w == nil || w.Statement == nil {
		return nil
	}
	o := Occasion{WaveOpened, ref(id)}
	for i, h := range w.Audience {
		r := p.reach(o, party{h, w.Sealed.Seq, w.OpensAt}, now)
		switch {
		case w.Copies != nil && len(w.Copies[i].Fetches) > 0:
			r.Reach = Reached
		case now.Before(w.OpensAt):
			r.Reach = NotTold
		}
		out = append(out, r)
	}
	return out
}

// DeliveriesTo is the deliveries to an account, first to last.
func (p *Programme) DeliveriesTo(id AccountID) (out []*Delivery) {
	a := p.Accounts[id]
	if a == nil {
		return nil
	}
	for _, d := range a.told {
		out = append(out, p.Deliveries[d])
	}
	return out
}

func (c QueueDeliveries) asks(*Programme) (Action, Object) { return ActDeliver, TheProgramme() }

func (c QueueDeliveries) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	switch {
	case c.Mailing.IsZero():
		return nil, refuse("the mailing has no id")
	case c.Why == NoWhy || c.Why >= whyEnd || c.Step > 1 || len(c.Accounts) == 0:
		return nil, refuse("a mailing tells somebody of something")
	}
	first, backup := p.dueOf(Occasion{c.Why, c.About}, now)
	due := first
	if c.Step == 1 {
		due = backup
	}
	for _, id := range c.Accounts {
		if _, ok := slices.BinarySearchFunc(due, id, AccountID.Compare); !ok {
			return nil, refuse("account %s is not to be told of that: it was, or it doesn't wait any more", id)
		}
	}
	b := DeliveriesQueued(c)
	return checked(&b)
}

func (c RecordDeliveries) asks(*Programme) (Action, Object) { return ActDeliver, TheProgramme() }

// decide drops what the log says already: a notice is sent once, and bounces once.
func (c RecordDeliveries) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	var b DeliveriesTried
	had := map[DeliveryID]bool{}
	for _, r := range c.Rows {
		d := p.Deliveries[r.Delivery]
		switch {
		case d == nil:
			return nil, refuse("there is no delivery %s", r.Delivery)
		case r.Outcome == NoMailOutcome || r.Outcome > MailBounced:
			return nil, refuse("a notice was sent, it failed, or it bounced")
		}
		said := func(o MailOutcome) bool {
			is := func(x DeliveryTry) bool { return x.Outcome == o }
			return slices.ContainsFunc(d.Tries, is)
		}
		if !said(MailBounced) && (r.Outcome == MailBounced || !said(MailSent)) && !had[r.Delivery] {
			b.Rows, had[r.Delivery] = append(b.Rows, r), true
		}
	}
	if len(b.Rows) == 0 {
		return nil, nil
	}
	return checked(&b)
}

func (c SeeNotices) asks(*Programme) (Action, Object) { return ActSeeNotices, AnAccount(c.Account) }

// decide writes nothing where nothing waits to be seen.
func (c SeeNotices) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if !p.Unseen(c.Account) {
		return nil, nil
	}
	b := DeliveriesSeen(c)
	return yes(&b)
}

// Unseen reports whether an account was told of something and has not looked since.
func (p *Programme) Unseen(id AccountID) bool {
	a := p.Accounts[id]
	return a != nil && len(a.told) > 0 && p.Deliveries[a.told[len(a.told)-1]].Seq > a.acted
}

// CaseOf is the case that an occasion belongs to; zero: none, for terms and accounts.
func (p *Programme) CaseOf(o Occasion) CaseID {
	if w := p.Waves[WaveID(o.About)]; w != nil {
		return w.Case
	}
	if r := p.Revisions[RevisionID(o.About)]; r != nil {
		return r.Case
	}
	if c := p.Cases[CaseID(o.About)]; c != nil {
		return c.ID
	}
	return CaseID{}
}
