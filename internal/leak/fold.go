package leak

import (
	"fmt"
	"strconv"
	"strings"

	"forewarn/internal/evidence"
)

// folded is one token in one specimen, however often it stands there: a trace id
// is in every request of a log, and says no more at the twelfth.
type folded struct {
	evidence.TokenHit
	At []int64 // every byte that it begins at
}

func fold(hits []evidence.TokenHit) (out []folded) {
	for _, h := range hits {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if last.Slot == h.Slot && last.Text == h.Text && last.Specimen == h.Specimen && last.Counts == h.Counts && last.Note == h.Note && last.FirstPublic == h.FirstPublic {
				last.At = append(last.At, h.Offset)
				continue
			}
		}
		out = append(out, folded{h, []int64{h.Offset}})
	}
	return out
}

func (f folded) where() string {
	at := fmt.Sprintf("at byte %d", f.At[0])
	if n := len(f.At); n > 1 {
		at = fmt.Sprintf("%d times, first at byte %d", n, f.At[0])
	}
	return fmt.Sprintf("%s in specimen %d %s. %s", f.Text, f.Specimen+1, at, f.Note)
}

// Bytes lists every place.
func (f folded) Bytes() string {
	var s []string
	for _, at := range f.At {
		s = append(s, strconv.FormatInt(at, 10))
	}
	return strings.Join(s, ", ")
}
