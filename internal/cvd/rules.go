package cvd

// Roles that often stand together.
var (
	lead   = RoleSet(Coordinator)
	desk   = RoleSet(Coordinator, CaseWorker)
	people = RoleSet(Coordinator, CaseWorker, Approver)
	ends   = RoleSet(Coordinator, Approver)
	staff  = staffRoles
	admin  = RoleSet(MemberAdmin)
	member = memberRoles
	finder = RoleSet(Finder)
	sealer = RoleSet(Sealer)
	see    = RoleSet(Coordinator, Auditor, Investigator)
	person = staffRoles | memberRoles | RoleSet(Auditor, Finder) // whoever can sign in
)

// rules is the policy: for every action, who may do it to what, in which of its
// states. doc/access.md shows what follows from it, cell by cell.
//
// ActFound isn't here: a programme that exists can't be founded.
var rules = [actEnd]rule{
	ActAddAccount: {grants: []grant{
		{OnProgramme, lead, nil, present},
		{OnMember, lead, nil, standings(Good, Suspended)},
		{OnMember, admin, ownMember, standings(Good)},
	}},
	ActCloseAccount: {grants: []grant{
		{OnAccount, lead, nil, openAccount},
		{OnAccount, admin, sameMember, openAccount},
	}, bars: []bar{notSealer}},
	ActAdmitMember:    {grants: []grant{{OnProgramme, lead, nil, present}}},
	ActChangeStanding: {grants: []grant{{OnMember, lead, nil, Standings.froms("StandingChanged")}}},
	ActPublishTerms:   {grants: []grant{{OnProgramme, lead, nil, present}}},
	ActAcceptTerms:    {grants: []grant{{OnMember, admin, ownMember, standings(Good)}}},
	ActEnrolKeys: {grants: []grant{
		{OnHolder, admin | people, ownHolder, present},
	}, bars: []bar{settled}, fresh: true},
	ActRevokeKeys: {grants: []grant{
		{OnHolder, admin | people, ownHolder, present},
		{OnHolder, lead, nil, present},
	}, fresh: true},
	ActAddProduct: {grants: []grant{
		{OnProgramme, desk, nil, present},
		{OnCase, desk, nil, livePhase},
	}},
	ActDeclareGroup: {grants: []grant{{OnProgramme, lead, nil, present}}},
	ActAssignDuty:   {grants: []grant{{OnProgramme, lead, nil, present}}},
	ActDelegate:     {grants: []grant{{OnProgramme, RoleSet(Approver), nil, present}}, fresh: true},
	ActRevokeDelegation: {grants: []grant{
		{OnDelegation, staff, delegator, inForce},
		{OnDelegation, lead, nil, inForce},
	}},
	ActSetLegalHold: {grants: []grant{
		{OnCase, lead, nil, livePhase},
		{OnAccount, lead, nil, openAccount | closedAccount},
		{OnMember, lead, nil, admitted},
	}},
	ActDestroyKey: {grants: []grant{
		{OnCase, lead, nil, phases(PhaseEarly, PhaseLifted, PhasePublic, PhaseShredded)},
		{OnAccount, lead, nil, closedAccount},
		{OnMember, lead, nil, standings(Excluded, Left)},
	}, bars: []bar{noLegalHold}, fresh: true},
	ActDeclareRecovery: {grants: []grant{{OnProgramme, lead, nil, present}}, fresh: true},
	ActNoteCommitment:  {grants: []grant{{OnProgramme, see | sealer, nil, present}}},

	ActOpenCase: {grants: []grant{{OnProgramme, desk, nil, present}}},
	ActLinkCase: {grants: []grant{{OnCase, desk, nil, anyPhase}}},
	ActProposeEmbargo: {grants: []grant{
		{OnCase, desk, nil, phases(PhaseEarly, PhaseEmbargoed)},
		{OnCase, finder, itsFinder, phases(PhaseEarly, PhaseEmbargoed)},
	}},
	ActAgreeEmbargo:    {grants: []grant{{OnCase, lead, nil, phases(PhaseEarly, PhaseEmbargoed)}}},
	ActMoveReleaseTime: {grants: []grant{{OnCase, lead, nil, phases(PhaseEmbargoed)}}},
	ActInvite:          {grants: []grant{{OnCase, desk, nil, phases(PhaseEarly, PhaseEmbargoed)}}},
	ActConsent:         {grants: []grant{{OnPart, admin, ownPart, phases(PhaseEarly, PhaseEmbargoed)}}},
	ActSaveDraft: {grants: []grant{
		{OnCase, desk, nil, livePhase},
	}},
	ActOpenDraft:    {grants: []grant{{OnPackage, people, nil, livePhase}}},
	ActMakeRevision: {grants: []grant{{OnPackage, desk, nil, livePhase}}},

	ActDraftWave: {grants: []grant{{OnRevision, people, nil, current}}},
	ActApproveWave: {grants: []grant{
		{OnWave, RoleSet(Approver), nil, WaveStates.froms("WaveApproved")},
	}, bars: []bar{secondPerson}, fresh: true},
	ActRecordSealed: {grants: []grant{{OnWave, sealer, nil, WaveStates.froms("WaveSealed")}}},
	ActStoreCopies:  {grants: []grant{{OnWave, sealer, nil, waveServed}}},
	ActCancelWave:   {grants: []grant{{OnWave, people, nil, WaveStates.froms("WaveCancelled")}}},
	ActHold: {grants: []grant{
		{OnCase, people, nil, livePhase},
		{OnWave, people, nil, waveMade},
	}},
	ActLiftHold: {grants: []grant{
		{OnCase, ends, nil, livePhase},
		{OnWave, ends, nil, waveMade},
	}},
	ActFetch: {grants: []grant{
		{OnCopy, member | people, ownCopy, waveServed | waveStates(StateCancelled, StateSuperseded)},
	}, bars: []bar{settled, readable}},
	ActLodgeReceipt: {grants: []grant{
		{OnCopy, member | people, ownCopy, waveStates(StateOpen, StateHeld, StateSuperseded)},
	}},

	ActAnswer:            {grants: []grant{{OnPart, member, ownPart, phases(PhaseEmbargoed, PhaseLifted, PhasePublic)}}},
	ActRecall:            {grants: []grant{{OnRevision, lead, nil, current}}},
	ActAcknowledgeRecall: {grants: []grant{{OnReading, member | people, ownReading, recalled}}},
	ActEndEmbargo:        {grants: []grant{{OnCase, ends, nil, phases(PhaseEmbargoed)}}, bars: []bar{onDuty}, fresh: true},
	ActRelease:           {grants: []grant{{OnCase, lead, nil, phases(PhaseLifted)}}, fresh: true},
	ActRecordSighting:    {grants: []grant{{OnCase, desk | RoleSet(Investigator), nil, livePhase}}},
	ActDeclareBreach:     {grants: []grant{{OnCase, lead, nil, livePhase}}},

	ActDeclareSource:    {grants: []grant{{OnProgramme, lead, nil, present}}},
	ActAcknowledgeAlarm: {grants: []grant{{OnCase, ends, nil, phases(PhaseEarly, PhaseEmbargoed)}}},
	ActDecideAlarm:      {grants: []grant{{OnCase, ends, nil, phases(PhaseEarly, PhaseEmbargoed)}}},
	ActSuppress:         {grants: []grant{{OnCase, ends, nil, livePhase}}},
	ActNotify:           {grants: []grant{{OnCase, staff, nil, livePhase}}},
	ActDeliver:          {grants: []grant{{OnProgramme, staff, nil, present}}},
	ActSeeNotices:       {grants: []grant{{OnAccount, person, itself, openAccount}}},
	ActInviteAccount: {grants: []grant{
		{OnAccount, lead, nil, openAccount},
		{OnAccount, admin, sameMember, openAccount},
	}, bars: []bar{aPerson}, fresh: true},
	ActConfirmInvitation: {grants: []grant{{OnAccount, lead, nil, openAccount}}, bars: []bar{aPerson}, fresh: true},
	ActLiftWait:          {grants: []grant{{OnAccount, lead, nil, openAccount}}, bars: []bar{aPerson, vouches}, fresh: true},
	ActAddCredential:     {grants: []grant{{OnAccount, person, itself, openAccount}}, fresh: true},
	ActRevokeCredential: {grants: []grant{
		{OnAccount, person, itself, openAccount},
		{OnAccount, lead, nil, openAccount},
		{OnAccount, admin, sameMember, openAccount},
	}, fresh: true},
	ActIssueToken: {grants: []grant{{OnAccount, person, itself, openAccount}}, fresh: true},
	ActRevokeToken: {grants: []grant{
		{OnAccount, person, itself, openAccount},
		{OnAccount, lead, nil, openAccount},
		{OnAccount, admin, sameMember, openAccount},
	}},

	ActSetIntake: {grants: []grant{{OnProgramme, lead, nil, present}}, fresh: true},
	ActReport:    {grants: []grant{{OnProgramme, person | sealer, nil, present}}},
	ActReadReports: {grants: []grant{
		{OnReport, desk, nil, waitingReport | settledReport},
	}},
	ActSettleReport: {grants: []grant{{OnReport, desk, nil, waitingReport | settledReport}}},
	ActCreditReport: {grants: []grant{
		{OnReport, person, reporter, waitingReport | settledReport},
		{OnReport, sealer, nil, waitingReport | settledReport},
	}},
	ActCorrectAdvisory: {grants: []grant{{OnCase, lead, nil, phases(PhasePublic)}}, fresh: true},

	ActChangePerson: {grants: []grant{
		{OnAccount, person, itself, openAccount},
		{OnAccount, lead, nil, openAccount},
		{OnAccount, admin, sameMember, openAccount},
	}, bars: []bar{aPerson}, fresh: true},

	// What is said to everybody can't be unsaid, so both ask for a proof, as a release does.
	ActPublishHeadsUp:  {grants: []grant{{OnCase, lead, nil, phases(PhaseEmbargoed, PhaseLifted)}}, fresh: true},
	ActWithdrawHeadsUp: {grants: []grant{{OnCase, lead, nil, phases(PhaseEmbargoed, PhaseLifted)}}, fresh: true},

	ActListMembers: {grants: []grant{{OnProgramme, staff, nil, present}}},
	ActViewMember: {grants: []grant{
		{OnMember, staff, nil, admitted},
		{OnMember, member, ownMember, standings(Good)},
	}},
	ActListCases: {grants: []grant{{OnProgramme, staff, nil, present}}},
	ActViewCase: {grants: []grant{
		{OnCase, staff, nil, anyPhase},
		{OnCase, member, participant, anyPhase},
		{OnCase, finder, itsFinder, anyPhase},
	}},
	ActReadCase: {grants: []grant{
		{OnCase, staff, nil, livePhase},
		{OnCase, member, signatory, livePhase},
		{OnCase, finder, itsFinder, livePhase},
	}},
	ActReadReport: {grants: []grant{
		{OnCase, desk, nil, livePhase},
		{OnCase, finder, itsFinder, livePhase},
	}},
	ActViewWave: {grants: []grant{
		{OnWave, staff, nil, anyWave},
		{OnWave, member, knowsWave, waveServed | waveStates(StateSuperseded)},
	}},
	ActViewExposure:   {grants: []grant{{OnCase, staff, nil, anyPhase}}},
	ActViewAnswers:    {grants: []grant{{OnCase, people, nil, anyPhase}}},
	ActInvestigate:    {grants: []grant{{OnCase, RoleSet(Investigator), nil, livePhase}}},
	ActViewLog:        {grants: []grant{{OnProgramme, see, nil, present}}},
	ActListSources:    {grants: []grant{{OnProgramme, staff, nil, present}}},
	ActViewAlarm:      {grants: []grant{{OnCase, staff, nil, anyPhase}}},
	ActViewDeliveries: {grants: []grant{{OnProgramme, people, nil, present}}},
	ActListReports:    {grants: []grant{{OnProgramme, desk, nil, present}}},
}
