package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/ledger"
	"forewarn/internal/sealer"
)

// What the room itself has to say no to.
var (
	errNoPage     = errors.New("there is no such page")
	errSignIn     = errors.New("nobody is signed in")
	errProve      = errors.New("the proof of who it is isn't fresh")
	errForeign    = errors.New("the request comes from another site's page")
	errHost       = errors.New("the request names another host")
	errTooMany    = errors.New("too many tries")
	errCeremony   = errors.New("the passkey was not accepted")
	errInvitation = errors.New("the invitation can't be used")
	errToken      = errors.New("the token stands for nobody here")
	errScope      = errors.New("the token isn't for this")
	errInput      = errors.New("the form can't be read")
	errStarting   = errors.New("the programme is being opened")
)

// errNotYours is a denial whose reason is told, though only a page was asked for: to
// somebody who may see what it is about.
type errNotYours struct{ *cvd.Denied }

func (e errNotYours) Unwrap() error { return e.Denied }

// Problem is what an error page says, and what programs get instead of one: a
// problem as RFC 9457 has it, with members of our own.
type Problem struct {
	Type   string `json:"type" doc:"Which one it is, for programs: a path that stays."`
	Status int    `json:"status"`
	What   string `json:"title" doc:"What happened."`
	Field  string `json:"field,omitempty" doc:"Which field of what was sent is wrong."`
	Kept   string `json:"kept" doc:"What is kept of what was there and of what was sent."`
	Do     string `json:"do" doc:"What to do."`
	ID     string `json:"instance" doc:"Of the request: the desk's process log has it under this."`
	Retry  string `json:"retry,omitempty" doc:"A path of this site to go on at."`
	Button string `json:"button,omitempty" doc:"What that is called."`
}

// problems says, by class of error, what is told: the first that fits.
var problems = []struct {
	class error
	Problem
}{
	{errNoPage, notThere},
	{coordinator.ErrUnknown, notThere},
	{cvd.ErrNotFound, notThere},
	{errSignIn, Problem{Type: "not-signed-in", Status: 401, What: "You are not signed in, or not any more.", Kept: "Nothing was changed.", Do: "Sign in and repeat it.", Retry: "/sign-in", Button: "Sign in"}},
	{errForeign, Problem{Type: "foreign-form", Status: 403, What: "This form was sent from another site's page.", Kept: "Nothing was changed.", Do: "Open the page here and send the form from it."}},
	{errHost, Problem{Type: "other-host", Status: 421, What: "This desk goes by another name.", Kept: "Nothing was changed.", Do: "Use the address that you were given."}},
	{errTooMany, Problem{Type: "too-many", Status: 429, What: "There were too many tries from where you are.", Kept: "Nothing was changed.", Do: "Wait a few minutes, then try again."}},
	{errFull, Problem{Type: "full", Status: 503, What: "More reports came today than anybody can read.", Kept: "Nothing of what you sent was kept.", Do: "Come back tomorrow, or write to the programme's coordinators another way."}},
	{errKeyReused, Problem{Type: "key-reused", Status: 422, What: "This Idempotency-Key was used for another request.", Kept: "What was done with it stands; nothing was changed now.", Do: "Send a request of its own with a key of its own."}},
	{errUnderWay, Problem{Type: "under-way", Status: 409, What: "The request with this Idempotency-Key is under way.", Kept: "Nothing was changed by this one.", Do: "Send it again in a second."}},
	{errKeyLong, Problem{Type: "key-done", Status: 409, What: "The request with this Idempotency-Key was done, and its answer was too long to keep.", Kept: "What was done stands; nothing was done again.", Do: "Look at what came of it."}},
	{errBusy, Problem{Type: "busy", Status: 503, What: "Too many requests are under way.", Kept: "Nothing was changed.", Do: "Try again in a few seconds. What can't wait, alarms and the end of an embargo, has room of its own."}},
	{errCeremony, Problem{Type: "passkey", Status: 403, What: "The passkey was not accepted.", Kept: "Nobody was signed in, and nothing was changed.", Do: "Try again with a passkey of this desk. If you have none, ask a coordinator for an invitation.", Retry: "/sign-in", Button: "Sign in"}},
	{errInvitation, Problem{Type: "invitation", Status: 403, What: "This invitation can't be used.", Kept: "Nobody was signed in, and nothing was changed.", Do: "A link works once, for three days, and only the newest counts. Ask for another. If access is being recovered, a second coordinator has to confirm it first."}},
	{errToken, Problem{Type: "token", Status: 401, What: "The token stands for nobody here.", Kept: "Nothing was changed.", Do: "Use one that has not lapsed and was not revoked."}},
	{errScope, Problem{Type: "scope", Status: 403, What: "The token is not for this.", Kept: "Nothing was changed.", Do: "Use one with the scope that the description of the API names. What needs a proof takes a person who is signed in."}},
	{errOtherCase, Problem{Type: "other-case", Status: 409, What: "That is not this case's name.", Kept: "Nothing was ended.", Do: "Send the name of the case that you mean to end the embargo of."}},
	{errInput, Problem{Type: "input", Status: 400, What: "What was sent can't be read.", Kept: "Nothing was changed.", Do: "Go back and send it again."}},
	{errStarting, Problem{Type: "starting", Status: 503, What: "The programme is being opened.", Kept: "Nothing was changed.", Do: "Come back in a few seconds."}},
	{ledger.ErrDead, Problem{Type: "log-stopped", Status: 503, What: "The log could not be written, and the desk has stopped.", Kept: "What was said to be done is done. Whether the last act was kept is known once the desk is started again.", Do: "Tell whoever runs the desk. In the meantime the host's command line can end an embargo."}},
	{ledger.ErrClosed, Problem{Type: "stopping", Status: 503, What: "The desk is stopping.", Kept: "Nothing was changed.", Do: "Come back in a few seconds."}},
	{ledger.ErrNotAnchored, Problem{Type: "not-anchored", Status: 409, What: "What you asked for is not anchored in the log yet.", Kept: "Nothing left the desk.", Do: "Try again after the next tick, in a minute or so."}},
	{ledger.ErrClock, Problem{Type: "clock", Status: 503, What: "The desk's clock can't be right.", Kept: "Nothing was changed.", Do: "Tell whoever runs the desk to set it."}},
	{sealer.ErrNotYet, Problem{Type: "not-yet", Status: 409, What: "It has not opened yet.", Kept: "Nothing left the desk.", Do: "Come back at its time."}},
	{coordinator.ErrUnsealed, Problem{Type: "unsealed", Status: 202, What: "What you decided is on the log, and its copies are not made yet.", Kept: "The decision stands.", Do: "The desk goes on with it by itself."}},
	{coordinator.ErrNoPack, Problem{Type: "no-pack", Status: 409, What: "The embargo is ended, and no break pack went out.", Kept: "The end stands.", Do: "Tell the members by other means. The process log has, under the id below, what was wrong with the pack."}},
	{coordinator.ErrNotFetched, Problem{Type: "not-fetched", Status: 409, What: "You did not fetch this copy within the last hour.", Kept: "Nothing left the desk.", Do: "Fetch it first: that is recorded, and opens its files for an hour."}},
	{sealer.ErrRefused, Problem{Type: "sealer", Status: 409, What: "The sealer refused.", Kept: "Nothing left the desk.", Do: "Tell whoever runs the sealer the id below; the process log has its reason."}},
	{coordinator.ErrGone, Problem{Type: "destroyed", Status: 410, What: "The text can no longer be read: its key was destroyed.", Kept: "The log is whole.", Do: "Nothing can be done about it here."}},
	{context.DeadlineExceeded, Problem{Type: "too-long", Status: 503, What: "That took too long.", Kept: "What was said to be done is done.", Do: "Look before you repeat it."}},
	{context.Canceled, Problem{Type: "given-up", Status: 499, What: "The request was given up.", Kept: "What was said to be done is done.", Do: "Look before you repeat it."}},
}

var notThere = Problem{Type: "not-there", Status: 404, What: "There is nothing here that you may see.", Kept: "Nothing was changed.", Do: "Check the address, or ask the case's coordinator."}

// problem makes an error a page.
func (v *Visit) problem(err error) {
	next := "?next=" + url.QueryEscape(v.URL.Path)
	switch {
	case errors.Is(err, errSignIn) && v.reads() && !v.program():
		_ = v.Redirect("/sign-in" + next)
		return
	case errors.Is(err, errBusy):
		v.busy()
	case errors.Is(err, errProve) && v.reads() && !v.program():
		_ = v.Redirect("/prove" + next)
		return
	}
	var due *ledger.NotAnchoredError
	if errors.As(err, &due) {
		v.comeBack(due.DueAt.Sub(v.Now()))
	}
	p := v.explain(err)
	p.ID, p.Type = v.ID, "/problems/"+p.Type
	noteError(v.Context(), err, p.Status)
	if v.program() {
		if p.Status == http.StatusUnauthorized {
			v.w.Header().Set("WWW-Authenticate", `Bearer realm="forewarn"`)
		}
		if b, err := json.Marshal(p); err == nil {
			v.send(p.Status, "application/problem+json", append(b, '\n'))
		}
		return
	}
	if err := v.render(p.Status, "problem", p); err != nil {
		noteError(v.Context(), err, 500)
		v.send(http.StatusInternalServerError, "text/plain; charset=utf-8", []byte("This page can't be shown. Its id is "+v.ID+".\n"))
	}
}

// program reports whether a program asks, and wants no page.
func (v *Visit) program() bool {
	return strings.HasPrefix(v.URL.Path, "/api/") || v.Header.Get("Accept") == "application/json"
}

// reads reports whether the request asks to see something.
func (v *Visit) reads() bool { return v.Method == http.MethodGet || v.Method == http.MethodHead }

func (v *Visit) explain(err error) Problem {
	var denied *cvd.Denied
	var tooLong *http.MaxBytesError
	var field *FieldError
	var notNow errNotNow
	switch {
	case errors.As(err, &notNow):
		return spoken[notNowOne].says("Not now: " + notNow.why + ".")
	case errors.As(err, &field):
		p := spoken[inputOne].says("What was sent can't be used: " + field.Error() + ".")
		p.Field = field.Field
		return p
	case errors.Is(err, errProve):
		p := spoken[proofOne]
		p.Retry = "/prove?next=" + url.QueryEscape(v.back())
		return p
	case errors.As(err, &denied) && v.reads() && !errors.As(err, new(errNotYours)):
		return notThere
	case errors.As(err, &denied):
		// The words are the same whether the thing exists or not.
		p := spoken[deniedOne].says("That is not allowed: " + denied.Why + ".")
		p.Do = capital(denied.Hint) + "."
		return p
	case errors.As(err, &tooLong):
		return spoken[tooBigOne]
	}
	for _, p := range problems {
		if errors.Is(err, p.class) {
			return p.Problem
		}
	}
	switch {
	case errors.Is(err, cvd.ErrRefused):
		return spoken[refusedOne].says(capital(err.Error()) + ".")
	case errors.Is(err, fs.ErrNotExist):
		return notThere
	}
	return spoken[ourSideOne]
}

// spoken are the problems that say more than their class: what it is instead of
// the words here, or where to go on.
var spoken = [...]Problem{
	notNowOne:  {Type: "not-now", Status: 409, What: "Not now, and why.", Kept: "Nothing left the desk.", Do: "Do what is said, or come back later."},
	inputOne:   {Type: "input", Status: 400, What: "What was sent can't be used.", Kept: "Nothing was changed.", Do: "Put it right and send it again."},
	proofOne:   {Type: "proof", Status: 403, What: "This needs proof of who you are, of the last minutes.", Kept: "Nothing was changed.", Do: "Prove it with your passkey, then repeat it.", Button: "Prove it"},
	deniedOne:  {Type: "not-allowed", Status: 403, What: "That is not allowed.", Kept: "Nothing was changed."},
	tooBigOne:  {Type: "too-big", Status: 413, What: "What was sent is too long.", Kept: "Nothing was changed.", Do: "Send less."},
	refusedOne: {Type: "refused", Status: 409, What: "What the programme's rules refuse, and why.", Kept: "Nothing was changed.", Do: "Put right what is named and send it again."},
	ourSideOne: {Type: "our-side", Status: 500, What: "Something went wrong on our side.", Kept: "What was said to be done is done; nothing else is.", Do: "Try again. If it stays so, tell whoever runs the desk the id below."},
}

const (
	notNowOne = iota
	inputOne
	proofOne
	deniedOne
	tooBigOne
	refusedOne
	ourSideOne
)

func (p Problem) says(what string) Problem {
	p.What = what
	return p
}

// everyProblem is all that can be answered, each type once.
func everyProblem() (out []Problem) {
	seen := map[string]bool{}
	add := func(p Problem) {
		if !seen[p.Type] {
			seen[p.Type], out = true, append(out, p)
		}
	}
	for _, p := range spoken {
		add(p)
	}
	for _, p := range problems {
		add(p.Problem)
	}
	return out
}

// back is where a form that asked for a proof is sent from.
func (v *Visit) back() string {
	return placeholder.ReplaceAllStringFunc(cmp.Or(v.Page.Back, "/home"), func(name string) string {
		return url.PathEscape(v.PathValue(name[1 : len(name)-1]))
	})
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func capital(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-32) + s[1:]
	}
	return s
}
