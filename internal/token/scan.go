package token

import "forewarn/internal/ascii"

// shortest and longest are the lengths of tokens that a scan must find.
const (
	shortest = 22
	longest  = 36
)

// word reports whether a byte is one that a token doesn't stand beside: 0-9 A-Z
// a-z.
func word(c byte) bool { return ascii.Words.Has(c) }

// Plain is what tokens are of: a token of any alphabet lies within one run of these.
var Plain = SetWith("")

// SetWith is the letters, digits and hyphens that tokens are of, and further bytes of
// ASCII.
func SetWith(also string) *ascii.Set { return ascii.NewSet(numerals62 + "-" + also) }

// Scan finds every token in chunk and emits its offset, alphabet and L, in
// order. A token must stand alone: no ASCII letter or digit right before or
// after it. The chunk's ends count as such boundaries; for pieces of one text
// use a Stream.
//
// The cost doesn't depend on how many tokens were issued.
func Scan(r *Recogniser, chunk []byte, emit func(off int, a Alphabet, l uint64)) {
	(&scanner{Recogniser: r, of: Plain}).scan(chunk, 0, len(chunk), emit)
}

// Scanner is Scan for many texts with the same room to work in. It may also give
// the runs of at least 22 letters, digits and hyphens that it meets, each before
// the tokens in it: what is no token as it stands may be one in another writing,
// such as base64 or with escapes.
type Scanner struct{ scanner scanner }

// NewScanner makes a Scanner. With no Recogniser it gives the runs alone; runs
// may be nil. Runs are of the set, whose further bytes part words.
func NewScanner(r *Recogniser, of *ascii.Set, runs func(from, to int)) *Scanner {
	return &Scanner{scanner{Recogniser: r, of: of, runs: runs}}
}

// Scan is the function Scan.
func (s *Scanner) Scan(chunk []byte, emit func(off int, a Alphabet, l uint64)) {
	s.scanner.scan(chunk, 0, len(chunk), emit)
}

// scanner is a Recogniser with room to work in.
type scanner struct {
	*Recogniser
	of   *ascii.Set
	work work
	runs func(from, to int) // nil, or told of each run
}

// scan emits the tokens of b that begin in [lo, hi). A byte before lo is only
// looked at as a boundary.
func (s *scanner) scan(b []byte, lo, hi int, emit func(int, Alphabet, uint64)) {
	eachRun(s.of, b[lo:], func(from, to int) {
		from, to = lo+from, lo+to
		if s.runs != nil {
			s.runs(from, to)
		}
		if s.Recogniser != nil {
			s.run(b, from, to, hi, emit)
		}
	})
}

// run emits the tokens in one run, b[start:end].
func (s *scanner) run(b []byte, start, end, hi int, emit func(int, Alphabet, uint64)) {
	for i := start; i < end; {
		from := i
		for i < end && word(b[i]) {
			i++
		}
		a := Alphabet(0)
		switch i - from {
		case 32:
			a = Hex
		case 22:
			a = Base62
		case 8: // of a UUID; its parts are checked when it is read
			if last := from + UUID.Len(); last <= end && (last == end || !word(b[last])) {
				a = UUID
			}
		}
		if a != 0 && from < hi && (from == 0 || !word(b[from-1])) {
			if l, ok := alphabets[a].decode(s.Recogniser, b[from:from+a.Len()], &s.work); ok {
				emit(from, a, l)
				i = from + a.Len()
			}
		}
		i++ // what parts words
	}
}

const streamBuffer = 1 << 16

// Stream is Scan over a text that comes in pieces, however they are cut. It
// keeps no more of the text than its buffer of 64 KiB.
type Stream struct {
	scanner scanner
	emit    func(off int64, a Alphabet, l uint64)
	buf     []byte
	lo      int   // where in buf the first undecided byte is; 0 or 1
	base    int64 // offset of buf[0] in the text
}

// NewStream makes a Stream; offsets are from the first byte written.
func NewStream(r *Recogniser, emit func(off int64, a Alphabet, l uint64)) *Stream {
	return &Stream{scanner: scanner{Recogniser: r, of: Plain}, emit: emit, buf: make([]byte, 0, streamBuffer)}
}

// Write takes the next piece. It never fails, and keeps no reference to it.
// Tokens are emitted whenever the buffer is full: those of the last 64 KiB may
// wait for more, or for Close.
func (s *Stream) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), cap(s.buf)-len(s.buf))
		s.buf, rest = append(s.buf, rest[:n]...), rest[n:]
		if len(s.buf) < cap(s.buf) {
			break
		}
		// A token is decided when the byte after the longest is in sight.
		// What isn't is kept, with the byte before it for its boundary.
		hi := len(s.buf) - longest
		s.advance(hi)
		s.base += int64(hi - 1)
		s.buf, s.lo = s.buf[:copy(s.buf, s.buf[hi-1:])], 1
	}
	return len(p), nil
}

// Close says that the text has ended, and emits what that decides. The Stream
// may then be written to again, as a new text.
func (s *Stream) Close() error {
	s.advance(len(s.buf))
	s.buf, s.lo, s.base = s.buf[:0], 0, 0
	return nil
}

func (s *Stream) advance(hi int) {
	s.scanner.scan(s.buf, s.lo, hi, func(off int, a Alphabet, l uint64) { s.emit(s.base+int64(off), a, l) })
}
