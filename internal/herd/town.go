package herd

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"forewarn/examples"
	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/seal"
	"forewarn/internal/signin"
)

// town is a programme of many members on real files, with one sealed wave that
// all of them get.
type town struct {
	dir     string
	home    *home.Home
	wave    cvd.WaveID
	opens   time.Time
	members []member
}

// member is one member's machine: what it comes with, and what it opens copies
// with.
type member struct {
	name    string
	account cvd.AccountID
	holder  cvd.HolderID
	mail    string
	token   string
	keys    seal.Identities
}

// tick is the programme's: short, so that a wave is anchored soon after it is
// sealed.
const tick = time.Second

func local(id cvd.AccountID) cvd.Actor { return cvd.Actor{Account: id, Auth: entrylog.AuthNone} }

// found makes the programme: n members with keys, terms, consent and a token, and
// a case with a wave of the example package to all of them, which opens in that
// time after it is sealed, at a whole step: mailings leave at such ones.
func found(ctx context.Context, dir string, n int, lead, whole time.Duration, say func(string)) (_ *town, err error) {
	t := &town{dir: filepath.Join(dir, "programme")}
	if t.home, err = home.Create(ctx, t.dir, home.Founding{Origin: "herd.example/forewarn", Tick: tick, Machine: home.Machine{SealerInside: true}}); err != nil {
		return nil, err
	}
	d, err := t.home.Desk(ctx)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	first, err := d.Found(ctx, t.home.Origin(), "Herd early warning", coordinator.Person{Handle: "ana", Name: "Ana", Mail: staffMail}, tick, []byte(coordinator.DefaultTerms))
	if err != nil {
		return nil, err
	}
	ana := local(first)
	second, err := d.AddAccount(ctx, ana, cvd.MemberID{}, cvd.RoleSet(cvd.Approver), coordinator.Person{Handle: "ben", Name: "Ben", Mail: "ben@herd.example"})
	if err != nil {
		return nil, err
	}
	turn, err := coordinator.NewID[cvd.DutyID](d.Desk)
	if err != nil {
		return nil, err
	}
	if _, err := d.Do(ctx, ana, cvd.AssignDuty{Duty: turn, Account: first, Rank: 1, Starts: time.Now(), Ends: time.Now().Add(2 * days)}); err != nil {
		return nil, err
	}
	say(fmt.Sprintf("admitting %d members", n))
	var all []coordinator.Admission
	for i := range n {
		all = append(all, coordinator.Admission{Name: fmt.Sprintf("Member %d", i), Tier: 1, Contact: fmt.Sprintf("m%d", i), ContactMail: mailOf(i)})
	}
	admitted, err := d.AdmitAll(ctx, ana, all, nil)
	if err != nil {
		return nil, err
	}
	say("opening a case under embargo")
	cs, err := d.OpenCase(ctx, ana, coordinator.Opening{Title: "Larkspur Portal: layout import", Report: []byte("A report.\n"), Release: cvd.ReleaseTime{At: time.Now().Add(30 * 24 * time.Hour), Zone: "UTC"}})
	if err != nil {
		return nil, err
	}
	var ids []cvd.MemberID
	for _, a := range admitted {
		ids = append(ids, a.Member)
	}
	if _, _, err := d.Invite(ctx, ana, cs, ids, time.Time{}); err != nil {
		return nil, err
	}
	say("keys, terms, consent and tokens")
	t.members = make([]member, n)
	if err := each(n, 64, func(i int) error { return t.settle(ctx, d.Desk, i, admitted[i], cs) }); err != nil {
		return nil, err
	}
	src, err := source()
	if err != nil {
		return nil, err
	}
	added, err := d.AddRevision(ctx, ana, cs, cvd.PackageID{}, 0, src)
	if err != nil {
		return nil, err
	}
	say(fmt.Sprintf("sealing %d copies", n))
	q := cvd.DraftWave{Revision: added.Revision, Purpose: cvd.Staged, Level: form.PoC}
	for _, m := range t.members {
		q.Audience = append(q.Audience, m.holder)
	}
	t.opens = time.Now().Add(lead + whole - 1).UTC().Truncate(whole)
	q.OpensAt = t.opens
	if t.wave, err = d.DraftWave(ctx, ana, q); err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := d.Approve(ctx, local(second), t.wave, nil); err != nil {
		return nil, err
	}
	if left := time.Until(t.opens); left < min(10*time.Second, lead/2) {
		return nil, fmt.Errorf("sealing took %s, and the wave opens in %s: give it a longer lead", time.Since(begun).Round(time.Second), left.Round(time.Second))
	}
	return t, nil
}

// staffMail is who is on duty.
const staffMail = "ana@herd.example"

func mailOf(i int) string { return fmt.Sprintf("m%d@member.example", i) }

// settle gives the i-th member all that it needs for a copy.
func (t *town) settle(ctx context.Context, d *coordinator.Desk, i int, a coordinator.Admitted, cs cvd.CaseID) error {
	by := local(a.Account)
	k, err := seal.Keygen(seal.X25519, time.Now())
	if err != nil {
		return err
	}
	pub, err := k.Public()
	if err != nil {
		return err
	}
	m := member{name: fmt.Sprintf("m%d", i), account: a.Account, mail: mailOf(i), holder: cvd.HolderID(a.Member)}
	if m.keys, err = seal.ParseIdentities(k.Identity); err != nil {
		return err
	}
	secret, err := signin.Secret(d.Rand)
	if err != nil {
		return err
	}
	m.token = "fwt_" + secret
	if _, err := d.Do(ctx, by,
		cvd.EnrolKeys{Holder: m.holder, Recipients: pub.Recipients, Signing: pub.Signing},
		cvd.IssueToken{Account: a.Account, Token: signin.KeyOf(m.token), Scope: cvd.ScopeRead | cvd.ScopeFetch | cvd.ScopeReceipt, Until: time.Now().Add(3 * days)},
	); err != nil {
		return err
	}
	if _, err := d.AcceptTerms(ctx, by); err != nil {
		return err
	}
	t.members[i] = m
	return d.Consent(ctx, by, cs, true)
}

// source is the example package.
func source() (src carrier.Source, err error) {
	files := examples.Advisory()
	err = fs.WalkDir(files, ".", func(path string, f fs.DirEntry, err error) error {
		if err != nil || f.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		src.Files = append(src.Files, carrier.SourceFile{Path: path, Data: b})
		return err
	})
	return src, err
}

// each calls f for 0 … n-1, so many at a time, and stops at the first error.
func each(n, hands int, f func(int) error) error {
	var next atomic.Int64
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	for range min(n, hands) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(i); err != nil {
					once.Do(func() { failed = err })
					next.Store(int64(n))
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}
