package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
)

// printJSON writes the one value of --json.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table prints rows under headings, aligned; figures are for the caller to
// align to the right.
func (a *app) table(head []string, rows [][]string) {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(head, "\t"))
	for _, r := range rows {
		for i := range r {
			r[i] = strings.ReplaceAll(clean(r[i]), "\t", " ")
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
}

// list prints what a command lists: rows for people, values for programs.
func (a *app) list(empty string, head []string, rows [][]string, values any) error {
	if a.JSON {
		return a.printJSON(values)
	}
	if len(rows) == 0 {
		a.say("%s", empty)
		return nil
	}
	a.table(head, rows)
	return nil
}

// when shows an instant in local time with its zone, and in UTC where that
// differs.
func when(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	local := t.Local().Format("2006-01-02 15:04:05 MST")
	if _, off := t.Local().Zone(); off == 0 {
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return local + " (" + t.UTC().Format("15:04:05 UTC") + ")"
}

// in shows how far away an instant is.
func in(t, now time.Time) string {
	d := t.Sub(now).Round(time.Second)
	word := "in %s"
	if d < 0 {
		d, word = -d, "%s ago"
	}
	s := d.String()
	if d >= 48*time.Hour {
		s = fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return fmt.Sprintf(word, s)
}

// parseTime reads an instant with its zone (RFC 3339), or a distance from now
// ("+90s", "+2h"). A bare date is refused: it isn't an instant.
func parseTime(s string, now time.Time) (time.Time, error) {
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		d, err := time.ParseDuration(rest)
		if err != nil {
			return time.Time{}, usage("%q is not a distance: write +90s, +15m or +2h", s)
		}
		return now.Add(d).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("%q is not an instant: write 2026-12-08T18:00:00Z or 2026-12-08T18:00+01:00, or +2h; a date alone doesn't say when", s)
}

// hint says what to do about a class of errors.
func hint(err error) string {
	for _, h := range hints {
		if errors.Is(err, h.class) {
			return h.text
		}
	}
	return ""
}

var hints = []struct {
	class error
	text  string
}{
	{home.ErrNoProgramme, "found one with 'forewarn --dir DIR init --name NAME --coordinator NAME', or name its folder with --dir or FOREWARN_DIR"},
	{ledger.ErrLocked, "one process writes a log at a time; nothing was changed. Wait for it, or stop it"},
	{ledger.ErrFork, "nothing was changed. Bring back the newer folder; if it is lost for good, 'forewarn log recover' continues under a declared new epoch"},
	{ledger.ErrDamaged, "nothing was changed. 'forewarn verify log' says where; restore from a copy"},
	{ledger.ErrNotAnchored, "nothing left the desk. Run the command again after that time, or give 'pull' --wait"},
	{sealer.ErrNotYet, "nothing left the desk. Run the command again after that time, or give 'pull' --wait"},
	{ledger.ErrUnknownKind, "a newer version of forewarn wrote this log; use that one. Nothing was changed"},
	{ledger.ErrClock, "set this machine's clock. Nothing was changed"},
	{cvd.ErrDenied, "nothing was changed. doc/access.md lists who may do what, and 'forewarn account list' who is who"},
	{coordinator.ErrGone, "the log still verifies; the text itself is gone for good unless you have a backup of its key"},
	{fs.ErrPermission, "nothing was changed. The folder belongs to another user"},
}
