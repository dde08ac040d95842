package web

import (
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

	// Limit is the most bytes of a body; 0 is 64 KiB.
	Limit int64

	// Reserved rows have slots of their own, which no crowd on other pages can take:
	// give it to what has to work in the worst hour, and to nothing else.
	Reserved bool

	// Nav is the page's name in the navigation, which lists the pages that have
	// one, in the table's order, to those who may come. Empty: not there.
	Nav string

	// Op says what the page is to programs; the zero Op is nothing.
	Op Op

	Serve func(*Visit) error

	api bool // the row is a page's twin for programs
}

// pages is all there is.
func (s *Site) pages() []Page {
	return []Page{
		{Pattern: "GET /{$}", Who: Anyone, Serve: front, Scope: cvd.ScopeRead, Op: Op{"getProgramme", "What the programme is called, what it published, and how to check its log.", nil, frontPage{}}},
		{Pattern: "GET /advisories/{case}", Who: Anyone, Serve: advisory, Scope: cvd.ScopeRead, Op: Op{"getAdvisory", "A published advisory, as it was published.", nil, advisoryPage{}}},
		{Pattern: "GET /log/{path...}", Who: Alike, Serve: anchors},
		{Pattern: "GET /static/{name}", Who: Alike, Serve: static},
		{Pattern: "GET " + apiBase + "/openapi.json", Who: Alike, Serve: openapi},

		{Pattern: "GET /home", Nav: "Home", Serve: home, Scope: cvd.ScopeRead, Op: Op{"getHome", "What waits for you: alarms, copies, cases.", nil, homePage{}}},
		{Pattern: "GET /alarms/{case}", Serve: alarm, Scope: cvd.ScopeRead, Reserved: true, Op: Op{"getAlarm", "What is known of a case's alarm, and what can be decided.", nil, alarmPage{}}},
		{Pattern: "POST /alarms/{case}/acknowledge", Serve: acknowledgeAlarm, Scope: cvd.ScopeWork, Reserved: true, Op: Op{"acknowledgeAlarm", "Somebody is looking: nobody else is called.", acknowledgement{}, nil}},
		{Pattern: "POST /alarms/{case}/decide", Serve: decideAlarm, Scope: cvd.ScopeWork, Reserved: true, Op: Op{"decideAlarm", "Holds copies, watches, or dismisses what was seen.", alarmDecision{}, nil}},
		{Pattern: "POST /alarms/{case}/lift", Serve: liftHold, Scope: cvd.ScopeWork, Reserved: true, Op: Op{"liftHold", "Serves a case's copies again.", nil, nil}},
		{Pattern: "GET /alarms/{case}/end", Serve: endPage, Fresh: true, Reserved: true, Op: Op{"getEmbargoEnd", "The alarm, for somebody who is about to end the embargo.", nil, alarmPage{}}},
		{Pattern: "POST /alarms/{case}/end", Serve: endEmbargo, Fresh: true, Back: "/alarms/{case}/end", Reserved: true, Op: Op{"endEmbargo", "Ends an embargo, for everybody and for good, and sends the break pack.", embargoEnd{}, nil}},
		{Pattern: "GET /account", Nav: "Account", Serve: account, Scope: cvd.ScopeRead, Op: Op{"getAccount", "Your own account: where it is signed in, with what, and what machines stand for it.", nil, accountPage{}}},
		{Pattern: "POST /account/sessions/end", Serve: endSession, Back: "/account", Op: Op{"endSession", "Signs one of your browsers out.", whichSession{}, nil}},
		{Pattern: "POST /account/passkeys/revoke", Serve: revokePasskey, Fresh: true, Back: "/account", Op: Op{"revokePasskey", "Takes a passkey of yours out of use.", whichPasskey{}, nil}},
		{Pattern: "POST /account/tokens", Serve: issueToken, Fresh: true, Back: "/account", Op: Op{"issueToken", "Makes a token with which a machine comes as you.", newToken{}, issuedToken{}}},
		{Pattern: "POST /account/tokens/revoke", Serve: revokeToken, Back: "/account", Op: Op{"revokeToken", "Takes a token of yours out of use.", whichToken{}, nil}},
		{Pattern: "GET /accounts", Serve: accounts, Scope: cvd.ScopeRead, Op: Op{"listAccounts", "The accounts that you look after.", accountWords{}, accountsPage{}}},
		{Pattern: "POST /accounts/{account}/invite", Serve: inviteAccount, Fresh: true, Back: "/accounts", Op: Op{"inviteAccount", "Makes a link with which somebody makes a passkey.", nil, invitedPage{}}},
		{Pattern: "POST /accounts/{account}/confirm", Serve: confirmInvitation, Fresh: true, Back: "/accounts", Op: Op{"confirmInvitation", "Confirms, as a second coordinator, that access is recovered.", nil, nil}},
		{Pattern: "GET /inbox", Serve: inbox, Scope: cvd.ScopeRead, Op: Op{"getInbox", "What waits for you: every copy that is or will be yours to fetch.", nil, inboxPage{}}},
		{Pattern: "GET /waves/{wave}/copy", Serve: showCopy, Scope: cvd.ScopeFetch, Op: Op{"getCopy", "How your copy of a wave stands, and its files once you fetched it.", nil, copyPage{}}},
		{Pattern: "POST /waves/{wave}/copy", Serve: recordFetch, Scope: cvd.ScopeFetch, Op: Op{"fetchCopy", "Records that you fetch your copy of a wave. For an hour its files can be read then.", nil, copyPage{}}},
		{Pattern: "GET /waves/{wave}/copy/{file}", Serve: readCopy, Scope: cvd.ScopeFetch, Op: Op{"readCopy", "A file of a copy that you fetched: sealed, bulk or proof.", nil, octets{}}},
		{Pattern: "POST /receipts", Serve: takeReceipt, Scope: cvd.ScopeReceipt, Back: "/inbox", Op: Op{"lodgeReceipt", "Takes your signature that you have a copy.", lodging{}, lodged{}}},

		{Pattern: "GET /sign-in", Who: Anyone, Reserved: true, Serve: signInPage},
		{Pattern: "GET /join", Who: Anyone, Serve: joinPage},
		{Pattern: "GET /prove", Reserved: true, Serve: provePage},
		{Pattern: "POST /sign-out", Serve: signOut},
		{Pattern: "POST /passkey/sign-in/begin", Who: Anyone, Reserved: true, Serve: beginSignIn},
		{Pattern: "POST /passkey/sign-in/finish", Who: Anyone, Reserved: true, Serve: finishSignIn},
		{Pattern: "POST /passkey/join/begin", Who: Anyone, Serve: beginJoin},
		{Pattern: "POST /passkey/join/finish", Who: Anyone, Serve: finishJoin},
		{Pattern: "POST /passkey/prove/begin", Reserved: true, Serve: beginProve},
		{Pattern: "POST /passkey/prove/finish", Reserved: true, Serve: finishProve},
		{Pattern: "POST /passkey/add/begin", Serve: beginAdd, Fresh: true, Back: "/account"},
		{Pattern: "POST /passkey/add/finish", Serve: finishAdd, Fresh: true, Back: "/account"},
	}
}
