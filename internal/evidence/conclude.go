package evidence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/fpcode"
)

// The two design-based evidences. They are weighed apart and never blended.
const (
	EvidenceWording = "wording"
	EvidenceTokens  = "tokens"
)

// RuleFor is what Conclude does for a decoder's findings, in words. It is printed in
// each of them.
func RuleFor(decoder string) string {
	if decoder == fpcode.JointDecoder {
		return ruleBefore + `its score is not negative. ` + ruleAfter
	}
	return ConclusionRule
}

// ConclusionRule is RuleFor single/1.
const ConclusionRule = ruleBefore +
	`its score is not negative, or so little was read that even a copy which agreed everywhere would stay above alpha. ` +
	ruleAfter

const ruleBefore = `Wording names a copy when its p_adjusted is at most alpha and the three ways of computing the probability agree. ` +
	`Tokens name a copy when a token of it stands in a specimen that certainly existed before that token was publicly seen anywhere else, and p_tokens is at most alpha. ` +
	`Copies of one holder count as one, and so do those of holders under common ownership, where that was declared in the log before the first wave. ` +
	`Only copies that were committed to before the specimens are known to have existed can be named. ` +
	`If wording names copies, the material is traced to them, provided that tokens name no other. ` +
	`If wording names none, the material is traced to the copy that tokens name, provided that they name only one and that wording does not speak against it: `

const ruleAfter = `In every other case, and where more than sixteen copies are named, the answer is 'cannot say', and what each evidence would say alone is listed. ` +
	`Both evidences together accuse falsely, by chance, with probability alpha plus p_tokens at most.`

// MaxNamed is the most copies that findings list. Beyond it nothing tells copies
// apart, and no more keys are opened.
const MaxNamed = maxNamed

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

// Contradicted reports whether wording speaks against this copy: fits worse than
// chance does, although enough was read to name a copy. attainable is the
// p_adjusted of a copy that agreed everywhere (Basis.Attainable). Of joint/1 that is
// the figure of a copy alone, while a test beside others, or by places where
// nothing stands, may have enough to speak against a copy when a copy alone could
// not be named. So there a negative score is enough.
func (a *Accused) Contradicted(alpha, attainable string) bool {
	return a.Score < 0 && (len(a.Parts) > 0 || Enough(attainable, alpha))
}

// Enough reports whether enough was read to name a copy: whether one that agreed
// everywhere would have been named.
func Enough(attainable, alpha string) bool { return atMost(attainable, alpha) }

// Conclude applies ConclusionRule to the copies that some evidence names, of which
// unlisted more are not in copies. attainable is Basis.Attainable. It gives the
// conclusion and, for CannotSay, why in one sentence.
func Conclude(alpha, attainable string, unlisted int, copies []Accused) (conclusion, why string) {
	wording, tokens := map[ID]bool{}, map[ID]bool{}
	var against *Accused
	for i := range copies {
		if against == nil && copies[i].Contradicted(alpha, attainable) {
			against = &copies[i]
		}
		for _, e := range copies[i].Named(alpha) {
			if e == EvidenceWording {
				wording[copies[i].Coalition()] = true
			} else {
				tokens[copies[i].Coalition()] = true
			}
		}
	}
	switch {
	case unlisted > 0:
		return CannotSay, fmt.Sprintf("Some evidence names each of %d copies, more than the %d that findings list. So many cannot be told apart.", len(copies)+unlisted, MaxNamed)
	case len(wording) == 0 && len(tokens) == 0:
		return CannotSay, "Neither wording nor tokens name a copy at the threshold."
	case len(wording) == 0 && len(tokens) > 1:
		return CannotSay, fmt.Sprintf("The specimens hold tokens of %d unrelated copies, and no wording that would tell between them.", len(tokens))
	case len(wording) == 0 && against != nil:
		return CannotSay, fmt.Sprintf("A token of the copy issued to %s stands in the specimens, but wording speaks against that copy: it agrees at %d of %d places read, which fits worse than chance does, and enough was read to name a copy that the text is derived from.",
			against.Name, against.SitesAgreeing, against.SitesRead)
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
	var in []string
	for _, c := range a.sources() {
		in = append(in, c.Label)
	}
	if len(in) > 0 {
		to += " in " + enumerate(in, "or")
	}
	return to + " (" + a.Grade() + ")"
}

// sources are the copies that can have been the source: those that have as much
// of what was found as any other.
func (a *Accused) sources() (out []IssuedCopy) {
	most := 0
	for _, c := range a.Copies {
		most = max(most, c.Shows)
	}
	for _, c := range a.Copies {
		if c.Shows == most {
			out = append(out, c)
		}
	}
	return out
}

// The two grades of Accused.Acknowledged.
const (
	Acknowledged    = "acknowledged by its holder"
	NotAcknowledged = "not acknowledged"
)

// Grade tells whether the holder signed for the copy, in any of the waves that it
// may stem from, before the material is known to have existed. The receipt fixes
// the copy's leaf, and so its marks, by the holder's own word. Without one they
// are fixed by the log alone.
func (a *Accused) Grade() string {
	if slices.ContainsFunc(a.sources(), func(c IssuedCopy) bool { return c.Acknowledged }) {
		return Acknowledged
	}
	return NotAcknowledged
}

// WaveLabel names a wave by its place among all waves of its package, from 0, in
// the order in which they were sealed: what the log itself shows.
func WaveLabel(index int) string { return fmt.Sprintf("wave %d", index+1) }

// Sentence is the conclusion in words. It names those whose copies some evidence
// names, and nobody else: who shares their ownership stands in the row.
func Sentence(conclusion string, accused []Accused) string {
	if conclusion != Traced {
		return "Cannot say which copy the material is derived from, or whether it is derived from any."
	}
	var all []string
	for i := range accused {
		all = append(all, accused[i].Derived())
	}
	return "By the rule fixed beforehand the material is traced to " + enumerate(all, "and") + merged(accused) + "." + owned(accused)
}

// merged says of several copies that joint/1 names that the material is made of
// all of them: each was found beside the others.
func merged(accused []Accused) string {
	n := 0
	for i := range accused {
		if len(accused[i].Parts) > 0 && slices.Contains(accused[i].NamedBy, EvidenceWording) {
			n++
		}
	}
	if n < 2 || Merged(accused) < 2 {
		return ""
	}
	return ": it is derived from them, merged"
}

// owned says of several copies what makes them count as one.
func owned(accused []Accused) string {
	if len(accused) < 2 {
		return ""
	}
	for i := range accused {
		if accused[i].Group.ID.IsZero() || accused[i].Group.ID != accused[0].Group.ID {
			return ""
		}
	}
	return " They are under the common ownership of " + accused[0].Group.Name + " and count as one."
}

// enumerate is 'a', 'a and b', 'a, b and c'.
func enumerate(s []string, last string) string {
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	return strings.Join(s[:len(s)-1], ", ") + " " + last + " " + s[len(s)-1]
}

// Meaning says what the probabilities in findings are, and what they are not.
const Meaning = `Each p is the probability that a copy which had no part in this material would agree at least this well with it by chance, given these very specimens and whatever else had a part in them. ` +
	`p_adjusted counts every copy that was issued and every time that this package was decoded; it is the one that decides. ` +
	`Alpha is how often an innocent copy would be accused: in at most that share of packages, over all copies and decodings of each. Over several packages that adds up. ` +
	`No p is the probability that somebody is guilty, or that the finding is wrong, and none says how the material left its holder.`

// ProcessError stands beside every p.
const ProcessError = `A probability of one in a thousand million excludes chance, not error. Mis-delivery, two copies mixed up before sealing, a key in the wrong hands or a mistake in this program ` +
	`are all more likely than such a figure. What speaks against them here: copies were committed to before they were sent, the copy that is named can be printed again from its commitment, ` +
	`and the holder's own receipt, where there is one, fixes the same copy. What they leave open has to be weighed by a person.`

// Assumptions is what every probability rests on. All of them are printed in
// every findings, and VerifyDossier refuses findings that leave one out.
func Assumptions() List[string] {
	return List[string]{
		"The keys, the slot table, the reader, the decoder and alpha were fixed and committed to before any copy was sent. (The dossier shows it: wave statements in the anchored log.)",
		"The marks and tokens of a copy were drawn by keyed functions, independently of what whoever passed the material on would choose. (The dossier shows for the copies that are named that their keys were committed to before the material is known to have existed, and that marks and tokens follow from those keys alone. That the keys were drawn fairly, and that no pattern was picked or rejected, is assumed, on the sealer's word: a commitment only excludes choosing afterwards. A receipt by the holder fixes the copy's leaf, and with it the key; who acknowledged is listed.)",
		"The copy was delivered to its holder and to nobody else. (Fetches and receipts speak for it; it cannot be proved.)",
		"The reading is a deterministic function of specimens and slot table; it saw neither a codeword nor a copy, and was frozen before the keys were opened for it. (The dossier shows it: the specimens are read again, the inquiry's log has the order of entries, and a commitment to the freeze stands in the programme's log. From the second run on, the keys had been open before, for another reading.)",
		"Nobody but its holder had a token before it stood in the specimens. (Assumed. When a specimen was found is the investigator's word, frozen with the readings; whoever holds the recognition key could aim at tokens, which p_aimed bounds for one try.)",
		"Every copy issued and every decoding of this package is counted. (The dossier shows the number of copies that was committed to, and the sealer's signed word on runs, waves and copies. How many leaves lie under a wave's root cannot be seen by whoever has the dossier; an auditor who is given the tree's key can count them. A holder's receipt fixes that holder's leaf.)",
		assumptionAlpha,
		"Holders under common ownership count as one. (As far as ownership was declared, in the log and before the first wave.)",
		"Nothing is claimed about persons inside a holder, nor about whether the holder was itself robbed of the material.",
		"The vendor, who makes every copy, could itself have produced this material. Commitments exclude that evidence was made up afterwards; they do not exclude that a genuine copy was passed on by the vendor. The sealer's separate keys, its journal and the receipts are what limits that.",
	}
}

// assumptionAlpha is of decoders that weigh each copy alone; of joint/1 it would say
// too much (AssumptionsFor).
const assumptionAlpha = "Alpha holds for this package, all copies and decodings of it together; P packages come to P times alpha. It holds for specimens chosen in the light of earlier results too: until a first false accusation, results say nothing of copies that no evidence names. Once findings named a copy, under whichever heading, its key is open, and later runs prove nothing new about its holder. (By the arithmetic, as long as nothing but such results is told.)"

// The limits that findings must print, beside those of their own.
const (
	limitTokens = "The dossier opens the key that tokens are recognised by: afterwards its readers can tell that a string is a token of that epoch."
	limitFound  = "For %d of the specimens it is not known when they first existed. That a copy was committed to before them rests, for these, on the freeze of the readings alone."
	limitRun    = "This is run %d of the package: its keys had been open before this reading was made, for another one. That the reading was made without knowing them is the inquiry's word; every p is raised for it by the factor %d."
)

// RequiredLimits are the limits that findings have to print, given what they say.
// VerifyDossier refuses findings that leave one out.
func RequiredLimits(f *Findings) (out List[string]) {
	out = append(out, limitTokens)
	if _, unknown := KnownBefore(f.FrozenAt, f.Specimens); unknown > 0 {
		out = append(out, fmt.Sprintf(limitFound, unknown))
	}
	if f.Run > 1 {
		out = append(out, fmt.Sprintf(limitRun, f.Run, int(Spend(f.Decoder, f.Run))))
	}
	return append(append(out, f.jointLimits()...), f.laterLimits()...)
}

// KnownBefore is the instant before which a copy has to have been anchored to be
// named: the first at which any of the specimens may have existed, and never after
// the freeze. Of a specimen that is only known to have existed by some time, that
// time counts; unknown is how many have no time at all.
func KnownBefore(frozen time.Time, specimens []SpecimenFacts) (limit time.Time, unknown int) {
	limit = frozen
	for _, s := range specimens {
		t := s.Found.From
		if t.IsZero() {
			t = s.Found.To
		}
		switch {
		case t.IsZero():
			unknown++
		case t.Before(limit):
			limit = t
		}
	}
	return limit, unknown
}
