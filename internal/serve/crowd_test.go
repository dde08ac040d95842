package serve

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// from is a listener whose connections come from where a test says.
type from struct {
	net.Listener
	addr func() string
}

type guest struct {
	net.Conn
	addr net.Addr
}

func (g guest) RemoteAddr() net.Addr { return g.addr }

func (f from) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	a, err := net.ResolveTCPAddr("tcp", f.addr())
	return guest{c, a}, err
}

// TestStreams: one connection has few requests under way.
func TestStreams(t *testing.T) {
	var mu sync.Mutex
	now, most := map[string]int{}, 0
	gate := make(chan struct{})
	s := httptest.NewUnstartedServer(nil)
	s.Config = (&server{Config: Config{Log: slog.New(slog.DiscardHandler)}}).httpServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now[r.RemoteAddr]++
		most = max(most, now[r.RemoteAddr])
		mu.Unlock()
		<-gate
		mu.Lock()
		now[r.RemoteAddr]--
		mu.Unlock()
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if r, err := s.Client().Get(s.URL); err == nil {
				r.Body.Close()
			}
		})
	}
	for begun := time.Now(); time.Since(begun) < 5*time.Second; time.Sleep(5 * time.Millisecond) {
		mu.Lock()
		n := 0
		for _, x := range now {
			n += x
		}
		mu.Unlock()
		if n == 100 {
			break
		}
	}
	close(gate)
	all.Wait()
	if most < 2 || most > 32 {
		t.Errorf("%d requests of one connection at once", most)
	}
}

// TestCrowd: a stranger who keeps connections open keeps out nobody of another network;
// who is one too many is hung up on, and comes in when one has left.
func TestCrowd(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	who := make(chan string, 1)
	l := bounded(from{plain, func() string { return <-who }}, 4, 2)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") })}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	come := func(addr string) (c net.Conn, in bool) {
		t.Helper()
		who <- addr
		c, err := net.Dial("tcp", plain.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: desk.example\r\n\r\n")
		_, err = c.Read(make([]byte, 1))
		return c, err == nil
	}
	first, in := come("[2001:db8::1]:1")
	if _, more := come("[2001:db8::2]:1"); !in || !more {
		t.Fatal("nobody comes in")
	}
	if _, in := come("[2001:db8::3]:1"); in {
		t.Error("one network has three connections")
	}
	if _, in := come("192.0.2.1:1"); !in {
		t.Error("another network is kept out")
	}
	first.Close()
	for begun := time.Now(); ; {
		if _, in := come("[2001:db8::4]:1"); in {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatal("nobody comes in after one has left")
		}
	}
	if _, in := come("127.0.0.1:1"); !in {
		t.Error("this machine is kept out")
	}
	// All are in: whoever comes waits, and the end waits for nobody.
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != http.ErrServerClosed {
		t.Error(err)
	}
}
