package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"forewarn/internal/coordinator"
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
