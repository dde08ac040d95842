package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"forewarn"
	"forewarn/internal/leak"
	"forewarn/internal/sim"
	"forewarn/internal/timeline"
)

type demoCmd struct {
	Scenario string `help:"member, excerpt, collusion, insider, finder, rediscovery or patchdiff." default:"member" enum:"member,excerpt,collusion,insider,finder,rediscovery,patchdiff"`
	Seed     uint64 `help:"Draws the members, who reads when, and who leaks." default:"1"`
	Members  int    `help:"How many members, from 4 to 2000." default:"96"`
	NoTokens bool   `help:"Strip the tokens from what leaks: only wording, order and rules are left."`
}

func (*demoCmd) Help() string {
	return `A fictional vendor and its members live through the shape of summer 2025, with the real coordinator, sealer and inquiry under a simulated clock. Who leaks is drawn from the seed; the inquiry is not told.

  member       a member's copy leaks whole
  excerpt      a third of a member's prose, and nothing else
  collusion    two members merge their prose sentence by sentence
  insider      the copy of one of the vendor's own staff
  finder       the finder's unmarked original
  rediscovery  somebody else found the same flaw
  patchdiff    the attack is made from the patch

Example:
  forewarn demo --scenario excerpt --seed 7
  forewarn demo --scenario collusion`
}

func (c *demoCmd) Run(a *app) error {
	if c.Members < 4 || c.Members > 2000 {
		return usage("%d members; the story needs 4 to 2000", c.Members)
	}
	dir, err := c.folder(a)
	if err != nil {
		return err
	}
	o := sim.Options{Scenario: sim.Scenario(c.Scenario), Seed: c.Seed, Members: c.Members, NoTokens: c.NoTokens, Dir: dir}
	if !a.JSON {
		a.say("A fictional vendor, %d fictional members, summer 2025. Scenario %s, seed %d.", c.Members, c.Scenario, c.Seed)
		o.Step = a.step
	}
	r, err := sim.Run(a, o)
	if err != nil {
		return err
	}
	b, err := os.ReadFile(r.Dossier)
	if err != nil {
		return err
	}
	// As anybody would who was sent the file, with the log's key from elsewhere.
	report, verr := forewarn.VerifyDossier(b, forewarn.Trust{LogKey: r.Home.LogKey()})
	r.Verified = verr == nil
	if a.JSON {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else {
		a.say("")
		fmt.Fprintln(a.out, timeline.Text(r.Outcome.Timeline, a.width()))
		fmt.Fprint(a.out, clean(leak.Text(&r.Outcome.Findings, a.width())))
		a.say("")
		a.say("Verification of the dossier, offline:")
		a.steps(report)
		a.say("")
		truth := "nobody's copy leaked"
		switch n := len(r.Truth); {
		case n == 1:
			truth = "the copy of " + r.Truth[0] + " leaked"
		case n > 1:
			truth = "the copies of " + strings.Join(r.Truth, " and of ") + " leaked"
		}
		a.item("", "Ground truth, kept from the inquiry: "+truth+".")
		a.say("")
		a.say("page     %s", r.Page)
		a.say("dossier  %s", r.Dossier)
		a.say("verify   forewarn verify dossier %s --log-key %s", r.Dossier, r.Home.LogKey())
		a.say("log      forewarn --dir %s verify log", r.Home.Dir)
	}
	if verr != nil {
		return fmt.Errorf("%w: %w", errUnverified, verr)
	}
	return nil
}

// step prints what happened, under a hanging indent past its time.
func (a *app) step(s string) {
	if at, what, ok := strings.Cut(s, "  "); ok {
		a.item("  "+at+"  ", what)
		return
	}
	a.item("  ", s)
}

// folder is the new one that --dir names, or the first free forewarn-demo-N.
func (c *demoCmd) folder(a *app) (string, error) {
	if a.Dir != "" {
		dir := a.folder()
		if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			return "", err
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			return "", fmt.Errorf("the demo wants a new folder: %w; --dir names another", err)
		}
		return dir, nil
	}
	for n := 1; ; n++ {
		dir, err := filepath.Abs(fmt.Sprintf("forewarn-demo-%d", n))
		if err != nil {
			return "", err
		}
		if err := os.Mkdir(dir, 0o700); err == nil || !os.IsExist(err) {
			return dir, err
		}
	}
}
