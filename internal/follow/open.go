package follow

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

var errNoFile = errors.New("it is no regular file")

// open opens a regular file and nothing else. A pipe that somebody laid beside a
// log would be waited for without end.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNoFile}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
