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

// A holder whose key was open gets no score of a case that was frozen since: what
// agrees with that copy could have been written by whoever has the dossier. Others
// do, and so does the holder in what was frozen before.
func TestOpenKeysWinNoBet(t *testing.T) {
	h := newHouse(t, 3, 1)
	defer h.close()
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	first, err := h.investigate(0, excerpt(text, 0, 30), found)
	ok(t, err)
	if first.Findings.Conclusion != evidence.Traced {
		t.Fatalf("%s: %q", first.Findings.Conclusion, first.Findings.Why)
	}
	h.pass(time.Hour)
	second, err := h.investigate(0, excerpt(text, 20, 47), found)
	ok(t, err)
	if second.Findings.Run != 2 || second.Findings.Conclusion != evidence.Traced {
		t.Fatalf("run %d, %s", second.Findings.Run, second.Findings.Conclusion)
	}
	x := history(h, 1)
	if len(x.Cases) != 2 || !x.Cases[0].Touched || !x.Cases[0].Told || x.Cases[1].Touched || x.Cases[1].Told {
		t.Errorf("of the holder whose key was open it tells %+v", x.Cases)
	}
	if x.E == "" || x.E != x.Cases[0].E {
		t.Errorf("E is %q all together, and %q after the case before the key was open", x.E, x.Cases[0].E)
	}
	for _, member := range []int{0, 2} {
		if x := history(h, member); !x.Cases[0].Touched || !x.Cases[1].Touched {
			t.Errorf("of the others it tells %+v", x.Cases)
		}
	}
}
