package cvd

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// Scope is what a token may be used for, a set of bits. The empty Scope is for
// nothing.
type Scope uint16

// The scopes. Their bits are frozen.
const (
	ScopeRead    Scope = 1 << iota // look at what the account may look at
	ScopeFetch                     // fetch sealed copies
	ScopeReceipt                   // lodge receipts
	ScopeAnswer                    // say how a product stands
	ScopeWork                      // the ordinary work on cases; nothing that asks for a proof
	ScopeFeed                      // learn that something waits, and nothing else
	scopeEnd

	EveryScope = scopeEnd - 1
)

var scopeNames = []string{"read", "fetch", "receipt", "answer", "work", "feed"}

// String lists the set.
func (s Scope) String() string {
	var out []string
	for i, n := range scopeNames {
		if s>>i&1 == 1 {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

// ParseScope reads one scope's name.
func ParseScope(name string) (Scope, error) {
	for i, n := range scopeNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("%q is not a scope: use %s", name, strings.Join(scopeNames, ", "))
}

// Wire is two bytes, of which only known bits are set.
func (s *Scope) Wire(c *wire.Coder) {
	v := uint16(*s)
	c.U16(&v)
	*s = Scope(v)
	if c.Err() == nil && *s >= scopeEnd {
		c.Fail("a scope of unknown bits: %#x", v)
	}
}

// Bounds. What people hold must lapse.
const (
	maxCredentialID  = 1023 // bytes, of WebAuthn
	maxPublicKey     = 4096
	maxInvitation    = 14 * 24 * time.Hour
	maxToken         = 366 * 24 * time.Hour
	maxLiveOfAccount = 50 // passkeys, or tokens

	// settling is how long an account whose access was recovered is shown no
	// content: the time that others have to say that it wasn't its person.
	// Another coordinator than who invited may lift it.
	settling = 24 * time.Hour
)

// AccountInvited invites whoever holds a secret to make a passkey for an
// account. Invitations before it are void.
type AccountInvited struct {
	Account    AccountID
	Invitation [32]byte // SHA-256 of the secret
	Until      time.Time
}

func (b *AccountInvited) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 60.
func (b *AccountInvited) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Fixed(b.Invitation[:])
	c.Time(&b.Until)
}

// InvitationConfirmed is the second coordinator's yes to a recovery.
type InvitationConfirmed struct {
	Account    AccountID
	Invitation [32]byte
}

func (b *InvitationConfirmed) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 61.
func (b *InvitationConfirmed) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Fixed(b.Invitation[:])
}

// CredentialAdded is a passkey made for an account.
type CredentialAdded struct {
	Account    AccountID
	Credential []byte   // its id, of at most 1023 bytes
	PublicKey  []byte   // COSE, RFC 9052
	Flags      uint8    // of WebAuthn's authenticator data
	Invitation [32]byte // that was used for it; zero: none
}

func (b *CredentialAdded) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 62.
func (b *CredentialAdded) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Bytes(&b.Credential, maxCredentialID)
	c.Bytes(&b.PublicKey, maxPublicKey)
	c.U8(&b.Flags)
	c.Fixed(b.Invitation[:])
}

// CredentialRevoked takes a passkey out of use.
type CredentialRevoked struct {
	Account    AccountID
	Credential [32]byte // SHA-256 of its id
}

func (b *CredentialRevoked) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 63.
func (b *CredentialRevoked) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Fixed(b.Credential[:])
}

// WaitLifted ends the wait after a recovery: another coordinator than who invited
// spoke to the account's person, and says why that is known.
type WaitLifted struct {
	Account    AccountID
	Credential [32]byte // SHA-256 of the id of the passkey that was made
	Reason     BlobRef
}

func (b *WaitLifted) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 79.
func (b *WaitLifted) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Fixed(b.Credential[:])
	b.Reason.Wire(c)
}

// TokenIssued lets a machine come as an account.
type TokenIssued struct {
	Account AccountID
	Token   [32]byte // SHA-256 of what the machine holds
	Scope   Scope
	Until   time.Time
}

func (b *TokenIssued) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 64.
func (b *TokenIssued) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Fixed(b.Token[:])
	b.Scope.Wire(c)
	c.Time(&b.Until)
}

// TokenRevoked ends a token at once.
type TokenRevoked struct {
	Account AccountID
	Token   [32]byte
}

func (b *TokenRevoked) subject() entrylog.Ref { return ref(b.Account) }

// Wire is the frozen layout of kind 65.
func (b *TokenRevoked) Wire(c *wire.Coder) {
	b.Account.Wire(c)
	c.Fixed(b.Token[:])
}

// The verbs of sign-in.
type (
	InviteAccount     AccountInvited
	ConfirmInvitation InvitationConfirmed
	AddCredential     CredentialAdded
	RevokeCredential  CredentialRevoked
	LiftWait          WaitLifted
	IssueToken        TokenIssued
	RevokeToken       TokenRevoked
)

func (c InviteAccount) asks(*Programme) (Action, Object) {
	return ActInviteAccount, AnAccount(c.Account)
}

func (c InviteAccount) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	a := p.Accounts[c.Account]
	switch {
	case c.Invitation == [32]byte{}:
		return nil, refuse("the invitation has no secret")
	case !c.Until.After(now) || c.Until.Sub(now) > maxInvitation:
		return nil, refuse("an invitation lapses within %d days", maxInvitation/(24*time.Hour))
	case len(a.Credentials) > 0 && !p.Accounts[who.Account].Roles.Has(Coordinator):
		return nil, refuse("the account has, or had, a passkey: a coordinator invites it anew, and a second one confirms")
	}
	if err := p.unused(c.Invitation); err != nil {
		return nil, err
	}
	b := AccountInvited(c)
	return yes(&b)
}

// unused refuses a hash that something has already: two secrets are never the
// same by chance.
func (p *Programme) unused(hash [32]byte) error {
	if _, taken := p.secrets[hash]; taken {
		return refuse("that secret, or that passkey, is known already: make a new one")
	}
	return nil
}

func (c ConfirmInvitation) asks(*Programme) (Action, Object) {
	return ActConfirmInvitation, AnAccount(c.Account)
}

func (c ConfirmInvitation) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	inv := p.Accounts[c.Account].Invitation(now)
	switch {
	case inv == nil || inv.Hash != c.Invitation:
		return nil, refuse("the account has no such invitation that can be used: invite it anew")
	case !inv.Recovery:
		return nil, refuse("the invitation needs no second person")
	case inv.By == who.Account || c.Account == who.Account:
		return nil, refuse("another coordinator confirms it, who neither invited nor is invited")
	case inv.Confirmed != nil:
		return nil, nil
	}
	b := InvitationConfirmed(c)
	return yes(&b)
}

func (c AddCredential) asks(*Programme) (Action, Object) {
	return ActAddCredential, AnAccount(c.Account)
}

func (c AddCredential) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	a := p.Accounts[c.Account]
	switch inv := a.Invitation(now); {
	case len(c.Credential) == 0 || len(c.PublicKey) == 0:
		return nil, refuse("a passkey has an id and a public key")
	case live(a.Credentials, func(x *Credential) bool { return x.Revoked == nil }) >= maxLiveOfAccount:
		return nil, refuse("an account has at most %d passkeys: revoke one first", maxLiveOfAccount)
	case c.Invitation == [32]byte{}:
		if live(a.Credentials, func(x *Credential) bool { return x.Revoked == nil }) == 0 {
			return nil, refuse("an account's first passkey is made with an invitation")
		}
	case inv == nil || inv.Hash != c.Invitation:
		return nil, refuse("the invitation was used, has lapsed, or is void: ask for another")
	case inv.Recovery && inv.Confirmed == nil:
		return nil, refuse("a second coordinator has not confirmed the invitation yet")
	}
	if err := p.unused(sha256.Sum256(c.Credential)); err != nil {
		return nil, err
	}
	b := CredentialAdded(c)
	return checked(&b)
}

func live[T any](list []T, is func(*T) bool) (n int) {
	for i := range list {
		if is(&list[i]) {
			n++
		}
	}
	return n
}

func (c RevokeCredential) asks(*Programme) (Action, Object) {
	return ActRevokeCredential, AnAccount(c.Account)
}

func (c RevokeCredential) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	x := p.Accounts[c.Account].CredentialOf(c.Credential)
	switch {
	case x == nil:
		return nil, refuse("the account has no such passkey")
	case x.Revoked != nil:
		return nil, nil
	}
	b := CredentialRevoked(c)
	return yes(&b)
}

func (c LiftWait) asks(*Programme) (Action, Object) { return ActLiftWait, AnAccount(c.Account) }

func (c LiftWait) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	x := p.Accounts[c.Account].recovered()
	switch {
	case x == nil:
		return nil, refuse("access to the account was not recovered, or the link was not used yet")
	case x.Hash() != c.Credential:
		return nil, refuse("that is not the passkey that the account was last recovered with: look again")
	case x.Lifted != nil:
		return nil, nil
	case !now.Before(x.At.Add(settling)):
		return nil, refuse("the wait is over")
	case c.Reason.IsZero():
		return nil, refuse("say how you know that it is the account's person")
	}
	b := WaitLifted(c)
	return yes(&b)
}

func (c IssueToken) asks(*Programme) (Action, Object) { return ActIssueToken, AnAccount(c.Account) }

func (c IssueToken) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	a := p.Accounts[c.Account]
	switch {
	case c.Scope == 0 || c.Scope >= scopeEnd:
		return nil, refuse("a token is for something: %s", strings.Join(scopeNames, ", "))
	case c.Token == [32]byte{}:
		return nil, refuse("the token has no secret")
	case !c.Until.After(now) || c.Until.Sub(now) > maxToken:
		return nil, refuse("a token lapses within %d days", maxToken/(24*time.Hour))
	case live(a.Tokens, func(t *AccessToken) bool { return t.Revoked == nil && now.Before(t.Until) }) >= maxLiveOfAccount:
		return nil, refuse("an account has at most %d tokens in use: revoke one first", maxLiveOfAccount)
	}
	if err := p.unused(c.Token); err != nil {
		return nil, err
	}
	b := TokenIssued(c)
	return yes(&b)
}

func (c RevokeToken) asks(*Programme) (Action, Object) { return ActRevokeToken, AnAccount(c.Account) }

func (c RevokeToken) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	t := p.Accounts[c.Account].tokenOf(c.Token)
	switch {
	case t == nil:
		return nil, refuse("the account has no such token")
	case t.Revoked != nil:
		return nil, nil
	}
	b := TokenRevoked(c)
	return yes(&b)
}

// knowSecret takes a hash as an account's.
func (p *Programme) knowSecret(hash [32]byte, a AccountID) error {
	if o, taken := p.secrets[hash]; taken {
		return fmt.Errorf("the hash %x is of account %s already", hash[:4], o)
	}
	put(p, p.secrets, hash, a)
	return nil
}

func (b *AccountInvited) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	if err := p.knowSecret(b.Invitation, a.ID); err != nil {
		return err
	}
	push(p, &a.Invitations, Invitation{Note: n, Hash: b.Invitation, Until: b.Until, Recovery: len(a.Credentials) > 0})
	return nil
}

// lastInvitation is an account's, which must have that hash.
func (p *Programme) lastInvitation(id AccountID, hash [32]byte) (*Account, *Invitation, error) {
	a, err := find("account", p.Accounts, id)
	if err != nil {
		return nil, nil, err
	}
	if n := len(a.Invitations); n > 0 && a.Invitations[n-1].Hash == hash {
		return a, &a.Invitations[n-1], nil
	}
	return nil, nil, fmt.Errorf("account %s has no such invitation", id)
}

func (b *InvitationConfirmed) apply(p *Programme, n Note) error {
	_, inv, err := p.lastInvitation(b.Account, b.Invitation)
	if err != nil {
		return err
	}
	set(p, &inv.Confirmed, &n)
	return nil
}

func (b *CredentialAdded) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	x := Credential{Note: n, ID: b.Credential, PublicKey: b.PublicKey, Flags: b.Flags, Invitation: b.Invitation}
	var used *Invitation
	if b.Invitation != [32]byte{} {
		if _, used, err = p.lastInvitation(b.Account, b.Invitation); err != nil {
			return err
		}
		if used.Used != nil {
			return fmt.Errorf("account %s: the invitation was used already", b.Account)
		}
		x.Recovery = used.Recovery
	}
	if err := p.knowSecret(x.Hash(), a.ID); err != nil {
		return err
	}
	if used != nil {
		set(p, &used.Used, &n)
	}
	push(p, &a.Credentials, x)
	return nil
}

func (b *CredentialRevoked) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	x := a.CredentialOf(b.Credential)
	if x == nil {
		return fmt.Errorf("account %s has no such credential", b.Account)
	}
	set(p, &x.Revoked, &n)
	return nil
}

func (b *WaitLifted) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	x := a.CredentialOf(b.Credential)
	switch {
	case x == nil || !x.Recovery:
		return fmt.Errorf("account %s was not recovered with such a credential", b.Account)
	case x.Lifted != nil:
		return fmt.Errorf("account %s: the wait was lifted already", b.Account)
	}
	set(p, &x.Lifted, &Lifted{n, b.Reason})
	return nil
}

func (b *TokenIssued) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	if err := p.knowSecret(b.Token, a.ID); err != nil {
		return err
	}
	push(p, &a.Tokens, AccessToken{Note: n, Hash: b.Token, Scope: b.Scope, Until: b.Until})
	return nil
}

func (b *TokenRevoked) apply(p *Programme, n Note) error {
	a, err := find("account", p.Accounts, b.Account)
	if err != nil {
		return err
	}
	t := a.tokenOf(b.Token)
	if t == nil {
		return fmt.Errorf("account %s has no such token", b.Account)
	}
	set(p, &t.Revoked, &n)
	return nil
}

// Invitation is the one that an account can be entered with at a time, or nil.
func (a *Account) Invitation(now time.Time) *Invitation {
	n := len(a.Invitations)
	if n == 0 || a.Invitations[n-1].Used != nil || !now.Before(a.Invitations[n-1].Until) {
		return nil
	}
	return &a.Invitations[n-1]
}

// CredentialOf is an account's passkey by the SHA-256 of its id, or nil. It may
// be revoked.
func (a *Account) CredentialOf(hash [32]byte) *Credential {
	for i := range a.Credentials {
		if a.Credentials[i].Hash() == hash {
			return &a.Credentials[i]
		}
	}
	return nil
}

func (a *Account) tokenOf(hash [32]byte) *AccessToken {
	for i := range a.Tokens {
		if a.Tokens[i].Hash == hash {
			return &a.Tokens[i]
		}
	}
	return nil
}

// recovered is the passkey that an account was last recovered with, or nil.
func (a *Account) recovered() *Credential {
	for i := range slices.Backward(a.Credentials) {
		if a.Credentials[i].Recovery {
			return &a.Credentials[i]
		}
	}
	return nil
}

// invitationOf is the invitation that a passkey was made with, or nil.
func (a *Account) invitationOf(x *Credential) *Invitation {
	for i := range a.Invitations {
		if a.Invitations[i].Hash == x.Invitation {
			return &a.Invitations[i]
		}
	}
	return nil
}

// UnsettledUntil is until when an account whose access was recovered is shown
// no content; zero when it never was, or the wait was lifted.
func (a *Account) UnsettledUntil() (t time.Time) {
	if x := a.recovered(); x != nil && x.Lifted == nil {
		t = x.At.Add(settling)
	}
	return t
}

// Recovered is how access to an account was given anew: by whom, and with which
// passkey.
type Recovered struct {
	*Credential
	Invitation *Invitation // confirmed
}

// Recoveries are those of an account, the oldest first.
func (a *Account) Recoveries() (out []Recovered) {
	for i := range a.Credentials {
		if x := &a.Credentials[i]; x.Recovery {
			out = append(out, Recovered{x, a.invitationOf(x)})
		}
	}
	return out
}

// InvitedBy is the account that an invitation's secret is for, by its hash: one
// that can be used now, on an account that can act.
func (p *Programme) InvitedBy(hash [32]byte, now time.Time) (AccountID, bool) {
	a := p.Accounts[p.secrets[hash]]
	if a == nil || !p.active(a) {
		return AccountID{}, false
	}
	inv := a.Invitation(now)
	if inv == nil || inv.Hash != hash || inv.Recovery && inv.Confirmed == nil {
		return AccountID{}, false
	}
	return a.ID, true
}

// CanSignIn reports whether an account can act, and a passkey of it is in use.
func (p *Programme) CanSignIn(id AccountID, credential [32]byte) bool {
	a := p.Accounts[id]
	if a == nil || !p.active(a) {
		return false
	}
	x := a.CredentialOf(credential)
	return x != nil && x.Revoked == nil
}

// TokenOf is whom a token stands for, by its hash, and what for; false for one
// that has lapsed or was revoked.
func (p *Programme) TokenOf(hash [32]byte, now time.Time) (AccountID, Scope, bool) {
	a := p.Accounts[p.secrets[hash]]
	if a == nil || !p.active(a) {
		return AccountID{}, 0, false
	}
	t := a.tokenOf(hash)
	if t == nil || t.Revoked != nil || !now.Before(t.Until) {
		return AccountID{}, 0, false
	}
	return a.ID, t.Scope, true
}
