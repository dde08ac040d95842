package keep

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/ledger"
)

// exportReadme says what each file and field is, to whoever has nothing but the export.
//
//go:embed export.md
var exportReadme []byte

// Exported is what an export came to.
type Exported struct {
	Entries  int
	Texts    int
	Withheld int // texts that the account may not read
	Gone     int // texts whose key is destroyed
	Anchors  int // files of the published log
	Packages int // whose last source is in it
}

// Export writes a programme to a new folder in formats that need no Forewarn: entries
// as JSON lines, what they fold to, the texts that the account may read, and the
// anchors as they are published. Sealed copies aren't in it: they are their holders'.
// The last source of each package that the account may open is in it when packages is
// set: opening each is an entry, by that account, so that d has to be one that can write.
//
// Else d only looks; vkey is the log's. Errors: ErrTaken when the folder is there,
// cvd.ErrDenied when the account may not read the log. Nothing is left after an error.
func Export(ctx context.Context, d *coordinator.Desk, by cvd.Actor, vkey, anchors, dir string, packages bool, progress Progress) (out Exported, err error) {
	if _, err := os.Lstat(dir); err == nil {
		return out, fmt.Errorf("%q %w: name a new folder", dir, ErrTaken)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return out, err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".exporting-")
	if err != nil {
		return out, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	x := &export{writer: writer{ctx: ctx, dir: temp, progress: progress}, desk: d, by: by, out: &out, seen: map[cvd.BlobRef]string{}}
	if packages {
		if err := x.packages(); err != nil {
			return out, err
		}
	}
	// One moment of the programme: what is appended meanwhile isn't in it.
	if err := d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewLog, cvd.TheProgramme(), d.Clock()); err != nil {
			return err
		}
		if err := x.entries(p); err != nil {
			return err
		}
		return x.things(p, vkey)
	}); err != nil {
		return out, err
	}
	if err := x.anchors(anchors); err != nil {
		return out, err
	}
	if err := x.write("README.md", exportReadme, 0o600); err != nil {
		return out, err
	}
	if err := x.sync(); err != nil {
		return out, err
	}
	if err := os.Rename(temp, dir); err != nil {
		return out, err
	}
	return out, syncFolder(filepath.Dir(dir))
}

type export struct {
	writer
	desk *coordinator.Desk
	by   cvd.Actor
	out  *Exported
	seen map[cvd.BlobRef]string // where a text is; empty: it isn't
}

// lines is a file of JSON values, one a line.
type lines struct {
	f *os.File
	b *bufio.Writer
}

func (x *export) lines(name string) (*lines, error) {
	f, err := x.create(name, 0o600)
	if err != nil {
		return nil, err
	}
	return &lines{f, bufio.NewWriterSize(f, 1<<16)}, nil
}

func (l *lines) put(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.b.Write(append(b, '\n'))
	return err
}

func (l *lines) close() error { return errors.Join(l.b.Flush(), l.f.Sync(), l.f.Close()) }

// entries writes the log as far as the state goes, and the texts that it names.
func (x *export) entries(p *cvd.Programme) (err error) {
	all, err := x.lines("entries.jsonl")
	if err != nil {
		return err
	}
	receipts, err := x.lines("receipts.jsonl")
	if err != nil {
		return errors.Join(err, all.close())
	}
	defer func() { err = errors.Join(err, all.close(), receipts.close()) }()
	done := errors.New("done")
	err = x.desk.Store.Read(x.ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
		if seq >= p.Next {
			return done
		}
		if err := x.ctx.Err(); err != nil {
			return err
		}
		e, err := entrylog.ParseEntry(r.Entry)
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ledger.ErrDamaged, seq, err)
		}
		line := map[string]any{
			"seq": seq, "time": e.Time, "kind": cvd.KindName(e.Kind), "kind_number": e.Kind, "auth": e.Auth.String(),
			"actor": e.Actor.String(), "subject": e.Subject.String(),
			"entry": base64.StdEncoding.EncodeToString(r.Entry), "salt": base64.StdEncoding.EncodeToString(r.Salt[:]),
		}
		if body, err := cvd.DecodeBody(e.Kind, e.Body); err == nil {
			line["body"] = coordinator.Plain(body)
			texts := map[string]any{}
			var failed error
			x.desk.OpenTexts(x.ctx, x.by, p, body, func(ref cvd.BlobRef, plain []byte, err error) {
				name, werr := x.text(ref, plain, err)
				failed = errors.Join(failed, werr)
				if texts[ref.String()] = nil; name != "" {
					texts[ref.String()] = name
				}
			})
			if failed != nil {
				return failed
			}
			if len(texts) > 0 {
				line["texts"] = texts
			}
			if e.Kind == cvd.KindReceiptLodged {
				if err := receipts.put(map[string]any{"seq": seq, "time": e.Time, "receipt": line["body"]}); err != nil {
					return err
				}
			}
		}
		x.out.Entries++
		x.progress("entries", x.out.Entries, int(p.Next))
		return all.put(line)
	})
	if err == done {
		err = nil
	}
	return err
}

// text writes a text once, and says where.
func (x *export) text(ref cvd.BlobRef, plain []byte, why error) (string, error) {
	if name, done := x.seen[ref]; done {
		return name, nil
	}
	name := ""
	switch {
	case errors.Is(why, cvd.ErrDenied):
		x.out.Withheld++
	case errors.Is(why, coordinator.ErrGone):
		x.out.Gone++
	case why != nil:
		return "", why
	default:
		ext := ".bin"
		if json.Valid(plain) {
			ext = ".json"
		} else if utf8.Valid(plain) {
			ext = ".txt"
		}
		name = "texts/" + ref.String() + ext
		if err := x.write(name, plain, 0o600); err != nil {
			return "", err
		}
		x.out.Texts++
	}
	x.seen[ref] = name
	return name, nil
}

// things writes what the entries fold to, with names where they can be read.
func (x *export) things(p *cvd.Programme, vkey string) error {
	n := x.desk.Names(x.ctx, p)
	state := p.StateHash()
	about, err := json.MarshalIndent(map[string]any{
		"origin": p.Origin, "name": n.Programme(), "log_key": vkey, "interval_seconds": p.Interval.Seconds(), "founded": p.Founded,
		"entries": p.Next, "state": fmt.Sprintf("%x", state), "format": "forewarn export v1",
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := x.write("programme.json", append(about, '\n'), 0o600); err != nil {
		return err
	}
	write := func(name string, each func(put func(thing any, more map[string]any) error) error) error {
		l, err := x.lines(name)
		if err != nil {
			return err
		}
		err = each(func(thing any, more map[string]any) error {
			o, _ := coordinator.Plain(thing).(map[string]any)
			for k, v := range more {
				o[k] = v
			}
			return l.put(o)
		})
		return errors.Join(err, l.close())
	}
	type put = func(thing any, more map[string]any) error
	now := x.desk.Clock()
	for _, file := range []struct {
		name string
		each func(put) error
	}{
		{"members.jsonl", func(put put) error {
			for _, id := range p.MemberOrder {
				if err := put(p.Members[id], map[string]any{"called": n.Member(id)}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"accounts.jsonl", func(put put) error {
			for _, id := range p.AccountOrder {
				if err := put(p.Accounts[id], map[string]any{"called": n.Account(id)}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"cases.jsonl", func(put put) error {
			for _, id := range p.CaseOrder {
				more := map[string]any{"embargo_state": p.EmbargoState(id, now).String()}
				if p.May(x.by, cvd.ActReadCase, cvd.ACase(id), now) == nil {
					more["called"] = n.Case(id)
				}
				if err := put(p.Cases[id], more); err != nil {
					return err
				}
			}
			return nil
		}},
		{"waves.jsonl", func(put put) error {
			for _, id := range p.WaveOrder {
				if err := put(p.Waves[id], map[string]any{"state": p.WaveState(id, now).String()}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"heads_ups.jsonl", func(put put) error {
			for _, id := range p.HeadsUpOrder {
				if err := put(p.HeadsUps[id], map[string]any{"state": p.HeadsUpState(id, now).String()}); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		if err := write(file.name, file.each); err != nil {
			return err
		}
	}
	return x.advisories(p)
}

// advisories are files as they were published, or corrected last.
func (x *export) advisories(p *cvd.Programme) error {
	for _, id := range p.CaseOrder {
		c := p.Cases[id]
		name := x.seen[c.CurrentAdvisory()]
		if name == "" {
			continue // there is none, its key is destroyed, or it isn't theirs
		}
		b, err := folder.ReadFile(filepath.Join(x.dir, filepath.FromSlash(name)), maxKept)
		if err != nil {
			return err
		}
		ext := ".bin"
		if utf8.Valid(bytes.TrimSpace(b)) {
			ext = ".txt"
		}
		if err := x.write("advisories/"+id.String()+ext, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// packages opens the last source of each package that the account may open, and
// writes its files. Whose key is destroyed is passed over: its entries say so.
func (x *export) packages() error {
	var all []cvd.PackageID
	if err := x.desk.View(func(p *cvd.Programme) error {
		now := x.desk.Clock()
		if err := p.May(x.by, cvd.ActViewLog, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for id, k := range p.Packages {
			if len(k.Drafts) > 0 && p.May(x.by, cvd.ActOpenDraft, cvd.APackage(id), now) == nil {
				all = append(all, id)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b cvd.PackageID) int { return bytes.Compare(a[:], b[:]) })
	for i, id := range all {
		src, err := x.desk.OpenDraft(x.ctx, x.by, id)
		if errors.Is(err, coordinator.ErrGone) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the source of package %s: %w", id.Short(), err)
		}
		for _, f := range src.Files {
			if !filepath.IsLocal(filepath.FromSlash(f.Path)) {
				return fmt.Errorf("%w: the source of package %s has a file %q, which would lie outside its folder", ledger.ErrDamaged, id.Short(), f.Path)
			}
			if err := x.write("packages/"+id.String()+"/"+f.Path, f.Data, 0o600); err != nil {
				return err
			}
		}
		x.out.Packages++
		x.progress("packages", i+1, len(all))
	}
	return nil
}

// anchors copies the published log.
func (x *export) anchors(dir string) error {
	src, err := folder.OpenPublisher(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	return src.List(x.ctx, func(name string) error {
		b, err := src.ReadFile(x.ctx, name)
		if err != nil {
			return err
		}
		x.out.Anchors++
		return x.write("anchors/"+name, b, 0o600)
	})
}
