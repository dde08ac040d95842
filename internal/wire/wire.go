// Package wire turns values into canonical bytes and back.
//
// Everything that Forewarn commits to, signs or keeps for ever (entries, Forms,
// anchors, receipts, dossiers) is laid out by one method per type, Wire, which
// names the fields in order. The same method writes and reads, so the two
// directions cannot drift apart. There is exactly one encoding of a value and
// Unmarshal accepts no other: if it parses, it re-encodes identically.
//
// The layout is the presentation language of RFC 8446 section 3, restricted:
// integers are big-endian and of fixed width; variable data is preceded by its
// length as a uint32; there are no optional fields, and no alternatives but the versions of a format.
//
// Do not use it for anything a person should read, nor for input without a
// limit: every variable field states its maximum, and lengths are checked
// before memory is taken.
package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// ErrFormat is the class of every decoding error.
var ErrFormat = errors.New("not a canonical encoding")

// Layout is a value that can name its fields to a Coder, in order.
type Layout interface{ Wire(*Coder) }

// Coder writes or reads fields. The first error stops it: later calls do
// nothing, and Unmarshal returns that error with its byte offset.
type Coder struct {
	reading bool
	buf     []byte // written so far, or all of the input
	off     int    // reading: the next byte
	err     error
}

// Reading reports whether the Coder is reading, for the rare layout whose
// fields must be checked or indexed after they are read.
func (c *Coder) Reading() bool { return c.reading }

// Fail stops the Coder with a reason. A layout calls it when a field, though
// well formed, is not a value its type allows.
func (c *Coder) Fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: byte %d: %s", ErrFormat, c.off, fmt.Sprintf(format, args...))
	}
}

// Err returns the first error.
func (c *Coder) Err() error { return c.err }

func (c *Coder) take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.buf)-c.off < n {
		c.Fail("wanted %d more bytes, %d are left", n, len(c.buf)-c.off)
		return nil
	}
	b := c.buf[c.off : c.off+n]
	c.off += n
	return b
}

// U8 is one byte.
func (c *Coder) U8(v *uint8) {
	if !c.reading {
		c.buf = append(c.buf, *v)
	} else if b := c.take(1); b != nil {
		*v = b[0]
	}
}

// U16 is two bytes, big-endian.
func (c *Coder) U16(v *uint16) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint16(c.buf, *v)
	} else if b := c.take(2); b != nil {
		*v = binary.BigEndian.Uint16(b)
	}
}

// U32 is four bytes, big-endian.
func (c *Coder) U32(v *uint32) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint32(c.buf, *v)
	} else if b := c.take(4); b != nil {
		*v = binary.BigEndian.Uint32(b)
	}
}

// U64 is eight bytes, big-endian.
func (c *Coder) U64(v *uint64) {
	if !c.reading {
		c.buf = binary.BigEndian.AppendUint64(c.buf, *v)
	} else if b := c.take(8); b != nil {
		*v = binary.BigEndian.Uint64(b)
	}
}

// I64 is eight bytes, two's complement, big-endian.
func (c *Coder) I64(v *int64) {
	u := uint64(*v)
	c.U64(&u)
	*v = int64(u)
}

// Bool is one byte, 0 or 1.
func (c *Coder) Bool(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	c.U8(&b)
	if b > 1 {
		c.Fail("a truth value is 0 or 1, not %d", b)
	}
	*v = b == 1
}

// Enum is one byte no greater than most.
func Enum[T ~uint8](c *Coder, v *T, most T) {
	b := uint8(*v)
	c.U8(&b)
	if b > uint8(most) {
		c.Fail("%T %d is unknown; the greatest known is %d", *v, b, uint8(most))
	}
	*v = T(b)
}

// Time is an instant in microseconds since 1970 UTC, as an I64, in the years 1
// to 9999 that RFC 3339 can write. Finer parts are dropped when writing. The
// zero time.Time is written as the least I64.
func (c *Coder) Time(v *time.Time) {
	const none = -1 << 63
	us := int64(none)
	if !c.reading && !v.IsZero() {
		us = v.UnixMicro()
		// Of times far outside UnixMicro is not defined.
		if s := v.Unix(); s < firstTime/1_000_000 || s > lastTime/1_000_000 || us < firstTime {
			c.Fail("time %s is outside the range of years 1 to 9999", v)
		}
	}
	c.I64(&us)
	switch {
	case !c.reading || c.err != nil:
	case us == none:
		*v = time.Time{}
	case us < firstTime || us > lastTime:
		c.Fail("time %d µs is outside the range of years 1 to 9999", us)
	default:
		*v = time.UnixMicro(us).UTC()
	}
}

// The first and the last microsecond of the years 1 to 9999, but for the zero
// time.Time, which stands for none.
const (
	firstTime = -62135596800000000 + 1
	lastTime  = 253402300800000000 - 1
)

// Fixed is exactly len(b) bytes, in place.
func (c *Coder) Fixed(b []byte) {
	if !c.reading {
		c.buf = append(c.buf, b...)
	} else if r := c.take(len(b)); r != nil {
		copy(b, r)
	}
}

func (c *Coder) length(n, most int, what string) int {
	if !c.reading && n > most {
		c.Fail("%s of length %d; at most %d are allowed", what, n, most)
	}
	u := uint32(n)
	c.U32(&u)
	if c.err == nil && int64(u) > int64(most) {
		c.Fail("%s of length %d; at most %d are allowed", what, u, most)
	}
	if c.err != nil {
		return 0
	}
	return int(u)
}

// Bytes is a length and that many bytes, at most most. Reading copies; no
// bytes read as nil.
func (c *Coder) Bytes(v *[]byte, most int) {
	n := c.length(len(*v), most, "bytes")
	if !c.reading {
		c.buf = append(c.buf, *v...)
	} else if b := c.take(n); c.err == nil {
		*v = append([]byte(nil), b...)
	}
}

// Text is a length and that many bytes of valid UTF-8, at most most.
func Text[T ~string](c *Coder, v *T, most int) {
	n := c.length(len(*v), most, "text")
	if !c.reading {
		if !utf8.ValidString(string(*v)) {
			c.Fail("text is not valid UTF-8")
		}
		c.buf = append(c.buf, *v...)
	} else if b := c.take(n); c.err == nil {
		if !utf8.Valid(b) {
			c.Fail("text is not valid UTF-8")
			return
		}
		*v = T(b)
	}
}

// List is a count and that many elements, at most most. An empty list reads
// as nil.
func List[T any](c *Coder, v *[]T, most int, each func(*Coder, *T)) {
	n := c.length(len(*v), most, "list")
	if c.reading {
		*v = nil
	}
	for i := 0; i < n && c.err == nil; i++ {
		if c.reading {
			// Grown one by one: a length alone must not buy memory.
			var e T
			each(c, &e)
			*v = append(*v, e)
		} else {
			each(c, &(*v)[i])
		}
	}
}

// Layouts is a List whose elements lay themselves out.
func Layouts[T any, P interface {
	*T
	Layout
}](c *Coder, v *[]T, most int) {
	List(c, v, most, func(c *Coder, e *T) { P(e).Wire(c) })
}

// Magic is a constant that opens a format, so that one file is never taken
// for another.
func (c *Coder) Magic(m string) {
	if !c.reading {
		c.buf = append(c.buf, m...)
	} else if b := c.take(len(m)); c.err == nil && string(b) != m {
		c.off -= len(m)
		c.Fail("expected %q, found %q", m, b)
	}
}

// Either is Magic for a format of two versions: it writes the second if asked to,
// and says whether it is the second that was written or read.
func (c *Coder) Either(first, second string, isSecond bool) bool {
	if c.reading {
		isSecond = c.err == nil && bytes.HasPrefix(c.buf[c.off:], []byte(second))
	}
	if isSecond {
		c.Magic(second)
	} else {
		c.Magic(first)
	}
	return isSecond
}

// Append writes v after dst. It fails only when a field is over its limit or
// not a value of its type.
func Append(dst []byte, v Layout) ([]byte, error) {
	c := Coder{buf: dst}
	v.Wire(&c)
	return c.buf, c.err
}

// Marshal returns the canonical bytes of v. It panics if v breaks one of its
// own limits: callers check input before they build values.
func Marshal(v Layout) []byte {
	b, err := Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

// Unmarshal reads all of b into v. Errors wrap ErrFormat and name the byte.
func Unmarshal(b []byte, v Layout) error {
	c := Coder{reading: true, buf: b}
	v.Wire(&c)
	if c.err == nil && c.off != len(b) {
		c.Fail("%d bytes follow the end", len(b)-c.off)
	}
	return c.err
}
