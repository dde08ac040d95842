package web

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// accountPage is one's own account: where it is signed in, with what, and what
// machines stand for it.
type accountPage struct {
	Who       coordinator.Person
	Roles     string
	Member    string
	Unsettled Moment
	Sessions  []sessionLine
	Passkeys  []passkeyLine
	Tokens    []tokenLine
	Scopes    []string
	Issued    string // a token, this once
}

type sessionLine struct {
	Key, Agent  string
	Begun, Seen Moment
	This        bool
}

type passkeyLine struct {
	Hash, Short string
	Added       Moment
	This        bool
	Synced      bool
}

type tokenLine struct {
	Hash, Short, Scope string
	Until              Moment
}

func account(v *Visit) error { return v.account("") }

func (v *Visit) account(issued string) error {
	now := v.Now()
	page := accountPage{Issued: issued, Scopes: strings.Split((cvd.ScopeRead | cvd.ScopeFetch | cvd.ScopeReceipt | cvd.ScopeAnswer).String(), ", ")}
	sessions, err := v.site.sessions.Of(v.Context(), v.By.Account, now)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		page.Sessions = append(page.Sessions, sessionLine{hex.EncodeToString(s.Key[:]), agent(s.Agent), v.Moment(s.Begun), v.Moment(s.Seen), s.Key == v.Session.Key})
	}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		a := p.Accounts[v.By.Account]
		page.Who, page.Roles = n.Person(a.ID), a.Roles.String()
		if !a.Member.IsZero() {
			page.Member = n.Member(a.Member)
		}
		if until := a.UnsettledUntil(); now.Before(until) {
			page.Unsettled = v.Moment(until)
		}
		for i := range a.Credentials {
			if x := &a.Credentials[i]; x.Revoked == nil {
				h := x.Hash()
				page.Passkeys = append(page.Passkeys, passkeyLine{hex.EncodeToString(h[:]), hex.EncodeToString(h[:4]), v.Moment(x.At), h == v.Session.Credential, x.Flags&backupState != 0})
			}
		}
		for i := range a.Tokens {
			if t := &a.Tokens[i]; t.Revoked == nil && now.Before(t.Until) {
				page.Tokens = append(page.Tokens, tokenLine{hex.EncodeToString(t.Hash[:]), hex.EncodeToString(t.Hash[:4]), t.Scope.String(), v.Moment(t.Until)})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("account", page)
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

// backupState is the flag of a passkey that its maker keeps copies of.
const backupState = 0x10

// hash reads a form's field of 64 hexadecimal digits.
func (v *Visit) hash(name string) (h [32]byte, err error) {
	b, err := hex.DecodeString(v.Field(name))
	if err != nil || len(b) != 32 {
		return h, errInput
	}
	return [32]byte(b), nil
}

func endSession(v *Visit) error {
	key, err := v.hash("session")
	if err != nil {
		return err
	}
	if err := v.site.sessions.End(v.Context(), v.By.Account, key, v.Now()); err != nil {
		return err
	}
	return v.Redirect("/account")
}

func revokePasskey(v *Visit) error {
	h, err := v.hash("passkey")
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.RevokeCredential{Account: v.By.Account, Credential: h}); err != nil {
		return err
	}
	return v.Redirect("/account")
}

// issueToken makes a token and shows it, once: the log has its hash alone.
func issueToken(v *Visit) error {
	var scope cvd.Scope
	for _, name := range v.PostForm["scope"] {
		s, err := cvd.ParseScope(name)
		if err != nil {
			return errInput
		}
		scope |= s
	}
	days, err := strconv.Atoi(v.Field("days"))
	if err != nil || days < 1 || days > 366 {
		return errInput
	}
	secret, err := signin.Secret(v.site.Rand)
	if err != nil {
		return err
	}
	secret = "fwt_" + secret
	until := v.Now().Add(time.Duration(days) * 24 * time.Hour)
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.IssueToken{Account: v.By.Account, Token: signin.KeyOf(secret), Scope: scope, Until: until}); err != nil {
		return err
	}
	return v.account(secret)
}

func revokeToken(v *Visit) error {
	h, err := v.hash("token")
	if err != nil {
		return err
	}
	if _, err := v.Desk().Do(v.Context(), v.By, cvd.RevokeToken{Account: v.By.Account, Token: h}); err != nil {
		return err
	}
	return v.Redirect("/account")
}
