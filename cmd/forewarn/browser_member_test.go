package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// scheme has pages shown in light or in dark.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
		_, err = cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return void, err
	}
}

// scripts lets pages run scripts, or not.
func scripts(off bool) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
		_, err = cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
		return void, err
	}
}

// look holds pages to what all must hold: wide and light, narrow and dark.
func look(t *testing.T, ctx context.Context, origin, who string, paths ...string) {
	t.Helper()
	// A search for "h1" alone would also find it within somebody's id.
	for _, path := range paths {
		name := who + strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(path)
		if i := strings.Index(name, "cases-"); i > 0 {
			name = name[:i] + "case"
		}
		if i := strings.Index(name, "advisories-"); i > 0 {
			name = name[:i] + "advisory"
		}
		if i := strings.Index(name, "heads-ups-"); i > 0 {
			name = name[:i] + "heads-up"
		}
		do(t, ctx, chromedp.EmulateViewport(1100, 900), scheme("light"), chromedp.Navigate(origin+path), chromedp.WaitVisible("#main h1"), shoot(name))
		accessible(t, ctx, path+", in light")
		do(t, ctx, chromedp.EmulateViewport(360, 740), scheme("dark"), chromedp.Navigate(origin+path), chromedp.WaitVisible("#main h1"), shoot("narrow-"+name))
		if wide := read(t, ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 360 {
			t.Errorf("%s is %d px wide on a screen of 360", path, wide)
		}
		accessible(t, ctx, path+", in dark")
		if n := read(t, ctx, chromedp.Evaluate[int]("new Blob([document.documentElement.outerHTML]).size")); n > 100_000 {
			t.Errorf("%s has %d bytes", path, n)
		}
	}
	do(t, ctx, chromedp.EmulateViewport(1100, 900), scheme("light"))
}

// TestBrowserMember lives through what a member, a stranger with a report and the
// public do, without scripts but for passkeys.
func TestBrowserMember(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	ctx := browser(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(args ...string) string { return runProgram(t, dir, args...) }
	run("init", "--name", "Larkspur Early Warning", "--coordinator", "ana", "--origin", "warn.larkspur.example/programme", "--tick", "1s")
	run("account", "add", "ben", "--role", "approver")
	run("account", "add", "otto", "--role", "auditor")
	run("keygen", "-o", filepath.Join(dir, "uma.key"))
	run("keygen", "-o", filepath.Join(dir, "reports.key"))
	run("report", "key", filepath.Join(dir, "reports.key.pub"))
	run("member", "add", "Umbra Networks", "--tier", "1", "--contact", "uma")
	run("member", "accept", "--as", "uma", "--keys", filepath.Join(dir, "uma.key.pub"))
	run("case", "open", "Layout import before the session check", "--product", "Larkspur Portal", "--product", "Larkspur Wiki", "--release", "2099-12-08T17:00:00Z", "--zone", "Europe/Stockholm", "--tier", "1")
	run("case", "consent", "--as", "uma")
	src := filepath.Join(dir, "src")
	if err := os.Mkdir(src, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"advisory.md":   "# A flaw\n\nIt {{answers|replies}} to callers who are {{not signed in|without a session}}. The constant is {{token:hex}}.\n",
		"forewarn.yaml": "title: A flaw\ntlp: TLP:AMBER\n",
	} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("package", "add", "Layout", src)
	run("wave", "draft", "Layout", "--level", "description", "--opens", "+2s", "--tier", "1")
	run("wave", "approve", "Layout/1", "--as", "ben")
	run("case", "open", "Wiki history shows deleted pages", "--product", "Larkspur Wiki", "--release", "2099-01-08T17:00:00Z", "--tier", "1")
	run("case", "open", "Portal login accepts an empty token", "--product", "Larkspur Portal", "--release", "2099-01-08T17:00:00Z")
	run("case", "end", "Portal", "--yes", "Portal login accepts an empty token")
	run("case", "release", "Portal", "--advisory", write("advisory.md", publicAdvisory), "--yes", "Portal")
	run("case", "correct", "Portal", write("advisory-2.md", publicAdvisory+"\nThanks to everybody who tested the fix.\n"), "--change", "Version 4.2.1 is affected too")
	run("case", "heads-up", "Wiki", "--headline", "Larkspur Wiki: an update on 8 January 2099", "--severity", "critical", "--product", "Larkspur Wiki", "--text", write("coming.md", "Plan for *one* restart.\n"), "--yes", "Wiki")
	links := map[string]string{}
	for _, who := range []string{"uma", "otto"} {
		out := run("account", "invite", who, "--origin", "http://origin.invalid")
		links[who] = strings.TrimSpace(out[strings.LastIndex(out, "http://origin.invalid"):])
	}
	origin, _ := served(t, dir)
	join := func(who, seen string) {
		do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(origin+strings.TrimPrefix(links[who], "http://origin.invalid")), chromedp.WaitVisible("[data-ceremony] button"), chromedp.Click("[data-ceremony] button"),
			chromedp.WaitVisible(seen))
	}

	// The public.
	do(t, ctx, chromedp.Navigate(origin+"/advisories"), chromedp.WaitVisible("tbody a[href^='/heads-ups/']"), chromedp.Click("tbody a[href^='/heads-ups/']"), chromedp.WaitVisible(".prose"))
	told := strings.TrimPrefix(read(t, ctx, chromedp.Location()), origin)
	do(t, ctx, chromedp.Navigate(origin+"/advisories"), chromedp.WaitVisible("tbody a[href^='/advisories/']"), chromedp.Click("tbody a[href^='/advisories/']"), chromedp.WaitVisible(".prose"))
	page := strings.TrimPrefix(read(t, ctx, chromedp.Location()), origin)
	look(t, ctx, origin, "public", "/", "/advisories", page, told, "/log", "/log/consistency?from=1&to=2", "/report", "/report/status")

	// A stranger reports.
	do(t, ctx, scripts(true), chromedp.Navigate(origin+"/report"), chromedp.SendKeys("#title", "Portal shows others' drafts"), chromedp.SendKeys("#text", "Open /drafts as anybody."), chromedp.SendKeys("#credit", "F. Yarrow"),
		chromedp.Click("//button[text()='Send the report']"), chromedp.WaitVisible(".reference code"), shoot("report-taken"))
	reference := read(t, ctx, chromedp.TextContent(".reference code"))
	do(t, ctx, chromedp.Navigate(origin+"/report/status"), chromedp.SendKeys("#reference", reference), chromedp.Click("form button"), chromedp.WaitVisible(".steps"), shoot("report-status"))
	do(t, ctx, scripts(false))
	accessible(t, ctx, "/report/status, with one")

	// A member.
	join("uma", "//h1[text()='Umbra Networks']")
	look(t, ctx, origin, "member", "/home", "/keys", "/terms", "/products", "/accounts", "/account")
	do(t, ctx, scripts(true), chromedp.Navigate(origin+"/home"), chromedp.Click("//a[text()='Answer it']"), chromedp.WaitVisible("//h2[text()='Your member is invited']"), shoot("member-invited"),
		chromedp.Click("button[value=accept]"), chromedp.WaitVisible("//h1[contains(., 'Wiki history')]"),
		chromedp.Navigate(origin+"/home"), chromedp.Click("//button[text()='Fetch']"), chromedp.WaitVisible(".files"), shoot("member-fetched"),
		chromedp.Click(".kicker a"), chromedp.WaitVisible("//h1[contains(., 'Layout import')]"), chromedp.SendKeys("//section[contains(., 'Portal')]//select", "in progress"), chromedp.SendKeys("//section[contains(., 'Portal')]//input[@name='note']", "signature 2231"),
		chromedp.Click("//section[contains(., 'Portal')]//button[text()='Answer']"), chromedp.WaitVisible("//section[contains(., 'Portal')]//summary"))
	page = strings.TrimPrefix(read(t, ctx, chromedp.Location()), origin)
	do(t, ctx, scripts(false))
	look(t, ctx, origin, "member", strings.TrimSuffix(page, "#answers"))
	do(t, ctx, chromedp.Navigate(origin+"/account"), chromedp.Click("form[action='/account/feed'] button"), chromedp.WaitVisible("//h1[text()='Your feed']"), shoot("feed-made"))
	accessible(t, ctx, "/account/feed")
	do(t, ctx, chromedp.Click(".who button"), chromedp.WaitVisible("//a[text()='Sign in']"))

	// An auditor.
	join("otto", "//h1[text()='The desk']")
	look(t, ctx, origin, "auditor", "/home", "/entries", "/entries?from=0&kind=CaseOpened")
}

const publicAdvisory = `An empty bearer token is taken for a service account's. Whoever can reach the portal can read and change everything in it.

# Affected

| Version | State |
|---|---|
| before 4.1 | not affected |
| 4.1 – 4.2.1 | affected |
| 4.2.2 | fixed |

# What to do

1. Update to 4.2.2.
2. If you can't today, refuse requests with an empty ` + "`Authorization`" + ` header at the proxy:

       if ($http_authorization = "Bearer ") { return 401; }

3. Look for such requests in the logs since 2 March.

# How to tell

Requests with a header of exactly ` + "`Authorization: Bearer `" + ` and status 200. See the [vendor's note](https://vendor.example/notes/42).

# Background

The check compared lengths first, and an empty token has the length of no token.
`
