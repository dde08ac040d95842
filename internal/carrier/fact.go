package carrier

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fact mark names one value, {{date:2025-07-08}}, and a copy shows it in one
// of several ways: 8 July 2025, July 8, 2025 or 2025-07-08. The author doesn't
// write the ways. They follow from the value, and each is read back by a parser
// that knows nothing of how it was written; unless all give the value again, the
// mark is refused. So this is the one place where alternatives may differ in a
// number.
//
// Ways that differ in punctuation and case alone, 1,000 and 1000, are one way:
// whoever retypes a leak makes one of the other. And hours never become days, nor
// days hours: a duty of 48 hours and one of two days end at different times.
//
// What is written for which value is frozen with the label of its site
// (doc/spec/source.md, 6): another way would be another site.

// factKind is a sort of value: how it is given, written and read.
type factKind struct {
	name  string
	given string // what an author writes, for messages
	// write gives a value's canonical form and its ways; "" if it can't be read.
	write func(given string) (value string, ways []string)
	// read is the value that a way stands for, canonical; "" if none.
	read func(way string) (value string)
}

var factKinds = []factKind{
	{"date", "a day of the calendar, as in {{date:2025-07-08}}", writeDate, readDate},
	{"time", "a time of day, as in {{time:17:00}}", writeClock, readClock},
	{"count", "a whole number of at most nine digits, as in {{count:12}}", writeCount, readCount},
	{"size", "a whole number and kB, MB, GB, TB, KiB, MiB, GiB or TiB, as in {{size:64 KiB}}", writeSize, readSize},
	{"duration", "a whole number and s, m, h, d or w, as in {{duration:90m}}", writeDuration, readDuration},
}

// factOf is the kind whose name and colon a mark begins with, nil if none. A mark
// with a bar is a choice, whatever it begins with.
func factOf(body string) *factKind {
	name, _, colon := strings.Cut(body, ":")
	if !colon || strings.Contains(body, "|") {
		return nil
	}
	for i := range factKinds {
		if factKinds[i].name == name {
			return &factKinds[i]
		}
	}
	return nil
}

// checkFact says what keeps the ways of writing a value from being a mark.
func (k *factKind) checkFact(value string, ways []string) (what, do string) {
	if len(ways) < 2 {
		return sprintf("%s is written in one way only", value), "leave it outside of a mark"
	}
	for i, w := range ways {
		if back := k.read(w); back != value {
			return sprintf("%q doesn't read back as %s %s", w, k.name, value), "leave it outside of a mark"
		}
		for _, o := range ways[:i] {
			if a, b := foldWords(o), foldWords(w); contains(a, b) || contains(b, a) {
				return sprintf("one of %q and %q holds the other", o, w), "leave it outside of a mark"
			}
		}
	}
	return "", ""
}

var dateLayouts = []string{"2 January 2006", "January 2, 2006", time.DateOnly}

func writeDate(given string) (string, []string) {
	t, err := time.Parse(time.DateOnly, given)
	if err != nil || t.Year() < 1000 {
		return "", nil
	}
	var ways []string
	for _, l := range dateLayouts {
		ways = append(ways, t.Format(l))
	}
	return given, ways
}

func readDate(way string) string {
	for _, l := range dateLayouts {
		if t, err := time.Parse(l, way); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	return ""
}

// writeClock leaves midnight out, which ends one day or begins another.
func writeClock(given string) (string, []string) {
	t, err := time.Parse("15:04", given)
	switch {
	case err != nil || t.Format("15:04") != given || given == "00:00":
		return "", nil
	case given == "12:00":
		return given, []string{given, "noon"}
	case t.Minute() == 0:
		return given, []string{given, t.Format("3 pm")}
	case t.Hour() >= 10 && t.Hour() <= 12:
		return given, []string{given} // 10:30 am holds 10:30
	}
	return given, []string{given, t.Format("3:04 pm")}
}

var clock12 = regexp.MustCompile(`^(1?[0-9])(?::([0-5][0-9]))? (am|pm)$`)

func readClock(way string) string {
	if way == "noon" {
		return "12:00"
	}
	if m := clock12.FindStringSubmatch(way); m != nil {
		hour, _ := strconv.Atoi(m[1])
		if hour < 1 || hour > 12 {
			return ""
		}
		if hour %= 12; m[3] == "pm" {
			hour += 12
		}
		minute, _ := strconv.Atoi(m[2])
		return sprintf("%02d:%02d", hour, minute)
	}
	if hour, minute, ok := strings.Cut(way, ":"); ok && len(hour) == 2 && len(minute) == 2 && digits(hour+minute) && hour < "24" && minute < "60" {
		return way
	}
	return ""
}

const maxCount = 999_999_999

// natural reads decimal digits without a sign or leading zeros.
func natural(s string) (n int, ok bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= maxCount && strconv.Itoa(n) == s
}

func writeCount(given string) (string, []string) {
	n, ok := natural(given)
	if !ok {
		return "", nil
	}
	ways := []string{inDigits(n), inWords(n)}
	if n >= 1_000_000 && n%1_000_000 == 0 {
		ways = append(ways, strconv.Itoa(n/1_000_000)+" million")
	}
	return given, ways
}

func readCount(way string) string {
	if n, ok := readNumber(way); ok {
		return strconv.Itoa(n)
	}
	return ""
}

var sizeUnits = []struct {
	symbol, word string
	bytes        int
}{
	{"kB", "kilobyte", 1e3}, {"MB", "megabyte", 1e6}, {"GB", "gigabyte", 1e9}, {"TB", "terabyte", 1e12},
	{"KiB", "kibibyte", 1 << 10}, {"MiB", "mebibyte", 1 << 20}, {"GiB", "gibibyte", 1 << 30}, {"TiB", "tebibyte", 1 << 40},
}

// maxBytes is how many bytes are written out: more digits are counted, not read.
const maxBytes = 9_999_999

func writeSize(given string) (string, []string) {
	number, symbol, _ := strings.Cut(given, " ")
	n, ok := natural(number)
	for _, u := range sizeUnits {
		if !ok || u.symbol != symbol || n == 0 || n > 9999 {
			continue
		}
		ways := []string{given, plural(number, n, u.word)}
		if n*u.bytes <= maxBytes {
			ways = append(ways, inDigits(n*u.bytes)+" bytes")
		}
		return strconv.Itoa(n*u.bytes) + " bytes", ways
	}
	return "", nil
}

func readSize(way string) string {
	i := strings.LastIndexByte(way, ' ')
	if i < 0 {
		return ""
	}
	n, ok := readNumber(way[:i])
	if unit := way[i+1:]; ok && unit == "bytes" {
		return strconv.Itoa(n) + " bytes"
	} else if ok {
		for _, u := range sizeUnits {
			if unit == u.symbol || strings.TrimSuffix(unit, "s") == u.word {
				return strconv.Itoa(n*u.bytes) + " bytes"
			}
		}
	}
	return ""
}

// plural is a number with its noun.
func plural(number string, n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return number + " " + noun
}

// writeDuration knows two families: seconds, minutes and hours; days and weeks.
func writeDuration(given string) (string, []string) {
	if len(given) < 2 {
		return "", nil
	}
	n, ok := natural(given[:len(given)-1])
	noun := map[byte]string{'s': "second", 'm': "minute", 'h': "hour", 'd': "day", 'w': "week"}[given[len(given)-1]]
	if !ok || n == 0 || n > 9999 || noun == "" {
		return "", nil
	}
	ways := []string{plural(inDigits(n), n, noun), plural(inWords(n), n, noun)}
	switch {
	case noun == "second" && n%60 == 0:
		ways = append(ways, plural(inDigits(n/60), n/60, "minute"))
	case noun == "minute" && n == 30:
		ways = append(ways, "half an hour")
	case noun == "minute" && n == 90:
		ways = append(ways, "an hour and a half")
	case noun == "minute" && n%60 == 30 && n < 24*60:
		ways = append(ways, inWords(n/60)+" and a half hours")
	case noun == "minute" && n%60 == 0:
		ways = append(ways, plural(inDigits(n/60), n/60, "hour"))
	case noun == "hour" && n <= 4:
		ways = append(ways, inDigits(60*n)+" minutes")
	case noun == "day" && n%7 == 0:
		ways = append(ways, plural(inWords(n/7), n/7, "week"))
	case noun == "week":
		ways = append(ways, inDigits(7*n)+" days")
	}
	return readDuration(ways[0]), ways
}

// readDuration gives seconds or days.
func readDuration(way string) string {
	switch way {
	case "half an hour":
		return "1800 seconds"
	case "an hour and a half":
		return "5400 seconds"
	}
	if whole, ok := strings.CutSuffix(way, " and a half hours"); ok {
		n, ok := readNumber(whole)
		if !ok {
			return ""
		}
		return strconv.Itoa(3600*n+1800) + " seconds"
	}
	i := strings.LastIndexByte(way, ' ')
	if i < 0 {
		return ""
	}
	n, ok := readNumber(way[:i])
	noun := way[i+1:]
	if j := slices.Index([]string{"second", "minute", "hour"}, strings.TrimSuffix(noun, "s")); ok && j >= 0 {
		return strconv.Itoa(n*[]int{1, 60, 3600}[j]) + " seconds"
	}
	if j := slices.Index([]string{"day", "week"}, strings.TrimSuffix(noun, "s")); ok && j >= 0 {
		return strconv.Itoa(n*[]int{1, 7}[j]) + " days"
	}
	return ""
}
