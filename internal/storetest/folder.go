package storetest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"forewarn/internal/ledger"
)

// RunPublisher tests a publisher; fresh gives an empty one.
func RunPublisher(t *testing.T, fresh func(t *testing.T) ledger.Publisher) {
	list := func(t *testing.T, p ledger.Publisher) []string {
		t.Helper()
		var out []string
		ok(t, p.List(background, func(path string) error { out = append(out, path); return nil }))
		slices.Sort(out)
		return out
	}
	reads := func(t *testing.T, p ledger.Publisher, path, want string) {
		t.Helper()
		got, err := p.ReadFile(background, path)
		ok(t, err)
		if string(got) != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	t.Run("empty", func(t *testing.T) {
		p := fresh(t)
		if got := list(t, p); got != nil {
			t.Errorf("it lists %q", got)
		}
		_, err := p.ReadFile(background, "checkpoint")
		is(t, err, fs.ErrNotExist)
		ok(t, p.Publish(background, nil))
		ok(t, p.Remove(background, []string{"tile/0/000.p"}))
	})
	t.Run("publish, replace and list", func(t *testing.T) {
		p := fresh(t)
		data := []byte("a")
		ok(t, p.Publish(background, []ledger.File{{Path: "tile/0/x001/067.p/8", Data: data}, {Path: "tile/0/000", Data: []byte("b")}, {Path: "checkpoint", Data: []byte("one")}}))
		data[0] = 'x' // the slices stay the caller's
		reads(t, p, "tile/0/x001/067.p/8", "a")
		ok(t, p.Publish(background, []ledger.File{{Path: "checkpoint", Data: []byte("two, longer")}}))
		reads(t, p, "checkpoint", "two, longer")
		ok(t, p.Publish(background, []ledger.File{{Path: "tile/0/000", Data: []byte("b")}, {Path: "checkpoint", Data: nil}}))
		reads(t, p, "checkpoint", "")
		if got, want := list(t, p), []string{"checkpoint", "tile/0/000", "tile/0/x001/067.p/8"}; !slices.Equal(got, want) {
			t.Errorf("it lists %q, want %q", got, want)
		}
		stop := errors.New("enough")
		if err := p.List(background, func(string) error { return stop }); err != stop {
			t.Errorf("List gives %v", err)
		}
		got, err := p.ReadFile(background, "tile/0/000")
		ok(t, err)
		clear(got)
		reads(t, p, "tile/0/000", "b") // lent would be cleared
	})
	t.Run("remove", func(t *testing.T) {
		p := fresh(t)
		ok(t, p.Publish(background, []ledger.File{{Path: "tile/0/000.p/1"}, {Path: "tile/0/000.p/2"}, {Path: "tile/0/000", Data: []byte("full")}, {Path: "tile/0/000.px"}, {Path: "checkpoint"}}))
		ok(t, p.Remove(background, []string{"tile/0/000.p", "none", "tile/0/none"}))
		if got, want := list(t, p), []string{"checkpoint", "tile/0/000", "tile/0/000.px"}; !slices.Equal(got, want) {
			t.Errorf("it lists %q, want %q", got, want)
		}
		ok(t, p.Publish(background, []ledger.File{{Path: "tile/0/000.p/3", Data: []byte("again")}}))
		reads(t, p, "tile/0/000.p/3", "again")
	})
	t.Run("hundreds", func(t *testing.T) {
		p := fresh(t)
		var files []ledger.File
		for i := range 300 {
			files = append(files, ledger.File{Path: "tile/" + string('a'+rune(i%26)) + "/" + string('a'+rune(i/26%26)) + string('a'+rune(i/676)), Data: bytes.Repeat([]byte{byte(i)}, 100)})
		}
		ok(t, p.Publish(background, append(files, ledger.File{Path: "checkpoint", Data: []byte("c")})))
		if got := list(t, p); len(got) != len(files)+1 {
			t.Errorf("%d files, want %d", len(got), len(files)+1)
		}
	})
	t.Run("ended contexts", func(t *testing.T) {
		p := fresh(t)
		ended, end := context.WithCancel(background)
		end()
		is(t, p.Publish(ended, []ledger.File{{Path: "a"}}), context.Canceled)
		_, err := p.ReadFile(ended, "a")
		is(t, err, context.Canceled)
		if got := list(t, p); got != nil {
			t.Errorf("%q was published", got)
		}
	})
}

// RunOutside tests an outside checkpoint; fresh gives one to which nothing was
// saved, and another handle on it.
func RunOutside(t *testing.T, fresh func(t *testing.T) (o, again ledger.Outside)) {
	o, again := fresh(t)
	if b, err := o.Load(background); b != nil || err != nil {
		t.Errorf("%q, %v: nothing was saved", b, err)
	}
	for _, c := range []string{"a long first one", "two", "three\n"} {
		data := []byte(c)
		ok(t, o.Save(background, data))
		clear(data)
		for _, h := range []ledger.Outside{o, again} {
			if b, err := h.Load(background); string(b) != c || err != nil {
				t.Errorf("%q, %v, want %q", b, err, c)
			}
		}
	}
	ended, end := context.WithCancel(background)
	end()
	is(t, o.Save(ended, []byte("late")), context.Canceled)
	if b, err := again.Load(background); string(b) != "three\n" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
