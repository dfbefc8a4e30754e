package lms

import "strings"

// Likeness is why two people look like one. It is a reason to ask and proves
// nothing: addresses that differ are different people's until somebody with a say in
// it says otherwise.
type Likeness string

// The likenesses.
const (
	LikeProvider Likeness = "provider" // the provider takes both addresses for the same
	LikeLocal    Likeness = "address"  // the same before the @, at another domain
	LikeSlip     Likeness = "slip"     // a letter more or less, or two that changed places
	LikeName     Likeness = "name"     // the same name
	LikeNumber   Likeness = "number"   // the same student number in a course
)

// LikeAddress is an address that is like another or, when it ends with its @, all
// that begin so.
type LikeAddress struct {
	Kind    Likeness
	Address string
}

// Whole tells whether it is one address, and not a beginning.
func (l LikeAddress) Whole() bool { return !strings.HasSuffix(l.Address, "@") }

// gmailDomains are two names of one provider.
var gmailDomains = []string{"gmail.com", "googlemail.com"}

// LikeAddresses are the addresses that look like one, each pair from at least one
// of its sides. Each is found in an index.
func LikeAddresses(e Email) []LikeAddress {
	local, domain := e.Local(), e.Domain()
	list := []LikeAddress{{LikeLocal, local + "@"}}
	seen := map[string]bool{string(e): true}
	one := func(kind Likeness, local, domain string) {
		address := local + "@" + domain
		if local == "" || seen[address] {
			return
		}
		seen[address] = true
		list = append(list, LikeAddress{kind, address})
	}
	base, _, _ := strings.Cut(local, "+")
	one(LikeProvider, base, domain)
	for _, d := range gmailDomains {
		if domain == gmailDomains[0] || domain == gmailDomains[1] {
			one(LikeProvider, local, d)
			one(LikeProvider, base, d)
			one(LikeProvider, strings.ReplaceAll(base, ".", ""), d)
		}
	}
	if len(local) < minTwin {
		return list
	}
	for i := range len(local) {
		slips := []string{local[:i] + local[i+1:]}
		if i > 0 {
			slips = append(slips, local[:i-1]+local[i:i+1]+local[i-1:i]+local[i+1:])
		}
		for _, slip := range slips {
			if !differByDigit(local, slip) {
				one(LikeSlip, slip, domain)
			}
		}
	}
	return list
}

// likeName is a name as names are compared; empty when there is none.
func likeName(u *User) string {
	if n := strings.TrimSpace(u.GivenName + " " + u.FamilyName); n != "" {
		return FoldSearch(n)
	}
	return FoldSearch(strings.TrimSpace(u.Name))
}

// SearchedName is the name of somebody by which people of the same name are found,
// empty when there is none, or only one word of it.
func SearchedName(u *User) string {
	if n := likeName(u); strings.Contains(n, " ") {
		return n
	}
	return ""
}

// StillLike tells whether two people whose addresses are like each other still look
// like one with what else is known of them.
func StillLike(a, b *User, kind Likeness) bool {
	x, y := likeName(a), likeName(b)
	switch kind {
	case LikeName:
		return x != "" && x == y
	case LikeLocal, LikeSlip:
		if x != "" && y != "" {
			return x == y
		}
		return a.Pending() || b.Pending()
	}
	return true
}
