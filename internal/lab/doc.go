// Package lab is the product's chain from source to accusation without a programme
// around it: for who wants to know what it does before relying on it.
//
//	source ─► Form ─► Issue: n copies and a Codebook        codebook.go, issue.go
//	specimens, Codebook ─► Trace: readings, tokens, Result   trace.go
//
// Copies are rendered, read and judged by the functions that a programme's are
// rendered, read and judged by. What is missing is all that makes evidence of it:
// no log, no commitment made before the leak by somebody who could not know it, no
// count of runs. A Codebook holds every copy's key, in the open, in one file.
//
// Do not use it to accuse anybody.
package lab
