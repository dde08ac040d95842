package forewarn_test

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"forewarn"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

var signingKey = func() ed25519.PrivateKey {
	seed := evidencetest.Bytes("member's signing key")
	return ed25519.NewKeyFromSeed(seed[:])
}()

type entry struct {
	name string
	kind byte
	data string
}

func archive(entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Size: int64(len(e.data)), Mode: 0o644}
		if e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
			h.Linkname = "/etc/passwd"
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func sealTo(r age.Recipient, plain []byte) []byte {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, r)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(plain); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pack(files []form.Output) []byte {
	var all []entry
	for _, f := range files {
		all = append(all, entry{name: f.Path, data: string(f.Data)})
	}
	return archive(all...)
}

// fetched is a sealed copy with its proof, as a member gets them.
func fetched() (age.Identity, []byte, []byte, forewarn.Log) {
	c := evidencetest.New(3, 8)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		panic(err)
	}
	return identity, sealTo(identity.Recipient(), pack(c.Copy(1, 1))), c.Proof(1, 1).Marshal(),
		forewarn.Log{Key: c.LogKey, Interval: evidencetest.Interval}
}

func TestOpenCopyRefuses(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, plain := range map[string][]byte{
		"no archive":      []byte("hello"),
		"climbing":        archive(entry{name: "../x", data: "x"}),
		"absolute":        archive(entry{name: "/x", data: "x"}),
		"a symbolic link": archive(entry{name: "x", kind: tar.TypeSymlink}),
		"a hard link":     archive(entry{name: "x", kind: tar.TypeLink}),
		"a device":        archive(entry{name: "x", kind: tar.TypeChar}),
		"a folder":        archive(entry{name: "x/", kind: tar.TypeDir}),
		"twice":           archive(entry{name: "x", data: "1"}, entry{name: "x", data: "2"}),
		"out of order":    archive(entry{name: "y", data: "1"}, entry{name: "x", data: "2"}),
		"only case":       archive(entry{name: "X", data: "1"}, entry{name: "x", data: "2"}),
		"file and folder": archive(entry{name: "a", data: "1"}, entry{name: "a/b", data: "2"}),
		"a colon":         archive(entry{name: "a:b", data: "1"}),
		"a control":       archive(entry{name: "a\x1bb", data: "1"}),
		"too many":        archive(many(2001)...),
		"cut short":       archive(entry{name: "a", data: strings.Repeat("1", 600)})[:1000],
	} {
		c, err := forewarn.OpenCopy(bytes.NewReader(sealTo(identity.Recipient(), plain)), identity)
		if !errors.Is(err, forewarn.ErrFormat) || c != nil {
			t.Errorf("%s: got %v, %v", name, c, err)
		}
	}
}

func many(n int) (out []entry) {
	for i := range n {
		out = append(out, entry{name: fmt.Sprintf("f%05d", i)})
	}
	return out
}

func TestOpenCopyAltered(t *testing.T) {
	identity, sealed, _, _ := fetched()
	for i := 0; i < len(sealed); i += 7 {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		if c, err := forewarn.OpenCopy(bytes.NewReader(b), identity); err == nil || c != nil {
			t.Errorf("byte %d of the sealed copy can change", i)
		}
	}
	for _, n := range []int{0, 1, 50, len(sealed) / 2, len(sealed) - 1} {
		if _, err := forewarn.OpenCopy(bytes.NewReader(sealed[:n]), identity); err == nil {
			t.Errorf("%d of %d bytes are enough", n, len(sealed))
		}
	}
}

func TestBulkKeyIsNoPartOfTheCopy(t *testing.T) {
	c := evidencetest.New(3, 8)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	files := c.Copy(1, 1)
	files = append(files[:1:1], form.Output{Path: "bulk-key.txt", Data: []byte("key\n")}, files[1])
	got, err := forewarn.OpenCopy(bytes.NewReader(sealTo(identity.Recipient(), pack(files))), identity)
	if err != nil {
		t.Fatal(err)
	}
	if got.BulkKey != "key" || len(got.Files) != 2 {
		t.Errorf("bulk key %q, %d files", got.BulkKey, len(got.Files))
	}
	if _, err := forewarn.VerifyCopy(forewarn.Log{Key: c.LogKey, Interval: evidencetest.Interval}, got, c.Proof(1, 1).Marshal()); err != nil {
		t.Error(err)
	}
}

func TestErrorsHaveAClass(t *testing.T) {
	c := evidencetest.New(3, 8)
	entryProof := c.Entry(0)
	good := forewarn.Log{Key: c.LogKey, Interval: time.Minute}
	_, other := evidencetest.Signer("other.example")
	files := &forewarn.Copy{}
	for name, row := range map[string]struct {
		run   func() error
		class error
	}{
		"a key that is none":     {func() error { _, err := forewarn.VerifyEntryProof(forewarn.Log{Key: "x"}, nil); return err }, forewarn.ErrFormat},
		"no interval":            {func() error { _, err := forewarn.VerifyEntryProof(forewarn.Log{Key: c.LogKey}, nil); return err }, forewarn.ErrFormat},
		"an entry proof of none": {func() error { _, err := forewarn.VerifyEntryProof(good, nil); return err }, forewarn.ErrFormat},
		"another log": {func() error {
			_, err := forewarn.VerifyEntryProof(forewarn.Log{Key: other, Interval: time.Minute}, wire.Marshal(&entryProof))
			return err
		}, forewarn.ErrNotVerified},
		"a copy proof of none": {func() error { _, err := forewarn.VerifyCopy(good, files, []byte("x")); return err }, forewarn.ErrFormat},
		"another copy":         {func() error { _, err := forewarn.VerifyCopy(good, files, c.Proof(0, 0).Marshal()); return err }, forewarn.ErrNotVerified},
		"no signature of it": {func() error {
			_, err := forewarn.SignReceipt(good, files, c.Proof(0, 0).Marshal(), signingKey)
			return err
		}, forewarn.ErrNotVerified},
		"a receipt for another": {func() error {
			_, err := forewarn.VerifyReceipt(good, c.Acknowledge(0, 0).Marshal(), c.Proof(1, 0).Marshal())
			return err
		}, forewarn.ErrNotVerified},
		"a receipt and another's log": {func() error {
			_, err := forewarn.VerifyReceipt(forewarn.Log{Key: other, Interval: time.Minute}, c.Acknowledge(0, 0).Marshal(), c.Proof(0, 0).Marshal())
			return err
		}, forewarn.ErrNotVerified},
		"a receipt under a later checkpoint": {func() error {
			_, err := forewarn.VerifyReceipt(good, c.Acknowledge(0, 0).Marshal(), c.Frozen(c.Leak(0)).Proof(0, 0).Marshal())
			return err
		}, forewarn.ErrNotVerified},
		"bulk that nobody bound": {func() error {
			return forewarn.CheckBulk(forewarn.Wave{}, []forewarn.File{{Path: "a", Data: []byte("x")}})
		}, forewarn.ErrNotVerified},
		"bulk cut short": {func() error { return forewarn.CheckBulk(forewarn.Wave{Bulk: "00"}, nil) }, forewarn.ErrNotVerified},
		"no dossier":     {func() error { _, err := forewarn.VerifyDossier([]byte("x"), forewarn.Trust{}); return err }, forewarn.ErrFormat},
	} {
		if err := row.run(); !errors.Is(err, row.class) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	shared := []form.Output{{Path: "a", Data: []byte("x")}}
	if err := forewarn.CheckBulk(forewarn.Wave{Bulk: fmt.Sprintf("%x", form.CopyHash(shared))}, []forewarn.File{{Path: "a", Data: []byte("x")}}); err != nil {
		t.Errorf("good bulk: %v", err)
	}
	if key, err := forewarn.VerifyReceipt(good, c.Acknowledge(0, 0).Marshal(), c.Proof(0, 0).Marshal()); err != nil || !key.Equal(c.Holders[0].Receipts.Public()) {
		t.Errorf("a good receipt: %v", err)
	}
}
