package lms

import "time"

// ErasureRequest is somebody's wish that their account be erased. An administrator
// carries it out or refuses it, since a school has to keep some records and a course
// has to have an owner.
type ErasureRequest struct {
	ID        int64
	User      User
	State     ErasureState
	Note      string // of whoever asks; may be empty
	AskedAt   time.Time
	DecidedBy User // whoever asks, until it is decided
	DecidedAt time.Time
	Answer    string // why it was refused
}

// ErasureState is how far a request has come.
type ErasureState string

// The states.
const (
	ErasureOpen      ErasureState = "open"
	ErasureWithdrawn ErasureState = "withdrawn"
	ErasureRefused   ErasureState = "refused"
	ErasureDone      ErasureState = "done"
)

// ParseErasureState reads a state as it is written in the API and in forms.
func ParseErasureState(s string) (ErasureState, error) {
	switch e := ErasureState(s); e {
	case ErasureOpen, ErasureWithdrawn, ErasureRefused, ErasureDone:
		return e, nil
	}
	return "", Invalid("unknown-state", "state", "%q is no state of a request: use open, withdrawn, refused or done.", Clip(s, 40))
}

// MaxErasureRunes is the most that a note or an answer may hold.
const MaxErasureRunes = 500
