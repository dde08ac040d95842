package sealer

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Check tells whether the vault still has what a sealed wave's copies follow from:
// the plan, the package's key and the Form, each against the wave's statement, and
// the leaf of the first holder's copy, printed again. It writes nothing, draws
// nothing, and returns every problem; none: the wave can be sealed again and a leak
// of it be traced. leaf is what the log says of the first holder's copy.
func (s *Sealer) Check(ctx context.Context, st *evidence.WaveStatement, first cvd.HolderID, leaf entrylog.Hash) (problems []error) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	pkg, wave := cvd.PackageID(st.Package), cvd.WaveID(st.Wave)
	plan, err := s.wave(pkg, wave)
	if err != nil {
		bad("its plan: %w", err)
	}
	k, err := s.packageKey(pkg, false)
	switch {
	case err != nil:
		bad("%w", err)
	case fpcode.Commit(fpcode.BiasKey(k)) != st.Bias:
		bad("the key of package %s is not the one that the statement binds", pkg)
	case plan.Count > 0 && evidence.IssuedCommitment(issuedSalt(k, wave), plan.Count) != st.Issued:
		bad("its plan counts %d copies, which the statement doesn't bind", plan.Count)
	}
	_, f, ferr := s.form(cvd.RevisionID(st.Revision))
	switch {
	case ferr != nil:
		bad("%w", ferr)
	case f.Hash() != st.Form || f.SlotTableHash() != st.SlotTable:
		bad("the Form of revision %s is not the one that the statement binds", st.Revision)
		ferr = errors.New("another Form")
	}
	seed, serr := s.key("keys/sealer", ed25519.SeedSize, false)
	switch {
	case serr != nil:
		bad("%w", serr)
	case [32]byte(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)) != st.Sealer:
		bad("the sealer's signing key is not the one that the statement names: runs over this wave can't be signed")
	}
	if err != nil || ferr != nil || first.IsZero() {
		return problems
	}
	if _, err := s.key(recognitionName(), 16, false); err != nil {
		bad("%w", err)
		return problems
	}
	p, err := s.press(ctx, k, pkg, f, st.Level)
	if err != nil {
		bad("%w", err)
		return problems
	}
	again := Opening{
		Holder: first, LeafSalt: derive(k, "leaf", wave[:], first[:]),
		KeyCommitment: fpcode.Commit(fpcode.CopyKey(k, [16]byte(first))), Copy: form.CopyHash(p.print(first)),
	}
	if again.Leaf() != leaf {
		bad("the copy of holder %s, printed again, is not the one that the log binds", first)
	}
	return problems
}
