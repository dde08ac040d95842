package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// stages are programmes that have come so far, each made once by the commands
// that people would use, and copied by the scripts that go on from there.
//
//	founded    staff ana (coordinator), ben (approver), ina (investigator), cleo (case-worker), ada (auditor);
//	           members Northlight Security (mia, tier 1), Bluegate (noor, tier 2), with terms and keys;
//	           Cedar Defense (carl, tier 2) with neither
//	embargoed  case Layout, to which Northlight and Bluegate consented
//	packed     its package, from examples/advisory
//	sealed     wave Layout/1, poc, to both, open at once
//	opened     both copies fetched and opened: inbox/mia/copy, inbox/noor/copy, receipts lodged
type stages struct {
	dir, advisory string
	mu            sync.Mutex
	made          map[string]error
}

func newStages(t *testing.T, advisory string) *stages {
	return &stages{dir: t.TempDir(), advisory: advisory, made: map[string]error{}}
}

var stageOrder = []string{"founded", "embargoed", "packed", "sealed", "opened"}

var stageCommands = map[string]string{
	"founded": `
forewarn init --name 'Harbourline early warning' --coordinator 'Ana Lindqvist' --tick 1s
forewarn account add ben --name 'Ben Oduya' --role approver
forewarn account add ina --role investigator
forewarn account add cleo --role case-worker
forewarn account add ada --role auditor
forewarn member add 'Northlight Security' --tier 1 --jurisdiction DE --contact mia
forewarn member add Bluegate --tier 2 --jurisdiction FR,EU --contact noor
forewarn member add 'Cedar Defense' --tier 2 --jurisdiction US --contact carl
forewarn keygen -o mia.key
forewarn keygen --pq -o noor.key
forewarn member accept --keys mia.key.pub --as mia
forewarn member accept --keys noor.key.pub --as noor`,
	"embargoed": `
forewarn case open 'Layout import before the session check' --product 'Larkspur Portal' --release +48h --all
forewarn case consent --as mia
forewarn case consent --as noor`,
	"packed": `
forewarn package add Layout "$ADVISORY"`,
	"sealed": `
forewarn wave draft Layout --level poc --member Northlight --member Bluegate --opens +2s
forewarn wave approve Layout/1 --as ben`,
	"opened": `
forewarn pull --as mia -o inbox/mia --wait
forewarn pull --as noor -o inbox/noor --wait
forewarn open inbox/mia/*.age --key mia.key -o inbox/mia/copy --lodge --as mia
forewarn open inbox/noor/*.age --key noor.key -o inbox/noor/copy --lodge --as noor`,
}

// copy puts a programme into a script's folder: prog, prog.outside, and the
// members' files.
func (s *stages) copy(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || stageCommands[args[0]] == "" {
		ts.Fatalf("usage: programme %s", strings.Join(stageOrder, "|"))
	}
	ts.Check(s.make(args[0]))
	from, to := filepath.Join(s.dir, args[0]), ts.Getenv("WORK")
	ts.Check(copyTree(from, to))
	ts.Check(rebase(from, to))
}

func (s *stages) make(stage string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := ""
	for _, name := range stageOrder {
		if _, done := s.made[name]; !done {
			s.made[name] = s.run(before, name)
		}
		if name == stage || s.made[name] != nil {
			return s.made[name]
		}
		before = name
	}
	return nil
}

// run makes one stage of the one before.
func (s *stages) run(before, name string) error {
	dir := filepath.Join(s.dir, name)
	if before != "" {
		if err := copyTree(filepath.Join(s.dir, before), dir); err != nil {
			return err
		}
		if err := rebase(filepath.Join(s.dir, before), dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sh := exec.Command("sh", "-eu", "-c", stageCommands[name])
	sh.Dir = dir
	sh.Env = append(os.Environ(), "FOREWARN_DIR="+filepath.Join(dir, "prog"), "FOREWARN_AS=ana", "TZ=UTC", "ADVISORY="+s.advisory)
	if out, err := sh.CombinedOutput(); err != nil {
		return &stageError{name, trimmed(out), err}
	}
	return nil
}

type stageError struct {
	stage, said string
	err         error
}

func (e *stageError) Error() string { return e.stage + ": " + e.err.Error() + ": " + e.said }

// copyTree copies files with their modes: those of keys matter.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if name = filepath.Join(to, rel); d.IsDir() {
			return os.MkdirAll(name, i.Mode().Perm())
		}
		b, err := os.ReadFile(filepath.Join(from, rel))
		if err != nil {
			return err
		}
		return os.WriteFile(name, b, i.Mode().Perm())
	})
}

// rebase tells a programme where its last anchor is kept now.
func rebase(from, to string) error {
	name := filepath.Join(to, "prog", "forewarn.json")
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	b = regexp.MustCompile(`"outside": ".*"`).ReplaceAll(b, []byte(`"outside": "`+filepath.Join(to, "prog.outside")+`"`))
	return os.WriteFile(name, b, 0o644)
}
