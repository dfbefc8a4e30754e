package lms

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"
)

// SplitEmails takes a pasted block apart into one candidate a person, in the
// order given: a column or row of a spreadsheet, the recipients of a mail, or
// one address a line. Lines, tabs, semicolons and commas part them, except
// inside quotation marks. Of `Ada Lovelace <ada@uni.example>` the candidate is
// the address. Blanks are dropped; what is no address stays, so that it can be
// refused with its reason rather than lost. In a row of spreadsheet cells with
// a single address the other cells are that person's particulars, not people.
//
// It takes time linear in the length of the block, which it does not limit.
func SplitEmails(pasted string) []string {
	var people []string
	for line := range splitAny(pasted, isLineBreak) {
		for _, cell := range cells(line) {
			for segment := range splitUnquoted(cell, ';', '；') {
				if isSurnameFirst(segment) {
					people = appendCandidate(people, segment)
					continue
				}
				for piece := range splitUnquoted(segment, ',', '，') {
					people = appendCandidate(people, piece)
				}
			}
		}
	}
	return people
}

func isLineBreak(_ int, r rune) bool {
	return '\n' <= r && r <= '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// cells parts a row at its tabs, and drops a lone address's neighbors unless
// they look like addresses that lost their @.
func cells(line string) []string {
	all := strings.Split(line, "\t")
	addresses := 0
	for _, cell := range all {
		if strings.Contains(cell, "@") {
			addresses++
		}
	}
	if len(all) == 1 || addresses != 1 {
		return all
	}
	kept := all[:0]
	for _, cell := range all {
		if strings.Contains(cell, "@") || looksLikeDomain(cell) {
			kept = append(kept, cell)
		}
	}
	return kept
}

// looksLikeDomain tells whether a dot joins two letters, as in uni.example.
func looksLikeDomain(s string) bool {
	letter := func(c byte) bool { return c >= utf8.RuneSelf || 'a' <= c|0x20 && c|0x20 <= 'z' }
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '.' && letter(s[i-1]) && letter(s[i+1]) {
			return true
		}
	}
	return false
}

// isSurnameFirst tells `Lovelace, Ada <ada@uni.example>`, as mail programs
// write it among semicolons: one person despite the comma.
func isSurnameFirst(segment string) bool {
	name, rest, found := strings.Cut(segment, "<")
	if !found || strings.Contains(name, `"`) || strings.Count(segment, "@") != 1 ||
		!strings.Contains(rest, "@") || !strings.HasSuffix(trimTyped(rest), ">") {
		return false
	}
	surname, given, found := strings.Cut(name, ",")
	return found && !strings.ContainsAny(given, ",，") && !strings.Contains(rest, ",") &&
		trimTyped(surname) != "" && trimTyped(given) != ""
}

// appendCandidate adds what one piece between separators holds: usually one
// person, several if spaces part nothing but addresses, none if it is blank.
func appendCandidate(people []string, piece string) []string {
	piece = trimTyped(piece)
	if piece == "" {
		return people
	}
	if strings.ContainsAny(piece, " \u00A0") && !strings.Contains(piece, `"`) {
		words := strings.Fields(piece)
		addresses, bracketed := 0, 0
		for _, word := range words {
			if strings.Contains(word, "@") {
				addresses++
			}
			if word[0] == '<' {
				bracketed++
			}
		}
		bare := bracketed == 0 && !strings.Contains(piece, "<")
		if addresses == len(words) && len(words) > 1 && (bare || bracketed == len(words)) {
			for _, word := range words {
				people = append(people, unwrap(word))
			}
			return people
		}
	}
	return append(people, unwrap(piece))
}

// unwrap takes the address out of `Ada <ada@uni.example>` and out of quotation
// marks. A name that is itself another address is left alone: which of the two
// was meant is for a person to say.
func unwrap(piece string) string {
	if open := strings.LastIndexByte(piece, '<'); open >= 0 && strings.HasSuffix(piece, ">") {
		inside := trimTyped(piece[open+1 : len(piece)-1])
		name := unquote(trimTyped(piece[:open]))
		if inside != "" && !strings.Contains(inside, ">") &&
			(!strings.Contains(name, "@") || foldASCII(name) == foldASCII(inside)) {
			return inside
		}
		return piece
	}
	if inside := trimTyped(unquote(piece)); inside != "" {
		return inside
	}
	return piece
}

// unquote takes one pair of quotation marks off the ends.
func unquote(s string) string {
	for _, pair := range [...][2]string{{`"`, `"`}, {"'", "'"}, {"“", "”"}} {
		inside, opened := strings.CutPrefix(s, pair[0])
		inside, closed := strings.CutSuffix(inside, pair[1])
		if opened && closed && !strings.Contains(inside, pair[0]) {
			return inside
		}
	}
	return s
}

// splitAny yields the parts of s between the runes that separate it. The
// function is asked once for each rune, in order, with its place in bytes.
func splitAny(s string, separates func(i int, r rune) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i, r := range s {
			if separates(i, r) {
				if !yield(s[start:i]) {
					return
				}
				start = i + utf8.RuneLen(r)
			}
		}
		yield(s[start:])
	}
}

// splitUnquoted yields the parts of s between separators outside quotation
// marks. A mark that is never closed is an ordinary character: one slip must
// not swallow the rest.
func splitUnquoted(s string, separators ...rune) iter.Seq[string] {
	quotedUntil, unclosed := 0, false
	return splitAny(s, func(i int, r rune) bool {
		if i < quotedUntil {
			return false
		}
		if r == '"' && !unclosed {
			end := closingQuote(s, i+1)
			quotedUntil, unclosed = end+1, end < 0
			return false
		}
		return slices.Contains(separators, r)
	})
}

// closingQuote tells where the quotation that began before from ends, -1 if it
// does not. A backslash takes the meaning off the next character.
func closingQuote(s string, from int) int {
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
