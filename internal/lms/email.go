package lms

import "strings"

// Email is an address in its one canonical form: the local part in ASCII with
// A-Z folded, the domain in lower-case A-labels (RFC 5890). Two addresses are
// the same exactly when their bytes are, in Go and in every database, so an
// Email is compared with == and with nothing else. Only ParseEmail and
// ParseProviderEmail make one; the database gives back what they made.
//
// Nothing that one provider does and another does not (dots, plus tags) is
// folded away: what is one mailbox at Gmail is two people elsewhere.
type Email string

// The longest an address may be, in octets (RFC 5321 section 4.5.3.1, with the
// angle brackets of its path taken off; RFC 1035 for the label).
const (
	maxLocal = 64
	maxLabel = 63
	maxEmail = 254
)

// maxTyped bounds, in bytes, what is looked at before it is refused as too
// long: a domain in Unicode may take four bytes for each octet of its A-label.
const maxTyped = 4 * maxEmail

// ParseEmail makes the canonical address of what a person typed or pasted.
// White space around it, a no-break space among it, and one leading byte order
// mark are trimmed: spreadsheets add them. Everything else that is not plainly
// one address is refused with an *Error of CodeInvalid whose Type names the
// fault, such as "address-no-at", and whose Message says what to mend. See
// SuggestedEmail for the address that was probably meant.
func ParseEmail(typed string) (Email, error) {
	return parseEmail(trimTyped(typed))
}

// ParseProviderEmail makes the canonical address of what an identity provider
// sent. It has the rules of ParseEmail but trims nothing: a provider that sends
// an unclean address is not to be trusted with it.
func ParseProviderEmail(sent string) (Email, error) {
	return parseEmail(sent)
}

func parseEmail(s string) (Email, error) {
	if isPlainEmail(s) {
		return Email(foldASCII(s)), nil
	}
	if err := refuseShape(s); err != nil {
		return "", err
	}
	return canonicalEmail(s)
}

// trimTyped takes off what a person cannot see around an address.
func trimTyped(s string) string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "\uFEFF"))
}

// isPlainEmail tells whether s is an acceptable address in ASCII without
// internationalized labels, which needs nothing but its A-Z folded. Nearly
// every address is one, so it allocates nothing.
func isPlainEmail(s string) bool {
	if len(s) > maxEmail {
		return false
	}
	local, domain, found := strings.Cut(s, "@")
	if !found {
		return false
	}
	if fault, _ := checkLocal(local); fault != noFault {
		return false
	}
	var label string
	labels, more := 0, true
	for more {
		label, domain, more = strings.Cut(domain, ".")
		if checkLabel(label) != noFault {
			return false
		}
		labels++
	}
	return labels > 1 && !isNumeric(label)
}

// canonicalEmail is the whole rule, for an address whose shape is good.
func canonicalEmail(s string) (Email, error) {
	local, domain, found := strings.Cut(s, "@")
	if !found {
		return "", refuse(addressNoAt, "There is no @ in this. An address looks like name@school.example.")
	}
	if strings.Contains(domain, "@") {
		return "", refuse(addressManyAt, "There is more than one @ in this. Enter one address, such as name@school.example.")
	}
	if err := refuseLocal(local); err != nil {
		return "", err
	}
	if trimmed := strings.TrimRight(domain, "."); trimmed != domain && trimmed != "" {
		return "", refuseSuggesting(addressTrailingDot, local+"@"+trimmed,
			Say("There is a full stop after the address"), "Delete it.")
	}
	ascii, err := canonicalDomain(domain)
	if err != nil {
		return "", err
	}
	if n := len(local) + len("@") + len(ascii); n > maxEmail {
		return "", refuse(addressTooLong, "This address has %d characters, but no address has more than %d. Check that it was pasted once.", n, maxEmail)
	}
	return Email(foldASCII(local) + "@" + ascii), nil
}

// A fault is what is wrong with a part of an address that is in ASCII.
type fault uint8

const (
	noFault        fault = iota
	faultEmpty           // there is nothing
	faultCharacter       // a character that may not be there
	faultDot             // a dot at an end, or two together
	faultHyphen          // a hyphen at an end
	faultLong            // more octets than allowed
	faultACE             // not a fault in itself: an A-label, to be looked into
)

// What an ASCII character may be part of.
const (
	inLocal uint8 = 1 << iota
	inLabel
)

// asciiUse holds inLocal and inLabel for each byte; bytes beyond ASCII have
// neither. The local characters are those of an RFC 5322 dot-atom without the
// ones that shells, templates and logs give a meaning to: ` { | } % ?
var asciiUse = func() (use [256]uint8) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") {
		use[c] = inLocal | inLabel
	}
	for _, c := range []byte(".!#$&'*+/=^_~") {
		use[c] = inLocal
	}
	return use
}()

// checkLocal looks at the part before the @, and tells where the fault is.
func checkLocal(local string) (fault, int) {
	if local == "" {
		return faultEmpty, 0
	}
	for i := range len(local) {
		if asciiUse[local[i]]&inLocal == 0 {
			return faultCharacter, i
		}
	}
	for i := range len(local) {
		if local[i] == '.' && (i == 0 || i == len(local)-1 || local[i-1] == '.') {
			return faultDot, i
		}
	}
	if len(local) > maxLocal {
		return faultLong, maxLocal
	}
	return noFault, 0
}

// checkLabel looks at one label of a domain: letters, digits and inner hyphens
// (RFC 1123 section 2.1).
func checkLabel(label string) fault {
	if label == "" {
		return faultEmpty
	}
	for i := range len(label) {
		if asciiUse[label[i]]&inLabel == 0 {
			return faultCharacter
		}
	}
	switch {
	case hasPrefixFold(label, acePrefix):
		return faultACE
	case len(label) > maxLabel:
		return faultLong
	case label[0] == '-' || label[len(label)-1] == '-':
		return faultHyphen
	}
	return noFault
}

// isNumeric tells whether a last label makes the whole an Internet address to
// some resolvers: digits alone, or a hexadecimal number. No top-level domain is
// one (RFC 3696 section 2).
func isNumeric(label string) bool {
	digits := "0123456789"
	if hasPrefixFold(label, "0x") {
		label, digits = label[2:], "0123456789abcdefABCDEF"
	}
	return strings.Trim(label, digits) == ""
}

// foldASCII lowers A-Z and nothing else. strings.ToLower would turn U+0130
// and U+212A into plain letters, and so one person's address into another's.
func foldASCII(s string) string {
	first := strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if first < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:first])
	for i := first; i < len(s); i++ {
		b.WriteByte(foldByte(s[i]))
	}
	return b.String()
}

func foldByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// hasPrefixFold tells whether s begins with a prefix that is given in lower
// case, whatever the case of the letters A-Z in s.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if foldByte(s[i]) != prefix[i] {
			return false
		}
	}
	return true
}

// String is the canonical address, the one that is stored and mailed to.
func (e Email) String() string { return string(e) }

// Local is the part before the @.
func (e Email) Local() string {
	local, _, _ := strings.Cut(string(e), "@")
	return local
}

// Domain is the part after the @, in A-labels.
func (e Email) Domain() string {
	_, domain, _ := strings.Cut(string(e), "@")
	return domain
}

// Display is the address for people to read: the domain in its own letters
// when they cannot be misread, else as it is stored.
func (e Email) Display() string {
	local, domain, found := strings.Cut(string(e), "@")
	if !found || !strings.Contains(domain, acePrefix) {
		return string(e)
	}
	return local + "@" + DisplayDomain(domain)
}

// Masked is the address for those who need to tell it from others but not to
// learn it: g***@uni.example. The stars do not tell the length.
func (e Email) Masked() string {
	local, domain, found := strings.Cut(string(e), "@")
	if !found || local == "" {
		return ""
	}
	return local[:1] + "***@" + domain
}

// EmailHint says what to look out for in an address that is accepted but may
// be one of several that reach the same mailbox; it is the zero Text for most. Each
// such spelling is another person to us, since Gmail's habits are not those of
// other providers.
func EmailHint(e Email) Text {
	local, domain := e.Local(), e.Domain()
	if domain != "gmail.com" && domain != "googlemail.com" {
		return Text{}
	}
	base, _, tagged := strings.Cut(local, "+")
	switch {
	case tagged && base != "":
		return Say("Gmail delivers this to %s, but here it is an address of its own. Use the spelling they sign in to Google with.", base+"@"+domain)
	case strings.Contains(local, "."):
		return Say("Gmail ignores dots in a name, but here they count. Use the spelling they sign in to Google with.")
	case domain == "googlemail.com":
		return Say("Google treats googlemail.com as gmail.com, but here they are two addresses. Use the one they sign in to Google with.")
	}
	return Text{}
}
