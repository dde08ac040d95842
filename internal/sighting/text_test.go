package sighting

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"forewarn/internal/form"
	"forewarn/internal/token"
)

// words of the generator, from short to long, common ones and such with letters
// beyond ASCII.
var vocabulary = strings.Fields("a be the port http alert event server request overflow deserialize 00 90 v2 " +
	"straße Привет überlauf timestamp hostname handler viewstate signature assembly 漏洞 été")

// drawText draws a Text, and a copy of it with the indices of its words.
func drawText(t *rapid.T) (Text, string) {
	var text Text
	var out strings.Builder
	gap := rapid.SampledFrom([]string{" ", "\n", ", ", " “", "’", " — ", "\t", "."})
	words := rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(1, 30).Draw(t, "words") {
			b.WriteString(rapid.SampledFrom(vocabulary).Draw(t, "word") + gap.Draw(t, "gap"))
		}
		return b.String()
	})
	some := rapid.OneOf(rapid.SampledFrom([]string{"", " ", "u", "-", "ed ", " the", "overflow", "S", "\n\n"}), words)
	for range rapid.IntRange(1, 8).Draw(t, "parts") {
		var p Part
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			p.Token = rapid.SampledFrom([]token.Alphabet{token.Hex, token.UUID, token.Base62}).Draw(t, "alphabet")
			out.WriteString(p.Token.Encode(rec, rapid.Uint64().Draw(t, "L")))
		case 1, 2:
			for range rapid.IntRange(2, 4).Draw(t, "q") {
				p.Alternatives = append(p.Alternatives, []byte(some.Draw(t, "alternative")))
			}
			out.Write(rapid.SampledFrom(p.Alternatives).Draw(t, "chosen"))
		default:
			p.Alternatives = [][]byte{[]byte(words.Draw(t, "literal"))}
			out.Write(p.Alternatives[0])
		}
		text.Parts = append(text.Parts, p)
	}
	text.Ref = "text"
	return text, out.String()
}

// rewrite writes words again, as somebody may who quotes them.
func rewrite(t *rapid.T, words []string, lines bool) string {
	var b strings.Builder
	gaps := []string{" ", "  ", ", ", " - ", "\u00a0", "’", `"`, " > ", strings.Repeat(" ", MaxGap), "\t*"}
	if lines {
		gaps = append(gaps, "\n", "\r\n> ", "\n\n> > ")
	}
	for i, w := range words {
		if i > 0 {
			b.WriteString(rapid.SampledFrom(gaps).Draw(t, "gap"))
		}
		switch rapid.IntRange(0, 3).Draw(t, "case") {
		case 0:
			w = strings.ToUpper(w)
		case 1:
			w = strings.ToLower(w)
		}
		b.WriteString(w)
	}
	return b.String()
}

func anchorable(run []string) bool {
	return slices.ContainsFunc(run, func(w string) bool {
		return len(w) >= leastAnchor && !strings.ContainsFunc(w, func(r rune) bool { return '0' <= r && r <= '9' })
	})
}

func different(run []string) int {
	return len(slices.Compact(slices.Sorted(slices.Values(run))))
}

// Every run of twelve words of any copy is seen, whole, once and at its place,
// however it is written; less than that is not.
func TestExcerptsOfAnyCopy(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		text, copied := drawText(t)
		all := strings.FieldsFunc(copied, func(r rune) bool { return !letter(r) })
		if len(all) < MinWords {
			t.Skip("a short text")
		}
		from := rapid.IntRange(0, len(all)-MinWords).Draw(t, "from")
		n := rapid.IntRange(MinWords-1, len(all)-from).Draw(t, "words")
		run := all[from : from+n]
		quoted := rewrite(t, run, true)
		before, after := "zzzqx. ", " (zzzqy)\n"
		log := before + quoted + after
		got := see(t, &Scanner{Texts: []Text{text}}, log)
		if n < MinWords {
			if len(got) > 0 {
				t.Fatalf("%d words %q are seen: %+v", n, run, got)
			}
			return
		}
		counts := false
		for i := 0; i+MinWords <= n; i++ {
			if !anchorable(run[i : i+MinWords]) {
				return // not promised
			}
			counts = counts || different(foldAll(run[i:i+MinWords])) >= leastDifferent
		}
		if !counts {
			if len(got) > 0 {
				t.Fatalf("%q says nothing and is seen", run)
			}
			return
		}
		found++
		if len(got) != 1 || log[got[0].Offset:][:got[0].Len] != quoted || got[0].What.Quote.Words != n || got[0].What.Quote.Ref != "text" ||
			got[0].What.Quote.From > from && !standsAt(text, got[0].What.Quote.From, run) {
			t.Fatalf("%q of\n%q\nwas seen as %+v", log, copied, got)
		}
	})
	if found < 20 {
		t.Errorf("only %d excerpts were looked for", found)
	}
}

// standsAt reports whether some copy has those words at that place, with as many before
// them as the copy has that has the fewest.
func standsAt(t Text, first int, words []string) bool {
	l := newLattice(t)
	var here []int32
	for n := range l.nodes {
		if l.nodes[n].first == first {
			here = append(here, int32(n))
		}
	}
	for _, w := range words {
		var there []int32
		for _, n := range here {
			for _, e := range l.nodes[n].out {
				if reads([]byte(w), l.edges[e].word) {
					there = append(there, l.joints[l.edges[e].to].starts...)
					if len(l.joints[l.edges[e].to].starts) == 0 {
						there = append(there, n) // the text ends
					}
				}
			}
		}
		slices.Sort(there)
		if here = slices.Compact(there); len(here) == 0 {
			return false
		}
	}
	return true
}

func foldAll(words []string) (out []string) {
	for _, w := range words {
		out = append(out, fold([]byte(w)))
	}
	return out
}

// see is scan for a property's test.
func see(t *rapid.T, s *Scanner, log string) (out []Sighting) {
	if _, err := s.Scan("", strings.NewReader(log), func(s Sighting) error { out = append(out, s); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// In random words, what is seen is what a plain search for runs of any copy
// sees: the words in some quote are those in some run.
func TestQuotesAgainstNaiveSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"alpha", "beta", "gamma", "delta", "kappa"})
		list := func(least, most int) []string { return rapid.SliceOfN(word, least, most).Draw(t, "words") }
		var text Text
		copies := [][]string{nil}
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			var p Part
			var longer [][]string
			for range rapid.IntRange(1, 3).Draw(t, "q") {
				a := list(0, 12)
				p.Alternatives = append(p.Alternatives, []byte(" "+strings.Join(a, " ")+" "))
				for _, c := range copies {
					longer = append(longer, append(slices.Clone(c), a...))
				}
			}
			copies = longer
			text.Parts = append(text.Parts, p)
		}
		text.Ref = "text"
		// Telemetry: pieces of copies and noise.
		var words []string
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			if rapid.Bool().Draw(t, "piece") {
				c := rapid.SampledFrom(copies).Draw(t, "copy")
				from := rapid.IntRange(0, len(c)).Draw(t, "from")
				words = append(words, c[from:rapid.IntRange(from, len(c)).Draw(t, "to")]...)
			} else {
				words = append(words, list(0, 4)...)
			}
		}
		var log strings.Builder
		at := make([]int, len(words))
		for i, w := range words {
			at[i] = log.Len()
			log.WriteString(w + " ")
		}
		want := make([]bool, len(words))
		for i := 0; i+MinWords <= len(words); i++ {
			run := words[i : i+MinWords]
			if different(run) < leastDifferent {
				continue
			}
			for _, c := range copies {
				for k := 0; k+MinWords <= len(c); k++ {
					if slices.Equal(c[k:k+MinWords], run) {
						for x := range MinWords {
							want[i+x] = true
						}
					}
				}
			}
		}
		got := make([]bool, len(words))
		sightings := see(t, &Scanner{Texts: []Text{text}}, log.String())
		for _, s := range sightings {
			n := 0
			for i := range words {
				if at[i] >= int(s.Offset) && at[i] < int(s.Offset)+s.Len {
					got[i] = true
					n++
				}
			}
			if n != s.What.Quote.Words || n < MinWords {
				t.Fatalf("%d words, said to be %d", n, s.What.Quote.Words)
			}
		}
		for i := range words {
			if want[i] && !got[i] {
				t.Fatalf("word %d of %q isn't seen in %v", i, words, sightings)
			}
		}
		// More may only be seen around what counts: a quote as a whole is a run.
		for _, s := range sightings {
			run := strings.Fields(log.String()[s.Offset:][:s.Len])
			if !slices.ContainsFunc(copies, func(c []string) bool {
				return strings.Contains(" "+strings.Join(c, " ")+" ", " "+strings.Join(run, " ")+" ")
			}) {
				t.Fatalf("%q is in no copy", run)
			}
		}
	})
}

const advisory = "The portal's layout import page deserializes a view state that the caller signs with a machine key read from any page under the layouts folder. " +
	"An attacker who can reach the page without signing in runs code as the service account; rotating machine keys after patching is therefore necessary, not optional."

func advisoryText() Text {
	return Text{Ref: "advisory", Parts: []Part{{Alternatives: [][]byte{[]byte(advisory)}}}}
}

func TestExcerptsThroughEncodings(t *testing.T) {
	quoted := "An attacker who can reach the page without signing in runs code as the service account; rotating machine keys"
	words := len(wordsOf([]byte(quoted)))
	wrapped := strings.ReplaceAll(quoted, "without ", "without\n> ")
	for _, c := range []struct {
		name, log string
		through   Encoding
	}{
		{"plain", "x\n" + wrapped + "\ny", 0},
		{"HTML", "<html>\n<p>" + html.EscapeString(strings.ReplaceAll(wrapped, ";", "\u00a0&")) + "</p>", Entity},
		{"HTML with named blanks", "<html>\n<p>" + strings.ReplaceAll(quoted, " ", "&nbsp;") + "</p>", Entity},
		{"every letter a reference", "<html>\n<p>" + each(quoted, "&#%d;") + "</p>", Entity},
		{"JSON", eveHead + strings.ReplaceAll(wrapped, "\n", `\n`) + eveTail, JSON},
		{"JSON, each letter", eveHead + each(quoted, `\u%04x`) + eveTail, JSON},
		{"percent", eveHead + "/?q=" + url.PathEscape(quoted) + eveTail, Percent},
		{"a form", eveHead + "/?q=" + url.QueryEscape(quoted) + eveTail, Percent},
		{"percent twice", eveHead + "/?q=" + url.PathEscape(url.PathEscape(quoted)) + eveTail, Percent | Twice},
		{"base64", eveHead + base64.StdEncoding.EncodeToString([]byte(wrapped)) + eveTail, Base64},
	} {
		got, sum := scan(t, &Scanner{Texts: []Text{advisoryText()}}, strings.NewReader(c.log))
		if len(got) != 1 || got[0].What.Quote.Words != words || got[0].What.Quote.From != 26 || got[0].Through&c.through != c.through || got[0].What.Kind() != "text" {
			t.Errorf("%s (%s): %+v", c.name, sum.Format, got)
		}
	}
	for name, log := range map[string]string{
		"eleven words":            strings.Join(strings.Fields(quoted)[:11], " "),
		"over two records of EVE": eveHead + quoted[:60] + eveTail + eveHead + quoted[60:] + eveTail,
		"a word less":             strings.Replace(quoted, " runs", "", 1),
		"a gap too wide":          strings.Replace(quoted, " runs", strings.Repeat(" ", MaxGap+1)+"runs", 1),
	} {
		if got, _ := scan(t, &Scanner{Texts: []Text{advisoryText()}}, strings.NewReader(log)); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func each(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, format, r)
	}
	return b.String()
}

func TestPublicTextDoesntCount(t *testing.T) {
	licence := "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files"
	text := Text{Ref: "poc", Parts: []Part{{Alternatives: [][]byte{[]byte(licence + ". " + advisory)}}}}
	s := &Scanner{Texts: []Text{text}, Public: [][]byte{[]byte("MIT\n\n" + strings.ToUpper(licence))}}
	if got, _ := scan(t, s, strings.NewReader(licence)); len(got) != 0 {
		t.Errorf("a licence is seen: %+v", got)
	}
	if got, _ := scan(t, s, strings.NewReader(licence+": "+advisory[:60])); len(got) != 1 {
		t.Errorf("what stands behind a licence is not seen: %+v", got)
	}
	if got, _ := scan(t, &Scanner{Texts: []Text{text}}, strings.NewReader(licence)); len(got) != 1 {
		t.Errorf("an excerpt is not seen: %+v", got)
	}
}

// A quote over lines is seen once and whole, however the stream is cut.
func TestQuotesOverChunks(t *testing.T) {
	var long strings.Builder // of many chunks of OneByteReader, and two of the scan's own
	for i := range 60_000 {
		fmt.Fprintf(&long, "%x ", uint32(i+1)*0x9E3779B1)
		if i%9 == 0 {
			long.WriteString("\n> ")
		}
	}
	text := Text{Ref: "long", Parts: []Part{{Alternatives: [][]byte{[]byte(long.String())}}}}
	filler := strings.Repeat("nothing to see in this line of text\n", 7000)
	log := filler + long.String() + "\n" + filler
	for _, cut := range []int{0, 100_000, len(filler) - 1, len(filler) + 1} {
		got, sum := scan(t, &Scanner{Texts: []Text{text}}, strings.NewReader(log[cut:]))
		if len(got) != 1 || got[0].What.Quote.Words < 59_990 || got[0].Line < 1 || sum.Bytes != int64(len(log)-cut) {
			t.Errorf("cut at %d: %d sightings of %+v", cut, len(got), firstOf(got))
		}
	}
	short := strings.Repeat("a line\n", 30) + strings.ReplaceAll(advisory, " ", "\n") + strings.Repeat("\na line", 3000)
	one, _ := scan(t, &Scanner{Texts: []Text{advisoryText()}}, strings.NewReader(short))
	if len(one) != 1 {
		t.Fatalf("%+v", one)
	}
	for name, r := range map[string]interface{ Read([]byte) (int, error) }{
		"dribbled": iotest.OneByteReader(strings.NewReader(short)), "halves": iotest.HalfReader(strings.NewReader(short)), "zipped": bytes.NewReader(zip(short)),
	} {
		got, sum := scan(t, &Scanner{Texts: []Text{advisoryText()}}, r)
		if len(got) != 1 || got[0].Offset != one[0].Offset || got[0].Len != one[0].Len || got[0].Line != one[0].Line || sum.Lines != int64(strings.Count(short, "\n")+1) {
			t.Errorf("%s: %+v, want %+v", name, got, one)
		}
	}
}

// Lines that are no records are running text in a log too, wherever a chunk ends
// and whatever stands before them.
func TestQuotesOverLinesOfALog(t *testing.T) {
	wrapped := "> " + strings.ReplaceAll(advisory, " page", "\n> page")
	for f, record := range map[Format]string{
		EVE: eveHead + "/" + eveTail, W3C: "#Fields: date time cs-uri-stem\n2025-07-07 12:00:00 /\n", Access: `192.0.2.1 - - [07/Jul/2025:12:00:00 +0200] "GET / HTTP/1.1" 200 1` + "\n",
		Zeek: "#fields\tts\turi\n1751889600.5\t/\n", ZeekJSON: `{"ts":1751889600.5,"uri":"/"}` + "\n", Syslog: "Jul  7 12:00:00 h su: x\n", Plain: "x\n",
	} {
		last := record[strings.LastIndexByte(record[:len(record)-1], '\n')+1:]
		padding := strings.Repeat(last+"nothing to see here\n", quantum/len(last))
		for name, log := range map[string]string{
			"in the first chunk": record + wrapped + "\n" + last, "before any record": wrapped + "\n" + record, "chunks later": record + padding + wrapped + "\n" + last,
			"over two chunks": (record + padding)[:quantum-100] + "\n" + wrapped + "\n" + last,
		} {
			readers := []io.Reader{strings.NewReader(log)}
			if len(log) < quantum/2 {
				readers = append(readers, iotest.OneByteReader(strings.NewReader(log)))
			}
			for _, r := range readers {
				got, sum := scan(t, &Scanner{Texts: []Text{advisoryText()}}, r)
				if len(got) != 1 || got[0].What.Quote.Words != len(wordsOf([]byte(advisory))) || log[got[0].Offset:][:got[0].Len] != wrapped[2:len(wrapped)-1] || sum.Format != f {
					t.Errorf("%v, %s: %v, %+v", f, name, sum.Format, got)
				}
			}
		}
		// A text that quotes a record, in a log of such.
		sample := advisory[:200] + "\n" + strings.ReplaceAll(last, "12", "13") + advisory[200:]
		got, _ := scan(t, &Scanner{Texts: []Text{{Ref: "x", Parts: []Part{{Alternatives: [][]byte{[]byte(sample)}}}}}}, strings.NewReader(record+padding+sample+"\n"+last))
		if len(got) != 1 || got[0].What.Quote.Words != len(wordsOf([]byte(sample))) {
			t.Errorf("%v, with a record in it: %+v", f, got)
		}
	}
}

func firstOf(s []Sighting) (out []What) {
	for _, s := range s[:min(len(s), 3)] {
		out = append(out, s.What)
	}
	return out
}

// A long line is searched in pieces; a quote in it is seen once wherever they
// part.
func TestQuotesInPieces(t *testing.T) {
	for at := leastMaxLine - 2000; at < leastMaxLine+25_000; at += 501 {
		line := strings.Repeat(".", at) + advisory + strings.Repeat(".", 60_000-at)
		got, _ := scan(t, &Scanner{Texts: []Text{advisoryText()}, MaxLine: leastMaxLine}, strings.NewReader(line))
		if len(got) != 1 || got[0].Offset != int64(at) {
			t.Fatalf("at %d: %+v", at, got)
		}
	}
}

func TestTextsOfAForm(t *testing.T) {
	f := &form.Form{Files: []form.File{{Path: "a.md", Parts: []form.Part{
		{Kind: form.Literal, Bytes: []byte(advisory[:100])},
		{Kind: form.Choice, Alternatives: [][]byte{[]byte("one"), []byte("another")}},
		{Kind: form.Literal, Bytes: []byte(" ")},
		{Kind: form.Token, Alphabet: token.UUID},
		{Kind: form.Literal, Bytes: []byte(advisory[100:])},
	}}}}
	s := &Scanner{Texts: Texts("r1", f)}
	log := advisory[:100] + "another " + token.UUID.Encode(rec, 4) + advisory[100:]
	got, _ := scan(t, s, strings.NewReader(log))
	if len(got) != 1 || got[0].Len != len(log)-1 || got[0].What.Quote.Ref != "r1/a.md" {
		t.Errorf("%+v", got)
	}
	for _, bad := range []Text{{}, {Ref: "x", Parts: []Part{{}}}, {Ref: "x", Parts: []Part{{Alternatives: [][]byte{nil}, Token: token.Hex}}}} {
		if _, err := (&Scanner{Texts: []Text{bad}}).Scan("", strings.NewReader(""), nil); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// A word with sites in it has many spellings, and a word with too many may be
// any.
func TestSpellings(t *testing.T) {
	hex := func(n int, pairs string) (parts []Part) {
		for i := range n {
			parts = append(parts, Part{Alternatives: [][]byte{[]byte(pairs[i*2%len(pairs):][:1]), []byte(pairs[i*2%len(pairs)+1:][:1])}})
		}
		return parts
	}
	lit := func(s string) Part { return Part{Alternatives: [][]byte{[]byte(s)}} }
	for name, c := range map[string]struct {
		parts []Part
		word  string
		seen  bool
	}{
		"cases of digits":    {hex(64, "aAbBcC"), strings.Repeat("abC", 21) + "a", true},
		"spellings":          {hex(8, "acbd"), "adcbabab", true},
		"not a spelling":     {hex(8, "acbd"), "adcbaeab", false},
		"too many spellings": {hex(64, "acbd"), strings.Repeat("ab", 32), true},
	} {
		text := Text{Ref: "x", Parts: append(append([]Part{lit("before the word stand seven others ")}, c.parts...), lit(" and behind stand some more words"))}
		got, _ := scan(t, &Scanner{Texts: []Text{text}}, strings.NewReader("the word stand seven others "+c.word+" AND behind: stand some more words"))
		if len(got) == 1 != c.seen {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Each run of twelve words on any path holds an anchor, if it holds a word that
// can be one.
func TestAnchorsCoverEveryPath(t *testing.T) {
	full := 0
	rapid.Check(t, func(t *rapid.T) {
		text, _ := drawText(t)
		l := newLattice(text)
		l.choose(rankOf)
		if len(l.edges) == 0 {
			return
		}
		for range 20 {
			n := rapid.SampledFrom(l.nodes).Filter(func(n node) bool { return n.first >= 0 }).Draw(t, "node")
			able, anchor := false, false
			for steps := 0; ; {
				e := l.edges[rapid.SampledFrom(n.out).Draw(t, "edge")]
				_, ok := rankOf(e.word)
				able, anchor = able || ok, anchor || e.anchor
				if steps++; steps == MinWords {
					full++
					if able && !anchor {
						t.Fatal("no anchor")
					}
					break
				}
				starts := l.joints[e.to].starts
				if len(starts) == 0 {
					break
				}
				n = l.nodes[rapid.SampledFrom(starts).Draw(t, "start")]
			}
		}
	})
	if full < 20 {
		t.Errorf("only %d ways of twelve words were gone", full)
	}
}

// The words that anchors avoid are those of the sample.
func TestCommonWords(t *testing.T) {
	t.Setenv("FOREWARN_DATA", t.TempDir())
	count := map[string]int{}
	for _, line := range records(t, false) {
		for _, w := range strings.FieldsFunc(string(line), func(r rune) bool { return r >= 0x80 || !word(byte(r)) }) {
			if w = strings.ToLower(w); len(w) >= 4 && strings.ContainsAny(w, "abcdefghijklmnopqrstuvwxyz") {
				count[w]++
			}
		}
	}
	var want []string
	for w, n := range count {
		if n >= 25 {
			want = append(want, w)
		}
	}
	slices.SortFunc(want, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b)) })
	if !slices.Equal(commonWords, want) {
		t.Errorf("the sample's are\n%s", strings.Join(want, " "))
	}
}

// A text that repeats itself, and telemetry full of it, cost a bounded time for
// each word.
func TestRepetitiveText(t *testing.T) {
	row := "alpha beta gamma delta epsilon "
	text := Text{Ref: "rows", Parts: []Part{{Alternatives: [][]byte{[]byte(strings.Repeat(row, 2000))}}}}
	log := strings.Repeat(row, 6000)
	got, _ := scan(t, &Scanner{Texts: []Text{text}}, strings.NewReader(log))
	if len(got) == 0 || len(got) > 10 || got[0].What.Quote.Words != 10_000 {
		t.Errorf("%d sightings: %+v", len(got), firstOf(got))
	}
}

// What a text says of itself never panics, whatever the telemetry.
func FuzzText(f *testing.F) {
	f.Add([]byte(advisory), []byte("one|two"), []byte("x "+advisory))
	f.Add([]byte("a b c d e f g h i j k l m"), []byte("|"), []byte(`a b c d e f g h i j k l`))
	f.Add([]byte("\xff\xe2\x80"), []byte("\x93|é"), []byte("%41&amp;"))
	f.Fuzz(func(t *testing.T, literal, choice, log []byte) {
		text := Text{Ref: "x", Parts: []Part{{Alternatives: [][]byte{literal}}, {Alternatives: bytes.Split(choice, []byte("|"))}, {Token: token.UUID}, {Alternatives: [][]byte{literal}}}}
		sum, err := (&Scanner{Texts: []Text{text}, MaxLine: leastMaxLine}).Scan("", bytes.NewReader(log), func(s Sighting) error {
			if s.Offset < 0 || s.Len <= 0 || s.What.Quote.Words < MinWords {
				t.Fatalf("%+v", s)
			}
			return nil
		})
		if err != nil || sum.Sightings > int64(len(log)) {
			t.Fatal(sum, err)
		}
	})
}
