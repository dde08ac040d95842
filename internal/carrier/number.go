package carrier

import (
	"strconv"
	"strings"
)

// Whole numbers as English writes them. inDigits and inWords write, readNumber
// reads; neither leans on the other, because each is there to check the other.

var (
	ones = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tens = strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")
)

// inDigits groups by commas from 10,000 on.
func inDigits(n int) string {
	s := strconv.Itoa(n)
	if n < 10_000 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// inWords writes 0 to 999,999,999.
func inWords(n int) string {
	switch {
	case n < 20:
		return ones[n]
	case n < 100 && n%10 == 0:
		return tens[n/10]
	case n < 100:
		return tens[n/10] + "-" + ones[n%10]
	}
	scale, word := 100, "hundred"
	if n >= 1_000_000 {
		scale, word = 1_000_000, "million"
	} else if n >= 1000 {
		scale, word = 1000, "thousand"
	}
	out := inWords(n/scale) + " " + word
	switch rest := n % scale; {
	case rest == 0:
	case rest < 100:
		out += " and " + inWords(rest)
	default:
		out += " " + inWords(rest)
	}
	return out
}

// readNumber reads a number in digits, in words, or in digits and a word.
func readNumber(s string) (n int, ok bool) {
	if number, ok := readDigits(s); ok {
		return number, true
	}
	if head, ok := strings.CutSuffix(s, " million"); ok {
		if n, ok := readDigits(head); ok && n <= maxCount/1_000_000 {
			return n * 1_000_000, true
		}
	}
	return readWords(s)
}

func readDigits(s string) (n int, ok bool) {
	parts := strings.Split(s, ",")
	for i, p := range parts {
		if !digits(p) || len(parts) > 1 && (len(p) > 3 || i > 0 && len(p) != 3) || len(p) > 9 {
			return 0, false
		}
	}
	n, err := strconv.Atoi(strings.Join(parts, ""))
	return n, err == nil && n <= maxCount
}

var numberWords = func() map[string]int {
	m := map[string]int{"hundred": 100, "thousand": 1000, "million": 1_000_000}
	for i, w := range ones {
		m[w] = i
	}
	for i, w := range tens {
		m[w] = 10 * i
	}
	delete(m, "-")
	return m
}()

// readWords adds words up from the left: a hundred multiplies the hundreds in
// hand, a thousand or a million closes them. Each scale stands below the last and
// once, or "two three" would be five.
func readWords(s string) (n int, ok bool) {
	hand, last, above := 0, 1000, 1_000_000_000
	any, and := false, false
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '-' }) {
		v, known := numberWords[w]
		switch {
		case w == "and" && any && !and:
			and = true
			continue
		case !known, v == 0 && any:
			return 0, false
		case v >= 1000:
			if hand == 0 || v >= above {
				return 0, false
			}
			n, above, hand, last = n+hand*v, v, 0, 1000
		case v == 100:
			if hand == 0 || hand > 9 {
				return 0, false
			}
			hand, last = hand*100, 100
		default:
			// tens before ones, and no ones after the teens
			if size := unitSize(v); size >= last || last == 10 && v > 9 {
				return 0, false
			} else {
				hand, last = hand+v, size
			}
		}
		any, and = true, false
	}
	return n + hand, any && !and
}

// unitSize is what may still follow a word: after tens come ones, after ones and
// teens nothing.
func unitSize(v int) int {
	if v >= 20 {
		return 10
	}
	return 1
}
