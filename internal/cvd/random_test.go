package cvd

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

// dice draws commands that have a fair chance to be allowed: ids come from small
// pools, and most things that can be looked up are.
//
// The choices come from a generator of their own, seeded by rapid: rapid's
// numbers favour small ones, and verbs late in the list would hardly come up.
type dice struct {
	*rapid.T
	*rand.Rand
	w *world
}

func draw[T any](d *dice, list ...T) T {
	return list[d.IntN(len(list))]
}

func (d *dice) n(most int) int { return 1 + d.IntN(most) }
func (d *dice) yes() bool      { return d.n(2) == 1 }

// some is mostly one of the things that exist, and sometimes one that may not.
func some[T any](d *dice, order []wire.ID[T], most int) wire.ID[T] {
	if n := d.n(8); n > 1 && len(order) > 0 {
		return order[d.n(len(order))-1]
	}
	return num[T](d.n(most))
}

func (d *dice) member() MemberID     { return mem(d.n(5)) }
func (d *dice) kase() CaseID         { return some(d, d.w.p.CaseOrder, 3) }
func (d *dice) pkg() PackageID       { return some(d, d.w.p.PackageOrder, 3) }
func (d *dice) revision() RevisionID { return some(d, d.w.p.RevisionOrder, 4) }
func (d *dice) wave() WaveID         { return some(d, d.w.p.WaveOrder, 6) }
func (d *dice) product() ProductID   { return some(d, d.w.p.ProductOrder, 2) }
func (d *dice) account() AccountID {
	n := d.n(5)
	return draw(d, alice, bob, carol, dan, ines, otto, fay, machine, adminOf(n), contactOf(n), num[Account](500+n))
}

func (d *dice) holder() HolderID {
	if d.n(5) == 1 {
		return HolderID(draw(d, alice, bob, carol, otto))
	}
	return holder(d.n(5))
}

// fetched is a copy that a member fetched, if there is one.
func (d *dice) fetched() (WaveID, int) {
	for range 10 {
		id, n := d.wave(), d.n(5)
		if w := d.w.p.Waves[id]; w != nil {
			if c := w.CopyOf(holder(n)); c != nil && len(c.Fetches) > 0 {
				return id, n
			}
		}
	}
	return d.wave(), d.n(5)
}

func (d *dice) holders() (list []HolderID) {
	for range d.IntN(5) {
		list = append(list, d.holder())
	}
	return list
}

func (d *dice) members() (list []MemberID) {
	for range d.IntN(5) {
		list = append(list, d.member())
	}
	return list
}

func (d *dice) soon() time.Time {
	return d.w.now.Add(time.Duration(d.IntN(74)-1) * time.Hour)
}

func (d *dice) release() ReleaseTime { return ReleaseTime{d.soon().Add(48 * time.Hour), "UTC"} }

func (d *dice) receipt(id WaveID, h HolderID) (r evidence.Receipt) {
	r = d.w.receipt(id, h)
	if d.n(6) == 1 {
		r.Key = hash32(1)
	}
	return r
}

// commands is every verb. Each draws its arguments and says who is likely to be
// allowed it.
var commands = []func(*dice) (AccountID, Command){
	func(d *dice) (AccountID, Command) {
		return alice, AddAccount{Account: num[Account](500 + d.n(5)), Roles: RoleSet(draw(d, Approver, CaseWorker, Finder, MemberAdmin)), Person: blob(3)}
	},
	func(d *dice) (AccountID, Command) { return alice, CloseAccount{d.account()} },
	func(d *dice) (AccountID, Command) {
		return draw(d, alice, adminOf(1), bob), ChangePerson{d.account(), blob(d.n(5))}
	},
	func(d *dice) (AccountID, Command) { return alice, SetIntake{[]string{recipient(9000 + d.n(3))}} },
	func(d *dice) (AccountID, Command) {
		return draw(d, machine, fay, contactOf(1)), ReceiveReport{Report: num[Report](d.n(30)), Reference: hash32(9000 + d.n(30)), Sealed: blob(1), Size: uint32(d.n(2 * MaxReport)), Credit: blob(d.n(3))}
	},
	func(d *dice) (AccountID, Command) { return bob, ReadReport{some(d, d.w.p.ReportOrder, 3)} },
	func(d *dice) (AccountID, Command) {
		return bob, SettleReport{Report: some(d, d.w.p.ReportOrder, 3), Case: draw(d, CaseID{}, d.kase()), Reason: blob(1)}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, machine, fay), CreditReport{some(d, d.w.p.ReportOrder, 3), blob(d.n(4))}
	},
	func(d *dice) (AccountID, Command) { return alice, CorrectAdvisory{d.kase(), blob(d.n(2)), blob(2)} },
	func(d *dice) (AccountID, Command) {
		c := PublishHeadsUp{num[HeadsUp](d.n(20)), d.kase(), d.release(), blob(1), BlobRef{}}
		if h := d.w.p.HeadsUpOf(c.Case); h != nil && d.n(4) > 1 {
			c.HeadsUp, c.Change = h.ID, draw(d, BlobRef{}, blob(3))
		}
		return alice, c
	},
	func(d *dice) (AccountID, Command) {
		c := WithdrawHeadsUp{some(d, d.w.p.HeadsUpOrder, 20), d.kase(), blob(d.n(2))}
		if h := d.w.p.HeadsUpOf(c.Case); h != nil && d.n(4) > 1 {
			c.HeadsUp = h.ID
		}
		return alice, c
	},
	func(d *dice) (AccountID, Command) {
		return alice, InviteAccount{Account: d.account(), Invitation: hash32(900 + d.n(40)), Until: d.soon()}
	},
	func(d *dice) (AccountID, Command) {
		a := draw(d, alice, bob, carol, contactOf(1))
		acc := d.w.p.Accounts[a]
		c := AddCredential{Account: a, Credential: []byte{byte(d.n(40))}, PublicKey: []byte("key")}
		if acc != nil && len(acc.Invitations) > 0 && d.n(4) > 1 {
			c.Invitation = acc.Invitations[len(acc.Invitations)-1].Hash
		}
		return a, c
	},
	func(d *dice) (AccountID, Command) {
		a := draw(d, alice, bob, carol, contactOf(1))
		return a, RevokeCredential{a, sha256.Sum256([]byte{byte(d.n(40))})}
	},
	func(d *dice) (AccountID, Command) {
		a := draw(d, bob, contactOf(1))
		return a, IssueToken{a, hash32(950 + d.n(20)), ScopeRead, d.soon()}
	},
	func(d *dice) (AccountID, Command) {
		a := draw(d, bob, contactOf(1))
		return a, RevokeToken{a, hash32(950 + d.n(20))}
	},
	func(d *dice) (AccountID, Command) {
		return alice, AdmitMember{Member: mem(d.n(7)), Name: blob(9), Tier: uint8(d.n(3))}
	},
	func(d *dice) (AccountID, Command) {
		return alice, ChangeStanding{Member: d.member(), Standing: draw(d, Good, Good, Suspended, Excluded, Left), Reason: blob(1)}
	},
	func(d *dice) (AccountID, Command) {
		return alice, PublishTerms{Terms: num[Terms](20 + d.n(3)), Text: blob(4), Digest: hash32(5), Binds: d.soon()}
	},
	func(d *dice) (AccountID, Command) {
		n := d.n(5)
		return adminOf(n), AcceptTerms{Member: mem(n), Terms: num[Terms](20 + d.n(3)), Digest: hash32(5)}
	},
	func(d *dice) (AccountID, Command) {
		n := d.n(5)
		return adminOf(n), EnrolKeys{Holder: holder(n), Recipients: []string{recipient(n*10 + d.n(2))}, Signing: signing(n*10 + d.n(2))}
	},
	func(d *dice) (AccountID, Command) {
		a := draw(d, alice, bob, carol)
		return a, EnrolKeys{Holder: HolderID(a), Recipients: []string{recipient(900 + int(a[15]))}, Signing: signing(900 + int(a[15]))}
	},
	func(d *dice) (AccountID, Command) { return alice, RevokeKeys{d.holder(), blob(1)} },
	func(d *dice) (AccountID, Command) {
		return bob, AddProduct{Product: num[Product](d.n(2)), Case: draw(d, CaseID{}, d.kase()), Name: blob(2)}
	},
	func(d *dice) (AccountID, Command) {
		return alice, DeclareGroup{num[Group](d.n(2)), d.members()}
	},
	func(d *dice) (AccountID, Command) {
		return alice, AssignDuty{num[Duty](d.n(2)), draw(d, alice, carol, bob), uint8(d.n(2)), d.soon(), d.soon()}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, carol, dan), Delegate{Delegation: num[Delegation](d.n(4)), To: d.account(), Role: Approver, Starts: d.w.now, Ends: d.soon()}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, carol, alice), RevokeDelegation{some(d, d.w.p.DelegationOrder, 4)}
	},
	func(d *dice) (AccountID, Command) {
		return alice, SetLegalHold{draw(d, CaseKey, PersonKey), draw(d, ref(d.kase()), ref(d.account()), ref(d.member())), d.yes(), d.soon(), blob(1)}
	},
	func(d *dice) (AccountID, Command) {
		return alice, DestroyKey{draw(d, CaseKey, PersonKey), draw(d, ref(d.kase()), ref(d.account()), ref(d.member()))}
	},
	func(d *dice) (AccountID, Command) { return alice, DeclareRecovery{uint64(d.n(9)), hash32(1), blob(1)} },
	func(d *dice) (AccountID, Command) { return ines, NoteCommitment{hash32(d.n(9))} },
	func(d *dice) (AccountID, Command) {
		return bob, OpenCase{Case: num[Case](d.n(3)), Title: blob(1), Finder: draw(d, AccountID{}, fay), Products: draw(d, nil, []ProductID{d.product()})}
	},
	func(d *dice) (AccountID, Command) {
		return bob, LinkCase{d.kase(), d.kase(), draw(d, Duplicate, Split, Incomplete)}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, bob, fay), ProposeEmbargo{d.kase(), d.release(), BlobRef{}, draw(d, time.Time{}, d.soon()), d.yes()}
	},
	func(d *dice) (AccountID, Command) {
		c := d.kase()
		n := 1
		if k := d.w.p.Cases[c]; k != nil {
			n = len(k.Proposals)
		}
		return alice, AgreeEmbargo{c, uint32(n)}
	},
	func(d *dice) (AccountID, Command) { return alice, MoveReleaseTime{d.kase(), d.release(), blob(1)} },
	func(d *dice) (AccountID, Command) {
		return bob, Invite{d.kase(), AsProtector, draw(d, time.Time{}, d.soon()), d.members()}
	},
	func(d *dice) (AccountID, Command) {
		c, n := d.kase(), d.n(5)
		number := uint32(1)
		if k := d.w.p.Cases[c]; k != nil && k.Embargo != nil {
			number = k.Embargo.Number
		}
		return adminOf(n), GiveConsent{c, mem(n), draw(d, Signatory, Signatory, Signatory, Declined, Lapsed), number}
	},
	func(d *dice) (AccountID, Command) {
		return bob, SaveDraft{num[Package](d.n(3)), d.kase(), blob(d.n(9))}
	},
	func(d *dice) (AccountID, Command) { return carol, OpenDraft{d.pkg()} },
	func(d *dice) (AccountID, Command) {
		return bob, MakeRevision{Revision: num[Revision](d.n(4)), Package: d.pkg(), Source: blob(1), Form: hash32(d.n(9)), SlotTable: hash32(1),
			Label: tlp.Amber, Level: draw(d, form.PoC, form.PoC, form.Detection), Break: draw(d, form.Detection, form.Description, form.Level(0)), AlphaPico: 1e6}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, bob, bob, carol, alice), DraftWave{Wave: num[Wave](d.n(6)), Revision: d.revision(), Purpose: draw(d, Staged, Staged, Staged, Preview, BreakPack),
			Level: draw(d, form.HeadsUp, form.Description, form.Detection, form.PoC), Widens: draw(d, WaveID{}, WaveID{}, d.wave()),
			OpensAt: d.soon(), LapsesAt: draw(d, time.Time{}, d.soon()), Audience: d.holders()}
	},
	func(d *dice) (AccountID, Command) {
		id := d.wave()
		c := ApproveWave{Wave: id}
		if w := d.w.p.Waves[id]; w != nil && d.n(8) > 1 {
			c.Digest = w.Digest
		}
		return draw(d, carol, dan, d.account()), c
	},
	func(d *dice) (AccountID, Command) {
		id := d.wave()
		if d.w.p.Waves[id] == nil {
			return machine, RecordSealed{evidence.WaveStatement{Wave: ref(id)}}
		}
		s := d.w.statement(id)
		if d.n(8) == 1 {
			s.Level = form.PoC
		}
		return machine, RecordSealed{s}
	},
	func(d *dice) (AccountID, Command) {
		id := d.wave()
		c := StoreCopies{Wave: id, Bulk: draw(d, BlobRef{}, blob(8))}
		if w := d.w.p.Waves[id]; w != nil {
			for i, h := range w.Audience {
				if keys, _ := d.w.p.KeysOf(h); i == 0 || d.n(5) > 1 {
					c.Copies = append(c.Copies, StoredCopy{Holder: h, Keys: keys.Seq, Leaf: leaf(id, h), Blob: blob(d.n(9)), Size: 1})
				}
			}
		}
		return machine, c
	},
	func(d *dice) (AccountID, Command) { return draw(d, bob, carol), CancelWave{d.wave(), blob(1)} },
	func(d *dice) (AccountID, Command) {
		return draw(d, bob, carol), Hold{d.kase(), draw(d, WaveID{}, d.wave()), blob(1)}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, alice, carol), LiftHold{d.kase(), draw(d, WaveID{}, d.wave())}
	},
	func(d *dice) (AccountID, Command) {
		n := d.n(5)
		return draw(d, contactOf(n), adminOf(n)), Fetch{d.wave(), holder(n)}
	},
	func(d *dice) (AccountID, Command) {
		a := draw(d, alice, bob, carol)
		return a, Fetch{d.wave(), HolderID(a)}
	},
	func(d *dice) (AccountID, Command) {
		id, n := d.fetched()
		return contactOf(n), LodgeReceipt{id, holder(n), d.receipt(id, holder(n))}
	},
	func(d *dice) (AccountID, Command) {
		n := d.n(5)
		return contactOf(n), GiveAnswer{d.kase(), mem(n), d.product(), AnswerState(d.IntN(7)), blob(d.n(3))}
	},
	func(d *dice) (AccountID, Command) { return alice, IssueRecall{d.revision(), blob(1)} },
	func(d *dice) (AccountID, Command) {
		id, n := d.fetched()
		r := d.revision()
		if w := d.w.p.Waves[id]; w != nil {
			r = w.Revision
		}
		return contactOf(n), AcknowledgeRecall{r, holder(n)}
	},
	func(d *dice) (AccountID, Command) {
		return draw(d, alice, carol), EndEmbargo{d.kase(), draw(d, RevisionID{}, d.revision()), draw(d, form.Level(0), form.Description, form.Detection), blob(1)}
	},
	func(d *dice) (AccountID, Command) { return alice, Release{d.kase(), blob(1)} },
	func(d *dice) (AccountID, Command) {
		return ines, RecordSighting{num[Sighting](d.n(50)), d.kase(), blob(1), draw(d, time.Time{}, d.soon()), draw(d, time.Time{}, d.soon()), GradeB}
	},
	func(d *dice) (AccountID, Command) {
		return alice, DeclareSource{Source: num[Source](d.n(3)), Origin: draw(d, OwnSensor, Hearsay), Public: d.yes(), Quota: uint32(d.n(9))}
	},
	func(d *dice) (AccountID, Command) {
		return alice, DeclareSource{Source: num[Source](3 + d.n(3)), Origin: MemberSource, Member: d.member(), Quota: uint32(d.n(9))}
	},
	func(d *dice) (AccountID, Command) {
		if d.n(20) > 1 {
			return alice, RetireSource{}
		}
		return alice, RetireSource{num[Source](d.n(6))}
	},
	sees, sees, sees,
	func(d *dice) (AccountID, Command) { c := d.kase(); return carol, AcknowledgeAlarm{c, d.round(c)} },
	decides, decides,
	func(d *dice) (AccountID, Command) {
		return carol, SetSuppression{num[Suppression](d.n(9)), d.kase(), d.soon(), blob(1), []Pair{{draw(d, SourceID{}, num[Source](d.n(6))), Tag{byte(d.n(4))}}}}
	},
	func(d *dice) (AccountID, Command) {
		q := QueueNotice{Notice: num[Notice](d.n(99)), Case: d.kase()}
		if due, _ := d.w.p.NoticesDue(d.w.now); len(due) > 0 {
			x := draw(d, due...)
			q.Case, q.Round, q.Step, q.Account = x.Case, x.Round, x.Step, x.Account
		}
		return ines, q
	},
	func(d *dice) (AccountID, Command) {
		return ines, RecordNotice{some(d, d.w.p.NoticeOrder, 9), draw(d, HandedOff, NotHanded)}
	},
	tells, tells,
	func(d *dice) (AccountID, Command) {
		var q RecordDeliveries
		for range d.n(4) {
			q.Rows = append(q.Rows, TriedRow{some(d, d.w.p.DeliveryOrder, 9), draw(d, MailSent, MailFailed, MailFailed, MailBounced)})
		}
		return ines, q
	},
	func(d *dice) (AccountID, Command) { a := d.account(); return a, SeeNotices{a} },
	func(d *dice) (AccountID, Command) {
		return alice, DeclareBreach{d.kase(), draw(d, MemberID{}, d.member()), draw(d, time.Time{}, d.soon()), blob(1)}
	},
}

// tells queues what is due, or something like it.
func tells(d *dice) (AccountID, Command) {
	q := QueueDeliveries{num[Mailing](d.n(30)), WaveOpened, ref(d.wave()), 0, []AccountID{contactOf(d.n(5))}}
	if due := d.w.p.DeliveriesDue(d.w.now); len(due) > 0 && d.n(9) > 1 {
		x := draw(d, due...)
		q.Why, q.About, q.Step, q.Accounts = x.Why, x.About, x.Step, x.Accounts
	}
	return ines, q
}

// sees is a batch of sightings of a log that is read on.
func sees(d *dice) (AccountID, Command) {
	q := RecordSightings{Case: d.kase(), Source: some(d, d.w.p.SourceOrder, 6), Detail: blob(1)}
	if d.yes() {
		q.Stream, q.Generation, q.Begin = num[Stream](d.n(2)), uint64(d.n(2)), uint64(d.n(100))
		q.End = q.Begin + uint64(d.n(50))
	}
	for range d.n(3) {
		q.Seen = append(q.Seen, SeenRow{Sighting: num[Sighting](1000 + d.IntN(1e6)), Clue: draw(d, Token, Indicator), Tag: Tag{byte(d.n(4))}, Count: uint32(d.n(3)), Bytes: d.yes()})
	}
	return ines, q
}

func (d *dice) round(id CaseID) uint32 {
	if c := d.w.p.Cases[id]; c != nil && c.Alarm != nil && d.n(9) > 1 {
		return c.Alarm.Round
	}
	return uint32(d.n(3))
}

func decides(d *dice) (AccountID, Command) {
	id := d.kase()
	return carol, DecideAlarm{Case: id, Round: d.round(id), Choice: draw(d, ChooseHold, ChooseWatch, ChooseWatch, ChooseDismiss, ChooseEnd),
		UpTo: draw(d, 0, d.w.p.Next), Reason: blob(1), Suppression: num[Suppression](d.n(99)), Until: d.soon()}
}

// lives is where everything that has a life is.
type lives struct {
	waves     map[WaveID]WaveState
	embargoes map[CaseID]EmbargoState
	consents  map[[2][16]byte]Consent
	standings map[MemberID]Standing
	alarms    map[CaseID]AlarmState
	told      map[DeliveryID]DeliveryState
	headsUps  map[HeadsUpID]HeadsUpState
}

func (w *world) lives() lives {
	l := lives{map[WaveID]WaveState{}, map[CaseID]EmbargoState{}, map[[2][16]byte]Consent{}, map[MemberID]Standing{}, map[CaseID]AlarmState{}, map[DeliveryID]DeliveryState{}, map[HeadsUpID]HeadsUpState{}}
	for id := range w.p.Waves {
		l.waves[id] = w.p.WaveState(id, w.now)
	}
	for id, c := range w.p.Cases {
		l.embargoes[id] = w.p.EmbargoState(id, w.now)
		l.alarms[id] = w.p.AlarmState(id, w.now)
		for m := range c.Participants {
			l.consents[[2][16]byte{id, m}] = w.p.ConsentOf(id, m, w.now)
		}
	}
	for id := range w.p.Deliveries {
		l.told[id] = w.p.DeliveryState(id)
	}
	for id := range w.p.HeadsUps {
		l.headsUps[id] = w.p.HeadsUpState(id, w.now)
	}
	for id, m := range w.p.Members {
		l.standings[id] = m.Standing
	}
	return l
}

// changed compares two moments with the tables.
func changed[K comparable, S interface {
	~uint8
	String() string
}](t *rapid.T, m *Machine[S], before, after map[K]S, by []string) {
	for k, to := range after {
		if from := before[k]; from != to && !slices.ContainsFunc(by, func(by string) bool { return m.Can(from, to, by) }) {
			t.Fatalf("%s: from %q to %q by %v, which is not in the table", m.Name, from, to, by)
		}
	}
}

func (d *dice) step() {
	w := d.w
	before := w.lives()
	by := []string{Time}
	if d.n(4) == 1 {
		w.tick(draw(d, time.Minute, time.Hour, 24*time.Hour, 7*24*time.Hour))
	} else {
		who, c := draw(d, commands...)(d)
		if d.n(15) == 1 {
			who = d.account()
		}
		var trace [32]byte
		look := d.n(4) == 1
		if look {
			trace = w.p.StateHash()
			// A tentative decision leaves no trace, nor does one after another.
			_, err := w.p.DecideAll([]Command{c, c}, Actor{Account: who}, w.now)
			if w.p.StateHash() != trace {
				d.Fatalf("deciding %T twice changed the state (%v)", c, err)
			}
		}
		size := len(w.log)
		err := w.try(who, c)
		if err != nil && !errors.Is(err, ErrDenied) && !errors.Is(err, ErrRefused) {
			d.Fatalf("%T: an error of no class: %v", c, err)
		}
		if err != nil && (len(w.log) != size || look && w.p.StateHash() != trace) {
			d.Fatalf("%T was refused and changed something", c)
		}
		if len(w.log) == size {
			return
		}
		by = nil // a decision may be several entries
		for _, e := range w.log[size:] {
			by = append(by, KindName(e.Kind))
		}
	}
	after := w.lives()
	changed(d.T, &WaveStates, before.waves, after.waves, by)
	changed(d.T, &Embargoes, before.embargoes, after.embargoes, by)
	changed(d.T, &Consents, before.consents, after.consents, by)
	changed(d.T, &Standings, before.standings, after.standings, by)
	changed(d.T, &Alarms, before.alarms, after.alarms, by)
	changed(d.T, &HeadsUps, before.headsUps, after.headsUps, by)
	changed(d.T, &Deliveries, before.told, after.told, append(by, Acts))
	if bad := w.p.Audit(w.now); bad != nil {
		d.Fatalf("after %v: %v", by, bad)
	}
}

// TestRandomLives runs random programmes: whatever is asked for, in whatever
// order, the world stays sound, lives go by their tables, and a replay of the
// log comes to the very same state.
func TestRandomLives(t *testing.T) {
	seen := map[entrylog.Kind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		d := &dice{rt, rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)), newWorld(t)}
		w := d.w
		w.found()
		for n := 1; n <= 4; n++ {
			w.admit(n)
		}
		w.do(bob, AddProduct{Product: num[Product](1), Name: blob(1)})
		if d.yes() {
			// A head start, so that the later verbs get their turn.
			w.embargo(num[Case](1), 3)
			w.do(bob, AddProduct{Product: num[Product](1), Case: num[Case](1)})
			w.revise(num[Case](1), num[Package](1), num[Revision](1))
			w.draft(num[Wave](1), num[Revision](1), form.Detection, w.now.Add(time.Hour), audience(3)...)
			w.seal(num[Wave](1))
			w.tick(time.Hour)
		}
		for range rapid.IntRange(60, 160).Draw(rt, "steps") {
			d.step()
		}
		for _, e := range w.log {
			seen[e.Kind]++
		}
		again := w.replay()
		if again.StateHash() != w.p.StateHash() {
			rt.Fatalf("a replay of %d entries comes to another state", len(w.log))
		}
		again.fetched, again.lodged = w.p.fetched, w.p.lodged
		if !reflect.DeepEqual(again, w.p) {
			rt.Fatalf("a replay of %d entries comes to another index", len(w.log))
		}
	})
	for k := range kinds {
		if kinds[k].body != nil && seen[entrylog.Kind(k)] == 0 {
			t.Logf("%s never happened", kinds[k].name)
		}
	}
}
