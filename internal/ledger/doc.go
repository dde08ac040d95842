// Package ledger is the one writer of a log folder. The desk has one log, the
// inquiry another; both are this.
package ledger
