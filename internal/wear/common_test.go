package wear

import (
	"strings"
	"testing"

	"forewarn/internal/form"
)

func TestCommon(t *testing.T) {
	copies := func(texts ...string) (out [][]form.Output) {
		for _, s := range texts {
			out = append(out, []form.Output{{Path: "a.md", Data: []byte(s)}})
		}
		return out
	}
	for _, c := range []struct {
		texts []string
		want  string
	}{
		{[]string{"The quick fox runs.\n", "The fast fox runs.\n"}, "The fox runs.\n"},
		{[]string{"One two three.\n", "One two three.\n"}, "One two three.\n"},
		{[]string{"a b c d\n", "c a b\n"}, "a b "},
		{[]string{"x y z\n", "x q z\n", "r y z\n"}, "z\n"},
		{[]string{"all of it\n", "none whatever\n"}, ""},
		{[]string{"", ""}, ""},
	} {
		got := string(common(nil, copies(c.texts...)).Specimens[0].Data)
		if strings.TrimSpace(got) != strings.TrimSpace(c.want) {
			t.Errorf("%q have %q in common, not %q", c.texts, got, c.want)
		}
	}
}
