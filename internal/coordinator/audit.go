package coordinator

import (
	"context"
	"fmt"
	"reflect"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
)

// Folded is what an audit of the entries' meaning and their blobs found.
type Folded struct {
	State    [32]byte // cvd.Programme.StateHash
	Blobs    int      // referenced and whole
	Problems []ledger.Problem
}

// Audit folds a log's entries from the store alone and checks that they make a
// programme, and that every blob they name is there and whole. It changes
// nothing and needs no key: what was encrypted stays so.
func Audit(ctx context.Context, store ledger.Store, blobs Blobs) (Folded, error) {
	var f Folded
	p := cvd.New()
	folding := true
	seen := map[cvd.BlobRef]bool{}
	err := store.Read(ctx, 0, func(seq entrylog.Seq, r entrylog.Record) error {
		where := fmt.Sprintf("entry %d", seq)
		e, err := entrylog.ParseEntry(r.Entry)
		if err != nil {
			return nil // the ledger's own audit reports it
		}
		if folding {
			if err := p.Apply(seq, e); err != nil {
				f.Problems = append(f.Problems, ledger.Problem{Where: where, What: err.Error()})
				folding = false // what follows can't be judged
			}
		}
		body, err := cvd.DecodeBody(e.Kind, e.Body)
		if err != nil {
			return nil
		}
		for _, ref := range references(reflect.ValueOf(body), nil) {
			if ref.IsZero() || seen[ref] {
				continue
			}
			seen[ref] = true
			if _, err := blobs.Get(ctx, ref); err != nil {
				f.Problems = append(f.Problems, ledger.Problem{Where: fmt.Sprintf("blob %s of %s", ref, where), What: err.Error()})
				continue
			}
			f.Blobs++
		}
		return nil
	})
	if folding {
		f.State = p.StateHash()
	}
	return f, err
}

var blobRef = reflect.TypeFor[cvd.BlobRef]()

// references collects every blob that a body names, whatever its kind: a new
// kind can't be forgotten here.
func references(v reflect.Value, out []cvd.BlobRef) []cvd.BlobRef {
	switch {
	case v.Type() == blobRef:
		return append(out, v.Interface().(cvd.BlobRef))
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return references(v.Elem(), out)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out = references(v.Field(i), out)
			}
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			out = references(v.Index(i), out)
		}
	}
	return out
}
