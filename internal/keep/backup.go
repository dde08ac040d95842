package keep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/ledger"
	"forewarn/internal/sqlite"
)

// Progress is told what is being done and how far it is; it may be nil in none of
// the functions here that take it. Quiet says nothing.
type Progress func(what string, done, all int)

// Quiet is Progress for nobody.
func Quiet(string, int, int) {}

// Made is what a backup came to.
type Made struct {
	Entries uint64
	Blobs   int   // that the log names
	Copied  int   // files that the backup did not have yet
	Bytes   int64 // of these
	Signed  bool  // the log's key vouches for its forewarn.json
	Missing []string
}

const (
	batchFiles = 512
	batchBytes = 64 << 20
)

// Backup copies the desk's log, its published anchors and its blobs to a folder,
// while the desk may be served, and no keys. A second run into the same folder
// copies what is new. Until the manifest is replaced, at the very end and at once,
// the folder is the backup that it was.
//
// The order is what makes it consistent: what is published first, then the log,
// which by then holds all that was signed, then the blobs, which are durable before
// an entry names them.
//
// Errors: ErrTaken when the folder is something else's, ErrOlder when it holds a
// longer log or another one, folder.ErrHeld when another backup runs, ErrIncomplete when it was
// made and blobs are missing in the programme itself.
func Backup(ctx context.Context, h *home.Home, dest string, progress Progress) (out Made, err error) {
	if dest, err = filepath.Abs(dest); err != nil {
		return out, err
	}
	from, err := filepath.Abs(h.Dir)
	if err != nil {
		return out, err
	}
	if rel, err := filepath.Rel(from, dest); err == nil && filepath.IsLocal(rel) {
		return out, fmt.Errorf("%q %w: it is inside the programme's folder, and would be lost with it; name one elsewhere", dest, ErrTaken)
	}
	before, err := former(dest, h)
	if err != nil {
		return out, err
	}
	if err := ownFolders(dest); err != nil {
		return out, err
	}
	target, err := folder.OpenPrivate(filepath.Join(dest, "desk"))
	if err != nil {
		return out, err
	}
	defer target.Close()
	lock, err := folder.Lock(filepath.Join(dest, ".lock"))
	if err != nil {
		return out, err
	}
	defer lock.Close()

	m := &Manifest{Version: manifestVersion, Origin: h.Origin(), LogKey: h.LogKey(), Made: h.Machine.Clock().UTC(), Checkpoints: map[string]string{}}
	if m.Config, err = h.Config(""); err != nil {
		return out, err
	}
	if err := m.sign(filepath.Join(from, "desk", "keys")); err != nil {
		return out, err
	}
	out.Signed = m.Signed != ""
	b := &backup{Manifest: m, ctx: ctx, dest: dest, had: before.index(), progress: progress, made: &out}
	desk := filepath.Join(h.Dir, "desk")
	if err := b.continues(filepath.Join(desk, "log.db"), before); err != nil {
		return out, err
	}
	if err := b.anchors(filepath.Join(desk, "anchors"), h.LogKey()); err != nil {
		return out, err
	}
	if err := b.log(filepath.Join(desk, "log.db")); err != nil {
		return out, err
	}
	if err := b.blobs(filepath.Join(desk, "blobs")); err != nil {
		return out, err
	}
	slices.SortFunc(m.Files, func(x, y ManifestFile) int { return strings.Compare(x.Path, y.Path) })
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return out, err
	}
	top, err := folder.OpenPrivate(dest)
	if err != nil {
		return out, err
	}
	defer top.Close()
	if err := top.Write(ManifestName, append(text, '\n')); err != nil {
		return out, err
	}
	b.prune()
	if len(out.Missing) > 0 {
		return out, fmt.Errorf("%w: the programme itself lacks %d blobs that its log names, the first is %s; look for them in an older backup", ErrIncomplete, len(out.Missing), out.Missing[0])
	}
	return out, nil
}

// former is the backup that is in a folder already; nil: none.
func former(dest string, h *home.Home) (*Manifest, error) {
	names, err := os.ReadDir(dest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%q %w: it is no folder that can be used", dest, ErrTaken)
	}
	m, err := LoadManifest(dest)
	if err == nil {
		if m.LogKey != h.LogKey() {
			return nil, fmt.Errorf("%q %w: it holds the backup of another programme, %s", dest, ErrTaken, m.Origin)
		}
		return m, nil
	}
	// A first run that was interrupted left a desk and no manifest.
	for _, n := range names {
		if n.Name() != "desk" && !strings.HasPrefix(n.Name(), ".") {
			return nil, fmt.Errorf("%q %w: it isn't empty, and no backup: %w", dest, ErrTaken, err)
		}
	}
	return nil, nil
}

// index is a backup's files by path.
func (m *Manifest) index() map[string]ManifestFile {
	out := map[string]ManifestFile{}
	if m != nil {
		for _, f := range m.Files {
			out[f.Path] = f
		}
	}
	return out
}

type backup struct {
	*Manifest
	ctx      context.Context
	dest     string
	had      map[string]ManifestFile
	progress Progress
	made     *Made
}

func (b *backup) add(path string, size int64, hash [32]byte) {
	b.Files = append(b.Files, ManifestFile{path, size, hex.EncodeToString(hash[:])})
}

// anchors copies the published log of every recovery, each as far as its checkpoint
// signs.
func (b *backup) anchors(dir, vkey string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	src, err := folder.OpenPublisher(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := folder.OpenPublisher(filepath.Join(b.dest, "desk", "anchors"))
	if err != nil {
		return err
	}
	defer dst.Close()
	var prefixes []string
	if err := src.List(b.ctx, func(p string) error {
		if path.Base(p) == entrylog.CheckpointPath {
			prefixes = append(prefixes, strings.TrimSuffix(p, entrylog.CheckpointPath))
		}
		return nil
	}); err != nil {
		return err
	}
	for _, prefix := range prefixes {
		signed, err := src.ReadFile(b.ctx, prefix+entrylog.CheckpointPath)
		if err != nil {
			return err
		}
		cp, err := entrylog.OpenCheckpoint(signed, v)
		if err != nil {
			return fmt.Errorf("published %s%s: %w", prefix, entrylog.CheckpointPath, err)
		}
		b.Checkpoints[prefix+entrylog.CheckpointPath] = string(signed)
		if err := b.tiles(src, dst, prefix, cp.Size); err != nil {
			return err
		}
	}
	return nil
}

func (b *backup) tiles(src, dst folder.Publisher, prefix string, size uint64) error {
	tiles := entrylog.TilesFor(0, size)
	var batch []ledger.File
	for i, t := range tiles {
		name := prefix + t.Path()
		if f, ok := b.had["desk/anchors/"+name]; ok {
			if _, err := os.Stat(filepath.Join(b.dest, "desk", "anchors", filepath.FromSlash(name))); err == nil {
				b.Files = append(b.Files, f) // a tile never changes
				continue
			}
		}
		data, err := entrylog.ReadTile(func(p string) ([]byte, error) { return src.ReadFile(b.ctx, prefix+p) }, t)
		if err != nil {
			return fmt.Errorf("published %s: %w", name, err)
		}
		b.add("desk/anchors/"+name, int64(len(data)), sha256.Sum256(data))
		batch = append(batch, ledger.File{Path: name, Data: data})
		b.made.Copied, b.made.Bytes = b.made.Copied+1, b.made.Bytes+int64(len(data))
		if len(batch) == batchFiles || i == len(tiles)-1 {
			if err := dst.Publish(b.ctx, batch); err != nil {
				return err
			}
			batch = nil
		}
		b.progress("anchors", i+1, len(tiles))
	}
	return dst.Publish(b.ctx, batch)
}

// log copies the log, and fixes what the backup holds.
func (b *backup) log(name string) error {
	b.progress("log", 0, 1)
	src, err := sqlite.Open(b.ctx, name)
	if err != nil {
		return err
	}
	defer src.Close()
	temp := filepath.Join(b.dest, "desk", ".tmp-log")
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := src.CopyTo(b.ctx, temp); err != nil {
		return err
	}
	defer os.Remove(temp)
	copied, err := sqlite.OpenReadOnly(b.ctx, temp)
	if err != nil {
		return err
	}
	size, err := copied.Size(b.ctx)
	if err = errors.Join(err, copied.Close()); err != nil {
		return err
	}
	hash, n, err := hashFile(temp)
	if err != nil {
		return err
	}
	b.Entries, b.Log = uint64(size), fmt.Sprintf("desk/log-%x.db", hash[:8])
	b.made.Entries = uint64(size)
	b.add(b.Log, n, hash)
	if _, ok := b.had[b.Log]; !ok {
		b.made.Copied, b.made.Bytes = b.made.Copied+1, b.made.Bytes+n
	}
	to := filepath.Join(b.dest, filepath.FromSlash(b.Log))
	if err := os.Rename(temp, to); err != nil {
		return err
	}
	b.progress("log", 1, 1)
	return syncFolder(filepath.Dir(to))
}

// continues refuses a log that lacks what an earlier backup's has.
func (b *backup) continues(log string, before *Manifest) error {
	if before == nil || before.Entries == 0 {
		return nil
	}
	now, err := sqlite.OpenReadOnly(b.ctx, log)
	if err != nil {
		return err
	}
	defer now.Close()
	size, err := now.Size(b.ctx)
	if err != nil {
		return err
	}
	made := before.Made.Format("2006-01-02 15:04")
	if before.Entries > uint64(size) {
		return fmt.Errorf("%w: its log has %d entries, and the backup of %s has %d. Keep both; back up to another folder", ErrOlder, size, made, before.Entries)
	}
	// Salts are random: whose last entry is the same has all those before it. An earlier
	// log that can't be read any more is replaced by one that can.
	earlier, err := sqlite.OpenReadOnly(b.ctx, filepath.Join(b.dest, filepath.FromSlash(before.Log)))
	if err != nil {
		return b.ctx.Err()
	}
	defer earlier.Close()
	last := entrylog.Seq(before.Entries - 1)
	had, err := recordAt(b.ctx, earlier, last)
	if err != nil {
		return b.ctx.Err()
	}
	have, err := recordAt(b.ctx, now, last)
	if err == nil && (had.Salt != have.Salt || !bytes.Equal(had.Entry, have.Entry)) {
		err = fmt.Errorf("%w: entry %d isn't the one in the backup of %s: this folder was restored from something older, and went on without what that backup has. Keep both; back up to another folder", ErrOlder, last, made)
	}
	return err
}

func recordAt(ctx context.Context, s *sqlite.Store, seq entrylog.Seq) (out entrylog.Record, err error) {
	found := errors.New("found")
	err = s.Read(ctx, seq, func(_ entrylog.Seq, r entrylog.Record) error {
		out = entrylog.Record{Salt: r.Salt, Entry: bytes.Clone(r.Entry)}
		return found
	})
	switch {
	case err == nil:
		return out, fmt.Errorf("%w: there is no entry %d", ledger.ErrDamaged, seq)
	case err != found:
		return out, err
	}
	return out, nil
}

// blobs copies what the copied log names.
func (b *backup) blobs(dir string) error {
	refs, err := b.references()
	if err != nil {
		return err
	}
	src, err := folder.OpenBlobs(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := folder.OpenBlobs(filepath.Join(b.dest, "desk", "blobs"))
	if err != nil {
		return err
	}
	defer dst.Close()
	files, bytes := 0, 0
	for i, ref := range refs {
		name := "desk/blobs/" + path.Join(ref.String()[:2], ref.String()[2:])
		if f, ok := b.had[name]; ok {
			if there, err := dst.Has(b.ctx, ref); err == nil && there {
				b.Files = append(b.Files, f)
				b.progress("blobs", i+1, len(refs))
				continue
			}
		}
		data, err := src.Get(b.ctx, ref)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, folder.ErrDamaged) {
			b.Missing = append(b.Missing, ref.String())
			continue
		}
		if err != nil {
			return err
		}
		if _, err := dst.Put(b.ctx, data); err != nil {
			return err
		}
		b.add(name, int64(len(data)), ref)
		b.made.Copied, b.made.Bytes = b.made.Copied+1, b.made.Bytes+int64(len(data))
		if files, bytes = files+1, bytes+len(data); files >= batchFiles || bytes >= batchBytes {
			if err := dst.Sync(b.ctx); err != nil {
				return err
			}
			files, bytes = 0, 0
		}
		b.progress("blobs", i+1, len(refs))
	}
	b.made.Blobs, b.made.Missing = len(refs), b.Missing
	return dst.Sync(b.ctx)
}

// references are the blobs that the copied log names, each once.
func (b *backup) references() (out []cvd.BlobRef, err error) {
	log, err := sqlite.OpenReadOnly(b.ctx, filepath.Join(b.dest, filepath.FromSlash(b.Log)))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	seen := map[cvd.BlobRef]bool{{}: true}
	return out, log.Read(b.ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
		e, err := entrylog.ParseEntry(r.Entry)
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ledger.ErrDamaged, seq, err)
		}
		if e.Kind == ledger.KindRecovery {
			return nil
		}
		body, err := cvd.DecodeBody(e.Kind, e.Body)
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ledger.ErrDamaged, seq, err)
		}
		for _, ref := range coordinator.References(body) {
			if !seen[ref] {
				seen[ref] = true
				out = append(out, ref)
			}
		}
		return nil
	})
}

// prune removes what an earlier backup needed and this one doesn't: older logs and
// partial tiles. Blobs stay: none becomes useless. It leaves the backup's folder by no
// link, however quickly one is put there.
func (b *backup) prune() {
	root, err := os.OpenRoot(b.dest)
	if err != nil {
		return
	}
	defer root.Close()
	now := b.Manifest.index()
	_ = fs.WalkDir(root.FS(), "desk", func(name string, d fs.DirEntry, err error) error {
		if name == "desk/blobs" {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		log, _ := path.Match("desk/log-*.db", name)
		if _, needed := now[name]; !needed && (log || strings.HasPrefix(name, "desk/anchors/")) {
			_ = root.Remove(name)
		}
		return nil
	})
}

// ownFolders refuses links where a backup's folders are: what is written and removed
// there would be somebody else's.
func ownFolders(dest string) error {
	for _, name := range []string{"desk", "desk/anchors", "desk/blobs"} {
		in := filepath.Join(dest, filepath.FromSlash(name))
		if info, err := os.Lstat(in); err == nil && !info.IsDir() {
			return fmt.Errorf("%q %w: it is no folder of a backup but leads elsewhere, or is a file; find out who put it there", in, ErrTaken)
		}
	}
	return nil
}

func hashFile(name string) (out [32]byte, n int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return out, 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err = io.Copy(h, f)
	return [32]byte(h.Sum(nil)), n, err
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
