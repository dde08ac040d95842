package carrier

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

func TestPermutations(t *testing.T) {
	for k, want := range map[int]int{2: 2, 3: 6, 4: 24} {
		all := permutations(k)
		seen := map[string]bool{}
		for i, p := range all {
			seen[fmt.Sprint(p)] = true
			if i > 0 && slices.Compare(all[i-1], p) >= 0 {
				t.Errorf("order %v comes after %v", p, all[i-1])
			}
			sorted := slices.Sorted(slices.Values(p))
			for i, v := range sorted {
				if i != v {
					t.Errorf("%v is no order of %d things", p, k)
				}
			}
		}
		if len(seen) != want {
			t.Errorf("%d orders of %d things, want %d", len(seen), k, want)
		}
		for place := range k {
			shown := map[int]bool{}
			for _, r := range rotations[k] {
				shown[all[r][place]] = true
			}
			if len(shown) != k {
				t.Errorf("the rotations of %d things show %d of them in place %d", k, len(shown), place)
			}
		}
	}
}

func TestGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.String(), 0, 30, rapid.ID[string]).Draw(t, "items")
		a := groups(testBias, "p", items, groupSize)
		in, sizes := map[int]int{}, []int{}
		for _, g := range a {
			sizes = append(sizes, len(g))
			if !slices.IsSorted(g) {
				t.Fatalf("group %v isn't sorted", g)
			}
			for _, i := range g {
				in[i]++
			}
		}
		for i, n := range in {
			if n != 1 || i < 0 || i >= len(items) {
				t.Fatalf("item %d is in %d groups", i, n)
			}
		}
		if left := len(items) - len(in); left != 0 && (left != 1 || len(items)%groupSize != 1) {
			t.Fatalf("%d of %d items are in no group", left, len(items))
		}
		for i, n := range sizes {
			if n < 2 || n > groupSize || n < groupSize && i < len(sizes)-1 {
				t.Fatalf("groups of %v", sizes)
			}
		}
		// Who moves the items doesn't move the groups.
		turned := slices.Clone(items)
		slices.Reverse(turned)
		if texts(turned, groups(testBias, "p", turned, groupSize)) != texts(items, a) {
			t.Fatalf("groups depend on the order of the items")
		}
	})
	items := strings.Fields("a b c d e f g h i j k l")
	if texts(items, groups(testBias, "p", items, groupSize)) == texts(items, groups(fpcode.Key{9}, "p", items, groupSize)) {
		t.Error("another key gives the same groups")
	}
	if texts(items, groups(testBias, "p", items, groupSize)) == texts(items, groups(testBias, "q", items, groupSize)) {
		t.Error("another file gives the same groups")
	}
}

func texts(items []string, groups [][]int) string {
	var out []string
	for _, g := range groups {
		var names []string
		for _, i := range g {
			names = append(names, items[i])
		}
		out = append(out, strings.Join(slices.Sorted(slices.Values(names)), ","))
	}
	return strings.Join(out, ";")
}

// list renders a package of one file and gives the items of its list.
func list(t *testing.T, f *form.Form, symbol func(form.Site) uint8) []string {
	t.Helper()
	var out []string
	for l := range strings.Lines(string(f.Render(form.PoC, symbol, nil)[0].Data)) {
		if strings.HasPrefix(l, "- ") {
			out = append(out, strings.TrimSpace(l[2:]))
		}
	}
	return out
}

func TestOrderBlocks(t *testing.T) {
	for _, c := range []struct {
		name, block string
		items       []string // in the order of the source
		sites       int
		copies      int // different lists over all symbols
	}{
		{"two", "- a\n- b\n", []string{"a", "b"}, 1, 2},
		{"three", "- a\n- b\n- c\n", []string{"a", "b", "c"}, 1, 6},
		{"four", "- a\n- b\n- c\n- d\n", []string{"a", "b", "c", "d"}, 1, 24},
		{"five", "- a\n- b\n- c\n- d\n- e\n", []string{"a", "b", "c", "d", "e"}, 1, 24},
		{"six", "- a\n- b\n- c\n- d\n- e\n- f\n", []string{"a", "b", "c", "d", "e", "f"}, 2, 48},
		{"blank lines around", "\n- a\n- b\n\n", []string{"a", "b"}, 1, 2},
		{"loose", "- a\n\n- b\n\n\n- c\n", []string{"a", "b", "c"}, 1, 6},
	} {
		f, _, r, err := Compile(source("a.md", "# head\n<!-- order -->\n"+c.block+"<!-- end -->\nend\n"), testBias)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(f.Sites) != c.sites || r.Sites != uint32(c.sites) {
			t.Errorf("%s: %d sites, want %d", c.name, len(f.Sites), c.sites)
		}
		seen := map[string]bool{}
		var walk func(i int, symbols map[fpcode.SiteID]uint8)
		walk = func(i int, symbols map[fpcode.SiteID]uint8) {
			if i == len(f.Sites) {
				got := list(t, f, func(s form.Site) uint8 { return symbols[s.ID] })
				seen[strings.Join(got, " ")] = true
				if !slices.Equal(slices.Sorted(slices.Values(got)), c.items) {
					t.Errorf("%s: a copy lists %v", c.name, got)
				}
				return
			}
			for v := range f.Sites[i].Q {
				symbols[f.Sites[i].ID] = v
				walk(i+1, symbols)
			}
		}
		walk(0, map[fpcode.SiteID]uint8{})
		if len(seen) != c.copies {
			t.Errorf("%s: %d different copies, want %d", c.name, len(seen), c.copies)
		}
		out := f.Render(form.PoC, func(form.Site) uint8 { return 0 }, nil)[0].Data
		if bytes.Contains(out, []byte("<!--")) || !bytes.HasPrefix(out, []byte("# head\n")) || !bytes.HasSuffix(out, []byte("end\n")) {
			t.Errorf("%s: %q", c.name, out)
		}
	}
}

// An item's deeper lines go with it, and blank lines stay where they are.
func TestItemsMoveWhole(t *testing.T) {
	src := "<!-- order -->\n- a\n  more of a\n- b\n<!-- end -->\n\n<!-- order -->\n\nOne fact.\nStill one.\n\nAnother fact.\n\n<!-- end -->\n"
	f, _, _, err := Compile(source("a.md", src), testBias)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for v := range uint8(4) {
		out := f.Render(form.PoC, func(s form.Site) uint8 {
			if s.ID == f.Sites[0].ID {
				return v & 1
			}
			return v >> 1
		}, nil)
		seen[string(out[0].Data)] = true
	}
	for _, first := range []string{"- a\n  more of a\n- b\n", "- b\n- a\n  more of a\n"} {
		for _, then := range []string{"\nOne fact.\nStill one.\n\nAnother fact.\n\n", "\nAnother fact.\n\nOne fact.\nStill one.\n\n"} {
			if !seen[first+"\n"+then] {
				t.Errorf("no copy holds %q", first+"\n"+then)
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d copies, want 4: %v", len(seen), seen)
	}
}
