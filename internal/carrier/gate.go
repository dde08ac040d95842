package carrier

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The gate of meaning. It knows no language: it compares alternatives by what a
// wrong pair usually shows. It refuses too much rather than too little, and an
// author who is refused rewords.

// counted are words whose number must be the same in every alternative, by what
// they say.
var counted = map[string]string{}

// present are words of which each kind is in all alternatives or in none.
var present = map[string]string{}

// opposed are words that may not stand against one another.
var opposed = map[string][]string{}

func init() {
	for kind, words := range map[string]string{
		"a negation": "not no never without none nobody nothing nowhere neither nor cannot refrain",
		"a number": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen " +
			"twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half quarter dozen twice double triple single " +
			"second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth " +
			"couple pair trio zeroed",
		"a date": "january february march april june july august september october november december " +
			"monday tuesday wednesday thursday friday saturday sunday yesterday today tonight tomorrow",
		"a unit": "fortnight fortnights decade decades century centuries minute minutes hour hours day days week weeks month months year years daily weekly monthly hourly yearly percent byte bytes kilobyte kilobytes megabyte megabytes gigabyte gigabytes " +
			"bit bits seconds ms s sec secs min mins h hr hrs d kb mb gb tb kib mib gib tib",
	} {
		for w := range strings.FieldsSeq(words) {
			counted[w] = kind
		}
	}
	for kind, words := range map[string]string{
		"an obligation":    "must shall mandatory obligatory need needed require required necessary", // not requires: "takes" says it as well
		"a prohibition":    "forbid forbids forbidden prohibit prohibits prohibited disallow disallowed banned",
		"a recommendation": "should ought recommended",
		"a permission":     "may might optional",
		"a restriction":    "only solely exclusively",
	} {
		for w := range strings.FieldsSeq(words) {
			present[w] = kind
		}
	}
	for pair := range strings.FieldsSeq("before/after earlier/later above/below over/under up/down and/or all/some all/any every/some most/least more/less more/fewer " +
		"minimum/maximum always/sometimes allow/deny allow/block allows/denies allowed/denied permit/deny accept/reject accept/refuse accepts/rejects accepted/rejected " +
		"enable/disable enabled/disabled enables/disables increase/decrease raise/lower open/closed opens/closes start/stop starts/stops include/exclude " +
		"including/excluding upload/download inbound/outbound incoming/outgoing read/write true/false yes/no on/off internal/external local/remote public/private " +
		"client/server request/response source/destination first/last left/right before/since until/from inside/outside within/beyond safe/dangerous high/low " +
		"has/lacks have/lack fails/manages failed/managed often/rarely often/seldom frequently/rarely many/few much/little continues/ceases continued/ceased " +
		"gains/loses if/unless when/unless attach/detach mount/unmount push/pull encode/decode compress/decompress affected/immune vulnerable/immune positive/negative " +
		"install/remove add/remove adds/removes encrypt/decrypt encrypted/decrypted success/failure succeeds/fails succeeded/failed " +
		"prevent/cause prevents/causes prevented/caused prevent/allow prevents/allows prevented/allowed block/pass blocks/passes blocked/passed block/allow blocks/allows blocked/allowed hardly/clearly barely/clearly hardly/easily barely/easily " +
		"exploitable/harmless vulnerable/harmless dangerous/harmless malicious/harmless malicious/benign critical/moderate critical/low critical/high high/moderate high/medium medium/low critical/medium moderate/low " +
		"required/forbidden required/prohibited required/optional allowed/forbidden allowed/prohibited permitted/forbidden permitted/prohibited") {
		a, b, _ := strings.Cut(pair, "/")
		opposed[a] = append(opposed[a], b)
		opposed[b] = append(opposed[b], a)
	}
}

var straight = strings.NewReplacer("’", "'", "‘", "'")

// foldWords is a text's words as a reader of a specimen sees them: compatibility
// forms, case, quotes and punctuation are gone.
func foldWords(s string) []string {
	s = strings.ToLower(norm.NFKC.String(s))
	return strings.FieldsFunc(straight.Replace(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '\''
	})
}

// gate says what is wrong with alternatives of one choice: which one, and why.
// ok is true when nothing is.
func gate(alts []string) (which int, what, do string, ok bool) {
	words := make([][]string, len(alts))
	for i, a := range alts {
		words[i] = foldWords(a)
		switch {
		case len(a) > maxAlternative:
			return i, sprintf("an alternative of %d bytes", len(a)), sprintf("at most %d are allowed; mark the words that differ", maxAlternative), false
		case len(words[i]) == 0:
			return i, sprintf("the alternative %q has no word", a), "marks in spaces and punctuation don't survive copying; let alternatives differ in words", false
		case strings.TrimSpace(a) != a || strings.Contains(a, "  ") || strings.ContainsAny(a, "\t\u00a0"):
			return i, sprintf("the alternative %q has spaces at its ends, or more than one together", a), "put the spaces outside the mark", false
		}
		if w := mixedScript(a); w != "" {
			return i, sprintf("the word %q mixes letters of two scripts", w), "write it in one: look-alike letters break searches and commands", false
		}
	}
	for i := range alts {
		for j := range alts[:i] {
			if what, do := compare(alts[j], alts[i], words[j], words[i]); what != "" {
				return i, what, do, false
			}
		}
	}
	return 0, "", "", true
}

const sameMeaning = "alternatives must mean exactly the same; leave it outside the mark"

// compare says what is wrong with a pair of alternatives.
func compare(a, b string, wa, wb []string) (what, do string) {
	switch {
	case slices.Equal(wa, wb):
		return sprintf("%q and %q are the same once case, quotes and punctuation are folded", a, b), "let alternatives differ in whole words"
	case contains(wa, wb) || contains(wb, wa):
		return sprintf("one of %q and %q holds the other", a, b), "a lost word would turn one into the other; choose words that differ"
	case scripts(a) != scripts(b):
		return sprintf("%q and %q are in different scripts", a, b), "look-alike letters break searches and commands; use one script"
	}
	if x, y := identifiers(a), identifiers(b); !slices.Equal(x, y) {
		return sprintf("%q and %q differ in a number or identifier (%s against %s)", a, b, listed(x), listed(y)), sameMeaning
	}
	if kind := differ(wa, wb); kind != "" {
		return sprintf("%q and %q differ in %s", a, b, kind), sameMeaning
	}
	if permuted(wa, wb) {
		return sprintf("%q and %q have the same words in another order", a, b), "who does what to whom may change with it; choose words that differ"
	}
	if movedNegation(wa, wb) {
		return sprintf("%q and %q deny different words", a, b), sameMeaning
	}
	if x, y := opposite(wa, wb); x != "" {
		return sprintf("%q and %q may say opposite things (%s against %s)", a, b, x, y), sameMeaning
	}
	return "", ""
}

func listed(s []string) string {
	if len(s) == 0 {
		return "none"
	}
	return strings.Join(s, " ")
}

// contains reports whether part stands in whole, word by word.
func contains(whole, part []string) bool {
	for i := 0; i+len(part) <= len(whole); i++ {
		if slices.Equal(whole[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// identifiers are the words that a machine might read: with a digit, an odd
// character or odd capitals. Sorted.
func identifiers(s string) []string {
	var out []string
	for w := range strings.FieldsSeq(norm.NFKC.String(s)) {
		if w = strings.Trim(w, `.,;:!?()"'“”‘’`); isIdentifier(w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

func isIdentifier(w string) bool {
	lower, capitals, letters := false, 0, 0
	for _, r := range w {
		switch {
		case unicode.IsNumber(r), strings.ContainsRune(`_/\@$=#%&~^+<>*.:`, r):
			return true
		case unicode.IsUpper(r):
			if lower {
				return true // camelCase
			}
			capitals++
		case unicode.IsLower(r):
			lower = true
		}
		if unicode.IsLetter(r) {
			letters++
		} else {
			lower = false // Sign-In is no camel
		}
	}
	return letters >= 2 && capitals == letters
}

// differ names the kind of words in which the two differ.
func differ(wa, wb []string) string {
	for _, kind := range []string{"a negation", "a number", "a date", "a unit"} {
		x, y := pick(wa, kind), pick(wb, kind)
		// How often something is denied counts, not in which word.
		if kind == "a negation" && len(x) != len(y) || kind != "a negation" && !slices.Equal(x, y) {
			return kind
		}
	}
	for _, kind := range []string{"an obligation", "a prohibition", "a recommendation", "a permission", "a restriction"} {
		has := func(w string) bool { return present[w] == kind }
		if slices.ContainsFunc(wa, has) != slices.ContainsFunc(wb, has) {
			return kind
		}
	}
	return ""
}

func pick(words []string, kind string) (out []string) {
	for _, w := range words {
		if counted[w] == kind || kind == "a negation" && strings.HasSuffix(w, "n't") {
			out = append(out, strings.TrimSuffix(w, "s"))
		}
	}
	slices.Sort(out)
	return out
}

// permuted reports whether two lists have the same words. A date's may stand in
// any order.
func permuted(wa, wb []string) bool {
	dated := func(w string) bool {
		return counted[w] == "a date" || w == "may" || strings.Trim(w, "0123456789") == ""
	}
	return slices.Equal(slices.Sorted(slices.Values(wa)), slices.Sorted(slices.Values(wb))) &&
		slices.ContainsFunc(wa, func(w string) bool { return !dated(w) })
}

func isNegation(w string) bool { return counted[w] == "a negation" || strings.HasSuffix(w, "n't") }

// denies reports whether a word denies the one after it. "Nothing can" denies more
// than a word.
func denies(w string) bool {
	return w == "not" || w == "never" || w == "cannot" || w == "without" || strings.HasSuffix(w, "n't")
}

// movedNegation reports whether a negation of one stands before a word that the
// other has too, and denies it no more: "not run or read" against "run or not read".
func movedNegation(wa, wb []string) bool {
	denied := func(words []string, by func(string) bool) (out []string) {
		for i, w := range words[:len(words)-1] {
			if by(w) && !by(words[i+1]) {
				out = append(out, words[i+1])
			}
		}
		return out
	}
	moved := func(from, to []string) bool {
		there := denied(to, isNegation)
		for _, w := range denied(from, denies) {
			if slices.Contains(to, w) && !slices.Contains(there, w) {
				return true
			}
		}
		return false
	}
	return moved(wa, wb) || moved(wb, wa)
}

var negatingPrefixes = []string{"un", "in", "im", "ir", "il", "non", "dis", "mis"}

// opposite finds two words of which one seems to deny the other.
func opposite(wa, wb []string) (x, y string) {
	for _, a := range wa {
		for _, b := range wb {
			if slices.Contains(opposed[a], b) && !slices.Contains(wb, a) && !slices.Contains(wa, b) {
				return a, b
			}
			short, long := a, b
			if len(short) > len(long) {
				short, long = long, short
			}
			if prefix, ok := strings.CutSuffix(long, short); ok && len(short) >= 3 && slices.Contains(negatingPrefixes, prefix) {
				return a, b
			}
			if stem, ok := strings.CutSuffix(a, "less"); ok && b == stem+"ful" {
				return a, b
			}
			if stem, ok := strings.CutSuffix(b, "less"); ok && a == stem+"ful" {
				return a, b
			}
		}
	}
	return "", ""
}

// scriptSet is a set of scripts, as bits: those that have look-alikes in Latin,
// and all others together.
type scriptSet uint8

var lookAlike = []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee}

func scripts(s string) (set scriptSet) {
	for _, r := range s {
		if !unicode.IsLetter(r) {
			continue
		}
		bit := scriptSet(1 << len(lookAlike))
		for i, t := range lookAlike {
			if unicode.Is(t, r) {
				bit = 1 << i
			}
		}
		set |= bit
	}
	return set
}

// mixedScript is the first word with letters of several of these scripts.
func mixedScript(s string) string {
	for w := range strings.FieldsSeq(s) {
		if set := scripts(w) &^ (1 << len(lookAlike)); set&(set-1) != 0 {
			return w
		}
	}
	return ""
}

// similar reports whether two alternatives differ by so little that a misread
// letter or two turns one into the other: an edit distance under three.
func similar(a, b string) bool {
	x, y := []rune(strings.Join(foldWords(a), " ")), []rune(strings.Join(foldWords(b), " "))
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range y {
			cost := diagonal
			if x[i] != y[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
			least = min(least, cost)
		}
		if least > 2 {
			return false // distances only grow from row to row
		}
	}
	return row[len(y)] < 3
}
