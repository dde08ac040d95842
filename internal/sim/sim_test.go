package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"forewarn/internal/evidence"
)

// Seeds are chosen by the environment, so that the long run is the same test:
//
//	FOREWARN_SEEDS=1-200 FOREWARN_SCENARIOS=member,excerpt go test ./internal/sim -run Scenarios -timeout 2h
//
// By default each scenario is lived through once, with fewer members. TMPDIR on
// a memory disk makes the long run several times faster.
func seeds(t *testing.T) (from, to uint64, members int) {
	s := os.Getenv("FOREWARN_SEEDS")
	if s == "" {
		return 1, 1, 24
	}
	a, b, _ := strings.Cut(s, "-")
	from, err := strconv.ParseUint(a, 10, 64)
	to, err2 := strconv.ParseUint(b, 10, 64)
	if err != nil || err2 != nil || to < from {
		t.Fatalf("FOREWARN_SEEDS is %q; write 1-200", s)
	}
	return from, to, 96
}

// The promise of the whole program: who leaked is named, nobody else ever is,
// and where nobody's copy leaked the answer is 'cannot say'.
func TestScenarios(t *testing.T) {
	from, to, members := seeds(t)
	only := os.Getenv("FOREWARN_SCENARIOS")
	for _, s := range Scenarios {
		if only != "" && !strings.Contains(","+only+",", ","+string(s)+",") {
			continue
		}
		t.Run(string(s), func(t *testing.T) {
			var mu sync.Mutex
			right, all := 0, 0
			named := map[int]int{} // how many copies → in how many runs
			t.Run("seeds", func(t *testing.T) {
				for seed := from; seed <= to; seed++ {
					t.Run(fmt.Sprint(seed), func(t *testing.T) {
						t.Parallel()
						dir := filepath.Join(t.TempDir(), "demo")
						if err := os.Mkdir(dir, 0o700); err != nil {
							t.Fatal(err)
						}
						r, err := Run(t.Context(), Options{Scenario: s, Seed: seed, Members: members, NoTokens: seed%2 == 0, Dir: dir})
						if err != nil {
							t.Fatal(err)
						}
						b, err := os.ReadFile(r.Dossier)
						if err != nil {
							t.Fatal(err)
						}
						if _, err := evidence.VerifyDossier(b, evidence.Trust{LogKey: r.Home.LogKey()}); err != nil {
							t.Errorf("the dossier does not verify: %v", err)
						}
						if r.Wrong() {
							t.Errorf("WRONG ACCUSATION: %v, the truth is %v", r.Findings, r.Truth)
						}
						if len(r.Truth) == 0 && r.Findings.Conclusion != evidence.CannotSay {
							t.Errorf("nobody's copy leaked, and the answer is %q", r.Findings.Conclusion)
						}
						mu.Lock()
						defer mu.Unlock()
						all++
						named[len(r.Findings.Accused)]++
						if r.Right() {
							right++
						} else {
							t.Logf("seed %d: %v, the truth is %v", seed, r.Findings, r.Truth)
						}
					})
				}
			})
			t.Logf("%s: %d of %d right; copies named → runs: %v", s, right, all, named)
			// 99 in a hundred; of fewer runs, all.
			if right*100 < all*99 {
				t.Errorf("%d of %d right", right, all)
			}
		})
	}
}
