package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"forewarn/internal/sqlite"
)

// TestBrowserLife lives through one case, from a stranger's report to the feed of
// advisories: five people and the public, each in a browser of their own with a
// passkey of their own, before the desk that the real binary serves. What staff and
// members do, they do on pages; what members do on their own machines, they do with
// the commands that the pages name. After each step it asks also what the others
// must not see.
func TestBrowserLife(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	l := newLife(t)
	for _, part := range []struct {
		name string
		live func()
	}{
		{"found", l.found}, {"admit", l.admit}, {"restart", l.restart}, {"ready", l.ready}, {"report", l.report}, {"embargo", l.embargo}, {"package", l.pack},
		{"waves", l.waves}, {"fetch", l.fetch}, {"answer", l.answer}, {"recall", l.recall}, {"correct", l.correct}, {"end", l.end}, {"publish", l.publish},
	} {
		from := time.Now()
		part.live()
		t.Logf("%-8s %s", part.name, time.Since(from).Round(100*time.Millisecond))
	}
	l.run("verify", "log")
}

// life is a programme and the people about it.
type life struct {
	t      *testing.T
	dir    string
	stop   func() // the desk
	origin string

	ana, ben, cara *tour // coordinator; approver; case worker who may approve too
	mia, uma       *tour // of Northlight Security and of Umbra Networks
	public         *tour // has no account

	reference string          // of the public's report
	at        string          // the case's path
	drafted   [3]string       // paths of the waves: description, detection, poc
	had       map[string]copy // by who opened it
}

// copy is what somebody has on their own machine.
type copy struct {
	receipt string
	files   map[string]string // by path, their text
}

const (
	lifeTitle = "Layout import before the session check"
	lifeText  = "Anybody may import a layout without signing in."
)

func newLife(t *testing.T) *life {
	l := &life{t: t, dir: t.TempDir(), had: map[string]copy{}}
	first := browser(t)
	for who, p := range map[string]**tour{"ana": &l.ana, "ben": &l.ben, "cara": &l.cara, "mia": &l.mia, "uma": &l.uma, "public": &l.public} {
		ctx, cancel := chromedp.NewContext(first, chromedp.WithNewBrowserContext())
		t.Cleanup(cancel)
		_, err := chromedp.Run(ctx, addAuthenticator) // what begins a context gives it its time
		must(t, err)
		must(t, os.Mkdir(filepath.Join(l.dir, who), 0o700))
		*p = &tour{t: t, ctx: ctx, who: who}
		(*p).do(chromedp.EmulateViewport(1100, 900))
	}
	return l
}

func (l *life) run(args ...string) string { l.t.Helper(); return runProgram(l.t, l.dir, args...) }

// serve starts the desk; everybody finds it.
func (l *life) serve() {
	l.t.Helper()
	l.origin, l.stop = served(l.t, l.dir)
	for _, p := range []*tour{l.ana, l.ben, l.cara, l.mia, l.uma, l.public} {
		p.origin = l.origin
	}
}

// machine runs a command where somebody works who has nothing of the programme.
func (l *life) machine(p *tour, args ...string) string {
	l.t.Helper()
	c := program(l.t, l.dir, args...)
	c.Dir = filepath.Join(l.dir, p.who)
	c.Env = append(c.Env, "FOREWARN_DIR="+filepath.Join(c.Dir, "none"), "FOREWARN_AS=", "FOREWARN_STATE="+filepath.Join(c.Dir, "seen"))
	var errw bytes.Buffer
	c.Stderr = &errw
	out, err := c.Output()
	if err != nil {
		l.t.Fatalf("%s: forewarn %s: %v\n%s%s", p.who, strings.Join(args, " "), err, out, &errw)
	}
	return string(out)
}

// get is what somebody without a browser, or an account, is sent.
func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	r, err := http.Get(url)
	must(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	return r.StatusCode, string(b)
}

// unheard holds that the public is told nothing of the case.
func (l *life) unheard() {
	l.t.Helper()
	for _, path := range slices.Concat([]string{"/", "/advisories", "/advisories.atom", "/log", "/report", l.at, strings.Replace(l.at, "cases", "advisories", 1)}, l.drafted[:]) {
		code, said := get(l.t, l.origin+path)
		for _, word := range []string{"Layout", "Larkspur", "Northlight", "Umbra"} {
			if strings.Contains(said, word) {
				l.t.Errorf("%s tells the public of %s", path, word)
			}
		}
		if code == 200 && strings.HasPrefix(path, "/advisories/") {
			l.t.Errorf("%s is there", path)
		}
	}
}

// found has the programme founded, and its staff make passkeys: the first by a link
// from the command line, the others by links from a page.
func (l *life) found() {
	l.run("init", "--name", "Harbourline Early Warning", "--coordinator", "Ana Lindqvist", "--origin", "desk.example/forewarn", "--tick", "1s")
	l.run("account", "add", "ben", "--name", "Ben Oduya", "--role", "approver")
	l.run("account", "add", "cara", "--name", "Cara Nwosu", "--role", "case-worker,approver")
	l.run("keygen", "-o", filepath.Join(l.dir, "reports.key"))
	l.run("report", "key", filepath.Join(l.dir, "reports.key.pub"))
	out := l.run("account", "invite", "ana", "--origin", "http://origin.invalid")
	l.serve()
	l.public.go_("/", "#main h1")
	l.public.has("Nothing is published yet")
	l.public.glance("life-front")
	l.unheard()
	l.ana.join(strings.TrimSpace(out[strings.LastIndex(out, "http://origin.invalid"):]), "The desk")
	l.ana.glance("life-home-first")
	l.ben.join(l.ana.invite("ben"), "The desk")
	l.ana.glance("life-link")
	l.cara.join(l.ana.invite("cara"), "The desk")
	if l.ben.there("//a[@href='/reports']") || !l.cara.there("//nav//a[@href='/reports']") {
		l.t.Error("an approver is led to reports, or a case worker isn't")
	}
	l.ben.refused("/reports", "/entries")
}

// admit has two members admitted and their contacts make passkeys.
func (l *life) admit() {
	for _, m := range []struct {
		p                               *tour
		name, tier, where, person, mail string
	}{
		{l.mia, "Northlight Security", "1", "DE", "Mia Brandt", "mia@northlight.example"},
		{l.uma, "Umbra Networks", "2", "EU", "Uma Okafor", "uma@umbra.example"},
	} {
		l.ana.go_("/members", "#admit")
		l.ana.write("#name", m.name, "#tier", m.tier, "#jurisdictions", m.where, "#contact", m.p.who, "#contact-name", m.person, "#contact-mail", m.mail)
		l.ana.press("Admit it", "//*[self::a or self::h1][text()='"+m.name+"']")
		m.p.join(l.ana.invite(m.p.who), m.name)
		m.p.has("Accept the terms", "Enrol keys", "No case yet")
		m.p.refused("/cases", "/members", "/duty", "/entries")
	}
	l.mia.glance("life-member-first")
	l.mia.lacks("Umbra")
	l.ana.go_("/members", "#admit")
	l.ana.glance("life-members")
}

// restart stops the desk and starts it again, ten minutes after everybody's last
// proof of who they are, as it were.
func (l *life) restart() {
	l.stop()
	kept, err := sqlite.OpenSignIn(context.Background(), filepath.Join(l.dir, "prog", "desk", "ephemeral.db"))
	must(l.t, err)
	for _, p := range []*tour{l.ana, l.ben, l.cara, l.mia, l.uma} {
		p.longAgo(kept)
	}
	must(l.t, kept.Close())
	l.serve()
	l.ana.go_("/home", "//h1[text()='The desk']")
	l.mia.go_("/home", "//h1[text()='Northlight Security']")
}

// ready has members accept the terms, and whoever is to hold copies enrol keys.
func (l *life) ready() {
	for _, p := range []*tour{l.mia, l.uma} {
		p.go_("/home", "#main h1")
		p.press("Read and accept", "//h1[text()='Terms']")
		if p == l.mia {
			p.glance("life-terms")
		}
		p.press("Accept these terms", "//p[contains(., 'Accepted for your member')]")
	}
	for _, p := range []*tour{l.mia, l.uma, l.cara} {
		l.machine(p, "keygen", "-o", p.who+".key")
		pub, err := os.ReadFile(filepath.Join(l.dir, p.who, p.who+".key.pub"))
		must(l.t, err)
		p.go_("/keys", "#public")
		p.write("#public", string(pub))
		p.press("Enrol", ".problem a.button")
		if p == l.mia {
			p.glance("life-prove-first")
		}
		p.press("Prove it", "//h1[text()='Prove that it is you']")
		p.prove("#public")
		p.has("No keys are in use")
		p.write("#public", string(pub))
		p.press("Enrol", "//dt[text()='Enrolled']")
		p.lacks("AGE-SECRET-KEY")
	}
	l.mia.glance("life-keys")
	l.mia.go_("/home", "#main h1")
	l.mia.has("Nothing waits for you")
}

// report has a stranger report, and a case made of it.
func (l *life) report() {
	p := l.public
	p.go_("/report", "#title")
	p.write("#title", "Layouts are imported for anybody", "#product", "Larkspur Portal 7.0", "#text", lifeText, "#credit", "F. Yarrow")
	p.press("Send the report", ".reference code")
	p.glance("life-report-taken")
	l.reference = read(l.t, p.ctx, chromedp.TextContent(".reference code"))
	l.standing("Received")

	l.ana.go_("/home", "#main h1")
	l.ana.has("1 report waits")
	l.ana.press("look at them", "//h1[text()='Reports']")
	l.ana.lacks(lifeText, "Layouts are imported", "Yarrow")
	l.ana.glance("life-reports")
	var list []struct{ Report string }
	must(l.t, json.Unmarshal([]byte(l.run("report", "list", "--json")), &list))
	if out := l.run("report", "open", list[0].Report, "--key", filepath.Join(l.dir, "reports.key")); !strings.Contains(out, lifeText) {
		l.t.Errorf("the report as its reader has it: %s", out)
	}
	l.standing("Being looked at")

	l.ana.go_("/cases/new", "#title")
	l.ana.glance("life-case-new")
	l.ana.write("#title", lifeTitle, "#report", lifeText, "#products", "Larkspur Portal")
	l.ana.press("Open the case", "//h1[text()='"+lifeTitle+"']")
	l.at = l.ana.path()
	l.ana.go_("/reports", "#main h1")
	l.ana.unfold("Settle it")
	l.ana.write("//input[@name='case']", lifeTitle)
	l.ana.press("Settle it", "//td//a[text()='"+lifeTitle+"']")
	l.standing("Case opened")
	p.lacks(lifeTitle, l.at)
	p.glance("life-report-status")
	l.unheard()
	l.ben.go_(l.at, "//h1[text()='"+lifeTitle+"']")
	l.ben.refused(l.at + "/report")
	l.mia.refused(l.at)
}

// standing asks how the report stands, as whoever has its reference.
func (l *life) standing(want string) {
	l.t.Helper()
	l.public.go_("/report/status", "#reference")
	l.public.write("#reference", l.reference)
	l.public.press("Look", "//h1[text()='"+want+"']")
}

// embargo has one person propose an embargo and another agree it, and members
// consent to it.
func (l *life) embargo() {
	l.cara.go_(l.at, "#embargo")
	l.cara.choose("#p-release", time.Now().UTC().AddDate(0, 0, 14).Format("2006-01-02")+"T17:00", "#zone-p", "Europe/Stockholm")
	l.cara.press("Propose it", "//strong[contains(., 'Proposal 1 waits')]")
	if l.cara.there("//button[starts-with(., 'Agree')]") {
		l.t.Error("a case worker may agree what they proposed")
	}
	l.ana.go_(l.at, "#embargo")
	l.ana.glance("life-proposal")
	l.ana.press("Agree proposal 1", "//span[contains(@class, 's-active')]")
	l.cara.go_(l.at, "#embargo")
	l.cara.unfold("Invite members")
	l.cara.do(chromedp.Click("input[name=tiers][value='1']"))
	l.cara.write("#invite-members", "Umbra Networks")
	l.cara.press("Invite them", "//th//a[text()='Umbra Networks']")
	for _, p := range []*tour{l.mia, l.uma} {
		p.go_("/home", "#main h1")
		p.lacks("Layout", "Larkspur")
		p.press("Answer it", "//h2[text()='Your member is invited']")
		p.lacks("Layout", "Larkspur", "Northlight Security and", "Waves")
		if p == l.mia {
			p.glance("life-invited")
		}
		p.press("Accept the embargo", "//h1[text()='"+lifeTitle+"']")
		p.has("No copy yet")
	}
	l.mia.lacks("Umbra")
	l.uma.lacks("Northlight")
}

// pack has the package uploaded, looked at, and previewed.
func (l *life) pack() {
	src, err := filepath.Abs(filepath.Join("..", "..", "examples", "advisory"))
	must(l.t, err)
	p := l.cara
	p.go_(l.at+"/package", "#upload")
	p.glance("life-package-none")
	p.do(chromedp.SetUploadFiles("#files", []string{src}))
	// The browser looks for a folder's files in its own time.
	for end := time.Now().Add(30 * time.Second); !read(p.t, p.ctx, chromedp.Evaluate[bool]("document.getElementById('files').files.length > 0")); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatal("the browser finds no files in the folder")
		}
	}
	p.press("Upload", "#traced")
	p.has("By how much of the text leaks", "advisory.md", "poc/probe.py", "rules/larkspur.yar")
	p.glance("life-package")
	l.mia.refused(l.at + "/package")
	p.choose("#level", "poc")
	p.press("Seal a copy to me", "#holders")
	preview := p.path()
	p.until(preview, "//p[contains(., 'A copy is sealed to you')]")
	p.glance("life-preview")
	p.press("To your copy", "//h1[contains(., 'Your copy of wave')]")
	p.until(p.path(), "//button[text()='Fetch the copy']")
	p.glance("life-preview-copy")
	p.fetch(preview+"/copy", "//button[text()='Fetch the copy']")
	l.take(p, "preview")
	if f := l.had["cara"].files; f["poc/probe.py"] == "" || f["advisory.md"] == "" {
		l.t.Errorf("the preview of all has %d files", len(f))
	}
	l.mia.go_("/home", "#main h1")
	l.mia.has("Nothing waits")
	l.ana.refused(preview + "/copy")
	l.mia.refused(preview, preview+"/copy")
}

// take downloads the copy that the page hands out, opens it with the command that
// the page names, and keeps what was in it.
func (l *life) take(p *tour, name string) copy {
	l.t.Helper()
	at := filepath.Join(l.dir, p.who)
	files := p.download(at)
	line := read(l.t, p.ctx, chromedp.TextContent("//pre[starts-with(., 'forewarn open')]"))
	args := strings.Fields(strings.Replace(line, "YOUR.key", p.who+".key", 1))[1:]
	out := l.machine(p, append(args, "-o", name)...)
	if !strings.Contains(out, "committed to before") {
		l.t.Errorf("opening says: %s", out)
	}
	c := copy{filepath.Join(at, strings.TrimSuffix(files[0], ".age")+".receipt"), map[string]string{}}
	must(l.t, filepath.WalkDir(filepath.Join(at, name), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(filepath.Join(at, name), path)
		c.files[filepath.ToSlash(rel)] = string(b)
		return err
	}))
	l.had[p.who] = c
	return c
}

// draft has the case worker draft a wave that opens in seconds, after a look at who
// would get it, to whole tiers or to members by name.
func (l *life) draft(level, tier, members, glance string, lookers ...string) (path string) {
	l.t.Helper()
	p := l.cara
	p.go_(l.at+"/waves/new", "#level")
	p.choose("#level", level)
	if tier != "" {
		p.do(chromedp.Click("input[name=tiers][value='" + tier + "']"))
	}
	if members != "" {
		p.write("#members", members)
	}
	p.choose("#zone-w", "UTC", "#opens", time.Now().UTC().Add(6*time.Second).Format("2006-01-02T15:04:05"))
	p.press("See who gets it", "#who")
	p.has(lookers...)
	if glance != "" {
		p.glance(glance)
	}
	p.press("Draft it", "//strong[contains(., 'It asks for approval')]")
	return p.path()
}

// approve has the second person look at a wave and approve it, with a proof if the
// last one is old.
func (l *life) approve(path string, old bool) {
	l.t.Helper()
	p := l.ben
	p.go_(path, "#main h1")
	until := "//h1[contains(., 'Approve wave')]"
	if old {
		p.press("Look at it and approve", "//h1[text()='Prove that it is you']")
		p.glance("life-prove")
		p.prove(until)
		p.glance("life-approve")
	} else {
		p.press("Look at it and approve", until)
	}
	p.press("Approve wave", "//span[contains(@class, 's-approved') or contains(@class, 's-sealed') or contains(@class, 's-open')]")
}

// waves has three waves drafted by one and approved by another: each level to those
// who are to have it.
func (l *life) waves() {
	l.drafted = [3]string{
		l.draft("description", "2", "", "life-wave-checked", "1 holder would get it", "Nobody is left out"),
		l.draft("detection", "1", "", "", "1 holder would get it"),
		l.draft("poc", "", "Northlight Security", "", "1 holder would get it"),
	}
	l.cara.has("Not yours to give")
	if l.cara.there("//a[contains(., 'approve')]") {
		l.t.Error("who drafted a wave is led to its approval")
	}
	l.cara.glance("life-wave-draft")
	l.cara.refused(l.drafted[2] + "/approve")
	l.mia.refused(l.drafted[:]...) // not even that there is one
	l.unheard()
	l.ana.go_(l.at, "#next")
	l.ana.glance("life-case-waiting")
	for i, path := range l.drafted {
		if i == 2 { // with the very digest that it takes
			l.ben.go_(path+"/approve", "//h1[contains(., 'Approve wave')]")
			form := "digest=" + read(l.t, l.ben.ctx, chromedp.Evaluate[string]("document.querySelector('input[name=digest]').value"))
			for _, p := range []*tour{l.cara, l.ana, l.mia} {
				if code := p.sends(path+"/approve", form); code != 403 {
					l.t.Errorf("%s sends the approval: %d", p.who, code)
				}
			}
			l.ben.go_(path, "//span[contains(@class, 's-draft')]")
		}
		l.approve(path, i == 0)
	}
	l.ben.until(l.drafted[2], "//span[contains(@class, 's-open')]")
	l.ben.glance("life-wave-open")
}

// fetch has members fetch what is theirs and open it on their own machines, and
// lodge their receipts.
func (l *life) fetch() {
	for _, x := range []struct {
		p     *tour
		level string
	}{{l.mia, "detection"}, {l.mia, "poc"}, {l.uma, "description"}} {
		button := "//li[contains(., ': " + x.level + "')]//button[text()='Fetch']"
		x.p.until("/home", button)
		if x.level == "poc" {
			x.p.glance("life-home-waits")
		}
		x.p.fetch("/home", button)
		x.p.lacks("probe.py", "session check.") // nothing of what is in it
		x.p.glance("life-fetched-" + x.level)
		c := l.take(x.p, x.level)
		for file, level := range map[string]string{"advisory.md": "description", "rules/larkspur.yar": "detection", "indicators.csv": "indicators", "poc/probe.py": "poc"} {
			order := []string{"description", "detection", "indicators", "poc"}
			if want := slices.Index(order, level) <= slices.Index(order, x.level); want != (c.files[file] != "") {
				l.t.Errorf("%s's copy, %s, has %s: %t", x.p.who, x.level, file, !want)
			}
		}
		x.p.go_(l.at, "#receipt")
		x.p.do(chromedp.SetUploadFiles("#receipt", []string{c.receipt}))
		x.p.press("Lodge", "//td//a[text()='Download']")
	}
	texts := map[string]string{}
	for who, c := range l.had {
		text := c.files["advisory.md"]
		if other := texts[text]; other != "" || text == "" {
			l.t.Errorf("%s has the same advisory as %s, or none", who, other)
		}
		texts[text] = who
	}
	// What is somebody else's is not there.
	l.uma.refused(l.drafted[1], l.drafted[2], l.drafted[1]+"/copy", l.drafted[2]+"/copy", l.drafted[2]+"/receipt")
	l.mia.refused(l.drafted[0], l.drafted[0]+"/copy", l.drafted[0]+"/receipt")
	if code := l.uma.sends(l.drafted[2]+"/fetch", ""); code != 403 && code != 404 {
		l.t.Errorf("another member's copy: %d", code)
	}
	l.uma.go_(l.at, "#receipt")
	l.uma.do(chromedp.SetUploadFiles("#receipt", []string{l.had["mia"].receipt}))
	l.uma.press("Lodge", ".problem")
	l.uma.glance("life-receipt-refused")
	for _, p := range []*tour{l.mia, l.uma} {
		p.go_(l.at, "#copies")
		p.lacks(map[string]string{"mia": "Umbra", "uma": "Northlight"}[p.who], ">poc<", "probe.py")
	}
	l.ana.go_(l.drafted[2], "#holders")
	l.ana.has("1 fetched, 1 received", "mia")
	l.unheard()
}

// answer has members say how their products stand, and the staff read it.
func (l *life) answer() {
	for p, say := range map[*tour][2]string{l.mia: {"ready", "signature 2231"}, l.uma: {"investigating", "builds of 2024"}} {
		p.go_(l.at, "#answers")
		p.choose("//section[contains(., 'Larkspur Portal')]//select", say[0])
		p.write("//section[contains(., 'Larkspur Portal')]//input[@name='note']", say[1])
		p.press("Answer", "//section[contains(., 'Larkspur Portal')]//summary")
	}
	l.mia.has("ready", "signature 2231")
	l.mia.lacks("builds of 2024", "Umbra")
	l.uma.lacks("signature 2231", "Northlight")
	l.mia.glance("life-member-case")
	l.ana.go_(l.at+"/answers", "#words")
	l.ana.has("Northlight Security", "signature 2231", "Umbra Networks", "builds of 2024")
	l.ana.glance("life-answers")
	l.uma.refused(l.at + "/answers")
}

// recall has the package put right in a new revision, and the old one recalled.
func (l *life) recall() {
	p := l.cara
	p.go_(l.at+"/package", "#draft")
	p.press("Open the last draft", "#files")
	p.pressIn("//tr[contains(., 'heads-up.md')]", "Edit", "textarea.code")
	p.write("#text", "# Something comes\n\nBe ready on the day. It {{will be|is to be}} short. Put right.\n")
	p.press("Check alone", "//strong[text()='It would seal.']")
	p.glance("life-draft")
	p.press("Save as", "#traced")
	l.ana.go_(l.at, "#package")
	l.ana.unfold("Recall a revision")
	l.ana.write("#recall-n", "1", "#recall-why", "the rule names a file that is not there")
	l.ana.press("Recall it", "//strong[contains(., '0 of 3 acknowledged')]") // the third has the preview
	l.ana.has("those before were recalled or cancelled")
	l.ana.glance("life-recalled")
	for _, p := range []*tour{l.mia, l.uma} {
		p.go_("/home", "#main h1")
		p.has("Stop using a revision")
		if p.there("//button[text()='Fetch']") {
			l.t.Errorf("%s may fetch what was recalled", p.who)
		}
		p.glance("life-recall-" + p.who)
		p.press("Acknowledge it", "//h2[contains(., 'Stop using revision 1')]")
		p.has("the rule names a file that is not there")
		p.press("We stopped using it", "//p[contains(., 'your member acknowledged it')]")
	}
	p.go_(l.at, "#package")
	p.glance("life-recall-cara")
	p.press("I stopped using it", "//span[contains(., 'all 3 acknowledged')]")
	p.lacks("You hold a copy")
}

// correct has the new revision go out, through a hold.
func (l *life) correct() {
	wave := l.draft("detection", "1", "Umbra Networks", "", "2 holders would get it")
	l.approve(wave, false)
	l.mia.until("/home", "//button[text()='Fetch']")
	l.ana.go_(l.at, "#embargo")
	l.ana.unfold("Hold copies")
	l.ana.write("#h-why", "somebody asked about it in public")
	l.ana.pressIn("//details[summary='Hold copies']", "Hold", "//strong[text()='Copies are held']")
	l.ana.glance("life-held")
	l.mia.press("Fetch", ".problem") // the page is from before
	l.mia.glance("life-held-fetch")
	l.mia.go_("/home", "#main h1")
	l.mia.has("Held:")
	l.mia.lacks("somebody asked")
	l.ana.press("Lift the hold", "//summary[text()='Hold copies']")
	l.mia.fetch("/home", "//button[text()='Fetch']")
	if c := l.take(l.mia, "corrected"); !strings.Contains(c.files["heads-up.md"], "Put right.") {
		l.t.Errorf("the new revision says: %s", c.files["heads-up.md"])
	}
	l.ana.go_(l.at, "#members")
	l.ana.has("an old revision") // Umbra Networks has not fetched the new one
	l.ana.glance("life-case")
	l.unheard()
}

// end has the embargo ended before its time, with a proof and by the case's name.
func (l *life) end() {
	p := l.ana
	p.go_(l.at, "#embargo")
	p.press("End the embargo before its time", "//h1[text()='Prove that it is you']|//h1[contains(., 'End the embargo of')]")
	if p.there("//h1[text()='Prove that it is you']") {
		p.prove("#name")
	} else {
		l.t.Error("the embargo may be ended with an old proof")
	}
	p.has("there to fetch for 2 members")
	p.glance("life-end")
	p.write("#name", "Another")
	p.press("End the embargo", ".problem")
	p.go_(l.at, "//span[contains(@class, 's-active')]")
	p.go_(l.at+"/end", "#name")
	p.write("#name", lifeTitle, "#reason", "it is discussed in public")
	p.press("End the embargo", "//span[contains(@class, 's-lifted')]")
	p.glance("life-ended")
	l.uma.until("/home", "//li[contains(., ': detection')]//button[text()='Fetch']")
	l.unheard() // the end is not yet the release
}

// publish has the case released with its advisory, which anybody reads.
func (l *life) publish() {
	p := l.ana
	p.go_(l.at, "#next")
	p.press("Release the case", "#advisory")
	p.glance("life-release")
	p.do(chromedp.SetValue("#advisory", "A layout is imported before the session is checked.\n\n# Affected\n\n7.0.0 to 7.4.2\n\n# What to do\n\nUpgrade to 7.4.3.\n\n# How to tell\n\nRequests to /layout/import without a session.\n"))
	p.write("#name", lifeTitle)
	p.press("Release", "//dt[text()='Released']")
	l.public.until("/", "//td|//th//a[contains(., '"+lifeTitle+"')]")
	l.public.press(lifeTitle, ".prose")
	l.public.has("Upgrade to 7.4.3", "Larkspur Portal", "F. Yarrow")
	l.public.lacks("Northlight", "Umbra", "Cara", "Put right.")
	l.public.glance("life-advisory")
	code, feed := get(l.t, l.origin+"/advisories.atom")
	if code != 200 || strings.Count(feed, "<entry>") != 1 || !strings.Contains(feed, lifeTitle) {
		l.t.Errorf("the feed: %d\n%s", code, feed)
	}
	l.standing("Advisory published")
	l.public.press("Read the advisory", ".prose")
	l.public.go_(l.at, "//h1[text()='Sign in']")
	l.mia.go_(l.at, "#main h1")
	l.mia.has("Published")
	l.mia.lacks("Umbra")
	l.mia.glance("life-member-published")
}
