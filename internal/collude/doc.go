// Package collude merges copies as those who want to get away with it would, and
// counts what the decoder makes of it.
//
//	Setting ─► one Trial: keys, codewords, what the coalition puts at each site,
//	           wear ─► []fpcode.Reading ─► decoder ─► who was caught, who wronged
//	Setting ─► Run: many trials ─► Outcome, with exact intervals
//	Setting ─► Marks: how many sites it takes     Search: the attack that costs most
//
// Everything is a function of the Setting and a seed. Codewords come from keys by
// the same functions that copies are sealed with, and what is decoded goes
// through the same decoder that accuses; so the figures are of the product, not of
// a model of it. What is idealised is the reading: sites are read, misread and lost
// independently, or in stretches, and not by aligning a text (for that see
// doc/survival.md).
//
// Do not take a rate for an attack that isn't in the list, nor for a decoder that
// is not named beside it.
package collude
