package sealer

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync/atomic"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// issuedSalt opens the count of copies in a wave's statement.
func issuedSalt(k fpcode.Key, w cvd.WaveID) [32]byte { return derive(k, "issued", w[:]) }

// press holds what is the same for all copies of a wave.
type press struct {
	key   fpcode.Key
	pkg   cvd.PackageID
	form  *form.Form
	laws  map[fpcode.SiteID]fpcode.Law
	rec   *token.Recogniser
	level form.Level
}

func (s *Sealer) press(ctx context.Context, k fpcode.Key, pkg cvd.PackageID, f *form.Form, level form.Level) (*press, error) {
	recKey, err := s.Recognition(ctx)
	if err != nil {
		return nil, err
	}
	p := &press{key: k, pkg: pkg, form: f, level: level, rec: token.NewRecogniser(recKey), laws: make(map[fpcode.SiteID]fpcode.Law, len(f.Sites))}
	for _, site := range f.Sites {
		p.laws[site.ID] = f.SiteLaw(site)
	}
	return p, nil
}

// identity is the 64 bits by which a holder's token for a slot is known. It
// follows from the copy's key, so that the commitment to that key binds it too.
func (p *press) identity(h cvd.HolderID, slot string) uint64 {
	return token.Identity(fpcode.CopyKey(p.key, [16]byte(h)), Epoch, [16]byte(p.pkg), [16]byte(h), slot)
}

// print renders one holder's copy.
func (p *press) print(h cvd.HolderID) []form.Output {
	symbol := fpcode.Symbols(fpcode.CopyKey(p.key, [16]byte(h)))
	return p.form.Render(p.level,
		func(site form.Site) uint8 { return symbol(site.ID, p.laws[site.ID]) },
		func(slot string, a token.Alphabet) string { return a.Encode(p.rec, p.identity(h, slot)) })
}

// keptPrints is how many bytes of printed copies wait for their envelopes. A
// wave of ten thousand is printed twice for the most part; a small one once.
const keptPrints = 64 << 20

// commit computes what opens each copy of a wave, in the order of the request,
// and the root over them all. The first copies, as many as keep has room for,
// stay there as they were printed.
func (p *press) commit(ctx context.Context, q planned, keep [][]form.Output) ([]Opening, entrylog.Hash, error) {
	var kept atomic.Int64
	openings := make([]Opening, 0, len(q.Holders))
	leaves := make([]entrylog.Hash, 0, len(q.Holders))
	err := parallel(ctx, len(q.Holders), func(i int) (Opening, error) {
		h := q.Holders[i].Holder
		files := p.print(h)
		if i < len(keep) {
			size := 0
			for _, f := range files {
				size += len(f.Data)
			}
			if kept.Add(int64(size)) <= keptPrints {
				keep[i] = files
			}
		}
		return Opening{
			Holder:        h,
			LeafSalt:      derive(p.key, "leaf", q.Wave[:], h[:]),
			KeyCommitment: fpcode.Commit(fpcode.CopyKey(p.key, [16]byte(h))),
			Copy:          form.CopyHash(files),
		}, nil
	}, func(_ int, o Opening) error {
		openings = append(openings, o)
		leaves = append(leaves, o.Leaf())
		return nil
	})
	if err != nil {
		return nil, entrylog.Hash{}, err
	}
	tree, err := entrylog.NewBlind(derive(p.key, "tree", q.Wave[:]), q.Wave[:], TreeDepth, leaves)
	if err != nil {
		return nil, entrylog.Hash{}, err
	}
	for i := range openings {
		openings[i].Path = tree.Prove(i)
	}
	return openings, tree.Root(), nil
}

// TreeDepth is the depth of every wave's tree of copies: room for a million
// holders, and proofs of one length whatever the wave's size.
const TreeDepth = 20

// plan is what the vault will keep of a request. Once a wave is known to be on the
// log its plan stands; until then another request for it replaces it.
func (s *Sealer) plan(pkg cvd.PackageID, q SealRequest) (p planned, again bool, err error) {
	all, err := s.waves(pkg)
	if err != nil {
		return p, false, err
	}
	for _, before := range all {
		if before.Wave != q.Wave {
			continue
		}
		if !before.samePlan(q) {
			return p, false, fmt.Errorf("%w: wave %s was sealed for another audience or time; a changed wave is a new wave", ErrRefused, q.Wave)
		}
		return planned{q, before.Count}, true, nil
	}
	return planned{q, uint32(len(holders(append(all, planned{SealRequest: q}))))}, false, nil
}

// Seal renders, commits and seals a wave. each is called once a copy, in the
// order of the request, with what the desk stores; the statement comes last and
// must be on the log before any copy leaves. If each fails, Seal stops with its
// error; sealing again later gives the same commitments. Only a wave that is
// sealed again may have holders without recipients: they get no parcel.
func (s *Sealer) Seal(ctx context.Context, q SealRequest, each func(Parcel) error) (SealResult, error) {
	unlock, err := s.Vault.Lock()
	if err != nil {
		return SealResult{}, err
	}
	defer unlock()
	kept, f, err := s.form(q.Revision)
	if err != nil {
		return SealResult{}, err
	}
	if len(q.Holders) == 0 {
		return SealResult{}, fmt.Errorf("%w: the wave has no holder; the empty audience is nobody", ErrRefused)
	}
	if err := s.keepsProfile(kept.Package, f); err != nil {
		return SealResult{}, err
	}
	k, err := s.packageKey(kept.Package, false)
	if err != nil {
		return SealResult{}, err
	}
	plan, again, err := s.plan(kept.Package, q)
	if err != nil {
		return SealResult{}, err
	}
	// Who has no keys any more has a place under the root and no parcel.
	var to []int
	for i, h := range q.Holders {
		if len(h.Recipients) == 0 {
			if !again {
				return SealResult{}, fmt.Errorf("%w: holder %s has no keys to seal to", ErrRefused, h.Holder)
			}
			continue
		}
		if err := s.pin(h); err != nil {
			return SealResult{}, err
		}
		to = append(to, i)
	}
	if err := s.Vault.Write(waveName(kept.Package, q.Wave), wire.Marshal(&plan)); err != nil {
		return SealResult{}, err
	}
	signing, err := s.signingKey()
	if err != nil {
		return SealResult{}, err
	}
	p, err := s.press(ctx, k, kept.Package, f, q.Level)
	if err != nil {
		return SealResult{}, err
	}

	// First pass: what each copy says, so that the tree stands before any proof
	// is packed. Second pass: the envelopes. Printing twice is cheaper than
	// keeping ten thousand copies.
	prints := make([][]form.Output, len(q.Holders))
	openings, root, err := p.commit(ctx, plan, prints)
	if err != nil {
		return SealResult{}, err
	}

	var bulkKey string
	var bulk []byte
	var bulkHash [32]byte
	if files := f.RenderBulk(q.Level); len(files) > 0 {
		bulkHash = form.CopyHash(files)
		if bulk, bulkKey, err = s.Envelope.Bulk(derive(k, "bulk", q.Wave[:]), files); err != nil {
			return SealResult{}, err
		}
	}
	waveKey := derive(k, "wave", q.Wave[:])
	err = parallel(ctx, len(to), func(n int) (Parcel, error) {
		i := to[n]
		h, files := q.Holders[i], prints[i]
		if prints[i] = nil; files == nil {
			files = p.print(h.Holder)
		}
		locked, err := s.Envelope.Lock(h.Recipients, waveKey, [16]byte(h.Holder), files, bulkKey)
		if err != nil {
			return Parcel{}, fmt.Errorf("sealing to holder %s: %w", h.Holder, err)
		}
		return Parcel{Opening: openings[i], Locked: locked}, nil
	}, func(_ int, parcel Parcel) error { return each(parcel) })
	if err != nil {
		return SealResult{}, err
	}

	return SealResult{Bulk: bulk, Copies: uint32(len(q.Holders)), Statement: evidence.WaveStatement{
		Wave: entrylog.Ref(q.Wave), Package: entrylog.Ref(kept.Package), Revision: entrylog.Ref(q.Revision), Case: entrylog.Ref(kept.Case),
		Level: q.Level, OpensAt: q.OpensAt,
		Form: f.Hash(), SlotTable: f.SlotTableHash(), Bias: fpcode.Commit(fpcode.BiasKey(k)),
		Profile: f.Bias(), Decoder: f.Bias().Decoder(), AlphaPico: q.AlphaPico,
		Issued: evidence.IssuedCommitment(issuedSalt(k, q.Wave), plan.Count),
		Reader: readerFor(f.Bias()), Epoch: Epoch, Bulk: bulkHash, Sealer: [32]byte(signing.Public().(ed25519.PublicKey)),
		Depth: TreeDepth, Root: root,
	}}, nil
}

// WaveKey gives the key that unlocks a wave's copies, from its opening on by
// the sealer's own clock.
func (s *Sealer) WaveKey(_ context.Context, pkg cvd.PackageID, w cvd.WaveID) ([32]byte, error) {
	q, err := s.wave(pkg, w)
	if err != nil {
		return [32]byte{}, err
	}
	if now := s.Clock(); now.Before(q.OpensAt) {
		return [32]byte{}, fmt.Errorf("%w: it opens at %s, the sealer's clock says %s", ErrNotYet, q.OpensAt.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	k, err := s.packageKey(pkg, false)
	if err != nil {
		return [32]byte{}, err
	}
	return derive(k, "wave", w[:]), nil
}
