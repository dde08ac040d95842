package web

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"forewarn/internal/entrylog"
)

// shelf keeps pages that are the same for all (Page.Shared) as they were last
// sent, packed and tagged, until the log has another entry or anchor. Whoever asks
// meanwhile waits for nobody: neither for a slot nor for the programme's state.
type shelf struct {
	mu    sync.RWMutex
	pages map[string]*shelved
	bytes int
}

type shelved struct {
	pattern string
	size    entrylog.Seq // of the log, before the page was made
	tick    time.Time    // when the next anchor was due then
	until   time.Time
	head    http.Header
	body    []byte
	tag     string
}

const (
	shelfTime  = 10 * time.Second // at most: what else a page shows may change
	shelfBytes = 32 << 20         // above which all is thrown away
	shelfKey   = 256              // longer addresses are answered and not kept
)

// address is what a page is kept under; ok is false for what isn't kept.
func address(r *http.Request) (key string, ok bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || len(r.URL.Path)+len(r.URL.RawQuery) > shelfKey {
		return "", false
	}
	key = r.URL.Path
	if r.URL.RawQuery != "" {
		key += "?" + r.URL.RawQuery
	}
	if said := r.Header.Get("Accept-Encoding"); said != "" && acceptsGzip(said) {
		key += " gzip"
	}
	return key, true
}

// shelved is the page that a request asks for, if it is kept and nothing happened
// since.
func (s *Site) shelved(r *http.Request) *shelved {
	key, ok := address(r)
	if !ok {
		return nil
	}
	s.shelf.mu.RLock()
	k := s.shelf.pages[key]
	s.shelf.mu.RUnlock()
	if k == nil || k.size != s.Desk.Log().Size() || !k.tick.Equal(s.Desk.Log().NextTick()) || !s.Clock().Before(k.until) {
		return nil
	}
	return k
}

// fromShelf makes a page that is the same for all, keeps it, and sends it.
func (v *Visit) fromShelf() error {
	s := &v.site.shelf
	fresh := &shelved{pattern: v.Page.Pattern, size: v.Desk().Log().Size(), tick: v.Desk().Log().NextTick(), until: v.Now().Add(shelfTime)}
	asked := v.Request
	v.Request = asked.Clone(asked.Context())
	v.Method = http.MethodGet
	v.Header.Del("If-None-Match")
	out := &recorder{head: http.Header{}}
	err := v.into(out, (*Visit).serve)
	v.Request = asked
	if err != nil {
		return err
	}
	fresh.head, fresh.body, fresh.tag = maps.Clone(v.site.heads), out.body.Bytes(), out.head.Get("ETag")
	maps.Copy(fresh.head, out.head)
	if out.status != http.StatusOK || fresh.tag == "" {
		maps.Copy(v.w.Header(), out.head)
		v.w.WriteHeader(out.status)
		_, _ = v.w.Write(fresh.body) // the reader went away
		return nil
	}
	if key, ok := address(asked); ok {
		s.mu.Lock()
		if s.bytes > shelfBytes || s.pages == nil {
			s.pages, s.bytes = map[string]*shelved{}, 0
		}
		s.pages[key] = fresh
		s.bytes += len(fresh.body) + 2*shelfKey // what it replaces counts on: the sooner all is thrown away
		s.mu.Unlock()
	}
	fresh.send(v.w, asked)
	return nil
}

// send sends a page, or says that its reader has it.
func (k *shelved) send(w http.ResponseWriter, r *http.Request) (status int) {
	h := w.Header()
	maps.Copy(h, k.head)
	if said := r.Header.Get("If-None-Match"); said != "" && known(said, k.tag) {
		delete(h, "Content-Type")
		delete(h, "Content-Length")
		delete(h, "Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(k.body) // the reader went away
	}
	return http.StatusOK
}
