package equivalence

import (
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"forewarn/internal/sigma"
)

// definition finds the strings of YARA rules: a text, bytes or an expression, and
// what modifies it.
var definition = regexp.MustCompile(`(?m)\$\w*\s*=\s*(?:"((?:\\.|[^"\\\n])*)"|\{([0-9A-Fa-f?\s]+)\}|/((?:\\.|[^/\\\n])+)/[is]*)((?:\s+(?:ascii|wide|nocase|fullword|private|xor|base64|base64wide)\b(?:\([^)\n]*\))?)*)`)

const (
	maxSamples = 500
	maxStrings = 100
)

// samples are files made of the strings that rules look for: each alone, all
// together with each in front, all but each. So a rule that asks for any, for all
// or for one at the beginning is shown both sides.
func samples(rules string) []File {
	var texts [][]byte
	for _, m := range definition.FindAllStringSubmatch(rules, maxStrings) {
		b, ok := text(m)
		if !ok {
			continue
		}
		if strings.Contains(m[4], "wide") {
			var wide []byte
			for _, u := range utf16.Encode([]rune(string(b))) {
				wide = binary.LittleEndian.AppendUint16(wide, u)
			}
			if !strings.Contains(m[4], "ascii") {
				b = nil
			}
			b = append(append(b, '\n'), wide...)
		}
		texts = append(texts, b)
	}
	out := []File{{"nothing-of-it", []byte("nothing of the kind\n")}, {"empty", nil}}
	join := func(first, without int) []byte {
		var b []byte
		if first >= 0 {
			b = append(b, texts[first]...)
		}
		for i, t := range texts {
			if i != first && i != without {
				b = append(append(b, '\n'), t...)
			}
		}
		return b
	}
	for i := range texts {
		n := strconv.Itoa(i)
		out = append(out, File{"only-" + n, texts[i]}, File{"first-" + n, join(i, -1)}, File{"without-" + n, join(-1, i)})
		// In twos: the head of a file and one thing in it.
		for j := range texts {
			if i != j && len(out) < maxSamples {
				out = append(out, File{"pair-" + n + "-" + strconv.Itoa(j), append(append(append([]byte{}, texts[i]...), '\n'), texts[j]...)})
			}
		}
	}
	return out
}

// text is the bytes of a definition.
func text(m []string) ([]byte, bool) {
	switch {
	case m[2] != "":
		// A byte that may be any is a zero.
		b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(strings.Fields(m[2]), ""), "?", "0"))
		return b, err == nil
	case m[3] != "":
		s, ok := sigma.Instance(strings.ReplaceAll(m[3], `\/`, "/"))
		return []byte(s), ok
	}
	s, err := strconv.Unquote(`"` + m[1] + `"`)
	return []byte(s), err == nil && s != ""
}
