package inquiry

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

var update = flag.Bool("update", false, "write the golden bodies of kinds that have none")

func id(n byte) (r entrylog.Ref)   { r[0], r[15] = 0x5a, n; return r }
func sum(n byte) (h [32]byte)      { h[0], h[31] = 0xa5, n; return h }
func moment(hours int) time.Time   { return time.Date(2025, 5, 1, hours, 0, 0, 123456000, time.UTC) }
func place16(n byte) fpcode.SiteID { return fpcode.SiteID(id(n)) }

// samples has one body of every kind of the inquiry's log, with every field set to
// something of its own. They are frozen together with testdata/kinds.
var samples = map[entrylog.Kind]wire.Layout{
	KindInquiryFounded: &founded{"warn.example/alpha"},
	KindReadingsFrozen: &evidence.ReadingsFrozen{Case: id(1), Package: id(2), Form: sum(3), Reader: "align/1", Readings: sum(4),
		Specimens: []evidence.FrozenSpecimen{{SHA256: sum(5), From: moment(1), To: moment(2)}, {SHA256: sum(6), To: moment(3)}}},
	KindCodebookOpened: &evidence.CodebookOpened{Case: id(1), Package: id(2), Run: 7, Copies: 90, Readings: sum(4)},
	KindFindingsMade:   &made{Case: id(1), Readings: sum(4), Dossier: sum(8), Traced: true},
	KindEditsFrozen:    &evidence.EditsFrozen{Case: id(1), Package: id(2), Readings: sum(4), Edits: sum(9), Count: 3},
	KindFindingsDrafted: &evidence.FindingsDrafted{Case: id(1), Package: id(2), Readings: sum(4), Findings: sum(10), Dossier: sum(8), Timeline: sum(11), Traced: true,
		Named: []entrylog.Ref{id(12), id(13)}},
	KindFindingsStage: &evidence.FindingsStage{Findings: sum(10), Act: evidence.ActPut, Holder: id(12), Text: sum(14), Until: moment(4)},
	KindCaseCounted: &CaseCounted{Version: "eprocess/1", Decoder: "single/1", Case: id(1), Package: id(2), Readings: sum(4),
		Sites: []fpcode.SiteID{place16(15), place16(16)}, Scores: []MemberScore{{id(12), 779904}, {id(13), -259968}}},
}

// Every kind has a golden body that reads and writes as it did when it was frozen.
func TestKindsAreFrozen(t *testing.T) {
	for kind := entrylog.Kind(1); Known(kind); kind++ {
		sample, make := samples[kind], bodies[kind]
		if sample == nil || make == nil {
			t.Errorf("kind %d has no sample or no body", kind)
			continue
		}
		name := filepath.Join("testdata", "kinds", fmt.Sprintf("%02d.hex", kind))
		text := hex.EncodeToString(wire.Marshal(sample)) + "\n"
		want, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) && *update {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			want, err = []byte(text), os.WriteFile(name, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("kind %d is laid out as %s; it was frozen as %s", kind, text, want)
		}
		raw, err := hex.DecodeString(string(bytes.TrimSpace(want)))
		if err != nil {
			t.Fatal(err)
		}
		b := make()
		if err := wire.Unmarshal(raw, b); err != nil || !bytes.Equal(wire.Marshal(b), raw) {
			t.Errorf("kind %d does not read and write what was frozen: %v", kind, err)
		}
	}
	if Known(0) || Known(KindCaseCounted+1) {
		t.Error("a kind is known that isn't there")
	}
}

// An entry that the rules would have refused stops the log: somebody else wrote it.
func TestEntriesThatCannotBe(t *testing.T) {
	draft := samples[KindFindingsDrafted]
	counted := samples[KindCaseCounted]
	opened := samples[KindCodebookOpened]
	edits := samples[KindEditsFrozen]
	for name, c := range map[string][]struct {
		kind entrylog.Kind
		body wire.Layout
	}{
		"drafted twice":               {{KindFindingsDrafted, draft}, {KindFindingsDrafted, draft}},
		"an act on nothing":           {{KindFindingsStage, samples[KindFindingsStage]}},
		"an act that can't follow":    {{KindFindingsDrafted, draft}, {KindFindingsStage, &evidence.FindingsStage{Findings: sum(10), Act: evidence.ActFinal}}},
		"counted and never opened":    {{KindCaseCounted, counted}},
		"counted twice":               {{KindCodebookOpened, opened}, {KindCaseCounted, counted}, {KindCaseCounted, counted}},
		"edits after keys":            {{KindCodebookOpened, opened}, {KindEditsFrozen, edits}},
		"edits twice":                 {{KindEditsFrozen, edits}, {KindEditsFrozen, edits}},
		"counted by another version":  {{KindCodebookOpened, opened}, {KindCaseCounted, &CaseCounted{Version: "eprocess/2", Package: id(2), Readings: sum(4)}}},
		"a site that counts twice":    {{KindCodebookOpened, opened}, {KindCaseCounted, &CaseCounted{Version: "eprocess/1", Package: id(2), Readings: sum(4), Sites: []fpcode.SiteID{place16(1), place16(1)}}}},
		"a body with a byte too much": {{KindInquiryFounded, &longer{}}},
	} {
		s := newState()
		for i, x := range c {
			err := s.apply(entrylog.Seq(i), entrylog.Entry{Time: moment(i + 1), Actor: id(20), Kind: x.kind, Body: wire.Marshal(x.body)})
			if last := i == len(c)-1; last != (err != nil) {
				t.Errorf("%s: entry %d: %v", name, i+1, err)
			}
		}
	}
}

type longer struct{}

func (*longer) Wire(c *wire.Coder) {
	(&founded{"warn.example/alpha"}).Wire(c)
	c.Fixed([]byte{0})
}
