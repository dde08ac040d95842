package folder

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"forewarn/internal/ledger"
)

// maxPublished is in bytes; tiles and checkpoints are far smaller.
const maxPublished = 64 << 20

// Publisher is the folder of anchors that outsiders read. Everybody may read
// its files.
type Publisher struct{ *tree }

var _ ledger.Publisher = Publisher{}

// OpenPublisher opens a folder for publishing, and makes it where it is missing.
func OpenPublisher(dir string) (Publisher, error) {
	t, err := openTree(dir, 0o644, 0o755)
	return Publisher{t}, err
}

func checkPublished(p string) error {
	if err := checkName(p); err != nil {
		return err
	}
	if p != strings.ToLower(p) || strings.Contains(p, "_") {
		return fmt.Errorf("%w: %q: published names are of a-z 0-9 . / -", ErrName, p)
	}
	return nil
}

// Publish implements ledger.Publisher: the last file becomes visible after all
// others are durable.
func (p Publisher) Publish(ctx context.Context, files []ledger.File) error {
	if len(files) == 0 {
		return nil
	}
	batch := make([]file, len(files))
	for i, f := range files {
		if err := checkPublished(f.Path); err != nil {
			return err
		}
		batch[i] = file{f.Path, f.Data}
	}
	last := len(batch) - 1
	if err := p.write(ctx, batch[:last]); err != nil {
		return err
	}
	return p.write(ctx, batch[last:])
}

// ReadFile implements ledger.Publisher.
func (p Publisher) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := checkPublished(path); err != nil {
		return nil, err
	}
	b, _, err := p.read(path, maxPublished)
	return b, err
}

// List implements ledger.Publisher; names come in order.
func (p Publisher) List(ctx context.Context, yield func(path string) error) error {
	names, err := p.list(ctx, ".")
	for _, n := range names {
		if err != nil {
			break
		}
		err = yield(n)
	}
	return err
}

// Remove implements ledger.Publisher.
func (p Publisher) Remove(ctx context.Context, paths []string) error {
	for _, name := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := checkPublished(name); err != nil {
			return err
		}
		if err := p.root.RemoveAll(name); err != nil {
			return p.fail(name, err)
		}
		p.forget(name)
	}
	return nil
}

// Outside is a file, in a folder apart from the log's, with the last signed
// checkpoint.
type Outside struct {
	*tree
	file string
}

var _ ledger.Outside = Outside{}

// maxCheckpoint is in bytes.
const maxCheckpoint = 1 << 20

// OpenOutside names the file; its folder is made where it is missing. The
// folder should be on another disk or machine than the log: a backup that brings
// both back to the same moment makes it worthless.
func OpenOutside(name string) (Outside, error) {
	base := filepath.Base(name)
	if err := checkName(base); err != nil {
		return Outside{}, err
	}
	t, err := openTree(filepath.Dir(name), 0o644, 0o755)
	return Outside{t, path.Clean(base)}, err
}

// Load implements ledger.Outside: nil when nothing was ever saved.
func (o Outside) Load(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, _, err := o.read(o.file, maxCheckpoint)
	if isMissing(err) {
		return nil, nil
	}
	if err == nil && len(b) == 0 {
		return nil, fmt.Errorf("%w: %q in %q is empty, and an empty checkpoint is never saved", ErrDamaged, o.file, o.name)
	}
	return b, err
}

// Save implements ledger.Outside.
func (o Outside) Save(ctx context.Context, checkpoint []byte) error {
	if len(checkpoint) == 0 || len(checkpoint) > maxCheckpoint {
		return fmt.Errorf("%w: a checkpoint of %d bytes", ErrRefused, len(checkpoint))
	}
	return o.write(ctx, []file{{o.file, checkpoint}})
}
