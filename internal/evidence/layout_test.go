package evidence

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// TestLayoutsOfTheLog: the bodies that recoveries rest on are read here as who
// writes them lays them out.
func TestLayoutsOfTheLog(t *testing.T) {
	for kind, body := range map[entrylog.Kind]wire.Layout{
		kindAccountAdded: &added{}, kindRecoveryDeclared: &logRecovered{}, kindAccountInvited: &invited{},
		kindInvitationConfirmed: &confirmed{}, kindCredentialAdded: &credential{}, kindWaitLifted: &lifted{},
	} {
		names, err := filepath.Glob(fmt.Sprintf("../cvd/testdata/kinds/%02d-*.hex", kind))
		if err != nil || len(names) != 1 {
			t.Fatalf("kind %d: %v %v", kind, names, err)
		}
		text, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		b, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if err := wire.Unmarshal(b, body); err != nil {
			t.Errorf("%s: %v", names[0], err)
		} else if again := wire.Marshal(body); !bytes.Equal(again, b) {
			t.Errorf("%s: read and written again it is %x", names[0], again)
		}
	}
}
