package coordinator

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

// Spot is one thing that a source showed, at one place.
type Spot struct {
	Clue     cvd.Clue  `json:"clue"`
	Value    string    `json:"value"` // TokenText, or what was looked for
	From, To time.Time `json:"-"`     // zero: unknown
	Offset   uint64    `json:"offset"`
	End      uint64    `json:"-"`              // behind its last byte; 0: one byte on
	Line     int64     `json:"line,omitempty"` // from 1; 0: not known
	Field    string    `json:"field,omitempty"`
	Excerpt  []byte    `json:"excerpt,omitempty"` // raw bytes; none: somebody's word

	Only []cvd.CaseID `json:"-"` // the cases that it can be of; none: any
}

// SpotOf is a sighting of package sighting as a Spot.
func SpotOf(s sighting.Sighting) Spot {
	out := Spot{From: s.Time.From, To: s.Time.To, Offset: uint64(s.Offset), End: uint64(s.Offset + int64(s.Len)), Line: s.Line, Field: s.Field, Excerpt: s.Excerpt}
	switch w := s.What; {
	case w.IsToken():
		out.Clue, out.Value = cvd.Token, TokenText(w.Token.L)
	case w.Quote.Words > 0:
		// A longer excerpt, or one from elsewhere in the text, is another thing: else a
		// few words that somebody planted would keep quiet about all of it.
		out.Clue, out.Value = cvd.Text, fmt.Sprintf("%s#%d.%d", w.Quote.Ref, w.Quote.From/48, bits.Len(uint(w.Quote.Words/sighting.MinWords)))
	case w.Rule.Ref != "":
		out.Clue, out.Value = cvd.Rule, w.Rule.Ref
	default:
		out.Clue, out.Value = cvd.Indicator, w.Indicator.Kind.String()+":"+w.Indicator.Value
	}
	return out
}

// Stretch is the bytes of a file that spots come from.
type Stretch struct {
	Path       string
	Head       []byte // the file's first bytes, at most 1,024, as it is now: by them the log knows it again
	Begin, End uint64
	Left       Left
}

// Left is the files of a name, by the log's numbers, that a reader has read
// through: the one that it reads now is none of these, also if it begins alike.
type Left map[cvd.CaseID][]uint64

// ReadTo is how far the log says that a file of a name was read.
type ReadTo struct {
	Generation uint64
	Head       uint32 // bytes at the file's beginning that HeadHash is of
	HeadHash   [32]byte
	Offset     uint64
}

// Group is the spots of one thing in a stretch, as they are recorded.
type Group struct {
	Spot  // the first by place, with the first time of all; one without a time leaves that unknown
	Count uint32
	ID    cvd.SightingID `json:"sighting"`
	Tag   cvd.Tag        `json:"-"`
}

// batchText is the detail of a batch of sightings. An inquiry reads it as a Seen.
type batchText struct {
	Seen
	Path    string  `json:"path,omitempty"`
	Spots   []Group `json:"spots"`
	Dropped int     `json:"dropped,omitempty"`
}

// Batch is what a reader has to record: the spots of a stretch, in order, each for
// those of the cases that it may belong to.
type Batch struct {
	Source cvd.SourceID
	Cases  []cvd.CaseID
	At     *Stretch // nil: not of a file that is read on
	Spots  []Spot
}

// Recorded says what was recorded of a batch in one case.
type Recorded struct {
	Case    cvd.CaseID `json:"case"`
	Rows    int        `json:"rows"`
	Times   int        `json:"sightings"`
	Dropped int        `json:"dropped,omitempty"`
	Effect  cvd.Effect `json:"-"` // the greatest
}

// Record puts a batch on the log, for all of its cases in one append. What was
// recorded before, of the same bytes, isn't recorded again: so a reader that was
// killed before it heard that its batch is durable can bring it again.
func (d *Desk) Record(ctx context.Context, by cvd.Actor, b Batch) ([]Recorded, error) {
	var all []cvd.Command
	var out []Recorded
	staged := false
	for _, id := range b.Cases {
		q, n, err := d.recordOf(ctx, by, b, id)
		if err != nil {
			return nil, err
		}
		if q == nil {
			continue
		}
		staged = true
		all, out = append(all, *q), append(out, n)
	}
	if !staged {
		return nil, nil
	}
	if err := d.Blobs.Sync(ctx); err != nil {
		return nil, err
	}
	sealed, err := d.Do(ctx, by, all...)
	if err != nil {
		return nil, plain(err)
	}
	for i := range sealed {
		body, err := cvd.DecodeBody(sealed[i].Entry.Kind, sealed[i].Entry.Body)
		if err != nil {
			return nil, err
		}
		for _, row := range body.(*cvd.SightingsRecorded).Seen {
			out[i].Effect = max(out[i].Effect, row.Effect)
		}
	}
	return out, nil
}

// recordOf is the command that records a batch in one case, its detail staged; nil
// when there is nothing new to record.
func (d *Desk) recordOf(ctx context.Context, by cvd.Actor, b Batch, id cvd.CaseID) (*cvd.RecordSightings, Recorded, error) {
	q := &cvd.RecordSightings{Case: id, Source: b.Source}
	n := Recorded{Case: id}
	spots := b.Spots
	if at := b.At; at != nil {
		var err error
		if q.Stream, err = d.StreamID(b.Source, at.Path); err != nil {
			return nil, n, err
		}
		head := at.Head[:min(uint64(len(at.Head)), at.End)]
		q.Head, q.HeadHash, q.Begin, q.End = uint32(len(head)), sha256.Sum256(head), at.Begin, at.End
	}
	var name string
	spots = slices.DeleteFunc(slices.Clone(spots), func(s Spot) bool { return len(s.Only) > 0 && !slices.Contains(s.Only, id) })
	err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActRecordSighting, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		s, ok := p.Sources[b.Source]
		if !ok {
			return fmt.Errorf("%w: there is no such source", ErrUnknown)
		}
		name = d.named(ctx, ProgrammeKey, s.Name)
		if b.At == nil {
			return nil
		}
		files := p.Cases[id].Files(q.Stream)
		switch read := b.At.among(files, id); {
		case read == nil:
			q.Generation = 1
			for _, f := range files {
				q.Generation = max(q.Generation, f.Generation+1)
			}
		case read.Offset >= q.End:
			spots = nil
		default:
			if q.Generation = read.Generation; read.Offset > q.Begin {
				q.Begin = read.Offset
				spots = slices.DeleteFunc(spots, func(s Spot) bool { return max(s.End, s.Offset+1) <= read.Offset })
			}
		}
		return nil
	})
	if err != nil || len(spots) == 0 {
		return nil, n, err
	}
	text, err := d.group(spots, id)
	if err != nil {
		return nil, n, err
	}
	n.Times = len(spots)
	err = d.View(func(p *cvd.Programme) error {
		text.Spots, q.Dropped = withinQuota(text.Spots, p.EffectOf(id, b.Source, d.at(p)), int(p.QuotaLeft(id, b.Source, d.at(p))))
		return nil
	})
	if err != nil {
		return nil, n, err
	}
	text.Dropped, n.Rows, n.Dropped = int(q.Dropped), len(text.Spots), int(q.Dropped)
	text.Source, text.What = name, fmt.Sprintf("%d sightings", n.Times)
	if b.At != nil {
		text.Path = b.At.Path
	}
	for i := range text.Spots {
		g := &text.Spots[i]
		if g.Clue == cvd.Token && len(g.Excerpt) > 0 {
			text.Tokens = append(text.Tokens, g.Value)
		}
		q.Seen = append(q.Seen, g.row())
	}
	if n.Rows > 0 {
		if q.Detail, err = d.stageText(ctx, CaseKey(id), text); err != nil {
			return nil, n, err
		}
	}
	return q, n, nil
}

// maxRows bounds one batch; its detail stays under 1 MiB.
const maxRows = 512

func (g *Group) row() cvd.SeenRow {
	return cvd.SeenRow{Sighting: g.ID, Clue: g.Clue, Tag: g.Tag, From: g.From, To: g.To, Count: g.Count, Bytes: len(g.Excerpt) > 0}
}

// withinQuota keeps what is described, and counts the rest. New tokens come first
// and always, then other new things while the quota lasts, the first whether it
// does or not, since what is described is what calls. What calls nobody takes the
// room that is left.
func withinQuota(all []Group, effectOf func(*cvd.SeenRow) cvd.Effect, left int) (kept []Group, dropped uint32) {
	var by [4][]Group
	for _, g := range all {
		row := g.row()
		rank := 3 // known, or dismissed
		switch e := effectOf(&row); {
		case e == cvd.Repeats || e == cvd.Suppressed:
		case g.Clue == cvd.Token:
			rank = 0
		case left > 0 || len(by[0])+len(by[1]) == 0:
			rank = 1
			left--
		default:
			rank = 2
		}
		by[rank] = append(by[rank], g)
	}
	kept = slices.Concat(by[0], by[1], by[3])
	over := slices.Concat(kept[min(len(kept), maxRows):], by[2])
	for _, g := range over {
		dropped += g.Count
	}
	kept = kept[:min(len(kept), maxRows)]
	slices.SortStableFunc(kept, func(a, b Group) int { return cmp.Compare(a.Offset, b.Offset) })
	return kept, dropped
}

// group puts equal things together, in the order in which they first stand.
func (d *Desk) group(spots []Spot, id cvd.CaseID) (text batchText, err error) {
	key, err := d.key(CaseKey(id), true)
	if err != nil {
		return text, err
	}
	at := map[cvd.Tag]int{}
	for _, s := range spots {
		tag := tagOf(key, s.Clue, s.Value)
		i, had := at[tag]
		if !had {
			g := Group{Spot: s, Count: 1, Tag: tag}
			if g.ID, err = NewID[cvd.SightingID](d); err != nil {
				return text, err
			}
			at[tag] = len(text.Spots)
			text.Spots = append(text.Spots, g)
			continue
		}
		g := &text.Spots[i]
		g.Count++
		if g.From.IsZero() || s.From.IsZero() {
			g.From, g.To = time.Time{}, time.Time{} // either may have been the first
		} else {
			first := sighting.First([]sighting.Sighting{dated(g.Spot), dated(s)})
			g.From, g.To = first.From, first.To
		}
		if len(g.Excerpt) == 0 {
			g.Excerpt = s.Excerpt
		}
	}
	return text, nil
}

func dated(s Spot) sighting.Sighting {
	return sighting.Sighting{Observation: sighting.Observation{Time: sighting.Interval{From: s.From, To: s.To}}}
}

// tagOf is HMAC-SHA256 under a case's key of "forewarn tag v1\n", the clue and the
// value, cut to 16 bytes. It goes with the key: who has neither key nor value
// learns only which rows are of one thing.
func tagOf(key []byte, clue cvd.Clue, value string) cvd.Tag {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("forewarn tag v1\n"))
	m.Write([]byte{byte(clue)})
	m.Write([]byte(value))
	return cvd.Tag(m.Sum(nil)[:16])
}

// StreamID names a path of a source in the log, where paths don't stand: they may
// be telling.
func (d *Desk) StreamID(source cvd.SourceID, path string) (cvd.StreamID, error) {
	key, err := d.key(ProgrammeKey, true)
	if err != nil {
		return cvd.StreamID{}, err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte("forewarn stream v1\n"))
	m.Write(source[:])
	m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(path))))
	m.Write([]byte(path))
	return cvd.StreamID(m.Sum(nil)[:16]), nil
}

// among is the one of a name's files that this is of, the last that begins as it
// does and wasn't left; nil when it is new. Whoever reads may have another number
// for it: two who read one path need not have begun at the same file.
func (s *Stretch) among(files []*cvd.ReadTo, id cvd.CaseID) *cvd.ReadTo {
	hashes := map[uint32][32]byte{}
	for _, f := range slices.Backward(files) {
		if f.Head > uint32(len(s.Head)) || slices.Contains(s.Left[id], f.Generation) {
			continue
		}
		if _, had := hashes[f.Head]; !had {
			hashes[f.Head] = sha256.Sum256(s.Head[:f.Head])
		}
		if hashes[f.Head] == f.HeadHash {
			return f
		}
	}
	return nil
}

// Leave notes in left, for each of the cases, which file of its name it is that a
// reader has read through.
func (d *Desk) Leave(source cvd.SourceID, path string, head []byte, cases []cvd.CaseID, left Left) error {
	stream, err := d.StreamID(source, path)
	if err != nil {
		return err
	}
	at := Stretch{Head: head, Left: left}
	return d.View(func(p *cvd.Programme) error {
		for _, id := range cases {
			if f := at.among(p.Cases[id].Files(stream), id); f != nil {
				left[id] = append(left[id], f.Generation)
			}
		}
		return nil
	})
}

// ReadSoFar is how far the log says that a path of a source was read, for each of
// the cases where it says so: least first.
func (d *Desk) ReadSoFar(source cvd.SourceID, path string, cases []cvd.CaseID) (out []ReadTo, err error) {
	stream, err := d.StreamID(source, path)
	if err != nil {
		return nil, err
	}
	err = d.View(func(p *cvd.Programme) error {
		for _, id := range cases {
			if r := p.Cases[id].Read[stream]; r != nil {
				out = append(out, ReadTo{r.Generation, r.Head, r.HeadHash, r.Offset})
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b ReadTo) int {
		return cmp.Or(cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Offset, b.Offset))
	})
	return out, err
}

// WatchedCases are those that something can leak of before its time: they are not
// released, and a wave of them is sealed.
func (d *Desk) WatchedCases(by cvd.Actor) (out []cvd.CaseID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		for _, id := range p.CaseOrder {
			phase := p.PhaseOf(id, now)
			if phase != cvd.PhaseEarly && phase != cvd.PhaseEmbargoed || p.May(by, cvd.ActRecordSighting, cvd.ACase(id), now) != nil {
				continue
			}
			if slices.ContainsFunc(p.Cases[id].Waves, func(w cvd.WaveID) bool { return p.Waves[w].Statement != nil }) {
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}

// Report puts on the log what somebody says was seen, without the bytes.
func (d *Desk) Report(ctx context.Context, by cvd.Actor, source cvd.SourceID, id cvd.CaseID, what string, from, to time.Time) (Recorded, error) {
	out, err := d.Record(ctx, by, Batch{Source: source, Cases: []cvd.CaseID{id}, Spots: []Spot{{Clue: cvd.Text, Value: what, From: from, To: to}}})
	if err != nil || len(out) == 0 {
		return Recorded{}, err
	}
	return out[0], nil
}
