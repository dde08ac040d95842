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
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/folder"
	"forewarn/internal/home"
)

// ManifestName is the file that makes a folder a backup. It is written last:
// whatever it doesn't name isn't part of the backup.
const ManifestName = "manifest.json"

const (
	manifestVersion = 1
	maxManifest     = 1 << 30
)

// Manifest says what a backup holds. Files never change once they have their name:
// that of the log is of its content, blobs are named by their hashes, and the parts
// of the published log that do change are in here.
type Manifest struct {
	Version     int               `json:"version"`
	Origin      string            `json:"origin"`
	LogKey      string            `json:"log_key"`
	Made        time.Time         `json:"made"`
	Entries     uint64            `json:"entries"` // of the desk's log
	Log         string            `json:"log"`     // path of it
	Config      json.RawMessage   `json:"forewarn_json"`
	Signed      string            `json:"forewarn_json_signed,omitempty"` // a signed note that says its hash, by the log's key; backups of earlier versions have none
	Checkpoints map[string]string `json:"checkpoints"`                    // path in the published log → signed note
	Missing     []string          `json:"missing,omitempty"`              // blobs that the programme itself lacked
	Files       []ManifestFile    `json:"files"`
}

// ManifestFile is one file of a backup.
type ManifestFile struct {
	Path   string `json:"path"` // relative to the backup's folder
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// LoadManifest reads a backup's manifest: ErrNoBackup when there is none, or when
// it is not what this program writes.
func LoadManifest(dir string) (*Manifest, error) {
	b, err := folder.ReadFile(filepath.Join(dir, ManifestName), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q has no %s", ErrNoBackup, dir, ManifestName)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBackup, err)
	}
	m, err := ParseManifest(b)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", dir, err)
	}
	return m, nil
}

// ParseManifest reads a manifest. Every path in it is one that a backup has.
func ParseManifest(b []byte) (*Manifest, error) {
	m := new(Manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: its manifest: %w", ErrNoBackup, err)
	}
	if m.Version != manifestVersion {
		return nil, fmt.Errorf("%w: its manifest has version %d; this program knows %d", ErrNoBackup, m.Version, manifestVersion)
	}
	found := false
	for _, f := range m.Files {
		h, err := hex.DecodeString(f.SHA256)
		if !ofBackup(f.Path, m.Log) || f.Size < 0 || err != nil || len(h) != 32 {
			return nil, fmt.Errorf("%w: its manifest names %q, which is no file of a backup", ErrNoBackup, f.Path)
		}
		found = found || f.Path == m.Log
	}
	if !found {
		return nil, fmt.Errorf("%w: its manifest names no log", ErrNoBackup)
	}
	return m, nil
}

// ofBackup reports whether a file is one that a backup has. What else lies in a
// desk's folder is trusted there (sessions, a database's journal, keys), and whoever
// keeps the backup must not be able to put it there.
func ofBackup(name, log string) bool {
	if path.Clean(name) != name || !filepath.IsLocal(name) || strings.Contains(name, "\\") {
		return false
	}
	if name == log {
		is, _ := path.Match("desk/log-*.db", name)
		return is
	}
	return strings.HasPrefix(name, "desk/blobs/") || strings.HasPrefix(name, "desk/anchors/")
}

// Home is the programme's constants. What is signed is what the programme's own key
// says; that the key is the programme's, the files of keys say (Kept.OpenKeys).
func (m *Manifest) Home() (*home.Home, error) {
	h, err := home.Parse(m.Config)
	switch {
	case err != nil:
		return nil, err
	case h.LogKey() != m.LogKey || h.Origin() != m.Origin:
		return nil, fmt.Errorf("%w: its manifest and the forewarn.json in it name different logs", ErrNoBackup)
	case m.Signed == "":
		return h, nil
	}
	v, err := note.NewVerifier(m.LogKey)
	if err != nil {
		return nil, fmt.Errorf("%w: its log key: %w", ErrNoBackup, err)
	}
	want, err := m.statement()
	if err != nil {
		return nil, err
	}
	if n, err := note.Open([]byte(m.Signed), note.VerifierList(v)); err != nil || n.Text != want {
		return nil, fmt.Errorf("%w: it is not the one that the programme signed", ErrChanged)
	}
	return h, nil
}

// statement is what the log's key signs of a forewarn.json. It can't be taken for a
// checkpoint, whose second line is a number.
func (m *Manifest) statement() (string, error) {
	var c bytes.Buffer
	if err := json.Compact(&c, m.Config); err != nil { // a manifest is indented
		return "", err
	}
	return fmt.Sprintf("forewarn backup configuration v1\n%s\n%x\n", m.Origin, sha256.Sum256(c.Bytes())), nil
}

// sign signs the forewarn.json with the log's key. Without one, or with one that isn't
// kept as it should be, there is still something to back up, and nobody vouches for this.
func (m *Manifest) sign(keys string) error {
	if _, err := os.Stat(keys); err != nil {
		return nil // nothing is made by looking
	}
	p, err := folder.OpenPrivate(keys)
	if err != nil {
		return nil
	}
	defer p.Close()
	o, err := home.LogOptions(p, time.Second)
	if err != nil {
		return nil
	}
	text, err := m.statement()
	if err != nil {
		return err
	}
	b, err := note.Sign(&note.Note{Text: text}, o.Signer)
	m.Signed = string(b)
	return err
}

// CheckFiles hashes every file of a backup and yields what is wrong. progress is
// called after each.
func (m *Manifest) CheckFiles(ctx context.Context, dir string, progress func(done, all int), yield func(ManifestFile, error)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, f := range m.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.check(root, io.Discard); err != nil {
			yield(f, err)
		}
		progress(i+1, len(m.Files))
	}
	return nil
}

// check copies a file to w and compares it with what the manifest says.
func (f ManifestFile) check(root *os.Root, w io.Writer) error {
	info, err := root.Stat(f.Path)
	if err == nil && !info.Mode().IsRegular() { // to open a pipe would wait for whoever writes into it
		return fmt.Errorf("%w: backup file %q is no file", folder.ErrDamaged, f.Path)
	}
	if err != nil {
		return fmt.Errorf("backup file %q: %w", f.Path, errors.Unwrap(err))
	}
	r, err := root.Open(f.Path)
	if err != nil {
		return fmt.Errorf("backup file %q: %w", f.Path, errors.Unwrap(err))
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, w), io.LimitReader(r, f.Size+1))
	switch {
	case err != nil:
		return fmt.Errorf("backup file %q: %w", f.Path, err)
	case n != f.Size || hex.EncodeToString(h.Sum(nil)) != f.SHA256:
		return fmt.Errorf("%w: backup file %q is not what was written", folder.ErrDamaged, f.Path)
	}
	return nil
}
