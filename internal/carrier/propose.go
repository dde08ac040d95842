package carrier

// What those who propose marks need to know of the gates.

// IsProse reports whether a file is running text for people, in which wordings,
// facts and examples may be marked.
func IsProse(path, src string) bool { return formatOf(path, src).prose }

// CheckAlternatives refuses alternatives of one choice that don't mean the same,
// as far as the gate can tell. The error is one line.
func CheckAlternatives(alts []string) error {
	if _, what, do, ok := gate(alts); !ok {
		return Refusals{{What: what, Do: do}}
	}
	return nil
}

// Ways are the ways of writing a value: of the kind that a mark names before its
// colon, and what it names behind it. nil if it can't be marked.
func Ways(kind, given string) []string {
	k := factOf(kind + ":" + given)
	if k == nil {
		return nil
	}
	value, ways := k.write(given)
	if value == "" {
		return nil
	}
	if what, _ := k.checkFact(value, ways); what != "" {
		return nil
	}
	return ways
}

// Number reads a whole number in digits or in words.
func Number(s string) (n int, ok bool) { return readNumber(s) }
