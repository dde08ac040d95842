// Package suggest proposes places in plain prose where copies may differ, for a
// person to approve.
//
// It reads a source folder and gives a list of proposals: wordings of its lexicon
// (lexicon.txt), bullets whose order seems to say nothing, dates, lengths and
// sizes that can be written in several ways. The list is a YAML file. A person who
// knows the subject reads each proposal in its context and writes a name under
// those that they answer for; Apply marks these in the source and no others, and
// keeps who approved what in approvals.yaml.
//
//	Source ─► Propose ─► proposals.yaml ─► a person ─► Apply ─► marked Source
//	             └── each proposal passes Compile and can be read back ──┘
//
// Nothing is marked that nobody approved, and nothing where the text is no longer
// what was approved: Apply takes all approved proposals or none.
//
// Do not take a proposal for a finding. The lexicon knows words and their
// neighbours; that two wordings mean the same in this sentence is for the person
// who approves it to know.
package suggest
