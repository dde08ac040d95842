package inquiry

import (
	"context"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
	"forewarn/internal/wire"
)

// AlphaAllPico is α_E of eprocess/1, in units of 10⁻¹²: the probability that any
// innocent member is ever accused by all cases together, over the programme's
// whole life.
const AlphaAllPico = 1_000_000

// CaseCounted is the body of KindCaseCounted: what one case adds to the evidence of
// each member that had a copy in time. The subject is the package. It is opened to
// nobody: it holds numbers of copies that no evidence names.
type CaseCounted struct {
	Version       string // fpcode.EProcess
	Decoder       string // whose score it is: single/1, whatever the case is decoded by
	Case, Package entrylog.Ref
	Readings      [32]byte
	Sites         []fpcode.SiteID // new, and used from here on (spends)
	Scores        []MemberScore   // ascending by member
}

// MemberScore is the score of one member's copy over the new sites, in 2⁻¹⁶ nat.
type MemberScore struct {
	Member entrylog.Ref
	Score  int64
}

// Wire is the layout of doc/spec/findings.md.
func (b *CaseCounted) Wire(c *wire.Coder) {
	wire.Text(c, &b.Version, 64)
	wire.Text(c, &b.Decoder, 64)
	c.Fixed(b.Case[:])
	c.Fixed(b.Package[:])
	c.Fixed(b.Readings[:])
	wire.List(c, &b.Sites, 1<<15, func(c *wire.Coder, s *fpcode.SiteID) { c.Fixed(s[:]) })
	wire.List(c, &b.Scores, 1<<14, func(c *wire.Coder, s *MemberScore) {
		c.Fixed(s.Member[:])
		c.I64(&s.Score)
	})
}

// counting is one case: the first opening of keys for some readings.
type counting struct {
	entry entrylog.Seq
	at    time.Time
	evidence.CodebookOpened
	scores map[entrylog.Ref]int64 // nil: opened, and never counted
	sites  []fpcode.SiteID
}

// ledgerOfCases is all cases in the order in which their codebooks were opened,
// which is that of their freezes unless one was interrupted. None is left out: a
// case whose keys were opened and whose scores are not here counts as the worst
// that it can be, so that nobody gains by stopping after a look.
type ledgerOfCases []*counting

func (l *ledgerOfCases) find(pkg entrylog.Ref, readings [32]byte) *counting {
	for _, c := range *l {
		if c.Package == pkg && c.Readings == readings {
			return c
		}
	}
	return nil
}

func (l *ledgerOfCases) open(entry entrylog.Seq, at time.Time, b evidence.CodebookOpened) {
	if l.find(b.Package, b.Readings) == nil {
		*l = append(*l, &counting{entry: entry, at: at, CodebookOpened: b})
	}
}

func (b *CaseCounted) fold(s *state, _ entrylog.Seq, _ entrylog.Entry) error {
	c := s.counted.find(b.Package, b.Readings)
	switch {
	case b.Version != fpcode.EProcess:
		return fmt.Errorf("a case is counted by %q; this program knows %q", b.Version, fpcode.EProcess)
	case c == nil:
		return fmt.Errorf("a case is counted whose codebook was never opened")
	case c.scores != nil:
		return fmt.Errorf("a case is counted twice")
	}
	had := s.counted.used(b.Package)
	for _, site := range b.Sites {
		if had[site] {
			return fmt.Errorf("site %x counts twice", site)
		}
		had[site] = true
	}
	c.sites, c.scores = b.Sites, map[entrylog.Ref]int64{}
	for _, m := range b.Scores {
		c.scores[m.Member] = m.Score
	}
	return nil
}

// used are the sites of a package that have counted.
func (l *ledgerOfCases) used(pkg entrylog.Ref) map[fpcode.SiteID]bool {
	out := map[fpcode.SiteID]bool{}
	for _, c := range *l {
		if c.Package == pkg {
			for _, s := range c.sites {
				out[s] = true
			}
		}
	}
	return out
}

// fresh are the readings of sites that have not counted yet.
func (l *ledgerOfCases) fresh(pkg entrylog.Ref, readings []fpcode.Reading) (out []fpcode.Reading) {
	had := l.used(pkg)
	for _, r := range readings {
		if !had[r.Site] {
			out = append(out, r)
		}
	}
	return out
}

// wealth is a member's evidence after each case, in order, and whether the case
// touched it.
func (l *ledgerOfCases) wealth(m entrylog.Ref) (after []fpcode.Wealth, touched []bool) {
	var w fpcode.Wealth
	for _, c := range *l {
		score, had := c.scores[m]
		switch {
		case c.scores == nil:
			w.Add(fpcode.Worst)
		case had:
			w.Add(score)
		}
		after, touched = append(after, w), append(touched, had || c.scores == nil)
	}
	return after, touched
}

// spends reports whether a reading uses its site up: whether anything that is told
// of a case so decoded depends on what the copies have there. The score is of values
// alone. But joint/1, whose results are published, learns from a place with two
// symbols and no value too, since that is where the copies that were merged may have
// differed; a value that is found there later is not news of its own.
func spends(decoder string) func(fpcode.Reading) bool {
	return func(r fpcode.Reading) bool {
		return r.State == fpcode.Value || decoder == fpcode.JointDecoder && r.Q == 2
	}
}

// spent are the sites that readings use up, each once.
func spent(fresh []fpcode.Reading, decoder string) (out []fpcode.SiteID) {
	uses := spends(decoder)
	for _, x := range fresh {
		if uses(x) {
			out = append(out, x.Site)
		}
	}
	return out
}

// countCase adds a case to everybody's evidence, once. Holders whose keys of the
// package were open when the readings were frozen get no score of it: whoever has
// the dossier that opened them can write what agrees with them, and the bet would
// be no fair one. They were named, or somebody was tested beside them; neither can
// be held against them twice.
func (i *inquest) countCase(ctx context.Context, c candidate, book sealer.Codebook, decoder string, inTime map[entrylog.Ref]bool, open map[entrylog.Ref]string) error {
	pkg := entrylog.Ref(c.Package)
	if k := i.counted.find(pkg, c.readings.Hash()); k == nil || k.scores != nil {
		return nil
	}
	fresh := i.counted.fresh(pkg, c.readings.List())
	b := &CaseCounted{Version: fpcode.EProcess, Decoder: fpcode.SingleDecoder, Case: entrylog.Ref(i.cs), Package: pkg, Readings: c.readings.Hash()}
	b.Sites = spent(fresh, decoder)
	ev := fpcode.Weigh(fresh, c.form.Laws(), fpcode.Declared())
	for _, l := range book.Lines {
		if h := entrylog.Ref(l.Holder); inTime[h] && open[h] == "" {
			b.Scores = append(b.Scores, MemberScore{h, fpcode.Score(ev, l.Key)})
		}
	}
	slices.SortFunc(b.Scores, func(x, y MemberScore) int { return slices.Compare(x.Member[:], y.Member[:]) })
	_, err := i.log.Append(ctx, []ledger.Draft{{Kind: KindCaseCounted, Actor: entrylog.Ref(i.by.Account), Auth: i.by.Auth, Subject: pkg, Body: b}})
	return err
}

// History is a member's evidence over all cases, as far as it may be told.
//
// A number about a copy that no evidence names would let who chooses the specimens
// feel their way towards an innocent copy. So a case has numbers here only
// where findings of it named this member's copy, whose key is open then anyway; all
// together has one only when every case that touched the member has, or when it
// reached the threshold, which is an accusation like any other: then every case is
// opened with it.
type History struct {
	Member    cvd.MemberID
	Admitted  int    // the member's place in the order of admission, from 1
	Threshold string // E that accuses, rounded up
	Alpha     string // α_E
	Reached   bool
	E         string // empty: not told
	Cases     []HistoryCase
}

// HistoryCase is one case of a member's history.
type HistoryCase struct {
	Case     cvd.CaseID
	Package  cvd.PackageID
	Opened   time.Time
	Touched  bool // the member had a copy in time, and its key was not open before
	Lost     bool // opened and never counted: counts as the worst
	Named    bool // findings of the case name the member's copy
	Told     bool
	Score    int64  // 2⁻¹⁶ nat, over sites that were new; if Told
	E        string // of this case and those told before it; if Told
	NewSites int    // if Told
}

// History gives a member's history to who may investigate.
func (o *Office) History(desk *coordinator.Desk, by cvd.Actor, m cvd.MemberID) (h History, err error) {
	h.Member = m
	if err := desk.View(func(p *cvd.Programme) error {
		a := p.Accounts[by.Account]
		if a == nil || !a.Roles.Has(cvd.Investigator) {
			return p.May(by, cvd.ActInvestigate, cvd.ACase(cvd.CaseID{}), o.Clock())
		}
		h.Admitted = admitted(p, m)
		return nil
	}); err != nil {
		return h, err
	}
	if h.Admitted == 0 {
		return h, fmt.Errorf("%w: no member %s", cvd.ErrNotFound, m)
	}
	err = o.log.View(func() { o.state.history(&h) })
	return h, err
}

// admitted is a member's place in the order of admission, 0 for who is none.
func admitted(p *cvd.Programme, m cvd.MemberID) int { return slices.Index(p.MemberOrder, m) + 1 }

func (s *state) history(h *History) {
	ref := entrylog.Ref(h.Member)
	weight := fpcode.AdmissionWeight(h.Admitted)
	h.Alpha, h.Threshold = evidence.AlphaText(AlphaAllPico), fpcode.Threshold(weight, AlphaAllPico)
	after, touched := s.counted.wealth(ref)
	for _, w := range after {
		h.Reached = h.Reached || w.Reaches(weight, AlphaAllPico)
	}
	all := true
	var told fpcode.Wealth
	for n, c := range s.counted {
		row := HistoryCase{Case: cvd.CaseID(c.Case), Package: cvd.PackageID(c.Package), Opened: c.at, Touched: touched[n], Lost: c.scores == nil, Named: s.names(c, ref)}
		score, had := c.scores[ref]
		if row.Lost {
			score = fpcode.Worst
			told.Add(score) // that it counts so is no secret
		} else if row.Told = had && (row.Named || h.Reached); row.Told {
			told.Add(score)
			row.Score, row.NewSites, row.E = score, len(c.sites), fpcode.RoundDown2(told.Log())
		}
		all = all && (row.Told || row.Lost || !row.Touched)
		h.Cases = append(h.Cases, row)
	}
	if h.Reached || all && slices.ContainsFunc(h.Cases, func(c HistoryCase) bool { return c.Told }) {
		h.E = fpcode.RoundDown2(told.Log())
	}
}

// names reports whether findings of a case name a holder's copy.
func (s *state) names(c *counting, h entrylog.Ref) bool {
	for _, k := range s.findings {
		if k.Package == c.Package && k.Readings == c.Readings && slices.Contains(k.Named, h) {
			return true
		}
	}
	return false
}
