// Package sim lives through a programme: a fictional vendor and its members, in
// the shape of the summer of 2025. A contest find in May; waves 14, 5 and 1 days
// before the patch; the first exploitation on the day of the last wave; a patch
// that proves incomplete; an investigation.
//
// The coordinator, the sealer and the inquiry are the real ones, on real files,
// under a simulated clock. What is simulated is the people: who fetches when,
// who signs, who answers, and who leaks. Leakers are drawn from the seed and
// kept here; the inquiry gets what an investigator has, which is the specimens,
// the telemetry and the log.
//
// Nothing here may be imported by what it simulates, and nothing it draws is a
// statement about real members.
package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
	"forewarn/internal/seal"
	"forewarn/internal/sighting"
)

// Scenario is what happens to the package.
type Scenario string

// The scenarios.
const (
	Member      Scenario = "member"      // a member's copy leaks whole
	Excerpt     Scenario = "excerpt"     // one contiguous third of a member's prose, no tokens
	Collusion   Scenario = "collusion"   // two members merge their prose sentence by sentence, no tokens
	Insider     Scenario = "insider"     // a staff copy leaks
	Finder      Scenario = "finder"      // the finder's unmarked original leaks
	Rediscovery Scenario = "rediscovery" // somebody else finds the same flaw
	PatchDiff   Scenario = "patchdiff"   // the attack is made from the patch
)

// Scenarios lists them all.
var Scenarios = []Scenario{Member, Excerpt, Collusion, Insider, Finder, Rediscovery, PatchDiff}

// Options choose a run.
type Options struct {
	Scenario Scenario
	Seed     uint64
	Members  int  // at least 4
	NoTokens bool // tokens are stripped from what leaks
	Dir      string
	Step     func(string)                          // a line of progress, may be nil
	Bar      func(what string) func(done, all int) // may be nil
}

// Wave is one wave as the result tells it.
type Wave struct {
	Label    string    `json:"label"`
	Level    string    `json:"level"`
	OpensAt  time.Time `json:"opens_at"`
	Copies   int       `json:"copies"`
	Fetched  int       `json:"fetched"`
	Received int       `json:"received"`
}

// Verdict is the part of the findings that scripts compare.
type Verdict struct {
	Conclusion string   `json:"conclusion"`
	Accused    []string `json:"accused"`
	PAdjusted  string   `json:"p_adjusted"`
}

// Result is a whole run.
type Result struct {
	Scenario      Scenario        `json:"scenario"`
	Seed          uint64          `json:"seed"`
	Members       int             `json:"members"`
	Copies        int             `json:"copies"`
	Waves         []Wave          `json:"waves"`
	FirstSighting evidence.Window `json:"first_sighting"`
	Findings      Verdict         `json:"findings"`
	Truth         []string        `json:"truth"` // whose copy leaked; empty: none did
	Dossier       string          `json:"dossier"`
	Page          string          `json:"page"`
	Verified      bool            `json:"verified"`

	Home    *home.Home      `json:"-"`
	Case    cvd.CaseID      `json:"-"`
	Outcome inquiry.Outcome `json:"-"`
}

// Right reports whether the findings say what happened, and Wrong whether they
// accuse somebody whose copy had no part in it. 'Cannot say' is neither. Of copies
// that were merged it is right to name one: whose it is had a part, and the marks
// may not suffice for the other.
func (r *Result) Right() bool {
	if r.Scenario == Collusion {
		return r.Findings.Conclusion == evidence.Traced && len(r.Findings.Accused) > 0 && !r.Wrong()
	}
	return slices.Equal(r.Findings.Accused, r.Truth) && (r.Findings.Conclusion == evidence.Traced) == (len(r.Truth) > 0)
}

// Wrong reports an accusation that isn't true.
func (r *Result) Wrong() bool {
	return slices.ContainsFunc(r.Findings.Accused, func(s string) bool { return !slices.Contains(r.Truth, s) })
}

// Clock is the simulated time.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the time on. It never goes back.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

func (c *Clock) pass(d time.Duration) { c.Set(c.Now().Add(d)) }

// The dates, UTC.
var (
	founded   = time.Date(2025, 5, 12, 8, 0, 0, 0, time.UTC)
	found     = time.Date(2025, 5, 16, 14, 20, 0, 0, time.UTC)
	prepared  = time.Date(2025, 6, 20, 9, 0, 0, 0, time.UTC)
	patch     = time.Date(2025, 7, 8, 17, 0, 0, 0, time.UTC)
	exploited = time.Date(2025, 7, 7, 16, 40, 0, 0, time.UTC)
	diffed    = time.Date(2025, 7, 10, 11, 5, 0, 0, time.UTC)
	pasted    = time.Date(2025, 7, 9, 6, 30, 0, 0, time.UTC)
	again     = time.Date(2025, 7, 18, 18, 6, 0, 0, time.UTC)
	inquired  = time.Date(2025, 7, 25, 10, 0, 0, 0, time.UTC)
)

// The waves: days before the patch, who, what.
var waves = []struct {
	before time.Duration
	tier   uint8
	level  string
	within time.Duration // in which most have fetched
}{
	{14*24*time.Hour + 8*time.Hour, 1, "poc", 48 * time.Hour},
	{5*24*time.Hour + 8*time.Hour, 2, "poc", 36 * time.Hour},
	{24*time.Hour + 11*time.Hour, 3, "indicators", 9 * time.Hour},
}

// world is a run under way.
type world struct {
	context.Context
	Options
	rng    *rand.Rand
	clock  *Clock
	home   *home.Home
	desk   *home.Desk
	who    map[string]cvd.Actor // staff, by handle
	orgs   []*holder            // members
	people []*holder            // staff who hold copies
	cs     cvd.CaseID
	prods  []cvd.ProductID
	ids    []cvd.WaveID
	leaked []*holder // whose copies did

	evePath   string
	sightings []sighting.Sighting
	specimens []inquiry.Specimen
}

// holder is somebody with a copy: its keys, its account, what it has.
type holder struct {
	organisation
	id    cvd.HolderID
	actor cvd.Actor
	keys  seal.Identities
	has   []taken
}

type taken struct {
	at    time.Time
	wave  int
	files map[string][]byte
}

// Run lives through a scenario. The folder Dir is made and left for the reader
// to look at.
func Run(ctx context.Context, o Options) (Result, error) {
	if !slices.Contains(Scenarios, o.Scenario) {
		return Result{}, fmt.Errorf("there is no scenario %q: choose one of %s", o.Scenario, list(Scenarios))
	}
	if o.Members < 4 || o.Members > 2000 {
		return Result{}, fmt.Errorf("%d members; the story needs 4 to 2000", o.Members)
	}
	if o.Step == nil {
		o.Step = func(string) {}
	}
	if o.Bar == nil {
		o.Bar = func(string) func(int, int) { return nil }
	}
	var seed [32]byte
	copy(seed[:], fmt.Sprintf("forewarn demo %s %d", o.Scenario, o.Seed))
	dice := rand.NewChaCha8(seed)
	w := &world{Context: ctx, Options: o, rng: rand.New(dice), clock: &Clock{now: founded}, who: map[string]cvd.Actor{}}
	// Keys come from dice of their own, so that a change in the story doesn't
	// change the marks.
	copy(seed[:], fmt.Sprintf("forewarn keys %s %d", o.Scenario, o.Seed))
	machine := home.Machine{Clock: w.clock.Now, Rand: rand.NewChaCha8(seed), SealerInside: true}
	var err error
	w.home, err = home.Create(ctx, filepath.Join(o.Dir, "programme"), home.Founding{Origin: "harbourline.example/forewarn", Tick: time.Minute, Machine: machine})
	if err != nil {
		return Result{}, err
	}
	if w.desk, err = w.home.Desk(ctx); err != nil {
		return Result{}, err
	}
	defer w.desk.Close()
	for _, chapter := range []func() error{w.found, w.report, w.prepare, w.issue, w.leak, w.release, w.second} {
		if err := chapter(); err != nil {
			return Result{}, err
		}
	}
	return w.inquire()
}

func list(all []Scenario) string {
	var s []string
	for _, x := range all {
		s = append(s, string(x))
	}
	return strings.Join(s, ", ")
}

func (w *world) step(format string, args ...any) {
	w.Step(w.clock.Now().Format("2 Jan 15:04  ") + fmt.Sprintf(format, args...))
}

func (w *world) do(who string, c cvd.Command) error {
	_, err := w.desk.Do(w, w.who[who], c)
	return err
}

func actor(id cvd.AccountID) cvd.Actor { return cvd.Actor{Account: id, Auth: entrylog.AuthNone} }

// keys draws a holder's keys; some are post-quantum.
func (w *world) keys(h *holder) (cvd.EnrolKeys, error) {
	kind := seal.X25519
	if w.rng.IntN(8) == 0 {
		kind = seal.Hybrid
	}
	k, err := seal.Keygen(kind, w.clock.Now())
	if err != nil {
		return cvd.EnrolKeys{}, err
	}
	if h.keys, err = seal.ParseIdentities(k.Identity); err != nil {
		return cvd.EnrolKeys{}, err
	}
	pub, err := k.Public()
	return cvd.EnrolKeys{Holder: h.id, Recipients: pub.Recipients, Signing: pub.Signing}, err
}

// found sets up the vendor's desk and admits the members.
func (w *world) found() error {
	first, err := w.desk.Found(w, w.home.Origin(), "Harbourline early warning", coordinator.Person{Handle: staff[0].handle, Name: staff[0].name}, time.Minute, []byte(coordinator.DefaultTerms))
	if err != nil {
		return err
	}
	w.who["ana"] = actor(first)
	for _, p := range staff[1:] {
		role, err := cvd.ParseRole(p.role)
		if err != nil {
			return err
		}
		id, err := w.desk.AddAccount(w, w.who["ana"], cvd.MemberID{}, cvd.RoleSet(role), coordinator.Person{Handle: p.handle, Name: p.name})
		if err != nil {
			return err
		}
		w.who[p.handle] = actor(id)
		if role == cvd.CaseWorker {
			h := &holder{organisation: organisation{name: p.name, tier: "staff"}, id: cvd.HolderID(id), actor: actor(id)}
			k, err := w.keys(h)
			if err != nil {
				return err
			}
			if _, err := w.desk.Do(w, actor(id), k); err != nil {
				return err
			}
			w.people = append(w.people, h)
		}
	}
	groups := map[string][]cvd.MemberID{}
	show := w.Bar("admitting")
	for i, o := range cast(w.rng, w.Members) {
		w.clock.pass(time.Duration(1+w.rng.IntN(20)) * time.Minute)
		tier := uint8(slices.IndexFunc(tiers, func(t tierPart) bool { return t.name == o.tier }) + 1)
		m, acc, err := w.desk.Admit(w, w.who["ana"], coordinator.Admission{Name: o.name, Tier: tier, Jurisdictions: []string{o.jurisdiction}, Contact: fmt.Sprintf("contact%d", i+1), ContactName: o.contact})
		if err != nil {
			return err
		}
		h := &holder{organisation: o, id: cvd.HolderID(m), actor: actor(acc)}
		k, err := w.keys(h)
		if err != nil {
			return err
		}
		if _, err := w.desk.Do(w, h.actor, k); err != nil {
			return err
		}
		if _, err := w.desk.AcceptTerms(w, h.actor); err != nil {
			return err
		}
		if o.group != "" {
			groups[o.group] = append(groups[o.group], m)
		}
		w.orgs = append(w.orgs, h)
		if show != nil {
			show(i+1, w.Members)
		}
	}
	for _, members := range groups {
		id, err := coordinator.NewID[cvd.GroupID](w.desk.Desk)
		if err != nil {
			return err
		}
		if err := w.do("ana", cvd.DeclareGroup{Group: id, Members: cvd.SortIDs(members)}); err != nil {
			return err
		}
	}
	w.step("%d members in three tiers are admitted and have accepted the terms", w.Members)
	return nil
}

// report opens the case.
func (w *world) report() error {
	w.clock.Set(found)
	var err error
	if w.cs, err = w.desk.OpenCase(w, w.who["ana"], coordinator.Opening{Title: "Larkspur Portal: layout import before the session check", Report: []byte("Shown at the spring contest. Layout import answers callers who have not signed in.\n"), Reported: found.Add(-20 * time.Minute)}); err != nil {
		return err
	}
	p, err := w.desk.AddProduct(w, w.who["ana"], w.cs, "Larkspur Portal")
	if err != nil {
		return err
	}
	w.prods = append(w.prods, p)
	w.clock.pass(72 * time.Hour)
	if _, err := w.desk.SetEmbargo(w, w.who["ana"], w.cs, cvd.ReleaseTime{At: patch, Zone: "Europe/Stockholm"}); err != nil {
		return err
	}
	w.step("a contest find becomes a case; the embargo binds until %s", patch.Format("2 Jan 15:04 MST"))
	return nil
}

// prepare writes the package and asks the members to the embargo.
func (w *world) prepare() error {
	w.clock.Set(prepared)
	src, err := source()
	if err != nil {
		return err
	}
	added, err := w.desk.AddRevision(w, w.who["cleo"], w.cs, cvd.PackageID{}, 0, src)
	if err != nil {
		return err
	}
	w.step("the package is compiled: %d files, %d marked sites, %.0f bits", len(added.Report.Files), added.Report.Sites, added.Report.Bits.Bits())
	var all []cvd.MemberID
	for _, h := range w.orgs {
		all = append(all, cvd.MemberID(h.id))
	}
	if err := w.do("ana", cvd.Invite{Case: w.cs, Role: cvd.AsProtector, Members: cvd.SortIDs(all)}); err != nil {
		return err
	}
	yes, no := 0, 0
	for _, h := range w.orgs {
		w.clock.pass(time.Duration(1+w.rng.IntN(10)) * time.Minute)
		switch x := w.rng.IntN(100); {
		case x < 3: // never answers
		case x < 5:
			no++
			if err := w.desk.Consent(w, h.actor, w.cs, false); err != nil {
				return err
			}
		default:
			yes++
			if err := w.desk.Consent(w, h.actor, w.cs, true); err != nil {
				return err
			}
		}
	}
	silent := evidence.Count(len(w.orgs)-yes-no, "does not answer and gets nothing", "do not answer and get nothing")
	w.step("%s to the embargo, %s, %s; %d of the vendor's staff get copies too", evidence.Count(yes, "member consents", "members consent"), evidence.Count(no, "declines", "decline"), silent, len(w.people))
	return nil
}
