package web

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"forewarn/internal/signin"
)

// A program that got no answer can't know whether its act was done. With an
// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) it may send it again:
//
//	the same request, answered      its answer again, and nothing is done
//	the same, still under way       409, come back
//	another request, the same key   422
//
// Answers are kept for a day, per account, as ciphertext under the key itself, of
// which the store has the hash alone: an answer may hold a secret. Only what was
// done is kept; what was refused changed nothing, and is tried anew. If the
// process dies between an act and its answer, the claim lapses within minutes and
// the act is tried again: then its own rules refuse a second.
const (
	idempotencyHead = "Idempotency-Key"
	replayedHead    = "Idempotency-Replayed"

	idempotentKind = "idempotent"
	shortestKey    = 16
	longestKey     = 128
	answerTime     = 24 * time.Hour
	claimTime      = 2 * handlerTime
	longestAnswer  = 16 << 10
	answersOfADay  = 2000 // of one account, or network of strangers
)

var (
	errKeyReused = errors.New("the key was used for another request")
	errUnderWay  = errors.New("the request with this key is still under way")
	errKeyLong   = errors.New("the request with this key was done, and its answer was too long to keep")
)

// keyed is a request with an Idempotency-Key.
type keyed struct {
	key     signin.Key
	owner   [16]byte
	counter signin.Key
	print   [32]byte // of the request
	cipher  cipher.AEAD
}

// keptAnswer is what is kept under a key.
type keptAnswer struct {
	Print  []byte `json:"print"`
	Done   bool   `json:"done,omitempty"`
	Answer []byte `json:"answer,omitempty"` // sealed; none: too long
}

type sealedAnswer struct {
	Status int         `json:"status"`
	Head   http.Header `json:"head"`
	Body   []byte      `json:"body"`
}

// keyed reads the key, or gives nil where there is none, or none is needed.
func (v *Visit) keyed() (*keyed, error) {
	said := v.Header.Get(idempotencyHead)
	if said == "" || v.reads() || !v.API() {
		return nil, nil
	}
	key, quoted := strings.CutPrefix(said, `"`)
	key, closed := strings.CutSuffix(key, `"`)
	if !quoted || !closed || len(key) < shortestKey || len(key) > longestKey || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		return nil, &FieldError{idempotencyHead, `is a quoted text of 16 to 128 characters, such as "2a4d9f0e-…"`}
	}
	who := "account/" + string(v.By.Account[:])
	if !v.SignedIn() {
		who = "network/" + v.site.from(v.Request)
	}
	sum := func(what string, parts ...string) [32]byte {
		h := sha256.New()
		for _, p := range append([]string{what}, parts...) {
			_, _ = io.WriteString(h, p)
			h.Write([]byte{0})
		}
		return [32]byte(h.Sum(nil))
	}
	secret := sum("forewarn/idempotent-answer", who, key)
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		return nil, err
	}
	k := &keyed{key: sum("forewarn/idempotency-key", who, key), owner: v.By.Account, counter: sum("forewarn/idempotency-count", who),
		print: sum("forewarn/request", v.Method, v.URL.Path, v.URL.RawQuery, v.Header.Get("Content-Type"), string(v.sent))}
	k.cipher, err = cipher.NewGCMWithRandomNonce(block)
	return k, err
}

// once runs a page's handler, or answers as it did before.
func (v *Visit) once(serve func(*Visit) error) error {
	k, err := v.keyed()
	if err != nil {
		return err
	}
	if k == nil {
		return serve(v)
	}
	store, ctx := v.site.SignIn, context.WithoutCancel(v.Context()) // who went away comes back with the key
	claim, err := json.Marshal(keptAnswer{Print: k.print[:]})
	if err != nil {
		return err
	}
	item := signin.Item{Kind: idempotentKind, Key: k.key, Owner: k.owner, Value: claim, Expires: v.Now().Add(claimTime)}
	switch err := store.Add(ctx, item, v.Now()); {
	case errors.Is(err, signin.ErrTaken):
		return v.again(k)
	case err != nil:
		return err
	}
	done := false
	defer func() {
		if !done {
			_ = store.Drop(ctx, idempotentKind, k.key) // else it lapses
		}
	}()
	n, err := store.Count(ctx, idempotentKind, k.counter, v.Now(), answerTime)
	if err != nil {
		return err
	}
	if n > answersOfADay {
		v.comeBack(time.Hour)
		return errTooMany
	}
	out := &recorder{head: v.w.Header()}
	if err := v.into(out, serve); err != nil {
		return err
	}
	if done = out.status < 400; done {
		if item.Value, err = k.seal(out); err == nil {
			item.Expires = v.Now().Add(answerTime)
			err = store.Put(ctx, item)
		}
		if err != nil {
			noteError(v.Context(), err, http.StatusInternalServerError) // it is done, and that is what is said
		}
	}
	v.w.WriteHeader(out.status)
	_, _ = v.w.Write(out.body.Bytes()) // the reader went away
	return nil
}

// into runs a handler whose answer is held back.
func (v *Visit) into(out *recorder, serve func(*Visit) error) error {
	direct := v.w
	defer func() { v.w = direct }()
	v.w = out
	return serve(v)
}

// seal is the answer as it is kept.
func (k *keyed) seal(out *recorder) ([]byte, error) {
	kept := keptAnswer{Print: k.print[:], Done: true}
	head := http.Header{}
	for _, name := range []string{"Content-Type", "Location"} {
		if x := out.head.Get(name); x != "" {
			head.Set(name, x)
		}
	}
	plain, err := json.Marshal(sealedAnswer{out.status, head, out.body.Bytes()})
	if err != nil {
		return nil, err
	}
	if len(plain) <= longestAnswer {
		kept.Answer = k.cipher.Seal(nil, nil, plain, k.print[:])
	}
	return json.Marshal(kept)
}

// again answers a key that was used before.
func (v *Visit) again(k *keyed) error {
	it, err := v.site.SignIn.Get(v.Context(), idempotentKind, k.key, v.Now())
	if errors.Is(err, signin.ErrNone) {
		v.comeBack(time.Second)
		return errUnderWay // it just ended, undone
	}
	if err != nil {
		return err
	}
	var kept keptAnswer
	var answer sealedAnswer
	switch err := json.Unmarshal(it.Value, &kept); {
	case err != nil:
		return err
	case !bytes.Equal(kept.Print, k.print[:]):
		return errKeyReused
	case !kept.Done:
		v.comeBack(time.Second)
		return errUnderWay
	case len(kept.Answer) == 0:
		return errKeyLong
	}
	plain, err := k.cipher.Open(nil, nil, kept.Answer, k.print[:])
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, &answer); err != nil {
		return err
	}
	for name := range answer.Head {
		v.w.Header().Set(name, answer.Head.Get(name))
	}
	v.w.Header().Set(replayedHead, "true")
	v.w.WriteHeader(answer.Status)
	_, _ = v.w.Write(answer.Body)
	return nil
}

// recorder holds an answer back until it is kept. Heads go to the answer's own.
type recorder struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.head }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
