package carrier

import (
	"strings"
	"unicode"
)

// ApprovalsPath is the file in which a source keeps who approved which of its
// marks. It is for people and for the next suggestions; it is in no copy.
const ApprovalsPath = "approvals.yaml"

const approvalsMagic = "approvals/1"

// Approval says that a person answers for a mark.
type Approval struct {
	File string // of the source
	Mark string // as written in the source; of a list or of facts, its first item
	By   string // the person
	Date string // the day, as in 2025-07-08; may be empty
}

// ReadApprovals reads the text of approvals.yaml. An error says what is wrong and
// in which line.
func ReadApprovals(text string) ([]Approval, error) {
	docs, err := parseYAML(text)
	if err != nil {
		line := 0
		if s, ok := err.(*syntaxError); ok {
			line, _ = position(text, s.at)
		}
		return nil, approvalsError(line, err.Error())
	}
	if len(docs.items) != 1 || docs.items[0].kind != tableKind {
		return nil, approvalsError(0, "not one mapping of keys to values")
	}
	root := docs.items[0]
	if v := root.get("format"); v == nil || v.text != approvalsMagic {
		return nil, approvalsError(0, "no format: "+approvalsMagic)
	}
	list := root.get("approvals")
	if list == nil || list.kind != listKind || len(root.keys) != 2 {
		return nil, approvalsError(0, "it holds format: and a list approvals:, and nothing else")
	}
	var out []Approval
	for _, v := range list.items {
		var a Approval
		for i, k := range v.keys {
			field, ok := map[string]*string{"file": &a.File, "mark": &a.Mark, "approved-by": &a.By, "date": &a.Date}[k]
			if !ok || v.items[i].kind != stringKind {
				return nil, approvalsError(v.items[i].keyLine, sprintf("%s isn't the text of file, mark, approved-by or date", quote(k)))
			}
			*field = v.items[i].text
		}
		if a.File == "" || a.Mark == "" || !ValidPerson(a.By) {
			return nil, approvalsError(v.line, "an approval without a file, a mark or a person's name")
		}
		out = append(out, a)
	}
	return out, nil
}

func approvalsError(line int, what string) error {
	r := Refusal{Path: ApprovalsPath, What: what, Do: "mend it; 'forewarn package suggest --apply' writes it"}
	if line > 0 {
		r.Line, r.Col = line, 1
	}
	return Refusals{r}
}

// WriteApprovals writes what ReadApprovals reads.
func WriteApprovals(list []Approval) string {
	var b strings.Builder
	b.WriteString("# Who answers for which mark of this source. It is in no copy.\nformat: " + approvalsMagic + "\napprovals:")
	if len(list) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for _, a := range list {
		b.WriteString("  - file: " + YAMLText(a.File) + "\n    mark: " + YAMLText(a.Mark) + "\n    approved-by: " + YAMLText(a.By) + "\n")
		if a.Date != "" {
			b.WriteString("    date: " + YAMLText(a.Date) + "\n")
		}
	}
	return b.String()
}

// YAMLText writes a text in double quotes, on one line, as every version of YAML
// reads it.
func YAMLText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case !unicode.IsPrint(r) && r <= 0xFFFF:
			b.WriteString(sprintf(`\u%04X`, r))
		case !unicode.IsPrint(r):
			b.WriteString(sprintf(`\U%08X`, r))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// ValidPerson reports whether a text may be the name of somebody who approves or
// vouches.
func ValidPerson(s string) bool {
	return len(foldWords(s)) > 0 && len(s) <= 100 && !strings.ContainsAny(s, "<>{}|\n")
}
