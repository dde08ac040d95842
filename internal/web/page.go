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

	// Scope lets machines come with a token of it; 0 lets none.
	Scope cvd.Scope

	// Limit is the most bytes of a body; 0 is 64 KiB.
	Limit int64

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
		{Pattern: "GET /{$}", Who: Anyone, Serve: front},
		{Pattern: "GET /advisories/{case}", Who: Anyone, Serve: advisory},
		{Pattern: "GET /log/{path...}", Who: Alike, Serve: anchors},
		{Pattern: "GET /static/{name}", Who: Alike, Serve: static},

		{Pattern: "GET /home", Nav: "Home", Serve: home},
		{Pattern: "GET /alarms/{case}", Serve: alarm},
		{Pattern: "POST /alarms/{case}/acknowledge", Serve: acknowledgeAlarm},
		{Pattern: "POST /alarms/{case}/decide", Serve: decideAlarm},
		{Pattern: "POST /alarms/{case}/lift", Serve: liftHold},
		{Pattern: "GET /alarms/{case}/end", Serve: endPage, Fresh: true},
		{Pattern: "POST /alarms/{case}/end", Serve: endEmbargo, Fresh: true, Back: "/alarms/{case}/end"},
		{Pattern: "GET /account", Nav: "Account", Serve: account},
		{Pattern: "POST /account/sessions/end", Serve: endSession, Back: "/account"},
		{Pattern: "POST /account/passkeys/revoke", Serve: revokePasskey, Fresh: true, Back: "/account"},
		{Pattern: "POST /account/tokens", Serve: issueToken, Fresh: true, Back: "/account"},
		{Pattern: "POST /account/tokens/revoke", Serve: revokeToken, Back: "/account"},
		{Pattern: "GET /accounts", Serve: accounts},
		{Pattern: "POST /accounts/{account}/invite", Serve: inviteAccount, Fresh: true, Back: "/accounts"},
		{Pattern: "POST /accounts/{account}/confirm", Serve: confirmInvitation, Fresh: true, Back: "/accounts"},
		{Pattern: "GET /inbox", Serve: inbox, Scope: cvd.ScopeRead, Op: Op{"getInbox", "What waits for you: every copy that is or will be yours to fetch.", nil, inboxPage{}}},

		{Pattern: "GET /sign-in", Who: Anyone, Serve: signInPage},
		{Pattern: "GET /join", Who: Anyone, Serve: joinPage},
		{Pattern: "GET /prove", Serve: provePage},
		{Pattern: "POST /sign-out", Serve: signOut},
		{Pattern: "POST /passkey/sign-in/begin", Who: Anyone, Serve: beginSignIn},
		{Pattern: "POST /passkey/sign-in/finish", Who: Anyone, Serve: finishSignIn},
		{Pattern: "POST /passkey/join/begin", Who: Anyone, Serve: beginJoin},
		{Pattern: "POST /passkey/join/finish", Who: Anyone, Serve: finishJoin},
		{Pattern: "POST /passkey/prove/begin", Serve: beginProve},
		{Pattern: "POST /passkey/prove/finish", Serve: finishProve},
		{Pattern: "POST /passkey/add/begin", Serve: beginAdd, Fresh: true, Back: "/account"},
		{Pattern: "POST /passkey/add/finish", Serve: finishAdd, Fresh: true, Back: "/account"},
	}
}
