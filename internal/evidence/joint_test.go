package evidence_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

const jointVectors = "../../doc/spec/vectors/dossier-joint"

// jointCase is a merge of three copies that names one, beside two that stay
// unnamed.
func jointCase() (*evidencetest.Case, []form.Specimen, int) {
	c := evidencetest.NewJoint(6, 150)
	return c, merge(c, 0, 2, 5), 0
}

func jointDossiers(t *testing.T) *dossierSet {
	c, specimens, named := jointCase()
	s := newDossierSet(t, c, func() *evidence.Dossier { return c.Dossier(specimens, named) })
	all, _ := parts(s.good)
	s.add("fail-magic", "of version 1, which holds no findings by joint/1", "file", false, s.flip(len(magic)-2))
	for _, p := range all {
		if p.to > p.from {
			s.add("fail-flip-"+strings.ReplaceAll(p.name, " ", "-"), "a byte of section "+p.name+" changed", "sections", false, s.flip((p.from+p.to)/2))
		}
	}
	f, err := evidence.ParseFindings(s.make().Findings)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Accused) != 1 || len(f.Partners) != 2 || len(f.Accused[0].Parts) != 1 || f.Accused[0].Parts[0].Copies != 3 {
		t.Fatalf("%d named, %d partners: %+v", len(f.Accused), len(f.Partners), f.Accused[0].Parts)
	}
	a, p := f.Accused[0], f.Partners[0]
	s.lie("lie-partner-key", "another key of a copy beside", "copies named", func(d *evidence.Dossier) { d.Copies[2].Key[0] ^= 1 })
	s.lie("lie-partner-holder", "another holder of a copy beside", "copies named", func(d *evidence.Dossier) { d.Copies[3].Holder[0] ^= 1 })
	s.lie("lie-partner-accused", "the word that it accuses nobody changed", "copies named", s.replace(evidence.PartnerMeans, strings.Replace(evidence.PartnerMeans, "nobody", "member", 1)))
	s.lie("lie-partner-wave", "a copy beside is said to be of another wave", "copies named", s.replace(`"label": "`+p.Label+`",
      "means"`, `"label": "wave 9",
      "means"`))
	s.lie("lie-channel", "a channel that does not follow", "probabilities", func(d *evidence.Dossier) {
		f, _ := evidence.ParseFindings(d.Findings)
		f.Accused[0].Parts[0].Match[1]++
		d.Findings, _ = f.Marshal()
	})
	s.lie("lie-class", "an unknown class of carriers in place of all", "findings", s.replace(`"class": "all"`, `"class": "any"`))
	s.lie("lie-probability", "a smaller p_adjusted than follows", "probabilities", s.replace(`"p_adjusted": "`+a.PAdjusted, `"p_adjusted": "1.0e-40`))
	s.lie("lie-chosen", "a smaller p_chosen than follows", "probabilities", s.replace(`"p_chosen": "`+a.PChosen, `"p_chosen": "1.0e-40`))
	s.lie("lie-decoder", "another decoder, whose findings would be of another version", "findings", s.replace(`"decoder": "joint/1"`, `"decoder": "joint/0"`))
	return s
}

func TestJointVectors(t *testing.T) { jointDossiers(t).compare(jointVectors) }

// Every value in findings by joint/1 is checked, but for names and notes.
func TestJointFindingsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("it computes hundreds of dossiers again")
	}
	c := evidencetest.NewJoint(3, 105)
	d := c.Dossier(merge(c, 0, 2), 0)
	f, err := evidence.ParseFindings(d.Findings)
	if err != nil || len(f.Partners) != 1 || f.Conclusion != evidence.Traced {
		t.Fatalf("%v, %d partners, %q", err, len(f.Partners), f.Conclusion)
	}
	changeEach(t, c, d, "partners.name")
}

// What joint/1 finds may depend on copies that nothing names. So from the second run
// on findings have to say for which specimens alpha is proved, and nowhere do they say
// more. What single/1 prints is as it was.
func TestJointAlphaIsProvedForLess(t *testing.T) {
	const more, less = "chosen in the light of earlier results too", "only for copies that no earlier explanation considered"
	for _, row := range []struct {
		decoder      string
		run          int
		limit, claim bool
	}{
		{fpcode.JointDecoder, 1, false, false},
		{fpcode.JointDecoder, 2, true, false},
		{fpcode.SingleDecoder, 1, false, true},
		{fpcode.SingleDecoder, 2, false, true},
	} {
		limits := strings.Join(evidence.RequiredLimits(&evidence.Findings{Decoder: row.decoder, Run: row.run}), " ")
		if strings.Contains(limits, less) != row.limit {
			t.Errorf("run %d of %s has limits %q", row.run, row.decoder, limits)
		}
		all := strings.Join(evidence.AssumptionsFor(row.decoder), " ")
		if strings.Contains(all, more) != row.claim || strings.Contains(all, less) == row.claim {
			t.Errorf("%s assumes %q", row.decoder, all)
		}
		if fair := strings.Contains(all, "given that keys were drawn fairly"); fair == row.claim {
			t.Errorf("%s: that p_chosen rests on fair drawing is said: %t", row.decoder, fair)
		}
	}
	if got := evidence.AssumptionsFor(fpcode.SingleDecoder); !slices.Equal(got, evidence.Assumptions()) {
		t.Error("single/1 has other assumptions than it had")
	}
}

// What an inquiry that lies can do about the copies beside: leave one out, list one
// that has no part, name one twice.
func TestDishonestPartners(t *testing.T) {
	c, specimens, named := jointCase()
	edit := func(change func(*evidence.Findings, *evidence.Dossier)) *evidence.Dossier {
		d := c.Dossier(specimens, named)
		f, err := evidence.ParseFindings(d.Findings)
		if err != nil {
			t.Fatal(err)
		}
		change(f, d)
		if d.Findings, err = f.Marshal(); err != nil {
			t.Fatal(err)
		}
		return d
	}
	other := c.Dossier(c.Leak(1), 1).Copies[0]
	for name, row := range map[string]struct {
		step, why string
		change    func(*evidence.Findings, *evidence.Dossier)
	}{
		"not listed": {"copies named", "not listed", func(f *evidence.Findings, _ *evidence.Dossier) { f.Partners = f.Partners[1:] }},
		"not opened": {"copies named", "not opened", func(_ *evidence.Findings, d *evidence.Dossier) { d.Copies = d.Copies[:3] }},
		"listed for nothing": {"copies named", "no copy was tested beside", func(f *evidence.Findings, d *evidence.Dossier) {
			f.Partners = append(f.Partners, evidence.Partner{Holder: evidence.ID(other.Holder), Wave: f.Partners[0].Wave, Label: "wave 1", Means: evidence.PartnerMeans})
			d.Copies = append(d.Copies, other)
		}},
		"opened for nothing": {"copies named", "do not name", func(_ *evidence.Findings, d *evidence.Dossier) { d.Copies = append(d.Copies, other) }},
		"of themselves": {"findings", "is none", func(f *evidence.Findings, _ *evidence.Dossier) {
			f.Accused[0].Parts[0].Beside[0] = f.Accused[0].Holder
		}},
		"one twice": {"findings", "twice", func(f *evidence.Findings, _ *evidence.Dossier) {
			b := f.Accused[0].Parts[0].Beside
			b[0] = b[1]
		}},
		"no test":        {"findings", "is told or left out", func(f *evidence.Findings, _ *evidence.Dossier) { f.Accused[0].Parts = nil }},
		"a part missing": {"findings", "is none", func(f *evidence.Findings, _ *evidence.Dossier) { f.Accused[0].Parts[0].Match = nil }},
		"no limit":       {"assumptions", "leave out a limit", func(f *evidence.Findings, _ *evidence.Dossier) { f.Limits = nil }},
		"no assumption": {"assumptions", "leave out or change an assumption", func(f *evidence.Findings, _ *evidence.Dossier) {
			f.Assumptions = evidence.Assumptions()
		}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c, edit(row.change), row.step, row.why) })
	}
}

// A partner whose key was committed to when the material existed could have been
// made for it.
func TestPartnerTooLate(t *testing.T) {
	var o evidence.OpenedCopy
	c := evidencetest.NewJointWith(6, 150, func(c *evidencetest.Case) {
		o = c.SealTo(2, c.Key(2), evidencetest.FoundAt.Add(30*60e9), nil)
	})
	specimens := merge(c, 0, 2, 5)
	d := c.Dossier(specimens, 0)
	for i := range d.Copies {
		if d.Copies[i].Holder == o.Holder {
			d.Copies[i] = o
		}
	}
	refused(t, c, d, "copies named", "may have existed")
}

// An inquiry that chooses beside whom it tests verifies, since the other copies
// are closed: p_chosen pays for all that it could have chosen.
func TestChosenPartners(t *testing.T) {
	c := evidencetest.NewJoint(6, 150)
	specimens := merge(c, 0, 2, 5)
	readings := form.Read(c.Form, specimens)
	basis := evidence.Basis{Form: c.Form, Readings: &readings, Copies: len(c.Holders), Run: 1, Decoder: fpcode.JointDecoder}
	least, n := 1.0, 0
	// Every pair of partners, and every channel, for an innocent copy.
	for i := range c.Holders {
		for k := range i {
			if i == 1 || k == 1 {
				continue
			}
			for copies := 2; copies <= fpcode.MaxColluders; copies++ {
				part := fpcode.KeyedPart{Beside: []fpcode.Key{c.Key(i), c.Key(k)}}
				part.Collusion = fpcode.EstimateBeside(readings.List(), c.Form.Laws(), 0, part.Beside, copies, false)
				b := basis.Under(evidence.Test{part})
				if b.Explainable() != (copies > 2) {
					t.Fatalf("%d copies, two of them known: %t", copies, b.Explainable())
				}
				if copies == 2 {
					continue
				}
				a := fpcode.RecomputeBeside(readings.List(), c.Form.Laws(), c.Key(1), []fpcode.KeyedPart{part}, basis.Copies, 1, readings.Hash())
				chosen := fpcode.AdjustChosen(a.PUpper, basis.Copies, 1, []fpcode.KeyedPart{part})
				if chosen < 2*a.PAdjusted && chosen < 1 {
					t.Errorf("p_chosen %g beside p_adjusted %g", chosen, a.PAdjusted)
				}
				least, n = min(least, chosen), n+1
			}
		}
	}
	if least < 1e-6 {
		t.Errorf("of %d choices one gives an innocent p_chosen %g", n, least)
	}
}

// The statements name the profile that the Form has, or nothing holds.
func TestMisstatedProfile(t *testing.T) {
	c := evidencetest.Misstated(3, 90)
	refused(t, c, c.Dossier(c.Leak(1), 1), "Forms", "profile")
}

// Findings by single/1 have no word of all this, and none may be added.
func TestSingleHasNoPartners(t *testing.T) {
	c := evidencetest.New(3, 44)
	d := c.Dossier(c.Leak(1), 1)
	for _, word := range []string{"parts", "p_chosen", "partners", "beside"} {
		if bytes.Contains(d.Findings, []byte(`"`+word+`"`)) {
			t.Errorf("they have %q", word)
		}
	}
	if !bytes.HasPrefix(signed(t, c, d), []byte(magic)) {
		t.Error("its dossier is not of version 1")
	}
	f, err := evidence.ParseFindings(d.Findings)
	if err != nil {
		t.Fatal(err)
	}
	f.Accused[0].PChosen = "1.0e-09"
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	refused(t, c, d, "findings", "is told or left out")
	f.Accused[0].PChosen, f.Partners = "", evidence.List[evidence.Partner]{{Name: "x"}}
	if d.Findings, err = f.Marshal(); err != nil {
		t.Fatal(err)
	}
	refused(t, c, d, "findings", "which has none")
}

// A copy that agrees everywhere and was alone reaches what Attainable says.
func TestAttainableAlone(t *testing.T) {
	c := evidencetest.NewJoint(5, 60)
	for _, specimens := range [][]form.Specimen{c.Leak(2), c.Request(2), {{Name: "n", Data: c.Leak(2)[0].Data[:700]}}} {
		f, err := evidence.ParseFindings(c.Dossier(specimens, 2).Findings)
		if err != nil {
			t.Fatal(err)
		}
		a := slices.Concat(f.Accused, f.Conflicting)[0]
		if a.SitesAgreeing != a.SitesRead || a.PAdjusted != f.PAttainable {
			t.Errorf("%d of %d sites: p_adjusted %s, attainable %s", a.SitesAgreeing, a.SitesRead, a.PAdjusted, f.PAttainable)
		}
	}
}
