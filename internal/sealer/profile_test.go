package sealer_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/sealer"
)

// revision asks for one of these paragraphs, each with a choice of its own.
func (b *bench) revision(number byte, paragraphs ...int) sealer.CompileRequest {
	b.t.Helper()
	var text strings.Builder
	text.WriteString("# A flaw\n\n")
	for _, i := range paragraphs {
		fmt.Fprintf(&text, "In place number %d it {{answers|replies}} to callers who come in by that way alone.\n\n", i)
	}
	packed, err := carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte(text.String())},
		{Path: "forewarn.yaml", Data: []byte("title: A flaw\ntlp: TLP:AMBER\n")},
	}}.Pack()
	ok(b.t, err)
	q := sealer.CompileRequest{Case: cvd.CaseID{1}, Package: cvd.PackageID{7}, Revision: cvd.RevisionID{7, number}, Number: uint32(number), Source: packed}
	for n := byte(1); n < number; n++ {
		q.Earlier = append(q.Earlier, cvd.RevisionID{7, n})
	}
	return q
}

// laws are the site laws of a revision.
func (b *bench) laws(q sealer.CompileRequest) map[fpcode.SiteID]uint8 {
	b.t.Helper()
	forms, err := b.s.Forms(ctx, q.Case)
	ok(b.t, err)
	for _, x := range forms {
		if x.Revision == q.Revision {
			f, err := form.Parse(x.Form)
			ok(b.t, err)
			out := map[fpcode.SiteID]uint8{}
			for _, s := range f.Sites {
				out[s.ID] = s.Law
			}
			return out
		}
	}
	b.t.Fatal("no such revision")
	return nil
}

// Sites keep their laws over all revisions, those too that were gone for one.
func TestSitesKeepLaws(t *testing.T) {
	b := newBench(t, 1000)
	var had []map[fpcode.SiteID]uint8
	for n, paragraphs := range [][]int{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {20, 21, 22, 1, 2, 3, 4}, {30, 31, 32, 33, 34, 7, 8, 9, 10, 11, 12, 1, 20}} {
		q := b.revision(byte(n+1), paragraphs...)
		r, err := b.s.Compile(ctx, q)
		ok(t, err)
		if r.Profile != fpcode.Default {
			t.Fatalf("revision %d is of profile %v", n+1, r.Profile)
		}
		had = append(had, b.laws(q))
	}
	same := 0
	for _, earlier := range had[:2] {
		for id, law := range earlier {
			if now, still := had[2][id]; still {
				if same++; now != law {
					t.Errorf("site %x had law %d and has %d", id, law, now)
				}
			}
		}
	}
	if same < 8 {
		t.Errorf("only %d sites were there before", same)
	}
}

// A package keeps the profile of its first revision; asking for another is
// refused, and so is sealing what was compiled by another.
func TestProfileIsKept(t *testing.T) {
	b := newBench(t, 1000)
	first := b.revision(1, 1, 2, 3)
	first.Profile = fpcode.Single
	r, err := b.s.Compile(ctx, first)
	ok(t, err)
	next := b.revision(2, 1, 2, 3, 4)
	if r2, err := b.s.Compile(ctx, next); err != nil || r.Profile != fpcode.Single || r2.Profile != fpcode.Single {
		t.Errorf("%v, then %v: %v", r.Profile, r2.Profile, err)
	}
	third := b.revision(3, 1, 2)
	for what, change := range map[string]func(*sealer.CompileRequest){
		"another profile":           func(q *sealer.CompileRequest) { q.Profile = fpcode.Default },
		"an unknown profile":        func(q *sealer.CompileRequest) { q.Profile = 99 },
		"a revision of another":     func(q *sealer.CompileRequest) { q.Earlier = append(q.Earlier, b.q.Revision) },
		"a revision that isn't":     func(q *sealer.CompileRequest) { q.Earlier = []cvd.RevisionID{{1}} },
		"an unknown first profile":  func(q *sealer.CompileRequest) { q.Earlier, q.Profile = nil, 77 },
		"a profile without any law": func(q *sealer.CompileRequest) { q.Earlier, q.Profile = nil, 255 },
	} {
		q := third
		change(&q)
		if _, err := b.s.Compile(ctx, q); !errors.Is(err, sealer.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	third.Profile = fpcode.Single
	_, err = b.s.Compile(ctx, third)
	ok(t, err)

	q := b.request(1, 2)
	q.Revision = first.Revision
	sealed, _, err := b.seal(q)
	ok(t, err)
	if sealed.Statement.Profile != fpcode.Single || sealed.Statement.Decoder != fpcode.SingleDecoder {
		t.Errorf("the statement is of %v and %s", sealed.Statement.Profile, sealed.Statement.Decoder)
	}
	ok(t, b.s.Confirm(ctx, first.Package, q.Wave))
	// A desk that forgets the revisions before gets a Form of another profile,
	// and no wave of it.
	stray := b.revision(4, 1, 2)
	stray.Earlier = nil
	_, err = b.s.Compile(ctx, stray)
	ok(t, err)
	q = b.request(2, 2)
	q.Revision = stray.Revision
	if _, parcels, err := b.seal(q); !errors.Is(err, sealer.ErrRefused) || len(parcels) > 0 {
		t.Errorf("%v, %d parcels", err, len(parcels))
	}
}

// What a new package gets, and by which decoder it will be judged.
func TestNewPackagesAreForMerges(t *testing.T) {
	b := newBench(t, 1000)
	r, _, err := b.seal(b.request(1, 2))
	ok(t, err)
	if r.Statement.Profile != fpcode.Default || r.Statement.Decoder != fpcode.JointDecoder {
		t.Errorf("the statement is of %v and %s", r.Statement.Profile, r.Statement.Decoder)
	}
}
