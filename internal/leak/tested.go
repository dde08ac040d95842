package leak

import (
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/evidence"
)

// testedWords says how a copy was tested, for one part of what was read.
func testedWords(f *evidence.Findings, p evidence.Part) string {
	what := "all that was read"
	if p.Class != evidence.AllClasses {
		what = p.Class
	}
	var names []string
	for _, h := range p.Beside {
		names = append(names, nameOf(f, h))
	}
	who := enumerate(names)
	switch n := len(p.Beside); {
	case n == 0 && p.Copies == 1:
		return what + ": supposing no other copy"
	case n == 0:
		return fmt.Sprintf("%s: supposing %d copies, none of the others known", what, p.Copies)
	case n == p.Copies:
		return fmt.Sprintf("%s: says nothing of it, as the %s issued to %s would explain all", what, copies(n), who)
	default:
		return fmt.Sprintf("%s: supposing %d copies, beside the %s issued to %s", what, p.Copies, copies(n), who)
	}
}

func enumerate(s []string) string {
	if n := len(s); n > 1 {
		return strings.Join(s[:n-1], ", ") + " and " + s[n-1]
	}
	return strings.Join(s, "")
}

// verb agrees with a number.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func copies(n int) string {
	if n == 1 {
		return "copy"
	}
	return "copies"
}

// nameOf is the name of a holder that findings name or list as a partner, and which
// of the two it is.
func nameOf(f *evidence.Findings, h evidence.ID) string {
	for _, a := range append(slices.Clone(f.Accused), f.Conflicting...) {
		if a.Holder == h {
			return a.Name + " (named by a test of its own)"
		}
	}
	for _, p := range f.Partners {
		if p.Holder == h {
			return p.Name + " (whom that accuses of nothing)"
		}
	}
	return h.String()
}

// openedWords says of the copies that aren't named how many keys are opened.
func openedWords(f *evidence.Findings) string {
	switch n := len(f.Partners); n {
	case 0:
		return ""
	case 1:
		return "; the key of one is opened, because a named copy was tested beside it"
	default:
		return fmt.Sprintf("; the keys of %d are opened, because named copies were tested beside them", n)
	}
}
