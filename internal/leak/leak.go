// Package leak turns what is known about a leak into findings.
//
// Two things come in. Facts are what the programme's log says: who was issued
// which copy, who could read what from when, who fetched and acknowledged it.
// Reading is what the inquiry did: specimens read and frozen, then decoded, and
// tokens recognised. Judge puts them together:
//
//	Facts ───┐             ┌─► evidence.Findings ─► Page, Text, a dossier
//	Reading ─┼─► Judge ────┤
//	Seen ────┘             └─► (Timeline) timeline.Model
//
// Judge decides nothing by itself. Whether the answer is 'traced' or 'cannot
// say' follows from evidence.Conclude, by a rule that is printed with it and
// that whoever verifies the dossier applies again. What Judge adds is the rest of
// what a reader needs: which rival explanations there are, what each predicts
// and what was seen; how sure the first sighting's time is; what would help when
// nothing can be said.
//
// Design-based evidence (marks and tokens, whose randomness the programme made
// and committed to) and model-based evidence (times, access) stand in two
// columns and are never multiplied. No number here is a probability of guilt.
//
// Judge is deterministic: the same Inputs give the same findings, byte for byte.
// Do not give it suspicion: there is no field for that.
package leak

import (
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/sighting"
)

// Inputs is everything that findings are made from.
type Inputs struct {
	Facts   Facts
	Reading Reading
	Seen    []Seen // in telemetry and in public, in any order

	// Accumulated is what all cases together say of members that this one touches,
	// if they accuse any; else nil.
	Accumulated *evidence.Accumulated
	// AlphaAllPico is the alpha at which evidence is accumulated over cases, in units
	// of 10⁻¹², whether or not it accuses anybody; 0: it isn't.
	AlphaAllPico uint64

	// Burnt are the holders whose keys were open before this run began, with the
	// name of the findings that opened them.
	Burnt map[entrylog.Ref]string
}

// Facts is what the programme's log says about one package. Gather makes it.
type Facts struct {
	Programme string        // origin of the log
	Interval  time.Duration // between its anchors
	Case      entrylog.Ref
	CaseName  string
	Package   entrylog.Ref

	Reported Event // the case was opened
	Release  Event // planned, as agreed last
	Released Event // it happened
	Ended    Event // the embargo was ended early

	Holders  []Holder // everybody a copy was issued to, in order of sealing
	Waves    []Wave   // sealed, in order of the log
	Fetches  []Access
	Receipts []Access
	Answers  []Answer // 'protection ready' or better
	Breaches []Event
	Links    []Link

	Recoveries []Recovered // of accounts of Holders, in the order of the log
	Declared   []Access    // recoveries of the log, in its order

	// Rulings are what readers might do before release, one for each use and
	// revision that a wave was sealed with.
	Rulings []Ruling
}

// Ruling says of one revision whether a use of it, by cvd's name, was allowed, and
// since when. What was allowed from the first reading on has no From.
type Ruling struct {
	Revision entrylog.Ref
	Use      string
	Allowed  bool
	From     time.Time
}

// Event is something at a time, by an entry. The zero Event did not happen.
type Event struct {
	At    time.Time
	Entry entrylog.Seq
}

// Holder is who copies were issued to.
type Holder struct {
	ID            entrylog.Ref
	Name          string
	Staff         bool
	Tier          string
	Jurisdictions []string
	Group         entrylog.Ref // zero: under no ownership that was declared
	GroupName     string
	GroupEntry    Event // the declaration
}

// Wave is one sealed wave of the package.
type Wave struct {
	ID, Revision entrylog.Ref
	Label        string // as staff call it: 'wave 1', 'preview 1', 'break pack 1'
	Staff        bool   // a preview
	Form         [32]byte
	Level        form.Level
	OpensAt      time.Time
	Ends         time.Time // cancelled or lapsed; zero: not
	Entry        entrylog.Seq
	Sealed       time.Time // of that entry
	Holders      []entrylog.Ref
}

// Access is a fetch or a receipt.
type Access struct {
	Wave, Holder, Account entrylog.Ref
	AccountName           string
	At                    time.Time
	Entry                 entrylog.Seq
}

// Recovered is access to an account given anew. Of its Accesses only account, time
// and entry are said.
type Recovered struct {
	Holder, Account entrylog.Ref
	AccountName     string
	Added           entrylog.Seq // that made it the member's account; 0: it is the holder itself

	Invited, Confirmed, Made Access
	Lifted                   Access // the wait after it; of no entry: it wasn't
}

// Answer is a member's word that it protects.
type Answer struct {
	Event
	Who  string
	What string
}

// Link is how the case stands to another.
type Link struct {
	Event
	Relation, To string
}

// Reading is what the inquiry froze, and what the decoder made of it.
type Reading struct {
	Form      *form.Form
	Readings  *form.Readings
	FrozenAt  time.Time
	Specimens []Specimen // in the order they were read

	Profile   fpcode.Profile
	Bias      fpcode.Key
	AlphaPico uint64
	Run       int
	Result    fpcode.Result  // Scores in the order of Holders
	Holders   []entrylog.Ref // that were tested: all of Facts.Holders
	Tokens    []Hit          // of issued copies, in the specimens
	// Tested is how the decoder tests the copies of Tokens that it does not accuse;
	// by joint/1 their numbers rest on other copies.
	Tested []fpcode.Accusation

	// Edits by hand, if there are any; the result above is without them.
	Edits *Edits

	// CopyKey gives the key of a holder's copies; it is asked for those tested.
	CopyKey func(holder entrylog.Ref) fpcode.Key
	// CopyHash gives the committed hash of a copy; it is asked for those named.
	CopyHash func(wave, holder entrylog.Ref) ([32]byte, error)
}

// Specimen pins a specimen and says when it was first known to exist.
type Specimen struct {
	Name   string
	Size   int64
	SHA256 [32]byte
	Found  sighting.Interval // zero: unknown
}

// Hit is the token of an issued copy in a specimen, as it stands there and as
// token.Scan finds it: a word of its own. Tokens that had to be decoded first are
// no hits: sightings, at most.
type Hit struct {
	Holder   entrylog.Ref
	Slot     string
	Text     string
	Specimen int
	Offset   int64
}

// Seen is something of the case that was seen. If it is the token of an issued
// copy, Holder and Slot say which.
type Seen struct {
	Time     sighting.Interval
	Label    string // 'token in web server log'
	Source   string
	Grade    string // of the source; empty: ungraded
	Entry    entrylog.Seq
	Specimen int // 1-based: it stands in that specimen; 0: elsewhere
	Holder   entrylog.Ref
	Slot     string
}

// window is an interval in findings.
func window(v sighting.Interval, e entrylog.Seq) evidence.Window {
	return evidence.Window{From: micro(v.From), To: micro(v.To), Entry: uint64(e)}
}
