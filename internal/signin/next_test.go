package signin_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"matricula/internal/signin"
)

func TestF14OnlyAPageOfThisSiteIsAWayBack(t *testing.T) {
	for _, next := range []string{
		"/", "/courses", "/courses/12/people", "/courses/12/people?search=ada&page=2", "/courses/", "/account#sessions",
		"/courses/12?search=a%20b", "/authors", "/apiary", "/courses/a%20b", "/courses/12?from=//x", "/courses?x=1?y",
	} {
		if got := signin.SafeNext(next); got != next {
			t.Errorf("%q became %q", next, got)
		}
	}
	for _, next := range []string{
		"", "courses", "ours@evil", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "https://evil.example",
		"//", "///", "//?x", "/courses//", "//evil", "///evil", "////evil", "//evil@ours", "//evil.example/%2f..", "/\\evil", "\\/evil", "\\\\evil", "/\\/evil", "/a\\b",
		"/%2f/evil", "/%2F%2Fevil", "/%5cevil", "/%5C%5Cevil", "/%252fevil", "/%2e%2e/evil", "/.%2e/evil",
		"https:/evil", "https:evil", "https:///evil", "/\t/evil", "\t//evil", " //evil", "/ /evil", "/\n/evil", "/\r\nSet-Cookie: x",
		"%0a//evil", "/%0a/evil", "/%0d%0aLocation:%20//evil", "/x?y=%0d%0aSet-Cookie", "/%00", "/%7f", "/\x00", "/\x7f", "/x\u00a0",
		"/\u2215evil", "/%e2%88%95evil", "\u2215\u2215evil", "/\uff0fevil", "/..//evil", "/../evil", "/./evil", "/a/../../evil", "/a//evil", "/.", "/..",
		"/%", "/%2", "/%zz", "/x?%", "/x?y=%zz",
		"/auth", "/auth/", "/auth/google/start", "/auth/sign-out", "/AUTH/sign-out", "/%61uth/sign-out", "/auth/google/start?next=/",
		"/api", "/api/v1/me", "/Api/v1/me", "/%61pi/v1/me", "/oauth/token", "/sign-out", "/sign-out/", "/logout", "/sign-in",
		"/" + strings.Repeat("x", 512), "/?" + strings.Repeat("x", 600),
	} {
		if got := signin.SafeNext(next); got != "/" {
			t.Errorf("%q became %q", next, got)
		}
	}
}

// OAuth2 Proxy followed an address in which white space or a control character
// stood between the slashes, which browsers leave out.
func TestCVE202011053NothingBetweenTheSlashesHidesAnotherHost(t *testing.T) {
	for c := range rune(0xff10) {
		if !unicode.IsSpace(c) && !unicode.IsControl(c) && !unicode.Is(unicode.Cf, c) && !strings.ContainsRune("/\\\u2215\uff0f", c) {
			continue
		}
		for _, next := range []string{"/" + string(c) + "/evil.example", string(c) + "//evil.example", "/" + url.PathEscape(string(c)) + "/evil.example"} {
			// An encoded blank stays one, for browsers too.
			if got := signin.SafeNext(next); got != "/" && next != "/%20/evil.example" {
				t.Errorf("%q leads to %q", next, got)
			}
		}
	}
}

func FuzzF14TheWayBackIsAlwaysOnThisSite(f *testing.F) {
	for _, seed := range []string{"/", "//evil", "/\\evil", "/courses?x=%0a", "/%2f/evil", "/a/../b"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "lms.uni.example", Path: "/sign-in"}
	f.Fuzz(func(t *testing.T, next string) {
		got := signin.SafeNext(next)
		if got != "/" && got != next {
			t.Fatalf("%q became %q, neither itself nor the front page", next, got)
		}
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil {
			t.Fatalf("%q leads to %v, %v", next, u, err)
		}
		if len(got) > 1 && (got[1] == '/' || got[1] == '\\') || strings.ContainsAny(got, "\\\r\n\t\x00") {
			t.Fatalf("%q became %q", next, got)
		}
	})
}
