package seal

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"forewarn/internal/form"

	"pgregory.net/rapid"
)

func genFiles(t *rapid.T) []form.Output {
	name := rapid.StringMatching(`[a-z]{1,9}|[a-z]{90,100}`)
	paths := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(name, 1, 4).Draw(t, "names"), "/")
	}), 0, 8, rapid.ID).Draw(t, "paths")
	var out []form.Output
	for _, p := range paths {
		if form.CheckPath(p) == nil {
			out = append(out, form.Output{Path: p, Data: rapid.SliceOfN(rapid.Byte(), 0, 1500).Draw(t, "data")})
		}
	}
	return out
}

func TestPackRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := genFiles(t)
		size := PackedSize(files) + rapid.Int64Range(0, 3).Draw(t, "records")*tarRecord
		packed, err := Pack(files, size)
		if err != nil {
			t.Skip("names collide") // "a" and "a/b"
		}
		if int64(len(packed)) != size {
			t.Fatalf("%d bytes, want %d", len(packed), size)
		}
		got, err := Unpack(bytes.NewReader(packed), DefaultLimits)
		if err != nil || !sameFiles(got, files) {
			t.Fatalf("%d of %d files, %v", len(got), len(files), err)
		}
		// The standard library reads the same, and finds nothing beside it.
		r := tar.NewReader(bytes.NewReader(packed))
		for _, f := range must(sortedFiles(files)) {
			h, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			data, _ := io.ReadAll(r)
			if h.Name != f.Path || h.Mode != 0o644 || h.Typeflag != tar.TypeReg || !h.ModTime.IsZero() && h.ModTime.Unix() != 0 || !bytes.Equal(data, f.Data) {
				t.Fatalf("archive/tar reads %+v", h)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("archive/tar finds more: %v", err)
		}
	})
}

func TestPackIsDeterministic(t *testing.T) {
	shuffled := []form.Output{testFiles[2], testFiles[0], testFiles[1]}
	if !bytes.Equal(must(Pack(testFiles, 0)), must(Pack(shuffled, 0))) {
		t.Error("the order of files changes the archive")
	}
	if shuffled[0].Path != testFiles[2].Path {
		t.Error("Pack changed its argument")
	}
}

func TestPackRefuses(t *testing.T) {
	one := []form.Output{{Path: "a", Data: []byte("x")}}
	for name, files := range map[string][]form.Output{
		"twice":           {{Path: "a"}, {Path: "a"}},
		"case":            {{Path: "A/b"}, {Path: "a/B"}},
		"file and folder": {{Path: "a"}, {Path: "a/b"}},
		"folder and file": {{Path: "a/b/c"}, {Path: "a/b"}},
		"climbs":          {{Path: "../a"}},
		"absolute":        {{Path: "/a"}},
		"escape":          {{Path: "a\x1b[2J"}},
		"empty":           {{Path: ""}},
	} {
		if _, err := Pack(files, 0); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int64{1, tarRecord - 1, tarRecord + 512, -tarRecord} {
		if _, err := Pack(one, size); !errors.Is(err, ErrUnsafe) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// foreign makes an archive with the standard library.
func foreign(f func(w *tar.Writer)) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	f(w)
	w.Close()
	b.Write(make([]byte, (tarRecord-b.Len()%tarRecord)%tarRecord))
	return b.Bytes()
}

func header(h tar.Header) []byte {
	return foreign(func(w *tar.Writer) {
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
		io.CopyN(w, zeroReader{}, h.Size)
	})
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func edit(b []byte, f func([]byte)) []byte {
	b = bytes.Clone(b)
	f(b)
	return b
}

// resum makes the checksum right again, so that the edit itself must be noticed.
func resum(b []byte) {
	copy(b[148:156], "        ")
	sum := 0
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
}

func TestUnpackRefusesHostileArchives(t *testing.T) {
	good := must(Pack([]form.Output{{Path: "a", Data: []byte("x")}, {Path: "b", Data: nil}}, 0))
	if _, err := Unpack(bytes.NewReader(good), DefaultLimits); err != nil {
		t.Fatal(err)
	}
	limits := Limits{Files: 3, FileBytes: 1000, AllBytes: 2000}
	files := func(n, size int) []byte {
		var out []form.Output
		for i := range n {
			out = append(out, form.Output{Path: fmt.Sprint("f", i), Data: make([]byte, size)})
		}
		return must(Pack(out, 0))
	}
	cases := []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "ends within a header"},
		{"climbs", header(tar.Header{Name: "../../etc/passwd"}), "relative"},
		{"climbs within", header(tar.Header{Name: "a/../b"}), "relative"},
		{"absolute", header(tar.Header{Name: "/etc/passwd"}), "relative"},
		{"backslash", header(tar.Header{Name: `a\b`}), "not allowed"},
		{"drive", header(tar.Header{Name: `c:x`}), "not allowed"},
		{"device name", header(tar.Header{Name: `nul.txt`}), "device"},
		{"terminal escape", header(tar.Header{Name: "a\x1b[2J"}), `\x1b`},
		{"symbolic link", header(tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "symbolic link"},
		{"hard link", header(tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "b"}), "hard link"},
		{"device", header(tar.Header{Name: "a", Typeflag: tar.TypeChar}), "device"},
		{"pipe", header(tar.Header{Name: "a", Typeflag: tar.TypeFifo}), "pipe"},
		{"folder", header(tar.Header{Name: "a/", Typeflag: tar.TypeDir}), "folder"},
		{"setuid", header(tar.Header{Name: "a", Mode: 0o4755}), "not as it is written here"},
		{"owner", header(tar.Header{Name: "a", Uname: "root"}), "not as it is written here"},
		{"comment", header(tar.Header{Name: "a", PAXRecords: map[string]string{"comment": "x"}}), "1 to 200"},
		{"two PAX records", header(tar.Header{Name: strings.Repeat("p", 120), PAXRecords: map[string]string{"comment": "x"}}), ""},
		{"sparse claim", header(tar.Header{Name: "a", PAXRecords: map[string]string{"FOREWARN.x": "1"}}), ""},
		{"twice", foreign(func(w *tar.Writer) {
			w.WriteHeader(&tar.Header{Name: "a", Mode: 0o644})
			w.WriteHeader(&tar.Header{Name: "a", Mode: 0o644})
		}), ""},
		{"NUL in the name", edit(good, func(b []byte) { b[2] = 'x'; resum(b) }), "not as it is written here"},
		{"huge claim", edit(good, func(b []byte) { copy(b[124:], "77777777777"); resum(b) }), "at most 1000"},
		{"negative claim", edit(good, func(b []byte) { copy(b[124:], "-0000000001"); resum(b) }), "size"},
		{"binary size", edit(good, func(b []byte) { b[124] = 0x80; resum(b) }), "size"},
		{"wrong checksum", edit(good, func(b []byte) { b[148] ^= 1 }), "not as it is written here"},
		{"hidden in padding", edit(good, func(b []byte) { b[513] = 1 }), "hidden behind"},
		{"hidden in end", edit(good, func(b []byte) { b[len(b)-1] = 1 }), "hidden behind the end"},
		{"hidden in end mark", edit(good, func(b []byte) { b[3*512+600] = 1 }), "hidden behind the end"},
		{"out of order", append(append([]byte{}, good[1024:1536]...), good[:1024]...), "out of order"},
		{"cut in data", good[:700], "ends within"},
		{"cut at end mark", good[:3*512], "ends within a header"},
		{"cut in end mark", good[:4*512], "within its end mark"},
		{"file too big", files(1, 1001), "at most 1000"},
		{"together too big", files(3, 999), "2000 bytes together"},
		{"too many", files(4, 1), "more than 3 files"},
		{"endless padding", append(bytes.Clone(good), make([]byte, 1<<20)...), "padded with more"},
		{"nothing taken by default", good, "more than 0 files"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := limits
			if c.name == "nothing taken by default" {
				l = Limits{}
			}
			got, err := Unpack(bytes.NewReader(c.b), l)
			if !errors.Is(err, ErrUnsafe) || got != nil {
				t.Fatalf("%d files and %v, want ErrUnsafe", len(got), err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
			if strings.ContainsAny(err.Error(), "\x1b\x00") {
				t.Errorf("%q carries control characters", err)
			}
		})
	}
}

// A claim must not buy memory: an archive that says 60 MiB and holds nothing.
func TestUnpackMemoryFollowsTheData(t *testing.T) {
	b := append(tarHeader("a", 60<<20), 1, 2, 3)
	allocated := testing.Benchmark(func(b2 *testing.B) {
		b2.ReportAllocs()
		for b2.Loop() {
			Unpack(bytes.NewReader(b), DefaultLimits)
		}
	}).AllocedBytesPerOp()
	if allocated > 4<<20 {
		t.Errorf("%d bytes were taken for 3", allocated)
	}
}

func TestTarReadsIt(t *testing.T) {
	bin := tool(t, "tar")
	long := strings.Repeat("d", 60) + "/" + strings.Repeat("n", 100) + "/" + strings.Repeat("m", 30)
	if _, _, ok := splitPath(long); ok {
		t.Fatal("the path was meant not to fit ustar")
	}
	split := strings.Repeat("d", 60) + "/" + strings.Repeat("n", 60)
	files := append([]form.Output{{Path: long, Data: []byte("1")}, {Path: split, Data: []byte("22")}}, testFiles...)
	cmd := exec.Command(bin, "-tf", "-")
	cmd.Stdin = bytes.NewReader(must(Pack(files, 0)))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{"advisory.md", split, long, "empty.txt", "rules/gate.rules"}, "\n") + "\n"
	if string(out) != want {
		t.Errorf("tar lists\n%swant\n%s", out, want)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(must(Pack(testFiles[:1], 0)))
	f.Add(must(Pack([]form.Output{{Path: strings.Repeat("d", 60) + "/" + strings.Repeat("n", 100) + "/x"}}, 0)))
	f.Add(header(tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := Unpack(bytes.NewReader(b), Limits{Files: 10, FileBytes: 1 << 16, AllBytes: 1 << 17})
		if err != nil {
			if !errors.Is(err, ErrUnsafe) || files != nil {
				t.Fatalf("%d files and %v", len(files), err)
			}
			return
		}
		if again, err := Pack(files, int64(len(b))); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted, but packs differently: %v", err)
		}
	})
}

func FuzzUnlock(f *testing.F) {
	m := members()[0]
	f.Add(must(SealCopy(nil, testWave, testHolder, m.to, testFiles[:1], 0)))
	f.Add([]byte(lockedMagic + "\x00\x00\x00\x10"))
	f.Fuzz(func(t *testing.T, b []byte) {
		header, payload, err := Unlock(testWave, testHolder, b)
		if err != nil {
			return
		}
		if again, err := Lock(nil, testWave, testHolder, append(header, payload...)); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted, but locks differently: %v", err)
		}
	})
}

func FuzzParseRecipients(f *testing.F) {
	for _, m := range members() {
		f.Add(m.to.Text())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecipients(b)
		if err != nil {
			return
		}
		if again, err := ParseRecipients(r.Text()); err != nil || !bytes.Equal(again.Text(), r.Text()) {
			t.Fatalf("canonical text %q reads as %q, %v", r.Text(), again.Text(), err)
		}
	})
}

func FuzzParseIdentities(f *testing.F) {
	for _, m := range members() {
		f.Add(m.identity)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := ParseIdentities(b)
		if err == nil && len(ids.keys) == 0 && ids.signing == nil {
			t.Fatal("no error and no key")
		}
	})
}

var tarWithOwner = tar.Header{Name: "a", Uname: "root"}
