package seal

import (
	"bytes"
	"fmt"
	"strings"

	"forewarn/internal/form"
)

// BulkKeyFile is the file in a copy that opens the wave's bulk, which is
// encrypted once for everybody. It is added when sealing and taken out when
// opening; it is no part of the package and not under the copy hash.
const BulkKeyFile = "bulk-key.txt"

// Envelope is the sealer's way to age. It holds nothing.
type Envelope struct{}

// Lock is SealCopy to recipients as text, one a string. A bulkKey that is not
// empty travels inside as BulkKeyFile.
func (Envelope) Lock(recipients []string, waveKey [32]byte, holder [16]byte, files []form.Output, bulkKey string) ([]byte, error) {
	to, err := ParseRecipients([]byte(strings.Join(recipients, "\n")))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if strings.EqualFold(f.Path, BulkKeyFile) {
			return nil, fmt.Errorf("%w: %q is reserved for the key of the bulk", ErrUnsafe, f.Path)
		}
	}
	if bulkKey != "" {
		files = append(files[:len(files):len(files)], form.Output{Path: BulkKeyFile, Data: []byte(bulkKey + "\n")})
	}
	return SealCopy(nil, (*WaveKey)(&waveKey), holder, to, files, 0)
}

// Bulk seals files once, under a key that follows from the seed; key is its
// text. The key is the same when a wave is sealed again, the bytes are not.
func (Envelope) Bulk(seed [32]byte, files []form.Output) (sealed []byte, key string, err error) {
	k, err := BlobKeyFrom(seed)
	if err != nil {
		return nil, "", err
	}
	tar, err := Pack(files, 0)
	if err != nil {
		return nil, "", err
	}
	sealed, err = k.Encrypt(tar)
	return sealed, k.text, err
}

// To seals data to recipients as text, one a string.
func (Envelope) To(recipients []string, data []byte) ([]byte, error) {
	to, err := ParseRecipients([]byte(strings.Join(recipients, "\n")))
	if err != nil {
		return nil, err
	}
	out := &sink{buf: make([]byte, 0, len(data)+1024)}
	err = Seal(out, to, data)
	return out.buf, err
}

// TakeBulkKey parts an opened copy into the package's files and the text of the
// bulk's key, empty when there is none.
func TakeBulkKey(files []form.Output) (rest []form.Output, bulkKey string) {
	for _, f := range files {
		if f.Path == BulkKeyFile {
			bulkKey = strings.TrimSuffix(string(f.Data), "\n")
		} else {
			rest = append(rest, f)
		}
	}
	return rest, bulkKey
}

// OpenBulk opens what Bulk sealed.
func OpenBulk(sealed []byte, key string, limits Limits) ([]form.Output, error) {
	k, err := ParseBlobKey([]byte(key))
	if err != nil {
		return nil, err
	}
	tar, err := k.Decrypt(sealed)
	if err != nil {
		return nil, err
	}
	return Unpack(bytes.NewReader(tar), limits)
}
