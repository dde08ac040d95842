package leak

import (
	"fmt"
	"slices"

	"forewarn/internal/evidence"
)

// recoveries tells of accounts of the holders that the findings name or compare to
// which access was given anew by the freeze, and of recoveries of the log. Where
// there are none, the findings are as they were before there was anything to tell.
func (j *judge) recoveries() {
	f := j.f
	compared, known := f.Compared(), evidence.KnownBy(f.FrozenAt, f.Specimens)
	late := func(x Access) bool { return micro(x.At).After(f.FrozenAt) }
	by := func(x Access) evidence.Access {
		return evidence.Access{Account: evidence.ID(x.Account), AccountName: x.AccountName, At: micro(x.At), Entry: uint64(x.Entry)}
	}
	r := &evidence.Recoveries{Means: evidence.RecoveriesMean}
	for _, x := range j.in.Facts.Recoveries {
		name, ok := compared[evidence.ID(x.Holder)]
		if !ok || late(x.Made) {
			continue
		}
		row := evidence.Recovered{
			Holder: evidence.ID(x.Holder), Name: name, Account: evidence.ID(x.Account), AccountName: x.AccountName, Added: uint64(x.Added),
			Invited: by(x.Invited), Confirmed: by(x.Confirmed), Made: by(x.Made), Before: micro(x.Made.At).Before(known),
		}
		if x.Lifted.Entry > 0 && !late(x.Lifted) {
			l := by(x.Lifted)
			row.Lifted = &l
		}
		r.Accounts = append(r.Accounts, row)
	}
	for _, x := range j.in.Facts.Declared {
		if !late(x) {
			r.Log = append(r.Log, by(x))
		}
	}
	if len(r.Accounts)+len(r.Log) > 0 {
		f.Recoveries = r
	}
}

// recoveredWords is a recovery in a line, with the entries that show it.
func recoveredWords(x evidence.Recovered) string {
	s := fmt.Sprintf("the account %s of %s: invited %s by %s (entry %d), confirmed %s by %s (entry %d), new passkey %s (entry %d)", x.AccountName, x.Name,
		stamp(x.Invited.At), x.Invited.AccountName, x.Invited.Entry, stamp(x.Confirmed.At), x.Confirmed.AccountName, x.Confirmed.Entry, stamp(x.Made.At), x.Made.Entry)
	if l := x.Lifted; l != nil {
		s += fmt.Sprintf(", the wait after it lifted %s by %s (entry %d)", stamp(l.At), l.AccountName, l.Entry)
	}
	return s + "; " + recoveredWhen(x)
}

func recoveredWhen(x evidence.Recovered) string {
	if x.Before {
		return "before the material is known to have existed"
	}
	return "after the material is known to have existed"
}

// recovered says which accounts of those whose copies are named were recovered in
// time to be the way that the material took.
func (j *judge) recovered() (out []string) {
	if j.f.Recoveries == nil {
		return nil
	}
	for _, x := range j.f.Recoveries.Accounts {
		named := slices.ContainsFunc(slices.Concat(j.f.Accused, j.f.Conflicting), func(a evidence.Accused) bool { return a.Holder == x.Holder })
		if x.Before && named {
			out = append(out, fmt.Sprintf("Access to the account %s of %s was recovered %s, %s: it may have left by that account without its holder's fault.", x.AccountName, x.Name, stamp(x.Made.At), recoveredWhen(x)))
		}
	}
	return out
}
