package evidence

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// Stage is how far findings are on their way to being final.
type Stage uint8

// The stages. Their numbers are not written anywhere; acts are.
const (
	NoFindings Stage = iota
	Draft            // made; the investigator has seen them
	Put              // put to those whose copies are named
	Replied          // a reply is attached
	Reviewed         // by somebody else than who drafted them
	Final
	Withdrawn
	stageEnd
)

var stageNames = [...]string{"none", "draft", "put to the member", "replied", "reviewed", "final", "withdrawn"}

// String is the stage in words.
func (s Stage) String() string {
	if s < stageEnd {
		return stageNames[s]
	}
	return fmt.Sprintf("stage %d", uint8(s))
}

// Act is what is done with findings. Each is an entry of the inquiry's log.
type Act uint8

// The acts. Their numbers are frozen.
const (
	NoAct     Act = iota
	ActPut        // put to those whose copies are named, with a time to reply
	ActReply      // a reply is attached, byte for byte
	ActSilent     // it is said that no reply will come, and why
	ActReview     // reviewed, and found to hold
	ActObject     // reviewed, and not found to hold
	ActFinal
	ActWithdraw
	ActDraft // made; an entry of its own kind
	actEnd
)

var actNames = [...]string{"nothing", "put", "reply", "no reply", "review", "object", "finalise", "withdraw", "draft"}

// String is the act's name.
func (a Act) String() string {
	if a < actEnd {
		return actNames[a]
	}
	return fmt.Sprintf("act %d", uint8(a))
}

// Who may do something with findings, beside what the programme's policy asks.
const (
	ByInvestigator = "an investigator"
	ByAnother      = "an investigator who did not draft them"
)

// LifeStep is one way from a stage to another, and who may take it.
type LifeStep struct {
	From, To Stage
	Act      Act
	Who      string
}

// LifeSteps is the life of findings as a table. Life looks everything up in it,
// and the diagram in doc/states.md is drawn from it.
//
// There is no way from draft to final past a second person; none back from
// withdrawn; and none by which something that was attached goes away. A reply
// that comes after the review is reviewed as well, and so is the word that none will
// come; a reply that comes after everything is attached all the same.
var LifeSteps = []LifeStep{
	{NoFindings, Draft, ActDraft, ByInvestigator},
	{Draft, Put, ActPut, ByInvestigator},
	{Draft, Reviewed, ActReview, ByAnother}, // only when no copy is named: there is nobody to put them to
	{Draft, Draft, ActObject, ByAnother},
	{Draft, Draft, ActReply, ByInvestigator}, // after an objection, to what was put before
	{Put, Replied, ActReply, ByInvestigator},
	{Put, Put, ActSilent, ByInvestigator},
	{Put, Reviewed, ActReview, ByAnother},
	{Put, Draft, ActObject, ByAnother},
	{Replied, Replied, ActReply, ByInvestigator},
	{Replied, Replied, ActSilent, ByInvestigator},
	{Replied, Reviewed, ActReview, ByAnother},
	{Replied, Draft, ActObject, ByAnother},
	{Reviewed, Replied, ActReply, ByInvestigator},
	{Reviewed, Put, ActSilent, ByInvestigator}, // it ends somebody's time to reply: the reviewer sees that first
	{Reviewed, Draft, ActObject, ByAnother},
	{Reviewed, Final, ActFinal, ByInvestigator},
	{Final, Final, ActReply, ByInvestigator},
	{Draft, Withdrawn, ActWithdraw, ByInvestigator},
	{Put, Withdrawn, ActWithdraw, ByInvestigator},
	{Replied, Withdrawn, ActWithdraw, ByInvestigator},
	{Reviewed, Withdrawn, ActWithdraw, ByInvestigator},
	{Final, Withdrawn, ActWithdraw, ByInvestigator},
	{Withdrawn, Withdrawn, ActReply, ByInvestigator},
}

// MinWait is the least time that those whose copies are named are given to reply.
const MinWait = 24 * time.Hour

// ErrStage: findings are not where that can be done with them, or not by that
// person. Nothing was changed.
var ErrStage = errors.New("the findings do not allow it")

// Done is one act, as its entry has it.
type Done struct {
	Act    Act
	At     time.Time
	By     entrylog.Ref // account
	Holder entrylog.Ref // ActReply, ActSilent: whose
	Text   [32]byte     // SHA-256 of the reply, review or reason; zero: none
	Until  time.Time    // ActPut: when the time to reply ends
	Entry  entrylog.Seq
}

// Life is what became of findings: a fold over the acts on them.
type Life struct {
	Stage Stage
	Named []entrylog.Ref // whose copies the findings name; fixed with the draft
	Done  []Done         // the draft first
}

// Drafted begins a life.
func Drafted(named []entrylog.Ref, d Done) Life {
	d.Act = ActDraft
	return Life{Stage: Draft, Named: named, Done: []Done{d}}
}

func (l *Life) refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrStage}, args...)...)
}

// Take is the life after an act, or why it can't be, wrapping ErrStage: not from
// this stage, not by this person, or something is missing.
func (l Life) Take(d Done) (Life, error) {
	i := slices.IndexFunc(LifeSteps, func(s LifeStep) bool { return s.From == l.Stage && s.Act == d.Act && s.Act != ActDraft })
	if i < 0 {
		return l, l.refuse("they are %s, and %s is not what can follow: %s", l.Stage, d.Act, l.canFollow())
	}
	step := LifeSteps[i]
	first := l.Done[0]
	if step.Who == ByAnother && d.By == first.By {
		return l, l.refuse("whoever drafted them does not review them: another investigator has to")
	}
	if last := l.Done[len(l.Done)-1]; d.At.Before(last.At) {
		return l, l.refuse("it would be before what was done last")
	}
	if err := l.complete(d); err != nil {
		return l, err
	}
	l.Stage, l.Done = step.To, append(slices.Clone(l.Done), d)
	return l, nil
}

// canFollow lists the acts that the stage leaves open.
func (l *Life) canFollow() string {
	var can []string
	for _, s := range LifeSteps {
		name := s.Act.String()
		if s.From != l.Stage || s.Act == ActDraft || slices.Contains(can, name) {
			continue
		}
		if len(l.Named) == 0 && (s.Act == ActPut || s.Act == ActReply || s.Act == ActSilent) || l.Stage == Draft && (s.Act == ActReview && len(l.Named) > 0 || (s.Act == ActReply || s.Act == ActSilent) && l.until().IsZero()) {
			continue
		}
		can = append(can, name)
	}
	if len(can) == 0 {
		return "nothing can"
	}
	return "what can follow is " + strings.Join(can, ", ")
}

// complete says what an act lacks, beyond stage and person.
func (l *Life) complete(d Done) error {
	spoken := d.Text != [32]byte{}
	switch d.Act {
	case ActPut:
		switch {
		case len(l.Named) == 0:
			return l.refuse("they name no copy, so there is nobody to put them to: have them reviewed")
		case d.Until.Before(d.At.Add(MinWait)):
			return l.refuse("those whose copies are named are given %s to reply at least", MinWait)
		case d.Until.Before(l.until()):
			return l.refuse("those whose copies are named were given until %s before: no less", stamp(l.until()))
		}
		return nil
	case ActReply, ActSilent:
		if !slices.Contains(l.Named, d.Holder) {
			return l.refuse("the findings name no copy of holder %s", d.Holder)
		}
		if l.until().IsZero() {
			return l.refuse("they were never put to anybody")
		}
	case ActReview:
		if l.Stage == Draft && len(l.Named) > 0 {
			return l.refuse("they name copies: put them to whom those were issued first")
		}
	case ActFinal:
		if missing := l.Waiting(d.At); len(missing) > 0 {
			return l.refuse("%s until %s: wait, or say that no reply will come", Count(len(missing), "of those whose copies are named has not replied, and has", "of those whose copies are named have not replied, and have"), stamp(l.until()))
		}
		return nil
	}
	if !spoken {
		return l.refuse("%s comes with a text", d.Act)
	}
	return nil
}

// until is when the time to reply ends, by the last time they were put; zero:
// never.
func (l *Life) until() (t time.Time) {
	for _, d := range l.Done {
		if d.Act == ActPut {
			t = d.Until
		}
	}
	return t
}

// Waiting are those whose copies are named who have neither replied nor are said
// not to, while at is within the time that they were given.
func (l *Life) Waiting(at time.Time) (out []entrylog.Ref) {
	if !at.Before(l.until()) {
		return nil
	}
	for _, h := range l.Named {
		if !slices.ContainsFunc(l.Done, func(d Done) bool { return (d.Act == ActReply || d.Act == ActSilent) && d.Holder == h }) {
			out = append(out, h)
		}
	}
	return out
}

// FindingsDrafted is the body of KindFindingsDrafted: findings were made. The
// subject is the case.
type FindingsDrafted struct {
	Case, Package entrylog.Ref
	Readings      [32]byte
	Findings      [32]byte       // SHA-256 of the findings' JSON: their name
	Dossier       [32]byte       // SHA-256 of the dossier, as it was signed first
	Timeline      [32]byte       // SHA-256 of what the page's picture is drawn from
	Traced        bool           // what they conclude
	Named         []entrylog.Ref // holders of the copies that they name, in their order
}

// Wire is the layout of doc/spec/findings.md.
func (b *FindingsDrafted) Wire(c *wire.Coder) {
	c.Fixed(b.Case[:])
	c.Fixed(b.Package[:])
	c.Fixed(b.Readings[:])
	c.Fixed(b.Findings[:])
	c.Fixed(b.Dossier[:])
	c.Fixed(b.Timeline[:])
	c.Bool(&b.Traced)
	wire.List(c, &b.Named, maxNamed, func(c *wire.Coder, r *entrylog.Ref) { c.Fixed(r[:]) })
}

// FindingsStage is the body of KindFindingsStage: one act. The subject is the
// case.
type FindingsStage struct {
	Findings [32]byte // FindingsDrafted.Findings
	Act      Act
	Holder   entrylog.Ref
	Text     [32]byte
	Until    time.Time
}

// Wire is the layout of doc/spec/findings.md.
func (b *FindingsStage) Wire(c *wire.Coder) {
	c.Fixed(b.Findings[:])
	wire.Enum(c, &b.Act, ActWithdraw)
	c.Fixed(b.Holder[:])
	c.Fixed(b.Text[:])
	c.Time(&b.Until)
	if c.Err() == nil && b.Act == NoAct {
		c.Fail("an act is needed")
	}
}

// Done is the act as an entry has it.
func (b *FindingsStage) Done(e entrylog.Entry, seq entrylog.Seq) Done {
	return Done{Act: b.Act, At: e.Time, By: e.Actor, Holder: b.Holder, Text: b.Text, Until: b.Until, Entry: seq}
}
