package lab

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forewarn/internal/carrier"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

func source(t testing.TB, dir string) carrier.Source {
	t.Helper()
	src, err := folder.LoadSource(dir)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// issued is an experiment with the copies' files by name.
type issued struct {
	*Codebook
	files map[string][]form.Output
}

func issue(t testing.TB, src carrier.Source, profile fpcode.Profile, decoder string, k Keys, n int) issued {
	t.Helper()
	f, m, _, err := carrier.CompileFor(src, k.Bias(), profile, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := issued{files: map[string][]form.Output{}}
	out.Codebook, err = Issue(m.Title, f, decoder, k, n, func(name string, copy []form.Output) error {
		out.files[name] = copy
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const advisory = "../../examples/advisory"

func specimens(files []form.Output) (out []form.Specimen) {
	for _, o := range files {
		out = append(out, form.Specimen{Name: o.Path, Data: o.Data})
	}
	return out
}

// tiny is a source of a few marks, for encodings.
func tiny() carrier.Source {
	return carrier.Source{Files: []carrier.SourceFile{
		{Path: "a.md", Data: []byte("Some {{quick|fast}} words and some {{large|big}} ones, {{token:hex#t}}.\n")},
		{Path: carrier.ManifestPath, Data: []byte("title: t\ntlp: TLP:RED\n")},
	}}
}

const vectors = "../../doc/spec/vectors/codebook"

// The vectors stand for ever: the good one is what is written, and reads as it
// was meant; each bad one has one fault and is refused.
func TestVectors(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(vectors, "good.codebook"))
	if err != nil {
		t.Fatal(err)
	}
	if b := issue(t, tiny(), fpcode.Default, fpcode.JointDecoder, Seeded(1), 3).Marshal(); !bytes.Equal(b, good) {
		t.Error("a codebook is written otherwise than good.codebook")
	}
	got, err := Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if got.Title != "t" || !got.Seeded || got.Seed != 1 || len(got.Copies) != 3 || got.Copies[2].Name != "copy-003" || got.Form.Bias() != fpcode.Default {
		t.Errorf("it reads %+v", got)
	}
	for _, c := range got.Copies {
		if form.CopyHash(got.Render(c.Holder)) != c.Hash {
			t.Errorf("%s renders otherwise than was committed to", c.Name)
		}
	}
	bad, err := filepath.Glob(filepath.Join(vectors, "fail-*.codebook"))
	if err != nil || len(bad) < 8 {
		t.Fatalf("%d bad vectors, %v", len(bad), err)
	}
	for _, name := range bad {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := wire.ErrFormat
		if strings.Contains(name, "version") {
			want = ErrVersion
		}
		if _, err := Parse(b); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", filepath.Base(name), err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := issue(t, tiny(), fpcode.Single, fpcode.SingleDecoder, Seeded(2), 2)
	data := good.Marshal()
	damage := func(f func(b *Codebook)) []byte {
		b := *good.Codebook
		b.Copies = append([]Copy(nil), b.Copies...)
		f(&b)
		defer func() {
			if recover() == nil {
				t.Error("Marshal wrote what Parse refuses")
			}
		}()
		return b.Marshal()
	}
	for _, f := range []func(*Codebook){
		func(b *Codebook) { b.Bias[0]++ },
		func(b *Codebook) { b.Key[0]++ },
		func(b *Codebook) { b.Copies[1].Key[0]++ },
		func(b *Codebook) { b.Copies[1].Holder = b.Copies[0].Holder },
		func(b *Codebook) { b.Copies[1].Name = b.Copies[0].Name },
		func(b *Codebook) { b.Copies[0].Name = "" },
		func(b *Codebook) { b.Copies[0].Name = "a\x1b" },
		func(b *Codebook) { b.Copies = nil },
		func(b *Codebook) { b.Seeded = false },
	} {
		damage(f)
	}
	for name, x := range map[string]struct {
		data []byte
		want error
	}{
		"another version": {bytes.Replace(data, []byte(" v1\n"), []byte(" v2\n"), 1), ErrVersion},
		"something else":  {[]byte("forewarn form v1\n"), wire.ErrFormat},
		"nothing":         {nil, wire.ErrFormat},
		"cut":             {data[:len(data)-1], wire.ErrFormat},
		"more":            {append(bytes.Clone(data), 0), wire.ErrFormat},
		"another key":     {flipped(data, len(magic)+4+1+1+8+4+len(form.Align2)+4+len(fpcode.SingleDecoder)+3), wire.ErrFormat},
	} {
		if _, err := Parse(x.data); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// Unknown readers and decoders are named when tracing; the codebook still parses.
func TestUnknownDecoder(t *testing.T) {
	b := issue(t, tiny(), fpcode.Default, "joint/99", Seeded(1), 1)
	again, err := Parse(b.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewTracer(again); err == nil || !strings.Contains(err.Error(), "joint/99") {
		t.Errorf("%v, want one that names the decoder", err)
	}
	again.Reader = "align/99"
	if _, err := NewTracer(again); !errors.Is(err, form.ErrReader) {
		t.Errorf("%v, want ErrReader", err)
	}
}

func TestIssueRefuses(t *testing.T) {
	k := Seeded(1)
	f, _, _, err := carrier.CompileFor(tiny(), k.Bias(), fpcode.Default, nil)
	if err != nil {
		t.Fatal(err)
	}
	never := func(string, []form.Output) error { return errors.New("rendered") }
	for _, n := range []int{0, -1, MaxCopies + 1} {
		if _, err := Issue("t", f, fpcode.JointDecoder, k, n, never); err == nil || err.Error() == "rendered" {
			t.Errorf("%d copies: %v", n, err)
		}
	}
	if _, err := Issue("t", f, fpcode.JointDecoder, k, 2, never); err == nil || err.Error() != "rendered" {
		t.Errorf("what render says is lost: %v", err)
	}
}

// Tokens are found, and nobody else's: not those of another experiment.
func TestTokens(t *testing.T) {
	a := issue(t, tiny(), fpcode.Default, fpcode.JointDecoder, Seeded(1), 5)
	b := issue(t, tiny(), fpcode.Default, fpcode.JointDecoder, Seeded(2), 5)
	tracer, err := NewTracer(a.Codebook)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tracer.Trace(specimens(a.files["copy-004"]), 1e-6, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Tokens) != 1 || got.Tokens[0].Copy != "copy-004" || got.Tokens[0].Slot != "t" {
		t.Errorf("tokens %+v", got.Tokens)
	}
	if len(got.Accused) != 0 {
		t.Errorf("two marks accuse, so the token was counted: %+v", got.Accused)
	}
	if got, err := tracer.Trace(specimens(b.files["copy-004"]), 1e-6, 1); err != nil || len(got.Tokens) != 0 {
		t.Errorf("tokens of another experiment are taken for ours: %+v, %v", got.Tokens, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(issue(f, tiny(), fpcode.Default, fpcode.JointDecoder, Seeded(1), 2).Marshal())
	f.Add(issue(f, tiny(), fpcode.Single, fpcode.SingleDecoder, Keys{}, 1).Marshal())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Parse(data)
		if err != nil {
			return
		}
		if again := b.Marshal(); !bytes.Equal(again, data) {
			t.Fatal("it parses and re-encodes otherwise")
		}
		for _, c := range b.Copies {
			b.Render(c.Holder)
		}
	})
}
