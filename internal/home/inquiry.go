package home

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/folder"
	"forewarn/internal/inquiry"
	"forewarn/internal/ledger"
	"forewarn/internal/sqlite"
)

// InquiryInterval is the time between the anchors of the inquiry's own log: at
// most ten seconds. Nobody outside watches it, so it need not hide anything; it
// is short because an investigator waits for it.
func (h *Home) InquiryInterval() time.Duration { return min(10*time.Second, h.Interval()) }

// Office is the open inquiry of a programme.
type Office struct {
	*inquiry.Office
	open closers
}

// Close ends the inquiry's writing.
func (o *Office) Close() error { return errors.Join(o.Office.Close(), o.open.Close()) }

// Inquiry opens the inquiry's domain, and makes it the first time: its own log,
// its own key.
func (h *Home) Inquiry(ctx context.Context) (_ *Office, err error) {
	o := &Office{}
	defer func() {
		if err != nil {
			o.open.Close()
		}
	}()
	if err := h.foundInquiry(ctx); err != nil {
		return nil, err
	}
	f, err := h.logIn(ctx, "inquiry", inquiryOutside, h.InquiryInterval(), &o.open)
	if err != nil {
		return nil, err
	}
	key, err := f.keys.Read("log.pub")
	if err != nil {
		return nil, err
	}
	s, err := h.Sealer(&o.open)
	if err != nil {
		return nil, err
	}
	blobs, err := folder.OpenBlobs(filepath.Join(h.Dir, "inquiry", "blobs"))
	if err != nil {
		return nil, err
	}
	o.open.add(blobs)
	o.Office, err = inquiry.Open(ctx, inquiry.Config{Blobs: blobs, Store: f.store, Publisher: f.publisher, Outside: f.outside, Log: f.opt, Key: string(key), Sealer: s, Clock: h.Machine.Clock, Rand: h.Machine.Rand, Apart: h.Machine.Apart()})
	return o, err
}

// foundInquiry draws the inquiry's keys, once.
func (h *Home) foundInquiry(ctx context.Context) error {
	keys, err := folder.OpenPrivate(filepath.Join(h.Dir, "inquiry", "keys"))
	if err != nil {
		return err
	}
	defer keys.Close()
	if _, err := keys.Read("log"); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	skey, vkey, err := note.GenerateKey(h.Machine.Rand, h.config.Origin+"/inquiry")
	if err != nil {
		return err
	}
	blinding := make([]byte, 32)
	if _, err := io.ReadFull(h.Machine.Rand, blinding); err != nil {
		return err
	}
	if err := createLog(ctx, filepath.Join(h.Dir, "inquiry")); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// The signing key last: it is what says that all else is there.
	return errors.Join(keys.Write("blinding", blinding), keys.Write("log.pub", []byte(vkey)), keys.Create("log", []byte(skey)))
}

// Verify re-verifies the desk's log and blobs, or the inquiry's log, from the
// files alone. It changes nothing, and may run beside a writer.
func (h *Home) Verify(ctx context.Context, ofInquiry bool, against []byte, progress func(string, int)) (ledger.Report, coordinator.Folded, error) {
	domain, interval := "desk", h.Interval()
	if ofInquiry {
		domain, interval = "inquiry", h.InquiryInterval()
	}
	var open closers
	defer func() { open.Close() }()
	keys, err := folder.OpenPrivate(filepath.Join(h.Dir, domain, "keys"))
	if err != nil {
		return ledger.Report{}, coordinator.Folded{}, err
	}
	open.add(keys)
	opt, err := LogOptions(keys, interval)
	if err != nil {
		return ledger.Report{}, coordinator.Folded{}, broken(err)
	}
	if opt.Known, opt.Public = cvd.Known, cvd.Public; ofInquiry {
		opt.Known, opt.Public = inquiry.Known, inquiry.Public
	}
	publisher, err := folder.OpenPublisher(filepath.Join(h.Dir, domain, "anchors"))
	if err != nil {
		return ledger.Report{}, coordinator.Folded{}, err
	}
	open.add(publisher)
	store, err := sqlite.Open(ctx, filepath.Join(h.Dir, domain, "log.db"))
	if err != nil {
		return ledger.Report{}, coordinator.Folded{}, broken(err)
	}
	open.add(store)
	r, err := ledger.Verify(ctx, store, publisher, opt, against, progress)
	if err != nil || ofInquiry {
		return r, coordinator.Folded{}, err
	}
	blobs, err := folder.OpenBlobs(filepath.Join(h.Dir, "desk", "blobs"))
	if err != nil {
		return r, coordinator.Folded{}, err
	}
	open.add(blobs)
	folded, err := coordinator.Audit(ctx, store, blobs)
	return r, folded, err
}

// Recover declares a recovery of the desk's log: see ledger.Recover.
func (h *Home) Recover(ctx context.Context) (ledger.Recovery, error) {
	var open closers
	defer func() { open.Close() }()
	f, err := h.logIn(ctx, "desk", deskOutside, h.Interval(), &open)
	if err != nil {
		return ledger.Recovery{}, err
	}
	f.opt.Known, f.opt.Public = cvd.Known, cvd.Public
	f.opt.Clock, f.opt.Rand = h.Machine.Clock, h.Machine.Rand
	r, err := ledger.Recover(ctx, f.store, f.publisher, f.outside, f.opt, ledger.Draft{})
	if errors.Is(err, ledger.ErrNothingLost) {
		return r, fmt.Errorf("%w: nothing was changed", err)
	}
	return r, err
}
