package sqlite

import (
	"bytes"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/storetest"
)

func TestCutRowKeepsToItsSize(t *testing.T) {
	var recs []entrylog.Record
	for i := range entrylog.Seq(100) {
		recs = append(recs, storetest.Record(i, 100))
	}
	recs[50] = storetest.Record(50, 5000) // larger than a row may be
	rows, next := 0, entrylog.Seq(0)
	var row []byte
	for rest := recs; len(rest) > 0; rows++ {
		before := len(rest)
		row, rest = cutRow(row, rest, 1000)
		if n := before - len(rest); n == 0 || n > 1 && len(row) > 1000 {
			t.Fatalf("a row of %d records and %d bytes", n, len(row))
		}
		for b := row; len(b) > 0; next++ {
			var r entrylog.Record
			var whole bool
			if r, b, whole = cutRecord(b); !whole || r.Salt != recs[next].Salt || !bytes.Equal(r.Entry, recs[next].Entry) {
				t.Fatalf("record %d does not come back", next)
			}
		}
	}
	if next != 100 || rows < 14 || rows > 18 {
		t.Errorf("%d records in %d rows", next, rows)
	}
}

// Whatever a row holds: what is taken from it is written the same way.
func FuzzRow(f *testing.F) {
	row, _ := cutRow(nil, []entrylog.Record{storetest.Record(0, 3), storetest.Record(1, 40)}, 1000)
	f.Add(row)
	f.Add(row[:50])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, row []byte) {
		var again []byte
		rest, whole := row, true
		for whole {
			var r entrylog.Record
			if r, rest, whole = cutRecord(rest); whole {
				again = appendRecord(again, r)
			}
		}
		if !bytes.Equal(again, row[:len(again)]) {
			t.Fatal("a record is written otherwise than it was read")
		}
	})
}
