package lms

import "time"

// MailKind is what a mail is about.
type MailKind string

// The kinds of mail.
const (
	MailSignInCode     MailKind = "sign-in-code"    // the code of somebody who signs in with an account that proves no address
	MailAddressCode    MailKind = "address-code"    // the code of somebody who adds an address to their account
	MailAddressHeld    MailKind = "address-held"    // somebody tried to add an address that is another account's
	MailAddressChanged MailKind = "address-changed" // the address of an account is another one; to both
	MailNamed          MailKind = "named"           // tells a person that they were named
	MailArrived        MailKind = "arrived"         // tells who named people that these have come
	MailMerged         MailKind = "merged"          // another account became a part of theirs
	MailExpiring       MailKind = "expiring"        // tells who named people that these have not come and expire
	MailClaimAsked     MailKind = "claim-asked"     // somebody signed in with another account says that this address is theirs
)

// MailState is how far a mail is. "Sent" means that the mail server took it: what
// happens beyond, nobody tells us.
type MailState string

// The states of a mail.
const (
	MailQueued   MailState = "queued"
	MailSent     MailState = "sent"
	MailBounced  MailState = "bounced"  // the mail server does not take it, and never will
	MailFailed   MailState = "failed"   // it was tried again and again, and is given up
	MailCanceled MailState = "canceled" // there is no reason for it any more
)

// Mail is something to be sent, or that was.
type Mail struct {
	ID        int64
	Kind      MailKind
	UserID    int64 // whom it is for; SystemUserID where nobody has the address yet
	Address   Email
	Event     string // what it tells of: no event is told twice
	CourseID  int64  // 0 when it is about none
	Language  string // of the reader, as far as it is known
	Data      map[string]string
	State     MailState
	Fault     string // what the mail server said, when it did not take it
	Attempts  int
	CreatedBy int64
	CreatedAt time.Time
	NextAt    time.Time // not before
	EndedAt   time.Time // zero while it is queued
}
