package inquiry

import (
	"context"
	"fmt"
	"slices"

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

// decode has the decoder that the waves' statements named weigh every copy.
func decode(book sealer.Codebook, r *form.Readings, decoder string, profile fpcode.Profile, alpha float64) (fpcode.Result, error) {
	d, ok := fpcode.Decoders[decoder]
	if !ok {
		return fpcode.Result{}, fmt.Errorf("the waves bind decoder %q, which this program does not have; use a version that does", decoder)
	}
	keys := make(map[[16]byte]fpcode.Key, len(book.Lines))
	p := fpcode.Problem{Readings: r.List(), Profile: profile, Bias: book.Bias, Run: int(book.Run), Alpha: alpha, Seed: r.Hash()}
	for _, l := range book.Lines {
		keys[l.Holder] = l.Key
		p.Holders = append(p.Holders, l.Holder)
	}
	p.CopyKey = func(h [16]byte) fpcode.Key { return keys[h] }
	return d.Decode(p)
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
// programme's log, and the specimens themselves.
func seen(p *cvd.Programme, cs cvd.CaseID, specimens []Specimen, tokens []leak.Hit) []leak.Seen {
	var out []leak.Seen
	for _, s := range p.Cases[cs].Sightings {
		out = append(out, leak.Seen{Time: sighting.Interval{From: s.From, To: s.To}, Label: "sighting in telemetry", Source: "recorded by the desk", Grade: s.Grade.String(), Entry: s.Seq})
	}
	for i, s := range specimens {
		if s.Found == (evidence.Window{}) {
			continue
		}
		out = append(out, leak.Seen{Time: interval(s.Found), Label: "specimen " + s.Name, Source: "brought to the inquiry", Specimen: i + 1})
	}
	for _, h := range tokens {
		s := specimens[h.Specimen]
		if s.Found != (evidence.Window{}) {
			out = append(out, leak.Seen{Time: interval(s.Found), Label: "token in " + s.Name, Source: "brought to the inquiry", Specimen: h.Specimen + 1, Holder: h.Holder, Slot: h.Slot})
		}
	}
	return out
}
