package smtp

import (
	"fmt"
	"testing"

	"forewarn/internal/coordinator"
)

func jobs(n int, to func(int) string) (out []*job) {
	for i := range n {
		out = append(out, &job{Mail: coordinator.Mail{To: to(i)}})
	}
	return out
}

// Receivers take turns, one has three quarters of the hands at most, and slow ones come
// last and have no more together.
func TestTurns(t *testing.T) {
	q := newQueue(12)
	one := func(int) string { return "u@One.example" }
	many := func(i int) string { return fmt.Sprintf("u@m%d.example", i%3) }
	if n := q.add(jobs(100, one)); n != 12 {
		t.Errorf("%d hands are hired", n)
	}
	var held []*job
	for range 12 {
		if j := q.next(); j != nil {
			held = append(held, j)
		}
	}
	if len(held) != 9 {
		t.Errorf("one receiver has %d hands", len(held))
	}
	if n := q.add(jobs(30, many)); n != 3 {
		t.Errorf("%d hands are hired beside those", n)
	}
	for i := range 30 {
		j := q.next()
		if j == nil || j.to != fmt.Sprintf("m%d.example", i%3) {
			t.Fatalf("turn %d is %+v", i, j)
		}
		q.ended(j, false)
	}
	for _, j := range held { // it was slow, and so are others
		q.ended(j, true)
		q.slow["m0.example"], q.slow["m1.example"] = true, true
	}
	q.add(jobs(30, many))
	q.work = 12
	slow := 0
	for range 10 {
		j := q.next()
		if j == nil || j.to != "m2.example" {
			t.Fatalf("%+v comes before who is not slow", j)
		}
		q.ended(j, false)
	}
	for j := q.next(); j != nil; j = q.next() {
		slow++
	}
	if slow != 9 {
		t.Errorf("slow receivers have %d hands", slow)
	}
}

// Everything that waits has its turn, in a time that grows as it does.
func TestTurnsOfMany(t *testing.T) {
	looked := func(n int) (steps int) {
		q := newQueue(12)
		own := func(i int) string { return fmt.Sprintf("u@m%d.example", i) }
		for i := range n {
			q.slow[fmt.Sprintf("m%d.example", i)] = true
		}
		q.add(jobs(n, own))
		done := 0
		for done < n {
			var held []*job
			for j := q.next(); j != nil; j = q.next() {
				held = append(held, j)
				steps++
			}
			q.work += len(held) + 1
			if len(held) == 0 || len(held) > 9 {
				t.Fatalf("after %d, %d have a hand", done, len(held))
			}
			for _, j := range held {
				done++
				q.ended(j, true)
			}
		}
		if len(q.waits) > 0 || len(q.turns[0])+len(q.turns[1]) > 0 || len(q.busy) > 0 || q.drags != 0 {
			t.Errorf("left over: %d wait, %v have turns, %v are busy", len(q.waits), q.turns, q.busy)
		}
		return steps
	}
	if a, b := looked(10_000), looked(20_000); b > 2*a+100 {
		t.Errorf("%d steps of 10,000, %d of 20,000", a, b)
	}
}
