package carrier

import (
	"regexp"
	"slices"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// STIX 2.1 bundles (OASIS standard, 10 June 2021).
//
// A bundle is a set of objects, so their order says nothing (section 8); so do
// the properties in stixSets, which name things that are so. All other lists keep
// their order, because the standard calls a list an ordered sequence and some mean
// it: the protocols of a flow, the lines of a mail's header. Ids, times, patterns
// and names stay as they are in every copy: tools merge objects by them.

var stixFormat = &format{
	name: "stix", level: form.Indicators, json: true, choice: fpcode.ClassProse, order: fpcode.ClassOrder,
	alternative: jsonText, essence: stixEssence,
	free: "description, abstract, content, explanation and the descriptions of external references, and objects and other sets that " + ManifestPath + " names under order:",
}

var stixID = regexp.MustCompile(`^([a-z0-9-]{3,250})--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// stixText are properties of objects that only people read.
var stixText = []string{"description", "abstract", "content", "explanation"}

// stixSets are properties of objects whose values have no order.
var stixSets = []string{
	"labels", "aliases", "object_refs", "object_marking_refs", "external_references", "kill_chain_phases", "authors", "roles", "sectors",
	"goals", "indicator_types", "infrastructure_types", "malware_types", "report_types", "threat_actor_types", "tool_types", "secondary_motivations", "personal_motivations",
}

func stixEssence(data string) (string, error) {
	t, err := parseJSON(data)
	if err != nil {
		return "", err
	}
	if err := checkSTIX(t); err != nil {
		return "", err
	}
	return t.essence(stixRule), nil
}

// stixRule says what may differ between copies of a bundle.
func stixRule(path []string) treatment {
	switch {
	case len(path) < 3 || path[0] != "objects": // the bundle, its objects, one of them
		return fixed
	case len(path) == 3 && slices.Contains(stixText, path[2]):
		return free
	case len(path) == 5 && path[2] == "external_references" && path[4] == "description":
		return free
	case slices.Contains(stixSets, path[2]):
		return fixed
	}
	return ordered
}

// checkSTIX refuses what a reader of bundles would: no bundle, or objects without
// an identity, or two of the same.
func checkSTIX(t *tree) error {
	if typ := t.get("type"); typ == nil || typ.text != "bundle" {
		return &syntaxError{0, "the value isn't a bundle: its type says something else"}
	}
	if err := t.checkID("bundle"); err != nil {
		return err
	}
	objects := t.get("objects")
	if objects == nil {
		return nil // a bundle may be empty
	}
	if objects.kind != listKind {
		return &syntaxError{objects.at, "objects isn't a list"}
	}
	seen := map[[2]string]bool{}
	for _, o := range objects.items {
		typ := o.get("type")
		if typ == nil || typ.kind != stringKind {
			return &syntaxError{o.at, "an object without a type"}
		}
		if err := o.checkID(typ.text); err != nil {
			return err
		}
		// Versions of one object share its id and differ in when they were modified.
		key := [2]string{o.get("id").text}
		if m := o.get("modified"); m != nil {
			key[1] = m.text
		}
		if seen[key] {
			return &syntaxError{o.at, sprintf("two objects are %s", quote(key[0]))}
		}
		seen[key] = true
	}
	return nil
}

func (t *tree) checkID(typ string) error {
	id := t.get("id")
	if id == nil || id.kind != stringKind {
		return &syntaxError{t.at, "an object without an id"}
	}
	if m := stixID.FindStringSubmatch(id.text); m == nil || m[1] != typ {
		return &syntaxError{id.at, sprintf("the id %s isn't of %s, -- and a UUID", quote(id.text), quote(typ))}
	}
	return nil
}
