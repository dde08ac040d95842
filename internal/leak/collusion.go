package leak

import (
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
)

// The rival that copies were merged, and what it predicts where the decoder looks
// for that.
const collusionName = "Several holders together"

var (
	mergedPredicts = []string{
		"Every place read agrees with one of the copies that were merged: where they all agree, nothing else stands there.",
		"Places rewritten or left out where the copies differ, which merging shows to whoever does it.",
		"Readings that several copies with a channel between them explain better than one copy with noise does.",
	}
	mergedSettles = "A longer specimen: each further copy that had a part takes about twice the marks. The holders' own accounts, each of its own copy."
)

func (j *judge) collusion() look {
	if j.joint() {
		return j.merged()
	}
	switch {
	case len(j.f.Conflicting) > 0:
		return look{[]string{j.marks(), "Material from several copies would look like this."}, supports, design}
	case len(j.coalitions()) > 1:
		return look{[]string{j.marks(), "Several copies of unrelated holders are named, each by its own test."}, supports, design}
	case j.traced() && j.agreesThroughout():
		a := j.f.Accused[0]
		return look{[]string{fmt.Sprintf("The copy named agrees at %d of %d places read. A merge would agree less.", a.SitesAgreeing, a.SitesRead)}, against, design}
	case j.traced() && j.f.Accused[0].SitesRead > 0:
		a := j.f.Accused[0]
		return look{[]string{fmt.Sprintf("The copy named agrees at %d of %d places read: others may have contributed, or text was altered on the way.", a.SitesAgreeing, a.SitesRead)}, neutral, design}
	case j.traced():
		return look{[]string{"Only tokens were found. They tell one copy; they do not say that no other contributed."}, neutral, design}
	case j.unmarked():
		return look{[]string{j.marks(), "Several copies merged would look like this; so would an unmarked original."}, neutral, design}
	}
	return look{[]string{j.marks()}, unknown, model}
}

// merged is collusion where the decoder is joint/1: what it supposes, and what was
// seen of it.
func (j *judge) merged() look {
	r := j.f.Readings
	var seen []string
	if r.Other > 0 {
		seen = append(seen, fmt.Sprintf("%d of %d places %s something that no copy has there; %d %s missing.", r.Other, r.Sites, verb(r.Other, "shows", "show"), r.Erased, verb(r.Erased, "is", "are")))
	}
	if slots := j.tokensOf(); slots > 1 {
		seen = append(seen, fmt.Sprintf("Tokens of %d copies stand in the specimens.", slots))
	}
	all := append(slices.Clone(j.f.Accused), j.f.Conflicting...)
	n := evidence.Merged(all)
	throughout := j.traced() && j.agreesThroughout() && len(j.coalitions()) == 1
	switch {
	case throughout:
		seen = append(seen, j.supposed(j.f.Accused[0])...)
	case n > 1:
		seen = append(seen, fmt.Sprintf("%d copies, merged, explain the readings better than one: %s.", n, j.agreements(all)))
	}
	basis := func(reading string, more ...string) look {
		return look{append(more, seen...), reading, design}
	}
	switch {
	case len(j.coalitions()) > 1:
		return basis(supports, "Several copies of unrelated holders are named, each by a test in which it had no say.")
	case len(j.f.Conflicting) > 0:
		return basis(supports, j.marks(), "Material from several copies would look like this.")
	case j.traced() && n > 1 && !j.agreesThroughout():
		return basis(supports, fmt.Sprintf("The copy named agrees at %d of %d places read.", j.f.Accused[0].SitesAgreeing, j.f.Accused[0].SitesRead), "Whose the other copies are cannot be said.")
	case j.traced() && j.agreesThroughout():
		a := j.f.Accused[0]
		return basis(against, fmt.Sprintf("The copy named agrees at %d of %d places read. A merge would agree less.", a.SitesAgreeing, a.SitesRead))
	case j.traced() && j.f.Accused[0].SitesRead > 0:
		a := j.f.Accused[0]
		return basis(neutral, fmt.Sprintf("The copy named agrees at %d of %d places read: others may have contributed, or text was altered on the way.", a.SitesAgreeing, a.SitesRead))
	case j.traced():
		return basis(neutral, "Only tokens were found. They tell one copy; they do not say that no other contributed.")
	case j.unmarked():
		return basis(neutral, j.marks(), fmt.Sprintf("No explanation by up to %d copies makes any of them stand out. More copies merged would look like this; so would an unmarked original.", fpcode.MaxColluders))
	}
	return look{append([]string{j.marks()}, seen...), unknown, model}
}

// supposed says what a copy was tested beside. Where it agrees throughout that is a
// supposition of the test, which nothing that was seen bears out.
func (j *judge) supposed(a evidence.Accused) []string {
	var parts []string
	for _, p := range a.Parts {
		if p.Copies > 1 {
			parts = append(parts, testedWords(j.f, p))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []string{"What it was tested beside: " + strings.Join(parts, "; ") + ". That is what the test supposed, not what was seen."}
}

// agreements says of each copy named at how many places it agrees.
func (j *judge) agreements(all []evidence.Accused) string {
	s := ""
	for i, a := range all {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("the copy issued to %s agrees at %d of %d", a.Name, a.SitesAgreeing, a.SitesRead)
	}
	return s
}

// tokensOf is of how many holders tokens were found.
func (j *judge) tokensOf() int {
	had := map[[16]byte]bool{}
	for _, t := range j.in.Reading.Tokens {
		had[t.Holder] = true
	}
	return len(had)
}

func (j *judge) coalitions() map[evidence.ID]bool {
	out := map[evidence.ID]bool{}
	for i := range j.f.Accused {
		out[j.f.Accused[i].Coalition()] = true
	}
	return out
}

// agreesThroughout is agreement at nineteen places of twenty, which noise of
// copying and reading leaves (the decoder declares one in thirty-two).
func (j *judge) agreesThroughout() bool {
	a := j.f.Accused[0]
	return a.SitesRead > 0 && a.SitesAgreeing*20 >= a.SitesRead*19
}
