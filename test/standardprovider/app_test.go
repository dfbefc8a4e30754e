package standardprovider

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Types of RFC 8693, section 3, and the grant of section 2.1.
const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	idTokenType   = "urn:ietf:params:oauth:token-type:id_token"
)

// tokens are what a token endpoint answers, the provider's and Matricula's.
type tokens struct {
	ID      string `json:"id_token"`
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
	Type    string `json:"type"`
}

func (b *browser) form(target string, values url.Values) answer {
	b.t.Helper()
	return b.do(http.MethodPost, target, "application/x-www-form-urlencoded", strings.NewReader(values.Encode()))
}

// idToken signs somebody in to the mobile app, as RFC 8252 has it: in a browser,
// by the code flow with PKCE, back to an address of the app's own. Matricula has no
// part in it.
func (p *provider) idToken(t *testing.T, username, nonce string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	arrived := errors.New("arrived at the app")
	var back *url.URL
	b := &browser{t: t, base: strings.TrimSuffix(p.issuer, "/"), client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), appRedirect) {
			back = r.URL
			return arrived
		}
		return nil
	}
	var meta struct {
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
	}
	b.get("/.well-known/openid-configuration").want(http.StatusOK).into(&meta)
	verifier := strings.Repeat("verifier-", 6)
	challenge := sha256.Sum256([]byte(verifier))
	f := b.get(meta.Authorization + "?" + url.Values{
		"client_id": {appID}, "redirect_uri": {appRedirect}, "response_type": {"code"}, "scope": {"openid email profile"}, "state": {"s"}, "nonce": {nonce},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode()).want(http.StatusOK).form()
	f.fields.Set("username", username)
	f.fields.Set("password", passwordOf(username))
	res, err := b.client.PostForm(f.action.String(), f.fields)
	if !errors.Is(err, arrived) {
		if err == nil {
			res.Body.Close()
		}
		t.Fatalf("the provider did not lead back to the app: %v", err)
	}
	var got tokens
	b.form(meta.Token, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {appID}, "redirect_uri": {appRedirect}, "code": {back.Query().Get("code")}, "code_verifier": {verifier},
	}).want(http.StatusOK).into(&got)
	if got.ID == "" {
		t.Fatal("the provider gave the app no ID token")
	}
	return got.ID
}

func exchange(idToken, nonce string) url.Values {
	return url.Values{"grant_type": {exchangeGrant}, "subject_token_type": {idTokenType}, "subject_token": {idToken}, "nonce": {nonce}, "client_id": {appID}}
}

// exchangeRefused wants an ID token to be refused.
func (s *school) exchangeRefused(t *testing.T, what string, form url.Values, typ string) {
	t.Helper()
	var got tokens
	newBrowser(t, s.url).form("/oauth/token", form).want(http.StatusBadRequest).into(&got)
	if got.Error != "invalid_request" || got.Type != s.url+"/problems/"+typ {
		t.Errorf("%s: %+v", what, got)
	}
}

// use asks the API with an access token.
func (s *school) use(t *testing.T, access string) answer {
	t.Helper()
	b := newBrowser(t, s.url)
	b.token = access
	return b.get("/api/v1/me")
}

func (s *school) app(t *testing.T) {
	named := s.name(t, "katherine@uni.example", "roster.view")
	token := s.provider.idToken(t, "katherine", "n-1")
	if !s.claims {
		s.exchangeRefused(t, "an ID token without an address", exchange(token, "n-1"), "address-missing")
		return
	}
	s.exchangeRefused(t, "another nonce", exchange(token, "n-2"), "sign-in-failed")
	b := newBrowser(t, s.url)
	var got, next tokens
	b.form("/oauth/token", exchange(token, "n-1")).want(http.StatusOK).into(&got)
	s.exchangeRefused(t, "the ID token again", exchange(token, "n-1"), "id-token-used")
	var m me
	s.use(t, got.Access).want(http.StatusOK).into(&m)
	if m.User.ID != named.ID || m.User.Status != "active" || m.User.FamilyName != "Johnson" || len(m.Courses) != 1 || m.Courses[0].ID != s.course {
		t.Errorf("she was user %d, and is %+v", named.ID, m)
	}
	b.form("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}).want(http.StatusOK).into(&next)
	s.use(t, got.Access).want(http.StatusUnauthorized)
	s.use(t, next.Access).want(http.StatusOK)
	b.form("/oauth/revoke", url.Values{"token": {next.Refresh}}).want(http.StatusOK)
	s.use(t, next.Access).want(http.StatusUnauthorized)
	// The web's sign-in is the same account.
	web := newBrowser(t, s.url)
	web.signIn(s.provider, "katherine").want(http.StatusOK)
	if in := s.me(t, web); in.User.ID != named.ID {
		t.Errorf("in a browser she is %+v", in.User)
	}
}

// appAgain is for ida, who has signed in on the web.
func (s *school) appAgain(t *testing.T) {
	var got tokens
	newBrowser(t, s.url).form("/oauth/token", exchange(s.provider.idToken(t, "ida", "n"), "n")).want(http.StatusOK).into(&got)
	var m me
	s.use(t, got.Access).want(http.StatusOK).into(&m)
	if m.User.Email != "ida@uni.example" {
		t.Errorf("she is %+v", m.User)
	}
}
