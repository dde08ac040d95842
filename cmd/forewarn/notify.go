package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/smtp"
)

// command is a shell command that hands a notice on: it gets the notice as JSON on
// standard input, and who it is for in its environment.
type command string

// Notify implements coordinator.Notifier. A command that ends with another status
// than 0 has not handed it on.
func (c command) Notify(ctx context.Context, to coordinator.Person, n coordinator.Notice) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", string(c))
	cmd.WaitDelay = time.Second // what it leaves running may hold its output open
	cmd.Stdin = bytes.NewReader(append(b, '\n'))
	cmd.Env = append(os.Environ(), "FOREWARN_NOTICE_TO="+to.Handle, "FOREWARN_NOTICE_MAIL="+to.Mail)
	if out, err := cmd.CombinedOutput(); err != nil {
		said := strings.TrimSpace(string(out))
		if len(said) > 200 {
			said = said[:200] + "…"
		}
		return fmt.Errorf("the command failed (%w) %s", err, line(said))
	}
	return nil
}

// ways hands a call on by several ways at once. One that works is enough: the others'
// failures are told.
type ways struct {
	of   []coordinator.Notifier
	note func(format string, args ...any)
}

// waysOf is how people on duty are called: by a command, by mail, or both; nil when
// by neither.
func waysOf(cmd string, post *smtp.Post, note func(string, ...any)) coordinator.Notifier {
	w := ways{note: note}
	if cmd != "" {
		w.of = append(w.of, command(cmd))
	}
	if post != nil {
		w.of = append(w.of, post)
	}
	switch len(w.of) {
	case 0:
		return nil
	case 1:
		return w.of[0]
	}
	return w
}

// Notify implements coordinator.Notifier.
func (w ways) Notify(ctx context.Context, to coordinator.Person, n coordinator.Notice) error {
	became := make(chan error, len(w.of))
	for _, x := range w.of {
		go func() { became <- x.Notify(ctx, to, n) }()
	}
	var failed error
	worked := false
	for range w.of {
		err := <-became
		failed, worked = errors.Join(failed, err), worked || err == nil
	}
	if worked && failed != nil {
		w.note("notice %s was handed on, but not by every way: %v", n.ID.Short(), failed)
		return nil
	}
	return failed
}
