package witness

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"forewarn/internal/entrylog"
)

// sizeType is the content type of a conflict's body.
const sizeType = "text/x.tlog.size"

// statuses are how refusals are told.
var statuses = []struct {
	class error
	code  int
}{
	{ErrUnknownLog, http.StatusNotFound},
	{ErrUnsigned, http.StatusForbidden},
	{ErrConflict, http.StatusConflict},
	{ErrInconsistent, http.StatusUnprocessableEntity},
	{ErrBadRequest, http.StatusBadRequest},
}

// Handler answers POST /add-checkpoint. What is wrong with the witness itself is
// logged, and told to nobody.
func (w *Witness) Handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, entrylog.MaxSubmission))
		var line []byte
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrBadRequest, err)
		} else {
			line, err = w.Cosign(body)
		}
		answer(rw, log, line, err)
	})
	return mux
}

func answer(rw http.ResponseWriter, log *slog.Logger, line []byte, err error) {
	h := rw.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if err == nil {
		_, _ = rw.Write(line)
		return
	}
	var conflict *Conflict
	if errors.As(err, &conflict) {
		h.Set("Content-Type", sizeType)
		rw.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(rw, "%d\n", conflict.Size)
		return
	}
	for _, s := range statuses {
		if errors.Is(err, s.class) {
			if s.class == ErrInconsistent {
				log.Warn("a log does not continue what was cosigned", "error", err.Error())
			}
			rw.WriteHeader(s.code)
			_, _ = fmt.Fprintf(rw, "%v\n", s.class)
			return
		}
	}
	log.Error("cosigning", "error", err.Error())
	rw.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(rw, "the witness can't sign now; nothing was signed\n")
}

// ErrAhead: the witness has cosigned a longer log than this one. Either this folder is
// older than one that was in use, or somebody else signs with the log's key.
var ErrAhead = errors.New("the witness has seen a longer log than this")

// Peer is a witness that is asked.
type Peer struct {
	URL    string // its submission prefix
	Key    entrylog.CosignVerifier
	Client *http.Client

	last uint64 // the size that it is thought to have cosigned last
}

// ParsePeer reads URL=VKEY.
func ParsePeer(s string) (*Peer, error) {
	url, vkey, ok := strings.Cut(s, "=")
	if !ok || !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return nil, fmt.Errorf("%w: a witness is URL=VKEY, not %.120q", ErrBadRequest, s)
	}
	v, err := entrylog.NewCosignVerifier(vkey)
	return &Peer{URL: strings.TrimSuffix(url, "/"), Key: v, Client: http.DefaultClient}, err
}

// Ask asks for a cosignature of a signed checkpoint, and returns its line, verified.
// read gives the published log's files, below the folder of the checkpoint's origin.
// A witness that says it is at another size is asked again from there, once. Not for
// concurrent use.
func (p *Peer) Ask(ctx context.Context, signed []byte, log note.Verifier, read func(path string) ([]byte, error)) ([]byte, error) {
	cp, err := entrylog.OpenCheckpoint(signed, log)
	if err != nil {
		return nil, err
	}
	hashes := entrylog.Hashes(read, cp.Size, cp.Root)
	for again := false; ; again = true {
		line, err := p.ask(ctx, signed, cp, hashes)
		var conflict *Conflict
		if !errors.As(err, &conflict) {
			if err == nil {
				p.last = cp.Size
			}
			return line, err
		}
		if conflict.Size > cp.Size {
			return nil, fmt.Errorf("%w: it has %d anchors, and this one %d", ErrAhead, conflict.Size, cp.Size)
		}
		if again || conflict.Size == p.last {
			return nil, err
		}
		p.last = conflict.Size
	}
}

// ask asks once.
func (p *Peer) ask(ctx context.Context, signed []byte, cp entrylog.Checkpoint, hashes tlog.HashReader) ([]byte, error) {
	s := entrylog.Submission{Old: min(p.last, cp.Size), Checkpoint: signed}
	if s.Old > 0 && s.Old < cp.Size {
		proof, err := tlog.ProveTree(int64(cp.Size), int64(s.Old), hashes)
		if err != nil {
			return nil, fmt.Errorf("the proof from size %d to %d: %w", s.Old, cp.Size, err)
		}
		s.Proof = proof
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/add-checkpoint", bytes.NewReader(s.Marshal()))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "text/plain; charset=utf-8")
	r, err := p.Client.Do(q)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<10))
	switch {
	case err != nil:
		return nil, err
	case r.StatusCode == http.StatusConflict && r.Header.Get("Content-Type") == sizeType:
		size, err := strconv.ParseUint(strings.TrimSuffix(string(body), "\n"), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("witness %s: a conflict with no size", p.Key.Name())
		}
		return nil, &Conflict{size}
	case r.StatusCode != http.StatusOK:
		for _, s := range statuses {
			if s.code == r.StatusCode {
				return nil, fmt.Errorf("witness %s: %w (%s)", p.Key.Name(), s.class, r.Status)
			}
		}
		return nil, fmt.Errorf("witness %s: it answered %s", p.Key.Name(), r.Status)
	}
	return p.line(signed, body)
}

// line finds the witness's own signature in its answer; what else it sent is left.
func (p *Peer) line(signed, answer []byte) ([]byte, error) {
	for l := range bytes.Lines(answer) {
		i := bytes.LastIndexByte(l, ' ')
		sig := strings.TrimSuffix(string(l[i+1:]), "\n")
		raw, err := base64.StdEncoding.DecodeString(sig)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != sig {
			continue
		}
		if _, ok := p.Key.CosignedAt(append(bytes.Clone(signed), l...)); ok {
			return l, nil
		}
	}
	return nil, fmt.Errorf("witness %s: its answer holds no cosignature of this checkpoint by its key", p.Key.Name())
}
