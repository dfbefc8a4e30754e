package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// signatures are the algorithms that an ID token may be signed with. All are
// asymmetric: with HS256 the "key" would be something that others hold too,
// and none is no signature at all.
var signatures = []string{"RS256", "ES256", "PS256", "EdDSA"}

// metadata is what we need of a discovery document (OpenID Connect Discovery
// 1.0, section 3).
type metadata struct {
	authorization, token, jwks string
	userInfo                   string // "" when there is none
	algorithms                 []string
	authStyle                  oauth2.AuthStyle
}

func fetchMetadata(ctx context.Context, client *http.Client, p Provider) (metadata, error) {
	doc, err := fetchClaims(ctx, client, strings.TrimSuffix(p.Issuer, "/")+"/.well-known/openid-configuration", "")
	if err != nil {
		return metadata{}, err
	}
	if issuer := doc.text("issuer"); issuer != p.Issuer {
		return metadata{}, fmt.Errorf("the discovery document is of the issuer %.200q, but %q is configured; the two must be the same to the letter", issuer, p.Issuer)
	}
	m := metadata{
		authorization: doc.text("authorization_endpoint"), token: doc.text("token_endpoint"),
		jwks: doc.text("jwks_uri"), userInfo: doc.text("userinfo_endpoint"),
		authStyle: authStyle(p, doc),
	}
	for name, endpoint := range map[string]string{"authorization_endpoint": m.authorization, "token_endpoint": m.token, "jwks_uri": m.jwks} {
		if err := checkEndpoint(p, endpoint); err != nil {
			return metadata{}, fmt.Errorf("the discovery document's %s %w", name, err)
		}
	}
	if m.userInfo != "" {
		if err := checkEndpoint(p, m.userInfo); err != nil {
			return metadata{}, fmt.Errorf("the discovery document's userinfo_endpoint %w", err)
		}
	}
	if m.algorithms, err = commonAlgorithms(doc); err != nil {
		return metadata{}, err
	}
	return m, nil
}

// commonAlgorithms are those that the provider says it signs with and we
// accept. RS256 is the one that every provider must support.
func commonAlgorithms(doc claims) ([]string, error) {
	if !doc.has("id_token_signing_alg_values_supported") {
		return []string{"RS256"}, nil
	}
	var common []string
	for _, alg := range doc.list("id_token_signing_alg_values_supported") {
		if slices.Contains(signatures, alg) {
			common = append(common, alg)
		}
	}
	if len(common) == 0 {
		return nil, fmt.Errorf("the provider signs with none of %s", strings.Join(signatures, ", "))
	}
	return common, nil
}

// authStyle chooses how we authenticate to the token endpoint. Letting the
// oauth2 package find out by trying would present the code twice, which a
// provider has to take for theft (RFC 6749, section 4.1.2).
func authStyle(p Provider, doc claims) oauth2.AuthStyle {
	methods := doc.list("token_endpoint_auth_methods_supported")
	if p.ClientSecret == "" || (slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic")) {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

var errEndpoint = errors.New("is not an https address")

// checkEndpoint holds every endpoint to the rule for issuers: https, or plain
// http on loopback if the issuer itself is on loopback.
func checkEndpoint(p Provider, endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || strings.Contains(endpoint, "#") {
		return errEndpoint
	}
	if u.Scheme == "https" && (!isLoopback(u) || loopbackIssuer(p.Issuer)) {
		return nil
	}
	if isLoopback(u) && loopbackIssuer(p.Issuer) {
		return nil
	}
	return errEndpoint
}
