package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/wire"
)

// Handler answers for a desk.
func Handler(desk coordinator.Serving) http.Handler {
	mux := http.NewServeMux()
	for path, hold := range map[string]bool{"GET /1/where": false, "POST /1/hold": true} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s, err := desk.Where(r.Context(), hold)
			answer(w, err, wire.Marshal((*standing)(&s)))
		})
	}
	mux.HandleFunc("POST /1/append", func(w http.ResponseWriter, r *http.Request) {
		var o offer
		err := read(w, r, maxOffer, &o)
		if err == nil {
			err = desk.Take(r.Context(), o.At, o.Records, o.Under)
		}
		answer(w, err, nil)
	})
	mux.HandleFunc("POST /1/tick", func(w http.ResponseWriter, r *http.Request) {
		answer(w, desk.Tick(context.WithoutCancel(r.Context())), nil) // one that was begun is finished
	})
	mux.HandleFunc("POST /1/seal", func(w http.ResponseWriter, r *http.Request) {
		var id cvd.WaveID
		if err := read(w, r, maxAnswer, &id); err != nil {
			answer(w, err, nil)
			return
		}
		seal(w, r, desk, id)
	})
	return mux
}

// tell is how often who waits is told how far a sealing is.
const tell = 50 * time.Millisecond

// seal has a wave sealed, to its end, whether somebody still listens or not.
func seal(w http.ResponseWriter, r *http.Request, desk coordinator.Serving, id cvd.WaveID) {
	out, flush := json.NewEncoder(w), http.NewResponseController(w).Flush
	w.WriteHeader(http.StatusOK)
	var told time.Time
	last := line{Sealed: true}
	err := desk.Seal(context.WithoutCancel(r.Context()), id, func(done, all int) {
		if now := time.Now(); done == all || now.Sub(told) >= tell {
			told = now
			_ = out.Encode(line{Done: done, All: all})
			_ = flush()
		}
	})
	if err != nil {
		last = line{Error: problemOf(err)}
	}
	_ = out.Encode(last)
}

// errAsked: a request that can't be read.
var errAsked = errors.New("the desk could not read what it was asked; nothing was kept")

func read(w http.ResponseWriter, r *http.Request, most int64, v wire.Layout) error {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if err == nil {
		err = wire.Unmarshal(b, v)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errAsked, err)
	}
	return nil
}

func answer(w http.ResponseWriter, err error, body []byte) {
	if err == nil {
		_, _ = w.Write(body)
		return
	}
	w.WriteHeader(http.StatusConflict)
	_ = json.NewEncoder(w).Encode(problemOf(err))
}
