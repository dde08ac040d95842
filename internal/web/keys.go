package web

import (
	"encoding/hex"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
)

type keysPage struct {
	coordinator.HeldKeys
	Member string                 `json:"member,omitempty"`
	Moment func(time.Time) Moment `json:"-"`
}

// keys shows what one's copies are sealed to, and what signs one's receipts.
func keys(v *Visit) error {
	held, err := v.Desk().KeysOf(v.Context(), v.By)
	if err != nil {
		return err
	}
	page := keysPage{HeldKeys: held, Moment: v.Moment}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		if me := p.Accounts[v.By.Account]; !me.Member.IsZero() {
			page.Member = n.Member(me.Member)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("keys", page)
}

type enrolAsk struct {
	Public string `json:"public" need:"true" max:"65536" doc:"The .pub file that 'forewarn keygen' made: recipients, and the key that verifies receipts."`
}

func enrolKeys(v *Visit) error {
	var in enrolAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.Desk().Enrol(v.Context(), v.By, []byte(in.Public)); err != nil {
		return err
	}
	return v.Done("/keys", nil)
}

type revokeOwnAsk struct {
	Sure   bool   `json:"sure" need:"true" doc:"That nothing is to be sealed to them any more."`
	Reason string `json:"reason" max:"2000"`
}

func revokeOwnKeys(v *Visit) error {
	var in revokeOwnAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	if err := v.Desk().RevokeOwn(v.Context(), v.By, in.Reason); err != nil {
		return err
	}
	return v.Done("/keys", nil)
}

type termsPage struct {
	coordinator.TermsSeen
	SHA256 string                 `json:"sha256"`
	Moment func(time.Time) Moment `json:"-"`
}

// terms shows what members agree to before they are shown content.
func terms(v *Visit) error {
	t, err := v.Desk().TermsFor(v.Context(), v.By)
	if err != nil {
		return err
	}
	return v.Render("terms", termsPage{t, hex.EncodeToString(t.Digest[:]), v.Moment})
}

type acceptAsk struct {
	Terms  cvd.TermsID `json:"terms" need:"true" doc:"Those that were read."`
	SHA256 string      `json:"sha256" need:"true" doc:"Of their text."`
}

func acceptTerms(v *Visit) error {
	var in acceptAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	b, err := hex.DecodeString(in.SHA256)
	if err != nil || len(b) != 32 {
		return &FieldError{"sha256", "is not 64 hexadecimal digits"}
	}
	if err := v.Desk().AcceptSeen(v.Context(), v.By, in.Terms, [32]byte(b)); err != nil {
		return err
	}
	return v.Done("/terms", nil)
}

type colleagueAsk struct {
	Handle string `json:"handle" need:"true" max:"40" doc:"Short, for typing; unique in the programme."`
	Name   string `json:"name" need:"true"`
	Mail   string `json:"mail"`
	Admin  bool   `json:"admin" doc:"Speaks for the member: terms, keys, consent, its accounts. Else reads and answers for it."`
}

type colleagueDone struct {
	Account cvd.AccountID `json:"account"`
}

// addColleague adds an account to one's own member.
func addColleague(v *Visit) error {
	var in colleagueAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	own, roles := cvd.MemberID{}, cvd.RoleSet(cvd.MemberContact)
	if in.Admin {
		roles = cvd.RoleSet(cvd.MemberAdmin, cvd.MemberContact)
	}
	if err := v.View(func(p *cvd.Programme, _ coordinator.Names) error {
		own = p.Accounts[v.By.Account].Member
		return p.May(v.By, cvd.ActAddAccount, cvd.AMember(own), v.Now())
	}); err != nil {
		return err
	}
	id, err := v.Desk().AddAccount(v.Context(), v.By, own, roles, coordinator.Person{Handle: in.Handle, Name: in.Name, Mail: in.Mail})
	if err != nil {
		return err
	}
	return v.Done("/accounts", colleagueDone{id})
}
