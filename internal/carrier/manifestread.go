package carrier

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"forewarn/internal/form"
	"forewarn/internal/tlp"
)

// readManifest reads forewarn.yaml, or tells what is wrong with it.
func (c *compiler) readManifest() *Manifest {
	src, ok := c.texts[ManifestPath]
	if !ok {
		c.refuse("", 0, "no "+ManifestPath, "put one in the folder's root; it needs a title: and a tlp:")
		return nil
	}
	before := len(c.refusals)
	d := &document{path: ManifestPath, src: src}
	if !c.checkText(d) {
		return nil
	}
	docs, err := parseYAML(src)
	if err != nil {
		at := 0
		if s, ok := err.(*syntaxError); ok {
			at = s.at
		}
		c.refuse(ManifestPath, at, "not YAML: "+err.Error(), "mend it")
		return nil
	}
	if len(docs.items) != 1 || docs.items[0].kind != tableKind {
		c.refuse(ManifestPath, 0, "not one mapping of keys to values", "begin it with title: and tlp:")
		return nil
	}
	r := manifestReader{c: c, src: src, m: &Manifest{}}
	root := docs.items[0]
	r.table(root, map[string]func(*tree){
		"title": func(t *tree) {
			if r.m.Title = r.text(t, maxTitle); strings.ContainsFunc(r.m.Title, unicode.IsControl) {
				r.refuse(t, "a title of several lines", "put it on one line; summary: may have more")
			}
		},
		"summary":       func(t *tree) { r.m.Summary = r.text(t, maxSummary) },
		"tlp":           r.tlp,
		"files":         r.files,
		"bulk":          r.bulk,
		"permitted-use": r.uses,
		"order":         r.orders,
	})
	if strings.TrimSpace(r.m.Title) == "" && root.get("title") == nil {
		c.refuse(ManifestPath, 0, "no title", "add title: with the package's name")
	}
	if r.m.TLP == tlp.Unset && root.get("tlp") == nil {
		c.refuse(ManifestPath, 0, "no TLP label", "add tlp: with one of TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT, TLP:RED")
	}
	slices.SortFunc(r.m.Files, func(a, b LevelRule) int { return cmp.Compare(a.Glob, b.Glob) })
	if len(c.refusals) > before {
		return nil
	}
	return r.m
}

// manifestReader reads the parsed manifest; what is wrong goes to the compiler.
type manifestReader struct {
	c   *compiler
	src string
	m   *Manifest
}

func (r *manifestReader) refuse(t *tree, what, do string) {
	line, col := t.line, t.col
	if t.keyLine > 0 && (line == 0 || t.kind != stringKind) {
		line, col = t.keyLine, t.keyCol
	}
	r.c.refuse(ManifestPath, offset(r.src, line, col), what, do)
}

// table hands each value to the reader of its key. Unknown keys are refused: a
// misspelt one must not pass for leave.
func (r *manifestReader) table(t *tree, readers map[string]func(*tree)) {
	if t.kind != tableKind {
		r.refuse(t, "not a mapping of keys to values", "write key: value, one a line")
		return
	}
	for i, k := range t.keys {
		read, ok := readers[k]
		if !ok {
			known := slices.Sorted(maps.Keys(readers))
			r.refuse(&tree{line: t.items[i].keyLine, col: t.items[i].keyCol}, sprintf("the key %s is unknown", quote(k)), "use "+strings.Join(known, ", "))
			continue
		}
		read(t.items[i])
	}
}

func (r *manifestReader) text(t *tree, most int) string {
	if s := strings.TrimSpace(t.text); t.kind == stringKind && s != "" && len(s) <= most {
		return s
	}
	r.refuse(t, "not a text", sprintf("write 1 to %d bytes of text; put it in quotes if it looks like something else", most))
	return ""
}

func (r *manifestReader) list(t *tree, each func(*tree)) {
	if t.kind != listKind || len(t.items) > maxRules {
		r.refuse(t, "not a list", sprintf("write - and a value, one a line, at most %d", maxRules))
		return
	}
	for _, v := range t.items {
		each(v)
	}
}

func (r *manifestReader) tlp(t *tree) {
	label, err := tlp.Parse(t.text)
	if t.kind != stringKind || err != nil {
		r.refuse(t, sprintf("%s isn't a TLP label", quote(t.text)), "write TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED")
		return
	}
	r.m.TLP = label
}

func (r *manifestReader) files(t *tree) {
	if t.kind != tableKind || len(t.items) > maxRules {
		r.refuse(t, "files: isn't a mapping of globs to levels", `write lines such as "docs/*.txt": description`)
		return
	}
	for i, glob := range t.keys {
		level, err := form.ParseLevel(t.items[i].text)
		switch {
		case !validGlob(glob):
			r.refuse(t.items[i], sprintf("%s isn't a glob", quote(glob)), "write a path in which * stands for any part of a name and ** for any folders")
		case err != nil || t.items[i].kind != stringKind:
			r.refuse(t.items[i], sprintf("%s isn't a level", quote(t.items[i].text)), "write heads-up, description, detection, indicators or poc")
		default:
			r.m.Files = append(r.m.Files, LevelRule{glob, level})
		}
	}
}

func (r *manifestReader) bulk(t *tree) {
	r.list(t, func(v *tree) {
		if v.kind != stringKind || !validGlob(v.text) {
			r.refuse(v, sprintf("%s isn't a glob", quote(v.text)), "write a path in which * stands for any part of a name and ** for any folders")
			return
		}
		r.m.Bulk = append(r.m.Bulk, v.text)
	})
}

// uses reads rulings: yes, no, or "from" and an instant.
func (r *manifestReader) uses(t *tree) {
	readers := map[string]func(*tree){}
	for u := range UseCount {
		readers[u.String()] = func(v *tree) {
			said := v.written
			if v.kind == stringKind {
				said = v.text
			}
			ruling, ok := parseRuling(said)
			if !ok {
				r.refuse(v, sprintf("%s isn't a ruling", quote(said)), "write yes, no, or from and an instant, as in: from 2025-07-08T17:00:00Z")
			}
			r.m.Uses[u] = ruling
		}
	}
	r.table(t, readers)
}

// parseRuling reads a ruling. An instant has a zone: a bare date means another
// time to each reader.
func parseRuling(s string) (Ruling, bool) {
	switch s {
	case "yes", "true":
		return Ruling{Verdict: Yes}, true
	case "no", "false":
		return Ruling{}, true
	}
	if at, ok := strings.CutPrefix(s, "from "); ok {
		if t, err := time.Parse(time.RFC3339, strings.TrimSpace(at)); err == nil {
			return Ruling{From, t.UTC().Truncate(time.Microsecond)}, true
		}
	}
	return Ruling{}, false
}

func (r *manifestReader) orders(t *tree) {
	r.list(t, func(v *tree) {
		o := ListOrder{}
		r.table(v, map[string]func(*tree){
			"file": func(t *tree) { o.File = r.text(t, 200) },
			"pointer": func(t *tree) {
				if o.Pointer = t.text; t.kind != stringKind || len(o.Pointer) > maxPointer || o.Pointer != "" && o.Pointer[0] != '/' {
					r.refuse(t, sprintf("%s isn't a pointer", quote(o.Pointer)), "write an RFC 6901 pointer, as in /document/references")
				}
			},
		})
		if v.kind == tableKind && (v.get("file") == nil || v.get("pointer") == nil) {
			r.refuse(v, "an order without file: or pointer:", "name the JSON file and the list in it")
			return
		}
		r.m.Orders = append(r.m.Orders, o)
	})
}
