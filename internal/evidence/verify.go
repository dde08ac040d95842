package evidence

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// Trust is what a verifier knows from elsewhere: the keys of the programme's
// log and of its inquiry, as vkeys of C2SP signed-note. An empty one isn't
// compared, and the report says so. Checkpoint is a signed checkpoint of the
// programme's log that came another way: from a mirror, or with a copy. Nil: none.
type Trust struct {
	LogKey     string
	InquiryKey string
	Checkpoint []byte
}

// Report is what VerifyDossier did, in order, and what it cannot do.
type Report struct {
	Steps      []Step
	Conclusion string // of the findings; empty unless every step held
	Statement  string
	KeyNote    string   // which keys this rests on
	NotChecked []string // what remains the inquiry's word
	Findings   *Findings
}

// Step is one thing that was verified.
type Step struct {
	Name   string
	OK     bool
	Detail string // what was found, in one line
}

// notReached marks the steps after a failed one.
const notReached = "not reached, because an earlier step failed"

// check is one step of the verification.
type check struct {
	name string
	run  func(*verification) (string, error)
}

// steps are run in order, and then those that the file's version has besides; each
// may rely on those before it. One that fails ends the verification.
var steps = []check{
	{"file", (*verification).file},
	{"sections", (*verification).sections},
	{"signature", (*verification).signature},
	{"findings", (*verification).findings},
	{"wave statements", (*verification).waves},
	{"Forms", (*verification).forms},
	{"bias key", (*verification).bias},
	{"copies issued", (*verification).issued},
	{"specimens", (*verification).specimens},
	{"freeze", (*verification).freeze},
	{"reading again", (*verification).read},
	{"codebook", (*verification).codebook},
	{"run", (*verification).run},
	{"freeze noted", (*verification).noted},
	{"copies named", (*verification).copies},
	{"printing again", (*verification).print},
	{"opened entries", (*verification).facts},
	{"tokens", (*verification).tokens},
	{"probabilities", (*verification).probabilities},
	{"sensitivity", (*verification).sensitivity},
	{"assumptions", (*verification).assumptions},
	{"conclusion", (*verification).conclusion},
}

// VerifyDossier repeats an inquiry's work from its dossier, offline. The report
// lists every step, whether or not it was reached. The error is the first
// failed step's: it wraps ErrNotVerified, entrylog.ErrProof, wire.ErrFormat or
// ErrUntrusted. A nil error means that every byte of the file is accounted for
// and every design-based number was computed again with the same result.
func VerifyDossier(b []byte, trust Trust) (Report, error) {
	v := &verification{raw: b, trust: trust}
	var r Report
	var failed error
	for _, s := range append(slices.Clone(steps), formatOf(b).steps...) {
		if failed != nil {
			r.Steps = append(r.Steps, Step{Name: s.name, Detail: notReached})
			continue
		}
		detail, err := s.run(v)
		if err != nil {
			failed = fmt.Errorf("%s: %w", s.name, err)
			detail = err.Error()
		}
		r.Steps = append(r.Steps, Step{Name: s.name, OK: err == nil, Detail: detail})
	}
	if failed != nil {
		return r, failed
	}
	r.Findings, r.Conclusion, r.Statement = v.f, v.f.Conclusion, v.f.Statement
	r.KeyNote = v.keyNote()
	r.NotChecked = v.notChecked()
	return r, nil
}

func (v *verification) notChecked() []string {
	out := []string{
		"Names: who stands behind a holder, an account or a group is the inquiry's word; and that no later entry changed a declared group.",
		"Model-based weights, rival explanations, first sighting, exposure counts and duties come from records that are not in this file.",
		"That the key of a receipt is one that its holder enrolled.",
		"That no account of those whose copies are named or compared was recovered, and no loss of the log declared, but as the findings tell; findings from before version 3 tell of none.",
		"That no evidence names the other copies: their keys stay closed, and nothing more is told of them. And that each wave's root has no more leaves than copies were counted.",
		"Where and when specimens were found and tokens first publicly seen. Which copies can be named, and whether a token counts, depends on it.",
		"That the sealer drew its keys fairly, and signed every run. The number of runs, copies and waves is the sealer's signed word.",
		"What happens to the keys opened here: whoever reads this file can recognise tokens of that epoch, and can write the copies that are named anew.",
	}
	if _, unknown := KnownBefore(v.f.FrozenAt, v.f.Specimens); unknown > 0 {
		out = append(out, fmt.Sprintf("When %d of the specimens first existed is not known. That the copies named were committed to before them is shown only as far as the freeze.", unknown))
	}
	if n := len(v.f.Partners); n > 0 {
		out[4] = fmt.Sprintf("That no evidence names the other copies: the keys of all but %d of them stay closed, and nothing more is told of any. And that each wave's root has no more leaves than copies were counted.", n)
	}
	if v.f.joint() && len(v.named()) > 0 {
		out = append(out, "That the copies beside which others were tested are those that the decoder finds: for that, all keys would have to be open. p_chosen counts every choice that there was.")
	}
	if v.f.Run > 1 {
		out = append(out, fmt.Sprintf("That this reading was made without knowledge of the keys: they had been open before, in run %d or earlier.", v.f.Run-1))
	}
	return append(append(out, v.notCheckedLater()...), v.known)
}

// verification is the state that steps hand on. Each field is set by the step
// that checks it.
type verification struct {
	raw   []byte
	trust Trust

	format    *format
	bodies    [][]byte
	hashes    [][32]byte
	sig       [64]byte
	d         Dossier
	log, inq  note.Verifier
	f         *Findings
	wave      []WaveStatement
	waveEntry []entrylog.Entry
	onLog     logState // of the programme's
	onInquiry logState // of the inquiry's
	known     string   // how Trust.Checkpoint compares
	form      map[[32]byte]*form.Form
	readings  *form.Readings
	frozen    ReadingsFrozen
	opened    entrylog.Entry // KindCodebookOpened
	basis     Basis
	rec       *token.Recogniser
	keys      map[ID][]*OpenedCopy // of each named holder, and of partners
	facted    map[uint64]fact      // opened entries of the main log, by number
}

func failf(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotVerified}, args...)...)
}

func (v *verification) file() (string, error) {
	if len(v.raw) > MaxDossier {
		return "", fmt.Errorf("%w: a dossier of %d bytes; at most %d are allowed", wire.ErrFormat, len(v.raw), MaxDossier)
	}
	v.format = formatOf(v.raw)
	v.bodies = make([][]byte, len(v.format.sections))
	v.hashes = make([][32]byte, len(v.format.sections))
	if err := wire.Unmarshal(v.raw, layoutFunc(func(c *wire.Coder) { v.format.frame(c, &v.bodies, v.hashes, &v.sig) })); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes in %d sections", len(v.raw), len(v.format.sections)), nil
}

func (v *verification) sections() (string, error) {
	for i, s := range v.format.sections {
		if sha256.Sum256(v.bodies[i]) != v.hashes[i] {
			return "", failf("section %q does not have the SHA-256 that the table gives for it", s.name)
		}
	}
	for i, s := range v.format.sections {
		if err := wire.Unmarshal(v.bodies[i], layoutFunc(func(c *wire.Coder) { s.lay(&v.d, c) })); err != nil {
			return "", fmt.Errorf("section %q: %w", s.name, err)
		}
	}
	if v.d.format() != v.format {
		return "", fmt.Errorf("%w: a dossier without edits, history and life is of the first version", wire.ErrFormat)
	}
	v.bodies = nil
	return "each section is as its SHA-256 in the signed table says", nil
}

func (v *verification) signature() (string, error) {
	var err error
	if v.log, err = note.NewVerifier(v.d.Programme.Key); err != nil {
		return "", failf("section %q: the log's key does not parse: %v", "programme", err)
	}
	if v.inq, err = note.NewVerifier(v.d.Inquiry.Key); err != nil {
		return "", failf("section %q: the inquiry's key does not parse: %v", "inquiry", err)
	}
	if !v.inq.Verify(v.format.table(v.hashes), v.sig[:]) {
		return "", failf("the signature over the table of sections is not by the inquiry's key %s", short(v.d.Inquiry.Key))
	}
	if v.trust.InquiryKey != "" && v.trust.InquiryKey != v.d.Inquiry.Key {
		return "", fmt.Errorf("%w: the dossier is signed by %s; you trust %s", ErrUntrusted, short(v.d.Inquiry.Key), short(v.trust.InquiryKey))
	}
	if v.trust.LogKey != "" && v.trust.LogKey != v.d.Programme.Key {
		return "", fmt.Errorf("%w: the dossier's log is %s; you trust %s", ErrUntrusted, short(v.d.Programme.Key), short(v.trust.LogKey))
	}
	return "signed by " + short(v.d.Inquiry.Key), nil
}

// short is a vkey's name and key id.
func short(vkey string) string {
	if parts := strings.SplitN(vkey, "+", 3); len(parts) == 3 {
		return parts[0] + "+" + parts[1]
	}
	return vkey
}

func (v *verification) keyNote() string {
	given := func(what, trusted, key string) string {
		if trusted != "" {
			return fmt.Sprintf("The %s key is the one you gave: %s.", what, short(key))
		}
		return fmt.Sprintf("The %s key was taken from the dossier itself: %s. Compare it with what you have from elsewhere: %s", what, short(key), key)
	}
	return given("log's", v.trust.LogKey, v.d.Programme.Key) + "\n" + given("inquiry's", v.trust.InquiryKey, v.d.Inquiry.Key)
}

func (v *verification) findings() (string, error) {
	f, err := ParseFindings(v.d.Findings)
	if err != nil {
		return "", err
	}
	if !slices.Contains(v.format.findings, f.Version) {
		return "", failf("findings of version %q are in a dossier that begins with %q, which has not what they rest on", f.Version, strings.TrimSpace(v.format.magic))
	}
	if f.Programme != v.log.Name() {
		return "", failf("they are of programme %q and the log is of %q", f.Programme, v.log.Name())
	}
	if n := len(f.Accused) + len(f.Conflicting); n > maxNamed || n*f.Readings.Sites > maxWork {
		return "", failf("they name %d copies on %d sites; at most %d are allowed, and %d together", n, f.Readings.Sites, maxNamed, maxWork)
	}
	if err := f.tested(); err != nil {
		return "", err
	}
	v.f = f
	return fmt.Sprintf("canonical JSON, %d bytes", len(v.d.Findings)), nil
}

// What bounds the work of verifying.
const (
	maxNamed = 16      // copies
	maxWork  = 1 << 18 // sites, over all copies that are named
	maxHits  = 4096    // tokens of one copy
)

// named are all copies that some evidence names.
func (v *verification) named() []*Accused {
	var out []*Accused
	for i := range v.f.Accused {
		out = append(out, &v.f.Accused[i])
	}
	for i := range v.f.Conflicting {
		out = append(out, &v.f.Conflicting[i])
	}
	return out
}

func (v *verification) waves() (string, error) {
	if len(v.d.Waves) == 0 {
		return "", failf("there are none, so nothing was committed to")
	}
	index := map[ID]int{}
	for i := range v.d.Waves {
		e, err := v.d.Waves[i].Verify(v.log, v.d.Programme.Interval)
		if err == nil {
			err = v.onLog.add(&v.d.Waves[i].AnchorProof)
		}
		if err != nil {
			return "", fmt.Errorf("wave %d: %w", i+1, err)
		}
		w, err := statementOf(e)
		if err != nil {
			return "", fmt.Errorf("wave %d: %w", i+1, err)
		}
		if _, ok := index[ID(w.Wave)]; ok || i > 0 && e.Time.Before(v.waveEntry[i-1].Time) {
			return "", failf("wave %d: waves are listed once each, in the order in which they were sealed", i+1)
		}
		index[ID(w.Wave)] = i
		if i > 0 {
			a, b := v.wave[0], w
			if a.Package != b.Package || a.Case != b.Case || a.Bias != b.Bias || a.Profile != b.Profile || a.Decoder != b.Decoder || a.AlphaPico != b.AlphaPico || a.Sealer != b.Sealer {
				return "", failf("wave %d: package, case, bias, profile, decoder, alpha and sealer are not those of the first wave", i+1)
			}
		}
		v.wave, v.waveEntry = append(v.wave, w), append(v.waveEntry, e)
	}
	w := v.wave[0]
	if f := v.f; f.Package != ID(w.Package) || f.Case != ID(w.Case) || f.Profile != w.Profile.String() || f.Decoder != w.Decoder || f.Alpha != AlphaText(w.AlphaPico) {
		return "", failf("the findings' case, package, profile, decoder or alpha are not those that were committed to")
	}
	for _, x := range v.f.Exposure {
		i, ok := index[x.Wave]
		if !ok || x.Label != WaveLabel(i) || x.Level != v.wave[i].Level.String() || !x.OpensAt.Equal(v.wave[i].OpensAt) {
			return "", failf("the findings' %s is not among the waves at that place, or its level or time differ", x.Label)
		}
	}
	if err := v.compareCheckpoint(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d, each in the anchored log %s, all with alpha %s and decoder %s", len(v.wave), v.log.Name(), v.f.Alpha, w.Decoder), nil
}

func (v *verification) forms() (string, error) {
	v.form = map[[32]byte]*form.Form{}
	for i, sf := range v.d.Forms {
		// Nothing is parsed that no wave was sealed with.
		hash := sha256.Sum256(sf.Form)
		used := slices.ContainsFunc(v.wave, func(w WaveStatement) bool { return w.Form == hash && w.Revision == sf.Revision })
		if !used {
			return "", failf("Form %d: no wave was sealed with it", i+1)
		}
		if v.form[hash] != nil {
			return "", failf("Form %d is listed twice", i+1)
		}
		f, err := form.Parse(sf.Form)
		if err != nil {
			return "", fmt.Errorf("number %d: %w", i+1, err)
		}
		table := f.SlotTableHash()
		for _, w := range v.wave {
			if w.Form == hash && w.SlotTable != table {
				return "", failf("Form %d: its slot table is not the one that wave %s was sealed with", i+1, w.Wave)
			}
			if w.Form == hash && w.Profile != f.Bias() {
				return "", failf("Form %d: it is of profile %v; wave %s committed to %v", i+1, f.Bias(), w.Wave, w.Profile)
			}
		}
		v.form[hash] = f
	}
	return fmt.Sprintf("%d, each with the hash, slot table and profile that its waves were sealed with", len(v.form)), nil
}

func (v *verification) bias() (string, error) {
	if fpcode.Commit(v.d.Bias) != v.wave[0].Bias {
		return "", failf("the bias key is not the one that was committed to")
	}
	return "opens the commitment in the wave statements", nil
}

func (v *verification) issued() (string, error) {
	o := v.d.Issued
	if int64(o.Wave) != int64(len(v.wave)-1) {
		return "", failf("the number opened is not the last wave's")
	}
	if IssuedCommitment(o.Salt, o.Copies) != v.wave[o.Wave].Issued {
		return "", failf("%d copies is not the number that was committed to", o.Copies)
	}
	if int64(o.Copies) != int64(v.f.Copies) || o.Copies == 0 {
		return "", failf("the findings count %d copies; %d were committed to", v.f.Copies, o.Copies)
	}
	return fmt.Sprintf("%d, as committed to with wave %d", o.Copies, o.Wave+1), nil
}

func (v *verification) specimens() (string, error) {
	if len(v.d.Specimens) != len(v.f.Specimens) || len(v.d.Specimens) == 0 {
		return "", failf("the findings list %d specimens and the dossier has %d", len(v.f.Specimens), len(v.d.Specimens))
	}
	for i, s := range v.d.Specimens {
		if f := v.f.Specimens[i]; f.Name != s.Name || f.Size != int64(len(s.Data)) || f.SHA256 != fmt.Sprintf("%x", sha256.Sum256(s.Data)) {
			return "", failf("specimen %d: name, size or SHA-256 are not those in the findings", i+1)
		}
	}
	return fmt.Sprintf("%d, as the findings list them", len(v.d.Specimens)), nil
}

func (v *verification) freeze() (string, error) {
	e, err := v.d.Inquiry.Freeze.Verify(v.inq, v.d.Inquiry.Interval)
	if err == nil {
		err = v.onInquiry.add(&v.d.Inquiry.Freeze.AnchorProof)
	}
	if err != nil {
		return "", err
	}
	if e.Kind != KindReadingsFrozen {
		return "", failf("the entry is of kind %d, not %d", e.Kind, KindReadingsFrozen)
	}
	if err := wire.Unmarshal(e.Body, &v.frozen); err != nil {
		return "", err
	}
	if v.readings, err = form.ParseReadings(v.d.Readings); err != nil {
		return "", fmt.Errorf("readings: %w", err)
	}
	z := v.frozen
	switch {
	case e.Subject != z.Case || ID(z.Case) != v.f.Case || ID(z.Package) != v.f.Package:
		return "", failf("it is about another case or package than the findings")
	case z.Readings != sha256.Sum256(v.d.Readings):
		return "", failf("the readings are not those that were frozen")
	case z.Form != v.readings.Form || z.Reader != v.readings.Reader || z.Reader != v.f.Reader:
		return "", failf("Form or reader are not those that were frozen")
	case !v.f.FrozenAt.Equal(e.Time):
		return "", failf("the findings date it %s; the entry is of %s", stamp(v.f.FrozenAt), stamp(e.Time))
	case len(z.Specimens) != len(v.d.Specimens):
		return "", failf("%d specimens were frozen; the dossier has %d", len(z.Specimens), len(v.d.Specimens))
	}
	for i, s := range v.d.Specimens {
		if z.Specimens[i].SHA256 != sha256.Sum256(s.Data) {
			return "", failf("specimen %d is not the one that was frozen", i+1)
		}
		if w := v.f.Specimens[i].Found; !w.From.Equal(z.Specimens[i].From) || !w.To.Equal(z.Specimens[i].To) {
			return "", failf("specimen %d: when it was known to exist is not as it was frozen", i+1)
		}
	}
	if i := v.revisionRead(); i < 0 || v.f.Revision != ID(v.wave[i].Revision) {
		return "", failf("the findings' revision is not that of the Form that was read")
	}
	for i, w := range v.wave {
		if w.Form == v.readings.Form && w.Reader != v.readings.Reader {
			return "", failf("it was read with %q; wave %d committed to %q", v.readings.Reader, i+1, w.Reader)
		}
	}
	return "readings and specimens were bound on " + stamp(e.Time) + ", in the anchored log " + v.inq.Name(), nil
}

// revisionRead is a wave of the Form that was read, or -1.
func (v *verification) revisionRead() int {
	for i := range v.wave {
		if v.wave[i].Form == v.readings.Form {
			return i
		}
	}
	return -1
}

func (v *verification) read() (string, error) {
	f := v.form[v.readings.Form]
	if f == nil {
		return "", failf("the Form that was read is not in the dossier")
	}
	if w := v.revisionRead(); w >= 0 && v.wave[w].Reader != v.readings.Reader {
		return "", failf("it was read with %q; the waves bound %q before there was anything to read", v.readings.Reader, v.wave[w].Reader)
	}
	again, err := form.ReadVersion(f, v.readings.Reader, v.d.Specimens)
	if err != nil {
		return "", failf("%v", err)
	}
	if !bytes.Equal(again.Marshal(), v.d.Readings) {
		return "", failf("reading the specimens again gives other readings")
	}
	if got := Counts(v.readings); !sameCounts(got, v.f.Readings) {
		return "", failf("the findings count %d sites read, %d other and %d erased; it is %d, %d and %d",
			v.f.Readings.Read, v.f.Readings.Other, v.f.Readings.Erased, got.Read, got.Other, got.Erased)
	}
	return fmt.Sprintf("the same readings, byte for byte: %d sites read, %d other, %d erased", v.f.Readings.Read, v.f.Readings.Other, v.f.Readings.Erased), nil
}

func (v *verification) codebook() (string, error) {
	e, err := v.d.Inquiry.Opened.Verify(v.inq, v.d.Inquiry.Interval)
	if err == nil {
		err = v.onInquiry.add(&v.d.Inquiry.Opened.AnchorProof)
	}
	if err != nil {
		return "", err
	}
	if e.Kind != KindCodebookOpened {
		return "", failf("the entry is of kind %d, not %d", e.Kind, KindCodebookOpened)
	}
	var o CodebookOpened
	if err := wire.Unmarshal(e.Body, &o); err != nil {
		return "", err
	}
	switch {
	case e.Subject != o.Package || o.Package != v.frozen.Package || o.Case != v.frozen.Case || o.Readings != v.frozen.Readings:
		return "", failf("the codebook was opened for something else than these readings")
	case e.Time.Before(v.f.FrozenAt):
		return "", failf("the codebook was opened before the readings were frozen")
	case v.f.Channel != ChannelText(v.f.Decoder):
		return "", failf("the findings' channel is not the one that decoder %s declares", v.f.Decoder)
	case int64(o.Run) != int64(v.f.Run) || int64(o.Copies) != int64(v.f.Copies):
		return "", failf("the findings count run %d over %d copies; the entry says run %d over %d", v.f.Run, v.f.Copies, o.Run, o.Copies)
	}
	for i, w := range v.waveEntry {
		if e.Time.Before(w.Time) {
			return "", failf("wave %d was sealed after the codebook was opened, so its copies were not tested", i+1)
		}
	}
	v.opened = e
	v.basis = Basis{Form: v.form[v.readings.Form], Readings: v.readings, Copies: v.f.Copies, Run: v.f.Run, Decoder: v.f.Decoder}
	return fmt.Sprintf("opened after the freeze, on %s, as run %d", stamp(e.Time), v.f.Run), nil
}
