package web

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	goldtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"forewarn/internal/csaf"
)

// prose is a Markdown text as a page shows it.
type prose struct {
	HTML     template.HTML
	Contents []section
	Lead     string           // of the first paragraph
	Sections []csaf.Section   // as they were written, by headings of the first two levels
	Links    []csaf.Reference // to the web, each once, as many as linksKept
}

const linksKept = 100

// section is a section's, for the list of contents.
type section struct {
	ID, Text string
	Sub      bool
}

// longestProse is the longest text that is rendered, in bytes; longer ones are offered
// as a file, and so are those that would cost too much (see costly).
const longestProse = 64 << 10

var tables = extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))

// markdown renders CommonMark with tables. Raw HTML is left out, links lead only to
// the web and to mail, and say nothing of this site; pictures become links, for
// nothing is loaded from elsewhere.
var markdown = goldmark.New(
	goldmark.WithExtensions(tables, extension.Strikethrough),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(tame{}, 100))),
	goldmark.WithRendererOptions(html.WithXHTML()),
)

// rendered keeps what was rendered, by the hash of its text: advisories are few,
// and read by many.
var rendered struct {
	sync.Mutex
	by map[[32]byte]prose
}

const keptProse = 256

// renderProse makes a text prose. ok is false for what is no text, or too long, or would
// cost too much.
func renderProse(source []byte) (out prose, ok bool) {
	if len(source) > longestProse || !utf8.Valid(source) {
		return out, false
	}
	key := sha256.Sum256(source)
	rendered.Lock()
	defer rendered.Unlock() // one at a time: a flood of readers renders once
	if out, ok := rendered.by[key]; ok {
		return out, true
	}
	plain := []byte(readable(string(source)))
	if costly(plain) {
		return out, false
	}
	root := markdown.Parser().Parse(goldtext.NewReader(plain))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if h, is := n.(*ast.Heading); is && entering {
			id, _ := h.AttributeString("id")
			name, _ := id.([]byte)
			out.Contents = append(out.Contents, section{string(name), nodeText(h, plain), h.Level > 2})
		}
		if _, is := n.(*ast.Paragraph); is && entering && out.Lead == "" {
			out.Lead = short(nodeText(n, plain))
		}
		if entering {
			out.link(n, plain)
		}
		return ast.WalkContinue, nil
	})
	out.Sections = sections(root, plain)
	b := sparing{room: mostHTML}
	if err := markdown.Renderer().Render(&b, plain, root); err != nil {
		return out, false
	}
	// These can only be the renderer's own: a text's angle brackets are escaped.
	s := strings.NewReplacer("<table>", `<div class="wide" tabindex="0"><table>`, "</table>", "</table></div>").Replace(b.String())
	out.HTML = template.HTML(s)
	if rendered.by == nil || len(rendered.by) >= keptProse {
		rendered.by = map[[32]byte]prose{}
	}
	rendered.by[key] = out
	return out, true
}

// link keeps where a node leads, if that is somewhere on the web.
func (p *prose) link(n ast.Node, source []byte) {
	var to, label string
	switch x := n.(type) {
	case *ast.Link:
		to, label = string(x.Destination), nodeText(x, source)
	case *ast.AutoLink:
		to = string(x.URL(source))
	}
	if len(p.Links) == linksKept {
		return
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" ||
		slices.ContainsFunc(p.Links, func(r csaf.Reference) bool { return r.URL == u.String() }) {
		return
	}
	p.Links = append(p.Links, csaf.Reference{Category: "external", Summary: cmp.Or(strings.TrimSpace(label), u.String()), URL: u.String()})
}

// sections cuts a text at its headings of the first two levels, which stand one deeper
// here (see tame). What is before the first has no title; what is empty is left out.
func sections(root ast.Node, source []byte) (out []csaf.Section) {
	title, from := "", 0
	end := func(at int) {
		if text := strings.TrimSpace(string(source[from:at])); text != "" {
			out = append(out, csaf.Section{Title: title, Text: text})
		}
	}
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, is := n.(*ast.Heading)
		if !is || h.Level > 3 || h.Lines().Len() == 0 {
			continue
		}
		first, last := h.Lines().At(0), h.Lines().At(h.Lines().Len()-1)
		begin := bytes.LastIndexByte(source[:first.Start], '\n') + 1
		end(max(from, begin))
		title, from = strings.TrimSpace(nodeText(h, source)), after(source, last.Stop-1)
		if rule := source[from:after(source, from)]; len(bytes.Trim(rule, " \t\r\n=-")) == 0 && bytes.ContainsAny(rule, "=-") && source[begin] != '#' {
			from += len(rule) // of a heading that is underlined
		}
	}
	end(len(source))
	return out
}

// after is where the line ends that a place of a text is in.
func after(source []byte, at int) int {
	if at = max(at, 0); at >= len(source) {
		return len(source)
	}
	if i := bytes.IndexByte(source[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(source)
}

// short is the beginning of a text, for a list.
func short(s string) string {
	const most = 300
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// readable spells out what would move or hide what is shown, and keeps lines.
func readable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || r == '\ufeff':
			return '\ufffd'
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}

// tame changes a parsed text into one that a page may hold.
type tame struct{}

// Transform is goldmark's ASTTransformer.
func (tame) Transform(doc *ast.Document, r goldtext.Reader, _ parser.Context) {
	source := r.Source()
	var images []*ast.Image
	var strange []*ast.AutoLink // lead to some program of the reader's machine
	headings := 0
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch x := n.(type) {
		case *ast.Heading:
			headings++
			x.Level = min(x.Level+1, 6) // the page has the first level
			x.SetAttributeString("id", []byte(fmt.Sprintf("s%d", headings)))
		case *ast.Link:
			if len(x.Title) > longestTitle {
				x.Title = nil
			}
			if x.Destination = safeLink(x.Destination); len(x.Destination) > 0 {
				x.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
			}
		case *ast.AutoLink:
			switch {
			case len(safeLink(x.URL(source))) > 0:
				x.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
			case x.AutoLinkType != ast.AutoLinkEmail:
				strange = append(strange, x)
			}
		case *ast.Image:
			images = append(images, x)
		}
		return ast.WalkContinue, nil
	})
	for _, x := range strange {
		x.Parent().ReplaceChild(x.Parent(), x, ast.NewString(x.Label(source)))
	}
	for _, x := range images {
		link := ast.NewLink()
		link.Destination = safeLink(x.Destination)
		link.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
		label := nodeText(x, source)
		link.AppendChild(link, ast.NewString([]byte("picture: "+label)))
		x.Parent().ReplaceChild(x.Parent(), x, link)
	}
}

// The longest address that a link leads to, and the longest title that one has, in bytes.
// Both can be given once and referred to thousands of times.
const (
	longestLink  = 2000
	longestTitle = 300
)

// safeLink is an address that a reader may be led to, or none.
func safeLink(to []byte) []byte {
	if len(to) > longestLink {
		return nil
	}
	u, err := url.Parse(string(to))
	switch {
	case err != nil:
		return nil
	case u.Scheme == "https", u.Scheme == "http", u.Scheme == "mailto":
		return to
	}
	return nil
}

func nodeText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch x := n.(type) {
		case *ast.Text:
			b.Write(util.UnescapePunctuations(x.Segment.Value(source)))
			if x.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(x.Value)
		case *ast.AutoLink:
			b.Write(x.Label(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}
