package sealer

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Profile is the bias profile of new packages that ask for none. A package keeps
// the one that its first revision was compiled with: in the members' hands are
// copies whose symbols follow from it, and every wave's statement says so.
const Profile = fpcode.Default

// readerFor names how specimens will be read. Like the decoder it is bound in each
// wave's statement, before any leak. Readings that
// say how sure they are came with the later profiles; profile single keeps the
// reader that it was sealed with from the first.
func readerFor(p fpcode.Profile) string {
	if p == fpcode.Single {
		return form.Align1
	}
	return form.Align2
}

// lawsBefore is the profile of a package, and what its revisions so far have of
// sites: a Form without files, of each site as it was last. It is nil when there
// is no revision yet.
func (s *Sealer) lawsBefore(q CompileRequest) (fpcode.Profile, *form.Form, error) {
	if q.Profile != 0 && q.Profile.Count(fpcode.MinQ) == 0 {
		return 0, nil, fmt.Errorf("%w: profile %d is unknown to this version", ErrRefused, uint8(q.Profile))
	}
	if len(q.Earlier) == 0 {
		if q.Profile == 0 {
			return Profile, nil, nil
		}
		return q.Profile, nil, nil
	}
	var profile fpcode.Profile
	sites := map[fpcode.SiteID]form.Site{}
	for i, r := range q.Earlier {
		kept, f, err := s.form(r)
		switch {
		case err != nil:
			return 0, nil, err
		case kept.Package != q.Package:
			return 0, nil, fmt.Errorf("%w: revision %s is of another package", ErrRefused, r)
		case i == 0:
			profile = f.Bias()
		case f.Bias() != profile:
			return 0, nil, fmt.Errorf("%w: the revisions of package %s are of different profiles, %v and %v", ErrRefused, q.Package, profile, f.Bias())
		}
		for _, x := range f.Sites {
			sites[x.ID] = x
		}
	}
	if q.Profile != 0 && q.Profile != profile {
		return 0, nil, fmt.Errorf("%w: the package's first revision was compiled with profile %v, and it keeps that; ask for no profile, or make a further package", ErrRefused, profile)
	}
	before := &form.Form{Profile: profile}
	if profile == fpcode.Single {
		before.Profile = 0
	}
	for _, id := range slices.SortedFunc(maps.Keys(sites), func(a, b fpcode.SiteID) int { return bytes.Compare(a[:], b[:]) }) {
		before.Sites = append(before.Sites, sites[id])
	}
	return profile, before, nil
}

// keepsProfile refuses a Form of another profile than the package's waves have so
// far: their statements would contradict one another, and no dossier would hold.
func (s *Sealer) keepsProfile(pkg cvd.PackageID, f *form.Form) error {
	all, err := s.waves(pkg)
	if err != nil || len(all) == 0 {
		return err
	}
	_, first, err := s.form(all[0].Revision)
	if err != nil {
		return err
	}
	if first.Bias() != f.Bias() {
		return fmt.Errorf("%w: the package's waves so far are of profile %v and this revision is of %v", ErrRefused, first.Bias(), f.Bias())
	}
	return nil
}
