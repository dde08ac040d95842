package cvd

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"reflect"
	"slices"
	"time"
)

// StateHash is SHA-256 over the whole state: equal for equal logs, whatever
// program of whatever version folded them.
//
// It walks the exported fields of a Programme and everything below. A field that
// holds its zero value is passed over, and others are written after their name:
// so a version that knows more fields still comes to the same hash for a log
// that sets none of them. Golden hashes stand for ever; don't rename a field.
func (p *Programme) StateHash() [32]byte {
	w := &stateWriter{sum: sha256.New(), fields: map[reflect.Type][]int{}}
	w.buf = append(w.buf, "forewarn state v1\n"...)
	w.value(reflect.ValueOf(p).Elem())
	w.flush()
	return [32]byte(w.sum.Sum(nil))
}

type stateWriter struct {
	sum    hash.Hash
	buf    []byte
	fields map[reflect.Type][]int // exported fields of structs met so far
}

func (w *stateWriter) flush() {
	w.sum.Write(w.buf)
	w.buf = w.buf[:0]
}

func (w *stateWriter) number(v uint64) { w.buf = binary.BigEndian.AppendUint64(w.buf, v) }

func (w *stateWriter) bytes(b []byte) {
	w.number(uint64(len(b)))
	w.buf = append(w.buf, b...)
}

var timeType = reflect.TypeFor[time.Time]()

func (w *stateWriter) value(v reflect.Value) {
	if len(w.buf) > 1<<14 {
		w.flush()
	}
	switch v.Kind() {
	case reflect.Bool:
		w.number(1) // false is zero and never gets here as a field
		if !v.Bool() {
			w.number(0)
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		w.number(v.Uint())
	case reflect.Int64, reflect.Int:
		w.number(uint64(v.Int()))
	case reflect.String:
		w.bytes([]byte(v.String()))
	case reflect.Array:
		w.array(v)
	case reflect.Slice:
		w.number(uint64(v.Len()))
		for i := range v.Len() {
			w.value(v.Index(i))
		}
	case reflect.Map:
		w.sorted(v)
	case reflect.Pointer:
		if v.IsNil() {
			w.number(0)
			return
		}
		w.number(1)
		w.value(v.Elem())
	case reflect.Struct:
		if v.Type() == timeType {
			w.number(uint64(v.Interface().(time.Time).UnixMicro()))
			return
		}
		w.structure(v)
	default:
		panic("cvd: no state is of type " + v.Type().String())
	}
}

func (w *stateWriter) array(v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		w.buf = append(w.buf, arrayBytes(v)...)
		return
	}
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

func arrayBytes(v reflect.Value) []byte {
	if v.CanAddr() {
		return v.Slice(0, v.Len()).Bytes()
	}
	b := make([]byte, v.Len())
	reflect.Copy(reflect.ValueOf(b), v)
	return b
}

// sorted writes a map in the order of its keys' bytes. All keys are ids.
func (w *stateWriter) sorted(v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return bytes.Compare(arrayBytes(a), arrayBytes(b)) })
	w.number(uint64(len(keys)))
	for _, k := range keys {
		w.value(k)
		w.value(v.MapIndex(k))
	}
}

func (w *stateWriter) structure(v reflect.Value) {
	t := v.Type()
	fields, ok := w.fields[t]
	if !ok {
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				fields = append(fields, i)
			}
		}
		w.fields[t] = fields
	}
	for _, i := range fields {
		f := v.Field(i)
		if f.IsZero() || f.Kind() == reflect.Map && f.Len() == 0 || f.Kind() == reflect.Slice && f.Len() == 0 {
			continue
		}
		w.bytes([]byte(t.Field(i).Name))
		w.value(f)
	}
	w.number(0) // no field's name is empty
}
