package lms

import (
	"slices"
	"strings"
)

// An address can be good in form and still not be the one that was meant. What
// this file finds is a reason to ask, never one to refuse.

// mailDomains are the domains at which most private addresses are. Those that
// differ from another by a letter or two are here so that they are not taken
// for a slip.
var mailDomains = []string{
	"gmail.com", "googlemail.com", "mail.com", "email.com", "ymail.com", "yahoo.com", "yahoo.it", "yahoo.de", "yahoo.fr", "yahoo.co.uk", "hotmail.com", "hotmail.it", "hotmail.fr",
	"outlook.com", "outlook.it", "live.com", "live.it", "msn.com", "icloud.com", "me.com", "mac.com", "aol.com", "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de",
	"proton.me", "protonmail.com", "pm.me", "libero.it", "virgilio.it", "tiscali.it", "alice.it", "tim.it", "orange.fr", "free.fr", "laposte.net",
}

// DomainSlip finds the domain that was probably meant when an address lies at
// one that differs by a slip of the fingers from the school's domains or from
// a large provider's. The address that it gives is valid and another one.
func DomainSlip(e Email, schools []string) (meant Email, ok bool) {
	domain := e.Domain()
	if slices.Contains(schools, domain) || slices.Contains(mailDomains, domain) {
		return "", false
	}
	best, bestAt := 3, ""
	for _, list := range [][]string{schools, mailDomains} {
		for _, known := range list {
			if d := slipDistance(domain, known, best); d < best && d <= slipsIn(known) {
				best, bestAt = d, known
			}
		}
	}
	if bestAt == "" {
		return "", false
	}
	meant, err := ParseEmail(e.Local() + "@" + bestAt)
	return meant, err == nil && meant != e
}

// slipsIn is how many slips are believed in a domain: one, and two in a long one.
func slipsIn(domain string) int {
	if len(domain) >= 10 {
		return 2
	}
	return 1
}

// slipDistance is how many letters were left out, added, replaced, or swapped
// with their neighbor (the optimal string alignment distance); limit or more
// is limit.
func slipDistance(a, b string, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return min(limit, rows[(len(a)+1)%3][len(b)])
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// minTwin is the shortest local part that is compared: short ones are all alike.
const minTwin = 4

// Twins finds addresses that are nearly one that is known: the same domain, and
// before the @ one slip of the fingers, or the same parts in another order. One
// digit more, less or other is no slip: many schools number their people.
type Twins struct {
	known map[Email]bool
	near  map[string][]Email // by domain and what remains of the local part without one letter
	parts map[string]Email   // by domain and the sorted parts of the local part
}

// NewTwins makes an index of known addresses. It takes time and memory in
// proportion to their length.
func NewTwins(known []Email) *Twins {
	t := &Twins{known: make(map[Email]bool, len(known)), near: map[string][]Email{}, parts: map[string]Email{}}
	for _, e := range known {
		t.Add(e)
	}
	return t
}

// Add makes an address known.
func (t *Twins) Add(e Email) {
	if t.known[e] {
		return
	}
	t.known[e] = true
	if len(e.Local()) < minTwin {
		return
	}
	for _, key := range neighbors(e) {
		t.near[key] = append(t.near[key], e)
	}
	if key := partsKey(e); key != "" {
		if _, taken := t.parts[key]; !taken {
			t.parts[key] = e
		}
	}
}

// neighbors are the local part and what it is without each of its letters. Two
// local parts within one slip share one of them.
func neighbors(e Email) []string {
	local, domain := e.Local(), e.Domain()
	keys := make([]string, 0, len(local)+1)
	keys = append(keys, local+"@"+domain)
	for i := range len(local) {
		if i > 0 && local[i] == local[i-1] {
			continue // the same without either
		}
		keys = append(keys, local[:i]+local[i+1:]+"@"+domain)
	}
	return keys
}

func partsKey(e Email) string {
	parts := strings.FieldsFunc(e.Local(), func(r rune) bool { return r == '.' || r == '_' || r == '-' })
	if len(parts) < 2 {
		return ""
	}
	slices.Sort(parts)
	return strings.Join(parts, ".") + "@" + e.Domain()
}

// Of finds the known address of which e is a near twin. An address that is
// known itself has none.
func (t *Twins) Of(e Email) (twin Email, ok bool) {
	local := e.Local()
	if t.known[e] || len(local) < minTwin {
		return "", false
	}
	for _, key := range neighbors(e) {
		for _, k := range t.near[key] {
			if !differByDigit(local, k.Local()) && slipDistance(local, k.Local(), 2) == 1 {
				return k, true
			}
		}
	}
	if k, found := t.parts[partsKey(e)]; found && k != e {
		return k, true
	}
	return "", false
}

// differByDigit tells whether what distinguishes two local parts within one
// slip is a digit.
func differByDigit(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return strings.ContainsAny(a+b, "0123456789")
}
