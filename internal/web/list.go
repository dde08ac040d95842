package web

import (
	"net/url"
	"strconv"
	"strings"
)

// listIn is what a page with a long list is asked with.
type listIn struct {
	Words string `json:"words" doc:"Only what has these in its name."`
	Sort  string `json:"sort" max:"40" doc:"The column to sort by; '-' before it turns the order round."`
	After string `json:"after" doc:"Go on behind this: the 'next' of an earlier answer."`
	Limit int    `json:"limit" low:"0" high:"200" doc:"How many at most; 50 if nothing is said."`
}

// list is how a page shows part of a long list: the links that show it otherwise.
// To programs it says how many there are, and where to go on.
type list struct {
	Words string `json:"-"`
	Sort  string `json:"-"`
	All   int    `json:"of"` // that match
	Next  string `json:"next,omitempty"`

	path  string
	Heads []head `json:"-"`
	More  string `json:"-"` // path of the next part; empty: this is the last
	Begin string `json:"-"` // of the first; empty: this is it
}

// head is a heading that sorts.
type head struct {
	Name, Path string
	Sorted     string // ascending, descending, or empty
	Figure     bool
}

// part cuts the part of a list that was asked for, and makes its links. columns
// are pairs of an order's name and a heading; a heading without an order doesn't
// sort, and one that begins with '#' is of figures. at is the path and fragment.
func part[T any](all []T, in listIn, at string, key func(T) string, columns ...[2]string) ([]T, list, error) {
	l := list{Words: in.Words, Sort: in.Sort, All: len(all), path: at}
	shown, next, err := cut(all, window{in.After, in.Limit}, key)
	if err != nil {
		return nil, l, err
	}
	if shown == nil {
		shown = []T{}
	}
	for _, c := range columns {
		h := head{Name: strings.TrimPrefix(c[1], "#"), Figure: strings.HasPrefix(c[1], "#")}
		if order := c[0]; order != "" {
			h.Path = l.with(in, order, "")
			switch in.Sort {
			case order:
				h.Sorted, h.Path = "ascending", l.with(in, "-"+order, "")
			case "-" + order:
				h.Sorted = "descending"
			}
		}
		l.Heads = append(l.Heads, h)
	}
	if l.Next = next; next != "" {
		l.More = l.with(in, in.Sort, next)
	}
	if in.After != "" {
		l.Begin = l.with(in, in.Sort, "")
	}
	return shown, l, nil
}

// with is the path of the same list, sorted and begun otherwise.
func (l list) with(in listIn, sort, after string) string {
	q := url.Values{}
	for name, s := range map[string]string{"words": in.Words, "sort": sort, "after": after} {
		if s != "" {
			q.Set(name, s)
		}
	}
	if in.Limit > 0 {
		q.Set("limit", strconv.Itoa(in.Limit))
	}
	base, fragment, _ := strings.Cut(l.path, "#")
	if fragment != "" {
		fragment = "#" + fragment
	}
	if len(q) == 0 {
		return base + fragment
	}
	return base + "?" + q.Encode() + fragment
}
