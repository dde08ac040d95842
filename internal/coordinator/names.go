package coordinator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/wire"
)

// The texts that blobs hold. They are JSON, so that a later version can add to
// them; no decision reads any.
type (
	// Person is who an account is.
	Person struct {
		Handle string `json:"handle"` // short, for typing; unique in a programme
		Name   string `json:"name"`
		Mail   string `json:"mail,omitempty"`
	}
	// Named is a member, a product or the programme itself.
	Named struct {
		Name string `json:"name"`
	}
	// Title is a case's.
	Title struct {
		Title string `json:"title"`
	}
	// Reason is why somebody did something.
	Reason struct {
		Reason string `json:"reason"`
	}
	// RevisionText is what pages show of a revision.
	RevisionText struct {
		Title   string `json:"title"`
		Summary string `json:"summary,omitempty"`
	}
)

// Account finds an account by handle, id, or the beginning of an id.
func (d *Desk) Account(ctx context.Context, said string) (id cvd.AccountID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = find(said, "account", "forewarn account list", p.AccountOrder, func(a cvd.AccountID) string { return d.person(ctx, p, a).Handle })
		return err
	})
	return id, err
}

// Member finds a member by name, id, or the beginning of either.
func (d *Desk) Member(ctx context.Context, said string) (id cvd.MemberID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = find(said, "member", "forewarn member list", p.MemberOrder, func(m cvd.MemberID) string { return d.named(ctx, MemberKey(m), p.Members[m].Name) })
		return err
	})
	return id, err
}

// Case finds a case by title, id, or the beginning of either.
func (d *Desk) Case(ctx context.Context, said string) (id cvd.CaseID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = find(said, "case", "forewarn case list", p.CaseOrder, func(c cvd.CaseID) string { return d.title(ctx, p.Cases[c]) })
		return err
	})
	return id, err
}

// Product finds a product by name, id, or the beginning of either.
func (d *Desk) Product(ctx context.Context, said string) (id cvd.ProductID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = find(said, "product", "forewarn case show", p.ProductOrder, func(x cvd.ProductID) string { return d.named(ctx, ProgrammeKey, p.Products[x].Name) })
		return err
	})
	return id, err
}

// Wave finds a wave by id or its beginning.
func (d *Desk) Wave(_ context.Context, said string) (id cvd.WaveID, err error) {
	err = d.View(func(p *cvd.Programme) error {
		id, err = find(said, "wave", "forewarn wave list", p.WaveOrder, func(cvd.WaveID) string { return "" })
		return err
	})
	return id, err
}

// ErrUnknown: nothing, or more than one thing, goes by what was said.
var ErrUnknown = errors.New("not found")

// find looks for exactly one id whose name or text is, or begins with, what was
// said. A whole match wins over a beginning.
func find[T any](said, what, list string, ids []wire.ID[T], name func(wire.ID[T]) string) (found wire.ID[T], err error) {
	n := 0
	for _, id := range ids {
		called := name(id)
		if strings.EqualFold(called, said) || id.String() == said {
			return id, nil
		}
		if said != "" && (strings.HasPrefix(strings.ToLower(called), strings.ToLower(said)) || len(said) >= 4 && strings.HasPrefix(id.String(), said)) {
			found = id
			n++
		}
	}
	switch {
	case said == "":
		return found, fmt.Errorf("%w: no %s was named", ErrUnknown, what)
	case n == 0:
		return found, fmt.Errorf("%w: no %s is called %q, by name or by id; see '%s'", ErrUnknown, what, said, list)
	case n > 1:
		return wire.ID[T]{}, fmt.Errorf("%w: %d %ss begin with %q; say more of the name or id", ErrUnknown, n, what, said)
	}
	return found, nil
}

const gone = "(no longer readable)"

func (d *Desk) person(ctx context.Context, p *cvd.Programme, id cvd.AccountID) Person {
	if id == p.Sealer {
		return Person{Handle: "sealer", Name: "the sealer"}
	}
	a, ok := p.Accounts[id]
	var who Person
	if !ok || d.Text(ctx, PersonKey(id), a.Person, &who) != nil {
		return Person{Handle: id.Short(), Name: gone}
	}
	return who
}

func (d *Desk) named(ctx context.Context, key string, ref cvd.BlobRef) string {
	var n Named
	if ref.IsZero() || d.Text(ctx, key, ref, &n) != nil {
		return gone
	}
	return n.Name
}

func (d *Desk) title(ctx context.Context, c *cvd.Case) string {
	var t Title
	if d.Text(ctx, CaseKey(c.ID), c.Title, &t) != nil {
		return gone
	}
	return t.Title
}

// Names gives people's and things' names inside View, where p is the state.
// What can't be read any more has a name that says so.
type Names struct {
	d   *Desk
	ctx context.Context
	p   *cvd.Programme
}

// Names is for use inside View.
func (d *Desk) Names(ctx context.Context, p *cvd.Programme) Names { return Names{d, ctx, p} }

// Account is a person's handle.
func (n Names) Account(id cvd.AccountID) string { return n.d.person(n.ctx, n.p, id).Handle }

// Person is all of who an account is.
func (n Names) Person(id cvd.AccountID) Person { return n.d.person(n.ctx, n.p, id) }

// Member is a member's name.
func (n Names) Member(id cvd.MemberID) string {
	if m, ok := n.p.Members[id]; ok {
		return n.d.named(n.ctx, MemberKey(id), m.Name)
	}
	return gone
}

// Holder is a member's name, or a staff account's person.
func (n Names) Holder(id cvd.HolderID) (name string, staff bool) {
	if _, ok := n.p.Members[cvd.MemberID(id)]; ok {
		return n.Member(cvd.MemberID(id)), false
	}
	return n.Person(cvd.AccountID(id)).Name, true
}

// Case is a case's title.
func (n Names) Case(id cvd.CaseID) string {
	if c, ok := n.p.Cases[id]; ok {
		return n.d.title(n.ctx, c)
	}
	return gone
}

// Product is a product's name.
func (n Names) Product(id cvd.ProductID) string {
	if x, ok := n.p.Products[id]; ok {
		return n.d.named(n.ctx, ProgrammeKey, x.Name)
	}
	return gone
}

// Ref is the name of a member, a person or a case, by an id of unknown kind; ""
// when it is none of them.
func (n Names) Ref(id entrylog.Ref) string {
	if _, ok := n.p.Members[cvd.MemberID(id)]; ok {
		return n.Member(cvd.MemberID(id))
	}
	if _, ok := n.p.Accounts[cvd.AccountID(id)]; ok {
		return n.Person(cvd.AccountID(id)).Name
	}
	if _, ok := n.p.Cases[cvd.CaseID(id)]; ok {
		return n.Case(cvd.CaseID(id))
	}
	return ""
}

// Programme is the programme's name.
func (n Names) Programme() string { return n.d.named(n.ctx, ProgrammeKey, n.p.Name) }
