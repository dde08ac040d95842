package coordinator

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
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
	return d.called(ref, func() (n Named, err error) { err = d.Text(ctx, key, ref, &n); return n, err })
}

func (d *Desk) title(ctx context.Context, c *cvd.Case) string {
	return d.called(c.Title, func() (Named, error) {
		var t Title
		err := d.Text(ctx, CaseKey(c.ID), c.Title, &t)
		return Named{t.Title}, err
	})
}

// called is a name, read once: lists show thousands. A destroyed key forgets it.
func (d *Desk) called(ref cvd.BlobRef, read func() (Named, error)) string {
	if ref.IsZero() {
		return gone
	}
	if s, ok := d.names.get(ref); ok {
		return s
	}
	n, err := read()
	if err != nil {
		return gone
	}
	d.names.put(ref, n.Name)
	return n.Name
}

// nameCache is the names and titles that were read out of texts.
type nameCache struct {
	mu sync.RWMutex
	of map[cvd.BlobRef]string
}

func (c *nameCache) get(ref cvd.BlobRef) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	s, ok := c.of[ref]
	return s, ok
}

func (c *nameCache) put(ref cvd.BlobRef, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[cvd.BlobRef]string{}
	}
	c.of[ref] = name
}

func (c *nameCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of = nil
}

// checkName refuses what isn't a name that people can read on one line and type
// again: names are shown to others, in tables and on terminals.
func checkName(what, s string) error {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s), strings.ContainsRune(s, utf8.RuneError): // what stands in for bytes that aren't text
		return fmt.Errorf("%w: %s %q is not valid UTF-8", cvd.ErrRefused, what, s)
	case strings.TrimSpace(s) == "":
		return fmt.Errorf("%w: %s is empty", cvd.ErrRefused, what)
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("%w: %s %q begins or ends with a space; leave it out", cvd.ErrRefused, what, s)
	case n > longestName:
		return fmt.Errorf("%w: %s has %d characters; at most %d are allowed", cvd.ErrRefused, what, n, longestName)
	}
	for _, r := range s {
		if r != ' ' && !unicode.IsGraphic(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Co) {
			return fmt.Errorf("%w: %s %q holds U+%04X, which can't be seen or moves what is shown; leave it out", cvd.ErrRefused, what, s, r)
		}
	}
	return nil
}

const longestName = 200

// checkHandle refuses what can't be typed after --as without quotes.
func checkHandle(s string) error {
	if err := checkName("the handle", s); err != nil {
		return err
	}
	if utf8.RuneCountInString(s) > 40 || strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("._-@+", r)
	}) {
		return fmt.Errorf("%w: %q is not a handle: use up to 40 letters, digits, and . _ - @ +", cvd.ErrRefused, s)
	}
	return nil
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
func (n Names) Account(id cvd.AccountID) string {
	a := n.p.Accounts[id]
	if a == nil || id == n.p.Sealer {
		return n.d.person(n.ctx, n.p, id).Handle
	}
	if s := n.d.called(a.Person, func() (Named, error) {
		var who Person
		err := n.d.Text(n.ctx, PersonKey(id), a.Person, &who)
		return Named{who.Handle}, err
	}); s != gone {
		return s
	}
	return id.Short()
}

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
