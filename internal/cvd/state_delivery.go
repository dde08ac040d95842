package cvd

import "forewarn/internal/entrylog"

// Mailing is what is handed to mail servers in one slot.
type Mailing struct{}

// Delivery is one notice to one account, in one mailing. It says nothing, whatever
// it tells of.
type Delivery struct {
	Note
	ID      DeliveryID
	Mailing MailingID
	Account AccountID
	For     []Told // what it tells of
	Tries   []DeliveryTry
}

// Told is one thing that a delivery tells of.
type Told struct {
	Occasion
	Step uint8 // 0: to who is told first; 1: to the backup contact
}

// Occasion is why somebody is told, and about what: a wave, a case, a revision, terms
// or an account, as Why says.
type Occasion struct {
	Why   Why
	About entrylog.Ref
}

// DeliveryTry is one attempt, or what a mail server said later.
type DeliveryTry struct {
	Note
	Outcome MailOutcome
}

// toldKey is what a party is told once.
type toldKey struct {
	Told
	party HolderID
}
