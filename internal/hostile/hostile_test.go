package hostile

import (
	"archive/zip"
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"forewarn/internal/carrier"
	"forewarn/internal/dsn"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/wire"
)

func zipped(t testing.TB, files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const advisory = "# Layout import\n\nAnybody may import a layout. Its session is {{checked afterwards|looked at afterwards}}.\n" +
	"{{Update to 7.4.3|Take version 7.4.3}} and look for requests to the import.\n"

func compiled(t testing.TB) *form.Form {
	f, _, _, err := carrier.CompileFor(carrier.Source{Files: []carrier.SourceFile{
		{Path: "advisory.md", Data: []byte(advisory)}, {Path: carrier.ManifestPath, Data: []byte("title: Layout import\nsummary: Short.\ntlp: AMBER\n")},
	}}, fpcode.BiasKey(fpcode.Key{}), fpcode.Default, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Read gives what reading in place gives, and takes no answer to another question.
func TestRead(t *testing.T) {
	f := compiled(t)
	found := []form.Specimen{{Name: "paste", Data: []byte("Anybody may import a layout. Its session is looked at afterwards. Update to 7.4.3 and look")}}
	q := ReadRequest{Form: f.Marshal(), Reader: form.ReaderVersion, Specimens: found}
	answer, err := Tasks[Read](wire.Marshal(&q))
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.Readings(f, answer)
	if want := form.Read(f, found); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v: %+v, want %+v", err, got, want)
	}
	if n, _, _ := got.Count(); n == 0 {
		t.Fatal("nothing was read")
	}
	other := q
	other.Specimens = []form.Specimen{{Name: "paste", Data: []byte("else")}}
	if _, err := other.Readings(f, answer); err == nil {
		t.Error("an answer about other specimens was taken")
	}
	other = q
	other.Reader = "another"
	if _, err := other.Readings(f, answer); err == nil {
		t.Error("an answer of another reader was taken")
	}
	if _, err := q.Readings(f, answer[:len(answer)-1]); err == nil {
		t.Error("half an answer was taken")
	}
	if _, err := Tasks[Read](wire.Marshal(&other)); !errors.Is(err, form.ErrReader) {
		t.Error(err)
	}
}

func TestUnpack(t *testing.T) {
	b, err := Tasks[Unpack](zipped(t, map[string]string{"a/b.md": "text"}))
	if err != nil {
		t.Fatal(err)
	}
	var u Unpacked
	if err := wire.Unmarshal(b, &u); err != nil || len(u.Files) != 1 || string(u.Files[0].Path) != "a/b.md" || string(u.Files[0].Data) != "text" {
		t.Fatal(u, err)
	}
	for what, in := range map[string][]byte{
		"can't be read": []byte("PK\x03\x04 and no more"),
		"more than":     zipped(t, map[string]string{"a": strings.Repeat("0", carrier.MaxTotal/2+1), "b": strings.Repeat("0", carrier.MaxTotal/2+1)}),
	} {
		if _, err := Tasks[Unpack](in); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBounces(t *testing.T) {
	mail := "From: mailer@example.com\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nno\n--b\nContent-Type: message/delivery-status\n\n" +
		"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; \xff@example.org\nAction: failed\nStatus: 5.1.1\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <x@y.example>\n\n--b--\n"
	b, err := Tasks[Bounces]([]byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	var got Bounced
	if err := wire.Unmarshal(b, &got); err != nil || got.Messages != 1 || got.Counts.Reports != 1 || len(got.Reports) != 1 || got.Reports[0].MessageID != "x@y.example" || !got.Reports[0].Permanent() {
		t.Fatalf("%+v, %v", got, err)
	}
	var want []dsn.Report
	dsn.Read(strings.NewReader(mail), func(r dsn.Report) error { want = append(want, r); return nil })
	if !reflect.DeepEqual(got.Reports, want) {
		t.Errorf("%q, want %q", got.Reports, want)
	}
}

// Whatever comes, a task answers or refuses, and what it answers can be read.
func FuzzTasks(f *testing.F) {
	f.Add(zipped(f, map[string]string{"a": "b"}))
	f.Add(wire.Marshal(&ReadRequest{Form: compiled(f).Marshal(), Reader: form.ReaderVersion, Specimens: []form.Specimen{{Name: "x", Data: []byte("y")}}}))
	packed, err := carrier.Source{Files: []carrier.SourceFile{{Path: "advisory.md", Data: []byte(advisory)}}}.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte("From x\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b--\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, task := range Tasks {
			out, err := task(b)
			if err != nil {
				continue
			}
			switch name {
			case Unpack:
				err = wire.Unmarshal(out, new(Unpacked))
			case Bounces:
				err = wire.Unmarshal(out, new(Bounced))
			case Read:
				_, err = form.ParseReadings(out)
			}
			if err != nil {
				t.Errorf("%s: what it answers can't be read: %v", name, err)
			}
		}
	})
}
