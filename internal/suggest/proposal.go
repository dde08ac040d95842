package suggest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"forewarn/internal/carrier"
)

// Kinds of proposals. All but Wording and Order are kinds of values that the
// compiler writes in its own ways.
const (
	Wording = "wording" // alternatives that mean the same
	Order   = "order"   // bullets whose order says nothing
)

// Proposal is one place that could be marked.
type Proposal struct {
	File         string   `yaml:"file"`
	Line         int      `yaml:"line"` // from 1
	Col          int      `yaml:"col"`  // from 1, in characters
	Kind         string   `yaml:"kind"`
	Before       string   `yaml:"before"` // what stands before the quote, on its line
	Quote        string   `yaml:"quote"`  // what is there now
	After        string   `yaml:"after"`  // and behind it
	Value        string   `yaml:"value"`  // of a value, as its mark names it
	Alternatives []string `yaml:"alternatives"`
	When         string   `yaml:"safe-when"`
	ApprovedBy   string   `yaml:"approved-by"`
}

// ErrFile is a file of proposals that can't be read.
var ErrFile = errors.New("not a file of proposals")

// MaxFile is how many bytes of a file of proposals are read.
const MaxFile = 8 << 20

const (
	magic        = "suggestions/1"
	maxProposals = 20_000
)

const instructions = `# Places where copies could differ. Read each in its context. Where you answer for
# it that all alternatives mean the same there, or that an order says nothing,
# write your name after approved-by:. What has no name is left out. Wordings may
# be edited; the quote must stay among them. Then run
#
#   forewarn package suggest --apply THIS-FILE SOURCE -o NEW-SOURCE
#
# Nothing is marked when the text was changed meanwhile.
`

// Write gives the file of proposals.
func Write(list []Proposal) string {
	var b strings.Builder
	b.WriteString(instructions)
	b.WriteString("format: " + magic + "\nproposals:")
	if len(list) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	text := carrier.YAMLText
	for _, p := range list {
		fmt.Fprintf(&b, "\n  - file: %s\n    line: %d\n    col: %d\n    kind: %s\n", text(p.File), p.Line, p.Col, text(p.Kind))
		fmt.Fprintf(&b, "    before: %s\n    quote: %s\n    after: %s\n", text(p.Before), text(p.Quote), text(p.After))
		if p.Value != "" {
			fmt.Fprintf(&b, "    value: %s\n", text(p.Value))
		}
		if len(p.Alternatives) > 0 {
			b.WriteString("    alternatives:\n")
			for _, a := range p.Alternatives {
				b.WriteString("      - " + text(a) + "\n")
			}
		}
		fmt.Fprintf(&b, "    safe-when: %s\n    approved-by: %s\n", text(p.When), text(p.ApprovedBy))
	}
	return b.String()
}

// Read reads a file of proposals. Errors are ErrFile. It doesn't look at the
// source; Apply does.
func Read(data string) (list []Proposal, err error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%w: %d bytes; at most %d are read", ErrFile, len(data), MaxFile)
	}
	// The parser has been seen to panic on what nobody would write.
	defer func() {
		if recover() != nil {
			list, err = nil, fmt.Errorf("%w: not YAML that the parser can read", ErrFile)
		}
	}()
	var f struct {
		Format    string     `yaml:"format"`
		Proposals []Proposal `yaml:"proposals"`
	}
	if deep(data) {
		return nil, fmt.Errorf("%w: values nest deeper than proposals do", ErrFile)
	}
	if err := yaml.UnmarshalWithOptions([]byte(data), &f, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrFile, strings.SplitN(err.Error(), "\n", 2)[0])
	}
	switch {
	case f.Format != magic:
		return nil, fmt.Errorf("%w: its format is %q, and this program reads %q", ErrFile, f.Format, magic)
	case len(f.Proposals) > maxProposals:
		return nil, fmt.Errorf("%w: %d proposals; at most %d are read", ErrFile, len(f.Proposals), maxProposals)
	}
	if len(f.Proposals) == 0 {
		return nil, nil // however none is written
	}
	for i, p := range f.Proposals {
		if len(p.Alternatives) == 0 {
			f.Proposals[i].Alternatives = nil
		}
		switch {
		case p.File == "" || p.Quote == "" || p.Line < 1 || p.Col < 1:
			return nil, fmt.Errorf("%w: proposal %d has no file, line, col or quote", ErrFile, i+1)
		case p.ApprovedBy != "" && !carrier.ValidPerson(p.ApprovedBy):
			return nil, fmt.Errorf("%w: %q in proposal %d isn't a person's name", ErrFile, p.ApprovedBy, i+1)
		}
	}
	return f.Proposals, nil
}

// deep reports whether a text may nest further than a recursive parser can
// follow. Brackets are counted wherever they stand, quoted or not: a person's file
// has few, and so many calls fit a stack.
func deep(data string) bool {
	if strings.Count(data, "[")+strings.Count(data, "{") > 50_000 {
		return true
	}
	for line := range strings.Lines(data) {
		lead := line[:len(line)-len(strings.TrimLeft(line, " -?:&!*"))]
		if len(lead) > 64 {
			return true
		}
	}
	return false
}
