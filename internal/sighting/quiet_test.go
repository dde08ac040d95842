package sighting

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// Words that don't count are read once, however many ways there are to lay an
// excerpt on them.
func TestPublicWordsAreReadOnce(t *testing.T) {
	phrase := "alpha1 bravo2 charlie3 delta4 echoes5 foxtrot6 golfing7 "
	text := strings.Repeat(phrase, 150)
	own := "harbour8 igloos9 juliet10 kilos11 limabean12 mikes13 november14 oscars15 papas16 quebec17 romeos18 sierra19"
	s := &Scanner{Texts: []Text{{Ref: "a", Parts: []Part{{Alternatives: [][]byte{[]byte(text + own)}}}}}, Public: [][]byte{[]byte(strings.Repeat(phrase, 3))}}
	log := bytes.Repeat([]byte(phrase), 2000)
	began := time.Now()
	if got, _ := scan(t, s, bytes.NewReader(log)); len(got) != 0 {
		t.Errorf("%d sightings of what is public", len(got))
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("%d bytes of public words took %s", len(log), took)
	}
	got, _ := scan(t, s, strings.NewReader(string(log)+own))
	if len(got) != 1 || got[0].What.Quote.Words < MinWords || !strings.HasSuffix(string(log)+own, string(got[0].Excerpt)) {
		t.Errorf("behind them: %+v", got)
	}
}

// What is said to count is what a plain look over every run says, whatever was
// asked before.
func TestJudge(t *testing.T) {
	words := []string{"a", "b", "c", "d", "e"}
	q := &quotes{public: map[string]bool{}}
	x := uint64(1)
	next := func(n int) int { x = x*6364136223846793005 + 1442695040888963407; return int(x >> 33 % uint64(n)) }
	for round := range 300 {
		clear(q.public)
		var all []string
		for range 60 {
			all = append(all, words[next(5)])
		}
		for i := range len(all) - MinWords {
			if next(40) > 0 {
				q.public[strings.Join(all[i:i+MinWords], " ")] = true
			}
		}
		text := []byte(strings.Join(all, " "))
		j := judge{quotes: q}
		for range 40 {
			from := next(60 - MinWords)
			to := from + MinWords + next(60-from-MinWords+1)
			want := false
			for i := from; i+MinWords <= to; i++ {
				want = want || q.says(all[i:i+MinWords])
			}
			if got := j.counts(text, span{2 * from, 2*to - 1}); got != want {
				t.Fatalf("round %d, words %d to %d: %v, want %v", round, from, to, got, want)
			}
		}
	}
}
