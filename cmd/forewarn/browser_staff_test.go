package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestBrowserStaff works a case from its opening to the end of its embargo on the
// pages of the staff, and looks at each of them on a wide screen and a narrow one,
// in light and dark.
func TestBrowserStaff(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	ctx := browser(t)
	dir := t.TempDir()
	origin, links := staffed(t, dir)
	w := &tour{t: t, ctx: ctx, origin: origin, links: links}
	w.enter("ana")

	w.go_("/cases", "//h1[text()='Cases']")
	w.look("/cases/new", "case-new")
	w.look("/members", "members")
	w.look("/duty", "duty")
	w.look("/members/terms", "terms")

	// A file of members with a line that is refused, then one without.
	file := filepath.Join(dir, "more.csv")
	put := func(text string) { must(t, os.WriteFile(file, []byte(text), 0o600)) }
	put("name,tier,jurisdictions,contact\nHallowell Grid,1,AT,hal\n=HYPERLINK(1),0,,\nUmbra Networks,3,,\n")
	w.go_("/members/import", "#csv")
	do(t, ctx, chromedp.SetUploadFiles("#csv", []string{file}), chromedp.Click("//button[text()='Look at it']"), chromedp.WaitVisible("//h2[contains(., 'refused')]"))
	w.here("import-refused")
	put("name,tier,jurisdictions,contact\nHallowell Grid,1,AT,hal\nUmbra Networks,1,EU,uma\n")
	do(t, ctx, chromedp.SetUploadFiles("#csv", []string{file}), chromedp.Click("//button[text()='Look at it']"), chromedp.WaitVisible("//button[contains(., 'Admit 1 member')]"))
	w.here("import")
	do(t, ctx, chromedp.Click("//button[contains(., 'Admit 1 member')]"), chromedp.WaitVisible("//a[text()='Hallowell Grid']"))

	// The case, its package, and a change of it.
	do(t, ctx, chromedp.Navigate(origin+"/cases"), chromedp.Click("//a[contains(., 'Layout import')]"), chromedp.WaitVisible("#waves"))
	at := strings.TrimPrefix(read(t, ctx, chromedp.Location()), origin)
	w.look(at, "case")
	w.look(at+"/history", "history")
	w.look(at+"/package", "package")
	w.go_(at+"/package", "#preview")
	do(t, ctx, chromedp.Click("//button[contains(., 'Open the last draft')]"), chromedp.WaitVisible("//tr[contains(., 'heads-up.md')]//button"))
	w.here("draft")
	do(t, ctx, chromedp.Click("//tr[contains(., 'heads-up.md')]//button"), chromedp.WaitVisible("textarea.code"), chromedp.SendKeys("#text", "A {{line|row} more."), chromedp.Click("//button[text()='Check alone']"), chromedp.WaitVisible("//strong[text()='Not kept.']"))
	w.here("draft-refused")
	do(t, ctx, chromedp.SetValue("#text", "# Something comes\n\nBe ready on the day. It {{will be|is to be}} short.\n"), chromedp.Click("//button[text()='Check alone']"), chromedp.WaitVisible("//strong[text()='It would seal.']"))
	w.here("draft-checked")
	do(t, ctx, chromedp.Click("//button[contains(., 'Save as')]"), chromedp.WaitVisible("#traced"))

	// A wave: who would get it, then the draft.
	w.go_(at+"/waves/new", "#level")
	w.here("wave-new")
	do(t, ctx, chromedp.Click("input[name=tiers][value='1']"), chromedp.Click("input[name=tiers][value='2']"), chromedp.Click("//button[text()='See who gets it']"), chromedp.WaitVisible("#who"))
	w.here("wave-checked")
	do(t, ctx, chromedp.Click("//button[text()='Draft it']"), chromedp.WaitVisible("//strong[contains(., 'It asks for approval')]"))
	drafted := strings.TrimPrefix(read(t, ctx, chromedp.Location()), origin)
	w.look(drafted, "wave-draft")
	w.look(at, "case-waiting")
	w.look("/cases", "cases")
	w.go_(at, "//table[contains(caption, 'Who gets what')]//a")
	do(t, ctx, chromedp.Click("//table[contains(caption, 'Who gets what')]//tbody/tr[1]//a"), chromedp.WaitVisible("#holders"))
	w.here("wave-open")
	do(t, ctx, chromedp.Navigate(origin+"/members?words=North"), chromedp.Click("//a[text()='Northlight Security']"), chromedp.WaitVisible("#keys"))
	w.here("member")
	do(t, ctx, chromedp.Click("//a[contains(., 'Revoke them')]"), chromedp.WaitVisible("//h1[contains(., 'Revoke the keys')]"))
	w.here("member-revoke")

	// The second person.
	w.as("ben")
	w.go_(drafted, "//a[contains(., 'Look at it and approve')]")
	do(t, ctx, chromedp.Click("//a[contains(., 'Look at it and approve')]"), chromedp.WaitVisible("//h1[contains(., 'Approve')]"))
	w.here("wave-approve")
	do(t, ctx, chromedp.Click("//button[contains(., 'Approve')]"), chromedp.WaitVisible("//span[contains(@class, 's-sealed')]"))
	w.here("wave-sealed")

	// The public is told ahead, and so is who looks at the case.
	w.as("ana")
	w.go_(at, "//a[contains(., 'Announce it to the public')]")
	do(t, ctx, chromedp.Click("//a[contains(., 'Announce it to the public')]"), chromedp.WaitVisible("#headline"))
	w.here("case-heads-up")
	do(t, ctx, chromedp.SendKeys("#headline", "An update for Larkspur Portal"), chromedp.SendKeys("#severity", "critical"), chromedp.SendKeys("#name", "Layout import before the session check"), chromedp.Click("button.grave"), chromedp.WaitVisible("//dt[text()='Announced']"))
	w.here("case-announced")
	do(t, ctx, chromedp.Click("//dd/a[starts-with(@href, '/heads-ups/')]"), chromedp.WaitVisible("//p[contains(., 'Plan for it')]"))

	// The end asks for the case's name.
	w.go_(at+"/end", "#name")
	w.here("case-end")
	do(t, ctx, chromedp.SendKeys("#name", "Another"), chromedp.Click("button.grave"), chromedp.WaitVisible("//h1[contains(., 'not this case')]"),
		chromedp.Navigate(origin+at+"/end"), chromedp.SendKeys("#name", "Layout import before the session check"), chromedp.Click("button.grave"), chromedp.WaitVisible("//span[contains(@class, 's-lifted')]"))
	w.look(at, "case-ended")
	w.look(at+"/release", "case-release")
	do(t, ctx, chromedp.SendKeys("#advisory", "# Layout import\n\nUpgrade."), chromedp.SendKeys("#name", "Layout import before the session check"), chromedp.Click("button.grave"), chromedp.WaitVisible("//dt[text()='Released']"))
}

// tour looks at one page after another.
type tour struct {
	t        *testing.T
	ctx      context.Context
	origin   string
	links    map[string]string // by handle: invitations
	who      string            // that looks
	sessions map[string][]*network.Cookie
}

func (w *tour) go_(path, until string) {
	w.t.Helper()
	do(w.t, w.ctx, chromedp.Navigate(w.origin+path), chromedp.WaitVisible(until))
}

func (w *tour) look(path, name string) {
	w.t.Helper()
	w.go_(path, "h1")
	w.here(name)
}

// here looks at the page that is open: its size, its width on a narrow screen, and
// whether everybody can read it.
func (w *tour) here(name string) {
	w.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1100, 360} {
			do(w.t, w.ctx, prefers(scheme), chromedp.EmulateViewport(width, 900), shoot(name+"-"+scheme+map[int64]string{1100: "", 360: "-narrow"}[width]))
			if wide := read(w.t, w.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
				w.t.Errorf("%s is %d px wide on a screen of %d", name, wide, width)
			}
			accessible(w.t, w.ctx, name+", in "+scheme)
		}
	}
	do(w.t, w.ctx, prefers("light"), chromedp.EmulateViewport(1100, 900))
	if n := read(w.t, w.ctx, chromedp.Evaluate[int]("new TextEncoder().encode(document.documentElement.outerHTML).length")); n > 100<<10 {
		w.t.Errorf("%s has %d bytes", name, n)
	}
}

func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
		_, err = cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return void, err
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// as makes it somebody else who looks: with the session that they have, or by the
// link that waits for them.
func (w *tour) as(who string) {
	w.t.Helper()
	if w.sessions == nil {
		w.sessions = map[string][]*network.Cookie{}
	}
	kept, err := chromedp.Run(w.ctx, func(ctx context.Context, tab *chromedp.Target) (network.GetCookiesResult, error) {
		return cdp.Call(ctx, tab, network.GetCookies, network.GetCookiesParams{})
	})
	must(w.t, err)
	w.sessions[w.who] = kept.Cookies
	w.who = who
	do(w.t, w.ctx, func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
		_, err = cdp.Call(ctx, tab, network.ClearBrowserCookies, cdp.Empty{})
		for _, c := range w.sessions[who] {
			if err == nil {
				_, err = cdp.Call(ctx, tab, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, Domain: c.Domain, Path: c.Path, HTTPOnly: &c.HTTPOnly})
			}
		}
		return void, err
	})
	if len(w.sessions[who]) == 0 {
		w.enter(who)
	}
}

// enter makes a passkey with the link that waits for somebody.
func (w *tour) enter(who string) {
	w.t.Helper()
	do(w.t, w.ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(w.origin+strings.TrimPrefix(w.links[who], "http://origin.invalid")), chromedp.WaitVisible("[data-ceremony] button"),
		chromedp.Click("[data-ceremony] button"), chromedp.WaitVisible("//h1[text()='The desk']"))
	w.who = who
}

// staffed serves a programme in which a case is under way: members of two tiers,
// some of whom are wanting something, and a wave that one of them fetched.
func staffed(t *testing.T, dir string) (origin string, links map[string]string) {
	t.Helper()
	run := func(args ...string) string { t.Helper(); return runProgram(t, dir, args...) }
	run("init", "--name", "Larkspur Early Warning", "--coordinator", "ana", "--tick", "1s")
	run("account", "add", "ben", "--role", "approver")
	for _, m := range [][]string{{"Northlight Security", "1", "mia", "DE"}, {"Umbra Networks", "1", "uma", "EU"}, {"Quillan Systems", "2", "quin", "AT"}, {"Bluegate Hosting", "2", "blue", "CN"}} {
		run("member", "add", m[0], "--tier", m[1], "--contact", m[2], "--jurisdiction", m[3])
	}
	run("member", "group", "Northlight Security", "Bluegate Hosting")
	run("case", "open", "Layout import before the session check", "--product", "Larkspur Portal", "--product", "Larkspur Cloud", "--release", "2099-12-08T17:00:00Z", "--zone", "Europe/Stockholm", "--tier", "1", "--tier", "2")
	run("case", "open", "A parser that trusts lengths")
	keys := filepath.Join(dir, "keys")
	must(t, os.Mkdir(keys, 0o700))
	for _, who := range []string{"mia", "uma", "quin", "ana"} {
		key := filepath.Join(keys, who+".key")
		run("keygen", "-o", key)
		if who == "ana" {
			run("account", "keys", key+".pub")
			continue
		}
		run("member", "accept", "--keys", key+".pub", "--as", who)
		if who != "quin" {
			run("case", "consent", "--as", who)
		}
	}
	run("package", "add", "Layout", filepath.Join("..", "..", "examples", "advisory"))
	run("wave", "draft", "Layout", "--level", "detection", "--tier", "1", "--opens", "+1s")
	run("wave", "approve", "Layout/1", "--as", "ben")
	run("pull", "--as", "mia", "-o", filepath.Join(dir, "inbox"), "--wait")
	run("answer", "Layout", "Larkspur Portal", "ready", "--as", "mia")
	links = map[string]string{}
	for _, who := range []string{"ana", "ben"} {
		out := run("account", "invite", who, "--origin", "http://origin.invalid")
		links[who] = strings.TrimSpace(out[strings.LastIndex(out, "http://origin.invalid"):])
	}
	origin, _ = served(t, dir)
	return origin, links
}
