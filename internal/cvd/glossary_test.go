package cvd

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"forewarn/internal/entrylog"
)

// TestGlossary: the words that people read are those of the code.
func TestGlossary(t *testing.T) {
	b, err := os.ReadFile("../../doc/glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for k := range entrylog.Kind(200) {
		row := fmt.Sprintf("| %d | %s |", k, KindName(k))
		if strings.Contains(text, row) != Known(k) {
			t.Errorf("kind %d: known %v, and in the glossary %v", k, Known(k), !Known(k))
		}
	}
	for _, word := range []string{
		"Programme", "Account", "Role", "Member", "Standing", "Group", "Terms", "KeySet", "Duty", "Delegation",
		"Case", "Report", "Intake", "Correction", "HeadsUp", "Link", "Product", "Participant", "Embargo", "Proposal", "ReleaseTime", "Consent", "EmbargoEnd", "Breach", "Answer", "Sighting", "LegalHold",
		"Alarm", "Source", "Notice", "Delivery", "Mailing", "Occasion", "Reach", "Suppression", "Stream",
		"Package", "Revision", "Recall", "Ruling", "Wave", "Purpose", "Preview", "BreakPack", "Approval", "Holder", "Copy", "Exposure",
	} {
		if !strings.Contains(text, "| "+word+" |") && !strings.Contains(text, ", "+word+" |") {
			t.Errorf("%s is not in the glossary", word)
		}
	}
	for _, names := range [][]string{standingNames[1:], consentNames[1:], purposeNames[1:], choiceNames[1:]} {
		for _, n := range names {
			if !strings.Contains(text, n) {
				t.Errorf("%q is not in the glossary", n)
			}
		}
	}
}
