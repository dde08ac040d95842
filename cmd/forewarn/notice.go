package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/dsn"
	"forewarn/internal/home"
	"forewarn/internal/hostile"
	"forewarn/internal/wire"
)

type noticeCmd struct {
	List       noticeList       `cmd:"" help:"Who was sent a notice, and what became of it; of one wave, or the newest."`
	NotReached noticeNotReached `cmd:"" help:"Whom something waits for and nobody reached: contact and backup."`
	Send       noticeSend       `cmd:"" help:"Send what is due once, while the desk isn't served."`
	Bounced    noticeBounced    `cmd:"" help:"Record a bounce that you read of."`
	Bounces    noticeBounces    `cmd:"" help:"Record the bounces in mail: a message, or an mbox."`
}

type noticeList struct {
	Wave string `help:"Only of this wave: everybody in its audience." placeholder:"WAVE"`
	Last int    `help:"How many, without a wave." default:"50"`
}

func (*noticeList) Help() string {
	return `Example:
  forewarn notice list --as ana
  forewarn notice list --wave Layout/1 --as ana`
}

func (c *noticeList) Run(a *app) error {
	if c.Wave != "" {
		var lines []coordinator.ReachLine
		if err := a.look(func(d *coordinator.Desk, by cvd.Actor) error {
			id, err := d.Wave(a, by, c.Wave)
			if err == nil {
				lines, err = d.WaveDeliveries(a, by, id)
			}
			return err
		}); err != nil {
			return err
		}
		return a.reaching(lines, "The wave isn't sealed: nobody is told of it yet.")
	}
	var lines []coordinator.ToldLine
	var rows [][]string
	if err := a.look(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		lines, err = d.Sent(a, by, max(0, c.Last))
		return err
	}); err != nil {
		return err
	}
	for _, x := range lines {
		rows = append(rows, []string{when(x.Queued), x.Handle, x.State, fmt.Sprint(x.Tries), x.Delivery.Short()})
	}
	return list(a, "Nobody was sent a notice. 'forewarn serve --smtp' sends them, or 'forewarn notice send'.", []string{"QUEUED", "WHO", "STATE", "TRIES", "NOTICE"}, rows, lines)
}

// reaching shows how far people were told.
func (a *app) reaching(lines []coordinator.ReachLine, empty string) error {
	var rows [][]string
	for _, x := range lines {
		rows = append(rows, []string{x.Name, x.Reach, x.Why, x.Title, when(x.Since), told(x.Contact), told(x.Backup)})
	}
	return list(a, empty, []string{"WHO", "", "WHY", "CASE", "SINCE", "CONTACT", "BACKUP"}, rows, lines)
}

func told(x *coordinator.ToldLine) string {
	if x == nil {
		return "–"
	}
	return x.Handle + ", " + x.State
}

type noticeNotReached struct{}

func (*noticeNotReached) Help() string {
	return `Of what began to wait in the last 30 days. Call them; a contact's address is put right by adding another account.

Example:
  forewarn notice not-reached --as ana`
}

func (c *noticeNotReached) Run(a *app) error {
	var lines []coordinator.ReachLine
	if err := a.look(func(d *coordinator.Desk, by cvd.Actor) (err error) {
		lines, err = d.NotReached(a, by)
		return err
	}); err != nil {
		return err
	}
	return a.reaching(lines, "Everybody whom something waits for was reached, or still has time.")
}

type noticeSend struct {
	mailFlags
	Origin string `help:"What browsers call the desk." env:"FOREWARN_ORIGIN" default:"http://localhost:8443" placeholder:"URL"`
	Now    bool   `help:"Don't wait for the next whole minute. Whoever sees the mail learns when you did."`
}

func (*noticeSend) Help() string {
	return `What no server took is tried again the next time, and what became of each is in the log. A served desk does all this itself: 'forewarn serve --smtp'.

Example:
  forewarn notice send --smtp smtp://desk@mx.example:587 --mail-from notices@desk.example --origin https://desk.example --as ana`
}

func (c *noticeSend) Run(a *app) error {
	post, err := c.post(a, c.Origin, a.note)
	if err != nil {
		return err
	}
	if post == nil {
		return usage("say by which mail server: --smtp smtp://[USER@]HOST[:PORT]")
	}
	slot := time.Now().Truncate(coordinator.Slot)
	if !c.Now {
		slot = coordinator.NextSlot(time.Now())
		a.note("Waiting for %s.", when(slot))
		if err := sleepUntil(a, slot); err != nil {
			return err
		}
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		s, err := d.Deliver(a, by, post, slot)
		if err != nil {
			return err
		}
		words := fmt.Sprintf("%s sent", count(s.Sent, "notice", "notices"))
		if s.Bounced > 0 {
			words += fmt.Sprintf(", %d bounced: the backup contact is told next", s.Bounced)
		}
		if s.Failed > 0 {
			words += fmt.Sprintf(", %d taken by no server: run it again in a minute", s.Failed)
		}
		if s.Waiting > 0 {
			words += fmt.Sprintf(", %d waiting, for no mail server takes anything: run it again when one does", s.Waiting)
		}
		return a.done(fields{"queued": s.Queued, "sent": s.Sent, "bounced": s.Bounced, "failed": s.Failed, "waiting": s.Waiting}, "%s.", words)
	})
}

type noticeBounced struct {
	Which string `arg:"" help:"The notice's id or its beginning, or the handle or address it went to: then it is the last one."`
}

func (*noticeBounced) Help() string {
	return "Example:\n  forewarn notice bounced ben@member.example --as ana"
}

func (c *noticeBounced) Run(a *app) error {
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		id, err := d.Bounced(a, by, c.Which)
		if err != nil {
			return err
		}
		return a.done(fields{"notice": id, "bounced": true}, "Recorded: notice %s bounced. The backup contact is told next; 'forewarn notice not-reached' shows who has none.", id.Short())
	})
}

type noticeBounces struct{}

func (*noticeBounces) Help() string {
	return `Reads delivery status notifications (RFC 3464) from standard input. A bounce is believed by the id of the notice that came back: anybody can write a mail.
Those that don't tell it are listed; 'forewarn notice bounced ADDRESS' records one.

Example:
  forewarn notice bounces --as ana < bounces.mbox`
}

func (c *noticeBounces) Run(a *app) error {
	mbox, err := io.ReadAll(io.LimitReader(a.in, maxMbox+1))
	if err != nil {
		return err
	}
	if len(mbox) > maxMbox {
		return usage("more than %d MB at once: split the mbox", maxMbox>>20)
	}
	b, err := home.Machine{}.Apart().Do(a, hostile.Bounces, mbox)
	if err != nil {
		return fmt.Errorf("%w: the mbox %w", errInput, err)
	}
	var read hostile.Bounced
	if err := wire.Unmarshal(b, &read); err != nil {
		return err
	}
	var ids []cvd.DeliveryID
	unnamed, strange, delayed := []string{}, 0, 0
	for _, r := range read.Reports {
		local, _, _ := strings.Cut(r.MessageID, "@")
		var id cvd.DeliveryID
		switch err := id.UnmarshalText([]byte(local)); {
		case !r.Permanent():
			delayed++
		case r.MessageID == "":
			unnamed = append(unnamed, r.Recipient)
		case err != nil:
			strange++
		default:
			ids = append(ids, id)
		}
	}
	return a.withDesk(func(d *coordinator.Desk, by cvd.Actor) error {
		n, err := d.RecordBounces(a, by, ids)
		if err != nil {
			return err
		}
		for _, to := range unnamed {
			a.note("A bounce for %s doesn't tell of which notice: 'forewarn notice bounced' records it, if you believe it.", line(to))
		}
		if read.TooLong > 0 {
			a.note("%s passed over, of more than %d bytes.", count(read.TooLong, "message was", "messages were"), dsn.MaxMessage)
		}
		return a.done(fields{"messages": read.Messages, "notifications": read.Counts.Reports, "recorded": n, "delayed": delayed, "unnamed": unnamed, "strange": strange},
			"%s recorded, of %s with %s.", count(n, "bounce", "bounces"), count(read.Messages, "message", "messages"), count(read.Counts.Reports, "notification", "notifications"))
	})
}

// maxMbox bounds what one command keeps in memory, in bytes.
const maxMbox = 256 << 20
