package sealer_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

// Sealing a wave again makes the same statement and the same leaves, whatever
// came between; each parcel opens with its holder's key to what was committed.
func TestSealingAgainCommitsToTheSame(t *testing.T) {
	b := newBench(t, 2000)
	q := b.request(1, 5)
	first, parcels, err := b.seal(q)
	ok(t, err)
	if len(parcels) != 5 || first.Copies != 5 {
		t.Fatalf("%d parcels, %d copies", len(parcels), first.Copies)
	}
	key, err := func() ([32]byte, error) {
		b.now = q.OpensAt
		return b.s.WaveKey(ctx, b.q.Package, q.Wave)
	}()
	ok(t, err)
	seen := map[[32]byte]bool{}
	for i, p := range parcels {
		if p.Opening.Holder != q.Holders[i].Holder {
			t.Errorf("parcel %d is for another holder", i)
		}
		if err := p.Opening.Path.Check(sealer.TreeDepth, first.Statement.Root, p.Opening.Leaf()); err != nil {
			t.Errorf("parcel %d: %v", i, err)
		}
		header, payload, err := seal.Unlock((*seal.WaveKey)(&key), [16]byte(p.Opening.Holder), p.Locked)
		ok(t, err)
		files, err := seal.OpenCopy(bytes.NewReader(append(header, payload...)), b.keys[i], seal.DefaultLimits)
		ok(t, err)
		files, bulk := seal.TakeBulkKey(files)
		if form.CopyHash(files) != p.Opening.Copy || seen[p.Opening.Copy] {
			t.Errorf("copy %d is not what was committed to, or another's", i)
		}
		seen[p.Opening.Copy] = true
		_, err = seal.OpenBulk(first.Bulk, bulk, seal.DefaultLimits)
		ok(t, err)
	}

	same := func(when string) {
		t.Helper()
		r, again, err := b.seal(q)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if !bytes.Equal(wire.Marshal(&r.Statement), wire.Marshal(&first.Statement)) {
			t.Errorf("%s the statement is another", when)
		}
		for i, p := range again {
			if !bytes.Equal(wire.Marshal(&p.Opening), wire.Marshal(&parcels[i].Opening)) {
				t.Errorf("%s copy %d is another", when, i)
			}
			if bytes.Equal(p.Locked, parcels[i].Locked) {
				t.Errorf("%s the envelope of copy %d is the same: its nonce was used twice", when, i)
			}
		}
	}
	same("at once")
	// As after a crash: another process, the same vault.
	b.s = &sealer.Sealer{Vault: b.vault, Envelope: seal.Envelope{}, Clock: b.s.Clock, Rand: b.s.Rand}
	same("after a restart")

	// Once it is on the log, a change of the plan is another wave.
	ok(t, b.s.Confirm(ctx, b.q.Package, b.request(1, 5).Wave))
	for what, change := range map[string]func(*sealer.SealRequest){
		"another time":     func(q *sealer.SealRequest) { q.OpensAt = q.OpensAt.Add(time.Second) },
		"another level":    func(q *sealer.SealRequest) { q.Level = form.Description },
		"one more holder":  func(q *sealer.SealRequest) { *q = b.request(1, 6) },
		"one holder less":  func(q *sealer.SealRequest) { *q = b.request(1, 4) },
		"another revision": func(q *sealer.SealRequest) { q.Revision = cvd.RevisionID{7} },
		"nobody":           func(q *sealer.SealRequest) { q.Holders = nil },
	} {
		q := b.request(1, 5)
		change(&q)
		if _, sent, err := b.seal(q); !errors.Is(err, sealer.ErrRefused) || len(sent) > 0 {
			t.Errorf("%s: %v, %d parcels", what, err, len(sent))
		}
	}
	same("after refusals")
}

// A desk that stops taking parcels ends the sealing with its error, in the order
// of the request; the next attempt is whole.
func TestStoppedSealing(t *testing.T) {
	b := newBench(t, 1000)
	q := b.request(1, 40)
	enough := errors.New("enough")
	for _, stop := range []int{1, 7, 39, 40} {
		n := 0
		_, err := b.s.Seal(ctx, q, func(p sealer.Parcel) error {
			if p.Opening.Holder != q.Holders[n].Holder {
				t.Fatalf("parcel %d is out of order", n)
			}
			if n++; n == stop {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || n != stop {
			t.Errorf("stopped at %d: %v after %d", stop, err, n)
		}
	}
	if _, parcels, err := b.seal(q); err != nil || len(parcels) != 40 {
		t.Errorf("%d parcels, %v", len(parcels), err)
	}
	// A key that can't be sealed to names its holder.
	q = b.request(2, 3)
	q.Holders[1].Recipients = []string{"age1nonsense"}
	if _, parcels, err := b.seal(q); err == nil || len(parcels) > 1 {
		t.Errorf("a bad key: %v, %d parcels", err, len(parcels))
	}
}

// The wave key comes from the opening on, by the sealer's own clock.
func TestWaveKeyWaits(t *testing.T) {
	b := newBench(t, 1000)
	q := b.request(1, 1)
	if _, err := b.s.WaveKey(ctx, b.q.Package, q.Wave); !errors.Is(err, sealer.ErrRefused) {
		t.Errorf("of a wave that was never sealed: %v", err)
	}
	_, _, err := b.seal(q)
	ok(t, err)
	for _, early := range []time.Duration{time.Hour, time.Second, time.Microsecond} {
		b.now = q.OpensAt.Add(-early)
		if k, err := b.s.WaveKey(ctx, b.q.Package, q.Wave); !errors.Is(err, sealer.ErrNotYet) || k != [32]byte{} {
			t.Errorf("%s early: %v", early, err)
		}
	}
	b.now = q.OpensAt
	_, err = b.s.WaveKey(ctx, b.q.Package, q.Wave)
	ok(t, err)
	if _, err := b.s.WaveKey(ctx, cvd.PackageID{8}, q.Wave); !errors.Is(err, sealer.ErrRefused) {
		t.Errorf("of another package: %v", err)
	}
}

// Only who has a copy is opened, and to what it was given.
func TestOpenings(t *testing.T) {
	b := newBench(t, 1000)
	q := b.request(1, 4)
	_, parcels, err := b.seal(q)
	ok(t, err)
	for i, p := range parcels {
		o, err := b.s.Opening(ctx, b.q.Package, q.Wave, q.Holders[i].Holder)
		ok(t, err)
		if !bytes.Equal(wire.Marshal(&o), wire.Marshal(&p.Opening)) {
			t.Errorf("copy %d is opened to something else", i)
		}
	}
	for what, ask := range map[string]func() error{
		"a stranger":      func() error { _, err := b.s.Opening(ctx, b.q.Package, q.Wave, cvd.HolderID{200}); return err },
		"nobody":          func() error { _, err := b.s.Opening(ctx, b.q.Package, q.Wave, cvd.HolderID{}); return err },
		"another wave":    func() error { _, err := b.s.Opening(ctx, b.q.Package, cvd.WaveID{9}, q.Holders[0].Holder); return err },
		"another package": func() error { _, err := b.s.Opening(ctx, cvd.PackageID{9}, q.Wave, q.Holders[0].Holder); return err },
	} {
		if ask() == nil {
			t.Errorf("%s was opened", what)
		}
	}
}

// A revision is compiled from one source for ever.
func TestCompilingAgain(t *testing.T) {
	b := newBench(t, 1000)
	first, err := b.s.Compile(ctx, b.q)
	ok(t, err)
	again, err := b.s.Compile(ctx, b.q)
	ok(t, err)
	if first.Form != again.Form || first.SlotTable != again.SlotTable {
		t.Error("the same source made another Form")
	}
	changed := b.q
	src := carrier.Source{Files: []carrier.SourceFile{{Path: "a.md", Data: []byte("other\n")}, {Path: "forewarn.yaml", Data: []byte("title: A\ntlp: TLP:AMBER\n")}}}
	changed.Source, err = src.Pack()
	ok(t, err)
	if _, err := b.s.Compile(ctx, changed); !errors.Is(err, sealer.ErrRefused) {
		t.Errorf("another source: %v", err)
	}
	for n := range 200 {
		q := b.q
		q.Revision, q.Source = cvd.RevisionID{100}, b.q.Source[:len(b.q.Source)*n/200]
		if _, err := b.s.Compile(ctx, q); !errors.Is(err, sealer.ErrRefused) {
			t.Fatalf("%d of 200 parts of a source: %v", n, err)
		}
	}
	if names, _ := b.vault.List("forms"); len(names) != 1 {
		t.Errorf("refused sources left %d Forms", len(names))
	}
}
