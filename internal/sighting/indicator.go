package sighting

import (
	"fmt"
	"net/netip"
	"strings"
)

// Kind is what an indicator is. The zero Kind is none.
type Kind uint8

const (
	Host     Kind = iota + 1 // a DNS name; names below it count as well
	Address                  // an IP address, however it is written
	Path                     // of a URL or file; what lies under it counts as well
	Hash                     // hex of a digest: 32, 40, 56, 64, 96 or 128 digits
	Constant                 // bytes as they stand
)

var kindNames = [...]string{"", "host", "address", "path", "hash", "constant"}

func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// ParseKind reads what String writes.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if k > 0 && s == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("%w: %q is no kind of indicator: host, address, path, hash or constant", ErrScanner, s)
}

// Indicator is something to look for. Ref is the caller's own.
//
// A match must stand by itself: example.test is not seen in myexample.test nor
// in example.test.invalid, 192.0.2.1 not in 192.0.2.10, a hash not in a longer
// run of digits; letters of any script join it to others, quotation marks of any
// script don't. Hosts, addresses, hashes and paths are matched without regard
// to case (IIS serves paths so), constants with it. Blanks also match the plus
// signs that IIS and HTML forms write for them. A defanged spelling
// (example[.]test) is somebody's report, not traffic, and is not matched.
type Indicator struct {
	Kind  Kind
	Value string
	Ref   string
}

// Bounds of an indicator's value in bytes. What is shorter than the least
// would be seen everywhere.
const (
	MinValue = 4
	MaxValue = 1024
)

// Check says why an indicator can't be looked for, if so.
func (i Indicator) Check() error {
	_, err := i.patterns()
	return err
}

func (i Indicator) refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s %q: %s", ErrScanner, i.Kind, Printable([]byte(i.Value)), fmt.Sprintf(format, args...))
}

// patterns gives the byte strings one of which stands in every spelling of
// the indicator, each with what must hold around it.
func (i Indicator) patterns() ([]pattern, error) {
	v := i.Value
	if len(v) > MaxValue {
		return nil, i.refuse("is longer than %d bytes", MaxValue)
	}
	if strings.ContainsAny(v, "\n\r\x00") {
		return nil, i.refuse("holds a line break or NUL, which no line does")
	}
	if i.Kind != Address && len(v) < MinValue {
		return nil, i.refuse("is shorter than %d bytes and would be seen everywhere", MinValue)
	}
	switch i.Kind {
	case Host:
		return i.host()
	case Address:
		return i.address()
	case Path:
		return spellings(pattern{fold: true, bounds: pathBounds}, v, unpercent(v)), nil
	case Hash:
		switch len(v) {
		case 32, 40, 56, 64, 96, 128:
		default:
			return nil, i.refuse("has %d digits, as no known digest has", len(v))
		}
		for j := range len(v) {
			if unhex(v[j]) < 0 {
				return nil, i.refuse("holds %q, which is no hex digit", v[j])
			}
		}
		return spellings(pattern{fold: true, bounds: wordBounds}, v), nil
	case Constant:
		if strings.TrimSpace(v) == "" {
			return nil, i.refuse("is blank")
		}
		return spellings(pattern{bounds: wordBounds}, v), nil
	}
	return nil, i.refuse("has no kind")
}

// spellings makes a pattern of each different value, and of each with plus
// signs for its blanks.
func spellings(like pattern, values ...string) (out []pattern) {
	seen := map[string]bool{}
	for _, v := range values {
		for _, v := range []string{v, strings.ReplaceAll(v, " ", "+")} {
			if like.fold {
				v = lower(v)
			}
			if !seen[v] && len(v) >= MinValue {
				seen[v] = true
				like.text = v
				out = append(out, like)
			}
		}
	}
	return out
}

func unpercent(v string) string {
	var l layer
	if l.unescape([]byte(v), "%") && !strings.ContainsAny(string(l.text), "\n\r\x00") {
		return string(l.text)
	}
	return v
}

func (i Indicator) host() ([]pattern, error) {
	v := lower(strings.TrimSuffix(i.Value, "."))
	if _, err := netip.ParseAddr(v); err == nil {
		return nil, i.refuse("is an address: give it as one")
	}
	if len(v) > 253 || !strings.Contains(v, ".") {
		return nil, i.refuse("is no full host name, such as www.example.com")
	}
	for _, label := range strings.Split(v, ".") {
		if label == "*" {
			return nil, i.refuse("names below a host are matched without a star")
		}
		if label == "" || len(label) > 63 {
			return nil, i.refuse("holds a label that is empty or above 63 bytes")
		}
		for j := range len(label) {
			if c := label[j]; !word(c) && c != '-' && c != '_' {
				return nil, i.refuse("holds %q: give the name as DNS has it (xn--… for other scripts), without scheme or port", label[j])
			}
		}
	}
	return []pattern{{text: v, fold: true, bounds: hostBounds}}, nil
}

// address anchors on a piece of text that stands in every spelling of an
// address, and has the run around it parsed. An IPv4 address also stands in
// its IPv6-mapped forms (RFC 4291 section 2.5.5.2); Suricata writes IPv6
// addresses in full, most others compress them (RFC 5952).
func (i Indicator) address() ([]pattern, error) {
	a, err := netip.ParseAddr(strings.Trim(i.Value, "[]"))
	if err != nil || a.Zone() != "" {
		return nil, i.refuse("is no IPv4 or IPv6 address (ranges, ports and zones are not looked for)")
	}
	a = a.Unmap()
	var out []pattern
	g := groups(a.As16())
	at := 5 // ffff of the mapped form
	if a.Is4() {
		out = append(out, pattern{text: a.String(), fold: true, bounds: v4Bounds})
	} else if at = anchor(g); at < 0 {
		return nil, i.refuse("is too common to look for")
	}
	seen := map[string]bool{}
	for _, format := range []string{"%x:%x", "%x:%04x", "%04x:%x", "%04x:%04x", "%x::", "%04x::"} {
		text := fmt.Sprintf(format, g[at], g[at+1])
		if strings.HasSuffix(format, "::") {
			if g[at+1] != 0 {
				continue
			}
			text = fmt.Sprintf(format, g[at])
		}
		if !seen[text] {
			seen[text] = true
			out = append(out, pattern{text: text, fold: true, address: a})
		}
	}
	return out, nil
}
