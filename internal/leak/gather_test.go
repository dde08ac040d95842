package leak_test

import (
	"errors"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/evidence/evidencetest"
	"forewarn/internal/form"
	"forewarn/internal/leak"
)

func TestGather(t *testing.T) {
	ref := evidencetest.Ref
	var (
		pkg, rev, cs = cvd.PackageID(ref("package")), cvd.RevisionID(ref("revision")), cvd.CaseID(ref("case"))
		a, b         = cvd.MemberID(ref("a")), cvd.MemberID(ref("b"))
		writer       = cvd.AccountID(ref("writer"))
		contact      = cvd.AccountID(ref("contact"))
		group        = cvd.GroupID(ref("group"))
		day          = func(n int) time.Time { return evidencetest.Founded.AddDate(0, 0, n) }
		note         = func(n int) cvd.Note { return cvd.Note{Seq: entrylog.Seq(n), At: day(n), By: contact} }
	)
	p := cvd.New()
	p.Origin, p.Interval = evidencetest.Programme, evidencetest.Interval
	p.Groups[group] = &cvd.Group{Note: note(1), ID: group}
	p.Members[a] = &cvd.Member{ID: a, Tier: 1, Group: group, Jurisdictions: []cvd.Jurisdiction{{'C', 'N'}}}
	p.Members[b] = &cvd.Member{ID: b, Tier: 2}
	wave := func(name string, purpose cvd.Purpose, seq int, audience ...cvd.HolderID) cvd.WaveID {
		n := note(seq)
		w := &cvd.Wave{ID: cvd.WaveID(ref(name)), Case: cs, Package: pkg, Revision: rev, Purpose: purpose, Level: form.Detection, OpensAt: day(seq),
			Audience: audience, Sealed: &n, Statement: &evidence.WaveStatement{Form: evidencetest.Bytes("form")}, Copies: make([]cvd.Copy, len(audience))}
		p.Waves[w.ID] = w
		return w.ID
	}
	preview := wave("preview", cvd.Preview, 3, cvd.HolderID(writer))
	second := wave("second", cvd.Staged, 9, cvd.HolderID(a), cvd.HolderID(b))
	first := wave("first", cvd.Staged, 5, cvd.HolderID(a))
	draft := cvd.WaveID(ref("draft"))
	p.Waves[draft] = &cvd.Wave{ID: draft, Purpose: cvd.Staged}
	p.Waves[first].Copies[0] = cvd.Copy{Blob: cvd.BlobRef{1}, Stored: note(5), Fetches: []cvd.Fetched{{Account: contact, At: day(6), Seq: 60}}, Receipt: &cvd.Lodged{Note: note(7)}}
	cancelled := note(11)
	p.Waves[second].Cancelled = &cancelled
	p.Packages[pkg] = &cvd.Package{ID: pkg, Case: cs, Waves: []cvd.WaveID{preview, draft, second, first}, Issued: []cvd.HolderID{cvd.HolderID(writer), cvd.HolderID(a), cvd.HolderID(b)}}
	revision := &cvd.Revision{ID: rev}
	revision.Rulings[cvd.ShareWithMember] = cvd.Ruling{Verdict: cvd.Yes}
	p.Revisions[rev] = revision
	released := note(14)
	p.Cases[cs] = &cvd.Case{ID: cs, Reported: day(-30), Opened: note(1), Released: &released,
		Embargo: &cvd.Embargo{Note: note(2), Release: cvd.ReleaseTime{At: day(14)}}, Moves: []cvd.Move{{Note: note(4)}},
		Ended:    &cvd.EmbargoEnd{Note: note(13)},
		Answers:  []cvd.Answer{{Note: note(8), Member: a, State: cvd.Ready}, {Note: note(8), Member: b, State: cvd.Investigating}},
		Breaches: []cvd.Breach{{Note: note(12), Happened: day(11)}},
		Links:    []cvd.Link{{Note: note(15), To: cs, Relation: cvd.Incomplete}},
	}
	names := map[entrylog.Ref]string{entrylog.Ref(a): "Alder", entrylog.Ref(group): "Holding", entrylog.Ref(contact): "duty desk"}
	f, err := leak.Gather(p, pkg, func(r entrylog.Ref) string { return names[r] })
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Waves) != 3 || f.Waves[0].Label != "preview 1" || !f.Waves[0].Staff || f.Waves[1].Label != "wave 1" || f.Waves[1].Entry != 5 || f.Waves[2].Label != "wave 2" || !f.Waves[2].Ends.Equal(day(11)) {
		t.Errorf("waves %+v", f.Waves)
	}
	if len(f.Holders) != 3 || !f.Holders[0].Staff || f.Holders[1].Name != "Alder" || f.Holders[1].GroupName != "Holding" || f.Holders[1].Jurisdictions[0] != "CN" || f.Holders[2].Tier != "tier 2" || f.Holders[2].Name != b.Short() {
		t.Errorf("holders %+v", f.Holders)
	}
	if f.Interval != evidencetest.Interval || f.Holders[1].GroupEntry != (leak.Event{At: day(1), Entry: 1}) || !f.Waves[1].Sealed.Equal(day(5)) {
		t.Errorf("interval %v, group of %+v, sealed %v", f.Interval, f.Holders[1], f.Waves[1].Sealed)
	}
	if len(f.Fetches) != 1 || f.Fetches[0].Entry != 60 || f.Fetches[0].AccountName != "duty desk" || len(f.Receipts) != 1 || f.Receipts[0].Entry != 7 {
		t.Errorf("fetches %+v, receipts %+v", f.Fetches, f.Receipts)
	}
	if f.Release != (leak.Event{At: day(14), Entry: 4}) || f.Released.Entry != 14 || f.Ended.Entry != 13 || len(f.Breaches) != 1 || len(f.Answers) != 1 || len(f.Links) != 1 || len(f.Rulings) != 5 || f.Rulings[4].Use != "share-with-member" || !f.Rulings[4].Allowed || f.Rulings[2].Allowed {
		t.Errorf("milestones %+v", f)
	}
	if _, err := leak.Gather(p, cvd.PackageID{}, nil); !errors.Is(err, cvd.ErrNotFound) {
		t.Errorf("no such package: %v", err)
	}
	m := leak.Timeline(leak.Inputs{Facts: f})
	if len(m.Bands) != 2 || !m.Broken || len(m.Answers) != 1 || len(m.Fetches) != 1 || m.Release.Entry != 14 {
		t.Errorf("timeline %+v", m)
	}
}
