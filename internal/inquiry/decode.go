package inquiry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"forewarn/internal/coordinator"
	"forewarn/internal/cvd"
	"forewarn/internal/entrylog"
	"forewarn/internal/evidence"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/leak"
	"forewarn/internal/sealer"
	"forewarn/internal/sighting"
	"forewarn/internal/token"
)

// decode has the decoder that the waves' statements named weigh every copy. tested
// is how it tests the copies that tokens are of, where it doesn't accuse them.
func decode(book sealer.Codebook, f *form.Form, r *form.Readings, tokens []leak.Hit, decoder string, alpha float64) (result fpcode.Result, tested []fpcode.Accusation, err error) {
	d, ok := fpcode.Decoders[decoder]
	if !ok {
		return result, nil, fmt.Errorf("the waves bind decoder %q, which this program does not have; use a version that does", decoder)
	}
	keys := make(map[[16]byte]fpcode.Key, len(book.Lines))
	p := fpcode.Problem{Readings: r.List(), Laws: f.Laws(), Run: int(book.Run.Number), Alpha: alpha, Seed: r.Hash()}
	for _, l := range book.Lines {
		keys[l.Holder] = l.Key
		p.Holders = append(p.Holders, l.Holder)
	}
	p.CopyKey = func(h [16]byte) fpcode.Key { return keys[h] }
	if result, err = d.Decode(p); err != nil {
		return result, nil, err
	}
	var others [][16]byte
	for _, t := range tokens {
		h := [16]byte(t.Holder)
		if !slices.Contains(others, h) && !slices.ContainsFunc(result.Accused, func(a fpcode.Accusation) bool { return a.Holder == h }) {
			others = append(others, h)
		}
	}
	if len(others) > 0 {
		tested, err = fpcode.Tested(p, decoder, others)
	}
	return result, tested, err
}

// hits finds every token of the codebook in the specimens, in order. A token is
// recognised by its redundancy and known by its identity; one that is nobody's
// is not a hit.
func hits(book sealer.Codebook, f *form.Form, specimens []form.Specimen) []leak.Hit {
	type owner struct {
		holder cvd.HolderID
		slot   string
	}
	alphabet := map[string]token.Alphabet{}
	for _, s := range f.Slots() {
		alphabet[s.Name] = s.Alphabet
	}
	owners := map[uint64]owner{}
	for _, l := range book.Lines {
		for _, t := range l.Tokens {
			if _, ok := alphabet[t.Slot]; ok {
				owners[t.Identity] = owner{l.Holder, t.Slot}
			}
		}
	}
	rec := token.NewRecogniser(book.Recognition)
	var out []leak.Hit
	for i, s := range specimens {
		token.Scan(rec, s.Data, func(off int, a token.Alphabet, identity uint64) {
			o, ok := owners[identity]
			if !ok || alphabet[o.slot] != a {
				return
			}
			out = append(out, leak.Hit{Holder: entrylog.Ref(o.holder), Slot: o.slot, Text: string(s.Data[off : off+a.Len()]), Specimen: i, Offset: int64(off)})
		})
	}
	slices.SortStableFunc(out, func(a, b leak.Hit) int {
		if a.Specimen != b.Specimen {
			return a.Specimen - b.Specimen
		}
		return int(a.Offset - b.Offset)
	})
	return out
}

func copyKeys(book sealer.Codebook) func(entrylog.Ref) fpcode.Key {
	keys := make(map[entrylog.Ref]fpcode.Key, len(book.Lines))
	for _, l := range book.Lines {
		keys[entrylog.Ref(l.Holder)] = l.Key
	}
	return func(h entrylog.Ref) fpcode.Key { return keys[h] }
}

func (o *Office) copyHashes(ctx context.Context, pkg cvd.PackageID) func(wave, holder entrylog.Ref) ([32]byte, error) {
	return func(wave, holder entrylog.Ref) ([32]byte, error) {
		opening, err := o.Sealer.Opening(ctx, pkg, cvd.WaveID(wave), cvd.HolderID(holder))
		return opening.Copy, err
	}
}

func interval(w evidence.Window) sighting.Interval { return sighting.Interval{From: w.From, To: w.To} }

// seen is what telemetry and the public showed of the case: the sightings on the
// programme's log, and the specimens themselves. A recorded sighting of exactly
// a specimen's time is that specimen; any other stands by itself, and a token in
// it may have been copied from there.
func (o *Office) seen(ctx context.Context, desk *coordinator.Desk, cs cvd.CaseID, book sealer.Codebook, specimens []Specimen, tokens []leak.Hit) ([]leak.Seen, error) {
	var recorded []cvd.Sighting
	if err := desk.View(func(p *cvd.Programme) error {
		recorded = append(recorded, p.Cases[cs].Sightings...)
		return nil
	}); err != nil {
		return nil, err
	}
	owners := map[string]leak.Seen{} // by the token's identity: holder and slot
	for _, l := range book.Lines {
		for _, t := range l.Tokens {
			owners[coordinator.TokenText(t.Identity)] = leak.Seen{Holder: entrylog.Ref(l.Holder), Slot: t.Slot}
		}
	}
	var out []leak.Seen
	for _, s := range recorded {
		text, err := desk.RecordedSighting(ctx, cs, s)
		if err != nil && !errors.Is(err, coordinator.ErrGone) {
			return nil, err
		}
		row := leak.Seen{Time: sighting.Interval{From: s.From, To: s.To}, Label: "sighting in telemetry", Source: "recorded by the desk", Grade: s.Grade.String(), Entry: s.Seq}
		for i, x := range specimens {
			if row.Time.Known() && interval(x.Found) == row.Time {
				row.Specimen = i + 1
			}
		}
		out = append(out, row)
		for _, t := range text.Tokens {
			if whose, ok := owners[t]; ok {
				row.Label, row.Holder, row.Slot = "token in telemetry", whose.Holder, whose.Slot
				out = append(out, row)
			}
		}
	}
	for i, s := range specimens {
		if s.Found == (evidence.Window{}) {
			continue
		}
		out = append(out, leak.Seen{Time: interval(s.Found), Label: "specimen " + s.Name, Source: "brought to the inquiry", Specimen: i + 1})
	}
	for _, h := range tokens {
		if s := specimens[h.Specimen]; s.Found != (evidence.Window{}) {
			out = append(out, leak.Seen{Time: interval(s.Found), Label: "token in " + s.Name, Source: "brought to the inquiry", Specimen: h.Specimen + 1, Holder: h.Holder, Slot: h.Slot})
		}
	}
	return out, nil
}
