package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// Identities are the secret keys that open what was sealed to them, and the key
// that signs receipts if the file held one. The zero value opens nothing.
type Identities struct {
	keys    []age.Identity
	public  []string
	signing *SigningKey
}

// SigningKey is the key that signs receipts, if there is one.
func (i Identities) SigningKey() (SigningKey, bool) {
	if i.signing == nil {
		return SigningKey{}, false
	}
	return *i.signing, true
}

// Recipients are the public halves, as text, of the identities that can tell
// theirs (all but SSH keys).
func (i Identities) Recipients() []string { return append([]string(nil), i.public...) }

// Join gives the identities of both; the first signing key found is kept.
func (i Identities) Join(o Identities) Identities {
	i.keys = append(i.keys[:len(i.keys):len(i.keys)], o.keys...)
	i.public = append(i.public[:len(i.public):len(i.public)], o.public...)
	if i.signing == nil {
		i.signing = o.signing
	}
	return i
}

// signingPrefix opens the line that holds the signing key. It is a comment to
// age, so that `age -d -i` takes an identity file of ours as it is.
const signingPrefix = "#" + secretPrefix

// ParseIdentities reads an identity file: lines AGE-SECRET-KEY-1… (X25519) and
// AGE-SECRET-KEY-PQ-1… (hybrid post-quantum), SSH private keys in PEM without a
// passphrase, and one line #forewarn-sign-secret-… with the Ed25519 key that
// signs receipts. Other lines that begin with # are comments.
//
// Errors name the line and repeat nothing of it.
func ParseIdentities(text []byte) (Identities, error) {
	var out Identities
	var block *bytes.Buffer // a PEM block being collected
	var blockLine int
	fail := func(n int, format string, args ...any) error {
		return fmt.Errorf("%w: line %d: %s", ErrKeyText, n, fmt.Sprintf(format, args...))
	}
	err := eachLine(text, func(n int, line string) error {
		switch {
		case block != nil:
			block.WriteString(line + "\n")
			if strings.HasPrefix(line, "-----END ") {
				id, err := parseSSHIdentity(block.Bytes())
				if err != nil {
					return fail(blockLine, "%v", err)
				}
				out.keys = append(out.keys, id)
				block = nil
			}
		case strings.HasPrefix(line, "-----BEGIN "):
			block, blockLine = bytes.NewBufferString(line+"\n"), n
		case strings.HasPrefix(line, signingPrefix), strings.HasPrefix(line, secretPrefix):
			k, err := ParseSigningKey(strings.TrimPrefix(line, "#"))
			if err != nil {
				return fail(n, "the signing key is not whole; was it cut short?")
			}
			if out.signing != nil && out.signing.Public() != k.Public() {
				return fail(n, "a second signing key; a member signs with one")
			}
			out.signing = &k
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "AGE-SECRET-KEY-PQ-1"):
			id, err := age.ParseHybridIdentity(line)
			if err != nil {
				return fail(n, "the post-quantum identity is not whole; was it cut short?")
			}
			out.keys, out.public = append(out.keys, id), append(out.public, id.Recipient().String())
		case strings.HasPrefix(line, "AGE-SECRET-KEY-1"):
			id, err := age.ParseX25519Identity(line)
			if err != nil {
				return fail(n, "the age identity is not whole; was it cut short?")
			}
			out.keys, out.public = append(out.keys, id), append(out.public, id.Recipient().String())
		case strings.HasPrefix(line, "age1"), strings.HasPrefix(line, "ssh-"):
			return fail(n, "a public key; an identity file holds secret keys, and begins AGE-SECRET-KEY-1 or -----BEGIN")
		default:
			return fail(n, "not an identity; one begins AGE-SECRET-KEY-1, AGE-SECRET-KEY-PQ-1 or -----BEGIN OPENSSH PRIVATE KEY-----")
		}
		return nil
	})
	if err == nil && block != nil {
		err = fail(blockLine, "the SSH key that begins here has no end; was the file cut short?")
	}
	if err == nil && len(out.keys) == 0 && out.signing == nil {
		err = fmt.Errorf("%w: there is no identity in it; forewarn keygen makes one", ErrKeyText)
	}
	if err != nil {
		return Identities{}, err
	}
	return out, nil
}

func parseSSHIdentity(pem []byte) (age.Identity, error) {
	id, err := agessh.ParseIdentity(pem)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return nil, errors.New("the SSH key has a passphrase; make a copy without one (ssh-keygen -p on a copy) or enrol a key of forewarn keygen")
	case err != nil:
		return nil, errors.New("not a usable SSH private key; age opens with ssh-ed25519 and ssh-rsa keys")
	}
	return id, nil
}

// KeyKind is a sort of key that Keygen makes. The zero KeyKind is none.
type KeyKind uint8

// The kinds.
const (
	X25519 KeyKind = 1 + iota // opened by every age there is
	Hybrid                    // ML-KEM-768 with X25519; needs age 1.3 or later
)

// NewKeys are a member's new keys.
type NewKeys struct {
	Identity  []byte // the identity file: secret, and readable by age as it is
	Recipient string // enrolled: what copies are sealed to
	Verify    string // enrolled: what receipts are verified with
}

// Keygen makes an identity for opening copies and a signing key for receipts,
// in the text that ParseIdentities reads. Its randomness is the system's; now
// is written into a comment.
func Keygen(kind KeyKind, now time.Time) (NewKeys, error) {
	var secret, public string
	switch kind {
	case X25519:
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return NewKeys{}, err
		}
		secret, public = id.String(), id.Recipient().String()
	case Hybrid:
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return NewKeys{}, err
		}
		secret, public = id.String(), id.Recipient().String()
	default:
		return NewKeys{}, fmt.Errorf("%w: key kind %d is unknown", ErrKeyText, kind)
	}
	sign, err := NewSigningKey()
	if err != nil {
		return NewKeys{}, err
	}
	verify := sign.Public().String()
	text := fmt.Sprintf(`# created: %s
# public key: %s
%s
# receipts are verified with: %s
# the next line is secret too; it is a comment so that age can read this file
#%s
`, now.UTC().Format(time.RFC3339), public, secret, verify, sign.Text())
	return NewKeys{[]byte(text), public, verify}, nil
}
