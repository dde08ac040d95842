package leak_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
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
		Profile: c.Profile, Bias: c.Bias(), AlphaPico: 1_000_000, Run: 1,
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
	problem := fpcode.Problem{Readings: readings.List(), Laws: r.Form.Laws(), Run: 1, Alpha: 1e-6, Seed: readings.Hash(),
		CopyKey: func(h [16]byte) fpcode.Key { return r.CopyKey(h) }}
	for _, h := range in.Facts.Holders {
		r.Holders = append(r.Holders, h.ID)
		problem.Holders = append(problem.Holders, h.ID)
	}
	var err error
	if r.Result, err = fpcode.Decoders[c.Decoder()].Decode(problem); err != nil {
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
	var others [][16]byte
	for _, k := range r.Tokens {
		if !slices.ContainsFunc(r.Result.Accused, func(a fpcode.Accusation) bool { return a.Holder == k.Holder }) {
			others = append(others, k.Holder)
		}
	}
	if r.Tested, err = fpcode.Tested(problem, c.Decoder(), others); err != nil {
		t.Fatal(err)
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
	f := leak.Facts{Programme: evidencetest.Programme, Case: c.ID, CaseName: "VAN-2025-014", Package: c.Package, Interval: evidencetest.Interval,
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
		x := leak.Wave{ID: s.Wave, Revision: s.Revision, Label: fmt.Sprintf("wave %d", w+1), Form: s.Form, Level: s.Level, OpensAt: s.OpensAt, Entry: c.Waves[w].Seq, Sealed: c.At(c.Waves[w].Seq)}
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
	if slices.ContainsFunc(append(slices.Clone(f.Accused), f.Conflicting...), func(a evidence.Accused) bool { return a.Group.Entry != 0 }) {
		d.Facts = append(d.Facts, evidence.Fact{Statement: "common ownership", Proof: c.Frozen(specimens).Inner(c.Group)})
	}
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
		"text of four, and a token of another": {specimens: append(merged(c, 0, 1, 2, 4), c.Request(3)...), want: evidence.CannotSay, rivals: map[string]string{"several": "supports"}},
		"text of four":                         {specimens: merged(c, 0, 1, 2, 4), want: evidence.CannotSay, rivals: map[string]string{"several": "neutral"}},
		"known by when only, before all": {specimens: unrelated, seen: []leak.Seen{{Time: sighting.Interval{To: evidencetest.Opens[0].AddDate(0, -1, 0)}, Label: "attack"}}, want: evidence.CannotSay,
			rivals: map[string]string{"rediscovery": "supports", "patch": "against", "member": "against"}},
		"known by when only, after all": {specimens: unrelated, seen: []leak.Seen{{Time: sighting.Interval{To: evidencetest.FoundAt}, Label: "attack"}}, want: evidence.CannotSay,
			rivals: map[string]string{"patch": "against", "member": "neutral"}},
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
			if n := strings.Count(low, bad); n > strings.Count(low, "no p is the probability that somebody is guilty")*strings.Count("guilty", bad) {
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

// merged takes every line from the next of these copies in turn.
func merged(c *evidencetest.Case, holders ...int) []form.Specimen {
	var lines [][]string
	for _, h := range holders {
		lines = append(lines, strings.SplitAfter(string(c.Leak(h)[0].Data), "\n"))
	}
	var out strings.Builder
	for i := range lines[0] {
		out.WriteString(lines[i%len(lines)][i])
	}
	return []form.Specimen{{Name: "merged.md", Data: []byte(out.String())}}
}

// A copy whose holder cannot have had it in time is still named, and the findings
// say so beside it, for the holder.
func TestWhatSpeaksForTheHolder(t *testing.T) {
	c := evidencetest.New(5, 60)
	out := evidencetest.FoundAt.Add(-3 * time.Hour)
	seen := []leak.Seen{{Time: interval(out, time.Hour), Label: "attack"}}
	fetched := func(at time.Time) func(*leak.Inputs) {
		return func(in *leak.Inputs) {
			for _, all := range [][]leak.Access{in.Facts.Fetches, in.Facts.Receipts} {
				for i := range all {
					if all[i].Holder == c.Holders[2].ID {
						all[i].At = at
					}
				}
			}
		}
	}
	for name, row := range map[string]struct {
		change          func(*leak.Inputs)
		says            string
		member, insider string
	}{
		"fetched before":              {func(*leak.Inputs) {}, "", "supports", "neutral"},
		"fetched within the interval": {fetched(out.Add(time.Hour)), "", "supports", "neutral"},
		"fetched after":               {fetched(out.Add(time.Hour + time.Microsecond)), "when the material was already out", "neutral", "supports"},
		"never fetched": {func(in *leak.Inputs) {
			in.Facts.Fetches, in.Facts.Receipts = nil, nil
		}, "was ever fetched", "neutral", "supports"},
		"never fetched, but signed for": {func(in *leak.Inputs) { in.Facts.Fetches = nil }, "", "supports", "neutral"},
		"never fetched, opened after": {func(in *leak.Inputs) {
			in.Facts.Fetches, in.Facts.Receipts = nil, nil
			for i := range in.Facts.Waves {
				in.Facts.Waves[i].OpensAt = out.AddDate(0, 0, 1)
			}
		}, "could be opened from", "neutral", "supports"},
	} {
		in := inputs(t, c, c.Leak(2))
		in.Seen = seen
		row.change(&in)
		f := judge(t, in)
		if f.Conclusion != evidence.Traced || rival(f, "a member").Reading != row.member || rival(f, "insider").Reading != row.insider {
			t.Errorf("%s: %s; member %+v; insider %+v", name, f.Statement, rival(f, "a member"), rival(f, "insider"))
		}
		if row.says == "" && len(f.Why) == 0 {
			continue
		}
		if len(f.Why) != 1 || !strings.Contains(f.Why[0], row.says) {
			t.Errorf("%s: %q", name, f.Why)
			continue
		}
		page, text := flat(string(leak.Page(f, leak.Timeline(in)))), flat(leak.Text(f, 80))
		for _, s := range []string{page, text} {
			at, why := strings.LastIndex(s, f.Statement), strings.LastIndex(s, f.Why[0])
			if s == page {
				at, why = strings.Index(s, f.Statement), strings.Index(s, f.Why[0])
			}
			if at < 0 || why < at || why > at+400+len(f.Statement) {
				t.Errorf("%s: the statement stands at %d and what speaks for the holder at %d", name, at, why)
			}
		}
	}
}

// A use that the rulings permitted explains what that use would show.
func TestPermittedUse(t *testing.T) {
	c := evidencetest.New(5, 60)
	for name, row := range map[string]struct {
		level   form.Level
		rulings []leak.Ruling
		want    string
		says    string
	}{
		"nothing allowed":                {form.Detection, []leak.Ruling{{Use: "ship-signature"}}, "unknown", "neither"},
		"signatures, in rules":           {form.Detection, []leak.Ruling{{Use: "ship-signature", Allowed: true}}, "supports", "ship signatures"},
		"signatures, in text":            {form.Description, []leak.Ruling{{Use: "ship-signature", Allowed: true}}, "neutral", "None of what was found"},
		"signatures, but later":          {form.Detection, []leak.Ruling{{Use: "ship-signature", Allowed: true, From: evidencetest.FoundAt.AddDate(0, 0, 1)}}, "unknown", "neither"},
		"signatures, from before":        {form.Detection, []leak.Ruling{{Use: "ship-signature", Allowed: true, From: evidencetest.FoundAt.AddDate(0, 0, -1)}}, "supports", "ship signatures"},
		"customers":                      {form.Description, []leak.Ruling{{Use: "tell-customers", Allowed: true}}, "neutral", "tell customers"},
		"members":                        {form.Description, []leak.Ruling{{Use: "share-with-member", Allowed: true}}, "neutral", "share it with one another"},
		"what deploys tells nobody more": {form.Description, []leak.Ruling{{Use: "deploy-patch", Allowed: true}}, "unknown", "neither"},
	} {
		in := inputs(t, c, c.Leak(2))
		files := slices.Clone(in.Reading.Form.Files)
		files[0].Level = row.level
		form := *in.Reading.Form
		form.Files = files
		in.Reading.Form = &form
		for i := range row.rulings {
			row.rulings[i].Revision = c.Revision
		}
		in.Facts.Rulings = row.rulings
		r := rival(judge(t, in), "onward share")
		if r.Reading != row.want || !strings.Contains(strings.Join(r.Seen, " "), row.says) {
			t.Errorf("%s: got %s: %q", name, r.Reading, r.Seen)
		}
	}
}

// Where tokens name more copies than findings list, the answer is 'cannot say'
// with their number, and no more keys are opened.
func TestTokensOfVeryMany(t *testing.T) {
	c := evidencetest.New(20, 40)
	var specimens []form.Specimen
	for h := range 20 {
		specimens = append(specimens, c.Request(h)...)
		specimens[h].Name = fmt.Sprintf("request-%02d.txt", h)
	}
	in := inputs(t, c, specimens)
	asked := map[entrylog.Ref]bool{}
	hash := in.Reading.CopyHash
	in.Reading.CopyHash = func(w, h entrylog.Ref) ([32]byte, error) {
		asked[h] = true
		return hash(w, h)
	}
	f := judge(t, in)
	if f.Conclusion != evidence.CannotSay || len(f.Conflicting) != evidence.MaxNamed || len(asked) != evidence.MaxNamed || !strings.Contains(strings.Join(f.Why, " "), "each of 20 copies") {
		t.Fatalf("got %q, %d listed, %d opened: %q", f.Conclusion, len(f.Conflicting), len(asked), f.Why)
	}
	verified(t, c, specimens, f)
}

// Too little is said to be too little only where the best copy could not be named.
func TestReasonsAreTrue(t *testing.T) {
	c := evidencetest.New(5, 60)
	text := string(c.Leak(2)[0].Data)
	lines := strings.SplitAfter(text, "\n")
	few := 0
	for n := 1; n < len(lines); n += 3 {
		f := judge(t, inputs(t, c, []form.Specimen{{Name: "part.md", Data: []byte(strings.Join(lines[:n], ""))}}))
		enough := evidence.Enough(f.PAttainable, f.Alpha)
		if (f.Conclusion == evidence.Traced) != enough { // it agrees everywhere
			t.Errorf("%d lines: %s with p_attainable %s", n, f.Conclusion, f.PAttainable)
		}
		if said := strings.Contains(strings.Join(f.Why, " "), "too few to name any"); said == enough {
			t.Errorf("%d lines, p_attainable %s: %q", n, f.PAttainable, f.Why)
		}
		if !enough {
			few++
		}
	}
	if few == 0 || few*3 > len(lines) {
		t.Errorf("%d excerpts were too short", few)
	}
}

// What is only known to have been there by some time bounds the first sighting
// from above, and from below not at all.
func TestOneSidedTimes(t *testing.T) {
	c := evidencetest.New(5, 60)
	in := inputs(t, c, c.Leak(2))
	by := evidencetest.FoundAt.AddDate(0, 0, -20)
	in.Reading.Specimens[0].Found = sighting.Interval{To: by}
	in.Seen = []leak.Seen{{Time: interval(evidencetest.FoundAt, time.Hour), Label: "attack"}}
	f := judge(t, in)
	if w := f.FirstSighting; !w.From.IsZero() || !w.To.Equal(by) {
		t.Errorf("first sighting %+v", w)
	}
	if !strings.Contains(strings.Join(f.Limits, " "), "only known by when") {
		t.Errorf("limits %q", f.Limits)
	}
	in.Reading.Specimens[0].Found.To = evidencetest.FoundAt.AddDate(0, 0, 1)
	if w := judge(t, in).FirstSighting; !w.From.Equal(evidencetest.FoundAt) || !w.To.Equal(evidencetest.FoundAt.Add(time.Hour)) {
		t.Errorf("with an earlier sighting: %+v", w)
	}
}

// A token counts only where it is known by when its specimen existed.
func TestTokenOfUnknownTime(t *testing.T) {
	c := evidencetest.New(5, 60)
	in := inputs(t, c, c.Request(3))
	in.Reading.Specimens[0].Found = sighting.Interval{}
	f := judge(t, in)
	if f.Conclusion != evidence.CannotSay || !strings.Contains(strings.Join(f.Why, " "), "by when those existed is not known") {
		t.Errorf("got %q: %q", f.Conclusion, f.Why)
	}
	in.Reading.Specimens[0].Found.To = evidencetest.FoundAt
	if f = judge(t, in); f.Conclusion != evidence.Traced {
		t.Errorf("known by when: %q: %q", f.Conclusion, f.Why)
	}
}

func TestGroupsAreNamedTogether(t *testing.T) {
	c := evidencetest.New(5, 60)
	specimens := append(c.Leak(2), c.Request(3)...)
	in := inputs(t, c, specimens)
	for _, h := range []int{2, 3} {
		in.Facts.Holders[h].Group, in.Facts.Holders[h].GroupName = evidencetest.Ref("group"), "Holding"
	}
	// Declared by nobody, or after the first wave, it joins nothing.
	for _, late := range []leak.Event{{}, {At: c.At(c.Waves[0].Seq), Entry: c.Group}} {
		in.Facts.Holders[2].GroupEntry, in.Facts.Holders[3].GroupEntry = late, late
		f := judge(t, in)
		if f.Conclusion != evidence.CannotSay || !f.Conflicting[0].Group.ID.IsZero() || !strings.Contains(strings.Join(f.Limits, " "), "stands for itself") {
			t.Fatalf("declared %v: got %q: %s", late, f.Conclusion, f.Statement)
		}
	}
	for _, h := range []int{2, 3} {
		in.Facts.Holders[h].GroupEntry = leak.Event{At: c.At(c.Group), Entry: c.Group}
	}
	f := judge(t, in)
	if f.Conclusion != evidence.Traced || len(f.Accused) != 2 {
		t.Fatalf("got %q: %s", f.Conclusion, f.Statement)
	}
	if !strings.Contains(f.Statement, "common ownership of Holding") {
		t.Error(f.Statement)
	}
	verified(t, c, specimens, f)

	// Whom no evidence names stands in the row and not in the statement.
	in = inputs(t, c, c.Leak(2))
	for _, h := range []int{2, 3} {
		in.Facts.Holders[h].Group, in.Facts.Holders[h].GroupName = evidencetest.Ref("group"), "Holding"
		in.Facts.Holders[h].GroupEntry = leak.Event{At: c.At(c.Group), Entry: c.Group}
	}
	f = judge(t, in)
	if strings.Contains(f.Statement, c.Holders[3].Name) || !slices.Contains(f.Accused[0].Group.Members, c.Holders[3].Name) {
		t.Errorf("%s; %v", f.Statement, f.Accused[0].Group)
	}
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

// A copy that was committed to when the material may already have existed is
// never listed, and alone names nobody.
func TestLateCopies(t *testing.T) {
	c := evidencetest.New(5, 60)
	for name, row := range map[string]struct {
		found sighting.Interval
		want  []string // the waves listed
		grade string
		why   string
		limit string
	}{
		"after both":             {interval(evidencetest.FoundAt, time.Hour), []string{"wave 1", "wave 2"}, evidence.Acknowledged, "", ""},
		"between":                {interval(evidencetest.Opens[0].AddDate(0, 0, 2), time.Hour), []string{"wave 1"}, evidence.Acknowledged, "", ""},
		"known by a time only":   {sighting.Interval{To: evidencetest.Opens[0].AddDate(0, 0, 2)}, []string{"wave 1"}, evidence.Acknowledged, "", ""},
		"before any was fetched": {interval(evidencetest.Opens[0].Add(-time.Hour), 30*24*time.Hour), []string{"wave 1"}, evidence.NotAcknowledged, "", ""},
		"before both":            {interval(evidencetest.Founded, 30*24*time.Hour), nil, "", "may already have existed", ""},
		"at no known time":       {sighting.Interval{}, []string{"wave 1", "wave 2"}, evidence.Acknowledged, "", "not known when they first existed"},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, c, c.Leak(2))
			in.Reading.Specimens[0].Found = row.found
			f := judge(t, in)
			var got []string
			if len(f.Accused) == 1 {
				for _, w := range f.Accused[0].Copies {
					got = append(got, w.Label)
				}
				if f.Accused[0].Acknowledged != row.grade || !strings.Contains(f.Statement, "("+row.grade+")") {
					t.Errorf("%s: %s", f.Accused[0].Acknowledged, f.Statement)
				}
			}
			if !slices.Equal(got, row.want) || (row.want != nil) != (f.Conclusion == evidence.Traced) {
				t.Errorf("%q lists %v: %q", f.Conclusion, got, f.Why)
			}
			if !strings.Contains(strings.Join(f.Why, " "), row.why) || !strings.Contains(strings.Join(f.Limits, " "), row.limit) {
				t.Errorf("why %q, limits %q", f.Why, f.Limits)
			}
		})
	}
}

func TestLaterRunsSaySo(t *testing.T) {
	c := evidencetest.New(5, 60)
	in := inputs(t, c, c.Leak(2))
	in.Reading.Run = 2
	if f := judge(t, in); !strings.Contains(strings.Join(f.Limits, " "), "its keys had been open before") {
		t.Errorf("%q", f.Limits)
	}
}
