package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/sealer"
)

// copyPage is a wave as a holder fetches it. Of what is in it nothing shows before
// the account has fetched it, not even a length.
type copyPage struct {
	Wave    cvd.WaveID `json:"wave"`
	State   string     `json:"state"`
	OpensAt Moment     `json:"opens_at"`
	Why     string     `json:"why_not,omitempty" doc:"Why the copy can't be fetched now."`
	Fetched bool       `json:"fetched" doc:"By this account, within the hour: its files can be read."`
	Files   []copyFile `json:"files"`
	Proof   []byte     `json:"proof,omitempty" doc:"That the copy was committed to before it was sent. It is made anew for each answer, from the newest anchor."`

	Checks string `json:"-"` // what 'forewarn open' is told to check it with
}

type copyFile struct {
	Name   string `json:"file" doc:"sealed, an age file for the holder's keys; bulk, an age file that all copies share."`
	As     string `json:"save_as"`
	Size   int    `json:"bytes"`
	SHA256 digest `json:"sha256"`

	data []byte
}

// errNotNow is why somebody who knows of a wave can't have it now.
type errNotNow struct{ why string }

func (e errNotNow) Error() string { return e.why }

// held is the wave that a path names, for somebody in its audience. To all
// others it is not there.
func (v *Visit) held() (page copyPage, holder cvd.HolderID, err error) {
	page.Files = []copyFile{}
	if page.Wave, err = pathID[cvd.WaveID](v, "wave"); err != nil {
		return page, holder, err
	}
	holder, waits, err := v.Desk().Inbox(v.By)
	if err != nil {
		return page, holder, err
	}
	for _, w := range waits {
		if w.Wave != page.Wave {
			continue
		}
		page.State, page.OpensAt, page.Why = w.State.String(), v.Moment(w.OpensAt), w.Why
		if w.State == cvd.StateSealed && v.Now().Before(w.OpensAt) {
			v.comeBack(w.OpensAt.Sub(v.Now()))
			return page, holder, sealer.ErrNotYet
		}
		if w.Why != "" {
			err = errNotNow{w.Why}
		}
		return page, holder, err
	}
	return page, holder, cvd.ErrNotFound
}

// comeBack says when to try again.
func (v *Visit) comeBack(in time.Duration) {
	v.w.Header().Set("Retry-After", strconv.Itoa(max(1, int((in+time.Second-1)/time.Second))))
}

// filled is the page with the files of a delivery.
func (p copyPage) filled(d coordinator.Delivery) copyPage {
	p.Fetched, p.Proof = true, d.Proof.Marshal()
	for name, data := range map[string][]byte{"sealed": d.Sealed, "bulk": d.Bulk} {
		if len(data) > 0 {
			p.Files = append(p.Files, p.file(name, data))
		}
	}
	slices.SortFunc(p.Files, func(a, b copyFile) int { return strings.Compare(b.Name, a.Name) })
	return p
}

func (p copyPage) file(name string, data []byte) copyFile {
	ending := map[string]string{"sealed": ".age", "bulk": ".bulk.age", "proof": ".proof"}[name]
	return copyFile{name, p.Wave.Short() + ending, len(data), sha256.Sum256(data), data}
}

// showCopy says how a holder's copy stands, and what files there are once it was
// fetched.
func showCopy(v *Visit) error {
	page, holder, err := v.held()
	if errors.Is(err, sealer.ErrNotYet) || errors.As(err, new(errNotNow)) {
		v.w.Header().Del("Retry-After")
		return v.Render("copy", page)
	}
	if err != nil {
		return err
	}
	d, err := v.Desk().Fetched(v.Context(), v.By, page.Wave, holder)
	switch {
	case err == nil:
		page = page.filled(d)
		if page.Checks, err = v.checks(); err != nil {
			return err
		}
	case !errors.Is(err, coordinator.ErrNotFetched):
		return err
	}
	return v.Render("copy", page)
}

// recordFetch puts the fetch on the log. Only then is there anything to read.
func recordFetch(v *Visit) error {
	page, holder, err := v.held()
	if err != nil && !errors.Is(err, cvd.ErrNotFound) {
		return err
	}
	d, err := v.Desk().Fetch(v.Context(), v.By, page.Wave, holder) // which refuses those to whom it isn't there
	if err != nil {
		return err
	}
	return v.Done("/waves/"+page.Wave.String()+"/copy", page.filled(d))
}

// readCopy sends one file of a copy that was fetched: whole, or the parts that a
// reader whose connection broke still lacks.
func readCopy(v *Visit) error {
	page, holder, err := v.held()
	if err != nil {
		return err
	}
	d, err := v.Desk().Fetched(v.Context(), v.By, page.Wave, holder)
	if err != nil {
		return err
	}
	page = page.filled(d)
	for _, f := range append(page.Files, page.file("proof", page.Proof)) {
		if f.Name == v.PathValue("file") {
			return v.download(f)
		}
	}
	return errNoPage
}

// downloadTime is how long a file may take to send. Its reader may be slow, so it
// holds no slot meanwhile.
const downloadTime = 15 * time.Minute

// download sends a file that nobody's browser may show or run.
func (v *Visit) download(f copyFile) error {
	v.release()
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+f.As+`"`)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, no-store")
	h.Set("ETag", `"`+hex.EncodeToString(f.SHA256[:])+`"`)
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(downloadTime)) // where there is one
	http.ServeContent(v.w, v.Request, "", time.Time{}, bytes.NewReader(f.data))
	return nil
}

type lodging struct {
	Receipt []byte `json:"receipt" need:"true" doc:"What forewarn.SignReceipt, or 'forewarn open', made."`
}

type lodged struct {
	Wave cvd.WaveID `json:"wave"`
}

// takeReceipt takes a holder's signature that it has a copy.
func takeReceipt(v *Visit) error {
	var in lodging
	if err := v.Ask(&in); err != nil {
		return err
	}
	r, err := evidence.ParseReceipt(in.Receipt)
	if err != nil {
		return &FieldError{"receipt", "is no receipt: 'forewarn open' writes it beside the sealed file, as WAVE.receipt"}
	}
	holder, _, err := v.Desk().Inbox(v.By)
	if err != nil {
		return err
	}
	wave, err := v.Desk().LodgeReceipt(v.Context(), v.By, holder, r)
	if errors.Is(err, evidence.ErrNotVerified) {
		return &FieldError{"receipt", "is not signed by the key that it names"}
	}
	if err != nil {
		return err
	}
	var cs cvd.CaseID
	if err := v.View(func(p *cvd.Programme, _ coordinator.Names) error { cs = p.Waves[wave].Case; return nil }); err != nil {
		return err
	}
	return v.Done("/cases/"+cs.String()+"#receipts", lodged{wave})
}
