package sighting

import "bytes"

// waiting holds sightings whose record states no time, until the next record
// that does. What is known of the record before them is kept with it.
type waiting struct {
	list []held
	left int // lines that may still pass

	seen     int64    // no line up to this one need be read again for its time
	seenTime Interval // of the last of them that states one
	seenAt   int64    // and its line
}

type held struct {
	Sighting
	before Interval
}

const (
	reach   = 64  // lines on either side in which a neighbour counts
	maxHeld = 256 // sightings that may wait; above it they go without a time
)

// hold keeps a sighting in the line that begins at text[a].
func (w *waiting) hold(p *pass, s Sighting, text []byte, a int) error {
	if len(w.list) == maxHeld {
		if err := w.release(p, Interval{}); err != nil {
			return err
		}
	}
	if len(w.list) == 0 {
		w.left = reach
	}
	w.look(p, text[:a], p.sum.Lines-1)
	h := held{Sighting: s}
	if s.Line-w.seenAt <= reach {
		h.before = w.seenTime
	}
	w.list = append(w.list, h)
	return nil
}

// look reads backwards from the end of text, which ends with line last, until
// a line states a time. It reads no line twice in a scan.
func (w *waiting) look(p *pass, text []byte, last int64) {
	n := last
	for ; n > w.seen && n > last-reach && len(text) > 0; n-- {
		text = bytes.TrimSuffix(text, []byte("\n"))
		a := bytes.LastIndexByte(text, '\n') + 1
		if a == 0 && p.from > 0 {
			break // the tail of a long line
		}
		body, _ := trim(text[a:], n == 1)
		if r, _ := p.layout.read(body, nil, p.Clock); r.time.Known() {
			w.seenTime, w.seenAt = r.time, n
			break
		}
		text = text[:a]
	}
	w.seen = max(w.seen, last)
}

// forget has the lines before the one under way be no neighbours.
func (w *waiting) forget(p *pass) { w.seen, w.seenTime = p.sum.Lines-1, Interval{} }

// chunk remembers the last time in text, which the next chunk may need.
func (w *waiting) chunk(p *pass, text []byte) { w.look(p, text, p.sum.Lines) }

// line counts a line that has passed.
func (w *waiting) line(p *pass) error {
	if len(w.list) == 0 {
		return nil
	}
	if w.left--; w.left < 0 {
		return w.release(p, Interval{})
	}
	return nil
}

// release lets go of what waits: after is the time of the record behind it, or
// unknown.
func (w *waiting) release(p *pass, after Interval) error {
	list := w.list
	w.list = w.list[:0]
	for _, h := range list {
		if h.before.Known() && after.Known() && !h.before.From.After(after.To) {
			h.Time, h.Basis = Interval{h.before.From, after.To}, Neighbours
		}
		if err := p.out(h.Sighting); err != nil {
			return err
		}
	}
	return nil
}
