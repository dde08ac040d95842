package wear

import (
	"math/rand/v2"
	"strings"
	"unicode"
)

// confusions are what a scanner takes one character, or two, for.
var confusions = map[string][]string{
	"l": {"1", "I", "i"}, "1": {"l", "I"}, "i": {"l", "j", "í"}, "I": {"l", "1"}, "o": {"0", "c", "a"}, "0": {"O", "o"}, "O": {"0", "Q"},
	"m": {"rn", "nn"}, "rn": {"m"}, "n": {"ri", "u"}, "u": {"n", "ii"}, "e": {"c", "o"}, "c": {"e", "o", "("}, "h": {"b", "li"}, "b": {"h", "6"},
	"s": {"5", "a"}, "5": {"S", "s"}, "S": {"5", "8"}, "8": {"B", "3"}, "B": {"8", "E"}, "g": {"9", "q"}, "9": {"g"}, "q": {"g"}, "6": {"b", "G"},
	"w": {"vv", "w"}, "vv": {"w"}, "d": {"cl", "a"}, "cl": {"d"}, "t": {"f", "l"}, "f": {"t", "l"}, "a": {"o", "s"}, "r": {"n", "t"}, "v": {"y", "u"},
	"y": {"v", "g"}, "p": {"n", "o"}, "k": {"h", "lc"}, "x": {"z"}, "z": {"2"}, "2": {"z", "Z"}, "3": {"8"}, "4": {"A"}, "7": {"1", "/"},
	" ": {"", "  "}, ".": {",", ""}, ",": {".", ""}, "-": {"", "_"}, ":": {";"}, "'": {"", "`"}, "\"": {"''", ""},
}

// ocr gets so many of a hundred characters wrong. A character that is like no
// other is lost, or a speck is read beside it.
func ocr(percent int) func(*rand.Rand, string, string) string {
	return func(dice *rand.Rand, _, s string) string {
		r := []rune(s)
		var b strings.Builder
		for i := 0; i < len(r); i++ {
			if r[i] == '\n' || dice.IntN(100) >= percent {
				b.WriteRune(r[i])
				continue
			}
			one, two := string(r[i]), string(r[i:min(len(r), i+2)])
			if like := confusions[two]; len(two) > len(one) && like != nil {
				b.WriteString(like[dice.IntN(len(like))])
				i++
			} else if like := confusions[one]; like != nil {
				b.WriteString(like[dice.IntN(len(like))])
			} else if dice.IntN(2) == 0 {
				b.WriteString(one + []string{".", "'", ",", "·"}[dice.IntN(4)])
			}
		}
		return b.String()
	}
}

// keyboard is where keys lie.
var keyboard = []string{"1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"}

// beside lists a key's neighbours.
var beside = func() map[rune][]rune {
	m := map[rune][]rune{}
	for y, row := range keyboard {
		for x, r := range row {
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if yy, xx := y+dy, x+dx; (dx != 0 || dy != 0) && yy >= 0 && yy < len(keyboard) && xx >= 0 && xx < len(keyboard[yy]) {
						m[r] = append(m[r], rune(keyboard[yy][xx]))
					}
				}
			}
		}
	}
	return m
}()

// retype gets so many of a hundred letters and digits wrong: the key beside it,
// none, twice, or the next one first.
func retype(percent int) func(*rand.Rand, string, string) string {
	return func(dice *rand.Rand, _, s string) string {
		r := []rune(s)
		out := make([]rune, 0, len(r))
		for i := 0; i < len(r); i++ {
			c := r[i]
			near := beside[unicode.ToLower(c)]
			if near == nil || dice.IntN(100) >= percent {
				out = append(out, c)
				continue
			}
			switch dice.IntN(5) {
			case 0: // left out
			case 1:
				out = append(out, c, c)
			case 2:
				if i+1 < len(r) && r[i+1] != '\n' {
					out = append(out, r[i+1], c)
					i++
					continue
				}
				fallthrough
			default:
				k := near[dice.IntN(len(near))]
				if unicode.IsUpper(c) {
					k = unicode.ToUpper(k)
				}
				out = append(out, k)
			}
		}
		return string(out)
	}
}
