package home_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
	"forewarn/internal/wire"
)

const (
	childDir   = "FOREWARN_TEST_HOME_CHILD" // the town to work in
	killRounds = "FOREWARN_KILL_ROUNDS"     // 200 for the long run
)

// TestMain is also the sealer's process and the child that is killed.
func TestMain(m *testing.M) {
	// However the sealer is started, it must not run the tests again.
	if len(os.Args) > 1 && os.Args[1] == "sealer" {
		if err := home.ServeSealer(ctx, os.Args[len(os.Args)-1], home.Machine{}, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "sealer:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	for env, child := range map[string]func(string) error{childDir: work, serverDir: serveTown, commandsDir: commandsIn} {
		if dir := os.Getenv(env); dir != "" {
			if err := child(dir); err != nil {
				fmt.Fprintln(os.Stderr, "child:", err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// roster is what the child needs to know of the town.
type roster struct {
	Ana, Ben cvd.AccountID
	Case     cvd.CaseID
	Revision cvd.RevisionID
	Accounts []cvd.AccountID
	Holders  []cvd.HolderID
	Waves    []cvd.WaveID // open ones, to fetch from
	Steps    int          // 0: until killed
}

func say(lines *sync.Mutex, format string, args ...any) {
	lines.Lock()
	defer lines.Unlock()
	fmt.Printf(format+"\n", args...)
}

// work is the child: it appends, seals and fetches at once, and prints what it
// was told is durable. It has no other way of ending than being killed, unless
// Steps says how often to do each.
func work(dir string) error {
	signal.Ignore(syscall.SIGPIPE)
	var r roster
	b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "roster.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	h, err := home.Open(dir)
	if err != nil {
		return err
	}
	d, err := h.Desk(ctx)
	if err != nil {
		return err
	}
	if _, err := d.Resume(ctx, nil); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	var lines sync.Mutex
	say(&lines, "ready")
	failed := make(chan error, 4)
	repeat := func(f func(i int) error) {
		for i := 0; r.Steps == 0 || i < r.Steps; i++ {
			if err := f(i); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}
	// At once until killed; one after another when its steps are counted.
	begin := func(f func(int) error) {
		if r.Steps == 0 {
			go repeat(f)
		} else {
			repeat(f)
		}
	}
	begin(func(int) error {
		var c cvd.NoteCommitment
		rand.Read(c.Commitment[:])
		sealed, err := d.Do(ctx, as(r.Ana), c)
		if err != nil {
			return err
		}
		say(&lines, "entry %d %x", sealed[0].Seq, c.Commitment)
		return nil
	})
	begin(func(i int) error {
		q := cvd.DraftWave{Revision: r.Revision, Purpose: cvd.Staged, Level: form.Level(1 + i%5), OpensAt: time.Now().Add(200 * time.Millisecond), Audience: r.Holders}
		q.Level = max(q.Level, form.Description)
		id, err := d.DraftWave(ctx, as(r.Ana), q)
		if err != nil {
			return err
		}
		if err := d.Approve(ctx, as(r.Ben), id, nil); err != nil {
			return err
		}
		var statement []byte
		if err := d.View(func(p *cvd.Programme) error {
			statement = wire.Marshal(p.Waves[id].Statement)
			return nil
		}); err != nil {
			return err
		}
		say(&lines, "sealed %s %x", id, statement)
		time.AfterFunc(time.Until(q.OpensAt)+5*time.Millisecond, func() {
			lines.Lock()
			defer lines.Unlock()
			r.Waves = append(r.Waves, id)
		})
		return nil
	})
	begin(func(i int) error {
		lines.Lock()
		waves := r.Waves
		lines.Unlock()
		if len(waves) == 0 {
			time.Sleep(time.Millisecond)
			return nil
		}
		id, k := waves[i/len(r.Holders)%len(waves)], i%len(r.Holders)
		del, err := d.Fetch(ctx, as(r.Accounts[k]), id, r.Holders[k])
		if errors.Is(err, ledger.ErrNotAnchored) {
			time.Sleep(time.Millisecond)
			return nil
		}
		if err != nil {
			return fmt.Errorf("fetch: %w", err)
		}
		say(&lines, "copy %s %s %x %x", id, r.Holders[k], wire.Marshal(&del.Proof), del.Sealed)
		return nil
	})
	for range 3 {
		if err := <-failed; err != nil {
			return err
		}
	}
	return d.Close()
}

// realTown is a town under the real clock whose sealer is a process.
func realTown(t testing.TB, dir string, members int) *town {
	tn := &town{t: t, dir: filepath.Join(dir, "p"), clock: &clock{now: time.Now()}, who: map[string]cvd.Actor{}, staff: map[string]*reader{}}
	tn.create(time.Second, home.Machine{})
	tn.people(members)
	tn.openCase()
	tn.addPackage()
	r := roster{Ana: tn.who["ana"].Account, Ben: tn.who["ben"].Account, Case: tn.cs, Revision: tn.added.Revision}
	for _, m := range tn.members {
		r.Accounts, r.Holders = append(r.Accounts, m.actor.Account), append(r.Holders, m.id)
	}
	tn.roster(r)
	ok(t, tn.desk.Close())
	return tn
}

func (tn *town) roster(r roster) {
	tn.t.Helper()
	ok(tn.t, os.WriteFile(filepath.Join(filepath.Dir(tn.dir), "roster.json"), must(json.Marshal(r)), 0o600))
}

// promises are what the child printed before it died.
type promises struct {
	entries  map[entrylog.Seq][32]byte
	sealed   map[cvd.WaveID][]byte
	copies   []delivered
	problems []string
}

type delivered struct {
	wave   cvd.WaveID
	holder cvd.HolderID
	proof  evidence.CopyProof
	sealed []byte
}

func (p *promises) take(line string) {
	bad := func(err error) {
		if err != nil {
			p.problems = append(p.problems, fmt.Sprintf("%.80s: %v", line, err))
		}
	}
	f := strings.Fields(line)
	switch {
	case len(f) == 3 && f[0] == "entry":
		n, err := strconv.ParseUint(f[1], 10, 64)
		bad(err)
		b, err := hex.DecodeString(f[2])
		bad(err)
		p.entries[entrylog.Seq(n)] = [32]byte(b)
	case len(f) == 3 && f[0] == "sealed":
		id, err := wire.ParseID[cvd.Wave](f[1])
		bad(err)
		p.sealed[id], err = hex.DecodeString(f[2])
		bad(err)
	case len(f) == 5 && f[0] == "copy":
		var d delivered
		var err error
		d.wave, err = wire.ParseID[cvd.Wave](f[1])
		bad(err)
		d.holder, err = wire.ParseID[cvd.Holder](f[2])
		bad(err)
		b, err := hex.DecodeString(f[3])
		bad(err)
		bad(wire.Unmarshal(b, &d.proof))
		d.sealed, err = hex.DecodeString(f[4])
		bad(err)
		p.copies = append(p.copies, d)
	}
}

// live starts the child, lets it live for a while after it is ready, kills it,
// and returns what it had promised by then.
func (tn *town) live(life time.Duration) *promises {
	tn.t.Helper()
	p := &promises{entries: map[entrylog.Seq][32]byte{}, sealed: map[cvd.WaveID][]byte{}}
	cmd := exec.Command(must(os.Executable()), "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+tn.dir)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	ok(tn.t, err)
	ok(tn.t, cmd.Start())
	in := bufio.NewScanner(out)
	in.Buffer(nil, 1<<24)
	started := false
	var last string
	for in.Scan() {
		// A line cut off by the kill is no promise; Scan gives it all the same,
		// so each line is taken when the next one comes.
		if last != "" {
			p.take(last)
		}
		last = in.Text()
		if last == "ready" && !started {
			started = true
			time.AfterFunc(life, func() { cmd.Process.Kill() })
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		tn.t.Fatalf("the child was not killed: %v\n%s", err, complaints.String())
	}
	return p
}

// A desk that is killed at any moment keeps every promise that it made: no
// acknowledged entry is lost, no copy was handed out that was not committed to
// and recorded, the log verifies, and the work goes on where it stopped.
//
// FOREWARN_KILL_ROUNDS=200 is the long run; TMPDIR must be on a real disk for it
// to say something about syncs.
func TestKilled(t *testing.T) {
	t.Parallel()
	rounds := 3
	if s := os.Getenv(killRounds); s != "" {
		var err error
		rounds, err = strconv.Atoi(s)
		ok(t, err)
	}
	rng := mrand.New(dice("killed"))
	var tn *town
	entries, waves, copies, unsealed := 0, 0, 0, 0
	all := &promises{entries: map[entrylog.Seq][32]byte{}, sealed: map[cvd.WaveID][]byte{}}
	for round := range rounds {
		if round%20 == 0 {
			tn = realTown(t, t.TempDir(), 3)
			all = &promises{entries: map[entrylog.Seq][32]byte{}, sealed: map[cvd.WaveID][]byte{}}
		}
		// From at once to a second and a half; more often soon.
		life := time.Duration(1.5e9 * math.Pow(rng.Float64(), 2))
		p := tn.live(life)
		for n, c := range p.entries {
			all.entries[n] = c
		}
		for id, s := range p.sealed {
			all.sealed[id] = s
		}
		all.copies = append(all.copies, p.copies...)
		entries, waves, copies = entries+len(p.entries), waves+len(p.sealed), copies+len(p.copies)
		unsealed += tn.kept(all, p)
		if t.Failed() {
			t.Fatalf("round %d of %d: the child lived for %s", round+1, rounds, life)
		}
	}
	t.Logf("%d kills: %d entries, %d sealed waves and %d copies were acknowledged, none lost; %d waves were caught unsealed and resumed", rounds, entries, waves, copies, unsealed)
}

// kept checks everything that was ever promised in a town, and does what was
// left undone. It returns how many waves that was.
func (tn *town) kept(all, last *promises) int {
	t := tn.t
	t.Helper()
	for _, s := range last.problems {
		t.Errorf("the child printed: %s", s)
	}
	problems, _ := audit(t, must(home.Open(tn.dir)))
	for _, s := range problems {
		t.Errorf("as it was left: %s", s)
	}
	h, err := home.OpenOn(tn.dir, home.Machine{SealerInside: true})
	ok(t, err)
	d, err := h.Desk(ctx)
	if err != nil {
		t.Fatalf("opening what the crash left: %v", err)
	}
	defer d.Close()
	verifier := must(note.NewVerifier(h.LogKey()))

	seen := map[entrylog.Seq]cvd.NoteCommitment{}
	ok(t, d.View(func(p *cvd.Programme) error {
		for _, c := range p.Commitments {
			seen[c.Seq] = cvd.NoteCommitment{Commitment: c.Value}
		}
		for id, s := range all.sealed {
			if w := p.Waves[id]; w == nil || w.Statement == nil || !bytes.Equal(wire.Marshal(w.Statement), s) {
				t.Errorf("wave %s was acknowledged as sealed and is not, or otherwise", id)
			}
		}
		for _, c := range last.copies {
			w := p.Waves[c.wave]
			if w == nil || w.Statement == nil {
				t.Errorf("a copy of wave %s was handed out, and the wave is not committed", c.wave)
				continue
			}
			opening := form.CopyLeaf(c.proof.LeafSalt, c.proof.Holder, c.proof.KeyCommitment, c.proof.Copy)
			if x := w.CopyOf(c.holder); x == nil || x.Leaf != opening || len(x.Fetches) == 0 {
				t.Errorf("a copy of wave %s was handed out to %s, and the log does not say so", c.wave, c.holder)
			}
		}
		return nil
	}))
	for n, c := range all.entries {
		if seen[n].Commitment != c {
			t.Errorf("entry %d was acknowledged and is lost", n)
		}
	}
	for _, c := range last.copies {
		if _, err := c.proof.Verify(verifier, h.Interval()); err != nil {
			t.Errorf("the proof of a copy that was handed out: %v", err)
		}
		tn.opens(c)
	}

	// What a crash left half done is done, with the commitments that stand.
	before := map[cvd.WaveID][]byte{}
	left := 0
	ok(t, d.View(func(p *cvd.Programme) error {
		left = len(p.Unsealed())
		for _, id := range p.WaveOrder {
			if s := p.Waves[id].Statement; s != nil {
				before[id] = wire.Marshal(s)
			}
		}
		return nil
	}))
	if n, err := d.Resume(ctx, nil); err != nil || n != left {
		t.Errorf("resuming %d waves: %d, %v", left, n, err)
	}
	var open []cvd.WaveID
	ok(t, d.View(func(p *cvd.Programme) error {
		if n := len(p.Unsealed()); n > 0 {
			t.Errorf("%d waves are still unsealed", n)
		}
		for _, id := range p.WaveOrder {
			w := p.Waves[id]
			if s, was := before[id]; was && !bytes.Equal(wire.Marshal(w.Statement), s) {
				t.Errorf("the statement of wave %s is another after resuming", id)
			}
			if w.Sealed != nil && !w.OpensAt.After(time.Now()) {
				open = append(open, id)
			}
		}
		return nil
	}))
	if len(open) > 0 {
		id := open[len(open)-1]
		r := tn.members[0]
		del, err := d.Fetch(ctx, r.actor, id, r.id)
		for errors.Is(err, ledger.ErrNotAnchored) {
			time.Sleep(50 * time.Millisecond)
			del, err = d.Fetch(ctx, r.actor, id, r.id)
		}
		if err != nil {
			t.Errorf("fetching after the crash: %v", err)
		} else if _, err := del.Proof.Verify(verifier, h.Interval()); err != nil {
			t.Errorf("the proof of a copy after the crash: %v", err)
		} else {
			tn.opens(delivered{id, r.id, del.Proof, del.Sealed})
		}
	}
	return left
}

// opens opens a copy with its holder's key.
func (tn *town) opens(c delivered) {
	tn.t.Helper()
	for _, m := range tn.members {
		if m.id != c.holder {
			continue
		}
		files, err := seal.OpenCopy(bytes.NewReader(c.sealed), m.keys, seal.DefaultLimits)
		if err != nil {
			tn.t.Errorf("opening a copy of wave %s: %v", c.wave, err)
			continue
		}
		if files, _ = seal.TakeBulkKey(files); form.CopyHash(files) != c.proof.Copy {
			tn.t.Errorf("a copy of wave %s is not what was committed to", c.wave)
		}
	}
}
