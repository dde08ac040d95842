package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"forewarn/internal/bench"
)

type benchCmd struct {
	Scan  benchScan  `cmd:"" help:"How fast telemetry is scanned, beside a peer on the same bytes."`
	Herd  benchHerd  `cmd:"" help:"A wave opens to thousands of members who poll: when each has its copy, and what others wait."`
	Pages benchPages `cmd:"" help:"How many times a public page is sent per second of processor time, beside net/http and nginx."`
	Desk  benchDesk  `cmd:"" hidden:"" help:"Serve on clocks and slots of a trial, for bench herd."`
	Bare  benchBare  `cmd:"" hidden:"" help:"Send one page, for bench pages."`
}

type benchScan struct {
	Corpus   string `help:"What to scan: eve or iis, made from the seed." default:"eve"`
	Size     string `help:"How much of it." default:"256MiB" placeholder:"SIZE"`
	Kinds    string `help:"What to look for: tokens; literals (indicators); texts (and literals) of a package; or all: tokens, texts, literals and the package's rules." default:"tokens"`
	Copies   int    `help:"How many copies tokens may be of." default:"10000" placeholder:"N"`
	Literals int    `help:"How many indicators, where there are any." default:"100000" placeholder:"N"`
	Peer     string `help:"rg, hyperscan (needs cc and libhyperscan-dev), json (reading records with encoding/json, alone) or none." default:"rg"`
	Rounds   int    `help:"Turns of each; medians are given." default:"5" placeholder:"N"`
	Seed     uint64 `help:"Of the corpus and what is planted in it." default:"1" placeholder:"S"`
}

func (*benchScan) Help() string {
	return `Writes a corpus into the temporary folder, has this program and the peer scan it in turns on one core, and gives GB (10⁹ bytes) per second of processor time. A peer that isn't installed is said to be absent. Everything that was planted has to be seen, or it fails.

Example:
  forewarn bench scan --corpus iis --size 256MiB --kinds tokens --copies 1000000 --peer rg --json`
}

func (c *benchScan) Run(a *app) error {
	size, err := parseSize(c.Size)
	if err != nil {
		return err
	}
	s := bench.Scan{Corpus: c.Corpus, Size: size, Kinds: c.Kinds, Copies: c.Copies, Literals: c.Literals, Peer: c.Peer, Rounds: c.Rounds, Seed: c.Seed}
	r, err := s.Run(a, func(step string) {
		if a.tty {
			fmt.Fprintf(a.err, "\r%s\x1b[K", step)
		}
	})
	if a.tty {
		fmt.Fprint(a.err, "\r\x1b[K")
	}
	if err != nil {
		if errors.Is(err, bench.ErrScan) {
			return usage("%v", err)
		}
		return err
	}
	if a.JSON {
		return a.printJSON(r)
	}
	a.say("%s, %d MB of %s, seed %d; %s; %s", r.CPU, r.Bytes/1e6, r.Corpus, r.Seed, r.Go, r.OS)
	what := fmt.Sprintf("%s of %s", r.Kinds, count(r.Copies, "copy", "copies"))
	if r.Literals > 0 {
		what += fmt.Sprintf(", %d indicators", r.Literals)
	}
	if r.Texts+r.Rules > 0 {
		what += fmt.Sprintf(", %s, %s", count(r.Texts, "text", "texts"), count(r.Rules, "rule", "rules"))
	}
	a.say("%s: %.2f GB/s of one core, median of %d (spread %.0f %%); all %d planted seen, in %d sightings", what, r.GB, r.Rounds, 100*r.Spread, r.Planted, r.Seen)
	switch {
	case r.PeerAbsent != "":
		a.say("No peer: %s", line(r.PeerAbsent))
	case r.Peer != "none":
		a.say("%s: %.3f GB/s, %d matches", line(r.PeerVersion), r.PeerGB, r.PeerSeen)
		a.say("%.1f times the peer.", r.Ratio)
	}
	return nil
}

// parseSize reads a number of bytes: 1000000, 64KiB, 256MiB, 2GiB, 1GB.
func parseSize(s string) (int64, error) {
	for _, u := range []struct {
		suffix string
		of     int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}} {
		if digits, ok := strings.CutSuffix(s, u.suffix); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
			if err != nil || n < 0 || n > (1<<62)/u.of {
				break
			}
			return n * u.of, nil
		}
	}
	return 0, usage("%q is no size: write 64KiB, 256MiB or 2GiB", s)
}
