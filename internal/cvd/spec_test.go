package cvd

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

const kindsPage = "../../doc/spec/kinds.md"

// layoutNames says how a Go type is laid out, in the words of doc/spec/entry.md.
func layoutName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t.Name() == "BlobRef":
		return "blob (32 bytes)"
	case t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		if t.Len() == 16 {
			return "id (16 bytes)"
		}
		return fmt.Sprintf("%d bytes", t.Len())
	case t.Kind() == reflect.Array:
		return fmt.Sprintf("%d × {%s}", t.Len(), fieldList(t.Elem()))
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of {" + fieldList(t.Elem()) + "}"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "bytes"
	case t.Kind() == reflect.Slice:
		return "list of " + layoutName(t.Elem())
	case t.Kind() == reflect.Struct:
		return "{" + fieldList(t) + "}"
	case t.Kind() == reflect.String:
		return "text"
	}
	return map[reflect.Kind]string{reflect.Bool: "u8", reflect.Uint8: "u8", reflect.Uint16: "u16", reflect.Uint32: "u32", reflect.Uint64: "u64"}[t.Kind()]
}

func fieldList(t reflect.Type) string {
	var out []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			out = append(out, f.Name+" "+layoutName(f.Type))
		}
	}
	return strings.Join(out, ", ")
}

func renderKinds() string {
	var b strings.Builder
	b.WriteString(`# Kinds of entries

Generated from the code (` + "`go test ./internal/cvd -run Spec -update`" + `). A kind's number and layout never change; a kind that turns out wrong is superseded by a new one.
An unknown kind refuses to open. Fields stand in this order, as [entry.md](entry.md) encodes them: integers big-endian and of fixed width; a text, a list or bytes
of variable length after their length or count as a u32; times in microseconds since 1970 UTC as a signed 64-bit number, the least of which means 'none'; a set of ids ascending.
Kind 22 is laid out in [copy.md](copy.md). Kind 65535 is the ledger's own: see [anchor.md](anchor.md).
One golden of each lies in ` + "`internal/cvd/testdata/kinds`" + `.

| kind | name | body |
|---|---|---|
`)
	for k := entrylog.Kind(1); int(k) < len(kinds); k++ {
		switch {
		case k == KindWaveSealed:
			fmt.Fprintf(&b, "| %d | %s | a wave statement |\n", k, KindName(k))
		case kinds[k].body == nil && k != 35:
			// not given out yet
		case kinds[k].body == nil:
			fmt.Fprintf(&b, "| %d | – | never used |\n", k)
		default:
			fmt.Fprintf(&b, "| %d | %s | %s |\n", k, KindName(k), fieldList(reflect.TypeOf(kinds[k].body()).Elem()))
		}
	}
	return b.String()
}

func TestSpecOfKindsIsCurrent(t *testing.T) {
	want := renderKinds()
	if *update {
		if err := os.WriteFile(kindsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(kindsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run go test ./internal/cvd -run Spec -update", kindsPage)
	}
}

// The page lists fields in the order of the structs; the bytes must agree. Each
// field of each golden is changed in turn, and the first byte that differs must
// move on from field to field.
func TestSpecOrderIsTheBytesOrder(t *testing.T) {
	for k := entrylog.Kind(1); int(k) < len(kinds); k++ {
		if kinds[k].body == nil || k == KindWaveSealed {
			continue
		}
		raw, err := os.ReadFile(filepath.Join("testdata/kinds", fmt.Sprintf("%02d-%s.hex", k, KindName(k))))
		if err != nil {
			t.Fatal(err)
		}
		golden, err := hex.DecodeString(strings.TrimSpace(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		last := -1
		n := reflect.TypeOf(kinds[k].body()).Elem().NumField()
		for i := range n {
			body, err := DecodeBody(k, golden)
			if err != nil {
				t.Fatal(err)
			}
			if !nudge(reflect.ValueOf(body).Elem().Field(i)) {
				continue
			}
			changed, err := wire.Append(nil, body)
			if err != nil {
				continue // the change is no value of its type
			}
			at := 0
			for at < min(len(changed), len(golden)) && changed[at] == golden[at] {
				at++
			}
			if at <= last {
				t.Errorf("%s: field %s is laid out before the one listed before it", KindName(k), reflect.TypeOf(body).Elem().Field(i).Name)
			}
			last = at
		}
	}
}

// nudge makes a value another one of its type.
func nudge(v reflect.Value) bool {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(1 << 40)))
	case v.Kind() == reflect.Array:
		return nudge(v.Index(0))
	case v.Kind() == reflect.Struct:
		return nudge(v.Field(0))
	case v.Kind() == reflect.Slice:
		if v.Len() == 0 {
			return false
		}
		v.Set(v.Slice(0, v.Len()-1))
	case v.Kind() == reflect.String:
		v.SetString(v.String() + "x")
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	default:
		v.SetUint(v.Uint() ^ 1)
	}
	return true
}
