package entrylog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/wire"
)

var update = flag.Bool("update", false, "write doc/spec/vectors/{entry,anchor} anew")

const vectorDir = "../../doc/spec/vectors"

// hexBytes is written as hex.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// entryVector is one entry, or bytes that are none.
type entryVector struct {
	Comment  string   `json:"comment"`
	Encoded  hexBytes `json:"encoded"`
	Valid    bool     `json:"valid"`
	Time     string   `json:"time,omitempty"`
	Auth     uint8    `json:"auth,omitempty"`
	Actor    hexBytes `json:"actor,omitempty"`
	Kind     uint16   `json:"kind,omitempty"`
	Subject  hexBytes `json:"subject,omitempty"`
	Body     hexBytes `json:"body,omitempty"`
	Blinding hexBytes `json:"blinding,omitempty"`
	Seq      uint64   `json:"seq,omitempty"`
	Random   hexBytes `json:"random,omitempty"`
	Salt     hexBytes `json:"salt,omitempty"`
	Commit   hexBytes `json:"commitment,omitempty"`
	Leaf     hexBytes `json:"leaf_hash,omitempty"`
}

func writeVector(t *testing.T, dir, name string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(vectorDir, dir, name+".json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// eachVector reads all vectors of a format; there must be at least least.
func eachVector[T any](t *testing.T, dir string, least int, f func(t *testing.T, name string, v T)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(vectorDir, dir, "*.json"))
	if err != nil || len(paths) < least {
		t.Fatalf("%d vectors in %s, want at least %d (%v)", len(paths), dir, least, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var v T
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) { f(t, name, v) })
	}
}

func updateEntryVectors(t *testing.T) {
	s := newSample(t)
	e, _ := ParseEntry(s.records[3].Entry)
	commit := s.records[3].Commit()
	leaf := LeafHash(commit[:])
	good := s.records[3].Entry
	writeVector(t, "entry", "good", entryVector{
		Comment: "an entry, its salt and its commitment", Valid: true, Encoded: good,
		Time: e.Time.Format(time.RFC3339Nano), Auth: uint8(e.Auth), Actor: e.Actor[:], Kind: uint16(e.Kind),
		Subject: e.Subject[:], Body: e.Body, Blinding: testBlinding[:], Seq: 3,
		Random: s.records[3].Salt[:16], Salt: s.records[3].Salt[:], Commit: commit[:], Leaf: leaf[:],
	})
	for _, bad := range []struct {
		name, comment string
		change        func([]byte) []byte
	}{
		{"fail-version", "version 2", func(b []byte) []byte { b[0] = 2; return b }},
		{"fail-before-1970", "one microsecond before 1970", func(b []byte) []byte {
			copy(b[1:9], bytes.Repeat([]byte{0xff}, 8))
			return b
		}},
		{"fail-no-time", "the time that stands for none", func(b []byte) []byte {
			copy(b[1:9], []byte{0x80, 0, 0, 0, 0, 0, 0, 0})
			return b
		}},
		{"fail-auth", "authentication 5 is unknown", func(b []byte) []byte { b[9] = 5; return b }},
		{"fail-kind", "kind 0", func(b []byte) []byte { b[26], b[27] = 0, 0; return b }},
		{"fail-cut", "the last byte is missing", func(b []byte) []byte { return b[:len(b)-1] }},
		{"fail-longer", "a byte follows the end", func(b []byte) []byte { return append(b, 0) }},
		{"fail-body-length", "a body of 1 MiB and one byte is announced", func(b []byte) []byte {
			copy(b[44:48], []byte{0, 0x10, 0, 1})
			return b
		}},
		{"fail-empty", "no bytes", func([]byte) []byte { return nil }},
	} {
		writeVector(t, "entry", bad.name, entryVector{Comment: bad.comment, Encoded: bad.change(bytes.Clone(good))})
	}
}

func TestEntryVectors(t *testing.T) {
	if *update {
		updateEntryVectors(t)
	}
	eachVector(t, "entry", 9, func(t *testing.T, name string, v entryVector) {
		e, err := ParseEntry(v.Encoded)
		if !v.Valid {
			if !errors.Is(err, wire.ErrFormat) {
				t.Errorf("%s: read as %+v, %v", v.Comment, e, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Time.Format(time.RFC3339Nano) != v.Time || uint8(e.Auth) != v.Auth || !bytes.Equal(e.Actor[:], v.Actor) ||
			uint16(e.Kind) != v.Kind || !bytes.Equal(e.Subject[:], v.Subject) || !bytes.Equal(e.Body, v.Body) {
			t.Errorf("read as %+v", e)
		}
		if !bytes.Equal(wire.Marshal(&e), v.Encoded) {
			t.Error("written otherwise")
		}
		// From the words of the specification, with the standard library alone.
		key := hmacOf(v.Blinding, "forewarn/salt-key/v1\n")
		n := u64(v.Seq)
		check := hmacOf(key, "forewarn/salt/v1\n", v.Random, n[:], v.Encoded)
		if salt := append(bytes.Clone(v.Random), check[:16]...); !bytes.Equal(salt, v.Salt) {
			t.Errorf("salt %x", salt)
		}
		if !(Record{Salt: [32]byte(v.Salt), Entry: v.Encoded}).Intact([32]byte(key), Seq(v.Seq)) {
			t.Error("not intact")
		}
		commit := hmacOf(v.Salt, "forewarn/entry/v1\n", v.Encoded)
		leaf := sha256.Sum256(append([]byte{0}, commit...))
		if got := Commit([32]byte(v.Salt), v.Encoded); !bytes.Equal(commit, v.Commit) || !bytes.Equal(got[:], commit) {
			t.Errorf("commitment %x", commit)
		}
		if !bytes.Equal(leaf[:], v.Leaf) || LeafHash(commit) != leaf {
			t.Errorf("leaf hash %x", leaf)
		}
	})
}

func hmacOf(key []byte, label string, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(label))
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// anchorVector is a whole small log, or a proof that does not hold.
type anchorVector struct {
	Comment  string `json:"comment"`
	Valid    bool   `json:"valid"`
	VKey     string `json:"vkey"`
	Interval int    `json:"interval_seconds"`

	// Of a log.
	Blinding   hexBytes        `json:"blinding,omitempty"`
	Entries    []anchoredEntry `json:"entries,omitempty"`
	FirstTick  uint64          `json:"first_tick,omitempty"`
	Anchors    []hexBytes      `json:"anchors,omitempty"`
	Checkpoint string          `json:"checkpoint,omitempty"`
	Tiles      []fileVector    `json:"tiles,omitempty"`

	// Of a proof.
	Kind  string   `json:"proof_kind,omitempty"` // "entry" or "inner"
	Proof hexBytes `json:"proof,omitempty"`
	Entry hexBytes `json:"entry,omitempty"` // what it opens
	Step  string   `json:"fails_at,omitempty"`
}

type anchoredEntry struct {
	Time   string   `json:"time"`
	Commit hexBytes `json:"commitment"`
	Public bool     `json:"public,omitempty"`
}

type fileVector struct {
	Path string   `json:"path"`
	Data hexBytes `json:"data"`
}

func updateAnchorVectors(t *testing.T) {
	s := newSample(t)
	vkey, err := note.NewEd25519VerifierKey(testOrigin, s.signer.key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	base := anchorVector{VKey: vkey, Interval: 60}

	log := base
	log.Comment, log.Valid = "five entries, two of them public, and the anchors of seven ticks", true
	log.Blinding, log.FirstTick, log.Checkpoint = testBlinding[:], uint64(s.trees.First()), string(s.signed)
	for i, r := range s.records {
		e, _ := ParseEntry(r.Entry)
		c := r.Commit()
		log.Entries = append(log.Entries, anchoredEntry{e.Time.Format(time.RFC3339Nano), c[:], i%2 == 1})
	}
	for i := range s.size {
		a, _ := s.trees.Anchor(i)
		leaf := a.Leaf()
		log.Anchors = append(log.Anchors, leaf[:])
	}
	files, _, err := s.trees.Tiles(0, s.size)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		log.Tiles = append(log.Tiles, fileVector{f.Path, f.Data})
	}
	writeVector(t, "anchor", "good-log", log)

	good := base
	p := s.prove(t, 3)
	good.Comment, good.Valid, good.Kind = "a member's proof of entry 3", true, "entry"
	good.Proof, good.Entry = wire.Marshal(&p), s.records[3].Entry
	writeVector(t, "anchor", "good-entry-proof", good)
	inner := base
	q := s.proveInner(t, 2)
	inner.Comment, inner.Valid, inner.Kind = "an auditor's proof of entry 2, under a later anchor", true, "inner"
	inner.Proof, inner.Entry = wire.Marshal(&q), s.records[2].Entry
	writeVector(t, "anchor", "good-inner-proof", inner)

	for _, h := range harms {
		p := s.prove(t, 3)
		p.Record.Entry = bytes.Clone(p.Record.Entry)
		p.Inclusion = append([]Hash(nil), p.Inclusion...)
		h.do(t, s, &p)
		bad := base
		bad.Comment, bad.Kind, bad.Step = strings.ReplaceAll(h.name, "-", " "), "entry", h.step
		bad.Proof = wire.Marshal(&p)
		writeVector(t, "anchor", "fail-"+h.name, bad)
	}
	for name, change := range map[string]func([]byte) []byte{
		"fail-encoding-longer": func(b []byte) []byte { return append(b, 0) },
		"fail-encoding-cut":    func(b []byte) []byte { return b[:len(b)-1] },
		"fail-encoding-magic":  func(b []byte) []byte { b[0] ^= 1; return b },
	} {
		p := s.prove(t, 3)
		bad := base
		bad.Comment, bad.Kind, bad.Step = strings.ReplaceAll(strings.TrimPrefix(name, "fail-"), "-", " "), "entry", "encoding"
		bad.Proof = change(wire.Marshal(&p))
		writeVector(t, "anchor", name, bad)
	}
}

func TestAnchorVectors(t *testing.T) {
	if *update {
		updateAnchorVectors(t)
	}
	eachVector(t, "anchor", len(harms)+6, func(t *testing.T, name string, v anchorVector) {
		verifier, err := note.NewVerifier(v.VKey)
		if err != nil {
			t.Fatal(err)
		}
		interval := time.Duration(v.Interval) * time.Second
		if v.Proof == nil {
			checkLogVector(t, v, verifier, interval)
			return
		}
		e, err := verifyVector(v, verifier, interval)
		switch {
		case v.Valid && (err != nil || !bytes.Equal(wire.Marshal(&e), v.Entry)):
			t.Errorf("%v; opens %+v", err, e)
		case v.Valid:
		case v.Step == "encoding":
			if !errors.Is(err, wire.ErrFormat) {
				t.Errorf("%v", err)
			}
		case errors.Is(err, wire.ErrFormat) && v.Step == "entry":
		case !errors.Is(err, ErrProof) || !strings.Contains(err.Error(), v.Step+":"):
			t.Errorf("%v; it must fail at: %s", err, v.Step)
		}
	})
}

func verifyVector(v anchorVector, verifier note.Verifier, interval time.Duration) (Entry, error) {
	if v.Kind == "inner" {
		var p InnerProof
		if err := wire.Unmarshal(v.Proof, &p); err != nil {
			return Entry{}, err
		}
		return p.Verify(verifier, interval)
	}
	var p EntryProof
	if err := wire.Unmarshal(v.Proof, &p); err != nil {
		return Entry{}, err
	}
	return p.Verify(verifier, interval)
}

func checkLogVector(t *testing.T, v anchorVector, verifier note.Verifier, interval time.Duration) {
	t.Helper()
	trees, err := NewTrees(Blinding(v.Blinding), interval)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range v.Entries {
		at, err := time.Parse(time.RFC3339Nano, e.Time)
		if err != nil {
			t.Fatal(err)
		}
		if err := trees.Add(at, Hash(e.Commit), e.Public); err != nil {
			t.Fatal(err)
		}
	}
	if uint64(trees.First()) != v.FirstTick {
		t.Errorf("first tick %d", trees.First())
	}
	if err := trees.Extend(trees.First() + Tick(len(v.Anchors)) - 1); err != nil {
		t.Fatal(err)
	}
	for i, want := range v.Anchors {
		a, err := trees.Anchor(uint64(i))
		leaf := a.Leaf()
		if err != nil || !bytes.Equal(leaf[:], want) {
			t.Errorf("anchor %d is %x (%v)", i, leaf, err)
		}
	}
	for i, want := range v.Anchors {
		if got := anchorFromWords(v, interval, uint64(i)); !bytes.Equal(got, want) {
			t.Errorf("anchor %d, after the words of the specification, is %x", i, got)
		}
	}
	cp, err := OpenCheckpoint([]byte(v.Checkpoint), verifier)
	if err != nil {
		t.Fatal(err)
	}
	if have, _ := trees.Checkpoint(cp.Origin, uint64(len(v.Anchors))); have != cp {
		t.Errorf("checkpoint %+v, want %+v", have, cp)
	}
	for _, f := range v.Tiles {
		tile, err := ParseTilePath(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := trees.TileData(tile); err != nil || !bytes.Equal(got, f.Data) {
			t.Errorf("%s is %x (%v)", f.Path, got, err)
		}
	}
}

// anchorFromWords follows doc/spec/anchor.md with the standard library alone,
// in the plainest way there is.
func anchorFromWords(v anchorVector, interval time.Duration, index uint64) []byte {
	tick := v.FirstTick + index
	t := u64(tick)
	var inner, board [][]byte
	for _, e := range v.Entries {
		at, _ := time.Parse(time.RFC3339Nano, e.Time)
		step := uint64(interval.Microseconds())
		covered := (uint64(at.UnixMicro()) + step - 1) / step
		if covered <= tick {
			inner = append(inner, e.Commit)
		}
		if covered == tick && e.Public {
			board = append(board, e.Commit)
		}
	}
	salt := hmacOf(v.Blinding, "forewarn/anchor-salt/v1\n", t[:])
	size := u64(uint64(len(inner)))
	out := append(t[:], hmacOf(salt, "forewarn/inner/v1\n", size[:], merkle(inner))...)

	key := hmacOf(v.Blinding, "forewarn/board-key/v1\n", t[:])
	places := map[uint64][]byte{}
	for i, leaf := range board {
		for try := uint64(0); ; try++ {
			n, k := u64(uint64(i)), u64(try)
			draw := hmacOf(key, "forewarn/blind-place/v1\n", n[:], k[:])
			place := uint64(draw[0])<<8 | uint64(draw[1])
			if places[place] == nil {
				places[place] = leaf
				break
			}
		}
	}
	var node func(level int, place uint64) []byte
	node = func(level int, place uint64) []byte {
		occupied := false
		for p := range places {
			occupied = occupied || p>>level == place
		}
		switch {
		case !occupied:
			p := u64(place)
			return hmacOf(key, "forewarn/blind-empty/v1\n", []byte{byte(level)}, p[:])
		case level == 0:
			return hashOf(0, places[place])
		}
		return hashOf(1, node(level-1, 2*place), node(level-1, 2*place+1))
	}
	return append(out, node(16, 0)...)
}

// merkle is RFC 6962's recursive definition.
func merkle(leaves [][]byte) []byte {
	switch len(leaves) {
	case 0:
		h := sha256.Sum256(nil)
		return h[:]
	case 1:
		return hashOf(0, leaves[0])
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return hashOf(1, merkle(leaves[:k]), merkle(leaves[k:]))
}

func hashOf(prefix byte, parts ...[]byte) []byte {
	h := sha256.New()
	h.Write([]byte{prefix})
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
