package carrier

import (
	"strings"
	"testing"
)

func TestGate(t *testing.T) {
	for _, c := range []struct {
		alts  string
		wrong string // part of what is refused; empty when it is accepted
	}{
		{"quickly|fast", ""},
		{"is aware of|knows of", ""},
		{"an account|a login", ""},
		{"does not need|has no need of", ""},
		{"isn't|is not", ""},
		{"CVE-2025-1 is fixed|CVE-2025-1 is repaired", ""},
		{"the TLS check|verification of TLS", ""},
		{"sign-in page|login page", ""},
		{"is able to|can", ""},
		{"быстро|скоро", ""},
		{"schnell|rasch|zügig", ""},

		{"Fast|fast", "the same once case"},
		{"“fast”|fast", "the same once case"},
		{"it's|it’s", "the same once case"},
		{"sign in|sign-in", "the same once case"},
		{"ﬁx|fix", "the same once case"},
		{"flaw|security flaw", "holds the other"},
		{"in the end|in", "holds the other"},
		{" fast|quickly", "spaces at its ends"},
		{"very  fast|quickly", "more than one together"},
		{"–|quickly", "has no word"},
		{"7.4.2|7.4.3", "a number or identifier"},
		{"release 7.4.2|the 7.4 release", "a number or identifier"},
		{"CVE-2025-1|CVE-2025-2", "a number or identifier"},
		{"CWE-79|cross-site scripting", "a number or identifier"},
		{"/etc/passwd|the passwd file", "a number or identifier"},
		{"psirt@a.example|psirt@b.example", "a number or identifier"},
		{"TCP|the transport", "a number or identifier"},
		{"strcpy_s|a safe copy", "a number or identifier"},
		{"toString|the text", "a number or identifier"},
		{"²|³", "a number or identifier"},
		{"is patched|is not patched", "a negation"},
		{"can|can't", "a negation"},
		{"with care|without harm", "a negation"},
		{"never|rarely", "a negation"},
		{"two hours|three hours", "a number"},
		{"a dozen|twelve", "a number"},
		{"one day|one week", "a unit"},
		{"must|has to", "an obligation"},
		{"should|is advised to", "a recommendation"},
		{"may|is free to", "a permission"},
		{"before use|after use", "opposite"},
		{"allow it|deny it", "opposite"},
		{"and then|or else", "opposite"},
		{"all hosts|some hosts", "opposite"},
		{"patched|unpatched", "opposite"},
		{"in July|in August", "a date"},
		{"on Monday|on Friday", "a date"},
		{"tomorrow|today", "a date"},
		{"the eleventh try|the twelfth try", "a number"},
		{"a couple of hosts|a trio of hosts", "a number"},
		{"memory is zeroed|memory is cleared", "a number"},
		{"a fortnight|a decade", "a unit"},
		{"is required|is suggested", "an obligation"},
		{"is needed|is wanted", "an obligation"},
		{"is forbidden|is discouraged", "a prohibition"},
		{"required|prohibited", "an obligation"},
		{"prevents a crash|causes a crash", "opposite"},
		{"blocks it|passes it", "opposite"},
		{"hardly seen|clearly seen", "opposite"},
		{"exploitable|harmless", "opposite"},
		{"critical|moderate", "opposite"},
		{"the client trusts the host|the host trusts the client", "in another order"},
		{"only admins read it|admins read only it", "in another order"},
		{"does not log and run it|does log and never run it", "deny different words"},
		{"can run but not read|cannot run but will read", "deny different words"},
		{"secure|insecure", "opposite"},
		{"harmless|harmful", "opposite"},
		{"enabled|disabled", "opposite"},
		{"has a key|lacks a key", "opposite"},
		{"fails to start|manages to start", "opposite"},
		{"often|rarely", "opposite"},
		{"if it runs|unless it runs", "opposite"},
		{"many hosts|few hosts", "opposite"},
		{"affected|immune", "opposite"},
		{"is able to|is unable to", "opposite"},
		{"read by admins|read solely by owners", "a restriction"},
		{"release v7.4|release 7.4", "a number or identifier"},
		{"port 443|the secure port", "a number or identifier"},
		{"1.000|1,000", "the same once case"},
		{"1000|1,000", "a number or identifier"},
		{"8 July 2025|July 8, 2025", ""}, // the same numbers
		{"8 July 2025|9 July 2025", "a number or identifier"},
		{"8 July 2025|day 2025-07-08", "a number or identifier"}, // a value says it
		{"90 minutes|an hour and a half", "a number or identifier"},
		{"64 KiB|65536 bytes", "a number or identifier"},
		{"no longer works|is in use", "a negation"},
		{"hardly|not", "a negation"},
		{"1 h|1 d", "a unit"},
		{"in 5 mins|in 5 secs", "a unit"},
		{"admin|аdmin", "two scripts"},
		{"о|o", "different scripts"},
	} {
		_, what, do, ok := gate(strings.Split(c.alts, "|"))
		switch {
		case ok != (c.wrong == ""):
			t.Errorf("%s: accepted %t: %s", c.alts, ok, what)
		case !strings.Contains(what, c.wrong):
			t.Errorf("%s: refused for %q, want %q", c.alts, what, c.wrong)
		case !ok && do == "":
			t.Errorf("%s: %s: nothing to do", c.alts, what)
		}
	}
}

// The gate treats alternatives alike: what is refused in one order is refused in
// any.
func FuzzGate(f *testing.F) {
	for _, s := range []string{"quickly|fast", "is|is not", "a1|a2", "may|might", "unable|able", "аb|ab", "'|''", "’s|s"} {
		a, b, _ := strings.Cut(s, "|")
		f.Add(a, b)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		_, _, _, there := gate([]string{a, b})
		_, _, _, back := gate([]string{b, a})
		if there != back {
			t.Fatalf("%q and %q: %t one way, %t the other", a, b, there, back)
		}
		if there && a == b {
			t.Fatalf("%q accepted next to itself", a)
		}
	})
}

func TestSimilar(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"affect", "effect", true},
		{"colour", "color", true},
		{"repeat", "replay", true},
		{"in use", "in uses.", true},
		{"quickly", "fast", false},
		{"a long wording of it", "another short one", false},
		{"", "abc", false},
	} {
		if similar(c.a, c.b) != c.want || similar(c.b, c.a) != c.want {
			t.Errorf("%q and %q: similar is not %t", c.a, c.b, c.want)
		}
	}
}
