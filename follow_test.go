package forewarn_test

import (
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"forewarn"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence/evidencetest"
)

// A member's program keeps what it saw of a log, and refuses another history.
func TestFollowLog(t *testing.T) {
	c := evidencetest.New(3, 8)
	log := forewarn.Log{Key: c.LogKey, Interval: evidencetest.Interval}
	proof := c.Proof(1, 1)
	newest, err := forewarn.FollowLog(log, nil, proof.Marshal(), nil)
	if err != nil || string(newest) != string(proof.Entry.Checkpoint) {
		t.Fatalf("a log that was never seen: %v", err)
	}
	if again, err := forewarn.FollowLog(log, newest, proof.Marshal(), nil); err != nil || string(again) != string(newest) {
		t.Errorf("the same again: %v", err)
	}
	v, err := note.NewVerifier(c.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := entrylog.OpenCheckpoint(newest, v)
	if err != nil {
		t.Fatal(err)
	}
	other := func(change func(*entrylog.Checkpoint)) []byte {
		x := cp
		change(&x)
		b, err := x.Sign(c.Log)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	nothing := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	for _, row := range []struct {
		name string
		seen []byte
		read func(string) ([]byte, error)
		want error
	}{
		{"another root of that size", other(func(x *entrylog.Checkpoint) { x.Root[0] ^= 1 }), nil, forewarn.ErrForked},
		{"a longer log, and nothing to compare by", other(func(x *entrylog.Checkpoint) { x.Size += 7 }), nil, forewarn.ErrUncompared},
		{"a longer log, and nothing is published", other(func(x *entrylog.Checkpoint) { x.Size += 7 }), nothing, forewarn.ErrUncompared},
		{"another origin", other(func(x *entrylog.Checkpoint) { x.Origin += "/recovery-1" }), nothing, forewarn.ErrNotVerified},
		{"nonsense", []byte("x"), nothing, forewarn.ErrNotVerified},
	} {
		if _, err := forewarn.FollowLog(log, row.seen, proof.Marshal(), row.read); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	if _, err := forewarn.FollowLog(log, nil, []byte("x"), nil); !errors.Is(err, forewarn.ErrFormat) {
		t.Errorf("a proof that is none: %v", err)
	}
}
