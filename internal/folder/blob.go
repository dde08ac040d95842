package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// MaxBlob is the most bytes of one blob.
const MaxBlob = 1 << 30

// Blobs keeps ciphertext under its SHA-256, in files that only this account
// reads. A blob never changes; what has its name is whole.
//
// It trusts its disk to be durable, not to be unchanged: Get checks the hash.
type Blobs struct {
	*tree
	mu      sync.Mutex
	pending map[[32]byte]pending
	changed map[string]bool // folders to sync
}

// OpenBlobs opens a folder of blobs, and makes it where it is missing.
func OpenBlobs(dir string) (*Blobs, error) {
	t, err := openTree(dir, 0o600, 0o700)
	return &Blobs{tree: t, pending: map[[32]byte]pending{}, changed: map[string]bool{}}, err
}

// blobName spreads blobs over 256 folders.
func blobName(h [32]byte) string {
	s := hex.EncodeToString(h[:])
	return path.Join(s[:2], s[2:])
}

func parseBlobName(name string) (h [32]byte, ok bool) {
	b, err := hex.DecodeString(strings.Replace(name, "/", "", 1))
	if err != nil || len(b) != 32 {
		return h, false
	}
	copy(h[:], b)
	return h, blobName(h) == name
}

// Put keeps data and returns its SHA-256. The blob is durable, and others see
// it, once Sync has returned; Get of this Blobs gives it at once.
func (b *Blobs) Put(ctx context.Context, data []byte) (h [32]byte, err error) {
	if err := ctx.Err(); err != nil {
		return h, err
	}
	if len(data) > MaxBlob {
		return h, fmt.Errorf("%w: a blob of %d bytes; at most %d are kept", ErrRefused, len(data), MaxBlob)
	}
	h = sha256.Sum256(data)
	name := blobName(h)
	b.mu.Lock()
	_, waiting := b.pending[h]
	b.mu.Unlock()
	if waiting {
		return h, nil
	}
	// One that has its name was synced before it got it, but may have been
	// damaged since; then this is the moment to mend it.
	if kept, err := b.Get(ctx, h); err == nil && len(kept) == len(data) {
		return h, nil
	}
	changed := map[string]bool{}
	temp, err := b.put(file{name, data}, changed)
	if err != nil {
		return h, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, twice := b.pending[h]; twice {
		b.root.Remove(temp)
		return h, nil
	}
	b.pending[h] = pending{temp, name}
	for d := range changed {
		b.changed[d] = true
	}
	return h, nil
}

// Sync makes every earlier Put durable, with one sync for each folder. After an
// error the blobs remain to be synced by the next call.
func (b *Blobs) Sync(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := make([]pending, 0, len(b.pending))
	for _, p := range b.pending {
		batch = append(batch, p)
	}
	if err := b.commit(ctx, batch, b.changed); err != nil {
		// What got its name need not be renamed again, only synced.
		for h, p := range b.pending {
			if _, err := b.root.Lstat(p.temp); errors.Is(err, fs.ErrNotExist) {
				delete(b.pending, h)
			}
		}
		return err
	}
	clear(b.pending)
	clear(b.changed)
	return nil
}

// Get returns a blob: fs.ErrNotExist when it is not here, ErrDamaged when what
// is here has another hash.
func (b *Blobs) Get(ctx context.Context, h [32]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name := blobName(h)
	data, _, err := b.read(name, MaxBlob)
	if isMissing(err) {
		b.mu.Lock()
		p, waiting := b.pending[h]
		if waiting {
			data, _, err = b.read(p.temp, MaxBlob)
		}
		b.mu.Unlock()
		if !waiting {
			// It may have got its name between the two looks.
			data, _, err = b.read(name, MaxBlob)
		}
	}
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(data) != h {
		return nil, fmt.Errorf("%w: blob %s has another hash than its name; restore it from a copy", ErrDamaged, name)
	}
	return data, nil
}

// Has reports whether a blob has its name. It does not look at the content.
func (b *Blobs) Has(ctx context.Context, h [32]byte) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	_, err := b.root.Lstat(blobName(h))
	if isMissing(err) {
		return false, nil
	}
	return err == nil, err
}

// Walk calls yield with every durable blob's hash, in order. Files that are no
// blobs are ErrDamaged: nobody else writes here. An error of yield stops it.
func (b *Blobs) Walk(ctx context.Context, yield func(h [32]byte) error) error {
	names, err := b.list(ctx, ".")
	if err != nil {
		return err
	}
	for _, n := range names {
		h, ok := parseBlobName(n)
		if !ok {
			return fmt.Errorf("%w: %q in %q is not a blob; move it away", ErrDamaged, n, b.name)
		}
		if err := yield(h); err != nil {
			return err
		}
	}
	return nil
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
