// Package follow reads files that grow, through rotation.
//
// A log is a name, under which one file after another stands. Programs that rotate
// it rename the file and begin a new one, or copy it and cut it back to nothing. A
// File is one such name; Next gives what was written since, as whole lines, in
// order, each byte once:
//
//	path ─► [file, generation 1] ─► [file, generation 2] ─► …   Next ─► Piece, Piece, …
//
// A generation is one file of the name. Where it is now doesn't matter: it is known
// again by its beginning (Mark.Head bytes, at most MaxHead), so that reading goes
// on after a restart, also when the file was rotated meanwhile. The successors of
// a file are those of its name that were changed later. The names looked at are
// the path itself, and the path with a dot or a dash and something that begins
// with a digit behind it (access.log.1, access.log-20261126), uncompressed.
//
// What is known of the past comes with each Piece as Context: the header (the last
// line of each name that begins with #) and the last lines before it. Whoever parses lines can so be
// given a Piece as a stream of its own.
//
// It polls: a file system's own notices are not the same from one to the next, and
// say nothing on network file systems. Nothing is stored here; the caller keeps a
// Mark. Don't use it where a gap must be impossible: what is rotated twice and
// compressed, or cut without a copy, while nobody reads is passed over, and said so.
// So is what is written to a file more than a moment after it was moved away.
package follow

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// MaxHead is by how many bytes at its beginning a file is known again.
const MaxHead = 1024

const (
	maxPiece   = 4 << 20  // bytes of one Piece
	maxContext = 16 << 10 // bytes of a header, and of the lines before a Piece
	linger     = 250 * time.Millisecond
	watchOld   = 10 * time.Minute

	maxDirectives = 32 // names of lines that begin with #
)

// Mark is a place in a file of a name.
type Mark struct {
	Generation uint64 // which file of the name, from 1
	Head       uint32 // bytes at its beginning that HeadHash is of
	HeadHash   [32]byte
	Offset     uint64 // bytes of it that were read
}

// Piece is lines that were written, in one generation.
type Piece struct {
	Mark           // its end
	Begin   uint64 // of Data in the file
	Line    int64  // of Data's first byte, from 1
	Data    []byte // ends with a line's end, unless the file ends without one or the line is very long
	Context []byte // header and lines before it; valid until the next call
}

// File is a name that is followed. Use it from one goroutine.
type File struct {
	Path string
	// Now is the clock by which a rotated file is given a moment to be written out.
	Now func() time.Time
	// Note is told what was lost, and why; nil: nobody is.
	Note func(what string)

	marks  []Mark
	again  bool
	f      *os.File
	at     Mark
	line   int64 // of the byte at at.Offset
	header []directive
	open   []byte // a directive whose end was not read yet
	tail   []byte
	left   time.Time // when the name was seen to stand for another file; zero: not
	old    former
	seen   look // at the last look
	piece  []byte
	head   []byte // the file's first bytes, as last read
	before []byte // those of the file before it
}

// directive is the last line of one name that begins with #.
type directive struct{ name, line string }

// former is the file that was read before this one, watched for a while for what
// is still written to it.
type former struct {
	f     *os.File
	size  int64
	until time.Time
}

// look is by what a change of a file is noticed.
type look struct {
	size int64
	mod  time.Time
}

// Open follows a path from the first place of the marks that can be found again;
// with again, from the beginning of that file. Where no mark can
// be found it begins at the oldest file of the name: nothing says that what is
// there was read. The file need not exist yet.
func Open(path string, marks []Mark, again bool) *File {
	return &File{Path: path, Now: time.Now, marks: slices.Clone(marks), again: again}
}

// Close lets go of the file.
func (f *File) Close() error {
	if f.old.f != nil {
		f.old.f.Close()
		f.old = former{}
	}
	if f.f == nil {
		return nil
	}
	return f.f.Close()
}

func (f *File) note(format string, args ...any) {
	if f.Note != nil {
		f.Note(fmt.Sprintf(format, args...))
	}
}

// Next is what was written since the last call. Without Data there is nothing new
// now; ask again later.
func (f *File) Next() (Piece, error) {
	if _, there, err := f.Begin(); err != nil || !there {
		return Piece{}, err
	}
	f.late()
	cut, err := f.cut()
	if err != nil {
		return Piece{}, err
	}
	if cut {
		if err := f.afterCut(); err != nil {
			return Piece{}, err
		}
	}
	p, err := f.read(false)
	if err != nil || len(p.Data) > 0 {
		f.left = time.Time{}
		return p, err
	}
	return f.rotated()
}

// Begin opens the first file, unless it is open or there is none yet, and says
// which one is read, and from where: before the first Next, where that will begin.
func (f *File) Begin() (at Place, there bool, err error) {
	if there = f.f != nil; !there {
		there, err = f.begin()
	}
	if there {
		at = Place{f.f.Name(), f.at.Offset}
	}
	return at, there, err
}

// Place is a byte of a file.
type Place struct {
	Name   string
	Offset uint64
}

// begin opens the first file: that of a mark, or the oldest of the name.
func (f *File) begin() (bool, error) {
	all, last := f.rotations(), uint64(0)
	// Whoever numbered the files need not have numbered them alike: which of two
	// marks is further back their files say.
	var first *os.File
	var from Mark
	at := 0
	for _, m := range f.marks {
		last = max(last, m.Generation)
		x, err := f.known(m, nil)
		if err != nil {
			return false, err
		}
		if x == nil {
			continue
		}
		i := slices.IndexFunc(all, func(r rotation) bool { info, err := x.Stat(); return err == nil && os.SameFile(info, r.info) })
		if i < 0 {
			i = len(all)
		}
		if first != nil && cmp.Or(cmp.Compare(at, i), cmp.Compare(from.Offset, m.Offset)) <= 0 {
			x.Close()
			continue
		}
		if first != nil {
			first.Close()
		}
		first, from, at = x, m, i
	}
	if first != nil {
		f.marks = nil
		from.Generation = max(1, last)
		if f.again {
			from.Offset = 0
		}
		return true, f.resume(first, from)
	}
	oldest := f.Path
	if len(all) > 0 {
		oldest = all[0].path
	}
	x, err := open(oldest)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info, err := x.Stat(); err != nil || !info.Mode().IsRegular() {
		x.Close()
		return false, fmt.Errorf("%s is no file that can be followed", f.Path)
	}
	if len(f.marks) > 0 {
		f.note("what was read last is not there any more, under this name or a rotated one: what was written between is not known. Reading begins at %s", filepath.Base(oldest))
	} else if oldest != f.Path {
		f.note("nothing says how far it was read. Reading begins at the oldest file of its name that is not compressed, %s", filepath.Base(oldest))
	}
	f.marks = nil
	f.take(x, last+1)
	return true, nil
}

// Head is the first bytes of the file of a mark that Next gave, at most MaxHead,
// as they are now: of the one that is read, or else of the one that was read just
// before it, as it was left.
func (f *File) Head(m Mark) []byte {
	if m.Generation != f.at.Generation {
		return f.before
	}
	f.readHead()
	return f.head
}

// readHead reads the first bytes of the file, unless they are known already, or it
// isn't the file any more that it was.
func (f *File) readHead() {
	if f.f == nil || len(f.head) == MaxHead {
		return
	}
	b := make([]byte, MaxHead)
	if n, _ := f.f.ReadAt(b, 0); bytes.HasPrefix(b[:n], f.head) {
		f.head = b[:n]
	}
}

// Generation is which file of the name is read now; 0: none was there yet.
func (f *File) Generation() uint64 { return f.at.Generation }

// take begins a file at its beginning.
func (f *File) take(x *os.File, generation uint64) {
	f.readHead()
	f.before, f.head = f.head, nil
	if f.f != nil {
		f.f.Close()
	}
	f.f, f.at, f.line, f.header, f.open, f.tail, f.left, f.seen = x, Mark{Generation: generation}, 1, nil, nil, nil, time.Time{}, look{}
}

// resume goes on in a file, whose header and lines are read again for it.
func (f *File) resume(x *os.File, m Mark) error {
	f.take(x, m.Generation)
	r := io.NewSectionReader(x, 0, int64(m.Offset))
	for {
		b := f.room()
		n, err := io.ReadFull(r, b)
		f.remember(b[:n])
		f.at.Offset += uint64(n)
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				break
			}
			return err
		}
	}
	return f.mark()
}

// room is the buffer that pieces are read into.
func (f *File) room() []byte {
	if f.piece == nil {
		f.piece = make([]byte, maxPiece)
	}
	return f.piece
}

// mark notes by what the file is known again, as far as it was read.
func (f *File) mark() error {
	n := min(f.at.Offset, MaxHead)
	if uint64(f.at.Head) == n {
		return nil
	}
	head := make([]byte, n)
	if _, err := f.f.ReadAt(head, 0); err != nil {
		return fmt.Errorf("%s: its beginning: %w", f.Path, err)
	}
	f.at.Head, f.at.HeadHash = uint32(n), sha256.Sum256(head)
	if len(f.head) < len(head) {
		f.head = head
	}
	return nil
}

// begins reports whether a file begins as a mark says, and reaches it.
func begins(x *os.File, m Mark) (bool, error) {
	info, err := x.Stat()
	if err != nil || !info.Mode().IsRegular() || uint64(info.Size()) < m.Offset || m.Head > MaxHead {
		return false, err
	}
	head := make([]byte, m.Head)
	if _, err := x.ReadAt(head, 0); err != nil {
		if err == io.EOF {
			return false, nil
		}
		return false, err
	}
	return sha256.Sum256(head) == m.HeadHash, nil
}

// cut reports whether the file is not what it was: it is shorter than what was read
// of it, or begins otherwise.
func (f *File) cut() (bool, error) {
	info, err := f.f.Stat()
	if err != nil {
		return false, err
	}
	now := look{info.Size(), info.ModTime()}
	if now == f.seen || f.at.Offset == 0 {
		f.seen = now
		return false, nil
	}
	f.seen = now
	same, err := begins(f.f, f.at)
	return !same, err
}

// afterCut reads what the cut file still had from a copy of it, if there is one, and
// else begins it anew.
func (f *File) afterCut() error {
	x, err := f.known(f.at, f.f)
	if err != nil {
		return err
	}
	if x != nil {
		f.f.Close()
		f.f, f.left, f.seen = x, f.Now().Add(-linger), look{}
		return nil
	}
	f.note("the file was cut back, and no copy of it is here: what was written to it after byte %d is not known", f.at.Offset)
	x, err = open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f.take(x, f.at.Generation+1)
	return nil
}

// known finds the file of a mark among those of the name, other than one.
func (f *File) known(m Mark, not *os.File) (*os.File, error) {
	for _, path := range f.names() {
		if compressed(path) {
			continue
		}
		x, err := open(path)
		if err != nil {
			continue // it was moved on, or is not ours to read
		}
		ok, err := begins(x, m)
		if ok && not != nil {
			ok = !same(x, not)
		}
		if err == nil && ok {
			return x, nil
		}
		x.Close()
	}
	return nil, nil
}

func same(a, b *os.File) bool {
	x, err := a.Stat()
	y, err2 := b.Stat()
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// names are the path, and the names that rotated files of it have.
func (f *File) names() []string {
	out := []string{f.Path}
	dir, base := filepath.Split(f.Path)
	if dir == "" {
		dir = "."
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return out
	}
	for _, e := range list {
		rest, ok := strings.CutPrefix(e.Name(), base)
		if !ok || !e.Type().IsRegular() || len(rest) < 2 || rest[0] != '.' && rest[0] != '-' || rest[1] < '0' || rest[1] > '9' {
			continue
		}
		out = append(out, filepath.Join(dir, e.Name()))
	}
	return out
}

func compressed(path string) bool {
	switch filepath.Ext(path) {
	case ".gz", ".bz2", ".xz", ".zst":
		return true
	}
	return false
}

// rotation is one file of the name, apart from the one that the name stands for.
type rotation struct {
	path string
	info os.FileInfo
}

// rotations are the files that were moved away and can be read, the oldest first:
// by when they were changed, and by their names where that is the same.
func (f *File) rotations() (out []rotation) {
	for _, path := range f.names()[1:] {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !compressed(path) {
			out = append(out, rotation{path, info})
		}
	}
	slices.SortFunc(out, func(a, b rotation) int { return a.against(b, len(f.Path)+1) })
	return out
}

// against is below 0 for the older of two. Of names that are counted up (.1, .2)
// the higher is older, of names that are dates the lower.
func (r rotation) against(o rotation, from int) int {
	a, b := r.path[from:], o.path[from:]
	byName := cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	if len(a) < 6 && len(b) < 6 {
		byName = -byName
	}
	return cmp.Or(r.info.ModTime().Compare(o.info.ModTime()), byName)
}

// read takes whole lines; with all, what there is.
func (f *File) read(all bool) (Piece, error) {
	b := f.room()
	n, err := f.f.ReadAt(b, int64(f.at.Offset))
	if err != nil && err != io.EOF {
		return Piece{}, err
	}
	b = b[:n]
	if end := bytes.LastIndexByte(b, '\n') + 1; end > 0 {
		b = b[:end]
	} else if !all && n < maxPiece {
		return Piece{}, nil
	}
	if len(b) == 0 {
		return Piece{}, nil
	}
	p := Piece{Begin: f.at.Offset, Line: f.line, Data: b}
	if f.at.Offset > 0 {
		for _, d := range f.header {
			p.Context = append(p.Context, d.line...)
		}
		p.Context = append(p.Context, f.tail...)
	}
	f.at.Offset += uint64(len(b))
	if err := f.mark(); err != nil {
		f.at.Offset -= uint64(len(b))
		return Piece{}, err
	}
	f.remember(b)
	p.Mark = f.at
	return p, nil
}

// remember keeps what later lines may need of these: the last line of each
// directive, and the last lines. A date is not kept: it is true of the lines right
// behind it, and of those that have come since nothing says which day they are of.
func (f *File) remember(b []byte) {
	f.line += int64(bytes.Count(b, []byte("\n")))
	rest := b
	if within := len(f.tail) > 0 && f.tail[len(f.tail)-1] != '\n'; within {
		i := bytes.IndexByte(b, '\n') + 1
		if rest = nil; i > 0 {
			rest = b[i:]
		}
		if f.open != nil {
			f.open = append(f.open, b[:len(b)-len(rest)]...)
			if i > 0 {
				f.direct(f.open)
			}
			if i > 0 || len(f.open) > maxContext {
				f.open = nil
			}
		}
	}
	for len(rest) > 0 {
		if rest[0] != '#' {
			j := bytes.Index(rest, []byte("\n#"))
			if j < 0 {
				break
			}
			rest = rest[j+1:]
		}
		i := bytes.IndexByte(rest, '\n') + 1
		if i == 0 {
			if len(rest) <= maxContext {
				f.open = bytes.Clone(rest)
			}
			break
		}
		f.direct(rest[:i])
		rest = rest[i:]
	}
	f.tail = append(f.tail, b[max(0, len(b)-2*maxContext):]...)
	if len(f.tail) > maxContext {
		f.tail = f.tail[len(f.tail)-maxContext:]
		f.tail = bytes.Clone(f.tail[bytes.IndexByte(f.tail, '\n')+1:])
	}
}

// direct keeps a directive, behind those before it.
func (f *File) direct(line []byte) {
	name := string(bytes.ToLower(line))
	if i := strings.IndexAny(name, ": \t\r\n"); i >= 0 {
		name = name[:i]
	}
	if name == "#date" {
		return
	}
	had := len(f.header)
	f.header = slices.DeleteFunc(f.header, func(d directive) bool { return d.name == name })
	size := len(line)
	for _, d := range f.header {
		size += len(d.line)
	}
	if size <= maxContext && (len(f.header) < had || had < maxDirectives) {
		f.header = append(f.header, directive{name, string(line)})
	}
}

// rotated goes on to the next file of the name, once this one is done.
func (f *File) rotated() (Piece, error) {
	info, err := f.f.Stat()
	if err != nil {
		return Piece{}, err
	}
	next := f.successor(info)
	if next == "" {
		return Piece{}, nil
	}
	// Whoever writes may have a last line for the file that was moved away.
	if now := f.Now(); now.Sub(info.ModTime()) < linger {
		if f.left.IsZero() {
			f.left = now
		}
		if now.Sub(f.left) < linger {
			return Piece{}, nil
		}
	}
	if p, err := f.read(true); err != nil || len(p.Data) > 0 {
		return p, err
	}
	x, err := open(next)
	if errors.Is(err, fs.ErrNotExist) {
		return Piece{}, nil // it is being moved; look again
	}
	if err != nil {
		return Piece{}, err
	}
	f.skipped(info, x)
	if f.old.f != nil {
		f.old.f.Close()
	}
	f.old = former{f.f, int64(f.at.Offset), f.Now().Add(watchOld)}
	f.readHead()
	f.f = nil
	f.take(x, f.at.Generation+1)
	return f.read(false)
}

// successor is the name of the file that was changed next after one; empty while
// the name stands for that, or for nothing that was written to.
func (f *File) successor(after os.FileInfo) (next string) {
	now, err := os.Stat(f.Path)
	if err == nil && os.SameFile(now, after) {
		return ""
	}
	if err == nil && now.Size() > 0 {
		next = f.Path
	}
	all := f.rotations()
	here := slices.IndexFunc(all, func(r rotation) bool { return os.SameFile(r.info, after) })
	for i, r := range all {
		if r.info.ModTime().After(after.ModTime()) || here >= 0 && i > here {
			return r.path
		}
	}
	return next
}

// skipped tells of files that were compressed before they were read.
func (f *File) skipped(after os.FileInfo, next *os.File) {
	before, err := next.Stat()
	if err != nil {
		return
	}
	for _, path := range f.names() {
		info, err := os.Stat(path)
		if err == nil && compressed(path) && info.ModTime().After(after.ModTime()) && !info.ModTime().After(before.ModTime()) {
			f.note("%s was rotated and compressed before it was read: scan it once, without --follow", filepath.Base(path))
		}
	}
}

// late tells when somebody still writes to the file that was left. It isn't gone
// back to: what is recorded is recorded in order.
func (f *File) late() {
	if f.old.f == nil {
		return
	}
	info, err := f.old.f.Stat()
	grew := err == nil && info.Size() > f.old.size
	if grew {
		f.note("%d bytes were written to the file before this one after it was left: scan that once, without --follow", info.Size()-f.old.size)
	}
	if grew || err != nil || f.Now().After(f.old.until) {
		f.old.f.Close()
		f.old = former{}
	}
}

// HeadOf is the first bytes of a file, MaxHead or as many as it has: by them a file
// that was read whole is known again.
func HeadOf(path string) ([]byte, error) {
	x, err := open(path)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	return io.ReadAll(io.LimitReader(x, MaxHead))
}
