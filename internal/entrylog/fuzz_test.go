package entrylog

import (
	"bytes"
	"testing"
	"time"

	"forewarn/internal/wire"
)

// If it parses, it encodes to the same bytes.
func roundTrip[T any, P interface {
	*T
	wire.Layout
}](t *testing.T, b []byte) (v T, ok bool) {
	if err := wire.Unmarshal(b, P(&v)); err != nil {
		return v, false
	}
	again, err := wire.Append(nil, P(&v))
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("%x was read and is written as %x (%v)", b, again, err)
	}
	return v, true
}

func FuzzEntry(f *testing.F) {
	for _, r := range newSample(f).records {
		f.Add(r.Entry)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, ok := roundTrip[Entry](t, b); ok && (e.Kind == 0 || len(e.Body) > MaxBody || e.Time.UnixMicro() < 0) {
			t.Errorf("read what is not allowed: %+v", e)
		}
	})
}

func FuzzRecord(f *testing.F) {
	for _, r := range newSample(f).records {
		f.Add(wire.Marshal(&r))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := roundTrip[Record](t, b); ok {
			if _, err := ParseEntry(r.Entry); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzAnchor(f *testing.F) {
	s := newSample(f)
	bundle, err := s.trees.TileData(Tile{Entries: true, Width: int(s.size)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bundle)
	f.Add(bundle[2:BundledSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip[Anchor](t, b)
		anchors, err := ParseBundle(b)
		if err != nil {
			return
		}
		var again []byte
		for _, a := range anchors {
			again = appendBundled(again, a)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("a bundle was read and is written otherwise")
		}
	})
}

func FuzzEntryProof(f *testing.F) {
	s := newSample(f)
	p := s.prove(f, 1)
	good := wire.Marshal(&p)
	f.Add(good)
	for _, h := range harms {
		p := s.prove(f, 3)
		p.Record.Entry = bytes.Clone(p.Record.Entry)
		p.Inclusion = append([]Hash(nil), p.Inclusion...)
		h.do(f, s, &p)
		if b, err := wire.Append(nil, &p); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := roundTrip[EntryProof](t, b)
		if !ok {
			return
		}
		// Whatever verifies under this key opens one of the log's two public entries.
		if e, err := p.Verify(s.signer.Verifier, time.Minute); err == nil && e.Kind != 2 && e.Kind != 4 {
			t.Errorf("a forged proof of kind %d", e.Kind)
		}
	})
}

func FuzzInnerProof(f *testing.F) {
	s := newSample(f)
	for seq := range Seq(5) {
		p := s.proveInner(f, seq)
		f.Add(wire.Marshal(&p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := roundTrip[InnerProof](t, b); ok {
			if _, err := p.Verify(s.signer.Verifier, time.Minute); err == nil && !bytes.Equal(p.Record.Entry, s.records[p.Seq].Entry) {
				t.Error("a forged proof")
			}
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	s := newSample(f)
	f.Add(s.signed)
	f.Add([]byte("log.example.org/2025\n12\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if cp, err := ParseCheckpoint(string(b)); err == nil && cp.Text() != string(b) {
			t.Errorf("%q was read and is written as %q", b, cp.Text())
		}
		if cp, err := OpenCheckpoint(b, s.signer.Verifier); err == nil && !bytes.HasPrefix(b, []byte(cp.Text())) {
			t.Errorf("%q was opened as %+v", b, cp)
		}
	})
}

func FuzzTilePath(f *testing.F) {
	for _, s := range []string{"tile/0/000", "tile/entries/x001/067.p/8", "tile/2/x001/000.p/17"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if tile, err := ParseTilePath(s); err == nil {
			if tile.Path() != s {
				t.Errorf("%q was read and is written as %q", s, tile.Path())
			}
			_ = tile.Needs() // must not panic
		}
	})
}
