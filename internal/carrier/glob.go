package carrier

import (
	"path"
	"strings"
)

// matchGlob reports whether a path matches a glob: path.Match within a name, **
// for any number of folders. Bad globs match nothing; validGlob tells them.
func matchGlob(glob, name string) bool {
	return matchNames(strings.Split(glob, "/"), strings.Split(name, "/"))
}

func matchNames(globs, names []string) bool {
	// The table of all pairs, from the end, so that no glob is slow.
	row := make([]bool, len(names)+1)
	row[len(names)] = true
	for g := len(globs) - 1; g >= 0; g-- {
		if globs[g] == "**" {
			for n := len(names) - 1; n >= 0; n-- {
				row[n] = row[n] || row[n+1]
			}
			continue
		}
		for n := range names {
			ok, err := path.Match(globs[g], names[n])
			row[n] = ok && err == nil && row[n+1]
		}
		row[len(names)] = false
	}
	return row[0]
}

func validGlob(glob string) bool {
	if glob == "" || len(glob) > maxGlob {
		return false
	}
	for _, name := range strings.Split(glob, "/") {
		if _, err := path.Match(name, ""); name == "" || name == "." || name == ".." || err != nil {
			return false
		}
		if strings.Contains(name, "**") && name != "**" {
			return false
		}
	}
	return true
}
