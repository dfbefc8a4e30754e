package lms

import "time"

// ClaimRequest is what somebody says who has signed in with another account than the
// one that is waited for: that what waits for an address is theirs. Those who gave
// what waits decide (ADR 0045).
type ClaimRequest struct {
	ID        int64
	Requester User
	Waits     User   // who waits with the address; the system user while nobody does
	Address   Email  // as asked; empty once whoever had it is erased
	Masked    string // all of it that whoever asked is shown again
	State     ClaimState
	AskedAt   time.Time
	ExpiresAt time.Time
	ToldAt    time.Time // when a mail to the address was queued; zero: none was
	Objected  time.Time // when somebody who reads it said that it was not they
	DecidedBy User      // whoever asks, until it is decided
	DecidedAt time.Time
	Reason    string // why it was refused as a whole; may be empty

	// What was decided in single courses.
	Approvals, Refusals int64
	RefusedBecause      string // why it was refused in one, the last time
}

// ClaimState is how far a request has come.
type ClaimState string

// The states. A request falls when it means nobody any more: whoever was waited for has
// signed in, was corrected, withdrawn, erased or merged, or has objected.
const (
	ClaimOpen      ClaimState = "open"
	ClaimApproved  ClaimState = "approved"
	ClaimRefused   ClaimState = "refused"
	ClaimWithdrawn ClaimState = "withdrawn"
	ClaimFallen    ClaimState = "fallen"
)

// ClaimAnswer is how a request stands as far as whoever asked may know.
type ClaimAnswer string

// The answers.
const (
	AnswerWaiting   ClaimAnswer = "waiting"
	AnswerApproved  ClaimAnswer = "approved"
	AnswerRefused   ClaimAnswer = "refused"
	AnswerWithdrawn ClaimAnswer = "withdrawn"
	AnswerOver      ClaimAnswer = "over" // nobody has answered in time
)

// Answer is how the request stands for whoever asked. That it has fallen is not told,
// since it tells that somebody is known here and what becomes of them: until its time
// is over it waits, like one for an address that nobody knows (H-02).
func (q *ClaimRequest) Answer(now time.Time) ClaimAnswer {
	switch {
	case q.State == ClaimWithdrawn:
		return AnswerWithdrawn
	case q.State == ClaimApproved || q.Approvals > 0:
		return AnswerApproved
	case q.State == ClaimRefused || q.Refusals > 0:
		return AnswerRefused
	case now.Before(q.ExpiresAt):
		return AnswerWaiting
	}
	return AnswerOver
}

// Why is the reason of a refusal.
func (q *ClaimRequest) Why() string {
	if q.Reason != "" {
		return q.Reason
	}
	return q.RefusedBecause
}

// Live tells whether the request can be decided: whoever asked is here, and the person
// whom they mean still waits with the address.
func (q *ClaimRequest) Live(now time.Time) bool {
	return q.State == ClaimOpen && now.Before(q.ExpiresAt) && q.Requester.Status == StatusActive &&
		q.Waits.Kind == KindPerson && q.Waits.Pending() && q.Waits.Email == q.Address
}

// MaxReasonRunes is the most that the reason of a refusal may hold.
const MaxReasonRunes = 500
