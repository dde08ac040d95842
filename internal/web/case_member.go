package web

import "forewarn/internal/cvd"

// memberCase is for those who take part in a case. Their part has no page yet:
// 'forewarn case show' has it.
func memberCase(*Visit, cvd.CaseID) error { return errNoPage }
