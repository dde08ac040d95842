package main

import (
	"errors"
	"io/fs"
	"syscall"

	"forewarn"
	"forewarn/client"
	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/equivalence"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/hostile"
	"forewarn/internal/inquiry"
	"forewarn/internal/keep"
	"forewarn/internal/ledger"
	"forewarn/internal/lookout"
	"forewarn/internal/sealer"
	"forewarn/internal/serve"
	"forewarn/internal/suggest"
)

// hint says what to do about a class of errors: the first that fits.
func hint(err error) string {
	var p *client.Problem
	if errors.As(err, &p) && p.Do != "" {
		return p.Do
	}
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
	{carrier.ErrRefused, "mend the lines named and run the command again; 'forewarn package check FOLDER' tries it without keeping anything"},
	{hostile.ErrRefused, "nothing was changed"},
	{hostile.ErrFell, "nothing was changed. What brought it down is told on standard error, and in a served desk's process log; look at the file on a machine that has no keys"},
	{equivalence.ErrDiffers, "nothing was kept. Members with different copies would see different things: take the mark away that makes the difference"},
	{equivalence.ErrNoParse, "nothing was kept. Mend the rule; the tool named was run on it by itself"},
	{suggest.ErrMoved, "nothing was marked. Run 'forewarn package suggest' on the source as it is now"},
	{suggest.ErrProposal, "nothing was marked. Mend the proposal, or take its name away, and run the command again"},
	{suggest.ErrFile, "nothing was marked. 'forewarn package suggest SOURCE -o FILE' writes one"},
	{home.ErrNoProgramme, "found one with 'forewarn --dir DIR init --name NAME --coordinator NAME', or name its folder with --dir or FOREWARN_DIR"},
	{home.ErrVersion, "nothing was changed. Use the newer version that made it"},
	{home.ErrBroken, "restore what is named from a copy, as new as you have one"},
	{home.ErrTaken, "a programme is founded once: if yours is there already, go on with it"},
	{keep.ErrTaken, "nothing was changed"},
	{keep.ErrNoBackup, "name the folder that 'forewarn backup make' made; its manifest.json is written last"},
	{keep.ErrChanged, "use another backup, and find out who else can write to this one"},
	{keep.ErrUnsigned, "who can write to the backup could have changed both. If they are yours, say --unsigned; --outside names another folder"},
	{keep.ErrOlder, "the newer backup is as it was. Find out why this folder is older before you go on"},
	{keep.ErrNoInquiry, "nothing was written. The first 'forewarn investigate' makes its keys; where the inquiry is on another machine, run this there"},
	{keep.ErrKeys, "nothing was changed. Each of --keys is a file that 'forewarn backup keys' wrote for this very programme"},
	{keep.ErrIncomplete, "the backup is there. 'forewarn doctor' says what the programme lacks"},
	{keep.ErrBroken, "each line marked broken says below it what to do"},
	{folder.ErrHeld, "nothing was changed. Wait for it, or stop it"},
	{syscall.EADDRINUSE, "nothing was started. Another process has that address, perhaps another desk or an alarm page: stop it, or name another port with the flag. 'ss -ltnp' shows who has it"},
	{serve.ErrListen, "nothing was started. Name an address of this machine, and a port that you may use: those below 1024 take a privilege"},
	{serve.ErrConfig, "nothing was started. What goes together are --listen, --origin, and --tls-cert with --tls-key or --behind-proxy: 'forewarn serve --help'"},
	{ledger.ErrLocked, "one process writes a log at a time; nothing was changed. Wait for it, or stop it"},
	{ledger.ErrUncertain, "'forewarn log show --last 5' tells whether it is there; if it isn't once the process that serves the desk goes on or has ended, run the command again"},
	{ledger.ErrUnreached, "nothing was kept. Look at the process that serves the desk, or at its log; then run the command again"},
	{ledger.ErrDead, "start the process that serves the desk again; 'forewarn log show --last 5' tells what was kept"},
	{ledger.ErrOffer, "nothing was kept. The process that serves the desk and this command must be of one version: start it again after an update"},
	{ledger.ErrConflict, "nothing was kept. Run the command again"},
	{ledger.ErrFork, "bring back the newer folder, or the checkpoint that was kept outside; if it is lost for good, 'forewarn log recover' continues under a declared new epoch"},
	{ledger.ErrNoEntry, "'forewarn log show --last 1' shows the newest"},
	{ledger.ErrNothingLost, "there is nothing to recover from; 'forewarn verify log' checks everything"},
	{ledger.ErrDamaged, "nothing was changed. 'forewarn verify log' says where; restore from a copy"},
	{ledger.ErrNotAnchored, "nothing left the desk. Run the command again after that time, or give 'pull' --wait"},
	{sealer.ErrNotYet, "nothing left the desk. Run the command again after that time, or give 'pull' --wait"},
	{ledger.ErrUnknownKind, "a newer version of forewarn wrote this log; use that one. Nothing was changed"},
	{ledger.ErrClock, "set this machine's clock. Nothing was changed"},
	{sealer.ErrRefused, "nothing left the desk. The sealer's folder is DIR/sealer, unless it was moved; 'forewarn wave resume' goes on"},
	{coordinator.ErrUnsealed, "nothing left the desk. 'forewarn wave resume' goes on once the cause is gone"},
	{errKept, "go on from there once the cause is gone"},
	{folder.ErrExposed, "nothing was changed. Find out who could read or write it before you go on"},
	{folder.ErrRefused, "nothing was kept. Put right what is named and run the command again"},
	{cvd.ErrDenied, "nothing was changed. Where it is about who may do what, doc/access.md says it, and 'forewarn account list' who is who"},
	{coordinator.ErrGone, "the log still verifies; the text itself is gone for good unless you have a backup of its key"},
	{coordinator.ErrUnknown, "nothing was changed. Names and ids may be shortened to a beginning that only one has"},
	{cvd.ErrRefused, "nothing was changed"},
	{evidence.ErrStage, "nothing was changed. 'forewarn findings show NAME' says how far they are; doc/states.md what can follow"},
	{inquiry.ErrNoFindings, "'forewarn findings list' shows them"},
	{inquiry.ErrUnsound, "nothing was put to anybody. Investigate the same specimens again, which is the same run, and compare"},
	{inquiry.ErrRunLost, "nothing was accused. Bring back the sealer's folder"},
	{lookout.ErrNotLocal, "nothing was served. Whoever sits elsewhere can be shown the file that 'forewarn alarm page -o FILE' writes"},
	{entrylog.ErrFork, "don't open or pass on what came with it, and don't delete anything"},
	{entrylog.ErrUncompared, "say where the programme publishes its anchors: --anchors https://HOST/log/; without a network, --uncompared goes on and remembers nothing"},
	{errTick, "nothing was kept. Run the command again with that --tick: nothing else is wrong"},
	{errUnverified, "what was checked is as it was; don't rely on it, and keep it"},
	{form.ErrEdits, "nothing was written, and no key was opened for these edits. What 'forewarn investigate --look' or 'forewarn read' writes says how they are written, and of which readings they must be"},
	{client.ErrUnanswered, "nothing is known to be changed, and to run the command again is safe. Is the address right, and the desk served? A certificate that this machine doesn't know is vouched for by the file that SSL_CERT_FILE names, on Linux"},
	{client.ErrAltered, "what came was not kept. Run the command again; if it stays so, something between here and the desk changes what it sends"},
	{forewarn.ErrUntrusted, "nothing was kept. Compare the log's key with the one that the programme gave you"},
	{forewarn.ErrNotVerified, "nothing was kept. Keep the message and ask the programme"},
	{forewarn.ErrFormat, "nothing was kept"},
	{fs.ErrPermission, "nothing was changed. The file or folder belongs to another user"},
	{fs.ErrExist, "nothing was written over it. Name another, or move it away"},
	{fs.ErrNotExist, "nothing was changed. Name what is there: a path is taken from the folder that the command runs in"},
	{errInput, "nothing was changed"},
	{errOutput, "nothing is left of it. Look at the folder: is it there, yours, and not full?"},
}

// errInput: a file or folder that was named on the command line can't be used.
var errInput = errors.New("this can't be used")

// errOutput: a file that was named on the command line could not be written.
var errOutput = errors.New("it could not be written")

// errKept: a first part was done and a later one wasn't; the error says which.
var errKept = errors.New("not finished")
