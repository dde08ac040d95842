package sqlite

import (
	"encoding/binary"

	"forewarn/internal/entrylog"
)

// rowBytes is about where a row ends and the next begins: small enough that one
// entry is read quickly, large enough that SQLite's cost of a row does not
// matter.
const rowBytes = 64 << 10

const recordHead = 4 + 32 // length and salt

// appendRecord writes a record as it lies in a row.
func appendRecord(dst []byte, r entrylog.Record) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.Entry)))
	return append(append(dst, r.Salt[:]...), r.Entry...)
}

// cutRecord takes the first record off a row. The entry is a part of the row.
func cutRecord(row []byte) (r entrylog.Record, rest []byte, ok bool) {
	if len(row) < recordHead {
		return r, nil, false
	}
	n := int64(binary.BigEndian.Uint32(row))
	if n == 0 || n > entrylog.MaxEntry || n > int64(len(row)-recordHead) {
		return r, nil, false
	}
	copy(r.Salt[:], row[4:])
	end := recordHead + int(n)
	r.Entry = row[recordHead:end:end]
	return r, row[end:], true
}

// cutRow takes as many of recs as fit into a row, one at the least.
func cutRow(row []byte, recs []entrylog.Record, most int) (_ []byte, rest []entrylog.Record) {
	row = row[:0]
	for len(recs) > 0 && (len(row) == 0 || len(row)+recordHead+len(recs[0].Entry) <= most) {
		row = appendRecord(row, recs[0])
		recs = recs[1:]
	}
	return row, recs
}
