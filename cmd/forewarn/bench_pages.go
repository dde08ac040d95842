package main

import (
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"forewarn/internal/bench"
)

type benchPages struct {
	Size   string        `help:"Of the advisory's text." default:"20KiB" placeholder:"SIZE"`
	Rounds int           `help:"Turns of each; medians are given." default:"5" placeholder:"N"`
	Turn   time.Duration `help:"How long a turn is." default:"4s"`
}

func (*benchPages) Help() string {
	return `Publishes an advisory in a programme in the temporary folder, serves it as a process of its own, and asks for it over 64 connections with wrk, which has to be installed; by turns also of a bare net/http server that sends the same bytes and heads, and of nginx, if it is there. Gives answers per second of the server's processor time: whole ones, and 304s to who has the page.

Example:
  forewarn bench pages --rounds 3 --json`
}

func (c *benchPages) Run(a *app) error {
	size, err := parseSize(c.Size)
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "forewarn-pages-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := bench.Pages{Binary: binary, Size: int(size), Rounds: c.Rounds, Turn: c.Turn, Say: func(s string) { a.note("%s", s) }}.Run(a, dir)
	if errors.Is(err, bench.ErrPages) {
		return usage("%v", err)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(r)
	}
	a.say("%s, %d cores; %s; %s; a page of %d bytes, %d rounds", r.CPU, r.Machine, r.Go, line(r.Client), r.Bytes, r.Rounds)
	a.say("Answers per second of processor time: the desk %.0f whole, %.0f unchanged.", r.Desk.Whole, r.Desk.Unchanged)
	for _, name := range slices.Sorted(maps.Keys(r.Peers)) {
		p := r.Peers[name]
		a.say("%s (%s): %.0f whole, %.0f unchanged; the desk has %.2f and %.2f of them.", name, line(p.Version), p.Whole, p.Unchanged, p.RatioWhole, p.RatioUnchanged)
	}
	for name, why := range r.Absent {
		a.say("No %s: %s", name, line(why))
	}
	return nil
}

// benchBare is the bare server: a process of its own, for bench pages.
type benchBare struct {
	URL string `arg:"" help:"The page to send."`
}

func (c *benchBare) Run(a *app) error {
	return bench.Bare(a, c.URL, func(url string) { a.say("Serving %s.", url) })
}
