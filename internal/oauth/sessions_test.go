package oauth_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
	"matricula/internal/store"
)

func TestARefreshTokenWorksOnceAndTheSecondTimeEndsEverything(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		first := s.signIn()
		other := s.signIn()
		second := s.granted(refresh(first.Refresh))
		third := s.granted(refresh(second.Refresh))
		if second.Refresh == first.Refresh || second.Access == first.Access || second.Scope != first.Scope || second.Type != "Bearer" || second.IssuedType != "" {
			t.Errorf("%+v came after %+v", second, first)
		}
		s.works("the newest", third.Access, true)
		// Whoever has the first comes: the thief or the owner.
		refused(t, "the first again", s.post(refresh(first.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-reused")
		s.works("the newest, afterwards", third.Access, false)
		refused(t, "the newest refresh token", s.post(refresh(third.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		refused(t, "the first for the third time", s.post(refresh(first.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		s.works("another sign-in of hers", other.Access, true)
		if n := s.count(`audit_entries WHERE action = 'session.reused' AND actor_id = $1 AND subject_id = $2 AND before LIKE '%`+appClient+`%'`, lms.SystemUserID, id); n != 1 {
			t.Errorf("%d entries tell of it", n)
		}
		for what, token := range map[string]string{
			"nothing": "x", "an API token": s.Token("sis", lms.SiteAdmin), "an access token": other.Access,
			"the shared part": other.Refresh[:len(other.Refresh)-43], "too long": other.Refresh + "a",
		} {
			refused(t, what, s.post(refresh(token)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		}
		s.works("the other, after all that", other.Access, true)
		// One who knows the shared part and guesses the rest holds a token of the session.
		refused(t, "a guess", s.post(refresh(other.Refresh[:len(other.Refresh)-43]+strings.Repeat("a", 43))), http.StatusBadRequest, "invalid_grant", "refresh-token-reused")
		s.works("the other, after the guess", other.Access, false)
	})
}

// TestOfManyWhoRenewAtOnceOneWinsAndTheSessionEnds: there is no telling which of
// them is the thief, and the winner's tokens end with the others.
func TestOfManyWhoRenewAtOnceOneWinsAndTheSessionEnds(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		got := s.signIn()
		answers := make([]app.Answer, 20)
		var ready, done sync.WaitGroup
		ready.Add(1)
		for i := range answers {
			done.Go(func() {
				ready.Wait()
				answers[i] = s.post(refresh(got.Refresh))
			})
		}
		ready.Done()
		done.Wait()
		won, reused := 0, 0
		for _, a := range answers {
			switch {
			case a.Status == http.StatusOK:
				won++
				var next tokens
				a.Into(&next)
				s.works("the winner's", next.Access, false)
			case strings.Contains(string(a.Body), "refresh-token-reused"):
				reused++
			default:
				refused(t, "late", a, http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
			}
		}
		if won != 1 || reused != 1 || s.count(`sessions WHERE program <> ''`) != 0 || s.count(`audit_entries WHERE action = 'session.reused'`) != 1 {
			t.Errorf("%d won, %d were noticed, %d sessions are left", won, reused, s.count(`sessions WHERE program <> ''`))
		}
	})
}

func TestScopesAreNeverWidenedAndClientsNotExchanged(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		got := s.granted(exchange(s.issue(grace()), "scope", "read"))
		with := func(more ...string) url.Values {
			f := refresh(got.Refresh)
			f.Set(more[0], more[1])
			return f
		}
		refused(t, "write", s.post(with("scope", "read write")), http.StatusBadRequest, "invalid_scope", "scope-exceeded")
		refused(t, "another client", s.post(with("client_id", pageClient)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		refused(t, "unknown", s.post(with("scope", "all")), http.StatusBadRequest, "invalid_scope", "unknown-scope")
		if next := s.granted(with("client_id", appClient)); next.Scope != "read" {
			t.Errorf("the scope became %q", next.Scope)
		}
	})
}

func TestARevokedTokenEndsTheSignIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		revoke := func(token string) app.Answer {
			return s.Anonymous().Post("/oauth/revoke", url.Values{"token": {token}, "token_type_hint": {"whatever"}})
		}
		ended := func() int { return s.count(`audit_entries WHERE action = 'session.end' AND actor_id = $1`, id) }
		byAccess, byRefresh, byOld, untouched := s.signIn(), s.signIn(), s.signIn(), s.signIn()
		newer := s.granted(refresh(byOld.Refresh))
		revoke(byAccess.Access).Want(http.StatusOK)
		s.works("revoked by the access token", byAccess.Access, false)
		refused(t, "revoked by the access token", s.post(refresh(byAccess.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		revoke(byRefresh.Refresh).Want(http.StatusOK)
		s.works("revoked by the refresh token", byRefresh.Access, false)
		revoke(byOld.Refresh).Want(http.StatusOK)
		s.works("revoked by a used refresh token", newer.Access, false)
		if n := ended(); n != 3 {
			t.Errorf("%d ends are recorded", n)
		}
		sis := s.Token("sis", lms.SiteAdmin)
		_, session := s.Active("eve@uni.example", "", "")
		for _, token := range []string{byAccess.Access, byRefresh.Refresh, "x", sis, session, service.AccessPrefix, service.RefreshPrefix, untouched.Refresh[:len(untouched.Refresh)-43]} {
			revoke(token).Want(http.StatusOK)
		}
		s.works("what nobody revoked", untouched.Access, true)
		s.WithToken(sis).Get("/api/v1/me").Want(http.StatusOK)
		s.WithSession(session).Get("/account").Want(http.StatusOK)
		if n := ended(); n != 3 {
			t.Errorf("%d ends are recorded after nothing ended", n)
		}
	})
}

// TestC17EachTokenOpensItsOwnDoorAlone shows every kind of secret in the place of
// every other.
func TestC17EachTokenOpensItsOwnDoorAlone(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		got := s.signIn()
		family := got.Refresh[:len(got.Refresh)-43]
		for what, secret := range map[string]string{"access": got.Access, "refresh": got.Refresh, "family": family, "family without prefix": strings.TrimPrefix(family, service.RefreshPrefix)} {
			if a := s.WithSession(secret).Get("/account"); a.Status != http.StatusSeeOther {
				t.Errorf("%s token in the cookie's place answers %d", what, a.Status)
			}
			s.WithSession(secret).Get("/api/v1/me").Want(http.StatusUnauthorized)
		}
		for _, secret := range []string{got.Refresh, family, service.AccessPrefix, service.TokenPrefix + strings.TrimPrefix(got.Access, service.AccessPrefix)} {
			s.works(secret[:4], secret, false)
		}
		c := s.WithToken(got.Access)
		if a := c.Get("/account"); a.Status != http.StatusSeeOther {
			t.Errorf("a bearer token opens a page: %d", a.Status)
		}
		// What needs a browser needs one: no token mints, ends or takes everything along.
		c.JSON("POST", "/api/v1/tokens", map[string]string{"name": "mine"}).Want(http.StatusForbidden)
		c.JSON("DELETE", "/api/v1/sessions", nil).Want(http.StatusForbidden)
		s.works("after all that", got.Access, true)
		if n := s.count(`api_tokens`); n != 0 {
			t.Errorf("there are %d API tokens", n)
		}
	})
}

// TestProgramsStandAmongTheSessionsAndEndThere is the account's view of it.
func TestProgramsStandAmongTheSessionsAndEndThere(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		one, two, three := s.signIn(), s.granted(exchange(s.issue(grace(), "aud", pageClient), "scope", "read")), s.signIn()
		in, err := s.Service.SignIn(ctx, s.Provider, tokenOf(s), "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "")
		if err != nil {
			t.Fatal(err)
		}
		browser := s.WithSession(in.Secret)
		type session struct {
			ID      int64    `json:"id"`
			Kind    string   `json:"kind"`
			Client  string   `json:"client_id"`
			Scopes  []string `json:"scopes"`
			Current bool     `json:"current"`
		}
		list := func(c *app.Client) []session {
			var page struct {
				Items []session `json:"items"`
			}
			c.Get("/api/v1/sessions").Want(http.StatusOK).Into(&page)
			return page.Items
		}
		got := list(browser)
		if len(got) != 4 || got[0].Kind != "browser" || got[0].Client != "" || !got[0].Current || got[2].Kind != "program" || got[2].Client != pageClient || strings.Join(got[2].Scopes, " ") != "read" || got[2].Current {
			t.Fatalf("the sessions are %+v", got)
		}
		if mine := list(s.WithToken(one.Access)); mine[0].Current || !mine[3].Current || mine[3].Client != appClient {
			t.Errorf("the program sees %+v", mine)
		}
		page := string(browser.Get("/account").Want(http.StatusOK).Body)
		if strings.Count(page, appClient) < 2 || !strings.Contains(page, pageClient) || strings.Contains(page, one.Access[:12]) {
			t.Error("the account page does not list the programs")
		}
		var own service.OwnDocument
		if err := json.Unmarshal(browser.Post("/account/data", nil).Want(http.StatusOK).Body, &own); err != nil {
			t.Fatal(err)
		}
		if len(own.Sessions) != 4 || own.Sessions[2].Program != pageClient || len(own.Sessions[2].Scopes) != 1 {
			t.Errorf("her data say %+v", own.Sessions)
		}
		browser.Post("/account/sessions/"+strconv.FormatInt(got[2].ID, 10)+"/end", nil).Want(http.StatusSeeOther)
		s.works("ended on the page", two.Access, false)
		s.works("the others", one.Access, true)
		browser.JSON("DELETE", "/api/v1/sessions/"+strconv.FormatInt(got[3].ID, 10), nil).Want(http.StatusNoContent)
		s.works("ended by the API", one.Access, false)
		browser.Post("/account/sessions/end-others", nil).Want(http.StatusSeeOther)
		s.works("signed out everywhere else", three.Access, false)
		refused(t, "signed out everywhere else", s.post(refresh(three.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		browser.Get("/account").Want(http.StatusOK)
	})
}

// TestAdministratorsSeeWhoseProgramsMayComeIn on the page of settings, in the API
// and in the audit.
func TestAdministratorsSeeWhoseProgramsMayComeIn(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		got := s.signIn()
		s.granted(refresh(got.Refresh))
		s.post(refresh(got.Refresh))
		_, secret := s.Admin("root@uni.example")
		root := s.WithSession(secret)
		settings := string(root.Get("/admin/settings").Want(http.StatusOK).Body)
		for _, want := range []string{appClient + ", " + pageClient, "MATRICULA_CORS_ORIGINS", "https://friend.example"} {
			if !strings.Contains(settings, want) {
				t.Errorf("the settings do not show %s", want)
			}
		}
		var providers struct {
			Items []struct {
				Clients []string `json:"clients"`
			} `json:"items"`
		}
		root.Get("/api/v1/providers").Want(http.StatusOK).Into(&providers)
		if len(providers.Items) != 1 || strings.Join(providers.Items[0].Clients, " ") != appClient+" "+pageClient {
			t.Errorf("the API shows %+v", providers)
		}
		audit := string(root.Get("/admin/audit").Want(http.StatusOK).Body)
		for _, want := range []string{appClient, "whose refresh token was used twice", "signed in for the first time"} {
			if !strings.Contains(audit, want) {
				t.Errorf("the audit does not tell %q", want)
			}
		}
	}, app.WithOrigins("https://friend.example"))
}

func TestG13APersonHasTwentyProgramsAndTheOldestEnds(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		in, err := s.Service.SignIn(ctx, s.Provider, tokenOf(s), "Test", "")
		if err != nil {
			t.Fatal(err)
		}
		first := s.signIn()
		second := s.signIn()
		for range store.MaxSessions - 1 {
			s.signIn()
		}
		s.works("the first", first.Access, false)
		s.works("the second", second.Access, true)
		if n := s.count(`sessions WHERE program <> ''`); n != store.MaxSessions {
			t.Errorf("there are %d programs", n)
		}
		s.WithSession(in.Secret).Get("/account").Want(http.StatusOK) // programs sign no browser out
	})
}

// TestTokensEndInTheirTimeAndAreCleanedAway has a clock of its own.
func TestTokensEndInTheirTimeAndAreCleanedAway(t *testing.T) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	pass := func(d time.Duration) { ahead.Add(int64(d)) }
	each(t, func(t *testing.T, s *school) {
		s.Issuer.SetClock(now)
		id := s.name("grace@uni.example")
		seen := func() time.Time {
			u, err := s.Service.User(ctx, s.ada, id)
			if err != nil {
				t.Fatal(err)
			}
			return u.LastSeenAt
		}
		got := s.signIn()
		at := seen()
		pass(6 * time.Minute)
		s.works("after six minutes", got.Access, true)
		if d := seen().Sub(at); d < 5*time.Minute {
			t.Errorf("she was seen %v later", d)
		}
		pass(10 * time.Minute)
		s.works("after sixteen", got.Access, false)
		got = s.granted(refresh(got.Refresh))
		s.works("renewed", got.Access, true)
		// A session that is used goes on, until thirty days are over.
		for range 4 {
			pass(6 * 24 * time.Hour)
			got = s.granted(refresh(got.Refresh))
		}
		pass(6*24*time.Hour - 20*time.Minute)
		got = s.granted(refresh(got.Refresh))
		if got.ExpiresIn > 240 || got.ExpiresIn < 200 {
			t.Errorf("the last access token lives for %d seconds, longer than the session", got.ExpiresIn)
		}
		pass(5 * time.Minute)
		s.works("after thirty days", got.Access, false)
		refused(t, "after thirty days", s.post(refresh(got.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		// One that nobody uses ends after seven.
		idle := s.signIn()
		pass(7*24*time.Hour + time.Minute)
		refused(t, "unused for a week", s.post(refresh(idle.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		if s.count(`sessions WHERE program <> ''`) == 0 || s.count(`spent_id_tokens`) == 0 {
			t.Error("there is nothing to clean away")
		}
		if err := s.Service.Expire(ctx); err != nil {
			t.Fatal(err)
		}
		if n := s.count(`sessions WHERE program <> ''`) + s.count(`spent_id_tokens`); n != 0 {
			t.Errorf("%d things are still there", n)
		}
	}, app.WithOptions(func(o *service.Options) { o.Now = now }))
}

// TestF34NoTokenStandsInALogOrInTheDatabase looks for every secret of a whole life.
func TestF34NoTokenStandsInALogOrInTheDatabase(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		idToken := s.issue(grace())
		got := s.granted(exchange(idToken))
		next := s.granted(refresh(got.Refresh))
		s.post(exchange(idToken))
		s.post(exchange(idToken[:len(idToken)-8] + "AAAAAAAA"))
		s.WithToken(next.Access).Get("/api/v1/me").Want(http.StatusOK)
		s.post(refresh(got.Refresh))
		s.Anonymous().Post("/oauth/revoke", url.Values{"token": {next.Refresh}})
		log := s.Log.String()
		for what, secret := range map[string]string{
			"the ID token": idToken, "its claims": strings.Split(idToken, ".")[1], "an access token": got.Access, "the next": next.Access,
			"a refresh token": got.Refresh, "the shared part": got.Refresh[:40], "the address": "grace@uni.example", "the subject": "subject-",
		} {
			if strings.Contains(log, secret) {
				t.Errorf("the log has %s", what)
			}
		}
		if !strings.Contains(log, "program sign-in refused") || !strings.Contains(log, "id-token-used") {
			t.Error("the log does not tell of the refusals")
		}
		for _, row := range []string{got.Access, got.Refresh, next.Refresh} {
			if n := s.count(`audit_entries WHERE before LIKE $1 OR after LIKE $1`, "%"+row[4:40]+"%"); n != 0 {
				t.Errorf("%d audit entries hold a token", n)
			}
		}
	})
}
