package apptest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The client that every Issuer knows.
const (
	ClientID     = "matricula-test-client"
	ClientSecret = "a secret that only tests know"
)

// Person is who signs in next at an Issuer.
type Person struct {
	Subject       string // "": derived from the address
	Email         string // "": the token has no email claim
	EmailVerified any    // the claim as it goes into the token; nil: no claim
	GivenName     string
	FamilyName    string
	Claims        map[string]any // further claims; they win over all others, and the value Omit leaves one out
}

// Omit as the value of a claim leaves the claim out.
var Omit = omit{}

type omit struct{}

// Somebody is a person whose address the issuer calls verified.
func Somebody(email, givenName, familyName string) Person {
	return Person{Email: email, EmailVerified: true, GivenName: givenName, FamilyName: familyName}
}

// GooglePerson is somebody as Google describes them; hd is the Workspace
// domain, "" for a private account.
func GooglePerson(email, hd string) Person {
	p := Person{Email: email, EmailVerified: true}
	if hd != "" {
		p.Claims = map[string]any{"hd": hd}
	}
	return p
}

// EntraPerson is somebody as Entra describes them: no email_verified, and
// xms_edov as given (nil: no claim).
func EntraPerson(email, tenant string, edov any) Person {
	p := Person{Email: email, Claims: map[string]any{"tid": tenant}}
	if edov != nil {
		p.Claims["xms_edov"] = edov
	}
	return p
}

func (p Person) subject() string {
	if p.Subject != "" {
		return p.Subject
	}
	sum := sha256.Sum256([]byte(p.Email))
	return "subject-" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Issuer is a real OpenID provider over HTTP on loopback, whose person is
// chosen by the test and who signs them in without asking. It keeps the
// protocol as a strict provider does (registered client, PKCE, codes that
// work once and for a minute) unless Faults say otherwise.
type Issuer struct {
	URL string // the issuer, as in iss and in the discovery document

	server *httptest.Server
	now    func() time.Time

	mu        sync.Mutex
	person    Person
	personFor func(authorize url.Values) (Person, bool)
	faults    Faults
	keys      []*signer // the first one signs
	codes     map[string]grant
	tokens    map[string]grant // by access token
	requests  map[string]int
	serial    int
}

// grant is a sign-in between /authorize, /token and /userinfo.
type grant struct {
	person                                  Person
	clientID, redirectURI, nonce, challenge string
	issued                                  time.Time
}

// NewIssuer starts an issuer that ends with the test.
func NewIssuer(tb testing.TB) *Issuer {
	tb.Helper()
	i := &Issuer{
		now: time.Now, keys: []*signer{firstSigner()},
		codes: map[string]grant{}, tokens: map[string]grant{}, requests: map[string]int{},
	}
	i.server = httptest.NewServer(i.routes())
	i.URL = i.server.URL
	tb.Cleanup(i.server.Close)
	return i
}

// Named gives the issuer a public name, such as https://accounts.google.com;
// only Client finds it there. Call it before the first request.
func (i *Issuer) Named(issuer string) *Issuer {
	i.URL = issuer
	return i
}

// Client is an HTTP client for which the issuer's public name leads to its
// loopback server.
func (i *Issuer) Client() *http.Client {
	public, err := url.Parse(i.URL)
	if err != nil {
		panic("apptest: issuer name: " + err.Error())
	}
	local := strings.TrimPrefix(i.server.URL, "http://")
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == public.Host {
			r = r.Clone(r.Context())
			r.URL.Scheme, r.URL.Host = "http", local
		}
		return http.DefaultTransport.RoundTrip(r)
	})}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// SetClock makes the issuer live at another time.
func (i *Issuer) SetClock(now func() time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.now = now
}

// SignInAs sets who signs in next, in every browser.
func (i *Issuer) SignInAs(p Person) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.person = p
}

// PersonFor lets the test choose by the parameters of the authorization
// request, such as its state, for several browsers at once. Where choose
// answers false, the person of SignInAs signs in. It must not call the issuer.
func (i *Issuer) PersonFor(choose func(authorize url.Values) (Person, bool)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.personFor = choose
}

// Misbehave sets the issuer's faults; Misbehave(Faults{}) makes it good again.
func (i *Issuer) Misbehave(f Faults) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.faults = f
}

// Requests counts the requests so far to "discovery", "authorize", "token",
// "userinfo" or "jwks".
func (i *Issuer) Requests(endpoint string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[endpoint]
}

// RotateKeys replaces the signing key; the old ones disappear from the set.
func (i *Issuer) RotateKeys() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.serial++
	i.keys = []*signer{newSigner(fmt.Sprintf("rotated-%d", i.serial))}
}

// IDToken mints a token directly, for doors that take one, with the faults
// that are set.
func (i *Issuer) IDToken(p Person, nonce string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.sign(grant{person: p, clientID: ClientID, nonce: nonce}, "")
}

// Shut makes the issuer refuse connections, as one that is down.
func (i *Issuer) Shut() { i.server.Close() }

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]func(http.ResponseWriter, *http.Request, Faults){
		"GET /.well-known/openid-configuration": i.discovery,
		"GET /authorize":                        i.authorize,
		"POST /token":                           i.token,
		"GET /userinfo":                         i.userInfo,
		"GET /jwks":                             i.jwks,
	} {
		name := pattern[strings.LastIndex(pattern, "/")+1:]
		if name == "openid-configuration" {
			name = "discovery"
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			i.mu.Lock()
			i.requests[name]++
			faults := i.faults
			i.mu.Unlock()
			if !faults.interfere(w, r, name) {
				handler(w, r, faults)
			}
		})
	}
	return mux
}

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request, f Faults) {
	doc := map[string]any{
		"issuer":                                i.URL,
		"authorization_endpoint":                i.URL + "/authorize",
		"token_endpoint":                        i.URL + "/token",
		"userinfo_endpoint":                     i.URL + "/userinfo",
		"jwks_uri":                              i.URL + "/jwks",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":      []string{"S256"},
	}
	maps.Copy(doc, f.Discovery)
	writeJSON(w, http.StatusOK, doc)
}

func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request, _ Faults) {
	q := r.URL.Query()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != ClientID || !isLoopbackHTTP(redirect) {
		http.Error(w, "unknown client or redirect address", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	scopes := strings.Fields(q.Get("scope"))
	if q.Get("response_type") != "code" || len(scopes) == 0 || scopes[0] != "openid" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
		back.Set("error", "invalid_request")
	} else {
		back.Set("code", i.issue(q))
	}
	redirect.RawQuery = back.Encode()
	http.Redirect(w, r, redirect.String(), http.StatusFound)
}

func (i *Issuer) issue(q url.Values) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	person := i.person
	if i.personFor != nil {
		if p, ok := i.personFor(q); ok {
			person = p
		}
	}
	i.serial++
	code := fmt.Sprintf("code-%d-%s", i.serial, randomText())
	i.codes[code] = grant{
		person: person, clientID: q.Get("client_id"), redirectURI: q.Get("redirect_uri"),
		nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), issued: i.now(),
	}
	return code
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request, f Faults) {
	id, secret, basic := r.BasicAuth()
	if basic != f.wantsBasic(basic) {
		id = "" // sent in a way that the discovery document does not name
	} else if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(ClientSecret)) != 1 {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	code := r.PostFormValue("code")
	g, ok := i.codes[code]
	if !f.CodesWorkTwice {
		delete(i.codes, code) // once, whether or not it goes well
	}
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != g.redirectURI ||
		base64.RawURLEncoding.EncodeToString(verifier[:]) != g.challenge || i.now().Sub(g.issued) > time.Minute {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "for " + g.person.Email})
		return
	}
	access := "access-" + randomText()
	i.tokens[access] = g
	answer := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": i.sign(g, access),
	}
	for name, value := range f.TokenAnswer {
		if answer[name] = value; value == Omit {
			delete(answer, name)
		}
	}
	writeJSON(w, http.StatusOK, answer)
}

func (i *Issuer) userInfo(w http.ResponseWriter, r *http.Request, f Faults) {
	i.mu.Lock()
	defer i.mu.Unlock()
	g, ok := i.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(payload(g.person.claims(), f.UserInfo))
}

func (i *Issuer) jwks(w http.ResponseWriter, _ *http.Request, f Faults) {
	i.mu.Lock()
	keys := i.keys
	i.mu.Unlock()
	var set []any
	for _, k := range keys {
		set = append(set, k.public())
	}
	for n := range f.ExtraKeys {
		// Each is a well-formed, small key of its own.
		set = append(set, map[string]any{"kty": "oct", "k": "AA", "kid": fmt.Sprint("extra-", n)})
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": set})
}

// isLoopbackHTTP is the registered set of redirect addresses: any on this
// machine, and those of the reserved names that a test gives its own server.
func isLoopbackHTTP(u *url.URL) bool {
	host := u.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".test") || strings.HasSuffix(host, ".example") || (ip != nil && ip.IsLoopback())
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// Code sends a browser without a face through the authorization address and
// answers the callback's parameters.
func (i *Issuer) Code(tb testing.TB, authURL string) url.Values {
	tb.Helper()
	client := i.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, authURL, nil)
	if err != nil {
		tb.Fatalf("authorization address: %v", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatalf("authorize: %v", err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		tb.Fatalf("authorize: status %d and no way back", resp.StatusCode)
	}
	return back.Query()
}
