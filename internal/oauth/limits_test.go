package oauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"matricula/internal/access"
	"matricula/internal/apptest"
	"matricula/internal/lms"
)

func (s *school) limit(name lms.LimitName, amount int64) {
	s.t.Helper()
	root, secret := s.Admin("root@uni.example")
	if _, err := s.Service.SetLimit(ctx, access.Caller{UserID: root.ID, Kind: lms.KindPerson, SiteRole: lms.SiteAdmin, SessionID: s.As(secret).SessionID}, name, amount); err != nil {
		s.t.Fatal(err)
	}
}

// A whole school sits behind one address at 08:55 on Monday, and somebody among them
// sends invented tokens without end: they are stopped, and nobody else is.
func TestInventedTokensAreStoppedAndNobodyElseBehindTheSameAddressIs(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		s.limit(lms.LimitFailures, 10)
		before := s.signIn()
		invented := "mar_" + strings.Repeat("x", 86)
		for range 8 {
			s.post(refresh(invented)).Want(http.StatusBadRequest)
		}
		s.WithToken("mat_invented").Get("/api/v1/me").Want(http.StatusUnauthorized)
		s.post(exchange("no.id.token")).Want(http.StatusBadRequest)
		var told struct{ Error, Type string }
		over := s.post(refresh(invented)).Want(http.StatusTooManyRequests).Into(&told)
		if told.Error != "temporarily_unavailable" || !strings.HasSuffix(told.Type, "/problems/too-many-failures") {
			t.Errorf("told %+v", told)
		}
		var seconds int
		if _, err := fmt.Sscan(over.Header.Get("Retry-After"), &seconds); err != nil || seconds < 1 || seconds > 300 {
			t.Errorf("Retry-After is %q", over.Header.Get("Retry-After"))
		}
		s.post(exchange("no.id.token")).Want(http.StatusTooManyRequests)
		bearer := s.WithToken("mat_invented").Get("/api/v1/me").Want(http.StatusTooManyRequests)
		if bearer.Header.Get("Retry-After") == "" || bearer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("the API answers with %v", bearer.Header)
		}
		// Everybody else goes on: with a token, by renewing one, by signing in anew.
		s.WithToken(before.Access).Get("/api/v1/me").Want(http.StatusOK)
		after := s.granted(refresh(before.Refresh))
		s.WithToken(after.Access).Get("/api/v1/me").Want(http.StatusOK)
		s.signIn()
		for i := range 20 {
			p := apptest.Somebody(fmt.Sprintf("pupil%d@uni.example", i), "P", "Q")
			s.name(p.Email)
			s.granted(exchange(s.issue(p)))
		}
		// And a refresh token that came too late is told what it is, since its program has
		// to know.
		s.post(refresh(before.Refresh)).Want(http.StatusBadRequest)
	})
}

func TestTooManyTokensForOnePersonAreToldWhenToTryAgain(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		s.limit(lms.LimitTokens, 2)
		got := s.granted(refresh(s.signIn().Refresh))
		over := s.post(refresh(got.Refresh)).Want(http.StatusTooManyRequests)
		if over.Header.Get("Retry-After") == "" || !strings.Contains(string(over.Body), "too-many-token-requests") {
			t.Errorf("%v %s", over.Header, over.Body)
		}
		s.limit(lms.LimitTokens, 100)
		s.granted(refresh(got.Refresh)) // it was not used up
	})
}
