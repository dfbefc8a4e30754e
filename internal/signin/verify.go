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

// verify checks an ID token for one attempt and answers its claims (OpenID
// Connect Core 1.0, section 3.1.3.7).
func (r *remote) verify(ctx context.Context, m metadata, raw, nonce, accessToken string) (claims, error) {
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
		ClientID: r.ClientID, SupportedSigningAlgs: []string{h.algorithm}, Now: r.now,
	}).Verify(ctx, raw)
	if err != nil {
		return nil, failed(errors.New(lms.Clip(err.Error(), 300)))
	}
	if token.AccessTokenHash != "" {
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
	if err := r.checkClaims(c, nonce); err != nil {
		return nil, failed(err)
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

// checkClaims reads the claims by their exact names. go-oidc has checked some
// of them before, but matches names whatever their case, allows five minutes
// for nbf, and leaves azp, iat and the nonce to us.
func (r *remote) checkClaims(c claims, nonce string) error {
	now := r.now()
	if iss := c.text("iss"); iss != r.Issuer && (r.Issuer != GoogleIssuer || iss != "accounts.google.com") {
		return errors.New("iss is not the configured issuer")
	}
	audience := c.list("aud")
	if !slices.Contains(audience, r.ClientID) {
		return errors.New("aud does not hold our client id")
	}
	if c.has("azp") && c.text("azp") != r.ClientID {
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
	if nonce == "" || subtle.ConstantTimeCompare([]byte(c.text("nonce")), []byte(nonce)) != 1 {
		return errors.New("nonce is not that of the attempt")
	}
	if !validSubject(c.text("sub")) {
		return errors.New("sub is empty, longer than 255 characters or not printable ASCII")
	}
	return nil
}
