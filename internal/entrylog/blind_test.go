package entrylog

import (
	"errors"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"forewarn/internal/wire"
)

func TestBlind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		depth := rapid.IntRange(1, 12).Draw(t, "depth")
		n := rapid.IntRange(0, min(1<<depth, 100)).Draw(t, "leaves")
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		leaves := leafHashes(n)
		b, err := NewBlind(key, []byte("context"), depth, leaves)
		if err != nil {
			t.Fatal(err)
		}
		root := b.Root()
		places := map[uint64]bool{}
		for i, leaf := range leaves {
			p := b.Prove(i)
			if len(p.Siblings) != depth {
				t.Fatalf("%d siblings in a tree of depth %d", len(p.Siblings), depth)
			}
			if err := p.Check(depth, root, leaf); err != nil {
				t.Fatalf("leaf %d: %v", i, err)
			}
			if places[p.Position] {
				t.Fatalf("two leaves at place %d", p.Position)
			}
			places[p.Position] = true
			var back BlindProof
			if err := wire.Unmarshal(wire.Marshal(&p), &back); err != nil || back.Check(depth, root, leaf) != nil {
				t.Fatalf("after reading: %v", err)
			}

			wrong := p
			wrong.Siblings = append([]Hash(nil), p.Siblings...)
			other := leaf
			d := depth
			switch rapid.IntRange(0, 4).Draw(t, "harm") {
			case 0:
				wrong.Siblings[rapid.IntRange(0, depth-1).Draw(t, "at")][7] ^= 4
			case 1:
				wrong.Position ^= 1 << rapid.IntRange(0, depth-1).Draw(t, "bit")
			case 2:
				other[0] ^= 1
			case 3:
				d++
			case 4:
				wrong.Position |= 1 << (depth + 1)
			}
			if err := wrong.Check(d, root, other); !errors.Is(err, ErrProof) {
				t.Fatalf("a damaged proof: %v", err)
			}
		}
		again, _ := NewBlind(key, []byte("context"), depth, leaves)
		if again.Root() != root {
			t.Fatal("not deterministic")
		}
		for name, other := range map[string]func() (*Blind, error){
			"another context": func() (*Blind, error) { return NewBlind(key, []byte("else"), depth, leaves) },
			"another key":     func() (*Blind, error) { key[3] ^= 1; return NewBlind(key, []byte("context"), depth, leaves) },
		} {
			if o, _ := other(); o.Root() == root && n < 1<<depth {
				t.Fatalf("%s gives the same root", name)
			}
		}
	})
}

func TestBlindLimits(t *testing.T) {
	if _, err := NewBlind([32]byte{}, nil, 2, leafHashes(4)); err != nil {
		t.Errorf("a full tree: %v", err)
	}
	if _, err := NewBlind([32]byte{}, nil, 2, leafHashes(5)); err == nil {
		t.Error("five leaves in four places")
	}
	for _, depth := range []int{-1, 0, 33} {
		if _, err := NewBlind([32]byte{}, nil, depth, nil); err == nil {
			t.Errorf("depth %d", depth)
		}
	}
	// The shortcut for empty boards is the tree's own root.
	key := [32]byte{5}
	b, err := NewBlind(key, nil, BoardDepth, nil)
	if err != nil || b.Root() != emptySubtree(&key, nil, BoardDepth, 0) {
		t.Errorf("an empty tree's root: %v", err)
	}
}

// TestBlindTellsNothing: places and siblings of a lone leaf and of one among
// two hundred are bits as of a fair coin.
func TestBlindTellsNothing(t *testing.T) {
	const depth, trials = 8, 400
	for _, n := range []int{1, 200} {
		var ones [depth]int
		siblings := 0
		for trial := range trials {
			b, err := NewBlind([32]byte{byte(trial), byte(trial >> 8), 9}, nil, depth, leafHashes(n))
			if err != nil {
				t.Fatal(err)
			}
			p := b.Prove(0)
			for i := range ones {
				ones[i] += int(p.Position >> i & 1)
			}
			for _, s := range p.Siblings {
				siblings += bits.OnesCount8(s[0])
			}
		}
		for i, k := range ones {
			if k < 140 || k > 260 { // six standard deviations are 60
				t.Errorf("%d leaves: bit %d of the place is set %d times in %d", n, i, k, trials)
			}
		}
		if all := trials * depth * 8; siblings < all*48/100 || siblings > all*52/100 {
			t.Errorf("%d leaves: %d of %d bits of siblings are set", n, siblings, all)
		}
	}
}
