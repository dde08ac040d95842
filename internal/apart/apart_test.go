package apart

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"forewarn/internal/hostile"
)

var ballast [][]byte

// tasks try what a parser that was led astray would.
var tasks = Tasks{
	"echo":   func(b []byte) ([]byte, error) { return b, nil },
	"refuse": func(b []byte) ([]byte, error) { return nil, errors.New("not like this:\x1b[31m") },
	"panic":  func(b []byte) ([]byte, error) { panic("led astray") },
	"leave":  func(b []byte) ([]byte, error) { os.Exit(0); return nil, nil },
	"deep":   func(b []byte) ([]byte, error) { return []byte{byte(deep(0))}, nil },
	"loop": func(b []byte) ([]byte, error) {
		for {
			if len(b) > 1<<30 {
				return nil, nil
			}
		}
	},
	"sleep": func(b []byte) ([]byte, error) { time.Sleep(time.Hour); return nil, nil },
	"hoard": func(b []byte) ([]byte, error) {
		for {
			ballast = append(ballast, bytes.Repeat([]byte{1}, 16<<20))
		}
	},
	"flood": func(b []byte) ([]byte, error) { return bytes.Repeat([]byte{1}, 200<<20), nil },
	"threads": func(b []byte) ([]byte, error) { // they are the runtime's, and allowed
		done := make(chan int)
		for i := range 8 {
			go func() { runtime.LockOSThread(); time.Sleep(10 * time.Millisecond); done <- i }()
		}
		n := 0
		for range 8 {
			n += <-done
		}
		runtime.GC()
		return []byte{byte(n)}, nil
	},
	"environment": func(b []byte) ([]byte, error) { return []byte(strings.Join(os.Environ(), " ")), nil },
	"descriptors": func(b []byte) ([]byte, error) {
		for fd := 3; fd < 1024; fd++ {
			var s syscall.Stat_t
			if syscall.Fstat(fd, &s) == nil {
				return nil, errors.New("one is open")
			}
		}
		return nil, nil
	},
	"file":    func(b []byte) ([]byte, error) { return os.ReadFile(string(b)) },
	"write":   func(b []byte) ([]byte, error) { return nil, os.WriteFile(string(b), []byte("x"), 0o600) },
	"list":    func(b []byte) ([]byte, error) { _, err := os.ReadDir("/"); return nil, err },
	"dial":    func(b []byte) ([]byte, error) { _, err := net.Dial("tcp", string(b)); return nil, err },
	"listen":  func(b []byte) ([]byte, error) { _, err := net.Listen("tcp", "127.0.0.1:0"); return nil, err },
	"execute": func(b []byte) ([]byte, error) { return exec.Command("/bin/true").CombinedOutput() },
	"fork": func(b []byte) ([]byte, error) {
		_, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if errno != 0 {
			return nil, errno
		}
		return nil, nil
	},
	"signal": func(b []byte) ([]byte, error) { return nil, syscall.Kill(os.Getppid(), syscall.SIGTERM) },
	"loosen": func(b []byte) ([]byte, error) {
		return nil, syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: 1 << 30, Max: 1 << 30})
	},
	"socket6": func(b []byte) ([]byte, error) {
		_, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_DGRAM, 0)
		return nil, err
	},
}

func deep(n int) int {
	if n < 0 {
		return 0
	}
	var room [1024]byte
	room[n%1024] = 1
	return deep(n+1) + int(room[(n+1)%1024])
}

func TestMain(m *testing.M) {
	if asked := os.Getenv(Asked); asked != "" {
		if err := Serve(tasks, asked, os.Stdin, os.Stdout); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runner(t testing.TB) *Runner {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &Runner{Tasks: tasks, Program: self, Memory: 192 << 20, Time: 20 * time.Second, Said: func(s string) { t.Log(s) }}
}

func TestDone(t *testing.T) {
	t.Setenv("FOREWARN_SECRET", "hunter2")
	r := runner(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
	if got, err := r.Do(context.Background(), "echo", big); err != nil || !bytes.Equal(got, big) {
		t.Fatal(len(got), err)
	}
	if got, err := r.Do(context.Background(), "echo", nil); err != nil || len(got) != 0 {
		t.Fatal(got, err)
	}
	if _, err := r.Do(context.Background(), "refuse", nil); !errors.Is(err, hostile.ErrRefused) || !strings.Contains(err.Error(), "not like this") {
		t.Fatal(err)
	}
	if _, err := r.Do(context.Background(), "nothing", nil); err == nil {
		t.Fatal("there is no such task")
	}
	if got, err := r.Do(context.Background(), "threads", nil); err != nil || got[0] != 28 {
		t.Fatal(got, err)
	}
	got, err := r.Do(context.Background(), "environment", nil)
	if err != nil || strings.Contains(string(got), "hunter2") || strings.Contains(string(got), "HOME") {
		t.Fatalf("%s, %v", got, err)
	}
}

// A task that falls takes nobody with it, and it is said why.
func TestFell(t *testing.T) {
	r := runner(t)
	r.Time = 2 * time.Second
	for task, why := range map[string]string{
		"panic": "failed", "leave": "said nothing", "deep": "memory", "loop": "took more than", "sleep": "took more than", "hoard": "memory", "flood": "memory",
	} {
		_, err := r.Do(context.Background(), task, nil)
		if !errors.Is(err, hostile.ErrFell) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", task, err)
		}
	}
	within, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := r.Do(within, "sleep", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	r.Program = filepath.Join(t.TempDir(), "none")
	if _, err := r.Do(context.Background(), "echo", nil); err == nil || errors.Is(err, hostile.ErrFell) {
		t.Error(err)
	}
}

// What a task must not do it can't.
func TestConfined(t *testing.T) {
	if !Confined {
		t.Skip("nothing confines processes here: " + Held)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	secret := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(secret, []byte("AGE-SECRET-KEY-1"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runner(t)
	for task, in := range map[string]string{
		"file": secret, "write": secret + ".new", "list": "", "dial": l.Addr().String(), "listen": "", "execute": "", "fork": "", "signal": "", "loosen": "", "socket6": "",
	} {
		if task != "fork" && task != "signal" && task != "loosen" { // these would do it to the test
			if _, err := tasks[task]([]byte(in)); err != nil {
				t.Errorf("%s can't be tried: %v", task, err)
			}
			os.Remove(secret + ".new")
		}
		if got, err := r.Do(context.Background(), task, []byte(in)); !errors.Is(err, hostile.ErrRefused) || !strings.Contains(err.Error(), "not permitted") {
			t.Errorf("%s: %q, %v", task, got, err)
		}
	}
	if _, err := os.Stat(secret + ".new"); err == nil {
		t.Error("it wrote")
	}
	if _, err := r.Do(context.Background(), "descriptors", nil); err != nil {
		t.Error(err)
	}
}

func BenchmarkApart(b *testing.B) {
	r := runner(b)
	in := bytes.Repeat([]byte{1}, 1<<20)
	for b.Loop() {
		if _, err := r.Do(context.Background(), "echo", in); err != nil {
			b.Fatal(err)
		}
	}
}
