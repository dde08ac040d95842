package relay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
)

const (
	socketName = "desk.sock"
	// maxPath is what every system takes as a socket's path, in bytes.
	maxPath = 100
)

// Listen makes the socket in a folder, for its owner alone. What a server that was
// killed left there is replaced: call it only while holding the log's lock, so that
// nobody listens any more. Closing the listener removes the socket.
func Listen(folder string) (net.Listener, error) {
	name := filepath.Join(folder, socketName)
	if info, err := os.Lstat(name); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is no socket: move it away", name)
	}
	// It is made in a folder that nobody else can enter, and moved when its mode is
	// right.
	making := filepath.Join(folder, ".socket")
	if err := os.RemoveAll(making); err != nil {
		return nil, err
	}
	if err := os.Mkdir(making, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(making)
	path, done, err := short(making)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	made := filepath.Join(making, socketName)
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, name)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &listener{Listener: l, remove: sync.OnceValue(func() error { return os.Remove(name) })}, nil
}

type listener struct {
	net.Listener
	remove func() error
}

// Close removes the socket first: nobody should come to a door that is shut.
func (l *listener) Close() error {
	err := l.remove()
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.Listener.Close())
}

func dial(ctx context.Context, folder string) (net.Conn, error) {
	path, done, err := short(folder)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

// short gives a path of the socket in a folder that fits into a socket's address;
// done when it was used.
func short(folder string) (path string, done func(), err error) {
	path = filepath.Join(folder, socketName)
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	f, err := os.Open(folder)
	if err != nil {
		return "", nil, err
	}
	if path = fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketName); here(filepath.Dir(path)) {
		return path, func() { f.Close() }, nil
	}
	f.Close()
	return "", nil, fmt.Errorf("the path of %s has more than %d bytes, which is too long for a socket on this system: move the programme's folder up, or name it by a link", filepath.Join(folder, socketName), maxPath)
}

func here(path string) bool { _, err := os.Stat(path); return err == nil }
