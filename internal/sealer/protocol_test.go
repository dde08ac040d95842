package sealer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

func frame(tag byte, body []byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), tag), body...)
}

// piped puts the protocol between a sealer and its client.
func piped(t testing.TB, s *sealer.Sealer) *sealer.Client {
	askR, askW := io.Pipe()
	tellR, tellW := io.Pipe()
	go func() { tellW.CloseWithError(sealer.Serve(ctx, s, askR, tellW)) }()
	t.Cleanup(func() { askW.Close() })
	return sealer.Dial(tellR, askW)
}

// The protocol says what the sealer says, errors by class included.
func TestProtocol(t *testing.T) {
	b := newBench(t, 1000)
	c := piped(t, b.s)
	q := b.request(1, 9)
	var parcels []sealer.Parcel
	r, err := c.Seal(ctx, q, func(p sealer.Parcel) error { parcels = append(parcels, p); return nil })
	ok(t, err)
	direct, _, err := b.seal(q)
	ok(t, err)
	if len(parcels) != 9 || !bytes.Equal(wire.Marshal(&r.Statement), wire.Marshal(&direct.Statement)) {
		t.Errorf("%d parcels, or another statement", len(parcels))
	}
	if _, err := c.WaveKey(ctx, b.q.Package, q.Wave); !errors.Is(err, sealer.ErrNotYet) {
		t.Errorf("early: %v", err)
	}
	if _, err := c.WaveKey(ctx, b.q.Package, cvd.WaveID{9}); !errors.Is(err, sealer.ErrRefused) {
		t.Errorf("another wave: %v", err)
	}
	// A client that takes no more still reads the answer to its end, so that the
	// next question isn't answered with the rest of it.
	enough := errors.New("enough")
	if _, err := c.Seal(ctx, q, func(sealer.Parcel) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("stopped: %v", err)
	}
	forms, err := c.Forms(ctx, b.q.Case)
	if err != nil || len(forms) != 1 {
		t.Errorf("%d Forms, %v", len(forms), err)
	}
	o, err := c.Opening(ctx, b.q.Package, q.Wave, q.Holders[3].Holder)
	if err != nil || !bytes.Equal(wire.Marshal(&o), wire.Marshal(&parcels[3].Opening)) {
		t.Errorf("another opening, %v", err)
	}
	k, err := c.Recognition(ctx)
	want, err2 := b.s.Recognition(ctx)
	if err != nil || err2 != nil || k != want {
		t.Errorf("another recognition key: %v, %v", err, err2)
	}
}

// Whatever comes down the pipe: an answer or an error, in little memory, never a
// panic, and the vault's keys stay as they are.
func FuzzServe(f *testing.F) {
	b := newBench(f, 500)
	q := b.request(1, 2)
	if _, _, err := b.seal(q); err != nil {
		f.Fatal(err)
	}
	keys := func() string {
		b.vault.mu.Lock()
		defer b.vault.mu.Unlock()
		return string(b.vault.files["keys/package/"+b.q.Package.String()]) + string(b.vault.files["forms/"+b.q.Revision.String()])
	}
	before := keys()
	ids := append(append([]byte{}, b.q.Package[:]...), q.Wave[:]...)
	for _, seed := range [][]byte{
		nil, {0}, frame(1, wire.Marshal(&b.q)), frame(2, wire.Marshal(&q)), frame(3, ids), frame(4, b.q.Case[:]),
		frame(5, append(ids[:16:16], make([]byte, 32)...)), frame(6, append(ids, q.Holders[0].Holder[:]...)), frame(7, nil), frame(8, ids), frame(255, nil),
		{0xff, 0xff, 0xff, 0xff, 2}, {0x3f, 0xff, 0xff, 0xff, 2, 1, 2, 3}, frame(2, nil)[:3], append(frame(7, nil), frame(7, nil)...),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		err := sealer.Serve(ctx, b.s, bytes.NewReader(in), &out)
		// It ends well only between two requests.
		rest := in
		for len(rest) >= 5 && uint64(len(rest)) >= 5+uint64(binary.BigEndian.Uint32(rest)) {
			rest = rest[5+binary.BigEndian.Uint32(rest):]
		}
		if (err == nil) != (len(rest) == 0) {
			t.Errorf("%d bytes of a request are left over, and it ended with %v", len(rest), err)
		}
		if keys() != before {
			t.Fatal("keys or Forms were changed")
		}
	})
}

// Whatever a sealer's process says, its client has an error and no panic.
func TestHostileSealer(t *testing.T) {
	rng := rand.New(rand.NewChaCha8([32]byte{3}))
	for range 2000 {
		var b []byte
		for range rng.IntN(4) {
			body := make([]byte, rng.IntN(200))
			for i := range body {
				body[i] = byte(rng.Uint32())
			}
			b = append(b, frame(byte(1+rng.IntN(6)), body)...)
		}
		b = b[:rng.IntN(len(b)+1)]
		c := sealer.Dial(bytes.NewReader(b), io.Discard)
		if _, err := c.Codebook(ctx, cvd.PackageID{1}, [32]byte{}); err == nil {
			t.Fatalf("taken: %x", b)
		}
	}
	// A length that nothing follows takes no memory for it.
	start := time.Now()
	c := sealer.Dial(bytes.NewReader([]byte{0x3f, 0xff, 0xff, 0xff, 2, 1, 2, 3}), io.Discard)
	if n := testing.AllocsPerRun(1, func() { c.Recognition(ctx) }); n > 1000 {
		t.Errorf("%v allocations", n)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %s", d)
	}
}
