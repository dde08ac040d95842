// Package keep keeps a programme safe: it copies the desk while it is served, puts
// keys apart from what they open, makes a folder of the two again, and proves that
// a programme, or its backup, reopens every case.
//
//	served folder ─ Backup ──► BACKUP/   log, anchors, ciphertext; no key
//	              ─ SealKeys ► KEYS.age  one domain's keys, to age recipients
//	BACKUP + KEYS.age… ─ Restore ► new folder, examined before it has its name
//	folder, or BACKUP + KEYS.age… ─ Examine ► one line a check
//
// A backup is worth as much as the last time that it was examined with the keys
// that would be there on the day. Examine needs no more room than the keys and
// Forms have in memory, and writes nothing.
//
// Do not put a backup and its keys into one place: together they are the
// programme. A backup does not hold the checkpoint that is kept outside, on
// purpose: with it an older folder could not be told from the newest. And a file of
// keys that is older than a shredding still holds what was shredded: replace it when
// a key is destroyed, and destroy the old one.
package keep

import "errors"

// The classes of errors that keep has of its own.
var (
	// ErrTaken: something else is where a backup or a folder should be made. It
	// was left as it is.
	ErrTaken = errors.New("is taken")
	// ErrNoBackup: there is no whole backup in the folder. Nothing was changed.
	ErrNoBackup = errors.New("not a whole backup")
	// ErrChanged: somebody changed a backup's forewarn.json. Nothing was changed here.
	ErrChanged = errors.New("the backup's forewarn.json was changed")
	// ErrUnsigned: nobody vouches for a backup's forewarn.json. Nothing was changed.
	ErrUnsigned = errors.New("the backup's forewarn.json is not signed")
	// ErrOlder: the programme lacks what its backup has. Nothing was changed:
	// writing it over the newer one would lose what only that has.
	ErrOlder = errors.New("this folder is older than its backup")
	// ErrKeys: a file holds no keys of this programme. Nothing was changed.
	ErrKeys = errors.New("not the keys of this programme")
	// ErrNoInquiry: nothing was investigated here, so the inquiry has no keys.
	ErrNoInquiry = errors.New("no inquiry yet: nothing to back up")
	// ErrIncomplete: it was made, and lacks what the programme itself lacks.
	ErrIncomplete = errors.New("made, but not whole")
	// ErrBroken: an examination found something broken. Nothing was changed.
	ErrBroken = errors.New("something is broken")
)
