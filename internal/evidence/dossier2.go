package evidence

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"forewarn/internal/entrylog"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

const dossierMagic2 = "forewarn dossier v2\n"

// FindingsVersion2 opens findings that tell of edits by hand, of evidence
// accumulated over cases, or of copies that were tested beside others.
const FindingsVersion2 = "forewarn findings v2"

// version is the one that findings with this content have.
func (f *Findings) version() string {
	switch {
	case f.Recoveries != nil:
		return FindingsVersion3
	case f.Edits != nil || f.Accumulated != nil || f.joint():
		return FindingsVersion2
	}
	return FindingsVersion
}

// SetVersion gives findings the version that their content has.
func (f *Findings) SetVersion() { f.Version = f.version() }

// format is a version of the dossier.
type format struct {
	magic    string
	sections []section
	findings []string // their versions that it can hold
	steps    []check  // besides those of all versions
}

var format1 = format{dossierMagic, sections, []string{FindingsVersion}, nil}

var format2 = format{dossierMagic2, append(slices.Clone(sections),
	section{"edits", func(d *Dossier, c *wire.Coder) {
		c.Bytes(&d.Edits.Text, maxEdits)
		wire.Layouts(c, &d.Edits.Frozen, 1)
	}},
	section{"history", func(d *Dossier, c *wire.Coder) { wire.Layouts(c, &d.History, maxHistory) }},
	section{"life", func(d *Dossier, c *wire.Coder) { wire.Layouts(c, &d.Life, maxLife) }},
), []string{FindingsVersion, FindingsVersion2, FindingsVersion3}, []check{
	{"edits", (*verification).edits},
	{"history", (*verification).history},
	{"recoveries", (*verification).recoveries},
	{"life", (*verification).life},
}}

const (
	maxHistory = 1024 // cases
	maxLife    = 4096 // acts
)

// formatOf tells a file's version by its first line. What is neither is read as
// the first, which says so.
func formatOf(b []byte) *format {
	if bytes.HasPrefix(b, []byte(dossierMagic2)) {
		return &format2
	}
	return &format1
}

// format is the least version that has all of a dossier.
func (d *Dossier) format() *format {
	if len(d.Edits.Text) > 0 || len(d.History) > 0 || len(d.Life) > 0 || d.of(FindingsVersion2) || d.of(FindingsVersion3) {
		return &format2
	}
	return &format1
}

// of reports whether the findings begin as those of a version do.
func (d *Dossier) of(version string) bool {
	return bytes.HasPrefix(d.Findings, []byte("{\n  \"version\": \""+version+"\""))
}

// DossierEdits is edits by hand, and the entry that froze them.
type DossierEdits struct {
	Text   []byte                // form.Edits.Marshal
	Frozen []entrylog.InnerProof // one, where there are edits
}

// LifeEntry is an act on the findings: its entry on the inquiry's log, and the
// text that the entry names by its hash, empty where it names none. The first is
// the draft's.
type LifeEntry struct {
	Proof entrylog.InnerProof
	Text  []byte
}

// Wire is the layout of doc/spec/findings.md.
func (l *LifeEntry) Wire(c *wire.Coder) {
	l.Proof.Wire(c)
	c.Bytes(&l.Text, 16<<20)
}

// HistoryCase is what one earlier case adds to the evidence against somebody:
// opened as far as that takes, for the holders who are accused by all cases
// together.
type HistoryCase struct {
	Waves     []entrylog.EntryProof // of its package, in which Copies were committed to
	Freeze    entrylog.EntryProof
	Opened    entrylog.EntryProof
	Readings  []byte
	SlotTable []byte
	Sites     []fpcode.SiteID // that were new, and counted
	Copies    []OpenedCopy    // one of each holder; OpenedCopy.Wave counts in Waves
}

// Wire is the layout of doc/spec/findings.md.
func (h *HistoryCase) Wire(c *wire.Coder) {
	wire.Layouts(c, &h.Waves, maxNamed)
	h.Freeze.Wire(c)
	h.Opened.Wire(c)
	c.Bytes(&h.Readings, maxSection)
	c.Bytes(&h.SlotTable, maxSection)
	wire.List(c, &h.Sites, 1<<15, func(c *wire.Coder, s *fpcode.SiteID) { c.Fixed(s[:]) })
	wire.Layouts(c, &h.Copies, maxNamed)
}

// Wire is the layout of doc/spec/dossier.md.
func (o *OpenedCopy) Wire(c *wire.Coder) {
	c.Fixed(o.Holder[:])
	c.U32(&o.Wave)
	c.Fixed(o.Key[:])
	c.Fixed(o.LeafSalt[:])
	c.Fixed(o.Copy[:])
	o.Path.Wire(c)
}

// ParseDossier reads a dossier without verifying anything but its frame: for who
// wrote it, to write it anew. Errors wrap wire.ErrFormat or ErrNotVerified.
func ParseDossier(b []byte) (*Dossier, error) {
	v := &verification{raw: b}
	if _, err := v.file(); err != nil {
		return nil, err
	}
	if _, err := v.sections(); err != nil {
		return nil, err
	}
	v.d.signature = v.sig
	return &v.d, nil
}

// life checks the acts on the findings: each in the anchored log, about these
// findings, and one that could follow those before it.
func (v *verification) life() (string, error) {
	if len(v.d.Life) == 0 {
		return "not told: this is the draft, or a dossier from before anything was done with it", nil
	}
	var l Life
	for i := range v.d.Life {
		p := &v.d.Life[i]
		e, err := v.inquiryEntry(&p.Proof)
		if err != nil {
			return "", fmt.Errorf("act %d: %w", i+1, err)
		}
		if i == 0 {
			if l, err = v.drafted(e, p.Proof.Seq); err != nil {
				return "", err
			}
			continue
		}
		if p.Proof.Seq <= v.d.Life[i-1].Proof.Seq {
			return "", failf("act %d: acts are listed in the order of the log", i+1)
		}
		var b FindingsStage
		if e.Kind != KindFindingsStage {
			return "", failf("act %d: the entry is of kind %d, not %d", i+1, e.Kind, KindFindingsStage)
		}
		if err := wire.Unmarshal(e.Body, &b); err != nil {
			return "", err
		}
		if b.Findings != sha256.Sum256(v.d.Findings) {
			return "", failf("act %d: it is about other findings", i+1)
		}
		if b.Text != [32]byte{} && sha256.Sum256(p.Text) != b.Text || b.Text == [32]byte{} && len(p.Text) > 0 {
			return "", failf("act %d: the text is not the one that was attached", i+1)
		}
		if l, err = l.Take(b.Done(e, p.Proof.Seq)); err != nil {
			return "", failf("act %d: %v", i+1, err)
		}
	}
	last := l.Done[len(l.Done)-1]
	return fmt.Sprintf("%s, each in the anchored log and each one that could follow; by %s these findings were %s", Count(len(l.Done), "act", "acts"), stamp(last.At), l.Stage), nil
}

func (v *verification) drafted(e entrylog.Entry, seq entrylog.Seq) (Life, error) {
	var b FindingsDrafted
	if e.Kind != KindFindingsDrafted {
		return Life{}, failf("act 1: the entry is of kind %d, not %d", e.Kind, KindFindingsDrafted)
	}
	if err := wire.Unmarshal(e.Body, &b); err != nil {
		return Life{}, err
	}
	if b.Findings != sha256.Sum256(v.d.Findings) || b.Readings != v.frozen.Readings || b.Package != v.frozen.Package || b.Case != v.frozen.Case || b.Traced != (v.f.Conclusion == Traced) {
		return Life{}, failf("act 1: other findings were drafted")
	}
	var named []entrylog.Ref
	for _, a := range v.named() {
		named = append(named, entrylog.Ref(a.Holder))
	}
	if !slices.Equal(named, b.Named) {
		return Life{}, failf("act 1: the draft names other copies")
	}
	if e.Time.Before(v.opened.Time) {
		return Life{}, failf("act 1: it was drafted before the keys were opened")
	}
	return Drafted(b.Named, Done{At: e.Time, By: e.Actor, Entry: seq}), nil
}

// notCheckedLater is what of version 2 stays somebody's word.
func (v *verification) notCheckedLater() (out []string) {
	if v.f.Accumulated != nil {
		out = append(out, "That no case was left out of the evidence accumulated over cases, and the members' places in the order of admission: an auditor with the two logs can count.")
	}
	if len(v.d.Life) > 0 {
		out = append(out, "That nothing was done with these findings since, and that two accounts are two persons.")
	}
	return out
}
