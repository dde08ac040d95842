// Package seal puts a member's copy into an envelope that only that member can
// open, and only once the wave is open.
//
// The envelope is a plain age file (age-encryption.org/v1) around a plain tar:
// whoever has the right key opens it with Debian's age and tar and needs
// nothing of ours. Two things are added:
//
//   - Before its wave opens, a copy lies locked: the age header, which holds the
//     only wrapped copy of the file key, is itself encrypted under the wave's
//     key. A member who gets hold of the locked file early cannot open it, and
//     a thief of the wave key alone cannot either. Unlock joins header and
//     payload to the age file again. See doc/spec/sealed.md.
//   - The tar has one possible encoding for a set of files, and Unpack accepts
//     no other: an archive made to surprise somebody (links, devices, paths that
//     climb, names that collide, sizes that explode) is refused.
//
// How data passes through it:
//
//	files ─ Pack ─► tar ─ age ─► header ‖ payload ─ lock(wave key) ─► locked copy   (sealer)
//	locked copy ─ Unlock ─► age file ─ Open ─► tar ─ Unpack ─► files              (desk, then member)
//
// The package also keeps texts of keys: recipients, identity files, and the
// Ed25519 key with which a member signs receipts; and it encrypts blobs under a
// case's or a person's key, so that destroying the key destroys the content.
//
// Do not use it to prove who wrote something: age does not authenticate its
// sender. And do not read a copy's origin from its envelope: what tells copies
// apart is inside them.
package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// The classes of errors. Every error of this package that depends on input is
// one of them.
var (
	// ErrKeyText: a line is not a key of a kind that is known here. The text of
	// the error names the line and never repeats what could be a secret.
	ErrKeyText = errors.New("not a usable key")
	// ErrWrongKey: the input is whole as far as can be seen, but it was sealed to
	// other keys, or locked under another wave key or for another holder.
	ErrWrongKey = errors.New("sealed to other keys")
	// ErrDamaged: the input was cut short or altered. Fetch it again.
	ErrDamaged = errors.New("damaged or not a sealed file")
	// ErrUnsafe: an archive is not one that Pack makes. Nothing of it was used.
	ErrUnsafe = errors.New("archive refused")
)

// Seal writes plaintext to dst as an age file that every one of the recipients
// can open. The zero Recipients are nobody, and sealing to nobody fails.
func Seal(dst io.Writer, to Recipients, plaintext []byte) error {
	w, err := to.Encrypt(dst)
	if err != nil {
		return err
	}
	if _, err := w.Write(plaintext); err != nil {
		return err
	}
	return w.Close()
}

// Encrypt begins an age file to all recipients, for what is too large to hold in
// memory: what is written is encrypted into dst, which is whole once the result is
// closed. Closing it does not close dst.
func (r Recipients) Encrypt(dst io.Writer) (io.WriteCloser, error) {
	if len(r.keys) == 0 {
		return nil, fmt.Errorf("%w: no recipients; sealing to nobody was refused", ErrKeyText)
	}
	return age.Encrypt(dst, r.keys...)
}

// Open decrypts an age file, armoured or not. The returned reader gives
// plaintext that is authentic as far as it has been read, and ErrDamaged at the
// first chunk that is not; callers use nothing before they have read io.EOF.
func Open(src io.Reader, with Identities) (io.Reader, error) {
	if len(with.keys) == 0 {
		return nil, fmt.Errorf("%w: no identity was given to open it with", ErrWrongKey)
	}
	start := make([]byte, len(armor.Header))
	n, err := io.ReadFull(src, start)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	src = io.MultiReader(bytes.NewReader(start[:n]), src)
	if string(start[:n]) == armor.Header {
		src = armor.NewReader(src)
	}
	r, err := age.Decrypt(src, with.keys...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, fmt.Errorf("%w: none of the %d identities opens it; use the identity file whose public key you enrolled", ErrWrongKey, len(with.keys))
	case err != nil:
		return nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return damageReader{r}, nil
}

// damageReader gives age's errors, which have no type, a class.
type damageReader struct{ r io.Reader }

func (d damageReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return n, err
}
