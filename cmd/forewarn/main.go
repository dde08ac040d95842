// Command forewarn runs an early-warning programme: it shares the details of an
// unpatched vulnerability with vetted members, in waves, under embargo, and when
// they leak says from whose copy, with evidence that others can check.
//
// Start with 'forewarn demo', or with 'forewarn init' for a programme of your own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// Exit codes. Scripts may rely on them.
const (
	exitDone    = 0
	exitRefused = 1 // refused, not found, not verified, or failed
	exitUsage   = 2
)

// cli is the whole command line.
type cli struct {
	Dir  string `help:"The programme's folder; ./forewarn if not given." env:"FOREWARN_DIR" placeholder:"DIR" group:"global"`
	As   string `help:"Act as this account: a handle or an id. Local commands are not authenticated, and the log says so." env:"FOREWARN_AS" placeholder:"ACCOUNT" group:"global"`
	JSON bool   `help:"Print one JSON value for programs instead of text." name:"json" group:"global"`

	Demo demoCmd `cmd:"" help:"Live through one leak, from report to traced copy, in under a minute." group:"start"`
	Init initCmd `cmd:"" help:"Found a programme." group:"start"`

	Serve serveCmd `cmd:"" help:"Serve the desk: pages, sign-in, the public anchors." group:"start"`

	API apiCmd `cmd:"" help:"The API of a served desk." name:"api" group:"start"`

	Member  memberCmd  `cmd:"" help:"Members: admit, import, keys, terms, standing." group:"programme"`
	Account accountCmd `cmd:"" help:"Accounts of staff and members." group:"programme"`
	Duty    dutyCmd    `cmd:"" help:"Who is on duty, and who stands in for whom." group:"programme"`
	Notice  noticeCmd  `cmd:"" help:"Notices by mail: who was told, who is not reached, bounces." group:"programme"`

	Case    caseCmd    `cmd:"" help:"Cases: open, list, show, embargo, move, invite, consent, link, hold, lift, end, release, correct." group:"case"`
	Report  reportCmd  `cmd:"" help:"What anybody reports: its key, what came in, what became of it." group:"case"`
	Package packageCmd `cmd:"" help:"What is shared: suggest, check, plan, add, recall, acknowledge." group:"case"`
	Wave    waveCmd    `cmd:"" help:"Staged release: draft, approve, preview, hold, cancel." group:"case"`

	Keygen  keygenCmd  `cmd:"" help:"Make a member's keys." group:"member"`
	Pull    pullCmd    `cmd:"" help:"Fetch your sealed copies." group:"member"`
	Open    openCmd    `cmd:"" help:"Open a sealed copy, check its proof and sign a receipt." group:"member"`
	Receipt receiptCmd `cmd:"" help:"Lodge a signed receipt." group:"member"`
	Answer  answerCmd  `cmd:"" help:"Say how a product of yours stands." group:"member"`

	Source      sourceCmd      `cmd:"" help:"Sensors, and who reports." group:"leak"`
	Scan        scanCmd        `cmd:"" help:"Look for tokens and indicators in telemetry, once or as it grows." group:"leak"`
	Alarm       alarmCmd       `cmd:"" help:"What was seen before release: who is called, what is known, what is decided." group:"leak"`
	Read        readCmd        `cmd:"" help:"Show what stands in found text, place by place, before any codeword is opened." group:"leak"`
	Investigate investigateCmd `cmd:"" help:"Trace what was found to the copy it came from." group:"leak"`
	Findings    findingsCmd    `cmd:"" help:"Findings: put, reply, review, finalise; a member's history." group:"leak"`

	Verify  verifyCmd  `cmd:"" help:"Check a log, a dossier or a copy's proof." group:"evidence"`
	Log     logCmd     `cmd:"" help:"Show entries, prove them, anchor, recover." group:"evidence"`
	Key     keyCmd     `cmd:"" help:"Destroy a case's or a person's key; legal holds." group:"evidence"`
	Version versionCmd `cmd:"" help:"Print the version." group:"evidence"`

	Backup  backupCmd  `cmd:"" help:"Backups: of the desk, and of keys apart from it." group:"safety"`
	Restore restoreCmd `cmd:"" help:"Make a programme's folder of a backup and its keys." group:"safety"`
	Doctor  doctorCmd  `cmd:"" help:"Prove that the programme, or a backup, reopens every case." group:"safety"`
	Export  exportCmd  `cmd:"" help:"Write everything to a folder in formats that need no Forewarn." group:"safety"`
	Witness witnessCmd `cmd:"" help:"Co-sign the logs of other programmes." group:"safety"`

	Lab   labCmd   `cmd:"" help:"Experiments: measure before you rely on it." group:"lab"`
	Bench benchCmd `cmd:"" help:"Speed beside peers, on the same bytes in the same run." group:"lab"`

	Sealer sealerCmd `cmd:"" help:"The sealer: its process, and what a person says to it." group:"evidence"`
}

// app is what a command works with.
type app struct {
	context.Context
	*cli
	in       io.Reader
	out, err io.Writer
	tty      bool // progress may be drawn on err
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the program. It returns the exit code.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("forewarn"),
		kong.Description("Early warning with evidence. Exit codes: 0 done; 1 refused, not found or not verified; 2 usage."),
		kong.Writers(out, errw),
		kong.Exit(func(code int) { exited = code }),
		kong.Help(printHelp),
		kong.ValueFormatter(flagHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "start", Title: "Start here"},
			{Key: "programme", Title: "The programme"},
			{Key: "case", Title: "A case"},
			{Key: "member", Title: "As a member"},
			{Key: "leak", Title: "When it leaks"},
			{Key: "evidence", Title: "Evidence"},
			{Key: "safety", Title: "Keeping it safe"},
			{Key: "lab", Title: "The laboratory"},
			{Key: "global", Title: "For every command"},
		}),
	)
	if err != nil {
		fmt.Fprintln(errw, "forewarn:", err)
		return exitUsage
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // forewarn help case move
		args = append(args[1:len(args):len(args)], "--help")
	}
	k, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	a := &app{Context: ctx, cli: &c, in: in, out: out, err: errw}
	if err != nil {
		at, text := where(err), plainly(err.Error())
		if at == nil || !at.Leaf() { // what was meant for a command is no argument of one
			text = strings.Replace(text, "unexpected argument", "there is no command", 1)
		}
		return a.fail(usageError(text), at)
	}
	if f, ok := errw.(*os.File); ok {
		a.tty = term.IsTerminal(int(f.Fd()))
	}
	if err := k.Run(a); err != nil {
		return a.fail(err, k.Selected())
	}
	return exitDone
}

// printHelp is kong's help, and what a TIME is to a command that takes one.
func printHelp(o kong.HelpOptions, k *kong.Context) error {
	if err := kong.DefaultHelpPrinter(o, k); err != nil {
		return err
	}
	n := k.Selected()
	if n == nil || !slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.PlaceHolder == "TIME" }) {
		return nil
	}
	_, err := fmt.Fprintln(k.Stdout, "\nTIME is an instant with its zone, such as 2026-12-08T18:00:00Z or 2026-12-08T18:00+01:00,\nor how far from now: +90s, +15m, +2h, +14d.")
	return err
}

// flagHelp is kong's text of a flag, with the default where a placeholder stands in its
// place, and what else to say where one of several is wanted.
func flagHelp(v *kong.Value) string {
	if v.Flag == nil {
		return kong.DefaultHelpValueFormatter(v)
	}
	w := *v
	text := strings.TrimSuffix(w.Help, ".")
	if v.Flag.PlaceHolder != "" && v.Default != "" && !strings.Contains(text, "if not given") {
		text += "; " + v.Default + " if not given"
	}
	if len(v.Flag.Xor) > 0 && v.Required {
		text += "; this or the other"
	}
	if text != "" {
		w.Help = text + "."
	}
	return kong.DefaultHelpValueFormatter(&w)
}

// where is the command that a command line got to.
func where(err error) *kong.Node {
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil {
		if n := p.Context.Selected(); n != nil {
			return n
		}
		for i := len(p.Context.Path) - 1; i >= 0; i-- {
			if n := p.Context.Path[i].Command; n != nil {
				return n
			}
		}
	}
	return nil
}

// usageError is a command line that parses and can't be meant.
type usageError string

func (e usageError) Error() string { return string(e) }

// plainly says what kind of number is wanted without the words of a compiler.
func plainly(s string) string { return wanted.ReplaceAllString(s, "a whole number") }

var wanted = regexp.MustCompile(`a valid \d+ bit u?int`)

func usage(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// errUnverified is a check that failed, after its report was printed.
var errUnverified = errors.New("not verified")

// fail says on standard error what happened and what to do, and gives the exit
// code.
func (a *app) fail(err error, at *kong.Node) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.err, "forewarn: stopped. What was said to be done is done; nothing else is")
		return exitRefused
	}
	fmt.Fprintln(a.err, "forewarn:", clean(err.Error()))
	if errors.As(err, new(usageError)) {
		switch {
		case at == nil || at.Type != kong.CommandNode:
			fmt.Fprintln(a.err, "hint: 'forewarn --help' lists the commands, 'forewarn COMMAND --help' shows one with an example")
		case at.Leaf():
			fmt.Fprintf(a.err, "hint: '%s --help' shows it with an example\n", at.FullPath())
		default:
			fmt.Fprintf(a.err, "hint: '%s --help' lists its commands\n", at.FullPath())
		}
		return exitUsage
	}
	if h := hint(err); h != "" {
		fmt.Fprintln(a.err, "hint:", h)
	}
	return exitRefused
}
