package form

// band is a range of specimen positions, both ends included.
type band struct{ lo, hi int32 }

// lane is what is known at a node for each specimen position of its band: the
// score of the best path that ends there, and that path's context, which is the
// same score but never below nothing nor above scoreContext, so that it tells
// how well the last few dozen characters fit and nothing of what was before.
type lane struct {
	score, context []int32
}

func newLane(b band) lane {
	n := b.hi - b.lo + 1
	both := make([]int32, 2*n)
	return lane{both[:n:n], both[n:]}
}

// mirrored is a lane with its positions in reverse.
func (l lane) mirrored() lane {
	n := len(l.score)
	out := newLane(band{1, int32(n)})
	for i := range n {
		out.score[i], out.context[i] = l.score[n-1-i], l.context[n-1-i]
	}
	return out
}

// kernel is the inner loop of alignment: one strand against the specimen, row
// by row, keeping one cell per diagonal. It is reused to spare allocation.
type kernel struct {
	cell  []cell
	low   int32 // specimen position less row of diagonal 0
	rows  int32
	reach reach
}

type cell struct {
	score, context int32
	from           int32 // where on the entering node the path came from
}

// reach is the best that a strand's beginning comes to, anywhere.
type reach struct{ score, from, y int32 }

// open sets up row 0 and returns the number of diagonals.
func (k *kernel) open(n int32, in lane, bin, bout band) int {
	k.rows = n
	k.low = min(bin.lo, bout.lo-n)
	width := int(max(bin.hi, bout.hi-n)-k.low) + 1
	if cap(k.cell) < width+1 {
		k.cell = make([]cell, width+1, 2*width+1)
	}
	k.cell = k.cell[:width+1]
	for i := range k.cell {
		k.cell[i] = cell{score: never}
	}
	c := cell{score: never}
	for y := bin.lo; y <= bout.hi && int(y-k.low) < width; y++ {
		c.score, c.context = c.score+scoreGap, max(c.context+scoreGap, 0)
		if i := y - bin.lo; y <= bin.hi && in.score[i] >= c.score {
			c = cell{in.score[i], in.context[i], y}
		}
		k.cell[y-k.low] = c
	}
	return width
}

// align fills the rows. No score falls below floor: 0 for a text that every
// copy has, where a path may begin anywhere, never for an alternative, where
// reach tells how far a beginning of the text fits.
func (k *kernel) align(text, spec []rune, in lane, bin, bout band, floor int32) (width int) {
	width = k.open(int32(len(text)), in, bin, bout)
	k.reach = reach{score: never}
	for o, r := range text {
		first, last := k.row(o, width, bin, bout)
		left := cell{score: never}
		if first <= last && k.low+int32(first+o) < 0 { // before the specimen
			left = k.cell[first+1]
			left.score, left.context = max(left.score+scoreGap, floor), max(left.context+scoreGap, 0)
			k.cell[first] = left
			first++
		}
		if first <= last {
			row := k.cell[first : last+2]
			ys := spec[k.low+int32(first+o):][:len(row)-1]
			diagonal, best, at := row[0], left.score, -1
			for d, c := range ys {
				below := row[d+1]
				v := diagonal
				if c == r {
					v.score += scoreMatch
					v.context = min(v.context+scoreMatch, scoreContext)
				} else {
					v.score += scoreDiffer
					v.context = max(v.context+scoreDiffer, 0)
				}
				if below.score+scoreGap > v.score {
					v = below
					v.score += scoreGap
					v.context = max(v.context+scoreGap, 0)
				}
				if left.score+scoreGap > v.score {
					v = left
					v.score += scoreGap
					v.context = max(v.context+scoreGap, 0)
				}
				if v.score < floor {
					v = cell{score: floor}
				}
				if v.score > best {
					best, at = v.score, d
				}
				row[d] = v
				left, diagonal = v, below
			}
			if best > k.reach.score && at >= 0 {
				k.reach = reach{best, row[at].from, k.low + int32(first+at+o) + 1}
			}
		}
		k.close(last)
	}
	return width
}

// row is the range of diagonals that row o+1 has: specimen positions stay
// between the beginning of one node's band and the end of the other's.
func (k *kernel) row(o, width int, bin, bout band) (first, last int) {
	return max(0, int(bin.lo-k.low)-o-1), min(width-1, int(bout.hi-k.low)-o-1)
}

// close forgets the diagonal that has left the band.
func (k *kernel) close(last int) {
	if last+1 >= 0 && last+1 < len(k.cell) {
		k.cell[last+1] = cell{score: never}
	}
}

// exit is the cell after the last row at specimen position y.
func (k *kernel) exit(y int32) cell {
	d := y - k.rows - k.low
	if d < 0 || int(d) >= len(k.cell)-1 {
		return cell{score: never}
	}
	return k.cell[d]
}

// raise lifts a node's scores to those after the last row, where these are
// better.
func (k *kernel) raise(out lane, b band) {
	for y := b.lo; y <= b.hi; y++ {
		if c := k.exit(y); c.score > out.score[y-b.lo] {
			out.score[y-b.lo], out.context[y-b.lo] = c.score, c.context
		}
	}
}

// skip carries scores over text of which nothing is known, at a price; for
// nothing if it is exactly as long as the token that should be there.
func skip(in lane, bin, bout band, token int32) lane {
	out := newLane(bout)
	best, at := cell{}, bin.lo
	for y := bout.lo; y <= bout.hi; y++ {
		for ; at <= min(y, bin.hi); at++ {
			if i := at - bin.lo; in.score[i]+scoreSkip > best.score {
				best = cell{score: in.score[i] + scoreSkip, context: max(in.context[i]+scoreSkip, 0)}
			}
		}
		i := y - bout.lo
		out.score[i], out.context[i] = best.score, best.context
		if from := y - token; token > 0 && from >= bin.lo && from <= bin.hi && in.score[from-bin.lo] > best.score {
			out.score[i], out.context[i] = in.score[from-bin.lo], in.context[from-bin.lo]
		}
	}
	return out
}

// along carries scores over n characters, from position y on, that are known
// to be the same in Form and specimen, without looking at them again. Paths
// that are elsewhere come to nothing.
func along(in lane, bin, bout band, y, n int32) lane {
	out := newLane(bout)
	out.score[y+n-bout.lo] = in.score[y-bin.lo] + scoreMatch*n
	out.context[y+n-bout.lo] = scoreContext
	return out
}
