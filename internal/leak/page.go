package leak

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/evidence"
	"forewarn/internal/timeline"
)

//go:embed page.css
var pageCSS string

//go:embed page.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"p": pHTML, "when": stamp, "window": windowText, "inc": func(n int) int { return n + 1 },
	"join": func(s []string) string { return strings.Join(s, ", ") }, "glyph": glyph,
	"count": evidence.Count, "all": allOf, "fold": fold,
	"recovered": recoveredWhen, "tested": testedWords, "opened": openedWords,
	"exact": func(a evidence.Accused) bool { return a.Exact() },
	"without": func(f *evidence.Findings, h evidence.ID) string {
		for _, a := range append(slices.Clone(f.Accused), f.Conflicting...) {
			if a.Holder == h {
				return a.PAdjusted
			}
		}
		return ""
	},
}).Parse(pageText))

// pageData is what the template sees: the findings, and what is drawn of them.
type pageData struct {
	F                      *evidence.Findings
	CSS                    template.CSS
	Traced                 bool
	Headline               []headline
	Wide, Narrow           template.HTML
	ChartWide, ChartNarrow template.HTML
	Rows                   []timeline.Row
	Copies                 []copyData
	Life                   *Life
}

type headline struct {
	Label string
	Value template.HTML
	Note  string
}

type copyData struct {
	F      *evidence.Findings
	A      evidence.Accused
	Access accessData
}

type accessData struct {
	Caption string
	Rows    []accessRow
}

type accessRow struct {
	Who, What string
	At        time.Time
	Entry     uint64
}

// Page is the findings as one self-contained HTML file: no script, nothing
// remote, light or dark as its reader prefers, fit to print. All its numbers are
// those of the findings; the picture is of m.
func Page(f *evidence.Findings, m timeline.Model) []byte { return PageOf(f, m, nil) }

// PageOf is Page with what became of the findings; nil: nothing is told.
func PageOf(f *evidence.Findings, m timeline.Model, life *Life) []byte {
	d := pageData{
		Life: life, F: f, CSS: template.CSS(pageCSS), Traced: f.Conclusion == evidence.Traced, Headline: headlines(f), Rows: m.Rows(),
		// Both are made of escaped text only.
		Wide:      template.HTML(timeline.SVG(m, timeline.Options{Width: 960, ID: "timeline"})),
		Narrow:    template.HTML(timeline.SVG(m, timeline.Options{Width: 328, ID: "timeline-narrow"})),
		ChartWide: template.HTML(chart(f, 960)), ChartNarrow: template.HTML(chart(f, 328)),
	}
	for _, a := range append(slices.Clone(f.Accused), f.Conflicting...) {
		d.Copies = append(d.Copies, copyData{f, a, accessOf(a)})
	}
	var b bytes.Buffer
	if err := page.Execute(&b, d); err != nil {
		panic(err) // the template and its data are of this package, and tested
	}
	// Names and labels are other people's: what would act upon a terminal, or
	// turn text around, is left out of all of them at once.
	return bytes.Map(func(c rune) rune {
		if c == '\n' {
			return c
		}
		return visible(c)
	}, b.Bytes())
}

func accessOf(a evidence.Accused) accessData {
	d := accessData{Caption: "Who fetched these instances, and who signed for them. The holder’s own signature says that the holder had this copy; it does not say that nobody else had it."}
	for _, x := range a.Fetches {
		d.Rows = append(d.Rows, accessRow{x.AccountName, "fetched", x.At, x.Entry})
	}
	for _, x := range a.Receipts {
		d.Rows = append(d.Rows, accessRow{x.AccountName, "signed the receipt", x.At, x.Entry})
	}
	slices.SortStableFunc(d.Rows, func(a, b accessRow) int { return a.At.Compare(b.At) })
	if len(d.Rows) == 0 {
		d.Caption = "Nobody fetched these instances, by the log."
	}
	return d
}

func headlines(f *evidence.Findings) (out []headline) {
	if len(f.Accused) > 0 {
		for _, a := range f.Accused {
			out = append(out, headlinesOf(a)...)
		}
	} else {
		out = append(out, headline{"Marked places read", number(f.Readings.Read) + template.HTML(" of ") + number(f.Readings.Sites), "in all specimens together"})
	}
	return append(out,
		headline{"Threshold, alpha", pHTML(f.Alpha), "family-wise, fixed before any copy was sent"},
		headline{"Copies issued", number(f.Copies), "all of them tested, in run " + strconv.Itoa(f.Run)})
}

// headlinesOf are the key figures of one named copy, each with whose it is.
func headlinesOf(a evidence.Accused) (out []headline) {
	if slices.Contains(a.NamedBy, evidence.EvidenceWording) {
		out = append(out,
			headline{"p_adjusted, wording", pHTML(a.PAdjusted), a.Name + ": that any copy without a part in this would agree at least this well"},
			headline{"Places that agree", number(a.SitesAgreeing) + template.HTML(" of ") + number(a.SitesRead), a.Name + ": of the marked places that could be read"})
	}
	if slices.Contains(a.NamedBy, evidence.EvidenceTokens) {
		out = append(out, headline{"p_tokens", pHTML(a.PTokens), a.Name + ": that a token of any copy would stand there, by coincidence only"})
	}
	return out
}

func number(n int) template.HTML { return template.HTML(strconv.Itoa(n)) }

// pHTML sets a probability as findings print it: 1.1e-17 as 1.1 × 10⁻¹⁷, and
// what is at least a thousandth as a plain decimal.
func pHTML(s string) template.HTML {
	digits, exp, ok := strings.Cut(s, "e")
	n, err := strconv.Atoi(exp)
	if _, err2 := strconv.ParseFloat(s, 64); !ok || err != nil || err2 != nil {
		return template.HTML(template.HTMLEscapeString(s))
	}
	if s := plain(digits, n); s != "" {
		return template.HTML(s)
	}
	return template.HTML(digits + " × 10<sup>" + strings.Replace(strconv.Itoa(n), "-", "−", 1) + "</sup>")
}

// plain writes d.d·10ⁿ as a decimal when that is short, and else gives nothing.
func plain(digits string, n int) string {
	whole := strings.Replace(digits, ".", "", 1)
	switch {
	case strings.Trim(whole, "0") == "":
		return "0"
	case n == 0:
		return strings.TrimSuffix(digits, ".0")
	case n < 0 && n >= -3:
		return "0." + strings.Repeat("0", -n-1) + whole
	}
	return ""
}

// windowText is a window of time in words.
func windowText(w evidence.Window) string {
	switch {
	case w.From.IsZero() && w.To.IsZero():
		if w.Entry != 0 {
			return "at an unknown time"
		}
		return "not known"
	case w.From.IsZero():
		return "by " + stamp(w.To)
	case w.To.IsZero():
		return "from " + stamp(w.From)
	case w.From.Equal(w.To):
		return stamp(w.From)
	}
	return timeline.Row{From: w.From, To: w.To}.When()
}

// glyph gives each reading a shape of its own, so that none depends on colour.
func glyph(reading string) string {
	switch reading {
	case supports:
		return "◆"
	case against:
		return "✕"
	case neutral:
		return "○"
	}
	return "?"
}
