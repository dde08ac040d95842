package entrylog

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/wire"
)

const testOrigin = "log.example.org/2025"

// edSigner is note's Ed25519 signer with a key of one's own choosing.
type edSigner struct {
	note.Verifier
	key ed25519.PrivateKey
}

func (s edSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

func testSigner(t testing.TB, name string, seed byte) edSigner {
	t.Helper()
	key := ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, 32))
	vkey, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return edSigner{v, key}
}

// sample is a small log with everything that can be proved of it.
type sample struct {
	trees   *Trees
	records []Record
	signer  edSigner
	signed  []byte
	size    uint64
}

func newSample(t testing.TB) *sample {
	t.Helper()
	trees, err := NewTrees(testBlinding, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	s := &sample{trees: trees, signer: testSigner(t, testOrigin, 42)}
	key := testBlinding.SaltKey()
	for i := range 5 {
		e := Entry{
			Time: testEpoch.Add(time.Duration(i) * 45 * time.Second), Auth: Auth(i % 5), Kind: Kind(i + 1),
			Actor: Ref{byte(i), 1}, Subject: Ref{byte(i), 2}, Body: []byte(strings.Repeat("b", i*3)),
		}
		b := wire.Marshal(&e)
		r := Record{Salt: NewSalt(key, [16]byte{byte(i), 0xaa}, Seq(i), b), Entry: b}
		if err := trees.Add(e.Time, r.Commit(), i%2 == 1); err != nil {
			t.Fatal(err)
		}
		s.records = append(s.records, r)
	}
	if err := trees.Extend(trees.First() + 6); err != nil {
		t.Fatal(err)
	}
	s.size = trees.Anchors()
	cp, err := trees.Checkpoint(testOrigin, s.size)
	if err != nil {
		t.Fatal(err)
	}
	if s.signed, err = cp.Sign(s.signer); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *sample) prove(t testing.TB, seq Seq) EntryProof {
	t.Helper()
	board, tick, ok := s.trees.ProvePublic(seq)
	if !ok {
		t.Fatalf("entry %d is not public", seq)
	}
	a, err := s.trees.ProveAnchor(uint64(tick-s.trees.First()), s.size)
	if err != nil {
		t.Fatal(err)
	}
	a.Checkpoint = s.signed
	return EntryProof{Record: s.records[seq], Board: board, AnchorProof: a}
}

func (s *sample) proveInner(t testing.TB, seq Seq) InnerProof {
	t.Helper()
	tick, _ := s.trees.TickOfEntry(seq)
	tick++ // a later one
	o, path, err := s.trees.ProveInner(seq, tick)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.trees.ProveAnchor(uint64(tick-s.trees.First()), s.size)
	if err != nil {
		t.Fatal(err)
	}
	a.Checkpoint = s.signed
	return InnerProof{Record: s.records[seq], Seq: seq, Opening: o, Path: path, AnchorProof: a}
}

// harms are ways to break a proof, by the step that must fail.
var harms = []struct {
	name string
	step string
	do   func(t testing.TB, s *sample, p *EntryProof)
}{
	{"entry-changed", "board", func(_ testing.TB, _ *sample, p *EntryProof) { p.Record.Entry[len(p.Record.Entry)-1] ^= 1 }},
	{"entry-unreadable", "entry", func(_ testing.TB, _ *sample, p *EntryProof) { p.Record.Entry[0] = 9 }},
	{"salt-changed", "board", func(_ testing.TB, _ *sample, p *EntryProof) { p.Record.Salt[0] ^= 1 }},
	{"time-of-another-tick", "time", func(_ testing.TB, _ *sample, p *EntryProof) { p.Anchor.Tick++ }},
	{"board-sibling-changed", "board", func(_ testing.TB, _ *sample, p *EntryProof) { p.Board.Siblings[3][0] ^= 1 }},
	{"board-place-changed", "board", func(_ testing.TB, _ *sample, p *EntryProof) { p.Board.Position ^= 1 }},
	{"board-too-shallow", "board", func(_ testing.TB, _ *sample, p *EntryProof) {
		p.Board.Siblings = p.Board.Siblings[:15]
		p.Board.Position &= 1<<15 - 1
	}},
	{"inner-changed", "anchor", func(_ testing.TB, _ *sample, p *EntryProof) { p.Anchor.Inner[0] ^= 1 }},
	{"index-of-another", "anchor", func(_ testing.TB, _ *sample, p *EntryProof) { p.Index++ }},
	{"index-beyond", "anchor", func(_ testing.TB, s *sample, p *EntryProof) { p.Index = s.size }},
	{"path-too-long", "anchor", func(_ testing.TB, _ *sample, p *EntryProof) { p.Inclusion = append(p.Inclusion, Hash{}) }},
	{"path-too-short", "anchor", func(_ testing.TB, _ *sample, p *EntryProof) { p.Inclusion = p.Inclusion[1:] }},
	{"checkpoint-of-another-root", "anchor", func(t testing.TB, s *sample, p *EntryProof) {
		p.Checkpoint = sign(t, Checkpoint{testOrigin, s.size, Hash{1}}, s.signer)
	}},
	{"checkpoint-signature", "checkpoint", func(_ testing.TB, _ *sample, p *EntryProof) {
		p.Checkpoint = slices.Clone(p.Checkpoint)
		p.Checkpoint[len(p.Checkpoint)-20] ^= 1
	}},
	{"checkpoint-of-another-key", "checkpoint", func(t testing.TB, s *sample, p *EntryProof) {
		cp, _ := s.trees.Checkpoint(testOrigin, s.size)
		p.Checkpoint = sign(t, cp, testSigner(t, testOrigin, 43))
	}},
	{"checkpoint-of-another-log", "checkpoint", func(t testing.TB, s *sample, p *EntryProof) {
		cp, _ := s.trees.Checkpoint("elsewhere.example.org", s.size)
		p.Checkpoint = sign(t, cp, s.signer)
	}},
	{"checkpoint-with-extension", "checkpoint", func(t testing.TB, s *sample, p *EntryProof) {
		cp, _ := s.trees.Checkpoint(testOrigin, s.size)
		b, err := note.Sign(&note.Note{Text: cp.Text() + "extra\n"}, s.signer)
		if err != nil {
			t.Fatal(err)
		}
		p.Checkpoint = b
	}},
}

func sign(t testing.TB, cp Checkpoint, s note.Signer) []byte {
	t.Helper()
	b, err := cp.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEntryProof(t *testing.T) {
	s := newSample(t)
	for _, seq := range []Seq{1, 3} {
		p := s.prove(t, seq)
		e, err := p.Verify(s.signer.Verifier, time.Minute)
		if err != nil || e.Kind != Kind(seq+1) {
			t.Errorf("entry %d: %v", seq, err)
		}
		if _, err := p.Verify(s.signer.Verifier, time.Hour); !errors.Is(err, ErrProof) {
			t.Errorf("another interval: %v", err)
		}
	}
	if _, _, ok := s.trees.ProvePublic(2); ok {
		t.Error("an entry that is not public has a proof")
	}
	if _, err := (EntryProof{}).Verify(s.signer.Verifier, time.Minute); !errors.Is(err, ErrProof) {
		t.Errorf("the zero proof: %v", err)
	}
	for _, h := range harms {
		p := s.prove(t, 3)
		p.Record.Entry = slices.Clone(p.Record.Entry)
		p.Inclusion = slices.Clone(p.Inclusion)
		h.do(t, s, &p)
		if _, err := p.Verify(s.signer.Verifier, time.Minute); !errors.Is(err, ErrProof) || !strings.Contains(err.Error(), h.step+":") {
			t.Errorf("%s: %v; the step is %s", h.name, err, h.step)
		}
	}
}

func TestInnerProof(t *testing.T) {
	s := newSample(t)
	for seq := range Seq(5) {
		p := s.proveInner(t, seq)
		var back InnerProof
		if err := wire.Unmarshal(wire.Marshal(&p), &back); err != nil {
			t.Fatal(err)
		}
		if e, err := back.Verify(s.signer.Verifier, time.Minute); err != nil || e.Kind != Kind(seq+1) {
			t.Errorf("entry %d: %v", seq, err)
		}
		for _, tc := range []struct {
			step string
			harm func(p *InnerProof)
		}{
			{"opening", func(p *InnerProof) { p.Opening.Size++ }},
			{"opening", func(p *InnerProof) { p.Opening.Root[0] ^= 1 }},
			{"opening", func(p *InnerProof) { p.Opening.Salt[0] ^= 1 }},
			{"entry", func(p *InnerProof) { p.Seq ^= 1 }},
			{"entry", func(p *InnerProof) { p.Seq = 1 << 63 }},
			{"entry", func(p *InnerProof) { p.Path = append(p.Path, Hash{}) }},
			{"entry", func(p *InnerProof) { p.Record.Salt[3] ^= 1 }},
			{"time", func(p *InnerProof) { p.Anchor.Tick = 1 }},
			{"anchor", func(p *InnerProof) { p.Anchor.Board[0] ^= 1 }},
			{"checkpoint", func(p *InnerProof) { p.Checkpoint = nil }},
		} {
			p := s.proveInner(t, seq)
			tc.harm(&p)
			if _, err := p.Verify(s.signer.Verifier, time.Minute); !errors.Is(err, ErrProof) || !strings.Contains(err.Error(), tc.step+":") {
				t.Errorf("entry %d: %v; the step is %s", seq, err, tc.step)
			}
		}
	}
}

func TestCheckpoint(t *testing.T) {
	good := Checkpoint{Origin: testOrigin, Size: 12, Root: Hash{1, 2, 3}}
	if back, err := ParseCheckpoint(good.Text()); err != nil || back != good {
		t.Errorf("%+v, %v", back, err)
	}
	for name, text := range map[string]string{
		"empty":           "",
		"no root":         testOrigin + "\n12\n",
		"extension":       good.Text() + "x\n",
		"no origin":       strings.TrimPrefix(good.Text(), testOrigin),
		"leading zero":    strings.Replace(good.Text(), "\n12\n", "\n012\n", 1),
		"negative":        strings.Replace(good.Text(), "\n12\n", "\n-12\n", 1),
		"sign":            strings.Replace(good.Text(), "\n12\n", "\n+12\n", 1),
		"huge":            strings.Replace(good.Text(), "\n12\n", "\n9223372036854775808\n", 1),
		"short root":      strings.Replace(good.Text(), "AQID", "", 1),
		"spare bits":      strings.Replace(good.Text(), "A=\n", "B=\n", 1),
		"carriage return": strings.ReplaceAll(good.Text(), "\n", "\r\n"),
	} {
		if cp, err := ParseCheckpoint(text); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: read as %+v, %v", name, cp, err)
		}
	}

	signer := testSigner(t, testOrigin, 42)
	witness := testSigner(t, "witness.example.net", 9)
	signed := sign(t, good, signer)
	if cp, err := OpenCheckpoint(signed, signer.Verifier); err != nil || cp != good {
		t.Errorf("signed: %+v, %v", cp, err)
	}
	n, err := note.Open(signed, note.VerifierList(signer.Verifier))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, witness)
	if err != nil {
		t.Fatal(err)
	}
	if cp, err := OpenCheckpoint(cosigned, signer.Verifier); err != nil || cp != good {
		t.Errorf("cosigned: %+v, %v", cp, err)
	}
	for i := range signed {
		for bit := range 8 {
			b := slices.Clone(signed)
			b[i] ^= 1 << bit
			if _, err := OpenCheckpoint(b, signer.Verifier); !errors.Is(err, ErrCheckpoint) {
				t.Errorf("bit %d of byte %d flipped: %v", bit, i, err)
			}
		}
	}
}

func TestRecoveryOrigin(t *testing.T) {
	for n, origin := range map[uint32]string{0: "log", 1: "log/recovery-1", 12: "log/recovery-12"} {
		if got := RecoveryOrigin("log", n); got != origin {
			t.Errorf("%d: %s", n, got)
		}
		if got, ok := (Checkpoint{Origin: origin}).Recovery("log"); !ok || got != n {
			t.Errorf("%s: %d %v", origin, got, ok)
		}
	}
	for _, origin := range []string{"", "lo", "log2", "log/", "log/recovery-", "log/recovery-0", "log/recovery-01", "log/recovery-4294967296", "log/recovery-1/x"} {
		if n, ok := (Checkpoint{Origin: origin}).Recovery("log"); ok {
			t.Errorf("%q is recovery %d", origin, n)
		}
	}
}

func TestSalt(t *testing.T) {
	key := testBlinding.SaltKey()
	b := []byte("entry")
	r := Record{Salt: NewSalt(key, [16]byte{1}, 7, b), Entry: b}
	if !r.Intact(key, 7) {
		t.Fatal("a fresh record is not intact")
	}
	if r.Intact(key, 8) || r.Intact([32]byte{}, 7) {
		t.Error("intact at another place, or under another key")
	}
	for i := range 32 * 8 {
		r.Salt[i/8] ^= 1 << (i % 8)
		if r.Intact(key, 7) {
			t.Errorf("bit %d of the salt does not count", i)
		}
		r.Salt[i/8] ^= 1 << (i % 8)
	}
}
