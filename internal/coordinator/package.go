package coordinator

import (
	"context"
	"fmt"
	"slices"

	"forewarn/internal/carrier"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/sealer"
)

// Added is what became of a source folder.
type Added struct {
	Package  cvd.PackageID
	Revision cvd.RevisionID
	Number   uint32
	Profile  fpcode.Profile
	Manifest carrier.Manifest
	Report   carrier.Report
}

// AddRevision keeps a source folder as a draft of a case's package and has the
// sealer compile it to the package's next revision. A zero package makes a new
// one. The zero profile is the package's own, or the sealer's for a new one; a
// package keeps the profile of its first revision, and another one is refused. When
// the source is refused, the draft is kept and nothing else happened; one that can't be
// read safely is not kept.
func (d *Desk) AddRevision(ctx context.Context, by cvd.Actor, cs cvd.CaseID, pkg cvd.PackageID, profile fpcode.Profile, src carrier.Source) (out Added, err error) {
	packed, err := src.Pack()
	if err != nil {
		return out, err
	}
	if err := d.vet(ctx, packed); err != nil {
		return out, err
	}
	ref, err := d.putBlob(ctx, CaseKey(cs), packed)
	if err != nil {
		return out, err
	}
	out.Package = pkg
	if pkg.IsZero() {
		if out.Package, err = NewID[cvd.PackageID](d); err != nil {
			return out, err
		}
	}
	if out.Revision, err = NewID[cvd.RevisionID](d); err != nil {
		return out, err
	}
	if _, err := d.Do(ctx, by, cvd.SaveDraft{Package: out.Package, Case: cs, Source: ref}); err != nil {
		return out, err
	}
	var earlier []cvd.RevisionID
	err = d.View(func(p *cvd.Programme) error {
		earlier = slices.Clone(p.Packages[out.Package].Revisions)
		out.Number = uint32(len(earlier)) + 1
		return p.May(by, cvd.ActMakeRevision, cvd.APackage(out.Package), d.at(p))
	})
	if err != nil {
		return out, err
	}
	r, err := d.Sealer.Compile(ctx, sealer.CompileRequest{Case: cs, Package: out.Package, Revision: out.Revision, Number: out.Number, Source: packed, Earlier: earlier, Profile: profile})
	if err != nil {
		return out, fmt.Errorf("%w; the draft was kept and no revision was made", err)
	}
	out.Profile, out.Manifest, out.Report = r.Profile, r.Manifest, r.Report
	out.Report.Warnings = append(out.Report.Warnings, d.Early(cs, r.Manifest)...)
	title, err := d.PutText(ctx, CaseKey(cs), RevisionText{Title: r.Manifest.Title, Summary: r.Manifest.Summary})
	if err != nil {
		return out, err
	}
	_, err = d.Do(ctx, by, cvd.MakeRevision{
		Revision: out.Revision, Package: out.Package, Title: title, Source: ref,
		Form: r.Form, SlotTable: r.SlotTable, AlphaPico: AlphaPico,
		Label: r.Manifest.TLP, Level: highest(r.Report), Break: min(r.Manifest.BreakPack(), highest(r.Report)),
		Rulings: rulings(r.Manifest),
	})
	return out, err
}

// OpenDraft gives the last source of a package to somebody who works on it. The
// log says that they opened it.
func (d *Desk) OpenDraft(ctx context.Context, by cvd.Actor, id cvd.PackageID) (src carrier.Source, err error) {
	opened, err := d.Do(ctx, by, cvd.OpenDraft{Package: id})
	if err != nil {
		return src, err
	}
	var cs cvd.CaseID
	var ref cvd.BlobRef
	if err := d.View(func(p *cvd.Programme) error {
		pkg := p.Packages[id]
		cs = pkg.Case
		for _, x := range pkg.Drafts { // another may have been saved since
			if len(opened) == 0 || x.Seq < opened[0].Seq {
				ref = x.Source
			}
		}
		return nil
	}); err != nil {
		return src, err
	}
	packed, err := d.blob(ctx, CaseKey(cs), ref)
	if err != nil {
		return src, err
	}
	return carrier.Unpack(packed)
}

// highest is the highest level that a revision has files for.
func highest(r carrier.Report) (out form.Level) {
	for _, f := range r.Files {
		out = max(out, f.Level)
	}
	return out
}

// uses says which of the domain's uses each of the manifest's is.
var uses = [carrier.UseCount]cvd.Use{
	carrier.DeployPatch:      cvd.DeployPatch,
	carrier.DeployMitigation: cvd.DeployMitigation,
	carrier.ShipSignature:    cvd.ShipSignature,
	carrier.TellCustomers:    cvd.TellCustomers,
	carrier.ShareWithMember:  cvd.ShareWithMember,
}

var verdicts = map[carrier.Verdict]cvd.Verdict{carrier.No: cvd.No, carrier.Yes: cvd.Yes, carrier.From: cvd.From}

func rulings(m carrier.Manifest) (out cvd.Rulings) {
	for u, r := range m.Uses {
		out[uses[u]] = cvd.Ruling{Verdict: verdicts[r.Verdict], From: r.From}
	}
	return out
}
