package leak_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/leak"
	"forewarn/internal/sighting"
)

var release = time.Date(2025, 7, 8, 17, 0, 0, 0, time.UTC)

func interval(from time.Time, d time.Duration) sighting.Interval {
	return sighting.Interval{From: from, To: from.Add(d)}
}

// inputs is what an inquiry has of the small case and these specimens.
func inputs(t testing.TB, c *evidencetest.Case, specimens []form.Specimen) leak.Inputs {
	t.Helper()
	readings := form.Read(c.Form, specimens)
	in := leak.Inputs{Facts: facts(c), Reading: leak.Reading{
		Form: c.Form, Readings: &readings, FrozenAt: evidencetest.FrozenAt,
		Profile: fpcode.Single, Bias: c.Bias(), AlphaPico: 1_000_000, Run: 1,
		CopyKey: func(h entrylog.Ref) fpcode.Key { return c.Key(index(c, h)) },
		CopyHash: func(w, h entrylog.Ref) ([32]byte, error) {
			for i := range c.Waves {
				if c.Waves[i].Statement.Wave == w {
					return form.CopyHash(c.Copy(index(c, h), i)), nil
				}
			}
			return [32]byte{}, errors.New("no such wave")
		},
	}}
	r := &in.Reading
	problem := fpcode.Problem{Readings: readings.List(), Profile: r.Profile, Bias: r.Bias, Run: 1, Alpha: 1e-6, Seed: readings.Hash(),
		CopyKey: func(h [16]byte) fpcode.Key { return r.CopyKey(h) }}
	for _, h := range in.Facts.Holders {
		r.Holders = append(r.Holders, h.ID)
		problem.Holders = append(problem.Holders, h.ID)
	}
	var err error
	if r.Result, err = fpcode.Decoders[fpcode.SingleDecoder].Decode(problem); err != nil {
		t.Fatal(err)
	}
	for i, s := range specimens {
		r.Specimens = append(r.Specimens, leak.Specimen{Name: s.Name, Size: int64(len(s.Data)), SHA256: sha256.Sum256(s.Data), Found: interval(evidencetest.FoundAt, time.Hour)})
		for h := range c.Holders {
			for _, slot := range c.Form.Slots() {
				text := c.Token(h, slot.Name, slot.Alphabet)
				if at := bytes.Index(s.Data, []byte(text)); at >= 0 {
					r.Tokens = append(r.Tokens, leak.Hit{Holder: c.Holders[h].ID, Slot: slot.Name, Text: text, Specimen: i, Offset: int64(at)})
				}
			}
		}
	}
	return in
}

func index(c *evidencetest.Case, h entrylog.Ref) int {
	for i := range c.Holders {
		if c.Holders[i].ID == h {
			return i
		}
	}
	panic("nobody")
}

func facts(c *evidencetest.Case) leak.Facts {
	f := leak.Facts{Programme: evidencetest.Programme, Case: c.ID, CaseName: "VAN-2025-014", Package: c.Package,
		Reported: leak.Event{At: evidencetest.Founded.AddDate(0, 0, -38), Entry: 0},
		Release:  leak.Event{At: release, Entry: 2}}
	for i, h := range c.Holders {
		x := leak.Holder{ID: h.ID, Name: h.Name, Staff: h.Staff, Tier: fmt.Sprintf("tier %d", 1+i%2)}
		if i%3 == 1 {
			x.Jurisdictions = []string{"CN"}
		}
		f.Holders = append(f.Holders, x)
	}
	for w := range c.Waves {
		s := c.Waves[w].Statement
		x := leak.Wave{ID: s.Wave, Revision: s.Revision, Label: fmt.Sprintf("wave %d", w+1), Form: s.Form, Level: s.Level, OpensAt: s.OpensAt, Entry: c.Waves[w].Seq}
		for h := range c.Holders {
			x.Holders = append(x.Holders, c.Holders[h].ID)
			id := fmt.Sprintf("%d/%d", h, w)
			access := func(seq entrylog.Seq) leak.Access {
				return leak.Access{Wave: s.Wave, Holder: c.Holders[h].ID, Account: c.Holders[h].Account, AccountName: "contact", At: c.At(seq), Entry: seq}
			}
			f.Fetches = append(f.Fetches, access(c.Fetch[id]))
			f.Receipts = append(f.Receipts, access(c.Receipt[id]))
		}
		f.Waves = append(f.Waves, x)
	}
	return f
}

// verified makes a dossier of what Judge finds and verifies it.
func verified(t *testing.T, c *evidencetest.Case, specimens []form.Specimen, f *evidence.Findings) {
	t.Helper()
	var named []int
	for _, a := range append(append([]evidence.Accused(nil), f.Accused...), f.Conflicting...) {
		named = append(named, index(c, entrylog.Ref(a.Holder)))
	}
	d := c.Dossier(specimens, named...)
	var err error
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	b, err := d.Sign(c.Inquiry)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := evidence.VerifyDossier(b, evidence.Trust{}); err != nil {
		for _, s := range r.Steps {
			t.Logf("%-16s %-5t %s", s.Name, s.OK, s.Detail)
		}
		t.Error(err)
	}
}

func judge(t testing.TB, in leak.Inputs) *evidence.Findings {
	t.Helper()
	f, err := leak.Judge(in)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rival(f *evidence.Findings, name string) evidence.Rival {
	for _, r := range f.Rivals {
		if strings.Contains(strings.ToLower(r.Name), name) {
			return r
		}
	}
	panic(name)
}

var unrelated = []form.Specimen{{Name: "note.txt", Data: []byte("The weather on the coast was fine, and nothing else is told here.")}}

func TestScenarios(t *testing.T) {
	c := evidencetest.New(5, 60)
	token := func(h int, at sighting.Interval) leak.Seen {
		return leak.Seen{Time: at, Label: "token in web server log", Source: "w3svc1", Entry: 3, Holder: c.Holders[h].ID, Slot: "marker"}
	}
	before, after := interval(evidencetest.FoundAt.Add(-20*time.Hour), time.Hour), interval(evidencetest.FoundAt.Add(9*time.Hour), time.Hour)
	for name, row := range map[string]struct {
		specimens []form.Specimen
		seen      []leak.Seen
		want      string
		names     []string
		rivals    map[string]string
	}{
		"wording of a member": {specimens: c.Leak(2), seen: []leak.Seen{{Time: before, Label: "attack", Entry: 3}}, want: evidence.Traced, names: []string{"Member C"},
			rivals: map[string]string{"member": "supports", "rediscovery": "against", "patch": "against", "finder": "against", "insider": "neutral", "several": "against", "duty": "against"}},
		"wording of a member under a duty": {specimens: c.Leak(1), want: evidence.Traced, names: []string{"Member B"},
			rivals: map[string]string{"member": "supports", "duty": "neutral"}},
		"wording of staff": {specimens: c.Leak(5), want: evidence.Traced, names: []string{"writer"},
			rivals: map[string]string{"insider": "supports", "member": "against"}},
		"a token, never seen elsewhere":   {specimens: c.Request(3), want: evidence.Traced, names: []string{"Member D"}},
		"a token, seen elsewhere later":   {specimens: c.Request(3), seen: []leak.Seen{token(3, after)}, want: evidence.Traced, names: []string{"Member D"}},
		"a token, seen elsewhere before":  {specimens: c.Request(3), seen: []leak.Seen{token(3, before)}, want: evidence.CannotSay},
		"a token, seen at no known time":  {specimens: c.Request(3), seen: []leak.Seen{token(3, sighting.Interval{})}, want: evidence.CannotSay},
		"another's token, seen before":    {specimens: c.Request(3), seen: []leak.Seen{token(2, before)}, want: evidence.Traced, names: []string{"Member D"}},
		"wording, and a replayed token":   {specimens: append(c.Leak(2), c.Request(3)...), seen: []leak.Seen{token(3, before)}, want: evidence.Traced, names: []string{"Member C"}},
		"wording and token of one":        {specimens: append(c.Leak(2), c.Request(2)...), want: evidence.Traced, names: []string{"Member C"}},
		"wording and token that disagree": {specimens: append(c.Leak(2), c.Request(3)...), want: evidence.CannotSay, rivals: map[string]string{"several": "supports"}},
		"tokens of two":                   {specimens: append(c.Request(1), c.Request(3)...), want: evidence.CannotSay},
		"nothing of ours": {specimens: unrelated, seen: []leak.Seen{{Time: interval(evidencetest.Opens[0].AddDate(0, -1, 0), time.Hour), Label: "attack"}}, want: evidence.CannotSay,
			rivals: map[string]string{"rediscovery": "supports", "patch": "against", "member": "against"}},
		"after the release": {specimens: unrelated, seen: nil, want: evidence.CannotSay},
		"too little":        {specimens: []form.Specimen{{Name: "part.txt", Data: c.Leak(2)[0].Data[:500]}}, want: evidence.CannotSay},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, c, row.specimens)
			in.Seen = row.seen
			f := judge(t, in)
			var names []string
			for _, a := range f.Accused {
				names = append(names, a.Name)
			}
			if f.Conclusion != row.want || fmt.Sprint(names) != fmt.Sprint(row.names) {
				t.Fatalf("got %q, %v: %s; %q", f.Conclusion, names, f.Statement, f.Why)
			}
			if f.Conclusion == evidence.CannotSay && (len(f.Why) == 0 || len(f.WouldHelp) == 0) {
				t.Error("it does not say why, or what would help")
			}
			if len(f.Rivals) != 8 {
				t.Errorf("%d rivals are listed", len(f.Rivals))
			}
			for k, want := range row.rivals {
				if r := rival(f, k); r.Reading != want {
					t.Errorf("%s: got %s: %q", r.Name, r.Reading, r.Seen)
				}
			}
			for _, r := range f.Rivals {
				if len(r.Predicts) == 0 || len(r.Seen) == 0 || r.Settles == "" || r.Basis == "" || r.Reading == "" {
					t.Errorf("%s is not complete: %+v", r.Name, r)
				}
			}
			verified(t, c, row.specimens, f)
		})
	}
}

// Findings never speak of guilt, of leaking, or of who did something.
func TestWords(t *testing.T) {
	c := evidencetest.New(5, 60)
	for _, specimens := range [][]form.Specimen{c.Leak(2), c.Request(1), unrelated, append(c.Leak(2), c.Request(3)...)} {
		f := judge(t, inputs(t, c, specimens))
		b, err := f.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		low := strings.ToLower(string(b))
		for _, bad := range []string{"leaked", "culprit", "perpetrator", "guilt", "blame", "traitor", "certain that"} {
			if n := strings.Count(low, bad); n > strings.Count(low, "not the probability that somebody is guilty")*strings.Count("guilty", bad) {
				t.Errorf("findings say %q", bad)
			}
		}
		if !strings.Contains(low, "an innocent copy would be accused") {
			t.Error("findings do not say what a probability is")
		}
	}
}

func TestDeterministic(t *testing.T) {
	c := evidencetest.New(5, 60)
	specimens := append(c.Leak(2), c.Request(2)...)
	var last []byte
	for range 3 {
		in := inputs(t, c, specimens)
		f := judge(t, in)
		b, err := f.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, leak.Page(f, leak.Timeline(in))...), leak.Text(f, 80)...)
		if last != nil && !bytes.Equal(b, last) {
			t.Fatal("the same inputs give other findings")
		}
		last = b
	}
}

func TestGroupsAreNamedTogether(t *testing.T) {
	c := evidencetest.New(5, 60)
	specimens := append(c.Leak(2), c.Request(3)...)
	in := inputs(t, c, specimens)
	for _, h := range []int{2, 3} {
		in.Facts.Holders[h].Group, in.Facts.Holders[h].GroupName = evidencetest.Ref("group"), "Holding"
	}
	f := judge(t, in)
	if f.Conclusion != evidence.Traced || len(f.Accused) != 2 {
		t.Fatalf("got %q: %s", f.Conclusion, f.Statement)
	}
	if !strings.Contains(f.Statement, "common ownership of Holding") {
		t.Error(f.Statement)
	}
	verified(t, c, specimens, f)
}

func TestInputsThatDoNotFit(t *testing.T) {
	c := evidencetest.New(2, 40)
	for name, change := range map[string]func(*leak.Inputs){
		"no Form":                 func(in *leak.Inputs) { in.Reading.Form = nil },
		"no keys":                 func(in *leak.Inputs) { in.Reading.CopyKey = nil },
		"a holder not tested":     func(in *leak.Inputs) { in.Reading.Holders = in.Reading.Holders[1:] },
		"a score missing":         func(in *leak.Inputs) { in.Reading.Result.Scores = nil },
		"a stranger in a wave":    func(in *leak.Inputs) { in.Facts.Waves[0].Holders[0] = evidencetest.Ref("stranger") },
		"a stranger tested":       func(in *leak.Inputs) { in.Reading.Holders[0] = evidencetest.Ref("stranger") },
		"another specimen":        func(in *leak.Inputs) { in.Reading.Specimens[0].Size++ },
		"no specimen":             func(in *leak.Inputs) { in.Reading.Specimens = nil },
		"run 0":                   func(in *leak.Inputs) { in.Reading.Run = 0 },
		"another Form's waves":    func(in *leak.Inputs) { in.Facts.Waves = nil },
		"a token in no specimen":  func(in *leak.Inputs) { in.Reading.Tokens = []leak.Hit{{Holder: c.Holders[0].ID, Specimen: 7}} },
		"a token of nobody":       func(in *leak.Inputs) { in.Reading.Tokens = []leak.Hit{{}} },
		"a copy of another's":     func(in *leak.Inputs) { in.Reading.Result.Accused[0].Holder = evidencetest.Ref("stranger") },
		"named without that copy": func(in *leak.Inputs) { in.Facts.Waves[0].Holders, in.Facts.Waves[1].Holders = nil, nil },
	} {
		in := inputs(t, c, c.Leak(1))
		change(&in)
		if _, err := leak.Judge(in); !errors.Is(err, leak.ErrInputs) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	in := inputs(t, c, c.Leak(1))
	gone := errors.New("gone")
	in.Reading.CopyHash = func(_, _ entrylog.Ref) ([32]byte, error) { return [32]byte{}, gone }
	if _, err := leak.Judge(in); !errors.Is(err, gone) {
		t.Errorf("an error of CopyHash: got %v", err)
	}
}
