package entrylog

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// The line was written by github.com/transparency-dev/formats v0.1.1, whose verifier
// in turn took ours.
const (
	cosignText = "works.example/forewarn\n4\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	cosignVKey = "witness.example/w1+ddcb80f1+BCIf5faFmhpP7HkFfJ0yyNP8NW4USx2jsPkBbvbymIja"
	cosignLine = "— witness.example/w1 3cuA8QAAAABrCKU0d/6FqHe2o+6EWex2Zkq6ZnbfraKX5SuLhMU2SzU47rUiNmm9xM8T17ixYrpEjaS9tz1hMFlBjMb65FEiN0nWCA==\n"
)

func TestCosign(t *testing.T) {
	c, err := NewCosigner("witness.example/w1", [32]byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if c.Public() != cosignVKey {
		t.Errorf("vkey %q", c.Public())
	}
	v, err := NewCosignVerifier(cosignVKey)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := v.CosignedAt([]byte(cosignText + "\n" + cosignLine))
	if !ok {
		t.Fatal("another program's cosignature does not verify")
	}
	if got := string(c.Cosign(cosignText, at)); got != cosignLine {
		t.Errorf("at %s we sign\n%s and another program\n%s", at, got, cosignLine)
	}
	again, err := ParseCosigner(c.Secret() + "\n")
	if err != nil || again.Public() != c.Public() {
		t.Errorf("the key, read back: %v", err)
	}
	for _, bad := range []string{
		"", "PRIVATE+KEY+", c.Public(), strings.Replace(c.Secret(), "w1", "w2", 1), c.Secret() + "x", c.Secret()[:40],
	} {
		if _, err := ParseCosigner(bad); !errors.Is(err, ErrCosigner) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "a+b", c.Secret(), strings.Replace(cosignVKey, "ddcb80f1", "ddcb80f2", 1), strings.Replace(cosignVKey, "+BC", "+AC", 1), cosignVKey + "="} {
		if _, err := NewCosignVerifier(bad); !errors.Is(err, ErrCosigner) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\nb", "a\xff"} {
		if _, err := NewCosigner(name, [32]byte{}); !errors.Is(err, ErrCosigner) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	// No bit of the text, the time or the signature can change.
	signed := []byte(cosignText + "\n" + cosignLine)
	for i := range signed {
		b := bytes.Clone(signed)
		b[i] ^= 1
		if _, ok := v.CosignedAt(b); ok && i < len(signed)-5 { // the last character has spare bits
			t.Fatalf("with byte %d changed it verifies", i)
		}
	}
}

func FuzzParseSubmission(f *testing.F) {
	f.Add([]byte("old 0\n\nworks.example\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— works.example AAAA\n"))
	f.Add([]byte("old 12\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx\n"))
	f.Add([]byte("old 00\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSubmission(b)
		if err != nil {
			if !errors.Is(err, ErrSubmission) {
				t.Errorf("%v is of no class", err)
			}
			return
		}
		if !bytes.Equal(s.Marshal(), b) {
			t.Errorf("it parses and is written otherwise:\n%q\n%q", b, s.Marshal())
		}
	})
}

func FuzzHead(f *testing.F) {
	f.Add(cosignText)
	f.Add(cosignText + "extension\n")
	f.Add("a\n1\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		if cp, err := Head(s); err == nil && !strings.HasPrefix(s, cp.Text()) {
			t.Errorf("%q is read as %q", s, cp.Text())
		}
	})
}

// forked is two published logs under one key, alike up to a size.
type forked struct {
	v     note.Verifier
	s     note.Signer
	views [2]AnchorLog
}

func newForked(t *testing.T, shared, size int) *forked {
	skey, vkey, err := note.GenerateKey(zeros{}, "works.example/forewarn")
	if err != nil {
		t.Fatal(err)
	}
	f := new(forked)
	f.s, _ = note.NewSigner(skey)
	f.v, _ = note.NewVerifier(vkey)
	for i := range size {
		for j := range f.views {
			a := Anchor{Tick: Tick(i)}
			if i >= shared {
				a.Inner[0] = byte(j + 1)
			}
			f.views[j].Append(a)
		}
	}
	return f
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func (f *forked) signed(view int, size uint64) []byte {
	root, _ := f.views[view].Root(size)
	b, _ := Checkpoint{Origin: "works.example/forewarn", Size: size, Root: root}.Sign(f.s)
	return b
}

// published is what a view shows at a size.
func (f *forked) published(view int, size uint64) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if path == CheckpointPath {
			return f.signed(view, size), nil
		}
		t, err := ParseTilePath(path)
		if err != nil || t.Needs() > size {
			return nil, fs.ErrNotExist
		}
		return f.views[view].TileData(t)
	}
}

// Whoever has seen one view refuses the other, and whoever can't compare is told so.
func TestContinues(t *testing.T) {
	f := newForked(t, 5, 600)
	other, _ := Checkpoint{Origin: "works.example/forewarn/recovery-1", Size: 5}.Sign(f.s)
	for _, row := range []struct {
		name      string
		seen, now []byte
		read      func(string) ([]byte, error)
		want      error
		newest    uint64
	}{
		{"never seen", nil, f.signed(0, 5), nil, nil, 5},
		{"the same", f.signed(0, 5), f.signed(1, 5), nil, nil, 5}, // of the common part
		{"another of that size", f.signed(0, 7), f.signed(1, 7), nil, ErrFork, 0},
		{"further, with nothing to compare", f.signed(0, 7), f.signed(0, 9), nil, ErrUncompared, 0},
		{"further", f.signed(0, 7), f.signed(0, 9), f.published(0, 20), nil, 20},
		{"further over many tiles", f.signed(0, 7), f.signed(0, 520), f.published(0, 600), nil, 600},
		{"an older proof", f.signed(0, 9), f.signed(0, 7), f.published(0, 9), nil, 9},
		{"further in the other view", f.signed(0, 7), f.signed(1, 9), f.published(1, 20), ErrFork, 0},
		{"further, and published is the first view", f.signed(0, 7), f.signed(1, 9), f.published(0, 20), ErrFork, 0},
		{"an older proof of the other view", f.signed(0, 9), f.signed(1, 7), f.published(0, 20), ErrFork, 0},
		{"published is shorter than was signed", f.signed(0, 7), f.signed(0, 9), f.published(0, 8), ErrBehind, 0},
		{"published is shorter, and another", f.signed(0, 7), f.signed(0, 9), f.published(1, 8), ErrFork, 0},
		{"tiles of the other view", f.signed(0, 7), f.signed(0, 9), func(p string) ([]byte, error) {
			if p == CheckpointPath {
				return f.signed(0, 20), nil
			}
			return f.published(1, 20)(p)
		}, ErrUncompared, 0},
		{"nothing published", f.signed(0, 7), f.signed(0, 9), func(string) ([]byte, error) { return nil, fs.ErrNotExist }, ErrUncompared, 0},
		{"a declared recovery", f.signed(0, 7), other, f.published(0, 20), ErrCheckpoint, 0},
		{"another's", f.signed(0, 7), []byte("x"), f.published(0, 20), ErrCheckpoint, 0},
	} {
		newest, err := Continues(f.v, row.seen, row.now, row.read)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
		if err == nil {
			cp, err := OpenCheckpoint(newest, f.v)
			if err != nil || cp.Size != row.newest {
				t.Errorf("%s: the newest has %d, want %d (%v)", row.name, cp.Size, row.newest, err)
			}
		}
	}
}
