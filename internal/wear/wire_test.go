package wear

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"forewarn/internal/form"
	"forewarn/internal/token"
)

// sent is what of a request carries marks: the line, our headers, and the parts
// of the body in order.
func sent(r *http.Request) (string, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", err
	}
	out := fmt.Sprintf("%s %s\n%s\n%s\n", r.Method, r.URL.RequestURI(), r.Header.Get("User-Agent"), r.Header.Get("Content-Type"))
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			return out, nil
		} else if err != nil {
			return "", err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return "", err
		}
		out += fmt.Sprintf("%s %q %q\n", p.FormName(), p.FileName(), b)
	}
}

// What 'wire' makes of the example's script is what the script sends.
func TestWireIsWhatIsSent(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("python3 is not installed, and FOREWARN_TEST_ALL=1")
		}
		t.Skip("python3 is not installed")
	}
	dice := rand.New(rand.NewPCG(9, 9))
	c := issue(exampleForm(t), dice, token.NewRecogniser([16]byte{1}))
	script := filepath.Join(t.TempDir(), "probe.py")
	for _, o := range c.outputs {
		if o.Path == "poc/probe.py" {
			if err := os.WriteFile(script, o.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var real string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { real, err = sent(r) }))
	defer server.Close()
	if b, ran := exec.Command(python, script, server.URL).CombinedOutput(); ran != nil || err != nil {
		t.Fatalf("%v, %v: %s", ran, err, b)
	}
	row, _ := Find("wire")
	w := row.Apply(dice, []form.Output(c.outputs))
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(w.Specimens[0].Data)))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(w.Specimens[0].Data), "\r\n\r\n")
	r.Body = io.NopCloser(strings.NewReader(body))
	if ours, err := sent(r); err != nil || ours != real {
		t.Errorf("%v\nours\n%s\nreal\n%s", err, ours, real)
	}
}
