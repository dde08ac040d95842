package form

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"forewarn/internal/fpcode"
)

// Edit is a person's judgement of what stands at one site, in place of the
// reader's. It is made by looking at specimens, before any codeword is opened.
type Edit struct {
	Site   fpcode.SiteID
	State  fpcode.State
	Symbol uint8  // of a Value; as the Form numbers them
	By     string // who: a handle, a name
	Why    string // what was seen
}

// Edits are a person's corrections of certain readings. They hold for those and
// no others: whoever reads further specimens looks again.
type Edits struct {
	Of   [32]byte // Readings.Hash of what the reader gave
	List []Edit   // sorted by site, one for each
}

// Edited is readings with and without edits. An accusation must stand on the
// readings alone; the edited ones may only be shown beside them.
type Edited struct {
	Readings Readings // with the edits
	Of       [32]byte // hash of the readings as the reader gave them
	Edits    [32]byte // Edits.Hash
}

// editedSuffix marks the reader of edited readings, so that nobody takes them
// for a machine's: no reader has such a name.
const editedSuffix = "+edits/1"

// IsEdited reports whether a person changed the readings.
func (r *Readings) IsEdited() bool { return strings.HasSuffix(r.Reader, editedSuffix) }

// ErrEdits is the class of all that can be wrong with edits.
var ErrEdits = errors.New("edits can't be used")

const (
	editsMagic = "forewarn edits v1"
	maxEdits   = 1 << 20 // bytes of the text
	maxBy      = 200     // bytes
	maxWhy     = 1000
)

// ApplyEdits gives readings with edits in place of what was read at their sites,
// which keep their spans, and leaves r as it is. It is a function of its
// arguments. It fails with ErrEdits if the edits are of other readings, or name a
// site or symbol that there isn't; edited readings are not edited again.
func ApplyEdits(r *Readings, e *Edits) (Edited, error) {
	out := Edited{Of: r.Hash(), Edits: e.Hash()}
	if err := e.check(); err != nil {
		return Edited{}, err
	}
	if r.IsEdited() {
		return Edited{}, fmt.Errorf("%w: the readings are edited ones", ErrEdits)
	}
	if e.Of != out.Of {
		return Edited{}, fmt.Errorf("%w: they are of readings %x, and these are %x: read the same specimens with the same reader and Form", ErrEdits, e.Of, out.Of)
	}
	out.Readings = Readings{Reader: r.Reader + editedSuffix, Form: r.Form, Specimens: slices.Clone(r.Specimens), Sites: slices.Clone(r.Sites)}
	for _, x := range e.List {
		i, ok := slices.BinarySearchFunc(r.Sites, x.Site, func(s SiteReading, id fpcode.SiteID) int { return bytes.Compare(s.Site[:], id[:]) })
		if !ok {
			return Edited{}, fmt.Errorf("%w: there is no site %x", ErrEdits, x.Site)
		}
		s := &out.Readings.Sites[i]
		if x.State == fpcode.Value && x.Symbol >= s.Q {
			return Edited{}, fmt.Errorf("%w: site %x has symbols 0 to %d, not %d", ErrEdits, x.Site, s.Q-1, x.Symbol)
		}
		s.State, s.Symbol, s.Likelihood = x.State, x.Symbol, nil
	}
	return out, nil
}

// Hash is the SHA-256 of Marshal.
func (e *Edits) Hash() [32]byte { return sha256.Sum256(e.Marshal()) }

// Marshal writes edits as a text that a person can read and ParseEdits reads
// (doc/spec/form.md, Edits). Edits that ParseEdits would not read give a text
// that it refuses.
func (e *Edits) Marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nreadings %x\n", editsMagic, e.Of)
	for _, x := range e.List {
		read := x.State.String()
		if x.State == fpcode.Value {
			read = fmt.Sprintf("symbol %d", x.Symbol)
		}
		fmt.Fprintf(&b, "\nsite %x\nread %s\nby %s\nwhy %s\n", x.Site, read, x.By, x.Why)
	}
	return b.Bytes()
}

// ParseEdits reads edits. Empty lines and lines that begin with # count for
// nothing; everything else must be as Marshal writes it. It fails with ErrEdits
// and the number of the line.
func ParseEdits(b []byte) (*Edits, error) {
	if len(b) > maxEdits || !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: not a text of at most %d bytes in UTF-8", ErrEdits, maxEdits)
	}
	p := editsParser{lines: strings.Split(string(b), "\n")}
	e := p.edits()
	if p.err == nil {
		p.err = e.check()
	}
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

type editsParser struct {
	lines []string
	at    int // lines taken
	err   error
}

func (p *editsParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: line %d: %s", ErrEdits, p.at, fmt.Sprintf(format, args...))
	}
}

// next is the next line that counts, without a carriage return at its end.
func (p *editsParser) next() (line string, ok bool) {
	for p.at < len(p.lines) && p.err == nil {
		line = strings.TrimSuffix(p.lines[p.at], "\r")
		p.at++
		if line != "" && !strings.HasPrefix(line, "#") {
			return line, true
		}
	}
	return "", false
}

// field is what follows a word on the next line.
func (p *editsParser) field(word string) string {
	line, ok := p.next()
	rest, has := strings.CutPrefix(line, word+" ")
	if !ok || !has {
		p.fail("want '%s …'", word)
	}
	return rest
}

func (p *editsParser) hex(into []byte, text string) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(into) || text != strings.ToLower(text) {
		p.fail("%q is not %d lower-case hexadecimal digits", text, 2*len(into))
		return
	}
	copy(into, b)
}

func (p *editsParser) edits() *Edits {
	var e Edits
	if line, _ := p.next(); line != editsMagic {
		p.fail("want %q first", editsMagic)
	}
	p.hex(e.Of[:], p.field("readings"))
	for p.err == nil {
		line, ok := p.next()
		if !ok {
			break
		}
		id, has := strings.CutPrefix(line, "site ")
		if !has {
			p.fail("want 'site …'")
			break
		}
		var x Edit
		p.hex(x.Site[:], id)
		x.State, x.Symbol = p.read(p.field("read"))
		x.By, x.Why = p.field("by"), p.field("why")
		e.List = append(e.List, x)
	}
	slices.SortStableFunc(e.List, func(a, b Edit) int { return bytes.Compare(a.Site[:], b.Site[:]) })
	return &e
}

func (p *editsParser) read(text string) (fpcode.State, uint8) {
	switch text {
	case fpcode.Erased.String():
		return fpcode.Erased, 0
	case fpcode.Other.String():
		return fpcode.Other, 0
	}
	number, has := strings.CutPrefix(text, "symbol ")
	n, err := strconv.ParseUint(number, 10, 8)
	if !has || err != nil || n >= MaxQ || number != strconv.FormatUint(n, 10) {
		p.fail("%q is not what can be read: 'symbol' and its number, 'other' or 'erased'", text)
	}
	return fpcode.Value, uint8(n)
}

// check holds edits to what ParseEdits reads.
func (e *Edits) check() error {
	for i, x := range e.List {
		switch {
		case i > 0 && bytes.Compare(e.List[i-1].Site[:], x.Site[:]) >= 0:
			return fmt.Errorf("%w: site %x is edited twice, or out of order", ErrEdits, x.Site)
		case x.State > fpcode.Other || x.State != fpcode.Value && x.Symbol != 0 || x.Symbol >= MaxQ:
			return fmt.Errorf("%w: site %x: %v %d is not what can be read", ErrEdits, x.Site, x.State, x.Symbol)
		case !oneLine(x.By, maxBy):
			return fmt.Errorf("%w: site %x: 'by' names who judged, on one line of at most %d bytes", ErrEdits, x.Site, maxBy)
		case !oneLine(x.Why, maxWhy):
			return fmt.Errorf("%w: site %x: 'why' says what was seen, on one line of at most %d bytes", ErrEdits, x.Site, maxWhy)
		}
	}
	return nil
}

// oneLine holds for a text that a person can see all of.
func oneLine(s string, most int) bool {
	return s != "" && len(s) <= most && s == strings.TrimSpace(s) && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}
