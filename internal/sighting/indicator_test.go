package sighting

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// seen scans text for one indicator and gives what it matched, as it stands.
func seen(t interface {
	Helper()
	Fatal(...any)
}, ind Indicator, text string) (out []string) {
	t.Helper()
	s := &Scanner{Indicators: []Indicator{ind}}
	_, err := s.Scan("text", strings.NewReader(text), func(s Sighting) error {
		out = append(out, text[s.Offset:s.Offset+int64(s.Len)])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestIndicatorBounds(t *testing.T) {
	const hash = "d41d8cd98f00b204e9800998ecf8427e"
	for _, c := range []struct {
		kind  Kind
		value string
		text  string
		want  string // matched; empty for none
	}{
		{Host, "example.test", "example.test", "example.test"},
		{Host, "Example.TEST.", "GET http://EXAMPLE.test:8080/", "EXAMPLE.test"},
		{Host, "example.test", "a.b.example.test.", "example.test"},
		{Host, "example.test", "x@example.test", "example.test"},
		{Host, "example.test", "myexample.test", ""},
		{Host, "example.test", "my-example.test", ""},
		{Host, "example.test", "my_example.test", ""},
		{Host, "example.test", "éexample.test", ""},
		{Host, "example.test", "example.test.invalid", ""},
		{Host, "example.test", "example.tests", ""},
		{Host, "example.test", "example.test-x", ""},
		{Host, "example.test", "example[.]test", ""},
		{Host, "example.test", "u=http%3A%2F%2Fexample.test%2Fa", "example.test"},
		{Host, "example.test", "example.test%2einvalid", ""},
		{Host, "example.test", "example.test%252einvalid", ""},
		{Host, "example.test", "example.test.%69nvalid", ""},
		{Host, "example.test", "example.test%%365", ""},
		{Host, "example.test", `example.test&#65\u003b`, ""},
		{Host, "example.test", "&#65;example.test", ""},
		{Host, "example.test", "my&am%70;#45;example.test", ""},
		{Host, "example.test", "&eacute;example.test", ""},
		{Host, "example.test", "&nbsp;example.test", "example.test"},
		{Host, "example.test", "“example.test”", "example.test"},
		{Host, "example.test", "\xe9example.test", ""},
		{Host, "example.test", "example.test\u0301", ""},
		{Host, "example.test", "&#61;example.test.%20", "example.test"},
		{Host, "example.test", `"\nexample.test\n"`, "example.test"},
		{Host, "example.test", `exampl\u0065.test`, `exampl\u0065.test`},
		{Host, "xn--bcher-kva.example", "XN--BCHER-KVA.example", "XN--BCHER-KVA.example"},

		{Address, "192.0.2.1", "from 192.0.2.1:80 to", "192.0.2.1"},
		{Address, "192.0.2.1", "192.0.2.1.", "192.0.2.1"},
		{Address, "192.0.2.1", "192.0.2.1/32", "192.0.2.1"},
		{Address, "192.0.2.1", "192.0.2.1-192.0.2.9", "192.0.2.1"},
		{Address, "192.0.2.9", "192.0.2.1-192.0.2.9", "192.0.2.9"},
		{Address, "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"},
		{Address, "192.0.2.1", "0000:0000:0000:0000:0000:ffff:c000:0201", "0000:0000:0000:0000:0000:ffff:c000:0201"},
		{Address, "192.0.2.1", "::FFFF:C000:201", "::FFFF:C000:201"},
		{Address, "192.0.2.1", "192.0.2.10", ""},
		{Address, "192.0.2.1", "1192.0.2.1", ""},
		{Address, "192.0.2.1", "1.192.0.2.1", ""},
		{Address, "192.0.2.1", "192.0.2.1.5", ""},
		{Address, "192.0.2.1", "192.0.2.1.example.test", ""},
		{Address, "192.0.2.1", "192.0.2.1-static.example.test", ""},
		{Address, "192.0.2.1", "ip-192.0.2.1.example.test", ""},
		{Address, "192.0.2.1", "192.0.2.1%30", ""},
		{Address, "192.0.2.1", "192.0.2.1.%35", ""},
		{Address, "192.0.2.1", "192.0.2.1-%73tatic.example.test", ""},
		{Address, "192.0.2.1", "1&period;192.0.2.1", ""},
		{Address, "192.0.2.1", "é-192.0.2.1", ""},
		{Address, "192.0.2.1", "from ‘192.0.2.1’…", "192.0.2.1"},
		{Address, "192.0.2.9", "192.0.2.%31-192.0.2.9", "192.0.2.9"},
		{Address, "192.0.2.1", "192%2E0%2E2%2E1", "192%2E0%2E2%2E1"},
		{Address, "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"},
		{Address, "0.0.2.1", "::ffff:0:201", "::ffff:0:201"},
		{Address, "2001:db8::1", "2001:db8::1", "2001:db8::1"},
		{Address, "2001:db8::1", `"src_ip":"2001:0db8:0000:0000:0000:0000:0000:0001"`, "2001:0db8:0000:0000:0000:0000:0000:0001"},
		{Address, "2001:db8::1", "[2001:DB8:0:0::1]:443", "2001:DB8:0:0::1"},
		{Address, "2001:db8::1", "src:2001:db8::1.", "2001:db8::1"},
		{Address, "2001:db8::1", "2001:db8::1/64", "2001:db8::1"},
		{Address, "2001:db8::1", "2001:db8::1%eth0", "2001:db8::1"},
		{Address, "2001:db8::1", "2001:db8::0.0.0.1", "2001:db8::0.0.0.1"},
		{Address, "2001:db8::1", "2001%3Adb8%3A%3A1", "2001%3Adb8%3A%3A1"},
		{Address, "2001:db8::1", "at 2001:db8::1: no route", "2001:db8::1"},
		{Address, "2001:db8::", "net 2001:db8::", "2001:db8::"},
		{Address, "2001:db8::1", "2001:db8::11", ""},
		{Address, "2001:db8::1", "2001:db8::1:1", ""},
		{Address, "2001:db8::1", "2001:db8::1:%35", ""},
		{Address, "2001:db8::1", "1&colon;2001:db8::1", ""},
		{Address, "2001:db8::1", "12001:db8::1", ""},
		{Address, "2001:db8::1", "2001:db8::1x", ""},
		{Address, "2001:db8:0:1::", "2001:db8:0:1::", "2001:db8:0:1::"},
		{Address, "fe80::1", "fe80:0000:0000:0000:0000:0000:0000:0001", "fe80:0000:0000:0000:0000:0000:0000:0001"},
		{Address, "fe80::1", "fe80::1", "fe80::1"},
		{Address, "fe80::1", "fe80:0:0:0:0:0:0:1", "fe80:0:0:0:0:0:0:1"},

		{Path, "/_layouts/15/a.aspx", "GET /_layouts/15/a.aspx HTTP", "/_layouts/15/a.aspx"},
		{Path, "/_layouts/15/a.aspx", "/sites/x/_Layouts/15/A.ASPX?b", "/_Layouts/15/A.ASPX"},
		{Path, "/_layouts/15/a.aspx", "/_layouts/15/a.aspx/x", "/_layouts/15/a.aspx"},
		{Path, "/_layouts/15/a.aspx", "/_layouts/15/a.aspx.", "/_layouts/15/a.aspx"},
		{Path, "/_layouts/15/a.aspx", "/_layouts/15/a.aspx.bak", ""},
		{Path, "/_layouts/15/a.aspx", "/_layouts/15/a.aspxx", ""},
		{Path, "/_layouts/15/a.aspx", "/_layouts/15/a.aspx%78", ""},
		{Path, "/_layouts/15/a.aspx", `\/_layouts\/15\/a.aspx"`, `\/_layouts\/15\/a.aspx`},
		{Path, "/_layouts/15/a.aspx", "/%5flayouts/15/a.aspx", "/%5flayouts/15/a.aspx"},
		{Path, "/_layouts/15/a.aspx", "/%255flayouts/15/a.aspx", "/%255flayouts/15/a.aspx"},
		{Path, "/a%20b/", "/a b/c", "/a b/"},
		{Path, "/a%20b/", "/a%20b/c", "/a%20b/"},
		{Path, "/a b/c", "/a+b/c", "/a+b/c"},
		{Path, "drop.exe", `C:\\temp\\drop.exe`, "drop.exe"},
		{Path, "drop.exe", "backdrop.exe", ""},
		{Path, "drop.exe", "saving to: ‘drop.exe’", "drop.exe"},
		{Path, `C:\temp\drop.exe`, `"C:\\temp\\drop.exe"`, `C:\\temp\\drop.exe`},
		{Path, `C:\temp\drop.exe`, `C:\temp\drop.exe\\x`, `C:\temp\drop.exe`},

		{Hash, strings.ToUpper(hash), "md5=" + hash + ",", hash},
		{Hash, hash, hash + "0", ""},
		{Hash, hash, "0" + hash, ""},
		{Hash, hash, "x" + hash, ""},
		{Hash, hash, "&#97;" + hash, ""},
		{Hash, hash, hash[:31] + `&#101\"`, hash[:31] + "&#101"},

		{Constant, "fw-Marker", "a=fw-Marker&", "fw-Marker"},
		{Constant, "fw-Marker", "a=fw-marker&", ""},
		{Constant, "fw-Marker", "fw-Marker2", ""},
		{Constant, "fw-Marker", "xfw-Marker", ""},
		{Constant, "fw-Marker", "_fw-Marker_", "fw-Marker"},
		{Constant, "----fw", "------fw--", "----fw"},
		{Constant, `say "hi"`, `{"a":"say \"hi\""}`, `say \"hi\"`},
		{Constant, "Mozilla Test/1", "Mozilla+Test/1 200", "Mozilla+Test/1"},
		{Constant, "été!", "%C3%A9t%C3%A9!", "%C3%A9t%C3%A9!"},
		{Constant, "a%41b", "a%41b", "a%41b"},
	} {
		got := strings.Join(seen(t, Indicator{Kind: c.kind, Value: c.value}, c.text), ",")
		if got != c.want {
			t.Errorf("%s %q in %q: got %q, want %q", c.kind, c.value, c.text, got, c.want)
		}
	}
}

func TestIndicatorRefused(t *testing.T) {
	for _, c := range []struct {
		kind        Kind
		value, says string
	}{
		{0, "example.test", "kind"}, {9, "example.test", "kind"},
		{Host, "192.0.2.1", "address"}, {Host, "2001:db8::1", "address"}, {Host, "localhost", "full host name"},
		{Host, "*.example.test", "star"}, {Host, "a..example", "empty"}, {Host, "http://example.test", "scheme"},
		{Host, "bücher.example", "xn--"}, {Host, strings.Repeat("a", 64) + ".test", "63"},
		{Host, strings.Repeat("a.", 130) + "test", "full host name"}, {Host, "a.b", "shorter"},
		{Address, "192.0.2.0/24", "ranges"}, {Address, "192.0.2.1:80", "ports"}, {Address, "fe80::1%eth0", "zones"},
		{Address, "x", "no IPv4"}, {Address, "::1", "common"}, {Address, "::", "common"}, {Address, "192.0.2.01", "no IPv4"},
		{Path, "/a", "shorter"}, {Path, "/a\nb/c", "line break"}, {Path, strings.Repeat("/a", 600), "longer"},
		{Hash, "d41d8cd98f00b204e9800998ecf8427", "31 digits"}, {Hash, strings.Repeat("g", 32), "hex"},
		{Constant, "abc", "shorter"}, {Constant, "    ", "blank"}, {Constant, "ab\x00cd", "NUL"},
	} {
		err := Indicator{Kind: c.kind, Value: c.value}.Check()
		if !errors.Is(err, ErrScanner) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %q: %v", c.kind, c.value, err)
		}
		s := &Scanner{Indicators: []Indicator{{Kind: Host, Value: "example.test"}, {Kind: c.kind, Value: c.value}}}
		if _, err := s.Scan("", strings.NewReader("example.test"), func(Sighting) error { t.Error("scanned"); return nil }); !errors.Is(err, ErrScanner) || !strings.Contains(err.Error(), "indicator 2") {
			t.Errorf("%s %q: %v", c.kind, c.value, err)
		}
	}
	for k := Host; k <= Constant; k++ {
		if back, err := ParseKind(k.String()); back != k || err != nil {
			t.Errorf("%s: %v, %v", k, back, err)
		}
	}
	if _, err := ParseKind(""); !errors.Is(err, ErrScanner) {
		t.Error(err)
	}
}

// Each indicator is found in each way of writing it, and at exactly the bytes
// written.
func TestIndicatorSeenThroughEncodings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ind := rapid.OneOf(
			rapid.Custom(func(t *rapid.T) Indicator {
				return Indicator{Kind: Host, Value: rapid.StringMatching(`[a-z][a-z0-9-]{0,9}(\.[a-z0-9]{1,8}){0,2}\.(test|example|invalid)`).Draw(t, "host")}
			}),
			rapid.Custom(func(t *rapid.T) Indicator {
				return Indicator{Kind: Path, Value: rapid.StringMatching(`(/[A-Za-z0-9_.~-]{2,8}){1,3}[a-z]/?`).Draw(t, "path")}
			}),
			rapid.Custom(func(t *rapid.T) Indicator {
				return Indicator{Kind: Hash, Value: rapid.StringMatching(`([0-9a-f]{32}|[0-9A-F]{40}|[0-9a-f]{64})`).Draw(t, "hash")}
			}),
			rapid.Custom(func(t *rapid.T) Indicator {
				return Indicator{Kind: Constant, Value: rapid.StringMatching(`[!-$&-~]{1,6}[A-Za-z0-9]{3,20}`).Filter(func(s string) bool { return !strings.Contains(s, `\`) }).Draw(t, "constant")}
			}),
			rapid.Custom(func(t *rapid.T) Indicator {
				return Indicator{Kind: Address, Value: fmt.Sprintf("198.51.100.%d", rapid.IntRange(0, 255).Draw(t, "octet"))}
			}),
		).Draw(t, "indicator")
		if ind.Check() != nil {
			t.Skip(ind.Check())
		}
		in := written(t, ind.Value)
		pad := rapid.SampledFrom([]string{"", " ", "=", `"`, "\n", "&x=", "[" + strings.Repeat("z", 40) + "]"})
		a, b := pad.Draw(t, "before"), pad.Draw(t, "after")
		got := seen(t, ind, a+in+b)
		if len(got) != 1 || got[0] != in {
			t.Fatalf("%s %q in %q: got %q", ind.Kind, ind.Value, a+in+b, got)
		}
	})
}

// Every spelling of an IPv6 address that netip reads as the same address.
func TestIPv6Spellings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var raw [16]byte
		raw[0], raw[1], raw[2], raw[3] = 0x20, 0x01, 0x0d, 0xb8 // RFC 3849
		for i := 4; i < 16; i++ {
			raw[i] = rapid.SampledFrom([]byte{0, 0, 0, 1, 0x0a, 0xff}).Draw(t, "byte")
		}
		a := netip.AddrFrom16(raw)
		full := a.StringExpanded()
		g := groups(raw)
		short := make([]string, 8)
		for i := range short {
			short[i] = fmt.Sprintf("%x", g[i])
		}
		forms := []string{a.String(), full, strings.ToUpper(full), strings.Join(short, ":"),
			strings.Join(short[:6], ":") + fmt.Sprintf(":%d.%d.%d.%d", raw[12], raw[13], raw[14], raw[15])}
		// Any run of zeros may be the one that is left out.
		for from := range 8 {
			for to := from + 1; to <= 8 && g[to-1] == 0; to++ {
				forms = append(forms, strings.Join(short[:from], ":")+"::"+strings.Join(short[to:], ":"))
			}
		}
		for _, form := range forms {
			if got, err := netip.ParseAddr(form); err != nil || got != a {
				t.Fatalf("the test's %q isn't %v", form, a)
			}
			if got := seen(t, Indicator{Kind: Address, Value: a.String()}, `"`+form+`"`); len(got) != 1 || got[0] != form {
				t.Fatalf("%v written %q: got %q", a, form, got)
			}
		}
	})
}

// The windows of the matcher miss nothing: it finds what a plain search finds.
func TestMatcherAgainstIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := rapid.SampledFrom([]string{"!#", "ab!", "aAbB-", "abcdefgh.$"}).Draw(t, "alphabet")
		str := func(label string, least, most int) string {
			return string(rapid.SliceOfN(rapid.SampledFrom([]byte(alphabet)), least, most).Draw(t, label))
		}
		var inds []Indicator
		for range rapid.IntRange(1, 8).Draw(t, "indicators") {
			inds = append(inds, Indicator{Kind: Constant, Value: str("value", MinValue, 12)})
		}
		m, err := newMatcher(inds, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(str("text", 0, 200))
		type found struct{ from, indicator int }
		got, want := map[found]bool{}, map[found]bool{}
		m.find(text, new(batch), func(from, _ int, _ hitKind, indicator int32, _ bounds) { got[found{from, int(indicator)}] = true })
		for i, ind := range inds {
			for from := 0; from+len(ind.Value) <= len(text); from++ {
				if string(text[from:from+len(ind.Value)]) == ind.Value {
					if _, _, ok := wordBounds(text, from, from+len(ind.Value)); ok {
						want[found{from, i}] = true
					}
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("in %q for %v: got %v, want %v", text, inds, got, want)
		}
	})
}

// A value is refused, or is seen when it stands alone.
func FuzzIndicator(f *testing.F) {
	for k, v := range map[Kind]string{Host: "Example.test.", Address: "2001:db8::1", Path: "/a%20b/c", Hash: "d41d8cd98f00b204e9800998ecf8427e", Constant: "a b\xff"} {
		f.Add(uint8(k), v)
	}
	f.Fuzz(func(t *testing.T, kind uint8, value string) {
		ind := Indicator{Kind: Kind(kind), Value: value}
		if err := ind.Check(); err != nil {
			if !errors.Is(err, ErrScanner) {
				t.Fatal(err)
			}
			return
		}
		text := value
		if ind.Kind == Address {
			text = strings.Trim(value, "[]")
		}
		if ind.Kind == Constant && strings.ContainsAny(value, `%\`) {
			return // stands for something else once it is undone
		}
		if got := seen(t, ind, "\n "+text+" \n"); len(got) == 0 {
			t.Fatalf("%s %q was not seen", ind.Kind, value)
		}
	})
}
