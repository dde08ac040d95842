// Package sigma reads Sigma rules and evaluates them over flat events.
//
// It is the judge of whether copies of a rule say the same: two texts that give
// the same verdict on every event of a corpus. For that it must be right rather
// than complete. What it doesn't know (correlations, aggregations, placeholders,
// regular expressions that look around) it refuses by name, with an error that is
// ErrUnsupported, and never guesses.
//
//	text ─► Parse ─► Rule ─► Match(Event) ─► yes or no
//	                   └───► Instances ─► events that the rule should and should not match
//
// What it follows is the Sigma Rules Specification 2.1 with its modifiers appendix:
// values are compared without case, * and ? are wildcards, a list is alternatives
// unless |all says otherwise, a mapping's fields must all match, null is an absent
// field. A log source is not looked at: an event is one of the rule's source.
//
// Do not use it to detect anything: fields are taken as they are named, without
// the mapping that a real backend has.
package sigma
