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
	return memberCase(v, id)
}
