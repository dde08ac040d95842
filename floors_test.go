package forewarn

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The house: a room imports only rooms on floors below it, or on its own floor
// where that is listed. doc/design.md draws it.
var floors = [][]string{
	0: {"wire", "ascii", "tlp", "fpcode", "token", "form", "entrylog", "evidence", "rate", "dsn"},
	1: {"carrier", "cvd", "sighting", "timeline", "leak", "wear", "galley", "collude", "sigma", "detect", "suggest", "lab", "plan", "hostile", "csaf"},
	2: {"ledger", "sealer", "coordinator", "inquiry", "equivalence", "signin"},
	3: {"sqlite", "memstore", "storetest", "folder", "follow", "seal", "evidence/evidencetest", "judges", "web", "smtp", "relay", "witness", "machine", "apart"},
	4: {"home", "keep", "lookout", "serve", "sim", "sim/telemetry", "bench", "herd", "client", "cmd/forewarn"},
}

// Within a floor, who may lean on whom. An adapter leans on no adapter.
var neighbours = map[string][]string{
	"form":        {"wire", "fpcode", "token"},
	"token":       {"ascii"},
	"tlp":         {"wire"},
	"entrylog":    {"wire"},
	"evidence":    {"wire", "entrylog", "form", "fpcode", "token", "tlp"},
	"suggest":     {"carrier"},
	"leak":        {"cvd", "sighting", "timeline", "carrier"},
	"plan":        {"carrier"},
	"hostile":     {"carrier"},
	"detect":      {"sigma", "sighting"},
	"coordinator": {"ledger", "sealer", "signin"},
	"inquiry":     {"ledger", "sealer", "coordinator"},
	"storetest":   {"memstore"}, // the suite proves itself on the in-memory store
	"sim":         {"home", "sim/telemetry"},
	"bench":       {"home", "sim/telemetry"},
	"serve":       {"home"},
	"herd":        {"home"},
	"keep":        {"home"},
	"client":      {}, // and nothing below either: see breaches
	"cmd/forewarn": {
		"home", "keep", "lookout", "serve", "sim", "sim/telemetry", "bench", "herd", "client",
	},
}

// What the pure floors may not touch: the machine, the network, the clock, dice.
var impure = []string{"os", "net", "context", "database/sql", "log", "log/slog", "crypto/rand", "math/rand", "global dice", "time.Now", "syscall", "os/exec", "net/http"}

// A generator made from a seed is an argument like any other; the functions of
// math/rand/v2 that draw from the machine's own are not.
var globalDice = regexp.MustCompile(`\brand\.(Int|Uint|Float|Norm|Exp|Perm|Shuffle|N\()`)

const module = "forewarn"

// roomOf gives an import path's room, "" for what isn't ours.
func roomOf(imp string) string {
	if imp == module {
		return "."
	}
	rest, ok := strings.CutPrefix(imp, module+"/")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(rest, "internal/")
}

func floorOf(room string) int {
	for f, rooms := range floors {
		if slices.Contains(rooms, room) {
			return f
		}
	}
	return -1
}

// breaches lists what is wrong with a house: for each room its imports, with
// "time.Now" where the clock is read and "global dice" where the machine's are.
func breaches(house map[string][]string) (out []string) {
	for room, imports := range house {
		f := floorOf(room)
		if room != "." && f < 0 {
			out = append(out, fmt.Sprintf("%s stands on no floor", room))
			continue
		}
		for _, imp := range imports {
			to := roomOf(imp)
			switch {
			case to == "":
				if f >= 0 && f <= 1 && slices.Contains(impure, imp) {
					out = append(out, fmt.Sprintf("%s is pure and uses %s", room, imp))
				}
			case room == "client":
				if to != "." {
					out = append(out, fmt.Sprintf("client imports %s: what programs of others import leans on the root package alone", to))
				}
			case room == ".":
				if floorOf(to) != 0 {
					out = append(out, fmt.Sprintf("the root package imports %s, which isn't on floor 0", to))
				}
			case to == ".":
				if f != 4 {
					out = append(out, fmt.Sprintf("%s imports the root package", room))
				}
			case floorOf(to) > f, floorOf(to) == f && !slices.Contains(neighbours[room], to):
				out = append(out, fmt.Sprintf("%s (floor %d) imports %s (floor %d)", room, f, to, floorOf(to)))
			}
		}
	}
	slices.Sort(out)
	return out
}

func survey(t *testing.T) map[string][]string {
	house := map[string][]string{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "examples" || d.Name() == "doc") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		room := strings.TrimPrefix(filepath.ToSlash(path.Dir(filepath.ToSlash(p))), "internal/")
		for _, imp := range f.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			house[room] = append(house[room], name)
		}
		if strings.Contains(string(src), "time.Now(") {
			house[room] = append(house[room], "time.Now")
		}
		if globalDice.Match(src) {
			house[room] = append(house[room], "global dice")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return house
}

func TestFloors(t *testing.T) {
	house := survey(t)
	for _, b := range breaches(house) {
		t.Error(b)
	}
	for f, rooms := range floors {
		for _, room := range rooms {
			if _, ok := house[room]; !ok {
				t.Errorf("floor %d lists %s, which isn't there", f, room)
			}
		}
	}
}

// A floor that is broken must be seen: each row breaks one rule.
func TestFloorsSeeABreach(t *testing.T) {
	for _, row := range []struct{ room, imp string }{
		{"form", "os"},
		{"cvd", "time.Now"},
		{"leak", "crypto/rand"},
		{"fpcode", "global dice"},
		{"form", "forewarn/internal/cvd"},
		{"cvd", "forewarn/internal/coordinator"},
		{"coordinator", "forewarn/internal/sqlite"},
		{"sqlite", "forewarn/internal/seal"},
		{"fpcode", "forewarn/internal/wire"},
		{".", "forewarn/internal/cvd"},
		{"sqlite", "forewarn"},
		{"client", "forewarn/internal/wire"},
		{"util", "fmt"},
	} {
		if got := breaches(map[string][]string{row.room: {row.imp}}); len(got) != 1 {
			t.Errorf("%s importing %s: %q, want one breach", row.room, row.imp, got)
		}
	}
	if got := breaches(map[string][]string{"form": {"forewarn/internal/wire"}, "cmd/forewarn": {"os", "forewarn"}}); len(got) != 0 {
		t.Errorf("what is allowed is reported: %q", got)
	}
}
