package lms

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The problem types of a refused address. They are part of the API: programs
// tell refusals apart by them, so they never change their meaning.
const (
	addressEmpty            = "address-empty"
	addressEncoding         = "address-encoding"           // bytes that are no text
	addressTooLong          = "address-too-long"           // the whole, the local part or a label
	addressControl          = "address-control"            // line breaks, tabs, NUL
	addressInvisible        = "address-invisible"          // zero width, direction marks
	addressNameAndAddress   = "address-name-and-address"   // Grace <grace@uni.example>
	addressBrackets         = "address-brackets"           // <grace@uni.example>
	addressMailto           = "address-mailto"             // mailto:grace@uni.example
	addressList             = "address-list"               // several in one field
	addressComment          = "address-comment"            // grace(work)@uni.example
	addressQuoted           = "address-quoted"             // "grace"@uni.example
	addressSpace            = "address-space"              // a space inside
	addressNoAt             = "address-no-at"              // grace.uni.example
	addressManyAt           = "address-many-at"            // a@b@uni.example
	addressNoLocal          = "address-no-local"           // @uni.example
	addressNoDomain         = "address-no-domain"          // grace@
	addressDots             = "address-dots"               // dots at an end of the local part, or two together
	addressLocalCharacters  = "address-local-characters"   // ASCII that is not on the list
	addressNonASCII         = "address-non-ascii"          // other letters before the @
	addressTrailingDot      = "address-trailing-dot"       // grace@uni.example.
	addressLiteral          = "address-literal"            // grace@[127.0.0.1]
	addressDomain           = "address-domain"             // empty labels, misplaced hyphens, what IDNA forbids
	addressDomainIncomplete = "address-domain-incomplete"  // grace@localhost
	addressDomainCharacters = "address-domain-characters"  // grace@uni_x.example
	addressPunycode         = "address-punycode"           // an xn-- label that is not one
	addressConfusable       = "address-confusable"         // letters that pass for others
	addressMixedScript      = "address-mixed-script"       // letters of several alphabets in one label
	addressScript           = "address-unsupported-script" // letters of an alphabet we cannot judge
)

// refuse makes the refusal of an address.
func refuse(typ, format string, args ...any) error {
	return Errorf(CodeInvalid, typ, format, args...)
}

// A suggestingError is a refusal that knows which address was probably meant.
type suggestingError struct {
	refusal   *Error
	suggested Email
}

func (e *suggestingError) Error() string { return e.refusal.Error() }
func (e *suggestingError) Unwrap() error { return e.refusal }

// refuseSuggesting makes a refusal that asks "did you mean", when meant is an
// acceptable address, and else tells the remedy.
func refuseSuggesting(typ, meant string, fault Text, remedy Term) error {
	suggested, err := canonicalEmail(strings.TrimSpace(meant))
	if err != nil {
		return refuse(typ, "%s. %s", fault, remedy)
	}
	return &suggestingError{
		refusal:   Errorf(CodeInvalid, typ, "%s: did you mean %s?", fault, suggested.Display()),
		suggested: suggested,
	}
}

// SuggestedEmail tells the address that was probably meant by the one that err
// refuses, and whether there is one. Whoever typed it has to confirm it: it is
// never used unasked.
func SuggestedEmail(err error) (Email, bool) {
	var s *suggestingError
	if errors.As(err, &s) {
		return s.suggested, true
	}
	return "", false
}

// refuseShape refuses what is not the bare form of one address, before its
// parts are looked at. The order matters: the first fault is the one told.
func refuseShape(s string) error {
	switch {
	case s == "":
		return refuse(addressEmpty, "There is no address here. Enter one such as name@school.example.")
	case len(s) > maxTyped:
		return refuse(addressTooLong, "This is too long for one address: it has %d characters, and no address has more than %d.", utf8.RuneCountInString(s), maxEmail)
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		return refuse(addressEncoding, "Some characters of this address were damaged on the way. Type it by hand.")
	}
	if err := refuseControl(s); err != nil {
		return err
	}
	if holdsSeveral(s) {
		return refuse(addressList, "This looks like several addresses. Enter one here, or paste them all where a list is asked for.")
	}
	if err := refuseWrapped(s); err != nil {
		return err
	}
	return refuseSpace(s)
}

// refuseControl refuses control characters and line breaks: mail headers,
// databases and logs each take them for something else.
func refuseControl(s string) error {
	for i, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			return refuse(addressControl, "There is a line break %s. Enter one address, on one line.", place(s, i))
		case r == '\t':
			return refuse(addressControl, "There is a tab %s. Enter the address alone.", place(s, i))
		case unicode.IsControl(r):
			return refuse(addressControl, "There is a control character (%s) %s. Delete it, or type the address by hand.", fmt.Sprintf("%U", r), place(s, i))
		}
	}
	return nil
}

// holdsSeveral tells whether s is a list.
func holdsSeveral(s string) bool {
	if !strings.ContainsAny(s, " ,;，；") {
		return false
	}
	n := 0
	for _, one := range SplitEmails(s) {
		if strings.Contains(one, "@") {
			n++
		}
	}
	return n > 1
}

// refuseWrapped refuses an address with something around it or in it that mail
// programs write: a name, angle brackets, mailto, comments, quotation marks.
func refuseWrapped(s string) error {
	if open := strings.LastIndexByte(s, '<'); open >= 0 && strings.HasSuffix(s, ">") {
		inside := s[open+1 : len(s)-1]
		if strings.TrimSpace(s[:open]) == "" {
			return refuseSuggesting(addressBrackets, inside, Say("There are angle brackets around the address"), "Enter the address alone.")
		}
		return refuseSuggesting(addressNameAndAddress, inside, Say("This looks like a name with an address"), "Enter the address alone.")
	}
	if scheme := "mailto:"; hasPrefixFold(s, scheme) {
		meant, _, _ := strings.Cut(s[len(scheme):], "?")
		return refuseSuggesting(addressMailto, meant, Say("This is a link to an address"), "Enter the address alone, without “mailto:”.")
	}
	if sign := spelledAt(s); sign != "" {
		meant := strings.ReplaceAll(strings.Replace(s, sign, "@", 1), " ", "")
		return refuseSuggesting(addressNoAt, meant, Say("“%s” stands for @ in the address", strings.TrimSpace(sign)), "Write @ in its place.")
	}
	if i := strings.IndexAny(s, "()"); i >= 0 {
		meant := ""
		if end := strings.LastIndexByte(s, ')'); s[i] == '(' && end > i {
			meant = s[:i] + s[end+1:]
		}
		return refuseSuggesting(addressComment, meant, Say("There are parentheses in the address"), "Leave them out, with what they hold.")
	}
	if strings.Contains(s, `"`) {
		meant := ""
		if end := strings.LastIndex(s, `"@`); end > 0 && s[0] == '"' {
			meant = s[1:end] + s[end+1:]
		}
		return refuseSuggesting(addressQuoted, meant, Say("There are quotation marks in the address"), "Addresses that need them are not supported; ask for another one.")
	}
	return nil
}

// spelledAt is how an address without @ writes it, as web pages do against robots; empty
// when it does not.
func spelledAt(s string) string {
	if strings.Contains(s, "@") {
		return ""
	}
	low := strings.ToLower(s)
	for _, sign := range []string{"(at)", "[at]", "{at}", "<at>", " at "} {
		// ToLower may change the length of other letters, but addresses with those are refused anyway.
		if i := strings.Index(low, sign); i > 0 && len(low) == len(s) && strings.Count(low, sign) == 1 {
			return s[i : i+len(sign)]
		}
	}
	return ""
}

// refuseSpace refuses spaces and what cannot be seen.
func refuseSpace(s string) error {
	for i, r := range s {
		switch {
		case r == ' ':
			meant := ""
			if closed := strings.ReplaceAll(strings.ReplaceAll(s, " @", "@"), "@ ", "@"); !strings.Contains(closed, " ") {
				meant = closed
			}
			return refuseSuggesting(addressSpace, meant, Say("There is a space %s", place(s, i)), "An address has none; if a name stands before it, leave the name out.")
		case unicode.IsSpace(r):
			return refuse(addressSpace, "There is a special space (%s) %s. Delete it, or type the address by hand.", character(r), place(s, i))
		case isInvisible(r):
			return refuse(addressInvisible, "There is an invisible character (%s) %s. Delete it, or type the address by hand.", character(r), place(s, i))
		}
	}
	return nil
}

// isInvisible tells the characters that leave no mark of their own: formatting,
// fillers, variation selectors, and the blank of Braille.
func isInvisible(r rune) bool {
	return r == '\u2800' || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// refuseLocal refuses a local part and says why.
func refuseLocal(local string) error {
	fault, i := checkLocal(local)
	switch fault {
	case noFault:
		return nil
	case faultEmpty:
		return refuse(addressNoLocal, "There is nothing before the @. An address looks like name@school.example.")
	case faultDot:
		return refuse(addressDots, "There is a full stop too many in the part before the @, %s. One may stand between other characters only.", place(local, i))
	case faultLong:
		return refuse(addressTooLong, "The part before the @ has %d characters, but at most %d are allowed.", len(local), maxLocal)
	}
	r, _ := utf8.DecodeRuneInString(local[i:])
	if r < utf8.RuneSelf {
		return refuse(addressLocalCharacters, "The character %s, %s, is not accepted in an address. Check how it is spelled.", character(r), place(local, i))
	}
	if script := foreignScript(r); script != "" {
		return refuse(addressNonASCII, "The character %s, %s, is a letter of another alphabet (%s). Only the plain letters a to z are supported before the @: type them by hand.", character(r), place(local, i), script)
	}
	return refuse(addressNonASCII, "The character %s, %s, is not supported. Before the @ there may only be the plain letters a to z, digits and a few signs.", character(r), place(local, i))
}

// characterNames names the characters that cannot be shown.
var characterNames = map[rune]Term{
	'\u00A0': "no-break space",
	'\u00AD': "soft hyphen",
	'\u034F': "grapheme joiner",
	'\u180E': "vowel separator",
	'\u200B': "zero width space",
	'\u200C': "zero width non-joiner",
	'\u200D': "zero width joiner",
	'\u200E': "left-to-right mark",
	'\u200F': "right-to-left mark",
	'\u202A': "left-to-right embedding",
	'\u202B': "right-to-left embedding",
	'\u202C': "end of direction",
	'\u202D': "left-to-right override",
	'\u202E': "right-to-left override",
	'\u2060': "word joiner",
	'\u2066': "left-to-right isolate",
	'\u2067': "right-to-left isolate",
	'\u2068': "first strong isolate",
	'\u2069': "end of isolate",
	'\u3000': "wide space",
	'\uFEFF': "byte order mark",
}

// character names a character in a message. It is shown itself only when that
// cannot disturb the text around it.
func character(r rune) Text {
	if name, ok := characterNames[r]; ok {
		return Say("%s, %s", fmt.Sprintf("%U", r), name)
	}
	switch {
	case r < utf8.RuneSelf:
		return Say("“%s”", string(r))
	case unicode.IsPrint(r) && !unicode.IsMark(r) && !isInvisible(r):
		return Say("“%s” (%s)", string(r), fmt.Sprintf("%U", r))
	}
	return Say("%s", fmt.Sprintf("%U", r))
}

// place tells where in s the byte i is, for a person to find: by the plain
// characters before it or, failing these, by counting.
func place(s string, i int) Text {
	const shown = 12
	before := s[:i]
	if before == "" {
		return Say("at the start")
	}
	tail := before[max(0, len(before)-shown):]
	for j := range len(tail) {
		if tail[j] < ' ' || tail[j] >= 0x7F {
			return Say("as character %d", utf8.RuneCountInString(before)+1)
		}
	}
	if len(tail) < len(before) {
		tail = "…" + tail
	}
	return Say("after “%s”", tail)
}
