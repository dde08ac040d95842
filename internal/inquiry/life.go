package inquiry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/ledger"
)

// Kept are findings on the inquiry's log, and what became of them.
type Kept struct {
	evidence.FindingsDrafted
	Life  evidence.Life
	Entry entrylog.Seq
}

// Name is what findings are called on a command line: the beginning of the hash of
// their JSON.
func (k *Kept) Name() string { return hex.EncodeToString(k.Findings[:6]) }

// Drafter is the account that made them.
func (k *Kept) Drafter() entrylog.Ref { return k.Life.Done[0].By }

var (
	// ErrNoFindings: no findings have that name.
	ErrNoFindings = errors.New("there are no such findings")
	// ErrUnsound: the dossier that was kept does not verify. Nothing was put to
	// anybody.
	ErrUnsound = errors.New("the dossier of these findings does not verify")
)

func (b *findingsDrafted) fold(s *state, seq entrylog.Seq, e entrylog.Entry) error {
	if s.findings[b.Findings] != nil {
		return fmt.Errorf("findings %x were drafted before", b.Findings[:6])
	}
	s.findings[b.Findings] = &Kept{b.FindingsDrafted, evidence.Drafted(b.Named, evidence.Done{At: e.Time, By: e.Actor, Entry: seq}), seq}
	s.order = append(s.order, b.Findings)
	return nil
}

func (b *findingsStage) fold(s *state, seq entrylog.Seq, e entrylog.Entry) error {
	k := s.findings[b.Findings]
	if k == nil {
		return fmt.Errorf("%w: %x", ErrNoFindings, b.Findings[:6])
	}
	life, err := k.Life.Take(b.Done(e, seq))
	if err != nil {
		return err
	}
	next := *k // readers keep what they were given
	next.Life = life
	s.findings[b.Findings] = &next
	return nil
}

// draft puts findings on the log, once: the same findings again are those that are
// there. What the entry names is kept first.
func (o *Office) draft(ctx context.Context, by cvd.Actor, b evidence.FindingsDrafted, texts ...[]byte) (kept Kept, err error) {
	if err := o.keep(ctx, texts...); err != nil {
		return kept, err
	}
	_, err = o.log.AppendIf(ctx, func(time.Time) ([]ledger.Draft, error) {
		if o.findings[b.Findings] != nil {
			return nil, nil
		}
		return []ledger.Draft{{Kind: KindFindingsDrafted, Actor: entrylog.Ref(by.Account), Auth: by.Auth, Subject: b.Case, Body: &b}}, nil
	})
	if err != nil {
		return kept, err
	}
	return o.kept(b.Findings)
}

// keep makes blobs durable.
func (o *Office) keep(ctx context.Context, texts ...[]byte) error {
	for _, t := range texts {
		if _, err := o.Blobs.Put(ctx, t); err != nil {
			return err
		}
	}
	return o.Blobs.Sync(ctx)
}

func (o *Office) kept(id [32]byte) (out Kept, err error) {
	verr := o.log.View(func() {
		if k := o.findings[id]; k != nil {
			out = *k
		} else {
			err = fmt.Errorf("%w: %x", ErrNoFindings, id[:6])
		}
	})
	return out, errors.Join(verr, err)
}

// Findings lists all findings of the cases that somebody may investigate, in the
// order in which they were drafted.
func (o *Office) Findings(desk *coordinator.Desk, by cvd.Actor) (out []Kept, err error) {
	var all []Kept
	if err := o.log.View(func() {
		for _, id := range o.order {
			all = append(all, *o.findings[id])
		}
	}); err != nil {
		return nil, err
	}
	err = desk.View(func(p *cvd.Programme) error {
		// Somebody who may see none is told so; it isn't the same as none.
		var denied error
		for _, k := range all {
			if err := p.May(by, cvd.ActInvestigate, cvd.ACase(cvd.CaseID(k.Case)), o.Clock()); err != nil {
				denied = err
				continue
			}
			out = append(out, k)
		}
		if len(out) == 0 && denied == nil {
			if a := p.Accounts[by.Account]; a == nil || !a.Roles.Has(cvd.Investigator) {
				return p.May(by, cvd.ActInvestigate, cvd.ACase(cvd.CaseID{}), o.Clock())
			}
		}
		if len(out) == 0 {
			return denied
		}
		return nil
	})
	return out, err
}

// Find gives the findings whose name begins so, of those that by may see.
func (o *Office) Find(desk *coordinator.Desk, by cvd.Actor, name string) (Kept, error) {
	all, err := o.Findings(desk, by)
	if err != nil {
		return Kept{}, err
	}
	var hits []Kept
	for _, k := range all {
		if len(name) >= 4 && strings.HasPrefix(hex.EncodeToString(k.Findings[:]), strings.ToLower(name)) {
			hits = append(hits, k)
		}
	}
	switch len(hits) {
	case 0:
		return Kept{}, fmt.Errorf("%w: %q", ErrNoFindings, name)
	case 1:
		return hits[0], nil
	}
	return Kept{}, fmt.Errorf("%w: %q begins %d names; write more of it", ErrNoFindings, name, len(hits))
}

// Step is an act on findings that somebody asks for.
type Step struct {
	Act    evidence.Act
	Holder cvd.HolderID // whose reply, or silence
	Text   []byte       // the reply, byte for byte; the review; the reason
	Until  time.Time    // of putting: when the time to reply ends
}

// MaxText is the most bytes of a reply or a review.
const MaxText = 16 << 20

// Take does one act: its text is kept, then its entry is. It fails with
// evidence.ErrStage or cvd.ErrDenied, and then nothing was changed. What was done
// last, asked for again in the same words by the same person, is done already.
func (o *Office) Take(ctx context.Context, desk *coordinator.Desk, by cvd.Actor, id [32]byte, s Step) (Kept, error) {
	k, err := o.kept(id)
	if err != nil {
		return k, err
	}
	if err := o.mayTake(desk, by, k); err != nil {
		return k, err
	}
	if len(s.Text) > MaxText {
		return k, fmt.Errorf("%w: a text of %d bytes; at most %d are kept", evidence.ErrStage, len(s.Text), MaxText)
	}
	b := evidence.FindingsStage{Findings: id, Act: s.Act, Holder: entrylog.Ref(s.Holder), Until: s.Until.UTC().Truncate(time.Microsecond)}
	if s.Until.IsZero() {
		b.Until = time.Time{}
	}
	if len(s.Text) > 0 {
		b.Text = sha256.Sum256(s.Text)
	}
	e := entrylog.Entry{Actor: entrylog.Ref(by.Account), Time: o.Clock()}
	again := func(l evidence.Life) bool {
		d, last := b.Done(e, 0), l.Done[len(l.Done)-1]
		d.At, d.Entry = last.At, last.Entry
		return d == last
	}
	if again(k.Life) {
		return k, nil
	}
	// What can't be is refused before anything is kept.
	if e.Time.Before(k.Life.Done[len(k.Life.Done)-1].At) {
		e.Time = k.Life.Done[len(k.Life.Done)-1].At // the log moves a clock forward as well
	}
	if _, err := k.Life.Take(b.Done(e, 0)); err != nil {
		return k, err
	}
	if s.Act == evidence.ActPut {
		if err := o.sound(ctx, desk, k); err != nil {
			return k, err
		}
	}
	if len(s.Text) > 0 {
		if err := o.keep(ctx, s.Text); err != nil {
			return k, err
		}
	}
	_, err = o.log.AppendIf(ctx, func(now time.Time) ([]ledger.Draft, error) {
		e.Time = now
		if again(o.findings[id].Life) {
			return nil, nil
		}
		if _, err := o.findings[id].Life.Take(b.Done(e, 0)); err != nil {
			return nil, err
		}
		return []ledger.Draft{{Kind: KindFindingsStage, Actor: e.Actor, Auth: by.Auth, Subject: k.Case, Body: &b}}, nil
	})
	if err != nil {
		return k, err
	}
	return o.kept(id)
}

// mayTake asks the programme's policy. A role that was lent doesn't do: whoever
// drafted findings could lend their reviewer the role.
func (o *Office) mayTake(desk *coordinator.Desk, by cvd.Actor, k Kept) error {
	return desk.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActInvestigate, cvd.ACase(cvd.CaseID(k.Case)), o.Clock()); err != nil {
			return err
		}
		if a := p.Accounts[by.Account]; !a.Roles.Has(cvd.Investigator) {
			return &cvd.Denied{Action: cvd.ActInvestigate, Why: "the role investigator was only lent", Hint: "ask an investigator of the programme"}
		}
		return nil
	})
}

// sound verifies the dossier that was kept with findings.
func (o *Office) sound(ctx context.Context, desk *coordinator.Desk, k Kept) error {
	o.step("verifying the dossier")
	b, err := o.Blobs.Get(ctx, k.Dossier)
	if err != nil {
		return fmt.Errorf("%w: it can't be read: %w", ErrUnsound, err)
	}
	r, err := evidence.VerifyDossier(b, evidence.Trust{LogKey: desk.Key, InquiryKey: o.Key})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsound, err)
	}
	text, err := r.Findings.Marshal()
	if err != nil || sha256.Sum256(text) != k.Findings {
		return fmt.Errorf("%w: it holds other findings", ErrUnsound)
	}
	return nil
}

// holdersNamed lists whose copies findings name, in their order.
func holdersNamed(f *evidence.Findings) (out []entrylog.Ref) {
	for _, a := range named(f) {
		if h := entrylog.Ref(a.Holder); !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}
