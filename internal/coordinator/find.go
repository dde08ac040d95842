package coordinator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"

	"forewarn/internal/cvd"
	"forewarn/internal/wire"
)

// ErrUnknown: nothing, or more than one thing, goes by what was said. Whoever
// may not know of a thing is told the same, word for word, as when it isn't
// there.
var ErrUnknown = errors.New("not found")

// Login finds the account that somebody says they are, by handle or id. One that
// is closed is nobody's.
func (d *Desk) Login(ctx context.Context, said string) (id cvd.AccountID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = d.findAccount(ctx, p, said, func(cvd.AccountID) bool { return true })
		if errors.Is(err, ErrUnknown) {
			err = errors.Join(err, d.unreadable(ctx, p))
		}
		if err == nil && p.Accounts[id].Closed != nil {
			err = fmt.Errorf("%w: the account %q is closed; a coordinator opens another with 'forewarn account add'", cvd.ErrRefused, said)
		}
		return err
	})
	return id, err
}

// unreadable says that accounts' names can't be read, other than for good.
func (d *Desk) unreadable(ctx context.Context, p *cvd.Programme) error {
	var who Person
	for _, id := range p.AccountOrder {
		a := p.Accounts[id]
		if err := d.Text(ctx, PersonKey(id), a.Person, &who); id != p.Sealer && a.Shredded == nil && err != nil {
			return fmt.Errorf("the name of account %s can't be read: %w", id.Short(), err)
		}
	}
	return nil
}

// Account finds an account by handle, id, or the beginning of either: any for
// staff, their colleagues' for members.
func (d *Desk) Account(ctx context.Context, by cvd.Actor, said string) (id cvd.AccountID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		all := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)) == nil
		me := p.Accounts[by.Account]
		id, err = d.findAccount(ctx, p, said, func(id cvd.AccountID) bool {
			return all || id == by.Account || me != nil && !me.Member.IsZero() && p.Accounts[id].Member == me.Member
		})
		return err
	})
	return id, err
}

func (d *Desk) findAccount(ctx context.Context, p *cvd.Programme, said string, may func(cvd.AccountID) bool) (cvd.AccountID, error) {
	return Find(said, "account", "forewarn account list", func(yield func(cvd.AccountID, string) bool) {
		for _, id := range p.AccountOrder {
			if may(id) && !yield(id, d.person(ctx, p, id).Handle) {
				return
			}
		}
	})
}

// Member finds a member by name, id, or the beginning of either. An empty name is
// the actor's own.
func (d *Desk) Member(ctx context.Context, by cvd.Actor, said string) (id cvd.MemberID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if acc := p.Accounts[by.Account]; said == "" && acc != nil && !acc.Member.IsZero() {
			id = acc.Member
			return nil
		}
		id, err = Find(said, "member", "forewarn member list", func(yield func(cvd.MemberID, string) bool) {
			for _, id := range p.MemberOrder {
				if p.May(by, cvd.ActViewMember, cvd.AMember(id), d.at(p)) == nil && !yield(id, d.named(ctx, MemberKey(id), p.Members[id].Name)) {
					return
				}
			}
		})
		return err
	})
	return id, err
}

// Case finds a case by id, or by title for who may read the case, or by the
// beginning of either.
func (d *Desk) Case(ctx context.Context, by cvd.Actor, said string) (id cvd.CaseID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = d.findCase(ctx, p, by, said)
		return err
	})
	return id, err
}

func (d *Desk) findCase(ctx context.Context, p *cvd.Programme, by cvd.Actor, said string) (cvd.CaseID, error) {
	return Find(said, "case", "forewarn case list", func(yield func(cvd.CaseID, string) bool) {
		for _, id := range p.CaseOrder {
			if p.May(by, cvd.ActViewCase, cvd.ACase(id), d.at(p)) != nil {
				continue
			}
			title := ""
			if p.May(by, cvd.ActReadCase, cvd.ACase(id), d.at(p)) == nil {
				title = d.title(ctx, p.Cases[id])
			}
			if !yield(id, title) {
				return
			}
		}
	})
}

// Product finds a product of a case by name, id, or the beginning of either.
func (d *Desk) Product(ctx context.Context, by cvd.Actor, in cvd.CaseID, said string) (id cvd.ProductID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActReadCase, cvd.ACase(in), d.at(p)); err != nil {
			return err
		}
		id, err = Find(said, "product", "forewarn case show "+in.Short(), func(yield func(cvd.ProductID, string) bool) {
			for _, id := range p.Cases[in].Products {
				if !yield(id, d.named(ctx, ProgrammeKey, p.Products[id].Name)) {
					return
				}
			}
		})
		return err
	})
	return id, err
}

// Wave finds a wave by id or its beginning; staff also say CASE/2 for the second
// wave of a case, as the case's page counts them.
func (d *Desk) Wave(ctx context.Context, by cvd.Actor, said string) (id cvd.WaveID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		if i := strings.LastIndexByte(said, '/'); i >= 0 {
			id, err = d.nthWave(ctx, p, by, said[:i], said[i+1:])
			return err
		}
		id, err = Find(said, "wave", "forewarn wave list", func(yield func(cvd.WaveID, string) bool) {
			for _, id := range p.WaveOrder {
				if p.May(by, cvd.ActViewWave, cvd.AWave(id), d.at(p)) == nil && !yield(id, "") {
					return
				}
			}
		})
		return err
	})
	return id, err
}

func (d *Desk) nthWave(ctx context.Context, p *cvd.Programme, by cvd.Actor, said, number string) (id cvd.WaveID, err error) {
	cs, err := d.findCase(ctx, p, by, said)
	if err != nil {
		return id, err
	}
	// A member would learn from the number how many waves others got.
	if p.May(by, cvd.ActViewExposure, cvd.ACase(cs), d.at(p)) != nil {
		return id, fmt.Errorf("%w: you see your member's own waves alone, which have no numbers: name the wave by its id, as 'forewarn case show %s' lists it", ErrUnknown, cs.Short())
	}
	waves := p.Cases[cs].Waves
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(waves) {
		return id, fmt.Errorf("%w: case %s has %d waves, and none is number %q; see 'forewarn wave list'", ErrUnknown, cs.Short(), len(waves), number)
	}
	return waves[n-1], nil
}

// Delegation finds what somebody lent, by id or its beginning.
func (d *Desk) Delegation(_ context.Context, by cvd.Actor, said string) (id cvd.DelegationID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = Find(said, "delegation", "forewarn duty list", func(yield func(cvd.DelegationID, string) bool) {
			for _, id := range p.DelegationOrder {
				if p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)) == nil && !yield(id, "") {
					return
				}
			}
		})
		return err
	})
	return id, err
}

// Find looks for exactly one thing whose id or name is, or begins with, what was
// said. A whole match wins over a beginning. Things without a name go by id
// alone.
func Find[T any](said, what, list string, things iter.Seq2[wire.ID[T], string]) (wire.ID[T], error) {
	if said == "" {
		return wire.ID[T]{}, fmt.Errorf("%w: no %s was named; see '%s'", ErrUnknown, what, list)
	}
	low := strings.ToLower(said)
	var whole, begins []wire.ID[T]
	for id, name := range things {
		switch {
		case id.String() == low:
			return id, nil
		case name == gone:
			name = ""
		}
		switch name = strings.ToLower(name); {
		case name == low:
			whole = append(whole, id)
		case strings.HasPrefix(name, low) || len(low) >= 4 && strings.HasPrefix(id.String(), low):
			begins = append(begins, id)
		}
	}
	found, how := whole, "are called"
	if len(found) == 0 {
		found, how = begins, "begin with"
	}
	switch len(found) {
	case 0:
		return wire.ID[T]{}, fmt.Errorf("%w: no %s is called %q, by name or by id; see '%s'", ErrUnknown, what, said, list)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, id := range found[:min(len(found), 4)] {
		ids = append(ids, id.Short())
	}
	return wire.ID[T]{}, fmt.Errorf("%w: %d %ss %s %q (%s); say more of the name, or the id", ErrUnknown, len(found), what, how, said, strings.Join(ids, ", "))
}

// inUse remembers the names of accounts and members, small, so that a thousand
// admissions needn't each read all names before them. A name stays taken when
// its key is destroyed meanwhile.
type inUse struct {
	mu              sync.Mutex
	accounts        int // of AccountOrder, that are in handles
	members         int // of MemberOrder, that are in called
	handles, called map[string]bool
}

// now is what is taken; for use inside View.
func (u *inUse) now(ctx context.Context, d *Desk, p *cvd.Programme) (handles, members taken) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.handles == nil {
		u.handles, u.called = map[string]bool{"sealer": true}, map[string]bool{}
	}
	for ; u.accounts < len(p.AccountOrder); u.accounts++ {
		u.handles[strings.ToLower(d.person(ctx, p, p.AccountOrder[u.accounts]).Handle)] = true
	}
	for ; u.members < len(p.MemberOrder); u.members++ {
		id := p.MemberOrder[u.members]
		u.called[strings.ToLower(d.named(ctx, MemberKey(id), p.Members[id].Name))] = true
	}
	return taken{&u.mu, "handle", u.handles, map[string]bool{}}, taken{&u.mu, "member's name", u.called, map[string]bool{}}
}

// taken is the names in use, and those that are about to be.
type taken struct {
	mu         *sync.Mutex // of names
	what       string
	names, new map[string]bool
}

func (t taken) take(name string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	low := strings.ToLower(name)
	if t.names[low] || t.new[low] {
		return fmt.Errorf("%w: the %s %q is taken; choose another", cvd.ErrRefused, t.what, name)
	}
	t.new[low] = true
	return nil
}

// MembersNamed finds members by their whole names, or ids, in one walk over all.
// One that isn't there is told by name.
func (d *Desk) MembersNamed(ctx context.Context, by cvd.Actor, said []string) (out []cvd.MemberID, err error) {
	if len(said) == 0 {
		return nil, nil
	}
	err = d.View(func(p *cvd.Programme) error {
		if err := p.May(by, cvd.ActListMembers, cvd.TheProgramme(), d.at(p)); err != nil {
			return err
		}
		known := map[string]cvd.MemberID{}
		for _, id := range p.MemberOrder {
			known[id.String()] = id
			known[strings.ToLower(d.named(ctx, MemberKey(id), p.Members[id].Name))] = id
		}
		for _, s := range said {
			id, ok := known[strings.ToLower(s)]
			if !ok {
				return fmt.Errorf("%w: no member is called %q", cvd.ErrRefused, s)
			}
			out = append(out, id)
		}
		return nil
	})
	return out, err
}
