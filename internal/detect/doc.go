// Package detect is the bridge from Sigma rules to a scan of telemetry: what a
// rule's field names mean in each format, and which records are worth asking a
// rule about.
//
//	rules as text ─► Set ─► sighting.Rule: needles, and a judge of records
//	                  └──► Report: what isn't evaluated, what is slow, what a format can't serve
//
// A rule names its log source; a source has a kind (requests of HTTP, Zeek's own
// logs, audit records, …), and for each kind the table in taxonomy.go has views:
// one for each format that holds such records, saying where the fields stand in
// it. A rule is judged on the records that a view takes for its kind, by sigma's
// evaluation and nothing else.
//
// Where values are compared with what stands in a record, they are so as they were
// logged: what a server wrote as %2e is %2e. Only two things are done to them: the
// plus signs that IIS writes for blanks are read as blanks too, and a field that a
// format keeps within another (the query within a request) is taken out of it. A
// text longer than MaxText is cut there.
//
// What not to use it for. A rule that holds is a sighting of a pattern, which
// proves no attack and accuses nobody; its authors list what else sets it off. A
// rule without a sighting proves no absence either: a log that lacks a field
// can't fulfil what asks for it, and Set says so.
package detect
