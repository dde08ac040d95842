package carrier

import (
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Compile makes a Form of a source. The same source and bias key give the same
// Form, byte for byte. A source that isn't fit gives Refusals, which is
// ErrRefused, and nothing else.
func Compile(src Source, bias fpcode.Key) (*form.Form, *Manifest, Report, error) {
	c := compiler{}
	c.checkSource(src)
	return nil, nil, Report{}, c.refusals
}

type compiler struct{ refusals Refusals }

func (c *compiler) refuse(path string, off int, what, do string) {
	c.refusals = append(c.refusals, Refusal{Path: path, What: what, Do: do})
}
