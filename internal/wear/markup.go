package wear

import (
	"html"
	"math/rand/v2"
	"regexp"
	"strings"
)

var (
	comment  = regexp.MustCompile(`(?s)<!--.*?-->\n?`)
	link     = regexp.MustCompile(`!?\[([^\]\n]*)\]\(([^)\s]*)\)`)
	emphasis = regexp.MustCompile("(\\*\\*|__|\\*|_|`)([^*_`\n]+)(\\*\\*|__|\\*|_|`)")
	item     = regexp.MustCompile(`^\s*([-*+]|\d+[.)])\s+`)
	heading  = regexp.MustCompile(`^#{1,6}\s+`)
)

// plain is what a reader sees of Markdown, as text. Files of other kinds are
// seen as they are.
func plain(_ *rand.Rand, path, s string) string {
	if !markdown(path) {
		return s
	}
	s = comment.ReplaceAllString(s, "")
	var b strings.Builder
	for _, line := range strings.Split(s, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			continue
		case heading.MatchString(line):
			line = strings.ToUpper(heading.ReplaceAllString(line, ""))
		case item.MatchString(line):
			line = " • " + item.ReplaceAllString(line, "")
		default:
			line = strings.TrimPrefix(line, "> ")
		}
		b.WriteString(emphasis.ReplaceAllString(link.ReplaceAllString(line, "$1"), "$2") + "\n")
	}
	return b.String()
}

// toHTML is Markdown as a web page. What can be an entity is one now and then.
func toHTML(dice *rand.Rand, path, s string) string {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html><head><title>post</title></head>\n<body>\n")
	if !markdown(path) {
		b.WriteString("<pre><code class=\"file\">" + entities(dice, s) + "</code></pre>\n</body></html>\n")
		return b.String()
	}
	open := ""
	end := func(next string) {
		if open != next {
			if open != "" {
				b.WriteString("</" + open + ">\n")
			}
			if next != "" {
				b.WriteString("<" + next + " class=\"t\">")
			}
			open = next
		}
	}
	for _, line := range strings.Split(comment.ReplaceAllString(s, ""), "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			end("")
		case heading.MatchString(line):
			end("")
			b.WriteString("<h2>" + inlineHTML(dice, heading.ReplaceAllString(line, "")) + "</h2>\n")
		case item.MatchString(line):
			end("ul")
			b.WriteString("<li>" + inlineHTML(dice, item.ReplaceAllString(line, "")) + "</li>\n")
		default:
			end("p")
			b.WriteString(inlineHTML(dice, line) + "<br>\n")
		}
	}
	end("")
	b.WriteString("</body></html>\n")
	return b.String()
}

func inlineHTML(dice *rand.Rand, s string) string {
	s = entities(dice, s)
	s = link.ReplaceAllString(s, `<a href="$2">$1</a>`)
	return emphasis.ReplaceAllString(s, `<em>$2</em>`)
}

// entities escapes what must be, and some letters and spaces that needn't.
func entities(dice *rand.Rand, s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == ' ' && dice.IntN(20) == 0:
			b.WriteString("&nbsp;")
		case r >= 'a' && r <= 'z' && dice.IntN(60) == 0:
			b.WriteString("&#" + decimal(r) + ";")
		default:
			b.WriteString(html.EscapeString(string(r)))
		}
	}
	return b.String()
}

func decimal(r rune) string {
	if r < 10 {
		return string('0' + r)
	}
	return decimal(r/10) + string('0'+r%10)
}
