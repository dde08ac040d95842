package carrier

import (
	"bytes"
	"slices"

	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// dealLaws gives each site its law. The sites of one class in one document, in
// the order in which they stand, are dealt the profile's pattern, shuffled by the
// bias key a few at a time: whichever part of a text survives, it samples all
// biases in their proportions. A site of the revision before keeps what it has,
// because the symbols of its copies follow from it; new ones are dealt what comes
// after as many.
func (c *compiler) dealLaws(docs []*document) {
	seen := map[*site]bool{}
	type row struct {
		path  string
		class fpcode.Class
	}
	rows := map[row][]*site{}
	kept := map[row]int{}
	var order []row
	for _, d := range docs {
		for i := range d.pieces {
			s := d.pieces[i].site
			if s == nil || seen[s] {
				continue
			}
			seen[s] = true
			r := row{d.path, s.class}
			if law, ok := c.lawBefore(s); ok {
				c.give(s, law)
				kept[r]++
				continue
			}
			if rows[r] == nil {
				order = append(order, r)
			}
			rows[r] = append(rows[r], s)
		}
	}
	for _, r := range order {
		dealt := c.profile.Deal(c.bias, r.class.String()+" "+r.path, kept[r]+len(rows[r]))[kept[r]:]
		for i, s := range rows[r] {
			c.give(s, dealt[i])
		}
	}
}

// give gives a site a law. Sites of many alternatives have but one to take.
func (c *compiler) give(s *site, law uint8) {
	if int(law) >= c.profile.Count(s.q) {
		law = 0
	}
	l, err := c.profile.Law(s.q, law)
	if err != nil {
		panic(err) // CompileFor was given a profile, and q has its limits
	}
	s.law, s.bits = law, lawBits(l)
}

// lawBefore is a site's law in the revision before.
func (c *compiler) lawBefore(s *site) (uint8, bool) {
	if c.before == nil || c.before.Bias() != c.profile {
		return 0, false
	}
	i, ok := slices.BinarySearchFunc(c.before.Sites, s.id, func(x form.Site, id fpcode.SiteID) int { return bytes.Compare(x.ID[:], id[:]) })
	if !ok || int(c.before.Sites[i].Q) != s.q {
		return 0, false
	}
	return c.before.Sites[i].Law, true
}
