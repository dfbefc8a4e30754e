package lms

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// acePrefix begins an A-label (RFC 5890 section 2.3.2.1).
const acePrefix = "xn--"

// strictIDNA checks and never maps: the maps of UTS 46 turn full-width letters
// into plain ones and drop soft hyphens, and so one domain into another.
// Hyphens are checked here label by label, as hosts such as r3---x do exist.
var strictIDNA = idna.New(idna.ValidateForRegistration(), idna.CheckHyphens(false))

// canonicalDomain makes the lower-case A-label form of a domain that may be in
// ASCII, in A-labels or in any alphabet that we can judge, or refuses it.
func canonicalDomain(typed string) (string, error) {
	if err := refuseDomainShape(typed); err != nil {
		return "", err
	}
	typedLabels := strings.Split(typed, ".")
	labels := make([]string, len(typedLabels)) // in Unicode
	ascii := make([]string, len(typedLabels))  // in A-labels
	for i, label := range typedLabels {
		var err error
		if labels[i], ascii[i], err = canonicalLabel(label); err != nil {
			return "", err
		}
	}
	domain, top := strings.Join(ascii, "."), labels[len(labels)-1]
	if isNumeric(top) {
		return "", refuse(addressLiteral, "This domain is a number. Addresses at a bare Internet address are not accepted: use one at a domain name.")
	}
	for _, label := range labels {
		if err := refuseConfusable(label, top); err != nil {
			return "", err
		}
	}
	if len(labels) == 1 {
		return "", refuse(addressDomainIncomplete, "The domain “%s” is not complete. It needs an ending, as in school.example.", top)
	}
	if len(domain) >= maxEmail {
		return "", refuse(addressTooLong, "The domain of this address is too long: an address has at most %d characters.", maxEmail)
	}
	if domain != strings.Join(labels, ".") { // there are A-labels
		checked, err := strictIDNA.ToASCII(strings.Join(labels, "."))
		if err != nil || checked != domain {
			return "", refuse(addressDomain, "The domain of this address breaks the rules for international domain names. Check how it is spelled.")
		}
	}
	return domain, nil
}

// DisplayDomain shows a canonical domain in its own letters, provided that
// they pass every check still and run from left to right: those that do not
// could be read in another order than they are stored.
func DisplayDomain(domain string) string {
	if checked, err := canonicalDomain(domain); err != nil || checked != domain {
		return domain
	}
	shown, err := strictIDNA.ToUnicode(domain)
	if err != nil {
		return domain
	}
	for _, r := range shown {
		if unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Thaana) {
			return domain
		}
	}
	return shown
}

// refuseDomainShape refuses what is no domain at all, and every character that
// some mapping would turn into another one.
func refuseDomainShape(domain string) error {
	if domain == "" {
		return refuse(addressNoDomain, "There is nothing after the @. An address looks like name@school.example.")
	}
	if strings.ContainsAny(domain, "[]:") {
		return refuse(addressLiteral, "Addresses at a bare Internet address are not accepted: use one at a domain name.")
	}
	for i, r := range domain {
		if err := refuseDomainCharacter(domain, i, r); err != nil {
			return err
		}
	}
	return nil
}

func refuseDomainCharacter(domain string, i int, r rune) error {
	if r < utf8.RuneSelf {
		if r == '.' || asciiUse[r]&inLabel != 0 {
			return nil
		}
		return refuse(addressDomainCharacters, "The character %s cannot be part of a domain (in the domain, %s). Check how it is spelled.", character(r), place(domain, i))
	}
	composed, plain := norm.NFC.String(string(r)), norm.NFKC.String(string(r))
	switch {
	case isInvisible(r):
		return refuse(addressInvisible, "There is an invisible character (%s) in the domain, %s. Type the address by hand.", character(r), place(domain, i))
	case strings.ContainsRune("。．｡․﹒", r):
		return refuse(addressConfusable, "The character %s is not a plain full stop (in the domain, %s). Type “.” instead.", character(r), place(domain, i))
	case '０' <= r && r <= '９' || unicode.Is(unicode.Nd, r):
		return refuse(addressConfusable, "The character %s is not a plain digit (in the domain, %s). Type the digits as 0 to 9.", character(r), place(domain, i))
	case plain != composed, isASCII(composed), unicode.ToLower(r) < utf8.RuneSelf:
		return refuse(addressConfusable, "The character %s is not the plain letter that it stands for (in the domain, %s). Type the address by hand.", character(r), place(domain, i))
	case !unicode.In(r, unicode.L, unicode.M) && r != middleDot:
		return refuse(addressDomainCharacters, "The character %s cannot be part of a domain (in the domain, %s). Check how it is spelled.", character(r), place(domain, i))
	}
	return nil
}

// canonicalLabel gives both forms of one label, which are the same when it is
// in ASCII.
func canonicalLabel(typed string) (label, ascii string, err error) {
	if !isASCII(typed) {
		label = norm.NFC.String(strings.Map(unicode.ToLower, norm.NFC.String(typed)))
		return label, toALabel(label), refuseULabel(label)
	}
	ascii = foldASCII(typed)
	switch checkLabel(ascii) {
	case noFault:
		return ascii, ascii, nil
	case faultEmpty:
		return "", "", refuse(addressDomain, "There is a full stop too many in the domain. Check how it is spelled.")
	case faultHyphen:
		return "", "", refuse(addressDomain, "In a domain no part begins or ends with a hyphen, as “%s” does. Check how it is spelled.", ascii)
	case faultLong:
		return "", "", refuseLongLabel()
	case faultACE:
		label, err := fromALabel(ascii)
		return label, ascii, err
	default:
		return "", "", refuse(addressDomainCharacters, "“%s” cannot be part of a domain. Check how it is spelled.", ascii)
	}
}

func refuseLongLabel() error {
	return refuse(addressTooLong, "A part of the domain is too long: between two full stops there are at most %d characters.", maxLabel)
}

// toALabel encodes and checks nothing.
func toALabel(label string) string {
	ascii, err := idna.Punycode.ToASCII(label)
	if err != nil { // only by overflow, which needs a longer label than we let in
		return ""
	}
	return ascii
}

// fromALabel decodes an A-label, and refuses one that is not exactly what the
// label it stands for would be encoded to: else two spellings were one domain.
func fromALabel(ascii string) (string, error) {
	if len(ascii) > maxLabel {
		return "", refuseLongLabel()
	}
	label, err := idna.Punycode.ToUnicode(ascii)
	if err != nil || label == "" || isASCII(label) || !utf8.ValidString(label) || toALabel(label) != ascii {
		return "", refuse(addressPunycode, "“%s” is not a valid encoding of an international domain name. Type the domain in its own letters.", ascii)
	}
	if label != norm.NFC.String(strings.Map(unicode.ToLower, label)) {
		return "", refuse(addressPunycode, "“%s” encodes a domain name that is not in its normal form. Type the domain in its own letters.", ascii)
	}
	if err := refuseDomainShape(label); err != nil {
		return "", err
	}
	return label, refuseULabel(label)
}

// refuseULabel refuses a label beyond ASCII by its length and hyphens (RFC 5891
// section 4.2.3).
func refuseULabel(label string) error {
	if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") || hasReservedHyphens(label) {
		return refuse(addressDomain, "In a domain no part begins or ends with a hyphen, or has two after its second letter. Check how it is spelled.")
	}
	if ascii := toALabel(label); ascii == "" || len(ascii) > maxLabel {
		return refuseLongLabel()
	}
	return nil
}

// hasReservedHyphens tells whether the third and fourth characters are hyphens,
// as they are in A-labels and their like.
func hasReservedHyphens(label string) bool {
	runes := []rune(label)
	return len(runes) > 3 && runes[2] == '-' && runes[3] == '-'
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// A scriptSet holds scripts of Unicode, one a bit.
type scriptSet uint32

const (
	latin scriptSet = 1 << iota
	greek
	cyrillic
	armenian
	arabic
	han
	hiragana
	katakana
	bopomofo
	hangul

	japanese = han | hiragana | katakana
	chinese  = han | bopomofo
	korean   = han | hangul
)

// scripts are those that Unicode recommends for identifiers (UAX 31, table 5),
// in the order of their bits.
var scripts = [...]struct {
	name  Term
	table *unicode.RangeTable
}{
	{"Latin", unicode.Latin},
	{"Greek", unicode.Greek},
	{"Cyrillic", unicode.Cyrillic},
	{"Armenian", unicode.Armenian},
	{"Arabic", unicode.Arabic},
	{"Han", unicode.Han},
	{"Hiragana", unicode.Hiragana},
	{"Katakana", unicode.Katakana},
	{"Bopomofo", unicode.Bopomofo},
	{"Hangul", unicode.Hangul},
	{"Bengali", unicode.Bengali},
	{"Devanagari", unicode.Devanagari},
	{"Ethiopic", unicode.Ethiopic},
	{"Georgian", unicode.Georgian},
	{"Gujarati", unicode.Gujarati},
	{"Gurmukhi", unicode.Gurmukhi},
	{"Hebrew", unicode.Hebrew},
	{"Kannada", unicode.Kannada},
	{"Khmer", unicode.Khmer},
	{"Lao", unicode.Lao},
	{"Malayalam", unicode.Malayalam},
	{"Myanmar", unicode.Myanmar},
	{"Oriya", unicode.Oriya},
	{"Sinhala", unicode.Sinhala},
	{"Tamil", unicode.Tamil},
	{"Telugu", unicode.Telugu},
	{"Thaana", unicode.Thaana},
	{"Thai", unicode.Thai},
	{"Tibetan", unicode.Tibetan},
}

// scriptOf tells the script of a letter or mark: none for one that several
// scripts share, or that belongs to a script not in the list.
func scriptOf(r rune) (scriptSet, Term) {
	for i, script := range scripts {
		if unicode.Is(script.table, r) {
			return 1 << i, script.name
		}
	}
	return 0, ""
}

// foreignScript names the script of r unless it is Latin.
func foreignScript(r rune) Term {
	script, name := scriptOf(r)
	if script == latin {
		return ""
	}
	return name
}
