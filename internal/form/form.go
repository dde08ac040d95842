// Package form is the printer's forme: a package with its type locked up,
// ready to print.
//
// Compiling a source folder (the carriers' work, once, at sealing) gives a
// Form: output files cut into literal bytes, choices and token slots, every
// alternative final and in the order of its symbol. From there three things
// are done, all of them pure and all of them here:
//
//   - Render sets one copy: for each part it writes the literal, the
//     alternative of the copy's symbol, or the copy's token. It is nothing but
//     concatenation, and its result is fixed for ever by doc/spec/form.md.
//   - CopyHash and CopyLeaf name a copy in commitments (doc/spec/copy.md).
//   - Read aligns recovered material to the Form's lattice of alternatives and
//     says for every site which symbol stands there, that something else does,
//     or that the site is not covered. It is a function of Form and specimens
//     alone: it never sees a codeword or a rendered copy, which is the condition
//     under which the p-values of package fpcode hold.
//
// A Form is secret: with it and one copy anybody knows where the marks are. It
// holds no key and no codeword, so it does not tell whose copy is whose.
//
// Do not use a Form to carry content that differs between readers for any
// reason but their marks, and do not change a Form after sealing: its Hash is
// committed to.
package form

import (
	"bytes"
	"fmt"
	"slices"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Level is how much of a package an audience is shown, from little to
// everything. The zero Level shows nothing.
type Level uint8

// The levels, each including those before it.
const (
	HeadsUp     Level = 1 + iota // that something comes, and when
	Description                  // what is wrong, and what to do
	Detection                    // rules that find attempts
	Indicators                   // addresses, hashes, names seen in attacks
	PoC                          // what makes it happen
)

var levelNames = [...]string{"none", "heads-up", "description", "detection", "indicators", "poc"}

// String is the level's name as in a manifest; "none" for the zero Level.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// ParseLevel reads a name that String writes, except "none".
func ParseLevel(s string) (Level, error) {
	for l := HeadsUp; l <= PoC; l++ {
		if levelNames[l] == s {
			return l, nil
		}
	}
	return 0, fmt.Errorf("%q is not a level: use heads-up, description, detection, indicators or poc", s)
}

// MarshalText is String.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is ParseLevel.
func (l *Level) UnmarshalText(b []byte) (err error) {
	*l, err = ParseLevel(string(b))
	return err
}

// Site is one markable place. All copies agree on its id, class and number of
// alternatives; a copy's symbol, 0 ≤ symbol < Q, says which stands there.
type Site struct {
	ID    fpcode.SiteID
	Class fpcode.Class // the carrier; each is its own channel when decoding
	Q     uint8        // number of symbols, 2 to MaxQ
	Law   uint8        // index in the profile's list of laws for Q symbols
}

// Kind says what a Part is.
type Kind uint8

// The kinds of parts.
const (
	Literal Kind = iota // the same bytes in every copy
	Choice              // one of a site's alternatives
	Token               // a copy's token for a slot
)

// Part is a stretch of a file. Only the fields of its Kind are set.
type Part struct {
	Kind Kind

	Bytes []byte // Literal: not empty, and no literal follows another

	Site         uint32   // Choice: index in Form.Sites
	Alternatives [][]byte // Choice: the text for each symbol, already permuted; len = Q

	Slot     string         // Token: which token of the copy; equal slots show equal tokens
	Alphabet token.Alphabet // Token: how it is written
}

// File is one output file.
//
// A site may stand in several parts, in one file or in several: the symbol is
// the same, the alternatives may differ from part to part and may repeat within
// one (an item's place in a re-ordered list), as long as all parts together tell
// all symbols apart.
type File struct {
	Path  string // see CheckPath
	Level Level  // shown to this level and above
	Bulk  bool   // the same bytes for everybody: literals only, never PoC
	Parts []Part
}

// Form is a compiled package. See Check for what makes one valid.
type Form struct {
	// Profile is the list that the sites' laws are from. Zero is fpcode.Single.
	Profile fpcode.Profile
	Sites   []Site // sorted by ID
	Files   []File // sorted by Path
}

// Bias is the profile, with the zero one's name spelled out.
func (f *Form) Bias() fpcode.Profile {
	if f.Profile == 0 {
		return fpcode.Single
	}
	return f.Profile
}

// SiteLaw is the law of the symbols at a site of a valid Form.
func (f *Form) SiteLaw(s Site) fpcode.Law {
	l, err := f.Bias().Law(int(s.Q), s.Law)
	if err != nil {
		return fpcode.Law{} // Check refuses such a site
	}
	return l
}

// Laws is SiteLaw by site, as decoders take it: the zero Law for a site that the
// Form doesn't have with that many symbols.
func (f *Form) Laws() func(fpcode.SiteID, uint8) fpcode.Law {
	return func(id fpcode.SiteID, q uint8) fpcode.Law {
		i, ok := slices.BinarySearchFunc(f.Sites, id, func(s Site, id fpcode.SiteID) int { return bytes.Compare(s.ID[:], id[:]) })
		if !ok || f.Sites[i].Q != q {
			return fpcode.Law{}
		}
		return f.SiteLaw(f.Sites[i])
	}
}

// Output is one file of a rendered copy.
type Output struct {
	Path string
	Data []byte
}

// Specimen is recovered material, as it was found. The name is for people: no
// reading depends on it.
type Specimen struct {
	Name string
	Data []byte
}
