package leak

import "forewarn/internal/evidence"

func Text(f *evidence.Findings, width int) string { return "" }
