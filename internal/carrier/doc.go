// Package carrier finds the places where marks live in a package's source, and
// compiles the source to a Form.
//
// An author writes the source by hand: Markdown, CSAF, rules, indicators, proof
// of concept. Alternatives that mean the same stand inline, {{so|like this}};
// lists whose order says nothing stand between two comments; constants that may
// be anything are called {{token:hex}}. The syntax is doc/spec/source.md.
//
// Data passes through in one direction, once per revision, at sealing:
//
//	Source ─► checks of names, sizes, characters      source.go, text.go
//	       ─► manifest: level of each file, rulings   manifest.go
//	       ─► marks of each file                      inline.go, block.go, pointer.go
//	       ─► gate: same meaning in every copy        gate.go
//	       ─► gate: same verdict of every tool        format.go and a file per format
//	       ─► Form and Report                         compile.go, report.go
//
// The second gate doesn't trust the syntax. It renders variants that between
// them show every alternative and every item in every place of its group, parses
// each as its reader's tools would, and refuses the source unless all agree in
// everything but the texts that people read. So a choice cannot change what a
// rule matches, and an order cannot break a file, however they were written.
//
// Carriers run at sealing and never again: reading a specimen needs only the
// Form, so that a carrier may improve without touching an old case.
//
// Do not use it to change a text that nobody approved: it marks what the author
// marked. And do not take its gates for a reader: they catch a changed number, a
// lost negation, a broken rule; that two sentences mean the same is for the
// person who wrote them to answer for.
package carrier
