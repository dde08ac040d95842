package smtp

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"

	mail "github.com/wneessen/go-mail"
)

// verdict is what an attempt at one relay comes to.
type verdict int

const (
	taken   verdict = iota // the relay has it
	unknown                // it says that there is no such recipient, for good
	refused                // it doesn't take it, for now or from us: ask the next
	lost                   // the connection broke once the recipient was named: perhaps it has it
	busy                   // it hung up once the recipient was named, and says that it doesn't have it
	away                   // the recipient was never named: nothing is known of it
)

// judge says what came of sending, and why in words without addresses. A reply is of
// the recipient when it was given to the recipient's name, or is of a mailbox
// (RFC 3463, x.1 and x.2); one about policy (x.7), the sender or the message is of the
// relay and us, and says nothing of whether the recipient is there. What is answered
// before the recipient is named is of the relay alone, which then takes nothing from us.
// 421 says nothing of the recipient either; but a relay that asks the receiver's own
// server may say it of that one alone.
func judge(err error, msg *mail.Msg) (verdict, string) {
	if err == nil || msg.IsDelivered() {
		return taken, ""
	}
	var s *mail.SendError
	if !errors.As(err, &s) {
		return lost, "the connection broke"
	}
	code, status := s.ErrorCode(), s.EnhancedStatusCode()
	early := s.Reason == mail.ErrSMTPMailFrom || s.Reason == mail.ErrConnCheck
	switch {
	case code == 0 && early:
		return away, "the connection broke"
	case code == 0:
		return lost, "the connection broke"
	}
	why := strings.TrimSpace(fmt.Sprintf("it answered %d %s", code, status))
	about := func(prefix string) bool { return strings.HasPrefix(status, prefix) }
	switch {
	case early:
		return away, why
	case code == 421:
		return busy, why
	case code < 500:
		return refused, why
	case about("5.1.7"), about("5.1.8"): // the sender's address
		return refused, why
	case about("5.1."), about("5.2."):
		return unknown, why
	case s.Reason == mail.ErrSMTPRcptTo && (status == "" || about("5.0.")) && code >= 550 && code <= 553:
		return unknown, why
	}
	return refused, why
}

// plainly says why a connection could not be made, without what a server wrote.
func plainly(err error) error {
	var reply *textproto.Error
	var op *net.OpError
	var other textproto.ProtocolError // with the line in it
	switch {
	case errors.Is(err, errEndless):
		return errEndless
	case errors.As(err, &other):
		return errors.New("its answers are no SMTP")
	case errors.As(err, &reply):
		return fmt.Errorf("it answered %d", reply.Code)
	case errors.As(err, &op):
		return op
	}
	return err
}
