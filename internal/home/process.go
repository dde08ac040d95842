package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/inquiry"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
)

// AnySealer is all that a sealer can be asked, by the desk and by the inquiry.
type AnySealer interface {
	coordinator.Sealer
	inquiry.Sealer
}

// Sealer gives the programme's sealer: by default a child process that is
// started when it is first asked something, and ends with its caller; or one that
// listens at the socket that forewarn.json names.
func (h *Home) Sealer(open *closers) (AnySealer, error) {
	if h.Machine.SealerInside {
		vault, err := folder.OpenPrivate(filepath.Join(h.Dir, "sealer"))
		if err != nil {
			return nil, err
		}
		open.add(vault)
		return pipe(&sealer.Sealer{Vault: vault, Envelope: seal.Envelope{}, Clock: h.Machine.Clock, Rand: h.Machine.Rand}, open), nil
	}
	p := &process{dir: filepath.Join(h.Dir, "sealer"), socket: h.config.Sealer}
	open.add(p)
	return p, nil
}

// pipe puts the sealer's protocol between it and its caller, as two processes
// would have it.
func pipe(s *sealer.Sealer, open *closers) *sealer.Client {
	askR, askW := io.Pipe()
	tellR, tellW := io.Pipe()
	go func() { tellW.CloseWithError(sealer.Serve(context.Background(), s, askR, tellW)) }()
	open.add(askW)
	return sealer.Dial(tellR, askW)
}

// ServeSealer is the whole of the sealer's process.
func ServeSealer(ctx context.Context, dir string, m Machine, in io.Reader, out io.Writer) error {
	m = m.filled()
	vault, err := folder.OpenPrivate(dir)
	if err != nil {
		return err
	}
	defer vault.Close()
	return sealer.Serve(ctx, &sealer.Sealer{Vault: vault, Envelope: seal.Envelope{}, Clock: m.Clock, Rand: m.Rand}, in, out)
}

// process is a sealer in a process of its own. A child has the sealer's folder, two
// pipes, and none of the desk's environment; one at a socket is another user's, and
// its folder can't be read from here.
type process struct {
	dir    string
	socket string // empty: a child
	mu     sync.Mutex
	client *sealer.Client
	cmd    *exec.Cmd
	in     io.Closer
	ended  *atomic.Bool // nothing more comes from it
}

// watched notes when the other end is gone.
type watched struct {
	io.Reader
	io.Writer
	ended *atomic.Bool
}

func (w watched) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil {
		w.ended.Store(true)
	}
	return n, err
}

func (w watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	if err != nil {
		w.ended.Store(true)
	}
	return n, err
}

func (p *process) ask() (*sealer.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil && !p.ended.Load() {
		return p.client, nil
	}
	// One that died is replaced: what it was asked can be asked again.
	p.end()
	if p.socket != "" {
		return p.meet()
	}
	if _, err := os.Stat(p.dir); err != nil {
		return nil, fmt.Errorf("%w: the sealer's folder: %w", ErrBroken, err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "sealer", "serve", p.dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC"}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the sealer: %w", err)
	}
	p.cmd, p.in, p.ended = cmd, in, new(atomic.Bool)
	pipes := watched{out, in, p.ended}
	p.client = sealer.Dial(pipes, pipes)
	return p.client, nil
}

// meet connects to a sealer that listens.
func (p *process) meet() (*sealer.Client, error) {
	c, err := net.Dial("unix", p.socket)
	if err != nil {
		return nil, fmt.Errorf("the sealer's socket: %w; is its unit started, and may this account use it?", err)
	}
	p.cmd, p.in, p.ended = nil, c, new(atomic.Bool)
	pipes := watched{c, c, p.ended}
	p.client = sealer.Dial(pipes, pipes)
	return p.client, nil
}

// Close ends the process.
func (p *process) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end()
}

func (p *process) end() error {
	if p.client == nil {
		return nil
	}
	err := p.in.Close()
	if p.cmd != nil {
		err = errors.Join(err, p.cmd.Wait())
	}
	p.client = nil
	return err
}

// asking is one request to the process.
func asking[T any](p *process, f func(*sealer.Client) (T, error)) (out T, err error) {
	c, err := p.ask()
	if err != nil {
		return out, err
	}
	return f(c)
}

func (p *process) Compile(ctx context.Context, q sealer.CompileRequest) (sealer.CompileResult, error) {
	return asking(p, func(c *sealer.Client) (sealer.CompileResult, error) { return c.Compile(ctx, q) })
}

func (p *process) Seal(ctx context.Context, q sealer.SealRequest, each func(sealer.Parcel) error) (sealer.SealResult, error) {
	return asking(p, func(c *sealer.Client) (sealer.SealResult, error) { return c.Seal(ctx, q, each) })
}

func (p *process) WaveKey(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID) ([32]byte, error) {
	return asking(p, func(c *sealer.Client) ([32]byte, error) { return c.WaveKey(ctx, pkg, w) })
}

func (p *process) Forms(ctx context.Context, cs cvd.CaseID) ([]sealer.CaseForm, error) {
	return asking(p, func(c *sealer.Client) ([]sealer.CaseForm, error) { return c.Forms(ctx, cs) })
}

func (p *process) Codebook(ctx context.Context, pkg cvd.PackageID, readings [32]byte) (sealer.Codebook, error) {
	return asking(p, func(c *sealer.Client) (sealer.Codebook, error) { return c.Codebook(ctx, pkg, readings) })
}

func (p *process) Opening(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID, h cvd.HolderID) (sealer.Opening, error) {
	return asking(p, func(c *sealer.Client) (sealer.Opening, error) { return c.Opening(ctx, pkg, w, h) })
}

func (p *process) Confirm(ctx context.Context, pkg cvd.PackageID, w cvd.WaveID) error {
	_, err := asking(p, func(c *sealer.Client) (struct{}, error) { return struct{}{}, c.Confirm(ctx, pkg, w) })
	return err
}

// AcceptKeys is a person's word at the sealer that a holder has new keys: see
// sealer.Sealer.Accept. dir is the sealer's folder.
func AcceptKeys(dir string, holder cvd.HolderID, recipients []string) error {
	vault, err := folder.OpenPrivate(dir)
	if err != nil {
		return err
	}
	defer vault.Close()
	return (&sealer.Sealer{Vault: vault}).Accept(sealer.HolderKeys{Holder: holder, Recipients: recipients})
}
