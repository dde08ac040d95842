package coordinator_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// postman is a mailer whose handing on goes wrong like any other effect.
type postman struct {
	w   *works
	ask func(op string) fault
	say map[string]error // by address
}

// carried is every notice that reached a mail server, over crashes.
var carried = map[*works][]coordinator.Mail{}

func (c postman) Mail(ctx context.Context, slot time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
	for _, m := range out {
		if ctx.Err() != nil {
			return
		}
		f := c.ask("mail")
		if err := c.say[m.To]; err != nil {
			done(m, err)
			continue
		}
		if f.err == nil || f.kept {
			carried[c.w] = append(carried[c.w], m)
		}
		done(m, f.err)
	}
}

func (w *works) deliver() (coordinator.Delivered, error) {
	return w.desk.Deliver(ctx, w.ana, postman{w, w.asking("mail/"), nil}, w.now)
}

// toldAll wants every delivery to have left, no other to have, and every holder of
// the last wave to be told of it.
func (w *works) toldAll(p *cvd.Programme) bool {
	reached := map[cvd.DeliveryID]int{}
	for _, m := range carried[w] {
		if p.Deliveries[m.ID] == nil {
			w.t.Errorf("a notice was handed on that the log doesn't have")
		}
		reached[m.ID]++
	}
	for _, r := range p.WaveReaching(p.WaveOrder[len(p.WaveOrder)-1], w.now) {
		if r.First == nil || reached[r.First.ID] == 0 || p.DeliveryState(r.First.ID) != cvd.DeliverySent {
			return false
		}
	}
	return len(p.Deliveries) == len(w.holders)
}

var noticeDeeds = []deed{
	{"tell members by mail", func(w *works) { w.sealedWave(); delete(carried, w) },
		func(w *works) error {
			s, err := w.deliver()
			if err == nil && s.Failed > 0 {
				err = errFault
				w.pass(cvd.MailRetries[0] + time.Second)
			}
			return err
		},
		func(w *works, p *cvd.Programme) bool { return w.toldAll(p) }},
	{"look at notices", func(w *works) {
		w.sealedWave()
		_, err := w.deliver()
		ok(w.t, err)
	},
		func(w *works) error { return w.desk.SeeNotices(ctx, w.actors[0]) },
		func(w *works, p *cvd.Programme) bool { return !p.Unseen(w.actors[0].Account) }},
	{"record a bounce", func(w *works) {
		w.sealedWave()
		_, err := w.deliver()
		ok(w.t, err)
	},
		func(w *works) error { _, err := w.desk.Bounced(ctx, w.ana, "c1@member.example"); return err },
		func(w *works, p *cvd.Programme) bool {
			all := p.DeliveriesTo(w.actors[1].Account)
			return p.DeliveryState(all[len(all)-1].ID) == cvd.DeliveryBounced
		}},
}

// A round tells everybody once, records what became of it in few entries, and leaves
// nothing for the next.
func TestDeliver(t *testing.T) {
	w := newWorks(t)
	w.sealedWave()
	size := w.desk.Log().Size()
	with := postman{w, w.asking("mail/"), map[string]error{
		"c1@member.example": fmt.Errorf("%w: no such user", coordinator.ErrBounced), "c2@member.example": errors.New("busy")}}
	s, err := w.desk.Deliver(ctx, w.ana, with, w.now)
	ok(t, err)
	if s != (coordinator.Delivered{Queued: 3, Sent: 1, Failed: 1, Bounced: 1}) {
		t.Errorf("a round: %+v", s)
	}
	if n := w.desk.Log().Size() - size; n != 2 {
		t.Errorf("it took %d entries, want one to queue and one for what became of it", n)
	}
	if s, err = w.desk.Deliver(ctx, w.ana, with, w.now); err != nil || s != (coordinator.Delivered{}) {
		t.Errorf("a second round at once: %+v, %v", s, err)
	}
	w.pass(cvd.MailRetries[0] + time.Second)
	with.say = nil
	if s, err = w.desk.Deliver(ctx, w.ana, with, w.now); err != nil || s.Sent != 1 {
		t.Errorf("the one that failed, a minute later: %+v, %v", s, err)
	}
	if got := carried[w]; len(got) != 2 || got[0].To != "c0@member.example" || got[1].To != "c2@member.example" {
		t.Errorf("what left is %v", got)
	}
	w.audited("after it")

	// What the coordinator sees.
	id, _, err := w.lastWave()
	ok(t, err)
	lines, err := w.desk.WaveDeliveries(ctx, w.ana, id)
	ok(t, err)
	if len(lines) != 3 || lines[0].Name != "Member 1" || lines[0].Reach != "not reached" || lines[0].Title != "A case" || lines[0].Contact.State != "bounced" || lines[0].Contact.Handle != "c1" {
		t.Errorf("deliveries of the wave: %+v", lines)
	}
	missed, err := w.desk.NotReached(ctx, w.ana)
	ok(t, err)
	if len(missed) != 1 || missed[0].Why != "a wave opened" || missed[0].About != id.String() {
		t.Errorf("not reached: %+v", missed)
	}
	w.pass(cvd.BackupAfter)
	if missed, err = w.desk.NotReached(ctx, w.ana); err != nil || len(missed) != 3 {
		t.Errorf("not reached after four hours: %+v, %v", missed, err)
	}
	ok(t, w.desk.SeeNotices(ctx, w.actors[0]))
	ok(t, w.fetch(2, id))
	if missed, err = w.desk.NotReached(ctx, w.ana); err != nil || len(missed) != 1 {
		t.Errorf("not reached once one looked and one fetched: %+v, %v", missed, err)
	}
	for _, look := range []func() error{
		func() error { _, err := w.desk.NotReached(ctx, w.actors[0]); return err },
		func() error { _, err := w.desk.WaveDeliveries(ctx, w.actors[0], id); return err },
		func() error { _, err := w.desk.Sent(ctx, w.actors[0], 9); return err },
		func() error { _, err := w.deliverAs(w.actors[0]); return err },
		func() error {
			_, err := w.desk.Deliver(ctx, w.actors[0], postman{w, w.asking("mail/"), nil}, w.now) // with nothing new
			return err
		},
		func() error { _, err := w.desk.Bounced(ctx, w.actors[0], "c1"); return err },
	} {
		if err := look(); !errors.Is(err, cvd.ErrDenied) {
			t.Errorf("a member's account is shown who was told: %v", err)
		}
	}
	sent, err := w.desk.Sent(ctx, w.ana, 2)
	if err != nil || len(sent) != 2 {
		t.Errorf("the newest two notices: %+v, %v", sent, err)
	}
	if _, err := w.desk.Bounced(ctx, w.ana, "nobody@member.example"); !errors.Is(err, coordinator.ErrUnknown) {
		t.Errorf("a bounce of nobody: %v", err)
	}
	n, err := w.desk.RecordBounces(ctx, w.ana, []cvd.DeliveryID{{1, 2, 3}, sent[0].Delivery, sent[0].Delivery})
	if err != nil || n != 1 {
		t.Errorf("bounces, one of no notice and one twice: %d, %v", n, err)
	}
}

func (w *works) deliverAs(by cvd.Actor) (coordinator.Delivered, error) {
	w.pass(time.Minute)
	// Something new, so that there is something to queue.
	_, err := w.desk.Do(ctx, w.ana, cvd.Hold{Case: w.cs})
	ok(w.t, err)
	defer func() {
		_, err := w.desk.Do(ctx, w.ana, cvd.LiftHold{Case: w.cs})
		ok(w.t, err)
	}()
	return w.desk.Deliver(ctx, by, postman{w, w.asking("mail/"), nil}, w.now)
}

// Whoever was told finds the same on their pages and in their feed; the feed says no
// more than a mail does.
// Who changes a name undoes no address that another changed meanwhile, nor the other way.
func TestChangesBesideOneAnother(t *testing.T) {
	w := newWorks(t)
	for round := range 50 {
		said := fmt.Sprint("n", round)
		var both sync.WaitGroup
		for _, change := range []func() error{
			func() error { return w.desk.SetName(ctx, w.ana, w.ana.Account, said) },
			func() error { return w.desk.SetMail(ctx, w.ana, w.ana.Account, said+"@desk.example") },
		} {
			both.Go(func() {
				if err := change(); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		x, err := w.desk.AccountOf(ctx, w.ana, w.ana.Account)
		ok(t, err)
		if x.Who.Name != said || x.Who.Mail != said+"@desk.example" {
			t.Fatalf("round %d: %+v", round, x.Who)
		}
	}
}

func TestMyNotices(t *testing.T) {
	w := newWorks(t)
	w.sealedWave()
	_, err := w.deliver()
	ok(t, err)
	mine, err := w.desk.Notices(w.actors[0])
	ok(t, err)
	if len(mine) != 1 || !mine[0].New || len(mine[0].For) != 1 || mine[0].For[0] != "a wave opened" {
		t.Errorf("my notices: %+v", mine)
	}
	size := w.desk.Log().Size()
	for range 3 {
		ok(t, w.desk.SeeNotices(ctx, w.actors[0]))
	}
	if n := w.desk.Log().Size() - size; n != 1 {
		t.Errorf("looking three times took %d entries", n)
	}
	if mine, err = w.desk.Notices(w.actors[0]); err != nil || mine[0].New {
		t.Errorf("once seen it is new: %+v, %v", mine, err)
	}
	b, err := w.desk.NoticeFeed(w.actors[0], "https://desk.example/home")
	ok(t, err)
	var feed struct {
		XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
		Entries []struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Updated string `xml:"updated"`
		} `xml:"entry"`
	}
	ok(t, xml.Unmarshal(b, &feed))
	if len(feed.Entries) != 1 || feed.Entries[0].Title != coordinator.MailText || !strings.HasSuffix(feed.Entries[0].Updated, ":00Z") {
		t.Errorf("the feed: %s", b)
	}
	for _, word := range []string{"wave", "case", "Member", "c0"} {
		if strings.Contains(string(b), word) {
			t.Errorf("the feed has %q in it: %s", word, b)
		}
	}
}

// When the log can't be written nothing more is handed on.
func TestDeliverStopsWithTheLog(t *testing.T) {
	w := newWorks(t)
	w.sealedWave()
	delete(carried, w)
	w.hook = func(op string) fault {
		if strings.HasPrefix(op, "store/") {
			return fault{errFault, false}
		}
		return fault{}
	}
	if _, err := w.deliver(); err == nil || len(carried[w]) > 0 {
		t.Errorf("nothing could be queued, and %d left: %v", len(carried[w]), err)
	}
	w.crash()
}

func TestSlots(t *testing.T) {
	at := time.Date(2026, 11, 26, 21, 9, 13, 5, time.UTC)
	if got := coordinator.NextSlot(at); got != time.Date(2026, 11, 26, 21, 10, 0, 0, time.UTC) {
		t.Errorf("the slot after %s is %s", at, got)
	}
	if got := coordinator.NextSlot(at.Truncate(time.Minute)); got != time.Date(2026, 11, 26, 21, 10, 0, 0, time.UTC) {
		t.Errorf("a slot's next is %s", got)
	}
}

// Mails leave at whole minutes, whenever it was that something began to wait.
func TestKeepDelivering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.sealedWave() // something waits from now on
		w.desk.Clock = time.Now
		time.Sleep(17 * time.Second)
		begun := time.Now()
		var slots []time.Time
		with := mailing(func(_ context.Context, slot time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
			if !slot.Equal(slot.Truncate(time.Minute)) || !time.Now().Equal(slot) {
				t.Errorf("at %s mails of %s leave", time.Now(), slot)
			}
			slots = append(slots, slot)
			for _, m := range out {
				done(m, nil)
			}
		})
		run, stop := context.WithCancel(ctx)
		ended := make(chan error)
		rounds := 0
		go func() {
			ended <- w.desk.KeepDelivering(run, w.ana, with, func(coordinator.Delivered, error) { rounds++ })
		}()
		time.Sleep(150 * time.Second)
		_, err := w.desk.Do(ctx, w.ana, cvd.Hold{Case: w.cs})
		ok(t, err)
		time.Sleep(10 * time.Minute)
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		first := coordinator.NextSlot(begun)
		if want := []time.Time{first, first.Add(2 * time.Minute)}; len(slots) != 2 || rounds != 2 || !slots[0].Equal(want[0]) || !slots[1].Equal(want[1]) {
			t.Errorf("mails left at %v, want %v", slots, want)
		}
		ok(t, w.desk.Close())
	})
}

// One mail server that is slow keeps the mails of the next slot from nobody, and each
// leaves once: also beside somebody whose address can't be read.
func TestSlowMailKeepsNobodyWaiting(t *testing.T) {
	t.Run("all", func(t *testing.T) { slowMail(t, 3) })
	t.Run("one can't be read", func(t *testing.T) { slowMail(t, 2) })
}

// slowMail has the addresses of so many of three members.
func slowMail(t *testing.T, read int) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.sealedWave()
		for _, by := range w.actors[read:] {
			ok(t, w.desk.View(func(p *cvd.Programme) error {
				delete(w.blobs.blobs, p.Accounts[by.Account].Person)
				return nil
			}))
		}
		w.goOn()
		var mu sync.Mutex
		left := map[cvd.DeliveryID][]time.Time{}
		with := mailing(func(_ context.Context, slot time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
			var all sync.WaitGroup
			for _, m := range out {
				all.Go(func() {
					mu.Lock()
					left[m.ID] = append(left[m.ID], slot)
					mu.Unlock()
					if m.To == "c0@member.example" {
						time.Sleep(7*time.Minute + 3*time.Second)
					}
					done(m, nil)
				})
			}
			all.Wait()
		})
		run, stop := context.WithCancel(ctx)
		ended := make(chan error)
		var total coordinator.Delivered
		var unread error
		go func() {
			ended <- w.desk.KeepDelivering(run, w.ana, with, func(s coordinator.Delivered, why error) {
				unread = why
				total.Queued, total.Sent = total.Queued+s.Queued, total.Sent+s.Sent
			})
		}()
		time.Sleep(150 * time.Second)
		_, err := w.desk.Do(ctx, w.ana, cvd.Hold{Case: w.cs}) // tells all three of something more
		ok(t, err)
		held := time.Now()
		time.Sleep(30 * time.Minute)
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if len(left) != 2*read || total != (coordinator.Delivered{Queued: 6, Sent: 2 * read}) || (unread == nil) != (read == 3) {
			t.Errorf("%d notices left, %+v, %v", len(left), total, unread)
		}
		second := 0
		for id, slots := range left {
			if len(slots) != 1 {
				t.Errorf("notice %s left %d times", id, len(slots))
			}
			if slots[0].Equal(coordinator.NextSlot(held)) {
				second++
			}
		}
		if second != read {
			t.Errorf("%d notices left at the next slot, want %d: %v", second, read, left)
		}
		ok(t, w.desk.Close())
	})
}

// While no mail server takes anything a notice waits, and neither its tries nor the log
// are used up; then it leaves, once, and its people have their time to look.
func TestMailOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.sealedWave()
		w.goOn()
		wave, _, err := w.lastWave()
		ok(t, err)
		back := time.Now().Add(12 * time.Hour)
		left := 0
		with := mailing(func(_ context.Context, slot time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
			for _, m := range out {
				if time.Now().Before(back) {
					done(m, fmt.Errorf("%w: connection refused", coordinator.ErrNoServer))
					continue
				}
				left++
				done(m, nil)
			}
		})
		size := w.desk.Log().Size()
		run, stop := context.WithCancel(ctx)
		ended := make(chan error)
		go func() {
			ended <- w.desk.KeepDelivering(run, w.ana, with, func(s coordinator.Delivered, _ error) {
				if s.Failed+s.Bounced > 0 {
					t.Errorf("a round: %+v", s)
				}
			})
		}()
		reach := func() (out string) {
			lines, err := w.desk.WaveDeliveries(ctx, w.ana, wave)
			ok(t, err)
			for _, x := range lines {
				out += fmt.Sprintf("%s %s %d, ", x.Reach, x.Contact.State, x.Contact.Tries)
			}
			return out
		}
		time.Sleep(time.Until(back) - time.Minute)
		if n := w.desk.Log().Size() - size; n != 1 || left != 0 {
			t.Errorf("after twelve hours without a server the log has %d more entries, want the one that queues; %d left", n, left)
		}
		if got := reach(); got != strings.Repeat("not reached queued 0, ", 3) {
			t.Errorf("meanwhile: %s", got)
		}
		time.Sleep(10 * time.Minute)
		if got := reach(); left != 3 || got != strings.Repeat("told sent 1, ", 3) {
			t.Errorf("%d left, and then: %s", left, got)
		}
		time.Sleep(cvd.BackupAfter)
		if got := reach(); left != 3 || got != strings.Repeat("not reached sent 1, ", 3) {
			t.Errorf("%d left, and nobody looked: %s", left, got)
		}
		stop()
		<-ended
		ok(t, w.desk.Close())
	})
}

// mailing is a mailer that is one function.
type mailing func(context.Context, time.Time, []coordinator.Mail, func(coordinator.Mail, error))

func (f mailing) Mail(ctx context.Context, slot time.Time, out []coordinator.Mail, done func(coordinator.Mail, error)) {
	f(ctx, slot, out, done)
}
