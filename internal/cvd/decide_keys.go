package cvd

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

func (c EnrolKeys) asks(*Programme) (Action, Object) { return ActEnrolKeys, AHolder(c.Holder) }

func (c EnrolKeys) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	if len(c.Recipients) == 0 || len(c.Recipients) > maxKeys {
		return nil, refuse("%d recipients; 1 to %d are allowed", len(c.Recipients), maxKeys)
	}
	if c.Signing == [32]byte{} {
		return nil, refuse("the signing key is missing: without it there are no receipts")
	}
	seen := map[string]bool{}
	for _, line := range c.Recipients {
		if !recipientLine(line) {
			return nil, refuse("%.40q is not a recipient: use a line that begins with age1, ssh-ed25519 or ssh-rsa, without a comment", line)
		}
		if seen[line] {
			return nil, refuse("recipient %.20s… stands twice", line)
		}
		seen[line] = true
		if o, taken := p.keyOwner[line]; taken && o != c.Holder {
			return nil, refuse("recipient %.20s… is, or was, another holder's: make a new key", line)
		}
	}
	if o, taken := p.keyOwner[string(c.Signing[:])]; taken && o != c.Holder {
		return nil, refuse("the signing key is, or was, another holder's: make a new one")
	}
	for _, set := range p.Keys[c.Holder] {
		if !set.Revoked {
			continue
		}
		if set.Signing == c.Signing {
			return nil, refuse("the signing key was revoked on %s: make a new one", set.Ended.At.Format(time.DateOnly))
		}
		for _, line := range set.Recipients {
			if seen[line] {
				return nil, refuse("recipient %.20s… was revoked on %s: make a new key", line, set.Ended.At.Format(time.DateOnly))
			}
		}
	}
	// The same keys again are no new ones: copies that are sealed to them stay served.
	if set, ok := p.KeysOf(c.Holder); ok && set.Signing == c.Signing && slices.Equal(set.Recipients, c.Recipients) {
		return nil, nil
	}
	b := KeysEnrolled(c)
	return checked(&b)
}

// recipientLine reports whether a line has the outward form of an age recipient
// or an SSH public key. Whether it can be sealed to is for the adapter to try,
// before this is asked; here nothing else may get into the log.
func recipientLine(s string) bool {
	if len(s) > maxRecipient {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "age1"); ok {
		return len(rest) >= 32 && !strings.ContainsFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	}
	for _, kind := range []string{"ssh-ed25519 ", "ssh-rsa "} {
		if rest, ok := strings.CutPrefix(s, kind); ok {
			b, err := base64.StdEncoding.Strict().DecodeString(rest)
			return err == nil && len(b) >= 32 && !strings.ContainsAny(rest, "\r\n")
		}
	}
	return false
}

func (c RevokeKeys) asks(*Programme) (Action, Object) { return ActRevokeKeys, AHolder(c.Holder) }

func (c RevokeKeys) decide(p *Programme, who Actor, now time.Time) ([]fact, error) {
	set, ok := p.KeysOf(c.Holder)
	if !ok {
		return nil, refuse("holder %s has no keys in use", c.Holder)
	}
	return yes(&KeysRevoked{c.Holder, set.Signing, c.Reason})
}
