package web

import (
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

// Who says who may come to a page at all. The policy says the rest.
type Who uint8

const (
	SignedIn Who = iota // the zero page is closed to strangers
	Anyone
	Alike // anyone, and the same for all: nobody is looked up
)

// Page is one row of the table of pages.
type Page struct {
	Pattern string // of http.ServeMux: "GET /cases/{case}"
	Who     Who

	// Act, if given, is asked of the policy about the programme before the page
	// is served. Where it is denied, there is no such page. Pages about one thing
	// leave it to the desk, which asks about that thing.
	Act cvd.Action

	// Fresh asks for a proof of who it is, of the last minutes, and the desk is
	// told of it (entrylog.AuthFresh). Give it to the page with the form as well
	// as to the one that the form goes to, so that nobody fills in a form in vain.
	Fresh bool

	// Back is where somebody goes on who was asked for a proof by a form, with the
	// form's own placeholders; "" is /home.
	Back string

	// Scope lets machines come with a token of it; 0 lets none. A token is never a
	// proof, so a page that asks for one has none.
	Scope cvd.Scope

	// Shared says of a page that is Alike that others may keep it for a while.
	Shared bool

	// Works says of a page that is Alike and not Shared that it is no mere file: it
	// waits for a slot like others.
	Works bool

	// Limit is the most bytes of a body; 0 is 64 KiB. A page that takes more than strangers
	// may send asks for an Act, so that nobody else has much of it read and kept.
	Limit int64

	// Reserved rows have slots of their own, which no crowd on other pages can take:
	// give it to what has to work in the worst hour, and to nothing else.
	Reserved bool

	// Files lets a form come with files (multipart/form-data); Visit.Files has them.
	Files bool

	// Nav is the page's name in the navigation, which lists the pages that have
	// one, in the table's order, to those who may come. Empty: not there.
	Nav string
	For cvd.Roles // whom the navigation lists it to; none: everybody

	// Op says what the page is to programs; the zero Op is nothing.
	Op Op

	Serve func(*Visit) error

	api bool // the row is a page's twin for programs
}

// Whom some pages are listed to. It is no policy: the desk says who may come.
var (
	memberRoles = cvd.RoleSet(cvd.MemberAdmin, cvd.MemberContact)
	holderRoles = memberRoles | cvd.RoleSet(cvd.Coordinator, cvd.CaseWorker, cvd.Approver)
)

// pages is all there is.
func (s *Site) pages() []Page {
	return []Page{
		{Pattern: "GET /{$}", Who: Alike, Shared: true, Serve: front, Op: Op{"getProgramme", "What the programme is called, what it published last, and how to check its log.", nil, frontPage{}}},
		{Pattern: "GET /advisories", Who: Alike, Shared: true, Serve: advisories, Op: Op{"getAdvisories", "What the programme published, the newest first.", window{}, advisoriesPage{}}},
		{Pattern: "GET /advisories/{case}", Who: Alike, Shared: true, Serve: advisory, Op: Op{"getAdvisory", "A published advisory.", nil, advisoryPage{}}},
		{Pattern: "GET /advisories/{case}/text", Who: Alike, Shared: true, Serve: advisoryText},
		{Pattern: "GET /heads-ups/{headsup}", Who: Alike, Shared: true, Serve: headsUp, Op: Op{"getHeadsUp", "What is announced to the public ahead of a publication.", nil, headsUpPage{}}},
		{Pattern: "GET /advisories.atom", Who: Alike, Shared: true, Serve: advisoriesFeed},
		{Pattern: "GET /.well-known/csaf/provider-metadata.json", Who: Alike, Shared: true, Serve: csafProvider},
		{Pattern: "GET /csaf/{$}", Who: Alike, Shared: true, Serve: csafFolder},
		{Pattern: "GET /csaf/index.txt", Who: Alike, Shared: true, Serve: csafIndex},
		{Pattern: "GET /csaf/changes.csv", Who: Alike, Shared: true, Serve: csafChanges},
		{Pattern: "GET /csaf/{year}/{$}", Who: Alike, Shared: true, Serve: csafFolder},
		{Pattern: "GET /csaf/{year}/{file}", Who: Alike, Shared: true, Serve: csafFile},
		{Pattern: "GET /feed/{name}", Who: Alike, Works: true, Serve: ownFeed},
		{Pattern: "POST /account/feed", Fresh: true, Back: "/account", Serve: makeFeed, Op: Op{"makeFeed", "Makes an address of a feed that says when something waits for you, and nothing of what.", nil, feedMade{}}},
		{Pattern: "GET /log", Who: Alike, Shared: true, Serve: logPage, Op: Op{"getLog", "The anchors of the programme's log.", nil, logShown{}}},
		{Pattern: "GET /log/consistency", Who: Alike, Shared: true, Serve: consistency, Op: Op{"getConsistency", "The proof that the anchor log only grew between two sizes.", consistencyAsk{}, consistencyShown{}}},
		{Pattern: "GET /log/{path...}", Who: Alike, Serve: anchors},
		{Pattern: "GET /static/{name}", Who: Alike, Serve: static},
		{Pattern: "GET " + apiBase + "/openapi.json", Who: Alike, Serve: openapi},

		{Pattern: "GET /report", Who: Anyone, Serve: reportForm, Op: Op{"getIntake", "What a report can be sealed to by its sender.", nil, intakePage{}}},
		{Pattern: "POST /report", Who: Anyone, Files: true, Limit: reportLimit, Serve: report, Op: Op{"report", "Reports a vulnerability, with an account or without.", reportAsk{}, reportTaken{}}},
		{Pattern: "GET /report/status", Who: Anyone, Serve: statusForm},
		{Pattern: "POST /report/status", Who: Anyone, Files: true, Serve: status, Op: Op{"getReportStatus", "How a report stands, for whoever has its reference.", statusAsk{}, reportStatus{}}},
		{Pattern: "POST /report/credit", Who: Anyone, Serve: credit, Op: Op{"creditReport", "Changes how a report's sender is named, until it is published.", creditAsk{}, reportStatus{}}},
		{Pattern: "GET /home", Nav: "Home", Serve: home, Scope: cvd.ScopeRead, Op: Op{"getHome", "What waits for you: alarms, copies, cases.", nil, homePage{}}},
		{Pattern: "GET /alarms/{case}", Serve: alarm, Scope: cvd.ScopeRead, Reserved: true, Op: Op{"getAlarm", "What is known of a case's alarm, and what can be decided.", nil, alarmPage{}}},
		{Pattern: "POST /alarms/{case}/acknowledge", Serve: acknowledgeAlarm, Scope: cvd.ScopeWork, Reserved: true, Op: Op{"acknowledgeAlarm", "Somebody is looking: nobody else is called.", acknowledgement{}, nil}},
		{Pattern: "POST /alarms/{case}/decide", Serve: decideAlarm, Scope: cvd.ScopeWork, Reserved: true, Op: Op{"decideAlarm", "Holds copies, watches, or dismisses what was seen.", alarmDecision{}, nil}},
		{Pattern: "POST /alarms/{case}/lift", Serve: liftHold, Scope: cvd.ScopeWork, Reserved: true, Op: Op{"liftHold", "Serves a case's copies again.", nil, nil}},
		{Pattern: "GET /alarms/{case}/end", Serve: endPage, Fresh: true, Reserved: true, Op: Op{"getEmbargoEnd", "The alarm, for somebody who is about to end the embargo.", nil, alarmPage{}}},
		{Pattern: "POST /alarms/{case}/end", Serve: endEmbargo, Fresh: true, Back: "/alarms/{case}/end", Reserved: true, Op: Op{"endEmbargo", "Ends an embargo, for everybody and for good, and sends the break pack.", embargoEnd{}, nil}},
		{Pattern: "GET /cases", Nav: "Cases", Act: cvd.ActListCases, Scope: cvd.ScopeRead, Serve: cases, Op: Op{"listCases", "All cases, with what waits for a decision in each.", listIn{}, casesPage{}}},
		{Pattern: "GET /cases/new", Act: cvd.ActOpenCase, Scope: cvd.ScopeRead, Serve: newCase, Op: Op{"getNewCase", "What a case can be opened with: tiers, and the zone of times.", nil, newCasePage{}}},
		{Pattern: "POST /cases", Act: cvd.ActOpenCase, Limit: 2 << 20, Back: "/cases/new", Scope: cvd.ScopeWork, Serve: openCase, Op: Op{"openCase", "Open a case, with its embargo and invitations, or not at all.", caseIn{}, caseOut{}}},
		{Pattern: "GET /cases/{case}", Scope: cvd.ScopeRead, Serve: caseView, Op: Op{"getCase", "A case, for staff: all of it but content. Those who take part have getPart.", listIn{}, casePage{}}},
		{Pattern: "GET /cases/{case}/history", Scope: cvd.ScopeRead, Serve: caseHistory, Op: Op{"getCaseHistory", "The entries about a case, the newest first, without fetches and receipts.", listIn{}, historyPage{}}},
		{Pattern: "GET /cases/{case}/report", Scope: cvd.ScopeRead, Serve: caseReport, Op: Op{"getReport", "What the reporter of a case sent.", nil, reportPage{}}},
		{Pattern: "POST /cases/{case}/embargo", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: proposeEmbargo, Op: Op{"proposeEmbargo", "Propose an embargo, or a change of the one that binds.", proposalIn{}, embargoOut{}}},
		{Pattern: "POST /cases/{case}/embargo/agree", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: agreeEmbargo, Op: Op{"agreeEmbargo", "Make the proposal that waits binding.", agreeIn{}, embargoOut{}}},
		{Pattern: "POST /cases/{case}/embargo/move", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: moveRelease, Op: Op{"moveRelease", "Move the release time: every wave that has not opened waits for another approval.", moveIn{}, nil}},
		{Pattern: "POST /cases/{case}/invite", Act: cvd.ActListCases, Limit: 2 << 20, Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: inviteMembers, Op: Op{"inviteMembers", "Invite members to a case's embargo.", inviteIn{}, inviteOut{}}},
		{Pattern: "POST /cases/{case}/products", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: addProduct, Op: Op{"addProduct", "Name a product that is affected.", productIn{}, productOut{}}},
		{Pattern: "POST /cases/{case}/hold", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: holdCase, Op: Op{"holdCase", "Stop serving copies of a case.", reasonIn{}, nil}},
		{Pattern: "POST /cases/{case}/lift", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: liftCase, Op: Op{"liftCase", "Serve copies of a case again.", nil, nil}},
		{Pattern: "POST /cases/{case}/link", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: linkCase, Op: Op{"linkCase", "Say how a case stands to another.", linkIn{}, nil}},
		{Pattern: "POST /cases/{case}/recall", Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: recallRevision, Op: Op{"recallRevision", "Ask holders to stop using a revision of the package.", recallIn{}, nil}},
		{Pattern: "GET /cases/{case}/end", Fresh: true, Serve: endCasePage, Op: Op{"getCaseEnd", "What the end of a case's embargo would send, and to whom.", nil, endingPage{}}},
		{Pattern: "POST /cases/{case}/end", Fresh: true, Back: "/cases/{case}/end", Serve: endCase, Op: Op{"endCase", "End a case's embargo for everybody, and send out the break pack.", endIn{}, endOut{}}},
		{Pattern: "GET /cases/{case}/release", Fresh: true, Serve: releasePage, Op: Op{"getCaseRelease", "The case, for somebody who is about to release it.", nil, endingPage{}}},
		{Pattern: "POST /cases/{case}/release", Act: cvd.ActListCases, Fresh: true, Limit: 1 << 20, Back: "/cases/{case}/release", Serve: releaseCase, Op: Op{"releaseCase", "Say that a case is public, and publish its advisory.", publishIn{}, nil}},
		{Pattern: "GET /cases/{case}/answers", Scope: cvd.ScopeRead, Serve: answersOf, Op: Op{"getAnswers", "What each member said last on each product of a case, and who said nothing.", listIn{}, answersPage{}}},
		{Pattern: "GET /cases/{case}/answers/export", Serve: exportAnswers},
		{Pattern: "GET /cases/{case}/correct", Fresh: true, Serve: correctPage, Op: Op{"getCorrection", "The advisory of a case as it is published, for somebody who is about to correct it.", nil, correctionPage{}}},
		{Pattern: "POST /cases/{case}/correct", Act: cvd.ActListCases, Fresh: true, Limit: 1 << 20, Back: "/cases/{case}/correct", Serve: correctAdvisory, Op: Op{"correctAdvisory", "Replace a published advisory, and tell its readers what was changed.", correctIn{}, nil}},
		{Pattern: "GET /cases/{case}/heads-up", Fresh: true, Serve: headsUpForm, Op: Op{"getCaseHeadsUp", "What a case announces to the public, for somebody who is about to change that.", nil, headsUpFormPage{}}},
		{Pattern: "POST /cases/{case}/heads-up", Fresh: true, Back: "/cases/{case}/heads-up", Serve: publishHeadsUp, Op: Op{"publishHeadsUp", "Announce to the public that something will be published, or change what is announced.", headsUpIn{}, headsUpOut{}}},
		{Pattern: "POST /cases/{case}/heads-up/withdraw", Fresh: true, Back: "/cases/{case}/heads-up", Serve: withdrawHeadsUp, Op: Op{"withdrawHeadsUp", "Take back what a case announces to the public.", withdrawIn{}, nil}},
		{Pattern: "GET /cases/{case}/package", Scope: cvd.ScopeRead, Serve: packageView, Op: Op{"getPackage", "A case's package: what was written when, and what could be traced of it.", nil, packagePage{}}},
		{Pattern: "POST /cases/{case}/package", Act: cvd.ActListCases, Files: true, Limit: 96 << 20, Back: "/cases/{case}/package", Scope: cvd.ScopeWork, Serve: savePackage, Op: Op{"savePackage", "Keep a source, or a change of one file, as a draft, and make a revision of it.", saveIn{}, savedOut{}}},
		{Pattern: "POST /cases/{case}/package/open", Back: "/cases/{case}/package", Scope: cvd.ScopeWork, Serve: openDraft, Op: Op{"openDraft", "Be given the last draft of a package. The log says so.", openIn{}, draftPage{}}},
		{Pattern: "POST /cases/{case}/package/preview", Back: "/cases/{case}/package", Scope: cvd.ScopeWork, Serve: previewPackage, Op: Op{"previewPackage", "Have a copy sealed to yourself, in your own marks.", previewIn{}, waveOut{}}},
		{Pattern: "GET /cases/{case}/waves/new", Scope: cvd.ScopeRead, Serve: newWave, Op: Op{"checkWave", "Who would get a wave, and who would be left out and why.", waveIn{}, waveNewPage{}}},
		{Pattern: "POST /cases/{case}/waves", Act: cvd.ActListCases, Limit: 2 << 20, Back: "/cases/{case}", Scope: cvd.ScopeWork, Serve: draftWave, Op: Op{"draftWave", "Draft a wave, or change a draft.", waveIn{}, waveOut{}}},
		{Pattern: "GET /waves/{wave}", Scope: cvd.ScopeRead, Serve: waveView, Op: Op{"getWave", "A wave: what, to whom, who approved it, who fetched it.", listIn{}, wavePage{}}},
		{Pattern: "GET /waves/{wave}/approve", Fresh: true, Serve: approvePage, Op: Op{"getWaveApproval", "A wave, for the second person who is about to approve it.", listIn{}, wavePage{}}},
		{Pattern: "POST /waves/{wave}/approve", Fresh: true, Back: "/waves/{wave}/approve", Serve: approveWave, Op: Op{"approveWave", "Say yes to a draft as the second person; its copies are sealed.", approveIn{}, approveOut{}}},
		{Pattern: "POST /waves/{wave}/hold", Back: "/waves/{wave}", Scope: cvd.ScopeWork, Serve: holdWave, Op: Op{"holdWave", "Stop serving one wave.", reasonIn{}, nil}},
		{Pattern: "POST /waves/{wave}/lift", Back: "/waves/{wave}", Scope: cvd.ScopeWork, Serve: liftWave, Op: Op{"liftWave", "Lift a wave's own hold.", reasonIn{}, nil}},
		{Pattern: "POST /waves/{wave}/cancel", Back: "/waves/{wave}", Scope: cvd.ScopeWork, Serve: cancelWave, Op: Op{"cancelWave", "Call a wave off before anybody has it.", reasonIn{}, nil}},

		{Pattern: "GET /reports", Nav: "Reports", Act: cvd.ActListReports, Scope: cvd.ScopeRead, Serve: reports, Op: Op{"listReports", "The reports that came in, the newest first; what they say is sealed.", listIn{}, reportsPage{}}},
		{Pattern: "POST /reports/settle", Act: cvd.ActListReports, Back: "/reports", Scope: cvd.ScopeWork, Serve: settleReport, Op: Op{"settleReport", "Say which case a report belongs to, or that it becomes none.", settleIn{}, settleOut{}}},

		{Pattern: "GET /members", Nav: "Members", Act: cvd.ActListMembers, Scope: cvd.ScopeRead, Serve: members, Op: Op{"listMembers", "All members: tier, standing, terms and keys.", listIn{}, membersPage{}}},
		{Pattern: "POST /members", Act: cvd.ActAdmitMember, Back: "/members", Scope: cvd.ScopeWork, Serve: admit, Op: Op{"admitMember", "Admit a member, with its first account.", admissionIn{}, coordinator.Admitted{}}},
		{Pattern: "GET /members/export", Act: cvd.ActListMembers, Serve: exportMembers},
		{Pattern: "GET /members/import", Act: cvd.ActAdmitMember, Scope: cvd.ScopeRead, Serve: importForm, Op: Op{"getImport", "What a file of members is made of.", nil, importPage{}}},
		{Pattern: "POST /members/import", Act: cvd.ActAdmitMember, Files: true, Limit: 24 << 20, Back: "/members/import", Scope: cvd.ScopeWork, Serve: importMembers, Op: Op{"importMembers", "Say what would become of a file of members; with the answer's token, do it.", importIn{}, importPage{}}},
		{Pattern: "POST /members/groups", Act: cvd.ActDeclareGroup, Back: "/members", Scope: cvd.ScopeWork, Serve: declareGroup, Op: Op{"declareGroup", "Declare members under common ownership.", groupIn{}, groupOut{}}},
		{Pattern: "GET /members/{member}", Act: cvd.ActListMembers, Scope: cvd.ScopeRead, Serve: memberView, Op: Op{"getMember", "A member: accounts, keys and what was sealed to them, standing, ownership, cases.", nil, memberPage{}}},
		{Pattern: "POST /members/{member}/standing", Back: "/members/{member}", Scope: cvd.ScopeWork, Serve: changeStanding, Op: Op{"changeStanding", "Change a member's standing.", standingIn{}, nil}},
		{Pattern: "GET /members/{member}/revoke", Fresh: true, Serve: revokePage, Op: Op{"getKeyRevocation", "A member, for somebody who is about to take its keys out of use.", nil, memberPage{}}},
		{Pattern: "POST /members/{member}/revoke", Fresh: true, Back: "/members/{member}/revoke", Serve: revokeKeys, Op: Op{"revokeKeys", "Take a member's keys out of use.", reasonIn{}, nil}},
		{Pattern: "GET /members/terms", Act: cvd.ActListMembers, Scope: cvd.ScopeRead, Serve: publishedTerms, Op: Op{"getPublishedTerms", "The newest terms, and how many members accepted them.", nil, publishedPage{}}},
		{Pattern: "POST /members/terms", Act: cvd.ActPublishTerms, Limit: 1 << 20, Back: "/members/terms", Scope: cvd.ScopeWork, Serve: publishTerms, Op: Op{"publishTerms", "Publish terms that bind from now on.", termsIn{}, nil}},
		{Pattern: "GET /duty", Nav: "Duty", Act: cvd.ActListMembers, Scope: cvd.ScopeRead, Serve: duty, Op: Op{"getDuty", "Who is called, in which order, and who stands in.", nil, dutyPage{}}},
		{Pattern: "POST /duty", Act: cvd.ActAssignDuty, Back: "/duty", Scope: cvd.ScopeWork, Serve: assignDuty, Op: Op{"assignDuty", "Put an account on duty.", turnIn{}, turnOut{}}},
		{Pattern: "POST /duty/delegations", Fresh: true, Back: "/duty", Serve: delegate, Op: Op{"delegate", "Lend your role of approver to another account.", loanIn{}, loanOut{}}},
		{Pattern: "POST /duty/delegations/{delegation}/revoke", Back: "/duty", Scope: cvd.ScopeWork, Serve: revokeLoan, Op: Op{"revokeDelegation", "Take back a role that was lent.", nil, nil}},
		{Pattern: "GET /entries", Nav: "Log", Act: cvd.ActViewLog, Scope: cvd.ScopeRead, Serve: entries, Op: Op{"getEntries", "Entries of the log, opened for an auditor.", entriesAsk{}, entriesPage{}}},
		{Pattern: "GET /entries/export", Act: cvd.ActViewLog, Serve: exportEntries},
		{Pattern: "GET /entries/{seq}/proof", Act: cvd.ActViewLog, Serve: proveEntry},

		{Pattern: "GET /account", Nav: "Account", Serve: account, Scope: cvd.ScopeRead, Op: Op{"getAccount", "Your own account: where it is signed in, with what, and what machines stand for it.", nil, accountPage{}}},
		{Pattern: "POST /account/sessions/end", Serve: endSession, Back: "/account", Op: Op{"endSession", "Signs one of your browsers out.", whichSession{}, nil}},
		{Pattern: "POST /account/passkeys/revoke", Serve: revokePasskey, Fresh: true, Back: "/account", Op: Op{"revokePasskey", "Takes a passkey of yours out of use.", whichPasskey{}, nil}},
		{Pattern: "POST /account/tokens", Serve: issueToken, Fresh: true, Back: "/account", Op: Op{"issueToken", "Makes a token with which a machine comes as you.", newToken{}, issuedToken{}}},
		{Pattern: "POST /account/tokens/revoke", Serve: revokeToken, Back: "/account", Op: Op{"revokeToken", "Takes a token of yours out of use.", whichToken{}, nil}},
		{Pattern: "GET /accounts", Serve: accounts, Scope: cvd.ScopeRead, Op: Op{"listAccounts", "The accounts that you look after.", accountWords{}, accountsPage{}}},
		{Pattern: "POST /accounts/{account}/invite", Serve: inviteAccount, Fresh: true, Back: "/accounts", Op: Op{"inviteAccount", "Makes a link with which somebody makes a passkey.", nil, invitedPage{}}},
		{Pattern: "POST /accounts/{account}/confirm", Serve: confirmInvitation, Fresh: true, Back: "/accounts", Op: Op{"confirmInvitation", "Confirms, as a second coordinator, that access is recovered.", nil, nil}},
		{Pattern: "GET /accounts/{account}", Serve: oneAccount, Scope: cvd.ScopeRead, Op: Op{"getOneAccount", "One account that you look after, or your own: where its notices go, what it is entered with, and how access to it was recovered.", nil, oneAccountPage{}}},
		{Pattern: "POST /accounts/{account}/revoke", Serve: revokeAccess, Fresh: true, Back: "/accounts/{account}", Op: Op{"revokeAccess", "Takes a passkey or a token of an account out of use.", whichAccess{}, nil}},
		{Pattern: "POST /accounts/{account}/mail", Serve: setMail, Fresh: true, Back: "/accounts/{account}", Op: Op{"setMail", "Says where an account's notices go.", mailIn{}, nil}},
		{Pattern: "POST /accounts/{account}/name", Serve: setName, Fresh: true, Back: "/accounts/{account}", Op: Op{"setName", "Says what an account's person is called.", nameIn{}, nil}},
		{Pattern: "POST /accounts/{account}/lift", Serve: liftWait, Fresh: true, Back: "/accounts/{account}", Op: Op{"liftWait", "Lifts the wait after a recovery, as another coordinator than who invited.", liftIn{}, nil}},
		{Pattern: "GET /cases/{case}/part", Scope: cvd.ScopeRead, Serve: casePart, Op: Op{"getPart", "A case, for those who take part in it: copies, rulings, answers, recalls of their own member.", nil, memberCasePage{}}},
		{Pattern: "POST /cases/{case}/consent", Serve: consent, Back: "/cases/{case}", Op: Op{"giveConsent", "Accepts or declines an invitation to a case, for your member.", consentAsk{}, nil}},
		{Pattern: "POST /cases/{case}/answers", Scope: cvd.ScopeAnswer, Serve: answer, Back: "/cases/{case}", Op: Op{"giveAnswer", "Says how a product of your member stands.", answerAsk{}, nil}},
		{Pattern: "POST /cases/{case}/recalls/acknowledge", Scope: cvd.ScopeAnswer, Serve: acknowledgeRecalls, Back: "/cases/{case}", Op: Op{"acknowledgeRecalls", "Says that your member stopped using what was recalled.", nil, recallsDone{}}},
		{Pattern: "POST /waves/{wave}/fetch", Serve: fetchCopy, Back: "/home"},
		{Pattern: "GET /waves/{wave}/receipt", Scope: cvd.ScopeRead, Serve: receipt},
		{Pattern: "GET /d/{ticket}", Who: Alike, Works: true, Serve: download},
		{Pattern: "GET /keys", Nav: "Keys", For: holderRoles, Scope: cvd.ScopeRead, Serve: keys, Op: Op{"getKeys", "The keys that your copies are sealed to, and the one that verifies your receipts.", nil, keysPage{}}},
		{Pattern: "POST /keys/enrol", Fresh: true, Back: "/keys", Limit: 1 << 17, Serve: enrolKeys, Op: Op{"enrolKeys", "Replaces your keys.", enrolAsk{}, nil}},
		{Pattern: "POST /keys/revoke", Fresh: true, Back: "/keys", Serve: revokeOwnKeys, Op: Op{"revokeOwnKeys", "Takes your keys out of use.", revokeOwnAsk{}, nil}},
		{Pattern: "GET /terms", Nav: "Terms", For: memberRoles, Scope: cvd.ScopeRead, Serve: terms, Op: Op{"getTerms", "The programme's terms.", nil, termsPage{}}},
		{Pattern: "POST /terms/accept", Back: "/terms", Serve: acceptTerms, Op: Op{"acceptTerms", "Accepts the terms that were read, for your member.", acceptAsk{}, nil}},
		{Pattern: "GET /products", Nav: "Products", For: memberRoles, Scope: cvd.ScopeRead, Serve: products, Op: Op{"getProducts", "The products of your member, and how it answered on them.", nil, productsPage{}}},
		{Pattern: "POST /colleagues", Back: "/accounts", Serve: addColleague, Op: Op{"addColleague", "Adds an account to your member.", colleagueAsk{}, colleagueDone{}}},
		{Pattern: "GET /inbox", Serve: inbox, Scope: cvd.ScopeRead, Op: Op{"getInbox", "What waits for you: every copy that is or will be yours to fetch.", nil, inboxPage{}}},
		{Pattern: "GET /waves/{wave}/copy", Serve: showCopy, Scope: cvd.ScopeFetch, Op: Op{"getCopy", "How your copy of a wave stands, and its files once you fetched it.", nil, copyPage{}}},
		{Pattern: "POST /waves/{wave}/copy", Serve: recordFetch, Scope: cvd.ScopeFetch, Op: Op{"fetchCopy", "Records that you fetch your copy of a wave. For an hour its files can be read then.", nil, copyPage{}}},
		{Pattern: "GET /waves/{wave}/copy/{file}", Serve: readCopy, Scope: cvd.ScopeFetch, Op: Op{"readCopy", "A file of a copy that you fetched: sealed, bulk or proof.", nil, octets{}}},
		{Pattern: "POST /receipts", Serve: takeReceipt, Files: true, Scope: cvd.ScopeReceipt, Back: "/inbox", Op: Op{"lodgeReceipt", "Takes your signature that you have a copy.", lodging{}, lodged{}}},

		{Pattern: "GET /sign-in", Who: Anyone, Reserved: true, Serve: signInPage},
		{Pattern: "GET /join", Who: Anyone, Serve: joinPage},
		{Pattern: "GET /prove", Reserved: true, Serve: provePage},
		{Pattern: "POST /sign-out", Serve: signOut},
		{Pattern: "POST /passkey/sign-in/begin", Limit: ceremonyLimit, Who: Anyone, Reserved: true, Serve: beginSignIn},
		{Pattern: "POST /passkey/sign-in/finish", Limit: ceremonyLimit, Who: Anyone, Reserved: true, Serve: finishSignIn},
		{Pattern: "POST /passkey/join/begin", Limit: ceremonyLimit, Who: Anyone, Serve: beginJoin},
		{Pattern: "POST /passkey/join/finish", Limit: ceremonyLimit, Who: Anyone, Serve: finishJoin},
		{Pattern: "POST /passkey/prove/begin", Limit: ceremonyLimit, Reserved: true, Serve: beginProve},
		{Pattern: "POST /passkey/prove/finish", Limit: ceremonyLimit, Reserved: true, Serve: finishProve},
		{Pattern: "POST /passkey/add/begin", Limit: ceremonyLimit, Serve: beginAdd, Fresh: true, Back: "/account"},
		{Pattern: "POST /passkey/add/finish", Limit: ceremonyLimit, Serve: finishAdd, Fresh: true, Back: "/account"},
	}
}
