// Package memstore keeps a log, its published anchors and its outside checkpoint
// in memory, behind the ledger's interfaces. It passes the same conformance suite
// as the stores on disk, and it can be told to fail: before an effect, or after
// it, at any operation. Tests and simulations run on it; nothing in it survives
// the process, so it must not hold a real programme.
package memstore

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// Op names an operation of the three interfaces.
type Op string

const (
	Acquire  Op = "acquire"
	Append   Op = "append"
	Read     Op = "read"
	Size     Op = "size"
	SetHead  Op = "set head"
	Head     Op = "head"
	Follow   Op = "follow"
	Publish  Op = "publish"
	ReadFile Op = "read file"
	List     Op = "list"
	Remove   Op = "remove"
	Load     Op = "load outside"
	Save     Op = "save outside"
)

// Writes are the operations that have an effect to lose or to keep.
var Writes = []Op{Acquire, Append, SetHead, Publish, Remove, Save}

// Reads are the others.
var Reads = []Op{Read, Size, Head, Follow, ReadFile, List, Load}

// Fault is how an operation goes wrong. The zero Fault is none.
type Fault struct {
	Err  error // returned by the operation
	Kept bool  // its effect happens all the same
	Part int   // Publish, when not Kept: how many files are kept, from the first
}

// Hook is asked before every operation. It may block, panic, or count.
type Hook func(Op) Fault

func (h Hook) ask(op Op) Fault {
	if h == nil {
		return Fault{}
	}
	return h(op)
}

// Once gives a fault to the nth operation op from now on, counted from 1, and
// none to any other.
func Once(op Op, nth int, f Fault) Hook {
	var mu sync.Mutex
	return func(o Op) Fault {
		mu.Lock()
		defer mu.Unlock()
		if o != op {
			return Fault{}
		}
		if nth--; nth == 0 {
			return f
		}
		return Fault{}
	}
}

// disk is what handles share, as processes share a folder.
type disk struct {
	mu      sync.Mutex
	epoch   uint64
	records []entrylog.Record
	head    []byte
	grown   chan struct{} // closed and replaced when records grow
}

// Store is a handle on a log in memory. It has no lock between processes:
// acquiring fences whoever held the log.
type Store struct {
	disk   *disk
	hook   Hook
	closed chan struct{}
	once   sync.Once
}

var _ ledger.Store = (*Store)(nil)

// New is an empty log. hook may be nil.
func New(hook Hook) *Store {
	return &Store{disk: &disk{grown: make(chan struct{})}, hook: hook, closed: make(chan struct{})}
}

// Reopen is another handle on the same log, as after a restart or in another
// process.
func (s *Store) Reopen(hook Hook) *Store {
	return &Store{disk: s.disk, hook: hook, closed: make(chan struct{})}
}

// Copy is a separate log with what this one holds now, as a backup makes it.
func (s *Store) Copy(hook Hook) *Store {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	c := New(hook)
	c.disk.epoch = s.disk.epoch
	c.disk.head = slices.Clone(s.disk.head)
	for _, r := range s.disk.records {
		c.disk.records = append(c.disk.records, entrylog.Record{Salt: r.Salt, Entry: slices.Clone(r.Entry)})
	}
	return c
}

// Tamper lets a test change what is kept, behind the ledger's back.
func (s *Store) Tamper(change func(records []entrylog.Record, head []byte)) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	change(s.disk.records, s.disk.head)
}

// enter asks the hook and takes the disk. The caller releases it.
func (s *Store) enter(ctx context.Context, op Op) (Fault, error) {
	if err := ctx.Err(); err != nil {
		return Fault{}, err
	}
	select {
	case <-s.closed:
		return Fault{}, ledger.ErrClosed
	default:
	}
	f := s.hook.ask(op)
	s.disk.mu.Lock()
	return f, nil
}

// Acquire fences every earlier writer.
func (s *Store) Acquire(ctx context.Context) (uint64, error) {
	f, err := s.enter(ctx, Acquire)
	if err != nil {
		return 0, err
	}
	defer s.disk.mu.Unlock()
	if f.Err == nil || f.Kept {
		s.disk.epoch++
	}
	if f.Err != nil {
		return 0, f.Err
	}
	return s.disk.epoch, nil
}

func (d *disk) fence(epoch uint64) error {
	if epoch != d.epoch || epoch == 0 {
		return fmt.Errorf("%w: this one's epoch is %d, the newest is %d", ledger.ErrFenced, epoch, d.epoch)
	}
	return nil
}

// Append keeps copies of recs.
func (s *Store) Append(ctx context.Context, at entrylog.Seq, epoch uint64, recs []entrylog.Record) error {
	f, err := s.enter(ctx, Append)
	if err != nil {
		return err
	}
	d := s.disk
	defer d.mu.Unlock()
	if err := d.fence(epoch); err != nil {
		return err
	}
	if n := entrylog.Seq(len(d.records)); at != n {
		return fmt.Errorf("%w: it has %d entries, not %d", ledger.ErrConflict, n, at)
	}
	if f.Err == nil || f.Kept {
		for _, r := range recs {
			d.records = append(d.records, entrylog.Record{Salt: r.Salt, Entry: slices.Clone(r.Entry)})
		}
		if len(recs) > 0 {
			close(d.grown)
			d.grown = make(chan struct{})
		}
	}
	return f.Err
}

// Read yields what was there when it began. It lends one buffer for all
// records, so that a caller who keeps one is found out.
func (s *Store) Read(ctx context.Context, from entrylog.Seq, yield func(entrylog.Seq, entrylog.Record) error) error {
	f, err := s.enter(ctx, Read)
	if err != nil {
		return err
	}
	records := s.disk.records
	s.disk.mu.Unlock()
	if f.Err != nil {
		return f.Err
	}
	var lent []byte
	for seq := from; seq < entrylog.Seq(len(records)); seq++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		lent = append(lent[:0], records[seq].Entry...)
		if err := yield(seq, entrylog.Record{Salt: records[seq].Salt, Entry: lent}); err != nil {
			return err
		}
	}
	return nil
}

// Size is the number of entries.
func (s *Store) Size(ctx context.Context) (entrylog.Seq, error) {
	f, err := s.enter(ctx, Size)
	if err != nil {
		return 0, err
	}
	defer s.disk.mu.Unlock()
	return entrylog.Seq(len(s.disk.records)), f.Err
}

// SetHead replaces the head.
func (s *Store) SetHead(ctx context.Context, epoch uint64, head []byte) error {
	f, err := s.enter(ctx, SetHead)
	if err != nil {
		return err
	}
	defer s.disk.mu.Unlock()
	if err := s.disk.fence(epoch); err != nil {
		return err
	}
	if f.Err == nil || f.Kept {
		s.disk.head = slices.Clone(head)
	}
	return f.Err
}

// Head returns a copy of the head.
func (s *Store) Head(ctx context.Context) ([]byte, error) {
	f, err := s.enter(ctx, Head)
	if err != nil {
		return nil, err
	}
	defer s.disk.mu.Unlock()
	if f.Err != nil {
		return nil, f.Err
	}
	return slices.Clone(s.disk.head), nil
}

// Follow waits without polling.
func (s *Store) Follow(ctx context.Context, n entrylog.Seq) (entrylog.Seq, error) {
	for {
		f, err := s.enter(ctx, Follow)
		if err != nil {
			return 0, err
		}
		size, grown := entrylog.Seq(len(s.disk.records)), s.disk.grown
		s.disk.mu.Unlock()
		if f.Err != nil {
			return 0, f.Err
		}
		if size > n {
			return size, nil
		}
		select {
		case <-grown:
		case <-s.closed:
			return 0, ledger.ErrClosed
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Close ends this handle; others go on.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// Folder is a published folder in memory.
type Folder struct {
	mu    sync.Mutex
	files map[string][]byte
	hook  Hook
}

var _ ledger.Publisher = (*Folder)(nil)

// NewFolder is empty. hook may be nil.
func NewFolder(hook Hook) *Folder { return &Folder{files: map[string][]byte{}, hook: hook} }

// SetHook changes the hook. Not while an operation runs.
func (p *Folder) SetHook(hook Hook) { p.hook = hook }

// Copy is a separate folder with the same files.
func (p *Folder) Copy(hook Hook) *Folder { return &Folder{files: p.Files(), hook: hook} }

// Files is a copy of all files.
func (p *Folder) Files() map[string][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string][]byte, len(p.files))
	for path, b := range p.files {
		out[path] = slices.Clone(b)
	}
	return out
}

// Tamper lets a test change files behind the ledger's back.
func (p *Folder) Tamper(change func(files map[string][]byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p.files)
}

// Publish keeps files in their order.
func (p *Folder) Publish(ctx context.Context, files []ledger.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := p.hook.ask(Publish)
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Err != nil && !f.Kept {
		files = files[:min(f.Part, len(files))]
	}
	for _, file := range files {
		p.files[file.Path] = slices.Clone(file.Data)
	}
	return f.Err
}

// ReadFile returns a copy.
func (p *Folder) ReadFile(ctx context.Context, path string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f := p.hook.ask(ReadFile); f.Err != nil {
		return nil, f.Err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b, ok := p.files[path]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
	}
	return slices.Clone(b), nil
}

// List yields the paths in order.
func (p *Folder) List(ctx context.Context, yield func(string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f := p.hook.ask(List); f.Err != nil {
		return f.Err
	}
	p.mu.Lock()
	paths := slices.Sorted(maps.Keys(p.files))
	p.mu.Unlock()
	for _, path := range paths {
		if err := yield(path); err != nil {
			return err
		}
	}
	return nil
}

// Remove deletes files and folders.
func (p *Folder) Remove(ctx context.Context, paths []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := p.hook.ask(Remove)
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Err == nil || f.Kept {
		for _, gone := range paths {
			maps.DeleteFunc(p.files, func(path string, _ []byte) bool {
				return path == gone || strings.HasPrefix(path, gone+"/")
			})
		}
	}
	return f.Err
}

// Outside is an outside checkpoint in memory.
type Outside struct {
	mu    sync.Mutex
	saved []byte
	hook  Hook
}

var _ ledger.Outside = (*Outside)(nil)

// NewOutside holds nothing yet. hook may be nil.
func NewOutside(hook Hook) *Outside { return &Outside{hook: hook} }

// SetHook changes the hook. Not while an operation runs.
func (o *Outside) SetHook(hook Hook) { o.hook = hook }

// Copy is a separate Outside with the same checkpoint.
func (o *Outside) Copy(hook Hook) *Outside {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &Outside{saved: slices.Clone(o.saved), hook: hook}
}

// Load returns a copy of what was saved last.
func (o *Outside) Load(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f := o.hook.ask(Load); f.Err != nil {
		return nil, f.Err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.saved), nil
}

// Save replaces it.
func (o *Outside) Save(ctx context.Context, checkpoint []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := o.hook.ask(Save)
	o.mu.Lock()
	defer o.mu.Unlock()
	if f.Err == nil || f.Kept {
		o.saved = slices.Clone(checkpoint)
	}
	return f.Err
}
