package cvd

import (
	"fmt"
	"reflect"

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
	KindSourceDeclared     entrylog.Kind = 46
	KindSourceRetired      entrylog.Kind = 47
	KindSightingsRecorded  entrylog.Kind = 48
	KindAlarmAcknowledged  entrylog.Kind = 49
	KindAlarmDecided       entrylog.Kind = 50
	KindSuppressionSet     entrylog.Kind = 51
	KindNoticeQueued       entrylog.Kind = 52
	KindNoticeTried        entrylog.Kind = 53

	// Sign-in.
	KindAccountInvited      entrylog.Kind = 60
	KindInvitationConfirmed entrylog.Kind = 61
	KindCredentialAdded     entrylog.Kind = 62
	KindCredentialRevoked   entrylog.Kind = 63
	KindTokenIssued         entrylog.Kind = 64
	KindTokenRevoked        entrylog.Kind = 65

	// Notices by mail.
	KindDeliveriesQueued entrylog.Kind = 66
	KindDeliveriesTried  entrylog.Kind = 67
	KindDeliveriesSeen   entrylog.Kind = 68
	// Reports from outside, and what is public.
	KindIntakeKeyed       entrylog.Kind = 70
	KindReportReceived    entrylog.Kind = 71
	KindReportRead        entrylog.Kind = 72
	KindReportSettled     entrylog.Kind = 73
	KindReportCredited    entrylog.Kind = 74
	KindAdvisoryCorrected entrylog.Kind = 75

	KindPersonChanged entrylog.Kind = 76

	// What the public is told ahead.
	KindHeadsUpPublished entrylog.Kind = 77
	KindHeadsUpWithdrawn entrylog.Kind = 78
	KindWaitLifted       entrylog.Kind = 79

	// kindRecovery is written by the ledger itself when it starts a new epoch;
	// the fold passes over it.
	kindRecovery entrylog.Kind = 0xFFFF
)

// kinds is indexed by kind: its name, and a new empty body.
var kinds = [...]struct {
	name string
	body func() fact
}{
	KindProgrammeFounded:   {"ProgrammeFounded", func() fact { return new(ProgrammeFounded) }},
	KindAccountAdded:       {"AccountAdded", func() fact { return new(AccountAdded) }},
	KindAccountClosed:      {"AccountClosed", func() fact { return new(AccountClosed) }},
	KindMemberAdmitted:     {"MemberAdmitted", func() fact { return new(MemberAdmitted) }},
	KindStandingChanged:    {"StandingChanged", func() fact { return new(StandingChanged) }},
	KindTermsPublished:     {"TermsPublished", func() fact { return new(TermsPublished) }},
	KindTermsAccepted:      {"TermsAccepted", func() fact { return new(TermsAccepted) }},
	KindKeysEnrolled:       {"KeysEnrolled", func() fact { return new(KeysEnrolled) }},
	KindKeysRevoked:        {"KeysRevoked", func() fact { return new(KeysRevoked) }},
	KindCaseOpened:         {"CaseOpened", func() fact { return new(CaseOpened) }},
	KindCaseLinked:         {"CaseLinked", func() fact { return new(CaseLinked) }},
	KindEmbargoProposed:    {"EmbargoProposed", func() fact { return new(EmbargoProposed) }},
	KindEmbargoAgreed:      {"EmbargoAgreed", func() fact { return new(EmbargoAgreed) }},
	KindReleaseTimeMoved:   {"ReleaseTimeMoved", func() fact { return new(ReleaseTimeMoved) }},
	KindParticipantInvited: {"ParticipantInvited", func() fact { return new(ParticipantInvited) }},
	KindConsentGiven:       {"ConsentGiven", func() fact { return new(ConsentGiven) }},
	KindDraftSaved:         {"DraftSaved", func() fact { return new(DraftSaved) }},
	KindDraftOpened:        {"DraftOpened", func() fact { return new(DraftOpened) }},
	KindRevisionMade:       {"RevisionMade", func() fact { return new(RevisionMade) }},
	KindWaveDrafted:        {"WaveDrafted", func() fact { return new(WaveDrafted) }},
	KindWaveApproved:       {"WaveApproved", func() fact { return new(WaveApproved) }},
	KindWaveSealed:         {"WaveSealed", func() fact { return new(waveSealed) }},
	KindCopiesStored:       {"CopiesStored", func() fact { return new(CopiesStored) }},
	KindWaveCancelled:      {"WaveCancelled", func() fact { return new(WaveCancelled) }},
	KindHeld:               {"Held", func() fact { return new(Held) }},
	KindHoldLifted:         {"HoldLifted", func() fact { return new(HoldLifted) }},
	KindCopyFetched:        {"CopyFetched", func() fact { return new(CopyFetched) }},
	KindReceiptLodged:      {"ReceiptLodged", func() fact { return new(ReceiptLodged) }},
	KindAnswerGiven:        {"AnswerGiven", func() fact { return new(AnswerGiven) }},
	KindRecallIssued:       {"RecallIssued", func() fact { return new(RecallIssued) }},
	KindRecallAcknowledged: {"RecallAcknowledged", func() fact { return new(RecallAcknowledged) }},
	KindDutyAssigned:       {"DutyAssigned", func() fact { return new(DutyAssigned) }},
	KindDelegationGranted:  {"DelegationGranted", func() fact { return new(DelegationGranted) }},
	KindEmbargoEnded:       {"EmbargoEnded", func() fact { return new(EmbargoEnded) }},
	KindReleased:           {"Released", func() fact { return new(Released) }},
	KindCommitmentNoted:    {"CommitmentNoted", func() fact { return new(CommitmentNoted) }},
	KindSightingRecorded:   {"SightingRecorded", func() fact { return new(SightingRecorded) }},
	KindLegalHoldSet:       {"LegalHoldSet", func() fact { return new(LegalHoldSet) }},
	KindRecoveryDeclared:   {"RecoveryDeclared", func() fact { return new(RecoveryDeclared) }},
	KindKeyDestroyed:       {"KeyDestroyed", func() fact { return new(KeyDestroyed) }},
	KindBreachDeclared:     {"BreachDeclared", func() fact { return new(BreachDeclared) }},
	KindProductAdded:       {"ProductAdded", func() fact { return new(ProductAdded) }},
	KindGroupDeclared:      {"GroupDeclared", func() fact { return new(GroupDeclared) }},
	KindDelegationRevoked:  {"DelegationRevoked", func() fact { return new(DelegationRevoked) }},
	KindSourceDeclared:     {"SourceDeclared", func() fact { return new(SourceDeclared) }},
	KindSourceRetired:      {"SourceRetired", func() fact { return new(SourceRetired) }},
	KindSightingsRecorded:  {"SightingsRecorded", func() fact { return new(SightingsRecorded) }},
	KindAlarmAcknowledged:  {"AlarmAcknowledged", func() fact { return new(AlarmAcknowledged) }},
	KindAlarmDecided:       {"AlarmDecided", func() fact { return new(AlarmDecided) }},
	KindSuppressionSet:     {"SuppressionSet", func() fact { return new(SuppressionSet) }},
	KindNoticeQueued:       {"NoticeQueued", func() fact { return new(NoticeQueued) }},
	KindNoticeTried:        {"NoticeTried", func() fact { return new(NoticeTried) }},

	KindAccountInvited:      {"AccountInvited", func() fact { return new(AccountInvited) }},
	KindInvitationConfirmed: {"InvitationConfirmed", func() fact { return new(InvitationConfirmed) }},
	KindCredentialAdded:     {"CredentialAdded", func() fact { return new(CredentialAdded) }},
	KindCredentialRevoked:   {"CredentialRevoked", func() fact { return new(CredentialRevoked) }},
	KindTokenIssued:         {"TokenIssued", func() fact { return new(TokenIssued) }},
	KindTokenRevoked:        {"TokenRevoked", func() fact { return new(TokenRevoked) }},

	KindDeliveriesQueued:  {"DeliveriesQueued", func() fact { return new(DeliveriesQueued) }},
	KindDeliveriesTried:   {"DeliveriesTried", func() fact { return new(DeliveriesTried) }},
	KindDeliveriesSeen:    {"DeliveriesSeen", func() fact { return new(DeliveriesSeen) }},
	KindIntakeKeyed:       {"IntakeKeyed", func() fact { return new(IntakeKeyed) }},
	KindReportReceived:    {"ReportReceived", func() fact { return new(ReportReceived) }},
	KindReportRead:        {"ReportRead", func() fact { return new(ReportRead) }},
	KindReportSettled:     {"ReportSettled", func() fact { return new(ReportSettled) }},
	KindReportCredited:    {"ReportCredited", func() fact { return new(ReportCredited) }},
	KindAdvisoryCorrected: {"AdvisoryCorrected", func() fact { return new(AdvisoryCorrected) }},
	KindPersonChanged:     {"PersonChanged", func() fact { return new(PersonChanged) }},
	KindHeadsUpPublished:  {"HeadsUpPublished", func() fact { return new(HeadsUpPublished) }},
	KindHeadsUpWithdrawn:  {"HeadsUpWithdrawn", func() fact { return new(HeadsUpWithdrawn) }},
	KindWaitLifted:        {"WaitLifted", func() fact { return new(WaitLifted) }},
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
	if s, ok := v.(*waveSealed); ok {
		return &s.WaveStatement, nil
	}
	return v, nil
}

// kindOf is the kind whose body a fact is.
func kindOf(f fact) entrylog.Kind {
	k, ok := kindByBody[reflect.TypeOf(f)]
	if !ok {
		panic(fmt.Sprintf("cvd: %T is the body of no kind", f))
	}
	return k
}

var kindByBody = func() map[reflect.Type]entrylog.Kind {
	m := make(map[reflect.Type]entrylog.Kind)
	for k := range kinds {
		if kinds[k].body != nil {
			m[reflect.TypeOf(kinds[k].body())] = entrylog.Kind(k)
		}
	}
	return m
}()
