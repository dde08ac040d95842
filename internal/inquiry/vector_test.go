package inquiry_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"forewarn/internal/evidence"
)

const vectors = "../../doc/spec/vectors/dossier2"

// vector keeps a dossier as a vector of version 2, where there is none of that name
// yet and -update is given.
func vector(t *testing.T, name string, dossier []byte) {
	t.Helper()
	file := filepath.Join(vectors, name+".dossier")
	if _, err := os.Stat(file); err != nil && flag.Lookup("update").Value.String() == "true" {
		ok(t, os.MkdirAll(vectors, 0o755))
		ok(t, os.WriteFile(file, dossier, 0o644))
	}
}

// Dossiers of version 2 that were written once verify for ever.
func TestDossierVectors(t *testing.T) {
	for name, want := range map[string]string{
		"edits":    evidence.Traced,
		"final":    evidence.Traced,
		"together": evidence.CannotSay,

		"recoveries": evidence.Traced,
	} {
		b, err := os.ReadFile(filepath.Join(vectors, name+".dossier"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := evidence.VerifyDossier(b, evidence.Trust{})
		if err != nil || r.Conclusion != want || r.Steps[len(r.Steps)-1].Name != "life" {
			t.Errorf("%s: %q, %v", name, r.Conclusion, err)
		}
		for i := 0; i < len(b); i += 1 + len(b)/97 {
			b[i] ^= 4
			if _, err := evidence.VerifyDossier(b, evidence.Trust{}); err == nil {
				t.Errorf("%s: with byte %d changed it verifies", name, i)
			}
			b[i] ^= 4
		}
	}
}
