package signin

import (
	"context"
	"crypto"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"matricula/internal/lms"
)

const (
	// leeway is how far a provider's clock may be ahead of ours.
	leeway = 2 * time.Minute
	// maxIDToken is far above what providers send, with group lists and all.
	maxIDToken = 64 << 10
)

// header is what we use of an ID token's header.
type header struct{ algorithm, keyID string }

// readHeader refuses a token that brings its own key or says where to fetch
// it: the only keys are those of the configured issuer. It also refuses other
// kinds of token, such as access tokens (RFC 9068) and logout tokens, that an
// issuer signs with the same key for the same client.
func readHeader(raw string) (header, error) {
	if len(raw) > maxIDToken {
		return header{}, errors.New("the ID token is too large")
	}
	// go-jose would take white space out first, so that one token could be written
	// in many ways.
	if strings.ContainsFunc(raw, func(c rune) bool { return !isCompact(c) }) {
		return header{}, errors.New("the ID token is not a compact JWS")
	}
	protected, _, _ := strings.Cut(raw, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(protected)
	if err != nil || strings.Count(raw, ".") != 2 {
		return header{}, errors.New("the ID token is not a compact JWS")
	}
	c, err := parseClaims(decoded)
	if err != nil {
		return header{}, fmt.Errorf("the ID token's header is %w", err)
	}
	for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit", "b64"} {
		if c.has(name) {
			return header{}, fmt.Errorf("the ID token's header holds %s", name)
		}
	}
	if typ := strings.ToLower(c.text("typ")); c.has("typ") && (typ == "" || strings.HasSuffix(typ, "+jwt")) {
		return header{}, errors.New("the token is of another type than an ID token")
	}
	if c.has("kid") && c.text("kid") == "" {
		return header{}, errors.New("the ID token's key id is not a string")
	}
	return header{algorithm: c.text("alg"), keyID: c.text("kid")}, nil
}

// isCompact tells whether a letter can be in a compact JWS: base64url and dots.
func isCompact(c rune) bool {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'
}

// verify checks an ID token for one attempt and answers its claims (OpenID
// Connect Core 1.0, section 3.1.3.7).
func (r *remote) verify(ctx context.Context, m metadata, raw, nonce, accessToken string) (claims, error) {
	c, err := r.verifySigned(ctx, m, raw, accessToken)
	if err != nil {
		return nil, err
	}
	if err := r.checkClaims(c, []string{r.ClientID}); err != nil {
		return nil, failed(err)
	}
	if nonce == "" || !c.hasNonce(nonce) {
		return nil, failed(errNonce)
	}
	return c, nil
}

var errNonce = errors.New("nonce is not that of the attempt")

func (c claims) hasNonce(nonce string) bool {
	return subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) == 1
}

// verifySigned answers the claims of an ID token that the provider signed. They
// have still to be checked. An empty accessToken says that none came along.
func (r *remote) verifySigned(ctx context.Context, m metadata, raw, accessToken string) (claims, error) {
	h, err := readHeader(raw)
	if err != nil {
		return nil, failed(err)
	}
	if !slices.Contains(m.algorithms, h.algorithm) {
		return nil, failed(errors.New("the ID token is signed with an algorithm that the provider does not advertise, or that we refuse"))
	}
	keys, err := r.keys(ctx, m, h)
	if err != nil {
		return nil, err
	}
	token, err := oidc.NewVerifier(r.Issuer, &oidc.StaticKeySet{PublicKeys: keys}, &oidc.Config{
		SkipClientIDCheck:    true, // checkClaims knows for which clients the token may be
		SupportedSigningAlgs: []string{h.algorithm}, Now: r.now,
	}).Verify(ctx, raw)
	if err != nil {
		return nil, failed(errors.New(lms.Clip(err.Error(), 300)))
	}
	if token.AccessTokenHash != "" && accessToken != "" {
		if err := token.VerifyAccessToken(accessToken); err != nil {
			return nil, failed(err)
		}
	}
	var payload json.RawMessage
	if err := token.Claims(&payload); err != nil {
		return nil, failed(errClaims)
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, failed(fmt.Errorf("the ID token's claims are %w", err))
	}
	return c, nil
}

func (r *remote) keys(ctx context.Context, m metadata, h header) ([]crypto.PublicKey, error) {
	all, err := r.keySet(m.jwks).get(ctx, func(keys []signingKey) bool {
		return len(matching(keys, h.algorithm, h.keyID)) > 0
	})
	if err != nil {
		return nil, unavailable(r.Provider, err)
	}
	match := matching(all, h.algorithm, h.keyID)
	if len(match) == 0 {
		return nil, failed(errors.New("the ID token is signed with no key of the provider"))
	}
	return match, nil
}

var errIssuer = errors.New("iss is not the configured issuer")

// issued tells whether claims say that they are of this provider.
func (r *remote) issued(c claims) bool {
	iss := c.text("iss")
	return iss == r.Issuer || (r.Issuer == GoogleIssuer && iss == "accounts.google.com")
}

// checkClaims reads the claims by their exact names. go-oidc has checked some
// of them before, but matches names whatever their case, allows five minutes
// for nbf, and leaves azp, iat and the nonce to us. Clients are those for which
// the token may have been made.
func (r *remote) checkClaims(c claims, clients []string) error {
	now := r.now()
	if !r.issued(c) {
		return errIssuer
	}
	audience := c.list("aud")
	if !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(clients, a) }) {
		return errors.New("aud does not hold our client id")
	}
	if c.has("azp") && !slices.Contains(clients, c.text("azp")) {
		return errors.New("azp is another client")
	}
	if len(audience) > 1 && !c.has("azp") {
		return errors.New("aud holds several clients and azp does not say that the token was made for us")
	}
	if exp, ok := c.instant("exp"); !ok || !now.Before(exp) {
		return errors.New("exp has passed or is missing")
	}
	if iat, ok := c.instant("iat"); !ok || iat.After(now.Add(leeway)) {
		return errors.New("iat lies in the future or is missing")
	}
	if nbf, ok := c.instant("nbf"); c.has("nbf") && (!ok || nbf.After(now.Add(leeway))) {
		return errors.New("nbf lies in the future or is no date")
	}
	if !validSubject(c.text("sub")) {
		return errors.New("sub is empty, longer than 255 characters or not printable ASCII")
	}
	return nil
}
