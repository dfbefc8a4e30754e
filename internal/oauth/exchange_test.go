package oauth_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"matricula/internal/apptest"
	"matricula/internal/apptest/app"
	"matricula/internal/lms"
	"matricula/internal/service"
)

// TestTheThreadsClientSignsInWithAnIDTokenAndUsesTheAPI is what a single-page
// application over an API does: the provider gave it an ID token, which it trades
// for the API's own, and asks with that. The person was named before.
func TestTheThreadsClientSignsInWithAnIDTokenAndUsesTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		got := s.granted(exchange(s.issue(grace()), "nonce", "the app's nonce"))
		if got.Type != "Bearer" || got.ExpiresIn != 900 || got.Scope != "read write" || got.IssuedType != "urn:ietf:params:oauth:token-type:access_token" ||
			!strings.HasPrefix(got.Access, service.AccessPrefix) || !strings.HasPrefix(got.Refresh, service.RefreshPrefix) {
			t.Errorf("got %+v", got)
		}
		var me struct {
			User struct {
				ID     int64  `json:"id"`
				Status string `json:"status"`
				Name   string `json:"display_name"`
			} `json:"user"`
			Scopes  []lms.Scope `json:"scopes"`
			Courses []struct {
				ID int64 `json:"id"`
			} `json:"courses"`
		}
		s.WithToken(got.Access).Get("/api/v1/me").Want(http.StatusOK).Into(&me)
		if me.User.ID != id || me.User.Status != "active" || me.User.Name != "Grace Hopper" || len(me.Courses) != 1 || me.Courses[0].ID != s.course || len(me.Scopes) != 2 {
			t.Errorf("she is %+v, want person %d in course %d", me, id, s.course)
		}
		s.WithToken(got.Access).JSON("PATCH", "/api/v1/me", map[string]string{"language": "it"}).Want(http.StatusOK)
		if n := s.count(`audit_entries WHERE action = 'user.claim' AND actor_id = $1 AND after LIKE '%`+appClient+`%'`, id); n != 1 {
			t.Errorf("%d entries tell of the claim by the app", n)
		}
		next := s.granted(refresh(got.Refresh))
		s.works("after the renewal, the old one", got.Access, false)
		s.works("after the renewal, the new one", next.Access, true)
	})
}

// TestA30AnIDTokenThatIsNotForUsIsNotExchanged shows every token that is wrong in
// one way.
func TestA30AnIDTokenThatIsNotForUsIsNotExchanged(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		now := time.Now()
		mint := func(f apptest.Faults) string {
			if f.Claims == nil {
				f.Claims = map[string]any{}
			}
			if _, set := f.Claims["aud"]; !set {
				f.Claims["aud"] = appClient
			}
			s.Issuer.Misbehave(f)
			defer s.Issuer.Misbehave(apptest.Faults{})
			return s.Issuer.IDToken(grace(), "n")
		}
		claim := func(pairs ...any) string {
			f := apptest.Faults{Claims: map[string]any{}}
			for i := 0; i+1 < len(pairs); i += 2 {
				f.Claims[pairs[i].(string)] = pairs[i+1]
			}
			return mint(f)
		}
		cases := map[string]string{
			"alg none":                       mint(apptest.Faults{Sign: apptest.SignNone}),
			"HS256 with the public key":      mint(apptest.Faults{Sign: apptest.SignWithPublicKey}),
			"another key":                    mint(apptest.Faults{Sign: apptest.SignWithOtherKey}),
			"an unknown key":                 mint(apptest.Faults{Sign: apptest.SignUnknownKey}),
			"a key of its own":               mint(apptest.Faults{Header: map[string]any{"jku": "https://evil.example/jwks"}}),
			"an access token's type":         mint(apptest.Faults{Header: map[string]any{"typ": "at+jwt"}}),
			"iss of nobody":                  claim("iss", "https://evil.example"),
			"iss with a slash":               claim("iss", s.Issuer.URL+"/"),
			"iss missing":                    claim("iss", apptest.Omit),
			"aud of another":                 claim("aud", "another"),
			"aud missing":                    claim("aud", apptest.Omit),
			"aud of several without azp":     claim("aud", []string{appClient, "another"}),
			"azp of another":                 claim("azp", "another"),
			"azp of another beside ours":     claim("aud", []string{appClient, "another"}, "azp", "another"),
			"azp that is no text":            claim("azp", 1),
			"expired":                        claim("exp", now.Add(-time.Second).Unix(), "iat", now.Add(-time.Minute).Unix()),
			"exp missing":                    claim("exp", apptest.Omit),
			"iat a day ahead":                claim("iat", now.Add(24*time.Hour).Unix()),
			"iat missing":                    claim("iat", apptest.Omit),
			"nbf ahead":                      claim("nbf", now.Add(time.Hour).Unix()),
			"sub empty":                      claim("sub", ""),
			"sub of 256 letters":             claim("sub", strings.Repeat("s", 256)),
			"no token":                       "no token",
			"two parts":                      "e30.e30",
			"a body that is no JSON":         "e30." + base64.RawURLEncoding.EncodeToString([]byte("x")) + ".",
			"larger than any":                strings.Repeat("a", 70<<10),
			"a white space in it":            claim() + " ",
			"a claim that is there twice":    mint(apptest.Faults{Payload: func(map[string]any) []byte { return []byte(`{"iss":"` + s.Issuer.URL + `","iss":"x"}`) }}),
			"an API token of our own":        s.Token("sis", lms.SiteAdmin),
			"a web session's secret instead": func() string { _, secret := s.Active("eve@uni.example", "", ""); return secret }(),
		}
		for what, token := range cases {
			refused(t, what, s.post(exchange(token)), http.StatusBadRequest, "invalid_request", "sign-in-failed")
		}
		old := claim("iat", now.Add(-11*time.Minute).Unix(), "exp", now.Add(time.Hour).Unix())
		refused(t, "old", s.post(exchange(old)), http.StatusBadRequest, "invalid_request", "id-token-old")
		refused(t, "nonce of another attempt", s.post(exchange(claim(), "nonce", "another")), http.StatusBadRequest, "invalid_request", "sign-in-failed")
		refused(t, "nonce where the token has none", s.post(exchange(claim("nonce", apptest.Omit), "nonce", "n")), http.StatusBadRequest, "invalid_request", "sign-in-failed")
		refused(t, "another client", s.post(exchange(claim(), "client_id", pageClient)), http.StatusBadRequest, "invalid_request", "malformed")
		if u, err := s.Service.User(ctx, s.ada, id); err != nil || u.Status != lms.StatusPending {
			t.Errorf("she is %s (%v)", u.Status, err)
		}
		if n := s.count(`sessions WHERE program <> ''`) + s.count(`spent_id_tokens`); n != 0 {
			t.Errorf("%d things were left behind", n)
		}
		// The same tokens, right: for each client of ours, with the azp that goes with it.
		for what, token := range map[string]string{
			"the app":                     claim("jti", "1"),
			"the server's own client":     claim("aud", apptest.ClientID),
			"a page, for the server":      claim("aud", apptest.ClientID, "azp", pageClient),
			"several with azp":            claim("aud", []string{"another", appClient}, "azp", appClient),
			"nine minutes old":            claim("iat", now.Add(-9*time.Minute).Unix()),
			"a little ahead of our clock": claim("iat", now.Add(time.Minute).Unix()),
		} {
			if a := s.post(exchange(token)); a.Status != http.StatusOK {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
		}
	})
}

func TestA16AndA17AndA18AProgramClaimsNothingWithAnUnverifiedAddress(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		for what, verified := range map[string]any{
			"A-16 false": false, "A-17 missing": apptest.Omit, "A-18 text": "true", "A-18 number": 1, "A-18 null": nil, "A-18 list": []any{true},
		} {
			refused(t, what, s.post(exchange(s.issue(grace(), "email_verified", verified))), http.StatusBadRequest, "invalid_request", "address-not-verified")
		}
		refused(t, "A-09: a foreign domain", s.post(exchange(s.issue(apptest.Somebody("x@elsewhere.example", "", "")))), http.StatusBadRequest, "invalid_request", "not-named")
		if u, err := s.Service.User(ctx, s.ada, id); err != nil || u.Status != lms.StatusPending {
			t.Errorf("she is %s (%v)", u.Status, err)
		}
		if n := s.count(`audit_entries WHERE outcome = 'refused' AND reason = 'address-not-verified' AND action = 'user.sign-in' AND after LIKE '%` + appClient + `%'`); n != 6 {
			t.Errorf("%d refusals are recorded", n)
		}
	})
}

func TestA19AndA20ASuspendedPersonGetsNothingByAProgram(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		got := s.signIn()
		s.works("before", got.Access, true)
		_, secret := s.Admin("root@uni.example")
		status := "suspended"
		if _, err := s.Service.UpdateUser(ctx, s.As(secret), id, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		s.works("suspended", got.Access, false)
		refused(t, "refresh", s.post(refresh(got.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		refused(t, "exchange", s.post(exchange(s.issue(grace(), "jti", s.jti()))), http.StatusBadRequest, "invalid_request", "account-suspended")
		status = "active"
		if _, err := s.Service.UpdateUser(ctx, s.As(secret), id, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		s.works("restored, the old token", got.Access, false)
		got = s.signIn()
		s.works("restored, a new one", got.Access, true)
		if _, err := s.raw.Exec(`UPDATE users SET status = 'erased' WHERE id = $1`, id); err != nil {
			t.Fatal(err)
		}
		s.works("erased", got.Access, false)
		refused(t, "erased, refresh", s.post(refresh(got.Refresh)), http.StatusBadRequest, "invalid_grant", "refresh-token-invalid")
		refused(t, "erased, exchange", s.post(exchange(s.issue(grace(), "jti", s.jti()))), http.StatusBadRequest, "invalid_request", "account-erased")

		alan := s.name("alan@uni.example")
		status = "suspended"
		if _, err := s.Service.UpdateUser(ctx, s.As(secret), alan, service.UserPatch{Status: &status}); err != nil {
			t.Fatal(err)
		}
		refused(t, "A-19: never arrived", s.post(exchange(s.issue(apptest.Somebody("alan@uni.example", "Alan", "Turing")))), http.StatusBadRequest, "invalid_request", "account-suspended")
		if n := s.count(`identities WHERE user_id = $1`, alan) + s.count(`sessions WHERE user_id = $1`, alan); n != 0 {
			t.Errorf("%d things were left on an account that is suspended", n)
		}
	})
}

// TestD02AndD03ManyProgramsAtOnceAreOnePersonAndAnotherSubjectIsNobody lets Grace
// come with many devices at the same moment, and somebody with her address too.
func TestD02AndD03ManyProgramsAtOnceAreOnePersonAndAnotherSubjectIsNobody(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		id := s.name("grace@uni.example")
		hers, theirs := grace(), grace()
		hers.Subject, theirs.Subject = "one", "two"
		var forms []url.Values
		for i := range 20 {
			forms = append(forms, exchange(s.issue([]apptest.Person{hers, theirs}[i%2], "jti", s.jti())))
		}
		answers := make([]app.Answer, len(forms))
		var ready, done sync.WaitGroup
		ready.Add(1)
		for i, f := range forms {
			done.Go(func() {
				ready.Wait()
				answers[i] = s.post(f)
			})
		}
		ready.Done()
		done.Wait()
		won := map[int]int{}
		for i, a := range answers {
			if a.Status == http.StatusOK {
				won[i%2]++
				continue
			}
			refused(t, fmt.Sprint("number ", i), a, http.StatusBadRequest, "invalid_request", "address-in-use")
		}
		if len(won) != 1 || won[0]+won[1] != 10 {
			t.Errorf("%v of the two subjects got in", won)
		}
		if s.count(`identities WHERE user_id = $1`, id) != 1 || s.count(`sessions WHERE program <> ''`) != 10 || s.count(`sessions WHERE program <> '' AND user_id = $1`, id) != 10 {
			t.Error("there is another account, or another number of sessions")
		}
	})
}

// TestD19AnIDTokenIsExchangedOnce shows the same token fifty times at once, and
// afterwards in every other way to write it.
func TestD19AnIDTokenIsExchangedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		token := s.issue(grace())
		answers := make([]app.Answer, 50)
		var ready, done sync.WaitGroup
		ready.Add(1)
		for i := range answers {
			done.Go(func() {
				ready.Wait()
				answers[i] = s.post(exchange(token))
			})
		}
		ready.Done()
		done.Wait()
		won := 0
		for i, a := range answers {
			if a.Status == http.StatusOK {
				won++
				continue
			}
			refused(t, fmt.Sprint("number ", i), a, http.StatusBadRequest, "invalid_request", "id-token-used")
		}
		if won != 1 || s.count(`sessions WHERE program <> ''`) != 1 {
			t.Errorf("%d of 50 got in, and there are %d sessions", won, s.count(`sessions WHERE program <> ''`))
		}
		if n := s.count(`audit_entries WHERE reason = 'id-token-used' AND outcome = 'refused'`); n != 49 {
			t.Errorf("%d replays are recorded", n)
		}
		// The last letter of a signature of 256 bytes has four bits that mean nothing.
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		last := strings.IndexByte(letters, token[len(token)-1])
		respelled := token[:len(token)-1] + string(letters[last^1])
		refused(t, "another spelling of the signature", s.post(exchange(respelled)), http.StatusBadRequest, "invalid_request", "id-token-used")
		dot := strings.IndexByte(token, '.')
		refused(t, "a line break", s.post(exchange(token[:dot+5]+"\n"+token[dot+5:])), http.StatusBadRequest, "invalid_request", "sign-in-failed")
	})
}

// TestF30TheParametersAreReadStrictly is RFC 6749, section 3.2, and RFC 8693,
// section 2.1.
func TestF30TheParametersAreReadStrictly(t *testing.T) {
	each(t, func(t *testing.T, s *school) {
		s.name("grace@uni.example")
		token := s.issue(grace())
		body := exchange(token).Encode()
		send := func(path, contentType, body string, header ...string) app.Answer {
			return s.Anonymous().Do("POST", path, contentType, strings.NewReader(body), header...)
		}
		const form = "application/x-www-form-urlencoded"
		malformed := map[string]app.Answer{
			"no body":                       send("/oauth/token", form, ""),
			"no content type":               send("/oauth/token", "", body),
			"JSON":                          send("/oauth/token", "application/json", `{"grant_type":"`+exchangeGrant+`"}`),
			"another charset":               send("/oauth/token", form+"; charset=latin1", body),
			"grant twice":                   send("/oauth/token", form, body+"&grant_type=refresh_token"),
			"token twice":                   send("/oauth/token", form, body+"&subject_token="+token),
			"scope twice":                   send("/oauth/token", form, body+"&scope=read&scope=write"),
			"something unknown twice":       send("/oauth/token", form, body+"&x=1&x=2"),
			"F-34 in the address":           send("/oauth/token?"+body, form, ""),
			"F-34 partly in the address":    send("/oauth/token?scope=read", form, body),
			"a bad escape":                  send("/oauth/token", form, body+"&x=%zz"),
			"no UTF-8":                      send("/oauth/token", form, body+"&nonce=%ff"),
			"a semicolon":                   send("/oauth/token", form, strings.ReplaceAll(body, "&", ";")),
			"no subject token":              s.post(exchange("")),
			"another subject type":          s.post(exchange(token, "subject_token_type", "urn:ietf:params:oauth:token-type:jwt")),
			"an actor":                      s.post(exchange(token, "actor_token", "x", "actor_token_type", idTokenType)),
			"an actor's type alone":         s.post(exchange(token, "actor_token_type", idTokenType)),
			"another requested type":        s.post(exchange(token, "requested_token_type", "urn:ietf:params:oauth:token-type:saml2")),
			"revoking nothing":              s.Anonymous().Post("/oauth/revoke", nil),
			"no refresh token":              s.post(refresh("")),
			"F-34 revoking by the address":  send("/oauth/revoke?token=x", form, "token=x"),
			"revoking two, of which one is": send("/oauth/revoke", form, "token=x&token=y"),
		}
		for what, a := range malformed {
			refused(t, what, a, http.StatusBadRequest, "invalid_request", "malformed")
		}
		refused(t, "too much", send("/oauth/token", form, "x="+strings.Repeat("a", 100<<10)), http.StatusRequestEntityTooLarge, "invalid_request", "too-large")
		refused(t, "another grant", send("/oauth/token", form, "grant_type=password&username=a&password=b"), http.StatusBadRequest, "unsupported_grant_type", "grant-type")
		refused(t, "a secret", s.post(exchange(token, "client_secret", "x")), http.StatusBadRequest, "invalid_client", "client")
		withHeader := send("/oauth/token", form, body, "Authorization", "Basic eDp5")
		refused(t, "a secret in the header", withHeader, http.StatusUnauthorized, "invalid_client", "client")
		if !strings.HasPrefix(withHeader.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("the client is asked for %q", withHeader.Header.Get("WWW-Authenticate"))
		}
		for _, scope := range []string{"admin", "openid email", "read  write", " read", "READ", "read,write"} {
			refused(t, "scope "+scope, s.post(exchange(token, "scope", scope)), http.StatusBadRequest, "invalid_scope", "unknown-scope")
		}
		refused(t, "another audience", s.post(exchange(token, "audience", "https://other.example")), http.StatusBadRequest, "invalid_target", "target")
		refused(t, "another resource", s.post(exchange(token, "resource", s.URL+"/admin")), http.StatusBadRequest, "invalid_target", "target")
		get := s.Anonymous().Get("/oauth/token")
		refused(t, "GET", get, http.StatusMethodNotAllowed, "invalid_request", "method")
		if get.Header.Get("Allow") != "POST" {
			t.Errorf("GET is told %q", get.Header.Get("Allow"))
		}
		refused(t, "elsewhere", s.Anonymous().Get("/oauth/authorize"), http.StatusNotFound, "invalid_request", "no-route")
		// All of that has not used the token up.
		f := exchange(token, "scope", "read", "resource", s.URL+"/api/v1", "client_id", appClient, "nonce", "", "unknown", "x", "requested_token_type", "urn:ietf:params:oauth:token-type:access_token")
		f["audience"] = []string{s.URL, s.URL + "/"}
		got := s.granted(f)
		if got.Scope != "read" {
			t.Errorf("the scope is %q", got.Scope)
		}
		s.WithToken(got.Access).Get("/api/v1/courses").Want(http.StatusOK)
		s.WithToken(got.Access).JSON("PATCH", "/api/v1/me", map[string]string{"language": "it"}).Want(http.StatusForbidden)
	})
}

func TestMetadataTellProgramsWhereToAsk(t *testing.T) {
	s := app.Start(t, "sqlite")
	var got map[string]any
	s.Anonymous().Get("/.well-known/oauth-authorization-server").Want(http.StatusOK).Into(&got)
	for name, want := range map[string]string{
		"issuer": s.URL, "token_endpoint": s.URL + "/oauth/token", "revocation_endpoint": s.URL + "/oauth/revoke",
		"token_endpoint_auth_methods_supported": "[none]", "revocation_endpoint_auth_methods_supported": "[none]",
		"grant_types_supported": "[" + exchangeGrant + " refresh_token]", "scopes_supported": "[read write]", "response_types_supported": "[]",
	} {
		if fmt.Sprint(got[name]) != want {
			t.Errorf("%s is %v, want %s", name, got[name], want)
		}
	}
}
