package seal

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The npm package age-encryption, which nobody on this project wrote, opens what
// we seal to either kind of age key. FOREWARN_NPM is the folder where it is
// installed.
func TestAgeEncryptionOpensCopies(t *testing.T) {
	node, tar := tool(t, "node"), tool(t, "tar")
	at := os.Getenv("FOREWARN_NPM")
	if at == "" {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("FOREWARN_NPM names no folder with npm's age-encryption and FOREWARN_TEST_ALL=1")
		}
		t.Skip("FOREWARN_NPM names no folder with npm's age-encryption")
	}
	at, err := filepath.Abs(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members() {
		if m.kind != "X25519" && m.kind != "hybrid" {
			continue // it knows no SSH keys
		}
		t.Run(m.kind, func(t *testing.T) {
			dir := t.TempDir()
			header, payload, err := Unlock(testWave, testHolder, must(SealCopy(nil, testWave, testHolder, m.to, testFiles, 0)))
			if err != nil {
				t.Fatal(err)
			}
			var identity string
			for _, line := range bytes.Split(m.identity, []byte("\n")) {
				if bytes.HasPrefix(line, []byte("AGE-SECRET-KEY-")) {
					identity = string(line)
				}
			}
			cmd := exec.Command(node, "testdata/open.mjs", at, identity, write(t, filepath.Join(dir, "copy.age"), append(header, payload...)))
			var errw bytes.Buffer
			cmd.Stderr = &errw
			plain, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, &errw)
			}
			run(t, plain, tar, "-C", dir, "-xf", "-")
			for _, f := range testFiles {
				if got, err := os.ReadFile(filepath.Join(dir, f.Path)); err != nil || !bytes.Equal(got, f.Data) {
					t.Errorf("%s: %d bytes, %v", f.Path, len(got), err)
				}
			}
		})
	}
}
