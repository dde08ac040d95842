// Package sigma reads Sigma rules and evaluates them over flat events.
//
// It is the judge of whether copies of a rule say the same: two texts that give
// the same verdict on every event of a corpus; and of records of telemetry, as
// package detect hands them over. For both it must be right rather than complete.
// What it doesn't know (correlations, aggregations, placeholders, parts of a date,
// regular expressions that look around) it refuses by name and place, with an
// error that is ErrUnsupported, and never guesses.
//
//	text ─► Parse ─► Rule ─► Match(Event) ─► yes or no
//	                   ├───► Instances ─► events that the rule should and should not match
//	                   └───► Needles ─► literals one of which stands wherever it matches
//
// What it follows is the Sigma Rules Specification 2.1 with its modifiers appendix
// and the Sigma Filters Specification 2.1: values are compared without case, * and
// ? are wildcards, a list is alternatives unless |all says otherwise, a mapping's
// fields must all match, null is an absent field. |windash takes each dash of a
// value for any. |neq holds for an absent field too, as not does. A log source is
// not looked at: an event is one of the rule's source.
//
// Do not use it by itself to detect anything: fields are taken as they are named.
// What they are called in a log is package detect's to know.
package sigma
