package keep

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"forewarn/internal/apart"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/hostile"
	"forewarn/internal/ledger"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
)

// Grade is how a check came out. The zero Grade is broken: what wasn't looked at
// isn't well.
type Grade uint8

// The grades.
const (
	Broken Grade = iota // a case would not come back, or the desk would not open
	Warn                // it works, and somebody should do something
	OK
)

func (g Grade) String() string { return [...]string{"broken", "warn", "ok"}[g] }

// MarshalText is String, for JSON.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// Check is one line of an examination.
type Check struct {
	Name  string   `json:"check"`
	Grade Grade    `json:"grade"`
	Says  string   `json:"says"`
	Do    string   `json:"do,omitempty"`       // empty when it is ok
	Where []string `json:"problems,omitempty"` // one by one, as far as there is room
	Count int      `json:"count,omitempty"`    // of all of them
}

// Exam is what an examination needs beside the programme.
type Exam struct {
	Now      time.Time
	TLSCert  string // PEM file; empty: not looked at
	Progress Progress
}

const (
	maxWhere   = 20
	littleDisk = 1 << 30  // below this much room somebody should act
	noDisk     = 64 << 20 // below this an append may fail any moment
	soonOver   = 21 * 24 * time.Hour
)

// Examine does every check there is, whatever the earlier ones found, and changes
// nothing. The error is for what kept it from its work.
func Examine(ctx context.Context, p *Parts, x Exam) ([]Check, error) {
	e := &exam{Parts: p, Exam: x, ctx: ctx}
	for _, step := range []func() error{
		e.files, e.config, e.log, e.texts, e.waves, e.inquiry, e.outside, e.clock, e.access, e.disk, e.apart, e.certificate,
	} {
		if err := step(); err != nil {
			return e.checks, err
		}
	}
	return e.checks, nil
}

type exam struct {
	*Parts
	Exam
	ctx    context.Context
	checks []Check
	state  *cvd.Programme
	behind string    // how the log fails to continue the outside checkpoint; empty: it continues it
	last   time.Time // of the newest entry

	through time.Time // of the newest anchor
}

// say adds a line; problems make it as bad as grade, none make it ok.
func (e *exam) say(name string, grade Grade, problems []string, do, format string, args ...any) {
	c := Check{Name: name, Grade: grade, Says: fmt.Sprintf(format, args...), Do: do, Where: problems, Count: len(problems)}
	if len(c.Where) > maxWhere {
		c.Where = append(c.Where[:maxWhere:maxWhere], fmt.Sprintf("and %d more", len(problems)-maxWhere))
	}
	if grade == OK {
		c.Do, c.Where, c.Count = "", nil, 0
	}
	e.checks = append(e.checks, c)
}

// worse is the grade of a list of problems.
func worse(problems []string, grade Grade) Grade {
	if len(problems) == 0 {
		return OK
	}
	return grade
}

// files compares a backup with its manifest.
func (e *exam) files() error {
	if e.Backup == nil {
		return nil
	}
	var bad []string
	if err := e.Backup.CheckFiles(e.ctx, e.Dir, func(done, all int) { e.Progress("files", done, all) },
		func(_ ManifestFile, err error) { bad = append(bad, err.Error()) }); err != nil {
		return err
	}
	for _, with := range []string{"-wal", "-journal"} { // which restore leaves out, and SQLite reads along
		if info, err := os.Lstat(filepath.Join(e.Dir, filepath.FromSlash(e.Backup.Log+with))); err == nil && info.Size() > 0 {
			bad = append(bad, fmt.Sprintf("%q is no file of a backup, and changes what its log says", e.Backup.Log+with))
		}
	}
	e.say("files", worse(bad, Broken), bad, "use another backup; or delete what is named and run 'forewarn backup' into the same folder while the programme is well",
		"%d files of the backup of %s, %d not as written", len(e.Backup.Files), e.Backup.Made.Format("2006-01-02 15:04:05 UTC"), len(bad))
	return nil
}

// config says who vouches for a backup's forewarn.json: one that was changed is no backup.
func (e *exam) config() error {
	switch {
	case e.Backup == nil:
	case e.Backup.Signed == "":
		e.say("configuration", Warn, nil, "run 'forewarn backup make' into the same folder while the programme is well", "nobody signed forewarn.json: who can write to the backup can change where the last anchor is kept, and where the sealer is met")
	default:
		e.say("configuration", OK, nil, "", "forewarn.json is the one that the programme signed")
	}
	return nil
}

// log verifies every entry and every anchor.
func (e *exam) log() error {
	const name = "log"
	if e.Keys == nil {
		e.say(name, Broken, nil, "give the file that 'forewarn backup keys --of desk' wrote: --keys FILE, with --identity", "the desk's keys are not here: nothing can be verified or opened")
		return nil
	}
	opt, err := home.LogOptions(e.Keys, e.Home.Interval())
	if err != nil {
		e.say(name, Broken, nil, "bring the file back from the newest file of the desk's keys", "%v", err)
		return nil
	}
	if opt.Signer.Name() != e.Home.Origin() {
		e.say(name, Broken, nil, "give this programme's keys", "the signing key is of %s, and the programme is %s", opt.Signer.Name(), e.Home.Origin())
		return nil
	}
	opt.Known, opt.Public = cvd.Known, cvd.Public
	against, err := os.ReadFile(e.Home.OutsideFile())
	if err != nil {
		against = nil // its own check says so
	}
	r, err := ledger.Verify(e.ctx, e.Store, e.Publisher, opt, against, func(what string, done int) { e.Progress(what, done, 0) })
	if err != nil {
		if e.ctx.Err() != nil {
			return err
		}
		e.say(name, Broken, nil, "restore the newest backup that 'forewarn doctor' finds well", "%v", err)
		return nil
	}
	var bad []string
	for _, p := range r.Problems {
		if p.Where == "given checkpoint" { // a log can be whole, and not the newest
			e.behind = p.What
			continue
		}
		bad = append(bad, p.String())
	}
	e.through = r.Through
	e.say(name, worse(bad, Broken), bad, "keep this folder as it is, and restore the newest backup that 'forewarn doctor' finds well",
		"%d entries and %d anchors through %s, %d problems", r.Entries, r.Anchors, stamp(r.Through), len(bad)+r.More)
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// texts reopens every case: the fold, every blob, every text.
func (e *exam) texts() error {
	keys := e.Keys
	if keys == nil {
		keys = (&Kept{}).below("desk/keys")
	}
	r, err := coordinator.Reopen(e.ctx, e.Store, e.Blobs, keys, seal.Crypt{}, func(done int) { e.Progress("texts", done, 0) })
	if err != nil {
		if e.ctx.Err() != nil {
			return err
		}
		e.say("cases", Broken, nil, "restore the newest backup that 'forewarn doctor' finds well", "%v", err)
		return nil
	}
	e.state, e.last = r.Programme, r.Programme.Last
	var bad []string
	for _, p := range r.Problems {
		bad = append(bad, p.String())
	}
	do := "bring missing blobs back from a backup, and keys from the newest file of the desk's keys that has them"
	if e.Keys == nil {
		do = "give the file that 'forewarn backup keys --of desk' wrote: --keys FILE, with --identity"
	}
	e.say("cases", worse(bad, Broken), bad, do,
		"%d of %d cases reopen: %d texts decrypted, %d sealed copies and reports whole, %d texts shredded on purpose", r.Cases, len(r.Programme.Cases), r.Texts, r.Sealed, r.Shredded)
	var back []string
	for _, name := range r.Gone {
		if _, err := keys.Read(name); err == nil {
			back = append(back, "key "+name)
		}
	}
	if len(back) > 0 {
		grade, do := Broken, "open the desk: it destroys them again; and find out who brought them back"
		if e.Backup != nil {
			grade, do = Warn, "'forewarn restore' leaves them out; write the file of keys anew, and destroy this one"
		}
		e.say("shredding", grade, back, do, "%d keys are here that the log says are destroyed", len(back))
	}
	return nil
}

// waves asks whether what the sealer has still makes what was committed to.
func (e *exam) waves() error {
	if e.Vault == nil {
		e.say("sealer", Warn, nil, "give the file that 'forewarn backup keys --of sealer' wrote, or run this where the sealer's folder is; without it no leak can be traced and no wave sealed",
			"the sealer's folder is not here")
		return nil
	}
	if e.state == nil {
		return nil // nothing says which waves there are
	}
	s := &sealer.Sealer{Vault: e.Vault, Envelope: seal.Envelope{}, Clock: func() time.Time { return e.Now }, Rand: nothing{}}
	var bad []string
	sealed := 0
	for i, id := range e.state.WaveOrder {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		w := e.state.Waves[id]
		if w.Statement == nil {
			continue
		}
		sealed++
		var first cvd.HolderID
		var leaf entrylog.Hash
		for j, c := range w.Copies {
			if !c.Blob.IsZero() {
				first, leaf = w.Audience[j], c.Leaf
				break
			}
		}
		for _, err := range s.Check(e.ctx, w.Statement, first, leaf) {
			bad = append(bad, fmt.Sprintf("wave %s: %v", id, err))
		}
		e.Progress("waves", i+1, len(e.state.WaveOrder))
	}
	e.say("sealer", worse(bad, Broken), bad, "bring the sealer's folder back from the newest file of its keys; a package key that is lost is lost for good",
		"%d sealed waves, each with its plan, Form, package key and first copy as the log binds them; %d problems", sealed, len(bad))
	return nil
}

// nothing is dice that fail: what is examined draws no keys.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, errReadOnly }

// inquiry verifies the inquiry's own log.
func (e *exam) inquiry() error {
	if !e.Inquiry {
		return nil
	}
	against, err := os.ReadFile(e.Home.InquiryOutsideFile())
	if err != nil {
		against = nil
	}
	r, _, err := e.Home.Verify(e.ctx, true, against, func(what string, done int) { e.Progress(what, done, 0) })
	if err != nil {
		if e.ctx.Err() != nil {
			return err
		}
		e.say("inquiry", Broken, nil, "bring the inquiry's folder back from the newest file of its keys", "%v", err)
		return nil
	}
	var bad []string
	for _, p := range r.Problems {
		bad = append(bad, p.String())
	}
	e.say("inquiry", worse(bad, Broken), bad, "keep the folder as it is, and restore the inquiry from the newest file of its keys",
		"%d entries of the inquiry's log, %d problems", r.Entries, len(bad)+r.More)
	return nil
}

// outside looks for the checkpoint that an older folder is told by.
func (e *exam) outside() error {
	const name = "outside checkpoint"
	file := e.Home.OutsideFile()
	_, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && e.Backup != nil:
		e.say(name, Warn, nil, "have it at hand, or another checkpoint that was kept, when you restore: without one nobody can tell that this backup is the newest", "%s is not here", file)
		return nil
	case err != nil:
		e.say(name, Broken, nil, "bring it back from where it is kept: without it the desk doesn't open, but for a declared recovery ('forewarn log recover')", "%v", err)
		return nil
	case e.behind != "":
		grade := Broken
		if e.Backup != nil {
			grade = Warn // every backup is older, as soon as the desk goes on
		}
		e.say(name, grade, nil, "bring the newer folder back; if it is lost for good, restore this one and declare it: 'forewarn log recover'", "%s", e.behind)
		return nil
	case e.Keys == nil:
		e.say(name, Warn, nil, "give the desk's keys", "it can't be compared without the desk's keys")
		return nil
	}
	if same, err := folder.SameDisk(filepath.Dir(file), e.Dir); err == nil && same {
		e.say(name, Warn, nil, "keep it on another device or machine, and say where with \"outside\" in forewarn.json: what restores this disk takes it along", "%s is there, and on the same device", file)
		return nil
	}
	e.say(name, OK, nil, "", "%s is there, on another device, and this log continues it", file)
	return nil
}

// clock compares this machine's clock with the log's last entry.
func (e *exam) clock() error {
	const name, do = "clock", "set this machine's clock, and have it kept right (NTP)"
	switch {
	case e.last.IsZero():
		e.say(name, OK, nil, "", "the log has no entry yet")
	case e.Now.Before(e.last.Add(-time.Minute)):
		e.say(name, Broken, nil, do, "it says %s, and the last entry is of %s", stamp(e.Now), stamp(e.last))
	case e.Now.Before(e.last):
		e.say(name, Warn, nil, do, "it is %s behind the last entry", e.last.Sub(e.Now).Round(time.Millisecond))
	case e.Now.Sub(e.last) > 366*24*time.Hour:
		e.say(name, Warn, nil, do, "it says %s, more than a year after the last entry, %s", stamp(e.Now), stamp(e.last))
	case e.Backup == nil && e.idle() > 24*time.Hour && e.state.Embargoes(e.last) > 0:
		e.say(name, Warn, nil, "see that it is right before you serve the desk, and serve it with --time: what opens on a clock that is ahead is not taken back",
			"it says %s, %s after the last anchor, and %d embargoes are open: either nobody served the desk for so long, or it is ahead", stamp(e.Now), e.idle().Round(time.Minute), e.state.Embargoes(e.last))
	default:
		e.say(name, OK, nil, "", "%s; the last entry is of %s", stamp(e.Now), stamp(e.last))
	}
	return nil
}

// idle is how long nothing was written or anchored.
func (e *exam) idle() time.Duration {
	if e.through.After(e.last) {
		return e.Now.Sub(e.through)
	}
	return e.Now.Sub(e.last)
}

// access looks at modes and owners.
func (e *exam) access() error {
	var bad, foreign []string
	err := folder.EachAccess(e.Dir, func(a folder.Access) {
		if a.Foreign {
			foreign = append(foreign, a.Path)
		}
		perm := a.Mode.Perm()
		switch {
		case a.Mode&fs.ModeSymlink != 0:
		case !public(a.Path) && !a.Mode.IsDir() && perm&0o077 != 0, perm&0o022 != 0:
			bad = append(bad, fmt.Sprintf("%s has mode %04o", a.Path, perm))
		}
	})
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // this system has no modes to look at
	}
	if err != nil {
		e.say("access", Broken, nil, "run this as the account that serves the desk", "%v", err)
		return nil
	}
	e.say("access", worse(bad, Broken), bad, "find out who could read or write them, then run: chmod go-rwx on each", "modes: %d files or folders stand open to other accounts", len(bad))
	if len(foreign) > 0 {
		e.say("owner", Warn, foreign, "chown them to the account that serves the desk, or run this as that account", "%d files or folders belong to another account than this process's", len(foreign))
	}
	return nil
}

// public reports whether others may read a file: what is published, and what says
// nothing secret.
func public(p string) bool {
	return strings.HasPrefix(p, "desk/anchors/") || strings.HasPrefix(p, "inquiry/anchors/") || p == home.ConfigName || strings.HasSuffix(p, "/keys/log.pub") ||
		strings.HasSuffix(p, "log.db") || strings.HasSuffix(p, "log.db-wal") || strings.HasSuffix(p, "log.db-shm") || strings.HasSuffix(p, ".lock") || strings.Contains(p, "ephemeral.db")
}

// disk looks at the room that is left.
func (e *exam) disk() error {
	free, err := folder.Free(e.Dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	const do = "make room, or move the folder: an append that fails for want of room stops the desk"
	switch {
	case err != nil:
		e.say("disk", Warn, nil, do, "%v", err)
	case free < noDisk && e.Backup == nil:
		e.say("disk", Broken, nil, do, "%d MiB are left", free>>20)
	case free < littleDisk:
		e.say("disk", Warn, nil, do, "%d MiB are left", free>>20)
	default:
		e.say("disk", OK, nil, "", "%d GiB are left", free>>30)
	}
	return nil
}

// apart tries whether what nobody vouches for can be read in a process without keys.
func (e *exam) apart() error {
	do := e.Home.Machine.Apart()
	if do == nil || e.Backup != nil {
		return nil
	}
	const name, tell = "reading apart", "see doc/threat.md; a service unit or container may keep the program from starting itself, or from seccomp"
	if _, err := do(e.ctx, hostile.Bounces, nil); err != nil {
		e.say(name, Broken, nil, tell, "%v", err)
		return nil
	}
	grade := OK
	if !apart.Confined {
		grade = Warn
	}
	e.say(name, grade, nil, tell, "archives, found material, packages and bounces are read in processes of their own; what holds these: %s", apart.Held)
	return nil
}

// certificate looks at when the desk's TLS certificate ends.
func (e *exam) certificate() error {
	if e.TLSCert == "" {
		return nil
	}
	const name, do = "certificate", "renew it; the desk reads it again within a minute"
	b, err := folder.ReadFile(e.TLSCert, 1<<20)
	if err != nil {
		e.say(name, Broken, nil, do, "%v", err)
		return nil
	}
	block, _ := pem.Decode(b)
	if block == nil {
		e.say(name, Broken, nil, do, "%q is no PEM file", e.TLSCert)
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		e.say(name, Broken, nil, do, "%v", err)
	case e.Now.After(c.NotAfter):
		e.say(name, Broken, nil, do, "it ended at %s", stamp(c.NotAfter))
	case e.Now.Before(c.NotBefore):
		e.say(name, Broken, nil, do, "it begins at %s", stamp(c.NotBefore))
	case c.NotAfter.Sub(e.Now) < soonOver:
		e.say(name, Warn, nil, do, "it ends at %s, in %d days", stamp(c.NotAfter), int(c.NotAfter.Sub(e.Now).Hours()/24))
	default:
		e.say(name, OK, nil, "", "it ends at %s", stamp(c.NotAfter))
	}
	return nil
}
