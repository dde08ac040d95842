package form

import (
	"crypto/sha256"
	"encoding/binary"
	"sort"
)

const (
	copyMagic = "forewarn copy v1\n"
	leafLabel = "forewarn/copy-leaf/v1"
)

// CopyHash names a copy by its files, never by an archive of them: SHA-256 over
// copyMagic and, for each file in order of path, the path's length as a u32, the
// path, and the SHA-256 of the file. The order of outputs does not matter; two
// with one path are a mistake of the caller's.
func CopyHash(outputs []Output) [32]byte {
	sorted := append([]Output(nil), outputs...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Path < sorted[j].Path })
	b := []byte(copyMagic)
	for _, o := range sorted {
		sum := sha256.Sum256(o.Data)
		b = binary.BigEndian.AppendUint32(b, uint32(len(o.Path)))
		b = append(b, o.Path...)
		b = append(b, sum[:]...)
	}
	return sha256.Sum256(b)
}

// CopyLeaf is the leaf data that a wave's tree holds for one copy:
//
//	SHA-256("forewarn/copy-leaf/v1" ‖ salt ‖ holder ‖ key commitment ‖ copy hash)
//
// The salt is random and secret until the leaf is opened: without it nobody can
// test whether a given holder has a copy, or a given text is one.
func CopyLeaf(salt [32]byte, holder [16]byte, keyCommitment, copyHash [32]byte) [32]byte {
	b := make([]byte, 0, len(leafLabel)+32+16+32+32)
	b = append(b, leafLabel...)
	b = append(b, salt[:]...)
	b = append(b, holder[:]...)
	b = append(b, keyCommitment[:]...)
	b = append(b, copyHash[:]...)
	return sha256.Sum256(b)
}
