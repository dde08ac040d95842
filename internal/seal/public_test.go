package seal

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPublicRoundTrip(t *testing.T) {
	for _, kind := range []KeyKind{X25519, Hybrid} {
		k, err := Keygen(kind, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		p, err := k.Public()
		if err != nil {
			t.Fatal(err)
		}
		q, err := ParsePublic(p.Text(time.Unix(0, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if q.Signing != p.Signing || strings.Join(q.Recipients, " ") != k.Recipient {
			t.Errorf("kind %d: read %v, wrote %v", kind, q, p)
		}
	}
}

func TestPublicRefuses(t *testing.T) {
	k, _ := Keygen(X25519, time.Unix(0, 0))
	k2, _ := Keygen(X25519, time.Unix(0, 0))
	for name, text := range map[string]string{
		"no signing key":   k.Recipient + "\n",
		"no recipient":     k.Verify + "\n",
		"two signing keys": k.Recipient + "\n" + k.Verify + "\n" + k2.Verify + "\n",
		"the secret file":  string(k.Identity),
		"nothing":          "",
	} {
		if _, err := ParsePublic([]byte(text)); !errors.Is(err, ErrKeyText) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "AGE-SECRET") {
			t.Errorf("%s: the error repeats a secret", name)
		}
	}
}
