package keep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
	"forewarn/internal/sqlite"
)

// Parts are a programme as an examination sees it, wherever its parts lie.
type Parts struct {
	Home      *home.Home
	Store     ledger.Store
	Publisher ledger.Publisher
	Blobs     *folder.Blobs
	Keys      coordinator.KeyReader // of the desk; nil: not here
	Vault     sealer.Vault          // of the sealer; nil: not here

	Inquiry bool      // there is one in the folder
	Backup  *Manifest // nil: it is a folder
	Dir     string    // of the programme, or of the backup

	open []io.Closer
}

// Close lets go of it.
func (p *Parts) Close() (err error) {
	for i := len(p.open) - 1; i >= 0; i-- {
		err = errors.Join(err, p.open[i].Close())
	}
	return err
}

// OpenFolder gives the parts of a programme's folder for looking. Somebody may serve
// it meanwhile. What is missing isn't made.
func OpenFolder(ctx context.Context, h *home.Home) (_ *Parts, err error) {
	p := &Parts{Home: h, Dir: h.Dir}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if _, err := os.Stat(filepath.Join(h.Dir, "desk", "keys")); err != nil {
		return nil, fmt.Errorf("%w: %w", home.ErrBroken, err)
	}
	keys, err := folder.OpenPrivate(filepath.Join(h.Dir, "desk", "keys"))
	if err != nil {
		return nil, err
	}
	p.open, p.Keys = append(p.open, keys), keys
	if err := p.adapters(ctx, filepath.Join(h.Dir, "desk"), "log.db"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(h.Dir, "sealer")); err == nil {
		switch v, err := folder.OpenPrivate(filepath.Join(h.Dir, "sealer")); {
		case err == nil:
			p.open, p.Vault = append(p.open, v), looked{v}
		case !errors.Is(err, fs.ErrPermission): // another user's: it isn't here, for us
			return nil, err
		}
	}
	_, err = os.Stat(filepath.Join(h.Dir, "inquiry", "log.db"))
	p.Inquiry = err == nil
	return p, nil
}

// OpenBackup gives the parts of a backup and of keys that were kept apart. Nothing
// of it is written anywhere.
func OpenBackup(ctx context.Context, dir string, m *Manifest, k *Kept) (_ *Parts, err error) {
	p := &Parts{Backup: m, Dir: dir}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if p.Home, err = m.Home(); err != nil {
		return nil, err
	}
	if err := p.adapters(ctx, filepath.Join(dir, "desk"), strings.TrimPrefix(m.Log, "desk/")); err != nil {
		return nil, err
	}
	p.Publisher = published{p.Publisher, m.Checkpoints}
	if _, ok := k.Of[OfDesk]; ok {
		p.Keys = k.below("desk/keys")
	}
	if _, ok := k.Of[OfSealer]; ok {
		p.Vault = k.below("sealer")
	}
	return p, nil
}

// adapters opens what isn't secret.
func (p *Parts) adapters(ctx context.Context, desk, log string) error {
	pub, err := folder.OpenPublisher(filepath.Join(desk, "anchors"))
	if err != nil {
		return err
	}
	p.open, p.Publisher = append(p.open, pub), pub
	if p.Blobs, err = folder.OpenBlobs(filepath.Join(desk, "blobs")); err != nil {
		return err
	}
	p.open = append(p.open, p.Blobs)
	open := sqlite.Open
	if p.Backup != nil {
		open = sqlite.OpenReadOnly
	}
	s, err := open(ctx, filepath.Join(desk, log))
	if err != nil {
		return err
	}
	p.open, p.Store = append(p.open, s), s
	return nil
}

// published is a published log whose checkpoints are in a manifest.
type published struct {
	ledger.Publisher
	checkpoints map[string]string
}

func (p published) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if c, ok := p.checkpoints[path]; ok {
		return []byte(c), nil
	}
	return p.Publisher.ReadFile(ctx, path)
}

func (p published) List(ctx context.Context, yield func(string) error) error {
	for path := range p.checkpoints {
		if err := yield(path); err != nil {
			return err
		}
	}
	return p.Publisher.List(ctx, func(path string) error {
		if strings.HasSuffix(path, entrylog.CheckpointPath) {
			return nil // not of the manifest
		}
		return yield(path)
	})
}
