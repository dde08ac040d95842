package evidence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The two design-based evidences. They are weighed apart and never blended.
const (
	EvidenceWording = "wording"
	EvidenceTokens  = "tokens"
)

// ConclusionRule is what Conclude does, in words. It is printed in every
// findings.
const ConclusionRule = `Wording names a copy when its p_adjusted is at most alpha and the three ways of computing the probability agree. ` +
	`Tokens name a copy when a token of it stands in a specimen that certainly existed before that token was publicly seen anywhere else, and p_tokens is at most alpha. ` +
	`Copies of one holder, and of holders under common ownership, count as one. ` +
	`If wording names copies, the material is traced to them, provided that tokens name no other. ` +
	`If wording names none, the material is traced to the copy that tokens name, provided that they name only one. ` +
	`In every other case the answer is 'cannot say', and what each evidence would say alone is listed. ` +
	`Both evidences together accuse falsely, by chance, with probability alpha plus p_tokens at most.`

// Coalition is the ID that stands for an accused copy in the conclusion: its
// group's where there is one, or else its holder's.
func (a *Accused) Coalition() ID {
	if !a.Group.ID.IsZero() {
		return a.Group.ID
	}
	return a.Holder
}

// atMost compares printed probabilities. What does not parse is not small.
func atMost(p, alpha string) bool {
	v, err := strconv.ParseFloat(p, 64)
	limit, err2 := strconv.ParseFloat(alpha, 64)
	return err == nil && err2 == nil && v >= 0 && v <= limit && limit < 1
}

// Named is the evidences that name a copy, by ConclusionRule.
func (a *Accused) Named(alpha string) (by List[string]) {
	if a.Consistent && atMost(a.PAdjusted, alpha) {
		by = append(by, EvidenceWording)
	}
	counting := slices.ContainsFunc(a.Tokens, func(t TokenHit) bool { return t.Counts })
	if counting && atMost(a.PTokens, alpha) {
		by = append(by, EvidenceTokens)
	}
	return by
}

// Conclude applies ConclusionRule to the copies that some evidence names. It
// gives the conclusion and, for CannotSay, why in one sentence.
func Conclude(alpha string, copies []Accused) (conclusion, why string) {
	wording, tokens := map[ID]bool{}, map[ID]bool{}
	for i := range copies {
		for _, e := range copies[i].Named(alpha) {
			if e == EvidenceWording {
				wording[copies[i].Coalition()] = true
			} else {
				tokens[copies[i].Coalition()] = true
			}
		}
	}
	switch {
	case len(wording) == 0 && len(tokens) == 0:
		return CannotSay, "Neither wording nor tokens name a copy at the threshold."
	case len(wording) == 0 && len(tokens) > 1:
		return CannotSay, fmt.Sprintf("The specimens hold tokens of %d unrelated copies, and no wording that would tell between them.", len(tokens))
	case len(wording) > 0:
		for c := range tokens {
			if !wording[c] {
				return CannotSay, "Wording and tokens name different copies, so they are not consistent with one another."
			}
		}
	}
	return Traced, ""
}

// Derived is how findings name a copy: by the copy and who it was issued to,
// never by who passed anything on.
func (a *Accused) Derived() string {
	to := "the copy issued to " + a.Name
	if a.Staff {
		to = "the copy issued to the vendor's own account " + a.Name
	}
	// Only copies that have as much of it as any other can have been the source.
	most := 0
	for _, c := range a.Copies {
		most = max(most, c.Shows)
	}
	var in []string
	for _, c := range a.Copies {
		if c.Shows == most {
			in = append(in, c.Label)
		}
	}
	if len(in) > 0 {
		to += " in " + enumerate(in, "or")
	}
	if len(a.Group.Members) > 1 {
		to += " (with " + enumerate(others(a.Group.Members, a.Name), "and") + " under the common ownership of " + a.Group.Name + ", which counts as one)"
	}
	return to
}

func others(all []string, but string) (out []string) {
	for _, s := range all {
		if s != but {
			out = append(out, s)
		}
	}
	return out
}

// Sentence is the conclusion in words.
func Sentence(conclusion string, accused []Accused) string {
	if conclusion != Traced {
		return "Cannot say which copy the material is derived from, or whether it is derived from any."
	}
	var all []string
	for i := range accused {
		all = append(all, accused[i].Derived())
	}
	return "The material is derived from " + enumerate(all, "and") + "."
}

// enumerate is 'a', 'a and b', 'a, b and c'.
func enumerate(s []string, last string) string {
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " " + last + " " + s[len(s)-1]
}

// Meaning says what the probabilities in findings are, and what they are not.
const Meaning = `Each p is the probability that material derived from none of the copies issued would, by chance, agree at least this well with the copy in question: ` +
	`how often an innocent copy would be accused, given these very specimens. It is not the probability that somebody is guilty, nor that the finding is wrong, ` +
	`and it says nothing about how the material left its holder. p_adjusted counts every copy that was issued and every time that this package was decoded; it is the one that decides.`

// ProcessError stands beside every p.
const ProcessError = `A probability of one in a thousand million excludes chance, not error. Mis-delivery, two copies mixed up before sealing, a key in the wrong hands or a mistake in this program ` +
	`are all more likely than such a figure. What speaks against them here: copies were committed to before they were sent, the copy that is named can be printed again from its commitment, ` +
	`and the holder's own receipt, where there is one, names the same copy. What they leave open has to be weighed by a person.`

// Assumptions is what every probability rests on. All of them are printed in
// every findings, and VerifyDossier refuses findings that leave one out.
func Assumptions() List[string] {
	return List[string]{
		"The keys, the slot table, the decoder and alpha were fixed and committed to before any copy was sent. (The dossier shows it: wave statements in the anchored log.)",
		"The marks of a copy were drawn by keyed functions, independently of what whoever passed the material on would choose. No mark pattern was picked by hand or rejected. (The dossier shows it for the copies that are named: their keys were committed to before anything was sent, and their marks follow from those keys alone.)",
		"The copy was delivered to its holder and to nobody else. (Fetches and receipts speak for it; it cannot be proved.)",
		"The reading is a deterministic function of specimens and slot table; it saw neither a codeword nor a copy, and was frozen before any key was opened. (The dossier shows it: the specimens are read again, and the inquiry's log has the order of entries.)",
		"Every copy issued and every decoding of this package is counted. (The dossier shows the committed number of copies and the run number in the inquiry's log; a run that was kept off that log would not be seen.)",
		"Holders under common ownership count as one. (As far as ownership was declared.)",
		"Nothing is claimed about persons inside a holder, nor about whether the holder was itself robbed of the material.",
		"The vendor, who makes every copy, could itself have produced this material. Commitments exclude that evidence was made up afterwards; they do not exclude that a genuine copy was passed on by the vendor. The sealer's separate keys, its journal and the receipts are what limits that.",
	}
}
