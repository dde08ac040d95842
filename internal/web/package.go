package web

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/hostile"
	"forewarn/internal/plan"
)

// packagePage is a case's package, and what could be traced of it.
type packagePage struct {
	*coordinator.PackageView
	Files    []fileTrace `json:"files"`
	Bytes    uint64      `json:"bytes"`
	Same     uint64      `json:"untraceable_bytes"` // of files that are the same in every copy
	Warnings []string    `json:"warnings"`
	Parts    []partTrace `json:"parts"`

	Wide, Small template.HTML          `json:"-"`
	Words       string                 `json:"-"`
	Levels      []string               `json:"-"`
	Profiles    []string               `json:"-"`
	Can         map[string]bool        `json:"-"`
	Keys        bool                   `json:"-"` // the reader has some in use
	Stamp       func(time.Time) string `json:"-"`
	Moment      func(time.Time) Moment `json:"-"`
	Path        string                 `json:"-"`
}

// fileTrace is what can be traced of one file.
type fileTrace struct {
	Path   string  `json:"path"`
	Level  string  `json:"level"`
	Bytes  uint64  `json:"bytes"`
	Sites  uint32  `json:"sites"`
	Tokens uint32  `json:"tokens"`
	Bits   float64 `json:"bits"`
	Third  float64 `json:"bits_in_any_third"` // of prose; 0 for others
	Prose  bool    `json:"prose"`
	Same   bool    `json:"same_in_every_copy"`
}

// partTrace is what a part of the text names.
type partTrace struct {
	Part   string  `json:"part"`
	Lines  string  `json:"lines,omitempty"`
	Sites  int     `json:"sites"`
	Marks  float64 `json:"marks"`
	Traced int     `json:"traced"` // so many merged copies, one of which is named; 0: not even one
	Robust int     `json:"without_wording"`
}

// tracing are the figures of a source.
func (page *packagePage) tracing(t *coordinator.Traced) {
	page.Files, page.Parts, page.Warnings = []fileTrace{}, []partTrace{}, []string{}
	if t == nil || t.Plan == nil {
		return
	}
	for _, f := range t.Report.Files {
		page.Files = append(page.Files, fileTrace{f.Path, f.Level.String(), f.Bytes, f.Sites, f.Tokens, f.Bits.Bits(), f.Third.Bits.Bits(), f.Prose, f.Untraceable()})
	}
	page.Bytes, page.Same = t.Report.Bytes, t.Report.Untraceable
	for _, w := range t.Report.Warnings {
		page.Warnings = append(page.Warnings, w.String())
	}
	add := func(name, lines string, x plan.Part) {
		page.Parts = append(page.Parts, partTrace{name, lines, x.All.Sites, x.All.Marks, x.All.Traced, x.Robust.Traced})
	}
	add("all files", "", t.Plan.Everything)
	for _, x := range t.Plan.Parts {
		name := t.Plan.Main
		if x.Share > 1 {
			name = fmt.Sprintf("any %v of it", x.Share)
		}
		add(name, fmt.Sprintf("%d–%d", x.From, x.To), x)
	}
}

func packageView(v *Visit) error {
	id, back, err := v.onCase(nil)
	if err != nil {
		return err
	}
	p, err := v.Desk().PackageView(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := packagePage{PackageView: &p, Stamp: v.stamp, Moment: v.Moment, Path: back}
	page.tracing(p.Traced)
	if !v.API() {
		if t := p.Traced; t != nil && t.Plan != nil && !t.Plan.Weak() && len(t.Plan.Curve) > 0 {
			page.Wide = v.Picture(t.Plan.SVG(800))
			page.Small = v.Picture(strings.NewReplacer("plan-title", "plan-title-n", "plan-desc", "plan-desc-n").Replace(t.Plan.SVG(328)))
			page.Words = t.Plan.Words()
		}
		if len(p.Revisions) > 0 {
			top, err := form.ParseLevel(p.Revisions[0].Level)
			for l := form.HeadsUp; err == nil && l <= top; l++ {
				page.Levels = append(page.Levels, l.String())
			}
		}
		page.Profiles = profiles
		page.Can = v.canAll(cvd.ACase(id), []cvd.Action{cvd.ActSaveDraft})
		page.Can["open draft"] = !p.Package.IsZero() && v.can(cvd.ActOpenDraft, cvd.APackage(p.Package))
		err := v.Desk().View(func(s *cvd.Programme) error {
			_, page.Keys = s.KeysOf(cvd.HolderID(v.By.Account))
			page.Can["preview"] = len(p.Revisions) > 0 && s.May(v.By, cvd.ActDraftWave, cvd.ARevision(p.Revisions[0].Revision), v.Now()) == nil
			return nil
		})
		if err != nil {
			return err
		}
	}
	return v.Render("package", page)
}

var profiles = []string{"default", "single", "two-point", "three-point", "arcsine"}

// draftPage is a draft that somebody opened: its files, and one of them to edit.
type draftPage struct {
	Case    cvd.CaseID   `json:"case"`
	Title   string       `json:"title"`
	Draft   string       `json:"draft"` // its hash: say it to change this one
	Files   []sourceFile `json:"files"`
	File    string       `json:"-"` // that is edited; empty: none
	Text    string       `json:"-"`
	Added   bool         `json:"-"` // it is a new one
	Refused []string     `json:"refusals"`
	Checked bool         `json:"checked"`
	Trace   packagePage  `json:"-"`
	Path    string       `json:"-"`
}

// sourceFile is a file of a source.
type sourceFile struct {
	Path string `json:"path" doc:"In the source's folder, with forward slashes."`
	Data []byte `json:"data" doc:"Its bytes, in base64."`
	Text bool   `json:"-"` // it can be edited on a page
	Size int    `json:"-"`
}

// editable is the longest file that a page takes into a field, in bytes.
const editable = 48 << 10

func sourceFiles(src carrier.Source) []sourceFile {
	out := []sourceFile{}
	for _, f := range src.Files {
		out = append(out, sourceFile{f.Path, f.Data, len(f.Data) <= editable && utf8.Valid(f.Data) && !slices.Contains(f.Data, 0), len(f.Data)})
	}
	return out
}

type openIn struct {
	File string `json:"file" doc:"The file to show for editing; to programs all are given."`
}

// openDraft gives a draft to somebody who works on it. The log says so, which is
// why it takes a form.
func openDraft(v *Visit) error {
	var in openIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	pkg, err := v.Desk().LastPackage(v.By, id)
	if err != nil {
		return err
	}
	src, err := v.Desk().OpenDraft(v.Context(), v.By, pkg)
	if err != nil {
		return err
	}
	view, err := v.Desk().PackageView(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := draftPage{Case: id, Title: view.Title, Draft: view.Draft, Files: sourceFiles(src), File: in.File, Refused: []string{}, Path: back}
	i := slices.IndexFunc(page.Files, func(f sourceFile) bool { return f.Path == in.File && f.Text })
	switch {
	case i >= 0:
		page.Text = string(page.Files[i].Data)
	case in.File != "":
		return &FieldError{"file", "is no text of this draft that a page can show: upload it anew"}
	}
	return v.Render("package-edit", page)
}

// saveIn is a change of a package: a whole source, or one file of the last draft.
type saveIn struct {
	Archive []byte `json:"archive" doc:"A whole source, as a .zip or .tar of its folder, in place of the last draft."`
	Profile string `json:"profile" doc:"Of a new package: default, single, two-point, three-point or arcsine."`
	New     bool   `json:"new" doc:"Make a further package of the case instead of the next revision of its last."`

	Draft  string `json:"draft" doc:"Hash of the draft that was opened: to change one file of it."`
	File   string `json:"file" doc:"The file that is changed, or added."`
	Text   string `json:"text" max:"200000" doc:"What it has from now on."`
	Remove bool   `json:"remove" doc:"Take the file out instead."`
	Check  bool   `json:"check" doc:"Only say what could be traced; keep nothing."`
}

type savedOut struct {
	Package  cvd.PackageID  `json:"package,omitzero"`
	Revision cvd.RevisionID `json:"revision,omitzero"`
	Number   uint32         `json:"number,omitempty"`
	Refused  []string       `json:"refusals"` // why nothing was kept; empty: it was
	Files    []fileTrace    `json:"files"`
	Parts    []partTrace    `json:"parts"`
	Warnings []string       `json:"warnings"`
}

// savePackage keeps a source as a draft and has it compiled to a revision. What
// would be refused is refused before anything is kept.
func savePackage(v *Visit) error {
	var in saveIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActSaveDraft, cvd.ACase(id)); err != nil {
		return err
	}
	if in.Draft != "" {
		return v.editFile(id, back, in)
	}
	files := slices.DeleteFunc(slices.Clone(v.Files), func(u Upload) bool { return u.Field != "files" && u.Field != "archive" })
	if len(in.Archive) > 0 {
		files = append(files, Upload{"archive", "", in.Archive})
	}
	src, err := sourceOf(files, func(b []byte) ([]hostile.File, error) { return v.Desk().Unpack(v.Context(), b) })
	if err != nil {
		return err
	}
	var profile fpcode.Profile
	if in.Profile != "" {
		if profile, err = fpcode.ParseProfile(in.Profile); err != nil {
			return &FieldError{"profile", "is none of " + strings.Join(profiles, ", ")}
		}
	}
	pkg, err := v.Desk().LastPackage(v.By, id)
	if err != nil {
		return err
	}
	if in.New {
		pkg = cvd.PackageID{}
	}
	if !pkg.IsZero() {
		profile = 0 // the package's own
	}
	if err := v.Desk().Vet(v.Context(), src); err != nil {
		return err
	}
	traced, err := v.Desk().Trace(id, src, profile, 1)
	if err != nil {
		return err
	}
	if len(traced.Refusals) > 0 {
		return v.refuseSource(id, back, traced)
	}
	added, err := v.Desk().AddRevision(v.Context(), v.By, id, pkg, profile, src)
	if err != nil {
		return err
	}
	return v.saved(back, added, traced)
}

func (v *Visit) saved(back string, added coordinator.Added, t *coordinator.Traced) error {
	var page packagePage
	page.tracing(t)
	return v.Done(back+"/package", savedOut{added.Package, added.Revision, added.Number, []string{}, page.Files, page.Parts, page.Warnings})
}

// refuseSource shows what keeps a source from sealing.
func (v *Visit) refuseSource(id cvd.CaseID, back string, t *coordinator.Traced) error {
	if v.API() {
		return v.JSON(http.StatusConflict, savedOut{Refused: t.Refusals, Files: []fileTrace{}, Parts: []partTrace{}, Warnings: []string{}})
	}
	page := draftPage{Case: id, Refused: t.Refusals, Path: back}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Title = n.Case(id); return nil }); err != nil {
		return err
	}
	return v.render(http.StatusConflict, "package-edit", page)
}

// editFile changes one file of the last draft.
func (v *Visit) editFile(id cvd.CaseID, back string, in saveIn) error {
	if err := form.CheckPath(in.File); err != nil {
		return &FieldError{"file", "is no name that a file can have: " + err.Error()}
	}
	text := in.Text
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n" // a form's field loses it
	}
	var src carrier.Source
	added := false
	made, traced, err := v.Desk().EditDraft(v.Context(), v.By, id, in.Draft, in.Check, func(s *carrier.Source) error {
		i, there := slices.BinarySearchFunc(s.Files, in.File, func(f carrier.SourceFile, p string) int { return cmp.Compare(f.Path, p) })
		switch {
		case in.Remove && !there:
			return &FieldError{"file", "is not in this draft"}
		case in.Remove:
			s.Files = slices.Delete(s.Files, i, i+1)
		case there:
			s.Files[i].Data = []byte(text)
		default:
			added = true
			s.Files = slices.Insert(s.Files, i, carrier.SourceFile{Path: in.File, Data: []byte(text)})
		}
		src = *s
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(traced.Refusals) == 0 && !in.Check:
		return v.saved(back, made, traced)
	}
	status := http.StatusOK
	if len(traced.Refusals) > 0 {
		status = http.StatusConflict
	}
	page := draftPage{Case: id, Draft: in.Draft, Files: sourceFiles(src), File: in.File, Text: text, Added: added, Refused: traced.Refusals, Checked: true, Path: back}
	page.Trace.tracing(traced)
	if v.API() {
		return v.JSON(status, savedOut{Refused: traced.Refusals, Files: page.Trace.Files, Parts: page.Trace.Parts, Warnings: page.Trace.Warnings})
	}
	if err := v.View(func(_ *cvd.Programme, n coordinator.Names) error { page.Title = n.Case(id); return nil }); err != nil {
		return err
	}
	return v.render(status, "package-edit", page)
}

type previewIn struct {
	Level string `json:"level" need:"true" doc:"What an audience of this level will see."`
}

// previewPackage has a copy sealed to the reader, in the reader's own marks.
func previewPackage(v *Visit) error {
	var in previewIn
	id, _, err := v.onCase(&in)
	if err != nil {
		return err
	}
	level, err := form.ParseLevel(in.Level)
	if err != nil {
		return &FieldError{"level", "is none of heads-up, description, detection, indicators and poc"}
	}
	if err := v.May(cvd.ActViewExposure, cvd.ACase(id)); err != nil {
		return err
	}
	rev, err := v.Desk().Revision(id, 0)
	if errors.Is(err, coordinator.ErrUnknown) {
		return fmt.Errorf("%w: the case has no package yet: add one first", cvd.ErrRefused)
	}
	if err != nil {
		return err
	}
	wave, err := v.Desk().DraftWave(v.Context(), v.By, cvd.DraftWave{Revision: rev, Purpose: cvd.Preview, Level: level, Audience: []cvd.HolderID{cvd.HolderID(v.By.Account)}})
	if err != nil {
		return err
	}
	return v.Done("/waves/"+wave.String(), waveOut{wave, 1, []coordinator.LeftOut{}})
}
