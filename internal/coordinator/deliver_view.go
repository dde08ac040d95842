package coordinator

import (
	"bytes"
	"context"
	"encoding/xml"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// ReachLine is how far somebody was told that something waits for them.
type ReachLine struct {
	Why     string       `json:"why"`
	Case    cvd.CaseID   `json:"case,omitzero"` // zero: terms, or an account
	Title   string       `json:"title,omitempty"`
	About   string       `json:"about"` // the wave, case, revision, terms or account; its id
	Who     cvd.HolderID `json:"who"`
	Name    string       `json:"name"`
	Since   time.Time    `json:"since"` // when it began to wait
	Reach   string       `json:"reach"`
	Contact *ToldLine    `json:"contact,omitempty"` // nil: not told yet, or there is nobody to tell
	Backup  *ToldLine    `json:"backup,omitempty"`
}

// ToldLine is one notice to one account.
type ToldLine struct {
	Delivery cvd.DeliveryID `json:"delivery"`
	Account  cvd.AccountID  `json:"account"`
	Handle   string         `json:"handle"`
	State    string         `json:"state"`
	Queued   time.Time      `json:"queued"`
	Tried    time.Time      `json:"tried,omitzero"` // the last time
	Tries    int            `json:"tries"`
}

// ReachKept is for how long NotReached lists what began to wait.
const ReachKept = 30 * 24 * time.Hour

// WaveDeliveries is everybody in a wave's audience and how far they were told that it
// opened: those not reached first, then by name's place in the audience. It is for
// who may view deliveries.
func (d *Desk) WaveDeliveries(ctx context.Context, by cvd.Actor, id cvd.WaveID) ([]ReachLine, error) {
	return d.reaching(ctx, by, func(p *cvd.Programme, yield func(cvd.Reaching)) {
		for _, r := range p.WaveReaching(id, d.at(p)) {
			yield(r)
		}
	})
}

// NotReached is whoever something waits for that began to in the last 30 days, and
// who was not reached: the contact didn't look, bounced or failed, and so did the
// backup, or there is nobody to tell. By wave and case, in the order of the log.
func (d *Desk) NotReached(ctx context.Context, by cvd.Actor) ([]ReachLine, error) {
	return d.reaching(ctx, by, func(p *cvd.Programme, yield func(cvd.Reaching)) {
		now := d.at(p)
		p.EachReaching(now, now.Add(-ReachKept), func(r cvd.Reaching) {
			if r.Reach == cvd.NotReached {
				yield(r)
			}
		})
	})
}

// missed is what Desk.missed found, as of an entry and a time. Nobody may
// change it.
type missed struct {
	next entrylog.Seq
	at   time.Time
	who  map[cvd.CaseID]map[cvd.HolderID]bool
}

// missedFor is how long it holds while nothing happens.
const missedFor = 10 * time.Second

// missed is, by case, whom NotReached would list; nil for who may not view that.
func (d *Desk) missed(p *cvd.Programme, by cvd.Actor) map[cvd.CaseID]map[cvd.HolderID]bool {
	now := d.at(p)
	if p.May(by, cvd.ActViewDeliveries, cvd.TheProgramme(), now) != nil {
		return nil
	}
	// Going over all that anybody was told of takes tens of milliseconds with ten
	// thousand members, and pages ask again and again.
	if k := d.lately.Load(); k != nil && k.next == p.Next && now.Sub(k.at).Abs() < missedFor {
		return k.who
	}
	out := map[cvd.CaseID]map[cvd.HolderID]bool{}
	defer func() { d.lately.Store(&missed{p.Next, now, out}) }()
	p.EachReaching(now, now.Add(-ReachKept), func(r cvd.Reaching) {
		if r.Reach != cvd.NotReached {
			return
		}
		id := p.CaseOf(r.Occasion)
		if out[id] == nil {
			out[id] = map[cvd.HolderID]bool{}
		}
		out[id][r.Who] = true
	})
	return out
}

// What a wave's page says of a holder's last notice.
const (
	NoticeSeen       = "seen"
	NoticeNotReached = "not reached"
)

// WaveNotices is how far each of a wave's holders was told that it opened, in a word:
// queued, sent, failed or bounced, of the last notice; seen; not reached; or not told.
// It is nil for who may not view deliveries.
func (d *Desk) WaveNotices(by cvd.Actor, id cvd.WaveID) (out map[cvd.HolderID]string, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if p.May(by, cvd.ActViewDeliveries, cvd.TheProgramme(), d.at(p)) != nil {
			return nil
		}
		out = map[cvd.HolderID]string{}
		for _, r := range p.WaveReaching(id, d.at(p)) {
			last := r.First
			if r.Backup != nil {
				last = r.Backup
			}
			switch {
			case r.Reach == cvd.Reached:
				out[r.Who] = NoticeSeen
			case r.Reach == cvd.NotReached:
				out[r.Who] = NoticeNotReached
			case last != nil:
				out[r.Who] = p.DeliveryState(last.ID).String()
			default:
				out[r.Who] = r.Reach.String()
			}
		}
		return nil
	})
	return out, err
}

func (d *Desk) reaching(ctx context.Context, by cvd.Actor, each func(*cvd.Programme, func(cvd.Reaching))) (out []ReachLine, err error) {
	out = []ReachLine{}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewDeliveries, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		each(p, func(r cvd.Reaching) {
			line := ReachLine{Why: r.Why.String(), Case: p.CaseOf(r.Occasion), About: cvd.WaveID(r.About).String(), Who: r.Who, Since: r.From,
				Reach: r.Reach.String(), Contact: d.toldLine(n, r.First), Backup: d.toldLine(n, r.Backup)}
			if !line.Case.IsZero() && p.May(by, cvd.ActReadCase, cvd.ACase(line.Case), d.at(p)) == nil {
				line.Title = n.Case(line.Case)
			}
			line.Name, _ = n.Holder(r.Who)
			out = append(out, line)
		})
		return nil
	})
	slices.SortStableFunc(out, func(a, b ReachLine) int {
		no := cvd.NotReached.String()
		switch {
		case a.Reach == no && b.Reach != no:
			return -1
		case a.Reach != no && b.Reach == no:
			return 1
		}
		return 0
	})
	return out, err
}

func (d *Desk) toldLine(n Names, x *cvd.Delivery) *ToldLine {
	if x == nil {
		return nil
	}
	line := &ToldLine{Delivery: x.ID, Account: x.Account, Handle: n.Account(x.Account), State: n.p.DeliveryState(x.ID).String(), Queued: x.At, Tries: len(x.Tries)}
	if k := len(x.Tries); k > 0 {
		line.Tried = x.Tries[k-1].At
	}
	return line
}

// Sent is the newest notices by mail, at most so many, newest first: to whom, and
// what became of them. It is for who may view deliveries.
func (d *Desk) Sent(ctx context.Context, by cvd.Actor, most int) (out []ToldLine, err error) {
	out = []ToldLine{}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewDeliveries, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		n := d.Names(ctx, p)
		for _, id := range slices.Backward(p.DeliveryOrder) {
			if len(out) == most {
				break
			}
			out = append(out, *d.toldLine(n, p.Deliveries[id]))
		}
		return nil
	})
	return out, err
}

// NoticeLine is one notice to whoever looks: signed in, they may know what it was of.
type NoticeLine struct {
	Delivery cvd.DeliveryID `json:"notice"`
	At       time.Time      `json:"at"`
	New      bool           `json:"new"` // they have not looked since
	For      []string       `json:"for"` // why, in words; never a case's name
	Occasion []cvd.Occasion `json:"-"`   // what it was of, to link to
}

// noticesShown is how many notices an account is shown, and a feed has.
const noticesShown = 50

// Notices is the actor's own notices, newest first, at most 50. Showing them to
// whom they are for is looking: call SeeNotices after it.
func (d *Desk) Notices(by cvd.Actor) (out []NoticeLine, err error) {
	out = []NoticeLine{}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActSeeNotices, cvd.AnAccount(by.Account), d.at(p)); err != nil {
			return err
		}
		for _, x := range slices.Backward(p.DeliveriesTo(by.Account)) {
			if len(out) == noticesShown {
				break
			}
			line := NoticeLine{Delivery: x.ID, At: x.At, New: p.DeliveryState(x.ID) != cvd.DeliveryAcknowledged}
			for _, t := range x.For {
				line.For, line.Occasion = append(line.For, t.Why.String()), append(line.Occasion, t.Occasion)
			}
			out = append(out, line)
		}
		return nil
	})
	return out, err
}

// NoticeFeed is the actor's notices as an Atom feed (RFC 4287). It says what the mails
// say, so that a feed reader, and whoever sees what it fetches, learns no more. home
// is where the desk's pages begin: an absolute address.
func (d *Desk) NoticeFeed(by cvd.Actor, home string) ([]byte, error) {
	lines, err := d.Notices(by)
	if err != nil {
		return nil, err
	}
	type link struct {
		Href string `xml:"href,attr"`
	}
	type entry struct {
		ID      string `xml:"id"`
		Title   string `xml:"title"`
		Updated string `xml:"updated"`
		Link    link   `xml:"link"`
	}
	feed := struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		ID      string   `xml:"id"`
		Title   string   `xml:"title"`
		Updated string   `xml:"updated"`
		Author  string   `xml:"author>name"`
		Link    link     `xml:"link"`
		Entries []entry  `xml:"entry"`
	}{ID: "urn:forewarn:notices:" + by.Account.String(), Title: "Notices", Author: "The early-warning programme", Link: link{home},
		Updated: time.Unix(0, 0).UTC().Format(time.RFC3339)}
	for i, x := range lines {
		at := x.At.UTC().Truncate(Slot).Format(time.RFC3339)
		if i == 0 {
			feed.Updated = at
		}
		feed.Entries = append(feed.Entries, entry{"urn:forewarn:notice:" + x.Delivery.String(), MailText, at, link{home}})
	}
	b := bytes.NewBufferString(xml.Header)
	err = xml.NewEncoder(b).Encode(feed)
	return b.Bytes(), err
}

// MailText is what every notice by mail says, subject and all.
const MailText = "Something is waiting for you"
