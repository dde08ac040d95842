package web

import "forewarn/internal/cvd"

func memberCase(*Visit, cvd.CaseID) error { return errNoPage }
