package carrier

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"forewarn/internal/form"
)

func TestFactWays(t *testing.T) {
	for _, c := range []struct {
		mark string
		ways string // with bars; empty: refused
	}{
		{"date:2025-07-08", "8 July 2025|July 8, 2025|2025-07-08"},
		{"date:2024-02-29", "29 February 2024|February 29, 2024|2024-02-29"},
		{"date:2025-02-29", ""},
		{"date:2025-7-8", ""},
		{"date:08/07/2025", ""},
		{"date:0025-07-08", ""},
		{"time:17:00", "17:00|5 pm"},
		{"time:09:00", "09:00|9 am"},
		{"time:16:05", "16:05|4:05 pm"},
		{"time:12:00", "12:00|noon"},
		{"time:00:00", ""}, // of which day?
		{"time:10:30", ""}, // 10:30 am holds it
		{"time:9:00", ""},
		{"time:24:00", ""},
		{"count:12", "12|twelve"},
		{"count:1000", "1000|one thousand"},
		{"count:5000000", "5,000,000|five million|5 million"},
		{"count:12345", "12,345|twelve thousand three hundred and forty-five"},
		{"count:0", "0|zero"},
		{"count:-1", ""},
		{"count:012", ""},
		{"count:1,000", ""},
		{"count:1000000000", ""},
		{"size:64 KiB", "64 KiB|64 kibibytes|65,536 bytes"},
		{"size:1 MB", "1 MB|1 megabyte|1,000,000 bytes"},
		{"size:3 GiB", "3 GiB|3 gibibytes"},
		{"size:64 KB", ""},
		{"size:0 kB", ""},
		{"size:1.5 MB", ""},
		{"duration:90m", "90 minutes|ninety minutes|an hour and a half"},
		{"duration:150m", "150 minutes|one hundred and fifty minutes|two and a half hours"},
		{"duration:30m", "30 minutes|thirty minutes|half an hour"},
		{"duration:2h", "2 hours|two hours|120 minutes"},
		{"duration:48h", "48 hours|forty-eight hours"}, // never two days
		{"duration:1d", "1 day|one day"},               // never 24 hours
		{"duration:14d", "14 days|fourteen days|two weeks"},
		{"duration:1w", "1 week|one week|7 days"},
		{"duration:120s", "120 seconds|one hundred and twenty seconds|2 minutes"},
		{"duration:0h", ""},
		{"duration:1y", ""},
		{"duration:h", ""},
	} {
		said := ""
		got := parseInline("{{"+c.mark+"}}", 0, len(c.mark)+4, func(_ int, what, do string) { said = what + "; " + do })
		switch {
		case c.ways == "" && (len(got) > 0 || said == ""):
			t.Errorf("%s: accepted as %v", c.mark, got)
		case c.ways != "" && (len(got) != 1 || strings.Join(got[0].alts, "|") != c.ways):
			t.Errorf("%s: %v %s, want %s", c.mark, got, said, c.ways)
		}
	}
}

// A bar makes a choice of anything, as it always did.
func TestFactsAreNoChoices(t *testing.T) {
	for body, want := range map[string]bool{"date:x": true, "date: soon|later": false, "#count one:x": false, "dates:1": false, "time": false} {
		if got := factOf(body) != nil; got != want {
			t.Errorf("%q names a value: %t", body, got)
		}
	}
}

// Each way gives its value back and no other; ways are told apart by letters and
// digits alone, which is all that a reader of specimens sees.
func TestFactsReadBack(t *testing.T) {
	draw := map[string]func(*rapid.T) string{
		"date": func(t *rapid.T) string {
			return sprintf("%04d-%02d-%02d", rapid.IntRange(1000, 2999).Draw(t, "y"), rapid.IntRange(1, 12).Draw(t, "m"), rapid.IntRange(1, 28).Draw(t, "d"))
		},
		"time": func(t *rapid.T) string {
			return sprintf("%02d:%02d", rapid.IntRange(1, 23).Draw(t, "h"), rapid.SampledFrom([]int{0, 0, 5, 30, 59}).Draw(t, "m"))
		},
		"count": func(t *rapid.T) string { return strconv.Itoa(rapid.IntRange(0, maxCount).Draw(t, "n")) },
		"size": func(t *rapid.T) string {
			return strconv.Itoa(rapid.IntRange(1, 9999).Draw(t, "n")) + " " + sizeUnits[rapid.IntRange(0, len(sizeUnits)-1).Draw(t, "u")].symbol
		},
		"duration": func(t *rapid.T) string {
			return strconv.Itoa(rapid.IntRange(1, 9999).Draw(t, "n")) + rapid.SampledFrom([]string{"s", "m", "h", "d", "w"}).Draw(t, "u")
		},
	}
	for i := range factKinds {
		k := &factKinds[i]
		rapid.Check(t, func(t *rapid.T) {
			given := draw[k.name](t)
			value, ways := k.write(given)
			if value == "" {
				t.Fatalf("%s %s isn't written", k.name, given)
			}
			if len(ways) < 2 {
				return
			}
			if what, _ := k.checkFact(value, ways); what != "" {
				t.Fatalf("%s %s: %s", k.name, given, what)
			}
			seen := map[string]string{}
			for _, w := range ways {
				folded := strings.Map(func(r rune) rune {
					if unicode.IsLetter(r) || unicode.IsDigit(r) {
						return unicode.ToLower(r)
					}
					return -1
				}, w)
				if o, same := seen[folded]; same {
					t.Fatalf("%s %s: %q and %q fold alike", k.name, given, o, w)
				}
				seen[folded] = w
			}
		})
	}
}

// A way that is wrong must be seen: each row is refused.
func TestFactsSeeAWrongWay(t *testing.T) {
	for _, c := range []struct{ kind, value, wrong string }{
		{"date", "2025-07-08", "July 9, 2025"},
		{"date", "2025-07-08", "08/07/2025"},
		{"time", "17:00", "7 pm"},
		{"time", "17:00", "17 pm"},
		{"count", "1000", "1.000"},
		{"count", "12", "one two"},
		{"count", "1000", "ten hundred"},
		{"size", "65536 bytes", "64 kB"},
		{"duration", "172800 seconds", "two days"},
		{"duration", "5400 seconds", "1 and a half hour"},
	} {
		k := factOf(c.kind + ":")
		good := c.value
		if what, _ := k.checkFact(c.value, []string{c.wrong, good}); what == "" {
			t.Errorf("%s %s may be written %q", c.kind, c.value, c.wrong)
		}
	}
}

func TestNumberWords(t *testing.T) {
	for n := 0; n <= 20_000; n++ {
		if got, ok := readWords(inWords(n)); !ok || got != n {
			t.Fatalf("%d is %q, which reads as %d", n, inWords(n), got)
		}
	}
	for _, s := range []string{"", "and", "one two", "twenty eleven", "twenty thirty", "hundred", "thousand", "one thousand two million", "one thousand thousand", "ten hundred", "five zero", "one hundred hundred", "eleven", "a dozen"} {
		if n, ok := readWords(s); ok != (s == "eleven") {
			t.Errorf("%q reads as %d", s, n)
		}
	}
	for _, s := range []string{"1,00", ",100", "1,000,00", "1,0000", "1000,000", "", "9999999999"} {
		if n, ok := readDigits(s); ok {
			t.Errorf("%q reads as %d", s, n)
		}
	}
}

func FuzzReadFact(f *testing.F) {
	for _, s := range []string{"8 July 2025", "July 8, 2025", "2025-07-08", "5 pm", "noon", "one hundred and five", "5 million", "64 KiB", "two and a half hours", "two weeks", "1,000 bytes"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, way string) {
		for i := range factKinds {
			k := &factKinds[i]
			value := k.read(way)
			if value == "" {
				continue
			}
			// What reads as a value is read as the same when it stands in a mark's ways.
			if k.read(way) != value {
				t.Fatalf("%q reads twice in two ways", way)
			}
			if k.name == "count" {
				if again, ways := k.write(value); again != value || !slices.ContainsFunc(ways, func(w string) bool { return k.read(w) == value }) {
					t.Fatalf("%q reads as %s, which can't be written", way, value)
				}
			}
		}
	})
}

// A named value is written in one way throughout; the reader tells ways apart.
func TestFactsInACopy(t *testing.T) {
	src := source("a.md", "The update is due on {{date:2025-07-08#days}}, and the notice on that went out on {{date:2025-06-24#days}} to all of the members.\n"+
		"A repeat of the notice follows within {{duration:90m}}, and after that within {{duration:90m}} whenever something new is known to the desk.\n")
	f, _, r, err := Compile(src, testBias)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sites != 3 {
		t.Errorf("%d sites, want 3: one for the days and two for the hours", r.Sites)
	}
	if bad := form.Distinguishable(f); len(bad) > 0 {
		t.Errorf("can't be read back: %v", bad)
	}
	seen := map[string]bool{}
	for v := range uint8(3) {
		text := string(f.Render(form.PoC, func(form.Site) uint8 { return v }, nil)[0].Data)
		for first, second := range map[string]string{"8 July 2025": "24 June 2025", "July 8, 2025": "June 24, 2025", "2025-07-08": "2025-06-24"} {
			if strings.Contains(text, " "+first+",") != strings.Contains(text, " "+second+" ") {
				t.Errorf("dates of one name in two ways: %s", text)
			}
			seen[first] = seen[first] || strings.Contains(text, " "+first+",")
		}
	}
	if len(seen) != 3 || !seen["2025-07-08"] || !seen["July 8, 2025"] || !seen["8 July 2025"] {
		t.Errorf("not every way is shown: %v", seen)
	}
}
