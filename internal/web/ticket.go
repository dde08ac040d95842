package web

import (
	"errors"
	"net/http"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/signin"
	"forewarn/internal/wire"
)

// Sealed files are served from a path of their own, which looks at no cookie. A
// page asks for a copy, which puts the fetch on the log, and is given tickets: one
// for each file, good once, for a minute. What a browser holds for this site is so
// never sent along with a file's address, and the address opens nothing later.

const (
	ticketKind = "ticket"
	ticketTime = time.Minute
)

// ticket says what is served for one.
type ticket struct {
	Account cvd.AccountID
	Wave    cvd.WaveID
	Holder  cvd.HolderID
	Part    string // "age", "bulk.age" or "proof": the file's ending
}

// Wire is the layout of a ticket's value.
func (t *ticket) Wire(c *wire.Coder) {
	t.Account.Wire(c)
	t.Wave.Wire(c)
	t.Holder.Wire(c)
	wire.Text(c, &t.Part, 16)
}

// fetchedPage says where a copy's files are, for a minute.
type fetchedPage struct {
	Wave   string
	Title  string
	Case   cvd.CaseID
	Files  []fetchedFile
	Until  Moment
	Has    map[string]bool
	Checks string // what 'forewarn open' is told to check it with
}

type fetchedFile struct {
	Name, Path, What string
	Bytes            int
}

// fetchCopy puts the fetch of a copy on the log and gives tickets for its files.
func fetchCopy(v *Visit) error {
	id, err := pathID[cvd.WaveID](v, "wave")
	if err != nil {
		return err
	}
	holder, _, err := v.Desk().Inbox(v.By)
	if err != nil {
		return err
	}
	del, err := v.Desk().Fetch(v.Context(), v.By, id, holder)
	if err != nil {
		return err
	}
	page := fetchedPage{Wave: id.Short(), Until: v.Moment(v.Now().Add(ticketTime)), Has: map[string]bool{}}
	if page.Checks, err = v.checks(); err != nil {
		return err
	}
	for _, f := range copyParts(del) {
		if len(f.data) == 0 {
			continue
		}
		secret, err := v.ticket(ticket{v.By.Account, id, holder, f.part})
		if err != nil {
			return err
		}
		page.Has[f.part] = true
		page.Files = append(page.Files, fetchedFile{id.Short() + "." + f.part, "/d/" + secret, f.what, len(f.data)})
	}
	err = v.View(func(p *cvd.Programme, n coordinator.Names) error {
		cs := p.Waves[id].Case
		if p.May(v.By, cvd.ActReadCase, cvd.ACase(cs), v.Now()) == nil {
			page.Case, page.Title = cs, n.Case(cs)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.Render("fetched", page)
}

type copyPart struct {
	part, what string
	data       []byte
}

func copyParts(d coordinator.Delivery) []copyPart {
	return []copyPart{
		{"age", "the sealed copy", d.Sealed},
		{"proof", "the proof that it was committed to before it was sent", d.Proof.Marshal()},
		{"bulk.age", "what all copies share; its key is in yours", d.Bulk},
	}
}

func (v *Visit) ticket(t ticket) (secret string, err error) {
	if secret, err = signin.Secret(v.site.Rand); err != nil {
		return "", err
	}
	return secret, v.site.SignIn.Put(v.Context(), signin.Item{Kind: ticketKind, Key: signin.KeyOf(secret), Owner: [16]byte(t.Account), Value: wire.Marshal(&t), Expires: v.Now().Add(ticketTime)})
}

// download serves what a ticket is for, once. The desk decides anew: what was held
// or recalled in the meantime is not served.
func download(v *Visit) error {
	if v.Method != http.MethodGet {
		return errNoPage // a look must not use it up
	}
	it, err := v.site.SignIn.Take(v.Context(), ticketKind, signin.KeyOf(v.PathValue("ticket")), v.Now())
	if errors.Is(err, signin.ErrNone) {
		return errNoPage
	}
	if err != nil {
		return err
	}
	var t ticket
	if wire.Unmarshal(it.Value, &t) != nil {
		return errNoPage
	}
	del, err := v.Desk().Fetch(v.Context(), cvd.Actor{Account: t.Account, Auth: entrylog.AuthSession}, t.Wave, t.Holder)
	if err != nil {
		return err
	}
	for _, f := range copyParts(del) {
		if f.part == t.Part && len(f.data) > 0 {
			v.file(t.Wave.Short()+"."+t.Part, "application/octet-stream", f.data)
			return nil
		}
	}
	return errNoPage
}
