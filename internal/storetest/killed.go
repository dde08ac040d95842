package storetest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// killRounds is the environment's say in how often Killed kills; 5 when unset.
const killRounds = "FOREWARN_KILL_ROUNDS"

// most records of one append of AppendUntilKilled.
const killBatch = 20

func killRecord(seq entrylog.Seq) entrylog.Record { return Record(seq, 50+int(seq*37%400)) }

// AppendUntilKilled acquires a store and appends to it for ever, in batches of 1
// to 20 records, now and then setting the head. After each append has returned
// it writes the size as a line to w. It returns the first error. A child
// process of Killed calls it.
func AppendUntilKilled(s ledger.Store, w io.Writer) error {
	epoch, err := s.Acquire(background)
	if err != nil {
		return err
	}
	size, err := s.Size(background)
	for n := 1; err == nil; n++ {
		recs := make([]entrylog.Record, 1+n*7%killBatch)
		for i := range recs {
			recs[i] = killRecord(size + entrylog.Seq(i))
		}
		if err = s.Append(background, size, epoch, recs); err != nil {
			return err
		}
		size += entrylog.Seq(len(recs))
		if n%5 == 0 {
			if err = s.SetHead(background, epoch, fmt.Append(nil, size)); err != nil {
				return err
			}
		}
		// One write: the reader of a pipe sees the line whole or not at all.
		_, err = w.Write(fmt.Appendf(nil, "%d\n", size))
	}
	return err
}

// Killed lets a child append to a log, kills it (SIGKILL) at a random moment,
// opens the log and sees that no acknowledged record is lost, changed or
// doubled, and that at most the one append under way was kept beside them. It
// does so five times on the same log, or as often as FOREWARN_KILL_ROUNDS says.
//
// child gives a command whose process opens the log and calls
// AppendUntilKilled with its standard output; reopen opens the log here.
func Killed(t *testing.T, child func() *exec.Cmd, reopen Reopen) {
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv(killRounds)); err == nil {
		rounds = n
	}
	dice := rand.New(rand.NewPCG(uint64(rounds), 1))
	var acked entrylog.Seq // over all rounds
	for round := range rounds {
		cmd := child()
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		lines := bufio.NewReader(out)
		first := acked
		// The moment: some acknowledgements, and then some microseconds, so
		// that every phase of an append is hit.
		for range 1 + dice.IntN(30) {
			acked = nextAck(t, lines, acked)
		}
		time.Sleep(time.Duration(dice.IntN(1500)) * time.Microsecond)
		ok(t, cmd.Process.Kill())
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			acked = parseAck(t, line, acked)
		}
		cmd.Wait()

		s := reopen()
		size, err := s.Size(background)
		ok(t, err)
		if size < acked || size > acked+killBatch {
			t.Fatalf("round %d: %d records, %d were acknowledged", round, size, acked)
		}
		n := entrylog.Seq(0)
		ok(t, s.Read(background, 0, func(seq entrylog.Seq, r entrylog.Record) error {
			if seq != n || !same(r, killRecord(seq)) {
				return fmt.Errorf("round %d: entry %d is not what was appended", round, n)
			}
			n++
			return nil
		}))
		if n != size {
			t.Fatalf("round %d: %d of %d records were read", round, n, size)
		}
		ok(t, s.Close())
		t.Logf("round %d: %d acknowledged, %d kept beside them", round, acked-first, size-acked)
		acked = size
	}
}

func nextAck(t *testing.T, lines *bufio.Reader, acked entrylog.Seq) entrylog.Seq {
	t.Helper()
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return parseAck(t, line, acked)
}

func parseAck(t *testing.T, line string, acked entrylog.Seq) entrylog.Seq {
	t.Helper()
	var n entrylog.Seq
	if _, err := fmt.Sscanf(line, "%d\n", &n); err != nil || n <= acked {
		t.Fatalf("the child acknowledged %q after %d", line, acked)
	}
	return n
}
