package home_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"forewarn/internal/carrier"
	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/evidence"
	"forewarn/internal/folder"
	"forewarn/internal/form"
	"forewarn/internal/home"
	"forewarn/internal/inquiry"
	"forewarn/internal/seal"
	"forewarn/internal/wire"
)

// clear wants an error that a person can read on a terminal.
func clearError(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: taken", what)
		return
	}
	s := err.Error()
	if len(s) > 4096 || !utf8.ValidString(s) {
		t.Errorf("%s: an error of %d bytes, %.200q", what, len(s), s)
	}
	for _, r := range s {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e {
			t.Errorf("%s: the error could move a terminal: %.200q", what, s)
			return
		}
	}
}

// Package folders as an attacker, a careless colleague or another system would
// make them.
func TestHostilePackageFolders(t *testing.T) {
	tn := found(t, 1)
	const manifest = "title: T\ntlp: TLP:AMBER\n"
	secret := filepath.Join(t.TempDir(), "secret.md")
	ok(t, os.WriteFile(secret, []byte("SECRET"), 0o600))
	write := func(name, text string) func(string) error {
		return func(dir string) error {
			file := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return err
			}
			return os.WriteFile(file, []byte(text), 0o600)
		}
	}
	text := func(s string) func(string) error { return write("advisory.md", s) }
	for what, makes := range map[string]func(string) error{
		"symbolic link to a file":     func(dir string) error { return os.Symlink(secret, filepath.Join(dir, "a.md")) },
		"symbolic link to a folder":   func(dir string) error { return os.Symlink(filepath.Dir(secret), filepath.Join(dir, "more")) },
		"link to itself":              func(dir string) error { return os.Symlink(".", filepath.Join(dir, "loop")) },
		"pipe":                        func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "a.md"), 0o600) },
		"name with an escape":         write("\x1b[2Ja.md", "x"),
		"name with a newline":         write("a\nb.md", "x"),
		"name of invalid UTF-8":       write("a\xff.md", "x"),
		"name that turns direction":   write("a\u202edm.md", "x"),
		"name with a backslash":       write(`..\..\a.md`, "x"),
		"name of a device":            write("con.md", "x"),
		"hidden file":                 write(".git/config", "x"),
		"reserved name":               write("bulk-key.txt", "x"),
		"names that differ in case":   func(dir string) error { return errors.Join(write("a.md", "x")(dir), write("A.md", "x")(dir)) },
		"NUL":                         text("a\x00b\n"),
		"invalid UTF-8":               text("a\xffb\n"),
		"escape":                      text("a\x1b[31mb\n"),
		"direction override":          text("a\u202eb\n"),
		"zero width":                  text("a\u200bb\n"),
		"carriage returns":            text("a\r\nb\r\n"),
		"unclosed mark":               text("it {{answers|replies to callers\n"),
		"endless mark":                text("{{" + strings.Repeat("a|", 1<<16)),
		"deep marks":                  text(strings.Repeat("{{", 1<<16+1)),
		"marks that change a verdict": text("it {{is|is not}} affected\n"),
		"too large":                   text(strings.Repeat("x", carrier.MaxFile+1)),
		"bad manifest":                write("forewarn.yaml", "title: [\n"),
		"manifest of another type":    write("forewarn.yaml", "- a\n- b\n"),
		"aliases that multiply":       write("forewarn.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ntitle: *f\n"),
		"manifest pointing out":       write("forewarn.yaml", manifest+"order:\n  - file: ../../desk/keys/log\n    pointer: /a\n"),
		"too many files": func(dir string) error {
			for i := range carrier.MaxFiles + 2 {
				if err := write(fmt.Sprintf("f%d.md", i), "x")(dir); err != nil {
					return err
				}
			}
			return nil
		},
		"too deep": write(strings.Repeat("d/", 40)+"a.md", "x"),
	} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			ok(t, write("advisory.md", "# A flaw\n")(dir))
			ok(t, write("forewarn.yaml", manifest)(dir))
			if err := makes(dir); err != nil {
				t.Skipf("this system can't make it: %v", err)
			}
			src, err := folder.LoadSource(dir)
			if err == nil {
				_, err = tn.desk.AddRevision(ctx, tn.who["cleo"], tn.cs, cvd.PackageID{}, 0, src)
			}
			clearError(t, what, err)
			if strings.Contains(fmt.Sprint(err), "SECRET") {
				t.Error("it was read")
			}
			ok(t, tn.desk.View(func(p *cvd.Programme) error {
				if len(p.Revisions) != 1 {
					t.Errorf("there are %d revisions", len(p.Revisions))
				}
				return nil
			}))
		})
	}
	tn.audit()
	tn.reopen()
	tn.addPackage()
}

// Names and texts that people type.
func TestHostileNames(t *testing.T) {
	tn := found(t, 1)
	before, files := tn.state(), listing(t, tn.dir)
	for _, s := range []string{"", "\x1b[2J", "a\nb", "a\x00", "a\xff", "\u202egnp", "Member 1", "member 1", strings.Repeat("x", 1<<20)} {
		_, _, err := tn.desk.Admit(ctx, tn.who["ana"], coordinator.Admission{Name: s, Tier: 1})
		clearError(t, fmt.Sprintf("a member called %.20q", s), err)
	}
	for _, s := range []string{"", "\x1b[2J", "a b", "ana", "ANA", "../x", strings.Repeat("x", 1<<20)} {
		_, err := tn.desk.AddAccount(ctx, tn.who["ana"], cvd.MemberID{}, cvd.RoleSet(cvd.Auditor), coordinator.Person{Handle: s, Name: "X"})
		clearError(t, fmt.Sprintf("an account called %.20q", s), err)
	}
	for _, s := range []string{"\x1b[2J", "a\nb", "a\xff"} {
		_, err := tn.desk.OpenCase(ctx, tn.who["ana"], coordinator.Opening{Title: s})
		clearError(t, fmt.Sprintf("a case called %.20q", s), err)
	}
	for _, recipients := range [][]string{{"age1qqqq"}, {"ssh-rsa AAAA"}, {"\x1b[2J"}, {strings.Repeat("a", 1<<20)}, {""}, {}, make([]string, 1000)} {
		_, err := tn.desk.Do(ctx, tn.members[0].actor, cvd.EnrolKeys{Holder: tn.members[0].id, Recipients: recipients})
		clearError(t, fmt.Sprintf("%d recipients", len(recipients)), err)
	}
	if tn.state() != before {
		t.Error("the state is another")
	}
	if now := listing(t, tn.dir); now != files {
		t.Errorf("files were written:\n%s", now)
	}
}

// Specimens come from the worst places. Reading them never fails, accuses
// nobody for noise, and takes its time in proportion.
func TestHostileSpecimens(t *testing.T) {
	tn := found(t, 3)
	id := tn.wave(form.PoC, tn.members...)
	tn.clock.pass(11 * time.Minute)
	_, files, err := tn.fetch(tn.members[0], id)
	ok(t, err)
	var advisory []byte
	for _, f := range files {
		if f.Path == "advisory.md" {
			advisory = f.Data
		}
	}
	o := tn.office()
	defer o.Close()
	random := make([]byte, 1<<20)
	dice(t.Name()).Read(random)
	for what, b := range map[string][]byte{
		"nothing":           {},
		"a NUL":             {0},
		"NULs":              make([]byte, 1<<20),
		"noise":             random,
		"one line":          bytes.Repeat([]byte("not signed in "), 1<<17),
		"invalid UTF-8":     bytes.Repeat([]byte{0xff, 0xfe, 0x80}, 1<<18),
		"combining marks":   bytes.Repeat([]byte("a\u0301\u0302"), 1<<17),
		"escapes":           bytes.Repeat([]byte("\x1b[31m"), 1<<17),
		"all forms of all":  bytes.Repeat([]byte("answers|replies not signed in without a session "), 1<<14),
		"a copy with NULs":  bytes.ReplaceAll(advisory, []byte(" "), []byte("\x00")),
		"a copy with bytes": bytes.ReplaceAll(advisory, []byte("e"), []byte("e\xff")),
	} {
		t.Run(what, func(t *testing.T) {
			start := time.Now()
			out, err := o.Investigate(ctx, tn.desk.Desk, tn.who["ina"], inquiry.Question{Case: tn.cs, Specimens: []inquiry.Specimen{specimen("\x1b[2J../../x\xff", b, tn.clock.Now())}})
			if err != nil {
				clearError(t, what, err)
				return
			}
			for _, a := range out.Findings.Accused {
				if a.Name != "Member 1" || !strings.HasPrefix(what, "a copy") {
					t.Errorf("%s is accused", a.Name)
				}
			}
			if bytes.ContainsAny(out.Page, "\x1b\x00") || strings.Contains(string(out.Page), "<script") {
				t.Error("the page holds what the specimen's name does")
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
	_, err = o.Investigate(ctx, tn.desk.Desk, tn.who["ina"], inquiry.Question{Case: tn.cs})
	clearError(t, "no specimen", err)
	_, err = o.Investigate(ctx, tn.desk.Desk, tn.who["ina"], inquiry.Question{Specimens: []inquiry.Specimen{specimen("x", advisory, tn.clock.Now())}})
	clearError(t, "no case", err)
	tn.audit()
}

// Sealed files that a member opens, made by somebody else than the sealer.
func TestHostileSealedFiles(t *testing.T) {
	k := must(seal.Keygen(seal.X25519, founded))
	with := must(seal.ParseIdentities(k.Identity))
	to := must(seal.ParseRecipients([]byte(k.Recipient)))
	archive := func(headers ...tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			if h.Mode == 0 {
				h.Mode = 0o600
			}
			w.WriteHeader(&h)
			if h.Size > 0 {
				w.Write(bytes.Repeat([]byte("x"), int(h.Size)))
			}
		}
		w.Close()
		return b.Bytes()
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 64<<20))
	z.Close()
	for what, b := range map[string][]byte{
		"nothing":        {},
		"not a tar":      []byte("hello"),
		"a gzip bomb":    bomb.Bytes(),
		"a way out":      archive(tar.Header{Name: "../../x", Size: 1}),
		"an absolute":    archive(tar.Header{Name: "/etc/x", Size: 1}),
		"a link":         archive(tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		"a hard link":    archive(tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}),
		"a device":       archive(tar.Header{Name: "x", Typeflag: tar.TypeChar}),
		"an escape":      archive(tar.Header{Name: "\x1b[2Jx", Size: 1}),
		"the same twice": archive(tar.Header{Name: "x", Size: 1}, tar.Header{Name: "x", Size: 1}),
		"case twice":     archive(tar.Header{Name: "x", Size: 1}, tar.Header{Name: "X", Size: 1}),
		"set-uid":        archive(tar.Header{Name: "x", Size: 1, Mode: 0o4755}),
	} {
		t.Run(what, func(t *testing.T) {
			var sealed bytes.Buffer
			ok(t, seal.Seal(&sealed, to, b))
			files, err := seal.OpenCopy(bytes.NewReader(sealed.Bytes()), with, seal.DefaultLimits)
			if err == nil && what == "set-uid" {
				return // the mode is not taken over
			}
			clearError(t, what, err)
			if len(files) > 0 {
				t.Error("files were given")
			}
		})
	}
	var sealed bytes.Buffer
	ok(t, seal.Seal(&sealed, to, archive(tar.Header{Name: "x.md", Size: 100})))
	for n := range sealed.Len() {
		if _, err := seal.OpenCopy(bytes.NewReader(sealed.Bytes()[:n]), with, seal.DefaultLimits); err == nil {
			t.Fatalf("the first %d bytes open", n)
		}
	}
}

// Receipts and proofs that were not made by this programme, or were changed.
func TestHostileReceipts(t *testing.T) {
	tn := found(t, 2)
	id := tn.wave(form.PoC, tn.members...)
	tn.clock.pass(11 * time.Minute)
	a, b := tn.members[0], tn.members[1]
	del, _, err := tn.fetch(a, id)
	ok(t, err)
	key, _ := a.keys.SigningKey()
	receipt := must(evidence.SignReceipt(key.Private(), &del.Proof, tn.verify, tick))
	before := tn.state()
	rng := dice(t.Name())
	raw := wire.Marshal(receipt)
	for range 200 {
		c := bytes.Clone(raw)
		c[rng.Uint64()%uint64(len(c))] ^= 1 << (rng.Uint64() % 8)
		var r evidence.Receipt
		if wire.Unmarshal(c, &r) != nil {
			continue
		}
		_, err := tn.desk.LodgeReceipt(ctx, a.actor, a.id, &r)
		clearError(t, "a changed receipt", err)
	}
	_, err = tn.desk.LodgeReceipt(ctx, b.actor, b.id, receipt)
	clearError(t, "another's receipt", err)
	_, err = tn.desk.LodgeReceipt(ctx, b.actor, a.id, receipt)
	clearError(t, "a receipt brought by another", err)
	other, _ := b.keys.SigningKey()
	forged := must(evidence.SignReceipt(other.Private(), &del.Proof, tn.verify, tick))
	_, err = tn.desk.LodgeReceipt(ctx, a.actor, a.id, forged)
	clearError(t, "a receipt by another's key", err)
	if tn.state() != before {
		t.Error("the state is another")
	}

	proof := wire.Marshal(&del.Proof)
	for range 300 {
		c := bytes.Clone(proof)
		c[rng.Uint64()%uint64(len(c))] ^= 1 << (rng.Uint64() % 8)
		var p evidence.CopyProof
		if wire.Unmarshal(c, &p) != nil {
			continue
		}
		if _, err := p.Verify(tn.verify, tick); err == nil {
			t.Fatal("a changed proof verifies")
		}
		if _, err := evidence.SignReceipt(key.Private(), &p, tn.verify, tick); err == nil {
			t.Fatal("a changed proof was signed for")
		}
	}
	_, err = tn.desk.LodgeReceipt(ctx, a.actor, a.id, receipt)
	ok(t, err)
}

// A folder that somebody has been at.
func TestHostileFolders(t *testing.T) {
	tn := found(t, 1)
	ok(t, tn.desk.Close())
	config := filepath.Join(tn.dir, "forewarn.json")
	kept, err := os.ReadFile(config)
	ok(t, err)
	for what, b := range map[string][]byte{
		"nothing":         {},
		"not JSON":        []byte("\x1b[2J"),
		"another version": bytes.Replace(kept, []byte(`"version": 1`), []byte(`"version": 9`), 1),
		"a list":          []byte("[]"),
	} {
		ok(t, os.WriteFile(config, b, 0o600))
		_, err := home.Open(tn.dir)
		clearError(t, what, err)
	}
	ok(t, os.WriteFile(config, kept, 0o600))
	for _, name := range []string{"desk/log.db", "desk/keys/log", "desk/keys/blinding", "desk/keys/log.pub"} {
		file := filepath.Join(tn.dir, name)
		kept, err := os.ReadFile(file)
		ok(t, err)
		for what, b := range map[string][]byte{"empty": {}, "short": kept[:len(kept)/2], "noise": bytes.Repeat([]byte("\x1b\xff"), 100)} {
			ok(t, os.WriteFile(file, b, 0o600))
			d, err := must(home.OpenOn(tn.dir, tn.home.Machine)).Desk(ctx)
			if err == nil {
				d.Close()
			}
			clearError(t, name+" "+what, err)
			for _, rest := range []string{"-wal", "-shm"} {
				os.Remove(file + rest)
			}
		}
		ok(t, os.WriteFile(file, kept, 0o600))
	}
	tn.desk, err = tn.home.Desk(ctx)
	ok(t, err)
	if _, err := tn.home.Desk(ctx); err == nil {
		t.Error("two desks are open at once")
	} else {
		clearError(t, "a second desk", err)
	}
	tn.audit()
}
