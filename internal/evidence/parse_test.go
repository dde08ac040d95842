package evidence_test

import (
	"bytes"
	"testing"

	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
)

// FuzzParseDossier wants what parses to be written again byte for byte, but for the
// signature, in whichever version.
func FuzzParseDossier(f *testing.F) {
	c := evidencetest.New(2, 6)
	for _, v := range files(f, "../../doc/spec/vectors/dossier2", ".dossier") {
		f.Add(v)
	}
	for _, folder := range []string{dossierVectors, jointVectors} {
		for _, v := range files(f, folder, ".dossier") {
			f.Add(v)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := evidence.ParseDossier(in)
		if err != nil {
			return
		}
		out, err := d.Sign(c.Inquiry)
		if err != nil {
			t.Fatalf("what parses can't be written: %v", err)
		}
		if n := len(in) - 64; len(out) != len(in) || !bytes.Equal(out[:n], in[:n]) {
			t.Fatal("it is written otherwise than it was read")
		}
	})
}
