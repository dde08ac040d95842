package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// say prints a line for people; with --json it is silent, so that standard
// output holds one value.
func (a *app) say(format string, args ...any) {
	if !a.JSON {
		fmt.Fprintln(a.out, clean(fmt.Sprintf(format, args...)))
	}
}

// item prints a paragraph under a hanging indent, no wider than the terminal; a
// word that is longer than a line stays whole, to be copied.
func (a *app) item(first, s string) {
	used := utf8.RuneCountInString(first)
	indent, width := strings.Repeat(" ", used), a.width()
	row, fresh := first, true
	for _, word := range strings.Fields(clean(s)) {
		n := utf8.RuneCountInString(word)
		if !fresh && used+1+n > width {
			a.say("%s", row)
			row, used, fresh = indent, len(indent), true
		}
		if !fresh {
			row, used = row+" ", used+1
		}
		row, used, fresh = row+word, used+n, false
	}
	a.say("%s", row)
}

// note prints a line of progress on standard error.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.err, clean(fmt.Sprintf(format, args...)))
}

// fields is a JSON object.
type fields = map[string]any

// done ends a command that did something: v for programs, a line for people.
func (a *app) done(v fields, format string, args ...any) error {
	if a.JSON {
		return a.printJSON(v)
	}
	a.say(format, args...)
	return nil
}

// printJSON writes the one value of --json.
func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	return a.writeJSON(b.Bytes())
}

// writeJSON writes JSON, with what a terminal would act upon as escapes: in JSON
// it can stand only in strings.
func (a *app) writeJSON(b []byte) error {
	var safe bytes.Buffer
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if unsafe(r) {
			fmt.Fprintf(&safe, `\u%04x`, r)
		} else {
			safe.Write(b[:n])
		}
		b = b[n:]
	}
	_, err := safe.WriteTo(a.out)
	return err
}

// table prints rows under headings, aligned.
func (a *app) table(head []string, rows [][]string) {
	if a.JSON {
		return
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, r := range rows {
		for i := range r {
			r[i] = line(r[i])
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
	for _, l := range strings.SplitAfter(b.String(), "\n") {
		if text, ok := strings.CutSuffix(l, "\n"); ok {
			fmt.Fprintln(a.out, strings.TrimRight(text, " "))
		}
	}
}

// list prints what a command lists: rows for people, values for programs.
func list[T any](a *app, empty string, head []string, rows [][]string, values []T) error {
	if a.JSON {
		if values == nil {
			values = []T{} // an empty list, not null
		}
		return a.printJSON(values)
	}
	if len(rows) == 0 {
		a.say("%s", empty)
		return nil
	}
	a.table(head, rows)
	return nil
}

// bar draws progress in place on a terminal, and is silent in a pipe.
func (a *app) bar(what string) func(done, all int) {
	if !a.tty {
		return func(int, int) {}
	}
	last := -1
	return func(done, all int) {
		at := 24 * done / max(all, 1)
		if at == last && done != all {
			return
		}
		last = at
		fmt.Fprintf(a.err, "\r%s  %s%s %d/%d", what, strings.Repeat("█", at), strings.Repeat("·", 24-at), done, all)
		if done == all {
			fmt.Fprintln(a.err)
		}
	}
}

// width is the terminal's, or that of a printed page.
func (a *app) width() int {
	if f, ok := a.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w >= 40 {
			return min(w, 160)
		}
	}
	return 100
}

// unsafe reports what does something on a terminal beyond being seen: control
// characters, and those that turn the direction of writing or show nothing.
func unsafe(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20 || r >= 0x7f && r < 0xa0, r == 0x61c,
		r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f,
		r == 0xfeff, r >= 0xfff9 && r <= 0xfffb:
		return true
	}
	return false
}

// clean makes text from files and from other people harmless on a terminal: what
// is unsafe is shown, not sent. Line breaks stay.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unsafe(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// line is clean for a text that must not look like several lines of ours.
func line(s string) string {
	return clean(strings.NewReplacer("\n", "\ufffd", "\t", " ").Replace(s))
}

// when shows an instant in local time with its zone, and in UTC where that
// differs.
func when(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	if _, off := t.Local().Zone(); off == 0 {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	utc := "15:04:05 UTC"
	if t.Local().Day() != t.UTC().Day() {
		utc = "2006-01-02 15:04:05 UTC"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST") + " (" + t.UTC().Format(utc) + ")"
}

// in shows how far away an instant is, exactly when under two days.
func in(t, now time.Time) string {
	d := t.Sub(now).Round(time.Second)
	word := "in %s"
	switch {
	case d == 0:
		return "now"
	case d < 0:
		d, word = -d, "%s ago"
	}
	return fmt.Sprintf(word, span(d))
}

// span is a duration in the two units that matter.
func span(d time.Duration) string {
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h >= 48:
		return fmt.Sprintf("%d days", h/24)
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// parseTime reads an instant with its zone (RFC 3339), or a distance from now
// ("+90s", "+2h", "+14d"). A bare date is refused: it isn't an instant.
func parseTime(s string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		d, err := parseDistance(rest)
		if err != nil {
			return time.Time{}, usage("%q is not a distance from now: write +90s, +15m, +2h or +14d", s)
		}
		return now.Add(d).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usage("%q is not an instant: write 2026-12-08T18:00:00Z or 2026-12-08T18:00+01:00, or +2h from now; a date alone doesn't say when", s)
}

const year = 365 * 24 * time.Hour

func parseDistance(s string) (d time.Duration, err error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		d, err = time.ParseDuration(days + "h")
		d *= 24
	} else {
		d, err = time.ParseDuration(s)
	}
	if err == nil && (d < 0 || d > 100*year) {
		err = fmt.Errorf("%s is no distance", s)
	}
	return d, err
}
