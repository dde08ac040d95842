package wire

import (
	"bytes"
	"encoding/base32"
	"fmt"
)

// ID names one thing of kind T for ever. It is 16 random bytes and says
// nothing of what it names; the type parameter keeps a case's id from being
// passed where a member's is meant. The zero ID names nothing.
type ID[T any] [16]byte

// RFC 4648's base32hex, lower case: sorts as the bytes do, and survives being
// read aloud.
var idText = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// String is 26 characters of lower-case base32hex.
func (id ID[T]) String() string { return idText.EncodeToString(id[:]) }

// Short is the first eight characters, for people; it is not unique.
func (id ID[T]) Short() string { return id.String()[:8] }

// IsZero reports whether the id names nothing.
func (id ID[T]) IsZero() bool { return id == ID[T]{} }

// Compare orders ids by their bytes, which is the order of their text.
func (id ID[T]) Compare(o ID[T]) int { return bytes.Compare(id[:], o[:]) }

// Wire is 16 bytes.
func (id *ID[T]) Wire(c *Coder) { c.Fixed(id[:]) }

// MarshalText is String.
func (id ID[T]) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText accepts exactly what String writes.
func (id *ID[T]) UnmarshalText(b []byte) error {
	var out ID[T]
	if len(b) == 26 {
		if _, err := idText.Decode(out[:], b); err == nil && out.String() == string(b) {
			*id = out
			return nil
		}
	}
	return fmt.Errorf("%q is not an id: an id is 26 characters of 0-9 and a-v", b)
}

// ParseID reads what String writes.
func ParseID[T any](s string) (id ID[T], err error) {
	err = id.UnmarshalText([]byte(s))
	return id, err
}
