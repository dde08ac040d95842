package evidence_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/wire"
)

func verifier(t testing.TB, vkey string) note.Verifier {
	t.Helper()
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCopyProof(t *testing.T) {
	c := evidencetest.New(3, 8)
	v := verifier(t, c.LogKey)
	for h := range c.Holders {
		for w := range c.Waves {
			p := c.Proof(h, w)
			got, err := p.Verify(v, evidencetest.Interval)
			if err != nil {
				t.Fatalf("holder %d, wave %d: %v", h, w, err)
			}
			if got != c.Waves[w].Statement {
				t.Fatalf("holder %d, wave %d: got another statement", h, w)
			}
		}
	}
}

// Every row changes one thing of a good proof, after which it must not hold.
func TestCopyProofRefuses(t *testing.T) {
	c := evidencetest.New(3, 8)
	v := verifier(t, c.LogKey)
	_, other := evidencetest.Signer("other.example")
	for name, row := range map[string]struct {
		change   func(*evidence.CopyProof)
		v        note.Verifier
		interval time.Duration
		class    error
	}{
		"another holder":      {change: func(p *evidence.CopyProof) { p.Holder = c.Holders[1].ID }, class: evidence.ErrNotVerified},
		"another copy":        {change: func(p *evidence.CopyProof) { p.Copy[0] ^= 1 }, class: evidence.ErrNotVerified},
		"another key":         {change: func(p *evidence.CopyProof) { p.KeyCommitment[31] ^= 1 }, class: evidence.ErrNotVerified},
		"another salt":        {change: func(p *evidence.CopyProof) { p.LeafSalt[5] ^= 1 }, class: evidence.ErrNotVerified},
		"another place":       {change: func(p *evidence.CopyProof) { p.Path.Position ^= 1 }, class: evidence.ErrNotVerified},
		"a shorter path":      {change: func(p *evidence.CopyProof) { p.Path.Siblings = p.Path.Siblings[1:] }, class: evidence.ErrNotVerified},
		"another wave's path": {change: func(p *evidence.CopyProof) { p.Path = c.Waves[1].Tree.Prove(0) }, class: evidence.ErrNotVerified},
		"another wave":        {change: func(p *evidence.CopyProof) { p.Entry = c.Entry(1) }, class: evidence.ErrNotVerified},
		"another entry":       {change: func(p *evidence.CopyProof) { p.Entry.Record = c.Entry(1).Record }, class: entrylog.ErrProof},
		"another log's key":   {v: verifier(t, other), class: entrylog.ErrProof},
		"another interval":    {interval: time.Hour, class: entrylog.ErrProof},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.Proof(0, 0)
			if row.change != nil {
				row.change(p)
			}
			if row.v == nil {
				row.v = v
			}
			if row.interval == 0 {
				row.interval = evidencetest.Interval
			}
			if _, err := p.Verify(row.v, row.interval); !errors.Is(err, row.class) {
				t.Errorf("got %v, want %v", err, row.class)
			}
			if _, err := evidence.SignReceipt(c.Holders[0].Receipts, p, row.v, row.interval); err == nil {
				t.Error("a receipt was signed for it")
			}
		})
	}
}

func TestReceipt(t *testing.T) {
	c := evidencetest.New(3, 8)
	p, r := c.Proof(2, 1), c.Acknowledge(2, 1)
	if err := r.Acknowledges(p); err != nil {
		t.Fatal(err)
	}
	if r.Origin != evidencetest.Programme || r.Tick != p.Entry.Anchor.Tick {
		t.Errorf("the receipt is of %q, tick %d", r.Origin, r.Tick)
	}
	for name, other := range map[string]*evidence.CopyProof{"another holder's": c.Proof(1, 1), "another wave's": c.Proof(2, 0)} {
		if err := r.Acknowledges(other); !errors.Is(err, evidence.ErrNotVerified) {
			t.Errorf("%s copy: got %v", name, err)
		}
	}
}

// No byte of a proof or a receipt can change.
func TestFlips(t *testing.T) {
	c := evidencetest.New(1, 4)
	v := verifier(t, c.LogKey)
	proof, receipt := c.Proof(0, 0), c.Acknowledge(0, 0)
	for i, b := range flips(proof.Marshal()) {
		p, err := evidence.ParseCopyProof(b)
		if err == nil {
			_, err = p.Verify(v, evidencetest.Interval)
		}
		if err == nil {
			t.Errorf("proof: byte %d can change", i)
		}
	}
	for i, b := range flips(receipt.Marshal()) {
		r, err := evidence.ParseReceipt(b)
		if err == nil {
			err = r.Acknowledges(proof)
		}
		if err == nil {
			t.Errorf("receipt: byte %d can change", i)
		}
	}
}

// flips is b with each byte changed in turn.
func flips(b []byte) func(func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for i := range b {
			out := bytes.Clone(b)
			out[i] ^= 1 << (i % 8)
			if !yield(i, out) {
				return
			}
		}
	}
}

func FuzzCopyProof(f *testing.F) {
	c := evidencetest.New(1, 4)
	v := verifier(f, c.LogKey)
	f.Add(c.Proof(0, 0).Marshal())
	f.Add(c.Proof(1, 1).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := evidence.ParseCopyProof(b)
		if err != nil {
			if !errors.Is(err, wire.ErrFormat) {
				t.Fatalf("an error without a class: %v", err)
			}
			return
		}
		if !bytes.Equal(p.Marshal(), b) {
			t.Fatal("it parses and re-encodes differently")
		}
		p.Verify(v, evidencetest.Interval)
	})
}

func FuzzReceipt(f *testing.F) {
	f.Add(evidencetest.New(1, 4).Acknowledge(0, 0).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := evidence.ParseReceipt(b)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Marshal(), b) {
			t.Fatal("it parses and re-encodes differently")
		}
		r.Verify()
	})
}

func FuzzWaveStatement(f *testing.F) {
	s := evidencetest.New(1, 4).Waves[0].Statement
	f.Add(wire.Marshal(&s))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := evidence.ParseWaveStatement(b)
		if err == nil && !bytes.Equal(wire.Marshal(&w), b) {
			t.Fatal("it parses and re-encodes differently")
		}
	})
}
