package serve

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is a pair of files that are read again when they change: a
// certificate is renewed without stopping the desk. A new pair that can't be
// used leaves the old one in place.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	now    *tls.Certificate
	of     time.Time // the certificate file's, when it was read
	looked time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil && time.Since(c.looked) < time.Minute {
		return c.now, nil
	}
	c.looked = time.Now()
	info, err := os.Stat(c.cert)
	if err == nil && c.now != nil && info.ModTime().Equal(c.of) {
		return c.now, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.cert, c.key)
	}
	switch {
	case err == nil:
		c.now, c.of = &pair, info.ModTime()
	case c.now == nil:
		return nil, fmt.Errorf("the certificate or its key: %w", err)
	default:
		c.log.Error("the renewed certificate can't be used; the old one is", "error", err.Error())
	}
	return c.now, nil
}
