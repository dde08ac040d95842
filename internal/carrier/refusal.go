package carrier

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrRefused is the class of every error of Compile: the source isn't fit to be
// sealed. Nothing was made of it. The error is a Refusals.
var ErrRefused = errors.New("the package source is refused")

// Refusal is one thing wrong with a source: where, what, and what to do.
type Refusal struct {
	Path string // of the file; empty for the source as a whole
	Line int    // from 1; 0 for the file as a whole
	Col  int    // from 1, in characters; 0 with Line
	What string
	Do   string
}

// String is "path:line:column: what: what to do".
func (r Refusal) String() string {
	var b strings.Builder
	if r.Path != "" {
		// A path may come from a hostile folder: nothing in it reaches a terminal.
		b.WriteString(strings.Trim(fmt.Sprintf("%q", r.Path), `"`))
		if r.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", r.Line, r.Col)
		}
		b.WriteString(": ")
	}
	b.WriteString(r.What)
	if r.Do != "" {
		b.WriteString("; ")
		b.WriteString(r.Do)
	}
	return b.String()
}

// maxRefusals is how many are told at once: as many as a person mends before
// running it again.
const maxRefusals = 50

// Refusals is everything found wrong, by file and position. It is ErrRefused.
type Refusals []Refusal

// Error is one line per refusal.
func (rs Refusals) Error() string {
	var b strings.Builder
	b.WriteString(ErrRefused.Error())
	for i, r := range rs {
		if i == maxRefusals {
			fmt.Fprintf(&b, "\n… and %d more", len(rs)-i)
			break
		}
		b.WriteString("\n" + r.String())
	}
	return b.String()
}

// Unwrap makes errors.Is(err, ErrRefused) true.
func (rs Refusals) Unwrap() error { return ErrRefused }

func (rs Refusals) sort() {
	slices.SortStableFunc(rs, func(a, b Refusal) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.What, b.What))
	})
}

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// position is the line and column, both from 1, of a byte offset.
func position(text string, off int) (line, col int) {
	off = min(max(off, 0), len(text))
	line = 1 + strings.Count(text[:off], "\n")
	start := strings.LastIndexByte(text[:off], '\n') + 1
	return line, 1 + utf8.RuneCountInString(text[start:off])
}

// quote shortens a piece of source for a message and makes it printable.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
