package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"forewarn/internal/form"
)

var update = flag.Bool("update", false, "draw new vectors where there are none")

const vectorDir = "../../doc/spec/vectors/sealed"

// vector is one locked copy and what must come of opening it.
type vector struct {
	Comment  string            `json:"comment"`
	WaveKey  string            `json:"wave_key"`
	Holder   string            `json:"holder"`
	Identity string            `json:"identity"`
	Locked   string            `json:"locked"`          // base64
	Error    string            `json:"error,omitempty"` // wrong key, damaged, refused
	Files    map[string]string `json:"files,omitempty"`
}

var vectorErrors = map[string]error{"": nil, "wrong key": ErrWrongKey, "damaged": ErrDamaged, "refused": ErrUnsafe}

func (v vector) open() ([]form.Output, error) {
	var wave WaveKey
	var holder Holder
	copy(wave[:], must(hex.DecodeString(v.WaveKey)))
	copy(holder[:], must(hex.DecodeString(v.Holder)))
	header, payload, err := Unlock(&wave, holder, must(base64.StdEncoding.DecodeString(v.Locked)))
	if err != nil {
		return nil, err
	}
	return OpenCopy(bytes.NewReader(append(header, payload...)), must(ParseIdentities([]byte(v.Identity))), DefaultLimits)
}

func TestVectors(t *testing.T) {
	names, _ := filepath.Glob(vectorDir + "/*.json")
	if len(names) == 0 {
		if !*update {
			t.Fatal("there are no vectors; -update draws them, once")
		}
		drawVectors(t)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			var v vector
			if err := json.Unmarshal(must(os.ReadFile(name)), &v); err != nil {
				t.Fatal(err)
			}
			want, known := vectorErrors[v.Error]
			if !known {
				t.Fatalf("error %q is not one of the classes", v.Error)
			}
			files, err := v.open()
			if !errors.Is(err, want) {
				t.Fatalf("%s: %v, want %v", v.Comment, err, want)
			}
			if len(files) != len(v.Files) {
				t.Errorf("%d files, want %d", len(files), len(v.Files))
			}
			for _, f := range files {
				if v.Files[f.Path] != string(f.Data) {
					t.Errorf("%s: %q", f.Path, f.Data)
				}
			}
		})
	}
}

func drawVectors(t *testing.T) {
	wave, holder := must(NewWaveKey()), Holder{0: 0xa5, 15: 0x5a}
	k := must(NewBlobKey())
	to := must(ParseRecipients([]byte(k.recipientForTest())))
	hybrid := members()[1]
	files := []form.Output{{Path: "advisory.md", Data: []byte("# Gate\n\nUpdate to 2.4.1.\n")}, {Path: "rules/gate.rules", Data: []byte("alert tcp any any -> any any (sid:1;)\n")}}
	base := vector{WaveKey: hex.EncodeToString(wave[:]), Holder: hex.EncodeToString(holder[:]), Identity: string(k.Text())}
	locked := must(SealCopy(nil, &wave, holder, to, files, 0))
	lockTar := func(tar []byte) []byte {
		var file bytes.Buffer
		if err := Seal(&file, to, tar); err != nil {
			t.Fatal(err)
		}
		return must(Lock(nil, &wave, holder, file.Bytes()))
	}
	put := func(name, comment, class string, b []byte, change func(*vector)) {
		v := base
		v.Comment, v.Error, v.Locked = comment, class, base64.StdEncoding.EncodeToString(b)
		if class == "" {
			v.Files = map[string]string{}
			for _, f := range files {
				v.Files[f.Path] = string(f.Data)
			}
		}
		if change != nil {
			change(&v)
		}
		b = must(json.MarshalIndent(v, "", "\t"))
		if err := os.WriteFile(filepath.Join(vectorDir, name+".json"), append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	headerAt := len(lockedMagic) + 4
	put("good", "two files to an X25519 recipient", "", locked, nil)
	put("good-hybrid", "two files to a hybrid post-quantum recipient", "", must(SealCopy(nil, &wave, holder, hybrid.to, files, 0)), func(v *vector) { v.Identity = hybrid.identityLine() })
	put("good-padded", "padded by one more record", "", must(SealCopy(nil, &wave, holder, to, files, PackedSize(files)+tarRecord)), nil)
	put("other-wave", "locked under another wave's key", "wrong key", locked, func(v *vector) { v.WaveKey = "01" + v.WaveKey[2:] })
	put("other-holder", "another holder's copy", "wrong key", locked, func(v *vector) { v.Holder = "01" + v.Holder[2:] })
	put("other-member", "sealed to another key", "wrong key", locked, func(v *vector) { v.Identity = string(must(NewBlobKey()).Text()) })
	put("header-flipped", "one bit of the locked header", "wrong key", edit(locked, func(b []byte) { b[headerAt] ^= 1 }), nil)
	put("nonce-flipped", "one bit of the payload's nonce, which the lock's key depends on", "wrong key", edit(locked, func(b []byte) { b[len(b)-tarRecord-16-ageNonce] ^= 1 }), nil)
	put("payload-flipped", "the payload's last bit", "damaged", edit(locked, func(b []byte) { b[len(b)-1] ^= 1 }), nil)
	put("cut", "the last byte is missing", "damaged", locked[:len(locked)-1], nil)
	put("longer", "a byte follows the end", "damaged", append(bytes.Clone(locked), 0), nil)
	put("magic", "another version", "damaged", edit(locked, func(b []byte) { b[len(lockedMagic)-2] = '2' }), nil)
	put("tar-owner", "a tar that names an owner", "refused", lockTar(header(tarWithOwner)), nil)
	put("tar-order", "files out of order", "refused", lockTar(swapped(must(Pack(files, 0)))), nil)
}

func (m member) identityLine() string {
	for _, line := range bytes.Split(m.identity, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("AGE-")) {
			return string(line) + "\n"
		}
	}
	panic("no age identity")
}

// swapped exchanges two files of one block each.
func swapped(tar []byte) []byte {
	out := append([]byte(nil), tar[1024:2048]...)
	out = append(out, tar[:1024]...)
	return append(out, tar[2048:]...)
}
