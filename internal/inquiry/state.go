package inquiry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/wire"
)

// Kinds of the inquiry's own log. Frozen, like all kinds: those that a dossier
// opens are laid out in package evidence, all of them in doc/spec/findings.md.
const (
	KindInquiryFounded  entrylog.Kind = 1
	KindReadingsFrozen                = evidence.KindReadingsFrozen  // 2
	KindCodebookOpened                = evidence.KindCodebookOpened  // 3
	KindFindingsMade    entrylog.Kind = 4                            // superseded by 6: read, and no longer written
	KindEditsFrozen                   = evidence.KindEditsFrozen     // 5
	KindFindingsDrafted               = evidence.KindFindingsDrafted // 6
	KindFindingsStage                 = evidence.KindFindingsStage   // 7
	KindCaseCounted     entrylog.Kind = 8
)

// Known tells the kinds of the inquiry's log.
func Known(k entrylog.Kind) bool { return k >= KindInquiryFounded && k <= KindCaseCounted }

// Public tells which entries a dossier opens to people outside by the boards of
// anchors. What else one opens it proves in the inner tree, whose size nobody
// has to be kept from here.
func Public(e entrylog.Entry) bool {
	return e.Kind == KindReadingsFrozen || e.Kind == KindCodebookOpened
}

// founded is the body of KindInquiryFounded.
type founded struct{ Programme string }

func (b *founded) Wire(c *wire.Coder) { wire.Text(c, &b.Programme, 255) }

// made is the body of KindFindingsMade.
type made struct {
	Case     entrylog.Ref
	Readings [32]byte
	Dossier  [32]byte // SHA-256 of the file
	Traced   bool
}

func (b *made) Wire(c *wire.Coder) {
	c.Fixed(b.Case[:])
	c.Fixed(b.Readings[:])
	c.Fixed(b.Dossier[:])
	c.Bool(&b.Traced)
}

// Blobs keeps what entries name by hash: dossiers, replies, reviews. They are in
// the inquiry's own folder, which nobody else reads, and are not encrypted.
type Blobs interface {
	// Put keeps data and returns its SHA-256. It is durable once Sync returned.
	Put(context.Context, []byte) ([32]byte, error)
	// Get returns a blob whose hash was checked, or fs.ErrNotExist.
	Get(context.Context, [32]byte) ([]byte, error)
	Sync(context.Context) error
}

// state is the fold of the inquiry's log.
type state struct {
	frozen   map[string]freezing       // what was frozen, without times → the first entry that froze it
	freezes  map[[32]byte]freezing     // the same by the readings' hash
	places   map[[32]byte]entrylog.Seq // what a dossier proves → its entry
	edits    map[[32]byte]editing      // readings → the edits that were frozen with them
	opened   openings                  // body → its entry
	runs     map[entrylog.Ref]uint32   // package → the greatest run on this log
	findings map[[32]byte]*Kept        // by the hash of their JSON
	order    [][32]byte                // of findings, as they were drafted
	counted  ledgerOfCases
	size     entrylog.Seq
}

func newState() state {
	return state{frozen: map[string]freezing{}, freezes: map[[32]byte]freezing{}, places: map[[32]byte]entrylog.Seq{},
		edits: map[[32]byte]editing{}, opened: openings{}, runs: map[entrylog.Ref]uint32{},
		findings: map[[32]byte]*Kept{}, counted: ledgerOfCases{}}
}

// openings are the bodies of KindCodebookOpened, with their entries.
type openings map[string]entrylog.Seq

// of reports whether keys were ever opened for these readings.
func (o openings) of(readings [32]byte) bool {
	for b := range o {
		if [32]byte([]byte(b)[len(b)-32:]) == readings {
			return true
		}
	}
	return false
}

// freezing is the first time that readings were frozen. The times at which their
// specimens are said to have been known are bound by it: to try others, once
// keys were opened, would be to choose what counts.
type freezing struct {
	seq       entrylog.Seq
	at        time.Time
	form      [32]byte
	specimens []evidence.FrozenSpecimen
}

// timeless is a freeze but for the times of its specimens.
func timeless(b evidence.ReadingsFrozen) string {
	b.Specimens = slices.Clone(b.Specimens)
	for i := range b.Specimens {
		b.Specimens[i].From, b.Specimens[i].To = time.Time{}, time.Time{}
	}
	return string(wire.Marshal(&b))
}

// bodies makes an empty body of each kind.
var bodies = map[entrylog.Kind]func() body{
	KindInquiryFounded:  func() body { return new(founded) },
	KindReadingsFrozen:  func() body { return new(readingsFrozen) },
	KindCodebookOpened:  func() body { return new(codebookOpened) },
	KindFindingsMade:    func() body { return new(made) },
	KindEditsFrozen:     func() body { return new(editsFrozen) },
	KindFindingsDrafted: func() body { return new(findingsDrafted) },
	KindFindingsStage:   func() body { return new(findingsStage) },
	KindCaseCounted:     func() body { return new(CaseCounted) },
}

// body is a kind's layout and what it does to the state.
type body interface {
	wire.Layout
	fold(*state, entrylog.Seq, entrylog.Entry) error
}

type (
	readingsFrozen  struct{ evidence.ReadingsFrozen }
	codebookOpened  struct{ evidence.CodebookOpened }
	editsFrozen     struct{ evidence.EditsFrozen }
	findingsDrafted struct{ evidence.FindingsDrafted }
	findingsStage   struct{ evidence.FindingsStage }
)

// apply folds one entry. An entry that its own rules would have refused is an
// error: somebody else wrote it, and the log stops.
func (s *state) apply(seq entrylog.Seq, e entrylog.Entry) error {
	s.size = seq + 1
	make, ok := bodies[e.Kind]
	if !ok {
		return nil // a declared recovery
	}
	b := make()
	if err := wire.Unmarshal(e.Body, b); err != nil {
		return err
	}
	if Public(e) {
		if _, again := s.places[place(e)]; !again {
			s.places[place(e)] = seq
		}
	}
	if err := b.fold(s, seq, e); err != nil {
		return fmt.Errorf("entry %d: %w", seq, err)
	}
	return nil
}

func (*founded) fold(*state, entrylog.Seq, entrylog.Entry) error { return nil }

func (*made) fold(*state, entrylog.Seq, entrylog.Entry) error { return nil }

func (b *readingsFrozen) fold(s *state, seq entrylog.Seq, e entrylog.Entry) error {
	k := timeless(b.ReadingsFrozen)
	if _, again := s.frozen[k]; !again {
		s.frozen[k] = freezing{seq, e.Time, b.Form, b.Specimens}
	}
	if _, again := s.freezes[b.Readings]; !again {
		s.freezes[b.Readings] = s.frozen[k]
	}
	return nil
}

// place is what tells a public entry from all others of its log.
func place(e entrylog.Entry) [32]byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(e.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMicro()))
	return sha256.Sum256(append(b, e.Body...))
}

func (b *codebookOpened) fold(s *state, seq entrylog.Seq, e entrylog.Entry) error {
	s.opened[string(e.Body)] = seq
	s.runs[b.Package] = max(s.runs[b.Package], b.Run)
	s.counted.open(seq, e.Time, b.CodebookOpened)
	return nil
}
