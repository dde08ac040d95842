package sealer_test

import (
	"bytes"
	"context"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// vault is a sealer.Vault in memory.
type vault struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (v *vault) Read(name string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	b, ok := v.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(b), nil
}

func (v *vault) Write(name string, data []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.files[name] = slices.Clone(data)
	return nil
}

func (v *vault) Create(name string, data []byte) error {
	if _, err := v.Read(name); err == nil {
		return fs.ErrExist
	}
	return v.Write(name, data)
}

// Lock: one process has it, whose requests come one after another.
func (v *vault) Lock() (func(), error) { return func() {}, nil }

func (v *vault) List(folder string) (out []string, _ error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name := range v.files {
		if rest, ok := strings.CutPrefix(name, folder+"/"); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out, nil
}

var dawn = time.Date(2025, 5, 1, 9, 0, 0, 0, time.UTC)

// bench is a sealer with one compiled revision.
type bench struct {
	t     testing.TB
	s     *sealer.Sealer
	vault *vault
	now   time.Time
	q     sealer.CompileRequest
	keys  []seal.Identities
}

// newBench compiles a source of about so many bytes of personal text.
func newBench(t testing.TB, size int) *bench {
	t.Helper()
	b := &bench{t: t, vault: &vault{files: map[string][]byte{}}, now: dawn}
	b.s = &sealer.Sealer{Vault: b.vault, Envelope: seal.Envelope{}, Clock: func() time.Time { return b.now }, Rand: rand.NewChaCha8([32]byte{1})}
	var text bytes.Buffer
	text.WriteString("# A flaw\n\nThe constant is {{token:hex}}.\n\n")
	for i := 0; text.Len() < size; i++ {
		text.WriteString("It {{answers|replies}} to callers who are {{not signed in|without a session}}.\n\n")
		if i >= 200 {
			text.WriteString(strings.Repeat("What follows is the same for everybody who reads it. ", 200) + "\n\n")
		}
	}
	src := carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: text.Bytes()},
		{Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\nbulk:\n  - samples/*\n")},
		{Path: "samples/table.csv", Data: []byte("a,b,c\n1,2,3\n")},
	}}
	packed, err := src.Pack()
	ok(t, err)
	b.q = sealer.CompileRequest{Case: cvd.CaseID{1}, Package: cvd.PackageID{2}, Revision: cvd.RevisionID{3}, Number: 1, Source: packed}
	_, err = b.s.Compile(ctx, b.q)
	ok(t, err)
	return b
}

// request is a wave to n holders, whose keys are drawn once.
func (b *bench) request(wave byte, n int) sealer.SealRequest {
	b.t.Helper()
	q := sealer.SealRequest{Wave: cvd.WaveID{wave}, Revision: b.q.Revision, Level: form.PoC, OpensAt: dawn.Add(time.Hour), AlphaPico: 1_000_000}
	for i := range n {
		if i >= len(b.keys) {
			k, err := seal.Keygen(seal.X25519, dawn)
			ok(b.t, err)
			with, err := seal.ParseIdentities(k.Identity)
			ok(b.t, err)
			b.keys = append(b.keys, with)
		}
		q.Holders = append(q.Holders, sealer.HolderKeys{Holder: cvd.HolderID{9, byte(i >> 8), byte(i)}, Recipients: b.keys[i].Recipients()})
	}
	return q
}

func (b *bench) seal(q sealer.SealRequest) (sealer.SealResult, []sealer.Parcel, error) {
	var parcels []sealer.Parcel
	r, err := b.s.Seal(ctx, q, func(p sealer.Parcel) error { parcels = append(parcels, p); return nil })
	return r, parcels, err
}
