package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
)

// waveIn says which wave to draft. The same is asked of the page that shows who
// would get it, before it is done.
type waveIn struct {
	Level   string          `json:"level" doc:"heads-up, description, detection, indicators or poc: each includes those before it."`
	Tiers   []int           `json:"tiers" doc:"All members of these tiers who are in the case."`
	Members []string        `json:"members" max:"200000" doc:"Names or ids of members, one a line."`
	Staff   []cvd.AccountID `json:"staff" doc:"Accounts of the staff that get a copy too."`
	Keep    bool            `json:"keep" doc:"With 'amend': whoever is in the draft's audience stays."`
	Opens   time.Time       `json:"opens_at" doc:"When it opens."`
	Lapses  time.Time       `json:"lapses_at" doc:"When it is served no more; never, if nothing is said."`
	Zone    string          `json:"zone" doc:"The zone of times that were said without one."`
	Amend   cvd.WaveID      `json:"amend" doc:"The wave to change instead of drafting a new one; that voids its approval."`
	Widens  cvd.WaveID      `json:"widens" doc:"The wave whose audience this one adds to, for those who came late."`
	Expect  int             `json:"expect" low:"0" doc:"How many holders were seen: with others, nothing is drafted."`
}

// waveNewPage is the form for a wave, and who would get it.
type waveNewPage struct {
	coordinator.Choices
	Release  Moment                `json:"release"`
	Checked  bool                  `json:"checked"`    // the audience was worked out
	In       int                   `json:"holders"`    // who would get it
	Out      []coordinator.LeftOut `json:"left_out"`   // and who not, the first of them
	OutCount int                   `json:"left_out_n"` // all of them
	Reasons  []reasonCount         `json:"reasons"`

	Said    waveIn                 `json:"-"`
	Levels  []string               `json:"-"`
	Zone    string                 `json:"-"`
	Opens   string                 `json:"-"` // as the form's field has it
	Lapses  string                 `json:"-"`
	Amended *waveChoice            `json:"-"`
	Widened *waveChoice            `json:"-"`
	OpensAt Moment                 `json:"opens_at"`
	Fields  [][2]string            `json:"-"` // of the form that drafts it
	Ticked  map[int]bool           `json:"-"`
	Picked  map[cvd.AccountID]bool `json:"-"`
}

type waveChoice struct {
	Wave         cvd.WaveID
	Label, Level string
	Holders      int
}

type reasonCount struct {
	Why   string `json:"why"`
	Count int    `json:"count"`
}

// shownOut is how many of those who are left out a page names; all are counted
// by reason.
const shownOut = 50

func newWave(v *Visit) error {
	var in waveIn
	id, back, err := v.onCase(&in)
	if err != nil {
		return err
	}
	c, err := v.Desk().Choices(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	page := waveNewPage{Choices: c, Release: v.Moment(c.Release), Said: in, Zone: v.zoneOr(in.Zone), Out: []coordinator.LeftOut{}, Reasons: []reasonCount{}, Ticked: map[int]bool{}, Picked: map[cvd.AccountID]bool{}}
	for l := form.HeadsUp; l <= c.Level; l++ {
		page.Levels = append(page.Levels, l.String())
	}
	if err := v.wavesNamed(&page, id); err != nil {
		return err
	}
	for _, t := range in.Tiers {
		page.Ticked[t] = true
	}
	for _, a := range in.Staff {
		page.Picked[a] = true
	}
	in.Opens, in.Lapses = page.Said.Opens, page.Said.Lapses // those of a wave that is changed
	if in.Opens.IsZero() {
		in.Opens = v.Now().Add(time.Hour).Truncate(time.Minute)
	} else {
		page.OpensAt = v.Moment(in.Opens)
	}
	page.Opens, page.Lapses = v.inField(in.Opens, page.Zone), v.inField(in.Lapses, page.Zone)
	if in.Level == "" || c.Revision.IsZero() {
		return v.Render("wave-new", page)
	}
	q, err := v.draftOf(id, in, c.Revision)
	if err != nil {
		return err
	}
	a, err := v.Desk().Audience(v.Context(), v.By, q)
	if err != nil {
		return err
	}
	page.Checked, page.In, page.OutCount = true, len(a.In), len(a.Out)
	page.Out = a.Out[:min(len(a.Out), shownOut)]
	for _, l := range a.Out {
		i := slices.IndexFunc(page.Reasons, func(r reasonCount) bool { return r.Why == l.Why })
		if i < 0 {
			i = len(page.Reasons)
			page.Reasons = append(page.Reasons, reasonCount{Why: l.Why})
		}
		page.Reasons[i].Count++
	}
	for _, name := range []string{"level", "tiers", "members", "staff", "keep", "opens_at", "lapses_at", "zone", "amend", "widens"} {
		for _, s := range v.URL.Query()[name] {
			page.Fields = append(page.Fields, [2]string{name, s})
		}
	}
	page.Fields = append(page.Fields, [2]string{"expect", fmt.Sprint(page.In)})
	_ = back
	return v.Render("wave-new", page)
}

// wavesNamed finds the waves that a draft changes or widens.
func (v *Visit) wavesNamed(page *waveNewPage, id cvd.CaseID) error {
	for _, x := range []struct {
		wave  cvd.WaveID
		field string
		into  **waveChoice
	}{{page.Said.Amend, "amend", &page.Amended}, {page.Said.Widens, "widens", &page.Widened}} {
		if x.wave.IsZero() {
			continue
		}
		w, err := v.Desk().WaveView(v.Context(), v.By, x.wave)
		if err != nil || w.Case != id {
			return &FieldError{x.field, "is no wave of this case"}
		}
		*x.into = &waveChoice{w.Wave, w.Name, w.Level, len(w.Holders)}
		if x.field == "amend" && page.Said.Level == "" {
			page.Said.Level, page.Said.Keep = w.Level, true
			if page.Said.Opens.IsZero() && w.OpensAt.After(v.Now()) { // else a new time has to be said
				page.Said.Opens, page.Said.Lapses = w.OpensAt, w.LapsesAt
			}
		}
	}
	return nil
}

// inField is a time as a browser's field for one has it.
func (v *Visit) inField(t time.Time, zone string) string {
	in, err := time.LoadLocation(zone)
	if t.IsZero() || err != nil {
		return ""
	}
	layout := "2006-01-02T15:04"
	if t.Second() != 0 {
		layout += ":05" // or a change of something else would move it
	}
	return t.In(in).Format(layout)
}

// draftOf is the wave that was asked for, with all who were named.
func (v *Visit) draftOf(id cvd.CaseID, in waveIn, rev cvd.RevisionID) (q cvd.DraftWave, err error) {
	q = cvd.DraftWave{Wave: in.Amend, Revision: rev, Purpose: cvd.Staged, Widens: in.Widens, OpensAt: in.Opens, LapsesAt: in.Lapses}
	if q.Level, err = form.ParseLevel(in.Level); err != nil {
		return q, &FieldError{"level", "is none of heads-up, description, detection, indicators and poc"}
	}
	if q.Audience, err = v.Desk().InTiers(v.By, id, in.Tiers); err != nil {
		return q, err
	}
	members, err := v.Desk().MembersNamed(v.Context(), v.By, lines(in.Members))
	if err != nil {
		return q, err
	}
	for _, m := range members {
		q.Audience = append(q.Audience, cvd.HolderID(m))
	}
	for _, a := range in.Staff {
		q.Audience = append(q.Audience, cvd.HolderID(a))
	}
	if in.Keep && !in.Amend.IsZero() {
		w, err := v.Desk().WaveView(v.Context(), v.By, in.Amend)
		if err != nil {
			return q, err
		}
		for _, h := range w.Holders {
			q.Audience = append(q.Audience, h.Holder)
		}
		if q.Widens.IsZero() {
			q.Widens = w.Widens
		}
	}
	q.Audience = cvd.SortIDs(q.Audience)
	return q, nil
}

type waveOut struct {
	Wave    cvd.WaveID            `json:"wave"`
	Holders int                   `json:"holders"`
	Left    []coordinator.LeftOut `json:"left_out"`
}

func draftWave(v *Visit) error {
	var in waveIn
	id, _, err := v.onCase(&in)
	if err != nil {
		return err
	}
	c, err := v.Desk().Choices(v.Context(), v.By, id)
	if err != nil {
		return err
	}
	if c.Revision.IsZero() {
		return fmt.Errorf("%w: the case has no package yet: add one first", cvd.ErrRefused)
	}
	q, err := v.draftOf(id, in, c.Revision)
	if err != nil {
		return err
	}
	if in.Opens.IsZero() {
		return &FieldError{"opens_at", "is missing"}
	}
	a, err := v.Desk().Audience(v.Context(), v.By, q)
	switch {
	case err != nil:
		return err
	case in.Expect > 0 && in.Expect != len(a.In):
		return fmt.Errorf("%w: %d holders would get it now, and you saw %d: look at the audience again", cvd.ErrRefused, len(a.In), in.Expect)
	}
	wave, left, err := v.Desk().DraftFor(v.Context(), v.By, q)
	if err != nil {
		return err
	}
	return v.Done("/waves/"+wave.String(), waveOut{wave, len(a.In), append([]coordinator.LeftOut{}, left...)})
}

// wavePage is a wave as its staff see it. Its holders are a part of them.
type wavePage struct {
	*coordinator.WaveView
	list
	OpensAt  Moment       `json:"opens_at"`
	LapsesAt Moment       `json:"lapses_at"`
	Release  Moment       `json:"release"`
	At       Moment       `json:"drafted_at"`
	Holders  []holderLine `json:"holders"`
	Of       int          `json:"audience"`
	Fetched  int          `json:"fetched"`
	Received int          `json:"received"`

	NotReached int `json:"not_reached" doc:"Holders that no notice reached. Call them."`

	Can     map[string]bool `json:"-"`
	Rulings []rulingLine    `json:"-"`
	Mine    bool            `json:"-"` // the reader's own preview
	NotMe   string          `json:"-"` // why the reader can't approve it
}

type holderLine struct {
	coordinator.WaveHolder
	Notice   string `json:"notice,omitempty" doc:"That it opened: queued, sent, failed, bounced, seen, not reached or not told. Nothing for who may not view deliveries."`
	Fetched  Moment `json:"fetched"`
	Received Moment `json:"received"`
}

func (v *Visit) wave() (id cvd.WaveID, page wavePage, err error) {
	var in listIn
	if id, err = pathID[cvd.WaveID](v, "wave"); err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return id, page, err
	}
	w, err := v.Desk().WaveView(v.Context(), v.By, id)
	if err != nil {
		return id, page, err
	}
	page = wavePage{WaveView: &w, OpensAt: v.Moment(w.OpensAt), LapsesAt: v.Moment(w.LapsesAt), Release: v.Moment(w.Release), At: v.Moment(w.At), Of: len(w.Holders), Holders: []holderLine{}, Rulings: v.rulings(w.Uses, w.Release)}
	var all []coordinator.WaveHolder
	for _, h := range w.Holders {
		if !h.Fetched.IsZero() {
			page.Fetched++
		}
		if !h.Received.IsZero() {
			page.Received++
		}
		page.Mine = page.Mine || h.Holder == cvd.HolderID(v.By.Account)
		if strings.Contains(strings.ToLower(h.Name), strings.ToLower(in.Words)) {
			all = append(all, h)
		}
	}
	coordinator.SortHolders(all, in.Sort)
	shown, l, err := part(all, in, "/waves/"+id.String()+"#holders", func(h coordinator.WaveHolder) string { return h.Holder.String() },
		[2]string{"name", "Holder"}, [2]string{"tier", "#Tier"}, [2]string{"", "Notice"}, [2]string{"fetched", "Fetched"}, [2]string{"", "By"}, [2]string{"received", "Received"})
	if err != nil {
		return id, page, err
	}
	page.list = l
	told, err := v.Desk().WaveNotices(v.By, id)
	if err != nil {
		return id, page, err
	}
	for _, how := range told {
		if how == coordinator.NoticeNotReached {
			page.NotReached++
		}
	}
	for _, h := range shown {
		page.Holders = append(page.Holders, holderLine{h, told[h.Holder], v.Moment(h.Fetched), v.Moment(h.Received)})
	}
	return id, page, nil
}

// waveView shows a wave.
func waveView(v *Visit) error {
	id, page, err := v.wave()
	if err != nil {
		return err
	}
	if !v.API() {
		page.Can = v.canAll(cvd.AWave(id), []cvd.Action{cvd.ActApproveWave, cvd.ActHold, cvd.ActLiftHold, cvd.ActCancelWave})
		err := v.View(func(p *cvd.Programme, _ coordinator.Names) error {
			w := p.Waves[id]
			page.Can["lift hold"] = page.Can["lift hold"] && w.Hold != nil
			page.Can["hold"] = page.Can["hold"] && w.Hold == nil && w.Cancelled == nil
			staged := w.Purpose == cvd.Staged && p.May(v.By, cvd.ActDraftWave, cvd.ARevision(w.Revision), v.Now()) == nil
			page.Can["amend"] = staged && w.Statement == nil && w.Cancelled == nil
			page.Can["widen"] = staged && w.Statement != nil && w.Cancelled == nil
			s := p.WaveState(id, v.Now())
			page.Can["cancel wave"] = page.Can["cancel wave"] && page.Fetched == 0
			if s == cvd.StateDraft || w.Reask {
				var denied *cvd.Denied
				by := cvd.Actor{Account: v.By.Account} // as if proved
				if errors.As(p.May(by, cvd.ActApproveWave, cvd.AWave(id), v.Now()), &denied) {
					page.NotMe = denied.Why
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return v.Render("wave", page)
}

// approvePage shows a second person what they say yes to.
func approvePage(v *Visit) error {
	id, page, err := v.wave()
	if err != nil {
		return err
	}
	if err := v.May(cvd.ActApproveWave, cvd.AWave(id)); err != nil {
		return err
	}
	return v.Render("wave-approve", page)
}

type approveIn struct {
	Digest string `json:"digest" need:"true" doc:"Of the draft that was seen, as the wave shows it: of one that was changed since, it is refused."`
}

type approveOut struct {
	Wave   cvd.WaveID `json:"wave"`
	Copies int        `json:"copies"`
	Sealed bool       `json:"sealed"` // else the desk goes on with it by itself
}

// sealedAtOnce is up to how many copies an approval waits for. More are made
// while the page shows how far it is.
const sealedAtOnce = 100

func approveWave(v *Visit) error {
	var in approveIn
	id, err := pathID[cvd.WaveID](v, "wave")
	if err == nil {
		err = v.Ask(&in)
	}
	if err != nil {
		return err
	}
	digest, err := hex.DecodeString(in.Digest)
	if err != nil || len(digest) != 32 {
		return &FieldError{"digest", "is not 64 hexadecimal digits"}
	}
	out := approveOut{Wave: id}
	if out.Copies, err = v.Desk().ApproveSeen(v.Context(), v.By, id, [32]byte(digest)); err != nil {
		return err
	}
	if out.Copies <= sealedAtOnce {
		if err := v.Desk().Seal(v.Context(), id, nil); err != nil {
			return fmt.Errorf("%w: the approval is recorded, and %w", coordinator.ErrUnsealed, err)
		}
		out.Sealed = true
	}
	return v.Done("/waves/"+id.String(), out)
}

// onWave does something to a wave that has a reason, kept with its case.
func onWave(act cvd.Action, c func(cvd.WaveID, cvd.BlobRef) cvd.Command) func(*Visit) error {
	return func(v *Visit) error {
		var in reasonIn
		id, err := pathID[cvd.WaveID](v, "wave")
		if err == nil {
			err = v.Ask(&in)
		}
		if err != nil {
			return err
		}
		var cs cvd.CaseID
		err = v.Desk().View(func(p *cvd.Programme) error {
			if err := p.May(v.By, act, cvd.AWave(id), v.Now()); err != nil {
				return err
			}
			cs = p.Waves[id].Case
			return nil
		})
		if err != nil {
			return err
		}
		return v.reasoned("/waves/"+id.String(), act, cvd.AWave(id), coordinator.CaseKey(cs), in.Reason, func(why cvd.BlobRef) cvd.Command { return c(id, why) })
	}
}

var (
	holdWave   = onWave(cvd.ActHold, func(id cvd.WaveID, why cvd.BlobRef) cvd.Command { return cvd.Hold{Wave: id, Reason: why} })
	cancelWave = onWave(cvd.ActCancelWave, func(id cvd.WaveID, why cvd.BlobRef) cvd.Command { return cvd.CancelWave{Wave: id, Reason: why} })
	liftWave   = onWave(cvd.ActLiftHold, func(id cvd.WaveID, _ cvd.BlobRef) cvd.Command { return cvd.LiftHold{Wave: id} })
)
