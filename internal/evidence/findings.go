package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"forewarn/internal/wire"
)

// FindingsVersion opens every findings file.
const FindingsVersion = "forewarn findings v1"

// MaxFindings is the most bytes of a findings file.
const MaxFindings = 16 << 20

// The two conclusions. There is no third, and neither is a verdict.
const (
	Traced    = "traced"
	CannotSay = "cannot say"
)

// List is a slice that is written as [] when empty, never as null, so that one
// value has one JSON.
type List[T any] []T

// MarshalJSON writes an array.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// Findings are what an inquiry has to say about one set of specimens and one
// package. Every field is data; the texts in it are written by package leak and
// hold no number that isn't in a field too. Probabilities are strings with two
// digits, rounded up (fpcode.RoundUp2), and all of them are the probability that
// something innocent would agree at least this well. Times are UTC in whole
// microseconds.
type Findings struct {
	Version   string `json:"version"`
	Programme string `json:"programme"` // origin of the programme's log
	Case      ID     `json:"case"`
	CaseName  string `json:"case_name,omitempty"` // as the inquiry calls it
	Package   ID     `json:"package"`
	Revision  ID     `json:"revision"` // whose Form the specimens were read against

	Reader  string `json:"reader"`  // form.Readings.Reader
	Decoder string `json:"decoder"` // as every wave statement fixed it
	Profile string `json:"profile"`
	Channel string `json:"channel"` // declared noise of copying and reading, by class
	Alpha   string `json:"alpha"`   // family-wise, over all copies and runs
	Run     int    `json:"run"`     // which decoding of this package this is, from 1
	Copies  int    `json:"copies"`  // issued of this package, all of them tested

	FrozenAt time.Time `json:"frozen_at"` // of the readings, before any codebook was opened

	Conclusion string       `json:"conclusion"` // Traced or CannotSay
	Statement  string       `json:"statement"`  // the conclusion in one or two sentences
	Rule       string       `json:"rule"`       // RuleFor the decoder
	Why        List[string] `json:"why"`
	WouldHelp  List[string] `json:"would_help"`

	Accused     List[Accused] `json:"accused"`     // empty unless Traced
	Conflicting List[Accused] `json:"conflicting"` // named by one evidence, contradicted by another

	Readings    ReadingCounts       `json:"readings"`
	Specimens   List[SpecimenFacts] `json:"specimens"`
	OtherCopies OtherCopies         `json:"other_copies"`
	PAttainable string              `json:"p_attainable"` // p_adjusted of a copy that agreed wherever something was read

	Sensitivity List[Alone]  `json:"sensitivity"`
	DesignBased List[Shown]  `json:"design_based"`
	ModelBased  List[Weight] `json:"model_based"`
	Rivals      List[Rival]  `json:"rivals"`

	FirstSighting Window         `json:"first_sighting"`
	Exposure      List[Exposure] `json:"exposure"`
	Duties        List[Duty]     `json:"duties"`

	Assumptions  List[string] `json:"assumptions"`
	Meaning      string       `json:"meaning"` // what the probabilities are
	ProcessError string       `json:"process_error"`
	Limits       List[string] `json:"limits"`

	// What only FindingsVersion2 has; findings with none of it, by decoder single/1,
	// are of FindingsVersion.
	Partners    List[Partner] `json:"partners,omitempty"` // beside which named copies were tested, and that aren't named
	Edits       *EditedBy     `json:"edits,omitempty"`
	Accumulated *Accumulated  `json:"accumulated,omitempty"`

	// What only FindingsVersion3 has.
	Recoveries *Recoveries `json:"recoveries,omitempty"`
}

// Accused is a copy that material is derived from, with what says so. The row is
// about a copy; the holder is who it was issued to.
type Accused struct {
	Holder      ID     `json:"holder"`
	Name        string `json:"name"`
	Staff       bool   `json:"staff"` // an account of the vendor's own
	DerivedFrom string `json:"derived_from"`
	Group       Group  `json:"group,omitzero"` // common ownership: named together

	// Copies are those of the revision that was read which were committed to
	// before the specimens are known to have existed (KnownBefore): the same marks
	// in all, as far as the level goes.
	Copies       List[IssuedCopy] `json:"copies"`
	Acknowledged string           `json:"acknowledged"` // Grade

	NamedBy List[string] `json:"named_by"` // EvidenceWording, EvidenceTokens

	Score      int64  `json:"score"` // 2⁻¹⁶ nat
	PUpper     string `json:"p_upper"`
	PEstimate  string `json:"p_estimate"`
	PSampled   string `json:"p_sampled"`
	PSampledSE string `json:"p_sampled_se"`
	PAdjusted  string `json:"p_adjusted"` // p_upper over all copies and runs: the one that decides
	Consistent bool   `json:"consistent"` // the three ways of computing agree

	// Of joint/1: how this copy was tested, and what stands if that was chosen.
	Parts   List[Part] `json:"parts,omitempty"`
	PChosen string     `json:"p_chosen,omitempty"` // Basis.Chosen

	SitesRead     int `json:"sites_read"`     // with a value, anywhere in the specimens
	SitesAgreeing int `json:"sites_agreeing"` // of those, as in this copy

	Tokens  List[TokenHit] `json:"tokens"`
	PTokens string         `json:"p_tokens,omitempty"` // that any token of any copy would be in these specimens by chance; empty if none counts
	PAimed  string         `json:"p_aimed,omitempty"`  // that one try of whoever holds the recognition key would hit an issued token; where PTokens is

	Fetches  List[Access] `json:"fetches"`
	Receipts List[Access] `json:"receipts"`
}

// Group is members under common ownership: one coalition. It counts only when it
// was declared in the log before the first wave was sealed.
type Group struct {
	ID      ID           `json:"id"`
	Entry   uint64       `json:"entry"` // of the declaration
	Name    string       `json:"name"`
	Members List[string] `json:"members"` // names, sorted
}

// IssuedCopy is one instance of a copy, in one wave.
type IssuedCopy struct {
	Wave    ID        `json:"wave"`
	Label   string    `json:"label"` // WaveLabel
	Level   string    `json:"level"`
	OpensAt time.Time `json:"opens_at"`
	Copy    string    `json:"copy"`  // form.CopyHash, hex
	Shows   int       `json:"shows"` // of the agreeing sites and the tokens found, how many this copy has

	// Acknowledged: a receipt for it, signed by its holder, was in the log before
	// the specimens are known to have existed.
	Acknowledged bool `json:"acknowledged"`
}

// TokenHit is a token of an accused copy in a specimen, as it stands there.
type TokenHit struct {
	Slot        string `json:"slot"`
	Text        string `json:"text"`
	Specimen    int    `json:"specimen"` // index in Findings.Specimens
	Offset      int64  `json:"offset"`   // bytes
	FirstPublic Window `json:"first_public,omitzero"`
	Counts      bool   `json:"counts"` // false once it may be a replay
	Note        string `json:"note"`
}

// Access is a fetch or a receipt, an entry of the main log.
type Access struct {
	Account     ID        `json:"account"`
	AccountName string    `json:"account_name"`
	At          time.Time `json:"at"`
	Entry       uint64    `json:"entry"`
}

// ReadingCounts says how much of the package the specimens show.
type ReadingCounts struct {
	Sites   int               `json:"sites"` // in the Form
	Read    int               `json:"read"`
	Other   int               `json:"other"`
	Erased  int               `json:"erased"`
	ByClass List[ClassCounts] `json:"by_class"`
}

// ClassCounts is ReadingCounts for one class of carriers.
type ClassCounts struct {
	Class  string `json:"class"`
	Read   int    `json:"read"`
	Other  int    `json:"other"`
	Erased int    `json:"erased"`
}

// SpecimenFacts pins a specimen and says when it existed.
type SpecimenFacts struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Found  Window `json:"found,omitzero"` // when it was first known to exist
}

// Window is a time known to lie between two instants. The zero Window is
// unknown; only one end may be known.
type Window struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	Entry uint64    `json:"entry,omitempty"`
}

// OtherCopies are the copies that were tested and that no evidence names. Nothing
// more is told of them: any number would let who chooses the specimens feel their
// way towards an innocent copy, run by run.
type OtherCopies struct {
	Count int `json:"count"`
}

// Alone is what one evidence would say if there were no other.
type Alone struct {
	Evidence  string `json:"evidence"`
	Holder    ID     `json:"holder,omitzero"` // zero when no copy is named
	Name      string `json:"name,omitempty"`
	SitesRead int    `json:"sites_read"` // 0 for tokens
	PAdjusted string `json:"p_adjusted,omitempty"`
	Result    string `json:"result"`
}

// Shown is a design-based piece of evidence: its probability follows from
// randomness that the programme itself made and committed to.
type Shown struct {
	Evidence string `json:"evidence"`
	Shows    string `json:"shows"`
	P        string `json:"p,omitempty"`
}

// Weight is a model-based piece of evidence: a capped likelihood ratio under a
// stated model, with what it would be under others. Never multiplied into a
// probability.
type Weight struct {
	Evidence    string       `json:"evidence"`
	Seen        string       `json:"seen"`
	Model       string       `json:"model"`
	Ratio       string       `json:"ratio"`
	Sensitivity List[string] `json:"sensitivity"`
}

// Rival is one explanation of how the material came out.
type Rival struct {
	Name     string       `json:"name"`
	Predicts List[string] `json:"predicts"`
	Seen     List[string] `json:"seen"`
	Reading  string       `json:"reading"` // supports, against, neutral, unknown
	Basis    string       `json:"basis"`   // design, model
	Settles  string       `json:"settles"` // what would tell
}

// Exposure is one wave and who read it.
type Exposure struct {
	Wave        ID        `json:"wave"`
	Label       string    `json:"label"`              // WaveLabel
	KnownAs     string    `json:"known_as,omitempty"` // what the programme's staff call it, if that is another
	Level       string    `json:"level"`
	OpensAt     time.Time `json:"opens_at"`
	Entry       uint64    `json:"entry"`
	Holders     int       `json:"holders"`
	Fetched     int       `json:"fetched"`
	Received    int       `json:"received"`
	BeforeFirst int       `json:"before_first"` // fetched before the first sighting can have been
}

// Duty is an onward duty of a reader's jurisdiction, by a rule that is data.
type Duty struct {
	Jurisdiction string    `json:"jurisdiction"`
	Authority    string    `json:"authority"`
	Citation     string    `json:"citation"`
	Clock        string    `json:"clock"`
	Members      int       `json:"members"`
	From         time.Time `json:"from"` // the authority may know from here
	BeforeFirst  bool      `json:"before_first"`
}

// Marshal is the one JSON of f: fields in order, two spaces, a newline at the
// end, nothing escaped that needn't be.
func (f *Findings) Marshal() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(f); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ParseFindings reads what Marshal wrote and nothing else: unknown or repeated
// fields, other spacing and other spellings of a value are refused. Errors wrap
// wire.ErrFormat.
func ParseFindings(b []byte) (*Findings, error) {
	if len(b) > MaxFindings {
		return nil, fmt.Errorf("%w: findings of %d bytes; at most %d are allowed", wire.ErrFormat, len(b), MaxFindings)
	}
	f := new(Findings)
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("%w: findings: %w", wire.ErrFormat, err)
	}
	if f.Version != f.version() {
		return nil, fmt.Errorf("%w: findings of version %q; this program knows %q, %q for those by joint/1, with edits or with accumulated evidence, and %q for those that tell of recoveries", wire.ErrFormat, f.Version, FindingsVersion, FindingsVersion2, FindingsVersion3)
	}
	again, err := f.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: findings: %w", wire.ErrFormat, err)
	}
	if !bytes.Equal(again, b) {
		at := 0
		for at < len(b) && at < len(again) && b[at] == again[at] {
			at++
		}
		return nil, fmt.Errorf("%w: findings: byte %d is not as this program would write it", wire.ErrFormat, at)
	}
	return f, nil
}
