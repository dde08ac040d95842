package web

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/wire"
)

// logShown is the anchor log as anybody may know it.
type logShown struct {
	Key        string   `json:"key" doc:"As C2SP's signed-note has it. Compare it with one that you got another way."`
	Origin     string   `json:"origin"`
	Size       uint64   `json:"anchors"`
	Root       string   `json:"root" doc:"Base64."`
	Checkpoint string   `json:"checkpoint" doc:"The signed note, with the signatures of witnesses if there are any."`
	Witnesses  []string `json:"witnesses" doc:"Names of those who signed beside the log."`
	Next       Moment   `json:"next_anchor"`
	Interval   string   `json:"interval"`
	Base       string   `json:"base"`
}

// logPage shows the anchors: the last, when the next is due, and how to check.
func logPage(v *Visit) error {
	signed, cp := v.Desk().Log().Checkpoint()
	page := logShown{Key: v.Desk().Key, Origin: cp.Origin, Size: cp.Size, Root: base64.StdEncoding.EncodeToString(cp.Root[:]), Checkpoint: string(signed),
		Next: v.Moment(v.Desk().Log().NextTick()), Base: v.site.Config.Origin + "/log", Witnesses: []string{}}
	for line := range strings.Lines(page.Checkpoint) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "— "), " "); ok && strings.HasPrefix(line, "— ") && !strings.HasPrefix(v.Desk().Key, name+"+") {
			page.Witnesses = append(page.Witnesses, name)
		}
	}
	err := v.View(func(p *cvd.Programme, _ coordinator.Names) error { page.Interval = p.Interval.String(); return nil })
	if err != nil {
		return err
	}
	return v.Render("log", page)
}

type consistencyAsk struct {
	From int `json:"from" need:"true" low:"1" doc:"The size that you know."`
	To   int `json:"to" need:"true" low:"1" doc:"A later one; at most the last checkpoint's."`
}

type consistencyShown struct {
	From     int      `json:"from"`
	To       int      `json:"to"`
	FromRoot string   `json:"from_root" doc:"Base64. Compare it with the root that you kept."`
	ToRoot   string   `json:"to_root"`
	Proof    []string `json:"proof" doc:"Hashes of RFC 6962, section 2.1.2; base64."`
}

// consistency proves that the anchor log only grew between two sizes.
func consistency(v *Visit) error {
	var in consistencyAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	log := v.Desk().Log()
	proof, err := log.Consistency(uint64(in.From), uint64(in.To))
	if errors.Is(err, ledger.ErrNotAnchored) {
		return &FieldError{"to", fmt.Sprintf("is no size after 'from': the last checkpoint signs %d anchors", log.Anchors())}
	}
	if err != nil {
		return err
	}
	out := consistencyShown{From: in.From, To: in.To, Proof: []string{}}
	for _, h := range proof {
		out.Proof = append(out.Proof, base64.StdEncoding.EncodeToString(h[:]))
	}
	for _, x := range []struct {
		size int
		root *string
	}{{in.From, &out.FromRoot}, {in.To, &out.ToRoot}} {
		cp, err := log.CheckpointAt(uint64(x.size))
		if err != nil {
			return err
		}
		*x.root = base64.StdEncoding.EncodeToString(cp.Root[:])
	}
	return v.Render("consistency", out)
}

type entriesAsk struct {
	From int    `json:"from" low:"0" doc:"The first entry; the last hundred if nothing is said."`
	Kind string `json:"kind" doc:"Only this kind."`
}

type entriesPage struct {
	Entries []coordinator.Row `json:"entries"`
	Next    int               `json:"next,omitempty" doc:"Where to go on; 0 at the end."`
	Size    uint64            `json:"size"`

	Kind   string                 `json:"-"`
	Kinds  []string               `json:"-"`
	From   int                    `json:"-"`
	Before int                    `json:"-"` // where the page before begins; -1: none
	Moment func(time.Time) Moment `json:"-"`
}

const (
	entriesShown  = 100
	entriesSought = 20_000 // looked through for a kind, before the reader says go on
)

// entries are those of the log, for an auditor: no content, for no entry has any.
func entries(v *Visit) error {
	var in entriesAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	kinds := coordinator.KindNames()
	if in.Kind != "" && !slices.Contains(kinds, in.Kind) {
		return &FieldError{"kind", "is no kind of entry"}
	}
	size := int(v.Desk().Log().Size())
	if !v.URL.Query().Has("from") {
		in.From = max(0, size-entriesShown)
	}
	page := entriesPage{Entries: []coordinator.Row{}, Size: uint64(size), Kind: in.Kind, Kinds: kinds, From: in.From, Before: -1, Moment: v.Moment}
	if in.From > 0 {
		page.Before = max(0, in.From-entriesShown)
	}
	sought := 0
	err := v.Desk().EachRow(v.Context(), v.By, entrylog.Seq(in.From), func(r coordinator.Row) bool {
		if len(page.Entries) == entriesShown || sought == entriesSought {
			page.Next = int(r.Seq)
			return false
		}
		sought++
		if in.Kind == "" || in.Kind == r.Kind {
			page.Entries = append(page.Entries, r)
		}
		return true
	})
	if err != nil {
		return err
	}
	return v.Render("entries", page)
}

type exportAsk struct {
	From int    `json:"from" low:"0"`
	As   string `json:"as" doc:"jsonl, or csv."`
}

// exportPart is how many bytes of an export are read before they are sent.
const exportPart = 256 << 10

// exportEntries sends the log as a file: JSON lines, or a table without bodies for
// spreadsheets. It is read part by part. Its reader may be slow, so it holds neither a
// slot nor the log while a part is sent.
func exportEntries(v *Visit) error {
	var in exportAsk
	if err := v.Ask(&in); err != nil {
		return err
	}
	if in.As != "" && in.As != "jsonl" && in.As != "csv" {
		return &FieldError{"as", "is neither jsonl nor csv"}
	}
	if err := v.May(cvd.ActViewLog, cvd.TheProgramme()); err != nil {
		return err
	}
	h := v.w.Header()
	name, kind := "entries.jsonl", "application/jsonl"
	if in.As == "csv" {
		name, kind = "entries.csv", "text/csv; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	v.w.WriteHeader(http.StatusOK)
	if v.Method == http.MethodHead {
		return nil
	}
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(downloadTime)) // where there is one
	var part bytes.Buffer
	table, lines := csv.NewWriter(&part), json.NewEncoder(&part)
	if in.As == "csv" {
		_ = table.Write([]string{"entry", "time", "kind", "actor", "auth", "subject"})
	}
	next := entrylog.Seq(in.From)
	for more := true; more; {
		var failed error
		more = false
		err := v.Desk().EachRow(v.Context(), v.By, next, func(r coordinator.Row) bool {
			if more = part.Len() >= exportPart; more {
				return false
			}
			if in.As == "csv" {
				_ = table.Write(cells(fmt.Sprint(uint64(r.Seq)), rfc3339(r.Time), r.Kind, r.Actor, r.Auth, r.Subject))
				table.Flush()
			} else {
				failed = lines.Encode(r)
			}
			next = r.Seq + 1
			return failed == nil
		})
		table.Flush()
		v.release()
		if err = errors.Join(err, failed); err == nil {
			_, err = part.WriteTo(v.w)
		}
		if err == nil && more {
			err = v.retake()
		}
		if err != nil {
			// What was sent can't be taken back. The answer is broken off, and so nobody
			// takes it for whole.
			noteError(v.Context(), err, http.StatusInternalServerError)
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}

// cells are values for a spreadsheet: before what one would take for a formula comes an
// apostrophe, and it stays text. That is so behind what parts cells or lines too, for
// a spreadsheet that expects a semicolon, as in much of Europe, sees no quotes that
// begin within what it takes for a cell.
func cells(values ...string) []string {
	for i, s := range values {
		var b strings.Builder
		before := '\n'
		for at, r := range s {
			if strings.ContainsRune("=+-@＝＋－＠", r) && strings.ContainsRune(";\t\r\n", before) || at == 0 && strings.ContainsRune("\t\r", r) {
				b.WriteByte('\'')
			}
			b.WriteRune(r)
			before = r
		}
		values[i] = b.String()
	}
	return values
}

// proveEntry gives the proof that an entry is in the log, as a file.
func proveEntry(v *Visit) error {
	n, err := strconv.ParseUint(v.PathValue("seq"), 10, 62)
	if err != nil {
		return errNoPage
	}
	if err := v.May(cvd.ActViewLog, cvd.TheProgramme()); err != nil {
		return err
	}
	seq, log := entrylog.Seq(n), v.Desk().Log()
	if seq >= log.Size() {
		return errNoPage
	}
	public, err := log.Prove(v.Context(), seq)
	var proof wire.Layout = &public
	if errors.Is(err, ledger.ErrNotPublic) {
		inner, e := log.ProveInner(v.Context(), seq, 0)
		proof, err = &inner, e
	}
	if err != nil {
		return err
	}
	v.file(fmt.Sprintf("entry-%d.proof", n), "application/octet-stream", wire.Marshal(proof))
	return nil
}
