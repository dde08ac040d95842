package sealer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// Forms gives the Forms of a case's revisions, by number: what a specimen is
// read against, before any codeword is opened.
func (s *Sealer) Forms(_ context.Context, c cvd.CaseID) ([]CaseForm, error) {
	names, err := s.Vault.List("forms")
	if err != nil {
		return nil, err
	}
	var out []CaseForm
	for _, n := range names {
		id, err := wire.ParseID[cvd.Revision](n)
		if err != nil {
			return nil, fmt.Errorf("forms/%s: %w", n, err)
		}
		kept, _, err := s.form(id)
		if err != nil {
			return nil, err
		}
		if kept.Case == c {
			out = append(out, CaseForm{Package: kept.Package, Revision: kept.Revision, Number: kept.Number, Form: kept.Form})
		}
	}
	slices.SortFunc(out, func(a, b CaseForm) int {
		return cmp.Or(a.Package.Compare(b.Package), int(a.Number)-int(b.Number), a.Revision.Compare(b.Revision))
	})
	return out, nil
}

// Codebook opens a package to the inquiry, for one set of frozen readings. The
// sealer keeps its own count: each new set of readings is a further run, and the
// same set again is the same run, so that no journal but its own decides the
// multiplicity.
func (s *Sealer) Codebook(ctx context.Context, pkg cvd.PackageID, readings [32]byte) (Codebook, error) {
	unlock, err := s.Vault.Lock()
	if err != nil {
		return Codebook{}, err
	}
	defer unlock()
	k, err := s.packageKey(pkg, false)
	if err != nil {
		return Codebook{}, err
	}
	waves, err := s.waves(pkg)
	if err != nil {
		return Codebook{}, err
	}
	if len(waves) == 0 {
		return Codebook{}, fmt.Errorf("%w: no wave of package %s is known to be on the log", ErrRefused, pkg)
	}
	recKey, err := s.Recognition(ctx)
	if err != nil {
		return Codebook{}, err
	}
	forms := map[cvd.RevisionID]*form.Form{}
	for _, w := range waves {
		if forms[w.Revision] == nil {
			if _, forms[w.Revision], err = s.form(w.Revision); err != nil {
				return Codebook{}, err
			}
		}
	}
	book := Codebook{Bias: fpcode.BiasKey(k), Recognition: recKey}
	run := evidence.Run{Package: entrylog.Ref(pkg), Readings: readings, Copies: uint32(len(holders(waves)))}
	for _, w := range waves { // by name, so ascending
		run.Waves = append(run.Waves, entrylog.Ref(w.Wave))
		book.Counts = append(book.Counts, WaveCount{Wave: w.Wave, Copies: w.Count, Salt: issuedSalt(k, w.Wave)})
	}
	signing, err := s.signingKey()
	if err != nil {
		return Codebook{}, err
	}
	// The journal last: what failed above has opened nothing.
	if run.Number, err = s.run(pkg, readings, run.Copies); err != nil {
		return Codebook{}, err
	}
	run.Sign(signing)
	book.Run = run
	var slots []form.Slot
	for _, f := range forms {
		slots = append(slots, f.Slots()...)
	}
	slices.SortFunc(slots, func(a, b form.Slot) int { return strings.Compare(a.Name, b.Name) })
	slots = slices.Compact(slots)
	p := &press{key: k, pkg: pkg, rec: token.NewRecogniser(recKey)}
	for _, h := range holders(waves) {
		line := CodebookLine{Holder: h, Key: fpcode.CopyKey(k, [16]byte(h))}
		for _, slot := range slots {
			id := p.identity(h, slot.Name)
			line.Tokens = append(line.Tokens, SlotToken{Slot: slot.Name, Identity: id, Text: slot.Alphabet.Encode(p.rec, id)})
		}
		book.Lines = append(book.Lines, line)
	}
	return book, nil
}

// Opening gives what proves one holder's copy in one wave: its leaf's salt and
// path. Only the holders that findings name are ever opened.
func (s *Sealer) Opening(ctx context.Context, pkg cvd.PackageID, wave cvd.WaveID, holder cvd.HolderID) (Opening, error) {
	k, err := s.packageKey(pkg, false)
	if err != nil {
		return Opening{}, err
	}
	q, err := s.wave(pkg, wave)
	if err != nil {
		return Opening{}, err
	}
	_, f, err := s.form(q.Revision)
	if err != nil {
		return Opening{}, err
	}
	p, err := s.press(ctx, k, pkg, f, q.Level)
	if err != nil {
		return Opening{}, err
	}
	openings, _, err := p.commit(ctx, q, nil)
	if err != nil {
		return Opening{}, err
	}
	for _, o := range openings {
		if o.Holder == holder {
			return o, nil
		}
	}
	return Opening{}, fmt.Errorf("%w: holder %s has no copy in wave %s", ErrRefused, holder, wave)
}

// run numbers a set of readings of a package over so many copies: 1 for the
// first. The journal is a list of hashes of the two, in the order in which
// codebooks were opened: the same readings over more copies are another run.
func (s *Sealer) run(pkg cvd.PackageID, readings [32]byte, copies uint32) (uint32, error) {
	what := sha256.Sum256(binary.BigEndian.AppendUint32(append([]byte("forewarn/journal/v1"), readings[:]...), copies))
	name := "runs/" + pkg.String()
	b, err := s.Vault.Read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if len(b)%32 != 0 {
		return 0, fmt.Errorf("the journal of runs of package %s has %d bytes, not a multiple of 32: restore it from a backup", pkg, len(b))
	}
	for i := 0; i+32 <= len(b); i += 32 {
		if [32]byte(b[i:i+32]) == what {
			return uint32(i/32) + 1, nil
		}
	}
	b = append(b, what[:]...)
	if err := s.Vault.Write(name, b); err != nil {
		return 0, err
	}
	return uint32(len(b) / 32), nil
}
