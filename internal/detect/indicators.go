package detect

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/sighting"
)

// tableTypes are the words that indicator tables use for what can be looked for.
var tableTypes = map[string]sighting.Kind{
	"host": sighting.Host, "hostname": sighting.Host, "domain": sighting.Host, "fqdn": sighting.Host,
	"address": sighting.Address, "ip": sighting.Address, "ipv4": sighting.Address, "ipv6": sighting.Address, "ip-src": sighting.Address, "ip-dst": sighting.Address,
	"path": sighting.Path, "uri": sighting.Path, "url-path": sighting.Path, "filename": sighting.Path, "file": sighting.Path,
	"hash": sighting.Hash, "md5": sighting.Hash, "sha1": sighting.Hash, "sha224": sighting.Hash, "sha256": sighting.Hash, "sha384": sighting.Hash, "sha512": sighting.Hash,
	"constant": sighting.Constant, "agent": sighting.Constant, "user-agent": sighting.Constant, "string": sighting.Constant, "canary": sighting.Constant, "mutex": sighting.Constant,
}

// Indicators reads a table of indicators: CSV whose first row names its columns,
// among them type and value; lines that begin with # are remarks. Each indicator's
// Ref is ref and its line. Rows whose confidence is low are left out: laboratory
// machines and guesses would ring at night. The reports say of each row that is not
// looked for why.
func Indicators(text, ref string) (out []sighting.Indicator, reports []Report, err error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.FieldsPerRecord, r.TrimLeadingSpace = '#', -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ref, err)
	}
	if len(rows) == 0 {
		return nil, nil, nil
	}
	column := func(name string) int {
		return slices.IndexFunc(rows[0], func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) })
	}
	of, value, confidence := column("type"), column("value"), column("confidence")
	if of < 0 || value < 0 {
		return nil, nil, fmt.Errorf("%s: no columns named type and value in its first row, so its indicators aren't looked for", ref)
	}
	cell := func(row []string, i int) string {
		if i < 0 || i >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[i])
	}
	low := 0
	for n, row := range rows[1:] {
		at := fmt.Sprintf("%s, row %d", ref, n+2)
		x := sighting.Indicator{Kind: tableTypes[strings.ToLower(cell(row, of))], Value: cell(row, value), Ref: at}
		switch {
		case strings.EqualFold(cell(row, confidence), "low"):
			low++
		case x.Kind == 0:
			reports = append(reports, Report{Ref: at, Class: Unsupported, What: fmt.Sprintf("type %q is not looked for", sighting.Printable([]byte(cell(row, of))))})
		default:
			if err := x.Check(); err != nil {
				reports = append(reports, Report{Ref: at, Class: Unsupported, What: err.Error()})
			} else {
				out = append(out, x)
			}
		}
	}
	if low > 0 {
		reports = append(reports, Report{Ref: ref, Class: Unserved, What: fmt.Sprintf("%d of low confidence aren't looked for", low)})
	}
	return out, reports, nil
}
