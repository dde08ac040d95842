package coordinator

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// ReportText is what somebody reports. As JSON it is sealed to the intake's keys,
// and nothing else of it is kept but the credit line.
type ReportText struct {
	Format   int       `json:"forewarn_report"` // 1
	Title    string    `json:"title"`
	Text     string    `json:"text"`
	Product  string    `json:"product,omitempty"`
	Contact  string    `json:"contact,omitempty"`
	Credit   string    `json:"credit,omitempty"`
	Deadline time.Time `json:"deadline,omitzero"` // after which its sender publishes
}

// ParseReportText reads what TakeReport sealed. A file that a sender sealed may be
// anything else.
func ParseReportText(b []byte) (t ReportText, ok bool) {
	return t, json.Unmarshal(b, &t) == nil && t.Format == 1
}

// ReportKey is the key of how a report's sender wants to be named.
func ReportKey(id cvd.ReportID) string { return "report/" + id.String() }

// references are typed by people: Crockford's digits, which have no I, L, O and U.
var referenceText = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

const referenceLen = 25 // 125 bits

// newReference draws what a sender asks with how its report stands.
func (d *Desk) newReference() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(d.Rand, b[:]); err != nil {
		return "", err
	}
	s := referenceText.EncodeToString(b[:])[:referenceLen]
	var groups []string
	for part := range slices.Chunk([]byte(s), 5) {
		groups = append(groups, string(part))
	}
	return strings.Join(groups, "-"), nil
}

// hashReference is what the log has of a reference, however it was typed.
func hashReference(said string) (h [32]byte, ok bool) {
	s := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(said))
	return sha256.Sum256([]byte("forewarn report\n" + s)), len(s) == referenceLen
}

// Intake is the recipients that reports are sealed to; none before there is a key.
func (d *Desk) Intake() (recipients []string, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if p.Intake != nil {
			recipients = slices.Clone(p.Intake.Recipients)
		}
		return nil
	})
	return recipients, err
}

// SetIntake has reports sealed to a file's recipients from now on. A line with a
// key for receipts, as keygen writes one, is passed over.
func (d *Desk) SetIntake(ctx context.Context, by cvd.Actor, text []byte) error {
	var q cvd.SetIntake
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "forewarn-sign-") {
			q.Recipients = append(q.Recipients, line)
		}
	}
	if err := d.View(func(p *cvd.Programme) error {
		return p.May(by, cvd.ActSetIntake, cvd.TheProgramme(), d.at(p))
	}); err != nil {
		return err
	}
	// It is asked first: its errors repeat nothing of what could be a secret.
	if _, err := d.Crypt.SealTo(q.Recipients, []byte("can it be sealed to?")); err != nil {
		return fmt.Errorf("%w: %w", cvd.ErrRefused, err)
	}
	_, err := d.Do(ctx, by, q)
	return err
}

// TakeReport takes a report in: text, which is sealed here, or a file that its sender
// sealed to the intake's keys. by is zero for who has no account. It gives the
// reference with which the sender asks how it stands; nobody else has it.
func (d *Desk) TakeReport(ctx context.Context, by cvd.Actor, t ReportText, sealed []byte) (reference string, err error) {
	var q cvd.ReceiveReport
	if q.Report, err = NewID[cvd.ReportID](d); err != nil {
		return "", err
	}
	if reference, err = d.newReference(); err != nil {
		return "", err
	}
	q.Reference, _ = hashReference(reference)
	if by.Account.IsZero() {
		if err := d.View(func(p *cvd.Programme) error { by = cvd.Actor{Account: p.Sealer, Auth: entrylog.AuthSystem}; return nil }); err != nil {
			return "", err
		}
	}
	if len(sealed) > 0 && !d.Crypt.IsSealed(sealed) {
		return "", fmt.Errorf("%w: the file is not sealed with age: seal it to the keys on this page, or use the form; nothing was kept", cvd.ErrRefused)
	}
	t.Format = 1
	for {
		err := d.takeReport(ctx, by, q, t, sealed)
		if !errors.Is(err, errOtherKeys) {
			return reference, err
		}
	}
}

// errOtherKeys: the intake's keys were replaced while a report was sealed to them.
var errOtherKeys = errors.New("the keys that reports are sealed to were replaced meanwhile")

// takeReport takes a report in. What is sealed here is sealed to the intake's keys as they
// are when it is appended, or there is errOtherKeys and nothing refers to it. To whose
// keys a sender sealed a file can't be told by looking.
func (d *Desk) takeReport(ctx context.Context, by cvd.Actor, q cvd.ReceiveReport, t ReportText, sealed []byte) error {
	var to []string
	err := d.View(func(p *cvd.Programme) error {
		asked := q
		asked.Sealed, asked.Size = cvd.BlobRef{1}, 1 // before anything is written
		if _, err := p.Decide(asked, by, d.at(p)); err != nil {
			return err
		}
		to = slices.Clone(p.Intake.Recipients)
		return nil
	})
	if err != nil {
		return err
	}
	still := func(*cvd.Programme) error { return nil }
	if len(sealed) == 0 {
		b, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if sealed, err = d.Crypt.SealTo(to, b); err != nil {
			return err
		}
		still = func(p *cvd.Programme) error {
			if p.Intake == nil || !slices.Equal(p.Intake.Recipients, to) {
				return errOtherKeys
			}
			return nil
		}
	}
	if len(sealed) > cvd.MaxReport {
		return fmt.Errorf("%w: the report has %d bytes; at most %d are taken", cvd.ErrRefused, len(sealed), cvd.MaxReport)
	}
	q.Size = uint32(len(sealed))
	ref, err := d.Blobs.Put(ctx, sealed)
	if err != nil {
		return err
	}
	q.Sealed = cvd.BlobRef(ref)
	if q.Credit, err = d.credit(ctx, q.Report, t.Credit); err != nil {
		return err
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return err
	}
	return d.doWhile(ctx, by, still, q)
}

func (d *Desk) credit(ctx context.Context, id cvd.ReportID, line string) (cvd.BlobRef, error) {
	if line == "" {
		return cvd.BlobRef{}, nil
	}
	if err := checkName("the credit line", line); err != nil {
		return cvd.BlobRef{}, err
	}
	return d.stageText(ctx, ReportKey(id), Named{line})
}

// How a report stands, for its sender.
const (
	ReportIsReceived  = "received"
	ReportIsRead      = "being looked at"
	ReportHasCase     = "case opened"
	ReportIsPublished = "advisory published"
	ReportIsClosed    = "closed without a case"
)

// ReportView is how a report stands.
type ReportView struct {
	Report   cvd.ReportID `json:"report"`
	State    string       `json:"state"`
	Received time.Time    `json:"received"`
	Since    time.Time    `json:"since"` // it stands so
	Credit   string       `json:"credit,omitempty"`
	Change   bool         `json:"may_change_credit"`
	Case     cvd.CaseID   `json:"case,omitzero"` // once its advisory is published, or for who may know of it
	Size     uint32       `json:"size,omitempty"`
	Account  string       `json:"account,omitempty"` // of its sender; for staff
	Reason   string       `json:"reason,omitempty"`  // for staff
}

func (d *Desk) reportView(ctx context.Context, p *cvd.Programme, r *cvd.Report) ReportView {
	v := ReportView{Report: r.ID, State: ReportIsReceived, Received: r.At, Since: r.At}
	if n := len(r.Reads); n > 0 {
		v.State, v.Since = ReportIsRead, r.Reads[0].At
	}
	cs := p.Cases[r.Case]
	switch {
	case r.Settled == nil:
	case cs == nil:
		v.State, v.Since = ReportIsClosed, r.Settled.At
	case published(cs):
		v.State, v.Since, v.Case = ReportIsPublished, cs.Released.At, r.Case
	default:
		v.State, v.Since = ReportHasCase, r.Settled.At
	}
	v.Change = v.State != ReportIsClosed && (cs == nil || cs.Released == nil)
	var line Named
	if !r.Credit.IsZero() && d.Text(ctx, ReportKey(r.ID), r.Credit, &line) == nil {
		v.Credit = line.Name
	}
	return v
}

// ReportStatus is how a report stands, for whoever has its reference. ErrUnknown
// when nothing goes by it.
func (d *Desk) ReportStatus(ctx context.Context, reference string) (v ReportView, err error) {
	err = d.View(func(p *cvd.Programme) error {
		r, err := reportBy(p, reference)
		if err == nil {
			v = d.reportView(ctx, p, r)
		}
		return err
	})
	return v, err
}

func reportBy(p *cvd.Programme, reference string) (*cvd.Report, error) {
	h, whole := hashReference(reference)
	r, ok := p.ReportOf(h)
	if !ok || !whole {
		return nil, fmt.Errorf("%w: no report goes by that reference", ErrUnknown)
	}
	return r, nil
}

// CreditReport changes how the sender of a report wants to be named, until it is
// published. An empty line is not at all.
func (d *Desk) CreditReport(ctx context.Context, reference, line string) error {
	var q cvd.CreditReport
	var by cvd.Actor
	err := d.View(func(p *cvd.Programme) error {
		r, err := reportBy(p, reference)
		if err != nil {
			return err
		}
		q.Report, by = r.ID, cvd.Actor{Account: p.Sealer, Auth: entrylog.AuthSystem}
		_, err = p.Decide(q, by, d.at(p))
		return err
	})
	if err != nil {
		return err
	}
	if q.Credit, err = d.credit(ctx, q.Report, line); err != nil {
		return err
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// Reports lists what came in, the newest first: all of it for who works on
// reports, and their own for others.
func (d *Desk) Reports(ctx context.Context, by cvd.Actor) (out []ReportView, err error) {
	out = []ReportView{}
	err = d.View(func(p *cvd.Programme) error {
		all, n := p.May(by, cvd.ActListReports, cvd.TheProgramme(), d.at(p)) == nil, d.Names(ctx, p)
		for _, id := range slices.Backward(p.ReportOrder) {
			r := p.Reports[id]
			if !all && (r.By != by.Account || by.Account == p.Sealer) {
				continue
			}
			v := d.reportView(ctx, p, r)
			if !r.Case.IsZero() && p.May(by, cvd.ActViewCase, cvd.ACase(r.Case), d.at(p)) == nil {
				v.Case = r.Case
			}
			if all {
				v.Size = r.Size
				if r.By != p.Sealer {
					v.Account = n.Account(r.By)
				}
				var why Reason
				if !r.Reason.IsZero() && d.Text(ctx, ProgrammeKey, r.Reason, &why) == nil {
					v.Reason = why.Reason
				}
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// OpenReport gives the sealed report to somebody who has the intake's key. That
// they were given it is on the log.
func (d *Desk) OpenReport(ctx context.Context, by cvd.Actor, id cvd.ReportID) (sealed []byte, err error) {
	if _, err := d.Do(ctx, by, cvd.ReadReport{Report: id}); err != nil {
		return nil, err
	}
	var ref cvd.BlobRef
	if err := d.View(func(p *cvd.Programme) error { ref = p.Reports[id].Sealed; return nil }); err != nil {
		return nil, err
	}
	return d.Blobs.Get(ctx, ref)
}

// SettleReport says that a report belongs to a case, or, with the zero case, to
// none; then how its sender wanted to be named is destroyed.
func (d *Desk) SettleReport(ctx context.Context, by cvd.Actor, id cvd.ReportID, cs cvd.CaseID, reason string) error {
	q := cvd.SettleReport{Report: id, Case: cs}
	err := d.View(func(p *cvd.Programme) error { _, err := p.Decide(q, by, d.at(p)); return err })
	if err != nil {
		return err
	}
	if q.Reason, err = d.Reason(ctx, ProgrammeKey, reason); err != nil {
		return err
	}
	if _, err = d.Do(ctx, by, q); err != nil {
		return err
	}
	return d.View(func(*cvd.Programme) error { return d.forget() })
}

// FindReport finds a report by its id or the beginning of it, for who works on
// reports.
func (d *Desk) FindReport(by cvd.Actor, said string) (id cvd.ReportID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActListReports, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		id, err = Find(said, "report", "forewarn report list", func(yield func(cvd.ReportID, string) bool) {
			for _, id := range p.ReportOrder {
				if !yield(id, "") {
					return
				}
			}
		})
		return err
	})
	return id, err
}
