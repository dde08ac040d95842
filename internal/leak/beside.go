package leak

import (
	"bytes"
	"fmt"
	"slices"

	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/fpcode"
)

// joint reports whether copies were tested beside one another.
func (j *judge) joint() bool { return j.basis.Decoder == fpcode.JointDecoder }

// test is how the decoder tested a copy.
func (j *judge) test(h entrylog.Ref) (parts evidence.List[evidence.Part], t evidence.Test, err error) {
	if !j.joint() {
		return nil, nil, nil
	}
	for _, a := range append(slices.Clone(j.in.Reading.Result.Accused), j.in.Reading.Tested...) {
		if entrylog.Ref(a.Holder) != h {
			continue
		}
		for _, x := range a.Parts {
			k := fpcode.KeyedPart{Class: x.Class, Collusion: x.Collusion}
			for _, h := range x.Beside {
				k.Beside = append(k.Beside, j.in.Reading.CopyKey(h))
			}
			parts, t = append(parts, evidence.PartOf(x)), append(t, k)
		}
		return parts, t, nil
	}
	return nil, nil, fmt.Errorf("%w: a token names the copy of holder %s, and how the decoder tests it is not told", ErrInputs, h)
}

// besideLate says that a copy cannot be named because one that it was tested beside
// was committed to when the material may already have existed: its key could have
// been picked by who had the material.
func (j *judge) besideLate(a *evidence.Accused) string {
	for _, h := range a.Beside() {
		if j.committedIn(entrylog.Ref(h)) < 0 {
			return fmt.Sprintf("Taken alone, wording or tokens would name the copy issued to %s. It was tested beside a copy that was committed to when the material may already have existed (from %s on), so it cannot be named.", a.Name, stamp(j.limit))
		}
	}
	return ""
}

// committedIn is the first wave, by index, in which a holder's key was committed to
// before the material may have existed; one of the revision that was read if there
// is any. -1: none.
func (j *judge) committedIn(h entrylog.Ref) int {
	at := -1
	for i := range j.in.Facts.Waves {
		w := &j.in.Facts.Waves[i]
		if !slices.Contains(w.Holders, h) || !j.inTime(w.Sealed) {
			continue
		}
		if w.Form == j.in.Reading.Readings.Form {
			return i
		}
		if at < 0 {
			at = i
		}
	}
	return at
}

// partners are the copies beside which the rows' were tested, and that no evidence
// names, by holder.
func (j *judge) partners(rows []evidence.Accused) (out evidence.List[evidence.Partner]) {
	for i := range rows {
		for _, h := range rows[i].Beside() {
			had := func(a evidence.Accused) bool { return a.Holder == h }
			if slices.ContainsFunc(rows, had) || slices.ContainsFunc(out, func(p evidence.Partner) bool { return p.Holder == h }) {
				continue
			}
			at := j.committedIn(entrylog.Ref(h))
			out = append(out, evidence.Partner{
				Holder: h, Name: j.holder[entrylog.Ref(h)].Name, Means: evidence.PartnerMeans,
				Wave: evidence.ID(j.in.Facts.Waves[at].ID), Label: evidence.WaveLabel(at),
			})
		}
	}
	slices.SortFunc(out, func(a, b evidence.Partner) int { return bytes.Compare(a.Holder[:], b.Holder[:]) })
	return out
}

// burnt says of named copies that their keys were open before this run began.
func (j *judge) burnt(rows []evidence.Accused) (out []string) {
	for _, a := range rows {
		if by := j.in.Burnt[entrylog.Ref(a.Holder)]; by != "" {
			out = append(out, fmt.Sprintf("The key of the copy issued to %s has been open since the findings %s of this package: whoever has those could have written this material. It proves nothing new about %s.", a.Name, by, a.Name))
		}
	}
	return out
}
