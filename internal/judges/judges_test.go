package judges_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"forewarn/examples"
	"forewarn/internal/carrier"
	"forewarn/internal/equivalence"
	"forewarn/internal/judges"
)

// installed are the judges, without those whose tool is missing: then the test is
// skipped, or fails where all tools are said to be there.
func installed(t *testing.T, name string) equivalence.Judge {
	t.Helper()
	all := judges.Installed()
	j := all[slices.IndexFunc(all, func(j equivalence.Judge) bool { return j.Name() == name })]
	if _, err := j.Judge(context.Background(), "", equivalence.Corpus{}); errors.Is(err, equivalence.ErrAbsent) {
		if os.Getenv("FOREWARN_TEST_ALL") == "1" {
			t.Fatalf("%s isn't installed, and FOREWARN_TEST_ALL=1 asks for it", name)
		}
		t.Skipf("skipped: %s isn't installed", name)
	}
	return j
}

func renderings(t *testing.T, files ...carrier.SourceFile) []carrier.Rendering {
	t.Helper()
	src := carrier.Source{Files: append(files, carrier.SourceFile{Path: carrier.ManifestPath, Data: []byte("title: t\ntlp: TLP:RED\n")})}
	slices.SortFunc(src.Files, func(a, b carrier.SourceFile) int { return strings.Compare(a.Path, b.Path) })
	out, err := carrier.Renderings(src, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func example(t *testing.T, name string) carrier.SourceFile {
	t.Helper()
	b, err := fs.ReadFile(examples.Advisory(), name)
	if err != nil {
		t.Fatal(err)
	}
	return carrier.SourceFile{Path: name, Data: b}
}

// The example's rules do the same in all variants, and the corpus made of them
// shows each rule what it looks for.
func TestExample(t *testing.T) {
	for _, c := range []struct {
		judge, file string
		rules       *regexp.Regexp
	}{
		{"suricata", "rules/larkspur.rules", regexp.MustCompile(`sid:\s*([0-9]+)`)},
		{"yara", "rules/larkspur.yar", regexp.MustCompile(`(?m)^rule (\w+)`)},
	} {
		t.Run(c.judge, func(t *testing.T) {
			j := installed(t, c.judge)
			files := renderings(t, example(t, c.file))
			hits := map[string]int{}
			spy := spy{j, func(verdict []string) {
				for _, v := range verdict {
					for _, m := range c.rules.FindAllStringSubmatch(files[0].Texts[0], -1) {
						if strings.Contains(v, m[1]) {
							hits[m[1]]++
						}
					}
				}
			}}
			out, err := equivalence.Check(context.Background(), files, []equivalence.Judge{spy}, equivalence.Corpus{})
			if err != nil || len(out) != 1 || out[0].Unsaid != "" || out[0].Hits == 0 {
				t.Fatalf("%+v: %v", out, err)
			}
			t.Logf("%+v", out[0])
			for _, m := range c.rules.FindAllStringSubmatch(files[0].Texts[0], -1) {
				if hits[m[1]] == 0 {
					t.Errorf("nothing in the corpus makes %s fire", m[1])
				}
			}
		})
	}
}

type judge = equivalence.Judge

// spy shows a test what a judge says.
type spy struct {
	judge
	see func([]string)
}

func (s spy) Judge(ctx context.Context, rules string, c equivalence.Corpus) ([]string, error) {
	v, err := s.judge.Judge(ctx, rules, c)
	s.see(v)
	return v, err
}

const suricataRule = `alert http any any -> any any (msg:"a"; http.uri; content:"/x|2f|y"; content:!"no"; http.method; content:"POST"; sid:1; rev:1;)` + "\n"

const yaraRule = "rule a { strings: $h = \"head\" $x = { 01 02 } $r = /z[0-9]{2}/ condition: $h at 0 and ($x or $r) }\n"

// What the tools don't take, and what they would do otherwise, is refused. The
// variants are written by hand: the compiler lets no such source through.
func TestJudgesSeeADifference(t *testing.T) {
	for _, c := range []struct {
		judge, good, other string
		want               error
	}{
		{"suricata", suricataRule, suricataRule, nil},
		{"suricata", suricataRule, strings.Replace(suricataRule, `msg:"a"`, `msg:"other"`, 1), nil},
		{"suricata", suricataRule, strings.Replace(suricataRule, `POST`, `PUT`, 1), equivalence.ErrDiffers},
		{"suricata", suricataRule, strings.Replace(suricataRule, `content:!"no"; `, ``, 1), equivalence.ErrDiffers},
		{"suricata", suricataRule, strings.Replace(suricataRule, `sid:1`, `sid:2`, 1), equivalence.ErrDiffers},
		{"suricata", suricataRule, strings.Replace(suricataRule, `content:"POST"`, `content"POST"`, 1), equivalence.ErrNoParse},
		{"yara", yaraRule, yaraRule + "// more\n", nil},
		{"yara", yaraRule, strings.Replace(yaraRule, `"head"`, `"heads"`, 1), equivalence.ErrDiffers},
		{"yara", yaraRule, strings.Replace(yaraRule, `($x or $r)`, `$x and $r`, 1), equivalence.ErrDiffers},
		{"yara", yaraRule, strings.Replace(yaraRule, ` at 0`, ``, 1), equivalence.ErrDiffers},
		{"yara", yaraRule, strings.Replace(yaraRule, `{2}`, `{3}`, 1), equivalence.ErrDiffers},
		{"yara", yaraRule, strings.Replace(yaraRule, `condition:`, `conditions:`, 1), equivalence.ErrNoParse},
	} {
		t.Run(c.judge, func(t *testing.T) {
			j := installed(t, c.judge)
			f := carrier.Rendering{Path: "r", Format: c.judge, Marked: true, Texts: [carrier.Variants]string{c.good, c.good, c.other, c.good}}
			out, err := equivalence.Check(context.Background(), []carrier.Rendering{f}, []equivalence.Judge{j}, equivalence.Corpus{})
			if !errors.Is(err, c.want) || c.want == nil && (err != nil || out[0].Unsaid != "" || out[0].Hits == 0) {
				t.Errorf("%s: %+v: %v, want %v", c.other, out, err, c.want)
			}
			if c.want == equivalence.ErrNoParse && (strings.Contains(err.Error(), os.TempDir()) || len(err.Error()) > 500) {
				t.Errorf("told as %v", err)
			}
		})
	}
}

// Nothing is left of a run.
func TestRunsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, j := range judges.Installed() {
		j.Judge(context.Background(), "not a rule", equivalence.Corpus{Samples: []equivalence.File{{Name: "../x"}}})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		j.Judge(ctx, yaraRule, equivalence.Corpus{})
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// shared are files of real data, which is not part of this repository.
func shared(t *testing.T, pattern string) []string {
	t.Helper()
	dir := os.Getenv("FOREWARN_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Skipf("skipped: no %s (FOREWARN_DATA names the folder of real data)", pattern)
	}
	return files
}

// Published rules, in two orders, on published captures and on what is made of
// them: the verdict is the same. It is logged how many rules that corpus makes
// fire, which says how much a judgement on it is worth.
func TestPublished(t *testing.T) {
	for _, c := range []struct {
		judge, rules, corpus string
		count                *regexp.Regexp
	}{
		{"suricata", "suricata/*.rules", "pcap/*.pcap", regexp.MustCompile(`(?m)^alert http.*sid:\s*([0-9]+)`)},
		{"yara", "yara/*.yar", "", regexp.MustCompile(`(?m)^rule (\w+)`)},
	} {
		t.Run(c.judge, func(t *testing.T) {
			j := installed(t, c.judge)
			var given equivalence.Corpus
			if c.corpus != "" {
				for i, name := range shared(t, c.corpus) {
					if i%30 > 0 {
						continue // a run for each capture and rule file takes too long
					}
					given.Captures = append(given.Captures, equivalence.File{Name: filepath.Base(name), Data: read(t, name)})
				}
			}
			rules, fired, judged, unsaid := 0, 0, 0, 0
			for i, name := range shared(t, c.rules) {
				if i%6 > 0 && os.Getenv("FOREWARN_TEST_LONG") == "" {
					continue // two minutes for all
				}
				text := string(read(t, name))
				seen := map[string]bool{}
				f := carrier.Rendering{Path: filepath.Base(name), Format: c.judge, Texts: [carrier.Variants]string{text, text + "\n", text, text}}
				captures := given
				if i%30 > 0 {
					captures = equivalence.Corpus{} // each capture is a run
				}
				out, err := equivalence.Check(context.Background(), []carrier.Rendering{f}, []equivalence.Judge{spy{j, func(verdict []string) {
					for _, v := range verdict {
						if c.corpus != "" && !strings.Contains(v, "made-of-the-rules") {
							continue
						}
						seen[strings.Fields(strings.ReplaceAll(v, ":", " "))[1]] = true
						if f := strings.Fields(strings.ReplaceAll(v, ":", " ")); len(f) > 2 {
							seen[f[2]] = true
						}
					}
				}}}, captures)
				if err != nil {
					t.Errorf("%s: %v", filepath.Base(name), err)
					continue
				}
				if out[0].Unsaid != "" {
					unsaid++
					t.Logf("%s: %s", filepath.Base(name), out[0].Unsaid)
					continue
				}
				judged++
				for _, m := range c.count.FindAllStringSubmatch(text, -1) {
					if rules++; seen[m[1]] {
						fired++
					}
				}
			}
			t.Logf("%d files judged, %d not; %d of their %d rules fire on what is made of them", judged, unsaid, fired, rules)
			if judged == 0 || fired == 0 {
				t.Error("nothing was judged, or nothing fired")
			}
		})
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Rules that name files aren't run, however they write it; others are, whatever
// references they have.
func TestFilesAreNotRead(t *testing.T) {
	for _, c := range []struct {
		judge, rules string
		run          bool
	}{
		{"suricata", "alert http any any -> any any (msg:\"a\"; filemd5:/etc/hostname; sid:1; rev:1;)\n", false},
		{"suricata", "alert http any any -> any any (msg:\"a\"; file.data; FileSHA256 : ../x; sid:1; rev:1;)\n", false},
		{"suricata", "alert http any any -> any any (msg:\"a\"; http.host; data\\\nset:isset,x,type string,load /etc/hostname; sid:1; rev:1;)\n", false},
		{"suricata", "alert http any any -> any any (msg:\"a filemd5: b\"; reference:url,a.example; reference:nobodys,x; content:\"x\"; sid:1; rev:1;)\n", true},
		{"yara", "include \"/etc/hostname\"\nrule a { condition: true }\n", false},
		{"yara", "include/* x */\"../x\"\nrule a { condition: true }\n", false},
		{"yara", "rule a { meta: x = \"we include it\" condition: true }\n", true},
	} {
		_, err := installed(t, c.judge).Judge(context.Background(), c.rules, equivalence.Corpus{})
		if c.run && err != nil || !c.run && !errors.Is(err, equivalence.ErrUnjudged) {
			t.Errorf("%s: %v", c.rules, err)
		}
	}
}
