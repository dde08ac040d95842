package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/fpcode"
	"forewarn/internal/plan"
)

// PackageView is a case's last package, for those who work on it: what was
// written when, and what could be traced of it. It has no content.
type PackageView struct {
	Case      cvd.CaseID      `json:"case"`
	Title     string          `json:"title"`
	Package   cvd.PackageID   `json:"package,omitzero"` // zero: there is none yet
	Packages  int             `json:"packages"`
	Profile   string          `json:"profile,omitempty"` // fixed by the first sealed wave; empty: not yet
	Draft     string          `json:"draft,omitempty"`   // the last one's hash, hex
	Drafts    []DraftLine     `json:"drafts"`            // the newest first, up to ten
	Revisions []BoardRevision `json:"revisions"`
	Unmade    bool            `json:"unmade"` // the last draft is of no revision
	Issued    int             `json:"issued"` // holders that copies were sealed for
	Copies    int             `json:"copies"` // that the plan is for
	Fit       string          `json:"preview_wanting,omitempty"`
	Traced    *Traced         `json:"traced,omitempty"`
}

// DraftLine is a draft that was saved, or given to somebody to read.
type DraftLine struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Read  bool      `json:"read"` // else saved
	Entry uint64    `json:"entry"`
}

// Traced is what could be traced of a source.
type Traced struct {
	Title    string           `json:"title"`
	Manifest carrier.Manifest `json:"-"`
	Report   carrier.Report   `json:"-"`
	Plan     *plan.Plan       `json:"-"`
	Refusals []string         `json:"refusals"` // why it can't be sealed; nothing else is known then
}

// PackageView gathers a package for somebody who may open its drafts.
func (d *Desk) PackageView(ctx context.Context, by cvd.Actor, id cvd.CaseID) (v PackageView, err error) {
	var draft cvd.BlobRef
	profile := fpcode.Profile(0)
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), now); err != nil {
			return err
		}
		c, n := p.Cases[id], d.Names(ctx, p)
		v = PackageView{Case: id, Title: n.Case(id), Packages: len(c.Packages), Drafts: []DraftLine{}, Revisions: d.revisions(ctx, p, n, c, cvd.HolderID(by.Account)), Copies: max(1, newTally(p, c, now).counts(false).Invited)}
		if len(c.Packages) == 0 {
			return p.May(by, cvd.ActSaveDraft, cvd.ACase(id), now)
		}
		k := p.Packages[c.Packages[len(c.Packages)-1]]
		if err := p.May(by, cvd.ActOpenDraft, cvd.APackage(k.ID), now); err != nil {
			return err
		}
		v.Package, v.Issued = k.ID, len(k.Issued)
		v.Copies = max(v.Copies, v.Issued)
		if profile = k.Profile; profile != 0 {
			v.Profile = profile.String()
		}
		draft = k.Drafts[len(k.Drafts)-1].Source
		v.Draft = draft.String()
		v.Unmade = len(k.Revisions) == 0 || p.Revisions[k.Revisions[len(k.Revisions)-1]].Source != draft
		for read, all := range map[bool][]cvd.DraftNote{false: k.Drafts, true: k.Reads} {
			for _, x := range all[max(0, len(all)-10):] {
				v.Drafts = append(v.Drafts, DraftLine{x.At, n.Account(x.By), read, uint64(x.Seq)})
			}
		}
		slices.SortFunc(v.Drafts, func(a, b DraftLine) int { return b.At.Compare(a.At) })
		v.Drafts = v.Drafts[:min(10, len(v.Drafts))]
		if why := p.Eligible(cvd.HolderID(by.Account), id, cvd.Preview, now); why != nil {
			v.Fit = whyNot(why)
		}
		return nil
	})
	if err != nil || draft.IsZero() {
		return v, err
	}
	v.Traced, err = d.traced.of(draft, profile, v.Copies, func() (carrier.Source, error) {
		packed, err := d.blob(ctx, CaseKey(id), draft)
		if err != nil {
			return carrier.Source{}, err
		}
		return carrier.Unpack(packed)
	})
	if err == nil {
		v.Traced = d.minding(id, v.Traced)
	}
	return v, err
}

// Early warns of what a source allows before the release of a case as it is planned
// now, for those who may know of the case.
func (d *Desk) Early(id cvd.CaseID, m carrier.Manifest) (out []carrier.Warning) {
	_ = d.View(func(p *cvd.Programme) error {
		if c := p.Cases[id]; c != nil && c.Embargo != nil {
			out = m.Early(c.Embargo.Release.At)
		}
		return nil
	})
	return out
}

// minding is what could be traced, with what a case's release warns of.
func (d *Desk) minding(id cvd.CaseID, t *Traced) *Traced {
	out := *t
	out.Report.Warnings = slices.Concat(t.Report.Warnings, d.Early(id, t.Manifest))
	return &out
}

// Trace says what could be traced of a source of a case, of so many copies, and what
// is to look at in it. Nothing is kept.
func (d *Desk) Trace(id cvd.CaseID, src carrier.Source, profile fpcode.Profile, copies int) (*Traced, error) {
	t, err := traceable(src, profile, copies)
	if err != nil {
		return nil, err
	}
	return d.minding(id, t), nil
}

// traceable says what could be traced of a source, of so many copies.
func traceable(src carrier.Source, profile fpcode.Profile, copies int) (*Traced, error) {
	if profile == 0 {
		profile = fpcode.Default
	}
	t := &Traced{Refusals: []string{}}
	m, report, layouts, err := carrier.Lay(src, traceKey, profile)
	var refused carrier.Refusals
	if errors.As(err, &refused) {
		for _, r := range refused {
			t.Refusals = append(t.Refusals, r.String())
		}
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	t.Title, t.Manifest, t.Report = m.Title, *m, report
	t.Plan, err = plan.New(plan.Question{Profile: profile, Copies: copies, Alpha: AlphaPico / 1e12, Colluders: fpcode.MaxColluders}, report, layouts)
	return t, err
}

// traceKey stands in for a package's bias key: which alternative stands for which
// symbol changes nothing of what is reported.
var traceKey = [32]byte{1}

// traces remembers what was found of the drafts that were looked at last: it is
// the same for the same draft.
type traces struct {
	mu   sync.Mutex
	list []trace
}

type trace struct {
	draft   cvd.BlobRef
	profile fpcode.Profile
	copies  int
	found   *Traced
}

// keptTraces bounds what is remembered.
const keptTraces = 32

func (t *traces) of(draft cvd.BlobRef, profile fpcode.Profile, copies int, read func() (carrier.Source, error)) (*Traced, error) {
	t.mu.Lock()
	for _, x := range t.list {
		if x.draft == draft && x.profile == profile && x.copies == copies {
			t.mu.Unlock()
			return x.found, nil
		}
	}
	t.mu.Unlock()
	src, err := read()
	if err != nil {
		return nil, err
	}
	found, err := traceable(src, profile, copies)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, trace{draft, profile, copies, found})
	if len(t.list) > keptTraces {
		t.list = slices.Delete(t.list, 0, len(t.list)-keptTraces)
	}
	return found, nil
}

// EditDraft changes the last draft of a package and makes a revision of it.
// draft is the hash of the one that was seen: when another was saved since, it is
// refused. check alone says what could be traced, and keeps nothing.
func (d *Desk) EditDraft(ctx context.Context, by cvd.Actor, id cvd.CaseID, draft string, check bool, change func(*carrier.Source) error) (added Added, traced *Traced, err error) {
	var pkg cvd.PackageID
	var ref cvd.BlobRef
	copies, profile := 1, fpcode.Profile(0)
	err = d.View(func(p *cvd.Programme) error {
		now := d.at(p)
		if err := p.May(by, cvd.ActSaveDraft, cvd.ACase(id), now); err != nil {
			return err
		}
		c := p.Cases[id]
		if len(c.Packages) == 0 {
			return fmt.Errorf("%w: the case has no package yet: upload one", cvd.ErrRefused)
		}
		pkg = c.Packages[len(c.Packages)-1]
		if err := p.May(by, cvd.ActOpenDraft, cvd.APackage(pkg), now); err != nil {
			return err
		}
		k := p.Packages[pkg]
		if ref = k.Drafts[len(k.Drafts)-1].Source; ref.String() != draft {
			return fmt.Errorf("%w: another draft was saved since you opened this one: open it again, and make your change in it", cvd.ErrRefused)
		}
		copies, profile = max(1, len(k.Issued), newTally(p, c, now).counts(false).Invited), k.Profile
		return nil
	})
	if err != nil {
		return added, nil, err
	}
	packed, err := d.blob(ctx, CaseKey(id), ref)
	if err != nil {
		return added, nil, err
	}
	src, err := carrier.Unpack(packed)
	if err != nil {
		return added, nil, err
	}
	if err := change(&src); err != nil {
		return added, nil, err
	}
	if err := d.Vet(ctx, src); err != nil {
		return added, nil, err
	}
	if traced, err = d.Trace(id, src, profile, copies); err != nil || check || len(traced.Refusals) > 0 {
		return added, traced, err
	}
	added, err = d.AddRevision(ctx, by, id, pkg, 0, src)
	return added, traced, err
}

// LastPackage is a case's package that is worked on; zero when there is none.
func (d *Desk) LastPackage(by cvd.Actor, id cvd.CaseID) (pkg cvd.PackageID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewExposure, cvd.ACase(id), d.at(p)); err != nil {
			return err
		}
		if all := p.Cases[id].Packages; len(all) > 0 {
			pkg = all[len(all)-1]
		}
		return nil
	})
	return pkg, err
}
