// Package plan tells an author, while a package is being written, what of it could
// be traced: from which share of the text, when how many copies are merged, at
// which probability of a false accusation; and what to add to reach a goal.
//
//	source ─► carrier.Lay ─► layouts ─► New ─► Plan     what is there     plan.go
//	tables of what marks are worth ─► CatchOne, Marks   what it takes     table.go, power.go
//	Plan, Goal ─► Missing                               what to add       goal.go
//	Plan ─► SVG, Text                                   the picture       svg.go, text.go
//
// What marks are worth is looked up, not computed: 'forewarn lab tabulate' has
// simulated coalitions that do their worst, with the decoder that accuses, and
// the tables lie in this package, each with the command that made it. They count
// marks with two alternatives at the profile's probabilities. Evidence is in bits:
// a specimen accuses one of n copies at α when it has log2(n/α) bits; finding the
// others of a coalition among many takes more (Table.Bits).
//
// Do not take a plan for a promise. It counts marks that are read right: what a
// carrier survives is measured by 'forewarn lab survive', and a share of text by
// an excerpt as it was cut, from the place where fewest marks stand. And the
// tables know the attacks that were simulated.
package plan
