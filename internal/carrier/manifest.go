package carrier

import (
	"time"

	"forewarn/internal/form"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

// Use is something a member may want to do with a package before release.
type Use uint8

// The uses that a manifest rules on.
const (
	DeployPatch Use = iota
	DeployMitigation
	ShipSignature
	TellCustomers
	ShareWithMember
	UseCount
)

var useNames = [UseCount]string{"deploy-patch", "deploy-mitigation", "ship-signature", "tell-customers", "share-with-member"}

// String is the use's name in a manifest.
func (u Use) String() string {
	if u < UseCount {
		return useNames[u]
	}
	return sprintf("use(%d)", uint8(u))
}

// Verdict is a ruling on a Use. The zero Verdict is no.
type Verdict uint8

// The verdicts.
const (
	No Verdict = iota
	Yes
	From // yes, from an instant on
)

// Ruling is a verdict and, for From, its instant.
type Ruling struct {
	Verdict Verdict
	From    time.Time // zero unless Verdict is From
}

// Allows reports whether the ruling permits the use at an instant.
func (r Ruling) Allows(now time.Time) bool {
	return r.Verdict == Yes || r.Verdict == From && !now.Before(r.From)
}

// LevelRule gives the files that a glob matches a level.
type LevelRule struct {
	Glob  string
	Level form.Level
}

// ListOrder names a JSON list whose order says nothing.
type ListOrder struct {
	File    string
	Pointer string // RFC 6901
}

// Manifest is what forewarn.yaml says. What it doesn't rule on is not allowed.
type Manifest struct {
	Title   string
	Summary string
	TLP     tlp.Label
	Files   []LevelRule // sorted by glob
	Bulk    []string    // globs, as written
	Uses    [UseCount]Ruling
	Orders  []ListOrder // as written
}

// Early warns of each use that is allowed before a release. The zero time is none.
func (m *Manifest) Early(release time.Time) (out []Warning) {
	for u, r := range m.Uses {
		if r.Verdict == From && r.From.Before(release) {
			out = append(out, Warning{Path: ManifestPath, Text: sprintf("%s is allowed from %s, before the release, which is planned for %s", Use(u), r.From.Format(time.RFC3339), release.UTC().Format(time.RFC3339))})
		}
	}
	return out
}

// BreakPack is the level that goes to everybody when an embargo must end early:
// what is wrong, what to do, and how to find it. Never a proof of concept.
func (m *Manifest) BreakPack() form.Level { return form.Detection }

const (
	maxTitle   = 300
	maxSummary = 4000
	maxGlob    = 200
	maxPointer = 1000
	maxRules   = 1000
)

// Wire lays out the manifest.
func (m *Manifest) Wire(c *wire.Coder) {
	wire.Text(c, &m.Title, maxTitle)
	wire.Text(c, &m.Summary, maxSummary)
	m.TLP.Wire(c)
	wire.List(c, &m.Files, maxRules, func(c *wire.Coder, r *LevelRule) {
		wire.Text(c, &r.Glob, maxGlob)
		wire.Enum(c, &r.Level, form.PoC)
	})
	wire.List(c, &m.Bulk, maxRules, func(c *wire.Coder, g *string) { wire.Text(c, g, maxGlob) })
	for u := range m.Uses {
		wire.Enum(c, &m.Uses[u].Verdict, From)
		c.Time(&m.Uses[u].From)
	}
	wire.List(c, &m.Orders, maxRules, func(c *wire.Coder, o *ListOrder) {
		wire.Text(c, &o.File, 200)
		wire.Text(c, &o.Pointer, maxPointer)
	})
}
