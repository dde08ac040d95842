package form

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"

	"forewarn/internal/fpcode"
	"forewarn/internal/token"
)

// ErrForm is the class of what Check finds wrong.
var ErrForm = errors.New("not a valid Form")

// Slot is one token that every copy has its own of.
type Slot struct {
	Name     string
	Alphabet token.Alphabet
}

// Slots is the token slots of a Form, each once, in order of name.
func (f *Form) Slots() []Slot {
	var out []Slot
	seen := map[string]bool{}
	for i := range f.Files {
		for j := range f.Files[i].Parts {
			if p := &f.Files[i].Parts[j]; p.Kind == Token && !seen[p.Slot] {
				seen[p.Slot] = true
				out = append(out, Slot{p.Slot, p.Alphabet})
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Check says why f is not a valid Form, or nil. Errors wrap ErrForm. Valid is:
//
//   - at least one file; paths pass CheckPath, are strictly ascending, differ
//     in more than case, and none is a folder of another;
//   - levels are known; bulk is literal and below PoC;
//   - a known profile; sites strictly ascending by id, of 2 to MaxQ symbols, a
//     class and a law of the profile;
//   - each site stands in at least one part, each of its parts has one
//     alternative per symbol, not all the same, and any two symbols differ in
//     some part;
//   - literals are not empty and no two adjoin; a slot has a name of letters,
//     digits and ._- and one alphabet throughout;
//   - fields that a part's kind does not use are empty; no limit is exceeded.
//
// Valid does not mean readable: see Distinguishable.
func (f *Form) Check() error {
	k := checker{f: f, used: make([][]*Part, len(f.Sites)), alphabet: map[string]token.Alphabet{}, folded: map[string]string{}}
	err := k.sites()
	for i := 0; i < len(f.Files) && err == nil; i++ {
		err = k.file(i)
	}
	if err == nil {
		err = k.whole()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	return nil
}

type checker struct {
	f        *Form
	used     [][]*Part // by site
	alphabet map[string]token.Alphabet
	folded   map[string]string // lower-case path to path
	total    int
}

func (k *checker) sites() error {
	if len(k.f.Sites) > MaxSites {
		return fmt.Errorf("%d sites; at most %d are allowed", len(k.f.Sites), MaxSites)
	}
	if p := k.f.Profile; p == fpcode.Single || p != 0 && p.Count(fpcode.MinQ) == 0 {
		return fmt.Errorf("profile %d: the zero profile stands for single, and this one is not known", p)
	}
	for i, s := range k.f.Sites {
		switch {
		case i > 0 && bytes.Compare(k.f.Sites[i-1].ID[:], s.ID[:]) >= 0:
			return fmt.Errorf("site %d: ids are not strictly ascending", i)
		case s.Class == 0:
			return fmt.Errorf("site %d: no class", i)
		case s.Q < 2 || s.Q > MaxQ:
			return fmt.Errorf("site %d: %d symbols; 2 to %d are allowed", i, s.Q, MaxQ)
		case int(s.Law) >= k.f.Bias().Count(int(s.Q)):
			return fmt.Errorf("site %d: law %d; %v has %d for %d symbols", i, s.Law, k.f.Bias(), k.f.Bias().Count(int(s.Q)), s.Q)
		}
	}
	return nil
}

func (k *checker) file(i int) error {
	file := &k.f.Files[i]
	if err := CheckPath(file.Path); err != nil {
		return err
	}
	low := strings.ToLower(file.Path)
	if i > 0 && k.f.Files[i-1].Path >= file.Path {
		return fmt.Errorf("path %q: paths are not strictly ascending", file.Path)
	}
	if other, ok := k.folded[low]; ok {
		return fmt.Errorf("paths %q and %q differ only in case", other, file.Path)
	}
	k.folded[low] = file.Path
	switch {
	case file.Level < HeadsUp || file.Level > PoC:
		return fmt.Errorf("%s: no level", file.Path)
	case file.Bulk && file.Level == PoC:
		return fmt.Errorf("%s: bulk is the same for everybody, so it is never poc", file.Path)
	case len(file.Parts) > MaxParts:
		return fmt.Errorf("%s: %d parts; at most %d are allowed", file.Path, len(file.Parts), MaxParts)
	}
	size := 0
	for j := range file.Parts {
		most, err := k.part(file, j)
		if err != nil {
			return fmt.Errorf("%s: part %d: %w", file.Path, j, err)
		}
		if size += most; size > MaxFile {
			return fmt.Errorf("%s: more than %d bytes", file.Path, MaxFile)
		}
	}
	if k.total += size; k.total > MaxTotal {
		return fmt.Errorf("all files together are more than %d bytes", MaxTotal)
	}
	return nil
}

// part checks part j of a file and returns its greatest length in a copy.
func (k *checker) part(file *File, j int) (most int, err error) {
	p := &file.Parts[j]
	if p.Kind != Literal && file.Bulk {
		return 0, errors.New("bulk is the same for everybody, so it has no marks")
	}
	if p.Kind != Literal && p.Bytes != nil || p.Kind != Choice && (p.Site != 0 || p.Alternatives != nil) ||
		p.Kind != Token && (p.Slot != "" || p.Alphabet != 0) {
		return 0, errors.New("a field is set that its kind does not use")
	}
	switch p.Kind {
	case Literal:
		if len(p.Bytes) == 0 {
			return 0, errors.New("an empty literal")
		}
		if j > 0 && file.Parts[j-1].Kind == Literal {
			return 0, errors.New("a literal after a literal")
		}
		return len(p.Bytes), nil
	case Choice:
		return k.choice(p)
	case Token:
		return k.token(p)
	}
	return 0, fmt.Errorf("kind %d is unknown", p.Kind)
}

func (k *checker) choice(p *Part) (most int, err error) {
	if int64(p.Site) >= int64(len(k.f.Sites)) {
		return 0, fmt.Errorf("site %d of %d", p.Site, len(k.f.Sites))
	}
	if q := int(k.f.Sites[p.Site].Q); len(p.Alternatives) != q {
		return 0, fmt.Errorf("%d alternatives for a site of %d symbols", len(p.Alternatives), q)
	}
	same := true
	for _, a := range p.Alternatives {
		if len(a) > MaxAlternative {
			return 0, fmt.Errorf("an alternative of %d bytes; at most %d are allowed", len(a), MaxAlternative)
		}
		same = same && bytes.Equal(a, p.Alternatives[0])
		most = max(most, len(a))
	}
	if same {
		return 0, errors.New("all alternatives are the same")
	}
	k.used[p.Site] = append(k.used[p.Site], p)
	return most, nil
}

func (k *checker) token(p *Part) (most int, err error) {
	if p.Slot == "" || len(p.Slot) > MaxSlot || strings.Trim(p.Slot, slotLetters) != "" {
		return 0, fmt.Errorf("slot %q: a name is 1 to %d letters, digits and ._-", p.Slot, MaxSlot)
	}
	if p.Alphabet < token.Hex || p.Alphabet > token.Base62 {
		return 0, fmt.Errorf("slot %s: alphabet %d is unknown", p.Slot, p.Alphabet)
	}
	if a, ok := k.alphabet[p.Slot]; ok && a != p.Alphabet {
		return 0, fmt.Errorf("slot %s has two alphabets", p.Slot)
	}
	k.alphabet[p.Slot] = p.Alphabet
	return p.Alphabet.Len(), nil
}

const slotLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// whole checks what only shows when all files were seen.
func (k *checker) whole() error {
	if len(k.f.Files) == 0 || len(k.f.Files) > MaxFiles {
		return fmt.Errorf("%d files; 1 to %d are allowed", len(k.f.Files), MaxFiles)
	}
	for _, file := range k.f.Files {
		for dir := strings.ToLower(file.Path); ; {
			cut := strings.LastIndexByte(dir, '/')
			if cut < 0 {
				break
			}
			dir = dir[:cut]
			if other, ok := k.folded[dir]; ok {
				return fmt.Errorf("path %q is a folder of %q", other, file.Path)
			}
		}
	}
	for i, parts := range k.used {
		if len(parts) == 0 {
			return fmt.Errorf("site %d stands nowhere", i)
		}
		for v := 0; v < int(k.f.Sites[i].Q); v++ {
			for w := 0; w < v; w++ {
				if !tells(parts, v, w) {
					return fmt.Errorf("site %d: symbols %d and %d give the same copy", i, w, v)
				}
			}
		}
	}
	return nil
}

func tells(parts []*Part, v, w int) bool {
	for _, p := range parts {
		if !bytes.Equal(p.Alternatives[v], p.Alternatives[w]) {
			return true
		}
	}
	return false
}
