package herd

import (
	"net/smtp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"forewarn/internal/cvd"
)

// TestSort: what came once, what came again, what never did, and what the log doesn't
// have, or has for somebody else, are told apart.
func TestSort(t *testing.T) {
	m, err := newMailServer(false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	ids := make([]cvd.DeliveryID, 6)
	for i := range ids {
		ids[i][15] = byte(i + 1)
	}
	send := func(id cvd.DeliveryID, to string) {
		t.Helper()
		if err := smtp.SendMail(m.address, nil, "notices@herd.example", []string{to}, []byte("Message-ID: <"+id.String()+"@herd.example>\r\n\r\nSomething\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	tn := &town{opens: time.Now()}
	p := &cvd.Programme{Deliveries: map[cvd.DeliveryID]*cvd.Delivery{}}
	address := map[cvd.AccountID]string{}
	for i := range 5 {
		a := cvd.AccountID{15: byte(i + 1)}
		tn.members, address[a] = append(tn.members, member{account: a, mail: mailOf(i)}), mailOf(i)
		if i < 4 { // the last has no notice
			p.Deliveries[ids[i]] = &cvd.Delivery{ID: ids[i], Account: a}
		}
	}
	send(ids[0], mailOf(0))
	send(ids[1], mailOf(1))
	send(ids[1], mailOf(1))
	send(ids[2], mailOf(3)) // somebody else's: a stray, and lost
	send(ids[5], mailOf(4)) // the log doesn't have it
	send(ids[4], staffMail) // a call
	got, first := m.sort(p, tn, address)
	if want := (Post{Due: 4, Arrived: 2, Doubled: 1, Lost: 2, Strays: 2, Untold: 1, Roused: 1}); got != want || len(first) != 2 {
		t.Errorf("%+v, %d times; want %+v", got, len(first), want)
	}
	select {
	case <-m.arrived(mailOf(1)):
	default:
		t.Error("a member isn't told that its mail arrived")
	}
	select {
	case <-m.arrived(mailOf(2)):
		t.Error("a member is told of mail that never came")
	default:
	}
}

// TestClocks: a desk's clocks go by what the file says now, and are right without one.
func TestClocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clocks.json")
	read := Clocks(file)
	begun, e0 := read()
	for _, o := range []Offsets{{Wall: days}, {Wall: -days}, {Elapsed: -time.Hour}, {}} {
		if err := o.set(file); err != nil {
			t.Fatal(err)
		}
		wall, elapsed := read()
		if d := wall.Sub(begun) - o.Wall; d < 0 || d > time.Minute {
			t.Errorf("%+v: the wall clock is off by %s", o, d)
		}
		if d := elapsed - e0 - o.Elapsed; d < 0 || d > time.Minute {
			t.Errorf("%+v: the time that went by is off by %s", o, d)
		}
	}
	if err := os.WriteFile(file, []byte("no clock"), 0o600); err != nil {
		t.Fatal(err)
	}
	if wall, _ := read(); time.Since(wall).Abs() > time.Minute {
		t.Errorf("a file that says nothing sets the clock to %s", wall)
	}
}
