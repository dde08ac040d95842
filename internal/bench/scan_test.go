package bench

import (
	"context"
	"errors"
	"testing"

	"forewarn/internal/sighting"
)

func TestScan(t *testing.T) {
	for _, corpus := range []string{"eve", "iis"} {
		for kind := range kinds {
			r, err := Scan{Corpus: corpus, Size: 2 << 20, Kinds: kind, Copies: 50, Literals: 200, Peer: "none", Rounds: 2, Seed: 3}.Run(context.Background(), nil)
			if err != nil || r.GB <= 0 || r.Planted != 1 || r.Seen < 1 || r.Bytes < 2<<20 {
				t.Errorf("%s, %s: %v, %+v", corpus, kind, err, r)
			}
		}
	}
}

// A peer that is here is timed and sees as much; one that isn't is told of.
func TestPeers(t *testing.T) {
	for name := range peers {
		r, err := Scan{Corpus: "eve", Size: 2 << 20, Kinds: "literals", Copies: 1, Literals: 50, Peer: name, Rounds: 1, Seed: 3}.Run(context.Background(), nil)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case r.PeerAbsent != "":
			if r.PeerGB != 0 || r.Ratio != 0 {
				t.Errorf("%s is absent, and has figures: %+v", name, r)
			}
			t.Logf("%s: %s", name, r.PeerAbsent)
		case r.PeerGB <= 0 || r.PeerVersion == "" || name != "json" && r.PeerSeen < int64(r.Planted):
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestRefuses(t *testing.T) {
	good := Scan{Corpus: "eve", Size: 2 << 20, Kinds: "tokens", Copies: 1, Peer: "none", Rounds: 1}
	for name, change := range map[string]func(*Scan){
		"corpus": func(s *Scan) { s.Corpus = "pcap" },
		"size":   func(s *Scan) { s.Size = 5 },
		"kinds":  func(s *Scan) { s.Kinds = "" },
		"peer":   func(s *Scan) { s.Peer = "grep" },
		"copies": func(s *Scan) { s.Copies = 0 },
		"rounds": func(s *Scan) { s.Rounds = 0 },
		"json":   func(s *Scan) { s.Peer, s.Corpus = "json", "iis" },
	} {
		s := good
		change(&s)
		if _, err := s.Run(context.Background(), nil); !errors.Is(err, ErrScan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is seen often makes up for nothing that isn't seen.
func TestPlants(t *testing.T) {
	a, b := sighting.What{Rule: sighting.RuleRef{Ref: "a"}}, sighting.What{Quote: sighting.Quote{Words: 12}}
	p := plants{a: 1, {}: 2}
	for range 9 {
		p.seen(a)
	}
	if p.count() != 2 {
		t.Errorf("%d are left", p.count())
	}
	for range 9 {
		p.seen(b)
	}
	if p.count() != 0 {
		t.Errorf("%d are left", p.count())
	}
}
