package carrier

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"forewarn/internal/form"
)

// Files that machines may read though no gate here knows how.

// checkUnread looks at marks in files for machines of which nothing here knows
// what a tool takes from them. Only the author can tell, so they are warned; under
// rules/ an ending that nobody knows is most likely a rule file by another name,
// and marks in it are refused.
func (c *compiler) checkUnread(d *document) {
	if d.bulk || !d.marked() || d.level != form.Detection && d.level != form.Indicators {
		return
	}
	switch d.format.name {
	case "text", "json", "yaml":
	default:
		return
	}
	ext := strings.ToLower(path.Ext(d.path))
	if d.format == textFormat && ext != "" && ext != ".txt" && slices.Contains(strings.Split(strings.ToLower(path.Dir(d.path)), "/"), "rules") {
		c.refuse(d.path, 0, sprintf("marks in a file of rules/ whose ending %s says nothing", quote(ext)), "give it the ending of its format (.rules, .yar, .yml), or take the marks out")
		return
	}
	c.warn(d, 0, sprintf("marks in a %s file of level %v: nothing here knows what tools take from it, so nobody compares its copies but you", d.format.name, d.level))
}

var yaraInclude = regexp.MustCompile(`(?m)^[ \t]*include\b`)

// checkIncludes refuses YARA rules that include files when any file of the package
// has marks: what is included would be rules that are compared as something else,
// or not at all.
func (c *compiler) checkIncludes(docs []*document) {
	if !slices.ContainsFunc(docs, func(d *document) bool { return !d.bulk && d.marked() }) {
		return
	}
	for _, d := range docs {
		if d.format != yaraFormat || d.bulk {
			continue
		}
		top, _, err := parseYARA(d.renderWith(all(0)))
		if err != nil && yaraInclude.MatchString(d.src) || slices.ContainsFunc(top, func(s string) bool { return strings.HasPrefix(s, "include ") }) {
			at := 0
			if m := yaraInclude.FindStringIndex(d.src); m != nil {
				at = m[0]
			}
			c.refuse(d.path, at, "a YARA include in a package with marks", "write the rules into one file: what is included isn't compared")
		}
	}
}
