package lms

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// UserStatus is where a person stands between being named and being gone.
type UserStatus string

// The statuses. A pending person has been named by somebody and has never
// signed in; the first verified sign-in makes them active, and an active
// person never becomes pending again.
const (
	StatusPending   UserStatus = "pending"
	StatusActive    UserStatus = "active"
	StatusSuspended UserStatus = "suspended"
	StatusErased    UserStatus = "erased"
)

// SiteRole is what somebody may do outside of any course.
type SiteRole string

// The site roles: administrators manage people and hold every privilege in
// every course, teachers may create courses, members may do neither.
const (
	SiteMember  SiteRole = "member"
	SiteTeacher SiteRole = "teacher"
	SiteAdmin   SiteRole = "admin"
)

// ParseSiteRole reads a site role as it is written in the API and in forms.
func ParseSiteRole(s string) (SiteRole, error) {
	switch r := SiteRole(s); r {
	case SiteMember, SiteTeacher, SiteAdmin:
		return r, nil
	}
	return "", Invalid("unknown-site-role", "site_role", "%q is no site role: use member, teacher or admin.", Clip(s, 40))
}

// UserKind tells persons from service accounts.
type UserKind string

// The kinds. A service account is an actor that is no person: it has no
// address and can never sign in; programs act as it with an API token.
const (
	KindPerson  UserKind = "person"
	KindService UserKind = "service"
)

// SystemUserID is the service account that the first migration makes: the
// actor of what Matricula does by itself, such as naming the administrators at
// start or recording the refused sign-in of somebody unknown.
const SystemUserID int64 = 1

// User is anybody who was ever named, signed in or not, and every service
// account. The row exists from the moment that somebody names the address, and
// every reference to the person is a foreign key to it.
type User struct {
	ID         int64
	Kind       UserKind
	Status     UserStatus
	SiteRole   SiteRole
	Email      Email // the primary address; empty for a service account
	GivenName  string
	FamilyName string
	Name       string // display name as the provider or the administrator gave it; may be empty
	CreatedBy  int64
	CreatedAt  time.Time
	ClaimedAt  time.Time // zero until the first sign-in
	LastSeenAt time.Time // zero until the first sign-in
	Language   string    // in which they read, such as "it"; empty: as their browser says
}

// Pseudonym is what somebody is called who was erased. The id is never anybody
// else's.
func Pseudonym(id int64) string { return PseudonymText(id).String() }

// PseudonymText is Pseudonym for readers of any language.
func PseudonymText(id int64) Text { return Say("Person %s (erased)", strconv.FormatInt(id, 10)) }

// DisplayName is what pages call the person: the name as given, else given and
// family name, else the address, which always exists for a person who was not erased.
func (u *User) DisplayName() string {
	if u.Name != "" {
		return u.Name
	}
	if n := strings.TrimSpace(u.GivenName + " " + u.FamilyName); n != "" {
		return n
	}
	if u.Status == StatusErased && u.Email == "" {
		return Pseudonym(u.ID)
	}
	return string(u.Email)
}

// Anonymized tells whether DisplayName is a pseudonym.
func (u *User) Anonymized() bool {
	return u.Status == StatusErased && u.Email == "" && u.Name == "" && strings.TrimSpace(u.GivenName+u.FamilyName) == ""
}

// Named tells whether DisplayName is a name, and not the address.
func (u *User) Named() bool { return u.Email == "" || u.DisplayName() != string(u.Email) }

// Pending tells whether the person has been named but has not arrived.
func (u *User) Pending() bool { return u.Status == StatusPending }

// Limits on what people write about people and courses, in runes.
const (
	MaxNameRunes  = 200
	MaxTitleRunes = 200
	MaxCodeRunes  = 40
)

// CleanText makes a single-line text that a person typed fit to store: NFC,
// trimmed, runs of white space folded into one space. It refuses control
// characters, invisible direction changes and more than max runes. Location
// names the field in the error.
func CleanText(s, location string, max int) (string, error) {
	if len(s) > 8*max {
		return "", Invalid("text-too-long", location, "This text is too long: at most %d characters are allowed.", max)
	}
	for _, r := range s {
		if r == unicode.ReplacementChar {
			return "", Invalid("text-not-utf8", location, "This text has a character that cannot be read. Type it again, or save the file as UTF-8.")
		}
		if unicode.IsSpace(r) {
			continue
		}
		if unicode.IsControl(r) || isBidiControl(r) {
			return "", Invalid("text-control-character", location, "This text contains an invisible control character (U+%04X). Delete it, or type the text again.", r)
		}
	}
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if n := len([]rune(s)); n > max {
		return "", Invalid("text-too-long", location, "This text has %d characters: at most %d are allowed.", n, max)
	}
	return s, nil
}

func isBidiControl(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || (r >= 0x202A && r <= 0x202E) || (r >= 0x2066 && r <= 0x2069)
}

// Clip shortens untrusted input before it is echoed in a message.
func Clip(s string, maxRunes int) string {
	n := 0
	for i := range s {
		if n == maxRunes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// FoldSearch folds text for searching: compatibility composed, lower case,
// without accents. It is for finding people by name and never for comparing
// addresses, which ParseEmail alone makes canonical.
func FoldSearch(s string) string {
	if isLowerASCII(s) {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if unicode.Is(unicode.Mn, r) || unicode.IsControl(r) {
			continue
		}
		if r = unicode.ToLower(r); r == 'ı' {
			r = 'i' // whose capital is I in Turkish too: IŞIK finds Işık
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isLowerASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < 0x20 || (c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}

// SearchKey is the text in which a person is found by a part of it.
func SearchKey(email Email, given, family, name string) string {
	parts := make([]string, 0, 4)
	if n := strings.TrimSpace(given + " " + family); n != "" {
		parts = append(parts, n)
	}
	if name != "" && (len(parts) == 0 || name != parts[0]) {
		parts = append(parts, name)
	}
	if email != "" {
		parts = append(parts, string(email))
	}
	return FoldSearch(strings.Join(parts, " "))
}

// SortKey orders people by family name, then given name, then address.
func SortKey(email Email, given, family, name string) string {
	switch {
	case family != "":
		return FoldSearch(family + " " + given + " " + string(email))
	case name != "":
		return FoldSearch(name + " " + string(email))
	default:
		return FoldSearch(string(email))
	}
}

// SplitName parts a whole name into the given and the family name: at a comma,
// which stands behind the family name, else before the last word.
func SplitName(name string) (given, family string) {
	if family, given, ok := strings.Cut(name, ","); ok {
		return strings.TrimSpace(given), strings.TrimSpace(family)
	}
	i := strings.LastIndexByte(strings.TrimSpace(name), ' ')
	if i < 0 {
		return strings.TrimSpace(name), ""
	}
	return strings.TrimSpace(name[:i]), strings.TrimSpace(name[i:])
}
