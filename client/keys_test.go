package client_test

import (
	"crypto/ed25519"
	"log"
	"strings"

	"filippo.io/age"

	"forewarn/internal/seal"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// keys reads what 'forewarn keygen' made: an age identity, and a key for receipts.
func keys(text []byte) (age.Identity, ed25519.PrivateKey) {
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "AGE-SECRET-KEY-1") {
			id, err := age.ParseX25519Identity(line)
			check(err)
			all, err := seal.ParseIdentities(text)
			check(err)
			sign, _ := all.SigningKey()
			return id, sign.Private()
		}
	}
	panic("no identity")
}
