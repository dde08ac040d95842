package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/home"
)

// following is how a member's tools see to it that a log shows them one history: they
// remember the newest checkpoint of each log that they were shown, and refuse what
// doesn't continue it.
type following struct {
	remembering
	Uncompared bool `help:"Go on although the log can't be compared with what you saw of it before, as without a network. One that is seen to fork is refused all the same."`
}

// remembering is where what was seen of logs is kept, and where they are published.
type remembering struct {
	Anchors string `help:"Where the programme publishes its anchors: its URL (https://HOST/log/) or a folder. Remembered for the next time." placeholder:"WHERE"`
	Memory  string `help:"Folder that remembers what was seen of logs; in your home if not given." env:"FOREWARN_STATE" placeholder:"DIR"`
}

// memory is the folder that remembers.
func (f *remembering) memory() (string, error) {
	if f.Memory != "" {
		return f.Memory, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "forewarn"), nil
	}
	if dir, err := os.UserHomeDir(); err == nil {
		return filepath.Join(dir, ".local", "state", "forewarn"), nil
	}
	return "", fmt.Errorf("%w: nothing says where your home is; give --memory DIR, or FOREWARN_STATE", errInput)
}

// remembers reports whether something was seen of the log that a checkpoint is of.
func (f *remembering) remembers(v note.Verifier, signed []byte) (bool, error) {
	dir, err := f.memory()
	if err != nil {
		return false, err
	}
	cp, err := entrylog.OpenCheckpoint(signed, v)
	if err != nil {
		return false, err
	}
	_, err = os.Lstat(filepath.Join(dir, filepath.FromSlash(logName(v, cp))))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// logName is where a log is remembered. A log is its origin and its key.
func logName(v note.Verifier, cp entrylog.Checkpoint) string {
	return fmt.Sprintf("logs/%08x.%s", v.KeyHash(), hexOf(cp.Origin))
}

// publishes is how long a log is given to publish what it signed.
const publishes = 10 * time.Second

// follow refuses a signed checkpoint of a log that doesn't continue what was seen of it,
// and remembers the newest.
func (f *following) follow(a *app, v note.Verifier, signed []byte) error {
	dir, err := f.memory()
	if err != nil {
		return err
	}
	cp, err := entrylog.OpenCheckpoint(signed, v)
	if err != nil {
		return err
	}
	kept, err := folder.OpenPrivate(dir)
	if err != nil {
		return fmt.Errorf("what was seen of logs: %w; --memory names another folder", err)
	}
	defer kept.Close()
	name := logName(v, cp)
	seen, err := kept.Read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if seen != nil {
		if _, err := entrylog.OpenCheckpoint(seen, v); err != nil {
			return fmt.Errorf("%w: what was seen of %q before, %s, is damaged: %w. Bring it back from a copy", errUnverified, cp.Origin, filepath.Join(dir, name), err)
		}
	}
	read, where := f.published(a, v, cp, kept, name)
	newest, err := entrylog.Continues(v, seen, signed, read)
	for begun := time.Now(); errors.Is(err, entrylog.ErrBehind) && time.Since(begun) < publishes; {
		if err := sleepUntil(a, time.Now().Add(100*time.Millisecond)); err != nil {
			return err
		}
		newest, err = entrylog.Continues(v, seen, signed, read)
	}
	switch {
	case errors.Is(err, entrylog.ErrFork):
		return f.forked(a, kept, dir, name, seen, signed, read, err)
	case errors.Is(err, entrylog.ErrUncompared) && f.Uncompared:
		a.note("Not compared with what you saw of %s before: %v.", cp.Origin, err)
		return nil
	case err != nil:
		return err
	}
	if n, _ := cp.Recovery(v.Name()); n > 0 && seen == nil {
		a.note("This log goes on after a declared loss (recovery %d): it gave up what it signed before under another name. Ask the programme what was lost.", n)
	}
	if string(newest) != string(seen) {
		if err := kept.Write(name, newest); err != nil {
			return fmt.Errorf("remembering what was seen of %s: %w", cp.Origin, err)
		}
	}
	if f.Anchors != "" && where != "" {
		return kept.Write(name+".anchors", []byte(where+"\n"))
	}
	return nil
}

func hexOf(origin string) string {
	return fmt.Sprintf("%x", entrylog.LeafHash([]byte(origin)))[:32]
}

// forked keeps the evidence, and says where.
func (f *following) forked(a *app, kept folder.Private, dir, name string, seen, signed []byte, read func(string) ([]byte, error), why error) error {
	evidence := append(append([]byte(nil), seen...), "\n"...)
	evidence = append(evidence, signed...)
	if read != nil {
		if p, err := read(entrylog.CheckpointPath); err == nil {
			evidence = append(append(evidence, "\n"...), p...)
		}
	}
	file := fmt.Sprintf("%s.fork-%s", name, time.Now().UTC().Format("20060102T150405.000"))
	saved := "They could not be kept"
	if err := kept.Write(file, evidence); err == nil {
		saved = "They are kept in " + filepath.Join(dir, file)
	}
	return fmt.Errorf("%w: %w. Rely on nothing from it. What it signed contradicts itself, and shows that to anybody: %s; send them to the other members and to the programme", errUnverified, why, saved)
}

// published is where a log is published: as said, as remembered, or in the programme's
// own folder.
func (f *remembering) published(a *app, v note.Verifier, cp entrylog.Checkpoint, kept folder.Private, name string) (read func(string) ([]byte, error), where string) {
	where = f.Anchors
	if where == "" {
		if b, err := kept.Read(name + ".anchors"); err == nil {
			where = strings.TrimSpace(string(b))
		}
	}
	if where == "" {
		h, err := home.Open(a.folder())
		if err != nil {
			return nil, ""
		}
		if own, err := note.NewVerifier(h.LogKey()); err != nil || own.Name() != v.Name() || own.KeyHash() != v.KeyHash() {
			return nil, ""
		}
		where = filepath.Join(h.Dir, "desk", "anchors")
	}
	prefix := ""
	if n, _ := cp.Recovery(v.Name()); n > 0 {
		prefix = fmt.Sprintf("recovery-%d/", n)
	}
	if u, err := url.Parse(where); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		return func(p string) ([]byte, error) { return fetched(a, u.JoinPath(prefix+p).String()) }, where
	}
	if abs, err := filepath.Abs(where); err == nil {
		where = abs // remembered, it must mean the same from any folder
	}
	return func(p string) ([]byte, error) {
		return folder.ReadFile(filepath.Join(where, filepath.FromSlash(prefix+p)), entrylog.MaxCheckpoint)
	}, where
}

// fetched gets one small public file. What isn't there is fs.ErrNotExist.
func fetched(ctx context.Context, from string) ([]byte, error) {
	ctx, done := context.WithTimeout(ctx, 20*time.Second)
	defer done()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	switch r.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(r.Body, entrylog.MaxCheckpoint))
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%s: %w", from, fs.ErrNotExist)
	}
	return nil, fmt.Errorf("%s answered %s", from, r.Status)
}
