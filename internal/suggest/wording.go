package suggest

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// wordings finds the lexicon's, longest first.
func (p *prose) wordings(x index) (out []found) {
	for i := 0; i < len(p.words); {
		f, n := p.wording(x, i)
		if n == 0 {
			i++
			continue
		}
		out = append(out, f)
		i += n
	}
	return out
}

// wording is the proposal for the words from i on, and how many they are.
func (p *prose) wording(x index, i int) (f found, n int) {
	for _, w := range x[p.words[i].text] {
		n := len(w.words)
		if i+n > len(p.words) {
			continue
		}
		at, end := p.words[i].at, p.words[i+n-1].end
		text := p.src[at:end]
		lower := strings.ToLower(text)
		capital := lower != text
		// On one line, in single spaces, in small letters but for the first.
		if lower != strings.Join(w.words, " ") || capital && capitalised(lower) != text || !p.free(at, end) {
			continue
		}
		before, after := p.neighbours(i, i+n)
		switch {
		case slices.Contains(w.entry.NotAfter, before), slices.Contains(w.entry.NotBefore, after), touching(p.src[:at], p.src[end:]):
			continue
		case (before == "a" || before == "an") && !sameArticle(w.entry.Wordings):
			continue
		}
		f := found{Proposal: Proposal{Kind: Wording, When: w.entry.When}, at: at, end: end}
		for _, alt := range w.entry.Wordings {
			if capital {
				alt = capitalised(alt)
			}
			f.Alternatives = append(f.Alternatives, alt)
		}
		return f, n
	}
	return found{}, 0
}

func capitalised(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// neighbours are the words next to a stretch in the same sentence.
func (p *prose) neighbours(from, to int) (before, after string) {
	if from > 0 && !strings.ContainsAny(p.src[p.words[from-1].end:p.words[from].at], ".:;?!") {
		before = p.words[from-1].text
	}
	if to < len(p.words) && !strings.ContainsAny(p.src[p.words[to-1].end:p.words[to].at], ".:;?!,") {
		after = p.words[to].text
	}
	return before, after
}

// touching reports whether something that isn't space or punctuation adjoins.
func touching(before, after string) bool {
	b, _ := utf8.DecodeLastRuneInString(before)
	a, _ := utf8.DecodeRuneInString(after)
	part := func(r rune) bool {
		return r != utf8.RuneError && !unicode.IsSpace(r) && !strings.ContainsRune(".,;:?!()*—–", r)
	}
	return part(b) || part(a)
}

// sameArticle reports whether "a" or "an" fits all wordings alike.
func sameArticle(wordings []string) bool {
	for _, w := range wordings {
		for _, odd := range []string{"u", "one", "eu", "hour", "hone", "honour", "heir"} {
			if strings.HasPrefix(w, odd) {
				return false
			}
		}
		if strings.ContainsRune("aeio", rune(w[0])) != strings.ContainsRune("aeio", rune(wordings[0][0])) {
			return false
		}
	}
	return true
}
