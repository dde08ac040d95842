package serve

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"forewarn/internal/entrylog"
	"forewarn/internal/folder"
	"forewarn/internal/home"
	"forewarn/internal/witness"
)

// Of two witnesses one is down: anchors go on, and what is served has the other's
// cosignature, also after a restart of the desk.
func TestWitnesses(t *testing.T) {
	dir := founded(t)
	h, err := home.Open(dir)
	ok(t, err)
	state, err := folder.OpenPrivate(t.TempDir())
	ok(t, err)
	_, err = witness.Init(state, "witness.example/w1", [32]byte{7})
	ok(t, err)
	w, err := witness.Open(state, time.Now)
	ok(t, err)
	ok(t, w.Add(h.LogKey(), ""))
	up := httptest.NewServer(w.Handler(slog.New(slog.DiscardHandler)))
	defer up.Close()
	down := httptest.NewServer(nil)
	down.Close()
	other, err := entrylog.NewCosigner("witness.example/w2", [32]byte{8})
	ok(t, err)
	c := Config{Dir: dir, Witnesses: []string{up.URL + "=" + w.Public(), down.URL + "=" + other.Public()}}
	v, err := note.NewVerifier(h.LogKey())
	ok(t, err)
	by, err := entrylog.NewCosignVerifier(w.Public())
	ok(t, err)
	var last uint64
	for range 2 {
		r := run(t, c)
		good := 0
		for end := time.Now().Add(20 * time.Second); good < 2; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no cosigned checkpoint is served\n%s", r.log)
			}
			status, body := get(t, r.base+"/log/checkpoint")
			if status != 200 {
				continue // before the first anchor
			}
			cp, err := entrylog.OpenCheckpoint([]byte(body), v)
			ok(t, err)
			if _, yes := by.CosignedAt([]byte(body)); yes && cp.Size > last {
				last, good = cp.Size, good+1
			}
		}
		ok(t, r.stop())
		if !strings.Contains(r.log.String(), "asking witness witness.example/w2") {
			t.Error("that a witness can't be reached is not logged")
		}
		if strings.Contains(r.log.String(), "asking witness witness.example/w1") {
			t.Errorf("the witness that answers: %s", r.log)
		}
	}
	logs, err := w.Logs()
	if err != nil || logs[0].Last.Size < last {
		t.Errorf("the witness counts %+v, and %d was served (%v)", logs, last, err)
	}
	report, _, err := h.Verify(t.Context(), false, nil, nil)
	if err != nil || !report.OK() {
		t.Errorf("the log after it was witnessed: %v %v", err, report.Problems)
	}
}
