package cvd

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/tlp"
	"forewarn/internal/wire"
)

func at(hours int) time.Time {
	return start.Add(time.Duration(hours) * time.Hour).Add(123456 * time.Microsecond)
}

// samples has one body of every kind, with every field set to something of its
// own. They are frozen together with testdata/kinds.
var samples = []wire.Layout{
	&ProgrammeFounded{"warn.example/alpha", blob(1), 60, num[Account](1), RoleSet(Coordinator, Approver), blob(2), num[Account](9)},
	&AccountAdded{num[Account](2), num[Member](3), RoleSet(MemberAdmin, MemberContact), blob(4)},
	&AccountClosed{num[Account](2)},
	&MemberAdmitted{num[Member](3), blob(5), 2, []Jurisdiction{{'A', 'T'}, {'E', 'U'}}, []Protects{{num[Product](1), 900}, {num[Product](2), 1 << 40}}},
	&StandingChanged{num[Member](3), Suspended, blob(6)},
	&TermsPublished{num[Terms](4), blob(7), hash32(8), at(1)},
	&TermsAccepted{num[Member](3), num[Terms](4), hash32(8)},
	&KeysEnrolled{num[Holder](3), []string{recipient(1), "age1" + strings.Repeat("q", 58)}, hash32(9)},
	&KeysRevoked{num[Holder](3), hash32(9), blob(10)},
	&CaseOpened{num[Case](5), blob(11), blob(12), at(2), num[Account](7), []ProductID{num[Product](1), num[Product](2)}},
	&CaseLinked{num[Case](5), num[Case](6), Incomplete},
	&EmbargoProposed{num[Case](5), 2, ReleaseTime{at(3), "Europe/Vienna"}, blob(13), at(4), true},
	&EmbargoAgreed{num[Case](5), 2},
	&ReleaseTimeMoved{num[Case](5), ReleaseTime{at(5), "UTC"}, blob(14)},
	&ParticipantInvited{num[Case](5), AsProtector, at(6), []MemberID{num[Member](3), num[Member](4)}},
	&ConsentGiven{num[Case](5), num[Member](3), Signatory, 2},
	&DraftSaved{num[Package](7), num[Case](5), blob(15)},
	&DraftOpened{num[Package](7), blob(15)},
	&RevisionMade{num[Revision](8), num[Package](7), num[Case](5), 3, blob(16), blob(17), hash32(18), hash32(19), tlp.AmberStrict,
		form.PoC, form.Detection, 1_000_000, Rulings{{Yes, time.Time{}}, {No, time.Time{}}, {From, at(7)}}},
	&WaveDrafted{num[Wave](9), num[Case](5), num[Package](7), num[Revision](8), Staged, form.Indicators, num[Wave](10), at(8), at(9),
		[]HolderID{num[Holder](3), num[Holder](4)}},
	&WaveApproved{num[Wave](9), hash32(20), num[Account](4)},
	&evidence.WaveStatement{Wave: ref(num[Wave](9)), Package: ref(num[Package](7)), Revision: ref(num[Revision](8)), Case: ref(num[Case](5)),
		Level: form.Indicators, OpensAt: at(8), Form: hash32(18), SlotTable: hash32(19), Bias: hash32(21), Profile: fpcode.Single,
		Decoder: "single/1", AlphaPico: 1_000_000, Issued: hash32(22), Reader: "align/1", Epoch: 1, Bulk: hash32(24), Sealer: hash32(25), Depth: 14, Root: hash32(23)},
	&CopiesStored{num[Wave](9), blob(24), []StoredCopy{{num[Holder](3), 77, hash32(25), blob(26), 102_400}, {num[Holder](4), 78, hash32(27), blob(28), 102_401}}},
	&WaveCancelled{num[Wave](9), blob(29)},
	&Held{num[Case](5), num[Wave](9), blob(30)},
	&HoldLifted{num[Case](5), num[Wave](9)},
	&CopyFetched{num[Wave](9), num[Holder](3)},
	&ReceiptLodged{num[Wave](9), num[Holder](3), "forewarn.example/alpha", 32_000_000, 1234, hash32(31), hash32(25), hash32(9), [64]byte{0: 1, 63: 2}},
	&AnswerGiven{num[Case](5), num[Member](3), num[Product](1), Ready, blob(32)},
	&RecallIssued{num[Revision](8), blob(33)},
	&RecallAcknowledged{num[Revision](8), num[Holder](3)},
	&DutyAssigned{num[Duty](11), num[Account](1), 2, at(10), at(11)},
	&DelegationGranted{num[Delegation](12), num[Account](3), num[Account](4), Approver, num[Case](5), at(12), at(13)},
	&EmbargoEnded{num[Case](5), num[Revision](8), form.Detection, blob(34)},
	&Released{num[Case](5), blob(35)},
	&CommitmentNoted{hash32(36)},
	&SightingRecorded{num[Sighting](13), num[Case](5), blob(37), at(14), at(15), GradeB},
	&LegalHoldSet{CaseKey, ref(num[Case](5)), true, at(16), blob(38)},
	&RecoveryDeclared{4321, hash32(39), blob(40)},
	&KeyDestroyed{PersonKey, ref(num[Account](2))},
	&BreachDeclared{num[Case](5), num[Member](3), at(17), blob(41)},
	&ProductAdded{num[Product](1), num[Case](5), num[Member](3), blob(42)},
	&GroupDeclared{num[Group](14), []MemberID{num[Member](3), num[Member](4)}},
	&DelegationRevoked{num[Delegation](12)},
	&SourceDeclared{num[Source](15), blob(43), MemberSource, num[Member](3), GradeB, true, 2_000_000, 1_000_000, "Europe/Vienna", 120},
	&SourceRetired{num[Source](15)},
	&SightingsRecorded{num[Case](5), num[Source](15), blob(44), num[Stream](16), 3, 1024, hash32(45), 4096, 8192, 7, []SeenRow{
		{num[Sighting](17), Token, Tag{1: 2}, at(18), at(19), 3, true, Raises},
		{num[Sighting](18), Indicator, Tag{1: 3}, time.Time{}, time.Time{}, 1, false, Joins}}},
	&AlarmAcknowledged{num[Case](5), 2},
	&AlarmDecided{num[Case](5), 2, ChooseDismiss, 4321, blob(46)},
	&SuppressionSet{num[Suppression](19), num[Case](5), at(20), blob(47), []Pair{{num[Source](15), Tag{1: 2}}, {SourceID{}, Tag{1: 3}}}},
	&NoticeQueued{num[Notice](20), num[Case](5), 2, 1, num[Account](3)},
	&NoticeTried{num[Notice](20), HandedOff},
	&AccountInvited{num[Account](2), hash32(43), at(18)},
	&InvitationConfirmed{num[Account](2), hash32(43)},
	&CredentialAdded{num[Account](2), []byte("a credential's id"), []byte("its public key"), 0x5d, hash32(43)},
	&CredentialRevoked{num[Account](2), hash32(44)},
	&TokenIssued{num[Account](2), hash32(45), ScopeRead | ScopeFetch, at(19)},
	&TokenRevoked{num[Account](2), hash32(45)},
	&DeliveriesQueued{num[Mailing](21), WaveOpened, ref(num[Wave](9)), 1, []AccountID{num[Account](3), num[Account](4)}},
	&DeliveriesTried{[]TriedRow{{num[Delivery](22), MailSent}, {num[Delivery](23), MailBounced}}},
	&DeliveriesSeen{num[Account](3)},
	&IntakeKeyed{[]string{recipient(1), "age1" + strings.Repeat("q", 58)}},
	&ReportReceived{num[Report](21), hash32(46), blob(47), 102_400, blob(48)},
	&ReportRead{num[Report](21)},
	&ReportSettled{num[Report](21), num[Case](5), blob(49)},
	&ReportCredited{num[Report](21), blob(50)},
	&AdvisoryCorrected{num[Case](5), blob(51), blob(52)},
	&PersonChanged{num[Account](2), blob(53)},
	&HeadsUpPublished{num[HeadsUp](24), num[Case](5), ReleaseTime{at(21), "Europe/Vienna"}, blob(54), blob(55)},
	&HeadsUpWithdrawn{num[HeadsUp](24), num[Case](5), blob(56)},
	&WaitLifted{num[Account](2), hash32(54), blob(55)},
}

func sampleKind(v wire.Layout) entrylog.Kind {
	if _, ok := v.(*evidence.WaveStatement); ok {
		return KindWaveSealed
	}
	return kindOf(v.(fact))
}

func kindFile(k entrylog.Kind) string {
	return filepath.Join("testdata", "kinds", fmt.Sprintf("%02d-%s.hex", k, KindName(k)))
}

// frozen compares with a golden file that, once written, is never written again:
// logs out there hold such bytes.
func frozen(t *testing.T, path, got string) {
	t.Helper()
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is frozen, and the program now makes something else of it:\n  file    %.200s\n  program %.200s\nGive the new layout a kind of its own.", path, want, got)
	}
}

// TestKinds holds every layout to its golden, and every golden to its layout.
func TestKinds(t *testing.T) {
	done := map[entrylog.Kind]bool{}
	for _, v := range samples {
		k := sampleKind(v)
		done[k] = true
		b := wire.Marshal(v)
		frozen(t, kindFile(k), hex.EncodeToString(b)+"\n")
		back, err := DecodeBody(k, b)
		if err != nil {
			t.Errorf("%s: %v", KindName(k), err)
			continue
		}
		if !reflect.DeepEqual(back, v) {
			t.Errorf("%s: %+v came back as %+v", KindName(k), v, back)
		}
		if _, err := DecodeBody(k, append(b, 0)); !errors.Is(err, wire.ErrFormat) {
			t.Errorf("%s: a byte too many gives %v", KindName(k), err)
		}
		if _, err := DecodeBody(k, b[:len(b)-1]); !errors.Is(err, wire.ErrFormat) {
			t.Errorf("%s: a byte too few gives %v", KindName(k), err)
		}
	}
	for k := range entrylog.Kind(200) {
		if Known(k) != done[k] {
			t.Errorf("kind %d: known %v, has a golden %v", k, Known(k), done[k])
		}
		if _, err := DecodeBody(k, nil); Known(k) == errors.Is(err, ErrUnknownKind) {
			t.Errorf("kind %d: %v", k, err)
		}
		if Public(entrylog.Entry{Kind: k}) != (k == 22) {
			t.Errorf("kind %d: public %v", k, Public(entrylog.Entry{Kind: k}))
		}
	}
	if !Known(0xFFFF) || Known(0xFFFE) || Known(35) || Known(0) {
		t.Error("the ledger's own kind is passed over, 35 and 0 never used")
	}
}

// TestNonCanonical: sets have one order, and small vocabularies an end.
func TestNonCanonical(t *testing.T) {
	for name, v := range map[string]wire.Layout{
		"an audience out of order":    &WaveDrafted{Audience: []HolderID{num[Holder](2), num[Holder](1)}},
		"an audience with a double":   &WaveDrafted{Audience: []HolderID{num[Holder](2), num[Holder](2)}},
		"copies out of order":         &CopiesStored{Copies: []StoredCopy{{Holder: num[Holder](2)}, {Holder: num[Holder](1)}}},
		"jurisdictions out of order":  &MemberAdmitted{Jurisdictions: []Jurisdiction{{'D', 'E'}, {'A', 'T'}}},
		"protected products doubled":  &MemberAdmitted{Protects: []Protects{{Product: num[Product](1)}, {Product: num[Product](1)}}},
		"a role that is none":         &AccountAdded{Roles: 1 << 14},
		"role zero in a set":          &AccountAdded{Roles: 1},
		"a standing beyond the last":  &StandingChanged{Standing: Left + 1},
		"a level beyond the last":     &WaveDrafted{Level: form.PoC + 1},
		"too many recipients":         &KeysEnrolled{Recipients: make([]string, maxKeys+1)},
		"a recipient that's too long": &KeysEnrolled{Recipients: []string{strings.Repeat("a", maxRecipient+1)}},
		"an audience too large":       &WaveDrafted{Audience: make([]HolderID, maxAudience+1)},
	} {
		if _, err := wire.Append(nil, v); !errors.Is(err, wire.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBodiesFit: the greatest body of each kind with a list fits an entry.
func TestBodiesFit(t *testing.T) {
	many := make([]wire.ID[Member], maxAudience)
	holders := make([]HolderID, maxAudience)
	copies := make([]StoredCopy, maxCopies)
	for i := range many {
		many[i], holders[i] = num[Member](i), num[Holder](i)
	}
	for i := range copies {
		copies[i].Holder = num[Holder](i)
	}
	keys := make([]string, maxKeys)
	for i := range keys {
		keys[i] = strings.Repeat("k", maxRecipient)
	}
	for _, v := range []wire.Layout{
		&WaveDrafted{Audience: holders}, &ParticipantInvited{Members: many}, &CopiesStored{Copies: copies}, &KeysEnrolled{Recipients: keys},
	} {
		if n := len(wire.Marshal(v)); n > entrylog.MaxBody {
			t.Errorf("%T: %d bytes do not fit an entry", v, n)
		}
	}
}

// goldenLogs are logs with every kind in them that there was, as versions of the
// program wrote them. The last has all that there are.
var goldenLogs = []struct {
	path string
	last entrylog.Kind
}{
	{"testdata/log-v1", KindDelegationRevoked},
	{"testdata/log-v2", KindNoticeTried},
	{"testdata/log-v3", KindTokenRevoked},
	{"testdata/log-v4", KindDeliveriesSeen},
	{"testdata/log-v5", KindAdvisoryCorrected},
	{"testdata/log-v6", KindPersonChanged},
	{"testdata/log-v7", KindWaitLifted},
}

const goldenLog = "testdata/log-v7.hex"

// everything is a world in which every kind of entry happened.
func everything(t *testing.T) *world {
	f := newFixture(t)
	w := f.world
	open := num[Wave](5)
	w.do(contactOf(1), LodgeReceipt{open, holder(1), w.receipt(open, holder(1))})
	w.do(alice, ProposeEmbargo{Case: num[Case](2), Release: ReleaseTime{w.now.Add(40 * 24 * time.Hour), "Asia/Tokyo"}, Anew: true})
	w.do(alice, AddProduct{Product: num[Product](1), Case: num[Case](2), Vendor: mem(1), Name: blob(70)})
	w.do(contactOf(1), GiveAnswer{num[Case](2), mem(1), num[Product](1), InProgress, blob(71)})
	w.do(contactOf(1), AcknowledgeRecall{num[Revision](50), holder(1)})
	w.do(carol, OpenDraft{num[Package](2)})
	w.do(alice, LiftHold{Wave: num[Wave](6)})
	w.do(ines, NoteCommitment{hash32(72)})
	w.do(ines, RecordSighting{num[Sighting](1), num[Case](2), blob(73), w.now.Add(-time.Hour), w.now, GradeA})
	w.do(alice, SetLegalHold{CaseKey, ref(num[Case](2)), true, w.now.Add(time.Hour), blob(74)})
	w.do(alice, DeclareRecovery{7, hash32(75), blob(76)})
	w.do(alice, DeclareBreach{num[Case](2), mem(2), w.now, blob(77)})
	w.do(alice, LinkCase{num[Case](3), num[Case](2), Incomplete})
	w.do(alice, DeclareGroup{num[Group](1), []MemberID{mem(2), mem(1)}})
	w.do(alice, RevokeKeys{holder(2), blob(78)})
	w.do(alice, DestroyKey{PersonKey, ref(oldClerk)})
	w.do(alice, AgreeEmbargo{num[Case](2), 2})
	w.alarms(num[Case](2))
	w.signIn()
	w.notices()
	w.headsUps()
	w.reports()
	w.do(alice, ChangePerson{bob, blob(79)})
	return w
}

// notices tells whoever is to be told, and has one of them look.
func (w *world) notices() {
	w.tb.Helper()
	due := w.p.DeliveriesDue(w.now)
	if len(due) == 0 {
		w.tb.Fatal("nobody is to be told of anything")
	}
	for _, x := range due {
		w.do(ines, QueueDeliveries{num[Mailing](1), x.Why, x.About, x.Step, x.Accounts})
	}
	out := w.p.MailOutbox(w.now)
	w.do(ines, RecordDeliveries{[]TriedRow{{out[0].ID, MailSent}, {out[1].ID, MailFailed}, {out[2].ID, MailBounced}}})
	w.do(out[0].Account, SeeNotices{out[0].Account})
}

// headsUps has a heads-up published, changed and withdrawn, and another one stand.
func (w *world) headsUps() {
	w.tb.Helper()
	of, planned := num[Case](2), ReleaseTime{w.now.Add(20 * 24 * time.Hour), "Europe/Vienna"}
	w.do(alice, PublishHeadsUp{HeadsUp: num[HeadsUp](1), Case: of, Planned: planned, Text: blob(9109)})
	w.do(alice, PublishHeadsUp{num[HeadsUp](1), of, planned, blob(9110), blob(9111)})
	w.do(alice, WithdrawHeadsUp{num[HeadsUp](1), of, blob(9112)})
	w.do(alice, PublishHeadsUp{HeadsUp: num[HeadsUp](2), Case: of, Planned: planned, Text: blob(9113)})
}

// reports has a report read, settled and credited, and an advisory corrected.
func (w *world) reports() {
	w.tb.Helper()
	w.do(bob, ReadReport{num[Report](9001)})
	w.do(bob, SettleReport{Report: num[Report](9001), Case: num[Case](2), Reason: blob(9104)})
	w.do(machine, CreditReport{num[Report](9001), blob(9105)})
	w.do(alice, EndEmbargo{Case: num[Case](2)})
	w.do(alice, Release{num[Case](2), blob(9106)})
	w.do(alice, CorrectAdvisory{num[Case](2), blob(9107), blob(9108)})
}

// signIn lives access to an account through: a passkey, another, its recovery, a
// token.
func (w *world) signIn() {
	w.tb.Helper()
	second, who := num[Account](60), contactOf(1)
	w.do(alice, AddAccount{Account: second, Roles: RoleSet(Coordinator), Person: blob(85)})
	w.do(adminOf(1), InviteAccount{who, hash32(86), w.now.Add(time.Hour)})
	w.do(who, AddCredential{Account: who, Credential: []byte("first"), PublicKey: []byte("its key"), Flags: 0x5d, Invitation: hash32(86)})
	w.do(who, IssueToken{who, hash32(87), ScopeRead | ScopeFetch, w.now.Add(time.Hour)})
	w.do(who, RevokeToken{who, hash32(87)})
	w.do(alice, InviteAccount{who, hash32(88), w.now.Add(time.Hour)})
	w.do(second, ConfirmInvitation{who, hash32(88)})
	w.do(who, AddCredential{Account: who, Credential: []byte("second"), PublicKey: []byte("another key"), Invitation: hash32(88)})
	w.do(second, LiftWait{who, sha256.Sum256([]byte("second")), blob(89)})
	w.do(adminOf(1), RevokeCredential{who, sha256.Sum256([]byte("first"))})
}

// alarms lives an alarm of a case through.
func (w *world) alarms(id CaseID) {
	w.tb.Helper()
	w.do(alice, DeclareSource{num[Source](1), blob(80), OwnSensor, MemberID{}, GradeB, true, 2_000_000, 1_000_000, "Europe/Vienna", 60})
	w.do(alice, DeclareSource{num[Source](2), blob(81), MemberSource, mem(1), GradeC, false, 0, 0, "", 60})
	w.do(bob, RecordSightings{Case: id, Source: num[Source](1), Detail: blob(82), Stream: num[Stream](1), Generation: 1, Head: 9, HeadHash: hash32(83), Begin: 10, End: 20, Dropped: 2,
		Seen: []SeenRow{{num[Sighting](2), Token, Tag{1}, w.now.Add(-time.Hour), w.now, 3, true, NoEffect}}})
	due, _ := w.p.NoticesDue(w.now)
	if len(due) != 1 {
		w.tb.Fatalf("%d notices are due when an alarm is raised", len(due))
	}
	w.do(ines, QueueNotice{num[Notice](1), id, due[0].Round, due[0].Step, due[0].Account})
	w.do(ines, RecordNotice{num[Notice](1), HandedOff})
	w.do(carol, AcknowledgeAlarm{id, 1})
	w.do(carol, DecideAlarm{Case: id, Round: 1, Choice: ChooseDismiss, Reason: blob(84), Suppression: num[Suppression](1), Until: w.now.Add(time.Hour)})
	w.do(alice, RetireSource{num[Source](2)})
}

// TestGoldenLog: a log that a version wrote folds to the state that it came to
// then, in every later version.
func TestGoldenLog(t *testing.T) {
	for _, g := range goldenLogs {
		t.Run(g.path, func(t *testing.T) { testGoldenLog(t, g.path+".hex", g.path+".state", g.last) })
	}
}

func testGoldenLog(t *testing.T, goldenLog, state string, last entrylog.Kind) {
	if _, err := os.Stat(goldenLog); errors.Is(err, fs.ErrNotExist) && *update {
		w := everything(t)
		var b strings.Builder
		for i := range w.log {
			fmt.Fprintf(&b, "%x\n", wire.Marshal(&w.log[i]))
		}
		frozen(t, goldenLog, b.String())
	}
	p := New()
	kinds := map[entrylog.Kind]bool{}
	for i, line := range lines(t, goldenLog) {
		b, err := hex.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		e, err := entrylog.ParseEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(entrylog.Seq(i), e); err != nil {
			t.Fatal(err)
		}
		kinds[e.Kind] = true
	}
	for k := range last + 1 {
		if Known(k) && !kinds[k] {
			t.Errorf("%s is not in the golden log", KindName(k))
		}
	}
	if bad := p.Audit(p.Last); bad != nil {
		t.Error(bad)
	}
	frozen(t, state, fmt.Sprintf("%x\n", p.StateHash()))
}

func lines(t testing.TB, path string) (out []string) {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		out = append(out, s.Text())
	}
	return out
}

// TestStateHashSeesEverything changes every single value of a state that has
// them all, one at a time: none may go unnoticed.
func TestStateHashSeesEverything(t *testing.T) {
	w := everything(t)
	want := w.p.StateHash()
	changed := 0
	var walk func(v reflect.Value, path string)
	nudge := func(v reflect.Value, path string, to reflect.Value) {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		v.Set(to)
		if w.p.StateHash() == want {
			t.Errorf("the state hash does not see %s", path)
		}
		v.Set(old)
		changed++
	}
	seen := map[string]bool{}
	walk = func(v reflect.Value, path string) {
		if v.Type() == timeType {
			if !seen[path] {
				nudge(v, path, reflect.ValueOf(v.Interface().(time.Time).Add(time.Microsecond)))
			}
			seen[path] = true
			return
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i), path+"."+v.Type().Field(i).Name)
				}
			}
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem(), path)
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				if v.Type().Elem().Kind() == reflect.Pointer {
					walk(v.MapIndex(k), path+"[]")
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i), path+"[]")
			}
		default:
			if seen[path] {
				return
			}
			seen[path] = true
			to := reflect.New(v.Type()).Elem()
			switch v.Kind() {
			case reflect.Bool:
				to.SetBool(!v.Bool())
			case reflect.String:
				to.SetString(v.String() + "x")
			case reflect.Int64:
				to.SetInt(v.Int() + 1)
			case reflect.Array:
				to.Set(v)
				e := to.Index(to.Len() - 1)
				if e.Kind() != reflect.Uint8 {
					walk(v.Index(0), path+"[]")
					return
				}
				e.SetUint(e.Uint() ^ 1)
			default:
				to.SetUint(v.Uint() + 1)
			}
			nudge(v, path, to)
		}
	}
	walk(reflect.ValueOf(w.p).Elem(), "Programme")
	if w.p.StateHash() != want {
		t.Error("the state did not come back")
	}
	if changed < 200 {
		t.Errorf("only %d values were changed", changed)
	}
}

func FuzzDecodeBody(f *testing.F) {
	for _, v := range samples {
		f.Add(uint16(sampleKind(v)), wire.Marshal(v))
	}
	f.Fuzz(func(t *testing.T, kind uint16, body []byte) {
		v, err := DecodeBody(entrylog.Kind(kind), body)
		if err != nil {
			if !errors.Is(err, wire.ErrFormat) && !errors.Is(err, ErrUnknownKind) {
				t.Fatalf("an error of no class: %v", err)
			}
			return
		}
		if again := wire.Marshal(v); !bytes.Equal(again, body) {
			t.Fatalf("%s: %x re-encodes as %x", KindName(entrylog.Kind(kind)), body, again)
		}
	})
}

// FuzzApply gives a sound programme one more entry, whatever it says: it folds
// or it is refused, and then nothing of it was folded.
func FuzzApply(f *testing.F) {
	for _, v := range samples {
		f.Add(uint16(sampleKind(v)), wire.Marshal(v), int64(0))
	}
	raw := lines(f, goldenLog)
	base := make([]entrylog.Entry, len(raw))
	for i, line := range raw {
		b, _ := hex.DecodeString(line)
		e, err := entrylog.ParseEntry(b)
		if err != nil {
			f.Fatal(err)
		}
		base[i] = e
		f.Add(uint16(e.Kind), e.Body, int64(i))
	}
	fold := func() *Programme {
		p := New()
		for i, e := range base {
			if err := p.Apply(entrylog.Seq(i), e); err != nil {
				f.Fatal(err)
			}
		}
		return p
	}
	before := fold().StateHash()
	p := fold()
	f.Fuzz(func(t *testing.T, kind uint16, body []byte, later int64) {
		e := entrylog.Entry{Time: p.Last.Add(time.Duration(later)), Actor: entrylog.Ref(carol), Kind: entrylog.Kind(kind), Body: body}
		if v, err := DecodeBody(e.Kind, body); err == nil {
			if s, ok := v.(*evidence.WaveStatement); ok {
				v = &waveSealed{*s}
			}
			e.Subject = v.(fact).subject()
		}
		if err := p.Apply(p.Next, e); err == nil {
			p.StateHash()
			p.Audit(p.Last)
			p = fold()
			return
		} else if !errors.Is(err, ErrReplay) && !errors.Is(err, ErrUnknownKind) && !errors.Is(err, wire.ErrFormat) {
			t.Fatalf("an error of no class: %v", err)
		}
		if p.StateHash() != before {
			t.Fatalf("kind %d was refused and changed the state", kind)
		}
	})
}
