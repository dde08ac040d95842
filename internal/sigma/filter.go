package sigma

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Filter narrows other rules (Sigma Filters Specification 2.1). Its condition must
// hold as well, so that one that takes matches away says "not selection": so read
// it pySigma and those who follow it. The specification's own example has no
// "not", and would keep what its text says to suppress.
type Filter struct {
	Title  string
	Source LogSource // of the rules that it is for, or wider
	Rules  []string  // ids or names; none: any of that source

	rule Rule // its searches and condition
}

func parseFilter(r Rule, m yaml.MapSlice) (*Filter, error) {
	f := &Filter{Title: r.Title, Source: r.Source, rule: r}
	var detection yaml.MapSlice
	named := false
	for _, kv := range m {
		if kv.Key != "rules" {
			detection = append(detection, kv)
			continue
		}
		named = true
		list, isList := kv.Value.([]any)
		if !isList {
			list = []any{kv.Value}
		}
		for _, v := range list {
			s, ok := scalar(v)
			if !ok {
				return nil, syntax("filter: rules are ids or names of rules, or any")
			}
			f.Rules = append(f.Rules, s)
		}
		if !isList && (f.Rules[0] == "any" || f.Rules[0] == "all") {
			f.Rules = nil
		}
	}
	if !named {
		return nil, syntax("filter: no rules that it is for")
	}
	if err := f.rule.detect(detection); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return f, nil
}

// Apply adds the filter's condition to each of the rules that it is for, and says
// to how many.
func (f *Filter) Apply(rules []Rule) (n int) {
	for i := range rules {
		r := &rules[i]
		named := func(s string) bool { return s == r.Name || strings.EqualFold(s, r.ID) }
		if !r.Source.Within(f.Source) || len(f.Rules) > 0 && !slices.ContainsFunc(f.Rules, named) {
			continue
		}
		n++
		// Its searches get names that no other has.
		free := "filter"
		for slices.ContainsFunc(r.names, func(s string) bool { return strings.HasPrefix(s, free+": ") }) {
			free += "+"
		}
		name := func(s string) string { return free + ": " + s }
		r.searches, r.names = maps.Clone(r.searches), slices.Clone(r.names)
		for _, s := range f.rule.names {
			r.names = append(r.names, name(s))
			r.searches[name(s)] = f.rule.searches[s]
		}
		r.condition = allOf{r.condition, renamed(f.rule.condition, name)}
	}
	return n
}
