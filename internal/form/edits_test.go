package form

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
)

func edited(t *testing.T) (*Readings, *Edits) {
	t.Helper()
	r := read(t, golden(t), "A request without a session can place a file in the theme folder of the portal. Meanwhile, please: do nothing")
	return &r, &Edits{Of: r.Hash(), List: []Edit{
		{r.Sites[0].Site, fpcode.Value, 0, "ina", "the scan shows ‘is able to’ struck out"},
		{r.Sites[1].Site, fpcode.Erased, 0, "ina", "cannot be told"},
		{r.Sites[2].Site, fpcode.Other, 0, "cleo", "sorted by somebody"},
	}}
}

func TestApplyEdits(t *testing.T) {
	r, e := edited(t)
	before := r.Hash()
	out, err := ApplyEdits(r, e)
	if err != nil {
		t.Fatal(err)
	}
	if out.Of != before || r.Hash() != before || out.Edits != e.Hash() || out.Readings.Hash() == before {
		t.Errorf("hashes: of %x, edits %x", out.Of, out.Edits)
	}
	if again, _ := ApplyEdits(r, e); !reflect.DeepEqual(again, out) {
		t.Error("the same edits give another result")
	}
	if out.Readings.Reader != "align/1+edits/1" || !out.Readings.IsEdited() || r.IsEdited() {
		t.Errorf("reader %q", out.Readings.Reader)
	}
	for i, want := range []string{"symbol 0", "nothing", "something else"} {
		s := out.Readings.Sites[i]
		if s.describe() != want || !reflect.DeepEqual(s.Spans, r.Sites[i].Spans) {
			t.Errorf("site %d: %s", i, s.describe())
		}
	}
	if back, err := ParseReadings(out.Readings.Marshal()); err != nil || back.Hash() != out.Readings.Hash() {
		t.Errorf("edited readings do not encode: %v", err)
	}
	if none, err := ApplyEdits(r, &Edits{Of: before}); err != nil || none.Readings.Sites[0].Symbol != r.Sites[0].Symbol || none.Readings.Hash() == before {
		t.Errorf("no edits: %v", err)
	}
	if _, err := NewReaderVersion(golden(t), out.Readings.Reader); !errors.Is(err, ErrReader) {
		t.Error("there is a reader of that name")
	}
}

func TestApplyEditsRefuses(t *testing.T) {
	for name, spoil := range map[string]func(r *Readings, e *Edits){
		"other readings":  func(r *Readings, e *Edits) { e.Of[0] ^= 1 },
		"no such site":    func(r *Readings, e *Edits) { e.List[0].Site[0] ^= 1 },
		"no such symbol":  func(r *Readings, e *Edits) { e.List[0].Symbol = 2 },
		"twice":           func(r *Readings, e *Edits) { e.List[1] = e.List[0] },
		"out of order":    func(r *Readings, e *Edits) { e.List[0], e.List[1] = e.List[1], e.List[0] },
		"nobody":          func(r *Readings, e *Edits) { e.List[0].By = "" },
		"no reason":       func(r *Readings, e *Edits) { e.List[0].Why = " " },
		"two lines":       func(r *Readings, e *Edits) { e.List[0].Why = "a\nsite b" },
		"hidden":          func(r *Readings, e *Edits) { e.List[0].By = "a\u202eb" },
		"erased with one": func(r *Readings, e *Edits) { e.List[1].Symbol = 1 },
		"no state":        func(r *Readings, e *Edits) { e.List[1].State = 3 },
		"edited readings": func(r *Readings, e *Edits) { r.Reader += editedSuffix; e.Of = r.Hash() },
	} {
		r, e := edited(t)
		spoil(r, e)
		if _, err := ApplyEdits(r, e); !errors.Is(err, ErrEdits) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseEdits(t *testing.T) {
	_, e := edited(t)
	text := string(e.Marshal())
	back, err := ParseEdits([]byte(text))
	if err != nil || !reflect.DeepEqual(back, e) {
		t.Fatalf("%v:\n%s", err, text)
	}
	loose := "# mine\r\n" + strings.ReplaceAll(text, "\nsite", "\n# next\n\nsite")
	loose = strings.ReplaceAll(loose, "\n", "\r\n")
	if back, err := ParseEdits([]byte(loose)); err != nil || back.Hash() != e.Hash() {
		t.Errorf("with comments: %v", err)
	}
	if _, err := ParseEdits([]byte(text[:strings.LastIndex(text, "why")])); err == nil {
		t.Error("cut off, and parsed")
	}
	for _, c := range []struct{ old, new, says string }{
		{"forewarn edits v1", "forewarn edits v2", "line 1:"},
		{"readings ", "Readings ", "line 2:"},
		{"read erased", "read nothing", "line 10: \"nothing\""},
		{"read symbol 0", "read symbol 00", "line 5:"},
		{"read symbol 0", "read symbol 24", "line 5:"},
		{"read symbol 0", "read symbol -1", "line 5:"},
		{"site 11", "site 1", "line 4:"},
		{"site 11", "site 1G", "line 4:"},
		{"by cleo", "by  cleo", "'by' names"},
		{"by cleo", "by", "want 'by …'"},
		{"why cannot be told", "why cannot\tbe told", "'why' says"},
		{"why sorted by somebody\n", "why sorted by somebody\nmore", "want 'site …'"},
		{fmt.Sprintf("site %x", e.List[1].Site), fmt.Sprintf("site %x", e.List[0].Site), "twice"},
		{"ina", "i\xffna", "UTF-8"},
	} {
		bad := strings.Replace(text, c.old, c.new, 1)
		if bad == text {
			t.Fatalf("no %q in\n%s", c.old, text)
		}
		if _, err := ParseEdits([]byte(bad)); !errors.Is(err, ErrEdits) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.says)
		}
	}
}

// FuzzParseEdits: what parses is written and parsed again as the same.
func FuzzParseEdits(f *testing.F) {
	f.Add([]byte(editsMagic + "\nreadings " + strings.Repeat("0", 64) + "\n\nsite " + strings.Repeat("a", 32) + "\nread symbol 3\nby x\nwhy y z\n"))
	f.Add([]byte("# c\n\n" + editsMagic + "\r\nreadings " + strings.Repeat("f", 64)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEdits(b)
		if err != nil {
			if !errors.Is(err, ErrEdits) {
				t.Fatal(err)
			}
			return
		}
		text := e.Marshal()
		again, err := ParseEdits(text)
		if err != nil || !bytes.Equal(again.Marshal(), text) || again.Hash() != e.Hash() {
			t.Fatalf("%v:\n%s", err, text)
		}
	})
}
