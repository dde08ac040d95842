package carrier

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// format is what carriers know of a type of file. One row each, below.
type format struct {
	name   string
	json   bool         // free lists are named by pointer in the manifest
	prose  bool         // running text for people, of which an excerpt may leak
	choice fpcode.Class // of alternatives
	order  fpcode.Class // of free lists

	level form.Level // of a file that the manifest doesn't speak of; 0: it must

	directives directives
	comment    string // begins a comment line, which no item may be

	// refused are characters that no alternative may hold, because they could
	// close what stands around it; words says that only words may stand in it.
	refused string
	words   bool
	// alternative checks one alternative further, and gives the text it stands for.
	alternative func(raw string) (text, what string)
	// item checks an item of a free list against the first.
	item func(text, first string) (what, do string)

	// essence is all that the readers' tools take from a file, with what they
	// leave alone blanked and what has no order sorted. Two copies are the same
	// to a tool when their essences are. nil: only people read it.
	essence func(data string) (string, error)
	// free tells an author where copies may differ.
	free string
}

var (
	markdownFormat = &format{
		name: "markdown", level: form.Description, prose: true, choice: fpcode.ClassProse, order: fpcode.ClassOrder,
		directives: htmlComments, comment: "#", refused: "<>[]`*_#\\", item: markdownItem,
	}
	textFormat = &format{
		name: "text", prose: true, choice: fpcode.ClassProse, order: fpcode.ClassOrder,
		directives: hashComments, comment: "#", refused: "<>\\", item: markdownItem,
	}
	jsonFormat = &format{
		name: "json", json: true, choice: fpcode.ClassProse, order: fpcode.ClassOrder,
		alternative: jsonText, essence: jsonEssence,
		free: "the values of strings, and lists that " + ManifestPath + " names under order:",
	}
	csafFormat = &format{
		name: "csaf", level: form.Description, json: true, choice: fpcode.ClassProse, order: fpcode.ClassOrder,
		alternative: jsonText, essence: csafEssence,
		free: "text, details and summary outside tracking and product_tree, a token in a url, and lists outside tracking that " + ManifestPath + " names under order:",
	}
	yamlFormat = &format{
		name: "yaml", level: form.Detection, choice: fpcode.ClassRule, order: fpcode.ClassRule,
		directives: hashComments, comment: "#", refused: "\"'\\:#&*!>%@`[]", item: yamlItem,
		essence: yamlEssence,
		free:    "the values of strings, comments, and the order of lists and keys",
	}
	sigmaFormat = &format{
		name: "sigma", level: form.Detection, choice: fpcode.ClassRule, order: fpcode.ClassRule,
		directives: hashComments, comment: "#", refused: "\"'\\:#&*!>%@`[]", item: yamlItem,
		essence: sigmaEssence,
		free:    "title, description and falsepositives, a token in id and references, comments, and the order of lists and keys outside a correlation",
	}
	suricataFormat = &format{
		name: "suricata", level: form.Detection, choice: fpcode.ClassRule, order: fpcode.ClassRule,
		directives: hashComments, comment: "#", refused: "\"';:\\,()$",
		essence: suricataEssence,
		free:    "msg, metadata and reference, comments, and the order of whole alert rules that keep no state",
	}
	yaraFormat = &format{
		name: "yara", level: form.Detection, choice: fpcode.ClassRule, order: fpcode.ClassRule,
		directives: slashComments, comment: "//", refused: "\"\\*/",
		essence: yaraEssence,
		free:    "strings of meta, comments, and the order of strings, of meta entries and of rules that no other names",
	}
	csvFormat = &format{
		name: "csv", level: form.Indicators, choice: fpcode.ClassProse, order: fpcode.ClassOrder,
		directives: hashComments, comment: "#", refused: "\"#",
		essence: csvEssence,
		free:    "columns called note, comment, description, context, reference or id, and the order of rows below the header",
	}
	codeFormat = &format{
		name: "code", choice: fpcode.ClassCode, order: fpcode.ClassCode,
		directives: slashComments, words: true, item: codeItem,
		free: "words inside strings and comments, and elements of literals",
	}
)

// byExtension is what a file is by its name. Whatever stands under poc/ and is
// not here is code; elsewhere it is text.
var byExtension = map[string]*format{
	".md": markdownFormat, ".markdown": markdownFormat,
	".json": jsonFormat,
	".yml":  yamlFormat, ".yaml": yamlFormat,
	".rules": suricataFormat, ".rule": suricataFormat,
	".yar": yaraFormat, ".yara": yaraFormat,
	".csv": csvFormat,
	".py":  codeFormat, ".sh": codeFormat, ".ps1": codeFormat, ".rb": codeFormat, ".pl": codeFormat, ".js": codeFormat,
	".go": codeFormat, ".c": codeFormat, ".java": codeFormat, ".php": codeFormat, ".http": codeFormat,
}

// formatOf tells what a file is by its name and, of YAML and JSON, by what a
// parser finds inside: the same key in other quotes, escapes or braces is the same
// to a reader's tool, so a look at the text alone would not do.
func formatOf(name, src string) *format {
	f := byExtension[strings.ToLower(path.Ext(name))]
	switch {
	case f == yamlFormat && isSigma(src):
		return sigmaFormat
	case f == jsonFormat:
		return jsonKind(src)
	case f != nil:
		return f
	case underPoC(name):
		return codeFormat
	}
	return textFormat
}

// isSigma reports whether any document of a YAML stream has what only rules have.
// A text that isn't YAML isn't Sigma: it is refused if it has marks.
func isSigma(src string) bool {
	docs, err := parseYAML(src)
	if err != nil {
		// A token or choice outside of quotes may not parse. What it stands for will.
		if docs, err = parseYAML(blankMarks(src)); err != nil {
			return sigmaKeys.MatchString(src)
		}
	}
	return slices.ContainsFunc(docs.items, func(d *tree) bool {
		for len(d.keys) == 1 && d.keys[0] != "" && strings.IndexByte("&!", d.keys[0][0]) >= 0 {
			d = d.items[0] // behind an anchor or a tag
		}
		return slices.ContainsFunc(d.keys, sigmaKey)
	})
}

// sigmaKey reports whether a top key makes a rule. One behind a tag is written out
// by the reader, and what a merge or an explicit key (? key) says isn't looked up.
func sigmaKey(k string) bool {
	return k == "detection" || k == "correlation" || strings.Contains(k, `"detection"`) || strings.Contains(k, `"correlation"`) ||
		strings.HasSuffix(k, " <<") || strings.HasPrefix(k, "=MappingKey")
}

// sigmaKeys is for texts that don't parse, whose author is told of the worse.
var sigmaKeys = regexp.MustCompile(`(?m)^["']?(detection|correlation)["']?[ \t]*:`)

var inlineMark = regexp.MustCompile(`\{\{[^{}\n]*\}\}`)

func blankMarks(src string) string { return inlineMark.ReplaceAllString(src, "mark") }

func jsonKind(src string) *format {
	t, err := parseJSON(src)
	if err != nil {
		return jsonFormat // marks in it will be refused
	}
	switch typ := t.get("type"); {
	case t.get("document").get("csaf_version") != nil, t.get("csaf_version") != nil:
		return csafFormat
	case typ != nil && typ.text == "bundle":
		return stixFormat
	}
	return jsonFormat
}

func underPoC(name string) bool { return strings.HasPrefix(strings.ToLower(name), "poc/") }

// wordsOnly are the characters of alternatives in code: none of them ends a
// string or a comment, in any language.
func wordsOnly(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -.,", r)
}

// checkAlternative refuses an alternative that could break out of its place.
func (f *format) checkAlternative(raw string) (text, what string) {
	for _, r := range raw {
		switch {
		case unicode.IsControl(r):
			return "", sprintf("the character %q in an alternative", r)
		case f.words && !wordsOnly(r), strings.ContainsRune(f.refused, r):
			return "", sprintf("the character %q in an alternative could end what it stands in", r)
		}
	}
	if f.refused != "" && strings.IndexByte("-?,", raw[0]) >= 0 {
		return "", sprintf("an alternative begins with %q, which is syntax in places", raw[0])
	}
	if f.alternative != nil {
		return f.alternative(raw)
	}
	return raw, ""
}
