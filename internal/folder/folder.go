// Package folder keeps things in folders of a file system: what is published
// for outsiders, the checkpoint kept outside, blobs under their hashes, and
// files with keys. It also reads a package's source folder, which somebody else
// may have made, and writes an opened copy.
//
// Everything written is whole or absent, whenever the machine stops: data goes
// to a new file beside its destination, is synced, is renamed, and then the
// folder that names it is synced. A batch does each of these steps for all its
// files before the next, so that thousands of files cost few waits and each
// folder one sync. Files left by a crash begin with a dot and are never taken
// for anything; Sweep removes them.
//
// Everything is reached through os.Root, so that no name and no symbolic link,
// however quickly exchanged, leads out of the folder that was opened.
//
// There is no cryptography here beyond comparing SHA-256 hashes, and no secrecy
// beyond file modes: whoever owns the account owns the folder. Do not put two
// trust domains into one folder, and do not use a network file system that
// answers a sync before it has synced.
package folder

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// The classes of errors, beside those of io/fs (fs.ErrNotExist, fs.ErrExist).
var (
	// ErrName: a name that is not used here. Nothing was read or written.
	ErrName = errors.New("not a name for a file here")
	// ErrRefused: a folder or file was not made for this, or is over a limit. The
	// text says what, where, and what to do. Nothing was taken or changed.
	ErrRefused = errors.New("refused")
	// ErrDamaged: a file is not what it was when it was written. Restore it from
	// a copy.
	ErrDamaged = errors.New("damaged file")
	// ErrExposed: a file with a key can be read by other accounts. It was not
	// used.
	ErrExposed = errors.New("a key is readable by others")
	// ErrHeld: another process has the lock. Nothing was changed; wait for it.
	ErrHeld = errors.New("another process is at it")
)

// tree is a folder and how files in it are made.
type tree struct {
	root     *os.Root
	name     string // for messages
	fileMode fs.FileMode
	dirMode  fs.FileMode

	mu    sync.Mutex
	known map[string]bool // folders whose own name is known to be durable
}

// openTree opens a folder, making it and its parents where they are missing.
func openTree(dir string, fileMode, dirMode fs.FileMode) (*tree, error) {
	if err := makeDir(dir, dirMode); err != nil {
		return nil, fmt.Errorf("folder %q: %w", dir, bare(err))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("folder %q: %w", dir, bare(err))
	}
	return &tree{root: root, name: dir, fileMode: fileMode, dirMode: dirMode, known: map[string]bool{}}, nil
}

// makeDir is os.MkdirAll whose result survives a power failure.
func makeDir(dir string, mode fs.FileMode) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return errors.New("it is a file, not a folder")
		}
		return nil
	}
	parent := parentOf(dir)
	if parent != dir {
		if err := makeDir(parent, mode); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	p, err := os.Open(parent)
	if err != nil {
		return err
	}
	defer p.Close()
	return syncDir(p)
}

// Close gives the folder back.
func (t *tree) Close() error { return t.root.Close() }

// bare drops the path of a PathError: it may hold anything, and callers say it
// quoted.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}

func (t *tree) fail(name string, err error) error {
	return fmt.Errorf("%q in %q: %w", name, t.name, bare(err))
}

// checkName admits slash-separated names of letters, digits and . _ - that do
// not begin with a dot: those are for files being written.
func checkName(name string) error {
	if len(name) == 0 || len(name) > 1024 {
		return fmt.Errorf("%w: a name of %d bytes", ErrName, len(name))
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || len(part) > 200 {
			return fmt.Errorf("%w: %q: each part has 1 to 200 bytes and does not begin with a dot", ErrName, name)
		}
		for i := range len(part) {
			c := part[i]
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-') {
				return fmt.Errorf("%w: %q: only letters, digits and . _ - are used", ErrName, name)
			}
		}
	}
	return nil
}

// file is a name and its bytes.
type file struct {
	name string
	data []byte
}

const (
	tempPrefix  = ".tmp-"
	syncWorkers = 16 // enough for a journal to commit many files at once
)

func tempBeside(name string) string {
	var b [8]byte
	rand.Read(b[:])
	return path.Join(path.Dir(name), tempPrefix+hex.EncodeToString(b[:]))
}

// put writes a file aside, without syncing it, and returns its temporary name.
func (t *tree) put(f file, made map[string]bool) (temp string, err error) {
	if err := t.mkdirs(path.Dir(f.name), made); err != nil {
		return "", err
	}
	temp = tempBeside(f.name)
	w, err := t.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, t.fileMode)
	if err != nil {
		return "", t.fail(f.name, err)
	}
	_, err = w.Write(f.data)
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		t.root.Remove(temp)
		return "", t.fail(f.name, err)
	}
	return temp, nil
}

// mkdirs makes a folder and its parents and notes which are to be synced: the
// folder, for its new file, and every parent up to one that is known to name its
// child durably. That a folder exists does not tell: another writer, or a process
// that was killed, may have made it a moment ago.
func (t *tree) mkdirs(dir string, changed map[string]bool) error {
	changed[dir] = true
	t.mu.Lock()
	known := t.known[dir]
	t.mu.Unlock()
	if dir == "." || known {
		return nil
	}
	if err := t.mkdirs(path.Dir(dir), changed); err != nil {
		return err
	}
	if err := t.root.Mkdir(dir, t.dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return t.fail(dir, err)
	}
	return nil
}

// syncDirs syncs folders and remembers that they need not be again.
func (t *tree) syncDirs(ctx context.Context, changed map[string]bool) error {
	if err := t.syncAll(ctx, slices.Sorted(maps.Keys(changed)), syncDir); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.Copy(t.known, changed)
	return nil
}

// forget drops what is known of a folder that was removed.
func (t *tree) forget(dir string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.known, func(d string, _ bool) bool { return d == dir || strings.HasPrefix(d, dir+"/") })
}

// syncAll syncs files or folders, several at a time.
func (t *tree) syncAll(ctx context.Context, names []string, how func(*os.File) error) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	next := 0
	for range min(syncWorkers, len(names)) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := first != nil || i >= len(names)
				if !stop && ctx.Err() != nil {
					first, stop = ctx.Err(), true
				}
				mu.Unlock()
				if stop {
					return
				}
				f, err := t.root.Open(names[i])
				if err == nil {
					err = how(f)
					f.Close()
				}
				if err != nil {
					mu.Lock()
					if first == nil {
						first = fmt.Errorf("%w; it may be lost if the machine stops", t.fail(names[i], err))
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return first
}

// pending is a file that was put and not yet given its name.
type pending struct{ temp, name string }

// commit makes pending files durable and visible under their names. On an error
// some may have their names and others not; what has its name is whole.
func (t *tree) commit(ctx context.Context, files []pending, changed map[string]bool) error {
	temps := make([]string, len(files))
	for i, f := range files {
		temps[i] = f.temp
	}
	if err := t.syncAll(ctx, temps, (*os.File).Sync); err != nil {
		return err
	}
	for _, f := range files {
		if err := t.root.Rename(f.temp, f.name); err != nil {
			return t.fail(f.name, err)
		}
		changed[path.Dir(f.name)] = true
	}
	return t.syncDirs(ctx, changed)
}

// write replaces or makes files: durable and visible when it returns.
func (t *tree) write(ctx context.Context, files []file) error {
	changed := map[string]bool{}
	var put []pending
	var err error
	for _, f := range files {
		if err = ctx.Err(); err != nil {
			break
		}
		var temp string
		if temp, err = t.put(f, changed); err != nil {
			break
		}
		put = append(put, pending{temp, f.name})
	}
	if err == nil {
		err = t.commit(ctx, put, changed)
	}
	if err != nil {
		t.discard(put)
	}
	return err
}

// discard removes what was put and has not got its name.
func (t *tree) discard(files []pending) {
	for _, f := range files {
		t.root.Remove(f.temp)
	}
}

// create is write of one file that must not exist: fs.ErrExist otherwise, and
// then nothing changed. The name never shows a part of the file.
func (t *tree) create(name string, data []byte) error {
	changed := map[string]bool{}
	temp, err := t.put(file{name, data}, changed)
	if err != nil {
		return err
	}
	defer t.root.Remove(temp)
	if err := t.syncAll(context.Background(), []string{temp}, (*os.File).Sync); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces.
	if err := t.root.Link(temp, name); err != nil {
		return t.fail(name, err)
	}
	return t.syncDirs(context.Background(), changed)
}

// read returns a regular file of at most limit bytes.
func (t *tree) read(name string, limit int64) ([]byte, fs.FileInfo, error) {
	f, err := t.root.OpenFile(name, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, t.fail(name, err)
	}
	defer f.Close()
	b, info, err := readRegular(f, limit)
	if err != nil {
		return nil, nil, t.fail(name, err)
	}
	return b, info, nil
}

// readRegular reads an open file whole, if it is a regular one that stays the
// same while it is read.
func readRegular(f *os.File, limit int64) ([]byte, fs.FileInfo, error) {
	before, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%w: it is %s, not a file", ErrRefused, kindOf(before.Mode()))
	}
	if before.Size() > limit {
		return nil, nil, fmt.Errorf("%w: it has %d bytes, at most %d are taken", ErrRefused, before.Size(), limit)
	}
	b := make([]byte, before.Size())
	n, err := io.ReadFull(f, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	if err != nil {
		return nil, nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if n != len(b) || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return nil, nil, fmt.Errorf("%w: it changed while it was read; try again when nobody writes to it", ErrRefused)
	}
	return b, before, nil
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	case m.IsRegular():
		return "a file"
	}
	return "something special"
}

// list gives the names of the files in and below a folder, relative to it and
// sorted. A folder that is missing is empty.
func (t *tree) list(ctx context.Context, under string) ([]string, error) {
	var out []string
	err := fs.WalkDir(t.root.FS(), under, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && errors.Is(err, fs.ErrNotExist):
			return nil // gone since its folder was read, or never made
		case err != nil:
			return t.fail(p, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.Type().IsRegular() && !strings.HasPrefix(d.Name(), "."):
			if under != "." {
				p = strings.TrimPrefix(p, under+"/")
			}
			out = append(out, p)
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

// Sweep removes files that a crash left half-written and that nobody has
// touched since before. It may run beside writers when before is long past.
func (t *tree) Sweep(ctx context.Context, before time.Time) error {
	return fs.WalkDir(t.root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return t.fail(p, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !d.Type().IsRegular() || !strings.HasPrefix(d.Name(), tempPrefix) {
			return nil
		}
		if info, err := d.Info(); err == nil && info.ModTime().Before(before) {
			if err := t.root.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return t.fail(p, err)
			}
		}
		return nil
	})
}
