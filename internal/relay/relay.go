// Package relay is the way from a command to the process that serves the desk, on
// one machine: HTTP over a socket in the programme's folder.
//
//	command: decides ─► Client ─► desk/desk.sock ─► Handler ─► the serving desk: checks, appends
//
//	GET  /1/where    how many entries there are, and what time it is
//	POST /1/hold     the same, and nothing else is appended for a moment
//	POST /1/append   records to take, in their place
//	POST /1/tick     make the anchors that are due
//	POST /1/seal     seal a wave; how far it is comes back line by line
//
// There is no sign-in. The socket is readable and writable by its owner alone, in a
// folder with the log's keys: whoever can open it can write the log without it.
// Don't serve the Handler anywhere else, and don't put a proxy before it.
//
// Both ends keep errors apart as coordinator.Serving has them, across the wire. What
// was sent and not answered is ledger.ErrUncertain, never another attempt: who
// offers knows how to find out.
package relay

import (
	"encoding/json"
	"errors"
	"fmt"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

const (
	// maxOffer is in bytes, and maxRecords in entries: of the same order as what an
	// import of ten thousand members makes, times ten.
	maxOffer   = 64 << 20
	maxRecords = 1 << 18
	// maxAnswer bounds all that is answered, but for how far a sealing is.
	maxAnswer = 64 << 10
)

// standing is the answer of /1/where.
type standing ledger.Standing

func (s *standing) Wire(c *wire.Coder) {
	c.Magic("forewarn standing v2\n")
	c.U64((*uint64)(&s.Size))
	c.Time(&s.Now)
	c.U64((*uint64)(&s.Hold))
}

// offer is what /1/append is asked.
type offer struct {
	At      entrylog.Seq
	Under   ledger.Hold
	Records []entrylog.Record
}

func (o *offer) Wire(c *wire.Coder) {
	c.Magic("forewarn offer v2\n")
	c.U64((*uint64)(&o.At))
	c.U64((*uint64)(&o.Under))
	wire.Layouts(c, &o.Records, maxRecords)
}

// line is one of the answer of /1/seal. The last one says Sealed or Error.
type line struct {
	Done   int      `json:"done,omitempty"`
	All    int      `json:"all,omitempty"`
	Sealed bool     `json:"sealed,omitempty"`
	Error  *problem `json:"error,omitempty"`
}

// classes are the errors that mean something at the other end.
var classes = []struct {
	name string
	err  error
}{
	{"conflict", ledger.ErrConflict},
	{"dead", ledger.ErrDead},
	{"fenced", ledger.ErrFenced},
	{"closed", ledger.ErrClosed},
	{"offer", ledger.ErrOffer},
	{"board full", ledger.ErrBoardFull},
	{"unknown kind", ledger.ErrUnknownKind},
	{"clock", ledger.ErrClock},
	{"damaged", ledger.ErrDamaged},
	{"denied", cvd.ErrDenied},
	{"refused", cvd.ErrRefused},
	{"sealer refused", sealer.ErrRefused},
	{"not yet", sealer.ErrNotYet},
	{"gone", coordinator.ErrGone},
	{"unknown", coordinator.ErrUnknown},
}

// problem is an error on its way.
type problem struct {
	Text    string   `json:"text"`
	Classes []string `json:"classes,omitempty"`
}

func problemOf(err error) *problem {
	p := &problem{Text: err.Error()}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			p.Classes = append(p.Classes, c.name)
		}
	}
	return p
}

// remote is an error of the other end: its text, with its classes.
type remote struct {
	text    string
	classes []error
}

func (e remote) Error() string   { return e.text }
func (e remote) Unwrap() []error { return e.classes }

// err is what the problem was at the other end.
func (p *problem) err() error {
	e := remote{text: p.Text}
	for _, name := range p.Classes {
		for _, c := range classes {
			if c.name == name {
				e.classes = append(e.classes, c.err)
			}
		}
	}
	return e
}

// answered reads the error that an answer holds.
func answered(status int, body []byte) error {
	var p problem
	if err := json.Unmarshal(body, &p); err != nil || p.Text == "" {
		return fmt.Errorf("the desk answered with status %d and no reason", status)
	}
	return p.err()
}
