// Package hostile is what is done with bytes that nobody vouches for and whose form
// is not a plain one: archives, found material, mails, packages of files in many
// formats. Each is a task: bytes in, bytes out, nothing else. So a task can be done
// in a process apart that has no keys, no files and no network (see apart), and what
// comes back is read as carefully as what went in.
//
//	request ─► bytes ═► another process: Tasks[name] ═► bytes ─► answer, checked
//
// Do not add a task that needs a secret: it belongs with who holds it. A parser of a
// plain form of ours (wire) needs no task.
package hostile

import "errors"

// Tasks by name. The bytes are a wire layout of the request, and of its answer. An
// error is what the task refuses, as text for the person who brought the bytes.
var Tasks = map[string]func([]byte) ([]byte, error){
	Read:    read,
	Unpack:  unpack,
	Compile: compile,
	Bounces: bounces,
}

var (
	// ErrRefused: the task doesn't take these bytes; the text says why.
	ErrRefused = errors.New("refused")
	// ErrFell: a process that did the task ended before it had an answer: the bytes took
	// more memory or time than there is, or what reads them failed.
	ErrFell = errors.New("can't be read safely")
)
