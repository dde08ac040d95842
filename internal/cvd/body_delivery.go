package cvd

import (
	"crypto/sha256"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// MaxTold is how many accounts one entry tells, or how many deliveries it says the
// outcome of: 10,000 members take a handful of entries, not 20,000.
const MaxTold = 4_096

// DeliveriesQueued says who is to be told, in one mailing, that something waits for
// them. It is in the log before anything is handed to a mail server. An account that
// several entries of a mailing name gets one notice for all of them.
type DeliveriesQueued struct {
	Mailing  MailingID
	Why      Why
	About    entrylog.Ref // what Why is about
	Step     uint8        // 0: who is told first; 1: the backup contact
	Accounts []AccountID  // ascending
}

func (b *DeliveriesQueued) subject() entrylog.Ref { return ref(b.Mailing) }

// Wire is the frozen layout of kind 66.
func (b *DeliveriesQueued) Wire(c *wire.Coder) {
	b.Mailing.Wire(c)
	wire.Enum(c, &b.Why, whyEnd-1)
	c.Fixed(b.About[:])
	c.U8(&b.Step)
	idSet(c, &b.Accounts, MaxTold)
}

// TriedRow is what became of one attempt to hand a notice to a mail server, or what
// a mail server said later.
type TriedRow struct {
	Delivery DeliveryID
	Outcome  MailOutcome
}

// Wire is 17 bytes.
func (r *TriedRow) Wire(c *wire.Coder) {
	r.Delivery.Wire(c)
	wire.Enum(c, &r.Outcome, MailBounced)
}

// DeliveriesTried says what became of notices of any mailings.
type DeliveriesTried struct {
	Rows []TriedRow
}

func (b *DeliveriesTried) subject() entrylog.Ref { return entrylog.Ref{} }

// Wire is the frozen layout of kind 67.
func (b *DeliveriesTried) Wire(c *wire.Coder) { wire.Layouts(c, &b.Rows, MaxTold) }

// DeliveriesSeen says that an account looked at what waits for it. Whatever else an
// account does says so as well.
type DeliveriesSeen struct {
	Account AccountID
}

func (b *DeliveriesSeen) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 68.
func (b *DeliveriesSeen) Wire(c *wire.Coder) { b.Account.Wire(c) }

// DeliveryOf is the id of an account's notice in a mailing, the same whenever it is
// handed over: who doesn't know the mailing can't tell whose it is.
func DeliveryOf(m MailingID, a AccountID) (id DeliveryID) {
	sum := sha256.Sum256(append(append([]byte("forewarn delivery v1\n"), m[:]...), a[:]...))
	copy(id[:], sum[:])
	return id
}
