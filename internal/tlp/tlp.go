// Package tlp is the Traffic Light Protocol, version 2.0, as FIRST publishes it
// (https://www.first.org/tlp/): five labels, their order, and how far each
// lets a recipient share.
//
// A label says what a recipient may do with what they were given. It says
// nothing of who was given it: that is the wave's audience, and the narrower of
// the two governs. The zero Label is no label, and permits nothing.
package tlp

import (
	"errors"
	"fmt"
	"strings"

	"forewarn/internal/wire"
)

// Label is a TLP 2.0 label, ordered from wide to narrow after Unset.
type Label uint8

const (
	Unset       Label = iota // no label: nobody may be told
	Clear                    // no limit on disclosure
	Green                    // the recipients' community
	Amber                    // the recipients' organisation and its clients, as far as they need to know
	AmberStrict              // the recipients' organisation only
	Red                      // the individual recipients only
)

// Audience is somebody a recipient may think of telling, from near to far.
type Audience uint8

const (
	Individuals  Audience = iota // the individual recipients themselves
	Organisation                 // others in the recipients' organisation
	Clients                      // the organisation's clients
	Community                    // the recipients' community
	World                        // anybody
)

// ErrLabel is the class of errors about text that is no TLP 2.0 label.
var ErrLabel = errors.New("not a TLP 2.0 label")

// One row per label: its text and the farthest audience it lets a recipient
// tell. FIRST, TLP 2.0, sections 3 and 4.
var labels = [...]struct {
	text string
	far  Audience
}{
	Clear:       {"TLP:CLEAR", World},
	Green:       {"TLP:GREEN", Community},
	Amber:       {"TLP:AMBER", Clients},
	AmberStrict: {"TLP:AMBER+STRICT", Organisation},
	Red:         {"TLP:RED", Individuals},
}

// String is the label as it is printed, for example "TLP:AMBER+STRICT"; empty
// for Unset.
func (l Label) String() string {
	if int(l) < len(labels) {
		return labels[l].text
	}
	return fmt.Sprintf("TLP:(%d)", uint8(l))
}

// Permits reports whether a recipient may share with that audience. Unset and
// unknown labels permit nobody.
func (l Label) Permits(a Audience) bool {
	return l >= Clear && int(l) < len(labels) && a <= labels[l].far
}

// Narrower is the label that lets fewer be told. Unset is narrower than all.
func Narrower(a, b Label) Label {
	if a == Unset || b == Unset {
		return Unset
	}
	return max(a, b)
}

// Parse reads a TLP 2.0 label, in any case, with "TLP:" or without (CSAF leaves
// it out). It fails with ErrLabel on all else, TLP 1.0's WHITE included.
func Parse(s string) (Label, error) {
	name := strings.TrimPrefix(upper(s), "TLP:")
	for l := Clear; int(l) < len(labels); l++ {
		if labels[l].text[len("TLP:"):] == name {
			return l, nil
		}
	}
	if name == "WHITE" {
		return Unset, fmt.Errorf("%w: %q is TLP 1.0; write TLP:CLEAR", ErrLabel, s)
	}
	return Unset, fmt.Errorf("%w: %q; they are TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT and TLP:RED", ErrLabel, s)
}

// ParseLegacy is Parse for documents from before August 2022: it also takes
// TLP 1.0's WHITE, which became CLEAR. The other labels kept their names.
func ParseLegacy(s string) (Label, error) {
	if up := upper(s); up == "TLP:WHITE" || up == "WHITE" {
		return Clear, nil
	}
	return Parse(s)
}

// upper is for ASCII alone: strings.ToUpper makes an S of U+017F, and a label
// must look like what it is.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

// Wire is one byte.
func (l *Label) Wire(c *wire.Coder) { wire.Enum(c, l, Red) }

// MarshalText is String.
func (l Label) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is Parse, and reads the empty text as Unset.
func (l *Label) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*l = Unset
		return nil
	}
	*l, err = Parse(string(b))
	return err
}
