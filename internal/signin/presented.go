package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"matricula/internal/lms"
)

const (
	// presentedAge is how old an ID token may be that somebody brings along. It is
	// exchanged in the moment in which somebody signs in; one that is found later
	// opens nothing, however long its provider lets it live.
	presentedAge = 10 * time.Minute
	// remembered is how long a used ID token has to be remembered at most, far above
	// presentedAge and what clocks differ by.
	remembered = 24 * time.Hour
)

// Presented is an ID token that a program brought along, after every check.
type Presented struct {
	Provider Provider
	Token    Token
	Client   string // the client id for which the token was made: azp, else the one of aud that is ours

	// Fingerprint is of what the provider signed. The signature is left out: it can
	// be spelled in several ways that all verify, and the token would be another
	// one each time.
	Fingerprint [sha256.Size]byte
	Until       time.Time // when the token need not be remembered any more
}

// Present checks an ID token that did not come to us by the code flow, but with
// a program that signed somebody in by itself and was given the token by the
// provider. The token may be for any of the provider's clients that the operator
// named. It must be fresh; whoever accepts it makes sure that it is used once.
// Nonce is what the program asked the provider to put in, empty when it tells
// none. Errors are those of Exchange.
func (rp *RelyingParty) Present(ctx context.Context, raw, nonce string) (Presented, error) {
	r, err := rp.issuerOf(raw)
	if err != nil {
		return Presented{}, failed(err)
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	m, err := r.discover(ctx)
	if err != nil {
		return Presented{}, err
	}
	c, err := r.verifySigned(ctx, m, raw, "")
	if err != nil {
		return Presented{}, err
	}
	clients := append([]string{r.ClientID}, r.Clients...)
	if err := r.checkClaims(c, clients); err != nil {
		return Presented{}, failed(err)
	}
	if nonce != "" && !c.hasNonce(nonce) {
		return Presented{}, failed(errNonce)
	}
	issued, _ := c.instant("iat") // checked above
	if r.now().Sub(issued) > presentedAge {
		return Presented{}, lms.Errorf(lms.CodeForbidden, "id-token-old", "This ID token was issued more than %d minutes ago. Sign in again, and exchange the new one at once.", int(presentedAge.Minutes()))
	}
	until, _ := c.instant("exp")
	if last := issued.Add(remembered); until.After(last) {
		until = last
	}
	signed := raw[:strings.LastIndexByte(raw, '.')]
	return Presented{
		Provider: r.Provider, Token: newToken(r.Provider, c, nil), Client: clientOf(c, clients),
		Fingerprint: sha256.Sum256([]byte(signed)), Until: until,
	}, nil
}

// issuerOf finds the provider that a token says it comes from. Nothing of the
// token is believed yet: it only chooses with whose keys it has to verify.
func (rp *RelyingParty) issuerOf(raw string) (*remote, error) {
	if _, err := readHeader(raw); err != nil {
		return nil, err
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		return nil, errors.New("the ID token is not a compact JWS")
	}
	c, err := parseClaims(body)
	if err != nil {
		return nil, err
	}
	for _, r := range rp.remotes {
		if r.issued(c) {
			return r, nil
		}
	}
	return nil, errIssuer
}

// clientOf is the client for which a token was made.
func clientOf(c claims, clients []string) string {
	if c.has("azp") {
		return c.text("azp")
	}
	audience := c.list("aud")
	return audience[slices.IndexFunc(audience, func(a string) bool { return slices.Contains(clients, a) })]
}
