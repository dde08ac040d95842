package seal

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// Limits of key texts. A member's team enrols a few keys, not thousands.
const (
	maxKeyText    = 1 << 20 // bytes of one file
	maxRecipients = 64
)

// Recipients are the public keys that one thing is sealed to; each can open it
// alone. The zero value is nobody.
type Recipients struct {
	keys  []age.Recipient
	lines []string
}

// ParseRecipients reads one public key a line: age1… (X25519), age1pq1…
// (hybrid post-quantum), ssh-ed25519 … or ssh-rsa … as in an authorized_keys
// file without options. Empty lines and lines that begin with # are skipped;
// repeated keys count once. It is the format of `age -R`.
//
// Post-quantum and other keys cannot be mixed: the weaker would decide.
func ParseRecipients(text []byte) (Recipients, error) {
	var out Recipients
	seen := map[string]bool{}
	err := eachLine(text, func(n int, line string) error {
		if strings.HasPrefix(line, "#") {
			return nil
		}
		key, canonical, err := parseRecipient(line)
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrKeyText, n, err)
		}
		if seen[canonical] {
			return nil
		}
		seen[canonical] = true
		if len(out.keys) == maxRecipients {
			return fmt.Errorf("%w: line %d: more than %d recipients", ErrKeyText, n, maxRecipients)
		}
		if len(out.keys) > 0 && isHybrid(key) != isHybrid(out.keys[0]) {
			return fmt.Errorf("%w: line %d: post-quantum (age1pq1…) and other recipients cannot be mixed, the file would be only as strong as the weaker; keep one sort", ErrKeyText, n)
		}
		out.keys = append(out.keys, key)
		out.lines = append(out.lines, canonical)
		return nil
	})
	if err != nil {
		return Recipients{}, err
	}
	if len(out.keys) == 0 {
		return Recipients{}, fmt.Errorf("%w: there is no recipient in it; a recipient is a line such as age1…, and forewarn keygen makes one", ErrKeyText)
	}
	return out, nil
}

// Lines are the recipients in canonical text, without comments: what is kept
// of an enrolment. ParseRecipients reads them, joined by newlines.
func (r Recipients) Lines() []string { return append([]string(nil), r.lines...) }

// Text is Lines, each ended by a newline.
func (r Recipients) Text() []byte {
	var b bytes.Buffer
	for _, l := range r.lines {
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Len is the number of different keys.
func (r Recipients) Len() int { return len(r.keys) }

// PostQuantum reports whether what is sealed to these recipients withstands a
// quantum computer; false for nobody.
func (r Recipients) PostQuantum() bool { return len(r.keys) > 0 && isHybrid(r.keys[0]) }

func isHybrid(k age.Recipient) bool {
	_, ok := k.(*age.HybridRecipient)
	return ok
}

func parseRecipient(line string) (age.Recipient, string, error) {
	kind, rest, _ := strings.Cut(line, " ")
	switch {
	case looksSecret(line):
		return nil, "", fmt.Errorf("a secret key stands where a public key belongs; if this file left your machine, make a new key")
	case strings.HasPrefix(line, "age1pq1"):
		k, err := age.ParseHybridRecipient(line)
		if err != nil {
			return nil, "", fmt.Errorf("not a post-quantum recipient; was it cut short or mistyped?")
		}
		return k, k.String(), nil
	case strings.HasPrefix(line, "age1"):
		k, err := parseX25519(line)
		if err != nil {
			return nil, "", err
		}
		return k, k.text, nil
	case kind == ssh.KeyAlgoED25519 || kind == ssh.KeyAlgoRSA:
		// Only the key is kept: comments name people, and options mean nothing here.
		key, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		canonical := kind + " " + key
		k, err := agessh.ParseRecipient(canonical)
		if err != nil {
			return nil, "", fmt.Errorf("not a usable %s key: %w", kind, err)
		}
		return k, canonical, nil
	case strings.HasPrefix(kind, "ssh-"), strings.HasPrefix(kind, "ecdsa-"), strings.HasPrefix(kind, "sk-"):
		return nil, "", fmt.Errorf("age cannot seal to SSH keys of type %q, only to ssh-ed25519 and ssh-rsa; forewarn keygen makes a key that works", clip(kind))
	}
	return nil, "", fmt.Errorf("%q is not a recipient; one begins with age1, age1pq1, ssh-ed25519 or ssh-rsa", clip(line))
}

// looksSecret guards every message that would repeat its input.
func looksSecret(line string) bool {
	l := strings.ToLower(line)
	return strings.Contains(l, "secret") || strings.Contains(l, "private") || strings.HasPrefix(l, "-----begin")
}

func clip(s string) string {
	if len(s) > 24 {
		return s[:24] + "…"
	}
	return s
}

// eachLine calls f for every line that has more than white space.
func eachLine(text []byte, f func(n int, line string) error) error {
	if len(text) > maxKeyText {
		return fmt.Errorf("%w: %d bytes; a key file has at most %d", ErrKeyText, len(text), maxKeyText)
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return fmt.Errorf("%w: it is not text", ErrKeyText)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := f(n, line); err != nil {
			return err
		}
	}
	return nil
}
