package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

func signed(t testing.TB, c *evidencetest.Case, d *evidence.Dossier) []byte {
	t.Helper()
	b, err := d.Sign(c.Inquiry)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDossier(t *testing.T) {
	c := evidencetest.New(5, 60)
	both := append(c.Leak(2), c.Request(2)...)
	for name, row := range map[string]struct {
		specimens []form.Specimen
		named     []int
		want      string
		statement string
	}{
		"wording":   {c.Leak(2), []int{2}, evidence.Traced, "By the rule fixed beforehand the material is traced to the copy issued to Member C in wave 1 or wave 2 (acknowledged by its holder)."},
		"tokens":    {c.Request(4), []int{4}, evidence.Traced, "By the rule fixed beforehand the material is traced to the copy issued to Member E in wave 2 (acknowledged by its holder)."},
		"both":      {both, []int{2}, evidence.Traced, "By the rule fixed beforehand the material is traced to the copy issued to Member C in wave 2 (acknowledged by its holder)."},
		"staff":     {c.Leak(5), []int{5}, evidence.Traced, "By the rule fixed beforehand the material is traced to the copy issued to the vendor's own account writer in wave 1 or wave 2 (acknowledged by its holder)."},
		"nothing":   {[]form.Specimen{{Name: "note.txt", Data: []byte("something else altogether")}}, nil, evidence.CannotSay, ""},
		"disagree":  {append(c.Leak(2), c.Request(3)...), []int{2, 3}, evidence.CannotSay, ""},
		"two posts": {append(c.Request(1), c.Request(3)...), []int{1, 3}, evidence.CannotSay, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := signed(t, c, c.Dossier(row.specimens, row.named...))
			r, err := evidence.VerifyDossier(b, evidence.Trust{LogKey: c.LogKey, InquiryKey: c.InquiryKey})
			for _, s := range r.Steps {
				t.Logf("%-16s %-5t %s", s.Name, s.OK, s.Detail)
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Conclusion != row.want || row.statement != "" && r.Statement != row.statement {
				t.Errorf("got %q: %s", r.Conclusion, r.Statement)
			}
			if (len(r.Findings.Accused) > 0) != (row.want == evidence.Traced) {
				t.Errorf("%d copies are accused", len(r.Findings.Accused))
			}
		})
	}
}

// An inquiry that names the wrong copy, or too few, makes a dossier that does
// not verify.
func TestDossierNamesWrongly(t *testing.T) {
	c := evidencetest.New(5, 60)
	for name, row := range map[string]struct {
		specimens []form.Specimen
		named     []int
	}{
		"another":          {c.Leak(2), []int{1}},
		"one too many":     {c.Leak(2), []int{2, 3}},
		"without evidence": {[]form.Specimen{{Name: "note.txt", Data: []byte("something else")}}, []int{0}},
	} {
		_, err := evidence.VerifyDossier(signed(t, c, c.Dossier(row.specimens, row.named...)), evidence.Trust{})
		if !errors.Is(err, evidence.ErrNotVerified) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDossierTrust(t *testing.T) {
	c := evidencetest.New(2, 40)
	b := signed(t, c, c.Dossier(c.Leak(1), 1))
	_, other := evidencetest.Signer("other.example")
	for _, trust := range []evidence.Trust{{LogKey: other}, {InquiryKey: other}, {LogKey: c.InquiryKey}} {
		if _, err := evidence.VerifyDossier(b, trust); !errors.Is(err, evidence.ErrUntrusted) {
			t.Errorf("%v: got %v", trust, err)
		}
	}
	r, err := evidence.VerifyDossier(b, evidence.Trust{})
	if err != nil || !strings.Contains(r.KeyNote, "taken from the dossier itself") {
		t.Errorf("%v, %s", err, r.KeyNote)
	}
}

// Each single byte of a dossier, flipped, fails, and the report says at which
// step.
func TestDossierFlips(t *testing.T) {
	c := evidencetest.New(2, 40)
	b := signed(t, c, c.Dossier(c.Leak(1), 1))
	named := map[string]int{}
	for i, flipped := range flips(b) {
		if i > 4000 && i < len(b)-2000 && i%3 != 0 {
			continue // hashes of sections cover the middle
		}
		r, err := evidence.VerifyDossier(flipped, evidence.Trust{})
		if err == nil {
			t.Fatalf("byte %d of %d can change", i, len(b))
		}
		at := slices.IndexFunc(r.Steps, func(s evidence.Step) bool { return !s.OK })
		if at < 0 || r.Conclusion != "" || r.Findings != nil {
			t.Fatalf("byte %d: the report does not show the failure", i)
		}
		named[r.Steps[at].Name]++
		if where := sectionOf(b, i); where != "" && !strings.Contains(err.Error(), where) {
			t.Fatalf("byte %d is in section %q; the error says %v", i, where, err)
		}
	}
	t.Log(len(b), named)
}

// Cut short or with something after the end, a dossier does not parse.
func TestDossierLength(t *testing.T) {
	c := evidencetest.New(2, 40)
	b := signed(t, c, c.Dossier(c.Leak(1), 1))
	for n := 0; n < len(b); n += 1 + n%97 {
		if _, err := evidence.VerifyDossier(b[:n], evidence.Trust{}); !errors.Is(err, wire.ErrFormat) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
	if _, err := evidence.VerifyDossier(append(b, 0), evidence.Trust{}); !errors.Is(err, wire.ErrFormat) {
		t.Fatalf("a byte more: %v", err)
	}
}

// part is a section of a dossier's file, as doc/spec/dossier.md lays it out.
type part struct {
	name     string
	from, to int // of the body
}

const (
	magic  = "forewarn dossier v1\n"
	magic2 = "forewarn dossier v2\n"
)

func parts(b []byte) (out []part, table int) {
	at, n := len(magic), 12
	if bytes.HasPrefix(b, []byte(magic2)) {
		n = 15
	}
	for range n {
		n := int(binary.BigEndian.Uint32(b[at:]))
		name := string(b[at+4 : at+4+n])
		at += 4 + n
		size := int(binary.BigEndian.Uint32(b[at:]))
		out = append(out, part{name, at + 4, at + 4 + size})
		at += 4 + size
	}
	return out, at
}

func sectionOf(b []byte, i int) string {
	all, _ := parts(b)
	for _, p := range all {
		if i >= p.from && i < p.to {
			return p.name
		}
	}
	return ""
}

// resign makes table and signature anew, as a dishonest inquiry would.
func resign(c *evidencetest.Case, b []byte) []byte {
	all, at := parts(b)
	table, out := bytes.Clone(b[:len(magic)]), bytes.Clone(b[:at])
	for _, p := range all {
		sum := sha256.Sum256(b[p.from:p.to])
		table = append(binary.BigEndian.AppendUint32(table, uint32(len(p.name))), p.name...)
		table = append(table, sum[:]...)
		out = append(out, sum[:]...)
	}
	sig, err := c.Inquiry.Sign(table)
	if err != nil {
		panic(err)
	}
	return append(out, sig...)
}

// An inquiry that changes any byte of the evidence and signs again is found out.
// Only the words of facts are its own.
func TestDossierDishonest(t *testing.T) {
	c := evidencetest.New(2, 40)
	d := c.Dossier(append(c.Leak(1), c.Request(1)...), 1)
	b := signed(t, c, d)
	if !bytes.Equal(resign(c, b), b) {
		t.Fatal("the test does not sign as the format says")
	}
	all, _ := parts(b)
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, p := range all {
		if p.name == "findings" {
			continue // TestFindingsTold
		}
		step := max(1, (p.to-p.from)/90)
		for i := p.from; i < p.to; i += 1 + rnd.IntN(2*step) {
			f := bytes.Clone(b)
			f[i] ^= 1 << rnd.IntN(8)
			f = resign(c, f)
			if p.name == "facts" && inStatement(d, f, all, i) {
				continue
			}
			if _, err := evidence.VerifyDossier(f, evidence.Trust{LogKey: c.LogKey}); err == nil {
				t.Errorf("byte %d of section %q can change", i-p.from, p.name)
			}
		}
	}
}

func inStatement(d *evidence.Dossier, b []byte, all []part, i int) bool {
	for _, f := range d.Facts {
		if at := bytes.Index(b[all[10].from:all[10].to], []byte(f.Statement[:6])); at < 0 {
			return true
		}
	}
	var lo int
	for _, f := range d.Facts {
		at := bytes.Index(b[all[10].from+lo:all[10].to], []byte("forewarn inner proof v1\n"))
		if at < 0 {
			return false
		}
		if end := all[10].from + lo + at; i < end && i >= end-len(f.Statement) {
			return true
		}
		lo += at + 10
	}
	return false
}

// told is what in findings remains the inquiry's word. Everything else of the
// sample is checked by VerifyDossier.
var told = []string{
	"case_name", "first_sighting",
	"accused.name+derived_from+statement", "accused.fetches.account_name", "accused.receipts.account_name",
	"accused.tokens.note",
}

// Every value in the findings is changed in turn, and the dossier signed again.
func TestFindingsTold(t *testing.T) {
	c := evidencetest.New(2, 40)
	changeEach(t, c, c.Dossier(append(c.Leak(1), c.Request(1)...), 1))
}

func changeEach(t *testing.T, c *evidencetest.Case, d *evidence.Dossier, also ...string) {
	t.Helper()
	var root any
	dec := json.NewDecoder(bytes.NewReader(d.Findings))
	dec.UseNumber()
	if err := dec.Decode(&root); err != nil {
		t.Fatal(err)
	}
	n := 0
	leaves(root, "", func(path string, set func(any), was any) {
		set(other(was))
		changed, err := json.Marshal(root)
		set(was)
		if err != nil {
			t.Fatal(err)
		}
		f := new(evidence.Findings)
		if json.Unmarshal(changed, f) != nil {
			return // no value of its type
		}
		n++
		if d.Findings, err = f.Marshal(); err != nil {
			t.Fatal(err)
		}
		_, err = evidence.VerifyDossier(signed(t, c, d), evidence.Trust{})
		if path == "accused.copies.label" {
			return // told, but also part of derived_from where it is in that
		}
		if ok := slices.Contains(told, path) || slices.Contains(also, path); ok != (err == nil) {
			t.Errorf("%s changed from %v: %v", path, was, err)
		}
	})
	if n < 100 {
		t.Errorf("only %d values were changed", n)
	}
}

// leaves calls for each value below v; set replaces it.
func leaves(v any, path string, each func(path string, set func(any), was any)) {
	sub := func(k string) string { return strings.TrimPrefix(path+"."+k, ".") }
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if isLeaf(x) {
				each(sub(k), func(n any) { v[k] = n }, x)
			} else {
				leaves(x, sub(k), each)
			}
		}
	case []any:
		for i, x := range v {
			if isLeaf(x) {
				each(path, func(n any) { v[i] = n }, x)
			} else {
				leaves(x, path, each)
			}
		}
	}
}

func isLeaf(x any) bool {
	switch x.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func other(was any) any {
	switch was := was.(type) {
	case bool:
		return !was
	case json.Number:
		n, _ := was.Int64()
		return json.Number(fmt.Sprint(n + 1))
	case string:
		switch {
		case strings.HasPrefix(was, "2025-"):
			return strings.Replace(was, "2025-", "2024-", 1)
		case len(was) == 26 && !strings.Contains(was, " "):
			return "0" + was[1:]
		case strings.Contains(was, "e-"):
			return "1.1e-33"
		}
		return was + "x"
	}
	return "x"
}

// The kinds that findings cite have the layouts of those who write them.
func TestCitedEntriesAreChecked(t *testing.T) {
	c := evidencetest.New(2, 40)
	for name, change := range map[string]func(d *evidence.Dossier){
		"a fetch that isn't opened": func(d *evidence.Dossier) { d.Facts = d.Facts[1:] },
		"a fact opened twice":       func(d *evidence.Dossier) { d.Facts = append(d.Facts, d.Facts[0]) },
		"another entry's proof":     func(d *evidence.Dossier) { d.Facts[0].Proof = c.Inner(entrylog.Seq(0)) },
		"a receipt of another":      func(d *evidence.Dossier) { d.Facts[1].Proof = c.Inner(c.Receipt["0/0"]) },
		"a wave left out":           func(d *evidence.Dossier) { d.Waves = d.Waves[1:] },
		"a Form left out":           func(d *evidence.Dossier) { d.Forms = nil },
		"a Form twice":              func(d *evidence.Dossier) { d.Forms = append(d.Forms, d.Forms[0]) },
		"a copy left out":           func(d *evidence.Dossier) { d.Copies = d.Copies[1:] },
		"copies out of order":       func(d *evidence.Dossier) { d.Copies[0], d.Copies[1] = d.Copies[1], d.Copies[0] },
		"fewer copies issued":       func(d *evidence.Dossier) { d.Issued.Copies-- },
		"another count's wave":      func(d *evidence.Dossier) { d.Issued.Wave = 0 },
		"a wave beyond the last":    func(d *evidence.Dossier) { d.Copies[0].Wave = 9 },
		"another recognition key":   func(d *evidence.Dossier) { d.Rec[0] ^= 1 },
		"a run by nobody":           func(d *evidence.Dossier) { d.Run.Signature[3] ^= 1 },
		"a run of other readings":   func(d *evidence.Dossier) { d.Run = c.Run([32]byte{1}, 1) },
		"another run":               func(d *evidence.Dossier) { d.Run = c.Run(d.Run.Readings, 2) },
		"nothing noted":             func(d *evidence.Dossier) { d.Inquiry.Noted = entrylog.InnerProof{} },
		"another entry noted":       func(d *evidence.Dossier) { d.Inquiry.Noted = d.Facts[0].Proof },
		"freeze for codebook":       func(d *evidence.Dossier) { d.Inquiry.Opened = d.Inquiry.Freeze },
		"codebook for freeze":       func(d *evidence.Dossier) { d.Inquiry.Freeze = d.Inquiry.Opened },
		"no findings":               func(d *evidence.Dossier) { d.Findings = nil },
		"no specimens":              func(d *evidence.Dossier) { d.Specimens = nil },
		"a specimen more":           func(d *evidence.Dossier) { d.Specimens = append(d.Specimens, form.Specimen{Name: "x"}) },
	} {
		d := c.Dossier(c.Leak(1), 1)
		change(d)
		if _, err := evidence.VerifyDossier(signed(t, c, d), evidence.Trust{}); err == nil {
			t.Errorf("%s: it verifies", name)
		}
	}
}

func TestAlphaText(t *testing.T) {
	for pico, want := range map[uint64]string{1_000_000: "1.0e-06", 1: "1.0e-12", 1e12: "1.0e-00", 999_999: "9.9e-07", 12_345: "1.2e-08", 500_000_000_000: "5.0e-01", 0: "0.0e+00"} {
		if got := evidence.AlphaText(pico); got != want {
			t.Errorf("%d: got %s, want %s", pico, got, want)
		}
	}
}

func TestTokenCounts(t *testing.T) {
	day := func(n int) evidence.Window {
		return evidence.Window{From: evidencetest.FoundAt.AddDate(0, 0, n), To: evidencetest.FoundAt.AddDate(0, 0, n+1)}
	}
	for i, row := range []struct {
		found, public evidence.Window
		want          bool
	}{
		{day(0), evidence.Window{}, true},                   // never seen elsewhere
		{day(0), day(3), true},                              // certainly before
		{day(3), day(0), false},                             // certainly after
		{day(0), day(0), false},                             // may be either
		{day(0), day(1), false},                             // touching
		{evidence.Window{}, day(3), false},                  // found at an unknown time
		{day(0), evidence.Window{To: day(9).To}, false},     // seen at an unknown time
		{evidence.Window{From: day(0).From}, day(9), false}, // found at or after
		{evidence.Window{}, evidence.Window{}, false},       // the same, and never seen elsewhere
		{evidence.Window{To: day(0).To}, day(9), true},      // existed by then
		{day(0), evidence.Window{From: day(9).From, To: day(9).To, Entry: 4}, true},
	} {
		if got := evidence.TokenCounts(row.found, row.public); got != row.want {
			t.Errorf("row %d: got %t", i, got)
		}
	}
}

func FuzzDossier(f *testing.F) {
	c := evidencetest.New(2, 6)
	b, err := c.Dossier([]form.Specimen{{Name: "n", Data: []byte("x")}}).Sign(c.Inquiry)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, false)
	f.Add(b, true)
	for _, folder := range []string{"../../doc/spec/vectors/dossier2", jointVectors} {
		for _, v := range files(f, folder, ".dossier") {
			f.Add(v, false)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, sign bool) {
		if sign && len(in) == len(b) && bytes.Equal(frameOf(in), frameOf(b)) {
			in = resign(c, in)
		}
		r, err := evidence.VerifyDossier(in, evidence.Trust{})
		if err == nil && (r.Conclusion == "" || r.Findings == nil) {
			t.Fatal("it verifies without a conclusion")
		}
	})
}

// frameOf is what parts relies on.
func frameOf(b []byte) (out []byte) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	all, _ := parts(b)
	for _, p := range all {
		out = append(out, fmt.Sprint(p.name, p.from, p.to)...)
	}
	return out
}

func FuzzFindings(f *testing.F) {
	c := evidencetest.New(2, 40)
	f.Add(c.Dossier(c.Leak(1), 1).Findings)
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := evidence.ParseFindings(b)
		if err != nil {
			if !errors.Is(err, wire.ErrFormat) {
				t.Fatalf("an error without a class: %v", err)
			}
			return
		}
		if again, err := got.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Fatal("it parses and re-encodes differently")
		}
	})
}
