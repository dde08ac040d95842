package coordinator

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
)

// HeldKeys is what a holder enrolled, and what a change of it does.
type HeldKeys struct {
	Holder  cvd.HolderID `json:"holder"`
	Enrol   bool         `json:"may_enrol"` // the actor may, with a proof
	Sets    []KeyLine    `json:"sets"`      // the newest first
	Reseals []Reseal     `json:"reseals"`   // copies that a change has sealed anew
}

// KeyLine is one set of keys.
type KeyLine struct {
	Recipients []string  `json:"recipients"`
	Receipts   string    `json:"receipts"` // the key that verifies them
	By         string    `json:"by"`
	At         time.Time `json:"at"`
	Ended      time.Time `json:"ended,omitzero"` // zero: in use
	Revoked    bool      `json:"revoked,omitempty"`
}

// Reseal is a copy that was not fetched yet, or can still be.
type Reseal struct {
	Wave    cvd.WaveID `json:"wave"`
	Title   string     `json:"title,omitempty"`
	State   string     `json:"state"`
	OpensAt time.Time  `json:"opens_at"`
	Fetched bool       `json:"fetched"`
	Waits   bool       `json:"waits"` // for being sealed to the keys that are in use
}

// KeysOf shows an account the keys that its copies are sealed to. ErrUnknown for
// whoever holds no copies.
func (d *Desk) KeysOf(ctx context.Context, by cvd.Actor) (out HeldKeys, err error) {
	err = d.View(func(p *cvd.Programme) error {
		me, now, n := p.Accounts[by.Account], d.at(p), d.Names(ctx, p)
		if me == nil {
			return ErrUnknown
		}
		holder := me.HolderOf()
		proven := cvd.Actor{Account: by.Account, Auth: entrylog.AuthFresh}
		out = HeldKeys{Holder: holder, Sets: []KeyLine{}, Reseals: []Reseal{}}
		out.Enrol = p.May(proven, cvd.ActEnrolKeys, cvd.AHolder(holder), now) == nil
		if !out.Enrol && p.May(by, cvd.ActViewMember, cvd.AMember(me.Member), now) != nil {
			return ErrUnknown
		}
		for _, k := range slices.Backward(p.Keys[holder]) {
			line := KeyLine{Recipients: k.Recipients, Receipts: d.Crypt.VerifyKeyText(k.Signing), By: n.Account(k.By), At: k.At, Revoked: k.Revoked}
			if k.Ended != nil {
				line.Ended = k.Ended.At
			}
			out.Sets = append(out.Sets, line)
		}
		keys, _ := p.KeysOf(holder)
		for _, id := range p.WaveOrder {
			w, c := p.Waves[id], p.Waves[id].CopyOf(holder)
			state := p.WaveState(id, now)
			if c == nil || p.May(by, cvd.ActViewWave, cvd.AWave(id), now) != nil || state != cvd.StateSealed && state != cvd.StateOpen && state != cvd.StateHeld {
				continue
			}
			line := Reseal{Wave: id, State: state.String(), OpensAt: w.OpensAt, Fetched: len(c.Fetches) > 0, Waits: c.Keys != keys.Seq}
			if p.May(by, cvd.ActReadCase, cvd.ACase(w.Case), now) == nil {
				line.Title = n.Case(w.Case)
			}
			out.Reseals = append(out.Reseals, line)
		}
		return nil
	})
	return out, err
}

// Enrol replaces the keys of the actor's holder by those of a file of public keys.
func (d *Desk) Enrol(ctx context.Context, by cvd.Actor, text []byte) error {
	q := cvd.EnrolKeys{}
	if err := d.View(func(p *cvd.Programme) error {
		if me := p.Accounts[by.Account]; me != nil {
			q.Holder = me.HolderOf()
		}
		return p.May(by, cvd.ActEnrolKeys, cvd.AHolder(q.Holder), d.at(p))
	}); err != nil {
		return err
	}
	var err error
	if q.Recipients, q.Signing, err = d.Crypt.Enrolment(text); err != nil {
		return fmt.Errorf("%w: %w", cvd.ErrRefused, err)
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// RevokeOwn takes the keys of the actor's holder out of use.
func (d *Desk) RevokeOwn(ctx context.Context, by cvd.Actor, reason string) error {
	q := cvd.RevokeKeys{}
	if err := d.View(func(p *cvd.Programme) error {
		if me := p.Accounts[by.Account]; me != nil {
			q.Holder = me.HolderOf()
		}
		_, err := p.Decide(q, by, d.at(p))
		return err
	}); err != nil {
		return err
	}
	var err error
	if q.Reason, err = d.Reason(ctx, ProgrammeKey, reason); err != nil {
		return err
	}
	_, err = d.Do(ctx, by, q)
	return err
}

// TermsSeen is the programme's newest terms, and how the actor's member stands to
// them.
type TermsSeen struct {
	Terms    cvd.TermsID `json:"terms"`
	Number   uint32      `json:"number"`
	Text     string      `json:"text"`
	Digest   [32]byte    `json:"-"`
	At       time.Time   `json:"published"`
	Binds    time.Time   `json:"binds"`
	Accepted time.Time   `json:"accepted,omitzero"`
	By       string      `json:"accepted_by,omitempty"`
	Mine     bool        `json:"may_accept"`
	Before   uint32      `json:"accepted_before,omitempty"` // the number of older terms that were accepted
}

// TermsFor shows terms to members' accounts, and to staff who list members.
// ErrUnknown for others, and when there are none.
func (d *Desk) TermsFor(ctx context.Context, by cvd.Actor) (out TermsSeen, err error) {
	var ref cvd.BlobRef
	err = d.View(func(p *cvd.Programme) error {
		me, now := p.Accounts[by.Account], d.at(p)
		if me == nil || len(p.Terms) == 0 {
			return ErrUnknown
		}
		m := p.Members[me.Member]
		if p.May(by, cvd.ActListMembers, cvd.TheProgramme(), now) != nil && (m == nil || p.May(by, cvd.ActViewMember, cvd.AMember(m.ID), now) != nil) {
			return ErrUnknown
		}
		t := p.Terms[len(p.Terms)-1]
		ref = t.Text
		out = TermsSeen{Terms: t.ID, Number: t.Number, Digest: t.Digest, At: t.At, Binds: t.Binds}
		if m == nil {
			return nil
		}
		for _, a := range m.Accepted {
			if a.Number < t.Number {
				out.Before = a.Number
				continue
			}
			out.Accepted, out.By = a.At, d.Names(ctx, p).Account(a.By)
		}
		out.Mine = out.Accepted.IsZero() && p.May(by, cvd.ActAcceptTerms, cvd.AMember(m.ID), now) == nil
		return nil
	})
	if err != nil {
		return out, err
	}
	text, err := d.blob(ctx, ProgrammeKey, ref)
	if err == nil && sha256.Sum256(text) != out.Digest {
		err = fmt.Errorf("the stored terms are not those that were published")
	}
	out.Text = string(text)
	return out, err
}

// AcceptSeen binds the actor's member to the terms that its person saw.
func (d *Desk) AcceptSeen(ctx context.Context, by cvd.Actor, id cvd.TermsID, digest [32]byte) error {
	q := cvd.AcceptTerms{Terms: id, Digest: digest}
	if err := d.View(func(p *cvd.Programme) error {
		if me := p.Accounts[by.Account]; me != nil {
			q.Member = me.Member
		}
		return nil
	}); err != nil {
		return err
	}
	_, err := d.Do(ctx, by, q)
	return err
}

// Receipt is the last receipt that the actor's holder lodged for a copy.
func (d *Desk) Receipt(by cvd.Actor, id cvd.WaveID) (r evidence.Receipt, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActViewWave, cvd.AWave(id), d.at(p)); err != nil {
			return err
		}
		c := p.Waves[id].CopyOf(p.Accounts[by.Account].HolderOf())
		if c == nil || c.Receipt == nil {
			return ErrUnknown
		}
		l := c.Receipt
		r = evidence.Receipt{Origin: l.Origin, Tick: l.Tick, AnchorRoot: l.AnchorRoot, AnchorSize: l.AnchorSize, Leaf: c.Leaf, Key: l.Key, Signature: l.Signature}
		return r.Verify()
	})
	return r, err
}

// PortfolioLine is a product that a member makes or protects, or has a say on.
type PortfolioLine struct {
	Product  cvd.ProductID   `json:"product"`
	Name     string          `json:"name"`
	Vendor   bool            `json:"vendor"`
	Protects uint64          `json:"protects,omitempty"` // installations, as declared
	Cases    []PortfolioCase `json:"cases"`
}

// PortfolioCase is a case that affects a product.
type PortfolioCase struct {
	Case   cvd.CaseID `json:"case"`
	Title  string     `json:"title"`
	Answer string     `json:"answer"`
}

// Portfolio lists the products of the actor's member: its own, those that it
// protects, and those of the cases that it reads. ErrUnknown for who is no
// member's.
func (d *Desk) Portfolio(ctx context.Context, by cvd.Actor) (out []PortfolioLine, err error) {
	out = []PortfolioLine{}
	err = d.View(func(p *cvd.Programme) error {
		me, now, n := p.Accounts[by.Account], d.at(p), d.Names(ctx, p)
		if me == nil || p.May(by, cvd.ActViewMember, cvd.AMember(me.Member), now) != nil {
			return ErrUnknown
		}
		m := p.Members[me.Member]
		if m == nil || m.ID != me.Member {
			return ErrUnknown
		}
		at := map[cvd.ProductID]int{}
		line := func(id cvd.ProductID) *PortfolioLine {
			i, ok := at[id]
			if !ok {
				i = len(out)
				at[id] = i
				out = append(out, PortfolioLine{Product: id, Name: n.Product(id), Vendor: p.Products[id].Vendor == m.ID, Cases: []PortfolioCase{}})
			}
			return &out[i]
		}
		for _, x := range m.Protects {
			if p.Products[x.Product] != nil {
				line(x.Product).Protects = x.Count
			}
		}
		for _, id := range p.ProductOrder {
			if p.Products[id].Vendor == m.ID {
				line(id)
			}
		}
		for _, id := range slices.Backward(p.CaseOrder) {
			if p.May(by, cvd.ActReadCase, cvd.ACase(id), now) != nil {
				continue
			}
			for _, x := range p.Cases[id].Products {
				said, _ := p.AnswerOf(id, m.ID, x)
				l := line(x)
				l.Cases = append(l.Cases, PortfolioCase{id, n.Case(id), said.String()})
			}
		}
		return nil
	})
	return out, err
}
