package form

import (
	"math/rand/v2"
	"strings"
	"testing"

	"forewarn/internal/fpcode"
)

// TestStrewn: a list is read out of its text when the same stands between all of
// its items, and else not.
func TestStrewn(t *testing.T) {
	f := compose(t, map[string]string{"poc/probe.py": `# A probe of the portal, which asks for nothing and changes nothing, for whoever has to show the fault.
FIELDS = [
# order
    ("title", "empty"),
    ("owner", "nobody"),
    ("theme", "plain"),
    ("notes", "none"),
# end
]
`})
	with := symbols(f, rand.New(rand.NewPCG(3, 1)))
	var names, values []string
	for _, line := range strings.Split(string(render(f, with, 1)[0].Data), "\n") {
		if p := strings.Split(line, `"`); len(p) == 5 {
			names, values = append(names, p[1]), append(values, p[3])
		}
	}
	write := func(format func(i int, name, value string) string) string {
		var b strings.Builder
		b.WriteString("POST /portal HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
		for i := range names {
			b.WriteString(format(i, names[i], values[i]))
		}
		return b.String() + "\r\nwhat comes after it"
	}
	multipart := func(_ int, n, v string) string {
		return "--6f1c2e0a54c14c7e\r\nContent-Disposition: form-data; name=\"" + n + "\"\r\n\r\n" + v + "\r\n"
	}
	for _, c := range []struct {
		name string
		text string
		want fpcode.State
	}{
		{"in a body", write(multipart), fpcode.Value},
		{"in a query", write(func(i int, n, v string) string { return n + "=" + v + "&" }), fpcode.Value},
		{"as arguments", write(func(i int, n, v string) string { return " --data '" + n + "=" + v + "'" }), fpcode.Value},
		{"another thing between each", write(func(i int, n, v string) string { return n + "=" + v + []string{" and", " then", " but", " or"}[i] }), fpcode.Erased},
		{"far apart", write(func(i int, n, v string) string { return n + "=" + v + strings.Repeat(" filler", 50) }), fpcode.Erased},
		{"twice over, the same", write(multipart) + write(multipart), fpcode.Value},
		{"one missing", write(func(i int, n, v string) string {
			if i == 2 {
				return ""
			}
			return multipart(i, n, v)
		}), fpcode.Erased},
		{"one twice", write(func(i int, n, v string) string {
			if i == 2 {
				return multipart(i, n, v) + multipart(i, n, v)
			}
			return multipart(i, n, v)
		}), fpcode.Erased},
	} {
		s := readBy(t, Align2, f, c.text).Sites[0]
		if s.State != c.want {
			t.Errorf("%s: %s", c.name, s.describe())
		}
		if symbol, nats := s.Likeliest(); s.State == fpcode.Value && (symbol != with[s.Site] || nats != strewnNats || len(s.Spans)%4 != 0) {
			t.Errorf("%s: %s, is %d; %v", c.name, s.describe(), with[s.Site], s.Spans)
		}
		if s := readBy(t, Align1, f, c.text).Sites[0]; s.State == fpcode.Value {
			t.Errorf("%s: align/1 reads %s", c.name, s.describe())
		}
	}
}
