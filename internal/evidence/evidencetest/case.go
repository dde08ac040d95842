// Package evidencetest lives through a small case, from sealing to dossier, for
// tests, examples and vectors. Everything in it follows from constants: no
// clock, no dice, so that what it makes can be kept as a vector.
//
// It is a stand-in for sealer, desk and inquiry with none of their care. Do not
// use it for anything but tests.
package evidencetest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
	"forewarn/internal/wire"
)

// Depth is of the wave trees.
const Depth = 8

// Interval is of both logs.
const Interval = time.Minute

// Programme is the name of the programme's log.
const Programme = "vantage.example/forewarn"

// The fixed instants of the case.
var (
	Founded  = time.Date(2025, 6, 23, 9, 0, 0, 0, time.UTC)
	Opens    = []time.Time{time.Date(2025, 6, 24, 8, 0, 0, 0, time.UTC), time.Date(2025, 7, 3, 8, 0, 0, 0, time.UTC)}
	FoundAt  = time.Date(2025, 7, 8, 6, 30, 0, 0, time.UTC)
	FrozenAt = time.Date(2025, 7, 8, 9, 0, 0, 0, time.UTC)
)

// Holder is who has a copy. The last one is staff.
type Holder struct {
	ID, Account entrylog.Ref
	Name        string
	Staff       bool
	Receipts    ed25519.PrivateKey
}

// Wave is a sealed wave: all holders, each time.
type Wave struct {
	Statement evidence.WaveStatement
	Seq       entrylog.Seq
	Tree      *entrylog.Blind
	Salt      [32]byte // of the number of copies
}

// Case is the small case.
type Case struct {
	Log, Inquiry       note.Signer
	LogKey, InquiryKey string

	ID, Package, Revision entrylog.Ref
	Form                  *form.Form
	Holders               []Holder
	Waves                 []Wave
	Fetch, Receipt        map[string]entrylog.Seq // by "holder/wave", counted from 0
	Group                 entrylog.Seq            // holders 2 and 3 are declared to be under one ownership

	Profile fpcode.Profile // of the Form, and by it the decoder

	NoteAt time.Time // when the freeze is noted in the log; zero: a minute after it

	sealer ed25519.PrivateKey
	recKey [16]byte

	pkg     fpcode.Key
	rec     *token.Recogniser
	records []entrylog.Record
	trees   *entrylog.Trees
	size    uint64 // anchors of the checkpoint shown
}

// Bytes is 32 bytes for a label.
func Bytes(label string, n ...int) [32]byte {
	return sha256.Sum256([]byte(fmt.Sprint("evidencetest ", label, n)))
}

// Ref is 16 bytes for a label.
func Ref(label string, n ...int) (r entrylog.Ref) {
	b := Bytes(label, n...)
	copy(r[:], b[:])
	return r
}

// Signer makes a key for a signed note, from a label.
func Signer(name string) (s note.Signer, vkey string) {
	seed := Bytes("signer " + name)
	priv := ed25519.NewKeyFromSeed(seed[:])
	vkey, err := note.NewEd25519VerifierKey(name, priv.Public().(ed25519.PublicKey))
	if err != nil {
		panic(err)
	}
	hash := sha256.Sum256(append([]byte(name+"\n\x01"), priv.Public().(ed25519.PublicKey)...))
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(hash[:4]), base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	if s, err = note.NewSigner(skey); err != nil {
		panic(err)
	}
	return s, vkey
}

// GroupID is of the group that holders 2 and 3 are in.
var GroupID = Ref("group")

// Epoch is of the recognition key.
const Epoch = 1

// New seals two waves to n members and one account of staff, of a package with
// so many binary sites, and lets all of them fetch and acknowledge.
func New(n, sites int) *Case { return NewWith(n, sites, nil) }

// NewWith is New, where more may happen before the log is anchored for the last
// time.
func NewWith(n, sites int, more func(*Case)) *Case {
	return newCase(n, sites, fpcode.Single, fpcode.Single, nil, more)
}

// NewJoint is New with profile default, decoded by joint/1.
func NewJoint(n, sites int) *Case { return NewJointWith(n, sites, nil) }

// NewJointWith is NewJoint, where more may happen before the log is anchored for
// the last time.
func NewJointWith(n, sites int, more func(*Case)) *Case {
	return newCase(n, sites, fpcode.Default, fpcode.Default, nil, more)
}

// Misstated is NewJoint, but the waves' statements name another profile than the
// Form's.
func Misstated(n, sites int) *Case {
	return newCase(n, sites, fpcode.Default, fpcode.TwoPoint, nil, nil)
}

func newCase(n, sites int, profile, stated fpcode.Profile, founded []byte, more func(*Case)) *Case {
	c := &Case{
		Profile: stated,
		ID:      Ref("case"), Package: Ref("package"), Revision: Ref("revision"),
		Fetch: map[string]entrylog.Seq{}, Receipt: map[string]entrylog.Seq{},
		pkg: fpcode.Key(Bytes("package key")),
	}
	c.Log, c.LogKey = Signer(Programme)
	c.Inquiry, c.InquiryKey = Signer("inquiry.vantage.example")
	rec := Bytes("recognition")
	c.recKey = [16]byte(rec[:16])
	c.rec = token.NewRecogniser(c.recKey)
	seed := Bytes("sealer")
	c.sealer = ed25519.NewKeyFromSeed(seed[:])
	c.Form = Form(sites)
	if profile != fpcode.Single {
		deal(c.Form, profile)
	}
	for i := range n + 1 {
		seed := Bytes("receipts", i)
		h := Holder{ID: Ref("holder", i), Account: Ref("account", i), Name: fmt.Sprintf("Member %c", 'A'+i), Receipts: ed25519.NewKeyFromSeed(seed[:])}
		if i == n {
			h.Name, h.Staff = "writer", true
		}
		c.Holders = append(c.Holders, h)
	}
	var err error
	if c.trees, err = entrylog.NewTrees(entrylog.Blinding(Bytes("blinding")), Interval); err != nil {
		panic(err)
	}
	c.add(Founded, 1, entrylog.Ref{}, entrylog.Ref{}, founded)
	if n > 3 {
		c.Group = c.Declare(Founded.Add(time.Minute), 2, 3)
	}
	for w := range Opens {
		c.seal(w)
	}
	if more != nil {
		more(c)
	}
	c.anchor(FrozenAt)
	return c
}

// Declare says in the log that holders are under common ownership.
func (c *Case) Declare(at time.Time, holders ...int) entrylog.Seq {
	var ids []entrylog.Ref
	for _, h := range holders {
		ids = append(ids, c.Holders[h].ID)
	}
	slices.SortFunc(ids, func(a, b entrylog.Ref) int { return bytes.Compare(a[:], b[:]) })
	body := binary.BigEndian.AppendUint32(append([]byte(nil), GroupID[:]...), uint32(len(ids)))
	for _, id := range ids {
		body = append(body, id[:]...)
	}
	return c.add(at, 44, Ref("coordinator"), GroupID, body)
}

// replay is the same log once more, to go on with apart.
func (c *Case) replay() *Case {
	out := *c
	out.records = slices.Clone(c.records)
	var err error
	if out.trees, err = entrylog.NewTrees(entrylog.Blinding(Bytes("blinding")), Interval); err != nil {
		panic(err)
	}
	for _, r := range c.records {
		e, err := entrylog.ParseEntry(r.Entry)
		if err == nil {
			err = out.trees.Add(e.Time, r.Commit(), e.Kind == evidence.KindWaveSealed)
		}
		if err != nil {
			panic(err)
		}
	}
	return &out
}

// Decoder is the one that the waves bind.
func (c *Case) Decoder() string {
	if c.Profile == fpcode.Single {
		return fpcode.SingleDecoder
	}
	return fpcode.JointDecoder
}

// deal gives a Form's sites the laws of a profile's pattern, in turn.
func deal(f *form.Form, profile fpcode.Profile) {
	f.Profile = profile
	pattern := profile.Pattern()
	for i := range f.Sites {
		f.Sites[i].Law = pattern[i%len(pattern)]
	}
}

// Form is a package of one advisory with so many choices, a rule and a proof of
// concept with a token.
func Form(sites int) *form.Form {
	f := new(form.Form)
	ids := map[fpcode.SiteID]int{}
	var text []form.Part
	lit := func(s string) { text = append(text, form.Part{Kind: form.Literal, Bytes: []byte(s)}) }
	for i := range sites {
		b := Bytes("site", i)
		id := fpcode.SiteID(b[:16])
		ids[id] = i
		f.Sites = append(f.Sites, form.Site{ID: id, Class: fpcode.ClassProse, Q: 2})
	}
	sortSites(f.Sites)
	index := make([]uint32, sites)
	for at, s := range f.Sites {
		index[ids[s.ID]] = uint32(at)
	}
	for i := range sites {
		w := Bytes("words", i)
		lit(fmt.Sprintf("%d. The %s %s ", i+1, nouns[w[0]%16], verbs[w[1]%16]))
		text = append(text, form.Part{Kind: form.Choice, Site: index[i], Alternatives: [][]byte{[]byte(pairs[w[2]%8][0]), []byte(pairs[w[2]%8][1])}})
		lit(fmt.Sprintf(" the %s.\n", nouns[w[3]%16]))
		// Literals must not adjoin.
		if n := len(text); i > 0 {
			text[n-4].Bytes = append(text[n-4].Bytes, text[n-3].Bytes...)
			text = append(text[:n-3], text[n-2:]...)
		}
	}
	f.Files = []form.File{
		{Path: "advisory.md", Level: form.Description, Parts: text},
		{Path: "poc/request.txt", Level: form.PoC, Parts: []form.Part{
			{Kind: form.Literal, Bytes: []byte("GET /probe?marker=")},
			{Kind: form.Token, Slot: "marker", Alphabet: token.Hex},
			{Kind: form.Literal, Bytes: []byte(" HTTP/1.1\nHost: unit.test\n")},
		}},
	}
	return f
}

var (
	nouns = []string{"gateway", "console", "upload handler", "session store", "scheduler", "parser", "index", "relay", "archive", "proxy", "mailer", "printer", "ledger", "catalogue", "spooler", "monitor"}
	verbs = []string{"reads", "hands on", "trusts", "copies", "forgets", "resets", "reports", "opens", "queues", "signs", "rejects", "merges", "splits", "delays", "stores", "sorts"}
	pairs = [][2]string{{"at once", "promptly"}, {"in full", "entirely"}, {"by design", "on purpose"}, {"as a rule", "normally"}, {"on its own", "unaided"}, {"in turn", "one by one"}, {"at start", "on boot"}, {"for good", "permanently"}}
)

func sortSites(s []form.Site) {
	for i := range s {
		for j := i; j > 0 && string(s[j].ID[:]) < string(s[j-1].ID[:]); j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

// Bias is the package's bias key.
func (c *Case) Bias() fpcode.Key { return fpcode.BiasKey(c.pkg) }

// Key is the key of a holder's copies.
func (c *Case) Key(h int) fpcode.Key { return fpcode.CopyKey(c.pkg, c.Holders[h].ID) }

// Token is what stands in a holder's copies at a slot.
func (c *Case) Token(h int, slot string, a token.Alphabet) string {
	return evidence.TokenText(c.rec, c.Key(h), Epoch, c.Package, c.Holders[h].ID, slot, a)
}

// Copy is a holder's copy in a wave.
func (c *Case) Copy(h, w int) []form.Output {
	key := c.Key(h)
	return c.Form.Render(level(w), func(s form.Site) uint8 {
		return fpcode.Symbol(key, s.ID, c.Form.SiteLaw(s))
	}, func(slot string, a token.Alphabet) string { return c.Token(h, slot, a) })
}

func level(w int) form.Level {
	if w == 0 {
		return form.Description
	}
	return form.PoC
}

func (c *Case) seal(w int) {
	at := Opens[w].Add(-20 * time.Hour)
	var leaves []entrylog.Hash
	for h := range c.Holders {
		leaves = append(leaves, form.CopyLeaf(Bytes("leaf salt", h, w), c.Holders[h].ID, fpcode.Commit(c.Key(h)), form.CopyHash(c.Copy(h, w))))
	}
	tree, err := entrylog.NewBlind(Bytes("tree", w), nil, Depth, leaves)
	if err != nil {
		panic(err)
	}
	salt := Bytes("issued", w)
	s := evidence.WaveStatement{
		Wave: Ref("wave", w), Package: c.Package, Revision: c.Revision, Case: c.ID,
		Level: level(w), OpensAt: Opens[w],
		Form: c.Form.Hash(), SlotTable: c.Form.SlotTableHash(), Bias: fpcode.Commit(c.Bias()),
		Profile: c.Profile, Decoder: c.Decoder(), AlphaPico: 1_000_000,
		Issued: evidence.IssuedCommitment(salt, uint32(len(c.Holders))),
		Reader: form.ReaderVersion, Epoch: Epoch, Sealer: [32]byte(c.sealer.Public().(ed25519.PublicKey)),
		Depth: Depth, Root: tree.Root(),
	}
	seq := c.add(at, evidence.KindWaveSealed, Ref("sealer"), s.Wave, wire.Marshal(&s))
	c.Waves = append(c.Waves, Wave{s, seq, tree, salt})
	c.anchor(at.Add(Interval))
	for h := range c.Holders {
		c.fetch(h, w, Opens[w].Add(time.Duration(h+1)*7*time.Minute))
	}
}

func (c *Case) fetch(h, w int, at time.Time) {
	id := fmt.Sprintf("%d/%d", h, w)
	who, wave := c.Holders[h], c.Waves[w].Statement.Wave
	body := append(append([]byte(nil), wave[:]...), who.ID[:]...)
	c.Fetch[id] = c.add(at, 27, who.Account, wave, body)
	r := c.Acknowledge(h, w)
	body = append(binary.BigEndian.AppendUint32(body, uint32(len(r.Origin))), r.Origin...)
	body = binary.BigEndian.AppendUint64(body, uint64(r.Tick))
	body = binary.BigEndian.AppendUint64(body, r.AnchorSize)
	body = append(append(append(append(body, r.AnchorRoot[:]...), r.Leaf[:]...), r.Key[:]...), r.Signature[:]...)
	c.Receipt[id] = c.add(at.Add(time.Minute), 28, who.Account, wave, body)
}

// Acknowledge signs a receipt for a holder's copy in a wave.
func (c *Case) Acknowledge(h, w int) *evidence.Receipt {
	v, err := note.NewVerifier(c.LogKey)
	if err != nil {
		panic(err)
	}
	r, err := evidence.SignReceipt(c.Holders[h].Receipts, c.Proof(h, w), v, Interval)
	if err != nil {
		panic(err)
	}
	return r
}

func (c *Case) add(at time.Time, kind entrylog.Kind, actor, subject entrylog.Ref, body []byte) entrylog.Seq {
	e := entrylog.Entry{Time: at, Auth: entrylog.AuthKey, Actor: actor, Kind: kind, Subject: subject, Body: body}
	seq := c.trees.Entries()
	rec := entrylog.Record{Salt: Bytes("salt", int(seq)), Entry: wire.Marshal(&e)}
	c.records = append(c.records, rec)
	if err := c.trees.Add(at, rec.Commit(), kind == evidence.KindWaveSealed); err != nil {
		panic(err)
	}
	return seq
}

func (c *Case) anchor(to time.Time) {
	if err := c.trees.Extend(entrylog.TickDue(to, Interval)); err != nil {
		panic(err)
	}
	c.size = c.trees.Anchors()
}

func (c *Case) prove(tick entrylog.Tick) entrylog.AnchorProof {
	p, err := c.trees.ProveAnchor(uint64(tick-c.trees.First()), c.size)
	if err != nil {
		panic(err)
	}
	cp, err := c.trees.Checkpoint(c.Log.Name(), c.size)
	if err != nil {
		panic(err)
	}
	if p.Checkpoint, err = cp.Sign(c.Log); err != nil {
		panic(err)
	}
	return p
}

// At is the time of an entry.
func (c *Case) At(seq entrylog.Seq) time.Time {
	e, err := entrylog.ParseEntry(c.records[seq].Entry)
	if err != nil {
		panic(err)
	}
	return e.Time
}

// Entry proves a wave's entry.
func (c *Case) Entry(w int) entrylog.EntryProof {
	return c.proof(c.Waves[w].Seq)
}

// Inner opens any entry to an auditor.
func (c *Case) Inner(seq entrylog.Seq) entrylog.InnerProof {
	tick, _ := c.trees.TickOfEntry(seq)
	opening, path, err := c.trees.ProveInner(seq, tick)
	if err != nil {
		panic(err)
	}
	return entrylog.InnerProof{Record: c.records[seq], Seq: seq, Opening: opening, Path: path, AnchorProof: c.prove(tick)}
}

// Proof is what travels with a holder's copy.
func (c *Case) Proof(h, w int) *evidence.CopyProof {
	return &evidence.CopyProof{
		Holder: c.Holders[h].ID, LeafSalt: Bytes("leaf salt", h, w), KeyCommitment: fpcode.Commit(c.Key(h)),
		Copy: form.CopyHash(c.Copy(h, w)), Path: c.Waves[w].Tree.Prove(h), Entry: c.Entry(w),
	}
}
