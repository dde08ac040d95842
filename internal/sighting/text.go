package sighting

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"forewarn/internal/ascii"
	"forewarn/internal/form"
	"forewarn/internal/token"
)

// Text is an embargoed text, all copies of it at once: a copy is one of the
// alternatives of each part, in order. Any copy is looked for, one that nobody
// was given as well.
//
// A word is a run of Unicode's letters and decimal digits; everything else
// parts words and counts for nothing, and so does case. A run of MinWords words
// of any copy is seen wherever they stand in that order with no more than
// MaxGap bytes between two of them, whatever those bytes are, if
//
//   - the run isn't common knowledge: it stands in none of Scanner.Public, and
//     leastDifferent of its words differ (rows of zeros in a dump say nothing);
//   - one of the words, tokens aside, has from leastAnchor to mostAnchor bytes;
//   - no letter of ASCII is written with a sign beyond it, such as that of Kelvin;
//   - the text doesn't have it more than mostAlignments times;
//   - the lines that the run stands in have at most Scanner.MaxLine bytes together.
//     It may run over lines in every format: what is between the fields of two
//     records parts it, and lines that are no records are read on.
//
// Encodings are undone as for all else. A token is any token: it is told apart
// by the Recogniser. A character that the edge of a part cuts in two parts
// words.
type Text struct {
	Ref   string // the caller's own; not empty
	Parts []Part
}

// Part is a stretch of a text.
type Part struct {
	Alternatives [][]byte       // what stands there, in one copy or another; one where all agree
	Token        token.Alphabet // instead: a copy's token, so written
}

// MinWords is the least excerpt that is a sighting; MaxGap the most bytes
// between two of its words.
const (
	MinWords = 12
	MaxGap   = 256
)

const (
	leastDifferent = 4
	leastAnchor    = 5
)

// Texts are the files of a Form, each under ref and its path.
func Texts(ref string, f *form.Form) []Text {
	out := make([]Text, len(f.Files))
	for i, file := range f.Files {
		out[i] = Text{Ref: ref + "/" + file.Path, Parts: make([]Part, len(file.Parts))}
		for j, p := range file.Parts {
			switch part := &out[i].Parts[j]; p.Kind {
			case form.Literal:
				part.Alternatives = [][]byte{p.Bytes}
			case form.Choice:
				part.Alternatives = p.Alternatives
			case form.Token:
				part.Token = p.Alphabet
			}
		}
	}
	return out
}

func (t Text) check() error {
	if t.Ref == "" {
		return fmt.Errorf("%w: a text needs a name", ErrScanner)
	}
	for i, p := range t.Parts {
		if (len(p.Alternatives) == 0) != (p.Token.Len() > 0) {
			return fmt.Errorf("%w: text %s: part %d needs either alternatives or a token's alphabet", ErrScanner, Printable([]byte(t.Ref)), i+1)
		}
	}
	return nil
}

// wild stands for any letter or digit of ASCII in a lattice's words. In
// telemetry it parts words like other controls.
const wild = '\x01'

// template is a token's shape, with wild for what differs.
func template(a token.Alphabet) string {
	if a == token.UUID {
		return strings.Join([]string{blanks(8), blanks(4), blanks(4), blanks(4), blanks(12)}, "-")
	}
	return blanks(a.Len())
}

func blanks(n int) string { return strings.Repeat(string(wild), n) }

// high is the bit of each byte that one beyond ASCII has.
const high = 0x8080808080808080

// letter reports whether a rune is part of a word.
func letter(r rune) bool {
	if r < utf8.RuneSelf {
		return word(byte(r))
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func folded(r rune) rune {
	if r < utf8.RuneSelf {
		if r-'A' <= 25 && r >= 'A' {
			r |= 0x20
		}
		return r
	}
	return unicode.ToLower(r)
}

// nextWord is the first word at or behind a position that no word straddles,
// as far as longest bytes of it; false if the text ends first or the gap is too
// wide; ended tells which.
func nextWord(text []byte, at, longest int) (w span, ok, ended bool) {
	if at+8 <= len(text) { // the next eight bytes tell, most times
		x := binary.LittleEndian.Uint64(text[at:])
		if i := bits.TrailingZeros64(^ascii.Partings(x) & high); i < 64 && x&high&(1<<i-1) == 0 {
			i = at + i/8
			return span{i, wordEnd(text, i, longest)}, true, false
		}
	}
	i := at
	for ; ; i++ {
		if i == len(text) {
			return w, false, true
		}
		if i-at > MaxGap {
			return w, false, false
		}
		if c := text[i]; c < utf8.RuneSelf {
			if word(c) {
				break
			}
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if letter(r) {
			break
		}
		i += n - 1
	}
	if i-at > MaxGap {
		return w, false, false
	}
	return span{i, wordEnd(text, i, longest)}, true, false
}

// wordEnd is where the word that begins or goes on at i ends, or a place above
// longest bytes behind i.
func wordEnd(text []byte, i, longest int) int {
	for from := i; i < len(text) && i-from <= longest; {
		if i+8 <= len(text) {
			n := ascii.First(binary.LittleEndian.Uint64(text[i:]))
			if i += n; n == 8 || i-from > longest {
				continue
			}
		}
		if c := text[i]; c < utf8.RuneSelf {
			if !word(c) {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if !letter(r) {
			break
		}
		i += n
	}
	return i
}

// lastWord is nextWord backwards: the last word before a position.
func lastWord(text []byte, at, longest int) (w span, ok, ended bool) {
	if at >= 8 {
		x := binary.LittleEndian.Uint64(text[at-8:])
		if i := bits.LeadingZeros64(^ascii.Partings(x) & high); i < 64 && x&high&^(^uint64(0)>>i) == 0 {
			i = at - i/8
			return span{wordStart(text, i, longest), i}, true, false
		}
	}
	i := at
	for ; ; i-- {
		if i == 0 {
			return w, false, true
		}
		if at-i > MaxGap {
			return w, false, false
		}
		if c := text[i-1]; c < utf8.RuneSelf {
			if word(c) {
				break
			}
			continue
		}
		r, n := utf8.DecodeLastRune(text[:i])
		if letter(r) {
			break
		}
		i -= n - 1
	}
	if at-i > MaxGap {
		return w, false, false
	}
	return span{wordStart(text, i, longest), i}, true, false
}

func wordStart(text []byte, i, longest int) int {
	for to := i; i > 0 && to-i <= longest; {
		if i >= 8 {
			n := ascii.Last(binary.LittleEndian.Uint64(text[i-8:]))
			if i -= n; n == 8 || to-i > longest {
				continue
			}
		}
		if c := text[i-1]; c < utf8.RuneSelf {
			if !word(c) {
				break
			}
			i--
			continue
		}
		r, n := utf8.DecodeLastRune(text[:i])
		if !letter(r) {
			break
		}
		i -= n
	}
	return i
}

// reads reports whether a word of telemetry is a lattice's word; the empty word
// is any.
func reads(seen []byte, w string) bool {
	if w == "" {
		return true
	}
	for len(seen) > 0 {
		if w == "" {
			return false
		}
		if c, d := seen[0], w[0]; c < utf8.RuneSelf && d < utf8.RuneSelf {
			if c-'A' <= 25 {
				c |= 0x20
			}
			if c != d && d != wild {
				return false
			}
			seen, w = seen[1:], w[1:]
			continue
		}
		r, n := utf8.DecodeRune(seen)
		s, m := utf8.DecodeRuneInString(w)
		if folded(r) != s {
			return false
		}
		seen, w = seen[n:], w[m:]
	}
	return w == ""
}

// fold is a word as lattices have it.
func fold(w []byte) string {
	return strings.Map(folded, string(w))
}
