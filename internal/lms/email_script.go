package lms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	middleDot     = '\u00B7' // of Catalan, between two l (RFC 5892 appendix A.3)
	prolongedMark = '\u30FC' // of Japanese, shared by both its syllabaries
	dotAbove      = '\u0307'

	maxMarks = 4 // on one letter; Burmese and Tibetan need as many
)

// latinLetters are the letters beyond a to z that written languages use and
// that cannot be taken for a plain one: each has a visible mark. Missing are
// the dotless i and j, the kra, the script a and g of phonetics, and their like.
var latinLetters = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00DF, Hi: 0x00F6, Stride: 1},
		{Lo: 0x00F8, Hi: 0x00FF, Stride: 1},
		{Lo: 0x0101, Hi: 0x012F, Stride: 2},
		{Lo: 0x0135, Hi: 0x0137, Stride: 2},
		{Lo: 0x013A, Hi: 0x013E, Stride: 2},
		{Lo: 0x0142, Hi: 0x0148, Stride: 2},
		{Lo: 0x014B, Hi: 0x0177, Stride: 2},
		{Lo: 0x017A, Hi: 0x017E, Stride: 2},
		{Lo: 0x01A1, Hi: 0x01A1, Stride: 1},
		{Lo: 0x01B0, Hi: 0x01B0, Stride: 1},
		{Lo: 0x01CE, Hi: 0x01DC, Stride: 2},
		{Lo: 0x01E5, Hi: 0x01EB, Stride: 2},
		{Lo: 0x0219, Hi: 0x021B, Stride: 2},
		{Lo: 0x0259, Hi: 0x0259, Stride: 1},
		{Lo: 0x1E01, Hi: 0x1E95, Stride: 2},
		{Lo: 0x1E96, Hi: 0x1E99, Stride: 1},
		{Lo: 0x1EA1, Hi: 0x1EF9, Stride: 2},
	},
	LatinOffset: 2,
}

// jamo are the parts of Korean syllables, which stand alone in old texts only,
// and then look like dashes and strokes.
var jamo = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x11FF, Stride: 1},
		{Lo: 0xA960, Hi: 0xA97F, Stride: 1},
		{Lo: 0xD7B0, Hi: 0xD7FF, Stride: 1},
	},
}

// lookalikes are the letters of a script that pass for plain Latin ones. A
// label of nothing else reads as another domain.
var lookalikes = map[scriptSet]string{
	cyrillic: "аеорсухіјѕһԁԛԝӏьпгѵѡүҽ",
	greek:    "αικνορτυωηγχ",
	armenian: "հոսօցզգյքւ",
}

// strokes are East Asian characters that pass for a hyphen, a slash, a bar, a
// dot or a naught among Latin letters.
const strokes = "ー一ノ丿丶丨〇"

// refuseConfusable refuses a label that may be read as another one, given the
// last label of its domain: letters of several alphabets (except those that
// East Asians do mix: the "highly restrictive" level of UTS 39), letters that
// pass for others, and alphabets for which we cannot tell.
func refuseConfusable(label, top string) error {
	if isASCII(label) {
		return nil
	}
	var set scriptSet
	var previous rune
	marks := 0
	for i, r := range label {
		script, err := labelScript(label, i, r)
		if err != nil {
			return err
		}
		if script != 0 && !mix(set|script) {
			return refuseMixed(label, set, r, script)
		}
		set |= script
		if !unicode.IsMark(r) {
			marks = 0
		} else if marks++; marks > maxMarks || r == dotAbove && strings.ContainsRune("ijl", previous) {
			return refuseLookalike(label, i, r)
		}
		previous = r
	}
	return refuseWholeLabel(label, top, set)
}

// mix tells whether letters of these scripts are written side by side.
func mix(set scriptSet) bool {
	if set&(set-1) == 0 {
		return true
	}
	set &^= latin
	return set&^japanese == 0 || set&^chinese == 0 || set&^korean == 0
}

// labelScript tells the script of the rune at i, none when it goes with those
// around it, and refuses a rune that has no place there.
func labelScript(label string, i int, r rune) (scriptSet, error) {
	script, _ := scriptOf(r)
	switch {
	case '0' <= r && r <= '9' || r == '-':
		return 0, nil
	case r == middleDot:
		if strings.HasSuffix(label[:i], "l") && strings.HasPrefix(label[i+utf8.RuneLen(r):], "l") {
			return latin, nil
		}
		return 0, refuseLookalike(label, i, r)
	case r == prolongedMark:
		if strings.ContainsFunc(label, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }) {
			return 0, nil
		}
		return 0, refuseLookalike(label, i, r)
	case unicode.IsMark(r) && unicode.Is(unicode.Inherited, r):
		return 0, refuseMark(label, i, r)
	case script == 0:
		return 0, refuse(addressScript, "Letters such as %s are not supported in a domain. Use the plain form of the domain, if it has one.", character(r))
	case script == latin && r >= utf8.RuneSelf && !unicode.Is(latinLetters, r), unicode.Is(jamo, r):
		return 0, refuseLookalike(label, i, r)
	}
	return script, nil
}

// refuseMark refuses a mark that scripts share, unless it goes with the letters
// before it: up to two accents with Latin, Greek and Cyrillic ones, vowel signs
// with Arabic ones. Marks that strike a letter through pass for the letter.
func refuseMark(label string, i int, r rune) error {
	base := strings.TrimRightFunc(label[:i], unicode.IsMark)
	letter, _ := utf8.DecodeLastRuneInString(base)
	script, _ := scriptOf(letter)
	switch {
	case script&(latin|greek|cyrillic) != 0 && 0x0300 <= r && r <= 0x0331 && utf8.RuneCountInString(label[len(base):i]) < 2:
		return nil
	case script == arabic && (0x064B <= r && r <= 0x0655 || r == 0x0670):
		return nil
	}
	return refuseLookalike(label, i, r)
}

// refuseWholeLabel refuses a label each of whose letters is harmless.
func refuseWholeLabel(label, top string, set scriptSet) error {
	if set&latin != 0 {
		if i := strings.IndexAny(label, strokes); i >= 0 {
			r, _ := utf8.DecodeRuneInString(label[i:])
			return refuseLookalike(label, i, r)
		}
		return nil
	}
	alike := lookalikes[set]
	if alike == "" || strings.Trim(label, alike+"0123456789-") != "" {
		return nil
	}
	for _, r := range top {
		if script, _ := scriptOf(r); script == set {
			return nil // the whole domain is in that script, as in оса.рф
		}
	}
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(label, "0123456789-"))
	return refuse(addressConfusable, "The domain is written in %s letters that pass for plain ones, such as %s. Type the address by hand.", foreignScript(r), character(r))
}

func refuseLookalike(label string, i int, r rune) error {
	return refuse(addressConfusable, "The character %s is easily taken for another one (in the domain, %s). Type the address by hand.", character(r), place(label, i))
}

// refuseMixed names the letter that does not belong: the one that is not Latin,
// since its Latin neighbors are what the reader believes to see.
func refuseMixed(label string, before scriptSet, r rune, script scriptSet) error {
	if script == latin {
		for _, earlier := range label {
			if s, _ := scriptOf(earlier); s != 0 && s != latin {
				r, script, before = earlier, s, latin
				break
			}
		}
	}
	return refuse(addressMixedScript, "The domain mixes alphabets: %s is a %s letter among %s ones. Type the address by hand.", character(r), scriptName(script), scriptName(before))
}

// scriptName names the first script of a set.
func scriptName(set scriptSet) Term {
	for i, script := range scripts {
		if set&(1<<i) != 0 {
			return script.name
		}
	}
	return "plain"
}
