package timeline

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"forewarn/internal/entrylog"
)

func at(day string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", "2025-"+day)
	if err != nil {
		panic(err)
	}
	return t
}

// summer is the shape of a case with three waves, an attack on the day of the
// last one, and the patch a day later.
func summer() Model {
	m := Model{
		Title:     "Case timeline",
		Report:    Point{At: at("05-16 10:00"), Entry: 12},
		Patch:     Point{At: at("07-08 17:00"), Entry: 410},
		Release:   Point{At: at("07-08 17:00"), Entry: 411},
		EmbargoAt: Point{At: at("07-07 18:20"), Entry: 395},
		Broken:    true,
		Bands: []Band{
			{Label: "Wave 1", Level: "detection", Holders: 12, Opens: at("06-24 08:00"), Entry: 60},
			{Label: "Wave 2", Level: "indicators", Holders: 36, Opens: at("07-03 08:00"), Entry: 121},
			{Label: "Wave 3", Level: "poc", Holders: 96, Opens: at("07-07 08:00"), Entry: 245},
		},
		Sightings: []Sighting{{From: at("07-07 12:10"), To: at("07-07 14:40"), Label: "token in web server log", Entry: 391}},
		Duties: []Duty{
			{From: at("06-26 08:00"), Who: "CN", Label: "authority of CN may know from here"},
		},
	}
	n := entrylog.Seq(61)
	for i := range 12 {
		m.Fetches = append(m.Fetches, Fetch{At: at("06-24 08:00").Add(time.Duration(i*i) * 20 * time.Minute), Tier: "tier 1", Entry: n + entrylog.Seq(i)})
	}
	for i := range 24 {
		m.Fetches = append(m.Fetches, Fetch{At: at("07-03 08:00").Add(time.Duration(i*i) * 6 * time.Minute), Tier: "tier 2", Entry: 122 + entrylog.Seq(i)})
	}
	for i := range 60 {
		m.Fetches = append(m.Fetches, Fetch{At: at("07-07 08:00").Add(time.Duration(i*i) * 30 * time.Second), Tier: "tier 3", Entry: 246 + entrylog.Seq(i)})
	}
	for i := range 9 {
		m.Answers = append(m.Answers, Point{At: at("06-28 08:00").Add(time.Duration(i*31) * time.Hour), Label: "Member " + string(rune('A'+i)) + ": protection ready", Entry: 80 + entrylog.Seq(i)})
	}
	return m
}

func TestTextLook(t *testing.T) {
	if os.Getenv("LOOK") == "" {
		t.Skip()
	}
	for _, w := range []int{120, 80, 50} {
		fmt.Println(Text(summer(), w))
	}
}

func TestTextWidth(t *testing.T) {
	for w := 1; w < 200; w++ {
		for i, line := range strings.Split(Text(summer(), w), "\n") {
			if n := utf8.RuneCountInString(line); n > max(w, MinWidth) {
				t.Fatalf("width %d: line %d has %d columns: %q", w, i, n, line)
			}
		}
	}
}
