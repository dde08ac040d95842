package web

import (
	"fmt"
	"strings"
	"unicode"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/sighting"
)

// What templates say things with.

// count is a number with its noun: "1 member", "12 members".
func count(n any, one, many string) string {
	if fmt.Sprint(n) == "1" {
		return "1 " + one
	}
	return fmt.Sprint(n) + " " + many
}

// size is a number of bytes, in units of 1024 above a KiB.
func size(n any) string {
	var b float64
	fmt.Sscan(fmt.Sprint(n), &b)
	switch {
	case b < 1024:
		return fmt.Sprintf("%.0f\u00a0B", b)
	case b < 1<<20:
		return fmt.Sprintf("%.1f\u00a0KiB", b/1024)
	}
	return fmt.Sprintf("%.1f\u00a0MiB", b/(1<<20))
}

// words takes the name of a kind of entry apart: "wave drafted".
func words(kind string) string {
	var b strings.Builder
	for i, r := range kind {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// plain makes a text of several lines harmless: what would reorder or hide text
// is spelled out, and lines stay lines.
func plain(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		parts := strings.Split(strings.TrimSuffix(l, "\r"), "\t")
		for j, p := range parts {
			parts[j] = sighting.Printable([]byte(p))
		}
		lines[i] = strings.Join(parts, "\t")
	}
	return strings.Join(lines, "\n")
}

// reach says which of several merged copies are named.
func reach(traced int) string {
	switch traced {
	case 0:
		return "nobody"
	case 1:
		return "one copy"
	}
	return fmt.Sprintf("one of up to %d", traced)
}

// decisionPath is where a decision is made.
func decisionPath(id cvd.CaseID, d coordinator.Decision) string {
	at := "/cases/" + id.String()
	switch d.On {
	case "alarm":
		return "/alarms/" + id.String()
	case "wave":
		return "/waves/" + d.Wave.String()
	case "package":
		return at + "/package"
	case "draft":
		return at + "/waves/new"
	case "release", "heads-up":
		return at + "/" + d.On
	case "invitations":
		return at + "#members"
	}
	return at + "#" + d.On
}

// decisionWord is what one goes there to do.
func decisionWord(d coordinator.Decision) string {
	switch d.On {
	case "alarm":
		return "To the alarm"
	case "wave":
		return "Look at it"
	case "package":
		return "To the package"
	case "draft":
		return "Draft it"
	case "release":
		return "To the release"
	case "heads-up":
		return "To the heads-up"
	}
	return "Below"
}
