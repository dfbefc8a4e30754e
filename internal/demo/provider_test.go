package demo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"matricula/internal/demo"
	"matricula/internal/lms"
	"matricula/internal/signin"
)

const providerRedirect = "http://127.0.0.1:1/auth/demo/callback"

// providerSite is the demo's provider on a real server, with our side of OpenID.
type providerSite struct {
	options demo.ProviderOptions
	url     string
	rp      *signin.RelyingParty
	ahead   atomic.Int64 // nanoseconds that the provider's clock is ahead
}

func newProviderSite(t *testing.T, change ...func(*demo.ProviderOptions)) *providerSite {
	t.Helper()
	s := &providerSite{}
	var provider http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { provider.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	s.url = server.URL + "/id"
	s.options = demo.ProviderOptions{
		Issuer: s.url, ClientID: "matricula", ClientSecret: "a secret: with % and +", RedirectURI: providerRedirect,
		Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
		Accounts: func() []demo.Account {
			return []demo.Account{
				{Email: "Ada@uni.example", GivenName: "Ada", FamilyName: "Lovelace", Note: "teaches Algorithms"},
				{Email: "grace@uni.example", GivenName: "Grace <b>", FamilyName: "Hopper"},
			}
		},
	}
	for _, c := range change {
		c(&s.options)
	}
	p, err := demo.NewProvider(s.options)
	if err != nil {
		t.Fatal(err)
	}
	provider = p
	s.rp, err = signin.New([]signin.Provider{{
		Name: "demo", Label: "Demo", Kind: signin.KindOIDC, Issuer: s.url, TrustAll: true,
		ClientID: s.options.ClientID, ClientSecret: s.options.ClientSecret,
	}}, strings.TrimSuffix(s.options.RedirectURI, "/auth/demo/callback"), nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *providerSite) authURL(t *testing.T, a signin.Attempt) string {
	t.Helper()
	address, err := s.rp.AuthURL(context.Background(), "demo", a)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// providerAnswer is an answer of the sign-in page.
type providerAnswer struct {
	status   int
	location *url.URL // of a redirect, else nil
	header   http.Header
	body     string
	hidden   url.Values // the hidden fields of its last form
	buttons  []string   // the values of its account buttons
}

var providerClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func providerSend(t *testing.T, req *http.Request) providerAnswer {
	t.Helper()
	resp, err := providerClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	p := providerAnswer{status: resp.StatusCode, header: resp.Header, body: string(body), hidden: url.Values{}}
	p.location, _ = resp.Location()
	root, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		switch {
		case n.Data == "input" && attr["type"] == "hidden":
			p.hidden.Set(attr["name"], attr["value"])
		case n.Data == "button" && attr["name"] == "account":
			p.buttons = append(p.buttons, attr["value"])
		}
	}
	return p
}

func providerGet(t *testing.T, address string) providerAnswer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return providerSend(t, req)
}

func providerPost(t *testing.T, address string, form url.Values, change ...func(*http.Request)) providerAnswer {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range change {
		c(req)
	}
	return providerSend(t, req)
}

// choose opens the page and sends its form with the fields.
func (s *providerSite) choose(t *testing.T, a signin.Attempt, fields map[string]string) providerAnswer {
	t.Helper()
	shown := providerGet(t, s.authURL(t, a))
	if shown.status != http.StatusOK {
		t.Fatalf("the page: status %d: %s", shown.status, shown.body)
	}
	form := shown.hidden
	for name, value := range fields {
		form.Set(name, value)
	}
	return providerPost(t, s.url+"/authorize", form)
}

// signIn goes all the way.
func (s *providerSite) signIn(t *testing.T, fields map[string]string) signin.Token {
	t.Helper()
	a := signin.NewAttempt()
	back := s.choose(t, a, fields)
	if back.location == nil || !strings.HasPrefix(back.location.String(), providerRedirect+"?") || !a.Answers(back.location.Query().Get("state")) {
		t.Fatalf("status %d, to %v: %s", back.status, back.location, back.body)
	}
	if strings.Contains(back.location.String(), "%40") || strings.Contains(back.location.String(), "@") {
		t.Errorf("an address is in the redirect: %s", back.location)
	}
	token, err := s.rp.Exchange(context.Background(), "demo", back.location.Query().Get("code"), a)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestAnyoneSignsInAtTheDemosProvider(t *testing.T) {
	s := newProviderSite(t)
	ada := s.signIn(t, map[string]string{"account": "Ada@uni.example"})
	if ada.Email != "ada@uni.example" || ada.GivenName != "Ada" || ada.FamilyName != "Lovelace" || ada.EmailVerified != signin.VerifiedTrue || ada.Issuer != s.url {
		t.Errorf("from the list: %#v", ada)
	}
	typed := s.signIn(t, map[string]string{"email": " ADA@uni.example "})
	if typed != ada {
		t.Errorf("the same person, typed: %#v, want %#v", typed, ada)
	}
	somebody := s.signIn(t, map[string]string{"email": "new@elsewhere.example", "given_name": "New", "family_name": "Person"})
	if somebody.Email != "new@elsewhere.example" || somebody.Name != "New Person" || somebody.Subject == ada.Subject {
		t.Errorf("somebody new: %#v", somebody)
	}
	nameless := s.signIn(t, map[string]string{"email": "who@elsewhere.example"})
	if nameless.Name != "" || nameless.GivenName != "" {
		t.Errorf("somebody without a name: %#v", nameless)
	}
	again := newProviderSite(t)
	if other := again.signIn(t, map[string]string{"account": "Ada@uni.example"}); other.Subject != ada.Subject {
		t.Error("after a restart Ada is somebody else")
	}
}

func TestThePageOffersAFewPeopleAndSaysThatItIsADemo(t *testing.T) {
	many := func(o *demo.ProviderOptions) {
		o.Accounts = func() []demo.Account {
			var all []demo.Account
			for n := range 200 {
				all = append(all, demo.Account{Email: fmt.Sprintf("s%d@uni.example", n), GivenName: "S", FamilyName: "<script>"})
			}
			return all
		}
	}
	p := providerGet(t, newProviderSite(t, many).authURL(t, signin.NewAttempt()))
	if len(p.buttons) != 12 || p.buttons[0] != "s0@uni.example" || !strings.Contains(p.body, "188 more people") {
		t.Errorf("%d people are offered", len(p.buttons))
	}
	if !strings.Contains(p.body, "invented") || strings.Contains(p.body, "<script") {
		t.Error("the page does not say what it is, or a name is markup")
	}
	csp := p.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "form-action 'self' http://127.0.0.1:1"} {
		if !strings.Contains(csp, part) {
			t.Errorf("the policy %q lacks %q", csp, part)
		}
	}
	nobody := newProviderSite(t, func(o *demo.ProviderOptions) { o.Accounts = func() []demo.Account { return nil } })
	if p := providerGet(t, nobody.authURL(t, signin.NewAttempt())); p.status != http.StatusOK || len(p.buttons) != 0 || p.hidden.Get("state") == "" {
		t.Errorf("a school without people: status %d", p.status)
	}
}

func TestABadAddressIsAskedForAgainWithWhatWasTyped(t *testing.T) {
	s := newProviderSite(t)
	for field, value := range map[string]string{
		"email": `Ada "><script> <ada@uni.example>`, "given_name": "a\u202eb", "family_name": strings.Repeat("x", 300),
	} {
		fields := map[string]string{"email": "ada@uni.example"}
		fields[field] = value
		a := signin.NewAttempt()
		p := s.choose(t, a, fields)
		if p.status != http.StatusUnprocessableEntity || p.location != nil || p.hidden.Get("state") != a.State || p.hidden.Get("nonce") != a.Nonce {
			t.Fatalf("%s: status %d", field, p.status)
		}
		if !strings.Contains(p.body, `role="alert"`) || !strings.Contains(p.body, html.EscapeString(value)) || strings.Contains(p.body, "<script") {
			t.Errorf("%s: the page says nothing, forgot what was typed, or runs it", field)
		}
	}
	if p := s.choose(t, signin.NewAttempt(), nil); p.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing typed: status %d", p.status)
	}
}

func TestGoingBackWithoutSigningInIsToldToTheProgram(t *testing.T) {
	s := newProviderSite(t)
	a := signin.NewAttempt()
	back := s.choose(t, a, map[string]string{"cancel": "yes", "email": "ada@uni.example"})
	if back.location == nil || back.location.Query().Get("error") != "access_denied" || !a.Answers(back.location.Query().Get("state")) || back.location.Query().Has("code") {
		t.Errorf("status %d, to %v", back.status, back.location)
	}
}

func TestTheDemosProviderKeepsTheProtocol(t *testing.T) {
	s := newProviderSite(t)
	authorize := func(change func(url.Values)) providerAnswer {
		u, err := url.Parse(s.authURL(t, signin.NewAttempt()))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		change(q)
		u.RawQuery = q.Encode()
		got := providerGet(t, u.String())
		q.Set("email", "ada@uni.example")
		if sent := providerPost(t, s.url+"/authorize", q); sent.status != got.status && got.status != http.StatusOK {
			t.Errorf("the form is answered with %d, the page with %d", sent.status, got.status)
		}
		return got
	}
	for name, change := range map[string]func(url.Values){
		"another client":        func(q url.Values) { q.Set("client_id", "other") },
		"another way back":      func(q url.Values) { q.Set("redirect_uri", "http://127.0.0.1:1/elsewhere") },
		"a longer way back":     func(q url.Values) { q.Set("redirect_uri", providerRedirect+"/x") },
		"two ways back":         func(q url.Values) { q.Add("redirect_uri", "https://evil.example") },
		"no parameters at all":  func(q url.Values) { clear(q) },
		"a client's name twice": func(q url.Values) { q.Add("client_id", "matricula") },
	} {
		if p := authorize(change); p.status != http.StatusBadRequest || p.location != nil {
			t.Errorf("%s: status %d, to %v", name, p.status, p.location)
		}
	}
	for want, change := range map[string]func(url.Values){
		"unsupported_response_type": func(q url.Values) { q.Set("response_type", "token") },
		"invalid_scope":             func(q url.Values) { q.Set("scope", "email") },
		"invalid_request":           func(q url.Values) { q.Set("code_challenge_method", "plain") },
	} {
		if p := authorize(change); p.location == nil || p.location.Query().Get("error") != want || p.location.Query().Has("code") {
			t.Errorf("%s: status %d, to %v", want, p.status, p.location)
		}
	}
	if p := authorize(func(q url.Values) { q.Del("code_challenge") }); p.location == nil || p.location.Query().Get("error") != "invalid_request" {
		t.Errorf("without PKCE: %d", p.status)
	}

	redeem := func(change func(*signin.Attempt)) error {
		a := signin.NewAttempt()
		code := s.choose(t, a, map[string]string{"email": "ada@uni.example"}).location.Query().Get("code")
		change(&a)
		_, err := s.rp.Exchange(context.Background(), "demo", code, a)
		if err == nil {
			_, err = s.rp.Exchange(context.Background(), "demo", code, a) // a code works once
		}
		return err
	}
	for name, change := range map[string]func(*signin.Attempt){
		"a code twice":     func(*signin.Attempt) {},
		"another verifier": func(a *signin.Attempt) { a.Verifier = signin.NewAttempt().Verifier },
		"another nonce":    func(a *signin.Attempt) { a.Nonce = signin.NewAttempt().Nonce },
		"a code too late":  func(*signin.Attempt) { s.ahead.Store(int64(time.Minute)) },
	} {
		if err := redeem(change); lms.TypeOf(err) != "sign-in-failed" {
			t.Errorf("%s: %v", name, err)
		}
		s.ahead.Store(0)
	}
}

func TestTheTokenEndpointKnowsItsClient(t *testing.T) {
	s := newProviderSite(t)
	a := signin.NewAttempt()
	code := s.choose(t, a, map[string]string{"email": "ada@uni.example"}).location.Query().Get("code")
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {providerRedirect}, "code_verifier": {a.Verifier}}
	with := func(name, value string) url.Values {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		f.Set(name, value)
		return f
	}
	if p := providerPost(t, s.url+"/token", form); p.status != http.StatusUnauthorized || !strings.Contains(p.body, "invalid_client") {
		t.Errorf("no client: %d %s", p.status, p.body)
	}
	wrong := with("client_id", s.options.ClientID)
	wrong.Set("client_secret", "guess")
	if p := providerPost(t, s.url+"/token", wrong); p.status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %d", p.status)
	}
	right := func(r *http.Request) {
		r.SetBasicAuth(url.QueryEscape(s.options.ClientID), url.QueryEscape(s.options.ClientSecret))
	}
	if p := providerPost(t, s.url+"/token", with("grant_type", "password"), right); !strings.Contains(p.body, "unsupported_grant_type") {
		t.Errorf("another grant: %d %s", p.status, p.body)
	}
	p := providerPost(t, s.url+"/token", form, right)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(p.body), &answer); p.status != http.StatusOK || err != nil || answer.AccessToken == "" {
		t.Fatalf("the right client: %d %v", p.status, err)
	}
	userInfo := func(authorization string) providerAnswer {
		req, err := http.NewRequest(http.MethodGet, s.url+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", authorization)
		return providerSend(t, req)
	}
	if p := userInfo("Bearer " + answer.AccessToken); p.status != http.StatusOK || !strings.Contains(p.body, `"email":"ada@uni.example"`) {
		t.Errorf("userinfo: %d %s", p.status, p.body)
	}
	for _, bad := range []string{"", "Bearer ", "Bearer x", answer.AccessToken, "Basic " + answer.AccessToken} {
		if p := userInfo(bad); p.status != http.StatusUnauthorized {
			t.Errorf("userinfo with %q: %d", bad, p.status)
		}
	}
	s.ahead.Store(int64(10 * time.Minute))
	if p := userInfo("Bearer " + answer.AccessToken); p.status != http.StatusUnauthorized {
		t.Errorf("userinfo after the token's life: %d", p.status)
	}
}

func TestTheDemosProviderIsForThisMachineOnly(t *testing.T) {
	s := newProviderSite(t)
	for _, host := range []string{"evil.example", "evil.example:80", "192.0.2.1:8080", "localhost.evil.example", ""} {
		r := httptest.NewRequest(http.MethodGet, s.url+"/jwks", nil)
		r.Host = host
		p, err := demo.NewProvider(s.options)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code != http.StatusMisdirectedRequest {
			t.Errorf("host %q: status %d", host, w.Code)
		}
	}
	for _, issuer := range []string{"https://id.example", "http://id.example", "http://0.0.0.0:8080", "http://192.0.2.1", "https://127.0.0.1", "127.0.0.1:80", ""} {
		o := s.options
		o.Issuer = issuer
		if _, err := demo.NewProvider(o); err == nil {
			t.Errorf("the issuer %q was accepted", issuer)
		}
	}
	form := providerGet(t, s.authURL(t, signin.NewAttempt())).hidden
	form.Set("email", "ada@uni.example")
	p := providerPost(t, s.url+"/authorize", form, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	if p.status != http.StatusForbidden {
		t.Errorf("a form on another site: status %d", p.status)
	}
}
