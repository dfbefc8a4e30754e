package lms

import (
	"encoding/json"
	"time"
)

// Outcome tells whether an audit entry records something done or refused.
type Outcome string

// The outcomes.
const (
	OutcomeDone    Outcome = "done"
	OutcomeRefused Outcome = "refused"
)

// AuditEntry records one change or one refusal. Entries are only ever added.
// Subject is the person whom it concerns; it is the actor when it concerns
// nobody else, so that no reference to a person is ever null. Before and After
// hold JSON objects without addresses.
type AuditEntry struct {
	ID        int64
	At        time.Time
	ActorID   int64
	Action    string
	Outcome   Outcome
	Reason    string // the problem type of a refusal, else empty
	SubjectID int64
	CourseID  int64 // 0 when no course is concerned
	Before    json.RawMessage
	After     json.RawMessage
	RequestID string
}

// AuditRecord is an entry with the people and the course as readers know them.
type AuditRecord struct {
	AuditEntry
	Actor       User
	Subject     User
	CourseTitle string
}

// Session is one browser, or one program, in which a person is signed in.
type Session struct {
	ID         int64
	UserID     int64
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
	UserAgent  string
	Program    string  // the client id of a program at the provider; empty for a browser
	Scopes     []Scope // of a program
}

// Scope limits what an API token may be used for.
type Scope string

// The scopes: read sees what its user may see; write also changes what its
// user may change.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"

	// ScopeSCIM is for a directory that provisions people. It opens /scim/v2 and
	// nothing else, and only a service account's token can have it.
	ScopeSCIM Scope = "scim"
)

// ParseScopes reads scope names; none means both.
func ParseScopes(names []string, location string) ([]Scope, error) {
	if len(names) == 0 {
		return []Scope{ScopeRead, ScopeWrite}, nil
	}
	var read, write, scim bool
	for i, n := range names {
		switch Scope(n) {
		case ScopeRead:
			read = true
		case ScopeWrite:
			write = true
		case ScopeSCIM:
			scim = true
		default:
			return nil, Invalid("unknown-scope", indexed(location, i), "There is no scope %q: use read, write or scim.", Clip(n, 40))
		}
	}
	var scopes []Scope
	if read {
		scopes = append(scopes, ScopeRead)
	}
	if write {
		scopes = append(scopes, ScopeWrite)
	}
	if scim {
		scopes = append(scopes, ScopeSCIM)
	}
	return scopes, nil
}

// APIToken is a program's key. Only a hash of it is stored.
type APIToken struct {
	ID         int64
	UserID     int64
	Name       string
	Hint       string // the last four characters, so that people can tell their tokens apart
	Scopes     []Scope
	CourseIDs  []int64 // limits the token to these courses; empty: no limit
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: does not expire
	LastUsedAt time.Time // zero: never used
}

// Identity is one way in which a person signs in.
type Identity struct {
	ID         int64
	UserID     int64
	Issuer     string
	Subject    string
	LinkedAt   time.Time
	LastUsedAt time.Time
}
