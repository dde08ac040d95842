// Package apart does tasks on bytes that nobody vouches for in processes of their own:
// the program once more, without keys, environment, files or network, with bounds on
// memory and time. A parser that is led astray there has nothing to take and nobody to
// tell, and one that falls takes nobody with it.
//
//	Runner.Do ─► the program, Asked of a task ─► confine ─► bytes in ─► task ─► bytes out ─► checked by who asked
//
// What comes back is as little to be trusted as what went in. On Linux (amd64, arm64)
// the kernel holds the process to it, by seccomp; elsewhere it is only a process
// without keys: Held says which. Do not use it for what needs a secret, or as a way to
// run programs: it knows its own tasks alone.
package apart

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"forewarn/internal/hostile"
)

// Tasks by name: pure functions of bytes. An error is a refusal, and its text is for
// who brought the bytes.
type Tasks map[string]func([]byte) ([]byte, error)

// Runner has tasks done. Who holds no secret calls them in place.
type Runner struct {
	Tasks   Tasks
	Program string        // that calls Serve when it finds Asked in its environment
	Memory  uint64        // bytes of data of the process; default 1 GiB
	Time    time.Duration // of its life, and of its work on a processor; default 2 minutes
	Said    func(string)  // what a process that fell said, for the process log; may be nil
}

const (
	defaultMemory = 1 << 30
	defaultTime   = 2 * time.Minute
	leastMemory   = 128 << 20 // Go's runtime takes some of it
	mostSaid      = 1 << 10   // bytes of what it says in its need
)

// How an answer begins.
const (
	answered = 'a'
	refused  = 'r'
)

// told is how the text of a refusal begins, that the class begins again.
var told = hostile.ErrRefused.Error() + ": "

func refusal(text string) error {
	return fmt.Errorf("%w: %s", hostile.ErrRefused, strings.ToValidUTF8(text, "?"))
}

// Do has a task done. The answer is at most as long as the process's memory. Errors
// wrap hostile.ErrRefused, hostile.ErrFell, or are of this machine.
func (r *Runner) Do(ctx context.Context, task string, in []byte) ([]byte, error) {
	if r.Tasks[task] == nil {
		return nil, fmt.Errorf("there is no task %q", task)
	}
	memory, long := max(cmp.Or(r.Memory, defaultMemory), leastMemory), cmp.Or(r.Time, defaultTime)
	within, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	c := exec.CommandContext(within, r.Program)
	c.Env, c.Dir = []string{fmt.Sprintf("%s=%s %d %d", Asked, task, memory, int(max(long.Seconds(), 1))), "GOTRACEBACK=none", "TZ=UTC"}, "/"
	c.WaitDelay = 5 * time.Second
	c.Stdin = bytes.NewReader(in)
	out, said := bounded{most: int(memory)}, bounded{most: mostSaid, drop: true}
	c.Stdout, c.Stderr = &out, &said
	err := c.Run()
	answer := out.b.Bytes()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case within.Err() != nil:
		err = fmt.Errorf("it took more than %s", long)
	case errors.Is(err, errTooLong):
		err = fmt.Errorf("its answer is longer than %d MB", memory>>20)
	case errors.As(err, &exit) && exit.ExitCode() == 1: // Serve's own error
		return nil, fmt.Errorf("a process apart can't work here: %s", strings.ToValidUTF8(strings.TrimSpace(said.b.String()), "?"))
	case errors.As(err, &exit):
		err = fell(exit, said.b.String(), memory, long)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return nil, fmt.Errorf("starting a process apart: %w", err)
	case len(answer) > 0 && answer[0] == answered:
		return answer[1:], nil
	case len(answer) > 0 && answer[0] == refused:
		return nil, refusal(string(answer[1:min(len(answer), mostSaid)]))
	default:
		err = errors.New("it said nothing")
	}
	if r.Said != nil && said.b.Len() > 0 {
		r.Said(fmt.Sprintf("the process for %q: %v: %q", task, err, said.b.String()))
	}
	return nil, fmt.Errorf("%w: %w", hostile.ErrFell, err)
}

// fell says why a process ended, as far as that can be told from outside.
func fell(exit *exec.ExitError, said string, memory uint64, long time.Duration) error {
	switch {
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"), strings.Contains(said, "stack exceeds"):
		return fmt.Errorf("it needs more than %d MB of memory", memory>>20)
	case strings.Contains(said, "\ngoroutine 0 "): // a fault on the runtime's own stack: Go 1.26's collector doesn't check all that it is given
		return fmt.Errorf("it seems to need more than %d MB of memory: Go's runtime fell (%s)", memory>>20, exit)
	case strings.Contains(exit.String(), "CPU time limit"), strings.Contains(exit.String(), "killed"):
		return fmt.Errorf("it took more than %s of work (%s)", long, exit)
	}
	return fmt.Errorf("what reads it failed (%s)", exit)
}

// bounded keeps so many bytes. More are dropped, or are an error.
type bounded struct {
	b    bytes.Buffer
	most int
	drop bool
}

var errTooLong = errors.New("longer than is read")

func (b *bounded) Write(p []byte) (int, error) {
	left := b.most - b.b.Len()
	if len(p) <= left {
		return b.b.Write(p)
	}
	b.b.Write(p[:left])
	if b.drop {
		return len(p), nil
	}
	return left, errTooLong
}

// Asked is the variable of the environment that says what a process apart is asked
// for: a task, its memory in bytes, and the seconds that it has.
const Asked = "FOREWARN_APART"

// Serve is the process, asked what Asked says. It confines itself, reads the request
// to its end, and answers.
func Serve(tasks Tasks, asked string, in io.Reader, out io.Writer) error {
	var task string
	var memory, seconds uint64
	if _, err := fmt.Sscanf(asked, "%s %d %d", &task, &memory, &seconds); err != nil || tasks[task] == nil {
		return fmt.Errorf("no task: %q", asked)
	}
	debug.SetMemoryLimit(int64(memory / 4 * 3))
	debug.SetMaxStack(int(memory / 8))
	if err := confine(memory, seconds); err != nil {
		return fmt.Errorf("the process could not be confined: %w", err)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	kind := byte(answered)
	answer, err := tasks[task](b)
	if err != nil {
		kind, answer = refused, []byte(strings.TrimPrefix(err.Error(), told))
	}
	if _, err := out.Write([]byte{kind}); err != nil {
		return err
	}
	_, err = out.Write(answer)
	return err
}
