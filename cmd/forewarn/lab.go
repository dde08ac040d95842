package main

// labCmd is experiments: what is measured before anything depends on it. No
// programme is needed, and none is touched.
type labCmd struct {
	Issue    labIssue    `cmd:"" help:"Write copies of a source, and the codebook to trace them with."`
	Trace    labTrace    `cmd:"" help:"Say from whose copies material derives, by a codebook."`
	Survive  labSurvive  `cmd:"" help:"Wear copies of a source as leaks are worn, read them back and count."`
	Simulate labSimulate `cmd:"" help:"Merge copies as attackers would, and count who is accused."`
	Tabulate labTabulate `cmd:"" help:"Make the table that plans are looked up in."`
}
