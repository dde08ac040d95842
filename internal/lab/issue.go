package lab

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// Keys are what an experiment draws: from a generator that nobody can foresee, or
// from a seed, so that anybody can repeat it.
type Keys struct {
	Package     fpcode.Key
	Recognition [16]byte
	Seeded      bool
	Seed        uint64
}

// Seeded makes keys from a seed.
func Seeded(seed uint64) Keys {
	of := func(label string) [32]byte {
		return sha256.Sum256(binary.BigEndian.AppendUint64([]byte(label), seed))
	}
	rec := of("forewarn/lab-recognition/v1")
	return Keys{Package: of("forewarn/lab-package/v1"), Recognition: [16]byte(rec[:]), Seeded: true, Seed: seed}
}

// Bias is the key that the Form has to be compiled with.
func (k Keys) Bias() fpcode.Key { return fpcode.BiasKey(k.Package) }

// Issue makes a codebook of n copies of f, which was compiled with k.Bias(), to be
// traced by the decoder of that version. render is called with each copy as it is
// made; an error of its ends it.
func Issue(title string, f *form.Form, decoder string, k Keys, n int, render func(name string, copy []form.Output) error) (*Codebook, error) {
	if n < 1 || n > MaxCopies {
		return nil, fmt.Errorf("%d copies; an experiment has 1 to %d", n, MaxCopies)
	}
	b := &Codebook{
		Title: title, Seeded: k.Seeded, Seed: k.Seed, Key: k.Package, Recog: k.Recognition, Bias: fpcode.Commit(k.Bias()), Form: f,
		Reader: form.Align2, Decoder: decoder,
	}
	digits := max(3, len(fmt.Sprint(n)))
	bulk := f.RenderBulk(form.PoC)
	for i := range n {
		x := Copy{Name: fmt.Sprintf("copy-%0*d", digits, i+1)}
		h := sha256.Sum256([]byte("forewarn/lab-holder/v1" + x.Name))
		x.Holder = [16]byte(h[:])
		x.Key = fpcode.Commit(fpcode.CopyKey(k.Package, x.Holder))
		files := b.Render(x.Holder)
		x.Hash = form.CopyHash(files)
		b.Copies = append(b.Copies, x)
		if err := render(x.Name, append(files, bulk...)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Render sets a holder's copy again, without bulk.
func (b *Codebook) Render(holder [16]byte) []form.Output {
	key := fpcode.CopyKey(b.Key, holder)
	symbol := fpcode.Symbols(key)
	rec := token.NewRecogniser(b.Recog)
	return b.Form.Render(form.PoC,
		func(s form.Site) uint8 { return symbol(s.ID, b.Form.SiteLaw(s)) },
		func(slot string, a token.Alphabet) string { return a.Encode(rec, b.identity(key, holder, slot)) })
}

const epoch = 1 // of tokens: an experiment has but one

func (b *Codebook) identity(key fpcode.Key, holder [16]byte, slot string) uint64 {
	return token.Identity(key, epoch, [16]byte(b.Bias[:16]), holder, slot)
}
