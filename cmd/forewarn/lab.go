package main

// labCmd is experiments: what is measured before anything depends on it. No
// programme is needed, and none is touched.
type labCmd struct {
	Survive labSurvive `cmd:"" help:"Wear copies of a source as leaks are worn, read them back and count."`
}
