package hostile

import (
	"forewarn/internal/carrier"
	"forewarn/internal/form"
	"forewarn/internal/fpcode"
)

// Compile is the task that compiles a package's source for nobody: every parser of
// its formats reads it, and what comes of it is thrown away. What refuses it refuses
// it again, with reasons, where it is compiled for good; a source that brings a
// parser down, or takes it for ever, never gets there. The request is the source,
// packed; the answer is empty.
const Compile = "compile"

func compile(b []byte) ([]byte, error) {
	src, err := carrier.Unpack(b)
	if err != nil {
		return nil, nil // told by who compiles it
	}
	if f, _, _, err := carrier.CompileFor(src, fpcode.BiasKey(fpcode.Key{}), fpcode.Default, nil); err == nil {
		form.Distinguishable(f)
	}
	return nil, nil
}
