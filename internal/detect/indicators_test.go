package detect

import (
	"slices"
	"testing"

	"forewarn/internal/sighting"
)

func TestIndicators(t *testing.T) {
	const table = `# of the laboratory
note,Type,VALUE,confidence
first,address,192.0.2.44,medium
# a remark
second,sha256,d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592,high
guess,host,www.example.com,low
,User-Agent,"probe, the second/1.2",
x,registry,HKLM,high
x,host,nodots,high
short
`
	got, reports, err := Indicators(table, "pkg/i.csv")
	want := []sighting.Indicator{
		{Kind: sighting.Address, Value: "192.0.2.44", Ref: "pkg/i.csv, row 2"},
		{Kind: sighting.Hash, Value: "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", Ref: "pkg/i.csv, row 3"},
		{Kind: sighting.Constant, Value: "probe, the second/1.2", Ref: "pkg/i.csv, row 5"},
	}
	if err != nil || !slices.Equal(got, want) || len(reports) != 4 {
		t.Errorf("%v: %+v, %v", err, got, reports)
	}
	for _, bad := range []string{"a,b\n1,2\n", "type,value\n\"x"} {
		if _, _, err := Indicators(bad, "r"); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	if got, reports, err := Indicators("", "r"); err != nil || len(got)+len(reports) > 0 {
		t.Error("of nothing comes something")
	}
}

func FuzzIndicators(f *testing.F) {
	f.Add("type,value,confidence\nhost,www.example.com,high\n# x\nip,192.0.2.1,low\n")
	f.Fuzz(func(t *testing.T, text string) {
		got, _, _ := Indicators(text, "r")
		for _, i := range got {
			if err := i.Check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
