package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"forewarn/internal/form"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

var testTime = time.Date(2025, 7, 8, 9, 10, 11, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tool finds a program that judges our output from outside.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatalf("%s is not installed and FOREWARN_TEST_ALL=1", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// member is somebody with keys of one sort.
type member struct {
	kind       string
	to         Recipients
	with       Identities
	identity   []byte // the file
	onlyHere   bool   // Debian's age is too old for it
	recipients []string
}

func sshMember(kind string, key any) member {
	block := must(ssh.MarshalPrivateKey(key, ""))
	signer := must(ssh.NewSignerFromKey(key))
	line := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	text := pem.EncodeToMemory(block)
	to := must(ParseRecipients([]byte(line)))
	return member{kind, to, must(ParseIdentities(text)), text, false, to.Lines()}
}

func ageMember(kind string, k KeyKind) member {
	keys := must(Keygen(k, testTime))
	return member{kind, must(ParseRecipients([]byte(keys.Recipient))), must(ParseIdentities(keys.Identity)), keys.Identity, k == Hybrid, []string{keys.Recipient}}
}

var members = sync.OnceValue(func() []member {
	_, ed, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	return []member{
		ageMember("X25519", X25519),
		ageMember("hybrid", Hybrid),
		sshMember("ssh-ed25519", ed),
		sshMember("ssh-rsa", must(rsa.GenerateKey(rand.Reader, 2048))),
	}
})

var (
	testWave   = &WaveKey{1, 2, 3}
	testHolder = Holder{9, 9}
	testFiles  = []form.Output{
		{Path: "advisory.md", Data: []byte("# Gate\n\nUpdate to 2.4.1.\n")},
		{Path: "rules/gate.rules", Data: bytes.Repeat([]byte("alert http any any -> any any\n"), 3000)},
		{Path: "empty.txt", Data: nil},
	}
)

func sameFiles(a, b []form.Output) bool {
	a, b = must(sortedFiles(a)), must(sortedFiles(b))
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Path != b[i].Path || !bytes.Equal(a[i].Data, b[i].Data) {
			return false
		}
	}
	return true
}

func TestCopyReachesItsMemberOnly(t *testing.T) {
	for i, m := range members() {
		t.Run(m.kind, func(t *testing.T) {
			locked, err := SealCopy(nil, testWave, testHolder, m.to, testFiles, 0)
			if err != nil {
				t.Fatal(err)
			}
			header, payload, err := Unlock(testWave, testHolder, locked)
			if err != nil {
				t.Fatal(err)
			}
			file := append(header, payload...)
			for j, other := range members() {
				got, err := OpenCopy(bytes.NewReader(file), other.with, DefaultLimits)
				switch {
				case i == j && (err != nil || !sameFiles(got, testFiles)):
					t.Errorf("its member got %d files and error %v", len(got), err)
				case i != j && !errors.Is(err, ErrWrongKey):
					t.Errorf("%s's key on a copy for %s: %v, want ErrWrongKey", other.kind, m.kind, err)
				}
			}
		})
	}
}

// The claim behind early delivery of ciphertext: whoever holds a locked copy
// and the member's key, but not the wave's, holds nothing.
func TestLockedCopyResistsTheMembersKey(t *testing.T) {
	m := members()[0]
	locked := must(SealCopy(nil, testWave, testHolder, m.to, testFiles, 0))
	if _, err := Open(bytes.NewReader(locked), m.with); !errors.Is(err, ErrDamaged) {
		t.Errorf("the locked copy was read as an age file: %v", err)
	}
	header, payload, err := Unlock(testWave, testHolder, locked)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(header), []byte("\n"))[1:] {
		if bytes.Contains(locked, line) {
			t.Errorf("the locked copy shows the header's line %q", line)
		}
	}
	// A header of another file to the same member does not open the payload.
	other := must(SealCopy(nil, testWave, testHolder, m.to, testFiles, 0))
	header, _, err = Unlock(testWave, testHolder, other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCopy(bytes.NewReader(append(header, payload...)), m.with, DefaultLimits); !errors.Is(err, ErrDamaged) {
		t.Errorf("a foreign header opened the payload: %v", err)
	}
	for name, try := range map[string]func() error{
		"another wave's key":   func() error { _, _, err := Unlock(&WaveKey{1, 2, 4}, testHolder, locked); return err },
		"another holder":       func() error { _, _, err := Unlock(testWave, Holder{9, 8}, locked); return err },
		"no wave key":          func() error { _, _, err := Unlock(&WaveKey{}, testHolder, locked); return err },
		"no wave key, locking": func() error { _, err := SealCopy(nil, &WaveKey{}, testHolder, m.to, testFiles, 0); return err },
		"no identities": func() error {
			_, err := OpenCopy(bytes.NewReader(append(header, payload...)), Identities{}, DefaultLimits)
			return err
		},
	} {
		if err := try(); !errors.Is(err, ErrWrongKey) {
			t.Errorf("%s: %v, want ErrWrongKey", name, err)
		}
	}
	if _, err := SealCopy(nil, testWave, testHolder, Recipients{}, testFiles, 0); !errors.Is(err, ErrKeyText) {
		t.Errorf("sealing to nobody: %v, want ErrKeyText", err)
	}
}

func TestEveryFlippedOrMissingByteIsNoticed(t *testing.T) {
	m := members()[0]
	files := []form.Output{{Path: "a.md", Data: []byte("text")}}
	locked := must(SealCopy(nil, testWave, testHolder, m.to, files, 0))
	open := func(b []byte) error {
		header, payload, err := Unlock(testWave, testHolder, b)
		if err != nil {
			return err
		}
		_, err = OpenCopy(bytes.NewReader(append(header, payload...)), m.with, DefaultLimits)
		return err
	}
	if err := open(locked); err != nil {
		t.Fatal(err)
	}
	step := 1
	for i := 0; i < len(locked); i += step {
		if i == 1024 {
			step = 97 // past all structure, in one long chunk
		}
		b := bytes.Clone(locked)
		b[i] ^= 1
		if err := open(b); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrWrongKey) {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
		if err := open(locked[:i]); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrWrongKey) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	if err := open(append(bytes.Clone(locked), 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte more: %v", err)
	}
}

// Lock must never use one key for two headers, even when one holder is sealed
// to twice under one wave key: equal keystreams would show the headers' XOR.
func TestLockingTwiceUsesTwoKeys(t *testing.T) {
	m := members()[0]
	var streams [2][]byte
	for i := range streams {
		locked := must(SealCopy(nil, testWave, testHolder, m.to, testFiles, 0))
		header, _, err := Unlock(testWave, testHolder, locked)
		if err != nil {
			t.Fatal(err)
		}
		sealed := locked[len(lockedMagic)+4:]
		for j := range header {
			streams[i] = append(streams[i], sealed[j]^header[j])
		}
	}
	if bytes.Equal(streams[0][:32], streams[1][:32]) {
		t.Error("two lockings share a keystream")
	}
}

func TestSealCopyIsLockOfSealOfPack(t *testing.T) {
	m := members()[0]
	size := PackedSize(testFiles) + 3*tarRecord
	var file bytes.Buffer
	if err := Seal(&file, m.to, must(Pack(testFiles, size))); err != nil {
		t.Fatal(err)
	}
	apart := must(Lock(nil, testWave, testHolder, file.Bytes()))
	prefix := []byte("kept")
	atOnce := must(SealCopy(prefix, testWave, testHolder, m.to, testFiles, size))
	if len(apart)+len(prefix) != len(atOnce) || !bytes.HasPrefix(atOnce, prefix) {
		t.Errorf("%d bytes in steps, %d at once after %d", len(apart), len(atOnce), len(prefix))
	}
	header, payload, err := Unlock(testWave, testHolder, apart)
	if err != nil || !bytes.Equal(append(header, payload...), file.Bytes()) {
		t.Errorf("Unlock does not undo Lock: %v", err)
	}
}

// Debian's age and tar, which nobody on this project wrote, read what we seal.
func TestDebianAgeOpensCopies(t *testing.T) {
	bin, tar := tool(t, "age"), tool(t, "tar")
	for _, m := range members() {
		if m.onlyHere {
			continue // hybrid keys came with age 1.3
		}
		t.Run(m.kind, func(t *testing.T) {
			dir := t.TempDir()
			locked := must(SealCopy(nil, testWave, testHolder, m.to, testFiles, 0))
			header, payload, err := Unlock(testWave, testHolder, locked)
			if err != nil {
				t.Fatal(err)
			}
			id, file := filepath.Join(dir, "identity"), filepath.Join(dir, "copy.age")
			write(t, id, m.identity)
			write(t, file, append(header, payload...))
			plain := filepath.Join(dir, "copy.tar")
			run(t, nil, bin, "-d", "-i", id, "-o", plain, file)
			run(t, nil, tar, "-C", dir, "-xf", plain)
			for _, f := range testFiles {
				got, err := os.ReadFile(filepath.Join(dir, f.Path))
				if err != nil || !bytes.Equal(got, f.Data) {
					t.Errorf("%s: %d bytes, %v", f.Path, len(got), err)
				}
			}
			if out, err := exec.Command(bin, "-d", "-i", id, "-o", plain+"2", write(t, file, locked)).CombinedOutput(); err == nil {
				t.Errorf("age opened a locked copy: %s", out)
			}

			// The other way: what age seals, we open, armoured or not.
			for _, args := range [][]string{{}, {"-a"}} {
				sealed := run(t, []byte("hello"), bin, append(args, "-r", m.recipients[0])...)
				r, err := Open(bytes.NewReader(sealed), m.with)
				if err != nil {
					t.Fatalf("%v: %v", args, err)
				}
				if got, err := io.ReadAll(r); err != nil || string(got) != "hello" {
					t.Errorf("%v: %q, %v", args, got, err)
				}
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(name), args, err, errs.String())
	}
	return out
}

func TestRecipientStanzaIsTheLibrarys(t *testing.T) {
	for range 20 {
		id := must(age.GenerateX25519Identity())
		r := must(parseX25519(id.Recipient().String()))
		if r.text != id.Recipient().String() {
			t.Fatalf("%s became %s", id.Recipient(), r.text)
		}
		key := bytes.Repeat([]byte{7}, 16)
		stanzas := must(r.Wrap(key))
		if got, err := id.Unwrap(stanzas); err != nil || !bytes.Equal(got, key) {
			t.Fatalf("the library unwraps %x, %v", got, err)
		}
		if got := strings.ToUpper(bech32Text("age-secret-key-", bech32Data(strings.ToLower(id.String())))); got != id.String() {
			t.Fatal("bech32 does not round-trip")
		}
	}
}

func TestLowOrderRecipientIsRefused(t *testing.T) {
	// The point 0: everybody would know the shared secret.
	to := must(ParseRecipients([]byte(bech32Text("age", make([]byte, 32)))))
	if err := Seal(io.Discard, to, []byte("x")); !errors.Is(err, ErrKeyText) {
		t.Errorf("%v, want ErrKeyText", err)
	}
}

func TestBlobKeys(t *testing.T) {
	k, other := must(NewBlobKey()), must(NewBlobKey())
	blob := must(k.Encrypt([]byte("Ada Example")))
	if bytes.Contains(blob, []byte("Ada")) || bytes.Equal(blob, must(k.Encrypt([]byte("Ada Example")))) {
		t.Error("the blob shows its content, or that two are equal")
	}
	again := must(ParseBlobKey(k.Text()))
	if got, err := again.Decrypt(blob); err != nil || string(got) != "Ada Example" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := other.Decrypt(blob); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := (BlobKey{}).Decrypt(blob); !errors.Is(err, ErrWrongKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := (BlobKey{}).Encrypt(nil); !errors.Is(err, ErrWrongKey) {
		t.Errorf("no key: %v", err)
	}
	blob[len(blob)-1] ^= 1
	if got, err := k.Decrypt(blob); !errors.Is(err, ErrDamaged) || got != nil {
		t.Errorf("altered: %q, %v", got, err)
	}
	for _, text := range []string{"", "AGE-SECRET-KEY-1QQ", string(k.Text()) + "x", " " + string(k.Text())} {
		if _, err := ParseBlobKey([]byte(text)); !errors.Is(err, ErrKeyText) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s", k, k, k), fmt.Sprintf("%v %#v", *testWave, *testWave)} {
		if strings.Contains(shown, "SECRET") || strings.Contains(shown, "1 2 3") || strings.Contains(shown, "0x1") {
			t.Errorf("a key was printed: %s", shown)
		}
	}
}

func TestEnvelope(t *testing.T) {
	var env Envelope
	m := members()[0]
	seed := [32]byte{5}
	bulk, key, err := env.Bulk(seed, []form.Output{{Path: "big.bin", Data: make([]byte, 200_000)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, again, _ := env.Bulk(seed, nil); again != key {
		t.Error("the bulk's key does not follow from the seed")
	}
	locked, err := env.Lock(m.recipients, *testWave, testHolder, testFiles, key)
	if err != nil {
		t.Fatal(err)
	}
	header, payload, err := Unlock(testWave, testHolder, locked)
	if err != nil {
		t.Fatal(err)
	}
	all, err := OpenCopy(bytes.NewReader(append(header, payload...)), m.with, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	files, got := TakeBulkKey(all)
	if got != key || !sameFiles(files, testFiles) {
		t.Errorf("the copy came with key %q and %d files", got, len(files))
	}
	if files, err := OpenBulk(bulk, got, DefaultLimits); err != nil || len(files) != 1 || len(files[0].Data) != 200_000 {
		t.Errorf("bulk: %d files, %v", len(files), err)
	}
	if _, err := env.Lock(m.recipients, *testWave, testHolder, []form.Output{{Path: "Bulk-Key.txt"}}, ""); !errors.Is(err, ErrUnsafe) {
		t.Errorf("the reserved name: %v", err)
	}
	if _, _, err := env.Bulk([32]byte{}, nil); !errors.Is(err, ErrKeyText) {
		t.Errorf("no seed: %v", err)
	}
	sealed, err := env.To(m.recipients, []byte("note"))
	if err != nil {
		t.Fatal(err)
	}
	r := must(Open(bytes.NewReader(sealed), m.with))
	if b, err := io.ReadAll(r); err != nil || string(b) != "note" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestCrypt(t *testing.T) {
	var c Crypt
	key := must(c.NewKey())
	blob := must(c.Encrypt(key, []byte("title")))
	if got, err := c.Decrypt(key, blob); err != nil || string(got) != "title" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := c.Decrypt(must(c.NewKey()), blob); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	for _, bad := range [][]byte{nil, {}, []byte("x")} {
		if _, err := c.Encrypt(bad, nil); !errors.Is(err, ErrKeyText) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := c.Decrypt(bad, blob); !errors.Is(err, ErrKeyText) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	m := members()[0]
	locked := must(SealCopy(nil, testWave, testHolder, m.to, testFiles, 0))
	file := must(c.Unlock(*testWave, testHolder, locked))
	if got, err := OpenCopy(bytes.NewReader(file), m.with, DefaultLimits); err != nil || !sameFiles(got, testFiles) {
		t.Errorf("%d files, %v", len(got), err)
	}
	if _, err := c.Unlock([32]byte{}, testHolder, locked); !errors.Is(err, ErrWrongKey) {
		t.Errorf("no wave key: %v", err)
	}
}
