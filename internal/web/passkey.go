package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/signin"
)

// ceremonyTime is how long a ceremony may take, from its challenge to its
// answer.
const ceremonyTime = 5 * time.Minute

// ceremonyLimit is the most bytes of an answer: a passkey's are a few hundred, and anybody
// may send one.
const ceremonyLimit = 16 << 10

// relyingParty is this site as passkeys know it: discoverable passkeys, so that
// nobody types who they are and there is nothing to try names on, and always with
// the person verified. Attestation isn't asked for: which maker's key somebody
// uses decides nothing here.
func (s *Site) relyingParty() (*webauthn.WebAuthn, error) {
	name := s.origin.Hostname()
	_ = s.Desk.View(func(p *cvd.Programme) error {
		name = s.Desk.Names(context.Background(), p).Programme()
		return nil
	})
	resident := true
	return webauthn.New(&webauthn.Config{
		RPID: s.origin.Hostname(), RPDisplayName: name, RPOrigins: []string{s.origin.Scheme + "://" + s.origin.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &resident, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
}

// person is an account as the library wants it.
type person struct {
	id       cvd.AccountID
	who      coordinator.Person
	passkeys []webauthn.Credential
}

func (p *person) WebAuthnID() []byte                         { return p.id[:] }
func (p *person) WebAuthnName() string                       { return p.who.Handle }
func (p *person) WebAuthnDisplayName() string                { return p.who.Name }
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.passkeys }

// person is an account with the passkeys that are in use.
func (v *Visit) person(id cvd.AccountID) (*person, error) {
	out := &person{id: id}
	return out, v.View(func(p *cvd.Programme, n coordinator.Names) error {
		a := p.Accounts[id]
		if a == nil {
			return errCeremony
		}
		out.who = n.Person(id)
		for i := range a.Credentials {
			if x := &a.Credentials[i]; x.Revoked == nil {
				out.passkeys = append(out.passkeys, webauthn.Credential{ID: x.ID, PublicKey: x.PublicKey, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(x.Flags))})
			}
		}
		return nil
	})
}

// ceremony is what is kept of one between its two requests.
type ceremony struct {
	What       string // "sign-in", "prove", "join", "add"
	Data       webauthn.SessionData
	Account    cvd.AccountID
	Invitation [32]byte
	Next       string
}

const ceremonyKind = "ceremony"

func (s *Site) ceremonyCookie() string { return s.cookieName() + "-ceremony" }

// begin keeps a ceremony for the browser that asked, and gives it the options.
func (v *Visit) begin(c ceremony, options any) error {
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	secret, err := signin.Secret(v.site.Rand)
	if err != nil {
		return err
	}
	now := v.Now()
	if err := v.site.SignIn.Put(v.Context(), signin.Item{Kind: ceremonyKind, Key: signin.KeyOf(secret), Value: value, Expires: now.Add(ceremonyTime)}); err != nil {
		return err
	}
	http.SetCookie(v.w, &http.Cookie{Name: v.site.ceremonyCookie(), Value: secret, Path: "/", HttpOnly: true, Secure: v.site.secure(), SameSite: http.SameSiteStrictMode, MaxAge: int(ceremonyTime / time.Second)})
	return v.JSON(http.StatusOK, options)
}

// finish takes the ceremony that this browser began: its challenge is answered
// once.
func (v *Visit) finish(what string) (c ceremony, body []byte, err error) {
	k, err := v.Cookie(v.site.ceremonyCookie())
	if err != nil {
		return c, nil, errCeremony
	}
	it, err := v.site.SignIn.Take(v.Context(), ceremonyKind, signin.KeyOf(k.Value), v.Now())
	switch {
	case errors.Is(err, signin.ErrNone):
		return c, nil, errCeremony
	case err != nil:
		return c, nil, err
	}
	if err := json.Unmarshal(it.Value, &c); err != nil || c.What != what {
		return c, nil, errCeremony
	}
	body, err = io.ReadAll(v.Body)
	return c, body, err
}

// JSON answers a program, or the page's script.
func (v *Visit) JSON(status int, value any) error {
	b, err := json.Marshal(value)
	if err == nil {
		v.send(status, "application/json", append(b, '\n'))
	}
	return err
}

// wants reads the request's body as JSON.
func (v *Visit) wants(into any) error {
	b, err := io.ReadAll(v.Body)
	if err != nil {
		return err
	}
	if len(b) > 0 && json.Unmarshal(b, into) != nil {
		return errInput
	}
	return nil
}

// tries limits how often something is tried from one network in five minutes.
func (v *Visit) tries(what string, most int) error {
	return v.triesWithin("try/"+what, v.site.from(v.Request), 5*time.Minute, most)
}

func (v *Visit) triesWithin(what, from string, window time.Duration, most int) error {
	n, err := v.site.SignIn.Count(v.Context(), what, sha256.Sum256([]byte(from)), v.Now(), window)
	if err == nil && n > most {
		err = errTooMany
	}
	return err
}

// Tries from one network in five minutes. A whole office may sign in from one
// address in the minute that a wave opens; nobody guesses 256 bits in a thousand
// tries. A link is tried twice: to say whose it is, and to use it.
const (
	signInTries = 300
	joinTries   = 60
)

func beginSignIn(v *Visit) error {
	if err := v.tries("sign-in", signInTries); err != nil {
		return err
	}
	var in struct{ Next string }
	if err := v.wants(&in); err != nil {
		return err
	}
	options, data, err := v.site.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return err
	}
	return v.begin(ceremony{What: "sign-in", Data: *data, Next: local(in.Next)}, options.Response)
}

func finishSignIn(v *Visit) error {
	c, body, err := v.finish("sign-in")
	if err != nil {
		return err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return errCeremony
	}
	var who *person
	_, x, err := v.site.rp.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if len(handle) != 16 {
			return nil, errCeremony
		}
		who, err = v.person(cvd.AccountID(handle))
		return who, err
	}, c.Data, answer)
	if err != nil {
		return errCeremony
	}
	return v.enter(who.id, x.ID, c.Next)
}

// enter begins a session, and ends the one that this browser had.
func (v *Visit) enter(id cvd.AccountID, credential []byte, next string) error {
	n := signin.Session{Account: id, Credential: sha256.Sum256(credential), Agent: v.UserAgent(), Zone: zoneOf(v.Header.Get("X-Zone"))}
	ok, err := v.site.live(n)
	if err != nil {
		return err
	}
	if !ok {
		return errCeremony // closed, or its member isn't in good standing: told nothing else
	}
	secret, err := v.site.sessions.Begin(v.Context(), v.Session.Key, n, v.Now())
	if err != nil {
		return err
	}
	v.setCookie(secret)
	if next = local(next); next == "/" {
		next = "/home"
	}
	return v.JSON(http.StatusOK, map[string]string{"next": next})
}

// zoneOf is the name of a time zone, if it is one.
func zoneOf(name string) string {
	if l, err := time.LoadLocation(name); err == nil && len(name) < 64 && l != time.Local {
		return name
	}
	return ""
}

func beginProve(v *Visit) error {
	var in struct{ Next string }
	if err := v.wants(&in); err != nil {
		return err
	}
	who, err := v.person(v.By.Account)
	if err != nil {
		return err
	}
	options, data, err := v.site.rp.BeginLogin(who, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return err
	}
	return v.begin(ceremony{What: "prove", Data: *data, Account: v.By.Account, Next: local(in.Next)}, options.Response)
}

func finishProve(v *Visit) error {
	c, body, err := v.finish("prove")
	if err != nil {
		return err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil || c.Account != v.By.Account {
		return errCeremony
	}
	who, err := v.person(v.By.Account)
	if err != nil {
		return err
	}
	if _, err := v.site.rp.ValidateLogin(who, c.Data, answer); err != nil {
		return errCeremony
	}
	secret, err := v.site.sessions.Prove(v.Context(), v.Session, v.Now())
	if err != nil {
		return err
	}
	v.setCookie(secret)
	next := local(c.Next)
	if next == "/" {
		next = "/home"
	}
	return v.JSON(http.StatusOK, map[string]string{"next": next})
}

func beginJoin(v *Visit) error {
	if err := v.tries("join", joinTries); err != nil {
		return err
	}
	var in struct{ Invitation string }
	if err := v.wants(&in); err != nil {
		return err
	}
	hash := [32]byte(signin.KeyOf(in.Invitation))
	var id cvd.AccountID
	err := v.Desk().View(func(p *cvd.Programme) (err error) {
		var ok bool
		if id, ok = p.InvitedBy(hash, v.Now()); !ok {
			return errInvitation
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.beginPasskey("join", id, hash)
}

func beginAdd(v *Visit) error { return v.beginPasskey("add", v.By.Account, [32]byte{}) }

// beginPasskey begins to make an account another passkey.
func (v *Visit) beginPasskey(what string, id cvd.AccountID, invitation [32]byte) error {
	who, err := v.person(id)
	if err != nil {
		return err
	}
	var have []protocol.CredentialDescriptor
	for _, x := range who.passkeys {
		have = append(have, x.Descriptor())
	}
	options, data, err := v.site.rp.BeginRegistration(who, webauthn.WithExclusions(have))
	if err != nil {
		return err
	}
	return v.begin(ceremony{What: what, Data: *data, Account: id, Invitation: invitation}, options.Response)
}

func finishJoin(v *Visit) error {
	x, c, err := v.finishPasskey("join")
	if err != nil {
		return err
	}
	return v.enter(c.Account, x.ID, "/home")
}

func finishAdd(v *Visit) error {
	if _, _, err := v.finishPasskey("add"); err != nil {
		return err
	}
	return v.JSON(http.StatusOK, map[string]string{"next": "/account"})
}

// finishPasskey puts a new passkey on the log. Whoever holds the invitation and
// the key has just proved both: that is the freshest proof there is.
func (v *Visit) finishPasskey(what string) (*webauthn.Credential, ceremony, error) {
	c, body, err := v.finish(what)
	if err != nil {
		return nil, c, err
	}
	if what == "add" && c.Account != v.By.Account {
		return nil, c, errCeremony
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		return nil, c, errCeremony
	}
	who, err := v.person(c.Account)
	if err != nil {
		return nil, c, err
	}
	x, err := v.site.rp.CreateCredential(who, c.Data, answer)
	if err != nil {
		return nil, c, errCeremony
	}
	flags := uint8(answer.Response.AttestationObject.AuthData.Flags)
	_, err = v.Desk().Do(v.Context(), cvd.Actor{Account: c.Account, Auth: entrylog.AuthFresh},
		cvd.AddCredential{Account: c.Account, Credential: x.ID, PublicKey: x.PublicKey, Flags: flags, Invitation: c.Invitation})
	if err != nil && c.Invitation != [32]byte{} && (errors.Is(err, cvd.ErrRefused) || errors.Is(err, cvd.ErrDenied)) {
		err = errInvitation
	}
	return x, c, err
}

// Link is the address of an invitation. The secret stands behind the '#', which
// browsers send to nobody: it is in no server's log, and a mail scanner that
// opens the link uses nothing up.
func Link(origin, secret string) string { return strings.TrimSuffix(origin, "/") + "/join#" + secret }

// bearer is the secret of a token that a machine comes with.
func (v *Visit) bearer() (secret string, ok bool) {
	h := v.Header.Get("Authorization")
	if h == "" {
		return "", false
	}
	secret, ok = strings.CutPrefix(h, "Bearer ")
	if !ok {
		return "", true // something else: nobody's
	}
	return secret, true
}

// asMachine recognises a token. It is of use for pages that have its scope.
func (v *Visit) asMachine(secret string) error {
	err := v.Desk().View(func(p *cvd.Programme) error {
		id, scope, ok := p.TokenOf(signin.KeyOf(secret), v.Now())
		if !ok {
			return errToken
		}
		// What is open to anyone is open to every token.
		if !v.API() || v.Page.Who == SignedIn && (v.Page.Scope == 0 || v.Page.Scope&scope != v.Page.Scope) {
			return errScope
		}
		v.By = cvd.Actor{Account: id, Auth: entrylog.AuthSession}
		return nil
	})
	if errors.Is(err, errToken) {
		// Only what fails is counted: machines poll, and counting is a write.
		err = cmp.Or(v.tries("token", tokenTries), err)
	}
	return err
}

// tokenTries bounds requests with tokens that stand for nobody.
const tokenTries = 300
