package form

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"forewarn/internal/fpcode"
)

// FuzzParse: what parses is valid and re-encodes identically.
func FuzzParse(f *testing.F) {
	f.Add([]byte(formMagic))
	f.Add(golden(f).Marshal())
	f.Add(compose(f, map[string]string{"a.md": "a {{b|c}} {{token:hex}}\n<!-- order -->\n- x\n- y\n- z\n<!-- end -->\n"}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		form, err := Parse(b)
		if err != nil {
			return
		}
		if err := form.Check(); err != nil {
			t.Fatalf("parsed, but: %v", err)
		}
		if !bytes.Equal(form.Marshal(), b) {
			t.Fatal("re-encodes differently")
		}
	})
}

// FuzzParseReadings likewise.
func FuzzParseReadings(f *testing.F) {
	g := golden(f)
	r := Read(g, asSpecimens(render(g, symbols(g, rand.New(rand.NewPCG(1, 1))), 1)))
	f.Add(r.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReadings(b)
		if err == nil && !bytes.Equal(r.Marshal(), b) {
			t.Fatal("re-encodes differently")
		}
	})
}

// FuzzRead: no specimen makes the reader panic or write readings that do not
// encode.
func FuzzRead(f *testing.F) {
	g := golden(f)
	var readers []*Reader
	for _, version := range ReaderVersions {
		r, err := NewReaderVersion(g, version)
		if err != nil {
			f.Fatal(err)
		}
		readers = append(readers, r)
	}
	for _, o := range render(g, symbols(g, rand.New(rand.NewPCG(1, 1))), 1) {
		f.Add(o.Data)
	}
	f.Add([]byte("\xff\xfe<\x00a\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, reader := range readers {
			start := cpuTime()
			r := reader.Read([]Specimen{{string(b), b}, {"again", b}})
			if took := cpuTime() - start; took > 2*time.Second+time.Duration(len(b))*50*time.Microsecond {
				t.Fatalf("%s: %d bytes took %v", reader.Version(), len(b), took)
			}
			if again := reader.Read([]Specimen{{string(b), b}, {"again", b}}); r.Hash() != again.Hash() {
				t.Fatalf("%s: reading twice reads differently", reader.Version())
			}
			if _, err := ParseReadings(r.Marshal()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzRenderRead: whatever Form is made, if all its sites are distinguishable
// then every copy reads back as what it is.
func FuzzRenderRead(f *testing.F) {
	for i := range uint64(40) {
		f.Add(i, i*i)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		dice := rand.New(rand.NewPCG(a, b))
		form := set(randomFiles(dice))
		if form.Check() != nil {
			t.Skip("equal alternatives")
		}
		if bad := Distinguishable(form); len(bad) > 0 {
			t.Skipf("%d of %d sites", len(bad), len(form.Sites))
		}
		with := symbols(form, dice)
		outs := render(form, with, dice.Uint64())
		if dice.IntN(4) == 0 { // as a member shares it: all in one paste
			var all []byte
			for _, o := range outs {
				all = append(append(all, o.Data...), '\n')
			}
			outs = []Output{{"paste", all}}
			if len(form.Files) > 1 {
				for _, version := range ReaderVersions {
					r, _ := ReadVersion(form, version, asSpecimens(outs))
					for _, s := range r.Sites {
						if symbol, nats := s.Likeliest(); s.State == fpcode.Value && symbol != with[s.Site] && nats > 5 {
							t.Fatalf("%s: read %s, is %d", version, s.describe(), with[s.Site])
						}
					}
				}
				return
			}
		}
		for _, version := range ReaderVersions {
			r, _ := ReadVersion(form, version, asSpecimens(outs))
			for i, s := range r.Sites {
				if symbol, nats := s.Likeliest(); s.State != fpcode.Value || symbol != with[s.Site] || nats == 0 {
					t.Fatalf("%s: site %d: %s, is %d\n%s", version, i, s.describe(), with[s.Site], outs[0].Data)
				}
			}
		}
	})
}

var vocabulary = strings.Fields(`the a of to in is and that server request handler session cookie portal attacker login page document update
	release patch rule detect import theme folder file name token value return address check before after without owner site number version
	may can will must should not never always often once again 7 12 202 404 1900 x y zz`)

// randomFiles writes a few marked-up files of random words, some of them dense
// with marks, some of them repeating themselves.
func randomFiles(dice *rand.Rand) map[string]string {
	files := map[string]string{}
	words := vocabulary[:5+dice.IntN(len(vocabulary)-5)]
	phrase := func(n int) string {
		var w []string
		for range n {
			w = append(w, words[dice.IntN(len(words))])
		}
		return strings.Join(w, " ")
	}
	density := 2 + dice.IntN(12)
	var block string
	for i := range 1 + dice.IntN(3) {
		var b strings.Builder
		for range 1 + dice.IntN(60) {
			switch k := dice.IntN(density + 2); {
			case k == 0:
				fmt.Fprintf(&b, "{{%s|%s|%s}} ", phrase(dice.IntN(3)), phrase(1), phrase(1+dice.IntN(4))+" so")
			case k == 1:
				fmt.Fprintf(&b, "{{%s|not %s}}", phrase(1), phrase(1+dice.IntN(3)))
			case k == 2 && dice.IntN(4) == 0:
				b.WriteString("\n<!-- order -->\n")
				for j := range 2 + dice.IntN(9) {
					fmt.Fprintf(&b, "- %s %d\n", phrase(1+dice.IntN(5)), j)
				}
				b.WriteString("<!-- end -->\n")
			case k == 3 && dice.IntN(6) == 0:
				fmt.Fprintf(&b, "{{token:%s}} ", []string{"hex", "uuid", "base62"}[dice.IntN(3)])
			case k == 4 && dice.IntN(6) == 0:
				b.WriteString(block) // the same sites cannot stand again, but their like can
			default:
				b.WriteString(phrase(1+dice.IntN(8)) + [...]string{" ", ". ", "\n", "; <b>", "</b>, ", " `"}[dice.IntN(6)])
			}
		}
		block = b.String()[:min(b.Len(), 200)]
		if cut := strings.LastIndex(block, "\n"); cut > 0 && strings.Count(block[:cut], "{{") == strings.Count(block[:cut], "}}") && !strings.Contains(block, "<!--") {
			block = block[:cut]
		} else {
			block = ""
		}
		files[fmt.Sprintf("f%d.md", i)] = b.String()
	}
	return files
}
