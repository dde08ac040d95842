package web

import "forewarn/internal/cvd"

// caseView shows a case: to staff all of it but content, to members and finders
// their part.
func caseView(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	if v.May(cvd.ActViewExposure, cvd.ACase(id)) == nil {
		return staffCase(v, id)
	}
	if v.API() {
		return errNoPage // they have getPart, which answers with another object
	}
	return memberCase(v, id)
}

// casePart shows a case to those who take part, under an address of its own:
// programs are told beforehand what they get.
func casePart(v *Visit) error {
	id, err := pathID[cvd.CaseID](v, "case")
	if err != nil {
		return err
	}
	return memberCase(v, id)
}
