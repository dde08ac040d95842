package csaf

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var unnamed = regexp.MustCompile(`[^+\-a-z0-9]+`)

// FileName is what a document is called, by its id (CSAF 2.0, 5.1): small letters, and
// one '_' for each run of what isn't a letter, a digit, '+' or '-'.
func FileName(id string) string {
	return unnamed.ReplaceAllString(strings.ToLower(id), "_") + ".json"
}

// Filed is a document's place in the folder of all.
type Filed struct {
	ID         string
	At, Change time.Time // when it was published first, and as it is
}

// Path is where it is, below the folder of all: in that of its year.
func (f Filed) Path() string { return strconv.Itoa(f.At.UTC().Year()) + "/" + FileName(f.ID) }

// Index is index.txt (7.1.12): the paths of all documents, one a line.
func Index(all []Filed) []byte {
	var b bytes.Buffer
	for _, f := range all {
		b.WriteString(f.Path() + "\n")
	}
	return b.Bytes()
}

// Changes is changes.csv (7.1.13): when each document was released as it is, the newest
// first.
func Changes(all []Filed) []byte {
	var b bytes.Buffer
	for _, f := range slices.SortedStableFunc(slices.Values(all), func(x, y Filed) int {
		return cmp.Or(y.Change.UTC().Truncate(time.Second).Compare(x.Change.UTC().Truncate(time.Second)), strings.Compare(x.Path(), y.Path()))
	}) {
		b.WriteString(strconv.Quote(f.Path()) + "," + strconv.Quote(stamp(f.Change)) + "\n")
	}
	return b.Bytes()
}

// Provider is provider-metadata.json (7.1.7) of who fulfils what a csaf_provider has
// to. There are no signatures, so it is no trusted provider.
type Provider struct {
	Canonical string    // address of the file itself
	Folder    string    // address of the folder of all documents
	Updated   time.Time // when a document last changed
	Publisher Publisher
}

// Metadata writes it.
func (p Provider) Metadata() []byte {
	type directory struct {
		URL string `json:"directory_url"`
	}
	return indented(struct {
		Canonical     string      `json:"canonical_url"`
		Distributions []directory `json:"distributions"`
		Updated       string      `json:"last_updated"`
		List          bool        `json:"list_on_CSAF_aggregators"`
		Version       string      `json:"metadata_version"`
		Mirror        bool        `json:"mirror_on_CSAF_aggregators"`
		Publisher     Publisher   `json:"publisher"`
		Role          string      `json:"role"`
	}{p.Canonical, []directory{{p.Folder}}, stamp(p.Updated), true, "2.0", true, p.Publisher, "csaf_provider"})
}
