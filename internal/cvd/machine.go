package cvd

import (
	"fmt"
	"strings"

	"forewarn/internal/evidence"
)

// Step is one way from a state to another. By is the kind of entry that makes
// it, or Time when no entry does: the clock reached something.
type Step[S ~uint8] struct {
	From, To S
	By       string
}

// Time is the By of steps that the clock makes.
const Time = "time"

// Acts is the By of steps that anything makes which a person does.
const Acts = "any act of theirs"

// Machine is a life as a table. What the policy and the verbs allow is looked
// up in it, tests compare it with what the fold does, and the diagrams of
// doc/states.md are drawn from it.
type Machine[S interface {
	~uint8
	fmt.Stringer
}] struct {
	Name  string
	Steps []Step[S]
}

// Can reports whether something leads from a state to another.
func (m *Machine[S]) Can(from, to S, by string) bool {
	for _, s := range m.Steps {
		if s == (Step[S]{from, to, by}) {
			return true
		}
	}
	return false
}

// froms is the set of states that something leads out of.
func (m *Machine[S]) froms(by string) (set states) {
	for _, s := range m.Steps {
		if s.By == by {
			set |= 1 << s.From
		}
	}
	return set
}

// Mermaid draws the machine as a Mermaid state diagram. Steps between the same
// two states share an arrow. The zero state is drawn as the beginning, or as a
// state of its own when something leads back to it.
func (m *Machine[S]) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	zero := "[*]"
	for _, s := range m.Steps {
		if s.To == 0 {
			zero = S(0).String()
		}
	}
	if zero != "[*]" {
		fmt.Fprintf(&b, "    [*] --> %s\n", zero)
	}
	id := func(s S) string {
		if s == 0 {
			return zero
		}
		return strings.ReplaceAll(s.String(), " ", "_")
	}
	done := map[[2]S]bool{}
	for i, s := range m.Steps {
		pair := [2]S{s.From, s.To}
		if done[pair] {
			continue
		}
		done[pair] = true
		by := []string{s.By}
		for _, t := range m.Steps[i+1:] {
			if t.From == s.From && t.To == s.To {
				by = append(by, t.By)
			}
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", id(s.From), id(s.To), strings.Join(by, ", "))
	}
	return b.String()
}

// Standings is the life of a member in the programme.
var Standings = Machine[Standing]{"Standing", []Step[Standing]{
	{NoStanding, Good, "MemberAdmitted"},
	{Good, Suspended, "StandingChanged"},
	{Good, Excluded, "StandingChanged"},
	{Good, Left, "StandingChanged"},
	{Suspended, Good, "StandingChanged"},
	{Suspended, Excluded, "StandingChanged"},
	{Suspended, Left, "StandingChanged"},
	{Left, Good, "StandingChanged"},
}}

// Consents is a member's stance in a case (Vultron's participant embargo
// consent; an invitation that nobody answered lapses as well).
var Consents = Machine[Consent]{"Consent", []Step[Consent]{
	{NoConsent, Invited, "ParticipantInvited"},
	{Invited, Invited, "ParticipantInvited"},
	{Invited, Signatory, "ConsentGiven"},
	{Invited, Declined, "ConsentGiven"},
	{Invited, Lapsed, Time},
	{Signatory, Declined, "ConsentGiven"},
	{Signatory, Lapsed, "EmbargoAgreed"},
	{Lapsed, Signatory, "ConsentGiven"},
	{Lapsed, Declined, "ConsentGiven"},
	{Lapsed, Invited, "ParticipantInvited"},
	{Declined, Invited, "ParticipantInvited"},
}}

// Embargoes is the life of a case's embargo (Vultron's embargo management; a
// proposal that isn't agreed in time is as good as rejected).
var Embargoes = Machine[EmbargoState]{"Embargo", []Step[EmbargoState]{
	{NoEmbargo, Proposed, "EmbargoProposed"},
	{Proposed, Proposed, "EmbargoProposed"},
	{Proposed, NoEmbargo, Time},
	{Proposed, Active, "EmbargoAgreed"},
	{Active, Revise, "EmbargoProposed"},
	{Revise, Revise, "EmbargoProposed"},
	{Revise, Active, "EmbargoAgreed"},
	{Revise, Active, Time},
	{Active, Active, "ReleaseTimeMoved"},
	{Revise, Revise, "ReleaseTimeMoved"},
	{Active, EmbargoLifted, "EmbargoEnded"},
	{Revise, EmbargoLifted, "EmbargoEnded"},
	{Active, EmbargoLifted, Time},
	{Revise, EmbargoLifted, Time},
}}

// WaveStates is the life of a wave. Sealing one whose time has come opens it;
// sealing one that is held leaves it held.
var WaveStates = Machine[WaveState]{"Wave", []Step[WaveState]{
	{NoWave, StateDraft, "WaveDrafted"},
	{NoWave, StateApproved, "WaveDrafted"},
	{StateDraft, StateDraft, "WaveDrafted"},
	{StateDraft, StateApproved, "WaveApproved"},
	{StateApproved, StateDraft, "WaveDrafted"},
	{StateApproved, StateApproved, "WaveDrafted"},
	{StateApproved, StateDraft, "ReleaseTimeMoved"},
	{StateApproved, StateDraft, "EmbargoAgreed"},
	{StateApproved, StateSealed, "WaveSealed"},
	{StateApproved, StateOpen, "WaveSealed"},
	{StateApproved, StateHeld, "WaveSealed"},
	{StateSealed, StateOpen, Time},
	{StateSealed, StateHeld, "Held"},
	{StateOpen, StateHeld, "Held"},
	{StateSealed, StateHeld, "ReleaseTimeMoved"},
	{StateSealed, StateHeld, "EmbargoAgreed"},
	{StateHeld, StateSealed, "HoldLifted"},
	{StateHeld, StateOpen, "HoldLifted"},
	{StateHeld, StateSealed, "WaveApproved"},
	{StateHeld, StateOpen, "WaveApproved"},
	{StateHeld, StateHeld, "WaveApproved"},
	{StateDraft, StateCancelled, "WaveCancelled"},
	{StateApproved, StateCancelled, "WaveCancelled"},
	{StateSealed, StateCancelled, "WaveCancelled"},
	{StateHeld, StateCancelled, "WaveCancelled"},
	{StateDraft, StateSuperseded, "RecallIssued"},
	{StateApproved, StateSuperseded, "RecallIssued"},
	{StateSealed, StateSuperseded, "RecallIssued"},
	{StateOpen, StateSuperseded, "RecallIssued"},
	{StateHeld, StateSuperseded, "RecallIssued"},
}}

// AnswerStates is what a member may say after what it said last. The same again
// is always fine: with other words, versions or references.
var AnswerStates = Machine[AnswerState]{"Answer", answerSteps()}

func answerSteps() (steps []Step[AnswerState]) {
	after := [...][]AnswerState{
		NoAnswer:      {NotAffected, Investigating, Affected, InProgress, Ready, Shipped},
		NotAffected:   {NotAffected, Investigating, Affected},
		Investigating: {Investigating, NotAffected, Affected, InProgress, Ready, Shipped},
		Affected:      {Affected, NotAffected, InProgress, Ready, Shipped},
		InProgress:    {InProgress, NotAffected, Affected, Ready, Shipped},
		Ready:         {Ready, InProgress, Shipped},
		Shipped:       {Shipped, InProgress},
	}
	for from, tos := range after {
		for _, to := range tos {
			steps = append(steps, Step[AnswerState]{AnswerState(from), to, "AnswerGiven"})
		}
	}
	return steps
}

// FindingsStages is the life of findings (evidence.LifeSteps, which whoever
// verifies a dossier runs as well); the inquiry's log has its entries.
var FindingsStages = Machine[evidence.Stage]{"Findings", findingsSteps()}

func findingsSteps() (steps []Step[evidence.Stage]) {
	for _, s := range evidence.LifeSteps {
		steps = append(steps, Step[evidence.Stage]{From: s.From, To: s.To, By: s.Act.String()})
	}
	return steps
}

// findingsActs says who may do what with findings, as a table.
func findingsActs() string {
	var b strings.Builder
	b.WriteString("\n| act | from | who |\n|---|---|---|\n")
	done := map[evidence.Act]bool{}
	for _, s := range evidence.LifeSteps {
		if done[s.Act] {
			continue
		}
		done[s.Act] = true
		var from []string
		for _, t := range evidence.LifeSteps {
			if t.Act == s.Act {
				from = append(from, t.From.String())
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.Act, strings.Join(from, ", "), s.Who)
	}
	return b.String()
}

// Alarms is the life of a case's alarm. What was seen before, or was dismissed,
// raises nothing; what is new raises it again, also after a decision.
var Alarms = Machine[AlarmState]{"Alarm", alarmSteps()}

func alarmSteps() (steps []Step[AlarmState]) {
	steps = []Step[AlarmState]{
		{NoAlarm, AlarmRaised, "SightingsRecorded"},
		{AlarmRaised, AlarmInHand, "AlarmAcknowledged"},
	}
	decided := []AlarmState{AlarmHeld, AlarmWatched, AlarmDismissed}
	open := append([]AlarmState{AlarmRaised, AlarmInHand, AlarmUnheld}, decided...)
	steps = append(steps, Step[AlarmState]{AlarmHeld, AlarmUnheld, "HoldLifted"}, Step[AlarmState]{AlarmUnheld, AlarmHeld, "Held"})
	for _, from := range open {
		for _, to := range append(decided, AlarmEnded) {
			steps = append(steps, Step[AlarmState]{from, to, "AlarmDecided"})
		}
	}
	for _, from := range append(decided, AlarmUnheld) {
		steps = append(steps, Step[AlarmState]{from, AlarmRaised, "SightingsRecorded"})
	}
	for _, from := range open {
		for _, by := range []string{"EmbargoEnded", "KeyDestroyed", Time} {
			steps = append(steps, Step[AlarmState]{from, AlarmOver, by})
		}
	}
	return append(steps, Step[AlarmState]{AlarmEnded, AlarmOver, "KeyDestroyed"})
}

// Deliveries is the life of a notice to one account. What a mail server says later
// than it took it is a bounce; whoever looks, looked, whatever the servers say.
var Deliveries = Machine[DeliveryState]{"Delivery", deliverySteps()}

func deliverySteps() (steps []Step[DeliveryState]) {
	steps = []Step[DeliveryState]{
		{NoDelivery, DeliveryQueued, "DeliveriesQueued"},
		{DeliveryQueued, DeliverySent, "DeliveriesTried"},
		{DeliveryQueued, DeliveryFailed, "DeliveriesTried"},
		{DeliveryFailed, DeliverySent, "DeliveriesTried"},
	}
	for _, from := range []DeliveryState{DeliveryQueued, DeliverySent, DeliveryFailed} {
		steps = append(steps, Step[DeliveryState]{from, DeliveryBounced, "DeliveriesTried"})
	}
	for _, from := range []DeliveryState{DeliveryQueued, DeliverySent, DeliveryFailed, DeliveryBounced} {
		for _, by := range []string{"DeliveriesSeen", "CopyFetched", Acts} {
			steps = append(steps, Step[DeliveryState]{from, DeliveryAcknowledged, by})
		}
	}
	return steps
}

// Diagrams is doc/states.md.
func Diagrams() string {
	var b strings.Builder
	b.WriteString("# Lives\n\n" +
		"Drawn from the tables in `internal/cvd/machine.go`, which the program itself decides by. Arrows carry the kind of\n" +
		"entry that makes the step; *time* is a step that the clock makes and no entry says.\n")
	section := func(name, drawing, note string) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```mermaid\n%s```\n", name, note, drawing)
	}
	section(Embargoes.Name, Embargoes.Mermaid(), "A case's embargo, after the Vultron model. While a change is proposed the old embargo binds. It lifts when its\nrelease time comes, or is ended before.")
	section(WaveStates.Name, WaveStates.Mermaid(), "One staged release. *Open*, *held* and *superseded* follow from entries and the clock. A release time that moved asks\nagain: approved waves fall back to draft, sealed ones are held until they are approved anew.")
	section(Consents.Name, Consents.Mermaid(), "A member's stance in one case. Only a signatory is shown content.")
	section(Standings.Name, Standings.Mermaid(), "A member's place in the programme. Only members in good standing read or do anything.")
	section(AnswerStates.Name, AnswerStates.Mermaid(), "What a member says about one product in one case. *No answer* is where everybody begins, and nobody can go back to it.")
	section(FindingsStages.Name, FindingsStages.Mermaid(), "Findings, in the inquiry's own log; the arrows carry what is done. Findings that name a copy are put to whom it was\nissued before anybody else reviews them, and are final only once those have replied, are said not to, or had their time.\nFindings that name nobody are reviewed at once. Whoever drafted them does not review them. What was attached stays.")
	b.WriteString(findingsActs())
	section(Alarms.Name, Alarms.Mermaid(), "What a sighting before release sets off in its case. While it is *raised* the people on duty are called, one after\nanother. *Held*, *watched*, *dismissed* and *ended* are decisions; a decision may follow another, but nothing follows *ended*.\nOne that was *held* is *no longer held* when the case's hold is lifted.")
	section(Deliveries.Name, Deliveries.Mermaid(), "A notice to one account, by mail. A contact that bounced, failed, or didn't look within four hours has its backup told;\nwhen that one doesn't look either, the member is *not reached*: that follows from entries and the clock, for a member and what waits for it. See [notices.md](notices.md).")
	section(HeadsUps.Name, HeadsUps.Mermaid(), "What is announced to the public of a case, without saying which. *Overdue* follows from the clock: its page says that the\ntime passed and that nothing is published yet.")
	return b.String()
}
