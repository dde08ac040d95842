package cvd

import (
	"fmt"
	"strings"
)

// Small vocabularies of bodies. Numbers are frozen, names are what people and
// programs read, and every zero is the value that allows nothing.

// Standing is a member's place in the programme.
type Standing uint8

const (
	NoStanding Standing = iota
	Good                // takes part
	Suspended           // stopped for now: reads and does nothing
	Excluded            // for good
	Left                // went; may come back
)

// Consent is a member's stance towards one case's embargo, after the Vultron
// model's participant embargo consent (CERT/CC).
type Consent uint8

const (
	NoConsent Consent = iota // not a participant
	Invited                  // asked; reads nothing yet
	Signatory                // agreed to the embargo: may be shown content
	Declined                 // said no, or withdrew
	Lapsed                   // did not answer in time, or agreed to terms that were since changed
)

// EmbargoState is a case's place in the Vultron model's embargo process.
type EmbargoState uint8

const (
	NoEmbargo     EmbargoState = iota // nothing agreed
	Proposed                          // proposed, not agreed
	Active                            // agreed: binds
	Revise                            // agreed, and a change is proposed; the old one binds
	EmbargoLifted                     // over: ended, released or its time reached
)

// WaveState is where a wave is at some time. Open, Held and Superseded are
// derived; no entry says them.
type WaveState uint8

const (
	NoWave          WaveState = iota // there is no such wave
	StateDraft                       // waits for a second person
	StateApproved                    // waits for the sealer
	StateSealed                      // committed; waits for its time
	StateOpen                        // served
	StateHeld                        // sealed, and its serving stopped
	StateCancelled                   // called off before anybody had it
	StateSuperseded                  // its revision was recalled
)

// AnswerState is what a member says about a product. No answer yet is a state
// of its own, and nobody can give it.
type AnswerState uint8

const (
	NoAnswer AnswerState = iota
	NotAffected
	Investigating
	Affected
	InProgress // protection in progress
	Ready      // protection ready
	Shipped    // protection shipped
)

// Purpose says which rules a wave is under.
type Purpose uint8

const (
	NoPurpose Purpose = iota
	Staged            // an early warning to members; needs a second person
	Preview           // to staff only, in their own marks; needs none
	BreakPack         // after the embargo was ended: the level approved with the revision
)

// Relation is how one case stands to another.
type Relation uint8

const (
	NoRelation Relation = iota
	Duplicate           // the same matter
	Split               // part of it
	Incomplete          // the other's fix did not hold
)

// ParticipantRole is what a member is in a case.
type ParticipantRole uint8

const (
	NoParticipant ParticipantRole = iota
	AsVendor                      // makes an affected product
	AsDeployer                    // runs it
	AsProtector                   // ships protections for it
	AsObserver                    // only follows
)

// Use is something a member may want to do before release.
type Use uint8

const (
	DeployPatch Use = iota
	DeployMitigation
	ShipSignature
	TellCustomers
	ShareWithMember
	useEnd
)

// Verdict is a ruling on a Use. The zero Verdict is no.
type Verdict uint8

const (
	No Verdict = iota
	Yes
	From // yes, from an instant on
)

// Grade is how reliable a sighting's source is, after the Admiralty code's
// first letter (AJP-2.1).
type Grade uint8

const (
	Ungraded Grade = iota
	GradeA         // completely reliable
	GradeB         // usually
	GradeC         // fairly
	GradeD         // not usually
	GradeE         // unreliable
	GradeF         // cannot be judged
)

// Origin is how a source stands to the programme. With whether bytes are held, it
// says what a sighting of its weighs.
type Origin uint8

const (
	NoOrigin     Origin = iota
	OwnSensor           // the programme's own
	MemberSource        // a member's, which answers for it
	Hearsay             // somebody's word
)

// Clue is what kind of thing was seen.
type Clue uint8

const (
	NoClue    Clue = iota
	Token          // planted in one copy; whose, only the inquiry learns
	Indicator      // of the attack
	Text           // of the package, or somebody's words about it
	Rule           // of the package, that fired
)

// Effect is what a sighting did to its case's alarm when it was recorded.
type Effect uint8

const (
	NoEffect     Effect = iota
	AfterEmbargo        // no embargo was left to warn of
	Suppressed          // what was dismissed before, and as it was then
	Repeats             // known already, from that source
	Joins               // new, and somebody was called already
	Raises              // new, and people are called
)

// AlarmState is where a case's alarm is. Over is derived: the embargo is.
type AlarmState uint8

const (
	NoAlarm        AlarmState = iota
	AlarmRaised               // people are being called
	AlarmInHand               // acknowledged: somebody is looking
	AlarmHeld                 // decided: serving stopped, what was seen is verified
	AlarmUnheld               // that hold was lifted; new things call again
	AlarmWatched              // decided: nothing is changed, new things call again
	AlarmDismissed            // decided: it is not the case's, and would not be again
	AlarmEnded                // decided: the embargo was ended
	AlarmOver                 // the embargo ended otherwise
)

// Choice is a decision about an alarm.
type Choice uint8

const (
	NoChoice Choice = iota
	ChooseHold
	ChooseWatch
	ChooseDismiss
	ChooseEnd
)

// Outcome is what became of an attempt to hand a notice on.
type Outcome uint8

const (
	NoOutcome Outcome = iota
	HandedOff
	NotHanded
)

// Why is why somebody is told that something waits for them. A notice doesn't say it.
type Why uint8

const (
	NoWhy           Why = iota
	WaveOpened          // a wave is open to them, and nobody fetched it yet
	WaveSoon            // one opens within a day
	ConsentAsked        // a case waits for the member's consent
	ConsentSoon         // and its invitation lapses within a day
	TermsAsked          // there are new terms to accept
	TermsSoon           // and they bind within a day
	RecallMade          // what they have is recalled
	EmbargoOver         // an embargo they signed was ended
	CaseReleased        // a case they are in is public
	ReleaseSoon         // it will be within a day
	ServingHeld         // serving of what was open to them is stopped
	AccessRecovered     // access to an account is being recovered, or was
	ApprovalAsked       // a wave waits for a second person
	ReportWaits         // a report came in, and nobody read it yet
	whyEnd
)

// MailOutcome is what became of an attempt to hand a notice to a mail server.
type MailOutcome uint8

const (
	NoMailOutcome MailOutcome = iota
	MailSent                  // a mail server has it
	MailFailed                // none took it for now
	MailBounced               // it can't be delivered, as a mail server said then or later
)

// DeliveryState is where a notice to one account is.
type DeliveryState uint8

const (
	NoDelivery           DeliveryState = iota
	DeliveryQueued                     // waits to be handed to a mail server, for the first time or again
	DeliverySent                       // a mail server has it
	DeliveryFailed                     // given up: none took it
	DeliveryBounced                    // it can't be delivered
	DeliveryAcknowledged               // the account looked, or its member fetched
)

// Reach is whether somebody learnt that something waits for them.
type Reach uint8

const (
	NotTold    Reach = iota // nobody was told yet
	Telling                 // the contact was told, or the backup, and has time to look
	Reached                 // one of them looked, or what waited was done
	NotReached              // neither looked in time, or nobody could be told
)

// KeyScope says whose key a body is about.
type KeyScope uint8

const (
	NoKey     KeyScope = iota
	CaseKey            // content of one case
	PersonKey          // the person behind one account
)

var (
	standingNames    = []string{"none", "good", "suspended", "excluded", "left"}
	consentNames     = []string{"none", "invited", "signatory", "declined", "lapsed"}
	embargoNames     = []string{"none", "proposed", "active", "revise", "lifted"}
	waveNames        = []string{"none", "draft", "approved", "sealed", "open", "held", "cancelled", "superseded"}
	answerNames      = []string{"no answer", "not affected", "investigating", "affected", "in progress", "ready", "shipped"}
	purposeNames     = []string{"none", "staged", "preview", "break pack"}
	relationNames    = []string{"none", "duplicate of", "split from", "incomplete fix of"}
	participantNames = []string{"none", "vendor", "deployer", "protector", "observer"}
	useNames         = []string{"deploy-patch", "deploy-mitigation", "ship-signature", "tell-customers", "share-with-member"}
	verdictNames     = []string{"no", "yes", "from"}
	gradeNames       = []string{"ungraded", "A", "B", "C", "D", "E", "F"}
	originNames      = []string{"none", "own", "member", "hearsay"}
	clueNames        = []string{"nothing", "token", "indicator", "text", "rule"}
	effectNames      = []string{"none", "after the embargo", "suppressed", "repeats", "joins", "raises"}
	alarmNames       = []string{"none", "raised", "acknowledged", "held", "no longer held", "watched", "dismissed", "ended", "over"}
	choiceNames      = []string{"nothing", "hold", "watch", "dismiss", "end"}
	outcomeNames     = []string{"none", "handed off", "failed"}
	mailNames        = []string{"none", "sent", "failed", "bounced"}
	deliveryNames    = []string{"none", "queued", "sent", "failed", "bounced", "acknowledged"}
	reachNames       = []string{"not told", "told", "reached", "not reached"}
	keyScopeNames    = []string{"none", "case", "person"}
)

func name[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown (%d)", uint8(v))
}

func parse[T ~uint8](names []string, s, what string) (T, error) {
	for i, n := range names {
		if n == s {
			return T(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not %s: use one of %s", s, what, strings.Join(names, ", "))
}

func (v Standing) String() string        { return name(standingNames, v) }
func (v Consent) String() string         { return name(consentNames, v) }
func (v EmbargoState) String() string    { return name(embargoNames, v) }
func (v WaveState) String() string       { return name(waveNames, v) }
func (v AnswerState) String() string     { return name(answerNames, v) }
func (v Purpose) String() string         { return name(purposeNames, v) }
func (v Relation) String() string        { return name(relationNames, v) }
func (v ParticipantRole) String() string { return name(participantNames, v) }
func (v Use) String() string             { return name(useNames, v) }
func (v Verdict) String() string         { return name(verdictNames, v) }
func (v Grade) String() string           { return name(gradeNames, v) }
func (v KeyScope) String() string        { return name(keyScopeNames, v) }
func (v Origin) String() string          { return name(originNames, v) }
func (v Clue) String() string            { return name(clueNames, v) }
func (v Effect) String() string          { return name(effectNames, v) }
func (v AlarmState) String() string      { return name(alarmNames, v) }
func (v Choice) String() string          { return name(choiceNames, v) }
func (v Outcome) String() string         { return name(outcomeNames, v) }

func (v MailOutcome) String() string   { return name(mailNames, v) }
func (v DeliveryState) String() string { return name(deliveryNames, v) }
func (v Reach) String() string         { return name(reachNames, v) }

// ParseOrigin reads what Origin.String writes.
func ParseOrigin(s string) (Origin, error) { return parse[Origin](originNames, s, "an origin") }

// ParseChoice reads what Choice.String writes.
func ParseChoice(s string) (Choice, error) { return parse[Choice](choiceNames, s, "a decision") }

// ParseStanding reads what Standing.String writes.
func ParseStanding(s string) (Standing, error) {
	return parse[Standing](standingNames, s, "a standing")
}

// ParseConsent reads what Consent.String writes.
func ParseConsent(s string) (Consent, error) { return parse[Consent](consentNames, s, "a consent") }

// ParseAnswer reads what AnswerState.String writes.
func ParseAnswer(s string) (AnswerState, error) {
	return parse[AnswerState](answerNames, s, "an answer")
}

// ParseRelation reads what Relation.String writes.
func ParseRelation(s string) (Relation, error) {
	return parse[Relation](relationNames, s, "a relation")
}

// ParseUse reads what Use.String writes.
func ParseUse(s string) (Use, error) { return parse[Use](useNames, s, "a use") }

// ParseParticipantRole reads what ParticipantRole.String writes.
func ParseParticipantRole(s string) (ParticipantRole, error) {
	return parse[ParticipantRole](participantNames, s, "a role in a case")
}

// ParseGrade reads what Grade.String writes.
func ParseGrade(s string) (Grade, error) { return parse[Grade](gradeNames, s, "a source's grade") }
