package carrier

import (
	"strings"
	"testing"

	"forewarn/internal/fpcode"
)

func TestMarksInCode(t *testing.T) {
	for path, text := range map[string]string{
		"poc/a.py":   "\"\"\"A {{quick|fast}} look at\nhow {{quick|fast}} it is.\n\"\"\"\nx = 'a \\' {{quick|fast}}' # it's {{quick|fast}}\n",
		"poc/a.go":   "/* a\n{{quick|fast}} */ x := `\n\\ {{quick|fast}}` + \"{{quick|fast}}\" // {{quick|fast}}\n",
		"poc/a.sh":   "echo $#x \"{{quick|fast}}\" # {{quick|fast}}\n",
		"poc/a.ps1":  "<# a\n{{quick|fast}}\n#>\n",
		"poc/a.php":  "f('{{quick|fast}}'); # {{quick|fast}}\n",
		"poc/a.http": "# {{quick|fast}}\nGET / HTTP/1.1\nX-Trace: {{token:hex}}\n",
	} {
		if _, _, _, err := Compile(source(path, text), fpcode.Key{}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Whatever the text, the stretches are in order and within it, and the scanner ends.
func FuzzQuotedIn(f *testing.F) {
	for _, s := range []string{"'a' \"b\" # c\n", "\"\"\"\\", "/*", "`\\", "<# #>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range []*language{pythonCode, shellCode, powerCode, slashCode, tickCode, phpCode, otherCode} {
			last := 0
			for _, q := range l.quotedIn(text) {
				if q[0] < last || q[1] < q[0] || q[1] > len(text) {
					t.Fatalf("%q: %v after %d", text, q, last)
				}
				last = q[1]
			}
			if n := len(l.quotedIn(strings.Repeat("x", 10))); n != 0 {
				t.Fatalf("%d stretches of a plain word", n)
			}
		}
	})
}
