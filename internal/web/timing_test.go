package web

import (
	"cmp"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// TestTiming: what somebody may not know of takes as long to be denied as what
// isn't there. Two requests are made in turns, in an order by chance, and Welch's t
// of their times has to stay below 4.5, as in Goodwill, Jun, Jaffe and Rohatgi, "A
// testing methodology for side-channel resistance validation" (NIST, 2011); the
// slowest hundredth of both is left out, as in Reparaz, Balasch and Verbauwhede,
// "Dude, is my code constant time?" (DATE, 2017). FOREWARN_TIMING_PAIRS says how
// many pairs; 100000 is what is claimed.
func TestTiming(t *testing.T) {
	pairs := 2000
	if n, err := strconv.Atoi(os.Getenv("FOREWARN_TIMING_PAIRS")); err == nil {
		pairs = n
	}
	w := newWorld(t)
	c1 := w.as("c1")
	revoked := w.revokedToken("c1")
	none := cvd.CaseID{0: 1, 15: 1}.String()
	get := func(path string) func() *http.Request {
		return func() *http.Request { return c1.request("GET", path, "") }
	}
	bearer := func(secret string) func() *http.Request {
		return func() *http.Request {
			r := w.as("").request("GET", "/api/v1/inbox", "")
			r.Header.Set("Authorization", "Bearer "+secret)
			return r
		}
	}
	post := func(path string) func() *http.Request {
		return func() *http.Request {
			r := c1.request("POST", path, "{}")
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			return r
		}
	}
	for _, row := range []struct {
		name  string
		there func() *http.Request
		none  func() *http.Request
	}{
		{"a case", get("/cases/" + w.cs.String()), get("/cases/" + none)},
		{"a case, for programs", get("/api/v1/cases/" + w.cs.String()), get("/api/v1/cases/" + none)},
		{"a wave", get("/waves/" + w.wave.String()), get("/waves/" + none)},
		{"a copy", get("/api/v1/waves/" + w.wave.String() + "/copy"), get("/api/v1/waves/" + none + "/copy")},
		{"a copy's file", get("/api/v1/waves/" + w.wave.String() + "/copy/sealed"), get("/api/v1/waves/" + none + "/copy/sealed")},
		{"a fetch", post("/api/v1/waves/" + w.wave.String() + "/copy"), post("/api/v1/waves/" + none + "/copy")},
		{"an alarm", get("/alarms/" + w.cs.String()), get("/alarms/" + none)},
		{"a token that was revoked", bearer(revoked), bearer("fwt_" + strings.Repeat("x", len(revoked)-4))},
	} {
		t.Run(row.name, func(t *testing.T) {
			// A channel shows again; chance doesn't. What is above the bound once is looked
			// at anew with as many pairs.
			score := 0.0
			for range 2 {
				if score = w.welch(pairs, row.there, row.none); math.Abs(score) < 4.5 {
					t.Logf("t = %.2f over %d pairs", score, pairs)
					return
				}
			}
			t.Errorf("t = %.2f over %d pairs, twice above 4.5", score, pairs)
		})
	}
}

// welch is Welch's t of the times of two requests.
func (w *world) welch(pairs int, a, b func() *http.Request) float64 {
	rng := rand.New(rand.NewPCG(1, uint64(pairs)))
	type sample struct {
		of   int
		took float64
	}
	all := make([]sample, 0, 2*pairs)
	ask := [2]func() *http.Request{a, b}
	for i := range pairs + 200 {
		first := rng.IntN(2)
		for _, of := range [2]int{first, 1 - first} {
			r, rec := ask[of](), httptest.NewRecorder()
			r.RemoteAddr = "[2001:db8:" + strconv.FormatInt(int64(i>>16), 16) + ":" + strconv.FormatInt(int64(i&0xffff), 16) + "::1]:1" // nobody tries too often
			begun := time.Now()
			w.site.ServeHTTP(rec, r)
			took := time.Since(begun)
			if i >= 200 { // the first warm up
				all = append(all, sample{of, float64(took)})
			}
		}
		if i%50 == 0 {
			w.log.Reset()
			clear(w.site.rates.have)
		}
	}
	slices.SortFunc(all, func(x, y sample) int { return cmp.Compare(x.took, y.took) })
	var n, mean, square [2]float64
	for _, s := range all[:len(all)*99/100] {
		n[s.of]++
		d := s.took - mean[s.of]
		mean[s.of] += d / n[s.of]
		square[s.of] += d * (s.took - mean[s.of])
	}
	return (mean[0] - mean[1]) / math.Sqrt(square[0]/(n[0]-1)/n[0]+square[1]/(n[1]-1)/n[1])
}

func (w *world) revokedToken(handle string) string {
	secret, err := signin.Secret(w.rand)
	ok(w.t, err)
	secret = "fwt_" + secret
	_, err = w.desk.Do(ctx, w.by(handle), cvd.IssueToken{Account: w.who[handle], Token: signin.KeyOf(secret), Scope: cvd.ScopeRead, Until: w.now.Add(time.Hour)})
	ok(w.t, err)
	_, err = w.desk.Do(ctx, w.by(handle), cvd.RevokeToken{Account: w.who[handle], Token: signin.KeyOf(secret)})
	ok(w.t, err)
	return secret
}
