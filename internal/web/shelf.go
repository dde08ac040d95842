package web

import (
	"maps"
	"net/http"
	"strings"
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
	size  entrylog.Seq // of the log, before the page was made
	tick  time.Time    // when the next anchor was due then
	until time.Time
	head  http.Header
	body  []byte
	tag   string
}

const (
	shelfTime  = 10 * time.Second // at most: what else a page shows may change
	shelfBytes = 32 << 20         // above which all is thrown away
	shelfKey   = 256              // longer addresses are answered and not kept
)

// fromShelf answers a page that is the same for all.
func (v *Visit) fromShelf() error {
	s := &v.site.shelf
	key := v.URL.Path + "?" + v.URL.RawQuery
	if acceptsGzip(v.Header.Get("Accept-Encoding")) {
		key += " gzip"
	}
	fresh := shelved{size: v.Desk().Log().Size(), tick: v.Desk().Log().NextTick(), until: v.Now().Add(shelfTime)}
	s.mu.RLock()
	k := s.pages[key]
	s.mu.RUnlock()
	if k != nil && k.size == fresh.size && k.tick.Equal(fresh.tick) && v.Now().Before(k.until) {
		v.unshelve(k)
		return nil
	}
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
	fresh.head, fresh.body, fresh.tag = out.head, out.body.Bytes(), out.head.Get("ETag")
	if out.status != http.StatusOK || fresh.tag == "" {
		maps.Copy(v.w.Header(), out.head)
		v.w.WriteHeader(out.status)
		_, _ = v.w.Write(fresh.body) // the reader went away
		return nil
	}
	if len(key) <= shelfKey {
		s.mu.Lock()
		if s.bytes > shelfBytes || s.pages == nil {
			s.pages, s.bytes = map[string]*shelved{}, 0
		}
		s.pages[key] = &fresh
		s.bytes += len(fresh.body) + 2*shelfKey // what it replaces counts on: the sooner all is thrown away
		s.mu.Unlock()
	}
	v.unshelve(&fresh)
	return nil
}

// unshelve sends a page, or says that its reader has it.
func (v *Visit) unshelve(k *shelved) {
	h := v.w.Header()
	maps.Copy(h, k.head)
	if said := v.Header.Get("If-None-Match"); said != "" && known(said, k.tag) {
		delete(h, "Content-Type")
		delete(h, "Content-Length")
		delete(h, "Content-Encoding")
		v.w.WriteHeader(http.StatusNotModified)
		return
	}
	v.w.WriteHeader(http.StatusOK)
	if !strings.EqualFold(v.Method, http.MethodHead) {
		_, _ = v.w.Write(k.body) // the reader went away
	}
}
