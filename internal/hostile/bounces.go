package hostile

import (
	"bytes"
	"fmt"

	"forewarn/internal/dsn"
	"forewarn/internal/wire"
)

// Bounces is the task that reads delivery status notifications. The request is a
// message or an mbox.
const Bounces = "bounces"

// MaxBounces is the most recipients that one request may tell of.
const MaxBounces = 100_000

// Bounced is the answer.
type Bounced struct {
	dsn.Counts
	Reports []dsn.Report // in order
}

// Wire lays out the answer. What a server wrote may be anything, and so is kept as
// bytes.
func (b *Bounced) Wire(c *wire.Coder) {
	c.Magic("forewarn hostile bounces v1\n")
	for _, n := range []*int{&b.Messages, &b.Counts.Reports, &b.TooLong} {
		x := uint64(*n)
		c.U64(&x)
		*n = int(x)
	}
	wire.List(c, &b.Reports, MaxBounces, func(c *wire.Coder, r *dsn.Report) {
		for _, s := range []*string{&r.MessageID, &r.Recipient, &r.Action, &r.Status} {
			x := []byte(*s)
			c.Bytes(&x, dsn.MaxMessage)
			*s = string(x)
		}
	})
}

func bounces(mbox []byte) ([]byte, error) {
	var out Bounced
	var err error
	out.Counts, err = dsn.Read(bytes.NewReader(mbox), func(r dsn.Report) error {
		if len(out.Reports) == MaxBounces {
			return fmt.Errorf("%w: more than %d bounces at once: split the mbox", ErrRefused, MaxBounces)
		}
		out.Reports = append(out.Reports, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return wire.Append(nil, &out)
}
