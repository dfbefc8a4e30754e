package lms

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// mustParse is for addresses that a test takes for granted.
func mustParse(t testing.TB, typed string) Email {
	t.Helper()
	e, err := ParseEmail(typed)
	if err != nil {
		t.Fatalf("ParseEmail(%q) = %v, want it accepted", typed, err)
	}
	return e
}

// checkRefusal demands a refusal that a program and a person can act upon.
func checkRefusal(t testing.TB, typed string, got Email, err error) *Error {
	t.Helper()
	if err == nil {
		t.Fatalf("%q was accepted as %q, want it refused", typed, got)
	}
	if got != "" {
		t.Errorf("%q was refused, but with the value %q", typed, got)
	}
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("%q was refused with a %T, want an *Error", typed, err)
	}
	if refusal.Code != CodeInvalid || !strings.HasPrefix(refusal.Type, "address-") {
		t.Errorf("%q was refused with code %q and type %q", typed, refusal.Code, refusal.Type)
	}
	if refusal.Message == "" || !strings.HasSuffix(refusal.Message, ".") && !strings.HasSuffix(refusal.Message, "?") {
		t.Errorf("%q was refused with the message %q, want a sentence", typed, refusal.Message)
	}
	if !utf8.ValidString(refusal.Message) || len(refusal.Message) > 600 ||
		strings.ContainsFunc(refusal.Message, func(r rune) bool { return unicode.IsControl(r) || isInvisible(r) }) {
		t.Errorf("%q was refused with a message that disturbs its page: %q", typed, refusal.Message)
	}
	if err.Error() != refusal.Message {
		t.Errorf("%q: Error() = %q, want the message alone, %q", typed, err, refusal.Message)
	}
	return refusal
}

// TestEmailTable holds the pairs of addresses that are one account (SAME) or
// two (DIFF), each under its case of the security page.
func TestEmailTable(t *testing.T) {
	longest := strings.Repeat("l", 64) + "@" + strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 57) + ".edu"
	if len(longest) != 254 {
		t.Fatalf("the longest address has %d characters", len(longest))
	}
	const same, differ = "SAME", "DIFF"
	tests := []struct {
		id          string
		left, right string
		verdict     string
	}{
		{"B-01", "alice@uni.edu", "ALICE@uni.edu", same},
		{"B-02", "alice@uni.edu", "alice@UNI.EDU", same},
		{"B-03", "o'brien@uni.edu", "O'Brien@Uni.Edu", same},
		{"B-04", "alice@uni.edu", "  alice@uni.edu ", same},
		{"B-05", "alice@uni.edu", "alice@uni.edu\r", same},
		{"B-05", "alice@uni.edu", "alice@uni.edu\u00A0", same},
		{"B-05", "alice@uni.edu", "\u00A0 alice@uni.edu \u00A0\r\n", same},
		{"B-06", "alice@uni.edu", "\uFEFFalice@uni.edu", same},
		{"B-07", "alice+lms@uni.edu", "ALICE+LMS@UNI.EDU", same},
		{"B-08", "alice@bücher.example", "alice@xn--bcher-kva.example", same},
		{"B-08", "alice@bu\u0308cher.example", "alice@XN--BCHER-KVA.example", same},
		{"B-09", "alice@bücher.example", "alice@BÜCHER.example", same},
		{"B-12", "ivan@пример.рф", "ivan@xn--e1afmkfd.xn--p1ai", same},
		{"B-13", "alice.smith@gmail.com", "alicesmith@gmail.com", differ},
		{"B-14", "alice@gmail.com", "alice+x@gmail.com", differ},
		{"B-15", "alice@gmail.com", "alice@googlemail.com", differ},
		{"B-16", "alice+1@uni.edu", "alice+2@uni.edu", differ},
		{"B-17", "a.b@uni.edu", "ab@uni.edu", differ},
		{"B-18", "a_b@uni.edu", "a-b@uni.edu", differ},
		{"B-20", "mary@uni.edu", "rnary@uni.edu", differ},
		{"B-21", "alice@uni.edu", "alice@mail.uni.edu", differ},
		{"B-22", "alice@uni.edu", "alice@notuni.edu", differ},
		{"B-23", "alice@uni.edu", "alice@uni.edu.evil.com", differ},
		{"B-56", longest, strings.ToUpper(longest), same},
		{"B-74", "-alice@uni.edu", "-alice@uni.edu", same},
		{"B-74", "+@uni.edu", "+@uni.edu", same},
		{"B-74", "a@b.co", "a@b.co", same},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			left, right := mustParse(t, test.left), mustParse(t, test.right)
			if (left == right) != (test.verdict == same) {
				t.Errorf("%q is %q and %q is %q, want %s", test.left, left, test.right, right, test.verdict)
			}
		})
	}
}

// TestEmailRefusals holds what is no address for us, with the problem type that
// says why, and the address that is suggested instead if there is one.
func TestEmailRefusals(t *testing.T) {
	l64, l63 := strings.Repeat("l", 64), strings.Repeat("a", 63)
	tests := []struct {
		id, typed, typ, suggested string
	}{
		{"B-26", "alice@un\u0131pi.it", addressConfusable, ""},
		{"B-26", "alice@xn--unpi-mza.it", addressConfusable, ""},
		{"B-27", "alice@un\u0456pi.it", addressMixedScript, ""},
		{"B-27", "alice@xn--unpi-m9d.it", addressMixedScript, ""},
		{"B-29", "m\u0131ke@uni.edu", addressNonASCII, ""},
		{"B-30", "mi\u212Ae@uni.edu", addressNonASCII, ""},
		{"B-33", "\uFF4Dike@uni.edu", addressNonASCII, ""},
		{"B-34", "\uFB01sh@uni.edu", addressNonASCII, ""},
		{"B-35", "straße@uni.de", addressNonASCII, ""},
		{"B-36", "mi\u200Bke@uni.edu", addressInvisible, ""},
		{"B-38", "mike\u202Eude.inu@", addressInvisible, ""},
		{"B-39", "\u0430lice@uni.edu", addressNonASCII, ""},
		{"B-41", "josé@uni.edu", addressNonASCII, ""},
		{"B-44", "alice@uni.edu.", addressTrailingDot, "alice@uni.edu"},
		{"B-45", "alice@uni\u3002edu", addressConfusable, ""},
		{"B-46", "alice@\uFF55\uFF4E\uFF49.edu", addressConfusable, ""},
		{"B-51", "alice@[127.0.0.1]", addressLiteral, ""},
		{"B-51", "alice@[IPv6:::1]", addressLiteral, ""},
		{"B-51", "alice@127.0.0.1", addressLiteral, ""},
		{"B-51", "alice@123", addressLiteral, ""},
		{"B-51", "alice@uni.0x7f", addressLiteral, ""},
		{"B-52", "alice@localhost", addressDomainIncomplete, ""},
		{"B-52", "alice@uni", addressDomainIncomplete, ""},
		{"B-52", "alice@uni..edu", addressDomain, ""},
		{"B-52", "alice@.edu", addressDomain, ""},
		{"B-53", "alice@-uni.edu", addressDomain, ""},
		{"B-53", "alice@uni-.edu", addressDomain, ""},
		{"B-53", "alice@uni_x.edu", addressDomainCharacters, ""},
		{"B-54", "", addressEmpty, ""},
		{"B-54", "alice", addressNoAt, ""},
		{"B-54", "@uni.edu", addressNoLocal, ""},
		{"B-54", "alice@", addressNoDomain, ""},
		{"B-54", "alice@@uni.edu", addressManyAt, ""},
		{"B-55", ".alice@uni.edu", addressDots, ""},
		{"B-55", "alice.@uni.edu", addressDots, ""},
		{"B-55", "al..ice@uni.edu", addressDots, ""},
		{"B-56", "l" + l64 + "@uni.edu", addressTooLong, ""},
		{"B-56", l64 + "@" + l63 + "." + l63 + "." + l63[:58] + ".edu", addressTooLong, ""},
		{"B-56", "alice@a" + l63 + ".edu", addressTooLong, ""},
		{"B-57", `"alice"@uni.edu`, addressQuoted, "alice@uni.edu"},
		{"B-58", `"a b"@uni.edu`, addressQuoted, ""},
		{"B-58", `""@uni.edu`, addressQuoted, ""},
		{"B-58", `"a\@b"@uni.edu`, addressQuoted, ""},
		{"B-59", `"a@evil.com"@uni.edu`, addressQuoted, ""},
		{"B-59", `"v@uni.edu"@evil.com`, addressQuoted, ""},
		{"B-60", "attacker@evil.com@uni.edu", addressManyAt, ""},
		{"B-63", "Alice <alice@uni.edu>", addressNameAndAddress, "alice@uni.edu"},
		{"B-64", "<alice@uni.edu>", addressBrackets, "alice@uni.edu"},
		{"B-64", "mailto:alice@uni.edu", addressMailto, "alice@uni.edu"},
		{"@ in words", "alice(at)uni.edu", addressNoAt, "alice@uni.edu"},
		{"@ in words", "alice [AT] uni.edu", addressNoAt, "alice@uni.edu"},
		{"@ in words", "alice at uni.edu", addressNoAt, "alice@uni.edu"},
		{"@ in words", "alice at home at uni.edu", addressSpace, ""},
		{"B-65", "alice@uni.edu(x)", addressComment, "alice@uni.edu"},
		{"B-65", "(x)alice@uni.edu", addressComment, "alice@uni.edu"},
		{"B-65", "alice(x)@uni.edu", addressComment, "alice@uni.edu"},
		{"B-67", "alice@ uni.edu", addressSpace, "alice@uni.edu"},
		{"B-67", "alice @uni.edu", addressSpace, "alice@uni.edu"},
		{"B-67", "al ice@uni.edu", addressSpace, ""},
		{"B-68", "a@uni.edu,b@uni.edu", addressList, ""},
		{"B-68", "a@uni.edu;b@uni.edu", addressList, ""},
		{"B-68", "a@uni.edu b@uni.edu", addressList, ""},
		{"B-70", "al\x00ice@uni.edu", addressControl, ""},
		{"B-70", "alice@uni.edu\x00", addressControl, ""},
		{"B-70", "al\x01ice@uni.edu", addressControl, ""},
		{"B-70", "alice\x7f@uni.edu", addressControl, ""},
		{"B-70", "alice@uni.edu\r\nBcc: x@y", addressControl, ""},
		{"B-73", "a`id`@uni.edu", addressLocalCharacters, ""},
		{"B-73", "a|b@uni.edu", addressLocalCharacters, ""},
		{"B-73", "a{b}@uni.edu", addressLocalCharacters, ""},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			for name, parse := range map[string]func(string) (Email, error){"ParseEmail": ParseEmail, "ParseProviderEmail": ParseProviderEmail} {
				got, err := parse(test.typed)
				refusal := checkRefusal(t, test.typed, got, err)
				if refusal.Type != test.typ {
					t.Errorf("%s(%q) was refused as %s (%s), want %s", name, test.typed, refusal.Type, refusal.Message, test.typ)
				}
				suggested, ok := SuggestedEmail(err)
				if string(suggested) != test.suggested || ok != (test.suggested != "") {
					t.Errorf("%s(%q) suggests %q, want %q", name, test.typed, suggested, test.suggested)
				}
			}
		})
	}
}

// What we mail to is the canonical form, whatever was typed.
func TestEmailIsMailedToInItsCanonicalForm(t *testing.T) {
	t.Run("B-77", func(t *testing.T) {
		for _, typed := range []string{"alice@bücher.example", " ALICE@BÜCHER.example\r\n", "Alice@XN--BCHER-KVA.Example"} {
			if got := mustParse(t, typed).String(); got != "alice@xn--bcher-kva.example" {
				t.Errorf("%q is mailed to as %q", typed, got)
			}
		}
	})
}

func TestRefusalSaysWhatToMend(t *testing.T) {
	tests := []struct{ typed, message string }{
		{"Grace <grace@uni.example>", "This looks like a name with an address: did you mean grace@uni.example?"},
		{`"Hopper, Grace" <Grace@Uni.example>`, "This looks like a name with an address: did you mean grace@uni.example?"},
		{"Hopper, Grace <grace@uni.example>", "This looks like a name with an address: did you mean grace@uni.example?"},
		{"grace@bücher.example.", "There is a full stop after the address: did you mean grace@bücher.example?"},
		{"Grace <grace>", "This looks like a name with an address. Enter the address alone."},
		{"mi\u200Bke@uni.edu", "There is an invisible character (U+200B, zero width space) after “mi”. Delete it, or type the address by hand."},
		{"\u202Emike@uni.edu", "There is an invisible character (U+202E, right-to-left override) at the start. Delete it, or type the address by hand."},
		{"mike\u00A0hopper@uni.edu", "There is a special space (U+00A0, no-break space) after “mike”. Delete it, or type the address by hand."},
		{"éé\u00ADmike@uni.edu", "There is an invisible character (U+00AD, soft hyphen) as character 3. Delete it, or type the address by hand."},
		{"grace@uni.edu\r\nBcc: x@y", "There is a line break after “…race@uni.edu”. Enter one address, on one line."},
		{"\u0430lice@uni.edu", "The character “а” (U+0430), at the start, is a letter of another alphabet (Cyrillic). Only the plain letters a to z are supported before the @: type them by hand."},
		{"alice@un\u0456pi.it", "The domain mixes alphabets: “і” (U+0456) is a Cyrillic letter among Latin ones. Type the address by hand."},
		{"alice@\u0456unipi.it", "The domain mixes alphabets: “і” (U+0456) is a Cyrillic letter among Latin ones. Type the address by hand."},
		{"grace@uni", "The domain “uni” is not complete. It needs an ending, as in school.example."},
	}
	for _, test := range tests {
		got, err := ParseEmail(test.typed)
		if refusal := checkRefusal(t, test.typed, got, err); refusal.Message != test.message {
			t.Errorf("ParseEmail(%q) says\n\t%s\nwant\n\t%s", test.typed, refusal.Message, test.message)
		}
	}
}

// A provider gets none of the leniency that a person gets.
func TestProviderEmailIsNotTrimmed(t *testing.T) {
	tests := []struct{ sent, typ string }{
		{" alice@uni.edu", addressSpace},
		{"alice@uni.edu ", addressSpace},
		{"alice@uni.edu\u00A0", addressSpace},
		{"alice@uni.edu\r", addressControl},
		{"alice@uni.edu\n", addressControl},
		{"\talice@uni.edu", addressControl},
		{"\uFEFFalice@uni.edu", addressInvisible},
	}
	for _, test := range tests {
		mustParse(t, test.sent)
		got, err := ParseProviderEmail(test.sent)
		if refusal := checkRefusal(t, test.sent, got, err); refusal.Type != test.typ {
			t.Errorf("ParseProviderEmail(%q) was refused as %s, want %s", test.sent, refusal.Type, test.typ)
		}
	}
	if got, err := ParseProviderEmail("Alice@Uni.EDU"); err != nil || got != "alice@uni.edu" {
		t.Errorf("ParseProviderEmail folds case: got %q, %v", got, err)
	}
}

// Domains are judged label by label: honest ones in any alphabet pass, those
// that can be read as others do not.
func TestDomainsInOtherAlphabets(t *testing.T) {
	accepted := []string{
		"straße.de", "STRAẞE.de", "lluís.cat", "col·lecció.cat", "łódź.pl", "đại-học.vn", "école-supérieure.fr",
		"université.example", "øre.dk", "школа.com", "оса.рф", "школа1.рф", "σχολή.gr", "ςχολή.gr", "대학교.kr", "大学.jp",
		"がっこう.jp", "スクール.jp", "abc大学.jp", "ひらカナ漢字.jp", "महाविद्यालय.in", "โรงเรียน.th", "בית-ספר.il", "جامعة.eg",
		"r3---sn-x.example", "xn--bcher-kva.bücher.example", "a.bücher.example",
	}
	for _, domain := range accepted {
		e, err := ParseEmail("v@" + domain)
		if err != nil {
			t.Errorf("%s was refused: %v", domain, err)
			continue
		}
		if !isASCII(string(e)) || mustParse(t, e.Display()) != e || mustParse(t, string(e)) != e {
			t.Errorf("%s became %q, shown as %q: these are not one address", domain, e, e.Display())
		}
	}
	refused := []struct{ domain, typ string }{
		{"аррӏе.com", addressConfusable},           // Cyrillic throughout
		{"xn--80ak6aa92e.com", addressConfusable},  // the same, encoded
		{"υνι.com", addressConfusable},             // Greek throughout
		{"uni\u0307.edu", addressConfusable},       // a second dot on the i
		{"un\u0338i.edu", addressConfusable},       // a stroke through the n
		{"u\u0301\u0302\u0303\u0304ni.edu", ""},    // a heap of accents
		{"unɑ.edu", addressConfusable},             // the a of phonetics
		{"un\u0130.edu", addressConfusable},        // lower case is a plain i, to some
		{"\u212Aelvin.edu", addressConfusable},     // NFC makes it K
		{"ſchool.edu", addressConfusable},          // long s
		{"ﬁsh.edu", addressConfusable},             // a ligature
		{"uni\u037Eedu.edu", addressConfusable},    // NFC makes it a semicolon
		{"uni২.edu", addressConfusable},            // a digit of Bengali
		{"ünі.edu", addressMixedScript},            // Cyrillic і among Latin ones
		{"школаa.рф", addressMixedScript},          // Latin a among Cyrillic ones
		{"αbγ.gr", addressMixedScript},             // Latin b among Greek ones
		{"uniー1.jp", addressConfusable},            // a dash of Japanese
		{"abcノ大学.jp", addressConfusable},           // a slash of Japanese
		{"a·b.cat", addressConfusable},             // a middle dot not between two l
		{"ᏚᎪ.com", addressScript},                  // Cherokee
		{"☃.example", addressDomainCharacters},     // no letter
		{"uni\u00ADversity.edu", addressInvisible}, // a soft hyphen
		{"xn--unipi-.it", addressPunycode},         // encodes a plain label
		{"xn--.it", addressPunycode},               // encodes nothing
		{"xn--\u00FC.it", addressDomain},           // half encoded
		{"xn--a.it", ""},                           // encodes a control character
		{"xn--bcher-kvA9999999999.it", ""},         // overflows
		{"xn--BCHER-KVA-.it", ""},                  // another spelling
		{"xn--00-x0b", addressInvisible},           // encodes a grapheme joiner
		{"-ü.example", addressDomain},
		{"ü-.example", addressDomain},
		{"aü--b.example", ""},
		{"\u0301a.example", addressConfusable}, // begins with a mark
		{strings.Repeat("ü", 60) + ".example", addressTooLong},
		{strings.Repeat("bücher.", 20) + strings.Repeat("a.", 50) + "example", addressTooLong},
	}
	for _, test := range refused {
		got, err := ParseEmail("v@" + test.domain)
		refusal := checkRefusal(t, test.domain, got, err)
		if test.typ != "" && refusal.Type != test.typ {
			t.Errorf("%s was refused as %s (%s), want %s", test.domain, refusal.Type, refusal.Message, test.typ)
		}
	}
}

func TestEmailParts(t *testing.T) {
	e := mustParse(t, "Grace.Hopper@BÜCHER.example")
	for _, test := range []struct{ what, got, want string }{
		{"String", e.String(), "grace.hopper@xn--bcher-kva.example"},
		{"Local", e.Local(), "grace.hopper"},
		{"Domain", e.Domain(), "xn--bcher-kva.example"},
		{"Display", e.Display(), "grace.hopper@bücher.example"},
		{"Masked", e.Masked(), "g***@xn--bcher-kva.example"},
		{"Masked of one letter", mustParse(t, "g@uni.example").Masked(), "g***@uni.example"},
		{"Display from right to left", mustParse(t, "v@בית.il").Display(), string(mustParse(t, "v@בית.il"))},
		{"Display of what is no canonical address", Email("v@xn--unpi-m9d.it").Display(), "v@xn--unpi-m9d.it"},
		{"Masked of nothing", Email("").Masked(), ""},
		{"Display of nothing", Email("").Display(), ""},
	} {
		if test.got != test.want {
			t.Errorf("%s = %q, want %q", test.what, test.got, test.want)
		}
	}
}

func TestEmailHintIsForTheSpellingsOfGmail(t *testing.T) {
	tests := []struct {
		id, address string
		hinted      bool
	}{
		{"B-13", "alice.smith@gmail.com", true},
		{"B-13", "alicesmith@gmail.com", false},
		{"B-14", "alice+x@gmail.com", true},
		{"B-14", "alice@gmail.com", false},
		{"B-15", "alice@googlemail.com", true},
		{"B-16", "alice+1@uni.edu", false},
		{"B-17", "a.b@uni.edu", false},
		{"B-22", "a.b@notgmail.com", false},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			if hint := EmailHint(mustParse(t, test.address)); (hint.Format != "") != test.hinted {
				t.Errorf("the hint for %s is %q", test.address, hint)
			}
		})
	}
}

// A refusal costs next to nothing, however long the input is.
func TestLongInputIsRefusedInTimeThatGrowsWithItsLength(t *testing.T) {
	for _, part := range []string{"a", "@", ".", "<", "<a@b.c>", "\"", "(", ",", " ", "a@b.c, ", "a@b.c ", "é", "\u0301", "\u200B", "xn--", "ü.", "\x00", "\uFEFF", "<\"@"} {
		typed := func(runes int) []string {
			body := strings.Repeat(part, runes/utf8.RuneCountInString(part)+1)
			return []string{body, "alice@" + body + ".edu", "alice" + body + "@uni.edu", "alice@uni.edu" + body + "x"}
		}
		short, long := typed(500), typed(10_000)
		for i := range short {
			got, err := ParseEmail(long[i])
			checkRefusal(t, long[i], got, err)
			if a, b, ok := growsAtMost(100, func() { ParseEmail(short[i]) }, func() { ParseEmail(long[i]) }); !ok {
				t.Errorf("500 times %q was judged in %v, 10,000 times in %v", part, a, b)
			}
		}
	}
}

// growsAtMost tells whether large takes at most times as long as small. The
// machine may be busy with something else, so each counts by its best of a few
// runs, and the whole is tried again before it is believed to fail.
func growsAtMost(times int, small, large func()) (a, b time.Duration, ok bool) {
	best := func(work func()) time.Duration {
		took := time.Hour
		for range 3 {
			start := time.Now()
			work()
			took = min(took, time.Since(start))
		}
		return took
	}
	for range 8 {
		a, b = best(small), best(large)
		if b <= time.Duration(times)*max(a, 10*time.Microsecond) {
			return a, b, true
		}
	}
	return a, b, false
}

// The usual address is judged without a single allocation, and one in capital
// letters with one.
func TestPlainAddressesAreParsedWithoutAllocations(t *testing.T) {
	for typed, want := range map[string]float64{
		"grace.hopper@uni.example":       0,
		"  grace.hopper@uni.example\r\n": 0,
		"Grace.Hopper@UNI.Example":       1,
		"XNAME@XN.XNA.EXAMPLE":           1,
	} {
		if got := testing.AllocsPerRun(100, func() { mustParse(t, typed) }); got != want {
			t.Errorf("ParseEmail(%q) allocates %v times, want %v", typed, got, want)
		}
	}
}

func BenchmarkParseEmail(b *testing.B) {
	for name, typed := range map[string]string{
		"canonical": "grace.hopper@uni.example",
		"capitals":  "Grace.Hopper@UNI.Example",
		"idn":       "grace.hopper@bücher.example",
		"refused":   "Grace Hopper <grace.hopper@uni.example>",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = ParseEmail(typed)
			}
		})
	}
}

// Sentences for people have addresses and domains in their own letters.
func TestSentencesShowAddressesAsPeopleReadThem(t *testing.T) {
	e := mustParse(t, "grace@bücher.example")
	if got := Say("%s has it.", e).String(); got != "grace@bücher.example has it." {
		t.Error(got)
	}
	args := []any{e}
	if got := Say("%s has it.", args...).String(); got != "grace@bücher.example has it." || args[0] != e {
		t.Errorf("%q, and the list of whoever asked has become %q", got, args)
	}
	if got := Invalid("taken", "email", "%s has it.", e); got.Message != "grace@bücher.example has it." || got.Text.String() != got.Message {
		t.Errorf("%+v", got)
	}
	if got := DisplayDomain(e.Domain()); got != "bücher.example" {
		t.Error(got)
	}
}
