package sighting

import "io"

// ahead reads in a goroutine of its own, a few blocks further than what it has
// given, so that a scan doesn't wait for the decompressor nor the decompressor
// for the scan. What it gives, and in what order, doesn't depend on that.
type ahead struct {
	full       chan block
	free       chan []byte
	stop, done chan struct{}
	now        block  // what is given at present
	room       []byte // its whole buffer
}

type block struct {
	bytes []byte
	err   error // behind them
}

func readAhead(r io.Reader) *ahead {
	const blocks = 4
	a := &ahead{full: make(chan block, blocks), free: make(chan []byte, blocks), stop: make(chan struct{}), done: make(chan struct{})}
	for range blocks {
		a.free <- make([]byte, quantum)
	}
	go func() {
		defer close(a.done)
		for {
			select {
			case <-a.stop:
				return
			case room := <-a.free:
				n, err := fill(r, room)
				a.full <- block{room[:n], err} // never waits: there are as many places as rooms
				if err != nil {
					return
				}
			}
		}
	}()
	return a
}

// fill reads until the room is full: a decompressor gives 32 KiB at a time, and to
// hand over each would cost as much as to search it.
func fill(r io.Reader, room []byte) (n int, err error) {
	for n < len(room) && err == nil {
		var m int
		m, err = r.Read(room[n:])
		n += m
	}
	return n, err
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.now.bytes) == 0 && a.now.err == nil {
		if a.room != nil {
			a.free <- a.room
		}
		a.now = <-a.full
		a.room = a.now.bytes[:cap(a.now.bytes)]
	}
	n := copy(p, a.now.bytes)
	if a.now.bytes = a.now.bytes[n:]; len(a.now.bytes) > 0 {
		return n, nil
	}
	return n, a.now.err
}
