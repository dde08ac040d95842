package sim

import (
	"fmt"
	"math/rand/v2"
)

// person is somebody of the vendor's staff, with the roles the programme gives.
type person struct{ handle, name, role string }

// organisation is a member: a name, where it sits, its tier.
type organisation struct {
	name         string
	jurisdiction string
	tier         string
	contact      string
	group        string // common owner, empty for most
}

// The vendor's people. Staff with content keys hold copies like members do.
var staff = []person{
	{"ana", "Ana Lindqvist", "coordinator"},
	{"ben", "Ben Oduya", "approver"},
	{"cleo", "Cleo Marchetti", "case-worker"},
	{"dev", "Dev Banerjee", "case-worker"},
	{"ina", "Ina Sorensen", "investigator"},
	{"ada", "Ada Petrov", "auditor"},
}

var (
	firstWords  = []string{"North", "Blue", "Amber", "Cedar", "Copper", "Delta", "Ember", "Falcon", "Granite", "Harbor", "Iron", "Juniper", "Kestrel", "Lantern", "Maple", "Nimbus", "Onyx", "Pine", "Quartz", "River", "Silver", "Tide", "Umber", "Violet", "Willow", "Yarrow", "Zephyr", "Alder", "Birch", "Coral", "Dune", "Elm"}
	secondWords = []string{"gate", "light", "watch", "field", "stone", "bridge", "guard", "line", "mark", "point", "shore", "ward"}
	trades      = []string{"Security", "Networks", "Defence", "Detection", "Response", "Antivirus", "Firewalls", "Telemetry"}
	seats       = []string{"US", "DE", "JP", "GB", "FR", "IN", "CN", "BR", "KR", "NL", "SG", "CZ", "IL", "CA", "AU", "SE"}
	givenNames  = []string{"Mia", "Noah", "Lena", "Omar", "Priya", "Kenji", "Sofia", "Lucas", "Aiko", "Jonas", "Wei", "Clara", "Diego", "Freya", "Hana", "Ivan"}
)

type tierPart struct {
	name  string
	parts int
}

// The three tiers, after the sharing levels of the best-known programme. The
// parts are of 96.
var tiers = []tierPart{{"validate", 10}, {"ans", 26}, {"entry", 60}}

// cast draws n members: distinct names, tiers in their parts, seats at random,
// and one pair under a common owner.
func cast(rng *rand.Rand, n int) []organisation {
	names := map[string]bool{}
	out := make([]organisation, 0, n)
	for i := range n {
		var o organisation
		for o.name == "" || names[o.name] {
			o.name = firstWords[rng.IntN(len(firstWords))] + secondWords[rng.IntN(len(secondWords))] + " " + trades[rng.IntN(len(trades))]
		}
		names[o.name] = true
		o.jurisdiction = seats[rng.IntN(len(seats))]
		at, sum := i*96/n, 0
		for _, t := range tiers {
			if sum += t.parts; at < sum {
				o.tier = t.name
				break
			}
		}
		o.contact = fmt.Sprintf("%s of %s", givenNames[rng.IntN(len(givenNames))], o.name)
		if n > 8 && (i == n/2 || i == n/2+1) {
			o.group = "Meridian Holdings"
		}
		out = append(out, o)
	}
	return out
}
