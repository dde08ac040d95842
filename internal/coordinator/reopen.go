package coordinator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"
)

// Reopened is what Reopen found.
type Reopened struct {
	Programme *cvd.Programme // the fold, as far as it went
	State     [32]byte       // its StateHash; zero when it broke off
	Cases     int            // of which every text was decrypted, or destroyed on purpose
	Texts     int            // decrypted
	Copies    int            // of sealed waves and their bulk, and reports: whole, and not the desk's to open
	Shredded  int            // texts whose key the log says is destroyed
	Problems  []ledger.Problem
}

// KeyReader is Keys for who only reads them.
type KeyReader interface {
	Read(name string) ([]byte, error)
}

// References lists every blob that a body names, whatever its kind.
func References(body any) []cvd.BlobRef { return references(reflect.ValueOf(body), nil) }

// Destroyed names the keys that the log says are destroyed, sorted. A folder or a
// backup that still has one must not bring it back.
func Destroyed(p *cvd.Programme) (names []string) {
	for id, c := range p.Cases {
		if c.Shredded != nil {
			names = append(names, CaseKey(id))
		}
	}
	for id, a := range p.Accounts {
		if a.Shredded != nil {
			names = append(names, PersonKey(id))
		}
	}
	for id, m := range p.Members {
		if m.Shredded != nil {
			names = append(names, MemberKey(id))
		}
	}
	for id, r := range p.Reports {
		if cs := p.Cases[r.Case]; r.Settled != nil && (cs == nil || cs.Shredded != nil) {
			names = append(names, ReportKey(id))
		}
	}
	slices.Sort(names)
	return names
}

// Reopen folds a log from its store, reads every blob that its entries name, and
// decrypts every text under the key it must be under. It changes nothing. What is
// under a destroyed key is counted; what should open and doesn't is a problem.
// progress, if not nil, is called now and then with the entries done.
func Reopen(ctx context.Context, store ledger.Store, blobs Blobs, keys KeyReader, crypt Crypt, progress func(done int)) (out Reopened, err error) {
	r := &reopening{Reopened: &out, blobs: blobs, keys: keys, crypt: crypt, have: map[string][]byte{}, seen: map[cvd.BlobRef]bool{}, spoilt: map[string]bool{}}
	if progress == nil {
		progress = func(int) {}
	}
	out.Programme = cvd.New()
	type named struct {
		seq  entrylog.Seq
		keys []string
		refs []cvd.BlobRef
		away []cvd.BlobRef // of refs
	}
	// The keys first that are destroyed at the end of the log: so the whole fold
	// stands before any blob is looked at.
	var all []named
	folding := true
	if err := store.Read(ctx, 0, func(seq entrylog.Seq, rec entrylog.Record) error {
		e, err := entrylog.ParseEntry(rec.Entry)
		if err != nil {
			return nil // the ledger's own audit reports it
		}
		if folding {
			if err := out.Programme.Apply(seq, e); err != nil {
				r.problem(fmt.Sprintf("entry %d", seq), "it does not follow from those before it: %v", err)
				folding = false
			}
		}
		body, err := cvd.DecodeBody(e.Kind, e.Body)
		if err != nil {
			return nil
		}
		if refs := References(body); len(refs) > 0 {
			all = append(all, named{seq, keysOf(out.Programme, body), refs, sealedAway(body)})
		}
		return nil
	}); err != nil {
		return out, err
	}
	if folding {
		out.State = out.Programme.StateHash()
	}
	r.gone = Destroyed(out.Programme)
	for i, n := range all {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if i%256 == 0 {
			progress(int(n.seq))
		}
		for _, ref := range n.refs {
			if !ref.IsZero() && !r.seen[ref] {
				r.seen[ref] = true
				r.blob(ctx, fmt.Sprintf("blob %s of entry %d", ref, n.seq), ref, slices.Contains(n.away, ref), n.keys)
			}
		}
	}
	for id := range out.Programme.Cases {
		if !r.spoilt[CaseKey(id)] {
			out.Cases++
		}
	}
	return out, nil
}

type reopening struct {
	*Reopened
	blobs  Blobs
	keys   KeyReader
	crypt  Crypt
	have   map[string][]byte // keys read so far; nil: it isn't there
	gone   []string          // sorted
	seen   map[cvd.BlobRef]bool
	spoilt map[string]bool // keys under which something doesn't open
}

func (r *reopening) problem(where, format string, args ...any) {
	r.Problems = append(r.Problems, ledger.Problem{Where: where, What: fmt.Sprintf(format, args...)})
}

// sealedAway lists the blobs of a body that are sealed to others, and which the desk
// has no key of: copies to their holders, reports to the intake.
func sealedAway(body any) []cvd.BlobRef {
	switch b := body.(type) {
	case *cvd.CopiesStored:
		return References(b)
	case *cvd.ReportReceived:
		return []cvd.BlobRef{b.Sealed}
	}
	return nil
}

// blob reads one blob, and opens it under the first of the keys that does.
func (r *reopening) blob(ctx context.Context, where string, ref cvd.BlobRef, away bool, keys []string) {
	sealed, err := r.blobs.Get(ctx, ref)
	if err != nil {
		for _, k := range keys {
			r.spoilt[k] = true
		}
		r.problem(where, "%v", err)
		return
	}
	if away {
		r.Copies++
		return
	}
	var missing []string
	destroyed := false
	for _, name := range keys {
		if _, yes := slices.BinarySearch(r.gone, name); yes {
			destroyed = true
			continue
		}
		k := r.key(name)
		if k == nil {
			missing = append(missing, name)
			continue
		}
		if _, err := r.crypt.Decrypt(k, sealed); err == nil {
			r.Texts++
			return
		}
	}
	if destroyed {
		r.Shredded++
		return
	}
	for _, k := range keys {
		r.spoilt[k] = true
	}
	if len(missing) > 0 {
		r.problem(where, "its key is not here: it is one of %v", missing)
		return
	}
	r.problem(where, "none of the keys it can be under opens it: %v", keys)
}

func (r *reopening) key(name string) []byte {
	k, known := r.have[name]
	if known {
		return k
	}
	k, err := r.keys.Read(name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			r.problem("key "+name, "%v", err)
		}
		k = nil
	}
	r.have[name] = k
	return k
}

// keysOf names the keys that a body's texts can be under: of the case that it is
// about, of the people in it, and the programme's.
func keysOf(p *cvd.Programme, body any) []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	eachID(reflect.ValueOf(body), func(id any) {
		switch id := id.(type) {
		case cvd.CaseID:
			if !id.IsZero() {
				add(CaseKey(id))
			}
		case cvd.PackageID:
			if x := p.Packages[id]; x != nil {
				add(CaseKey(x.Case))
			}
		case cvd.RevisionID:
			if x := p.Revisions[id]; x != nil {
				add(CaseKey(x.Case))
			}
		case cvd.WaveID:
			if x := p.Waves[id]; x != nil {
				add(CaseKey(x.Case))
			}
		case cvd.ReportID:
			if p.Reports[id] != nil {
				add(ReportKey(id))
			}
		case cvd.AccountID:
			if p.Accounts[id] != nil {
				add(PersonKey(id))
			}
		case cvd.MemberID:
			if p.Members[id] != nil {
				add(MemberKey(id))
			}
		}
	})
	add(ProgrammeKey)
	return out
}

// eachID calls yield with every field of a body that is an array of 16 bytes with a
// name of its own, but those in lists: what a list is of decides no key.
func eachID(v reflect.Value, yield func(any)) {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		eachID(v.Elem(), yield)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachID(v.Field(i), yield)
			}
		}
	case v.Kind() == reflect.Array && v.Len() == 16:
		yield(v.Interface())
	}
}

// OpenTexts decrypts the texts that a body names and that somebody may read, and
// yields them with the name of their key. err is ErrGone for what can't be read any
// more, and cvd.ErrDenied for what isn't theirs: the sources of packages are nobody's
// here, for opening one is an entry. p is the state, as View gives it.
func (d *Desk) OpenTexts(ctx context.Context, by cvd.Actor, p *cvd.Programme, body any, yield func(ref cvd.BlobRef, plain []byte, err error)) {
	action, of := cvd.ActReadCase, map[cvd.BlobRef]cvd.Action{}
	switch b := body.(type) {
	case *cvd.DraftSaved:
		of[b.Source] = cvd.NoAction
	case *cvd.DraftOpened:
		of[b.Source] = cvd.NoAction
	case *cvd.RevisionMade:
		of[b.Source] = cvd.NoAction
	case *cvd.CaseOpened:
		of[b.Report] = cvd.ActReadReport
	}
	keys, away := keysOf(p, body), sealedAway(body)
	for _, ref := range References(body) {
		if ref.IsZero() || slices.Contains(away, ref) {
			continue
		}
		need, said := of[ref]
		if !said {
			need = action
		}
		plain, err := d.openText(ctx, by, p, need, keys, ref)
		yield(ref, plain, err)
	}
}

func (d *Desk) openText(ctx context.Context, by cvd.Actor, p *cvd.Programme, need cvd.Action, keys []string, ref cvd.BlobRef) ([]byte, error) {
	if need == cvd.NoAction {
		return nil, fmt.Errorf("%w: opening a source is an entry; open it at the desk", cvd.ErrDenied)
	}
	// Policy before keys: a text of a case that isn't theirs to read is not looked for
	// under another key either.
	for _, name := range keys {
		if id, ok := caseOfKey(name); ok {
			if err := p.May(by, need, cvd.ACase(id), d.at(p)); err != nil {
				return nil, err
			}
		}
	}
	var gone, last error
	for _, name := range keys {
		b, err := d.blob(ctx, name, ref)
		if err == nil {
			return b, nil
		}
		if last = err; errors.Is(err, ErrGone) {
			gone = err
		}
	}
	if gone != nil {
		return nil, gone
	}
	return nil, last
}

func caseOfKey(name string) (id cvd.CaseID, ok bool) {
	text, ok := strings.CutPrefix(name, "case/")
	if !ok {
		return id, false
	}
	id, err := wire.ParseID[cvd.Case](text)
	return id, err == nil
}
