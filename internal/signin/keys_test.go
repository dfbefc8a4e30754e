package signin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
)

func encoded(t *testing.T, key jose.JSONWebKey) json.RawMessage {
	t.Helper()
	raw, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOnlyPublicKeysForSigningOfSufficientStrengthAreRead(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := private.Public()
	// No prime factors are needed to write down a modulus that is too short.
	weak := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	enough := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}
	for _, c := range []struct {
		name string
		raw  json.RawMessage
		read bool
	}{
		{"a key for signing", encoded(t, jose.JSONWebKey{Key: public, KeyID: "a", Use: "sig"}), true},
		{"a key without a use", encoded(t, jose.JSONWebKey{Key: public, KeyID: "a"}), true},
		{"an RSA key of 2048 bits", encoded(t, jose.JSONWebKey{Key: enough, KeyID: "a"}), true},
		{"an RSA key of 1024 bits", encoded(t, jose.JSONWebKey{Key: weak, KeyID: "a"}), false},
		{"a key for encryption", encoded(t, jose.JSONWebKey{Key: public, KeyID: "a", Use: "enc"}), false},
		{"a private key", encoded(t, jose.JSONWebKey{Key: private, KeyID: "a", Use: "sig"}), false},
		{"a secret", encoded(t, jose.JSONWebKey{Key: []byte("secret"), KeyID: "a", Use: "sig"}), false},
		{"a type from the future", json.RawMessage(`{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","kid":"a"}`), false},
		{"a point that is not on the curve", json.RawMessage(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"a"}`), false},
		{"not an object", json.RawMessage(`5`), false},
	} {
		if key, ok := readKey(c.raw); ok != c.read || ok && key.id != "a" {
			t.Errorf("%s: read %t, want %t", c.name, ok, c.read)
		}
	}
}

func TestATokensKeyIsFoundByItsIDAndAlgorithm(t *testing.T) {
	rsaKey, p256, p384 := &rsa.PublicKey{E: 3}, &ecdsa.PublicKey{Curve: elliptic.P256()}, &ecdsa.PublicKey{Curve: elliptic.P384()}
	ed := ed25519.PublicKey("ed")
	keys := []signingKey{
		{"r1", "", rsaKey},
		{"r2", "PS256", rsaKey},
		{"e", "", p256},
		{"e384", "", p384},
		{"d", "", ed},
		{"twin", "", p256},
		{"twin", "", rsaKey},
	}
	for _, c := range []struct {
		algorithm, id string
		want          []crypto.PublicKey
	}{
		{"RS256", "r1", []crypto.PublicKey{rsaKey}},
		{"PS256", "r1", []crypto.PublicKey{rsaKey}},
		{"PS256", "r2", []crypto.PublicKey{rsaKey}},
		{"RS256", "r2", nil}, // bound to another algorithm
		{"ES256", "r1", nil},
		{"ES256", "e", []crypto.PublicKey{p256}},
		{"RS256", "e", nil},
		{"ES256", "e384", nil},
		{"EdDSA", "d", []crypto.PublicKey{ed}},
		{"EdDSA", "e", nil},
		{"ES256", "twin", []crypto.PublicKey{p256}},
		{"RS256", "R1", nil},
		{"EdDSA", "", []crypto.PublicKey{ed}}, // the only one that it can be
		{"ES256", "", nil},                    // two could be meant
		{"HS256", "r1", nil},
		{"none", "", nil},
	} {
		got := matching(keys, c.algorithm, c.id)
		if len(got) != len(c.want) {
			t.Errorf("%s %q: %v, want %v", c.algorithm, c.id, got, c.want)
			continue
		}
		for n := range got {
			if a, ok := got[n].(ed25519.PublicKey); ok && string(a) == "ed" && c.algorithm == "EdDSA" {
				continue
			}
			if got[n] != c.want[n] {
				t.Errorf("%s %q: %v, want %v", c.algorithm, c.id, got, c.want)
			}
		}
	}
}

func TestAnObjectIsReadOnlyAsItStands(t *testing.T) {
	for _, bad := range []string{
		``, `null`, `[]`, `"x"`, `5`, `{`, `{"a"`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{"a":1}}`, `{"a":1} {}`, `{"a":1}x`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, "{\"a\":\"\xff\"}", "\ufeff{}",
	} {
		if c, err := parseClaims([]byte(bad)); err == nil {
			t.Errorf("%q was read as %v", bad, c)
		}
	}
	c, err := parseClaims([]byte(" {\"a\":\"x\",\"A\":true,\"n\":1.5,\"l\":[\"x\",\"y\"],\"o\":{\"a\":1,\"a\":2}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.text("a") != "x" || c.verified("A") != VerifiedTrue || c.text("A") != "" || c.has("N") || len(c.list("l")) != 2 {
		t.Errorf("read as %s", c)
	}
	if at, ok := c.instant("n"); !ok || at.UnixMilli() != 1500 {
		t.Errorf("1.5 seconds became %v, %t", at, ok)
	}
}

func FuzzClaimsAreNeverGuessed(f *testing.F) {
	f.Add([]byte(`{"email_verified":true}`))
	f.Add([]byte(`{"email_verified":false,"EMAIL_VERIFIED":true}`))
	f.Add([]byte(`{"email_verified":"true","aud":["a"],"exp":1e9}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := parseClaims(raw)
		if err != nil {
			return
		}
		var loose map[string]any
		if err := json.Unmarshal(raw, &loose); err != nil {
			t.Fatalf("%q was read, but is not JSON: %v", raw, err)
		}
		if len(loose) != len(c) {
			t.Fatalf("%q: %d names, want %d", raw, len(c), len(loose))
		}
		for name, value := range loose {
			if (c.verified(name) == VerifiedTrue) != (value == true) {
				t.Fatalf("%q: %s is %v and was read as %s", raw, name, value, c.verified(name))
			}
			if s, ok := value.(string); ok && c.text(name) != s || !ok && c.text(name) != "" {
				t.Fatalf("%q: %s is %v and was read as %q", raw, name, value, c.text(name))
			}
			c.instant(name)
			c.list(name)
		}
	})
}
