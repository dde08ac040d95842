package form

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// golden is a small Form with one of everything, written out by hand. Its bytes
// are frozen in doc/spec/vectors/form and must never change.
func golden(t testing.TB) *Form {
	id := func(b byte) (s fpcode.SiteID) {
		for i := range s {
			s[i] = b
		}
		return s
	}
	list := [][]byte{[]byte("- close the import page\n"), []byte("- watch the theme folder\n"), []byte("- tell the owners of sites\n")}
	place := func(which ...int) (out [][]byte) {
		for _, i := range which {
			out = append(out, list[i])
		}
		return out
	}
	f := &Form{
		Sites: []Site{{ID: id(0x11), Class: fpcode.ClassProse, Q: 2}, {ID: id(0x22), Class: fpcode.ClassProse, Q: 3}, {ID: id(0x33), Class: fpcode.ClassOrder, Q: 6}},
		Files: []File{
			{Path: "advisory.md", Level: Description, Parts: []Part{
				{Bytes: []byte("# Larkspur Portal: import before the session check\n\nA request without a session ")},
				{Kind: Choice, Site: 0, Alternatives: [][]byte{[]byte("is able to"), []byte("can")}},
				{Bytes: []byte(" place a file in the theme folder of the portal. ")},
				{Kind: Choice, Site: 1, Alternatives: [][]byte{[]byte("Until the update arrives"), []byte("Before the release"), []byte("Meanwhile")}},
				{Bytes: []byte(", please:\n\n")},
				{Kind: Choice, Site: 2, Alternatives: place(0, 0, 1, 1, 2, 2)},
				{Kind: Choice, Site: 2, Alternatives: place(1, 2, 0, 2, 0, 1)},
				{Kind: Choice, Site: 2, Alternatives: place(2, 1, 2, 0, 1, 0)},
				{Bytes: []byte("\nThe file that appears is a template; it is harmless until a page is asked for.\n")},
			}},
			{Path: "big/fixture.bin", Level: Detection, Bulk: true, Parts: []Part{{Bytes: []byte{0, 1, 2, 0xff}}}},
			{Path: "empty.txt", Level: HeadsUp},
			{Path: "poc/probe.py", Level: PoC, Parts: []Part{
				{Bytes: []byte("BOUNDARY = \"")},
				{Kind: Token, Slot: "boundary", Alphabet: token.Hex},
				{Bytes: []byte("\"\n# This probe ")},
				{Kind: Choice, Site: 0, Alternatives: [][]byte{[]byte("is able to"), []byte("can")}},
				{Bytes: []byte(" show the fault without leaving anything behind.\nRUN = \"")},
				{Kind: Token, Slot: "run", Alphabet: token.UUID},
				{Bytes: []byte("\"\nEND = \"")},
				{Kind: Token, Slot: "boundary", Alphabet: token.Hex},
				{Bytes: []byte("\"\n")},
			}},
		},
	}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	return f
}

var freeze = flag.Bool("form.freeze", false, "write the vectors that do not exist yet")

// vector reads a frozen file. With -form.freeze it writes it first, but never
// over an old one.
func vector(t *testing.T, name string, v any) {
	t.Helper()
	path := "../../doc/spec/vectors/" + name
	if _, err := os.Stat(path); *freeze && os.IsNotExist(err) {
		b, err := json.MarshalIndent(v, "", "  ")
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }
func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

type vectorFile struct {
	Path string   `json:"path"`
	Data hexBytes `json:"data"`
}

type vectorCopy struct {
	Level    Level             `json:"level"`
	Symbols  []uint8           `json:"symbols"` // of the Form's sites, in order
	Tokens   map[string]string `json:"tokens"`
	Files    []vectorFile      `json:"files"`
	CopyHash hexBytes          `json:"copy_hash"`
}

type formVector struct {
	Comment   string       `json:"comment"`
	Form      hexBytes     `json:"form"`
	Hash      hexBytes     `json:"hash"`
	SlotTable hexBytes     `json:"slot_table"`
	SlotsHash hexBytes     `json:"slot_table_hash"`
	Copies    []vectorCopy `json:"copies"`
	Bulk      []vectorFile `json:"bulk"`
}

func files(outputs []Output) (out []vectorFile) {
	for _, o := range outputs {
		out = append(out, vectorFile{o.Path, o.Data})
	}
	return out
}

// TestGolden: the golden Form, its hashes and its copies are the same bytes as
// when they were frozen.
func TestGolden(t *testing.T) {
	f := golden(t)
	hash, slots := f.Hash(), f.SlotTableHash()
	now := formVector{Comment: "A Form with one of everything, and what it renders to. Frozen for ever.",
		Form: f.Marshal(), Hash: hash[:], SlotTable: f.SlotTable(), SlotsHash: slots[:], Bulk: files(f.RenderBulk(PoC))}
	for _, c := range []vectorCopy{
		{Level: PoC, Symbols: []uint8{1, 2, 4}},
		{Level: Description, Symbols: []uint8{0, 1, 0}},
		{Level: HeadsUp, Symbols: []uint8{0, 0, 0}},
	} {
		c.Tokens = map[string]string{"boundary": "00112233445566778899aabbccddeeff", "run": "6f1c2e0a-54c1-4c7e-9b5d-0f3a6f0e9d11"}
		outs := f.Render(c.Level, func(s Site) uint8 {
			i, _ := slices.BinarySearchFunc(f.Sites, s.ID, func(s Site, id fpcode.SiteID) int { return bytes.Compare(s.ID[:], id[:]) })
			return c.Symbols[i]
		}, func(slot string, _ token.Alphabet) string { return c.Tokens[slot] })
		sum := CopyHash(outs)
		c.Files, c.CopyHash = files(outs), sum[:]
		now.Copies = append(now.Copies, c)
	}
	was := now
	vector(t, "form/good.json", &was)
	if !reflect.DeepEqual(now, was) {
		t.Errorf("the golden Form has changed:\n%+v\nwas\n%+v", now, was)
	}
	parsed, err := Parse(was.Form)
	if err != nil || !reflect.DeepEqual(parsed.Marshal(), f.Marshal()) {
		t.Errorf("the golden Form does not parse back: %v", err)
	}
}

type badVector struct {
	Comment string   `json:"comment"`
	Form    hexBytes `json:"form"`
	Error   string   `json:"error"`
}

// TestGoldenBad: a Form that is right in all but being canonical is refused.
func TestGoldenBad(t *testing.T) {
	good := golden(t).Marshal()
	// Two alternatives swapped in the list, and the references to them with it:
	// the same Form, written in a way that Marshal never writes it.
	at := bytes.Index(good, []byte("\x00\x00\x00\x02\x00\x00\x00\x0ais able to\x00\x00\x00\x03can\x00\x00\x00\x02\x00\x01"))
	bad := slices.Clone(good)
	copy(bad[at+4:], "\x00\x00\x00\x03can\x00\x00\x00\x0ais able to\x00\x00\x00\x02\x01\x00")
	v := badVector{"The golden Form, but one choice lists its alternatives in another order than its symbols use them. Parse must refuse.", bad,
		"alternatives are not listed once each in the order of their symbols"}
	was := v
	vector(t, "form/bad.json", &was)
	if !reflect.DeepEqual(v, was) {
		t.Error("the vector has changed")
	}
	if _, err := Parse(was.Form); !errors.Is(err, wire.ErrFormat) || !strings.Contains(err.Error(), was.Error) {
		t.Errorf("got %v, want %q", err, was.Error)
	}
}

type copyVector struct {
	Comment    string       `json:"comment"`
	Files      []vectorFile `json:"files"`
	CopyHash   hexBytes     `json:"copy_hash"`
	Salt       hexBytes     `json:"salt"`
	Holder     hexBytes     `json:"holder"`
	Commitment hexBytes     `json:"key_commitment"`
	Leaf       hexBytes     `json:"leaf"`
}

func (v *copyVector) compute() (hash, leaf [32]byte) {
	var outs []Output
	for _, f := range v.Files {
		outs = append(outs, Output{f.Path, f.Data})
	}
	hash = CopyHash(outs)
	return hash, CopyLeaf([32]byte(v.Salt), [16]byte(v.Holder), [32]byte(v.Commitment), hash)
}

func TestCopyVectors(t *testing.T) {
	key := fpcode.Commit(fpcode.Key{1, 2, 3})
	good := copyVector{Comment: "Two files, given out of order; the hash takes them in order of path.",
		Files: []vectorFile{{"rules/a.rules", []byte("alert\n")}, {"advisory.md", []byte("text\n")}},
		Salt:  bytes.Repeat([]byte{0xa5}, 32), Holder: bytes.Repeat([]byte{0x0b}, 16), Commitment: key[:]}
	hash, leaf := good.compute()
	good.CopyHash, good.Leaf = hash[:], leaf[:]
	bad := good
	bad.Comment = "The same bytes under another name of a file: the hash and the leaf of the good copy must not verify."
	bad.Files = []vectorFile{{"rules/a.rules", []byte("alert\n")}, {"advisory.txt", []byte("text\n")}}
	for _, c := range []struct {
		file string
		now  copyVector
		same bool
	}{{"copy/good.json", good, true}, {"copy/bad.json", bad, false}} {
		was := c.now
		vector(t, c.file, &was)
		if !reflect.DeepEqual(was, c.now) {
			t.Errorf("%s has changed", c.file)
		}
		hash, leaf := was.compute()
		if bytes.Equal(hash[:], was.CopyHash) != c.same || bytes.Equal(leaf[:], was.Leaf) != c.same {
			t.Errorf("%s: verifies %v", c.file, !c.same)
		}
	}
}

type readVector struct {
	Comment string   `json:"comment"`
	Form    hexBytes `json:"form"`
	Text    hexBytes `json:"specimen"`
	Reader  string   `json:"reader"`
	Read    hexBytes `json:"readings"`
	Hash    hexBytes `json:"hash"`
	// Readings of testdata/noisy.txt against testdata/advisory, by hash: any
	// change of the reader shows.
	Noisy hexBytes `json:"noisy_hash"`
}

// advisoryWithErrors is a frozen copy of the test package, its sentences
// shuffled and one in sixteen characters wrong.
func advisoryWithErrors(t *testing.T) []byte {
	const path = "testdata/noisy.txt"
	if _, err := os.Stat(path); *freeze && os.IsNotExist(err) {
		f, dice := advisory(t), rand.New(rand.NewPCG(5, 5))
		var b []byte
		for _, o := range render(f, symbols(f, dice), 1) {
			b = append(b, charErrors(1./16)(dice, shuffleSentences(dice, string(o.Data)))...)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGoldenReadings: each reader reads as it always did. A reader that reads
// otherwise is another version.
func TestGoldenReadings(t *testing.T) {
	files := map[string]string{Align1: "form/readings.json", Align2: "form/readings-2.json"}
	for _, version := range ReaderVersions {
		t.Run(version, func(t *testing.T) { goldenReadings(t, version, files[version]) })
	}
}

func goldenReadings(t *testing.T, version, file string) {
	f := golden(t)
	text := []byte("<p>A request without a <b>session</b> can place a file in the theme folder of the portal. MEANWHILE, please:</p>" +
		"<li>tell the owners of sites<li>close the import page<li>watch the theme folder</li> The file that appears is a templ&shy;ate")
	read := func(f *Form, s Specimen) Readings {
		r, err := ReadVersion(f, version, []Specimen{s})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := read(f, Specimen{"page.html", text})
	hash := r.Hash()
	a := read(advisory(t), Specimen{"noisy.txt", advisoryWithErrors(t)})
	sum := a.Hash()
	now := readVector{Comment: "What the reader makes of a page that shows part of a copy of form/good.json.", Form: f.Marshal(), Text: text,
		Reader: version, Read: r.Marshal(), Hash: hash[:], Noisy: sum[:]}
	was := now
	vector(t, file, &was)
	if !reflect.DeepEqual(now, was) {
		t.Errorf("%s reads otherwise than it did; give the reader a new version\nnow %+v\nwas %+v", version, now, was)
	}
	if v, o, e := r.Count(); v != 3 || o != 0 || e != 0 {
		t.Errorf("%d read, %d other, %d erased: %+v", v, o, e, r.Sites)
	}
	soft := 0
	for i := range a.Sites {
		if len(a.Sites[i].Likelihood) > 0 {
			soft++
		}
	}
	if (soft > 0) != (version == Align2) {
		t.Errorf("%d readings of the noisy copy have likelihoods", soft)
	}
}
