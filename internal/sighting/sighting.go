// Package sighting finds what was planted, and what was shared, in telemetry.
//
// Telemetry is what sensors and servers wrote down while nobody was looking:
// Suricata's EVE records and Zeek's, the logs of a web server, syslog. If a
// package leaks and is used, the token that one copy carried, or an indicator of
// the attack, stands somewhere in there. A Scanner reads such a stream once,
// front to back, a chunk at a time, and calls back for every Sighting: what was
// seen, exactly where in the stream, and when.
//
// How data passes through: bytes come from a reader. Compression (gzip and zstd,
// told by their magic, three deep) is undone, and UTF-16 that begins with its
// mark turned into UTF-8; every position is in the text that comes out. It is cut
// into lines, and searched as bytes. Only a line that holds a hit is parsed as a
// record, by the layout of the format that the stream turned out to be in.
//
// What holds encodings is searched again with these undone, five deep: escapes
// behind a backslash, percent signs, HTML's references, and base64 in runs of at
// least 22 letters, digits and hyphens of which 16 bytes in a row come out as
// ASCII text. What is found there is traced back to the bytes it came from. At
// most 16 bytes are decoded for each byte of an encoded stretch, so that nobody buys
// work with nesting. Base64 of UTF-16 is seen through where 16 characters of ASCII in a
// row come out. Base64 broken over lines is undone line by line.
//
// Embargoed texts are looked for by few of their words; where one stands, the
// words around it are read against all copies at once (see Text). An excerpt may
// run over lines, in a log too, and so the last lines of a chunk wait for the next.
//
// Scanning never stops at a damaged line: a Problem says where, what was wrong
// and what was kept, and the scan goes on.
//
// Times are intervals. A record says when in its own clock, to its own
// granularity, perhaps in a doubtful time zone, often only once the request
// was over; a record may say nothing, or something that cannot be. Syslog leaves
// out the year. Clock declares what is known of the source, and every sighting's
// time is the whole range of instants that is left.
//
// What not to use it for. A first sighting is not the time of a leak: it says
// that the material was out by then, and never since when (see Timeline). A
// sighting of an indicator accuses nobody. Excerpts are raw bytes an attacker
// chose: show them through Printable only. And the reader of records is made to
// find a time and a field's name, not to hand JSON to a program.
package sighting

import (
	"errors"
	"fmt"
	"strings"

	"forewarn/internal/token"
)

// Observation is a range of bytes in a source, and when they were written
// about.
type Observation struct {
	Source string   // as the caller named it
	Offset int64    // of the first byte of the match, from 0, in the text: decompressed, and in UTF-8
	Line   int64    // from 1
	Len    int      // bytes of the match as they stand in the text, encodings and all
	Time   Interval // unknown if Basis is NoTime
	Basis  Basis
}

// Basis says where an observation's time comes from.
type Basis uint8

const (
	NoTime     Basis = iota // nothing bounds it
	Stated                  // the record states it
	Neighbours              // the record states none; the records before and after it do
)

func (b Basis) String() string {
	return [...]string{"no time", "stated", "between neighbours"}[min(b, 2)]
}

// Token is a recognised token: the identity it opens to and how it was
// written. L is looked up among the tokens issued; recognising alone says only
// that a programme's key made it.
type Token struct {
	L        uint64
	Alphabet token.Alphabet
}

// What was seen. One of the fields is set; the others are zero.
type What struct {
	Token     Token
	Indicator Indicator
	Quote     Quote
	Rule      RuleRef
}

// Quote is an excerpt of an embargoed text.
type Quote struct {
	Ref   string // of the Text
	Words int    // how many of its words stand there in one run
	From  int    // index of the first in the text
}

// RuleRef names a rule that holds for a record.
type RuleRef struct{ Ref string }

// IsToken reports whether it is a token.
func (w What) IsToken() bool { return w.Token.Alphabet != 0 }

// Kind says what it is in a word: token, text, rule, or the indicator's kind.
func (w What) Kind() string {
	switch {
	case w.IsToken():
		return "token"
	case w.Quote.Words > 0:
		return "text"
	case w.Rule.Ref != "":
		return "rule"
	}
	return w.Indicator.Kind.String()
}

// Encoding is the set of encodings that were undone to see something.
type Encoding uint8

const (
	JSON    Encoding = 1 << iota // \u0041 and its kin
	Percent                      // %41
	Twice                        // %2541: percent-encoded twice, or more often
	Entity                       // &#65; and &amp; of HTML
	Hex                          // \x41, as Apache, nginx and Zeek write it
	Base64                       // QQ==
)

func (e Encoding) String() string {
	var out []string
	for _, row := range []struct {
		bit  Encoding
		name string
	}{{Base64, "in base64"}, {Twice, "percent-encoded twice"}, {Percent, "percent-encoded"}, {Entity, "HTML-escaped"}, {Hex, "hex-escaped"}, {JSON, "JSON-escaped"}} {
		if e&row.bit != 0 && !(row.bit == Percent && e&Twice != 0) {
			out = append(out, row.name)
		}
	}
	if out == nil {
		return "as it stands"
	}
	return strings.Join(out, " and ")
}

// Sighting is one thing seen at one place. The same request may be written
// down several times (Suricata repeats a request in the record of its file);
// each is a sighting, and none of them is independent of the others.
type Sighting struct {
	Observation
	What    What
	Through Encoding
	Field   string // the record's field, such as "http.url" or "cs-uri-query"; empty where it can't be told
	Excerpt []byte // at most MaxExcerpt raw bytes of the line around the match; hostile: see Printable
}

// MaxExcerpt is the most bytes of a line that a sighting carries.
const MaxExcerpt = 256

// Summary is what one scan saw, whether or not it came to the end.
type Summary struct {
	Format    Format
	Undone    []string // what was undone to read the text, outermost first: "gzip", "zstd", "UTF-16"
	Like      string   // what it begins like, with Scanner.AsItIs: one of these, or nothing
	Bytes     int64    // of text, scanned
	Lines     int64    // begun; the last one needs no newline
	Records   int64    // lines that look like a record of the format
	BadLines  int64    // lines that should be a record and are none; scanned all the same
	LongLines int64    // lines above MaxLine: scanned in pieces
	Sightings int64
	Truncated bool // the stream ended early: what came before was scanned
	Problems  []Problem
	Unlisted  int64 // problems above MaxProblems, counted only
}

// MaxProblems is how many problems a Summary lists.
const MaxProblems = 100

// Problem is something wrong with the input, and what became of it.
type Problem struct {
	Line   int64 // from 1; 0 when it isn't about a line
	Offset int64 // in the decompressed stream
	Class  error // one of the classes below
	What   string
	Kept   string
}

func (p Problem) String() string {
	at := fmt.Sprintf("byte %d", p.Offset)
	if p.Line > 0 {
		at = fmt.Sprintf("line %d, byte %d", p.Line, p.Offset)
	}
	return fmt.Sprintf("%s: %s; %s", at, p.What, p.Kept)
}

// Classes of problems and errors.
var (
	ErrTruncated = errors.New("the input ends early")       // fetch the source again, or take what was kept
	ErrBomb      = errors.New("the input expands too much") // raise Expand if the source is trusted
	ErrLong      = errors.New("the line is too long")       // scanned in pieces; nothing to do
	ErrMalformed = errors.New("not a record of its format") // scanned as text; its time may be unknown
	ErrScanner   = errors.New("the scanner can't be used")  // correct its fields
	ErrInput     = errors.New("reading the input failed")   // the reader's own error is wrapped
)
