package main

import (
	"errors"
	"io/fs"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
)

// hint says what to do about a class of errors: the first that fits.
func hint(err error) string {
	for _, h := range hints {
		if errors.Is(err, h.class) {
			return h.text
		}
	}
	return ""
}

var hints = []struct {
	class error
	text  string
}{
	{home.ErrNoProgramme, "found one with 'forewarn --dir DIR init --name NAME --coordinator NAME', or name its folder with --dir or FOREWARN_DIR"},
	{ledger.ErrLocked, "one process writes a log at a time; nothing was changed. Wait for it, or stop it"},
	{ledger.ErrFork, "nothing was changed. Bring back the newer folder; if it is lost for good, 'forewarn log recover' continues under a declared new epoch"},
	{ledger.ErrDamaged, "nothing was changed. 'forewarn verify log' says where; restore from a copy"},
	{ledger.ErrNotAnchored, "nothing left the desk. Run the command again after that time, or give 'pull' --wait"},
	{sealer.ErrNotYet, "nothing left the desk. Run the command again after that time, or give 'pull' --wait"},
	{ledger.ErrUnknownKind, "a newer version of forewarn wrote this log; use that one. Nothing was changed"},
	{ledger.ErrClock, "set this machine's clock. Nothing was changed"},
	{errNotOpen, "nothing left the desk. Run the command again then, or with --wait"},
	{coordinator.ErrUnsealed, "nothing left the desk. 'forewarn wave resume' goes on once the cause is gone"},
	{errKept, "go on from there once the cause is gone"},
	{carrier.ErrRefused, "mend the lines named and run the command again; 'forewarn package check FOLDER' tries it without keeping anything"},
	{folder.ErrRefused, "nothing was kept. Put right what is named and run the command again"},
	{cvd.ErrDenied, "nothing was changed. doc/access.md lists who may do what, and 'forewarn account list' who is who"},
	{coordinator.ErrGone, "the log still verifies; the text itself is gone for good unless you have a backup of its key"},
	{coordinator.ErrUnknown, "nothing was changed. Names and ids may be shortened to a beginning that only one has"},
	{cvd.ErrRefused, "nothing was changed"},
	{unverified, "what was checked is as it was; don't rely on it, and keep it"},
	{fs.ErrPermission, "nothing was changed. The file or folder belongs to another user"},
	{fs.ErrExist, "nothing was written over it. Name another, or move it away"},
	{errInput, "nothing was changed"},
}

// errInput: a file that was named on the command line can't be used.
var errInput = errors.New("this file can't be used")

// errNotOpen: everything there is to fetch opens later.
var errNotOpen = errors.New("not open yet")

// errKept: a first part was done and a later one wasn't; the error says which.
var errKept = errors.New("not finished")
