package sighting

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"forewarn/internal/token"
)

// A text that says the same seven words over and over, beside a public one of 4,000
// words, costs a log of these words no more than its length, whether the words go
// on there as they do in the text, break off too early to count, or are public.
func TestRepetitionIsReadOnce(t *testing.T) {
	phrase := "alpha1 bravo2 charlie3 delta4 echoes5 foxtrot6 golfing7 "
	var public strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&public, "common%d ", i*7919%1000)
	}
	for name, c := range map[string]struct {
		public string
		row    string
		seen   int
	}{
		"goes on":    {public.String(), phrase, 3},
		"breaks off": {public.String(), phrase + "otherwise ", 0},
		"alternates": {public.String(), phrase + phrase[:21] + " otherwise ", 0},
		"public":     {public.String() + strings.Repeat(phrase, 3), phrase, 0},
	} {
		text := strings.Repeat(phrase, 3000)
		s := &Scanner{Texts: []Text{{Ref: "a", Parts: []Part{{Alternatives: [][]byte{[]byte(text)}}}}}, Public: [][]byte{[]byte(c.public)}}
		log := bytes.Repeat([]byte(c.row), 8000)
		began := time.Now()
		got, _ := scan(t, s, bytes.NewReader(log))
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%s: %d bytes took %s", name, len(log), took)
		}
		if len(got) != c.seen {
			t.Errorf("%s: %d sightings, want %d: %+v", name, len(got), c.seen, firstOf(got))
		}
	}
}

// Of two ways to lay an excerpt on a text the longer one is told, also when an anchor
// that only the shorter one has is met first.
func TestLongerOnTheLeft(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a ", n) }
	text := Text{Ref: "x", Parts: []Part{
		{Token: token.Hex},
		{Alternatives: [][]byte{[]byte(a(13) + "viewstate "), []byte("a viewstate ")}},
		{Alternatives: [][]byte{nil, []byte(a(9) + "overflow be " + a(15))}},
	}}
	quoted := token.Hex.Encode(rec, 0) + "a viewstate " + a(9) + "overflow be"
	got, _ := scan(t, &Scanner{Texts: []Text{text}}, strings.NewReader("zz. "+quoted+" zz\n"))
	if len(got) != 1 || got[0].What.Quote.Words != 13 || got[0].Len != len(quoted) {
		t.Errorf("%+v", got)
	}
}

// A long quote is searched about once, however small the pieces are in which it comes:
// a pipe gives what has been written.
func TestLongQuoteInSmallPieces(t *testing.T) {
	var quote strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&quote, "%x%s", uint32(i+1)*0x9E3779B1, []string{" ", "\n"}[i%9/8])
	}
	s := &Scanner{Texts: []Text{{Ref: "a", Parts: []Part{{Alternatives: [][]byte{[]byte(quote.String())}}}}}}
	scan(t, s, strings.NewReader("")) // to be ready
	began := time.Now()
	got, _ := scan(t, s, dribble{strings.NewReader(quote.String()), 256})
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%d bytes took %s", quote.Len(), took)
	}
	if len(got) != 1 || got[0].What.Quote.Words != 20_000 {
		t.Errorf("%d sightings: %+v", len(got), firstOf(got))
	}
}

// dribble reads so many bytes at a time.
type dribble struct {
	io.Reader
	most int
}

func (d dribble) Read(p []byte) (int, error) { return d.Reader.Read(p[:min(len(p), d.most)]) }
