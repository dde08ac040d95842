package coordinator

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
)

// MemberRow is a member in a list, as staff see it.
type MemberRow struct {
	Member        cvd.MemberID `json:"member"`
	Name          string       `json:"name"`
	Tier          uint8        `json:"tier"`
	Jurisdictions []string     `json:"jurisdictions"`
	Standing      string       `json:"standing"`
	Terms         bool         `json:"terms_accepted"` // those that bind now
	Keys          bool         `json:"keys"`           // in use
	Accounts      int          `json:"accounts"`       // open
	Group         bool         `json:"group"`          // under common ownership with others
}

// MemberBoard lists all members whose name or jurisdiction has some words, in the
// order that is asked for: name, tier, standing, keys or terms, with '-' turned
// round; "" is the order of admission. Names stand in it where they were looked for
// or sorted by; FillNames has them for those that are shown.
func (d *Desk) MemberBoard(ctx context.Context, by cvd.Actor, words, order string) (out []MemberRow, err error) {
	low := strings.ToLower(words)
	named := low != "" || strings.HasSuffix(order, "name")
	if named {
		if err := d.Warm(ctx); err != nil {
			return nil, err
		}
	}
	err = d.View(func(p *cvd.Programme) error {
		now, n := d.at(p), d.Names(ctx, p)
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		out = make([]MemberRow, 0, len(p.MemberOrder))
		for _, id := range p.MemberOrder {
			m, name := p.Members[id], ""
			if named {
				name = n.Member(id)
			}
			if low == "" || strings.Contains(strings.ToLower(name), low) || slices.ContainsFunc(m.Jurisdictions, func(j cvd.Jurisdiction) bool { return strings.EqualFold(j.String(), low) }) || strings.HasPrefix(id.String(), low) {
				out = append(out, memberRow(p, name, m, now))
			}
		}
		return nil
	})
	turn(out, order, map[string]func(a, b *MemberRow) int{
		"name":     func(a, b *MemberRow) int { return fold(a.Name, b.Name) },
		"tier":     func(a, b *MemberRow) int { return cmp.Compare(a.Tier, b.Tier) },
		"standing": func(a, b *MemberRow) int { return cmp.Compare(a.Standing, b.Standing) },
		"keys":     func(a, b *MemberRow) int { return boolean(a.Keys, b.Keys) },
		"terms":    func(a, b *MemberRow) int { return boolean(a.Terms, b.Terms) },
	})
	return out, err
}

// FillNames fills in the names of these members.
func (d *Desk) FillNames(ctx context.Context, by cvd.Actor, rows []MemberRow) error {
	return d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		for i := range rows {
			rows[i].Name = d.Names(ctx, p).Member(rows[i].Member)
		}
		return nil
	})
}

// boolean puts what is wanting first.
func boolean(a, b bool) int {
	switch {
	case a == b:
		return 0
	case !a:
		return -1
	}
	return 1
}

func memberRow(p *cvd.Programme, name string, m *cvd.Member, now time.Time) MemberRow {
	row := MemberRow{Member: m.ID, Name: name, Tier: m.Tier, Jurisdictions: make([]string, 0, len(m.Jurisdictions)), Standing: m.Standing.String(), Terms: p.TermsAccepted(m.ID, now), Group: !m.Group.IsZero()}
	_, row.Keys = p.KeysOf(cvd.HolderID(m.ID))
	for _, j := range m.Jurisdictions {
		row.Jurisdictions = append(row.Jurisdictions, j.String())
	}
	for _, a := range m.Accounts {
		if p.Accounts[a].Closed == nil {
			row.Accounts++
		}
	}
	return row
}

// MemberView is one member, as staff see it.
type MemberView struct {
	MemberRow
	Admitted  time.Time        `json:"admitted"`
	By        string           `json:"admitted_by"`
	Standings []StandingChange `json:"standings"` // changes, the newest first
	Next      []string         `json:"can_become"`
	Accepted  []AcceptedTerms  `json:"accepted"` // the newest first
	KeySets   []KeySetView     `json:"key_sets"` // the newest first
	People    []MemberPerson   `json:"people"`
	Owners    []MemberRef      `json:"under_common_ownership"`
	Products  []ProtectedView  `json:"products"`
	Cases     []MemberCase     `json:"cases"` // the newest first
}

// StandingChange is one change of a member's standing.
type StandingChange struct {
	At       time.Time `json:"at"`
	By       string    `json:"by"`
	Standing string    `json:"standing"`
	Reason   string    `json:"reason,omitempty"`
	Entry    uint64    `json:"entry"`
}

// AcceptedTerms is a member's yes to terms.
type AcceptedTerms struct {
	Number uint32    `json:"number"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Entry  uint64    `json:"entry"`
}

// KeySetView is keys that a member enrolled at one time, and what was handed out
// sealed to them.
type KeySetView struct {
	Short      string        `json:"fingerprint"` // of the signing key: the first 8 bytes of its SHA-256, hex
	Recipients int           `json:"recipients"`
	Enrolled   time.Time     `json:"enrolled"`
	By         string        `json:"by"`
	Entry      uint64        `json:"entry"`
	Ended      time.Time     `json:"ended,omitzero"` // replaced or revoked
	Revoked    bool          `json:"revoked"`
	Copies     []CopyUnderIt `json:"copies"` // the newest first
}

// CopyUnderIt is a copy that was sealed to a set of keys. Whoever has those keys
// can read what was fetched while they were in use.
type CopyUnderIt struct {
	Wave    cvd.WaveID `json:"wave"`
	Title   string     `json:"title"`
	Label   string     `json:"label"`
	Level   string     `json:"level"`
	Fetched time.Time  `json:"fetched,omitzero"` // the first time under these keys; zero: not
	Anew    time.Time  `json:"sealed_anew,omitzero"`
	Waits   bool       `json:"waits"` // to be sealed to newer keys, or for the member to enrol some
}

// MemberPerson is one of a member's accounts.
type MemberPerson struct {
	Account  cvd.AccountID `json:"account"`
	Handle   string        `json:"handle"`
	Name     string        `json:"name"`
	Roles    string        `json:"roles"`
	Passkeys int           `json:"passkeys"`
	Closed   bool          `json:"closed"`
}

// MemberRef is a member by name.
type MemberRef struct {
	Member cvd.MemberID `json:"member"`
	Name   string       `json:"name"`
}

// ProtectedView is a product that a member protects.
type ProtectedView struct {
	Name  string `json:"name"`
	Count uint64 `json:"count,omitempty"` // installations, as told
}

// MemberCase is a case that a member was invited to.
type MemberCase struct {
	Case    cvd.CaseID `json:"case"`
	Title   string     `json:"title"`
	Consent string     `json:"consent"`
	Fetched int        `json:"fetched"`
}

// MemberView gathers a member for the staff.
func (d *Desk) MemberView(ctx context.Context, by cvd.Actor, id cvd.MemberID) (v MemberView, err error) {
	err = d.View(func(p *cvd.Programme) error {
		now, n := d.at(p), d.Names(ctx, p)
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		if err := p.May(by, cvd.ActViewMember, cvd.AMember(id), now); err != nil {
			return err
		}
		m := p.Members[id]
		v = MemberView{MemberRow: memberRow(p, n.Member(id), m, now), Admitted: m.Admitted.At, By: n.Account(m.Admitted.By), Standings: []StandingChange{}, Next: []string{},
			Accepted: []AcceptedTerms{}, People: []MemberPerson{}, Owners: []MemberRef{}, Products: []ProtectedView{}, Cases: []MemberCase{}}
		for _, s := range slices.Backward(m.Standings) {
			v.Standings = append(v.Standings, StandingChange{s.At, n.Account(s.By), s.Standing.String(), d.because(ctx, s.Reason), uint64(s.Seq)})
		}
		for s := cvd.Good; s <= cvd.Left; s++ {
			if cvd.Standings.Can(m.Standing, s, "StandingChanged") {
				v.Next = append(v.Next, s.String())
			}
		}
		for _, a := range slices.Backward(m.Accepted) {
			v.Accepted = append(v.Accepted, AcceptedTerms{a.Number, a.At, n.Account(a.By), uint64(a.Seq)})
		}
		v.KeySets = keySets(p, n, cvd.HolderID(id))
		for _, a := range m.Accounts {
			acc, who := p.Accounts[a], n.Person(a)
			x := MemberPerson{Account: a, Handle: who.Handle, Name: who.Name, Roles: acc.Roles.String(), Closed: acc.Closed != nil}
			for i := range acc.Credentials {
				if acc.Credentials[i].Revoked == nil {
					x.Passkeys++
				}
			}
			v.People = append(v.People, x)
		}
		if g := p.Groups[m.Group]; g != nil {
			for _, o := range g.Members {
				if o != id {
					v.Owners = append(v.Owners, MemberRef{o, n.Member(o)})
				}
			}
		}
		for _, x := range m.Protects {
			v.Products = append(v.Products, ProtectedView{n.Product(x.Product), x.Count})
		}
		v.Cases = memberCases(p, n, id, now)
		return nil
	})
	return v, err
}

// because is a reason that belongs to no case.
func (d *Desk) because(ctx context.Context, ref cvd.BlobRef) string {
	return d.reasonUnder(ctx, ProgrammeKey, ref)
}

// reasonUnder is a reason that was kept under a key.
func (d *Desk) reasonUnder(ctx context.Context, key string, ref cvd.BlobRef) string {
	var r Reason
	if ref.IsZero() {
		return ""
	}
	if d.Text(ctx, key, ref, &r) != nil {
		return gone
	}
	return r.Reason
}

func memberCases(p *cvd.Programme, n Names, id cvd.MemberID, now time.Time) []MemberCase {
	out := []MemberCase{}
	for _, c := range slices.Backward(p.CaseOrder) {
		if p.Cases[c].Participants[id] == nil {
			continue
		}
		x := MemberCase{Case: c, Title: n.Case(c), Consent: p.ConsentOf(c, id, now).String()}
		for _, w := range p.Cases[c].Waves {
			if got := p.Waves[w].CopyOf(cvd.HolderID(id)); got != nil && len(got.Fetches) > 0 {
				x.Fetched++
			}
		}
		out = append(out, x)
	}
	return out
}

// keySets are all keys that a holder ever enrolled, with the copies under each.
func keySets(p *cvd.Programme, n Names, h cvd.HolderID) []KeySetView {
	sets := p.Keys[h]
	out := make([]KeySetView, len(sets))
	for i := range sets {
		s := &sets[i]
		sum := sha256.Sum256(s.Signing[:])
		x := &out[i]
		*x = KeySetView{Short: hex.EncodeToString(sum[:8]), Recipients: len(s.Recipients), Enrolled: s.At, By: n.Account(s.By), Entry: uint64(s.Seq), Revoked: s.Revoked, Copies: []CopyUnderIt{}}
		if s.Ended != nil {
			x.Ended = s.Ended.At
		}
	}
	for _, id := range slices.Backward(p.WaveOrder) {
		w := p.Waves[id]
		got := w.CopyOf(h)
		if got == nil || got.Blob.IsZero() {
			continue
		}
		for i := range sets {
			if x, under := copyUnder(&sets[i], i+1 == len(sets), got); under {
				x.Wave, x.Title, x.Label, x.Level = id, n.Case(w.Case), waveName(p, id), w.Level.String()
				out[i].Copies = append(out[i].Copies, x)
			}
		}
	}
	slices.Reverse(out)
	return out
}

// copyUnder says what a copy has to do with a set of keys: it is sealed to them
// now, or it was fetched while they were in use.
func copyUnder(s *cvd.KeySet, last bool, got *cvd.Copy) (x CopyUnderIt, under bool) {
	for _, f := range got.Fetches {
		if f.Seq > s.Seq && (s.Ended == nil || f.Seq < s.Ended.Seq) {
			x.Fetched, under = f.At, true
			break
		}
	}
	if got.Keys == s.Seq {
		x.Waits = s.Ended != nil
		return x, true
	}
	if under && got.Stored.Seq > entrylog.Seq(s.Seq) {
		x.Anew = got.Stored.At
	}
	return x, under
}

// TermsView is terms as they were published.
type TermsView struct {
	Number   uint32    `json:"number"`
	Text     string    `json:"text"`
	Digest   string    `json:"sha256"` // hex, of the text
	At       time.Time `json:"published"`
	Binds    time.Time `json:"binds"`
	By       string    `json:"by"`
	Accepted int       `json:"accepted"` // members in good standing that accepted these or later ones
	Members  int       `json:"members"`  // in good standing
	Entry    uint64    `json:"entry"`
}

// TermsNow gives the newest terms and how many accepted them, to the staff.
func (d *Desk) TermsNow(ctx context.Context, by cvd.Actor) (v TermsView, err error) {
	var ref cvd.BlobRef
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)); err != nil || len(p.Terms) == 0 {
			return err
		}
		t := p.Terms[len(p.Terms)-1]
		ref = t.Text
		v = TermsView{Number: t.Number, Digest: hex.EncodeToString(t.Digest[:]), At: t.At, Binds: t.Binds, By: d.Names(ctx, p).Account(t.By), Entry: uint64(t.Seq)}
		for _, id := range p.MemberOrder {
			if m := p.Members[id]; m.Standing == cvd.Good {
				v.Members++
				if len(m.Accepted) > 0 && m.Accepted[len(m.Accepted)-1].Number >= t.Number {
					v.Accepted++
				}
			}
		}
		return nil
	})
	if err != nil || ref.IsZero() {
		return v, err
	}
	b, err := d.blob(ctx, ProgrammeKey, ref)
	v.Text = string(b)
	return v, err
}

// DutyView is who is called, and who stands in for whom.
type DutyView struct {
	Called []DutyCall   `json:"called"` // now, in this order
	Roster bool         `json:"roster"` // somebody is on it now; else every coordinator is called
	Turns  []DutyTurn   `json:"turns"`  // that are not over
	Lent   []Loan       `json:"delegations"`
	People []DutyPerson `json:"people"` // who can be on duty
	Staff  []DutyPerson `json:"staff"`  // who can stand in
}

// DutyCall is somebody who is called.
type DutyCall struct {
	Rank    int           `json:"called"`
	Account cvd.AccountID `json:"account"`
	Handle  string        `json:"handle"`
	Name    string        `json:"name"`
}

// DutyTurn is a turn on the roster.
type DutyTurn struct {
	Handle string    `json:"handle"`
	Rank   uint8     `json:"rank"`
	Starts time.Time `json:"starts"`
	Ends   time.Time `json:"ends"`
	Now    bool      `json:"now"`
}

// Loan is a role lent.
type Loan struct {
	Delegation cvd.DelegationID `json:"delegation"`
	From       string           `json:"from"`
	To         string           `json:"to"`
	Role       string           `json:"role"`
	Case       string           `json:"case,omitempty"` // empty: of all cases
	Starts     time.Time        `json:"starts"`
	Ends       time.Time        `json:"ends"`
	Revoke     bool             `json:"-"` // the reader may take it back
}

// DutyPerson is somebody to choose.
type DutyPerson struct {
	Account cvd.AccountID `json:"account"`
	Handle  string        `json:"handle"`
	Name    string        `json:"name"`
}

// Duties gathers the roster for the staff.
func (d *Desk) Duties(ctx context.Context, by cvd.Actor) (v DutyView, err error) {
	v = DutyView{Called: []DutyCall{}, Turns: []DutyTurn{}, Lent: []Loan{}, People: []DutyPerson{}, Staff: []DutyPerson{}}
	err = d.View(func(p *cvd.Programme) error {
		now, n := d.at(p), d.Names(ctx, p)
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now); err != nil {
			return err
		}
		for i, id := range p.OnDuty(now) {
			who := n.Person(id)
			v.Called = append(v.Called, DutyCall{i + 1, id, who.Handle, who.Name})
		}
		for _, id := range p.DutyOrder {
			if x := p.Duties[id]; now.Before(x.Ends) {
				on := !now.Before(x.Starts) && p.Accounts[x.Account].Closed == nil
				v.Roster = v.Roster || on
				v.Turns = append(v.Turns, DutyTurn{n.Account(x.Account), x.Rank, x.Starts, x.Ends, on})
			}
		}
		slices.SortStableFunc(v.Turns, func(a, b DutyTurn) int { return cmp.Or(a.Starts.Compare(b.Starts), cmp.Compare(a.Rank, b.Rank)) })
		for _, id := range p.DelegationOrder {
			x := p.Delegations[id]
			if x.Revoked != nil || !now.Before(x.Ends) {
				continue
			}
			l := Loan{id, n.Account(x.From), n.Account(x.To), x.Role.String(), "", x.Starts, x.Ends, p.May(by, cvd.ActRevokeDelegation, cvd.ADelegation(id), now) == nil}
			if !x.Case.IsZero() {
				l.Case = n.Case(x.Case)
			}
			v.Lent = append(v.Lent, l)
		}
		for _, id := range p.AccountOrder {
			a := p.Accounts[id]
			if a.Closed != nil || !a.Member.IsZero() || id == p.Sealer || a.Roles.Has(cvd.Finder) || a.Roles.Has(cvd.Auditor) {
				continue
			}
			who := n.Person(id)
			x := DutyPerson{id, who.Handle, who.Name}
			v.Staff = append(v.Staff, x)
			if a.Roles.Has(cvd.Coordinator) || a.Roles.Has(cvd.Approver) {
				v.People = append(v.People, x)
			}
		}
		return nil
	})
	return v, err
}
