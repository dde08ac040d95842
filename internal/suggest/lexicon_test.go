package suggest

import (
	"strings"
	"testing"

	"forewarn/internal/carrier"
)

func TestLexicon(t *testing.T) {
	l, err := ParseLexicon(lexiconText)
	if err != nil {
		t.Fatal(err)
	}
	wordings := 0
	for _, e := range l {
		wordings += len(e.Wordings)
		if err := carrier.CheckAlternatives(e.Wordings); err != nil {
			t.Errorf("%s: %v", strings.Join(e.Wordings, " | "), err)
		}
		var capitals []string
		for _, w := range e.Wordings {
			capitals = append(capitals, capitalised(w))
		}
		if err := carrier.CheckAlternatives(capitals); err != nil {
			t.Errorf("%s: %v", strings.Join(capitals, " | "), err)
		}
		if e.When == "" {
			t.Errorf("%v: nothing says when it is safe", e.Wordings)
		}
	}
	t.Logf("%d entries of %d wordings", len(l), wordings)
	if len(l) < 300 {
		t.Errorf("%d entries; a few hundred are promised", len(l))
	}
}

func TestLexiconRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a | b\n":                      "says when it is safe",
		"= x\na\n":                     "1 wordings",
		"= x\na | b | c | d | e\n":     "5 wordings",
		"= x\n~a | ~b\n":               "nothing in it is looked for",
		"= x\nA | b\n":                 "small letters",
		"= x\na | b1\n":                "small letters",
		"= x\na | \n":                  "small letters",
		"= x\na | b\nc | a\n":          "stands in line 2 already",
		"= x\na | b ; not near: c\n":   "neither",
		"= x\na | b ; not after: c; x": "neither",
	} {
		if _, err := ParseLexicon(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseLexicon(f *testing.F) {
	f.Add("= x\na | b ; not after: c ; not before: d\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLexicon(text)
		if err != nil {
			return
		}
		for _, e := range l {
			if len(e.Wordings) < 2 || len(e.Wordings) > 4 {
				t.Fatalf("%q: %d wordings", text, len(e.Wordings))
			}
		}
		indexOf(l)
	})
}
