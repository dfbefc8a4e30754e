package demo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"matricula/internal/lms"
)

const (
	codeLife   = time.Minute
	tokenLife  = 10 * time.Minute
	maxGrants  = 10_000 // sign-ins under way; more are a runaway test, not people
	maxRequest = 64 << 10
)

// Account is a person whom the sign-in page offers.
type Account struct {
	Email      string
	GivenName  string
	FamilyName string
	Note       string // who they are, in a few words, such as "teaches Algorithms"
}

// ProviderOptions are what the demo's OpenID provider has to know.
type ProviderOptions struct {
	Issuer       string // its address, http on loopback; it may have a path
	ClientID     string
	ClientSecret string
	RedirectURI  string           // the one place to which it sends people back
	Accounts     func() []Account // whom to offer, the most useful first; asked for each page
	Now          func() time.Time

	Mailbox http.Handler // shows the demo's mail at /mail; nil: there is none
}

// Provider is an OpenID provider for invented people. It keeps the protocol
// as a real one does, except that it believes everyone about who they are;
// so it serves loopback only, and forgets all when the process ends.
type Provider struct {
	options ProviderOptions
	base    string // the path of the issuer, without a slash at the end
	key     *ecdsa.PrivateKey
	keyID   string
	signer  jose.Signer
	handler http.Handler

	mu     sync.Mutex
	codes  map[string]grant
	tokens map[string]grant
}

// grant is one sign-in, held under its code and then under its access token.
type grant struct {
	email                             lms.Email
	givenName, familyName             string
	redirectURI, nonce, codeChallenge string
	expires                           time.Time
}

// NewProvider makes the provider with a fresh signing key.
func NewProvider(o ProviderOptions) (*Provider, error) {
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Scheme != "http" || !isLoopbackHost(issuer.Hostname()) || issuer.RawQuery != "" || issuer.Fragment != "" {
		return nil, fmt.Errorf("demo provider: the issuer %q is not a plain http address on loopback", o.Issuer)
	}
	if o.ClientID == "" || o.ClientSecret == "" || o.RedirectURI == "" || o.Accounts == nil || o.Now == nil {
		return nil, errors.New("demo provider: an option is missing")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("demo provider: make a key: %w", err)
	}
	p := &Provider{
		options: o, base: strings.TrimSuffix(issuer.Path, "/"), key: key,
		codes: map[string]grant{}, tokens: map[string]grant{},
	}
	public := jose.JSONWebKey{Key: key.Public()}
	print, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("demo provider: name the key: %w", err)
	}
	p.keyID = base64.RawURLEncoding.EncodeToString(print)
	p.signer, err = jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: p.keyID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("demo provider: make a signer: %w", err)
	}
	p.handler = p.routes()
	return p, nil
}

func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+p.base+"/.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET "+p.base+"/authorize", p.showPage)
	mux.HandleFunc("POST "+p.base+"/authorize", p.choose)
	mux.HandleFunc("POST "+p.base+"/token", p.token)
	mux.HandleFunc("GET "+p.base+"/userinfo", p.userInfo)
	mux.HandleFunc("GET "+p.base+"/jwks", p.jwks)
	mux.HandleFunc("GET "+p.base+"/style.css", p.style)
	mux.HandleFunc("GET "+p.base+"/icon.svg", p.icon)
	if p.options.Mailbox != nil {
		mux.Handle("GET "+p.base+"/mail", p.options.Mailbox)
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// ServeHTTP answers only requests that name this machine: a page elsewhere
// whose name was pointed at loopback must not reach the provider.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	if !isLoopbackHost(host) {
		http.Error(w, "The demo answers on this computer only.", http.StatusMisdirectedRequest)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	p.handler.ServeHTTP(w, r)
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	issuer := strings.TrimSuffix(p.options.Issuer, "/")
	writeProviderJSON(w, http.StatusOK, map[string]any{
		"issuer":                                p.options.Issuer,
		"authorization_endpoint":                issuer + "/authorize",
		"token_endpoint":                        issuer + "/token",
		"userinfo_endpoint":                     issuer + "/userinfo",
		"jwks_uri":                              issuer + "/jwks",
		"scopes_supported":                      []string{"openid", "email", "profile"},
		"response_types_supported":              []string{"code"},
		"grant_types_supported":                 []string{"authorization_code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"code_challenge_methods_supported":      []string{"S256"},
		"claims_supported":                      []string{"sub", "email", "email_verified", "given_name", "family_name", "name"},
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) {
	writeProviderJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: p.key.Public(), KeyID: p.keyID, Algorithm: string(jose.ES256), Use: "sig"},
	}})
}

// token redeems a code (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if !p.isClient(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
		writeProviderJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	if r.PostFormValue("grant_type") != "authorization_code" {
		writeProviderJSON(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	g, ok := p.redeem(r.PostFormValue("code"))
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(verifier[:])
	if !ok || r.PostFormValue("redirect_uri") != g.redirectURI || subtle.ConstantTimeCompare([]byte(challenge), []byte(g.codeChallenge)) != 1 {
		writeProviderJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
		return
	}
	idToken, err := p.idToken(g)
	if err != nil {
		http.Error(w, "The token could not be signed.", http.StatusInternalServerError)
		return
	}
	writeProviderJSON(w, http.StatusOK, map[string]any{
		"access_token": p.remember(p.tokens, g, tokenLife), "token_type": "Bearer",
		"expires_in": int(tokenLife.Seconds()), "id_token": idToken,
	})
}

func (p *Provider) isClient(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if basic { // both are form-encoded first: RFC 6749, section 2.3.1
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	rightID := subtle.ConstantTimeCompare([]byte(id), []byte(p.options.ClientID))
	rightSecret := subtle.ConstantTimeCompare([]byte(secret), []byte(p.options.ClientSecret))
	return rightID&rightSecret == 1
}

func (p *Provider) idToken(g grant) (string, error) {
	now := p.options.Now()
	claims := g.claims()
	claims["iss"], claims["aud"] = p.options.Issuer, p.options.ClientID
	claims["iat"], claims["exp"] = now.Unix(), now.Add(tokenLife).Unix()
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	signed, err := p.signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign claims: %w", err)
	}
	return signed.CompactSerialize()
}

// claims say who the person is. The subject is the same for an address each
// time, also after a restart, as it would be at a provider with a memory.
func (g grant) claims() map[string]any {
	sum := sha256.Sum256([]byte("demo subject\x00" + string(g.email)))
	claims := map[string]any{
		"sub":            base64.RawURLEncoding.EncodeToString(sum[:15]),
		"email":          string(g.email),
		"email_verified": true,
	}
	if g.givenName != "" {
		claims["given_name"] = g.givenName
	}
	if g.familyName != "" {
		claims["family_name"] = g.familyName
	}
	if name := strings.TrimSpace(g.givenName + " " + g.familyName); name != "" {
		claims["name"] = name
	}
	return claims
}

func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request) {
	access, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	g, ok := p.tokens[access]
	p.mu.Unlock()
	if !bearer || !ok || !p.options.Now().Before(g.expires) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeProviderJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	writeProviderJSON(w, http.StatusOK, g.claims())
}

// redeem takes the grant of a code. The code is spent, whatever comes of it.
func (p *Provider) redeem(code string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.codes[code]
	delete(p.codes, code)
	return g, ok && p.options.Now().Before(g.expires)
}

// remember holds the grant for a while under a new random key.
func (p *Provider) remember(in map[string]grant, g grant, life time.Duration) string {
	key := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.options.Now()
	for k, old := range in {
		if len(in) >= maxGrants || !now.Before(old.expires) {
			delete(in, k)
		}
	}
	g.expires = now.Add(life)
	in[key] = g
	return key
}

func writeProviderJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
