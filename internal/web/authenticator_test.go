package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// authenticator is a passkey in software: ES256, without attestation.
type authenticator struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	rp     string
	origin string
	flags  byte // user present, user verified
}

func newAuthenticator(t testing.TB) *authenticator {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	id := make([]byte, 16)
	rand.Read(id)
	return &authenticator{t: t, key: k, id: id, rp: "desk.example", origin: origin, flags: 0x05}
}

var b64 = base64.RawURLEncoding

func (a *authenticator) client(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	ok(a.t, err)
	return b
}

func (a *authenticator) data(flags byte) []byte {
	rp := sha256.Sum256([]byte(a.rp))
	return append(append(rp[:], flags), 0, 0, 0, 0)
}

type options struct {
	Challenge string
	User      struct{ ID, Name string }
	RP        struct{ ID, Name string }
	AllowCredentials,
	ExcludeCredentials []struct{ ID string }
	AuthenticatorSelection struct{ ResidentKey, UserVerification string }
	UserVerification       string
}

// create answers options with a new passkey.
func (a *authenticator) create(o options) string {
	handle, err := b64.DecodeString(o.User.ID)
	ok(a.t, err)
	a.handle = handle
	pub, err := a.key.PublicKey.Bytes() // 04 x y
	ok(a.t, err)
	cose := slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20}, pub[1:33], []byte{0x22, 0x58, 0x20}, pub[33:65])
	auth := slices.Concat(a.data(a.flags|0x40), make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(a.id))), a.id, cose)
	obj := slices.Concat([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), []byte{byte(len(auth))}, auth)
	return a.answer(map[string]any{"clientDataJSON": b64.EncodeToString(a.client("webauthn.create", o.Challenge)), "attestationObject": b64.EncodeToString(obj)})
}

// get answers options with a signature.
func (a *authenticator) get(o options) string {
	client, auth := a.client("webauthn.get", o.Challenge), a.data(a.flags)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(slices.Clone(auth), sum[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, signed[:])
	ok(a.t, err)
	return a.answer(map[string]any{"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(auth),
		"signature": b64.EncodeToString(sig), "userHandle": b64.EncodeToString(a.handle)})
}

func (a *authenticator) answer(response map[string]any) string {
	id := b64.EncodeToString(a.id)
	b, err := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	ok(a.t, err)
	return string(b)
}

// script sends as the page's script does.
func (b *browser) script(path, body string) *http.Response {
	return b.do("POST", path, body, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/json"}, "Accept": {"application/json"}})
}

// begin begins a ceremony.
func (b *browser) begin(what, body string) (o options) {
	b.w.t.Helper()
	r := b.script("/passkey/"+what+"/begin", body)
	if r.StatusCode != 200 {
		b.w.t.Fatalf("%s: %d %s", what, r.StatusCode, text(b.w.t, r))
	}
	ok(b.w.t, json.NewDecoder(r.Body).Decode(&o))
	return o
}

// wants checks a status.
func (b *browser) wants(r *http.Response, status int) string {
	b.w.t.Helper()
	s := text(b.w.t, r)
	if r.StatusCode != status {
		b.w.t.Fatalf("%d, want %d: %s", r.StatusCode, status, s)
	}
	return s
}
