package sighting

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Bytes at the start of a line hide nothing behind them, wherever the line comes
// to stand first, and whatever it was packed in since.
func TestNothingHidesWhatFollows(t *testing.T) {
	hits := strings.Repeat("mark! and so on\n", 1000)
	skip := func(n int) string {
		return "\x50\x2a\x4d\x18" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	}
	frame := string(frames(t, 1<<20, "some text\n"))
	half := string(zip(strings.Repeat("so and so\n", 5000)))
	for _, c := range []struct {
		name, in string
		least    int
	}{
		{"the mark of UTF-16", "\xff\xfe" + hits, 1000},
		{"that of the other order", "\xfe\xff" + hits, 1000},
		{"UTF-16 for a while", "\xff\xfe" + strings.Repeat("a\x00", 1000) + hits + strings.Repeat("so and so\n", 20_000), 1000},
		{"the mark of gzip", "\x1f\x8b" + hits, 1000},
		{"a member of gzip", string(zip("so\n")) + hits, 1000},
		{"half a member", half[:len(half)/2] + "\n" + hits, 1000},
		{"the mark of zstd", "\x28\xb5\x2f\xfd" + hits, 1000},
		{"a frame that is skipped", skip(len(hits)) + hits, 1000},
		{"one that is longer than all", skip(1<<31) + hits, 1000},
		{"one within text", skip(2) + "ab\n" + hits, 1000},
		{"one in front of a frame", skip(16) + hits[:16] + frame, 1},
		{"one behind a frame", frame + skip(16) + hits[:16], 1},
		{"long ones between frames", frame + skip(1<<16) + strings.Repeat("mark! and so on\n", 1<<12) + frame + skip(len(hits)*100) + strings.Repeat(hits, 100), 1<<12 + 100_000 - 1},
	} {
		inds := []Indicator{{Constant, "mark!", ""}}
		for name, in := range map[string][]byte{"": []byte(c.in), " in gzip": zip(c.in), " in zstd": frames(t, 1<<20, c.in)} {
			got, sum := scan(t, &Scanner{Indicators: inds}, bytes.NewReader(in))
			if len(got) < c.least || len(sum.Problems) == 0 {
				t.Errorf("%s%s: %d sightings of %d, %+v", c.name, name, len(got), c.least, sum)
			}
		}
		got, sum := scan(t, &Scanner{Indicators: inds, AsItIs: true}, strings.NewReader(c.in))
		if want := strings.Count(c.in, "mark!"); len(got) != want || sum.Undone != nil || sum.Bytes != int64(len(c.in)) {
			t.Errorf("%s, as it is: %d sightings of %d, %+v", c.name, len(got), want, sum)
		}
	}
	for like, in := range map[string]string{"gzip": string(zip(hits)), "UTF-16": string(wide(hits)), "zstd": string(frames(t, 1<<20, hits)), "": hits} {
		if _, sum := scan(t, &Scanner{AsItIs: true}, strings.NewReader(in)); sum.Like != like {
			t.Errorf("%q is like %q", like, sum.Like)
		}
	}
}

// A frame is read as the decoder reads it, whatever blocks it has.
func TestFramesAreReadApart(t *testing.T) {
	noise := make([]byte, 300_000)
	x := uint64(1)
	for i := range noise {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	text := string(noise) + strings.Repeat("\x00", 400_000) + strings.Repeat("so and so\n", 50_000)
	var b bytes.Buffer
	for _, o := range [][]zstd.EOption{{}, {zstd.WithEncoderCRC(false)}, {zstd.WithSingleSegment(true)}, {zstd.WithEncoderLevel(zstd.SpeedBestCompression)}} {
		w, err := zstd.NewWriter(nil, o...)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(w.EncodeAll([]byte(text+"mark!\n"), nil))
		b.Write(w.EncodeAll(nil, nil))
	}
	got, sum := scan(t, &Scanner{Indicators: []Indicator{{Constant, "mark!", ""}}}, &b)
	if want := 4 * int64(len(text)+6); len(got) != 4 || sum.Bytes != want || sum.Truncated {
		t.Errorf("%d sightings, %d bytes of %d: %s", len(got), sum.Bytes, want, fmt.Sprint(sum.Problems))
	}
}
