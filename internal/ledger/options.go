package ledger

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
)

// Options are a log's constants and the hands it works with. Origin, Interval,
// Blinding and Public must be the same for the log's whole life: anchors follow
// from them, and with others the log does not open.
type Options struct {
	// Origin is the log's name, which is also the name of its signing key.
	Origin string

	// Interval is the time between ticks, a whole number of seconds.
	Interval time.Duration

	// Signer signs checkpoints. Only a writer needs it. Its name is Origin.
	Signer note.Signer

	// Verifier is of the same key.
	Verifier note.Verifier

	// Blinding hides what anchors bind. See entrylog.Blinding.
	Blinding entrylog.Blinding

	// Clock tells the time, to any goroutine. It may be wrong: entries' times
	// never decrease, whatever it says.
	Clock func() time.Time

	// Rand gives salts their randomness: crypto/rand.Reader, but for tests.
	Rand io.Reader

	// Public chooses the entries that are proved to members. Nil chooses none.
	Public func(entrylog.Entry) bool

	// Fits says whether what is folded would take entries, as they come next, and
	// changes nothing. What it refuses is refused to who asked for it, and the log goes
	// on; without it, an entry that can't be folded stops the log. Nil asks nobody.
	Fits func([]entrylog.Entry) error

	// Known tells the kinds that this program can fold. Nil knows none.
	Known func(entrylog.Kind) bool

	// MaxLeap is how far the clock may be ahead of the last entry before it is
	// taken for wrong; 0 is five years. A leap cannot be taken back: later
	// entries cannot be earlier.
	MaxLeap time.Duration
}

const defaultLeap = 5 * 366 * 24 * time.Hour

// check completes the options, for writing or only for reading.
func (o Options) check(writing bool) (Options, error) {
	switch {
	case o.Origin == "":
		return o, errors.New("ledger: a log needs an origin")
	case o.Verifier == nil || o.Verifier.Name() != o.Origin:
		return o, fmt.Errorf("ledger: a log needs a verifier named as its origin, %q", o.Origin)
	case o.Interval < time.Second || o.Interval%time.Second != 0:
		return o, fmt.Errorf("ledger: an interval is a whole number of seconds, not %v", o.Interval)
	case o.Blinding == entrylog.Blinding{}:
		return o, errors.New("ledger: the blinding key is missing")
	case writing && (o.Signer == nil || o.Signer.Name() != o.Origin || o.Signer.KeyHash() != o.Verifier.KeyHash()):
		return o, fmt.Errorf("ledger: a log needs a signer of the same name and key as its verifier, %q", o.Origin)
	case writing && (o.Clock == nil || o.Rand == nil):
		return o, errors.New("ledger: a writer needs a clock and a source of randomness")
	}
	if o.Public == nil {
		o.Public = func(entrylog.Entry) bool { return false }
	}
	if o.Known == nil {
		o.Known = func(entrylog.Kind) bool { return false }
	}
	if o.MaxLeap == 0 {
		o.MaxLeap = defaultLeap
	}
	return o, nil
}

// now is the clock's time as entries have it.
func (o Options) now() time.Time { return o.Clock().UTC().Truncate(time.Microsecond) }
