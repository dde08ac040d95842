package leak

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"forewarn/internal/evidence"
)

// Text is the findings for a terminal: no line wider than width columns (at
// least 40), no colour. What it leaves out stands on the page. The conclusion
// comes last and stands alone, where a reader's eye is when a command ends.
func Text(f *evidence.Findings, width int) string {
	t := &terminal{width: max(width, 40)}
	t.facts(f)
	for _, a := range append(slices.Clone(f.Accused), f.Conflicting...) {
		t.copy(f, a)
	}
	t.later(f)
	t.recoveries(f)
	t.head("Rival explanations")
	for _, r := range f.Rivals {
		t.row(glyph(r.Reading)+" "+r.Reading, r.Name+". "+strings.Join(r.Seen, " "))
	}
	if f.Conclusion != evidence.Traced {
		t.head("What would help")
		for _, s := range f.WouldHelp {
			t.item(s)
		}
	}
	t.head("What this rests on")
	t.para(f.Meaning)
	t.para(f.ProcessError)
	t.para(fmt.Sprintf("%d assumptions, all of them on the page and in the dossier; 'forewarn verify dossier' checks what of them can be checked.", len(f.Assumptions)))
	t.head("Conclusion: " + f.Conclusion)
	t.para(f.Statement)
	for _, s := range f.Why {
		t.para(s)
	}
	return strings.TrimLeft(t.b.String(), "\n")
}

type terminal struct {
	b     strings.Builder
	width int
}

// label is the width of the left column.
const label = 16

func (t *terminal) facts(f *evidence.Findings) {
	title := "Findings"
	if f.CaseName != "" {
		title += " in case " + f.CaseName
	}
	t.head(title)
	for i, s := range f.Specimens {
		t.row(fmt.Sprintf("specimen %d", i+1), fmt.Sprintf("%s, %d bytes, sha256 %.16s…", s.Name, s.Size, s.SHA256))
	}
	r := f.Readings
	t.row("read", fmt.Sprintf("%d of %d marked places; %d %s something else, %d %s missing", r.Read, r.Sites, r.Other, verb(r.Other, "shows", "show"), r.Erased, verb(r.Erased, "is", "are")))
	t.row("tested", fmt.Sprintf("%s, run %d, decoder %s, alpha %s family-wise", evidence.Count(f.Copies, "copy", "copies"), f.Run, f.Decoder, power(f.Alpha)))
	t.row("first known out", windowText(f.FirstSighting))
	t.row("other copies", fmt.Sprintf("%d tested; no evidence names them", f.OtherCopies.Count)+openedWords(f))
	for _, e := range f.Exposure {
		t.row(e.Label, fmt.Sprintf("%s%s, opened %s: %s, %d fetched, %d received, %d fetched before first known out", knownAs(e), e.Level, stamp(e.OpensAt), evidence.Count(e.Holders, "holder", "holders"), e.Fetched, e.Received, e.BeforeFirst))
	}
	for _, d := range f.Duties {
		t.row("duty, "+d.Jurisdiction, fmt.Sprintf("%s may know from %s (%s)", d.Authority, stamp(d.From), d.Citation))
	}
}

// knownAs is what staff call a wave, where that isn't its place in the log.
func knownAs(e evidence.Exposure) string {
	if e.KnownAs == "" {
		return ""
	}
	return e.KnownAs + " to staff; "
}

func (t *terminal) copy(f *evidence.Findings, a evidence.Accused) {
	t.head("The copy issued to " + a.Name)
	t.row("named by", strings.Join(a.NamedBy, ", "))
	t.row("receipt", receiptText(a))
	if len(a.Group.Members) > 0 {
		t.row("counts as one", "with all under the ownership of "+a.Group.Name+": "+strings.Join(a.Group.Members, ", "))
	}
	t.row("p_adjusted", fmt.Sprintf("%s, over %s and run %d", power(a.PAdjusted), allOf(f.Copies), f.Run))
	t.row("p_upper", power(a.PUpper))
	t.row("p_estimate", power(a.PEstimate))
	t.row("p_sampled", power(a.PSampled)+spread(a))
	if a.PChosen != "" {
		t.row("p_chosen", power(a.PChosen)+", p_adjusted had the inquiry been free to choose how it is tested")
	}
	for _, p := range a.Parts {
		t.row("tested", testedWords(f, p))
	}
	t.row("places", fmt.Sprintf("%d of %d read agree", a.SitesAgreeing, a.SitesRead))
	for _, k := range fold(a.Tokens) {
		t.row("token "+k.Slot, k.where())
	}
	if a.PTokens != "" {
		t.row("p_tokens", power(a.PTokens)+", coincidence only; whoever holds the recognition key could aim, with "+power(a.PAimed)+" at each try")
	}
	for _, s := range f.Sensitivity {
		if s.Holder == a.Holder {
			p := ""
			if s.PAdjusted != "" {
				p = ", " + power(s.PAdjusted)
			}
			t.row("each evidence", s.Evidence+": "+s.Result+p)
		}
	}
	for _, x := range a.Fetches {
		t.row("fetched", fmt.Sprintf("%s by %s, entry %d", stamp(x.At), x.AccountName, x.Entry))
	}
	for _, x := range a.Receipts {
		t.row("signed for", fmt.Sprintf("%s by %s, entry %d", stamp(x.At), x.AccountName, x.Entry))
	}
}

// receiptText says what the holder's signature is worth.
func receiptText(a evidence.Accused) string {
	switch {
	case signedLate(a):
		return "signed, but not by when the material may already have existed: counts as not acknowledged"
	case len(a.Receipts) == 0:
		return "none: " + a.Acknowledged
	}
	return a.Acknowledged + " before the material is known to have existed"
}

// later is what only later versions of findings have.
func (t *terminal) later(f *evidence.Findings) {
	if e := f.Edits; e != nil {
		t.head(evidence.Count(len(e.Made), "reading", "readings") + " changed by hand")
		t.para(fmt.Sprintf("Brought by %s and frozen %s, before keys were opened for these readings. Nothing is concluded from them.", e.AccountName, stamp(e.FrozenAt)))
		for _, m := range e.Made {
			t.row(m.Site[:min(12, len(m.Site))], fmt.Sprintf("%s, by hand %s; %s: %s", m.Was, m.Becomes, m.By, m.Why))
		}
		for _, w := range e.With {
			t.row("with them", fmt.Sprintf("the copy issued to %s: p_adjusted %s, p_upper %s, p_estimate %s, p_sampled %s ± %s on %d of %d places; wording %s", w.Name, power(w.PAdjusted), power(w.PUpper), power(w.PEstimate), power(w.PSampled), power(w.PSampledSE), w.SitesAgreeing, w.SitesRead, w.Result))
		}
	}
	if a := f.Accumulated; a != nil {
		t.head("Over all cases")
		for _, m := range a.Members {
			t.para(m.Statement)
			t.row("E", fmt.Sprintf("%s; the threshold of the member admitted as number %d is %s", power(m.E), m.Admitted, power(m.Threshold)))
		}
		t.para(a.Meaning)
		t.row("alpha", fmt.Sprintf("%s for this, over all members and for ever; %s together with this package's", power(a.Alpha), power(a.Together)))
	}
}

// recoveries are how access was given anew to accounts of those who are named or
// compared.
func (t *terminal) recoveries(f *evidence.Findings) {
	r := f.Recoveries
	if r == nil {
		return
	}
	t.head("Recoveries")
	for _, x := range r.Accounts {
		t.row("recovered", recoveredWords(x))
	}
	for _, x := range r.Log {
		t.row("the log", fmt.Sprintf("continued after a loss that %s declared %s (entry %d)", x.AccountName, stamp(x.At), x.Entry))
	}
	t.para(r.Means)
}

// spread is how sure p_sampled is.
func spread(a evidence.Accused) string {
	if a.Exact() {
		return " (product, exact)"
	}
	return " ± " + power(a.PSampledSE)
}

func (t *terminal) head(s string) {
	t.b.WriteString("\n")
	t.wrap("", plainText(s), "")
	t.b.WriteString("\n")
}

func (t *terminal) para(s string) {
	t.wrap("  ", plainText(s), "  ")
	t.b.WriteString("\n")
}

func (t *terminal) item(s string) { t.wrap("  - ", plainText(s), "    ") }

func (t *terminal) row(name, s string) {
	name, rest := "  "+plainText(name), strings.Repeat(" ", label+2)
	if pad := label + 2 - utf8.RuneCountInString(name); pad > 0 {
		t.wrap(name+strings.Repeat(" ", pad), plainText(s), rest)
		return
	}
	t.wrap("  ", name, rest)
	t.wrap(rest, plainText(s), rest)
}

// wrap writes words to the width; a word that is longer is cut.
func (t *terminal) wrap(first, s, rest string) {
	line, room := first, t.width-utf8.RuneCountInString(first)
	used := 0
	flush := func() {
		t.b.WriteString(strings.TrimRight(line, " ") + "\n")
		line, room, used = rest, t.width-utf8.RuneCountInString(rest), 0
	}
	if room < 8 {
		flush()
	}
	for _, word := range strings.Fields(s) {
		for {
			r := []rune(word)
			gap := min(used, 1)
			if used+gap+len(r) <= room {
				line += strings.Repeat(" ", gap) + word
				used += gap + len(r)
				break
			}
			if used > 0 {
				flush()
				continue
			}
			line += string(r[:room])
			word = string(r[room:])
			flush()
		}
	}
	flush()
}

// plainText takes out what a terminal would act upon.
func plainText(s string) string { return strings.Map(visible, s) }

// visible is a character as it may be shown: blanks for line ends, nothing for
// controls and for what turns text around.
func visible(c rune) rune {
	switch {
	case c == '\n' || c == '\t':
		return ' '
	case c < ' ' || c >= 0x7f && c < 0xa0 || c == utf8.RuneError || c >= 0x200b && c <= 0x200f || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == 0xfeff:
		return -1
	}
	return c
}
