package inquiry_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"forewarn/internal/evidence"
)

// Findings that name somebody open a key. What is brought afterwards could have been
// made with it, and findings say so; what was brought before could not.
func TestOpenKeysProveNothingNew(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	at := h.now.Add(-time.Hour)
	says := func(f *evidence.Findings) bool {
		return strings.Contains(fmt.Sprint(f.Why, f.Limits), "has been open since the findings")
	}
	first, err := h.investigate(0, text, at)
	ok(t, err)
	if first.Findings.Conclusion != evidence.Traced || says(&first.Findings) {
		t.Fatalf("%s: %q", first.Findings.Conclusion, first.Findings.Why)
	}
	h.pass(time.Hour)
	second, err := h.investigate(0, bytes.ReplaceAll(text, []byte("# Case 1"), []byte("# Copied")), at)
	ok(t, err)
	if second.Findings.Run != 2 || second.Findings.Conclusion != evidence.Traced || !says(&second.Findings) || !strings.Contains(fmt.Sprint(second.Findings.Why), first.Kept.Name()) {
		t.Errorf("run %d, %s: %q", second.Findings.Run, second.Findings.Conclusion, second.Findings.Why)
	}
	// Asked again, each is as it was.
	for _, was := range []*evidence.Findings{&first.Findings, &second.Findings} {
		data := text
		if was == &second.Findings {
			data = bytes.ReplaceAll(text, []byte("# Case 1"), []byte("# Copied"))
		}
		again, err := h.investigate(0, data, at)
		ok(t, err)
		a, err := was.Marshal()
		ok(t, err)
		b, err := again.Findings.Marshal()
		ok(t, err)
		if !bytes.Equal(a, b) {
			t.Errorf("run %d comes to other findings the second time", was.Run)
		}
	}
}
