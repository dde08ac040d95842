package leak

import (
	"fmt"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
)

// Life is what became of findings, as a page tells it.
type Life struct {
	Name  string // of the findings, on a command line
	Stage string
	Acts  []LifeAct
}

// LifeAct is one act on findings.
type LifeAct struct {
	What   string
	Who    string
	At     time.Time
	Entry  uint64 // of the inquiry's log
	SHA256 string // of the text that was attached; empty: none
}

// LifeOf puts a life into words. names gives what an account or a holder is
// called.
func LifeOf(l evidence.Life, name string, names func(entrylog.Ref) string) *Life {
	out := &Life{Name: name, Stage: l.Stage.String()}
	for _, d := range l.Done {
		a := LifeAct{What: actText(d, names), Who: names(d.By), At: d.At, Entry: uint64(d.Entry)}
		if d.Text != [32]byte{} {
			a.SHA256 = fmt.Sprintf("%x", d.Text)
		}
		out.Acts = append(out.Acts, a)
	}
	return out
}

func actText(d evidence.Done, names func(entrylog.Ref) string) string {
	switch d.Act {
	case evidence.ActDraft:
		return "drafted"
	case evidence.ActPut:
		return "put to whom the named copies were issued to, to reply until " + stamp(d.Until)
	case evidence.ActReply:
		return "reply of " + names(d.Holder) + ", attached as it came"
	case evidence.ActSilent:
		return "no reply of " + names(d.Holder)
	case evidence.ActReview:
		return "reviewed by another person, and found to hold"
	case evidence.ActObject:
		return "reviewed by another person, and objected to"
	case evidence.ActFinal:
		return "made final"
	case evidence.ActWithdraw:
		return "withdrawn"
	}
	return d.Act.String()
}
