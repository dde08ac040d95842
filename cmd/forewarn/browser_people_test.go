package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	devtools "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"forewarn/internal/signin"
	"forewarn/internal/sqlite"
	"forewarn/internal/wire"
)

// What people do at a page, whichever it is.

// do does one thing after another.
func (w *tour) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	do(w.t, w.ctx, actions...)
}

// path is where somebody is.
func (w *tour) path() string {
	w.t.Helper()
	at := strings.TrimPrefix(read(w.t, w.ctx, chromedp.Location()), w.origin)
	at, _, _ = strings.Cut(at, "#")
	return at
}

// press presses the button or link that begins with these words, in the part of
// the page that it is given, and waits for what comes of it.
func (w *tour) press(words, until string) { w.t.Helper(); w.pressIn("", words, until) }

func (w *tour) pressIn(part, words, until string) {
	w.t.Helper()
	w.do(chromedp.Click(part+`//*[self::button or self::a][starts-with(normalize-space(.), "`+words+`")]`), chromedp.WaitVisible(until))
}

// unfold opens what is folded away under these words.
func (w *tour) unfold(words string) {
	w.t.Helper()
	w.do(chromedp.Click(`//summary[starts-with(normalize-space(.), "` + words + `")]`))
}

// write fills fields: a selector, then what is typed there in place of what it has.
func (w *tour) write(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		w.do(chromedp.Focus(pairs[i]))
		read(w.t, w.ctx, chromedp.Evaluate[bool]("document.activeElement.select(), true"))
		w.do(chromedp.SendKeys(pairs[i], pairs[i+1]))
	}
}

// choose sets what isn't typed: lists, and times, which each language types otherwise.
func (w *tour) choose(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		w.do(chromedp.SetValue(pairs[i], pairs[i+1]))
	}
}

// has and lacks look for words in all of the page, folded away or not.
func (w *tour) has(words ...string) {
	w.t.Helper()
	page := read(w.t, w.ctx, chromedp.TextContent("#main"))
	for _, x := range words {
		if !strings.Contains(strings.Join(strings.Fields(page), " "), x) {
			w.t.Errorf("%s, at %s, isn't told %q:\n%s", w.who, w.path(), x, read(w.t, w.ctx, chromedp.Text("body")))
		}
	}
}

func (w *tour) lacks(words ...string) {
	w.t.Helper()
	page := read(w.t, w.ctx, chromedp.Evaluate[string]("document.documentElement.outerHTML"))
	for _, x := range words {
		if strings.Contains(page, x) {
			w.t.Errorf("%s, at %s, is shown %q", w.who, w.path(), x)
		}
	}
}

// there says whether the page has it, now.
func (w *tour) there(xpath string) bool {
	w.t.Helper()
	return read(w.t, w.ctx, chromedp.Evaluate[bool](`document.evaluate('boolean(`+strings.ReplaceAll(xpath, "'", `\'`)+`)', document, null, XPathResult.BOOLEAN_TYPE).booleanValue`))
}

// refused goes where nothing may be for somebody.
func (w *tour) refused(paths ...string) {
	w.t.Helper()
	for _, path := range paths {
		w.go_(path, "#main h1")
		if !w.there("//h1[contains(., 'nothing here that you may see')]") {
			w.t.Errorf("%s may see %s", w.who, path)
		}
	}
}

// sends posts a form that no page offers, with what somebody may have got hold of,
// and gives the answer's status.
func (w *tour) sends(path, form string) (code int) {
	w.t.Helper()
	return read(w.t, w.ctx, chromedp.Evaluate[int]("fetch('"+path+"', {method: 'POST', body: new URLSearchParams('"+form+"')}).then(r => r.status)", chromedp.EvalAwaitPromise))
}

// until goes to a page, again and again, until it has something.
func (w *tour) until(path, xpath string) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		w.go_(path, "#main h1")
		if w.there(xpath) {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s waits at %s for %s:\n%s", w.who, path, xpath, read(w.t, w.ctx, chromedp.Text("body")))
		}
	}
}

// fetch presses a button for a copy, when it is there, and again while what it asks
// for waits to be anchored: the page says to.
func (w *tour) fetch(path, button string) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(300 * time.Millisecond) {
		w.until(path, button)
		w.do(chromedp.Click(button), chromedp.WaitVisible("//a[@download]|//*[contains(@class, 'problem')]"))
		if w.there("//a[@download]") {
			return
		}
		if !w.there("//h1[contains(., 'not anchored in the log yet')]") || time.Now().After(end) {
			w.t.Fatalf("%s can't fetch at %s:\n%s", w.who, path, read(w.t, w.ctx, chromedp.Text("body")))
		}
	}
}

// glance looks at the page that is open: wide in light, narrow in dark. To load it
// again could change what it says.
func (w *tour) glance(name string) {
	w.t.Helper()
	w.do(prefers("light"), chromedp.EmulateViewport(1100, 900), shoot(name))
	accessible(w.t, w.ctx, name+", in light")
	w.do(prefers("dark"), chromedp.EmulateViewport(360, 740), shoot("narrow-"+name))
	accessible(w.t, w.ctx, name+", in dark")
	if wide := read(w.t, w.ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 360 {
		w.t.Errorf("%s is %d px wide on a screen of 360", name, wide)
	}
	w.do(prefers("light"), chromedp.EmulateViewport(1100, 900))
}

// join makes a passkey with a link.
func (w *tour) join(link, home string) {
	w.t.Helper()
	_, rest, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(link, "http://"), "https://"), "/")
	w.do(chromedp.Navigate(w.origin+"/"+rest), chromedp.WaitVisible("//strong[@data-who][contains(text(), '("+w.who+")')]"), chromedp.Click("[data-ceremony=join] button"),
		chromedp.WaitVisible("//h1[text()='"+home+"']"))
}

// invite makes somebody a link, on the page of accounts.
func (w *tour) invite(handle string) (link string) {
	w.t.Helper()
	w.go_("/accounts?words="+handle, "#words")
	w.pressIn("//tr[th='"+handle+"']", "Invite", "//h1[text()='The link']")
	return read(w.t, w.ctx, chromedp.TextContent(".once code"))
}

// prove gives the proof that the page asks for, and waits for what comes then.
func (w *tour) prove(until string) {
	w.t.Helper()
	w.do(chromedp.WaitVisible("//h1[text()='Prove that it is you']"), chromedp.Click("[data-ceremony=prove] button"), chromedp.WaitVisible(until))
}

// longAgo has it be ten minutes since somebody proved who they are, while the desk
// is stopped: sessions are kept, proofs grow old.
func (w *tour) longAgo(kept *sqlite.SignIn) {
	w.t.Helper()
	jar, err := chromedp.Run(w.ctx, func(ctx context.Context, tab *chromedp.Target) (network.GetCookiesResult, error) {
		return cdp.Call(ctx, tab, network.GetCookies, network.GetCookiesParams{})
	})
	must(w.t, err)
	aged := 0
	for _, c := range jar.Cookies {
		it, err := kept.Get(w.ctx, "session", signin.KeyOf(c.Value), time.Now())
		if errors.Is(err, signin.ErrNone) {
			continue // a ceremony's
		}
		must(w.t, err)
		var n signin.Session
		must(w.t, wire.Unmarshal(it.Value, &n))
		n.Proved = n.Proved.Add(-10 * time.Minute)
		it.Value = wire.Marshal(&n)
		must(w.t, kept.Replace(w.ctx, it))
		aged++
	}
	if aged != 1 {
		w.t.Fatalf("%s has %d sessions", w.who, aged)
	}
}

// download takes the files that the page hands out, each by its ticket, into a
// folder, and holds that no ticket is good twice.
func (w *tour) download(into string) (names []string) {
	w.t.Helper()
	_, err := chromedp.Run(w.ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		c := chromedp.FromContext(ctx)
		_, err := cdp.Call(ctx, c.Browser, devtools.SetDownloadBehavior, devtools.SetDownloadBehaviorParams{Behavior: devtools.SetDownloadBehaviorBehaviorAllow, BrowserContextID: c.BrowserContextID, DownloadPath: into})
		return chromedp.Void{}, err
	})
	must(w.t, err)
	var tickets []string
	for _, a := range read(w.t, w.ctx, chromedp.AttributesAll("a[download]")) {
		names, tickets = append(names, a["download"]), append(tickets, a["href"])
		w.do(chromedp.Click("a[download='" + a["download"] + "']"))
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if f, err := os.Stat(filepath.Join(into, a["download"])); err == nil && f.Size() > 0 {
				break
			}
			if time.Now().After(end) {
				w.t.Fatalf("%s was not downloaded", a["download"])
			}
		}
	}
	for _, at := range tickets {
		if !strings.HasPrefix(at, "/d/") {
			continue // a page for the holder's session alone
		}
		if code, _ := get(w.t, w.origin+at); code != 404 {
			w.t.Errorf("a ticket is good twice: %d", code)
		}
	}
	return names
}
