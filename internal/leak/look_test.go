package leak_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/leak"
	"forewarn/internal/sighting"
)

// TestLook writes pages to look at, into the folder that LOOK_DIR names.
func TestLook(t *testing.T) {
	dir := os.Getenv("LOOK_DIR")
	if dir == "" {
		t.Skip("LOOK_DIR names no folder")
	}
	c := evidencetest.New(40, 120)
	names := strings.Fields("Alderney Borealis Cormorant Dunlin Eider Fulmar Gannet Harrier Ibis Jackdaw Kestrel Lapwing Merlin Nightjar Osprey Petrel Quail Rail Sandpiper Tern Umbrellabird Vireo Whimbrel Xenops Yellowhammer Zosterops Avocet Bittern Curlew Dotterel Egret Falcon Godwit Heron Islay Jacana Knot Linnet Martin Noddy Owl")
	for i := range c.Holders[:40] {
		c.Holders[i].Name = names[i] + " Networks"
	}
	fill := func(specimens []form.Specimen) leak.Inputs {
		in := inputs(t, c, specimens)
		for i := range in.Facts.Holders {
			if i >= 12 && i < 30 {
				in.Facts.Holders[i].Tier = "tier 2"
			} else if i >= 30 {
				in.Facts.Holders[i].Tier = "tier 3"
			} else {
				in.Facts.Holders[i].Tier = "tier 1"
			}
		}
		in.Facts.Waves[0].Holders = in.Facts.Waves[0].Holders[:12]
		in.Facts.Fetches = append(in.Facts.Fetches[:12], in.Facts.Fetches[41:]...)
		in.Facts.Receipts = append(in.Facts.Receipts[:12], in.Facts.Receipts[41:]...)
		in.Facts.Breaches = []leak.Event{{At: time.Date(2025, 7, 7, 18, 20, 0, 0, time.UTC), Entry: 220}}
		for i := range 7 {
			in.Facts.Answers = append(in.Facts.Answers, leak.Answer{Event: leak.Event{At: time.Date(2025, 6, 28+i, 9, 0, 0, 0, time.UTC), Entry: 150}, Who: names[i], What: "protection ready"})
		}
		in.Seen = []leak.Seen{
			{Time: sighting.Interval{From: time.Date(2025, 7, 7, 12, 10, 0, 0, time.UTC), To: time.Date(2025, 7, 7, 14, 40, 0, 0, time.UTC)}, Label: "token in web server log", Source: "u_ex250707.log", Entry: 215, Holder: c.Holders[17].ID, Slot: "marker"},
		}
		return in
	}
	for name, specimens := range map[string][]form.Specimen{
		"traced":   append(c.Leak(17), c.Request(17)...),
		"cannot":   {{Name: "note.txt", Data: []byte("Nothing of the package stands in here, and the weather was fine.")}},
		"disagree": append(c.Leak(17), c.Request(3)...),
	} {
		in := fill(specimens)
		if name == "disagree" {
			in.Seen = nil
		}
		f := judge(t, in)
		if err := os.WriteFile(filepath.Join(dir, name+".html"), leak.Page(f, leak.Timeline(in)), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, w := range []string{"80", "50"} {
			n := 80
			if w == "50" {
				n = 50
			}
			if err := os.WriteFile(filepath.Join(dir, name+w+".txt"), []byte(leak.Text(f, n)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
