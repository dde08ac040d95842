package main

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// program is this binary, which testscript.Main lets be the command itself. It has
// the command's name by a hard link: what starts itself again, as the desk starts
// its sealer, goes by the name that the system has for it.
func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	bin := filepath.Join(dir, "bin", "forewarn")
	if _, err := os.Lstat(bin); err != nil {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(bin), 0o700); err != nil {
			t.Fatal(err)
		}
		if os.Link(self, bin) != nil { // on another disk
			b, err := os.ReadFile(self)
			if err == nil {
				err = os.WriteFile(bin, b, 0o700)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	c := exec.Command(bin, args...)
	c.Env = append(os.Environ(), "FOREWARN_DIR="+filepath.Join(dir, "prog"), "FOREWARN_AS=ana", "FOREWARN_ORIGIN=")
	return c
}

func runProgram(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := program(t, dir, args...)
	var errw bytes.Buffer
	c.Stderr = &errw
	out, err := c.Output()
	if err != nil {
		t.Fatalf("forewarn %s: %v\n%s%s", strings.Join(args, " "), err, out, &errw)
	}
	return string(out)
}

// served starts the desk and gives its origin. It is stopped in order, by stop or
// at the test's end, and must say so.
func served(t *testing.T, dir string) (origin string, stop func()) {
	t.Helper()
	c := program(t, dir, "serve", "--listen", "127.0.0.1:0")
	var errw bytes.Buffer
	c.Stderr = &errw
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the desk said nothing: %v\n%s", c.Wait(), &errw)
	}
	origin = strings.TrimSuffix(strings.TrimPrefix(lines.Text(), "Serving "), ".")
	stop = sync.OnceFunc(func() {
		c.Process.Signal(syscall.SIGTERM)
		var said []string
		for lines.Scan() {
			said = append(said, lines.Text())
		}
		if err := c.Wait(); err != nil || len(said) != 1 || said[0] != "Stopped in order." {
			t.Errorf("stopping: %v, %q\n%s", err, said, &errw)
		}
		if t.Failed() {
			t.Logf("the process log:\n%s", &errw)
		}
	})
	t.Cleanup(stop)
	return origin, stop
}

// begun marks the context of a browser that runs.
type begun struct{}

// browser is a Chromium with a virtual authenticator that always agrees.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("chromium is not installed, and FOREWARN_TEST_ALL=1")
		}
		t.Skip("chromium is not installed: the pages are not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1100, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	do(t, ctx, addAuthenticator)
	return context.WithValue(ctx, begun{}, true)
}

func addAuthenticator(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
	if _, err = cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		return void, err
	}
	_, err = cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	return void, err
}

func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, a := range actions {
		within, cancel := context.WithTimeout(ctx, 60*time.Second)
		if i == 0 && ctx.Value(begun{}) == nil {
			within, cancel = ctx, func() {} // the first starts the browser
		}
		_, err := chromedp.Run(within, a)
		cancel()
		if err != nil {
			at, _ := chromedp.Run(ctx, chromedp.Location())
			page, _ := chromedp.Run(ctx, chromedp.Text("body"))
			t.Fatalf("step %d: %v\nat %s\n%s", i, err, at, page)
		}
	}
}

// read gives what an action gives.
func read[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shoot keeps a picture of the page where FOREWARN_SHOTS says, for people to look
// at; no test depends on it.
func shoot(name string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
		dir := os.Getenv("FOREWARN_SHOTS")
		if dir == "" {
			return void, nil
		}
		b, err := chromedp.FullScreenshot(100)(ctx, tab)
		if err != nil {
			return void, err
		}
		return void, os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644)
	}
}

// TestBrowser lives through a member's first and second day: an invitation, a
// passkey, the home page, signing out, signing in again, and a proof.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	ctx := browser(t)
	dir := t.TempDir()
	runProgram(t, dir, "init", "--name", "Larkspur Early Warning", "--coordinator", "ana")
	runProgram(t, dir, "member", "add", "Umbra Networks", "--tier", "1", "--contact", "uma")
	runProgram(t, dir, "case", "open", "Layout import before the session check", "--product", "Larkspur Portal", "--release", "2099-12-08T17:00:00Z", "--tier", "1")
	runProgram(t, dir, "source", "add", "press", "--origin", "hearsay", "--grade", "C")
	runProgram(t, dir, "alarm", "report", "Layout", "a reporter has the advisory", "--source", "press")
	links := map[string]string{}
	for _, who := range []string{"ana", "uma"} {
		out := runProgram(t, dir, "account", "invite", who, "--origin", "http://origin.invalid")
		links[who] = strings.TrimSpace(out[strings.LastIndex(out, "http://origin.invalid"):])
	}
	origin, stop := served(t, dir)
	at := func(link string) string { return origin + strings.TrimPrefix(link, "http://origin.invalid") }

	do(t, ctx, chromedp.Navigate(origin+"/"), chromedp.WaitVisible("h1"), shoot("front"))
	accessible(t, ctx, "/, in light")
	join := func(link string) {
		do(t, ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(at(link)), chromedp.WaitVisible("[data-ceremony] button"), shoot("join"), chromedp.Click("[data-ceremony] button"))
	}
	join(links["uma"])
	do(t, ctx, chromedp.WaitVisible("//h1[text()='Umbra Networks']"), shoot("home-member"))
	accessible(t, ctx, "/home, in light")
	do(t, ctx, chromedp.Click(".who button"), chromedp.WaitVisible("//a[text()='Sign in']"))

	// The link works once.
	join(links["uma"])
	do(t, ctx, chromedp.WaitVisible("//p[@role='status'][contains(., 'be used')]"), shoot("join-used"))

	do(t, ctx, chromedp.Navigate(origin+"/account"), chromedp.WaitVisible("[data-ceremony=sign-in] button"), shoot("sign-in"), chromedp.Click("[data-ceremony=sign-in] button"),
		chromedp.WaitVisible("//h2[text()='Passkeys']"), shoot("account"))
	// A token asks for a proof, which is of the last minutes here.
	do(t, ctx, chromedp.Click("input[value=read]"), chromedp.Click("form[action='/account/tokens'] button"), chromedp.WaitVisible("#issued"))
	said := read(t, ctx, chromedp.TextContent(".once code"))
	req, _ := http.NewRequest("GET", origin+"/api/v1/inbox", nil)
	req.Header.Set("Authorization", "Bearer "+said)
	if r, err := http.DefaultClient.Do(req); err != nil || r.StatusCode != 200 {
		t.Errorf("the token: %v %v", r, err)
	}
	do(t, ctx, chromedp.Navigate(origin+"/prove?next=/account"), chromedp.Click("[data-ceremony=prove] button"), chromedp.WaitVisible("//h2[text()='Passkeys']"))
	do(t, ctx, chromedp.Click(".who button"), chromedp.WaitVisible("//a[text()='Sign in']"))

	join(links["ana"])
	do(t, ctx, chromedp.WaitVisible("//h1[text()='The desk']"), shoot("home-staff"))
	do(t, ctx, chromedp.Navigate(origin+"/nothing"), chromedp.WaitVisible(".problem"), shoot("problem"))
	// Narrow, dark.
	dark := func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
		_, err = cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return void, err
	}
	do(t, ctx, chromedp.EmulateViewport(360, 740), dark,
		chromedp.Navigate(origin+"/home"))
	// Everything but passkeys works without scripts: a search, and a form.
	scripts := func(off bool) chromedp.Action[chromedp.Void] {
		return func(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
			_, err = cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off})
			return void, err
		}
	}
	do(t, ctx, scripts(true), chromedp.Navigate(origin+"/accounts"), chromedp.SendKeys("#words", "uma"), chromedp.Click("form[role=search] button"),
		chromedp.WaitVisible("//th[.='uma']"), chromedp.WaitNotPresent("//th[.='ana']"), chromedp.Click("//tr[th='uma']//button"), chromedp.WaitVisible("//h1[text()='The link']"), shoot("invited"))
	// So does an alarm: from home, acknowledged and held.
	do(t, ctx, chromedp.Navigate(origin+"/home"), chromedp.Click("//table[contains(caption, 'call first')]//a"), chromedp.WaitVisible("//strong[contains(., 'is raised')]"), shoot("alarm"),
		chromedp.Click("form[action$='/acknowledge'] button"), chromedp.WaitVisible("//strong[contains(., 'is acknowledged')]"),
		chromedp.SendKeys("#why-hold", "what the reporter has is asked for"), chromedp.Click("//fieldset[legend='Hold']//button"), chromedp.WaitVisible("//strong[text()='Copies are held']"), shoot("alarm-held"))
	held := read(t, ctx, chromedp.Location())
	do(t, ctx, scripts(false), chromedp.Navigate(origin+"/accounts"), chromedp.WaitVisible("#words"), chromedp.SendKeys(".name", "/"), chromedp.WaitVisible("#words:focus"))

	do(t, ctx, chromedp.Click("//th/a[.='uma']"), chromedp.WaitVisible("#mail"))
	uma := read(t, ctx, chromedp.Location())
	for _, page := range []string{"/", "/home", "/accounts", "/account", "/join", "/nothing", strings.TrimPrefix(held, origin), strings.TrimPrefix(uma, origin)} {
		do(t, ctx, chromedp.Navigate(origin+page), chromedp.WaitVisible("h1"), shoot("narrow"+strings.ReplaceAll(page, "/", "-")))
		if wide := read(t, ctx, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 360 {
			t.Errorf("%s is %d px wide on a screen of 360", page, wide)
		}
		accessible(t, ctx, page)
	}

	// Access is lost and recovered, from the command line while nothing is served.
	stop()
	runProgram(t, dir, "account", "add", "cara", "--role", "coordinator")
	out := runProgram(t, dir, "account", "invite", "uma", "--origin", "http://origin.invalid")
	if !strings.Contains(out, "this recovers access") {
		t.Errorf("a recovery is invited like a first passkey: %s", out)
	}
	again := strings.TrimSpace(out[strings.LastIndex(out, "http://origin.invalid"):])
	if out := runProgram(t, dir, "account", "confirm", "uma", "--as", "cara", "--json"); !strings.Contains(out, `"confirmed": true`) && !strings.Contains(out, `"confirmed":true`) {
		t.Errorf("confirmed: %s", out)
	}
	origin, _ = served(t, dir)
	do(t, ctx, chromedp.Navigate(origin+"/home"), chromedp.WaitVisible("//h1[text()='The desk']")) // ana's session outlived the stop
	do(t, ctx, chromedp.Click(".who button"), chromedp.WaitVisible("//a[text()='Sign in']"), removePasskeys)
	join(again)
	do(t, ctx, chromedp.WaitVisible("//h1[text()='Umbra Networks']"), chromedp.Navigate(origin+"/account"), chromedp.WaitVisible("//strong[text()='Recovered.']"), shoot("recovered"))
	// Who didn't invite calls her back, and lifts the wait.
	runProgram(t, dir, "account", "lift", "uma", "--reason", "called back", "--as", "cara")
	do(t, ctx, chromedp.Navigate(origin+"/account"), chromedp.WaitVisible("//h2[text()='Passkeys']"), chromedp.WaitNotPresent("//strong[text()='Recovered.']"))
}

// accessible has axe-core look the page over, where FOREWARN_NPM says that it is
// installed.
func accessible(t *testing.T, ctx context.Context, page string) {
	t.Helper()
	at := os.Getenv("FOREWARN_NPM")
	if at == "" {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatal("FOREWARN_NPM names no folder with npm's axe-core, and FOREWARN_TEST_ALL=1")
		}
		return
	}
	script, err := os.ReadFile(filepath.Join(at, "node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	read(t, ctx, chromedp.Evaluate[int](string(script)+";1"))
	found := read(t, ctx, chromedp.Evaluate[string](`axe.run().then(r => r.violations.map(v => v.id + " (" + v.impact + "): " + v.help + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" ")).join("\n"))`, chromedp.EvalAwaitPromise))
	if found != "" {
		t.Errorf("%s:\n%s", page, found)
	}
}

// removePasskeys makes the authenticator one that was never used: the device was
// lost.
func removePasskeys(ctx context.Context, tab *chromedp.Target) (void chromedp.Void, err error) {
	if _, err = cdp.Call(ctx, tab, webauthn.Disable, cdp.Empty{}); err == nil {
		_, err = addAuthenticator(ctx, tab)
	}
	return void, err
}
