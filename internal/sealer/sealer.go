// Package sealer turns a source folder into a Form, and a Form into committed,
// sealed copies. It is a trust domain of its own: it holds the keys from which
// every mark and token follows, and nothing else.
//
// Data comes in as requests of the desk (Compile, Seal, WaveKey) and of the
// inquiry (Forms, Codebook), and leaves as answers; there is no listener. As a
// child process it reads frames from standard input and writes them to standard
// output (Serve, Dial); the same Sealer can be called in place.
//
// Each package has one key, drawn once. Everything else is derived from it by
// HMAC-SHA256 under a label: bias key, copy keys, token identities, the salts of
// leaves, the keys of wave trees, wave keys. So sealing a wave a second time,
// after a crash, gives the same copies and the same commitments; only the age
// envelope differs.
//
// Do not give this package an account, a network or the log: it is told what was
// decided, and what it is told is bound in the wave's statement, which the desk
// puts on the log before anything leaves.
package sealer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// Epoch is the token recognition epoch in use. One is kept active, so that
// scanning costs one block cipher call a candidate.
const Epoch = 1

// Decoder names the rule by which the inquiry will accuse; it is bound in each
// wave's statement, before any leak.
const Decoder = "single/1"

// Profile is the bias profile of every site.
const Profile = fpcode.Single

var (
	// ErrRefused: the request is understood and will not be done. Ask for
	// something else.
	ErrRefused = errors.New("the sealer refuses")
	// ErrNotYet: a wave key was asked for before its wave opens. Ask again then.
	ErrNotYet = errors.New("the wave isn't open yet")
)

// Vault is the sealer's folder. Names are slash-separated; writing is atomic
// and durable when it returns; reading what isn't there gives fs.ErrNotExist.
type Vault interface {
	Read(name string) ([]byte, error)
	Write(name string, data []byte) error
	// Create is Write for what must not exist yet; else fs.ErrExist.
	Create(name string, data []byte) error
	// List gives the names below a folder, sorted.
	List(folder string) ([]string, error)
}

// Envelope encrypts. Its implementation is the age adapter.
type Envelope interface {
	// Lock seals files to all recipients as one age file and locks that file's
	// header under the wave key. bulkKey, when not empty, travels inside, next
	// to the files and outside the copy hash.
	Lock(recipients []string, waveKey [32]byte, holder [16]byte, files []form.Output, bulkKey string) ([]byte, error)
	// Bulk seals files once for a whole wave, under a key that follows from the
	// seed; key is what opens it.
	Bulk(seed [32]byte, files []form.Output) (sealed []byte, key string, err error)
	// To seals data to age recipients.
	To(recipients []string, data []byte) ([]byte, error)
}

// Sealer does the work. All fields are needed.
type Sealer struct {
	Vault    Vault
	Envelope Envelope
	Clock    func() time.Time
	Rand     io.Reader
}

func derive(k fpcode.Key, label string, parts ...[]byte) (out [32]byte) {
	m := hmac.New(sha256.New, k[:])
	m.Write([]byte("forewarn/sealer/v1/" + label))
	for _, p := range parts {
		m.Write(p) // fixed lengths only, so no separator is needed
	}
	return [32]byte(m.Sum(nil))
}

// key reads a key of n bytes, drawing it first where asked to and absent.
func (s *Sealer) key(name string, n int, draw bool) ([]byte, error) {
	b, err := s.Vault.Read(name)
	if errors.Is(err, fs.ErrNotExist) && draw {
		b = make([]byte, n)
		if _, err = io.ReadFull(s.Rand, b); err == nil {
			err = s.Vault.Create(name, b)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sealer key %s: %w", name, err)
	}
	if len(b) != n {
		return nil, fmt.Errorf("sealer key %s: %d bytes, not %d: restore it from the key backup", name, len(b), n)
	}
	return b, nil
}

func (s *Sealer) packageKey(p cvd.PackageID, draw bool) (fpcode.Key, error) {
	b, err := s.key("keys/package/"+p.String(), 32, draw)
	if err != nil {
		return fpcode.Key{}, err
	}
	return fpcode.Key(b), nil
}

// Recognition is the key by which tokens are recognised, not attributed. The
// desk and its sensors hold a copy.
func (s *Sealer) Recognition(context.Context) (out [16]byte, err error) {
	b, err := s.key(fmt.Sprintf("keys/recognition-%d", Epoch), 16, true)
	if err == nil {
		copy(out[:], b)
	}
	return out, err
}

// compiled is what the vault keeps of a revision.
type compiled struct {
	Case     cvd.CaseID
	Package  cvd.PackageID
	Revision cvd.RevisionID
	Number   uint32
	Form     []byte
}

func (f *compiled) Wire(c *wire.Coder) {
	c.Magic("forewarn compiled v1\n")
	f.Case.Wire(c)
	f.Package.Wire(c)
	f.Revision.Wire(c)
	c.U32(&f.Number)
	c.Bytes(&f.Form, maxForm)
}

const maxForm = 256 << 20

// Compile makes a revision's Form from its packed source and keeps it. The
// same revision compiled again must have the same source.
func (s *Sealer) Compile(_ context.Context, q CompileRequest) (CompileResult, error) {
	src, err := carrier.Unpack(q.Source)
	if err != nil {
		return CompileResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	k, err := s.packageKey(q.Package, true)
	if err != nil {
		return CompileResult{}, err
	}
	f, manifest, report, err := carrier.Compile(src, fpcode.BiasKey(k))
	if err != nil {
		return CompileResult{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	kept := compiled{Case: q.Case, Package: q.Package, Revision: q.Revision, Number: q.Number, Form: f.Marshal()}
	name := "forms/" + q.Revision.String()
	switch b, err := s.Vault.Read(name); {
	case err == nil && !slices.Equal(b, wire.Marshal(&kept)):
		return CompileResult{}, fmt.Errorf("%w: revision %s was compiled from another source; a changed source is a new revision", ErrRefused, q.Revision)
	case errors.Is(err, fs.ErrNotExist):
		if err := s.Vault.Create(name, wire.Marshal(&kept)); err != nil {
			return CompileResult{}, err
		}
	case err != nil:
		return CompileResult{}, err
	}
	return CompileResult{Form: f.Hash(), SlotTable: f.SlotTableHash(), Manifest: *manifest, Report: report}, nil
}

func (s *Sealer) form(r cvd.RevisionID) (compiled, *form.Form, error) {
	var kept compiled
	b, err := s.Vault.Read("forms/" + r.String())
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil, fmt.Errorf("%w: revision %s was never compiled here", ErrRefused, r)
	}
	if err == nil {
		err = wire.Unmarshal(b, &kept)
	}
	if err != nil {
		return kept, nil, fmt.Errorf("Form of revision %s: %w", r, err)
	}
	f, err := form.Parse(kept.Form)
	return kept, f, err
}

// waves reads every wave sealed for a package, in the order of their names.
func (s *Sealer) waves(p cvd.PackageID) ([]SealRequest, error) {
	names, err := s.Vault.List("waves/" + p.String())
	if err != nil {
		return nil, err
	}
	out := make([]SealRequest, 0, len(names))
	for _, n := range names {
		id, err := wire.ParseID[cvd.Wave](n)
		if err != nil {
			return nil, fmt.Errorf("sealed waves: %w", err)
		}
		w, err := s.wave(p, id)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func waveName(p cvd.PackageID, w cvd.WaveID) string {
	return "waves/" + p.String() + "/" + w.String()
}

func (s *Sealer) wave(p cvd.PackageID, w cvd.WaveID) (q SealRequest, err error) {
	b, err := s.Vault.Read(waveName(p, w))
	if errors.Is(err, fs.ErrNotExist) {
		return q, fmt.Errorf("%w: wave %s was never sealed here", ErrRefused, w)
	}
	if err == nil {
		err = wire.Unmarshal(b, &q)
	}
	if err != nil {
		return q, fmt.Errorf("sealed wave %s: %w", w, err)
	}
	return q, nil
}

// holders lists who holds a copy of a package, ever, sorted.
func holders(waves []SealRequest) []cvd.HolderID {
	var out []cvd.HolderID
	for _, w := range waves {
		for _, h := range w.Holders {
			out = append(out, h.Holder)
		}
	}
	slices.SortFunc(out, cvd.HolderID.Compare)
	return slices.Compact(out)
}

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
	bias := fpcode.BiasKey(k)
	for _, site := range f.Sites {
		if p.laws[site.ID], err = Profile.Law(bias, site.ID, int(site.Q)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// identity is the 64 bits by which a holder's token for a slot is known.
func (p *press) identity(h cvd.HolderID, slot string) uint64 {
	return token.Identity(derive(p.key, "token"), Epoch, [16]byte(p.pkg), [16]byte(h), slot)
}

// print renders one holder's copy.
func (p *press) print(h cvd.HolderID) []form.Output {
	ck := fpcode.CopyKey(p.key, [16]byte(h))
	return p.form.Render(p.level,
		func(site form.Site) uint8 { return fpcode.Symbol(ck, site.ID, p.laws[site.ID]) },
		func(slot string, a token.Alphabet) string { return a.Encode(p.rec, p.identity(h, slot)) })
}

// commit computes what opens each copy of a wave, in the order of the request,
// and the root over them all.
func (p *press) commit(ctx context.Context, q SealRequest) ([]Opening, entrylog.Hash, error) {
	openings := make([]Opening, 0, len(q.Holders))
	leaves := make([]entrylog.Hash, 0, len(q.Holders))
	err := parallel(ctx, len(q.Holders), func(i int) (Opening, error) {
		h := q.Holders[i].Holder
		return Opening{
			Holder:        h,
			LeafSalt:      derive(p.key, "leaf", q.Wave[:], h[:]),
			KeyCommitment: fpcode.Commit(fpcode.CopyKey(p.key, [16]byte(h))),
			Copy:          form.CopyHash(p.print(h)),
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

// Seal renders, commits and seals a wave. each is called once a copy, in the
// order of the request, with what the desk stores; the statement comes last and
// must be on the log before any copy leaves. If each fails, Seal stops with its
// error; sealing again later gives the same commitments.
func (s *Sealer) Seal(ctx context.Context, q SealRequest, each func(Parcel) error) (SealResult, error) {
	kept, f, err := s.form(q.Revision)
	if err != nil {
		return SealResult{}, err
	}
	if len(q.Holders) == 0 {
		return SealResult{}, fmt.Errorf("%w: the wave has no holder; the empty audience is nobody", ErrRefused)
	}
	k, err := s.packageKey(kept.Package, false)
	if err != nil {
		return SealResult{}, err
	}
	name := waveName(kept.Package, q.Wave)
	if _, err := s.Vault.Read(name); err == nil {
		before, err := s.wave(kept.Package, q.Wave)
		if err != nil {
			return SealResult{}, err
		}
		if !before.samePlan(q) {
			return SealResult{}, fmt.Errorf("%w: wave %s was sealed for another audience or time; a changed wave is a new wave", ErrRefused, q.Wave)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return SealResult{}, err
	}
	if err := s.Vault.Write(name, wire.Marshal(&q)); err != nil {
		return SealResult{}, err
	}
	sealed, err := s.waves(kept.Package)
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
	openings, root, err := p.commit(ctx, q)
	if err != nil {
		return SealResult{}, err
	}

	var bulkKey string
	var bulk []byte
	if files := f.RenderBulk(q.Level); len(files) > 0 {
		if bulk, bulkKey, err = s.Envelope.Bulk(derive(k, "bulk", q.Wave[:]), files); err != nil {
			return SealResult{}, err
		}
	}
	waveKey := derive(k, "wave", q.Wave[:])
	err = parallel(ctx, len(q.Holders), func(i int) (Parcel, error) {
		h := q.Holders[i]
		locked, err := s.Envelope.Lock(h.Recipients, waveKey, [16]byte(h.Holder), p.print(h.Holder), bulkKey)
		if err != nil {
			return Parcel{}, fmt.Errorf("sealing to holder %s: %w", h.Holder, err)
		}
		return Parcel{Opening: openings[i], Locked: locked}, nil
	}, func(_ int, parcel Parcel) error { return each(parcel) })
	if err != nil {
		return SealResult{}, err
	}

	count := uint32(len(holders(sealed)))
	return SealResult{Bulk: bulk, Copies: uint32(len(q.Holders)), Statement: evidence.WaveStatement{
		Wave: entrylog.Ref(q.Wave), Package: entrylog.Ref(kept.Package), Revision: entrylog.Ref(q.Revision), Case: entrylog.Ref(kept.Case),
		Level: q.Level, OpensAt: q.OpensAt,
		Form: f.Hash(), SlotTable: f.SlotTableHash(), Bias: fpcode.Commit(fpcode.BiasKey(k)),
		Profile: Profile, Decoder: Decoder, AlphaPico: q.AlphaPico,
		Issued: evidence.IssuedCommitment(issuedSalt(k, q.Wave), count),
		Depth:  TreeDepth, Root: root,
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
		return cmpOr(a.Package.Compare(b.Package), int(a.Number)-int(b.Number), a.Revision.Compare(b.Revision))
	})
	return out, nil
}

func cmpOr(xs ...int) int {
	for _, x := range xs {
		if x != 0 {
			return x
		}
	}
	return 0
}

// Codebook opens a package to the inquiry, for one set of frozen readings. The
// sealer keeps its own count: each new set of readings is a further run, and the
// same set again is the same run, so that no journal but its own decides the
// multiplicity.
func (s *Sealer) Codebook(ctx context.Context, pkg cvd.PackageID, readings [32]byte) (Codebook, error) {
	k, err := s.packageKey(pkg, false)
	if err != nil {
		return Codebook{}, err
	}
	waves, err := s.waves(pkg)
	if err != nil {
		return Codebook{}, err
	}
	run, err := s.run(pkg, readings)
	if err != nil {
		return Codebook{}, err
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
	book := Codebook{Run: run, Bias: fpcode.BiasKey(k), Recognition: recKey, Waves: waves}
	for _, w := range waves {
		book.IssuedSalts = append(book.IssuedSalts, issuedSalt(k, w.Wave))
	}
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
	openings, _, err := p.commit(ctx, q)
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

// run numbers a set of readings of a package: 1 for the first. The journal is a
// list of the readings' hashes in the order in which codebooks were opened.
func (s *Sealer) run(pkg cvd.PackageID, readings [32]byte) (uint32, error) {
	name := "runs/" + pkg.String()
	b, err := s.Vault.Read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if len(b)%32 != 0 {
		return 0, fmt.Errorf("the journal of runs of package %s has %d bytes, not a multiple of 32: restore it from a backup", pkg, len(b))
	}
	for i := 0; i+32 <= len(b); i += 32 {
		if [32]byte(b[i:i+32]) == readings {
			return uint32(i/32) + 1, nil
		}
	}
	b = append(b, readings[:]...)
	if err := s.Vault.Write(name, b); err != nil {
		return 0, err
	}
	return uint32(len(b) / 32), nil
}
