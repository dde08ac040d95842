package follow

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// scene is a log that is written and rotated, somebody who follows it, and a clock.
type scene struct {
	t       testing.TB
	path    string
	now     time.Time
	file    *File
	wrote   []byte // all that was ever written
	got     []byte // all that was ever given
	marks   []Mark // where each piece ended
	notes   []string
	rotated int
}

func newScene(t testing.TB) *scene {
	s := &scene{t: t, path: filepath.Join(t.TempDir(), "access.log"), now: time.Unix(1e9, 0)}
	s.open(nil)
	return s
}

func (s *scene) open(marks []Mark) {
	if s.file != nil {
		s.file.Close()
	}
	s.file = Open(s.path, marks, false)
	s.file.Now = func() time.Time { return s.now }
	s.file.Note = func(what string) { s.notes = append(s.notes, what) }
}

func (s *scene) write(text string) {
	s.t.Helper()
	x, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	ok(s.t, err)
	_, err = x.WriteString(text)
	ok(s.t, err)
	ok(s.t, x.Close())
	s.wrote = append(s.wrote, text...)
	s.age()
}

// age keeps file times apart, as they are between rotations.
func (s *scene) age() {
	s.now = s.now.Add(time.Second)
	if _, err := os.Stat(s.path); err == nil {
		ok(s.t, os.Chtimes(s.path, s.now, s.now))
	}
}

func (s *scene) shift() {
	for n := 9; n >= 1; n-- {
		os.Rename(fmt.Sprintf("%s.%d", s.path, n), fmt.Sprintf("%s.%d", s.path, n+1))
	}
}

func (s *scene) rename() {
	s.shift()
	ok(s.t, os.Rename(s.path, s.path+".1"))
	s.rotated++
}

func (s *scene) copyTruncate() {
	s.shift()
	b, err := os.ReadFile(s.path)
	ok(s.t, err)
	ok(s.t, os.WriteFile(s.path+".1", b, 0o600))
	s.now = s.now.Add(time.Second)
	ok(s.t, os.Chtimes(s.path+".1", s.now, s.now))
	ok(s.t, os.Truncate(s.path, 0))
	s.age()
	s.rotated++
}

// poll takes what there is, until there is nothing for longer than a rotation waits.
func (s *scene) poll() {
	s.t.Helper()
	for idle := 0; idle < 4; {
		p, err := s.file.Next()
		ok(s.t, err)
		if len(p.Data) == 0 {
			idle++
			s.now = s.now.Add(linger)
			continue
		}
		idle = 0
		if p.Offset != p.Begin+uint64(len(p.Data)) {
			s.t.Fatalf("a piece of %d bytes goes from %d to %d", len(p.Data), p.Begin, p.Offset)
		}
		s.got = append(s.got, p.Data...)
		s.marks = append(s.marks, p.Mark)
	}
}

func (s *scene) all() {
	s.t.Helper()
	s.poll()
	if !bytes.Equal(s.got, s.wrote) {
		s.t.Fatalf("wrote %d bytes, got %d:\n%q\n%q", len(s.wrote), len(s.got), tail(s.wrote), tail(s.got))
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-200):] }

func TestFollow(t *testing.T) {
	s := newScene(t)
	s.all() // not there yet
	s.write("one\ntwo\nthr")
	s.poll()
	if string(s.got) != "one\ntwo\n" {
		t.Fatalf("half a line was given: %q", s.got)
	}
	s.write("ee\n")
	s.all()
	s.rename()
	s.write("four\n")
	s.all()
	s.copyTruncate()
	s.write("five\n")
	s.all()
	// Written to the old file between the last look and the rotation; it ends without
	// a line's end.
	s.write("six\nse")
	s.rename()
	s.write("\neight\n")
	s.all()
	if s.marks[len(s.marks)-1].Generation != 4 || len(s.notes) != 0 {
		t.Errorf("generation %d, notes %q", s.marks[len(s.marks)-1].Generation, s.notes)
	}
}

// TestLateWriter: who still has the old file open writes to it after the rename.
func TestLateWriter(t *testing.T) {
	s := newScene(t)
	s.write("one\n")
	s.all()
	old, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0)
	ok(t, err)
	defer old.Close()
	s.rename()
	_, err = old.WriteString("late\n")
	ok(t, err)
	s.wrote = append(s.wrote, "late\n"...)
	s.write("new\n")
	s.all()
}

// TestAway: several rotations while nobody reads, of either kind.
func TestAway(t *testing.T) {
	s := newScene(t)
	s.write("one\n")
	s.all()
	s.file.Close()
	s.write("two\n")
	s.rename()
	s.write("three\n")
	s.copyTruncate()
	s.write("four\n")
	s.rename()
	s.write("five\n")
	s.open(s.marks[len(s.marks)-1:])
	s.all()
}

func TestLost(t *testing.T) {
	for name, lose := range map[string]func(*scene){
		"cut without a copy": func(s *scene) { ok(s.t, os.Truncate(s.path, 0)) },
		"replaced while away": func(s *scene) {
			ok(s.t, os.Remove(s.path))
			s.open(s.marks)
		},
	} {
		s := newScene(t)
		s.write("one\ntwo\n")
		s.all()
		lose(s)
		s.write("three\n")
		s.all()
		if len(s.notes) != 1 || s.marks[len(s.marks)-1].Generation != 2 {
			t.Errorf("%s: notes %q, at %+v", name, s.notes, s.marks[len(s.marks)-1])
		}
	}
}

// TestContext: each piece comes with the header that its lines are read by, also
// after a restart, and after the header was written anew.
func TestContext(t *testing.T) {
	s := newScene(t)
	lines := []string{"#A 1\n#B 1\n", "x\n", strings.Repeat("y\n", maxContext), "#A 2\n", "#B 2\nz\n", "z\n"}
	header := []string{"", "#A 1\n#B 1\n", "#A 1\n#B 1\n", "#A 1\n#B 1\n", "#B 1\n#A 2\n", "#A 2\n#B 2\n"}
	for _, again := range []bool{false, true} {
		s := newScene(t)
		for i, l := range lines {
			s.write(l)
			if again && i > 0 {
				s.open(s.marks[len(s.marks)-1:])
			}
			p, err := s.file.Next()
			ok(t, err)
			if !bytes.HasPrefix(p.Context, []byte(header[i])) || header[i] == "" && len(p.Context) > 0 {
				t.Errorf("again %v, piece %d: context %.40q, want %q first", again, i, p.Context, header[i])
			}
			if want := int64(1 + bytes.Count(s.wrote[:p.Begin], []byte("\n"))); p.Line != want {
				t.Errorf("again %v, piece %d: line %d, want %d", again, i, p.Line, want)
			}
			if string(p.Data) != l {
				t.Errorf("piece %d: %.20q", i, p.Data)
			}
			s.marks = append(s.marks, p.Mark)
		}
	}
	s.file.Close()
}

func TestLongLine(t *testing.T) {
	s := newScene(t)
	s.write(strings.Repeat("x", maxPiece+100))
	s.poll()
	if len(s.got) != maxPiece {
		t.Errorf("%d bytes of a long line were given", len(s.got))
	}
	s.write("\nnext\n")
	s.all()
}

func TestNotAFile(t *testing.T) {
	f := Open(t.TempDir(), nil, false)
	if _, err := f.Next(); err == nil {
		t.Error("a folder is followed")
	}
}

// TestAnyLife: whatever happens to a log, and wherever reading was broken off, each
// byte is given once, in order.
func TestAnyLife(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for round := range rounds {
		rng := rand.New(rand.NewPCG(uint64(round), 7))
		s := newScene(t)
		s.write(fmt.Sprintf("round %d\n", round))
		s.poll()
		ends := []int{0, len(s.got)} // of what was given, by mark
		for step := range 40 {
			switch rng.IntN(6) {
			case 0, 1, 2:
				var b strings.Builder
				for range rng.IntN(30) {
					fmt.Fprintf(&b, "%d.%d.%d %s\n", round, step, rng.IntN(1e9), strings.Repeat("z", rng.IntN(80)))
				}
				text := b.String()
				if rng.IntN(3) == 0 && len(text) > 2 {
					text = text[:len(text)-1-rng.IntN(2)] // the rest of the line never comes, or comes later
				}
				if text != "" {
					s.write(text)
				}
			case 3:
				if i, err := os.Stat(s.path); err == nil && i.Size() > 0 && s.rotated < 8 {
					s.rename()
				}
			case 4:
				if i, err := os.Stat(s.path); err == nil && i.Size() > 0 && s.rotated < 8 {
					s.copyTruncate()
				}
			case 5:
				s.poll()
				for len(ends) <= len(s.marks) {
					ends = append(ends, 0)
				}
				ends[len(s.marks)] = len(s.got)
				if len(s.marks) > 0 && rng.IntN(2) == 0 {
					// Killed; what was given since the mark was not kept.
					m := s.marks[len(s.marks)-1]
					s.got = s.got[:ends[len(s.marks)]]
					s.open([]Mark{m})
				}
			}
		}
		s.write("the end\n")
		s.poll()
		s.poll()
		if !bytes.Equal(s.got, s.wrote) {
			t.Fatalf("round %d: wrote %d bytes, got %d; notes %q", round, len(s.wrote), len(s.got), s.notes)
		}
	}
}

// TestAnyMark: reading can begin again at every mark that there ever was, as long
// as its file is there.
func TestAnyMark(t *testing.T) {
	s := newScene(t)
	var at []int
	for i := range 12 {
		s.write(fmt.Sprintf("line %d\nanother %d\n", i, i))
		s.poll()
		for len(at) < len(s.marks) {
			at = append(at, len(s.got))
		}
		switch i % 4 {
		case 1:
			s.rename()
		case 3:
			s.copyTruncate()
		}
	}
	marks := slices.Clone(s.marks)
	for i, m := range marks {
		s.got = append([]byte(nil), s.wrote[:at[i]]...)
		s.open([]Mark{m})
		s.all()
	}
}

// TestDirectives: a line that begins with # takes the place of the one of its name
// alone, and a date isn't remembered beyond the lines behind it.
func TestDirectives(t *testing.T) {
	s := newScene(t)
	text := "#Version: 1.0\n#Date: 2026-11-20\n#Fields: time cs-uri\n" + strings.Repeat("10:00:00 /\n", 2000) + "#Remark: still here\n" + strings.Repeat("11:00:00 /\n", 2000)
	want := "#Version: 1.0\n#Fields: time cs-uri\n#Remark: still here\n11:00:00"
	s.write(text)
	s.poll()
	for range 2 {
		s.write("12:00:00 /\n")
		p, err := s.file.Next()
		ok(t, err)
		if !strings.HasPrefix(string(p.Context), want) {
			t.Errorf("context %.120q", p.Context)
		}
		s.open([]Mark{p.Mark})
	}
	// However lines are broken into pieces, the same is remembered.
	var whole File
	whole.remember([]byte(text))
	for _, n := range []int{1, 7, 30} {
		var f File
		for b := range slices.Chunk([]byte(text), n) {
			f.remember(b)
		}
		if !slices.Equal(f.header, whole.header) {
			t.Errorf("in pieces of %d: %q, want %q", n, f.header, whole.header)
		}
	}
}

// TestBeginsWithTheOldest: where nothing says what was read, nothing that is there
// is passed over.
func TestBeginsWithTheOldest(t *testing.T) {
	s := newScene(t)
	s.write("one\n")
	s.rename()
	s.write("two\n")
	s.rename()
	s.write("three\n")
	s.all()
	if len(s.notes) != 1 || !strings.Contains(s.notes[0], "access.log.2") {
		t.Errorf("notes %q", s.notes)
	}
}

// TestEqualTimes: files that were changed in one moment are told apart by their
// names.
func TestEqualTimes(t *testing.T) {
	for _, names := range [][2]string{{".2", ".1"}, {"-20261101", "-20261102"}, {"-20261101", "-20261101.1"}} {
		s := newScene(t)
		s.write("one\n")
		s.all()
		when := s.now
		ok(t, os.Rename(s.path, s.path+names[0]))
		s.write("two\n")
		ok(t, os.Chtimes(s.path, when, when))
		ok(t, os.Rename(s.path, s.path+names[1]))
		s.write("three\n")
		s.all()
	}
}

// TestToldOf: what is passed over is told.
func TestToldOf(t *testing.T) {
	for name, do := range map[string]func(*scene){
		"compressed": func(s *scene) {
			ok(s.t, os.Rename(s.path, s.path+".1"))
			s.write("two\n")
			ok(s.t, os.Rename(s.path+".1", s.path+".2.gz"))
			ok(s.t, os.Rename(s.path, s.path+".1.gz"))
			s.write("three\n")
			s.poll()
		},
		"bytes were written": func(s *scene) {
			old, err := os.OpenFile(s.path, os.O_APPEND|os.O_WRONLY, 0)
			ok(s.t, err)
			defer old.Close()
			s.rename()
			s.write("two\n")
			s.poll()
			_, err = old.WriteString("late\n")
			ok(s.t, err)
			s.poll()
			_, err = old.WriteString("later\n")
			ok(s.t, err)
			s.poll()
		},
	} {
		s := newScene(t)
		s.write("one\n")
		s.poll()
		do(s)
		if len(s.notes) != 1 || !strings.Contains(s.notes[0], name) {
			t.Errorf("%s: notes %q", name, s.notes)
		}
	}
}
