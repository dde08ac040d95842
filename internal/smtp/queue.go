package smtp

import (
	"context"
	"strings"
	"sync"
	"time"

	"forewarn/internal/coordinator"
)

// queue is mail that waits for a hand. A relay often asks the receiver's own server
// before it takes something, so that one slow receiver could have all hands wait for it,
// and everybody else's mail behind. So receivers, told apart by the domain of their
// address, take turns; one has three quarters of the hands at most; and those that were
// slow the last time have no more than that together, and come after the others.
type queue struct {
	hands int // there are
	most  int // of them for one receiver, and for slow ones

	mu    sync.Mutex
	work  int // hands at work
	waits map[string][]*job
	turns [2][]string // receivers whose mail waits: those that are not slow, and those that are
	busy  map[string]int
	slow  map[string]bool
	drags int // hands that slow ones have
}

// job is one notice to hand on.
type job struct {
	coordinator.Mail
	ctx  context.Context
	slot time.Time
	done func(error)

	to   string // the receiver
	slow bool   // it was, when its turn came
}

func newQueue(hands int) *queue {
	return &queue{hands: hands, most: max(hands*3/4, 1), waits: map[string][]*job{}, busy: map[string]int{}, slow: map[string]bool{}}
}

// add has jobs wait, and gives how many hands are to begin.
func (q *queue) add(all []*job) (hire int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range all {
		j.to = strings.ToLower(j.To[strings.LastIndexByte(j.To, '@')+1:])
		q.waits[j.to] = append(q.waits[j.to], j)
		if len(q.waits[j.to]) == 1 {
			q.turn(j.to)
		}
	}
	hire = min(len(all), q.hands-q.work)
	q.work += hire
	return hire
}

func (q *queue) turn(to string) {
	i := 0
	if q.slow[to] {
		i = 1
	}
	q.turns[i] = append(q.turns[i], to)
}

// next is what a hand does next. With nil there is nothing for it, and it is dismissed:
// whoever holds others back is at work, and comes for them.
func (q *queue) next() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.turns {
		slow := i == 1
		for range len(q.turns[i]) { // of those that are passed over there are few: they have the hands
			if slow && q.drags >= q.most {
				break
			}
			to := q.turns[i][0]
			q.turns[i] = q.turns[i][1:]
			if !slow && q.slow[to] { // since it was listed
				q.turn(to)
				continue
			}
			if q.busy[to] >= q.most {
				q.turns[i] = append(q.turns[i], to)
				continue
			}
			j := q.waits[to][0]
			if q.waits[to] = q.waits[to][1:]; len(q.waits[to]) > 0 {
				q.turn(to)
			} else {
				delete(q.waits, to)
			}
			q.busy[to]++
			if j.slow = slow; slow {
				q.drags++
			}
			return j
		}
	}
	q.work--
	return nil
}

// ended says that a job was done, and whether its receiver was slow.
func (q *queue) ended(j *job, slow bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy[j.to]--; q.busy[j.to] == 0 {
		delete(q.busy, j.to)
	}
	if j.slow {
		q.drags--
	}
	delete(q.slow, j.to)
	if slow {
		q.slow[j.to] = true
	}
}
