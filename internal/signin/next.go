package signin

import (
	"net/url"
	"path"
	"strings"
)

// maxNext is the longest way back that is kept, in bytes.
const maxNext = 512

// neverNext are the paths to which no sign-in leads: they do something, or
// they answer to programs.
var neverNext = []string{"/auth", "/api", "/oauth", "/sign-out", "/sign-in", "/logout"}

// SafeNext is next when that is a page of this site, else "/". Whether an
// address is ours cannot be left to url.Parse, which finds no host in
// /\evil.example or ////evil.example where a browser finds one; so only what
// looks like one of our own paths, and cannot be read in two ways, passes.
func SafeNext(next string) string {
	if !strings.HasPrefix(next, "/") || len(next) > maxNext {
		return "/"
	}
	for i := range len(next) {
		if c := next[i]; c <= ' ' || c > '~' || c == '\\' {
			return "/"
		}
	}
	end := strings.IndexAny(next, "?#")
	if end < 0 {
		end = len(next)
	}
	if !ownPath(next[:end]) || !harmlessEscapes(next[end:]) {
		return "/"
	}
	return next
}

// ownPath accepts a path in the one spelling in which every reader sees the
// same thing: no empty or dot segments, no escaped slash, backslash, dot,
// percent sign or control character.
func ownPath(p string) bool {
	decoded, err := url.PathUnescape(p)
	if err != nil || !harmlessEscapes(p) {
		return false
	}
	lower := strings.ToLower(p)
	for _, escape := range []string{"%2f", "%5c", "%2e", "%25"} {
		if strings.Contains(lower, escape) {
			return false
		}
	}
	if strings.ContainsFunc(decoded, func(r rune) bool { return r > '~' }) {
		return false // such as U+2215, which looks like a slash
	}
	if cleaned := path.Clean(decoded); strings.Contains(decoded, "//") || decoded != cleaned && decoded != cleaned+"/" {
		return false
	}
	decoded = strings.ToLower(decoded)
	for _, never := range neverNext {
		if decoded == never || strings.HasPrefix(decoded, never+"/") {
			return false
		}
	}
	return true
}

// harmlessEscapes refuses percent signs that escape nothing, and control
// characters in disguise.
func harmlessEscapes(s string) bool {
	for i := range len(s) {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return false
		}
		if s[i+1] == '0' || s[i+1] == '1' || strings.EqualFold(s[i+1:i+3], "7f") {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
