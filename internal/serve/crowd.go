package serve

import (
	"net"
	"net/netip"
	"sync"
)

// A connection takes a file descriptor and some memory before anything is known of who
// is there, and an idle one for minutes. Of one network no more are kept than browsers
// of an office have, and of all no more than leave the desk files to open: else a single
// stranger, who holds connections and does nothing, would keep out everybody else and
// keep the desk from its own blobs and anchors.
const (
	connectionsOfOne = 256 // of an IPv4 address or an IPv6 /64
	filesKept        = 512 // for the desk's own, or a quarter where there are few
)

// crowd is a listener that lets in so many.
type crowd struct {
	net.Listener
	each   int
	room   chan struct{}
	closed chan struct{}
	close  func() error

	mu sync.Mutex
	of map[netip.Prefix]int
}

// Bounded bounds a listener as the desk's own is, for what is served beside it to
// strangers. proxied: all come from whoever stands before it, and no network is bounded.
func Bounded(l net.Listener, proxied bool) net.Listener {
	all, each := maxConnections(), connectionsOfOne
	if proxied {
		each = all
	}
	return bounded(l, all, each)
}

// bounded bounds a listener to all connections, and each of one network. Who is over the
// first waits to be accepted, who is over the second is hung up on. This machine itself,
// where a proxy may be, is no network.
func bounded(l net.Listener, all, each int) *crowd {
	c := &crowd{Listener: l, each: each, room: make(chan struct{}, all), closed: make(chan struct{}), of: map[netip.Prefix]int{}}
	c.close = sync.OnceValue(func() error { close(c.closed); return l.Close() })
	return c
}

func (c *crowd) Close() error { return c.close() }

func (c *crowd) Accept() (net.Conn, error) {
	for {
		select {
		case c.room <- struct{}{}:
		case <-c.closed:
			return nil, net.ErrClosed
		}
		conn, err := c.Listener.Accept()
		if err != nil {
			<-c.room
			return nil, err
		}
		from, counted := networkOf(conn.RemoteAddr())
		if counted && !c.enters(from) {
			conn.Close()
			<-c.room
			continue
		}
		return &visitor{Conn: conn, leaves: sync.OnceFunc(func() {
			if counted {
				c.leaves(from)
			}
			<-c.room
		})}, nil
	}
}

func (c *crowd) enters(from netip.Prefix) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[from] >= c.each {
		return false
	}
	c.of[from]++
	return true
}

func (c *crowd) leaves(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[from]--; c.of[from] <= 0 {
		delete(c.of, from)
	}
}

func networkOf(a net.Addr) (from netip.Prefix, ok bool) {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return from, false
	}
	addr := t.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	from, err := addr.Prefix(bits)
	return from, err == nil && !addr.IsLoopback()
}

// visitor is a connection that is counted until it is closed.
type visitor struct {
	net.Conn
	leaves func()
}

func (v *visitor) Close() error {
	defer v.leaves()
	return v.Conn.Close()
}
