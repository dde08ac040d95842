package cvd

import (
	"fmt"
	"slices"
)

func (b *DeliveriesQueued) apply(p *Programme, n Note) error {
	switch {
	case b.Mailing.IsZero():
		return fmt.Errorf("a mailing without an id")
	case b.Why == NoWhy || b.Step > 1 || len(b.Accounts) == 0:
		return fmt.Errorf("a mailing tells somebody of something")
	case !occasions[b.Why].over.has(p, b.About):
		return fmt.Errorf("a mailing tells of %s, and there is no %s", b.Why, b.About)
	}
	t := Told{Occasion{b.Why, b.About}, b.Step}
	for _, id := range b.Accounts {
		if _, err := find("account", p.Accounts, id); err != nil {
			return err
		}
		if d := p.Deliveries[DeliveryOf(b.Mailing, id)]; d != nil && slices.Contains(d.For, t) {
			return fmt.Errorf("account %s is told twice of the same in one mailing", id)
		}
	}
	for _, id := range b.Accounts {
		a := p.Accounts[id]
		d := p.Deliveries[DeliveryOf(b.Mailing, id)]
		if d == nil {
			d = &Delivery{Note: n, ID: DeliveryOf(b.Mailing, id), Mailing: b.Mailing, Account: id}
			if err := add(p, "delivery", p.Deliveries, &p.DeliveryOrder, d.ID, d); err != nil {
				return err
			}
			push(p, &a.told, d.ID)
		}
		push(p, &d.For, t)
		put(p, p.told, toldKey{t, partyOf(t.Why, a)}, d)
	}
	return nil
}

func (b *DeliveriesTried) apply(p *Programme, n Note) error {
	for _, r := range b.Rows {
		switch _, err := find("delivery", p.Deliveries, r.Delivery); {
		case err != nil:
			return err
		case r.Outcome == NoMailOutcome:
			return fmt.Errorf("an attempt without an outcome")
		}
	}
	for _, r := range b.Rows {
		push(p, &p.Deliveries[r.Delivery].Tries, DeliveryTry{n, r.Outcome})
	}
	return nil
}

func (b *DeliveriesSeen) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	set(p, &a.acted, n.Seq)
	return nil
}

// acted notes that an account did something, which shows that its person was there.
// What runs by itself in somebody's name shows nothing.
func (p *Programme) acted(body fact, n Note) {
	switch body.(type) {
	case *NoticeQueued, *NoticeTried, *DeliveriesQueued, *DeliveriesTried, *SightingsRecorded:
		return
	}
	if a := p.Accounts[n.By]; a != nil {
		set(p, &a.acted, n.Seq)
	}
}
