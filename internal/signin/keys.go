package signin

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	jose "github.com/go-jose/go-jose/v4"
)

// maxKeys is the most keys that a provider's set may hold. Real ones hold
// fewer than ten.
const maxKeys = 100

// minRSABits is the least that RFC 7518, section 3.3, allows.
const minRSABits = 2048

// signingKey is one public key with which a provider signs.
type signingKey struct {
	id        string
	algorithm string // "" when the set does not bind the key to one
	public    crypto.PublicKey
}

// fits tells whether the key can be meant for a token with this header.
func (k signingKey) fits(algorithm, id string) bool {
	if id != "" && k.id != id {
		return false
	}
	if k.algorithm != "" && k.algorithm != algorithm {
		return false
	}
	switch key := k.public.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" || algorithm == "PS256"
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// matching are the keys that may have signed a token with this header. A
// token may leave the key's id out only where there is no choice (OpenID
// Connect Core 1.0, section 10.1).
func matching(keys []signingKey, algorithm, id string) []crypto.PublicKey {
	var match []crypto.PublicKey
	for _, k := range keys {
		if k.fits(algorithm, id) {
			match = append(match, k.public)
		}
	}
	if id == "" && len(match) > 1 {
		return nil
	}
	return match
}

var errNoKeys = errors.New("the key set holds no key that we can use")

// fetchKeys reads a provider's key set. go-oidc's own remote key set asks the
// provider again for each unknown key id, reads an answer of any size and
// forgets nothing until a token fails; whoever can send us tokens could make
// us flood the provider.
func fetchKeys(ctx context.Context, client *http.Client, address string) ([]signingKey, error) {
	doc, err := fetchClaims(ctx, client, address, "")
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(doc["keys"], &raw); err != nil {
		return nil, errNoKeys
	}
	if len(raw) > maxKeys {
		return nil, fmt.Errorf("the key set holds %d keys, more than %d", len(raw), maxKeys)
	}
	var keys []signingKey
	for _, r := range raw {
		if k, ok := readKey(r); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	return keys, nil
}

// readKey leaves out what we cannot use, as RFC 7517, section 5, asks: keys
// of unknown types, for encryption, secret or too weak.
func readKey(raw json.RawMessage) (signingKey, bool) {
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(raw); err != nil || !key.Valid() || !key.IsPublic() {
		return signingKey{}, false
	}
	if key.Use != "" && key.Use != "sig" {
		return signingKey{}, false
	}
	if public, ok := key.Key.(*rsa.PublicKey); ok && public.N.BitLen() < minRSABits {
		return signingKey{}, false
	}
	return signingKey{id: key.KeyID, algorithm: key.Algorithm, public: key.Key}, true
}
