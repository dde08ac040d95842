package telemetry_test

import (
	"bytes"
	"fmt"
	"testing"

	"forewarn/internal/sighting"
	"forewarn/internal/sim/telemetry"
)

// A corpus is of its seed alone, of the size asked for, whole records of its
// format in order of time, with all that was planted.
func TestCorpora(t *testing.T) {
	for name, open := range telemetry.Corpora {
		t.Run(name, func(t *testing.T) {
			write := func(seed uint64) ([]byte, int) {
				var b bytes.Buffer
				n, err := open(seed).Write(&b, 300_000, 50_000, func(i int) string { return fmt.Sprintf("/planted/%d/here", i) })
				if err != nil {
					t.Fatal(err)
				}
				return b.Bytes(), n
			}
			a, planted := write(1)
			if b, _ := write(1); !bytes.Equal(a, b) {
				t.Error("one seed writes two corpora")
			}
			if b, _ := write(2); bytes.Equal(a, b) {
				t.Error("two seeds write one corpus")
			}
			if len(a) < 300_000 || len(a) > 320_000 || planted != 5 || a[len(a)-1] != '\n' {
				t.Errorf("%d bytes, %d planted", len(a), planted)
			}
			s := sighting.Scanner{Indicators: []sighting.Indicator{{Kind: sighting.Path, Value: "/planted"}}}
			last := sighting.Interval{}
			sum, err := s.Scan(name, bytes.NewReader(a), func(x sighting.Sighting) error {
				if name == "text" || name == "html" || name == "syslog" {
					return nil // they state no time, or no year
				}
				if x.Basis != sighting.Stated || x.Time.Against(last) == sighting.Before {
					t.Errorf("%+v after %v", x, last)
				}
				last = x.Time
				return nil
			})
			if err != nil || sum.Sightings != int64(planted) || sum.BadLines > 0 || (sum.Format == sighting.Plain) != (name == "text") {
				t.Errorf("%v, %+v", err, sum)
			}
		})
	}
}
