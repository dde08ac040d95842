package equivalence

import (
	"fmt"
	"path"
	"strings"

	"forewarn/internal/sigma"
)

// CorpusOf sorts files that an author brings by their endings: events in .json,
// .jsonl and .ndjson, captures in .pcap and .pcapng, and everything else to be
// scanned. Errors are sigma.ErrEvent, with the file's name.
func CorpusOf(files []File) (c Corpus, err error) {
	for _, f := range files {
		switch strings.ToLower(path.Ext(f.Name)) {
		case ".json", ".jsonl", ".ndjson":
			events, err := sigma.ReadEvents(f.Data)
			if err != nil {
				return Corpus{}, fmt.Errorf("%q: %w", f.Name, err)
			}
			c.Events = append(c.Events, events...)
		case ".pcap", ".pcapng":
			c.Captures = append(c.Captures, f)
		default:
			c.Samples = append(c.Samples, f)
		}
	}
	return c, nil
}
