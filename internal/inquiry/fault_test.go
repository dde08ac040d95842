package inquiry_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/inquiry"
)

var errFault = errors.New("an effect went wrong")

// deed is something that investigators do, in one or more effects. prepare comes
// before; do may be called again after it failed, and then has to come to the
// same.
type deed struct {
	name    string
	prepare func(*house)
	do      func(*house) error
}

// found is when the specimens of these tests were known to exist.
var found = dawn.Add(3 * time.Hour)

// leaked is what a member's copy of the first case leaked as, the same in every
// clone.
var leaked []byte

func act(who string, s inquiry.Step) func(*house) error {
	return func(h *house) error {
		all, err := h.office.Findings(h.desk, h.who["ina"])
		if err != nil {
			return err
		}
		if s.Act == evidence.ActPut {
			s.Until = dawn.Add(10 * 24 * time.Hour)
		}
		if s.Act == evidence.ActReply {
			s.Holder = h.members[1]
		}
		_, err = h.office.Take(ctx, h.desk, h.who[who], all[0].Findings, s)
		// Done before, and known to be so: that is what doing it again comes to.
		if k, err := h.office.Find(h.desk, h.who["ina"], all[0].Name()); err == nil && k.Life.Done[len(k.Life.Done)-1].Act == s.Act {
			return nil
		}
		return err
	}
}

func after(deeds ...func(*house) error) func(*house) {
	return func(h *house) {
		for _, d := range deeds {
			ok(h.t, d(h))
		}
	}
}

var (
	investigate = func(h *house) error { _, err := h.investigate(0, leaked, found); return err }
	edited      = func(h *house) error { _, err := h.investigate(0, leaked, found, oneEdit(h)); return err }
	put         = act("ina", inquiry.Step{Act: evidence.ActPut, Text: []byte("the letter")})
	reply       = act("ina", inquiry.Step{Act: evidence.ActReply, Text: []byte("the reply")})
	review      = act("ivo", inquiry.Step{Act: evidence.ActReview, Text: []byte("the review")})
	final       = act("ina", inquiry.Step{Act: evidence.ActFinal})
	withdraw    = act("ivo", inquiry.Step{Act: evidence.ActWithdraw, Text: []byte("why")})
)

var deeds = []deed{
	{"investigate", after(), investigate},
	{"investigate with edits", after(), edited},
	{"put", after(investigate), put},
	{"reply", after(investigate, put), reply},
	{"review", after(investigate, put, reply), review},
	{"finalise", after(investigate, put, reply, review), final},
	{"withdraw", after(investigate, put, reply, review, final), withdraw},
}

// oneEdit says of the first place that was read that it shows something else.
func oneEdit(h *house) *form.Edits {
	h.t.Helper()
	sheet, err := h.office.Look(ctx, h.desk, h.who["ina"], inquiry.Question{Case: h.cases[0], Specimens: []inquiry.Specimen{specimen(leaked, found)}})
	ok(h.t, err)
	place := regexp.MustCompile(`#(site [0-9a-f]+\n)#read symbol \d\n#(by )\n#(why )\n`)
	m := place.FindSubmatchIndex(sheet)
	if m == nil {
		h.t.Fatalf("the sheet has no place that was read:\n%.400s", sheet)
	}
	text := string(sheet[:m[0]]) + string(place.ReplaceAll(sheet[m[0]:m[1]], []byte("${1}read other\n${2}ina\n${3}it is torn there\n"))) + string(sheet[m[1]:])
	e, err := form.ParseEdits([]byte(text))
	ok(h.t, err)
	if len(e.List) != 1 || e.List[0].State != fpcode.Other {
		h.t.Fatalf("the sheet gives %+v", e.List)
	}
	return e
}

// Every effect of every deed goes wrong once, in two ways: it fails, or it fails
// and happened all the same. Done again, by the same process or by the one after
// it, it comes to the same entries: nothing is lost, and nothing is there twice.
func TestEveryEffectFails(t *testing.T) {
	first := newHouse(t, 3, 1)
	leaked = excerpt(first.copy(1, 0), 0, 18)
	first.pass(3 * time.Hour)
	first.close()
	for _, d := range deeds {
		t.Run(d.name, func(t *testing.T) {
			h := first.clone(t)
			h.open()
			d.prepare(h)
			var effects []string
			h.hook = func(op string) fault { effects = append(effects, op); return fault{} }
			ok(t, d.do(h))
			h.hook = nil
			want := h.entries("when all is well")
			h.close()
			if len(effects) == 0 {
				t.Fatal("it has no effect")
			}
			t.Logf("%d effects: %s", len(effects), strings.Join(effects, " "))
			for n, op := range effects {
				for _, kept := range []bool{false, true} {
					row := fmt.Sprintf("effect %d, %s, failed (persisted: %t)", n+1, op, kept)
					h := first.clone(t)
					h.open()
					d.prepare(h)
					i := 0
					h.hook = func(string) fault {
						if i++; i == n+1 {
							return fault{errFault, kept}
						}
						return fault{}
					}
					err := d.do(h)
					h.hook = nil
					h.entries(row)
					if err == nil {
						// An anchor's effect is made up for at the next tick.
						if got := h.entries(row); !maps.Equal(got, want) {
							t.Errorf("%s: it was acknowledged, with entries %v instead of %v", row, got, want)
						}
					}
					h.crash()
					if e := d.do(h); e != nil {
						t.Errorf("%s: again, after %v: %v", row, err, e)
					}
					if got := h.entries(row + ", in the end"); !maps.Equal(got, want) {
						t.Errorf("%s: in the end there are entries %v instead of %v", row, got, want)
					}
					h.close()
					if t.Failed() {
						t.FailNow()
					}
				}
			}
		})
	}
}

// A sealer whose journal was put back would call a second run the first.
func TestRunLost(t *testing.T) {
	h := newHouse(t, 3, 1)
	text := h.copy(1, 0)
	h.pass(3 * time.Hour)
	before := map[string][]byte{}
	maps.Copy(before, h.vault.files)
	if _, err := h.investigate(0, text, found); err != nil {
		t.Fatal(err)
	}
	newest := h.vault.files
	h.vault.files = before
	_, err := h.investigate(0, excerpt(text, 0, 30), found)
	if !errors.Is(err, inquiry.ErrRunLost) {
		t.Fatalf("a run was lost and it says: %v", err)
	}
	all, err := h.office.Findings(h.desk, h.who["ina"])
	ok(t, err)
	if len(all) != 1 {
		t.Errorf("%d findings after a run that was lost", len(all))
	}
	// With the newest copy of the sealer's folder it goes on: the same readings are
	// the same run.
	h.vault.files = newest
	if out, err := h.investigate(0, text, found); err != nil || out.Findings.Run != 1 {
		t.Errorf("the first run again is run %d: %v", out.Findings.Run, err)
	}
	h.close()
}
