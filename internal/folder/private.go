package folder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// Private is a folder whose files only this account reads: keys of the desk, and
// all that the sealer keeps. Names are slash-separated.
type Private struct{ *tree }

// maxPrivate is in bytes: a compiled Form is the greatest thing kept.
const maxPrivate = 1 << 30

// OpenPrivate opens a private folder, and makes it where it is missing. A
// folder that other accounts can write to is refused: they could plant keys.
func OpenPrivate(dir string) (Private, error) {
	t, err := openTree(dir, 0o600, 0o700)
	if err != nil {
		return Private{}, err
	}
	info, err := t.root.Stat(".")
	if err == nil && exposed(info) && info.Mode().Perm()&0o022 != 0 {
		err = fmt.Errorf("%w: folder %q can be written by other accounts; run: chmod 700 %q", ErrExposed, dir, dir)
	}
	if err != nil {
		t.Close()
		return Private{}, err
	}
	return Private{t}, nil
}

// Read returns a file, or fs.ErrNotExist. One that other accounts may read is
// ErrExposed: it may be known to them, and the person who keeps it should know.
func (p Private) Read(name string) ([]byte, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	b, info, err := p.read(name, maxPrivate)
	if err != nil {
		return nil, err
	}
	if exposed(info) {
		return nil, fmt.Errorf("%w: %q in %q has mode %04o; find out who read it, then run: chmod 600", ErrExposed, name, p.name, info.Mode().Perm())
	}
	return b, nil
}

// Write replaces or makes a file, atomically; it is durable on return.
func (p Private) Write(name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	return p.write(context.Background(), []file{{name, data}})
}

// Create is Write of what must not exist yet: fs.ErrExist otherwise, and then
// the file that is there is untouched.
func (p Private) Create(name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	return p.create(name, data)
}

// List gives the names of the files below a folder, relative to it and sorted;
// none when there is no such folder.
func (p Private) List(folder string) ([]string, error) {
	if folder == "" {
		folder = "."
	} else if err := checkName(folder); err != nil {
		return nil, err
	}
	return p.list(context.Background(), folder)
}

// Destroy overwrites a file's bytes, syncs them, and removes it durably. One
// that is not there is already destroyed. It cannot reach what the disk or file
// system kept elsewhere: spare blocks of flash memory, snapshots, backups. Keys
// that must be destroyed belong on a file system that overwrites in place, and
// not into backups.
func (p Private) Destroy(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	info, err := p.root.Lstat(name)
	if isMissing(err) {
		return p.syncAll(context.Background(), []string{p.nearest(path.Dir(name))}, syncDir)
	}
	if err != nil {
		return p.fail(name, err)
	}
	if !info.Mode().IsRegular() {
		return p.fail(name, fmt.Errorf("%w: it is %s, not a file", ErrRefused, kindOf(info.Mode())))
	}
	f, err := p.root.OpenFile(name, os.O_WRONLY|nonblock, 0)
	if err != nil {
		return p.fail(name, err)
	}
	noise := make([]byte, min(info.Size(), 1<<20))
	for off := int64(0); off < info.Size() && err == nil; off += int64(len(noise)) {
		rand.Read(noise)
		_, err = f.WriteAt(noise[:min(int64(len(noise)), info.Size()-off)], off)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("%w; the file was not removed, try again", p.fail(name, err))
	}
	if err := p.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p.fail(name, err)
	}
	return p.syncAll(context.Background(), []string{path.Dir(name)}, syncDir)
}

// nearest is the closest folder that exists.
func (p Private) nearest(dir string) string {
	for dir != "." {
		if _, err := p.root.Stat(dir); err == nil {
			return dir
		}
		dir = path.Dir(dir)
	}
	return dir
}
