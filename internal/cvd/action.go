package cvd

// Action is something that an account may or may not do: one for every verb,
// and one for every kind of looking.
type Action uint8

// The actions. Their numbers are not written anywhere and may change.
const (
	NoAction Action = iota

	// Doing: each belongs to a Command.
	ActFound
	ActAddAccount
	ActCloseAccount
	ActAdmitMember
	ActChangeStanding
	ActPublishTerms
	ActAcceptTerms
	ActEnrolKeys
	ActRevokeKeys
	ActAddProduct
	ActDeclareGroup
	ActAssignDuty
	ActDelegate
	ActRevokeDelegation
	ActSetLegalHold
	ActDestroyKey
	ActDeclareRecovery
	ActNoteCommitment
	ActOpenCase
	ActLinkCase
	ActProposeEmbargo
	ActAgreeEmbargo
	ActMoveReleaseTime
	ActInvite
	ActConsent
	ActSaveDraft
	ActOpenDraft
	ActMakeRevision
	ActDraftWave
	ActApproveWave
	ActRecordSealed
	ActStoreCopies
	ActCancelWave
	ActHold
	ActLiftHold
	ActFetch
	ActLodgeReceipt
	ActAnswer
	ActRecall
	ActAcknowledgeRecall
	ActEndEmbargo
	ActRelease
	ActRecordSighting
	ActDeclareBreach
	ActDeclareSource
	ActAcknowledgeAlarm
	ActDecideAlarm
	ActSuppress
	ActNotify
	ActDeliver
	ActSeeNotices

	ActInviteAccount
	ActConfirmInvitation
	ActAddCredential
	ActRevokeCredential
	ActIssueToken
	ActRevokeToken

	ActSetIntake
	ActReport
	ActReadReports
	ActSettleReport
	ActCreditReport
	ActCorrectAdvisory
	ActChangePerson
	ActPublishHeadsUp
	ActWithdrawHeadsUp
	ActLiftWait

	// Looking: asked by whoever shows something.
	ActListMembers    // all members and their standing
	ActViewMember     // one member: standing, terms, keys, accounts
	ActListCases      // all cases
	ActViewCase       // that it exists, its embargo and dates
	ActReadCase       // its title, rulings and advisory
	ActReadReport     // what the reporter sent
	ActViewWave       // its level and times
	ActViewExposure   // who could read, who fetched, who has a receipt
	ActViewAnswers    // everybody's answers
	ActInvestigate    // take a case's facts into an inquiry
	ActViewLog        // entries, opened
	ActListSources    // sensors and reporters
	ActViewAlarm      // what was seen of a case, who was called, what was decided
	ActViewDeliveries // who was told that something waits, and who is not reached
	ActListReports    // what came in, and how it stands
	actEnd
)

var actionNames = []string{"nothing",
	"found", "add account", "close account", "admit member", "change standing", "publish terms", "accept terms",
	"enrol keys", "revoke keys", "add product", "declare group", "assign duty", "delegate", "revoke delegation",
	"set legal hold", "destroy key", "declare recovery", "note commitment", "open case", "link case",
	"propose embargo", "agree embargo", "move release time", "invite", "consent", "save draft", "open draft",
	"make revision", "draft wave", "approve wave", "record sealed", "store copies", "cancel wave", "hold",
	"lift hold", "fetch", "lodge receipt", "answer", "recall", "acknowledge recall", "end embargo", "release",
	"record sighting", "declare breach", "declare source", "acknowledge alarm", "decide alarm", "suppress", "notify", "deliver notices", "see notices",
	"invite account", "confirm invitation", "add credential", "revoke credential", "issue token", "revoke token",
	"set intake", "report", "read reports", "settle report", "credit report", "correct advisory", "change person", "publish heads-up", "withdraw heads-up", "lift wait",
	"list members", "view member", "list cases", "view case", "read case", "read report", "view wave",
	"view exposure", "view answers", "investigate", "view log",
	"list sources", "view alarm", "view deliveries", "list reports"}

func (a Action) String() string { return name(actionNames, a) }
