package evidence

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// FindingsVersion3 opens findings that tell of recoveries: of accounts of the
// holders that they name or compare, or of the log.
const FindingsVersion3 = "forewarn findings v3"

// Recoveries are how access was given anew by the time that the readings were
// frozen: to accounts of the holders that findings name, that named copies were
// tested beside, or that all cases together accuse; and how the log was continued
// after a loss. A recovered account can be the way that a copy took without any
// fault of its holder's.
//
// It is no evidence for or against a copy: no number and no conclusion depends on
// it.
type Recoveries struct {
	Accounts List[Recovered] `json:"accounts"` // in the order of the log
	Log      List[Access]    `json:"log"`      // declared; in the order of the log
	Means    string          `json:"means"`    // RecoveriesMean
}

// RecoveriesMean stands with the recoveries, word for word.
const RecoveriesMean = `Whoever held the new passkey of a recovered account could fetch and open what came to it, once its wait was over or was lifted. If that was not the account's person, the copy left by that way without its holder's fault. Two coordinators vouched for each; whether they were right the log does not say. ` +
	`Where the log was continued after a declared loss, entries before it are shown under its new name, and what was lost is not shown.`

// Recovered is one recovery of an account. The three entries belong together: the
// invitation, another coordinator's yes to it, and the passkey that was made with
// it.
type Recovered struct {
	Holder      ID     `json:"holder"`
	Name        string `json:"name"`
	Account     ID     `json:"account"`
	AccountName string `json:"account_name"`
	Added       uint64 `json:"added,omitempty"` // the entry that makes the account the member's; 0: the account holds the copy itself

	Invited   Access  `json:"invited"`
	Confirmed Access  `json:"confirmed"`
	Made      Access  `json:"made"`             // the passkey
	Lifted    *Access `json:"lifted,omitempty"` // the wait after it, by another coordinator than who invited

	// Before: the passkey was made before the last of the specimens is known to have
	// existed, so that this can have been its way (KnownBy).
	Before bool `json:"before"`
}

// KnownBy is the instant by which all specimens are known to have existed; the
// freeze where that isn't known of one.
func KnownBy(frozen time.Time, specimens []SpecimenFacts) (t time.Time) {
	for _, s := range specimens {
		to := cmp.Or(s.Found.To, frozen)
		if to.After(t) {
			t = to
		}
	}
	if t.IsZero() || t.After(frozen) {
		return frozen
	}
	return t
}

// Compared are the holders whose recoveries findings tell: those whose copies are
// named, those beside whose copies they were tested, and those that all cases
// accuse, with their names.
func (f *Findings) Compared() map[ID]string {
	out := map[ID]string{}
	for _, all := range [][]Accused{f.Accused, f.Conflicting} {
		for _, a := range all {
			out[a.Holder] = a.Name
		}
	}
	for _, p := range f.Partners {
		out[p.Holder] = p.Name
	}
	if f.Accumulated != nil {
		for _, m := range f.Accumulated.Members {
			out[m.Holder] = m.Name
		}
	}
	return out
}

// Entries are the entries that a recovery rests on, in the order of the log.
func (r *Recovered) Entries() (out []uint64) {
	if r.Added > 0 {
		out = append(out, r.Added)
	}
	out = append(out, r.Invited.Entry, r.Confirmed.Entry, r.Made.Entry)
	if r.Lifted != nil {
		out = append(out, r.Lifted.Entry)
	}
	return out
}

const (
	kindAccountAdded        entrylog.Kind = 2
	kindRecoveryDeclared    entrylog.Kind = 40
	kindAccountInvited      entrylog.Kind = 60
	kindInvitationConfirmed entrylog.Kind = 61
	kindCredentialAdded     entrylog.Kind = 62
	kindWaitLifted          entrylog.Kind = 79
)

// The bodies of these kinds, as far as they are looked at; the rest is taken as it
// is. Their layouts are frozen, and a test compares them with those of who writes
// them.
type (
	added struct {
		Account, Member entrylog.Ref
		roles           uint16
		person          [32]byte
	}
	invited struct {
		Account    entrylog.Ref
		Invitation [32]byte
		until      time.Time
	}
	confirmed struct {
		Account    entrylog.Ref
		Invitation [32]byte
	}
	credential struct {
		Account    entrylog.Ref
		ID         []byte
		publicKey  []byte
		flags      uint8
		Invitation [32]byte
	}
	lifted struct {
		Account    entrylog.Ref
		Credential [32]byte
		reason     [32]byte
	}
	logRecovered struct {
		size         uint64
		root, reason [32]byte
	}
)

func (b *added) Wire(c *wire.Coder) {
	c.Fixed(b.Account[:])
	c.Fixed(b.Member[:])
	c.U16(&b.roles)
	c.Fixed(b.person[:])
}

func (b *invited) Wire(c *wire.Coder) {
	c.Fixed(b.Account[:])
	c.Fixed(b.Invitation[:])
	c.Time(&b.until)
}

func (b *confirmed) Wire(c *wire.Coder) {
	c.Fixed(b.Account[:])
	c.Fixed(b.Invitation[:])
}

func (b *credential) Wire(c *wire.Coder) {
	c.Fixed(b.Account[:])
	c.Bytes(&b.ID, 1023)
	c.Bytes(&b.publicKey, 4096)
	c.U8(&b.flags)
	c.Fixed(b.Invitation[:])
}

func (b *lifted) Wire(c *wire.Coder) {
	c.Fixed(b.Account[:])
	c.Fixed(b.Credential[:])
	c.Fixed(b.reason[:])
}

func (b *logRecovered) Wire(c *wire.Coder) {
	c.U64(&b.size)
	c.Fixed(b.root[:])
	c.Fixed(b.reason[:])
}

// recoveries checks each recovery that the findings tell against the entries of the
// log that it consists of.
func (v *verification) recoveries() (string, error) {
	r := v.f.Recoveries
	switch {
	case r == nil:
		return "none are told", nil
	case r.Means != RecoveriesMean:
		return "", failf("what recoveries mean is not said word for word")
	case len(r.Accounts)+len(r.Log) == 0:
		return "", failf("none are told; findings without any are of an earlier version")
	}
	compared, known := v.f.Compared(), KnownBy(v.f.FrozenAt, v.f.Specimens)
	for i := range r.Accounts {
		x := &r.Accounts[i]
		if name, ok := compared[x.Holder]; !ok || name != x.Name {
			return "", failf("recovery %d: %s is not a holder whose copy is named or compared", i+1, x.Name)
		}
		if i > 0 && x.Made.Entry <= r.Accounts[i-1].Made.Entry {
			return "", failf("recovery %d: they are listed once each, in the order of the log", i+1)
		}
		if err := v.recovered(x); err != nil {
			return "", fmt.Errorf("recovery %d, of the account %s: %w", i+1, x.AccountName, err)
		}
		if before := x.Made.At.Before(known); before != x.Before {
			return "", failf("recovery %d: it is said to be before the specimens are known to have existed: %t; by its time it is %t", i+1, x.Before, before)
		}
	}
	for i, x := range r.Log {
		if err := v.cited(v.facted, x, kindRecoveryDeclared, &logRecovered{}); err != nil {
			return "", fmt.Errorf("declared recovery %d: %w", i+1, err)
		}
		if x.At.After(v.f.FrozenAt) || i > 0 && x.Entry <= r.Log[i-1].Entry {
			return "", failf("declared recovery %d: they are listed once each, in the order of the log, up to the freeze", i+1)
		}
	}
	return fmt.Sprintf("%s of accounts and %d declared of the log, each as the entries cited say; that there was no other is the inquiry's word", Count(len(r.Accounts), "recovery", "recoveries"), len(r.Log)), nil
}

func (v *verification) recovered(x *Recovered) error {
	var (
		add  added
		inv  invited
		yes  confirmed
		key  credential
		lift lifted
	)
	whose := entrylog.Ref(x.Account)
	entries := x.Entries()
	if !slices.IsSorted(entries) || len(slices.Compact(entries)) != len(x.Entries()) {
		return failf("its entries are not in the order of the log")
	}
	if x.Added > 0 {
		e, ok := v.facted[x.Added]
		if !ok || e.Kind != kindAccountAdded {
			return failf("the entry %d that makes it the member's is not opened here", x.Added)
		}
		if err := wire.Unmarshal(e.Body, &add); err != nil {
			return err
		}
		if add.Account != whose || add.Member != entrylog.Ref(x.Holder) {
			return failf("entry %d does not make it an account of %s", x.Added, x.Name)
		}
	} else if x.Account != x.Holder {
		return failf("nothing shows that it is an account of %s", x.Name)
	}
	for _, s := range []struct {
		what string
		Access
		kind entrylog.Kind
		body wire.Layout
	}{
		{"invitation", x.Invited, kindAccountInvited, &inv},
		{"confirmation", x.Confirmed, kindInvitationConfirmed, &yes},
		{"passkey", x.Made, kindCredentialAdded, &key},
	} {
		if err := v.cited(v.facted, s.Access, s.kind, s.body); err != nil {
			return fmt.Errorf("the %s: %w", s.what, err)
		}
	}
	switch {
	case inv.Account != whose || yes.Account != whose || key.Account != whose || x.Made.Account != x.Account:
		return failf("one of its entries is of another account")
	case yes.Invitation != inv.Invitation || key.Invitation != inv.Invitation:
		return failf("its entries are of different invitations")
	case x.Confirmed.Account == x.Invited.Account || x.Confirmed.Account == x.Account:
		return failf("it was confirmed by who invited, or was invited")
	case x.Made.At.After(v.f.FrozenAt):
		return failf("it was after the freeze")
	}
	if x.Lifted == nil {
		return nil
	}
	if err := v.cited(v.facted, *x.Lifted, kindWaitLifted, &lift); err != nil {
		return fmt.Errorf("the end of its wait: %w", err)
	}
	switch {
	case lift.Account != whose || lift.Credential != sha256.Sum256(key.ID):
		return failf("the wait that was lifted is of another recovery")
	case x.Lifted.Account == x.Invited.Account || x.Lifted.Account == x.Account:
		return failf("its wait was lifted by who invited, or was invited")
	case x.Lifted.At.After(v.f.FrozenAt):
		return failf("its wait was lifted after the freeze")
	}
	return nil
}
