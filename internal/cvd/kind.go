package cvd

import (
	"fmt"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/wire"
)

// Kinds of entries. A number, once given, keeps its meaning and its layout for
// ever; a kind that turns out wrong is superseded by a new one. 35 was never
// used. The names are those of the bodies.
const (
	KindProgrammeFounded   entrylog.Kind = 1
	KindAccountAdded       entrylog.Kind = 2
	KindAccountClosed      entrylog.Kind = 3
	KindMemberAdmitted     entrylog.Kind = 4
	KindStandingChanged    entrylog.Kind = 5
	KindTermsPublished     entrylog.Kind = 6
	KindTermsAccepted      entrylog.Kind = 7
	KindKeysEnrolled       entrylog.Kind = 8
	KindKeysRevoked        entrylog.Kind = 9
	KindCaseOpened         entrylog.Kind = 10
	KindCaseLinked         entrylog.Kind = 11
	KindEmbargoProposed    entrylog.Kind = 12
	KindEmbargoAgreed      entrylog.Kind = 13
	KindReleaseTimeMoved   entrylog.Kind = 14
	KindParticipantInvited entrylog.Kind = 15
	KindConsentGiven       entrylog.Kind = 16
	KindDraftSaved         entrylog.Kind = 17
	KindDraftOpened        entrylog.Kind = 18
	KindRevisionMade       entrylog.Kind = 19
	KindWaveDrafted        entrylog.Kind = 20
	KindWaveApproved       entrylog.Kind = 21
	KindWaveSealed         entrylog.Kind = evidence.KindWaveSealed // 22
	KindCopiesStored       entrylog.Kind = 23
	KindWaveCancelled      entrylog.Kind = 24
	KindHeld               entrylog.Kind = 25
	KindHoldLifted         entrylog.Kind = 26
	KindCopyFetched        entrylog.Kind = 27
	KindReceiptLodged      entrylog.Kind = 28
	KindAnswerGiven        entrylog.Kind = 29
	KindRecallIssued       entrylog.Kind = 30
	KindRecallAcknowledged entrylog.Kind = 31
	KindDutyAssigned       entrylog.Kind = 32
	KindDelegationGranted  entrylog.Kind = 33
	KindEmbargoEnded       entrylog.Kind = 34
	KindReleased           entrylog.Kind = 36
	KindCommitmentNoted    entrylog.Kind = 37
	KindSightingRecorded   entrylog.Kind = 38
	KindLegalHoldSet       entrylog.Kind = 39
	KindRecoveryDeclared   entrylog.Kind = 40
	KindKeyDestroyed       entrylog.Kind = 41
	KindBreachDeclared     entrylog.Kind = 42
	KindProductAdded       entrylog.Kind = 43
	KindGroupDeclared      entrylog.Kind = 44
	KindDelegationRevoked  entrylog.Kind = 45

	// kindRecovery is written by the ledger itself when it starts a new epoch;
	// the fold passes over it.
	kindRecovery entrylog.Kind = 0xFFFF
)

// kinds is indexed by kind: its name, and a new empty body.
var kinds = [...]struct {
	name string
	body func() wire.Layout
}{
	KindProgrammeFounded:   {"ProgrammeFounded", func() wire.Layout { return new(ProgrammeFounded) }},
	KindAccountAdded:       {"AccountAdded", func() wire.Layout { return new(AccountAdded) }},
	KindAccountClosed:      {"AccountClosed", func() wire.Layout { return new(AccountClosed) }},
	KindMemberAdmitted:     {"MemberAdmitted", func() wire.Layout { return new(MemberAdmitted) }},
	KindStandingChanged:    {"StandingChanged", func() wire.Layout { return new(StandingChanged) }},
	KindTermsPublished:     {"TermsPublished", func() wire.Layout { return new(TermsPublished) }},
	KindTermsAccepted:      {"TermsAccepted", func() wire.Layout { return new(TermsAccepted) }},
	KindKeysEnrolled:       {"KeysEnrolled", func() wire.Layout { return new(KeysEnrolled) }},
	KindKeysRevoked:        {"KeysRevoked", func() wire.Layout { return new(KeysRevoked) }},
	KindCaseOpened:         {"CaseOpened", func() wire.Layout { return new(CaseOpened) }},
	KindCaseLinked:         {"CaseLinked", func() wire.Layout { return new(CaseLinked) }},
	KindEmbargoProposed:    {"EmbargoProposed", func() wire.Layout { return new(EmbargoProposed) }},
	KindEmbargoAgreed:      {"EmbargoAgreed", func() wire.Layout { return new(EmbargoAgreed) }},
	KindReleaseTimeMoved:   {"ReleaseTimeMoved", func() wire.Layout { return new(ReleaseTimeMoved) }},
	KindParticipantInvited: {"ParticipantInvited", func() wire.Layout { return new(ParticipantInvited) }},
	KindConsentGiven:       {"ConsentGiven", func() wire.Layout { return new(ConsentGiven) }},
	KindDraftSaved:         {"DraftSaved", func() wire.Layout { return new(DraftSaved) }},
	KindDraftOpened:        {"DraftOpened", func() wire.Layout { return new(DraftOpened) }},
	KindRevisionMade:       {"RevisionMade", func() wire.Layout { return new(RevisionMade) }},
	KindWaveDrafted:        {"WaveDrafted", func() wire.Layout { return new(WaveDrafted) }},
	KindWaveApproved:       {"WaveApproved", func() wire.Layout { return new(WaveApproved) }},
	KindWaveSealed:         {"WaveSealed", func() wire.Layout { return new(evidence.WaveStatement) }},
	KindCopiesStored:       {"CopiesStored", func() wire.Layout { return new(CopiesStored) }},
	KindWaveCancelled:      {"WaveCancelled", func() wire.Layout { return new(WaveCancelled) }},
	KindHeld:               {"Held", func() wire.Layout { return new(Held) }},
	KindHoldLifted:         {"HoldLifted", func() wire.Layout { return new(HoldLifted) }},
	KindCopyFetched:        {"CopyFetched", func() wire.Layout { return new(CopyFetched) }},
	KindReceiptLodged:      {"ReceiptLodged", func() wire.Layout { return new(ReceiptLodged) }},
	KindAnswerGiven:        {"AnswerGiven", func() wire.Layout { return new(AnswerGiven) }},
	KindRecallIssued:       {"RecallIssued", func() wire.Layout { return new(RecallIssued) }},
	KindRecallAcknowledged: {"RecallAcknowledged", func() wire.Layout { return new(RecallAcknowledged) }},
	KindDutyAssigned:       {"DutyAssigned", func() wire.Layout { return new(DutyAssigned) }},
	KindDelegationGranted:  {"DelegationGranted", func() wire.Layout { return new(DelegationGranted) }},
	KindEmbargoEnded:       {"EmbargoEnded", func() wire.Layout { return new(EmbargoEnded) }},
	KindReleased:           {"Released", func() wire.Layout { return new(Released) }},
	KindCommitmentNoted:    {"CommitmentNoted", func() wire.Layout { return new(CommitmentNoted) }},
	KindSightingRecorded:   {"SightingRecorded", func() wire.Layout { return new(SightingRecorded) }},
	KindLegalHoldSet:       {"LegalHoldSet", func() wire.Layout { return new(LegalHoldSet) }},
	KindRecoveryDeclared:   {"RecoveryDeclared", func() wire.Layout { return new(RecoveryDeclared) }},
	KindKeyDestroyed:       {"KeyDestroyed", func() wire.Layout { return new(KeyDestroyed) }},
	KindBreachDeclared:     {"BreachDeclared", func() wire.Layout { return new(BreachDeclared) }},
	KindProductAdded:       {"ProductAdded", func() wire.Layout { return new(ProductAdded) }},
	KindGroupDeclared:      {"GroupDeclared", func() wire.Layout { return new(GroupDeclared) }},
	KindDelegationRevoked:  {"DelegationRevoked", func() wire.Layout { return new(DelegationRevoked) }},
}

// Known reports whether this version of the program knows the kind. A log with
// an unknown one was written by a newer version and must not be opened.
func Known(k entrylog.Kind) bool {
	return k == kindRecovery || int(k) < len(kinds) && kinds[k].body != nil
}

// Public reports whether an entry is put on its tick's board, so that it can be
// opened to members: wave statements, and nothing else ever.
func Public(e entrylog.Entry) bool { return e.Kind == KindWaveSealed }

// KindName is the kind's name as in doc/glossary.md, or "kind 99".
func KindName(k entrylog.Kind) string {
	switch {
	case k == kindRecovery:
		return "Recovery"
	case Known(k):
		return kinds[k].name
	}
	return fmt.Sprintf("kind %d", k)
}

// DecodeBody reads a body of a kind. It accepts exactly what Decide writes:
// errors wrap wire.ErrFormat, or ErrUnknownKind.
func DecodeBody(k entrylog.Kind, body []byte) (wire.Layout, error) {
	if k == kindRecovery || !Known(k) {
		return nil, fmt.Errorf("%w: %d", ErrUnknownKind, k)
	}
	v := kinds[k].body()
	if err := wire.Unmarshal(body, v); err != nil {
		return nil, fmt.Errorf("%s: %w", kinds[k].name, err)
	}
	return v, nil
}
