package fpcode

// RecomputeBeside is Recompute for decoder joint/1: the numbers of one accused,
// given the keys of the copies that it was tested beside, in their order, and the
// channel. It leaves Holder and Beside zero.
func RecomputeBeside(readings []Reading, laws func(SiteID, uint8) Law, copyKey Key, beside []Key, ch Collusion, copies, run int, seed [32]byte) Accusation {
	f, partners := fieldOf(readings, laws, beside)
	t := f.test(explanation{partners: partners, channel: ch})
	a := judge(t.ev, Score(t.ev, copyKey), copies, run, SpendFirst)
	a.Collusion = ch
	a.sample(t.ev, seed)
	return a
}

// EstimateBeside is the channel of c copies that the readings and the copies with
// these keys give, as joint/1 estimates it. A stated channel that is another was
// not estimated but chosen. One copy has no channel to estimate, and the declared
// one is returned.
func EstimateBeside(readings []Reading, laws func(SiteID, uint8) Law, beside []Key, c int, telling bool) Collusion {
	if c < 2 || c > MaxColluders || len(beside) >= c {
		return oneCopy()
	}
	f, partners := fieldOf(readings, laws, beside)
	return estimate(tabulate(f.sights, f.words, partners).cells, len(partners), c, telling)
}

func fieldOf(readings []Reading, laws func(SiteID, uint8) Law, keys []Key) (f *field, all []int) {
	sights, columns := sightsOf(readings, laws)
	for i := range keys {
		all = append(all, i)
	}
	return newField(sights, codewordsOf(sights, columns, len(keys), func(i int) Key { return keys[i] })), all
}
