package web

import (
	"io"
	"sync"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// holding keeps files between the page that says what they would do and the
// button that does it, in memory alone: a browser can't send a file that it was
// not given again. One file an account, for a quarter of an hour.
type holding struct {
	mu    sync.Mutex
	files map[cvd.AccountID]heldFile
}

type heldFile struct {
	token string
	data  []byte
	until time.Time
}

const heldFor = 15 * time.Minute

// put keeps a file and gives the word that takes it out again.
func (h *holding) put(rand io.Reader, data []byte, who cvd.AccountID, now time.Time) (token string, until time.Time, err error) {
	if token, err = signin.Secret(rand); err != nil {
		return "", until, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files == nil {
		h.files = map[cvd.AccountID]heldFile{}
	}
	for id, f := range h.files {
		if !now.Before(f.until) {
			delete(h.files, id)
		}
	}
	until = now.Add(heldFor)
	h.files[who] = heldFile{token, data, until}
	return token, until, nil
}

// take gives the file that an account put there under a word, once.
func (h *holding) take(token string, who cvd.AccountID, now time.Time) ([]byte, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.files[who]
	if !ok || f.token != token || !now.Before(f.until) {
		return nil, false
	}
	delete(h.files, who)
	return f.data, true
}
