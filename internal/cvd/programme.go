package cvd

import (
	"errors"
	"fmt"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/wire"
)

// Classes of errors, for errors.Is.
var (
	// ErrDenied: the policy does not allow it. The error is a *Denied.
	ErrDenied = errors.New("not allowed")
	// ErrRefused: allowed in general, but not so, or not now; nothing was changed.
	ErrRefused = errors.New("refused")
	// ErrNotFound: there is no such thing, or none that the asker may know of.
	ErrNotFound = errors.New("not found")
	// ErrUnknownKind: a newer version of the program wrote this. Use that one.
	ErrUnknownKind = errors.New("unknown kind of entry")
	// ErrReplay: an entry does not fit the entries before it. The log is not one
	// that this program wrote; verify it.
	ErrReplay = errors.New("the log does not fold")
)

// refuse is how a verb's own rule says no.
func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// fact is what every body can do: lay itself out, name what it is about, and
// fold itself in. apply copies nothing: a body belongs to the programme once it
// is applied. Its errors say which reference leads nowhere.
type fact interface {
	wire.Layout
	subject() entrylog.Ref
	apply(*Programme, Note) error
}

// waveSealed makes a fact of the one body that another package lays out.
type waveSealed struct{ evidence.WaveStatement }

func (b *waveSealed) subject() entrylog.Ref { return b.Wave }

// New is a programme before its founding.
func New() *Programme {
	return &Programme{
		Accounts:    map[AccountID]*Account{},
		Members:     map[MemberID]*Member{},
		Groups:      map[GroupID]*Group{},
		Products:    map[ProductID]*Product{},
		Keys:        map[HolderID][]KeySet{},
		Cases:       map[CaseID]*Case{},
		Packages:    map[PackageID]*Package{},
		Revisions:   map[RevisionID]*Revision{},
		Waves:       map[WaveID]*Wave{},
		Duties:      map[DutyID]*Duty{},
		Delegations: map[DelegationID]*Delegation{},
		Sources:     map[SourceID]*Source{},
		Notices:     map[NoticeID]*Notice{},
		Reports:     map[ReportID]*Report{},
		HeadsUps:    map[HeadsUpID]*HeadsUp{},
		references:  map[[32]byte]ReportID{},
		Deliveries:  map[DeliveryID]*Delivery{},
		told:        map[toldKey]*Delivery{},
		secrets:     map[[32]byte]AccountID{},
		keyOwner:    map[string]HolderID{},
	}
}

// Decide says what a command would write: first the policy, then the verb's own
// rule. It changes nothing, and several may be decided at once. No events and no error means that it is so already.
// Errors are of the class ErrDenied or ErrRefused.
func (p *Programme) Decide(c Command, who Actor, now time.Time) ([]Event, error) {
	now = whole(now)
	if now.Before(p.Last) {
		return nil, refuse("the clock says %s and the last entry is of %s: time must not run backwards", now, p.Last)
	}
	action, object := c.asks(p)
	if err := p.May(who, action, object, now); err != nil {
		return nil, err
	}
	facts, err := c.decide(p, who, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	events := make([]Event, len(facts))
	for i, f := range facts {
		events[i] = Event{kindOf(f), f.subject(), f}
	}
	return events, nil
}

// InBatch is the refusal of one of several commands: that with the Index, from 0.
type InBatch struct {
	Index, Of int
	Err       error
}

func (b *InBatch) Error() string {
	return fmt.Sprintf("command %d of %d: %v", b.Index+1, b.Of, b.Err)
}

// Unwrap is the refusal.
func (b *InBatch) Unwrap() error { return b.Err }

// DecideAll decides commands one after another, each as if those before it had
// happened already: all of them, or an *InBatch and none. When it returns nothing
// has changed, but while it runs nobody else may look: it folds the events in
// tentatively and takes them out again.
func (p *Programme) DecideAll(cs []Command, who Actor, now time.Time) ([]Event, error) {
	if len(cs) == 1 {
		return p.Decide(cs[0], who, now)
	}
	now = whole(now)
	p.journal = new(journal)
	defer p.rollBack()
	var all []Event
	for i, c := range cs {
		events, err := p.Decide(c, who, now)
		if err != nil {
			return nil, &InBatch{i, len(cs), err}
		}
		for _, e := range events {
			if err := p.fold(e.Body.(fact), Note{p.Next, now, who.Account}); err != nil {
				return nil, err
			}
		}
		all = append(all, events...)
	}
	return all, nil
}

// Apply folds the next entry in. On an error nothing of the entry was folded and
// the programme stays where it was. Errors are of the class ErrUnknownKind,
// ErrReplay or wire.ErrFormat.
func (p *Programme) Apply(seq entrylog.Seq, e entrylog.Entry) error {
	if seq != p.Next {
		return fmt.Errorf("%w: entry %d came where entry %d is next", ErrReplay, seq, p.Next)
	}
	if e.Time.Before(p.Last) {
		return fmt.Errorf("%w: entry %d is of %s, before the one ahead of it (%s)", ErrReplay, seq, e.Time, p.Last)
	}
	if e.Kind == kindRecovery {
		p.Next, p.Last = seq+1, e.Time
		return nil
	}
	if !Known(e.Kind) {
		return fmt.Errorf("entry %d: %w: %d", seq, ErrUnknownKind, e.Kind)
	}
	var body fact
	switch e.Kind {
	case KindCopyFetched:
		body = &p.fetched
	case KindReceiptLodged:
		body = &p.lodged
	default:
		body = kinds[e.Kind].body()
	}
	if err := wire.Unmarshal(e.Body, body); err != nil {
		return fmt.Errorf("entry %d, %s: %w", seq, KindName(e.Kind), err)
	}
	if e.Subject != body.subject() {
		return fmt.Errorf("%w: entry %d, %s: it is about %s and its body about %s", ErrReplay, seq, KindName(e.Kind), e.Subject, body.subject())
	}
	if p.Founded.IsZero() != (e.Kind == KindProgrammeFounded) {
		return fmt.Errorf("%w: entry %d, %s: a programme is founded once, and first", ErrReplay, seq, KindName(e.Kind))
	}
	if err := p.fold(body, Note{seq, e.Time, AccountID(e.Actor)}); err != nil {
		return fmt.Errorf("%w: entry %d, %s: %w", ErrReplay, seq, KindName(e.Kind), err)
	}
	return nil
}

// Fits reports whether Apply would take entries, as they come next: the error that
// it would have. The programme stays as it is.
func (p *Programme) Fits(es []entrylog.Entry) error {
	p.journal = new(journal)
	defer p.rollBack()
	for _, e := range es {
		if err := p.Apply(p.Next, e); err != nil {
			return err
		}
	}
	return nil
}

func (p *Programme) fold(body fact, n Note) error {
	if err := body.apply(p, n); err != nil {
		return err
	}
	p.acted(body, n)
	set(p, &p.Next, n.Seq+1)
	set(p, &p.Last, n.At)
	return nil
}

// whole drops what the log can't hold of a time: all below a microsecond. The
// zero time stays zero.
func whole(t time.Time) time.Time { return time.UnixMicro(t.UnixMicro()).UTC() }

// journal keeps how to undo what was folded tentatively, oldest first.
type journal struct{ undo []func() }

func (p *Programme) rollBack() {
	for i := len(p.journal.undo) - 1; i >= 0; i-- {
		p.journal.undo[i]()
	}
	p.journal = nil
}

// Every change of the state goes through set, push, put or a function made of
// them, so that it can be undone.

func set[T any](p *Programme, at *T, v T) {
	if p.journal != nil {
		old := *at
		p.journal.undo = append(p.journal.undo, func() { *at = old })
	}
	*at = v
}

func push[T any](p *Programme, at *[]T, v T) { set(p, at, append(*at, v)) }

func put[K comparable, V any](p *Programme, m map[K]V, k K, v V) {
	if p.journal != nil {
		old, was := m[k]
		p.journal.undo = append(p.journal.undo, func() {
			if was {
				m[k] = old
			} else {
				delete(m, k)
			}
		})
	}
	m[k] = v
}

// drop takes a key out of an index.
func drop[K comparable, V any](p *Programme, m map[K]V, k K) {
	if old, was := m[k]; was && p.journal != nil {
		p.journal.undo = append(p.journal.undo, func() { m[k] = old })
	}
	delete(m, k)
}

// add puts a new thing under its id, and its id at the end of the order.
func add[T any](p *Programme, what string, m map[wire.ID[T]]*T, order *[]wire.ID[T], id wire.ID[T], v *T) error {
	if id.IsZero() {
		return fmt.Errorf("a %s without an id", what)
	}
	if _, taken := m[id]; taken {
		return fmt.Errorf("%s %s exists already", what, id)
	}
	put(p, m, id, v)
	push(p, order, id)
	return nil
}

// find is the thing of an id, or an error that names it.
func find[T any](what string, m map[wire.ID[T]]*T, id wire.ID[T]) (*T, error) {
	if v := m[id]; v != nil {
		return v, nil
	}
	return nil, fmt.Errorf("there is no %s %s", what, id)
}
