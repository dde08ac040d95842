package seal

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestParseRecipientsRefuses(t *testing.T) {
	x, hybrid, ed := members()[0], members()[1], members()[2]
	secret := "AGE-SECRET-KEY-1" + strings.Repeat("Q", 58)
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ecLine := string(ssh.MarshalAuthorizedKey(must(ssh.NewPublicKey(&ec.PublicKey))))
	var many strings.Builder
	for range maxRecipients + 1 {
		fmt.Fprintln(&many, must(NewBlobKey()).recipientForTest())
	}
	cases := []struct{ name, text, want, never string }{
		{"nothing", "", "no recipient in it", ""},
		{"only comments", "# mine\n\n", "no recipient in it", ""},
		{"a secret", "# keys\n" + secret, "line 2: a secret key", "QQQQ"},
		{"a signing secret", must(NewSigningKey()).Text(), "line 1: a secret key", "secret-0"},
		{"a PEM", "-----BEGIN OPENSSH PRIVATE KEY-----\nabcd", "line 1: a secret key", "abcd"},
		{"mistyped", strings.Replace(x.recipients[0], "age1", "age1q", 1), "line 1: not an age recipient", ""},
		{"cut", "\n\n" + x.recipients[0][:40], "line 3: not an age recipient", ""},
		{"hybrid cut", hybrid.recipients[0][:400], "line 1: not a post-quantum recipient", ""},
		{"mixed", x.recipients[0] + "\n" + hybrid.recipients[0], "line 2: post-quantum", ""},
		{"mixed with ssh", hybrid.recipients[0] + "\n" + ed.recipients[0], "line 2: post-quantum", ""},
		{"ecdsa", ecLine, "line 1: age cannot seal to SSH keys of type", ""},
		{"ssh rubbish", "ssh-ed25519 AAAA me", "line 1: not a usable ssh-ed25519", ""},
		{"something else", "hello \x1b[31mworld", `line 1: "hello \x1b[31mworld"`, "\x1b"},
		{"binary", "age1\xff", "not text", ""},
		{"NUL", "age1\x00", "not text", ""},
		{"too many", many.String(), "line 65: more than 64", ""},
		{"too long", strings.Repeat("#\n", maxKeyText), "at most", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r, err := ParseRecipients([]byte(c.text))
			if !errors.Is(err, ErrKeyText) || r.Len() != 0 {
				t.Fatalf("%d recipients and %v, want ErrKeyText", r.Len(), err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
			if c.never != "" && strings.Contains(err.Error(), c.never) {
				t.Errorf("%q repeats %q", err, c.never)
			}
		})
	}
}

func (k BlobKey) recipientForTest() string { return must(k.identity()).Recipient().String() }

func TestParseRecipientsKeepsKeysOnly(t *testing.T) {
	x, ed := members()[0], members()[2]
	text := "# team\r\n" + x.recipients[0] + "\r\n\n" + ed.recipients[0] + " ada@example.com\n" + x.recipients[0] + "\n"
	r := must(ParseRecipients([]byte(text)))
	want := x.recipients[0] + "\n" + ed.recipients[0] + "\n"
	if string(r.Text()) != want || r.Len() != 2 || r.PostQuantum() {
		t.Errorf("%q, want %q", r.Text(), want)
	}
	if again := must(ParseRecipients(r.Text())); string(again.Text()) != want {
		t.Error("the canonical text does not read as itself")
	}
	if !members()[1].to.PostQuantum() || (Recipients{}).PostQuantum() {
		t.Error("PostQuantum")
	}
}

func TestKeygen(t *testing.T) {
	for _, kind := range []KeyKind{X25519, Hybrid} {
		keys := must(Keygen(kind, testTime))
		text := string(keys.Identity)
		for _, line := range []string{"# created: 2025-07-08T09:10:11Z", "# public key: " + keys.Recipient, "# receipts are verified with: " + keys.Verify} {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("no line %q", line)
			}
		}
		ids := must(ParseIdentities(keys.Identity))
		if got := ids.Recipients(); len(got) != 1 || got[0] != keys.Recipient {
			t.Errorf("recipients %v", got)
		}
		sign, ok := ids.SigningKey()
		if !ok {
			t.Fatal("no signing key")
		}
		v := must(ParseVerifyKey(keys.Verify))
		if !ed25519.Verify(v[:], []byte("receipt"), sign.Sign([]byte("receipt"))) {
			t.Error("the enrolled key does not verify what the signing key signs")
		}
		if shown := fmt.Sprintf("%v %+v %#v %s", sign, sign, sign, sign); strings.Contains(shown, "secret") {
			t.Errorf("the signing key was printed: %s", shown)
		}
	}
	if _, err := Keygen(0, testTime); !errors.Is(err, ErrKeyText) {
		t.Errorf("kind 0: %v", err)
	}
}

func TestParseIdentitiesRefuses(t *testing.T) {
	keys := must(Keygen(X25519, testTime))
	secret := strings.Split(string(keys.Identity), "\n")[2]
	sign := must(NewSigningKey()).Text()
	_, ed, _ := ed25519.GenerateKey(nil)
	locked := string(pem.EncodeToMemory(must(ssh.MarshalPrivateKeyWithPassphrase(ed, "", []byte("pw")))))
	plain := string(pem.EncodeToMemory(must(ssh.MarshalPrivateKey(ed, ""))))
	cases := []struct{ name, text, want, never string }{
		{"nothing", "# a comment\n", "no identity in it", ""},
		{"public", keys.Recipient, "line 1: a public key", ""},
		{"cut", "# x\n" + secret[:40], "line 2: the age identity is not whole", secret[17:40]},
		{"hybrid cut", "AGE-SECRET-KEY-PQ-1QQQQ", "line 1: the post-quantum identity", "QQQQ"},
		{"signing cut", secret + "\n#" + sign[:60], "line 2: the signing key is not whole", sign[21:60]},
		{"two signing keys", "#" + sign + "\n#" + must(NewSigningKey()).Text(), "line 2: a second signing key", sign[21:]},
		{"rubbish", secret + "\nhunter2\n", "line 2: not an identity", "hunter2"},
		{"passphrase", "\n" + locked, "line 2: the SSH key has a passphrase", ""},
		{"open end", plain[:100], "line 1: the SSH key that begins here has no end", ""},
		{"damaged PEM", strings.Replace(plain, plain[60:70], "AAAAAAAAAA", 1), "line 1: not a usable SSH private key", ""},
		{"binary", "\xff\xfe", "not text", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseIdentities([]byte(c.text))
			if !errors.Is(err, ErrKeyText) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want ErrKeyText that says %q", err, c.want)
			}
			if c.never != "" && strings.Contains(err.Error(), c.never) {
				t.Errorf("%q repeats a secret", err)
			}
		})
	}
	// An SSH key, an age key and a signing key may share a file, the last also
	// without its #.
	ids := must(ParseIdentities([]byte(plain + secret + "\n" + sign + "\n")))
	if _, ok := ids.SigningKey(); !ok || len(ids.keys) != 2 {
		t.Errorf("%d identities, signing key %v", len(ids.keys), ok)
	}
	both := (Identities{}).Join(ids).Join(must(ParseIdentities(keys.Identity)))
	if k, _ := both.SigningKey(); len(both.keys) != 3 || k.Text() != sign {
		t.Errorf("joined: %d identities", len(both.keys))
	}
}

func TestSigningKeyTexts(t *testing.T) {
	k := must(NewSigningKey())
	v := k.Public()
	if again := must(ParseSigningKey(k.Text())); again != k {
		t.Error("the secret does not read as itself")
	}
	if again := must(ParseVerifyKey(v.String())); again != v {
		t.Error("the public half does not read as itself")
	}
	// Any one wrong character is noticed.
	s := v.String()
	for i := len(verifyPrefix); i < len(s); i++ {
		for _, c := range "0a" {
			if s[i] == byte(c) {
				continue
			}
			if _, err := ParseVerifyKey(s[:i] + string(c) + s[i+1:]); !errors.Is(err, ErrKeyText) {
				t.Fatalf("character %d as %c was taken", i, c)
			}
		}
	}
	for _, bad := range []string{"", verifyPrefix, k.Text(), strings.ToUpper(s), s + "0", VerifyKey{}.String()} {
		if _, err := ParseVerifyKey(bad); !errors.Is(err, ErrKeyText) || strings.Contains(err.Error(), k.Text()) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := ParseSigningKey(strings.Replace(bad, k.Text(), s, 1)); !errors.Is(err, ErrKeyText) {
			t.Errorf("%q as a secret: %v", bad, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("the zero key signed")
		}
	}()
	SigningKey{}.Sign(nil)
}
