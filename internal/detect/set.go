package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"forewarn/internal/sighting"
	"forewarn/internal/sigma"
)

// MaxText is how many bytes of one text of a field are compared.
const MaxText = 64 << 10

// Class is what a Report is about.
type Class uint8

const (
	Unsupported Class = iota // the rule isn't judged at all
	Unserved                 // it isn't judged on records of a format, or no format has them
	Lacking                  // it is judged, and a format never has some of its fields
	Slow                     // it is judged on every record of its kind
)

func (c Class) String() string {
	return [...]string{"not supported", "passed over", "fields missing", "slow"}[min(c, Slow)]
}

// Report is something that the user of a rule should know.
type Report struct {
	Ref   string
	Class Class
	What  string
}

func (r Report) String() string { return r.Ref + ": " + r.Class.String() + ": " + r.What }

// Set is rules for one scan. Its zero value has none. Add all, then take Rules.
type Set struct {
	read    []read
	filters []filtering
	reports []Report
	rules   []*rule
}

type read struct {
	ref  string
	rule sigma.Rule
}

type filtering struct {
	ref    string
	filter sigma.Filter
}

// rule is a rule and the views that serve it.
type rule struct {
	ref      string
	of       sigma.Rule
	fields   []string
	keywords bool
	views    []*view
	on       [formats][]*view // that a format serves
}

// formats is above any number of them.
const formats = 32

// Add reads rules, and filters for any of the set's. ref names the text in reports
// and sightings. What isn't evaluated is reported by Rules; an error is
// sigma.ErrSyntax: the text isn't Sigma.
func (s *Set) Add(ref, text string) error {
	rules, filters, err := sigma.Read(text)
	if err != nil {
		if errors.Is(err, sigma.ErrSyntax) {
			return fmt.Errorf("%s: %w", ref, err)
		}
		s.reports = append(s.reports, Report{ref, Unsupported, err.Error()})
		return nil
	}
	for _, r := range rules {
		s.read = append(s.read, read{ref, r})
	}
	for _, f := range filters {
		s.filters = append(s.filters, filtering{ref, f})
	}
	return nil
}

// Rules are the rules to scan with, and what is to be said of them.
func (s *Set) Rules() ([]sighting.Rule, []Report) {
	s.filter()
	out := slices.Clone(s.reports)
	report := func(ref string, c Class, format string, args ...any) {
		out = append(out, Report{ref, c, fmt.Sprintf(format, args...)})
	}
	var all []sighting.Rule
	s.rules = nil
	for i := range s.read {
		r := &rule{ref: s.read[i].ref, of: s.read[i].rule}
		if r.of.Title != "" {
			r.ref += ": " + r.of.Title
		}
		r.fields, r.keywords = r.of.Fields()
		if r.of.Taxonomy != "" {
			report(r.ref, Unsupported, "its fields are of the taxonomy %q, not of Sigma's", r.of.Taxonomy)
			continue
		}
		r.look()
		if len(r.views) == 0 {
			what := fmt.Sprintf("no format that is read has records of its source (%s)", r.of.Source)
			if k, ok := kindOf(r.of.Source); ok {
				what = fmt.Sprintf("no format that is read has one of its fields (%s) in %s", strings.Join(r.fields, ", "), k)
			}
			report(r.ref, Unserved, "%s", what)
			continue
		}
		s.rules = append(s.rules, r)
		if needles := r.needles(); len(needles) > 0 {
			all = append(all, sighting.Rule{Ref: r.ref, Needles: needles, Serves: r.serves, Match: r.match})
			continue
		}
		report(r.ref, Slow, "no text of it must stand in a record as it is, so every record of its kind is read")
		all = append(all, r.everywhere()...)
	}
	return all, out
}

// filter applies the filters that were read, each once.
func (s *Set) filter() {
	for _, f := range s.filters {
		n := 0
		for i := range s.read {
			one := []sigma.Rule{s.read[i].rule}
			n += f.filter.Apply(one)
			s.read[i].rule = one[0]
		}
		if n == 0 {
			s.reports = append(s.reports, Report{f.ref, Unsupported, fmt.Sprintf("the filter %q is for none of the rules here", f.filter.Title)})
		}
	}
	s.filters = nil
}

// everywhere judges every record, but for what tells records of a kind apart in
// some formats.
func (r *rule) everywhere() (out []sighting.Rule) {
	for i := range views {
		var on []sighting.Format
		for f := range sighting.Format(formats) {
			if len(r.on[f]) > 0 && r.on[f][0] == &views[i] {
				on = append(on, f)
			}
		}
		if len(on) == 0 {
			continue
		}
		x := sighting.Rule{Ref: r.ref, Match: r.match, Serves: func(f sighting.Format) bool { return slices.Contains(on, f) }}
		if len(r.on[on[0]]) == 1 { // no other view's records are among those
			x.Guard = views[i].mark
		}
		out = append(out, x)
	}
	return out
}

// Unserved says which rules aren't judged on records of a format, or never find
// some of their fields in one.
func (s *Set) Unserved(f sighting.Format) (out []Report) {
	for _, r := range s.rules {
		if !r.serves(f) {
			out = append(out, Report{r.ref, Unserved, fmt.Sprintf("%s holds no %s with a field of it", f, r.kinds())})
			continue
		}
		if lacking := r.lacking(f); len(lacking) > 0 {
			out = append(out, Report{r.ref, Lacking, fmt.Sprintf("%s never has %s", f, strings.Join(lacking, ", "))})
		}
	}
	return out
}

func (r *rule) kinds() string {
	if k, ok := kindOf(r.of.Source); ok {
		return string(k)
	}
	return string(lines)
}

func kindOf(s sigma.LogSource) (kind, bool) {
	for _, row := range kinds {
		if s.Within(row.source) {
			return row.kind, true
		}
	}
	return "", false
}

// look finds the views of the rule's kind that have any of its fields. Lines of
// text serve whoever asks for words alone.
func (r *rule) look() {
	k, known := kindOf(r.of.Source)
	for i := range views {
		w := &views[i]
		if w.kind == lines && len(r.fields) == 0 || known && w.kind == k && (r.keywords || slices.ContainsFunc(r.fields, func(f string) bool { return w.field(f) != nil })) {
			r.views = append(r.views, w)
			for f := range sighting.Format(formats) {
				if w.serves(f.String()) {
					r.on[f] = append(r.on[f], w)
				}
			}
		}
	}
}

func (r *rule) serves(f sighting.Format) bool {
	return int(f) < formats && len(r.on[f]) > 0
}

// lacking are the rule's fields that no view of a format has.
func (r *rule) lacking(f sighting.Format) (out []string) {
	for _, name := range r.fields {
		if !slices.ContainsFunc(r.on[f], func(w *view) bool { return w.field(name) != nil }) {
			out = append(out, name)
		}
	}
	return out
}

// needles are such that each view's records have one of them.
func (r *rule) needles() []string {
	n := sigma.Needling{Least: sighting.MinValue, Most: 40, Common: common, Made: scheme, Verbatim: func(name string) bool {
		for _, w := range r.views {
			if w.verbatim != nil && !w.verbatim(name) {
				return false
			}
		}
		return true
	}}
	return r.of.Needles(n)
}

// match judges a record, by the first view that takes it for one of its kind.
func (r *rule) match(record *sighting.Record) bool {
	if !r.serves(record.Format) {
		return false
	}
	for _, w := range r.on[record.Format] {
		v, _ := record.Memo[w].(*viewed)
		if v == nil {
			v = w.see(values(record.Values))
			record.Memo[w] = v
		}
		about, known := v.about[r.of.Source.Service]
		if !known {
			about = w.about(r.of.Source.Service, v.values)
			v.about[r.of.Source.Service] = about
		}
		if about {
			return r.of.Holds(v.record)
		}
	}
	return false
}

// viewed is a record as a view has it: seen once for all rules.
type viewed struct {
	values values
	about  map[string]bool // by the service of a rule's source, which is all that views look at
	record *sigma.Record
}

func (w *view) see(v values) *viewed {
	if w.read != nil {
		v = w.read(v)
	}
	texts := func(f field) []string {
		if f != nil {
			return cut(f(v))
		}
		return nil
	}
	field := func(name string) (own, more []string) {
		return texts(w.field(name)), texts(w.fields[also[strings.ToLower(name)]])
	}
	words := func() (out []string) {
		for name, texts := range v {
			if strings.HasPrefix(name, w.words) {
				out = append(out, cut(texts)...)
			}
		}
		return out
	}
	return &viewed{v, map[string]bool{}, sigma.NewRecord(field, words)}
}

func cut(texts []string) []string {
	for i, t := range texts {
		if len(t) > MaxText {
			texts = slices.Clone(texts)
			for j := i; j < len(texts); j++ {
				texts[j] = texts[j][:min(len(texts[j]), MaxText)]
			}
			return texts
		}
	}
	return texts
}
