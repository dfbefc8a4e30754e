package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"matricula/internal/lms"
)

// RelyingParty is our side of OpenID Connect with every configured provider.
// It is safe for concurrent use. Nothing is fetched before it is needed, so
// that a provider that is down does not stop the start.
type RelyingParty struct {
	providers []Provider
	remotes   map[string]*remote
}

// remote is one provider with what was learned from it.
type remote struct {
	Provider
	redirectURL string
	client      *http.Client
	now         func() time.Time
	metadata    *shared[metadata]

	mu     sync.Mutex
	jwks   string // the address of keySet
	cached *shared[[]signingKey]
}

// New makes the relying party. redirectBase is the address that people type,
// without a path; the provider named n has to be told the redirect address
// redirectBase/auth/n/callback. A nil client is the standard one; whatever
// the client, each request is bounded in time and size and follows no
// redirect.
func New(providers []Provider, redirectBase string, client *http.Client, now func() time.Time) (*RelyingParty, error) {
	rp := &RelyingParty{remotes: map[string]*remote{}}
	issuers := map[string]string{}
	for _, p := range providers {
		if err := ValidateProvider(p); err != nil {
			return nil, err
		}
		if rp.remotes[p.Name] != nil {
			return nil, &ProviderError{Provider: p.Name, Field: "NAME", Reason: "is configured twice"}
		}
		if other, twice := issuers[p.Issuer]; twice {
			// The same identity would have two rules about its addresses.
			return nil, &ProviderError{Provider: p.Name, Field: "ISSUER", Reason: "is also that of " + other}
		}
		issuers[p.Issuer] = p.Name
		p.Domains, p.Clients = slices.Clone(p.Domains), slices.Clone(p.Clients)
		rp.providers = append(rp.providers, p)
		rp.remotes[p.Name] = newRemote(p, redirectBase, boundedClient(client), now)
	}
	return rp, nil
}

func newRemote(p Provider, redirectBase string, client *http.Client, now func() time.Time) *remote {
	return &remote{
		Provider: p, client: client, now: now,
		redirectURL: strings.TrimSuffix(redirectBase, "/") + "/auth/" + p.Name + "/callback",
		metadata: &shared[metadata]{now: now, fetch: func(ctx context.Context) (metadata, error) {
			return fetchMetadata(ctx, client, p)
		}},
	}
}

// Providers are the configured providers, in their order.
func (rp *RelyingParty) Providers() []Provider { return slices.Clone(rp.providers) }

// Provider is the configured provider of that name.
func (rp *RelyingParty) Provider(name string) (Provider, bool) {
	r := rp.remotes[name]
	if r == nil {
		return Provider{}, false
	}
	return r.Provider, true
}

func (rp *RelyingParty) remote(name string) (*remote, error) {
	if r := rp.remotes[name]; r != nil {
		return r, nil
	}
	return nil, lms.Errorf(lms.CodeNotFound, "provider-unknown", "There is no such way to sign in. Go back to the sign-in page and choose one of those it shows.")
}

// AuthURL is where to send the browser to sign in with the provider. The
// caller keeps the attempt where only this browser can bring it back.
func (rp *RelyingParty) AuthURL(ctx context.Context, providerName string, a Attempt) (string, error) {
	r, err := rp.remote(providerName)
	if err != nil {
		return "", err
	}
	if !a.complete() {
		return "", fmt.Errorf("authorization address for %s: the attempt is empty", providerName)
	}
	m, err := r.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	switch {
	case r.Kind != KindOIDC:
		// Google and Entra would otherwise take whoever is signed in on this
		// browser, which on a shared machine is the person before.
		options = append(options, oauth2.SetAuthURLParam("prompt", "select_account"))
	case a.Anew:
		// Every provider has to know login; select_account is not known to all.
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"))
	}
	return r.oauth(m).AuthCodeURL(a.State, options...), nil
}

// Exchange redeems the code of a callback whose state the caller has matched
// with the attempt, and answers what the provider says about the person. An
// error is an *lms.Error: "sign-in-failed" for anything that does not verify,
// "provider-unavailable" for a provider that does not do its part.
func (rp *RelyingParty) Exchange(ctx context.Context, providerName, code string, a Attempt) (Token, error) {
	r, err := rp.remote(providerName)
	if err != nil {
		return Token{}, err
	}
	if !a.complete() {
		return Token{}, failed(errors.New("the attempt is empty"))
	}
	if code == "" || len(code) > 8<<10 {
		return Token{}, malformed(errors.New("the code is empty or too long"))
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	m, err := r.discover(ctx)
	if err != nil {
		return Token{}, err
	}
	answer, err := r.oauth(m).Exchange(oidc.ClientContext(ctx, r.client), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return Token{}, r.exchangeError(err)
	}
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return Token{}, failed(errors.New("the token endpoint sent no ID token"))
	}
	id, err := r.verify(ctx, m, raw, a.Nonce, answer.AccessToken)
	if err != nil {
		return Token{}, err
	}
	var info claims
	if !id.has("email") && m.userInfo != "" {
		if info, err = r.userInfo(ctx, m, answer.AccessToken, id.text("sub")); err != nil {
			return Token{}, err
		}
	}
	return newToken(r.Provider, id, info), nil
}

// Check tells an operator whether the provider can be used: its discovery
// document is there and is that of the configured issuer, and its key set
// holds keys. It asks anew each time.
func (rp *RelyingParty) Check(ctx context.Context, providerName string) error {
	r, err := rp.remote(providerName)
	if err != nil {
		return err
	}
	m, err := fetchMetadata(ctx, r.client, r.Provider)
	if err != nil {
		return fmt.Errorf("provider %s: discovery: %w", r.Name, err)
	}
	if _, err := fetchKeys(ctx, r.client, m.jwks); err != nil {
		return fmt.Errorf("provider %s: keys: %w", r.Name, err)
	}
	return nil
}

func (r *remote) discover(ctx context.Context) (metadata, error) {
	m, err := r.metadata.get(ctx, func(metadata) bool { return true })
	if err != nil {
		return metadata{}, unavailable(r.Provider, fmt.Errorf("discovery of %s: %w", r.Name, err))
	}
	return m, nil
}

func (r *remote) oauth(m metadata) *oauth2.Config {
	return &oauth2.Config{
		ClientID: r.ClientID, ClientSecret: r.ClientSecret, RedirectURL: r.redirectURL,
		Scopes:   []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile},
		Endpoint: oauth2.Endpoint{AuthURL: m.authorization, TokenURL: m.token, AuthStyle: m.authStyle},
	}
}

// keySet is the cache of the keys at the address; a provider that moves its
// keys begins with a new one.
func (r *remote) keySet(address string) *shared[[]signingKey] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cached == nil || r.jwks != address {
		r.jwks = address
		r.cached = &shared[[]signingKey]{now: r.now, fetch: func(ctx context.Context) ([]signingKey, error) {
			return fetchKeys(ctx, r.client, address)
		}}
	}
	return r.cached
}

// userInfo asks for what the ID token left out. An answer about anybody else
// must not be used (OpenID Connect Core 1.0, section 5.3.2).
func (r *remote) userInfo(ctx context.Context, m metadata, accessToken, subject string) (claims, error) {
	info, err := fetchClaims(ctx, r.client, m.userInfo, accessToken)
	if err != nil {
		return nil, unavailable(r.Provider, fmt.Errorf("userinfo of %s: %w", r.Name, err))
	}
	if info.text("sub") != subject {
		return nil, failed(errors.New("userinfo is about another subject than the ID token"))
	}
	return info, nil
}

// exchangeError sorts the failures of the token endpoint. What the endpoint
// wrote is not passed on: some providers put the person's address into it.
func (r *remote) exchangeError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return unavailable(r.Provider, fmt.Errorf("token endpoint of %s: %w", r.Name, err))
	}
	status := 0
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	cause := fmt.Errorf("token endpoint of %s: status %d, %s", r.Name, status, printableCode(refused.ErrorCode))
	switch refused.ErrorCode {
	case "invalid_grant", "invalid_request":
		return failed(cause)
	}
	return unavailable(r.Provider, cause)
}
