package seal

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strings"

	"forewarn/internal/form"
)

// Limits bound what Unpack takes from an archive that somebody else may have
// made. The zero value of a field denies everything.
type Limits struct {
	Files     int   // number of files
	FileBytes int64 // bytes of one file
	AllBytes  int64 // bytes of all files together
}

// DefaultLimits are those of a package: what the compiler accepts, and room for
// what marks add.
var DefaultLimits = Limits{Files: 2000, FileBytes: 64 << 20, AllBytes: 256 << 20}

const (
	tarBlock  = 512
	tarRecord = 20 * tarBlock // tar pads to this, so sizes of like copies are alike
)

// PackedSize is the number of bytes that Pack gives for files without further
// padding. The sealer packs all copies of a wave to the greatest of their sizes,
// so that the size of a ciphertext tells nothing of whose it is.
func PackedSize(files []form.Output) int64 {
	n := int64(2 * tarBlock)
	for _, f := range files {
		n += int64(len(tarHeader(f.Path, int64(len(f.Data))))) + padded(int64(len(f.Data)))
	}
	return (n + tarRecord - 1) / tarRecord * tarRecord
}

func padded(n int64) int64 { return (n + tarBlock - 1) / tarBlock * tarBlock }

// Pack gives the only tar of files that Unpack accepts: POSIX ustar, sorted by
// path, mode 0644, no owner, no times, ended by zeros up to size (a multiple of
// 10,240; 0 means PackedSize). It does not change files.
func Pack(files []form.Output, size int64) ([]byte, error) {
	var b bytes.Buffer
	err := writeTar(&b, files, size)
	return b.Bytes(), err
}

var zeros [tarRecord]byte

func writeTar(w io.Writer, files []form.Output, size int64) error {
	files, err := sortedFiles(files)
	if err != nil {
		return err
	}
	least := PackedSize(files)
	if size == 0 {
		size = least
	}
	if size < least || size%tarRecord != 0 {
		return fmt.Errorf("%w: packing %d bytes into %d; the size is a multiple of %d", ErrUnsafe, least, size, tarRecord)
	}
	for _, f := range files {
		n := int64(len(f.Data))
		for _, part := range [][]byte{tarHeader(f.Path, n), f.Data, zeros[:padded(n)-n]} {
			if _, err := w.Write(part); err != nil {
				return err
			}
			size -= int64(len(part))
		}
	}
	for size > 0 {
		n := min(size, tarRecord)
		if _, err := w.Write(zeros[:n]); err != nil {
			return err
		}
		size -= n
	}
	return nil
}

func sortedFiles(files []form.Output) ([]form.Output, error) {
	byPath := func(i, j int) bool { return files[i].Path < files[j].Path }
	if !sort.SliceIsSorted(files, byPath) {
		files = append([]form.Output(nil), files...)
		sort.Slice(files, byPath)
	}
	seen := make(map[string]bool, len(files))
	for _, f := range files {
		if err := form.CheckPath(f.Path); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrUnsafe, err)
		}
		if !fresh(seen, f.Path) {
			return nil, fmt.Errorf("%w: %q is there twice, or differs from another only in case", ErrUnsafe, f.Path)
		}
	}
	return files, nil
}

// fresh reports whether path collides with no earlier one, be it on a file
// system that ignores case, or as a folder that another takes for a file.
func fresh(seen map[string]bool, path string) bool {
	path = strings.ToLower(path)
	if _, taken := seen[path]; taken {
		return false
	}
	seen[path] = true // a file
	for i, c := range path {
		if c == '/' {
			if seen[path[:i]] {
				return false
			}
			seen[path[:i]] = false // a folder: others may use it
		}
	}
	return true
}

// tarHeader is the header of a file: one block, or three when the path does not
// fit ustar's name and prefix and goes into a PAX record.
func tarHeader(path string, size int64) []byte {
	if prefix, name, ok := splitPath(path); ok {
		return tarHeaderBlock(prefix, name, size, '0')
	}
	var record string
	for n := len(" path=\n") + len(path); ; n++ {
		if record = fmt.Sprintf("%d path=%s\n", n, path); len(record) == n {
			break
		}
	}
	out := tarHeaderBlock("", "PaxHeaders", int64(len(record)), 'x')
	out = append(out, record...)
	out = append(out, zeros[:padded(int64(len(record)))-int64(len(record))]...)
	return append(out, tarHeaderBlock("", path[:100], size, '0')...)
}

// splitPath cuts at the first slash that leaves a name of at most 100 bytes.
func splitPath(path string) (prefix, name string, ok bool) {
	if len(path) <= 100 {
		return "", path, true
	}
	i := strings.IndexByte(path[len(path)-101:], '/')
	if at := len(path) - 101 + i; i >= 0 && at <= 155 && at < len(path)-1 {
		return path[:at], path[at+1:], true
	}
	return "", "", false
}

func tarHeaderBlock(prefix, name string, size int64, kind byte) []byte {
	b := make([]byte, tarBlock, 3*tarBlock)
	copy(b[0:], name)
	copy(b[100:], "0000644\x000000000\x000000000\x00") // mode, owner, group
	copy(b[124:], fmt.Sprintf("%011o\x00", size))
	copy(b[136:], "00000000000\x00") // time
	copy(b[148:], "        ")        // the checksum counts itself as spaces
	b[156] = kind
	copy(b[257:], "ustar\x0000")
	copy(b[329:], "0000000\x000000000\x00") // device
	copy(b[345:], prefix)
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// Unpack reads an archive that Pack made, and refuses every other with
// ErrUnsafe. Every header is compared with the one Pack would write, so nothing
// in it is left to interpretation. Errors of src are passed on as they are; on
// any error nothing is returned.
func Unpack(src io.Reader, limits Limits) ([]form.Output, error) {
	u := unpacker{src: src, limits: limits, seen: map[string]bool{}}
	var out []form.Output
	for {
		f, err := u.next()
		if err != nil {
			return nil, err
		}
		if f == nil {
			return out, nil
		}
		out = append(out, *f)
	}
}

type unpacker struct {
	src    io.Reader
	limits Limits
	off    int64 // bytes read
	last   string
	files  int
	all    int64
	seen   map[string]bool
	block  [tarBlock]byte
}

func (u *unpacker) refuse(format string, args ...any) error {
	return fmt.Errorf("%w: byte %d: %s", ErrUnsafe, u.off, fmt.Sprintf(format, args...))
}

func (u *unpacker) read(b []byte, what string) error {
	n, err := io.ReadFull(u.src, b)
	u.off += int64(n)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return u.refuse("it ends within %s", what)
	}
	return err
}

// next is one file, or nil at the proper end.
func (u *unpacker) next() (*form.Output, error) {
	start := u.off
	b := u.block[:]
	if err := u.read(b, "a header"); err != nil {
		return nil, err
	}
	if b[0] == 0 {
		return nil, u.end(start)
	}
	path, size, err := u.header(b)
	if err != nil {
		return nil, err
	}
	if u.files++; u.files > u.limits.Files {
		return nil, u.refuse("more than %d files", u.limits.Files)
	}
	if size > u.limits.FileBytes {
		return nil, u.refuse("%q has %d bytes; at most %d are taken", path, size, u.limits.FileBytes)
	}
	if u.all += size; u.all > u.limits.AllBytes {
		return nil, u.refuse("its files have more than %d bytes together", u.limits.AllBytes)
	}
	if path <= u.last || !fresh(u.seen, path) {
		return nil, u.refuse("%q is there twice, is out of order, or differs from another only in case", path)
	}
	u.last = path
	data, err := u.data(size, path)
	if err != nil {
		return nil, err
	}
	return &form.Output{Path: path, Data: data}, nil
}

// header takes the path and size that the block claims and then insists that
// the whole header is the one that belongs to them.
func (u *unpacker) header(b []byte) (path string, size int64, err error) {
	got := append([]byte(nil), b...)
	kind := b[156]
	if kind == 'x' {
		// Our PAX headers are exactly one record in one block, then the file's.
		var rest [2 * tarBlock]byte
		if err := u.read(rest[:], "a header"); err != nil {
			return "", 0, err
		}
		got = append(got, rest[:]...)
		record := cString(rest[:tarBlock])
		_, path, _ = strings.Cut(strings.TrimSuffix(record, "\n"), " path=")
		b = rest[tarBlock:]
	} else {
		path = cString(b[:100])
		if prefix := cString(b[345:500]); prefix != "" {
			path = prefix + "/" + path
		}
	}
	if what, bad := tarKinds[kind]; bad {
		return "", 0, u.refuse("%q is %s; only files are taken", path, what)
	}
	if err := form.CheckPath(path); err != nil {
		return "", 0, u.refuse("%v", err)
	}
	if _, err := fmt.Sscanf(string(b[124:135]), "%o", &size); err != nil || size < 0 || b[135] != 0 {
		return "", 0, u.refuse("%q has no readable size", path)
	}
	if !bytes.Equal(got, tarHeader(path, size)) {
		return "", 0, u.refuse("the header of %q is not as it is written here", path)
	}
	return path, size, nil
}

var tarKinds = map[byte]string{
	'1': "a hard link", '2': "a symbolic link", '3': "a device", '4': "a device", '5': "a folder",
	'6': "a named pipe", '7': "a reserved type", 'g': "a header for all files", 'S': "a sparse file",
	'L': "a long name", 'K': "a long link", 'D': "a folder", 'M': "a continued file", 'V': "a volume name",
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// data reads a file's bytes and padding. Memory grows with what arrives, not
// with what the header claims.
func (u *unpacker) data(size int64, path string) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(padded(size), 1<<20)))
	n, err := io.CopyN(&buf, u.src, padded(size))
	u.off += n
	if err == io.EOF {
		return nil, u.refuse("it ends within %q", path)
	}
	if err != nil {
		return nil, err
	}
	b := buf.Bytes()
	if !allZero(b[size:]) {
		return nil, u.refuse("bytes are hidden behind %q", path)
	}
	return b[:size:size], nil
}

// end checks the zeros that close an archive, to the last byte.
func (u *unpacker) end(start int64) error {
	if !allZero(u.block[:]) {
		return u.refuse("a file without a name")
	}
	most := u.limits.AllBytes + 2*tarRecord
	buf := make([]byte, tarRecord)
	for {
		n, err := u.src.Read(buf)
		u.off += int64(n)
		if !allZero(buf[:n]) {
			return u.refuse("bytes are hidden behind the end")
		}
		if u.off-start > most {
			return u.refuse("its end is padded with more than %d bytes", most)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if u.off%tarRecord != 0 || u.off-start < 2*tarBlock {
		return u.refuse("it ends within its end mark")
	}
	return nil
}

func allZero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
