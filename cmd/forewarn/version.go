package main

import (
	"runtime/debug"
)

type versionCmd struct{}

func (*versionCmd) Help() string { return "Example:\n  forewarn version --json" }

func (c *versionCmd) Run(a *app) error {
	version, goes, commit := "(devel)", "", ""
	if b, ok := debug.ReadBuildInfo(); ok {
		goes = b.GoVersion
		if b.Main.Version != "" {
			version = b.Main.Version
		}
		for _, s := range b.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	text := "forewarn " + version
	if commit != "" {
		text += " " + commit
	}
	return a.done(fields{"version": version, "go": goes, "commit": commit}, "%s %s", text, goes)
}
