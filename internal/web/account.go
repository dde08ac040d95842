package web

import (
	"encoding/hex"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// accountPage is one's own account: where it is signed in, with what, and what
// machines stand for it.
type accountPage struct {
	Account   cvd.AccountID      `json:"account"`
	Who       coordinator.Person `json:"who"`
	Roles     string             `json:"roles"`
	Member    string             `json:"member,omitempty"`
	Unsettled Moment             `json:"unsettled_until" doc:"Access was recovered: until then the account can fetch no copy and enrol no keys."`
	Sessions  []sessionLine      `json:"sessions"`
	Passkeys  []passkeyLine      `json:"passkeys"`
	Tokens    []tokenLine        `json:"tokens"`
	Scopes    []string           `json:"scopes" doc:"What a token can be for."`
	Lets      map[string]string  `json:"-"` // what a scope lets a machine do
	Issued    string             `json:"-"` // a token, this once
}

type sessionLine struct {
	Key   digest `json:"session"`
	Agent string `json:"browser"`
	Begun Moment `json:"begun"`
	Seen  Moment `json:"last_used"`
	This  bool   `json:"this_one"`
}

type passkeyLine struct {
	Hash   digest `json:"passkey" doc:"SHA-256 of the passkey's id."`
	Short  string `json:"-"`
	Added  Moment `json:"made"`
	This   bool   `json:"used_now"`
	Synced bool   `json:"synced" doc:"Its maker keeps copies of it."`
}

type tokenLine struct {
	Hash  digest `json:"token" doc:"SHA-256 of the token."`
	Short string `json:"-"`
	Made  Moment `json:"made"`
	Scope string `json:"scope"`
	Until Moment `json:"until"`
}

// digest is a SHA-256, in text 64 hexadecimal digits.
type digest [32]byte

func (d digest) String() string               { return hex.EncodeToString(d[:]) }
func (d digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *digest) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(d) {
		return errInput
	}
	*d = digest(raw)
	return nil
}

// scopeWords is what a scope lets a machine do, as doc/api.md has it.
var scopeWords = map[string]string{
	"read":    "look at what you may look at",
	"fetch":   "fetch your copies",
	"receipt": "lodge receipts",
	"answer":  "say how a product stands, acknowledge recalls",
	"work":    "do the ordinary work on cases",
}

func account(v *Visit) error { return v.account("") }

func (v *Visit) account(issued string) error {
	sessions, err := v.site.sessions.Of(v.Context(), v.By.Account, v.Now())
	if err != nil {
		return err
	}
	me, err := v.Desk().AccountOf(v.Context(), v.By, v.By.Account)
	if err != nil {
		return err
	}
	page := accountPage{Account: me.Account, Who: me.Who, Roles: me.Roles.String(), Member: me.Member, Unsettled: v.Moment(me.Unsettled), Issued: issued, Lets: scopeWords,
		Scopes: strings.Split((cvd.EveryScope &^ cvd.ScopeFeed).String(), ", "), Sessions: []sessionLine{}}
	for _, s := range sessions {
		page.Sessions = append(page.Sessions, sessionLine{digest(s.Key), agent(s.Agent), v.Moment(s.Begun), v.Moment(s.Seen), s.Key == v.Session.Key})
	}
	page.Passkeys, page.Tokens = v.access(me.Access)
	return v.Render("account", page)
}

// access is what an account is entered with, as pages show it.
func (v *Visit) access(all []coordinator.AccessLine) (passkeys []passkeyLine, tokens []tokenLine) {
	passkeys, tokens = []passkeyLine{}, []tokenLine{}
	for _, x := range all {
		if short := hex.EncodeToString(x.ID[:4]); x.Scope == 0 {
			passkeys = append(passkeys, passkeyLine{x.ID, short, v.Moment(x.Made), x.ID == v.Session.Credential, x.Synced})
		} else {
			tokens = append(tokens, tokenLine{x.ID, short, v.Moment(x.Made), x.Scope.String(), v.Moment(x.Until)})
		}
	}
	return passkeys, tokens
}

// agent is a browser by a name that its owner knows it by, from what it calls
// itself: the first that fits, for most claim to be others too.
func agent(said string) string {
	pick := func(list ...[2]string) string {
		for _, x := range list {
			if strings.Contains(said, x[0]) {
				return x[1]
			}
		}
		return ""
	}
	name := pick([2]string{"Firefox/", "Firefox"}, [2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Chrome/", "Chrome"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Safari/", "Safari"})
	on := pick([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"}, [2]string{"Mac OS", "macOS"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	switch {
	case name == "":
		return "another browser"
	case on == "":
		return name
	}
	return name + " on " + on
}

type whichSession struct {
	Session digest `json:"session" need:"true"`
}

func endSession(v *Visit) error {
	var in whichSession
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.site.sessions.End(v.Context(), v.By.Account, signin.Key(in.Session), v.Now()); err != nil {
		return err
	}
	return v.Done("/account", nil)
}

type whichPasskey struct {
	Passkey digest `json:"passkey" need:"true" doc:"SHA-256 of the passkey's id."`
}

func revokePasskey(v *Visit) error {
	var in whichPasskey
	if err := v.Ask(&in); err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.RevokeCredential{Account: v.By.Account, Credential: in.Passkey}); err != nil {
		return err
	}
	return v.Done("/account", nil)
}

type newToken struct {
	Scope []string `json:"scope" need:"true" one:"read,fetch,receipt,answer,work"`
	Days  int      `json:"days" low:"1" high:"366" doc:"Until it lapses."`
}

type issuedToken struct {
	Token string `json:"token" doc:"Shown this once: the desk keeps its hash alone."`
	Until Moment `json:"until"`
}

// issueToken makes a token and shows it, once: the log has its hash alone.
func issueToken(v *Visit) error {
	var in newToken
	if err := v.Ask(&in); err != nil {
		return err
	}
	var scope cvd.Scope
	for _, name := range in.Scope {
		s, err := cvd.ParseScope(name)
		if err != nil {
			return err
		}
		scope |= s
	}
	secret, err := signin.Secret(v.site.Rand)
	if err != nil {
		return err
	}
	secret = "fwt_" + secret
	until := v.Now().Add(time.Duration(in.Days) * 24 * time.Hour)
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.IssueToken{Account: v.By.Account, Token: signin.KeyOf(secret), Scope: scope, Until: until}); err != nil {
		return err
	}
	if v.API() {
		return v.Done("/account", issuedToken{secret, v.Moment(until)})
	}
	return v.account(secret)
}

type whichToken struct {
	Token digest `json:"token" need:"true" doc:"SHA-256 of the token."`
}

func revokeToken(v *Visit) error {
	var in whichToken
	if err := v.Ask(&in); err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.RevokeToken{Account: v.By.Account, Token: in.Token}); err != nil {
		return err
	}
	return v.Done("/account", nil)
}
