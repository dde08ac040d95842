package web

import (
	"net/http"

	"forewarn/internal/cvd"
	"forewarn/internal/signin"
)

// cookieName ties the cookie to this very host where browsers come by TLS.
func (s *Site) cookieName() string {
	if s.secure() {
		return "__Host-forewarn"
	}
	return "forewarn"
}

// setCookie gives a browser the secret of its session; an empty one takes it
// away.
func (v *Visit) setCookie(secret string) {
	c := &http.Cookie{Name: v.site.cookieName(), Value: secret, Path: "/", HttpOnly: true, Secure: v.site.secure(), SameSite: http.SameSiteLaxMode}
	if secret == "" {
		c.MaxAge = -1
	}
	http.SetCookie(v.w, c)
}

// live reports whether a session's account can still act, and its passkey is in
// use: what the log says holds from the next request on.
func (s *Site) live(n signin.Session) (ok bool, err error) {
	err = s.Desk.View(func(p *cvd.Programme) error {
		ok = p.CanSignIn(n.Account, n.Credential)
		return nil
	})
	return ok, err
}

func signInPage(v *Visit) error {
	next := local(v.URL.Query().Get("next"))
	if v.SignedIn() {
		return v.Redirect(next)
	}
	return v.Render("sign-in", next)
}

func signOut(v *Visit) error {
	if err := v.site.sessions.End(v.Context(), v.Session.Account, v.Session.Key, v.Now()); err != nil {
		return err
	}
	v.setCookie("")
	return v.Redirect("/")
}

func joinPage(v *Visit) error { return v.Render("join", nil) }

func provePage(v *Visit) error {
	return v.Render("prove", local(v.URL.Query().Get("next")))
}
