package judges

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"forewarn/internal/equivalence"
)

// YARA judges rules by which files they match.
type YARA struct{ Path string } // empty if it isn't installed

// Name is yara.
func (YARA) Name() string { return "yara" }

// Format is yara.
func (YARA) Format() string { return "yara" }

// yaraInclude finds what would read a file that isn't the run's own. It may find
// one in a text; such rules aren't judged, which loses less.
var yaraInclude = regexp.MustCompile(`\binclude(\s|/\*(?s:.*?)\*/|//[^\n]*\n)*"`)

// Judge runs YARA over all samples in one go. Rules that it doesn't take are
// ErrNoParse; rules that include files are ErrUnjudged.
func (y YARA) Judge(ctx context.Context, rules string, c equivalence.Corpus) ([]string, error) {
	if yaraInclude.MatchString(rules) {
		return nil, fmt.Errorf("%w: rules that include files aren't run", equivalence.ErrUnjudged)
	}
	out, w, err := run(ctx, y.Path, map[string]string{"rules": rules}, c.Samples, "-w", "-r", "-a", strconv.Itoa(int(limit.Seconds())), "rules", "corpus")
	defer w.remove()
	if err != nil {
		return nil, err
	}
	var hits []string
	for line := range strings.Lines(string(out)) {
		rule, file, ok := strings.Cut(strings.TrimSpace(line), " corpus/")
		n, err := strconv.Atoi(file)
		if !ok || err != nil || n >= len(c.Samples) {
			continue
		}
		hits = append(hits, "rule "+rule+" in "+c.Samples[n].Name)
	}
	return hits, nil
}
