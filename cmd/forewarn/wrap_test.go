package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Nothing is lost or joined, no line is wider than it may be unless it is one word.
func TestWrap(t *testing.T) {
	for _, s := range []string{"", "one", "a bb ccc dddd eeeee ffffff ggggggg", "  12 spread over lines 4 to 9", "ünï cödé wörds, thät äre lönger", "first line here\n  second, indented"} {
		for _, width := range []int{1, 7, 12, 100} {
			got := wrap(s, width)
			if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(s), " ") {
				t.Errorf("%q at %d: %q", s, width, got)
			}
			for l := range strings.Lines(got) {
				l = strings.TrimSuffix(l, "\n")
				if utf8.RuneCountInString(l) > width && len(strings.Fields(l)) > 1 {
					t.Errorf("%q at %d has the line %q", s, width, l)
				}
			}
		}
	}
}

func TestPerCent(t *testing.T) {
	for of, want := range map[float64]string{0: "0", 2.8e-17: "0", .0003: "0.03", .021: "2.1", .88: "88", .96: "96", .999: "99.9", .99999: "100", 1: "100"} {
		if got := perCent(of); got != want {
			t.Errorf("%g: %s, want %s", of, got, want)
		}
	}
}
