package cvd

import (
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/form"
	"forewarn/internal/wire"
)

// BenchmarkReplay folds a log of the shape that a large programme has: nearly
// all of it fetches and receipts. The entries are encoded; reading and hashing
// them is the ledger's part.
func BenchmarkReplay(b *testing.B) {
	const members = 2000
	w := newWorld(b)
	w.found()
	for n := 1; n <= members; n++ {
		w.admitQuick(n)
	}
	w.embargo(num[Case](1), members)
	w.revise(num[Case](1), num[Package](1), num[Revision](1))
	w.draft(num[Wave](1), num[Revision](1), form.Detection, w.now.Add(time.Hour), audience(members)...)
	w.seal(num[Wave](1))
	w.tick(time.Hour)
	base := w.p
	head := len(w.log)
	body := make([][2][]byte, members)
	for n := range members {
		body[n] = [2][]byte{
			wire.Marshal(&CopyFetched{num[Wave](1), holder(n + 1)}),
			wire.Marshal(&ReceiptLodged{Wave: num[Wave](1), Holder: holder(n + 1), Leaf: leaf(num[Wave](1), holder(n+1))}),
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		n := i % members
		e := entrylog.Entry{Time: w.now.Add(time.Duration(i) * time.Microsecond), Actor: entrylog.Ref(adminOf(n + 1)), Subject: ref(num[Wave](1))}
		if i%5 == 4 {
			e.Kind, e.Body = KindReceiptLodged, body[n][1]
		} else {
			e.Kind, e.Body = KindCopyFetched, body[n][0]
		}
		if err := base.Apply(entrylog.Seq(head+i), e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFetch decides fetches, as a desk does when a wave opens.
func BenchmarkFetch(b *testing.B) {
	const members = 2000
	w := newWorld(b)
	w.found()
	for n := 1; n <= members; n++ {
		w.admitQuick(n)
	}
	w.embargo(num[Case](1), members)
	w.revise(num[Case](1), num[Package](1), num[Revision](1))
	w.draft(num[Wave](1), num[Revision](1), form.Detection, w.now.Add(time.Hour), audience(members)...)
	w.seal(num[Wave](1))
	w.tick(time.Hour)
	b.ReportAllocs()
	for i := range b.N {
		n := i%members + 1
		if _, err := w.p.Decide(Fetch{num[Wave](1), holder(n)}, Actor{Account: adminOf(n)}, w.now); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStateHash(b *testing.B) {
	w := newFixture(b)
	b.ReportAllocs()
	for range b.N {
		w.p.StateHash()
	}
}

// admitQuick is admit without the audit of the whole world after each step.
func (w *world) admitQuick(n int) {
	for _, s := range []struct {
		who AccountID
		c   Command
	}{
		{alice, AdmitMember{Member: mem(n), Tier: 1}},
		{alice, AddAccount{Account: adminOf(n), Member: mem(n), Roles: RoleSet(MemberAdmin)}},
		{adminOf(n), AcceptTerms{Member: mem(n), Terms: terms1, Digest: hash32(5)}},
		{adminOf(n), EnrolKeys{Holder: holder(n), Recipients: []string{recipient(n)}, Signing: signing(n)}},
	} {
		if err := w.try(s.who, s.c); err != nil {
			w.tb.Fatal(err)
		}
	}
}
