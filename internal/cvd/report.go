package cvd

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// A report comes from anybody, with an account or without. It is sealed on receipt
// to the programme's intake key, whose secret half no machine of the desk holds.
// Until a person who has it read the report and said what becomes of it, the desk
// knows when it came, how long it is, and nothing else.

// Bounds of what waits to be read, so that a flood fills no disk. Above them a
// report is refused, and its sender told.
const (
	MaxReport      = 1 << 20  // bytes of one, sealed
	maxWaiting     = 500      // reports that nobody said a word on
	maxWaitingSize = 64 << 20 // bytes of all those
)

// IntakeKeyed says which keys reports are sealed to from now on.
type IntakeKeyed struct {
	Recipients []string // as of KeysEnrolled
}

func (b *IntakeKeyed) subject() entrylog.Ref { return entrylog.Ref{} }

// Wire is the frozen layout of kind 70.
func (b *IntakeKeyed) Wire(c *wire.Coder) {
	wire.List(c, &b.Recipients, maxKeys, func(c *wire.Coder, s *string) { wire.Text(c, s, maxRecipient) })
}

// ReportReceived is a report as it came.
type ReportReceived struct {
	Report    ReportID
	Reference [32]byte // SHA-256 of the secret by which its sender asks how it stands
	Sealed    BlobRef  // to the intake key of that time, or by its sender
	Size      uint32   // bytes of that
	Credit    BlobRef  // how the sender wants to be named, under the report's key; zero: not at all
}

func (b *ReportReceived) subject() entrylog.Ref { return ref(b.Report) }

// Wire is the frozen layout of kind 71.
func (b *ReportReceived) Wire(c *wire.Coder) {
	b.Report.Wire(c)
	c.Fixed(b.Reference[:])
	b.Sealed.Wire(c)
	c.U32(&b.Size)
	b.Credit.Wire(c)
}

// ReportRead says that the sealed report was given to somebody to read.
type ReportRead struct{ Report ReportID }

func (b *ReportRead) subject() entrylog.Ref { return ref(b.Report) }

// Wire is the frozen layout of kind 72.
func (b *ReportRead) Wire(c *wire.Coder) { b.Report.Wire(c) }

// ReportSettled says what became of a report: a case, or nothing.
type ReportSettled struct {
	Report ReportID
	Case   CaseID  // that it belongs to; zero: none
	Reason BlobRef // under the programme's key
}

func (b *ReportSettled) subject() entrylog.Ref { return ref(b.Report) }

// Wire is the frozen layout of kind 73.
func (b *ReportSettled) Wire(c *wire.Coder) {
	b.Report.Wire(c)
	b.Case.Wire(c)
	b.Reason.Wire(c)
}

// ReportCredited says how a report's sender wants to be named from now on.
type ReportCredited struct {
	Report ReportID
	Credit BlobRef // under the report's key; zero: not at all
}

func (b *ReportCredited) subject() entrylog.Ref { return ref(b.Report) }

// Wire is the frozen layout of kind 74.
func (b *ReportCredited) Wire(c *wire.Coder) {
	b.Report.Wire(c)
	b.Credit.Wire(c)
}

// AdvisoryCorrected replaces a published advisory. What stood before stays on
// the log; the public page says when it was changed, and how.
type AdvisoryCorrected struct {
	Case     CaseID
	Advisory BlobRef // under the case's key
	Change   BlobRef // what was changed, for readers; under the case's key
}

func (b *AdvisoryCorrected) subject() entrylog.Ref { return ref(b.Case) }

// Wire is the frozen layout of kind 75.
func (b *AdvisoryCorrected) Wire(c *wire.Coder) {
	b.Case.Wire(c)
	b.Advisory.Wire(c)
	b.Change.Wire(c)
}

// Intake is the keys that reports are sealed to.
type Intake struct {
	Note
	Recipients []string
}

// Report is one that came in. Its Note's account is the sealer's when its sender
// has none.
type Report struct {
	Note
	ID        ReportID
	Reference [32]byte
	Sealed    BlobRef
	Size      uint32
	Credit    BlobRef
	Reads     []Note
	Settled   *Note  // nil: it waits
	Case      CaseID // zero: none
	Reason    BlobRef
}

// Correction is a change of a published advisory.
type Correction struct {
	Note
	Advisory BlobRef
	Change   BlobRef
}

// The verbs.
type (
	SetIntake       IntakeKeyed
	ReceiveReport   ReportReceived // by an account, or by the sealer's for who has none
	ReadReport      ReportRead
	SettleReport    ReportSettled
	CreditReport    ReportCredited
	CorrectAdvisory AdvisoryCorrected
)

func (c SetIntake) asks(*Programme) (Action, Object) { return ActSetIntake, TheProgramme() }

func (c SetIntake) decide(p *Programme, _ Actor, _ time.Time) ([]fact, error) {
	if len(c.Recipients) == 0 || len(c.Recipients) > maxKeys {
		return nil, refuse("%d recipients; 1 to %d are allowed", len(c.Recipients), maxKeys)
	}
	for _, line := range c.Recipients {
		if !recipientLine(line) {
			return nil, refuse("%.40q is not a recipient: use a line that begins with age1, ssh-ed25519 or ssh-rsa, without a comment", line)
		}
		if _, taken := p.keyOwner[line]; taken {
			return nil, refuse("recipient %.20s… is, or was, a holder's: make a key for reports alone", line)
		}
	}
	b := IntakeKeyed(c)
	return checked(&b)
}

func (c ReceiveReport) asks(*Programme) (Action, Object) { return ActReport, TheProgramme() }

func (c ReceiveReport) decide(p *Programme, _ Actor, _ time.Time) ([]fact, error) {
	if err := unused(p.Reports, c.Report, "report"); err != nil {
		return nil, err
	}
	n, size := p.WaitingReports()
	_, taken := p.references[c.Reference]
	switch {
	case p.Intake == nil:
		return nil, refuse("the programme has no key for reports yet, so none can be taken; write to its coordinators another way")
	case c.Sealed.IsZero() || c.Size == 0 || c.Size > MaxReport:
		return nil, refuse("a report of %d bytes; 1 to %d are allowed", c.Size, MaxReport)
	case taken || c.Reference == [32]byte{}:
		return nil, refuse("the report needs a reference of its own")
	case n >= maxWaiting || size+int64(c.Size) > maxWaitingSize:
		return nil, refuse("%d reports wait to be read, and no more are taken until somebody has: write to the programme's coordinators another way", n)
	}
	b := ReportReceived(c)
	return yes(&b)
}

// WaitingReports is how many reports nobody said a word on, and their bytes.
func (p *Programme) WaitingReports() (n int, size int64) {
	for _, id := range p.ReportOrder {
		if r := p.Reports[id]; r.Settled == nil {
			n++
			size += int64(r.Size)
		}
	}
	return n, size
}

func (c ReadReport) asks(*Programme) (Action, Object) { return ActReadReports, AReport(c.Report) }

func (c ReadReport) decide(*Programme, Actor, time.Time) ([]fact, error) {
	b := ReportRead(c)
	return yes(&b)
}

func (c SettleReport) asks(*Programme) (Action, Object) { return ActSettleReport, AReport(c.Report) }

func (c SettleReport) decide(p *Programme, _ Actor, _ time.Time) ([]fact, error) {
	if !c.Case.IsZero() {
		if err := exists(p.Cases, c.Case, "case"); err != nil {
			return nil, err
		}
	}
	b := ReportSettled(c)
	return yes(&b)
}

func (c CreditReport) asks(*Programme) (Action, Object) { return ActCreditReport, AReport(c.Report) }

func (c CreditReport) decide(p *Programme, _ Actor, _ time.Time) ([]fact, error) {
	r := p.Reports[c.Report]
	switch cs := p.Cases[r.Case]; {
	case cs != nil && cs.Released != nil:
		return nil, refuse("the advisory is published; ask the programme's coordinators to correct it")
	case r.Settled != nil && cs == nil:
		return nil, refuse("nothing will be published of this report")
	case r.Credit == c.Credit:
		return nil, nil
	}
	b := ReportCredited(c)
	return yes(&b)
}

func (c CorrectAdvisory) asks(*Programme) (Action, Object) { return ActCorrectAdvisory, ACase(c.Case) }

func (c CorrectAdvisory) decide(p *Programme, _ Actor, _ time.Time) ([]fact, error) {
	switch {
	case p.Cases[c.Case].Advisory.IsZero():
		return nil, refuse("the case was released without an advisory: there is nothing to correct")
	case c.Advisory.IsZero():
		return nil, refuse("the advisory is missing")
	case c.Change.IsZero():
		return nil, refuse("say what was changed: readers are told")
	}
	b := AdvisoryCorrected(c)
	return yes(&b)
}

func (b *IntakeKeyed) apply(p *Programme, n Note) error {
	set(p, &p.Intake, &Intake{n, b.Recipients})
	return nil
}

func (b *ReportReceived) apply(p *Programme, n Note) error {
	if err := add(p, "report", p.Reports, &p.ReportOrder, b.Report, &Report{
		Note: n, ID: b.Report, Reference: b.Reference, Sealed: b.Sealed, Size: b.Size, Credit: b.Credit,
	}); err != nil {
		return err
	}
	put(p, p.references, b.Reference, b.Report)
	return nil
}

func (b *ReportRead) apply(p *Programme, n Note) error {
	r, err := find("report", p.Reports, b.Report)
	if err != nil {
		return err
	}
	push(p, &r.Reads, n)
	return nil
}

func (b *ReportSettled) apply(p *Programme, n Note) error {
	r, err := find("report", p.Reports, b.Report)
	if err != nil {
		return err
	}
	if !b.Case.IsZero() {
		if _, err := find("case", p.Cases, b.Case); err != nil {
			return err
		}
	}
	set(p, &r.Settled, &n)
	set(p, &r.Case, b.Case)
	set(p, &r.Reason, b.Reason)
	return nil
}

func (b *ReportCredited) apply(p *Programme, n Note) error {
	r, err := find("report", p.Reports, b.Report)
	if err != nil {
		return err
	}
	set(p, &r.Credit, b.Credit)
	return nil
}

func (b *AdvisoryCorrected) apply(p *Programme, n Note) error {
	c, err := find("case", p.Cases, b.Case)
	if err != nil {
		return err
	}
	push(p, &c.Corrections, Correction{n, b.Advisory, b.Change})
	return nil
}

// ReportOf is the report that a reference's hash stands for.
func (p *Programme) ReportOf(reference [32]byte) (*Report, bool) {
	id, ok := p.references[reference]
	return p.Reports[id], ok
}

// CurrentAdvisory is what a case's public page shows: as it was published, or as
// it was corrected last.
func (c *Case) CurrentAdvisory() BlobRef {
	if n := len(c.Corrections); n > 0 {
		return c.Corrections[n-1].Advisory
	}
	return c.Advisory
}
