package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/form"
	"forewarn/internal/seal"
	"forewarn/internal/sealer"
)

// grow makes a world a large one: so many members, all of them in the one case
// that has a wave, and so many cases beside it, with ten members each. Every
// tenth member has keys and is in a second wave, which is sealed and which half
// of them fetched.
func (w *world) grow(members, cases int) {
	t := w.t
	var all []coordinator.Admission
	for i := range members {
		all = append(all, coordinator.Admission{Name: fmt.Sprintf("Many %05d", i), Tier: uint8(1 + i%4), Contact: fmt.Sprintf("m%d", i), Jurisdictions: []string{"DE"}})
	}
	in, err := w.desk.AdmitAll(ctx, w.by("ana"), all, nil)
	ok(t, err)
	ids := make([]cvd.MemberID, len(in))
	for i := range in {
		ids[i] = in[i].Member
	}
	_, _, err = w.desk.Invite(ctx, w.by("ana"), w.cs, slices.Clone(ids), time.Time{})
	ok(t, err)
	audience := []cvd.HolderID{}
	for i := 0; i < members; i += 10 {
		by := cvd.Actor{Account: in[i].Account}
		_, err := w.desk.AcceptTerms(ctx, by)
		ok(t, err)
		ok(t, w.desk.Consent(ctx, by, w.cs, true))
		k, err := seal.Keygen(seal.X25519, dawn)
		ok(t, err)
		pub, err := k.Public()
		ok(t, err)
		h := cvd.HolderID(ids[i])
		_, err = w.desk.Do(ctx, by, cvd.EnrolKeys{Holder: h, Recipients: pub.Recipients, Signing: pub.Signing})
		ok(t, err)
		ok(t, w.press.Accept(sealer.HolderKeys{Holder: h, Recipients: pub.Recipients}))
		audience = append(audience, h)
	}
	rev, err := w.desk.Revision(w.cs, 0)
	ok(t, err)
	w.big, err = w.desk.DraftWave(ctx, w.by("ana"), cvd.DraftWave{Revision: rev, Purpose: cvd.Staged, Level: form.Description, OpensAt: w.now.Add(time.Minute), Audience: audience})
	ok(t, err)
	ok(t, w.desk.Approve(ctx, w.by("ben"), w.big, nil))
	w.now = w.now.Add(3 * time.Minute)
	ok(t, w.desk.Log().Tick(ctx))
	for i := 0; i < members; i += 20 {
		_, err := w.desk.Fetch(ctx, cvd.Actor{Account: in[i].Account}, w.big, cvd.HolderID(ids[i]))
		ok(t, err)
	}
	for i := range cases {
		at := i * 7 % max(1, members-10)
		_, err := w.desk.OpenCase(ctx, w.by("ana"), coordinator.Opening{Title: fmt.Sprintf("Case %04d", i), Named: []string{"Works Portal"}, Invite: slices.Clone(ids[at:min(at+10, members)]),
			Release: cvd.ReleaseTime{At: dawn.Add(time.Duration(240+i) * time.Hour), Zone: "UTC"}})
		ok(t, err)
	}
}

// BenchmarkStaff asks for every page that shows something to the staff, in a
// programme of a thousand cases and ten thousand members, who all are in one of
// them, and reports the time under which 95 of a hundred answers are. Names are read
// already: the first search after a start reads them all, once.
func BenchmarkStaff(b *testing.B) {
	w := bench(b)
	w.grow(10_000, 1_000)
	ok(b, w.desk.Warm(ctx))
	ana := w.as("ana")
	for _, p := range w.site.pageList {
		method, path := w.at(p.Pattern, true)
		if method != "GET" || p.Who != SignedIn || p.api {
			continue
		}
		path = strings.ReplaceAll(path, w.wave.String(), w.big.String())
		for _, q := range []string{"", "?words=9", "?sort=-name"} {
			if q != "" && (p.Op.In == nil || p.Op.In != listIn{}) {
				continue
			}
			r := ana.get(path + q)
			if r.StatusCode == http.StatusSeeOther || r.StatusCode == http.StatusNotFound { // not ana's
				continue
			}
			file := r.Header.Get("Content-Disposition") != "" // as long as what it is of
			if size := len(ana.wants(r, 200)); size > 100<<10 && !file {
				b.Errorf("%s is %d bytes", path, size)
			}
			b.Run(strings.TrimPrefix(p.Pattern, "GET ")+q, func(b *testing.B) {
				var took []time.Duration
				for b.Loop() {
					begun := time.Now()
					r := ana.get(path + q)
					took = append(took, time.Since(begun))
					if r.StatusCode != 200 {
						b.Fatal(r.StatusCode)
					}
				}
				slices.SortFunc(took, func(a, b time.Duration) int { return cmp.Compare(a, b) })
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
	}
}
