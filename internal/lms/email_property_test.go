package lms

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// foldPlain lowers A-Z, written again here so that the rule is not tested by
// itself.
func foldPlain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 32
		}
		return r
	}, s)
}

// checkParsed holds what is true of every input, accepted or refused.
func checkParsed(t testing.TB, typed string) {
	t.Helper()
	e, err := ParseEmail(typed)
	sent, sentErr := ParseProviderEmail(typed)
	if sentErr == nil && (err != nil || sent != e) {
		t.Errorf("%q is %q from a provider, but %q, %v from a person", typed, sent, e, err)
	}
	if err != nil {
		checkRefusal(t, typed, e, err)
		if suggested, ok := SuggestedEmail(err); ok && mustParse(t, string(suggested)) != suggested {
			t.Errorf("%q suggests %q, which is not canonical", typed, suggested)
		}
		return
	}
	if again := mustParse(t, string(e)); again != e {
		t.Errorf("%q is %q, which again is %q", typed, e, again)
	}
	if shown := mustParse(t, e.Display()); shown != e {
		t.Errorf("%q is %q, shown as %q, which is %q", typed, e, e.Display(), shown)
	}
	if clean, err := ParseProviderEmail(string(e)); err != nil || clean != e {
		t.Errorf("%q is %q, which a provider may not send: %v", typed, e, err)
	}
	if !isASCII(string(e)) || foldPlain(string(e)) != string(e) || len(e) > 254 || e.Local()+"@"+e.Domain() != string(e) {
		t.Errorf("%q became %q, which is no canonical form", typed, e)
	}
	checkTyped(t, typed, e)
}

// checkTyped demands that an address in plain ASCII was typed as it is: no
// mapping made it so.
func checkTyped(t testing.TB, typed string, e Email) {
	t.Helper()
	trimmed := strings.TrimFunc(typed, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' })
	local, domain, _ := strings.Cut(trimmed, "@")
	if foldPlain(local) != e.Local() {
		t.Errorf("%q became %q: its local part was not typed", typed, e)
	}
	typedLabels, labels := strings.Split(domain, "."), strings.Split(e.Domain(), ".")
	if len(typedLabels) != len(labels) {
		t.Fatalf("%q became %q: its dots were not typed", typed, e)
	}
	for i, label := range labels {
		plain := foldPlain(typedLabels[i])
		if !strings.HasPrefix(label, "xn--") && plain != label {
			t.Errorf("%q became %q: the plain label %q was not typed", typed, e, label)
		}
		if isASCII(plain) && plain != label {
			t.Errorf("%q became %q: the label %q was changed", typed, e, plain)
		}
	}
}

// troublesome are the characters that have fooled somebody's comparison.
var troublesome = []rune("\u0130\u0131\u017F\u212A\u212B\u1E9Eßſﬁ\u0307\u0301\u200B\u200C\u200D\u00AD\u202E\uFEFF\u00A0\u3002\uFF0E\uFF61\uFF41\uFF21\uFF20аеіρο。ｕー一ノ\u037E\u1FEF\u2024\u00B7\u0660٣০ς\u2800\u3164\x00\t\r\n <>()\"'\\,;:[]@._-+%xX")

// typedEmails draws addresses, half of them good ones in any capitals and
// alphabets, and spoils some of them.
func typedEmails() *rapid.Generator[string] {
	goodLocal := rapid.StringMatching(`[A-Za-z0-9!#$&'*+/=^_~-]{1,30}(\.[A-Za-z0-9]{1,10})?`)
	goodLabel := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z]([A-Za-z0-9]{0,9}[A-Za-z])?`),
		rapid.SampledFrom([]string{"bücher", "BÜCHER", "bu\u0308cher", "пример", "рф", "大学", "uni", "com", "xn--bcher-kva", "XN--E1AFMKFD", "straße"}),
	)
	local := rapid.OneOf(goodLocal, rapid.StringMatching(`[A-Za-z0-9.!#$&'*+/=^_~-]{0,70}`))
	label := rapid.OneOf(
		goodLabel,
		rapid.StringMatching(`[A-Za-z0-9-]{0,12}`),
		rapid.StringMatching(`[Xx][Nn]--[A-Za-z0-9-]{0,12}`),
		rapid.SampledFrom([]string{"unıpi", "unіpi", "аррӏе", "123"}),
		rapid.StringN(0, 8, -1),
		rapid.StringOfN(rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Mn), 1, 6, -1),
	)
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "good") {
			return goodLocal.Draw(t, "local") + "@" + strings.Join(rapid.SliceOfN(goodLabel, 2, 4).Draw(t, "labels"), ".")
		}
		labels := rapid.SliceOfN(label, 1, 4).Draw(t, "labels")
		typed := []rune(local.Draw(t, "local") + "@" + strings.Join(labels, "."))
		for range rapid.IntRange(0, 3).Draw(t, "spoiled") {
			at := rapid.IntRange(0, len(typed)).Draw(t, "at")
			r := rapid.SampledFrom(troublesome).Draw(t, "with")
			replaced := min(at+rapid.IntRange(0, 1).Draw(t, "replacing"), len(typed))
			typed = append(append(append([]rune{}, typed[:at]...), r), typed[replaced:]...)
		}
		return string(typed)
	})
}

// Reading an address again changes nothing, and no plain address is accepted
// that was not typed.
func TestParsedEmailIsCanonicalAndWasTyped(t *testing.T) {
	accepted, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		typed := typedEmails().Draw(rt, "typed")
		checkParsed(t, typed)
		if t.Failed() {
			rt.Fatalf("for the input %q", typed)
		}
		if _, err := ParseEmail(typed); err == nil {
			accepted++
		} else {
			refused++
		}
	})
	if accepted == 0 || refused == 0 {
		t.Errorf("%d of the addresses drawn were accepted and %d refused: half of the rule was not tested", accepted, refused)
	}
	t.Logf("%d accepted, %d refused", accepted, refused)
}

// For each character there is: put into the local part or the domain of a good
// address, in place of a letter or besides, it never gives a plain address
// other than by A-Z.
func TestNoCharacterTurnsIntoAPlainOne(t *testing.T) {
	victims := map[Email]bool{}
	for _, plain := range []string{"mike@uni.edu", "mke@uni.edu", "mike@un.edu", "mikeuni.edu"} {
		victims[Email(plain)] = true
	}
	const firstUnassigned, firstTag = 0x32000, 0xE0000 // planes 4 to 13 are empty, 15 and 16 private
	for r := rune(0x80); r < 0xE1000; r++ {
		if r == firstUnassigned {
			r = firstTag
		}
		c := string(r)
		for _, typed := range []string{"m" + c + "ke@uni.edu", "mike@un" + c + ".edu", "mike@uni" + c + "edu", "mi" + c + "ke@uni.edu"} {
			e, err := ParseEmail(typed)
			if err != nil {
				continue
			}
			if !strings.Contains(string(e), "xn--") || victims[e] {
				t.Fatalf("%q (%U) became the plain address %q", typed, r, e)
			}
			if shown, _, _ := strings.Cut(e.Display(), ".edu"); isASCII(norm.NFKC.String(shown)) && !strings.Contains(shown, "xn--") {
				t.Fatalf("%q (%U) is shown as %q", typed, r, e.Display())
			}
		}
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{
		"grace@uni.example", " GRACE@Uni.Example\r\n", "grace@bücher.example", "ivan@пример.рф", "alice@unıpi.it", "alice@unіpi.it",
		"Grace <grace@uni.example>", `"Hopper, Grace" <grace@uni.example>`, "mailto:grace@uni.example?subject=x", "a@b.c,d@e.f",
		"grace(x)@uni.example", `"v@uni.edu"@evil.com`, "mike\u202Eude.inu@", "alice@uni\u3002edu", "a@xn--unipi-.it", "a@l·l.cat",
		"\uFEFFa@b.co", "a@[127.0.0.1]", "a@b.0x1", "a@b..c", ".a@b.c", "\xff@b.c", "a@ß.de", "a@STRAẞE.de", "a@대학교.kr", "a@スクール.jp", "a@בית.il", "0@Xn--00-X0B",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) { checkParsed(t, typed) })
}
