package seal

import (
	"fmt"
	"strings"
	"time"
)

// Public is what a member enrols: the recipients that its copies are sealed to,
// and the key that verifies its receipts.
type Public struct {
	Recipients []string // canonical, as Recipients.Lines
	Signing    VerifyKey
}

// Public is the enrolment of new keys.
func (k NewKeys) Public() (Public, error) {
	v, err := ParseVerifyKey(k.Verify)
	return Public{Recipients: []string{k.Recipient}, Signing: v}, err
}

// Text is the file that a member sends to its programme. ParsePublic reads it.
func (p Public) Text(now time.Time) []byte {
	return fmt.Appendf(nil, "# public keys, made %s: send this file to your programme\n%s\n%s\n",
		now.UTC().Format(time.RFC3339), strings.Join(p.Recipients, "\n"), p.Signing)
}

// ParsePublic reads recipients, one a line, and exactly one line with the key
// that verifies receipts. Lines that begin with # are comments.
func ParsePublic(text []byte) (Public, error) {
	var out Public
	var recipients strings.Builder
	signing := 0
	err := eachLine(text, func(n int, line string) error {
		if !strings.HasPrefix(line, verifyPrefix) {
			recipients.WriteString(line + "\n") // keeps the line numbers of what is left
			return nil
		}
		recipients.WriteString("#\n")
		v, err := ParseVerifyKey(line)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrKeyText, n, err)
		}
		if signing != 0 && v != out.Signing {
			return fmt.Errorf("%w: line %d: a second key for receipts, after line %d; a member signs with one", ErrKeyText, n, signing)
		}
		out.Signing, signing = v, n
		return nil
	})
	if err != nil {
		return Public{}, err
	}
	r, err := ParseRecipients([]byte(recipients.String()))
	if err != nil {
		return Public{}, err
	}
	if signing == 0 {
		return Public{}, fmt.Errorf("%w: there is no line %s…, with which receipts are verified; send the .pub file that keygen made", ErrKeyText, verifyPrefix)
	}
	out.Recipients = r.Lines()
	return out, nil
}
