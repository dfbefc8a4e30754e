package lms

import (
	"strings"
	"time"
)

// LinkClaim is the claim of an ID token by which a directory knows a person. It is
// the subject for most providers; Microsoft Entra gives each application a subject of
// its own, which its directory does not know, and the object id to all.
type LinkClaim string

// The claims.
const (
	ClaimSubject  LinkClaim = "sub"
	ClaimObjectID LinkClaim = "oid"
)

// Directory is a directory of the institution that provisions people by SCIM. It acts
// as a service account of its own.
type Directory struct {
	AccountID    int64
	Name         string
	Issuer       string // for whose subjects it speaks; empty: for nobody's
	Claim        LinkClaim
	ByExternalID bool // the externalId of a person is the subject
	MakesCourses bool // a group of a name that no course has becomes a course
	CreatedAt    time.Time
	LastCallAt   time.Time // zero: never
}

// DirectoryCounts says how many people a directory keeps, and how they stand.
type DirectoryCounts struct {
	People    int64
	Pending   int64
	Linked    int64 // to a subject
	Suspended int64 // by the directory
	Groups    int64
}

// DirectoryFault is something that a directory asked for and did not get.
type DirectoryFault struct {
	At      time.Time
	Call    string // such as "PATCH /scim/v2/Users/{id}", without anything personal
	Status  int
	Problem string // the stable name
}

// Limits on what a directory says.
const (
	MaxExternalIDRunes = 255
	MaxSubjectLength   = 255
)

// ParseLinkSubject checks the subject of a link, which is compared byte for byte
// (OpenID Connect Core 1.0, section 2): empty says that there is none.
func ParseLinkSubject(s, location string) (string, error) {
	bad := len(s) > MaxSubjectLength || strings.TrimSpace(s) != s
	for i := range len(s) {
		bad = bad || s[i] < 0x20 || s[i] > 0x7e
	}
	if bad {
		return "", Invalid("subject", location, "A subject has at most %d ASCII characters, without blanks at its ends.", MaxSubjectLength)
	}
	return s, nil
}
