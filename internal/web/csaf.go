package web

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/csaf"
	"forewarn/internal/cvd"
)

// What is published is offered as CSAF 2.0 too, in folders (7.1.11 to 7.1.14), by which
// the desk is a csaf_provider. A document's id is its case's, which is public by then.

func filed(p coordinator.Published) csaf.Filed {
	return csaf.Filed{ID: p.Case.String(), At: p.At, Change: p.Updated()}
}

// csafPublisher is the programme, as a publisher of CSAF.
func (v *Visit) csafPublisher() (p csaf.Publisher, err error) {
	p = csaf.Publisher{Category: "coordinator", Namespace: v.site.Config.Origin}
	to, err := v.Desk().Intake()
	if err != nil {
		return p, err
	}
	if len(to) > 0 {
		p.Contact = "Report a vulnerability: " + p.Namespace + "/report"
	}
	return p, v.View(func(_ *cvd.Programme, n coordinator.Names) error { p.Name = readable(n.Programme()); return nil })
}

// csafFile is an advisory as CSAF, or a hash of that.
func csafFile(v *Visit) error {
	name, kind := v.PathValue("file"), ""
	for _, ext := range []string{".sha256", ".sha512"} {
		if rest, is := strings.CutSuffix(name, ext); is {
			name, kind = rest, ext
		}
	}
	id, err := caseNamed(strings.TrimSuffix(name, ".json"))
	if err != nil {
		return err
	}
	about, text, err := v.Desk().Advisory(v.Context(), id)
	if err != nil {
		return err
	}
	if filed(about.Published).Path() != v.PathValue("year")+"/"+name {
		return errNoPage
	}
	by, err := v.csafPublisher()
	if err != nil {
		return err
	}
	at := v.site.Config.Origin
	a := csaf.Advisory{ID: id.String(), Title: readable(about.Title), Own: text, Publisher: by, Page: at + "/advisories/" + id.String(), Self: at + "/csaf/" + filed(about.Published).Path(),
		Distributed: "Public: it may be shared without limit.", Revisions: []csaf.Revision{{At: about.At, Summary: "Published."}}}
	for _, c := range about.Changes {
		a.Revisions = append(a.Revisions, csaf.Revision{At: c.At, Summary: readable(c.What)})
	}
	for _, p := range about.Products {
		a.Products = append(a.Products, readable(p))
	}
	for _, c := range about.Credits {
		a.Credits = append(a.Credits, readable(c))
	}
	if !isCSAF(text) {
		if p, isText := renderProse(text); isText {
			a.Sections, a.References = p.Sections, slices.Clone(p.Links)
		}
	}
	for _, l := range about.SeeAlso {
		a.References = append(a.References, csaf.Reference{Category: "external", Summary: "This one is " + l.How + " it: " + readable(l.Title), URL: at + "/advisories/" + l.Case.String()})
	}
	doc := a.Document()
	switch kind {
	case ".sha256":
		sum := sha256.Sum256(doc)
		return v.shared("text/plain; charset=utf-8", about.Updated(), []byte(hex.EncodeToString(sum[:])+"  "+name+"\n"))
	case ".sha512":
		sum := sha512.Sum512(doc)
		return v.shared("text/plain; charset=utf-8", about.Updated(), []byte(hex.EncodeToString(sum[:])+"  "+name+"\n"))
	}
	return v.shared("application/json", about.Updated(), doc)
}

// caseNamed reads an id in the one way in which it is written.
func caseNamed(s string) (id cvd.CaseID, err error) {
	if id.UnmarshalText([]byte(s)) != nil || id.String() != s {
		return id, errNoPage
	}
	return id, nil
}

// csafFiled is all documents.
func (v *Visit) csafFiled() (out []csaf.Filed, err error) {
	list, changed, err := v.published()
	v.changed = changed
	for _, a := range list {
		out = append(out, a.filed)
	}
	return out, err
}

func csafIndex(v *Visit) error {
	all, err := v.csafFiled()
	if err != nil {
		return err
	}
	return v.shared("text/plain; charset=utf-8", v.changed, csaf.Index(all))
}

func csafChanges(v *Visit) error {
	all, err := v.csafFiled()
	if err != nil {
		return err
	}
	return v.shared("text/csv; charset=utf-8", v.changed, csaf.Changes(all))
}

// csafProvider says where all is. The format's addresses are https alone, so a desk
// that is served without TLS says nothing.
func csafProvider(v *Visit) error {
	if !v.site.secure() {
		return errNoPage
	}
	if _, err := v.csafFiled(); err != nil {
		return err
	}
	_, _, founded, err := v.tag()
	if err != nil {
		return err
	}
	by, err := v.csafPublisher()
	if err != nil {
		return err
	}
	at := v.site.Config.Origin
	p := csaf.Provider{Canonical: at + "/.well-known/csaf/provider-metadata.json", Folder: at + "/csaf", Updated: latest(founded, v.changed), Publisher: by}
	return v.shared("application/json", p.Updated, p.Metadata())
}

// folderPage lists what is in a folder: years, or a year's documents.
type folderPage struct {
	Name  string
	Files []string
	Top   bool
}

func csafFolder(v *Visit) error {
	all, err := v.csafFiled()
	if err != nil {
		return err
	}
	year := v.PathValue("year")
	page := folderPage{Name: "/csaf/", Top: year == ""}
	if page.Top {
		page.Files = []string{"changes.csv", "index.txt"}
		for _, f := range all {
			if dir := strconv.Itoa(f.At.UTC().Year()) + "/"; !slices.Contains(page.Files, dir) {
				page.Files = append(page.Files, dir)
			}
		}
		return v.Render("csaf", page)
	}
	page.Name += year + "/"
	for _, f := range all {
		if name, in := strings.CutPrefix(f.Path(), year+"/"); in {
			page.Files = append(page.Files, name, name+".sha256", name+".sha512")
		}
	}
	if len(page.Files) == 0 {
		return errNoPage
	}
	return v.Render("csaf", page)
}
