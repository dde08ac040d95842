package memstore_test

import (
	"testing"

	"forewarn/internal/memstore"
	"forewarn/internal/signin"
	"forewarn/internal/storetest"
)

func TestSignIn(t *testing.T) {
	storetest.SignIn(t, func(*testing.T) signin.Store { return memstore.NewSignIn() })
}
