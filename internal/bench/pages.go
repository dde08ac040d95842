package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/home"
	"forewarn/internal/machine"
)

// Pages asks for a public advisory over 64 connections, of the desk that the real
// binary serves and of its peers, in turns: whole answers, and those to who has the
// page already.
type Pages struct {
	Binary string // the program
	Size   int    // bytes of the advisory's text
	Rounds int
	Turn   time.Duration // of each
	Say    func(string)
}

// PagesResult is answers per second of the server's processor time, medians.
type PagesResult struct {
	Bytes   int64             `json:"bytes"` // of the page, as it is sent
	Rounds  int               `json:"rounds"`
	Desk    Answers           `json:"desk"`
	Peers   map[string]Served `json:"peers"`
	Absent  map[string]string `json:"absent,omitempty"` // peers that there are not, and why
	Client  string            `json:"client"`
	CPU     string            `json:"cpu"`
	Go      string            `json:"go"`
	Machine int               `json:"cores"`
}

// Answers per second of processor time.
type Answers struct {
	Whole     float64 `json:"whole_per_cpu_s"`
	Unchanged float64 `json:"unchanged_per_cpu_s"`
}

// Served is a peer's answers, and the desk's as a part of them.
type Served struct {
	Answers
	Version        string  `json:"version"`
	RatioWhole     float64 `json:"ratio_whole"`
	RatioUnchanged float64 `json:"ratio_unchanged"`
}

// ErrPages: what was asked for can't be measured.
var ErrPages = errors.New("pages can't be measured so")

// served is a process that serves the page at url.
type served struct {
	name, version, url string
	pid                int
	whole, unchanged   []float64
}

// Run founds a programme in dir, publishes, serves, and takes turns.
func (b Pages) Run(ctx context.Context, dir string) (r PagesResult, err error) {
	if b.Size < 1 || b.Size > 200<<10 || b.Rounds < 1 || b.Turn < time.Second {
		return r, fmt.Errorf("%w: from 1 byte to 200 KiB, at least one round, turns of a second", ErrPages)
	}
	if _, err := exec.LookPath("wrk"); err != nil {
		return r, fmt.Errorf("%w: it asks with wrk, which is not installed: %w", ErrPages, err)
	}
	r = PagesResult{Rounds: b.Rounds, Peers: map[string]Served{}, Absent: map[string]string{}, Client: version("wrk", "--version"), CPU: machine.CPU(), Go: runtime.Version(), Machine: runtime.NumCPU()}
	b.Say("founding a programme, publishing an advisory")
	path, err := b.publish(ctx, filepath.Join(dir, "programme"))
	if err != nil {
		return r, err
	}
	within, stop := context.WithCancel(ctx)
	defer stop()
	desk, err := process(within, b.Binary, "serve", "--dir", filepath.Join(dir, "programme"), "--listen", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	desk.url += path
	tag, body, err := whole(desk.url)
	if err != nil {
		return r, err
	}
	r.Bytes = int64(len(body))
	all := []*served{desk}
	bare, err := process(within, b.Binary, "bench", "bare", desk.url)
	if err != nil {
		return r, err
	}
	bare.name, bare.version = "net/http", runtime.Version()
	all = append(all, bare)
	if x, err := nginx(within, dir, body); err != nil {
		r.Absent["nginx"] = err.Error()
	} else {
		all = append(all, x)
	}
	for i := range b.Rounds {
		for _, x := range all {
			b.Say(fmt.Sprintf("turn %d: %s", i+1, x.name))
			own := tag
			if x.name == "nginx" {
				own = "" // its own, found when asked
			}
			if err := x.turn(ctx, b.Turn, own); err != nil {
				return r, err
			}
		}
	}
	r.Desk = desk.answers()
	for _, x := range all[1:] {
		a := x.answers()
		r.Peers[x.name] = Served{a, x.version, r.Desk.Whole / a.Whole, r.Desk.Unchanged / a.Unchanged}
	}
	return r, nil
}

// publish founds a programme with one advisory, and gives the advisory's path.
func (b Pages) publish(ctx context.Context, dir string) (path string, err error) {
	h, err := home.Create(ctx, dir, home.Founding{Origin: "bench.example/forewarn", Tick: time.Minute, Machine: home.Machine{SealerInside: true}})
	if err != nil {
		return "", err
	}
	d, err := h.Desk(ctx)
	if err != nil {
		return "", err
	}
	defer d.Close()
	first, err := d.Found(ctx, h.Origin(), "Bench early warning", coordinator.Person{Handle: "ana", Name: "Ana"}, time.Minute, []byte(coordinator.DefaultTerms))
	if err != nil {
		return "", err
	}
	by := cvd.Actor{Account: first, Auth: entrylog.AuthNone}
	cs, err := d.OpenCase(ctx, by, coordinator.Opening{Title: "Larkspur Portal: layout import", Named: []string{"Larkspur Portal"}, Release: cvd.ReleaseTime{At: time.Now().Add(24 * time.Hour), Zone: "UTC"}})
	if err != nil {
		return "", err
	}
	if _, err := d.EndEmbargo(ctx, by, cs, "to be measured"); err != nil {
		return "", err
	}
	var text strings.Builder
	for i := 0; text.Len() < b.Size; i++ {
		fmt.Fprintf(&text, "# Part %d\n\n", i)
		for k := range 8 {
			fmt.Fprintf(&text, "Request %x of version 7.%d is answered before the session is checked; upgrade to 7.%d. ", i*7919+k, i, i+1)
		}
		text.WriteString("\n\n")
	}
	if err := d.Release(ctx, by, cs, []byte(text.String())); err != nil {
		return "", err
	}
	return "/advisories/" + cs.String(), nil
}

// process starts a program of ours that prints "Serving URL" when it does.
func process(ctx context.Context, name string, args ...string) (*served, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	in := bufio.NewReader(out)
	said, err := in.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSuffix(said, ".\n"), "Serving ")
	if !ok {
		return nil, fmt.Errorf("%s %s did not start: %q, %w", filepath.Base(name), args[0], said, errors.Join(err, c.Wait()))
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // so that it never waits to be read
		_ = c.Wait()
	}()
	return &served{name: "desk", url: url, pid: c.Process.Pid}, nil
}

// whole is a page as it is sent to who takes it packed or not: wrk doesn't say.
func whole(url string) (tag string, body []byte, err error) {
	r, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Get(url)
	if err != nil {
		return "", nil, err
	}
	defer r.Body.Close()
	if body, err = io.ReadAll(r.Body); err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s is answered with %s", url, r.Status)
	}
	return r.Header.Get("ETag"), body, err
}

// Bare serves at an address of its choice what a page answers, heads and all, as
// little of net/http as can, until it is stopped.
func Bare(ctx context.Context, url string, started func(url string)) error {
	r, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	head, tag := r.Header.Clone(), r.Header.Get("ETag")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), head)
		if r.Header.Get("If-None-Match") == tag {
			delete(w.Header(), "Content-Type")
			delete(w.Header(), "Content-Length")
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(body)
	})}
	started("http://" + l.Addr().String())
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// nginx sends the page from a file, with one process and no access log.
func nginx(ctx context.Context, dir string, body []byte) (*served, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, fmt.Errorf("%w: nginx", ErrAbsent)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	at := l.Addr().String()
	conf := filepath.Join(dir, "nginx.conf")
	if err := errors.Join(l.Close(), os.WriteFile(filepath.Join(dir, "page.html"), body, 0o644), os.WriteFile(conf, fmt.Appendf(nil, `daemon off; master_process off; worker_processes 1; pid %s/nginx.pid; error_log %[1]s/nginx.log;
events { worker_connections 512; }
http { access_log off; sendfile on; keepalive_requests 1000000000; types { text/html html; } client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  server { listen %s; root %[1]s; } }
`, dir, at), 0o644)); err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, path, "-c", conf, "-e", filepath.Join(dir, "nginx.log"))
	if err := c.Start(); err != nil {
		return nil, err
	}
	go func() { _ = c.Wait() }()
	x := &served{name: "nginx", version: version(path, "-v"), url: "http://" + at + "/page.html", pid: c.Process.Pid}
	for range 50 {
		if _, _, err = whole(x.url); err == nil {
			return x, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, err
}

// version is the first line of what a program says of itself.
func version(name, arg string) string {
	out, _ := exec.Command(name, arg).CombinedOutput() // wrk leaves with 1
	first, _, _ := strings.Cut(string(out), "\n")
	first, _, _ = strings.Cut(first, " [")
	return strings.TrimSpace(first)
}

// turn asks for whole pages, then for whether they changed.
func (x *served) turn(ctx context.Context, long time.Duration, tag string) error {
	if tag == "" {
		own, _, err := whole(x.url)
		if err != nil {
			return err
		}
		tag = own
	}
	for _, t := range []struct {
		to   *[]float64
		args []string
	}{{&x.whole, nil}, {&x.unchanged, []string{"-H", "If-None-Match: " + tag}}} {
		n, err := x.ask(ctx, long, t.args)
		if err != nil {
			return err
		}
		*t.to = append(*t.to, n)
	}
	return nil
}

func (x *served) ask(ctx context.Context, long time.Duration, args []string) (perCPU float64, err error) {
	before := machine.Spent(x.pid)
	out, err := exec.CommandContext(ctx, "wrk", append([]string{"-t1", "-c64", fmt.Sprintf("-d%ds", int(long.Seconds()))}, append(args, x.url)...)...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	spent := machine.Spent(x.pid) - before
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 2 && f[1] == "requests" && f[2] == "in" {
			n, err := strconv.Atoi(f[0])
			if err == nil && n > 0 && spent > 0 {
				return float64(n) / spent.Seconds(), nil
			}
		}
		if strings.Contains(line, "Non-2xx") || strings.Contains(line, "Socket errors") {
			return 0, fmt.Errorf("wrk of %s: %s", x.name, strings.TrimSpace(line))
		}
	}
	return 0, fmt.Errorf("wrk of %s counted nothing: %s", x.name, out)
}

func (x *served) answers() Answers {
	return Answers{median(slices.Sorted(slices.Values(x.whole))), median(slices.Sorted(slices.Values(x.unchanged)))}
}
