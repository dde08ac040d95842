//go:build linux

package home_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/hostile"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

// children are the processes that this one started.
func children(t *testing.T) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	ok(t, err)
	for _, list := range lists {
		b, err := os.ReadFile(list)
		ok(t, err)
		for _, s := range strings.Fields(string(b)) {
			var pid int
			if _, err := fmt.Sscan(s, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// A sealer that dies takes nothing with it: what was under way fails and can be
// done again, with another one.
func TestSealerDies(t *testing.T) {
	tn := &town{t: t, dir: filepath.Join(t.TempDir(), "p"), clock: &clock{now: time.Now()}, who: map[string]cvd.Actor{}, staff: map[string]*reader{}}
	tn.create(time.Second, home.Machine{})
	t.Cleanup(func() { tn.desk.Close() })
	tn.people(2)
	tn.openCase()
	tn.addPackage()
	kill := func() {
		t.Helper()
		pids := children(t)
		if len(pids) != 1 {
			t.Fatalf("%d children; one is the sealer", len(pids))
		}
		ok(t, syscall.Kill(pids[0], syscall.SIGKILL))
	}
	kill()
	time.Sleep(20 * time.Millisecond)
	id := tn.draft(form.PoC, tn.members...)
	if err := tn.desk.Approve(ctx, tn.who["ben"], id, nil); err == nil {
		t.Fatal("a dead sealer sealed")
	}
	n, err := tn.desk.Resume(ctx, nil)
	if err != nil || n != 1 {
		t.Fatalf("resumed %d waves: %v", n, err)
	}
	// In the midst of sealing.
	id = tn.draft(form.PoC, tn.members...)
	err = tn.desk.Approve(ctx, tn.who["ben"], id, func(done, all int) {
		if done == 1 {
			kill()
			time.Sleep(20 * time.Millisecond)
		}
	})
	t.Logf("killed while sealing: %v", err)
	if _, err := tn.desk.Resume(ctx, nil); err != nil {
		t.Fatalf("resuming what was killed: %v", err)
	}
	ok(t, tn.desk.View(func(p *cvd.Programme) error {
		if left := p.Unsealed(); len(left) > 0 {
			t.Errorf("%d waves are unsealed", len(left))
		}
		return nil
	}))
	tn.audit()
}

// Two sealers may have one folder, a command's and the inquiry's: what one decides
// by what it reads, it writes before the other reads. Each set of readings is a run
// of its own.
func TestTwoSealers(t *testing.T) {
	tn := &town{t: t, dir: filepath.Join(t.TempDir(), "p"), clock: &clock{now: time.Now()}, who: map[string]cvd.Actor{}, staff: map[string]*reader{}}
	tn.create(time.Second, home.Machine{SealerInside: true})
	t.Cleanup(func() { tn.desk.Close() })
	tn.people(2)
	tn.openCase()
	tn.addPackage()
	id := tn.draft(form.PoC, tn.members...)
	ok(t, tn.desk.Approve(ctx, tn.who["ben"], id, nil))
	const sealers, each = 4, 6
	numbers := make(chan uint32, sealers*each)
	var wg sync.WaitGroup
	for i := range sealers {
		vault, err := folder.OpenPrivate(filepath.Join(tn.dir, "sealer"))
		ok(t, err)
		defer vault.Close()
		s := &sealer.Sealer{Vault: vault, Envelope: seal.Envelope{}, Clock: time.Now, Rand: dice("two sealers")}
		wg.Go(func() {
			for k := range each {
				book, err := s.Codebook(ctx, tn.added.Package, [32]byte{byte(i), byte(k)})
				if err != nil {
					t.Error(err)
					return
				}
				numbers <- book.Run.Number
			}
		})
	}
	wg.Wait()
	close(numbers)
	seen := map[uint32]bool{}
	for n := range numbers {
		if seen[n] || n < 1 || n > sealers*each {
			t.Errorf("run %d was given twice, or is none of %d", n, sealers*each)
		}
		seen[n] = true
	}
}

// What nobody vouches for is read in a process apart, which is this program again.
func TestApart(t *testing.T) {
	do := home.Machine{}.Apart()
	if do == nil {
		t.Fatal("it is read in place")
	}
	b, err := do(ctx, hostile.Bounces, []byte("no report\n"))
	var got hostile.Bounced
	if err == nil {
		err = wire.Unmarshal(b, &got)
	}
	if err != nil || got.Messages != 1 || len(got.Reports) != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := do(ctx, hostile.Unpack, []byte("PK\x03\x04")); !errors.Is(err, hostile.ErrRefused) {
		t.Error(err)
	}
	if (home.Machine{SealerInside: true}).Apart() != nil {
		t.Error("in place is not in place")
	}
}
