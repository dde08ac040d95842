package sighting

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"forewarn/internal/token"
)

// Scanner says what to look for and what is known of the source. A Scanner may
// scan any number of streams, one after another or at once, but its fields are
// read at the first and must not change after.
type Scanner struct {
	Rec        *token.Recogniser // nil: no tokens
	Indicators []Indicator
	Rules      []Rule
	Texts      []Text   // embargoed; see Text for what is seen of them
	Public     [][]byte // what everybody knows, such as licences: its words are nobody's excerpt
	Clock      Clock

	// MaxLine is how many bytes of a line are read as one record, and of the
	// stream at once; 0 means 1 MiB. Longer lines are searched in pieces, whole, and reported. A scan's
	// memory is some tens of times MaxLine at worst.
	MaxLine int

	MaxExpand Expand // of gzip and zstd

	// AsItIs has nothing undone of the stream as a whole: it is a piece of one, and
	// somebody may have chosen the bytes it begins with.
	AsItIs bool

	once    sync.Once
	matcher *matcher
	quotes  *quotes // nil without texts
	always  []int32 // rules that every record is judged by
	reach   int     // from an escape to the far end of what it may change
	overlap int
	err     error
}

const (
	defaultMaxLine = 1 << 20
	leastMaxLine   = 1 << 12
	mostMaxLine    = 1 << 30
	quantum        = 256 << 10 // read at a time: stays in the second cache
	margin         = 128       // kept before a piece, so that its left bounds are seen
)

func (s *Scanner) prepare() {
	if s.MaxLine == 0 {
		s.MaxLine = defaultMaxLine
	}
	if s.err = s.Clock.check(); s.err != nil {
		return
	}
	if s.MaxLine < leastMaxLine || s.MaxLine > mostMaxLine || s.MaxExpand.Bytes < 0 || s.MaxExpand.Above < 0 || s.MaxExpand.Ratio < 0 {
		s.err = fmt.Errorf("%w: MaxLine is from %d to %d bytes, and no limit is negative", ErrScanner, leastMaxLine, mostMaxLine)
		return
	}
	for i, r := range s.Rules {
		if s.err = r.check(); s.err != nil {
			return
		}
		if len(r.Needles) == 0 {
			s.always = append(s.always, int32(i))
		}
	}
	for _, t := range s.Texts {
		if s.err = t.check(); s.err != nil {
			return
		}
	}
	s.quotes = newQuotes(s.Texts, s.Public)
	s.matcher, s.err = newMatcher(s.Indicators, s.Rules)
	longest := token.UUID.Len()
	for _, i := range s.Indicators {
		longest = max(longest, len(i.Value))
	}
	for _, r := range s.Rules {
		for _, n := range r.Needles {
			longest = max(longest, len(n))
		}
	}
	// One character may take 32 bytes: \u0026\u0023\u0036\u0035\u003b is an A. What
	// takes more is missed where the pieces of a long line meet.
	s.overlap = 32*longest + margin
	s.reach = longest + edge
	if s.quotes != nil {
		s.reach = max(s.reach, s.quotes.reach())
		s.overlap = max(s.overlap, 4*context)
	}
}

// Scan reads r to its end and calls emit for every sighting, in the order of
// the stream. It returns what it saw in any case. The error is emit's own,
// ErrInput when r fails (what came before was scanned), or ErrScanner when the
// Scanner's fields make no sense; whatever is wrong with the bytes is a Problem
// in the Summary. Compressed input is read in another goroutine, which has ended
// when Scan returns: after emit's own error, that is once the read under way is
// over.
//
// A sighting in a record that states no time lies between the nearest records
// before and after it that do, none more than 64 lines away, provided that
// these two are in order; otherwise its time is unknown. Such sightings, and
// those behind them, are held back until then.
func (s *Scanner) Scan(name string, r io.Reader, emit func(Sighting) error) (Summary, error) {
	if s.once.Do(s.prepare); s.err != nil {
		return Summary{}, s.err
	}
	p := &pass{Scanner: s, source: name, emit: emit, layout: plainText{}, values: map[string][]string{}}
	p.tokens = token.NewScanner(s.Rec, token.Plain, p.layers.run)
	p.written = token.NewScanner(s.Rec, asWritten, p.layers.write)
	p.layers.alone = len(s.matcher.patterns) == 0 && s.quotes == nil
	src := newSource(r, s.MaxExpand, s.AsItIs)
	p.src, p.sum.Undone, p.sum.Like = src, src.undone, src.like
	err := p.run(src)
	src.close()
	p.sum.Bytes = src.out
	for _, q := range src.problems {
		p.sum.Truncated = p.sum.Truncated || q.Class != ErrMalformed
		p.problem(q)
	}
	if errors.Is(err, io.ErrNoProgress) || src.in.err != nil && errors.Is(err, src.in.err) {
		p.sum.Truncated = true
		err = fmt.Errorf("%w after %d bytes, which were searched: %w", ErrInput, src.out, err)
	}
	return p.sum, err
}

// pass is one scan under way.
type pass struct {
	*Scanner
	source string
	src    *source
	emit   func(Sighting) error
	sum    Summary

	buf  []byte // from the start of a line, or of the piece of a long one
	base int64  // offset of buf[0] in the stream
	from int    // matches that start before it were already seen
	long *long  // the line that buf begins within; nil at a line's start

	decided bool
	layout  layout
	layers  layers
	room    batch
	tokens  *token.Scanner
	written *token.Scanner // the same, and the runs in which escapes stand
	hits    []hit
	full    int // as many hits are thinned
	wait    waiting

	noted  []span          // between two words that may be of a text
	met    []anchorHit     // in the text that is searched for quotes
	quoted []hit           // quotes, before those within others are taken out
	told   map[int32]int64 // to where in the stream the last quote of each text went

	candidates []int32
	values     map[string][]string
	firsts     []string // the first value of each field
	memo       map[any]any
	every      struct { // rules without needles, for one format
		of   Format
		list []int32
	}
}

// long is a line that came in pieces.
type long struct {
	time Interval // stated at its head
}

// run cuts the stream into whole lines, and lines above the limit into
// pieces. Whatever it reads is processed even when reading then fails. Lines that
// were left in the buffer are searched again when it has grown by an eighth: a long
// quote costs some nine times as much at most if it comes in small pieces, and what a
// slow source says waits for little more of it.
func (p *pass) run(src io.Reader) error {
	p.buf = make([]byte, 0, p.MaxLine+p.overlap+margin)
	end, left := 0, 0 // of the whole lines, and of what the last search of them left
	for idle := 0; ; {
		had := len(p.buf)
		n, err := src.Read(p.buf[had:min(had+quantum, cap(p.buf))])
		p.buf = p.buf[:had+n]
		if idle++; n > 0 {
			idle = 0
		} else if err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
		if i := bytes.LastIndexByte(p.buf[had:], '\n'); i >= 0 {
			end = had + i + 1
		}
		if end > 0 && (p.quotes == nil || len(p.buf) >= left+left/8 || len(p.buf) == cap(p.buf)) {
			if err := p.lines(end, false); err != nil {
				return err
			}
			end, left = 0, len(p.buf)
		}
		if len(p.buf) == cap(p.buf) {
			all := p.piece
			if i := bytes.LastIndexByte(p.buf, '\n'); i >= 0 {
				all = func() error { return p.lines(i+1, true) }
			}
			if err := all(); err != nil {
				return err
			}
			left = 0
		}
		if err != nil {
			if err := p.finish(); err != nil {
				return err
			}
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// drop forgets the first n bytes of the buffer.
func (p *pass) drop(n int) {
	p.base += int64(n)
	p.buf = p.buf[:copy(p.buf, p.buf[n:])]
}

// lines processes buf[:end], which ends in a newline or at the stream's end. If
// texts are looked for the last lines are left in the buffer, unless these are all
// that there will be, or all that there is room for.
func (p *pass) lines(end int, all bool) error {
	text := p.buf[:end]
	if p.search(text, p.from, end) < end {
		return p.dense(end, all)
	}
	if p.quotes != nil && !all {
		end = p.held(text)
		text = text[:end]
	}
	n := len(p.hits)
	for n > 0 && p.hits[n-1].from >= end {
		n--
	}
	hits := p.once(p.hits[:n])
	for a := 0; a < end; {
		if a = p.skim(text, a, hits); a == end {
			break
		}
		b, next := end, end
		if i := bytes.IndexByte(text[a:], '\n'); i >= 0 {
			b, next = a+i, a+i+1
		}
		n := 0
		for n < len(hits) && hits[n].from < next {
			n++
		}
		if err := p.line(text, a, b, hits[:n]); err != nil {
			return err
		}
		a, hits = next, hits[n:]
	}
	p.wait.chunk(p, text)
	p.drop(end)
	if end > 0 {
		p.from = 0
	}
	return nil
}

// dense processes lines that hold more than can be held at once: by halves, and
// one line as a long one.
func (p *pass) dense(end int, all bool) error {
	cut := bytes.LastIndexByte(p.buf[:end/2], '\n') + 1
	if cut == 0 {
		cut = bytes.IndexByte(p.buf[:end], '\n') + 1
	}
	if cut == 0 || cut == end {
		line := bytes.TrimSuffix(p.buf[:end], []byte("\n"))
		if err := p.lengthy(line, fmt.Sprintf("the line holds more than %d matches", mostHits)); err != nil {
			return err
		}
		if err := p.parts(line, len(line)); err != nil {
			return err
		}
		p.long = nil
		p.wait.chunk(p, p.buf[:end])
		p.drop(end)
		p.from = 0
		return nil
	}
	had := len(p.buf)
	for _, all := range []bool{false, true} {
		if err := p.lines(cut, all); err != nil {
			return err
		}
		if len(p.buf) < had {
			break
		}
	}
	return p.lines(end-(had-len(p.buf)), all)
}

// piece processes a full buffer without a newline, but for a margin in which
// a match may have only begun.
func (p *pass) piece() error {
	if err := p.lengthy(p.buf, fmt.Sprintf("the line is longer than %d bytes", p.MaxLine)); err != nil {
		return err
	}
	limit := len(p.buf) - p.overlap
	if err := p.parts(p.buf, limit); err != nil {
		return err
	}
	p.drop(limit - margin)
	p.from = margin
	return nil
}

// lengthy reads the head of a line that is searched in pieces, unless it was.
func (p *pass) lengthy(text []byte, what string) error {
	if p.long != nil {
		return nil
	}
	p.sum.Lines++
	p.sum.LongLines++
	body, lead := trim(text, p.base == 0)
	p.decide(body)
	p.long = &long{}
	if p.layout.isHeader(body) {
		p.layout.header(body)
	} else if len(body) > 0 {
		p.sum.Records++
		p.layout.advance(body)
		r, _ := p.layout.read(body, nil, p.Clock)
		p.long.time = r.time
	}
	p.problem(Problem{
		Line: p.sum.Lines, Offset: p.base + int64(lead), Class: ErrLong, What: what,
		Kept: "all of it is searched, only its head was read as a record",
	})
	if p.long.time.Known() {
		return p.wait.release(p, p.long.time)
	}
	return nil
}

// parts hands on what a long line holds up to a limit, as much at once as can be
// held. A rule judges whole records only.
func (p *pass) parts(text []byte, limit int) error {
	for upTo := p.from; upTo < limit; {
		upTo = p.search(text, upTo, limit)
		for _, h := range p.judge(p.once(p.hits), nil, 0) {
			if err := p.sight(text, 0, len(text), h, p.long.time, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish processes what is left when the stream has ended, and lets go of the
// sightings that waited for a neighbour.
func (p *pass) finish() error {
	if len(p.buf) > 0 {
		whole := p.sum.BadLines
		if err := p.lines(len(p.buf), true); err != nil {
			return err
		}
		p.sum.Truncated = p.sum.BadLines > whole
	}
	return p.wait.release(p, Interval{})
}

// skim passes over whole records from text[a] on in which nothing was seen and of
// which nothing is asked. It stops before a line that wants more care.
func (p *pass) skim(text []byte, a int, hits []hit) int {
	if !p.decided || p.sum.Format == Plain || p.long != nil || len(p.wait.list) > 0 || len(p.unasked()) > 0 {
		return a
	}
	until := len(text)
	if len(hits) > 0 {
		until = hits[0].from
	}
	for {
		i := bytes.IndexByte(text[a:until], '\n')
		if i < 0 {
			return a
		}
		if body, _ := trim(text[a:a+i], false); len(body) > 0 {
			if p.layout.isHeader(body) || p.layout.shape(body) != nil {
				return a
			}
			p.layout.advance(body)
			p.sum.Records++
		}
		p.sum.Lines++
		a += i + 1
	}
}

// line processes text[a:b], one line without its newline.
func (p *pass) line(text []byte, a, b int, hits []hit) error {
	if l := p.long; l != nil {
		p.long = nil
		for _, h := range p.judge(hits, nil, 0) {
			if err := p.sight(text, a, b, h, l.time, ""); err != nil {
				return err
			}
		}
		return nil
	}
	p.sum.Lines++
	body, lead := trim(text[a:b], p.sum.Lines == 1)
	p.decide(body)
	hits = p.judge(hits, body, a+lead)
	var r record
	if p.layout.isHeader(body) {
		p.wait.look(p, text[:a], p.sum.Lines-1) // the lines before have other fields
		if bad := p.layout.header(body); bad != nil {
			p.bad(a+lead, bad, false)
		}
	} else if len(body) > 0 {
		p.sum.Records++
		p.layout.advance(body)
		bad := p.layout.shape(body)
		if len(hits) > 0 || len(p.wait.list) > 0 {
			at := make([]int, len(hits))
			for i, h := range hits {
				at[i] = h.from - a - lead
			}
			var deep *damage
			if r, deep = p.layout.read(body, at, p.Clock); bad == nil {
				bad = deep
			}
		}
		if bad != nil {
			p.bad(a+lead, bad, r.time.Known())
		}
		if r.time.Known() {
			if err := p.wait.release(p, r.time); err != nil {
				return err
			}
		}
	}
	for i, h := range hits {
		field := ""
		if r.fields != nil && h.kind != rule {
			field = r.fields[i]
		}
		if err := p.sight(text, a, b, h, r.time, field); err != nil {
			return err
		}
	}
	return p.wait.line(p)
}

// bad notes a damaged record at the line under way.
func (p *pass) bad(at int, d *damage, timed bool) {
	p.sum.BadLines++
	kept := "it was searched as text"
	if timed {
		kept += ", and its time stands"
	}
	p.problem(Problem{Line: p.sum.Lines, Offset: p.base + int64(at+d.off), Class: ErrMalformed, What: d.Error(), Kept: kept})
}

func (p *pass) problem(q Problem) {
	if raw := p.src.raw.Load(); raw > 0 && q.Line > 0 && q.Offset >= raw-1 {
		return // it was said that this stands as it is
	}
	if len(p.sum.Problems) == MaxProblems {
		p.sum.Unlisted++
		return
	}
	p.sum.Problems = append(p.sum.Problems, q)
}

// sight makes a sighting of a hit in text[a:b] and hands it on, or has it wait
// for a neighbour's time.
func (p *pass) sight(text []byte, a, b int, h hit, when Interval, field string) error {
	from := min(max(a, h.from-(MaxExcerpt-min(h.to-h.from, MaxExcerpt))/2), h.from)
	to := min(b, from+MaxExcerpt)
	from = max(a, to-MaxExcerpt)
	s := Sighting{
		Observation: Observation{
			Source: p.source, Offset: p.base + int64(h.from), Line: p.sum.Lines, Len: h.to - h.from, Time: when,
		},
		What:    h.what(p.Scanner),
		Through: h.through,
		Field:   field,
		Excerpt: bytes.Clone(text[from:to]),
	}
	if when.Known() {
		s.Basis = Stated
		return p.out(s)
	}
	return p.wait.hold(p, s, text, a)
}

func (p *pass) out(s Sighting) error {
	p.sum.Sightings++
	return p.emit(s)
}
