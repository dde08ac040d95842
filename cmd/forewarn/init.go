package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"forewarn/internal/coordinator"
	"forewarn/internal/home"
)

type initCmd struct {
	Name        string        `help:"What people call the programme." required:"" placeholder:"NAME"`
	Coordinator string        `help:"The first coordinator's name." required:"" placeholder:"NAME"`
	Handle      string        `help:"What the coordinator says after --as; else the name's first word, in small letters." placeholder:"HANDLE"`
	Mail        string        `help:"Where the coordinator's notices go." placeholder:"ADDRESS"`
	Origin      string        `help:"The log's name for ever, like a URL without scheme. Made from the programme's name if not given." placeholder:"HOST/PATH"`
	Tick        time.Duration `help:"Time between anchors, in whole seconds." default:"60s"`
	Outside     string        `help:"Folder that keeps the last anchor apart, so that an older copy of the programme's folder is known as older. Best on another disk; DIR.outside if not given." placeholder:"DIR"`
	Terms       string        `help:"File with the terms that members accept. The built-in ones name the individual marking." placeholder:"FILE"`
}

func (*initCmd) Help() string {
	return `Makes the folder with its three domains (desk, sealer, inquiry), their keys, and the first entries of the log.

Example:
  forewarn --dir programme init --name "Harbourline early warning" --coordinator "Ana Lindqvist" --origin desk.example/forewarn`
}

const maxTerms = 1 << 20

func (c *initCmd) Run(a *app) error {
	if c.Tick < time.Second || c.Tick%time.Second != 0 || c.Tick > 24*time.Hour {
		return usage("a tick of %s: it is a whole number of seconds, up to a day", c.Tick)
	}
	text := []byte(coordinator.DefaultTerms)
	if c.Terms != "" {
		var err error
		if text, err = a.read(c.Terms, maxTerms); err != nil {
			return err
		}
		if !utf8.Valid(text) || strings.TrimSpace(string(text)) == "" {
			return usage("%q holds no text to accept; nothing was founded", c.Terms)
		}
	}
	if c.Handle == "" {
		c.Handle = handle(c.Coordinator)
	}
	made := c.Origin == ""
	if made {
		c.Origin = "forewarn.invalid/" + slug(c.Name)
	}
	if strings.ContainsFunc(c.Origin, func(r rune) bool { return r <= ' ' || r > '~' || r == '+' }) {
		return usage("origin %q: write a host and a path, such as warn.example/programme, without spaces or '+'", c.Origin)
	}
	h, err := home.Create(a, a.folder(), home.Founding{Origin: c.Origin, Tick: c.Tick, Outside: c.Outside})
	if err != nil && !errors.Is(err, home.ErrTaken) {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	if err != nil {
		return err
	}
	who, err := c.found(a, h, text)
	if err != nil {
		return errors.Join(err, h.Discard())
	}
	if made {
		a.note("The log is called %s for ever, which is nobody's name: for a programme that stays, found it with --origin HOST/PATH, a host of yours.", c.Origin)
	}
	if a.JSON {
		return a.printJSON(fields{"dir": h.Dir, "origin": c.Origin, "account": who, "handle": c.Handle, "log_key": h.LogKey(), "outside": h.OutsideFile()})
	}
	a.say("Founded %q in %s.", c.Name, h.Dir)
	a.say("  log       %s", c.Origin)
	a.say("  log key   %s", h.LogKey())
	a.say("  account   %s (%s, coordinator)", c.Handle, who[:8])
	a.say("  outside   %s keeps the last anchor", h.OutsideFile())
	told := "that key"
	if c.Tick != time.Minute {
		told = fmt.Sprintf("that key and --tick %s", c.Tick)
	}
	a.say("Members check the log with %s: publish it. Next, a second person who approves waves:", told)
	a.say("  forewarn account add ben --role approver --as %s", c.Handle)
	return nil
}

func (c *initCmd) found(a *app, h *home.Home, terms []byte) (string, error) {
	d, err := h.Desk(a)
	if err != nil {
		return "", err
	}
	who, err := d.Found(a, c.Origin, c.Name, coordinator.Person{Handle: c.Handle, Name: c.Coordinator, Mail: c.Mail}, c.Tick, terms)
	return who.String(), errors.Join(err, d.Close())
}

// handle is the first word of a name, small.
func handle(name string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '-' || r == '_' || r == '.' {
			return unicode.ToLower(r)
		}
		return -1
	}, first)
}

// slug is a name for use in an origin.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return "programme"
}
