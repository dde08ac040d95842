package fpcode

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// No machine may fuse a multiplication with an addition: the result would
// differ in its last bit from that of machines which can't. This reads what the
// compiler makes of the package for three architectures that could.
func TestNothingIsFused(t *testing.T) {
	if os.Getenv("FOREWARN_TEST_ALL") == "" {
		t.Skip("compiles the package for three architectures; set FOREWARN_TEST_ALL=1")
	}
	fused := regexp.MustCompile(`\bV?FN?M(ADD|SUB)`)
	for _, env := range []string{"GOARCH=arm64", "GOARCH=riscv64", "GOARCH=amd64 GOAMD64=v3"} {
		cmd := exec.Command("go", "build", "-gcflags=-S", ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		cmd.Env = append(cmd.Env, strings.Fields(env)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", env, err, out)
		}
		if !strings.Contains(string(out), "tail.go") {
			t.Fatalf("%s: no listing", env)
		}
		for line := range strings.Lines(string(out)) {
			if fused.MatchString(line) {
				t.Errorf("%s: %s", env, strings.TrimSpace(line))
			}
		}
	}
}
