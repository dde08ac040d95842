// Package sqlite keeps a log in one SQLite file: the embedded default, for the
// desk and for the inquiry.
//
// The records of one append lie together in one row, or in as few as 64 KiB a
// row allow: a row's key is the number of its first record, its blob one record
// after the other, each a length (uint32, big-endian), a salt (32 bytes) and an
// entry. Two more rows hold the writer's epoch with the number of records, and
// the last signed head. Appends are transactions in WAL mode with synchronous=FULL: when
// Append returns, the write-ahead log has been synced. Each looks at the epoch
// within its own transaction, so a writer that lost its lock without noticing
// keeps nothing. Readers, of this or another process, see whole appends and hold
// up nobody.
//
// The file is trusted to be where it was put and to be synced when the system
// says so. It is not trusted to be unchanged: the ledger recomputes every hash,
// and what cannot be read as it was written is ledger.ErrDamaged, with the
// number of the entry. That the number of records is kept apart from them makes
// a lost end known even where nothing was signed over it yet. Bytes that SQLite
// does not use may change without any effect.
//
// Do not put the file on a network file system, copy it while a writer runs
// without its -wal file beside it, or open it with other programs for writing.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"forewarn/internal/ledger"

	driver "modernc.org/sqlite"
)

var (
	// ErrNewer: the file was made by a newer version. Nothing was changed; use
	// that version.
	ErrNewer = errors.New("the log was made by a newer version of this program")

	// ErrForeign: the file is not a log of this program. Nothing was changed.
	ErrForeign = errors.New("not a log of this program")
)

const (
	applicationID = 0x66776c67 // "fwlg", for file(1) and for us
	version       = 1          // of the schema below, in user_version

	busyMillis = 10_000 // how long a writer waits for another program's transaction
	maxHead    = 64 << 10
)

// schema is compared, text for text, with what a file has: triggers or views
// planted in a log would run when it is read.
var schema = []string{
	"CREATE TABLE entries (first INTEGER PRIMARY KEY, records BLOB NOT NULL) STRICT",
	"CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), note BLOB) STRICT",
	"CREATE TABLE writer (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, size INTEGER NOT NULL) STRICT",
}

// Store is a handle on a log's file. It implements ledger.Store.
type Store struct {
	path     string
	readOnly bool

	use    sync.RWMutex // held for reading by every operation, for writing by Close
	closed chan struct{}
	once   sync.Once

	readers *sql.DB
	writer  *writer // nil when read-only

	grown waking // wakes followers in this process
}

var _ ledger.Store = (*Store)(nil)

// Create makes a new, empty log. fs.ErrExist when there is a file already,
// unless it is an empty one or the beginning of a Create that a crash ended.
func Create(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(ctx, path); err != nil {
		return nil, fmt.Errorf("log %q: %w", path, err)
	}
	return Open(ctx, path)
}

func create(ctx context.Context, path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("its folder: %w", fsError(err))
	}
	if info, err := os.Stat(path); err == nil && (!info.Mode().IsRegular() || info.Size() > 0 && !blank(ctx, path)) {
		return fmt.Errorf("%w; nothing was changed", fs.ErrExist)
	}
	db, err := connect(path, "rwc", 1)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	defer conn.Close()
	steps := []string{"BEGIN IMMEDIATE"}
	steps = append(steps, schema...)
	steps = append(steps, "INSERT INTO head VALUES (1, NULL)", "INSERT INTO writer VALUES (1, 0, 0)",
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", version),
		"COMMIT")
	for _, s := range steps {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return classify(err)
		}
	}
	return syncFolder(filepath.Dir(path))
}

// blank reports whether a file is a SQLite database with nothing in it.
func blank(ctx context.Context, path string) bool {
	db, err := connect(path, "ro", 1)
	if err != nil {
		return false
	}
	defer db.Close()
	var id, tables int
	err = db.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)").Scan(&id, &tables)
	return err == nil && id == 0 && tables == 0
}

// Open opens a log for reading and, once acquired, for writing. fs.ErrNotExist
// when there is no file: a log that is not where it should be must not begin
// anew by itself.
func Open(ctx context.Context, path string) (*Store, error) { return open(ctx, path, false) }

// OpenReadOnly opens a log that will not be written to, also from a medium that
// cannot be; Acquire, Append and SetHead return ledger.ErrReadOnly.
func OpenReadOnly(ctx context.Context, path string) (*Store, error) { return open(ctx, path, true) }

func open(ctx context.Context, path string, readOnly bool) (_ *Store, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("log %q: %w", path, err)
		}
	}()
	if info, err := os.Stat(path); err != nil {
		return nil, fsError(err)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is not a file", ErrForeign)
	}
	s := &Store{path: path, readOnly: readOnly, closed: make(chan struct{})}
	s.grown.init()
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.readers, err = connect(path, readMode(path, readOnly), maxReaders); err != nil {
		return nil, err
	}
	if err := s.identify(ctx); err != nil {
		return nil, err
	}
	if !readOnly {
		if s.writer, err = newWriter(path); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// maxReaders is how many reads run at once; more wait.
const maxReaders = 4

// readMode: where nothing can be written, not even the shared memory that WAL
// mode needs, SQLite reads a file only if told that it will not change.
func readMode(path string, readOnly bool) string {
	if !readOnly {
		return "ro"
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return "ro" // what is in it counts
	}
	if canWrite(filepath.Dir(path)) {
		return "ro"
	}
	return "ro&immutable=1"
}

// connect opens a pool of connections that all have our settings.
func connect(path, mode string, most int) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	settings := []string{
		fmt.Sprintf("busy_timeout(%d)", busyMillis),
		"trusted_schema(0)", "cell_size_check(1)", "temp_store(2)",
	}
	if mode == "rwc" || mode == "rw" {
		settings = append(settings, "journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "checkpoint_fullfsync(1)",
			fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages))
	} else {
		settings = append(settings, "query_only(1)")
	}
	var q strings.Builder
	for _, p := range settings {
		q.WriteString("&_pragma=" + url.QueryEscape(p))
	}
	db, err := sql.Open("sqlite", u.String()+"?mode="+mode+q.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// identify refuses files that are not ours, newer than we are, or tampered with.
func (s *Store) identify(ctx context.Context) error {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return classify(err)
	}
	defer conn.Close()
	var id, v int
	if err := conn.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)").Scan(&id, &v); err != nil {
		if err = classify(err); errors.Is(err, errNotSQLite) {
			err = fmt.Errorf("%w: it is no SQLite file, or its first page is damaged", ErrForeign)
		}
		return err
	}
	if id != applicationID {
		return fmt.Errorf("%w: its application id is %#x, not %#x", ErrForeign, uint32(id), applicationID)
	}
	if v > version {
		return fmt.Errorf("%w: it has version %d, this program knows version %d", ErrNewer, v, version)
	}
	rows, err := conn.QueryContext(ctx, "SELECT sql FROM sqlite_schema ORDER BY name")
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			return classify(err)
		}
		got = append(got, text.String)
	}
	if err := rows.Err(); err != nil {
		return classify(err)
	}
	if v != version || strings.Join(got, ";") != strings.Join(schema, ";") {
		return fmt.Errorf("%w: its tables are not those of version %d; restore it from a copy", ledger.ErrDamaged, version)
	}
	return nil
}

// enter begins an operation; the caller calls s.use.RUnlock after.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.use.RLock()
	select {
	case <-s.closed:
		s.use.RUnlock()
		return ledger.ErrClosed
	default:
		return nil
	}
}

// Close implements ledger.Store. It waits for operations under way; a Read ends
// after its current entry.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closed)
		s.use.Lock()
		defer s.use.Unlock()
		if s.readers != nil {
			err = s.readers.Close()
		}
		if s.writer != nil {
			// The last one to close folds the write-ahead log into the file.
			if e := s.writer.close(); err == nil {
				err = e
			}
		}
	})
	return err
}

// fsError drops the path, which the caller tells quoted.
func fsError(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Result codes of SQLite (https://www.sqlite.org/rescode.html), the primary
// byte, that have a meaning here.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

var errNotSQLite = errors.New("not a SQLite file")

// damagedBy reports whether SQLite gave up over the file's content.
func damagedBy(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == codeCorrupt
}

// classify gives an error of the driver a class and an advice.
func classify(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case codeCorrupt:
		return fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	case codeNotADB:
		return fmt.Errorf("%w: %w: %w", ledger.ErrDamaged, errNotSQLite, err)
	case codeBusy, codeLocked:
		return fmt.Errorf("another program has held the file for %d s; end it and try again: %w", busyMillis/1000, err)
	case codeFull:
		return fmt.Errorf("the disk is full: %w", err)
	case codeReadOnly, codeCantOpen:
		return fmt.Errorf("the file or its folder cannot be written by this account, or its -wal file is missing access: %w", err)
	}
	return err
}
