package form

import (
	"fmt"
	"strings"
)

// maxPath is in bytes. It keeps a path inside what ustar headers and common
// file systems take.
const maxPath = 200

// Characters that some file system or shell reads as more than a name.
const pathRefused = `\:*?"<>|`

// Names that Windows takes for devices, whatever follows a dot.
var deviceNames = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// CheckPath says why p may not be the path of an output file, or nil. A path is
// 1 to 200 bytes of printable ASCII, relative, with forward slashes, in its
// shortest form, and names the same file on every member's system.
func CheckPath(p string) error {
	if p == "" || len(p) > maxPath {
		return fmt.Errorf("a path of %d bytes; 1 to %d are allowed", len(p), maxPath)
	}
	for i := 0; i < len(p); i++ {
		if p[i] < ' ' || p[i] > '~' || strings.IndexByte(pathRefused, p[i]) >= 0 {
			return fmt.Errorf("path %q: the character %q is not allowed", p, p[i])
		}
	}
	for _, name := range strings.Split(p, "/") {
		stem, _, _ := strings.Cut(name, ".")
		switch {
		case name == "" || name == "." || name == "..":
			return fmt.Errorf("path %q: %q is not a name; paths are relative and in their shortest form", p, name)
		case name[0] == ' ' || name[len(name)-1] == ' ' || name[len(name)-1] == '.':
			return fmt.Errorf("path %q: a name may not begin with a space nor end with a space or a dot", p)
		case deviceNames[strings.ToLower(stem)]:
			return fmt.Errorf("path %q: %q is a device on some systems", p, name)
		}
	}
	return nil
}
