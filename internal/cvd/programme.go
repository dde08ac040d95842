package cvd

import (
	"errors"
	"fmt"
	"time"

	"forewarn/internal/entrylog"
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

type scratch struct{}

// New is a programme before its founding.
func New() *Programme { return new(Programme) }

// Decide says what a command would write. It changes nothing.
func (p *Programme) Decide(c Command, who Actor, now time.Time) ([]Event, error) {
	return nil, fmt.Errorf("%w: no verb is decided yet", ErrRefused)
}

// DecideAll decides commands one after another, each as if those before it had
// happened already: all of them, or an error and none. It changes nothing.
func (p *Programme) DecideAll(cs []Command, who Actor, now time.Time) ([]Event, error) {
	return nil, fmt.Errorf("%w: no verb is decided yet", ErrRefused)
}

// Apply folds the next entry in.
func (p *Programme) Apply(seq entrylog.Seq, e entrylog.Entry) error {
	return fmt.Errorf("%w: no kind is folded yet", ErrUnknownKind)
}

// May is the only policy: nil, or a *Denied.
func (p *Programme) May(who Actor, a Action, o Object, now time.Time) error {
	return &Denied{Why: "nothing is allowed yet"}
}

// Denied says why something isn't allowed, and what would help.
type Denied struct{ Why, Hint string }

// Error is the reason and the hint.
func (d *Denied) Error() string { return "not allowed: " + d.Why + d.Hint }

// Is makes errors.Is(err, ErrDenied) hold.
func (d *Denied) Is(target error) bool { return target == ErrDenied }

// StateHash is the same after every replay of the same entries.
func (p *Programme) StateHash() [32]byte { return [32]byte{} }

// WaveState is where a wave is at a time.
func (p *Programme) WaveState(id WaveID, now time.Time) WaveState { return NoWave }

// EmbargoState is where a case's embargo is at a time.
func (p *Programme) EmbargoState(id CaseID, now time.Time) EmbargoState { return NoEmbargo }

// ConsentOf is a member's stance in a case at a time.
func (p *Programme) ConsentOf(id CaseID, m MemberID, now time.Time) Consent { return NoConsent }

// Readable is nil when the holder may read its copy of a wave at that time.
func (p *Programme) Readable(h HolderID, id WaveID, now time.Time) error { return &Denied{} }

// Issued is how many distinct holders copies of a package were sealed for.
func (p *Programme) Issued(id PackageID) int { return 0 }

// Exposure lists every copy of a package and who was given it.
func (p *Programme) Exposure(id PackageID) []Exposure { return nil }

// AnswerOf is a member's answer about a product, and all it ever gave.
func (p *Programme) AnswerOf(id CaseID, m MemberID, pr ProductID) (AnswerState, []Answer) {
	return NoAnswer, nil
}

// OnDuty is who is to be called at a time, first to last. When nobody is on the
// roster it is every coordinator.
func (p *Programme) OnDuty(now time.Time) []AccountID { return nil }

// KeysOf is the key set that is in use for a holder.
func (p *Programme) KeysOf(h HolderID) (KeySet, bool) { return KeySet{}, false }
