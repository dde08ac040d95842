package token

// Scan finds every token in chunk and emits its offset, alphabet and L, in
// order. A token must stand alone: no ASCII letter or digit right before or
// after it. The chunk's ends count as such boundaries; for pieces of one text
// use a Stream.
func Scan(r *Recogniser, chunk []byte, emit func(off int, a Alphabet, l uint64)) {
	isWord := func(i int) bool {
		if i < 0 || i >= len(chunk) {
			return false
		}
		c := chunk[i]
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for i := range chunk {
		for a := Hex; a < end; a++ {
			if n := a.Len(); i+n <= len(chunk) && !isWord(i-1) && !isWord(i+n) {
				if l, ok := a.Recognise(r, string(chunk[i:i+n])); ok {
					emit(i, a, l)
				}
			}
		}
	}
}

// Stream is Scan over a text that comes in pieces, however they are cut.
type Stream struct {
	rec   *Recogniser
	emit  func(off int64, a Alphabet, l uint64)
	whole []byte
}

// NewStream makes a Stream; offsets are from the first byte written.
func NewStream(r *Recogniser, emit func(off int64, a Alphabet, l uint64)) *Stream {
	return &Stream{rec: r, emit: emit}
}

// Write takes the next piece. It never fails and keeps no reference to it.
func (s *Stream) Write(p []byte) (int, error) {
	s.whole = append(s.whole, p...)
	return len(p), nil
}

// Close says that the text has ended.
func (s *Stream) Close() error {
	Scan(s.rec, s.whole, func(off int, a Alphabet, l uint64) { s.emit(int64(off), a, l) })
	return nil
}
