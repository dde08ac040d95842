package cvd

import "math/bits"

// said is a state as a refusal tells of it.
type said struct {
	is  string // what it is in
	did string // what leads out of it towards later states; empty: nothing does
}

// tooLate is what a refusal says when no later state allows it.
const tooLate = "that can't be done any more"

// notNow is said of a state that has no words.
const notNow = "this is not the time for it"

// The words are whole, and their commands' arguments stand for names: who is told
// knows the object already.
var (
	phaseSaid = []said{
		PhaseEarly:     {"no embargo of the case binds yet", "agree one first: forewarn case embargo CASE"},
		PhaseEmbargoed: {"the case is embargoed", "end the embargo first: forewarn case end CASE"},
		PhaseLifted:    {"the embargo is over, and the case was not released yet", "release it first: forewarn case release CASE"},
		PhasePublic:    {"the case is public already", ""},
		PhaseShredded:  {"the case's key was destroyed", ""},
	}
	waveSaid = []said{
		StateDraft:      {"nobody approved the wave as it is now", "approve it first, as a second person: forewarn wave approve WAVE"},
		StateApproved:   {"the wave is approved, and its copies are not sealed yet", "seal them: forewarn wave resume"},
		StateSealed:     {"the wave is sealed, and has not opened yet", "wait until it does, or hold it: forewarn wave hold WAVE"},
		StateOpen:       {"the wave is open already", "hold it: forewarn wave hold WAVE"},
		StateHeld:       {"the wave is held", "lift the hold first: forewarn wave lift WAVE"},
		StateCancelled:  {"the wave was cancelled", ""},
		StateSuperseded: {"the wave's revision was recalled", ""},
	}
	standingSaid = []said{
		Good:      {"the member is in good standing", "change that first: forewarn member standing MEMBER"},
		Suspended: {"the member is suspended", "change that first: forewarn member standing MEMBER"},
		Excluded:  {"the member was excluded", ""},
		Left:      {"the member has left", ""},
	}
	accountSaid    = []said{{"the account is open", "close it first: forewarn account close ACCOUNT"}, {"the account is closed", ""}}
	revisionSaid   = []said{{"the revision was not recalled", "only a recall asks for it: forewarn package recall CASE"}, {"the revision was recalled", ""}}
	delegationSaid = []said{{"what was lent still is", "wait until it ends"}, {"what was lent is over", ""}}
)

// refusal says of an object in one state what state that is, and what to do to be
// where an action is allowed: in one of the states in.
func (k ObjectKind) refusal(now, in states) (why, hint string) {
	i := bits.TrailingZeros16(uint16(now))
	if words := objects[k].said; i < len(words) && words[i].is != "" {
		why, hint = words[i].is, words[i].did
	} else {
		why = notNow
	}
	if hint == "" || in < now {
		hint = tooLate
	}
	return why, hint
}
