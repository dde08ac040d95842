package cvd

import (
	"fmt"
	"math/bits"
	"strings"
)

// Role is what an account is for. The zero Role may do nothing.
type Role uint8

// The roles. Their numbers are frozen.
const (
	NoRole        Role = iota
	Coordinator        // runs the programme and its cases
	CaseWorker         // writes packages, follows cases
	Approver           // is the second person
	Investigator       // works in the inquiry's domain; learns exposure, tells no suspects
	Auditor            // sees that everything fits; sees no content
	MemberAdmin        // speaks for a member: terms, keys, consent, its accounts
	MemberContact      // reads and answers for a member
	Finder             // found or reported it; follows their own cases
	Sealer             // the sealer's own account: records what it sealed; no person
	roleEnd
)

var roleNames = [...]string{"none", "coordinator", "case-worker", "approver", "investigator", "auditor",
	"member-admin", "member-contact", "finder", "sealer"}

// String is the role's name, "case-worker".
func (r Role) String() string {
	if r < roleEnd {
		return roleNames[r]
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// ParseRole reads what String writes, except "none".
func ParseRole(s string) (Role, error) {
	for r := Coordinator; r < roleEnd; r++ {
		if roleNames[r] == s {
			return r, nil
		}
	}
	return NoRole, fmt.Errorf("%q is not a role: use %s", s, strings.Join(roleNames[1:], ", "))
}

// Roles is a set of roles, bit r for Role r.
type Roles uint16

// RoleSet is the set of these roles.
func RoleSet(roles ...Role) (s Roles) {
	for _, r := range roles {
		s |= 1 << r
	}
	return s
}

// Has reports whether the set has the role. NoRole is never had.
func (s Roles) Has(r Role) bool { return r != NoRole && r < roleEnd && s>>r&1 == 1 }

// List is the roles in order.
func (s Roles) List() []Role {
	out := make([]Role, 0, bits.OnesCount16(uint16(s)))
	for r := Coordinator; r < roleEnd; r++ {
		if s.Has(r) {
			out = append(out, r)
		}
	}
	return out
}

// String is the names, with commas.
func (s Roles) String() string {
	var names []string
	for _, r := range s.List() {
		names = append(names, r.String())
	}
	return strings.Join(names, ", ")
}

var (
	staffRoles  = RoleSet(Coordinator, CaseWorker, Approver, Investigator)
	memberRoles = RoleSet(MemberAdmin, MemberContact)
	allRoles    = Roles(1<<roleEnd - 2)
)

// Kinds of accounts do not mix: an account is staff, or a member's, or one of
// an auditor, a finder or the sealer alone.
var rolesTogether = []Roles{staffRoles, memberRoles, RoleSet(Auditor), RoleSet(Finder), RoleSet(Sealer)}

// checkRoles says why a set of roles can't be one account's.
func checkRoles(s Roles, ofMember bool) string {
	if s == 0 {
		return "an account needs at least one role"
	}
	for _, t := range rolesTogether {
		if s&^t != 0 {
			continue
		}
		switch {
		case ofMember && t != memberRoles:
			return "a member's account can be member-admin or member-contact, and nothing else"
		case !ofMember && t == memberRoles:
			return "member-admin and member-contact belong to a member: name it"
		}
		return ""
	}
	return fmt.Sprintf("one account can't be %s: staff, members, auditors, finders and the sealer stay apart", s)
}
