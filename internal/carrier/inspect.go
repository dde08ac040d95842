package carrier

// SuricataRule is a rule as far as its essence is read: the options in order.
type SuricataRule struct {
	Header  string
	Options []SuricataOption
}

// SuricataOption is one option; Value is empty for one without a colon.
type SuricataOption struct{ Key, Value string }

// SuricataRules reads a rule file.
func SuricataRules(text string) ([]SuricataRule, error) {
	rules, err := parseSuricata(text)
	if err != nil {
		return nil, err
	}
	var out []SuricataRule
	for _, r := range rules {
		s := SuricataRule{Header: r.header}
		for _, o := range r.options {
			s.Options = append(s.Options, SuricataOption{o.key, o.value})
		}
		out = append(out, s)
	}
	return out, nil
}
