package carrier

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A block of facts is one paragraph whose sentences may stand in any order:
//
//	<!-- facts -->
//	The portal listens on a routable address. The import module is loaded. The
//	theme folder is writable.
//	<!-- end -->
//
// Where a sentence ends is guessed with care: a full stop, a question or
// exclamation mark, then space, then a capital. Whether the order says nothing is
// for the author to answer; what shows that it says something is refused: a
// sentence that points back, counts, or sums up.

// pointing are words with which a sentence leans on those before it.
var pointing = strings.Fields("this that these those it its they their them he she his her such then there here therefore thus hence however " +
	"moreover furthermore besides also too otherwise instead still yet but and or so nor first firstly second secondly third thirdly next " +
	"finally last lastly afterwards later meanwhile consequently accordingly nevertheless nonetheless likewise similarly both neither either " +
	"each another others again as for in-short overall")

// abbreviations end in a full stop that ends no sentence.
var abbreviations = strings.Fields("e.g i.e etc vs cf mr mrs ms dr prof st no nos fig sec inc ltd co approx ca al resp incl ver vol pp")

// cutSentences finds the sentences of the block whose directive is at open.
func (c *compiler) cutSentences(d *document, open, from, to int) []item {
	text := strings.TrimRight(d.src[from:to], " \n")
	start := from + len(text) - len(strings.TrimLeft(text, " \n"))
	end := from + len(text)
	for _, l := range lines(d.src, from, end) {
		s := strings.TrimSpace(d.src[l.at:min(l.end, end)])
		switch {
		case l.at >= start && s == "":
			c.refuse(d.path, l.at, "a blank line in a block of facts", "facts are the sentences of one paragraph; put paragraphs into an order block")
			return nil
		case s != "" && (bullet(s) != 0 || numbered(s) || strings.IndexByte("#>|", s[0]) >= 0):
			c.refuse(d.path, l.at, "a list, heading, table or quotation in a block of facts", "facts are sentences; put a list into an order block")
			return nil
		}
	}
	var out []item
	for at := start; at < end; {
		n := sentence(d.src[at:end])
		out = append(out, item{at, at + n})
		at += n
		at += len(d.src[at:end]) - len(strings.TrimLeft(d.src[at:end], " \n"))
	}
	if len(out) < 2 {
		c.refuse(d.path, open, sprintf("a block of facts with %d sentences", len(out)), "an order needs two; four or a multiple of four carry most")
		return nil
	}
	for _, it := range out {
		s := d.src[it.at:it.end]
		words := foldWords(s)
		first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, "“\"'*_`("))
		switch {
		case final(s) != '.':
			c.refuse(d.path, it.at, sprintf("a fact that doesn't end in a full stop: %s", quote(s)), "end all alike, or the last would show the order they were written in")
			return nil
		case unicode.IsLower(first):
			c.refuse(d.path, it.at, sprintf("a fact that begins with a small letter: %s", quote(s)), "begin it with a capital, or what stands before it may look like its beginning")
			return nil
		case len(words) > 0 && slices.Contains(pointing, words[0]):
			c.refuse(d.path, it.at, sprintf("a fact that begins with %q seems to lean on the one before", words[0]), "let each say its thing by itself, or leave it outside of the block")
			return nil
		}
	}
	return out
}

// sentence is the length of the sentence that a text begins with.
func sentence(s string) int {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(".?!", s[i]) < 0 {
			continue
		}
		end := i + 1
		for end < len(s) && strings.IndexByte("\"')*_`", s[end]) >= 0 {
			end++
		}
		if strings.HasPrefix(s[end:], "”") {
			end += len("”")
		}
		rest := strings.TrimLeft(s[end:], " \n")
		if rest == "" || len(rest) < len(s[end:]) && begins(rest) && !abbreviated(s[:i]) {
			return end
		}
	}
	return len(s)
}

// begins reports whether a text can begin a sentence.
func begins(s string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, "“\"'*_`("))
	return unicode.IsUpper(r) || unicode.IsDigit(r)
}

// abbreviated reports whether a full stop after the text may be part of its last
// word: an abbreviation, or an initial.
func abbreviated(s string) bool {
	word := s[strings.LastIndexAny(s, " \n(\"'")+1:]
	return slices.Contains(abbreviations, strings.ToLower(word)) || utf8.RuneCountInString(word) == 1 && word != "I"
}
