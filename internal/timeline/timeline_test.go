package timeline

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

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

func TestSVGIsOneElement(t *testing.T) {
	m := summer()
	m.Title = `<script>alert("x")</script>`
	m.Bands[0].Label, m.Bands[0].Level = `]]><b>`, "\x1b[31m\x00"
	m.Sightings[0].Label = `"><svg onload=x>`
	m.Answers[0].Label = "\xff\u202eevil"
	m.Fetches[0].Tier = "<tier & 'co'>"
	for _, w := range []int{0, 280, 340, 599, 600, 960, 4000} {
		s := SVG(m, Options{Width: w, ID: "a"})
		d := xml.NewDecoder(strings.NewReader(s))
		depth, roots := 0, 0
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("width %d: %v", w, err)
			}
			switch e := tok.(type) {
			case xml.StartElement:
				if depth == 0 {
					roots++
				}
				depth++
				if e.Name.Local == "script" || e.Name.Local == "b" {
					t.Errorf("element %s got through", e.Name.Local)
				}
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || strings.HasSuffix(a.Name.Local, "href") {
						t.Errorf("attribute %s", a.Name.Local)
					}
				}
			case xml.EndElement:
				depth--
			}
		}
		if roots != 1 {
			t.Errorf("%d elements", roots)
		}
		if strings.Contains(s, "http") && strings.Count(s, "http") != 1 {
			t.Error("something remote")
		}
	}
}

// What is drawn is also said.
func TestTwin(t *testing.T) {
	s := SVG(summer(), Options{Width: 960})
	for _, want := range []string{"7 Jul 2025 12:10–14:40 UTC: Sighting: token in web server log (entry 391)", "24 Jun 2025 08:00 UTC: Wave 1 opens: detection, 12 holders (entry 60)", "7 Jul 2025 18:20 UTC: Embargo broken (entry 395)", "time left out"} {
		if !strings.Contains(s, want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
	rows := summer().Rows()
	for i := 1; i < len(rows); i++ {
		if rows[i].From.Before(rows[i-1].From) {
			t.Fatal("rows are out of order")
		}
	}
}

// Times keep their order on the axis, and nothing falls off it.
func TestAxis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Model
		for _, s := range rapid.SliceOfN(rapid.Int64Range(0, 1<<32), 1, 30).Draw(t, "seconds") {
			m.Answers = append(m.Answers, Point{At: time.Unix(s, 0)})
		}
		a := newAxis(m)
		last := 0.0
		for i, e := range m.events() {
			x := a.x(e)
			if x < last || x < 0 || x > 1 {
				t.Fatalf("event %d stands at %v after %v", i, x, last)
			}
			last = x
		}
		for _, l := range a.labels(0.01) {
			if l.at < 0 || l.at+0.01*float64(len(l.text)) > 1.000001 {
				t.Fatalf("label %q runs off the axis", l.text)
			}
		}
	})
}

func TestEmptyModel(t *testing.T) {
	if s := Text(Model{}, 80); !strings.Contains(s, "times UTC") {
		t.Error(s)
	}
	if s := SVG(Model{}, Options{}); !strings.HasPrefix(s, "<svg") {
		t.Error(s)
	}
}

// Ten thousand members and a thousand sightings stay a picture.
func TestManyStaySmall(t *testing.T) {
	m := summer()
	for i := range 10_000 {
		m.Fetches = append(m.Fetches, Fetch{At: at("07-03 08:00").Add(time.Duration(i) * 37 * time.Second), Tier: fmt.Sprint("tier ", i%3), Entry: entrylog.Seq(i)})
	}
	for i := range 1000 {
		m.Sightings = append(m.Sightings, Sighting{From: at("07-07 08:00").Add(time.Duration(i) * time.Minute), To: at("07-07 09:00").Add(time.Duration(i) * time.Minute), Label: "again"})
	}
	if s := SVG(m, Options{Width: 960}); len(s) > 1<<20 {
		t.Errorf("the picture has %d bytes", len(s))
	}
	if n := strings.Count(Text(m, 100), "\n"); n > 40 {
		t.Errorf("the text has %d lines", n)
	}
}

func FuzzText(f *testing.F) {
	f.Add("wave", "level", int64(0), int64(1), 80)
	f.Fuzz(func(t *testing.T, label, more string, a, b int64, width int) {
		width = min(max(width, 0), 400)
		from, to := time.Unix(a%(1<<40), 0), time.Unix(b%(1<<40), 0)
		m := Model{Title: label, Release: Point{At: to, Label: more},
			Bands:     []Band{{Label: label, Level: more, Opens: from, Ends: to}},
			Sightings: []Sighting{{From: from, To: to, Label: label}}, Duties: []Duty{{From: to, Who: more, Label: label}}}
		for _, line := range strings.Split(Text(m, width), "\n") {
			if utf8.RuneCountInString(line) > max(width, MinWidth) || strings.ContainsAny(line, "\x1b\x00\r") {
				t.Fatalf("line %q", line)
			}
		}
		d := xml.NewDecoder(strings.NewReader(SVG(m, Options{Width: width})))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestSVGLook(t *testing.T) {
	dir := os.Getenv("LOOK_DIR")
	if dir == "" {
		t.Skip()
	}
	for _, w := range []int{960, 340} {
		page := fmt.Sprintf("<!doctype html><meta charset=utf-8><meta name=color-scheme content='light dark'><body style='margin:20px;max-width:960px;font-family:system-ui'>%s", SVG(summer(), Options{Width: w}))
		if err := os.WriteFile(fmt.Sprintf("%s/tl%d.html", dir, w), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
