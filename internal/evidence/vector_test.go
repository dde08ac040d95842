package evidence_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/wire"
)

var update = flag.Bool("update", false, "write the vectors in doc/spec/vectors anew")

const (
	receiptVectors = "../../doc/spec/vectors/receipt"
	dossierVectors = "../../doc/spec/vectors/dossier"
)

// receiptVector is a copy proof and a receipt, with what they say.
type receiptVector struct {
	Comment  string `json:"comment"`
	Valid    bool   `json:"valid"`
	VKey     string `json:"vkey"`
	Interval int    `json:"interval_seconds"`
	Proof    string `json:"proof"`
	Receipt  string `json:"receipt"`
	Leaf     string `json:"leaf,omitempty"`
	Wave     string `json:"wave,omitempty"`
	Level    string `json:"level,omitempty"`
	OpensAt  string `json:"opens_at,omitempty"`
}

// check is how a reader of the format uses a vector.
func (v receiptVector) check(t *testing.T) error {
	t.Helper()
	pb, err := hex.DecodeString(v.Proof)
	if err != nil {
		t.Fatal(err)
	}
	rb, err := hex.DecodeString(v.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	p, err := evidence.ParseCopyProof(pb)
	if err != nil {
		return err
	}
	w, err := p.Verify(verifier(t, v.VKey), time.Duration(v.Interval)*time.Second)
	if err != nil {
		return err
	}
	r, err := evidence.ParseReceipt(rb)
	if err != nil {
		return err
	}
	if err := r.Acknowledges(p); err != nil {
		return err
	}
	leaf := p.Leaf()
	if v.Valid && (hex.EncodeToString(leaf[:]) != v.Leaf || w.Wave.String() != v.Wave || w.Level.String() != v.Level || w.OpensAt.Format(time.RFC3339) != v.OpensAt) {
		t.Errorf("%s: leaf, wave, level or time are others", v.Comment)
	}
	return nil
}

func receiptCases() map[string]receiptVector {
	c := evidencetest.New(3, 8)
	_, other := evidencetest.Signer("other.example")
	make := func(comment string, proof func(*evidence.CopyProof), receipt func(*evidence.Receipt)) receiptVector {
		p, r := c.Proof(1, 1), c.Acknowledge(1, 1)
		if proof != nil {
			proof(p)
		}
		if receipt != nil {
			receipt(r)
		}
		return receiptVector{Comment: comment, VKey: c.LogKey, Interval: 60, Proof: hex.EncodeToString(p.Marshal()), Receipt: hex.EncodeToString(r.Marshal())}
	}
	good := make("a copy proof that holds, and the holder's receipt", nil, nil)
	leaf := c.Proof(1, 1).Leaf()
	good.Valid, good.Leaf, good.Wave = true, hex.EncodeToString(leaf[:]), c.Waves[1].Statement.Wave.String()
	good.Level, good.OpensAt = "poc", evidencetest.Opens[1].Format(time.RFC3339)
	out := map[string]receiptVector{
		"good":                good,
		"fail-holder":         make("another holder than the leaf's", func(p *evidence.CopyProof) { p.Holder = c.Holders[0].ID }, nil),
		"fail-copy":           make("another copy hash", func(p *evidence.CopyProof) { p.Copy[0] ^= 1 }, nil),
		"fail-key-commitment": make("another key's commitment", func(p *evidence.CopyProof) { p.KeyCommitment[0] ^= 1 }, nil),
		"fail-salt":           make("another salt", func(p *evidence.CopyProof) { p.LeafSalt[0] ^= 1 }, nil),
		"fail-path":           make("a sibling changed", func(p *evidence.CopyProof) { p.Path.Siblings[3][0] ^= 1 }, nil),
		"fail-path-depth": make("a path shorter than the wave's tree is deep", func(p *evidence.CopyProof) {
			p.Path.Siblings = p.Path.Siblings[:evidencetest.Depth-1]
			p.Path.Position &= 1<<(evidencetest.Depth-1) - 1
		}, nil),
		"fail-wave":                  make("the entry of another wave", func(p *evidence.CopyProof) { p.Entry = c.Entry(0) }, nil),
		"fail-entry":                 make("another record under the same board", func(p *evidence.CopyProof) { p.Entry.Record = c.Entry(0).Record }, nil),
		"fail-receipt-of-another":    make("a receipt for another holder's copy", nil, func(r *evidence.Receipt) { *r = *c.Acknowledge(0, 1) }),
		"fail-receipt-of-other-wave": make("a receipt for the holder's copy in another wave", nil, func(r *evidence.Receipt) { *r = *c.Acknowledge(1, 0) }),
		"fail-receipt-root":          make("the anchor log's root changed after signing", nil, func(r *evidence.Receipt) { r.AnchorRoot[0] ^= 1 }),
		"fail-receipt-size":          make("the anchor log's size changed after signing", nil, func(r *evidence.Receipt) { r.AnchorSize++ }),
		"fail-receipt-origin":        make("the origin changed after signing", nil, func(r *evidence.Receipt) { r.Origin = "other.example" }),
		"fail-receipt-key":           make("the key of another holder", nil, func(r *evidence.Receipt) { copy(r.Key[:], c.Holders[0].Receipts[32:]) }),
		"fail-receipt-signature":     make("a signature changed", nil, func(r *evidence.Receipt) { r.Signature[40] ^= 1 }),
	}
	v := make("another log's key", nil, nil)
	v.VKey = other
	out["fail-log-key"] = v
	v = make("another interval", nil, nil)
	v.Interval = 120
	out["fail-interval"] = v
	v = make("a byte after the end of the proof", nil, nil)
	v.Proof += "00"
	out["fail-proof-longer"] = v
	v = make("the proof's magic", nil, nil)
	v.Proof = strings.Replace(v.Proof, hex.EncodeToString([]byte("v1\n")), hex.EncodeToString([]byte("v2\n")), 1)
	out["fail-proof-magic"] = v
	v = make("the receipt cut short", nil, nil)
	v.Receipt = v.Receipt[:len(v.Receipt)-2]
	out["fail-receipt-cut"] = v
	return out
}

func TestReceiptVectors(t *testing.T) {
	cases := receiptCases()
	if *update {
		for name, v := range cases {
			writeJSON(t, filepath.Join(receiptVectors, name+".json"), v)
		}
	}
	seen := 0
	for name, b := range files(t, receiptVectors, ".json") {
		var v receiptVector
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		seen++
		if err := v.check(t); v.Valid != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if want, ok := cases[name]; !ok || want != v {
			t.Errorf("%s is not what this program writes", name)
		}
	}
	if seen != len(cases) {
		t.Errorf("%d vectors are there, %d are known", seen, len(cases))
	}
}

func writeJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, append(b, '\n'))
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func files(t testing.TB, dir, ext string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+ext))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors in %s: %v", dir, err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(p), ext)] = b
	}
	return out
}

// dossierVector is one failure: what to change in good.dossier, byte for byte,
// and the step at which it must be found out.
type dossierVector struct {
	Comment string `json:"comment"`
	Step    string `json:"step"`
	Signed  bool   `json:"signed"` // the inquiry signed the change
	Edits   []edit `json:"edits"`
}

type edit struct {
	At    int    `json:"at"`
	Bytes string `json:"bytes"` // hex; replaces as many
}

func (v dossierVector) apply(t *testing.T, good []byte) []byte {
	t.Helper()
	out := bytes.Clone(good)
	for _, e := range v.Edits {
		b, err := hex.DecodeString(e.Bytes)
		if err != nil || e.At+len(b) > len(out) {
			t.Fatalf("%s: edit at %d: %v", v.Comment, e.At, err)
		}
		copy(out[e.At:], b)
	}
	return out
}

// edits are the stretches where two files of one length differ.
func edits(a, b []byte) (out []edit) {
	for i := 0; i < len(a); i++ {
		if a[i] == b[i] {
			continue
		}
		j := i
		for j < len(a) && !bytes.Equal(a[j:min(j+8, len(a))], b[j:min(j+8, len(a))]) {
			j++
		}
		out = append(out, edit{i, hex.EncodeToString(b[i:j])})
		i = j
	}
	return out
}

// dossierSet is a good dossier and what must fail.
type dossierSet struct {
	t     *testing.T
	c     *evidencetest.Case
	make  func() *evidence.Dossier
	good  []byte
	cases map[string]dossierVector
}

func newDossierSet(t *testing.T, c *evidencetest.Case, make func() *evidence.Dossier) *dossierSet {
	return &dossierSet{t, c, make, signed(t, c, make()), map[string]dossierVector{}}
}

func (s *dossierSet) add(name, comment, step string, sign bool, bad []byte) {
	s.t.Helper()
	if len(bad) != len(s.good) {
		s.t.Fatalf("%s: %d bytes instead of %d", name, len(bad), len(s.good))
	}
	s.cases[name] = dossierVector{comment, step, sign, edits(s.good, bad)}
}

func (s *dossierSet) flip(at int) []byte {
	b := bytes.Clone(s.good)
	b[at] ^= 1
	return b
}

// lie is a change that the inquiry signs.
func (s *dossierSet) lie(name, comment, step string, change func(*evidence.Dossier)) {
	s.t.Helper()
	d := s.make()
	change(d)
	s.add(name, comment, step, true, signed(s.t, s.c, d))
}

// replace changes the findings' text.
func (s *dossierSet) replace(old, new string) func(*evidence.Dossier) {
	return func(d *evidence.Dossier) {
		s.t.Helper()
		if !bytes.Contains(d.Findings, []byte(old)) || len(old) != len(new) {
			s.t.Fatalf("the findings do not hold %q", old)
		}
		d.Findings = bytes.Replace(d.Findings, []byte(old), []byte(new), 1)
	}
}

func dossierCases(t *testing.T) *dossierSet {
	c := evidencetest.New(3, 44)
	specimens := append(c.Leak(1), c.Request(1)...)
	s := newDossierSet(t, c, func() *evidence.Dossier { return c.Dossier(specimens, 1) })
	good, add, flip, lie, replace := s.good, s.add, s.flip, s.lie, s.replace
	all, table := parts(good)
	add("fail-magic", "another magic", "file", false, flip(0))
	add("fail-section-name", "another name of a section", "file", false, flip(len(magic)+4))
	add("fail-section-length", "another length of a section", "file", false, flip(all[2].from-1))
	add("fail-table", "a hash in the table changed", "sections", false, flip(table+3))
	add("fail-signature", "the signature changed", "signature", false, flip(len(good)-1))
	for _, p := range all {
		add("fail-flip-"+strings.ReplaceAll(p.name, " ", "-"), "a byte of section "+p.name+" changed", "sections", false, flip((p.from+p.to)/2))
	}
	f, err := evidence.ParseFindings(s.make().Findings)
	if err != nil {
		t.Fatal(err)
	}
	lie("lie-probability", "a smaller p_adjusted than follows", "probabilities", replace(`"p_adjusted": "`+f.Accused[0].PAdjusted, `"p_adjusted": "1.0e-40`[:len(`"p_adjusted": "`+f.Accused[0].PAdjusted)]))
	lie("lie-copies", "fewer copies than were committed to", "copies issued", func(d *evidence.Dossier) {
		replace(`"copies": 4`, `"copies": 3`)(d)
		d.Issued.Copies = 3
	})
	lie("lie-run", "another run than the codebook's entry", "codebook", replace(`"run": 1`, `"run": 0`))
	lie("lie-statement", "the statement names another holder", "conclusion", replace("issued to Member B", "issued to Member C"))
	lie("lie-assumption", "an assumption changed", "assumptions", replace("cannot be proved", "need not be done"))
	lie("lie-token", "a token at another place", "tokens", replace(`"offset": 18`, `"offset": 19`))
	lie("lie-specimen", "a specimen with one letter changed", "specimens", func(d *evidence.Dossier) {
		d.Specimens = slices.Clone(d.Specimens)
		d.Specimens[0].Data = bytes.Replace(d.Specimens[0].Data, []byte("The"), []byte("the"), 1)
	})
	lie("lie-readings", "a symbol read otherwise", "freeze", func(d *evidence.Dossier) { d.Readings[len(d.Readings)-40] ^= 1 })
	lie("lie-bias", "another bias key", "bias key", func(d *evidence.Dossier) { d.Bias[0] ^= 1 })
	lie("lie-key", "another copy key", "copies named", func(d *evidence.Dossier) { d.Copies[0].Key[0] ^= 1 })
	lie("lie-recognition", "another recognition key", "printing again", func(d *evidence.Dossier) {
		d.Rec[0] ^= 1
	})
	lie("lie-form", "a literal of the Form changed", "Forms", func(d *evidence.Dossier) {
		d.Forms[0].Form = bytes.Replace(bytes.Clone(d.Forms[0].Form), []byte("unit.test"), []byte("host.test"), 1)
	})
	lie("lie-fetch", "a fetch by another entry", "opened entries", func(d *evidence.Dossier) {
		d.Facts[0].Proof = c.Frozen(specimens).Inner(c.Fetch["0/0"])
	})
	return s
}

func TestDossierVectors(t *testing.T) { dossierCases(t).compare(dossierVectors) }

// compare holds the set against the vectors of a folder.
func (s *dossierSet) compare(folder string) {
	t, good, cases, keys := s.t, s.good, s.cases, [2]string{s.c.LogKey, s.c.InquiryKey}
	t.Helper()
	if *update {
		write(t, filepath.Join(folder, "good.dossier"), good)
		writeJSON(t, filepath.Join(folder, "keys.json"), map[string]string{"log": keys[0], "inquiry": keys[1]})
		for name, v := range cases {
			writeJSON(t, filepath.Join(folder, name+".json"), v)
		}
	}
	stored, err := os.ReadFile(filepath.Join(folder, "good.dossier"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, good) {
		t.Error("good.dossier is not what this program writes")
	}
	r, err := evidence.VerifyDossier(stored, evidence.Trust{LogKey: keys[0], InquiryKey: keys[1]})
	if err != nil || r.Conclusion != evidence.Traced {
		t.Fatalf("good.dossier: %q, %v", r.Conclusion, err)
	}
	for name, b := range files(t, folder, ".json") {
		if name == "keys" {
			continue
		}
		var v dossierVector
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if _, ok := cases[name]; !ok {
			t.Errorf("%s is not known", name)
		}
		r, err := evidence.VerifyDossier(v.apply(t, stored), evidence.Trust{})
		if err == nil {
			t.Errorf("%s: it verifies", name)
			continue
		}
		if at := slices.IndexFunc(r.Steps, func(s evidence.Step) bool { return !s.OK }); r.Steps[at].Name != v.Step {
			t.Errorf("%s: found out at %q, not at %q: %v", name, r.Steps[at].Name, v.Step, err)
		}
		if !errors.Is(err, evidence.ErrNotVerified) && !errors.Is(err, entrylog.ErrProof) && !errors.Is(err, wire.ErrFormat) {
			t.Errorf("%s: an error without a class: %v", name, err)
		}
	}
}
