package token

// shortest and longest are the lengths of tokens that a scan must find.
const (
	shortest = 22
	longest  = 36
)

// Byte classes of a scan. A token of any alphabet lies within one run of
// runByte; a word is a run of wordByte.
const (
	wordByte = 1 << iota // 0-9 A-Z a-z
	runByte              // these and the UUID's hyphen
)

var classOf = func() (c [256]uint8) {
	for _, b := range []byte(numerals62) {
		c[b] = wordByte | runByte
	}
	c['-'] = runByte
	return c
}()

// Scan finds every token in chunk and emits its offset, alphabet and L, in
// order. A token must stand alone: no ASCII letter or digit right before or
// after it. The chunk's ends count as such boundaries; for pieces of one text
// use a Stream.
//
// It looks at few bytes: a token is a run of at least 22, so that where every
// 22nd byte cannot be in a token, nothing else is read (the idea of Boyer and
// Moore, CACM 20, 1977). The cost doesn't depend on how many tokens were issued.
func Scan(r *Recogniser, chunk []byte, emit func(off int, a Alphabet, l uint64)) {
	(&scanner{Recogniser: r}).scan(chunk, 0, len(chunk), emit)
}

// Scanner is Scan for many texts with the same room to work in. It may also give
// the runs of at least 22 letters, digits and hyphens that it meets, each before
// the tokens in it: what is no token as it stands may be one in another writing,
// such as base64.
type Scanner struct{ scanner scanner }

// NewScanner makes a Scanner. With no Recogniser it gives the runs alone; runs
// may be nil.
func NewScanner(r *Recogniser, runs func(from, to int)) *Scanner {
	return &Scanner{scanner{Recogniser: r, runs: runs}}
}

// Scan is the function Scan.
func (s *Scanner) Scan(chunk []byte, emit func(off int, a Alphabet, l uint64)) {
	s.scanner.scan(chunk, 0, len(chunk), emit)
}

// scanner is a Recogniser with room to work in.
type scanner struct {
	*Recogniser
	work work
	runs func(from, to int) // nil, or told of each run
}

// scan emits the tokens of b that begin in [lo, hi). A byte before lo is only
// looked at as a boundary.
func (s *scanner) scan(b []byte, lo, hi int, emit func(int, Alphabet, uint64)) {
	// No token begins before lo, and all of [lo, known) is in one run.
	known := lo
	for p := lo + shortest - 1; p < len(b); {
		k := p
		for k >= known && classOf[b[k]]&runByte != 0 {
			k--
		}
		if k >= known {
			lo, known, p = k+1, p+1, k+shortest
			continue
		}
		end := p + 1
		for end < len(b) && classOf[b[end]]&runByte != 0 {
			end++
		}
		if s.runs != nil {
			s.runs(lo, end)
		}
		if s.Recogniser != nil {
			s.run(b, lo, end, hi, emit)
		}
		lo, known, p = end+1, end+1, end+shortest
		if lo >= hi {
			return
		}
	}
}

// run emits the tokens in one run, b[start:end].
func (s *scanner) run(b []byte, start, end, hi int, emit func(int, Alphabet, uint64)) {
	for i := start; i < end; {
		word := i
		for i < end && classOf[b[i]]&wordByte != 0 {
			i++
		}
		a := Alphabet(0)
		switch i - word {
		case 32:
			a = Hex
		case 22:
			a = Base62
		case 8: // of a UUID; its parts are checked when it is read
			if last := word + UUID.Len(); last <= end && (last == end || b[last] == '-') {
				a = UUID
			}
		}
		if a != 0 && word < hi && (word == 0 || classOf[b[word-1]]&wordByte == 0) {
			if l, ok := alphabets[a].decode(s.Recogniser, b[word:word+a.Len()], &s.work); ok {
				emit(word, a, l)
				i = word + a.Len()
			}
		}
		i++ // the hyphen
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
	return &Stream{scanner: scanner{Recogniser: r}, emit: emit, buf: make([]byte, 0, streamBuffer)}
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
