package fpcode

// KeyedPart is a Part with the keys of the copies beside which one was tested, as
// a dossier opens them.
type KeyedPart struct {
	Class     Class
	Beside    []Key
	Collusion Collusion
}

// RecomputeBeside is Recompute for decoder joint/1: the numbers of one accused, by
// the parts that its specimen was explained in. It leaves Holder and Parts zero. Parts
// that name a class twice, or more copies than were merged, weigh nothing.
func RecomputeBeside(readings []Reading, laws func(SiteID, uint8) Law, copyKey Key, parts []KeyedPart, copies, run int, seed [32]byte) Accusation {
	var raw []Evidence
	seen := map[Class]bool{}
	for _, p := range parts {
		if whole := len(parts) == 1; seen[p.Class] || p.Class == 0 && !whole || p.Collusion.C > MaxColluders {
			continue
		}
		seen[p.Class] = true
		f, partners := fieldOf(p.Class, readings, laws, p.Beside)
		raw = append(raw, f.evidence(explanation{class: p.Class, partners: partners, channel: p.Collusion})...)
	}
	ev := lattice(raw, coarse)
	a := judge(ev, Score(ev, copyKey), copies, run, SpendFirst)
	a.sample(ev, seed)
	return a
}

// EstimateBeside is the channel of c copies that the readings of a class (0: of
// all) and the copies with these keys give, as joint/1 estimates it. A stated
// channel that is another was not estimated but chosen. For one copy of which
// nothing is known it is the declared one.
func EstimateBeside(readings []Reading, laws func(SiteID, uint8) Law, class Class, beside []Key, c int, telling bool) Collusion {
	if c < 1 || c > MaxColluders || len(beside) > c || c == 1 && len(beside) == 0 {
		return oneCopy()
	}
	f, partners := fieldOf(class, readings, laws, beside)
	return estimate(tabulate(f.sights, f.words, partners).cells, len(partners), c, telling)
}

func fieldOf(class Class, readings []Reading, laws func(SiteID, uint8) Law, keys []Key) (f *field, all []int) {
	sights, columns := sightsOf(readings, laws)
	for i := range keys {
		all = append(all, i)
	}
	words := codewordsOf(sights, columns, len(keys), func(i int) Key { return keys[i] })
	return newField(class, sights, words, len(keys)), all
}
