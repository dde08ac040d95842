package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"forewarn/internal/entrylog"
	"forewarn/internal/ledger"
	"forewarn/internal/memstore"
	"forewarn/internal/storetest"
)

// shrink copies a log's file to one with small pages, so that a few dozen
// records make every sort of page: leaves, inner nodes, overflow and free ones.
func shrink(t *testing.T, path string) (file []byte) {
	t.Helper()
	small := filepath.Join(t.TempDir(), "small.db")
	db, err := connect(path, "rw", 1)
	ok(t, err)
	defer db.Close()
	_, err = db.Exec("PRAGMA page_size = 512")
	ok(t, err)
	_, err = db.Exec("VACUUM INTO ?", small)
	ok(t, err)

	s, err := Open(ctx, small)
	ok(t, err)
	head, err := s.Head(ctx)
	ok(t, err)
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	ok(t, s.SetHead(ctx, epoch, make([]byte, 3000))) // leaves free pages behind
	ok(t, s.SetHead(ctx, epoch, head))
	ok(t, s.Close())
	file, err = os.ReadFile(small)
	ok(t, err)
	return file
}

func smallLog(t *testing.T) (file []byte, records []entrylog.Record, head []byte) {
	t.Helper()
	s, _ := fresh(t)
	epoch, err := s.Acquire(ctx)
	ok(t, err)
	for i := range entrylog.Seq(40) {
		size := 20 + int(i)*3
		if i%13 == 5 {
			size = 1200
		}
		records = append(records, storetest.Record(i, size))
	}
	s.(*Store).writer.rowMost = 300 // rows of several records
	ok(t, s.Append(ctx, 0, epoch, records))
	head = []byte("signed head")
	ok(t, s.SetHead(ctx, epoch, head))
	ok(t, s.Close())
	return shrink(t, s.(*Store).path), records, head
}

// Every bit that may flip in the file either has no effect, or is an error, or
// is seen in the one record or head that it lies in, which is for the ledger's
// hashes to find. Never is a record lost, doubled or moved without a word.
func TestFlippedBits(t *testing.T) {
	file, want, head := smallLog(t)
	path := filepath.Join(t.TempDir(), "log.db")
	step := 13
	if os.Getenv("FOREWARN_TEST_ALL") == "1" {
		step = 3
	}
	var none, told, seen int
	for i := 0; i < len(file); i += step {
		b := bytes.Clone(file)
		b[i] ^= 1 << (i % 8)
		ok(t, os.WriteFile(path, b, 0o600))
		got, gotHead, err := readAll(path)
		switch {
		case err != nil:
			if !errors.Is(err, ledger.ErrDamaged) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNewer) && !strings.Contains(err.Error(), path) {
				t.Fatalf("byte %d: an error without a class: %v", i, err)
			}
			told++
		case len(got) != len(want):
			t.Fatalf("byte %d: %d records without an error, want %d", i, len(got), len(want))
		default:
			changed := 0
			if !bytes.Equal(gotHead, head) {
				changed++
			}
			for j := range want {
				if got[j].Salt != want[j].Salt || !bytes.Equal(got[j].Entry, want[j].Entry) {
					changed++
				}
			}
			switch changed {
			case 0:
				none++
			case 1:
				seen++
			default:
				t.Fatalf("byte %d: %d records differ", i, changed)
			}
		}
	}
	t.Logf("of %d flips %d had no effect, %d are errors, %d are seen in the record they lie in", none+told+seen, none, told, seen)
	if none == 0 || told == 0 || seen == 0 {
		t.Error("the flips did not reach every sort of byte")
	}
}

func readAll(path string) (out []entrylog.Record, head []byte, err error) {
	s, err := OpenReadOnly(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	err = s.Read(ctx, 0, func(_ entrylog.Seq, r entrylog.Record) error {
		out = append(out, entrylog.Record{Salt: r.Salt, Entry: bytes.Clone(r.Entry)})
		return nil
	})
	if err == nil {
		head, err = s.Head(ctx)
	}
	return out, head, err
}

// The same through the ledger's audit: a flip either changes nothing of what
// the audit finds, or the audit fails; and it fails, naming the entry, whenever a
// record is not what it was.
func TestFlippedBitsAreAudited(t *testing.T) {
	s, _ := fresh(t)
	opt := logOptions(t)
	now := time.Date(2025, 7, 8, 0, 0, 0, 0, time.UTC)
	opt.Clock = func() time.Time { return now }
	pub := memstore.NewFolder(nil)
	l, err := ledger.Open(ctx, s, pub, memstore.NewOutside(nil), opt, nil)
	ok(t, err)
	for range 30 {
		_, err := l.Append(ctx, []ledger.Draft{{Kind: 1, Body: &body150{}}})
		ok(t, err)
		now = now.Add(10 * time.Second)
	}
	ok(t, l.Tick(ctx)) // the last entries are of no anchor yet
	ok(t, l.Close())
	ok(t, s.Close())
	file := shrink(t, s.(*Store).path)

	path := filepath.Join(t.TempDir(), "log.db")
	audit := func(b []byte) (ledger.Report, error) {
		ok(t, os.WriteFile(path, b, 0o600))
		s, err := OpenReadOnly(ctx, path)
		if err != nil {
			return ledger.Report{}, err
		}
		defer s.Close()
		return ledger.Verify(ctx, s, pub, opt, nil, nil)
	}
	good, err := audit(file)
	ok(t, err)
	if !good.OK() || good.Entries != 30 || good.Anchors == 0 {
		t.Fatalf("%+v", good)
	}
	want, _, err := readAll(path)
	ok(t, err)
	var none, found int
	for i := 0; i < len(file); i += 41 {
		b := bytes.Clone(file)
		b[i] ^= 1 << (i % 8)
		r, err := audit(b)
		got, _, readErr := readAll(path)
		altered := -1
		for j := range want {
			if readErr == nil && (got[j].Salt != want[j].Salt || !bytes.Equal(got[j].Entry, want[j].Entry)) {
				altered = j
			}
		}
		switch {
		case err == nil && r.OK():
			if none++; altered >= 0 || !reflect.DeepEqual(r, good) {
				t.Fatalf("byte %d: entry %d is altered and the audit found nothing", i, altered)
			}
		case altered >= 0 && !strings.Contains(fmt.Sprint(r.Problems, err), fmt.Sprintf("entry %d", altered)):
			t.Fatalf("byte %d: entry %d is altered, and that is not said: %v %v", i, altered, r.Problems, err)
		default:
			found++
		}
	}
	t.Logf("of %d flips %d changed nothing, %d were found", none+found, none, found)
	if none == 0 || found == 0 {
		t.Error("the flips did not reach every sort of byte")
	}
}

// A page overwritten: the error says which entry, or which of the two other
// rows. The file cut short: an error at the latest when the log is read.
func TestCorruptedPages(t *testing.T) {
	file, want, _ := smallLog(t)
	try := func(what string, b []byte) error {
		path := filepath.Join(t.TempDir(), "log.db")
		ok(t, os.WriteFile(path, b, 0o600))
		got, _, err := readAll(path)
		if err == nil && len(got) == len(want) {
			return nil // a free page
		}
		is(t, err, ledger.ErrDamaged)
		if err != nil && strings.Contains(err.Error(), "entry ") && !strings.Contains(err.Error(), fmt.Sprintf("entry %d of %d", len(got), len(want))) {
			t.Errorf("%s: %v, after %d entries", what, err, len(got))
		}
		return err
	}
	entries := 0
	for page := 1; page < len(file)/512; page++ {
		b := bytes.Clone(file)
		for i := range 512 {
			b[page*512+i] = 0xa5
		}
		err := try(fmt.Sprint("page ", page+1), b)
		if text := fmt.Sprint(err); strings.Contains(text, "entry ") {
			entries++
		} else if err != nil && !strings.Contains(text, "its head") && !strings.Contains(text, "number of its entries") {
			t.Errorf("page %d: %v: what of it?", page+1, err)
		}
		if try(fmt.Sprint("cut at page ", page+1), file[:page*512]) == nil {
			t.Errorf("a log cut at page %d reads", page+1)
		}
	}
	if entries < 10 {
		t.Errorf("only %d pages held entries", entries)
	}
}

// Rows that somebody took away, added or changed with SQLite itself. The log has
// ten entries: 0 to 4 in rows of their own, 5 to 9 in one.
func TestEditedRows(t *testing.T) {
	const record = recordHead + 50
	for what, c := range map[string]struct{ statement, want string }{
		"nothing":                {"SELECT 1", ""},
		"a row deleted":          {"DELETE FROM entries WHERE first = 3", "entry 3 of 10 is missing, entry 4 follows"},
		"the last row deleted":   {"DELETE FROM entries WHERE first = 5", "entry 5 of 10 is missing, and all after it"},
		"the first":              {"DELETE FROM entries WHERE first = 0", "entry 0 of 10 is missing, entry 1 follows"},
		"all":                    {"DELETE FROM entries", "entry 0 of 10 is missing, and all after it"},
		"a row added":            {"INSERT INTO entries SELECT 10, records FROM entries WHERE first = 0", "entry 10 of 10 is there, beyond the last"},
		"a row before the first": {"INSERT INTO entries SELECT -1, records FROM entries WHERE first = 0", ""},
		"a row within another":   {"INSERT INTO entries SELECT 7, records FROM entries WHERE first = 0", "entry 10 of 10 is missing, entry 7 follows"},
		"a row emptied":          {"UPDATE entries SET records = x'' WHERE first = 3", "entry 3 of 10 is not whole"},
		"a record cut":           {fmt.Sprintf("UPDATE entries SET records = substr(records, 1, %d) WHERE first = 5", 3*record-1), "entry 7 of 10 is not whole in the row that begins with entry 5"},
		"the end cut":            {fmt.Sprintf("UPDATE entries SET records = substr(records, 1, %d) WHERE first = 5", 3*record), "entry 8 of 10 is missing, and all after it"},
		"a length of 0":          {"UPDATE entries SET records = CAST(x'00000000' || substr(records, 5) AS BLOB) WHERE first = 3", "entry 3 of 10 is not whole"},
		"a great length":         {"UPDATE entries SET records = CAST(x'7fffffff' || substr(records, 5) AS BLOB) WHERE first = 3", "entry 3 of 10 is not whole"},
		"a byte more":            {"UPDATE entries SET records = CAST(records || x'00' AS BLOB) WHERE first = 3", "entry 4 of 10 is not whole in the row that begins with entry 3"},
		"size raised":            {"UPDATE writer SET size = 11", "entry 10 of 11 is missing"},
		"size lowered":           {"UPDATE writer SET size = 9", "entry 9 of 9 is there, beyond the last"},
		"size negative":          {"UPDATE writer SET size = -1", "number of its entries is -1"},
		"the writer's row":       {"DELETE FROM writer", "number of its entries is gone"},
	} {
		t.Run(what, func(t *testing.T) {
			s, reopen := fresh(t)
			epoch, err := s.Acquire(ctx)
			ok(t, err)
			var last []entrylog.Record
			for i := range entrylog.Seq(10) {
				r := storetest.Record(i, 50)
				if i < 5 {
					ok(t, s.Append(ctx, i, epoch, []entrylog.Record{r}))
				} else {
					last = append(last, r)
				}
			}
			ok(t, s.Append(ctx, 5, epoch, last))
			_, err = s.(*Store).writer.conn.ExecContext(ctx, c.statement)
			ok(t, err)
			ok(t, s.Close())
			s = reopen()
			err = s.Read(ctx, 0, func(entrylog.Seq, entrylog.Record) error { return nil })
			if c.want == "" {
				ok(t, err)
				return
			}
			is(t, err, ledger.ErrDamaged)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v does not say %q", err, c.want)
			}
			// Nor does a read that begins later give an entry a wrong number.
			s.Read(ctx, 4, func(seq entrylog.Seq, r entrylog.Record) error {
				if want := storetest.Record(seq, 50); r.Salt != want.Salt {
					t.Errorf("entry %d is another", seq)
				}
				return nil
			})
		})
	}
}
