// Package csaf writes what a programme published as CSAF 2.0 (ISO/IEC 20153), the
// format in which machines read advisories, and what a CSAF provider says of itself.
//
//	Advisory ─► Document ─► FileName, in a folder of its year
//	     []Filed ─► Index, Changes      Provider ─► provider-metadata.json
//
// A document says no more than the page for people does: what nobody wrote down is
// left out, not guessed. So there are scores and versions only in a document that was
// published as CSAF in the first place; that keeps its content, and gets the
// programme's tracking, publisher and label.
//
// Do not use it for the CSAF of packages, which is written by hand and sealed as it
// is, with its marks; nor to check documents of others: it validates nothing.
package csaf

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Advisory is what was published.
type Advisory struct {
	ID          string // of the document, for ever; no blanks at its ends
	Title       string
	Sections    []Section // of its text, in order
	Own         []byte    // in place of sections: the text, if that is itself CSAF 2.0 (see IsOwn)
	Products    []string  // that it calls affected
	Credits     []string  // as its reporters want to be named
	References  []Reference
	Revisions   []Revision // the oldest first; the first one is the publication
	Publisher   Publisher
	Page        string // address of the page for people
	Self        string // address of this document
	Distributed string // what readers may do with it, in words
}

// Section is a part of a text under a heading. The first may have none.
type Section struct{ Title, Text string }

// Reference leads elsewhere. URL is absolute.
type Reference struct {
	Category string `json:"category"` // "self" or "external"
	Summary  string `json:"summary"`
	URL      string `json:"url"`
}

// Revision is one state of the document.
type Revision struct {
	At      time.Time
	Summary string // not empty
}

// Publisher is who publishes.
type Publisher struct {
	Category  string `json:"category"` // "coordinator", "vendor", …
	Contact   string `json:"contact_details,omitempty"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"` // an address under its control
}

// stamp is a time as CSAF has it: RFC 3339, in UTC.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type document struct {
	Document        head            `json:"document"`
	ProductTree     *tree           `json:"product_tree,omitempty"`
	Vulnerabilities []vulnerability `json:"vulnerabilities,omitempty"`
}

type head struct {
	Acknowledgments []names      `json:"acknowledgments,omitempty"`
	Category        string       `json:"category"`
	Version         string       `json:"csaf_version"`
	Distribution    distribution `json:"distribution"`
	Notes           []note       `json:"notes,omitempty"`
	Publisher       Publisher    `json:"publisher"`
	References      []Reference  `json:"references"`
	Title           string       `json:"title"`
	Tracking        tracking     `json:"tracking"`
}

type names struct {
	Names []string `json:"names"`
}

type distribution struct {
	Text string `json:"text,omitempty"`
	TLP  label  `json:"tlp"`
}

type label struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

type note struct {
	Category string `json:"category"`
	Title    string `json:"title"`
	Text     string `json:"text"`
}

type tracking struct {
	Aliases   []string   `json:"aliases,omitempty"`
	Current   string     `json:"current_release_date"`
	Generator generator  `json:"generator"`
	ID        string     `json:"id"`
	Initial   string     `json:"initial_release_date"`
	History   []revision `json:"revision_history"`
	Status    string     `json:"status"`
	Version   string     `json:"version"`
}

type generator struct {
	Engine engine `json:"engine"`
}

type engine struct {
	Name string `json:"name"`
}

type revision struct {
	Date    string `json:"date"`
	Number  string `json:"number"`
	Summary string `json:"summary"`
}

type tree struct {
	Names []product `json:"full_product_names"`
}

type product struct {
	Name string `json:"name"`
	ID   string `json:"product_id"`
}

type vulnerability struct {
	CVE          string        `json:"cve,omitempty"`
	IDs          []trackingID  `json:"ids"`
	Notes        []note        `json:"notes"`
	Status       status        `json:"product_status"`
	Remediations []remediation `json:"remediations,omitempty"`
	Title        string        `json:"title"`
}

type trackingID struct {
	System string `json:"system_name"`
	Text   string `json:"text"`
}

type status struct {
	Affected []string `json:"known_affected"`
}

type remediation struct {
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Products []string `json:"product_ids"`
}

// remedies are the headings under which a text says what helps, in small letters.
var remedies = map[string]string{
	"workaround": "workaround", "workarounds": "workaround",
	"mitigation": "mitigation", "mitigations": "mitigation",
	"fix": "vendor_fix", "fixes": "vendor_fix", "solution": "vendor_fix", "solutions": "vendor_fix", "patch": "vendor_fix", "patches": "vendor_fix", "update": "vendor_fix", "updates": "vendor_fix",
}

// A CVE id names what an advisory is about where its title begins with it, or ends
// with it in brackets. Elsewhere it may be another one's.
var cve = regexp.MustCompile(`^(CVE-[0-9]{4}-[0-9]{4,})\b|\((CVE-[0-9]{4}-[0-9]{4,})\)$`)

// Document writes the advisory, which has at least one revision. Nothing of it depends
// on anything but its fields: the same advisory is the same bytes.
func (a *Advisory) Document() []byte {
	if own := a.restamped(); own != nil {
		return own
	}
	d := document{Document: a.head()}
	if len(a.Products) > 0 {
		d.Document.Category = "csaf_security_advisory"
		d.ProductTree, d.Vulnerabilities = a.affected()
	}
	return indented(d)
}

func indented(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // nothing in these can fail
	return b.Bytes()
}

func (a *Advisory) head() head {
	last := a.Revisions[len(a.Revisions)-1]
	h := head{Category: "csaf_base", Version: "2.0", Title: a.Title, Publisher: a.Publisher,
		Distribution: distribution{a.Distributed, label{"WHITE", "https://www.first.org/tlp/"}},
		References:   append([]Reference{{"self", "This document", a.Self}, {"external", "For people", a.Page}}, a.References...),
		Tracking: tracking{Current: stamp(last.At), Generator: generator{engine{"Forewarn"}}, ID: a.ID, Initial: stamp(a.Revisions[0].At),
			Status: "final", Version: strconv.Itoa(len(a.Revisions))},
	}
	for i, r := range a.Revisions {
		h.Tracking.History = append(h.Tracking.History, revision{stamp(r.At), strconv.Itoa(i + 1), r.Summary})
	}
	for _, c := range a.Credits {
		h.Acknowledgments = append(h.Acknowledgments, names{[]string{c}})
	}
	for _, s := range a.Sections {
		h.Notes = append(h.Notes, s.note())
	}
	if len(h.Notes) == 0 {
		h.Notes = []note{{"summary", "Summary", "The advisory is not text that this document could hold. It stands at " + a.Page}}
	}
	return h
}

func (s Section) note() note {
	if s.Title == "" {
		return note{"summary", "Summary", s.Text}
	}
	return note{"general", s.Title, s.Text}
}

func (s Section) remedy() string {
	return remedies[strings.ToLower(strings.Trim(s.Title, " :"))]
}

// affected is what the page says under 'Affected', and what helps.
func (a *Advisory) affected() (*tree, []vulnerability) {
	t := &tree{}
	v := vulnerability{Title: a.Title, IDs: []trackingID{{a.Publisher.Namespace, a.ID}}}
	for i, p := range a.Products {
		id := "CSAFPID-" + strconv.Itoa(i+1)
		t.Names = append(t.Names, product{p, id})
		v.Status.Affected = append(v.Status.Affected, id)
	}
	if m := cve.FindStringSubmatch(strings.TrimSpace(a.Title)); m != nil {
		v.CVE = m[1] + m[2]
	}
	v.Notes = []note{{"other", "Versions", "Products are named without their versions. The notes of this document say which ones are affected."}}
	for _, s := range a.Sections {
		if c := s.remedy(); c != "" {
			v.Remediations = append(v.Remediations, remediation{c, s.Text, v.Status.Affected})
		}
	}
	return t, []vulnerability{v}
}

// IsOwn reports whether a text is itself a CSAF 2.0 document.
func IsOwn(text []byte) bool {
	var d struct {
		Document struct {
			Version string `json:"csaf_version"`
		} `json:"document"`
	}
	return len(text) > 0 && text[0] == '{' && json.Unmarshal(text, &d) == nil && d.Document.Version == "2.0"
}

// restamped is a document that was published as the text: its content, under the
// programme's tracking, publisher and label. Its own id becomes an alias. nil: the
// text is no such document.
func (a *Advisory) restamped() []byte {
	if !IsOwn(a.Own) {
		return nil
	}
	var d map[string]any
	dec := json.NewDecoder(bytes.NewReader(a.Own))
	dec.UseNumber()
	if dec.Decode(&d) != nil {
		return nil
	}
	own, isObject := d["document"].(map[string]any)
	if !isObject {
		return nil
	}
	h := a.head()
	if t, has := own["tracking"].(map[string]any); has {
		if id, _ := t["id"].(string); id != "" && id != a.ID {
			h.Tracking.Aliases = []string{id}
		}
	}
	own["tracking"], own["publisher"], own["distribution"] = h.Tracking, h.Publisher, h.Distribution
	if s, _ := own["title"].(string); s == "" {
		own["title"] = a.Title
	}
	if s, _ := own["category"].(string); s == "" {
		own["category"] = h.Category
	}
	refs := []any{h.References[0], h.References[1]}
	if list, has := own["references"].([]any); has {
		for _, x := range list {
			if r, is := x.(map[string]any); is && r["category"] != "self" {
				refs = append(refs, r)
			}
		}
	}
	own["references"] = refs
	if _, has := own["acknowledgments"]; !has && len(h.Acknowledgments) > 0 {
		own["acknowledgments"] = h.Acknowledgments
	}
	return indented(d)
}
