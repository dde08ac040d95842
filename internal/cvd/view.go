package cvd

import (
	"time"

	"forewarn/internal/entrylog"
)

// Exposure is one line of who had a copy: a fetch, or a sealed copy that nobody
// fetched (then Account is zero).
type Exposure struct {
	Wave       WaveID
	Holder     HolderID
	Account    AccountID
	FetchedAt  time.Time
	Seq        entrylog.Seq
	ReceiptAt  time.Time // zero: fetched, not received
	ReceiptSeq entrylog.Seq
}
