package evidence

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

// Accumulated is the part of findings about members whom all cases together
// accuse, whether or not this one does (fpcode.Wealth). Of members who reach no
// threshold there is nothing in it.
type Accumulated struct {
	Version   string                  `json:"version"`    // fpcode.EProcess
	Alpha     string                  `json:"alpha"`      // α_E: that any innocent member is ever accused so
	Together  string                  `json:"together"`   // α_E and this package's alpha
	AlphaPico uint64                  `json:"alpha_pico"` // α_E in units of 10⁻¹²
	Cases     int                     `json:"cases"`      // counted so far, all of them
	Members   List[AccumulatedMember] `json:"members"`
	Meaning   string                  `json:"meaning"`
}

// AccumulatedMember is one of them.
type AccumulatedMember struct {
	Holder    ID                    `json:"holder"`
	Name      string                `json:"name"`
	Admitted  int                   `json:"admitted"`  // place in the order of admission, from 1
	Threshold string                `json:"threshold"` // admitted·(admitted+1)/α_E, rounded up
	E         string                `json:"e"`         // greatest over the cases, rounded down
	Cases     List[AccumulatedCase] `json:"cases"`     // that touched the member, in order
	Statement string                `json:"statement"`
}

// AccumulatedCase is one case of a member.
type AccumulatedCase struct {
	Case     ID        `json:"case"`
	Package  ID        `json:"package"`
	OpenedAt time.Time `json:"opened_at"` // its codebook
	NewSites int       `json:"new_sites"`
	Score    int64     `json:"score"`          // 2⁻¹⁶ nat
	E        string    `json:"e"`              // after it, rounded down
	Lost     bool      `json:"lost,omitempty"` // its keys were opened and it was never counted: the worst that it can be
}

// AccumulatedMeaning says what E is.
const AccumulatedMeaning = `E multiplies, case by case, what a bet on 'derived from the copy issued to this member' would have won; of an innocent member it reaches its threshold, ever, with probability alpha divided among all members by the order of their admission. ` +
	`It counts every case, those that speak against it too, and one text once. One case counts up to a factor of about a million, so that no single one is enough. ` +
	`It says that some of the material in these cases is derived from copies issued to the member; not which, and not who passed it on. It shares every assumption of the cases that it is made of.`

// AccumulatedStatement is the accusation in words.
func AccumulatedStatement(name string, cases int) string {
	return fmt.Sprintf("Over %d cases, material is derived from copies issued to %s more than chance allows.", cases, name)
}

// AlphaTogether is the sum of two alphas in units of 10⁻¹², in two digits rounded
// up: what they are together.
func AlphaTogether(casePico, allPico uint64) string {
	return fpcode.RoundUp2(float64(casePico+allPico) / 1e12)
}

const limitAccumulated = "By the evidence of all cases together, copies issued to %d members are named, at an alpha of its own: %s, besides this package's %s. The keys of their copies in those cases are open from here on, and later runs there prove nothing new about them."

// LimitOpenBefore is printed beside limitAccumulated. Findings that were made before
// it was are without it, so it isn't required.
const LimitOpenBefore = "Of a case that was frozen after the key of a holder's copy had been opened, that holder gets no score: whoever had the dossier could have written what agrees. Which keys earlier dossiers opened cannot be seen from this one; that none such was counted is the inquiry's word, and an auditor with its log and its dossiers can see it."

func (f *Findings) accumulatedLimits() []string {
	if a := f.Accumulated; a != nil {
		return []string{fmt.Sprintf(limitAccumulated, len(a.Members), a.Alpha, f.Alpha)}
	}
	return nil
}

// counted is one opened case of the history.
type countedCase struct {
	*HistoryCase
	waves  []WaveStatement
	entry  entrylog.Entry // of the codebook
	opened CodebookOpened
	score  map[ID]int64
}

// history computes the evidence accumulated over cases again, from the readings,
// slot tables and copy keys of each.
func (v *verification) history() (string, error) {
	a := v.f.Accumulated
	if a == nil {
		if len(v.d.History) > 0 {
			return "", failf("earlier cases are opened that the findings do not tell of")
		}
		return "none told: no member is accused by all cases together", nil
	}
	if a.Version != fpcode.EProcess || a.Meaning != AccumulatedMeaning || a.Alpha != AlphaText(a.AlphaPico) || a.Together != AlphaTogether(v.wave[0].AlphaPico, a.AlphaPico) || len(a.Members) == 0 {
		return "", failf("its version, alpha or meaning are not those of %s", fpcode.EProcess)
	}
	cases, err := v.historyCases()
	if err != nil {
		return "", err
	}
	for _, m := range a.Members {
		if err := accumulated(m, cases, a.AlphaPico); err != nil {
			return "", fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return fmt.Sprintf("%s opened and scored again; %s, as the findings say", Count(len(cases), "case", "cases"), Count(len(a.Members), "member reaches the threshold", "members reach their thresholds")), nil
}

func (v *verification) historyCases() ([]countedCase, error) {
	var out []countedCase
	used := map[ID]map[fpcode.SiteID]bool{}
	for i := range v.d.History {
		c := countedCase{HistoryCase: &v.d.History[i], score: map[ID]int64{}}
		if err := v.historyCase(&c); err != nil {
			return nil, fmt.Errorf("case %d: %w", i+1, err)
		}
		if i > 0 && c.entry.Time.Before(out[i-1].entry.Time) {
			return nil, failf("case %d: cases are listed in the order in which their codebooks were opened", i+1)
		}
		pkg := ID(c.opened.Package)
		if used[pkg] == nil {
			used[pkg] = map[fpcode.SiteID]bool{}
		}
		for _, s := range c.Sites {
			if used[pkg][s] {
				return nil, failf("case %d: site %x counts twice", i+1, s)
			}
			used[pkg][s] = true
		}
		out = append(out, c)
	}
	return out, nil
}

// historyCase verifies one case, and scores its opened copies over its new sites.
func (v *verification) historyCase(c *countedCase) error {
	if err := v.historyWaves(c); err != nil {
		return err
	}
	var frozen ReadingsFrozen
	ze, err := v.inquiryPublic(&c.Freeze, KindReadingsFrozen, &frozen)
	if err != nil {
		return err
	}
	if c.entry, err = v.inquiryPublic(&c.Opened, KindCodebookOpened, &c.opened); err != nil {
		return err
	}
	readings, err := form.ParseReadings(c.Readings)
	if err != nil {
		return err
	}
	switch hash := sha256.Sum256(c.Readings); {
	case frozen.Readings != hash || c.opened.Readings != hash:
		return failf("the readings are not those that were frozen and decoded")
	case frozen.Package != c.opened.Package || frozen.Package != c.waves[0].Package || frozen.Form != c.waves[0].Form:
		return failf("freeze, codebook and wave are of different packages or Forms")
	case c.entry.Time.Before(ze.Time):
		return failf("the codebook was opened before the readings were frozen")
	}
	read := map[fpcode.SiteID]bool{}
	for _, r := range readings.List() {
		read[r.Site] = true
	}
	for _, s := range c.Sites {
		if !read[s] {
			return failf("site %x counts and was not read", s)
		}
	}
	var list []fpcode.Reading
	for _, r := range readings.List() {
		if slices.ContainsFunc(c.Sites, func(s fpcode.SiteID) bool { return bytes.Equal(s[:], r.Site[:]) }) {
			list = append(list, r)
		}
	}
	laws, err := form.SlotTableLaws(c.SlotTable)
	if err != nil {
		return err
	}
	ev := fpcode.Weigh(list, laws, fpcode.Declared())
	var found []SpecimenFacts
	for _, s := range frozen.Specimens {
		found = append(found, SpecimenFacts{Found: Window{From: s.From, To: s.To}})
	}
	limit, _ := KnownBefore(ze.Time, found)
	for i := range c.Copies {
		o := &c.Copies[i]
		if int64(o.Wave) >= int64(len(c.Waves)) {
			return failf("copy %d names wave %d of %d", i+1, o.Wave+1, len(c.Waves))
		}
		if err := bound(c.waves[o.Wave], o.Path, o.leaf()); err != nil {
			return err
		}
		if at := c.Waves[o.Wave].Anchor.Tick.Instant(v.d.Programme.Interval); !at.Before(limit) {
			return failf("the wave of copy %d was anchored on %s, when the material may have existed", i+1, stamp(at))
		}
		c.score[ID(o.Holder)] = fpcode.Score(ev, o.Key)
	}
	return nil
}

// historyWaves verifies the statements of a case's waves.
func (v *verification) historyWaves(c *countedCase) error {
	for i := range c.Waves {
		e, err := c.Waves[i].Verify(v.log, v.d.Programme.Interval)
		if err == nil {
			err = v.onLog.add(&c.Waves[i].AnchorProof)
		}
		if err != nil {
			return err
		}
		w, err := statementOf(e)
		if err != nil {
			return err
		}
		if c.waves = append(c.waves, w); w.Package != c.waves[0].Package || w.SlotTable != c.waves[0].SlotTable || w.Form != c.waves[0].Form {
			return failf("its waves are of different packages or Forms")
		}
	}
	if len(c.waves) == 0 {
		return failf("it has no wave, so nothing was committed to")
	}
	if sha256.Sum256(c.SlotTable) != c.waves[0].SlotTable {
		return failf("the slot table is not the one that was committed to")
	}
	return nil
}

// inquiryPublic opens a public entry of the inquiry's log.
func (v *verification) inquiryPublic(p *entrylog.EntryProof, kind entrylog.Kind, body wire.Layout) (entrylog.Entry, error) {
	e, err := p.Verify(v.inq, v.d.Inquiry.Interval)
	if err == nil {
		err = v.onInquiry.add(&p.AnchorProof)
	}
	if err != nil {
		return e, err
	}
	if e.Kind != kind {
		return e, failf("the entry is of kind %d, not %d", e.Kind, kind)
	}
	return e, wire.Unmarshal(e.Body, body)
}

// accumulated holds a member's row against the cases. A case that was lost counts
// as the worst, so it needs no proof.
func accumulated(m AccumulatedMember, cases []countedCase, alphaPico uint64) error {
	var scores []CaseScore
	for _, c := range cases {
		if s, ok := c.score[m.Holder]; ok {
			scores = append(scores, CaseScore{ID(c.opened.Case), ID(c.opened.Package), c.entry.Time, len(c.Sites), s, false})
		}
	}
	for i, r := range m.Cases {
		if r.Lost && i <= len(scores) {
			scores = slices.Insert(scores, i, CaseScore{Case: r.Case, Package: r.Package, OpenedAt: r.OpenedAt, Lost: true})
		}
	}
	row, reached := Accumulate(m.Admitted, scores).Row(m.Holder, m.Name, alphaPico)
	switch {
	case !reached:
		return failf("E does not reach the threshold")
	case !slices.Equal(row.Cases, m.Cases):
		return failf("its cases, scores or E are not as computed again")
	case m.Threshold != row.Threshold || m.E != row.E || m.Statement != row.Statement:
		return failf("threshold, E or statement are not as computed again")
	}
	return nil
}

// CaseScore is what a case gives a member.
type CaseScore struct {
	Case, Package ID
	OpenedAt      time.Time
	NewSites      int
	Score         int64
	Lost          bool // its keys were opened and it was never counted
}

// Accumulation is a member's evidence over cases.
type Accumulation struct {
	admitted int
	cases    List[AccumulatedCase]
	wealth   []fpcode.Wealth
	best     int64
}

// Accumulate adds up scores in order. Those who write findings and those who check
// them run the same lines.
func Accumulate(admitted int, scores []CaseScore) (a Accumulation) {
	a.admitted = admitted
	var w fpcode.Wealth
	for i, s := range scores {
		if s.Lost {
			s.Score = fpcode.Worst
		}
		w.Add(s.Score)
		if s.Lost {
			s.Score = 0
		}
		if l := w.Log(); i == 0 || l > a.best {
			a.best = l
		}
		a.wealth = append(a.wealth, w)
		a.cases = append(a.cases, AccumulatedCase{s.Case, s.Package, s.OpenedAt, s.NewSites, s.Score, fpcode.RoundDown2(w.Log()), s.Lost})
	}
	return a
}

func (a Accumulation) reached(alphaPico uint64) bool {
	return slices.ContainsFunc(a.wealth, func(w fpcode.Wealth) bool { return w.Reaches(fpcode.AdmissionWeight(a.admitted), alphaPico) })
}

// Row is the member's row in findings; false when E reaches no threshold.
func (a Accumulation) Row(holder ID, name string, alphaPico uint64) (AccumulatedMember, bool) {
	if !a.reached(alphaPico) {
		return AccumulatedMember{}, false
	}
	return AccumulatedMember{Holder: holder, Name: name, Admitted: a.admitted, Threshold: fpcode.Threshold(fpcode.AdmissionWeight(a.admitted), alphaPico),
		E: fpcode.RoundDown2(a.best), Cases: a.cases, Statement: AccumulatedStatement(name, len(a.cases))}, true
}
