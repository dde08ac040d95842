package wear

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// small is a Form of two files: an advisory with choices, a list and a token,
// and a rule.
func small(t *testing.T) *form.Form {
	t.Helper()
	id := func(n byte) fpcode.SiteID { return fpcode.SiteID{n} }
	items := []string{"- keep the valve controller off the office network\n", "- ask operators to report resets at odd hours\n"}
	choice := func(site uint32, as ...string) form.Part {
		p := form.Part{Kind: form.Choice, Site: site}
		for _, a := range as {
			p.Alternatives = append(p.Alternatives, []byte(a))
		}
		return p
	}
	literal := func(s string) form.Part { return form.Part{Bytes: []byte(s)} }
	f := &form.Form{
		Sites: []form.Site{
			{ID: id(1), Class: fpcode.ClassProse, Q: 2}, {ID: id(2), Class: fpcode.ClassProse, Q: 3},
			{ID: id(3), Class: fpcode.ClassOrder, Q: 2}, {ID: id(4), Class: fpcode.ClassRule, Q: 2},
		},
		Files: []form.File{
			{Path: "advisory.md", Level: form.Description, Parts: []form.Part{
				literal("# A reset command in the Juniper valve controller\n\nWhoever stands near enough to use its radio is in a position to "),
				choice(0, "send", "transmit"), literal(" a reset frame of nine bytes, which the pump sees "),
				choice(1, "processed", "handled", "looked after"), literal(" before any key is asked for. Until new firmware ships:\n\n"),
				choice(2, items[0], items[1]), choice(2, items[1], items[0]),
				literal("\nNothing needs to be unmounted, and no pump has to stop for this. Quote "),
				{Kind: form.Token, Slot: "ref", Alphabet: token.Hex}, literal(" in every answer to this notice.\n"),
			}},
			{Path: "rules/x.rules", Level: form.Detection, Parts: []form.Part{
				literal("alert http any any -> $HTTP_SERVERS any (msg:\"JUNIPER frame from a "),
				choice(3, "suspicious", "doubtful"), literal(" sender to the gateway of the valve controllers\"; content:\"|4a 56 09|\"; sid:1002601;)\n"),
			}},
		},
	}
	if err := f.Check(); err != nil {
		t.Fatal(err)
	}
	return f
}

func survive(t *testing.T, f *form.Form, name string, trials int) Survival {
	t.Helper()
	w, ok := Find(name)
	if !ok {
		t.Fatal(name)
	}
	r, err := form.NewReaderVersion(f, form.Align2)
	if err != nil {
		t.Fatal(err)
	}
	return Survive(f, r, w, trials, 5)
}

func TestSurvive(t *testing.T) {
	f := small(t)
	for _, c := range []struct {
		name                      string
		kept, right, wrong, token int // of 4 sites and 1 token, in each of 10 trials; -1: some
	}{
		{"untouched", 40, 40, 0, 10},
		{"paste", 40, 40, 0, 10},
		{"html", 40, 40, 0, -1},
		{"excerpt-2", -1, -1, 0, -1},
		{"port", 0, 0, 0, 0},
		{"wire", 0, 0, 0, 0},
		{"merge-2", 40, -1, 0, 10},
	} {
		s := survive(t, f, c.name, 10)
		for what, is := range map[string][2]int{"kept": {s.All.Kept, c.kept}, "right": {s.All.Right, c.right}, "wrong": {s.All.Wrong, c.wrong}, "tokens": {s.Tokens.Right, c.token}} {
			if is[1] >= 0 && is[0] != is[1] || is[1] < 0 && is[0] == 0 {
				t.Errorf("%s: %d %s, want %d", c.name, is[0], what, is[1])
			}
		}
		sum, tokens := Tally{}, s.Tokens.Right+s.Tokens.Erased
		for _, class := range fpcode.Classes() {
			x := s.Class(class)
			sum.add(x)
			if x.Right+x.Wrong+x.Other+x.Erased != x.Sites || x.KeptRight > x.Kept || x.KeptRight > x.Right {
				t.Errorf("%s, %v: %+v", c.name, class, x)
			}
		}
		sum.squares = s.All.squares
		if sum != s.All || s.All.Sites != 40 || tokens != 10 {
			t.Errorf("%s: classes make %+v, all %+v; %d tokens", c.name, sum, s.All, tokens)
		}
		read := 0
		for _, x := range s.Stated {
			read += x.Read
		}
		if read != s.All.Right+s.All.Wrong {
			t.Errorf("%s: %d readings stated, %d made", c.name, read, s.All.Right+s.All.Wrong)
		}
	}
}

// An excerpt keeps what lies in it, and that is what is read, but for a word of
// which the last letter is cut off.
func TestSurviveKept(t *testing.T) {
	s := survive(t, small(t), "excerpt-3", 60)
	if s.All.Kept == 0 || s.All.Kept > 90 || s.All.KeptRight < 9*s.All.Kept/10 || s.All.Right-s.All.KeptRight > 4 || s.Class(fpcode.ClassRule).Kept > 0 {
		t.Errorf("%+v", s.All)
	}
}

func TestSurviveAgain(t *testing.T) {
	f := small(t)
	if a, b := survive(t, f, "retype-5", 6), survive(t, f, "retype-5", 6); fmt.Sprint(a.All, a.Stated, a.Tokens) != fmt.Sprint(b.All, b.Stated, b.Tokens) {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func TestClasses(t *testing.T) {
	if !slices.Equal(classes[:], fpcode.Classes()) {
		t.Error("a class is missing from the tally")
	}
}

func TestWilson(t *testing.T) {
	// Newcombe, Statistics in Medicine 17 (1998), table I: 81/263, 15/148, 0/20, 1/29.
	for _, c := range []struct{ r, n, low, high float64 }{{81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}} {
		if low, high := Wilson(c.r, c.n); math.Abs(low-c.low) > 5e-5 || math.Abs(high-c.high) > 5e-5 {
			t.Errorf("%v of %v: %.4f to %.4f, want %.4f to %.4f", c.r, c.n, low, high, c.low, c.high)
		}
	}
}

// Copies that share their fate say less than places that don't.
func TestShareClusters(t *testing.T) {
	var alike, apart Survival
	for i := range 20 {
		r := 10 * (i % 2)
		alike.add(&Survival{All: Tally{Sites: 10, Kept: 10, Right: r, KeptRight: r}})
		apart.add(&Survival{All: Tally{Sites: 10, Kept: 10, Right: 5, KeptRight: 5}})
	}
	p, low, high := alike.All.Share()
	q, l, h := apart.All.Share()
	if p != .5 || q != .5 || high-low < 2*(h-l) || high-low < .35 {
		t.Errorf("all or nothing: %.2f–%.2f; half of each: %.2f–%.2f", low, high, l, h)
	}
	if p, _, _ := new(Tally).Share(); !math.IsNaN(p) {
		t.Error("a share of nothing")
	}
}

func TestSentencesKeepTheText(t *testing.T) {
	for _, s := range []string{"", "a", "a. b", "a.\n\n- b\n- c\n", "no end", strings.Repeat("x. ", 50), "ä: ö? ü!\n"} {
		if got := strings.Join(sentences("a.md", s), ""); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}
